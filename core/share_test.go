package core

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestShareTokens(t *testing.T) {
	t.Parallel()
	k, other := testKeys(t, 'a'), testKeys(t, 'b')
	id := NewID()
	for _, o := range AllOutlets() {
		token, err := k.ShareToken(o, id)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := k.ShareToken(o, id); again != token || len(token) > 60 {
			t.Errorf("%s: %q, then %q", o, token, again)
		}
		if got, badge, ok := k.ParseShareToken(token); !ok || got != o || badge != id {
			t.Errorf("%s: %s, %s, %v", o, got, badge, ok)
		}
		if _, _, ok := other.ParseShareToken(token); ok {
			t.Errorf("%s: taken with another key", o)
		}
		name, rest, _ := strings.Cut(token, ".")
		for _, forged := range []string{
			"", rest, name, name + ".", "." + rest, "pigeon." + rest, strings.ToUpper(name) + "." + rest, token + ".", token + "A", "x" + token,
		} {
			if _, _, ok := k.ParseShareToken(forged); ok {
				t.Errorf("%q was taken", forged)
			}
		}
		for _, p := range AllOutlets() {
			if _, _, ok := k.ParseShareToken(string(p) + "." + rest); ok != (p == o) {
				t.Errorf("a link of %s was taken for %s", o, p)
			}
		}
		if _, ok := k.ParsePictureToken(rest); ok {
			t.Errorf("a link of %s was taken for a picture", o)
		}
	}
}

func TestSignatureTokens(t *testing.T) {
	t.Parallel()
	k, id := testKeys(t, 'a'), NewID()
	now := time.Date(2026, 11, 2, 23, 59, 0, 0, time.UTC)
	token, err := k.SignatureToken(id, now)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := k.SignatureToken(id, now.Add(30*time.Second)); again != token {
		t.Error("differs within a day")
	}
	rest, end, _ := strings.Cut(token, ".")
	later := strings.Replace(end, "2", "3", 1)
	for name, tt := range map[string]struct {
		token string
		now   time.Time
		want  error
	}{
		"new":                {token, now, nil},
		"30 days later":      {token, now.Add(signatureTTL - time.Nanosecond), nil},
		"32 days later":      {token, now.Add(signatureTTL + 48*time.Hour), ErrGone},
		"later end":          {rest + "." + later + "9", now, ErrNotFound},
		"no end":             {rest, now, ErrNotFound},
		"end written anew":   {rest + ".0" + end, now, ErrNotFound},
		"end with sign":      {rest + ".+" + end, now, ErrNotFound},
		"negative":           {rest + ".-" + end, now, ErrNotFound},
		"huge end":           {rest + ".99999999999999999999", now, ErrNotFound},
		"nothing":            {"", now, ErrNotFound},
		"forged and expired": {strings.Repeat("A", 43) + ".1", now, ErrNotFound},
	} {
		member, err := k.ParseSignatureToken(tt.token, tt.now)
		if !errors.Is(err, tt.want) || tt.want == nil && member != id {
			t.Errorf("%s: %q, %v", name, member, err)
		}
	}
}

