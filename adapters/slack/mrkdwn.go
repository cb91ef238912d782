package slack

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core/chat"
)

const (
	// zeroWidth keeps a character of the person's text from being taken for
	// markup: beside it neither a word nor a space begins, whichever way a
	// client looks at it.
	zeroWidth = "\u200b"
	// maxPiece is the longest piece of text before it is escaped; escaped it
	// has at most five times as many characters and fits in a section.
	maxPiece = 500
	// maxLink is how long a link's address may be without crowding out
	// everything else in a section.
	maxLink = 2000
)

// escaper takes what has a meaning to Slack out of a text: with it links,
// mentions and dates begin
// (https://docs.slack.dev/messaging/formatting-message-text#escaping).
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

var urlEscaper = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", " ", "%20")

// mrkdwn renders text as pieces of Slack's markup. Each piece stands for
// itself, so that long text can be cut between any two of them.
func mrkdwn(t chat.Text) []string {
	var m marker
	for _, run := range t {
		m.run(run)
	}
	return m.pieces
}

// marker collects pieces and keeps markup apart from words, because Slack
// formats only what stands between spaces or punctuation.
type marker struct {
	pieces []string
	// word: the last character is of a word; markup: it ends a markup.
	word, markup bool
}

func (m *marker) run(r chat.Run) {
	switch {
	case !r.Time.IsZero():
		m.marked(bold(r.Bold, date(r)))
	case r.URL != "" && isWebURL(r.URL):
		m.marked(bold(r.Bold, link(r.URL, r.Text)))
	case r.Code:
		for _, chunk := range chunks(r.Text) {
			if c := code(chunk); c != "" {
				m.marked(bold(r.Bold, c))
			}
		}
	case r.Bold:
		for _, line := range chunks(r.Text) {
			inner := strings.TrimSpace(line)
			if inner == "" {
				m.plain(line)
				continue
			}
			before, after, _ := strings.Cut(line, inner)
			m.plain(before)
			m.marked("*" + inert(inner) + "*")
			m.plain(after)
		}
	default:
		for _, chunk := range chunks(r.Text) {
			m.plain(chunk)
		}
	}
}

func (m *marker) plain(s string) {
	if s == "" {
		return
	}
	out := inert(s)
	if first, _ := utf8.DecodeRuneInString(s); m.markup && isWord(first) {
		out = zeroWidth + out
	}
	last, _ := utf8.DecodeLastRuneInString(s)
	m.word, m.markup = isWord(last), false
	m.pieces = append(m.pieces, out)
}

func (m *marker) marked(s string) {
	if m.word || m.markup {
		s = zeroWidth + s
	}
	m.word, m.markup = false, true
	m.pieces = append(m.pieces, s)
}

// inert escapes s and takes the effect from characters that would format it.
// Inside a word they have none, so that addresses stay as they are.
func inert(s string) string {
	var b strings.Builder
	var before rune
	lineStart := true
	for i, r := range s {
		switch r {
		case '*', '_', '~', '`':
			after, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
			if isWord(before) && isWord(after) {
				b.WriteRune(r)
			} else {
				b.WriteString(zeroWidth + string(r) + zeroWidth)
			}
		case '>':
			if lineStart {
				// A quotation begins so, also when escaped.
				b.WriteString(zeroWidth)
			}
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case utf8.RuneError:
			b.WriteRune(unicode.ReplacementChar)
		default:
			b.WriteRune(r)
		}
		lineStart = r == '\n' || (lineStart && unicode.IsSpace(r))
		before = r
	}
	return b.String()
}

func code(s string) string {
	s = strings.TrimSpace(strings.NewReplacer("`", "'", "\n", " ").Replace(s))
	if s == "" {
		return ""
	}
	return "`" + escaper.Replace(s) + "`"
}

func link(address, label string) string {
	label = strings.TrimSpace(strings.ReplaceAll(truncate(label, maxPiece/2), "\n", " "))
	target := urlEscaper.Replace(address)
	if utf8.RuneCountInString(target) > maxLink {
		return inert(label)
	}
	if label == "" {
		return "<" + target + ">"
	}
	return "<" + target + "|" + escaper.Replace(label) + ">"
}

// date renders a time in the viewer's own zone. There is no running distance
// to a time to come, so a live time shows the seconds of its hour.
// https://docs.slack.dev/messaging/formatting-message-text#date-formatting
func date(r chat.Run) string {
	t := r.Time.UTC()
	if r.Day {
		return fmt.Sprintf("<!date^%d^{date_short}|%s>", t.Unix(), t.Format(time.DateOnly))
	}
	if r.Live {
		return fmt.Sprintf("<!date^%d^{time_secs}|%s>", t.Unix(), t.Format("15:04:05 UTC"))
	}
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", t.Unix(), t.Format("2006-01-02 15:04 UTC"))
}

func bold(yes bool, s string) string {
	if !yes || s == "" {
		return s
	}
	return "*" + s + "*"
}

// chunks cuts text after each line, and long lines anywhere.
func chunks(s string) []string {
	var out []string
	for len(s) > 0 {
		end, n := len(s), 0
		for i, r := range s {
			if n++; r == '\n' || n == maxPiece {
				end = i + utf8.RuneLen(r)
				if r == utf8.RuneError {
					_, size := utf8.DecodeRuneInString(s[i:])
					end = i + size
				}
				break
			}
		}
		out = append(out, s[:end])
		s = s[end:]
	}
	return out
}

// pack joins pieces to as few texts of at most limit code points as it can.
// Texts of nothing but space are left out, because Slack refuses them.
func pack(pieces []string, limit int) []string {
	var out []string
	var b strings.Builder
	length := 0
	flush := func() {
		if s := strings.Trim(b.String(), "\n"); strings.Trim(s, " \t\n"+zeroWidth) != "" {
			out = append(out, s)
		}
		b.Reset()
		length = 0
	}
	for _, piece := range pieces {
		piece = truncate(piece, limit)
		n := utf8.RuneCountInString(piece)
		if length+n > limit {
			flush()
		}
		b.WriteString(piece)
		length += n
	}
	flush()
	return out
}

// packOne is like pack for a place that takes one text: what is too long is
// cut between two pieces.
func packOne(pieces []string, limit int) string {
	texts := pack(pieces, limit)
	switch len(texts) {
	case 0:
		return ""
	case 1:
		return texts[0]
	}
	texts = pack(pieces, limit-utf8.RuneCountInString(ellipsis)-1)
	return texts[0] + " " + ellipsis
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	return u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") || u.Scheme == "mailto" && u.Opaque != ""
}
