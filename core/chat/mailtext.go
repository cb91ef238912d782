package chat

import (
	"context"
	"fmt"
	"html/template"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// ComposeMail makes the mail that brings a code. [ErrNothing] when the code is
// of no use any more.
func (c *Composer) ComposeMail(ctx context.Context, verificationID string, code core.Secret) (core.Mail, error) {
	v, err := c.Store.Verification(ctx, verificationID)
	if err != nil {
		return core.Mail{}, fmt.Errorf("compose mail: %w", err)
	}
	if v.State != core.VerificationOpen || v.Dead(c.Clock.Now()) {
		return core.Mail{}, ErrNothing
	}
	token, err := c.Keys.Token(core.PurposeEmail, v.ID)
	if err != nil {
		return core.Mail{}, fmt.Errorf("compose mail: %w", err)
	}
	w := c.Catalog.For(v.Account.Locale)
	link := c.PublicURL + "/e/" + token
	args := Args{
		"Minutes":  int(core.CodeTTL.Minutes()),
		"Platform": w.Plain("platform."+string(v.Account.Identity.Platform), nil),
	}
	// Digits in two groups are easier to carry over by eye.
	shown := code.Reveal()
	if len(shown) == core.CodeDigits {
		shown = shown[:core.CodeDigits/2] + " " + shown[core.CodeDigits/2:]
	}
	parts := mailParts{
		Lang: w.Lang(), Title: w.Plain("mail.title", args), Intro: w.Plain("mail.intro", args),
		Code: shown, Link: link, Button: w.Plain("mail.button", args), Or: w.Plain("mail.or", args),
		Ends: w.Plain("mail.ends", args), Ignore: w.Plain("mail.ignore", args),
	}
	var html strings.Builder
	if err := mailPage.Execute(&html, parts); err != nil {
		return core.Mail{}, fmt.Errorf("compose mail: %w", err)
	}
	text := strings.Join([]string{
		parts.Title, parts.Intro, "    " + parts.Code, parts.Or + "\n" + link, parts.Ends, parts.Ignore,
	}, "\n\n") + "\n"
	return core.Mail{
		ID: v.ID, To: v.Email, Locale: w.Lang(), Subject: w.Plain("mail.subject", args), Text: text, HTML: html.String(),
	}, nil
}

type mailParts struct {
	Lang, Title, Intro, Code, Link, Button, Or, Ends, Ignore string
}

// mailPage uses tables and inline styles only, which is what mail programs
// understand, and no picture from outside.
var mailPage = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{{.Title}}</title></head>
<body style="margin:0;padding:24px;background:#f4f6f5;font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;color:#1c2b26">
<table role="presentation" width="100%" cellspacing="0" cellpadding="0"><tr><td align="center">
<table role="presentation" width="100%" cellspacing="0" cellpadding="0" style="max-width:480px;background:#ffffff;border-radius:12px;border:1px solid #dfe6e2">
<tr><td style="padding:32px 32px 8px"><h1 style="margin:0 0 12px;font-size:20px;line-height:1.3">{{.Title}}</h1>
<p style="margin:0;font-size:16px;line-height:1.5">{{.Intro}}</p></td></tr>
<tr><td align="center" style="padding:16px 32px"><p style="margin:0;padding:16px;background:#eef5f1;border-radius:8px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:30px;letter-spacing:3px;font-weight:600">{{.Code}}</p></td></tr>
<tr><td style="padding:0 32px 8px"><p style="margin:0 0 12px;font-size:16px;line-height:1.5">{{.Or}}</p>
<p style="margin:0"><a href="{{.Link}}" style="display:inline-block;padding:12px 20px;background:#1f6f4f;border-radius:8px;color:#ffffff;font-size:16px;font-weight:600;text-decoration:none">{{.Button}}</a></p></td></tr>
<tr><td style="padding:16px 32px 32px;font-size:14px;line-height:1.5;color:#51625b"><p style="margin:0 0 8px">{{.Ends}}</p><p style="margin:0">{{.Ignore}}</p></td></tr>
</table></td></tr></table></body></html>
`))
