package credlysim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ForeignBadge is a public badge that another organization issued to an
// account: the API of this one does not know it, the account's public profile
// shows it.
type ForeignBadge struct {
	// ID is a UUID, made up when empty.
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Issuer      string    `json:"issuer"`
	IssuedAt    time.Time `json:"issued_at"`
	// ExpiresAt is zero when the badge never expires.
	ExpiresAt time.Time `json:"expires_at"`
	// Hidden hides it from everybody else.
	Hidden bool `json:"hidden"`
}

// foreign is such a badge with what its documents need.
type foreign struct {
	ForeignBadge
	owner                *account
	templateID, issuerID string
}

// AddForeignBadge gives the account that has the address a badge of another
// organization, accepted and public, and returns its id.
func (s *Server) AddForeignBadge(email string, b ForeignBadge) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accountBy[normal(email)]
	if a == nil {
		return "", fmt.Errorf("add badge of another organization: %w", ErrUnknown)
	}
	if b.ID == "" {
		b.ID = uuid.NewString()
	}
	issuer := uuid.NewSHA1(uuid.NameSpaceOID, []byte(b.Issuer)).String()
	s.foreigns = append(s.foreigns, &foreign{
		ForeignBadge: b, owner: a, issuerID: issuer, templateID: uuid.NewSHA1(uuid.MustParse(issuer), []byte(b.Name)).String(),
	})
	s.touch()
	return b.ID, nil
}

// foreignBy finds the first badge of another organization that fits; mu is
// held.
func (s *Server) foreignBy(fits func(*foreign) bool) *foreign {
	for _, f := range s.foreigns {
		if fits(f) {
			return f
		}
	}
	return nil
}

// foreignBadge finds one that everybody can see; mu is held.
func (s *Server) foreignBadge(id string) *foreign {
	return s.foreignBy(func(f *foreign) bool { return f.ID == id && !f.Hidden && f.owner.PublicProfile })
}

// getProfile is the list behind the page of a profile: undocumented, without
// authorization, public badges only, the newest first, and nothing of a
// profile that is private.
func (s *Server) getProfile(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r}
	a := s.accountBySlug(r.PathValue("slug"))
	if a == nil || !a.PublicProfile {
		c.fail(http.StatusNotFound)
		return
	}
	var all []any
	for _, b := range s.badgesOf(a) {
		if t := s.templateBy[b.TemplateID]; t != nil && s.visible(b) && b.ReplacedBy == "" {
			all = append(all, s.earnedObject(a, b.ID, b.FirstName+" "+b.LastName, b.IssuedAt, b.ExpiresAt, s.shownTemplate(
				t.ID, t.Name, t.Description, slug(t.Name), s.issuedBy(s.cfg.OrganizationID, s.cfg.OrganizationName))))
		}
	}
	for _, f := range s.foreigns {
		if f.owner == a && !f.Hidden {
			all = append(all, s.earnedObject(a, f.ID, a.FirstName+" "+a.LastName, f.IssuedAt, f.ExpiresAt, s.shownTemplate(
				f.templateID, f.Name, f.Description, slug(f.Name), s.issuedBy(f.issuerID, f.Issuer))))
		}
	}
	part, metadata, err := page(s, r.URL, all)
	if err != nil {
		c.fail(http.StatusBadRequest)
		return
	}
	if part == nil {
		part = []any{}
	}
	for _, link := range []string{"previous_page_url", "next_page_url"} {
		if address, ok := metadata[link].(string); ok {
			metadata[link] = strings.Replace(address, "/api/users/", "/users/", 1)
		}
	}
	writeJSON(w, http.StatusOK, object{"data": part, "metadata": metadata})
}

func (s *Server) issuedBy(id, name string) object {
	return object{
		"summary": "issued by " + name,
		"entities": []any{object{"label": "Issued by", "primary": true, "entity": object{
			"type": "Organization", "id": id, "name": name, "url": s.base + "/api/v1/organizations/" + id,
			"vanity_url": s.base + "/org/" + slug(name), "internationalize_badge_templates": false,
			"share_to_ziprecruiter": false, "twitter_url": nil, "verified": false,
		}}},
	}
}

