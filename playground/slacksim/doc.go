// Package slacksim is a simulated Slack workspace: the Web API, response
// URLs, and the signed requests or Socket Mode connections over which Slack
// calls an app. It keeps state, is strict about limits and formats, and
// misbehaves on order, so that an unchanged Slack client and an unchanged app
// can be tried and tested against it over the wire.
//
// It knows Slack's protocol and nothing of the app that talks to it. Where
// Slack leaves a choice to its users' clients, the simulation acts like one:
// it checks a form before it sends it, and opens, replaces and closes views
// as the app's answers say.
//
// What people do goes to the app over one transport or the other, with the
// same outcome for them: an acknowledgement's payload is to Socket Mode what an
// answer's body is to HTTP. UseSocketMode switches.
//
// https://docs.slack.dev/
package slacksim
