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
	user    string
	expires time.Time
	used    bool
}

// newTrigger hands out the right to open one view for the person.
func (s *Server) newTrigger(user string) string {
	s.seq++
	id := fmt.Sprintf("%d.%d.%s", 1000000000+s.seq, 2000000000, rand.Text())
	s.triggers[id] = &trigger{user: user, expires: s.clock.Now().Add(triggerLife)}
	return id
}

// exchange uses a trigger up and tells whose it was.
func (s *Server) exchange(id string) (string, *apiError) {
	t := s.triggers[id]
	switch {
	case t == nil:
		return "", fail("invalid_trigger_id")
	case t.used:
		return "", fail("exchanged_trigger_id")
	case s.clock.Now().After(t.expires):
		return "", fail("expired_trigger_id")
	}
	t.used = true
	return t.user, nil
}
