package discordsim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"
	"unicode/utf8"
)

// Limits of messages, https://discord.com/developers/docs/resources/message
// and https://discord.com/developers/docs/resources/message#embed-object-embed-limits.
const (
	maxContent          = 2000
	maxEmbeds           = 10
	maxEmbedTotal       = 6000
	maxEmbedTitle       = 256
	maxEmbedDescription = 4096
	maxEmbedFields      = 25
	maxFieldName        = 256
	maxFieldValue       = 1024
	maxFooter           = 2048
	maxAuthor           = 256
	maxNonce            = 25
	maxURL              = 2048
)

// messageInput is a valid request to create or edit a message. The has fields
// say what was given; a null given clears.
type messageInput struct {
	content       string
	embeds        []any
	components    []any
	flags         int
	attachments   []*attachment // all that the message will have.
	hasContent    bool
	hasEmbeds     bool
	hasComponents bool
	hasFlags      bool
	nonce         any
	enforceNonce  bool
}

// readMessage checks a request that creates (old is nil) or edits a message.
// at is the place of the message in the request, files came beside it.
func readMessage(at field, body object, old *message, files *fileSet) (*messageInput, *apiError) {
	in := &messageInput{}
	_, in.hasContent = body["content"]
	_, in.hasEmbeds = body["embeds"]
	_, in.hasComponents = body["components"]
	in.flags, in.hasFlags = at.number(body, "flags", 0, 1<<31-1)
	in.content = at.text(body, "content", 0, maxContent)
	in.enforceNonce = at.flag(body, "enforce_nonce")
	at.flag(body, "tts")
	in.nonce = readNonce(at, body)
	readAllowedMentions(at.at("allowed_mentions"), body["allowed_mentions"])

	v2 := in.flags&FlagComponentsV2 != 0
	if old != nil && old.flags&FlagComponentsV2 != 0 {
		if in.hasFlags && !v2 {
			at.at("flags").add("MESSAGE_FLAG_COMPONENTS_V2_CANNOT_BE_REMOVED", "The flag IS_COMPONENTS_V2 cannot be removed from a message")
		}
		v2 = true
	}
	in.attachments = readAttachments(at, body, old, files)
	if len(in.attachments) > maxAttachments {
		return nil, errTooManyAttachments()
	}
	refs := referable(in.attachments)
	in.embeds = readEmbeds(at, body, refs)
	in.components = readComponents(at, body, v2, refs)

	// What the message will hold after the edit.
	content, embeds, components := in.content, in.embeds, in.components
	if old != nil {
		if !in.hasContent {
			content = old.content
		}
		if !in.hasEmbeds {
			embeds = old.embeds
		}
		if !in.hasComponents {
			components = old.components
		}
	}
	if v2 {
		legacy := func(name string) {
			at.at(name).add("MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
				"The '"+name+"' field cannot be used when using MessageFlags.IS_COMPONENTS_V2")
		}
		if content != "" {
			legacy("content")
		}
		if len(embeds) > 0 {
			legacy("embeds")
		}
	}
	if err := at.err(); err != nil {
		return nil, err
	}
	if content == "" && len(embeds) == 0 && len(components) == 0 && len(in.attachments) == 0 {
		return nil, errEmptyMessage()
	}
	return in, nil
}

func readNonce(at field, body object) any {
	switch n := body["nonce"].(type) {
	case nil:
		return nil
	case json.Number:
		if _, err := n.Int64(); err != nil {
			at.at("nonce").add("NONCE_TYPE_INVALID", "Nonce must be an integer or a string.")
		}
		return n
	case string:
		if utf8.RuneCountInString(n) > maxNonce {
			at.at("nonce").add("NONCE_TYPE_TOO_LONG", fmt.Sprintf("Nonce must be %d or fewer in length.", maxNonce))
		}
		return n
	}
	at.at("nonce").add("NONCE_TYPE_INVALID", "Nonce must be an integer or a string.")
	return nil
}

