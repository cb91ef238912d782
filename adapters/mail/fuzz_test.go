package mail

import (
	"bytes"
	"errors"
	"io"
	"mime"
	netmail "net/mail"
	"net/url"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fuzzing"
)

// SMTP_URL: what is taken names one server, and is unencrypted only where
// that is asked for or the server is this machine; no error tells a password.
func FuzzParseServer(f *testing.F) {
	for _, s := range []string{
		"smtp://user:p%40ssword@mail.example.org", "smtps://mail.example.org:465", "smtp://127.0.0.1:1025", "smtp://localhost?tls=required",
		"smtp://mail.example.org?tls=off", "smtps://x?tls=off", "smtp://x:0", "smtp://x:99999", "smtp://:secret-word@x", "smtp://%zz:secret-word@x",
		"http://x", "smtp:x", "smtp://[::1]:25", "smtp://x/?tls=off&tls=required", "smtp://x?tls=off;y", "smtp://u:secret-word@x\r\n", "", "\xff",
		"smtp://u:a:b@c@host", "SMTP://X", "smtp://x#f",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got server
		var err error
		fuzzing.Soon(t, func() { got, err = parseServer(core.Secret(s)) })
		if err != nil {
			secrets := []string{"secret-word"}
			if u, parseErr := url.Parse(s); parseErr == nil {
				if p, has := u.User.Password(); has && len(p) > 12 {
					secrets = append(secrets, p)
				}
			}
			for _, secret := range secrets {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("error %q", err)
				}
			}
			if got != (server{}) || len(err.Error()) > 200 {
				t.Errorf("refused with %q and %v", err, got.host)
			}
			return
		}
		if got.host == "" || got.port == "" || got.port == "0" || strings.Trim(got.port, "0123456789") != "" || got.password != "" && got.user == "" {
			t.Errorf("%q: server %q, port %q", s, got.host, got.port)
		}
		asked := strings.Contains(strings.ToLower(s), "tls") || strings.Contains(s, "%")
		if got.privacy == plaintext && !asked || got.privacy == startTLSIfOffered && !got.loopback() {
			t.Errorf("%q: privacy %d", s, got.privacy)
		}
		if strings.HasPrefix(strings.ToLower(s), "smtps:") != (got.privacy == implicit) {
			t.Errorf("%q: privacy %d", s, got.privacy)
		}
	})
}

// A mail goes to one address, and nothing of it adds a header, an address or
// a body of its own.
func FuzzMessage(f *testing.F) {
	f.Add("0198c0de-0000-7000-8000-000000000001", "ada@example.org", "de", "Your code", "12345678\n", "<b>1</b>")
	f.Add("x", "ada@example.org\r\nBcc: bob@example.org", "de\r\nX: y", "a\r\nBcc: bob@example.org", ".\r\n.\r\n", "")
	f.Add("a..b", `"a b"@example.org`, "x", strings.Repeat("ä", 500), "\r\n\r\n--x", "\x00")
	f.Add("a", "Jörg@Bücher.example", "en-GB", "=?utf-8?q?x?=", "\xff", "\xff")
	f.Add("a", "a@example.org", "", "=?B??=", "", "")
	f.Add("a", "a@example.org", "", strings.Repeat("=?utf-8?q?=20?= ", 20), "", "")
	f.Add("a", "a@example.org,b@example.org", "", "", "", "")
	m, err := New(Config{URL: "smtp://127.0.0.1", From: testFrom})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id, to, locale, subject, text, html string) {
		email, err := core.ParseEmail(to)
		if err != nil {
			email = core.Email{Shown: to, Normal: to}
		}
		var wire bytes.Buffer
		var envelope string
		fuzzing.Soon(t, func() {
			wire.Reset()
			msg, address, messageErr := m.message(core.Mail{ID: id, To: email, Locale: locale, Subject: subject, Text: text, HTML: html})
			if envelope, err = address, messageErr; err == nil {
				_, err = msg.WriteTo(&wire)
			}
		})
		if err != nil {
			if envelope != "" && wire.Len() == 0 {
				t.Errorf("refused, yet addressed to %q", envelope)
			}
			if len(to) > 8 && strings.Contains(err.Error(), to) || errors.Is(err, io.ErrShortWrite) {
				t.Errorf("error %q", err)
			}
			return
		}
		got, err := netmail.ReadMessage(&wire)
		if err != nil {
			t.Fatal(err)
		}
		list, err := got.Header.AddressList("To")
		if err != nil || len(list) != 1 || list[0].Address != envelope || strings.ContainsAny(envelope, "\r\n") {
			t.Errorf("to %v, envelope %q: %v", list, envelope, err)
		}
		for name, values := range got.Header {
			switch name {
			case "From", "To", "Subject", "Message-Id":
				if len(values) != 1 {
					t.Errorf("%s: %q", name, values)
				}
			case "Date", "Mime-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language":
			default:
				t.Errorf("header %s: %q", name, values)
			}
		}
		decoded, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
		if err != nil || strings.Join(strings.Fields(decoded), "") != strings.Join(strings.Fields(subject), "") {
			t.Errorf("subject %q became %q: %v", subject, decoded, err)
		}
	})
}
