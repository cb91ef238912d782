package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

// turned is the same store with other keys: the first makes, all open.
func (w *world) turned(fills ...byte) *world {
	w.t.Helper()
	var secrets [][]byte
	for _, fill := range fills {
		secrets = append(secrets, bytes.Repeat([]byte{fill}, core.KeyBytes))
	}
	keys, err := core.NewKeys(secrets[0], secrets[1:]...)
	w.must(err)
	return &world{DB: &DB{x: w.x, dialect: w.dialect, keys: keys, log: w.log, url: w.url}, t: w.t}
}

// fill stores n posts and n mails, everything that has sealed columns.
func (w *world) fill(a core.Account, name string, n int) (posts, mails []string) {
	w.t.Helper()
	for i := range n {
		place := core.Place{Ref: core.Secret(fmt.Sprintf("place-%s-%d", name, i)), MessageKey: fmt.Sprintf("m-%s-%d", name, i)}
		posts = append(posts, w.post(a, core.Subject{Kind: core.SubjectBadge, ID: core.NewID()}, place, start))
		id := core.NewID()
		w.tx(func(ctx context.Context, tx core.Tx) error {
			return tx.QueueMail(ctx, id, core.Secret(fmt.Sprintf("code-%s-%d", name, i)), start)
		})
		mails = append(mails, id)
	}
	return posts, mails
}

func (w *world) place(id string) string {
	w.t.Helper()
	p, err := w.Post(w.t.Context(), id)
	w.must(err)
	return p.Place.Ref.Reveal()
}

func (w *world) use() KeyUse {
	w.t.Helper()
	use, err := w.KeyUse(w.t.Context())
	w.must(err)
	return use
}

func (w *world) rekey(o RekeyOptions) Rekeyed {
	w.t.Helper()
	done, err := w.Rekey(w.t.Context(), o)
	w.must(err)
	return done
}

func TestRekey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		old := w.turned('a')
		a := old.account(slackUser("U1"))
		const n = rekeyBatch + 7
		posts, mails := old.fill(a, "old", n)
		// Without a place there is nothing to seal.
		old.post(a, core.Subject{Kind: core.SubjectBadge, ID: core.NewID()}, core.Place{}, start)
		lost := w.turned('x')
		lost.fill(a, "lost", 2)
		both := w.turned('b', 'a')
		both.fill(a, "new", 3)
		if got, want := both.use(), (KeyUse{First: 6, Former: 2 * n, Unknown: 4}); got != want {
			t.Fatalf("before: %+v, want %+v", got, want)
		}
		if got := both.place(posts[0]); got != "place-old-0" {
			t.Errorf("a former key opens %q", got)
		}

		var told []Rekeyed
		got := both.rekey(RekeyOptions{Progress: func(r Rekeyed) { told = append(told, r) }})
		if want := (Rekeyed{Sealed: 2 * n, Unreadable: 4}); got != want || told[len(told)-1] != want || len(told) < 4 {
			t.Errorf("sealed anew: %+v, told %v", got, told)
		}
		if got, want := both.use(), (KeyUse{First: 6 + 2*n, Unknown: 4}); got != want {
			t.Errorf("after: %+v, want %+v", got, want)
		}
		if got := both.rekey(RekeyOptions{}); got != (Rekeyed{Unreadable: 4}) {
			t.Errorf("repeated: %+v", got)
		}
		if got, want := both.rekey(RekeyOptions{Discard: true}), (Rekeyed{Discarded: 4}); got != want {
			t.Errorf("discarded: %+v", got)
		}

		// The former key can go.
		alone := w.turned('b')
		if got, want := alone.use(), (KeyUse{First: 6 + 2*n}); got != want {
			t.Errorf("without the former key: %+v, want %+v", got, want)
		}
		for i, id := range posts {
			if got, want := alone.place(id), fmt.Sprintf("place-old-%d", i); got != want {
				t.Fatalf("place %d is %q", i, got)
			}
		}
		codes := map[string]string{}
		for _, d := range alone.take(start.Add(time.Second), 3*n) {
			if d.Kind == delivery.KindMail {
				codes[d.Ref] = d.Payload.Reveal()
			}
		}
		for i, id := range mails {
			if want := fmt.Sprintf("code-old-%d", i); codes[id] != want {
				t.Fatalf("mail %d holds %q", i, codes[id])
			}
		}
	})
}

