package openbadges

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// Forms of values, as Open Badges 2.0 defines its data types:
// https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/index.html#PrimitiveDatatypes
var (
	uuidForm   = regexp.MustCompile(`^(?i:urn:uuid:)[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	schemeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^` + "`" + `]+$`)
	emailForm  = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
	phoneForm  = regexp.MustCompile(`^\+?[1-9]\d{1,14}(;ext=\d+)?$`)
	// dataForm is a data URI, RFC 2397.
	dataForm = regexp.MustCompile(`^data:(?:[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)?(?:;[A-Za-z0-9=._+-]+)*,`)
	hashForm = regexp.MustCompile(`^(?:sha256\$[0-9a-fA-F]{64}|md5\$[0-9a-fA-F]{32})$`)
	// timeForm is ISO 8601 with a time zone, extended or basic, to the
	// minute or finer.
	timeForm = regexp.MustCompile(`^(\d{4})-?(\d{2})-?(\d{2})T(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,12}))?)?(Z|[+-]\d{2}(?::?\d{2})?)$`)
	// secondsForm is a number of seconds since 1970.
	secondsForm = regexp.MustCompile(`^\d{1,11}(?:\.\d{1,9})?$`)
	// originForm is a registered name with an optional port.
	originForm = regexp.MustCompile(`^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}(?::\d{1,5})?$`)
)

// isURL reports whether s is a web address.
func isURL(s string) bool {
	if strings.ContainsAny(s, " \t\r\n<>\"{}|\\^`") {
		return false
	}
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	scheme := strings.ToLower(u.Scheme)
	return (scheme == "http" || scheme == "https") && u.Hostname() != ""
}

// isIRI reports whether s is an identifier that Open Badges 2.0 takes: a web
// address, a UUID, or a node without a name.
func isIRI(s string) bool { return isURL(s) || uuidForm.MatchString(s) || strings.HasPrefix(s, "_:") }

// isURI reports whether s has the form of an absolute URI of any scheme.
func isURI(s string) bool { return schemeForm.MatchString(s) }

func isDataURI(s string) bool { return dataForm.MatchString(s) }

func isLanguage(s string) bool {
	_, err := language.Parse(s)
	var unknown language.ValueError
	// A well-formed tag that the tables do not know is a tag still.
	return err == nil || errors.As(err, &unknown)
}

// errNoTime says that a text is no ISO 8601 time with a zone.
var errNoTime = errors.New("not an ISO 8601 time with a zone")

// parseTime reads an ISO 8601 time with a zone.
func parseTime(s string) (time.Time, error) {
	m := timeForm.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, errNoTime
	}
	var n [6]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // Digits, or empty, which is zero.
	}
	nanos, _ := strconv.Atoi((m[7] + "000000000")[:9])
	zone := time.UTC
	if m[8] != "Z" {
		digits := strings.ReplaceAll(m[8][1:], ":", "") + "00"
		hours, _ := strconv.Atoi(digits[:2])
		minutes, _ := strconv.Atoi(digits[2:4])
		if hours > 23 || minutes > 59 {
			return time.Time{}, errNoTime
		}
		offset := hours*3600 + minutes*60
		if m[8][0] == '-' {
			offset = -offset
		}
		zone = time.FixedZone("", offset)
	}
	// 24:00:00 is the end of a day, 60 a leap second; time.Date rolls both on.
	midnight := n[3] == 24 && n[4] == 0 && n[5] == 0
	if n[1] < 1 || n[1] > 12 || n[2] < 1 || n[3] > 23 && !midnight || n[4] > 59 || n[5] > 60 ||
		n[2] > time.Date(n[0], time.Month(n[1]+1), 0, 0, 0, 0, 0, time.UTC).Day() {
		return time.Time{}, errNoTime
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], nanos, zone).UTC(), nil
}

// parseOldTime reads the times of Open Badges 0.5 and 1: seconds since 1970, a
// day, a month, or a time that may lack its zone.
func parseOldTime(v any) (time.Time, error) {
	switch v := v.(type) {
	case float64:
		if v < 0 || v > 1e11 {
			return time.Time{}, errNoTime
		}
		return time.Unix(int64(v), 0).UTC(), nil
	case string:
		if t, err := parseTime(v); err == nil {
			return t, nil
		}
		if t, err := parseTime(v + "Z"); err == nil {
			return t, nil
		}
		for _, form := range []string{time.DateOnly, "20060102", "2006-01"} {
			if t, err := time.Parse(form, v); err == nil {
				return t, nil
			}
		}
		if seconds, err := strconv.ParseFloat(v, 64); err == nil && secondsForm.MatchString(v) && seconds < 1e11 {
			return time.Unix(int64(seconds), 0).UTC(), nil
		}
	}
	return time.Time{}, errNoTime
}
