package chat

// manages reports whether the actor runs the programme: by what the platform
// says of them in the team, or by name.
func (s *Service) manages(a Action) bool { return a.Manager || s.Managers[a.Actor] }

// forManagers tells somebody that this is not theirs to do.
func forManagers(w Words, a Action) Answer {
	card := Card{
		Tone: ToneWarn, Title: w.Plain("trouble.manager.title", nil), Summary: w.Plain("trouble.manager.title", nil),
		Text:    w.Text("trouble.manager.text", nil),
		Buttons: []Button{{ID: pageID(a.Actor, "new"), Label: w.Plain("button.my_badges", nil)}},
	}
	return Answer{Card: &card, Where: asideOfPress(a)}
}

// forTeams tells somebody that this is about a team, and has to be done in it.
func forTeams(w Words, a Action) Answer {
	card := Card{
		Tone: ToneWarn, Title: w.Plain("trouble.team.title", nil), Summary: w.Plain("trouble.team.title", nil),
		Text: w.Text("trouble.team.text", nil),
	}
	return Answer{Card: &card, Where: asideOfPress(a)}
}
