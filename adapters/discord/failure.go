package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Error codes
// (https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes).
const (
	codeUnknownChannel     = 10003
	codeUnknownMessage     = 10008
	codeUnknownUser        = 10013
	codeUnknownWebhook     = 10015
	codeUnknownInteraction = 10062
	codeOpeningDMsTooFast  = 40003
	codeTooManyFollowups   = 40094
	codeTooLarge           = 40005
	codeAcknowledged       = 40060
	codeMissingAccess      = 50001
	codeCannotMessageUser  = 50007
	codeMissingPermissions = 50013
	codeInvalidToken       = 50027
	codeInvalidRecipient   = 50033
	codeInvalidForm        = 50035
	codeNoMutualGuild      = 50278
	codeOldMessageEdits    = 30046
)

var classes = map[int]core.DeliveryClass{
	codeUnknownChannel:     core.TargetDead,
	codeUnknownMessage:     core.PlaceGone,
	codeUnknownUser:        core.TargetDead,
	codeUnknownWebhook:     core.PlaceGone,
	codeUnknownInteraction: core.PlaceGone,
	codeOpeningDMsTooFast:  core.RetryLater,
	codeTooManyFollowups:   core.PlaceGone,
	codeTooLarge:           core.Invalid,
	codeAcknowledged:       core.PlaceGone,
	codeMissingAccess:      core.TargetDead,
	codeCannotMessageUser:  core.TargetDead,
	codeMissingPermissions: core.TargetDead,
	codeInvalidToken:       core.PlaceGone,
	codeInvalidRecipient:   core.TargetDead,
	codeInvalidForm:        core.Invalid,
	codeNoMutualGuild:      core.TargetDead,
	codeOldMessageEdits:    core.RetryLater,
}

// rateLimit is what a 429 says. The network edge, which answers without
// Discord's form, refuses the whole address.
type rateLimit struct {
	after        time.Duration
	global, edge bool
}

// readRateLimit reads a 429, which the network edge answers in HTML.
func readRateLimit(n *note) rateLimit {
	var body struct {
		RetryAfter json.Number `json:"retry_after"`
		Global     bool        `json:"global"`
	}
	r := rateLimit{after: defaultRetryAfter}
	r.edge = json.Unmarshal(n.body, &body) != nil
	r.global = !r.edge && body.Global || n.header.Get("X-RateLimit-Global") == "true" || n.header.Get("X-RateLimit-Scope") == "global"
	if after, ok := seconds(body.RetryAfter.String()); ok && !r.edge {
		r.after = after
	} else if after, ok := seconds(n.header.Get("Retry-After")); ok {
		r.after = after
	}
	return r
}

func limited(after time.Duration, global bool) *core.DeliveryError {
	code := "rate_limited"
	if global {
		code = "rate_limited_global"
	}
	return &core.DeliveryError{Class: core.RetryLater, Code: code, After: after}
}

// answerError classifies an answer that is no success. It never holds more
// of the answer than Discord's number for it. Whether the bot's token was
// used decides what a 401 means.
func answerError(n *note, withBotToken bool) *core.DeliveryError {
	if n.status == http.StatusTooManyRequests {
		r := readRateLimit(n)
		return limited(r.after, r.global)
	}
	var body struct {
		Code int `json:"code"`
	}
	if err := json.Unmarshal(n.body, &body); err != nil {
		body.Code = 0
	}
	e := &core.DeliveryError{
		Class: core.Temporary,
		Code:  "http_" + strconv.Itoa(n.status),
		Err:   fmt.Errorf("discord answered %d", n.status),
	}
	if body.Code != 0 {
		e.Code = strconv.Itoa(body.Code)
	}
	if class, ok := classes[body.Code]; ok && n.status < 500 {
		e.Class = class
		if class == core.RetryLater {
			e.After = time.Minute
		}
		return e
	}
	switch {
	case n.status == http.StatusUnauthorized && withBotToken:
		e.Class = core.InstallationDead
	case n.status == http.StatusUnauthorized, n.status == http.StatusNotFound:
		e.Class = core.PlaceGone
	case n.status == http.StatusForbidden && body.Code != 0:
		e.Class = core.TargetDead
	case n.status == http.StatusForbidden, n.status == http.StatusRequestTimeout:
		// Without a code it is the network edge that refuses, not Discord.
	case n.status >= 400 && n.status < 500:
		e.Class = core.Invalid
	}
	return e
}

// callError classifies a call without an answer. The cause is not kept: it
// quotes the URL, which holds a token.
func callError(err error) *core.DeliveryError {
	e := &core.DeliveryError{Class: core.Temporary, Code: "network", Err: errors.New("call discord")}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		e.Code = "timeout"
	}
	if errors.Is(err, context.Canceled) {
		e.Code, e.Err = "canceled", context.Canceled
	}
	return e
}

// badAnswer says that Discord took the call but the answer cannot be read.
func badAnswer() *core.DeliveryError {
	return &core.DeliveryError{Class: core.Temporary, Code: "bad_answer", Err: errors.New("read discord's answer")}
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	return string(core.ClassOf(err))
}
