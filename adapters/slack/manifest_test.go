package slack

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/laurelbot/laurel/internal/refdata"
)

// manifestYAML is the description of the app from which it is created at
// api.slack.com/apps, with https://laurel.example.org in place of the public
// URL (https://docs.slack.dev/reference/app-manifest).
//
//go:embed manifest.yaml
var manifestYAML []byte

// localSchemas loads the schemas to which the top schema refers on the web.
type localSchemas struct{ tb testing.TB }

func (l localSchemas) Load(address string) (any, error) {
	f, err := os.Open(refdata.Path(l.tb, "slack", "manifest", path.Base(address)))
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // Only read.
	return jsonschema.UnmarshalJSON(f)
}

// lookahead is a pattern that begins with "not this", which Go's regular
// expressions do not know and the schemas use.
type lookahead struct {
	pattern   string
	not, rest *regexp.Regexp
}

func (l lookahead) String() string { return l.pattern }

func (l lookahead) MatchString(s string) bool { return !l.not.MatchString(s) && l.rest.MatchString(s) }

func compilePattern(pattern string) (jsonschema.Regexp, error) {
	if after, ok := strings.CutPrefix(pattern, "^(?!"); ok {
		not, rest, _ := strings.Cut(after, ")")
		notRE, err := regexp.Compile("^(?:" + not + ")")
		if err != nil {
			return nil, err
		}
		restRE, err := regexp.Compile("^" + rest)
		return lookahead{pattern, notRE, restRE}, err
	}
	return regexp.Compile(pattern)
}

func TestManifestIsValid(t *testing.T) {
	t.Parallel()
	refdata.Path(t)
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(localSchemas{t})
	compiler.UseRegexpEngine(compilePattern)
	schema, err := compiler.Compile("https://schemas.example.org/manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	// The validation is worth something only when it tells samples apart.
	for name, valid := range map[string]bool{
		"manifest_sample_v1_valid.json": true, "manifest_sample_v2_valid.json": true,
		"manifest_sample_v1_invalid.json": false, "manifest_sample_v2_invalid.json": false,
	} {
		sample, err := jsonschema.UnmarshalJSON(bytes.NewReader(refdata.Read(t, "slack", "manifest", name)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(sample); (err == nil) != valid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	var manifest any
	if err := yaml.Unmarshal(manifestYAML, &manifest); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
	// Broken anywhere, ours is refused as well.
	for name, damage := range map[string]func(map[string]any){
		"no name":         func(m map[string]any) { delete(m, "display_information") },
		"unknown setting": func(m map[string]any) { m["settings"].(map[string]any)["socket_mode"] = true },
		"command without a slash": func(m map[string]any) {
			commands := m["features"].(map[string]any)["slash_commands"].([]any)
			commands[0].(map[string]any)["command"] = "badges"
		},
	} {
		copied, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		damage(copied.(map[string]any))
		if schema.Validate(copied) == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestManifestFitsTheCode(t *testing.T) {
	t.Parallel()
	var m struct {
		Features struct {
			Commands []struct {
				URL          string `yaml:"url"`
				ShouldEscape bool   `yaml:"should_escape"`
			} `yaml:"slash_commands"`
		} `yaml:"features"`
		OAuth struct {
			Scopes struct {
				Bot []string `yaml:"bot"`
			} `yaml:"scopes"`
		} `yaml:"oauth_config"`
		Settings struct {
			Events struct {
				RequestURL string `yaml:"request_url"`
			} `yaml:"event_subscriptions"`
			Interactivity struct {
				RequestURL string `yaml:"request_url"`
			} `yaml:"interactivity"`
		} `yaml:"settings"`
	}
	if err := yaml.Unmarshal(manifestYAML, &m); err != nil {
		t.Fatal(err)
	}
	const base = "https://laurel.example.org"
	if c := m.Features.Commands; len(c) != 1 || c[0].URL != base+CommandsPath || c[0].ShouldEscape {
		t.Errorf("commands: %+v", c)
	}
	if m.Settings.Events.RequestURL != base+EventsPath || m.Settings.Interactivity.RequestURL != base+InteractionsPath {
		t.Errorf("request URLs: %+v", m.Settings)
	}
	var want []string
	for _, s := range leastScopes {
		want = append(want, s.name)
	}
	if !slices.Equal(m.OAuth.Scopes.Bot, want) {
		t.Errorf("scopes: got %v, want %v", m.OAuth.Scopes.Bot, want)
	}
}
