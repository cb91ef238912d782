package core_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

const publicURL = "https://laurel.example.org"

// provider is what is so at the provider: one badge per award.
type provider struct {
	clock core.Clock
	truth map[string]core.Observation
	// said is everything that it ever answered: any of it may be applied late.
	said []core.Observation
	// answers passes the time that an answer takes.
	answers func()
}

var _ core.Provider = (*provider)(nil)

func (*provider) Name() string { return "Credly" }
func (*provider) Capabilities() core.Capability {
	return core.CanIssue | core.TellsAcceptance | core.TellsVisibility
}

// set makes something so at the provider, whose times are whole seconds.
func (p *provider) set(b *badge, stage core.Stage) {
	o := core.Observation{
		ProviderID: "at-" + b.award, ExternalID: b.award, Recipient: email(b.mail), Stage: stage,
		Template: core.Template{ID: "template-" + b.award, Name: b.name}, At: p.clock.Now().Truncate(time.Second),
	}
	if stage == core.StagePending {
		o.AcceptURL = "https://www.credly.com/go/" + b.award
	}
	p.truth[b.award] = o
}

func (p *provider) Get(_ context.Context, id string) (core.Observation, error) {
	o, ok := p.truth[strings.TrimPrefix(id, "at-")]
	if !ok {
		return core.Observation{}, core.ErrNoSuchBadge
	}
	p.answers()
	o.ReadAt = p.clock.Now()
	p.said = append(p.said, o)
	return o, nil
}

func (p *provider) Issue(ctx context.Context, r core.IssueRequest) (core.Observation, error) {
	if _, known := p.truth[r.ExternalID]; !known {
		p.set(&badge{award: r.ExternalID, mail: r.Recipient.Normal, name: nameOfBadge(r.ExternalID)}, core.StagePending)
	}
	return p.Get(ctx, "at-"+r.ExternalID)
}

func (*provider) ForPerson(context.Context, core.Email) ([]core.Observation, error) { return nil, nil }

func (*provider) Templates(context.Context) ([]core.Template, error) { return nil, nil }

func (*provider) Replace(context.Context, string, core.IssueRequest) (core.Observation, error) {
	return core.Observation{}, core.ErrRefused
}
func (*provider) Revoke(context.Context, string, string) error  { return nil }
func (*provider) Event(context.Context, []byte) (string, error) { return "", nil }
func (*provider) TrustedURL(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.Host == "www.credly.com"
}

// message is one message as a person sees it in a chat.
type message struct {
	to   core.Identity
	card chat.Card
	// post is what it follows; direct says that it came as a new message.
	post   string
	direct bool
}

// phones are the chats of both platforms, which drop a repetition by its key
// (https://discord.com/developers/docs/resources/message#create-message).
type phones struct {
	w *world
	// at finds a message by its place, owner whose place that is.
	at    map[string]*message
	owner map[string]core.Identity
	byKey map[string]*message
	all   []*message
}

var _ chat.Messenger = (*phones)(nil)

func (p *phones) Pause() time.Duration { return time.Second }

func (p *phones) Show(_ context.Context, at core.Place, c chat.Card, _ string) (core.Place, error) {
	ref := at.Ref.Reveal()
	if p.at[ref] == nil {
		p.add(ref, &message{to: p.owner[ref], post: p.w.sending.Ref})
	}
	p.see(p.at[ref], c)
	at.Shown, at.MessageKey = true, ref
	return at, nil
}

func (p *phones) Direct(_ context.Context, to core.Identity, c chat.Card, key string, _ time.Time) (core.Place, error) {
	ref := "direct-" + key
	if p.byKey[key] == nil {
		p.byKey[key] = &message{to: to, post: p.w.sending.Ref, direct: true}
		p.owner[ref] = to
		p.add(ref, p.byKey[key])
		p.see(p.byKey[key], c)
	}
	return core.Place{Ref: core.Secret(ref), MessageKey: ref, EditableUntil: p.w.now.Add(1000 * time.Hour), Shown: true}, nil
}

func (p *phones) Remove(_ context.Context, at core.Place) error {
	delete(p.at, at.Ref.Reveal())
	return nil
}

func (p *phones) add(ref string, m *message) {
	p.at[ref] = m
	p.all = append(p.all, m)
}

// see shows a card, whose links the person can follow from now on.
func (p *phones) see(m *message, c chat.Card) {
	m.card = c
	p.w.out = append(p.w.out, sent{to: m.to, about: p.w.about, text: readable(c)})
	for _, b := range c.Buttons {
		if token, ok := strings.CutPrefix(b.URL, publicURL+"/h/"); ok && !slices.Contains(p.w.tokens, token) {
			p.w.tokens = append(p.w.tokens, token)
		}
	}
}

// readable is everything that can be read in a card.
func readable(c chat.Card) string {
	parts := []string{c.Title, c.Summary, c.Text.String(), c.Footer.String(), c.Image.Alt}
	for _, b := range c.Buttons {
		parts = append(parts, b.Label, b.ID, b.URL)
	}
	for _, i := range c.Items {
		parts = append(parts, i.Text.String())
	}
	return strings.Join(parts, "\n")
}

// sent is something that left the house.
type sent struct {
	// to is a chat account, mail an address; both are empty for the body's own
	// system.
	to    core.Identity
	mail  string
	about core.Subject
	text  string
}

// letter is a mail with a code as who reads the mailbox has it.
type letter struct {
	id, code, token string
	who             core.Identity
}

// mailbox takes in mails.
type mailbox struct{ w *world }

func (m mailbox) Send(_ context.Context, mail core.Mail) error {
	w := m.w
	w.out = append(w.out, sent{mail: mail.To.Normal, about: core.Subject{ID: mail.ID}, text: mail.Subject + mail.Text + mail.HTML})
	_, token, _ := strings.Cut(mail.Text, publicURL+"/e/")
	token, _, _ = strings.Cut(token, "\n")
	l := letter{id: mail.ID, code: codeIn(mail.Text), token: token}
	if a := w.askOf(mail.ID); a != nil {
		l.who = a.who
	}
	if !slices.ContainsFunc(w.letters, func(have letter) bool { return have.id == l.id }) {
		w.letters = append(w.letters, l)
	}
	return nil
}

// codeIn is the code in the text of a mail, or empty.
func codeIn(text string) string {
	for line := range strings.Lines(text) {
		digits := strings.ReplaceAll(strings.TrimSpace(line), " ", "")
		if len(digits) == core.CodeDigits && strings.Trim(digits, "0123456789") == "" {
			return digits
		}
	}
	return ""
}

// body is the certification body's own system.
type body struct{ w *world }

func (b body) Publish(_ context.Context, e core.Event) error {
	w := b.w
	w.told = append(w.told, e)
	w.out = append(w.out, sent{text: fmt.Sprintf("%+v", e.Badge), about: core.Subject{Kind: core.SubjectBadge, ID: e.Badge.ID}})
	return nil
}
