package slacksim

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// args are the arguments of an API call, whichever way they were sent. Forms
// carry every value as a string, and structures as strings of JSON.
type args map[string]json.RawMessage

// readArgs decodes a call's arguments; asJSON tells that they came as JSON,
// and charset whether the content type named one. A bad body is an error code.
func readArgs(r *http.Request) (a args, body string, asJSON, charset bool, code string) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, "", false, false, "request_timeout"
	}
	a = args{}
	for key, values := range r.URL.Query() {
		if key != "token" && len(values) > 0 {
			a.set(key, values[0])
		}
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	_, charset = params["charset"]
	switch kind {
	case "application/json":
		if len(raw) == 0 {
			return a, "", true, charset, ""
		}
		sent := args{}
		if json.Unmarshal(raw, &sent) != nil {
			return a, string(raw), true, charset, "invalid_json"
		}
		for key, value := range sent {
			a[key] = value
		}
		return a, string(raw), true, charset, ""
	case "application/x-www-form-urlencoded":
		form, err := parseForm(string(raw))
		if err != nil {
			return a, string(raw), false, charset, "invalid_form_data"
		}
		for key, values := range form {
			a.set(key, values[0])
		}
		return a, string(raw), false, charset, ""
	case "":
		if len(raw) > 0 {
			return a, string(raw), false, charset, "missing_post_type"
		}
		return a, "", false, charset, ""
	default:
		return a, string(raw), false, charset, "invalid_post_type"
	}
}

func (a args) set(key, value string) {
	if raw, err := json.Marshal(value); err == nil {
		a[key] = raw
	}
}

// str returns an argument as text; absent and null ones are empty.
func (a args) str(key string) string {
	raw, ok := a[key]
	if !ok || string(raw) == "null" {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func (a args) flag(key string) bool {
	switch strings.ToLower(a.str(key)) {
	case "1", "true":
		return true
	}
	return false
}

func (a args) number(key string, fallback int) int {
	n, err := strconv.Atoi(a.str(key))
	if err != nil {
		return fallback
	}
	return n
}

// structure returns an argument that is JSON, unwrapped from a string where
// it came in one. There is none when it is absent, null or an empty string.
func (a args) structure(key string) (raw json.RawMessage, there, valid bool) {
	raw, there = a[key]
	if !there || string(raw) == "null" {
		return nil, false, true
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		if strings.TrimSpace(s) == "" {
			return nil, false, true
		}
		raw = json.RawMessage(s)
	}
	return raw, true, json.Valid(raw)
}
