package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

type deliveriesCmd struct {
	List   deliveriesListCmd   `cmd:"" default:"withargs" help:"List what was given up and what waits for its person (default)."`
	Resend deliveriesResendCmd `cmd:"" help:"Make deliveries due again; a running bot sends them within seconds."`
	Drop   deliveriesDropCmd   `cmd:"" help:"Delete deliveries for good."`
}

// deliveryFilter chooses deliveries; what is left out chooses all.
type deliveryFilter struct {
	Kind     string `help:"post, mail or event." enum:",post,mail,event" default:""`
	Platform string `help:"slack or discord." enum:",slack,discord" default:""`
	State    string `help:"dead: given up. waiting: shown at the person's next contact." enum:",dead,waiting" default:""`
	Cause    string `help:"Part of the cause, in the same letters."`
}

func (f deliveryFilter) filter(ids []int64) delivery.DeadLetterFilter {
	return delivery.DeadLetterFilter{
		IDs: ids, Kind: delivery.Kind(f.Kind), Platform: core.Platform(f.Platform), State: delivery.State(f.State), Cause: f.Cause,
	}
}

// chosen is what a command that changes something is about: at least one of
// its parts has to be named.
type chosen struct {
	deliveryFilter
	ID  []int64 `arg:"" optional:"" help:"Ids, as listed."`
	All bool    `help:"All of them; goes with no id and no filter."`
}

func (c chosen) filter() (delivery.DeadLetterFilter, error) {
	some := len(c.ID) > 0 || c.deliveryFilter != deliveryFilter{}
	switch {
	case c.All && some:
		return delivery.DeadLetterFilter{}, errors.New("choose ids, filters or --all, not --all beside others")
	case !c.All && !some:
		return delivery.DeadLetterFilter{}, errors.New("choose deliveries by their ids, by filters, or with --all")
	}
	return c.deliveryFilter.filter(c.ID), nil
}

// withStore opens the store and its clock for one command.
func withStore(ctx context.Context, s *Settings, t *terminal, f func(store *sqlstore.DB, now time.Time) error) error {
	db, _, err := openStore(ctx, s, newLog(s, t.err))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	clock, err := db.Clock(ctx)
	if err != nil {
		return fmt.Errorf("read the clock of DATABASE_URL: %w", err)
	}
	defer clock.Close()
	return f(db, clock.Now())
}

type deliveriesListCmd struct {
	deliveryFilter
	Limit int   `help:"At most so many." default:"100"`
	After int64 `help:"Only those with a higher id: the next page."`
	JSON  bool  `help:"Print one JSON object per line." name:"json"`
}

// Run lists deliveries. Nothing of them names a person.
func (c *deliveriesListCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	if c.Limit < 1 {
		return errors.New("--limit must be at least 1")
	}
	return withStore(ctx, s, t, func(store *sqlstore.DB, now time.Time) error {
		letters, err := store.DeadLetters(ctx, c.filter(nil), c.After, c.Limit)
		if err != nil {
			return fmt.Errorf("list deliveries: %w", err)
		}
		if c.JSON {
			return printLetters(t.out, letters)
		}
		if len(letters) == 0 {
			_, err := fmt.Fprintln(t.out, "no such deliveries")
			return err
		}
		if err := tabulateLetters(t.out, letters, now); err != nil {
			return err
		}
		if len(letters) == c.Limit {
			_, err = fmt.Fprintf(t.out, "there may be more: add --after %d\n", letters[len(letters)-1].ID)
		}
		return err
	})
}

func tabulateLetters(w io.Writer, letters []delivery.DeadLetter, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tKIND\tPLATFORM\tWORKSPACE\tSTATE\tATTEMPTS\tAGE\tCAUSE")
	for _, l := range letters {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", l.ID, l.Kind, orDash(string(l.Platform)), orDash(l.Tenant),
			l.State, l.Attempts, age(now.Sub(l.CreatedAt)), orDash(printable(l.Cause)))
	}
	return table.Flush()
}

// letterJSON is one delivery for programs.
type letterJSON struct {
	ID        int64      `json:"id"`
	Kind      string     `json:"kind"`
	Platform  string     `json:"platform,omitempty"`
	Workspace string     `json:"workspace,omitempty"`
	State     string     `json:"state"`
	Attempts  int        `json:"attempts"`
	CreatedAt time.Time  `json:"created_at"`
	DoneAt    *time.Time `json:"done_at,omitempty"`
	Cause     string     `json:"cause,omitempty"`
}

func printLetters(w io.Writer, letters []delivery.DeadLetter) error {
	enc := json.NewEncoder(w)
	for _, l := range letters {
		out := letterJSON{
			ID: l.ID, Kind: string(l.Kind), Platform: string(l.Platform), Workspace: l.Tenant,
			State: string(l.State), Attempts: l.Attempts, CreatedAt: l.CreatedAt, Cause: l.Cause,
		}
		if !l.DoneAt.IsZero() {
			out.DoneAt = &l.DoneAt
		}
		if err := enc.Encode(out); err != nil {
			return fmt.Errorf("print delivery: %w", err)
		}
	}
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// printable keeps a text on its line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// age tells a time by its largest unit: nobody needs more to see what is old.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%dd", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	default:
		return fmt.Sprintf("%ds", max(d, 0)/time.Second)
	}
}

type deliveriesResendCmd struct{ chosen }

// Run makes deliveries due again.
func (c *deliveriesResendCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	f, err := c.filter()
	if err != nil {
		return err
	}
	return withStore(ctx, s, t, func(store *sqlstore.DB, now time.Time) error {
		n, err := store.Resend(ctx, now, f)
		if err != nil {
			return fmt.Errorf("send deliveries again: %w", err)
		}
		fmt.Fprintf(t.out, "%d made due again\n", n)
		if f.Kind == "" {
			f.Kind = delivery.KindMail
		}
		if f.Kind != delivery.KindMail {
			return nil
		}
		left, err := store.DeadLetters(ctx, f, 0, 1)
		if err != nil {
			return fmt.Errorf("list deliveries: %w", err)
		}
		if len(left) > 0 {
			fmt.Fprintln(t.out, "mails stay as they are: their codes were wiped, the person asks for a new one in the chat")
		}
		return nil
	})
}

type deliveriesDropCmd struct{ chosen }

// Run deletes deliveries.
func (c *deliveriesDropCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	f, err := c.filter()
	if err != nil {
		return err
	}
	return withStore(ctx, s, t, func(store *sqlstore.DB, now time.Time) error {
		n, err := store.Drop(ctx, now, f)
		if err != nil {
			return fmt.Errorf("drop deliveries: %w", err)
		}
		_, err = fmt.Fprintf(t.out, "%d dropped\n", n)
		return err
	})
}
