package discordsim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// A sized payload has something that is n long or many.
type sized func(n int) obj

func wide(n int) string { return strings.Repeat("ä", n) }

func times(n int, one func(i int) any) []any {
	out := []any{}
	for i := range n {
		out = append(out, one(i))
	}
	return out
}

func inEmbed(o obj) obj { return obj{"embeds": []any{o}} }

func inRow(component obj) obj { return obj{"components": []any{row(component)}} }

func choice(i int) any { return obj{"label": "a", "value": fmt.Sprint("v", i)} }

func menu(key string, value any) obj {
	m := obj{"type": 3, "custom_id": "s", "options": []any{choice(0)}}
	m[key] = value
	return m
}

func display(n int) obj { return obj{"type": 10, "content": wide(n)} }

func v2(components ...any) obj { return obj{"flags": 1 << 15, "components": components} }

// messageLimits are the documented ones of a message, at which it is taken and
// one step beyond which it is refused.
// https://discord.com/developers/docs/resources/message
// https://discord.com/developers/docs/components/reference
func messageLimits() map[string]struct {
	most int
	of   sized
} {
	type limit = struct {
		most int
		of   sized
	}
	field := func(key string) sized {
		return func(n int) obj {
			f := obj{"name": "a", "value": "b"}
			f[key] = wide(n)
			return inEmbed(obj{"fields": []any{f}})
		}
	}
	return map[string]limit{
		"content":           {2000, func(n int) obj { return obj{"content": wide(n)} }},
		"nonce":             {25, func(n int) obj { return obj{"content": "x", "nonce": wide(n)} }},
		"embeds":            {10, func(n int) obj { return obj{"embeds": times(n, func(int) any { return obj{"title": "a"} })} }},
		"embed title":       {256, func(n int) obj { return inEmbed(obj{"title": wide(n)}) }},
		"embed description": {4096, func(n int) obj { return inEmbed(obj{"description": wide(n)}) }},
		"embed fields": {25, func(n int) obj {
			return inEmbed(obj{"fields": times(n, func(int) any { return obj{"name": "a", "value": "b"} })})
		}},
		"embed field name":  {256, field("name")},
		"embed field value": {1024, field("value")},
		"embed footer":      {2048, func(n int) obj { return inEmbed(obj{"footer": obj{"text": wide(n)}}) }},
		"embed author":      {256, func(n int) obj { return inEmbed(obj{"author": obj{"name": wide(n)}}) }},
		"all embeds": {6000, func(n int) obj {
			return obj{"embeds": []any{obj{"description": wide(3000)}, obj{"description": wide(n - 3000)}}}
		}},
		"rows": {5, func(n int) obj {
			return obj{"components": times(n, func(i int) any { return row(button("a", fmt.Sprint(i))) })}
		}},
		"buttons": {5, func(n int) obj {
			return obj{"components": []any{row(times(n, func(i int) any { return button("a", fmt.Sprint(i)) })...)}}
		}},
		"button label": {80, func(n int) obj { return inRow(button(wide(n), "x")) }},
		"custom id":    {100, func(n int) obj { return inRow(button("a", wide(n))) }},
		"link": {512, func(n int) obj {
			return inRow(obj{"type": 2, "style": 5, "label": "a", "url": "https://example.org/" + strings.Repeat("x", n-20)})
		}},
		"select options":     {25, func(n int) obj { return inRow(menu("options", times(n, choice))) }},
		"select placeholder": {150, func(n int) obj { return inRow(menu("placeholder", wide(n))) }},
		"select max_values":  {25, func(n int) obj { return inRow(menu("max_values", n)) }},
		"option label":       {100, func(n int) obj { return inRow(menu("options", []any{obj{"label": wide(n), "value": "a"}})) }},
		"option value":       {100, func(n int) obj { return inRow(menu("options", []any{obj{"label": "a", "value": wide(n)}})) }},
		"option description": {100, func(n int) obj {
			return inRow(menu("options", []any{obj{"label": "a", "value": "a", "description": wide(n)}}))
		}},
		"V2 components": {40, func(n int) obj { return v2(times(n, func(int) any { return display(1) })...) }},
		"nested V2 components": {40, func(n int) obj {
			return v2(obj{"type": 17, "components": times(n-1, func(int) any { return display(1) })})
		}},
		"V2 text": {4000, func(n int) obj { return v2(display(2000), display(n-2000)) }},
		"section texts": {3, func(n int) obj {
			return v2(obj{"type": 9, "components": times(n, func(int) any { return display(1) }), "accessory": button("a", "x")})
		}},
		"gallery pictures": {10, func(n int) obj {
			return v2(obj{"type": 12, "items": times(n, func(int) any { return obj{"media": obj{"url": "https://example.org/a.png"}} })})
		}},
	}
}

