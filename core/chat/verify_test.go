package chat_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// oracle is a verifier that says what it is told to say.
type oracle struct {
	mu    sync.Mutex
	asked []core.BadgeQuery
	says  func(core.BadgeQuery) core.Verdict
}

func (o *oracle) Verify(_ context.Context, q core.BadgeQuery) core.Verdict {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, q)
	if o.says != nil {
		return o.says(q)
	}
	v := core.Verdict{Status: core.VerdictGenuine, CheckedAt: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	v.Achievement.Name, v.Recipient.Kind = "Gopher", "email"
	if q.Recipient != "" && q.Recipient != "ada@example.org" {
		v.Status = core.VerdictOtherRecipient
	}
	return v
}

// cabinet opens files by their ref.
type cabinet map[string]error

func (c cabinet) File(_ context.Context, f chat.FileRef) ([]byte, error) {
	err, known := c[f.Ref.Reveal()]
	if !known {
		return nil, chat.ErrNoFile
	}
	return []byte("data of " + f.Ref.Reveal()), err
}

func verifying(t *testing.T) (*room, *oracle) {
	t.Helper()
	r, o := newRoom(t), &oracle{}
	r.svc.Verifier, r.svc.Limits = o, r.db
	r.svc.Files = map[core.Platform]chat.Files{ada.Platform: cabinet{"good": nil, "long": chat.ErrFileTooLarge, "slow": errors.New("slow")}}
	return r, o
}

// finally is the answer that follows an answer, or that answer.
func (r *room) finally(a chat.Answer) chat.Answer {
	r.t.Helper()
	if a.Then == nil {
		return a
	}
	wantCard(r.t, a, "Checking…", a.Where)
	return a.Then(r.t.Context())
}

func labelled(t *testing.T, c chat.Card, label string) chat.Button {
	t.Helper()
	buttons := slices.Clone(c.Buttons)
	for _, item := range c.Items {
		if item.Button != nil {
			buttons = append(buttons, *item.Button)
		}
	}
	for _, b := range buttons {
		if b.Label == label {
			return b
		}
	}
	t.Fatalf("no button %q in %+v", label, buttons)
	return chat.Button{}
}

func TestVerifyByCommand(t *testing.T) {
	t.Parallel()
	r, o := verifying(t)
	const link = "https://www.credly.com/badges/1?x=1&y=2"
	card := wantCard(t, r.finally(r.command("verify "+link)), "Genuine and current", chat.Here)
	if page := labelled(t, card, "Open in the browser").URL; page != "https://laurel.example.org/verify?badge=https%3A%2F%2Fwww.credly.com%2Fbadges%2F1%3Fx%3D1%26y%3D2" {
		t.Errorf("leads to %s", page)
	}
	for text, want := range map[string]string{
		"<" + link + "|Gopher>": link, "www.credly.com/badges/2": "https://www.credly.com/badges/2",
		"https://laurel.example.org/verify?badge=https%3A%2F%2Fexample.org%2Fy": "https://example.org/y",
		"https://laurel.example.org/verify?x=1":                                 "https://laurel.example.org/verify?x=1", "look at HTTPS://example.org/x please": "HTTPS://example.org/x", "eyJh.eyJi.sig": "eyJh.eyJi.sig",
	} {
		r.pass(time.Minute)
		card := wantCard(t, r.finally(r.command("verify "+text)), "Genuine and current", chat.Here)
		// A token is the badge itself, and would stand in the logs of proxies.
		if opens := slices.ContainsFunc(card.Buttons, func(b chat.Button) bool { return b.URL != "" }); opens == strings.HasPrefix(text, "ey") {
			t.Errorf("%q has a link to the page: %t", text, opens)
		}
		if last := o.asked[len(o.asked)-1]; last.Link != want || last.File != nil || last.Recipient != "" {
			t.Errorf("%q asks %+v", text, last)
		}
	}
	n := len(o.asked)
	for _, text := range []string{"", "my badge", "ftp://example.org/x", "https//x", "a.b", "javascript:alert(1)", "user@example.org/x"} {
		wantCard(t, r.finally(r.command("verify "+text)), "Which badge shall I verify?", chat.Here)
	}
	wantCard(t, r.finally(r.command("verify https://"+strings.Repeat("a", 5000)+".example.org/x")), "Which badge shall I verify?", chat.Here)
	if len(o.asked) != n {
		t.Errorf("asks of nothing: %+v", o.asked[n:])
	}
}

