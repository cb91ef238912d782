package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

type fixed time.Time

func (f fixed) Now() time.Time { return time.Time(f) }

// cards is a store of what cards and mails are made of. What it does not
// have must not be asked for.
type cards struct {
	core.Store
	posts   map[string]core.Post
	badges  map[string]core.Badge
	proofs  map[string]core.Verification
	failure error
}

func (c *cards) Post(_ context.Context, id string) (core.Post, error) {
	p, ok := c.posts[id]
	if !ok || c.failure != nil {
		return p, or(c.failure, core.ErrNotFound)
	}
	return p, nil
}

func (c *cards) Badge(_ context.Context, id string) (core.Badge, error) {
	b, ok := c.badges[id]
	if !ok || c.failure != nil {
		return b, or(c.failure, core.ErrNotFound)
	}
	return b, nil
}

func (*cards) TaskFacts(context.Context, string) (core.TaskFacts, error) {
	return core.TaskFacts{}, nil
}

func (c *cards) BadgeViewFor(_ context.Context, badgeID, _ string) (core.BadgeView, error) {
	b, ok := c.badges[badgeID]
	if !ok {
		return core.BadgeView{}, core.ErrNotFound
	}
	if b.ID == "away" {
		return core.BadgeView{}, core.ErrUnavailable
	}
	return core.BadgeView{Badge: b}, nil
}

func (c *cards) Verification(_ context.Context, id string) (core.Verification, error) {
	v, ok := c.proofs[id]
	if !ok || c.failure != nil {
		return v, or(c.failure, core.ErrNotFound)
	}
	return v, nil
}

func or(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// provider has a name and nothing else.
type provider struct{ core.Provider }

func (provider) Capabilities() core.Capability { return core.TellsVisibility }

func (provider) Name() string           { return "Credly" }
func (provider) TrustedURL(string) bool { return false }

// sending is one call of a messenger.
type sending struct {
	direct bool
	place  core.Place
	to     core.Identity
	title  string
	key    string
	first  time.Time
}

// messenger notes what it is asked to send and fails as told.
type messenger struct {
	mu                  sync.Mutex
	showErr, directErr  error
	showPlace, directAt core.Place
	calls               []sending
	panics              bool
	removeErr           error
	removed             []core.Place
}

var _ chat.Messenger = (*messenger)(nil)

func (m *messenger) Show(_ context.Context, p core.Place, c chat.Card, key string) (core.Place, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.panics {
		panic("in a platform's library")
	}
	m.calls = append(m.calls, sending{place: p, title: c.Title, key: key})
	return m.showPlace, m.showErr
}

func (m *messenger) Direct(_ context.Context, to core.Identity, c chat.Card, key string, first time.Time) (core.Place, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, sending{direct: true, to: to, title: c.Title, key: key, first: first})
	return m.directAt, m.directErr
}

func (m *messenger) Remove(_ context.Context, p core.Place) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removed = append(m.removed, p)
	return m.removeErr
}

func (*messenger) Pause() time.Duration { return time.Second }

