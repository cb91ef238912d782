package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fuzzing"
)

const (
	testLink      = "https://www.credly.com/badges/54a07c5c-89f9-4c33-9731-e1b0d34f88b9/public_url"
	testRecipient = "user1@example.com"
)

// sent is a form as browsers send it.
type sent struct {
	kind string
	body string
}

func plainForm(values ...string) sent {
	v := url.Values{}
	for i := 0; i < len(values); i += 2 {
		v.Set(values[i], values[i+1])
	}
	return sent{"application/x-www-form-urlencoded", v.Encode()}
}

// parts are a multipart form; a name with a slash has the name of a file
// behind it.
func parts(t testing.TB, values ...string) sent {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(values); i += 2 {
		name, file, ok := strings.Cut(values[i], "/")
		h := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + name + `"`}}
		if ok {
			h = textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + name + `"; filename="` + file + `"`}, "Content-Type": {"image/png"}}
		}
		part, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, values[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return sent{w.FormDataContentType(), b.String()}
}

// verify presses the button.
func (s *site) verify(t testing.TB, f sent, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	h := http.Header{"Content-Type": {f.kind}, "Sec-Fetch-Site": {"same-origin"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return s.do(t, http.MethodPost, "/verify", h, f.body)
}

func TestVerifyAsksWhatWasEntered(t *testing.T) {
	t.Parallel()
	token := "eyJhbGciOiJSUzI1NiJ9.e30.x"
	for name, tt := range map[string]struct {
		form sent
		want core.BadgeQuery
	}{
		"a link":            {plainForm("badge", " "+testLink+"\n"), core.BadgeQuery{Link: testLink}},
		"a link in parts":   {parts(t, "badge", testLink, "file/", "", "recipient", ""), core.BadgeQuery{Link: testLink}},
		"without a scheme":  {plainForm("badge", strings.TrimPrefix(testLink, "https://")), core.BadgeQuery{Link: testLink}},
		"a link in words":   {plainForm("badge", "My badge: <"+testLink+"> – look!"), core.BadgeQuery{Link: testLink}},
		"words alone":       {plainForm("badge", "my badge"), core.BadgeQuery{Link: "my badge"}},
		"a recipient":       {plainForm("badge", testLink, "recipient", " "+testRecipient), core.BadgeQuery{Link: testLink, Recipient: testRecipient}},
		"a token":           {plainForm("badge", token), core.BadgeQuery{Link: token}},
		"a document":        {plainForm("badge", ` {"a":1}`), core.BadgeQuery{File: []byte(`{"a":1}`)}},
		"a drawing":         {plainForm("badge", "<svg/>"), core.BadgeQuery{File: []byte("<svg/>")}},
		"a file":            {parts(t, "badge", testLink, "file/a.png", "\x89PNG\x00\r\n--x"), core.BadgeQuery{File: []byte("\x89PNG\x00\r\n--x")}},
		"the first of each": {parts(t, "file/a", "one", "file/b", "two", "badge", "x"), core.BadgeQuery{File: []byte("one")}},
		"unknown fields":    {parts(t, "more", strings.Repeat("x", 9000), "badge", testLink), core.BadgeQuery{Link: testLink}},
		"a strange name":    {parts(t, `file/..\\..\\etc\\passwd%0d%0aX-Evil: 1`, "x"), core.BadgeQuery{File: []byte("x")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			w := s.verify(t, tt.form)
			if w.Code != http.StatusOK || len(s.verifier.asked) != 1 {
				t.Fatalf("status %d, asked %d times", w.Code, len(s.verifier.asked))
			}
			got := s.verifier.asked[0]
			if got.Link != tt.want.Link || got.Recipient != tt.want.Recipient || !bytes.Equal(got.File, tt.want.File) {
				t.Errorf("asked %q, %q, %q", got.Link, got.Recipient, got.File)
			}
			body := w.Body.String()
			if strings.Contains(body, testRecipient) || strings.Contains(body, "passwd") || len(w.Header().Values("X-Evil")) > 0 || s.log.Len() > 0 {
				t.Errorf("the page repeats what it must not, or the log does: %s", s.log)
			}
			if strings.Contains(body, testLink) != (tt.want.Link == testLink) {
				t.Error("the link is not shown again, or another thing is")
			}
		})
	}
}

// TestVerifyRefuses sends what is no form for it. Nothing of it is verified,
// and the page says what is wrong.
func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", core.MaxBadgeFileBytes+1)
	for name, tt := range map[string]struct {
		form   sent
		status int
		says   string
	}{
		"nothing":               {plainForm(), 422, "Paste a link"},
		"blank":                 {plainForm("badge", " \n "), 422, "Paste a link"},
		"empty parts":           {parts(t, "badge", "", "file/", ""), 422, "Paste a link"},
		"no address":            {plainForm("badge", testLink, "recipient", "somebody"), 422, "no e-mail address"},
		"two addresses":         {plainForm("badge", testLink, "recipient", "a@example.org, b@example.org"), 422, "no e-mail address"},
		"a long address":        {plainForm("badge", testLink, "recipient", strings.Repeat("a", 400)+"@example.org"), 422, "no e-mail address"},
		"a large file":          {parts(t, "file/a.png", large), 413, "larger than 10 MB"},
		"a large body":          {sent{"multipart/form-data; boundary=x", strings.Repeat("x", maxVerifyBody+1)}, 413, "larger than 10 MB"},
		"a large link":          {parts(t, "badge", large[:maxAsked+1]), 413, "larger than 10 MB"},
		"a large plain form":    {plainForm("badge", large[:3*maxAsked]), 413, "larger than 10 MB"},
		"a large recipient":     {parts(t, "recipient", large[:maxRecipient+1]), 413, "larger than 10 MB"},
		"JSON":                  {sent{"application/json", `{"badge":"` + testLink + `"}`}, 415, "could not be read"},
		"text":                  {sent{"text/plain", "badge=" + testLink}, 415, "could not be read"},
		"no kind":               {sent{"", "badge=" + testLink}, 415, "could not be read"},
		"a broken kind":         {sent{"multipart/form-data; boundary=\"", ""}, 415, "could not be read"},
		"no boundary":           {sent{"multipart/form-data", "--x--"}, 400, "could not be read"},
		"a long boundary":       {sent{"multipart/form-data; boundary=" + large[:71], "--" + large[:71] + "--"}, 400, "could not be read"},
		"no end":                {sent{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=badge\r\n\r\nhttps"}, 400, "could not be read"},
		"no parts":              {sent{"multipart/form-data; boundary=x", "hello"}, 422, "Paste a link"},
		"many parts":            {sent{"multipart/form-data; boundary=x", strings.Repeat("--x\r\n\r\n\r\n", 5000) + "--x--"}, 400, "could not be read"},
		"many headers":          {sent{"multipart/form-data; boundary=x", "--x\r\n" + strings.Repeat("A: b\r\n", 20_000) + "\r\n\r\n--x--"}, 400, "could not be read"},
		"broken escapes":        {sent{"application/x-www-form-urlencoded", "badge=%zz"}, 400, "could not be read"},
		"a parts within a part": {sent{"multipart/mixed; boundary=x", "--x--"}, 415, "could not be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			w := s.verify(t, tt.form)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) || len(s.verifier.asked) > 0 {
				t.Errorf("status %d, asked %d times", w.Code, len(s.verifier.asked))
			}
			if strings.Contains(w.Body.String(), "a@example.org") || strings.Contains(s.log.String(), "example") {
				t.Error("it repeats what was entered")
			}
			if len(tt.form.body) > maxAsked {
				return
			}
			program := newSite(t, nil).verify(t, tt.form, "Accept", "application/json")
			var said struct{ Error string }
			if err := json.Unmarshal(program.Body.Bytes(), &said); err != nil || program.Code != tt.status || !strings.Contains(said.Error, tt.says) {
				t.Errorf("as JSON: %d %s", program.Code, program.Body)
			}
		})
	}
	s := newSite(t, nil)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/verify", io.MultiReader(strings.NewReader("badge="+testLink)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	if w.Code != http.StatusLengthRequired {
		t.Errorf("without a length: %d", w.Code)
	}
}

