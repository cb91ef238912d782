package discordsim

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"image"
	_ "image/gif"  // Sizes of pictures.
	_ "image/jpeg" // Sizes of pictures.
	_ "image/png"  // Sizes of pictures.
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// Limits of files, https://discord.com/developers/docs/reference#uploading-files.
const (
	// MaxFileSize is the largest file, in bytes, where nobody pays for more.
	MaxFileSize = 10 << 20
	// maxUpload is the largest request with files.
	maxUpload      = 25 << 20
	maxAttachments = 10
	maxDescription = 1024
	maxFileName    = 1024
	// FileRoom is how many bytes of files are kept for their addresses before
	// the oldest are forgotten.
	FileRoom = 64 << 20
	// linkLife is how long an address says that it is good for. Here it stays
	// good, because what is shown has no way to ask for a fresh one.
	linkLife = 24 * time.Hour
)

// attachment is a file of a message,
// https://discord.com/developers/docs/resources/message#attachment-object.
type attachment struct {
	id, name, title   string
	description, kind string
	url               string
	size              int
	content           *content
	width, height     int
	// embedded files are shown by an embed and not listed beside it.
	embedded bool
}

// content is shared by all that a file is known as, so that it can be
// forgotten in one place.
type content struct{ data []byte }

// file is one file of a request.
type file struct {
	number, name, kind string
	data               []byte
}

// fileSet are the files that came with a request, as attachments to be. A nil
// one is empty.
type fileSet struct {
	list     []*attachment
	byNumber map[string]*attachment
}

// fileSet makes attachments of a request's files. The caller holds the lock.
func (s *Server) fileSet(sent []file, channelID string) (*fileSet, *apiError) {
	if len(sent) > maxAttachments {
		return nil, errTooManyAttachments()
	}
	set := &fileSet{byNumber: map[string]*attachment{}}
	for _, f := range sent {
		if len(f.data) > s.cfg.MaxFileSize {
			return nil, errTooLarge()
		}
		a := &attachment{id: s.newID(), name: fileName(f.name), kind: f.kind, size: len(f.data), content: &content{f.data}}
		if a.kind == "" || a.kind == "application/octet-stream" {
			a.kind = mime.TypeByExtension(path.Ext(a.name))
		}
		if a.kind == "" {
			a.kind = http.DetectContentType(f.data)
		}
		if size, _, err := image.DecodeConfig(bytes.NewReader(f.data)); err == nil {
			a.width, a.height = size.Width, size.Height
		}
		a.url = s.fileURL(channelID, a)
		set.list = append(set.list, a)
		set.byNumber[f.number] = a
	}
	return set, nil
}

// fileURL makes the address of a file with the parameters that sign it,
// https://discord.com/developers/docs/reference#signed-attachment-cdn-urls.
func (s *Server) fileURL(channelID string, a *attachment) string {
	now := s.clock.Now()
	return fmt.Sprintf("%s/attachments/%s/%s/%s?ex=%x&is=%x&hm=%s", s.BaseURL(), channelID, a.id, a.name,
		now.Add(linkLife).Unix(), now.Unix(), strings.ToLower(rand.Text()))
}

