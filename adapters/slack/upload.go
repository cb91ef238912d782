package slack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

const (
	// filesHost is where Slack takes files
	// (https://docs.slack.dev/messaging/working-with-files#uploading_files).
	filesHost = "files.slack.com"
	// maxUploadURL bounds what is taken for an address to upload to.
	maxUploadURL = 4000
	// maxUploadAnswer is how much of the answer to an upload is read.
	maxUploadAnswer = 4 << 10
	// maxFileAlt is the longest description of a file, in characters
	// (https://docs.slack.dev/reference/methods/files.getUploadURLExternal#errors).
	maxFileAlt = 1000
	// rememberedUploads is how many uploads are known, so that a message that
	// is sent again shows the same file.
	rememberedUploads = 1000
	uploadLife        = time.Hour
	// pictureGrace is how long a message may be held up for its picture. Slack
	// works files off after the upload: for some seconds a message with a new
	// one is refused
	// (https://github.com/slackapi/python-slack-sdk/issues/1521).
	pictureGrace = time.Minute
	// pictureRefusals is how often a message is refused for its picture,
	// before it is shown without.
	pictureRefusals = 5
)

// upload is a picture that Slack has, or did not take yet.
type upload struct {
	// file is empty where it was not taken.
	file string
	// refused is how often the picture, or a message with it, was refused.
	refused int
}

// errNoPicture says that the card is to be shown without its picture.
var errNoPicture = errors.New("picture cannot be shown")

// uploadPicture uploads a picture without showing it anywhere, and returns the
// id of the file. The same picture is uploaded once, as far as this process
// remembers: what a lost process uploaded nobody ever sees.
// https://docs.slack.dev/messaging/working-with-files#uploading_files
func (a *Adapter) uploadPicture(ctx context.Context, tenant string, p chat.Picture) (string, error) {
	key := pictureKey(tenant, p)
	if known, ok := a.uploads.get(key, a.clock.Now()); ok {
		if known.refused >= pictureRefusals {
			return "", errNoPicture
		}
		if known.file != "" {
			return known.file, nil
		}
	}
	ctx = withScope(ctx, tenant, "")
	target, err := a.api.GetUploadURLExternalContext(ctx, slackapi.GetUploadURLExternalParameters{
		FileName: p.Name, FileSize: len(p.PNG), AltTxt: truncate(p.Alt, maxFileAlt),
	})
	if err != nil {
		return "", deliveryError("files.getUploadURLExternal", err)
	}
	if !a.allowedUpload(target.UploadURL) {
		return "", &core.DeliveryError{Class: core.Invalid, Code: "foreign_url", Err: errors.New("files.getUploadURLExternal")}
	}
	if err := a.sendPicture(ctx, target.UploadURL, p.PNG); err != nil {
		return "", err
	}
	_, err = a.api.CompleteUploadExternalContext(ctx, slackapi.CompleteUploadExternalParameters{
		Files: []slackapi.FileSummary{{ID: target.FileID, Title: p.Name}},
	})
	if err != nil {
		return "", deliveryError("files.completeUploadExternal", err)
	}
	a.uploads.put(key, upload{file: target.FileID}, a.clock.Now().Add(uploadLife))
	return target.FileID, nil
}

// refusePicture notes that a picture, or a message with it, was refused, and
// reports whether it is worth another try.
func (a *Adapter) refusePicture(tenant string, p chat.Picture, firstTry time.Time) bool {
	key, now := pictureKey(tenant, p), a.clock.Now()
	known, _ := a.uploads.get(key, now)
	known.refused++
	if !firstTry.IsZero() && now.Sub(firstTry) >= pictureGrace {
		known.refused = pictureRefusals
	}
	a.uploads.put(key, known, now.Add(uploadLife))
	return known.refused < pictureRefusals
}

func pictureKey(tenant string, p chat.Picture) string {
	sum := sha256.Sum256(p.PNG)
	return tenant + ":" + hex.EncodeToString(sum[:])
}

// sendPicture uploads the bytes. The address is a bearer secret: it appears
// in no error, and the token does not go there.
func (a *Adapter) sendPicture(ctx context.Context, to string, data []byte) error {
	const op = "upload file"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(data))
	if err != nil {
		return &core.DeliveryError{Class: core.Invalid, Code: "foreign_url", Err: errors.New(op)}
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := a.client.Do(req)
	if err != nil {
		return deliveryError(op, err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxUploadAnswer)); err != nil {
		return deliveryError(op, err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusTooManyRequests:
		return retryLater(op, parseRetryAfter(resp.Header.Get("Retry-After")))
	default:
		return statusError(op, resp.StatusCode)
	}
}

// allowedUpload reports whether files may be sent to link: to Slack's own host
// for that, or to the host of the configured API, and nowhere else.
func (a *Adapter) allowedUpload(link string) bool {
	if len(link) > maxUploadURL {
		return false
	}
	u, err := url.Parse(link)
	if err != nil || u.User != nil || u.Opaque != "" {
		return false
	}
	if u.Scheme == "https" && u.Host == filesHost {
		return true
	}
	return u.Scheme == a.apiURL.Scheme && u.Host == a.apiURL.Host
}

// picture uploads the picture of a card and returns the id of its file, or ""
// where the card goes without: it has none, or Slack does not take it. An
// error means that the whole message is tried again later, which is not worth
// it for long.
func (a *Adapter) picture(ctx context.Context, tenant string, c chat.Card, firstTry time.Time) (string, error) {
	if c.Picture == nil || len(c.Picture.PNG) == 0 {
		return "", nil
	}
	file, err := a.uploadPicture(ctx, tenant, *c.Picture)
	if err == nil {
		return file, nil
	}
	if errors.Is(err, errNoPicture) {
		return "", nil
	}
	switch core.ClassOf(err) {
	case core.InstallationDead:
		return "", err
	case core.RetryLater:
		return "", err
	case core.Temporary:
		if a.refusePicture(tenant, *c.Picture, firstTry) {
			return "", err
		}
	}
	a.log.WarnContext(ctx, "send without picture", "err", err)
	return "", nil
}

// withPicture shows a card by calling send with the id of its picture's file.
// A message that is refused with its picture is tried again some times, in
// case that Slack has not worked off the file yet, and then without.
func (a *Adapter) withPicture(
	ctx context.Context, tenant string, c chat.Card, firstTry time.Time, send func(file string) error,
) error {
	file, err := a.picture(ctx, tenant, c, firstTry)
	if err != nil {
		return err
	}
	err = send(file)
	var d *core.DeliveryError
	if file == "" || !errors.As(err, &d) || d.Code != "invalid_blocks" {
		return err
	}
	if a.refusePicture(tenant, *c.Picture, firstTry) {
		return &core.DeliveryError{Class: core.Temporary, Code: "file_not_ready", Err: d.Err}
	}
	a.log.WarnContext(ctx, "send without picture", "err", err)
	return send("")
}

// pictureBlock shows an uploaded picture
// (https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object).
func pictureBlock(file string, p chat.Picture) slackapi.Block {
	return slackapi.NewImageBlockSlackFile(&slackapi.SlackFileObject{ID: file}, altText(chat.Image{Alt: p.Alt}), "", nil)
}
