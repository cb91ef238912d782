package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// signatures is F18: everything that is wrong with a signature.
type signatures struct{}

func (signatures) Name() string { return "wrong signatures" }

func (signatures) Criterion() string {
	return "401 for each, published vectors accepted, no statement for a bad one"
}

// forgery is a request whose signature is spoiled.
type forgery struct {
	name string
	rig.Request
}

// spoil are ways to spoil a signature that hold for every scheme; value and
// stamp name its headers.
func spoil(name string, good rig.Request, value, stamp string) []forgery {
	var out []forgery
	add := func(what string, change func(*rig.Request)) {
		r := rig.Request{Path: good.Path, Header: good.Header.Clone(), Body: good.Body}
		change(&r)
		out = append(out, forgery{name + ": " + what, r})
	}
	signature := good.Header.Get(value)
	last := signature[len(signature)-1]
	other := byte('0')
	if last == other {
		other = '1'
	}
	add("no signature", func(r *rig.Request) { r.Header.Del(value) })
	add("no time", func(r *rig.Request) { r.Header.Del(stamp) })
	add("empty", func(r *rig.Request) { r.Header.Set(value, "") })
	add("short", func(r *rig.Request) { r.Header.Set(value, signature[:len(signature)-2]) })
	add("long", func(r *rig.Request) { r.Header.Set(value, signature+"00") })
	add("no hex", func(r *rig.Request) { r.Header.Set(value, signature[:len(signature)-1]+"g") })
	add("one digit changed", func(r *rig.Request) { r.Header.Set(value, signature[:len(signature)-1]+string(other)) })
	add("upper case", func(r *rig.Request) { r.Header.Set(value, strings.ToUpper(signature)) })
	add("doubled", func(r *rig.Request) { r.Header.Add(value, signature) })
	add("time doubled", func(r *rig.Request) { r.Header.Add(stamp, good.Header.Get(stamp)) })
	add("time is a word", func(r *rig.Request) { r.Header.Set(stamp, "now") })
	add("other time", func(r *rig.Request) { r.Header.Set(stamp, good.Header.Get(stamp)+"0") })
	add("one bit of the body changed", func(r *rig.Request) {
		b := []byte(r.Body)
		b[len(b)/2] ^= 1
		r.Body = string(b)
	})
	add("body encoded anew", func(r *rig.Request) { r.Body = strings.Replace(r.Body, "%22", "\"", 1) + " " })
	return out
}

// forgeries are all bad requests, signed or not, at this moment.
func forgeries(s *rig.Stage) []forgery {
	slack := s.Request(rig.Press{N: 1, Badge: 1, Person: s.Owner(1)})
	discord := s.Request(rig.Press{N: 2, Badge: 2, Person: s.Owner(2), Platform: rig.Discord})
	out := append(spoil("Slack", slack, "X-Slack-Signature", "X-Slack-Request-Timestamp"),
		spoil("Discord", discord, "X-Signature-Ed25519", "X-Signature-Timestamp")...)
	v1 := slack
	v1.Header = slack.Header.Clone()
	v1.Header.Set("X-Slack-Signature", strings.Replace(slack.Header.Get("X-Slack-Signature"), "v0=", "v1=", 1))
	const ping = `{"type":1,"id":"1300000000000000000","token":"t","version":1,"application_id":"1"}`
	badPing := rig.Request{Path: "/discord/interactions", Header: s.SignDiscord(ping+" ", s.Now()), Body: ping}
	return append(out, forgery{"Slack: v1", v1}, forgery{"Discord: PING with a bad signature", badPing})
}

func (f signatures) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	forged, err1 := on(ctx, r, rig.Config{Name: "f18"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 1); err != nil {
			return "", err
		}
		if s.PG.Counts {
			if _, err := s.DB.ExecContext(ctx, `CREATE EXTENSION IF NOT EXISTS `+rig.StatementStatistics); err != nil {
				return "", fmt.Errorf("count statements: %w", err)
			}
		}
		idle, err := f.statements(ctx, s, func() error { return rig.Sleep(ctx, rig.Pick(r, 12*time.Second, 6*time.Second)) })
		if err != nil {
			return "", err
		}
		c := s.NewClient(false)
		defer c.Close()
		sent := 0
		busy, err := f.statements(ctx, s, func() error {
			for range rig.Pick(r, 20, 5) {
				for _, one := range forgeries(s) {
					status, _, err := c.Post(ctx, s.Bots[0], one.Request)
					if err != nil {
						return err
					}
					sent++
					found.want(status == http.StatusUnauthorized, "%s: answered %d", one.name, status)
				}
			}
			return nil
		})
		if err != nil {
			return "", err
		}
		extra := 0
		for query, calls := range busy {
			if _, known := idle[query]; !known {
				extra += calls
			}
			found.want(calls < sent/2, "a statement ran %d times during %d bad requests: %.80s", calls, sent, query)
		}
		found.want(extra < 30, "%d statements ran that do not run at rest", extra)
		found.want(sent > 100, "only %d bad requests", sent)
		n, err := s.Count(ctx, `SELECT (SELECT count(*) FROM handoffs) + (SELECT count(*) FROM actions) + (SELECT count(*) FROM inbox)`)
		found.add(err)
		found.want(n == 0, "%d rows came of bad requests", n)
		counted := "statements not counted: the extension is missing"
		if s.PG.Counts {
			counted = fmt.Sprintf("%d statements beside the usual", extra)
		}
		return Figure(fmt.Sprintf("%d bad requests refused, %s", sent, counted)), nil
	})
	published, err2 := f.vectors(ctx, r)
	return forged + "; " + published, errors.Join(err1, err2)
}

