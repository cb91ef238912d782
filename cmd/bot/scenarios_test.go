package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// scenario is something that people go through, whatever they use.
type scenario struct {
	name string
	play func(t *testing.T, s *stage, who *newcomer)
}

func scenarios() []scenario {
	return []scenario{
		{"a newcomer goes the whole way", theWholeWay},
		{"a handoff expires and is claimed again", expiresAndAgain},
		{"two presses at once give one handoff", doublePress},
		{"a press of somebody else is refused", foreignPress},
		{"a badge only granted is issued on claim", grantedIsIssued},
		{"addresses are listed and removed", addressIsRemoved},
		{"help explains", helpExplains},
		{"a declined badge is told plainly", declinedIsTold},
		{"news follows as a direct message", newsFollows},
		{"two chats become one person", twoChats},
		{"a cut connection is no end", cutConnection},
		{"polling alone suffices", pollingAlone},
		{"wrong codes and time end a code", wrongCodes},
		{"a person is forgotten", personIsForgotten},
		{"a badge is shown to others", isShown},
		{"a badge is verified", isVerified},
		{"everything is seen at a glance", isAtAGlance},
		{"every step after acceptance is taken", takesEveryStep},
	}
}

func theWholeWay(t *testing.T, s *stage, who *newcomer) {
	greeting := who.types("list", "", "Let’s get your badges")
	greeting.opens("Link my address", "Link your address").
		refused("address", "ada at example", "one complete address").
		send("address", " "+strings.ToUpper(who.email[:1])+who.email[1:]+" ")
	card := greeting.says("Check your mail")
	code := s.codeFor(who.email, 1)
	card.opens("Enter code", "Enter the code").refused("code", "00000000", "4 tries left").send("code", code[:4]+" "+code[4:])
	card = card.says("Linked", "2 badges are waiting")
	s.rest()
	card.press("My badges")
	list := card.says("Your badges", "2 badges are waiting for you", "Certified Project Management Associate")

	list.press("Claim")
	ready := list.says("Ready", who.email)
	link := ready.link()
	status, where := s.follow(link)
	if status != http.StatusSeeOther || !strings.HasPrefix(where, s.credly.URL()) {
		t.Fatalf("the handoff led to %d %s", status, where)
	}
	followed := ready.says("Now accept it")
	if status, _ := s.post(link); status != http.StatusGone {
		t.Errorf("the link worked twice: %d", status)
	}
	badge := s.badge(who.email, templateManager)
	if err := s.credly.Accept(badge); err != nil {
		t.Fatal(err)
	}
	good := followed.says("It’s yours", "A few steps are left", "Make it public")
	if err := s.credly.SetPublic(badge, true); err != nil {
		t.Fatal(err)
	}
	good.says("Public for all to see")
}

func expiresAndAgain(t *testing.T, s *stage, who *newcomer) {
	ready := who.claims()
	link := ready.link()
	s.rest()
	s.pass(2*time.Minute + time.Second)
	expired := ready.says("Time is up")
	if status, _ := s.get(link); status != http.StatusGone {
		t.Errorf("the page of an expired link: %d", status)
	}
	if status, _ := s.post(link); status != http.StatusGone {
		t.Errorf("an expired link was followed: %d", status)
	}
	expired.press("Claim again")
	if again := expired.says("Ready").link(); again == link {
		t.Error("the new handoff has the old link")
	}
}

func doublePress(t *testing.T, s *stage, who *newcomer) {
	list := who.lists()
	list.pressTwice("Claim")
	list.says("Ready")
	s.rest()
	db := openDatabase(t, s.settings.DatabaseURL)
	if n := countRows(t, db, `SELECT count(*) FROM handoffs h JOIN badges b ON b.id = h.badge_id WHERE b.recipient = '`+who.email+`'`); n != 1 {
		t.Errorf("%d handoffs, want 1", n)
	}
}

func foreignPress(t *testing.T, s *stage, who *newcomer) {
	who.proves(who)
	team := who.at(who.platform, true)
	list := team.types("list", "", "2 badges are waiting")
	other := s.newcomer(t, who.platform)
	list.pressedBy(other, "Claim")
	other.at(who.platform, true).sees("This is not for you")
	list.press("Claim")
	list.says("Ready")
}

func grantedIsIssued(t *testing.T, s *stage, who *newcomer) {
	who.proves(who)
	before := len(s.credly.BadgesFor(who.email))
	who.types("claim", "Certified Project Manager")
	if who.platform == "slack" {
		who.isTold("Ready: Certified Project Manager")
	} else {
		who.sees("Ready: Certified Project Manager")
	}
	if after := len(s.credly.BadgesFor(who.email)); after != before+1 {
		t.Errorf("Credly has %d badges, had %d", after, before)
	}
}

