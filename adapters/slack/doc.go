// Package slack is the way between Slack and the chat room: requests of
// Slack come in as actions, cards go out as Block Kit.
//
// A transport, HTTP or Socket Mode, verifies and decodes a request, hands it
// to dispatch, writes the acknowledgement that comes back and then lets the
// rest follow. Nothing behind dispatch knows which transport a request came
// by.
package slack
