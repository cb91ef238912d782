package slack

import (
	"context"
	"errors"
	"regexp"
	"sync/atomic"
	"time"

	slackapi "github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

const (
	rememberedPeople = 10_000
	personLife       = time.Hour
	// failedPersonLife is how long a question that got no answer at all is
	// not asked again.
	failedPersonLife = time.Minute
	// lookupWithin is how long a command may wait for the person's language.
	lookupWithin = 600 * time.Millisecond
	fetchWithin  = 5 * time.Second
	// Lookups that nobody waits for keep below the tier of users.info, 100
	// per minute (https://docs.slack.dev/apis/web-api/rate-limits), and leave
	// room for those that somebody waits for.
	fetchEvery  = time.Second
	fetchBurst  = 10
	fetchAtOnce = 8
)

var (
	localePattern = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	zonePattern   = regexp.MustCompile(`^[A-Za-z0-9_+/-]{1,64}$`)
)

// person is what Slack tells about somebody apart from interactions.
type person struct {
	locale, zone string
	// manager: an administrator or owner of the workspace.
	manager bool
}

// people asks Slack for language and time zone and remembers the answers,
// also that there was none.
type people struct {
	api     *slackapi.Client
	clock   core.Clock
	known   *lru[person]
	limiter *rate.Limiter
	slots   chan struct{}
	work    *inflight
	// quietUntil is when Slack may be asked again, in Unix nanoseconds.
	quietUntil atomic.Int64
}

func newPeople(api *slackapi.Client, clock core.Clock, work *inflight) *people {
	return &people{
		api: api, clock: clock, work: work,
		known:   newLRU[person](rememberedPeople),
		limiter: rate.NewLimiter(rate.Every(fetchEvery), fetchBurst),
		slots:   make(chan struct{}, fetchAtOnce),
	}
}

// addPerson adds language and time zone to the action. A press on Claim takes
// what is known, because what it leads to is told in the language on record;
// everything else may wait a moment for them.
func (a *Adapter) addPerson(ctx context.Context, in *interaction) {
	p, ok := a.people.known.get(personKey(in.action.Actor), a.clock.Now())
	switch {
	case ok:
	case in.kind == kindCommand || in.action.Verb != chat.VerbClaim:
		p = a.people.lookup(ctx, in.action.Actor)
	default:
		a.people.warm(in.action.Actor)
	}
	in.action.Locale, in.action.TimeZone, in.action.Manager = p.locale, p.zone, p.manager
}

// lookup asks and waits a moment; a later answer is remembered for next time.
func (p *people) lookup(ctx context.Context, id core.Identity) person {
	got := make(chan person, 1)
	if !p.fetch(id, got) {
		return person{}
	}
	timer := time.NewTimer(lookupWithin)
	defer timer.Stop()
	select {
	case found := <-got:
		return found
	case <-timer.C:
	case <-ctx.Done():
	}
	return person{}
}

// warm asks without waiting, and not at all when too much is asked already.
func (p *people) warm(id core.Identity) {
	if p.limiter.AllowN(p.clock.Now(), 1) {
		p.fetch(id, make(chan person, 1))
	}
}

// fetch starts one question and reports whether it did.
func (p *people) fetch(id core.Identity, got chan<- person) bool {
	if p.clock.Now().UnixNano() < p.quietUntil.Load() {
		return false
	}
	select {
	case p.slots <- struct{}{}:
	default:
		return false
	}
	p.work.start(func() {
		defer func() { <-p.slots }()
		ctx, cancel := context.WithTimeout(context.Background(), fetchWithin)
		defer cancel()
		user, err := p.api.GetUserInfoContext(withScope(ctx, id.Tenant, ""), id.User)
		found, life := p.judge(user, err)
		p.known.put(personKey(id), found, p.clock.Now().Add(life))
		got <- found
	})
	return true
}

func (p *people) judge(user *slackapi.User, err error) (person, time.Duration) {
	if err != nil || user == nil {
		var d *core.DeliveryError
		if errors.As(deliveryError("users.info", err), &d) && d.Class == core.RetryLater {
			p.quietUntil.Store(p.clock.Now().Add(d.After).UnixNano())
		}
		var refused slackapi.SlackErrorResponse
		if errors.As(err, &refused) && d.Class != core.RetryLater && d.Class != core.Temporary {
			return person{}, personLife
		}
		return person{}, failedPersonLife
	}
	var found person
	if localePattern.MatchString(user.Locale) {
		found.locale = user.Locale
	}
	if zonePattern.MatchString(user.TZ) {
		found.zone = user.TZ
	}
	found.manager = user.IsAdmin || user.IsOwner || user.IsPrimaryOwner
	return found, personLife
}

func personKey(id core.Identity) string { return id.Tenant + ":" + id.User }
