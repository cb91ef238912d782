package jsclients

import (
	"strings"
	"testing"

	"github.com/laurelbot/laurel/internal/npm"
	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
)

func project(tb testing.TB) string {
	tb.Helper()
	return npm.Project(tb, ".")
}

// discordConfig lowers the global limit, so that the client, which knows the
// documented one, runs into it. Answers are held against Discord's own
// description.
func discordConfig(tb testing.TB) discordsim.Config {
	tb.Helper()
	set, err := schema.Load(refdata.Path(tb, "discord", "openapi.json"))
	if err != nil {
		tb.Fatal(err)
	}
	return discordsim.Config{GlobalPerSecond: 4, AnswerWithin: answerWithin, Schema: answersOnly{set}}
}

// answersOnly leaves requests to the simulator's own rules, whose refusals are
// worded as Discord words them.
type answersOnly struct{ set *schema.Set }

func (a answersOnly) Validate(name string, doc any) error {
	if !strings.HasSuffix(name, "Response") {
		return nil
	}
	return a.set.Validate(name, doc)
}

func TestSlackClients(t *testing.T) {
	t.Parallel()
	s := stageSlack(t, project(t), "", startSlack(t))
	s.connect(t)
	for _, story := range []struct {
		name string
		tell func(testing.TB, *slackStage)
	}{
		{"posts", slackPosts},
		{"uploads", slackUploads},
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

// TestDiscordClient tells stories, one after the other, to one client each.
func TestDiscordClient(t *testing.T) {
	t.Parallel()
	cfg := discordConfig(t)
	type story struct {
		name string
		tell func(testing.TB, *discordStage)
	}
	for name, stories := range map[string][]story{
		"acts": {
			{"turns away", discordTurnsAway},
			{"logs in", discordLogsIn},
			{"registers", discordRegisters},
			{"answers", discordAnswers},
			{"forms", discordForms},
			{"posts", discordPosts},
			{"sends files", discordSendsFiles},
			{"refusals", discordRefusals},
			{"resumes", discordResumes},
			{"identifies", discordIdentifies},
		},
		// It waits for windows to end, beside the others.
		"waits": {
			{"logs in", discordLogsIn},
			{"registers", discordRegisters},
			{"limits", discordLimits},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startDiscord(t, cfg)
			s.drive(t, project(t), "")
			for _, story := range stories {
				if !t.Run(story.name, func(t *testing.T) { story.tell(t, s) }) {
					return
				}
			}
		})
	}
}
