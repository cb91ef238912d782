package blockkit_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/slacksim/blockkit"
)

func TestLimitsMatchPublishedData(t *testing.T) {
	t.Parallel()
	var limits map[string]any
	if err := json.Unmarshal(refdata.Read(t, "slack", "blocks", "limits.json"), &limits); err != nil {
		t.Fatal(err)
	}
	table := map[string]int{
		"text.min_length":                           blockkit.TextMin,
		"text.max_length":                           blockkit.TextMax,
		"action_id.max_length":                      blockkit.ActionIDMax,
		"block_id.max_length":                       blockkit.BlockIDMax,
		"button.text.max_length":                    blockkit.ButtonTextMax,
		"button.url.max_length":                     blockkit.ButtonURLMax,
		"button.value.max_length":                   blockkit.ButtonValueMax,
		"button.accessibility_label.max_length":     blockkit.ButtonAccessibilityLabelMax,
		"confirmation.title.max_length":             blockkit.ConfirmTitleMax,
		"confirmation.text.max_length":              blockkit.ConfirmTextMax,
		"confirmation.confirm.max_length":           blockkit.ConfirmButtonMax,
		"confirmation.deny.max_length":              blockkit.ConfirmButtonMax,
		"option.text.max_length":                    blockkit.OptionTextMax,
		"option.value.max_length":                   blockkit.OptionValueMax,
		"option.description.max_length":             blockkit.OptionDescriptionMax,
		"option.url.max_length":                     blockkit.OptionURLMax,
		"option_group.label.max_length":             blockkit.GroupLabelMax,
		"option_group.options.min_items":            blockkit.GroupOptionsMin,
		"option_group.options.max_items":            blockkit.GroupOptionsMax,
		"select.placeholder.max_length":             blockkit.PlaceholderMax,
		"select.options.max_items":                  blockkit.SelectOptionsMax,
		"select.option_groups.max_items":            blockkit.SelectGroupsMax,
		"overflow.options.min_items":                blockkit.OverflowOptionsMin,
		"overflow.options.max_items":                blockkit.OverflowOptionsMax,
		"checkboxes.options.min_items":              blockkit.CheckboxesMin,
		"checkboxes.options.max_items":              blockkit.CheckboxesMax,
		"radio_buttons.options.min_items":           blockkit.RadioButtonsMin,
		"radio_buttons.options.max_items":           blockkit.RadioButtonsMax,
		"url_source.url.min_length":                 blockkit.URLSourceMin,
		"url_source.url.max_length":                 blockkit.URLSourceMax,
		"file_input.max_files.min":                  blockkit.FileInputFilesMin,
		"file_input.max_files.max":                  blockkit.FileInputFilesMax,
		"plain_text_input.max_length.max":           blockkit.PlainTextInputMax,
		"actions.elements.max_items":                blockkit.ActionsElementsMax,
		"alert.text.max_length":                     blockkit.AlertTextMax,
		"card.title.max_length":                     blockkit.CardTitleMax,
		"card.subtitle.max_length":                  blockkit.CardSubtitleMax,
		"card.body.max_length":                      blockkit.CardBodyMax,
		"card.actions.max_items":                    blockkit.CardActionsMax,
		"card.subtext.max_length":                   blockkit.CardSubtextMax,
		"carousel.elements.min_items":               blockkit.CarouselElementsMin,
		"carousel.elements.max_items":               blockkit.CarouselElementsMax,
		"container.title.max_length":                blockkit.ContainerTitleMax,
		"container.subtitle.max_length":             blockkit.ContainerSubtitleMax,
		"container.child_blocks.max_items":          blockkit.ContainerChildrenMax,
		"context.elements.max_items":                blockkit.ContextElementsMax,
		"context_actions.elements.max_items":        blockkit.ContextActionsElementsMax,
		"icon_button.visible_to_user_ids.max_items": blockkit.IconButtonUsersMax,
		"data_table.rows.min_items":                 blockkit.DataTableRowsMin,
		"data_table.rows.max_items":                 blockkit.DataTableRowsMax,
		"data_table.columns.min_items":              blockkit.DataTableColumnsMin,
		"data_table.columns.max_items":              blockkit.DataTableColumnsMax,
		"data_table.page_size.min":                  blockkit.DataTablePageSizeMin,
		"data_table.page_size.max":                  blockkit.DataTablePageSizeMax,
		"data_visualization.title.max_length":       blockkit.ChartTitleMax,
		"data_visualization.segments.min_items":     blockkit.ChartItemsMin,
		"data_visualization.segments.max_items":     blockkit.ChartItemsMax,
		"header.text.max_length":                    blockkit.HeaderTextMax,
		"image.image_url.max_length":                blockkit.ImageURLMax,
		"image.alt_text.max_length":                 blockkit.ImageAltTextMax,
		"input.label.max_length":                    blockkit.InputLabelMax,
		"input.hint.max_length":                     blockkit.InputHintMax,
		"markdown.text.min_length":                  blockkit.MarkdownMin,
		"markdown.text.max_length":                  blockkit.MarkdownMax,
		"section.text.max_length":                   blockkit.SectionTextMax,
		"section.fields.max_items":                  blockkit.SectionFieldsMax,
		"section.fields.item_max_length":            blockkit.SectionFieldMax,
		"video.alt_text.min_length":                 blockkit.VideoAltTextMin,
		"video.alt_text.max_length":                 blockkit.VideoAltTextMax,
		"video.title.max_length":                    blockkit.VideoTitleMax,
		"video.author_name.max_length":              blockkit.VideoAuthorMax,
		"video.description.max_length":              blockkit.VideoDescriptionMax,
		"video.provider_name.max_length":            blockkit.VideoProviderMax,
		"view.blocks.min_items":                     blockkit.ViewBlocksMin,
		"view.blocks.max_items":                     blockkit.ViewBlocksMax,
		"view.private_metadata.max_length":          blockkit.ViewPrivateMetadataMax,
		"view.callback_id.max_length":               blockkit.ViewCallbackIDMax,
		"view.title.max_length":                     blockkit.ViewTitleMax,
		"view.close.max_length":                     blockkit.ViewCloseMax,
		"view.submit.max_length":                    blockkit.ViewSubmitMax,
	}
	for path, got := range table {
		var at any = limits
		for key := range strings.SplitSeq(path, ".") {
			m, ok := at.(map[string]any)
			if !ok {
				t.Fatalf("%s: not found", path)
			}
			at = m[key]
		}
		if want, ok := at.(float64); !ok || int(want) != got {
			t.Errorf("%s: constant is %d, published %v", path, got, at)
		}
	}
}

