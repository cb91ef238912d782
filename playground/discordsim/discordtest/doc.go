// Package discordtest is a small language for tests of Discord bots: it starts
// a simulated Discord, acts as the people in it and says what they are to see.
// The bot under test runs unchanged; it is only told another address of the API.
//
//	func TestClaim(t *testing.T) {
//		chat := discordtest.Start(t, discordsim.Config{})
//		bot := httptest.NewServer(newBot(chat.Sim().BaseURL(), chat.Sim().BotToken(), chat.Sim().PublicKey()))
//		t.Cleanup(bot.Close)
//		chat.OverHTTP(bot.URL + "/interactions")
//
//		ada, bruno := chat.Person("ada"), chat.Person("bruno")
//		team := chat.Channel("team", ada, bruno)
//
//		list := ada.In(team).Command("badges", "list", nil).ExpectEphemeral("One badge").ExpectButton("Claim")
//		list.Press("Claim").Modal("Your address").
//			Fill("E-mail", "").SubmitExpectingError("required").
//			Fill("E-mail", "ada@example.org").Submit().ExpectUpdate("Ready")
//		list.ExpectEdit("Ready").ExpectLink("Open")
//		ada.ExpectDM("It is yours")
//		bruno.In(team).ExpectNothing("Ready")
//		list.Press("Dismiss")
//		list.ExpectDeleted()
//	}
//
// An act (Command, Press, Choose, Submit, Say, Join) fails the test at once when
// the bot does not answer it in time and in a form that Discord takes; write
// Failing before an act that is to fail. An expectation waits until it is true
// or the chat's patience is over, and then fails the test with what the person
// sees instead. Nothing sleeps.
//
// In channels, ExpectPost is a message of the bot that everybody there sees, and
// ExpectPicture one of its pictures with the data that was uploaded:
//
//	form := ada.In(team).Command("announce", "", nil).Modal("Announce")
//	form.ExpectFilled("Channel", "#team").ExpectChoice("Channel", "#random")
//	form.Fill("Channel", "#team").Fill("Text", "Hello").Submit().ExpectEphemeral("Done")
//	post := bruno.In(team).ExpectPost("Hello")
//	chart := post.ExpectPicture("Badges by week").Data
//	post.ExpectDeleted()
//
// # Leftovers
//
// A chat made by Start fails its test at the end for everything that no
// expectation met: a message nobody expected or in a state nobody expected, "the
// bot is thinking" without an end, a message that vanished, a form that nobody
// looked at, a request of the bot that Discord refused as malformed, and, with
// Config.Schema, an answer of the simulator that Discord's own description of
// its API does not know. What a message says at last counts: the states it only
// passed through need not be expected. ExpectNothingMore asks the same in the
// middle of a test. A chat made by New asks it after Strict only.
//
// What a bot does later on its own account comes when it comes. A chat watches
// for 50 ms whether there is more; with Settle the bot says itself when it has
// nothing left to do.
//
// # Transports
//
// A story is the same whichever way its interactions reach the bot. The way is
// chosen once, before it:
//
//	chat.OverHTTP(endpoint)  // signed requests to the bot's endpoint
//	chat.OverGateway()       // no endpoint: events to the bot's open sessions
//
// Texts are looked for in everything that a message says: its content, its
// embeds and components, and the labels of its buttons in brackets.
package discordtest
