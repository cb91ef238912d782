package mail

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// session opens a connection, makes it ready for mail, lets do use it, and
// closes it. That closing fails is no news: what was handed over stays so.
func (m *Mailer) session(ctx context.Context, do func(*smtp.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*m.timeout)
	defer cancel()
	conn, err := m.dial(ctx)
	if err != nil {
		return contextOr(ctx, err)
	}
	// The SMTP client knows no context: closing the connection ends whatever
	// it waits for.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
	}()
	client, err := m.open(conn)
	if err != nil {
		return contextOr(ctx, err)
	}
	if err := conn.SetDeadline(time.Now().Add(m.timeout)); err != nil {
		return failed(stageConnection, err)
	}
	if err := do(client); err != nil {
		return contextOr(ctx, err)
	}
	_ = client.Quit()
	return nil
}

// dial connects; the connection ends by itself when getting ready takes
// longer than the timeout.
func (m *Mailer) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.server.address())
	if err != nil {
		return nil, failed(stageConnection, err)
	}
	if err := conn.SetDeadline(time.Now().Add(m.timeout)); err != nil {
		_ = conn.Close()
		return nil, failed(stageConnection, err)
	}
	if m.server.privacy != implicit {
		return conn, nil
	}
	secure := tls.Client(conn, m.tlsConfig())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, failed(stageTLS, err)
	}
	return secure, nil
}

// open says hello, encrypts and logs in.
func (m *Mailer) open(conn net.Conn) (*smtp.Client, error) {
	client, err := smtp.NewClient(conn, m.server.host)
	if err != nil {
		return nil, failed("greeting", err)
	}
	if err := client.Hello(m.from.domain); err != nil {
		return nil, failed("greeting", err)
	}
	if err := m.encrypt(client); err != nil {
		return nil, err
	}
	if m.server.user == "" {
		return client, nil
	}
	auth, err := m.auth(client)
	if err != nil {
		return nil, err
	}
	if err := client.Auth(auth); err != nil {
		return nil, failed(stageAuth, err)
	}
	return client, nil
}

func (m *Mailer) encrypt(client *smtp.Client) error {
	offered, _ := client.Extension("STARTTLS")
	switch {
	case m.server.privacy == plaintext || m.server.privacy == implicit,
		m.server.privacy == startTLSIfOffered && !offered:
		return nil
	case !offered:
		return &failure{stage: stageTLS, what: "STARTTLS is not offered"}
	}
	if err := client.StartTLS(m.tlsConfig()); err != nil {
		return failed(stageTLS, err)
	}
	return nil
}

func (m *Mailer) tlsConfig() *tls.Config {
	c := m.tls.Clone()
	if c == nil {
		c = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.ServerName == "" {
		c.ServerName = m.server.host
	}
	if m.server.privacy == startTLSIfOffered {
		// A mail server on this machine is trusted without any encryption, and
		// its certificate is seldom made out to the name of the loopback.
		c.InsecureSkipVerify = true
	}
	return c
}

// auth chooses how to log in: without showing the password where that can be
// done, in the clear only where the operator or the loopback allows it.
func (m *Mailer) auth(client *smtp.Client) (smtp.Auth, error) {
	_, offered := client.Extension("AUTH")
	has := func(method mail.SMTPAuthType) bool { return slices.Contains(strings.Fields(offered), string(method)) }
	_, encrypted := client.TLSConnectionState()
	unencryptedIsFine := m.server.privacy == plaintext || m.server.loopback()
	user, password := m.server.user, m.server.password.Reveal()
	switch {
	case has(mail.SMTPAuthSCRAMSHA256):
		return smtp.ScramSHA256Auth(user, password), nil
	case has(mail.SMTPAuthSCRAMSHA1):
		return smtp.ScramSHA1Auth(user, password), nil
	case has(mail.SMTPAuthPlain) && (encrypted || unencryptedIsFine):
		return smtp.PlainAuth("", user, password, m.server.host, unencryptedIsFine), nil
	case has(mail.SMTPAuthLogin) && (encrypted || unencryptedIsFine):
		return smtp.LoginAuth(user, password, m.server.host, unencryptedIsFine), nil
	case has(mail.SMTPAuthCramMD5):
		return smtp.CRAMMD5Auth(user, password), nil
	}
	return nil, &failure{stage: stageAuth, what: "no way to log in that is known here is offered"}
}
