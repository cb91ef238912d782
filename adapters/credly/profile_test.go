package credly

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// shownBadge is a badge as a public profile has it.
func shownBadge(id, name, issuer, organization, expires string) string {
	return fmt.Sprintf(`{"id":%q,"state":"accepted","public":true,"issued_at":"2024-01-07T00:00:00.000Z","issued_at_date":"2024-01-07",
		"expires_at":null,"expires_at_date":%s,"issued_to":"Ada Example","earner_path":"/users/ada-example",
		"issuer":{"summary":"issued by X","entities":[{"label":"Issued by","primary":true,"entity":{"type":"Organization","id":%q,"name":%q}}]},
		"badge_template":{"id":"t","name":%q,"url":"https://www.credly.com/org/x"}}`, id, expires, organization, issuer, name)
}

// owns lets the API tell of an account with a profile.
func (a *api) owns(address, user, page string) {
	a.on("GET /badges?recipient_email_all::"+address, many(badge(a.t, map[string]any{"user": map[string]any{"id": user, "url": page}})))
}

func ask(a *api, addresses ...string) ([]core.Earned, bool, error) {
	var all []core.Email
	for _, s := range addresses {
		all = append(all, core.Email{Shown: s, Normal: s})
	}
	return a.client.Earned(a.t.Context(), all)
}

func TestEarned(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	profile := a.server.URL + "/users/ada-example.1a2b"
	a.owns("ada@example.org", "u1", profile)
	a.owns("ada@example.com", "u1", profile)
	a.on("GET /users/ada-example.1a2b/badges.json?page=1", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("credentials were sent to a public page")
		}
		ok(`{"data":[`+shownBadge("b1", "Cloud", "Academy", "o1", `"2027-01-07"`)+`,`+shownBadge("b2", "Level B", "Own", testOrganization, "null")+
			`,{"id":"b3","state":"revoked","badge_template":{"name":"Gone"}},{"id":["x"]},{"id":"b4"},7],"metadata":{"total_pages":2}}`)(w, r)
	})
	a.on("GET /users/ada-example.1a2b/badges.json?page=2", ok(`{"data":[{"id":"b5","badge_template":{"name":"資格","issuer":{"entities":[{"entity":{"name":"学院"}}]}}}],"metadata":{"total_pages":2}}`))
	found, hidden, err := ask(a, "ada@example.org", "ada@example.com")
	if err != nil || hidden || len(found) != 3 {
		t.Fatalf("%+v, %t, %v", found, hidden, err)
	}
	want := core.Earned{
		ID: "b1", Name: "Cloud", Issuer: "Academy", IssuedAt: time.Date(2024, 1, 7, 0, 0, 0, 0, time.UTC),
		ExpiresAt: time.Date(2027, 1, 7, 0, 0, 0, 0, time.UTC), PageURL: a.server.URL + "/badges/b1",
	}
	if found[0] != want || !found[1].Own || found[2].Name != "資格" || found[2].Issuer != "学院" || !found[2].ExpiresAt.IsZero() {
		t.Errorf("%+v", found)
	}
	if n := len(a.requests()); n != 4 {
		t.Errorf("%d requests", n)
	}
	// For some minutes it is remembered; then it is read again.
	for range 3 {
		if again, _, err := ask(a, "ada@example.org", "ada@example.com"); err != nil || len(again) != 3 {
			t.Errorf("%+v, %v", again, err)
		}
	}
	if n := len(a.requests()); n != 0 {
		t.Errorf("%d more requests", n)
	}
	a.clock.advance(profileFor)
	if _, _, err := ask(a, "ada@example.org", "ada@example.com"); err != nil || len(a.requests()) != 4 {
		t.Errorf("not read again: %v", err)
	}
}

