package discordsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/playground/simfault"
)

// maxBody is the largest request body read without files, see maxUpload.
const maxBody = 4 << 20

// call is one API request on its way to a handler.
type call struct {
	r    *http.Request
	args map[string]string
	body any // decoded JSON, nil without a body.
	json []byte
	// files came beside the JSON.
	files []file
	// user is who lets the application call, or empty for the bot itself.
	user string
}

func (c *call) object() (object, *apiError) {
	if c.body == nil {
		return object{}, nil
	}
	o, ok := c.body.(object)
	if !ok {
		f := newForm()
		f.dict(c.body)
		return nil, f.err()
	}
	return o, nil
}

// answer is a good answer; a nil body is an empty one.
type answer struct {
	status int
	body   any
}

func ok(body any) (answer, *apiError) { return answer{status: http.StatusOK, body: body}, nil }

func noContent() (answer, *apiError) { return answer{status: http.StatusNoContent}, nil }

func refuse(e *apiError) (answer, *apiError) { return answer{}, e }

// route is one entry of the API. Handlers run under the server's lock.
type route struct {
	method  string
	path    string // segments below /api/vN, {name} matches one.
	bot     bool   // needs the bot token, and counts towards the global limit.
	scope   string // what a person's token must allow; empty takes none.
	limit   int    // requests per window; 0 has no rate limit.
	window  time.Duration
	schema  string // name of the request's schema in the API description.
	handler func(s *Server, c *call) (answer, *apiError)
}

// Limits of the buckets. Discord publishes none: bots have to read the
// headers, https://discord.com/developers/docs/topics/rate-limits.
func routes() []route {
	const second = time.Second
	bot := func(method, path string, limit int, window time.Duration, schema string, h func(*Server, *call) (answer, *apiError)) route {
		return route{method: method, path: path, bot: true, limit: limit, window: window, schema: schema, handler: h}
	}
	hook := func(method, path string, schema string, h func(*Server, *call) (answer, *apiError)) route {
		return route{method: method, path: path, limit: 5, window: 2 * second, schema: schema, handler: h}
	}
	const (
		messages = "/channels/{channel}/messages"
		message  = "/channels/{channel}/messages/{message}"
		global   = "/applications/{app}/commands"
		guild    = "/applications/{app}/guilds/{guild}/commands"
		webhook  = "/webhooks/{app}/{token}"

		records    = "/applications/{app}/role-connections/metadata"
		connection = "/users/@me/applications/{app}/role-connection"
	)
	return []route{
		{method: http.MethodGet, path: "/gateway", handler: (*Server).getGateway},
		bot(http.MethodGet, "/gateway/bot", 2, 5*second, "", (*Server).getGatewayBot),
		{method: http.MethodGet, path: "/users/@me", bot: true, scope: scopeIdentify, limit: 30, window: 30 * second, handler: (*Server).getMe},
		bot(http.MethodGet, "/users/{user}", 30, 30*second, "", (*Server).getUser),
		{method: http.MethodGet, path: connection, scope: scopeRoles, limit: 10, window: 10 * second, handler: (*Server).getRoleConnection},
		{method: http.MethodPut, path: connection, scope: scopeRoles, limit: 10, window: 10 * second, schema: "UpdateApplicationUserRoleConnectionRequest", handler: (*Server).putRoleConnection},
		{method: http.MethodDelete, path: connection, scope: scopeRoles, limit: 10, window: 10 * second, handler: (*Server).deleteRoleConnection},
		bot(http.MethodGet, records, 5, 20*second, "", (*Server).getRecords),
		bot(http.MethodPut, records, 5, 20*second, "", (*Server).putRecords),
		bot(http.MethodGet, "/applications/@me", 5, 5*second, "", (*Server).getApplication),
		bot(http.MethodGet, "/oauth2/applications/@me", 5, 5*second, "", (*Server).getApplication),
		bot(http.MethodPost, "/users/@me/channels", 10, 10*second, "CreatePrivateChannelRequest", (*Server).postDM),
		bot(http.MethodGet, "/guilds/{guild}", 10, 10*second, "", (*Server).getGuild),
		bot(http.MethodGet, "/guilds/{guild}/channels", 10, 10*second, "", (*Server).getGuildChannels),
		bot(http.MethodGet, "/guilds/{guild}/roles", 10, 10*second, "", (*Server).getGuildRoles),
		bot(http.MethodGet, "/guilds/{guild}/members/{user}", 10, 10*second, "", (*Server).getGuildMember),
		bot(http.MethodGet, "/channels/{channel}", 10, 10*second, "", (*Server).getChannel),
		bot(http.MethodGet, messages, 5, 5*second, "", (*Server).getMessages),
		bot(http.MethodPost, messages, 5, 5*second, "MessageCreateRequest", (*Server).postMessage),
		bot(http.MethodGet, message, 5, 5*second, "", (*Server).getMessage),
		bot(http.MethodPatch, message, 5, 5*second, "MessageEditRequestPartial", (*Server).patchMessage),
		bot(http.MethodDelete, message, 5, second, "", (*Server).deleteMessage),
		bot(http.MethodGet, global, 5, 20*second, "", (*Server).getCommands),
		bot(http.MethodPut, global, 5, 20*second, "", (*Server).putCommands),
		bot(http.MethodPost, global, 5, 20*second, "ApplicationCommandCreateRequest", (*Server).postCommand),
		bot(http.MethodGet, global+"/{command}", 5, 20*second, "", (*Server).getCommand),
		bot(http.MethodDelete, global+"/{command}", 5, 20*second, "", (*Server).deleteCommand),
		bot(http.MethodGet, guild, 5, 20*second, "", (*Server).getCommands),
		bot(http.MethodPut, guild, 5, 20*second, "", (*Server).putCommands),
		bot(http.MethodPost, guild, 5, 20*second, "ApplicationCommandCreateRequest", (*Server).postCommand),
		bot(http.MethodGet, guild+"/{command}", 5, 20*second, "", (*Server).getCommand),
		bot(http.MethodDelete, guild+"/{command}", 5, 20*second, "", (*Server).deleteCommand),
		{method: http.MethodPost, path: "/interactions/{interaction}/{token}/callback", handler: (*Server).postCallback},
		hook(http.MethodPost, webhook, "IncomingWebhookRequestPartial", (*Server).postFollowup),
		hook(http.MethodGet, webhook+"/messages/{message}", "", (*Server).getHookMessage),
		hook(http.MethodPatch, webhook+"/messages/{message}", "IncomingWebhookUpdateRequestPartial", (*Server).patchHookMessage),
		hook(http.MethodDelete, webhook+"/messages/{message}", "", (*Server).deleteHookMessage),
	}
}

