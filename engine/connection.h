// What the parts of the engine see of a connection: its databases, flags, functions, collations, limits, and
// its transaction. Internal to engine/.
//
// Databases: 0 main, 1 temp (made when first used: store is NULL until then, its schema is an empty one),
// 2.. attached. While a statement is compiled all schemas are loaded and do not change.
//
// Transactions: a connection has one struct txn per database. autocommit is off between BEGIN (or the SAVEPOINT
// that began one) and its end. Savepoint k of the connection is savepoint k of every txn that writes; a
// statement's own savepoint is the next one.
#pragma once

#include "arena.h"
#include "fn/fn.h"
#include "op.h"
#include "skerry.h"
#include "sql/schema.h"
#include "store/store.h"

struct skerry_stmt;
struct vm_ephemeral_store;
struct eponymous;
struct fts_table;

// PRAGMAs that are a bit of the connection.
enum connection_flag {
    CONNECTION_FOREIGN_KEYS,
    CONNECTION_DEFER_FOREIGN_KEYS, // until the transaction ends
    CONNECTION_RECURSIVE_TRIGGERS,
    CONNECTION_IGNORE_CHECKS,
    CONNECTION_WRITABLE_SCHEMA,
    CONNECTION_QUERY_ONLY,
    CONNECTION_AUTOMATIC_INDEX,  // on at first
    CONNECTION_CASE_SENSITIVE_LIKE,
    CONNECTION_LIKE_REPLACED,    // it was said, whatever the value
    CONNECTION_REVERSE_UNORDERED_SELECTS,
    CONNECTION_FULL_COLUMN_NAMES,
    CONNECTION_SHORT_COLUMN_NAMES, // on at first
    CONNECTION_COUNT_CHANGES,
    CONNECTION_EMPTY_RESULT_CALLBACKS,
    CONNECTION_LEGACY_ALTER_TABLE,
    CONNECTION_TRUSTED_SCHEMA,   // on at first
    CONNECTION_READ_UNCOMMITTED,
    CONNECTION_CELL_SIZE_CHECK,
    CONNECTION_FULL_FSYNC,
    CONNECTION_CHECKPOINT_FULL_FSYNC,
    CONNECTION_DQS_DML,          // "x" may be a string in statements; on at first
    CONNECTION_DQS_DDL,          // and in schemas; on at first
    CONNECTION_FLAG_COUNT,
};
// PRAGMA cache_size: in KiB when negative, else in pages. This is what SQLite answers; nothing was said, and the cache is
// of the engine's size.
#define CACHE_SIZE_DEFAULT (-2000)
// PRAGMAs that hold a number. Those of one database: in struct database.
enum connection_setting {
    SETTING_BUSY_TIMEOUT,
    SETTING_TEMP_STORE,
    SETTING_WAL_AUTOCHECKPOINT,
    SETTING_MMAP_SIZE,
    SETTING_LOCKING_MODE, // of databases that are attached later
    SETTING_ANALYSIS_LIMIT,
    SETTING_SOFT_HEAP_LIMIT,
    SETTING_HARD_HEAP_LIMIT,
    SETTING_THREADS,
    SETTING_CACHE_SPILL, // pages; negative: off
    SETTING_AUTO_VACUUM, // that the next VACUUM brings; -1: as it is
    SETTING_ENCODING,  // of the main database, while it has none yet
    SETTING_PAGE_SIZE, // 0: nothing was said
    SETTING_COUNT,
};

enum database_setting {
    DATABASE_CACHE_SIZE,
    DATABASE_SYNCHRONOUS,
    DATABASE_JOURNAL_SIZE_LIMIT,
    DATABASE_LOCKING_MODE, // 0 normal, 1 exclusive
    DATABASE_SECURE_DELETE, // 0 off, 1 on, 2 fast
    DATABASE_SETTING_COUNT,
};

struct database {
    char *name; // "main", "temp", or the name in ATTACH
    char *path; // "" or ":memory:": private
    bool read_only, no_create; // said in its URI
    struct store_key *key;     // said there or in ATTACH; NULL: the engine's
    struct store *store; // NULL: not opened yet
    struct txn *txn;     // NULL while store is
    struct schema *schema; // NULL: not loaded
    s64 settings[DATABASE_SETTING_COUNT];
    bool schema_stale;     // to be read again before it is used
    bool load_began_read;  // the snapshot is there for loading alone
    bool schema_own;       // this transaction has changed it: not to be shared
    struct schema_changes schema_changes; // since it was loaded
    enum { COMMIT_BEGIN, COMMIT_WRITE, COMMIT_READ } commit_step; // while others of the connection read
};

#define DATABASE_MAX 32
#define DATABASE_MAIN 0
#define DATABASE_TEMP 1

