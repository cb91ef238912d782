package main

import (
	"context"
	"net/url"

	"github.com/laurelbot/laurel/adapters/discord"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// waking lets messages leave at once after a page changed something.
type waking struct {
	*core.Passages
	wake func()
}

// Follow follows a handoff; see [core.Passages].
func (w waking) Follow(ctx context.Context, token string) (string, error) {
	defer w.wake()
	return w.Passages.Follow(ctx, token)
}

// wakingLinks does the same for addresses.
type wakingLinks struct {
	*core.Links
	wake func()
}

// Confirm confirms an address; see [core.Links].
func (w wakingLinks) Confirm(ctx context.Context, token string) error {
	defer w.wake()
	return w.Links.Confirm(ctx, token)
}

// formTargets are the origins to which the handoff page may lead: browsers
// hold redirects after a form against this list.
func (a *app) formTargets() []string {
	u, err := url.Parse(a.settings.CredlyAPIURL)
	if err != nil {
		return nil
	}
	return []string{u.Scheme + "://" + u.Host}
}

// commandTexts takes the texts of Discord's command from the catalogue.
func commandTexts(catalog *chat.Catalog) map[string]discord.CommandText {
	texts := make(map[string]discord.CommandText, len(discord.CommandKeys))
	for _, key := range discord.CommandKeys {
		id := "command." + key
		if key != "badges" {
			id = "command." + key[len("badges."):]
		}
		text := localText(catalog, id, id+".description")
		text.Name = ""
		texts[key] = text
	}
	// What stands in a menu has a name only.
	menu := localText(catalog, "command."+discord.MessageCommandKey, "command."+discord.MessageCommandKey)
	menu.Description, menu.Descriptions = "", nil
	texts[discord.MessageCommandKey] = menu
	return texts
}

// localText takes a name and a description from the catalogue, in all
// languages.
func localText(catalog *chat.Catalog, name, description string) discord.CommandText {
	// Discord's names of the locales that the catalogue speaks
	// (https://discord.com/developers/docs/reference#locales).
	locales := map[string]string{"de": "de", "es-ES": "es", "es-419": "es", "en-GB": "en"}
	text := discord.CommandText{
		Name: catalog.For("en").Plain(name, nil), Description: catalog.For("en").Plain(description, nil),
		Names: map[string]string{}, Descriptions: map[string]string{},
	}
	for locale, lang := range locales {
		text.Names[locale] = catalog.For(lang).Plain(name, nil)
		text.Descriptions[locale] = catalog.For(lang).Plain(description, nil)
	}
	return text
}
