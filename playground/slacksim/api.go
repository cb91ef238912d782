package slacksim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/laurelbot/laurel/playground/simfault"
	"github.com/laurelbot/laurel/playground/slacksim/blockkit"
)

// reply is a Web API answer without its "ok".
type reply map[string]any

// apiError is a refusal: Slack's error code and, where Slack explains, what is
// wrong. https://docs.slack.dev/apis/web-api/
type apiError struct {
	code     string
	messages []string
	needed   string
	retry    int // seconds; answers 429
}

func fail(code string) *apiError { return &apiError{code: code} }

// method is one Web API method. Its function runs with s.mu held.
type method struct {
	// scopes: the token needs one of them; none means any token will do.
	scopes []string
	// tier is how many calls a minute Limits.Methods allows; 0 for any number.
	// https://docs.slack.dev/apis/web-api/rate-limits/
	tier float64
	// appToken: the method wants an app-level token instead of the bot's.
	appToken bool
	// json tells that arguments may come as JSON; Slack ignores them otherwise.
	json bool
	run  func(*Server, args) (reply, *apiError)
}

// methods is what the simulation can do.
// https://docs.slack.dev/reference/methods/
var methods = map[string]method{
	"apps.connections.open": {tier: tier1, appToken: true, json: true, run: (*Server).appsConnectionsOpen},
	"auth.test":             {tier: tierSpecial, json: true, run: (*Server).authTest},
	"users.info":            {tier: tier4, scopes: []string{"users:read"}, run: (*Server).usersInfo},
	"users.list":            {tier: tier2, scopes: []string{"users:read"}, run: (*Server).usersList},
	"users.lookupByEmail":   {tier: tier3, scopes: []string{"users:read.email"}, run: (*Server).usersLookupByEmail},
	"conversations.list":    {tier: tier2, run: (*Server).conversationsList},
	"conversations.members": {tier: tier4, run: (*Server).conversationsMembers},
	"conversations.join":    {tier: tier3, scopes: []string{"channels:join"}, json: true, run: (*Server).conversationsJoin},
	"conversations.open":    {tier: tier3, scopes: []string{"im:write", "mpim:write", "channels:manage", "groups:write"}, json: true, run: (*Server).conversationsOpen},
	"conversations.info":    {tier: tier3, run: (*Server).conversationsInfo},
	"conversations.history": {tier: tier3, run: (*Server).conversationsHistory},
	"chat.postMessage":      {scopes: []string{"chat:write"}, json: true, run: (*Server).chatPostMessage},
	"chat.postEphemeral":    {tier: tier4, scopes: []string{"chat:write"}, json: true, run: (*Server).chatPostEphemeral},
	"chat.update":           {tier: tier3, scopes: []string{"chat:write"}, json: true, run: (*Server).chatUpdate},
	"chat.delete":           {tier: tier3, scopes: []string{"chat:write"}, json: true, run: (*Server).chatDelete},
	"files.upload":          {tier: tier2, json: true, run: (*Server).filesUpload},
	"files.info":            {tier: tier4, scopes: []string{"files:read"}, run: (*Server).filesInfo},
	"files.delete":          {tier: tier3, scopes: []string{"files:write"}, json: true, run: (*Server).filesDelete},
	"views.open":            {tier: tier4, json: true, run: (*Server).viewsOpen},
	"views.update":          {tier: tier4, json: true, run: (*Server).viewsUpdate},
	"views.push":            {tier: tier4, json: true, run: (*Server).viewsPush},
	"views.publish":         {tier: tier4, json: true, run: (*Server).viewsPublish},

	"files.getUploadURLExternal":   {tier: tier4, scopes: []string{"files:write"}, json: true, run: (*Server).filesGetUploadURLExternal},
	"files.completeUploadExternal": {tier: tier4, scopes: []string{"files:write"}, json: true, run: (*Server).filesCompleteUploadExternal},
}

func parseForm(body string) (url.Values, error) { return url.ParseQuery(body) }

// answer is an HTTP answer that is not written yet, so that a fault can
// swallow it after the work is done.
type answer struct {
	status  int
	headers map[string]string
	body    []byte
	code    string // Slack's error code; empty when all is well
}

func jsonAnswer(status int, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		return answer{status: http.StatusInternalServerError}
	}
	return answer{status: status, body: body, headers: map[string]string{"Content-Type": "application/json; charset=utf-8"}}
}

func (a answer) write(w http.ResponseWriter) error {
	for key, value := range a.headers {
		w.Header().Set(key, value)
	}
	w.WriteHeader(a.status)
	_, err := w.Write(a.body)
	return err
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	a, body, asJSON, charset, bad := readArgs(r)
	s.serve(w, r, name, a.str("channel"), body, func() answer { return s.call(r, name, a, asJSON, charset, bad) })
}

