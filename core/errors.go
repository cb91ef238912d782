package core

import "errors"

// Errors that a person may be told about, each in a sentence of the
// catalogue. They carry no data of anybody.
var (
	// ErrNotFound says that something does not exist, or not for the asker;
	// the two cannot be told apart on purpose.
	ErrNotFound = errors.New("not found")
	// ErrUnmet says that a conditional change found its condition
	// unmet and changed nothing.
	ErrUnmet = errors.New("condition not met")
	// ErrGone says that a link or code was used, ran out, or was replaced.
	ErrGone = errors.New("gone")
	// ErrUnreachable says that the provider does not answer just now.
	ErrUnreachable = errors.New("provider unreachable")
	// ErrTooMany says that the asker asked too often.
	ErrTooMany = errors.New("too many requests")
	// ErrUnavailable says that the store does not answer; nothing is known
	// to have changed.
	ErrUnavailable = errors.New("store unavailable")
)
