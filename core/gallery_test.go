package core_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// echo gives the address back as its picture.
type echo struct{}

func (echo) VerdictPicture(_ context.Context, image string) ([]byte, error) {
	if strings.HasSuffix(image, ".svg") {
		return nil, core.ErrNotFound
	}
	return []byte(image), nil
}

type galleryClock struct{ now time.Time }

func (c *galleryClock) Now() time.Time { return c.now }

func TestGallery(t *testing.T) {
	t.Parallel()
	keys := func(first byte, former ...byte) *core.Keys {
		var more [][]byte
		for _, b := range former {
			more = append(more, []byte(strings.Repeat(string(b), core.KeyBytes)))
		}
		k, err := core.NewKeys([]byte(strings.Repeat(string(first), core.KeyBytes)), more...)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	clock := &galleryClock{time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)}
	g := &core.Gallery{Keys: keys('a'), Clock: clock, Pictures: echo{}}
	const image = "https://images.example.org/badge.png?size=\u00fc"
	token := g.Token(image)
	if token != g.Token(image) {
		t.Error("the same picture has two addresses")
	}
	want := func(name string, g *core.Gallery, token string, want error) {
		t.Helper()
		got, err := g.Picture(t.Context(), token)
		if !errors.Is(err, want) || want == nil && string(got) != image {
			t.Errorf("%s: %q, %v, want %v", name, got, err, want)
		}
	}
	want("its own", g, token, nil)
	want("a former key", &core.Gallery{Keys: keys('b', 'a'), Clock: clock, Pictures: echo{}}, token, nil)
	want("another key", &core.Gallery{Keys: keys('b'), Clock: clock, Pictures: echo{}}, token, core.ErrNotFound)
	want("no picture", g, g.Token("https://images.example.org/badge.svg"), core.ErrNotFound)

	text, end, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		want("altered", g, base64.RawURLEncoding.EncodeToString(raw)+"."+end, core.ErrNotFound)
		raw[i] ^= 1
	}
	for _, forged := range []string{
		"", ".", "." + end, text, text + ".", text + ".+" + end, text + ".0" + end, text + ".99999", text + "." + end + "0", text + "\n." + end,
		text + "=." + end, strings.Repeat("A", 1<<20) + "." + end, base64.RawURLEncoding.EncodeToString([]byte(image)) + "." + end,
	} {
		want("forged", g, forged, core.ErrNotFound)
	}
	for _, none := range []string{"", "data:image/png;base64,AAAA", "javascript:alert(1)", "https://example.org/" + strings.Repeat("a", 1300)} {
		if got := g.Token(none); got != "" {
			t.Errorf("%.40q has the address %q", none, got)
		}
	}
	clock.now = clock.now.Add(core.VerdictPictureTTL)
	want("after its thirty days", g, token, nil)
	clock.now = clock.now.Add(24 * time.Hour)
	want("over", g, token, core.ErrGone)
}
