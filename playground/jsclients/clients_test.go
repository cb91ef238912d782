package jsclients

import (
	"testing"

	"github.com/laurelbot/laurel/internal/npm"
	"github.com/laurelbot/laurel/playground/discordsim"
)

func project(tb testing.TB) string {
	tb.Helper()
	return npm.Project(tb, ".")
}

// discordConfig lowers the global limit, so that the client, which knows the
// documented one, runs into it.
func discordConfig() discordsim.Config { return discordsim.Config{GlobalPerSecond: 4} }

func TestSlackClients(t *testing.T) {
	t.Parallel()
	s := stageSlack(t, project(t), "", startSlack(t))
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
		if !t.Run(story.name, func(t *testing.T) { story.tell(t, s) }) {
			return
		}
	}
}

func TestDiscordClient(t *testing.T) {
	t.Parallel()
	s := startDiscord(t, discordConfig())
	s.drive(t, project(t), "")
	for _, story := range []struct {
		name string
		tell func(testing.TB, *discordStage)
	}{
		{"turns away", discordTurnsAway},
		{"logs in", discordLogsIn},
		{"registers", discordRegisters},
		{"answers", discordAnswers},
		{"forms", discordForms},
		{"posts", discordPosts},
		{"refusals", discordRefusals},
		{"resumes", discordResumes},
		{"identifies", discordIdentifies},
		{"limits", discordLimits},
	} {
		if !t.Run(story.name, func(t *testing.T) { story.tell(t, s) }) {
			return
		}
	}
}
