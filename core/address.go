package core

import (
	"errors"
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Limits of an e-mail address in octets (RFC 5321, section 4.5.3.1,
// https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1).
const (
	MaxAddressBytes = 254
	maxLocalBytes   = 64
)

// ErrBadAddress says that a text is not an e-mail address that mail can be
// sent to.
var ErrBadAddress = errors.New("not an e-mail address")

// domains are read as for looking them up (IDNA 2008), and with the limits of
// the DNS: no label is empty or longer than 63 octets
// (https://www.rfc-editor.org/rfc/rfc1034#section-3.1).
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.VerifyDNSLength(true))

// Email is an e-mail address: as it was typed, and in the form in which two
// addresses are compared.
type Email struct {
	// Shown is the address as the person or the certification body wrote it,
	// without surrounding space.
	Shown string
	// Normal is the compared form: the local part in Unicode NFC, folded to
	// one case; the domain in ASCII (IDNA 2008).
	Normal string
}

// IsZero reports whether there is no address.
func (e Email) IsZero() bool { return e.Normal == "" }

// ParseEmail reads one bare e-mail address, international ones included
// (RFC 6532). Display names, several addresses, domains without a dot and
// control characters are refused with [ErrBadAddress].
func ParseEmail(s string) (Email, error) {
	shown := strings.TrimSpace(s)
	shown = strings.TrimSuffix(strings.TrimPrefix(shown, "<"), ">")
	if len(shown) > 4*MaxAddressBytes || strings.ContainsFunc(shown, unprintable) {
		return Email{}, ErrBadAddress
	}
	parsed, err := mail.ParseAddress(shown)
	if err != nil || parsed.Name != "" || parsed.Address != shown {
		return Email{}, ErrBadAddress
	}
	at := strings.LastIndexByte(shown, '@')
	local, domain := shown[:at], shown[at+1:]
	ascii, err := domains.ToASCII(domain)
	// The dot may have been written as another one, which becomes one here.
	ascii = strings.TrimSuffix(ascii, ".")
	if err != nil || !strings.Contains(ascii, ".") {
		return Email{}, ErrBadAddress
	}
	normal := norm.NFC.String(cases.Fold().String(norm.NFC.String(local))) + "@" + ascii
	if len(local) > maxLocalBytes || len(normal) > MaxAddressBytes {
		return Email{}, ErrBadAddress
	}
	return Email{Shown: shown, Normal: normal}, nil
}

func unprintable(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
}
