package discord

import (
	"sync"
	"time"
)

// earlyTries is how often a token that Discord does not know yet may be
// tried again: a message may overtake the acknowledgement that makes it known.
const earlyTries = 3

// maxTokens bounds the memory of tokens.
const maxTokens = 10_000

// tokens remember interaction tokens that Discord does not know: a webhook
// that was answered with 404 must not be used again
// (https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans).
type tokens struct {
	mu    sync.Mutex
	known map[string]*tokenState
}

type tokenState struct {
	early int
	dead  bool
	until time.Time
}

// isDead reports whether any of the tokens, or paths below them, is known to
// be gone.
func (t *tokens) isDead(names ...string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range names {
		if s := t.known[name]; s != nil && s.dead {
			return true
		}
	}
	return false
}

// bury lets nothing use the token, or the path below it, again.
func (t *tokens) bury(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state(token).dead = true
}

// early reports whether a token may be tried once more; the last answer of
// no buries it.
func (t *tokens) early(token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.state(token)
	s.early++
	s.dead = s.dead || s.early > earlyTries
	return !s.dead
}

// state returns what is remembered of a token. The lock is held.
func (t *tokens) state(token string) *tokenState {
	if s := t.known[token]; s != nil {
		return s
	}
	now := time.Now()
	if len(t.known) >= maxTokens {
		for name, s := range t.known {
			if s.until.Before(now) {
				delete(t.known, name)
			}
		}
	}
	if t.known == nil || len(t.known) >= maxTokens {
		t.known = map[string]*tokenState{}
	}
	s := &tokenState{until: now.Add(tokenLife)}
	t.known[token] = s
	return s
}
