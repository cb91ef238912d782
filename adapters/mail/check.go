package mail

import (
	"context"
	"errors"
	"fmt"

	"github.com/wneessen/go-mail/smtp"
)

// Finding is one line of a check-up.
type Finding struct {
	OK   bool
	Name string
	// Detail says what was found, Mend what to do when it is not OK.
	Detail, Mend string
}

// Check goes the way of a mail up to the sender and sends nothing. Its
// findings hold neither password nor address.
func (m *Mailer) Check(ctx context.Context) []Finding {
	var found []Finding
	err := m.session(ctx, func(c *smtp.Client) error {
		found = m.opened(c)
		if err := c.Mail(m.from.address); err != nil {
			return failed(stageSender, err)
		}
		found = append(found, Finding{OK: true, Name: "Mail sender", Detail: "accepted"})
		// A server that will not forget the sender still took it.
		_ = c.Reset()
		return nil
	})
	if err == nil {
		return found
	}
	return append(found, m.trouble(err))
}

// opened tells what a usable connection is like.
func (m *Mailer) opened(c *smtp.Client) []Finding {
	found := []Finding{{OK: true, Name: "Mail server", Detail: "answers at " + m.server.address()}}
	private := Finding{OK: true, Name: "Mail encryption"}
	_, encrypted := c.TLSConnectionState()
	switch {
	case encrypted:
		private.Detail = "on"
	case m.server.loopback():
		private.Detail = "off, and the server is on this machine"
	default:
		private.OK, private.Detail = false, "off: codes and the password can be read on the way"
		private.Mend = "Take ?tls=off out of SMTP_URL, or use smtps://."
	}
	found = append(found, private)
	if m.server.user != "" {
		found = append(found, Finding{OK: true, Name: "Mail login", Detail: "accepted"})
	}
	return found
}

func (m *Mailer) trouble(err error) Finding {
	f := Finding{Name: "Mail server", Detail: fmt.Sprintf("at %s: %v", m.server.address(), err)}
	var at *failure
	if !errors.As(err, &at) {
		at = &failure{stage: stageConnection}
	}
	switch at.stage {
	case stageTLS:
		f.Name = "Mail encryption"
		f.Mend = "Use smtps:// in SMTP_URL where the server encrypts from the start (port 465), and the name that is in its certificate."
	case stageAuth:
		f.Name = "Mail login"
		f.Mend = "Check user and password in SMTP_URL; special characters of the password are percent-encoded."
	case stageSender:
		f.Name = "Mail sender"
		f.Mend = "Set MAIL_FROM to an address from which this server lets the user send."
	default:
		f.Mend = "Check host and port in SMTP_URL, and that this machine may connect to them."
	}
	return f
}