// wraps says how a fixture folder's payloads are brought into a whole one.
func wrap(t *testing.T, folder, name string, data []byte) (blockkit.Kind, []byte) {
	t.Helper()
	button := func(extra string) []byte {
		return fmt.Appendf(nil, `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"x"},%s}]}]`, extra)
	}
	sel := func(extra string) []byte {
		return fmt.Appendf(nil, `[{"type":"actions","elements":[{"type":"static_select",%s}]}]`, extra)
	}
	switch folder {
	case "messages":
		return blockkit.KindMessage, data
	case "attachments":
		return blockkit.KindAttachments, fmt.Appendf(nil, "[%s]", data)
	case "views":
		if strings.HasPrefix(name, "hometab") {
			return blockkit.KindHome, data
		}
		return blockkit.KindModal, data
	case "blocks":
		return blockkit.KindBlocks, fmt.Appendf(nil, "[%s]", data)
	case "rich_text":
		if strings.Contains(string(data), `"rich_text"`) {
			return blockkit.KindBlocks, fmt.Appendf(nil, "[%s]", data)
		}
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		if kind, _ := m["type"].(string); strings.HasPrefix(kind, "rich_text_") {
			return blockkit.KindBlocks, fmt.Appendf(nil, `[{"type":"rich_text","elements":[%s]}]`, data)
		}
		return blockkit.KindBlocks, fmt.Appendf(nil, `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[%s]}]}]`, data)
	case "elements":
		kind := name
		switch {
		case strings.HasPrefix(kind, "image"):
			return blockkit.KindBlocks, fmt.Appendf(nil, `[{"type":"context","elements":[%s]}]`, data)
		case strings.HasPrefix(kind, "url_source"):
			return blockkit.KindBlocks, fmt.Appendf(nil, `[{"type":"task_card","task_id":"1","title":"x","sources":[%s]}]`, data)
		case strings.Contains(kind, "input"):
			return blockkit.KindBlocks, fmt.Appendf(nil, `[{"type":"input","label":{"type":"plain_text","text":"x"},"element":%s}]`, data)
		default:
			return blockkit.KindBlocks, fmt.Appendf(nil, `[{"type":"actions","elements":[%s]}]`, data)
		}
	case "objects":
		switch {
		case strings.HasPrefix(name, "text"):
			return blockkit.KindBlocks, fmt.Appendf(nil, `[{"type":"section","text":%s}]`, data)
		case strings.HasPrefix(name, "option_group"):
			return blockkit.KindBlocks, sel(fmt.Sprintf(`"option_groups":[%s]`, data))
		case strings.HasPrefix(name, "option"):
			return blockkit.KindBlocks, sel(fmt.Sprintf(`"options":[%s]`, data))
		case strings.HasPrefix(name, "confirmation"):
			return blockkit.KindBlocks, button(fmt.Sprintf(`"confirm":%s`, data))
		}
	}
	return "", nil
}

