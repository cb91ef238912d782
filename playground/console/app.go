package console

import (
	"context"
	"net/http"
	"time"

	"github.com/laurelbot/laurel/playground/simconsole"
)

// App is how far the page may look into the program that is tried out. What
// is nil has no place on the page.
type App struct {
	// Work tells what there is to do; an error is shown as it is.
	Work func(context.Context) (Work, error)
	// Lines are what it logs.
	Lines *Lines
	// Unplug takes its database away, or gives it back.
	Unplug func(gone bool)
	// Import takes in a file of awards, as the program's own command does; skip
	// takes the good rows of a file that also has bad ones.
	Import func(ctx context.Context, csv []byte, skip bool) Intake
	// Verify is the address of the page on which it verifies badges; the link
	// to one is handed to it as ?badge=.
	Verify string
	// DiscordGateway says that it connects to Discord's gateway.
	DiscordGateway bool
}

// Work is what the program has to do.
type Work struct {
	// Deliveries leave the program, Inbox came in; next due first.
	Deliveries []Task `json:"deliveries"`
	Inbox      []Task `json:"inbox"`
	// Due is what happens next by itself, soonest first.
	Due []Due `json:"due"`
}

// Task is one thing to be done.
type Task struct {
	ID string `json:"id"`
	// What names it for people, Via the way it takes.
	What string `json:"what"`
	Via  string `json:"via,omitempty"`
	// State is ready, running, waiting or dead; dead ones are not tried again.
	State    string    `json:"state"`
	Attempts int       `json:"attempts"`
	NextAt   time.Time `json:"next_at"`
	// Cause is why it has not been done yet.
	Cause string `json:"cause,omitempty"`
}

// Due is something that will happen at a time.
type Due struct {
	What string    `json:"what"`
	At   time.Time `json:"at"`
	// Timely says that it has its time of day: the clock does not jump over it.
	Timely bool `json:"-"`
}

// partApp is the program itself.
const partApp = "app"

// workWithin bounds the wait for Work: the page is to show quickly that there
// is no answer.
const workWithin = 3 * time.Second

// workState is the answer of GET /work.
type workState struct {
	Work

	Problem string `json:"problem,omitempty"`
	Lines   []Line `json:"lines"`
}

func (c *console) serveWork(w http.ResponseWriter, r *http.Request) {
	out := workState{Lines: []Line{}}
	if c.cfg.App.Lines != nil {
		out.Lines = c.cfg.App.Lines.Last()
	}
	work, err := c.work(r.Context())
	if err != nil {
		out.Problem = err.Error()
	}
	out.Work = work
	simconsole.WriteJSON(w, http.StatusOK, out)
}

// work asks the program and adds what the simulators will do by themselves.
func (c *console) work(ctx context.Context) (Work, error) {
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	work := Work{Deliveries: []Task{}, Inbox: []Task{}, Due: []Due{}}
	var err error
	if c.cfg.App.Work != nil {
		work, err = c.cfg.App.Work(ctx)
	}
	if c.cfg.Credly != nil {
		if at, waits := c.cfg.Credly.NextWebhook(); waits && at.After(c.cfg.Clock.Now()) {
			work.Due = sortedDue(append(work.Due, Due{What: "Credly sends a webhook", At: at}))
		}
	}
	return work, err
}
