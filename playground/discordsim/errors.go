package discordsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// apiError is an error answer,
// https://discord.com/developers/docs/topics/opcodes-and-status-codes.
type apiError struct {
	status  int
	code    int
	message string
	errors  map[string]any // nested field errors of 50035.
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.code, e.message) }

func (e *apiError) body() map[string]any {
	b := map[string]any{"message": e.message, "code": e.code}
	if len(e.errors) > 0 {
		b["errors"] = e.errors
	}
	return b
}

func errUnauthorized() *apiError {
	return &apiError{status: http.StatusUnauthorized, message: "401: Unauthorized"}
}

func errNotFound() *apiError {
	return &apiError{status: http.StatusNotFound, message: "404: Not Found"}
}

func errMethod() *apiError {
	return &apiError{status: http.StatusMethodNotAllowed, message: "405: Method Not Allowed"}
}

func errUnknownChannel() *apiError {
	return &apiError{status: http.StatusNotFound, code: 10003, message: "Unknown Channel"}
}

func errUnknownMessage() *apiError {
	return &apiError{status: http.StatusNotFound, code: 10008, message: "Unknown Message"}
}

func errUnknownUser() *apiError {
	return &apiError{status: http.StatusNotFound, code: 10013, message: "Unknown User"}
}

func errUnknownWebhook() *apiError {
	return &apiError{status: http.StatusNotFound, code: 10015, message: "Unknown Webhook"}
}

func errUnknownInteraction() *apiError {
	return &apiError{status: http.StatusNotFound, code: 10062, message: "Unknown interaction"}
}

func errUnknownCommand() *apiError {
	return &apiError{status: http.StatusNotFound, code: 10063, message: "Unknown application command"}
}

func errUnknownGuild() *apiError {
	return &apiError{status: http.StatusNotFound, code: 10004, message: "Unknown Guild"}
}

func errNotThisApplication() *apiError {
	return &apiError{status: http.StatusForbidden, code: 20012, message: "You are not authorized to perform this action on this application"}
}

func errInvalidRecipient() *apiError {
	return &apiError{status: http.StatusBadRequest, code: 50033, message: "Invalid Recipient(s)"}
}

func errUnknownMember() *apiError {
	return &apiError{status: http.StatusNotFound, code: 10007, message: "Unknown Member"}
}

func errTooManyAttachments() *apiError {
	return &apiError{status: http.StatusBadRequest, code: 30015, message: "Maximum number of attachments in a message reached (10)"}
}

func errTooLarge() *apiError {
	return &apiError{status: http.StatusRequestEntityTooLarge, code: 40005, message: "Request entity too large"}
}

func errNotInDM() *apiError {
	return &apiError{status: http.StatusForbidden, code: 50003, message: "Cannot execute action on a DM channel"}
}

func errNotAuthor() *apiError {
	return &apiError{status: http.StatusForbidden, code: 50005, message: "Cannot edit a message authored by another user"}
}

func errMissingAccess() *apiError {
	return &apiError{status: http.StatusForbidden, code: 50001, message: "Missing Access"}
}

func errEmptyMessage() *apiError {
	return &apiError{status: http.StatusBadRequest, code: 50006, message: "Cannot send an empty message"}
}

func errCannotDM() *apiError {
	return &apiError{status: http.StatusForbidden, code: 50007, message: "Cannot send messages to this user"}
}

func errMissingPermissions() *apiError {
	return &apiError{status: http.StatusForbidden, code: 50013, message: "Missing Permissions"}
}

func errInvalidWebhookToken() *apiError {
	return &apiError{status: http.StatusUnauthorized, code: 50027, message: "Invalid Webhook Token"}
}

func errInvalidJSON() *apiError {
	return &apiError{status: http.StatusBadRequest, code: 50109, message: "The request body contains invalid JSON."}
}

func errInvalidVersion() *apiError {
	return &apiError{status: http.StatusBadRequest, code: 50041, message: "Invalid API version provided"}
}

func errAcknowledged() *apiError {
	return &apiError{status: http.StatusBadRequest, code: 40060, message: "Interaction has already been acknowledged."}
}

func errTooManyCommands(most int) *apiError {
	return &apiError{status: http.StatusBadRequest, code: 30032, message: fmt.Sprintf("Maximum number of application commands reached (%d)", most)}
}

func errTooManyCreates() *apiError {
	return &apiError{status: http.StatusBadRequest, code: 30034, message: "Max number of daily application command creates has been reached (200)"}
}

// form collects field errors in the nested shape of 50035,
// https://discord.com/developers/docs/reference#error-messages.
type form struct{ root map[string]any }

