// Package simconsole is what the handlers behind the playground's page have in
// common: JSON in and out, and nothing on behalf of pages of other origins.
package simconsole

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
)

// maxAct is the largest body of an act, in bytes.
const maxAct = 1 << 20

// WriteJSON answers with a value that nobody keeps.
func WriteJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "encode answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The page may be gone; there is nobody left to tell.
	_, _ = w.Write(body)
}

// Refuse answers {"error": why}.
func Refuse(w http.ResponseWriter, status int, why string) {
	WriteJSON(w, status, map[string]string{"error": why})
}

// ReadAct reads the JSON body of an act, or refuses the request and returns
// false. An empty body leaves the act as it is.
func ReadAct(w http.ResponseWriter, r *http.Request, act any) bool {
	// A page of another origin cannot send this type unasked.
	// https://fetch.spec.whatwg.org/#cors-safelisted-request-header
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		Refuse(w, http.StatusUnsupportedMediaType, "send application/json")
		return false
	}
	err = json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAct)).Decode(act)
	if err != nil && !errors.Is(err, io.EOF) {
		Refuse(w, http.StatusBadRequest, "the body is not readable, or larger than a megabyte")
		return false
	}
	return true
}
