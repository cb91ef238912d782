package slacksim

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Picture is a picture that a message or view shows.
type Picture struct {
	// Alt is what those hear who do not see it.
	Alt string
	// FileID names an uploaded file, see [Server.FileData]; URL is the address
	// of any other.
	FileID, URL string
}

// privateFile finds the id of a file in its private address.
var privateFile = regexp.MustCompile(`-(F\w+)/`)

// Pictures lists the pictures of the message: those of its blocks, and files
// that were shared with it.
func (m Message) Pictures() []Picture {
	out := append(pictures(m.Blocks), pictures(m.Attachments)...)
	for _, f := range m.Files {
		if !f.Deleted && strings.HasPrefix(f.Mimetype, "image/") {
			alt := f.AltText
			if alt == "" {
				alt = f.Title
			}
			out = append(out, Picture{Alt: alt, FileID: f.ID})
		}
	}
	return out
}

// Pictures lists the pictures of the view.
func (v View) Pictures() []Picture { return pictures(v.Blocks) }

func pictures(raw json.RawMessage) []Picture {
	var out []Picture
	walk(decode(raw), func(_, m map[string]any) {
		if str(m, "type") != "image" {
			return
		}
		p := Picture{Alt: str(m, "alt_text"), URL: str(m, "image_url")}
		if file, ok := m["slack_file"].(map[string]any); ok {
			p.FileID, p.URL = str(file, "id"), str(file, "url")
			if id := privateFile.FindStringSubmatch(p.URL); id != nil {
				p.FileID, p.URL = id[1], ""
			}
		}
		out = append(out, p)
	})
	return out
}
