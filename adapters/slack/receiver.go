package slack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Paths of the request URLs in the manifest.
const (
	CommandsPath     = "/slack/commands"
	InteractionsPath = "/slack/interactions"
	EventsPath       = "/slack/events"
)

// maxBody is the largest body that is read, in bytes. Slack's largest
// requests, clicks that carry their whole message, stay far below.
const maxBody = 256 << 10

// usualBody is the size that most requests do not exceed.
const usualBody = 8 << 10

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// reply is what is written back, and what follows once it was. Its status
// tells Socket Mode whether to acknowledge at all.
type reply struct {
	kind    string
	outcome string
	status  int
	body    []byte
	// text marks a body that is not JSON.
	text bool
	// after is called when the reply was flushed; it may be nil.
	after func()
}

type serveFunc func(ctx context.Context, body []byte, received time.Time) reply

// Routes adds the three endpoints for Slack's requests to mux. The server
// around them has timeouts; the size of bodies is limited here.
func (a *Adapter) Routes(mux *http.ServeMux) {
	mux.Handle(CommandsPath, a.endpoint(kindCommand, formType, a.serveCommand))
	mux.Handle(InteractionsPath, a.endpoint(kindInteraction, formType, a.serveInteraction))
	mux.Handle(EventsPath, a.endpoint(kindEvent, jsonType, a.serveEvent))
}

func (a *Adapter) endpoint(kind, mediaType string, serve serveFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received := time.Now()
		rep := a.receive(w, r, kind, mediaType, serve, received)
		if rep.kind == "" {
			rep.kind = kind
		}
		a.write(w, rep)
		a.metrics.ack.WithLabelValues(rep.kind).Observe(time.Since(received).Seconds())
		a.metrics.requests.WithLabelValues(rep.kind, rep.outcome).Inc()
		if rep.after != nil {
			rep.after()
		}
	})
}

// receive checks the request in the order of cost: nothing of the body is
// believed before its signature was verified.
func (a *Adapter) receive(w http.ResponseWriter, r *http.Request, kind, mediaType string, serve serveFunc, received time.Time) reply {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return a.refuse(kind, http.StatusMethodNotAllowed, "method", nil)
	}
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != mediaType {
		return a.refuse(kind, http.StatusUnsupportedMediaType, "media_type", nil)
	}
	body, rep := a.readBody(w, r, kind)
	if rep != nil {
		return *rep
	}
	// These requests come without a signature, so nothing else of them is
	// used (https://docs.slack.dev/interactivity/implementing-slash-commands).
	if mediaType == formType && isSSLCheck(body) {
		return reply{status: http.StatusOK, outcome: "ssl_check"}
	}
	if err := verifySignature(a.signingSecret, r.Header, body, a.clock.Now()); err != nil {
		return a.refuse(kind, http.StatusUnauthorized, "signature", err)
	}
	// A repetition is worked on like a first arrival, because the first may
	// never have come: what is a duplicate is told by ids alone.
	if r.Header.Get("X-Slack-Retry-Num") != "" {
		a.metrics.retries.Inc()
	}
	return serve(r.Context(), body, received)
}

func (a *Adapter) readBody(w http.ResponseWriter, r *http.Request, kind string) ([]byte, *reply) {
	var body bytes.Buffer
	// The announced length is only a claim, so not much is set aside for it.
	if r.ContentLength > 0 {
		body.Grow(int(min(r.ContentLength, usualBody)) + bytes.MinRead)
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return body.Bytes(), nil
	case errors.As(err, &tooLarge):
		rep := a.refuse(kind, http.StatusRequestEntityTooLarge, "too_large", nil)
		return nil, &rep
	default:
		rep := a.refuse(kind, http.StatusBadRequest, "unreadable", nil)
		return nil, &rep
	}
}

func isSSLCheck(body []byte) bool {
	if !bytes.Contains(body, []byte("ssl_check")) {
		return false
	}
	form, err := url.ParseQuery(string(body))
	return err == nil && form.Get("ssl_check") == "1"
}

// refuse leaves one line in the log, without anything the request said.
func (a *Adapter) refuse(kind string, status int, reason string, cause error) reply {
	attrs := []any{slog.String("kind", kind), slog.Int("status", status), slog.String("reason", reason)}
	if cause != nil {
		attrs = append(attrs, slog.String("cause", cause.Error()))
	}
	a.log.Warn("slack request refused", attrs...)
	return reply{status: status, outcome: "refused_" + reason, body: []byte(http.StatusText(status)), text: true}
}

func (a *Adapter) write(w http.ResponseWriter, rep reply) {
	h := w.Header()
	if len(rep.body) > 0 {
		contentType := "application/json; charset=utf-8"
		if rep.text {
			contentType = "text/plain; charset=utf-8"
		}
		h.Set("Content-Type", contentType)
	}
	if rep.status >= http.StatusInternalServerError && rep.kind != kindEvent {
		// The person has seen the failure and may press again; a repetition
		// minutes later would surprise.
		h.Set("X-Slack-No-Retry", "1")
	}
	h.Set("Content-Length", strconv.Itoa(len(rep.body)))
	w.WriteHeader(rep.status)
	if len(rep.body) > 0 {
		if _, err := io.Copy(w, bytes.NewReader(rep.body)); err != nil {
			a.log.Warn("slack acknowledgement not written", slog.String("kind", rep.kind))
			return
		}
	}
	if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		a.log.Warn("slack acknowledgement not written", slog.String("kind", rep.kind))
	}
}

func (a *Adapter) serveCommand(ctx context.Context, body []byte, received time.Time) reply {
	in, err := a.decodeCommand(body)
	return a.serveDecoded(ctx, kindCommand, in, err, received, maxBody)
}

func (a *Adapter) serveInteraction(ctx context.Context, body []byte, received time.Time) reply {
	payload, err := formPayload(body)
	if err != nil {
		return a.refuse(kindInteraction, http.StatusBadRequest, "malformed", err)
	}
	in, err := a.decodeInteraction(payload)
	return a.serveDecoded(ctx, kindInteraction, in, err, received, maxBody)
}

// serveDecoded is where the transports meet: from here on nothing depends on
// how a request came, apart from the size of what may be answered inline.
func (a *Adapter) serveDecoded(ctx context.Context, kind string, in interaction, err error, received time.Time, inline int) reply {
	if err != nil {
		return a.refuse(kind, http.StatusBadRequest, "malformed", err)
	}
	if in.silent != "" {
		return reply{status: http.StatusOK, kind: in.kind, outcome: in.silent}
	}
	in.received = received
	ack := a.dispatch(ctx, in, inline)
	rep := reply{kind: in.kind, status: http.StatusOK, outcome: ack.outcome, body: ack.body, after: ack.after}
	switch ack.outcome {
	case outcomeUnready:
		rep.status = http.StatusServiceUnavailable
	case outcomeFormFailed:
		rep.status = http.StatusInternalServerError
	}
	return rep
}
