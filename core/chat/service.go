package chat

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// staleAction is how old an unfinished attempt at an interaction must be
// before a repetition is worked off: the process that began it is gone.
const staleAction = 30 * time.Second

// Service answers what people do in a chat.
type Service struct {
	Store    core.Store
	Clock    core.Clock
	Catalog  *Catalog
	Composer *Composer
	Claims   *core.Claims
	Links    *core.Links
	// Farewells forgets people.
	Farewells *core.Farewells
	Provider  core.Provider
	// Observer reads a badge again whose owner says that it changed; nil where
	// that is not wanted.
	Observer *core.Observer
	Log      *slog.Logger
	// Managers are people who are managers whatever their platform says.
	Managers map[core.Identity]bool
	// Channels looks at channels, by platform.
	Channels map[core.Platform]Channels
	// Calls makes and changes calls to claim; Pictures looks at their
	// pictures, and may be nil.
	Calls    *core.Calls
	Pictures Pictures
	// Digests sends digests, and keeps which there are.
	Digests *core.Digests
	// Verifier answers whether badges are genuine; Files opens those that are
	// shared as files, by platform, and Limits keeps how often somebody asks.
	Verifier core.Verifier
	Files    map[core.Platform]Files
	Limits   core.LimitStore
	// Gallery shows pictures of verdicts; without it they have none.
	Gallery *core.Gallery
	// Messengers show cards, by platform; without them the homes of who is
	// forgotten stay as they are until they are opened.
	Messengers map[core.Platform]Messenger
	// Certificates shows people what they earned.
	Certificates *core.Certificates
	// Wake makes the delivery and the inbox workers look for work now.
	Wake func()

	// verifying are the badges that are being looked at.
	verifying struct {
		once   sync.Once
		places chan struct{}
	}
}

var _ Handler = (*Service)(nil)

// Acknowledged lets queued deliveries leave at once.
func (s *Service) Acknowledged(a Answer) {
	if a.Parcel == nil {
		s.Wake()
		return
	}
	s.Claims.Courier.Carry(*a.Parcel)
	if s.Claims.Announce || a.Parcel.View.Handoff.State == core.HandoffPreparing {
		// There is more to do than to carry the card.
		s.Wake()
	}
}

// Handle answers an action; see [Handler].
func (s *Service) Handle(ctx context.Context, a Action) Answer {
	if a.Verb.public() {
		a.Reply, a.MessageKey = a.Aside, ""
	}
	if !s.repeatable(a) {
		isNew, err := s.Store.StartAction(ctx, a.Key, s.Clock.Now(), staleAction)
		if err != nil {
			return s.explain(ctx, a, err)
		}
		if !isNew {
			// The first attempt answers. A transport that took this for an
			// answer without content would remove what the first one shows.
			return Answer{Posted: true}
		}
		defer func() {
			if err := s.Store.FinishAction(ctx, a.Key, s.Clock.Now()); err != nil {
				s.Log.WarnContext(ctx, "finish action", "verb", a.Verb, "err", err)
			}
		}()
	}
	if a.atHome() && a.changes() {
		// What is told of the change is to be seen.
		s.showingHome(ctx, a, func(p core.Account) core.Subject { return core.Subject{Kind: core.SubjectHome, ID: p.ID} })
	}
	answer, err := s.guarded(ctx, a)
	if err != nil {
		answer = s.explain(ctx, a, err)
	}
	return s.keepHome(ctx, a, answer)
}

// words speaks the language that the platform told, or the one on record.
func (s *Service) words(ctx context.Context, a Action) Words {
	locale := a.Locale
	if locale == "" {
		if p, err := s.Store.Person(ctx, a.Actor); err == nil && p.Account != nil {
			locale = p.Account.Locale
		}
	}
	return s.Catalog.For(locale)
}

// guarded acts; a panic is told like any other error of ours, and does not
// take everybody else's answers with it.
func (s *Service) guarded(ctx context.Context, a Action) (answer Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(ctx, "panic in action", "verb", a.Verb, "stack", string(debug.Stack()))
			// The value may hold what the person sent, so it is not logged.
			answer, err = Answer{}, errors.New("panic")
		}
	}()
	return s.act(ctx, a)
}