struct named_savepoint {
    struct named_savepoint *outer;
    s64 deferred_violations, deferred_immediate_violations;
    bool is_transaction; // it began the transaction: its release commits
    char name[];
};

struct own_function {
    struct own_function *next;
    struct fn_def def;
    void (*destroy)(void *user);
};
struct own_collation {
    struct own_collation *next;
    struct collation collation;
    void (*destroy)(void *context);
};
struct own_table_function {
    struct own_table_function *next;
    const struct table_function *function;
};
struct connection_hooks {
    u32 progress_loops; // 0: none
    bool (*progress)(void *context);
    void (*changed)(void *context, enum skerry_change kind, const char *database, const char *table, s64 rowid);
    bool (*refuse_commit)(void *context);
    void (*rolled_back)(void *context);
    void *progress_context, *changed_context, *commit_context, *rollback_context;
};

#define STATEMENT_CACHE_COUNT 64
#define STATEMENT_ENDED_COUNT 256

struct statement_cached {
    struct skerry_stmt *stmt;
    u64 end;  // of its text
    u64 size; // of its text
    bool semicolon; // ended it
    bool literals;  // may be run with others (statement_literals_set)
    u64 bytes, used_at;
};
struct statement_cache {
    struct statement_cached slots[STATEMENT_CACHE_COUNT];
    u32 count;
    u32 generation, shape; // the connection's when they were compiled
    u32 ended[STATEMENT_ENDED_COUNT]; // hashes of texts whose statements were finalized
    u64 bytes, clock, hits, misses;
};

struct skerry_engine {
    struct io *io;
    bool io_own;
    struct skerry_engine_options options;
    char *temp_dir; // of temporary files
    struct store_key key, key_previous;
    struct skerry *connections;
};

struct skerry {
    struct skerry_engine *engine;
    struct skerry *next;
    u32 open_flags;
    struct err err; // of the newest failed call
    struct err schema_err; // the schemas cannot be read: statements that need none run all the same
    void (*on_wake)(void *context);
    void *wake_context;
    bool woken; // since skerry_wait last looked

    u32 database_count;
    struct database databases[DATABASE_MAX];
    u64 flags; // bit per enum connection_flag
    s64 settings[SETTING_COUNT];
    s64 limits[SKERRY_LIMIT_COUNT];
    struct own_function *functions;
    struct own_collation *collations;
    struct own_table_function *table_functions;
    struct connection_hooks hooks;
    struct fts_table *fts;       // full-text tables that were used
    s64 fts_cursor_id;           // of the last cursor over one of them
    u32 fts_depth;               // nested statements of theirs that are being stepped
    bool fts_forget;             // something was rolled back meanwhile
    s64 nested_insert_rowid;     // by the newest of those
    struct eponymous *eponymous; // tables of table-valued functions that were asked for
    u32 generation; // counts what makes programs stale other than schemas: functions, attach, flags
    u32 shape; // counts what a new program of the same text may be another one for: schemas, limits

    bool autocommit;
    bool close_began;
    bool interrupted;
    u8 begin; // enum begin_kind of the open transaction
    const struct skerry_stmt *committing; // its commit is under way: other statements wait
    struct wait_list commit_waiters;
    struct named_savepoint *savepoints; // innermost first
    u32 savepoint_count, statement_savepoint_count;
    u32 active_count, active_write_count; // statements that are running
    s64 changes, total_changes, last_insert_rowid;
    s64 deferred_violations, deferred_immediate_violations;

    struct skerry_stmt *statements; // those in the cache too
    struct skerry_stmt *statement_spare; // one that has ended, whose memory is the next one's, or NULL
    struct statement_cache cache;
    struct vm_ephemeral_store *ephemeral_free; // stores of temporary tables that no statement uses

    // Reading schemas for prepare and attach.
    struct op op;
    struct schema_load *load;
    struct measure { // wanted: the size of a table, of which a reference is held
        struct table *table;
        u32 database;
    } measures[64];
    u32 measure_count;
    struct store *closing[DATABASE_MAX]; // detached: to be closed
    u32 closing_count;
};

static inline bool connection_flag(const struct skerry *db, enum connection_flag f)
{
    return db->flags >> f & 1;
}
void connection_flag_set(struct skerry *db, enum connection_flag f, bool on);
// Keys that are not deferred by themselves are not deferred any more; no violation of any key is waiting.
void connection_keys_settled(struct skerry *db);
// -1: none of that name (any case).
int connection_database_find(const struct skerry *db, const char *name);
// The application's or the built-in one; as fn_find.
// One of a full-text table that the application brought; NULL: there is none.
const struct fn_def *connection_full_text_function(struct skerry *db, const char *name);
const struct fn_def *connection_function(struct skerry *db, const char *name, size_t name_size, s32 argc,
                                         bool *name_exists);
