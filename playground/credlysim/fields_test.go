package credlysim_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/credlysim"
)

// forms of texts that say more than that they are texts.
var forms = []struct {
	name  string
	match *regexp.Regexp
}{
	{"time", regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)},
	{"date", regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)},
	{"id", regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)},
	{"address", regexp.MustCompile(`^[^@/\s]+@[^@/\s]+$`)},
	{"link", regexp.MustCompile(`^https?://`)},
	{"hash", regexp.MustCompile(`^sha256\$[0-9a-f]{64}$`)},
}

// form names what a value looks like.
func form(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case float64:
		return "number"
	case map[string]any:
		return "object"
	case []any:
		return "list"
	case string:
		for _, f := range forms {
			if f.match.MatchString(v) {
				return f.name
			}
		}
	}
	return "text"
}

// shape collects the forms of the values at each path; elements of lists are
// merged.
type shape map[string]map[string]bool

func (s shape) add(at string, v any) {
	if s[at] == nil {
		s[at] = map[string]bool{}
	}
	s[at][form(v)] = true
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			s.add(at+"."+k, e)
		}
	case []any:
		for _, e := range v {
			s.add(at+"[]", e)
		}
	}
}

// fits tells whether a value of a form may stand where the example has others.
// Where the example has nothing but null, nothing is known.
func fits(got string, want map[string]bool) bool {
	known := slices.DeleteFunc(slices.Collect(maps.Keys(want)), func(f string) bool { return f == "null" })
	switch {
	case len(known) == 0 || want[got]:
		return true
	case want["text"]: // Any text will do.
		return slices.ContainsFunc(forms, func(f struct {
			name  string
			match *regexp.Regexp
		},
		) bool {
			return f.name == got
		})
	}
	return false
}

// differences compares an answer with a documented example field for field:
// the same keys everywhere, and values of the same form.
func differences(got, example any) []string {
	have, need := shape{}, shape{}
	have.add("", got)
	need.add("", example)
	var out []string
	for at, want := range need {
		if have[at] == nil {
			// What an empty list would hold is not missed.
			if !strings.HasSuffix(at, "[]") {
				out = append(out, fmt.Sprintf("%s is in the example but not in the answer", at))
			}
			continue
		}
		for f := range have[at] {
			if !fits(f, want) {
				out = append(out, fmt.Sprintf("%s is a %s, in the example %v", at, f, slices.Sorted(maps.Keys(want))))
			}
		}
	}
	for at := range have {
		// Below what the example leaves empty nothing is documented.
		if need[at] == nil && !strings.HasSuffix(at, "[]") {
			out = append(out, fmt.Sprintf("%s is in the answer but not in the example", at))
		}
	}
	slices.Sort(out)
	return out
}

