package mail

import (
	"encoding/base64"
	"errors"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/wneessen/go-mail"

	"github.com/laurelbot/laurel/core"
)

// mailID is what may stand before the @ of a Message-ID.
var mailID = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,98}[A-Za-z0-9])?$`)

// languageTag is what may stand in Content-Language.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

// message makes the mail and returns the address it goes to. What could end a
// header line early is refused, not mended.
func (m *Mailer) message(in core.Mail) (*mail.Msg, string, error) {
	email, err := core.ParseEmail(in.To.Shown)
	if err != nil || email.Normal != in.To.Normal {
		return nil, "", errors.Join(core.ErrBadAddress, core.ErrMailRefused)
	}
	if !mailID.MatchString(in.ID) || strings.Contains(in.ID, "..") {
		return nil, "", errors.New("its id cannot be part of a Message-ID")
	}
	if strings.ContainsFunc(in.Subject, unprintable) {
		return nil, "", errors.New("its subject has control characters")
	}
	to := wireAddress(email)
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&netmail.Address{Name: m.from.name, Address: m.from.address})
	msg.ToMailAddress(&netmail.Address{Address: to})
	msg.Subject(literal(in.Subject))
	msg.SetDate()
	msg.SetMessageIDWithValue(in.ID + "@" + m.from.domain)
	// RFC 3834, section 5: nobody's vacation notice shall answer.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader(mail.HeaderXAutoResponseSuppress, "All")
	if languageTag.MatchString(in.Locale) {
		msg.SetGenHeader(mail.HeaderContentLang, in.Locale)
	}
	msg.SetBodyString(mail.TypeTextPlain, in.Text)
	if in.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, in.HTML)
	}
	return msg, to, nil
}

// literal protects a subject of ASCII characters that looks like an encoded
// word (RFC 2047, section 2) from being decoded: the library encodes only what
// is not ASCII.
func literal(subject string) string {
	if !isASCII(subject) || !strings.Contains(subject, "=?") {
		return subject
	}
	// An encoded word has at most 75 characters.
	const most = 45
	var words []string
	for part := range slices.Chunk([]byte(subject), most) {
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString(part)+"?=")
	}
	return strings.Join(words, " ")
}

func unprintable(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}
