package openbadges

import (
	"maps"
	"strings"
	"time"
)

// Versions of Open Badges before 3.0.
const (
	version05 = "0.5"
	version10 = "1.0"
	version11 = "1.1"
	version20 = "2.0"
)

// context10 marks documents of version 1.0, which have no context of their own.
const context10 = "urn:openbadges:1.0"

// version2 tells by its context which version a document follows; "" for
// one whose context is none of Open Badges.
func version2(doc map[string]any) string {
	contexts := each(doc["@context"])
	if len(contexts) == 0 {
		if isVersion05(doc) {
			return version05
		}
		if object(doc["verification"]) != nil {
			return version20
		}
		return version10
	}
	for _, c := range contexts {
		switch c := c.(type) {
		case map[string]any:
			// Terms spelled out; what they mean is not looked into, since
			// nothing that is signed depends on it.
			return version20
		case string:
			c = strings.TrimSuffix(strings.TrimSuffix(fold(c), "/"), "/context.json")
			switch c {
			case context10:
				return version10
			case "https://w3id.org/openbadges/v2", "https://openbadgespec.org/v2", "https://openbadges.org/v2",
				"https://purl.imsglobal.org/spec/ob/v2p0", "https://purl.imsglobal.org/spec/ob/v2p1",
				"https://purl.imsglobal.org/spec/ob/v2p1/ob_v2p1.jsonld", "https://w3id.org/openbadges/v2.jsonld":
				return version20
			case "https://w3id.org/openbadges/v1", "https://openbadgespec.org/v1", "https://openbadges.org/v1", "https://standard.openbadges.org/1.1":
				return version11
			}
		}
	}
	return ""
}

// upgraded returns a document of Open Badges 1 in the terms of 2.0, as
// https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/index.html
// maps them. at is the address that it was fetched from.
func upgraded(doc map[string]any, class, at string) map[string]any {
	version := version2(doc)
	if verify := doc["verify"]; verify != nil && doc["verification"] == nil && version != version05 {
		doc = maps.Clone(doc)
		doc["verification"] = verify // In the context of 2.0 both are one term.
	}
	if !isOld(version) {
		return doc
	}
	doc = maps.Clone(doc)
	if version == version10 {
		doc["@context"] = context10
	}
	if own := at; id(doc) == "" {
		if own == "" && isHosted(doc) {
			own = text(object(doc["verification"])["url"])
		}
		if own != "" {
			doc["id"] = own
		}
	}
	if len(types(doc)) == 0 {
		doc["type"] = class
	}
	switch class {
	case "Assertion":
		if isSigned(doc) {
			namedSigned(doc)
		}
		if image := text(doc["image"]); isDataURI(image) {
			doc["image"] = map[string]any{"id": image} // Not allowed any more.
		}
		for _, name := range []string{"issuedOn", "expires"} {
			if t, err := parseOldTime(doc[name]); err == nil {
				doc[name] = t.Format(time.RFC3339Nano)
			}
		}
	case "BadgeClass":
		var list []any
		for _, v := range each(doc["alignment"]) {
			if a, ok := v.(map[string]any); ok {
				v = newTerms(a)
			}
			list = append(list, v)
		}
		if list != nil {
			doc["alignment"] = list
		}
	case "Issuer":
		if isA(doc, "IssuerOrg") {
			doc["type"] = "Issuer" // Its other name in the context of 1.1.
		}
		// Not required before 2.0.
		if doc["email"] == nil {
			doc["email"] = "unknown@invalid"
		}
	}
	return doc
}

// namedSigned gives a signed assertion of version 1 what it has by other names:
// its key is what it says to be verified at, and its identifier need only be
// unique where it comes from.
func namedSigned(doc map[string]any) {
	if verify := object(doc["verification"]); verify["creator"] == nil && verify["url"] != nil {
		verify = maps.Clone(verify)
		verify["creator"] = verify["url"]
		doc["verification"] = verify
	}
	if uid := text(doc["uid"]); id(doc) == "" && uid != "" {
		doc["id"] = "_:" + uid
	}
}

// isOld reports whether a version is one of those before 2.0 that are read in
// the terms of it.
func isOld(version string) bool { return version == version10 || version == version11 }

// newTerms renames what an alignment was called in version 1.
func newTerms(alignment map[string]any) map[string]any {
	alignment = maps.Clone(alignment)
	for _, name := range [][2]string{{"url", "targetUrl"}, {"name", "targetName"}, {"description", "targetDescription"}} {
		if v, ok := alignment[name[0]]; ok && alignment[name[1]] == nil {
			alignment[name[1]] = v
			delete(alignment, name[0])
		}
	}
	return alignment
}
