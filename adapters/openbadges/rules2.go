package openbadges

import "strings"

// kind is a data type of a property.
type kind int

const (
	kindText kind = iota
	kindURL
	kindIRI
	kindTime
	kindEmail
	kindPhone
	kindBool
	kindLanguage
	kindTextOrNumber
	kindTypes
	// kindNode is an identifier or an embedded node.
	kindNode
	// kindObject is an embedded node.
	kindObject
	// kindImage is an address or an embedded node; kindImageOrData may be a
	// data URI as well.
	kindImage
	kindImageOrData
	kindOrigin
)

// property is a rule of a class of Open Badges 2.0.
type property struct {
	name     string
	kind     kind
	required bool
	many     bool
	// inside are the rules of what stands embedded there.
	inside []property
}

// common are the properties of the main classes.
var common = []property{
	{name: "@language", kind: kindLanguage},
	{name: "version", kind: kindTextOrNumber},
	{name: "related", kind: kindNode, many: true},
	{name: "endorsement", kind: kindNode, many: true},
}

var imageRules = []property{
	{name: "type", kind: kindTypes, many: true},
	{name: "id", kind: kindImageOrData, required: true},
	{name: "caption", kind: kindText},
	{name: "author", kind: kindIRI},
}

// The classes of
// https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/index.html#OpenBadgesVocabulary
var (
	assertionRules = append([]property{
		{name: "id", kind: kindIRI, required: true},
		{name: "type", kind: kindTypes, required: true, many: true},
		{name: "recipient", kind: kindObject, required: true, inside: []property{
			{name: "type", kind: kindTypes, required: true},
			{name: "identity", kind: kindText, required: true},
			{name: "hashed", kind: kindBool, required: true},
			{name: "salt", kind: kindText},
		}},
		{name: "badge", kind: kindNode, required: true},
		{name: "verification", kind: kindObject, required: true, inside: []property{
			{name: "type", kind: kindTypes, required: true, many: true},
			{name: "creator", kind: kindNode},
		}},
		{name: "issuedOn", kind: kindTime, required: true},
		{name: "expires", kind: kindTime},
		{name: "image", kind: kindImage, inside: imageRules},
		{name: "narrative", kind: kindText},
		{name: "evidence", kind: kindNode, many: true, inside: []property{
			{name: "type", kind: kindTypes, many: true},
			{name: "id", kind: kindIRI},
			{name: "narrative", kind: kindText},
			{name: "name", kind: kindText},
			{name: "description", kind: kindText},
			{name: "genre", kind: kindText},
			{name: "audience", kind: kindText},
		}},
		{name: "revoked", kind: kindBool},
		{name: "revocationReason", kind: kindText},
	}, common...)

	classRules = append([]property{
		{name: "id", kind: kindIRI},
		{name: "type", kind: kindTypes, required: true, many: true},
		{name: "issuer", kind: kindNode, required: true},
		{name: "name", kind: kindText, required: true},
		{name: "description", kind: kindText, required: true},
		{name: "image", kind: kindImageOrData, required: true, inside: imageRules},
		{name: "criteria", kind: kindNode, required: true, inside: []property{
			{name: "type", kind: kindTypes, many: true},
			{name: "id", kind: kindIRI},
			{name: "narrative", kind: kindText},
		}},
		{name: "alignment", kind: kindObject, many: true, inside: []property{
			{name: "type", kind: kindTypes, many: true},
			{name: "targetName", kind: kindText, required: true},
			{name: "targetUrl", kind: kindURL, required: true},
			{name: "targetDescription", kind: kindText},
			{name: "targetFramework", kind: kindText},
			{name: "targetCode", kind: kindText},
		}},
		{name: "tags", kind: kindText, many: true},
	}, common...)

	profileRules = append([]property{
		{name: "id", kind: kindIRI},
		{name: "type", kind: kindTypes, required: true, many: true},
		{name: "name", kind: kindText, required: true},
		{name: "description", kind: kindText},
		{name: "image", kind: kindImageOrData, inside: imageRules},
		{name: "url", kind: kindURL, required: true},
		{name: "email", kind: kindEmail, required: true},
		{name: "telephone", kind: kindPhone},
		{name: "publicKey", kind: kindNode, many: true},
		{name: "revocationList", kind: kindNode},
		{name: "verification", kind: kindObject, inside: []property{
			{name: "type", kind: kindTypes, many: true},
			{name: "verificationProperty", kind: kindText},
			{name: "startsWith", kind: kindURL, many: true},
			{name: "allowedOrigins", kind: kindOrigin, many: true},
		}},
	}, common...)

	keyRules = []property{
		{name: "type", kind: kindTypes, many: true},
		{name: "id", kind: kindIRI},
		{name: "owner", kind: kindIRI},
		{name: "publicKeyPem", kind: kindText, required: true},
	}
)

// vocabulary are the types that the context of Open Badges 2.0 names; others
// are written as an IRI or with a prefix.
var vocabulary = map[string]bool{
	"AlignmentObject": true, "Assertion": true, "BadgeClass": true, "Criteria": true, "CryptographicKey": true,
	"Endorsement": true, "Evidence": true, "Extension": true, "FrameValidation": true, "HostedBadge": true,
	"IdentityObject": true, "Image": true, "Issuer": true, "Profile": true, "RevocationList": true,
	"SignedBadge": true, "TypeValidation": true, "VerificationObject": true, "hosted": true, "signed": true,
	"email": true, "id": true, "url": true, "telephone": true,
}

