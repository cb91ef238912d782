package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// methodRates are the documented rates per method and workspace, each with a
// burst of one minute's worth
// (https://docs.slack.dev/apis/web-api/rate-limits#tiers, the tier stands on
// each method's page). chat.postMessage has a tier of its own: one message a
// second per channel, which the lanes keep by [Adapter.Pause], and several
// hundred a minute per workspace.
//
// Three ways of calling Slack are not held back. views.open must happen while
// its trigger lives, and a response URL answers somebody who waits; each of
// them costs one interaction. apps.connections.open is paced by the backoff
// of the connections, and a replica that lost its own must not wait for those
// of others.
var methodRates = map[string]core.Rate{
	"auth.test":                    perMinute(300),
	"chat.postMessage":             perMinute(300),
	"chat.postEphemeral":           perMinute(100),
	"chat.update":                  perMinute(50),
	"chat.delete":                  perMinute(50),
	"conversations.history":        perMinute(50),
	"conversations.info":           perMinute(50),
	"conversations.open":           perMinute(50),
	"files.getUploadURLExternal":   perMinute(100),
	"files.completeUploadExternal": perMinute(100),
	"files.info":                   perMinute(100),
	"users.info":                   perMinute(100),
	"views.publish":                perMinute(100),
}

func perMinute(n int) core.Rate { return core.Rate{Interval: time.Minute / time.Duration(n), Burst: n} }

// rememberedRefusals is of how many workspaces it is remembered that a channel
// has to wait.
const rememberedRefusals = 1000

// maxRefusal is how much of an answer is looked at for a refusal.
const maxRefusal = 4 << 10

// callScope says on whose behalf a method is called.
type callScope struct{ team, channel string }

type callScopeKey struct{}

// withScope names the workspace whose limits a call counts against, and the
// channel when there is one.
func withScope(ctx context.Context, team, channel string) context.Context {
	return context.WithValue(ctx, callScopeKey{}, callScope{team, channel})
}

// limitedTransport asks the limiter before each call of a method, and tells
// it when Slack says to wait.
type limitedTransport struct {
	base    http.RoundTripper
	limiter core.Limiter
	api     *url.URL
	clock   core.Clock
	// refused is by team the channel whose message was refused last, for as
	// long as it has to wait.
	refused *lru[string]
}

// RoundTrip implements [http.RoundTripper].
func (t *limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	method, rate, ok := t.method(r.URL)
	if !ok {
		return t.base.RoundTrip(r)
	}
	scope, _ := r.Context().Value(callScopeKey{}).(callScope)
	name := "slack/" + scope.team + "/" + method
	if err := t.limiter.Wait(r.Context(), name, rate); err != nil {
		if r.Body != nil {
			if closeErr := r.Body.Close(); closeErr != nil {
				return nil, closeErr
			}
		}
		return nil, err
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if !isLimited(resp) {
		return resp, nil
	}
	after := parseRetryAfter(resp.Header.Get("Retry-After"))
	if after <= 0 {
		after = defaultRetryAfter
	}
	if method != "chat.postMessage" || t.wholeWorkspace(scope, after) {
		t.limiter.Close(r.Context(), name, after)
	}
	return resp, nil
}

// method returns the method at u and its rate, when it has one.
func (t *limitedTransport) method(u *url.URL) (string, core.Rate, bool) {
	method, ok := strings.CutPrefix(u.Path, t.api.Path)
	if !ok || u.Host != t.api.Host {
		return "", core.Rate{}, false
	}
	rate, ok := methodRates[method]
	return method, rate, ok
}

// wholeWorkspace reports whether a refused message speaks for its workspace.
// One channel alone is most likely past its own limit, and its lane waits by
// itself; when a second one is refused while the first has to wait, all have
// to.
func (t *limitedTransport) wholeWorkspace(scope callScope, after time.Duration) bool {
	now := t.clock.Now()
	first, waits := t.refused.get(scope.team, now)
	t.refused.put(scope.team, scope.channel, now.Add(after))
	return scope.channel == "" || waits && first != scope.channel
}

// isLimited recognises the forms in which Slack says that there were too many
// calls: status 429 with and without a time, and a refusal with status 200.
// The body of resp can still be read.
func isLimited(resp *http.Response) bool {
	if resp.StatusCode == http.StatusTooManyRequests {
		return true
	}
	if resp.StatusCode != http.StatusOK {
		return false
	}
	// An error is left to the reader of the rest, who gets it again.
	head, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), resp.Body), resp.Body}
	if !bytes.Contains(head, []byte("limited")) {
		return false
	}
	var answer struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	return json.Unmarshal(head, &answer) == nil && !answer.OK && errorClasses[answer.Error] == core.RetryLater
}
