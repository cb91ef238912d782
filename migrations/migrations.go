// Package migrations holds the schema: one folder for each SQL dialect, the
// same version numbers in both.
//
// Times are whole milliseconds since 1970 in UTC. Columns named *_sealed
// hold values encrypted by the application.
package migrations

import "embed"

// FS holds the folders postgres and sqlite.
//
//go:embed postgres/*.sql sqlite/*.sql
var FS embed.FS
