package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// baked is a picture that holds the address of a badge, as issuers hand it
// out (https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/baking/index.html).
func baked(t *testing.T, address string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	const head = 33 // Signature and IHDR.
	chunk := append([]byte("tEXtopenbadges\x00"), address...)
	whole := binary.BigEndian.AppendUint32(nil, uint32(len(chunk)-4))
	whole = append(whole, chunk...)
	whole = binary.BigEndian.AppendUint32(whole, crc32.ChecksumIEEE(chunk))
	data := out.Bytes()
	return append(append(append([]byte{}, data[:head]...), whole...), data[head:]...)
}

// upload is a file that somebody sends.
type upload struct {
	name string
	data []byte
}

// asks lets somebody send a message with a file into the team channel, and
// lets the person choose "Verify this badge" on it.
func (p *newcomer) asks(text string, file upload, texts ...string) shown {
	p.t.Helper()
	switch who := p.at(p.platform, true).(type) {
	case slackTalker:
		m := who.who.Share(text, slacksim.Upload{Name: file.name, Data: file.data})
		return slackShown{who, m.Shortcut("verify").ExpectEphemeral(texts...)}
	case discordTalker:
		m := who.who.Share(text, discordsim.Upload{Name: file.name, Data: file.data})
		return discordShown{who, m.Command("Verify this badge").ExpectEphemeral(texts...)}
	}
	p.t.Fatalf("no such platform: %s", p.platform)
	return nil
}

// isVerified lets somebody who never linked an address ask about badges: by a
// link, as a file, on a message, and for whom they were issued.
func isVerified(t *testing.T, s *stage, who *newcomer) {
	badge := s.badge(who.email, templateAssociate)
	if err := s.credly.Accept(badge); err != nil {
		t.Fatal(err)
	}
	link := s.credly.URL() + "/badges/" + badge + "/public_url"
	address := s.credly.APIURL() + "/obi/v2/badge_assertions/" + badge
	who.types("verify", link, "Could not be reached")
	if err := s.credly.SetPublic(badge, true); err != nil {
		t.Fatal(err)
	}
	card := who.types("verify", link, "Genuine and current", "Certified Project Management Associate", "– confirmed", "Recipient – not checked")
	if page := linkTo(t, card, "Open in the browser"); !strings.HasPrefix(page, s.settings.PublicURL+"/verify?badge=http%3A%2F%2F") {
		t.Errorf("leads to %s", page)
	}
	card.opens("Check the recipient", "Check the recipient").send("address", "somebody.else@example.org")
	card = card.says("Not shown to be for this address", "❌ Issued to the address entered: no")
	card.opens("Check another address", "Check the recipient").send("address", who.email)
	card.says("Genuine and current", "✅ Issued to the address entered")

	// Nobody asks without end.
	s.clock.Advance(time.Minute)
	s.rest()
	file := upload{"badge.png", baked(t, address)}
	who.asks("", file, "Genuine and current")
	several := who.asks("Look: "+link+" and "+s.settings.PublicURL+"/nothing", file, "2 of 3 are genuine", "Could not be reached")
	several.press("In full")
	who.at(who.platform, true).sees("Genuine and current", "What was checked")
	who.asks("", upload{"cat.png", baked(t, "meow")}, "No valid Open Badge")
	switch who := who.talker.(type) {
	case slackTalker:
		s.slack.AddChannel("C0ELSEWHERE", "elsewhere", who.p.slackID)
		m := who.who.In("C0ELSEWHERE").Share("", slacksim.Upload{Name: file.name, Data: file.data})
		m.Shortcut("verify").ExpectEphemeral("I cannot open the file")
	case discordTalker:
		who.who.Command("badges", "verify", map[string]any{"file": discordsim.Upload{Name: file.name, Data: file.data}}).ExpectEphemeral("Genuine and current")
	}

	if err := s.credly.Revoke(badge, "made up"); err != nil {
		t.Fatal(err)
	}
	who.types("verify", link, "Revoked")
}
