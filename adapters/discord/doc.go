// Package discord speaks with Discord: interactions come in, signed, and
// become a [chat.Action]; cards go out as message components through the
// REST API.
//
// A transport only builds an interaction and hands back its callback:
// everything between is the neutral dispatch, which the HTTP receiver uses
// and every other transport can use in the same way.
package discord
