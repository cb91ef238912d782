package web

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/laurelbot/laurel/core"
)

func TestBrowserVerify(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	t.Run("pages", func(t *testing.T) { verdictsAreShown(t, browser) })
	t.Run("for everybody", func(t *testing.T) { verifyingIsForEverybody(t, browser) })
}

// sees waits for a verdict.
func sees(t *testing.T, ctx context.Context, status core.VerdictStatus) {
	t.Helper()
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS(fmt.Sprintf(".verdict[data-status=%q]", status))))
	checkLayout(t, ctx)
}

func verdictsAreShown(t *testing.T, browser context.Context) {
	s, base, _ := serve(t)
	s.verifier.png = drawn(t)
	file := filepath.Join(t.TempDir(), "badge.png")
	if err := os.WriteFile(file, drawn(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, l := range []look{{390, 844, true, true}, {1280, 900, false, false}} {
		name := fmt.Sprintf("verify-%d-dark=%t-script=%t", l.width, l.dark, l.script)
		ctx := tab(t, browser, l, base, "data:")
		visit(t, ctx, base+"/verify?badge="+testLink, "#go", name)
		s.verifier.become(someVerdict())
		do(t, ctx, chromedp.Click(chromedp.CSS("#go")))
		sees(t, ctx, core.VerdictGenuine)
		if loaded := ask(t, ctx, chromedp.Evaluate[bool](`(() => { const i = document.querySelector(".badge img"); return i.complete && i.naturalWidth > 0; })()`)); !loaded {
			t.Error("the picture is not shown")
		}
		shoot(t, ctx, name+"-genuine")
		s.verifier.become(hostile())
		do(t, ctx, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}), chromedp.Click(chromedp.CSS("#go")))
		sees(t, ctx, hostile().Status)
		shoot(t, ctx, name+"-hostile")
		do(t, ctx, chromedp.Navigate(base+"/verify"), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#wrong")))
		if last := s.verifier.last(); string(last.File) != string(drawn(t)) {
			t.Errorf("the file arrived with %d bytes", len(last.File))
		}
	}
	if strings.Contains(s.log.String(), "credly") {
		t.Errorf("log: %s", s.log)
	}
}

// By the keyboard alone, and for those who do not see.
func verifyingIsForEverybody(t *testing.T, browser context.Context) {
	s, base, _ := serve(t)
	s.verifier.png = drawn(t)
	ctx := tab(t, browser, look{390, 844, false, true}, base, "data:")
	do(t, ctx, chromedp.Navigate(base+"/verify"), chromedp.WaitVisible(heading))
	accessible(t, ctx, "the form")
	dark(t, ctx, false)
	for i := 0; ask(t, ctx, chromedp.Evaluate[string](`document.activeElement.id`)) != "badge"; i++ {
		if do(t, ctx, chromedp.KeyEvent(kb.Tab)); i > 4 {
			t.Fatal("the field is not reached")
		}
	}
	do(t, ctx, chromedp.KeyEvent(testLink), chromedp.KeyEvent(kb.Enter))
	sees(t, ctx, core.VerdictGenuine)
	for _, status := range []core.VerdictStatus{core.VerdictGenuine, core.VerdictRevoked, core.VerdictIssuerNotConfirmed, core.VerdictUnreachable} {
		v := someVerdict()
		v.Status, v.Reason, v.Issuer.Confirmed = status, "because", status == core.VerdictGenuine
		v.Checks[0].Result = core.CheckFailed
		v.RevocationReason = "Issued by mistake."
		s.verifier.become(v)
		do(t, ctx, chromedp.Click(chromedp.CSS("#go")))
		sees(t, ctx, status)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d) => { d.open = true; })`))
		accessible(t, ctx, string(status))
		dark(t, ctx, false)
	}
}
