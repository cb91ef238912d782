package main

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/laurelbot/laurel/bench/seed"
)

// requester makes the n-th press on a platform as one HTTP request.
type requester interface {
	request(n int, now time.Time) []byte
}

// slackPresses are presses on Claim in a list of badges that only the person
// sees, signed as Slack does
// (https://docs.slack.dev/authentication/verifying-requests-from-slack).
type slackPresses struct {
	order
	host, secret, answers string
	payload               string
}

// slackPayload has the size of a real one, 1.9 kB: Slack sends the whole
// message of the pressed button along
// (https://docs.slack.dev/reference/interaction-payloads/block_actions-payload).
const slackPayload = `{"type":"block_actions","user":{"id":"{user}","username":"example","name":"example","team_id":"{tenant}"},` +
	`"api_app_id":"A0BENCH001","token":"unused","container":{"type":"message","message_ts":"{ts}","channel_id":"D0BENCH001","is_ephemeral":true},` +
	`"trigger_id":"{trigger}.0123456789.0123456789abcdef","team":{"id":"{tenant}","domain":"example"},"enterprise":null,` +
	`"is_enterprise_install":false,"channel":{"id":"D0BENCH001","name":"directmessage"},"message":{"type":"message","subtype":"bot_message",` +
	`"text":"3 badges are waiting for you","ts":"{ts}","bot_id":"B0BENCH001","blocks":[{blocks}]},"state":{"values":{}},` +
	`"response_url":"{answers}{press}","actions":[{"action_id":"claim:{badge}","block_id":"b1","text":{"type":"plain_text","text":"Claim","emoji":true},` +
	`"value":"claim:{badge}","style":"primary","type":"button","action_ts":"{ts}"}]}`

const (
	slackPayloadBytes = 1900
	blockOfList       = `{"type":"section","block_id":"b%d","text":{"type":"mrkdwn","text":"*Example certificate %d*","verbatim":false}}`
)

func newSlackPresses(o order, host, secret, sink string) *slackPresses {
	text := strings.NewReplacer("{tenant}", slackTenant, "{answers}", sink+slackAnswers).Replace(slackPayload)
	var blocks []string
	for size := len(text); size < slackPayloadBytes; {
		block := fmt.Sprintf(blockOfList, len(blocks)+1, len(blocks)+1)
		blocks = append(blocks, block)
		size += len(block)
	}
	text = strings.Replace(text, "{blocks}", strings.Join(blocks, ","), 1)
	return &slackPresses{order: o, host: host, secret: secret, answers: sink, payload: url.QueryEscape(text)}
}

func (s *slackPresses) request(n int, now time.Time) []byte {
	badge := s.badge(n)
	// Everything put in here is the same escaped and not.
	body := "payload=" + strings.NewReplacer(
		"%7Buser%7D", seed.SlackUser(s.owner(badge)), "%7Bts%7D", fmt.Sprintf("%d.%06d", 1_700_000_000+n/1_000_000, n%1_000_000),
		"%7Btrigger%7D", fmt.Sprintf("%010d", n), "%7Bpress%7D", fmt.Sprint(n), "%7Bbadge%7D", seed.BadgeID(badge),
	).Replace(s.payload)
	timestamp := fmt.Sprint(now.Unix())
	mac := hmac.New(sha256.New, []byte(s.secret))
	fmt.Fprintf(mac, "v0:%s:%s", timestamp, body)
	return fmt.Appendf(nil, "POST /slack/interactions HTTP/1.1\r\nHost: %s\r\n"+
		"User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\nAccept: application/json,*/*\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nX-Slack-Request-Timestamp: %s\r\nX-Slack-Signature: v0=%s\r\n"+
		"Content-Length: %d\r\n\r\n%s", s.host, timestamp, hex.EncodeToString(mac.Sum(nil)), len(body), body)
}

// discordPresses are the same in Discord
// (https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers).
type discordPresses struct {
	order
	host string
	key  ed25519.PrivateKey
}

// discordEpoch is the first millisecond of 2015, from which snowflakes count.
const discordEpoch = 1420070400000

