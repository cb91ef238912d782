package console

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/mailsim"
	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/simchange"
	"github.com/laurelbot/laurel/playground/simconsole"
	"github.com/laurelbot/laurel/playground/slacksim"
)

const (
	// maxFrames is how many frames the wire log keeps: half an hour by hand.
	maxFrames = 1000
	// maxFrameBody is how much of a body is kept, in bytes.
	maxFrameBody = 12 << 10
)

// frame is one exchange between a simulator and the app.
type frame struct {
	ID int       `json:"id"`
	At time.Time `json:"at"`
	// Part is the simulator's, From and To are a part or "app".
	Part string `json:"part"`
	From string `json:"from"`
	To   string `json:"to"`
	// Kind is http, webhook, socket, gateway or smtp.
	Kind   string `json:"kind"`
	Method string `json:"method"`
	Path   string `json:"path"`
	// Status is 0 where no answer came; a frame of a connection has none.
	Status   int    `json:"status"`
	TookMS   int64  `json:"took_ms"`
	Request  string `json:"request,omitempty"`
	Response string `json:"response,omitempty"`
	Note     string `json:"note,omitempty"`
}

// wireLog is a ring of frames over all simulators.
type wireLog struct {
	changes simchange.Signal

	mu     sync.Mutex
	frames []frame
	next   int
}

// Changed returns a channel that is closed at the next frame.
func (l *wireLog) Changed() <-chan struct{} { return l.changes.Changed() }

// What a simulator does not know to be secret: the ends of the app's own
// links, which open a claim or prove an address, and what is called a token,
// a secret or a code.
var (
	linkSecret  = regexp.MustCompile(`(/[a-z]/)[A-Za-z0-9_-]{20,}`)
	fieldSecret = regexp.MustCompile(`("(?:[a-z_]*token|[a-z_]*secret|trigger_id|response_url|authorization|signature|ticket|code)"\s*:\s*")[^"]+(")`)
	formSecret  = regexp.MustCompile(`\b((?:[a-z_]*token|[a-z_]*secret|trigger_id|response_url)=)[^&\s]+`)
	longDigits  = regexp.MustCompile(`("value":\s*")\d{6,8}(")`)
	hookSecret  = regexp.MustCompile(`(/webhooks/[a-z]+/)[A-Za-z0-9_-]{12,}`)
)

const cutOut = "${1}•••${2}"

// clean cuts secrets and length.
func clean(text string) string {
	text = linkSecret.ReplaceAllString(text, "${1}•••")
	text = hookSecret.ReplaceAllString(text, "${1}•••")
	text = fieldSecret.ReplaceAllString(text, cutOut)
	text = formSecret.ReplaceAllString(text, "${1}•••")
	text = longDigits.ReplaceAllString(text, cutOut)
	if len(text) > maxFrameBody {
		text = strings.ToValidUTF8(text[:maxFrameBody], "") + "…"
	}
	return text
}

func (l *wireLog) add(f frame) {
	f.Path, f.Request, f.Response = clean(f.Path), clean(f.Request), clean(f.Response)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	f.ID = l.next
	if len(l.frames) == maxFrames {
		// A copy of one per thousand moves is cheaper than it looks: the
		// array behind is made anew only now and then.
		l.frames = l.frames[1:]
	}
	l.frames = append(l.frames, f)
	l.changes.Touch()
}

// since returns the frames after an id, oldest first.
func (l *wireLog) since(id int) []frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := len(l.frames)
	for first > 0 && l.frames[first-1].ID > id {
		first--
	}
	return append([]frame{}, l.frames[first:]...)
}

func (l *wireLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames = nil
}

// serveWire answers {frames} after the id "since".
func (c *console) serveWire(w http.ResponseWriter, r *http.Request) {
	since, err := strconv.Atoi(r.URL.Query().Get("since"))
	if err != nil {
		since = 0
	}
	simconsole.WriteJSON(w, http.StatusOK, map[string]any{"frames": c.wire.since(since), "kept": maxFrames})
}

