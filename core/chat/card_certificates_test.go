package chat

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// keptOf is one of every kind, and two from elsewhere.
func keptOf(state core.ElsewhereState) core.Kept {
	k := core.Kept{At: noon, Provider: "Credly", Page: "page-token", Calendar: "calendar-token", Elsewhere: state}
	add := func(name string, v core.Validity, stage core.Stage, expires time.Time, days int) {
		n := len(k.Own) + 1
		k.Own = append(k.Own, core.Credential{
			ID: fmt.Sprintf("b%d", n), Name: name, Issuer: "Example Body", Certificate: core.Certificate{Number: fmt.Sprintf("EX-%d", n)},
			IssuedAt: noon.AddDate(-1, 0, 0), ExpiresAt: expires, Validity: v, Stage: stage, Days: days,
		})
	}
	add("Expires soon", core.ValidityExpiring, core.StagePublic, noon.AddDate(0, 0, 30), 30)
	add("Expires tomorrow", core.ValidityExpiring, core.StagePublic, noon.AddDate(0, 0, 1), 1)
	add("Expires today", core.ValidityExpiring, core.StageAccepted, noon.Add(time.Hour), 0)
	add("Expired", core.ValidityExpired, core.StageAccepted, noon.AddDate(0, 0, -40), 40)
	add("Expired today", core.ValidityExpired, core.StagePublic, noon, 0)
	add("Valid", core.ValidityValid, core.StagePublic, noon.AddDate(4, 0, 0), 1461)
	add("Lasting", core.ValidityLasting, core.StageAccepted, time.Time{}, 0)
	add("Renewed", core.ValidityExpired, core.StagePublic, noon.AddDate(0, 0, -400), 400)
	k.Own[7].Renewed = true
	add("Waiting", core.ValidityWaiting, core.StagePending, noon.AddDate(5, 0, 0), 1826)
	add("", core.ValidityUnknown, core.StageUnknown, time.Time{}, 0)
	k.Own[9].Certificate.Number, k.Own[9].IssuedAt = "", time.Time{}
	add("Replaced", core.ValidityReplaced, core.StageReplaced, noon.AddDate(1, 0, 0), 365)
	k.Own[10].Successor = "Valid"
	add("Replaced by something unknown", core.ValidityReplaced, core.StageReplaced, time.Time{}, 0)
	add("Declined", core.ValidityDeclined, core.StageRejected, time.Time{}, 0)
	add("Taken back", core.ValidityRevoked, core.StageRevoked, time.Time{}, 0)
	if state == core.ElsewhereListed {
		k.Others = []core.Credential{
			{ID: "e1", Name: "Cloud", Issuer: "Academy", Validity: core.ValidityValid, ExpiresAt: noon.AddDate(1, 0, 0), Days: 365, Elsewhere: true},
			{ID: "e2", Name: "資格", Validity: core.ValidityLasting, Elsewhere: true},
		}
	}
	return k
}

func goldenCertificates(t *testing.T, c *Composer, w Words, put func(name, text string)) {
	t.Helper()
	for page := 1; page <= 4; page++ {
		card := c.certificatesCard(w, keptOf(core.ElsewhereListed), reads.Identity, page)
		if len(card.Items) > pageSize || len(card.Buttons) > 10 {
			t.Errorf("%d rows, %d buttons", len(card.Items), len(card.Buttons))
		}
		put(fmt.Sprintf("certificates, page %d", page), readable(card))
	}
	for _, state := range []core.ElsewhereState{core.ElsewhereOff, core.ElsewhereHidden, core.ElsewhereUnread, core.ElsewhereNone} {
		k := keptOf(state)
		k.Own = k.Own[5:6]
		put("certificates, elsewhere "+string(state), readable(c.certificatesCard(w, k, reads.Identity, 1)))
	}
	nothing := core.Kept{At: noon, Page: "page-token", Elsewhere: core.ElsewhereListed}
	put("certificates, nothing", readable(c.certificatesCard(w, nothing, reads.Identity, 1)))
}

// A page that does not exist shows the nearest one.
func TestCertificatePagesOutOfRange(t *testing.T) {
	t.Parallel()
	c := goldenComposer(t, nil)
	w := c.Catalog.For("en")
	show := func(page int) string {
		return readable(c.certificatesCard(w, keptOf(core.ElsewhereListed), reads.Identity, page))
	}
	for page, like := range map[int]int{0: 1, -7: 1, 5: 4, 1 << 60: 4, -1 << 60: 1} {
		if show(page) != show(like) {
			t.Errorf("page %d is not page %d", page, like)
		}
	}
}

// Every way of standing has a word and advice in every language, and none
// claims what only the issuer knows.
func TestAdvice(t *testing.T) {
	t.Parallel()
	c := goldenComposer(t, nil)
	for _, lang := range goldenLangs {
		w := c.Catalog.For(lang)
		for _, v := range core.AllValidities() {
			for _, days := range []int{0, 1, 90} {
				for _, renewed := range []bool{false, true} {
					one := core.Credential{Validity: v, Days: days, Renewed: renewed && v == core.ValidityExpired, Successor: "Other"}
					text := w.Advice(one).String()
					if text == "" || strings.Contains(text, "certificates.") || strings.Contains(text, "{{") || strings.Contains(w.Validity(v), ".") {
						t.Errorf("%s, %s, %d days: %q, %q", lang, v, days, text, w.Validity(v))
					}
					for _, claim := range []string{"recertif", "Rezertif", "fee", "Gebühr", "exam", "year", "Jahr", "año"} {
						if strings.Contains(strings.ToLower(text), strings.ToLower(claim)) {
							t.Errorf("%s, %s: claims %q: %q", lang, v, claim, text)
						}
					}
				}
			}
		}
	}
	day := time.Date(2027, 3, 1, 0, 30, 0, 0, time.FixedZone("", 3600))
	for lang, want := range map[string]string{"en": "28 Feb 2027", "de": "28. Feb. 2027", "es": "28 feb 2027"} {
		if got := c.Catalog.For(lang).Date(day); got != want {
			t.Errorf("%s: %q", lang, got)
		}
	}
}
