package discord

import (
	"regexp"
	"time"
	"unicode/utf8"
)

// Limits of components, in characters or pieces
// (https://discord.com/developers/docs/components/reference).
const (
	maxComponents = 40
	maxText       = 4000
	maxRowButtons = 5
	maxRows       = 2
	maxLabel      = 80
	maxButtonURL  = 512
	maxMediaURL   = 2048
	maxAlt        = 1024
	// maxPicture is the largest file in bytes, where nobody pays for more
	// (https://discord.com/developers/docs/reference#uploading-files).
	maxPicture     = 10 << 20
	maxCustomID    = 100
	maxModalTitle  = 45
	maxModalParts  = 5
	maxFieldLabel  = 45
	maxFieldHint   = 100
	maxPlaceholder = 100
	maxInput       = 4000
	maxOptions     = 25
	maxOptionLabel = 100
)

// Limits of application commands
// (https://discord.com/developers/docs/interactions/application-commands).
const (
	maxChoices            = 25
	maxChoice             = 100
	maxCommandName        = 32
	maxCommandDescription = 100
	maxCommandTotal       = 8000
)

// Limits of the card's parts, so that a long part leaves room for the
// others within maxText.
const (
	maxTitlePart  = 256
	maxTextPart   = 2000
	maxItemPart   = 1000
	maxFooterPart = 500
)

const (
	// maxBody bounds what is read of an incoming request: an interaction
	// without attachments is far below it.
	maxBody = 256 << 10
	// maxAnswer bounds what is read of an answer of the REST API.
	maxAnswer = 1 << 20
	// signatureWindow is how far the signed timestamp may be from now. Discord
	// names no limit; five minutes is what other platforms ask for.
	signatureWindow = 5 * time.Minute
	// tokenLife is how long an interaction token works
	// (https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages),
	// and tokenMargin what is kept of it for the way there.
	tokenLife   = 15 * time.Minute
	tokenMargin = 20 * time.Second
	// ackGrace is how long after its interaction an unknown token may only
	// mean that Discord has not yet worked off the acknowledgement.
	ackGrace = 10 * time.Second
	// nonceTrust is how long Discord surely remembers a nonce: it says "the
	// past few minutes" (https://discord.com/developers/docs/resources/message#create-message).
	nonceTrust = time.Minute
	// messageLife is how long a message of the bot itself can be edited:
	// Discord names no end.
	messageLife = 50 * 365 * 24 * time.Hour
	// requestTimeout bounds one call of the REST API.
	requestTimeout = 10 * time.Second
	// defaultRetryAfter is waited after a 429 that names no time, and
	// maxRetryAfter is the longest wait that is believed.
	defaultRetryAfter = 5 * time.Second
	maxRetryAfter     = time.Hour
	// maxRouteInterval bounds the pace that replicas share for one route.
	maxRouteInterval = 10 * time.Minute
	// maxCachedChannels bounds the memory of direct message channels.
	maxCachedChannels = 10_000
)

const ellipsis = "…"

// fileNames are names that Discord stores as they are.
var fileNames = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,60}\.png$`)

// shorten cuts s to at most n characters, the last of them an ellipsis when
// something was cut.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + ellipsis
}