// readLink returns what a reader of a link finds in it.
func readLink(t interface{ Fatalf(string, ...any) }, link string) (base string, values url.Values) {
	u, err := url.Parse(link)
	if err != nil {
		t.Fatalf("%s: %v", link, err)
	}
	if strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>\^{|}+`, r) }) {
		t.Fatalf("not encoded: %s", link)
	}
	values, err = url.ParseQuery(u.RawQuery)
	if err != nil {
		t.Fatalf("%s: %v", link, err)
	}
	u.RawQuery = ""
	return u.String(), values
}

func TestLinks(t *testing.T) {
	t.Parallel()
	s := Showing{
		Name: "Zertifizierte Führung & Größe + 100 %", Text: "Ich habe „Größe & Führung“ erworben.", URL: "https://www.credly.com/badges/1?x=1&y=ü#f",
		CredentialID: "IPMA/7", Issuer: Issuer{Name: "Körper & Söhne", LinkedInID: "1234567"},
		IssuedAt:  time.Date(2026, 12, 31, 23, 30, 0, 0, time.FixedZone("", -3600)),
		ExpiresAt: time.Date(2031, 2, 1, 0, 0, 0, 0, time.UTC), Server: "mastodon.example.org",
	}
	both := s.Text + "\n\n" + s.URL
	for o, want := range map[Outlet]struct {
		base   string
		values url.Values
	}{
		OutletProfile: {"https://www.linkedin.com/profile/add", url.Values{
			"startTask": {"CERTIFICATION_NAME"}, "name": {s.Name}, "organizationId": {"1234567"}, "issueYear": {"2027"}, "issueMonth": {"1"},
			"expirationYear": {"2031"}, "expirationMonth": {"2"}, "certUrl": {s.URL}, "certId": {"IPMA/7"},
		}},
		OutletLinkedIn: {"https://www.linkedin.com/sharing/share-offsite/", url.Values{"url": {s.URL}}},
		OutletX:        {"https://twitter.com/intent/tweet", url.Values{"text": {s.Text}, "url": {s.URL}}},
		OutletFacebook: {"https://www.facebook.com/sharer.php", url.Values{"u": {s.URL}}},
		OutletBluesky:  {"https://bsky.app/intent/compose", url.Values{"text": {both}}},
		OutletThreads:  {"https://www.threads.net/intent/post", url.Values{"text": {s.Text}, "url": {s.URL}}},
		OutletMastodon: {"https://mastodon.example.org/share", url.Values{"text": {both}}},
		OutletMail:     {"mailto:", url.Values{"subject": {s.Name}, "body": {strings.ReplaceAll(both, "\n", "\r\n")}}},
	} {
		base, values := readLink(t, o.Link(s))
		if base != want.base || values.Encode() != want.values.Encode() {
			t.Errorf("%s: %s with %v", o, base, values)
		}
	}
	bare := Showing{Name: "A", URL: "https://www.credly.com/badges/1", Issuer: Issuer{Name: "Söhne"}, Server: ""}
	for _, id := range []string{"", "12a", "https://x", strings.Repeat("1", 21)} {
		bare.Issuer.LinkedInID = id
		_, values := readLink(t, OutletProfile.Link(bare))
		if values.Has("organizationId") || values.Get("organizationName") != "Söhne" || values.Has("issueYear") || values.Has("expirationYear") || values.Has("certId") {
			t.Errorf("%q: %v", id, values)
		}
	}
	if got := OutletMastodon.Link(bare) + Outlet("pigeon").Link(bare); got != "" {
		t.Errorf("leads to %s", got)
	}
}

// Whatever the script of a name, what is read from the link is what was put
// into it.
func TestLinksSpeakEveryScript(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.String()
		s := Showing{
			Name: words.Draw(t, "name"), Text: words.Draw(t, "text"), URL: "https://www.credly.com/badges/" + url.PathEscape(words.Draw(t, "path")),
			CredentialID: words.Draw(t, "id"), Issuer: Issuer{Name: words.Draw(t, "issuer")}, Server: "a.example.org",
		}
		for _, o := range AllOutlets() {
			_, values := readLink(t, o.Link(s))
			got := func(key, want string) {
				if values.Get(key) != want {
					t.Fatalf("%s: %s is %q, want %q", o, key, values.Get(key), want)
				}
			}
			switch o {
			case OutletProfile:
				got("name", s.Name)
				got("organizationName", s.Issuer.Name)
				got("certUrl", s.URL)
				got("certId", s.CredentialID)
			case OutletX, OutletThreads:
				got("text", s.Text)
				got("url", s.URL)
			case OutletLinkedIn:
				got("url", s.URL)
			case OutletFacebook:
				got("u", s.URL)
			case OutletMail:
				got("subject", s.Name)
			default:
				got("text", strings.TrimSpace(s.Text+"\n\n"+s.URL))
			}
		}
	})
}

func TestParseServer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mastodon.social": "mastodon.social", " Mastodon.Social/ ": "mastodon.social", "https://fosstodon.org/@ada": "fosstodon.org",
		"@ada@mas.to": "mas.to", "ada@mas.to": "mas.to", "http://mas.to/x?y": "mas.to", "bücher.example": "xn--bcher-kva.example", "mas.to.": "mas.to",
		"": "", "mastodon": "", "localhost": "", "127.0.0.1": "", "[::1]": "", "1.2": "", "mas.to:8443": "", "mas to.org": "", "a..b": "", "-a.org": "",
		"evil.example/?x=mas.to": "evil.example", "javascript:alert(1)": "", "mas.to\n.evil": "", "x.example\x00": "", `"><b>.org`: "", "?.org": "", "a_b.org": "",
		"https://u:p@mas.to/": "mas.to", "mas.to\\@evil.org": "evil.org", strings.Repeat("a.", 200) + "org": "", strings.Repeat("a", 64) + ".org": "",
	} {
		got, ok := ParseServer(text)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

func FuzzParseServer(f *testing.F) {
	for _, seed := range []string{"mastodon.social", "@a@b.c", "https://a.b/c", "xn--", "ü.ü", "a\x00.b", "１.２"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		host, ok := ParseServer(text)
		if !ok {
			return
		}
		u, err := url.Parse("https://" + host + "/share")
		if err != nil || u.Host != host || u.Port() != "" || u.Path != "/share" || !utf8.ValidString(host) {
			t.Errorf("%q: %q, %v", text, host, err)
		}
		if again, ok := ParseServer(host); !ok || again != host {
			t.Errorf("%q: %q, then %q", text, host, again)
		}
	})
}

