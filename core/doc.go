// Package core holds the rules by which a badge goes from pending to
// accepted: who may see and claim it, how a handoff lives and dies, what an
// address proves, and what an observation of the provider changes.
//
// It knows no SQL, no HTTP, no chat platform and no clock of its own: what
// it needs from outside stands here as a small port, implemented by an
// adapter.
package core
