package core

import "time"

// Clock tells what time it is. All replicas share one clock, in production
// the database's, because their own may be minutes apart and a handoff must
// end for everybody at the same moment.
type Clock interface {
	// Now returns the present time in UTC. It never fails: an
	// implementation that has lost its source goes on from the last reading.
	Now() time.Time
}
