package discord

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
)

// PathInteractions is where Discord posts interactions.
const PathInteractions = "/discord/interactions"

// reasonSignature is why a request is refused that Discord did not sign.
const reasonSignature = "signature"

// Routes registers the HTTP receiver.
func (a *Adapter) Routes(mux *http.ServeMux) {
	mux.HandleFunc(PathInteractions, a.serveInteraction)
}

// serveInteraction is the HTTP transport: it checks the request, lets
// dispatch answer it and writes the callback.
func (a *Adapter) serveInteraction(w http.ResponseWriter, r *http.Request) {
	body, status, reason := a.receive(w, r)
	if status != 0 {
		a.refuse(w, r, status, reason)
		return
	}
	in, err := decodeInteraction(body)
	if err != nil {
		a.refuse(w, r, http.StatusBadRequest, "malformed")
		return
	}
	if a.handler == nil && in.Type != interactionPing {
		a.refuse(w, r, http.StatusServiceUnavailable, "starting")
		return
	}
	answer, err := a.dispatch(r.Context(), in, a.answerWithin)
	if err != nil {
		a.refuse(w, r, http.StatusBadRequest, "malformed")
		return
	}
	answer.sent(a.write(w, r, answer.callback) == nil)
}

// receive reads and checks a request. A status other than 0 refuses it.
func (a *Adapter) receive(w http.ResponseWriter, r *http.Request) (body []byte, status int, reason string) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, http.StatusMethodNotAllowed, "method"
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, http.StatusUnsupportedMediaType, "content_type"
	}
	if r.ContentLength > maxBody {
		return nil, http.StatusRequestEntityTooLarge, "too_large"
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, http.StatusRequestEntityTooLarge, "too_large"
		}
		return nil, http.StatusBadRequest, "truncated"
	}
	if !signed(a.publicKey, r.Header, body, a.clock.Now()) {
		return nil, http.StatusUnauthorized, reasonSignature
	}
	return body, 0, ""
}

func (a *Adapter) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	a.metrics.refused.WithLabelValues(reason).Inc()
	if reason == reasonSignature {
		// Discord itself sends wrong signatures, when the address is set and at
		// any time after, to see them refused.
		// https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers
		a.log.InfoContext(r.Context(), "discord request refused", "status", status, "reason", reason, "note", "Discord tries wrong signatures on purpose")
	} else {
		a.log.WarnContext(r.Context(), "discord request refused", "status", status, "reason", reason)
	}
	http.Error(w, http.StatusText(status), status)
}

func (a *Adapter) write(w http.ResponseWriter, r *http.Request, c callback) error {
	data, err := json.Marshal(c)
	if err == nil {
		w.Header().Set("Content-Type", "application/json")
		_, err = w.Write(data)
	}
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if err != nil {
		a.log.WarnContext(r.Context(), "discord acknowledgement not written", "error", err)
	}
	return err
}
