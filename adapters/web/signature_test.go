package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/quotedprintable"
	"net/http"
	"net/smtp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/laurelbot/laurel/playground/mailsim"
)

// mailRules are what every mail program shows, by element and attribute. The
// styles are those that Gmail, Outlook, Apple Mail and Thunderbird all keep
// (https://www.caniemail.com).
var mailRules = map[string][]string{
	"table": {"cellpadding", "cellspacing", "border", "style"},
	"tbody": nil, "tr": nil,
	"td":   {"valign", "style"},
	"span": {"dir"},
	"a":    {"href", "target", "style"},
	"img":  {"src", "width", "height", "alt", "border", "style"},
}

var mailStyles = []string{
	"border-collapse", "padding", "font-family", "font-size", "line-height", "font-weight", "text-decoration", "display", "border", "width", "height",
}

// maxSignature is what Gmail takes as a signature, in characters.
const maxSignature = 10_000

// checkMail lists what mail programs would drop of a piece of HTML, or show
// differently.
func checkMail(source string) []string {
	var wrong []string
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if len(source) > maxSignature {
		complain("%d characters", len(source))
	}
	nodes, err := html.ParseFragment(strings.NewReader(source), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil || len(nodes) != 1 {
		return append(wrong, fmt.Sprintf("%d roots, %v", len(nodes), err))
	}
	for n := range nodes[0].Descendants() {
		if n.Type == html.TextNode {
			if n.Parent.Data != "span" && n.Parent.Data != "a" {
				complain("text %q within %s", n.Data, n.Parent.Data)
			}
			continue
		}
		checkElement(n, complain)
	}
	checkElement(nodes[0], complain)
	return wrong
}

func checkElement(n *html.Node, complain func(string, ...any)) {
	allowed, known := mailRules[n.Data]
	if n.Type != html.ElementNode || !known {
		complain("element %q", n.Data)
		return
	}
	has := map[string]string{}
	for _, a := range n.Attr {
		has[a.Key] = a.Val
		if !slices.Contains(allowed, a.Key) {
			complain("%s with %s", n.Data, a.Key)
		}
	}
	for rule := range strings.SplitSeq(has["style"], ";") {
		name, value, _ := strings.Cut(rule, ":")
		if rule != "" && (!slices.Contains(mailStyles, name) || value == "" || strings.ContainsAny(value, `(\"`)) {
			complain("style %q", rule)
		}
	}
	secure := func(key string) {
		if u, err := url.Parse(has[key]); err != nil || u.Scheme != "https" || u.Host == "" {
			complain("%s of %s is %q", key, n.Data, has[key])
		}
	}
	switch n.Data {
	case "a":
		secure("href")
	case "img":
		secure("src")
		for _, side := range []string{"width", "height"} {
			if _, err := strconv.Atoi(has[side]); err != nil || !strings.Contains(";"+has["style"], ";"+side+":"+has[side]+"px") {
				complain("picture without %s", side)
			}
		}
		if has["alt"] == "" {
			complain("picture without words")
		}
	}
}

func TestCheckMail(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`<div>x</div>`, `<table><tr><td><script>x</script></td></tr></table>`, `<table class="x"></table>`, `<table style="position:absolute"></table>`,
		`<table style="padding:expression(1)"></table>`, `<table><tr><td><a href="http://x.example">x</a></td></tr></table>`,
		`<table><tr><td><a href="javascript:x">x</a></td></tr></table>`, `<table><tr><td><img src="https://x.example/a" alt="x"></td></tr></table>`,
		`<table><tr><td><img src="//x" width="1" height="1" style="width:1px;height:1px" alt="x"></td></tr></table>`, `<table></table><table></table>`, ``,
		`<table style="background-image:url(https://x)"></table>`, `<table><tr><td onclick="x">x</td></tr></table>`,
	} {
		if len(checkMail(bad)) == 0 {
			t.Errorf("passes: %s", bad)
		}
	}
}

// manySigned are badges with names in several scripts and of evil intent.
func manySigned(n int) []signedBadge {
	names := []string{"Certified Example Professional", `"><script>alert(1)</script>`, "Führung & Größe", "資格 & שלום", `' onerror='x`, ` style="x`}
	var all []signedBadge
	for i := range n {
		b := signedBadge{
			Name: names[i%len(names)], URL: "https://www.credly.com/badges/0190f000-0000-7000-8000-000000000001?a=1&b='2'",
			Picture: testPublic + "/b/" + testToken + ".png",
		}
		if i%5 == 4 {
			b.Picture = ""
		}
		all = append(all, b)
	}
	return all
}

func TestSignatureSurvivesMailPrograms(t *testing.T) {
	t.Parallel()
	for _, size := range signatureSizes() {
		for _, n := range []int{0, 1, 4, 5, 12} {
			var chosen []int
			for i := range n {
				chosen = append(chosen, i)
			}
			badges := manySigned(n)
			for _, name := range []string{"", "Ada Example", `<b onclick="x">"Ada" & 'Co'</b> style="`, "אדה דוגמה", "阿达"} {
				source := newSignatureParts(size, badges).html(name, name, chosen)
				if wrong := checkMail(source); len(wrong) > 0 {
					t.Errorf("%s, %d, %q: %q\n%s", size.ID, n, name, wrong, source)
				}
				if rows := strings.Count(source, "<tr><td valign"); rows != (n+size.PerRow-1)/size.PerRow {
					t.Errorf("%s, %d: %d rows", size.ID, n, rows)
				}
				if width := size.PerRow * (size.Pixels + 12); width > 600 {
					t.Errorf("%s: %d pixels wide", size.ID, width)
				}
			}
		}
	}
}

