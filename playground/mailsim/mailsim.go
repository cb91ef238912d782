// Package mailsim is a mailbox for every address there is: it takes mail over
// SMTP, reads it as a mail program would and shows it. It can refuse, delay
// and lose on order, see Fail.
package mailsim

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/idna"

	"github.com/laurelbot/laurel/playground/simchange"
	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/simfault"
	"github.com/laurelbot/laurel/playground/simwire"
)

const (
	// maxMessage is the largest message taken, in bytes.
	maxMessage = 4 << 20
	// maxRecipients is what RFC 5321, section 4.5.3.1.8, asks for.
	maxRecipients = 100
)

// Config says where the mailbox listens.
type Config struct {
	// Clock gives the time of arrival; nil is real time.
	Clock *simclock.Clock
	// Addr is where to listen; empty is a free port of 127.0.0.1.
	Addr string
}

// Server is a running mailbox. All methods may be called concurrently.
type Server struct {
	clock    *simclock.Clock
	addr     string
	smtp     *smtp.Server
	stop     context.CancelFunc
	stopped  context.Context
	finished sync.WaitGroup

	changes simchange.Signal
	faults  simfault.Orders[Fault]
	tap     simwire.Tap[Exchange]

	mu       sync.Mutex
	nextID   int
	messages []Message
	sessions int
}

// Start listens and takes mail until Close.
func Start(cfg Config) (*Server, error) {
	if cfg.Clock == nil {
		cfg.Clock = simclock.New()
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	stopped, stop := context.WithCancel(context.Background())
	ln, err := (&net.ListenConfig{}).Listen(stopped, "tcp", cfg.Addr)
	if err != nil {
		stop()
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{clock: cfg.Clock, addr: ln.Addr().String(), stop: stop, stopped: stopped}
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.smtp.Domain = "mailbox.example.org"
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.MaxMessageBytes = maxMessage
	s.smtp.MaxRecipients = maxRecipients
	s.smtp.ReadTimeout = 30 * time.Second
	s.smtp.WriteTimeout = 30 * time.Second
	// Connections that are cut on order are no news.
	s.smtp.ErrorLog = log.New(io.Discard, "", 0)
	s.finished.Go(func() {
		// Serve always ends with an error; after Close it says nothing new.
		_ = s.smtp.Serve(ln)
	})
	return s, nil
}

// Close stops listening and ends every connection.
func (s *Server) Close() error {
	s.stop()
	err := s.smtp.Close()
	s.finished.Wait()
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// Addr returns host and port.
func (s *Server) Addr() string { return s.addr }

// URL returns the address as a setting: smtp://host:port.
func (s *Server) URL() string { return "smtp://" + s.addr }

// Sessions returns how many connections were greeted.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// Messages returns the mail for an address in the order of arrival; all mail
// when address is empty. Addresses are compared without regard to case, and
// an international domain equals its ASCII form.
func (s *Server) Messages(address string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []Message{}
	want := normal(address)
	for _, m := range s.messages {
		if address == "" || slices.ContainsFunc(m.Recipients, func(r string) bool { return normal(r) == want }) {
			all = append(all, m)
		}
	}
	return all
}

// Delete throws one message away; false when there is none with this id.
func (s *Server) Delete(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.messages)
	s.messages = slices.DeleteFunc(slices.Clone(s.messages), func(m Message) bool { return m.ID == id })
	s.touch()
	return len(s.messages) < before
}

// Clear throws all mail away.
func (s *Server) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = nil
	s.touch()
}

// WaitFor returns the mail for an address as soon as there are at least n
// messages, or the context's error with what there is.
func (s *Server) WaitFor(ctx context.Context, address string, n int) ([]Message, error) {
	var got []Message
	err := s.changes.Eventually(ctx, func() bool {
		got = s.Messages(address)
		return len(got) >= n
	})
	if err != nil {
		return got, fmt.Errorf("wait for mail: %d of %d came: %w", len(got), n, err)
	}
	return got, nil
}

// Changed returns a channel that is closed when mail next comes or goes. Take
// it before looking, or a change may be missed.
func (s *Server) Changed() <-chan struct{} { return s.changes.Changed() }

// touch tells the waiting that something changed.
func (s *Server) touch() { s.changes.Touch() }

// normal is the form in which addresses are compared.
func normal(address string) string {
	address = strings.ToLower(strings.TrimSpace(address))
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		return address
	}
	return address[:at+1] + domain
}
