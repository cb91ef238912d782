package core

import (
	"context"
	"errors"
)

// ErrMailRefused says that a mail will never be accepted for its address;
// any other error of a [Mailer] is temporary.
var ErrMailRefused = errors.New("mail refused")

// Mail is one mail to one address, in both of its forms.
type Mail struct {
	// ID makes the Message-ID, so that a repeated sending can be recognised.
	ID      string
	To      Email
	Locale  string
	Subject string
	Text    string
	HTML    string
}

// Mailer sends mail.
type Mailer interface {
	// Send hands m over to the next mail server. [ErrMailRefused] when it will
	// never take it.
	Send(ctx context.Context, m Mail) error
}
