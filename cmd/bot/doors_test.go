package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// door is an endpoint and how its rightful callers use it.
type door struct {
	path, contentType string
	// good is a body that would be taken.
	good string
	// limit is the size of the largest body that is taken, in bytes.
	limit int
	// sign returns the headers of a rightful caller; nil where nothing is
	// signed.
	sign func(body []byte) http.Header
	// unsigned is the status without a signature.
	unsigned int
	// wrongType is the status for another content type, 0 where any is taken.
	wrongType int
	// broken are bodies that are no good although they are signed.
	broken map[string]string
}

// attack is one bad request and how it is to be answered.
type attack struct {
	name, method, path string
	header             http.Header
	body               []byte
	want               int
}

// deepJSON is nested deeper than any decoder should follow.
func deepJSON(limit int) string { return strings.Repeat("[", limit-1) }

func (s *stage) doors() map[string]door {
	slack := func(body []byte) http.Header {
		now := s.clock.Now().Unix()
		return http.Header{
			"X-Slack-Request-Timestamp": {strconv.FormatInt(now, 10)},
			"X-Slack-Signature":         {slacksim.Signature(s.settings.SlackSigningSecret.Reveal(), now, body)},
		}
	}
	form := func(fields ...string) string {
		values := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			values.Add(fields[i], fields[i+1])
		}
		return values.Encode()
	}
	team := s.slack.Config().TeamID
	command := func(change ...string) string {
		fields := map[string]string{
			"team_id": team, "user_id": ada().slackID, "user_name": ada().last, "channel_id": generalChannel, "command": "/badges",
			"text": "link " + ada().email, "trigger_id": "1.2.abc", "response_url": s.slack.URL() + "/commands/1/2/3",
		}
		for i := 0; i < len(change); i += 2 {
			fields[change[i]] = change[i+1]
		}
		var pairs []string
		for name, value := range fields {
			pairs = append(pairs, name, value)
		}
		return form(pairs...)
	}
	press := fmt.Sprintf(`{"type":"block_actions","team":{"id":%q},"user":{"id":%q,"name":%q},"trigger_id":"1.2.abd",`+
		`"response_url":%q,"container":{"type":"message","message_ts":"1.1","channel_id":%q},"actions":[{"action_id":"x","value":"claim:abc"}]}`,
		team, ada().slackID, ada().email, s.slack.URL()+"/actions/1/2/3", generalChannel)
	interaction := fmt.Sprintf(`{"id":"1300000000000000000","type":2,"token":"made-up","channel_id":"1","user":{"id":%q,"username":%q},`+
		`"data":{"name":"badges","options":[{"name":"link","type":1,"options":[{"name":"address","type":3,"value":%q}]}]}}`,
		ada().discordID, ada().last, ada().email)
	grant := fmt.Sprintf(`{"type":"award.granted","timestamp":%q,"data":{"award_id":"bad-1","recipient":{"email":%q,"first_name":"Ada","last_name":"Made-Up"},"badge_template_id":"t","issued_at":"2026-11-20"}}`,
		s.clock.Now().Format(time.RFC3339), ada().email)
	event := fmt.Sprintf(`{"id":"00000000-0000-4000-8000-0000000000aa","organization_id":%q,"event_type":"badge.state.changed"}`, s.credly.OrganizationID())
	const formType, jsonType = "application/x-www-form-urlencoded", "application/json"
	return map[string]door{
		"slack command": {
			path: "/slack/commands", contentType: formType, good: command(), limit: 256 << 10, sign: slack, unsigned: 401, wrongType: 415,
			broken: map[string]string{
				"empty": "", "truncated": "team_id=%", "not UTF-8": "\xff\xfe", "escaped not UTF-8": command("text", "link \xff\xfe"), "NUL": command("text", "a\x00b"),
				"no ids": "command=%2Fbadges", "JSON": `{"command":"/badges"}`, "doubled field": command() + "&user_id=U0BRUNO001",
				"user id is a sentence": command("user_id", "drop table; --"), "long id": command("trigger_id", strings.Repeat("x", 300)),
				"response URL elsewhere": command("response_url", "https://attacker.example.org/commands/1/2/3"),
			},
		},
		"slack interaction": {
			path: "/slack/interactions", contentType: formType, good: form("payload", press), limit: 256 << 10, sign: slack, unsigned: 401, wrongType: 415,
			broken: map[string]string{
				"empty": "", "no payload": "a=b", "two payloads": form("payload", press, "payload", press), "truncated": form("payload", press[:len(press)/2]),
				"not UTF-8": form("payload", strings.Replace(press, "abc", "\xff\xfe", 1)), "wrong types": form("payload", `{"type":"block_actions","team":7,"actions":"none"}`),
				"type is a number": form("payload", `{"type":5}`), "null": form("payload", "null"), "a list": form("payload", "[]"), "text": form("payload", `"press"`),
				"deep": form("payload", deepJSON(60_000)), "no user": form("payload", strings.Replace(press, ada().slackID, "", 1)),
				"submission without view": form("payload", fmt.Sprintf(`{"type":"view_submission","team":{"id":%q},"user":{"id":%q}}`, team, ada().slackID)),
				"response URL elsewhere":  form("payload", strings.Replace(press, s.slack.URL(), "https://attacker.example.org", 1)),
				"two values":              form("payload", press+press),
			},
		},
		"slack event": {
			path: "/slack/events", contentType: jsonType, limit: 256 << 10, sign: slack, unsigned: 401, wrongType: 415,
			good: fmt.Sprintf(`{"type":"event_callback","team_id":%q,"event_id":"Ev1","event":{"type":"app_uninstalled"}}`, team),
			broken: map[string]string{
				"empty": "", "truncated": `{"type":"event_cal`, "not UTF-8": "{\"type\":\"\xff\xfe\"}", "wrong types": `{"type":"event_callback","team_id":5,"event":[]}`,
				"a list": "[]", "null": "null", "deep": deepJSON(200_000), "no event id": `{"type":"event_callback","team_id":"T1","event":{"type":"app_uninstalled"}}`,
				"no team":        `{"type":"event_callback","event_id":"Ev1","event":{"type":"app_uninstalled"}}`,
				"long challenge": fmt.Sprintf(`{"type":"url_verification","challenge":%q}`, strings.Repeat("x", 2000)), "no challenge": `{"type":"url_verification"}`,
			},
		},
		"discord interaction": {
			path: "/discord/interactions", contentType: jsonType, good: interaction, limit: 256 << 10, sign: s.signDiscord, unsigned: 401, wrongType: 415,
			broken: map[string]string{
				"empty": "", "truncated": interaction[:len(interaction)-10], "not UTF-8": strings.Replace(interaction, "made-up", "\xff\xfe", 1),
				"wrong types": strings.Replace(interaction, `"type":2`, `"type":"2"`, 1), "unknown type": strings.Replace(interaction, `"type":2`, `"type":99`, 1),
				"a list": "[]", "null": "null", "deep": deepJSON(200_000), "no user": strings.Replace(interaction, ada().discordID, "", 1),
				"user id is a word": strings.Replace(interaction, ada().discordID, "ada", 1), "id is a word": strings.Replace(interaction, "1300000000000000000", "first", 1),
				"no token": strings.Replace(interaction, "made-up", "", 1), "address is a list": strings.Replace(interaction, `"`+ada().email+`"`, "[]", 1),
				"press without message": strings.Replace(interaction, `"type":2`, `"type":3`, 1),
			},
		},
		"credly webhook": {
			path: "/webhooks/credly/" + s.settings.CredlyWebhookToken.Reveal(), contentType: jsonType, good: event, limit: 64 << 10,
			broken: map[string]string{
				"empty": "", "truncated": event[:len(event)-10], "not UTF-8": strings.Replace(event, "badge.", "\xff\xfe", 1), "wrong types": `{"id":5,"organization_id":[]}`,
				"a list": "[]", "null": "null", "deep": deepJSON(60_000), "id is a path": strings.Replace(event, "00000000-0000-4000-8000-0000000000aa", "../badges", 1), "form": "id=5",
			},
		},
		"portal webhook": {
			path: "/webhooks/portal", contentType: jsonType, good: grant, limit: 256 << 10, sign: s.signPortal, unsigned: 401,
			broken: map[string]string{
				"empty": "", "truncated": grant[:len(grant)-10], "not UTF-8": strings.Replace(grant, "bad-1", "\xff\xfe", 1), "wrong types": strings.Replace(grant, `"bad-1"`, "7", 1),
				"a list": "[]", "null": "null", "deep": deepJSON(200_000), "no data": `{"type":"award.granted","timestamp":"2026-11-20T00:00:00Z"}`,
				"address is none": strings.Replace(grant, ada().email, "ada", 1), "NUL": strings.Replace(grant, "bad-1", `bad\u0000`, 1),
				"no time":         `{"type":"award.granted","timestamp":"today","data":{}}`,
				"from the future": strings.Replace(grant, s.clock.Now().Format("2006"), "2999", 1),
			},
		},
	}
}

