package credlysim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// call is one authorized request to the organization's API. The server's mu
// is held while it is worked on.
type call struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	token *AuthToken
}

func (s *Server) newRoutes() http.Handler {
	mux := http.NewServeMux()
	const org = "/v1/organizations/{org}"
	api := func(pattern string, need permission, scope string, work func(*call)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			token, status := s.authorize(r, need, scope)
			c := &call{s: s, w: w, r: r, token: token}
			switch {
			case status != 0:
				c.fail(status)
			case r.PathValue("org") != "" && r.PathValue("org") != s.cfg.OrganizationID:
				c.fail(http.StatusNotFound)
			default:
				work(c)
			}
		})
	}
	api("GET /v1/organizations", read, "", func(c *call) { c.list([]any{s.organizationObject()}) })
	api("GET "+org, read, "", func(c *call) { c.answer(http.StatusOK, s.organizationObject()) })
	api("GET "+org+"/authorization_tokens", read, "authorization_tokens", s.listTokens)
	api("POST "+org+"/authorization_tokens/rotate", write, "authorization_tokens", s.rotateToken)
	api("GET "+org+"/oauth_applications", read, "authorization_tokens", s.listApplications)
	api("GET "+org+"/badge_templates", read, "badge_templates", s.listTemplates)
	api("GET "+org+"/badge_templates/{id}", read, "badge_templates", s.getTemplate)
	api("GET "+org+"/badges", read, "issued_badges", s.listBadges)
	api("GET "+org+"/high_volume_issued_badge_search", read, "issued_badges", s.listBadges)
	api("POST "+org+"/badges", write, "issued_badges", s.postBadge)
	api("GET "+org+"/badges/{id}", read, "issued_badges", s.getBadge)
	api("POST "+org+"/badges/{id}/replace", write, "issued_badges", s.postReplace)
	api("PUT "+org+"/badges/{id}/revoke", write, "issued_badges", s.putRevoke)
	api("DELETE "+org+"/badges/{id}", remove, "issued_badges", s.deleteBadge)
	api("GET "+org+"/events", read, "events", s.listEvents)
	api("GET "+org+"/events/{id}", read, "events", s.getEvent)
	mux.HandleFunc("POST /oauth/token", s.oauthToken)
	s.publicRoutes(mux)
	s.pageRoutes(mux)
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusNotFound, object{"message": "resource not found"})
	})
	// The API is served under a second prefix as well; links to further
	// pages use that one.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/api/v1/"); ok {
			r.URL.Path, r.URL.RawPath = "/v1/"+rest, ""
		}
		mux.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "encode answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// Who does not read the answer has hung up.
	_, _ = w.Write(data)
}

func (c *call) answer(status int, data any) {
	writeJSON(c.w, status, object{"data": data, "metadata": object{}})
}

// list answers one page of all.
func (c *call) list(all []any) {
	part, metadata, err := page(c.s, c.r.URL, all)
	if err != nil {
		c.refuse(err)
		return
	}
	if part == nil {
		part = []any{}
	}
	writeJSON(c.w, http.StatusOK, object{"data": part, "metadata": metadata})
}

func (c *call) fail(status int) {
	text := "resource not found"
	switch status {
	case http.StatusUnauthorized:
		text = "unauthorized"
	case http.StatusForbidden:
		text = "forbidden"
	case http.StatusBadRequest:
		text = "bad request"
	case http.StatusMethodNotAllowed:
		text = "method not allowed"
	case http.StatusUnsupportedMediaType:
		text = "unsupported media type"
	}
	writeJSON(c.w, status, object{"message": text})
}

// refuse answers what an operation did not do.
func (c *call) refuse(err error) {
	var refused *RefusedError
	if !errors.As(err, &refused) {
		c.fail(http.StatusNotFound)
		return
	}
	metadata := object{}
	if refused.CurrentBadgeID != "" {
		metadata["current_badge_id"] = refused.CurrentBadgeID
	}
	writeJSON(c.w, http.StatusUnprocessableEntity, object{"data": object{"message": refused.Error()}, "metadata": metadata})
}

// decode reads a JSON body strictly: the type must be said and a field that
// is not documented is refused, so that a misspelt one does not go unnoticed.
// It answers itself when it returns false.
func (c *call) decode(into any, optional bool) bool {
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		c.fail(http.StatusBadRequest)
		return false
	}
	if len(body) == 0 && optional {
		return true
	}
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		c.fail(http.StatusUnsupportedMediaType)
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		if strings.Contains(err.Error(), "unknown field") {
			c.refuse(refuse("%s", err))
			return false
		}
		c.fail(http.StatusBadRequest)
		return false
	}
	if dec.More() {
		c.fail(http.StatusBadRequest)
		return false
	}
	return true
}

