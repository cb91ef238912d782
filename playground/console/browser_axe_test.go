package console_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/laurelbot/laurel/internal/npm"
)

// rules loads axe-core, https://github.com/dequelabs/axe-core, into the page.
func (p *page) rules() {
	p.t.Helper()
	project := npm.Project(p.t, filepath.Join("testdata", "axe"))
	axe, err := os.ReadFile(filepath.Join(project, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		p.t.Fatal(err)
	}
	evaluate[chromedp.Void](p, string(axe)+"\nvoid 0")
}

// accessible holds what a selector finds against all rules in light, and
// against those of colours in dark: nothing else differs.
func (p *page) accessible(state, selector string) {
	p.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		rules := ""
		if scheme == "dark" {
			rules = `runOnly: ["color-contrast", "link-in-text-block"],`
		}
		p.scheme(scheme)
		evaluate[chromedp.Void](p, fmt.Sprintf(`void (async () => {
			window.wrong = null;
			for (const a of document.getAnimations()) a.cancel();
			const r = await axe.run(%[1]q === "body" ? document : %[1]q, { %[2]s resultTypes: ["violations"] });
			window.wrong = r.violations.map((v) => v.impact + " " + v.id + ": " + v.nodes.map((n) => n.target.join(" ")).join(", "));
		})()`, selector, rules))
		p.see(`Array.isArray(window.wrong)`)
		if wrong := evaluate[[]string](p, `window.wrong`); len(wrong) > 0 {
			p.shot("failed-" + state)
			p.t.Errorf("%s, %s: %s", state, scheme, strings.Join(wrong, "\n"))
		}
	}
}
