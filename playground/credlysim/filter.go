package credlysim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// perPage is the fixed size of a page.
const perPage = 50

// maxPage keeps the page number within what arithmetic can bear.
const maxPage = 1_000_000

// parseFilter reads "key::value|key::a,b". Values keep their order.
func parseFilter(text string) (map[string][]string, error) {
	parsed := map[string][]string{}
	if text == "" {
		return parsed, nil
	}
	for part := range strings.SplitSeq(text, "|") {
		key, value, ok := strings.Cut(part, "::")
		if !ok || key == "" || value == "" {
			return nil, refuse("Filter %q is invalid", key)
		}
		if parsed[key] != nil {
			return nil, refuse("Filter %q is given twice", key)
		}
		for v := range strings.SplitSeq(value, ",") {
			v = strings.TrimSpace(v)
			if v == "" {
				return nil, refuse("Filter %q has an empty value", key)
			}
			parsed[key] = append(parsed[key], v)
		}
	}
	return parsed, nil
}

func oneBool(key string, values []string) (bool, error) {
	if len(values) != 1 || (values[0] != "true" && values[0] != "false") {
		return false, refuse("Filter %q must be true or false", key)
	}
	return values[0] == "true", nil
}

func oneDay(key string, values []string) (time.Time, error) {
	if len(values) == 1 {
		if t, err := time.Parse(time.DateOnly, values[0]); err == nil {
			return t, nil
		}
	}
	return time.Time{}, refuse("Filter %q must be a date", key)
}

