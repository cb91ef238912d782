package main

import (
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		events []string
		good   bool
		want   []string
		avoid  []string
	}{
		{
			name: "all pass",
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"quiet\n"}`,
				`{"Action":"pass","Package":"p","Test":"TestA"}`,
				`{"Action":"pass","Package":"p","Elapsed":1.5}`,
			},
			good:  true,
			want:  []string{"ok    p  1.5s\n", "\n1 passed, 0 failed, 0 skipped\n"},
			avoid: []string{"quiet"},
		},
		{
			name: "failure is shown in full",
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"first\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"second\n"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			want: []string{"--- FAIL: p TestA\nfirst\nsecond\n", "FAIL  p", "\n0 passed, 1 failed, 0 skipped\n"},
		},
		{
			name: "skip is named with its reason",
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: no browser\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}`,
				`{"Action":"skip","Package":"p","Test":"TestA"}`,
				`{"Action":"pass","Package":"p"}`,
			},
			good: true,
			want: []string{"skipped:\n  p TestA: a_test.go:1: no browser\n", "\n0 passed, 0 failed, 1 skipped\n"},
		},
		{
			name: "build failure counts once",
			events: []string{
				`{"ImportPath":"p [p.test]","Action":"build-output","Output":"a.go:1:1: oops\n"}`,
				`{"ImportPath":"p [p.test]","Action":"build-fail"}`,
				`{"Action":"start","Package":"p"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}`,
				`{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
			},
			want: []string{"a.go:1:1: oops\nFAIL\tp [build failed]\n", "\n0 passed, 1 failed, 0 skipped\n"},
		},
		{
			name: "test without a verdict failed",
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"panic: test timed out\n"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			want: []string{"--- FAIL: p TestA\npanic: test timed out\n", "\n0 passed, 1 failed, 0 skipped\n"},
		},
		{
			name:   "cut short",
			events: []string{`{"Action":"run","Package":"p","Test":"TestA"}`},
			want:   []string{"\n0 passed, 1 failed, 0 skipped\n"},
		},
		{
			name: "nothing ran",
			want: []string{"\n0 passed, 0 failed, 0 skipped\n"},
		},
		{
			name: "other lines are passed through",
			events: []string{
				"go: downloading something",
				`{"Action":"skip","Package":"p"}`,
			},
			good: true,
			want: []string{"go: downloading something\n", "\n0 passed, 0 failed, 0 skipped\n"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			s := newSummary(&out)
			if err := s.read(strings.NewReader(strings.Join(tt.events, "\n") + "\n")); err != nil {
				t.Fatal(err)
			}
			if good := s.finish(); good != tt.good {
				t.Errorf("finish() = %v, want %v", good, tt.good)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("output lacks %q:\n%s", want, out.String())
				}
			}
			for _, avoid := range tt.avoid {
				if strings.Contains(out.String(), avoid) {
					t.Errorf("output has %q:\n%s", avoid, out.String())
				}
			}
		})
	}
}
