package main

import "testing"

func TestEndedBadly(t *testing.T) {
	t.Parallel()
	const end = "--- FAIL: FuzzImport (2.05s)\n    context deadline exceeded\nFAIL\nexit status 1\n"
	for out, want := range map[string]bool{
		"fuzz: elapsed: 2s, execs: 446 (220/sec)\n" + end:                                true,
		"Failing input written to testdata/fuzz/FuzzImport/1\n" + end:                    false,
		"--- FAIL: FuzzImport (0.05s)\n    import_test.go:7: wrong\nFAIL\n":              false,
		"--- FAIL: FuzzImport (0.05s)\n    a_test.go:7: context deadline exceeded\nFAIL": false,
	} {
		if endedBadly([]byte(out)) != want {
			t.Errorf("%q: %v", out, !want)
		}
	}
}
