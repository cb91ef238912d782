package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// asks is an input of a form.
func asks(label string, optional bool, element obj) obj {
	element["action_id"] = "a"
	return obj{"type": "input", "block_id": label, "optional": optional, "label": words(label), "element": element}
}

func option(name string) obj { return obj{"text": words(name), "value": strings.ToLower(name)} }

// filledIn waits for what the app is told.
func (w *world) filledIn(t *testing.T) string {
	t.Helper()
	select {
	case told := <-w.told:
		return told
	case <-time.After(patience):
		t.Fatal("the app is not told of the form")
		return ""
	}
}

// pick chooses by keyboard, in the menu that has the focus, what begins with
// these letters.
func (p *page) pick(selector, letters, want string) {
	p.t.Helper()
	p.enter(selector, letters)
	p.see(fmt.Sprintf(`document.querySelector(%q).selectedOptions[0].text === %q`, selector, want))
}

// TestBrowserForms fills in forms that ask where to post, with several lines,
// in both chats.
func TestBrowserForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slack.AddChannel("C0RANDOM01", "random", bertSlack)
	w.slack.AddChannel("C0OLD00001", "old", adaSlack, w.slack.Config().BotUserID)
	w.slack.Archive("C0OLD00001", true)
	w.slack.AddPrivateChannel("G0SECRET01", "secret", bertSlack)
	w.form = obj{
		"type": "modal", "callback_id": "form", "title": words("Announce"), "submit": words("Next"), "blocks": []obj{
			asks("Channel", false, obj{"type": "conversations_select", "default_to_current_conversation": true, "filter": obj{"include": []string{"public", "private"}}}),
			asks("Also in", true, obj{"type": "multi_conversations_select", "filter": obj{"include": []string{"public"}}}),
			asks("Text", false, obj{"type": "plain_text_input", "multiline": true, "max_length": 500}),
			asks("Badges", true, obj{"type": "multi_static_select", "option_groups": []obj{
				{"label": words("Projects"), "options": []obj{option("Associate"), option("Manager")}},
				{"label": words("Programmes"), "options": []obj{option("Director")}},
			}}),
			asks("How often", true, obj{"type": "static_select", "option_groups": []obj{{"label": words("Often"), "options": []obj{option("Weekly")}}}}),
			asks("Who", true, obj{"type": "external_select"}),
			asks("When", true, obj{"type": "datepicker"}),
		},
	}
	post := func(channel string) {
		t.Helper()
		if err := w.slackAPI("chat.postMessage", obj{"channel": channel, "text": "x", "blocks": []obj{
			{"type": "actions", "elements": []obj{{"type": "button", "action_id": "form", "text": words("Announce")}}},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	post(teamSlack)
	guild := w.discord.AddGuild(discordsim.Guild{Name: "Other Guild"})
	must(w.discord.AddChannel(discordsim.Channel{GuildID: guild, Name: "elsewhere"}))(t)

	p := open(t, w.url, 1440, 1000)
	p.see(`document.querySelectorAll("#part-slack .channels button").length === 2`) // team and the bot, not what is archived.
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("#part-slack .channels button")[0].click()`))
	p.press(`#part-slack [data-action="form"]`)
	p.text("#part-slack .sheet", "Announce")
	field := func(label string) string { return fmt.Sprintf(`#part-slack .sheet [name=%q]`, label) }
	p.see(fmt.Sprintf(`document.querySelector(%q).selectedOptions[0].text === "#team"`, field("Channel")))
	p.see(fmt.Sprintf(`[...document.querySelector(%q).options].map((o) => o.text).slice(1).join() === "#team,#random,#old (archived)"`, field("Channel")))
	p.see(fmt.Sprintf(`document.querySelector(%q).closest("optgroup, select").querySelector("optgroup").label === "Often"`, field("How often")))
	p.text(`#part-slack .sheet .choice-group`, "Programmes")
	p.text(`#part-slack .sheet`, "which is not simulated")
	p.rules()
	p.accessible("form", "#part-slack .sheet")
	p.shot("slack")
	p.pick(field("Channel"), "#r", "#random")
	p.enter(field("Text"), "one"+kb.Enter+"two")
	p.press(`#part-slack .sheet [value="C00000TEAM"][type="checkbox"]`)
	p.press(`#part-slack .sheet [value="director"]`)
	p.press(`#part-slack .sheet footer button:last-child`)
	var slack struct {
		View struct {
			State struct {
				Values map[string]map[string]struct {
					Value           string
					Conversation    string   `json:"selected_conversation"`
					Conversations   []string `json:"selected_conversations"`
					SelectedOptions []struct{ Value string }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(w.filledIn(t)), &slack); err != nil {
		t.Fatal(err)
	}
	values := slack.View.State.Values
	if values["Channel"]["a"].Conversation != "C0RANDOM01" || len(values["Also in"]["a"].Conversations) != 1 || values["Text"]["a"].Value != "one\ntwo" {
		t.Errorf("the app is told %+v", values)
	}
	p.see(`document.querySelector("#part-slack .overlay").hidden`)

	w.modal = obj{"title": "Announce", "custom_id": "form", "components": []obj{
		{"type": 18, "label": "Channel", "description": "Where it is posted", "component": obj{
			"type": 8, "custom_id": "where", "channel_types": []int{0}, "default_values": []obj{{"id": w.general, "type": "channel"}},
		}},
		{"type": 18, "label": "Text", "component": obj{"type": 4, "custom_id": "text", "style": 2, "max_length": 500}},
		{"type": 18, "label": "Badges", "component": obj{"type": 3, "custom_id": "badges", "required": false, "max_values": 2, "options": []obj{
			{"label": "Associate", "value": "a"}, {"label": "Manager", "value": "m", "description": "Of projects"},
		}}},
		{"type": 18, "label": "Who", "component": obj{"type": 5, "custom_id": "who", "required": false}},
	}}
	w.discordAPI(t, http.MethodPost, "/channels/"+w.general+"/messages", obj{"content": "x", "components": []obj{
		{"type": 1, "components": []obj{{"type": 2, "style": 1, "custom_id": "form", "label": "Announce"}}},
		{"type": 1, "components": []obj{{"type": 8, "custom_id": "menu", "placeholder": "Another channel"}}},
	}})
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("#part-discord .channels button")[0].click()`))
	p.see(`[...(document.querySelector('#part-discord [data-focus="menu"]')?.options ?? [])].map((o) => o.text).join() === "Another channel,#general"`)
	p.press(`#part-discord [data-action="form"]`)
	p.text("#part-discord .sheet", "Where it is posted")
	p.see(`document.querySelector('#part-discord .sheet [data-focus="input:where"]').selectedOptions[0].text === "#general"`)
	p.accessible("modal", "#part-discord .sheet")
	p.shot("discord")
	p.enter(`#part-discord .sheet textarea`, "one"+kb.Enter+"two")
	p.press(`#part-discord .sheet footer button:last-child`)
	if told := w.filledIn(t); !strings.Contains(told, `"resolved":{"channels":{"`+w.general+`"`) || !strings.Contains(told, `one\ntwo`) {
		t.Errorf("the bot is told %s", told)
	}
	p.see(`document.querySelector("#part-discord .overlay").hidden`)

	// Posts are edited and deleted before one's eyes.
	ts := w.slack.Messages(teamSlack, adaSlack)[0].TS
	if err := w.slackAPI("chat.update", obj{"channel": teamSlack, "ts": ts, "text": "17 of 40 claimed", "blocks": []obj{}}); err != nil {
		t.Fatal(err)
	}
	p.text("#part-slack .message", "17 of 40 claimed")
	p.text("#part-slack .message .edited", "(edited)")
	if err := w.slackAPI("chat.delete", obj{"channel": teamSlack, "ts": ts}); err != nil {
		t.Fatal(err)
	}
	p.text("#part-slack .message.deleted", "This message was deleted.")
	posts := w.discord.Messages(w.general, "")
	path := "/channels/" + w.general + "/messages/" + posts[0].ID
	w.discordAPI(t, http.MethodPatch, path, obj{"content": "17 of 40 claimed", "components": []obj{}})
	p.text("#part-discord .message", "17 of 40 claimed")
	p.text("#part-discord .message .edited", "(edited)")
	w.discordAPI(t, http.MethodDelete, path, nil)
	p.see(`![...document.querySelectorAll("#part-discord .message")].some((m) => m.textContent.includes("17 of 40"))`)
	p.calm()
}
