package slacksim

import (
	"crypto/rand"
	"fmt"
	"time"
)

// triggerLife is how long a trigger opens a view.
// https://docs.slack.dev/interactivity/handling-user-interaction/
const triggerLife = 3 * time.Second

type trigger struct {
	user string
	// from is the conversation in which the person acted, or empty.
	from    string
	expires time.Time
	used    bool
}

// newTrigger hands out the right to open one view for the person.
func (s *Server) newTrigger(user, from string) string {
	s.seq++
	id := fmt.Sprintf("%d.%d.%s", 1000000000+s.seq, 2000000000, rand.Text())
	s.triggers[id] = &trigger{user: user, from: from, expires: s.clock.Now().Add(triggerLife)}
	return id
}

// exchange uses a trigger up.
func (s *Server) exchange(id string) (*trigger, *apiError) {
	t := s.triggers[id]
	switch {
	case t == nil:
		return nil, fail("invalid_trigger_id")
	case t.used:
		return nil, fail("exchanged_trigger_id")
	case s.clock.Now().After(t.expires):
		return nil, fail("expired_trigger_id")
	}
	t.used = true
	return t, nil
}