// match returns the values of the pattern's names.
func match(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	args := map[string]string{}
	for i, w := range want {
		if strings.HasPrefix(w, "{") {
			if got[i] == "" {
				return nil, false
			}
			args[strings.Trim(w, "{}")] = got[i]
		} else if w != got[i] {
			return nil, false
		}
	}
	return args, true
}

// api is the REST API and the handshake of the gateway: it lets ordered faults
// happen, serves, counts and logs.
func (s *Server) api() http.Handler {
	table := routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && (strings.HasPrefix(r.URL.Path, "/attachments/") || strings.HasPrefix(r.URL.Path, "/ephemeral-attachments/")) {
			s.serveFile(w, r)
			return
		}
		if r.URL.Path == "/oauth2/authorize" {
			s.serveConsent(w, r)
			return
		}
		began := time.Now()
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit(r.Header, maxBody)))
		version, path := splitVersion(r.URL.Path)
		socket := isSocket(r)
		out := &reply{header: http.Header{}}
		// The gateway is another host, which a ban does not reach.
		banned := !socket && s.arrive(r.Method, path)
		var fault Fault
		if !banned {
			fault = s.takeFault(r.Method, path, socket)
		}
		simfault.Pause(r.Context(), fault.Delay)
		switch {
		case banned:
			s.refuseBanned(out)
		case fault.DropBefore: // Nothing happens.
		case fault.fails():
			fault.reply(out)
		case err != nil:
			out.fail(errTooLarge())
		case socket:
			if s.serveSocket(w, r, out) {
				return
			}
		default:
			if tokens, ok := tokenEndpoint(r.URL.Path); ok {
				s.serveTokens(tokens, r, raw, out)
				break
			}
			s.serve(table, version, path, r, raw, out)
		}
		dropped := fault.DropBefore || fault.DropAnswer
		if !socket {
			s.finish(r, path, raw, out, began, dropped)
		}
		if dropped {
			simfault.HangUp(w)
			return
		}
		for k, v := range out.header {
			w.Header()[k] = v
		}
		w.WriteHeader(out.status)
		// The client may be gone; there is nobody to tell.
		_, _ = w.Write(out.body)
	})
}

