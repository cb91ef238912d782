package openbadges

import (
	"strings"

	"github.com/laurelbot/laurel/core"
)

// Bounds of what a verdict repeats of a document.
const (
	maxShownRunes = 300
	maxProseRunes = 2000
	// maxShownImage bounds an embedded picture.
	maxShownImage = 200 << 10
)

// shown is a short text of a document, cut to a bearable length.
func shown(s string) string { return strings.TrimSpace(shorten(s, maxShownRunes)) }

// prose is a longer text of a document.
func prose(s string) string { return strings.TrimSpace(shorten(s, maxProseRunes)) }

// link is an address of a document, or "" when it is none of the web.
func link(s string) string {
	if isURL(s) && len(s) <= 4*maxShownRunes {
		return s
	}
	return ""
}

// picture is the address of a picture, or the picture itself as data URI.
func picture(v any) string {
	s := ref(v)
	if isDataURI(s) && strings.HasPrefix(s, "data:image/") && len(s) <= maxShownImage {
		return s
	}
	return link(s)
}

// describe writes down what an assertion of Open Badges 2.0 says, whatever
// it is worth.
func (s *session) describe(a map[string]any, class, issuer *node, version string) {
	s.r.set(func(v *core.Verdict) {
		v.Version, v.ID = version, shown(id(a))
		if strings.HasPrefix(v.ID, "_:") {
			v.ID = "" // A name for this document only.
		}
		if t, err := parseTime(text(a["issuedOn"])); err == nil {
			v.IssuedAt = t
		}
		if t, err := parseTime(text(a["expires"])); err == nil {
			v.ExpiresAt = t
		}
		recipient := object(a["recipient"])
		v.Recipient = describeIdentity(text(recipient["type"]), text(recipient["identity"]), text(recipient["salt"]))
		if class != nil {
			v.Achievement = describeAchievement(class.doc)
			if v.Achievement.ID == "" {
				v.Achievement.ID = shown(class.identity)
			}
		}
		if issuer != nil {
			v.Issuer.Name, v.Issuer.URL = shown(text(issuer.doc["name"])), link(ref(issuer.doc["url"]))
			if v.Issuer.ID = shown(issuer.identity); v.Issuer.ID == "" {
				v.Issuer.ID = shown(id(issuer.doc))
			}
		}
		if image := picture(a["image"]); image != "" && v.Achievement.Image == "" {
			v.Achievement.Image = image
		}
	})
}

// describeAchievement reads what classes of 2.0 and achievements of 3.0 have
// alike.
func describeAchievement(doc map[string]any) core.VerifiedAchievement {
	a := core.VerifiedAchievement{
		ID: shown(id(doc)), Name: shown(text(doc["name"])), Description: prose(text(doc["description"])), Image: picture(doc["image"]),
	}
	if criteria := object(doc["criteria"]); criteria != nil {
		a.Criteria, a.Narrative = link(id(criteria)), prose(text(criteria["narrative"]))
	} else {
		a.Criteria = link(text(doc["criteria"]))
	}
	return a
}

// describeIdentity keeps an identity only where it is hashed.
func describeIdentity(kind, identity, salt string) core.VerifiedRecipient {
	r := core.VerifiedRecipient{Kind: shown(kind)}
	if oldHashForm.MatchString(identity) || bareHashForm.MatchString(identity) {
		r.Hash, r.Salted = identity, salt != ""
	}
	return r
}
