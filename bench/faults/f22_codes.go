package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/playground/mailsim"
)

// codes is F22: everything that somebody may try with mailed codes.
type codes struct{}

func (codes) Name() string { return "e-mail codes: guesses, floods, known addresses" }

func (codes) Criterion() string {
	return "dead after 5; ≤ 5 of 100 compared; same text and time (5 %) for known addresses; used, expired gone; ≤ 5 mails/h; no code in a log"
}

// linker asks for codes and enters them, as people do in Slack.
type linker struct {
	s     *rig.Stage
	c     *rig.Client
	found *findings
	n     int
}

// person is somebody in Slack, each in a workspace of their own.
type person struct{ team, user string }

func who(n int) person { return person{fmt.Sprintf("T0CODES%04d", n), fmt.Sprintf("U0CODES%04d", n)} }

// ask asks for a code and returns the number under which the card comes and
// how long the acknowledgement took.
func (l *linker) ask(ctx context.Context, p person, address string) (int, time.Duration, error) {
	l.n++
	body := url.Values{
		"team_id": {p.team}, "user_id": {p.user}, "user_name": {"example"}, "channel_id": {"D0FAULTS01"}, "command": {"/badges"},
		"text": {"link " + address}, "trigger_id": {fmt.Sprintf("9.%d.ask", l.n)}, "response_url": {fmt.Sprintf("%s/actions/%d", l.s.Desk.URL, l.n)},
	}.Encode()
	begin := time.Now()
	status, _, err := l.c.Post(ctx, l.s.Bots[0], rig.Request{Path: "/slack/commands", Header: l.s.SignSlack(body, l.s.Now()), Body: body})
	took := time.Since(begin)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("asking for a code was answered %d", status)
	}
	return l.n, took, err
}

// card waits for the first card under a number.
func (l *linker) card(ctx context.Context, n int) (string, error) {
	body := ""
	err := rig.Await(ctx, 20*time.Second, "a card", func() (bool, error) {
		if cards := l.s.Desk.Cards(n); len(cards) > 0 {
			body = cards[0].Body
		}
		return body != "", nil
	})
	return body, err
}

// verification is the id of the newest code of a person.
func (l *linker) verification(ctx context.Context, p person) (id string, err error) {
	err = l.s.DB.QueryRowContext(ctx, `SELECT v.id FROM verifications v JOIN accounts a ON a.id = v.account_id
		WHERE a.user_id = $1 ORDER BY v.created_at DESC, v.id DESC LIMIT 1`, p.user).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("look into tables: %w", err)
	}
	return id, nil
}

// mailed waits for the n-th mail to an address and returns its code.
func (l *linker) mailed(ctx context.Context, address string, n int) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	mails, err := l.s.Mail.WaitFor(ctx, address, n)
	if err != nil {
		return "", fmt.Errorf("wait for mail: %w", err)
	}
	slices.SortFunc(mails, func(a, b mailsim.Message) int { return a.ID - b.ID })
	if found := mailsim.Codes(mails[n-1]); len(found) == 1 {
		return found[0], nil
	}
	return "", errors.New("a mail does not have one code")
}

// enter submits the form with a code and returns what the answer said.
func (l *linker) enter(ctx context.Context, p person, verification, code string, nr int) (string, error) {
	payload, err := json.Marshal(map[string]any{
		"type": "view_submission", "team": map[string]any{"id": p.team}, "user": map[string]any{"id": p.user, "name": "example"},
		"trigger_id": fmt.Sprintf("8.%s.%d", verification, nr),
		"view": map[string]any{
			"id": "V0CODES", "hash": fmt.Sprint(nr), "callback_id": "code:" + verification, "private_metadata": "",
			"state": map[string]any{"values": map[string]any{"code": map[string]any{"value": map[string]any{"type": "plain_text_input", "value": code}}}},
		},
	})
	if err != nil {
		return "", fmt.Errorf("encode form: %w", err)
	}
	body := "payload=" + url.QueryEscape(string(payload))
	status, answer, err := l.c.Post(ctx, l.s.Bots[nr%len(l.s.Bots)], rig.Request{
		Path: "/slack/interactions", Header: l.s.SignSlack(body, l.s.Now()), Body: body,
	})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("entering a code was answered %d", status)
	}
	return string(answer), err
}

