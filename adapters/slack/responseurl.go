package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// maxResponseURLAnswer is how much of an answer is looked at.
const maxResponseURLAnswer = 4 << 10

// respond sends c to a response URL. The URL is a bearer secret: it appears
// in no error.
func (a *Adapter) respond(ctx context.Context, p core.Place, ref placeRef, c chat.Card) (core.Place, error) {
	now := a.clock.Now()
	until := time.Unix(ref.Until, 0).UTC()
	uses := ref.Uses
	if counted, ok := a.uses.get(ref.URL, now); ok {
		uses = max(uses, counted)
	}
	switch {
	case !a.allowedURL(ref.URL):
		return core.Place{}, placeGone("answer at response URL", "foreign_url")
	case p.Shown && !ref.Replace:
		return core.Place{}, placeGone("answer at response URL", "not_editable")
	case !now.Before(until):
		return core.Place{}, placeGone("answer at response URL", "expired_url")
	case uses >= responseURLUses:
		return core.Place{}, placeGone("answer at response URL", "used_url")
	}
	body, err := privateMessage(c, &ref.Replace)
	if err != nil {
		return core.Place{}, &core.DeliveryError{Class: core.Invalid, Code: "unrenderable", Err: err}
	}
	if err := a.postResponse(ctx, ref.URL, body); err != nil {
		return core.Place{}, err
	}
	ref.Uses = uses + 1
	a.uses.put(ref.URL, ref.Uses, until)
	p.Ref, p.Shown = ref.secret(), true
	if !ref.Replace || ref.Uses >= responseURLUses {
		p.EditableUntil = time.Time{}
	}
	return p, nil
}

func (a *Adapter) postResponse(ctx context.Context, to string, body []byte) error {
	const op = "answer at response URL"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return placeGone(op, "foreign_url")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := a.client.Do(req)
	if err != nil {
		return deliveryError(op, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxResponseURLAnswer))
	if err != nil {
		return deliveryError(op, err)
	}
	return responseURLError(op, resp.StatusCode, resp.Header.Get("Retry-After"), answer)
}

// responseURLError reads the answer, which is "ok", a bare error code or a
// JSON object, depending on what went wrong.
func responseURLError(op string, status int, retryAfter string, answer []byte) error {
	code := strings.TrimSpace(string(answer))
	var object struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	if json.Unmarshal(answer, &object) == nil {
		code = object.Error
		if object.OK != nil && *object.OK {
			code = "ok"
		}
	}
	switch {
	case status == http.StatusTooManyRequests:
		return retryLater(op, parseRetryAfter(retryAfter))
	case status == http.StatusNotFound, status == http.StatusGone:
		if !codePattern.MatchString(code) {
			code = fmt.Sprintf("http_%d", status)
		}
		return placeGone(op, code)
	case status == http.StatusOK && object.OK != nil && !*object.OK:
		return refusal(op, code, "")
	case status == http.StatusOK:
		return nil
	}
	if _, known := errorClasses[code]; known {
		return refusal(op, code, "")
	}
	err := statusError(op, status)
	var d *core.DeliveryError
	if errors.As(err, &d) && codePattern.MatchString(code) {
		d.Code = code
	}
	return err
}
