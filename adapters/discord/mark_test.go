package discord

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestMarks(t *testing.T) {
	t.Parallel()
	seen := map[[2]int64]bool{}
	for i := range 2000 {
		outer, inner := marks(fmt.Sprint("delivery", i))
		if outer == inner || outer < firstMark || inner < firstMark || outer > 1<<31-1 || inner > 1<<31-1 {
			t.Fatalf("%d %d", outer, inner)
		}
		seen[[2]int64{outer, inner}] = true
	}
	if len(seen) != 2000 {
		t.Errorf("%d of 2000", len(seen))
	}
	for name, c := range map[string]chat.Card{"empty": {}, "full": aCard} {
		components := Render(c)
		mark(components, "k")
		data, err := json.Marshal(newMessage(components, 0))
		if err != nil {
			t.Fatal(err)
		}
		checkSchema(t, "MessageCreateRequest", data)
		var m foundMessage
		outer, inner := marks("k")
		if err := json.Unmarshal(data, &m); err != nil || !m.marked(outer, inner) {
			t.Errorf("%s: %v", name, err)
		}
		if other, _ := marks("other"); m.marked(other, inner) {
			t.Errorf("%s: any mark will do", name)
		}
	}
}

// A repetition after the time of the nonce finds the first message, however
// many others there are.
func TestDirectFindsWhatItSent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	to := core.Identity{Platform: Platform, User: testUser}
	var sent []json.RawMessage
	var searched []string
	f.api.answer = func(c call) (int, map[string]string, string) {
		switch {
		case strings.HasSuffix(c.path, "/users/@me/channels"):
			return 200, nil, fmt.Sprintf(`{"id":%q}`, testChan)
		case c.method == http.MethodGet:
			searched = append(searched, c.query)
			if len(searched)%2 == 1 {
				// A full page without it: older messages of any kind.
				page := make([]string, searchPage)
				for i := range page {
					page[i] = fmt.Sprintf(`{"id":"%d","components":[{"type":99,"id":1,"components":[{"id":2}]}]}`, 9000+i)
				}
				return 200, nil, "[" + strings.Join(page, ",") + "]"
			}
			list := []string{`{"id":"7","content":"x","components":[]}`}
			for i, body := range sent {
				var m map[string]any
				if err := json.Unmarshal(body, &m); err != nil {
					t.Error(err)
				}
				m["id"], m["channel_id"] = fmt.Sprint(100+i), testChan
				data, err := json.Marshal(m)
				if err != nil {
					t.Error(err)
				}
				list = append(list, string(data))
			}
			return 200, nil, "[" + strings.Join(list, ",") + "]"
		case c.method == http.MethodPost:
			sent = append(sent, c.body)
			return 200, nil, fmt.Sprintf(`{"id":"%d","channel_id":%q}`, 99+len(sent), testChan)
		}
		return 0, nil, ""
	}
	for _, key := range []string{"one", "two"} {
		if _, err := f.Direct(t.Context(), to, aCard, key, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	// Within the time of the nonce nothing is searched.
	f.clock.move(nonceTrust)
	if _, err := f.Direct(t.Context(), to, aCard, "three", start); err != nil || len(sent) != 3 || len(searched) != 0 {
		t.Fatalf("%d sent, %d searches, %v", len(sent), len(searched), err)
	}
	f.clock.move(time.Hour)
	p, err := f.Direct(t.Context(), to, chat.Card{Title: "Changed"}, "two", start)
	if err != nil || p.MessageKey != messageKey(testChan, "101") || len(sent) != 3 {
		t.Errorf("%d sent, place %q, %v", len(sent), p.MessageKey, err)
	}
	after := strconv.FormatInt((start.Add(-searchMargin).UnixMilli()-discordEpoch)<<22, 10)
	if len(searched) != 2 || searched[0] != "after="+after+"&limit=100" {
		t.Errorf("searched %v", searched)
	}
	if p, err = f.Direct(t.Context(), to, aCard, "four", start); err != nil || len(sent) != 4 || p.MessageKey != messageKey(testChan, "103") {
		t.Errorf("%d sent, %v", len(sent), err)
	}
	// Where the search fails nothing is sent.
	f.api.respond(500, "")
	if _, err := f.Direct(t.Context(), to, aCard, "five", start); core.ClassOf(err) != core.Temporary {
		t.Error(err)
	}
}

// An edit of a message keeps the mark of the delivery that makes it.
func TestEditKeepsTheMark(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	if _, err := f.Show(t.Context(), messagePlace(testChan, testMsg, start), aCard, "one"); err != nil {
		t.Fatal(err)
	}
	var m foundMessage
	outer, inner := marks("one")
	if err := json.Unmarshal(f.api.all()[0].body, &m); err != nil || !m.marked(outer, inner) {
		t.Errorf("%s, %v", f.api.all()[0].body, err)
	}
}
