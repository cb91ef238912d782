package discordsim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/discordsim"
)

func TestWireLogHoldsNoTokens(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	attach(t, s, func(inbound) any { return obj{"type": 5} })
	badges(t, s)
	res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, body := call(t, s, http.MethodPatch, "/webhooks/"+s.ApplicationID()+"/"+res.Token+"/messages/@original", obj{"content": s.BotToken()}, false); body["id"] == nil {
		t.Fatal(body)
	}
	log := s.Log()
	if len(log) < 4 {
		t.Fatalf("%d exchanges", len(log))
	}
	text, err := json.Marshal(log)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), res.Token) || strings.Contains(string(text), s.BotToken()) {
		t.Errorf("token in the wire log: %s", text)
	}
	for range 600 {
		call(t, s, http.MethodGet, "/gateway", nil, false)
	}
	if n := len(s.Log()); n != 500 {
		t.Errorf("%d exchanges kept", n)
	}
}
