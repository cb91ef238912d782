// Command bot is Laurel: it walks certified people from a pending badge to
// one that is accepted, in Slack and in Discord.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // People name their time zones, and a small image brings none.

	"github.com/alecthomas/kong"
)

// version is set by the linker for a release.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// cli is every command; the settings are shared by all of them.
type cli struct {
	Config kong.ConfigFlag `help:"YAML file with settings, named as the flags." placeholder:"FILE" env:"LAUREL_CONFIG"`
	Settings

	Serve      serveCmd      `cmd:"" default:"withargs" help:"Run the bot (default)."`
	Playground playgroundCmd `cmd:"" help:"Try everything on this machine: simulated Slack, Discord, Credly and mailbox on one page."`
	Migrate    migrateCmd    `cmd:"" help:"Bring the database schema up to date."`
	Import     importCmd     `cmd:"" help:"Take in awards from a CSV file."`
	Doctor     doctorCmd     `cmd:"" help:"Check every setting and connection, and say how to mend what is wrong."`
	Keys       keysCmd       `cmd:"" help:"See which keys of SECRET_KEY are in use, and replace the first one."`
	Deliveries deliveriesCmd `cmd:"" help:"See what could not be delivered, send it again, or drop it."`
	Schedule   scheduleCmd   `cmd:"" help:"See what runs when, and how it went."`
	Verify     verifyCmd     `cmd:"" help:"Verify an Open Badge of any issuer: a link or a file. The exit status is 0 only for a genuine and current one."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

// run executes one command line and returns the exit status: 0 for success,
// 1 for a failure, 2 for a wrong command line or setting.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	status := -1
	parser, err := kong.New(&c,
		kong.Name("bot"),
		kong.Description("Laurel walks certified people to their digital badges, in Slack and in Discord."),
		kong.Configuration(loadFile),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { status = code }),
		kong.UsageOnError(),
		kong.Vars{"version": version},
	)
	if err != nil {
		fmt.Fprintln(stderr, "bot:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if status >= 0 {
		return status
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		fmt.Fprintln(stderr, "bot:", err)
		return 2
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(&c.Settings, &terminal{out: stdout, err: stderr}); err != nil {
		fmt.Fprintln(stderr, "bot:", err)
		return 1
	}
	return 0
}

// terminal is where a command prints.
type terminal struct{ out, err io.Writer }

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(t *terminal) error {
	_, err := fmt.Fprintln(t.out, "laurel", version)
	return err
}
