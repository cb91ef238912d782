package openbadges

import (
	"crypto/md5"  //nolint:gosec // Open Badges 2.0 allows MD5 for hashed identities; nothing secret depends on it.
	"crypto/sha1" //nolint:gosec // So does 0.5 SHA-1.
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// bareHashForm is a hash without the name of its algorithm, as some badges
// of version 3.0 carry it.
var bareHashForm = regexp.MustCompile(`^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{32})$`)

// identityMatches compares an identity with an address: hashed with the salt
// behind it, or plain. Whether issuers write addresses in lower case before
// they hash is not defined, so the address is tried as typed, in lower case,
// and with the domain alone in lower case.
func identityMatches(identity, salt, address string, hashed bool) bool {
	if identity == "" {
		return false
	}
	for _, candidate := range spellings(address) {
		if !hashed {
			if strings.EqualFold(strings.TrimPrefix(identity, "mailto:"), candidate) {
				return true
			}
			continue
		}
		algorithm, sum, named := strings.Cut(identity, "$")
		if !named {
			algorithm, sum = "sha256", identity
			if len(identity) == md5.Size*2 {
				algorithm = "md5"
			}
		}
		var own []byte
		switch strings.ToLower(algorithm) {
		case "sha256":
			h := sha256.Sum256([]byte(candidate + salt))
			own = h[:]
		case "md5":
			h := md5.Sum([]byte(candidate + salt)) //nolint:gosec // See the import.
			own = h[:]
		case "sha1":
			h := sha1.Sum([]byte(candidate + salt)) //nolint:gosec // See the import.
			own = h[:]
		default:
			return false
		}
		if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(own)), []byte(strings.ToLower(sum))) == 1 {
			return true
		}
	}
	return false
}

func spellings(address string) []string {
	address = strings.TrimPrefix(strings.TrimSpace(address), "mailto:")
	list := []string{address, strings.ToLower(address)}
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		list = append(list, address[:at]+strings.ToLower(address[at:]))
	}
	return list
}

// recipient2 compares the recipient of an assertion with the address that
// was asked about.
func (s *session) recipient2(a map[string]any) {
	recipient := object(a["recipient"])
	if s.recipient == "" {
		s.r.skip(core.CheckRecipient, "no address was asked about")
		return
	}
	s.compareIdentity(identityMatches(text(recipient["identity"]), text(recipient["salt"]), s.recipient, isTrue(recipient["hashed"])))
}

// compareIdentity writes down whether the address fits.
func (s *session) compareIdentity(fits bool) {
	if fits {
		s.r.pass(core.CheckRecipient, "issued to the address asked about")
		return
	}
	s.r.fail(core.CheckRecipient, core.VerdictOtherRecipient, "not issued to the address asked about")
}