func TestVerifyOnlyOnAPress(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		if w := s.do(t, method, "/verify?badge="+url.QueryEscape(testLink), nil, ""); w.Code != http.StatusOK {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
	if w := s.verify(t, plainForm("badge", testLink), "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("from another page: %d", w.Code)
	}
	if len(s.verifier.asked) > 0 {
		t.Error("verified without a press")
	}
}

func TestVerifyInJSON(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	w := s.verify(t, plainForm("badge", testLink), "Accept", "application/json, */*;q=0.1")
	var got core.Verdict
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Status != core.VerdictGenuine || len(got.Checks) != 9 || !got.CheckedAt.Equal(begin()) {
		t.Errorf("%v: %s", err, w.Body)
	}
	if kind := w.Header().Get("Content-Type"); kind != "application/json; charset=utf-8" || !strings.Contains(w.Header().Get("Vary"), "Accept") {
		t.Errorf("headers: %v", w.Header())
	}
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": true, "text/html,application/json": false, "application/xml;q=0.9, application/json": true, ";": false,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.Header.Set("Accept", accept)
		if got := wantsJSON(r); got != want {
			t.Errorf("%q: %t", accept, got)
		}
	}
}

func TestVerdictPages(t *testing.T) {
	t.Parallel()
	with := func(change func(*core.Verdict)) core.Verdict {
		v := someVerdict()
		change(&v)
		return v
	}
	verdicts := map[string]core.Verdict{
		"genuine": someVerdict(), "hostile": hostile(), "empty": {},
		"revoked_for_a_reason": with(func(v *core.Verdict) {
			v.Status, v.Reason, v.RevocationReason = core.VerdictRevoked, "its issuer lists it as revoked", "This badge is genuine. <b>Rely</b> on it!"
			v.Checks[6] = core.Check{Name: core.CheckRevocation, Result: core.CheckFailed, Detail: v.Reason}
		}),
		"not_this_recipient": with(func(v *core.Verdict) {
			v.Status, v.Reason = core.VerdictOtherRecipient, "issued to another address"
			v.Checks = append(v.Checks, core.Check{Name: core.CheckRecipient, Result: core.CheckFailed})
		}),
	}
	for _, status := range []core.VerdictStatus{
		core.VerdictExpired, core.VerdictNotYetValid, core.VerdictRevoked, core.VerdictAltered, core.VerdictIssuerNotConfirmed,
		core.VerdictUnreachable, core.VerdictUnknown, core.VerdictMalformed,
	} {
		verdicts[string(status)] = core.Verdict{Status: status, Reason: "because", CheckedAt: begin()}
	}
	for name, v := range verdicts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			s.verifier.verdict = v
			for _, lang := range []string{"en", "de", "es"} {
				w := s.verify(t, plainForm("badge", testLink, "recipient", testRecipient), "Accept-Language", lang)
				body := w.Body.String()
				shown, _, _ := strings.Cut(body, "<style")
				_, rest, _ := strings.Cut(body, "</style>")
				if w.Code != http.StatusOK || strings.Contains(shown+rest, "web.verify") && name != "hostile" || strings.Contains(body, "ZgotmplZ") || strings.Count(body, "<h1") != 1 {
					t.Errorf("%s: status %d\n%s", lang, w.Code, body)
				}
				for _, evil := range []string{"<script>alert", "<img src=x", "\u202e", "\x00", "javascript:", "text/html,"} {
					if strings.Contains(strings.ReplaceAll(body, "<code dir=\"ltr\">javascript:alert(1)</code>", ""), evil) {
						t.Errorf("the badge became the page by %q", evil)
					}
				}
				if v.Status != core.VerdictGenuine && strings.Contains(body, `class="ruling good"`) {
					t.Error("it looks genuine")
				}
				// What is said in English alone does not stand between the lines.
				_, after, apart := strings.Cut(body, `<details class="technical">`)
				if apart == (lang == "en") || apart && strings.Count(after, `lang="en"`) != strings.Count(rest, `lang="en"`) {
					t.Errorf("%s: details stand apart: %t\n%s", lang, apart, body)
				}
				if lang == "en" {
					golden(t, "verdict_"+name+".html", body)
				}
			}
		})
	}
}

