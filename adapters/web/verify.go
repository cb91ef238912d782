package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// How much is verified. Of each client (see clientOf) ten at once are taken
// as soon as they come, then one every three seconds.
const (
	verifyEvery = 3 * time.Second
	verifyBurst = 10
	// verifiesAtOnce of all clients, verifiesOfOne of one.
	verifiesAtOnce, verifiesOfOne = 16, 4
	// uploadsAtOnce files are held in memory, of one client uploadsOfOne.
	uploadsAtOnce, uploadsOfOne = 8, 2
	// refusedBytes is how much of a body that is too large is read and
	// forgotten, so that the browser gets to the sentence about it.
	refusedBytes = 32 << 20
	// verdictWithin bounds a verification with its picture, from when the form
	// has come, pictureWait what of that may go to the picture.
	verdictWithin = 10 * time.Second
	pictureWait   = 3 * time.Second
)

// verifying is what the page /verify needs.
type verifying struct {
	verifier core.Verifier
	pictures core.VerdictPictures
	proxies  proxies
	turns    *turns
	uploads  *gate
	running  *gate
}

func newVerifying(c Config) verifying {
	known := proxies(c.TrustedProxies)
	if known == nil {
		known = PrivateNetworks()
	}
	return verifying{
		proxies:  known,
		verifier: c.Verifier, pictures: c.VerdictPictures, turns: newTurns(c.Clock, verifyEvery, verifyBurst),
		uploads: newGate(uploadsAtOnce, uploadsOfOne), running: newGate(verifiesAtOnce, verifiesOfOne),
	}
}

// verifyRoutes registers /verify and /v/….
func (p *Pages) verifyRoutes(mux *http.ServeMux) {
	mux.Handle("/v/{token}", p.route("verdict_picture", p.verdictPicture, nil))
	mux.Handle("/verify", p.serve("verify", func(_ context.Context, w http.ResponseWriter, r *http.Request) answer {
		a := p.answerVerify(w, r)
		if wantsJSON(r) {
			a = inJSON(a)
		}
		if a.header == nil {
			a.header = http.Header{}
		}
		a.header.Set("Vary", "Accept, Accept-Language")
		return a
	}))
}

func (p *Pages) answerVerify(w http.ResponseWriter, r *http.Request) answer {
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		// A link fills in the form and does no more: it may come from
		// anybody, and is followed by previews and scanners.
		return p.verifyForm(r, http.StatusOK, typedLink(meantLink(r.URL.Query().Get(fieldBadgeLink))), "")
	case r.Method != http.MethodPost:
		return p.notAllowed(r, true)
	case !p.fromHere(r):
		return p.fromElsewhere(r)
	}
	client := p.verify.proxies.clientOf(r)
	if !p.verify.turns.take(client) {
		return p.verifyBusy(r, http.StatusTooManyRequests, "web.verify.often")
	}
	switch {
	case r.ContentLength < 0:
		return p.verifyForm(r, http.StatusLengthRequired, "", "web.verify.wrong.form")
	case r.ContentLength > maxVerifyBody:
		_, _ = io.CopyN(io.Discard, r.Body, refusedBytes)
		return p.verifyForm(r, http.StatusRequestEntityTooLarge, "", "web.verify.wrong.large")
	case r.ContentLength > smallBody:
		leave, ok := p.verify.uploads.enter(client)
		if !ok {
			return p.verifyBusy(r, http.StatusServiceUnavailable, "web.verify.busy")
		}
		defer leave()
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxVerifyBody)
	asked, err := readAsked(r)
	if err != nil {
		return p.verifyRefused(r, asked, err)
	}
	leave, ok := p.verify.running.enter(client)
	if !ok {
		return p.verifyBusy(r, http.StatusServiceUnavailable, "web.verify.busy")
	}
	defer leave()
	return p.verdict(r, asked)
}

// verdict verifies, and shows what came of it. Its time begins when the form
// has come.
func (p *Pages) verdict(r *http.Request, a asked) answer {
	ctx, cancel := context.WithTimeout(r.Context(), verdictWithin)
	defer cancel()
	v := p.verify.verifier.Verify(ctx, a.query)
	if wantsJSON(r) {
		body, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return p.failed(r, err)
		}
		return answer{status: http.StatusOK, mime: "application/json; charset=utf-8", body: append(body, '\n')}
	}
	var png []byte
	if v.Achievement.Image != "" {
		ctx, cancel := context.WithTimeout(ctx, pictureWait)
		defer cancel()
		// The verdict does not depend on it.
		png, _ = p.verify.pictures.VerdictPicture(ctx, v.Achievement.Image)
	}
	return answer{status: http.StatusOK, view: p.verdictView(r, a, v, png)}
}

// verifyForm is the empty form, or what is wrong with what was given.
func (p *Pages) verifyForm(r *http.Request, status int, typed, wrong string) answer {
	v := &view{
		page: "verify", words: p.words(r, ""), TitleID: "web.verify.title", TextID: "web.verify.lead",
		Typed: typed, WrongID: wrong, Verify: &verifyView{MaxBytes: core.MaxBadgeFileBytes},
	}
	a := answer{status: status, view: v}
	if wrong != "" {
		a.refused = strings.TrimPrefix(wrong, "web.verify.wrong.")
	}
	return a
}

func (p *Pages) verifyRefused(r *http.Request, a asked, err error) answer {
	switch {
	case errors.Is(err, errTooLarge):
		return p.verifyForm(r, http.StatusRequestEntityTooLarge, "", "web.verify.wrong.large")
	case errors.Is(err, errKind):
		return p.verifyForm(r, http.StatusUnsupportedMediaType, "", "web.verify.wrong.form")
	case errors.Is(err, errEmpty):
		return p.verifyForm(r, http.StatusUnprocessableEntity, "", "web.verify.wrong.empty")
	case errors.Is(err, errAddress):
		return p.verifyForm(r, http.StatusUnprocessableEntity, a.typed, "web.verify.wrong.address")
	}
	return p.verifyForm(r, http.StatusBadRequest, "", "web.verify.wrong.form")
}

func (p *Pages) verifyBusy(r *http.Request, status int, sentence string) answer {
	a := p.verifyForm(r, status, "", sentence)
	a.retry, a.refused = retryAfter, "too many"
	return a
}

// wantsJSON reports whether a program asks: it names JSON, and no page.
func wantsJSON(r *http.Request) bool {
	named := false
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		kind, _, err := mime.ParseMediaType(part)
		switch {
		case err != nil:
		case kind == "text/html":
			return false
		case kind == "application/json":
			named = true
		}
	}
	return named
}

// inJSON says in JSON what a page would say.
func inJSON(a answer) answer {
	if a.view == nil {
		return a
	}
	said := a.view.TextID
	if a.view.WrongID != "" {
		said = a.view.WrongID
	}
	// Two texts cannot fail to be encoded.
	a.body, _ = json.Marshal(map[string]string{"error": a.view.T(said)})
	a.body = append(a.body, '\n')
	a.view, a.mime = nil, "application/json; charset=utf-8"
	return a
}
