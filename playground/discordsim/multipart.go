package discordsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
)

// boundary returns what divides the parts of a body with files; empty for any
// other body.
func boundary(h http.Header) string {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return ""
	}
	return params["boundary"]
}

// bodyLimit is how much of a body is read that may have files.
func bodyLimit(h http.Header, without int64) int64 {
	if boundary(h) != "" {
		return maxUpload
	}
	return without
}

// parts reads a body with files: the JSON in payload_json, or plain fields
// made JSON, and the files by their numbers,
// https://discord.com/developers/docs/reference#uploading-files.
func parts(divider string, raw []byte) (payload []byte, files []file, err error) {
	form := multipart.NewReader(bytes.NewReader(raw), divider)
	fields := map[string]string{}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read part: %w", err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, fmt.Errorf("read part: %w", err)
		}
		name := part.FormName()
		switch {
		case part.FileName() != "":
			files = append(files, file{
				number: fileNumber(name, len(files)), name: part.FileName(), kind: part.Header.Get("Content-Type"), data: data,
			})
		case name == "payload_json":
			payload = data
		default:
			fields[name] = string(data)
		}
	}
	if payload == nil {
		if payload, err = json.Marshal(fields); err != nil {
			return nil, nil, fmt.Errorf("encode fields: %w", err)
		}
	}
	return payload, files, nil
}

// fileNumber reads the number of files[n]; older names count in order.
func fileNumber(name string, order int) string {
	if inner, ok := strings.CutPrefix(name, "files["); ok {
		if n, err := strconv.Atoi(strings.TrimSuffix(inner, "]")); err == nil {
			order = n
		}
	}
	return strconv.Itoa(order)
}

// logged is a body as the wire log shows it: of files their names
// and sizes.
func logged(h http.Header, raw []byte) string {
	divider := boundary(h)
	if divider == "" {
		return string(raw)
	}
	payload, files, err := parts(divider, raw)
	if err != nil {
		return fmt.Sprintf("(%d bytes)", len(raw))
	}
	out := string(payload)
	for _, f := range files {
		out += fmt.Sprintf("\nfiles[%s] %s (%d bytes)", f.number, f.name, len(f.data))
	}
	return out
}
