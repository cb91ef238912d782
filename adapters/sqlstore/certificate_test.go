package sqlstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func TestKeeping(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.account(slackUser("U1"), "ada@example.org", "ada@example.com")
		bob := w.account(slackUser("U2"), "bob@example.org")
		look := func(member string) core.Keeping {
			t.Helper()
			k, err := w.Keeping(t.Context(), member)
			w.must(err)
			return k
		}
		if k := look(ada.MemberID); k.Elsewhere || k.Links != 0 || len(k.Addresses) != 2 || k.Addresses[0].Normal == k.Addresses[1].Normal {
			t.Errorf("at first %+v", k)
		}
		w.must(w.ListElsewhere(t.Context(), ada.Identity, true, start))
		w.must(w.EndCertificateLinks(t.Context(), ada.Identity, start))
		w.must(w.EndCertificateLinks(t.Context(), ada.Identity, start))
		w.tx(func(ctx context.Context, tx core.Tx) error {
			_, err := tx.EnsureAccount(ctx, core.Account{Identity: ada.Identity, Locale: "de"}, start.Add(time.Hour))
			return err
		})
		if k := look(ada.MemberID); !k.Elsewhere || k.Links != 2 || k.Locale != "de" {
			t.Errorf("then %+v", k)
		}
		if k := look(bob.MemberID); k.Elsewhere || k.Links != 0 {
			t.Errorf("somebody else %+v", k)
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE actor = ? AND kind IN ('elsewhere.on', 'certificates.end_links')`, ada.MemberID); n != 3 {
			t.Errorf("%d audit entries", n)
		}
		w.must(w.ListElsewhere(t.Context(), ada.Identity, false, start))
		if look(ada.MemberID).Elsewhere {
			t.Error("not switched off")
		}
		unknown := slackUser("U9")
		for what, err := range map[string]error{
			"switch": w.ListElsewhere(t.Context(), unknown, true, start), "end": w.EndCertificateLinks(t.Context(), unknown, start),
			"look": func() error { _, err := w.Keeping(t.Context(), core.NewID()); return err }(),
		} {
			if !errors.Is(err, core.ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		// Who did not want it keeps that when two become one; the one that was
		// joined is gone, and so are the links of both: who has one of them was
		// not meant to see what the other earned.
		w.must(w.ListElsewhere(t.Context(), bob.Identity, true, start))
		w.must(w.EndCertificateLinks(t.Context(), bob.Identity, start))
		w.tx(func(ctx context.Context, tx core.Tx) error {
			return tx.JoinMembers(ctx, ada.MemberID, bob.MemberID, start)
		})
		if k := look(bob.MemberID); k.Elsewhere || len(k.Addresses) != 3 || k.Links != 2 {
			t.Errorf("joined %+v", k)
		}
		if _, err := w.Keeping(t.Context(), ada.MemberID); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("after joining: %v", err)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseMember(ctx, bob.Identity, start) })
		if _, err := w.Keeping(t.Context(), bob.MemberID); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("after erasure: %v", err)
		}
	})
}