// breach returns the first rule that a node breaks, in words, or "". path
// leads to the node.
func breach(node map[string]any, path string, rules []property) string {
	for _, p := range rules {
		v, there := node[p.name]
		if !there && (p.name == "id" || p.name == "type") {
			v = node["@"+p.name]
		}
		if b := p.breach(v, path+"."+p.name); b != "" {
			return b
		}
	}
	return ""
}

func (p property) breach(v any, path string) string {
	values := each(v)
	some := false
	for _, one := range values {
		some = some || one != nil
	}
	switch {
	case !some && p.required:
		return path + " is missing"
	case !some:
		return ""
	case len(values) > 1 && !p.many:
		return path + " has more than one value"
	}
	for _, one := range values {
		if b := p.breachOne(one, path); b != "" {
			return b
		}
	}
	return ""
}

func (p property) breachOne(v any, path string) string {
	fits := false
	switch v := v.(type) {
	case map[string]any:
		switch p.kind {
		case kindNode, kindObject, kindImage, kindImageOrData:
			return breach(v, path, p.inside)
		}
	case string:
		if b := p.breachText(v); b != "" {
			return path + " " + b
		}
		fits = true
	case bool:
		fits = p.kind == kindBool
	case float64:
		fits = p.kind == kindTextOrNumber
	}
	if !fits {
		return path + " has a value of a wrong type"
	}
	return ""
}

func (p property) breachText(s string) string {
	fits, wanted := true, ""
	switch p.kind {
	case kindURL:
		fits, wanted = isURL(s), "a web address"
	case kindIRI, kindNode:
		fits, wanted = isIRI(s), "an identifier"
	case kindObject:
		fits, wanted = false, "an object"
	case kindImage:
		fits, wanted = isIRI(s), "a web address"
	case kindImageOrData:
		fits, wanted = isURL(s) || isDataURI(s), "a web address or data URI"
	case kindTime:
		_, err := parseTime(s)
		fits, wanted = err == nil, "an ISO 8601 time with a zone"
	case kindEmail:
		fits, wanted = emailForm.MatchString(s), "an e-mail address"
	case kindPhone:
		fits, wanted = phoneForm.MatchString(s), "a telephone number"
	case kindLanguage:
		fits, wanted = isLanguage(s), "a language tag"
	case kindTypes:
		fits, wanted = vocabulary[s] || strings.Contains(s, ":") && !strings.ContainsAny(s, " \t\r\n"), "a known type"
	case kindOrigin:
		fits, wanted = originForm.MatchString(s), "a host name"
	case kindBool:
		fits, wanted = false, "true or false"
	}
	if fits {
		return ""
	}
	return "is not " + wanted
}

// checkAssertion returns the first rule that an assertion breaks, or "".
func checkAssertion(a map[string]any) string {
	if b := breach(a, "Assertion", assertionRules); b != "" {
		return b
	}
	if !isA(a, "Assertion") {
		return "it is no Assertion"
	}
	recipient := object(a["recipient"])
	identity, hashed := text(recipient["identity"]), isTrue(recipient["hashed"])
	switch {
	case !isA(recipient, "id", "email", "url", "telephone"):
		return "Assertion.recipient.type is none of id, email, url, telephone"
	case hashed && !hashForm.MatchString(identity):
		return "Assertion.recipient.identity is not a known hash"
	case !hashed && hashForm.MatchString(identity):
		return "Assertion.recipient.identity is a hash, although hashed is false"
	case !hashed && isA(recipient, "email") && !emailForm.MatchString(identity):
		return "Assertion.recipient.identity is not an e-mail address"
	}
	if isHosted(a) == isSigned(a) {
		return "Assertion.verification.type is not one of hosted and signed"
	}
	issued, _ := parseTime(text(a["issuedOn"]))
	if until, err := parseTime(text(a["expires"])); err == nil && until.Before(issued) {
		return "Assertion.expires is before issuedOn"
	}
	return ""
}

func isHosted(a map[string]any) bool {
	return isA(object(a["verification"]), "HostedBadge", "hosted")
}

func isSigned(a map[string]any) bool {
	return isA(object(a["verification"]), "SignedBadge", "signed")
}

// isOther reports whether an assertion is verified as an extension defines it.
func isOther(a map[string]any) bool {
	return isA(object(a["verification"]), "Extension") && !isHosted(a) && !isSigned(a)
}

// checkClass returns the first rule that a badge class breaks, or "".
func checkClass(c map[string]any) string {
	if b := breach(c, "BadgeClass", classRules); b != "" {
		return b
	}
	if !isA(c, "BadgeClass") {
		return "the badge is no BadgeClass"
	}
	if criteria := object(c["criteria"]); criteria != nil {
		if own := id(criteria); (own == "" || strings.HasPrefix(own, "_:")) && text(criteria["narrative"]) == "" {
			return "BadgeClass.criteria has neither an address nor a narrative"
		}
	}
	return ""
}

// checkProfile returns the first rule that an issuer breaks, or "".
func checkProfile(p map[string]any) string {
	if b := breach(p, "Issuer", profileRules); b != "" {
		return b
	}
	if !isA(p, "Issuer", "Profile") {
		return "the issuer is neither Issuer nor Profile"
	}
	return ""
}
