package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core/chat"
)

func TestReceiverRefuses(t *testing.T) {
	t.Parallel()
	const ping = `{"type":1,"id":"1","token":"x"}`
	valid := inGuild(2, command(`{"name":"list","type":1}`))
	edit := func(change func(*http.Request)) func(*fixture) *http.Request {
		return func(f *fixture) *http.Request {
			r := f.sign(valid)
			change(r)
			return r
		}
	}
	signedAt := func(body string, d time.Duration) func(*fixture) *http.Request {
		return func(f *fixture) *http.Request {
			f.clock.move(d)
			r := f.sign(body)
			f.clock.move(-d)
			return r
		}
	}
	signedBody := func(body string) func(*fixture) *http.Request {
		return func(f *fixture) *http.Request { return f.sign(body) }
	}
	setSignature := func(change func(string) string) func(*fixture) *http.Request {
		return edit(func(r *http.Request) {
			r.Header.Set(headerSignature, change(r.Header.Get(headerSignature)))
		})
	}
	tests := map[string]struct {
		request func(*fixture) *http.Request
		want    int
	}{
		"valid":                {signedBody(valid), 200},
		"ping":                 {signedBody(ping), 200},
		"get":                  {edit(func(r *http.Request) { r.Method = http.MethodGet }), 405},
		"put":                  {edit(func(r *http.Request) { r.Method = http.MethodPut }), 405},
		"form":                 {edit(func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }), 415},
		"no content type":      {edit(func(r *http.Request) { r.Header.Del("Content-Type") }), 415},
		"content type charset": {edit(func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }), 200},
		"too large":            {signedBody(`{"type":1,"x":"` + strings.Repeat("a", maxBody) + `"}`), 413},
		"too large, no length": {edit(func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat("a", maxBody+1)))
			r.ContentLength = -1
		}), 413},
		"truncated":            {edit(func(r *http.Request) { r.Body = io.NopCloser(brokenReader{}) }), 400},
		"age 299":              {signedAt(valid, -299*time.Second), 200},
		"age 300":              {signedAt(valid, -300*time.Second), 200},
		"age 301":              {signedAt(valid, -301*time.Second), 401},
		"age -299":             {signedAt(valid, 299*time.Second), 200},
		"age -301":             {signedAt(valid, 301*time.Second), 401},
		"two days old ping":    {signedAt(ping, -48*time.Hour), 401},
		"no signature":         {edit(func(r *http.Request) { r.Header.Del(headerSignature) }), 401},
		"no timestamp":         {edit(func(r *http.Request) { r.Header.Del(headerTimestamp) }), 401},
		"doubled signature":    {edit(func(r *http.Request) { r.Header.Add(headerSignature, r.Header.Get(headerSignature)) }), 401},
		"doubled timestamp":    {edit(func(r *http.Request) { r.Header.Add(headerTimestamp, r.Header.Get(headerTimestamp)) }), 401},
		"short signature":      {setSignature(func(s string) string { return s[:126] }), 401},
		"odd signature":        {setSignature(func(s string) string { return s[:127] }), 401},
		"long signature":       {setSignature(func(s string) string { return s + "00" }), 401},
		"empty signature":      {setSignature(func(string) string { return "" }), 401},
		"non-hex signature":    {setSignature(func(s string) string { return "zz" + s[2:] }), 401},
		"upper case signature": {setSignature(func(string) string { return strings.Repeat("AB", 64) }), 401},
		"v1= signature":        {setSignature(func(s string) string { return "v1=" + s }), 401},
		"one bit of signature": {setSignature(func(s string) string { return flip(s) }), 401},
		"timestamp word":       {edit(func(r *http.Request) { r.Header.Set(headerTimestamp, "now") }), 401},
		"timestamp signed":     {edit(func(r *http.Request) { r.Header.Set(headerTimestamp, "+"+r.Header.Get(headerTimestamp)) }), 401},
		"timestamp huge":       {edit(func(r *http.Request) { r.Header.Set(headerTimestamp, strings.Repeat("9", 20)) }), 401},
		"one bit of body": {edit(func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(valid, "list", "lisu", 1)))
		}), 401},
		"re-encoded body": {edit(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(valid, "\n", ""))) }), 401},
		"ping, bad signature": {func(f *fixture) *http.Request {
			r := f.sign(ping)
			r.Header.Set(headerSignature, strings.Repeat("0", 128))
			return r
		}, 401},
		"not json":              {signedBody(`{"type":2`), 400},
		"empty":                 {signedBody(``), 400},
		"array":                 {signedBody(`[]`), 400},
		"null":                  {signedBody(`null`), 400},
		"not UTF-8":             {signedBody(strings.Replace(valid, "Ada", "\xff\xfe", 1)), 400},
		"unknown type":          {signedBody(inGuild(77, "")), 400},
		"type is a text":        {signedBody(`{"type":"2"}`), 400},
		"no user":               {signedBody(`{"id":"1","type":2,"token":"x","data":{"name":"badges"}}`), 400},
		"no token":              {signedBody(strings.Replace(valid, testHook, "", 1)), 400},
		"id is no number":       {signedBody(strings.Replace(valid, snowflakeAt(start), "abc", 1)), 400},
		"id overflows":          {signedBody(strings.Replace(valid, snowflakeAt(start), strings.Repeat("9", 20), 1)), 400},
		"user id traverses":     {signedBody(strings.Replace(valid, testUser, "../../x", 1)), 400},
		"press without message": {signedBody(inGuild(3, `,"data":{"custom_id":"claim:1","component_type":2}`)), 400},
		"message id traverses":  {signedBody(strings.Replace(inGuild(3, press("claim:1", 0)), testMsg, "../x", 1)), 400},
		"option is a number":    {signedBody(inGuild(2, command(`{"name":"link","type":1,"options":[{"name":"address","type":3,"value":5}]}`))), 400},
		"input is a list":       {signedBody(inGuild(5, submit("link:", `{"type":18,"component":{"type":4,"custom_id":"address","value":[]}}`))), 400},
		"data is a list":        {signedBody(inGuild(2, `,"data":[]`)), 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newTestHandler(func(chat.Action) chat.Answer { return chat.Answer{Card: &chat.Card{Title: "x"}} })
			f := newFixture(t, h)
			w := httptest.NewRecorder()
			f.mux.ServeHTTP(w, tt.request(f))
			if w.Code != tt.want {
				t.Fatalf("status %d, want %d", w.Code, tt.want)
			}
			logs := f.logs.String()
			if tt.want == 200 {
				if logs != "" {
					t.Errorf("logged: %s", logs)
				}
				return
			}
			if strings.Count(logs, "\n") != 1 || !strings.Contains(logs, "status="+strconv.Itoa(tt.want)) {
				t.Errorf("want one line of log: %q", logs)
			}
			for _, secret := range []string{testUser, testHook, "Ada", "ada"} {
				if strings.Contains(logs, secret) {
					t.Errorf("log holds %q: %s", secret, logs)
				}
			}
			if len(h.actions) != 0 || len(f.api.all()) != 0 {
				t.Error("a refused request was worked off")
			}
		})
	}
}

