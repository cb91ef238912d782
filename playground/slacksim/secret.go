package slacksim

import (
	"crypto/rand"
	"regexp"
)

// secretPrefix begins every secret part of a response URL and every ticket,
// so that the wire log finds it in any encoding.
const secretPrefix = "rsec"

var secretPattern = regexp.MustCompile(secretPrefix + `[0-9A-Z]{20,}`)

// tokenPattern finds Slack tokens of any kind.
// https://docs.slack.dev/authentication/tokens/
var tokenPattern = regexp.MustCompile(`(?:xox[a-z]|xapp)-[0-9A-Za-z-]+`)

func newSecret() string { return secretPrefix + rand.Text() }
