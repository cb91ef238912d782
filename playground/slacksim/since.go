package slacksim

import "maps"

// mark says as of which version a message is what it is.
type mark struct {
	revision int
	deleted  bool
	version  int
}

// StateSince is a State without what the page has already.
type StateSince struct {
	State

	// Messages are those of each channel in order. One that did not change
	// since is only named by its timestamp.
	Messages map[string][]any `json:"messages"`
}

// named stands for a message that the page has.
type named struct {
	TS       string `json:"ts"`
	Revision int    `json:"revision"`
	Same     bool   `json:"same"`
}

// since leaves out of a state what was the same at an earlier version. A
// message counts as changed from the first state on that shows it changed,
// which is never too early for anybody who saw an older one.
func (s *Server) since(state State, version int) StateSince {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown == nil {
		s.shown = map[string]mark{}
	}
	out := StateSince{State: state, Messages: make(map[string][]any, len(state.Messages))}
	for _, channel := range sortedChannels(state.Messages) {
		all := state.Messages[channel]
		list := make([]any, 0, len(all))
		for i := range all {
			m := &all[i]
			key := m.Channel + "/" + m.TS
			last, known := s.shown[key]
			if !known || last.revision != m.Revision || last.deleted != m.Deleted {
				last = mark{revision: m.Revision, deleted: m.Deleted, version: state.Version}
				s.shown[key] = last
			}
			if last.version > version {
				list = append(list, m)
			} else {
				list = append(list, named{TS: m.TS, Revision: m.Revision, Same: true})
			}
		}
		out.Messages[channel] = list
	}
	return out
}

func sortedChannels(messages map[string][]Message) []string {
	out := make([]string, 0, len(messages))
	for id := range maps.Keys(messages) {
		out = append(out, id)
	}
	return out
}
