// Skerry's embedding API: a SQL database whose calls never block.
//
//   struct skerry_engine *engine;  struct skerry *db;  struct skerry_stmt *stmt = NULL;
//   skerry_engine_create(&(struct skerry_engine_options){0}, &engine, &err);
//   skerry_open(engine, "app.db", SKERRY_OPEN_CREATE, &db, &err);
//   while ((rc = skerry_prepare(db, sql, size, &stmt, &used)) == SKERRY_WAIT) skerry_wait(db);
//   while ((rc = skerry_step(stmt)) != SKERRY_DONE) {
//       if (rc == SKERRY_ROW) ... skerry_column_text(stmt, 0, &size) ...
//       else if (rc == SKERRY_WAIT) skerry_wait(db);      // or return to your own loop: see on_wake
//       else break;                                        // skerry_error(db)
//   }
//   skerry_finalize(stmt);
//
// Calls that may wait return SKERRY_WAIT and are called again, with the same arguments, after the
// connection's on_wake was called (from io_step) or skerry_wait returned. Everything else answers at once.
// Several statements of one connection, and many connections, may be under way at a time; all calls come
// from the thread that runs the engine's loop.
//
// Results are SQLite's result codes (SKERRY_ROW 100, SKERRY_DONE 101, errors as in sqlite3.h, extended codes
// by skerry_error) plus SKERRY_WAIT. docs/embedding.md goes through sqlite3.h function by function.
#pragma once

#include "../io/io.h"
#include "function.h"
#include "value.h"

enum skerry_result {
    SKERRY_OK = 0,
    SKERRY_ROW = 100,
    SKERRY_DONE = 101,
    SKERRY_WAIT = 102,
    // others: SQLite's primary result codes
};

struct skerry_engine;
struct skerry;
struct store_key;
struct skerry_stmt;

// ---- engine: one loop, its open files, its limits -----------------------------------------------------

struct skerry_engine_options {
    struct io *io;            // NULL: the engine makes its own with `backend`
    enum io_backend_kind backend;
    u64 cache_bytes;          // page cache of each database; 0 = 16 MiB
    u32 checkpoint_frames;    // 0 = 1000
    u64 wal_bytes_max;        // readers that keep a longer log are let go (SQLITE_BUSY_SNAPSHOT); 0: never
    const struct store_key *key;          // of all database files (store/store.h): copied; NULL: they are not encrypted
    const struct store_key *key_previous; // files that are still encrypted with this one are taken to `key`
    bool keys_fixed;                      // PRAGMA rekey is refused: who opens the files next has what is said here
    bool checksums;                       // new files that are not encrypted get page checksums
    const char *temp_dir;     // NULL: SQLITE_TMPDIR, TMPDIR, /var/tmp, /tmp
};
bool skerry_engine_create(const struct skerry_engine_options *options, struct skerry_engine **out,
                          struct err *err);
void skerry_engine_destroy(struct skerry_engine *e); // after all its connections are closed
struct io *skerry_engine_io(struct skerry_engine *e);

// ---- connections --------------------------------------------------------------------------------------

enum skerry_open_flags { SKERRY_OPEN_CREATE = 1, SKERRY_OPEN_READ_ONLY = 2 };

// Path ":memory:" or "" is a private database in memory / in a temporary file. Nothing is read yet: a file
// that is not a database shows at the first prepare or step. False with *err when out of memory.
bool skerry_open(struct skerry_engine *e, const char *path, u32 flags, struct skerry **out, struct err *err);
// Rolls back what is open and lets go of the file. SKERRY_OK or SKERRY_WAIT (call again); errors are logged
// in *err (may be NULL) and the connection is gone all the same. SQLITE_BUSY, and nothing has changed: there are
// statements that were not finalized.
int skerry_close(struct skerry *db, struct err *err);
// Called from io_step when a call that gave SKERRY_WAIT is worth making again.
void skerry_on_wake(struct skerry *db, void (*on_wake)(void *context), void *context);
// Runs the loop until that is so (for programs without a loop of their own).
void skerry_wait(struct skerry *db);

const struct err *skerry_error(const struct skerry *db); // of the newest failed call; offset: byte in the SQL
int skerry_errcode(const struct skerry *db);             // SQLite extended result code
s64 skerry_changes(const struct skerry *db);
s64 skerry_total_changes(const struct skerry *db);
s64 skerry_last_insert_rowid(const struct skerry *db);
bool skerry_autocommit(const struct skerry *db);
void skerry_busy_timeout(struct skerry *db, u32 milliseconds); // waits in line for the write slot; 0 = does not
void skerry_interrupt(struct skerry *db);                      // running statements end with SQLITE_INTERRUPT
bool skerry_interrupted(const struct skerry *db);              // until the last of them has ended
bool skerry_rollback(struct skerry *db); // ends an open transaction; false when there was none
// Databases of the connection: 0 main, 1 temp, then the attached ones. NULL: there is none of that number.
const char *skerry_database_name(const struct skerry *db, u32 index);
// By name (NULL: main). NULL: none of that name; "": in memory or temporary.
const char *skerry_database_path(const struct skerry *db, const char *name);
int skerry_database_read_only(const struct skerry *db, const char *name); // 1, 0, or -1: none of that name
enum skerry_transaction { SKERRY_TRANSACTION_NONE, SKERRY_TRANSACTION_READ, SKERRY_TRANSACTION_WRITE };
// Of a database, or of all of them (NULL): the farthest. -1: none of that name.
int skerry_transaction(const struct skerry *db, const char *name);
struct store;
struct store *skerry_store(struct skerry *db); // the main database's file once it is open, else NULL

