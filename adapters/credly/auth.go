package credly

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	// scope is all that is needed, see https://www.credly.com/docs/oauth.
	scope = "issued_badges events badge_templates"
	// defaultLifetime of an access token that does not tell its own.
	defaultLifetime = 2 * time.Hour
	// renewEarly is how long before its end an access token is renewed.
	renewEarly = 5 * time.Minute
	// maxAccessToken is the longest access token taken, in bytes.
	maxAccessToken = 8192
)

// authorizer makes the Authorization header.
type authorizer interface {
	// header returns the header, another one than refused.
	header(ctx context.Context, refused string) (string, error)
	// renewable reports whether asking again may help after a refusal.
	renewable() bool
}

// basic sends the token as user name with an empty password, see
// https://www.credly.com/docs/web_service_api.
type basic struct{ token core.Secret }

func (b basic) header(context.Context, string) (string, error) {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(b.token.Reveal()+":")), nil
}

func (b basic) renewable() bool { return false }

// oauth is the client credentials grant.
type oauth struct {
	client   *Client
	endpoint string
	form     url.Values
	// busy holds one value while somebody reads or renews the token.
	busy    chan struct{}
	current string
	renewAt time.Time
}

func newOAuth(c *Client, endpoint, id string, secret core.Secret) *oauth {
	return &oauth{
		client:   c,
		endpoint: endpoint,
		busy:     make(chan struct{}, 1),
		form: url.Values{
			"grant_type":    {"client_credentials"},
			"client_id":     {id},
			"client_secret": {secret.Reveal()},
			"scope":         {scope},
		},
	}
}

func (o *oauth) renewable() bool { return true }

// header asks for a new token when there is none, when it ends soon or when
// it is the refused one. One caller asks, the others wait for its answer.
func (o *oauth) header(ctx context.Context, refused string) (string, error) {
	select {
	case o.busy <- struct{}{}:
		defer func() { <-o.busy }()
	case <-ctx.Done():
		return "", fmt.Errorf("wait for access token: %w", ctx.Err())
	}
	now := o.client.clock.Now()
	if o.current != "" && o.current != refused && now.Before(o.renewAt) {
		return o.current, nil
	}
	token, lifetime, err := o.ask(ctx)
	if err != nil {
		return "", fmt.Errorf("ask for access token: %w", err)
	}
	o.current = "Bearer " + token
	o.renewAt = now.Add(lifetime - min(renewEarly, lifetime/10))
	return o.current, nil
}

func (o *oauth) ask(ctx context.Context) (string, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, o.client.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.endpoint, strings.NewReader(o.form.Encode()))
	if err != nil {
		return "", 0, errors.New("make request")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := o.client.send(req, "oauth")
	if err != nil {
		return "", 0, err
	}
	switch {
	case a.status == http.StatusBadRequest || a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return "", 0, fmt.Errorf("%w: status %d %s", core.ErrUnauthorized, a.status, oauthCode(a.body))
	case a.status != http.StatusOK && a.status != http.StatusCreated:
		return "", 0, o.client.failure(a, "")
	}
	var got struct {
		AccessToken string      `json:"access_token"`
		ExpiresIn   json.Number `json:"expires_in"`
	}
	if err := json.Unmarshal(a.body, &got); err != nil || len(got.AccessToken) > maxAccessToken || !validToken.MatchString(got.AccessToken) {
		return "", 0, errors.New("decode answer")
	}
	lifetime := defaultLifetime
	if seconds, err := got.ExpiresIn.Float64(); err == nil && seconds > 0 && seconds < 1e7 {
		lifetime = time.Duration(seconds * float64(time.Second))
	}
	return got.AccessToken, lifetime, nil
}

var (
	// validToken is what RFC 6750, section 2.1 allows in a header.
	validToken = regexp.MustCompile(`^[A-Za-z0-9._~+/=-]+$`)
	// validCode is the form of an error code of RFC 6749, section 5.2.
	validCode = regexp.MustCompile(`^[a-z_]{1,40}$`)
)

// oauthCode returns the error code of a refusal, which holds no secret.
func oauthCode(body []byte) string {
	var got struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &got) != nil || !validCode.MatchString(got.Error) {
		return ""
	}
	return got.Error
}