func (c *console) clearWire(w http.ResponseWriter, _ *http.Request) {
	c.wire.clear()
	w.WriteHeader(http.StatusNoContent)
}

// tap lets the wire log hear of every exchange.
func (l *wireLog) tap(cfg Config) {
	if cfg.Slack != nil {
		cfg.Slack.OnExchange(func(e slacksim.Exchange) { l.add(slackFrame(e)) })
	}
	if cfg.Discord != nil {
		cfg.Discord.OnExchange(func(e discordsim.Exchange) { l.add(discordFrame(e)) })
	}
	if cfg.Credly != nil {
		cfg.Credly.OnExchange(func(e credlysim.Exchange) {
			// The page itself shows these pictures: nobody learns from them.
			if !strings.HasPrefix(e.URL, "/images/") {
				l.add(credlyFrame(e))
			}
		})
	}
	if cfg.Mail != nil {
		cfg.Mail.OnExchange(func(e mailsim.Exchange) { l.add(mailFrame(e)) })
	}
	if cfg.Portal != nil {
		cfg.Portal.OnExchange(func(e portalsim.Exchange) { l.add(portalFrame(e)) })
	}
}

func slackFrame(e slacksim.Exchange) frame {
	f := frame{
		At: e.At, Part: partSlack, From: partApp, To: partSlack, Kind: "http", Method: e.Method, Path: e.Path,
		Status: e.Status, TookMS: e.Latency.Milliseconds(), Request: e.Request, Response: e.Response, Note: e.Note,
	}
	if e.Direction == slacksim.DirectionOut {
		f.From, f.To, f.Kind = partSlack, partApp, "webhook"
	}
	if e.Method == "WS" {
		f.Kind, f.Method = "socket", "Socket Mode"
	}
	return f
}

func discordFrame(e discordsim.Exchange) frame {
	f := frame{
		At: e.At, Part: partDiscord, From: partApp, To: partDiscord, Kind: "http", Method: e.Method, Path: e.Path,
		Status: e.Status, TookMS: e.Took.Milliseconds(), Request: e.Request, Response: e.Response,
	}
	if e.Direction == discordsim.ToBot {
		f.From, f.To, f.Kind = partDiscord, partApp, "webhook"
	}
	if e.Method == "GATEWAY" {
		f.Kind, f.Method = "gateway", "Gateway"
	}
	if e.RetryAfter != "" {
		f.Note = "Retry-After: " + e.RetryAfter + " s"
	}
	return f
}

func credlyFrame(e credlysim.Exchange) frame {
	f := frame{
		At: e.At, Part: partCredly, From: partApp, To: partCredly, Kind: "http", Method: e.Method, Path: e.URL,
		Status: e.Status, TookMS: e.Took.Milliseconds(), Request: e.Request, Response: e.Response,
	}
	switch {
	case e.Webhook:
		f.From, f.To, f.Kind = partCredly, partApp, "webhook"
	case !strings.Contains(e.URL, "/v1/") && !strings.HasPrefix(e.URL, "/oauth"):
		f.From, f.Note = "browser", "a person's browser"
	case e.Fault && e.Status == 0:
		f.Note = "no answer, on order"
	case e.Fault:
		f.Note = "on order"
	}
	return f
}

func mailFrame(e mailsim.Exchange) frame {
	body, err := json.Marshal(map[string]any{"from": e.From, "to": e.To, "bytes": e.Size})
	if err != nil {
		// Texts and numbers always have a JSON form.
		body = nil
	}
	return frame{
		At: e.At, Part: partMail, From: partApp, To: partMail, Kind: "smtp", Method: e.Command,
		Path: strings.Join(e.To, ", "), Status: e.Code, Request: string(body), Note: e.Text,
	}
}

func portalFrame(e portalsim.Exchange) frame {
	f := frame{
		At: e.At, Part: partPortal, From: partApp, To: partPortal, Kind: "webhook", Method: http.MethodPost, Path: e.Type,
		Status: e.Status, TookMS: e.Took.Milliseconds(), Request: e.Body,
	}
	if e.Webhook {
		f.From, f.To = partPortal, partApp
	}
	return f
}
