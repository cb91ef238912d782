package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// Fields of the form, and bounds of what is sent with it, in bytes.
const (
	fieldBadgeLink = "badge"
	fieldFile      = "file"
	fieldRecipient = "recipient"
	// maxAsked bounds what is pasted: a link, or a whole token.
	maxAsked = 1 << 20
	// maxRecipient is the longest e-mail address (RFC 3696, erratum 1690),
	// with some room.
	maxRecipient = 320
	// maxVerifyBody leaves room for the form around the largest file.
	maxVerifyBody = core.MaxBadgeFileBytes + 64<<10
	// smallBody is what is read without waiting for a place: it holds a link.
	smallBody = 16 << 10
	// maxParts bounds the parts of a form: it has three fields.
	maxParts = 16
)

// Why a form was not read. The errors repeat nothing of it.
var (
	errKind     = errors.New("not a form")
	errForm     = errors.New("form cannot be read")
	errTooLarge = errors.New("form too large")
	errEmpty    = errors.New("nothing was given")
	errAddress  = errors.New("not an e-mail address")
)

// asked is what somebody wants verified.
type asked struct {
	query core.BadgeQuery
	// typed is the link, to be shown in the form again; empty where something
	// else was given.
	typed string
	// file says that a file was given.
	file bool
}

// readAsked reads the form from a body of known length, which it keeps in
// memory and nowhere else. Names of files are not looked at.
func readAsked(r *http.Request) (asked, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return asked{}, errKind
	}
	body := io.LimitReader(r.Body, maxVerifyBody)
	var a asked
	switch kind {
	case "application/x-www-form-urlencoded":
		err = a.readPlain(body)
	case "multipart/form-data":
		err = a.readParts(body, params["boundary"], r.ContentLength)
	default:
		return asked{}, errKind
	}
	if err != nil {
		return asked{}, err
	}
	return a, a.settle()
}

func (a *asked) readPlain(body io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(body, 2*maxAsked))
	if err != nil {
		return errForm
	}
	if len(raw) == 2*maxAsked {
		return errTooLarge
	}
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return errForm
	}
	a.query.Link, a.query.Recipient = values.Get(fieldBadgeLink), values.Get(fieldRecipient)
	return nil
}

// readParts reads the fields as they come. The first of each counts.
func (a *asked) readParts(body io.Reader, boundary string, length int64) error {
	// https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1
	if boundary == "" || len(boundary) > 70 {
		return errForm
	}
	form := multipart.NewReader(body, boundary)
	seen := map[string]bool{}
	for range maxParts {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errForm
		}
		name := part.FormName()
		if seen[name] {
			continue
		}
		seen[name] = true
		switch name {
		case fieldBadgeLink:
			err = readText(part, maxAsked, &a.query.Link)
		case fieldRecipient:
			err = readText(part, maxRecipient, &a.query.Recipient)
		case fieldFile:
			a.query.File, err = readFile(part, length)
		}
		if err != nil {
			return err
		}
	}
	return errForm
}

func readText(from io.Reader, limit int64, to *string) error {
	raw, err := io.ReadAll(io.LimitReader(from, limit+1))
	switch {
	case err != nil:
		return errForm
	case int64(len(raw)) > limit:
		return errTooLarge
	}
	*to = string(raw)
	return nil
}

// readFile takes no more memory than the body has bytes.
func readFile(from io.Reader, length int64) ([]byte, error) {
	file := bytes.NewBuffer(make([]byte, 0, min(max(length, 0), maxVerifyBody)+bytes.MinRead))
	_, err := file.ReadFrom(io.LimitReader(from, core.MaxBadgeFileBytes+1))
	switch {
	case err != nil:
		return nil, errForm
	case file.Len() > core.MaxBadgeFileBytes:
		return nil, errTooLarge
	}
	return file.Bytes(), nil
}

// settle decides what is verified: a file goes before a link, and a document
// that was pasted is as good as a file.
func (a *asked) settle() error {
	q := &a.query
	q.Link, q.Recipient = strings.TrimSpace(q.Link), strings.TrimSpace(q.Recipient)
	switch {
	case len(q.File) > 0:
		a.file, q.Link = true, ""
	case strings.HasPrefix(q.Link, "{") || strings.HasPrefix(q.Link, "<"):
		q.File, q.Link = []byte(q.Link), ""
	case q.Link == "":
		return errEmpty
	default:
		q.Link = meantLink(q.Link)
		a.typed = typedLink(q.Link)
	}
	if q.Recipient == "" {
		return nil
	}
	if len(q.Recipient) > maxRecipient {
		return errAddress
	}
	if _, err := core.ParseEmail(q.Recipient); err != nil {
		return errAddress
	}
	return nil
}

// meantLink is the link in what somebody typed, who may have left out its scheme
// or taken words along; what holds none stays as it is.
func meantLink(s string) string {
	if link := chat.LinkIn(s); link != "" {
		return link
	}
	return s
}

// maxTyped is how much of a link is shown again, in bytes.
const maxTyped = 2000

// typedLink returns a link to be shown in the form, or "" for what is none.
func typedLink(s string) string {
	lower := strings.ToLower(s)
	if len(s) > maxTyped || !utf8.ValidString(s) || !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") {
		return ""
	}
	return cleanTyped(s, maxTyped)
}
