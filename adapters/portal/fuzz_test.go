package portal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fuzzing"
)

// Only what the body signed just now is stored, once, and only if it can be
// worked off; everything else is refused in a short answer that does not
// repeat what was sent.
func FuzzReceiver(f *testing.F) {
	erase := `{"type":"person.erased","timestamp":"2026-11-22T11:00:00Z","data":{"email":"ada@example.org"}}`
	f.Add("msg_1", int64(0), true, []byte(erase))
	f.Add("msg_1", int64(0), true, []byte(grantedBody))
	f.Add("msg_1", int64(301), true, []byte(erase))
	f.Add("", int64(0), true, []byte(erase))
	f.Add("msg.1", int64(-300), false, []byte(erase))
	f.Add(strings.Repeat("m", 201), int64(0), true, []byte(erase))
	f.Add("msg_2", int64(0), true, []byte(`{"type":"person.erased","timestamp":"2030-01-01","data":{"email":"ada@example.org"}}`))
	f.Add("msg_3", int64(0), true, []byte(`{"type":"unheard.of","timestamp":"2026-11-22","data":null}`))
	f.Add("\xff\n", int64(1<<62), true, []byte("\xff"))
	keys := mustKeys(f, testSecret)
	f.Fuzz(func(t *testing.T, id string, ahead int64, signed bool, body []byte) {
		box := &fakeInbox{}
		h, err := NewReceiver(ReceiverConfig{Secret: testSecret, Inbox: box, Clock: fixedClock{testTime}})
		if err != nil {
			t.Fatal(err)
		}
		at := testTime.Add(time.Duration(ahead%100_000) * time.Second)
		header := http.Header{}
		if keys.Sign(header, id, at, body); !signed {
			header.Set(headerSignature, strings.ToLower(header.Get(headerSignature)))
		}
		w := httptest.NewRecorder()
		fuzzing.Soon(t, func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/portal", bytes.NewReader(body))
			r.Header = header
			w = httptest.NewRecorder()
			h.ServeHTTP(w, r)
		})
		event, decodeErr := DecodeEvent(body)
		fresh := at.Sub(testTime).Abs() <= tolerance
		good := signed && fresh && validMessageID(id) && decodeErr == nil && !event.At.After(testTime.Add(maxAhead)) && len(body) <= maxBody
		if stored := len(box.all) == 1; stored != good || len(box.all) > 1 {
			t.Fatalf("status %d, stored %d, want %v", w.Code, len(box.all), good)
		}
		if good && (box.all[0].Payload != string(body) || box.all[0].Key != id) {
			t.Fatalf("stored %+v", box.all[0])
		}
		switch {
		case (!signed || !fresh || id == "") && w.Code != http.StatusUnauthorized && len(body) <= maxBody,
			good && w.Code != http.StatusOK, w.Code >= 500, w.Body.Len() > 500:
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		if personal := "ada@example.org"; strings.Contains(w.Body.String(), personal) {
			t.Fatalf("answered %s", w.Body)
		}
	})
}

// What one side signs the other takes, as it is and at that time; with
// anything changed it does not.
func FuzzSign(f *testing.F) {
	f.Add("msg_1", int64(1614265330), []byte(vectorPayload), "x")
	f.Add("a.b", int64(0), []byte{}, ".")
	f.Add("é\x00", int64(-1), []byte("\xff"), "\xff")
	keys, others := mustKeys(f, testSecret), mustKeys(f, core.Secret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))))
	f.Fuzz(func(t *testing.T, id string, seconds int64, body []byte, more string) {
		at := time.Unix(seconds%(1<<40), 0)
		h := http.Header{}
		keys.Sign(h, id, at, body)
		if err := keys.Verify(h, body, at); (err == nil) != (id != "") {
			t.Fatalf("signed, and %v", err)
		}
		if others.Verify(h, body, at) == nil || keys.Verify(h, body, at.Add(tolerance+time.Second)) == nil || keys.Verify(h, body, at.Add(-tolerance-time.Second)) == nil {
			t.Fatal("taken with another key, or at another time")
		}
		if more == "" {
			return
		}
		if keys.Verify(h, append(bytes.Clone(body), more...), at) == nil {
			t.Fatal("taken with another body")
		}
		for _, name := range []string{headerID, headerTimestamp} {
			changed := h.Clone()
			changed.Set(name, h.Get(name)+more)
			if keys.Verify(changed, body, at) == nil {
				t.Fatalf("taken with another %s", name)
			}
		}
	})
}

