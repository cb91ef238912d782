package console

import (
	"fmt"
	"net/http"
	"time"
)

// The parts of the page, as /changes and the paths name them.
const (
	partSlack   = "slack"
	partDiscord = "discord"
	partCredly  = "credly"
	partMail    = "mail"
	partPortal  = "portal"
	partClock   = "clock"
	partWire    = "wire"
	partFaults  = "faults"
)

const (
	// streamFor is how long one stream of changes lasts. Ending it is no loss,
	// the page opens the next; so a dead one does not stay.
	streamFor = time.Minute
	// streamBeat is the longest silence on a stream.
	streamBeat = 15 * time.Second
	// streamWrite bounds one write to a stream.
	streamWrite = 10 * time.Second
)

// watched is something that tells of its changes: Changed returns a channel
// that is closed at the next one.
type watched interface{ Changed() <-chan struct{} }

// watch is one part under observation; without anything to watch its channel
// is nil and never ready.
type watch struct {
	what watched
	next <-chan struct{}
}

func observe(what watched) watch { return watch{what: what, next: what.Changed()} }

// serveChanges streams the names of parts that changed. The channel of the
// next change is taken before the name is sent, so that a page that looks
// after every name misses nothing. The first event is "all".
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func (c *console) serveChanges(w http.ResponseWriter, r *http.Request) {
	var slack, discord, credly, mail, portal watch
	clock, wire, faults := observe(c.clock), observe(c.wire), observe(c.faults)
	if c.cfg.Slack != nil {
		slack = observe(c.cfg.Slack)
	}
	if c.cfg.Discord != nil {
		discord = observe(c.cfg.Discord)
	}
	if c.cfg.Credly != nil {
		credly = observe(c.cfg.Credly)
	}
	if c.cfg.Mail != nil {
		mail = observe(c.cfg.Mail)
	}
	if c.cfg.Portal != nil {
		portal = observe(c.cfg.Portal)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	send := func(text string) bool {
		// Where deadlines are not supported the server's own count.
		_ = control.SetWriteDeadline(time.Now().Add(streamWrite))
		if _, err := fmt.Fprintf(w, "%s\n\n", text); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	end := time.NewTimer(streamFor)
	defer end.Stop()
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	for open := send("retry: 300\ndata: all"); open; {
		part := ""
		var changed *watch
		select {
		case <-r.Context().Done():
			return
		case <-end.C:
			return
		case <-beat.C:
			open = send(": still here")
			continue
		case <-slack.next:
			part, changed = partSlack, &slack
		case <-discord.next:
			part, changed = partDiscord, &discord
		case <-credly.next:
			part, changed = partCredly, &credly
		case <-mail.next:
			part, changed = partMail, &mail
		case <-portal.next:
			part, changed = partPortal, &portal
		case <-clock.next:
			part, changed = partClock, &clock
		case <-wire.next:
			part, changed = partWire, &wire
		case <-faults.next:
			part, changed = partFaults, &faults
		}
		changed.next = changed.what.Changed()
		open = send("data: " + part)
	}
}
