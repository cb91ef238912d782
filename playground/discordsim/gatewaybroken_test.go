package discordsim_test

import (
	"encoding/json"
	"testing"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
)

// TestBrokenEventsAreFound breaks what the gateway sends, field by field, until
// Discord's description does not know it any more.
func TestBrokenEventsAreFound(t *testing.T) {
	t.Parallel()
	set, err := schema.Load(refdata.Path(t, "discord", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := gatewaySim(t, discordsim.Config{})
	populate(t, s)
	c := hello(t, s)
	c.send(2, identity(s, nil))
	var ready struct{ User json.RawMessage }
	if err := json.Unmarshal(c.event("READY").Data, &ready); err != nil {
		t.Fatal(err)
	}
	guild := json.RawMessage(c.event("GUILD_CREATE").Data)
	var created struct{ Channels []json.RawMessage }
	if err := json.Unmarshal(guild, &created); err != nil || len(created.Channels) != 1 {
		t.Fatalf("%d channels, %v", len(created.Channels), err)
	}
	for name, part := range map[string]struct {
		whole  json.RawMessage
		fields []string
	}{
		"UserResponse":         {ready.User, []string{"id", "username"}},
		"GuildResponse":        {guild, []string{"id", "name", "roles", "features"}},
		"GuildChannelResponse": {created.Channels[0], []string{"id", "type", "name"}},
	} {
		if err := set.ValidateJSON(name, []byte(part.whole)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, field := range part.fields {
			for _, absent := range []bool{true, false} {
				var broken map[string]any
				if err := json.Unmarshal(part.whole, &broken); err != nil {
					t.Fatal(err)
				}
				broken[field] = map[string]any{"made": "up"}
				if absent {
					delete(broken, field)
				}
				data, err := json.Marshal(broken)
				if err != nil {
					t.Fatal(err)
				}
				if set.ValidateJSON(name, data) == nil {
					t.Errorf("%s: %s, absent %t, is not found", name, field, absent)
				}
			}
		}
	}
}
