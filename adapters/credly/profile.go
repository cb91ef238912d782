package credly

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

var _ core.Profiles = (*Client)(nil)

// Limits of reading public profiles. What a profile shows is a page that
// Credly's own site uses and nowhere describes: everything about it may change.
const (
	// maxProfileAnswer is the largest page of a profile, in bytes.
	maxProfileAnswer = 2 << 20
	// maxProfilePages bounds how far a profile is followed.
	maxProfilePages = 4
	// maxAsked is how many addresses of one person are looked up.
	maxAsked = 5
	// profileFor is how long a profile is remembered, in this process alone.
	profileFor = 5 * time.Minute
	// maxProfiles bounds how many are.
	maxProfiles = 500
	// maxProfileText is the longest name that is taken, in characters.
	maxProfileText = 300
)

// errNoProfile says that a profile is not there for everybody.
var errNoProfile = errors.New("profile not public")

// Earned reads the badges that the owners of the addresses show on their
// public profiles, whoever issued them. The profile's address is the one that
// Credly tells of the account which has the address.
func (c *Client) Earned(ctx context.Context, addresses []core.Email) (all []core.Earned, hidden bool, err error) {
	addresses = addresses[:min(len(addresses), maxAsked)]
	key := profileKey(addresses)
	if known, ok := c.profiles.get(key, c.clock.Now()); ok {
		return known, false, nil
	}
	var profiles []string
	for _, a := range addresses {
		found, err := c.profilesOf(ctx, a)
		if err != nil {
			return nil, false, fmt.Errorf("read profile: %w", err)
		}
		for _, p := range found {
			if !slices.Contains(profiles, p) {
				profiles = append(profiles, p)
			}
		}
	}
	for _, p := range profiles {
		found, err := c.profile(ctx, p)
		switch {
		case errors.Is(err, errNoProfile):
			hidden = true
		case err != nil:
			return nil, false, fmt.Errorf("read profile: %w", err)
		}
		all = append(all, found...)
	}
	if !hidden {
		// Somebody who makes their profile public wants to see it at once.
		c.profiles.put(key, all, c.clock.Now())
	}
	return all, hidden, nil
}

// profilesOf returns the addresses of the profiles of the accounts that own an
// e-mail address: one, or none.
func (c *Client) profilesOf(ctx context.Context, address core.Email) ([]string, error) {
	query, ok := filter("recipient_email_all", address.Shown)
	if !ok {
		return nil, nil
	}
	var found []string
	users := map[text]bool{}
	k := call{name: "profile_owner", url: c.path("badges"), permission: "read issued_badges"}
	_, _, err := c.list(ctx, k, query, func(page []entry) bool {
		for _, e := range page {
			b, err := decodeBadge(e.raw)
			if err != nil || b.User == nil || b.User.ID == "" {
				continue
			}
			users[b.User.ID] = true
			if p := c.profileAddress(string(b.User.URL)); p != "" && !slices.Contains(found, p) {
				found = append(found, p)
			}
		}
		return len(page) > 0 && len(found) == 0
	})
	if err != nil && !errors.Is(err, core.ErrRefused) && !hasStatus(err, http.StatusBadRequest) {
		return nil, err
	}
	if len(users) > 1 {
		// Badges of several users mean that the filter was not understood.
		return nil, nil
	}
	return found, nil
}