// A value that changes between being read and being stored stays as it was
// changed.
func TestRekeyLeavesWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"))
		posts, _ := w.turned('a').fill(a, "old", 1)
		both := w.turned('b', 'a')
		stale := resealedRow{ID: posts[0], Was: both.texts(`SELECT place_sealed FROM posts`)[0], Becomes: both.keys.Seal("stale", placeContext)}
		changed := core.Place{Ref: "changed", MessageKey: "m-old-0"}
		if id := both.post(a, core.Subject{Kind: core.SubjectBadge, ID: core.NewID()}, changed, start); id != posts[0] {
			t.Fatalf("another post was made: %s", id)
		}
		w.must(both.inTx(t.Context(), func(ctx context.Context, t *tx) error {
			n, err := t.reseal(ctx, sealedColumns[0], []resealedRow{stale})
			if n != 0 {
				return errors.New("the change was lost")
			}
			return err
		}))
		if got := both.place(posts[0]); got != "changed" {
			t.Errorf("the place is %q", got)
		}
	})
}

// Two at once, while deliveries are finished: nothing is lost and nothing
// waits for ever.
func TestRekeyBesideDeliveries(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const n = 60
		old := w.turned('a')
		var posts []string
		for i := range n {
			a := old.account(slackUser(fmt.Sprintf("U%d", i)))
			id, _ := old.fill(a, fmt.Sprintf("%d", i), 1)
			old.tell(id[0], false, start)
			posts = append(posts, id...)
		}
		both := w.turned('b', 'a')
		taken := both.take(start.Add(time.Second), 2*n)
		taken = slices.DeleteFunc(taken, func(d delivery.Delivery) bool { return d.Kind != delivery.KindPost })
		if len(taken) != n {
			t.Fatalf("%d deliveries", len(taken))
		}
		errs := race(8, func(i int) error {
			if i < 2 {
				_, err := both.Rekey(t.Context(), RekeyOptions{})
				return err
			}
			for j := i - 2; j < len(taken); j += 6 {
				d := taken[j]
				_, err := both.FinishDeliveries(t.Context(), start.Add(2*time.Second), []delivery.Outcome{{
					Delivery: d, State: delivery.StateSent, Place: &core.Place{Ref: core.Secret("sent-" + d.Ref), Shown: true},
				}})
				if err != nil {
					return err
				}
			}
			return nil
		})
		w.must(errors.Join(errs...))
		both.rekey(RekeyOptions{})
		if use := both.use(); use.Former != 0 || use.Unknown != 0 {
			t.Errorf("left: %+v", use)
		}
		for _, id := range posts {
			if got := both.place(id); got != "sent-"+id {
				t.Errorf("the place of %s is %q", id, got)
			}
		}
	})
}

func TestRekeyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"))
		w.turned('a').fill(a, "old", rekeyBatch+1)
		both := w.turned('b', 'a')
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done, err := both.Rekey(ctx, RekeyOptions{Progress: func(Rekeyed) { cancel() }})
		if !errors.Is(err, context.Canceled) || done.Sealed != rekeyBatch {
			t.Errorf("interrupted: %+v, %v", done, err)
		}
		if got := both.rekey(RekeyOptions{}); got.Sealed != rekeyBatch+2 {
			t.Errorf("the rest: %+v", got)
		}
	})
}

// Every value in the store that looks sealed is in a column that Rekey knows.
func TestRekeyKnowsEverySealedColumn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		old := w.turned('a')
		old.fill(old.account(slackUser("U1"), "ada@example.org"), "old", 2)
		old.connectRoles(discordUser("1"), "old")
		w.turned('b', 'a').rekey(RekeyOptions{})
		if got := w.turned('b').takeRoles(start); len(got) != 1 || got[0].Tokens != roleTokensOf("old") {
			t.Errorf("tokens after sealing anew: %+v", got)
		}
		if prefix := old.keys.KeyID() + "."; strings.Contains(w.dump(), prefix) {
			t.Errorf("something is still sealed with the former key:\n%s", w.dump())
		}
	})
}