// splitVersion cuts /api/vN off a path.
func splitVersion(path string) (version, rest string) {
	path, ok := strings.CutPrefix(path, "/api/")
	if !ok {
		return "", path
	}
	version, rest, _ = strings.Cut(path, "/")
	return version, "/" + rest
}

// reply is an answer before it is written.
type reply struct {
	status int
	header http.Header
	body   []byte
	code   int  // of a JSON error.
	ban    bool // answered by a ban.
}

func (o *reply) json(status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"message":"500: Internal Server Error","code":0}`)
	}
	o.status, o.body = status, data
	o.header.Set("Content-Type", "application/json")
}

func (o *reply) fail(e *apiError) {
	o.json(e.status, e.body())
	o.code = e.code
}

// serve answers one request as Discord does.
func (s *Server) serve(table []route, version, path string, r *http.Request, raw []byte, out *reply) {
	if version == "" {
		out.fail(errNotFound())
		return
	}
	if version != "v9" && version != "v10" {
		out.fail(errInvalidVersion())
		return
	}
	var chosen *route
	var args map[string]string
	known := false
	for i := range table {
		a, ok := match(table[i].path, path)
		if !ok {
			continue
		}
		known = true
		if table[i].method == r.Method {
			chosen, args = &table[i], a
			break
		}
	}
	switch {
	case chosen == nil && known:
		out.fail(errMethod())
		return
	case chosen == nil:
		out.fail(errNotFound())
		return
	}
	token, person := bearer(r)
	person = person && chosen.scope != ""
	if !person && (chosen.scope != "" && !chosen.bot || chosen.bot && !s.authorised(r)) {
		out.fail(errUnauthorized())
		return
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{r: r, args: args}
	if person {
		g, e := s.grantOf(token, chosen.scope)
		if e != nil {
			out.fail(e)
			return
		}
		c.user = g.user
	}
	if !s.allow(chosen, c, out) {
		return
	}
	if e := c.decode(raw); e != nil {
		out.fail(e)
		return
	}
	if e := s.checkSchema(chosen.schema, c.json); e != nil {
		out.fail(e)
		return
	}
	a, e := chosen.handler(s, c)
	switch {
	case e != nil:
		out.fail(e)
		s.checkRefusal(chosen, e)
	case a.body == nil:
		out.status = a.status
	default:
		out.json(a.status, a.body)
		s.checkAnswer(chosen, out.body)
	}
}

func (c *call) decode(raw []byte) *apiError {
	if len(bytes.TrimSpace(raw)) == 0 {
		if c.r.Header.Get("Content-Type") == "application/json" && c.r.Method != http.MethodGet && c.r.Method != http.MethodDelete {
			return errInvalidJSON()
		}
		return nil
	}
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		raw, c.files, err = parts(params["boundary"], raw)
		kind = "application/json"
	}
	if err != nil || kind != "application/json" {
		return &apiError{status: http.StatusBadRequest, code: 50035, message: "Invalid Form Body"}
	}
	v, err := decodeJSON(raw)
	if err != nil {
		return errInvalidJSON()
	}
	c.body, c.json = v, raw
	return nil
}

// decodeJSON decodes exactly one value and keeps numbers as they are.
func decodeJSON(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

// checkSchema holds a request against Discord's API description.
func (s *Server) checkSchema(name string, raw []byte) *apiError {
	if s.cfg.Schema == nil || name == "" || len(raw) == 0 {
		return nil
	}
	v, err := decodeJSON(raw)
	if err != nil {
		return errInvalidJSON()
	}
	if err := s.cfg.Schema.Validate(name, v); err != nil {
		f := newForm()
		f.add("SCHEMA_VIOLATION", err.Error())
		return f.err()
	}
	return nil
}

// finish counts an answer and writes the wire log.
func (s *Server) finish(r *http.Request, path string, raw []byte, out *reply, began time.Time, dropped bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(r.Method, path, out, dropped)
	s.touch()
	s.record(Exchange{
		At: s.clock.Now(), Took: time.Since(began), Direction: FromBot, Method: r.Method, Path: r.URL.RequestURI(),
		Status: out.status, Request: logged(r.Header, raw), Response: string(out.body), RetryAfter: out.header.Get("Retry-After"),
	})
}

func queryInt(r *http.Request, key string, fallback, lo, hi int) (int, *apiError) {
	v := r.URL.Query().Get(key)
	if v == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < lo || n > hi {
		f := newForm()
		f.at(key).add("NUMBER_TYPE_MAX", "int value should be between "+strconv.Itoa(lo)+" and "+strconv.Itoa(hi)+".")
		return 0, f.err()
	}
	return n, nil
}
