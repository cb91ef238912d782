package discord

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core/chat"
)

// Discord's client takes a backslash before any punctuation as an escape, so
// that nothing has to be replaced and what is copied from a message is what
// was meant (https://discord.com/developers/docs/reference#message-formatting,
// https://support.discord.com/hc/en-us/articles/210298617).
const alwaysEscaped = "\\*_~`|[]<>"

var (
	listMark   = regexp.MustCompile(`^(\s*)(#|-|\+|\d+[.)])`)
	everyone   = regexp.MustCompile(`@(everyone|here)`)
	linkScheme = regexp.MustCompile(`:(//)`)
)

// escape makes s show as it is, whatever it holds: no formatting, no
// mention, no link. Control characters and those that turn the writing
// direction are dropped, line breaks are kept.
func escape(s string) string {
	var b strings.Builder
	for i, line := range strings.Split(visible(s), "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		var e strings.Builder
		for _, r := range line {
			if strings.ContainsRune(alwaysEscaped, r) {
				e.WriteByte('\\')
			}
			e.WriteRune(r)
		}
		escaped := everyone.ReplaceAllString(e.String(), `\@$1`)
		escaped = linkScheme.ReplaceAllString(escaped, `\:$1`)
		if m := listMark.FindStringSubmatchIndex(escaped); m != nil {
			// The last character of the mark is its punctuation.
			at := m[5] - 1
			escaped = escaped[:at] + `\` + escaped[at:]
		}
		b.WriteString(escaped)
	}
	return b.String()
}

func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// oneLine joins the lines of s.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// codeSpan makes a code span that ends where s ends. Three backticks would
// open a block, so longer runs of them are replaced by a look-alike.
func codeSpan(s string) string {
	s = strings.ReplaceAll(visible(s), "\n", " ")
	if strings.Contains(s, "``") {
		s = strings.ReplaceAll(s, "`", "ˋ")
	}
	mark := "`"
	if strings.Contains(s, "`") {
		mark = "``"
	}
	if strings.HasPrefix(s, "`") {
		s = " " + s
	}
	if strings.HasSuffix(s, "`") {
		s += " "
	}
	return mark + s + mark
}

// link makes a masked link. Discord shows no masked link whose label looks
// like an address itself, so then the bare address stands there.
func link(label, target string) string {
	u, err := url.Parse(target)
	if err != nil || !linkable(u) {
		return escape(label)
	}
	safe := strings.NewReplacer(" ", "%20", "(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "\\", "%5C").Replace(u.String())
	if label == "" || strings.Contains(label, "://") {
		return "<" + safe + ">"
	}
	return "[" + escape(oneLine(label)) + "](" + safe + ")"
}

func linkable(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// showable reports whether Discord may be given target as an image: https,
// or http on a loopback host, where only simulators are.
func showable(target string) bool {
	u, err := url.Parse(target)
	if err != nil || !linkable(u) || utf8.RuneCountInString(target) > maxMediaURL {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func renderRun(r chat.Run) string {
	var s string
	switch {
	case !r.Time.IsZero() && r.Live:
		s = fmt.Sprintf("<t:%d:R>", r.Time.Unix())
	case !r.Time.IsZero() && r.Day:
		s = fmt.Sprintf("<t:%d:D>", r.Time.Unix())
	case !r.Time.IsZero():
		s = fmt.Sprintf("<t:%d:f>", r.Time.Unix())
	case r.URL != "":
		s = link(r.Text, r.URL)
	case r.Text == "":
		return ""
	case r.Code:
		s = codeSpan(r.Text)
	default:
		s = escape(r.Text)
	}
	if r.Bold && strings.TrimSpace(s) != "" {
		return "**" + s + "**"
	}
	return s
}

// joiner is an invisible character that keeps the marks of two neighbouring
// runs apart.
const joiner = "\u200b"

// renderRuns renders each run so that their texts can be joined.
func renderRuns(t chat.Text) (runs []chat.Run, rendered []string) {
	for _, r := range t {
		// Words that follow each other are escaped as one, or a mention could
		// be put together from two of them.
		if n := len(runs); n > 0 && words(r) && words(runs[n-1]) && r.Bold == runs[n-1].Bold {
			runs[n-1].Text += r.Text
			continue
		}
		runs = append(runs, r)
	}
	last := ""
	for _, r := range runs {
		s := renderRun(r)
		if s != "" && last != "" && (s[0] == '*' || s[0] == '`') && last[len(last)-1] == s[0] {
			s = joiner + s
		}
		if s != "" {
			last = s
		}
		rendered = append(rendered, s)
	}
	return runs, rendered
}

func words(r chat.Run) bool { return r.URL == "" && r.Time.IsZero() && !r.Code }

// renderText renders t with at most limit characters. It cuts within words
// only, never within markup.
func renderText(t chat.Text, limit int) string {
	runs, rendered := renderRuns(t)
	rest := 0
	for _, s := range rendered {
		rest += utf8.RuneCountInString(s)
	}
	var b strings.Builder
	room := limit
	for i, s := range rendered {
		n := utf8.RuneCountInString(s)
		rest -= n
		// One character is kept for the mark of what does not fit.
		if n+min(rest, 1) > room {
			b.WriteString(cutRun(runs[i], room))
			break
		}
		b.WriteString(s)
		room -= n
	}
	return b.String()
}

// cutRun renders as much of r as fits into room characters, with an
// ellipsis. Times and links are not cut but left out.
func cutRun(r chat.Run, room int) string {
	if room < 1 {
		return ""
	}
	if r.URL != "" || !r.Time.IsZero() {
		return ellipsis
	}
	text := []rune(r.Text)
	cut := func(n int) string {
		short := r
		short.Text = string(text[:n]) + ellipsis
		return renderRun(short)
	}
	// The first length that no longer fits; escapes only make it come sooner.
	over := sort.Search(min(len(text), room)+1, func(n int) bool {
		return utf8.RuneCountInString(cut(n)) > room
	})
	if over == 0 {
		return ellipsis
	}
	return cut(over - 1)
}
