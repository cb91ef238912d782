package discordtest_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/discordtest"
)

// TestActs goes through what people do beside commands and forms, before a bot
// that listens to the gateway.
func TestActs(t *testing.T) {
	t.Parallel()
	chat := discordtest.Start(t, discordsim.Config{})
	sim := chat.Sim()
	base, err := url.Parse(sim.BaseURL())
	if err != nil {
		t.Fatal(err)
	}
	dg, err := discordgo.New("Bot " + sim.BotToken())
	if err != nil {
		t.Fatal(err)
	}
	dg.Client, dg.StateEnabled = &http.Client{Timeout: 10 * time.Second, Transport: toSim{base}}, false
	heard := make(chan string, 10)
	dg.AddHandler(func(_ *discordgo.Session, m *discordgo.MessageCreate) {
		if !m.Author.Bot {
			heard <- "message " + m.Content + " by " + m.Author.Username
		}
	})
	dg.AddHandler(func(_ *discordgo.Session, m *discordgo.GuildMemberAdd) { heard <- "add " + m.User.Username })
	dg.AddHandler(func(_ *discordgo.Session, m *discordgo.GuildMemberRemove) { heard <- "remove " + m.User.Username })
	dg.AddHandler(func(s *discordgo.Session, in *discordgo.InteractionCreate) {
		heard <- "chosen " + in.MessageComponentData().Values[0]
		if err := s.InteractionRespond(in.Interaction, &discordgo.InteractionResponse{Type: discordgo.InteractionResponseUpdateMessage, Data: &discordgo.InteractionResponseData{
			Content: "Blue it is", Components: []discordgo.MessageComponent{},
		}}); err != nil {
			t.Error(err)
		}
	})
	if err := dg.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dg.Close(); err != nil {
			t.Error(err)
		}
	})
	chat.OverGateway()
	ada, bruno := chat.Person("ada"), chat.Person("bruno")
	team := chat.Channel("team")
	var got []string
	hears := func() {
		t.Helper()
		select {
		case what := <-heard:
			got = append(got, what)
		case <-time.After(discordtest.DefaultPatience):
			t.Fatalf("nothing more was heard after %q", got)
		}
	}

	ada.Say("hello")
	hears()
	bruno.Join(team).Say("to all")
	hears()
	hears()
	if _, err := dg.ChannelMessageSendComplex(team, &discordgo.MessageSend{Content: "Which?", Components: []discordgo.MessageComponent{
		discordgo.ActionsRow{Components: []discordgo.MessageComponent{discordgo.SelectMenu{
			MenuType: discordgo.StringSelectMenu, CustomID: "colour", Placeholder: "Colour",
			Options: []discordgo.SelectMenuOption{{Label: "Red", Value: "r"}, {Label: "Blue", Value: "b"}},
		}}},
	}}); err != nil {
		t.Fatal(err)
	}
	which := bruno.In(team).ExpectMessage("Which?", "(Blue)").ExpectButton("Colour")
	which.Choose("Colour", "Blue").ExpectUpdate("Blue it is")
	hears()
	bruno.Leave(team)
	hears()
	// discordgo hears the events of one kind in order, of several in any.
	slices.Sort(got)
	want := []string{"add bruno", "chosen b", "message hello by ada", "message to all by bruno", "remove bruno"}
	if !slices.Equal(got, want) {
		t.Errorf("the bot heard %q, want %q", got, want)
	}
}
