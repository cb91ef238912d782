package credlysim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/credlysim"
)

func TestIssueValidation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	archived := w.AddTemplate(credlysim.Template{Name: "Old", State: "archived"})
	if _, err := w.Register("main@example.org", credlysim.Registration{FirstName: "Ada", LastName: "Example", MoreEmails: []string{"second@example.org"}}); err != nil {
		t.Fatal(err)
	}
	w.issue("main@example.org", "earner-1")
	tests := []struct {
		name   string
		change func(map[string]any)
		want   int
	}{
		{"missing field", func(b map[string]any) { delete(b, "issued_to_last_name") }, http.StatusUnprocessableEntity},
		{"bad address", func(b map[string]any) { b["recipient_email"] = "nobody" }, http.StatusUnprocessableEntity},
		{"bad time", func(b map[string]any) { b["issued_at"] = "yesterday" }, http.StatusUnprocessableEntity},
		{"bad locale", func(b map[string]any) { b["locale"] = "xx" }, http.StatusUnprocessableEntity},
		{"unknown template", func(b map[string]any) { b["badge_template_id"] = "none" }, http.StatusUnprocessableEntity},
		{"archived template", func(b map[string]any) { b["badge_template_id"] = archived.ID }, http.StatusUnprocessableEntity},
		{"unknown field", func(b map[string]any) { b["issuer_earner"] = "x" }, http.StatusUnprocessableEntity},
		{"expires before issued", func(b map[string]any) { b["expires_at"] = "2020-01-01" }, http.StatusUnprocessableEntity},
		{"expires true", func(b map[string]any) { b["expires_at"] = true }, http.StatusUnprocessableEntity},
		{"wrong type", func(b map[string]any) { b["recipient_email"] = 7 }, http.StatusBadRequest},
		{"same address", func(b map[string]any) { b["recipient_email"] = "MAIN@example.org" }, http.StatusUnprocessableEntity},
		{"same account", func(b map[string]any) { b["recipient_email"] = "second@example.org" }, http.StatusUnprocessableEntity},
		{"same earner id", func(b map[string]any) { b["issuer_earner_id"] = "earner-1" }, http.StatusUnprocessableEntity},
		{"never expires", func(b map[string]any) { b["recipient_email"] = "n@example.org"; b["expires_at"] = false }, http.StatusCreated},
		{"iso time", func(b map[string]any) {
			b["recipient_email"] = "i@example.org"
			b["issued_at"] = "2026-11-01T09:41:00Z"
		}, http.StatusCreated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := award(w.tpl.ID, "new@example.org", "")
			tt.change(body)
			status, got := w.call(http.MethodPost, "/badges", body)
			if status != tt.want {
				t.Fatalf("status %d, want %d: %v", status, tt.want, got)
			}
			if status == http.StatusUnprocessableEntity {
				message, _ := got["data"].(map[string]any)["message"].(string)
				if !strings.HasPrefix(message, "Validation failed: ") || got["metadata"] == nil {
					t.Errorf("body %v", got)
				}
			}
		})
	}
}

func ids(got map[string]any) []string {
	var all []string
	for _, d := range got["data"].([]any) {
		all = append(all, d.(map[string]any)["id"].(string))
	}
	return all
}

func TestFiltersAndPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := w.Register("main@example.org", credlysim.Registration{FirstName: "Ada", LastName: "Example"}); err != nil {
		t.Fatal(err)
	}
	first := w.issue("main@example.org", "earner-1")
	for range 54 {
		w.clock.Advance(time.Minute)
		w.issue("p"+w.clock.Now().Format("1504")+"@example.org", "")
	}
	if err := w.Accept(first); err != nil {
		t.Fatal(err)
	}
	second := w.issue("second@example.org", "earner-2")
	if err := w.AddEmail("main@example.org", "second@example.org", true); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, filter string
		want         []string
		status       int
	}{
		{name: "address", filter: "recipient_email::MAIN@example.org", want: []string{first}},
		{name: "all addresses", filter: "recipient_email_all::second@example.org", want: []string{second, first}},
		{name: "earners", filter: "issuer_earner_id::earner-1,earner-2", want: []string{second, first}},
		{name: "two keys", filter: "issuer_earner_id::earner-1,earner-2|state::accepted,revoked", want: []string{first}},
		{name: "template", filter: "badge_template_id::" + w.tpl.ID + ",other|state::accepted", want: []string{first}},
		{name: "public", filter: "public::true", want: nil},
		{name: "expiring", filter: "expires_at_date_max::2030-01-01", want: nil},
		{name: "unknown key", filter: "recipient::x", status: http.StatusUnprocessableEntity},
		{name: "unknown state", filter: "state::expired", status: http.StatusUnprocessableEntity},
		{name: "one colon", filter: "state:pending", status: http.StatusUnprocessableEntity},
		{name: "bad bool", filter: "public::yes", status: http.StatusUnprocessableEntity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, got := w.call(http.MethodGet, "/badges?filter="+url.QueryEscape(tt.filter), nil)
			if tt.status != 0 {
				if status != tt.status {
					t.Errorf("status %d: %v", status, got)
				}
				return
			}
			if status != http.StatusOK || !slices.Equal(ids(got), tt.want) {
				t.Errorf("%d %v, want %v", status, ids(got), tt.want)
			}
		})
	}
	_, one := w.call(http.MethodGet, "/badges?sort=created_at&filter="+url.QueryEscape("state::pending,accepted"), nil)
	if all := ids(one); len(all) != 50 || all[0] != first {
		t.Errorf("first page has %d, starts with %s", len(all), all[0])
	}
	next, _ := one["metadata"].(map[string]any)["next_page_url"].(string)
	status, two := w.call(http.MethodGet, next, nil)
	if status != http.StatusOK || len(ids(two)) != 6 || two["metadata"].(map[string]any)["next_page_url"] != nil {
		t.Errorf("second page: %d %v", status, two["metadata"])
	}
	if !strings.HasPrefix(next, w.URL()+"/api/v1/") {
		t.Errorf("next page keeps the path prefix: %s", next)
	}
}

func TestReplaceRevokeDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	old := w.issue("typo@example.org", "earner-1")
	status, got := w.call(http.MethodPost, "/badges/"+old+"/replace", award(w.tpl.ID, "right@example.org", "earner-1"))
	if status != http.StatusCreated {
		t.Fatalf("replace: %d %v", status, got)
	}
	made := got["data"].(map[string]any)
	id := made["id"].(string)
	if made["replaces_badge_id"] != old || made["state"] != "pending" {
		t.Errorf("new badge: %v", made)
	}
	_, was := w.call(http.MethodGet, "/badges/"+old, nil)
	if d := was["data"].(map[string]any); d["replacement_badge_id"] != id || d["accept_badge_url"] != nil {
		t.Errorf("old badge: %v", d)
	}
	status, again := w.call(http.MethodPost, "/badges/"+old+"/replace", nil)
	if status != http.StatusUnprocessableEntity || again["metadata"].(map[string]any)["current_badge_id"] != id {
		t.Errorf("replace again: %d %v", status, again)
	}
	status, revoked := w.call(http.MethodPut, "/badges/"+id+"/revoke", map[string]any{"reason": "error", "suppress_revoke_notification_email": true})
	if status != http.StatusOK || revoked["data"].(map[string]any)["state"] != "revoked" {
		t.Errorf("revoke: %d %v", status, revoked)
	}
	if status, _ := w.call(http.MethodPut, "/badges/"+id+"/revoke", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("revoke twice: %d", status)
	}
	if status, _ := w.call(http.MethodDelete, "/badges/"+id, nil); status != http.StatusOK {
		t.Errorf("delete: %d", status)
	}
	if status, _ := w.call(http.MethodGet, "/badges/"+id, nil); status != http.StatusNotFound {
		t.Errorf("deleted: %d", status)
	}
	_, events := w.call(http.MethodGet, "/events", nil)
	text, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("right@example.org")) {
		t.Error("an event remembers an erased person")
	}
	w.SetSingleGet(http.StatusMethodNotAllowed)
	if status, _ := w.call(http.MethodGet, "/badges/"+old, nil); status != http.StatusMethodNotAllowed {
		t.Errorf("switched off: %d", status)
	}
}

func TestPeopleDecide(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if err := w.SetAutoAccept("ada@example.org", true); err == nil {
		t.Error("auto-accept for nobody")
	}
	first := w.issue("ada@example.org", "")
	created, _ := w.Badge(first)
	if err := w.Accept(first); err != nil {
		t.Fatal(err)
	}
	accepted, _ := w.Badge(first)
	if accepted.State != credlysim.StateAccepted || accepted.Public || accepted.AcceptURL != "" || !accepted.StateUpdatedAt.After(created.StateUpdatedAt) {
		t.Errorf("accepted: %+v", accepted)
	}
	if err := w.Reject(first); err == nil {
		t.Error("an accepted badge was rejected")
	}
	if err := w.SetPublic(first, true); err != nil {
		t.Fatal(err)
	}
	if err := w.SetAutoAccept("ada@example.org", true); err != nil {
		t.Fatal(err)
	}
	other := w.AddTemplate(credlysim.Template{Name: "Level C", ValidFor: 5 * 365 * 24 * time.Hour})
	_, got := w.call(http.MethodPost, "/badges", award(other.ID, "ada@example.org", ""))
	if d := got["data"].(map[string]any); d["state"] != "accepted" || d["expires_at"] == nil || d["user"] == nil {
		t.Errorf("auto-accepted: %v", d)
	}
	if _, err := w.Register("new@example.org", credlysim.Registration{Unconfirmed: true}); err != nil {
		t.Fatal(err)
	}
	second := w.issue("new@example.org", "")
	if err := w.Accept(second); err == nil {
		t.Error("an unconfirmed account accepted")
	}
	if err := w.ConfirmEmail("new@example.org"); err != nil {
		t.Fatal(err)
	}
	if err := w.Reject(second); err != nil {
		t.Fatal(err)
	}
	// Rejection is final, so the issuer may issue again.
	w.issue("new@example.org", "")
}
