package main

import (
	"errors"
	"net/http"
	"runtime/debug"
)

// handler answers every request: what no room answers leaves its line in the
// log here, and a panic costs one request and nothing else. Neither line
// repeats anything of the request: paths hold tokens.
func (a *app) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			a.log.ErrorContext(r.Context(), "panic in request", "endpoint", r.Pattern, "stack", string(debug.Stack()))
			// Nothing happens here when the answer had begun.
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		}()
		a.mux.ServeHTTP(w, r)
		if r.Pattern == "" {
			a.log.InfoContext(r.Context(), "request refused", "reason", "no such endpoint or method")
		}
	})
}
