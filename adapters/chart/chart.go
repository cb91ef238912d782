// Package chart draws charts as pictures, on the server and without a
// browser: what people see in a chat as a file.
package chart

import (
	"log/slog"

	"github.com/go-analyze/charts"

	"github.com/laurelbot/laurel/core/chat"
)

// A chart is drawn twice as large as clients show it, so that it is sharp on
// fine screens: sizes are in pixels of the file.
const (
	width     = 1200
	margin    = 48
	titleSize = 30
	textSize  = 24
	// rowHeight is that of a bar with the space around it, barHeight that of
	// the bar alone.
	rowHeight = 76
	barHeight = 44
	// titleHeight is what stands above the first bar.
	titleHeight = 2*margin + titleSize
	gap         = 20
)

// The ground is opaque and light, so that everything on it is readable
// whatever the client's own ground is. Each colour of the text stands out from
// it by more than the 4.5 to 1 of WCAG 2.2, and the bars by more than 3 to 1.
var (
	ground = charts.ColorRGB(255, 255, 255)
	frame  = charts.ColorRGB(216, 222, 228)
	ink    = charts.ColorRGB(31, 35, 40)
	track  = charts.ColorRGB(238, 241, 244)
	bars   = charts.ColorRGB(31, 111, 235)
)

// atOnce is how many charts are drawn at the same time, of which each needs
// some megabytes: on Monday at nine many digests are due together.
const atOnce = 2

// Painter draws charts.
type Painter struct {
	log   *slog.Logger
	turns chan struct{}
}

var _ chat.Charts = (*Painter)(nil)

// New returns a painter.
func New(log *slog.Logger) *Painter { return &Painter{log: log, turns: make(chan struct{}, atOnce)} }

// Bars implements [chat.Charts]: the bars lie one below the other, the longest
// fills the width, and beside each stands its value or its note.
func (p *Painter) Bars(c chat.BarChart) ([]byte, bool) {
	if len(c.Bars) == 0 {
		return nil, false
	}
	p.turns <- struct{}{}
	defer func() { <-p.turns }()
	height := titleHeight + len(c.Bars)*rowHeight + margin/2
	canvas := charts.NewPainter(charts.PainterOptions{
		OutputFormat: charts.ChartOutputPNG, Width: width, Height: height, Font: charts.GetFont(charts.FontFamilyNotoSans),
	})
	canvas.FilledRect(0, 0, width, height, ground, frame, 4)
	s := sheet{canvas: canvas}
	s.bold(c.Title, margin, margin+titleSize)
	s.plot(c.Bars)
	data, err := canvas.Bytes()
	if err != nil {
		p.log.Error("draw chart", "err", err)
		return nil, false
	}
	return data, true
}
