package jsclients

import (
	"testing"

	"github.com/laurelbot/laurel/internal/npm"
)

func TestSlackClients(t *testing.T) {
	t.Parallel()
	s := stageSlack(t, npm.Project(t, "."), "", startSlack(t))
	s.connect(t)
	for _, story := range []struct {
		name string
		tell func(testing.TB, *slackStage)
	}{
		{"posts", slackPosts},
		{"refusals", slackRefusals},
		{"interacts", slackInteracts},
		{"refuses broken answers", slackRefuses},
		{"limits", slackLimits},
		{"reconnects", slackReconnects},
		{"retries", slackRetries},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(t, s) })
	}
}
