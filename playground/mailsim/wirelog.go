package mailsim

import (
	"errors"
	"slices"
	"time"

	"github.com/emersion/go-smtp"
)

// Exchange is one command of an SMTP session and its answer, without the
// message itself: that is in the mailbox, and holds codes.
type Exchange struct {
	At time.Time
	// Command is MAIL, RCPT or DATA; only the last one of a session is told,
	// with the whole envelope.
	Command string
	From    string
	To      []string
	// Size is that of the message, in bytes; 0 when it did not come so far.
	Size int
	// Code and Text are the answer; Code is 0 when the connection was cut.
	Code int
	Text string
}

// OnExchange lets f hear of every mail that came or was refused; nil ends
// that. f must return at once and not call the server.
func (s *Server) OnExchange(f func(Exchange)) { s.tap.Listen(f) }

// tell tells of the end of a session's mail.
func (c *session) tell(command, from string, to []string, size int, refused error) {
	e := Exchange{
		At: c.s.clock.Now(), Command: command, From: from, To: slices.Clone(to), Size: size, Code: 250, Text: "OK: queued",
	}
	var answer *smtp.SMTPError
	switch {
	case errors.As(refused, &answer):
		e.Code, e.Text = answer.Code, answer.Message
	case refused != nil:
		e.Code, e.Text = 0, "connection cut"
	}
	c.s.tap.Tell(e)
}