// What a profile may answer, and what then is listed.
func TestEarnedIsTolerant(t *testing.T) {
	t.Parallel()
	huge := `{"data":[{"id":"b1","badge_template":{"name":"` + strings.Repeat("x", maxProfileAnswer) + `"}}]}`
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		n      int
		hidden bool
		fails  bool
	}{
		"private":      {status(http.StatusNotFound, `<html>`), 0, true, false},
		"forbidden":    {status(http.StatusForbidden, ``), 0, true, false},
		"broken":       {status(http.StatusInternalServerError, ``), 0, false, true},
		"sent away":    {status(http.StatusFound, ``, "Location", "https://evil.example.com/"), 0, false, true},
		"no JSON":      {ok(`<html>`), 0, false, true},
		"no list":      {ok(`{"data":{"id":"b1"}}`), 0, false, true},
		"nothing":      {ok(`{}`), 0, false, false},
		"null":         {ok(`{"data":null,"metadata":null}`), 0, false, false},
		"wrong types":  {ok(`{"data":[{"id":{},"badge_template":[]},{"id":"a b","badge_template":{"name":"x"}},{"id":"b","issuer":"x","badge_template":{"name":7}},null,"x",[]],"metadata":{"total_pages":{}}}`), 1, false, false},
		"no pages":     {ok(`{"data":[` + shownBadge("b1", "A", "B", "o", "null") + `]}`), 1, false, false},
		"odd dates":    {ok(`{"data":[{"id":"b1","issued_at":7,"expires_at_date":"soon","badge_template":{"name":"A"}}]}`), 1, false, false},
		"long name":    {ok(`{"data":[{"id":"b1","badge_template":{"name":"` + strings.Repeat("ß", 5000) + `"}}]}`), 1, false, false},
		"endless list": {ok(`{"data":[` + shownBadge("b1", "A", "B", "o", "null") + `],"metadata":{"total_pages":1000000}}`), maxProfilePages, false, false},
		"too large":    {ok(huge), 0, false, true},
	} {
		a := newAPI(t, nil)
		a.owns("ada@example.org", "u1", a.server.URL+"/users/ada")
		for page := 1; page <= maxProfilePages+1; page++ {
			a.on(fmt.Sprintf("GET /users/ada/badges.json?page=%d", page), tt.answer)
		}
		found, hidden, err := ask(a, "ada@example.org")
		if len(found) != tt.n || hidden != tt.hidden || (err != nil) != tt.fails {
			t.Errorf("%s: %d badges, hidden %t, %v", name, len(found), hidden, err)
		}
		for _, f := range found {
			if len([]rune(f.Name)) > maxProfileText || f.Name == "" {
				t.Errorf("%s: name of %d characters", name, len(f.Name))
			}
		}
		// What came of it is remembered, whatever it is; failures for a shorter
		// while. Who asks all the time asks Credly for nothing.
		a.requests()
		for range 3 {
			again, hidden, err := ask(a, "ada@example.org")
			if len(again) != tt.n || hidden != tt.hidden || (err != nil) != tt.fails {
				t.Errorf("%s: then %d badges, hidden %t, %v", name, len(again), hidden, err)
			}
		}
		if n := len(a.requests()); n != 0 {
			t.Errorf("%s: %d requests more", name, n)
		}
		for _, step := range []struct {
			after time.Duration
			asks  bool
		}{{failureFor, tt.fails}, {profileFor, true}} {
			a.clock.advance(step.after)
			_, _, _ = ask(a, "ada@example.org")
			if asks := len(a.requests()) > 0; asks != step.asks {
				t.Errorf("%s: after %s asked again %t", name, step.after, asks)
			}
		}
	}
}

