package discordtest_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/discordtest"
)

// answerTo answers commands by a button, the button by a form and the form by
// an update, all with the library's own types.
func answerTo(kind discordgo.InteractionType) *discordgo.InteractionResponse {
	switch kind {
	case discordgo.InteractionApplicationCommand:
		return &discordgo.InteractionResponse{Type: discordgo.InteractionResponseChannelMessageWithSource, Data: &discordgo.InteractionResponseData{
			Content: "One badge", Flags: discordgo.MessageFlagsEphemeral,
			Components: []discordgo.MessageComponent{discordgo.ActionsRow{Components: []discordgo.MessageComponent{
				discordgo.Button{Label: "Claim", Style: discordgo.PrimaryButton, CustomID: "claim:1"},
			}}},
		}}
	case discordgo.InteractionMessageComponent:
		return &discordgo.InteractionResponse{Type: discordgo.InteractionResponseModal, Data: &discordgo.InteractionResponseData{
			Title: "Link an address", CustomID: "link",
			Components: []discordgo.MessageComponent{discordgo.ActionsRow{Components: []discordgo.MessageComponent{
				discordgo.TextInput{Label: "Address", CustomID: "address", Style: discordgo.TextInputShort},
			}}},
		}}
	case discordgo.InteractionModalSubmit:
		return &discordgo.InteractionResponse{Type: discordgo.InteractionResponseUpdateMessage, Data: &discordgo.InteractionResponseData{
			Content: "Code sent", Components: []discordgo.MessageComponent{},
		}}
	}
	return &discordgo.InteractionResponse{Type: discordgo.InteractionResponsePong}
}

func bot(key ed25519.PublicKey) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !discordgo.VerifyInteraction(r, key) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var in discordgo.Interaction
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answerTo(in.Type))
	}
}

type toSim struct{ base *url.URL }

func (t toSim) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = t.base.Scheme, t.base.Host, ""
	return http.DefaultTransport.RoundTrip(r)
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"http", "gateway"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			sim, err := discordsim.Start(discordsim.Config{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := sim.Close(); err != nil {
					t.Error(err)
				}
			})
			base, err := url.Parse(sim.BaseURL())
			if err != nil {
				t.Fatal(err)
			}
			dg, err := discordgo.New("Bot " + sim.BotToken())
			if err != nil {
				t.Fatal(err)
			}
			dg.Client = &http.Client{Transport: toSim{base}}
			chat := discordtest.New(t, sim)
			if way == "http" {
				key, err := hex.DecodeString(sim.PublicKey())
				if err != nil {
					t.Fatal(err)
				}
				srv := httptest.NewServer(bot(key))
				t.Cleanup(srv.Close)
				chat.OverHTTP(srv.URL)
			} else {
				dg.StateEnabled = false
				dg.AddHandler(func(s *discordgo.Session, in *discordgo.InteractionCreate) {
					if err := s.InteractionRespond(in.Interaction, answerTo(in.Type)); err != nil {
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
			}
			story(t, sim, dg, chat)
		})
	}
}

// story is told the same over both transports.
func story(t *testing.T, sim *discordsim.Server, dg *discordgo.Session, chat *discordtest.Chat) {
	t.Helper()
	if _, err := dg.ApplicationCommandBulkOverwrite(sim.ApplicationID(), "", []*discordgo.ApplicationCommand{{Name: "badges", Description: "d"}}); err != nil {
		t.Fatal(err)
	}
	id := sim.AddUser(discordsim.User{Name: "ada"})

	ada := chat.As(id)
	list := ada.Command("badges", "", nil).ExpectEphemeral("One badge", "[Claim]")
	list.Press("Claim").Modal("Link").Fill("Address", "ada@example.org").Submit().ExpectUpdate("Code sent")
	list.ExpectNoButton("Claim")
	ada.ExpectNothing("Welcome")

	ch, err := dg.UserChannelCreate(id)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = dg.ChannelMessageSend(ch.ID, "Welcome") }()
	dm := ada.ExpectDM("Welcome")
	go func() { _, _ = dg.ChannelMessageEdit(ch.ID, dm.ID(), "Expired") }()
	dm.ExpectEdit("Expired")
	if err := dg.ChannelMessageDelete(ch.ID, dm.ID()); err != nil {
		t.Fatal(err)
	}
	dm.ExpectDeleted()
}
