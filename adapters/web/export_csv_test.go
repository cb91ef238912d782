package web

import "testing"

// No part of a text becomes a formula, wherever a program begins a cell.
func TestHarmless(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                    "",
		"Certified Gopher":    "Certified Gopher",
		"A-1; B=2":            "A-1; B=2",
		"=1+1":                "'=1+1",
		"+1":                  "'+1",
		"\tx":                 "'\tx",
		"|calc":               "'|calc",
		"資格":                  "資格",
		"＝1":                  "'＝1",
		"Gopher;=1+1":         "Gopher;'=1+1",
		`Gopher; "@SUM(A1)`:   `Gopher; "'@SUM(A1)`,
		"Gopher;;-1;x;+2":     "Gopher;;'-1;x;'+2",
		` "=HYPERLINK("x")`:   ` "'=HYPERLINK("x")`,
		"Führung; ab 2026 -1": "Führung; ab 2026 -1",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
