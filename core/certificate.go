package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Purposes of the tokens in links about certificates.
const (
	purposeCertificates Purpose = "certificates"
	purposeCalendar     Purpose = "calendar"
)

// CertificatesTTL is how long the link to a person's certificates lives at
// least; it ends with a day (UTC).
const CertificatesTTL = 7 * 24 * time.Hour

// elsewhereWithin is how long a person waits for what they earned elsewhere.
const elsewhereWithin = 4 * time.Second

// maxElsewhere is how many badges from elsewhere are listed.
const maxElsewhere = 100

// CertificatesToken returns the token of the page of a member's certificates,
// which holds its own end. It is the same all day. Links is the number of
// [Keeping]: another number ends every token that was made with this one.
func (k *Keys) CertificatesToken(memberID string, links int, now time.Time) (string, error) {
	rest := strconv.Itoa(links) + "." + strconv.FormatInt(now.Add(CertificatesTTL).Unix()/int64(day/time.Second)+1, 10)
	token, err := k.Token(purposeCertificates+"."+Purpose(rest), memberID)
	if err != nil {
		return "", err
	}
	return token + "." + rest, nil
}

// CalendarToken returns the token of the address of a member's calendar, which
// has no end of its own.
func (k *Keys) CalendarToken(memberID string, links int) (string, error) {
	number := strconv.Itoa(links)
	token, err := k.Token(purposeCalendar+"."+Purpose(number), memberID)
	if err != nil {
		return "", err
	}
	return token + "." + number, nil
}

// ParseCertificatesToken reads what [Keys.CertificatesToken] made, as long as
// it lives. What was true once and is over is told apart from what never was,
// which only its owner can see.
func (k *Keys) ParseCertificatesToken(token string, now time.Time) (memberID string, links int, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", 0, ErrNotFound
	}
	links, ok := plainNumber(parts[1])
	days, known := plainNumber(parts[2])
	if !ok || !known {
		return "", 0, ErrNotFound
	}
	memberID, ok = k.ParseToken(purposeCertificates+"."+Purpose(parts[1]+"."+parts[2]), parts[0])
	switch {
	case !ok:
		return "", 0, ErrNotFound
	case !now.Before(time.Unix(int64(days)*int64(day/time.Second), 0)):
		return "", 0, ErrGone
	}
	return memberID, links, nil
}

// ParseCalendarToken reads what [Keys.CalendarToken] made.
func (k *Keys) ParseCalendarToken(token string) (memberID string, links int, err error) {
	token, number, _ := strings.Cut(token, ".")
	links, ok := plainNumber(number)
	if !ok {
		return "", 0, ErrNotFound
	}
	if memberID, ok = k.ParseToken(purposeCalendar+"."+Purpose(number), token); !ok {
		return "", 0, ErrNotFound
	}
	return memberID, links, nil
}

// plainNumber reads a number that is written in the one usual way.
func plainNumber(s string) (int, bool) {
	n, err := strconv.ParseInt(s, 10, 32)
	return int(n), err == nil && n >= 0 && s == strconv.FormatInt(n, 10)
}

// Keeping is how a member keeps track of certificates.
type Keeping struct {
	// Elsewhere says that the person wants badges listed that they earned
	// elsewhere.
	Elsewhere bool
	// Links is raised to end every link to the certificates.
	Links int
	// Locale is the language of the account that was seen last, or empty.
	Locale string
	// Addresses are the verified ones.
	Addresses []Email
}

// CertificateStore keeps how people keep track of their certificates.
type CertificateStore interface {
	// Keeping returns how a member does it, or [ErrNotFound].
	Keeping(ctx context.Context, memberID string) (Keeping, error)
	// ListElsewhere switches the listing of badges earned elsewhere, with an
	// audit entry. [ErrNotFound] for an unknown actor.
	ListElsewhere(ctx context.Context, actor Identity, on bool, now time.Time) error
	// EndCertificateLinks ends every link to the certificates of the actor's
	// member, with an audit entry. [ErrNotFound] for an unknown actor.
	EndCertificateLinks(ctx context.Context, actor Identity, now time.Time) error
}