// statements returns how often each statement ran meanwhile.
func (signatures) statements(ctx context.Context, s *rig.Stage, meanwhile func() error) (map[string]int, error) {
	if !s.PG.Counts {
		return nil, meanwhile()
	}
	if _, err := s.DB.ExecContext(ctx, `SELECT pg_stat_statements_reset()`); err != nil {
		return nil, fmt.Errorf("count statements: %w", err)
	}
	if err := meanwhile(); err != nil {
		return nil, err
	}
	list, err := s.DB.QueryContext(ctx, `SELECT query, sum(calls)::bigint FROM pg_stat_statements
		WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND query NOT LIKE '%pg_stat_statements%' GROUP BY query`)
	if err != nil {
		return nil, fmt.Errorf("count statements: %w", err)
	}
	defer func() { _ = list.Close() }()
	out := map[string]int{}
	for list.Next() {
		var query string
		var calls int
		if err := list.Scan(&query, &calls); err != nil {
			return nil, fmt.Errorf("count statements: %w", err)
		}
		out[query] = calls
	}
	return out, list.Err()
}

// vectors are the published examples, each at the moment it was signed
// (https://docs.slack.dev/authentication/verifying-requests-from-slack,
// https://github.com/standard-webhooks/standard-webhooks).
func (signatures) vectors(ctx context.Context, r *rig.Rig) (Figure, error) {
	const (
		slackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
			"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands" +
			"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
		slackSecret = "8f742231b10e8888abcd99yyyzzz85a5"
		slackSigned = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
		slackAt     = 1531420618
		portalID    = "msg_p5jXN8AQM9LWM0D4loKWxJek"
		portalBody  = `{"test": 2432232314}`
		portalKey   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		portalSign  = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
		portalAt    = 1614265330
	)
	c := rig.Config{Name: "f18v", Env: []string{"SLACK_SIGNING_SECRET=" + slackSecret, "PORTAL_WEBHOOK_SECRET=" + portalKey}}
	return on(ctx, r, c, func(s *rig.Stage, found *findings) (Figure, error) {
		accepted := 0
		client := s.NewClient(false)
		defer client.Close()
		for i, v := range []struct {
			at      int64
			request rig.Request
			value   string
		}{
			{slackAt, rig.Request{Path: "/slack/commands", Body: slackBody, Header: http.Header{
				"Content-Type": {rig.FormType}, "X-Slack-Request-Timestamp": {fmt.Sprint(slackAt)}, "X-Slack-Signature": {slackSigned},
			}}, "X-Slack-Signature"},
			{portalAt, rig.Request{Path: "/webhooks/portal", Body: portalBody, Header: http.Header{
				"Content-Type": {"application/json"}, "Webhook-Id": {portalID}, "Webhook-Timestamp": {fmt.Sprint(portalAt)}, "Webhook-Signature": {portalSign},
			}}, "Webhook-Signature"},
		} {
			if err := s.MoveDatabase(ctx, time.Until(time.Unix(v.at, 0))); err != nil {
				return "", err
			}
			if err := s.StartBots(ctx, 1); err != nil {
				return "", err
			}
			b := s.Bots[i]
			status, _, err := client.Post(ctx, b, v.request)
			if err != nil {
				return "", err
			}
			// What is signed well is read; the second one is no event of ours.
			want := []int{http.StatusOK, http.StatusBadRequest}[i]
			found.want(status == want, "published vector %d: answered %d, want %d", i+1, status, want)
			accepted++
			signed := v.request.Header.Get(v.value)
			v.request.Header.Set(v.value, strings.Replace(signed, signed[10:11], "Z", 1))
			status, _, err = client.Post(ctx, b, v.request)
			if err != nil {
				return "", err
			}
			found.want(status == http.StatusUnauthorized, "published vector %d, changed: answered %d", i+1, status)
			if _, err := b.Stop(); err != nil {
				return "", err
			}
		}
		return Figure(fmt.Sprintf("%d published vectors", accepted)), nil
	})
}