// selectBadges returns what the filter leaves, newest first; mu is held.
func (s *Server) selectBadges(text string) ([]*badge, error) {
	filter, err := parseFilter(text)
	if err != nil {
		return nil, err
	}
	keep, err := s.badgeConditions(filter)
	if err != nil {
		return nil, err
	}
	var found []*badge
	for _, b := range s.badgeCandidates(filter) {
		if !slices.ContainsFunc(keep, func(ok func(*badge) bool) bool { return !ok(b) }) {
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(a, b *badge) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return found, nil
}

// badgeCandidates narrows by an index where the filter allows it.
func (s *Server) badgeCandidates(filter map[string][]string) []*badge {
	var from []*badge
	switch {
	case filter["recipient_email"] != nil:
		for _, e := range filter["recipient_email"] {
			from = append(from, s.byEmail[normal(e)]...)
		}
	case filter["issuer_earner_id"] != nil:
		for _, id := range filter["issuer_earner_id"] {
			from = append(from, s.byEarner[id]...)
		}
	case filter["recipient_email_all"] != nil:
		for _, e := range filter["recipient_email_all"] {
			if a := s.ownerOf(e); a != nil {
				from = append(from, s.badgesOf(a)...)
			} else {
				from = append(from, s.byEmail[normal(e)]...)
			}
		}
	default:
		return s.badges
	}
	seen := map[*badge]bool{}
	return slices.DeleteFunc(slices.Clone(from), func(b *badge) bool {
		twice := seen[b]
		seen[b] = true
		return twice
	})
}

// badgeConditions turns a filter into what a badge must meet. A key that is
// not known to work is refused, so that a misspelt one does not select all.
func (s *Server) badgeConditions(filter map[string][]string) ([]func(*badge) bool, error) {
	var keep []func(*badge) bool
	for key, values := range filter {
		switch key {
		case "recipient_email":
			keep = append(keep, func(b *badge) bool {
				return slices.ContainsFunc(values, func(v string) bool { return sameEmail(v, b.RecipientEmail) })
			})
		case "recipient_email_all":
			keep = append(keep, func(b *badge) bool {
				owner := s.ownerOf(b.RecipientEmail)
				return slices.ContainsFunc(values, func(v string) bool {
					return sameEmail(v, b.RecipientEmail) || (owner != nil && owner == s.ownerOf(v))
				})
			})
		case "issuer_earner_id":
			keep = append(keep, func(b *badge) bool { return slices.Contains(values, b.IssuerEarnerID) })
		case "badge_template_id":
			keep = append(keep, func(b *badge) bool { return slices.Contains(values, b.TemplateID) })
		case "badge_templates[reporting_tags]":
			keep = append(keep, func(b *badge) bool {
				return containsAny(s.templateBy[b.TemplateID].ReportingTags, values)
			})
		case "user_id":
			keep = append(keep, func(b *badge) bool {
				owner := s.ownerOf(b.RecipientEmail)
				return owner != nil && slices.Contains(values, owner.ID)
			})
		case "state":
			for _, v := range values {
				if !slices.Contains([]string{StatePending, StateAccepted, StateRejected, StateRevoked}, v) {
					return nil, refuse("Filter \"state\" does not know %q", v)
				}
			}
			keep = append(keep, func(b *badge) bool { return slices.Contains(values, b.State) })
		case "public":
			want, err := oneBool(key, values)
			if err != nil {
				return nil, err
			}
			keep = append(keep, func(b *badge) bool { return b.Public == want })
		case "expires_at_date_max":
			last, err := oneDay(key, values)
			if err != nil {
				return nil, err
			}
			keep = append(keep, func(b *badge) bool {
				return !b.ExpiresAt.IsZero() && b.ExpiresAt.Before(last.AddDate(0, 0, 1))
			})
		default:
			return nil, refuse("Filter %q is unknown", key)
		}
	}
	return keep, nil
}

func containsAny(have, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(v string) bool { return slices.Contains(have, v) })
}

// selectTemplates returns what the filter leaves, oldest first; mu is held.
func (s *Server) selectTemplates(text string) ([]*template, error) {
	filter, err := parseFilter(text)
	if err != nil {
		return nil, err
	}
	var keep []func(*template) bool
	for key, values := range filter {
		switch key {
		case "query":
			keep = append(keep, func(t *template) bool {
				return strings.Contains(strings.ToLower(t.Name+" "+t.Description), strings.ToLower(values[0]))
			})
		case "name":
			keep = append(keep, func(t *template) bool { return slices.Contains(values, t.Name) })
		case "public":
			want, err := oneBool(key, values)
			if err != nil {
				return nil, err
			}
			keep = append(keep, func(t *template) bool { return t.Private != want })
		case "state":
			keep = append(keep, func(t *template) bool { return slices.Contains(values, t.State) })
		case "owner_id":
			keep = append(keep, func(*template) bool { return slices.Contains(values, s.cfg.OrganizationID) })
		case "reporting_tags":
			keep = append(keep, func(t *template) bool { return containsAny(t.ReportingTags, values) })
		case "skills":
			keep = append(keep, func(t *template) bool { return containsAny(t.Skills, values) })
		case "created_at_min", "created_at_max", "updated_at_min", "updated_at_max":
			limit, err := oneDay(key, values)
			if err != nil {
				return nil, err
			}
			keep = append(keep, func(t *template) bool {
				at := t.created
				if strings.HasPrefix(key, "updated") {
					at = t.updated
				}
				if strings.HasSuffix(key, "_min") {
					return !at.Before(limit)
				}
				return at.Before(limit.AddDate(0, 0, 1))
			})
		default:
			return nil, refuse("Filter %q is unknown", key)
		}
	}
	var found []*template
	for _, t := range s.templates {
		if !slices.ContainsFunc(keep, func(ok func(*template) bool) bool { return !ok(t) }) {
			found = append(found, t)
		}
	}
	return found, nil
}

// sortBy orders by "key1|-key2"; value gives a key's text, false for a key
// that is unknown.
func sortBy[T any](all []T, order string, value func(T, string) (string, bool)) error {
	if order == "" {
		return nil
	}
	keys := strings.Split(order, "|")
	for _, key := range keys {
		var none T
		if len(all) > 0 {
			none = all[0]
		} else {
			break
		}
		if _, ok := value(none, strings.TrimPrefix(key, "-")); !ok {
			return refuse("Sort %q is unknown", key)
		}
	}
	slices.SortStableFunc(all, func(a, b T) int {
		for _, key := range keys {
			name := strings.TrimPrefix(key, "-")
			x, _ := value(a, name)
			y, _ := value(b, name)
			c := strings.Compare(x, y)
			if strings.HasPrefix(key, "-") {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return nil
}

func badgeSortValue(b *badge, key string) (string, bool) {
	switch key {
	case "created_at":
		return stamp(b.CreatedAt), true
	case "updated_at":
		return stamp(b.UpdatedAt), true
	case "state_updated_at":
		return stamp(b.StateUpdatedAt), true
	case "issued_at":
		return stamp(b.IssuedAt), true
	case "expires_at":
		return stamp(b.ExpiresAt), true
	case "recipient_email":
		return normal(b.RecipientEmail), true
	case "issued_to":
		return b.FirstName + " " + b.LastName, true
	case "state":
		return b.State, true
	}
	return "", false
}

func templateSortValue(t *template, key string) (string, bool) {
	switch key {
	case "name":
		return t.Name, true
	case "created_at":
		return stamp(t.created), true
	case "updated_at":
		return stamp(t.updated), true
	case "state":
		return t.State, true
	}
	return "", false
}

// page cuts the asked page out of all and describes it. The links carry
// another path prefix than the API's base, as Credly's may.
func page[T any](s *Server, u *url.URL, all []T) ([]T, object, error) {
	number := 1
	if text := u.Query().Get("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			return nil, nil, refuse("Page is invalid")
		}
		number = n
	}
	pages := max(1, (len(all)+perPage-1)/perPage)
	from := min((number-1)*perPage, len(all))
	part := all[from:min(from+perPage, len(all))]
	link := func(n int) any {
		if n < 1 || n > pages {
			return nil
		}
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		return s.base + "/api" + u.Path + "?" + q.Encode()
	}
	return part, object{
		"count": len(part), "current_page": number, "total_count": len(all), "total_pages": pages, "per": perPage,
		"previous_page_url": link(number - 1), "next_page_url": link(number + 1),
	}, nil
}
