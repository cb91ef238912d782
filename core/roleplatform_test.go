package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// platform is one that gives roles, as far as one person's connection goes.
type platform struct {
	mu sync.Mutex
	// grants are the tokens that work now, n how many there ever were.
	grants          []*grant
	n               int
	facts           *core.RoleFacts
	told, refreshed int
	// fail is what the next calls say.
	fail  error
	clock core.Clock
	// slow is called while a refresh is under way.
	slow func()
}

type grant struct{ access, refresh string }

var _ core.RoleLink = (*platform)(nil)

// issue makes new tokens.
func (p *platform) issue(g *grant) core.RoleTokens {
	p.n++
	g.access, g.refresh = fmt.Sprintf("a%d", p.n), fmt.Sprintf("r%d", p.n)
	return core.RoleTokens{Access: core.Secret(g.access), Refresh: core.Secret(g.refresh), EndsAt: p.clock.Now().Add(7 * 24 * time.Hour)}
}

func (p *platform) AuthorizeURL(state string) string {
	return "https://discord.example.org/authorize?state=" + url.QueryEscape(state)
}

func (p *platform) Exchange(_ context.Context, code string) (core.RoleTokens, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if code != "good" || p.fail != nil {
		return core.RoleTokens{}, errors.Join(core.ErrGone, p.fail)
	}
	g := &grant{}
	p.grants = append(p.grants, g)
	return p.issue(g), nil
}

func (p *platform) Refresh(_ context.Context, t core.RoleTokens) (core.RoleTokens, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slow != nil {
		p.slow()
	}
	if p.fail != nil {
		return core.RoleTokens{}, p.fail
	}
	for _, g := range p.grants {
		if t.Refresh.Reveal() == g.refresh {
			p.refreshed++
			return p.issue(g), nil
		}
	}
	return core.RoleTokens{}, core.ErrGone
}

func (p *platform) call(t core.RoleTokens) error {
	if p.fail != nil {
		return p.fail
	}
	for _, g := range p.grants {
		if t.Access.Reveal() == g.access {
			return nil
		}
	}
	return core.ErrGone
}

func (p *platform) Owner(_ context.Context, t core.RoleTokens) (core.Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return adaElse, p.call(t)
}

func (p *platform) Tell(_ context.Context, t core.RoleTokens, f core.RoleFacts) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(t); err != nil {
		return err
	}
	p.facts = &f
	p.told++
	return nil
}

func (p *platform) Withdraw(_ context.Context, t core.RoleTokens) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(t); err != nil {
		return err
	}
	p.facts = nil
	return nil
}

// Revoke ends all tokens of the person's: they are of one consent.
func (p *platform) Revoke(_ context.Context, t core.RoleTokens) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(t); err != nil {
		return err
	}
	p.grants = nil
	return nil
}

// takeAway is what a person does at the platform.
func (p *platform) takeAway() { p.grants, p.facts = nil, nil }
