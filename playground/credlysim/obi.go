package credlysim

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

const openBadges = "https://w3id.org/openbadges/v2"

func (s *Server) assertionURL(badgeID string) string {
	return s.APIURL() + "/obi/v2/badge_assertions/" + badgeID
}

func (s *Server) issuerURL() string {
	return s.APIURL() + "/obi/v2/issuers/" + s.cfg.OrganizationID
}

func (s *Server) classURL(templateID string) string {
	return s.issuerURL() + "/badge_classes/" + templateID
}

// publicRoutes are the Open Badges documents that need no authorization, see
// https://www.credly.com/docs/obi_specified_endpoints.
func (s *Server) publicRoutes(mux *http.ServeMux) {
	open := func(pattern string, work func(*call)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			work(&call{s: s, w: w, r: r})
		})
	}
	open("GET /v1/obi/v2/badge_assertions/{id}", s.getAssertion)
	open("GET /v1/obi/v2/badge_classes/{id}", s.getClass)
	open("GET /v1/obi/v2/issuers/{org}", s.getIssuer)
	open("GET /v1/obi/v2/issuers/{org}/badge_classes/{id}", s.getClass)
}

// getAssertion answers for badges that anyone may see, says 410 for revoked
// ones, and does not admit that any other exists.
func (s *Server) getAssertion(c *call) {
	b := s.badgeBy[c.r.PathValue("id")]
	if f := s.foreignBadge(c.r.PathValue("id")); f != nil {
		writeJSON(c.w, http.StatusOK, s.foreignAssertion(f))
		return
	}
	switch {
	case b == nil:
		c.fail(http.StatusNotFound)
		return
	case b.State == StateRevoked:
		writeJSON(c.w, http.StatusGone, object{"@context": openBadges, "id": s.assertionURL(b.ID), "type": "Assertion", "revoked": true})
		return
	case !s.visible(b):
		c.fail(http.StatusNotFound)
		return
	}
	evidence := []any{}
	for _, e := range b.Evidence {
		o := object{"@context": openBadges, "description": e.Description, "name": e.Name, "genre": e.Type, "type": "Evidence"}
		// What Credly says of other evidence is unknown; an id has to be an
		// address, and there is none.
		if e.Type == "UrlEvidence" {
			o["id"] = e.Value
		}
		evidence = append(evidence, o)
	}
	// The address is hashed as it was given, without a salt.
	sum := sha256.Sum256([]byte(b.RecipientEmail))
	o := object{
		"@context": openBadges, "badge": s.classURL(b.TemplateID), "evidence": evidence, "id": s.assertionURL(b.ID),
		"issuedOn":  stamp(b.IssuedAt),
		"recipient": object{"type": "email", "identity": "sha256$" + hex.EncodeToString(sum[:]), "hashed": true},
		"type":      "Assertion", "verification": object{"type": "hosted"},
	}
	if !b.ExpiresAt.IsZero() {
		o["expires"] = stamp(b.ExpiresAt)
	}
	writeJSON(c.w, http.StatusOK, o)
}

func (s *Server) getClass(c *call) {
	t := s.templateBy[c.r.PathValue("id")]
	org := c.r.PathValue("org")
	if f := s.foreignBy(func(f *foreign) bool {
		return f.templateID == c.r.PathValue("id") && (org == "" || org == f.issuerID)
	}); f != nil {
		writeJSON(c.w, http.StatusOK, s.foreignClass(f))
		return
	}
	if t == nil || t.Private || (org != "" && org != s.cfg.OrganizationID) {
		c.fail(http.StatusNotFound)
		return
	}
	writeJSON(c.w, http.StatusOK, object{
		"@context": openBadges, "type": "BadgeClass", "id": s.classURL(t.ID), "name": t.Name, "description": t.Description,
		"criteria": object{"id": "https://www.example.org/certification", "narrative": "Pass the assessment."},
		"image":    object{"id": s.imageURL(t)}, "issuer": s.issuerURL(), "tags": list(t.Skills),
	})
}

func (s *Server) getIssuer(c *call) {
	if f := s.foreignBy(func(f *foreign) bool { return f.issuerID == c.r.PathValue("org") }); f != nil {
		writeJSON(c.w, http.StatusOK, s.foreignIssuer(f))
		return
	}
	if c.r.PathValue("org") != s.cfg.OrganizationID {
		c.fail(http.StatusNotFound)
		return
	}
	writeJSON(c.w, http.StatusOK, object{
		"@context": openBadges, "type": "Issuer", "id": s.issuerURL(), "name": s.cfg.OrganizationName,
		"url": "https://www.example.org/", "email": "hello@example.org",
		"image": object{"id": s.base + "/images/organization.svg"},
	})
}