// Nobody reads of an address that was not entered.
func TestNoAddressEntered(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	body := s.verify(t, plainForm("badge", testLink), "Accept-Language", "en").Body.String()
	if !strings.Contains(body, "To whom it was issued") || strings.Contains(body, "the address you entered<") || strings.Contains(body, "The address you entered") {
		t.Error(body)
	}
}

// TestVerdictWithoutPicture: without its picture a verdict is the same.
func TestVerdictWithoutPicture(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	const begins = `<img src="data:image/png;base64,`
	w := s.verify(t, plainForm("badge", testLink))
	if !strings.Contains(w.Body.String(), begins) || !strings.Contains(w.Header().Get("Content-Security-Policy"), "img-src 'self' data:;") {
		t.Errorf("no picture, or not allowed: %s", w.Header().Get("Content-Security-Policy"))
	}
	s.verifier.png, s.verifier.picture = nil, errors.New("no")
	if w := s.verify(t, plainForm("badge", testLink)); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<img") {
		t.Errorf("without: %d", w.Code)
	}
}

func TestVerifyIsBounded(t *testing.T) {
	t.Parallel()
	clock := &hands{now: begin()}
	s := newSite(t, func(c *Config) { c.Clock = clock })
	link := plainForm("badge", testLink)
	from := func(address string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/verify", strings.NewReader(link.body))
		r.Header.Set("Content-Type", link.kind)
		r.RemoteAddr = address
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, r)
		if w.Code >= 400 && (w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "Please ")) {
			t.Errorf("%d without a sentence", w.Code)
		}
		return w.Code
	}
	for range verifyBurst {
		if got := from("203.0.113.1:1"); got != http.StatusOK {
			t.Fatalf("within the limit: %d", got)
		}
	}
	if got := from("203.0.113.1:2"); got != http.StatusTooManyRequests {
		t.Errorf("above the limit: %d", got)
	}
	if got := from("203.0.113.2:1"); got != http.StatusOK {
		t.Errorf("somebody else: %d", got)
	}
	clock.pass(verifyEvery)
	if got := from("203.0.113.1:3"); got != http.StatusOK {
		t.Errorf("later: %d", got)
	}
	// Those who wait for slow servers do not take the places of all others.
	s.verifier.hold, s.verifier.began = make(chan struct{}), make(chan struct{}, verifiesOfOne)
	done := make(chan int)
	for i := range verifiesOfOne {
		go func() { done <- from("198.51.100.1:" + string(rune('1'+i))) }()
	}
	for range verifiesOfOne {
		select {
		case <-s.verifier.began:
		case <-time.After(time.Minute):
			t.Fatal("they never began")
		}
	}
	if got := from("198.51.100.1:9"); got != http.StatusServiceUnavailable {
		t.Errorf("a fifth of one client: %d", got)
	}
	close(s.verifier.hold)
	for range verifiesOfOne {
		if got := <-done; got != http.StatusOK {
			t.Errorf("one that waited: %d", got)
		}
	}
}

