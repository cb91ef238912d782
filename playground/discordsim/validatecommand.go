package discordsim

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of commands,
// https://discord.com/developers/docs/interactions/application-commands.
const (
	maxCommands           = 100
	maxMenuCommands       = 15 // of each of the menus of people and messages.
	maxCommandCreates     = 200
	maxCommandName        = 32
	maxCommandDescription = 100
	maxCommandOptions     = 25
	maxCommandChoices     = 25
	maxCommandTotal       = 8000
	maxOptionLength       = 6000
	maxChoiceText         = 100
)

// Command types,
// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-types.
const (
	commandChat    = 1
	commandMessage = 3
)

// Option types used by name here.
const (
	optionSubcommand = 1
	optionGroup      = 2
	optionString     = 3
	optionInteger    = 4
	optionBoolean    = 5
	optionNumber     = 10
	optionAttachment = 11
)

// commandLetters are those that names of chat commands and options may have.
var commandLetters = regexp.MustCompile(`^[-_'\x{02BC}\p{L}\p{N}\p{Devanagari}\p{Thai}]+$`)

// locales are the keys of localizations,
// https://discord.com/developers/docs/reference#locales.
var locales = []string{
	"id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR",
	"ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko", "he", "ar",
}

// readCommand checks one chat command and returns it as the API shows it,
// without id and version.
func readCommand(at field, v any) object {
	in := at.dict(v)
	out := object{"default_member_permissions": nil, "nsfw": at.flag(in, "nsfw"), "type": 1, "integration_types": []any{0}, "contexts": nil}
	if n, ok := at.number(in, "type", 1, 3); ok {
		out["type"] = n
	}
	total := 0
	if num(out, "type") == 1 {
		readNames(at, in, out, &total)
		out["options"] = readOptions(at, in, 0, &total)
	} else { // User and message commands have a free name and no description.
		out["name"], out["description"] = at.text(in, "name", 1, maxCommandName), ""
		out["name_localizations"], out["description_localizations"] = readMenuNames(at, in), nil
		if str(in, "description") != "" {
			at.at("description").add("APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_BE_SET", "Context menu commands cannot have a description")
		}
	}
	if v := in["default_member_permissions"]; v != nil {
		out["default_member_permissions"] = at.text(in, "default_member_permissions", 0, 32)
	}
	if v := in["dm_permission"]; v != nil {
		out["dm_permission"] = at.flag(in, "dm_permission")
	}
	for key, hi := range map[string]int{"contexts": 2, "integration_types": 1} {
		if in[key] == nil {
			continue
		}
		list := []any{}
		for i, v := range at.list(in, key, 0, 3) {
			n, ok := integer(v)
			if !ok || n < 0 || n > hi {
				at.at(key).index(i).choices(fmt.Sprintf("0..%d", hi))
				continue
			}
			list = append(list, n)
		}
		out[key] = list
	}
	if total > maxCommandTotal {
		at.add("APPLICATION_COMMAND_TOO_LARGE", fmt.Sprintf("Command exceeds maximum size (%d)", maxCommandTotal))
	}
	return out
}

// readNames checks name and description with their localizations; of all
// languages the longest counts towards the total.
func readNames(at field, in, out object, total *int) {
	name := at.text(in, "name", 1, maxCommandName)
	checkName(at.at("name"), name)
	out["name"] = name
	out["description"] = at.text(in, "description", 1, maxCommandDescription)
	for _, part := range []struct {
		key, localized string
		hi             int
	}{{"name", "name_localizations", maxCommandName}, {"description", "description_localizations", maxCommandDescription}} {
		longest := utf8.RuneCountInString(str(out, part.key))
		out[part.localized] = nil
		if v := in[part.localized]; v != nil {
			f := at.at(part.localized)
			to := object{}
			for locale := range f.dict(v) {
				if !slices.Contains(locales, locale) {
					f.at(locale).add("DICT_TYPE_CHOICES", "Key must be one of "+strings.Join(locales, ", ")+".")
					continue
				}
				s := f.text(f.dict(v), locale, 1, part.hi)
				if part.key == "name" {
					checkName(f.at(locale), s)
				}
				to[locale] = s
				longest = max(longest, utf8.RuneCountInString(s))
			}
			out[part.localized] = to
		}
		*total += longest
	}
}

// readMenuNames checks the localised names of a command in a menu, which may be
// any words.
func readMenuNames(at field, in object) any {
	if in["name_localizations"] == nil {
		return nil
	}
	f := at.at("name_localizations")
	to := object{}
	for locale := range f.dict(in["name_localizations"]) {
		if !slices.Contains(locales, locale) {
			f.at(locale).add("DICT_TYPE_CHOICES", "Key must be one of "+strings.Join(locales, ", ")+".")
			continue
		}
		to[locale] = f.text(f.dict(in["name_localizations"]), locale, 1, maxCommandName)
	}
	return to
}

