// dbstat: what the pages of each tree hold, as a table that is only read. SQLite's columns and numbers.
//
//   SELECT name, path, pageno, pagetype, ncell, payload, unused, mx_payload, pgoffset, pgsize FROM dbstat
//   ... WHERE schema = 'aux'; WHERE name = 't'; WHERE aggregate = TRUE (a row per tree, not per page); dbstat('aux', 1)
//   CREATE VIRTUAL TABLE temp.s USING dbstat(aux)
//
// Pages come in the order of their paths from the root: a page, then of cell after cell its overflow pages and what is below.
// A page that makes no sense is "corrupted" and has no cells; a page number that cannot be is an error.
#pragma once

#include "../connection.h"

struct dbstat {
    const char *database; // NULL: main
};
struct dbstat_cursor;

// What of a WHERE clause a cursor takes: bits of the plan's number, with an argument each in this order.
enum dbstat_plan {
    DBSTAT_SCHEMA = 1,
    DBSTAT_NAME = 2,
    DBSTAT_AGGREGATE = 4,
    DBSTAT_IN_ORDER = 8, // of names and paths
    DBSTAT_OTHER = 16,   // of the planner: another column = ?, which must be known but is of no use
};

// NULL: *error says why, or is NULL when memory, the arena's, ran out.
struct dbstat *dbstat_parse(struct arena *a, const char *const *arguments, u32 count, const char **error);
// A column; NULL: there are no more. The last two are hidden.
#define DBSTAT_HIDDEN 2
const char *dbstat_column(u32 index, const char **type);

io_status dbstat_open(struct skerry *db, const struct dbstat *d, struct op *op, struct dbstat_cursor **out);
void dbstat_close(struct dbstat_cursor *c); // NULL is fine
io_status dbstat_filter(struct dbstat_cursor *c, struct op *op, u32 plan, const struct value *argv);
io_status dbstat_next(struct dbstat_cursor *c, struct op *op);
bool dbstat_eof(const struct dbstat_cursor *c);
s64 dbstat_rowid(const struct dbstat_cursor *c);
io_status dbstat_column_get(const struct dbstat_cursor *c, struct op *op, u32 column, struct value *out);
