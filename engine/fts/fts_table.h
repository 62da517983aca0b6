// Full-text tables as the interpreter uses them: cursors, changes of rows, and the end of transactions.
#pragma once

#include "../connection.h"

struct table;
struct fts_cursor;

// ---- cursors -------------------------------------------------------------------------------------------------------

// What of a WHERE clause a cursor takes: a bit each, in the plan's number; arguments follow in the order of the bits,
// those of MATCH as many as there are, each with its column in the plan's text.
enum fts_plan {
    FTS_PLAN_RANK = 1,       // rank MATCH 'function(arguments)'
    FTS_PLAN_ROWID_EQ = 2,
    FTS_PLAN_ROWID_GE = 4,
    FTS_PLAN_ROWID_LE = 8,
    FTS_PLAN_ROWID_GT = 16,
    FTS_PLAN_ROWID_LT = 32,
    FTS_PLAN_ROWID_LOW = FTS_PLAN_ROWID_GE | FTS_PLAN_ROWID_GT,
    FTS_PLAN_ROWID_HIGH = FTS_PLAN_ROWID_LE | FTS_PLAN_ROWID_LT,
    FTS_PLAN_IN_ORDER = 64, // rows come by rowid, as ORDER BY wants them
    FTS_PLAN_DOWN = 128,    // from the last one, or the greatest rank
    FTS_PLAN_BY_RANK = 512, // rows come by rank
    FTS_PLAN_MATCH = 256,   // of the planner: a term of MATCH, LIKE or GLOB; not in a plan
};

// Added to the column's number: x LIKE y, x GLOB y, of which the index gives more rows than those that are wanted.
#define FTS_MATCH_LIKE 0x10000
#define FTS_MATCH_GLOB 0x20000

io_status fts_cursor_open(struct skerry *db, u32 database, const struct table *t, struct op *op, struct fts_cursor **out);
void fts_cursor_close(struct fts_cursor *c); // NULL is fine
// matches: column numbers (column_count: any column) of the MATCH arguments, which come first in argv.
io_status fts_cursor_filter(struct fts_cursor *c, struct op *op, u32 plan, const s32 *matches, u32 match_count,
                            const struct value *argv);
io_status fts_cursor_next(struct fts_cursor *c, struct op *op);
bool fts_cursor_eof(const struct fts_cursor *c);
s64 fts_cursor_rowid(const struct fts_cursor *c);
// whole: as it was given, with its locale.
io_status fts_cursor_column(struct fts_cursor *c, struct op *op, u32 column, bool whole, struct value *out);

// bm25(t, ...), highlight(t, ...), snippet(t, ...), fts5_get_locale(t, column): their first argument left out.
enum fts_function { FTS_BM25, FTS_HIGHLIGHT, FTS_SNIPPET, FTS_GET_LOCALE };
bool fts_function_find(const char *name, enum fts_function *out);
io_status fts_cursor_function(struct fts_cursor *c, struct op *op, enum fts_function f, const struct value *argv,
                              u32 argc, struct value *out);

// A function of the application, of the row.
struct fn_def;
io_status fts_cursor_call(struct fts_cursor *c, struct op *op, const struct fn_def *f, const struct value *argv, u32 argc,
                          struct value *out);

// ---- changes -------------------------------------------------------------------------------------------------------

// argv: the old rowid (NULL: INSERT), the new rowid, the columns, the two hidden ones; argc 1: DELETE. *rowid: the new
// row's. A conflict gives ERR_CONSTRAINT. by: whose change it is. kept: of an UPDATE's indexed columns.
#define FTS_CHANGE_KEEPS_INDEXED 1u // some are not set
#define FTS_CHANGE_SETS_INDEXED  2u // some are
io_status fts_change(struct skerry *db, u32 database, const struct table *t, struct op *op, const void *by,
                     const struct value *argv, u32 argc, bool replace, u32 kept, s64 *rowid);

// Whether OR IGNORE and OR FAIL mean something to it.
bool fts_conflicts_resolve(const struct table *t);

// Before a commit, and before a savepoint is opened: what is pending is written.
io_status fts_connection_flush(struct skerry *db, struct op *op);
// The statement `by` ends: a change of its that is under way is given up.
void fts_changes_abandon(struct skerry *db, const void *by);
// After something was rolled back.
void fts_connection_forget(struct skerry *db);
void fts_connection_free(struct skerry *db);
