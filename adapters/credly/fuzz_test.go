package credly

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fuzzing"
	"github.com/laurelbot/laurel/internal/refdata"
)

// optional lets a fuzz target go on with its own seeds where the samples are
// missing.
type optional struct {
	testing.TB
	missing bool
}

func (o *optional) Skipf(string, ...any) { o.missing = true }

// samples are Credly's own examples, when they are there.
func samples(f *testing.F) [][]byte {
	f.Helper()
	o := &optional{TB: f}
	dir := refdata.Path(o, "credly")
	if o.missing {
		return nil
	}
	var names []string
	for _, pattern := range []string{"*.json", "docs-examples/*.json"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			f.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		f.Fatalf("no samples in %s", refdata.EnvDir)
	}
	var out [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

// said is a Credly that answers everything with one body, and notes what it
// was asked.
type said struct {
	status int
	body   []byte
	asked  []string
}

func (s *said) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, r.URL.String())
	return &http.Response{
		StatusCode: s.status, Status: http.StatusText(s.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(s.body))), Request: r,
	}, nil
}

func fuzzClient(tb testing.TB, transport http.RoundTripper) *Client {
	tb.Helper()
	c, err := New(Config{
		OrganizationID: testOrganization, Token: testToken, Clock: &testClock{now: testTime}, Transport: transport, PerSecond: 1e9,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// A link that is shown to people leads to Credly by every reading of it, a
// browser's included (https://url.spec.whatwg.org/#url-parsing).
func FuzzTrustedURL(f *testing.F) {
	for _, s := range []string{
		"https://www.credly.com/go/abc", "https://credly.com", "https://sub.credly.com:443/x", "https://api.credly.com/v1", "http://www.credly.com/",
		"https://credly.com.evil.example/", "https://evil.example/credly.com", "https://evilcredly.com/", "https://credly.com@evil.example/",
		`https://evil.example\.credly.com/`, "https://credly.com%2eevil.example/", "https:credly.com", "//credly.com", "https://credly.com#@evil.example",
		"https://credly.com\t.evil.example/", "https://ⅽredly.com/", "HTTPS://WWW.CREDLY.COM/x", "https://-.credly.com/", "https://a..credly.com/",
		"https://youracclaim.com/badges/x", "https://[::1]/credly.com", "https://credly.com:@evil.example", "https://www.credly.com/go/\xff",
	} {
		f.Add(s)
	}
	c := fuzzClient(f, &said{})
	f.Fuzz(func(t *testing.T, link string) {
		trusted := false
		fuzzing.Soon(t, func() { trusted = c.TrustedURL(link) })
		if !trusted {
			return
		}
		// A browser drops tabs and line breaks, takes a backslash for a slash
		// and ends the authority at the first of / ? and #.
		rest, found := strings.CutPrefix(strings.ToLower(strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(link)), "https://")
		if !found || len(link) > maxLink {
			t.Fatalf("%q is trusted", link)
		}
		authority := rest
		if i := strings.IndexAny(rest, "/?#"); i >= 0 {
			authority = rest[:i]
		}
		if authority != "credly.com" && authority != "youracclaim.com" &&
			!strings.HasSuffix(authority, ".credly.com") && !strings.HasSuffix(authority, ".youracclaim.com") ||
			strings.ContainsAny(authority, "@:%[] ") || strings.HasPrefix(rest, "/") {
			t.Fatalf("%q leads to %q", link, authority)
		}
		if strings.ContainsFunc(link, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r > '~' }) || strings.ContainsAny(link, "<>|") {
			t.Fatalf("%q could end a link in a message", link)
		}
	})
}

// The next page of a list lies where the first one did, so that credentials
// go nowhere else.
func FuzzNextPage(f *testing.F) {
	for _, s := range []string{
		"https://api.credly.com/v1/organizations/x/badges?page=2", "https://evil.example/v1", "//evil.example", "/v1/x", "",
		"https://u:p@api.credly.com/", "https://api.credly.com:443/", "https://api.credly.com@evil.example/", "HTTPS://api.credly.com", "%zz", "\x00",
	} {
		f.Add(s)
	}
	transport := &said{status: http.StatusOK}
	c := fuzzClient(f, transport)
	first := c.path("badges")
	f.Fuzz(func(t *testing.T, given string) {
		var next string
		fuzzing.Soon(t, func() { next = c.nextPage(given, first, url.Values{"filter": {"state::pending"}}, 2) })
		u, err := url.Parse(next)
		if err != nil || u.Scheme != "https" || u.Host != "api.credly.com" || u.User != nil {
			t.Fatalf("%q leads to %q, %v", given, next, err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, next, nil)
		if err != nil || r.URL.Host != "api.credly.com" {
			t.Fatalf("%q is asked for at %q: %v", given, next, err)
		}
	})
}

// Whatever the API answers: nobody but a badge's recipient gets it, every link
// for accepting belongs to one that is pending, no error repeats the answer,
// and a list ends.
func FuzzAnswer(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(200, data)
	}
	for _, one := range []string{
		`{"data":[` + badge(f, nil) + `],"metadata":{"next_page_url":"https://api.credly.com/v1/x?page=2"}}`,
		`{"data":` + badge(f, nil) + `}`, `{"data":[null,7,"x",{},[]],"metadata":{"next_page_url":7}}`, `{"data":{}}`, `[]`, `null`, ``,
		`{"data":[` + badge(f, map[string]any{"recipient_email": "not an address", "state": []int{1}}) + `]}`,
	} {
		f.Add(200, []byte(one))
	}
	f.Add(422, []byte(`{"data":{"message":"ada@example.org has it"},"metadata":{"current_badge_id":"x"}}`))
	f.Add(404, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		status = 200 + (status%400+400)%400
		if status == http.StatusTooManyRequests || status == http.StatusUnauthorized || status/100 == 3 {
			t.Skip("waits, or is asked again")
		}
		transport := &said{status: status, body: body}
		c := fuzzClient(t, transport)
		fuzzing.Soon(t, func() {
			o, err := c.Get(t.Context(), testBadge)
			holds(t, o, err, body)
			if err == nil && !validID(o.ProviderID) {
				t.Errorf("read %+v", o)
			}
		})
		transport.asked = nil
		email := core.Email{Shown: "ada@example.org", Normal: "ada@example.org"}
		all, err := c.ForPerson(t.Context(), email)
		for _, o := range all {
			holds(t, o, err, body)
		}
		templates, err := c.Templates(t.Context())
		for _, one := range templates {
			if one.ID == "" {
				t.Errorf("template %+v", one)
			}
		}
		tells(t, err, body)
		if len(transport.asked) > 6*maxPages {
			t.Errorf("asked %d times", len(transport.asked))
		}
		for _, link := range transport.asked {
			if !strings.HasPrefix(link, "https://api.credly.com/") {
				t.Errorf("asked %s", link)
			}
		}
	})
}

func holds(t *testing.T, o core.Observation, err error, body []byte) {
	t.Helper()
	tells(t, err, body)
	if err != nil {
		return
	}
	known := []core.Stage{
		core.StagePending, core.StageAccepted, core.StagePublic, core.StageRejected, core.StageRevoked, core.StageReplaced, core.StageUnknown,
	}
	if !slices.Contains(known, o.Stage) || o.AcceptURL != "" && o.Stage != core.StagePending {
		t.Errorf("stage %q with %q", o.Stage, o.AcceptURL)
	}
	if !o.Recipient.IsZero() {
		if again, err := core.ParseEmail(o.Recipient.Shown); err != nil || again.Normal != o.Recipient.Normal {
			t.Errorf("recipient %+v", o.Recipient)
		}
	}
	if o.ReadAt.IsZero() {
		t.Error("read at no time")
	}
}

// tells fails when an error repeats an address, or goes on for long.
func tells(t *testing.T, err error, body []byte) {
	t.Helper()
	if err == nil {
		return
	}
	if len(err.Error()) > 4*maxMessage+500 || strings.ContainsAny(err.Error(), "\r\n") ||
		strings.Contains(string(body), "ada@example.org") && strings.Contains(err.Error(), "ada@example.org") {
		t.Errorf("error %q", err)
	}
}

// A delivery is believed in nothing: whatever it says, a badge comes out only
// if Credly itself names one, and credentials stay with Credly.
func FuzzEvent(f *testing.F) {
	for _, data := range samples(f) {
		f.Add([]byte(delivery("badge.state.changed", "")), data)
		f.Add(data, data)
	}
	f.Add([]byte(delivery("badge.state.changed", `,"badge_id":"`+testBadge+`"`)), []byte(`{"data":{"organization_id":"`+testOrganization+`"}}`))
	f.Add([]byte(delivery("x", "")), []byte(`{"data":null}`))
	f.Fuzz(func(t *testing.T, payload, answer []byte) {
		transport := &said{status: http.StatusOK, body: answer}
		c := fuzzClient(t, transport)
		var id string
		var err error
		fuzzing.Soon(t, func() { id, err = c.Event(t.Context(), payload) })
		tells(t, err, payload)
		if id != "" && (err != nil || !validID(id) || len(transport.asked) == 0 || !strings.Contains(string(answer), id)) {
			t.Errorf("names %q, %v, asked %q", id, err, transport.asked)
		}
		for _, link := range transport.asked {
			u, err := url.Parse(link)
			if err != nil || u.Host != "api.credly.com" || !strings.HasPrefix(u.Path, "/v1/organizations/"+testOrganization+"/") || strings.Contains(u.Path, "..") {
				t.Errorf("asked %s: %v", link, err)
			}
		}
	})
}

// Of what Credly writes nothing but one short line without addresses and
// links gets into a log.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{
		`{"data":{"message":"ada@example.org already has it, see https://credly.com/x"}}`, `{"message":"\u202eabc\n\r"}`, `{"data":[],"message":7}`,
		`{"metadata":{"current_badge_id":"../../x"}}`, `{"message":"a%40b.example \"x y\"@z"}`, `{"message":"` + strings.Repeat("ä@", 5000) + `"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var message, current string
		fuzzing.Soon(t, func() { message, current = readMessage(body) })
		if utf8.RuneCountInString(message) > maxMessage+1 || !utf8.ValidString(message) ||
			strings.ContainsFunc(message, unicode.IsControl) || strings.Contains(strings.ToLower(message), "http://") ||
			strings.Contains(message, "ada@example.org") || current != "" && !validID(current) {
			t.Errorf("%q, %q", message, current)
		}
	})
}

// The mail of a badge is in a language that Credly has, or in its own choice.
func FuzzMailLocale(f *testing.F) {
	for _, s := range []string{"", "en", "de_AT", "zh-Hant", "es-419", "x", "\xff", strings.Repeat("a-", 400), "es-US", "i-klingon"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, locale string) {
		var got string
		fuzzing.Soon(t, func() { got = mailLocale(locale) })
		if got != "" && !slices.Contains(mailLocales, got) {
			t.Errorf("%q leads to %q", locale, got)
		}
	})
}

// Whoever does not know the token stores nothing, and what is stored is told
// apart by the event's id alone.
func FuzzDelivery(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(webhookToken, data)
	}
	f.Add("", []byte(delivery("badge.state.changed", "")))
	f.Add(webhookToken+"x", []byte(delivery("badge.state.changed", "")))
	f.Add(webhookToken, []byte(delivery("badge.state.changed", "")))
	f.Fuzz(func(t *testing.T, token string, body []byte) {
		box := &fakeInbox{}
		h, _ := newWebhook(t, box, nil)
		send := func() int {
			r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "/", strings.NewReader(string(body)))
			if err != nil {
				t.Fatal(err)
			}
			r.SetPathValue("token", token)
			status, _ := h.take(discard{}, r)
			return status
		}
		status := 0
		fuzzing.Soon(t, func() { status = send() })
		stored := len(box.all)
		if stored > 0 && (token != webhookToken || status != http.StatusOK) || stored > 1 {
			t.Fatalf("status %d, stored %d", status, stored)
		}
		if stored == 1 {
			e, err := decodeEvent([]byte(box.all[0].Payload))
			if err != nil || string(e.ID) != box.all[0].Key || !sameID(string(e.OrganizationID), testOrganization) || len(box.all[0].Payload) > maxDelivery {
				t.Fatalf("stored %+v: %v", box.all[0], err)
			}
		}
	})
}

// discard is a client that has hung up.
type discard struct{}

func (discard) Header() http.Header       { return http.Header{} }
func (discard) Write([]byte) (int, error) { return 0, errors.New("hung up") }
func (discard) WriteHeader(int)           {}
