package discordsim_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// strictSchema refuses the schema of its name at the time.
type strictSchema struct {
	mu      sync.Mutex
	refuses string
}

func (s *strictSchema) Validate(name string, _ any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == s.refuses {
		return errors.New("refused")
	}
	return nil
}

func (s *strictSchema) refuse(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses = name
}

// TestEveryRequestIsHeldAgainstTheDescription sends a request of each kind
// that has a body: what the description refuses is answered by 50035, and the
// same request is taken otherwise.
func TestEveryRequestIsHeldAgainstTheDescription(t *testing.T) {
	t.Parallel()
	strict := &strictSchema{}
	s := start(t, discordsim.Config{Schema: strict})
	w := populate(t, s)
	badges(t, s)
	rec := &recorder{bodies: map[string][]byte{}}
	send := func(method, path, body string) []byte {
		rec.get(t, s, "last", method, path, body)
		rec.mu.Lock()
		defer rec.mu.Unlock()
		return rec.bodies["last"]
	}
	both := func(name, method, path, body string) {
		t.Helper()
		strict.refuse(name)
		got := send(method, path, body)
		if !bytes.Contains(got, []byte("SCHEMA_VIOLATION")) || !bytes.Contains(got, []byte("50035")) {
			t.Errorf("%s %s, refused by %s: %s", method, path, name, got)
		}
		strict.refuse("")
		if got := send(method, path, body); bytes.Contains(got, []byte(`"code":`)) {
			t.Errorf("%s %s: %s", method, path, got)
		}
	}
	app := "/applications/" + s.ApplicationID()
	command := `{"name":"more","description":"d"}`
	messages := "/channels/" + w.channel + "/messages"
	both("CreatePrivateChannelRequest", http.MethodPost, "/users/@me/channels", `{"recipient_id":"`+w.ada+`"}`)
	both("MessageCreateRequest", http.MethodPost, messages, `{"content":"x"}`)
	both("MessageEditRequestPartial", http.MethodPatch, messages+"/"+s.Messages(w.channel, "")[0].ID, `{"content":"y"}`)
	both("ApplicationCommandCreateRequest", http.MethodPost, app+"/commands", command)
	both("ApplicationCommandCreateRequest", http.MethodPost, app+"/guilds/"+w.guild+"/commands", command)
	both("ApplicationCommandUpdateRequest", http.MethodPut, app+"/guilds/"+w.guild+"/commands", "["+command+"]")

	// First answers by REST, and what follows them.
	var callback func(in inbound)
	attach(t, s, func(in inbound) any {
		callback(in)
		return nil
	})
	answer := func(name, data string) {
		callback = func(in inbound) {
			both(name, http.MethodPost, "/interactions/"+in.ID+"/"+in.Token+"/callback", data)
		}
	}
	done := func(res *discordsim.Result, err error) *discordsim.Result {
		t.Helper()
		if err != nil || res.Failed {
			t.Fatalf("%+v, %v", res, err)
		}
		return res
	}
	answer("CreateMessageInteractionCallbackRequest", `{"type":4,"data":{"content":"x","components":[{"type":1,"components":[{"type":2,"style":1,"label":"B","custom_id":"b"}]}]}}`)
	res := done(s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil))
	hook := "/webhooks/" + s.ApplicationID() + "/" + res.Token
	both("IncomingWebhookRequestPartial", http.MethodPost, hook, `{"content":"x"}`)
	both("IncomingWebhookUpdateRequestPartial", http.MethodPatch, hook+"/messages/@original", `{"content":"y"}`)
	answer("UpdateMessageInteractionCallbackRequest", `{"type":7,"data":{"content":"z"}}`)
	done(s.Press(t.Context(), w.ada, res.MessageID, "B"))
	answer("ModalInteractionCallbackRequest", `{"type":9,"data":{"title":"t","custom_id":"m","components":[{"type":1,"components":[{"type":4,"custom_id":"a","style":1,"label":"A"}]}]}}`)
	done(s.Press(t.Context(), w.ada, res.MessageID, "B"))
	answer("ApplicationCommandAutocompleteCallbackRequest", `{"type":8,"data":{"choices":[{"name":"x","value":"x"}]}}`)
	if choices, err := s.Autocomplete(t.Context(), w.ada, w.channel, "badges", "claim", "badge", "x"); err != nil || len(choices) != 1 {
		t.Errorf("%v, %v", choices, err)
	}

	// The same rules hold for an answer in the body of the bot's endpoint.
	attach(t, s, func(inbound) any { return obj{"type": 4, "data": obj{"content": "x"}} })
	strict.refuse("CreateMessageInteractionCallbackRequest")
	late, err := s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil)
	if err != nil || !late.Failed || !strings.Contains(late.Reason, "SCHEMA_VIOLATION") {
		t.Errorf("%+v, %v", late, err)
	}
}
