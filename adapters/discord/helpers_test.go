package discord

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/internal/refdata"
)

const (
	testToken  = "made-up-bot-token"
	testHook   = "made-up-interaction-token"
	testApp    = "1000000000000000001"
	testUser   = "2000000000000000002"
	testGuild  = "3000000000000000003"
	testChan   = "4000000000000000004"
	testMsg    = "5000000000000000005"
	otherMsg   = "6000000000000000006"
	waitToFail = 10 * time.Second
)

// start is the moment of all tests, interactions included.
var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// snowflakeAt makes an id of the given time.
func snowflakeAt(t time.Time) string {
	return strconv.FormatUint(uint64(t.UnixMilli()-discordEpoch)<<22|7, 10)
}

// testHandler answers with what answer returns and keeps the actions.
type testHandler struct {
	answer  func(chat.Action) chat.Answer
	actions chan chat.Action
	acked   chan struct{}
}

func newTestHandler(answer func(chat.Action) chat.Answer) *testHandler {
	return &testHandler{answer: answer, actions: make(chan chat.Action, 64), acked: make(chan struct{}, 64)}
}

func (h *testHandler) Handle(_ context.Context, a chat.Action) chat.Answer {
	h.actions <- a
	return h.answer(a)
}

func (h *testHandler) Acknowledged(chat.Answer) { h.acked <- struct{}{} }

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(waitToFail):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// call is one request that the fake REST API got.
type call struct {
	method, path, auth string
	query              string
	body               []byte
}

// fakeAPI answers REST calls; without an answer of its own with a message.
type fakeAPI struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	answer func(call) (status int, header map[string]string, body string)
	seen   chan call
}

func newFakeAPI(t *testing.T) *fakeAPI {
	t.Helper()
	f := &fakeAPI{seen: make(chan call, 64)}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read request: %v", err)
		}
		c := call{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.URL.RawQuery, body}
		f.mu.Lock()
		f.calls = append(f.calls, c)
		answer := f.answer
		f.mu.Unlock()
		status, header, out := 200, map[string]string(nil), fmt.Sprintf(`{"id":%q,"channel_id":%q}`, testMsg, testChan)
		if answer != nil {
			if s, h, b := answer(c); s != 0 {
				status, header, out = s, h, b
			}
		}
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, out)
		f.seen <- c
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeAPI) respond(status int, body string, header ...string) {
	h := map[string]string{}
	for i := 0; i+1 < len(header); i += 2 {
		h[header[i]] = header[i+1]
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = func(call) (int, map[string]string, string) { return status, h, body }
}

func (f *fakeAPI) all() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]call(nil), f.calls...)
}

// fixture is an adapter with everything around it.
type fixture struct {
	*Adapter
	api   *fakeAPI
	clock *testClock
	key   ed25519.PrivateKey
	logs  *lockedBuffer
	reg   *prometheus.Registry
	mux   *http.ServeMux
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newFixture(t *testing.T, h chat.Handler) *fixture {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	f := &fixture{
		api: newFakeAPI(t), clock: &testClock{now: start}, key: key,
		logs: &lockedBuffer{}, reg: prometheus.NewRegistry(), mux: http.NewServeMux(),
	}
	a, err := New(Config{
		APIURL: f.api.URL, BotToken: testToken, ApplicationID: testApp,
		PublicKey: hex.EncodeToString(key.Public().(ed25519.PublicKey)),
		Clock:     f.clock, Handler: h, Texts: testTexts(),
		Log: slog.New(slog.NewTextHandler(f.logs, nil)), Metrics: f.reg,
	})
	if err != nil {
		t.Fatal(err)
	}
	a.retryPause = time.Millisecond
	f.Adapter = a
	a.Routes(f.mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), waitToFail)
		defer cancel()
		if err := a.Drain(ctx); err != nil {
			t.Error(err)
		}
	})
	return f
}

// sign makes a request as Discord sends it.
func (f *fixture) sign(body string) *http.Request {
	ts := strconv.FormatInt(f.clock.Now().Unix(), 10)
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, PathInteractions, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(headerTimestamp, ts)
	r.Header.Set(headerSignature, hex.EncodeToString(ed25519.Sign(f.key, []byte(ts+body))))
	return r
}

func (f *fixture) post(t *testing.T, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	f.mux.ServeHTTP(w, f.sign(body))
	return w
}

// exchange posts an interaction, checks its callback against Discord's own
// description and returns it.
func (f *fixture) exchange(t *testing.T, body string) map[string]any {
	t.Helper()
	w := f.post(t, body)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	var cb map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &cb); err != nil {
		t.Fatal(err)
	}
	checkCallback(t, w.Body.Bytes())
	return cb
}

