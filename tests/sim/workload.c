#include "workload.h"

#include "../../engine/store/store.h"
#include <sqlite3.h>

#define STEPS_MAX 2000000u

static const char schema_sql[] =
    "CREATE TABLE log(txn INTEGER PRIMARY KEY, note TEXT);"
    "CREATE TABLE t(k INTEGER PRIMARY KEY, txn INTEGER NOT NULL, value INTEGER NOT NULL, body BLOB);"
    "CREATE UNIQUE INDEX t_value ON t(value);"
    "CREATE INDEX t_body ON t(substr(body, 1, 20), txn);"
    "CREATE TABLE w(name TEXT PRIMARY KEY, k INTEGER, txn INTEGER, value INTEGER UNIQUE, body BLOB) WITHOUT ROWID;";

// Even keys are rows of t, odd ones of w.
static const char *const select_sql[] = {"SELECT txn FROM t WHERE k = ?1",
                                         "SELECT txn FROM w WHERE name = printf('key %d', ?1)"};
static const char *const set_sql[] = {
    "INSERT INTO t(k, txn, value, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (k) DO UPDATE "
    "SET txn = excluded.txn, value = excluded.value, body = excluded.body",
    "INSERT INTO w(name, k, txn, value, body) VALUES (printf('key %d', ?1), ?1, ?2, ?3, ?4) ON CONFLICT (name) "
    "DO UPDATE SET txn = excluded.txn, value = excluded.value, body = excluded.body"};
static const char *const delete_sql[] = {"DELETE FROM t WHERE k = ?1", "DELETE FROM w WHERE name = printf('key %d', ?1)"};
static const char *const view_sql[][2] = {
    {"SELECT txn FROM log", "SELECT txn FROM log ORDER BY txn DESC"},
    {"SELECT k, txn, value, body FROM t", "SELECT k, txn, value, body FROM t INDEXED BY t_value WHERE value > 0"},
    {"SELECT k, txn, value, body FROM w", "SELECT k, txn, value, body FROM w ORDER BY value DESC"}};

enum statement {
    S_BEGIN,
    S_LOG,
    S_SELECT,
    S_SET,
    S_DELETE,
    S_SAVEPOINT,
    S_UNDO,
    S_RELEASE,
    S_COMMIT,
    S_ROLLBACK,
    S_ALONE, // an autocommit: the row in log alone
    S_READ_BEGIN,
    S_READ_LOG,
    S_READ_T,
    S_READ_W,
    S_READ_AGAIN, // of log, to see that the snapshot stands
    S_READ_END,
    S_CHECKPOINT,
    S_VACUUM,
    S_INCREMENTAL_VACUUM,
    S_NONE,
};
struct client {
    struct workload *w;
    struct skerry *db;
    struct skerry_stmt *stmt;
    enum statement statement;
    bool runnable, bound, over;
    u32 left; // activities
    // Its transaction.
    u32 number, key, seen, value, changes_left;
    u32 savepoint_change; // changes when it was opened
    bool savepoint, in_write;
    // Its reading.
    struct model_view view;
    u64 acknowledged_before;
    u32 again_rows, log_rows;
    int mode; // which of two, four...
    u32 wal_frames_before;
};

static u64 below(struct client *k, u64 limit) { return test_random(k->w->seed) % limit; }

static void client_wake(void *context) { ((struct client *)context)->runnable = true; }

