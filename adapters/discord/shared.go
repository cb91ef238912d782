package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

const (
	// maxShared is how many links, and how many files, of one message are
	// looked at.
	maxShared = 10
	// maxDepth is how deep components are searched for links.
	maxDepth = 8
	// maxLinkText is the longest text that is taken for a link.
	maxLinkText = 4000
	// maxFileName is how much of a file's name is kept, in characters.
	maxFileName = 200
)

// fileHosts are where Discord keeps files that people send
// (https://discord.com/developers/docs/reference#signed-attachment-cdn-urls).
var fileHosts = []string{"cdn.discordapp.com", "media.discordapp.net"}

// filePaths begin the paths of those files.
var filePaths = []string{"/attachments/", "/ephemeral-attachments/"}

// resolved is what Discord tells of the messages and files that a command
// names (https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-resolved-data-structure).
// Its parts may have any shape: people and other apps wrote the messages.
type resolved struct {
	Messages    map[string]any `json:"messages"`
	Attachments map[string]any `json:"attachments"`
}

// resolved reads what of it can be read; what cannot is as good as not there.
func (in *interaction) resolved() resolved {
	var r resolved
	_ = json.Unmarshal(in.Data.Resolved, &r)
	return r
}

// readShared adds links and files of what the command is about: the message
// that a message command was chosen on, or an attached file.
func (in *interaction) readShared(act *chat.Action) {
	r := in.resolved()
	if in.Data.Type == commandMessage {
		message, _ := r.Messages[in.Data.TargetID].(map[string]any)
		act.Links, act.Files = linksOf(message), filesOf(message)
		return
	}
	for _, sub := range in.Data.Options {
		for _, o := range sub.Options {
			var id string
			if o.Type != optionAttachment || json.Unmarshal(o.Value, &id) != nil {
				continue
			}
			file, _ := r.Attachments[id].(map[string]any)
			act.Files = append(act.Files, fileOf(file))
		}
	}
}

// forwarded are the messages that a message shows beside its own words
// (https://discord.com/developers/docs/resources/message#message-snapshot-object).
func forwarded(message map[string]any) []map[string]any {
	var found []map[string]any
	list, _ := message["message_snapshots"].([]any)
	for _, v := range list[:min(len(list), maxShared)] {
		snapshot, _ := v.(map[string]any)
		if inner, ok := snapshot["message"].(map[string]any); ok {
			found = append(found, inner)
		}
	}
	return found
}

func filesOf(message map[string]any) []chat.FileRef {
	var found []chat.FileRef
	for _, m := range append([]map[string]any{message}, forwarded(message)...) {
		list, _ := m["attachments"].([]any)
		for _, v := range list {
			if file, ok := v.(map[string]any); ok && len(found) < maxShared {
				found = append(found, fileOf(file))
			}
		}
	}
	return found
}

// fileOf reads an attachment
// (https://discord.com/developers/docs/resources/message#attachment-object).
func fileOf(file map[string]any) chat.FileRef {
	name, _ := file["filename"].(string)
	link, _ := file["url"].(string)
	f := chat.FileRef{Name: shorten(clean(name), maxFileName)}
	if size, ok := file["size"].(float64); ok && size > 0 && size < 1<<53 {
		f.Size = int64(size)
	}
	if len(link) <= maxLinkText {
		f.Ref = core.Secret(link)
	}
	return f
}

// writtenLink is a link within a text: up to a space or a bracket that stands
// around links, as in [name](address).
var writtenLink = regexp.MustCompile(`https?://[^\s<>"\[\]\x00]+`)

// linksIn finds links in a text. Signs that end a sentence or a markup are no
// part of them, nor is a bracket that was opened before them.
func linksIn(text string) []string {
	var found []string
	for _, link := range writtenLink.FindAllString(text, maxShared) {
		for link != "" {
			last := link[len(link)-1]
			if strings.IndexByte(".,;:!?'*_~|`", last) < 0 && (last != ')' || strings.Count(link, "(") >= strings.Count(link, ")")) {
				break
			}
			link = link[:len(link)-1]
		}
		if len(link) <= maxLinkText {
			found = append(found, link)
		}
	}
	return found
}

// linksOf are the addresses that a message leads to, in the order in which
// people read them. Pictures are none.
func linksOf(message map[string]any) []string {
	var found []string
	add := func(links ...string) {
		for _, link := range links {
			if u, err := url.Parse(link); err == nil && linkable(u) && len(found) < maxShared {
				found = append(found, clean(link))
			}
		}
	}
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				if depth < maxDepth {
					walk(one, depth+1)
				}
			}
		case map[string]any:
			for _, name := range []string{"content", "title", "description", "value"} {
				if text, ok := v[name].(string); ok {
					add(linksIn(text)...)
				}
			}
			if link, ok := v["url"].(string); ok && len(link) <= maxLinkText {
				add(link)
			}
			for _, name := range []string{"fields", "components", "accessory", "embeds"} {
				if depth < maxDepth {
					walk(v[name], depth+1)
				}
			}
		}
	}
	for _, m := range append([]map[string]any{message}, forwarded(message)...) {
		walk(map[string]any(m), 0)
	}
	return found
}

// allowedFile reports whether a file may be got from link: from Discord's own
// hosts for that, or from the host of the configured API, and nowhere else.
func (a *Adapter) allowedFile(link string) bool {
	u, err := url.Parse(link)
	if err != nil || u.User != nil || u.Opaque != "" {
		return false
	}
	if !slices.ContainsFunc(filePaths, func(begin string) bool { return strings.HasPrefix(u.Path, begin) }) {
		return false
	}
	if u.Scheme == "https" && slices.Contains(fileHosts, u.Host) {
		return true
	}
	return u.Scheme == a.base.Scheme && u.Host == a.base.Host
}

var _ chat.Files = (*Adapter)(nil)

// File implements [chat.Files]. Its address is signed, and good for a day; no
// token goes there.
func (a *Adapter) File(ctx context.Context, f chat.FileRef) ([]byte, error) {
	link := f.Ref.Reveal()
	if link == "" || !a.allowedFile(link) {
		return nil, chat.ErrNoFile
	}
	if f.Size > core.MaxBadgeFileBytes {
		return nil, chat.ErrFileTooLarge
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, http.NoBody)
	if err != nil {
		return nil, chat.ErrNoFile
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := a.downloads.Do(req)
	if err != nil {
		return nil, fileError(ctx)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= http.StatusInternalServerError:
		return nil, fmt.Errorf("read shared file: status %d", resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, chat.ErrNoFile
	case resp.ContentLength > core.MaxBadgeFileBytes:
		return nil, chat.ErrFileTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, core.MaxBadgeFileBytes+1))
	if err != nil {
		return nil, fileError(ctx)
	}
	if len(data) > core.MaxBadgeFileBytes {
		return nil, chat.ErrFileTooLarge
	}
	return data, nil
}

// fileError says why a file did not come. The client's own error quotes its
// address.
func fileError(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("read shared file: %w", err)
	}
	return errors.New("read shared file: it did not come")
}
