package main

import (
	"strings"
	"testing"

	"github.com/laurelbot/laurel/adapters/slack"
)

// The simulated Slack offers what the app's manifest does.
func TestPlaygroundOffersTheManifest(t *testing.T) {
	t.Parallel()
	if !strings.Contains(string(slack.Manifest), `usage_hint: "`+slackUsage+`"`) {
		t.Errorf("the manifest has another hint than %q", slackUsage)
	}
}
