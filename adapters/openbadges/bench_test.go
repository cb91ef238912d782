package openbadges

import (
	"crypto"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

func BenchmarkCanonicalRDF(b *testing.B) {
	v, d := New(Options{}), plain(b, someCredential())
	for b.Loop() {
		if _, err := v.rdf(d, crypto.SHA256, someBudget()); err != nil {
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
	for _, tt := range []struct {
		suite string
		key   crypto.Signer
	}{
		{"eddsa-rdfc-2022", k.ed}, {"eddsa-jcs-2022", k.ed}, {"ecdsa-rdfc-2019", k.ec}, {"ecdsa-rdfc-2019", k.ec384}, {"ecdsa-jcs-2019", k.ec},
	} {
		name := tt.suite
		if tt.key == crypto.Signer(k.ec384) {
			name += "-P-384"
		}
		b.Run(name, func(b *testing.B) {
			benchmarkVerify(b, newWorld(nil), fileOf(b, prove(b, with(someCredential(), doc{"issuer": didOf(tt.key)}), tt.suite, tt.key, didOf(tt.key), nil)))
		})
	}
	b.Run("ecdsa-sd-2023", func(b *testing.B) {
		x := disclose(b, with(someCredential(), doc{"issuer": didOf(k.ec)}), k.ec, someDemands)
		benchmarkVerify(b, newWorld(nil), fileOf(b, x.badge(b)))
	})
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