// Many who ask at the same time make Credly answer once.
func TestEarnedAtOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.owns("ada@example.org", "u1", a.server.URL+"/users/ada")
	began, hold := make(chan struct{}, 9), make(chan struct{})
	a.on("GET /users/ada/badges.json?page=1", func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-hold
		ok(`{"data":[`+shownBadge("b1", "A", "B", "o", "null")+`]}`)(w, r)
	})
	found := make(chan int)
	for range 8 {
		go func() {
			all, _, _ := ask(a, "ada@example.org")
			found <- len(all)
		}()
	}
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := a.client.Earned(ctx, []core.Email{{Shown: "ada@example.org", Normal: "ada@example.org"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("who does not want to wait: %v", err)
	}
	close(hold)
	for range 8 {
		if n := <-found; n != 1 {
			t.Errorf("%d badges", n)
		}
	}
	if n := len(a.requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// Only who is named by an address of the person's own is the person: if the
// filter were ignored, the list would begin with somebody else's badges.
func TestEarnedOfAStranger(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		recipient, email any
		n                int
	}{
		"nobody's":                      {"eve@example.org", "eve@example.com", 0},
		"none named":                    {nil, nil, 0},
		"hidden":                        {"*****", "46cd20e3@example.com", 0},
		"the recipient, written so":     {"ADA@Example.org", "eve@example.com", 1},
		"another address of the person": {"ada@example.com", nil, 1},
		"the user":                      {"eve@example.org", "Ada <ada@example.org>", 0},
		"the user's address":            {"eve@example.org", " Ada@EXAMPLE.ORG ", 1},
	} {
		a := newAPI(t, nil)
		a.on("GET /badges?recipient_email_all::ada@example.org", many(badge(t, map[string]any{
			"recipient_email": tt.recipient, "user": map[string]any{"id": "u1", "url": a.server.URL + "/users/somebody", "email": tt.email},
		})))
		a.on("GET /badges?recipient_email_all::ada@example.com", many())
		a.on("GET /users/somebody/badges.json?page=1", ok(`{"data":[`+shownBadge("b1", "A", "B", "o", "null")+`]}`))
		found, hidden, err := ask(a, "ada@example.org", "ada@example.com")
		if err != nil || hidden || len(found) != tt.n {
			t.Errorf("%s: %d badges, hidden %t, %v", name, len(found), hidden, err)
		}
	}
}

// A list that has no end is not read to its end.
func TestEarnedLooksNotFar(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	endless := func(w http.ResponseWriter, r *http.Request) {
		one := badge(t, map[string]any{"recipient_email": "eve@example.org", "user": map[string]any{"id": "u1", "url": a.server.URL + "/users/eve"}})
		ok(`{"data":[`+one+`],"metadata":{"next_page_url":"`+a.server.URL+r.URL.String()+`"}}`)(w, r)
	}
	a.on("GET /badges?recipient_email_all::ada@example.org", endless)
	if found, hidden, err := ask(a, "ada@example.org"); err != nil || hidden || len(found) != 0 {
		t.Errorf("%v, %t, %v", found, hidden, err)
	}
	if n := len(a.requests()); n != maxOwnerPages {
		t.Errorf("%d requests", n)
	}
}

// Only the page of a profile at Credly is followed, and no credentials travel.
func TestProfileAddresses(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	for page, want := range map[string]string{
		"https://www.credly.com/users/ada-example.1a2b": "https://www.credly.com/users/ada-example.1a2b/badges.json",
		a.server.URL + "/users/ada":                     a.server.URL + "/users/ada/badges.json",
		"https://evil.example.com/users/ada":            "", "http://www.credly.com/users/ada": "", "https://www.credly.com/users/": "",
		"https://www.credly.com/users/a/b": "", "https://www.credly.com/users/..": "", "https://www.credly.com/users/%2e%2e": "",
		"https://www.credly.com/org/x": "", "https://www.credly.com/users/a?x=1": "https://www.credly.com/users/a/badges.json",
		"https://www.credly.com@evil.example.com/users/ada": "", "https://www.credly.com/users/a%2fb": "", "": "",
		"https://www.credly.com/users/" + strings.Repeat("a", 300): "",
	} {
		if got := a.client.profileAddress(page); got != want {
			t.Errorf("%q: %q", page, got)
		}
	}
	a.owns("ada@example.org", "u1", "https://evil.example.com/users/ada")
	if found, hidden, err := ask(a, "ada@example.org"); err != nil || hidden || found != nil {
		t.Errorf("%v, %t, %v", found, hidden, err)
	}
	if n := len(a.requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestEarnedOfNobody(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.on("GET /badges?recipient_email_all::none@example.org", many())
	a.on("GET /badges?recipient_email_all::new@example.org", many(badge(t, map[string]any{"user": nil})))
	two := func(user string) string {
		return badge(t, map[string]any{"user": map[string]any{"id": user, "url": a.server.URL + "/users/" + user}})
	}
	// Badges of several people mean that the filter was not understood.
	a.on("GET /badges?recipient_email_all::odd@example.org", many(two("u1"), two("u2")))
	a.on("GET /badges?recipient_email_all::old@example.org", refusal("unknown filter"))
	for _, address := range []string{"none@example.org", "new@example.org", "odd@example.org", "old@example.org", "a,b@example.org"} {
		if found, hidden, err := ask(a, address); err != nil || hidden || len(found) != 0 {
			t.Errorf("%s: %v, %t, %v", address, found, hidden, err)
		}
	}
	a.on("GET /badges?recipient_email_all::away@example.org", status(http.StatusInternalServerError, ``))
	if _, _, err := ask(a, "away@example.org"); err == nil || strings.Contains(err.Error(), "away@") {
		t.Errorf("error %v", err)
	}
	// Somebody with many addresses is not looked for without end.
	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprintf("a%d@example.org", i))
	}
	a.requests()
	_, _, _ = ask(a, many...)
	if n := len(a.requests()); n > maxAsked {
		t.Errorf("%d requests", n)
	}
}

func TestAssertion(t *testing.T) {
	t.Parallel()
	const path = "GET /v1/obi/v2/badge_assertions/" + testBadge
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   error
		any    bool
	}{
		"served":    {ok(`{"type":"Assertion","id":"x"}`), nil, false},
		"private":   {status(http.StatusNotFound, `{"message":"resource not found"}`), core.ErrNoSuchBadge, false},
		"revoked":   {status(http.StatusGone, `{"revoked":true}`), core.ErrNoSuchBadge, false},
		"withdrawn": {ok(`{"id":"x","revoked": true}`), core.ErrNoSuchBadge, false},
		"no JSON":   {ok(`<html>`), core.ErrNoSuchBadge, false},
		"a list":    {ok(`[]`), core.ErrNoSuchBadge, false},
		"too large": {ok(`{"x":"` + strings.Repeat("x", maxAssertion) + `"}`), core.ErrTooLarge, false},
		"busy":      {status(http.StatusTooManyRequests, ``), nil, true},
		"broken":    {status(http.StatusBadGateway, ``), nil, true},
		"elsewhere": {status(http.StatusFound, ``, "Location", "https://evil.example.com/"), nil, true},
	} {
		a := newAPI(t, nil)
		a.on(path, tt.answer)
		body, err := a.client.Assertion(t.Context(), testBadge)
		switch {
		case tt.any:
			if err == nil || errors.Is(err, core.ErrNoSuchBadge) || errors.Is(err, core.ErrTooLarge) {
				t.Errorf("%s: %v", name, err)
			}
		case !errors.Is(err, tt.want) || (body != nil) != (tt.want == nil):
			t.Errorf("%s: %q, %v", name, body, err)
		}
	}
	a := newAPI(t, nil)
	if _, err := a.client.Assertion(t.Context(), "../../x"); !errors.Is(err, core.ErrNoSuchBadge) || len(a.requests()) != 0 {
		t.Errorf("asked for a forged id: %v", err)
	}
}
