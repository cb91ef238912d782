package credly

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/refdata"
)

func TestDocumentedBadge(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.on("GET /badges?recipient_email_all::user10001@example.com", ok(string(refdata.Read(t, "credly", "nti-issued_badges.json"))))
	got, err := a.client.ForPerson(t.Context(), mustEmail(t, "user10001@example.com"))
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	at := time.Date(2014, 4, 1, 14, 41, 0, 0, time.UTC)
	want := core.Observation{
		ProviderID: testBadge, Recipient: mustEmail(t, "user10001@example.com"),
		FirstName: "Alfred", LastName: "Skiles", Locale: "en",
		Template: core.Template{
			ID: testTemplate, Name: "Badge Template 1", Description: "Dynamically deliver go forward e-tailers",
			ImageURL: "https://cdn.example.com/path/to/image.png",
		},
		Stage: core.StagePublic, IssuedAt: at, ExpiresAt: time.Date(2016, 4, 1, 14, 41, 0, 0, time.UTC),
		BadgeURL: "https://localhost/badges/" + testBadge,
		OwnerURL: "https://www.youracclaim.com/users/alfred-beaker-skiles/edit#credly",
		At:       time.Date(2017, 9, 18, 12, 14, 51, 331_000_000, time.UTC), ReadAt: testTime,
	}
	if got[0] != want {
		t.Errorf("got  %+v\nwant %+v", got[0], want)
	}
}

func TestDocumentedTemplates(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.on("GET /badge_templates?state::active", ok(string(refdata.Read(t, "credly", "nti-template_collection.json"))))
	got, err := a.client.Templates(t.Context())
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	want := core.Template{
		ID: "216a37a4-4a79-411f-811d-05d1b561d230", Name: "Badge Template 1",
		Description: "Dynamically deliver go forward e-tailers", ImageURL: "https://cdn.example.com/path/to/image.png",
	}
	if got[0] != want || got[1].Name != "Badge Template 2" {
		t.Errorf("got %+v", got)
	}
	var single struct {
		Data templateData `json:"data"`
	}
	if err := json.Unmarshal(refdata.Read(t, "credly", "nti-template.json"), &single); err != nil {
		t.Fatal(err)
	}
	if tpl := single.Data.template(); tpl.ID != "823a5e0c-1d8d-4801-a5c8-bd4e3a776a4c" || tpl.Name != "Badge Template 7" {
		t.Errorf("single template %+v", tpl)
	}
}

func TestStages(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		change map[string]any
		want   core.Stage
	}{
		{nil, core.StagePending},
		{map[string]any{"public": true}, core.StagePending},
		{map[string]any{"state": "accepted"}, core.StageAccepted},
		{map[string]any{"state": "accepted", "public": true}, core.StagePublic},
		{map[string]any{"state": "accepted", "public": nil}, core.StageAccepted},
		{map[string]any{"state": "rejected"}, core.StageRejected},
		{map[string]any{"state": "revoked", "public": true}, core.StageRevoked},
		{map[string]any{"state": "accepted", "public": true, "replacement_badge_id": "x"}, core.StageReplaced},
		{map[string]any{"state": "hovering"}, core.StageUnknown},
		{map[string]any{"state": nil}, core.StageUnknown},
		{map[string]any{"state": []int{1}}, core.StageUnknown},
	} {
		b, err := decodeBadge([]byte(badge(t, tc.change)))
		if err != nil {
			t.Fatal(err)
		}
		if got := b.stage(); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.change, got, tc.want)
		}
	}
}

func TestTolerantBadge(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	b, err := decodeBadge([]byte(badge(t, map[string]any{
		"issued_at": nil, "issued_at_date": "2026-11-19", "expires_at": false, "expires_at_date": "2031-11-19",
		"updated_at": "2026-11-21 12:00:00 +0200", "state_updated_at": "soon", "issuer_earner_id": 12345678901234567,
		"user": nil, "accept_badge_url": nil, "recipient_email": "nobody", "locale": nil, "new_field": map[string]any{"x": 1},
	})))
	if err != nil {
		t.Fatal(err)
	}
	o := a.client.observe(b, testTime)
	if !o.IssuedAt.Equal(time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC)) || !o.ExpiresAt.Equal(time.Date(2031, 11, 19, 0, 0, 0, 0, time.UTC)) ||
		!o.At.Equal(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)) || o.ExternalID != "12345678901234567" || !o.Recipient.IsZero() || o.AcceptURL != "" {
		t.Errorf("got %+v", o)
	}
	accepted, err := decodeBadge([]byte(badge(t, map[string]any{"state": "accepted"})))
	if err != nil {
		t.Fatal(err)
	}
	if o := a.client.observe(accepted, testTime); o.AcceptURL != "" {
		t.Error("accept link after acceptance")
	}
	for _, raw := range []string{"", "null", "[]", `{"id":""}`, `{"id":"../x"}`, `{"id":"x","badge_template":"y"}`} {
		if _, err := decodeBadge([]byte(raw)); err == nil {
			t.Errorf("%s was decoded", raw)
		}
	}
}

func TestMailLocale(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "en": "en", "en-GB": "en", "de-CH": "de", "de_AT": "de", "fr-CA": "fr-CA", "fr-BE": "fr", "pt-BR": "pt-BR",
		"pt-PT": "pt", "es-ES": "es-ES", "es-US": "es-US", "zh-Hans": "zh-CN", "zh-CN": "zh-CN", "ja-JP": "ja", "ko": "ko",
		"fi": "", "!": "",
	} {
		if got := mailLocale(in); got != want {
			t.Errorf("mailLocale(%q) = %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{"es", "es-MX", "es-AR"} {
		if got := mailLocale(in); got != "es-ES" && got != "es-US" {
			t.Errorf("mailLocale(%q) = %q", in, got)
		}
	}
}

func FuzzBadge(f *testing.F) {
	f.Add([]byte(badge(f, nil)))
	f.Add([]byte(badge(f, map[string]any{"expires_at": false, "public": nil, "issuer_earner_id": 7})))
	f.Add([]byte(`{"id":"x","state":7,"badge_template":null,"user":{"id":null}}`))
	c, err := New(Config{OrganizationID: testOrganization, Token: testToken, Clock: &testClock{now: testTime}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := decodeBadge(raw)
		if err != nil {
			return
		}
		o := c.observe(b, testTime)
		if !validID(o.ProviderID) || o.Stage == "" || o.AcceptURL != "" && o.Stage != core.StagePending {
			t.Fatalf("observed %+v", o)
		}
	})
}