func testComposer(t *testing.T, store core.Store, now time.Time) *chat.Composer {
	t.Helper()
	catalog, err := chat.NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := core.NewKeys([]byte(strings.Repeat("d", core.KeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	return &chat.Composer{
		Store: store, Clock: fixed(now), Keys: keys, Catalog: catalog, Provider: provider{},
		PublicURL: "https://laurel.example.org", TTL: core.DefaultHandoffTTL,
	}
}

func classed(class core.DeliveryClass) error {
	return &core.DeliveryError{Class: class, Code: "said_so", After: 90 * time.Second}
}

func TestPostSender(t *testing.T) {
	t.Parallel()
	ada := core.Identity{Platform: "slack", Tenant: "T1", User: "U1"}
	here := core.Place{Ref: "here", MessageKey: "m1", EditableUntil: start.Add(time.Minute), Shown: true}
	shown := core.Place{Ref: "shown", MessageKey: "m1", EditableUntil: start.Add(time.Minute), Shown: true}
	dm := core.Place{Ref: "dm", MessageKey: "m2", EditableUntil: start.Add(time.Hour), Shown: true}
	over := here
	over.EditableUntil = start
	plain := errors.New("connection reset")
	for _, tt := range []struct {
		name               string
		place              core.Place
		showErr, directErr error
		failure            error
		ref, badge         string
		platform           core.Platform
		noFallback         bool
		repeated           bool
		attempts           int
		// What is wanted.
		state  State
		retry  time.Duration // at least; exactly where the platform named it
		cause  string
		showed *core.Place
		pause  time.Duration
		calls  []bool // whether each call was a direct message
		dead   bool
	}{
		{name: "in place", place: here, state: StateSent, showed: &shown, calls: []bool{false}},
		{name: "retry later", place: here, showErr: classed(core.RetryLater), state: StateReady, retry: 90 * time.Second, cause: "retry_later", calls: []bool{false}},
		{name: "temporary", place: here, showErr: classed(core.Temporary), state: StateReady, retry: time.Second, cause: "temporary", calls: []bool{false}},
		{name: "of no class", place: here, showErr: plain, state: StateReady, retry: time.Second, cause: "connection reset", calls: []bool{false}},
		{name: "temporary too often", place: here, showErr: plain, attempts: PostBackoff.Most, state: StateDead, cause: "connection reset", calls: []bool{false}},
		{name: "place gone", place: here, showErr: classed(core.PlaceGone), state: StateSent, showed: &dm, pause: time.Second, calls: []bool{false, true}},
		{name: "place gone, no other way wanted", place: here, showErr: classed(core.PlaceGone), noFallback: true, state: StateSent, cause: "place is gone", calls: []bool{false}},
		{name: "target dead there, direct message works", place: here, showErr: classed(core.TargetDead), state: StateSent, showed: &dm, pause: time.Second, calls: []bool{false, true}},
		{name: "invalid", place: here, showErr: classed(core.Invalid), state: StateDead, cause: "invalid", calls: []bool{false}},
		{name: "installation dead", place: here, showErr: classed(core.InstallationDead), state: StateReady, retry: deadPause, cause: "installation_dead", calls: []bool{false}, dead: true},
		{name: "no longer reachable", place: over, state: StateSent, showed: &dm, pause: time.Second, calls: []bool{true}},
		{name: "no longer reachable, no other way wanted", place: over, noFallback: true, state: StateSent, cause: "place is gone"},
		{name: "nowhere yet", state: StateSent, showed: &dm, pause: time.Second, calls: []bool{true}},
		{name: "closed to direct messages", directErr: classed(core.TargetDead), state: StateWaiting, cause: "target_dead", calls: []bool{true}},
		{name: "direct message has no place either", place: here, showErr: classed(core.PlaceGone), directErr: classed(core.PlaceGone), state: StateDead, cause: "place_gone", calls: []bool{false, true}},
		{name: "repeated, later", repeated: true, directErr: classed(core.RetryLater), state: StateReady, retry: 90 * time.Second, cause: "retry_later", calls: []bool{true}},
		{name: "direct message later", directErr: classed(core.RetryLater), state: StateReady, retry: 90 * time.Second, cause: "retry_later", calls: []bool{true}},
		{name: "direct message into a dead installation", directErr: classed(core.InstallationDead), state: StateReady, retry: deadPause, cause: "installation_dead", calls: []bool{true}, dead: true},
		{name: "repeated, found again, brought up to date", repeated: true, state: StateSent, showed: &shown, pause: time.Second, calls: []bool{true, false}},
		{
			name: "repeated, found again, not brought up to date", repeated: true, showErr: classed(core.Temporary),
			state: StateReady, retry: time.Second, cause: "temporary", showed: &dm, calls: []bool{true, false},
		},
		{name: "repeated, found again, deleted", repeated: true, showErr: classed(core.PlaceGone), state: StateSent, showed: &dm, pause: time.Second, calls: []bool{true, false}},
		{name: "nothing to show", place: here, badge: "b9", state: StateSent, cause: "nothing to show"},
		{name: "store away while composing", place: here, badge: "away", state: StateReady, retry: time.Second, cause: "store unavailable"},
		{name: "post is gone", ref: "p9", state: StateSent, cause: "post is gone"},
		{name: "store away", failure: core.ErrUnavailable, state: StateReady, retry: time.Second, cause: "store unavailable"},
		{name: "unknown platform", platform: "pigeon", state: StateDead, cause: "platform is not configured"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			who := ada
			if tt.platform != "" {
				who.Platform = tt.platform
			}
			badge := tt.badge
			if badge == "" {
				badge = "b1"
			}
			store := &cards{
				posts: map[string]core.Post{"p1": {
					ID: "p1", Account: core.Account{ID: "a1", Identity: who, MemberID: "m1"}, Place: tt.place,
					Subject: core.Subject{Kind: core.SubjectBadge, ID: badge},
				}},
				badges: map[string]core.Badge{
					"b1":   {ID: "b1", Stage: core.StagePublic, Template: core.Template{Name: "Gopher"}},
					"away": {ID: "away"},
				},
				failure: tt.failure,
			}
			m := &messenger{showErr: tt.showErr, directErr: tt.directErr, showPlace: shown, directAt: dm}
			s := &PostSender{
				Store: store, Clock: fixed(start), Composer: testComposer(t, store, start),
				Messengers: map[core.Platform]chat.Messenger{"slack": m},
			}
			d := Delivery{
				ID: 1, Kind: KindPost, Ref: "p1", Key: "key-1", Fallback: !tt.noFallback, Attempts: max(1, tt.attempts),
			}
			if tt.repeated {
				d.FirstTryAt = start.Add(-time.Minute)
			}
			if tt.ref != "" {
				d.Ref = tt.ref
			}
			got := s.Send(t.Context(), d)
			if got.State != tt.state || got.Delivery != d || !strings.Contains(got.Cause, tt.cause) || (tt.cause == "") != (got.Cause == "") {
				t.Fatalf("outcome %+v", got)
			}
			if wait := got.RetryAt.Sub(start); tt.state == StateReady && (wait < tt.retry || wait > tt.retry*6/5) {
				t.Errorf("again after %v, want %v", wait, tt.retry)
			}
			// Whatever was refused before anything could be shown is as if nobody had tried.
			unclear := strings.Contains("temporary, connection reset", tt.cause)
			if got.Untried != (tt.state == StateReady && !tt.repeated && !unclear) {
				t.Errorf("untried: %v", got.Untried)
			}
			if (tt.showed == nil) != (got.Place == nil) || tt.showed != nil && *got.Place != *tt.showed {
				t.Errorf("place %+v, want %+v", got.Place, tt.showed)
			}
			if got.Pause != tt.pause {
				t.Errorf("pause %v, want %v", got.Pause, tt.pause)
			}
			if tt.dead != (got.DeadInstallation != nil) || tt.dead && *got.DeadInstallation != who {
				t.Errorf("dead installation %+v", got.DeadInstallation)
			}
			direct := make([]bool, 0, len(m.calls))
			for _, c := range m.calls {
				direct = append(direct, c.direct)
				if c.key != d.Key || c.title != "Public for all to see: Gopher" {
					t.Errorf("sent %+v", c)
				}
				if !c.direct && tt.repeated && c.place != dm {
					t.Errorf("brought up to date at %+v", c.place)
				}
				if c.direct && (c.to != who || !c.first.Equal(d.FirstTryAt)) || !c.direct && !tt.repeated && c.place != tt.place {
					t.Errorf("sent %+v", c)
				}
			}
			if !slices.Equal(direct, tt.calls) {
				t.Errorf("direct messages %v, want %v", direct, tt.calls)
			}
		})
	}
}

type mailer struct {
	err   error
	mails []core.Mail
}

func (m *mailer) Send(_ context.Context, mail core.Mail) error {
	m.mails = append(m.mails, mail)
	return m.err
}

func TestMailSender(t *testing.T) {
	t.Parallel()
	open := core.Verification{
		ID: core.NewID(), Email: core.Email{Shown: "Ada@example.org", Normal: "ada@example.org"},
		State: core.VerificationOpen, ExpiresAt: start.Add(core.CodeTTL),
		Account: core.Account{Identity: core.Identity{Platform: "discord", User: "1"}},
	}
	state := func(s core.VerificationState) core.Verification {
		v := open
		v.State = s
		return v
	}
	late := open
	late.ExpiresAt = start
	for _, tt := range []struct {
		name     string
		proof    core.Verification
		err      error
		failure  error
		attempts int
		gone     bool
		state    State
		cause    string
		sent     int
	}{
		{name: "sent", proof: open, state: StateSent, sent: 1},
		{name: "refused", proof: open, err: core.ErrMailRefused, state: StateDead, cause: "mail refused", sent: 1},
		{name: "temporary", proof: open, err: errors.New("451"), state: StateReady, cause: "451", sent: 1},
		{name: "given up", proof: open, err: errors.New("451"), attempts: mailBackoff.Most, state: StateDead, cause: "451", sent: 1},
		{name: "used", proof: state(core.VerificationUsed), state: StateSent, cause: "of no use"},
		{name: "replaced", proof: state(core.VerificationSuperseded), state: StateSent, cause: "of no use"},
		{name: "asked for too often", proof: state(core.VerificationLimited), state: StateSent, cause: "of no use"},
		{name: "ran out", proof: late, state: StateSent, cause: "of no use"},
		{name: "gone", proof: open, gone: true, state: StateSent, cause: "of no use"},
		{name: "store away", proof: open, failure: core.ErrUnavailable, state: StateReady, cause: "store unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := &cards{proofs: map[string]core.Verification{tt.proof.ID: tt.proof}, failure: tt.failure}
			m := &mailer{err: tt.err}
			s := &MailSender{Clock: fixed(start), Composer: testComposer(t, store, start), Mailer: m}
			d := Delivery{Kind: KindMail, Ref: tt.proof.ID, Payload: "12345678", Attempts: max(1, tt.attempts)}
			if tt.gone {
				d.Ref = core.NewID()
			}
			got := s.Send(t.Context(), d)
			if got.State != tt.state || !strings.Contains(got.Cause, tt.cause) || len(m.mails) != tt.sent {
				t.Fatalf("outcome %+v, %d mails", got, len(m.mails))
			}
			if tt.state == StateReady && !got.RetryAt.After(start) {
				t.Errorf("again at %v", got.RetryAt)
			}
			for _, mail := range m.mails {
				if mail.To != open.Email || !strings.Contains(mail.Text, "1234 5678") || mail.ID != open.ID {
					t.Errorf("mail %+v", mail)
				}
			}
			if strings.Contains(got.Cause, "12345678") || strings.Contains(got.Cause, "example.org") {
				t.Errorf("the cause tells %q", got.Cause)
			}
		})
	}
}

type sink struct {
	err    error
	events []core.Event
}

func (s *sink) Publish(_ context.Context, e core.Event) error {
	s.events = append(s.events, e)
	return s.err
}

func TestEventSender(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		err      error
		failure  error
		ref      string
		attempts int
		state    State
		retry    time.Duration
		cause    string
		events   int
	}{
		{name: "received", state: StateSent, events: 1},
		{name: "temporary", err: errors.New("502"), state: StateReady, retry: 5 * time.Second, cause: "publish event: 502", events: 1},
		{
			name: "named wait", err: &core.RetryAfterError{After: 40 * time.Minute, Err: errors.New("429")},
			state: StateReady, retry: 40 * time.Minute, cause: "429", events: 1,
		},
		{name: "given up", err: errors.New("502"), attempts: eventBackoff.Most, state: StateDead, cause: "502", events: 1},
		{name: "badge is gone", ref: "b9", state: StateSent, cause: "badge is gone"},
		{name: "store away", failure: core.ErrUnavailable, state: StateReady, retry: 5 * time.Second, cause: "store unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := &cards{badges: map[string]core.Badge{"b1": {ID: "b1", Stage: core.StageAccepted}}, failure: tt.failure}
			sink := &sink{err: tt.err}
			s := &EventSender{Store: store, Clock: fixed(start), Sink: sink}
			d := Delivery{
				Kind: KindEvent, Ref: "b1", Payload: core.Secret(core.EventAccepted), Key: "e1", Attempts: max(1, tt.attempts),
				CreatedAt: start.Add(-time.Hour),
			}
			if tt.ref != "" {
				d.Ref = tt.ref
			}
			got := s.Send(t.Context(), d)
			if got.State != tt.state || !strings.Contains(got.Cause, tt.cause) || len(sink.events) != tt.events {
				t.Fatalf("outcome %+v, %d events", got, len(sink.events))
			}
			if wait := got.RetryAt.Sub(start); tt.state == StateReady && (wait < tt.retry || wait > tt.retry*6/5) {
				t.Errorf("again after %v, want %v", wait, tt.retry)
			}
			for _, e := range sink.events {
				if e.ID != "e1" || e.Type != core.EventAccepted || !e.At.Equal(d.CreatedAt) || e.Badge.Stage != core.StageAccepted {
					t.Errorf("event %+v", e)
				}
			}
		})
	}
}
