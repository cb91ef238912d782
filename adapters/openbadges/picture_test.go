package openbadges

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
)

func chunk(kind string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func png(chunks ...[]byte) []byte {
	out := append([]byte{}, pngSignature...)
	out = append(out, chunk("IHDR", make([]byte, 13))...)
	for _, c := range chunks {
		out = append(out, c...)
	}
	return append(out, chunk("IEND", nil)...)
}

func iTXt(keyword, text string) []byte {
	return chunk("iTXt", []byte(keyword+"\x00\x00\x00\x00\x00"+text))
}

func zTXt(t testing.TB, keyword string, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(keyword + "\x00\x01\x00en\x00\x00")
	z := zlib.NewWriter(&b)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return chunk("iTXt", b.Bytes())
}

func TestUnbakePNG(t *testing.T) {
	t.Parallel()
	good := png(iTXt("openbadges", "hello"))
	flipped := bytes.Clone(good)
	flipped[bytes.Index(flipped, []byte("hello"))] = 'j'
	tests := []struct {
		name string
		data []byte
		want string
		err  error
	}{
		{"2.0", good, "hello", nil},
		{"3.0", png(iTXt("openbadgecredential", "hello")), "hello", nil},
		{"legacy", png(chunk("tEXt", []byte("openbadges\x00https://example.org/1"))), "https://example.org/1", nil},
		{"before and behind the picture", png(chunk("IDAT", []byte("x")), iTXt("openbadges", "hello")), "hello", nil},
		{"the first wins", png(iTXt("openbadges", "one"), iTXt("openbadgecredential", "two")), "one", nil},
		{"other texts", png(iTXt("Comment", "x"), chunk("tEXt", []byte("openbadgesX\x00y")), iTXt("openbadges", "hello")), "hello", nil},
		{"compressed", png(zTXt(t, "openbadges", []byte("hello"))), "hello", nil},
		{"none", png(), "", errNoBadge},
		{"altered", flipped, "", errBroken},
		{"cut off", good[:len(good)-3], "", errBroken},
		{"no end", good[:len(good)-12], "", errBroken},
		{"length beyond the end", append(append([]byte{}, pngSignature...), "\xff\xff\xff\xffIHDR...."...), "", errBroken},
		{"bomb", png(zTXt(t, "openbadges", make([]byte, 8<<20))), "", errTooMuch},
		{"long text", png(iTXt("openbadges", strings.Repeat("a", maxDocumentBytes+1))), "", errTooMuch},
		{"broken compression", png(chunk("iTXt", []byte("openbadges\x00\x01\x00\x00\x00nonsense"))), "", errBroken},
		{"too short", png(chunk("iTXt", []byte("openbadges\x00\x00"))), "", errBroken},
		{"no keyword end", png(chunk("iTXt", []byte("openbadges"))), "", errNoBadge},
		{"many chunks", png(bytes.Repeat(chunk("tEXt", nil), maxChunks+1)), "", errTooManyC},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := unbakePNG(tt.data)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestUnbakeSVG(t *testing.T) {
	t.Parallel()
	svg := func(space, inside string) string {
		return `<?xml version="1.0" encoding="UTF-8"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="` + space + `"><g>` + inside + `</g></svg>`
	}
	tests := []struct {
		name, data, want string
		err              error
	}{
		{"2.0 address", svg(svgSpace2, `<openbadges:assertion verify="https://example.org/1"><![CDATA[{"a":1}]]></openbadges:assertion>`), "https://example.org/1", nil},
		{"2.0 JSON", svg(svgSpace2, `<openbadges:assertion> <![CDATA[ {"a":1} ]]> </openbadges:assertion>`), `{"a":1}`, nil},
		{"3.0 token", svg(svgSpace3, `<openbadges:credential verify="eyJ.a.b"/>`), "eyJ.a.b", nil},
		{"3.0 JSON", svg(svgSpace3, `<openbadges:credential><![CDATA[{"a":1}]]></openbadges:credential>`), `{"a":1}`, nil},
		{"the first wins", svg(svgSpace3, `<openbadges:credential verify="one"/><openbadges:credential verify="two"/>`), "one", nil},
		{"another name space", svg("https://example.org/", `<openbadges:assertion verify="https://example.org/1"/>`), "", errNoBadge},
		{"none", svg(svgSpace2, ``), "", errNoBadge},
		{"empty", svg(svgSpace2, `<openbadges:assertion/>`), "", errNoBadge},
		{"elements inside", svg(svgSpace2, `<openbadges:assertion><a/></openbadges:assertion>`), "", errBroken},
		{"broken", svg(svgSpace2, `<openbadges:assertion>`), "", errBroken},
		{"entities", `<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>` + svg(svgSpace2, `&b;<openbadges:assertion verify="https://example.org/1"/>`), "", errBroken},
		{"deep", svg(svgSpace2, strings.Repeat("<g>", maxElementDepth)), "", errTooManyC},
		{"many attributes", svg(svgSpace2, "<g "+strings.Repeat(`a="" `, maxAttributes+1)+"/>"), "", errTooManyC},
		{"many attributes altogether", svg(svgSpace2, strings.Repeat("<g "+strings.Repeat(`a="" `, maxAttributes-10)+"/>", 5)), "", errTooManyC},
		{"many signs in several", svg(svgSpace2, strings.Repeat(`<g a="`+strings.Repeat("=", maxAttributes-1)+`"/>`, 2)), "", errNoBadge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !looksLikeSVG([]byte(tt.data)) {
				t.Fatal("not seen as SVG")
			}
			got, err := unbakeSVG([]byte(tt.data))
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// A baked badge is verified as what it holds, from a file and from a link.
func TestBakedBadges(t *testing.T) {
	t.Parallel()
	k := testKeys()
	raw, err := json.Marshal(someAssertion())
	if err != nil {
		t.Fatal(err)
	}
	credential, err := json.Marshal(prove(t, someCredential(), "eddsa-jcs-2022", k.ed, didOf(k.ed), nil))
	if err != nil {
		t.Fatal(err)
	}
	const pictureURL = "https://example.org/picture"
	for name, data := range map[string][]byte{
		"hosted":     png(iTXt("openbadges", string(raw))),
		"legacy":     png(chunk("tEXt", []byte("openbadges\x00"+assertionURL))),
		"credential": png(iTXt("openbadgecredential", string(credential))),
		"svg":        []byte(`<svg xmlns:o="` + svgSpace2 + `"><o:assertion verify="` + assertionURL + `"/></svg>`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hostedWorld()
			wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{File: data}), core.VerdictGenuine)
			w.set(pictureURL, page{kind: "image/png", body: data})
			wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{Link: pictureURL}), core.VerdictGenuine)
		})
	}
}
