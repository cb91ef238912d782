package sqlstore

import (
	"regexp"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"
)

// dialect turns the store's own notation into one SQL dialect. The notation
// is SQL that both understand, with "?" for arguments, PostgreSQL's locking
// clauses, and three words that stand for one argument each:
//
//	IN $texts                      a list of texts
//	IN $ints                       a list of integers
//	$rows(name type, name type)    rows, seen as the table u
type dialect struct {
	postgres bool
	// known maps statements to their translation. Statements are constants,
	// so it stays small.
	known sync.Map
}

var (
	rowsWord = regexp.MustCompile(`\$rows\(([^)]*)\)`)
	locking  = regexp.MustCompile(`\s+FOR (NO KEY UPDATE|UPDATE|SHARE)( OF \w+)?( SKIP LOCKED)?`)
)

func (d *dialect) sql(query string) string {
	if text, ok := d.known.Load(query); ok {
		return text.(string)
	}
	text := d.translate(query)
	d.known.Store(query, text)
	return text
}

func (d *dialect) translate(query string) string {
	if d.postgres {
		query = strings.ReplaceAll(query, "IN $texts", "= ANY (CAST(? AS text[]))")
		query = strings.ReplaceAll(query, "IN $ints", "= ANY (CAST(? AS bigint[]))")
		query = rowsWord.ReplaceAllString(query, "json_to_recordset(CAST(? AS json)) AS u($1)")
		return sqlx.Rebind(sqlx.DOLLAR, query)
	}
	query = strings.ReplaceAll(query, "IN $texts", "IN (SELECT value FROM json_each(?))")
	query = strings.ReplaceAll(query, "IN $ints", "IN (SELECT value FROM json_each(?))")
	query = rowsWord.ReplaceAllStringFunc(query, func(word string) string {
		var columns []string
		for _, column := range strings.Split(rowsWord.FindStringSubmatch(word)[1], ",") {
			name, _, _ := strings.Cut(strings.TrimSpace(column), " ")
			columns = append(columns, "value->>'$."+name+"' AS "+name)
		}
		return "(SELECT " + strings.Join(columns, ", ") + " FROM json_each(?)) AS u"
	})
	return locking.ReplaceAllString(query, "")
}
