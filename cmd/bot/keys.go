package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/schollz/progressbar/v3"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
)

// keys makes the keys from SECRET_KEY: one, or several between commas or
// white space. The first makes everything new.
func (s *Settings) keys() (*core.Keys, error) {
	parts := strings.FieldsFunc(s.SecretKey.Reveal(), func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	if len(parts) == 0 {
		return nil, errors.New("missing setting: set SECRET_KEY, e.g. to the output of: openssl rand -base64 32")
	}
	if len(parts) > core.MaxKeys {
		return nil, fmt.Errorf("SECRET_KEY holds %d keys: keep at most %d", len(parts), core.MaxKeys)
	}
	secrets := make([][]byte, 0, len(parts))
	for i, part := range parts {
		raw, err := base64.StdEncoding.DecodeString(part)
		if err != nil || len(raw) != core.KeyBytes {
			which := ""
			if len(parts) > 1 {
				which = fmt.Sprintf(", key %d of %d is not", i+1, len(parts))
			}
			return nil, fmt.Errorf("SECRET_KEY must be %d bytes in base64, e.g. the output of: openssl rand -base64 32%s", core.KeyBytes, which)
		}
		secrets = append(secrets, raw)
	}
	keys, err := core.NewKeys(secrets[0], secrets[1:]...)
	if errors.Is(err, core.ErrKeyTwice) {
		return nil, errors.New("SECRET_KEY holds the same key twice: keep one of them")
	}
	return keys, err
}

type keysCmd struct {
	Status keysStatusCmd `cmd:"" default:"1" help:"Say which keys stored values still need (default)."`
	Rotate keysRotateCmd `cmd:"" help:"Seal every stored value anew with the first key. May run while the bot serves, be interrupted and repeated."`
}

type keysStatusCmd struct{}

// Run tells what the doctor would tell about keys.
func (keysStatusCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	db, keys, err := openStore(ctx, s, newLog(s, t.err))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	use, err := db.KeyUse(ctx)
	if err != nil {
		return fmt.Errorf("count sealed values: %w", err)
	}
	_, err = fmt.Fprintf(t.out, "first key %s: %d sealed values\nformer keys %s: %d sealed values\nunknown keys: %d sealed values\n%s\n",
		keys.KeyID(), use.First, orNone(keys.FormerKeyIDs()), use.Former, use.Unknown, adviseKeys(keys, use).Detail)
	return err
}

func orNone(ids []string) string {
	if len(ids) == 0 {
		return "(none)"
	}
	return strings.Join(ids, ", ")
}

type keysRotateCmd struct {
	Discard bool `help:"Empty values that no key opens: what they held is lost either way. Never before all former keys that still exist are in SECRET_KEY."`
}

// errKeyNeeded says that the work is not done.
var errKeyNeeded = errors.New("former keys are still needed: let every running bot have the same SECRET_KEY, then run this again")

// Run seals anew. It fails when something is left, so that a script never
// takes a key away too early.
func (c *keysRotateCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	db, keys, err := openStore(ctx, s, newLog(s, t.err))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	before, err := db.KeyUse(ctx)
	if err != nil {
		return fmt.Errorf("count sealed values: %w", err)
	}
	work := before.Former
	if c.Discard {
		work += before.Unknown
	}
	bar := progressbar.NewOptions64(max(work, 1),
		progressbar.OptionSetWriter(t.err), progressbar.OptionSetDescription("sealing anew"),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
	)
	done, err := db.Rekey(ctx, sqlstore.RekeyOptions{Discard: c.Discard, Progress: func(r sqlstore.Rekeyed) {
		_ = bar.Set64(min(r.Sealed+r.Discarded, max(work, 1)))
	}})
	_ = bar.Finish()
	fmt.Fprintf(t.out, "%d values sealed anew with key %s\n", done.Sealed, keys.KeyID())
	if done.Discarded > 0 {
		fmt.Fprintf(t.out, "%d values that no key opens were emptied\n", done.Discarded)
	}
	if done.Unreadable > 0 {
		fmt.Fprintf(t.out, "%d values are opened by no key in SECRET_KEY: --discard empties them\n", done.Unreadable)
	}
	if err != nil {
		return fmt.Errorf("seal anew: %w", err)
	}
	use, err := db.KeyUse(ctx)
	if err != nil {
		return fmt.Errorf("count sealed values: %w", err)
	}
	fmt.Fprintln(t.out, adviseKeys(keys, use).Detail)
	if use.Former > 0 {
		return errKeyNeeded
	}
	return nil
}

// adviseKeys says what the operator can do about keys. An hour is more than
// anything lives that is made with a key and not stored: links for at most as
// long as HANDOFF_TTL may be, forms in Slack for half of it.
func adviseKeys(keys *core.Keys, use sqlstore.KeyUse) finding {
	f := finding{OK: true, Name: "Secret keys"}
	former := len(keys.FormerKeyIDs())
	switch {
	case use.Unknown > 0:
		f.OK = false
		f.Detail = fmt.Sprintf("%d stored values were sealed with a key that is not in SECRET_KEY", use.Unknown)
		f.Mend = "Add the former key behind the first one in SECRET_KEY; if it is lost, run: bot keys rotate --discard"
	case former == 0:
		f.Detail = fmt.Sprintf("one key, which opens all %d sealed values", use.First)
	case use.Former > 0:
		f.Detail = fmt.Sprintf("former ones (%d) are still needed: %d of %d sealed values lie under them; run: bot keys rotate",
			former, use.Former, use.First+use.Former)
	default:
		f.Detail = fmt.Sprintf("former ones (%d) are no longer needed by any of the %d sealed values: take them out of SECRET_KEY"+
			" once every bot has used the first key for an hour", former, use.First)
	}
	return f
}
