package openbadges

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// maxStatuses is how many states of one badge are looked up.
const maxStatuses = 4

// status judges whether a credential was taken back. Lists are fetched each
// time. A state of an unknown kind is never taken for a good one.
func (s *session) status(doc map[string]any, by *method, r *report) {
	entries := each(doc["credentialStatus"])
	if len(entries) > maxStatuses {
		r.fail(core.CheckRevocation, core.VerdictUnknown, "it names too many states")
		return
	}
	var wait sync.WaitGroup
	revocable := false
	for _, v := range entries {
		entry, ok := v.(map[string]any)
		switch {
		case !ok:
			r.fail(core.CheckRevocation, core.VerdictUnknown, "its state cannot be read")
		case isA(entry, "1EdTechRevocationList"):
			revocable = true
			s.beside(&wait, r, func() { s.revokedCredentials(doc, entry, r) })
		case !isA(entry, "BitstringStatusListEntry", "StatusList2021Entry"):
			r.fail(core.CheckRevocation, core.VerdictUnknown, "its state is of a kind that is not known")
		case isOtherPurpose(text(entry["statusPurpose"])):
			r.skip(core.CheckRevocation, "a state for another purpose than revocation")
		default:
			revocable = true
			s.beside(&wait, r, func() { s.statusBit(entry, by, r) })
		}
	}
	if !revocable {
		r.pass(core.CheckRevocation, "the badge names no place where it could be revoked")
	}
	wait.Wait()
}

// isOtherPurpose reports whether a state says nothing about whether a badge
// holds: https://www.w3.org/TR/vc-bitstring-status-list/#bitstringstatuslistentry
func isOtherPurpose(purpose string) bool { return purpose == "refresh" || purpose == "message" }

// revokedCredentials looks a credential up in a list of 1EdTech:
// https://www.imsglobal.org/spec/vccs/v1p0/
func (s *session) revokedCredentials(doc, entry map[string]any, r *report) {
	list, _, err := s.document(id(entry), maxListBytes)
	if err != nil {
		r.fail(core.CheckRevocation, core.VerdictUnreachable, "the list of revoked badges did not come: "+why(err))
		return
	}
	revoked, there := list["revokedCredential"]
	if !there {
		if revoked, there = list["revokedCredentials"]; !there {
			r.fail(core.CheckRevocation, core.VerdictUnknown, "the list of revoked badges cannot be read")
			return
		}
	}
	mine := fold(id(doc)) // Once: it may be long, and the list as well.
	for _, v := range each(revoked) {
		if own := text(v); own != "" && fold(own) == mine {
			r.fail(core.CheckRevocation, core.VerdictRevoked, "its issuer lists it as revoked")
			return
		}
		e, ok := v.(map[string]any)
		if !ok || id(e) == "" || fold(id(e)) != mine {
			continue
		}
		// Listed without a word is revoked.
		if flag, said := e["revoked"]; said && flag == any(false) {
			continue
		}
		r.revoked("its issuer lists it as revoked", e)
		return
	}
	r.pass(core.CheckRevocation, "its issuer does not list it as revoked")
}

// statusBit looks a credential up in a list of bits:
// https://www.w3.org/TR/vc-bitstring-status-list/#validate-algorithm
func (s *session) statusBit(entry map[string]any, by *method, r *report) {
	purpose := text(entry["statusPurpose"])
	index, ok := listIndex(entry["statusListIndex"])
	if !ok || purpose != "revocation" && purpose != "suspension" {
		r.fail(core.CheckRevocation, core.VerdictUnknown, "its state cannot be read")
		return
	}
	if size, said := entry["statusSize"]; said && size != any(1.0) {
		r.fail(core.CheckRevocation, core.VerdictUnknown, "its state has more than one bit")
		return
	}
	list, status, detail := s.statusList(text(entry["statusListCredential"]), by, purpose)
	if status != "" {
		r.fail(core.CheckRevocation, status, detail)
		return
	}
	set, err := bit(list, index)
	switch {
	case err != nil:
		r.fail(core.CheckRevocation, core.VerdictUnknown, err.Error())
	case set && purpose == "suspension":
		r.fail(core.CheckRevocation, core.VerdictRevoked, "its issuer suspended it")
	case set:
		r.fail(core.CheckRevocation, core.VerdictRevoked, "its issuer revoked it")
	default:
		r.pass(core.CheckRevocation, "its issuer's list does not call it "+purpose)
	}
}