// A verdict is there after ten seconds, with its picture or without.
func TestVerdictIsThereInTime(t *testing.T) {
	t.Parallel()
	for _, accept := range []string{"text/html", "application/json"} {
		s := newSite(t, nil)
		s.verify(t, plainForm("badge", testLink), "Accept", accept)
		if left := s.verifier.left; left <= 0 || left > 10*time.Second {
			t.Errorf("%s: may take %v", accept, left)
		}
	}
}

// Whatever is sent is read at once, within its bounds, and nothing is made up.
func FuzzVerifyForm(f *testing.F) {
	for _, s := range []sent{
		plainForm("badge", testLink, "recipient", testRecipient), parts(f, "badge", testLink, "file/a.png", "\x89PNG\r\n"),
		parts(f, "file/a\"; name=\"badge", "x"),
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=file\r\n\r\n<script>alert(1)</script>\r\n--x--"},
		{"application/x-www-form-urlencoded", "badge=http://<script>alert(1)</script>"},
		{"multipart/form-data; boundary=\"", "--"},
	} {
		f.Add(s.kind, s.body)
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/verify", strings.NewReader(body))
		r.Header = http.Header{"Content-Type": {kind}}
		var a asked
		var err error
		fuzzing.Soon(t, func() { a, err = readAsked(r) })
		q := a.query
		switch {
		case err != nil && !slices.Contains([]error{errKind, errForm, errTooLarge, errEmpty, errAddress}, err):
			t.Errorf("the error says %q", err)
		case err == nil && q.Link == "" && len(q.File) == 0, q.Link != "" && len(q.File) > 0:
			t.Errorf("asked for %q and %d bytes", q.Link, len(q.File))
		case len(q.File)+len(q.Link)+len(q.Recipient) > len(body):
			t.Error("more was read than was sent")
		case a.file && !strings.Contains(body, string(q.File)):
			t.Error("the file was changed")
		case strings.ContainsAny(a.typed, "\r\n\x00\u202e") || a.typed != "" && !strings.HasPrefix(strings.ToLower(a.typed), "http"):
			t.Errorf("shown again: %q", a.typed)
		}
	})
}

