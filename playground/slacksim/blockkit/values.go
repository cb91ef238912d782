package blockkit

import (
	"encoding/json"
	"net/url"
	"slices"
	"unicode/utf8"
)

// object reports a problem unless value is a JSON object.
func (v *validator) object(ptr string, value any) (map[string]any, bool) {
	m, ok := value.(map[string]any)
	if !ok {
		v.add(ptr, "must provide an object")
	}
	return m, ok
}

// array reports a problem unless value is an array with a length in range;
// most 0 means no upper bound.
func (v *validator) array(ptr string, value any, least, most int) ([]any, bool) {
	a, ok := value.([]any)
	if !ok {
		v.add(ptr, "must provide an array")
		return nil, false
	}
	if len(a) < least {
		v.add(ptr, "no fewer than %d items allowed", least)
	}
	if most > 0 && len(a) > most {
		v.add(ptr, "no more than %d items allowed", most)
	}
	return a, true
}

// str checks m[key] as a string of least to most code points; an absent one
// is a problem only when it is required. The value comes back.
func (v *validator) str(ptr string, m map[string]any, key string, least, most int, required bool) string {
	raw, there := m[key]
	if !there || raw == nil {
		if required {
			v.add(ptr, "missing required field: %s", key)
		}
		return ""
	}
	s, ok := raw.(string)
	if !ok {
		v.add(ptr+"/"+key, "must be a string")
		return ""
	}
	v.length(ptr+"/"+key, s, least, most)
	return s
}

func (v *validator) length(ptr, s string, least, most int) {
	n := utf8.RuneCountInString(s)
	if n < least {
		v.add(ptr, "must be more than %d characters", least-1)
	}
	if most > 0 && n > most {
		v.add(ptr, "must be less than %d characters", most+1)
	}
}

// link checks m[key] as an absolute web address.
func (v *validator) link(ptr string, m map[string]any, key string, most int, required bool) {
	s := v.str(ptr, m, key, 0, most, required)
	if s == "" {
		if _, there := m[key].(string); there {
			v.add(ptr+"/"+key, "must be a valid url")
		}
		return
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || (u.Host == "" && u.Opaque == "") {
		v.add(ptr+"/"+key, "must be a valid url")
	}
}

func (v *validator) boolean(ptr string, m map[string]any, keys ...string) {
	for _, key := range keys {
		if raw, there := m[key]; there {
			if _, ok := raw.(bool); !ok {
				v.add(ptr+"/"+key, "must be a boolean")
			}
		}
	}
}

// integer checks m[key] as a whole number in range, if it is there.
func (v *validator) integer(ptr string, m map[string]any, key string, least, most int64) {
	raw, there := m[key]
	if !there {
		return
	}
	num, ok := raw.(json.Number)
	n, err := num.Int64()
	if !ok || err != nil {
		v.add(ptr+"/"+key, "must be an integer")
		return
	}
	if n < least || n > most {
		v.add(ptr+"/"+key, "must be between %d and %d", least, most)
	}
}

func (v *validator) oneOf(ptr string, m map[string]any, key string, allowed ...string) {
	raw, there := m[key]
	if !there {
		return
	}
	if s, ok := raw.(string); !ok || !slices.Contains(allowed, s) {
		v.add(ptr+"/"+key, "must be one of %q", allowed)
	}
}

// known reports properties that Slack does not know: it refuses them, so a
// misspelt one would be noticed only in production.
func (v *validator) known(ptr string, m map[string]any, keys ...string) {
	var foreign []string
	for key := range m {
		if key != "type" && !slices.Contains(keys, key) {
			foreign = append(foreign, key)
		}
	}
	slices.Sort(foreign)
	for _, key := range foreign {
		v.add(ptr, "invalid additional property: %s", key)
	}
}

// text checks m[key] as a text object. plain demands plain_text, else both
// kinds are taken.
func (v *validator) text(ptr string, m map[string]any, key string, most int, plain, required bool) {
	raw, there := m[key]
	if !there || raw == nil {
		if required {
			v.add(ptr, "missing required field: %s", key)
		}
		return
	}
	v.textObject(ptr+"/"+key, raw, most, plain)
}

func (v *validator) textObject(ptr string, raw any, most int, plain bool) {
	m, ok := v.object(ptr, raw)
	if !ok {
		return
	}
	switch m["type"] {
	case "plain_text":
		v.known(ptr, m, "text", "emoji")
		v.boolean(ptr, m, "emoji")
	case "mrkdwn":
		if plain {
			v.add(ptr+"/type", "must be plain_text")
		}
		v.known(ptr, m, "text", "verbatim")
		v.boolean(ptr, m, "verbatim")
	default:
		v.add(ptr+"/type", "unsupported type: %v", m["type"])
	}
	v.str(ptr, m, "text", TextMin, most, true)
}
