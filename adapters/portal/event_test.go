package portal

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
)

const grantedBody = `{
  "type": "award.granted", "timestamp": "2026-11-22T11:59:00Z",
  "data": {
    "award_id": "A-2026-0001",
    "recipient": {"email": "Ada.Example@Example.org", "first_name": "Ada", "last_name": "Example", "locale": "de_CH"},
    "badge_template_id": "0b6f3d1e-5a3c-4b1e-9d2f-000000000001",
    "issued_at": "2026-11-20", "expires_at": "2031-11-20T00:00:00+01:00",
    "certificate": {"number": "C-77", "url": "https://certificates.example.org/C-77"},
    "added_later": [1, 2]
  }
}`

func mustEmail(t testing.TB, s string) core.Email {
	t.Helper()
	e, err := core.ParseEmail(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDecodeEvent(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 11, 59, 0, 0, time.UTC)
	award := core.Award{
		AwardID: "A-2026-0001", Recipient: mustEmail(t, "Ada.Example@Example.org"), FirstName: "Ada", LastName: "Example",
		Locale: "de-CH", TemplateID: "0b6f3d1e-5a3c-4b1e-9d2f-000000000001",
		IssuedAt: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2031, 11, 19, 23, 0, 0, 0, time.UTC),
		Certificate: core.Certificate{Number: "C-77", URL: "https://certificates.example.org/C-77"}, DecidedAt: at,
	}
	for _, tc := range []struct {
		name, body string
		want       Event
	}{
		{"granted", grantedBody, Event{Type: AwardGranted, At: at, Award: award}},
		{"changed", strings.Replace(grantedBody, "award.granted", "award.changed", 1), Event{Type: AwardChanged, At: at, Award: award}},
		{
			"withdrawn", `{"type":"award.withdrawn","timestamp":"2026-11-22T11:59:00Z","data":{"award_id":"A-1","reason":"error"}}`,
			Event{Type: AwardWithdrawn, At: at, Withdrawn: "A-1", Reason: "error"},
		},
		{
			"erased", `{"type":"person.erased","timestamp":"2026-11-22T11:59:00Z","data":{"email":"ada@example.org"}}`,
			Event{Type: PersonErased, At: at, Erase: mustEmail(t, "ada@example.org")},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeEvent([]byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestDecodeEventUnknownType(t *testing.T) {
	t.Parallel()
	e, err := DecodeEvent([]byte(`{"type":"award.celebrated","timestamp":"2026-11-22","data":7}`))
	if !errors.Is(err, ErrUnknownType) || e.Type != "award.celebrated" || e.At.IsZero() {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	t.Parallel()
	replace := func(from, to string) string {
		if !strings.Contains(grantedBody, from) {
			t.Fatalf("body has no %q", from)
		}
		return strings.Replace(grantedBody, from, to, 1)
	}
	for _, tc := range []struct{ name, body, field string }{
		{"empty", "", "body"},
		{"null", "null", "body"},
		{"array", "[]", "body"},
		{"truncated", grantedBody[:len(grantedBody)-3], "body"},
		{"not utf-8", replace("Ada", "Ad\xe4"), "body"},
		{"type missing", replace(`"award.granted"`, `""`), "type"},
		{"type a number", replace(`"award.granted"`, `7`), "type"},
		{"timestamp missing", replace(`"2026-11-22T11:59:00Z"`, `null`), "timestamp"},
		{"timestamp wrong", replace(`2026-11-22T11:59:00Z`, `yesterday`), "timestamp"},
		{"data missing", `{"type":"award.granted","timestamp":"2026-11-22"}`, "data"},
		{"data a text", `{"type":"award.granted","timestamp":"2026-11-22","data":"x"}`, "data"},
		{"recipient a text", `{"type":"award.granted","timestamp":"2026-11-22","data":{"award_id":"1","recipient":"x"}}`, "data.recipient"},
		{"award id missing", replace(`A-2026-0001`, ``), "data.award_id"},
		{"award id a number", replace(`"A-2026-0001"`, `12`), "data.award_id"},
		{"award id separators", replace(`A-2026-0001`, `A,B`), "data.award_id"},
		{"award id long", replace(`A-2026-0001`, strings.Repeat("x", 101)), "data.award_id"},
		{"email missing", replace(`Ada.Example@Example.org`, ``), "data.recipient.email"},
		{"email wrong", replace(`Ada.Example@Example.org`, `ada at example`), "data.recipient.email"},
		{"first name missing", replace(`"first_name": "Ada"`, `"first_name": " "`), "data.recipient.first_name"},
		{"first name long", replace(`"first_name": "Ada"`, `"first_name": "`+strings.Repeat("ä", 101)+`"`), "data.recipient.first_name"},
		{"last name control", replace(`"last_name": "Example"`, `"last_name": "Ex\u0000"`), "data.recipient.last_name"},
		{"locale wrong", replace(`de_CH`, `german!`), "data.recipient.locale"},
		{"template missing", replace(`0b6f3d1e-5a3c-4b1e-9d2f-000000000001`, ``), "data.badge_template_id"},
		{"template path", replace(`0b6f3d1e-5a3c-4b1e-9d2f-000000000001`, `../x`), "data.badge_template_id"},
		{"issued missing", replace(`"2026-11-20"`, `""`), "data.issued_at"},
		{"issued wrong", replace(`"2026-11-20"`, `"20.11.2026"`), "data.issued_at"},
		{"issued far", replace(`"2026-11-20"`, `"9999-11-20"`), "data.issued_at"},
		{"expires before", replace(`2031-11-20T00:00:00+01:00`, `2020-01-01`), "data.expires_at"},
		{"certificate number long", replace(`C-77`, strings.Repeat("x", 101)), "data.certificate.number"},
		{"certificate url scheme", replace(`https://certificates.example.org/C-77`, `javascript:alert(1)`), "data.certificate.url"},
		{"certificate url user", replace(`https://certificates`, `https://a@certificates`), "data.certificate.url"},
		{"erased email", `{"type":"person.erased","timestamp":"2026-11-22","data":{"email":"x"}}`, "data.email"},
		{"withdrawn id", `{"type":"award.withdrawn","timestamp":"2026-11-22","data":{}}`, "data.award_id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeEvent([]byte(tc.body))
			var field *FieldError
			if !errors.As(err, &field) || field.Field != tc.field {
				t.Fatalf("error = %v, want field %s", err, tc.field)
			}
			for _, personal := range []string{"Ada", "ada at", "Example.org"} {
				if strings.Contains(err.Error(), personal) {
					t.Errorf("error repeats %q: %v", personal, err)
				}
			}
		})
	}
}

func FuzzDecodeEvent(f *testing.F) {
	f.Add([]byte(grantedBody))
	f.Add([]byte(`{"type":"person.erased","timestamp":"2026-11-22","data":{"email":"a@b.example"}}`))
	f.Add([]byte(`{"type":"award.withdrawn","timestamp":"2026-11-22","data":{"award_id":"1"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := DecodeEvent(body)
		if err != nil {
			if !utf8.ValidString(err.Error()) || len(err.Error()) > 300 {
				t.Fatalf("error %q", err)
			}
			return
		}
		switch e.Type {
		case AwardGranted, AwardChanged:
			a := e.Award
			if a.AwardID == "" || a.Recipient.IsZero() || a.TemplateID == "" || a.IssuedAt.IsZero() || a.DecidedAt.IsZero() {
				t.Fatalf("incomplete award %+v", a)
			}
		case AwardWithdrawn:
			if e.Withdrawn == "" {
				t.Fatal("nothing withdrawn")
			}
		case PersonErased:
			if e.Erase.IsZero() {
				t.Fatal("nobody erased")
			}
		default:
			t.Fatalf("type %q passed", e.Type)
		}
	})
}
