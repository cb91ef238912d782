package slacksim

import (
	"bytes"
	"image"
	_ "image/gif"  // Sizes of pictures.
	_ "image/jpeg" // Sizes of pictures.
	_ "image/png"  // Sizes of pictures.
	"maps"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// Bounds of files. Slack takes 1 GB in one; the simulation is smaller, and
// refuses with Slack's words. https://docs.slack.dev/messaging/working-with-files/
const (
	// FileMax is the largest file, in bytes.
	FileMax = 8 << 20
	// fileRoom is what all files may hold together, in bytes.
	fileRoom = 64 << 20
	// uploadLife is how long an upload that is announced keeps its room.
	uploadLife = time.Hour
	// altTextMax is the longest description of a picture, in characters.
	altTextMax = 1000
)

// File is an uploaded file as people see it.
type File struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Title    string `json:"title"`
	Mimetype string `json:"mimetype"`
	Size     int    `json:"size"`
	// AltText describes a picture to those who do not see it.
	AltText string `json:"alt_text,omitempty"`
	// Deleted marks what is left of a file in a message.
	Deleted bool `json:"deleted,omitempty"`
}

// file is an upload on its way from its address to a channel.
type file struct {
	File
	snippet string
	secret  string // of the upload address; empty once it is completed.
	data    []byte
	sent    bool
	user    string
	created time.Time
	// shares are the messages that carry it.
	shares []*Message
}

// picture tells whether image blocks can show it.
// https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object/
func (f *file) picture() bool {
	return slices.Contains([]string{"image/png", "image/jpeg", "image/gif"}, f.Mimetype)
}

// ready tells whether the upload is complete and the file still there.
func (f *file) ready() bool { return f != nil && f.secret == "" && !f.Deleted }

// mimetype looks at the content first: a name proves nothing.
func mimetype(name string, data []byte) string {
	sniffed, _, _ := strings.Cut(http.DetectContentType(data), ";")
	if sniffed == "application/octet-stream" || sniffed == "text/plain" || sniffed == "text/xml" {
		if byName, _, err := mime.ParseMediaType(mime.TypeByExtension(path.Ext(name))); err == nil {
			return byName
		}
	}
	return sniffed
}

// newFile registers an upload that is asked for; s.mu is held.
func (s *Server) newFile(f file) *file {
	f.ID, f.user, f.created = s.nextID("F"), s.cfg.BotUserID, s.clock.Now()
	s.files[f.ID] = &f
	return &f
}

// AddFile adds a complete file of the bot's that no channel has, as if it had
// been uploaded before, and returns its id.
func (s *Server) AddFile(name, title string, data []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.newFile(file{File: File{Name: name, Title: title, Size: len(data), Mimetype: mimetype(name, data)}, sent: true})
	f.data = slices.Clone(data)
	s.bump()
	return f.ID
}

// FileData returns the content of a complete file.
func (s *Server) FileData(id string) (data []byte, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[id]
	if !f.ready() {
		return nil, false
	}
	return slices.Clone(f.data), true
}

// held is how many bytes all files take, those included that were announced;
// uploads that were not completed in time are forgotten.
func (s *Server) held() int {
	now := s.clock.Now()
	maps.DeleteFunc(s.files, func(_ string, f *file) bool { return f.secret != "" && now.Sub(f.created) > uploadLife })
	sum := 0
	for _, f := range s.files {
		if !f.Deleted {
			sum += f.Size
		}
	}
	return sum
}

// apiFile renders a file.
// https://docs.slack.dev/reference/objects/file-object/
func (s *Server) apiFile(f *file) map[string]any {
	if f.Deleted {
		return map[string]any{"id": f.ID, "mode": "tombstone"}
	}
	private := s.base + "/files-pri/" + s.cfg.TeamID + "-" + f.ID + "/"
	out := map[string]any{
		"id": f.ID, "created": f.created.Unix(), "timestamp": f.created.Unix(), "name": f.Name, "title": f.Title,
		"mimetype": f.Mimetype, "filetype": strings.TrimPrefix(path.Ext(f.Name), "."),
		"pretty_type": strings.ToUpper(strings.TrimPrefix(path.Ext(f.Name), ".")), "user": f.user, "user_team": s.cfg.TeamID,
		"editable": false, "size": f.Size, "mode": "hosted", "is_external": false, "external_type": "",
		"public_url_shared": false, "display_as_bot": false, "username": "", "file_access": "visible", "has_rich_preview": false,
		"url_private": private + pathName(f.Name), "url_private_download": private + "download/" + pathName(f.Name),
		"permalink":      "https://" + s.cfg.TeamDomain + ".slack.com/files/" + f.user + "/" + f.ID + "/" + pathName(f.Name),
		"comments_count": 0,
	}
	if f.snippet != "" {
		out["mode"], out["filetype"], out["editable"] = "snippet", f.snippet, true
	}
	if f.AltText != "" {
		out["alt_txt"] = f.AltText
	}
	if size, _, err := image.DecodeConfig(bytes.NewReader(f.data)); err == nil {
		out["original_w"], out["original_h"] = size.Width, size.Height
	}
	channels, groups, ims := []string{}, []string{}, []string{}
	open, closed := map[string][]any{}, map[string][]any{}
	for _, m := range f.shares {
		c := s.channels[m.Channel]
		if c == nil || m.Deleted {
			continue
		}
		share := map[string]any{
			"ts": m.TS, "channel_name": c.Name, "team_id": s.cfg.TeamID, "share_user_id": f.user,
			"reply_users": []any{}, "reply_users_count": 0, "reply_count": 0,
		}
		if m.ThreadTS != "" {
			share["thread_ts"] = m.ThreadTS
		}
		switch {
		case c.IM:
			ims = append(ims, c.ID)
			closed[c.ID] = append(closed[c.ID], share)
		case c.Private:
			groups = append(groups, c.ID)
			closed[c.ID] = append(closed[c.ID], share)
		default:
			channels = append(channels, c.ID)
			open[c.ID] = append(open[c.ID], share)
		}
	}
	shares := map[string]any{}
	if len(open) > 0 {
		shares["public"] = open
	}
	if len(closed) > 0 {
		shares["private"] = closed
	}
	out["channels"], out["groups"], out["ims"], out["shares"], out["is_public"] = channels, groups, ims, shares, len(open) > 0
	return out
}

// pathName makes a name that can stand in an address.
func pathName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return '_'
		}
	}, name)
}
