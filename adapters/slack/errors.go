package slack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/laurelbot/laurel/core"
)

const (
	// defaultRetryAfter is waited when Slack limits without naming a time.
	defaultRetryAfter = 30 * time.Second
	maxRetryAfter     = time.Hour
)

var codePattern = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)

// errorClasses says what Slack's error codes mean for a delivery. Codes that
// are not listed are temporary.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors,
// https://docs.slack.dev/reference/methods/chat.update#errors,
// https://docs.slack.dev/reference/methods/chat.delete#errors,
// https://docs.slack.dev/reference/methods/conversations.open#errors,
// https://docs.slack.dev/reference/methods/views.open#errors,
// https://docs.slack.dev/reference/methods/views.publish#errors,
// https://docs.slack.dev/reference/methods/files.getUploadURLExternal#errors.
var errorClasses = map[string]core.DeliveryClass{
	"ratelimited":  core.RetryLater,
	"rate_limited": core.RetryLater,

	"message_not_found":    core.PlaceGone,
	"cant_update_message":  core.PlaceGone,
	"edit_window_closed":   core.PlaceGone,
	"used_url":             core.PlaceGone,
	"expired_url":          core.PlaceGone,
	"invalid_url":          core.PlaceGone,
	"expired_trigger_id":   core.PlaceGone,
	"not_enabled":          core.PlaceGone,
	"hash_conflict":        core.PlaceGone,
	"exchanged_trigger_id": core.PlaceGone,
	"invalid_trigger_id":   core.PlaceGone,
	"trigger_exchanged":    core.PlaceGone,

	"channel_not_found":                     core.TargetDead,
	"is_archived":                           core.TargetDead,
	"is_inactive":                           core.TargetDead,
	"not_in_channel":                        core.TargetDead,
	"user_not_in_channel":                   core.TargetDead,
	"user_not_found":                        core.TargetDead,
	"user_not_visible":                      core.TargetDead,
	"users_not_found":                       core.TargetDead,
	"user_disabled":                         core.TargetDead,
	"cannot_dm_bot":                         core.TargetDead,
	"messages_tab_disabled":                 core.TargetDead,
	"restricted_action":                     core.TargetDead,
	"missing_scope":                         core.TargetDead,
	"method_not_supported_for_channel_type": core.TargetDead,

	"invalid_auth":            core.InstallationDead,
	"not_authed":              core.InstallationDead,
	"token_revoked":           core.InstallationDead,
	"token_expired":           core.InstallationDead,
	"account_inactive":        core.InstallationDead,
	"org_login_required":      core.InstallationDead,
	"not_allowed_token_type":  core.InstallationDead,
	"team_access_not_granted": core.InstallationDead,

	"cant_delete_message":                 core.Invalid,
	"compliance_exports_prevent_deletion": core.Invalid,

	"invalid_blocks":                      core.Invalid,
	"invalid_blocks_format":               core.Invalid,
	"invalid_attachments":                 core.Invalid,
	"invalid_payload":                     core.Invalid,
	"invalid_arguments":                   core.Invalid,
	"invalid_arg_name":                    core.Invalid,
	"invalid_form_data":                   core.Invalid,
	"invalid_metadata_format":             core.Invalid,
	"invalid_metadata_schema":             core.Invalid,
	"metadata_too_large":                  core.Invalid,
	"msg_too_long":                        core.Invalid,
	"msg_blocks_too_long":                 core.Invalid,
	"no_text":                             core.Invalid,
	"view_too_large":                      core.Invalid,
	"duplicate_external_id":               core.Invalid,
	"alt_txt_too_large":                   core.Invalid,
	"file_upload_size_restricted":         core.Invalid,
	"file_uploads_disabled":               core.Invalid,
	"file_uploads_except_images_disabled": core.Invalid,
	"storage_limit_reached":               core.Invalid,
}

// deliveryError says what err means. Neither the result nor its causes hold a
// token or an address: what a transport error tells of its request is left
// out.
func deliveryError(op string, err error) error {
	if err == nil {
		return nil
	}
	// Our own limiter did not let the call through.
	var held *core.DeliveryError
	if errors.As(err, &held) {
		return &core.DeliveryError{Class: held.Class, Code: held.Code, After: held.After, Err: errors.New(op)}
	}
	var limited *slackapi.RateLimitedError
	if errors.As(err, &limited) {
		return retryLater(op, limited.RetryAfter)
	}
	var refused slackapi.SlackErrorResponse
	if errors.As(err, &refused) {
		return refusal(op, refused.Err, refused.Needed)
	}
	var status slackapi.StatusCodeError
	if errors.As(err, &status) {
		return statusError(op, status.Code)
	}
	var number *strconv.NumError
	if errors.As(err, &number) {
		// The library reads Retry-After as a number and gives up on dates.
		return retryLater(op, 0)
	}
	return &core.DeliveryError{Class: core.Temporary, Code: transportCode(err), Err: errors.New(op)}
}

// refusal is an answer of Slack that names an error.
func refusal(op, code, needed string) error {
	if !codePattern.MatchString(code) {
		code = "unknown_error"
	}
	class, known := errorClasses[code]
	if !known {
		class = core.Temporary
	}
	if class == core.RetryLater {
		return retryLater(op, 0)
	}
	if code == "missing_scope" && scopePattern.MatchString(needed) {
		code += " " + needed
	}
	return &core.DeliveryError{Class: class, Code: code, Err: errors.New(op)}
}

// statusError is an answer that is no answer of the Web API. Only 400 and 413
// blame the message; 401 and 403 come from something in between, because
// Slack itself refuses a token with status 200.
func statusError(op string, status int) error {
	switch status {
	case http.StatusTooManyRequests:
		return retryLater(op, 0)
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return &core.DeliveryError{Class: core.Invalid, Code: fmt.Sprintf("http_%d", status), Err: errors.New(op)}
	default:
		return &core.DeliveryError{Class: core.Temporary, Code: fmt.Sprintf("http_%d", status), Err: errors.New(op)}
	}
}

// parseRetryAfter reads the header of that name; zero means that it names no
// time. Slack sends seconds
// (https://docs.slack.dev/apis/web-api/rate-limits#responding-to-rate-limiting-conditions).
func parseRetryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil {
		return 0
	}
	return time.Duration(min(max(seconds, 0), int(maxRetryAfter/time.Second))) * time.Second
}

func retryLater(op string, after time.Duration) error {
	if after <= 0 {
		after = defaultRetryAfter
	}
	return &core.DeliveryError{
		Class: core.RetryLater, Code: "ratelimited", After: min(after, maxRetryAfter), Err: errors.New(op),
	}
}

// transportCode names what broke on the way, without the address it was on
// the way to.
func transportCode(err error) string {
	var transport *url.Error
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.As(err, &transport):
		return "connection"
	default:
		return "unreadable_answer"
	}
}

func placeGone(op, code string) error {
	return &core.DeliveryError{Class: core.PlaceGone, Code: code, Err: errors.New(op)}
}