static const char *client_text(const struct client *k)
{
    static const char *const begins[] = {"BEGIN IMMEDIATE", "BEGIN", "BEGIN CONCURRENT"};
    static const char *const checkpoints[] = {"PRAGMA wal_checkpoint", "PRAGMA wal_checkpoint(FULL)",
                                              "PRAGMA wal_checkpoint(RESTART)", "PRAGMA wal_checkpoint(TRUNCATE)"};
    switch (k->statement) {
    case S_BEGIN: return begins[k->mode];
    case S_LOG:
    case S_ALONE: return "INSERT INTO log(txn) VALUES (?1)";
    case S_SELECT: return select_sql[k->key % 2];
    case S_SET: return set_sql[k->key % 2];
    case S_DELETE: return delete_sql[k->key % 2];
    case S_SAVEPOINT: return "SAVEPOINT s";
    case S_UNDO: return "ROLLBACK TO s";
    case S_RELEASE: return "RELEASE s";
    case S_COMMIT: return "COMMIT";
    case S_ROLLBACK: return "ROLLBACK";
    case S_READ_BEGIN: return "BEGIN";
    case S_READ_LOG:
    case S_READ_T:
    case S_READ_W: return view_sql[k->statement - S_READ_LOG][k->mode];
    case S_READ_AGAIN: return "SELECT count(*) FROM log";
    case S_READ_END: return "COMMIT";
    case S_CHECKPOINT: return checkpoints[k->mode];
    case S_VACUUM: return "VACUUM";
    case S_INCREMENTAL_VACUUM: return "PRAGMA incremental_vacuum(3)";
    case S_NONE: break;
    }
    return NULL;
}

// ---- choosing what comes next

static void txn_begin(struct client *k, bool concurrent)
{
    k->number = model_txn_begin(k->w->model, concurrent);
    k->savepoint = false;
    k->w->counters->concurrent += concurrent;
}

static void choose_activity(struct client *k)
{
    u64 dice = below(k, 40);
    k->mode = 0;
    if (k->left == 0) {
        k->over = true;
        k->statement = S_NONE;
        return;
    }
    k->left--;
    if (dice < 6) {
        k->statement = S_READ_BEGIN;
    } else if (dice < 10) {
        k->statement = S_CHECKPOINT;
        k->mode = (int)below(k, 4);
        const struct store *s = skerry_store(k->db);
        struct store_stats stats = {0};
        if (s) store_stats_get(s, &stats);
        k->wal_frames_before = (u32)stats.wal_frames;
    } else if (dice == 10 && !k->w->quiet) {
        k->statement = S_VACUUM;
    } else if (dice == 11) {
        k->statement = S_INCREMENTAL_VACUUM; // nothing, unless the database is of that mode
    } else if (dice < 15) {
        k->statement = S_ALONE;
        txn_begin(k, false);
        model_txn(k->w->model, k->number)->state = MODEL_COMMITTING;
    } else {
        k->statement = S_BEGIN;
        k->mode = (int)below(k, 3);
        bool big = !k->w->quiet && below(k, 20) == 0;
        k->w->counters->big += big;
        k->changes_left = big ? 150 + (u32)below(k, 200) : 1 + (u32)below(k, 8);
        txn_begin(k, k->mode == 2);
    }
}

static void choose_key(struct client *k)
{
    k->key = (u32)below(k, MODEL_KEYS);
    k->statement = S_SELECT;
}

// In a write transaction, between changes.
static void choose_change(struct client *k)
{
    if (k->savepoint && below(k, 3) == 0) {
        k->statement = below(k, 2) ? S_UNDO : S_RELEASE;
    } else if (k->changes_left == 0) {
        k->statement = below(k, 10) == 0 ? S_ROLLBACK : S_COMMIT;
    } else if (!k->savepoint && below(k, 4) == 0) {
        k->statement = S_SAVEPOINT;
    } else {
        k->changes_left--;
        choose_key(k);
        return;
    }
    if (k->statement == S_COMMIT) model_txn(k->w->model, k->number)->state = MODEL_COMMITTING;
}

static void choose_value(struct client *k)
{
    if (k->seen && below(k, 4) == 0) {
        k->statement = S_DELETE;
        k->value = 0;
    } else {
        k->statement = S_SET;
        k->value = ++k->w->model->value_last;
    }
}

// ---- what a statement's end means

static void read_end(struct client *k)
{
    if (k->again_rows != k->log_rows) {
        test_fail(__FILE__, __LINE__, "a snapshot had %u transactions, then %u", k->log_rows, k->again_rows);
        k->w->failed = true;
    }
    if (!model_view_check(k->w->model, &k->view, "a reader")) k->w->failed = true;
    k->w->counters->readers_overtaken += k->w->counters->acknowledged > k->acknowledged_before;
}