// A secret is taken only when it is long enough, and never told.
func FuzzParseKeys(f *testing.F) {
	for _, s := range []string{testSecret.Reveal(), testSecret.Reveal() + ", " + testSecret.Reveal(), "whsec_", "whsec_c2hvcnQ=", "", "\xff", "whsec_" + strings.Repeat("QUJD", 30)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var k Keys
		var err error
		fuzzing.Soon(t, func() { k, err = ParseKeys(core.Secret(s)) })
		if err != nil {
			if len(s) > 40 && strings.Contains(err.Error(), s) || len(err.Error()) > 100 {
				t.Errorf("error %q", err)
			}
			return
		}
		if len(k.keys) == 0 {
			t.Error("taken without a key")
		}
		for _, key := range k.keys {
			if len(key) < minKeyBytes || len(key) > maxKeyBytes {
				t.Errorf("a key of %d bytes", len(key))
			}
		}
	})
}

// A file in whatever encoding: every row is imported or rejected, none twice
// and none lost; no sentence about a row repeats what stands in it; the file
// of rejected rows can be read, and has the same rows wrong.
func FuzzImport(f *testing.F) {
	utf16le := func(s string) []byte {
		out := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(s)) {
			out = append(out, byte(u), byte(u>>8))
		}
		return out
	}
	good := csvHeader + "\n" + goodRow + "\n"
	for _, content := range [][]byte{
		[]byte(good), []byte(utf8BOM + strings.ReplaceAll(good, "\n", "\r\n")), utf16le(good), []byte(strings.ReplaceAll(good, ",", ";")),
		[]byte(good + strings.Replace(goodRow, "Ada", "Ad\xe4", 1)), []byte(good + goodRow), []byte(good + "\"open\n" + goodRow),
		[]byte(good + "A-2,=cmd()@example.org,=1+1,@SUM,de,t1,2026-11-20,,,"), []byte(csvHeader),
		{},
		[]byte(good + ",,,\n\n;;;"),
		[]byte("line,reason," + csvHeader + "\n9,x," + goodRow), []byte(strings.Replace(good, "email", "EMAIL ", 1)), []byte("\x00"),
	} {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "awards.csv")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		sink := &fakeSink{}
		report, err := Import(t.Context(), path, sink, ImportOptions{SkipInvalid: true, DecidedAt: testTime, BatchSize: 3})
		if err != nil && !errors.Is(err, ErrInvalidRows) {
			if len(sink.awards) > 0 || !utf8.ValidString(err.Error()) || len(err.Error()) > 400 {
				t.Fatalf("imported %d of a file that cannot be read: %v", len(sink.awards), err)
			}
			return
		}
		if report.Valid+report.Invalid != report.Rows || len(sink.awards) != report.Valid {
			t.Fatalf("%d imported, %+v", len(sink.awards), report)
		}
		for _, p := range report.Problems {
			if p.Line < 1 || len(p.String()) > 200 || !utf8.ValidString(p.String()) {
				t.Errorf("problem %q", p)
			}
		}
		if report.Invalid == 0 {
			if _, err := os.Stat(report.RejectedFile); report.RejectedFile != "" || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("nothing rejected, into %q: %v", report.RejectedFile, err)
			}
			return
		}
		again, err := Import(t.Context(), report.RejectedFile, &fakeSink{}, ImportOptions{SkipInvalid: true, DecidedAt: testTime})
		if err != nil && !errors.Is(err, ErrInvalidRows) {
			t.Fatalf("the rejected rows cannot be read: %v", err)
		}
		if again.Rows < report.Invalid && !bytes.ContainsAny(content, "\"\r") {
			t.Errorf("%d rows rejected, %d in the file", report.Invalid, again.Rows)
		}
	})
}
