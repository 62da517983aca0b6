// The embedding API.
#include "skerry.h"
#include "uri.h"

#include <sodium.h>
#include <strings.h>
#include <unistd.h>

#include "fts/fts_table.h"
#include "sql/parse.h"
#include "sql/schema.h"
#include "vm/statement.h"

// ---- engine ----------------------------------------------------------------------------------------------------

// As SQLite does, the first that can be written in.
static const char *temp_dir_find(struct io *io, const char *wanted)
{
    if (wanted) return wanted;
    enum io_backend_kind backend = io_backend(io);
    if (backend != IO_BACKEND_RING && backend != IO_BACKEND_POSIX) return "/"; // not the machine's files
    const char *const places[] = {getenv("SQLITE_TMPDIR"), getenv("TMPDIR"), "/var/tmp", "/tmp"};
    for (u32 i = 0; i < COUNT_OF(places); i++)
        if (places[i] && access(places[i], W_OK | X_OK) == 0) return places[i];
    return ".";
}

bool skerry_engine_create(const struct skerry_engine_options *options, struct skerry_engine **out, struct err *err)
{
    struct skerry_engine *e = calloc(1, sizeof *e);
    if (!e) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    e->options = *options;
    if (options->key) e->key = *options->key;
    if (options->key_previous) e->key_previous = *options->key_previous;
    e->options.key = &e->key;
    e->options.key_previous = &e->key_previous;
    e->io = options->io;
    if (!e->io) {
        struct io_options io = {.backend = options->backend, .fallback = true};
        e->io = io_create(&io, err);
        e->io_own = true;
    }
    if (!e->io) {
        free(e);
        return false;
    }
    e->temp_dir = strdup(temp_dir_find(e->io, options->temp_dir));
    if (!e->temp_dir) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        if (e->io_own) io_destroy(e->io);
        free(e);
        return false;
    }
    *out = e;
    return true;
}

void skerry_engine_destroy(struct skerry_engine *e)
{
    ASSERT(!e->connections);
    if (e->io_own) io_destroy(e->io);
    free(e->temp_dir);
    sodium_memzero(&e->key, sizeof e->key);
    sodium_memzero(&e->key_previous, sizeof e->key_previous);
    free(e);
}

struct io *skerry_engine_io(struct skerry_engine *e)
{
    return e->io;
}

// ---- connections -----------------------------------------------------------------------------------------------

static void connection_op_wake(struct waiter *w)
{
    struct op *op = CONTAINER_OF(w, struct op, waiter);
    connection_wake(CONTAINER_OF(op, struct skerry, op));
}

void connection_wake(struct skerry *db)
{
    db->woken = true;
    if (db->on_wake) db->on_wake(db->wake_context);
}

static const s64 limits_default[SKERRY_LIMIT_COUNT] = {
    [SKERRY_LIMIT_LENGTH] = VALUE_SIZE_MAX,
    [SKERRY_LIMIT_SQL_LENGTH] = 1000000000,
    [SKERRY_LIMIT_COLUMN] = 2000,
    [SKERRY_LIMIT_EXPR_DEPTH] = 1000,
    [SKERRY_LIMIT_COMPOUND_SELECT] = 500,
    [SKERRY_LIMIT_VDBE_OP] = 250000000,
    [SKERRY_LIMIT_FUNCTION_ARG] = 1000,
    [SKERRY_LIMIT_ATTACHED] = 10,
    [SKERRY_LIMIT_LIKE_PATTERN_LENGTH] = 50000,
    [SKERRY_LIMIT_VARIABLE_NUMBER] = PARSE_VARIABLE_MAX,
    [SKERRY_LIMIT_TRIGGER_DEPTH] = 1000,
    [SKERRY_LIMIT_STATEMENT_CACHE] = 1 << 20,
};
static const s64 limits_max[SKERRY_LIMIT_COUNT] = {
    [SKERRY_LIMIT_LENGTH] = VALUE_SIZE_MAX,
    [SKERRY_LIMIT_SQL_LENGTH] = 1000000000,
    [SKERRY_LIMIT_COLUMN] = 2000,
    [SKERRY_LIMIT_EXPR_DEPTH] = 1000,
    [SKERRY_LIMIT_COMPOUND_SELECT] = 500,
    [SKERRY_LIMIT_VDBE_OP] = 250000000,
    [SKERRY_LIMIT_FUNCTION_ARG] = 1000,
    [SKERRY_LIMIT_ATTACHED] = DATABASE_MAX - 2,
    [SKERRY_LIMIT_LIKE_PATTERN_LENGTH] = 50000,
    [SKERRY_LIMIT_VARIABLE_NUMBER] = PARSE_VARIABLE_MAX,
    [SKERRY_LIMIT_TRIGGER_DEPTH] = 1000,
    [SKERRY_LIMIT_STATEMENT_MS] = INT64_MAX / 1000000,
    [SKERRY_LIMIT_STATEMENT_MEMORY] = INT64_MAX,
    [SKERRY_LIMIT_STATEMENT_CACHE] = 1 << 30,
};

