package console

import (
	"net/http"
	"time"

	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/mailsim"
	"github.com/laurelbot/laurel/playground/simfault"
	"github.com/laurelbot/laurel/playground/slacksim"
)

const (
	always = -1
	// longerThanAnybody is a wait that every client gives up.
	longerThanAnybody = 2 * time.Minute
	// lateBy is how late late webhooks are on the clock.
	lateBy = 5 * time.Minute
	// credlyAPI is what the paths of Credly's API have in common; people's
	// pages there go on working.
	credlyAPI = "/v1/"
)

func ptr[T any](v T) *T { return &v }

func faultsFor(cfg Config) []*fault {
	var all []*fault
	if cfg.Slack != nil {
		all = append(all, slackFaults(cfg)...)
	}
	if cfg.Discord != nil {
		all = append(all, discordFaults(cfg)...)
	}
	if cfg.Credly != nil {
		all = append(all, credlyFaults(cfg.Credly)...)
	}
	if cfg.Mail != nil {
		all = append(all, mailFaults(cfg.Mail)...)
	}
	if cfg.App.Unplug != nil {
		all = append(all, databaseFault(cfg.App.Unplug))
	}
	return all
}

// ordered tells how often an ordered fault happened, and mends it.
func ordered(o *simfault.Order) (served func() int, off func()) { return o.Served, o.Cancel }

// uncounted is for faults that do not tell how often they happened.
func uncounted() int { return 0 }

func slackFaults(cfg Config) []*fault {
	s := cfg.Slack
	order := func(f slacksim.Fault) (func() int, func()) { return ordered(s.Fail(f)) }
	cut := &fault{
		ID: "slack-cut", Part: partSlack, Name: "Cut Socket Mode", Push: true,
		Help:  "Cuts every Socket Mode connection without a word, as a broken network does.",
		Watch: "The app connects again within seconds; what Slack could not deliver meanwhile comes again.",
		on: func(int) (func() int, func()) {
			s.DropConnections()
			return uncounted, func() {}
		},
	}
	if !s.SocketMode() {
		cut.Missing = "Here Slack reaches the app over HTTP. Start with SLACK_TRANSPORT=socket to have connections that can be cut."
	}
	return []*fault{
		{
			ID: "slack-429", Part: partSlack, Name: "Rate limit (429)", Seconds: ptr(10),
			Help:  "Slack refuses every call of the app as one too many (429)",
			Watch: "Messages wait in the queue for the time Slack asked for, and leave in order afterwards.",
			on: func(seconds int) (func() int, func()) {
				return order(slacksim.Fault{Method: "*", Times: always, Status: http.StatusTooManyRequests, RetryAfter: &seconds})
			},
		},
		{
			ID: "slack-500", Part: partSlack, Name: "Server error (500)",
			Help:  "Slack breaks down inside: every call of the app ends with 500.",
			Watch: "The app tries again, after longer and longer waits, and loses nothing.",
			on: func(int) (func() int, func()) {
				return order(slacksim.Fault{Method: "*", Times: always, Status: http.StatusInternalServerError})
			},
		},
		{
			ID: "slack-twice", Part: partSlack, Name: "Everything twice",
			Help:  "Slack delivers every command, click and event twice, as it may at any time.",
			Watch: "One answer, one mail, one claim: the second delivery is recognised.",
			on: func(int) (func() int, func()) {
				s.DoubleDelivery(true)
				return uncounted, func() { s.DoubleDelivery(false) }
			},
		},
		cut,
	}
}

func discordFaults(cfg Config) []*fault {
	s := cfg.Discord
	order := func(f discordsim.Fault) (func() int, func()) { return ordered(s.Fail(f)) }
	limit := func(global bool) func(int) (func() int, func()) {
		return func(seconds int) (func() int, func()) {
			return order(discordsim.Fault{Times: always, RetryAfter: ptr(float64(seconds)), Global: global})
		}
	}
	push := func(id, name, help, watch string, do func(string) int) *fault {
		f := &fault{ID: id, Part: partDiscord, Name: name, Help: help, Watch: watch, Push: true}
		f.on = func(int) (func() int, func()) {
			do("")
			return uncounted, func() {}
		}
		if !cfg.App.DiscordGateway {
			f.Missing = "Here Discord reaches the app over HTTP. Start with DISCORD_TRANSPORT=gateway to have a gateway connection."
		}
		return f
	}
	return []*fault{
		{
			ID: "discord-429", Part: partDiscord, Name: "Rate limit (429)", Seconds: ptr(5),
			Help: "Discord refuses every call of the app as one too many of its kind (429)", on: limit(false),
			Watch: "The app waits as long as Discord asks, for this kind of call.",
		},
		{
			ID: "discord-global", Part: partDiscord, Name: "Global rate limit", Seconds: ptr(5),
			Help: "Discord refuses every call of the app as one too many altogether (429)", on: limit(true),
			Watch: "The app lets every call to Discord wait.",
		},
		{
			ID: "discord-500", Part: partDiscord, Name: "Server error (500)",
			Help:  "Discord breaks down inside: every call of the app ends with 500.",
			Watch: "The app tries again, after longer and longer waits.",
			on: func(int) (func() int, func()) {
				return order(discordsim.Fault{Times: always, Status: http.StatusInternalServerError})
			},
		},
		push("discord-drop", "Drop the gateway", "Cuts the gateway connection without a word.",
			"The app connects again and resumes its session, so that nothing is missed.", s.Gateway().Drop),
		push("discord-reconnect", "Ask to reconnect", "Discord asks the app to reconnect, as it does several times a day.",
			"The app resumes on a new connection.", s.Gateway().AskReconnect),
	}
}

