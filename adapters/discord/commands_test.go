package discord

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestCommandsGolden(t *testing.T) {
	t.Parallel()
	commands, err := Commands(testTexts())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "commands", commands)
	for _, c := range commands {
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		checkSchema(t, "ApplicationCommandUpdateRequest", data)
		checkSchema(t, "ApplicationCommandCreateRequest", data)
	}
}

func TestCommandsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]CommandText){
		"missing":          func(m map[string]CommandText) { delete(m, "badges.claim.badge") },
		"other name":       func(m map[string]CommandText) { m["badges.list"] = CommandText{Name: "liste", Description: "x"} },
		"no description":   func(m map[string]CommandText) { m["badges.list"] = CommandText{} },
		"long description": func(m map[string]CommandText) { m["badges.list"] = CommandText{Description: strings.Repeat("ä", 101)} },
		"upper case": func(m map[string]CommandText) {
			m["badges.list"] = CommandText{Description: "x", Names: map[string]string{"de": "Liste"}}
		},
		"space in name": func(m map[string]CommandText) {
			m["badges.list"] = CommandText{Description: "x", Names: map[string]string{"de": "zwei worte"}}
		},
		"unknown locale": func(m map[string]CommandText) {
			m["badges.list"] = CommandText{Description: "x", Names: map[string]string{"es": "lista"}}
		},
		"empty localisation": func(m map[string]CommandText) {
			m["badges.list"] = CommandText{Description: "x", Descriptions: map[string]string{"de": ""}}
		},
		"no name in the menu":   func(m map[string]CommandText) { delete(m, MessageCommandKey) },
		"long name in the menu": func(m map[string]CommandText) { m[MessageCommandKey] = CommandText{Name: strings.Repeat("ä", 33)} },
		"unknown locale, menu": func(m map[string]CommandText) {
			m[MessageCommandKey] = CommandText{Name: "x", Names: map[string]string{"es": "x"}}
		},
		"empty name in the menu": func(m map[string]CommandText) {
			m[MessageCommandKey] = CommandText{Name: "x", Names: map[string]string{"de": " "}}
		},
		"same name twice": func(m map[string]CommandText) {
			m["badges.list"] = CommandText{Description: "x", Names: map[string]string{"de": "help"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			texts := testTexts()
			change(texts)
			if _, err := Commands(texts); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// asDiscord returns commands in the form Discord gives them back.
func asDiscord(t *testing.T, commands []Command, change func(map[string]any)) string {
	t.Helper()
	data, err := json.Marshal(commands)
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		c["id"], c["version"], c["application_id"], c["nsfw"] = "1", "2", testApp, false
		c["default_member_permissions"] = nil
		if _, given := c["name_localizations"]; !given {
			c["name_localizations"] = nil
		}
		c["contexts"], c["integration_types"] = []int{2, 0, 1}, []int{1, 0}
		if change != nil {
			change(c)
		}
	}
	data, err = json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRegister(t *testing.T) {
	t.Parallel()
	commands, err := Commands(testTexts())
	if err != nil {
		t.Fatal(err)
	}
	extra := Command{Type: 1, Name: "old", Description: "x"}
	option := func(c map[string]any, i int) map[string]any {
		options, _ := c["options"].([]any)
		if len(options) == 0 { // A command in a menu has none.
			return map[string]any{}
		}
		return options[i].(map[string]any) //nolint:forcetypeassert // Made by Commands.
	}
	for name, tt := range map[string]struct {
		there   string
		changed bool
	}{
		"none":        {"[]", true},
		"same":        {asDiscord(t, commands, nil), false},
		"one more":    {asDiscord(t, append([]Command{extra}, commands...), nil), true},
		"description": {asDiscord(t, commands, func(c map[string]any) { c["description"] = "old" }), true},
		"localisation": {asDiscord(t, commands, func(c map[string]any) {
			c["description_localizations"] = map[string]string{"de": "alt"}
		}), true},
		"option":  {asDiscord(t, commands, func(c map[string]any) { option(c, 1)["description"] = "old" }), true},
		"options": {asDiscord(t, commands, func(c map[string]any) { option(c, 4)["options"] = nil }), true},
		"name in the menu": {asDiscord(t, commands, func(c map[string]any) {
			if c["type"] == float64(commandMessage) {
				c["name_localizations"] = map[string]string{"de": "Prüfen"}
			}
		}), true},
		"contexts": {asDiscord(t, commands, func(c map[string]any) { c["contexts"] = []int{0} }), true},
		"install":  {asDiscord(t, commands, func(c map[string]any) { c["integration_types"] = []int{0} }), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.api.respond(200, tt.there)
			changed, err := f.Register(t.Context())
			if err != nil || changed != tt.changed {
				t.Fatalf("changed %v, %v", changed, err)
			}
			calls := f.api.all()
			if calls[0].query != "with_localizations=true" || calls[0].auth != "Bot "+testToken {
				t.Errorf("asked %+v", calls[0])
			}
			if !tt.changed {
				if len(calls) != 1 {
					t.Errorf("%d calls", len(calls))
				}
				return
			}
			put := calls[1]
			if put.method != http.MethodPut || !strings.HasSuffix(put.path, "/applications/"+testApp+"/commands") {
				t.Errorf("%s %s", put.method, put.path)
			}
			var list []json.RawMessage
			if err := json.Unmarshal(put.body, &list); err != nil || len(list) != 2 {
				t.Fatalf("%d commands, %v", len(list), err)
			}
			for _, one := range list {
				checkSchema(t, "ApplicationCommandUpdateRequest", one)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	commands, err := Commands(testTexts())
	if err != nil {
		t.Fatal(err)
	}
	type app struct {
		ID        string         `json:"id"`
		VerifyKey string         `json:"verify_key"`
		Endpoint  string         `json:"interactions_endpoint_url"`
		Installs  map[string]any `json:"integration_types_config,omitempty"`
	}
	for name, tt := range map[string]struct {
		status int
		change func(*app)
		bad    []string
	}{
		"all well":        {200, func(*app) {}, nil},
		"token dead":      {401, func(*app) {}, []string{"Discord bot token"}},
		"down":            {503, func(*app) {}, []string{"Discord bot token"}},
		"other app":       {200, func(a *app) { a.ID = "9" }, []string{"Discord application id"}},
		"other key":       {200, func(a *app) { a.VerifyKey = "00" }, []string{"Discord public key"}},
		"no endpoint":     {200, func(a *app) { a.Endpoint = "" }, []string{"Discord interactions endpoint"}},
		"no user install": {200, func(a *app) { a.Installs = map[string]any{"0": nil} }, []string{"Discord user install"}},
		"user install":    {200, func(a *app) { a.Installs = map[string]any{"0": nil, "1": map[string]any{}} }, nil},
		"other endpoint":  {200, func(a *app) { a.Endpoint = "https://other.example.org/x" }, []string{"Discord interactions endpoint"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			a := app{testApp, strings.ToUpper(hexKey(f)), "https://laurel.example.org" + PathInteractions, nil}
			tt.change(&a)
			f.api.answer = func(c call) (int, map[string]string, string) {
				switch {
				case tt.status != 200:
					return tt.status, nil, `{"code":0}`
				case strings.HasSuffix(c.path, "/users/@me"):
					return 200, nil, `{"id":"1","username":"laurel"}`
				case strings.HasSuffix(c.path, "/applications/@me"):
					data, err := json.Marshal(a)
					if err != nil {
						return 500, nil, ""
					}
					return 200, nil, string(data)
				default:
					return 200, nil, asDiscord(t, commands, nil)
				}
			}
			f.publicURL = "https://laurel.example.org/"
			var bad []string
			for _, finding := range f.Check(t.Context()) {
				if !finding.OK {
					bad = append(bad, finding.Name)
				}
				if finding.OK != (finding.Mend == "") {
					t.Errorf("finding %+v", finding)
				}
				if strings.Contains(finding.Detail+finding.Mend, testToken) {
					t.Errorf("finding shows the token: %+v", finding)
				}
			}
			if strings.Join(bad, ",") != strings.Join(tt.bad, ",") {
				t.Errorf("bad: %v, want %v", bad, tt.bad)
			}
		})
	}
}

func hexKey(f *fixture) string { return hex.EncodeToString(f.publicKey) }