func newDiscordKey() (ed25519.PublicKey, ed25519.PrivateKey, error) {
	return ed25519.GenerateKey(rand.Reader)
}

func (d *discordPresses) request(n int, now time.Time) []byte {
	badge := d.badge(n)
	id := (now.UnixMilli()-discordEpoch)<<22 | int64(n&(1<<22-1))
	body := fmt.Sprintf(`{"app_permissions":"562949953601536","application_id":"910000000000000001","channel_id":"910000000000000002",`+
		`"data":{"component_type":2,"custom_id":"claim:%s","id":3},"guild_id":"910000000000000003","id":"%d","locale":"en-US",`+
		`"member":{"user":{"id":"%s","username":"example","global_name":"Example","avatar":null,"discriminator":"0"},"roles":[],"permissions":"0"},`+
		`"message":{"id":"%d","channel_id":"910000000000000002","flags":32832,"content":"","components":[{"type":17,"components":[`+
		`{"type":10,"content":"## 3 badges are waiting"},{"type":9,"components":[{"type":10,"content":"**Example certificate**"}],`+
		`"accessory":{"type":2,"style":1,"label":"Claim","custom_id":"claim:%s"}}]}]},"token":"%s%d","type":3,"version":1,"context":0}`,
		seed.BadgeID(badge), id, seed.DiscordUser(d.owner(badge)), id-1, seed.BadgeID(badge), discordToken, n)
	return d.sign(body, now)
}

func (d *discordPresses) sign(body string, now time.Time) []byte {
	timestamp := fmt.Sprint(now.Unix())
	signature := ed25519.Sign(d.key, []byte(timestamp+body))
	return fmt.Appendf(nil, "POST /discord/interactions HTTP/1.1\r\nHost: %s\r\nUser-Agent: Discord-Interactions/1.0\r\n"+
		"Content-Type: application/json\r\nX-Signature-Timestamp: %s\r\nX-Signature-Ed25519: %s\r\nContent-Length: %d\r\n\r\n%s",
		d.host, timestamp, hex.EncodeToString(signature), len(body), body)
}

// fixed sends one request again and again: the generator has next to nothing
// to do, and what is measured is the answering side.
type fixed []byte

func (f fixed) request(int, time.Time) []byte { return f }

// unknownPress is a press on a button that nobody knows, signed well: it is
// decoded and answered without a look at the database.
func unknownPress(s *slackPresses, now time.Time) fixed {
	other := *s
	other.payload = strings.ReplaceAll(s.payload, url.QueryEscape("claim:{badge}"), "unknown")
	return other.request(0, now)
}

// ping is Discord's PING, as large as a press and signed well.
func ping(d *discordPresses, now time.Time) fixed {
	_, body, _ := strings.Cut(string(d.request(0, now)), "\r\n\r\n")
	return d.sign(strings.Replace(body, `,"type":3,"version"`, `,"type":1,"version"`, 1), now)
}

var signatureStart = regexp.MustCompile(`(?:X-Slack-Signature: v0=|X-Signature-Ed25519: )[0-9a-f]`)

// spoiled returns a request with another signature.
func spoiled(request []byte) fixed {
	i := signatureStart.FindIndex(request)[1] - 1
	digit := byte('0')
	if request[i] == digit {
		digit = '1'
	}
	request[i] = digit
	return request
}

// webhooks are deliveries of Credly, another event each time
// (https://www.credly.com/docs/webhooks).
type webhooks struct{ host string }

const webhookBytes = 1000

func (w webhooks) request(n int, _ time.Time) []byte {
	body := fmt.Sprintf(`{"id":"00000000-0000-4000-9000-%012d","organization_id":"%s","event_type":"badge.state.changed",`+
		`"occurred_at":"2026-11-02 09:00:00 UTC","badge":{"id":"00000000-0000-4000-a000-%012d","state":"accepted","user":{"note":"`, n, organization, n)
	body += strings.Repeat("x", webhookBytes-len(body)) + `"}}}`
	return fmt.Appendf(nil, "POST /webhooks/credly/%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Credly\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\n\r\n%s", webhookToken, w.host, len(body), body)
}
