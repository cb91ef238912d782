package console

import (
	"embed"
	"net/http"
)

//go:embed assets
var assets embed.FS

// pagePolicy is the page's Content-Security-Policy. Pictures come from the
// simulators, which listen on other ports of this machine.
// https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; " +
	"img-src 'self' http://127.0.0.1:* http://localhost:*; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

func guard(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	// The page changes with the binary and is read from memory: asking again
	// costs nothing.
	h.Set("Cache-Control", "no-cache")
}

func (c *console) servePage(mux *http.ServeMux) {
	files := http.FileServerFS(assets)
	mux.HandleFunc("GET /assets/{file}", func(w http.ResponseWriter, r *http.Request) {
		guard(w.Header(), pagePolicy)
		files.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		guard(w.Header(), pagePolicy)
		http.ServeFileFS(w, r, assets, "assets/page.html")
	})
}
