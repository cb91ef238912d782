package slacksim

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// channelsMax is how many channels one file can be shared to at once.
// https://docs.slack.dev/reference/methods/files.completeUploadExternal/
const channelsMax = 100

func missing(name string) *apiError {
	return &apiError{code: "invalid_arguments", messages: []string{"[ERROR] missing required field: " + name}}
}

// filesUpload answers the old way to upload, which Slack ended in 2025.
// https://docs.slack.dev/changelog/2024-04-a-better-way-to-upload-files-is-here-to-stay/
func (s *Server) filesUpload(args) (reply, *apiError) { return nil, fail("method_deprecated") }

// filesGetUploadURLExternal answers
// https://docs.slack.dev/reference/methods/files.getUploadURLExternal/
func (s *Server) filesGetUploadURLExternal(a args) (reply, *apiError) {
	name, alt, length := a.str("filename"), a.str("alt_txt"), a.str("length")
	size, err := strconv.Atoi(length)
	switch {
	case name == "":
		return nil, missing("filename")
	case length == "":
		return nil, missing("length")
	case err != nil || size < 1:
		return nil, &apiError{code: "invalid_arguments", messages: []string{"[ERROR] must be greater than 0 [json-pointer:/length]"}}
	case utf8.RuneCountInString(alt) > altTextMax:
		return nil, fail("alt_txt_too_large")
	case size > FileMax:
		return nil, fail("file_upload_size_restricted")
	case s.held()+size > fileRoom:
		return nil, fail("storage_limit_reached")
	}
	f := s.newFile(file{
		File: File{Name: name, Title: name, Size: size, AltText: alt}, snippet: a.str("snippet_type"), secret: newSecret(),
	})
	return reply{"upload_url": s.base + uploadPath + f.secret, "file_id": f.ID}, nil
}

// filesCompleteUploadExternal answers
// https://docs.slack.dev/reference/methods/files.completeUploadExternal/
func (s *Server) filesCompleteUploadExternal(a args) (reply, *apiError) {
	files, titles, refused := s.uploads(a)
	if refused != nil {
		return nil, refused
	}
	channels, refused := s.shareTargets(a)
	if refused != nil {
		return nil, refused
	}
	thread := a.str("thread_ts")
	if thread != "" && (!tsPattern.MatchString(thread) || len(channels) != 1) {
		return nil, fail("invalid_thread_ts")
	}
	said, refused := s.introduction(a, files[0])
	if refused != nil {
		return nil, refused
	}
	listed := make([]any, 0, len(files))
	shown := make([]File, 0, len(files))
	for i, f := range files {
		f.secret = ""
		if titles[i] != "" {
			f.Title = titles[i]
		}
		shown = append(shown, f.File)
	}
	for _, c := range channels {
		m := Message{User: s.cfg.BotUserID, ThreadTS: thread, Via: "files.completeUploadExternal", Files: slices.Clone(shown)}
		said.into(&m)
		posted := s.post(c, m)
		for _, f := range files {
			f.shares = append(f.shares, posted)
		}
	}
	for _, f := range files {
		listed = append(listed, s.apiFile(f))
	}
	s.bump()
	return reply{"files": listed}, nil
}

// introduction is what the message with files says. Blocks count only without
// a comment; then the file's title stands for the text.
func (s *Server) introduction(a args, first *file) (content, *apiError) {
	words, comment := args{}, a.str("initial_comment")
	words.set("text", comment)
	if blocks, there := a["blocks"]; there && comment == "" {
		words.set("text", first.Title)
		words["blocks"] = blocks
	}
	said, refused := s.said(words, false)
	said.text = comment
	return said, refused
}

