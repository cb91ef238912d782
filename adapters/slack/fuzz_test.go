package slack

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/slacksim/blockkit"
)

// samples returns Slack's sample payloads in a folder.
func samples(tb testing.TB, folder string) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob(refdata.Path(tb, "slack", "samples", folder, "*.json"))
	if err != nil || len(names) == 0 {
		tb.Fatalf("no samples in %s: %v", folder, err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		out[filepath.Base(name)] = data
	}
	return out
}

// optional lets a fuzz target go on with its own seeds where the samples are
// missing.
type optional struct {
	testing.TB
	missing bool
}

func (o *optional) Skipf(string, ...any) { o.missing = true }

// seeds adds Slack's sample payloads in a folder, when they are there.
func seeds(f *testing.F, folder string) {
	f.Helper()
	o := &optional{TB: f}
	if refdata.Path(o); o.missing {
		return
	}
	for _, data := range samples(f, folder) {
		f.Add(data)
	}
}

// fill puts a value in place of each blank of a sample.
func fill(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = fill(e)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = fill(e)
		}
		return v
	case string:
		if v == "" {
			return "X1"
		}
	}
	return v
}

// Slack's own samples decode, with all kinds of blocks and elements in the
// pressed message.
func TestSamplesDecode(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	for name, data := range samples(t, "app-backend") {
		var sample map[string]any
		if err := json.Unmarshal(data, &sample); err != nil {
			t.Fatal(err)
		}
		sample, _ = fill(sample).(map[string]any)
		sample["response_url"] = "https://hooks.slack.com/x"
		switch name {
		case "SlashCommandPayload.json":
			form := url.Values{}
			for k, v := range sample {
				if s, ok := v.(string); ok {
					form.Set(k, s)
				}
			}
			if in, err := b.decodeCommand([]byte(form.Encode())); err != nil || in.action.Verb != chat.VerbHelp {
				t.Errorf("%s: %+v, %v", name, in, err)
			}
			continue
		case "BlockActionPayload.json":
			sample["actions"] = []any{map[string]any{"action_id": "claim:1", "value": "claim:1", "type": "button"}}
			sample["container"].(map[string]any)["type"] = "message" //nolint:forcetypeassert // As in the sample.
		case "ViewSubmissionPayload.json":
			sample["view"].(map[string]any)["callback_id"] = "code:1" //nolint:forcetypeassert // As in the sample.
		}
		data, err := json.Marshal(sample)
		if err != nil {
			t.Fatal(err)
		}
		in, err := b.decodeInteraction(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if wantAction := name == "BlockActionPayload.json" || name == "ViewSubmissionPayload.json"; wantAction != (in.silent == "") {
			t.Errorf("%s: %q", name, in.silent)
		}
	}
	for name, data := range samples(t, "events") {
		var e event
		if err := decodeJSON(data, &e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, want := e.ending() != "", name == "AppUninstalledPayload.json" || name == "TokensRevokedPayload.json"; got != want {
			t.Errorf("%s: ends the installation: %v", name, got)
		}
	}
}

func FuzzCommand(f *testing.F) {
	b := newBench(f, chat.Answer{})
	f.Add([]byte(publishedBody))
	f.Add([]byte(b.commandForm("link <mailto:a@example.org|a@example.org>").Encode()))
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := b.decodeCommand(body)
		if err == nil {
			checkAction(t, in)
		}
	})
}

