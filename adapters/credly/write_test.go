package credly

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
)

const (
	byEarner  = "GET /badges?issuer_earner_id::A-1|badge_template_id::" + testTemplate
	byAddress = "GET /badges?recipient_email::ada@example.org|badge_template_id::" + testTemplate
)

func created(object string) http.HandlerFunc {
	return status(http.StatusCreated, `{"data":`+object+`}`)
}

func TestIssue(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(c *Config) { c.SuppressMail = true })
	a.on(byEarner, many())
	a.on("POST /badges", created(badge(t, nil)))
	o, err := a.client.Issue(t.Context(), request(t))
	if err != nil || o.ProviderID != testBadge || o.Stage != core.StagePending || o.ExternalID != "A-1" || o.AcceptURL == "" {
		t.Fatalf("got %+v, %v", o, err)
	}
	want := map[string]any{
		"recipient_email": "ada@example.org", "issued_to_first_name": "Ada", "issued_to_last_name": "Example",
		"badge_template_id": testTemplate, "issued_at": "2026-11-20 09:30:00 +0000", "expires_at": "2031-11-20 00:00:00 +0000",
		"issuer_earner_id": "A-1", "locale": "de", "suppress_badge_notification_email": true,
		"evidence": []any{map[string]any{"type": "UrlEvidence", "name": "Certificate C-77", "value": "https://certificates.example.org/C-77"}},
	}
	if got := a.lastBody(); !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v", got)
	}
	// Now it is known that Credly refuses duplicates of this template.
	a.requests()
	if _, err := a.client.Issue(t.Context(), request(t)); err != nil {
		t.Fatal(err)
	}
	if asked := a.requests(); !slices.Equal(asked, []string{"POST /badges"}) {
		t.Errorf("asked %q", asked)
	}
}

