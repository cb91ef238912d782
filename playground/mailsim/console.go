package mailsim

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/laurelbot/laurel/playground/simconsole"
)

// ConsoleMessage is a message as the console shows it.
type ConsoleMessage struct {
	Message

	Codes []string `json:"codes"`
	Links []string `json:"links"`
}

// ConsoleHandler serves the mailbox to a page that is shown to whoever tries
// the product out: GET messages (newest first; ?address= for one mailbox),
// DELETE messages and DELETE messages/{id}. It must only be reachable from
// the own machine.
func (s *Server) ConsoleHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /messages", func(w http.ResponseWriter, r *http.Request) {
		all := s.Messages(r.URL.Query().Get("address"))
		slices.Reverse(all)
		shown := make([]ConsoleMessage, 0, len(all))
		for _, m := range all {
			m.Raw = nil
			shown = append(shown, ConsoleMessage{Message: m, Codes: Codes(m), Links: Links(m)})
		}
		simconsole.WriteJSON(w, http.StatusOK, map[string]any{"messages": shown})
	})
	mux.HandleFunc("DELETE /messages", func(w http.ResponseWriter, _ *http.Request) {
		s.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /messages/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || !s.Delete(id) {
			http.Error(w, "no such message", http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}