func TestPublishedFixturesAreTaken(t *testing.T) {
	t.Parallel()
	root := refdata.Path(t, "slack", "blocks", "valid")
	files, err := filepath.Glob(filepath.Join(root, "*", "*.json"))
	if err != nil || len(files) < 90 {
		t.Fatalf("found %d fixtures: %v", len(files), err)
	}
	judged := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kind, payload := wrap(t, filepath.Base(filepath.Dir(file)), filepath.Base(file), data)
		if kind == "" {
			continue
		}
		judged++
		for _, p := range blockkit.Validate(kind, payload) {
			t.Errorf("%s: %s", filepath.Base(file), p)
		}
	}
	if judged < 85 {
		t.Errorf("only %d fixtures were judged", judged)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("ü", n) }
	button := func(extra string) string {
		return `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"x"}` + extra + `}]}]`
	}
	modal := func(extra string) string {
		return `{"type":"modal","title":{"type":"plain_text","text":"x"},"blocks":[{"type":"divider"}]` + extra + `}`
	}
	many := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`{"type":"divider"},`, n), ",") + "]"
	}
	conversations := func(extra string) string {
		return `[{"type":"actions","elements":[{"type":"conversations_select"` + extra + `}]}]`
	}
	tests := []struct {
		name    string
		kind    blockkit.Kind
		payload string
		want    string // part of the first problem, or empty for none
	}{
		{"50 blocks", blockkit.KindBlocks, many(50), ""},
		{"51 blocks", blockkit.KindBlocks, many(51), "no more than 50 items allowed [json-pointer:/blocks]"},
		{"100 blocks in a modal", blockkit.KindModal, `{"type":"modal","title":{"type":"plain_text","text":"x"},"blocks":` + many(100) + `}`, ""},
		{"101 blocks in a modal", blockkit.KindModal, `{"type":"modal","title":{"type":"plain_text","text":"x"},"blocks":` + many(101) + `}`, "no more than 100 items"},
		{"button text 75", blockkit.KindBlocks, strings.Replace(button(""), `"text":"x"`, `"text":"`+long(75)+`"`, 1), ""},
		{"button text 76", blockkit.KindBlocks, strings.Replace(button(""), `"text":"x"`, `"text":"`+long(76)+`"`, 1), "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"},
		{"button value 2001", blockkit.KindBlocks, button(`,"value":"` + long(2001) + `"`), "must be less than 2001 characters"},
		{"button url 3001", blockkit.KindBlocks, button(`,"url":"https://example.org/` + long(3000) + `"`), "must be less than 3001 characters"},
		{"button url not a url", blockkit.KindBlocks, button(`,"url":"example"`), "must be a valid url"},
		{"button style", blockkit.KindBlocks, button(`,"style":"red"`), "must be one of"},
		{"button unknown field", blockkit.KindBlocks, button(`,"colour":"red"`), "invalid additional property: colour"},
		{"mrkdwn on a button", blockkit.KindBlocks, strings.Replace(button(""), "plain_text", "mrkdwn", 1), "must be plain_text"},
		{"emoji on mrkdwn", blockkit.KindBlocks, `[{"type":"section","text":{"type":"mrkdwn","text":"x","emoji":true}}]`, "invalid additional property: emoji"},
		{"action_id twice in a block", blockkit.KindBlocks, `[{"type":"actions","elements":[{"type":"button","action_id":"a","text":{"type":"plain_text","text":"x"}},{"type":"button","action_id":"a","text":{"type":"plain_text","text":"y"}}]}]`, "`action_id` already exists: a"},
		{"block_id twice with buttons", blockkit.KindBlocks, `[{"type":"divider","block_id":"b"},{"type":"actions","block_id":"b","elements":[{"type":"button","text":{"type":"plain_text","text":"x"}}]}]`, "`block_id` already exists: b"},
		{"block_id twice in a modal", blockkit.KindModal, strings.Replace(modal(""), `[{"type":"divider"}]`, `[{"type":"divider","block_id":"b"},{"type":"divider","block_id":"b"}]`, 1), "`block_id` already exists: b"},
		{"empty section", blockkit.KindBlocks, `[{"type":"section"}]`, "missing required field: text"},
		{"empty text", blockkit.KindBlocks, `[{"type":"section","text":{"type":"mrkdwn","text":""}}]`, "must be more than 0 characters"},
		{"header 151", blockkit.KindBlocks, `[{"type":"header","text":{"type":"plain_text","text":"` + long(151) + `"}}]`, "must be less than 151 characters"},
		{"unknown block", blockkit.KindBlocks, `[{"type":"marquee"}]`, "unsupported type: marquee"},
		{"blocks not an array", blockkit.KindBlocks, `{}`, "must provide an array"},
		{"not JSON", blockkit.KindBlocks, `[`, "invalid JSON"},
		{"more than one value", blockkit.KindBlocks, `[] []`, "invalid JSON"},
		{"modal title 25", blockkit.KindModal, strings.Replace(modal(""), `"text":"x"`, `"text":"`+long(25)+`"`, 1), "must be less than 25 characters [json-pointer:/title/text]"},
		{"modal without title", blockkit.KindModal, `{"type":"modal","blocks":[{"type":"divider"}]}`, "missing required field: title"},
		{"private_metadata 3001", blockkit.KindModal, modal(`,"private_metadata":"` + long(3001) + `"`), "must be less than 3001 characters"},
		{"input without submit", blockkit.KindModal, `{"type":"modal","title":{"type":"plain_text","text":"x"},"blocks":[{"type":"input","label":{"type":"plain_text","text":"x"},"element":{"type":"plain_text_input"}}]}`, "missing required field: submit"},
		{"markdown block in a modal", blockkit.KindModal, strings.Replace(modal(""), `{"type":"divider"}`, `{"type":"markdown","text":"x"}`, 1), "unsupported type: markdown"},
		{"home as modal", blockkit.KindModal, `{"type":"home","title":{"type":"plain_text","text":"x"},"blocks":[{"type":"divider"}]}`, "must be modal"},
		{"message without anything", blockkit.KindMessage, `{}`, "missing required field: text"},
		{"conversations", blockkit.KindBlocks, conversations(`,"default_to_current_conversation":true,"filter":{"include":["public","private"],"exclude_bot_users":true}`), ""},
		{"filter that says nothing", blockkit.KindBlocks, conversations(`,"filter":{}`), "must provide at least one field [json-pointer:/blocks/0/elements/0/filter]"},
		{"filter of nothing", blockkit.KindBlocks, conversations(`,"filter":{"include":[]}`), "no fewer than 1 items"},
		{"filter of a kind that is none", blockkit.KindBlocks, conversations(`,"filter":{"include":["channel"]}`), "unsupported type: channel [json-pointer:/blocks/0/elements/0/filter/include/0]"},
		{"filter with more", blockkit.KindBlocks, conversations(`,"filter":{"archived":false}`), "invalid additional property: archived"},
		{"conversation that is no text", blockkit.KindBlocks, conversations(`,"initial_conversation":1`), "must be a string"},
		{"select with too many options", blockkit.KindBlocks, `[{"type":"actions","elements":[{"type":"static_select","options":[` + strings.TrimSuffix(strings.Repeat(`{"text":{"type":"plain_text","text":"x"},"value":"x"},`, 101), ",") + `]}]}]`, "no more than 100 items"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			problems := blockkit.Validate(tt.kind, []byte(tt.payload))
			switch {
			case tt.want == "" && len(problems) > 0:
				t.Errorf("unexpected %v", problems)
			case tt.want != "" && len(problems) == 0:
				t.Errorf("no problem, want %q", tt.want)
			case tt.want != "" && !strings.Contains(problems[0].String(), tt.want):
				t.Errorf("got %q, want %q", problems[0], tt.want)
			}
		})
	}
}

func FuzzValidate(f *testing.F) {
	f.Add("modal", []byte(`{"type":"modal","title":1,"blocks":[{"type":"input","element":[]}]}`))
	f.Add("blocks", []byte(`[{"type":"section","fields":{}}]`))
	f.Fuzz(func(_ *testing.T, kind string, data []byte) {
		blockkit.Validate(blockkit.Kind(kind), data)
	})
}