// state is how a verification stands, and how many tries were taken.
func (l *linker) state(ctx context.Context, id string) (state string, tries int, err error) {
	err = l.s.DB.QueryRowContext(ctx, `SELECT state, tries FROM verifications WHERE id = $1`, id).Scan(&state, &tries)
	return state, tries, err
}

func (k codes) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f22"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		c := s.NewClient(false)
		defer c.Close()
		l := &linker{s: s, c: c, found: found}
		compared, err := k.guesses(ctx, l)
		if err != nil {
			return "", err
		}
		if err := k.once(ctx, l); err != nil {
			return "", err
		}
		mails, err := k.flood(ctx, l)
		if err != nil {
			return "", err
		}
		apart, err := k.known(ctx, l)
		if err != nil {
			return "", err
		}
		if err := k.logs(s, found); err != nil {
			return "", err
		}
		return Figure(fmt.Sprintf("%d of 100 guesses compared; median times %.1f %% apart; %d mails of 8 asked for", compared, 100*apart, mails)), nil
	})
}

// guesses enters five wrong codes in a row, and a hundred at once.
func (codes) guesses(ctx context.Context, l *linker) (compared int, err error) {
	for i, times := range []int{5, 100} {
		p, address := who(i), fmt.Sprintf("guess-%d@example.org", i)
		if _, _, err := l.ask(ctx, p, address); err != nil {
			return 0, err
		}
		code, err := l.mailed(ctx, address, 1)
		if err != nil {
			return 0, err
		}
		id, err := l.verification(ctx, p)
		if err != nil {
			return 0, err
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		var errs []error
		slots := make(chan struct{}, []int{1, 100}[i])
		wrong := 0
		for n := range times {
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				guess := fmt.Sprintf("%08d", n)
				if guess == code {
					guess = "99999999"
				}
				said, err := l.enter(ctx, p, id, guess, n)
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
				if strings.Contains(said, "not the code") {
					wrong++
				}
			})
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil {
			return 0, err
		}
		// How many were told that others are left depends on who reads first.
		l.found.want(wrong < 5, "%d of %d wrong codes were told that tries are left", wrong, times)
		if _, err := l.enter(ctx, p, id, code, 1000); err != nil {
			return 0, err
		}
		state, tries, err := l.state(ctx, id)
		l.found.add(err)
		l.found.want(state != "used" && tries == 5, "after %d wrong codes: %s after %d tries", times, state, tries)
		compared = tries
	}
	return compared, nil
}

// once uses a code twice, and one that ran out.
func (codes) once(ctx context.Context, l *linker) error {
	for i, late := range []time.Duration{0, 11 * time.Minute} {
		p, address := who(10+i), fmt.Sprintf("once-%d@example.org", i)
		if _, _, err := l.ask(ctx, p, address); err != nil {
			return err
		}
		code, err := l.mailed(ctx, address, 1)
		if err != nil {
			return err
		}
		id, err := l.verification(ctx, p)
		if err != nil {
			return err
		}
		if late > 0 {
			if err := errors.Join(l.s.Advance(ctx, late), rig.Sleep(ctx, rig.ClockSeen)); err != nil {
				return err
			}
		}
		for n := range 2 {
			if _, err := l.enter(ctx, p, id, code, n); err != nil {
				return err
			}
		}
		linked, err := l.s.Count(ctx, `SELECT count(*) FROM addresses WHERE normal = $1`, address)
		l.found.add(err)
		audits, err := l.s.Count(ctx, `SELECT count(*) FROM audit WHERE kind = 'address.proved' AND subject = $1`, id)
		l.found.add(err)
		want := 1
		if late > 0 {
			want = 0
		}
		l.found.want(linked == want && audits == want, "a code entered twice %s later proved the address %d times, want %d", late, audits, want)
	}
	return nil
}

