package discord

import (
	"math/rand/v2"
	"time"
)

// gatewayTimes are the waits of the gateway; tests shorten them.
type gatewayTimes struct {
	// leaseTTL is how long a shard stays with a replica that says nothing
	// more, renewEvery how often it does, and leaseMargin how long before the
	// end, by its own reckoning, it closes its connection.
	leaseTTL, renewEvery, leaseMargin time.Duration
	// sharePause is kept after taking one of several shards, so that other
	// replicas get some.
	sharePause time.Duration
	// infoEvery is how often the number of shards is read again, and infoFresh
	// how long it needs no reading before a session is started.
	infoEvery, infoFresh time.Duration
	// helloWithin bounds the handshake up to the first frame, each.
	helloWithin time.Duration
	// reconnectMin and reconnectMax bound the growing wait between
	// connections, sessionPause is the first extra wait after a session that
	// was new and lived shorter than shortSession.
	reconnectMin, reconnectMax, sessionPause, shortSession time.Duration
	// fatalPause is the wait after what only an operator can mend.
	fatalPause time.Duration
	// invalidMin and invalidSpread are the wait before a new session in place
	// of an invalid one.
	invalidMin, invalidSpread time.Duration
	// identifyEvery is the time between two sessions of one bucket.
	identifyEvery time.Duration
	// linger is how long, after our close at the end, frames that are on
	// their way are still read.
	linger time.Duration
	// ackWithin is the time for an acknowledgement, of Discord's three
	// seconds.
	ackWithin time.Duration
	// random returns numbers from 0 up to 1.
	random func() float64
}

func usualGatewayTimes() gatewayTimes {
	return gatewayTimes{
		// A store that stands still for five seconds ends no session.
		leaseTTL: 8 * time.Second, renewEvery: 1500 * time.Millisecond, leaseMargin: 750 * time.Millisecond,
		sharePause: 5 * time.Second, infoEvery: 10 * time.Minute, infoFresh: 30 * time.Second, helloWithin: 10 * time.Second,
		reconnectMin: time.Second, reconnectMax: time.Minute,
		sessionPause: 5 * time.Second, shortSession: time.Minute, fatalPause: 5 * time.Minute,
		// Discord asks for one to five seconds
		// (https://discord.com/developers/docs/events/gateway-events#invalid-session).
		invalidMin: time.Second, invalidSpread: 4 * time.Second,
		// One IDENTIFY in five seconds per bucket
		// (https://discord.com/developers/docs/events/gateway#rate-limiting).
		identifyEvery: 5250 * time.Millisecond,
		linger:        300 * time.Millisecond,
		ackWithin:     2700 * time.Millisecond,
		random:        rand.Float64,
	}
}

// about returns d, up to a quarter shorter or longer.
func (t gatewayTimes) about(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.75 + t.random()/2))
}

// backoff is the wait before the connection after that many failures: none
// to speak of at first, then growing.
func (t gatewayTimes) backoff(failures int) time.Duration {
	if failures < 1 {
		return time.Duration(float64(t.reconnectMin) * t.random() / 4)
	}
	wait := t.reconnectMax
	if failures < 16 {
		wait = min(wait, t.reconnectMin<<(failures-1))
	}
	return t.about(wait)
}
