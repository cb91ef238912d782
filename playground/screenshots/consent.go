package main

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"github.com/chromedp/chromedp"
)

// Fields of Discord's consent page.
var consentQuery = regexp.MustCompile(`name="query" value="([^"]*)"`)

// agree goes the way of a link that leads to Discord's consent and back, as
// another tab would: that one is in no picture.
func (b *browser) agree(selector, name string) {
	if b.err != nil {
		return
	}
	page, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector(%q).href`, selector)))
	if err == nil {
		err = b.consent(page, name)
	}
	if err != nil {
		b.err = fmt.Errorf("agree at Discord: %w", err)
	}
}

func (b *browser) consent(page, name string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	tab := &http.Client{Jar: jar, Timeout: patience}
	shown, err := b.send(tab, page, url.Values{})
	if err != nil {
		return err
	}
	user := regexp.MustCompile(`<option value="(\d+)"[^>]*>` + regexp.QuoteMeta(name)).FindStringSubmatch(shown.body)
	query := consentQuery.FindStringSubmatch(shown.body)
	if user == nil || query == nil {
		return errors.New("no consent page")
	}
	done, err := b.send(tab, shown.at, url.Values{"user": {user[1]}, "decision": {"authorize"}, "query": {html.UnescapeString(query[1])}})
	if err == nil && !strings.Contains(done.at, "/done/") {
		err = fmt.Errorf("ended at %s", done.at)
	}
	return err
}

// shownPage is where a request ended, and what it showed.
type shownPage struct{ at, body string }

func (b *browser) send(tab *http.Client, to string, form url.Values) (shownPage, error) {
	req, err := http.NewRequestWithContext(b.ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return shownPage{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := tab.Do(req)
	if err != nil {
		return shownPage{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return shownPage{at: res.Request.URL.String(), body: string(body)}, err
}
