package discordsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Errors of acts that Discord's own client would not let a person do.
var (
	ErrUnknownUser    = errors.New("unknown user")
	ErrUnknownChannel = errors.New("unknown channel")
	ErrUnknownCommand = errors.New("unknown command")
	ErrUnknownMessage = errors.New("unknown message")
	ErrNoComponent    = errors.New("no such component")
	ErrDisabled       = errors.New("component is disabled")
	ErrBadInput       = errors.New("input refused by the client")
)

// place finds person and channel; an empty channel is the direct one with the
// bot. The caller holds the lock.
func (s *Server) place(userID, channelID string) (*channel, error) {
	if s.users[userID] == nil {
		return nil, ErrUnknownUser
	}
	if channelID == "" {
		return s.openDM(userID), nil
	}
	ch := s.channels[channelID]
	if !s.reaches(userID, ch) {
		return nil, ErrUnknownChannel
	}
	return ch, nil
}

// Command runs a slash command as a person, in a channel or, with an empty
// channelID, in the direct channel with the bot. subcommand may be empty, or
// "group sub". Options are checked against the registered command as
// Discord's client does; values are string, bool, numbers, or an Upload.
func (s *Server) Command(ctx context.Context, userID, channelID, name, subcommand string, options map[string]any) (*Result, error) {
	s.mu.Lock()
	ch, err := s.place(userID, channelID)
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("run command: %w", err)
	}
	files := object{}
	data, err := s.commandData(userID, ch, name, subcommand, func(defs []any) ([]any, error) {
		given, err := s.attach(defs, options, files)
		if err != nil {
			return nil, err
		}
		return fill(defs, given)
	})
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("run command: %w", err)
	}
	if len(files) > 0 {
		data["resolved"] = object{"attachments": files}
	}
	it := s.newInteraction(interactionCommand, userID, ch)
	it.command = strings.TrimSpace(name + " " + subcommand)
	payload := s.payload(it, data)
	s.mu.Unlock()
	return s.dispatch(ctx, it, payload)
}

// Autocomplete asks the bot for suggestions while a person types partial into
// an option. The error wraps ErrUnknownCommand when the option is not
// registered with autocompletion.
func (s *Server) Autocomplete(ctx context.Context, userID, channelID, command, subcommand, option, partial string) ([]Choice, error) {
	s.mu.Lock()
	ch, err := s.place(userID, channelID)
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("autocomplete: %w", err)
	}
	kind := 0
	data, err := s.commandData(userID, ch, command, subcommand, func(defs []any) ([]any, error) {
		for _, d := range defs {
			def, _ := d.(object)
			if str(def, "name") == option && def["autocomplete"] == true {
				kind = num(def, "type")
				return []any{object{"name": option, "type": kind, "value": partial, "focused": true}}, nil
			}
		}
		return nil, fmt.Errorf("%w: no autocompletion for option %q", ErrUnknownCommand, option)
	})
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("autocomplete: %w", err)
	}
	it := s.newInteraction(interactionAutocomplete, userID, ch)
	it.optionKind = kind
	payload := s.payload(it, data)
	s.mu.Unlock()
	res, err := s.dispatch(ctx, it, payload)
	if err != nil {
		return nil, err
	}
	if res.Failed {
		return nil, fmt.Errorf("autocomplete: loading options failed: %s", res.Reason)
	}
	return res.Choices, nil
}

// commandData builds the data of a command interaction; options of
// subcommands lie nested, as Discord sends them.
func (s *Server) commandData(userID string, ch *channel, name, subcommand string, values func(defs []any) ([]any, error)) (object, error) {
	cmd, err := s.command(userID, ch, name, commandChat)
	if err != nil {
		return nil, err
	}
	defs, _ := cmd["options"].([]any)
	var path []object
	for _, word := range strings.Fields(subcommand) {
		i := slices.IndexFunc(defs, func(v any) bool {
			o, _ := v.(object)
			return str(o, "name") == word && num(o, "type") <= optionGroup
		})
		if i < 0 {
			return nil, fmt.Errorf("%w: no subcommand %q", ErrUnknownCommand, word)
		}
		o, _ := defs[i].(object)
		path = append(path, o)
		defs, _ = o["options"].([]any)
	}
	if len(defs) > 0 {
		if first, _ := defs[0].(object); num(first, "type") <= optionGroup {
			return nil, fmt.Errorf("%w: %q needs a subcommand", ErrUnknownCommand, name)
		}
	}
	options, err := values(defs)
	if err != nil {
		return nil, err
	}
	for _, o := range slices.Backward(path) {
		level := object{"name": o["name"], "type": o["type"], "options": orEmpty(options)}
		options = []any{level}
	}
	data := object{"id": cmd["id"], "name": cmd["name"], "type": 1}
	if len(options) > 0 {
		data["options"] = options
	}
	if g := str(cmd, "guild_id"); g != "" {
		data["guild_id"] = g
	}
	return data, nil
}

// command finds a registered command that a person can use in a channel.
func (s *Server) command(userID string, ch *channel, name string, kind int) (object, error) {
	cmd := s.commands.find(ch.GuildID, name, kind)
	if cmd == nil {
		return nil, fmt.Errorf("%w: %q is not registered", ErrUnknownCommand, name)
	}
	if !s.offered(cmd, userID, ch) {
		return nil, fmt.Errorf("%w: %q is not offered here", ErrUnknownCommand, name)
	}
	return cmd, nil
}

