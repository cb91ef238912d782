package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/chromedp/chromedp"
)

// state is one picture: what leads from the state before it to what is shown.
type state struct {
	name string
	// at is the window, the wide one where nothing is said.
	at   size
	dark bool
	do   func(*browser)
}

// states are the pictures in their order.
func states() []state {
	return []state{
		{name: "playground", do: claimed},
		{name: "playground-dark", dark: true, do: alsoInDiscord},
		{name: "playground-home", do: atHome},
		{name: "playground-faults", do: broken},
		{name: "playground-work", dark: true, do: func(b *browser) {
			b.press(`#dock-bar [data-dock="work"]`)
			b.shows("#part-work .task")
		}},
		{name: "playground-wire", do: func(b *browser) {
			b.press(`#dock-bar [data-dock="wire"]`)
			b.press("#part-wire .frames li:nth-last-child(3) .frame-line")
		}},
		{name: "playground-reminder", do: reminded},
		{name: "playground-manager", dark: true, do: managed},
		{name: "playground-announce", do: announcing},
		{name: "playground-call", do: called},
		{name: "playground-consent", do: asked},
		{name: "playground-celebration", dark: true, do: celebrated},
		{name: "playground-steps", do: stepped},
		{name: "playground-certificates", do: kept},
		{name: "playground-settings", do: settled},
		{name: "playground-digest", do: digested},
		{name: "playground-verdict", do: verdicts},
		{name: "playground-roles", do: connected},
		{name: "playground-phone", at: phone, do: func(b *browser) {
			b.person("Ada")
			b.press(`#tabs [data-tab="slack"]`)
			b.command("slack", "/badges list")
			b.shows(action("slack", "page"))
		}},
		{name: "playground-phone-dark", at: phone, dark: true, do: func(b *browser) { b.press(`#tabs [data-tab="discord"]`) }},
		{name: "verifypage", at: page, do: verified},
		{name: "verifypage-phone-dark", at: phone, dark: true, do: taken},
	}
}

// story goes through all states and takes the pictures that are wanted, all
// where none is named.
func (b *browser) story(wanted ...string) {
	now := wide
	for _, s := range states() {
		if s.at == (size{}) {
			s.at = wide
		}
		if s.at != now {
			b.do(chromedp.EmulateViewport(s.at.width, s.at.height))
			now = s.at
		}
		s.do(b)
		if len(wanted) > 0 && !slices.Contains(wanted, s.name) {
			continue
		}
		if s.dark {
			b.scheme("dark")
		}
		b.shot(s.name)
		b.scheme("light")
	}
}

// claimed is Ada's first badge on its way.
func claimed(b *browser) {
	b.command("slack", "/badges list")
	b.link("slack", "ada@example.org")
	b.press(action("slack", "page"))
	b.shows(action("slack", "claim"))
	b.command("discord", "/badges list")
	b.shows("#part-discord .container")
	b.run(`document.querySelector("#part-credly").scrollIntoView()`)
	b.press(action("slack", "claim"))
	b.shows(`#part-slack a.btn[href*="/h/"]`)
}

// alsoInDiscord is the same person in the other chat.
func alsoInDiscord(b *browser) {
	b.run(`document.querySelector("#part-mail .tools button").click()`)
	b.see(`!document.querySelector(".code-line")`)
	b.link("discord", "ada@example.org")
	b.press(action("discord", "page"))
	b.press(action("discord", "claim"))
	b.shows(`#part-discord a.btn[href*="/h/"]`)
}

// atHome is everything at a glance: the Home tab of Slack, and the same brought
// along into a server of Discord's without the bot.
func atHome(b *browser) {
	b.press(`#part-slack [data-pane="home"]`)
	b.shows(`#part-slack .home-view [data-action^="emails:"]`)
	b.channel("discord", "Book Club")
	b.command("discord", "/badges home")
	b.shows(action("discord", "home"))
	// Its beginning stays in sight for somebody who went up to read.
	b.run(`(() => {
		const log = document.querySelector("#part-discord .log");
		log.dispatchEvent(new Event("wheel"));
		setTimeout(() => { log.scrollTop = 0; log.dataset.read = "yes"; }, 100);
	})()`)
	b.see(`document.querySelector("#part-discord .log").dataset.read === "yes" && document.querySelector("#part-discord .log").scrollTop === 0`)
	b.do(chromedp.Sleep(200 * time.Millisecond))
}

// broken is what the bot makes of it when others fail.
func broken(b *browser) {
	b.press(`#part-slack [data-pane=""]`)
	b.channel("discord", "")
	b.press(`#guide-toggle`)
	b.press(`#dock-bar [data-dock="faults"]`)
	b.press(`[data-fault="slack-429"]`)
	b.press(`[data-fault="credly-timeout"]`)
	b.press(`#part-credly [data-act="accept"]`)
	b.see(`Number(document.querySelector('[data-alarm="credly-timeout"] b')?.textContent) > 0`)
}

// reminded is what comes after days in which nothing was done.
func reminded(b *browser) {
	b.press(`#dock-bar [data-dock="faults"]`)
	b.press("#faults-reset")
	b.press(`#dock-bar [data-dock="faults"]`)
	b.days(2)
	b.until(`.chat [data-action^="snooze"]`)
}

// managed is what somebody sees who runs the programme.
func managed(b *browser) {
	b.person("Mara")
	b.channel("slack", "general")
	b.command("slack", "/badges status")
	b.shows("#part-slack .ephemeral")
	b.channel("discord", "general")
	b.command("discord", "/badges status")
	b.shows("#part-discord .ephemeral")
}

