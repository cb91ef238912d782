package slacksim_test

import (
	"testing"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// A home is published over what stands there, or over what it was made for.
func TestPublishingAHome(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	publish := func(text, hash string) (*slack.ViewResponse, error) {
		request := slack.PublishViewContextRequest{UserID: ada, View: slack.HomeTabViewRequest{
			Type: "home", Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewHeaderBlock(plain(text))}},
		}}
		if hash != "" {
			request.Hash = &hash
		}
		return api.PublishViewContext(t.Context(), request)
	}
	first, err := publish("one", "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := publish("two", first.Hash)
	if err != nil || second.ID != first.ID || second.Hash == first.Hash {
		t.Errorf("%+v, %v", second, err)
	}
	if _, err := publish("three", first.Hash); code(err) != "hash_conflict" {
		t.Errorf("over something newer: %v", err)
	}
	if v, ok := sim.Home(ada); !ok || v.Plain() != "two" {
		t.Errorf("home: %+v", v)
	}
	if _, err := publish("four", ""); err != nil {
		t.Errorf("over whatever it is: %v", err)
	}
	without, api := start(t, func(c *slacksim.Config) { c.NoHomeTab = true })
	_, err = api.PublishViewContext(t.Context(), slack.PublishViewContextRequest{UserID: ada, View: slack.HomeTabViewRequest{Type: "home", Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewHeaderBlock(plain("x"))}}}})
	if _, there := without.Home(ada); code(err) != "not_enabled" || there {
		t.Errorf("without a home tab: %v", err)
	}
	if _, err := without.OpenHome(t.Context(), ada, "home"); err == nil {
		t.Error("opened where there is none")
	}
}
