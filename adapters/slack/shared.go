package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	slackapi "github.com/slack-go/slack"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// verifyShortcut is the callback id of the message shortcut in the manifest.
const verifyShortcut = "verify"

const (
	// maxShared is how many links, and how many files, of one message are
	// looked at.
	maxShared = 10
	// maxDepth is how deep blocks are searched for links.
	maxDepth = 12
	// maxFileURL bounds what is taken for the address of a file.
	maxFileURL = 4000
	// maxFileName is how much of a file's name is kept, in characters.
	maxFileName = 200
)

// apiHost is Slack's own host beside [filesHost]. The token goes nowhere else.
const apiHost = "slack.com"

// filePath begins the path of every file that Slack keeps. A remote file has
// the address that whoever added it named, which may be a method of the API:
// methods take the token with a GET as well
// (https://docs.slack.dev/reference/methods/files.remote.info,
// https://docs.slack.dev/apis/web-api/#basics).
const filePath = "/files-pri/"

// sharedMessage is the message that a shortcut was chosen on. Its parts may
// have any shape: people and other apps wrote it.
type sharedMessage struct {
	Message struct {
		Text        any   `json:"text"`
		Blocks      any   `json:"blocks"`
		Attachments any   `json:"attachments"`
		Files       []any `json:"files"`
	} `json:"message"`
}

// decodeMessageShortcut reads a message shortcut. What is answered is a new
// message that only the person sees: the chosen one is somebody else's.
// https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
func (a *Adapter) decodeMessageShortcut(p *payload, data []byte) (interaction, error) {
	who, err := p.actor()
	if err != nil {
		return interaction{}, err
	}
	if p.CallbackID != verifyShortcut {
		return interaction{kind: kindPress, silent: "unknown"}, nil
	}
	o := origin{URL: p.ResponseURL, Channel: p.Channel.value(), Tenant: who.id.Tenant, User: who.id.User}
	if !validID(p.TriggerID) || !optionalID(o.Channel) {
		return interaction{}, errMissingID
	}
	if err := a.stampURL(&o); err != nil {
		return interaction{}, err
	}
	var chosen sharedMessage
	// What of it cannot be read is as good as not there.
	_ = json.Unmarshal(data, &chosen)
	in := interaction{kind: kindPress, trigger: p.TriggerID, origin: o}
	in.action = a.newAction(who, o, p.TriggerID, chat.SourcePress, chat.VerbVerify, "")
	in.action.Links, in.action.Files = chosen.links(), chosen.files(who.id.Tenant)
	return in, nil
}

// markedLink is a link in Slack's markup: in angle brackets, perhaps with a
// label; mentions and dates begin with a sign
// (https://docs.slack.dev/messaging/formatting-message-text#linking-urls).
var markedLink = regexp.MustCompile(`<(https?://[^<>|\s]+)(?:\|[^<>]*)?>`)

// links are the addresses that the message leads to, in the order in which
// they stand there. Pictures are none.
func (m *sharedMessage) links() []string {
	var found []string
	add := func(link string) {
		link = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(link)
		if len(found) < maxShared && len(link) <= maxFileURL && cleanText(link) && isWebURL(link) && !strings.HasPrefix(link, "mailto:") {
			found = append(found, link)
		}
	}
	marked := func(text string) {
		for _, m := range markedLink.FindAllStringSubmatch(text, maxShared) {
			add(m[1])
		}
	}
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		if depth > maxDepth || len(found) == maxShared {
			return
		}
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one, depth+1)
			}
		case map[string]any:
			if text, ok := v["text"].(string); ok {
				marked(text)
			}
			for _, name := range []string{"url", "title_link", "from_url", "original_url"} {
				if link, ok := v[name].(string); ok {
					add(link)
				}
			}
			// In the order in which people read them.
			for _, name := range []string{"text", "fields", "elements", "accessory", "blocks", "actions"} {
				walk(v[name], depth+1)
			}
		}
	}
	if text, ok := m.Message.Text.(string); ok {
		marked(text)
	}
	walk(m.Message.Blocks, 0)
	walk(m.Message.Attachments, 0)
	return found
}