// readAllowedMentions checks
// https://discord.com/developers/docs/resources/message#allowed-mentions-object.
func readAllowedMentions(at field, v any) {
	if v == nil {
		return
	}
	o := at.dict(v)
	parsed := map[string]bool{}
	for i, p := range at.list(o, "parse", 0, 3) {
		kind, _ := p.(string)
		if kind != "roles" && kind != "users" && kind != "everyone" {
			at.at("parse").index(i).choices("'roles', 'users', 'everyone'")
		}
		parsed[kind] = true
	}
	for _, key := range []string{"users", "roles"} {
		if len(at.list(o, key, 0, 100)) > 0 && parsed[key] {
			at.add("MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
				fmt.Sprintf("parse:[\"%s\"] and %s: [ids...] are mutually exclusive.", key, key))
		}
	}
}

// readEmbeds checks the embeds and returns them as the API shows them.
func readEmbeds(at field, body object, refs references) []any {
	total := 0
	var out []any
	for i, v := range at.list(body, "embeds", 0, maxEmbeds) {
		e, n := readEmbed(at.at("embeds").index(i), v, refs)
		out = append(out, e)
		total += n
	}
	if total > maxEmbedTotal {
		at.at("embeds").add("MAX_EMBED_SIZE_EXCEEDED", fmt.Sprintf("Embed size exceeds maximum size of %d", maxEmbedTotal))
	}
	return out
}

func readEmbed(at field, v any, refs references) (object, int) {
	in, out, total := at.dict(v), object{"type": "rich"}, 0
	text := func(f field, o object, to object, key string, lo, hi int) {
		s := f.text(o, key, lo, hi)
		total += utf8.RuneCountInString(s)
		if s != "" {
			to[key] = s
		}
	}
	link := func(f field, o object, to object, key string, required bool) {
		lo := 0
		if required {
			lo = 1
		}
		s := f.text(o, key, lo, maxURL)
		if s == "" {
			return
		}
		checkURL(f.at(key), s, "http", "https", "attachment")
		to[key] = s
		if a, _ := refs.find(s); a != nil {
			a.embedded = true
			to[key] = a.url
			if required && a.width > 0 { // A picture, not an icon.
				to["proxy_url"], to["width"], to["height"] = a.url, a.width, a.height
			}
		}
	}
	text(at, in, out, "title", 0, maxEmbedTitle)
	text(at, in, out, "description", 0, maxEmbedDescription)
	link(at, in, out, "url", false)
	if n, ok := at.number(in, "color", 0, 0xFFFFFF); ok {
		out["color"] = n
	}
	if ts := at.text(in, "timestamp", 0, 64); ts != "" {
		t, err := time.Parse(time.RFC3339Nano, ts)
		if err != nil {
			at.at("timestamp").add("DATE_TIME_TYPE_PARSE", "Could not parse "+ts+". Should be ISO8601.")
		}
		out["timestamp"] = stamp(t)
	}
	if v := in["footer"]; v != nil {
		f, o, to := at.at("footer"), at.at("footer").dict(v), object{}
		text(f, o, to, "text", 1, maxFooter)
		link(f, o, to, "icon_url", false)
		out["footer"] = to
	}
	if v := in["author"]; v != nil {
		f, o, to := at.at("author"), at.at("author").dict(v), object{}
		text(f, o, to, "name", 1, maxAuthor)
		link(f, o, to, "url", false)
		link(f, o, to, "icon_url", false)
		out["author"] = to
	}
	for _, key := range []string{"image", "thumbnail"} {
		if v := in[key]; v != nil {
			f, o, to := at.at(key), at.at(key).dict(v), object{}
			link(f, o, to, "url", true)
			out[key] = to
		}
	}
	fields := []any{}
	for i, v := range at.list(in, "fields", 0, maxEmbedFields) {
		f := at.at("fields").index(i)
		o, to := f.dict(v), object{}
		text(f, o, to, "name", 1, maxFieldName)
		text(f, o, to, "value", 1, maxFieldValue)
		to["inline"] = f.flag(o, "inline")
		fields = append(fields, to)
	}
	if len(fields) > 0 {
		out["fields"] = fields
	}
	if len(out) == 1 {
		at.at("description").required()
	}
	return out, total
}

// checkURL notes an error when a URL is not absolute with one of the schemes.
func checkURL(at field, raw string, schemes ...string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" && u.Scheme != "discord" {
		at.add("URL_TYPE_INVALID_URL", "Not a well formed URL.")
		return
	}
	for _, s := range schemes {
		if u.Scheme == s {
			return
		}
	}
	at.add("URL_TYPE_INVALID_SCHEME", fmt.Sprintf("Scheme %q is not supported. Scheme must be one of %q.", u.Scheme, schemes))
}
