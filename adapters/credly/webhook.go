package credly

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
	"github.com/laurelbot/laurel/internal/registry"
)

const (
	// webhookPattern is where Credly delivers; the token makes it unguessable.
	webhookPattern = "POST /webhooks/credly/{token}"
	// webhookSource names deliveries in the inbox.
	webhookSource = "credly"
	// maxDelivery is the largest body taken, in bytes.
	maxDelivery = 64 << 10
	// storeTimeout is how long storing may take: Credly waits "a short time".
	storeTimeout = 2500 * time.Millisecond
)

// WebhookConfig says which deliveries are taken.
type WebhookConfig struct {
	// Token is the last part of the address given to Credly.
	Token core.Secret
	// OrganizationID is the issuer's UUID at Credly.
	OrganizationID string
	Inbox          inbox.Receiver
	// Log and Metrics may be nil.
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Webhook takes in deliveries of Credly: stores each once and answers at
// once. It answers exactly 200 to everything of our organization, whatever
// its type, because Credly repeats anything else for up to 25 days; 400 to
// what is no event, 404 to a wrong token or another organization, and 503
// when nothing could be stored, so that Credly delivers again. See
// https://www.credly.com/docs/webhooks.
type Webhook struct {
	token        [sha256.Size]byte
	organization string
	inbox        inbox.Receiver
	log          *slog.Logger
	results      *prometheus.CounterVec
	timeout      time.Duration
}

var _ http.Handler = (*Webhook)(nil)

// NewWebhook returns a receiver. The token is at least 16 characters long.
func NewWebhook(cfg WebhookConfig) (*Webhook, error) {
	switch {
	case len(cfg.Token) < 16:
		return nil, errors.New("credly webhook token: shorter than 16 characters")
	case !validID(cfg.OrganizationID):
		return nil, errors.New("credly organization id: missing or malformed")
	case cfg.Inbox == nil:
		return nil, errors.New("credly webhook: no inbox")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "laurel_credly_webhooks_total",
		Help: "Deliveries of Credly by what became of them.",
	}, []string{"result"})
	if err := registry.Register(cfg.Metrics, &results); err != nil {
		return nil, fmt.Errorf("credly webhook: %w", err)
	}
	return &Webhook{
		token:        sha256.Sum256([]byte(cfg.Token.Reveal())),
		organization: cfg.OrganizationID,
		inbox:        cfg.Inbox,
		log:          cfg.Log,
		results:      results,
		timeout:      storeTimeout,
	}, nil
}

// Routes adds POST /webhooks/credly/{token} to mux.
func (h *Webhook) Routes(mux *http.ServeMux) { mux.Handle(webhookPattern, h) }

// ServeHTTP takes one delivery; the request was routed by [Webhook.Routes].
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, result := h.take(w, r)
	h.results.WithLabelValues(result).Inc()
	if status != http.StatusOK {
		h.log.Warn("credly webhook", "result", result, "status", status)
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (h *Webhook) take(w http.ResponseWriter, r *http.Request) (status int, result string) {
	// Hashes have one length, so that the comparison does not tell the
	// token's.
	given := sha256.Sum256([]byte(r.PathValue("token")))
	if subtle.ConstantTimeCompare(given[:], h.token[:]) != 1 {
		return http.StatusNotFound, "wrong_token"
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, "too_large"
	case err != nil:
		return http.StatusBadRequest, "unreadable"
	}
	event, err := decodeDelivery(body)
	if err != nil {
		return http.StatusBadRequest, "malformed"
	}
	if !sameID(string(event.OrganizationID), h.organization) {
		return http.StatusNotFound, "other_organization"
	}
	isNew, err := h.store(r.Context(), inbox.Message{
		Source: webhookSource, Key: string(event.ID), Kind: inbox.KindProviderEvent, Payload: string(body),
	})
	switch {
	case err != nil:
		h.log.Error("credly webhook: store delivery", "error", err)
		return http.StatusServiceUnavailable, "not_stored"
	case !isNew:
		return http.StatusOK, "repeated"
	case event.kind() == unknownEvent:
		return http.StatusOK, "unknown_type"
	}
	return http.StatusOK, "stored"
}

// decodeDelivery reads a body strictly enough to store it: a JSON object in
// UTF-8 with a string id and a string organization.
func decodeDelivery(body []byte) (eventData, error) {
	var strict struct {
		ID             string `json:"id"`
		OrganizationID string `json:"organization_id"`
	}
	if !utf8.Valid(body) || json.Unmarshal(body, &strict) != nil {
		return eventData{}, errors.New("decode delivery")
	}
	return decodeEvent(body)
}

// store stores within the time Credly waits, even when the store does not
// heed its context. What is stored after that is a repetition later.
func (h *Webhook) store(ctx context.Context, m inbox.Message) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	type outcome struct {
		isNew bool
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		defer cancel()
		defer func() {
			if recover() != nil {
				done <- outcome{err: errors.New("store panicked")}
			}
		}()
		isNew, err := h.inbox.Receive(ctx, m)
		done <- outcome{isNew, err}
	}()
	select {
	case o := <-done:
		return o.isNew, o.err
	case <-ctx.Done():
		// The context also ends when the store has answered.
		select {
		case o := <-done:
			return o.isNew, o.err
		default:
			return false, fmt.Errorf("wait for store: %w", ctx.Err())
		}
	}
}
