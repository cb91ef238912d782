package discordsim

import (
	"slices"
	"strings"
)

// Picture is a picture that a message shows.
type Picture struct {
	// Alt is what those hear who do not see it; of an embed, its title.
	Alt string
	// URL is its address; see [Server.FileData] for one that was uploaded.
	URL string
}

// Pictures lists the pictures of the message: those of its embeds and
// components, and, where components do not show the files, those beside it.
func (m Message) Pictures() []Picture {
	var out []Picture
	for _, e := range m.Embeds {
		for _, p := range []*Media{e.Image, e.Thumbnail} {
			if p != nil {
				out = append(out, Picture{Alt: e.Title, URL: p.URL})
			}
		}
	}
	for _, c := range flatten(m.Components) {
		if c.Type == TypeThumbnail && c.Media != nil {
			out = append(out, Picture{Alt: c.Description, URL: c.Media.URL})
		}
		for _, i := range c.Items {
			out = append(out, Picture{Alt: i.Description, URL: i.Media.URL})
		}
	}
	if m.Flags&FlagComponentsV2 != 0 {
		return out
	}
	for _, a := range m.Attachments {
		if strings.HasPrefix(a.ContentType, "image/") {
			alt := a.Description
			if alt == "" {
				alt = a.Filename
			}
			out = append(out, Picture{Alt: alt, URL: a.URL})
		}
	}
	return out
}

// FileData returns the content of a file that was uploaded, by its address.
func (s *Server) FileData(address string) (data []byte, known bool) {
	path, ok := strings.CutPrefix(address, s.BaseURL()+"/attachments/")
	parts := strings.Split(path, "/") // channel, id, name.
	if !ok || len(parts) != 3 {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.files[parts[1]]
	if a == nil || a.url != address {
		return nil, false
	}
	return slices.Clone(a.content.data), true
}
