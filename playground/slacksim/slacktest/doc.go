// Package slacktest is a small language for tests of Slack apps: it starts a
// simulated workspace, acts as the people in it and says what they are to see.
// The app under test runs unchanged; it is only told another address of the
// Web API.
//
//	func TestClaim(t *testing.T) {
//		chat := slacktest.Start(t, slacksim.Config{})
//		app := httptest.NewServer(newApp(chat.Sim().APIURL(), chat.Sim().Config().BotToken))
//		t.Cleanup(app.Close)
//		chat.OverHTTP(app.URL+"/commands", app.URL+"/interactions", app.URL+"/events")
//
//		ada, bruno := chat.Person("ada"), chat.Person("bruno")
//		team := chat.Channel("team", ada, bruno)
//
//		list := ada.In(team).Command("/badges", "").ExpectEphemeral("One badge").ExpectButton("Claim")
//		list.Press("Claim").Modal("Your address").
//			Fill("E-mail", "nonsense").SubmitExpectingError("valid email").
//			Fill("E-mail", "ada@example.org").Submit().ExpectNoModal()
//		list.ExpectEdit("Ready").ExpectLink("Open")
//		ada.ExpectDM("It is yours")
//		bruno.In(team).ExpectNothing("Ready")
//		ada.OpenHome().Expect("1 badge")
//		list.Press("Dismiss")
//		list.ExpectDeleted()
//	}
//
// An act (Command, Press, Choose, Submit, Say, OpenHome, Join) fails the test
// at once when the app does not answer it in time and in a form that Slack
// takes; write Failing before an act that is to fail. An expectation waits
// until it is true or the chat's patience is over, and then fails the test with
// what the person sees instead. Nothing sleeps.
//
// In channels, ExpectPost is a message of the bot that everybody there sees, and
// ExpectPicture one of its pictures with the data that was uploaded:
//
//	form := ada.In(team).Command("/announce", "").Modal("Announce")
//	form.ExpectFilled("Channel", "#team").ExpectChoice("Channel", "#random")
//	form.Fill("Channel", "#team").Fill("Text", "Hello").Submit().ExpectNoModal()
//	post := bruno.In(team).ExpectPost("Hello")
//	chart := post.ExpectPicture("Badges by week").Data
//	post.ExpectDeleted()
//
// # Leftovers
//
// A chat made by Start fails its test at the end for everything that no
// expectation met: a message nobody expected or in a state nobody expected, a
// message that vanished, a form that nobody looked at, and a request of the app
// that the workspace refused as malformed. What a message says at last counts:
// the states it only passed through need not be expected. ExpectNothingMore asks the same in the middle of a test. A chat made
// by New asks it after Strict only.
//
// What an app does later on its own account comes when it comes. A chat watches
// for 50 ms whether there is more; with Settle the app says itself when it has
// nothing left to do.
//
// # Transports
//
// A story is the same over HTTP and over Socket Mode. For the latter set
// Config.SocketMode, start the app, and write Connected before people act:
// without a connection they meet a failure, as at Slack.
//
// Texts are looked for in everything that a message says: its text, its blocks
// and attachments, and the labels of its buttons in brackets.
package slacktest
