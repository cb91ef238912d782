// Package jsclients holds drivers of the JavaScript clients that Slack and
// the makers of discord.js publish, and the tests that let these clients use
// the simulators, unchanged: what a client says it saw is compared with what
// the simulator holds. The packages are pinned in package-lock.json and are
// needed by these tests only.
package jsclients
