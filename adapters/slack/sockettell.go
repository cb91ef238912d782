package slack

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// plannedEnds need nobody's attention.
var plannedEnds = map[string]struct{}{endWarning: {}, endRefresh: {}, endSpare: {}, endShutdown: {}}

// endings say for the health report why a connection ended.
var endings = map[string]string{
	endWarning:  "Slack closed the connection for a refresh",
	endRefresh:  "Slack closed the connection for a refresh",
	endDisabled: "Socket Mode is switched off in the settings of the app",
	endTooMany:  "the app has more connections than Slack allows",
	endSilent:   "nothing was heard of Slack for a ping interval",
	endClosed:   "Slack closed the connection",
	endTooLarge: "Slack sent a message that is too large",
	endBroken:   "the connection broke",
	endNoHello:  "Slack did not greet on the connection",
	endSpare:    "the connection was given up for another replica",
	endShutdown: "the bot is stopping",
	endOther:    "Slack asked to disconnect",
}

// tell reports a failed attempt and returns how long to wait, and whether the
// app had no place left.
func (p *socketPool) tell(err error, failures int) (pause time.Duration, full bool) {
	a := p.adapter
	pause = p.backoff(failures)
	var failed *socketError
	if !errors.As(err, &failed) {
		failed = openError(err)
	}
	reason, cause := "failed", "the connection could not be opened: "+failed.code
	switch {
	case failed.void:
		reason, cause = "void_token", "Slack does not accept the app token: "+failed.code
		pause = jittered(p.times.slowWait)
		a.log.Error("slack does not accept the app token; set a valid one, or mend it in the settings of the app",
			slog.String("cause", failed.code), slog.Duration("next_try", pause))
	case failed.code == endDisabled:
		reason, cause = endDisabled, endings[endDisabled]
		pause = jittered(p.times.slowWait)
		a.log.Error("slack has Socket Mode switched off for this app; switch it on in the settings of the app",
			slog.Duration("next_try", pause))
	default:
		if failed.after > 0 {
			reason = "rate_limited"
			pause = max(pause, failed.after+jittered(p.times.firstWait))
		}
		if ending, ok := endings[failed.code]; ok {
			reason, cause = failed.code, ending
		}
		a.log.Warn("slack socket not opened", slog.String("cause", failed.code), slog.Duration("next_try", pause))
	}
	a.metrics.connects.WithLabelValues(reason).Inc()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cause = cause
	return pause, failed.code == endTooMany
}

// socketError is why a connection was not opened.
type socketError struct {
	code string
	// void: the token does not work until somebody mends it.
	void bool
	// after is the time that Slack says to wait.
	after time.Duration
}

func (e *socketError) Error() string { return "open slack socket: " + e.code }

// openError reads what went wrong before there was a connection
// (https://docs.slack.dev/reference/methods/apps.connections.open#errors).
func openError(err error) *socketError {
	var d *core.DeliveryError
	if !errors.As(err, &d) {
		return &socketError{code: transportCode(err)}
	}
	e := &socketError{code: d.Code, after: d.After}
	// These last until somebody mends the token or the app.
	e.void = d.Class == core.InstallationDead || strings.HasPrefix(d.Code, "missing_scope") ||
		d.Code == "access_denied" || d.Code == "forbidden_team"
	return e
}