enum skerry_limit {
    SKERRY_LIMIT_LENGTH,
    SKERRY_LIMIT_SQL_LENGTH,
    SKERRY_LIMIT_COLUMN,
    SKERRY_LIMIT_EXPR_DEPTH,
    SKERRY_LIMIT_COMPOUND_SELECT,
    SKERRY_LIMIT_VDBE_OP,
    SKERRY_LIMIT_FUNCTION_ARG,
    SKERRY_LIMIT_ATTACHED,
    SKERRY_LIMIT_LIKE_PATTERN_LENGTH,
    SKERRY_LIMIT_VARIABLE_NUMBER,
    SKERRY_LIMIT_TRIGGER_DEPTH,
    SKERRY_LIMIT_STATEMENT_MS,     // time a statement may take; 0 = no limit
    SKERRY_LIMIT_STATEMENT_MEMORY, // bytes of sorters, temporary tables and rows of one statement
    SKERRY_LIMIT_STATEMENT_CACHE,  // bytes of finalized statements that are kept for their texts; 0: none are
    SKERRY_LIMIT_COUNT,
};
// Sets a limit (value < 0: only asks); gives the old one, -1 when there is none of that number. What is beyond the allowed values
// becomes the nearest of them: at most the default (STATEMENT_CACHE: 1 GiB), and at least 30 bytes for LENGTH and LIKE_PATTERN_LENGTH.
s64 skerry_limit(struct skerry *db, enum skerry_limit limit, s64 value);

// Called while a statement runs, about each time that it has gone round `loops` loops (20,000 at most; 0: never), before
// it gives SKERRY_WAIT to let others have their turn. True ends the statement with SQLITE_INTERRUPT.
void skerry_on_progress(struct skerry *db, u32 loops, bool (*progress)(void *context), void *context);
enum skerry_change { SKERRY_CHANGE_DELETE = 9, SKERRY_CHANGE_INSERT = 18, SKERRY_CHANGE_UPDATE = 23 }; // SQLite's numbers
// Called after each change of a row in a table with rowids, as sqlite3_update_hook: not for rows that REPLACE takes
// away, that a DELETE of all rows takes at once, or in tables of the schema's own. NULL: no more.
void skerry_on_change(struct skerry *db,
                      void (*changed)(void *context, enum skerry_change kind, const char *database, const char *table, s64 rowid),
                      void *context);
// Called before a transaction that writes is committed; true makes a rollback of it (SQLITE_CONSTRAINT_COMMITHOOK).
void skerry_on_commit(struct skerry *db, bool (*refuse)(void *context), void *context);
// Called when a transaction is rolled back, but for one that a closing connection leaves behind.
void skerry_on_rollback(struct skerry *db, void (*rolled_back)(void *context), void *context);
// None of these may use the connection.

// ---- statements ---------------------------------------------------------------------------------------

// Compiles the first statement of sql; *used is the number of bytes it took. SKERRY_OK with *out NULL: there
// was none (white space, a comment). May be SKERRY_WAIT (the schema is read). A text whose statement was finalized
// twice on this connection is not compiled again: 64 of them are kept, while schemas, flags and limits stay as they are.
int skerry_prepare(struct skerry *db, const char *sql, size_t size, struct skerry_stmt **out, size_t *used);
int skerry_step(struct skerry_stmt *s);
// Ends a run, bindings stay. Gives SKERRY_OK, or SKERRY_WAIT while an autocommit's end is not durable.
int skerry_reset(struct skerry_stmt *s);
void skerry_finalize(struct skerry_stmt *s); // NULL is fine; abandons a run
struct skerry *skerry_stmt_db(const struct skerry_stmt *s);
struct skerry_stmt *skerry_stmt_next(struct skerry *db, struct skerry_stmt *s); // of the connection; after NULL the first
const char *skerry_sql(const struct skerry_stmt *s, size_t *size);
// With the values of the parameters in their places, as literals. The caller frees it; NULL: out of memory, or too long.
char *skerry_sql_expanded(const struct skerry_stmt *s);
bool skerry_stmt_readonly(const struct skerry_stmt *s);
enum skerry_explain { SKERRY_EXPLAIN_NO, SKERRY_EXPLAIN, SKERRY_EXPLAIN_QUERY_PLAN };
enum skerry_explain skerry_stmt_explain(const struct skerry_stmt *s);
bool skerry_stmt_busy(const struct skerry_stmt *s); // stepped and not at its end
struct skerry_stmt_counters { // since it was prepared, but for `bytes`: of its program and what it holds between runs
    u64 instructions, rows_read, rows_written, full_scan_steps, sorts, auto_indexes, runs, reprepares, bytes;
};
void skerry_stmt_counters(const struct skerry_stmt *s, struct skerry_stmt_counters *out);
struct skerry_statement_cache { // prepares that found their text's statement and that did not; what is kept now
    u64 hits, misses, bytes;
    u32 count;
};
void skerry_statement_cache(const struct skerry *db, struct skerry_statement_cache *out);