// Earned is a badge that a person shows to everybody at the provider, whoever
// issued it.
type Earned struct {
	// ID is the provider's.
	ID           string
	Name, Issuer string
	// IssuedAt and ExpiresAt are zero where unknown or unlimited.
	IssuedAt, ExpiresAt time.Time
	// PageURL is the public page, or empty.
	PageURL string
	// Own says that it is one of this server's issuer.
	Own bool
}

// Profiles is what a [Provider] may know of what people show to everybody.
type Profiles interface {
	// Earned reads the public profiles of the people who own the addresses.
	// Hidden says that there is a profile that nobody else can see. Any error
	// is temporary. Nothing is kept for longer than some minutes.
	Earned(ctx context.Context, addresses []Email) (all []Earned, hidden bool, err error)
}

// ElsewhereState is what became of the listing of badges from elsewhere.
type ElsewhereState string

// States of that listing.
const (
	// ElsewhereNone: it is not offered here.
	ElsewhereNone ElsewhereState = ""
	// ElsewhereOff: the person does not want it.
	ElsewhereOff ElsewhereState = "off"
	// ElsewhereListed: all that everybody can see is listed.
	ElsewhereListed ElsewhereState = "listed"
	// ElsewhereHidden: nobody else can see the person's profile.
	ElsewhereHidden ElsewhereState = "hidden"
	// ElsewhereUnread: the provider does not answer just now.
	ElsewhereUnread ElsewhereState = "unread"
)

// Kept is all that a person keeps track of.
type Kept struct {
	At time.Time
	// Locale is the person's language, or empty.
	Locale string
	// Name is the person's as the newest badge has it, or empty.
	Name string
	// Provider is the provider's name.
	Provider string
	// Own are badges of this server's issuer, Others those from elsewhere.
	Own, Others []Credential
	Elsewhere   ElsewhereState
	// Page and Calendar are the tokens of the links to the page and to the
	// calendar.
	Page, Calendar string
}

// All returns both kinds, own ones first.
func (k Kept) All() []Credential {
	return append(append(make([]Credential, 0, len(k.Own)+len(k.Others)), k.Own...), k.Others...)
}

// Certificates shows people what they earned.
type Certificates struct {
	Store    Store
	Clock    Clock
	Keys     *Keys
	Provider Provider
	// Profiles lists what was earned elsewhere; nil where that is not offered.
	Profiles Profiles
	// Log may be nil.
	Log *slog.Logger
}

// Of returns what a member keeps track of, or [ErrNotFound].
func (c *Certificates) Of(ctx context.Context, memberID string) (Kept, error) {
	k, err := c.Store.Keeping(ctx, memberID)
	if err != nil {
		return Kept{}, fmt.Errorf("read keeping: %w", err)
	}
	return c.kept(ctx, memberID, k, true)
}

// Look returns what the page of a token shows. [ErrNotFound] for a forged
// token; [ErrGone] when it is over, its owner ended it, became one with
// another member or was forgotten.
func (c *Certificates) Look(ctx context.Context, token string) (Kept, error) {
	member, links, err := c.Keys.ParseCertificatesToken(token, c.Clock.Now())
	if err != nil {
		return Kept{}, err
	}
	return c.open(ctx, member, links, true)
}

// Calendar returns what the calendar of a token shows: badges of this server's
// issuer, with little about each. It takes the token of a page as well; the
// errors are those of Look.
func (c *Certificates) Calendar(ctx context.Context, token string) (Kept, error) {
	member, links, err := c.Keys.ParseCalendarToken(token)
	if err != nil {
		if member, links, err = c.Keys.ParseCertificatesToken(token, c.Clock.Now()); err != nil {
			return Kept{}, err
		}
	}
	return c.open(ctx, member, links, false)
}