// shareShelf is a store with one badge.
type shareShelf struct {
	Store
	badge  Badge
	all    []BadgeView
	err    error
	shared []Outlet
}

func (s *shareShelf) Badge(_ context.Context, id string) (Badge, error) {
	if s.err == nil && id != s.badge.ID {
		return Badge{}, ErrNotFound
	}
	return s.badge, s.err
}

func (s *shareShelf) BadgesOf(context.Context, string) ([]BadgeView, error) { return s.all, s.err }

func (s *shareShelf) MarkSharedBy(_ context.Context, _ string, o Outlet, _ time.Time) error {
	s.shared = append(s.shared, o)
	return s.err
}

// shareProvider knows its own links by their host.
type shareProvider struct{ Provider }

func (shareProvider) TrustedURL(link string) bool {
	return strings.HasPrefix(link, "https://www.credly.com/") || strings.HasPrefix(link, "https://images.credly.com/")
}

func (shareProvider) Issuer(context.Context) Issuer { return Issuer{Name: "Body", LinkedInID: "7"} }

func (shareProvider) Embed(Badge) string { return "" }

type shareClock struct{ now time.Time }

func (c shareClock) Now() time.Time { return c.now }

func TestShares(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	store := &shareShelf{badge: Badge{
		ID: NewID(), ProviderID: "p1", Stage: StagePublic, BadgeURL: "https://www.credly.com/badges/1", IssuedAt: now,
		Template: Template{Name: "Gopher", ImageURL: "https://images.credly.com/a.png"},
	}}
	s := &Shares{Store: store, Clock: shareClock{now}, Keys: testKeys(t, 'a'), Provider: shareProvider{}}
	ctx := t.Context()
	token, err := s.Keys.ShareToken(OutletProfile, store.badge.ID)
	if err != nil {
		t.Fatal(err)
	}
	x, err := s.Look(ctx, token)
	if err != nil || x.Showing.CredentialID != "p1" || x.Showing.Issuer.LinkedInID != "7" || x.Showing.URL != store.badge.BadgeURL || len(store.shared) > 0 {
		t.Errorf("%+v, %v", x, err)
	}
	if err := s.Note(ctx, x); err != nil || len(store.shared) != 1 || store.shared[0] != OutletProfile {
		t.Errorf("noted %v, %v", store.shared, err)
	}
	picture, err := s.Keys.PictureToken(store.badge.ID)
	if err != nil {
		t.Fatal(err)
	}
	if at, err := s.Picture(ctx, picture); err != nil || at != store.badge.Template.ImageURL {
		t.Errorf("picture %q, %v", at, err)
	}
	// A link for one thing opens nothing else.
	if _, err := s.Picture(ctx, token); !errors.Is(err, ErrNotFound) {
		t.Errorf("picture by another link: %v", err)
	}
	if _, err := s.Look(ctx, picture); !errors.Is(err, ErrNotFound) {
		t.Errorf("sharing by another link: %v", err)
	}
	good := store.badge
	for name, tt := range map[string]struct {
		change             func()
		look, pictureIsNot error
	}{
		"private":           {func() { store.badge.Stage = StageAccepted }, ErrGone, ErrGone},
		"revoked":           {func() { store.badge.Stage = StageRevoked }, ErrGone, ErrGone},
		"page elsewhere":    {func() { store.badge.BadgeURL = "https://evil.example.com/" }, ErrGone, ErrGone},
		"no page":           {func() { store.badge.BadgeURL = "" }, ErrGone, ErrGone},
		"picture elsewhere": {func() { store.badge.Template.ImageURL = "http://169.254.169.254/latest" }, nil, ErrNotFound},
		"no picture":        {func() { store.badge.Template.ImageURL = "" }, nil, ErrNotFound},
		"erased":            {func() { store.badge.ID = NewID() }, ErrNotFound, ErrNotFound},
		"store away":        {func() { store.err = ErrUnavailable }, ErrUnavailable, ErrUnavailable},
	} {
		store.badge, store.err = good, nil
		tt.change()
		if _, err := s.Look(ctx, token); !errors.Is(err, tt.look) {
			t.Errorf("%s: %v", name, err)
		}
		if at, err := s.Picture(ctx, picture); !errors.Is(err, tt.pictureIsNot) {
			t.Errorf("%s: picture %q, %v", name, at, err)
		}
	}
}