static void succeeded(struct client *k)
{
    struct workload *w = k->w;
    switch (k->statement) {
    case S_BEGIN:
        k->in_write = true;
        k->statement = S_LOG;
        break;
    case S_LOG:
        model_slot_had(w->model, k->number);
        choose_change(k);
        break;
    case S_SELECT: choose_value(k); break;
    case S_SET:
    case S_DELETE:
        model_change_add(w->model, k->number, k->key, k->seen, k->value);
        choose_change(k);
        break;
    case S_SAVEPOINT:
        k->savepoint = true;
        k->savepoint_change = model_txn(w->model, k->number)->change_count;
        choose_change(k);
        break;
    case S_UNDO:
        model_txn(w->model, k->number)->change_count = k->savepoint_change;
        w->counters->savepoints_undone++;
        choose_change(k);
        break;
    case S_RELEASE:
        k->savepoint = false;
        choose_change(k);
        break;
    case S_COMMIT:
    case S_ALONE:
        model_txn(w->model, k->number)->state = MODEL_ACKNOWLEDGED;
        w->counters->acknowledged++;
        k->in_write = false;
        choose_activity(k);
        break;
    case S_ROLLBACK:
        model_txn(w->model, k->number)->state = MODEL_ABORTED;
        w->counters->rolled_back++;
        k->in_write = false;
        choose_activity(k);
        break;
    case S_READ_BEGIN:
        model_view_begin(w->model, &k->view);
        k->acknowledged_before = w->counters->acknowledged;
        k->log_rows = k->again_rows = 0;
        k->mode = (int)below(k, 2);
        k->statement = S_READ_LOG;
        break;
    case S_READ_LOG:
    case S_READ_T: k->statement++; break;
    case S_READ_W: k->statement = S_READ_AGAIN; break;
    case S_READ_AGAIN:
        read_end(k);
        model_view_deinit(&k->view);
        k->statement = S_READ_END;
        break;
    case S_CHECKPOINT: {
        (&w->counters->passive)[k->mode]++;
        struct store_stats stats;
        if (skerry_store(k->db)) {
            store_stats_get(skerry_store(k->db), &stats);
            w->counters->restarts += stats.wal_frames < k->wal_frames_before;
        }
        choose_activity(k);
        break;
    }
    case S_VACUUM:
        w->counters->vacuums++;
        choose_activity(k);
        break;
    case S_INCREMENTAL_VACUUM:
        w->counters->incremental_vacuums += w->auto_vacuum == 2;
        choose_activity(k);
        break;
    case S_READ_END:
    case S_NONE: choose_activity(k); break;
    }
}

static void errored(struct client *k, int code)
{
    struct workload *w = k->w;
    code &= 0xff;
    w->counters->errors_read += code == SQLITE_IOERR;
    w->counters->errors_full += code == SQLITE_FULL;
    // With a disk that fails, anything may; but nothing is ever malformed or misused.
    if (code == SQLITE_CORRUPT || code == SQLITE_MISUSE || code == SQLITE_ERROR || code == SQLITE_CONSTRAINT ||
        code == SQLITE_NOTADB || code == SQLITE_INTERNAL) {
        test_fail(__FILE__, __LINE__, "%s: error %d: %s", client_text(k), code, skerry_error(k->db)->text);
        w->failed = true;
    }
    if (k->statement == S_COMMIT || k->statement == S_ALONE) {
        bool refused = code == SQLITE_BUSY;
        model_txn(w->model, k->number)->state = refused ? MODEL_ABORTED : MODEL_FAILED;
        w->counters->refused += refused;
        w->counters->failed += !refused;
    } else if (k->in_write || k->statement == S_BEGIN) {
        model_txn(w->model, k->number)->state = MODEL_ABORTED;
    }
    k->in_write = false;
    model_view_deinit(&k->view);
    if (!skerry_autocommit(k->db)) skerry_rollback(k->db);
    choose_activity(k);
}

// ---- running