func (c *Certificates) open(ctx context.Context, member string, links int, others bool) (Kept, error) {
	k, err := c.Store.Keeping(ctx, member)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && k.Links != links:
		return Kept{}, ErrGone
	case err != nil:
		return Kept{}, fmt.Errorf("read keeping: %w", err)
	}
	return c.kept(ctx, member, k, others)
}

func (c *Certificates) kept(ctx context.Context, member string, k Keeping, others bool) (Kept, error) {
	badges, err := c.Store.BadgesOf(ctx, member)
	if err != nil {
		return Kept{}, fmt.Errorf("read badges to keep track of: %w", err)
	}
	now := c.Clock.Now()
	out := Kept{At: now, Locale: k.Locale, Provider: c.Provider.Name(), Own: credentials(badges, now)}
	if out.Page, err = c.Keys.CertificatesToken(member, k.Links, now); err != nil {
		return Kept{}, err
	}
	if out.Calendar, err = c.Keys.CalendarToken(member, k.Links); err != nil {
		return Kept{}, err
	}
	pictures := make(map[string]string, len(badges))
	pages := make(map[string]string, len(badges))
	var newest time.Time
	for _, v := range badges {
		b := v.Badge
		if name := strings.TrimSpace(b.FirstName + " " + b.LastName); name != "" && (out.Name == "" || b.IssuedAt.After(newest)) {
			out.Name, newest = name, b.IssuedAt
		}
		if b.Stage != StagePublic || !c.Provider.TrustedURL(b.BadgeURL) {
			continue
		}
		pages[b.ID] = b.BadgeURL
		if c.Provider.TrustedURL(b.Template.ImageURL) {
			if pictures[b.ID], err = c.Keys.PictureToken(b.ID); err != nil {
				return Kept{}, err
			}
		}
	}
	issuer := ""
	if s, ok := c.Provider.(Showcase); ok && others && len(out.Own) > 0 {
		issuer = s.Issuer(ctx).Name
	}
	for i := range out.Own {
		own := &out.Own[i]
		own.PageURL, own.Picture, own.Issuer = pages[own.ID], pictures[own.ID], issuer
	}
	if others {
		out.Others, out.Elsewhere = c.elsewhere(ctx, k, out.Own, now)
	}
	return out, nil
}

// elsewhere lists what the person shows to everybody and this server does not
// know: of its own issuer it shows only what was issued to a verified address.
func (c *Certificates) elsewhere(ctx context.Context, k Keeping, own []Credential, now time.Time) ([]Credential, ElsewhereState) {
	switch {
	case c.Profiles == nil:
		return nil, ElsewhereNone
	case !k.Elsewhere:
		return nil, ElsewhereOff
	}
	ctx, cancel := context.WithTimeout(ctx, elsewhereWithin)
	defer cancel()
	earned, hidden, err := c.Profiles.Earned(ctx, k.Addresses)
	if err != nil {
		if c.Log != nil {
			c.Log.WarnContext(ctx, "read public profile", "err", err)
		}
		return nil, ElsewhereUnread
	}
	known := make(map[string]bool, len(own)+len(earned))
	for _, o := range own {
		known[o.ProviderID] = true
	}
	var out []Credential
	for _, e := range earned {
		if e.Own || known[e.ID] || len(out) == maxElsewhere {
			continue
		}
		known[e.ID] = true
		one := Credential{
			ID: e.ID, ProviderID: e.ID, Name: e.Name, Issuer: e.Issuer, IssuedAt: e.IssuedAt, ExpiresAt: e.ExpiresAt,
			Validity: validityOf(StagePublic, e.ExpiresAt, now), Days: daysBetween(now, e.ExpiresAt), Elsewhere: true,
		}
		if c.Provider.TrustedURL(e.PageURL) {
			one.PageURL = e.PageURL
		}
		out = append(out, one)
	}
	if hidden && len(out) == 0 {
		return nil, ElsewhereHidden
	}
	return sorted(out), ElsewhereListed
}
