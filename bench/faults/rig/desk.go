package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Platform is a chat platform.
type Platform int

// The platforms.
const (
	Slack Platform = iota
	Discord
)

// Say is what a card says, as far as the campaign cares.
type Say int

// What cards say.
const (
	// SayNothing: no card came.
	SayNothing Say = iota
	// SayLink: here is your link to claim.
	SayLink
	// SayLater: it did not work, please try again.
	SayLater
	// SayNotYours: this is not for you.
	SayNotYours
	// SayExpired: the time is up.
	SayExpired
	// SayOther: something else.
	SayOther
)

// said reads a card. The words are those of the English catalogue.
func said(body []byte) Say {
	for _, one := range []struct {
		words string
		say   Say
	}{
		{PublicURL + "/h/", SayLink},
		{"Please try again in a minute", SayLater},
		{"Something went wrong", SayLater},
		{"This is not for you", SayNotYours},
		{"Time is up", SayExpired},
	} {
		if bytes.Contains(body, []byte(one.words)) {
			return one.say
		}
	}
	return SayOther
}

// Card is one message that reached a click's place.
type Card struct {
	At  time.Time
	Say Say
	// Link is where it leads to, if it is a link to claim.
	Link string
	// Body is what was sent.
	Body string
}

// Sent is a direct message that the bot sent.
type Sent struct {
	At time.Time
	// User is to whom.
	User string
	Body string
}

// Call is a request of the bot to a platform.
type Call struct {
	Platform Platform
	// Method is Slack's method or Discord's HTTP method.
	Method string
	Path   string
	// User is who a direct message in Slack is for, where the call tells.
	User string
	Body []byte
}

// Reply answers a call in place of the platform.
type Reply struct {
	Delay  time.Duration
	Status int
	Header http.Header
	Body   string
}

// Desk stands before Slack and Discord. It takes the cards that answer
// clicks and notes what they say, and answers Slack's methods by itself; the
// rest goes on to the simulators, which keep whole conversations. It can
// misbehave call by call.
type Desk struct {
	// URL is where it listens.
	URL string
	// Forward sends Slack's methods on to the simulator as well.
	Forward atomic.Bool
	// Script may answer a call; nil passes it on. After is called when the
	// platform has done the work and before the answer goes back.
	script, after atomic.Pointer[func(Call) *Reply]

	server  *http.Server
	failed  chan error
	slack   *httputil.ReverseProxy
	discord *httputil.ReverseProxy

	mu    sync.Mutex
	cards map[int][]Card
	sent  []Sent
	calls int
	next  int
}

const (
	slackAnswers = "/actions/"
	// discordToken begins the token of an interaction; the click follows.
	discordToken = "faults."
)

func startDesk(ctx context.Context, slack, discord string) (*Desk, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	slackURL, err1 := url.Parse(slack)
	discordURL, err2 := url.Parse(discord)
	if err := errors.Join(err1, err2); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	d := &Desk{
		URL: "http://" + l.Addr().String(), failed: make(chan error, 1), cards: map[int][]Card{},
		slack: forwarder(slackURL), discord: forwarder(discordURL),
	}
	d.server = &http.Server{Handler: d, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second}
	go func() { d.failed <- d.server.Serve(l) }()
	return d, nil
}

// forwarder passes requests on, and cuts the connection where the simulator
// cut it.
func forwarder(to *url.URL) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler)
		},
	}
}

func (d *Desk) close() error {
	err := d.server.Close()
	if served := <-d.failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Script lets f answer calls; nil from f passes a call on. A nil f ends that.
func (d *Desk) Script(f func(Call) *Reply) { store(&d.script, f) }

// After calls f when the platform has done a call's work and before the bot
// gets the answer.
func (d *Desk) After(f func(Call)) {
	if f == nil {
		d.after.Store(nil)
		return
	}
	store(&d.after, func(c Call) *Reply { f(c); return nil })
}

func store(into *atomic.Pointer[func(Call) *Reply], f func(Call) *Reply) {
	if f == nil {
		into.Store(nil)
		return
	}
	into.Store(&f)
}

// ServeHTTP answers as the platform would that the address belongs to.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const most = 1 << 20
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c := callOf(r, body)
	d.mu.Lock()
	d.calls++
	d.mu.Unlock()
	if f := d.script.Load(); f != nil {
		if reply := (*f)(c); reply != nil {
			if reply.Delay > 0 && Sleep(r.Context(), reply.Delay) != nil {
				return
			}
			if reply.Status != 0 {
				for name, values := range reply.Header {
					w.Header()[name] = values
				}
				if w.Header().Get("Content-Type") == "" {
					w.Header().Set("Content-Type", "application/json")
				}
				w.WriteHeader(reply.Status)
				_, _ = io.WriteString(w, reply.Body)
				return
			}
		}
	}
	if f := d.after.Load(); f != nil {
		w = &held{ResponseWriter: w, before: func() { (*f)(c) }}
	}
	click, ok := clickOf(r.URL.Path)
	switch {
	case ok:
		d.record(click, body)
		if c.Platform == Slack {
			_, _ = io.WriteString(w, "ok")
			return
		}
		answer(w, `{"id":"9000000000%010d","channel_id":"900000000000000002"}`, click)
	case c.Platform == Discord:
		d.discord.ServeHTTP(w, r)
	case d.Forward.Load():
		d.slack.ServeHTTP(w, r)
	default:
		d.serveSlack(w, c)
	}
}