func TestEveryMessageLimit(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	for name, limit := range messageLimits() {
		for n, want := range map[int]int{limit.most: http.StatusOK, limit.most + 1: http.StatusBadRequest} {
			status, _, body := call(t, s, http.MethodPost, "/channels/"+w.channel+"/messages", limit.of(n), true)
			if status != want || status != http.StatusOK && body["code"] != 50035.0 {
				t.Errorf("%s of %d: %d %v", name, n, status, body)
			}
		}
	}
}

// modalLimits are those of a form.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal
func modalLimits() map[string]struct {
	most int
	of   sized
} {
	type limit = struct {
		most int
		of   sized
	}
	input := func(key string, value any) obj {
		o := obj{"type": 4, "custom_id": "a", "style": 1}
		o[key] = value
		return o
	}
	labelled := func(i int, component obj) any {
		return obj{"type": 18, "label": fmt.Sprint("L", i), "component": component}
	}
	form := func(components ...any) obj { return obj{"title": "t", "custom_id": "m", "components": components} }
	with := func(key string, value any) obj {
		o := form(labelled(0, input("style", 1)))
		o[key] = value
		return o
	}
	return map[string]limit{
		"title":     {45, func(n int) obj { return with("title", wide(n)) }},
		"custom id": {100, func(n int) obj { return with("custom_id", wide(n)) }},
		"components": {5, func(n int) obj {
			return with("components", times(n, func(i int) any { return labelled(i, input("custom_id", fmt.Sprint(i))) }))
		}},
		"label": {45, func(n int) obj { return form(obj{"type": 18, "label": wide(n), "component": input("style", 1)}) }},
		"description": {100, func(n int) obj {
			return form(obj{"type": 18, "label": "L", "description": wide(n), "component": input("style", 1)})
		}},
		"value":       {4000, func(n int) obj { return form(labelled(0, input("value", wide(n)))) }},
		"max_length":  {4000, func(n int) obj { return form(labelled(0, input("max_length", n))) }},
		"placeholder": {100, func(n int) obj { return form(labelled(0, input("placeholder", wide(n)))) }},
		"old label":   {45, func(n int) obj { return form(row(input("label", wide(n)))) }},
		"inputs in a row": {1, func(n int) obj {
			return form(row(times(n, func(i int) any {
				return obj{"type": 4, "custom_id": fmt.Sprint(i), "style": 1, "label": "a"}
			})...))
		}},
	}
}

func TestEveryModalLimit(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	for name, limit := range modalLimits() {
		for n, good := range map[int]bool{limit.most: true, limit.most + 1: false} {
			attach(t, s, func(inbound) any { return obj{"type": 9, "data": limit.of(n)} })
			res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
			if err != nil || res.Failed == good || !good && !strings.Contains(res.Reason, "50035") {
				t.Errorf("%s of %d: %+v, %v", name, n, res, err)
			}
		}
	}
}

