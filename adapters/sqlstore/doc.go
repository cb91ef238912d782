// Package sqlstore keeps everything in SQL: in PostgreSQL for several
// replicas, in an embedded SQLite file for one. Both dialects pass the same
// tests and differ only where PostgreSQL locks rows or does the work of many
// statements in one.
//
// Times are stored as whole milliseconds since 1970, the zero time as 0.
// What must not be read from a copy of the database is sealed with
// [core.Keys]. Error texts name the place in the schema, never a value.
package sqlstore
