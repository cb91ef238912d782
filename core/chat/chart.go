package chat

// Picture is a picture that travels with a card: PNG, at most a few hundred
// kilobytes. Platforms take megabytes, but every retried message may carry it
// again.
type Picture struct {
	PNG []byte
	// Name is the file's name: letters, digits, and ".png" at the end.
	Name string
	// Alt says in words what the picture shows, for those who do not see it.
	Alt string
}

// BarChart is a chart of bars, one below the other.
type BarChart struct {
	Title string
	Bars  []Bar
}

// Bar is one bar of a chart with its label, and what is written beside it.
type Bar struct {
	Label string
	Value int64
	Note  string
}

// Charts draws charts. They are readable on light and on dark ground, and the
// same chart is the same picture, byte by byte.
type Charts interface {
	// Bars returns the chart as a PNG, or false where it cannot be drawn:
	// what it shows stands in words beside it.
	Bars(c BarChart) ([]byte, bool)
}
