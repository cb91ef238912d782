package discordsim

import (
	"fmt"
	"unicode/utf8"
)

// Component types,
// https://discord.com/developers/docs/components/reference#component-object-component-types.
const (
	TypeActionRow         = 1
	TypeButton            = 2
	TypeStringSelect      = 3
	TypeTextInput         = 4
	TypeUserSelect        = 5
	TypeRoleSelect        = 6
	TypeMentionableSelect = 7
	TypeChannelSelect     = 8
	TypeSection           = 9
	TypeTextDisplay       = 10
	TypeThumbnail         = 11
	TypeMediaGallery      = 12
	TypeFile              = 13
	TypeSeparator         = 14
	TypeContainer         = 17
	TypeLabel             = 18
	TypeFileUpload        = 19
	TypeRadioGroup        = 21
	TypeCheckboxGroup     = 22
	TypeCheckbox          = 23
)

// Button styles.
const (
	StyleLink    = 5
	StylePremium = 6
)

// Limits of components, https://discord.com/developers/docs/components/reference.
const (
	maxRows         = 5
	maxRowButtons   = 5
	maxV2Components = 40
	maxV2Text       = 4000
	maxCustomID     = 100
	maxButtonLabel  = 80
	maxButtonURL    = 512
	maxOptions      = 25
	maxOptionText   = 100
	maxPlaceholder  = 150
)

// layout checks the components of one message or modal and gives them ids.
type layout struct {
	ids     map[string]bool
	numbers map[int]bool
	next    int
	count   int
	text    int
	v2      bool
	media   int
	refs    references
}

func newLayout(v2 bool) *layout {
	return &layout{ids: map[string]bool{}, numbers: map[int]bool{}, v2: v2}
}

// readComponents checks the components of a message and returns them as the
// API shows them.
func readComponents(at field, body object, v2 bool, refs references) []any {
	limit := maxRows
	if v2 {
		limit = maxV2Components
	}
	list := at.list(body, "components", 0, limit)
	l := newLayout(v2)
	l.refs = refs
	l.reserve(list)
	var out []any
	for i, v := range list {
		f := at.at("components").index(i)
		o := f.dict(v)
		if !v2 && num(o, "type") != TypeActionRow {
			f.at("type").add("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1,).")
			continue
		}
		if c := l.message(f, o, false); c != nil {
			out = append(out, c)
		}
	}
	if v2 && l.count > maxV2Components {
		at.at("components").add("COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", fmt.Sprintf("The total number of components cannot exceed %d", maxV2Components))
	}
	if v2 && l.text > maxV2Text {
		at.at("components").add("COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", fmt.Sprintf("The total displayable text size exceeds the maximum of %d", maxV2Text))
	}
	return out
}

// reserve notes the numeric ids that the bot chose itself.
func (l *layout) reserve(list []any) {
	for _, v := range list {
		o, ok := v.(object)
		if !ok {
			continue
		}
		if n := num(o, "id"); n > 0 {
			l.numbers[n] = true
		}
		if sub, ok := o["components"].([]any); ok {
			l.reserve(sub)
		}
		for _, key := range []string{"component", "accessory"} {
			if o[key] != nil {
				l.reserve([]any{o[key]})
			}
		}
	}
}

// base starts the shown form of a component: its type and its numeric id.
func (l *layout) base(f field, o object) object {
	l.count++
	id, _ := f.number(o, "id", 0, 1<<31-1)
	if id == 0 {
		for l.next++; l.numbers[l.next]; l.next++ {
		}
		id = l.next
	}
	return object{"type": num(o, "type"), "id": id}
}

