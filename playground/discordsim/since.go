package discordsim

// messagesSince is what a viewer sees in a channel: the messages that changed
// since a version, and the order of all. The caller holds the lock.
func (s *Server) messagesSince(channelID, viewer string, since uint64) (changed []Message, order []string) {
	changed, order = []Message{}, []string{}
	for _, m := range s.channelFor(channelID, viewer) {
		order = append(order, m.id)
		if m.version > since {
			changed = append(changed, m.show())
		}
	}
	return changed, order
}

// channelFor returns the messages of a channel that a viewer sees.
func (s *Server) channelFor(channelID, viewer string) []*message {
	ch := s.channels[channelID]
	if ch == nil || !ch.sees(viewer) {
		return nil
	}
	out := make([]*message, 0, len(ch.messages))
	for _, m := range ch.messages {
		if m.onlyFor == "" || m.onlyFor == viewer {
			out = append(out, m)
		}
	}
	return out
}
