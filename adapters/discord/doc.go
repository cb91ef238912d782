// Package discord speaks with Discord: interactions come in, signed by HTTP
// or over the gateway, and become a [chat.Action]; cards go out as message
// components through the REST API.
//
// A transport only builds an interaction and hands back its callback:
// everything between is the neutral dispatch, which both transports use in
// the same way. Limits are kept by what Discord's answers say, and shared by
// all replicas where a [core.Limiter] is given.
package discord