static void client_bind(struct client *k)
{
    u8 body[MODEL_BODY_MAX];
    switch (k->statement) {
    case S_LOG:
    case S_ALONE: skerry_bind_integer(k->stmt, 1, k->number); break;
    case S_SET:
        skerry_bind_integer(k->stmt, 2, k->number);
        skerry_bind_integer(k->stmt, 3, k->value);
        skerry_bind_blob(k->stmt, 4, body, model_body(k->value, body));
        skerry_bind_integer(k->stmt, 1, k->key);
        break;
    case S_SELECT:
        k->seen = 0;
        skerry_bind_integer(k->stmt, 1, k->key);
        break;
    case S_DELETE: skerry_bind_integer(k->stmt, 1, k->key); break;
    default: break;
    }
    k->bound = true;
}

static void row_view(const struct model *m, struct skerry_stmt *stmt, u32 table, struct model_view *v)
{
    if (table == 0) {
        model_view_log(m, v, skerry_column_integer(stmt, 0));
        return;
    }
    size_t size = 0;
    const void *body = skerry_column_blob(stmt, 3, &size);
    model_view_row(m, v, skerry_column_integer(stmt, 0), skerry_column_integer(stmt, 1), skerry_column_integer(stmt, 2),
                   body, size);
}

static void client_row(struct client *k)
{
    if (k->statement == S_SELECT) k->seen = (u32)skerry_column_integer(k->stmt, 0);
    if (k->statement == S_READ_LOG) {
        k->log_rows++;
        model_seen(k->w->model, skerry_column_integer(k->stmt, 0));
    }
    if (k->statement >= S_READ_LOG && k->statement <= S_READ_W)
        row_view(k->w->model, k->stmt, k->statement - S_READ_LOG, &k->view);
    if (k->statement == S_READ_AGAIN) k->again_rows = (u32)skerry_column_integer(k->stmt, 0);
}

// One call; false: it waits.
static bool client_step(struct client *k)
{
    int rc;
    if (!k->stmt) {
        const char *sql = client_text(k);
        size_t used;
        rc = skerry_prepare(k->db, sql, strlen(sql), &k->stmt, &used);
        if (rc == SKERRY_WAIT) return false;
        if (rc != SKERRY_OK) {
            errored(k, skerry_errcode(k->db));
            return true;
        }
        k->bound = false;
    }
    if (!k->bound) client_bind(k);
    rc = skerry_step(k->stmt);
    if (rc == SKERRY_WAIT) return false;
    if (rc == SKERRY_ROW) {
        client_row(k);
        return true;
    }
    int code = rc == SKERRY_DONE ? 0 : skerry_errcode(k->db);
    skerry_finalize(k->stmt);
    k->stmt = NULL;
    if (rc == SKERRY_DONE)
        succeeded(k);
    else
        errored(k, code);
    return true;
}

static bool stopped(const struct workload *w) { return w->failed || w->stop(w->stop_context); }

static void client_run(struct client *k)
{
    k->runnable = false;
    // Others get their turn after some calls, so that interleaving does not hang on I/O alone.
    for (u64 calls = 1 + below(k, 30); calls > 0 && !k->over && !k->w->failed; calls--)
        if (!client_step(k)) return;
    k->runnable = !k->over;
}

static bool client_open(struct client *k, struct workload *w)
{
    struct err err = ERR_CLEAR;
    *k = (struct client){.w = w, .runnable = true, .left = w->txns, .statement = S_NONE};
    if (!skerry_open(w->engine, w->path, SKERRY_OPEN_CREATE, &k->db, &err)) return false;
    skerry_busy_timeout(k->db, 10000000);
    skerry_on_wake(k->db, client_wake, k);
    choose_activity(k);
    return true;
}

static void close_wait(struct skerry *db)
{
    while (skerry_close(db, NULL) == SKERRY_WAIT) skerry_wait(db);
}