// What is sent by mail arrives as it was made.
func TestSignatureByMail(t *testing.T) {
	t.Parallel()
	server, err := mailsim.Start(mailsim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	for i, size := range signatureSizes() {
		source := newSignatureParts(size, manySigned(3)).html("Ada Müller 資格", `"Chief" & <Example>`, []int{0, 1, 2})
		var body bytes.Buffer
		fmt.Fprintf(&body, "From: Ada <ada@example.org>\r\nTo: bob@example.org\r\nSubject: %d\r\nMIME-Version: 1.0\r\n"+
			"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", i)
		quoted := quotedprintable.NewWriter(&body)
		if _, err := fmt.Fprint(quoted, "<html><body>"+source+"</body></html>"); err != nil {
			t.Fatal(err)
		}
		if err := quoted.Close(); err != nil {
			t.Fatal(err)
		}
		if err := smtp.SendMail(server.Addr(), nil, "ada@example.org", []string{"bob@example.org"}, body.Bytes()); err != nil {
			t.Fatal(err)
		}
		got, err := server.WaitFor(t.Context(), "bob@example.org", i+1)
		if err != nil || len(got) != i+1 {
			t.Fatalf("%d mails, %v", len(got), err)
		}
		i := slices.IndexFunc(got, func(m mailsim.Message) bool { return m.Subject == strconv.Itoa(i) })
		arrived := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(got[i].HTML), "<html><body>"), "</body></html>")
		if arrived != source || got[i].Problem != "" {
			t.Errorf("%s: %q\n%s\nsent:\n%s", size.ID, got[i].Problem, arrived, source)
		}
		if wrong := checkMail(arrived); len(wrong) > 0 {
			t.Errorf("%s: %q", size.ID, wrong)
		}
	}
}

// source reads the signature out of a page.
func (s *site) source(t *testing.T, body string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Data == "textarea" && n.FirstChild != nil {
			return n.FirstChild.Data
		}
	}
	t.Fatalf("no signature in\n%s", body)
	return ""
}

// Without a script the form comes back with what was typed, and nothing of it
// stays anywhere.
func TestSignatureWithoutScript(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}
	typed := url.Values{
		"name": {"  Zoë \u202e\n Überall "}, "title": {strings.Repeat("ü", 300)}, "size": {"large"}, "badge": {"1", "3", "77", "x", "-1"},
	}
	w := s.do(t, http.MethodPost, testSignPath, form, typed.Encode())
	source := s.source(t, w.Body.String())
	if w.Code != http.StatusOK || !strings.Contains(source, ">Zoë Überall<") || strings.Count(source, "<img") != 1 || strings.Count(source, "<a ") != 2 ||
		!strings.Contains(source, `width="110"`) || strings.Count(source, "üü") != maxSignTitle/2 {
		t.Errorf("%d\n%s", w.Code, source)
	}
	if strings.Contains(s.log.String(), "Zoë") || strings.Contains(s.get(t, testSignPath, "en").Body.String(), "Zoë") {
		t.Error("what was typed is kept")
	}
	for _, body := range []string{"", "size=huge", "name=%zz", "badge=99999999999999999999"} {
		if w := s.do(t, http.MethodPost, testSignPath, form, body); w.Code != http.StatusOK || len(checkMail(s.source(t, w.Body.String()))) > 0 {
			t.Errorf("%q: %d\n%s", body, w.Code, w.Body)
		}
	}
	if w := s.do(t, http.MethodPost, testSignPath, form, "name="+strings.Repeat("x", maxBody)); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("long: %d", w.Code)
	}
}

// The page's pieces, taken by a script, make what is made here.
func TestSignaturePieces(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	body := s.get(t, testSignPath, "en").Body.String()
	data := regexp.MustCompile(`data-parts="([^"]*)"`).FindStringSubmatch(body)
	if data == nil {
		t.Fatal("no pieces")
	}
	parts := map[string]signatureParts{}
	if err := json.Unmarshal([]byte(html.UnescapeString(data[1])), &parts); err != nil {
		t.Fatal(err)
	}
	if got := parts["small"].html("Ada Example", "", []int{0, 1, 2}); got != s.source(t, body) || len(checkMail(got)) > 0 {
		t.Errorf("%q\n%s", checkMail(got), got)
	}
	if !strings.Contains(s.source(t, body), testPublic+"/b/"+testToken+".png") {
		t.Error("the pictures are elsewhere")
	}
}

func TestCleanTyped(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" Ada \n\t Exam ": "Ada Exam", "\u202eevil": "evil", "a\x00b\xff": "a b", "": "", "\u2066": "", "👩‍🎓 Ada": "👩‍🎓 Ada", "12345678901": "1234567890",
	} {
		if got := cleanTyped(in, 10); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
