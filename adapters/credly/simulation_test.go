package credly_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/credly"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/simclock"
)

// These tests speak with the simulated Credly over the wire.

const simToken = "token-of-the-simulation"

var simTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

type simulation struct {
	*credlysim.Server
	clock    *simclock.Clock
	client   *credly.Client
	template credlysim.Template
}

func simulate(t *testing.T, change func(*credlysim.Config), configure func(*credly.Config)) simulation {
	t.Helper()
	clock := simclock.NewFrozen(simTime)
	cfg := credlysim.Config{Clock: clock, Token: simToken, ClientID: "app", ClientSecret: "hidden-secret", PublicOnAccept: false}
	if change != nil {
		change(&cfg)
	}
	sim, err := credlysim.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	mine := credly.Config{
		APIURL: sim.APIURL(), OAuthURL: sim.OAuthURL(), OrganizationID: sim.OrganizationID(), Token: simToken,
		Clock: clock, PerSecond: 10_000,
	}
	if configure != nil {
		configure(&mine)
	}
	client, err := credly.New(mine)
	if err != nil {
		t.Fatal(err)
	}
	return simulation{sim, clock, client, sim.AddTemplate(credlysim.Template{Name: "Level B"})}
}

func (s simulation) request(t *testing.T, award, address string) core.IssueRequest {
	t.Helper()
	e, err := core.ParseEmail(address)
	if err != nil {
		t.Fatal(err)
	}
	return core.IssueRequest{
		ExternalID: award, TemplateID: s.template.ID, Recipient: e, FirstName: "Ada", LastName: "Example", Locale: "de-CH",
		IssuedAt: simTime.AddDate(0, 0, -1), ExpiresAt: simTime.AddDate(5, 0, 0), Certificate: core.Certificate{Number: "C-1"},
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestSimulatedJourney(t *testing.T) {
	t.Parallel()
	for name, configure := range map[string]func(*credly.Config){
		"token": nil,
		"oauth": func(c *credly.Config) { c.Token, c.ClientID, c.ClientSecret = "", "app", "hidden-secret" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := simulate(t, nil, configure)
			ctx := t.Context()
			obs := must[core.Observation](t)
			r := s.request(t, "A-1", "Ada@example.org")
			issued := obs(s.client.Issue(ctx, r))
			if issued.Stage != core.StagePending || issued.Locale != "de" || issued.ExternalID != "A-1" || !s.client.TrustedURL(issued.AcceptURL) {
				t.Fatalf("issued %+v", issued)
			}
			if again := obs(s.client.Issue(ctx, r)); again.ProviderID != issued.ProviderID || len(s.Badges()) != 1 {
				t.Errorf("issued twice: %+v", again)
			}
			if _, err := s.Register("ada@example.org", credlysim.Registration{}); err != nil {
				t.Fatal(err)
			}
			if err := s.AddEmail("ada@example.org", "second@example.org", true); err != nil {
				t.Fatal(err)
			}
			if err := s.Accept(issued.ProviderID); err != nil {
				// Whoever registers confirms the address first.
				if err := errors.Join(s.ConfirmEmail("ada@example.org"), s.Accept(issued.ProviderID)); err != nil {
					t.Fatal(err)
				}
			}
			accepted := obs(s.client.Get(ctx, issued.ProviderID))
			if accepted.Stage != core.StageAccepted || !accepted.At.After(issued.At) || accepted.AcceptURL != "" {
				t.Errorf("accepted %+v", accepted)
			}
			if err := s.SetPublic(issued.ProviderID, true); err != nil {
				t.Fatal(err)
			}
			second := s.request(t, "A-1", "second@example.org").Recipient
			found := must[[]core.Observation](t)(s.client.ForPerson(ctx, second))
			if len(found) != 1 || found[0].Stage != core.StagePublic || found[0].Recipient != r.Recipient {
				t.Errorf("found %+v", found)
			}
			if _, err := s.client.Replace(ctx, issued.ProviderID, r); !errors.Is(err, core.ErrRefused) {
				t.Errorf("replace an accepted badge: %v", err)
			}
			for range 2 {
				if err := s.client.Revoke(ctx, issued.ProviderID, "withdrawn"); err != nil {
					t.Error(err)
				}
			}
			if got := obs(s.client.Get(ctx, issued.ProviderID)); got.Stage != core.StageRevoked {
				t.Errorf("revoked %+v", got)
			}
		})
	}
}

func TestSimulatedLostAnswer(t *testing.T) {
	t.Parallel()
	for _, duplicates := range []bool{false, true} {
		t.Run(fmt.Sprint(duplicates), func(t *testing.T) {
			t.Parallel()
			s := simulate(t, nil, nil)
			s.template = s.AddTemplate(credlysim.Template{Name: "Level C", AllowDuplicates: duplicates})
			r := s.request(t, "A-1", "ada@example.org")
			s.Fail(credlysim.Fault{Method: http.MethodPost, Path: "/badges", DropAnswer: true})
			if _, err := s.client.Issue(t.Context(), r); err == nil || errors.Is(err, core.ErrRefused) {
				t.Fatalf("error %v", err)
			}
			o, err := s.client.Issue(t.Context(), r)
			if err != nil || o.ExternalID != "A-1" || len(s.Badges()) != 1 {
				t.Errorf("got %+v, %v, %d badges", o, err, len(s.Badges()))
			}
		})
	}
}

func TestSimulatedReplace(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil, nil)
	ctx := t.Context()
	obs := must[core.Observation](t)
	first := obs(s.client.Issue(ctx, s.request(t, "A-1", "wrong@example.org")))
	r := s.request(t, "A-1", "right@example.org")
	moved := obs(s.client.Replace(ctx, first.ProviderID, r))
	if moved.Recipient != r.Recipient || moved.Stage != core.StagePending || moved.ProviderID == first.ProviderID {
		t.Errorf("moved %+v", moved)
	}
	if old := obs(s.client.Get(ctx, first.ProviderID)); old.Stage != core.StageReplaced || old.ReplacedBy != moved.ProviderID {
		t.Errorf("old %+v", old)
	}
	if again := obs(s.client.Replace(ctx, first.ProviderID, r)); again.ProviderID != moved.ProviderID {
		t.Errorf("repeated %+v", again)
	}
}