// announcing is a call to claim: its form in one chat, its preview in the other.
func announcing(b *browser) {
	for _, chat := range []string{"discord", "slack"} {
		b.command(chat, "/badges announce")
		b.press(action(chat, "callform"))
		b.fill(chat, "channel", "#general")
		b.fill(chat, "words", "Congratulations to everybody who was certified this autumn! Your badge is ready: it takes two minutes.")
		if chat == "discord" {
			b.press(`#part-discord .sheet footer button:last-child`)
			b.shows(action("discord", "callpost"))
		}
	}
}

// called is the same call as everybody sees it, and what comes of a press.
func called(b *browser) {
	b.press(`#part-slack .sheet footer button:last-child`)
	for _, chat := range []string{"slack", "discord"} {
		b.press(action(chat, "callpost"))
		b.shows(action(chat, "callend"))
	}
	b.person("Ada")
	for _, chat := range []string{"slack", "discord"} {
		b.channel(chat, "general")
		b.shows(action(chat, "called"))
	}
	b.press(action("slack", "called"))
	b.shows("#part-slack .ephemeral")
}

// asked is the question whether the team may know of a badge.
func asked(b *browser) {
	b.press(`#part-credly [data-act="accept"]`)
	b.channel("slack", "")
	b.channel("discord", "")
	b.shows(`.chat [data-action^="consent"]`)
}

// celebrated is what the team sees after a yes, once the badge is public.
func celebrated(b *browser) {
	b.press(`.chat [data-action^="consent"]`)
	b.press(`#part-credly .badges > li:last-child [data-act="public"]`)
	b.channel("slack", "general")
	b.channel("discord", "general")
	b.see(`[...document.querySelectorAll(".chat .message")].some((m) => /earned/.test(m.textContent))`)
}

// connected is a server's linked roles, once Ada has connected her badges.
func connected(b *browser) {
	b.person("Ada")
	b.channel("discord", "")
	b.press(`#part-discord .server button`)
	b.shows(`#part-discord [data-act="connect"]`)
	b.agree(`#part-discord [data-act="connect"]`, "Ada Example")
	b.shows(`#part-discord .linked-role.has`)
	b.channel("slack", "")
	b.command("slack", "/badges roles")
}

// kept is what somebody earned, here and elsewhere.
func kept(b *browser) {
	for _, chat := range []string{"slack", "discord"} {
		b.channel(chat, "")
		b.command(chat, "/badges certificates")
		b.shows("#part-" + chat + ` a.btn[href*="/c/"]`)
	}
	b.press(action("slack", "elsewhere"))
	b.shows(`#part-slack [data-action^="elsewhere:off"]`)
}

// stepped is what follows once badges are accepted, some of it done.
func stepped(b *browser) {
	for n := 1; n >= 0; n-- {
		b.press(`#part-credly li:has(.state-accepted) [data-act="public"]`)
		b.see(fmt.Sprintf(`document.querySelectorAll("#part-credly .state-accepted").length === %d`, n))
	}
	for _, chat := range []string{"slack", "discord"} {
		b.channel(chat, "")
		b.command(chat, "/badges steps")
	}
	b.press(`#part-slack .message:last-of-type [data-action^="steps:done.profile."]`)
	for _, chat := range []string{"slack", "discord"} {
		b.shows(`#part-` + chat + ` [data-action^="steps:undo.profile."]`)
	}
}

// settled is what a manager settles for a team.
func settled(b *browser) {
	b.person("Mara")
	for _, chat := range []string{"discord", "slack"} {
		b.channel(chat, "general")
		b.command(chat, "/badges settings")
		b.shows("#part-" + chat + ` .message [data-action^="settings"]`)
	}
	b.press(`#part-slack .message:last-of-type [data-action^="settings"]`)
	b.shows("#part-slack .sheet")
}

// digested is what became of the badges, with its picture.
func digested(b *browser) {
	b.press("#part-slack .sheet .close")
	for _, chat := range []string{"slack", "discord"} {
		b.command(chat, "/badges digests")
		b.press("#part-" + chat + ` [data-action="digests:new"]`)
		b.fill(chat, "channel", "#general")
		b.fill(chat, "zone", "Europe/London")
		b.press("#part-" + chat + " .sheet footer button:last-child")
		b.press("#part-" + chat + ` [data-action^="digests:now"]`)
		b.shows("#part-" + chat + ` .message:not(.ephemeral) :is(.gallery img, img[src*="files/"])`)
	}
}

// verified is the page on which anybody finds out whether a badge is genuine.
func verified(b *browser) {
	b.atCredly("accept", "public")
	b.verify()
}

// taken is the same badge after it was revoked.
func taken(b *browser) {
	b.home()
	b.atCredly("revoke")
	b.verify()
}

// atCredly does something with the first badge, whatever the chats show.
func (b *browser) atCredly(actions ...string) {
	for _, name := range actions {
		b.run(fmt.Sprintf(`fetch("/credly/state").then((r) => r.json()).then((s) => fetch("/credly/actions/%[1]s", {
			method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ badge_id: s.badges[0].id, on: true, reason: "Made up" }),
		})).then(() => { window.did = %[1]q; })`, name))
		b.see(fmt.Sprintf(`window.did === %q`, name))
	}
}

// verify asks about the first badge.
func (b *browser) verify() {
	b.run(`Promise.all(["setup", "credly/state"].map((p) => fetch("/" + p).then((r) => r.json()))).then(([setup, state]) => {
		window.where = setup.verify_url + "?badge=" + encodeURIComponent(state.badges[0].badge_url);
	})`)
	b.see(`!!window.where`)
	if b.err != nil {
		return
	}
	where, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`window.where`))
	if err != nil {
		b.err = fmt.Errorf("read address: %w", err)
		return
	}
	b.do(chromedp.Navigate(where), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#verdict")))
}