func TestSignatureShowsWhatIsPublic(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	store := &shareShelf{}
	add := func(stage Stage, first, page, picture string) {
		store.all = append(store.all, BadgeView{Badge: Badge{
			ID: NewID(), Stage: stage, FirstName: first, LastName: "Example", BadgeURL: page, Template: Template{ImageURL: picture},
		}})
	}
	const page, picture = "https://www.credly.com/badges/1", "https://images.credly.com/a.png"
	add(StagePending, "Pending", "", picture)
	add(StageAccepted, "Private", page, picture)
	add(StagePublic, "Elsewhere", "https://evil.example.com/", picture)
	add(StagePublic, "Ada", page, picture)
	add(StagePublic, "Later", page, "https://evil.example.com/a.png")
	for range maxSigned {
		add(StagePublic, "Many", page, picture)
	}
	s := &Shares{Store: store, Clock: shareClock{now}, Keys: testKeys(t, 'a'), Provider: shareProvider{}}
	token, err := s.Keys.SignatureToken(NewID(), now)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Signature(t.Context(), token)
	if err != nil || v.Name != "Ada Example" || len(v.Badges) != maxSigned || v.Badges[0].Picture == "" || v.Badges[1].Picture != "" {
		t.Errorf("%+v, %v", v, err)
	}
	if id, ok := s.Keys.ParsePictureToken(v.Badges[0].Picture); !ok || id != v.Badges[0].Badge.ID {
		t.Errorf("picture of %q", id)
	}
	if _, err := s.Signature(t.Context(), "forged"); !errors.Is(err, ErrNotFound) {
		t.Errorf("forged: %v", err)
	}
	store.err = ErrUnavailable
	if _, err := s.Signature(t.Context(), token); !errors.Is(err, ErrUnavailable) {
		t.Errorf("store away: %v", err)
	}
}