func TestSimulatedPages(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil, nil)
	for i := range 60 {
		tpl := s.AddTemplate(credlysim.Template{Name: fmt.Sprintf("Level %02d", i)})
		if _, err := s.Issue(credlysim.IssueRequest{
			RecipientEmail: "ada@example.org", FirstName: "Ada", LastName: "Example", TemplateID: tpl.ID, IssuedAt: "2026-11-20",
		}); err != nil {
			t.Fatal(err)
		}
	}
	found := must[[]core.Observation](t)(s.client.ForPerson(t.Context(), s.request(t, "A", "ada@example.org").Recipient))
	templates := must[[]core.Template](t)(s.client.Templates(t.Context()))
	if len(found) != 60 || len(templates) != 61 {
		t.Errorf("%d badges, %d templates", len(found), len(templates))
	}
}

// channelInbox hands on what it is given.
type channelInbox chan inbox.Message

func (c channelInbox) Receive(ctx context.Context, m inbox.Message) (bool, error) {
	select {
	case c <- m:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func TestSimulatedWebhooks(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil, nil)
	box := make(channelInbox, 16)
	hook, err := credly.NewWebhook(credly.WebhookConfig{Token: "an-unguessable-token", OrganizationID: s.OrganizationID(), Inbox: box})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	hook.Routes(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.SetWebhookURL(server.URL + "/webhooks/credly/an-unguessable-token")
	issued := must[core.Observation](t)(s.client.Issue(t.Context(), s.request(t, "A-1", "ada@example.org")))
	for {
		select {
		case m := <-box:
			id, err := s.client.Event(t.Context(), []byte(m.Payload))
			if err != nil {
				t.Fatal(err)
			}
			if id == "" {
				continue
			}
			if id != issued.ProviderID {
				t.Errorf("event is about %q", id)
			}
			return
		case <-time.After(10 * time.Second):
			t.Fatal("no webhook came")
		}
	}
}

func TestSimulatedChecks(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil, nil)
	for _, f := range s.client.Check(t.Context()) {
		if !f.OK {
			t.Errorf("finding %+v", f)
		}
	}
	expires, known, err := s.client.TokenExpiry(t.Context())
	if err != nil || !known || expires.Sub(simTime) < 179*24*time.Hour {
		t.Errorf("expires %v, %v, %v", expires, known, err)
	}
	if err := s.SetTokenExpiry(simToken, simTime); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Templates(t.Context()); !errors.Is(err, core.ErrUnauthorized) {
		t.Errorf("expired token: %v", err)
	}
}
