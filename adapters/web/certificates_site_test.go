package web

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	testCertToken     = testToken + ".0.20787"
	testCalendarToken = testToken + ".0"
	testCertPath      = "/c/" + testCertToken
)

// fakeCertificates takes the two tokens of the test.
type fakeCertificates struct {
	mu         sync.Mutex
	kept       core.Kept
	assertions []core.Assertion
	look       error
	looked     int
	// begun, if not nil, hears of each reading of assertions, which then waits
	// for hold.
	begun, hold chan struct{}
}

// days is a moment so many days after the tests take place.
func days(n int) time.Time { return begin().AddDate(0, 0, n) }

// evilName is what no export may let through as anything but a name.
const evilName = "=HYPERLINK(\"https://evil.example\")\r\nBEGIN:VEVENT\u2028\x00,;\\ \"><script>alert(1)</script>"

func newFakeCertificates() *fakeCertificates {
	own := func(id, name string, v core.Validity, stage core.Stage, number string, issued, expires time.Time, left int) core.Credential {
		c := core.Credential{
			ID: "0190f000-0000-7000-8000-00000000000" + id, ProviderID: "p" + id, Name: name, Issuer: "Example Body", Validity: v, Stage: stage,
			Certificate: core.Certificate{Number: number}, IssuedAt: issued, ExpiresAt: expires, Days: left,
		}
		if stage == core.StagePublic {
			c.PageURL, c.Picture = "https://www.credly.com/badges/p"+id, testToken
		}
		return c
	}
	none := time.Time{}
	f := &fakeCertificates{kept: core.Kept{
		At: begin(), Name: "Ada Example", Provider: "Credly", Page: testCertToken, Calendar: testCalendarToken, Elsewhere: core.ElsewhereListed,
		Own: []core.Credential{
			own("1", "Certified Example Professional, Foundation Level", core.ValidityExpiring, core.StagePublic, "EX-2021/007", days(-1796), days(30), 30),
			own("2", evilName, core.ValidityExpired, core.StageAccepted, "=1+1", days(-1900), days(-74), 74),
			own("3", "Führung & Größe", core.ValidityValid, core.StagePublic, "+49-17", days(-10), days(1816), 1816),
			own("4", "資格証明書", core.ValidityLasting, core.StageAccepted, "", days(-500), none, 0),
			own("5", "", core.ValidityWaiting, core.StagePending, "", days(-3), days(1823), 1823),
			own("6", "شهادة إدارة المشاريع", core.ValidityReplaced, core.StageReplaced, "@SUM(A1)", days(-3000), days(-1174), 1174),
			own("7", "Certified Gopher", core.ValidityRevoked, core.StageRevoked, "G-1", days(-40), days(400), 400),
		},
		Others: []core.Credential{
			{
				ID: "e1", ProviderID: "e1", Name: "Cloud Practitioner", Issuer: "Example Cloud Academy", Validity: core.ValidityValid,
				IssuedAt: days(-100), ExpiresAt: days(995), Days: 995, PageURL: "https://www.credly.com/badges/e1", Elsewhere: true,
			},
		},
	}}
	f.kept.Own[0].Certificate.URL = "https://certificates.example.org/EX-2021/007"
	f.kept.Own[2].Certificate.URL = "javascript:alert(1)"
	f.kept.Own[5].Successor = "Führung & Größe"
	f.assertions = make([]core.Assertion, 8)
	for i, c := range f.kept.All() {
		f.assertions[i] = core.Assertion{Missing: core.MissingNotPublic}
		if c.Public() {
			f.assertions[i] = core.Assertion{
				URL: "https://api.credly.com/v1/obi/v2/badge_assertions/" + c.ProviderID, Document: []byte(`{"type":"Assertion","id":"` + c.ProviderID + `"}`),
			}
		}
	}
	f.assertions[2] = core.Assertion{URL: f.assertions[2].URL, Missing: core.MissingUnreachable}
	return f
}

func (f *fakeCertificates) Look(_ context.Context, token string) (core.Kept, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked++
	if token != testCertToken {
		return core.Kept{}, core.ErrNotFound
	}
	return f.kept, f.look
}

func (f *fakeCertificates) Calendar(ctx context.Context, token string) (core.Kept, error) {
	if token == testCalendarToken {
		token = testCertToken
	}
	k, err := f.Look(ctx, token)
	k.Others = nil
	return k, err
}

func (f *fakeCertificates) Assertions(context.Context, []core.Credential) []core.Assertion {
	if f.begun != nil {
		f.begun <- struct{}{}
		<-f.hold
	}
	return f.assertions
}

func certificateScenes() []scene {
	fails := func(err error) func(*site) { return func(x *site) { x.certs.look = err } }
	elsewhere := func(s core.ElsewhereState) func(*site) {
		return func(x *site) { x.certs.kept.Others, x.certs.kept.Elsewhere = nil, s }
	}
	return []scene{
		{"certificates", http.MethodGet, testCertPath, 200, nil},
		{"certificates_elsewhere_off", http.MethodGet, testCertPath, 200, elsewhere(core.ElsewhereOff)},
		{"certificates_elsewhere_hidden", http.MethodGet, testCertPath, 200, elsewhere(core.ElsewhereHidden)},
		{"certificates_empty", http.MethodGet, testCertPath, 200, func(x *site) {
			x.certs.kept.Own, x.certs.kept.Others, x.certs.kept.Elsewhere = nil, nil, core.ElsewhereNone
		}},
		{"certificates_unknown", http.MethodGet, "/c/forged", 404, nil},
		{"certificates_gone", http.MethodGet, testCertPath, 410, fails(core.ErrGone)},
		{"certificates_store_down", http.MethodGet, testCertPath, 503, fails(core.ErrUnavailable)},
		{"certificates_posted", http.MethodPost, testCertPath, 405, nil},
		{"certificates_file_gone", http.MethodGet, testCertPath + "/certificates.csv", 410, fails(core.ErrGone)},
		{"certificates_calendar_token", http.MethodGet, "/c/" + testCalendarToken, 404, nil},
		{"certificates_zip_by_calendar", http.MethodGet, "/c/" + testCalendarToken + "/certificates.zip", 404, nil},
		{"certificates_ics_forged", http.MethodGet, "/c/forged/certificates.ics", 404, nil},
	}
}

// The token of a calendar lives for years, and never travels in the clear.
func TestCalendarIsOfferedEncrypted(t *testing.T) {
	t.Parallel()
	body := newSite(t, nil).get(t, testCertPath, "en").Body.String()
	if n := strings.Count(body, "https://badges.example.org/c/"+testCalendarToken); n != 2 {
		t.Errorf("offered %d times, want to copy and to open", n)
	}
	for _, scheme := range []string{"webcal:", "http://badges"} {
		if strings.Contains(body, scheme) {
			t.Errorf("offered by %s", scheme)
		}
	}
}
