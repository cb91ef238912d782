package chat

import (
	"context"
	"errors"

	"github.com/laurelbot/laurel/core"
)

// The page on which people connect their roles, below the public address, and
// the one to which the platform sends them back.
const (
	PathRoles         = "/roles"
	PathRolesCallback = PathRoles + "/callback"
)

// rolesOff is what the button to disconnect is about, before the owner's mark.
const rolesOff = "off."

// roles says how the roles of somebody stand, and ends the connection.
func (s *Service) roles(ctx context.Context, w Words, a Action) (Answer, error) {
	c := s.Composer
	p, err := s.person(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	if c.Roles == nil || a.Actor.Platform != c.RolesAt {
		card := c.noRolesCard(w)
		return Answer{Card: &card, Where: asideOfPress(a)}, nil
	}
	if a.Source == SourcePress && a.Arg == rolesOff+ownerMark(a.Actor) {
		err := c.Roles.Disconnect(ctx, p, a.Actor)
		if err != nil && !errors.Is(err, core.ErrNotFound) {
			return Answer{}, err
		}
		card := c.rolesCard(w, a.Actor, core.RoleView{}, "roles.ended")
		return Answer{Card: &card}, nil
	}
	v, err := c.Roles.View(ctx, p, a.Actor)
	if err != nil {
		return Answer{}, err
	}
	if c.RolesClosed && v.Connected == nil {
		card := c.noRolesCard(w)
		return Answer{Card: &card, Where: asideOfPress(a)}, nil
	}
	id := "roles.none"
	switch {
	case v.Connected == nil:
	case len(p.Addresses) == 0:
		id = "roles.unlinked"
	case v.Facts.Certified():
		id = "roles.on"
	default:
		id = "roles.empty"
	}
	card := c.rolesCard(w, a.Actor, v, id)
	return Answer{Card: &card, Where: asideOfPress(a)}, nil
}

// endRoles ends the connection of somebody, and reports whether there was one:
// it may be all that is stored of them.
func (s *Service) endRoles(ctx context.Context, p core.Person, actor core.Identity) (bool, error) {
	c := s.Composer
	if c.Roles == nil || actor.Platform != c.RolesAt {
		return false, nil
	}
	err := c.Roles.Disconnect(ctx, p, actor)
	if errors.Is(err, core.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// hasRoles reports whether anybody behind these accounts has a connection.
func (c *Composer) hasRoles(ctx context.Context, accounts []core.Account) (bool, error) {
	for _, a := range accounts {
		if c.Roles == nil || a.Identity.Platform != c.RolesAt {
			continue
		}
		switch _, err := c.Store.RoleStanding(ctx, a.Identity); {
		case err == nil:
			return true, nil
		case !errors.Is(err, core.ErrNotFound):
			return false, err
		}
	}
	return false, nil
}

// closedRoles is what is said to somebody whose connection ends while the bot
// cannot renew its tokens.
func (c *Composer) closedRoles(w Words) Text {
	return w.Text("roles.closed", Args{"Platform": w.Plain("platform."+string(c.RolesAt), nil)})
}

// lostRoles is the message about a connection that the platform ended; when it
// was made again meanwhile, there is nothing to say.
func (c *Composer) lostRoles(ctx context.Context, w Words, p core.Post) (Card, error) {
	if c.Roles == nil || c.RolesClosed || p.Subject.ID != p.Account.ID {
		return Card{}, core.ErrNotFound
	}
	_, err := c.Store.RoleStanding(ctx, p.Account.Identity)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return c.rolesCard(w, p.Account.Identity, core.RoleView{}, "roles.lost"), nil
	case err != nil:
		return Card{}, err
	}
	return Card{}, core.ErrNotFound
}

// rolesCard says how it stands, in the sentences that begin with id.
func (c *Composer) rolesCard(w Words, reader core.Identity, v core.RoleView, id string) Card {
	args := Args{"Platform": w.Plain("platform."+string(c.RolesAt), nil), "Provider": c.Provider.Name(), "Count": v.Facts.Badges}
	card := Card{
		Title: w.Plain(id+".title", args), Summary: w.Plain(id+".summary", args), Text: w.Text(id+".text", args),
		Footer: w.Text("roles.footer", args),
	}
	list := Button{ID: pageID(reader, "new"), Label: w.Plain("button.my_badges", nil)}
	if v.Connected == nil {
		card.Tone = ToneAction
		if id == "roles.ended" {
			card.Tone = ToneNeutral
		}
		if c.RolesClosed {
			card.Text, card.Footer, card.Buttons = c.closedRoles(w), nil, []Button{list}
			return card
		}
		card.Buttons = []Button{{URL: c.PublicURL + PathRoles, Label: w.Plain("button.roles.connect", nil), Style: StylePrimary}, list}
		return card
	}
	if v.Facts.Certified() {
		card.Tone = ToneGood
		card.Items = append(card.Items, Item{Text: w.Text("roles.badges", args)})
		if v.Levels {
			card.Items = append(card.Items, Item{Text: w.Text("roles.level", Args{"Count": v.Facts.Level})})
		}
		until := w.Text("roles.unlimited", nil)
		if !v.Facts.ValidUntil.IsZero() {
			until = w.Text("roles.until", Args{"Until": Day(v.Facts.ValidUntil)})
		}
		card.Items = append(card.Items, Item{Text: until})
	}
	if v.Connected.ToldAt.IsZero() {
		card.Items = append(card.Items, Item{Text: w.Text("roles.soon", args)})
	}
	card.Buttons = []Button{list, {
		ID: ID(VerbRoles, rolesOff+ownerMark(reader)), Label: w.Plain("button.roles.disconnect", nil), Style: StyleDanger,
		Confirm: w.Plain("roles.confirm", args),
	}}
	if id == "roles.unlinked" {
		card.Tone = ToneAction
		card.Buttons[0] = Button{ID: ID(VerbLink, "start"), Label: w.Plain("button.link", nil), Style: StylePrimary}
	}
	return card
}

// noRolesCard says where roles are, to somebody who asks elsewhere.
func (c *Composer) noRolesCard(w Words) Card {
	id := "roles.elsewhere"
	if c.Roles == nil || c.RolesClosed {
		id = "roles.off"
	}
	return Card{Title: w.Plain(id+".title", nil), Summary: w.Plain(id+".title", nil), Text: w.Text(id+".text", nil)}
}
