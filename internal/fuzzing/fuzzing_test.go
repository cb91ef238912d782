package fuzzing

import "testing"

// In an ordinary run the work is done once, however long it takes.
func TestSoonWorksOnce(t *testing.T) {
	t.Parallel()
	n := 0
	Soon(t, func() { n++ })
	if n != 1 {
		t.Errorf("worked %d times", n)
	}
}
