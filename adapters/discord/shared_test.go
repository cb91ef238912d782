package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

const fileLink = "https://cdn.discordapp.com/attachments/1/77/badge.png?ex=1&is=2&hm=3"

// aFile is an attachment as Discord tells it.
const aFile = `{"id":"77","filename":"badge.png","size":12,"url":"` + fileLink + `","proxy_url":"https://media.discordapp.net/attachments/1/77/badge.png","content_type":"image/png"}`

func theFile() chat.FileRef { return chat.FileRef{Name: "badge.png", Size: 12, Ref: fileLink} }

// onMessageMenu is a command that was chosen in the menu of a message.
func onMessageMenu(message string) string {
	return fmt.Sprintf(`,"data":{"id":"9","name":"Verify this badge","type":3,"target_id":%q,"resolved":{"messages":{%q:%s}}}`, testMsg, testMsg, message)
}

func TestLinksOfMessages(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		`{"content":"https://example.org/1"}`:                                                          "https://example.org/1",
		`{"content":"(see https://example.org/a_(b), https://example.org/c.) ok"}`:                     "https://example.org/a_(b) https://example.org/c",
		`{"content":"[x](https://example.org/1) **https://example.org/2** ||https://example.org/3||"}`: "https://example.org/1 https://example.org/2 https://example.org/3",
		`{"content":"[https://example.org/1](https://example.org/2)"}`:                                 "https://example.org/1 https://example.org/2",
		`{"content":"<https://example.org/1> ftp://x javascript:alert(1) https:// http://"}`:           "https://example.org/1",
		`{"components":[{"type":17,"components":[{"type":9,"components":[{"type":10,"content":"https://example.org/1"}],"accessory":{"type":2,"url":"https://example.org/2"}}]}]}`: "https://example.org/1 https://example.org/2",
		`{"embeds":[{"url":"https://example.org/1","image":{"url":"https://example.org/picture"},"fields":[{"name":"x","value":"https://example.org/2"}]}]}`:                       "https://example.org/1 https://example.org/2",
		`{"message_snapshots":[{"message":{"content":"https://example.org/1"}}]}`:                                                                                                  "https://example.org/1",
		`{"content":7,"embeds":{},"components":"x","message_snapshots":7}`:                                                                                                         "",
		`null`: "", `[]`: "", `"x"`: "",
		strings.Repeat(`{"components":[`, 100) + strings.Repeat(`]}`, 100): "",
	} {
		var m any
		if err := json.Unmarshal([]byte(message), &m); err != nil {
			t.Fatal(err)
		}
		object, _ := m.(map[string]any)
		if got := strings.Join(linksOf(object), " "); got != want {
			t.Errorf("%s: %q, want %q", message, got, want)
		}
	}
}

// Whatever is resolved, the command is understood.
func TestSharedOfAnyShape(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		onMessageMenu(`null`), onMessageMenu(`7`), onMessageMenu(`{"content":{},"attachments":{"a":1}}`),
		onMessageMenu(`{"attachments":[{"size":-1,"filename":7,"url":true},{"size":1e300},null]}`),
		`,"data":{"name":"Verify this badge","type":3,"target_id":"","resolved":null}`, `,"data":{"name":"x","type":3,"target_id":"1","resolved":7}`,
		`,"data":{"name":"x","type":3,"target_id":"1","resolved":{"messages":[]}}`,
		`,"data":{"name":"badges","type":1,"resolved":[],"options":[{"name":"verify","type":1,"options":[{"name":"file","type":11,"value":7}]}]}`,
	} {
		in, err := decodeInteraction([]byte(inGuild(2, data)))
		if err != nil {
			t.Errorf("%s: %v", data, err)
			continue
		}
		act, err := (&Adapter{clock: &testClock{now: start}}).newAction(in)
		if err != nil || act.Verb != chat.VerbVerify {
			t.Errorf("%s: %+v, %v", data, act, err)
		}
		for _, f := range act.Files {
			if f.Size < 0 || f.Ref != "" {
				t.Errorf("%s: %+v", data, f)
			}
		}
	}
	// What is used strictly is refused as a whole.
	for _, data := range []string{`,"data":{"name":"x","type":"3"}`, `,"data":{"name":"x","type":3,"target_id":7}`} {
		if _, err := decodeInteraction([]byte(inGuild(2, data))); err == nil {
			t.Errorf("%s: taken", data)
		}
	}
}

