package openbadges

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"hash/crc32"
	"io"
	"strings"
)

// Baking: https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/baking/index.html
// and https://www.imsglobal.org/spec/ob/v3p0#baking

var pngSignature = []byte("\x89PNG\r\n\x1a\n")

var (
	errNoBadge  = errors.New("the picture holds no badge")
	errBroken   = errors.New("the picture is damaged")
	errTooMuch  = errors.New("the badge in the picture is larger than 1 MB")
	errTooManyC = errors.New("the picture has too many parts")
)

// maxChunks bounds the parts of a PNG.
const maxChunks = 20_000

// unbakePNG returns the text that is baked into a PNG: the first of its
// chunks that is meant for one. Every chunk's checksum is held against it.
func unbakePNG(data []byte) (string, error) {
	rest := data[len(pngSignature):]
	baked, found := "", false
	for range maxChunks {
		if len(rest) < 12 {
			return "", errBroken
		}
		length := binary.BigEndian.Uint32(rest)
		if uint64(length) > uint64(len(rest)-12) {
			return "", errBroken
		}
		chunk, sum := rest[4:8+length], binary.BigEndian.Uint32(rest[8+length:])
		if crc32.ChecksumIEEE(chunk) != sum {
			return "", errBroken
		}
		rest = rest[12+length:]
		kind, body := string(chunk[:4]), chunk[4:]
		if kind == "IEND" {
			if !found {
				return "", errNoBadge
			}
			return baked, nil
		}
		if found || kind != "iTXt" && kind != "tEXt" {
			continue
		}
		text, ok, err := bakedText(kind, body)
		if err != nil {
			return "", err
		}
		if ok {
			baked, found = text, true
		}
	}
	return "", errTooManyC
}

// bakedText reads a text chunk: https://www.w3.org/TR/png-3/#11iTXt
func bakedText(kind string, body []byte) (string, bool, error) {
	keyword, rest, ok := bytes.Cut(body, []byte{0})
	if name := string(keyword); !ok || name != "openbadges" && name != "openbadgecredential" {
		return "", false, nil
	}
	if kind == "tEXt" {
		if len(rest) > maxDocumentBytes {
			return "", false, errTooMuch
		}
		return string(rest), true, nil
	}
	if len(rest) < 2 {
		return "", false, errBroken
	}
	packed := rest[0] == 1
	rest = rest[2:]
	for range 2 { // The language, and the keyword in that language.
		if _, rest, ok = bytes.Cut(rest, []byte{0}); !ok {
			return "", false, errBroken
		}
	}
	if !packed {
		if len(rest) > maxDocumentBytes {
			return "", false, errTooMuch
		}
		return string(rest), true, nil
	}
	z, err := zlib.NewReader(bytes.NewReader(rest))
	if err != nil {
		return "", false, errBroken
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxDocumentBytes+1))
	switch {
	case err != nil:
		return "", false, errBroken
	case len(plain) > maxDocumentBytes:
		return "", false, errTooMuch
	}
	return string(plain), true, nil
}

// The names of badges inside an SVG, 2.0 and 3.0.
const (
	svgSpace2 = "http://openbadges.org"
	svgSpace3 = "https://purl.imsglobal.org/ob/v3p0"
)

// maxElements, maxElementDepth and maxAttributes, of one element and of all,
// bound an SVG.
const (
	maxElements      = 200_000
	maxElementDepth  = 256
	maxAttributes    = 50_000
	maxAllAttributes = 200_000
)

// tags hands an SVG to the decoder byte by byte and ends it where there are too
// many attributes: the decoder would gather those of an element first, and
// remembers name spaces as long as elements last. Each has an equals sign.
type tags struct {
	rest []byte
	// equals are those since the last token, all those of the whole.
	equals, all int
}

// ReadByte makes the decoder read no further than it has to.
func (t *tags) ReadByte() (byte, error) {
	if len(t.rest) == 0 {
		return 0, io.EOF
	}
	c := t.rest[0]
	if t.rest = t.rest[1:]; c == '=' {
		t.equals++
		if t.all++; t.equals > maxAttributes || t.all > maxAllAttributes {
			return 0, errTooManyC
		}
	}
	return c, nil
}

// Read is what else a reader needs.
func (t *tags) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := t.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

func looksLikeSVG(data []byte) bool {
	head := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	return bytes.HasPrefix(head, []byte("<")) && bytes.Contains(head[:min(len(head), 64<<10)], []byte("<svg"))
}

// unbakeSVG returns the text that is baked into an SVG: its verify attribute
// when that is a token or an address, otherwise the JSON inside.
func unbakeSVG(data []byte) (string, error) {
	from := &tags{rest: data}
	d := xml.NewDecoder(from)
	depth := 0
	for range maxElements {
		token, err := d.Token()
		from.equals = 0
		switch {
		case errors.Is(err, io.EOF):
			return "", errNoBadge
		case errors.Is(err, errTooManyC):
			return "", errTooManyC
		case err != nil:
			return "", errBroken
		}
		switch e := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxElementDepth {
				return "", errTooManyC
			}
			if bakedElement(e.Name) {
				return elementText(d, e)
			}
		case xml.EndElement:
			depth--
		}
	}
	return "", errTooManyC
}

func bakedElement(name xml.Name) bool {
	space := strings.TrimSuffix(name.Space, "/")
	return (space == svgSpace2 || space == svgSpace3) && (name.Local == "assertion" || name.Local == "credential")
}

func elementText(d *xml.Decoder, start xml.StartElement) (string, error) {
	for _, a := range start.Attr {
		if a.Name.Local == "verify" && strings.TrimSpace(a.Value) != "" {
			return strings.TrimSpace(a.Value), nil
		}
	}
	var inside strings.Builder
	for range maxElements {
		token, err := d.Token()
		if err != nil {
			return "", errBroken
		}
		switch e := token.(type) {
		case xml.CharData:
			if inside.Len()+len(e) > maxDocumentBytes {
				return "", errTooMuch
			}
			inside.Write(e)
		case xml.StartElement:
			return "", errBroken
		case xml.EndElement:
			if text := strings.TrimSpace(inside.String()); text != "" {
				return text, nil
			}
			return "", errNoBadge
		}
	}
	return "", errTooManyC
}
