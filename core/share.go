package core

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Purposes of the tokens in links about showing badges.
const (
	purposeShare     Purpose = "share"
	purposePicture   Purpose = "picture"
	purposeSignature Purpose = "signature"
)

// signatureTTL is how long the link to the page of signatures lives at least;
// it ends with a day (UTC).
const signatureTTL = 30 * 24 * time.Hour

// maxSigned is how many badges can be chosen from for a signature.
const maxSigned = 12

// ShareToken returns the token of the link by which the owner of a badge
// shows it by an outlet. The same badge and outlet have the same token.
func (k *Keys) ShareToken(o Outlet, badgeID string) (string, error) {
	token, err := k.Token(purposeShare+"."+Purpose(o), badgeID)
	if err != nil {
		return "", err
	}
	return string(o) + "." + token, nil
}

// ParseShareToken reads what [Keys.ShareToken] made.
func (k *Keys) ParseShareToken(token string) (o Outlet, badgeID string, ok bool) {
	name, rest, _ := strings.Cut(token, ".")
	for _, known := range AllOutlets() {
		if string(known) == name {
			badgeID, ok = k.ParseToken(purposeShare+"."+Purpose(known), rest)
			return known, badgeID, ok
		}
	}
	return "", "", false
}

// PictureToken returns the token of the address of a badge's picture.
func (k *Keys) PictureToken(badgeID string) (string, error) { return k.Token(purposePicture, badgeID) }

// ParsePictureToken reads what [Keys.PictureToken] made.
func (k *Keys) ParsePictureToken(token string) (badgeID string, ok bool) {
	return k.ParseToken(purposePicture, token)
}

// SignatureToken returns the token of a member's page of signatures, which
// holds its own end. It is the same all day.
func (k *Keys) SignatureToken(memberID string, now time.Time) (string, error) {
	end := strconv.FormatInt(now.Add(signatureTTL).Unix()/int64(day/time.Second)+1, 10)
	token, err := k.Token(purposeSignature+"."+Purpose(end), memberID)
	if err != nil {
		return "", err
	}
	return token + "." + end, nil
}

// ParseSignatureToken reads what [Keys.SignatureToken] made, as long as it
// lives. What was true once and is over is told apart from what never was,
// which only its owner can see.
func (k *Keys) ParseSignatureToken(token string, now time.Time) (memberID string, err error) {
	token, end, _ := strings.Cut(token, ".")
	days, err := strconv.ParseInt(end, 10, 32)
	if err != nil || end != strconv.FormatInt(days, 10) {
		return "", ErrNotFound
	}
	memberID, ok := k.ParseToken(purposeSignature+"."+Purpose(end), token)
	switch {
	case !ok:
		return "", ErrNotFound
	case !now.Before(time.Unix(days*int64(day/time.Second), 0)):
		return "", ErrGone
	}
	return memberID, nil
}

// ShareStore keeps what is known of showing badges.
type ShareStore interface {
	// MarkSharedBy notes that a public badge was shown by an outlet, the first
	// time, with a count for the outlet and an audit entry. It does nothing
	// where the badge was shown before, or is not public.
	MarkSharedBy(ctx context.Context, badgeID string, o Outlet, now time.Time) error
}

// Showcase is what a [Provider] may know beside everything else about showing
// its badges.
type Showcase interface {
	// Embed returns the HTML that shows a public badge within a page, or "".
	Embed(b Badge) string
	// Issuer returns how the issuer is known; zero where that is not known.
	// It takes no longer than a moment.
	Issuer(ctx context.Context) Issuer
}

// Sharing is a badge on its way to be shown.
type Sharing struct {
	Outlet Outlet
	Badge  Badge
	// Showing holds everything but the words and the person's own server.
	Showing Showing
}

// Shares leads people to where they show their badges. Of who looks at what
// is shown nothing is known here.
type Shares struct {
	Store    Store
	Clock    Clock
	Keys     *Keys
	Provider Provider
}