// NULL: none of that name.
const struct collation *connection_collation(struct skerry *db, const char *name);
const struct collation *connection_collation_at(struct skerry *db, u32 index); // PRAGMA collation_list; NULL: end

// connection_own.c: what the application has added.
const struct table_function *connection_table_function(const struct skerry *db, const char *name); // or the built-in one
void connection_own_free(struct skerry *db);
// A row of a table with rowids, told to the application when it asked for it (hooks.changed).
void connection_changed(struct skerry *db, u32 database, pgno root, enum skerry_change kind, s64 rowid);
bool connection_commit_refused(struct skerry *db); // the application makes a rollback of this commit
void connection_rolling_back(struct skerry *db);

// Of text in all databases of the connection, 1 to 3: the main one's, or what it will be.
u8 connection_encoding(const struct skerry *db);
bool connection_sealed(const struct skerry *db); // one of its databases is encrypted: so is what statements put aside
// Opens the database's file (and, for temp, its store). No-op when it is open.
// That the page cache of one of its databases or a sorter may take: PRAGMA cache_size, within the engine's bound.
u64 connection_cache_bytes(const struct skerry *db, u32 index);
void connection_database_settings(struct skerry *db, u32 index); // as they are at first
void connection_wal_policy(struct skerry *db, u32 index);        // what PRAGMAs have set goes to its transaction
void connection_cannot_open(struct op *op, const char *path); // what ATTACH and VACUUM INTO say then
io_status connection_database_open(struct skerry *db, struct op *op, u32 index);
// Loads what is missing or stale of the schemas.
io_status connection_schemas_load(struct skerry *db, struct op *op);
// Compares the loaded schemas' cookies with the files': *changed when one is out of date and will be loaded again.
io_status connection_schemas_check(struct skerry *db, struct op *op, bool *changed);
// connection_measure.c: the planner would like to know the table's size; measures what it asked for.
void connection_measure_want(struct skerry *db, u32 index, struct table *t);
io_status connection_measure(struct skerry *db, struct op *op);
void connection_measure_clear(struct skerry *db);
io_status connection_attach(struct skerry *db, struct op *op, const char *path, const char *name,
                            const struct store_key *key); // NULL: said in the name, or the engine's
err_code connection_detach(struct skerry *db, const char *name, struct err *err);
io_status connection_closing(struct skerry *db, struct op *op); // closes what was detached

// ---- transactions ---------------------------------------------------------------------------------------
// Begins reading or writing in a database, with the savepoints that are open.
io_status connection_begin_read(struct skerry *db, struct op *op, u32 index);
io_status connection_begin_write(struct skerry *db, struct op *op, u32 index, u64 deadline_ns);
// Commits all databases; concurrent ones wait for the write slot until deadline_ns. Failed: the caller rolls them back,
// but for ERR_BUSY, which leaves them as they were (or, with autocommit on again, has rolled them back).
// Statements other than `by` that are reading go on in the newest state.
io_status connection_commit(struct skerry *db, struct op *op, const struct skerry_stmt *by, u64 deadline_ns);
void connection_commit_abandon(struct skerry *db); // its statement is gone: rolls back, or it goes on by itself
// connection_conflict.c: says in *err which row or key it was that database `index` could not be committed for.
void connection_conflict_tell(const struct skerry *db, u32 index, struct err *err);
// Statements that read go on in the newest state when the schema is as it was and their positions were saved before; others
// end with SQLITE_ABORT_ROLLBACK.
void connection_rollback(struct skerry *db);
// Saves them; IO_DONE also where it fails.
io_status connection_readers_save(struct skerry *db, struct op *op);
// Ends transactions that no statement and no BEGIN needs.
void connection_end_read(struct skerry *db);
// The schema of the database was changed by this transaction.
void connection_schema_changed(struct skerry *db, u32 index);
// Something was rolled back: schemas that were changed are read again.
void connection_schemas_stale(struct skerry *db);
// Gather. Saves the positions of all cursors in transactions that have savepoint n: before it is rolled back, which
// takes the pages they stand on away.
io_status connection_cursors_save(struct skerry *db, struct op *op, u32 savepoint);
// The same where nothing may wait: when it cannot be done the other running statements end with
// ERR_ABORT_ROLLBACK.
void connection_cursors_let_go(struct skerry *db, struct op *op, const struct skerry_stmt *by, u32 savepoint);
// Running statements other than `by` end with ERR_ABORT_ROLLBACK: all, or those that write.
void connection_cursors_aborted(struct skerry *db, const struct skerry_stmt *by, bool writers_only);
void connection_wake(struct skerry *db); // a call that waited is worth making again
bool connection_path_in_memory(const char *path); // ":memory:", or none
bool connection_in_memory(const struct skerry *db, u32 index);
void connection_eponymous_free(struct skerry *db);
void connection_savepoints_free(struct skerry *db);
