package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/playground/mailsim"
)

const (
	testFrom     = "Zertifizierungsstelle Köln <badges@example.org>"
	testUser     = "laurel-user"
	testPassword = "made-up p@ss/word"
	testCode     = "48273915"
)

func email(t *testing.T, s string) core.Email {
	t.Helper()
	e, err := core.ParseEmail(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func testMail(t *testing.T, to string) core.Mail {
	t.Helper()
	return core.Mail{
		ID: "0198c0de-0000-7000-8000-000000000001", To: email(t, to), Locale: "de", Subject: "Dein Code für Köln",
		Text: "Dein Code: " + testCode + "\n", HTML: "<p>Dein Code: <b>" + testCode + "</b></p>",
	}
}

func newBox(t *testing.T) *mailsim.Server {
	t.Helper()
	s, err := mailsim.Start(mailsim.Config{})
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

func newMailer(t *testing.T, c Config) *Mailer {
	t.Helper()
	if c.From == "" {
		c.From = testFrom
	}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// keepsSecrets fails when an error names anybody or anything secret.
func keepsSecrets(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{"ada", "badges@", testPassword, "p@ss", "p%40ss", testUser, testCode} {
		if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(secret)) {
			t.Errorf("error %q holds %q", err, secret)
		}
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	box := newBox(t)
	m := newMailer(t, Config{URL: core.Secret(box.URL())})
	if err := m.Send(t.Context(), testMail(t, "Ada.Example@Müller.example")); err != nil {
		t.Fatal(err)
	}
	got := box.Messages("ada.example@xn--mller-kva.example")
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	msg := got[0]
	if msg.Problem != "" || msg.Subject != "Dein Code für Köln" || msg.FromName != "Zertifizierungsstelle Köln" || msg.From != "badges@example.org" {
		t.Errorf("head: %+v", msg)
	}
	if !slices.Equal(msg.Recipients, []string{"Ada.Example@xn--mller-kva.example"}) || msg.Sender != "badges@example.org" {
		t.Errorf("envelope: %q %q", msg.Sender, msg.Recipients)
	}
	if msg.Text != "Dein Code: "+testCode+"\n" || !strings.Contains(msg.HTML, "<b>"+testCode+"</b>") {
		t.Errorf("body: %q %q", msg.Text, msg.HTML)
	}
	for name, want := range map[string]string{
		"Message-Id":               "<0198c0de-0000-7000-8000-000000000001@example.org>",
		"Auto-Submitted":           "auto-generated",
		"X-Auto-Response-Suppress": "All",
		"Content-Language":         "de",
		"Mime-Version":             "1.0",
	} {
		if !slices.Equal(msg.Headers[name], []string{want}) {
			t.Errorf("%s: %q, want %q", name, msg.Headers[name], want)
		}
	}
	if !strings.HasPrefix(msg.Headers["Content-Type"][0], "multipart/alternative") || len(msg.Headers["Date"]) != 1 {
		t.Errorf("headers: %v", msg.Headers)
	}
	if len(msg.Headers["User-Agent"])+len(msg.Headers["X-Mailer"]) > 0 {
		t.Error("the mail tells the program's name")
	}
}

func TestSendInternational(t *testing.T) {
	t.Parallel()
	box := newBox(t)
	m := newMailer(t, Config{URL: core.Secret(box.URL())})
	if err := m.Send(t.Context(), testMail(t, "jürgen@müller.example")); err != nil {
		t.Fatal(err)
	}
	got := box.Messages("jürgen@müller.example")
	if len(got) != 1 || got[0].Problem != "" || len(got[0].To) != 1 || !strings.HasPrefix(got[0].To[0], "jürgen@") {
		t.Fatalf("messages: %+v", got)
	}
	old := startServer(t, serverOptions{})
	m = newMailer(t, Config{URL: core.Secret("smtp://" + old.addr)})
	if err := m.Send(t.Context(), testMail(t, "jürgen@müller.example")); !errors.Is(err, core.ErrMailRefused) {
		t.Errorf("without SMTPUTF8: %v", err)
	}
	if err := m.Send(t.Context(), testMail(t, "juergen@müller.example")); err != nil {
		t.Errorf("international domain without SMTPUTF8: %v", err)
	}
}

func TestSendFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		fault   mailsim.Fault
		refused bool
		text    string
	}{
		{"recipient unknown", mailsim.Fault{Command: mailsim.RCPT, Code: 550, Enhanced: [3]int{5, 1, 1}}, true, "recipient: answered 550 5.1.1"},
		{"mailbox disabled", mailsim.Fault{Command: mailsim.RCPT, Code: 552, Enhanced: [3]int{5, 2, 1}}, true, "552 5.2.1"},
		{"greylisted", mailsim.Fault{Command: mailsim.RCPT, Code: 451, Enhanced: [3]int{4, 7, 1}}, false, "451 4.7.1"},
		{"relaying denied", mailsim.Fault{Command: mailsim.RCPT, Code: 554, Enhanced: [3]int{5, 7, 1}}, false, "554 5.7.1"},
		{"login wanted", mailsim.Fault{Command: mailsim.RCPT, Code: 530, Enhanced: [3]int{5, 7, 0}}, false, "530"},
		{"sender refused", mailsim.Fault{Command: mailsim.MAIL, Code: 550, Enhanced: [3]int{5, 7, 1}}, false, "sender: answered 550 5.7.1"},
		{"sender for now", mailsim.Fault{Command: mailsim.MAIL, Code: 421, Enhanced: [3]int{4, 3, 2}}, false, "421"},
		{"content refused", mailsim.Fault{Command: mailsim.DATA, Code: 554, Enhanced: [3]int{5, 6, 0}}, false, "content: answered 554"},
		{"answer lost", mailsim.Fault{Command: mailsim.DATA, DropAfter: true}, false, "content: cut off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			box := newBox(t)
			tt.fault.Text = "<ada@example.org>: code " + testCode + " " + testPassword
			box.Fail(tt.fault)
			m := newMailer(t, Config{URL: core.Secret(box.URL())})
			err := m.Send(t.Context(), testMail(t, "ada@example.org"))
			if err == nil || errors.Is(err, core.ErrMailRefused) != tt.refused || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("error %v", err)
			}
			keepsSecrets(t, err)
			if err := m.Send(t.Context(), testMail(t, "ada@example.org")); err != nil {
				t.Errorf("second try: %v", err)
			}
		})
	}
}

