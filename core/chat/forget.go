package chat

import (
	"context"
	"errors"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// forget shows what is stored of a person and, when that is confirmed by its
// button, deletes it. The answer follows at once: there is nobody left to
// whom a delivery could bring it.
func (s *Service) forget(ctx context.Context, w Words, a Action) (Answer, error) {
	if a.Source == SourcePress {
		return s.forgetNow(ctx, w, a)
	}
	p, err := s.Store.Person(ctx, a.Actor)
	if err != nil {
		return Answer{}, err
	}
	if p.Account == nil {
		id, closed := "forget.nothing", false
		switch had, err := s.endRoles(ctx, p, a.Actor); {
		case err != nil:
			return Answer{}, err
		case had:
			id, closed = "forget.done", s.Composer.RolesClosed
		}
		card := s.Composer.forgottenCard(w, id, closed)
		return Answer{Card: &card}, nil
	}
	badges, err := s.Store.BadgesOf(ctx, p.MemberID())
	if err != nil {
		return Answer{}, err
	}
	card := forgetCard(w, p, badges, s.Provider.Name())
	return Answer{Card: &card}, nil
}

func (s *Service) forgetNow(ctx context.Context, w Words, a Action) (Answer, error) {
	if a.Arg != ownerMark(a.Actor) {
		return Answer{}, core.ErrNotFound
	}
	homes := s.homesOf(ctx, a.Actor)
	closed, err := s.closedRolesOf(ctx, a.Actor)
	if err != nil {
		return Answer{}, err
	}
	// Who is unknown was forgotten by an earlier press.
	if err := s.Farewells.Forget(ctx, a.Actor); err != nil && !errors.Is(err, core.ErrNotFound) {
		return Answer{}, err
	}
	s.empty(ctx, homes)
	card := s.Composer.forgottenCard(w, "forget.done", closed)
	return Answer{Card: &card}, nil
}

// closedRolesOf reports whether somebody has a connection that may be too old to
// be taken back.
func (s *Service) closedRolesOf(ctx context.Context, actor core.Identity) (bool, error) {
	if !s.Composer.RolesClosed {
		return false, nil
	}
	p, err := s.Store.Person(ctx, actor)
	if err != nil {
		return false, err
	}
	return s.Composer.hasRoles(ctx, p.Accounts)
}

// forgetCard shows what would be deleted.
func forgetCard(w Words, p core.Person, badges []core.BadgeView, provider string) Card {
	var addresses, accounts []string
	for _, a := range p.Addresses {
		addresses = append(addresses, a.Email.Shown)
	}
	for _, a := range p.Accounts {
		name := w.Plain("platform."+string(a.Identity.Platform), nil)
		if a.DisplayName != "" {
			name += " (" + a.DisplayName + ")"
		}
		accounts = append(accounts, name)
	}
	granted := 0
	for _, b := range badges {
		if b.Badge.Stage == core.StageGranted {
			granted++
		}
	}
	list := []Text{w.Text("forget.text", nil), Plain("")}
	add := func(id string, count int, names []string) {
		if count == 0 {
			return
		}
		line := w.Text(id, Args{"Count": count, "Names": clip(strings.Join(names, ", "), 500)})
		list = append(list, append(Plain("• "), line...))
	}
	add("forget.accounts", len(accounts), accounts)
	add("forget.addresses", len(addresses), addresses)
	add("forget.badges", len(badges), nil)
	list = append(list, append(Plain("• "), w.Text("forget.rest", nil)...))
	if granted > 0 {
		list = append(list, Plain(""), w.Text("forget.granted", Args{"Count": granted, "Provider": provider}))
	}
	return Card{
		Tone: ToneWarn, Title: w.Plain("forget.title", nil), Summary: w.Plain("forget.summary", nil),
		Text: Join(list...), Footer: w.Text("forget.stays", Args{"Provider": provider}),
		Buttons: []Button{
			{
				ID: ID(VerbForget, ownerMark(p.Account.Identity)), Label: w.Plain("button.forget", nil), Style: StyleDanger,
				Confirm: w.Plain("forget.confirm", nil),
			},
			{ID: pageID(p.Account.Identity, "1"), Label: w.Plain("button.my_badges", nil)},
		},
	}
}

// forgottenCard says that nothing is stored, and with closed that roles may
// stay.
func (c *Composer) forgottenCard(w Words, id string, closed bool) Card {
	text := []Text{w.Text(id+".text", nil), Plain("")}
	if closed {
		text = append(text, c.closedRoles(w), Plain(""))
	}
	return Card{
		Tone: ToneGood, Title: w.Plain(id+".title", nil), Summary: w.Plain(id+".title", nil),
		Text:    Join(append(text, w.Text("forget.stays", Args{"Provider": c.Provider.Name()}))...),
		Buttons: []Button{{ID: ID(VerbLink, "start"), Label: w.Plain("button.link", nil)}},
	}
}
