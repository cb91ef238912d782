package slack

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/laurelbot/laurel/core/inbox"
)

// storeWithin is when an event must be stored: Slack waits three seconds, and
// a database that stands still must not keep it longer.
const storeWithin = 2500 * time.Millisecond

// maxChallenge bounds what is given back in the check of the events URL.
const maxChallenge = 1000

// event is the little that is used of an event.
// https://docs.slack.dev/apis/events-api/#event-type-structure
type event struct {
	Type           string `json:"type"`
	Challenge      string `json:"challenge"`
	TeamID         string `json:"team_id"`
	EnterpriseID   string `json:"enterprise_id"`
	EventID        string `json:"event_id"`
	Authorizations []struct {
		EnterpriseID        string `json:"enterprise_id"`
		TeamID              string `json:"team_id"`
		IsEnterpriseInstall bool   `json:"is_enterprise_install"`
	} `json:"authorizations"`
	Event struct {
		Type   string `json:"type"`
		Tokens struct {
			OAuth []string `json:"oauth"`
			Bot   []string `json:"bot"`
		} `json:"tokens"`
	} `json:"event"`
}

func (a *Adapter) serveEvent(ctx context.Context, body []byte, received time.Time) reply {
	var e event
	if err := decodeJSON(body, &e); err != nil {
		return a.refuse(kindEvent, http.StatusBadRequest, "malformed", err)
	}
	switch e.Type {
	case "url_verification":
		return a.challenge(e.Challenge)
	case "event_callback":
		if e.Event.Type == homeOpened {
			in, err := a.decodeHomeOpened(&e, body)
			return a.serveDecoded(ctx, kindEvent, in, err, received, 0)
		}
		return a.dispatchEvent(ctx, &e)
	case "app_rate_limited":
		a.log.Warn("slack limits the events it sends")
		return reply{status: http.StatusOK, outcome: "rate_limited"}
	case "":
		return a.refuse(kindEvent, http.StatusBadRequest, "malformed", errNotJSON)
	default:
		return reply{status: http.StatusOK, outcome: "ignored"}
	}
}

// challenge answers the check of the events URL
// (https://docs.slack.dev/reference/events/url_verification).
func (a *Adapter) challenge(value string) reply {
	body, err := json.Marshal(map[string]string{"challenge": value})
	if err != nil || value == "" || len(value) > maxChallenge {
		return a.refuse(kindEvent, http.StatusBadRequest, "malformed", errNotJSON)
	}
	return reply{status: http.StatusOK, outcome: "challenge", body: body}
}

// dispatchEvent stores what ends an installation; everything else needs no
// work. An event that could not be stored is refused, so that Slack sends it
// again.
func (a *Adapter) dispatchEvent(ctx context.Context, e *event) reply {
	kind := e.ending()
	if kind == "" {
		return reply{status: http.StatusOK, outcome: "ignored"}
	}
	tenant := e.tenant()
	if !validID(e.EventID) || !validID(tenant) {
		return a.refuse(kindEvent, http.StatusBadRequest, "malformed", errMissingID)
	}
	isNew, err := a.store(ctx, inbox.Message{
		Source:  string(Platform),
		Key:     e.EventID,
		Kind:    kind,
		Payload: string(Platform) + ":" + tenant,
	})
	if err != nil {
		a.log.Error("slack event not stored", slog.String("type", e.Event.Type), slog.String("cause", err.Error()))
		return reply{status: http.StatusInternalServerError, outcome: "not_stored"}
	}
	if !isNew {
		return reply{status: http.StatusOK, outcome: "duplicate"}
	}
	return reply{status: http.StatusOK, outcome: "stored"}
}

// store has a timer of its own, whatever the database does.
func (a *Adapter) store(ctx context.Context, m inbox.Message) (isNew bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
	defer cancel()
	type result struct {
		isNew bool
		err   error
	}
	done := make(chan result, 1)
	go func() {
		isNew, err := a.inbox.Receive(ctx, m)
		done <- result{isNew, err}
	}()
	select {
	case r := <-done:
		return r.isNew, r.err
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// ending says how the event ends an installation; empty means not at all.
// Revoked tokens alone only stop what is sent: an app that was removed is told
// so, before or after that. Tokens of people do not matter: none is kept.
// https://docs.slack.dev/reference/events/app_uninstalled,
// https://docs.slack.dev/reference/events/tokens_revoked
func (e *event) ending() inbox.Kind {
	tokens := e.Event.Tokens
	switch {
	case e.Event.Type == "app_uninstalled":
		return inbox.KindInstallationRemoved
	case e.Event.Type == "tokens_revoked" && (len(tokens.Bot) > 0 || len(tokens.OAuth) == 0):
		return inbox.KindInstallationEnded
	default:
		return ""
	}
}

// tenant is the one that [actor] gives the same installation's people: the
// organisation where all of it installed the app, otherwise the workspace.
func (e *event) tenant() string {
	if len(e.Authorizations) > 0 {
		if auth := e.Authorizations[0]; auth.IsEnterpriseInstall {
			return auth.EnterpriseID
		}
	}
	if e.TeamID == "" {
		return e.EnterpriseID
	}
	return e.TeamID
}
