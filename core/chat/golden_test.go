package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Fixed values, so that what is rendered is the same in every run.
const (
	handoffID      = "0190f000-0000-7000-8000-000000000001"
	badgeID        = "0190f000-0000-7000-8000-000000000002"
	verificationID = "0190f000-0000-7000-8000-000000000003"
	addressID      = "0190f000-0000-7000-8000-000000000004"
)

var (
	noon  = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	reads = core.Account{
		ID: "a1", MemberID: "m1", Identity: core.Identity{Platform: "slack", Tenant: "T1", User: "U1"},
	}
)

type fixed time.Time

func (f fixed) Now() time.Time { return time.Time(f) }

// golden compares got with a file; UPDATE_GOLDEN=1 writes it instead.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	for i, line := range strings.Split(got, "\n") {
		if wanted := strings.Split(string(want), "\n"); i >= len(wanted) || wanted[i] != line {
			t.Fatalf("%s differs from line %d on (UPDATE_GOLDEN=1 rewrites it):\n%s", file, i+1, line)
		}
	}
	t.Fatalf("%s is longer than what was made", file)
}

func goldenComposer(t *testing.T, store core.Store) *Composer {
	t.Helper()
	catalog, err := NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := core.NewKeys([]byte(strings.Repeat("g", core.KeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	return &Composer{
		Store: store, Clock: fixed(noon), Keys: keys, Catalog: catalog, Provider: provider{},
		PublicURL: "https://laurel.example.org", TTL: core.DefaultHandoffTTL,
	}
}

func goldenBadge(stage core.Stage) core.Badge {
	return core.Badge{
		ID: badgeID, Stage: stage, Recipient: core.Email{Shown: "Ada@Example.org", Normal: "ada@example.org"},
		Template: core.Template{ID: "t1", Name: "Certified Gopher", ImageURL: "https://images.credly.com/gopher.png"},
		BadgeURL: "https://www.credly.com/badges/1",
	}
}

func goldenPerson(addresses ...string) core.Person {
	p := core.Person{Account: &reads, Accounts: []core.Account{reads}}
	for i, a := range addresses {
		p.Addresses = append(p.Addresses, core.Address{
			ID: addressID, MemberID: "m1", Email: core.Email{Shown: a, Normal: a},
			VerifiedAt: time.Date(2026, 3, i+1, 8, 0, 0, 0, time.UTC),
		})
	}
	return p
}

// collection has a badge of every kind, 12 in all.
func collection() []core.BadgeView {
	var out []core.BadgeView
	add := func(name string, stage core.Stage, expires time.Time, h *core.Handoff) {
		b := goldenBadge(stage)
		b.ID, b.Template.Name, b.ExpiresAt = fmt.Sprintf("b%d", len(out)+1), name, expires
		out = append(out, core.BadgeView{Badge: b, Handoff: h})
	}
	live := &core.Handoff{State: core.HandoffOpen, ExpiresAt: noon.Add(time.Minute)}
	over := &core.Handoff{State: core.HandoffOpen, ExpiresAt: noon}
	followed := &core.Handoff{State: core.HandoffFollowed, ExpiresAt: noon}
	add("Granted", core.StageGranted, noon.AddDate(2, 0, 0), nil)
	add("Pending", core.StagePending, time.Time{}, nil)
	add("Pending with a link", core.StagePending, time.Time{}, live)
	add("Pending with an old link", core.StagePending, time.Time{}, over)
	add("Pending and followed", core.StagePending, time.Time{}, followed)
	add("Accepted", core.StageAccepted, noon.AddDate(1, 0, 0), nil)
	add("Public", core.StagePublic, time.Time{}, nil)
	add("Public, expired", core.StagePublic, noon.AddDate(0, 0, -1), nil)
	add("Rejected", core.StageRejected, noon.AddDate(1, 0, 0), nil)
	add("Revoked", core.StageRevoked, time.Time{}, nil)
	add("Replaced", core.StageReplaced, time.Time{}, nil)
	add("", core.StageUnknown, time.Time{}, nil)
	return out
}

var (
	handoffStates = []core.HandoffState{
		core.HandoffPreparing, core.HandoffOpen, core.HandoffFollowed, core.HandoffExpired, core.HandoffCompleted, core.HandoffFailed,
	}
	stages = []core.Stage{
		core.StageUnknown, core.StageGranted, core.StagePending, core.StageAccepted, core.StagePublic, core.StageRejected,
		core.StageRevoked, core.StageReplaced, core.StageWithdrawn,
	}
	goldenLangs = []string{"en", "de", "es"}
)

// goldenCards makes every card in a language, by name.
func goldenCards(t *testing.T, lang string) (names []string, cards map[string]string) {
	t.Helper()
	cards = map[string]string{}
	c := goldenComposer(t, nil)
	w := c.Catalog.For(lang)
	reader := reads
	reader.Locale = lang
	put := func(name, text string) {
		if _, twice := cards[name]; twice {
			t.Fatalf("two cards are called %s", name)
		}
		names = append(names, name)
		cards[name] = text
	}
	compose := func(name string, kind core.SubjectKind, store *shelf) {
		c.Store = store
		card, err := c.Compose(t.Context(), core.Post{Account: reader, Subject: core.Subject{Kind: kind, ID: "x"}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		put(name, readable(card))
	}

	put("greeting", readable(greetingCard(w, "Credly")))
	put("help", readable(c.helpCard(w, "")))
	put("help, unknown word", readable(c.helpCard(w, strings.Repeat("dance", 20))))
	put("list, empty", readable(listCard(w, goldenPerson("ada@example.org", "ada.l@example.com"), nil, 1, noon)))
	for page := 1; page <= 3; page++ {
		put(fmt.Sprintf("list, page %d", page), readable(listCard(w, goldenPerson("ada@example.org"), collection(), page, noon)))
	}
	put("list, one page", readable(listCard(w, goldenPerson("ada@example.org"), collection()[1:2], 1, noon)))
	put("list, nothing waits", readable(listCard(w, goldenPerson("ada@example.org"), collection()[5:7], 1, noon)))
	put("emails, one", readable(emailsCard(w, goldenPerson("ada@example.org"), "Credly")))
	put("emails, two", readable(emailsCard(w, goldenPerson("ada@example.org", "Ada.L@Example.com"), "Credly")))

	both := goldenPerson("ada@example.org", "Ada.L@Example.com")
	both.Accounts = append(both.Accounts, core.Account{ID: "a2", MemberID: "m1", Identity: core.Identity{Platform: "discord", User: "1"}, DisplayName: "ada **bold** <@U2>"})
	put("forget", readable(forgetCard(w, both, collection(), "Credly")))
	put("forget, little", readable(forgetCard(w, goldenPerson(), nil, "Credly")))
	put("forget, done", readable(c.forgottenCard(w, "forget.done", false)))
	put("forget, nothing", readable(c.forgottenCard(w, "forget.nothing", false)))

	proof := core.Verification{
		ID: verificationID, Account: reader, Email: core.Email{Shown: "Ada@Example.org", Normal: "ada@example.org"},
		State: core.VerificationOpen, ExpiresAt: noon.Add(core.CodeTTL),
	}
	compose("verification, open", core.SubjectVerification, &shelf{proof: proof})
	used := proof
	used.State = core.VerificationUsed
	compose("verification, used", core.SubjectVerification, &shelf{proof: used})
	compose("verification, used, badges wait", core.SubjectVerification, &shelf{proof: used, badges: collection()})
	for _, state := range []core.VerificationState{core.VerificationExhausted, core.VerificationSuperseded} {
		dead := proof
		dead.State = state
		compose("verification, "+string(state), core.SubjectVerification, &shelf{proof: dead})
	}

	for _, state := range handoffStates {
		view := core.HandoffView{
			Handoff: core.Handoff{
				ID: handoffID, BadgeID: badgeID, MemberID: "m1", State: state, ExpiresAt: noon.Add(core.DefaultHandoffTTL),
			},
			Badge: goldenBadge(core.StagePending), Owned: true,
		}
		compose("handoff, "+string(state), core.SubjectHandoff, &shelf{handoff: view})
		if state == core.HandoffOpen {
			view.Handoff.ExpiresAt = noon
			compose("handoff, open, over", core.SubjectHandoff, &shelf{handoff: view})
			view.Badge.Stage = core.StageAccepted
			facts := core.TaskFacts{MemberID: "m1", Badges: []core.Badge{view.Badge}}
			compose("handoff, accepted", core.SubjectHandoff, &shelf{handoff: view, tasks: facts})
		}
	}
	for _, stage := range stages {
		compose("stage, "+string(stage), core.SubjectBadge, &shelf{badge: core.BadgeView{Badge: goldenBadge(stage)}})
	}
	bare := goldenBadge(core.StageAccepted)
	bare.Template, bare.BadgeURL, bare.OwnerURL = core.Template{}, "https://evil.example.com/badges/1", "https://evil.example.com/edit"
	compose("stage, accepted, no name, foreign links", core.SubjectBadge, &shelf{
		badge: core.BadgeView{Badge: bare}, tasks: core.TaskFacts{Badges: []core.Badge{bare}},
	})

	compose("joined", core.SubjectJoined, &shelf{account: core.Account{
		MemberID: "m1", Identity: core.Identity{Platform: "discord", User: "1"}, DisplayName: "ada **bold** <@U2>",
	}})
	compose("joined, no name", core.SubjectJoined, &shelf{account: core.Account{MemberID: "m1", Identity: core.Identity{Platform: "slack"}}})

	reader.MemberID = addressID
	goldenSteps(compose)
	reader.MemberID = reads.MemberID
	goldenReminders(t, c, w, reader, put)
	goldenCalls(t, c, w, reader, put)
	goldenCelebrations(t, c, w, reader, put)
	goldenSettings(w, put)
	goldenDigests(t, c, w, put)
	goldenSharing(t, c, w, reader, put)
	goldenVerdicts(c, w, put)
	goldenHomes(t, c, w, reader, put)
	goldenRoles(c, w, put)
	goldenCertificates(t, c, w, put)
	put("form, link", readableForm(linkForm(w)))
	put("form, code", readableForm(codeForm(w, verificationID)))
	for _, left := range []int{4, 1} {
		answer := wrongCode(w, proof, left)
		put(fmt.Sprintf("wrong code, %d left", left), readable(*answer.Card)+"field: "+answer.FieldErrors[fieldCode]+"\n")
	}
	s := &Service{
		Store: &shelf{}, Clock: fixed(noon), Catalog: c.Catalog, Composer: c, Provider: provider{}, Log: slog.New(slog.DiscardHandler),
	}
	for name, err := range map[string]error{
		"not yours": core.ErrNotFound, "gone": core.ErrGone, "too many": core.ErrTooMany, "unavailable": core.ErrUnavailable,
		"out of time": context.DeadlineExceeded, "internal": errors.New("row 7 of ada@example.org is broken"),
	} {
		answer := s.explain(t.Context(), Action{Actor: reads.Identity, Locale: lang, Source: SourcePress}, fmt.Errorf("act: %w", err))
		if answer.Where != Aside || strings.Contains(readable(*answer.Card), "row 7") {
			t.Errorf("%s: %+v", name, answer)
		}
		put("refusal, "+name, readable(*answer.Card))
	}
	answer, err := s.link(t.Context(), w, Action{Source: SourceCommand, Verb: VerbLink, Arg: "nonsense"})
	if err != nil {
		t.Fatal(err)
	}
	put("refusal, address", readable(*answer.Card)+"field: "+answer.FieldErrors[fieldAddress]+"\n")
	slices.Sort(names)
	return names, cards
}

// What people read, in every language, to be looked at as a whole.
func TestCards(t *testing.T) {
	t.Parallel()
	for _, lang := range goldenLangs {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			names, cards := goldenCards(t, lang)
			var b strings.Builder
			for _, name := range names {
				fmt.Fprintf(&b, "==== %s ====\n%s\n", name, cards[name])
			}
			golden(t, "cards."+lang+".txt", b.String())
		})
	}
}

// Whatever the language, a card has words everywhere, none of which is an id
// of the catalogue, and buttons within the platforms' limits.
func TestCardsAreWhole(t *testing.T) {
	t.Parallel()
	known := readEnglish(t)
	id := regexp.MustCompile(`\b[a-z]+(\.[a-z_]+)+\b`)
	pressed := regexp.MustCompile(`(?m)^\s*\[([^\]]*)\] (\S+)`)
	_, english := goldenCards(t, "en")
	for _, lang := range goldenLangs {
		names, cards := goldenCards(t, lang)
		for _, name := range names {
			text := cards[name]
			for _, word := range id.FindAllString(text, -1) {
				if _, ok := known[word]; ok {
					t.Errorf("%s, %s: shows the id %q", lang, name, word)
				}
			}
			if strings.Contains(text, "{{") || strings.Contains(text, "<no value>") || regexp.MustCompile(`(?m)^(title|summary):\s*$`).MatchString(text) {
				t.Errorf("%s, %s: incomplete:\n%s", lang, name, text)
			}
			ids := func(text string) []string {
				var out []string
				for _, m := range pressed.FindAllStringSubmatch(text, -1) {
					if m[1] == "" {
						t.Errorf("%s, %s: a button without a label", lang, name)
					}
					if verb, _, ok := ParseID(m[2]); !ok && !strings.HasPrefix(m[2], "https://") && !strings.HasPrefix(m[2], "[") {
						t.Errorf("%s, %s: button id %q (%s)", lang, name, m[2], verb)
					}
					out = append(out, m[2])
				}
				return out
			}
			if a, b := ids(text), ids(english[name]); !slices.Equal(a, b) && !strings.HasPrefix(name, "form") {
				t.Errorf("%s, %s: buttons %q, in English %q", lang, name, a, b)
			}
			if lang != "en" && text == english[name] {
				t.Errorf("%s, %s: not translated", lang, name)
			}
		}
	}
}

// A page that does not exist shows the nearest one.
func TestListPagesOutOfRange(t *testing.T) {
	t.Parallel()
	w := goldenComposer(t, nil).Catalog.For("en")
	show := func(page int) string {
		return readable(listCard(w, goldenPerson("ada@example.org"), collection(), page, noon))
	}
	for page, like := range map[int]int{0: 1, -7: 1, 4: 3, 1 << 60: 3, -1 << 60: 1} {
		if show(page) != show(like) {
			t.Errorf("page %d is not page %d", page, like)
		}
	}
	if show(1) == show(2) || show(2) == show(3) {
		t.Error("pages do not differ")
	}
}

// Rule 1, at the last moment: what is no longer the reader's is not shown.
func TestComposeShowsNothingOfOthers(t *testing.T) {
	t.Parallel()
	handoff := func(member string, owned bool) *shelf {
		return &shelf{handoff: core.HandoffView{
			Handoff: core.Handoff{ID: handoffID, MemberID: member, State: core.HandoffOpen, ExpiresAt: noon.Add(time.Minute)},
			Badge:   goldenBadge(core.StagePending), Owned: owned,
		}}
	}
	for name, tt := range map[string]struct {
		kind  core.SubjectKind
		store *shelf
		want  error
	}{
		"handoff of another":    {core.SubjectHandoff, handoff("m2", true), ErrNothing},
		"handoff gone":          {core.SubjectHandoff, &shelf{failure: core.ErrNotFound}, ErrNothing},
		"badge gone":            {core.SubjectBadge, &shelf{failure: core.ErrNotFound}, ErrNothing},
		"proof of another":      {core.SubjectVerification, &shelf{proof: core.Verification{Account: core.Account{ID: "a2"}}}, ErrNothing},
		"proof gone":            {core.SubjectVerification, &shelf{failure: core.ErrNotFound}, ErrNothing},
		"account left again":    {core.SubjectJoined, &shelf{account: core.Account{MemberID: "m2"}}, ErrNothing},
		"account gone":          {core.SubjectJoined, &shelf{failure: core.ErrNotFound}, ErrNothing},
		"of a kind not known":   {"pigeon", &shelf{}, ErrNothing},
		"store away":            {core.SubjectBadge, &shelf{failure: core.ErrUnavailable}, core.ErrUnavailable},
		"handoff with a bad id": {core.SubjectHandoff, &shelf{handoff: core.HandoffView{Handoff: core.Handoff{ID: "?", MemberID: "m1", State: core.HandoffOpen, ExpiresAt: noon.Add(time.Minute)}, Badge: goldenBadge(core.StagePending), Owned: true}}, nil},
	} {
		card, err := goldenComposer(t, tt.store).Compose(t.Context(), core.Post{Account: reads, Subject: core.Subject{Kind: tt.kind, ID: "x"}})
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || card.Title != "" {
			t.Errorf("%s: %q, %v", name, card.Title, err)
		}
	}
	// An address that was taken off leaves a card that names nothing.
	post := core.Post{Account: reads, Subject: core.Subject{Kind: core.SubjectHandoff, ID: "x"}}
	card, err := goldenComposer(t, handoff("m1", false)).Compose(t.Context(), post)
	badge := goldenBadge(core.StagePending)
	if text := readable(card); err != nil || strings.Contains(text, badge.Template.Name) || strings.Contains(text, badge.Recipient.Shown) ||
		strings.Contains(text, "/h/") {
		t.Errorf("address taken off: %v, %s", err, text)
	}
}