// TestEveryCommandLimit does the same for commands and their options.
// https://discord.com/developers/docs/interactions/application-commands
func TestEveryCommandLimit(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	populate(t, s)
	with := func(key string, value any) obj {
		o := obj{"name": "a", "description": "d"}
		o[key] = value
		return o
	}
	option := func(key string, value any) obj {
		o := obj{"type": 3, "name": "o", "description": "d"}
		o[key] = value
		return with("options", []any{o})
	}
	texts := func(n int) string { return strings.Repeat("a", n) }
	for name, limit := range map[string]struct {
		most int
		of   sized
	}{
		"name":                  {32, func(n int) obj { return with("name", texts(n)) }},
		"description":           {100, func(n int) obj { return with("description", wide(n)) }},
		"localized name":        {32, func(n int) obj { return with("name_localizations", obj{"de": texts(n)}) }},
		"localized description": {100, func(n int) obj { return with("description_localizations", obj{"de": wide(n)}) }},
		"options": {25, func(n int) obj {
			return with("options", times(n, func(i int) any { return obj{"type": 3, "name": fmt.Sprint("o", i), "description": "d"} }))
		}},
		"option name":        {32, func(n int) obj { return option("name", texts(n)) }},
		"option description": {100, func(n int) obj { return option("description", wide(n)) }},
		"option max_length":  {6000, func(n int) obj { return option("max_length", n) }},
		"choices": {25, func(n int) obj {
			return option("choices", times(n, func(i int) any { return obj{"name": fmt.Sprint("n", i), "value": fmt.Sprint(i)} }))
		}},
		"choice name":  {100, func(n int) obj { return option("choices", []any{obj{"name": wide(n), "value": "v"}}) }},
		"choice value": {100, func(n int) obj { return option("choices", []any{obj{"name": "n", "value": wide(n)}}) }},
		"everything together": {8000, func(n int) obj {
			// All names and descriptions count, and the choices' names and values:
			// 2 + 3*2 + 75*101 + 5 + 4*100, and the last description.
			options := times(3, func(i int) any {
				return obj{"type": 3, "name": fmt.Sprint(i), "description": "d", "choices": times(25, func(j int) any {
					return obj{"name": strings.Repeat("n", 99) + string(rune('a'+j)), "value": "v"}
				})}
			})
			for i := range 4 {
				options = append(options, obj{"type": 3, "name": string(rune('a' + i)), "description": texts(100)})
			}
			options = append(options, obj{"type": 3, "name": "z", "description": texts(n - 7988)})
			return with("options", options)
		}},
	} {
		for n, want := range map[int]int{limit.most: http.StatusOK, limit.most + 1: http.StatusBadRequest} {
			status, _, body := call(t, s, http.MethodPut, "/applications/"+s.ApplicationID()+"/commands", []any{limit.of(n)}, true)
			if status != want || status != http.StatusOK && body["code"] != 50035.0 {
				t.Errorf("%s of %d: %d %v", name, n, status, body)
			}
		}
	}
}

// TestCommandsADay reaches the number of commands that may be created in a day.
func TestCommandsADay(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	populate(t, s)
	path := "/applications/" + s.ApplicationID() + "/commands"
	for i := range 201 {
		status, _, body := call(t, s, http.MethodPut, path, []any{obj{"name": fmt.Sprint("c", i), "description": "d"}}, true)
		if i < 200 && status != http.StatusOK || i == 200 && (status != http.StatusBadRequest || body["code"] != 30034.0) {
			t.Fatalf("command %d: %d %v", i+1, status, body)
		}
	}
}

// TestFirstAnswersThatAreNone: a form opens on a first answer only, never after
// a form was sent, and never after a deferral.
func TestFirstAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	modal := obj{"type": 9, "data": obj{"title": "t", "custom_id": "m", "components": []any{
		obj{"type": 18, "label": "L", "component": obj{"type": 4, "custom_id": "a", "style": 1}},
	}}}
	attach(t, s, func(inbound) any { return modal })
	res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
	if err != nil || res.Modal == nil {
		t.Fatalf("%+v, %v", res, err)
	}
	again, err := s.Submit(t.Context(), w.ada, res.Modal, map[string]any{"a": "x"})
	if err != nil || !again.Failed {
		t.Errorf("a form after a form: %+v, %v", again, err)
	}
	attach(t, s, func(in inbound) any {
		path := "/interactions/" + in.ID + "/" + in.Token + "/callback"
		if status, _, body := call(t, s, http.MethodPost, path, obj{"type": 5}, false); status != http.StatusNoContent {
			t.Errorf("defer: %d %v", status, body)
		}
		if status, _, body := call(t, s, http.MethodPost, path, modal, false); status != http.StatusBadRequest || body["code"] != 40060.0 {
			t.Errorf("a form after a deferral: %d %v", status, body)
		}
		return nil
	})
	if late, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil); err != nil || late.Failed || late.Modal != nil {
		t.Errorf("%+v, %v", late, err)
	}
}
