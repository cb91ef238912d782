package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/laurelbot/laurel/adapters/openbadges"
	"github.com/laurelbot/laurel/core"
)

type verifyCmd struct {
	Badge     string `arg:"" help:"Link to a badge or its public page, or a file: PNG, SVG, JSON or token; - reads from standard input." placeholder:"LINK|FILE"`
	Recipient string `help:"Also check that the badge was issued to this e-mail address. It is sent nowhere." placeholder:"ADDRESS"`
	JSON      bool   `help:"Print the whole verdict as JSON."`
}

// errNotGenuine ends the command with status 1, so that scripts can rely on 0.
var errNotGenuine = errors.New("not a genuine and current badge")

// Run verifies a badge and prints the verdict. It needs no setting and no
// database.
func (c *verifyCmd) Run(ctx context.Context, t *terminal) error {
	return c.verify(ctx, openbadges.New(openbadges.Options{}), os.Stdin, t)
}

func (c *verifyCmd) verify(ctx context.Context, by core.Verifier, stdin io.Reader, t *terminal) error {
	q, err := c.query(stdin)
	if err != nil {
		return err
	}
	v := by.Verify(ctx, q)
	if c.JSON {
		out := json.NewEncoder(t.out)
		out.SetIndent("", "  ")
		out.SetEscapeHTML(false)
		if err := out.Encode(v); err != nil {
			return fmt.Errorf("print verdict: %w", err)
		}
	} else if _, err := io.WriteString(t.out, verdictText(v)); err != nil {
		return fmt.Errorf("print verdict: %w", err)
	}
	if !v.Genuine() {
		return errNotGenuine
	}
	return nil
}

// query reads the file, if it is one. What has the form of a link is never
// looked for on this machine.
func (c *verifyCmd) query(stdin io.Reader) (core.BadgeQuery, error) {
	q := core.BadgeQuery{Recipient: c.Recipient}
	lower := strings.ToLower(c.Badge)
	if strings.HasPrefix(lower, "https://") || strings.HasPrefix(lower, "http://") {
		q.Link = c.Badge
		return q, nil
	}
	from := stdin
	if c.Badge != "-" {
		info, err := os.Stat(c.Badge)
		switch {
		case err != nil && strings.Count(c.Badge, ".") == 2 && strings.HasPrefix(c.Badge, "ey"):
			q.Link = c.Badge // A token on the command line.
			return q, nil
		case err != nil:
			return q, errors.New("neither a link nor a file that can be read")
		case info.IsDir():
			return q, errors.New("a folder is no badge")
		}
		file, err := os.Open(c.Badge)
		if err != nil {
			return q, errors.New("the file cannot be read")
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, core.MaxBadgeFileBytes+1))
	switch {
	case err != nil:
		return q, errors.New("the file cannot be read")
	case len(data) > core.MaxBadgeFileBytes:
		return q, errors.New("the file is larger than 10 MB")
	case len(data) == 0:
		return q, errors.New("the file is empty")
	}
	q.File = data
	return q, nil
}

// verdictText is the verdict for people. Texts of the badge are quoted, so
// that they cannot move the cursor or pretend to be the verdict.
func verdictText(v core.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", strings.ToUpper(strings.ReplaceAll(string(v.Status), "_", " ")))
	if v.Reason != "" {
		fmt.Fprintf(&b, ": %q", v.Reason)
	}
	b.WriteByte('\n')
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-12s %q\n", name, value)
		}
	}
	line("reason given", v.RevocationReason)
	line("badge", v.Achievement.Name)
	line("issuer", v.Issuer.Name)
	line("issuer id", v.Issuer.ID)
	if v.Issuer.ID != "" || v.Issuer.Name != "" {
		fmt.Fprintf(&b, "  %-12s %t\n", "confirmed", v.Issuer.Confirmed)
	}
	line("recipient", strings.TrimSpace(v.Recipient.Kind+" "+v.Recipient.Hash))
	line("criteria", v.Achievement.Criteria)
	if image := v.Achievement.Image; !strings.HasPrefix(image, "data:") {
		line("image", image)
	}
	if !v.IssuedAt.IsZero() {
		fmt.Fprintf(&b, "  %-12s %s\n", "issued", v.IssuedAt.Format(time.RFC3339))
	}
	if !v.ExpiresAt.IsZero() {
		fmt.Fprintf(&b, "  %-12s %s\n", "expires", v.ExpiresAt.Format(time.RFC3339))
	}
	line("id", v.ID)
	line("version", v.Version)
	for _, e := range v.Endorsements {
		fmt.Fprintf(&b, "  %-12s %q: %s\n", "endorsed by", e.Issuer, e.Status)
	}
	fmt.Fprintf(&b, "checked at %s:\n", v.CheckedAt.Format(time.RFC3339))
	for _, c := range v.Checks {
		fmt.Fprintf(&b, "  %-11s %-11s %q\n", c.Result, c.Name, c.Detail)
	}
	return b.String()
}
