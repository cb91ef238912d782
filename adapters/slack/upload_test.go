package slack

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// pictured is a card with a picture of a width.
func pictured(t *testing.T, width int) chat.Card {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, width, 2))); err != nil {
		t.Fatal(err)
	}
	c := *card("Digest")
	c.Picture = &chat.Picture{PNG: out.Bytes(), Name: "chart.png", Alt: "Bar chart: Earned 2"}
	return c
}

func channel() core.Identity { return core.ChannelIdentity(Platform, "T1", "C0TEAM") }

// A picture is uploaded once and shown by everything that shows it; an edit
// with another one shows that.
func TestPictureIsUploadedOnce(t *testing.T) {
	t.Parallel()
	sim, err := slacksim.Start(slacksim.Config{Scopes: []string{"chat:write", "files:write"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	sim.AddChannel("C0TEAM", "team", sim.Config().BotUserID)
	b := newBench(t, chat.Answer{}, func(c *Config) {
		c.APIURL, c.BotToken = sim.APIURL(), core.Secret(sim.Config().BotToken)
	})
	at, err := b.Direct(t.Context(), channel(), pictured(t, 3), "k1", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Show(t.Context(), at, pictured(t, 3), "k1"); err != nil {
		t.Fatal(err)
	}
	if n := sim.Answers("files.getUploadURLExternal").OK; n != 1 {
		t.Errorf("%d uploads of one picture", n)
	}
	if _, err := b.Show(t.Context(), at, pictured(t, 4), "k1"); err != nil {
		t.Fatal(err)
	}
	messages := sim.Messages("C0TEAM", "")
	if len(messages) != 1 {
		t.Fatalf("%d messages", len(messages))
	}
	blocks := string(messages[0].Blocks)
	_, id, _ := strings.Cut(blocks, `"slack_file":{"id":"`)
	id, _, _ = strings.Cut(id, `"`)
	data, ok := sim.FileData(id)
	if size, err := png.DecodeConfig(bytes.NewReader(data)); !ok || err != nil || size.Width != 4 {
		t.Errorf("shown is %q: %v in %s", id, err, blocks)
	}
	if !strings.Contains(blocks, `"alt_text":"Bar chart: Earned 2"`) {
		t.Errorf("no words: %s", blocks)
	}
	for _, e := range sim.Log() {
		if strings.Contains(e.Path, "/upload/") && e.Status != 200 {
			t.Errorf("upload: %+v", e)
		}
	}
}

// Bytes go to Slack only, and without the token; where Slack says anything
// else, the card goes without its picture.
func TestUploadGoesToSlackOnly(t *testing.T) {
	t.Parallel()
	for _, link := range []string{
		"https://files.slack.com.example.org/upload/v1/x", "http://files.slack.com/upload/v1/x", "https://user@files.slack.com/upload/v1/x",
		"https://example.org/upload/v1/x", "file:///etc/passwd", "", "https://files.slack.com/" + strings.Repeat("x", maxUploadURL),
	} {
		b := newBench(t, chat.Answer{})
		b.slack.once("files.getUploadURLExternal", says(200, fmt.Sprintf(`{"ok":true,"upload_url":%q,"file_id":"F1"}`, link)))
		if _, err := b.Direct(t.Context(), channel(), pictured(t, 3), "k", time.Time{}); err != nil {
			t.Errorf("%q: %v", link, err)
		}
		if c := b.slack.expect("files.getUploadURLExternal"); c.form.Get("alt_txt") != "Bar chart: Earned 2" {
			t.Errorf("asked with %v", c.form)
		}
		if c := b.slack.expect("chat.postMessage"); strings.Contains(c.form.Get("blocks"), "slack_file") {
			t.Errorf("%q: %v", link, c.form)
		}
		b.slack.expectNothing()
	}
	b := newBench(t, chat.Answer{})
	for link, want := range map[string]bool{
		"https://files.slack.com/upload/v1/abc": true, b.slack.server.URL + "/upload/v1/abc": true, "https://hooks.slack.com/x": false,
	} {
		if got := b.allowedUpload(link); got != want {
			t.Errorf("%s: %t", link, got)
		}
	}
	b.slack.once("files.getUploadURLExternal", says(200, fmt.Sprintf(`{"ok":true,"upload_url":%q,"file_id":"F1"}`, b.slack.server.URL+"/hooks/up")))
	b.slack.once("hook", says(200, "OK - 9"))
	b.slack.once("files.completeUploadExternal", says(200, `{"ok":true,"files":[{"id":"F1"}]}`))
	if _, err := b.Direct(t.Context(), channel(), pictured(t, 3), "k", time.Time{}); err != nil {
		t.Fatal(err)
	}
	b.slack.expect("files.getUploadURLExternal")
	if c := b.slack.expect("hook"); c.auth != "" {
		t.Errorf("the token went along: %q", c.auth)
	}
	b.slack.expect("files.completeUploadExternal")
	if c := b.slack.expect("chat.postMessage"); !strings.Contains(c.form.Get("blocks"), `"slack_file":{"id":"F1"}`) {
		t.Errorf("not shown: %v", c.form)
	}
}

// What a refused upload means for the message.
func TestRefusedUpload(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer string
		status int
		late   time.Duration
		want   string // of the delivery, empty where it goes without
	}{
		{"no scope", `{"ok":false,"error":"missing_scope","needed":"files:write"}`, 200, 0, ""},
		{"no files wanted", `{"ok":false,"error":"file_uploads_disabled"}`, 200, 0, ""},
		{"no room", `{"ok":false,"error":"storage_limit_reached"}`, 200, 0, ""},
		{"limited", `{"ok":false,"error":"ratelimited"}`, 200, time.Hour, "retry_later ratelimited"},
		{"dead", `{"ok":false,"error":"token_revoked"}`, 200, time.Hour, "installation_dead token_revoked"},
		{"away", `sorry`, 503, 0, "temporary http_503"},
		{"away for long", `sorry`, 503, pictureGrace, ""},
	} {
		b := newBench(t, chat.Answer{})
		b.slack.once("files.getUploadURLExternal", says(tt.status, tt.answer))
		var first time.Time
		if tt.late > 0 {
			first = b.clock.Now().Add(-tt.late)
		}
		_, err := b.Direct(t.Context(), channel(), pictured(t, 3), "k", first)
		if tt.want == "" && err != nil || tt.want != "" && classAndCode(err) != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A file that Slack has not worked off yet holds the message up for some tries
// or a minute, and is not uploaded again; then it goes without.
func TestFileIsNotReadyYet(t *testing.T) {
	t.Parallel()
	const notReady = `{"ok":false,"error":"invalid_blocks"}`
	for name, tt := range map[string]struct {
		refusals int
		late     time.Duration
		// held is how many attempts fail, shown whether the last one has the
		// picture.
		held  int
		shown bool
	}{
		"at once":        {0, 0, 0, true},
		"soon":           {2, 0, 2, true},
		"at the last":    {pictureRefusals - 1, 0, pictureRefusals - 1, true},
		"never":          {pictureRefusals, 0, pictureRefusals - 1, false},
		"not for a long": {1, pictureGrace, 0, false},
	} {
		b := newBench(t, chat.Answer{})
		up := b.slack.server.URL + "/hooks/up"
		b.slack.once("files.getUploadURLExternal", says(200, fmt.Sprintf(`{"ok":true,"upload_url":%q,"file_id":"F1"}`, up)))
		b.slack.once("files.completeUploadExternal", says(200, `{"ok":true,"files":[{"id":"F1"}]}`))
		for range tt.refusals {
			b.slack.once("chat.postMessage", says(200, notReady))
		}
		var first time.Time
		if tt.late > 0 {
			first = b.clock.Now().Add(-tt.late)
		}
		held := 0
		for {
			_, err := b.Direct(t.Context(), channel(), pictured(t, 3), "k", first)
			if err == nil {
				break
			}
			if held++; classAndCode(err) != "temporary file_not_ready" || held > pictureRefusals {
				t.Fatalf("%s: %v", name, err)
			}
		}
		var last call
		uploads := 0
		for len(b.slack.calls) > 0 {
			switch c := <-b.slack.calls; c.method {
			case "chat.postMessage":
				last = c
			case "files.getUploadURLExternal":
				uploads++
			}
		}
		if held != tt.held || uploads != 1 || strings.Contains(last.form.Get("blocks"), "slack_file") != tt.shown {
			t.Errorf("%s: held up %d times, %d uploads, at last %s", name, held, uploads, last.form.Get("blocks"))
		}
	}
}
