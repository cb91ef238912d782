package main

// verdicts are what anybody is told who asks whether a badge is genuine: on a
// message in one chat, by its link in the other.
func verdicts(b *browser) {
	b.person("Ada")
	page := `document.querySelector("#part-credly .badges a[href*='/badges/']")?.href`
	b.see(`Boolean(` + page + `)`)
	for _, chat := range []string{"slack", "discord"} {
		b.channel(chat, "general")
		b.run(`(() => {
			const line = document.querySelector("#part-` + chat + ` .composer input[type=text]");
			line.value = ` + map[string]string{"slack": `"I am certified: " + `, "discord": `"/badges verify link:" + `}[chat] + page + `;
			line.form.requestSubmit();
		})()`)
	}
	b.see(`document.querySelector("#part-slack .message:last-of-type").textContent.includes("I am certified")`)
	b.press("#part-slack .message:last-of-type .more summary")
	b.press("#part-slack .more[open] button")
	for _, chat := range []string{"slack", "discord"} {
		b.shows("#part-" + chat + ` .ephemeral [data-action^="recipient"]`)
	}
	for _, chat := range []string{"slack", "discord"} {
		b.run(`document.querySelector("#part-` + chat + ` .message:last-of-type").scrollIntoView({ block: "start" })`)
	}
}
