// Package console is the web page of the playground: on it a person acts by
// hand in a simulated Slack and a simulated Discord at once, reads the
// simulated mailbox, decides at the simulated Credly, grants at the simulated
// portal and moves the clock that they all share.
//
// It composes the simulators' own console handlers and adds what is missing
// between them: the page itself, one stream of changes, the clock, and the
// mail's HTML in a safe frame. Like them it knows nothing of the app that is
// tried out, and it must only be reachable from the own machine.
package console
