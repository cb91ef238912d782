package slack

import (
	"context"
	"errors"

	slackapi "github.com/slack-go/slack"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// The event that somebody looks at a tab of the app, and the tab that is the
// home (https://docs.slack.dev/reference/events/app_home_opened).
const (
	homeOpened = "app_home_opened"
	homeTab    = "home"
)

// openedHome is the little that is used of that event. Other events have other
// things under the same names, so it is read by itself.
type openedHome struct {
	Event struct {
		User string `json:"user"`
		Tab  string `json:"tab"`
		// View is what the app published there last.
		View *struct {
			Hash string `json:"hash"`
		} `json:"view"`
	} `json:"event"`
}

// decodeHomeOpened reads that somebody opened their home.
func (a *Adapter) decodeHomeOpened(e *event, body []byte) (interaction, error) {
	var h openedHome
	if err := decodeJSON(body, &h); err != nil {
		return interaction{}, err
	}
	if h.Event.Tab != homeTab {
		return interaction{kind: kindEvent, silent: "ignored"}, nil
	}
	whole := len(e.Authorizations) > 0 && e.Authorizations[0].IsEnterpriseInstall
	who, err := actor(e.TeamID, e.EnterpriseID, whole, h.Event.User)
	if err != nil {
		return interaction{}, err
	}
	if !validID(e.EventID) {
		return interaction{}, errMissingID
	}
	in := interaction{kind: kindEvent, origin: origin{Tenant: who.id.Tenant, User: who.id.User, Home: true}}
	if h.Event.View != nil {
		in.seen = h.Event.View.Hash
	}
	if !optionalID(in.seen) {
		return interaction{}, errMissingID
	}
	in.action = a.newAction(who, in.origin, e.EventID, chat.SourceOpen, chat.VerbHome, "")
	return in, nil
}

// pressAtHome reads a pressed button of the home tab. There is no message and
// no response URL: what follows is shown in the tab, or sent to the person
// (https://docs.slack.dev/reference/interaction-payloads/block_actions-payload).
func (a *Adapter) pressAtHome(who sender, p *payload, verb chat.Verb, opaque string) (interaction, error) {
	if !validID(p.TriggerID) || !optionalID(p.View.Hash) {
		return interaction{}, errMissingID
	}
	o := origin{Tenant: who.id.Tenant, User: who.id.User, Home: true}
	in := interaction{kind: kindPress, trigger: p.TriggerID, origin: o}
	if verb == chat.VerbHome {
		in.seen = p.View.Hash
	}
	in.action = a.newAction(who, o, p.TriggerID, chat.SourcePress, verb, opaque)
	return in, nil
}

type seenKey struct{}

// withSeen says which state of a home tab an answer is about.
func withSeen(ctx context.Context, hash string) context.Context {
	if hash == "" {
		return ctx
	}
	return context.WithValue(ctx, seenKey{}, hash)
}

// publish shows c in somebody's home tab. An answer that shows everything at a
// glance says which state of the tab it is about: where the tab shows something
// newer meanwhile, because of a change that was told after the answer was made,
// that is left to stand.
// https://docs.slack.dev/reference/methods/views.publish
func (a *Adapter) publish(ctx context.Context, p core.Place, ref placeRef, c chat.Card) (core.Place, error) {
	request := slackapi.PublishViewContextRequest{
		UserID: ref.User,
		View:   slackapi.HomeTabViewRequest{Type: slackapi.VTHomeTab, Blocks: slackapi.Blocks{BlockSet: renderCard(c, "")}},
	}
	if seen, ok := ctx.Value(seenKey{}).(string); ok {
		request.Hash = &seen
	}
	_, err := a.api.PublishViewContext(withScope(ctx, ref.Tenant, ""), request)
	err = deliveryError("views.publish", err)
	var d *core.DeliveryError
	if errors.As(err, &d) && d.Code == "hash_conflict" && request.Hash != nil {
		return p, nil
	}
	if err != nil {
		return core.Place{}, err
	}
	p.Shown = true
	return p, nil
}