// signDiscord lets the simulation sign a body, and keeps the request from
// the bot.
func (s *stage) signDiscord(body []byte) http.Header {
	s.t.Helper()
	sink := httptest.NewServer(http.NotFoundHandler())
	defer sink.Close()
	there, err := url.Parse(sink.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	var signed http.Header
	if _, err := s.discord.SendRaw(s.t.Context(), body, func(r *http.Request) {
		signed = http.Header{}
		for _, name := range []string{"X-Signature-Ed25519", "X-Signature-Timestamp"} {
			signed.Set(name, r.Header.Get(name))
		}
		r.URL, r.Host = there, there.Host
	}); err != nil {
		s.t.Fatal(err)
	}
	return signed
}

func (s *stage) signPortal(body []byte) http.Header {
	s.t.Helper()
	signer, err := portalsim.NewSigner(s.settings.PortalWebhookSecret.Reveal())
	if err != nil {
		s.t.Fatal(err)
	}
	now := s.clock.Now()
	h := http.Header{}
	h.Set("webhook-id", "msg-bad-input")
	h.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	h.Set("webhook-signature", signer.Sign("msg-bad-input", now, body))
	return h
}

// attacks are all bad requests at one door that are possible now.
func (d door) attacks() []attack {
	signed := func(body string) http.Header {
		if d.sign == nil {
			return http.Header{}
		}
		return d.sign([]byte(body))
	}
	typed := func(h http.Header) http.Header {
		h.Set("Content-Type", d.contentType)
		return h
	}
	post := func(name, body string, h http.Header, want int) attack {
		return attack{name: name, method: http.MethodPost, path: d.path, header: h, body: []byte(body), want: want}
	}
	large := d.good + strings.Repeat(" ", d.limit)
	all := []attack{post("oversized", large, typed(signed(large)), http.StatusRequestEntityTooLarge)}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch, "BREW"} {
		all = append(all, attack{
			name: "method " + method, method: method, path: d.path, header: typed(signed(d.good)), body: []byte(d.good), want: http.StatusMethodNotAllowed,
		})
	}
	for name, body := range d.broken {
		all = append(all, post(name, body, typed(signed(body)), http.StatusBadRequest))
	}
	if d.wrongType != 0 {
		for _, contentType := range []string{"text/plain", "application/xml", "", "a/b/c; =", "multipart/form-data; boundary=x"} {
			h := signed(d.good)
			if contentType != "" {
				h.Set("Content-Type", contentType)
			}
			all = append(all, post("content type "+contentType, d.good, h, d.wrongType))
		}
	}
	if d.sign == nil {
		return all
	}
	all = append(all, post("no signature", d.good, typed(http.Header{}), d.unsigned), post("signature of another body", d.good, typed(signed(d.good+" ")), d.unsigned))
	for name := range signed(d.good) {
		for what, value := range map[string][]string{
			"missing": nil, "empty": {""}, "nonsense": {"nonsense"}, "very long": {strings.Repeat("a", 20_000)}, "not ASCII": {"\xff\xfe"}, "zeros": {strings.Repeat("0", 128)},
			"negative": {"-1"}, "beyond all time": {"99999999999999999999"},
		} {
			h := typed(signed(d.good))
			h[name] = value
			all = append(all, post(name+" "+what, d.good, h, d.unsigned))
		}
	}
	return all
}

