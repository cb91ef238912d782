package credly

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// entry is one raw object of a list and when it was read.
type entry struct {
	raw json.RawMessage
	at  time.Time
}

// list asks for a list and follows its pages, at most [maxPages] of them;
// complete is false when there were more. Visit sees every page and says
// whether to go on; it may be nil.
func (c *Client) list(ctx context.Context, k call, query url.Values, visit func([]entry) bool) (all []entry, complete bool, err error) {
	first := k.url
	k.method = http.MethodGet
	if len(query) > 0 {
		k.url = first + "?" + query.Encode()
	}
	for n := 1; n <= maxPages; n++ {
		a, err := c.do(ctx, k)
		if err != nil {
			return nil, false, err
		}
		var page struct {
			Data     []json.RawMessage `json:"data"`
			Metadata struct {
				Next text `json:"next_page_url"`
			} `json:"metadata"`
		}
		if json.Unmarshal(a.body, &page) != nil {
			return nil, false, errors.New("decode list")
		}
		found := make([]entry, 0, len(page.Data))
		for _, raw := range page.Data {
			found = append(found, entry{raw, a.at})
		}
		if all = append(all, found...); visit != nil && !visit(found) {
			return all, true, nil
		}
		if page.Metadata.Next == "" {
			return all, true, nil
		}
		k.url = c.nextPage(string(page.Metadata.Next), first, query, n+1)
	}
	return all, false, nil
}

// nextPage returns the address of the next page: the one given when it lies
// on the origin of the API, which may be with another path; else the page of
// that number on our own, so that credentials go nowhere else.
func (c *Client) nextPage(given, first string, query url.Values, number int) string {
	if u, err := url.Parse(given); err == nil && u.Scheme == c.base.Scheme && u.Host == c.base.Host && u.User == nil {
		u.Fragment = ""
		return u.String()
	}
	q := url.Values{}
	for key, values := range query {
		q[key] = values
	}
	q.Set("page", strconv.Itoa(number))
	return first + "?" + q.Encode()
}

// filter joins key and value pairs, see
// https://www.credly.com/docs/badge_templates. It returns false when a value
// holds what separates them: such a value cannot be asked for.
func filter(pairs ...string) (url.Values, bool) {
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		value := pairs[i+1]
		if value == "" || strings.ContainsAny(value, ",|") || strings.Contains(value, "::") {
			return nil, false
		}
		parts = append(parts, pairs[i]+"::"+value)
	}
	return url.Values{"filter": {strings.Join(parts, "|")}}, true
}

// listBadges lists issued badges. An entry that cannot be read is left out
// and told to the operator: it must not hide the others.
func (c *Client) listBadges(ctx context.Context, name string, query url.Values, visit func([]core.Observation) bool) (all []core.Observation, users int, complete bool, err error) {
	seen := map[text]bool{}
	read := func(page []entry) bool {
		from := len(all)
		for _, e := range page {
			b, err := decodeBadge(e.raw)
			if err != nil {
				c.log.Warn("credly: unreadable badge in list", "error", err)
				continue
			}
			if b.User != nil && b.User.ID != "" {
				seen[b.User.ID] = true
			}
			all = append(all, c.observe(b, e.at))
		}
		return visit == nil || visit(all[from:])
	}
	k := call{name: name, url: c.path("badges"), permission: "read issued_badges"}
	_, complete, err = c.list(ctx, k, query, read)
	return all, len(seen), complete, err
}
