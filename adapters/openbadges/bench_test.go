package openbadges

import (
	"crypto"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

func BenchmarkCanonicalRDF(b *testing.B) {
	v, d := New(Options{}), plain(b, someCredential())
	for b.Loop() {
		if _, err := v.rdf(d, crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCanonicalJSON(b *testing.B) {
	d := plain(b, someCredential())
	for b.Loop() {
		if _, err := jcs(d); err != nil {
			b.Fatal(err)
		}
	}
}

// benchmarkVerify measures a whole verification without the network.
func benchmarkVerify(b *testing.B, w *world, q core.BadgeQuery) {
	b.Helper()
	v := w.verifier()
	for b.Loop() {
		if got := v.Verify(b.Context(), q); !got.Genuine() {
			b.Fatalf("%+v", got)
		}
	}
}

func BenchmarkHosted(b *testing.B) {
	benchmarkVerify(b, hostedWorld(), core.BadgeQuery{Link: assertionURL})
}

func BenchmarkSigned(b *testing.B) {
	benchmarkVerify(b, signedWorld(b), core.BadgeQuery{File: []byte(token(b, signedAssertionDoc(), jose.RS256, testKeys().rsa, nil))})
}

func BenchmarkDataIntegrity(b *testing.B) {
	k := testKeys()
	for _, suite := range []string{"eddsa-rdfc-2022", "eddsa-jcs-2022"} {
		b.Run(suite, func(b *testing.B) {
			raw, err := json.Marshal(prove(b, someCredential(), suite, k.ed, didOf(k.ed), nil))
			if err != nil {
				b.Fatal(err)
			}
			benchmarkVerify(b, newWorld(nil), core.BadgeQuery{File: raw})
		})
	}
}

func BenchmarkUnbakePNG(b *testing.B) {
	data := png(chunk("IDAT", make([]byte, 100<<10)), iTXt("openbadges", "hello"))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := unbakePNG(data); err != nil {
			b.Fatal(err)
		}
	}
}