// Whatever becomes of a badge, its card says so and says nothing better.
func TestVerifyTellsEveryStatus(t *testing.T) {
	t.Parallel()
	r, o := verifying(t)
	titles := map[string]bool{}
	for _, status := range []core.VerdictStatus{
		core.VerdictGenuine, core.VerdictExpired, core.VerdictNotYetValid, core.VerdictRevoked, core.VerdictAltered, core.VerdictIssuerNotConfirmed,
		core.VerdictOtherRecipient, core.VerdictUnreachable, core.VerdictUnknown, core.VerdictMalformed,
	} {
		r.pass(time.Minute)
		o.says = func(core.BadgeQuery) core.Verdict { return core.Verdict{Status: status} }
		answer := r.finally(r.command("verify https://example.org/x"))
		if titles[answer.Card.Title] {
			t.Errorf("%s says %q like another", status, answer.Card.Title)
		}
		titles[answer.Card.Title] = true
		if good := answer.Card.Tone == chat.ToneGood; good != (status == core.VerdictGenuine) {
			t.Errorf("%s has the tone %v", status, answer.Card.Tone)
		}
	}
	r.pass(time.Minute)
	o.says = func(core.BadgeQuery) core.Verdict { panic("ada@example.org") }
	wantCard(t, r.finally(r.command("verify https://example.org/x")), "Cannot be told", chat.Here)
	if strings.Contains(r.log.String(), "ada@example.org") {
		t.Error("the panic is logged")
	}
}

func message(files []chat.FileRef, links ...string) chat.Action {
	return chat.Action{Source: chat.SourcePress, Verb: chat.VerbVerify, Files: files, Links: links}
}

func TestVerifyAMessage(t *testing.T) {
	t.Parallel()
	r, o := verifying(t)
	wantCard(t, r.do(message(nil)), "No badge in this message", chat.Aside)

	wantCard(t, r.finally(r.do(message([]chat.FileRef{{Name: "b.png", Ref: "good"}}))), "Genuine and current", chat.Here)
	if q := o.asked[0]; string(q.File) != "data of good" || q.Link != "" {
		t.Errorf("asks %+v", q)
	}
	for ref, want := range map[core.Secret]string{"long": "The file is too large", "gone": "I cannot open the file", "slow": "The file did not come"} {
		wantCard(t, r.finally(r.do(message([]chat.FileRef{{Ref: ref}}))), want, chat.Here)
	}
	wantCard(t, r.finally(r.do(message([]chat.FileRef{{Ref: "good", Size: core.MaxBadgeFileBytes + 1}}))), "The file is too large", chat.Here)
	if len(o.asked) != 1 {
		t.Errorf("asks %+v", o.asked)
	}

	r.pass(time.Minute)
	o.says = func(q core.BadgeQuery) core.Verdict {
		v := core.Verdict{Status: core.VerdictGenuine}
		if q.Link != "" {
			v.Status = core.VerdictRevoked
		}
		return v
	}
	several := message([]chat.FileRef{{Name: "b.png", Ref: "good"}}, "https://example.org/1", "https://example.org/1", "https://example.org/2", "https://example.org/3")
	answer := r.finally(r.do(several))
	card := wantCard(t, answer, "1 of 3 is genuine", chat.Here)
	if len(card.Items) != 3 || card.Tone != chat.ToneWarn {
		t.Errorf("card %+v", card)
	}
	// Each can be seen in full, beside the list.
	wantCard(t, r.finally(r.press(ada, card.Items[1].Button.ID)), "Revoked", chat.Aside)
	wantCard(t, r.press(bob, card.Items[1].Button.ID), "Ask again", chat.Aside)
	// The files of another platform stay closed.
	elsewhere := message([]chat.FileRef{{Ref: "good"}})
	elsewhere.Actor = core.Identity{Platform: "discord", User: "99"}
	wantCard(t, r.finally(r.do(elsewhere)), "I cannot open the file", chat.Here)
}

// stored is every byte that the database has written.
func (r *room) stored() string {
	r.t.Helper()
	var all []byte
	for _, file := range []string{r.file, r.file + "-wal"} {
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			r.t.Fatal(err)
		}
		all = append(all, data...)
	}
	return string(all)
}

