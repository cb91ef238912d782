package console_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

// picture is a PNG of one colour.
func picture(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 240, 120))
	for x := range 240 {
		for y := range 120 {
			img.Set(x, y, color.RGBA{R: 40, G: 120, B: 90, A: 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// slackFile uploads a file to a conversation.
func (w *world) slackFile(t *testing.T, channel, name, title string, data []byte) string {
	t.Helper()
	api := slack.New(w.slack.Config().BotToken, slack.OptionAPIURL(w.slack.APIURL()), slack.OptionHTTPClient(&http.Client{Timeout: 10 * time.Second}))
	up, err := api.UploadFileContext(t.Context(), slack.UploadFileParameters{
		Filename: name, Title: title, FileSize: len(data), Reader: bytes.NewReader(data), Channel: channel, InitialComment: "Look",
	})
	if err != nil {
		t.Fatal(err)
	}
	return up.ID
}

type upload struct {
	name string
	data []byte
}

// discordFiles sends a message with files.
func (w *world) discordFiles(t *testing.T, channel, payload string, files ...upload) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	err := form.WriteField("payload_json", payload)
	for i, f := range files {
		if err != nil {
			break
		}
		var part io.Writer
		if part, err = form.CreateFormFile(fmt.Sprintf("files[%d]", i), f.name); err == nil {
			_, err = part.Write(f.data)
		}
	}
	if err != nil || form.Close() != nil {
		t.Fatal("write form")
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.discord.BaseURL()+"/api/v10/channels/"+channel+"/messages", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bot "+w.discord.BotToken())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
}

// TestBrowserFiles shows pictures, and offers what is no picture for saving.
func TestBrowserFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data, dm := picture(t), w.slack.DM(adaSlack)
	shown := w.slackFile(t, dm, "badge.png", "A badge", data)
	w.slackFile(t, dm, "notes.txt", "Some notes", []byte("words"))
	if err := w.slackAPI("chat.postMessage", obj{"channel": dm, "text": "x", "blocks": []obj{
		{"type": "image", "alt_text": "A laurel", "title": words("In a block"), "slack_file": obj{"id": shown}},
	}}); err != nil {
		t.Fatal(err)
	}
	direct, badge, notes := w.discord.DM(w.ada), upload{"badge.png", data}, upload{"notes.txt", []byte("words")}
	w.discordFiles(t, direct, `{"content":"Look","attachments":[{"id":"0","description":"A laurel"}]}`, badge, notes)
	w.discordFiles(t, direct, `{"flags":32768,"components":[{"type":12,"items":[{"media":{"url":"attachment://badge.png"}}]},{"type":13,"file":{"url":"attachment://notes.txt"}}]}`, badge, notes)
	w.discordFiles(t, direct, `{"embeds":[{"title":"Embedded","image":{"url":"attachment://badge.png"}}]}`, badge)

	p := open(t, w.url, 1440, 1000)
	loaded := func(selector string, n int) {
		t.Helper()
		p.see(fmt.Sprintf(`[...document.querySelectorAll(%q)].filter((i) => { i.scrollIntoView(); return i.naturalWidth === 240; }).length === %d`, selector, n))
	}
	loaded("#part-slack .block-image img", 2)
	p.text("#part-slack figcaption", "A badge")
	p.text("#part-slack a[download]", "Some notes")
	loaded("#part-discord .gallery img", 2)
	loaded("#part-discord .embed-image", 1)
	p.see(`document.querySelectorAll("#part-discord .file a").length === 2`)
	p.shot("shown")
	p.fits()
	p.calm()
}