// shownTemplate is a template as a profile shows it.
func (s *Server) shownTemplate(id, name, description, vanity string, issuer object) object {
	image := s.base + "/images/" + id + ".png"
	return object{
		"id": id, "description": description, "global_activity_url": nil, "earn_this_badge_url": nil, "enable_earn_this_badge": false,
		"enable_detail_attribute_visibility": true, "name": name, "public": true, "recipient_type": "User", "vanity_slug": vanity,
		"show_badge_lmi": false, "show_skill_tag_links": true, "settings_enable_related_badges": false, "translatable": false,
		"level": nil, "time_to_earn": nil, "cost": nil, "type_category": "Certification", "image": object{"id": id, "url": image},
		"image_url": image, "url": s.base + "/org/" + vanity, "owner_vanity_slug": vanity, "badge_template_earnable": false,
		"recommendable": false, "issuer": issuer, "related_badge_templates": []any{}, "alignments": []any{},
		"badge_template_activities": []any{}, "endorsements": []any{}, "skills": []any{},
	}
}

// earnedObject is a badge as a profile shows it: without the address.
func (s *Server) earnedObject(a *account, id, to string, issued, expires time.Time, template object) object {
	return object{
		"id": id, "expires_at_date": dayOrNull(expires), "issued_at_date": day(issued), "issued_to": to, "locale": "en", "public": true,
		"state": "accepted", "translate_metadata": false, "accepted_at": stamp(issued), "expires_at": timeOrNull(expires),
		"issued_at": stamp(issued), "last_updated_at": stamp(issued), "updated_at": stamp(issued), "earner_path": "/users/" + a.Slug,
		"earner_photo_url": nil, "is_private_badge": false, "user_is_earner": false, "printable": false, "issuer": template["issuer"],
		"badge_template": template, "image": template["image"], "image_url": template["image_url"], "evidence": []any{},
		"recommendations": []any{},
	}
}

// foreignCard is such a badge as pages show it.
func foreignCard(f *foreign) badgeCard {
	c := badgeCard{
		ID: f.ID, TemplateID: f.templateID, Name: f.Name, Description: f.Description, Issuer: f.Issuer,
		Person: f.owner.FirstName + " " + f.owner.LastName, State: StateAccepted, Issued: day(f.IssuedAt), Public: true,
	}
	if !f.ExpiresAt.IsZero() {
		c.Expires = day(f.ExpiresAt)
	}
	return c
}

func (s *Server) foreignIssuerURL(f *foreign) string {
	return s.APIURL() + "/obi/v2/issuers/" + f.issuerID
}

func (s *Server) foreignClassURL(f *foreign) string {
	return s.foreignIssuerURL(f) + "/badge_classes/" + f.templateID
}

func (s *Server) foreignAssertion(f *foreign) object {
	sum := sha256.Sum256([]byte(f.owner.primary().Email))
	o := object{
		"@context": openBadges, "badge": s.foreignClassURL(f), "evidence": []any{}, "id": s.assertionURL(f.ID), "issuedOn": stamp(f.IssuedAt),
		"recipient": object{"type": "email", "identity": "sha256$" + hex.EncodeToString(sum[:]), "hashed": true},
		"type":      "Assertion", "verification": object{"type": "hosted"},
	}
	if !f.ExpiresAt.IsZero() {
		o["expires"] = stamp(f.ExpiresAt)
	}
	return o
}

func (s *Server) foreignClass(f *foreign) object {
	return object{
		"@context": openBadges, "type": "BadgeClass", "id": s.foreignClassURL(f), "name": f.Name, "description": f.Description,
		"criteria": object{"id": "https://www.example.com/certification", "narrative": "Pass the assessment."},
		"image":    object{"id": s.base + "/images/" + f.templateID + ".png"}, "issuer": s.foreignIssuerURL(f), "tags": []any{},
	}
}

func (s *Server) foreignIssuer(f *foreign) object {
	return object{
		"@context": openBadges, "type": "Issuer", "id": s.foreignIssuerURL(f), "name": f.Issuer, "url": "https://www.example.com/",
		"email": "hello@example.com",
	}
}
