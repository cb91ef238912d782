package sqlstore

import (
	"context"
	"database/sql/driver"
	"sync/atomic"
	"time"
)

// plug is between the store and its file.
type plug struct{ pulled atomic.Bool }

// Unplug makes the database vanish, or brings it back: the open connection is
// closed when it is next used, and no other is opened meanwhile, so that every
// call fails with [core.ErrUnavailable]. Work that is within a transaction
// ends first. Nothing is lost. It is for trying out what the program does
// then, and works for SQLite only; false means that it does not.
func (d *DB) Unplug(pulled bool) bool {
	if d.plug == nil {
		return false
	}
	d.plug.pulled.Store(pulled)
	if pulled {
		d.x.SetConnMaxLifetime(time.Nanosecond)
	} else {
		d.x.SetConnMaxLifetime(0)
	}
	return true
}

// plugged opens connections of a driver as long as the plug is in.
type plugged struct {
	plug   *plug
	driver driver.Driver
	name   string
}

var _ driver.Connector = plugged{}

// Connect opens a connection.
func (p plugged) Connect(context.Context) (driver.Conn, error) {
	if p.plug.pulled.Load() {
		// The only error by which the pool and the store alike know a
		// connection that is not there.
		return nil, &dbError{text: "connection to database lost: unplugged", unavailable: true}
	}
	return p.driver.Open(p.name)
}

// Driver returns the driver.
func (p plugged) Driver() driver.Driver { return p.driver }
