package chat

import (
	"strconv"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Date is a day as people write it, in UTC, e.g. "2 Nov 2026".
func (w Words) Date(t time.Time) string {
	t = t.UTC()
	return w.Plain("date.day", Args{
		"Day": t.Day(), "Month": w.Plain("date.month."+strconv.Itoa(int(t.Month())), nil), "Year": t.Year(),
	})
}

// Validity says in a word or two how a certificate stands.
func (w Words) Validity(v core.Validity) string {
	return w.Plain("certificates.validity."+string(v), nil)
}

// Advice says what a person can do about a certificate, by how it stands and
// by the time. It claims nothing that its issuer did not say: how it is
// renewed, and whether, only the issuer knows.
func (w Words) Advice(c core.Credential) Text {
	id, args := string(c.Validity), Args{"Count": c.Days}
	switch {
	case c.Validity == core.ValidityExpiring && c.Days == 0:
		id = "today"
	case c.Renewed:
		id = "renewed"
	case c.Validity == core.ValidityExpired && c.Days == 0:
		id = "over"
	case c.Validity == core.ValidityReplaced && c.Successor != "":
		id, args["Badge"] = "replaced_by", clip(c.Successor, maxShownName)
	}
	return w.Text("certificates.advice."+id, args)
}

// CredentialName is a certificate's name, or the words for one without.
func (w Words) CredentialName(c core.Credential) string {
	if c.Name != "" {
		return c.Name
	}
	return w.Plain("badge.unnamed", nil)
}
