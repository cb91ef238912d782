package simconsole_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/simconsole"
)

func TestReadAct(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, kind, body string
		status           int
		want             string
	}{
		{"an act", "application/json", `{"user": "ada"}`, http.StatusOK, `{"user":"ada"}`},
		{"with a charset", "application/json; charset=utf-8", `{"user": "ada"}`, http.StatusOK, `{"user":"ada"}`},
		{"without words", "application/json", "", http.StatusOK, `{"user":""}`},
		{"a form of a foreign page", "text/plain", `{"user": "ada"}`, http.StatusUnsupportedMediaType, `{"error":"send application/json"}`},
		{"without a type", "", `{}`, http.StatusUnsupportedMediaType, `{"error":"send application/json"}`},
		{"cut off", "application/json", `{"user": `, http.StatusBadRequest, `not readable`},
		{"too large", "application/json", `{"user": "` + strings.Repeat("x", 1<<20) + `"}`, http.StatusBadRequest, `larger than a megabyte`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.kind)
			var act struct {
				User string `json:"user"`
			}
			if simconsole.ReadAct(w, r, &act) {
				simconsole.WriteJSON(w, http.StatusOK, act)
			}
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}
