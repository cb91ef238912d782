// Package chattest is what the languages for tests of chat bots have in common,
// whatever the chat: how long an expectation waits, what the expectations of a
// test have met, and what is left over at its end. What people see and do in a
// chat is in the words of its own language, see slacktest and discordtest.
package chattest