// serve applies the faults on order, does the work, and writes it all down.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, name, channel, body string, work func() answer) {
	var out answer
	note := ""
	f, faulty := s.takeFault(name, channel)
	simfault.Pause(r.Context(), s.latencyOf(name)+f.Delay)
	done := false
	switch {
	case faulty && f.DropBefore:
		note = "connection cut before the work"
	case faulty && (f.Status != 0 || f.Error != ""):
		out = f.answer()
		done = true
	default:
		out = work()
		done = true
	}
	if faulty && f.DropAnswer {
		note, done = "connection cut after the work", false
	}
	s.count(name, out, !done)
	s.record(Exchange{
		At: s.clock.Now(), Direction: DirectionIn, Method: r.Method, Path: r.URL.Path,
		Request: body, Status: out.status, Response: string(out.body), Note: note,
	})
	if !done {
		simfault.HangUp(w)
		return
	}
	if err := out.write(w); err != nil {
		s.record(Exchange{At: s.clock.Now(), Direction: DirectionIn, Path: r.URL.Path, Note: "answer not delivered"})
	}
}

func (s *Server) call(r *http.Request, name string, a args, asJSON, charset bool, bad string) answer {
	token, form := bearer(r), !asJSON
	// An app-level token counts only in the header.
	if token == "" && form && !methods[name].appToken {
		token = a.str("token")
	}
	delete(a, "token")
	s.mu.Lock()
	defer s.mu.Unlock()
	m, known := methods[name]
	switch {
	case !known:
		return s.answerAPI(nil, fail("unknown_method"), m, false)
	case token == "":
		return s.answerAPI(nil, fail("not_authed"), m, false)
	case token != s.cfg.BotToken && token != s.cfg.AppToken:
		return s.answerAPI(nil, fail("invalid_auth"), m, false)
	case m.appToken != (token == s.cfg.AppToken):
		return s.answerAPI(nil, fail("not_allowed_token_type"), m, false)
	case !m.appToken && s.dead != "":
		return s.answerAPI(nil, fail(s.dead), m, false)
	case bad != "":
		return s.answerAPI(nil, fail(bad), m, false)
	}
	if asJSON && !m.json {
		a = args{}
	}
	if len(m.scopes) > 0 && !s.scoped(m.scopes...) {
		return s.answerAPI(nil, &apiError{code: "missing_scope", needed: m.scopes[0]}, m, false)
	}
	if refused := s.limitedMethod(name, m); refused != nil {
		return s.answerAPI(nil, refused, m, false)
	}
	out, refused := m.run(s, a)
	return s.answerAPI(out, refused, m, asJSON && !charset)
}

func bearer(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return strings.TrimSpace(token)
}

func (s *Server) scoped(any ...string) bool {
	return slices.ContainsFunc(any, func(scope string) bool { return slices.Contains(s.cfg.Scopes, scope) })
}

// answerAPI wraps what a method says into Slack's envelope and headers. JSON
// without a charset draws Slack's warning.
func (s *Server) answerAPI(out reply, refused *apiError, m method, missingCharset bool) answer {
	if out == nil {
		out = reply{}
	}
	out["ok"] = refused == nil
	meta, _ := out["response_metadata"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
	}
	var warnings []string
	if warning, ok := out["warning"].(string); ok {
		warnings = append(warnings, warning)
	}
	if missingCharset {
		warnings = append(warnings, "missing_charset")
	}
	if len(warnings) > 0 {
		out["warning"], meta["warnings"] = strings.Join(warnings, ","), warnings
	}
	status := http.StatusOK
	headers := map[string]string{"X-OAuth-Scopes": strings.Join(s.cfg.Scopes, ",")}
	if len(m.scopes) > 0 {
		headers["X-Accepted-OAuth-Scopes"] = strings.Join(m.scopes, ",")
	}
	if refused != nil {
		out["error"] = refused.code
		if len(refused.messages) > 0 {
			meta["messages"] = refused.messages
		}
		if refused.needed != "" {
			out["needed"], out["provided"] = refused.needed, strings.Join(s.cfg.Scopes, ",")
			headers["X-Accepted-OAuth-Scopes"] = refused.needed
		}
		if refused.retry > 0 {
			status = http.StatusTooManyRequests
			headers["Retry-After"] = strconv.Itoa(refused.retry)
		}
	}
	if len(meta) > 0 {
		out["response_metadata"] = meta
	}
	ans := jsonAnswer(status, out)
	for key, value := range ans.headers {
		headers[key] = value
	}
	ans.headers = headers
	if refused != nil {
		ans.code = refused.code
	}
	return ans
}

// refusal turns Block Kit problems into a refusal; prefix comes before every
// pointer.
func refusal(code, prefix string, problems []blockkit.Problem) *apiError {
	if len(problems) == 0 {
		return nil
	}
	e := fail(code)
	for _, p := range problems {
		p.Pointer = prefix + p.Pointer
		e.messages = append(e.messages, p.String())
	}
	return e
}
