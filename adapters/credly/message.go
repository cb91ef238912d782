package credly

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
)

// maxMessage is the most that is kept of a message of Credly, in runes.
const maxMessage = 300

var (
	anyLink    = regexp.MustCompile(`(?i)\bhttps?://\S+`)
	anyAddress = regexp.MustCompile(`(?i)[^\s@<>"'(),;:\[\]]+(?:@|%40)[^\s@<>"'(),;:\[\]]+|"[^"]*"@\S+`)
)

// readMessage finds the message of a refusal, and the id of the newest badge
// where one is told. Two forms are known: data.message and message.
func readMessage(body []byte) (message, current string) {
	var got struct {
		Message  text            `json:"message"`
		Data     json.RawMessage `json:"data"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if json.Unmarshal(body, &got) != nil {
		return "", ""
	}
	var data struct {
		Message text `json:"message"`
	}
	var metadata struct {
		CurrentBadgeID text `json:"current_badge_id"`
	}
	// Either part may have another form; then there is nothing to be found.
	_ = json.Unmarshal(got.Data, &data)
	_ = json.Unmarshal(got.Metadata, &metadata)
	message = string(data.Message)
	if message == "" {
		message = string(got.Message)
	}
	if current = string(metadata.CurrentBadgeID); !validID(current) {
		current = ""
	}
	return clean(message), current
}

// clean makes a text of Credly fit for logs: no addresses, no links, one
// line, not long.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = anyLink.ReplaceAllString(s, "[link]")
	s = anyAddress.ReplaceAllString(s, "[address]")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > maxMessage {
		s = string([]rune(s)[:maxMessage]) + "…"
	}
	return s
}

// withoutPerson removes what was said about a person from the message of a
// refusal, should Credly repeat it.
func withoutPerson(err error, r core.IssueRequest) error {
	var e *statusError
	if !errors.As(err, &e) || !errors.Is(e, core.ErrRefused) {
		return err
	}
	clone := *e
	for _, word := range []string{r.FirstName, r.LastName, r.Recipient.Shown, r.Recipient.Normal, r.Certificate.Number} {
		if utf8.RuneCountInString(word) < 2 {
			continue
		}
		personal := regexp.MustCompile(`(?i)` + regexp.QuoteMeta(word))
		clone.message = personal.ReplaceAllLiteralString(clone.message, "[person]")
	}
	return &clone
}
