package main

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/testpg"
	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/slacksim"
)

const (
	// presses is how many people press Claim while the bot is told to stop.
	presses = 50
	// stopWithin is how long the process may take to end.
	stopWithin = 10 * time.Second
)

// replica is a process of the bot.
type replica struct {
	cmd    *exec.Cmd
	output output
	ended  chan error
}

// launch starts a process at an address and waits until it is ready.
func (s *stage) launch(bot program, address string) *replica {
	s.t.Helper()
	r := &replica{ended: make(chan error, 1)}
	r.cmd = bot.command(context.WithoutCancel(s.t.Context()), s.t, nil)
	r.cmd.Env = s.environment(address)
	r.cmd.Stdout, r.cmd.Stderr = &r.output, &r.output
	if err := r.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	s.t.Cleanup(func() {
		// Nothing happens when it was stopped by the test.
		_ = r.cmd.Process.Kill()
	})
	s.waitFor("the bot to serve", func() bool { return strings.Contains(r.output.String(), "msg=serving") })
	return r
}

// stop sends SIGTERM and waits for the end.
func (r *replica) stop(t *testing.T) {
	t.Helper()
	begin := time.Now()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("the bot ended badly: %v", err)
		}
		t.Logf("stopped in %s", time.Since(begin).Round(time.Millisecond))
	case <-time.After(stopWithin):
		t.Errorf("the bot did not end within %s", stopWithin)
	}
	if t.Failed() {
		t.Logf("log of the bot:\n%s", r.output.String())
	}
}

// Nothing that was acknowledged is lost when the bot is told to stop amid
// many presses: what it does not finish itself, the next process does.
func TestStopUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	bot := buildProgram(t)
	for name, database := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { t.Helper(); return "sqlite:" + filepath.Join(t.TempDir(), "laurel.db") },
		"postgres": func(t *testing.T) string { t.Helper(); return testpg.New(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := freeAddress(t)
			s := newWorldStage(t, database(t), "http://"+address)
			first := s.launch(bot, address)
			s.enter()
			db := openDatabase(t, s.settings.DatabaseURL)
			crowd := s.crowd(presses)
			// What is read at Credly about the crowd goes on meanwhile. A message
			// that was taken and not sent is due again after its lease.
			s.waitWithin(2*time.Minute, "all messages", func() bool {
				return countRows(t, db, `SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending')`) == 0
			})
			for i := range crowd {
				crowd[i].messages = len(s.slack.Messages(s.slack.DM(crowd[i].slackID), crowd[i].slackID))
			}

			taken := s.pressWhileStopping(t, first, crowd)
			t.Logf("%d of %d presses were taken", len(taken), presses)
			if len(taken) == 0 {
				t.Fatal("no press was taken")
			}
			if status, err := s.tryGet(); err == nil {
				t.Errorf("a stopped bot answered %d", status)
			}

			const handoffs = `SELECT count(*) FROM handoffs h JOIN badges b ON b.id = h.badge_id WHERE b.recipient = `
			for _, p := range taken {
				if n := countRows(t, db, handoffs+"'"+p.email+"'"); n != 1 {
					t.Errorf("%d handoffs of %s, whose press was taken", n, p.slackID)
				}
			}
			second := s.launch(bot, address)
			for _, p := range taken {
				// Longer than the lease of what the first process had begun.
				s.waitWithin(90*time.Second, "the card of "+p.slackID, func() bool {
					m, ok := s.slack.Message(p.list)
					return ok && strings.Contains(m.Plain(), "Ready")
				})
				if n := len(s.slack.Messages(s.slack.DM(p.slackID), p.slackID)); n != p.messages {
					t.Errorf("%s sees %d messages, want %d", p.slackID, n, p.messages)
				}
				if n := len(s.credly.BadgesFor(p.email)); n != 1 {
					t.Errorf("%d badges were issued to %s", n, p.slackID)
				}
			}
			second.stop(t)
			for _, log := range []string{first.output.String(), second.output.String()} {
				if strings.Contains(log, "panic") || strings.Contains(log, "@example.org") {
					t.Errorf("a panic or an address in the log:\n%s", log)
				}
			}
		})
	}
}

// presser is somebody who is about to press Claim.
type presser struct {
	slackID, email string
	list           slacksim.MessageRef
	// messages is how many the person sees before the press, and after it.
	messages int
}

// crowd makes people who linked their address and look at their one badge.
func (s *stage) crowd(n int) []presser {
	s.t.Helper()
	crowd := make([]presser, n)
	times(n, func(i int) {
		p := presser{slackID: fmt.Sprintf("U0CROWD%03d", i), email: fmt.Sprintf("crowd-%d@example.org", i)}
		s.slack.AddUser(slacksim.User{ID: p.slackID, Name: "crowd", RealName: "Crowd Example", Locale: "en-US", TZ: "Europe/London"})
		if _, err := s.portal.Grant(s.t.Context(), portalsim.Award{
			Email: p.email, FirstName: "Crowd", LastName: "Example", TemplateID: templateManager, IssuedAt: s.clock.Now(),
		}); err != nil {
			s.t.Error(err)
		}
		got, err := s.slack.Command(s.t.Context(), p.slackID, s.slack.DM(p.slackID), "/badges", "link "+p.email)
		if err != nil || !got.OK() {
			s.t.Errorf("link: %v %+v", err, got)
		}
		crowd[i] = p
	})
	if s.t.Failed() {
		s.t.FailNow()
	}
	for i := range crowd {
		p := &crowd[i]
		link := ""
		for _, l := range linksOf(s.mailTo(p.email, 1)) {
			if strings.HasPrefix(l, s.settings.PublicURL+"/e/") {
				link = l
			}
		}
		if status, _ := s.post(link); status != http.StatusSeeOther {
			s.t.Fatalf("confirm: %d", status)
		}
		s.waitFor("the badge of "+p.slackID, func() bool {
			got, err := s.slack.Command(s.t.Context(), p.slackID, s.slack.DM(p.slackID), "/badges", "")
			if err != nil || !got.OK() {
				s.t.Fatalf("list: %v %+v", err, got)
			}
			for _, m := range s.slack.Messages(s.slack.DM(p.slackID), p.slackID) {
				if slices.ContainsFunc(m.Elements(), func(e slacksim.Element) bool { return e.Label == "Claim" }) {
					p.list = m.Ref()
					return true
				}
			}
			return false
		})
	}
	return crowd
}

// pressWhileStopping lets everybody press, tells the bot to stop when a part
// was answered, and returns whose press was taken.
func (s *stage) pressWhileStopping(t *testing.T, r *replica, crowd []presser) []presser {
	t.Helper()
	var mu sync.Mutex
	var taken []presser
	some := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		times(len(crowd), func(i int) {
			// Not all in one instant, so that some come before the signal and
			// some after it.
			pause := time.NewTimer(time.Duration(i) * 4 * time.Millisecond)
			<-pause.C
			got, err := s.slack.Press(context.WithoutCancel(t.Context()), crowd[i].slackID, crowd[i].list, "Claim")
			if err != nil || got.Status != http.StatusOK {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if taken = append(taken, crowd[i]); len(taken) == len(crowd)/3 {
				close(some)
			}
		})
	}()
	select {
	case <-some:
	case <-done:
		t.Error("too few presses were taken before the stop")
	}
	r.stop(t)
	<-done
	return taken
}

func (s *stage) tryGet() (int, error) {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.settings.PublicURL+"/healthz", http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
