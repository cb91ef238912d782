package discord

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func FuzzGatewayFrame(f *testing.F) {
	for _, s := range []string{
		`{"op":10,"d":{"heartbeat_interval":41250,"_trace":["x"]},"s":null,"t":null}`,
		`{"op":0,"s":1,"t":"READY","d":{"v":10,"session_id":"s1","resume_gateway_url":"wss://gateway-us-east1-b.discord.gg","guilds":[]}}`,
		`{"op":0,"s":1,"t":"READY","d":{"session_id":"s1","resume_gateway_url":"ws://user:x@[::1"}}`,
		`{"op":0,"s":2,"t":"INTERACTION_CREATE","d":` + aPress + `}`,
		`{"op":0,"s":3,"t":"RESUMED","d":{}}`, `{"op":0,"s":-1,"t":"X"}`,
		`{"op":1,"d":251}`, `{"op":7,"d":null}`, `{"op":9,"d":true}`, `{"op":9,"d":false}`, `{"op":9,"d":[]}`, `{"op":11}`,
		`{"op":10,"d":{"heartbeat_interval":-1}}`, `{"op":10,"d":{"heartbeat_interval":1e99}}`, `null`, `[]`, `{}`, "\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeFrame(data)
		if err != nil {
			return
		}
		if e.Sequence < 0 {
			t.Error("negative sequence")
		}
		if interval, err := decodeHello(e); err == nil && (interval < time.Millisecond || interval > maxInterval) {
			t.Errorf("interval %v", interval)
		}
		const base = "wss://gateway.discord.gg/?" + gatewayQuery
		if s, err := decodeReady(e, base); err == nil {
			if s.id == "" || !strings.HasPrefix(s.url, "wss://") || !strings.HasSuffix(s.url, "?"+gatewayQuery) {
				t.Errorf("session %+v", s)
			}
		}
		if in, err := decodeInteraction(e.RawData); err == nil && in.Type != interactionPing && in.actor() == nil {
			t.Error("interaction of nobody")
		}
	})
}

func FuzzErrorAnswer(f *testing.F) {
	for _, s := range []string{
		`{"message":"You are being rate limited.","retry_after":64.57,"global":false}`,
		`{"message":"x","retry_after":"2","global":true,"code":0}`, `{"retry_after":1e400}`, `{"retry_after":-1}`, `{"retry_after":null}`,
		`{"message":"Unknown interaction","code":10062}`, `{"code":"10062"}`, `{"code":50035,"errors":{"a":{"_errors":[]}}}`,
		`<html>error code: 1015</html>`, ``, `null`, `[]`,
	} {
		f.Add(429, []byte(s), "1.5", "true")
		f.Add(404, []byte(s), "", "")
	}
	f.Add(200, []byte("{}"), "0.001", "x")
	f.Fuzz(func(t *testing.T, status int, body []byte, after, global string) {
		n := &note{status: status, body: body, header: http.Header{
			"Retry-After": {after}, "X-Ratelimit-Global": {global}, "X-Ratelimit-Bucket": {global},
			"X-Ratelimit-Remaining": {after}, "X-Ratelimit-Reset-After": {after}, "X-Ratelimit-Limit": {after},
		}}
		for _, withToken := range []bool{true, false} {
			d := answerError(n, withToken)
			if d.Class == "" || d.Code == "" || d.After < 0 || d.After > maxRetryAfter {
				t.Errorf("%+v", d)
			}
		}
		var g gates
		now := time.Now()
		r := botRoute(http.MethodPost, "https://discord.com/api/v9/channels/1/messages")
		if told := g.observe(r, n, now); told.global < 0 || told.route < 0 {
			t.Errorf("told %+v", told)
		}
		for range 3 {
			if wait := g.enter(r, now); wait < 0 || wait > maxRetryAfter {
				t.Errorf("wait %v", wait)
			}
		}
		if _, rate := g.shared(r); rate.Interval <= 0 || rate.Burst < 1 || time.Duration(rate.Burst)*rate.Interval > time.Hour {
			t.Errorf("rate %v", rate)
		}
	})
}

func FuzzRef(f *testing.F) {
	for _, r := range []ref{
		{Kind: refOriginal, Token: testHook, Created: start.UnixMilli()},
		{Kind: refFollowup, Token: testHook, Message: testMsg},
		{Kind: refMessage, Channel: testChan, Message: testMsg},
	} {
		f.Add(r.seal().Reveal())
	}
	f.Add(`{"k":3,"c":"../x","m":"1"}`)
	f.Add(`{"k":99}`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, s string) {
		r, err := openRef(core.Secret(s))
		if err != nil {
			if s != "" && len(s) > 20 && strings.Contains(err.Error(), s) {
				t.Error("the error shows the place")
			}
			return
		}
		if r.Token == "" && (!isSnowflake(r.Channel) || !isSnowflake(r.Message)) {
			t.Errorf("place %+v", r)
		}
		again, err := openRef(r.seal())
		if err != nil || again != r && utf8.ValidString(r.Token) {
			t.Errorf("%+v became %+v, %v", r, again, err)
		}
	})
}

