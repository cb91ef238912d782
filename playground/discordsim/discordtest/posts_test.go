package discordtest_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/discordtest"
)

// crier is a bot that asks where and what to announce, and takes it back.
type crier struct {
	echo

	here string
	mu   sync.Mutex
	post string // path of what was announced.
}

func (c *crier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	key, _ := hex.DecodeString(c.key)
	signature, _ := hex.DecodeString(r.Header.Get("X-Signature-Ed25519"))
	if err != nil || !ed25519.Verify(key, append([]byte(r.Header.Get("X-Signature-Timestamp")), body...), signature) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var in struct {
		Type int
		Data struct {
			Components []struct {
				Component struct {
					Value  string
					Values []string
				}
			}
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, "no interaction", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case in.Type == 1:
		reply(w, 1, nil)
	case in.Type == 2 && c.post != "":
		c.call(r, http.MethodDelete, c.post, nil)
		reply(w, 4, map[string]any{"flags": 64, "content": "Taken back"})
	case in.Type == 2:
		reply(w, 9, map[string]any{"title": "Announce", "custom_id": "announce", "components": []any{
			map[string]any{"type": 18, "label": "Channel", "component": map[string]any{
				"type": 8, "custom_id": "channel", "default_values": []any{map[string]any{"type": "channel", "id": c.here}},
			}},
			map[string]any{"type": 18, "label": "Text", "component": map[string]any{"type": 4, "custom_id": "text", "style": 2, "value": "Hello"}},
		}})
	default:
		words, channel := in.Data.Components[1].Component.Value, in.Data.Components[0].Component.Values[0]
		c.post = c.publish(r, channel, words)
		reply(w, 4, map[string]any{"flags": 64, "content": "Done"})
	}
}

// publish sends a message with a picture and returns its path.
func (c *crier) publish(r *http.Request, channel, words string) string {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	payload, err := json.Marshal(map[string]any{"content": words, "attachments": []any{map[string]any{"id": "0", "description": "A chart of badges"}}})
	if err != nil || form.WriteField("payload_json", string(payload)) != nil {
		return ""
	}
	part, err := form.CreateFormFile("files[0]", "chart.png")
	if err != nil || png.Encode(part, image.NewGray(image.Rect(0, 0, 4, 4))) != nil || form.Close() != nil {
		return ""
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, c.api+"/api/v10/channels/"+channel+"/messages", &body)
	if err != nil {
		return ""
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bot "+c.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer func() { _ = res.Body.Close() }()
	var sent struct{ ID string }
	if json.NewDecoder(res.Body).Decode(&sent) != nil {
		return ""
	}
	return "/channels/" + channel + "/messages/" + sent.ID
}

// TestPosts is a story of a post in a channel: chosen in a form, seen by
// everybody with its picture, and taken back.
func TestPosts(t *testing.T) {
	t.Parallel()
	chat := discordtest.Start(t, discordsim.Config{})
	ada, bruno := chat.Person("ada"), chat.Person("bruno")
	team, random := chat.Channel("team", ada, bruno), chat.Channel("random", ada, bruno)
	bot := &crier{echo: echo{chat.Sim().BaseURL(), chat.Sim().BotToken(), chat.Sim().PublicKey()}, here: team}
	srv := httptest.NewServer(bot)
	t.Cleanup(srv.Close)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	bot.call(r, http.MethodPost, "/applications/"+chat.Sim().ApplicationID()+"/commands", map[string]any{"name": "announce", "description": "Tell all"})
	chat.OverHTTP(srv.URL).Registered("announce")

	form := ada.In(team).Command("announce", "", nil).Modal("Announce").
		ExpectFilled("Channel", "#team").ExpectFilled("Text", "Hello").
		ExpectChoice("Channel", "#random", team).ExpectNoChoice("Channel", "secret")
	form.Fill("Channel", "secret").SubmitExpectingError("not offered").
		Fill("Channel", "#random").Fill("Text", "Badges are here").Submit().ExpectEphemeral("Done")
	post := bruno.In(random).ExpectPost("Badges are here")
	if _, err := png.Decode(bytes.NewReader(post.ExpectPicture("chart").Data)); err != nil {
		t.Errorf("the picture: %v", err)
	}
	post.ExpectNoPicture("cat")
	bruno.In(team).ExpectNothing("Badges are here")
	ada.In(team).Command("announce", "", nil).ExpectEphemeral("Taken back")
	post.ExpectDeleted()
}
