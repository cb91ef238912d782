package chart

import (
	"fmt"

	"github.com/go-analyze/charts"

	"github.com/laurelbot/laurel/core/chat"
)

// sheet is what a chart is drawn on.
type sheet struct{ canvas *charts.Painter }

func style(family string, size float64) charts.FontStyle {
	return charts.FontStyle{Font: charts.GetFont(family), FontSize: size, FontColor: ink}
}

func (s sheet) bold(text string, x, y int) {
	font := style(charts.FontFamilyNotoSansBold, titleSize)
	s.canvas.Text(s.fit(text, width-2*margin, font), x, y, 0, font)
}

// fit cuts a text to what is as wide as limit at most.
func (s sheet) fit(text string, limit int, font charts.FontStyle) string {
	letters := []rune(text)
	for n := len(letters); n > 0; n-- {
		cut := string(letters[:n])
		if n < len(letters) {
			cut += "…"
		}
		if s.wide(cut, font) <= limit {
			return cut
		}
	}
	return ""
}

func (s sheet) wide(text string, font charts.FontStyle) int {
	box := s.canvas.MeasureText(text, 0, font)
	return box.Width()
}

// plot draws bars below the title: labels to the left, all as wide as the
// widest, notes to the right.
func (s sheet) plot(list []chat.Bar) {
	font := style(charts.FontFamilyNotoSans, textSize)
	var labelWidth, noteWidth int
	var longest int64
	notes := make([]string, len(list))
	for i, b := range list {
		if notes[i] = b.Note; notes[i] == "" {
			notes[i] = fmt.Sprint(b.Value)
		}
		labelWidth = max(labelWidth, s.wide(b.Label, font))
		noteWidth = max(noteWidth, s.wide(notes[i], font))
		longest = max(longest, b.Value)
	}
	labelWidth, noteWidth = min(labelWidth, width/3), min(noteWidth, width/4)
	left := margin + labelWidth + gap
	full := width - margin - noteWidth - gap - left
	for i, b := range list {
		top := titleHeight + i*rowHeight
		middle := top + barHeight/2 + textSize/2 - 1
		s.canvas.Text(s.fit(b.Label, labelWidth, font), margin, middle, 0, font)
		s.canvas.FilledRect(left, top, left+full, top+barHeight, track, track, 0)
		if longest > 0 && b.Value > 0 {
			// Little is still seen, however much the others are.
			length := max(int(float64(full)*float64(b.Value)/float64(longest)), 4)
			s.canvas.FilledRect(left, top, left+length, top+barHeight, bars, bars, 0)
		}
		s.canvas.Text(s.fit(notes[i], noteWidth, font), left+full+gap, middle, 0, font)
	}
}
