package testpg

import "errors"

// Durable is a PostgreSQL server for measurements: it writes as durably as
// one in production. It ends with the process at the latest.
type Durable struct{ c *cluster }

// StartDurable starts a server with fsync and synchronous commits. More
// settings have the form name=value, without spaces.
func StartDurable(more ...string) (*Durable, error) {
	c, err := newCluster(append([]string{"fsync=on", "synchronous_commit=on", "full_page_writes=on"}, more...)...)
	if err != nil {
		return nil, err
	}
	return &Durable{c: c}, nil
}

// DSN returns the superuser's DSN of a database.
func (d *Durable) DSN(database string) string { return d.c.dsn(database) }

// Programs returns the folder of the server's programs, pgbench among them.
func (d *Durable) Programs() string { return d.c.bin }

// PID returns the process id of the server.
func (d *Durable) PID() (int, error) { return d.c.pid() }

// Stop ends the server and deletes its data.
func (d *Durable) Stop() error { return errors.Join(d.c.stop(false), d.c.remove()) }