func answer(w io.Writer, format string, args ...any) {
	if h, ok := w.(http.ResponseWriter); ok {
		h.Header().Set("Content-Type", "application/json")
	}
	fmt.Fprintf(w, format, args...)
}

// held calls a function before the answer begins.
type held struct {
	http.ResponseWriter
	before func()
	once   sync.Once
}

// WriteHeader implements [http.ResponseWriter].
func (h *held) WriteHeader(status int) {
	h.once.Do(h.before)
	h.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (h *held) Write(b []byte) (int, error) {
	h.once.Do(h.before)
	return h.ResponseWriter.Write(b)
}

// serveSlack does the little of Slack's methods that direct messages need.
// The channel of a person is D and their id.
func (d *Desk) serveSlack(w http.ResponseWriter, c Call) {
	switch c.Method {
	case "conversations.open":
		answer(w, `{"ok":true,"channel":{"id":"D%s"}}`, c.User)
	case "conversations.history":
		d.history(w, c.User)
	case "chat.postMessage":
		d.mu.Lock()
		d.next++
		n := d.next
		d.sent = append(d.sent, Sent{At: time.Now(), User: c.User, Body: string(c.Body)})
		d.mu.Unlock()
		answer(w, `{"ok":true,"channel":"D%s","ts":"17000%05d.%06d"}`, c.User, n/1_000_000, n%1_000_000)
	case "users.info":
		answer(w, `{"ok":true,"user":{"id":%q,"locale":"en-US","tz":"Europe/London"}}`, c.User)
	default:
		answer(w, `{"ok":true}`)
	}
}

// history is a conversation with the metadata by which messages are found.
func (d *Desk) history(w http.ResponseWriter, user string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	messages := []map[string]any{}
	for i, one := range d.sent {
		form, err := url.ParseQuery(one.Body)
		if err != nil || one.User != user || form.Get("metadata") == "" {
			continue
		}
		messages = append(messages, map[string]any{
			"ts": fmt.Sprintf("1700000000.%06d", i+1), "metadata": json.RawMessage(form.Get("metadata")),
		})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "messages": messages}) // Whoever hung up asks again.
}

func callOf(r *http.Request, body []byte) Call {
	c := Call{Platform: Discord, Method: r.Method, Path: r.URL.Path, Body: body}
	method, ok := strings.CutPrefix(r.URL.Path, "/api/")
	if strings.HasPrefix(r.URL.Path, slackAnswers) {
		c.Platform, c.Method = Slack, "response_url"
	}
	if !ok || strings.HasPrefix(method, "v") && !strings.Contains(method, ".") {
		return c
	}
	if i := strings.IndexByte(method, '/'); i >= 0 {
		return c
	}
	c.Platform, c.Method = Slack, method
	form, err := url.ParseQuery(string(body))
	if err == nil {
		c.User = form.Get("users") + form.Get("user")
		// A person's conversation, or the person.
		if user := strings.TrimPrefix(form.Get("channel"), "D"); strings.HasPrefix(user, "U") {
			c.User = user
		}
	}
	if strings.Contains(r.Header.Get("Content-Type"), "json") {
		var fields struct {
			Users   string `json:"users"`
			User    string `json:"user"`
			Channel string `json:"channel"`
		}
		if json.Unmarshal(body, &fields) == nil {
			c.User = fields.Users + fields.User + strings.TrimPrefix(fields.Channel, "D")
		}
	}
	return c
}

// clickOf reads which click a card answers from the address it is sent to.
func clickOf(path string) (int, bool) {
	text, found := strings.CutPrefix(path, slackAnswers)
	if !found {
		_, text, found = strings.Cut(path, "/"+discordToken)
		text, _, _ = strings.Cut(text, "/")
	}
	n, err := strconv.Atoi(text)
	return n, found && err == nil && n >= 0
}

func (d *Desk) record(click int, body []byte) {
	card := Card{At: time.Now(), Say: said(body), Body: string(body)}
	if _, rest, ok := bytes.Cut(body, []byte(PublicURL+"/h/")); ok {
		end := bytes.IndexAny(rest, `"\`)
		card.Link = "/h/" + string(rest[:max(end, 0)])
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cards[click] = append(d.cards[click], card)
}

// Cards are those that reached a click's place, in order.
func (d *Desk) Cards(click int) []Card {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Card(nil), d.cards[click]...)
}

// Sent are the direct messages in Slack, in order.
func (d *Desk) Sent() []Sent {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Sent(nil), d.sent...)
}

// Calls is how many requests the bot made in all.
func (d *Desk) Calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}