func addressIsRemoved(_ *testing.T, _ *stage, who *newcomer) {
	who.proves(who)
	card := who.types("emails", "", "Your e-mail addresses", who.email)
	card.press("Remove")
	card.says("is removed", "Let’s get your badges")
	who.types("list", "", "Let’s get your badges")
}

func helpExplains(_ *testing.T, _ *stage, who *newcomer) {
	who.types("help", "", "/badges link")
}

func declinedIsTold(t *testing.T, s *stage, who *newcomer) {
	ready := who.claims()
	if err := s.credly.Reject(s.badge(who.email, templateManager)); err != nil {
		t.Fatal(err)
	}
	ready.says("Declined")
}

// newsFollows: when the platform lets nobody edit the message any more, the
// news comes as a direct message, which is edited from then on.
func newsFollows(t *testing.T, s *stage, who *newcomer) {
	who.proves(who)
	list := who.at(who.platform, true).types("list", "", "2 badges are waiting")
	list.press("Claim")
	ready := list.says("Ready")
	if status, _ := s.follow(ready.link()); status != http.StatusSeeOther {
		t.Fatalf("follow: %d", status)
	}
	ready.says("Now accept it")
	s.pass(31 * time.Minute)
	badge := s.badge(who.email, templateManager)
	if err := s.credly.Accept(badge); err != nil {
		t.Fatal(err)
	}
	good := who.isTold("It’s yours")
	if err := s.credly.SetPublic(badge, true); err != nil {
		t.Fatal(err)
	}
	good.says("Public for all to see")
}

// twoChats: proving the address in the other chat joins the two, the first
// is told, and a handoff of one shows in the other.
func twoChats(t *testing.T, s *stage, who *newcomer) {
	who.proves(who)
	there := who.at(who.other(), false)
	who.proves(there)
	who.isTold("Another account is connected to you")
	list := who.types("list", "", "2 badges are waiting")
	list.press("Claim")
	link := list.says("Ready").link()
	same := there.types("list", "", "Show link")
	same.press("Show link")
	if got := same.says("Ready").link(); got != link {
		t.Errorf("the two chats show different links: %s, %s", link, got)
	}
}

// pollingAlone: without any webhook everything is still seen, a little later.
func pollingAlone(t *testing.T, s *stage, who *newcomer) {
	s.credly.DropWebhooks(true)
	defer s.credly.DropWebhooks(false)
	ready := who.claims()
	if status, _ := s.follow(ready.link()); status != http.StatusSeeOther {
		t.Fatalf("follow: %d", status)
	}
	followed := ready.says("Now accept it")
	if err := s.credly.Accept(s.badge(who.email, templateManager)); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Minute)
	followed.says("It’s yours")
}

func wrongCodes(t *testing.T, s *stage, who *newcomer) {
	card := who.types("link", who.email, "Check your mail")
	code := s.codeFor(who.email, 1)
	f := card.opens("Enter code", "Enter the code")
	for _, left := range []string{"4 tries", "3 tries", "2 tries", "1 try"} {
		f = f.refused("code", "00000000", left+" left")
	}
	// The fifth wrong one ends the code; the right one comes too late.
	f.send("code", "00000000")
	card = card.says("This code no longer works")
	card.press("Send a new code")
	card = card.says("Check your mail")
	if again := s.codeFor(who.email, 2); again == code {
		t.Error("the new code is the old one")
	}
	s.rest()
	s.pass(10*time.Minute + time.Second)
	card.press("Enter code")
	card.says("This code no longer works")
}

// cutConnection: a connection that breaks without a word is replaced, and the
// next press is answered.
func cutConnection(t *testing.T, s *stage, who *newcomer) {
	list := who.lists()
	cut := 0
	if s.settings.SlackTransport == transportSocket {
		cut += s.slack.DropConnections()
	}
	if s.settings.DiscordTransport == transportGateway {
		cut += s.discord.Gateway().Drop("")
	}
	if connects := s.settings.SlackTransport == transportSocket || s.settings.DiscordTransport == transportGateway; connects != (cut > 0) {
		t.Fatalf("%d connections were cut", cut)
	}
	if err := s.connected(t.Context(), s.settings); err != nil {
		t.Fatal(err)
	}
	list.press("Claim")
	list.says("Ready")
}
