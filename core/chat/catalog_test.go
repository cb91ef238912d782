package chat

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every language has every sentence, with the same placeholders and the same
// number of bold marks, so that no sentence is missing or half translated.
func TestCatalogIsComplete(t *testing.T) {
	t.Parallel()
	english, err := filepath.Glob("locales/*en.json")
	if err != nil || len(english) == 0 {
		t.Fatalf("no English catalogue: %v", err)
	}
	placeholder := regexp.MustCompile(`\{\{\.\w+\}\}`)
	marks := func(s string) []string {
		found := placeholder.FindAllString(s, -1)
		for range strings.Count(s, "**") {
			found = append(found, "**")
		}
		slices.Sort(found)
		return slices.Compact(found)
	}
	in := map[string]string{}
	for _, file := range english {
		want := readLocale(t, file)
		for id := range want {
			if other := in[id]; other != "" {
				t.Errorf("%s and %s both have %q", other, file, id)
			}
			in[id] = file
		}
		for _, lang := range []string{"de", "es"} {
			other := strings.TrimSuffix(file, "en.json") + lang + ".json"
			got := readLocale(t, other)
			for id, sentence := range want {
				translated, ok := got[id]
				if !ok {
					t.Errorf("%s lacks %q", other, id)
					continue
				}
				if a, b := marks(sentence), marks(translated); !slices.Equal(a, b) {
					t.Errorf("%s: %q has %v, English has %v", other, id, b, a)
				}
			}
			for id := range got {
				if _, ok := want[id]; !ok {
					t.Errorf("%s has %q, which English lacks", other, id)
				}
			}
		}
	}
}

// readLocale returns the "other" form of every sentence.
func readLocale(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	out := make(map[string]string, len(raw))
	for id, v := range raw {
		switch v := v.(type) {
		case string:
			out[id] = v
		case map[string]any:
			if _, ok := v["one"]; !ok {
				t.Errorf("%s: %q lacks the form for one", file, id)
			}
			out[id], _ = v["other"].(string)
		}
	}
	return out
}

// readEnglish returns the English sentences of all files.
func readEnglish(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("locales/*en.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range files {
		maps.Copy(all, readLocale(t, file))
	}
	return all
}

// Every id that the code names exists in the catalogue.
func TestCatalogHasEveryIDInCode(t *testing.T) {
	t.Parallel()
	known := readEnglish(t)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`w\.(?:Text|Plain)\("([a-z_.]+)"[,)]`)
	seen := 0
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(src), -1) {
			seen++
			if _, ok := known[m[1]]; !ok {
				t.Errorf("%s names %q, which the catalogue lacks", f, m[1])
			}
		}
	}
	if seen < 40 {
		t.Errorf("found only %d ids in the code: the search is broken", seen)
	}
}

func TestWordsNeverTakeValuesForMarkup(t *testing.T) {
	t.Parallel()
	catalog, err := NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	w := catalog.For("en-US")
	evil := "**<!channel>** {{.Count}} \ue0000\ue001"
	got := w.Text("handoff.preparing.title", Args{"Badge": evil})
	if s := got.String(); s != "One moment: "+evil {
		t.Errorf("got %q", s)
	}
	for _, r := range got {
		if r.Bold {
			t.Errorf("a value became markup: %+v", got)
		}
	}
}

func TestWordsSpeakTheLocale(t *testing.T) {
	t.Parallel()
	catalog, err := NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	for locale, want := range map[string]string{
		"de": "Deine Badges", "de-AT": "Deine Badges", "de_CH": "Deine Badges", "es-419": "Tus insignias",
		"es-ES": "Tus insignias", "en-GB": "Your badges", "ja": "Your badges", "": "Your badges", "%%%": "Your badges",
	} {
		if got := catalog.For(locale).Plain("list.title", nil); got != want {
			t.Errorf("%q: got %q, want %q", locale, got, want)
		}
	}
	if got := catalog.For("de").Plain("list.summary", Args{"Count": 1}); got != "1 Badge wartet auf dich." {
		t.Errorf("plural: %q", got)
	}
	until := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	text := catalog.For("en").Text("handoff.open.text", Args{"Until": Live(until), "Address": Code("a@b.c"), "Provider": "Credly"})
	var live, code, bold bool
	for _, r := range text {
		live = live || r.Live && r.Time.Equal(until)
		code = code || r.Code && r.Text == "a@b.c"
		bold = bold || r.Bold && r.Text == "once"
	}
	if !live || !code || !bold {
		t.Errorf("formatting lost: %+v", text)
	}
}