static const s64 limits_min[SKERRY_LIMIT_COUNT] = {[SKERRY_LIMIT_LENGTH] = 30, [SKERRY_LIMIT_LIKE_PATTERN_LENGTH] = 30};

bool skerry_open(struct skerry_engine *e, const char *path, u32 flags, struct skerry **out, struct err *err)
{
    struct skerry *db = calloc(1, sizeof *db);
    struct database_name parts;
    if (db && !database_name_parse(path, !(flags & SKERRY_OPEN_READ_ONLY), &parts, err)) {
        free(db);
        return false;
    }
    char *own_path = db ? parts.path : NULL, *main_name = strdup("main"), *temp_name = strdup("temp"), *temp_path = strdup("");
    if (!db || !own_path || !main_name || !temp_name || !temp_path) {
        free(db);
        free(own_path);
        free(main_name);
        free(temp_name);
        free(temp_path);
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    db->engine = e;
    db->open_flags = flags;
    db->err = ERR_CLEAR;
    db->databases[DATABASE_MAIN] = (struct database){
        .name = main_name, .path = own_path, .read_only = parts.read_only, .no_create = parts.no_create, .key = parts.key};
    db->databases[DATABASE_TEMP] = (struct database){.name = temp_name, .path = temp_path};
    for (u32 i = 0; i < 2; i++) connection_database_settings(db, i);
    db->database_count = 2;
    db->autocommit = true;
    db->flags = 1ull << CONNECTION_AUTOMATIC_INDEX | 1ull << CONNECTION_SHORT_COLUMN_NAMES |
                1ull << CONNECTION_TRUSTED_SCHEMA | 1ull << CONNECTION_DQS_DML | 1ull << CONNECTION_DQS_DDL;
    memcpy(db->limits, limits_default, sizeof db->limits);
    db->settings[SETTING_WAL_AUTOCHECKPOINT] = e->options.checkpoint_frames ? e->options.checkpoint_frames : 1000;
    db->settings[SETTING_CACHE_SPILL] = 1;
    db->settings[SETTING_AUTO_VACUUM] = -1;
    op_init(&db->op, e->io, connection_op_wake);
    db->next = e->connections;
    e->connections = db;
    *out = db;
    return true;
}

static io_status ephemeral_close(struct skerry *db)
{
    while (db->ephemeral_free) {
        struct vm_ephemeral_store *e = db->ephemeral_free;
        txn_destroy(e->txn);
        e->txn = NULL;
        if (e->store && store_close(e->store, &db->op) == IO_WAIT) return IO_WAIT;
        db->ephemeral_free = e->next;
        free(e);
    }
    return IO_DONE;
}

int skerry_close(struct skerry *db, struct err *err)
{
    if (skerry_stmt_next(db, NULL)) {
        err_clear(&db->err);
        err_set(&db->err, ERR_BUSY, __func__, "unable to close due to unfinalized statements");
        if (err) *err = db->err;
        return ERR_BUSY;
    }
    fts_connection_free(db);
    statement_cache_clear(db);
    // What an earlier call failed for is no error of closing.
    if (!db->close_began) err_clear(&db->op.err);
    db->close_began = true;
    schema_load_free(db->load);
    db->load = NULL;
    connection_measure_clear(db);
    connection_savepoints_free(db);
    connection_eponymous_free(db);
    io_status status = ephemeral_close(db);
    if (status == IO_WAIT) return SKERRY_WAIT;
    while (db->database_count) {
        struct database *d = &db->databases[db->database_count - 1];
        txn_destroy(d->txn);
        d->txn = NULL;
        schema_unref(d->schema);
        d->schema = NULL;
        if (d->store) status = store_close(d->store, &db->op);
        if (status == IO_WAIT) return SKERRY_WAIT;
        store_key_free(&d->key);
        free(d->name);
        free(d->path);
        db->database_count--;
        db->databases[db->database_count] = (struct database){0};
    }
    if (connection_closing(db, &db->op) == IO_WAIT) return SKERRY_WAIT;
    ASSERT(!db->statements);
    if (err && db->op.err.code != ERR_OK) *err = db->op.err;
    op_deinit(&db->op);
    struct skerry **link = &db->engine->connections;
    while (*link != db) link = &(*link)->next;
    *link = db->next;
    connection_own_free(db);
    statement_spare_free(db);
    free(db);
    return SKERRY_OK;
}

void skerry_on_wake(struct skerry *db, void (*on_wake)(void *context), void *context)
{
    db->on_wake = on_wake;
    db->wake_context = context;
}

void skerry_wait(struct skerry *db)
{
    while (!db->woken) {
        if (io_step(db->engine->io, UINT64_MAX) <= 0 && !io_busy(db->engine->io)) break;
    }
    db->woken = false;
}

const struct err *skerry_error(const struct skerry *db) { return &db->err; }
int skerry_errcode(const struct skerry *db) { return (int)db->err.code; }
s64 skerry_changes(const struct skerry *db) { return db->changes; }
s64 skerry_total_changes(const struct skerry *db) { return db->total_changes; }
s64 skerry_last_insert_rowid(const struct skerry *db) { return db->last_insert_rowid; }
bool skerry_autocommit(const struct skerry *db) { return db->autocommit; }
void skerry_busy_timeout(struct skerry *db, u32 milliseconds) { db->settings[SETTING_BUSY_TIMEOUT] = milliseconds; }

void skerry_interrupt(struct skerry *db)
{
    if (db->active_count > 0) db->interrupted = true;
}

bool skerry_interrupted(const struct skerry *db) { return db->interrupted && db->active_count > 0; }

const char *skerry_database_name(const struct skerry *db, u32 index)
{
    return index < db->database_count ? db->databases[index].name : NULL;
}

static const struct database *database_named(const struct skerry *db, const char *name)
{
    int index = name ? connection_database_find(db, name) : DATABASE_MAIN;
    return index < 0 ? NULL : &db->databases[index];
}

const char *skerry_database_path(const struct skerry *db, const char *name)
{
    const struct database *d = database_named(db, name);
    return !d ? NULL : strcmp(d->path, ":memory:") == 0 ? "" : d->path;
}

int skerry_database_read_only(const struct skerry *db, const char *name)
{
    const struct database *d = database_named(db, name);
    if (!d) return -1;
    return d->read_only || (db->open_flags & SKERRY_OPEN_READ_ONLY && d != &db->databases[DATABASE_TEMP]);
}

int skerry_transaction(const struct skerry *db, const char *name)
{
    const struct database *only = name ? database_named(db, name) : NULL;
    int most = SKERRY_TRANSACTION_NONE;
    if (name && !only) return -1;
    for (u32 i = 0; i < db->database_count; i++) {
        const struct database *d = &db->databases[i];
        if (!d->txn || (only && d != only)) continue;
        switch (txn_state_get(d->txn)) {
        case TXN_NONE: break;
        case TXN_READ: most = MAX(most, SKERRY_TRANSACTION_READ); break;
        case TXN_WRITE: most = SKERRY_TRANSACTION_WRITE; break;
        }
    }
    return most;
}

bool skerry_rollback(struct skerry *db)
{
    if (db->autocommit) return false;
    connection_rollback(db);
    db->autocommit = true;
    return true;
}

struct store *skerry_store(struct skerry *db)
{
    return db->databases[DATABASE_MAIN].store;
}

s64 skerry_limit(struct skerry *db, enum skerry_limit limit, s64 value)
{
    if ((unsigned)limit >= SKERRY_LIMIT_COUNT) return -1;
    s64 before = db->limits[limit];
    if (value >= 0 && limit < SKERRY_LIMIT_STATEMENT_MS) db->shape++;
    if (value >= 0 && limit == SKERRY_LIMIT_STATEMENT_CACHE) statement_cache_clear(db);
    if (value >= 0) db->limits[limit] = MAX(MIN(value, limits_max[limit]), limits_min[limit]);
    return before;
}

// ---- statements ------------------------------------------------------------------------------------------------

// The error of an operation becomes the connection's; gives SQLite's primary code.
static int failed(struct skerry *db, const struct err *err)
{
    if (&db->err != err) db->err = *err;
    // What a file's bytes are wrong at is no place in the SQL.
    if (err_primary(db->err.code) != ERR_ERROR) db->err.offset = -1;
    return err_primary(db->err.code);
}

int skerry_prepare(struct skerry *db, const char *sql, size_t size, struct skerry_stmt **out, size_t *used)
{
    *out = NULL;
    db->woken = false;
    if (size > (u64)db->limits[SKERRY_LIMIT_SQL_LENGTH]) {
        err_clear(&db->err);
        err_set(&db->err, ERR_TOOBIG, __func__, "statement too long");
        return SKERRY_OK + ERR_TOOBIG;
    }
    if (db->op.err.code != ERR_OK) err_clear(&db->op.err);
    switch (statement_prepare(db, &db->op, sql, size, false, out, used)) {
    case IO_DONE: return SKERRY_OK;
    case IO_WAIT: return SKERRY_WAIT;
    case IO_FAIL: break;
    }
    op_settle(&db->op);
    // An expression of the schema's own (a generated column, say) may be what is wrong.
    if (db->op.err.offset > (s64)size) db->op.err.offset = -1;
    return failed(db, &db->op.err);
}

int skerry_step(struct skerry_stmt *s)
{
    s->db->woken = false;
    switch (statement_step(s)) {
    case VM_ROW: return SKERRY_ROW;
    case VM_DONE: return SKERRY_DONE;
    case VM_WAIT: return SKERRY_WAIT;
    case VM_FAIL: break;
    }
    return failed(s->db, &s->op.err);
}

int skerry_reset(struct skerry_stmt *s)
{
    if (s->state == STMT_STATE_RUNNING || s->state == STMT_STATE_ROW) {
        // What an autocommit has changed so far stays, as after SQLite's reset.
        s->halt_step = HALT_BEGIN;
        if (s->op.err.code != ERR_OK) err_clear(&s->op.err);
        waiter_remove(&s->op.waiter);
        op_settle(&s->op);
        s->expired = s->program->run_once;
        s->state = STMT_STATE_HALTING;
    }
    if (s->state == STMT_STATE_HALTING) {
        switch (vm_halt(s)) {
        case IO_WAIT: return SKERRY_WAIT;
        case IO_FAIL: s->state = STMT_STATE_READY; return failed(s->db, &s->op.err);
        case IO_DONE: break;
        }
    }
    s->state = STMT_STATE_READY;
    s->row = NULL;
    return SKERRY_OK;
}

struct skerry *skerry_stmt_db(const struct skerry_stmt *s) { return s->db; }

const char *skerry_sql(const struct skerry_stmt *s, size_t *size)
{
    if (size) *size = s->sql_size;
    return s->sql;
}

struct skerry_stmt *skerry_stmt_next(struct skerry *db, struct skerry_stmt *s)
{
    s = s ? s->next : db->statements;
    while (s && (s->nested || s->cached)) s = s->next;
    return s;
}

bool skerry_stmt_readonly(const struct skerry_stmt *s) { return s->program->read_only; }
enum skerry_explain skerry_stmt_explain(const struct skerry_stmt *s) { return (enum skerry_explain)s->program->explain; }

bool skerry_stmt_busy(const struct skerry_stmt *s)
{
    return s->state == STMT_STATE_RUNNING || s->state == STMT_STATE_ROW || s->state == STMT_STATE_HALTING;
}

void skerry_statement_cache(const struct skerry *db, struct skerry_statement_cache *out)
{
    const struct statement_cache *c = &db->cache;
    *out = (struct skerry_statement_cache){.hits = c->hits, .misses = c->misses, .bytes = c->bytes, .count = c->count};
}

void skerry_stmt_counters(const struct skerry_stmt *s, struct skerry_stmt_counters *out)
{
    *out = s->counters;
    out->bytes = statement_bytes(s);
}

// ---- parameters ------------------------------------------------------------------------------------------------

u32 skerry_parameter_count(const struct skerry_stmt *s) { return s->program->parameter_count; }

const char *skerry_parameter_name(const struct skerry_stmt *s, u32 index)
{
    const struct program *p = s->program;
    for (u32 i = 0; i < p->named_parameter_count; i++)
        if (p->parameters[i].number == index) return p->parameters[i].name;
    return NULL;
}

u32 skerry_parameter_index(const struct skerry_stmt *s, const char *name)
{
    const struct program *p = s->program;
    for (u32 i = 0; i < p->named_parameter_count; i++)
        if (p->parameters[i].name && strcmp(p->parameters[i].name, name) == 0) return p->parameters[i].number;
    return 0;
}

static int bind_begin(struct skerry_stmt *s, u32 index)
{
    if (skerry_stmt_busy(s)) {
        err_clear(&s->db->err);
        err_set(&s->db->err, ERR_MISUSE, __func__, "%s", err_default_text(ERR_MISUSE));
        return ERR_MISUSE;
    }
    if (index < 1 || index > s->program->parameter_count) {
        err_clear(&s->db->err);
        err_set(&s->db->err, ERR_RANGE, __func__, "%s", err_default_text(ERR_RANGE));
        return ERR_RANGE;
    }
    return SKERRY_OK;
}

static int bind_end(struct skerry_stmt *s, err_code code)
{
    if (code == ERR_OK) return SKERRY_OK;
    err_clear(&s->db->err);
    err_set(&s->db->err, code, __func__, "%s", err_default_text(code));
    return err_primary(code);
}

int skerry_bind(struct skerry_stmt *s, u32 index, const struct value *v)
{
    int result = bind_begin(s, index);
    return result ? result : bind_end(s, value_copy(&s->parameters[index], v));
}

int skerry_bind_null(struct skerry_stmt *s, u32 index)
{
    int result = bind_begin(s, index);
    if (!result) value_set_null(&s->parameters[index]);
    return result;
}

int skerry_bind_integer(struct skerry_stmt *s, u32 index, s64 i)
{
    int result = bind_begin(s, index);
    if (!result) value_set_integer(&s->parameters[index], i);
    return result;
}

int skerry_bind_real(struct skerry_stmt *s, u32 index, double r)
{
    int result = bind_begin(s, index);
    if (!result) value_set_real(&s->parameters[index], r);
    return result;
}

int skerry_bind_text(struct skerry_stmt *s, u32 index, const void *bytes, size_t size)
{
    int result = bind_begin(s, index);
    if (!result && size > (u64)s->db->limits[SKERRY_LIMIT_LENGTH]) result = bind_end(s, ERR_TOOBIG);
    return result ? result : bind_end(s, value_set_text(&s->parameters[index], bytes, size));
}

int skerry_bind_blob(struct skerry_stmt *s, u32 index, const void *bytes, size_t size)
{
    int result = bind_begin(s, index);
    if (!result && size > (u64)s->db->limits[SKERRY_LIMIT_LENGTH]) result = bind_end(s, ERR_TOOBIG);
    return result ? result : bind_end(s, value_set_blob(&s->parameters[index], bytes, size));
}

int skerry_bind_zero_blob(struct skerry_stmt *s, u32 index, u64 size)
{
    int result = bind_begin(s, index);
    if (!result && size > (u64)s->db->limits[SKERRY_LIMIT_LENGTH]) result = bind_end(s, ERR_TOOBIG);
    return result ? result : bind_end(s, value_set_zero_blob(&s->parameters[index], size));
}

void skerry_clear_bindings(struct skerry_stmt *s)
{
    for (u32 i = 1; i <= s->program->parameter_count; i++) value_set_null(&s->parameters[i]);
}

// ---- columns ---------------------------------------------------------------------------------------------------

u32 skerry_column_count(const struct skerry_stmt *s) { return s->program->column_count; }


static const struct program_column *column_of(const struct skerry_stmt *s, u32 column)
{
    static const struct program_column none;
    return column < s->program->column_count ? &s->program->columns[column] : &none;
}

const char *skerry_column_name(const struct skerry_stmt *s, u32 column) { return column_of(s, column)->name; }
const char *skerry_column_decltype(const struct skerry_stmt *s, u32 column) { return column_of(s, column)->decltype; }
const char *skerry_column_database(const struct skerry_stmt *s, u32 column) { return column_of(s, column)->database; }
const char *skerry_column_table(const struct skerry_stmt *s, u32 column) { return column_of(s, column)->table; }
const char *skerry_column_origin(const struct skerry_stmt *s, u32 column) { return column_of(s, column)->origin; }

const struct value *skerry_column(const struct skerry_stmt *s, u32 column)
{
    static const struct value null = {.type = VALUE_NULL};
    if (s->state != STMT_STATE_ROW || column >= s->program->column_count) return &null;
    return &s->row[column];
}

enum value_type skerry_column_type(const struct skerry_stmt *s, u32 column)
{
    return (enum value_type)skerry_column(s, column)->type;
}

s64 skerry_column_integer(struct skerry_stmt *s, u32 column)
{
    return value_to_integer_in(skerry_column(s, column), s->encoding);
}

double skerry_column_real(struct skerry_stmt *s, u32 column)
{
    return value_to_real_in(skerry_column(s, column), s->encoding);
}

static struct value *column_scratch(struct skerry_stmt *s, u32 column)
{
    if (!s->scratch) {
        s->scratch = calloc(s->program->column_count, sizeof *s->scratch);
        if (!s->scratch) return NULL;
        s->scratch_count = s->program->column_count;
        for (u32 i = 0; i < s->scratch_count; i++) value_init(&s->scratch[i]);
    }
    return &s->scratch[column];
}

static const void *column_bytes(struct skerry_stmt *s, u32 column, size_t *size, bool terminated)
{
    const struct value *v = skerry_column(s, column);
    if (size) *size = 0;
    if (v->type == VALUE_NULL) return NULL;
    bool plain = (v->type == VALUE_TEXT || v->type == VALUE_BLOB) && !(v->flags & VALUE_ZERO_TAIL);
    if (!plain || (terminated && !(v->flags & VALUE_TERMINATED))) {
        struct value *own = column_scratch(s, column);
        if (!own || value_copy(own, v) != ERR_OK) return NULL;
        if ((own->type == VALUE_INTEGER || own->type == VALUE_REAL) && value_to_text(own) != ERR_OK) return NULL;
        if (value_expand(own) != ERR_OK || (terminated && value_terminate(own) != ERR_OK)) return NULL;
        v = own;
    }
    if (size) *size = v->size;
    return v->bytes;
}

const char *skerry_column_text(struct skerry_stmt *s, u32 column, size_t *size)
{
    return column_bytes(s, column, size, true);
}

const void *skerry_column_blob(struct skerry_stmt *s, u32 column, size_t *size)
{
    return column_bytes(s, column, size, false);
}

// ---- the rest --------------------------------------------------------------------------------------------------

int skerry_exec(struct skerry *db, const char *sql, int (*row)(void *context, struct skerry_stmt *s), void *context)
{
    size_t left = strlen(sql);
    while (left) {
        struct skerry_stmt *s;
        size_t used;
        int result;
        while ((result = skerry_prepare(db, sql, left, &s, &used)) == SKERRY_WAIT) skerry_wait(db);
        if (result != SKERRY_OK) return result;
        if (!used) break;
        sql += used;
        left -= used;
        if (!s) continue;
        while ((result = skerry_step(s)) == SKERRY_ROW || result == SKERRY_WAIT) {
            if (result == SKERRY_WAIT) {
                skerry_wait(db);
            } else if (row && row(context, s)) {
                err_clear(&db->err);
                err_set(&db->err, ERR_ABORT, __func__, "query aborted");
                result = ERR_ABORT;
                break;
            }
        }
        skerry_finalize(s);
        if (result != SKERRY_DONE) return result;
    }
    return SKERRY_OK;
}

const char *skerry_version(void) { return "0.1.0"; }
const char *skerry_sqlite_version(void) { return "3.50.4"; }
