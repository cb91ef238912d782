// Package archtest holds the tests of the repository's own shape: who may
// import whom, which libraries belong to which room, and that the README, the
// checks and the list of dependencies say what is so. It has no code of its
// own; the rules are in rules_test.go.
package archtest
