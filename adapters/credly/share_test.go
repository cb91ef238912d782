package credly

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/refdata"
)

func TestIssuer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer string
		want   core.Issuer
	}{
		"as documented": {string(refdata.Read(t, "credly", "docs-examples", "organizations_list.json")), core.Issuer{
			Name: "Organization 8", SupportURL: "https://example.com", SupportMail: "someEmail@example.com",
		}},
		"complete": {`{"data":{"name":"Body","linked_in_name":"The Body","linked_in_org_id":"1234567"}}`, core.Issuer{Name: "The Body", LinkedInID: "1234567"}},
		"no way to ask": {
			`{"data":{"name":"Body","support_url":"javascript:alert(1)","support_email":"ask us"}}`, core.Issuer{Name: "Body"},
		},
		"as a number":  {`{"data":{"name":"Body","linked_in_org_id":1234567}}`, core.Issuer{Name: "Body", LinkedInID: "1234567"}},
		"without name": {`{"data":{"linked_in_org_id":"1"}}`, core.Issuer{}},
		"several":      {`{"data":[{"name":"A"},{"name":"B"}]}`, core.Issuer{}},
		"wrong types":  {`{"data":{"name":["A"],"linked_in_org_id":{}}}`, core.Issuer{}},
		"no data":      {`[]`, core.Issuer{}},
	} {
		a := newAPI(t, nil)
		a.on("GET ", ok(tt.answer))
		if got := a.client.Issuer(t.Context()); got != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// The issuer is asked for rarely, and remembered when Credly does not answer.
func TestIssuerIsRemembered(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.on("GET ", status(http.StatusInternalServerError, ``))
	if got := a.client.Issuer(t.Context()); got != (core.Issuer{}) {
		t.Errorf("got %+v", got)
	}
	a.on("GET ", ok(`{"data":{"name":"Body","linked_in_org_id":"7"}}`))
	if got := a.client.Issuer(t.Context()); got != (core.Issuer{}) || len(a.requests()) != 1 {
		t.Errorf("asked again at once: %+v", got)
	}
	want := core.Issuer{Name: "Body", LinkedInID: "7"}
	a.clock.advance(issuerAgain)
	for range 3 {
		if got := a.client.Background().Issuer(t.Context()); got != want {
			t.Errorf("got %+v", got)
		}
	}
	if n := len(a.requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
	a.clock.advance(issuerFor + time.Second)
	a.on("GET ", status(http.StatusServiceUnavailable, ``))
	if got := a.client.Issuer(t.Context()); got != want || len(a.requests()) != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	if code := a.client.Embed(core.Badge{ProviderID: testBadge}); strings.Count(code, testBadge) != 1 || strings.ContainsAny(code, "\n`") {
		t.Errorf("code %q", code)
	}
	for _, id := range []string{"", `"><script>`, "a b"} {
		if code := a.client.Embed(core.Badge{ProviderID: id}); code != "" {
			t.Errorf("%q: %q", id, code)
		}
	}
}
