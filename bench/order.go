package main

import "github.com/laurelbot/laurel/bench/seed"

// step spreads the badges over the whole table and over all people, and no
// badge comes twice: it shares no divisor with their number.
const step = 420489

// order tells which badge is claimed by the n-th press, and whose it is.
type order struct{ badges, members int }

// badge returns the number of the n-th badge, from 1 on.
func (o order) badge(n int) int { return n*step%o.badges + 1 }

// owner returns the number of the person whose badge it is, from 1 on.
func (o order) owner(badge int) int { return seed.World{People: o.members}.Owner(badge) }

// The ids of the rows that the bench adds to the generated ones.
const (
	handoffPrefix = "00000000-0000-7000-a000-"
	postPrefix    = "00000000-0000-7000-b000-"
	slackTenant   = "T0BENCH001"
)

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