// repeatable reports whether an action may be worked off twice without harm:
// a claim finds the handoff that it opened, a completion changes nothing, and a
// home shows what is true.
func (s *Service) repeatable(a Action) bool {
	return a.Source == SourceComplete || a.Verb == VerbHome || a.Verb == VerbClaim && a.Source == SourcePress
}

func (s *Service) act(ctx context.Context, a Action) (Answer, error) {
	if a.Verb == VerbClaim && a.Source == SourcePress {
		// What follows is told by a delivery: nothing else is looked up.
		return s.claim(ctx, a, a.Arg)
	}
	w := s.words(ctx, a)
	switch a.Verb {
	case VerbList, VerbPage:
		return s.list(ctx, w, a)
	case VerbClaim:
		return s.claimCommand(ctx, w, a)
	case VerbEmails:
		return s.emails(ctx, w, a)
	case VerbLink:
		return s.link(ctx, w, a)
	case VerbCode:
		return s.code(ctx, w, a)
	case VerbResend:
		return s.resend(ctx, w, a)
	case VerbUnlink:
		return s.unlink(ctx, w, a)
	case VerbForget:
		return s.forget(ctx, w, a)
	case VerbReminders:
		return s.reminders(ctx, w, a)
	case VerbSnooze:
		return s.snooze(ctx, w, a)
	case VerbStop:
		return s.stop(ctx, w, a)
	case VerbResume:
		return s.resume(ctx, w, a)
	case VerbHours:
		return s.hours(ctx, w, a)
	case VerbShared:
		return s.shared(ctx, w, a)
	case VerbConsent:
		return s.consent(ctx, w, a)
	case VerbShare:
		return s.share(ctx, w, a)
	case VerbSteps:
		return s.steps(ctx, w, a)
	case VerbStatus:
		return s.status(ctx, w, a)
	case VerbAnnounce, VerbCall, VerbCallForm, VerbCallPost, VerbCallDrop, VerbCallEnd:
		return s.announce(ctx, w, a)
	case VerbCalled:
		return s.called(ctx, w, a)
	case VerbSettings:
		return s.settings(ctx, w, a)
	case VerbDigests:
		return s.digests(ctx, w, a)
	case VerbVerify:
		return s.verify(ctx, w, a)
	case VerbRecipient:
		return s.recipient(ctx, w, a)
	case VerbHome:
		return s.home(ctx, w, a)
	case VerbRoles:
		return s.roles(ctx, w, a)
	case VerbCertificates:
		return s.certificates(ctx, w, a)
	case VerbElsewhere:
		return s.elsewhere(ctx, w, a)
	case VerbEndLinks:
		return s.endLinks(ctx, w, a)
	default:
		return s.help(w, a), nil
	}
}

func (s *Service) help(w Words, a Action) Answer {
	unknown := ""
	if a.Source == SourceCommand {
		unknown = a.Arg
	}
	card := s.Composer.helpCard(w, unknown)
	return Answer{Card: &card, Where: asideOfPress(a)}
}

// asideOfPress keeps a message whose button was pressed as it is.
func asideOfPress(a Action) Where {
	if a.Source == SourcePress {
		return Aside
	}
	return Here
}

// seenEvery is how exactly it is known when somebody was last seen.
const seenEvery = time.Hour