// byID begins the ref of a file whose address Slack did not tell, as in a
// channel that is shared with another organisation: the tenant and the file's
// id follow
// (https://docs.slack.dev/reference/objects/file-object#slack_connect_files).
const byID = "id:"

// files are those that were shared with the message. One that is gone, or
// that lies elsewhere, is among them: whoever asks is to hear that it cannot
// be opened.
// https://docs.slack.dev/reference/objects/file-object
func (m *sharedMessage) files(tenant string) []chat.FileRef {
	var found []chat.FileRef
	for _, v := range m.Message.Files {
		file, ok := v.(map[string]any)
		if !ok || len(found) == maxShared {
			continue
		}
		link, _ := file["url_private_download"].(string)
		if link == "" {
			link, _ = file["url_private"].(string)
		}
		if !isWebURL(link) {
			link = ""
		}
		if id, _ := file["id"].(string); link == "" && validID(id) {
			link = byID + tenant + ":" + id
		}
		name, _ := file["name"].(string)
		if !cleanText(name) {
			name = ""
		}
		f := chat.FileRef{Name: truncate(name, maxFileName)}
		if size, ok := file["size"].(float64); ok && size > 0 && size < 1<<53 {
			f.Size = int64(size)
		}
		if len(link) <= maxFileURL && cleanText(link) {
			f.Ref = core.Secret(link)
		}
		found = append(found, f)
	}
	return found
}

// allowedFile reports whether the token may go to link: to a file on Slack's
// own hosts, or on the host of the configured API, and nowhere else.
func (a *Adapter) allowedFile(link string) bool {
	u, err := url.Parse(link)
	if err != nil || u.User != nil || u.Opaque != "" || !strings.HasPrefix(u.Path, filePath) || path.Clean(u.Path) != u.Path {
		return false
	}
	if u.Scheme == "https" && (u.Host == filesHost || u.Host == apiHost) {
		return true
	}
	return u.Scheme == a.apiURL.Scheme && u.Host == a.apiURL.Host
}

var _ chat.Files = (*Adapter)(nil)

// File implements [chat.Files]: it downloads a file that was shared with a
// message, with the bot's token
// (https://docs.slack.dev/reference/objects/file-object#authentication).
func (a *Adapter) File(ctx context.Context, f chat.FileRef) ([]byte, error) {
	link := f.Ref.Reveal()
	if id, ok := strings.CutPrefix(link, byID); ok {
		var err error
		if link, err = a.fileAddress(ctx, id); err != nil {
			return nil, err
		}
	}
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
	req.Header.Set("Authorization", "Bearer "+a.token.Reveal())
	resp, err := a.downloads.Do(req)
	if err != nil {
		return nil, fileError(ctx)
	}
	defer resp.Body.Close()
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= http.StatusInternalServerError:
		return nil, fmt.Errorf("read shared file: status %d", resp.StatusCode)
	case resp.StatusCode != http.StatusOK, kind == "text/html":
		// Whoever may not see a file is sent to a page to sign in at.
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

// fileAddress asks Slack where a file lies
// (https://docs.slack.dev/reference/methods/files.info).
func (a *Adapter) fileAddress(ctx context.Context, ref string) (string, error) {
	tenant, id, _ := strings.Cut(ref, ":")
	file, _, _, err := a.api.GetFileInfoContext(withScope(ctx, tenant, ""), id, 1, 1)
	var refused slackapi.SlackErrorResponse
	switch {
	case errors.As(err, &refused):
		return "", chat.ErrNoFile
	case err != nil:
		return "", fileError(ctx)
	case file.URLPrivateDownload != "":
		return file.URLPrivateDownload, nil
	default:
		return file.URLPrivate, nil
	}
}

// fileError says why a file did not come. The client's own error quotes its
// address.
func fileError(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("read shared file: %w", err)
	}
	return errors.New("read shared file: it did not come")
}
