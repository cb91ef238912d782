package core

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseEmail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, typed, normal string }{
		{"plain", "ada@example.org", "ada@example.org"},
		{"space around", "  ada@example.org\t", "ada@example.org"},
		{"case", "Ada.L@EXAMPLE.org", "ada.l@example.org"},
		{"plus", "ada+badges@example.org", "ada+badges@example.org"},
		{"angle brackets", "<ada@example.org>", "ada@example.org"},
		{"international domain", "ada@Bücher.example", "ada@xn--bcher-kva.example"},
		{"the same domain in ASCII", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"},
		{"international local part", "Jörg@example.org", "jörg@example.org"},
		{"international full stops", "ada@example\u3002org\u3002", "ada@example.org"},
		{"decomposed local part", "Jo\u0308rg@example.org", "jörg@example.org"},
		{"sharp s folds", "GROß@example.org", "gross@example.org"},
		{"apostrophe", "o'neil@example.org", "o'neil@example.org"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseEmail(tt.typed)
			if err != nil || got.Normal != tt.normal {
				t.Errorf("ParseEmail(%q) = %q, %v, want %q", tt.typed, got.Normal, err, tt.normal)
			}
		})
	}
}

func TestParseEmailRefuses(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{
		"", "ada", "ada@", "@example.org", "ada@example", "ada@@example.org", "ada@example..org", "Ada <ada@example.org>",
		"ada@example.org, bob@example.org", "ada @example.org", "ada@exa mple.org", "ada\x00@example.org",
		"ada@example.org\r\nBcc: bob@example.org", "ada\u200b@example.org", "ada\ufffd@example.org",
		"ada@[127.0.0.1]", "ada@-example.org", strings.Repeat("a", 65) + "@example.org",
		"ada@" + strings.Repeat("a.", 130) + "org", "ada@exam_ple.org\xff",
		"ada@\u3002example.org", "ada@" + strings.Repeat("a", 64) + ".org",
	} {
		if got, err := ParseEmail(typed); !errors.Is(err, ErrBadAddress) {
			t.Errorf("ParseEmail(%q) = %+v, %v, want a refusal", typed, got, err)
		}
	}
}

// The normal form is its own normal form: comparing is the same whichever
// spelling came first.
func TestParseEmailIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.StringMatching(`[a-zA-ZäöüßÉ.+'_-]{1,20}@[a-zA-Zäöü-]{1,12}\.[a-zA-Z]{2,5}`).Draw(t, "typed")
		first, err := ParseEmail(typed)
		if err != nil {
			t.Skip("no address")
		}
		again, err := ParseEmail(first.Normal)
		if err != nil || again.Normal != first.Normal {
			t.Fatalf("%q became %q and then %q, %v", typed, first.Normal, again.Normal, err)
		}
	})
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"ada@example.org", "Jörg@Bücher.example", "<a@b.c>", "a@b.c\n", "\xff@\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseEmail(s)
		if err == nil && (got.Normal == "" || len(got.Normal) > MaxAddressBytes || strings.ContainsAny(got.Shown, "\r\n \x00")) {
			t.Errorf("ParseEmail(%q) let %+v through", s, got)
		}
	})
}
