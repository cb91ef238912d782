// Package blockkit judges Block Kit payloads the way Slack's API does: what
// Slack would refuse is reported as a problem with a JSON pointer to the
// place. It knows the published limits and shapes, not what a payload means.
//
// Lengths count Unicode code points. Reference:
// https://docs.slack.dev/reference/block-kit/
package blockkit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// Kind says what a payload is to be used as, because limits depend on it.
type Kind string

// The kinds that Validate knows.
const (
	// KindMessage is an object with text, blocks and attachments.
	KindMessage Kind = "message"
	// KindBlocks is the array of blocks of a message.
	KindBlocks Kind = "blocks"
	// KindAttachments is the array of attachments of a message.
	KindAttachments Kind = "attachments"
	// KindModal is a view of type modal.
	KindModal Kind = "modal"
	// KindHome is a view of type home.
	KindHome Kind = "home"
)

// Problem is one reason why Slack would refuse a payload.
type Problem struct {
	// Pointer is the JSON pointer to the offending value, relative to the
	// payload given to Validate; KindBlocks and KindAttachments begin with
	// /blocks and /attachments.
	Pointer string
	// Message says what is wrong, worded like Slack's answers.
	Message string
}

// String renders the problem as in response_metadata.messages.
func (p Problem) String() string {
	return fmt.Sprintf("[ERROR] %s [json-pointer:%s]", p.Message, p.Pointer)
}

// Validate reports everything that is wrong with data as a payload of the
// given kind, in document order. An empty answer means that Slack takes it.
func Validate(kind Kind, data []byte) []Problem {
	v := &validator{kind: kind, blockIDs: map[string]bool{}}
	if !utf8.Valid(data) {
		v.add("", "invalid UTF-8")
		return v.problems
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		v.add("", "invalid JSON")
		return v.problems
	}
	if _, err := dec.Token(); err != io.EOF {
		v.add("", "invalid JSON")
		return v.problems
	}
	switch kind {
	case KindMessage:
		if m, ok := v.object("", value); ok {
			v.message(m)
		}
	case KindBlocks:
		v.blocks("/blocks", value, MessageBlocksMax)
	case KindAttachments:
		v.attachments("/attachments", value)
	case KindModal, KindHome:
		if m, ok := v.object("", value); ok {
			v.view(m)
		}
	default:
		v.add("", "unknown kind of payload")
	}
	return v.problems
}

// validator walks one payload and collects its problems.
type validator struct {
	kind     Kind
	problems []Problem
	// blockIDs holds the ids seen so far; true for a block that can be acted on.
	blockIDs map[string]bool
	focused  int
	inputs   int
	markdown int
}

func (v *validator) add(pointer, format string, args ...any) {
	v.problems = append(v.problems, Problem{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

func (v *validator) inView() bool { return v.kind == KindModal || v.kind == KindHome }
