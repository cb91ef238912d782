package slacksim

import (
	"encoding/json"
	"maps"

	"github.com/laurelbot/laurel/playground/slacksim/blockkit"
)

// viewStackMax is how many modals lie on one another.
// https://docs.slack.dev/surfaces/modals/
const viewStackMax = 3

// viewBytesMax is the size above which a view is refused.
// https://docs.slack.dev/reference/methods/views.open/ (view_too_large)
const viewBytesMax = 250 << 10

// View is a modal or home tab as a person sees it, a snapshot.
type View struct {
	ID              string `json:"id"`
	User            string `json:"user"`
	Type            string `json:"type"`
	Title           string `json:"title"`
	SubmitLabel     string `json:"submit"`
	CloseLabel      string `json:"close"`
	CallbackID      string `json:"callback_id"`
	ExternalID      string `json:"external_id"`
	PrivateMetadata string `json:"private_metadata"`
	// Hash changes with every change of the view.
	Hash   string          `json:"hash"`
	Blocks json.RawMessage `json:"blocks"`
	// Errors are what the app's last answer said about single inputs, by the
	// input's block id.
	Errors map[string]string `json:"errors,omitempty"`
	// From is the conversation in which the person was when it opened, or empty.
	From string `json:"from,omitempty"`
}

// Plain gathers the title and the texts of the view.
func (v View) Plain() string {
	m := Message{Text: v.Title, Blocks: v.Blocks}
	return m.Plain()
}

// Elements lists what can be pressed or filled in.
func (v View) Elements() []Element { return elements(v.Blocks) }

type view struct {
	id, user, hash string
	root, previous string
	from           string // the conversation in which the person was.
	open           bool
	sent           map[string]any // as the app gave it, blocks with ids
	errors         map[string]string
}

func (v *view) snapshot() View {
	blocks, err := json.Marshal(v.sent["blocks"])
	if err != nil {
		blocks = nil
	}
	return View{
		ID: v.id, User: v.user, Type: str(v.sent, "type"), Title: label(v.sent["title"]),
		SubmitLabel: label(v.sent["submit"]), CloseLabel: label(v.sent["close"]),
		CallbackID: str(v.sent, "callback_id"), ExternalID: str(v.sent, "external_id"),
		PrivateMetadata: str(v.sent, "private_metadata"), Hash: v.hash, Blocks: blocks, Errors: maps.Clone(v.errors), From: v.from,
	}
}

// Views returns the modals that are open for a person, the top one last.
func (s *Server) Views(userID string) []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []View{}
	for _, v := range s.stacks[userID] {
		out = append(out, v.snapshot())
	}
	return out
}

// Home returns the home tab that the app published for a person.
func (s *Server) Home(userID string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.homes[userID]; v != nil {
		return v.snapshot(), true
	}
	return View{}, false
}

// parseView reads the argument "view" and checks it as a view of the kind.
func (s *Server) parseView(a args, kind blockkit.Kind) (map[string]any, *apiError) {
	raw, there, valid := a.structure("view")
	if !there {
		return nil, &apiError{code: "invalid_arguments", messages: []string{"[ERROR] missing required field: view"}}
	}
	if !valid {
		return nil, &apiError{code: "invalid_arguments", messages: []string{"[ERROR] invalid JSON [json-pointer:/view]"}}
	}
	return s.checkView(raw, kind)
}

func (s *Server) checkView(raw json.RawMessage, kind blockkit.Kind) (map[string]any, *apiError) {
	if len(raw) > viewBytesMax {
		return nil, fail("view_too_large")
	}
	if e := refusal("invalid_arguments", "/view", blockkit.Validate(kind, raw)); e != nil {
		return nil, e
	}
	sent, ok := decode(raw).(map[string]any)
	if !ok {
		return nil, fail("invalid_arguments")
	}
	if e := s.checkFiles("invalid_arguments", "/view", sent); e != nil {
		return nil, e
	}
	if list, ok := sent["blocks"].([]any); ok {
		s.fillBlocks(list)
	}
	return sent, nil
}

// apiView renders a view with the state of its inputs.
func (s *Server) apiView(v *view, state map[string]any) map[string]any {
	if state == nil {
		state = map[string]any{}
	}
	out := map[string]any{
		"id": v.id, "team_id": s.cfg.TeamID, "callback_id": "", "private_metadata": "", "external_id": "",
		"clear_on_close": false, "notify_on_close": false, "close": nil, "submit": nil, "title": nil,
		"hash": v.hash, "state": map[string]any{"values": state}, "root_view_id": v.root, "previous_view_id": nil,
		"app_id": s.cfg.AppID, "app_installed_team_id": s.cfg.TeamID, "bot_id": s.cfg.BotID,
	}
	if v.previous != "" {
		out["previous_view_id"] = v.previous
	}
	maps.Copy(out, v.sent)
	return out
}

func (s *Server) newView(user string, sent map[string]any) *view {
	v := &view{id: s.nextID("V"), user: user, sent: sent, open: true}
	v.hash = s.nextTS()
	v.root = v.id
	s.views[v.id] = v
	return v
}

// externalTaken tells whether another open view has the external id.
func (s *Server) externalTaken(sent map[string]any, except *view) bool {
	id := str(sent, "external_id")
	if id == "" {
		return false
	}
	for _, v := range s.views {
		if v != except && v.open && str(v.sent, "external_id") == id {
			return true
		}
	}
	return false
}

// openRoot shows a view in place of all that the person has open.
func (s *Server) openRoot(user string, sent map[string]any) *view {
	s.clear(user)
	v := s.newView(user, sent)
	s.stacks[user] = []*view{v}
	s.bump()
	return v
}

// push lays a view on those that are open.
func (s *Server) push(user string, sent map[string]any) (*view, *apiError) {
	stack := s.stacks[user]
	if len(stack) >= viewStackMax {
		return nil, fail("push_limit_reached")
	}
	v := s.newView(user, sent)
	if len(stack) > 0 {
		v.root, v.previous, v.from = stack[0].id, stack[len(stack)-1].id, stack[0].from
	}
	s.stacks[user] = append(stack, v)
	s.bump()
	return v, nil
}

func (s *Server) replace(v *view, sent map[string]any) {
	v.sent, v.hash, v.errors = sent, s.nextTS(), nil
	s.bump()
}

func (s *Server) clear(user string) {
	for _, v := range s.stacks[user] {
		v.open = false
	}
	delete(s.stacks, user)
	s.bump()
}

// closeView takes a view, and what lies on it, off the stack.
func (s *Server) closeView(v *view) {
	stack := s.stacks[v.user]
	for i, open := range stack {
		if open != v {
			continue
		}
		for _, above := range stack[i:] {
			above.open = false
		}
		s.stacks[v.user] = stack[:i:i]
		break
	}
	s.bump()
}