// What takes long is announced by the first answer, which what follows
// replaces; a pressed message of somebody else is left as it is.
func TestAnswerThatIsAnnounced(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body  string
		where chat.Where
		first float64
		then  string
	}{
		"command":         {aCommand, chat.Here, callbackMessage, "/messages/@original"},
		"message":         {inGuild(2, onMessageMenu(`{}`)), chat.Aside, callbackMessage, "/messages/@original"},
		"press, in place": {aPress, chat.Here, callbackUpdate, "/messages/@original"},
		"press, aside":    {aPress, chat.Aside, callbackMessage, "/messages/@original"},
		"in a direct message": {
			inDM(3, press("claim:b1", flagComponentsV2)), chat.Here, callbackUpdate, "/channels/" + testChan + "/messages/" + testMsg,
		},
		"in a direct message, aside": {inDM(3, press("claim:b1", flagComponentsV2)), chat.Aside, callbackMessage, "/messages/@original"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			h := newTestHandler(func(chat.Action) chat.Answer {
				first, then := chat.Card{Title: "Checking"}, chat.Card{Title: "Verdict"}
				return chat.Answer{Card: &first, Where: tt.where, Then: func(context.Context) chat.Answer {
					<-release
					return chat.Answer{Card: &then, Where: tt.where}
				}}
			})
			f := newFixture(t, h)
			f.answerWithin = 50 * time.Millisecond
			cb := f.exchange(t, tt.body)
			data, err := json.Marshal(cb)
			if err != nil || cb["type"] != tt.first || !strings.Contains(string(data), "Checking") {
				t.Errorf("callback %s, %v", data, err)
			}
			close(release)
			c := receive(t, f.api.seen)
			if c.method != http.MethodPatch || !strings.HasSuffix(c.path, tt.then) || !strings.Contains(string(c.body), "Verdict") {
				t.Errorf("%s %s %s", c.method, c.path, c.body)
			}
			if err := f.Drain(t.Context()); err != nil || len(f.api.all()) != 1 {
				t.Errorf("%d calls, %v", len(f.api.all()), err)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// host serves one attachment, and says how often it was asked.
func host(t *testing.T, answer http.HandlerFunc) (a *Adapter, at string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "" {
			t.Error("the token went along")
		}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	a, err := New(Config{APIURL: server.URL, BotToken: testToken, ApplicationID: testApp, Clock: &testClock{now: start}})
	if err != nil {
		t.Fatal(err)
	}
	return a, server.URL + "/attachments/1/77/badge.png?ex=1", asked
}

func TestFile(t *testing.T) {
	t.Parallel()
	errAny := errors.New("any other")
	began := make(chan struct{}, 1)
	serve := func(status int, body io.Reader) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.Copy(w, body)
		}
	}
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"good":               {serve(200, strings.NewReader("data")), nil},
		"as large as it may": {serve(200, io.LimitReader(zeros{}, core.MaxBadgeFileBytes)), nil},
		"too large":          {serve(200, io.LimitReader(zeros{}, core.MaxBadgeFileBytes+2)), chat.ErrFileTooLarge},
		"said to be too large": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(core.MaxBadgeFileBytes+1))
		}, chat.ErrFileTooLarge},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/attachments/2", http.StatusFound) }, chat.ErrNoFile},
		"gone":      {serve(404, strings.NewReader("")), chat.ErrNoFile},
		"forbidden": {serve(403, strings.NewReader("")), chat.ErrNoFile},
		"down":      {serve(502, strings.NewReader("")), errAny},
		"slow": {func(_ http.ResponseWriter, r *http.Request) {
			began <- struct{}{}
			<-r.Context().Done()
		}, errAny},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "da")
		}, errAny},
	} {
		a, at, asked := host(t, tt.answer)
		ctx, cancel := context.WithTimeout(t.Context(), waitToFail)
		if name == "slow" {
			// The time is over while the host keeps the bot waiting.
			go func() { <-began; cancel() }()
		}
		data, err := a.File(ctx, chat.FileRef{Ref: core.Secret(at)})
		cancel()
		if !errors.Is(err, tt.want) && (!errors.Is(tt.want, errAny) || err == nil || errors.Is(err, chat.ErrNoFile) || errors.Is(err, chat.ErrFileTooLarge)) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if name == "good" && !bytes.Equal(data, []byte("data")) || asked.Load() != 1 {
			t.Errorf("%s: %q, asked %d times", name, data, asked.Load())
		}
		if err != nil && strings.Contains(err.Error(), "attachments") {
			t.Errorf("%s: the error tells the address: %v", name, err)
		}
		if _, err := a.File(t.Context(), chat.FileRef{Ref: core.Secret(at), Size: core.MaxBadgeFileBytes + 1}); !errors.Is(err, chat.ErrFileTooLarge) || asked.Load() != 1 {
			t.Errorf("%s: known to be too large: %v", name, err)
		}
	}
}

// Files come from Discord's own hosts and from nowhere else.
func TestFileComesFromDiscordOnly(t *testing.T) {
	t.Parallel()
	a, err := New(Config{BotToken: testToken, ApplicationID: testApp, Clock: &testClock{now: start}})
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{fileLink, "https://media.discordapp.net/ephemeral-attachments/1/2/b.svg"} {
		if !a.allowedFile(link) {
			t.Errorf("%s: refused", link)
		}
	}
	links := []string{
		"", "x", "http://cdn.discordapp.com/attachments/1", "https://cdn.discordapp.com.example.org/attachments/1", "https://cdn.discordapp.com:8443/attachments/1",
		"https://user@cdn.discordapp.com/attachments/1", "https://cdn.discordapp.com/icons/1", "https://127.0.0.1/attachments/1", "https://example.org/attachments/1",
		"//cdn.discordapp.com/attachments/1", "file:///attachments/1", "https:cdn.discordapp.com/attachments/1", "https://cdn.discordapp.com\\@evil.example.com/attachments/1",
	}
	for _, link := range links {
		if _, err := a.File(t.Context(), chat.FileRef{Ref: core.Secret(link)}); !errors.Is(err, chat.ErrNoFile) {
			t.Errorf("%s: %v", link, err)
		}
	}
	if slices.ContainsFunc(links, a.allowedFile) {
		t.Error("allowed")
	}
}
