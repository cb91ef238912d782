package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	set, err := schema.Load(refdata.Path(t, "discord", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	button := func(label string) string {
		return `{"type":2,"style":1,"custom_id":"x","label":"` + label + `"}`
	}
	message := func(buttons ...string) string {
		return `{"components":[{"type":1,"components":[` + strings.Join(buttons, ",") + `]}]}`
	}
	six := []string{button("a"), button("a"), button("a"), button("a"), button("a"), button("a")}
	for _, tt := range []struct {
		name, schema, doc string
		good              bool
	}{
		{"message", "MessageCreateRequest", message(button("a")), true},
		{"six buttons", "MessageCreateRequest", message(six...), false},
		{"label of 81", "MessageCreateRequest", message(button(strings.Repeat("a", 81))), false},
		{"answer", "CreateMessageInteractionCallbackRequest", `{"type":4,"data":{"content":"x","flags":64}}`, true},
		{"answer of the wrong type", "CreateMessageInteractionCallbackRequest", `{"type":9,"data":{}}`, false},
		{"unknown schema", "Nothing", `{}`, false},
		{"no JSON", "MessageCreateRequest", `{`, false},
	} {
		if err := set.ValidateJSON(tt.schema, []byte(tt.doc)); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	if _, err := schema.Load(filepath.Join(t.TempDir(), "none.json")); err == nil {
		t.Error("a missing file was loaded")
	}
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Load(bad); err == nil {
		t.Error("a broken file was loaded")
	}
}