// person loads who acts, keeps what the platform tells about them, and lets
// messages that could not reach them follow now.
func (s *Service) person(ctx context.Context, a Action) (core.Person, error) {
	p, err := s.Store.Person(ctx, a.Actor)
	if err != nil || p.Account == nil {
		return p, err
	}
	now := s.Clock.Now()
	longAgo := !p.Seen.IsZero() && now.Sub(p.Seen) >= seenEvery
	if told := s.account(a); longAgo || changed(*p.Account, told) {
		err := s.Store.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
			_, err := tx.EnsureAccount(ctx, told, now)
			return err
		})
		if err != nil {
			return p, err
		}
	}
	if p.Waiting && a.Aside.Ref != "" {
		if err := s.Store.ReleaseWaiting(ctx, p.Account.ID, a.Aside, now); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (s *Service) account(a Action) core.Account {
	return core.Account{
		Identity: a.Actor, Locale: a.Locale, TimeZone: a.TimeZone, DisplayName: clip(a.DisplayName, 80), Team: a.Team,
	}
}

func changed(known, told core.Account) bool {
	differs := func(known, told string) bool { return told != "" && told != known }
	return differs(known.Locale, told.Locale) || differs(known.TimeZone, told.TimeZone) ||
		differs(known.DisplayName, told.DisplayName) || differs(known.Team, told.Team)
}

func (s *Service) list(ctx context.Context, w Words, a Action) (Answer, error) {
	page, where := 1, Here
	if a.Verb == VerbPage {
		wanted, owner := parsePage(a.Arg)
		if n, err := strconv.Atoi(wanted); err == nil {
			page = n
		} else {
			where = Aside
		}
		if owner != ownerMark(a.Actor) {
			where = Aside
		}
	}
	p, err := s.person(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	if where == Here && a.MessageKey != "" {
		if err := s.Store.ForgetPost(ctx, a.Actor, a.MessageKey); err != nil {
			return Answer{}, err
		}
	}
	card, err := s.overview(ctx, w, p, page)
	return Answer{Card: &card, Where: where}, err
}

// overview is the list, or the greeting for somebody who linked nothing yet.
func (s *Service) overview(ctx context.Context, w Words, p core.Person, page int) (Card, error) {
	if p.Account == nil || len(p.Addresses) == 0 {
		return greetingCard(w, s.Provider.Name()), nil
	}
	badges, err := s.Store.BadgesOf(ctx, p.MemberID())
	if err != nil {
		return Card{}, err
	}
	return listCard(w, p, badges, page, s.Clock.Now()), nil
}

// claim claims one badge by its id.
func (s *Service) claim(ctx context.Context, a Action, badgeID string) (Answer, error) {
	claimed, err := s.Claims.Claim(ctx, a.Actor, badgeID, a.Reply)
	if err != nil {
		return Answer{}, err
	}
	if claimed.Result != core.ClaimNotOpen {
		return Answer{Posted: true, Parcel: claimed.Parcel}, nil
	}
	p, err := s.Store.Person(ctx, a.Actor)
	if err != nil {
		return Answer{}, err
	}
	if p.Account == nil {
		return Answer{}, core.ErrNotFound
	}
	card, err := s.Composer.badgeCard(ctx, s.words(ctx, a), core.BadgeView{Badge: claimed.Badge}, *p.Account)
	return Answer{Card: &card, Where: Here}, err
}

// claimCommand claims the badge that is named, or the only one there is.
func (s *Service) claimCommand(ctx context.Context, w Words, a Action) (Answer, error) {
	p, open, err := s.named(ctx, w, a, core.Stage.Claimable)
	if err != nil {
		return Answer{}, err
	}
	if a.Source == SourceComplete {
		return Answer{Choices: choices(w, open)}, nil
	}
	if len(open) == 1 {
		return s.claim(ctx, a, open[0].Badge.ID)
	}
	card, err := s.overview(ctx, w, p, 1)
	return Answer{Card: &card}, err
}

// explain turns an error into a sentence for the person and a line for the
// operator; nothing of the error itself is shown.
func (s *Service) explain(ctx context.Context, a Action, err error) Answer {
	id := "trouble.internal"
	switch {
	case errors.Is(err, core.ErrNotFound):
		id = "trouble.not_yours"
	case errors.Is(err, core.ErrGone):
		id = "trouble.code_gone"
	case errors.Is(err, core.ErrTooMany):
		id = "trouble.too_many"
	case errors.Is(err, core.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		id = "trouble.unavailable"
		s.Log.ErrorContext(ctx, "store unavailable", "verb", a.Verb, "err", err)
	default:
		s.Log.ErrorContext(ctx, "answer action", "verb", a.Verb, "err", err)
	}
	if a.Source == SourceComplete {
		return Answer{}
	}
	w := s.Catalog.For(a.Locale)
	if id != "trouble.unavailable" {
		w = s.words(ctx, a)
	}
	card := Card{Tone: ToneWarn, Title: w.Plain(id+".title", nil), Summary: w.Plain(id+".title", nil), Text: w.Text(id+".text", nil)}
	if id == "trouble.not_yours" {
		card.Buttons = []Button{{ID: pageID(a.Actor, "new"), Label: w.Plain("button.my_badges", nil)}}
	}
	return Answer{Card: &card, Where: asideOfPress(a)}
}
