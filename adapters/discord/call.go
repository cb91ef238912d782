package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/core"
)

// botCaller makes calls with the bot's token.
type botCaller struct {
	session *discordgo.Session
	limits  *limits
}

func newBotCaller(s *discordgo.Session, l *limits) *botCaller {
	return &botCaller{session: s, limits: l}
}

// do calls endpoint, one of discordgo's, and decodes the answer into out
// unless that is nil. Errors are [core.DeliveryError].
func (c *botCaller) do(ctx context.Context, method, endpoint string, in, out any) error {
	r := botRoute(method, endpoint)
	if err := c.limits.admit(ctx, &r); err != nil {
		return err
	}
	var contentType string
	var body []byte
	if in != nil {
		var err error
		if contentType, body, err = encode(in); err != nil {
			return err
		}
	}
	ctx, n := withNote(ctx)
	// A bucket of its own for every call: the library's would be kept for
	// ever and put to sleep without regard to the context.
	bucket := &discordgo.Bucket{Key: r.exact}
	bucket.Lock()
	_, err := c.session.RequestWithLockedBucket(method, endpoint, contentType, body, bucket, 0, discordgo.WithContext(ctx))
	if n.status == 0 {
		return callError(err)
	}
	c.limits.done(ctx, r, n)
	return decodeAnswer(n, out, true)
}

// hookCaller makes calls that an interaction's token allows. They carry no
// bot token.
type hookCaller struct {
	client *http.Client
	limits *limits
	tokens tokens
}

func newHookCaller(c *http.Client, l *limits) *hookCaller {
	return &hookCaller{client: c, limits: l}
}

// do calls a path below the webhook of an interaction, e.g.
// "/messages/@original", and decodes the answer into out unless that is nil.
// A token that Discord no longer knows is not used again.
func (c *hookCaller) do(ctx context.Context, method, application, token, path string, in, out any) error {
	if c.tokens.isDead(token, token+path) {
		return &core.DeliveryError{Class: core.PlaceGone, Code: "dead_token"}
	}
	endpoint := discordgo.EndpointWebhooks + application + "/" + url.PathEscape(token) + path
	n, err := c.send(ctx, method, endpoint, hookRoute(method, path, token), in)
	if err != nil {
		return err
	}
	return decodeAnswer(n, out, false)
}

// callback answers an interaction that came in by the gateway
// (https://discord.com/developers/docs/interactions/receiving-and-responding#create-interaction-response).
func (c *hookCaller) callback(ctx context.Context, in *interaction, answer callback) error {
	endpoint := discordgo.EndpointInteractionResponse(in.ID, url.PathEscape(in.Token))
	r := route{template: "callback", major: in.Token, exact: "callback " + in.Token, hook: true, urgent: true}
	n, err := c.send(ctx, http.MethodPost, endpoint, r, answer)
	if err != nil {
		return err
	}
	return decodeAnswer(n, nil, false)
}

func (c *hookCaller) send(ctx context.Context, method, endpoint string, r route, in any) (*note, error) {
	if err := c.limits.admit(ctx, &r); err != nil {
		return nil, err
	}
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
	}
	ctx, n := withNote(ctx)
	req, err := http.NewRequestWithContext(ctx, method, endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, callError(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, callError(err)
	}
	// The transport has read and closed the real body.
	if err := resp.Body.Close(); err != nil {
		return nil, callError(err)
	}
	c.limits.done(ctx, r, n)
	return n, nil
}

func decodeAnswer(n *note, out any, withBotToken bool) error {
	if n.status < 200 || n.status > 299 {
		return answerError(n, withBotToken)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(n.body, out); err != nil {
		return badAnswer()
	}
	return nil
}
