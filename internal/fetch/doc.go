// Package fetch gets what lies behind addresses that people typed, or that
// stand in documents of strangers. Nothing private is ever reached: the
// address of every connection is checked when it is dialled, so a name that
// points elsewhere a moment later gains nothing, and every redirect is held
// against the same rules. What comes back is bounded in size and time,
// before and after decompression.
package fetch
