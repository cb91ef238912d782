package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/laurelbot/laurel/core"
)

const (
	historyPage  = 200
	historyPages = 10
	// historyMargin covers the difference between Slack's clock and ours.
	historyMargin = 10 * time.Minute
)

// history is the little that is used of a conversation. The library's own
// type refuses the whole page for one message with an unknown element, and
// people forward all kinds of messages.
// https://docs.slack.dev/reference/methods/conversations.history
type history struct {
	OK       bool   `json:"ok"`
	Error    string `json:"error"`
	Needed   string `json:"needed"`
	Messages []struct {
		TS       string `json:"ts"`
		Metadata struct {
			EventType    string         `json:"event_type"`
			EventPayload map[string]any `json:"event_payload"`
		} `json:"metadata"`
	} `json:"messages"`
	ResponseMetadata struct {
		NextCursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

// findSent returns the time stamp of the message with the given key, or ""
// when there is none or Slack does not let us look. Any other failure is an
// error: sending without having looked could tell somebody twice.
func (a *Adapter) findSent(ctx context.Context, channel, key string, firstTry time.Time) (string, error) {
	values := url.Values{
		"channel":              {channel},
		"oldest":               {strconv.FormatInt(firstTry.Add(-historyMargin).Unix(), 10)},
		"limit":                {strconv.Itoa(historyPage)},
		"include_all_metadata": {"true"},
	}
	for range historyPages {
		page, err := a.readHistory(ctx, values)
		var d *core.DeliveryError
		if errors.As(err, &d) && strings.HasPrefix(d.Code, "missing_scope") {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		for _, m := range page.Messages {
			if m.Metadata.EventType == metadataType && m.Metadata.EventPayload["key"] == key && m.TS != "" {
				return m.TS, nil
			}
		}
		if page.ResponseMetadata.NextCursor == "" {
			break
		}
		values.Set("cursor", page.ResponseMetadata.NextCursor)
	}
	return "", nil
}

func (a *Adapter) readHistory(ctx context.Context, values url.Values) (history, error) {
	const op = "conversations.history"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.apiURL.JoinPath(op).String(), strings.NewReader(values.Encode()))
	if err != nil {
		return history{}, fmt.Errorf("%s: build request", op)
	}
	req.Header.Set("Content-Type", formType)
	req.Header.Set("Authorization", "Bearer "+a.token.Reveal())
	resp, err := a.client.Do(req)
	if err != nil {
		return history{}, deliveryError(op, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests {
		return history{}, responseURLError(op, resp.StatusCode, resp.Header.Get("Retry-After"), nil)
	}
	if resp.StatusCode != http.StatusOK {
		return history{}, deliveryError(op, slackapi.StatusCodeError{Code: resp.StatusCode})
	}
	var page history
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		return history{}, deliveryError(op, err)
	}
	if !page.OK {
		return history{}, refusal(op, page.Error, page.Needed)
	}
	return page, nil
}
