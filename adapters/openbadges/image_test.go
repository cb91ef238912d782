package openbadges

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	imagepng "image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// squares is a picture whose left half is red and whose right half is blue.
func squares(w, h int) image.Image {
	m := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}})
	for y := range h {
		for x := w / 2; x < w; x++ {
			m.SetColorIndex(x, y, 1)
		}
	}
	return m
}

// aWebP is one pixel without loss, https://developers.google.com/speed/webp/docs/riff_container
const aWebP = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

// hugePNG says that it is huge, and is tiny.
func hugePNG(side uint32) []byte { return madePNG(side, side, 8, 6, 1<<20) }

// whitePNG is all there, of one bit for each pixel.
func whitePNG(w, h uint32) []byte { return madePNG(w, h, 1, 0, int(h)*(1+int(w+7)/8)) }

func madePNG(w, h uint32, depth, colours byte, size int) []byte {
	head := binary.BigEndian.AppendUint32(nil, w)
	head = binary.BigEndian.AppendUint32(head, h)
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(make([]byte, size))
	_ = z.Close()
	return slices.Concat(pngSignature, chunk("IHDR", append(head, depth, colours, 0, 0, 0)), chunk("IDAT", packed.Bytes()), chunk("IEND", nil))
}

func encoded(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestVerdictPicture(t *testing.T) {
	t.Parallel()
	asPNG := encoded(t, func(b *bytes.Buffer) error { return imagepng.Encode(b, squares(560, 280)) })
	asJPEG := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, squares(80, 80), nil) })
	asGIF := encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, squares(280, 560), nil) })
	const at = "https://images.example.org/"
	w := newWorld(map[string]page{
		at + "png": {body: asPNG, kind: "text/html"}, at + "jpeg": {body: asJPEG}, at + "gif": {body: asGIF}, at + "webp": {body: aWebP},
		at + "wide": {body: encoded(t, func(b *bytes.Buffer) error { return imagepng.Encode(b, squares(600, 1)) })},
		at + "svg":  {body: "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", kind: "image/svg+xml"},
		at + "html": {body: "<html>", kind: "image/png"}, at + "empty": {}, at + "cut": {body: asPNG[:len(asPNG)/2]},
		at + "cutjpeg": {body: asJPEG[:20]}, at + "many": {body: string(asJPEG) + strings.Repeat("\xff\xda", maxScans)},
		at + "narrow": {body: whitePNG(1, maxImagePixels)}, at + "low": {body: whitePNG(maxImagePixels, 1)},
		at + "huge": {body: hugePNG(60_000)}, at + "endless": {body: asPNG, endless: true}, at + "large": {body: hugePNG(2401)},
		at + "gone": {status: 410}, at + "down": {status: 503}, at + "broken": {err: errors.New("no")},
		at + "private": {location: "https://10.0.0.1/a.png"}, at + "moved": {location: at + "png"},
	})
	v := w.verifier()
	for _, tt := range []struct {
		name, address string
		w, h          int
		err           error
	}{
		{"PNG, whatever it says to be", at + "png", 512, 256, nil},
		{"JPEG", at + "jpeg", 80, 80, nil},
		{"GIF", at + "gif", 256, 512, nil},
		{"WebP", at + "webp", 1, 1, nil},
		{"flat", at + "wide", 512, 1, nil},
		{"moved", at + "moved", 512, 256, nil},
		{"over http", "http://images.example.org/png", 512, 256, nil},
		{"data", "data:image/png;base64," + base64.StdEncoding.EncodeToString(asPNG), 512, 256, nil},
		{"data in percents", "data:image/gif," + percents(encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, squares(4, 4), nil) })), 4, 4, nil},
		{"drawing", at + "svg", 0, 0, core.ErrNotFound},
		{"page", at + "html", 0, 0, core.ErrNotFound},
		{"nothing", at + "empty", 0, 0, core.ErrNotFound},
		{"cut", at + "cut", 0, 0, core.ErrNotFound},
		{"cut JPEG", at + "cutjpeg", 0, 0, core.ErrNotFound},
		{"bomb of passes", at + "many", 0, 0, core.ErrNotFound},
		{"bomb", at + "huge", 0, 0, core.ErrNotFound},
		{"too large", at + "large", 0, 0, core.ErrNotFound},
		{"narrow", at + "narrow", 0, 0, core.ErrNotFound},
		{"low", at + "low", 0, 0, core.ErrNotFound},
		{"endless", at + "endless", 0, 0, core.ErrNotFound},
		{"gone", at + "gone", 0, 0, core.ErrNotFound},
		{"private", at + "private", 0, 0, core.ErrNotFound},
		{"file", "file:///etc/passwd", 0, 0, core.ErrNotFound},
		{"data that is none", "data:image/png;base64,%%%", 0, 0, core.ErrNotFound},
		{"data without any", "data:image/png;base64,", 0, 0, core.ErrNotFound},
		{"drawn data", "data:image/svg+xml,<svg/>", 0, 0, core.ErrNotFound},
		{"down", at + "down", 0, 0, core.ErrUnreachable},
		{"broken", at + "broken", 0, 0, core.ErrUnreachable},
	} {
		got, err := v.VerdictPicture(t.Context(), tt.address)
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
		if tt.err != nil {
			if len(got) > 0 || err != nil && strings.Contains(err.Error(), "example.org") {
				t.Errorf("%s: %d bytes, %v", tt.name, len(got), err)
			}
			continue
		}
		c, err := imagepng.Decode(bytes.NewReader(got))
		if err != nil || c.Bounds().Dx() != tt.w || c.Bounds().Dy() != tt.h {
			t.Fatalf("%s: %v, %v", tt.name, err, c)
		}
		if r, _, b, _ := c.At(0, 0).RGBA(); tt.name != "WebP" && (r < 0xf000 || b > 0x1000) {
			t.Errorf("%s: the first pixel is %v", tt.name, c.At(0, 0))
		}
	}
	if n := w.times(at + "png"); n > 2 {
		t.Errorf("asked %d times for one picture", n)
	}
}

func percents(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		b.WriteString("%" + string("0123456789ABCDEF"[c>>4]) + string("0123456789ABCDEF"[c&15]))
	}
	return b.String()
}

// TestVerdictPicturesAreForgotten keeps the memory small, and pictures fresh.
func TestVerdictPicturesAreForgotten(t *testing.T) {
	t.Parallel()
	p := newPictures()
	begin := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for i := range 40 {
		p.put(strings.Repeat("x", i), make([]byte, 1<<20), begin)
	}
	if p.size > imageCacheBytes || len(p.known) != p.order.Len() || len(p.known) != imageCacheBytes>>20 {
		t.Errorf("%d bytes in %d pictures", p.size, len(p.known))
	}
	last := strings.Repeat("x", 39)
	if _, ok := p.get(last, begin.Add(imageCacheTime-1)); !ok {
		t.Error("forgotten too early")
	}
	if _, ok := p.get(last, begin.Add(imageCacheTime)); ok || p.size != len(p.known)<<20 {
		t.Error("remembered too long")
	}
}

func FuzzPicture(f *testing.F) {
	var b bytes.Buffer
	if err := gif.Encode(&b, squares(8, 8), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(aWebP))
	f.Add(hugePNG(100))
	b.Reset()
	if err := jpeg.Encode(&b, squares(8, 8), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodePicture(data)
		if err != nil {
			if !errors.Is(err, errNoImage) {
				t.Error(err)
			}
			return
		}
		if s := fit(m, 64).Bounds(); s.Dx() > 64 || s.Dy() > 64 || s.Empty() {
			t.Errorf("%v", s)
		}
	})
}
