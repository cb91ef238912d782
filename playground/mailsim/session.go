package mailsim

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/laurelbot/laurel/playground/simfault"
)

// The commands that a Fault can meet.
const (
	MAIL = "MAIL"
	RCPT = "RCPT"
	DATA = "DATA"
)

// Fault is misbehaviour on order. The first fault that fits a command is used
// for it.
type Fault struct {
	// Command is MAIL, RCPT or DATA.
	Command string `json:"command"`
	// Address limits the fault to mail from (MAIL) or to (RCPT, DATA) this
	// address; empty fits all.
	Address string `json:"address"`
	// Times is how often; 0 is once, negative until ClearFaults.
	Times int `json:"times"`
	// Code refuses with this SMTP code, such as 451 or 550.
	Code int `json:"code"`
	// Enhanced is the code of RFC 3463, such as {4, 3, 0}.
	Enhanced [3]int `json:"enhanced"`
	// Text is said with the code.
	Text string `json:"text"`
	// Delay is waited before the answer, in real time.
	Delay time.Duration `json:"delay"`
	// DropAfter takes the message and cuts the connection instead of saying
	// so (DATA), or only cuts it (MAIL, RCPT).
	DropAfter bool `json:"drop_after"`
}

// errCut ends a session whose connection was cut on order.
var errCut = errors.New("connection cut on order")

// Fail orders misbehaviour.
func (s *Server) Fail(f Fault) *simfault.Order { return s.faults.Add(f, f.Times) }

// ClearFaults ends all misbehaviour.
func (s *Server) ClearFaults() { s.faults.Clear() }

// takeFault finds the fault for a command; the zero one is none.
func (s *Server) takeFault(command string, addresses ...string) Fault {
	f, _ := s.faults.Take(func(f Fault) bool {
		same := func(a string) bool { return normal(a) == normal(f.Address) }
		return f.Command == command && (f.Address == "" || slices.ContainsFunc(addresses, same))
	})
	return f
}

// session takes the mail of one connection.
type session struct {
	s          *Server
	conn       *smtp.Conn
	from       string
	utf8       bool
	recipients []string
}

var _ smtp.Session = (*session)(nil)

func (s *Server) newSession(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions++
	return &session{s: s, conn: c}, nil
}

// Mail takes the envelope's sender.
func (c *session) Mail(from string, opts *smtp.MailOptions) error {
	if err := c.misbehave(c.s.takeFault(MAIL, from)); err != nil {
		c.tell(MAIL, from, nil, 0, err)
		return err
	}
	c.from, c.utf8 = from, opts != nil && opts.UTF8
	return c.checkForm(from)
}

// Rcpt takes one of the envelope's recipients.
func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := c.misbehave(c.s.takeFault(RCPT, to)); err != nil {
		c.tell(RCPT, c.from, []string{to}, 0, err)
		return err
	}
	if err := c.checkForm(to); err != nil {
		return err
	}
	c.recipients = append(c.recipients, to)
	return nil
}

// checkForm refuses an international address in an envelope that was not
// announced as one, see RFC 6531, section 3.3.
func (c *session) checkForm(address string) error {
	if c.utf8 || strings.IndexFunc(address, func(r rune) bool { return r > 127 }) < 0 {
		return nil
	}
	return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 6, 7}, Message: "SMTPUTF8 is needed for this address"}
}

// Data takes the message.
func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	fault := c.s.takeFault(DATA, c.recipients...)
	if fault.DropAfter {
		if !simfault.Pause(c.s.stopped, fault.Delay) {
			return errCut
		}
		c.s.store(c.from, c.recipients, raw)
		return c.cut()
	}
	if err := c.misbehave(fault); err != nil {
		c.tell(DATA, c.from, c.recipients, len(raw), err)
		return err
	}
	c.tell(DATA, c.from, c.recipients, len(raw), nil)
	c.s.store(c.from, c.recipients, raw)
	return nil
}

// Reset forgets the envelope.
func (c *session) Reset() { c.from, c.utf8, c.recipients = "", false, nil }

// Logout ends the session.
func (c *session) Logout() error { return nil }

// misbehave waits, cuts and refuses as ordered.
func (c *session) misbehave(f Fault) error {
	switch {
	case !simfault.Pause(c.s.stopped, f.Delay):
		return errCut
	case f.DropAfter:
		return c.cut()
	case f.Code == 0:
		return nil
	}
	text := f.Text
	if text == "" {
		text = "Refused on order"
	}
	enhanced := smtp.EnhancedCode(f.Enhanced)
	if f.Enhanced == [3]int{} {
		enhanced = smtp.EnhancedCode{f.Code / 100, 0, 0}
	}
	return &smtp.SMTPError{Code: f.Code, EnhancedCode: enhanced, Message: text}
}

func (c *session) cut() error {
	if err := c.conn.Conn().Close(); err != nil {
		return errors.Join(errCut, err)
	}
	return errCut
}

func (s *Server) store(from string, recipients []string, raw []byte) {
	m := parse(raw)
	m.Sender, m.Recipients = from, slices.Clone(recipients)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextID++
	m.ID, m.ReceivedAt = s.nextID, s.clock.Now()
	s.messages = append(s.messages, m)
	s.touch()
}
