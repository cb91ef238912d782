package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// letterRow is a row of the outbox that a test puts there.
type letterRow struct {
	lane, kind, ref, payload, state, cause string
	attempts                               int
}

// putLetters fills the outbox and returns the ids.
func putLetters(t *testing.T, db *sql.DB, rows ...letterRow) []int64 {
	t.Helper()
	var ids []int64
	begin := time.Now().Add(-3 * time.Hour).UnixMilli()
	for i, r := range rows {
		done := int64(0)
		if r.state == "dead" {
			done = begin + 1000
		}
		var id int64
		err := db.QueryRowContext(t.Context(), fmt.Sprintf(`INSERT INTO outbox
			(lane, kind, ref, payload, delivery_key, state, attempts, available_at, cause, created_at, done_at)
			VALUES ('%s', '%s', '%s', '%s', 'key-%d', '%s', %d, %d, '%s', %d, %d) RETURNING id`,
			r.lane, r.kind, r.ref, r.payload, i, r.state, r.attempts, begin, r.cause, begin, done)).Scan(&id)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func theLetters() []letterRow {
	return []letterRow{
		{"slack:T1:U0HUSHED01", "post", "post-1", "", "dead", "channel_not_found", 3},
		{"discord::100000000000000077", "post", "post-2", "", "waiting", "direct messages are closed", 1},
		{"mail:v1", "mail", "v1", "", "dead", "550 refused", 9},
		{"event:b1", "event", "b1", "badge.claimed", "dead", "status 410\nsecond line", 4},
		{"slack:T2:U0HUSHED02", "post", "post-3", hushed, "ready", "", 0},
		{"slack:T1:U0HUSHED03", "post", "post-4", "", "sent", "", 1},
	}
}

func TestDeliveriesAreListed(t *testing.T) {
	t.Parallel()
	forEachDatabase(t, func(t *testing.T, databaseURL string) {
		key := secretKey('k')
		list := func(args ...string) string {
			t.Helper()
			status, out, errs := command(t, databaseURL, key, append([]string{"deliveries"}, args...)...)
			if status != 0 || errs != "" {
				t.Fatalf("%v: exit status %d\n%s%s", args, status, out, errs)
			}
			for _, private := range []string{"HUSHED", "100000000000000077", hushed} {
				if strings.Contains(out, private) {
					t.Errorf("%v: the list tells too much:\n%s", args, out)
				}
			}
			return out
		}
		if status, _, errs := command(t, databaseURL, key, "migrate"); status != 0 {
			t.Fatal(errs)
		}
		if out := list(); out != "no such deliveries\n" {
			t.Errorf("nothing there:\n%s", out)
		}
		ids := putLetters(t, openDatabase(t, databaseURL), theLetters()...)

		lines := strings.Split(list(), "\n")
		want := [][]string{
			{"ID", "KIND", "PLATFORM", "WORKSPACE", "STATE", "ATTEMPTS", "AGE", "CAUSE"},
			{"post", "slack", "T1", "dead", "3", "3h", "channel_not_found"},
			{"post", "discord", "-", "waiting", "1", "3h", "direct messages are closed"},
			{"mail", "-", "-", "dead", "9", "3h", "550 refused"},
			{"event", "-", "-", "dead", "4", "3h", "status 410 second line"},
		}
		if len(lines) != len(want)+1 {
			t.Fatalf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
		}
		for i, words := range want {
			if i > 0 {
				words = append([]string{fmt.Sprint(ids[i-1])}, words...)
			}
			if got := strings.Join(strings.Fields(lines[i]), " "); got != strings.Join(words, " ") {
				t.Errorf("line %d is %q, want %q", i, got, words)
			}
		}
		for _, c := range []struct {
			args string
			want []int
		}{
			{"--kind post", []int{0, 1}},
			{"list --kind event", []int{3}},
			{"--platform slack", []int{0}},
			{"--state waiting", []int{1}},
			{"--cause not_found", []int{0}},
			{"--cause NOT_FOUND", nil},
			{"--limit 2", []int{0, 1}},
			{fmt.Sprintf("--after %d", ids[1]), []int{2, 3}},
			{"--platform discord --kind mail", nil},
		} {
			out := list(strings.Fields(c.args + " --json")...)
			var got []int64
			for line := range strings.Lines(out) {
				var l letterJSON
				if err := json.Unmarshal([]byte(line), &l); err != nil {
					t.Fatalf("%s: %v\n%s", c.args, err, out)
				}
				if (l.State == "dead") != (l.DoneAt != nil) || l.CreatedAt.IsZero() {
					t.Errorf("%s: %+v", c.args, l)
				}
				got = append(got, l.ID)
			}
			var wanted []int64
			for _, i := range c.want {
				wanted = append(wanted, ids[i])
			}
			if fmt.Sprint(got) != fmt.Sprint(wanted) {
				t.Errorf("%s: %v, want %v", c.args, got, wanted)
			}
		}
		if out := list("--limit", "2"); !strings.Contains(out, fmt.Sprintf("--after %d\n", ids[1])) {
			t.Errorf("the next page is not named:\n%s", out)
		}
	})
}

func TestDeliveriesAreResentAndDropped(t *testing.T) {
	t.Parallel()
	forEachDatabase(t, func(t *testing.T, databaseURL string) {
		key := secretKey('k')
		do := func(args ...string) string {
			t.Helper()
			status, out, errs := command(t, databaseURL, key, append([]string{"deliveries"}, args...)...)
			return fmt.Sprintf("%d %s%s", status, out, errs)
		}
		if status, _, errs := command(t, databaseURL, key, "migrate"); status != 0 {
			t.Fatal(errs)
		}
		db := openDatabase(t, databaseURL)
		ids := putLetters(t, db, theLetters()...)
		state := func(i int) (state string) {
			t.Helper()
			err := db.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT state FROM outbox WHERE id = %d`, ids[i])).Scan(&state)
			if errors.Is(err, sql.ErrNoRows) {
				return "gone"
			}
			if err != nil {
				t.Fatal(err)
			}
			return state
		}
		for _, verb := range []string{"resend", "drop"} {
			if got := do(verb); !strings.HasPrefix(got, "1 ") || !strings.Contains(got, "--all") {
				t.Errorf("%s of nothing: %s", verb, got)
			}
			if got := do(verb, "--all", "--kind", "post"); !strings.HasPrefix(got, "1 ") {
				t.Errorf("%s of two things: %s", verb, got)
			}
			if got := do(verb, "--kind", "pigeon"); !strings.HasPrefix(got, "2 ") {
				t.Errorf("%s of pigeons: %s", verb, got)
			}
			// What is on its way is nobody's to touch.
			if got := do(verb, fmt.Sprint(ids[4])); !strings.HasPrefix(got, "0 0 ") || state(4) != "ready" {
				t.Errorf("%s of one that is on its way: %s", verb, got)
			}
		}
		if got := do("resend", fmt.Sprint(ids[0]), fmt.Sprint(ids[1]), "--state", "dead"); got != "0 1 made due again\n" {
			t.Errorf("resend by id and filter: %s", got)
		}
		if got := do("resend", "--kind", "mail"); !strings.HasPrefix(got, "0 0 made due again\nmails stay as they are") {
			t.Errorf("resend mails: %s", got)
		}
		if got := do("drop", "--cause", "direct messages"); got != "0 1 dropped\n" {
			t.Errorf("drop by cause: %s", got)
		}
		if got := []string{state(0), state(1), state(2), state(3)}; fmt.Sprint(got) != "[ready gone dead dead]" {
			t.Errorf("states: %v", got)
		}
		if got := do("resend", "--all"); !strings.HasPrefix(got, "0 1 made due again\nmails stay") {
			t.Errorf("resend all: %s", got)
		}
		if got := do("drop", "--all"); got != "0 1 dropped\n" {
			t.Errorf("drop all: %s", got)
		}
		if got := []string{state(2), state(3), state(4), state(5)}; fmt.Sprint(got) != "[gone ready ready sent]" {
			t.Errorf("states: %v", got)
		}
	})
}

// A running bot sends what an operator makes due.
func TestResentDeliveriesArrive(t *testing.T) {
	t.Parallel()
	forEachDatabase(t, func(t *testing.T, databaseURL string) {
		s, _ := patient(t, databaseURL)
		s.linkSlack(ada())
		s.rest()
		db := openDatabase(t, databaseURL)
		var badge string
		if err := db.QueryRowContext(t.Context(), `SELECT id FROM badges WHERE recipient = 'ada@example.org' LIMIT 1`).Scan(&badge); err != nil {
			t.Fatal(err)
		}
		putLetters(t, db, letterRow{"event:" + badge, "event", badge, "badge.claimed", "dead", "status 500", 40})
		if heard(s, "badge.claimed") {
			t.Fatal("the portal heard of it already")
		}
		status, out, errs := command(t, databaseURL, s.settings.SecretKey.Reveal(), "deliveries", "resend", "--kind", "event")
		if status != 0 || out != "1 made due again\n" {
			t.Fatalf("exit status %d\n%s%s", status, out, errs)
		}
		s.waitFor("the portal to hear of it", func() bool { return heard(s, "badge.claimed") })
	})
}