// The order in which clients have a turn is the first database's to choose.
void workload_run(struct workload *w, u32 count)
{
    u32 all = 0, opened = 0, over = 0;
    for (u32 i = 0; i < count; i++) all += w[i].clients;
    struct client *clients = calloc(all, sizeof *clients);
    for (u32 i = 0; i < count; i++) {
        for (u32 n = 0; n < w[i].clients; n++)
            if (!client_open(&clients[opened++], &w[i])) abort();
    }
    struct io *io = skerry_engine_io(w->engine);
    bool ended = false;
    for (u32 steps = 0; over < all && steps < STEPS_MAX && !ended; steps++) {
        u32 first = (u32)test_random(w->seed);
        bool ran = false;
        over = 0;
        for (u32 i = 0; i < all; i++) {
            struct client *k = &clients[(first + i) % all];
            ran |= k->runnable;
            if (k->runnable) client_run(k);
            over += k->over;
        }
        io_step(io, ran ? 0 : 1000000000);
        for (u32 i = 0; i < count; i++) ended |= stopped(&w[i]);
    }
    for (u32 i = 0; i < all; i++) {
        struct client *k = &clients[i];
        if (!ended && !k->over) {
            test_fail(__FILE__, __LINE__, "client %u waits for ever: %s", i, client_text(k));
            k->w->failed = true;
        }
    }
    for (u32 i = 0; i < all; i++) {
        model_view_deinit(&clients[i].view);
        skerry_finalize(clients[i].stmt);
        close_wait(clients[i].db);
    }
    free(clients);
}

bool workload_create(struct workload *w, struct err *err)
{
    struct skerry *db;
    char sql[100];
    snprintf(sql, sizeof sql, "PRAGMA page_size = %u; PRAGMA auto_vacuum = %u", w->page_size, w->auto_vacuum);
    if (!skerry_open(w->engine, w->path, SKERRY_OPEN_CREATE, &db, err)) return false;
    bool done = skerry_exec(db, sql, NULL, NULL) == SKERRY_OK && skerry_exec(db, schema_sql, NULL, NULL) == SKERRY_OK;
    if (!done) *err = *skerry_error(db);
    close_wait(db);
    return done;
}

struct view_rows {
    const struct model *model;
    struct model_view *view;
    u32 table;
};

static int view_row(void *context, struct skerry_stmt *stmt)
{
    struct view_rows *r = context;
    row_view(r->model, stmt, r->table, r->view);
    return 0;
}

bool workload_view(struct workload *w, struct model_view *v, struct err *err)
{
    struct skerry *db;
    model_view_begin(w->model, v);
    v->all = true;
    if (!skerry_open(w->engine, w->path, 0, &db, err)) return false;
    bool done = true;
    for (u32 table = 0; table < 3 && done; table++) {
        struct view_rows rows = {.model = w->model, .view = v, .table = table};
        done = skerry_exec(db, view_sql[table][0], view_row, &rows) == SKERRY_OK;
    }
    if (!done) *err = *skerry_error(db);
    close_wait(db);
    return done;
}

static bool sqlite_rows(sqlite3 *db, const char *sql, const struct model *m, u32 table, struct model_view *v)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        rc = SQLITE_OK;
        if (!v) {
            if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0) {
                test_fail(__FILE__, __LINE__, "SQLite says: %s", (const char *)sqlite3_column_text(stmt, 0));
                rc = SQLITE_CORRUPT;
            }
        } else if (table == 0) {
            model_view_log(m, v, sqlite3_column_int64(stmt, 0));
        } else {
            model_view_row(m, v, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                           sqlite3_column_int64(stmt, 2), sqlite3_column_blob(stmt, 3),
                           (size_t)sqlite3_column_bytes(stmt, 3));
        }
    }
    if (rc != SQLITE_DONE) test_fail(__FILE__, __LINE__, "SQLite, %s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE;
}

bool workload_view_sqlite(const struct model *m, const char *path, struct model_view *v)
{
    sqlite3 *db = NULL;
    model_view_begin(m, v);
    v->all = true;
    bool done = sqlite3_open(path, &db) == SQLITE_OK;
    if (done) done = sqlite_rows(db, "PRAGMA integrity_check", m, 0, NULL);
    for (u32 table = 0; table < 3 && done; table++) done = sqlite_rows(db, view_sql[table][0], m, table, v);
    sqlite3_close(db);
    return done;
}