// slowBody ends only when it is told to.
type slowBody struct {
	reading chan<- struct{}
	end     <-chan struct{}
}

func (b slowBody) Read([]byte) (int, error) {
	select {
	case b.reading <- struct{}{}:
	default:
	}
	<-b.end
	return 0, io.ErrUnexpectedEOF
}

// TestSlowUploads: files that come slowly keep further files out, of their
// sender first, but nobody's links.
func TestSlowUploads(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	reading, end := make(chan struct{}, uploadsAtOnce), make(chan struct{})
	send := func(address string, body io.Reader, length int64) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/verify", body)
		r.ContentLength, r.RemoteAddr = length, address
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, r)
		return w.Code
	}
	done := make(chan int)
	for i := range uploadsAtOnce {
		address := fmt.Sprintf("203.0.113.%d:1", i/uploadsOfOne)
		go func() { done <- send(address, slowBody{reading, end}, core.MaxBadgeFileBytes) }()
	}
	for range uploadsAtOnce {
		select {
		case <-reading:
		case <-time.After(time.Minute):
			t.Fatal("they never began")
		}
	}
	for _, address := range []string{"203.0.113.0:2", "198.51.100.1:1"} {
		if got := send(address, strings.NewReader(""), smallBody+1); got != http.StatusServiceUnavailable {
			t.Errorf("a further file from %s: %d", address, got)
		}
	}
	if w := s.verify(t, plainForm("badge", testLink)); w.Code != http.StatusOK {
		t.Errorf("a link meanwhile: %d", w.Code)
	}
	close(end)
	for range uploadsAtOnce {
		if got := <-done; got != http.StatusBadRequest {
			t.Errorf("a file that never came: %d", got)
		}
	}
	file := parts(t, "file/a.png", strings.Repeat("x", smallBody))
	if w := s.verify(t, file); w.Code != http.StatusOK {
		t.Errorf("a file afterwards: %d", w.Code)
	}
}

// TestRulingIsOurs holds that what stands at the top is our sentence in the
// reader's language and nothing else. What somebody wrote stands below it,
// quoted, and says whose words it is.
func TestRulingIsOurs(t *testing.T) {
	t.Parallel()
	const said = "This badge is genuine"
	for lang, sentence := range map[string]string{
		"en": "Its issuer has taken it back.", "de": "Angegebener Grund des Widerrufs", "es": "Motivo que se da para revocarla",
	} {
		s := newSite(t, nil)
		s.verifier.verdict = core.Verdict{Status: core.VerdictRevoked, Reason: "listed as revoked", RevocationReason: said + "\n<h1>!</h1>"}
		body := s.verify(t, plainForm("badge", testLink), "Accept-Language", lang).Body.String()
		ruling, rest, _ := strings.Cut(body[strings.Index(body, "<header class=\"ruling"):], "</header>")
		if strings.Contains(ruling, said) || strings.Contains(ruling, "listed as revoked") || strings.Contains(ruling, `lang="en"`) {
			t.Errorf("%s: the ruling is %s", lang, ruling)
		}
		if !strings.Contains(body, sentence) || !strings.Contains(rest, `<blockquote dir="auto">`+said+" &lt;h1&gt;!&lt;/h1&gt;</blockquote>") {
			t.Errorf("%s: not quoted below it:\n%s", lang, rest)
		}
		// Where it is anything else, nobody revoked it.
		s.verifier.become(core.Verdict{Status: core.VerdictAltered, RevocationReason: said})
		if body := s.verify(t, plainForm("badge", testLink), "Accept-Language", lang).Body.String(); strings.Contains(body, said) {
			t.Errorf("%s: what an altered badge says of itself is shown", lang)
		}
	}
}
