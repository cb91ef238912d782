package main

import (
	"os"
	"strings"
	"testing"
)

// The simulated Slack offers what the app's manifest does.
func TestPlaygroundOffersTheManifest(t *testing.T) {
	t.Parallel()
	manifest, err := os.ReadFile("../../adapters/slack/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(manifest), `usage_hint: "`+slackUsage+`"`) {
		t.Errorf("the manifest has another hint than %q", slackUsage)
	}
}
