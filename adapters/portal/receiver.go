package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
	"github.com/laurelbot/laurel/internal/registry"
)

const (
	// receivePattern is where the body's system delivers.
	receivePattern = "POST /webhooks/portal"
	// receiveSource names its events in the inbox.
	receiveSource = "portal"
	// maxBody is the largest body taken, in bytes.
	maxBody = 256 << 10
	// maxMessageID is the longest webhook-id taken, in bytes.
	maxMessageID = 200
	// storeTimeout is how long storing may take.
	storeTimeout = 10 * time.Second
	// maxAhead is how far an event may lie in the future. Later events of the
	// same award would not be able to overtake one that does.
	maxAhead = time.Hour
)

// ReceiverConfig says which events are taken.
type ReceiverConfig struct {
	// Secret holds the keys, see [ParseKeys].
	Secret core.Secret
	Inbox  inbox.Receiver
	Clock  core.Clock
	// Log and Metrics may be nil.
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Receiver takes in the events of the certification body's system. It
// answers 200 to what is stored, known already or of an unknown type; 400
// with {"error": "..."} naming the wrong field; 401 to a wrong signature; 413
// to what is too large; 503 when nothing could be stored.
type Receiver struct {
	keys    Keys
	inbox   inbox.Receiver
	clock   core.Clock
	log     *slog.Logger
	results *prometheus.CounterVec
}

var _ http.Handler = (*Receiver)(nil)

// NewReceiver returns a receiver.
func NewReceiver(cfg ReceiverConfig) (*Receiver, error) {
	keys, err := ParseKeys(cfg.Secret)
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	if cfg.Inbox == nil || cfg.Clock == nil {
		return nil, errors.New("portal: no inbox or no clock")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "laurel_portal_webhooks_total",
		Help: "Events of the certification body's system by what became of them.",
	}, []string{"result"})
	if err := registry.Register(cfg.Metrics, &results); err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	return &Receiver{keys: keys, inbox: cfg.Inbox, clock: cfg.Clock, log: cfg.Log, results: results}, nil
}

// Routes adds POST /webhooks/portal to mux.
func (h *Receiver) Routes(mux *http.ServeMux) { mux.Handle(receivePattern, h) }

// ServeHTTP takes one event.
func (h *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, result, message := h.take(w, r)
	h.results.WithLabelValues(result).Inc()
	if status == http.StatusOK {
		w.WriteHeader(http.StatusOK)
		return
	}
	h.log.Warn("portal webhook", "result", result, "status", status, "reason", message)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client is gone when this fails.
	_ = json.NewEncoder(w).Encode(map[string]string{"error": message})
}

func (h *Receiver) take(w http.ResponseWriter, r *http.Request) (status int, result, message string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("body is larger than %d bytes", maxBody)
	case err != nil:
		return http.StatusBadRequest, "unreadable", "body cannot be read"
	}
	now := h.clock.Now()
	if err := h.keys.Verify(r.Header, body, now); err != nil {
		return http.StatusUnauthorized, "bad_signature", "signature is not valid"
	}
	id := r.Header.Get(headerID)
	if !validMessageID(id) {
		return http.StatusBadRequest, "malformed", fmt.Sprintf("%s is longer than %d or not printable", headerID, maxMessageID)
	}
	e, err := DecodeEvent(body)
	switch {
	case errors.Is(err, ErrUnknownType):
		return http.StatusOK, "unknown_type", ""
	case err != nil:
		return http.StatusBadRequest, "malformed", err.Error()
	case e.At.After(now.Add(maxAhead)):
		return http.StatusBadRequest, "malformed", "timestamp lies in the future"
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	isNew, err := h.inbox.Receive(ctx, inbox.Message{
		Source: receiveSource, Key: id, Kind: inbox.KindPortalEvent, Payload: string(body),
	})
	switch {
	case err != nil:
		h.log.Error("portal webhook: store event", "error", err)
		return http.StatusServiceUnavailable, "not_stored", "not stored, send again"
	case !isNew:
		return http.StatusOK, "repeated", ""
	}
	return http.StatusOK, "stored", ""
}

func validMessageID(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return id != "" && len(id) <= maxMessageID
}