func flip(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		return ""
	}
	b[10] ^= 1
	return hex.EncodeToString(b)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection lost") }

func TestPong(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	if got := f.exchange(t, `{"type":1,"id":"1","application_id":"2","token":"x","version":1}`); got["type"] != 1.0 {
		t.Errorf("answer %v", got)
	}
	if w := f.post(t, inGuild(2, command(`{"name":"list","type":1}`))); w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d without a handler", w.Code)
	}
}

func TestNewChecksSettings(t *testing.T) {
	t.Parallel()
	good := Config{BotToken: "x", ApplicationID: testApp, PublicKey: strings.Repeat("ab", 32), Clock: &testClock{}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"short key":      func(c *Config) { c.PublicKey = c.PublicKey[2:] },
		"key not hex":    func(c *Config) { c.PublicKey = strings.Repeat("zz", 32) },
		"no token":       func(c *Config) { c.BotToken = "" },
		"application id": func(c *Config) { c.ApplicationID = "../x" },
		"no clock":       func(c *Config) { c.Clock = nil },
		"api url":        func(c *Config) { c.APIURL = "discord.com" },
		"texts":          func(c *Config) { c.Texts = map[string]CommandText{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := good
			change(&c)
			if _, err := New(c); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func FuzzDecodeInteraction(f *testing.F) {
	for _, s := range []string{
		inGuild(2, command(`{"name":"link","type":1,"options":[{"name":"address","type":3,"value":"ada@example.org"}]}`)),
		inDM(3, press("claim:1", 0)),
		inGuild(4, command(`{"name":"claim","type":1,"options":[{"name":"badge","type":3,"value":"go","focused":true}]}`)),
		inGuild(5, submit("code:1", `{"type":18,"component":{"type":4,"custom_id":"code","value":"12345678"}}`)),
		inGuild(5, submit("callform:", `{"type":18,"component":{"type":8,"custom_id":"channel","values":["1200000000000000001"]}}`)),
		inGuild(5, submit("callform:", `{"type":18,"component":{"type":8,"custom_id":"channel","values":["../x"]}}`)),
		strings.Replace(inGuild(2, command(`{"name":"home","type":1}`)), `{"0":`, `{"1":`, 1),
		strings.Replace(inDM(2, command(`{"name":"home","type":1}`)), `"context":1`, `"context":2,"authorizing_integration_owners":{"1":"1"}`, 1),
		`{"type":1}`, `{}`, `null`, "\xff",
	} {
		f.Add([]byte(s))
	}
	a := &Adapter{clock: &testClock{now: start}}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := decodeInteraction(body)
		if err != nil || in.Type == interactionPing {
			return
		}
		act, err := a.newAction(in)
		if err != nil {
			return
		}
		if act.Key == "" || act.Actor.User == "" || act.Verb == "" || act.Source == 0 {
			t.Errorf("incomplete action %+v", act)
		}
		for _, p := range []string{act.Reply.Ref.Reveal(), act.Aside.Ref.Reveal()} {
			if p == "" {
				t.Error("no place for the answer")
			}
		}
	})
}

func FuzzSigned(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	ts := strconv.FormatInt(start.Unix(), 10)
	f.Add(ts, hex.EncodeToString(ed25519.Sign(key, []byte(ts+"{}"))), []byte("{}"))
	f.Add("", "", []byte{})
	f.Add("-1", "zz", []byte("x"))
	f.Fuzz(func(t *testing.T, timestamp, signature string, body []byte) {
		h := http.Header{headerTimestamp: {timestamp}, headerSignature: {signature}}
		got := signed(key.Public().(ed25519.PublicKey), h, body, start)
		want := timestamp == ts && signature == hex.EncodeToString(ed25519.Sign(key, append([]byte(ts), body...)))
		if got && !want && timestamp == ts {
			t.Error("accepted a signature that the key did not make")
		}
		if want && !got {
			t.Error("refused a good signature")
		}
	})
}
