package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func FuzzCommandObject(f *testing.F) {
	b := newBench(f, chat.Answer{})
	seeds(f, "app-backend")
	for _, text := range []string{"", "link <mailto:a@example.org|a@example.org>", "claim 1"} {
		object := map[string]any{"is_enterprise_install": text == ""}
		for name, values := range b.commandForm(text) {
			if name != "is_enterprise_install" {
				object[name] = values[0]
			}
		}
		data, err := json.Marshal(object)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := b.decodeCommandObject(data)
		if err == nil {
			checkAction(t, in)
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"type":"hello","num_connections":1,"debug_info":{"host":"x"},"connection_info":{"app_id":"A1"}}`,
		`{"type":"disconnect","reason":"refresh_requested","debug_info":{}}`,
		`{"type":"slash_commands","envelope_id":"e-1","payload":{"team_id":"T1"},"accepts_response_payload":true}`,
		`{"type":"events_api","envelope_id":"e-1","payload":null,"retry_attempt":1,"retry_reason":"timeout"}`,
		`{"type":"interactive","envelope_id":"","payload":[]}`,
	} {
		f.Add([]byte(seed))
	}
	b := newBench(f, chat.Answer{})
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEnvelope(data)
		if err != nil {
			return
		}
		if e.Type == "" {
			t.Error("an envelope without a type")
		}
		if e.Type == typeHello || e.Type == typeDisconnect {
			return
		}
		frame, err := encodeAck(e.EnvelopeID, bytes.Repeat([]byte("1"), e.inline()))
		if err != nil || len(frame) >= maxAckFrame || e.EnvelopeID == "" {
			t.Errorf("%d bytes to acknowledge %q, %v", len(frame), e.EnvelopeID, err)
		}
		b.handleEnvelope(t.Context(), &e, time.Now(), func(id string, body []byte) error {
			if id != e.EnvelopeID || len(body) > e.inline() {
				t.Errorf("acknowledged %q with %d bytes", id, len(body))
			}
			return nil
		})
		for len(b.handler.actions) > 0 {
			<-b.handler.actions
		}
		for len(b.slack.calls) > 0 {
			<-b.slack.calls
		}
		for len(b.handler.acknowledged) > 0 {
			<-b.handler.acknowledged
		}
	})
}

func FuzzPlace(f *testing.F) {
	b := newBench(f, chat.Answer{})
	for _, r := range []placeRef{
		{URL: "https://hooks.slack.com/x", Replace: true, Until: 1, Uses: 2},
		{Channel: "C1", TS: "1.2", Tenant: "T1"},
		{Channel: "C1", User: "U1"},
		{Tenant: "T1", User: "U1", Home: true},
		{URL: "https://hooks.slack.com@evil.example.org/"},
	} {
		f.Add(r.secret().Reveal())
	}
	f.Fuzz(func(t *testing.T, ref string) {
		r, ok := parseRef(core.Secret(ref))
		if !ok {
			return
		}
		again, ok := parseRef(r.secret())
		if !ok || again != r && !strings.ContainsRune(ref, '\\') {
			t.Errorf("%+v became %+v", r, again)
		}
		if r.URL != "" && b.allowedURL(r.URL) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL, nil)
			if err == nil && req.URL.Host != hooksHost && req.URL.Host != b.apiURL.Host {
				t.Errorf("%q leads to %q", r.URL, req.URL.Host)
			}
		}
	})
}

func FuzzOrigin(f *testing.F) {
	b := newBench(f, chat.Answer{})
	who := core.Identity{Platform: Platform, Tenant: "T1", User: "U1"}
	f.Add(b.sealOrigin(origin{URL: "https://hooks.slack.com/x", Until: 1, Tenant: "T1", User: "U1"}), "")
	f.Add(b.sealOrigin(origin{Home: true, Tenant: "T1", User: "U1"}), `{"h":true,"w":"U1","x":"T1","u":"https://hooks.slack.com/x","t":"1.2"}`)
	f.Add(b.keys.Seal("{}", viewContext), `{"u":"x","w":"U1","x":"T1"}`)
	f.Add("", `{"w":"U2","x":"T1","t":"1.2","c":"C1"}`)
	f.Fuzz(func(t *testing.T, sealed, plain string) {
		for _, s := range []string{sealed, b.keys.Seal(plain, viewContext)} {
			o := b.openOrigin(s, who)
			if o.Tenant != who.Tenant || o.User != who.User {
				t.Errorf("%q is of %+v", s, o)
			}
			if p := o.places(b.clock.Now()); p.reply.Ref == "" || p.aside.Ref == "" {
				t.Error("no place for the answer")
			}
		}
	})
}

func FuzzResponseURLAnswer(f *testing.F) {
	f.Add(200, "", []byte("ok"))
	f.Add(200, "", []byte(`{"ok":false,"error":"ratelimited"}`))
	f.Add(404, "", []byte("used_url"))
	f.Add(429, "-5", []byte(""))
	f.Add(500, "x", []byte(`{"ok":true}`))
	f.Fuzz(func(t *testing.T, status int, retryAfter string, answer []byte) {
		err := responseURLError("answer", status, retryAfter, answer)
		var d *core.DeliveryError
		if err == nil {
			if status != http.StatusOK {
				t.Errorf("status %d passed", status)
			}
			return
		}
		if !errors.As(err, &d) || d.Code == "" || len(d.Code) > 100 || !cleanText(d.Code) {
			t.Fatalf("got %v", err)
		}
		if d.Class == core.RetryLater && (d.After <= 0 || d.After > maxRetryAfter) {
			t.Errorf("waits %v", d.After)
		}
	})
}

// FuzzAnswer is about answers of the Web API that we read ourselves.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "", []byte(`{"ok":true,"messages":[{"ts":"1.2","metadata":{"event_type":"laurel_delivery","event_payload":{"key":"k"}}}]}`))
	f.Add(200, "", []byte(`{"ok":false,"error":"missing_scope","needed":"im:history"}`))
	f.Add(200, "", []byte(`{"ok":false,"error":"ratelimited"}`))
	f.Add(429, "7", []byte(``))
	b := newBench(f, chat.Answer{})
	var answer http.Response
	b.client.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
		resp := answer
		return &resp, nil
	})
	f.Fuzz(func(t *testing.T, status int, retryAfter string, body []byte) {
		answer = http.Response{
			StatusCode: status, Header: http.Header{"Retry-After": {retryAfter}}, Body: io.NopCloser(bytes.NewReader(body)),
		}
		limited := isLimited(&answer)
		kept, err := io.ReadAll(answer.Body)
		if err != nil || !bytes.Equal(kept, body) && status != http.StatusTooManyRequests {
			t.Errorf("%q became %q, %v", body, kept, err)
		}
		if after := parseRetryAfter(retryAfter); after < 0 || after > maxRetryAfter {
			t.Errorf("waits %v", after)
		}
		answer.Body = io.NopCloser(bytes.NewReader(body))
		page, err := b.readHistory(t.Context(), nil)
		if (err == nil) != (page.OK && status == http.StatusOK) {
			t.Errorf("got %+v, %v", page, err)
		}
		if limited && core.ClassOf(err) != core.RetryLater {
			t.Errorf("limited, but %v", err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
