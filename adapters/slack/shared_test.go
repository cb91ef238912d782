package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// shortcut is a message shortcut as Slack sends it.
func (b *bench) shortcut(message string) map[string]any {
	var m any
	if err := json.Unmarshal([]byte(message), &m); err != nil {
		b.slack.tb.Fatal(err)
	}
	return map[string]any{
		"type": "message_action", "token": "old", "action_ts": "1700000001.000200", "callback_id": verifyShortcut,
		"team": map[string]any{"id": "T1", "domain": "example"}, "enterprise": nil, "is_enterprise_install": false,
		"user":    map[string]any{"id": "U1", "username": "ada", "team_id": "T1", "name": "ada"},
		"channel": map[string]any{"id": "C1", "name": "directmessage"}, "trigger_id": "55.66.ee",
		"response_url": b.slack.hook(), "message_ts": "1700000000.000100", "message": m,
	}
}

func TestMessageShortcut(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{Card: card("Verdict")})
	w := b.interact(b.shortcut(`{"type":"message","ts":"1700000000.000100","user":"U2","text":"see <https://example.org/b?a=1&amp;b=2|here> <@U1> <!here> <mailto:x@example.org|x> <#C1|team>",
		"files":[{"id":"F1","name":"badge.png","size":12,"mode":"hosted","url_private":"https://files.slack.com/files-pri/T1-F1/badge.png","url_private_download":"https://files.slack.com/files-pri/T1-F1/download/badge.png"},
			{"id":"F2","mode":"tombstone"}],
		"blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"link","url":"https://example.org/2"},{"type":"user","user_id":"U1"}]}]},
			{"type":"section","text":{"type":"mrkdwn","text":"<http://example.org/3>"},"accessory":{"type":"button","url":"https://example.org/4"}},
			{"type":"image","image_url":"https://example.org/picture.png"}],
		"attachments":[{"title_link":"https://example.org/5","thumb_url":"https://example.org/t.png"}]}`))
	if w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Fatalf("got status %d and %q", w.Code, w.Body)
	}
	// The chosen message stays as it is, whoever wrote it.
	if c := b.slack.expect("hook"); c.text() != "Verdict" || c.json["replace_original"] != false || c.json["response_type"] != "ephemeral" {
		t.Errorf("got %+v", c)
	}
	a := b.handler.got(t)
	if a.Verb != chat.VerbVerify || a.Source != chat.SourcePress || a.Arg != "" || a.Key != "slack:55.66.ee" || a.MessageKey != "" || a.Reply.Shown {
		t.Errorf("got %+v", a)
	}
	want := []string{"https://example.org/b?a=1&b=2", "https://example.org/2", "http://example.org/3", "https://example.org/4", "https://example.org/5"}
	if !slices.Equal(a.Links, want) {
		t.Errorf("links %q", a.Links)
	}
	if len(a.Files) != 2 || a.Files[0].Name != "badge.png" || a.Files[0].Size != 12 || !strings.HasSuffix(a.Files[0].Ref.Reveal(), "/download/badge.png") || a.Files[1].Ref != "id:T1:F2" {
		t.Errorf("files %+v", a.Files)
	}
}

