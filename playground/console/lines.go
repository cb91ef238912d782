package console

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxLines is how many log lines are kept.
const maxLines = 200

// Line is one line of the program's log.
type Line struct {
	ID    int       `json:"id"`
	At    time.Time `json:"at"`
	Level string    `json:"level"`
	Text  string    `json:"text"`
	// Attrs are the line's attributes as name=value.
	Attrs string `json:"attrs,omitempty"`
}

// Lines keeps the last lines of a log. The zero value is ready to use.
type Lines struct {
	mu    sync.Mutex
	lines []Line
	next  int
}

// Last returns the lines that are kept, oldest first.
func (l *Lines) Last() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Line{}, l.lines...)
}

// Handler returns a log handler that keeps every line from level info on and
// hands on to next what next takes. Times are those of now.
func (l *Lines) Handler(next slog.Handler, now func() time.Time) slog.Handler {
	return &lineHandler{lines: l, next: next, now: now}
}

type lineHandler struct {
	lines *Lines
	next  slog.Handler
	now   func() time.Time
	attrs []string
	group string
}

var _ slog.Handler = (*lineHandler)(nil)

// Enabled tells whether a level is wanted by anybody.
func (h *lineHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.next.Enabled(ctx, level)
}

// Handle keeps the line and hands it on.
func (h *lineHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo {
		attrs := slices.Clone(h.attrs)
		r.Attrs(func(a slog.Attr) bool {
			attrs = append(attrs, h.group+a.String())
			return true
		})
		h.lines.add(Line{At: h.now(), Level: strings.ToLower(r.Level.String()), Text: r.Message, Attrs: clean(strings.Join(attrs, " "))})
	}
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs returns a handler for lines with these attributes.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := *h
	out.next, out.attrs = h.next.WithAttrs(attrs), slices.Clone(h.attrs)
	for _, a := range attrs {
		out.attrs = append(out.attrs, h.group+a.String())
	}
	return &out
}

// WithGroup returns a handler whose further attributes are in a group.
func (h *lineHandler) WithGroup(name string) slog.Handler {
	out := *h
	out.next, out.group = h.next.WithGroup(name), h.group+name+"."
	return &out
}

func (l *Lines) add(line Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	line.ID = l.next
	if len(l.lines) == maxLines {
		l.lines = l.lines[1:]
	}
	l.lines = append(l.lines, line)
}
