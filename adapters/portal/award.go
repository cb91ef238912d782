package portal

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/laurelbot/laurel/core"
)

// Limits of what the certification body's system may say, in runes where
// people write and in bytes where machines do.
const (
	maxAwardID     = 100
	maxTemplateID  = 64
	maxName        = 100
	maxLocale      = 35
	maxCertificate = 100
	maxLink        = 2048
	maxReason      = 500
)

// Names of the fields of an award, the same in events and in files.
const (
	fieldAwardID           = "award_id"
	fieldEmail             = "email"
	fieldFirstName         = "first_name"
	fieldLastName          = "last_name"
	fieldLocale            = "locale"
	fieldTemplateID        = "badge_template_id"
	fieldIssuedAt          = "issued_at"
	fieldExpiresAt         = "expires_at"
	fieldCertificateNumber = "certificate_number"
	fieldCertificateURL    = "certificate_url"
)

// FieldError says what is wrong with one field. It never repeats the value,
// which may be personal.
type FieldError struct {
	Field, Reason string
}

// Error names the field and the reason.
func (e *FieldError) Error() string { return e.Field + " " + e.Reason }

// rawAward holds an award as it was written.
type rawAward struct {
	awardID, email, firstName, lastName, locale, templateID string
	issuedAt, expiresAt, certificateNumber, certificateURL  string
}

// parse checks every field and returns the award and all that is wrong.
func (r rawAward) parse() (core.Award, []*FieldError) {
	var wrong []*FieldError
	check := func(field, reason string) {
		if reason != "" {
			wrong = append(wrong, &FieldError{field, reason})
		}
	}
	var a core.Award
	var reason string
	a.AwardID, reason = parseAwardID(r.awardID)
	check(fieldAwardID, reason)
	a.Recipient, reason = parseAddress(r.email)
	check(fieldEmail, reason)
	a.FirstName, reason = parseName(r.firstName)
	check(fieldFirstName, reason)
	a.LastName, reason = parseName(r.lastName)
	check(fieldLastName, reason)
	a.Locale, reason = parseLocale(r.locale)
	check(fieldLocale, reason)
	a.TemplateID, reason = parseTemplateID(r.templateID)
	check(fieldTemplateID, reason)
	a.IssuedAt, reason = parseTime(r.issuedAt, true)
	check(fieldIssuedAt, reason)
	a.ExpiresAt, reason = parseTime(r.expiresAt, false)
	if reason == "" && !a.ExpiresAt.IsZero() && !a.ExpiresAt.After(a.IssuedAt) {
		reason = "is not after issued_at"
	}
	check(fieldExpiresAt, reason)
	a.Certificate.Number, reason = parseText(r.certificateNumber, maxCertificate)
	check(fieldCertificateNumber, reason)
	a.Certificate.URL, reason = parseLink(r.certificateURL)
	check(fieldCertificateURL, reason)
	return a, wrong
}

// parseText takes one line of readable text; every parser returns the value
// or the reason for refusing it.
func parseText(s string, limit int) (value, reason string) {
	s = strings.TrimSpace(s)
	switch {
	case !utf8.ValidString(s) || strings.ContainsRune(s, unicode.ReplacementChar):
		return "", "has damaged characters"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", "has control characters"
	case utf8.RuneCountInString(s) > limit:
		return "", fmt.Sprintf("is longer than %d characters", limit)
	}
	return s, ""
}

func required(s, wrong string) (value, reason string) {
	if wrong == "" && s == "" {
		wrong = "is missing"
	}
	return s, wrong
}

func parseName(s string) (value, reason string) { return required(parseText(s, maxName)) }

// parseAwardID refuses what lists of ids are separated with, since the id is
// handed on to the provider.
func parseAwardID(s string) (value, reason string) {
	s, reason = required(parseText(s, maxAwardID))
	if reason == "" && (strings.ContainsAny(s, ",|") || strings.Contains(s, "::")) {
		return "", `has a comma, "|" or "::"`
	}
	return s, reason
}

func parseTemplateID(s string) (value, reason string) {
	s, reason = required(parseText(s, maxTemplateID))
	outside := func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
	}
	if reason == "" && strings.ContainsFunc(s, outside) {
		return "", "has other characters than letters, digits, - and _"
	}
	return s, reason
}

func parseAddress(s string) (address core.Email, reason string) {
	if strings.TrimSpace(s) == "" {
		return core.Email{}, "is missing"
	}
	address, err := core.ParseEmail(s)
	if err != nil {
		return core.Email{}, "is not an e-mail address"
	}
	return address, ""
}

func parseLocale(s string) (locale, reason string) {
	s, reason = parseText(s, maxLocale)
	if s == "" || reason != "" {
		return "", reason
	}
	tag, err := language.Parse(s)
	if err != nil {
		return "", "is not a language tag"
	}
	return tag.String(), ""
}

// parseTime takes RFC 3339 and dates, which mean midnight UTC.
func parseTime(s string, must bool) (at time.Time, reason string) {
	s = strings.TrimSpace(s)
	if s == "" {
		if must {
			return time.Time{}, "is missing"
		}
		return time.Time{}, ""
	}
	if len(s) > len("2006-01-02T15:04:05.999999999+00:00") {
		return time.Time{}, "is not a time"
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		at, err = time.Parse(time.DateOnly, s)
	}
	if err != nil {
		return time.Time{}, "is neither a date (2006-01-02) nor an RFC 3339 time"
	}
	if at = at.UTC(); at.Year() < 1970 || at.Year() > 2199 {
		return time.Time{}, "lies outside 1970 to 2199"
	}
	return at, ""
}

func parseLink(s string) (link, reason string) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", ""
	}
	if len(s) > maxLink {
		return "", fmt.Sprintf("is longer than %d characters", maxLink)
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil ||
		!utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsSpace) {
		return "", "is not a web address"
	}
	return s, ""
}