// fileName makes a name as Discord stores it.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-", r):
			return r
		case r == ' ':
			return '_'
		}
		return -1
	}, path.Base(strings.ReplaceAll(name, `\`, "/")))
	if strings.Trim(name, ".") == "" {
		return "unknown"
	}
	return name
}

// readAttachments returns what a message will have: of the old ones those
// that are listed, or all where nothing is; and every new file, whether it is
// listed or not.
func readAttachments(at field, body object, old *message, set *fileSet) []*attachment {
	var kept []*attachment
	known := map[string]*attachment{}
	if old != nil {
		for _, a := range old.attachments {
			again := *a
			known[a.id] = &again
			kept = append(kept, &again)
		}
	}
	var fresh map[string]*attachment
	var unlisted []*attachment
	if set != nil {
		fresh, unlisted = set.byNumber, set.list
	}
	if _, given := body["attachments"]; !given {
		return append(kept, unlisted...)
	}
	var out []*attachment
	listed := map[*attachment]bool{}
	for i, v := range at.list(body, "attachments", 0, maxAttachments) {
		f := at.at("attachments").index(i)
		o := f.dict(v)
		id := str(o, "id")
		if n, ok := integer(o["id"]); id == "" && ok {
			id = strconv.Itoa(n)
		}
		a := fresh[id]
		if a == nil {
			a = known[id]
		}
		switch {
		case o["id"] == nil:
			f.at("id").required()
			continue
		case a == nil || listed[a]:
			f.add("ATTACHMENT_NOT_FOUND", "Attachment data not found")
			continue
		}
		if name := f.text(o, "filename", 0, maxFileName); name != "" && fresh[id] == a {
			// The address holds the name.
			next := fileName(name)
			a.url = strings.Replace(a.url, "/"+a.name+"?", "/"+next+"?", 1)
			a.name = next
		}
		if d := f.text(o, "description", 0, maxDescription); d != "" || o["description"] != nil {
			a.description = d
		}
		if title := f.text(o, "title", 0, maxFileName); title != "" {
			a.title = title
		}
		listed[a] = true
		out = append(out, a)
	}
	for _, a := range unlisted {
		if !listed[a] {
			out = append(out, a)
		}
	}
	return out
}

// references are the files of a message by the name after attachment://.
type references map[string]*attachment

func referable(list []*attachment) references {
	out := references{}
	for _, a := range list {
		out[a.name] = a
	}
	return out
}

// find returns the file that an address refers to; isRef says that it is such
// an address, whether there is the file or not.
func (r references) find(address string) (a *attachment, isRef bool) {
	name, isRef := strings.CutPrefix(address, "attachment://")
	return r[name], isRef
}

// media is the file as components show it.
func (a *attachment) media(id string) object {
	out := object{
		"id": id, "url": a.url, "proxy_url": a.url, "width": nil, "height": nil, "content_type": a.kind, "attachment_id": a.id,
	}
	if a.width > 0 {
		out["width"], out["height"] = a.width, a.height
	}
	return out
}

// listed is the file as a message lists it.
func (a *attachment) listed(ephemeral bool) object {
	out := object{
		"id": a.id, "filename": a.name, "size": a.size, "url": a.url, "proxy_url": a.url, "content_type": a.kind,
	}
	if a.width > 0 {
		out["width"], out["height"] = a.width, a.height
	}
	if a.description != "" {
		out["description"] = a.description
	}
	if a.title != "" {
		out["title"] = a.title
	}
	if ephemeral {
		out["ephemeral"] = true
	}
	return out
}

// attachmentObjects lists the files that stand beside what a message says.
func (m *message) attachmentObjects() []any {
	out := []any{}
	for _, a := range m.attachments {
		if !a.embedded {
			out = append(out, a.listed(m.onlyFor != ""))
		}
	}
	return out
}

// keepFiles makes the files of a message available at their addresses. The
// caller holds the lock.
func (s *Server) keepFiles(m *message) {
	for _, a := range m.attachments {
		if _, there := s.files[a.id]; there {
			continue
		}
		s.files[a.id] = a
		s.fileOrder = append(s.fileOrder, a.id)
		s.fileBytes += a.size
	}
	for s.fileBytes > s.cfg.FileRoom {
		oldest := s.fileOrder[0]
		s.fileBytes -= s.files[oldest].size
		s.files[oldest].content.data = nil
		delete(s.files, oldest)
		s.fileOrder = s.fileOrder[1:]
	}
}

// serveFile shows a file to whoever has its whole address; at Discord that is
// another host, without tokens or limits.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/") // "", attachments, channel, id, name.
	var a *attachment
	var data []byte
	if len(parts) == 5 {
		s.mu.Lock()
		if a = s.files[parts[3]]; a != nil {
			data = a.content.data
		}
		s.mu.Unlock()
	}
	if a == nil || s.BaseURL()+r.URL.RequestURI() != a.url {
		http.Error(w, "This content is no longer available.", http.StatusNotFound)
		return
	}
	// Only pictures may be shown in a page: anything else is for saving.
	kind := a.kind
	if !strings.HasPrefix(kind, "image/") || strings.HasPrefix(kind, "image/svg") {
		kind = "application/octet-stream"
		w.Header().Set("Content-Disposition", `attachment; filename="`+a.name+`"`)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	// The client may be gone; there is nobody to tell.
	_, _ = w.Write(data)
}
