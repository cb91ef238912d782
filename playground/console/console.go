package console

import (
	"net/http"
	"time"

	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/mailsim"
	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/simconsole"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// maxBody is the largest request body taken, in bytes.
const maxBody = 1 << 20

// Config says what the page shows. A simulator that is nil has no place on
// it; People and simulators should be filled before New, so that the page can
// tell what was there from what was done on it.
type Config struct {
	Slack   *slacksim.Server
	Discord *discordsim.Server
	Credly  *credlysim.Server
	Mail    *mailsim.Server
	Portal  *portalsim.Server
	// Clock is the one that the simulators were given; nil is a new one.
	Clock *simclock.Clock
	// People are those as whom one can act; the first is chosen at first.
	People []Person
	// App is the program that is tried out.
	App App
	// Title is the page's headline; "Playground" when empty.
	Title string
}

// Person is one human being with the names they have in both chats.
type Person struct {
	Name        string   `json:"name"`
	SlackUser   string   `json:"slack_user"`
	DiscordUser string   `json:"discord_user"`
	Emails      []string `json:"emails"`
	// Runs says that the person runs the programme: the page tells so.
	Runs bool `json:"runs,omitempty"`
}

// settled is how far a simulator's own times may run ahead of the clock after
// many changes within one moment: what was prepared does not count as done by
// the person at the page.
const settled = time.Second

// setup is what the page asks for once.
type setup struct {
	Title   string    `json:"title"`
	Started time.Time `json:"started"`
	People  []Person  `json:"people"`
	// Parts names the simulators that are there.
	Parts []string `json:"parts"`
	// Imports says that files of awards can be taken in.
	Imports   bool   `json:"imports"`
	CredlyURL string `json:"credly_url,omitempty"`
	// VerifyURL is where the program verifies badges.
	VerifyURL string `json:"verify_url,omitempty"`
}

// console is the page's handler and what it watches.
type console struct {
	cfg    Config
	setup  setup
	clock  *clockwork
	wire   *wireLog
	faults *faultBoard
}

// New returns the handler of the page:
//
//	GET  /                  the page, its assets below /assets/
//	GET  /setup             title, people and which simulators there are
//	GET  /changes           server-sent events: the name of a part that changed
//	GET  /clock             {now, offset_ms, frozen}
//	POST /clock             {advance: "1m"}, {next: true}, {freeze: true} or {resume: true}
//	GET  /wire?since=N      what travelled, after the frame N; DELETE empties it
//	GET  /faults            the switches; POST {id, on, seconds} or {reset: true}
//	GET  /work              what the program has to do, and its last log lines
//	POST /import            {csv, skip}: a file of awards for the program
//	GET  /mailbody/{id}     a mail's HTML, for a sandboxed frame
//	/slack/ /discord/ /credly/ /mail/ /portal/   the simulators' console handlers
//
// A stream of /changes lasts a minute and is opened again by the page. A server
// that wants to stop sooner cancels its base context.
func New(cfg Config) http.Handler {
	if cfg.Clock == nil {
		cfg.Clock = simclock.New()
	}
	if cfg.Title == "" {
		cfg.Title = "Playground"
	}
	c := &console{cfg: cfg, clock: newClockwork(cfg.Clock), wire: &wireLog{}, faults: newFaultBoard(faultsFor(cfg))}
	c.wire.tap(cfg)
	c.setup = setup{Title: cfg.Title, Started: cfg.Clock.Now().Add(settled), People: []Person{}, Parts: []string{}}
	for _, p := range cfg.People {
		if p.Emails == nil {
			p.Emails = []string{}
		}
		c.setup.People = append(c.setup.People, p)
	}
	mux := http.NewServeMux()
	mount := func(part string, h http.Handler) {
		c.setup.Parts = append(c.setup.Parts, part)
		mux.Handle("/"+part+"/", http.StripPrefix("/"+part, h))
	}
	if cfg.Slack != nil {
		mount(partSlack, cfg.Slack.ConsoleHandler())
	}
	if cfg.Discord != nil {
		mount(partDiscord, cfg.Discord.ConsoleHandler())
	}
	if cfg.Mail != nil {
		mount(partMail, cfg.Mail.ConsoleHandler())
		mux.HandleFunc("GET /mailbody/{id}", c.serveMailBody)
	}
	if cfg.Credly != nil {
		c.setup.CredlyURL = cfg.Credly.URL()
		mount(partCredly, cfg.Credly.ConsoleHandler())
	}
	if cfg.Portal != nil {
		mount(partPortal, cfg.Portal.ConsoleHandler())
	}
	mux.HandleFunc("GET /setup", func(w http.ResponseWriter, _ *http.Request) { simconsole.WriteJSON(w, http.StatusOK, c.setup) })
	mux.HandleFunc("GET /changes", c.serveChanges)
	mux.HandleFunc("GET /clock", c.serveClock)
	mux.HandleFunc("POST /clock", c.moveClock)
	mux.HandleFunc("GET /wire", c.serveWire)
	mux.HandleFunc("DELETE /wire", c.clearWire)
	mux.HandleFunc("GET /faults", c.serveFaults)
	mux.HandleFunc("POST /faults", c.setFault)
	mux.HandleFunc("GET /work", c.serveWork)
	c.setup.VerifyURL = cfg.App.Verify
	if cfg.App.Import != nil {
		c.setup.Imports = true
		mux.HandleFunc("POST /import", c.serveIntake)
	}
	c.servePage(mux)
	// The simulators' secrets are made up, but no foreign page should be able
	// to act in a chat that somebody has open.
	return http.NewCrossOriginProtection().Handler(http.MaxBytesHandler(mux, maxBody))
}