// pageAttacks are bad requests to the pages behind links, and to what is not
// there.
func pageAttacks() []attack {
	var all []attack
	for _, page := range []string{"/h/", "/e/"} {
		for name, token := range map[string]string{
			"unknown": "made-up-token", "empty": "", "not UTF-8": "%ff%fe", "NUL": "%00", "path": "a/b/c", "escaped path": "..%2f..%2fhealthz",
			"very long": strings.Repeat("a", 20_000), "SQL": "%27%20OR%201=1--", "JSON": "%7B%22a%22%3A1%7D",
		} {
			all = append(
				all,
				attack{name: page + " GET " + name, method: http.MethodGet, path: page + token, want: http.StatusNotFound},
				attack{name: page + " POST " + name, method: http.MethodPost, path: page + token, want: http.StatusNotFound},
			)
		}
		h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		all = append(
			all,
			attack{name: page + " PUT", method: http.MethodPut, path: page + "made-up-token", want: http.StatusMethodNotAllowed},
			attack{name: page + " DELETE", method: http.MethodDelete, path: page + "made-up-token", want: http.StatusMethodNotAllowed},
			attack{name: page + " oversized", method: http.MethodPost, path: page + "made-up-token", header: h, body: make([]byte, 1<<20), want: http.StatusRequestEntityTooLarge},
			attack{
				name: page + " from another page", method: http.MethodPost, path: page + "made-up-token",
				header: http.Header{"Sec-Fetch-Site": {"cross-site"}}, want: http.StatusForbidden,
			},
			attack{
				name: page + " from another origin", method: http.MethodPost, path: page + "made-up-token",
				header: http.Header{"Origin": {"https://attacker.example.org"}}, want: http.StatusForbidden,
			},
			attack{name: page + " nonsense body", method: http.MethodPost, path: page + "made-up-token", header: h, body: []byte("\xff\xfe%"), want: http.StatusNotFound},
		)
	}
	for _, path := range []string{"/nowhere", "/slack", "/slack/commands/more", "/webhooks", "/webhooks/credly", "/webhooks/credly/", "/discord", "/.env", "/debug/pprof/", "/healthz/x"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			all = append(all, attack{name: method + " " + path, method: method, path: path, want: http.StatusNotFound})
		}
	}
	for _, token := range []string{"made-up-token", "%00", "%ff", strings.Repeat("a", 20_000)} {
		all = append(all, attack{name: "wrong token", method: http.MethodPost, path: "/webhooks/credly/" + token, body: []byte("{}"), want: http.StatusNotFound})
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		all = append(all, attack{name: "POST " + path, method: http.MethodPost, path: path, want: http.StatusMethodNotAllowed})
	}
	return all
}

// strike sends a bad request and returns the status.
func (s *stage) strike(a attack) int {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, a.method, s.settings.PublicURL+a.path, bytes.NewReader(a.body))
	if err != nil {
		s.t.Fatalf("%s: %v", a.name, err)
	}
	maps.Copy(req.Header, a.header)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Errorf("%s: no answer: %v", a.name, err)
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		s.t.Errorf("%s: half an answer: %v", a.name, err)
	}
	if strings.Contains(string(answer), ada().email) || strings.Contains(string(answer), "panic") {
		s.t.Errorf("%s: the answer tells too much: %s", a.name, answer)
	}
	return res.StatusCode
}
