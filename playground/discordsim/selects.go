package discordsim

import (
	"fmt"
	"slices"
	"strings"
)

// channelTypes are the kinds of channel to which a menu can be restricted,
// https://discord.com/developers/docs/resources/channel#channel-object-channel-types.
var channelTypes = []int{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}

// fills reports whether Discord itself fills a menu of this type: with people,
// roles, or channels.
func fills(kind int) bool { return kind >= TypeUserSelect && kind <= TypeChannelSelect }

func (l *layout) selectMenu(f field, o object) object {
	out := l.base(f, o)
	l.customID(f, o, out)
	if p := f.text(o, "placeholder", 0, maxPlaceholder); p != "" {
		out["placeholder"] = p
	}
	if v, ok := o["disabled"]; ok && v != nil {
		out["disabled"] = f.flag(o, "disabled")
	}
	out["min_values"], out["max_values"] = 1, 1
	if n, ok := f.number(o, "min_values", 0, maxOptions); ok {
		out["min_values"] = n
	}
	if n, ok := f.number(o, "max_values", 1, maxOptions); ok {
		out["max_values"] = n
	}
	if num(out, "min_values") > num(out, "max_values") {
		f.at("min_values").add("SELECT_COMPONENT_MIN_VALUES_GREATER_THAN_MAX_VALUES", "min_values is greater than max_values")
	}
	if num(o, "type") != TypeStringSelect {
		l.filledSelect(f, o, out)
		return out
	}
	out["options"] = l.options(f, o, num(out, "max_values"))
	return out
}

// filledSelect checks what only menus have that Discord fills.
// https://discord.com/developers/docs/components/reference#channel-select
func (l *layout) filledSelect(f field, o, out object) {
	kind := num(o, "type")
	if kind == TypeChannelSelect && o["channel_types"] != nil {
		types := []any{}
		for i, v := range f.list(o, "channel_types", 0, len(channelTypes)) {
			n, ok := integer(v)
			if !ok || !slices.Contains(channelTypes, n) || slices.Contains(types, any(n)) {
				f.at("channel_types").index(i).choices(strings.Trim(strings.ReplaceAll(fmt.Sprint(channelTypes), " ", ", "), "[]"))
				continue
			}
			types = append(types, n)
		}
		out["channel_types"] = types
	}
	if o["default_values"] == nil {
		return
	}
	allowed := map[int][]string{
		TypeUserSelect: {"user"}, TypeRoleSelect: {"role"}, TypeMentionableSelect: {"user", "role"}, TypeChannelSelect: {"channel"},
	}[kind]
	values := []any{}
	for i, v := range f.list(o, "default_values", 0, maxOptions) {
		at := f.at("default_values").index(i)
		in := at.dict(v)
		id, what := at.text(in, "id", 1, 20), at.text(in, "type", 1, 20)
		if id != "" && !isSnowflake(id) {
			at.at("id").add("NUMBER_TYPE_COERCE", "Value \""+id+"\" is not snowflake.")
		}
		if what != "" && !slices.Contains(allowed, what) {
			at.at("type").choices(strings.Join(allowed, ", "))
		}
		values = append(values, object{"id": id, "type": what})
	}
	if n := len(values); n > 0 && (n < num(out, "min_values") || n > num(out, "max_values")) {
		f.at("default_values").add("SELECT_COMPONENT_INVALID_DEFAULT_VALUES", "The number of default values is not between min_values and max_values")
	}
	out["default_values"] = values
}

// DefaultValue is what a menu that Discord fills begins with.
type DefaultValue struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// offers lists what a person is offered by a menu that Discord fills, in a
// channel. The caller holds the lock.
func (s *Server) offers(c Component, in *channel) []Option {
	out := []Option{}
	add := func(id, label string) {
		chosen := slices.ContainsFunc(c.DefaultValues, func(d DefaultValue) bool { return d.ID == id })
		out = append(out, Option{Label: label, Value: id, Default: chosen})
	}
	g := s.guilds[in.GuildID]
	if c.Type == TypeUserSelect || c.Type == TypeMentionableSelect {
		for _, id := range sortedKeys(s.users) {
			label := s.users[id].GlobalName
			if label == "" {
				label = s.users[id].Name
			}
			add(id, label)
		}
	}
	if (c.Type == TypeRoleSelect || c.Type == TypeMentionableSelect) && g != nil {
		for _, r := range s.roles(g) {
			if o, ok := r.(object); ok {
				add(str(o, "id"), str(o, "name"))
			}
		}
	}
	if c.Type == TypeChannelSelect && g != nil && (len(c.ChannelTypes) == 0 || slices.Contains(c.ChannelTypes, channelText)) {
		for _, id := range s.order {
			if ch := s.channels[id]; ch.kind == channelText && ch.GuildID == g.ID {
				add(id, ch.Name)
			}
		}
	}
	return out
}

// Fields returns the inputs of a form with what the person is offered in each.
func (s *Server) Fields(m *Modal) []Field {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := m.Fields()
	for i, f := range out {
		if fills(f.Type) {
			out[i].Options = s.offers(f.Component, m.opener.channel)
		}
	}
	return out
}

// named puts ids in the place of names, and refuses names that are not offered.
// An id is taken as it is: what was offered may be gone when it is sent.
func (c Component) named(given []string) ([]string, error) {
	out := []string{}
	for _, what := range given {
		if isSnowflake(what) {
			out = append(out, what)
			continue
		}
		i := slices.IndexFunc(c.Options, func(o Option) bool {
			return o.Label == what || o.Label == strings.TrimPrefix(what, "#") || o.Label == strings.TrimPrefix(what, "@")
		})
		if i < 0 {
			return nil, fmt.Errorf("%w: %q is not offered", ErrBadInput, what)
		}
		out = append(out, c.Options[i].Value)
	}
	return out, nil
}

// resolve adds to data what was chosen in a menu that Discord fills. The caller
// holds the lock.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-resolved-data-structure
func (s *Server) resolve(to object, in *channel, userID string, ids []string) {
	put := func(key, id string, o object) {
		all, ok := to[key].(object)
		if !ok {
			all = object{}
			to[key] = all
		}
		all[id] = o
	}
	g := s.guilds[in.GuildID]
	for _, id := range ids {
		if u := s.users[id]; u != nil {
			put("users", id, u.object())
			if g != nil {
				m := s.actingMember(g, u)
				for _, key := range []string{"user", "deaf", "mute"} {
					delete(m, key)
				}
				put("members", id, m)
			}
		}
		if ch := s.channels[id]; ch != nil && g != nil && s.users[userID] != nil {
			o := s.channelObject(ch)
			delete(o, "permission_overwrites")
			o["permissions"] = s.actingMember(g, s.users[userID])["permissions"]
			put("channels", id, o)
		}
		if g == nil {
			continue
		}
		for _, r := range s.roles(g) {
			if o, ok := r.(object); ok && str(o, "id") == id {
				put("roles", id, o)
			}
		}
	}
}