// FuzzCommand puts any text where people and other clients choose it: ids of
// buttons and forms, words, options, inputs.
func FuzzCommand(f *testing.F) {
	for _, s := range []string{"claim:b1", "link:", "code:v1", "dance:x", "claim", ":", "", "claim:" + strings.Repeat("x", 200), "\x00", "ada@example.org"} {
		f.Add(s, s)
	}
	a := &Adapter{clock: &testClock{now: start}}
	f.Fuzz(func(t *testing.T, id, value string) {
		quote := func(s string) string {
			data, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		for _, body := range []string{
			inGuild(3, `,"data":{"custom_id":`+quote(id)+`}`+onMsg(0)),
			inGuild(5, `,"data":{"custom_id":`+quote(id)+`,"components":[{"type":18,"component":{"type":4,"custom_id":`+quote(id)+`,"value":`+quote(value)+`}}]}`),
			inGuild(2, command(`{"name":`+quote(id)+`,"type":1,"options":[{"name":"address","type":3,"value":`+quote(value)+`}]}`)),
			inGuild(2, onMessageMenu(`{"content":`+quote(value)+`,"embeds":[{"url":`+quote(id)+`}],"attachments":[{"filename":`+quote(id)+`,"url":`+quote(value)+`}]}`)),
			inGuild(4, command(`{"name":"claim","type":1,"options":[{"name":`+quote(id)+`,"type":3,"value":`+quote(value)+`,"focused":true}]}`)),
		} {
			in, err := decodeInteraction([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			act, err := a.newAction(in)
			if err != nil {
				t.Fatal(err)
			}
			texts := append([]string{string(act.Verb), act.Arg}, act.Links...)
			for _, file := range act.Files {
				texts = append(texts, file.Name)
			}
			for name, text := range act.Fields {
				texts = append(texts, name, text)
			}
			for _, text := range texts {
				if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
					t.Errorf("the store takes no %q", text)
				}
			}
			if act.Source == chat.SourcePress && len(act.Verb) == 0 {
				t.Error("no verb")
			}
		}
	})
}

func FuzzFoundMessages(f *testing.F) {
	outer, inner := marks("k")
	data, err := json.Marshal([]any{map[string]any{"id": "1", "components": []any{
		map[string]any{"id": outer, "components": []any{map[string]any{"id": inner}}},
	}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`[{"id":"1","components":[{"type":99,"id":-1,"components":null}]}]`))
	f.Add([]byte(`[{"components":{}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var page []foundMessage
		if json.Unmarshal(data, &page) != nil {
			return
		}
		for _, m := range page {
			if m.marked(outer, inner) && len(m.Components) != 1 {
				t.Error("found in a message of another form")
			}
		}
	})
}

// FuzzSharedMessage puts anything in place of a message that a command is
// about.
func FuzzSharedMessage(f *testing.F) {
	for _, s := range []string{
		`{"content":"see [x](https://example.org/1), https://example.org/(2)! <https://example.org/3>","attachments":[` + aFile + `]}`,
		`{"components":[{"type":17,"components":[{"type":10,"content":"https://example.org/4"},{"type":1,"components":[{"type":2,"url":"https://example.org/5"}]}]}]}`,
		`{"embeds":[{"url":"https://example.org/6","description":"https://example.org/7","fields":[{"value":"https://example.org/8"}]}]}`,
		`{"message_snapshots":[{"message":{"content":"https://example.org/9","attachments":[` + aFile + `]}}]}`,
		`{"content":7,"components":{},"embeds":"x","attachments":[7,null,{"url":[]}],"message_snapshots":[[]]}`, `null`, `[]`, `7`,
	} {
		f.Add([]byte(s))
	}
	a := &Adapter{clock: &testClock{now: start}}
	f.Fuzz(func(t *testing.T, message []byte) {
		in, err := decodeInteraction([]byte(inGuild(2, onMessageMenu(string(message)))))
		if err != nil {
			return
		}
		act, err := a.newAction(in)
		if err != nil || len(act.Links) > maxShared || len(act.Files) > maxShared {
			t.Fatalf("%d links, %d files, %v", len(act.Links), len(act.Files), err)
		}
		for _, link := range act.Links {
			if strings.ContainsRune(link, 0) || !utf8.ValidString(link) || !strings.HasPrefix(strings.ToLower(link), "http") {
				t.Errorf("link %q", link)
			}
		}
		for _, file := range act.Files {
			if strings.ContainsRune(file.Name, 0) || file.Size < 0 {
				t.Errorf("file %+v", file)
			}
		}
	})
}
