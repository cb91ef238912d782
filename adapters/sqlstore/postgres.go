package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Limits of the connections to PostgreSQL. The server gives up a statement
// before the connection's own limit ends, so that a slow one does not cost a
// connection; both leave time for an answer in the three seconds that chat
// platforms give.
const (
	ioLimit          = 2500 * time.Millisecond
	connectTimeout   = "5"
	statementTimeout = "2000"
	lockTimeout      = "1000"
	tableTimeout     = "500"
	idleTime         = 5 * time.Minute
)

func isPostgres(link string) bool {
	return strings.HasPrefix(link, "postgres://") || strings.HasPrefix(link, "postgresql://")
}

// openPostgres opens a pool whose connections never hang: reads and writes
// have a deadline, statements and locks one at the server.
func openPostgres(link string, maxConns int) (*sqlx.DB, error) {
	connector, err := newConnector(link, map[string]string{
		"connect_timeout":   connectTimeout,
		"statement_timeout": statementTimeout,
		"lock_timeout":      lockTimeout,
	})
	if err != nil {
		return nil, err
	}
	connector.Dialer(deadlineDialer{limit: ioLimit})
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxIdleTime(idleTime)
	return sqlx.NewDb(db, "postgres"), nil
}

// openPatient opens PostgreSQL for migrations: a statement may take as long as
// it needs, but not wait long for a table, because everybody who wants the
// same table waits behind it.
func openPatient(link string) (*sql.DB, error) {
	connector, err := newConnector(link, map[string]string{
		"connect_timeout":   connectTimeout,
		"statement_timeout": "0",
		"lock_timeout":      tableTimeout,
	})
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// newConnector adds what the URL leaves open. An sslmode is always written,
// because the driver's default may change: none on the own machine, encrypted
// elsewhere.
func newConnector(link string, defaults map[string]string) (*pq.Connector, error) {
	u, err := url.Parse(link)
	if err != nil {
		// The parser's error quotes the URL and with it the password.
		return nil, errors.New("the URL of the database cannot be read")
	}
	q := u.Query()
	for name, value := range defaults {
		if !q.Has(name) {
			q.Set(name, value)
		}
	}
	if !q.Has("sslmode") {
		q.Set("sslmode", "require")
		if isLoopback(u.Hostname(), q.Get("host")) {
			q.Set("sslmode", "disable")
		}
	}
	// One round trip for a statement with arguments in place of two
	// (https://pkg.go.dev/github.com/lib/pq).
	q.Set("binary_parameters", "yes")
	u.RawQuery = q.Encode()
	connector, err := pq.NewConnector(u.String())
	if err != nil {
		return nil, errors.New("the URL of the database has a setting that the driver refuses")
	}
	return connector, nil
}

func isLoopback(host, override string) bool {
	if override != "" {
		host = override
	}
	if host == "" || host == "localhost" || strings.HasPrefix(host, "/") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// deadlineDialer gives every read and write of a connection a time limit: a
// query on a connection whose packets vanish would otherwise wait for ever,
// whatever its context says.
type deadlineDialer struct {
	dialer net.Dialer
	limit  time.Duration
}

var (
	_ pq.Dialer        = deadlineDialer{}
	_ pq.DialerContext = deadlineDialer{}
)

// Dial connects.
func (d deadlineDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout connects within a time.
func (d deadlineDialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// DialContext connects while ctx lasts.
func (d deadlineDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	return deadlineConn{Conn: c, limit: d.limit}, nil
}

type deadlineConn struct {
	net.Conn
	limit time.Duration
}

// Read reads within the limit.
func (c deadlineConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write writes within the limit.
func (c deadlineConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
