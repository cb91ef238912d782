package chattest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
)

// Ledger is what the expectations of a test have met. M names a message, and C
// is the kind of code by which the chat refuses requests. It may be used from
// any goroutine.
type Ledger[M comparable, C cmp.Ordered] struct {
	mu       sync.Mutex
	messages map[M]string // as it looked when it was met.
	forms    map[string]bool
	refused  map[C]int
	settle   func(context.Context) error
}

// NewLedger returns a ledger of a test that has expected nothing yet.
func NewLedger[M comparable, C cmp.Ordered]() *Ledger[M, C] {
	return &Ledger[M, C]{messages: map[M]string{}, forms: map[string]bool{}, refused: map[C]int{}}
}

// MeetMessage notes a message, as it is drawn now.
func (l *Ledger[M, C]) MeetMessage(id M, drawn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages[id] = drawn
}

// Message tells how a message looked when it was last met; false when it never
// was.
func (l *Ledger[M, C]) Message(id M) (drawn string, met bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	drawn, met = l.messages[id]
	return drawn, met
}

// Messages returns all messages that were met, as they were drawn then.
func (l *Ledger[M, C]) Messages() map[M]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.messages)
}

// MeetForm notes a form.
func (l *Ledger[M, C]) MeetForm(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forms[id] = true
}

// HasForm tells whether a form was met.
func (l *Ledger[M, C]) HasForm(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.forms[id]
}

// MeetRefusal notes one more request refused with this code and returns how
// many the test has expected by now.
func (l *Ledger[M, C]) MeetRefusal(code C) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused[code]++
	return l.refused[code]
}

// MeetRefusals takes the refusals so far, by code, as expected.
func (l *Ledger[M, C]) MeetRefusals(byCode map[C]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.Copy(l.refused, byCode)
}

// Refusal is a number of requests refused with one code.
type Refusal[C cmp.Ordered] struct {
	Code C
	N    int
}

// Refused returns what was refused more often than expected, of the given
// codes only, in the order of the codes.
func (l *Ledger[M, C]) Refused(byCode map[C]int, of []C) []Refusal[C] {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []Refusal[C]
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		if n := byCode[code] - l.refused[code]; n > 0 && slices.Contains(of, code) {
			all = append(all, Refusal[C]{code, n})
		}
	}
	return all
}

// SettleBy gives a way to wait until the bot has nothing left to do.
func (l *Ledger[M, C]) SettleBy(settle func(context.Context) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle = settle
}

// Settle is that way; nil when there is none.
func (l *Ledger[M, C]) Settle() func(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.settle
}