// profileAddress returns the address of the list behind a profile's page, or
// "" for what is no such page of Credly's.
func (c *Client) profileAddress(page string) string {
	if !c.TrustedURL(page) {
		return ""
	}
	u, err := url.Parse(page)
	if err != nil || u.RawPath != "" {
		return ""
	}
	slug, ok := strings.CutPrefix(u.Path, "/users/")
	if !ok || !validSlug(slug) {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/users/" + slug + "/badges.json"
}

// validSlug reports whether s can be the name of a profile within an address.
func validSlug(s string) bool {
	return s != "" && len(s) <= 200 && s != "." && s != ".." &&
		strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// earnedData is the part of a badge on a public profile that is used.
type earnedData struct {
	ID            text       `json:"id"`
	State         text       `json:"state"`
	IssuedAt      moment     `json:"issued_at"`
	IssuedAtDate  moment     `json:"issued_at_date"`
	ExpiresAt     moment     `json:"expires_at"`
	ExpiresAtDate moment     `json:"expires_at_date"`
	Issuer        issuerData `json:"issuer"`
	Template      struct {
		Name   text       `json:"name"`
		Issuer issuerData `json:"issuer"`
	} `json:"badge_template"`
}

// issuerData names who issued a badge.
type issuerData struct {
	id, name string
}

// UnmarshalJSON never fails.
func (i *issuerData) UnmarshalJSON(raw []byte) error {
	*i = issuerData{}
	var got struct {
		Entities []struct {
			Primary flag `json:"primary"`
			Entity  struct {
				ID   text `json:"id"`
				Name text `json:"name"`
			} `json:"entity"`
		} `json:"entities"`
	}
	if json.Unmarshal(raw, &got) != nil {
		return nil
	}
	for _, e := range got.Entities {
		if i.id == "" || bool(e.Primary) {
			*i = issuerData{string(e.Entity.ID), string(e.Entity.Name)}
		}
	}
	return nil
}

// profile reads a public profile, page by page.
func (c *Client) profile(ctx context.Context, address string) ([]core.Earned, error) {
	var all []core.Earned
	for n := 1; n <= maxProfilePages; n++ {
		a, err := c.public(ctx, "profile", address+"?page="+strconv.Itoa(n), maxProfileAnswer, c.background)
		switch {
		case err != nil:
			return nil, err
		case a.status == http.StatusNotFound || a.status == http.StatusForbidden || a.status == http.StatusUnauthorized:
			return nil, errNoProfile
		case a.status != http.StatusOK:
			return nil, &statusError{status: a.status}
		}
		var page struct {
			Data     []json.RawMessage `json:"data"`
			Metadata struct {
				Pages text `json:"total_pages"`
			} `json:"metadata"`
		}
		if json.Unmarshal(a.body, &page) != nil {
			return nil, errors.New("decode profile")
		}
		for _, raw := range page.Data {
			if e, ok := c.earned(raw, address); ok {
				all = append(all, e)
			}
		}
		if pages, err := strconv.Atoi(string(page.Metadata.Pages)); err != nil || n >= pages || len(page.Data) == 0 {
			break
		}
	}
	return all, nil
}

// earned reads one badge of a profile; false for what is none that is held.
func (c *Client) earned(raw json.RawMessage, address string) (core.Earned, bool) {
	var b earnedData
	if json.Unmarshal(raw, &b) != nil || !validID(string(b.ID)) || b.State != "" && b.State != "accepted" {
		return core.Earned{}, false
	}
	by := b.Issuer
	if by.name == "" {
		by = b.Template.Issuer
	}
	e := core.Earned{
		ID: string(b.ID), Name: shortened(string(b.Template.Name)), Issuer: shortened(by.name), Own: by.id == c.organization,
		IssuedAt: firstSet(b.IssuedAt, b.IssuedAtDate), ExpiresAt: firstSet(b.ExpiresAt, b.ExpiresAtDate),
	}
	site, _, _ := strings.Cut(address, "/users/")
	if page := site + "/badges/" + e.ID; c.TrustedURL(page) {
		e.PageURL = page
	}
	return e, e.Name != ""
}

func shortened(s string) string {
	runes := []rune(strings.TrimSpace(strings.ToValidUTF8(s, "")))
	return string(runes[:min(len(runes), maxProfileText)])
}

// public asks for what everybody can see, without credentials, and reads at
// most limit bytes. In the background it waits behind what somebody waits for.
func (c *Client) public(ctx context.Context, name, address string, limit int64, background bool) (answer, error) {
	if !c.TrustedURL(address) {
		return answer{}, errors.New("not an address of credly")
	}
	if err := c.pace.wait(ctx, background); err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return answer{}, errors.New("make request")
	}
	return c.sendWithin(req, name, limit)
}

// profiles remembers for some minutes what public profiles show, by a hash of
// who was asked for.
type profiles struct {
	mu    sync.Mutex
	known map[string]knownProfile
}

type knownProfile struct {
	all   []core.Earned
	until time.Time
}

func newProfiles() *profiles { return &profiles{known: map[string]knownProfile{}} }

func profileKey(addresses []core.Email) string {
	h := sha256.New()
	for _, a := range addresses {
		// Hashing does not fail.
		_, _ = h.Write([]byte(a.Normal + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (p *profiles) get(key string, now time.Time) ([]core.Earned, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k, ok := p.known[key]
	return slices.Clone(k.all), ok && now.Before(k.until)
}

func (p *profiles) put(key string, all []core.Earned, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for known, k := range p.known {
		if !now.Before(k.until) {
			delete(p.known, known)
		}
	}
	if len(p.known) >= maxProfiles {
		clear(p.known)
	}
	p.known[key] = knownProfile{slices.Clone(all), now.Add(profileFor)}
	// By real time as well: what nobody asks for any more is not kept.
	time.AfterFunc(profileFor, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.known, key)
	})
}
