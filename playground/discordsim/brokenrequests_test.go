package discordsim_test

import (
	"encoding/json"
	"testing"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
)

// TestBrokenRequestsAreRefusedByTheDescription has, for each schema that a
// request of a bot is held against, a body that is right and the same broken.
func TestBrokenRequestsAreRefusedByTheDescription(t *testing.T) {
	t.Parallel()
	set, err := schema.Load(refdata.Path(t, "discord", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	labelled := func(n int) obj { return inRow(button(wide(n), "x")) }
	named := func(id string) obj { return inRow(button("a", id)) }
	command := func(n int) obj { return obj{"type": 1, "name": "a", "description": wide(n)} }
	answer := func(kind int, data any) obj { return obj{"type": kind, "data": data} }
	choices := func(n int) obj {
		return answer(8, obj{"choices": times(n, func(int) any { return obj{"name": "a", "value": "a"} })})
	}
	form := func(n int) obj {
		return answer(9, obj{"title": wide(n), "custom_id": "m", "components": []any{
			obj{"type": 18, "label": "L", "component": obj{"type": 4, "custom_id": "a", "style": 1}},
		}})
	}
	for name, body := range map[string]struct{ good, bad any }{
		"CreatePrivateChannelRequest":                   {obj{"recipient_id": "175928847299117063"}, obj{"recipient_id": true}},
		"MessageCreateRequest":                          {labelled(80), labelled(81)},
		"MessageEditRequestPartial":                     {labelled(80), named(wide(101))},
		"ApplicationCommandCreateRequest":               {command(100), command(101)},
		"ApplicationCommandUpdateRequest":               {command(100), command(101)},
		"CreateMessageInteractionCallbackRequest":       {answer(4, named("x")), answer(4, named(wide(101)))},
		"UpdateMessageInteractionCallbackRequest":       {answer(7, labelled(80)), answer(7, labelled(81))},
		"ModalInteractionCallbackRequest":               {form(45), form(46)},
		"ApplicationCommandAutocompleteCallbackRequest": {choices(25), choices(26)},
		"IncomingWebhookRequestPartial":                 {labelled(80), labelled(81)},
		"IncomingWebhookUpdateRequestPartial":           {labelled(80), labelled(81)},
	} {
		for bad, doc := range map[bool]any{false: body.good, true: body.bad} {
			data, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if err := set.ValidateJSON(name, data); (err != nil) != bad {
				t.Errorf("%s, broken %t: %v", name, bad, err)
			}
		}
	}
}
