package mailsim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/wneessen/go-mail"

	"github.com/laurelbot/laurel/playground/mailsim"
	"github.com/laurelbot/laurel/playground/simclock"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func newBox(t *testing.T) *mailsim.Server {
	t.Helper()
	s, err := mailsim.Start(mailsim.Config{Clock: simclock.NewFrozen(start)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func send(t *testing.T, s *mailsim.Server, to, subject, text, html string) error {
	t.Helper()
	host, _, _ := strings.Cut(s.Addr(), ":")
	m := mail.NewMsg()
	if err := m.FromFormat("Zertifizierungsstelle Köln", "badges@example.org"); err != nil {
		t.Fatal(err)
	}
	if err := m.To(to); err != nil {
		t.Fatal(err)
	}
	m.Subject(subject)
	m.SetBodyString(mail.TypeTextPlain, text)
	if html != "" {
		m.AddAlternativeString(mail.TypeTextHTML, html)
	}
	c, err := mail.NewClient(host, mail.WithPort(portOf(t, s)), mail.WithTLSPolicy(mail.NoTLS), mail.WithTimeout(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return c.DialAndSendWithContext(t.Context(), m)
}

func portOf(t *testing.T, s *mailsim.Server) int {
	t.Helper()
	var port int
	_, text, _ := strings.Cut(s.Addr(), ":")
	if err := json.Unmarshal([]byte(text), &port); err != nil {
		t.Fatal(err)
	}
	return port
}

func TestReadsMail(t *testing.T) {
	t.Parallel()
	s := newBox(t)
	text := "Grüezi Ada,\n\nyour code is 123 456 and lasts 10 minutes.\nOr follow https://example.org/e/765432abc?x=1&y=2.\n"
	html := `<p>Grüezi, <b>123456</b></p><p><a href="https://example.org/e/765432abc?x=1&amp;y=2">confirm</a> <a href='https://example.org/help'>help</a></p>`
	if err := send(t, s, "Ada@Example.org", "Ihr Code für Köln — 123456", text, html); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got, err := s.WaitFor(ctx, "ada@example.ORG", 1)
	if err != nil {
		t.Fatal(err)
	}
	m := got[0]
	if m.Subject != "Ihr Code für Köln — 123456" || m.From != "badges@example.org" || m.FromName != "Zertifizierungsstelle Köln" {
		t.Errorf("head: %q %q %q", m.Subject, m.From, m.FromName)
	}
	if m.Problem != "" || !strings.HasPrefix(m.Text, "Grüezi Ada,\n") || !strings.Contains(m.HTML, "<b>123456</b>") {
		t.Errorf("body: %q %q %q", m.Problem, m.Text, m.HTML)
	}
	if !m.ReceivedAt.Equal(start) || len(m.Raw) == 0 || len(m.Headers["Message-Id"]) != 1 || m.To[0] != "Ada@Example.org" {
		t.Errorf("message: %+v", m)
	}
	if codes := mailsim.Codes(m); !slices.Equal(codes, []string{"123456"}) {
		t.Errorf("codes %v", codes)
	}
	want := []string{"https://example.org/e/765432abc?x=1&y=2", "https://example.org/help"}
	if links := mailsim.Links(m); !slices.Equal(links, want) {
		t.Errorf("links %v", links)
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want []string
	}{
		{"123456", []string{"123456"}},
		{"Code: 123-456.", []string{"123456"}},
		{"Code 1234 5678!", []string{"12345678"}},
		{"Code 123\u00a0456", []string{"123456"}},
		{"111111 222222", []string{"111111", "222222"}},
		{"certificate C-123456, call +41123456789", nil},
		{"on 2026-11-02 at 09:41", nil},
		{"https://example.org/123456", nil},
		{"a123456@example.org", nil},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			if got := mailsim.Codes(mailsim.Message{Text: tt.text}); !slices.Equal(got, tt.want) {
				t.Errorf("codes %v, want %v", got, tt.want)
			}
		})
	}
}

func TestInternationalAddress(t *testing.T) {
	t.Parallel()
	s := newBox(t)
	body := "From: badges@example.org\r\nTo: jürgen@müller.example\r\nSubject: Grüße\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n"
	c, err := smtp.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if ok, _ := c.Extension("SMTPUTF8"); !ok {
		t.Fatal("SMTPUTF8 is not offered")
	}
	if err := c.Mail("badges@example.org", &smtp.MailOptions{UTF8: true}); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("jürgen@müller.example", nil); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := s.Messages("JÜRGEN@xn--mller-kva.example")
	if len(got) != 1 || got[0].Subject != "Grüße" || got[0].Text != "Grüße\n" || got[0].To[0] != "jürgen@müller.example" {
		t.Errorf("message %+v", got)
	}
	if err := c.Mail("badges@example.org", nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("jürgen@müller.example", nil); err == nil {
		t.Error("taken without SMTPUTF8")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault mailsim.Fault
		temp  bool
		code  int
	}{
		{"sender refused", mailsim.Fault{Command: mailsim.MAIL, Code: 451, Enhanced: [3]int{4, 3, 0}}, true, 451},
		{"recipient unknown", mailsim.Fault{Command: mailsim.RCPT, Address: "ada@example.org", Code: 550, Enhanced: [3]int{5, 1, 1}}, false, 550},
		{"message refused", mailsim.Fault{Command: mailsim.DATA, Code: 554, Delay: time.Millisecond}, false, 554},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newBox(t)
			s.Fail(tt.fault)
			err := send(t, s, "ada@example.org", "Hello", "Hello", "")
			var failed *mail.SendError
			if !errors.As(err, &failed) || failed.IsTemp() != tt.temp || failed.ErrorCode() != tt.code {
				t.Errorf("error %v", err)
			}
			if n := len(s.Messages("")); n != 0 {
				t.Errorf("%d messages were kept", n)
			}
			if err := send(t, s, "ada@example.org", "Hello", "Hello", ""); err != nil {
				t.Errorf("second try: %v", err)
			}
		})
	}
	t.Run("answer lost", func(t *testing.T) {
		t.Parallel()
		s := newBox(t)
		s.Fail(mailsim.Fault{Command: mailsim.DATA, DropAfter: true})
		if err := send(t, s, "ada@example.org", "Hello", "Hello", ""); err == nil {
			t.Error("an answer came")
		}
		if n := len(s.Messages("ada@example.org")); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
	t.Run("other address", func(t *testing.T) {
		t.Parallel()
		s := newBox(t)
		s.Fail(mailsim.Fault{Command: mailsim.RCPT, Address: "eve@example.org", Times: -1, Code: 550})
		if err := send(t, s, "ada@example.org", "Hello", "Hello", ""); err != nil {
			t.Error(err)
		}
	})
}

func TestUnreadableMailIsKept(t *testing.T) {
	t.Parallel()
	s := newBox(t)
	for _, body := range []string{
		"no header at all", "Subject: x\r\nContent-Type: ;;\r\n\r\n",
		"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nbroken",
		"From: a@example.org\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n",
	} {
		c, err := smtp.Dial(s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SendMail("a@example.org", []string{"b@example.org"}, strings.NewReader(body+"\r\n")); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range s.Messages("") {
		if m.Problem == "" {
			t.Errorf("message %d has no problem", i)
		}
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	s := newBox(t)
	for _, to := range []string{"ada@example.org", "ben@example.org"} {
		if err := send(t, s, to, "Code", "Your code: 654321", ""); err != nil {
			t.Fatal(err)
		}
	}
	console := httptest.NewServer(s.ConsoleHandler())
	t.Cleanup(console.Close)
	call := func(method, path string) (int, []byte) {
		req, err := http.NewRequestWithContext(t.Context(), method, console.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, body
	}
	var got struct {
		Messages []mailsim.ConsoleMessage `json:"messages"`
	}
	_, body := call(http.MethodGet, "/messages")
	if err := json.Unmarshal(body, &got); err != nil || len(got.Messages) != 2 || got.Messages[0].Recipients[0] != "ben@example.org" || got.Messages[0].Codes[0] != "654321" {
		t.Fatalf("messages %+v: %v", got, err)
	}
	if status, _ := call(http.MethodDelete, "/messages/1"); status != http.StatusNoContent || len(s.Messages("")) != 1 {
		t.Errorf("delete one: %d", status)
	}
	if status, _ := call(http.MethodDelete, "/messages/1"); status != http.StatusNotFound {
		t.Errorf("delete again: %d", status)
	}
	if status, _ := call(http.MethodDelete, "/messages"); status != http.StatusNoContent || len(s.Messages("")) != 0 {
		t.Errorf("delete all: %d", status)
	}
}