func credlyFaults(s *credlysim.Server) []*fault {
	order := func(f credlysim.Fault) func(int) (func() int, func()) {
		return func(seconds int) (func() int, func()) {
			f.Path, f.Times = credlyAPI, always
			if f.Status == http.StatusTooManyRequests {
				f.RetryAfter = time.Duration(seconds) * time.Second
			}
			return ordered(s.Fail(f))
		}
	}
	var mischief credlysim.Mischief
	change := func(set, unset func(*credlysim.Mischief)) func(int) (func() int, func()) {
		// The board's lock guards mischief.
		return func(int) (func() int, func()) {
			set(&mischief)
			s.SetMischief(mischief)
			return uncounted, func() {
				unset(&mischief)
				s.SetMischief(mischief)
			}
		}
	}
	return []*fault{
		{
			ID: "credly-timeout", Part: partCredly, Name: "No answer", on: order(credlysim.Fault{Delay: longerThanAnybody}),
			Help:  "Credly takes the app's requests and never answers; its pages for people work.",
			Watch: "Claims of badges that Credly has still open at once; issuing and reading wait and are tried again.",
		},
		{
			ID: "credly-500", Part: partCredly, Name: "Server error (500)",
			Help: "Credly breaks down inside: every request of the app ends with 500.", on: order(credlysim.Fault{Status: http.StatusInternalServerError, Body: `{"message":"Internal Server Error"}`}),
			Watch: "The app tries again, after longer and longer waits.",
		},
		{
			ID: "credly-429", Part: partCredly, Name: "Rate limit (429)", Seconds: ptr(10),
			Help: "Credly refuses every request of the app as one too many (429)", on: order(credlysim.Fault{Status: http.StatusTooManyRequests, Body: `{"message":"Too many requests"}`}),
			Watch: "The app asks again no sooner than Credly wants.",
		},
		{
			ID: "credly-twice", Part: partCredly, Name: "Webhooks twice", Help: "Credly tells the app everything twice in a row.",
			Watch: "The message changes once.",
			on:    change(func(m *credlysim.Mischief) { m.Twice = true }, func(m *credlysim.Mischief) { m.Twice = false }),
		},
		{
			ID: "credly-late", Part: partCredly, Name: "Webhooks late", Help: "Credly tells the app what happened five minutes late by the clock.",
			Watch: "The app does not wait for them: it asks Credly itself and the message changes anyway.",
			on:    change(func(m *credlysim.Mischief) { m.Late = lateBy }, func(m *credlysim.Mischief) { m.Late = 0 }),
		},
		{
			ID: "credly-order", Part: partCredly, Name: "Webhooks out of order", Help: "Credly gathers its messages to the app for four seconds and sends the newest first.",
			Watch: "The message shows what is true, not what came last.",
			on:    change(func(m *credlysim.Mischief) { m.Reversed = true }, func(m *credlysim.Mischief) { m.Reversed = false }),
		},
	}
}

func mailFaults(s *mailsim.Server) []*fault {
	order := func(f mailsim.Fault) func(int) (func() int, func()) {
		return func(int) (func() int, func()) {
			f.Times = always
			return ordered(s.Fail(f))
		}
	}
	return []*fault{
		{
			ID: "mail-later", Part: partMail, Name: "Refuses for now (451)", Help: "The mail server refuses every mail and says that it should be tried again later.",
			Watch: "The mail waits in the queue and is tried again; the chat says that it is on its way.",
			on:    order(mailsim.Fault{Command: mailsim.MAIL, Code: 451, Enhanced: [3]int{4, 3, 0}, Text: "Try again later"}),
		},
		{
			ID: "mail-never", Part: partMail, Name: "Refuses for good (550)", Help: "The mail server says that the mailbox does not exist.",
			Watch: "The app does not try again, and says in the chat that this address takes no mail.",
			on:    order(mailsim.Fault{Command: mailsim.RCPT, Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "No such mailbox"}),
		},
	}
}

func databaseFault(unplug func(bool)) *fault {
	return &fault{
		ID: "database", Part: partApp, Name: "Out of reach",
		Help:  "Closes the app's connection to its database and lets no other be opened. The file stays as it is.",
		Watch: "Whoever writes to the app is told to try again soon; what was queued before is still there afterwards.",
		on: func(int) (func() int, func()) {
			unplug(true)
			return uncounted, func() { unplug(false) }
		},
	}
}