func TestIssueBodyMinimal(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.on(byEarner, many())
	a.on("POST /badges", created(badge(t, nil)))
	r := core.IssueRequest{ExternalID: "A-1", TemplateID: testTemplate, Recipient: mustEmail(t, "ada@example.org"), FirstName: "Ada", LastName: "Example"}
	if _, err := a.client.Issue(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	body := a.lastBody()
	for _, absent := range []string{"expires_at", "locale", "evidence"} {
		if _, has := body[absent]; has {
			t.Errorf("%s was sent", absent)
		}
	}
	if body["issued_at"] != "2026-11-22 12:00:00 +0000" || body["suppress_badge_notification_email"] != false {
		t.Errorf("sent %v", body)
	}
}

func TestIssueDuplicate(t *testing.T) {
	t.Parallel()
	rejected := badge(t, map[string]any{"id": "old", "state": "rejected", "updated_at": "2026-11-22T10:00:00Z"})
	foreign := badge(t, map[string]any{"id": "foreign", "issuer_earner_id": "A-2"})
	for _, tc := range []struct {
		name              string
		earner, recipient http.HandlerFunc
		want              string
		err               error
	}{
		{"by earner", many(rejected, badge(t, nil)), many(), testBadge, nil},
		{"by earner, ended", many(rejected), many(), "old", nil},
		{"by address", many(), many(foreign), "foreign", nil},
		{"filter ignored", many(foreign), many(badge(t, map[string]any{"recipient_email": "eve@example.org"})), "", core.ErrRefused},
		{"other template", many(badge(t, map[string]any{"badge_template": map[string]any{"id": "x"}})), many(), "", core.ErrRefused},
		{"filters refused", refusal("filter"), refusal("filter"), "", core.ErrRefused},
		{"look-up fails", status(500, ``), many(), "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, nil)
			a.client.memory.duplicates[testTemplate] = false
			a.on("POST /badges", refusal("Validation failed: This badge has already been issued to this earner"))
			a.on(byEarner, tc.earner)
			a.on(byAddress, tc.recipient)
			o, err := a.client.Issue(t.Context(), request(t))
			switch {
			case tc.want != "":
				if err != nil || o.ProviderID != tc.want {
					t.Errorf("got %+v, %v", o, err)
				}
			case tc.err == nil:
				if err == nil || errors.Is(err, core.ErrRefused) {
					t.Errorf("error %v, want a temporary one", err)
				}
			case !errors.Is(err, tc.err) || !strings.Contains(err.Error(), "already been issued"):
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestIssueLooksFirstWhereDuplicatesAreAllowed(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.client.memory.duplicates[testTemplate] = true
	a.on(byEarner, many(badge(t, nil)))
	o, err := a.client.Issue(t.Context(), request(t))
	if err != nil || o.ProviderID != testBadge {
		t.Fatalf("got %+v, %v", o, err)
	}
	if asked := a.requests(); !slices.Equal(asked, []string{byEarner}) {
		t.Errorf("asked %q", asked)
	}
}

func TestIssueWithoutRefusedEvidence(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.on(byEarner, many())
	a.on("POST /badges", refusal("Validation failed: Evidence name is invalid"), created(badge(t, nil)))
	if _, err := a.client.Issue(t.Context(), request(t)); err != nil {
		t.Fatal(err)
	}
	if _, has := a.lastBody()["evidence"]; has {
		t.Error("evidence was sent again")
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	r := request(t)
	r.Recipient = mustEmail(t, "new@example.org")
	moved := badge(t, map[string]any{"id": "b2", "recipient_email": "new@example.org"})
	second := badge(t, map[string]any{"id": "b2"})
	third := badge(t, map[string]any{"id": "b3", "recipient_email": "new@example.org"})
	already := status(422, `{"data":{"message":"Validation failed: This badge cannot be replaced because it has already been replaced."},"metadata":{"current_badge_id":"b2"}}`)
	const read, post = "GET /badges/" + testBadge, "POST /badges/" + testBadge + "/replace"
	for _, tc := range []struct {
		name    string
		answers map[string]http.HandlerFunc
		want    string
		err     error
	}{
		{"pending", map[string]http.HandlerFunc{read: one(badge(t, nil)), post: created(moved)}, "b2", nil},
		{"accepted", map[string]http.HandlerFunc{read: one(badge(t, map[string]any{"state": "accepted"}))}, "", core.ErrRefused},
		{"done already", map[string]http.HandlerFunc{read: one(badge(t, map[string]any{"recipient_email": "NEW@example.org"}))}, testBadge, nil},
		{
			"replaced by it already",
			map[string]http.HandlerFunc{read: one(badge(t, map[string]any{"replacement_badge_id": "b2"})), "GET /badges/b2": one(moved)},
			"b2", nil,
		},
		{
			"replaced meanwhile, retried on the newest",
			map[string]http.HandlerFunc{read: one(badge(t, nil)), post: already, "GET /badges/b2": one(second), "POST /badges/b2/replace": created(third)},
			"b3", nil,
		},
		{"replaced meanwhile by it", map[string]http.HandlerFunc{read: one(badge(t, nil)), post: already, "GET /badges/b2": one(moved)}, "b2", nil},
		{
			"replaced again and again",
			map[string]http.HandlerFunc{read: one(badge(t, nil)), post: already, "GET /badges/b2": one(second), "POST /badges/b2/replace": already},
			"", core.ErrRefused,
		},
		{"refused", map[string]http.HandlerFunc{read: one(badge(t, nil)), post: refusal("no, new@example.org")}, "", core.ErrRefused},
		{"gone", map[string]http.HandlerFunc{read: one(badge(t, nil))}, "", core.ErrNoSuchBadge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, nil)
			for key, answer := range tc.answers {
				a.on(key, answer)
			}
			o, err := a.client.Replace(t.Context(), testBadge, r)
			if !errors.Is(err, tc.err) || err == nil && o.ProviderID != tc.want {
				t.Errorf("got %+v, %v", o, err)
			}
			if err != nil && strings.Contains(err.Error(), "example.org") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	const put, read = "PUT /badges/" + testBadge + "/revoke", "GET /badges/" + testBadge
	for _, tc := range []struct {
		name string
		put  http.HandlerFunc
		read http.HandlerFunc
		err  error
	}{
		{"revoked", one(badge(t, map[string]any{"state": "revoked"})), nil, nil},
		{"already", refusal("already revoked"), one(badge(t, map[string]any{"state": "revoked"})), nil},
		{"refused", refusal("no"), one(badge(t, nil)), core.ErrRefused},
		{"gone", status(404, ``), nil, core.ErrNoSuchBadge},
		{"forbidden", status(403, ``), nil, core.ErrUnauthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, nil)
			a.on(put, tc.put)
			if tc.read != nil {
				a.on(read, tc.read)
			}
			if err := a.client.Revoke(t.Context(), testBadge, "withdrawn"); !errors.Is(err, tc.err) {
				t.Errorf("error %v", err)
			}
			want := map[string]any{"reason": "withdrawn", "suppress_revoke_notification_email": false}
			if got := a.lastBody(); !reflect.DeepEqual(got, want) {
				t.Errorf("sent %v", got)
			}
		})
	}
}
