package console_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/console"
	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/mailsim"
	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
)

const (
	adaSlack  = "U00000ADA1"
	bertSlack = "U0000BERT1"
	teamSlack = "C00000TEAM"
	adaMail   = "ada@example.org"
	code      = "482913"
)

type obj = map[string]any

// world is a playground with a tiny bot on both sides.
type world struct {
	clock   *simclock.Clock
	slack   *slacksim.Server
	discord *discordsim.Server
	credly  *credlysim.Server
	mail    *mailsim.Server
	portal  *portalsim.Server
	// ada and bert are Discord ids, general is a channel there, badge one at
	// Credly.
	ada, bert, general, badge string
	// url is the console's address, without a trailing slash.
	url string
	// think is closed when Discord's deferred answer may come.
	think chan struct{}
	// pressed gets what Slack tells of: an action id and its values.
	pressed chan string
	// form and modal are what a button "form" opens, and told gets what was
	// filled in.
	form, modal obj
	told        chan string
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func closing(t *testing.T, s interface{ Close() error }) {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: simclock.New(), think: make(chan struct{}), pressed: make(chan string, 16), told: make(chan string, 4)}
	w.slack = must(slacksim.Start(slacksim.Config{
		Clock: w.clock, BotName: "Laura", TeamName: "Example Works",
		Scopes:   []string{"commands", "chat:write", "im:write", "users:read", "files:write"},
		Commands: []slacksim.CommandInfo{{Name: "/badges", Description: "Your badges", UsageHint: "[list | link <address> | emails | claim | help]"}},
	}))(t)
	closing(t, w.slack)
	w.discord = must(discordsim.Start(discordsim.Config{Clock: w.clock}))(t)
	closing(t, w.discord)
	w.credly = must(credlysim.Start(credlysim.Config{Clock: w.clock, ManualWebhooks: true}))(t)
	closing(t, w.credly)
	w.mail = must(mailsim.Start(mailsim.Config{Clock: w.clock}))(t)
	closing(t, w.mail)

	mux := http.NewServeMux()
	mux.HandleFunc("POST /slack/commands", w.slackCommand)
	mux.HandleFunc("POST /slack/interactions", w.slackInteraction)
	mux.HandleFunc("POST /discord/interactions", w.discordInteraction)
	mux.HandleFunc("POST /portal", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /h/{token}", func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "off to Credly") })
	bot := httptest.NewServer(mux)
	t.Cleanup(bot.Close)

	w.portal = must(portalsim.Start(portalsim.Config{Clock: w.clock, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", TargetURL: bot.URL + "/portal"}))(t)
	closing(t, w.portal)

	for _, u := range []slacksim.User{{ID: adaSlack, Name: "ada", RealName: "Ada Example"}, {ID: bertSlack, Name: "bert", RealName: "Bert Sample"}} {
		w.slack.AddUser(u)
	}
	w.slack.AddChannel(teamSlack, "team", adaSlack, bertSlack, w.slack.Config().BotUserID)
	w.slack.SetCommandsURL(bot.URL + "/slack/commands")
	w.slack.SetInteractionsURL(bot.URL + "/slack/interactions")

	w.ada = w.discord.AddUser(discordsim.User{Name: "ada", GlobalName: "Ada Example", Locale: "de"})
	w.bert = w.discord.AddUser(discordsim.User{Name: "bert", GlobalName: "Bert Sample"})
	guild := w.discord.AddGuild(discordsim.Guild{Name: "Example Guild"})
	w.general = must(w.discord.AddChannel(discordsim.Channel{GuildID: guild, Name: "general"}))(t)
	must(w.discord.AddLinkedRole(guild, "Certified", discordsim.Requirement{Key: "certified", Value: 1}))(t)
	w.discord.SetVerificationURL(bot.URL + "/roles")
	if err := w.discord.SetInteractionsURL(t.Context(), bot.URL+"/discord/interactions"); err != nil {
		t.Fatal(err)
	}
	w.discordAPI(t, http.MethodPut, "/applications/"+w.discord.ApplicationID()+"/commands", []obj{{
		"name": "badges", "description": "Your badges", "options": []obj{
			{"type": 1, "name": "list", "description": "See your badges", "name_localizations": obj{"de": "liste"}, "description_localizations": obj{"de": "Deine Abzeichen"}},
			{"type": 1, "name": "link", "description": "Link an address", "options": []obj{{"type": 3, "name": "address", "description": "Your e-mail address", "required": true}}},
			{"type": 1, "name": "claim", "description": "Claim a badge", "options": []obj{{"type": 3, "name": "badge", "description": "Which badge", "autocomplete": true}}},
		},
	}})

	template := w.credly.AddTemplate(credlysim.Template{Name: "Cloud Practitioner", Description: "Knows the clouds."})
	w.credly.AddTemplate(credlysim.Template{Name: "Data Steward"})
	b := must(w.credly.Issue(credlysim.IssueRequest{
		RecipientEmail: adaMail, FirstName: "Ada", LastName: "Example", TemplateID: template.ID,
		IssuedAt: w.clock.Now().Format("2006-01-02 15:04:05 -0700"),
	}))(t)
	w.badge = b.ID
	w.send(t)

	server := httptest.NewServer(console.New(console.Config{
		Slack: w.slack, Discord: w.discord, Credly: w.credly, Mail: w.mail, Portal: w.portal, Clock: w.clock, Title: "Try it",
		People: []console.Person{
			{Name: "Ada Example", SlackUser: adaSlack, DiscordUser: w.ada, Emails: []string{adaMail, "ada.example@example.com"}},
			{Name: "Bert Sample", SlackUser: bertSlack, DiscordUser: w.bert, Emails: []string{"bert@example.org"}},
		},
	}))
	w.url = server.URL
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return w
}

// send puts a mail with a code into the mailbox.
func (w *world) send(t *testing.T) {
	t.Helper()
	mail := "From: Badges <badges@example.com>\r\nTo: <" + adaMail + ">\r\nSubject: Your code\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/alternative; boundary=part\r\n\r\n" +
		"--part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nYour code is 482 913.\r\nOr open http://127.0.0.1:9/e/token\r\n" +
		"--part\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><head><style>p{color:#224}</style></head><body><p onclick=\"alert(1)\">Your code is <b>482 913</b>. <a href=\"http://127.0.0.1:9/e/token\">Confirm</a></p><script>document.body.textContent='ran'</script></body></html>\r\n" +
		"--part--\r\n"
	if err := smtp.SendMail(w.mail.Addr(), nil, "badges@example.com", []string{adaMail}, []byte(mail)); err != nil {
		t.Fatal(err)
	}
}

func answer(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(rw).Encode(v); err != nil {
		// The simulator notices an answer that is cut off.
		return
	}
}

// slackForm reads a signed request of Slack.
func (w *world) slackForm(rw http.ResponseWriter, r *http.Request) url.Values {
	body, err := io.ReadAll(r.Body)
	at, err2 := strconv.ParseInt(r.Header.Get("X-Slack-Request-Timestamp"), 10, 64)
	if err != nil || err2 != nil || !hmac.Equal([]byte(r.Header.Get("X-Slack-Signature")), []byte(slacksim.Signature(w.slack.Config().SigningSecret, at, body))) {
		http.Error(rw, "forged", http.StatusUnauthorized)
		return nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		http.Error(rw, "no form", http.StatusBadRequest)
		return nil
	}
	return form
}

func (w *world) slackAPI(method string, body obj) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode call: %w", err)
	}
	req, err := http.NewRequest(http.MethodPost, w.slack.APIURL()+method, bytes.NewReader(raw)) //nolint:noctx // a test's bot
	if err != nil {
		return fmt.Errorf("make call: %w", err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Authorization", "Bearer "+w.slack.Config().BotToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("call: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if !strings.Contains(string(out), `"ok":true`) {
		return fmt.Errorf("call %s: %s", method, out)
	}
	return nil
}

func mrkdwn(s string) obj { return obj{"type": "mrkdwn", "text": s} }
func words(s string) obj  { return obj{"type": "plain_text", "text": s} }

func (w *world) image() string {
	return w.credly.URL() + "/images/" + w.credly.Templates()[0].ID + ".svg"
}

func (w *world) slackCommand(rw http.ResponseWriter, r *http.Request) {
	if w.slackForm(rw, r) == nil {
		return
	}
	soon := w.clock.Now().Add(2 * time.Minute).Unix()
	answer(rw, obj{
		"response_type": "ephemeral", "text": "Your badges", "blocks": []obj{
			{"type": "header", "text": words("Your badges :medal:")},
			{
				"type": "section", "text": mrkdwn("*Cloud Practitioner* is _waiting_ for you & me.\n&lt;script&gt;alert(1)&lt;/script&gt; ~old~ `code` <https://example.org/x|read more>"),
				"accessory": obj{"type": "image", "image_url": w.image(), "alt_text": "Cloud Practitioner"},
			},
			{"type": "section", "fields": []obj{mrkdwn("*Address*\nada@example.org"), mrkdwn(fmt.Sprintf("*Until*\n<!date^%d^{time_secs}|soon>", soon))}},
			{"type": "context", "elements": []obj{mrkdwn(":hourglass: pending since yesterday")}},
			{"type": "divider"},
			{"type": "actions", "elements": []obj{
				{"type": "button", "action_id": "code", "text": words("Enter code"), "style": "primary", "value": "code:1"},
				{"type": "button", "action_id": "go", "text": words("Proceed to Credly"), "url": "http://" + r.Host + "/h/token"},
				{"type": "button", "action_id": "unlink", "text": words("Unlink"), "style": "danger", "value": "unlink:1", "confirm": obj{
					"title": words("Unlink?"), "text": words("Your badges stay at Credly."), "confirm": words("Unlink"), "deny": words("Keep"), "style": "danger",
				}},
			}},
		},
	})
}

func (w *world) slackInteraction(rw http.ResponseWriter, r *http.Request) {
	form := w.slackForm(rw, r)
	if form == nil {
		return
	}
	var in struct {
		Type        string `json:"type"`
		TriggerID   string `json:"trigger_id"`
		ResponseURL string `json:"response_url"`
		User        struct {
			ID string `json:"id"`
		} `json:"user"`
		Actions []struct {
			ActionID        string `json:"action_id"`
			Value           string `json:"value"`
			SelectedUser    string `json:"selected_user"`
			SelectedOptions []struct {
				Value string `json:"value"`
			} `json:"selected_options"`
		} `json:"actions"`
		View struct {
			CallbackID string `json:"callback_id"`
			State      struct {
				Values map[string]map[string]struct {
					Value string `json:"value"`
				} `json:"values"`
			} `json:"state"`
		} `json:"view"`
	}
	if err := json.Unmarshal([]byte(form.Get("payload")), &in); err != nil {
		http.Error(rw, "no payload", http.StatusBadRequest)
		return
	}
	for _, a := range in.Actions {
		said := a.ActionID + " " + a.Value + a.SelectedUser
		for _, o := range a.SelectedOptions {
			said += o.Value
		}
		select {
		case w.pressed <- said:
		default:
		}
	}
	var err error
	switch {
	case in.View.CallbackID == "form":
		w.told <- form.Get("payload")
	case len(in.Actions) == 1 && in.Actions[0].ActionID == "form":
		err = w.slackAPI("views.open", obj{"trigger_id": in.TriggerID, "view": w.form})
	case in.Type == "view_submission" && in.View.State.Values["code"]["value"].Value != code:
		answer(rw, obj{"response_action": "errors", "errors": obj{"code": "That is not the code."}})
	case in.Type == "view_submission":
		err = w.slackAPI("chat.postMessage", obj{"channel": w.slack.DM(in.User.ID), "text": "Linked.", "blocks": []obj{
			{"type": "section", "text": mrkdwn("*Linked.* Your badge is ready :tada:\n> one line\n> another")},
		}})
	case in.Actions[0].ActionID == "code":
		err = w.slackAPI("views.open", obj{"trigger_id": in.TriggerID, "view": obj{
			"type": "modal", "title": words("Enter the code"), "submit": words("Confirm"), "close": words("Cancel"), "callback_id": "code",
			"blocks": []obj{
				{"type": "section", "text": mrkdwn("We sent a code to *ada@example.org*.")},
				{
					"type": "input", "block_id": "code", "label": words("Code"), "hint": words("Six digits, from the mail"),
					"element": obj{"type": "plain_text_input", "action_id": "value", "placeholder": words("123456"), "max_length": 20},
				},
			},
		}})
	case in.Actions[0].ActionID == "unlink":
		var raw []byte
		if raw, err = json.Marshal(obj{"replace_original": true, "text": "Unlinked."}); err == nil {
			var resp *http.Response
			if resp, err = http.Post(in.ResponseURL, "application/json", bytes.NewReader(raw)); err == nil { //nolint:noctx // a test's bot
				_ = resp.Body.Close()
			}
		}
	}
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
	}
}

// discordAPI calls Discord as the bot does.
func (w *world) discordAPI(t *testing.T, method, path string, body any) {
	t.Helper()
	raw := must(json.Marshal(body))(t)
	req := must(http.NewRequestWithContext(t.Context(), method, w.discord.BaseURL()+"/api/v10"+path, bytes.NewReader(raw)))(t)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bot "+w.discord.BotToken())
	req.Header.Set("User-Agent", "DiscordBot (https://example.org, 1)")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if out := must(io.ReadAll(resp.Body))(t); resp.StatusCode > 299 {
		t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, out)
	}
}

func (w *world) discordInteraction(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	key, err2 := hex.DecodeString(w.discord.PublicKey())
	signature, err3 := hex.DecodeString(r.Header.Get("X-Signature-Ed25519"))
	if err != nil || err2 != nil || err3 != nil || !ed25519.Verify(key, append([]byte(r.Header.Get("X-Signature-Timestamp")), body...), signature) {
		http.Error(rw, "forged", http.StatusUnauthorized)
		return
	}
	var in struct {
		Type          int    `json:"type"`
		Token         string `json:"token"`
		ApplicationID string `json:"application_id"`
		Data          struct {
			CustomID string `json:"custom_id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(rw, "no JSON", http.StatusBadRequest)
		return
	}
	soon := w.clock.Now().Add(2 * time.Minute).Unix()
	text := func(s string) obj { return obj{"type": 10, "content": s} }
	switch {
	case in.Data.CustomID == "form" && in.Type == 3:
		answer(rw, obj{"type": 9, "data": w.modal})
		return
	case in.Data.CustomID == "form":
		w.told <- string(body)
		answer(rw, obj{"type": 4, "data": obj{"content": "Thank you", "flags": 64}})
		return
	}
	switch in.Type {
	case 1:
		answer(rw, obj{"type": 1})
	case 2:
		answer(rw, obj{"type": 4, "data": obj{"flags": 1<<6 | 1<<15, "components": []obj{{
			"type": 17, "accent_color": 0x2f855a, "components": []obj{
				{
					"type": 9, "components": []obj{text("## Your badges"), text("**Cloud Practitioner** is *waiting*, <script>alert(1)</script>\n- issued to `ada@example.org`\n- ready <t:" + strconv.FormatInt(soon, 10) + ":R>")},
					"accessory": obj{"type": 11, "media": obj{"url": w.image()}, "description": "Cloud Practitioner"},
				},
				{"type": 14},
				text("-# Small print"),
				{"type": 1, "components": []obj{
					{"type": 2, "style": 1, "custom_id": "code:1", "label": "Enter code"},
					{"type": 2, "style": 3, "custom_id": "think:1", "label": "Claim"},
					{"type": 2, "style": 4, "custom_id": "unlink:1", "label": "Unlink", "disabled": true},
					{"type": 2, "style": 2, "custom_id": "page:2", "label": "Next"},
					{"type": 2, "style": 5, "url": "http://" + r.Host + "/h/token", "label": "Proceed"},
				}},
			},
		}}}})
	case 3:
		if strings.HasPrefix(in.Data.CustomID, "think") {
			answer(rw, obj{"type": 5, "data": obj{"flags": 1 << 6}})
			go w.finish(in.ApplicationID, in.Token)
			return
		}
		answer(rw, obj{"type": 9, "data": obj{"custom_id": "code", "title": "Enter the code", "components": []obj{
			{"type": 18, "label": "Code", "description": "Six digits, from the mail", "component": obj{"type": 4, "custom_id": "value", "style": 1, "max_length": 20}},
			{"type": 18, "label": "Where", "component": obj{"type": 8, "custom_id": "where", "required": false, "min_values": 0, "channel_types": []int{0, 5}}},
		}}})
	case 4:
		answer(rw, obj{"type": 8, "data": obj{"choices": []obj{{"name": "Cloud Practitioner", "value": "b1"}, {"name": "Data Steward", "value": "b2"}}}})
	default:
		answer(rw, obj{"type": 4, "data": obj{"content": "**Linked.** Your badge is ready.", "embeds": []obj{{
			"title": "Cloud Practitioner", "description": "Knows the clouds.", "color": 0x2f855a, "thumbnail": obj{"url": w.image()},
			"fields": []obj{{"name": "Issued", "value": "today", "inline": true}, {"name": "State", "value": "pending", "inline": true}}, "footer": obj{"text": "Example Certification Body"},
		}}}})
	}
}

// finish edits a deferred answer once it may.
func (w *world) finish(application, token string) {
	<-w.think
	req, err := http.NewRequest(http.MethodPatch, w.discord.BaseURL()+"/api/v10/webhooks/"+application+"/"+token+"/messages/@original", strings.NewReader(`{"content":"Ready: two minutes."}`)) //nolint:noctx // a test's bot
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "DiscordBot (https://example.org, 1)")
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}
