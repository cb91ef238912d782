package openbadges

import (
	"regexp"
	"strings"
)

// Page says where badges lie whose public pages people share: a page is made
// for people, the badge behind it is what can be verified.
type Page struct {
	// Prefix begins the address of a page, up to the badge's id, a UUID.
	// Whatever follows the id does not matter, nor whether the address begins
	// with http or https.
	Prefix string
	// Badge begins the address of the badge itself, up to its id.
	Badge string
}

// credlyPages are the pages at Credly, under its present and its former name,
// and those of its sandbox. Where it hosts its badges:
// https://www.credly.com/docs/obi_specified_endpoints
func credlyPages() []Page {
	var pages []Page
	for _, host := range []string{"www.credly.com", "credly.com", "www.youracclaim.com", "youracclaim.com"} {
		pages = append(pages, Page{Prefix: "https://" + host + "/badges/", Badge: "https://api.credly.com/v1/obi/v2/badge_assertions/"})
	}
	return append(pages, Page{
		Prefix: "https://sandbox.credly.com/badges/", Badge: "https://sandbox-api.credly.com/v1/obi/v2/badge_assertions/",
	})
}

var pageID = regexp.MustCompile(`^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// badgeAddress returns the address of the badge behind a link that a person
// would share.
func badgeAddress(pages []Page, raw string) string {
	raw = strings.TrimSpace(raw)
	link := fold(raw)
	for _, p := range pages {
		id, ok := strings.CutPrefix(link, fold(p.Prefix))
		if !ok {
			continue
		}
		if end := strings.IndexAny(id, "/?#"); end >= 0 {
			id = id[:end]
		}
		if id = strings.ToLower(id); pageID.MatchString(id) {
			return p.Badge + id
		}
	}
	return raw
}