func TestSendIsBounded(t *testing.T) {
	t.Parallel()
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	m := newMailer(t, Config{URL: core.Secret("smtp://" + silent.Addr().String()), Timeout: 50 * time.Millisecond})
	err = m.Send(t.Context(), testMail(t, "ada@example.org"))
	if err == nil || errors.Is(err, core.ErrMailRefused) {
		t.Errorf("silent server: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m = newMailer(t, Config{URL: core.Secret("smtp://" + silent.Addr().String())})
	if err := m.Send(ctx, testMail(t, "ada@example.org")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	box := newBox(t)
	box.Fail(mailsim.Fault{Command: mailsim.DATA, Delay: time.Minute})
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	m = newMailer(t, Config{URL: core.Secret(box.URL())})
	if err := m.Send(ctx, testMail(t, "ada@example.org")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow server: %v", err)
	}
}

func TestInjectionIsRefused(t *testing.T) {
	t.Parallel()
	box := newBox(t)
	m := newMailer(t, Config{URL: core.Secret(box.URL())})
	for name, change := range map[string]func(*core.Mail){
		"subject":     func(m *core.Mail) { m.Subject = "Hi\r\nBcc: eve@example.org" },
		"bare feed":   func(m *core.Mail) { m.Subject = "Hi\nBcc: eve@example.org" },
		"id":          func(m *core.Mail) { m.ID = "a>\r\nBcc: eve@example.org" },
		"empty id":    func(m *core.Mail) { m.ID = "" },
		"address":     func(m *core.Mail) { m.To.Shown = "ada@example.org>\r\nRCPT TO:<eve@example.org" },
		"two":         func(m *core.Mail) { m.To.Shown = "ada@example.org, eve@example.org" },
		"another one": func(m *core.Mail) { m.To.Shown = "eve@example.org" },
		"no address":  func(m *core.Mail) { m.To = core.Email{} },
	} {
		mail := testMail(t, "ada@example.org")
		change(&mail)
		if err := m.Send(t.Context(), mail); err == nil {
			t.Errorf("%s: sent", name)
		} else {
			keepsSecrets(t, err)
		}
	}
	mail := testMail(t, "ada@example.org")
	mail.Locale = "de\r\nBcc: eve@example.org"
	if err := m.Send(t.Context(), mail); err != nil {
		t.Error(err)
	}
	got := box.Messages("")
	if len(got) != 1 || len(got[0].Headers["Bcc"])+len(got[0].Headers["Content-Language"]) > 0 {
		t.Errorf("messages: %+v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"empty":         {URL: "", From: testFrom},
		"no scheme":     {URL: "mail.example.org:587", From: testFrom},
		"other scheme":  {URL: "https://laurel-user:p%40ss@mail.example.org", From: testFrom},
		"unreadable":    {URL: "smtp://laurel-user:p@ss%zz@mail.example.org", From: testFrom},
		"no host":       {URL: "smtp://laurel-user:p%40ss@:587", From: testFrom},
		"port":          {URL: "smtp://mail.example.org:99999", From: testFrom},
		"path":          {URL: "smtp://mail.example.org/p%40ss", From: testFrom},
		"option":        {URL: "smtp://mail.example.org?insecure=1", From: testFrom},
		"tls option":    {URL: "smtp://mail.example.org?tls=maybe", From: testFrom},
		"tls of smtps":  {URL: "smtps://mail.example.org?tls=off", From: testFrom},
		"password only": {URL: "smtp://:p%40ss@mail.example.org", From: testFrom},
		"no sender":     {URL: "smtp://mail.example.org"},
		"bad sender":    {URL: "smtp://mail.example.org", From: "badges@"},
		"two senders":   {URL: "smtp://mail.example.org", From: "ada@example.org, badges@example.org"},
	} {
		_, err := New(c)
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		keepsSecrets(t, err)
	}
}

func TestParseServer(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]server{
		"smtp://mail.example.org":                     {host: "mail.example.org", port: "587"},
		"smtp://mail.example.org:25?tls=off":          {host: "mail.example.org", port: "25", privacy: plaintext},
		"smtps://u:p%40%2F@mail.example.org":          {host: "mail.example.org", port: "465", privacy: implicit, user: "u", password: "p@/"},
		"smtp://127.0.0.1:1025":                       {host: "127.0.0.1", port: "1025", privacy: startTLSIfOffered},
		"smtp://[::1]:25/":                            {host: "::1", port: "25", privacy: startTLSIfOffered},
		"smtp://localhost:25?tls=required":            {host: "localhost", port: "25"},
		"smtp://ada%40example.org@mail.example.org:2": {host: "mail.example.org", port: "2", user: "ada@example.org"},
	} {
		got, err := parseServer(core.Secret(url))
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", url, got, err)
		}
	}
}

func TestEncryptionAndLogin(t *testing.T) {
	t.Parallel()
	user := "laurel-user:made-up%20p%40ss%2Fword@"
	tests := []struct {
		name    string
		options serverOptions
		url     func(addr string) string
		trust   bool
		// problem is the finding that is not OK, or empty.
		problem string
	}{
		{"starttls and login", serverOptions{starttls: true, login: true}, func(a string) string { return "smtp://" + user + a + "?tls=required" }, true, ""},
		{"implicit and login", serverOptions{implicit: true, login: true}, func(a string) string { return "smtps://" + user + a }, true, ""},
		{"loopback in the clear", serverOptions{login: true}, func(a string) string { return "smtp://" + user + a }, false, ""},
		{"loopback with its own certificate", serverOptions{starttls: true}, func(a string) string { return "smtp://" + a }, false, ""},
		{"starttls missing", serverOptions{}, func(a string) string { return "smtp://" + a + "?tls=required" }, true, "Mail encryption"},
		{"certificate not trusted", serverOptions{starttls: true}, func(a string) string { return "smtp://" + a + "?tls=required" }, false, "Mail encryption"},
		{"implicit not trusted", serverOptions{implicit: true}, func(a string) string { return "smtps://" + a }, false, "Mail encryption"},
		{"not encrypted at all", serverOptions{}, func(a string) string { return "smtps://" + a }, true, "Mail encryption"},
		{"wrong password", serverOptions{login: true}, func(a string) string { return "smtp://laurel-user:wrong@" + a }, false, "Mail login"},
		{"no login offered", serverOptions{}, func(a string) string { return "smtp://" + user + a }, false, "Mail login"},
		{"sender refused", serverOptions{refuseSender: true}, func(a string) string { return "smtp://" + a }, false, "Mail sender"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, tt.options)
			c := Config{URL: core.Secret(tt.url(s.addr)), Timeout: 5 * time.Second}
			if tt.trust {
				c.TLS = &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}
			}
			m := newMailer(t, c)
			var problem string
			for _, f := range m.Check(t.Context()) {
				keepsSecrets(t, errors.New(f.Detail+f.Mend))
				if f.Name == "" || f.Detail == "" || f.OK == (f.Mend != "") {
					t.Errorf("finding %+v", f)
				}
				if !f.OK {
					problem = f.Name
				}
			}
			if problem != tt.problem {
				t.Errorf("problem %q, want %q", problem, tt.problem)
			}
			err := m.Send(t.Context(), testMail(t, "ada@example.org"))
			if (err == nil) != (tt.problem == "") || errors.Is(err, core.ErrMailRefused) {
				t.Fatalf("send: %v", err)
			}
			if err != nil {
				keepsSecrets(t, err)
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.mails != 1 || s.loggedIn != tt.options.login {
				t.Errorf("%d mails, logged in: %t", s.mails, s.loggedIn)
			}
		})
	}
}

func TestCheckWithoutServer(t *testing.T) {
	t.Parallel()
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	found := newMailer(t, Config{URL: core.Secret("smtp://" + addr)}).Check(t.Context())
	if len(found) != 1 || found[0].OK || found[0].Name != "Mail server" || !strings.Contains(found[0].Detail, "refused") {
		t.Errorf("findings %+v", found)
	}
}
