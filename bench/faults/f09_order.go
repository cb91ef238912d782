package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/portalsim"
)

// reordered is F9: webhooks come in every order, and twice.
type reordered struct{}

func (reordered) Name() string { return "webhooks in every order, doubled" }

func (reordered) Criterion() string { return "final state as in order" }

// orders are all orders of three.
var orders = [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}

func (reordered) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f09"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		if err := s.Join(ctx, s.Bots[0]); err != nil {
			return "", err
		}
		template := s.Credly.AddTemplate(credlysim.Template{Name: "Example"})
		some := orders[:rig.Pick(r, len(orders), 2)]
		s.Credly.HoldWebhooks()
		s.Portal.Hold()
		var badges []string
		for i := range some {
			id, err := story(ctx, s, i, template.ID)
			if err != nil {
				return "", err
			}
			badges = append(badges, id)
		}
		sent, err := releaseAll(ctx, s, some)
		if err != nil {
			return "", err
		}
		if err := s.Settle(ctx, 90*time.Second); err != nil {
			return "", err
		}
		for i, id := range badges {
			n, err := s.Count(ctx, `SELECT count(*) FROM badges WHERE provider_id = $1 AND stage = 'revoked'`, id)
			found.add(err)
			found.want(n == 1, "order %v: the revoked badge is not revoked here", some[i])
			n, err = s.Count(ctx, `SELECT count(*) FROM badges WHERE award_id = $1 AND certificate_number = 'C-3'`, award(i))
			found.add(err)
			found.want(n == 1, "order %v: the award is not as it was last decided", some[i])
		}
		return Figure(fmt.Sprintf("%d orders of 2×3 events, %d deliveries", len(some), sent)), nil
	})
}

func award(i int) string { return fmt.Sprintf("award-order-%d", i) }

// story lets three things happen to a badge at Credly and to an award, while
// webhooks are held.
func story(ctx context.Context, s *rig.Stage, i int, template string) (string, error) {
	b, err := s.Credly.Issue(credlysim.IssueRequest{
		RecipientEmail: fmt.Sprintf("order-%d@example.org", i), FirstName: "Or", LastName: "Der", TemplateID: template,
		IssuedAt: s.Now().Format(time.RFC3339),
	})
	if err != nil {
		return "", fmt.Errorf("issue at Credly: %w", err)
	}
	if err := errors.Join(s.Credly.Accept(b.ID), s.Credly.Revoke(b.ID, "a mistake")); err != nil {
		return "", fmt.Errorf("revoke at Credly: %w", err)
	}
	for n := 1; n <= 3; n++ {
		tell := s.Portal.Change
		if n == 1 {
			tell = s.Portal.Grant
		}
		_, err := tell(ctx, portalsim.Award{
			ID: award(i), Email: fmt.Sprintf("award-%d@example.org", i), FirstName: "A", LastName: "Ward",
			TemplateID: template, IssuedAt: s.Now(), CertificateNumber: fmt.Sprintf("C-%d", n),
		})
		if err != nil {
			return "", fmt.Errorf("tell of award: %w", err)
		}
		// The portal's own times order its events.
		if err := rig.Sleep(ctx, 5*time.Millisecond); err != nil {
			return "", err
		}
	}
	return b.ID, nil
}

// releaseAll sends what was held, the events of each badge in their order,
// and everything twice.
func releaseAll(ctx context.Context, s *rig.Stage, some [][3]int) (int, error) {
	waiting := map[string][]int{}
	for i, d := range s.Credly.Waiting() {
		waiting[d.BadgeID] = append(waiting[d.BadgeID], i)
	}
	var order []int
	n := 0
	for _, b := range s.Credly.Badges() {
		if mine := waiting[b.ID]; len(mine) == 3 {
			for _, j := range some[n] {
				order = append(order, mine[j])
			}
			n++
		}
	}
	if n != len(some) {
		return 0, fmt.Errorf("%d badges with three webhooks, want %d", n, len(some))
	}
	sent, err := s.Credly.ReleaseWebhooks(ctx, credlysim.Release{Order: order, Doubled: true})
	if err != nil {
		return 0, fmt.Errorf("release webhooks: %w", err)
	}
	var portal []int
	for i, o := range some {
		for _, j := range o {
			portal = append(portal, 3*i+j, 3*i+j)
		}
	}
	if err := s.Portal.Release(ctx, portal...); err != nil {
		return 0, fmt.Errorf("release webhooks: %w", err)
	}
	return sent + len(portal), nil
}
