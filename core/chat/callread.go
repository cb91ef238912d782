package chat

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
)

const (
	// maxPictureURL is Discord's limit for the address of a picture
	// (https://discord.com/developers/docs/components/reference#unfurled-media-item-structure);
	// Slack takes a longer one.
	maxPictureURL = 2000
	// pictureWithin is how long a look at a picture may take.
	pictureWithin = 5 * time.Second
)

// Pictures looks at pictures that managers name by their address.
type Pictures interface {
	// Picture returns an error for everything that is not a picture which
	// the platforms show, and which they can reach themselves.
	Picture(ctx context.Context, url string) error
}

// enteredCall is what was entered in the form for a call.
type enteredCall struct {
	call core.Call
	// at is when it is posted; zero for now.
	at time.Time
	// wrong has a sentence for each field that is refused.
	wrong map[string]string
}

// readCall reads a draft. The channel and the time are only read where they
// can still be changed.
func (s *Service) readCall(ctx context.Context, w Words, a Action, d core.CallDraft, state core.CallState) (enteredCall, error) {
	e := enteredCall{wrong: map[string]string{}}
	e.call = core.Call{
		Team: a.Team, Words: strings.TrimSpace(d.Fields[fieldWords]), PictureURL: strings.TrimSpace(d.Fields[fieldPicture]),
		Templates: templatesOf(d.Fields[fieldTemplates]), Locale: w.Lang(), Zone: d.Zone,
	}
	refuse := func(field, id string) { e.wrong[field] = w.Plain("trouble.call."+id, nil) }
	switch n := utf8.RuneCountInString(e.call.Words); {
	case n == 0:
		refuse(fieldWords, "empty")
	case n > core.MaxCallWords:
		refuse(fieldWords, "long")
	}
	known, err := s.Store.CallTemplates(ctx, e.call.Templates, max(len(e.call.Templates), 1))
	if err != nil {
		return e, err
	}
	for _, id := range e.call.Templates {
		if !named(known, id) {
			refuse(fieldTemplates, "template")
		}
	}
	if e.call.PictureURL != "" && !s.isPicture(ctx, e.call.PictureURL) {
		refuse(fieldPicture, "picture")
	}
	if state != core.CallScheduled {
		return e, nil
	}
	var problem string
	e.at, e.call.Cron, problem = readWhen(w, d.Fields[fieldWhen], zoneNamed(d.Zone), s.Clock.Now())
	if problem != "" {
		refuse(fieldWhen, problem)
	}
	account, name, problem := s.readChannel(ctx, a, d.Fields[fieldChannel])
	if problem != "" {
		e.wrong[fieldChannel] = w.Plain("trouble.channel."+problem, nil)
	}
	e.call.Channel, e.call.ChannelName = account, name
	return e, nil
}

func named(templates []core.Template, id string) bool {
	for _, t := range templates {
		if t.ID == id {
			return true
		}
	}
	return false
}

// isPicture reports whether an address leads to a picture that everybody may
// see.
func (s *Service) isPicture(ctx context.Context, address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(address) > maxPictureURL {
		return false
	}
	if s.Pictures == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, pictureWithin)
	defer cancel()
	return s.Pictures.Picture(ctx, address) == nil
}

// readChannel looks at a channel that was chosen in a form. It returns the
// account under which messages to it are kept, which may not be stored yet,
// and its name; or what is wrong with it, as the last part of an id
// "trouble.channel.…" of the catalogue.
func (s *Service) readChannel(ctx context.Context, a Action, channel string) (account core.Account, name, problem string) {
	if channel == "" {
		return core.Account{}, "", "empty"
	}
	id := core.ChannelIdentity(a.Actor.Platform, a.Actor.Tenant, channel)
	channels := s.Channels[a.Actor.Platform]
	if channels == nil {
		return core.Account{}, "", "unknown"
	}
	info, err := channels.Channel(ctx, id)
	switch {
	case errors.Is(err, ErrNoChannel):
		return core.Account{}, "", "absent"
	case errors.Is(err, ErrArchived):
		return core.Account{}, "", "archived"
	case errors.Is(err, ErrMayNotPost):
		return core.Account{}, "", "permission"
	case err != nil:
		s.Log.WarnContext(ctx, "look at channel", "platform", a.Actor.Platform, "err", err)
		return core.Account{}, "", "unknown"
	case info.Team != "" && info.Team != a.Team:
		return core.Account{}, "", "foreign"
	}
	return core.Account{Identity: id, Team: a.Team}, info.Name, ""
}

// readWhen reads when a call is posted: now for nothing, at a time, or again
// and again by a rule. It returns the last part of an id "trouble.call.…" of
// the catalogue where that does not go.
func readWhen(w Words, text string, zone *time.Location, now time.Time) (at time.Time, rule, problem string) {
	text = oneLine(text)
	says := func(id string) bool { return strings.EqualFold(text, w.Plain(id, nil)) }
	switch {
	case text == "", says("call.when.now"), strings.EqualFold(text, "now"):
		return time.Time{}, "", ""
	case says("call.when.weekly"), strings.EqualFold(text, "weekly"):
		return time.Time{}, core.Weekly(now, zone), ""
	case says("call.when.monthly"), strings.EqualFold(text, "monthly"):
		return time.Time{}, core.Monthly(now, zone), ""
	}
	if at, err := core.ParseMoment(strings.Replace(text, "T", " ", 1), zone); err == nil {
		switch {
		case !at.After(now):
			return time.Time{}, "", "past"
		case at.Sub(now) > core.MaxCallAhead:
			return time.Time{}, "", "far"
		}
		return at, "", ""
	}
	repetition, err := core.ParseRepetition(text)
	switch {
	case errors.Is(err, core.ErrNever):
		return time.Time{}, "", "never"
	case errors.Is(err, core.ErrTooOften):
		return time.Time{}, "", "often"
	case err != nil:
		return time.Time{}, "", "when"
	}
	if at = repetition.Next(now, zone); at.IsZero() {
		return time.Time{}, "", "never"
	}
	return at, text, ""
}
