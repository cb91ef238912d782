package mail

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/laurelbot/laurel/core"
)

// DefaultTimeout is how long opening a connection may take, and after it
// handing over one mail.
const DefaultTimeout = 10 * time.Second

// Config is what a mailer needs. URL and From are required.
type Config struct {
	// URL is the mail server: smtp://user:password@host:port, whose port is
	// 587 unless it says otherwise, or smtps://… with port 465. The password
	// is percent-encoded. smtp:// is encrypted by STARTTLS, and without it
	// nothing is sent, unless the host is this machine. ?tls=off sends
	// unencrypted; ?tls=required wants STARTTLS of this machine as well.
	URL core.Secret
	// From is the sender with or without a name, e.g.
	// "Badges <badges@example.org>".
	From string
	// Timeout is [DefaultTimeout] if zero.
	Timeout time.Duration
	// TLS may be nil; it is for mail servers with a private certificate
	// authority.
	TLS *tls.Config
	// Log may be nil.
	Log *slog.Logger
}

// Mailer sends mail through one mail server, with a connection for each mail.
// It is safe for concurrent use.
type Mailer struct {
	server  server
	from    sender
	timeout time.Duration
	tls     *tls.Config
	log     *slog.Logger
}

var _ core.Mailer = (*Mailer)(nil)

// sender is where mail comes from.
type sender struct {
	name string
	// address has its domain in ASCII.
	address string
	domain  string
}

// New checks the settings and returns a mailer. It connects to nothing. Its
// errors hold neither password nor address.
func New(c Config) (*Mailer, error) {
	s, err := parseServer(c.URL)
	if err != nil {
		return nil, fmt.Errorf("read SMTP_URL: %w", err)
	}
	from, err := parseSender(c.From)
	if err != nil {
		return nil, fmt.Errorf("read MAIL_FROM: %w", err)
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Mailer{server: s, from: from, timeout: c.Timeout, tls: c.TLS, log: c.Log}, nil
}

func parseSender(s string) (sender, error) {
	parsed, err := netmail.ParseAddress(s)
	if err != nil || strings.ContainsFunc(parsed.Name, unprintable) {
		return sender{}, core.ErrBadAddress
	}
	email, err := core.ParseEmail(parsed.Address)
	if err != nil {
		return sender{}, core.ErrBadAddress
	}
	address := wireAddress(email)
	return sender{name: parsed.Name, address: address, domain: address[strings.LastIndexByte(address, '@')+1:]}, nil
}

// wireAddress is the form in which an address is given to a mail server: the
// local part as it was typed, because only its own server may say which
// spellings are the same, and the domain in ASCII, which every server takes.
func wireAddress(e core.Email) string {
	shown := e.Shown[:strings.LastIndexByte(e.Shown, '@')]
	return shown + e.Normal[strings.LastIndexByte(e.Normal, '@'):]
}

// Send hands m over to the mail server. It takes at most twice the timeout.
// [core.ErrMailRefused] when the address will never take it; every other
// error may pass, also one that needs the operator.
func (m *Mailer) Send(ctx context.Context, mail core.Mail) error {
	msg, to, err := m.message(mail)
	if err != nil {
		return fmt.Errorf("make mail: %w", err)
	}
	utf8 := !isASCII(to) || !isASCII(m.from.address)
	err = m.session(ctx, func(c *smtp.Client) error {
		if ok, _ := c.Extension("SMTPUTF8"); utf8 && !ok {
			// RFC 6531, section 3.2: such an address cannot be given to a server
			// that does not know international mail.
			return fmt.Errorf("mail server takes no international addresses: %w", core.ErrMailRefused)
		}
		// Asking for it without need would keep the mail from servers further
		// on that do not know it.
		c.SkipSMTPUTF8(!utf8)
		if err := c.Mail(m.from.address); err != nil {
			return failed(stageSender, err)
		}
		if err := c.Rcpt(to); err != nil {
			return failed(stageRecipient, err)
		}
		w, err := c.Data()
		if err != nil {
			return failed("data", err)
		}
		if _, err := msg.WriteTo(w); err != nil {
			return failed("content", err)
		}
		if err := w.Close(); err != nil {
			return failed("content", err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	m.log.DebugContext(ctx, "mail handed over", "mail_id", mail.ID)
	return nil
}