// uploads reads which uploads are to be completed, and what they are called.
func (s *Server) uploads(a args) (files []*file, titles []string, refused *apiError) {
	raw, there, valid := a.structure("files")
	var named []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	switch {
	case !there:
		return nil, nil, missing("files")
	case !valid || json.Unmarshal(raw, &named) != nil || len(named) == 0:
		return nil, nil, fail("invalid_arguments")
	}
	for _, n := range named {
		f := s.files[n.ID]
		switch {
		case f == nil || f.Deleted:
			return nil, nil, fail("file_not_found")
		case !f.sent || f.secret == "" || slices.Contains(files, f):
			// Nothing was uploaded yet, or it is complete: that works once.
			return nil, nil, fail("file_update_failed")
		}
		files, titles = append(files, f), append(titles, n.Title)
	}
	return files, titles, nil
}

// shareTargets finds the channels that files are shared to; none for files
// that stay private. The bot has to be in each.
func (s *Server) shareTargets(a args) ([]*channel, *apiError) {
	var out []*channel
	ids := strings.FieldsFunc(a.str("channels"), func(r rune) bool { return r == ',' || r == ' ' })
	if id := a.str("channel_id"); id != "" {
		ids = append(ids, id)
	}
	if len(ids) > channelsMax {
		return nil, fail("channels_limit_exceeded")
	}
	for _, id := range ids {
		c := s.visible(id)
		if u := s.users[id]; u != nil && !u.Bot {
			c = s.dm(id)
		}
		switch {
		case c == nil:
			return nil, fail("channel_not_found")
		case c.Archived:
			return nil, fail("is_archived")
		case !c.has(s.cfg.BotUserID):
			return nil, fail("not_in_channel")
		case !slices.Contains(out, c):
			out = append(out, c)
		}
	}
	return out, nil
}

func (s *Server) knownFile(a args) (*file, *apiError) {
	f := s.files[a.str("file")]
	switch {
	case f == nil || f.secret != "":
		return nil, fail("file_not_found")
	case f.Deleted:
		return nil, fail("file_deleted")
	}
	return f, nil
}

// filesInfo answers https://docs.slack.dev/reference/methods/files.info/
func (s *Server) filesInfo(a args) (reply, *apiError) {
	f, refused := s.knownFile(a)
	if refused != nil {
		return nil, refused
	}
	return reply{"file": s.apiFile(f), "comments": []any{}, "response_metadata": nextCursor("")}, nil
}

// filesDelete answers https://docs.slack.dev/reference/methods/files.delete/:
// the messages stay, with what is left of the file.
func (s *Server) filesDelete(a args) (reply, *apiError) {
	f, refused := s.knownFile(a)
	if refused != nil {
		return nil, refused
	}
	f.Deleted, f.data = true, nil
	for _, m := range f.shares {
		// Snapshots of the message share the old list.
		m.Files = slices.Clone(m.Files)
		for i := range m.Files {
			if m.Files[i].ID == f.ID {
				m.Files[i] = File{ID: f.ID, Deleted: true}
			}
		}
		m.Revision++
	}
	s.bump()
	return reply{}, nil
}

// checkFiles holds the image blocks of value, whose pointer is given, against
// the files that there are: pictures that are completely uploaded.
// https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object/
func (s *Server) checkFiles(code, pointer string, value any) *apiError {
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			if e := s.checkFiles(code, pointer+"/"+strconv.Itoa(i), item); e != nil {
				return e
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			at := pointer + "/" + key
			named, ok := v[key].(map[string]any)
			if key == "slack_file" && v["type"] == "image" && ok {
				if f := s.slackFile(named); !f.ready() || !f.picture() {
					return &apiError{code: code, messages: []string{"[ERROR] invalid slack file [json-pointer:" + at + "]"}}
				}
				continue
			}
			if e := s.checkFiles(code, at, v[key]); e != nil {
				return e
			}
		}
	}
	return nil
}

// slackFile finds the file that an image block names by id or private address.
func (s *Server) slackFile(named map[string]any) *file {
	if f := s.files[str(named, "id")]; f != nil {
		return f
	}
	url := str(named, "url")
	for _, f := range s.files {
		if url != "" && (s.apiFile(f)["url_private"] == url || s.apiFile(f)["permalink"] == url) {
			return f
		}
	}
	return nil
}
