package discordsim

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// NoticeFailed is what a person sees when the bot gave no good answer in time.
const NoticeFailed = "This interaction failed"

// Result is what came of an act of a person.
type Result struct {
	InteractionID string `json:"interaction_id,omitempty"`
	// Token is the interaction's secret; it is not part of the JSON form.
	Token     string `json:"-"`
	UserID    string `json:"user_id"`
	ChannelID string `json:"channel_id,omitempty"`
	// Failed says that the person sees Notice instead of an answer, and
	// Reason why, for the one who looks for the error.
	Failed bool   `json:"failed,omitempty"`
	Notice string `json:"notice,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Status is the HTTP status of the bot's endpoint, 0 without an answer and
	// over the gateway.
	Status int `json:"status,omitempty"`
	// Callback is the type of the first answer, see the constants Callback….
	Callback int `json:"callback,omitempty"`
	// MessageID is the message behind @original: the new one, or the pressed
	// one when the bot updates it.
	MessageID string `json:"message_id,omitempty"`
	// Modal is the form that was opened.
	Modal *Modal `json:"modal,omitempty"`
	// Choices are the suggestions of an autocompletion.
	Choices []Choice `json:"choices,omitempty"`
	// Link is the address that a link button opens; the bot hears nothing.
	Link string `json:"link,omitempty"`

	sent *sent
}

// sent is an interaction as it left.
type sent struct {
	guildID string
	req     *signed
}

// signed is a request as it went over the wire.
type signed struct {
	body                 []byte
	signature, timestamp string
}

// Raw is an answer of the bot's endpoint that was not applied.
type Raw struct {
	Status int
	Header http.Header
	Body   []byte
}

// maxAnswer is the largest answer read from the bot without files.
const maxAnswer = 1 << 20

// errNoWay says that there is no way to the bot.
var errNoWay = errors.New("no interactions endpoint is set, and no gateway session listens")

// dispatch sends an interaction to the bot, by the endpoint or else by the
// gateway, waits for the first answer until the deadline and applies it. Only
// here an interaction leaves.
func (s *Server) dispatch(ctx context.Context, it *interaction, payload object) (*Result, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("encode interaction: %w", err)
	}
	req := s.sign(body)
	wait, cancel := context.WithTimeout(ctx, s.cfg.AnswerWithin)
	defer cancel()
	s.mu.Lock()
	it.cancel = cancel
	if it.state == stateFailed { // The clock jumped before the start.
		cancel()
	}
	s.mu.Unlock()

	out := &sent{guildID: it.channel.GuildID, req: req}
	raw, err := s.deliver(wait, out)
	status := 0
	reason := ""
	switch {
	case errors.Is(err, errNoWay):
		reason = errNoWay.Error()
	case err != nil:
		reason = "no answer in time, or no connection"
	case raw == nil: // Over the gateway the answer always comes by REST.
		reason = it.await(wait)
	default:
		status = raw.Status
		reason = s.take(wait, it, raw)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	it.cancel = nil
	if reason != "" {
		s.fail(it, reason) // Nothing, when an answer by REST came first.
	}
	return s.result(it, status, out), nil
}

// deliver brings an interaction to the bot. Over the gateway there is no
// answer to return.
func (s *Server) deliver(ctx context.Context, out *sent) (*Raw, error) {
	s.mu.Lock()
	if !s.gatewayOn() {
		s.mu.Unlock()
		return s.post(ctx, out.req, nil)
	}
	defer s.mu.Unlock()
	n := s.broadcast(out.guildID, "INTERACTION_CREATE", 0, json.RawMessage(out.req.body))
	s.gw.stats.Interactions += n
	if n == 0 {
		return nil, errNoWay
	}
	return nil, nil
}

// await waits for an answer by REST and returns why there was none.
func (it *interaction) await(wait context.Context) string {
	select {
	case <-it.answered:
		return ""
	case <-wait.Done():
		return "no answer in time"
	}
}

// take applies the body of the endpoint's answer, or waits for an answer by
// REST when the body is empty. It returns why the interaction failed.
func (s *Server) take(wait context.Context, it *interaction, raw *Raw) string {
	if raw.Status < 200 || raw.Status > 299 {
		return "endpoint answered " + strconv.Itoa(raw.Status)
	}
	if len(bytes.TrimSpace(raw.Body)) == 0 {
		return it.await(wait)
	}
	body, sent := raw.Body, []file(nil)
	if divider := boundary(raw.Header); divider != "" {
		var err error
		if body, sent, err = parts(divider, raw.Body); err != nil {
			return "endpoint answered no form"
		}
	}
	v, err := decodeJSON(body)
	if err != nil {
		return "endpoint answered no JSON"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if it.state == stateAnswered {
		return "" // The answer by REST was first; this one counts for nothing.
	}
	files, e := s.fileSet(sent, it.channel.ID)
	if e == nil {
		e = s.acknowledge(it, v, files)
	}
	if e != nil {
		detail, err := json.Marshal(e.body())
		if err != nil {
			return e.Error()
		}
		return string(detail)
	}
	return ""
}

// result describes an interaction. The caller holds the lock.
func (s *Server) result(it *interaction, status int, out *sent) *Result {
	r := &Result{
		InteractionID: it.id, Token: it.token, UserID: it.userID, ChannelID: it.channel.ID, Status: status,
		Callback: it.callback, MessageID: it.original, Modal: it.opened, Choices: it.choices, sent: out,
	}
	if it.state == stateFailed {
		r.Failed, r.Notice, r.Reason = true, NoticeFailed, it.reason
	}
	return r
}

// sign signs a body with the simulator's key and time,
// https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers.
func (s *Server) sign(body []byte) *signed {
	ts := strconv.FormatInt(s.clock.Now().Unix(), 10)
	sig := ed25519.Sign(s.key, append([]byte(ts), body...))
	return &signed{body: body, signature: hex.EncodeToString(sig), timestamp: ts}
}

// post sends a signed request to the interactions endpoint.
func (s *Server) post(ctx context.Context, req *signed, mutate func(*http.Request)) (*Raw, error) {
	s.mu.Lock()
	target := s.interactURL
	s.mu.Unlock()
	return s.postTo(ctx, target, req, mutate)
}

func (s *Server) postTo(ctx context.Context, target string, req *signed, mutate func(*http.Request)) (*Raw, error) {
	if target == "" {
		return nil, errNoWay
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(req.body))
	if err != nil {
		return nil, fmt.Errorf("build interaction: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Discord-Interactions/1.0 (+https://discord.com)")
	r.Header.Set("X-Signature-Ed25519", req.signature)
	r.Header.Set("X-Signature-Timestamp", req.timestamp)
	if mutate != nil {
		mutate(r)
	}
	began := time.Now()
	log := Exchange{At: s.clock.Now(), Direction: ToBot, Method: r.Method, Path: r.URL.RequestURI(), Request: string(req.body)}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		log.Took = time.Since(began)
		s.record(log)
	}()
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("send interaction: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit(resp.Header, maxAnswer)))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	log.Status, log.Response = resp.StatusCode, logged(resp.Header, body)
	return &Raw{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// rawTimeout bounds requests outside of interactions.
const rawTimeout = 10 * time.Second

// Redeliver sends the interaction of a result once more, byte for byte with
// its old signature and timestamp, as an attacker or a proxy would. The answer
// is returned and not applied: the interaction has had its answer. Over the
// gateway it is dispatched once more, and what is returned is empty.
func (s *Server) Redeliver(ctx context.Context, r *Result) (*Raw, error) {
	if r.sent == nil {
		return nil, errors.New("redeliver: nothing was sent")
	}
	ctx, cancel := context.WithTimeout(ctx, rawTimeout)
	defer cancel()
	raw, err := s.deliver(ctx, r.sent)
	if raw == nil {
		raw = &Raw{}
	}
	return raw, err
}

// SendRaw signs any body and sends it, after mutate (which may be nil) changed
// the request: for forged and broken deliveries. The answer is not applied.
func (s *Server) SendRaw(ctx context.Context, body []byte, mutate func(*http.Request)) (*Raw, error) {
	ctx, cancel := context.WithTimeout(ctx, rawTimeout)
	defer cancel()
	return s.post(ctx, s.sign(body), mutate)
}

// SetInteractionsURL sets the endpoint as the developer portal does: it is
// taken only when it passes the check of VerifyEndpoint. An empty URL removes
// the endpoint unchecked: from then on interactions leave over the gateway, as
// at Discord, where the two ways exclude each other.
func (s *Server) SetInteractionsURL(ctx context.Context, target string) error {
	if target != "" {
		if err := s.verify(ctx, target); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interactURL = target
	s.touch()
	return nil
}

// VerifyEndpoint checks the endpoint as Discord does when it is set and, on
// purpose, later: a PING with a good signature must be answered by PONG, one
// with a wrong signature by 401. Failing it, Discord removes the URL; the
// simulator only reports.
// https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint.
func (s *Server) VerifyEndpoint(ctx context.Context) error {
	s.mu.Lock()
	target := s.interactURL
	s.mu.Unlock()
	return s.verify(ctx, target)
}

func (s *Server) verify(ctx context.Context, target string) error {
	s.mu.Lock()
	ping := object{
		"id": s.newID(), "application_id": s.cfg.ApplicationID, "type": interactionPing, "token": "ping",
		"version": 1, "entitlements": []any{}, "authorizing_integration_owners": object{},
	}
	s.mu.Unlock()
	body, err := json.Marshal(ping)
	if err != nil {
		return fmt.Errorf("encode ping: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.AnswerWithin)
	defer cancel()
	raw, err := s.postTo(ctx, target, s.sign(body), nil)
	if err != nil {
		return fmt.Errorf("verify endpoint: %w", err)
	}
	v, err := decodeJSON(raw.Body)
	o, isObject := v.(object)
	if err != nil || !isObject || raw.Status != http.StatusOK || num(o, "type") != CallbackPong {
		return fmt.Errorf("verify endpoint: PING answered by %d and no PONG", raw.Status)
	}
	forged := s.sign(body)
	forged.signature = hex.EncodeToString(ed25519.Sign(s.key, []byte("something else")))
	raw, err = s.postTo(ctx, target, forged, nil)
	if err != nil {
		return fmt.Errorf("verify endpoint: %w", err)
	}
	if raw.Status != http.StatusUnauthorized {
		return fmt.Errorf("verify endpoint: wrong signature answered by %d instead of 401", raw.Status)
	}
	return nil
}
