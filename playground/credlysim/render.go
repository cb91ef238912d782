package credlysim

import (
	"strings"
	"time"
)

// object is a JSON object whose keys are those of Credly's examples.
type object = map[string]any

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

func dayOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return day(t)
}

func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

// countryCodes are the codes (ISO 3166-1 alpha-3) of the countries that people
// of the simulation live in; Credly derives them from the names.
var countryCodes = map[string]string{
	"Austria": "AUT", "France": "FRA", "Germany": "DEU", "Italy": "ITA", "Liechtenstein": "LIE",
	"Switzerland": "CHE", "United Kingdom": "GBR", "United States": "USA",
}

func (s *Server) organizationURL() string {
	return s.APIURL() + "/organizations/" + s.cfg.OrganizationID
}

func (s *Server) organizationSlug() string { return slug(s.cfg.OrganizationName) }

func (s *Server) organizationPage() string { return s.base + "/org/" + s.organizationSlug() }

// entity is the short form of the organization.
func (s *Server) entity() object {
	return object{
		"type": "Organization", "id": s.cfg.OrganizationID, "name": s.cfg.OrganizationName,
		"url": s.organizationURL(), "vanity_url": s.organizationPage(), "verified": true,
	}
}

func (s *Server) organizationObject() object {
	return object{
		"id": s.cfg.OrganizationID, "name": s.cfg.OrganizationName, "website_url": "https://www.example.org/",
		"webhook_url": orNull(s.webhookURL), "contact_email": "hello@example.org", "legal_contact_email": "legal@example.org",
		"technical_contact_email": "technical@example.org", "zip_or_postal_code": "00000", "organization_type": "Certification",
		"bio": "Certifies people for competence.", "twitter_url": "https://twitter.com/example", "vanity_slug": s.organizationSlug(),
		"facebook_url": "https://www.facebook.com/example", "linked_in_url": "https://www.linkedin.com/company/example", "linked_in_name": s.cfg.OrganizationName,
		"linked_in_org_id": "1234567", "city": "Example City", "address": "1 Example Street", "primary_hex_color": nil,
		"support_email": "support@example.org", "support_url": "https://www.example.org/support", "allow_saml_debug": false,
		"allowed_webhooks": s.allowedWebhooks(), "enable_blockchain": false, "print_method": nil, "pdf_id": nil,
		"internationalize_badge_templates": false, "integrated_with_faethm": false, "hide_subscription": false,
		"default_page": "badges", "industry_id": nil, "workforce_enabled": false, "linkedin_a2p_url": nil,
		"location": "1 Example Street Example City Example Canton 00000 Switzerland", "country": "Switzerland", "state_or_province": "Example Canton",
		"created_at": stamp(s.created), "updated_at": stamp(s.created), "vanity_url": s.organizationPage(),
		"verified_at": stamp(s.created), "verified": true, "require_template_detail_attributes": false,
		"photo":     object{"id": s.cfg.OrganizationID, "url": s.base + "/images/organization.svg"},
		"photo_url": s.base + "/images/organization.svg", "has_employees": false, "missing_required_info": false,
		"featured_badge_templates": []any{},
	}
}

func (s *Server) imageURL(t *template) string { return s.base + "/images/" + t.ID + ".png" }

// templateObject is a template as it stands inside a badge.
func (s *Server) templateObject(t *template) object {
	owner := s.entity()
	owner["enable_blockchain"] = false
	owner["vanity_slug"] = s.organizationSlug()
	owner["viewable"] = true
	activities := []any{object{
		"id": t.activityID, "title": "Pass the assessment", "activity_type": "Assessment",
		"activity_url": "https://www.example.org/assessment", "required_badge_template_id": nil,
	}}
	for _, id := range t.Requires {
		required := s.templateBy[id]
		if required == nil {
			continue
		}
		activities = append(activities, object{
			"id": required.activityID, "title": required.Name, "activity_type": "Badge", "activity_url": nil,
			"required_badge_template_id": id, "required_badge_template_name": required.Name,
			"required_badge_template_url": s.organizationPage() + "/badge/" + slug(required.Name),
		})
	}
	visibility := "public"
	if t.Private {
		visibility = "private"
	}
	return object{
		"id": t.ID, "allow_duplicate_badges": t.AllowDuplicates, "cost": nil, "description": t.Description,
		"global_activity_url": "https://www.example.org/certification", "level": nil, "lock_badge_state": false,
		"name": t.Name, "state": t.State, "public": !t.Private, "badges_count": t.issued, "recipient_type": "User",
		"send_expiring_badge_notifications": false, "show_badge_lmi": false, "show_lmi_jobs": false,
		"show_skill_tag_links": true, "vanity_slug": slug(t.Name), "record_to_blockchain": nil, "time_to_earn": nil,
		"type_category": nil, "printing_disabled": false, "visibility": visibility, "criteria_url_name": nil,
		"criteria_url": nil, "certification": true, "state_updated_at": nil,
		"created_at": stamp(t.created), "updated_at": stamp(t.updated), "show_template_settings": false,
		"get_issue_count": 0, "image": object{"id": t.imageID, "url": s.imageURL(t)}, "image_url": s.imageURL(t),
		"url": s.organizationPage() + "/badge/" + slug(t.Name), "owner": owner,
		"alignments": []any{object{
			"id": t.alignmentID, "name": "Competence baseline", "url": "https://www.example.org/baseline",
			"description": "What a certified person can do.",
		}},
		"recommendations": []any{object{
			"id": t.recommendationID, "title": "Keep learning", "type": "information",
			"activity_url": "https://www.example.org/learning",
		}},
		"required_badge_templates": []any{}, "badge_template_activities": activities, "skills": list(t.Skills),
	}
}

