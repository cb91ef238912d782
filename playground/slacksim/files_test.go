package slacksim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// picture is a small PNG.
func picture(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// fetch makes a bare request and returns status, headers and body.
func fetch(t *testing.T, method, address, token string, body []byte) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(data)
}

// TestFileByGoClient uploads a picture with an unchanged client, which sends a
// form, and looks at it from all sides.
func TestFileByGoClient(t *testing.T) {
	t.Parallel()
	sim, api := start(t, func(c *slacksim.Config) { c.Scopes = everything })
	ctx, data := t.Context(), picture(t)
	up, err := api.UploadFileContext(ctx, slack.UploadFileParameters{
		Filename: "badge.png", Title: "A badge", AltTxt: "A laurel", FileSize: len(data), Reader: bytes.NewReader(data),
		Channel: team, InitialComment: "Look",
	})
	if err != nil {
		t.Fatal(err)
	}
	messages := sim.Messages(team, ada)
	if len(messages) != 1 || messages[0].Text != "Look" || messages[0].User != sim.Config().BotUserID || len(messages[0].Files) != 1 {
		t.Fatalf("the channel holds %+v", messages)
	}
	want := slacksim.File{ID: up.ID, Name: "badge.png", Title: "A badge", Mimetype: "image/png", Size: len(data), AltText: "A laurel"}
	if messages[0].Files[0] != want {
		t.Errorf("shown as %+v", messages[0].Files[0])
	}
	info, _, _, err := api.GetFileInfoContext(ctx, up.ID, 0, 0)
	if err != nil || info.OriginalW != 3 || info.OriginalH != 2 || info.Mimetype != "image/png" || !info.IsPublic ||
		len(info.Channels) != 1 || len(info.Shares.Public[team]) != 1 || info.Shares.Public[team][0].Ts != messages[0].TS {
		t.Errorf("files.info: %+v, %v", info, err)
	}
	var got bytes.Buffer
	if err := api.GetFileContext(ctx, info.URLPrivate, &got); err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Errorf("the private address gave %d bytes, %v", got.Len(), err)
	}
	if status, _, _ := fetch(t, http.MethodGet, info.URLPrivate, "", nil); status != http.StatusFound {
		t.Errorf("without a token: %d", status)
	}

	// The page shows it to people of the workspace.
	page := httptest.NewServer(sim.ConsoleHandler())
	defer page.Close()
	status, header, body := fetch(t, http.MethodGet, page.URL+"/files/"+up.ID+"?user="+ada, "", nil)
	if status != http.StatusOK || header.Get("Content-Type") != "image/png" || body != string(data) {
		t.Errorf("on the page: %d %v", status, header)
	}
	if status, _, _ := fetch(t, http.MethodGet, page.URL+"/files/"+up.ID+"?user=U0STRANGER", "", nil); status != http.StatusNotFound {
		t.Errorf("for a stranger: %d", status)
	}

	// Blocks show it, and only it.
	show := func(file string) error {
		_, _, err := api.PostMessageContext(ctx, team, slack.MsgOptionText("x", false),
			slack.MsgOptionBlocks(slack.NewImageBlockSlackFile(&slack.SlackFileObject{ID: file}, "A laurel", "", nil)))
		return err
	}
	if err := show(up.ID); err != nil {
		t.Errorf("in a block: %v", err)
	}
	if err := show("F0000NOONE"); code(err) != "invalid_blocks" {
		t.Errorf("an unknown file in a block: %v", err)
	}
	if err := show(sim.AddFile("notes.txt", "Notes", []byte("words"))); code(err) != "invalid_blocks" {
		t.Errorf("a text in a block: %v", err)
	}

	if err := api.DeleteFileContext(ctx, up.ID); err != nil {
		t.Fatal(err)
	}
	if m := sim.Messages(team, ada)[0]; !m.Files[0].Deleted || m.Revision != 1 {
		t.Errorf("after deletion %+v", m)
	}
	for name, err := range map[string]error{"again": api.DeleteFileContext(ctx, up.ID), "in a block": show(up.ID)} {
		if err == nil {
			t.Errorf("deleted, %s: no error", name)
		}
	}
}

