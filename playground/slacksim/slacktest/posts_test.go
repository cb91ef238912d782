package slacktest_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// crier is an app that asks where and what to announce, and takes it back.
type crier struct {
	echo

	sim *slacksim.Server
	png []byte

	mu   sync.Mutex
	post slacksim.MessageRef // what was announced.
}

func (c *crier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if trigger := r.FormValue("trigger_id"); trigger != "" {
		if c.post.TS != "" {
			c.call(r, c.api+"chat.delete", map[string]any{"channel": c.post.Channel, "ts": c.post.TS})
			return
		}
		c.call(r, c.api+"views.open", map[string]any{"trigger_id": trigger, "view": map[string]any{
			"type": "modal", "title": text("plain_text", "Announce"), "submit": text("plain_text", "Send"), "blocks": []any{
				map[string]any{"type": "input", "block_id": "channel", "label": text("plain_text", "Channel"), "element": map[string]any{
					"type": "conversations_select", "action_id": "a", "default_to_current_conversation": true,
					"filter": map[string]any{"include": []string{"public"}},
				}},
				map[string]any{"type": "input", "block_id": "words", "label": text("plain_text", "Text"), "element": map[string]any{
					"type": "plain_text_input", "action_id": "a", "multiline": true, "initial_value": "Hello",
				}},
			},
		}})
		return
	}
	var in struct {
		View struct {
			State struct {
				Values map[string]map[string]struct {
					Value        string
					Conversation string `json:"selected_conversation"`
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(r.FormValue("payload")), &in); err != nil {
		http.Error(w, "no payload", http.StatusBadRequest)
		return
	}
	values := in.View.State.Values
	where := values["channel"]["a"].Conversation
	file := c.sim.AddFile("chart.png", "Chart", c.png)
	c.call(r, c.api+"chat.postMessage", map[string]any{"channel": where, "text": values["words"]["a"].Value, "blocks": []any{
		map[string]any{"type": "section", "text": text("mrkdwn", values["words"]["a"].Value)},
		map[string]any{"type": "image", "alt_text": "A chart of badges", "slack_file": map[string]any{"id": file}},
	}})
	for _, m := range c.sim.Messages(where, "") {
		c.post = m.Ref()
	}
}

// TestPosts is a story of a post in a channel: chosen in a form, seen by
// everybody with its picture, and taken back.
func TestPosts(t *testing.T) {
	t.Parallel()
	chat := slacktest.Start(t, slacksim.Config{})
	var chart bytes.Buffer
	if err := png.Encode(&chart, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	app := &crier{echo: echo{chat.Sim().APIURL(), chat.Sim().Config().BotToken}, sim: chat.Sim(), png: chart.Bytes()}
	srv := httptest.NewServer(app)
	t.Cleanup(srv.Close)
	chat.OverHTTP(srv.URL, srv.URL, "")
	ada, bruno := chat.Person("ada"), chat.Person("bruno")
	team, random := chat.Channel("team", ada, bruno), chat.Channel("random", bruno)
	chat.Sim().AddPrivateChannel("G0SECRET01", "secret", ada.ID())

	form := ada.In(team).Command("/announce", "").Person().Modal("Announce").
		ExpectFilled("Channel", "#team").ExpectFilled("Text", "Hello").
		ExpectChoice("Channel", "#random", team).ExpectNoChoice("Channel", "secret")
	form.Fill("Channel", "secret").SubmitExpectingError("Choose").
		Fill("Channel", "#random").Fill("Text", "Badges are here").Submit().ExpectNoModal()
	post := bruno.In(random).ExpectPost("Badges are here")
	if _, err := png.Decode(bytes.NewReader(post.ExpectPicture("chart").Data)); err != nil {
		t.Errorf("the picture: %v", err)
	}
	post.ExpectNoPicture("cat")
	bruno.In(team).ExpectNothing("Badges are here")
	ada.In(team).Command("/announce", "")
	post.ExpectDeleted()
}