// Whatever stands in the chosen message, the person is answered.
func TestMessageShortcutOfAnyShape(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"elements":[`, 200) + strings.Repeat(`]}`, 200)
	for name, message := range map[string]string{
		"nothing": `{}`, "null": `null`, "wrong types": `{"text":7,"blocks":"x","attachments":{"text":[]},"files":[7,null,[],{"name":1,"size":"9","url_private":[]}]}`,
		"files no list": `{"text":"<https://example.org/1>","files":{"a":1}}`, "deep": `{"blocks":[` + deep + `]}`,
		"size": `{"files":[{"size":-1},{"size":1e300}]}`, "NUL": `{"text":"<https://example.org/\u0000>","files":[{"name":"\u0000","url_private":"\u0000"}]}`,
		"many": `{"text":"` + strings.Repeat("<https://example.org/x>", 500) + `"}`,
	} {
		b := newBench(t, chat.Answer{Card: card("Verdict")})
		if w := b.interact(b.shortcut(message)); w.Code != http.StatusOK {
			t.Errorf("%s: got status %d", name, w.Code)
			continue
		}
		b.slack.expect("hook")
		a := b.handler.got(t)
		if len(a.Links) > maxShared || len(a.Files) > maxShared {
			t.Errorf("%s: %d links, %d files", name, len(a.Links), len(a.Files))
		}
		for _, f := range a.Files {
			if !cleanText(f.Name+f.Ref.Reveal()) || f.Size < 0 {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
	b := newBench(t, chat.Answer{Card: card("Verdict")})
	for name, change := range map[string]func(map[string]any){
		"no trigger": func(p map[string]any) { delete(p, "trigger_id") }, "foreign answer": func(p map[string]any) { p["response_url"] = "https://example.org/x" },
		"nobody": func(p map[string]any) { p["user"] = map[string]any{} }, "odd channel": func(p map[string]any) { p["channel"] = map[string]any{"id": "../x"} },
		"channel no object": func(p map[string]any) { p["channel"] = 7 }, "message no object": func(p map[string]any) { p["message"] = "x" },
	} {
		p := b.shortcut(`{}`)
		change(p)
		if w := b.interact(p); w.Code != http.StatusBadRequest {
			t.Errorf("%s: got status %d", name, w.Code)
		}
	}
	other := b.shortcut(`{}`)
	other["callback_id"] = "juggle"
	if w := b.interact(other); w.Code != http.StatusOK || len(b.handler.actions) != 0 {
		t.Errorf("of another app: %d", w.Code)
	}
}

// What takes long is announced; its answer follows where a person looks.
func TestAnswerThatIsAnnounced(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	release := make(chan struct{})
	b.handler.handle = func(context.Context, chat.Action) chat.Answer {
		return chat.Answer{Card: card("Checking"), Then: func(context.Context) chat.Answer {
			<-release
			return chat.Answer{Card: card("Verdict")}
		}}
	}
	begin := time.Now()
	w := b.command(b.commandForm("verify https://example.org/x"))
	if body := decode(t, w.Body.Bytes()); body["text"] != "Checking" || time.Since(begin) > 1900*time.Millisecond {
		t.Errorf("got %v after %v", body, time.Since(begin))
	}
	release <- struct{}{}
	if c := b.slack.expect("hook"); c.text() != "Verdict" {
		t.Errorf("got %+v", c)
	}
	// A pressed message is replaced twice, and in order.
	b.interact(b.press("verify:1", true))
	if c := b.slack.expect("hook"); c.text() != "Checking" || c.json["replace_original"] != true {
		t.Errorf("got %+v", c)
	}
	release <- struct{}{}
	if c := b.slack.expect("hook"); c.text() != "Verdict" || c.json["replace_original"] != true {
		t.Errorf("got %+v", c)
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	began := make(chan struct{}, 1)
	b := newBench(t, chat.Answer{})
	at := b.slack.server.URL + "/files-pri/T1-F1/download/badge.png"
	serve := func(kind string, status int, body io.Reader) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.Copy(w, body)
		}
	}
	large := func() io.Reader { return io.LimitReader(zeros{}, core.MaxBadgeFileBytes+2) }
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   error
	}{
		{"good", serve("image/png", 200, strings.NewReader("data")), nil},
		{"as large as may be", serve("image/png", 200, io.LimitReader(zeros{}, core.MaxBadgeFileBytes)), nil},
		{"too large", serve("image/png", 200, large()), chat.ErrFileTooLarge},
		{"said to be too large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(core.MaxBadgeFileBytes+1))
		}, chat.ErrFileTooLarge},
		{"page to sign in", serve("text/html; charset=utf-8", 200, strings.NewReader("<html>")), chat.ErrNoFile},
		{"sent to sign in", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, at+"2", http.StatusFound) }, chat.ErrNoFile},
		{"gone", serve("", 404, strings.NewReader("")), chat.ErrNoFile},
		{"busy", serve("", 429, strings.NewReader("")), errAny},
		{"down", serve("", 503, strings.NewReader("")), errAny},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "da")
		}, errAny},
		{"slow", func(_ http.ResponseWriter, r *http.Request) {
			began <- struct{}{}
			<-r.Context().Done()
		}, errAny},
	} {
		b.slack.once("hook", tt.answer)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if tt.name == "slow" {
			// The time is over while the host keeps the bot waiting.
			go func() { <-began; cancel() }()
		}
		data, err := b.File(ctx, chat.FileRef{Ref: core.Secret(at)})
		cancel()
		if !errors.Is(err, tt.want) && (!errors.Is(tt.want, errAny) || err == nil || errors.Is(err, chat.ErrNoFile) || errors.Is(err, chat.ErrFileTooLarge)) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if err == nil && tt.name == "good" && string(data) != "data" {
			t.Errorf("%s: %q", tt.name, data)
		}
		if err != nil && (strings.Contains(err.Error(), "F1") || strings.Contains(err.Error(), "127.0.0.1")) {
			t.Errorf("%s: the error tells the address: %v", tt.name, err)
		}
		if c := b.slack.expect("hook"); c.auth != "Bearer "+testToken.Reveal() {
			t.Errorf("%s: asked with %q", tt.name, c.auth)
		}
		b.slack.expectNothing()
	}
	if _, err := b.File(t.Context(), chat.FileRef{Ref: core.Secret(at), Size: core.MaxBadgeFileBytes + 1}); !errors.Is(err, chat.ErrFileTooLarge) {
		t.Errorf("known to be too large: %v", err)
	}
	b.slack.expectNothing()
}