// field is a place in a form, for example components.0.components.1.label.
type field struct {
	form *form
	path []string
}

func newForm() field { return field{form: &form{root: map[string]any{}}} }

func (f field) at(key string) field {
	path := make([]string, 0, len(f.path)+1)
	return field{form: f.form, path: append(append(path, f.path...), key)}
}

func (f field) index(i int) field { return f.at(strconv.Itoa(i)) }

// add notes an error at this place.
func (f field) add(code, message string) {
	node := f.form.root
	for _, key := range f.path {
		next, ok := node[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			node[key] = next
		}
		node = next
	}
	list, _ := node["_errors"].([]any)
	node["_errors"] = append(list, map[string]any{"code": code, "message": message})
}

func (f field) required() { f.add("BASE_TYPE_REQUIRED", "This field is required") }

func (f field) choices(allowed string) {
	f.add("BASE_TYPE_CHOICES", "Value must be one of {"+allowed+"}.")
}

// err returns the 50035 answer, or nil when nothing was noted.
func (f field) err() *apiError {
	if len(f.form.root) == 0 {
		return nil
	}
	return &apiError{status: http.StatusBadRequest, code: 50035, message: "Invalid Form Body", errors: f.form.root}
}

// object is a decoded JSON object. Numbers are json.Number.
type object = map[string]any

// text reads a string field and checks its length in code points; lo > 0
// makes the field required. A null counts as absent.
func (f field) text(o object, key string, lo, hi int) string {
	at := f.at(key)
	v, ok := o[key]
	if !ok || v == nil {
		if lo > 0 {
			at.required()
		}
		return ""
	}
	str, ok := v.(string)
	if !ok {
		at.add("STRING_TYPE_CONVERT", "Could not interpret the given value as a string.")
		return ""
	}
	n := utf8.RuneCountInString(str)
	switch {
	case n == 0 && lo > 0:
		at.required()
	case n > hi && lo > 0:
		at.add("BASE_TYPE_BAD_LENGTH", fmt.Sprintf("Must be between %d and %d in length.", lo, hi))
	case n > hi:
		at.add("BASE_TYPE_MAX_LENGTH", fmt.Sprintf("Must be %d or fewer in length.", hi))
	case n < lo:
		at.add("BASE_TYPE_BAD_LENGTH", fmt.Sprintf("Must be between %d and %d in length.", lo, hi))
	}
	return str
}

// number reads an integer field within limits; ok says that it is there.
func (f field) number(o object, key string, lo, hi int) (value int, ok bool) {
	v, there := o[key]
	if !there || v == nil {
		return 0, false
	}
	n, good := integer(v)
	if !good {
		f.at(key).add("NUMBER_TYPE_COERCE", "Value is not int.")
		return 0, false
	}
	if n < lo {
		f.at(key).add("NUMBER_TYPE_MIN", fmt.Sprintf("int value should be greater than or equal to %d.", lo))
	}
	if n > hi {
		f.at(key).add("NUMBER_TYPE_MAX", fmt.Sprintf("int value should be less than or equal to %d.", hi))
	}
	return n, true
}

// flag reads a boolean field.
func (f field) flag(o object, key string) bool {
	v, there := o[key]
	if !there || v == nil {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		f.at(key).add("BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
	}
	return b
}

// list reads an array field of lo to hi entries; lo > 0 makes it required.
func (f field) list(o object, key string, lo, hi int) []any {
	at := f.at(key)
	v, there := o[key]
	if !there || v == nil {
		if lo > 0 {
			at.required()
		}
		return nil
	}
	l, ok := v.([]any)
	if !ok {
		at.add("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
		return nil
	}
	switch {
	case lo > 0 && (len(l) < lo || len(l) > hi):
		at.add("BASE_TYPE_BAD_LENGTH", fmt.Sprintf("Must be between %d and %d in length.", lo, hi))
	case len(l) > hi:
		at.add("BASE_TYPE_MAX_LENGTH", fmt.Sprintf("Must be %d or fewer in length.", hi))
	}
	return l
}

// dict reads an object at a place that must be one.
func (f field) dict(v any) object {
	o, ok := v.(object)
	if !ok {
		f.add("MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
		return object{}
	}
	return o
}

func integer(v any) (int, bool) {
	switch n := v.(type) {
	case json.Number:
		i, err := n.Int64()
		return int(i), err == nil
	case int:
		return n, true
	case string: // Discord accepts numbers in strings.
		i, err := strconv.Atoi(n)
		return i, err == nil
	}
	return 0, false
}

func str(o object, key string) string {
	v, _ := o[key].(string)
	return v
}

func num(o object, key string) int {
	n, _ := integer(o[key])
	return n
}