func example(t *testing.T, elem ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(refdata.Read(t, append([]string{"credly"}, elem...)...), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// documented are the examples of Credly's documentation, and where the
// simulated Credly answers them.
func documented() map[string][]string {
	return map[string][]string{
		"badges": {"nti-issued_badges.json"}, "templates": {"nti-template_collection.json"}, "template": {"nti-template.json"},
		"organizations": {"docs-examples", "organizations_list.json"}, "organizations of before": {"nti-organization_collection.json"}, "tokens": {"docs-examples", "authorization_tokens_list.json"},
		"applications": {"docs-examples", "oauth_applications_list.json"}, "assertion": {"docs-examples", "obi_v2_badge_assertion.json"},
		"event": {"docs-examples", "event_fetch_badge_template_changed.json"}, "webhook": {"docs-examples", "webhook_delivery.json"},
	}
}

func TestAnswersAreAsDocumentedFieldForField(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *credlysim.Config) { c.PublicOnAccept = true })
	l := newListener(t)
	w.SetWebhookURL(l.URL)
	second := w.AddTemplate(credlysim.Template{Name: "Level A", Requires: []string{w.tpl.ID}, ReportingTags: []string{"expert"}, Skills: []string{"Leadership"}})
	body := award(w.tpl.ID, "user1@example.com", "earner-1")
	body["expires_at"] = "2031-11-01 09:41:00 -0500"
	body["issued_to_middle_name"] = "B"
	body["country_name"] = "Switzerland"
	body["state_or_province"] = "Bern"
	body["evidence"] = []map[string]any{
		{"type": "UrlEvidence", "name": "Certificate", "description": "On paper", "value": "https://example.org/c/1"},
		{"type": "IdEvidence", "title": "Number", "description": "", "id": "C-1"},
	}
	status, issued := w.call(http.MethodPost, "/badges", body)
	if status != http.StatusCreated {
		t.Fatalf("issue: %d %v", status, issued)
	}
	id := issued["data"].(map[string]any)["id"].(string)
	if err := w.Accept(id); err != nil {
		t.Fatal(err)
	}
	w.Tick(t.Context())
	events := w.Events()
	of := slices.IndexFunc(events, func(e credlysim.Event) bool { return e.TemplateID == second.ID })
	answers := map[string]any{}
	for name, target := range map[string]string{
		"badges": "/badges", "templates": "/badge_templates", "template": "/badge_templates/" + w.tpl.ID,
		"organizations": w.APIURL() + "/organizations", "tokens": "/authorization_tokens", "applications": "/oauth_applications",
		"assertion": w.APIURL() + "/obi/v2/badge_assertions/" + id, "event": "/events/" + events[of].ID,
	} {
		status, got := w.call(http.MethodGet, target, nil)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %v", name, status, got)
		}
		answers[name] = got
	}
	answers["organizations of before"] = answers["organizations"]
	var delivered any
	if err := json.Unmarshal(l.bodies[0], &delivered); err != nil {
		t.Fatal(err)
	}
	answers["webhook"] = delivered
	known := map[string]func(string) bool{
		// The example shows addresses as evidence only, not numbers.
		"assertion": func(d string) bool { return d == ".evidence[].id is a text, in the example [link]" },
		// The example of an event is shortened to what its reader used.
		"event": func(d string) bool {
			return strings.HasSuffix(d, "is in the answer but not in the example") && (strings.HasPrefix(d, ".data.badge_template.") || strings.HasPrefix(d, ".metadata "))
		},
		// Fields have been added since.
		"organizations of before": func(d string) bool { return strings.HasSuffix(d, "is in the answer but not in the example") },
		// The id of a number is what the issuer gave, anonymised in the example;
		// a person need not tell of a second name or a position.
		"badges": func(d string) bool {
			return d == ".data[].evidence[].id is a text, in the example [address id]" || strings.HasPrefix(d, ".data[].user.") && strings.HasSuffix(d, "_name is a null, in the example [text]")
		},
	}
	for name, file := range documented() {
		for _, d := range differences(answers[name], example(t, file...)) {
			if known[name] == nil || !known[name](d) {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
}

// TestBrokenAnswersAreFound breaks each field of each example, one after the
// other: without it, and with a value of another form.
func TestBrokenAnswersAreFound(t *testing.T) {
	t.Parallel()
	for name, file := range documented() {
		whole := example(t, file...)
		if d := differences(whole, whole); len(d) > 0 {
			t.Errorf("%s: the example differs from itself: %v", name, d)
		}
		broken := 0
		for _, at := range places(whole, nil) {
			for _, way := range []string{"absent", "another form", "more"} {
				copied := example(t, file...)
				if !damage(copied, at, way) {
					continue
				}
				broken++
				if len(differences(copied, whole)) == 0 {
					t.Errorf("%s: %v %s is not found", name, at, way)
				}
			}
		}
		if broken < 4 {
			t.Errorf("%s: only %d fields were broken", name, broken)
		}
	}
}

// places lists the keys of all objects, as paths of keys and indexes.
func places(v any, at []string) [][]string {
	var out [][]string
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			here := append(slices.Clone(at), k)
			out = append(append(out, here), places(v[k], here)...)
		}
	case []any:
		// What one of several elements lacks another may have.
		if len(v) == 1 {
			out = places(v[0], append(slices.Clone(at), "0"))
		}
	}
	return out
}

// damage breaks one place; it reports false where nothing can be said of it.
func damage(v any, at []string, way string) bool {
	for _, key := range at[:len(at)-1] {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil {
				return false
			}
			v = x[i]
		}
	}
	o, key := v.(map[string]any), at[len(at)-1]
	switch old := o[key]; way {
	case "absent":
		delete(o, key)
	case "more":
		o[key+"_more"] = true
	default:
		switch form(old) {
		case "null":
			return false
		case "number":
			o[key] = "7"
		default:
			o[key] = 7.0
		}
	}
	return true
}
