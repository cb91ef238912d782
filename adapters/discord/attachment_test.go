package discord

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// pictured is a card with a picture.
func pictured() chat.Card {
	c := aCard
	c.Picture = &chat.Picture{PNG: []byte("\x89PNG and more"), Name: "chart.png", Alt: "Bar chart: Earned 2"}
	return c
}

// parts reads a body with a file.
func parts(t *testing.T, body []byte) (payload, file []byte) {
	t.Helper()
	boundary, _, _ := strings.Cut(strings.TrimPrefix(string(body), "--"), "\r\n")
	form, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if len(form.File["files[0]"]) != 1 || len(form.Value["payload_json"]) != 1 {
		t.Fatalf("the form has %+v", form)
	}
	f, err := form.File["files[0]"][0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if file, err = io.ReadAll(f); err != nil {
		t.Fatal(err)
	}
	return []byte(form.Value["payload_json"][0]), file
}

// A message and its edit carry the picture with the words; answers to
// interactions leave it out.
func TestPictureTravelsWithItsMessage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	p, err := f.Direct(t.Context(), core.ChannelIdentity(Platform, "", testChan), pictured(), "k", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Show(t.Context(), p, pictured(), "k"); err != nil {
		t.Fatal(err)
	}
	calls := f.api.all()
	if len(calls) != 2 {
		t.Fatalf("%d calls", len(calls))
	}
	for i, schema := range []string{"MessageCreateRequest", "MessageEditRequestPartial"} {
		payload, file := parts(t, calls[i].body)
		checkSchema(t, schema, payload)
		var m message
		if err := json.Unmarshal(payload, &m); err != nil {
			t.Fatal(err)
		}
		shown := string(payload)
		if string(file) != "\x89PNG and more" || len(m.Attachments) != 1 || m.Attachments[0].Description != "Bar chart: Earned 2" ||
			!strings.Contains(shown, `"type":12,"items":[{"media":{"url":"attachment://chart.png"}`) {
			t.Errorf("%s: %s", schema, shown)
		}
		if (i == 0) != (m.Nonce != "" && m.EnforceNonce) {
			t.Errorf("%s: nonce %q", schema, m.Nonce)
		}
	}
	if _, err := f.Show(t.Context(), originalPlace(false), pictured(), "k"); err != nil {
		t.Fatal(err)
	}
	if body := string(f.api.all()[2].body); strings.Contains(body, "attachment") || body[0] != '{' {
		t.Errorf("an answer to an interaction: %s", body)
	}
}

// Where files may not be sent, the card goes without.
func TestCardGoesWithoutItsPicture(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{`50013`: 2, `40005`: 2, `50001`: 1, `50035`: 1} {
		f := newFixture(t, nil)
		f.api.answer = func(c call) (int, map[string]string, string) {
			if bytes.HasPrefix(c.body, []byte("--")) {
				return http.StatusForbidden, nil, `{"code":` + code + `,"message":"no"}`
			}
			return 0, nil, ""
		}
		_, err := f.Direct(t.Context(), core.ChannelIdentity(Platform, "", testChan), pictured(), "k", time.Time{})
		calls := f.api.all()
		if len(calls) != want || (err == nil) != (want == 2) {
			t.Errorf("%s: %d calls, %v", code, len(calls), err)
		}
		if want == 2 && strings.Contains(string(calls[1].body), "attachment") {
			t.Errorf("%s: %s", code, calls[1].body)
		}
	}
	for name, p := range map[string]*chat.Picture{
		"none": nil, "empty": {Name: "a.png"}, "strange name": {PNG: []byte("x"), Name: `a".png`}, "large": {PNG: make([]byte, maxPicture+1), Name: "a.png"},
	} {
		c := aCard
		c.Picture = p
		if m := cardMessage(c); m.picture != nil || len(m.Attachments) > 0 {
			t.Errorf("%s: %+v", name, m.Attachments)
		}
	}
}