// templateListed is a template as it stands in the list of templates.
func (s *Server) templateListed(t *template) object {
	o := s.templateObject(t)
	o["reporting_tags"] = list(t.ReportingTags)
	return o
}

// templateAlone is a template asked for by its id.
func (s *Server) templateAlone(t *template) object {
	o := s.templateListed(t)
	o["show_template_settings"] = true
	o["recommending_templates"] = []any{}
	o["criterion_for"] = []any{}
	return o
}

// badgeObject is one issued badge; mu is held.
func (s *Server) badgeObject(b *badge) object {
	t := s.templateBy[b.TemplateID]
	evidence := []any{}
	for _, e := range b.Evidence {
		o := object{"id": e.ID, "type": e.Type, "name": e.Name}
		if e.Description != "" {
			o["description"] = e.Description
		}
		if e.Type == "UrlEvidence" {
			o["value"] = e.Value
		}
		evidence = append(evidence, o)
	}
	o := object{
		"user": s.userObject(b), "created_by": s.entity(),
		"issuer": object{
			"summary":  "issued by " + s.cfg.OrganizationName,
			"entities": []any{object{"label": "Issued by", "primary": true, "entity": s.entity()}},
		},
		"printing_enabled": false, "print_method": nil, "badge_template": s.templateObject(t), "id": b.ID,
		"issued_to":            strings.Join(strings.Fields(b.FirstName+" "+b.MiddleName+" "+b.LastName), " "),
		"issued_to_first_name": b.FirstName, "issued_to_middle_name": orNull(b.MiddleName), "issued_to_last_name": b.LastName,
		"issuer_earner_id": orNull(b.IssuerEarnerID), "locale": b.Locale, "public": b.Public,
		"recipient_email": b.RecipientEmail, "replacement_badge_id": orNull(b.ReplacedBy),
		"replaces_badge_id": orNull(b.Replaces), "revocation_reason": orNull(b.RevocationReason), "state": b.State,
		"suppress_badge_notification_email": b.Suppressed, "updated_at": stamp(b.UpdatedAt), "country": orNull(b.Country),
		"country_code": orNull(countryCodes[b.Country]), "state_or_province": orNull(b.Province), "created_at": stamp(b.CreatedAt),
		"expires_at": timeOrNull(b.ExpiresAt), "expires_at_date": dayOrNull(b.ExpiresAt), "issued_at": stamp(b.IssuedAt),
		"issued_at_date": day(b.IssuedAt), "state_updated_at": stamp(b.StateUpdatedAt),
		"image": object{"id": t.imageID, "url": s.imageURL(t)}, "image_url": s.imageURL(t),
		"alignments": []any{object{"name": "Competence baseline", "description": "What a certified person can do."}},
		"evidence":   evidence, "badge_url": s.base + "/badges/" + b.ID,
	}
	if b.claimable() {
		o["accept_badge_url"] = s.base + "/go/" + b.acceptToken
	}
	return o
}

// userObject is the account behind a badge, or null before there is one.
func (s *Server) userObject(b *badge) any {
	a := s.ownerOf(b.RecipientEmail)
	if a == nil {
		return nil
	}
	return object{
		"id": a.ID, "email": a.primary().Email, "first_name": a.FirstName, "middle_name": nil, "last_name": a.LastName,
		"current_position_name": nil, "current_organization_name": nil, "confirmed": a.primary().Confirmed,
		"photo": nil, "photo_url": nil, "url": s.base + "/users/" + a.Slug,
	}
}

// eventObject is an event as fetched: with the object as it was then, or
// only its id once that object was deleted.
func (s *Server) eventObject(e *event) object {
	o := object{"id": e.ID, "organization_id": s.cfg.OrganizationID, "event_type": e.Type, "occurred_at": stamp(e.OccurredAt)}
	switch {
	case e.badgeID != "" && e.badge != nil && s.badgeBy[e.badgeID] != nil:
		o["badge"] = s.badgeObject(e.badge)
	case e.badgeID != "":
		o["badge"] = object{"id": e.badgeID}
	case e.template != nil && s.templateBy[e.templateID] != nil:
		o["badge_template"] = s.templateListed(e.template)
	default:
		o["badge_template"] = object{"id": e.templateID}
	}
	return o
}
