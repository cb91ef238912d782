package fetch

import (
	"bytes"
	"context"
	"io"
)

// MaxPictureBytes is the largest picture that [Client.Picture] accepts.
const MaxPictureBytes = 10 << 20

// kinds are the pictures that chat platforms and mail clients show alike, by
// how their files begin.
var kinds = []struct {
	mediaType string
	begin     []byte
}{
	{"image/png", []byte("\x89PNG\r\n\x1a\n")},
	{"image/jpeg", []byte("\xff\xd8\xff")},
	{"image/gif", []byte("GIF87a")},
	{"image/gif", []byte("GIF89a")},
}

// pictureType returns the media type of a PNG, JPEG or GIF by its first
// bytes, or "". What a server declares is not asked.
func pictureType(begin []byte) string {
	for _, k := range kinds {
		if bytes.HasPrefix(begin, k.begin) {
			return k.mediaType
		}
	}
	return ""
}

// Picture makes sure that an address holds a PNG, JPEG or GIF of at most
// [MaxPictureBytes]. Errors are those of Get, [ErrNotPicture], and a
// [StatusError] where the server refuses.
func (c *Client) Picture(ctx context.Context, address string) error {
	return c.stream(ctx, address, MaxPictureBytes, []string{"image/png", "image/jpeg", "image/gif"},
		func(head Response, body io.Reader) error {
			if !head.OK() {
				return &StatusError{Status: head.Status}
			}
			begin := make([]byte, 8)
			n, err := io.ReadFull(body, begin)
			if err != nil && n == 0 {
				return ErrNotPicture
			}
			if pictureType(begin[:n]) == "" {
				return ErrNotPicture
			}
			// To its end: only then its size is known. Nothing is kept.
			_, err = io.Copy(io.Discard, body)
			return err
		})
}