// TestUploadRefusals walks the three steps with everything that can be wrong.
func TestUploadRefusals(t *testing.T) {
	t.Parallel()
	sim := populated(t)
	token := sim.Config().BotToken
	ask := func(form url.Values) map[string]any { return get(t, sim, "files.getUploadURLExternal", form) }
	for _, tt := range []struct {
		code string
		form url.Values
	}{
		{"invalid_arguments", url.Values{"length": {"3"}}},
		{"invalid_arguments", url.Values{"filename": {"a.txt"}}},
		{"invalid_arguments", url.Values{"filename": {"a.txt"}, "length": {"0"}}},
		{"alt_txt_too_large", url.Values{"filename": {"a.png"}, "length": {"3"}, "alt_txt": {strings.Repeat("x", 1001)}}},
		{"file_upload_size_restricted", url.Values{"filename": {"a.png"}, "length": {fmt.Sprint(slacksim.FileMax + 1)}}},
	} {
		if got := ask(tt.form); got["error"] != tt.code {
			t.Errorf("%v: %v, want %s", tt.form, got, tt.code)
		}
	}
	asked := ask(url.Values{"filename": {"Notes 1.txt"}, "length": {"5"}})
	address, _ := asked["upload_url"].(string)
	id, _ := asked["file_id"].(string)
	complete := func(form map[string]any) any {
		body, err := json.Marshal(form)
		if err != nil {
			t.Fatal(err)
		}
		return call(t, sim, "files.completeUploadExternal", token, string(body))["error"]
	}
	files := []any{map[string]any{"id": id, "title": "Notes"}}
	if got := complete(map[string]any{"files": files}); got != "file_update_failed" {
		t.Errorf("before the upload: %v", got)
	}
	for _, tt := range []struct {
		address, body string
		status        int
	}{
		{address, "four", http.StatusBadRequest},
		{address + "x", "words", http.StatusNotFound},
		{address, strings.Repeat("x", slacksim.FileMax+128<<10), http.StatusRequestEntityTooLarge},
		{address, "words", http.StatusOK},
	} {
		status, _, body := fetch(t, http.MethodPost, tt.address, "", []byte(tt.body))
		if status != tt.status || status == http.StatusOK && body != "OK - 5" {
			t.Errorf("upload of %d bytes: %d %s", len(tt.body), status, body)
		}
	}
	for _, tt := range []struct {
		name string
		form map[string]any
		want any
	}{
		{"no files", map[string]any{}, "invalid_arguments"},
		{"none named", map[string]any{"files": []any{}}, "invalid_arguments"},
		{"unknown file", map[string]any{"files": []any{map[string]any{"id": "F1"}}}, "file_not_found"},
		{"unknown channel", map[string]any{"files": files, "channel_id": "C999"}, "channel_not_found"},
		{"not a member", map[string]any{"files": files, "channel_id": "C0000OTHER"}, "not_in_channel"},
		{"archived", map[string]any{"files": files, "channel_id": "C000000OLD"}, "is_archived"},
		{"bad thread", map[string]any{"files": files, "channel_id": team, "thread_ts": "1"}, "invalid_thread_ts"},
		{"bad blocks", map[string]any{"files": files, "channel_id": team, "blocks": []any{map[string]any{"type": "x"}}}, "invalid_blocks"},
		{"with blocks", map[string]any{"files": files, "channel_id": team, "blocks": []any{map[string]any{"type": "divider"}}}, nil},
		{"twice", map[string]any{"files": files, "channel_id": team}, "file_update_failed"},
	} {
		if got := complete(tt.form); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if m := sim.Messages(team, ada); len(m) != 1 || m[0].Text != "" || !strings.Contains(string(m[0].Blocks), "divider") || m[0].Files[0].Title != "Notes" {
		t.Errorf("the channel holds %+v", m)
	}
	if data, ok := sim.FileData(id); !ok || string(data) != "words" {
		t.Errorf("kept %q, %t", data, ok)
	}
	if got := call(t, sim, "files.upload", token, `{}`); got["error"] != "method_deprecated" {
		t.Errorf("files.upload: %v", got)
	}
	for _, e := range sim.Log() {
		if strings.Contains(e.Path+e.Response, "upload/v1/rsec") {
			t.Errorf("the log tells an upload address: %s %s", e.Path, e.Response)
		}
	}
	// What was announced and never came keeps its room for an hour.
	large := url.Values{"filename": {"a.png"}, "length": {fmt.Sprint(slacksim.FileMax)}}
	for range 7 {
		if got := ask(large); got["ok"] != true {
			t.Fatalf("a large file: %v", got)
		}
	}
	if got := ask(large); got["error"] != "storage_limit_reached" {
		t.Errorf("too much: %v", got)
	}
	sim.Config().Clock.Advance(61 * time.Minute)
	if got := ask(large); got["ok"] != true {
		t.Errorf("an hour later: %v", got)
	}
	poor, _ := start(t, nil)
	if got := get(t, poor, "files.getUploadURLExternal", url.Values{"filename": {"a"}, "length": {"1"}}); got["error"] != "missing_scope" || got["needed"] != "files:write" {
		t.Errorf("without the scope: %v", got)
	}
}
