package mail

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// privacy is how a connection is encrypted.
type privacy int

const (
	// starttls: encrypted before anything is said, or not used.
	starttls privacy = iota
	// startTLSIfOffered is for this machine only.
	startTLSIfOffered
	// plaintext is for who asked for it.
	plaintext
	// implicit: encrypted from the first byte.
	implicit
)

// Ports of mail submission (RFC 8314, section 3.3,
// https://www.rfc-editor.org/rfc/rfc8314#section-3.3).
const (
	portSubmission  = "587"
	portSubmissions = "465"
)

// server is where mail is handed over.
type server struct {
	host, port string
	privacy    privacy
	user       string
	password   core.Secret
}

func (s server) address() string { return net.JoinHostPort(s.host, s.port) }

// loopback reports whether the server is on this machine.
func (s server) loopback() bool {
	ip := net.ParseIP(s.host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(s.host, "localhost")
}

// parseServer reads the setting. Errors of the URL parser quote what they
// read, so none of them is passed on.
func parseServer(secret core.Secret) (server, error) {
	u, err := url.Parse(secret.Reveal())
	if err != nil {
		return server{}, errors.New("want smtp://user:password@host:port, with special characters of the password percent-encoded")
	}
	s := server{host: u.Hostname(), port: u.Port()}
	switch {
	case s.host == "":
		return server{}, errors.New("it has no host")
	case strings.Trim(u.Path, "/") != "" || u.Fragment != "":
		return server{}, errors.New("nothing may follow the port but ?tls=")
	}
	switch u.Scheme {
	case "smtps":
		s.privacy = implicit
		if s.port == "" {
			s.port = portSubmissions
		}
	case "smtp":
		if s.loopback() {
			s.privacy = startTLSIfOffered
		}
		if s.port == "" {
			s.port = portSubmission
		}
	default:
		return server{}, errors.New("it begins neither with smtp:// nor with smtps://")
	}
	if n, err := strconv.ParseUint(s.port, 10, 16); err != nil || n == 0 {
		return server{}, errors.New("its port is not a number up to 65535")
	}
	if err := s.readOptions(u); err != nil {
		return server{}, err
	}
	if u.User != nil {
		password, _ := u.User.Password()
		s.user, s.password = u.User.Username(), core.Secret(password)
		if s.user == "" {
			return server{}, errors.New("it has a password but no user")
		}
	}
	return s, nil
}

func (s *server) readOptions(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("nothing may follow the port but ?tls=")
	}
	for name := range query {
		if name != "tls" {
			return errors.New("nothing may follow the port but ?tls=")
		}
	}
	if !query.Has("tls") {
		return nil
	}
	switch mode := query.Get("tls"); {
	case u.Scheme == "smtps":
		return errors.New("?tls= is of no use with smtps://, which is always encrypted")
	case mode == "off":
		s.privacy = plaintext
	case mode == "required":
		s.privacy = starttls
	default:
		return errors.New("?tls= is neither off nor required")
	}
	return nil
}
