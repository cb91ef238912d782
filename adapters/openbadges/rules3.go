package openbadges

import (
	"regexp"
	"slices"
)

// badgeContext are the addresses of the context of Open Badges 3.0, the
// dated ones and those that stand for the latest.
var badgeContext = regexp.MustCompile(
	`^https://(?:purl\.imsglobal\.org/spec/ob/v3p0/context(?:-3\.\d+\.\d+)?\.json|purl\.imsglobal\.org/spec/ob/v3p0/context/ob_v3p0\.jsonld|imsglobal\.github\.io/openbadges-specification/context\.json)$`)

// checkModel holds what all credentials have in common against the data
// models: https://www.w3.org/TR/vc-data-model-2.0/ and 1.1.
func checkModel(doc map[string]any) string {
	contexts := each(doc["@context"])
	if len(contexts) == 0 {
		return "@context is missing"
	}
	first := text(contexts[0])
	model2 := first == contextModel2
	if !model2 && first != contextModel1 {
		return "@context does not begin with that of verifiable credentials"
	}
	if !slices.ContainsFunc(texts(doc["@context"]), badgeContext.MatchString) {
		return "@context does not name Open Badges 3.0"
	}
	if !isA(doc, "VerifiableCredential") {
		return "type does not name VerifiableCredential"
	}
	if v, there := doc["id"]; there && !isURI(text(v)) {
		return "id is not an identifier"
	}
	if own := ref(doc["issuer"]); own == "" {
		return "issuer is missing or has no id"
	} else if !isURI(own) {
		return "issuer is not an identifier"
	}
	name1, name2 := "issuanceDate", "expirationDate"
	if model2 {
		name1, name2 = "validFrom", "validUntil"
	}
	// Issuers mix the names of both data models; either is looked at.
	from, until := dates(doc)
	for _, d := range []struct {
		name     string
		v        any
		required bool
	}{{name1, from, true}, {name2, until, false}, {"awardedDate", doc["awardedDate"], false}} {
		if d.v == nil && !d.required {
			continue
		}
		if d.v == nil {
			return d.name + " is missing"
		}
		if _, err := parseTime(text(d.v)); err != nil {
			return d.name + " is not a time with a zone"
		}
	}
	start, _ := parseTime(text(from))
	if end, err := parseTime(text(until)); err == nil && end.Before(start) {
		return name2 + " is before " + name1
	}
	if object(doc["credentialSubject"]) == nil {
		return "credentialSubject is missing, or not one object"
	}
	return ""
}

// typed is a rule for the type of what stands at a path.
type typed struct {
	path     []string
	wanted   string
	required bool
}

// badgeTypes are the types that
// https://www.imsglobal.org/spec/ob/v3p0#data-models demands.
var badgeTypes = []typed{
	{[]string{"issuer"}, "Profile", false},
	{[]string{"issuer", "parentOrg"}, "Profile", false},
	{[]string{"issuer", "otherIdentifier"}, "IdentifierEntry", false},
	{[]string{"issuer", "address"}, "Address", false},
	{[]string{"credentialSubject"}, "AchievementSubject", true},
	{[]string{"credentialSubject", "identifier"}, "IdentityObject", false},
	{[]string{"credentialSubject", "result"}, "Result", false},
	{[]string{"credentialSubject", "source"}, "Profile", false},
	{[]string{"credentialSubject", "achievement"}, "Achievement", true},
	{[]string{"credentialSubject", "achievement", "creator"}, "Profile", false},
	{[]string{"credentialSubject", "achievement", "creator", "parentOrg"}, "Profile", false},
	{[]string{"credentialSubject", "achievement", "creator", "otherIdentifier"}, "IdentifierEntry", false},
	{[]string{"credentialSubject", "achievement", "alignment"}, "Alignment", false},
	{[]string{"credentialSubject", "achievement", "otherIdentifier"}, "IdentifierEntry", false},
	{[]string{"credentialSubject", "achievement", "resultDescription"}, "ResultDescription", false},
	{[]string{"credentialSubject", "achievement", "related"}, "Related", false},
	{[]string{"evidence"}, "Evidence", false},
}

// checkBadge returns the first rule that a badge of version 3.0 breaks.
func checkBadge(doc map[string]any) string {
	if b := checkModel(doc); b != "" {
		return b
	}
	for _, rule := range badgeTypes {
		if b := rule.breach(doc, rule.path, ""); b != "" {
			return b
		}
	}
	if id(doc) == "" {
		return "id is missing"
	}
	subject := object(doc["credentialSubject"])
	if id(subject) == "" && len(each(subject["identifier"])) == 0 {
		return "credentialSubject has neither id nor identifier"
	}
	for _, v := range each(subject["identifier"]) {
		if b := checkIdentity(object(v)); b != "" {
			return b
		}
	}
	achievement := object(subject["achievement"])
	if !isURI(id(achievement)) {
		return "achievement.id is missing or not an identifier"
	}
	for _, name := range []string{"name", "description"} {
		if _, ok := achievement[name].(string); !ok && text(achievement[name]) == "" {
			return "achievement." + name + " is missing or not a text"
		}
	}
	if object(achievement["criteria"]) == nil {
		return "achievement.criteria is missing or not an object"
	}
	return ""
}

// checkIdentity holds an IdentityObject against its rules:
// https://www.imsglobal.org/spec/ob/v3p0#identityobject
func checkIdentity(identity map[string]any) string {
	hashed, isBool := identity["hashed"].(bool)
	switch {
	case !isBool:
		return "identifier.hashed is missing or neither true nor false"
	case text(identity["identityHash"]) == "":
		return "identifier.identityHash is missing"
	case text(identity["identityType"]) == "":
		return "identifier.identityType is missing"
	case hashed && !hashForm.MatchString(text(identity["identityHash"])) && !bareHashForm.MatchString(text(identity["identityHash"])):
		return "identifier.identityHash is not a known hash"
	case identity["salt"] != nil && text(identity["salt"]) == "" && identity["salt"] != any(""):
		return "identifier.salt is not a text"
	}
	return ""
}

// breach walks to what the rule is about and looks at its type.
func (t typed) breach(node map[string]any, path []string, at string) string {
	v, there := node[path[0]]
	at += path[0]
	if !there || v == nil {
		if t.required {
			return at + " is missing"
		}
		return ""
	}
	for _, one := range each(v) {
		inner, ok := one.(map[string]any)
		if !ok {
			// A profile may be named by its identifier alone.
			if _, isText := one.(string); isText && (t.wanted == "Profile" || path[0] == "issuer" || path[0] == "creator") {
				continue
			}
			return at + " is not an object"
		}
		if len(path) > 1 {
			if b := t.breach(inner, path[1:], at+"."); b != "" {
				return b
			}
			continue
		}
		if !isA(inner, t.wanted) {
			return at + " is not of type " + t.wanted
		}
	}
	return ""
}

// checkEndorsement returns the first rule that an endorsement of version 3.0
// breaks.
func checkEndorsement(doc map[string]any) string {
	if b := checkModel(doc); b != "" {
		return b
	}
	subject := object(doc["credentialSubject"])
	switch {
	case !isA(subject, "EndorsementSubject"):
		return "credentialSubject is not of type EndorsementSubject"
	case id(subject) == "":
		return "credentialSubject.id is missing"
	}
	return ""
}