// customID checks a custom id: 1 to 100 characters, once in a message.
func (l *layout) customID(f field, o, out object) {
	id := f.text(o, "custom_id", 1, maxCustomID)
	if id == "" {
		return
	}
	if l.ids[id] {
		f.at("custom_id").add("COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
	}
	l.ids[id] = true
	out["custom_id"] = id
}

// message checks one component that may stand in a message, or nil after an
// error that leaves nothing to show.
func (l *layout) message(f field, o object, inside bool) object {
	kind := num(o, "type")
	if kind == TypeActionRow {
		return l.row(f, o)
	}
	out := l.base(f, o)
	switch kind {
	case TypeSection:
		l.section(f, o, out)
	case TypeTextDisplay:
		l.textDisplay(f, o, out)
	case TypeMediaGallery:
		items := []any{}
		for i, v := range f.list(o, "items", 1, 10) {
			at := f.at("items").index(i)
			it := at.dict(v)
			items = append(items, l.medium(at, it))
		}
		out["items"] = items
	case TypeFile:
		l.file(f, o, out)
	case TypeSeparator:
		out["divider"], out["spacing"] = true, 1
		if v, ok := o["divider"].(bool); ok {
			out["divider"] = v
		}
		if n, ok := f.number(o, "spacing", 1, 2); ok {
			out["spacing"] = n
		}
	case TypeContainer:
		if inside {
			f.at("type").add("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1, 9, 10, 12, 13, 14).")
			return nil
		}
		var inner []any
		for i, v := range f.list(o, "components", 1, maxV2Components) {
			at := f.at("components").index(i)
			if c := l.message(at, at.dict(v), true); c != nil {
				inner = append(inner, c)
			}
		}
		out["components"], out["accent_color"] = orEmpty(inner), nil
		if n, ok := f.number(o, "accent_color", 0, 0xFFFFFF); ok {
			out["accent_color"] = n
		}
		out["spoiler"] = f.flag(o, "spoiler")
	default:
		f.at("type").add("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1, 9, 10, 12, 13, 14, 17).")
		return nil
	}
	return out
}

func (l *layout) section(f field, o, out object) {
	var inner []any
	for i, v := range f.list(o, "components", 1, 3) {
		at := f.at("components").index(i)
		c := at.dict(v)
		if num(c, "type") != TypeTextDisplay {
			at.at("type").add("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (10,).")
			continue
		}
		to := l.base(at, c)
		l.textDisplay(at, c, to)
		inner = append(inner, to)
	}
	out["components"] = orEmpty(inner)
	at := f.at("accessory")
	if o["accessory"] == nil {
		at.required()
		return
	}
	acc := at.dict(o["accessory"])
	switch num(acc, "type") {
	case TypeButton:
		out["accessory"] = l.button(at, acc)
	case TypeThumbnail:
		to := l.base(at, acc)
		m := l.medium(at, acc)
		to["media"], to["description"], to["spoiler"] = m["media"], m["description"], m["spoiler"]
		out["accessory"] = to
	default:
		at.at("type").add("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (2, 11).")
	}
}

func (l *layout) textDisplay(f field, o, out object) {
	s := f.text(o, "content", 1, maxV2Text)
	l.text += utf8.RuneCountInString(s)
	out["content"] = s
}

// medium checks {"media":{"url"}, "description", "spoiler"}.
func (l *layout) medium(f field, o object) object {
	out := object{"description": nil, "spoiler": f.flag(o, "spoiler")}
	if d := f.text(o, "description", 0, 1024); d != "" {
		out["description"] = d
	}
	if o["media"] == nil {
		f.at("media").required()
		return out
	}
	at := f.at("media")
	u := at.text(at.dict(o["media"]), "url", 1, maxURL)
	if u != "" {
		checkURL(at.at("url"), u, "http", "https", "attachment")
	}
	l.media++
	out["media"] = object{"id": fmt.Sprint(l.media), "url": u, "proxy_url": u}
	if a, isRef := l.refs.find(u); a != nil {
		out["media"] = a.media(fmt.Sprint(l.media))
	} else if isRef {
		noSuchFile(at)
	}
	return out
}

func noSuchFile(at field) {
	at.add("UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", "The referenced attachment was not found")
}

// file checks {"file":{"url":"attachment://name"}, "spoiler"}.
func (l *layout) file(f field, o, out object) {
	at := f.at("file")
	out["spoiler"] = f.flag(o, "spoiler")
	if o["file"] == nil {
		at.required()
		return
	}
	u := at.text(at.dict(o["file"]), "url", 1, maxURL)
	if u == "" {
		return
	}
	checkURL(at.at("url"), u, "attachment")
	a, isRef := l.refs.find(u)
	switch {
	case a != nil:
		l.media++
		out["file"], out["name"], out["size"] = a.media(fmt.Sprint(l.media)), a.name, a.size
	case isRef:
		noSuchFile(at)
	}
}

// row checks an action row of a message: up to five buttons or one select.
func (l *layout) row(f field, o object) object {
	out := l.base(f, o)
	var inner []any
	buttons, selects := 0, 0
	for i, v := range f.list(o, "components", 1, maxRowButtons) {
		at := f.at("components").index(i)
		c := at.dict(v)
		switch kind := num(c, "type"); {
		case kind == TypeButton:
			buttons++
			inner = append(inner, l.button(at, c))
		case isSelect(kind):
			selects++
			inner = append(inner, l.selectMenu(at, c))
		default:
			at.at("type").add("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (2, 3, 5, 6, 7, 8).")
		}
	}
	if selects > 1 || selects == 1 && buttons > 0 {
		f.at("components").add("COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")
	}
	out["components"] = orEmpty(inner)
	return out
}

func isSelect(kind int) bool {
	return kind == TypeStringSelect || kind >= TypeUserSelect && kind <= TypeChannelSelect
}

func (l *layout) button(f field, o object) object {
	out := l.base(f, o)
	style, ok := f.number(o, "style", 1, 6)
	if !ok {
		f.at("style").required()
	}
	out["style"] = style
	label := f.text(o, "label", 0, maxButtonLabel)
	if label != "" {
		out["label"] = label
	}
	l.emoji(f, o, out)
	if v, ok := o["disabled"]; ok && v != nil {
		out["disabled"] = f.flag(o, "disabled")
	}
	switch style {
	case StyleLink:
		u := f.text(o, "url", 1, maxButtonURL)
		if u != "" {
			checkURL(f.at("url"), u, "http", "https", "discord")
			out["url"] = u
		}
		if str(o, "custom_id") != "" {
			f.add("BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A custom id and url cannot both be specified")
		}
	case StylePremium:
		if sku := f.text(o, "sku_id", 1, 20); sku != "" {
			out["sku_id"] = sku
		}
		return out
	default:
		l.customID(f, o, out)
		if str(o, "url") != "" {
			f.add("BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A custom id and url cannot both be specified")
		}
	}
	if label == "" && o["emoji"] == nil {
		f.add("BUTTON_COMPONENT_LABEL_EMOJI_REQUIRED", "A label or emoji is required for a button")
	}
	return out
}

func (l *layout) emoji(f field, o, out object) {
	if o["emoji"] == nil {
		return
	}
	at := f.at("emoji")
	e := at.dict(o["emoji"])
	to := object{"name": str(e, "name")}
	if id := str(e, "id"); id != "" {
		to["id"] = id
	} else if str(e, "name") == "" {
		at.at("name").required()
	}
	if b, ok := e["animated"].(bool); ok {
		to["animated"] = b
	}
	out["emoji"] = to
}

// options checks the choices of a select, radio group or checkbox group.
func (l *layout) options(f field, o object, most int) []any {
	seen := map[string]bool{}
	options := []any{}
	defaults := 0
	for i, v := range f.list(o, "options", 1, maxOptions) {
		at := f.at("options").index(i)
		in := at.dict(v)
		to := object{"label": at.text(in, "label", 1, maxOptionText), "value": at.text(in, "value", 1, maxOptionText)}
		if d := at.text(in, "description", 0, maxOptionText); d != "" {
			to["description"] = d
		}
		if at.flag(in, "default") {
			to["default"] = true
			defaults++
		}
		l.emoji(at, in, to)
		if value := str(to, "value"); seen[value] {
			at.add("SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used")
		} else {
			seen[value] = true
		}
		options = append(options, to)
	}
	if defaults > most {
		f.at("options").add("SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", "The number of default values exceeds max_values")
	}
	return options
}
