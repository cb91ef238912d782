package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestErrorClasses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
		after  time.Duration
	}{
		{"429 with a time", says(429, "", "Retry-After", "7"), "retry_later ratelimited", 7 * time.Second},
		{"429 without", says(429, ""), "retry_later ratelimited", defaultRetryAfter},
		{"429 with a date", says(429, "", "Retry-After", "Fri, 20 Nov 2026 09:00:00 GMT"), "retry_later ratelimited", defaultRetryAfter},
		{"429 for ever", says(429, "", "Retry-After", "999999"), "retry_later ratelimited", maxRetryAfter},
		{"200 ratelimited", refuses("ratelimited"), "retry_later ratelimited", defaultRetryAfter},
		{"message_not_found", refuses("message_not_found"), "place_gone message_not_found", 0},
		{"cant_update_message", refuses("cant_update_message"), "place_gone cant_update_message", 0},
		{"edit_window_closed", refuses("edit_window_closed"), "place_gone edit_window_closed", 0},
		{"channel_not_found", refuses("channel_not_found"), "target_dead channel_not_found", 0},
		{"is_archived", refuses("is_archived"), "target_dead is_archived", 0},
		{"user_disabled", refuses("user_disabled"), "target_dead user_disabled", 0},
		{"missing_scope", says(200, `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"commands"}`), "target_dead missing_scope chat:write", 0},
		{"invalid_auth", refuses("invalid_auth"), "installation_dead invalid_auth", 0},
		{"token_revoked", refuses("token_revoked"), "installation_dead token_revoked", 0},
		{"account_inactive", refuses("account_inactive"), "installation_dead account_inactive", 0},
		{"invalid_blocks", refuses("invalid_blocks"), "invalid invalid_blocks", 0},
		{"msg_too_long", refuses("msg_too_long"), "invalid msg_too_long", 0},
		{"internal_error", refuses("internal_error"), "temporary internal_error", 0},
		{"something new", refuses("moon_phase"), "temporary moon_phase", 0},
		{"no code", refuses("Dear ada@example.org"), "temporary unknown_error", 0},
		{"no JSON", says(200, "<html>"), "temporary unreadable_answer", 0},
		{"redirect", says(302, "", "Location", "https://evil.example.org/"), "temporary http_302", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, chat.Answer{})
			b.slack.once("chat.update", tt.answer)
			_, err := b.Show(t.Context(), messagePlace("T1", "D1", "1.2"), *card("x"), "k")
			if classAndCode(err) != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			var d *core.DeliveryError
			if errors.As(err, &d) && d.After != tt.after {
				t.Errorf("after %v, want %v", d.After, tt.after)
			}
		})
	}
}

func refuses(code string) http.HandlerFunc {
	return says(http.StatusOK, fmt.Sprintf(`{"ok":false,"error":%q}`, code))
}

func TestResponseURLErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status int
		body   string
		want   string
	}{
		{404, "used_url", "place_gone used_url"},
		{404, "expired_url", "place_gone expired_url"},
		{404, "<html>", "place_gone http_404"},
		{410, "", "place_gone http_410"},
		{404, `{"ok":false,"error":"used_url"}`, "place_gone used_url"},
		{200, `{"ok":false,"error":"expired_url"}`, "place_gone expired_url"},
		{200, `{"ok":true}`, "<nil>"},
		{200, "ok", "<nil>"},
		{200, "", "<nil>"},
		{400, "invalid_blocks", "invalid invalid_blocks"},
		{400, "invalid_payload", "invalid invalid_payload"},
		{400, "something_else", "invalid something_else"},
		{429, "", "retry_later ratelimited"},
		{500, "server_error", "temporary server_error"},
		{503, "", "temporary http_503"},
	}
	for _, tt := range tests {
		if got := classAndCode(responseURLError("op", tt.status, "", []byte(tt.body))); got != tt.want {
			t.Errorf("%d %q: got %s, want %s", tt.status, tt.body, got, tt.want)
		}
	}
}

// Every status has its verdict, both at the Web API and at response URLs.
func TestAllStatuses(t *testing.T) {
	t.Parallel()
	for status := 300; status < 600; status++ {
		want := core.Temporary
		switch status {
		case http.StatusTooManyRequests:
			want = core.RetryLater
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			want = core.Invalid
		}
		if got := core.ClassOf(statusError("op", status)); got != want {
			t.Errorf("API %d: got %s, want %s", status, got, want)
		}
		if status == http.StatusNotFound || status == http.StatusGone {
			want = core.PlaceGone
		}
		if got := core.ClassOf(responseURLError("op", status, "", nil)); got != want {
			t.Errorf("response URL %d: got %s, want %s", status, got, want)
		}
	}
}

// Whatever breaks, no error holds a secret.
func TestErrorsLeakNoSecret(t *testing.T) {
	t.Parallel()
	breaks := map[string]func(*bench, context.CancelFunc){
		"canceled": func(b *bench, cancel context.CancelFunc) {
			for _, m := range []string{"hook", "chat.update", "conversations.open", "views.open", "conversations.history"} {
				b.slack.once(m, func(_ http.ResponseWriter, r *http.Request) {
					cancel()
					<-r.Context().Done()
				})
			}
		},
		"connection closed": func(b *bench, _ context.CancelFunc) {
			for _, m := range []string{"hook", "chat.update", "conversations.open", "views.open", "conversations.history"} {
				b.slack.once(m, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			}
		},
		"nobody there": func(b *bench, _ context.CancelFunc) { b.slack.server.Close() },
		"echo": func(b *bench, _ context.CancelFunc) {
			for _, m := range []string{"hook", "chat.update", "conversations.open", "views.open", "conversations.history"} {
				b.slack.once(m, says(http.StatusBadRequest, b.slack.hook()+testToken.Reveal()))
			}
		},
	}
	for name, breaks := range breaks {
		calls := map[string]func(context.Context, *bench) error{
			"response URL": func(ctx context.Context, b *bench) error {
				_, err := b.Show(ctx, pressed(b).reply, *card("x"), "k")
				return err
			},
			"update": func(ctx context.Context, b *bench) error {
				_, err := b.Show(ctx, messagePlace("T1", "D1", "1.2"), *card("x"), "k")
				return err
			},
			"direct": func(ctx context.Context, b *bench) error {
				_, err := b.Direct(ctx, user(), *card("x"), "k", b.clock.Now())
				return err
			},
			"history": func(ctx context.Context, b *bench) error {
				_, err := b.findSent(ctx, "D1", "k", b.clock.Now())
				return err
			},
			"form": func(ctx context.Context, b *bench) error {
				return deliveryError("views.open", func() error {
					_, err := b.api.OpenViewContext(ctx, "1", renderForm(*codeForm(), "m"))
					return err
				}())
			},
		}
		for what, do := range calls {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, chat.Answer{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				breaks(b, cancel)
				err := do(ctx, b)
				if err == nil {
					t.Fatal("nothing broke")
				}
				var d *core.DeliveryError
				if !errors.As(err, &d) {
					t.Errorf("%T is no delivery error", err)
				}
				for _, secret := range []string{testToken.Reveal(), "secret-hook", b.slack.server.URL, "127.0.0.1"} {
					if strings.Contains(fmt.Sprintf("%v %+v", err, errors.Unwrap(err)), secret) {
						t.Errorf("error holds %q: %v", secret, err)
					}
				}
			})
		}
	}
}
