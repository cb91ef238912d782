package slacksim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
)

const (
	ada  = "U000000ADA"
	bert = "U00000BERT"
	team = "C000000001"
)

// start runs a workspace with two people and one channel.
func start(t *testing.T, change func(*slacksim.Config)) (*slacksim.Server, *slack.Client) {
	t.Helper()
	cfg := slacksim.Config{Clock: simclock.New()}
	if change != nil {
		change(&cfg)
	}
	sim, err := slacksim.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	sim.AddUser(slacksim.User{ID: ada, Name: "ada", Locale: "de-DE", TZ: "Europe/Berlin", Email: "ada@example.org"})
	sim.AddUser(slacksim.User{ID: bert, Name: "bert"})
	sim.AddChannel(team, "team", ada, bert, sim.Config().BotUserID)
	return sim, client(sim, sim.Config().BotToken)
}

func client(sim *slacksim.Server, token string) *slack.Client {
	return slack.New(token, slack.OptionAPIURL(sim.APIURL()), slack.OptionHTTPClient(&http.Client{Timeout: 10 * time.Second}))
}

func code(err error) string {
	var e slack.SlackErrorResponse
	if errors.As(err, &e) {
		return e.Err
	}
	return fmt.Sprint(err)
}

func call(t *testing.T, sim *slacksim.Server, method, token, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sim.APIURL()+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.Header.Get("X-OAuth-Scopes") == "" {
		t.Error("no X-OAuth-Scopes")
	}
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// app is a tiny app: it checks every signature with slack-go and hands what
// it gets to the functions a test sets.
type app struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	command  func(slack.SlashCommand) any
	interact func(slack.InteractionCallback) any
	requests []*http.Request
	bodies   [][]byte
	// envelopes are what came over Socket Mode.
	envelopes []socketmode.Request
}

func newApp(t *testing.T, sim *slacksim.Server) *app {
	t.Helper()
	a := &app{t: t}
	a.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		verifier, err := slack.NewSecretsVerifier(r.Header, sim.Config().SigningSecret)
		if err == nil {
			_, _ = verifier.Write(body)
			err = verifier.Ensure()
		}
		if err != nil {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		a.mu.Lock()
		a.requests, a.bodies = append(a.requests, r), append(a.bodies, body)
		command, interact := a.command, a.interact
		a.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		var answer any
		switch r.URL.Path {
		case "/commands":
			c, err := slack.SlashCommandParse(r)
			if err != nil {
				http.Error(w, "bad command", http.StatusBadRequest)
				return
			}
			answer = command(c)
		case "/interactions":
			c, err := slack.InteractionCallbackParse(r)
			if err != nil {
				http.Error(w, "bad interaction", http.StatusBadRequest)
				return
			}
			answer = interact(c)
		default:
			var e struct{ Challenge string }
			_ = json.Unmarshal(body, &e)
			_, _ = io.WriteString(w, e.Challenge)
			return
		}
		switch v := answer.(type) {
		case nil:
		case string:
			_, _ = io.WriteString(w, v)
		case int:
			w.WriteHeader(v)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(v)
		}
	}))
	t.Cleanup(a.server.Close)
	sim.SetCommandsURL(a.server.URL + "/commands")
	sim.SetInteractionsURL(a.server.URL + "/interactions")
	sim.SetEventsURL(a.server.URL + "/events")
	return a
}

func (a *app) on(command func(slack.SlashCommand) any, interact func(slack.InteractionCallback) any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.command, a.interact = command, interact
}

func plain(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject("plain_text", s, false, false)
}

func claimBlocks() slack.Blocks {
	return slack.Blocks{BlockSet: []slack.Block{
		slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "One badge is waiting", false, false), nil, nil),
		slack.NewActionBlock("", slack.NewButtonBlockElement("claim:1", "v1", plain("Claim"))),
	}}
}
