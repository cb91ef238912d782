package openbadges

import (
	"strings"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2016-12-31T23:59:59Z":          "2016-12-31T23:59:59Z",
		"2016-12-31T23:59:59+00:00":     "2016-12-31T23:59:59Z",
		"2016-12-31T23:59:59.123456Z":   "2016-12-31T23:59:59.123456Z",
		"2016-12-31T23:59:59,5Z":        "2016-12-31T23:59:59.5Z",
		"2016-12-31T23:59+05:30":        "2016-12-31T18:29:00Z",
		"20161231T235959Z":              "2016-12-31T23:59:59Z",
		"2022-11-10T07:38:00-08:00":     "2022-11-10T15:38:00Z",
		"2022-11-10T07:38:00-0800":      "2022-11-10T15:38:00Z",
		"2022-11-10T07:38:00-08":        "2022-11-10T15:38:00Z",
		"2024-02-29T24:00:00Z":          "2024-03-01T00:00:00Z",
		"2016-12-31T23:59:60Z":          "2017-01-01T00:00:00Z",
		"2016-12-31":                    "",
		"2016-12-31T23:59:59":           "",
		"2016-12-31 23:59:59Z":          "",
		"2016-13-01T00:00:00Z":          "",
		"2023-02-29T00:00:00Z":          "",
		"2023-02-00T00:00:00Z":          "",
		"2023-02-01T24:00:01Z":          "",
		"2023-02-01T00:60:00Z":          "",
		"2023-02-01T00:00:00+24:00":     "",
		"2023-02-01T00:00:00+00:60":     "",
		"yesterday":                     "",
		"":                              "",
		"1714557600":                    "",
		"2016-12-31T23:59:59Z\n":        "",
		"2016-12-31T23:59:59\u22125:00": "",
	} {
		got, err := parseTime(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q is read as %v", text, got)
			}
			continue
		}
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q is %v (%v), want %s", text, got, err, want)
		}
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		is   func(string) bool
		yes  []string
		no   []string
	}{
		{"URL", isURL, []string{"https://example.org", "http://example.org/a?b#c", "HTTPS://EXAMPLE.ORG/", "https://example.org:8080/ä"}, []string{
			"", "example.org", "ftp://example.org/", "https://", "https:///a", "https://exa mple.org", "urn:uuid:1", "javascript:alert(1)", "//example.org", "https://a/<b>",
		}},
		{"IRI", isIRI, []string{"https://example.org", "_:b0", "urn:uuid:2d391246-6e0d-4dab-906c-b29770bd7aa6", "URN:UUID:2D391246-6E0D-4DAB-906C-B29770BD7AA6"}, []string{
			"", "example", "urn:uuid:1", "urn:isbn:1", "data:text/plain,x",
		}},
		{"data URI", isDataURI, []string{"data:image/png;base64,iVBORw0KGgo=", "data:,x", "data:image/svg+xml;charset=utf-8,<svg/>"}, []string{"", "data:", "data:image/png;base64", "https://example.org/data:,"}},
		{"language", isLanguage, []string{"en", "en-US", "es", "zh-Hant-TW", "de-CH-1996"}, []string{"", "this is no language", "x", "en_US_!"}},
		{"hash", hashForm.MatchString, []string{"sha256$" + strings.Repeat("aB", 32), "md5$" + strings.Repeat("0f", 16)}, []string{
			"sha256$" + strings.Repeat("a", 63), "md5$" + strings.Repeat("g", 32), "sha512$" + strings.Repeat("a", 128), "sha256" + strings.Repeat("a", 64),
		}},
		{"origin", originForm.MatchString, []string{"example.org", "a.b.example.co.uk", "example.org:8443"}, []string{"", "https://example.org", "example", "example.org/", "-a.example.org", "127.0.0.1"}},
	}
	for _, tt := range tests {
		for _, s := range tt.yes {
			if !tt.is(s) {
				t.Errorf("%s: %q refused", tt.name, s)
			}
		}
		for _, s := range tt.no {
			if tt.is(s) {
				t.Errorf("%s: %q taken", tt.name, s)
			}
		}
	}
}

// https://www.rfc-editor.org/rfc/rfc8785, sections 3.2.2 and 3.2.3.
func TestJCS(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,-0],"literals":[null,true,false]}`:                    `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0]}`,
		`{"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"}`:                                                                       `{"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew","1":"One","\ud83d\ude00":"Emoji","\u0080":"Control","\u00f6":"o"}`: "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"o\",\"€\":\"Euro Sign\",\"😀\":\"Emoji\",\"\ufb33\":\"Hebrew\"}",
		`{"a":"<&>\u2028"}`: "{\"a\":\"<&>\u2028\"}",
	} {
		d, err := parseObject([]byte(in), maxDocumentBytes)
		if err != nil {
			t.Fatal(err)
		}
		got, err := jcs(d)
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s (%v)\nwant %s", in, got, err, want)
		}
	}
}

func TestContextsAreThere(t *testing.T) {
	t.Parallel()
	contexts := EmbeddedContexts()
	for address := range contextNames {
		c, err := contexts.Context(address)
		if err != nil {
			t.Error(err)
			continue
		}
		if d, ok := c.(doc); !ok || d["@context"] == nil {
			t.Errorf("%s holds no context", address)
		}
	}
	if _, err := contexts.Context("https://example.org/context"); err == nil {
		t.Error("an unknown context is known")
	}
}

func TestParseOldTime(t *testing.T) {
	t.Parallel()
	want := time.Date(2015, 4, 30, 0, 0, 0, 0, time.UTC)
	for _, v := range []any{"2015-04-30", "2015-04-30T00:00:00", "2015-04-30T00:00:00Z", "1430352000", "1430352000.5", 1430352000.0} {
		if got, err := parseOldTime(v); err != nil || !got.Equal(want) {
			t.Errorf("%v is %v (%v)", v, got, err)
		}
	}
	for _, v := range []any{nil, true, -1.0, 1e300, "soon", "-5", "99999999999999", "1e5", "0x10", "1_000", "Inf", "NaN"} {
		if got, err := parseOldTime(v); err == nil {
			t.Errorf("%v is read as %v", v, got)
		}
	}
}
