package discordsim

// Limits of modals,
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal.
const (
	maxModalTitle      = 45
	maxModalComponents = 5
	maxInputLabel      = 45
	maxInputText       = 4000
	maxInputHint       = 100
	maxLabelText       = 100
)

// readModal checks the data of a modal answer and returns its components with
// their numeric ids.
func readModal(at field, data object) (customID, title string, components []any) {
	title = at.text(data, "title", 1, maxModalTitle)
	customID = at.text(data, "custom_id", 1, maxCustomID)
	list := at.list(data, "components", 1, maxModalComponents)
	l := newLayout(false)
	l.reserve(list)
	for i, v := range list {
		f := at.at("components").index(i)
		o := f.dict(v)
		out := l.base(f, o)
		switch num(o, "type") {
		case TypeActionRow:
			inner := f.list(o, "components", 1, 1)
			if len(inner) != 1 {
				continue
			}
			c := f.at("components").index(0)
			in := c.dict(inner[0])
			if num(in, "type") != TypeTextInput {
				c.at("type").add("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (4,).")
				continue
			}
			input := l.textInput(c, in)
			input["label"] = c.text(in, "label", 1, maxInputLabel)
			out["components"] = []any{input}
		case TypeLabel:
			out["label"] = f.text(o, "label", 1, maxInputLabel)
			if d := f.text(o, "description", 0, maxLabelText); d != "" {
				out["description"] = d
			}
			if o["component"] == nil {
				f.at("component").required()
				continue
			}
			c := f.at("component")
			out["component"] = l.labelled(c, c.dict(o["component"]))
		case TypeTextDisplay:
			l.textDisplay(f, o, out)
		default:
			f.at("type").add("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1, 10, 18).")
			continue
		}
		components = append(components, out)
	}
	return customID, title, components
}

func (l *layout) textInput(f field, o object) object {
	out := l.base(f, o)
	l.customID(f, o, out)
	style, ok := f.number(o, "style", 1, 2)
	if !ok {
		f.at("style").required()
	}
	out["style"] = style
	out["required"] = required(f, o)
	if n, ok := f.number(o, "min_length", 0, maxInputText); ok {
		out["min_length"] = n
	}
	if n, ok := f.number(o, "max_length", 1, maxInputText); ok {
		out["max_length"] = n
		if num(out, "min_length") > n {
			f.at("min_length").add("TEXT_INPUT_COMPONENT_MIN_LENGTH_GREATER_THAN_MAX_LENGTH", "min_length is greater than max_length")
		}
	}
	for key, hi := range map[string]int{"value": maxInputText, "placeholder": maxInputHint} {
		if v := f.text(o, key, 0, hi); v != "" {
			out[key] = v
		}
	}
	return out
}

// labelled checks the component inside a Label.
func (l *layout) labelled(f field, o object) object {
	switch kind := num(o, "type"); {
	case kind == TypeTextInput:
		if str(o, "label") != "" {
			f.at("label").add("TEXT_INPUT_COMPONENT_LABEL_IN_LABEL", "A text input inside a label cannot have a label of its own")
		}
		return l.textInput(f, o)
	case isSelect(kind):
		out := l.selectMenu(f, o)
		out["required"] = required(f, o)
		return out
	case kind == TypeRadioGroup || kind == TypeCheckboxGroup:
		out := l.base(f, o)
		l.customID(f, o, out)
		out["required"] = required(f, o)
		most := 1
		if kind == TypeCheckboxGroup {
			most = 10
		}
		out["options"] = l.options(f, o, most)
		return out
	case kind == TypeCheckbox || kind == TypeFileUpload:
		out := l.base(f, o)
		l.customID(f, o, out)
		out["required"] = kind == TypeFileUpload && required(f, o)
		return out
	}
	f.at("type").add("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (3, 4, 5, 6, 7, 8, 19, 21, 22, 23).")
	return nil
}

// required reads the field of that name; in modals it is true by default.
func required(f field, o object) bool {
	if v, ok := o["required"]; !ok || v == nil {
		return true
	}
	return f.flag(o, "required")
}