// Look tells where a link leads, and notes nothing. [ErrNotFound] for a forged
// or unknown token, [ErrGone] when the badge is not public any more.
func (s *Shares) Look(ctx context.Context, token string) (Sharing, error) {
	o, id, ok := s.Keys.ParseShareToken(token)
	if !ok {
		return Sharing{}, ErrNotFound
	}
	b, err := s.public(ctx, id)
	if err != nil {
		return Sharing{}, err
	}
	out := Sharing{Outlet: o, Badge: b, Showing: Showing{
		Name: b.Template.Name, URL: b.BadgeURL, IssuedAt: b.IssuedAt, ExpiresAt: b.ExpiresAt,
		CredentialID: b.Certificate.Number,
	}}
	if out.Showing.CredentialID == "" {
		out.Showing.CredentialID = b.ProviderID
	}
	if c, ok := s.Provider.(Showcase); ok && o == OutletProfile {
		out.Showing.Issuer = c.Issuer(ctx)
	}
	return out, nil
}

// Note notes that the owner of the badge has taken the link.
func (s *Shares) Note(ctx context.Context, x Sharing) error {
	if err := s.Store.MarkSharedBy(ctx, x.Badge.ID, x.Outlet, s.Clock.Now()); err != nil {
		return fmt.Errorf("note sharing: %w", err)
	}
	return nil
}

// Picture returns where the provider has the badge's picture now: an address
// of its own, and no other. [ErrNotFound] for a forged or unknown token and for
// a badge without a picture, [ErrGone] when it is not public any more.
func (s *Shares) Picture(ctx context.Context, token string) (string, error) {
	id, ok := s.Keys.ParsePictureToken(token)
	if !ok {
		return "", ErrNotFound
	}
	b, err := s.public(ctx, id)
	if err != nil {
		return "", err
	}
	if !s.Provider.TrustedURL(b.Template.ImageURL) {
		return "", ErrNotFound
	}
	return b.Template.ImageURL, nil
}

func (s *Shares) public(ctx context.Context, id string) (Badge, error) {
	b, err := s.Store.Badge(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Badge{}, ErrNotFound
	}
	if err != nil {
		return Badge{}, fmt.Errorf("read shared badge: %w", err)
	}
	if !s.shows(b) {
		return Badge{}, ErrGone
	}
	return b, nil
}

// shows reports whether everybody may look at the badge.
func (s *Shares) shows(b Badge) bool {
	return b.Stage == StagePublic && b.BadgeURL != "" && s.Provider.TrustedURL(b.BadgeURL)
}

// SignatureView is what a person can put into a signature.
type SignatureView struct {
	// Name is that on the newest badge, or empty.
	Name string
	// Badges are public, newest first.
	Badges []SignedBadge
}

// SignedBadge is a badge in a signature.
type SignedBadge struct {
	Badge Badge
	// Picture is the token of the address of its picture; empty where it has
	// none.
	Picture string
}

// Signature returns what the owner of a page of signatures can choose from.
// [ErrNotFound] for a forged token, [ErrGone] when it is over.
func (s *Shares) Signature(ctx context.Context, token string) (SignatureView, error) {
	member, err := s.Keys.ParseSignatureToken(token, s.Clock.Now())
	if err != nil {
		return SignatureView{}, err
	}
	all, err := s.Store.BadgesOf(ctx, member)
	if err != nil {
		return SignatureView{}, fmt.Errorf("read badges for a signature: %w", err)
	}
	var view SignatureView
	for _, v := range all {
		b := v.Badge
		if !s.shows(b) || len(view.Badges) == maxSigned {
			continue
		}
		signed := SignedBadge{Badge: b}
		if s.Provider.TrustedURL(b.Template.ImageURL) {
			if signed.Picture, err = s.Keys.PictureToken(b.ID); err != nil {
				return SignatureView{}, err
			}
		}
		if view.Name == "" {
			view.Name = strings.TrimSpace(b.FirstName + " " + b.LastName)
		}
		view.Badges = append(view.Badges, signed)
	}
	return view, nil
}