func TestVerifyTheRecipient(t *testing.T) {
	t.Parallel()
	r, o := verifying(t)
	card := wantCard(t, r.finally(r.command("verify https://example.org/x")), "Genuine and current", chat.Here)
	check := labelled(t, card, "Check the recipient").ID
	form := r.press(ada, check).Form
	if form == nil || form.ID != check {
		t.Fatalf("form %+v", form)
	}
	if a := r.submit(ada, check, "address", "  "); a.FieldErrors["address"] == "" || a.Card == nil {
		t.Errorf("no address: %+v", a)
	}
	wantCard(t, r.finally(r.submit(ada, check, "address", " ada@example.org ")), "Genuine and current", chat.Here)
	card = wantCard(t, r.finally(r.submit(ada, check, "address", "secret.person@example.org")), "Not shown to be for this address", chat.Here)
	labelled(t, card, "Check another address")
	if q := o.asked[len(o.asked)-1]; q.Recipient != "secret.person@example.org" || q.Link != "https://example.org/x" {
		t.Errorf("asks %+v", q)
	}
	shown := fmt.Sprintf("%+v", card)
	for name, kept := range map[string]string{"stored": r.stored(), "logged": r.log.String(), "shown": shown} {
		if strings.Contains(kept, "secret.person") || name != "shown" && strings.Contains(kept, "example.org/x") {
			t.Errorf("it is %s", name)
		}
	}
	// What somebody else asked, or nobody, is nobody's.
	for _, who := range []core.Identity{bob, {Platform: "discord", User: "99"}} {
		wantCard(t, r.submit(who, check, "address", "x@example.org"), "Ask again", chat.Aside)
	}
	wantCard(t, r.submit(ada, "recipient:"+core.NewID(), "address", "x@example.org"), "Ask again", chat.Aside)
	r.pass(core.KeepInquiries + time.Minute)
	r.must(r.db.Tidy(t.Context(), r.now))
	wantCard(t, r.submit(ada, check, "address", "x@example.org"), "Ask again", chat.Aside)
}

// Nobody uses the bot to fetch without end; others are not held up.
func TestVerifyIsLimited(t *testing.T) {
	t.Parallel()
	r, o := verifying(t)
	for range 10 {
		wantCard(t, r.finally(r.command("verify https://example.org/x")), "Genuine and current", chat.Here)
	}
	wantCard(t, r.command("verify https://example.org/x"), "One moment, please", chat.Here)
	if len(o.asked) != 10 {
		t.Errorf("asks %d times", len(o.asked))
	}
	other := message(nil, "https://example.org/x")
	other.Actor = bob
	wantCard(t, r.finally(r.do(other)), "Genuine and current", chat.Here)
	r.pass(7 * time.Second)
	wantCard(t, r.finally(r.command("verify https://example.org/x")), "Genuine and current", chat.Here)
}

// blocked answers when it is let go.
type blocked struct{ open chan struct{} }

func (b blocked) Verify(ctx context.Context, _ core.BadgeQuery) core.Verdict {
	select {
	case <-b.open:
		return core.Verdict{Status: core.VerdictGenuine}
	case <-ctx.Done():
		return core.Verdict{Status: core.VerdictUnreachable}
	}
}

// What takes long is said to be checked first; what is quick is answered.
func TestRaceShowsWhatIsComing(t *testing.T) {
	t.Parallel()
	r, _ := verifying(t)
	b := blocked{make(chan struct{})}
	r.svc.Verifier = b
	ask := func(key string) chat.Action {
		return chat.Action{Key: key, Actor: ada, Locale: "en", Source: chat.SourceCommand, Verb: chat.VerbVerify, Arg: "https://example.org/x"}
	}
	late := make(chan chat.Answer, 1)
	first, inTime := chat.Race(t.Context(), r.svc, ask("slow"), time.Hour, func(_ context.Context, a chat.Answer) { late <- a })
	if inTime || first.Card == nil || first.Card.Title != "Checking…" || first.Then != nil {
		t.Fatalf("at first %+v, %v", first, inTime)
	}
	close(b.open)
	wantCard(t, <-late, "Genuine and current", chat.Here)
	// Once in a while a busy machine is not quick.
	var now chat.Answer
	for try := range 8 {
		if now, inTime = chat.Race(t.Context(), r.svc, ask("quick "+strconv.Itoa(try)), time.Hour, func(context.Context, chat.Answer) {}); inTime {
			break
		}
	}
	if !inTime {
		t.Fatal("a quick verdict came late")
	}
	wantCard(t, now, "Genuine and current", chat.Here)
}
