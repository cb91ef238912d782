package chat

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func TestMails(t *testing.T) {
	t.Parallel()
	const code = core.Secret("40718293")
	for _, lang := range goldenLangs {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			v := core.Verification{
				ID: verificationID, State: core.VerificationOpen, ExpiresAt: noon.Add(core.CodeTTL),
				Email:   core.Email{Shown: "Ada@Example.org", Normal: "ada@example.org"},
				Account: core.Account{Locale: lang, Identity: core.Identity{Platform: "discord", User: "1"}, DisplayName: "<b>x</b>"},
			}
			mail, err := goldenComposer(t, &shelf{proof: v}).ComposeMail(t.Context(), verificationID, code)
			if err != nil {
				t.Fatal(err)
			}
			if mail.ID != v.ID || mail.To != v.Email || mail.Locale != lang {
				t.Errorf("mail %+v", mail)
			}
			// A subject is read on locked screens.
			if strings.ContainsAny(mail.Subject, "0123456789") {
				t.Errorf("the subject tells %q", mail.Subject)
			}
			for _, part := range []string{mail.Text, mail.HTML} {
				if !strings.Contains(part, "4071 8293") || !strings.Contains(part, "https://laurel.example.org/e/") || strings.Contains(part, "Ada@Example.org") {
					t.Errorf("part: %s", part)
				}
			}
			if strings.Contains(mail.HTML, "<img") || strings.Contains(mail.HTML, "<script") {
				t.Error("the mail loads something from outside")
			}
			golden(t, "mail."+lang+".txt", "subject: "+mail.Subject+"\n\n"+mail.Text)
			golden(t, "mail."+lang+".html", mail.HTML)
		})
	}
}

func TestMailsOfNoUse(t *testing.T) {
	t.Parallel()
	open := core.Verification{ID: verificationID, State: core.VerificationOpen, ExpiresAt: noon.Add(time.Minute)}
	with := func(f func(*core.Verification)) *shelf {
		v := open
		f(&v)
		return &shelf{proof: v}
	}
	for name, tt := range map[string]struct {
		store *shelf
		want  error
	}{
		"used":      {with(func(v *core.Verification) { v.State = core.VerificationUsed }), ErrNothing},
		"limited":   {with(func(v *core.Verification) { v.State = core.VerificationLimited }), ErrNothing},
		"expired":   {with(func(v *core.Verification) { v.ExpiresAt = noon }), ErrNothing},
		"gone":      {&shelf{failure: core.ErrNotFound}, core.ErrNotFound},
		"away":      {&shelf{failure: core.ErrUnavailable}, core.ErrUnavailable},
		"malformed": {with(func(v *core.Verification) { v.ID = "no id" }), nil},
	} {
		mail, err := goldenComposer(t, tt.store).ComposeMail(t.Context(), verificationID, "12345678")
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || mail.Text != "" {
			t.Errorf("%s: %+v, %v", name, mail, err)
		}
	}
}
