package sqlstore

import (
	"strings"
	"testing"

	"github.com/laurelbot/laurel/internal/testpg"
)

// A change of a badge finds the connections of its owner, however many others
// there are.
func TestRolesAreFoundByTheirOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testpg.New(t))
	c, err := w.x.Connx(t.Context())
	w.must(err)
	defer func() { w.must(c.Close()) }()
	for _, statement := range []string{
		`INSERT INTO role_connections (id, platform, tenant, user_id, tokens_sealed, tokens_end, since, due_at)
		SELECT 'r' || g, 'discord', '', 'u' || g, '', 1, 1, 1 FROM generate_series(1, 5000) g`,
		`VACUUM ANALYZE role_connections`,
		`SET plan_cache_mode = force_generic_plan`,
		`PREPARE addresses (bigint, bigint, text[]) AS ` + w.dialect.sql(wantRolesOf+`(`+identitiesOfAddresses+`)`),
		`PREPARE members (bigint, bigint, text[]) AS ` + w.dialect.sql(wantRolesOf+`(`+identitiesOfMembers+`)`),
	} {
		_, err := c.ExecContext(t.Context(), statement)
		w.must(err)
	}
	for _, query := range []string{`EXECUTE addresses (1, 1, '{a}')`, `EXECUTE members (1, 1, '{a}')`} {
		var plan []string
		w.must(c.SelectContext(t.Context(), &plan, `EXPLAIN `+query))
		if text := strings.Join(plan, "\n"); !strings.Contains(text, "Index Scan using role_connections_user") {
			t.Errorf("%s is planned as\n%s", query, text)
		}
	}
}
