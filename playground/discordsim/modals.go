package discordsim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Modal is a form that a person has before them.
type Modal struct {
	// ID is that of the interaction which opened it.
	ID         string      `json:"id"`
	UserID     string      `json:"user_id"`
	ChannelID  string      `json:"channel_id"`
	CustomID   string      `json:"custom_id"`
	Title      string      `json:"title"`
	Components []Component `json:"components"`

	opener *interaction
}

// Field is one input of a modal with the words around it.
type Field struct {
	Component
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
}

// Fields returns the inputs of a modal, whether they stand in action rows or
// in labels.
func (m *Modal) Fields() []Field {
	var out []Field
	for _, c := range m.Components {
		switch {
		case c.Type == TypeActionRow:
			for _, in := range c.Components {
				out = append(out, Field{Component: in, Label: in.Label})
			}
		case c.Type == TypeLabel && c.Component != nil:
			out = append(out, Field{Component: *c.Component, Label: c.Label, Description: c.Description})
		}
	}
	return out
}

// openModal shows a modal; a person has one at a time.
func (s *Server) openModal(it *interaction, customID, title string, components []any) {
	s.modals = slices.DeleteFunc(s.modals, func(m *Modal) bool { return m.UserID == it.userID })
	it.opened = &Modal{
		ID: it.id, UserID: it.userID, ChannelID: it.channel.ID, CustomID: customID, Title: title,
		Components: view[[]Component](components), opener: it,
	}
	s.modals = append(s.modals, it.opened)
}

func (s *Server) closeModal(m *Modal) {
	s.modals = slices.DeleteFunc(s.modals, func(o *Modal) bool { return o == m })
}

// Modals returns the forms that a person has open, at most one.
func (s *Server) Modals(userID string) []*Modal {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*Modal
	for _, m := range s.modals {
		if m.UserID == userID {
			out = append(out, m)
		}
	}
	return out
}

// CloseModal closes a person's form by its id; the bot hears nothing of it.
func (s *Server) CloseModal(userID, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modals = slices.DeleteFunc(s.modals, func(m *Modal) bool { return m.UserID == userID && m.ID == id })
	s.touch()
}

// Submit sends a form filled by a person. values are keyed by custom id or by
// label: a string for a text input or radio group, []string (or a string) for
// a select or checkbox group, a bool for a checkbox. Where Discord fills the
// menu, people, roles and channels are named by id or name. Inputs without a value
// keep what the bot filled in. What Discord's client refuses (missing, too
// short, too long) is an error that wraps ErrBadInput. The form stays open
// until the bot has answered well.
func (s *Server) Submit(ctx context.Context, userID string, modal *Modal, values map[string]any) (*Result, error) {
	left := maps.Clone(values)
	inputs := map[string]object{}
	var chosen []string
	for _, f := range s.Fields(modal) {
		var given any
		for _, key := range []string{f.CustomID, f.Label} {
			if v, ok := left[key]; ok {
				given = v
				delete(left, key)
				break
			}
		}
		in, err := f.submit(given)
		if err != nil {
			return nil, fmt.Errorf("submit: %w", err)
		}
		inputs[f.CustomID] = in
		if ids, ok := in["values"].([]string); ok && fills(f.Type) {
			chosen = append(chosen, ids...)
		}
	}
	for key := range left {
		return nil, fmt.Errorf("submit: %w: no input %q", ErrBadInput, key)
	}
	components := []any{}
	for _, c := range modal.Components {
		o := object{"type": c.Type, "id": c.ID}
		switch {
		case c.Type == TypeActionRow:
			list := []any{}
			for _, in := range c.Components {
				list = append(list, inputs[in.CustomID])
			}
			o["components"] = list
		case c.Component != nil:
			o["component"] = inputs[c.Component.CustomID]
		}
		components = append(components, o)
	}

	s.mu.Lock()
	if !slices.Contains(s.modals, modal) || modal.UserID != userID {
		s.mu.Unlock()
		return nil, fmt.Errorf("submit: %w: the form is not open", ErrBadInput)
	}
	opener := modal.opener
	if !s.present(opener.channel) && !s.reaches(userID, opener.channel) {
		s.mu.Unlock()
		return nil, fmt.Errorf("submit: %w", ErrUnknownChannel)
	}
	it := s.newInteraction(interactionModal, userID, opener.channel)
	it.modal = modal
	trigger := object{}
	for k, v := range opener.meta {
		if k != "triggering_interaction_metadata" {
			trigger[k] = v
		}
	}
	it.meta["triggering_interaction_metadata"] = trigger
	data := object{"custom_id": modal.CustomID, "components": components}
	if len(chosen) > 0 {
		resolved := object{}
		s.resolve(resolved, opener.channel, userID, chosen)
		data["resolved"] = resolved
	}
	payload := s.payload(it, data)
	if opener.pressed != nil && s.messages[opener.pressed.id] != nil {
		it.pressed = opener.pressed
		payload["message"] = s.messageObject(opener.pressed)
	}
	s.mu.Unlock()
	return s.dispatch(ctx, it, payload)
}

// submit is an input as Discord sends it.
func (f Field) submit(given any) (object, error) {
	out := object{"type": f.Type, "id": f.ID, "custom_id": f.CustomID}
	required := f.Required == nil || *f.Required
	bad := func(why string) (object, error) {
		return nil, fmt.Errorf("%w: %q %s", ErrBadInput, f.Label, why)
	}
	switch f.Type {
	case TypeTextInput:
		text, isText := given.(string)
		if given == nil {
			text, isText = f.Value, true
		}
		n := utf8.RuneCountInString(text)
		switch {
		case !isText:
			return bad("takes a text")
		case n == 0 && required:
			return bad("is required")
		case n > 0 && f.MinLength != nil && n < *f.MinLength:
			return bad("is too short")
		case f.MaxLength != nil && n > *f.MaxLength, n > maxInputText:
			return bad("is too long")
		}
		out["value"] = text
	case TypeCheckbox:
		on, _ := given.(bool)
		out["value"] = on
	case TypeRadioGroup:
		choice, _ := given.(string)
		if choice == "" {
			if required {
				return bad("is required")
			}
			out["value"] = nil
			return out, nil
		}
		if !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == choice }) {
			return bad("has no such choice")
		}
		out["value"] = choice
	default:
		list := []string{}
		switch v := given.(type) {
		case nil:
			// What the bot chose stays chosen, also where it is not there any more.
			for _, v := range f.DefaultValues {
				list = append(list, v.ID)
			}
			for _, o := range f.Options {
				if o.Default && !fills(f.Type) {
					list = append(list, o.Value)
				}
			}
		case []string:
			list = append(list, v...)
		case string:
			list = append(list, v)
		case []any:
			for _, x := range v {
				list = append(list, fmt.Sprint(x))
			}
		}
		if len(list) == 0 && required {
			return bad("is required")
		}
		if fills(f.Type) {
			ids, err := f.named(list)
			if err != nil {
				return nil, err
			}
			list = ids
		}
		if len(list) > 0 && isSelect(f.Type) {
			if err := f.checkValues(list); err != nil {
				return nil, err
			}
		}
		out["values"] = list
	}
	return out, nil
}