// checkCallback holds a callback against its schema.
func checkCallback(t *testing.T, data []byte) {
	t.Helper()
	var cb struct {
		Type int `json:"type"`
		Data struct {
			Components json.RawMessage `json:"components"`
		} `json:"data"`
	}
	if err := json.Unmarshal(data, &cb); err != nil {
		t.Fatal(err)
	}
	schemas := map[int]string{
		1: "PongInteractionCallbackRequest",
		4: "CreateMessageInteractionCallbackRequest",
		5: "CreateMessageInteractionCallbackRequest",
		6: "UpdateMessageInteractionCallbackRequest",
		7: "UpdateMessageInteractionCallbackRequest",
		8: "ApplicationCommandAutocompleteCallbackRequest",
		9: "ModalInteractionCallbackRequest",
	}
	checkSchema(t, schemas[cb.Type], data)
	if cb.Type == callbackMessage || cb.Type == callbackUpdate {
		checkLimits(t, cb.Data.Components)
	}
	if cb.Type == callbackModal {
		var parts []any
		if err := json.Unmarshal(cb.Data.Components, &parts); err != nil || len(parts) < 1 || len(parts) > maxModalParts {
			t.Errorf("modal of %d parts", len(parts))
		}
	}
}

var schemaOnce = sync.OnceValues(func() (*jsonschema.Compiler, error) { return jsonschema.NewCompiler(), nil })

var schemaMu sync.Mutex

// checkSchema holds data against a named schema of Discord's description.
func checkSchema(t *testing.T, name string, data []byte) {
	t.Helper()
	if name == "" {
		t.Fatal("no schema for this")
	}
	c, err := schemaOnce()
	if err != nil {
		t.Fatal(err)
	}
	schemaMu.Lock()
	defer schemaMu.Unlock()
	const location = "https://discord.test/openapi.json"
	schema, err := c.Compile(location + "#/components/schemas/" + name)
	if err != nil {
		doc, readErr := jsonschema.UnmarshalJSON(bytes.NewReader(refdata.Read(t, "discord", "openapi.json")))
		if readErr != nil {
			t.Fatal(readErr)
		}
		// A resource that is there already is no problem.
		_ = c.AddResource(location, doc)
		if schema, err = c.Compile(location + "#/components/schemas/" + name); err != nil {
			t.Fatal(err)
		}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: %v\n%s", name, err, data)
	}
}

// checkLimits checks what Discord's description leaves out: the sums of
// components and text, and ids that are not unique.
func checkLimits(t *testing.T, components []byte) {
	t.Helper()
	var list []Component
	if err := json.Unmarshal(components, &list); err != nil {
		t.Fatal(err)
	}
	parts, text, ids := 0, 0, map[string]bool{}
	var walk func(Component)
	walk = func(c Component) {
		parts++
		text += len([]rune(c.Content))
		if c.CustomID != "" && ids[c.CustomID] {
			t.Errorf("id %q twice", c.CustomID)
		}
		ids[c.CustomID] = true
		if c.Accessory != nil {
			walk(*c.Accessory)
		}
		for _, inner := range c.Components {
			walk(inner)
		}
	}
	for _, c := range list {
		walk(c)
	}
	if parts > maxComponents {
		t.Errorf("%d components", parts)
	}
	if text > maxText {
		t.Errorf("%d characters", text)
	}
}

func testTexts() map[string]CommandText {
	texts := map[string]CommandText{}
	texts[MessageCommandKey] = CommandText{Name: "Verify this badge", Names: map[string]string{"de": "Diesen Badge prüfen"}}
	for _, key := range CommandKeys {
		texts[key] = CommandText{
			Description:  "About " + key,
			Descriptions: map[string]string{"de": "Über " + key, "es-ES": "Sobre " + key, "es-419": "Sobre " + key},
		}
	}
	return texts
}

// Interactions as Discord sends them.

const person = `{"id":"` + testUser + `","username":"ada","global_name":"Ada Example","avatar":null,"discriminator":"0"}`

func inGuild(kind int, rest string) string {
	return fmt.Sprintf(`{"id":%q,"application_id":%q,"type":%d,"token":%q,"version":1,"guild_id":%q,"channel_id":%q,
		"locale":"de","guild_locale":"en-US","context":0,"app_permissions":"0","entitlements":[],"authorizing_integration_owners":{"0":%q},
		"member":{"user":%s,"roles":[],"permissions":"0"}%s}`,
		snowflakeAt(start), testApp, kind, testHook, testGuild, testChan, testGuild, person, rest)
}

func inDM(kind int, rest string) string {
	return fmt.Sprintf(`{"id":%q,"application_id":%q,"type":%d,"token":%q,"version":1,"channel_id":%q,
		"locale":"es-ES","context":1,"user":%s%s}`,
		snowflakeAt(start), testApp, kind, testHook, testChan, person, rest)
}

func command(sub string) string {
	return `,"data":{"id":"9","name":"badges","type":1,"options":[` + sub + `]}`
}

func onMsg(flags int) string {
	// An unknown component type, as a newer Discord may send, must not matter.
	return fmt.Sprintf(`,"message":{"id":%q,"channel_id":%q,"flags":%d,"content":"","components":[{"type":99,"x":[1]}]}`, testMsg, testChan, flags)
}

func press(id string, flags int) string {
	return fmt.Sprintf(`,"data":{"custom_id":%q,"component_type":2}`, id) + onMsg(flags)
}

func submit(id, fields string) string {
	return fmt.Sprintf(`,"data":{"custom_id":%q,"components":[%s]}`, id, fields)
}
