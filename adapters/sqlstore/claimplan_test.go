package sqlstore

import (
	"strings"
	"testing"

	"github.com/laurelbot/laurel/internal/testpg"
)

// A statement that was planned while no handoff was open must not look
// through all open ones when there are many: a rush of claims would make
// itself slower with each.
func TestClaimLooksUpHandoffsByBadge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testpg.New(t))
	c, err := w.x.Connx(t.Context())
	w.must(err)
	defer func() { w.must(c.Close()) }()
	for _, statement := range []string{
		`INSERT INTO badges (id, template_id, recipient_shown, recipient, stage, created_at, updated_at)
		SELECT 'b' || g, 't', 'a', 'a', 'pending', 1, 1 FROM generate_series(1, 5000) g`,
		`INSERT INTO handoffs (id, badge_id, member_id, state, opened_at, expires_at)
		SELECT 'h' || g, 'b' || g, 'm', 'followed', 1, 1 FROM generate_series(1, 5000) g`,
		`VACUUM ANALYZE`,
		`SET plan_cache_mode = force_generic_plan`,
		`PREPARE claim (text, text, text, text, bigint, text, bigint, text, text, text, bigint, boolean, bigint) AS ` + claimSQL,
	} {
		_, err := c.ExecContext(t.Context(), statement)
		w.must(err)
	}
	var plan []string
	w.must(c.SelectContext(t.Context(), &plan,
		`EXPLAIN EXECUTE claim ('slack', 'T', 'U', 'b1', 1, 'h', 2, 'p', 'k', 'r', 2, true, 3)`))
	looks := 0
	for i, line := range plan {
		if strings.Contains(line, " on handoffs h") && strings.Contains(line, "Scan") {
			looks++
			if !strings.Contains(plan[i+1], "Index Cond: (badge_id = ") {
				t.Errorf("handoffs are not looked up by badge:\n%s", strings.Join(plan, "\n"))
			}
		}
	}
	// For the one that is open already.
	if looks != 1 {
		t.Errorf("%d looks at handoffs in the plan, want 1:\n%s", looks, strings.Join(plan, "\n"))
	}
}
