package discord

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/textproto"

	"github.com/laurelbot/laurel/core/chat"
)

// attachment is a file of a message. It stands under its number in the body
// (https://discord.com/developers/docs/reference#uploading-files).
type attachment struct {
	// ID is the file's number, as text.
	ID          string `json:"id"`
	Filename    string `json:"filename"`
	Description string `json:"description,omitempty"`
}

// attachmentScheme begins the address by which a component shows a file of its
// own message.
const attachmentScheme = "attachment://"

// usablePicture reports whether Discord would take the picture: it refuses a
// whole message for one that it does not.
func usablePicture(p *chat.Picture) bool {
	return p != nil && len(p.PNG) > 0 && len(p.PNG) <= maxPicture && fileNames.MatchString(p.Name)
}

// gallery shows an attached picture
// (https://discord.com/developers/docs/components/reference#media-gallery).
func gallery(p chat.Picture) Component {
	return Component{Type: typeMediaGallery, Items: []GalleryItem{{
		Media: Media{URL: attachmentScheme + p.Name}, Description: shorten(visible(p.Alt), maxAlt),
	}}}
}

// cardMessage is a message of the bot's own that shows a card with its
// picture. An edit with one takes the place of what was attached before.
func cardMessage(c chat.Card) message {
	m := newMessage(render(c, true), 0)
	if usablePicture(c.Picture) {
		m.picture = c.Picture
		m.Attachments = []attachment{{ID: "0", Filename: c.Picture.Name, Description: shorten(visible(c.Picture.Alt), maxAlt)}}
	}
	return m
}

// encode makes the body of a call and says of what type it is: JSON, or for a
// message with a picture the form that holds both.
func encode(in any) (contentType string, body []byte, err error) {
	data, err := json.Marshal(in)
	if err != nil {
		return "", nil, fmt.Errorf("encode request: %w", err)
	}
	m, ok := in.(message)
	if !ok || m.picture == nil {
		return "application/json", data, nil
	}
	var out bytes.Buffer
	form := multipart.NewWriter(&out)
	for _, part := range []struct {
		disposition, contentType string
		data                     []byte
	}{
		{`form-data; name="payload_json"`, "application/json", data},
		{`form-data; name="files[0]"; filename="` + m.picture.Name + `"`, "image/png", m.picture.PNG},
	} {
		w, err := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {part.disposition}, "Content-Type": {part.contentType},
		})
		if err != nil {
			return "", nil, fmt.Errorf("encode request: %w", err)
		}
		if _, err := w.Write(part.data); err != nil {
			return "", nil, fmt.Errorf("encode request: %w", err)
		}
	}
	if err := form.Close(); err != nil {
		return "", nil, fmt.Errorf("encode request: %w", err)
	}
	return form.FormDataContentType(), out.Bytes(), nil
}
