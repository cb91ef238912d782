package core

import "log/slog"

const redacted = "[redacted]"

// Secret is a text that must not be shown: every usual way of printing it
// gives "[redacted]". Reveal is the one way to its content.
type Secret string

// Reveal returns the content, for the one call that needs it.
func (s Secret) Reveal() string { return string(s) }

// String hides the content from fmt.
func (s Secret) String() string { return redacted }

// GoString hides the content from the %#v verb.
func (s Secret) GoString() string { return redacted }

// LogValue hides the content from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the content from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
