package discordsim_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/simclock"
)

// toSim sends every request of one session to the simulator.
type toSim struct{ base *url.URL }

func (t toSim) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = t.base.Scheme, t.base.Host, ""
	return http.DefaultTransport.RoundTrip(r)
}

func start(t *testing.T, cfg discordsim.Config) *discordsim.Server {
	t.Helper()
	if cfg.Clock == nil {
		cfg.Clock = simclock.NewFrozen(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC))
	}
	s, err := discordsim.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, odd := cfg.Schema.(pickySchema); odd {
			return
		}
		for _, v := range s.Violations() {
			t.Errorf("the simulator's own answer: %s", v)
		}
	})
	return s
}

func session(t *testing.T, s *discordsim.Server) *discordgo.Session {
	t.Helper()
	return sessionWith(t, s, s.BotToken())
}

func sessionWith(t *testing.T, s *discordsim.Server, token string) *discordgo.Session {
	t.Helper()
	base, err := url.Parse(s.BaseURL())
	if err != nil {
		t.Fatal(err)
	}
	dg, err := discordgo.New("Bot " + token)
	if err != nil {
		t.Fatal(err)
	}
	dg.StateEnabled = false
	dg.ShouldRetryOnRateLimit = false
	dg.MaxRestRetries = 0
	dg.Client = &http.Client{Timeout: 10 * time.Second, Transport: toSim{base}}
	return dg
}

// world is a guild with a channel and two people.
type world struct{ ada, bob, guild, channel string }

func populate(t *testing.T, s *discordsim.Server) world {
	t.Helper()
	w := world{
		ada:   s.AddUser(discordsim.User{Name: "ada", GlobalName: "Ada Example", Locale: "de"}),
		bob:   s.AddUser(discordsim.User{Name: "bob"}),
		guild: s.AddGuild(discordsim.Guild{Name: "Guild"}),
	}
	var err error
	if w.channel, err = s.AddChannel(discordsim.Channel{GuildID: w.guild, Name: "general"}); err != nil {
		t.Fatal(err)
	}
	return w
}

// fakeBot answers interactions by what handle returns; nil is a 202.
type fakeBot struct {
	key    ed25519.PublicKey
	handle func(in inbound) any

	mu   sync.Mutex
	seen []inbound
	raw  [][]byte
}

type inbound struct {
	ID                  string          `json:"id"`
	Type                int             `json:"type"`
	Token               string          `json:"token"`
	ChannelID           string          `json:"channel_id"`
	GuildID             string          `json:"guild_id"`
	Locale              string          `json:"locale"`
	GuildLocale         string          `json:"guild_locale"`
	AppPermissions      string          `json:"app_permissions"`
	Context             *int            `json:"context"`
	Member              json.RawMessage `json:"member"`
	User                json.RawMessage `json:"user"`
	Message             json.RawMessage `json:"message"`
	Channel             json.RawMessage `json:"channel"`
	AuthorizingIntegr   map[string]any  `json:"authorizing_integration_owners"`
	Data                json.RawMessage `json:"data"`
	AttachmentSizeLimit int             `json:"attachment_size_limit"`
}

func (b *fakeBot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if !discordgo.VerifyInteraction(r, b.key) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	raw, err := io.ReadAll(r.Body)
	var in inbound
	if err != nil || json.Unmarshal(raw, &in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if in.Type == 1 {
		_, _ = w.Write([]byte(`{"type":1}`))
		return
	}
	b.mu.Lock()
	b.seen = append(b.seen, in)
	b.raw = append(b.raw, raw)
	b.mu.Unlock()
	out := b.handle(in)
	if out == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if f, ok := out.(formed); ok {
		f.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

func (b *fakeBot) last() inbound {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[len(b.seen)-1]
}

func (b *fakeBot) lastRaw() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.raw[len(b.raw)-1]
}

func (b *fakeBot) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.seen)
}

func attach(t *testing.T, s *discordsim.Server, handle func(in inbound) any) *fakeBot {
	t.Helper()
	key, err := hex.DecodeString(s.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	b := &fakeBot{key: key, handle: handle}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	if err := s.SetInteractionsURL(t.Context(), srv.URL+"/discord/interactions"); err != nil {
		t.Fatal(err)
	}
	return b
}

// badges registers the command that the tests use.
func badges(t *testing.T, s *discordsim.Server) []*discordgo.ApplicationCommand {
	t.Helper()
	cmds, err := session(t, s).ApplicationCommandBulkOverwrite(s.ApplicationID(), "", []*discordgo.ApplicationCommand{badgesCommand()})
	if err != nil {
		t.Fatal(err)
	}
	return cmds
}

func badgesCommand() *discordgo.ApplicationCommand {
	return &discordgo.ApplicationCommand{
		Name: "badges", Description: "Your badges",
		NameLocalizations: &map[discordgo.Locale]string{discordgo.German: "abzeichen"},
		Options: []*discordgo.ApplicationCommandOption{
			{Type: discordgo.ApplicationCommandOptionSubCommand, Name: "list", Description: "List"},
			{Type: discordgo.ApplicationCommandOptionSubCommand, Name: "link", Description: "Link", Options: []*discordgo.ApplicationCommandOption{
				{Type: discordgo.ApplicationCommandOptionString, Name: "address", Description: "Address", Required: true, MaxLength: 20},
			}},
			{Type: discordgo.ApplicationCommandOptionSubCommand, Name: "claim", Description: "Claim", Options: []*discordgo.ApplicationCommandOption{
				{Type: discordgo.ApplicationCommandOptionString, Name: "badge", Description: "Badge", Autocomplete: true},
			}},
		},
	}
}

// call makes a plain REST request and returns status, headers and the object.
func call(t *testing.T, s *discordsim.Server, method, path string, body any, auth bool) (int, http.Header, map[string]any) {
	t.Helper()
	data := []byte(nil)
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.BaseURL()+"/api/v10"+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if auth {
		r.Header.Set("Authorization", "Bot "+s.BotToken())
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if len(raw) > 0 && raw[0] == '{' {
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode, resp.Header, out
}

// wantCode checks the code of a REST error.
func wantCode(t *testing.T, err error, status, code int) {
	t.Helper()
	var re *discordgo.RESTError
	if !errors.As(err, &re) {
		t.Fatalf("got %v, want a REST error", err)
	}
	if re.Response.StatusCode != status || re.Message == nil || re.Message.Code != code {
		t.Fatalf("got %d %s, want %d code %d", re.Response.StatusCode, re.ResponseBody, status, code)
	}
}

type obj = map[string]any

func button(label, id string) obj { return obj{"type": 2, "style": 1, "label": label, "custom_id": id} }

func row(components ...any) obj { return obj{"type": 1, "components": components} }
