package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/bwmarrin/discordgo"
	"golang.org/x/time/rate"
)

// botCaller makes calls with the bot's token.
type botCaller struct {
	session *discordgo.Session
	limits  limiter
	pace    *rate.Limiter
}

func newBotCaller(s *discordgo.Session) *botCaller {
	return &botCaller{session: s, pace: rate.NewLimiter(botRate, botBurst)}
}

// do calls endpoint, one of discordgo's, and decodes the answer into out
// unless that is nil. Errors are [core.DeliveryError].
func (c *botCaller) do(ctx context.Context, method, endpoint string, in, out any) error {
	route := method + " " + endpoint
	if wait := c.limits.wait(route, time.Now()); wait > 0 {
		return limited(wait, false)
	}
	if err := c.pace.Wait(ctx); err != nil {
		return callError(err)
	}
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	ctx, n := withNote(ctx)
	// A bucket of its own for every call: the library's would be kept for
	// ever and put to sleep without regard to the context.
	bucket := &discordgo.Bucket{Key: route}
	bucket.Lock()
	_, err := c.session.RequestWithLockedBucket(method, endpoint, "application/json", body, bucket, 0, discordgo.WithContext(ctx))
	if n.status == 0 {
		return callError(err)
	}
	c.limits.observe(route, n, time.Now())
	return decodeAnswer(n, out, true)
}

// hookCaller makes calls that an interaction's token allows. They carry no
// bot token.
type hookCaller struct {
	client *http.Client
	limits limiter
}

func newHookCaller(c *http.Client) *hookCaller { return &hookCaller{client: c} }

// do calls a path below the webhook of an interaction, e.g.
// "messages/@original", and decodes the answer into out unless that is nil.
func (c *hookCaller) do(ctx context.Context, method, application, token, path string, in, out any) error {
	route := method + " " + token
	if wait := c.limits.wait(route, time.Now()); wait > 0 {
		return limited(wait, false)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	if in == nil {
		body = nil
	}
	ctx, n := withNote(ctx)
	endpoint := discordgo.EndpointWebhooks + application + "/" + url.PathEscape(token) + path
	req, err := http.NewRequestWithContext(ctx, method, endpoint, bytes.NewReader(body))
	if err != nil {
		return callError(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return callError(err)
	}
	// The transport has read and closed the real body.
	if err := resp.Body.Close(); err != nil {
		return callError(err)
	}
	c.limits.observe(route, n, time.Now())
	return decodeAnswer(n, out, false)
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
