package slacksim_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/laurelbot/laurel/internal/refdata"
)

// TestForeignNamesAreFound adds a name that Slack does not send to every
// object of every sample, one after the other: each is found, and none in the
// sample itself.
func TestForeignNamesAreFound(t *testing.T) {
	t.Parallel()
	for _, elem := range [][]string{
		{"app-backend", "SlashCommandPayload.json"},
		{"app-backend", "BlockActionPayload.json"},
		{"app-backend", "ViewSubmissionPayload.json"},
		{"events", "AppHomeOpenedPayload.json"},
		{"events", "MessagePayload.json"},
		{"events", "TokensRevokedPayload.json"},
		{"events", "AppUninstalledPayload.json"},
	} {
		raw := refdata.Read(t, append([]string{"slack", "samples"}, elem...)...)
		read := func() any {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
		if names := foreign("", read(), read()); len(names) > 0 {
			t.Errorf("%s differs from itself: %v", elem[1], names)
		}
		n := 0
		for ; ; n++ {
			damaged := read()
			at, done := addName(damaged, "", n)
			if !done {
				break
			}
			if names := foreign("", damaged, read()); !slices.Equal(names, []string{at}) {
				t.Errorf("%s: %s was added, found %v", elem[1], at, names)
			}
		}
		if n == 0 {
			t.Errorf("%s: nothing was added", elem[1])
		}
	}
}

// addName adds a name to the n-th object in which names are looked at.
func addName(v any, path string, n int) (at string, done bool) {
	var walk func(v any, path string) bool
	walk = func(v any, path string) bool {
		switch v := v.(type) {
		case map[string]any:
			// What is the app's to name is not looked at, nor are blocks.
			if path == ".view.state" || path == ".message.metadata" {
				return false
			}
			if n == 0 {
				v["made_up"], at = true, path+".made_up"
				return true
			}
			n--
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if here := path + "." + key; key != "blocks" && !slices.Contains(beyond, here) && walk(v[key], here) {
					return true
				}
			}
		case []any:
			// The first of several is what the others are held against.
			if len(v) == 1 {
				return walk(v[0], path)
			}
		}
		return false
	}
	done = walk(v, path)
	return at, done
}
