package openbadges

import (
	"maps"
	"slices"
	"time"
)

// tokenClaims are what RFC 7519 adds to a credential that is the whole
// payload of a token.
var tokenClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "cnf", "vc"}

// unwrap returns the credential inside a token: the whole payload in data
// model 2.0, a property of it in 1.1. The claims beside it must not say
// something else; what is said only there is carried over. See
// https://www.imsglobal.org/spec/ob/v3p0#jwt-proof
func unwrap(claims map[string]any) (doc map[string]any, mismatch string) {
	if nested := object(claims["vc"]); nested != nil {
		doc = maps.Clone(nested)
	} else {
		doc = maps.Clone(claims)
		maps.DeleteFunc(doc, func(name string, _ any) bool { return slices.Contains(tokenClaims, name) })
	}
	if iss := text(claims["iss"]); iss != "" {
		switch own := ref(doc["issuer"]); {
		case own == "":
			if issuer := object(doc["issuer"]); issuer != nil {
				issuer = maps.Clone(issuer)
				issuer["id"] = iss
				doc["issuer"] = issuer
			} else {
				doc["issuer"] = iss
			}
		case own != iss:
			return doc, "the token names another issuer than the badge in it"
		}
	}
	if jti := text(claims["jti"]); jti != "" {
		switch own := id(doc); own {
		case "":
			doc["id"] = jti
		case jti:
		default:
			return doc, "the token has another id than the badge in it"
		}
	}
	if sub := text(claims["sub"]); sub != "" {
		subject := maps.Clone(object(doc["credentialSubject"]))
		switch own := id(subject); {
		case subject == nil:
		case own == "":
			subject["id"] = sub
			doc["credentialSubject"] = subject
		case own != sub:
			return doc, "the token names another subject than the badge in it"
		}
	}
	from, until := dates(doc)
	model2 := slices.Contains(texts(doc["@context"]), contextModel2)
	if b := claimDate(doc, claims["nbf"], from, "validFrom", "issuanceDate", model2); b != "" {
		return doc, b
	}
	return doc, claimDate(doc, claims["exp"], until, "validUntil", "expirationDate", model2)
}

// claimDate compares a date of the token with that of the credential, to the
// second, and carries it over where the credential has none.
func claimDate(doc map[string]any, claim, own any, name2, name1 string, model2 bool) string {
	at, ok := numericDate(claim)
	if !ok {
		if claim != nil {
			return "a date of the token cannot be read"
		}
		return ""
	}
	if own == nil {
		name := name1
		if model2 {
			name = name2
		}
		doc[name] = at.Format(time.RFC3339)
		return ""
	}
	if t, err := parseTime(text(own)); err == nil && t.Unix() != at.Unix() {
		return "the dates of the token are not those of the badge in it"
	}
	return ""
}
