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
	// maxOwnerPages bounds how far is looked for the owner of one.
	maxOwnerPages = 2
	// profileFor is how long it is remembered what a profile shows, or that
	// nobody can see it, in this process alone; failureFor that Credly failed.
	profileFor = 5 * time.Minute
	failureFor = 30 * time.Second
	// maxProfiles bounds how many are.
	maxProfiles = 500
	// maxProfileText is the longest name that is taken, in characters.
	maxProfileText = 300
)

var (
	// errNoProfile says that a profile is not there for everybody.
	errNoProfile = errors.New("profile not public")
	errUnread    = errors.New("profile not read")
)

// Earned reads the badges that the owners of the addresses show on their
// public profiles, whoever issued them. The profile's address is the one that
// Credly tells of the account which has the address. What came of it is
// remembered, whatever it is, and who asks meanwhile waits for it: whoever has
// a link to the page of certificates can ask as often as they like.
func (c *Client) Earned(ctx context.Context, addresses []core.Email) (all []core.Earned, hidden bool, err error) {
	key := profileKey(addresses)
	known, done, err := c.profiles.begin(ctx, key, c.clock.Now)
	if err != nil {
		return nil, false, fmt.Errorf("wait for profile: %w", err)
	}
	if done != nil {
		// Whoever waits goes on, whatever happens here.
		known.err = errUnread
		defer func() { done(known) }()
		known.all, known.hidden, known.err = c.readEarned(ctx, addresses)
	}
	return known.all, known.hidden, known.err
}

// readEarned asks Credly: for each address who owns it, and each of their
// profiles.
func (c *Client) readEarned(ctx context.Context, addresses []core.Email) (all []core.Earned, hidden bool, err error) {
	var profiles []string
	for _, a := range addresses[:min(len(addresses), maxAsked)] {
		found, err := c.profileOf(ctx, a, addresses)
		if err != nil {
			return nil, false, fmt.Errorf("read profile: %w", err)
		}
		if found != "" && !slices.Contains(profiles, found) {
			profiles = append(profiles, found)
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
	return all, hidden, nil
}

// profileOf returns the address of the profile of the account that owns an
// e-mail address, or "". That the filter was understood is not believed: only
// the user of a badge counts that names one of the person's own addresses, as
// its recipient or as the user's.
func (c *Client) profileOf(ctx context.Context, address core.Email, own []core.Email) (string, error) {
	query, ok := filter("recipient_email_all", address.Shown)
	if !ok {
		return "", nil
	}
	found, pages := "", 0
	users := map[text]bool{}
	k := call{name: "profile_owner", url: c.path("badges"), permission: "read issued_badges"}
	_, _, err := c.list(ctx, k, query, func(page []entry) bool {
		for _, e := range page {
			b, err := decodeBadge(e.raw)
			if err != nil || b.User == nil || b.User.ID == "" {
				continue
			}
			users[b.User.ID] = true
			if found == "" && (isOneOf(b.RecipientEmail, own) || isOneOf(b.User.Email, own)) {
				found = c.profileAddress(string(b.User.URL))
			}
		}
		pages++
		return len(page) > 0 && found == "" && len(users) <= 1 && pages < maxOwnerPages
	})
	if err != nil && !errors.Is(err, core.ErrRefused) && !hasStatus(err, http.StatusBadRequest) {
		return "", err
	}
	if len(users) > 1 {
		// Badges of several users mean that the filter was not understood.
		return "", nil
	}
	return found, nil
}

// isOneOf reports whether s is one of the addresses, however it is written.
func isOneOf(s text, addresses []core.Email) bool {
	e, err := core.ParseEmail(string(s))
	return err == nil && slices.ContainsFunc(addresses, func(a core.Email) bool { return a.Normal == e.Normal })
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
// who was asked for, and lets one at a time ask for each.
type profiles struct {
	mu    sync.Mutex
	known map[string]knownProfile
	// asking are closed when the answer for a key is known.
	asking map[string]chan struct{}
}

// knownProfile is what came of reading: nothing, where nobody can see it or
// where it failed.
type knownProfile struct {
	all    []core.Earned
	hidden bool
	err    error
	until  time.Time
}

func newProfiles() *profiles {
	return &profiles{known: map[string]knownProfile{}, asking: map[string]chan struct{}{}}
}

func profileKey(addresses []core.Email) string {
	h := sha256.New()
	for _, a := range addresses {
		// Hashing does not fail.
		_, _ = h.Write([]byte(a.Normal + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// begin returns what is known. Where nothing is, it returns how to say what
// came of asking, which has to be called; whoever else comes waits for that.
func (p *profiles) begin(ctx context.Context, key string, now func() time.Time) (knownProfile, func(knownProfile), error) {
	for {
		p.mu.Lock()
		if k, ok := p.known[key]; ok && now().Before(k.until) {
			p.mu.Unlock()
			k.all = slices.Clone(k.all)
			return k, nil, nil
		}
		asked, busy := p.asking[key]
		if !busy {
			asked = make(chan struct{})
			p.asking[key] = asked
			p.mu.Unlock()
			return knownProfile{}, func(k knownProfile) {
				p.put(key, k, now())
				close(asked)
			}, nil
		}
		p.mu.Unlock()
		select {
		case <-asked:
		case <-ctx.Done():
			return knownProfile{}, nil, ctx.Err()
		}
	}
}

func (p *profiles) put(key string, k knownProfile, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.asking, key)
	for known, k := range p.known {
		if !now.Before(k.until) {
			delete(p.known, known)
		}
	}
	if len(p.known) >= maxProfiles {
		clear(p.known)
	}
	keep := profileFor
	if k.err != nil {
		keep = failureFor
	}
	until := now.Add(keep)
	k.all, k.until = slices.Clone(k.all), until
	p.known[key] = k
	// By real time as well: what nobody asks for any more is not kept.
	time.AfterFunc(keep, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.known[key].until.Equal(until) {
			delete(p.known, key)
		}
	})
}
