package main

import (
	"testing"

	"github.com/laurelbot/laurel/internal/testpg"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// chooses has a manager choose where badges are celebrated; "" is nowhere.
func chooses(manager *slacktest.Person, channel, says string) {
	manager.Command("/badges", "settings")
	card := manager.ExpectEphemeral("Settings of this team")
	card.Press("Celebrations")
	manager.Modal("Where do we celebrate?").Fill("channel", channel).Submit()
	card.ExpectEdit(says)
}

// Somebody agreed, and before the badge is public the team celebrates nowhere,
// then in another channel: there it is seen. What happened is counted.
func TestCelebrationsFollowTheChannel(t *testing.T) {
	t.Parallel()
	s := newStage(t, testpg.New(t))
	manager, a := s.manager(), s.linkSlack(ada())
	chooses(manager, generalChannel, "in #general")
	badge := s.accepts(ada(), templateAssociate)
	question := a.ExpectDM("May your team know?")
	question.Press("Share with #general")
	agreed := question.ExpectEdit("it appears in #general")
	chooses(manager, "", "nowhere")
	s.public(badge, true)
	agreed = agreed.ExpectEdit("does not celebrate in #general any more")

	chooses(manager, badgesChannel, "in #badges")
	s.slackChat.As(ada().slackID).In(badgesChannel).ExpectMessage("A new badge", "Ada", "Project Management Associate")
	agreed.ExpectEdit("Stands in #badges")
	s.slackChat.As(ada().slackID).In(generalChannel).ExpectNothing("earned")
	for event, want := range map[string]float64{"asked": 1, "share": 1, "shown": 1, "back": 0, "never": 0} {
		s.waitFor("the count of "+event, func() bool { return s.metric(`laurel_celebrations_total{event="`+event+`"}`) == want })
	}
}