// Of a file of another organisation Slack tells the id only.
func TestFileByID(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	for _, tt := range []struct {
		name, answer string
		status       int
		want         error
	}{
		{"good", `{"ok":true,"file":{"id":"F1","url_private_download":"` + b.slack.server.URL + `/files-pri/x"}}`, 200, nil},
		{"no address to download from", `{"ok":true,"file":{"id":"F1","url_private":"` + b.slack.server.URL + `/files-pri/x"}}`, 200, nil},
		{"elsewhere", `{"ok":true,"file":{"id":"F1","url_private":"https://drive.example.com/x"}}`, 200, chat.ErrNoFile},
		{"deleted", `{"ok":false,"error":"file_deleted"}`, 200, chat.ErrNoFile},
		{"not allowed", `{"ok":false,"error":"missing_scope","needed":"files:read"}`, 200, chat.ErrNoFile},
		{"down", `no`, 503, errAny},
	} {
		b.slack.once("files.info", says(tt.status, tt.answer))
		_, err := b.File(t.Context(), chat.FileRef{Ref: "id:T1:F1"})
		if !errors.Is(err, tt.want) && (!errors.Is(tt.want, errAny) || err == nil || errors.Is(err, chat.ErrNoFile)) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if c := b.slack.expect("files.info"); c.form.Get("file") != "F1" {
			t.Errorf("%s: asked for %v", tt.name, c.form)
		}
		if tt.want == nil {
			b.slack.expect("hook")
		}
		b.slack.expectNothing()
	}
}

var errAny = errors.New("any other")

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// elsewhere notes where requests would go.
type elsewhere struct{ hosts []string }

func (e *elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	e.hosts = append(e.hosts, r.URL.Scheme+"://"+r.URL.Host+" "+r.Header.Get("Authorization"))
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte("x"))), Request: r}, nil
}

// The token goes to Slack's own hosts and nowhere else.
func TestFileComesFromSlackOnly(t *testing.T) {
	t.Parallel()
	var e elsewhere
	b := newBench(t, chat.Answer{}, func(c *Config) { c.APIURL, c.Transport = "", &e })
	for _, link := range []string{"https://files.slack.com/files-pri/T1-F1/b.png", "https://slack.com/files-pri/T1-F1/b.png"} {
		if _, err := b.File(t.Context(), chat.FileRef{Ref: core.Secret(link)}); err != nil {
			t.Errorf("%s: %v", link, err)
		}
	}
	if len(e.hosts) != 2 || !strings.HasSuffix(e.hosts[0], "Bearer "+testToken.Reveal()) {
		t.Errorf("asked %q", e.hosts)
	}
	for _, link := range []string{
		"", "x", "http://files.slack.com/x", "https://files.slack.com.example.org/x", "https://files.slack.com:8443/x", "https://evil.example.com/files.slack.com",
		"https://user@files.slack.com/x", "https://FILES.slack.com@evil.example.com/x", "//files.slack.com/x", "https://127.0.0.1/x", "https://drive.google.com/x",
		"file:///etc/passwd", "https://files.slack.com\\@evil.example.com/x", "https:files.slack.com",
		// The address of a remote file is what its adder named: never a method.
		"https://slack.com/api/auth.revoke", "https://slack.com/api/chat.postMessage?channel=C1&text=x", "https://files.slack.com/api/files.delete?file=F1",
		"https://slack.com/files-pri/../api/auth.revoke", "https://slack.com/files-pri/%2e%2e/api/auth.revoke", "https://slack.com/files-pri//../api/auth.revoke",
		"https://slack.com/files-pri/..%2fapi/auth.revoke", "https://slack.com/", "https://slack.com",
	} {
		if _, err := b.File(t.Context(), chat.FileRef{Ref: core.Secret(link)}); !errors.Is(err, chat.ErrNoFile) {
			t.Errorf("%s: %v", link, err)
		}
	}
	if len(e.hosts) != 2 {
		t.Errorf("asked %q", e.hosts)
	}
}
