package credlysim_test

import (
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/credlysim"
)

func (w *world) page(method, target string, form url.Values) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, target, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestAcceptInTheBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id := w.issue("ada@example.org", "")
	b, _ := w.Badge(id)
	status, page := w.page(http.MethodGet, b.AcceptURL, nil)
	if status != http.StatusOK || !strings.Contains(page, `value="ada@example.org"`) || !strings.Contains(page, "Project Manager Level B") {
		t.Fatalf("accept page: %d %s", status, page)
	}
	if status, _ := w.page(http.MethodPost, b.AcceptURL+"/accept", url.Values{"as": {"ada@example.org"}}); status != http.StatusForbidden {
		t.Errorf("accepted without an account: %d", status)
	}
	if status, _ := w.page(http.MethodPost, b.AcceptURL+"/login", url.Values{"email": {"ada@example.org"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("logged in without an account: %d", status)
	}
	// A wrong address is the common mistake: the page shows the way out.
	status, page = w.page(http.MethodPost, b.AcceptURL+"/register", url.Values{"email": {"private@example.org"}, "first_name": {"Ada"}, "last_name": {"Example"}})
	if status != http.StatusOK || !strings.Contains(page, "sent to another address") {
		t.Errorf("foreign account: %d %s", status, page)
	}
	status, page = w.page(http.MethodPost, b.AcceptURL+"/add-address", url.Values{"as": {"private@example.org"}})
	if status != http.StatusOK || !strings.Contains(page, `id="accept"`) || !strings.Contains(page, `id="auto-accept"`) {
		t.Errorf("address added: %d %s", status, page)
	}
	status, page = w.page(http.MethodPost, b.AcceptURL+"/accept", url.Values{"as": {"private@example.org"}, "auto_accept": {"on"}})
	if status != http.StatusOK || !strings.Contains(page, "Make public") {
		t.Errorf("accepted: %d %s", status, page)
	}
	if a, _ := w.Account("ada@example.org"); !a.AutoAccept || len(a.Addresses) != 2 {
		t.Errorf("account: %+v", a)
	}
	if status, _ := w.page(http.MethodGet, b.PublicURL, nil); status != http.StatusNotFound {
		t.Errorf("private badge page: %d", status)
	}
	status, page = w.page(http.MethodPost, w.URL()+"/dashboard/visibility", url.Values{"email": {"ada@example.org"}, "badge": {id}, "public": {"true"}})
	if status != http.StatusOK || !strings.Contains(page, "Make private") {
		t.Errorf("made public: %d %s", status, page)
	}
	if status, _ := w.page(http.MethodGet, b.PublicURL, nil); status != http.StatusOK {
		t.Errorf("public badge page: %d", status)
	}
	if status, page := w.page(http.MethodGet, w.URL()+"/images/"+w.tpl.ID+".svg", nil); status != http.StatusOK || !strings.Contains(page, "PML") {
		t.Errorf("image: %d %s", status, page)
	}
	status, picture := w.page(http.MethodGet, w.URL()+"/images/"+w.tpl.ID+".png", nil)
	if img, err := png.Decode(strings.NewReader(picture)); status != http.StatusOK || err != nil || img.Bounds().Dx() != 200 {
		t.Errorf("PNG: %d, %v", status, err)
	}
	a, _ := w.Account("ada@example.org")
	for _, path := range []string{"/users/" + a.Slug, "/users/" + a.Slug + "/edit", "/dashboard?email=ada@example.org", "/"} {
		if status, _ := w.page(http.MethodGet, w.URL()+path, nil); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := w.page(http.MethodPost, b.AcceptURL+"/reject", url.Values{"as": {"ada@example.org"}}); status != http.StatusGone {
		t.Errorf("rejected after accepting: %d", status)
	}
}

func TestPagesEscape(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tpl = w.AddTemplate(credlysim.Template{Name: `<script>alert("x")</script>`})
	id := w.issue("ada@example.org", "")
	b, _ := w.Badge(id)
	for _, target := range []string{b.AcceptURL, w.URL() + "/images/" + w.tpl.ID + ".svg"} {
		if _, page := w.page(http.MethodGet, target, nil); strings.Contains(page, "<script>") {
			t.Errorf("%s does not escape", target)
		}
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id := w.issue("ada@example.org", "")
	console := httptest.NewServer(http.StripPrefix("/credly", w.ConsoleHandler()))
	t.Cleanup(console.Close)
	if status, got := w.request(http.MethodPost, console.URL+"/credly/actions/accept", "", map[string]any{"badge_id": id}); status != http.StatusOK {
		t.Errorf("accept: %d %v", status, got)
	}
	if status, _ := w.request(http.MethodPost, console.URL+"/credly/actions/dance", "", map[string]any{}); status != http.StatusUnprocessableEntity {
		t.Errorf("unknown action: %d", status)
	}
	if status, _ := w.page(http.MethodPost, console.URL+"/credly/actions/accept", url.Values{"badge_id": {id}}); status != http.StatusUnsupportedMediaType {
		t.Errorf("a form of another page was taken: %d", status)
	}
	status, got := w.request(http.MethodGet, console.URL+"/credly/state", "", nil)
	if status != http.StatusOK {
		t.Fatalf("state: %d", status)
	}
	data, err := json.Marshal(got["badges"])
	if err != nil {
		t.Fatal(err)
	}
	var badges []credlysim.Badge
	if err := json.Unmarshal(data, &badges); err != nil || len(badges) != 1 || badges[0].State != credlysim.StateAccepted {
		t.Errorf("badges %+v: %v", badges, err)
	}
}

// The pages that only an earner sees lead to their own dashboard.
func TestEarnerPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id := w.issue("ada@example.org", "")
	if err := w.Accept(id); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) (string, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL()+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Jar: jar}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.Request.URL.Path, string(body)
	}
	pages := []string{"/earner/dashboard", "/earner/earned/badge/" + id, "/earner/earned/badge/unknown"}
	for _, page := range pages {
		if at, body := get(page); at != page || !strings.Contains(body, "Log in") {
			t.Errorf("%s leads to %s", page, at)
		}
	}
	get("/dashboard?email=ada%40example.org")
	for _, page := range pages {
		if at, body := get(page); at != "/dashboard" || !strings.Contains(body, "Make public") {
			t.Errorf("%s leads to %s", page, at)
		}
	}
}
