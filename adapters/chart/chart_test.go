package chart

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core/chat"
)

func funnel() chat.BarChart {
	return chat.BarChart{Title: "Der Monat in Badges, für Verantwortliche", Bars: []chat.Bar{
		{Label: "Verliehen", Value: 412, Note: "412"},
		{Label: "Abgeholt", Value: 310, Note: "310 (75 %)"},
		{Label: "Zum Annehmen gegangen", Value: 268, Note: "268 (65 %)"},
		{Label: "Angenommen", Value: 240, Note: "240 (58 %)"},
		{Label: "Öffentlich", Value: 120, Note: "120 (29 %)"},
		{Label: "Gezeigt", Value: 1, Note: "1 (0 %)"},
	}}
}

func draw(t *testing.T, c chat.BarChart) ([]byte, image.Image) {
	t.Helper()
	data, ok := New(slog.New(slog.DiscardHandler)).Bars(c)
	if !ok {
		t.Fatal("not drawn")
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	// CHART_OUT=FILE writes it, to be looked at.
	if out := os.Getenv("CHART_OUT"); out != "" {
		if err := os.WriteFile(out, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return data, picture
}

// count counts the pixels of a colour in a part of a picture.
func count(p image.Image, part image.Rectangle, want color.Color) int {
	n := 0
	r, g, b, a := want.RGBA()
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if pr, pg, pb, pa := p.At(x, y).RGBA(); pr == r && pg == g && pb == b && pa == a {
				n++
			}
		}
	}
	return n
}

func TestBars(t *testing.T) {
	t.Parallel()
	data, picture := draw(t, funnel())
	size := picture.Bounds()
	if size.Dx() != width || size.Dy() != titleHeight+6*rowHeight+margin/2 || len(data) > 200<<10 {
		t.Errorf("%v, %d bytes", size, len(data))
	}
	// Opaque to its edges, on its own ground.
	for _, at := range []image.Point{{0, 0}, {size.Max.X - 1, 0}, {0, size.Max.Y - 1}, {width / 2, 10}} {
		if _, _, _, a := picture.At(at.X, at.Y).RGBA(); a != math.MaxUint16 {
			t.Errorf("%v is not opaque", at)
		}
	}
	if picture.At(20, 20) != color.Color(color.RGBA{255, 255, 255, 255}) && count(picture, image.Rect(20, 20, 21, 21), ground) != 1 {
		t.Errorf("the ground is %v", picture.At(20, 20))
	}
	// A longer bar has more of its colour; none is without.
	before := math.MaxInt
	for i := range funnel().Bars {
		top := titleHeight + i*rowHeight
		n := count(picture, image.Rect(0, top, width, top+barHeight), bars)
		if n == 0 || n >= before {
			t.Errorf("bar %d has %d pixels, the one before %d", i, n, before)
		}
		before = n
		if n := count(picture, image.Rect(margin, top, margin+200, top+barHeight), ink); n < 100 {
			t.Errorf("bar %d: %d pixels of its label", i, n)
		}
	}
	if n := count(picture, image.Rect(margin, 0, width, titleHeight-margin/2), ink); n < 1000 {
		t.Errorf("%d pixels of the title", n)
	}
	again, _ := draw(t, funnel())
	if !bytes.Equal(data, again) {
		t.Error("the same chart is another picture")
	}
}

// Whatever it holds, a chart is a picture of its size.
func TestStrangeBars(t *testing.T) {
	t.Parallel()
	if _, ok := New(slog.New(slog.DiscardHandler)).Bars(chat.BarChart{Title: "None"}); ok {
		t.Error("a chart of nothing was drawn")
	}
	for name, c := range map[string]chat.BarChart{
		"zeros":  {Title: "Zeros", Bars: []chat.Bar{{Label: "None", Value: 0}, {Label: "", Value: 0}}},
		"long":   {Title: strings.Repeat("Long ", 60), Bars: []chat.Bar{{Label: strings.Repeat("label ", 40), Value: math.MaxInt64, Note: strings.Repeat("9", 80)}}},
		"signs":  {Title: "ñ ü 徽章 🎉\n\x00\xff", Bars: []chat.Bar{{Label: "Públicas", Value: 3}, {Label: "\xff", Value: -4}}},
		"single": {Bars: []chat.Bar{{Label: "One", Value: 1}}},
	} {
		_, picture := draw(t, c)
		if got := picture.Bounds().Dx(); got != width {
			t.Errorf("%s: %d wide", name, got)
		}
	}
}

// Text stands out from the ground, and bars from the ground and their track.
func TestContrast(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		a, b color.Color
		want float64
	}{
		{"text", ink, ground, 7},
		{"text on a track", ink, track, 4.5},
		{"bars", bars, ground, 3},
		{"bars on a track", bars, track, 3},
	} {
		if got := contrast(tt.a, tt.b); got < tt.want {
			t.Errorf("%s: %.1f, want %.1f", tt.name, got, tt.want)
		}
	}
}

// contrast is the ratio of https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio.
func contrast(a, b color.Color) float64 {
	light := func(c color.Color) float64 {
		linear := func(v uint32) float64 {
			s := float64(v) / math.MaxUint16
			if s <= 0.04045 {
				return s / 12.92
			}
			return math.Pow((s+0.055)/1.055, 2.4)
		}
		r, g, b, _ := c.RGBA()
		return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
	}
	la, lb := light(a), light(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// A chart is drawn when it is its turn: each canvas takes megabytes, and many
// digests are due at the same time.
func TestChartsTakeTurns(t *testing.T) {
	t.Parallel()
	p := &Painter{log: slog.New(slog.DiscardHandler), turns: make(chan struct{})}
	drawn := make(chan bool, 1)
	go func() {
		_, ok := p.Bars(funnel())
		drawn <- ok
	}()
	select {
	case <-p.turns:
	case <-drawn:
		t.Fatal("drawn without a turn")
	}
	// The turn is given back.
	p.turns <- struct{}{}
	if !<-drawn {
		t.Error("not drawn")
	}
}