// fill checks option values as Discord's client does, in registered order.
func fill(defs []any, options map[string]any) ([]any, error) {
	left := maps.Clone(options)
	var out []any
	for _, d := range defs {
		def, _ := d.(object)
		name := str(def, "name")
		v, given := left[name]
		delete(left, name)
		if !given {
			if def["required"] == true {
				return nil, fmt.Errorf("%w: option %q is required", ErrBadInput, name)
			}
			continue
		}
		if err := checkOption(def, v); err != nil {
			return nil, err
		}
		out = append(out, object{"name": name, "type": def["type"], "value": v})
	}
	for name := range left {
		return nil, fmt.Errorf("%w: option %q is not registered", ErrBadInput, name)
	}
	return out, nil
}

func checkOption(def object, v any) error {
	name, good := str(def, "name"), false
	switch num(def, "type") {
	case optionInteger, optionNumber:
		switch v.(type) {
		case int, int64, float64, json.Number:
			good = true
		}
	case optionBoolean:
		_, good = v.(bool)
	default:
		var text string
		text, good = v.(string)
		n := utf8.RuneCountInString(text)
		if lo, ok := integer(def["min_length"]); ok && n < lo {
			return fmt.Errorf("%w: option %q is too short", ErrBadInput, name)
		}
		hi, ok := integer(def["max_length"])
		if !ok {
			hi = maxOptionLength
		}
		if n > hi {
			return fmt.Errorf("%w: option %q is too long", ErrBadInput, name)
		}
	}
	if !good {
		return fmt.Errorf("%w: option %q has a value of the wrong type", ErrBadInput, name)
	}
	choices, _ := def["choices"].([]any)
	if len(choices) > 0 && !slices.ContainsFunc(choices, func(c any) bool {
		o, _ := c.(object)
		return fmt.Sprint(o["value"]) == fmt.Sprint(v)
	}) {
		return fmt.Errorf("%w: option %q is none of its choices", ErrBadInput, name)
	}
	return nil
}

// Press presses a button or chooses values of a select menu on a message, by
// custom id or by label (of a select menu: its placeholder). A link button
// only opens its address. Who may see the message is not looked at, so that a
// test can show that the bot looks itself.
func (s *Server) Press(ctx context.Context, userID, messageID, customIDOrLabel string, values ...string) (*Result, error) {
	s.mu.Lock()
	m := s.messages[messageID]
	if m == nil || s.channels[m.channelID] == nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("press: %w", ErrUnknownMessage)
	}
	if s.users[userID] == nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("press: %w", ErrUnknownUser)
	}
	if ch := s.channels[m.channelID]; !s.present(ch) && !s.reaches(userID, ch) {
		s.mu.Unlock()
		return nil, fmt.Errorf("press: %w", ErrUnknownChannel)
	}
	c, err := pressable(view[[]Component](m.components), customIDOrLabel)
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("press %q: %w", customIDOrLabel, err)
	}
	if c.URL != "" {
		s.mu.Unlock()
		return &Result{UserID: userID, ChannelID: m.channelID, Link: c.URL}, nil
	}
	data := object{"custom_id": c.CustomID, "component_type": c.Type, "id": c.ID}
	if isSelect(c.Type) {
		if fills(c.Type) {
			c.Options = s.offers(c, s.channels[m.channelID])
			values, err = c.named(values)
		}
		if err == nil {
			err = c.checkValues(values)
		}
		if err != nil {
			s.mu.Unlock()
			return nil, fmt.Errorf("press %q: %w", customIDOrLabel, err)
		}
		data["values"] = values
		if fills(c.Type) {
			resolved := object{}
			s.resolve(resolved, s.channels[m.channelID], userID, values)
			data["resolved"] = resolved
		}
	}
	it := s.newInteraction(interactionComponent, userID, s.channels[m.channelID])
	it.pressed = m
	it.meta["interacted_message_id"] = m.id
	payload := s.payload(it, data)
	payload["message"] = s.messageObject(m)
	s.mu.Unlock()
	return s.dispatch(ctx, it, payload)
}

// pressable finds an enabled button or select.
func pressable(list []Component, key string) (Component, error) {
	for _, byID := range []bool{true, false} {
		for _, c := range flatten(list) {
			if c.Type != TypeButton && !isSelect(c.Type) {
				continue
			}
			hit := c.CustomID == key && key != ""
			if !byID {
				hit = c.Label == key || isSelect(c.Type) && c.Placeholder == key
			}
			if !hit {
				continue
			}
			if c.Disabled {
				return c, ErrDisabled
			}
			return c, nil
		}
	}
	return Component{}, ErrNoComponent
}

// checkValues checks a choice as Discord's client does.
func (c Component) checkValues(values []string) error {
	lo, hi := 1, 1
	if c.MinValues != nil {
		lo = *c.MinValues
	}
	if c.MaxValues != nil {
		hi = *c.MaxValues
	}
	if len(values) < lo || len(values) > hi {
		return fmt.Errorf("%w: %d to %d values can be chosen", ErrBadInput, lo, hi)
	}
	for _, v := range values {
		if len(c.Options) > 0 && !fills(c.Type) && !slices.ContainsFunc(c.Options, func(o Option) bool { return o.Value == v }) {
			return fmt.Errorf("%w: value is none of the options", ErrBadInput)
		}
	}
	return nil
}
