package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/openbadges"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// badgeWeb is a web of three documents, without a network.
type badgeWeb map[string]string

func (w badgeWeb) RoundTrip(r *http.Request) (*http.Response, error) {
	body, ok := w[r.URL.String()]
	status := http.StatusOK
	if !ok {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: r}, nil
}

type noon struct{}

func (noon) Now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func badgeVerifier() core.Verifier {
	const context = `{"@context":"https://w3id.org/openbadges/v2","id":"https://example.org/`
	return openbadges.New(openbadges.Options{Clock: noon{}, Client: fetch.New(fetch.Options{Transport: badgeWeb{
		"https://example.org/1": context + `1","type":"Assertion","badge":"https://example.org/c","issuedOn":"2024-05-01T10:00:00Z",
			"recipient":{"type":"email","hashed":false,"identity":"somebody@example.org"},"verification":{"type":"hosted"}}`,
		"https://example.org/2": context + `2","revoked":true}`,
		"https://example.org/c": context + `c","type":"BadgeClass","name":"Made\u001b[2Jup","description":"x","image":"https://example.org/i.png",
			"criteria":"https://example.org/criteria","issuer":"https://example.org/i"}`,
		"https://example.org/i": context + `i","type":"Issuer","name":"Example Body","url":"https://example.org","email":"body@example.org"}`,
	}})})
}

func TestVerifyCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name  string
		cmd   verifyCmd
		stdin string
		begin string
		err   error
	}{
		{"genuine", verifyCmd{Badge: "https://example.org/1"}, "", "GENUINE\n", nil},
		{"its recipient", verifyCmd{Badge: "https://example.org/1", Recipient: "Somebody@example.org"}, "", "GENUINE\n", nil},
		{"other recipient", verifyCmd{Badge: "https://example.org/1", Recipient: "other@example.org"}, "", "OTHER RECIPIENT: ", errNotGenuine},
		{"revoked", verifyCmd{Badge: "https://example.org/2"}, "", "REVOKED: ", errNotGenuine},
		{"not there", verifyCmd{Badge: "https://example.org/3"}, "", "UNREACHABLE: ", errNotGenuine},
		{"file", verifyCmd{Badge: file("a.txt", "https://example.org/1\n")}, "", "GENUINE\n", nil},
		{"standard input", verifyCmd{Badge: "-"}, "https://example.org/1", "GENUINE\n", nil},
		{"nonsense", verifyCmd{Badge: file("b.txt", "nonsense")}, "", "MALFORMED: ", errNotGenuine},
		{"token", verifyCmd{Badge: "eyJhbGciOiJub25lIn0.e30."}, "", "", errNotGenuine},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := tt.cmd.verify(t.Context(), badgeVerifier(), strings.NewReader(tt.stdin), &terminal{out: &out, err: io.Discard})
			if !errors.Is(err, tt.err) || !strings.HasPrefix(out.String(), tt.begin) {
				t.Errorf("%v, want %v; printed:\n%s", err, tt.err, out.String())
			}
			if strings.Contains(out.String(), "\x1b") || tt.cmd.Recipient != "" && strings.Contains(strings.ToLower(out.String()), "body@example.org\"") {
				t.Errorf("printed what it must not:\n%q", out.String())
			}
		})
	}
}

func TestVerifyCommandAsJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	cmd := verifyCmd{Badge: "https://example.org/1", JSON: true}
	if err := cmd.verify(t.Context(), badgeVerifier(), nil, &terminal{out: &out, err: io.Discard}); err != nil {
		t.Fatal(err)
	}
	var v core.Verdict
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if !v.Genuine() || v.Issuer.Name != "Example Body" || len(v.Checks) == 0 || strings.Contains(out.String(), "somebody@") {
		t.Errorf("printed:\n%s", out.String())
	}
}

func TestVerifyCommandStatus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, core.MaxBadgeFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	nonsense := filepath.Join(dir, "nonsense")
	if err := os.WriteFile(nonsense, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want int
	}{
		{[]string{"verify"}, 2},
		{[]string{"verify", nonsense}, 1},
		{[]string{"verify", nonsense, "--json"}, 1},
		{[]string{"verify", empty}, 1},
		{[]string{"verify", large}, 1},
		{[]string{"verify", dir}, 1},
		{[]string{"verify", filepath.Join(dir, "missing")}, 1},
		{[]string{"verify", "https://127.0.0.1/badge"}, 1},
	} {
		var out, errs bytes.Buffer
		if got := run(t.Context(), tt.args, &out, &errs); got != tt.want {
			t.Errorf("%v: status %d, want %d; %s%s", tt.args, got, tt.want, out.String(), errs.String())
		}
	}
}