func checkName(at field, name string) {
	if name != "" && utf8.RuneCountInString(name) <= maxCommandName && (!commandLetters.MatchString(name) || strings.ToLower(name) != name) {
		at.add("APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
	}
}

func readOptions(at field, in object, depth int, total *int) []any {
	out := []any{}
	names := map[string]bool{}
	optional, subs, plain := false, 0, 0
	for i, v := range at.list(in, "options", 0, maxCommandOptions) {
		f := at.at("options").index(i)
		o, to := f.dict(v), object{}
		kind, ok := f.number(o, "type", 1, optionAttachment)
		if !ok {
			f.at("type").required()
			continue
		}
		to["type"] = kind
		readNames(f, o, to, total)
		if names[str(to, "name")] {
			f.at("name").add("APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name has already been used")
		}
		names[str(to, "name")] = true
		if kind == optionSubcommand || kind == optionGroup {
			subs++
			if depth > 1 || depth == 1 && (kind == optionGroup || num(in, "type") == optionSubcommand) {
				f.at("type").add("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-commands and sub-command groups are only allowed one level deep")
			}
			to["options"] = readOptions(f, o, depth+1, total)
			out = append(out, to)
			continue
		}
		plain++
		if f.flag(o, "required") {
			to["required"] = true
			if optional {
				f.add("APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed before non-required options")
			}
		} else {
			optional = true
		}
		readOptionRules(f, o, to, kind, total)
		out = append(out, to)
	}
	if subs > 0 && plain > 0 {
		at.at("options").add("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command and sub-command group option types are mutually exclusive to all other types")
	}
	return out
}

// readOptionRules checks choices, autocomplete and the limits of values.
func readOptionRules(f field, o, to object, kind int, total *int) {
	open := kind == optionString || kind == optionInteger || kind == optionNumber
	if v := o["choices"]; v != nil {
		list := []any{}
		for i, v := range f.list(o, "choices", 0, maxCommandChoices) {
			c, n := readChoice(f.at("choices").index(i), v, kind)
			list = append(list, c)
			*total += n
		}
		if len(list) > 0 {
			to["choices"] = list
		}
	}
	if f.flag(o, "autocomplete") {
		to["autocomplete"] = true
		if to["choices"] != nil || !open {
			f.at("autocomplete").add("APPLICATION_COMMAND_OPTIONS_CHOICES_AND_AUTOCOMPLETE", "Autocomplete is for options of text or numbers without choices")
		}
	}
	if kind == optionString {
		for key, lo := range map[string]int{"min_length": 0, "max_length": 1} {
			if n, ok := f.number(o, key, lo, maxOptionLength); ok {
				to[key] = n
			}
		}
	}
	if kind == optionInteger || kind == optionNumber {
		for _, key := range []string{"min_value", "max_value"} {
			if o[key] != nil {
				to[key] = o[key]
			}
		}
	}
	if kind == 7 && o["channel_types"] != nil {
		to["channel_types"] = o["channel_types"]
	}
}

// readChoice checks a choice of an option or of an autocomplete answer; the
// value is text for kind 3, else a number.
func readChoice(f field, v any, kind int) (object, int) {
	in := f.dict(v)
	out := object{"name": f.text(in, "name", 1, maxChoiceText), "name_localizations": nil}
	size := utf8.RuneCountInString(str(out, "name"))
	if in["name_localizations"] != nil {
		at := f.at("name_localizations")
		names := object{}
		for locale := range at.dict(in["name_localizations"]) {
			if !slices.Contains(locales, locale) {
				at.at(locale).add("DICT_TYPE_CHOICES", "Key must be one of "+strings.Join(locales, ", ")+".")
			}
			names[locale] = at.text(at.dict(in["name_localizations"]), locale, 1, maxChoiceText)
		}
		out["name_localizations"] = names
	}
	if kind == optionString {
		out["value"] = f.text(in, "value", 1, maxChoiceText)
		return out, size + utf8.RuneCountInString(str(out, "value"))
	}
	n, ok := in["value"].(json.Number)
	if !ok {
		f.at("value").add("NUMBER_TYPE_COERCE", "Value is not a number.")
	}
	if _, whole := integer(n); ok && kind == optionInteger && !whole {
		f.at("value").add("NUMBER_TYPE_COERCE", "Value is not int.")
	}
	out["value"] = n
	return out, size + len(n)
}
