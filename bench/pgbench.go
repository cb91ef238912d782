package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/bench/seed"
)

const (
	pgbenchClients = 16
	handoffLife    = time.Hour
	// sealedPlace is as long as the place of a card that the bot stores.
	sealedPlace = 230
)

var (
	// quotedColon is where pgbench would see one of its variables, which it
	// does within quotes too.
	quotedColon  = regexp.MustCompile(`':(\w)`)
	placeholder  = regexp.MustCompile(`\$(\d+)`)
	transactions = regexp.MustCompile(`number of transactions actually processed: (\d+)`)
	speed        = regexp.MustCompile(`tps = ([0-9.]+) \(without`)
)

// claimScript is the bot's own statement for pgbench: each of its arguments
// is replaced by a variable, or by an id made from one.
func claimScript(statement string, o order) (string, error) {
	padded := func(prefix, variable string, digits int) string {
		return fmt.Sprintf("('%s' || lpad(:%s::text, %d, '0'))", prefix, variable, digits)
	}
	arguments := []string{
		":platform", ":tenant", padded("U", "owner", 10), padded(seed.BadgePrefix, "badge", 12), ":now",
		padded(handoffPrefix, "n", 12), ":until", padded(postPrefix, "n", 12),
		"('D0BENCH001:1700000000.' || :n::text)", ":place", ":until", ":yes", "(:until::bigint + :n::bigint)",
	}
	var unknown error
	sql := quotedColon.ReplaceAllString(statement, "':' || '$1")
	sql = placeholder.ReplaceAllStringFunc(sql, func(word string) string {
		n, err := strconv.Atoi(word[1:])
		if err != nil || n < 1 || n > len(arguments) {
			unknown = fmt.Errorf("the statement has an argument %s that is not known here", word)
			return word
		}
		return arguments[n-1]
	})
	return fmt.Sprintf(`\set i :i + 1
\set n :base + :i * %d + :client_id
\set badge (:n * %d) %% %d + 1
\set owner :badge %% %d + 1
%s;
`, pgbenchClients, step, o.badges, o.members, strings.TrimSpace(sql)), unknown
}

func claimStatement() string { return sqlstore.ClaimStatement() }

// eventScript stores events one by one, each by a statement of its own.
const eventScript = `\set i :i + 1
\set n :base + :i * {clients} + :client_id
INSERT INTO inbox (source, event_key, kind, priority, payload, state, available_at, received_at)
	VALUES ('credly', (:n)::text, 'provider.event', 2, :place, 'ready', :now, :now) ON CONFLICT (source, event_key) DO NOTHING;
`

func singleEvents() string {
	return strings.ReplaceAll(eventScript, "{clients}", strconv.Itoa(pgbenchClients))
}

// pgbench runs a statement for a while.
type pgbench struct {
	program, script string
	env             []string
}

func newPgbench(programs, folder, dsn string) (*pgbench, error) {
	env, err := environment(dsn)
	return &pgbench{
		program: filepath.Join(programs, "pgbench"), script: filepath.Join(folder, "statement.sql"),
		env: append(os.Environ(), env...),
	}, err
}

// run runs a script whose numbers count from the base on, and returns how
// many times, and how many per second.
func (p *pgbench) run(ctx context.Context, script string, slice time.Duration, base int) (n int, perSecond float64, err error) {
	if err := os.WriteFile(p.script, []byte(script), 0o600); err != nil {
		return 0, 0, fmt.Errorf("write script: %w", err)
	}
	now := time.Now()
	cmd := exec.CommandContext(ctx, p.program, "-n", "-M", "prepared", //nolint:gosec // Its folder is that of the server.
		"-c", strconv.Itoa(pgbenchClients), "-j", "2", "-T", strconv.Itoa(int(slice.Seconds())), "-f", p.script,
		"-D", "i=-1", "-D", "base="+strconv.Itoa(base), "-D", "platform=slack", "-D", "tenant="+slackTenant,
		"-D", "now="+strconv.FormatInt(now.UnixMilli(), 10),
		"-D", "until="+strconv.FormatInt(now.Add(handoffLife).UnixMilli(), 10),
		"-D", "place="+strings.Repeat("p", sealedPlace), "-D", "yes=t")
	cmd.Env = p.env
	var said, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &wrong
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("run pgbench: %w: %s", err, wrong.String())
	}
	return parsePgbench(said.String())
}

// parsePgbench reads what pgbench prints at its end.
func parsePgbench(said string) (n int, perSecond float64, err error) {
	for lines := bufio.NewScanner(strings.NewReader(said)); lines.Scan(); {
		if m := transactions.FindStringSubmatch(lines.Text()); m != nil {
			n, err = strconv.Atoi(m[1])
		}
		if m := speed.FindStringSubmatch(lines.Text()); m != nil && err == nil {
			perSecond, err = strconv.ParseFloat(m[1], 64)
		}
	}
	if err == nil && (n == 0 || perSecond == 0) {
		err = errors.New("no figures among them")
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read pgbench's figures: %w", err)
	}
	return n, perSecond, nil
}
