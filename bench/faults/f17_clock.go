package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
)

// skewed is F17: the machines of the replicas are ten minutes ahead of or
// behind the database.
type skewed struct{}

func (skewed) Name() string { return "clocks of app and database 10 min apart" }

func (skewed) Criterion() string {
	return "windows of ±300 s exact by database time; no link works after its end + 1 s"
}

func (k skewed) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	var errs []error
	text := ""
	for _, skew := range rig.Pick(r, []time.Duration{10 * time.Minute, -10 * time.Minute}, []time.Duration{10 * time.Minute}) {
		figure, err := on(ctx, r, rig.Config{Name: "f17", Life: 10 * time.Second}, func(s *rig.Stage, found *findings) (Figure, error) {
			if err := s.MoveDatabase(ctx, skew); err != nil {
				return "", err
			}
			if err := s.StartBots(ctx, 1); err != nil {
				return "", err
			}
			if err := k.windows(ctx, s, found); err != nil {
				return "", err
			}
			late, err := k.links(ctx, s, found, skew)
			return Figure(fmt.Sprintf("app %s: 12 windows, link dead %s after its end", -skew, ms(late))), err
		})
		errs = append(errs, err)
		text += string(figure) + "; "
	}
	return Figure(text[:max(0, len(text)-2)]), errors.Join(errs...)
}

// databaseNow is the time of the database, soon after a second began: a
// signature's time has whole seconds.
func databaseNow(ctx context.Context, s *rig.Stage) (time.Time, error) {
	for {
		n, err := s.Count(ctx, `SELECT now_ms FROM clock`)
		if err != nil {
			return time.Time{}, err
		}
		now := time.UnixMilli(int64(n))
		// Not at its very beginning: the replica's reading may be a little off.
		if at := now.Nanosecond() / 1e6; at > 100 && at < 400 {
			return now, nil
		}
		if err := rig.Sleep(ctx, 20*time.Millisecond); err != nil {
			return now, err
		}
	}
}

func (skewed) windows(ctx context.Context, s *rig.Stage, found *findings) error {
	c := s.NewClient(false)
	defer c.Close()
	n := 100
	for _, one := range []struct {
		seconds int
		good    bool
	}{{-301, false}, {-299, true}, {299, true}, {301, false}} {
		for door := range 3 {
			n++
			now, err := databaseNow(ctx, s)
			if err != nil {
				return err
			}
			at := now.Add(time.Duration(one.seconds) * time.Second)
			p := rig.Press{N: n, Badge: n, Person: s.Owner(n)}
			var request rig.Request
			switch door {
			case 0:
				body := s.SlackBody(p)
				request = rig.Request{Path: "/slack/interactions", Header: s.SignSlack(body, at), Body: body}
			case 1:
				body := s.DiscordBody(p, now)
				request = rig.Request{Path: "/discord/interactions", Header: s.SignDiscord(body, at), Body: body}
			default:
				sign, err := portalEvent(s, fmt.Sprintf("msg_window%d", n), `{"type":"person.unknown","timestamp":"2026-11-20T00:00:00Z","data":{}}`)
				if err != nil {
					return err
				}
				request = sign(at)
			}
			status, _, err := c.Post(ctx, s.Bots[0], request)
			if err != nil {
				return err
			}
			found.want((status != http.StatusUnauthorized) == one.good, "%s signed %+d s from now was answered %d", request.Path, one.seconds, status)
		}
	}
	return nil
}

// links follows links to claim before and after their end, and one whose end
// only the database has seen. It returns how long after its end a link was
// last seen to be dead.
func (skewed) links(ctx context.Context, s *rig.Stage, found *findings, skew time.Duration) (time.Duration, error) {
	c := s.NewClient(false)
	defer c.Close()
	open := func(n int) (string, error) {
		now, err := databaseNow(ctx, s)
		if err != nil {
			return "", err
		}
		body := s.SlackBody(rig.Press{N: n, Badge: n, Person: s.Owner(n)})
		status, _, err := c.Post(ctx, s.Bots[0], rig.Request{Path: "/slack/interactions", Header: s.SignSlack(body, now), Body: body})
		if err != nil || status != http.StatusOK {
			return "", fmt.Errorf("claim: answered %d: %w", status, err)
		}
		link := ""
		err = rig.Await(ctx, 8*time.Second, "a link", func() (bool, error) {
			for _, card := range s.Desk.Cards(n) {
				link = card.Link
			}
			return link != "", nil
		})
		return link, err
	}
	ends := func(n int) (time.Time, error) {
		end, err := s.Count(ctx, `SELECT expires_at FROM handoffs WHERE badge_id = $1`, seed.BadgeID(n))
		return time.UnixMilli(int64(end)).Add(-skew), err
	}
	first, err := open(1)
	if err != nil {
		return 0, err
	}
	status, err := follow(ctx, s.Bots[0], first)
	found.add(err)
	found.want(status == http.StatusSeeOther, "a link in time was answered %d", status)
	second, err := open(2)
	if err != nil {
		return 0, err
	}
	end, err := ends(2)
	if err != nil {
		return 0, err
	}
	if err := rig.Sleep(ctx, time.Until(end.Add(time.Second))); err != nil {
		return 0, err
	}
	late := time.Since(end)
	status, err = follow(ctx, s.Bots[0], second)
	found.add(err)
	found.want(status == http.StatusGone, "a link was answered %d %s after its end", status, late)
	third, err := open(3)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(s.MoveDatabase(ctx, skew+15*time.Second), rig.Sleep(ctx, rig.ClockSeen)); err != nil {
		return 0, err
	}
	status, err = follow(ctx, s.Bots[0], third)
	found.add(err)
	found.want(status == http.StatusGone, "a link that ended by the database's time was answered %d", status)
	return late, nil
}

// follow presses the button on the page behind a link, as a browser would,
// and returns the status.
func follow(ctx context.Context, b *rig.Bot, link string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.Address+link, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("follow link: %w", err)
	}
	req.Header.Set("Content-Type", rig.FormType)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	client := http.Client{Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