func FuzzInteraction(f *testing.F) {
	b := newBench(f, chat.Answer{})
	seeds(f, "app-backend")
	for _, p := range []map[string]any{b.press("claim:1", true), submission(map[string]any{"callback_id": "code:1", "private_metadata": b.sealOrigin(origin{})}, "U1", "1")} {
		data, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{
		homePress("claim:1", "1700000000.abcd"),
		homePress("home:", "../x"),
		`{"type":"shortcut","callback_id":"announce","trigger_id":"1.2.a","team":{"id":"T1"},"user":{"id":"U1"}}`,
		`{"type":"message_action","callback_id":"verify","trigger_id":"1.2.a","team":{"id":"T1"},"user":{"id":"U1"},"channel":{"id":"C1"},"message":{
			"text":"<https://example.org/1|x>","files":[{"name":"b.png","size":9,"url_private_download":"https://files.slack.com/x"},{"mode":"tombstone"}],
			"blocks":[{"type":"rich_text","elements":[{"elements":[{"type":"link","url":"https://example.org/2"}]}]}],"attachments":[{"title_link":7}]}}`,
		`{"type":"view_submission","trigger_id":"1.2.a","team":{"id":"T1"},"user":{"id":"U1"},"view":{"callback_id":"callform:",
			"state":{"values":{"a":{"value":{"selected_conversation":"C1"}},"b":{"value":{"selected_channel":null}},"c":{"value":{"selected_channel":"../x"}}}}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := b.decodeInteraction(data)
		if err == nil && in.silent == "" {
			checkAction(t, in)
		}
	})
}

func checkAction(t *testing.T, in interaction) {
	t.Helper()
	a := in.action
	if a.Key == "slack:" || a.Actor.Tenant == "" || a.Actor.User == "" || strings.Contains(a.Actor.User, ":") || a.Source == 0 || a.Verb == "" {
		t.Errorf("incomplete action: %+v", a)
	}
	for _, s := range []string{a.Arg, a.DisplayName, a.MessageKey} {
		if !cleanText(s) {
			t.Errorf("unclean text %q", s)
		}
	}
	for _, link := range a.Links {
		if !cleanText(link) || !isWebURL(link) || len(link) > maxFileURL {
			t.Errorf("link %q", link)
		}
	}
	for _, f := range a.Files {
		if !cleanText(f.Name) || f.Size < 0 || !cleanText(f.Ref.Reveal()) {
			t.Errorf("file %+v", f)
		}
	}
	if len(a.Links) > maxShared || len(a.Files) > maxShared {
		t.Errorf("%d links, %d files", len(a.Links), len(a.Files))
	}
	if a.Reply.Ref == "" || a.Aside.Ref == "" {
		t.Error("no place for the answer")
	}
}

func FuzzEvent(f *testing.F) {
	seeds(f, "events")
	f.Add([]byte(`{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"tokens_revoked","tokens":{"bot":["U1"]}}}`))
	f.Add([]byte(`{"type":"url_verification","challenge":"abc"}`))
	f.Add([]byte(openedEvent("U1", "home", `,"view":{"hash":"1700000000.abcd"}`)))
	f.Add([]byte(openedEvent("../U1", "home", "")))
	b := newBench(f, chat.Answer{})
	f.Fuzz(func(t *testing.T, data []byte) {
		clear(b.inbox.seen)
		rep := b.serveEvent(t.Context(), data, time.Now())
		if rep.after != nil {
			a := b.handler.got(t)
			if rep.after(); a.Source != chat.SourceOpen || a.Verb != chat.VerbHome || a.MessageKey != core.HomeKey || !validID(a.Actor.User) {
				t.Errorf("read as %+v", a)
			}
		}
		if rep.status == 0 || rep.outcome == "" || rep.status >= http.StatusInternalServerError {
			t.Errorf("got %+v", rep)
		}
		for key, m := range b.inbox.seen {
			if !strings.HasPrefix(m.Payload, "slack:") || len(m.Payload) == len("slack:") || key == string(Platform) || !cleanText(m.Payload+m.Key) {
				t.Errorf("stored %+v", m)
			}
		}
	})
}

func FuzzSignature(f *testing.F) {
	f.Add(publishedStamp, publishedSignature)
	f.Add("+1", "v1=")
	f.Fuzz(func(t *testing.T, stamp, signature string) {
		h := http.Header{timestampHeader: {stamp}, signatureHeader: {signature}}
		sent, ok := parseTimestamp(stamp)
		if ok && strings.TrimLeft(stamp, "0") != strings.TrimLeft(strconv.FormatInt(sent, 10), "0") {
			t.Errorf("%q was read as %d", stamp, sent)
		}
		// Only the published pair is known, whatever the time is.
		err := verifySignature(publishedSecret, h, []byte(publishedBody), time.Unix(sent, 0))
		if known := stamp == publishedStamp && signature == publishedSignature; (err == nil) != known {
			t.Errorf("%q, %q: %v", stamp, signature, err)
		}
		if sum, ok := parseSignature(signature); ok && (len(sum) != 32 || signature != strings.ToLower(signature)) {
			t.Errorf("%q parsed", signature)
		}
	})
}

func FuzzRender(f *testing.F) {
	f.Add("*a*", "<!here>", "https://example.org/")
	f.Fuzz(func(t *testing.T, title, text, link string) {
		c := chat.Card{
			Title: title, Summary: text,
			Text:    chat.Text{{Text: text}, {Text: text, Bold: true}, {Text: text, Code: true}, {Text: text, URL: link}},
			Items:   []chat.Item{{Text: chat.Plain(text), Button: &chat.Button{ID: "claim:1", Label: title, Confirm: text}}},
			Buttons: []chat.Button{{URL: link, Label: text}},
			Image:   chat.Image{URL: link, Alt: text},
		}
		blocks, fallback, err := Render(c)
		if err != nil || fallback == "" || !utf8.ValidString(fallback) {
			t.Fatalf("got %q, %v", fallback, err)
		}
		if problems := blockkit.Validate(blockkit.KindBlocks, blocks); len(problems) > 0 {
			t.Errorf("Slack would refuse it: %v", problems)
		}
		for _, live := range []string{"<!here", "<!channel", "<@U"} {
			if strings.Contains(fallback, live) {
				t.Errorf("%q is alive", live)
			}
		}
	})
}
