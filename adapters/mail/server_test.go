package mail

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// testServer is a mail server with a certificate and a login, which the
// playground's mailbox lacks.
type testServer struct {
	addr    string
	roots   *x509.CertPool
	tls     *tls.Config
	options serverOptions

	mu       sync.Mutex
	mails    int
	loggedIn bool
}

type serverOptions struct{ starttls, implicit, login, refuseSender bool }

func startServer(t *testing.T, o serverOptions) *testServer {
	t.Helper()
	// Borrowed for its certificate, which is made out to 127.0.0.1.
	web := httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	s := &testServer{roots: x509.NewCertPool(), options: o}
	s.roots.AddCert(web.Certificate())
	s.tls = &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		running.Wait()
	})
	return s
}

func (s *testServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return
	}
	encrypted := s.options.implicit
	if encrypted {
		conn = tls.Server(conn, s.tls)
	}
	text := textproto.NewConn(conn)
	if err := text.PrintfLine("220 mail.example.org"); err != nil {
		return
	}
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		answer := s.answer(line, encrypted)
		if err := text.PrintfLine("%s", answer); err != nil {
			return
		}
		switch {
		case strings.HasPrefix(answer, "220"):
			conn, encrypted = tls.Server(conn, s.tls), true
			text = textproto.NewConn(conn)
		case strings.HasPrefix(answer, "354"):
			if _, err := text.ReadDotBytes(); err != nil {
				return
			}
			s.mu.Lock()
			s.mails++
			s.mu.Unlock()
			if err := text.PrintfLine("250 2.0.0 taken"); err != nil {
				return
			}
		case strings.HasPrefix(answer, "221"):
			return
		}
	}
}

func (s *testServer) answer(line string, encrypted bool) string {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "EHLO":
		lines := []string{"250-mail.example.org"}
		if s.options.login {
			lines = append(lines, "250-AUTH PLAIN")
		}
		if s.options.starttls && !encrypted {
			lines = append(lines, "250-STARTTLS")
		}
		return strings.Join(append(lines, "250 ENHANCEDSTATUSCODES"), "\r\n")
	case "STARTTLS":
		return "220 2.0.0 go ahead"
	case "AUTH":
		_, proof, _ := strings.Cut(rest, " ")
		want := base64.StdEncoding.EncodeToString([]byte("\x00" + testUser + "\x00" + testPassword))
		if proof != want {
			return "535 5.7.8 wrong password for " + testUser
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.loggedIn = true
		return "235 2.7.0 welcome"
	case "MAIL":
		if s.options.refuseSender {
			return "553 5.7.1 badges@example.org is not yours"
		}
	case "DATA":
		return "354 go ahead"
	case "QUIT":
		return "221 2.0.0 bye"
	}
	return "250 2.0.0 ok"
}
