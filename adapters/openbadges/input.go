package openbadges

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// link verifies what lies behind a link.
func (s *session) link(raw string) {
	address := unbroken(badgeAddress(s.v.pages, raw))
	switch {
	case address == "":
		s.r.fail(core.CheckInput, core.VerdictMalformed, "nothing was given")
		return
	case looksLikeToken(address):
		s.token(address, s.r)
		return
	case !isURL(address):
		s.r.fail(core.CheckInput, core.VerdictMalformed, "not a web address")
		return
	case !s.hop():
		s.r.fail(core.CheckInput, core.VerdictUnreachable, "the badge leads from address to address")
		return
	}
	if u, err := url.Parse(address); err == nil {
		u.Fragment, u.RawFragment = "", ""
		address = u.String()
	}
	resp, err := s.get(address, core.MaxBadgeFileBytes, acceptBadge)
	if err != nil {
		s.r.fail(core.CheckInput, core.VerdictUnreachable, "nothing came from the link: "+why(err))
		return
	}
	if !resp.OK() && resp.Status != http.StatusGone {
		s.r.fail(core.CheckInput, core.VerdictUnreachable, "nothing came from the link: "+why(&fetch.StatusError{Status: resp.Status}))
		return
	}
	if resp.Status == http.StatusGone || startsObject(resp.Body) {
		s.hosted(address, &resp)
		return
	}
	s.content(&resp)
}

// content verifies what came from an address and is no JSON.
func (s *session) content(resp *fetch.Response) {
	if !s.hop() {
		s.r.fail(core.CheckInput, core.VerdictUnreachable, "the badge leads from place to place")
		return
	}
	s.file(resp.Body)
}

func startsObject(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
}

// file verifies a picture, a JSON document or a token.
func (s *session) file(data []byte) {
	switch {
	case bytes.HasPrefix(data, pngSignature):
		baked, err := unbakePNG(data)
		s.unbaked(baked, err)
	case startsObject(data):
		s.text(string(data))
	case looksLikeSVG(data):
		baked, err := unbakeSVG(data)
		s.unbaked(baked, err)
	default:
		s.text(string(data))
	}
}

// unbaked goes on with what was found inside a picture.
func (s *session) unbaked(baked string, err error) {
	if err != nil {
		s.r.fail(core.CheckInput, core.VerdictMalformed, err.Error())
		return
	}
	s.r.pass(core.CheckInput, "the picture holds a badge")
	s.text(baked)
}

// text verifies a JSON document, a token or an address.
func (s *session) text(text string) {
	text = unbroken(strings.TrimSpace(strings.TrimPrefix(text, "\ufeff")))
	switch {
	case len(text) > maxDocumentBytes:
		s.r.fail(core.CheckInput, core.VerdictMalformed, "the badge is larger than 1 MB")
	case strings.HasPrefix(text, "{"):
		doc, err := parseObject([]byte(text), maxDocumentBytes)
		if err != nil {
			s.r.fail(core.CheckInput, core.VerdictMalformed, err.Error())
			return
		}
		s.document2or3(doc)
	case looksLikeToken(text):
		s.token(text, s.r)
	case isURL(text):
		s.link(text)
	default:
		s.r.fail(core.CheckInput, core.VerdictMalformed, "there is no badge in it")
	}
}

// document2or3 goes on with a JSON document that was handed in.
func (s *session) document2or3(doc map[string]any) {
	if isCredential(doc) {
		s.document3(doc, s.r)
		return
	}
	version := version2(doc)
	a := upgraded(doc, "Assertion", "")
	switch {
	case version == "":
		s.r.fail(core.CheckFormat, core.VerdictMalformed, "the context is not that of Open Badges")
	case version == version05:
		s.r.noProof("a badge of Open Badges 0.5 can be verified at its address only")
	case notIssued(a) != "":
		s.r.fail(core.CheckFormat, core.VerdictMalformed, notIssued(a))
	case isSigned(a):
		s.describe(a, nil, nil, version)
		s.r.noProof("a signed badge without its signature")
	case isOther(a):
		s.describe(a, nil, nil, version)
		s.r.noProof(otherKind)
	case !isURL(id(a)):
		if b := checkAssertion(a); b != "" {
			s.r.fail(core.CheckFormat, core.VerdictMalformed, b)
			return
		}
		s.r.noProof("nothing says where the badge is hosted")
	default:
		// Only the address counts: what was handed in proves nothing.
		s.hosted(id(a), nil)
	}
}