func listIndex(v any) (int64, bool) {
	switch v := v.(type) {
	case float64:
		if v != float64(int64(v)) || v < 0 || v >= maxListBits {
			return 0, false
		}
		return int64(v), true
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil && n >= 0 && n < maxListBits
	}
	return 0, false
}

// statusList fetches a list and verifies it as the credential that it is:
// its proof, its dates, its purpose, and that the key is its issuer's.
func (s *session) statusList(address string, by *method, purpose string) (encoded string, status core.VerdictStatus, detail string) {
	if !isURL(address) {
		return "", core.VerdictUnknown, "the list of states has no web address"
	}
	resp, err := s.get(address, maxListBytes, acceptBadge)
	if err == nil && !resp.OK() {
		err = &fetch.StatusError{Status: resp.Status}
	}
	if err != nil {
		return "", core.VerdictUnreachable, "the list of states did not come: " + why(err)
	}
	doc, p, ok := s.readCredential(resp.Body, maxListBytes)
	if !ok {
		return "", core.VerdictUnknown, "the list of states cannot be read"
	}
	if p.finding != proofFits {
		return "", core.VerdictUnknown, "the list of states is not proven: " + p.detail
	}
	if !sameKey(p.by.key, by.key) {
		// Another may keep the list, if it is shown who that is.
		if ok, why := s.stands(ref(doc["issuer"]), p); !ok {
			return "", core.VerdictUnknown, "whose list of states it is could not be confirmed: " + why
		}
	}
	return s.readStatusList(doc, purpose)
}

func (s *session) readStatusList(doc map[string]any, purpose string) (encoded string, status core.VerdictStatus, detail string) {
	from, until := dates(doc)
	if t, err := parseTime(text(from)); from != nil && (err != nil || t.After(s.now)) {
		return "", core.VerdictUnknown, "the list of states is not valid yet"
	}
	if t, err := parseTime(text(until)); until != nil && (err != nil || !t.After(s.now)) {
		return "", core.VerdictUnknown, "the list of states expired"
	}
	subject := object(doc["credentialSubject"])
	switch {
	case !isA(doc, "BitstringStatusListCredential", "StatusList2021Credential"),
		!isA(subject, "BitstringStatusList", "StatusList2021"):
		return "", core.VerdictUnknown, "the list of states is of a kind that is not known"
	case !slices.Contains(texts(subject["statusPurpose"]), purpose):
		return "", core.VerdictUnknown, "the list of states is kept for another purpose"
	}
	return text(subject["encodedList"]), "", ""
}

// Bounds of a list of bits: the least that hides who is looked up, and more
// than anybody publishes.
const (
	minListBits = 131_072
	maxListBits = 1 << 27
)

var errList = errors.New("the list of states cannot be read")

// bit reads one bit of a list: multibase base64url of gzip, the first bit of
// each byte being the most significant. It is unpacked only so far as needed,
// and nothing of it is kept.
func bit(encoded string, index int64) (bool, error) {
	// Drafts had no multibase prefix.
	raw := strings.TrimRight(strings.TrimPrefix(encoded, "u"), "=")
	packed, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil || encoded == "" {
		return false, errList
	}
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return false, errList
	}
	var buf [4096]byte
	var found byte
	at, need := int64(0), max(index/8+1, minListBits/8)
	for at < need {
		n, err := plain.Read(buf[:min(int64(len(buf)), need-at)])
		if offset := index/8 - at; offset >= 0 && offset < int64(n) {
			found = buf[offset]
		}
		at += int64(n)
		if errors.Is(err, io.EOF) && at >= need {
			break
		}
		if err != nil {
			return false, errList
		}
	}
	return found&(1<<(7-index%8)) != 0, nil
}