// Parameters number from 1. SKERRY_OK, SQLITE_RANGE, SQLITE_MISUSE (running), SQLITE_NOMEM, SQLITE_TOOBIG.
u32 skerry_parameter_count(const struct skerry_stmt *s);
const char *skerry_parameter_name(const struct skerry_stmt *s, u32 index); // ":a", "?5", or NULL
u32 skerry_parameter_index(const struct skerry_stmt *s, const char *name); // 0: none of that name
int skerry_bind(struct skerry_stmt *s, u32 index, const struct value *v); // copies
int skerry_bind_null(struct skerry_stmt *s, u32 index);
int skerry_bind_integer(struct skerry_stmt *s, u32 index, s64 i);
int skerry_bind_real(struct skerry_stmt *s, u32 index, double r);
int skerry_bind_text(struct skerry_stmt *s, u32 index, const void *bytes, size_t size); // copies
int skerry_bind_blob(struct skerry_stmt *s, u32 index, const void *bytes, size_t size); // copies
int skerry_bind_zero_blob(struct skerry_stmt *s, u32 index, u64 size); // of zero bytes, which take no memory here
void skerry_clear_bindings(struct skerry_stmt *s);

// Columns number from 0. Values are there after SKERRY_ROW until the next step or reset.
u32 skerry_column_count(const struct skerry_stmt *s);
const char *skerry_column_name(const struct skerry_stmt *s, u32 column);
const char *skerry_column_decltype(const struct skerry_stmt *s, u32 column); // or NULL
// Which column of which table it is, through views and subqueries, aliases aside; NULL: an expression.
const char *skerry_column_database(const struct skerry_stmt *s, u32 column);
const char *skerry_column_table(const struct skerry_stmt *s, u32 column);
const char *skerry_column_origin(const struct skerry_stmt *s, u32 column);
const struct value *skerry_column(const struct skerry_stmt *s, u32 column);
enum value_type skerry_column_type(const struct skerry_stmt *s, u32 column);
// Converted as SQLite's do; text is NUL-terminated, *size (may be NULL) without it; NULL for NULL or no memory.
s64 skerry_column_integer(struct skerry_stmt *s, u32 column);
double skerry_column_real(struct skerry_stmt *s, u32 column);
const char *skerry_column_text(struct skerry_stmt *s, u32 column, size_t *size);
const void *skerry_column_blob(struct skerry_stmt *s, u32 column, size_t *size);

// Runs all statements of a text to their ends, calling `row` (may be NULL; nonzero stops with SQLITE_ABORT)
// for each row. Blocks: it is for programs without a loop.
int skerry_exec(struct skerry *db, const char *sql, int (*row)(void *context, struct skerry_stmt *s),
                void *context);
// True when sql ends in a complete statement (semicolon outside strings, comments and trigger bodies).
bool skerry_complete(const char *sql, size_t size);
const char *skerry_version(void);        // of Skerry
const char *skerry_sqlite_version(void); // whose behaviour is followed: "3.50.4"

// ---- functions and collations of the application's own ---------------------------------------------------
//
// SQLITE_MISUSE: a definition that cannot be; SQLITE_BUSY: one that would be replaced or deleted may be in use, since
// statements are running. Statements that were prepared before are prepared anew.

// function.h has the definition and what implementations may do. It is copied; it replaces one of the same name and
// number of arguments, and comes before a built-in one. Without any callback: deletes it.
int skerry_create_function(struct skerry *db, const struct skerry_function *f);
// value.h: compare is total, and the same for ever as far as indexes are on disk. Copied; replaces one of the same name.
// Without compare: deletes it. destroy(context), or NULL: when it is gone; not when it was not made.
int skerry_create_collation(struct skerry *db, const struct collation *c, void (*destroy)(void *context));
struct table_function;
// fn/table_function.h; f must outlive the connection. SQLITE_BUSY: there is one of that name.
int skerry_create_table_function(struct skerry *db, const struct table_function *f);
