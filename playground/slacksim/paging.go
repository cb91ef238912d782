package slacksim

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// pageMax is the most that one page of a listing holds.
// https://docs.slack.dev/apis/web-api/pagination/
const pageMax = 1000

// page cuts one page out of a list of ids. Cursors name the first id of the
// next page behind a word for the kind of list, as Slack's do; 0 as fallback
// stands for no limit.
func (a args) page(ids []string, kind string, fallback int) (list []string, next string, refused *apiError) {
	limit := fallback
	if text := a.str("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > pageMax {
			return nil, "", fail("invalid_limit")
		}
		if n > 0 {
			limit = n
		}
	}
	if cursor := a.str("cursor"); cursor != "" {
		raw, err := base64.StdEncoding.DecodeString(cursor)
		id, ok := strings.CutPrefix(string(raw), kind+":")
		at := slices.Index(ids, id)
		if err != nil || !ok || at < 0 {
			return nil, "", fail("invalid_cursor")
		}
		ids = ids[at:]
	}
	if limit > 0 && len(ids) > limit {
		next = base64.StdEncoding.EncodeToString([]byte(kind + ":" + ids[limit]))
		ids = ids[:limit]
	}
	return ids, next, nil
}

// nextCursor is what a listing says about what follows; empty at its end.
func nextCursor(next string) map[string]any { return map[string]any{"next_cursor": next} }