// flood lets eight people ask for codes to one address.
func (codes) flood(ctx context.Context, l *linker) (int, error) {
	const address = "flood@example.org"
	var texts []string
	for i := range 8 {
		n, _, err := l.ask(ctx, who(20+i), address)
		if err != nil {
			return 0, err
		}
		text, err := l.card(ctx, n)
		if err != nil {
			return 0, err
		}
		texts = append(texts, neutral(text, address))
	}
	if err := l.s.Settle(ctx, 30*time.Second); err != nil {
		return 0, err
	}
	mails := len(l.s.Mail.Messages(address))
	l.found.want(mails <= 5 && mails > 0, "%d mails went to one address within an hour", mails)
	for i, text := range texts {
		l.found.want(text == texts[0], "the card for code %d differs from the first", i+1)
	}
	return mails, nil
}

// known asks for codes to addresses that are known and to others, in turn,
// and returns how far the median times lie apart. What differs by chance is
// looked at again; a real difference stays.
func (codes) known(ctx context.Context, l *linker) (float64, error) {
	const goal = 0.05
	best := 1.0
	next := 100
	for range 4 {
		var times [2][]time.Duration
		var text [2]string
		for range rig.Pick(l.s.Rig, 150, 40) {
			for kind := range 2 {
				next++
				address := fmt.Sprintf("person.%d@example.org", next)
				if kind == 1 {
					address = fmt.Sprintf("nobody.%d@example.org", next)
				}
				n, took, err := l.ask(ctx, who(next), address)
				if err != nil {
					return best, err
				}
				times[kind] = append(times[kind], took)
				if text[kind] == "" {
					card, err := l.card(ctx, n)
					if err != nil {
						return best, err
					}
					text[kind] = neutral(card, address)
				}
			}
		}
		l.found.want(text[0] == text[1], "the cards for known and unknown addresses differ")
		for kind := range times {
			slices.Sort(times[kind])
		}
		a, b := times[0][len(times[0])/2].Seconds(), times[1][len(times[1])/2].Seconds()
		best = min(best, max(a, b)/min(a, b)-1)
		if best <= goal {
			break
		}
	}
	limit := goal
	if l.s.Short {
		limit = 0.25
	}
	l.found.want(best <= limit, "median times of known and unknown addresses lie %.1f %% apart", 100*best)
	return best, l.s.Settle(ctx, time.Minute)
}

// neutral takes out of a card what differs from person to person: the
// address, ids and times.
func neutral(card, address string) string {
	card = strings.ReplaceAll(strings.ToLower(card), strings.ToLower(address), "ADDRESS")
	var out strings.Builder
	for _, word := range strings.FieldsFunc(card, func(r rune) bool { return strings.ContainsRune(`"\:,{}[]<>^|!`, r) }) {
		if strings.ContainsAny(word, "0123456789") {
			word = "N"
		}
		out.WriteString(word + " ")
	}
	return out.String()
}

// logs holds the logs of all replicas against the codes of all mails.
func (codes) logs(s *rig.Stage, found *findings) error {
	var all strings.Builder
	for _, b := range s.Bots {
		text, err := b.Logs()
		if err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		all.WriteString(text)
	}
	n := 0
	for _, m := range s.Mail.Messages("") {
		for _, code := range mailsim.Codes(m) {
			n++
			found.want(!strings.Contains(all.String(), code), "a code stands in a log")
		}
	}
	found.want(n > 50, "only %d codes were mailed", n)
	found.want(!strings.Contains(all.String(), "@example.org"), "an address stands in a log")
	return nil
}
