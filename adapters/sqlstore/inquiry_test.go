package sqlstore

import (
	"errors"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// What somebody asked about is there for a day, sealed with the first key once
// keys were changed.
func TestInquiries(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ids := []string{core.NewID(), core.NewID()}
		old := w.turned('a')
		for i, id := range ids {
			w.must(w.SaveInquiry(t.Context(), id, old.keys.Seal("question", core.InquiryContext(id)), start.Add(time.Duration(i)*time.Hour)))
		}
		both := w.turned('b', 'a')
		if use := both.use(); use.Former != 2 || use.First != 0 {
			t.Errorf("before: %+v", use)
		}
		if done := both.rekey(RekeyOptions{}); done.Sealed != 2 {
			t.Errorf("sealed anew: %+v", done)
		}
		for _, id := range ids {
			sealed, err := w.Inquiry(t.Context(), id)
			w.must(err)
			if plain, err := w.turned('b').keys.Open(sealed, core.InquiryContext(id)); err != nil || plain != "question" {
				t.Errorf("%q, %v", plain, err)
			}
		}
		w.must(w.Tidy(t.Context(), start.Add(core.KeepInquiries+time.Minute)))
		if _, err := w.Inquiry(t.Context(), ids[0]); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("after a day: %v", err)
		}
		if _, err := w.Inquiry(t.Context(), ids[1]); err != nil {
			t.Errorf("before that: %v", err)
		}
		for _, strange := range []string{"", "x", "\x00"} {
			if _, err := w.Inquiry(t.Context(), strange); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("%q: %v", strange, err)
			}
		}
	})
}