func (s *Server) listTemplates(c *call) {
	q := c.r.URL.Query()
	found, err := s.selectTemplates(q.Get("filter"))
	if err == nil {
		err = sortBy(found, q.Get("sort"), templateSortValue)
	}
	if err != nil {
		c.refuse(err)
		return
	}
	all := make([]any, 0, len(found))
	for _, t := range found {
		all = append(all, s.templateListed(t))
	}
	c.list(all)
}

func (s *Server) getTemplate(c *call) {
	t := s.templateBy[c.r.PathValue("id")]
	if t == nil {
		c.fail(http.StatusNotFound)
		return
	}
	c.answer(http.StatusOK, s.templateAlone(t))
}

func (s *Server) listBadges(c *call) {
	q := c.r.URL.Query()
	found, err := s.selectBadges(q.Get("filter"))
	if err == nil {
		err = sortBy(found, q.Get("sort"), badgeSortValue)
	}
	var part []*badge
	var metadata object
	if err == nil {
		part, metadata, err = page(s, c.r.URL, found)
	}
	if err != nil {
		c.refuse(err)
		return
	}
	data := make([]any, 0, len(part))
	for _, b := range part {
		data = append(data, s.badgeObject(b))
	}
	writeJSON(c.w, http.StatusOK, object{"data": data, "metadata": metadata})
}

// SetSingleGet switches GET of one badge off with the given status, 404 or
// 405, or on again with 0: it is not certain that Credly has it.
func (s *Server) SetSingleGet(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.singleGet = status
}

func (s *Server) getBadge(c *call) {
	b := s.badgeBy[c.r.PathValue("id")]
	switch {
	case s.singleGet != 0:
		c.fail(s.singleGet)
	case b == nil:
		c.fail(http.StatusNotFound)
	default:
		c.answer(http.StatusOK, s.badgeObject(b))
	}
}

func (s *Server) postBadge(c *call) {
	var r IssueRequest
	if !c.decode(&r, false) {
		return
	}
	b, err := s.issue(r)
	if err != nil {
		c.refuse(err)
		return
	}
	c.answer(http.StatusCreated, s.badgeObject(b))
}

func (s *Server) postReplace(c *call) {
	var r IssueRequest
	if !c.decode(&r, true) {
		return
	}
	b, err := s.replace(c.r.PathValue("id"), r)
	if err != nil {
		c.refuse(err)
		return
	}
	c.answer(http.StatusCreated, s.badgeObject(b))
}

func (s *Server) putRevoke(c *call) {
	var r struct {
		Reason   string `json:"reason"`
		Suppress bool   `json:"suppress_revoke_notification_email"`
	}
	if !c.decode(&r, true) {
		return
	}
	id := c.r.PathValue("id")
	if err := s.revoke(id, r.Reason); err != nil {
		c.refuse(err)
		return
	}
	c.answer(http.StatusOK, s.badgeObject(s.badgeBy[id]))
}

func (s *Server) deleteBadge(c *call) {
	id := c.r.PathValue("id")
	b := s.badgeBy[id]
	if b == nil {
		c.fail(http.StatusNotFound)
		return
	}
	last := s.badgeObject(b)
	if err := s.erase(id); err != nil {
		c.refuse(err)
		return
	}
	c.answer(http.StatusOK, last)
}

// listEvents shows the newest event first.
func (s *Server) listEvents(c *call) {
	newest := make([]*event, 0, len(s.events))
	for i := len(s.events) - 1; i >= 0; i-- {
		newest = append(newest, s.events[i])
	}
	part, metadata, err := page(s, c.r.URL, newest)
	if err != nil {
		c.refuse(err)
		return
	}
	data := make([]any, 0, len(part))
	for _, e := range part {
		data = append(data, s.eventObject(e))
	}
	writeJSON(c.w, http.StatusOK, object{"data": data, "metadata": metadata})
}

func (s *Server) getEvent(c *call) {
	e := s.eventBy[c.r.PathValue("id")]
	if e == nil {
		c.fail(http.StatusNotFound)
		return
	}
	o := s.eventObject(e)
	// Fetched alone, the event does not repeat its organization.
	delete(o, "organization_id")
	c.answer(http.StatusOK, o)
}
