package mailsim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// maxDepth is how deep parts may be nested.
const maxDepth = 8

// Message is one message as a mail program shows it.
type Message struct {
	ID         int       `json:"id"`
	ReceivedAt time.Time `json:"received_at"`
	// Sender and Recipients are the envelope's.
	Sender     string   `json:"sender"`
	Recipients []string `json:"recipients"`
	// From and To are the addresses of the header, without names.
	From string   `json:"from"`
	To   []string `json:"to"`
	// FromName is the sender's decoded name.
	FromName string `json:"from_name"`
	Subject  string `json:"subject"`
	// Text and HTML are the decoded bodies; empty when there is none.
	Text string `json:"text"`
	HTML string `json:"html"`
	// Headers are as sent, keys in canonical form.
	Headers map[string][]string `json:"headers"`
	// Raw is what came over the wire.
	Raw []byte `json:"raw"`
	// Problem says what could not be read, in a message that is not
	// well-formed; such a message is kept all the same.
	Problem string `json:"problem,omitempty"`
}

func wordDecoder() *mime.WordDecoder { return &mime.WordDecoder{CharsetReader: charsetReader} }

func charsetReader(charset string, input io.Reader) (io.Reader, error) {
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, fmt.Errorf("find charset: %w", err)
	}
	return enc.NewDecoder().Reader(input), nil
}

// parse reads a message as far as it can be read.
func parse(raw []byte) Message {
	m := Message{Raw: bytes.Clone(raw)}
	read, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		m.Problem = fmt.Errorf("read message: %w", err).Error()
		return m
	}
	m.Headers = read.Header
	words := wordDecoder()
	if m.Subject, err = words.DecodeHeader(read.Header.Get("Subject")); err != nil {
		m.Problem = fmt.Errorf("read subject: %w", err).Error()
	}
	addresses := &mail.AddressParser{WordDecoder: words}
	if from, err := addresses.Parse(read.Header.Get("From")); err != nil {
		m.Problem = "read from: not an address"
	} else {
		m.From, m.FromName = from.Address, from.Name
	}
	if header := read.Header.Get("To"); header != "" {
		to, err := addresses.ParseList(header)
		if err != nil {
			m.Problem = "read to: not a list of addresses"
		}
		for _, a := range to {
			m.To = append(m.To, a.Address)
		}
	}
	err = m.part(read.Header.Get("Content-Type"), read.Header.Get("Content-Transfer-Encoding"), "", read.Body, 0)
	if err != nil {
		m.Problem = err.Error()
	}
	return m
}

// part reads one part and those inside it. The first text and the first HTML
// part that are no attachments are the bodies.
func (m *Message) part(contentType, encoding, disposition string, body io.Reader, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("read part: more than %d levels", maxDepth)
	}
	if contentType == "" {
		contentType = "text/plain; charset=us-ascii"
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("read content type: %w", err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF { //nolint:errorlint // The reader documents this very value.
				return nil
			}
			if err != nil {
				return fmt.Errorf("read part: %w", err)
			}
			h := p.Header
			err = m.part(h.Get("Content-Type"), h.Get("Content-Transfer-Encoding"), h.Get("Content-Disposition"), p, depth+1)
			if err != nil {
				return err
			}
		}
	}
	if strings.HasPrefix(disposition, "attachment") || !strings.HasPrefix(kind, "text/") {
		return nil
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	if charset := strings.ToLower(params["charset"]); charset != "" && charset != "utf-8" && charset != "us-ascii" {
		if body, err = charsetReader(charset, body); err != nil {
			return err
		}
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("decode part: %w", err)
	}
	decoded := strings.ReplaceAll(string(text), "\r\n", "\n")
	switch {
	case kind == "text/html" && m.HTML == "":
		m.HTML = decoded
	case kind == "text/plain" && m.Text == "":
		m.Text = decoded
	}
	return nil
}

var (
	link    = regexp.MustCompile(`https?://[^\s<>"']+`)
	href    = regexp.MustCompile(`(?i)href\s*=\s*(?:"([^"]*)"|'([^']*)')`)
	tag     = regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>`)
	numeric = regexp.MustCompile(`(?:^|[^\w.@+-])(\d{3}[ \x{a0}-]\d{3}|\d{4}[ \x{a0}-]\d{4}|\d{6,8})(?:$|[^\w@-])`)
)

// Links returns the web addresses of a message in order, each once: those of
// the text, then those that only the HTML part has.
func Links(m Message) []string {
	var all []string
	add := func(u string) {
		u = strings.TrimRight(u, ".,;:!?)]}")
		if u != "" && !slices.Contains(all, u) {
			all = append(all, u)
		}
	}
	for _, u := range link.FindAllString(m.Text, -1) {
		add(u)
	}
	for _, found := range href.FindAllStringSubmatch(m.HTML, -1) {
		if u := html.UnescapeString(found[1] + found[2]); strings.HasPrefix(u, "http") {
			add(u)
		}
	}
	return all
}

// Codes returns the numeric codes of 6 to 8 digits in subject and bodies in
// order, each once, without the space or hyphen that may divide them in two.
// Digits inside web addresses do not count.
func Codes(m Message) []string {
	var all []string
	visible := html.UnescapeString(tag.ReplaceAllString(m.HTML, " "))
	for _, text := range []string{m.Subject, m.Text, visible} {
		text = link.ReplaceAllString(text, " ")
		for text != "" {
			at := numeric.FindStringSubmatchIndex(text)
			if at == nil {
				break
			}
			code := strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return r
				}
				return -1
			}, text[at[2]:at[3]])
			if !slices.Contains(all, code) {
				all = append(all, code)
			}
			text = text[at[3]:]
		}
	}
	return all
}
