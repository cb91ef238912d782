package portal

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/laurelbot/laurel/core"
)

// The published example of the specification's own libraries.
const (
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTimestamp = 1614265330
	vectorPayload   = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func mustKeys(t testing.TB, s core.Secret) Keys {
	t.Helper()
	k, err := ParseKeys(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSignVector(t *testing.T) {
	t.Parallel()
	for _, secret := range []core.Secret{testSecret, core.Secret(strings.TrimPrefix(testSecret.Reveal(), "whsec_"))} {
		h := http.Header{}
		mustKeys(t, secret).Sign(h, vectorID, time.Unix(vectorTimestamp, 0), []byte(vectorPayload))
		if got := h.Get("webhook-signature"); got != vectorSignature {
			t.Errorf("signature = %q, want %q", got, vectorSignature)
		}
		if h.Get("webhook-id") != vectorID || h.Get("webhook-timestamp") != strconv.Itoa(vectorTimestamp) {
			t.Errorf("headers = %v", h)
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	other := core.Secret("whsec_" + strings.Repeat("QUJD", 8))
	now := time.Unix(vectorTimestamp, 0)
	valid := func() http.Header {
		return http.Header{
			"Webhook-Id": {vectorID}, "Webhook-Timestamp": {strconv.Itoa(vectorTimestamp)}, "Webhook-Signature": {vectorSignature},
		}
	}
	set := func(key, value string) func(http.Header) { return func(h http.Header) { h.Set(key, value) } }
	drop := func(key string) func(http.Header) { return func(h http.Header) { h.Del(key) } }
	v1a := "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
	for _, tc := range []struct {
		name   string
		secret core.Secret
		body   string
		now    time.Time
		change func(http.Header)
		ok     bool
	}{
		{name: "valid", ok: true},
		{name: "second key of two", secret: other + " " + testSecret, ok: true},
		{name: "keys by comma", secret: testSecret + "," + other, ok: true},
		{name: "wrong key", secret: other},
		{name: "wrong body", body: `{"test": 2432232315}`},
		{name: "id missing", change: drop("webhook-id")},
		{name: "id wrong", change: set("webhook-id", "msg_other")},
		{name: "timestamp missing", change: drop("webhook-timestamp")},
		{name: "timestamp wrong", change: set("webhook-timestamp", strconv.Itoa(vectorTimestamp+1))},
		{name: "timestamp no number", change: set("webhook-timestamp", "soon")},
		{name: "timestamp signed", change: set("webhook-timestamp", "+1614265330")},
		{name: "timestamp huge", change: set("webhook-timestamp", "9223372036854775807")},
		{name: "timestamp lowest", change: set("webhook-timestamp", "-9223372036854775808")},
		{name: "signature missing", change: drop("webhook-signature")},
		{name: "signature empty", change: set("webhook-signature", "v1,")},
		{name: "signature without scheme", change: set("webhook-signature", strings.TrimPrefix(vectorSignature, "v1,"))},
		{name: "signature of another scheme", change: set("webhook-signature", v1a)},
		{name: "signature with another scheme's name", change: set("webhook-signature", strings.Replace(vectorSignature, "v1", "v2", 1))},
		{name: "several signatures", change: set("webhook-signature", "v1,QUJD v2,x "+v1a+" "+vectorSignature), ok: true},
		{name: "far too many signatures", change: set("webhook-signature", strings.Repeat("v1,QUJD ", 1000)+vectorSignature)},
		{name: "a second less than five minutes old", now: now.Add(299 * time.Second), ok: true},
		{name: "a second less than five minutes ahead", now: now.Add(-299 * time.Second), ok: true},
		{name: "five minutes old", now: now.Add(5 * time.Minute), ok: true},
		{name: "older", now: now.Add(5*time.Minute + time.Second)},
		{name: "five minutes ahead", now: now.Add(-5 * time.Minute), ok: true},
		{name: "further ahead", now: now.Add(-5*time.Minute - time.Second)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.secret == "" {
				tc.secret = testSecret
			}
			if tc.body == "" {
				tc.body = vectorPayload
			}
			if tc.now.IsZero() {
				tc.now = now
			}
			h := valid()
			if tc.change != nil {
				tc.change(h)
			}
			err := mustKeys(t, tc.secret).Verify(h, []byte(tc.body), tc.now)
			if (err == nil) != tc.ok {
				t.Fatalf("Verify = %v, want ok %v", err, tc.ok)
			}
		})
	}
}

func TestAgreesWithOfficialLibrary(t *testing.T) {
	t.Parallel()
	official, err := standardwebhooks.NewWebhook(testSecret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"award.granted"}`)
	now := time.Now()
	h := http.Header{}
	mustKeys(t, testSecret).Sign(h, "msg_1", now, body)
	if err := official.Verify(body, h); err != nil {
		t.Errorf("official library refuses our signature: %v", err)
	}
	signature, err := official.Sign("msg_2", now, body)
	if err != nil {
		t.Fatal(err)
	}
	h.Set("webhook-id", "msg_2")
	h.Set("webhook-signature", signature)
	if err := mustKeys(t, testSecret).Verify(h, body, now); err != nil {
		t.Errorf("we refuse the official library's signature: %v", err)
	}
}

func TestParseKeysRefuses(t *testing.T) {
	t.Parallel()
	for _, secret := range []core.Secret{
		"", " ", "whsec_", "whsec_not base64!", "whsec_c2hvcnQ=", core.Secret("whsec_" + strings.Repeat("QUJD", 22)),
		testSecret + " whsec_c2hvcnQ=",
	} {
		_, err := ParseKeys(secret)
		if err == nil {
			t.Errorf("ParseKeys(%q) succeeded", secret.Reveal())
			continue
		}
		if len(secret) > 6 && strings.Contains(err.Error(), strings.TrimPrefix(secret.Reveal(), "whsec_")) {
			t.Errorf("error repeats the secret: %v", err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(vectorID, "1614265330", vectorSignature, []byte(vectorPayload))
	f.Add("", "x", "v1, ,,", []byte{})
	keys := mustKeys(f, testSecret)
	now := time.Unix(vectorTimestamp, 0)
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signature}}
		genuine := id == vectorID && timestamp == "1614265330" && string(body) == vectorPayload
		if keys.Verify(h, body, now) == nil && !genuine {
			t.Fatal("a forged signature was accepted")
		}
	})
}
