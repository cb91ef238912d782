package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// fuzzed is F21: nonsense of every kind.
type fuzzed struct{}

func (fuzzed) Name() string { return "fuzzing of every decoder, hostile bodies" }

func (fuzzed) Criterion() string {
	return "no panic; hostile bodies answered < 50 ms; unknown blocks leave a working button"
}

func (f fuzzed) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	figure, err1 := on(ctx, r, rig.Config{Name: "f21"}, f.hostile)
	if r.Short {
		return figure, err1
	}
	fuzzing, err2 := f.fuzz(ctx, r)
	return figure + "; " + fuzzing, errors.Join(err1, err2)
}

// hostile sends bodies that are large, deep or full of what nobody knows.
func (fuzzed) hostile(s *rig.Stage, found *findings) (Figure, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.StartBots(ctx, 1); err != nil {
		return "", err
	}
	c := s.NewClient(false)
	defer c.Close()
	const size = 200_000
	deep := strings.Repeat("[", size/2) + strings.Repeat("]", size/2)
	wide := `{"type":"block_actions","message":{"blocks":[` + strings.TrimSuffix(strings.Repeat(`{"type":"x"},`, size/20), ",") + `]}}`
	slackDoor := func(body string) rig.Request {
		return rig.Request{Path: "/slack/interactions", Header: s.SignSlack(body, s.Now()), Body: body}
	}
	events := func(body string) rig.Request {
		h := s.SignSlack(body, s.Now())
		h.Set("Content-Type", "application/json")
		return rig.Request{Path: "/slack/events", Header: h, Body: body}
	}
	discord := func(body string) rig.Request {
		return rig.Request{Path: "/discord/interactions", Header: s.SignDiscord(body, s.Now()), Body: body}
	}
	var worst time.Duration
	bodies := []rig.Request{
		slackDoor("payload=" + url.QueryEscape(deep[:60_000])), slackDoor("payload=" + url.QueryEscape(wide[:80_000])),
		slackDoor(strings.Repeat("a=b&", size/4)), events(deep), events(wide), discord(deep), discord(wide),
		discord(`{"type":3,"data":{"custom_id":"` + strings.Repeat("x", size) + `"}}`),
	}
	for _, request := range bodies {
		// The best of three: the machine does other things as well.
		best := time.Hour
		for range 3 {
			begin := time.Now()
			status, _, err := c.Post(ctx, s.Bots[0], request)
			if err != nil {
				return "", err
			}
			best = min(best, time.Since(begin))
			found.want(status >= 200 && status < 500, "%s: %d bytes were answered %d", request.Path, len(request.Body), status)
		}
		worst = max(worst, best)
	}
	found.want(worst < s.Limit(50*time.Millisecond), "a hostile body took %s", worst)
	if err := unknownBlocks(ctx, s, c, found); err != nil {
		return "", err
	}
	logs, err := s.Bots[0].Logs()
	found.add(err)
	found.want(!strings.Contains(logs, "panic"), "the log tells of a panic")
	return Figure(fmt.Sprintf("%d hostile bodies, the slowest answered after %s", len(bodies), ms(worst))), nil
}

// unknownBlocks presses a button in a message full of things that do not
// exist yet.
func unknownBlocks(ctx context.Context, s *rig.Stage, c *rig.Client, found *findings) error {
	const strange = `{"type":"hologram","elements":[{"type":"lever","action_id":"x"},7,null,{"type":{"deep":[1,{}]}}]}`
	slackBody := s.SlackBody(rig.Press{N: 1, Badge: 1, Person: s.Owner(1)})
	payload, err := url.QueryUnescape(strings.TrimPrefix(slackBody, "payload="))
	if err != nil {
		return fmt.Errorf("read own payload: %w", err)
	}
	blocks := `"message":{"ts":"1.1","blocks":[` + strange + `,{"type":"actions","elements":[` + strange + `]},{"type":"context","elements":[` + strange + `]}]},"state":`
	slackBody = "payload=" + url.QueryEscape(strings.Replace(payload, `"state":`, blocks, 1))
	discordBody := s.DiscordBody(rig.Press{N: 2, Badge: 2, Person: s.Owner(2)}, s.Now())
	discordBody = strings.Replace(discordBody, `"components":[]`, `"components":[{"type":999,"lever":{}},{"type":1,"components":[{"type":998}]}],"poll":7`, 1)
	for _, request := range []rig.Request{
		{Path: "/slack/interactions", Header: s.SignSlack(slackBody, s.Now()), Body: slackBody},
		{Path: "/discord/interactions", Header: s.SignDiscord(discordBody, s.Now()), Body: discordBody},
	} {
		status, _, err := c.Post(ctx, s.Bots[0], request)
		if err != nil {
			return err
		}
		found.want(status == http.StatusOK, "%s: a press among unknown blocks was answered %d", request.Path, status)
	}
	if err := s.Settle(ctx, 20*time.Second); err != nil {
		return err
	}
	for n := 1; n <= 2; n++ {
		cards := s.Desk.Cards(n)
		found.want(len(cards) > 0 && cards[len(cards)-1].Say == rig.SayLink, "a press among unknown blocks showed no link")
	}
	return nil
}

// target is one fuzz test of the sources.
type target struct{ pkg, name string }

// fuzz runs every fuzz test for a moment, two at a time.
func (f fuzzed) fuzz(ctx context.Context, r *rig.Rig) (Figure, error) {
	targets, err := f.targets(r.Source)
	if err != nil {
		return "", err
	}
	if len(targets) == 0 {
		return "", errors.New("there are no fuzz tests")
	}
	queue := make(chan target, len(targets))
	for _, t := range targets {
		queue <- t
	}
	close(queue)
	var group sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for range 2 {
		group.Go(func() {
			for t := range queue {
				out, err := t.run(ctx, r.Source)
				if err != nil && endedBadly(out) {
					out, err = t.run(ctx, r.Source)
				}
				if err != nil {
					mu.Lock()
					errs = append(errs, fmt.Errorf("%s: %w: %.600s", t.name, err, out))
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return Figure(fmt.Sprintf("%d fuzz tests, %d with findings", len(targets), len(errs))), errors.Join(errs...)
}

// run fuzzes for a moment.
func (t target) run(ctx context.Context, source string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", //nolint:gosec // Names come from the go tool.
		"-fuzztime=2s", "-fuzzminimizetime=10x", "-parallel=1", t.pkg)
	cmd.Dir = source
	return cmd.CombinedOutput()
}

// endedBadly reports whether fuzzing found nothing and failed for its own end:
// the go tool at times takes the end of the time given for a failure
// (https://go.dev/issue/75804). A finding leaves an input behind.
func endedBadly(out []byte) bool {
	return bytes.Contains(out, []byte("    context deadline exceeded\nFAIL")) && !bytes.Contains(out, []byte("ailing input"))
}

// fuzzTest begins a fuzz test in a source file.
var fuzzTest = regexp.MustCompile(`(?m)^func (Fuzz[A-Za-z0-9_]*)\(`)

// targets lists the fuzz tests of the sources. Asking the go tool for them
// would compile every test there is.
func (fuzzed) targets(source string) ([]target, error) {
	var out []target
	files := os.DirFS(source)
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return fmt.Errorf("read source: %w", err)
		}
		folder := path[:max(0, strings.LastIndexByte(path, '/'))]
		for _, found := range fuzzTest.FindAllSubmatch(text, -1) {
			out = append(out, target{"./" + folder, string(found[1])})
		}
		return nil
	})
	return out, err
}
