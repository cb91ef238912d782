package chat

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// statusDays is how far back a status looks.
const statusDays = 7

// status shows managers how the whole stands.
func (s *Service) status(ctx context.Context, w Words, a Action) (Answer, error) {
	if !s.manages(a) {
		return forManagers(w, a), nil
	}
	now, err := s.Store.Status(ctx, s.Clock.Now().Add(-statusDays*24*time.Hour))
	if err != nil {
		return Answer{}, err
	}
	card := statusCard(w, now)
	if a.Team != "" {
		card.Buttons = []Button{{ID: ID(VerbSettings, ""), Label: w.Plain("button.settings", nil)}}
	}
	return Answer{Card: &card}, nil
}

// statusCard shows the way of all badges, and what stands in it.
func statusCard(w Words, s core.Status) Card {
	waiting := s.Badges[core.StageGranted] + s.Badges[core.StagePending]
	accepted, public := s.Badges[core.StageAccepted], s.Badges[core.StagePublic]
	var ended int64
	for stage, n := range s.Badges {
		if stage.Ended() {
			ended += n
		}
	}
	count := func(id string, n int64) Text { return w.Text(id, Args{"Count": int(n)}) }
	card := Card{
		Title: w.Plain("status.title", nil), Summary: w.Plain("status.summary", Args{"Count": int(waiting)}),
		Text: Join(
			count("status.waiting", waiting), count("status.accepted", accepted), count("status.public", public),
			count("status.ended", ended), Plain(""), count("status.members", s.Members),
			count("status.reminded", s.Reminded), count("status.stopped", s.Stopped),
		),
		Footer: w.Text("status.footer", nil),
	}
	if s.Waiting > 0 {
		card.Text = Join(card.Text, count("status.unreachable", s.Waiting))
	}
	if s.Dead > 0 {
		card.Tone = ToneWarn
		card.Text = Join(card.Text, count("status.dead", s.Dead))
	}
	return card
}
