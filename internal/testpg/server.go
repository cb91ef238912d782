package testpg

import "testing"

// Server is a PostgreSQL server of one test, for tests of faults. Its methods
// end the test when they fail and must be called from the test's own
// goroutine. Its address and its databases stay the same across Stop and
// Start.
type Server struct {
	tb        testing.TB
	c         *cluster
	suspended bool
}

// StartServer starts a server that ends with the test. It costs about two
// seconds; a test that only needs a database uses New. Where PostgreSQL
// cannot be had the test is skipped by name, or fails when CI=true.
func StartServer(tb testing.TB) *Server {
	tb.Helper()
	c, err := newCluster()
	if err != nil {
		giveUp(tb, err)
	}
	s := &Server{tb: tb, c: c}
	tb.Cleanup(func() {
		s.Resume()
		if err := c.stop(false); err != nil {
			tb.Errorf("%v", err)
		}
		if err := c.remove(); err != nil {
			tb.Errorf("remove data directory: %v", err)
		}
	})
	return s
}

// NewDatabase returns the DSN of a fresh, empty database of this server. It
// goes with the server.
func (s *Server) NewDatabase() string {
	s.tb.Helper()
	dsn, err := createDatabase(s.c.dsn("postgres"))
	if err != nil {
		s.tb.Fatalf("create test database: %v", err)
	}
	return dsn
}

// Addr returns the host and port on which the server listens.
func (s *Server) Addr() string { return s.c.addr() }

// Stop ends the server at once, as a crash would: connections break, and new
// ones are refused until Start. Committed rows stay.
func (s *Server) Stop() {
	s.tb.Helper()
	s.Resume()
	if err := s.c.stop(true); err != nil {
		s.tb.Fatalf("%v", err)
	}
}

// Start starts a stopped server again at the same address.
func (s *Server) Start() {
	s.tb.Helper()
	if s.c.cmd != nil {
		return
	}
	if err := s.c.start(); err != nil {
		s.tb.Fatalf("start PostgreSQL: %v", err)
	}
}

// Restart is Stop and Start: every connection breaks.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	s.Start()
}

// Suspend freezes the server and all its connections: they stay open and
// nothing answers, as when packets vanish. New connections are accepted by
// the kernel and never served.
func (s *Server) Suspend() {
	s.tb.Helper()
	s.signal(true)
}

// Resume lets a suspended server run on.
func (s *Server) Resume() {
	s.tb.Helper()
	s.signal(false)
}

func (s *Server) signal(suspended bool) {
	s.tb.Helper()
	if s.suspended == suspended || s.c.cmd == nil {
		return
	}
	send := resume
	if suspended {
		send = suspend
	}
	pid, err := s.c.pid()
	if err == nil {
		err = send(pid)
	}
	if err != nil {
		s.tb.Fatalf("signal PostgreSQL: %v", err)
	}
	s.suspended = suspended
}
