package slacksim

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
)

// uploadPath begins the addresses that files are uploaded to.
const uploadPath = "/upload/v1/"

// uploadMax is the largest upload that is read: a file and the little that a
// form has around it.
const uploadMax = FileMax + 64<<10

// serveUpload takes the bytes of a file, raw or in a form, as often as they
// are sent until the upload is completed.
// https://docs.slack.dev/messaging/working-with-files/#uploading_files
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	data, err := uploaded(r)
	s.serve(w, r, FaultUpload, "", fmt.Sprintf("(%d bytes)", len(data)), func() answer {
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return plainAnswer(http.StatusRequestEntityTooLarge, "file too large")
		case err != nil:
			return plainAnswer(http.StatusBadRequest, "no file in the request")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range s.files {
			if f.secret != r.PathValue("secret") {
				continue
			}
			if len(data) != f.Size {
				return plainAnswer(http.StatusBadRequest, fmt.Sprintf("%d bytes instead of %d", len(data), f.Size))
			}
			f.data, f.sent, f.Mimetype = data, true, mimetype(f.Name, data)
			return plainAnswer(http.StatusOK, fmt.Sprintf("OK - %d", len(data)))
		}
		return plainAnswer(http.StatusNotFound, "no such upload")
	})
}

// uploaded reads a body: the first file of a form, or all of it.
func uploaded(r *http.Request) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return io.ReadAll(r.Body)
	}
	parts := multipart.NewReader(r.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			return nil, err
		}
		if part.FileName() != "" {
			return io.ReadAll(part)
		}
	}
}

func plainAnswer(status int, text string) answer {
	return answer{status: status, body: []byte(text), headers: map[string]string{"Content-Type": "text/plain; charset=utf-8"}}
}

// servePrivate shows a file to the bot at its private address; whoever has no
// token, or is in none of the conversations that the file was shared in, is
// sent to sign in.
// https://docs.slack.dev/reference/objects/file-object/#authentication
func (s *Server) servePrivate(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.PathValue("key"), s.cfg.TeamID+"-")
	s.mu.Lock()
	f, allowed := s.files[id], bearer(r) == s.cfg.BotToken && s.dead == "" && s.scoped("files:read")
	if f != nil && f.user != s.cfg.BotUserID {
		allowed = allowed && slices.ContainsFunc(f.shares, func(m *Message) bool {
			c := s.channels[m.Channel]
			return c != nil && c.has(s.cfg.BotUserID)
		})
	}
	s.mu.Unlock()
	status := http.StatusOK
	switch {
	case !allowed:
		status = http.StatusFound
		w.Header().Set("Location", "https://"+s.cfg.TeamDomain+".slack.com/?redir="+r.URL.EscapedPath())
		w.WriteHeader(status)
	case !s.writeFile(w, f):
		status = http.StatusNotFound
		http.NotFound(w, r)
	}
	s.record(Exchange{At: s.clock.Now(), Direction: DirectionIn, Method: r.Method, Path: r.URL.Path, Status: status})
}

// serveShown shows a file to a person at the page: what is private to the bot
// is shown too, because image blocks may carry it.
func (s *Server) serveShown(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f, known := s.files[r.PathValue("id")], s.users[r.URL.Query().Get("user")] != nil
	if known && f != nil && len(f.shares) > 0 {
		known = slices.ContainsFunc(f.shares, func(m *Message) bool {
			c := s.channels[m.Channel]
			return c != nil && (!c.Private || c.has(r.URL.Query().Get("user")))
		})
	}
	s.mu.Unlock()
	if !known || !s.writeFile(w, f) {
		http.NotFound(w, r)
	}
}

// writeFile writes a complete file. Only pictures may be shown in a page:
// anything else is for saving.
func (s *Server) writeFile(w http.ResponseWriter, f *file) bool {
	s.mu.Lock()
	if !f.ready() {
		s.mu.Unlock()
		return false
	}
	kind, name, data := f.Mimetype, pathName(f.Name), f.data
	if !f.picture() {
		kind = "application/octet-stream"
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Cache-Control", "private, max-age=3600")
	// The reader may be gone; there is nobody left to tell.
	_, _ = w.Write(data)
	return true
}
