package slack

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// The example of https://docs.slack.dev/authentication/verifying-requests-from-slack.
const (
	publishedSecret    = core.Secret("8f742231b10e8888abcd99yyyzzz85a5")
	publishedStamp     = "1531420618"
	publishedSignature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	publishedBody      = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)

func TestVerifySignature(t *testing.T) {
	t.Parallel()
	at := time.Unix(1531420618, 0)
	header := func(kv ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(kv); i += 2 {
			h.Add(kv[i], kv[i+1])
		}
		return h
	}
	good := header(timestampHeader, publishedStamp, signatureHeader, publishedSignature)
	withSignature := func(s string) http.Header {
		return header(timestampHeader, publishedStamp, signatureHeader, s)
	}
	tests := []struct {
		name   string
		secret core.Secret
		header http.Header
		body   string
		now    time.Time
		want   error
	}{
		{"published vector", publishedSecret, good, publishedBody, at, nil},
		{"300 s old", publishedSecret, good, publishedBody, at.Add(300 * time.Second), nil},
		{"300 s ahead", publishedSecret, good, publishedBody, at.Add(-300 * time.Second), nil},
		{"301 s old", publishedSecret, good, publishedBody, at.Add(301 * time.Second), errStale},
		{"301 s ahead", publishedSecret, good, publishedBody, at.Add(-301 * time.Second), errStale},
		{"299 s old", publishedSecret, good, publishedBody, at.Add(299 * time.Second), nil},
		{"299 s ahead", publishedSecret, good, publishedBody, at.Add(-299 * time.Second), nil},
		{"no headers", publishedSecret, header(), publishedBody, at, errUnsigned},
		{"no timestamp", publishedSecret, header(signatureHeader, publishedSignature), publishedBody, at, errUnsigned},
		{"no signature", publishedSecret, header(timestampHeader, publishedStamp), publishedBody, at, errUnsigned},
		{"doubled signature", publishedSecret, header(timestampHeader, publishedStamp, signatureHeader, publishedSignature, signatureHeader, publishedSignature), publishedBody, at, errUnsigned},
		{"doubled timestamp", publishedSecret, header(timestampHeader, publishedStamp, timestampHeader, publishedStamp, signatureHeader, publishedSignature), publishedBody, at, errUnsigned},
		{"short", publishedSecret, withSignature(publishedSignature[:40]), publishedBody, at, errUnsigned},
		{"empty", publishedSecret, withSignature(""), publishedBody, at, errUnsigned},
		{"not hexadecimal", publishedSecret, withSignature(strings.Replace(publishedSignature, "a", "g", 1)), publishedBody, at, errUnsigned},
		{"upper case", publishedSecret, withSignature("v0=" + strings.ToUpper(publishedSignature[3:])), publishedBody, at, errUnsigned},
		{"other version", publishedSecret, withSignature("v1=" + publishedSignature[3:]), publishedBody, at, errUnsigned},
		{"one bit changed", publishedSecret, withSignature("v0=b" + publishedSignature[4:]), publishedBody, at, errBadSignature},
		{"signed timestamp", publishedSecret, header(timestampHeader, "+"+publishedStamp, signatureHeader, publishedSignature), publishedBody, at, errUnsigned},
		{"fraction in timestamp", publishedSecret, header(timestampHeader, publishedStamp+".0", signatureHeader, publishedSignature), publishedBody, at, errUnsigned},
		{"body encoded anew", publishedSecret, good, strings.Replace(publishedBody, "%2F", "%2f", 1), at, errBadSignature},
		{"other secret", "8f742231b10e8888abcd99yyyzzz85a6", good, publishedBody, at, errBadSignature},
		{"empty secret", "", header(timestampHeader, publishedStamp, signatureHeader, sign("", publishedStamp, publishedBody)), publishedBody, at, errBadSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := verifySignature(tt.secret, tt.header, []byte(tt.body), tt.now); !errors.Is(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
