// Connections: their databases, schemas, functions and collations.
#include "connection.h"

#include "uri.h"

#include <strings.h>

#include "sql/schema.h"
#include "store/btree.h"
#include "store/pager.h"
#include "vm/vm.h"

// ---- flags, functions, collations ------------------------------------------------------------------------------

void connection_flag_set(struct skerry *db, enum connection_flag f, bool on)
{
    u64 before = db->flags;
    if (on)
        db->flags |= 1ull << f;
    else
        db->flags &= ~(1ull << f);
    if (db->flags != before) db->shape++;
    // Programs were compiled for the flags as they were.
    if (db->flags != before && f != CONNECTION_DEFER_FOREIGN_KEYS && f != CONNECTION_QUERY_ONLY &&
        f != CONNECTION_WRITABLE_SCHEMA)
        db->generation++;
}

void connection_keys_settled(struct skerry *db)
{
    db->deferred_violations = db->deferred_immediate_violations = 0;
    connection_flag_set(db, CONNECTION_DEFER_FOREIGN_KEYS, false);
}

int connection_database_find(const struct skerry *db, const char *name)
{
    for (u32 i = 0; i < db->database_count; i++)
        if (name_equal(db->databases[i].name, name)) return (int)i;
    return name_equal(name, "main") ? DATABASE_MAIN : -1;
}

const struct fn_def *connection_full_text_function(struct skerry *db, const char *name)
{
    for (const struct own_function *f = db->functions; f; f = f->next)
        if (f->def.flags & FN_FULL_TEXT && name_equal(f->def.name, name)) return &f->def;
    return NULL;
}

const struct fn_def *connection_function(struct skerry *db, const char *name, size_t name_size, s32 argc,
                                         bool *name_exists)
{
    const struct fn_def *any = NULL;
    bool own = false;
    for (const struct own_function *f = db->functions; f; f = f->next) {
        if (strlen(f->def.name) != name_size || strncasecmp(f->def.name, name, name_size) != 0) continue;
        own = true;
        if (f->def.argument_count == argc) {
            *name_exists = true;
            return &f->def;
        }
        if (f->def.argument_count < 0) any = &f->def;
    }
    if (!any && (argc == 2 || argc == 3) && connection_flag(db, CONNECTION_LIKE_REPLACED) && name_size == 4 &&
        strncasecmp(name, "like", 4) == 0)
        any = &FN_LIKE_REPLACED[connection_flag(db, CONNECTION_CASE_SENSITIVE_LIKE)][argc - 2];
    const struct fn_def *found = any ? any : fn_find(name, name_size, argc, name_exists);
    if (own) *name_exists = true;
    return found;
}

const struct collation *connection_collation(struct skerry *db, const char *name)
{
    for (const struct own_collation *c = db->collations; c; c = c->next)
        if (name_equal(c->collation.name, name)) return &c->collation;
    const struct collation *const built_in[] = {&COLLATION_BINARY, &COLLATION_NOCASE, &COLLATION_RTRIM};
    for (u32 i = 0; i < COUNT_OF(built_in); i++)
        if (name_equal(built_in[i]->name, name)) return built_in[i];
    return NULL;
}

const struct collation *connection_collation_at(struct skerry *db, u32 index)
{
    for (const struct own_collation *c = db->collations; c; c = c->next)
        if (index-- == 0) return &c->collation;
    const struct collation *const built_in[] = {&COLLATION_RTRIM, &COLLATION_NOCASE, &COLLATION_BINARY};
    return index < COUNT_OF(built_in) ? built_in[index] : NULL;
}

bool connection_sealed(const struct skerry *db)
{
    for (u32 i = 0; i < db->database_count; i++)
        if (db->databases[i].store && store_sealed(db->databases[i].store)) return true;
    return false;
}

u8 connection_encoding(const struct skerry *db)
{
    const struct schema *s = db->databases[DATABASE_MAIN].schema;
    if (s && s->encoding) return s->encoding;
    return db->settings[SETTING_ENCODING] ? (u8)db->settings[SETTING_ENCODING] : 1;
}

// ---- databases -------------------------------------------------------------------------------------------------

bool connection_path_in_memory(const char *path)
{
    return !*path || strcmp(path, ":memory:") == 0;
}

u64 connection_cache_bytes(const struct skerry *db, u32 index)
{
    s64 setting = db->databases[index].settings[DATABASE_CACHE_SIZE];
    const struct txn *t = db->databases[index].txn;
    u64 bytes = setting < 0 ? (u64)-(setting + 1) * 1024 + 1024 : (u64)setting * (t ? txn_page_size(t) : 4096);
    u64 max = db->engine->options.cache_bytes;
    return max ? MIN(bytes, max) : bytes;
}

bool connection_in_memory(const struct skerry *db, u32 index)
{
    return index == DATABASE_TEMP || connection_path_in_memory(db->databases[index].path);
}

void connection_database_settings(struct skerry *db, u32 index)
{
    s64 *settings = db->databases[index].settings;
    settings[DATABASE_CACHE_SIZE] = index == DATABASE_TEMP ? 0 : CACHE_SIZE_DEFAULT;
    settings[DATABASE_SYNCHRONOUS] = index == DATABASE_TEMP ? 0 : 2;
    settings[DATABASE_JOURNAL_SIZE_LIMIT] = -1;
    settings[DATABASE_LOCKING_MODE] = db->settings[SETTING_LOCKING_MODE];
    settings[DATABASE_SECURE_DELETE] = db->databases[DATABASE_MAIN].settings[DATABASE_SECURE_DELETE];
}

void connection_wal_policy(struct skerry *db, u32 index)
{
    struct database *d = &db->databases[index];
    if (d->txn) txn_wal_policy(d->txn, (u32)db->settings[SETTING_WAL_AUTOCHECKPOINT], d->settings[DATABASE_JOURNAL_SIZE_LIMIT]);
}

void connection_cannot_open(struct op *op, const char *path)
{
    err_clear(&op->err);
    const char *why = io_path_why(op->io, path);
    err_set(&op->err, ERR_CANTOPEN, __func__, "unable to open database: %s%s%s", path, why ? ": " : "", why ? why : "");
}

io_status connection_database_open(struct skerry *db, struct op *op, u32 index)
{
    struct database *d = &db->databases[index];
    if (LIKELY(d->txn != NULL)) return IO_DONE;
    struct store_options options = {
        .create = (db->open_flags & SKERRY_OPEN_CREATE && !d->read_only && !d->no_create) || index == DATABASE_TEMP,
        .read_only = (d->read_only || db->open_flags & SKERRY_OPEN_READ_ONLY) && index != DATABASE_TEMP,
        .in_memory = connection_in_memory(db, index),
        .temp_dir = connection_in_memory(db, index) ? NULL : db->engine->temp_dir,
        .checkpoint_frames = db->engine->options.checkpoint_frames,
        .wal_bytes_max = db->engine->options.wal_bytes_max,
        .page_size = (u32)db->settings[SETTING_PAGE_SIZE],
        .auto_vacuum = (u8)MAX(db->settings[SETTING_AUTO_VACUUM], 0),
        .checksums = db->engine->options.checksums,
        .key = d->key ? d->key : &db->engine->key,
        .key_previous = d->key ? NULL : &db->engine->key_previous,
    };
    options.cache_bytes = db->engine->options.cache_bytes;
    if (options.in_memory) options.create = true;
    IO_TRY(store_open(db->engine->io, d->path, &options, op, &d->store));
    if (d->settings[DATABASE_CACHE_SIZE] != (index == DATABASE_TEMP ? 0 : CACHE_SIZE_DEFAULT)) store_cache_resize(d->store, connection_cache_bytes(db, index));
    d->txn = txn_create(d->store);
    if (!d->txn) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
    connection_wal_policy(db, index);
    return IO_DONE;
}

// The schema of that cookie that another connection has loaded, or NULL.
static struct schema *schema_shared(const struct skerry *db, const struct store *store, u32 cookie)
{
    for (const struct skerry *other = db->engine->connections; other; other = other->next) {
        for (u32 i = 0; i < other->database_count; i++) {
            const struct database *d = &other->databases[i];
            if (i != DATABASE_TEMP && d->store == store && d->schema && !d->schema_stale && !d->schema_own &&
                !d->schema->lenient && d->schema->cookie == cookie)
                return d->schema;
        }
    }
    return NULL;
}

static void schema_take(struct database *d, struct schema *s)
{
    schema_unref(d->schema);
    d->schema = s;
    d->schema_stale = false;
    d->schema_changes = (struct schema_changes){.cookie = s->cookie};
}

static io_status schema_load_one(struct skerry *db, struct op *op, u32 index)
{
    struct database *d = &db->databases[index];
    db->shape++;
    if (index == DATABASE_TEMP && !d->txn) {
        struct schema *empty = schema_empty(true);
        if (!empty) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
        schema_take(d, empty);
        return IO_DONE;
    }
    IO_TRY(connection_database_open(db, op, index));
    if (txn_state_get(d->txn) == TXN_NONE) d->load_began_read = true;
    IO_TRY(connection_begin_read(db, op, index));
    if (!db->load && !d->schema_own && index != DATABASE_TEMP) {
        u32 cookie;
        IO_TRY(txn_meta_get(d->txn, op, META_SCHEMA_COOKIE, &cookie));
        struct schema *shared = schema_shared(db, d->store, cookie);
        if (shared) {
            schema_take(d, schema_ref(shared));
            return IO_DONE;
        }
    }
    struct schema *fresh = NULL;
    io_status status = schema_load_run(&db->load, d->txn, op, index == DATABASE_TEMP,
                                       connection_flag(db, CONNECTION_WRITABLE_SCHEMA), d->schema, &d->schema_changes, &fresh);
    if (status == IO_WAIT) return status;
    schema_load_free(db->load);
    db->load = NULL;
    IO_TRY(status);
    schema_take(d, fresh);
    return IO_DONE;
}

// Text is of one encoding in all of them.
static io_status encoding_check(struct skerry *db, struct op *op, u32 index)
{
    const struct schema *s = db->databases[index].schema;
    if (index == DATABASE_MAIN || !s->encoding || s->encoding == connection_encoding(db)) return IO_DONE;
    return IO_ERROR(&op->err, ERR_ERROR, "attached databases must use the same text encoding as main database");
}

// Loading holds no snapshot longer than it needs it.
static void load_end_read(struct database *d)
{
    if (d->load_began_read && d->txn && txn_state_get(d->txn) == TXN_READ) txn_end_read(d->txn);
    d->load_began_read = false;
}

static io_status schemas_load(struct skerry *db, struct op *op)
{
    for (u32 i = 0; i < db->database_count; i++) {
        struct database *d = &db->databases[i];
        if (LIKELY(d->schema && !d->schema_stale)) continue;
        io_status status = schema_load_one(db, op, i);
        if (status == IO_WAIT) return status;
        if (status == IO_DONE) status = encoding_check(db, op, i);
        if (db->active_count == 0) load_end_read(d);
        d->load_began_read = false;
        IO_TRY(status);
    }
    return IO_DONE;
}

io_status connection_schemas_load(struct skerry *db, struct op *op)
{
    io_status status = schemas_load(db, op);
    if (LIKELY(status == IO_DONE && db->schema_err.code == ERR_OK) || status == IO_WAIT) return status;
    err_clear(&db->schema_err);
    err_code code = err_primary(op->err.code);
    if (status == IO_DONE || (code != ERR_CORRUPT && code != ERR_NOTADB)) return status;
    db->schema_err = op->err;
    err_clear(&op->err);
    for (u32 i = 0; i < db->database_count; i++) {
        schema_unref(db->databases[i].schema);
        db->databases[i].schema = NULL;
    }
    return IO_DONE;
}

io_status connection_schemas_check(struct skerry *db, struct op *op, bool *changed)
{
    for (u32 i = 0; i < db->database_count; i++) {
        struct database *d = &db->databases[i];
        if (i == DATABASE_TEMP || !d->store || !d->schema || d->schema_stale || d->schema_own) continue;
        u32 cookie;
        if (txn_state_get(d->txn) == TXN_NONE) d->load_began_read = true;
        io_status status = connection_begin_read(db, op, i);
        if (status == IO_DONE) status = txn_meta_get(d->txn, op, META_SCHEMA_COOKIE, &cookie);
        if (status == IO_WAIT) return status;
        load_end_read(d);
        IO_TRY(status);
        if (cookie != d->schema->cookie) *changed = d->schema_stale = true;
    }
    return IO_DONE;
}

void connection_schema_changed(struct skerry *db, u32 index)
{
    db->databases[index].schema_stale = true;
    db->databases[index].schema_own = true;
}

void connection_schemas_stale(struct skerry *db)
{
    for (u32 i = 0; i < db->database_count; i++) {
        struct database *d = &db->databases[i];
        if (d->schema_own) d->schema_stale = true;
        if (d->schema_own || d->schema_changes.count) d->schema_changes.unknown = true;
    }
}

io_status connection_attach(struct skerry *db, struct op *op, const char *path, const char *name,
                            const struct store_key *key)
{
    struct database *d = &db->databases[db->database_count];
    if (!d->path) {
        if (db->closing_count == COUNT_OF(db->closing)) IO_TRY(connection_closing(db, op));
        if (db->database_count >= DATABASE_MAX || db->database_count >= 2 + (u64)db->limits[SKERRY_LIMIT_ATTACHED])
            return IO_ERROR(&op->err, ERR_ERROR, "too many attached databases - max %lld",
                            (long long)db->limits[SKERRY_LIMIT_ATTACHED]);
        if (connection_database_find(db, name) >= 0)
            return IO_ERROR(&op->err, ERR_ERROR, "database %s is already in use", name);
        struct database_name parts;
        if (!database_name_parse(path, !(db->open_flags & SKERRY_OPEN_READ_ONLY), &parts, &op->err)) return IO_FAIL;
        *d = (struct database){.name = strdup(name), .path = parts.path, .read_only = parts.read_only,
                               .no_create = parts.no_create, .key = parts.key};
        if (key && !d->key && !(d->key = malloc(sizeof *key))) {
            free(d->path);
            d->path = NULL; // told of below
        } else if (key) {
            *d->key = *key;
        }
    }
    io_status status = IO_FAIL;
    if (!d->name || !d->path) {
        err_set(&op->err, ERR_NOMEM, __func__, "out of memory");
    } else {
        connection_database_settings(db, db->database_count);
        db->database_count++; // visible to open and begin, which take its number
        status = connection_database_open(db, op, db->database_count - 1);
        if (status == IO_DONE) status = schema_load_one(db, op, db->database_count - 1);
        if (status == IO_DONE) status = encoding_check(db, op, db->database_count - 1);
        if (status == IO_DONE) load_end_read(d);
        if (status != IO_DONE) db->database_count--;
    }
    if (status == IO_WAIT) return status;
    if (status == IO_FAIL) {
        err_code code = op->err.code;
        txn_destroy(d->txn);
        d->txn = NULL;
        // There was room; else it stays open.
        if (d->store && db->closing_count < COUNT_OF(db->closing)) db->closing[db->closing_count++] = d->store;
        if (code == ERR_CANTOPEN) connection_cannot_open(op, d->path);
        schema_unref(d->schema);
        store_key_free(&d->key);
        free(d->name);
        free(d->path);
        *d = (struct database){0};
        return status;
    }
    db->generation++;
    return IO_DONE;
}

err_code connection_detach(struct skerry *db, const char *name, struct err *err)
{
    int index = connection_database_find(db, name);
    if (index < 0 || (index == DATABASE_TEMP && !db->databases[index].store)) {
        err_set(err, ERR_ERROR, __func__, "no such database: %s", name);
        return ERR_ERROR;
    }
    if (index < 2) {
        err_set(err, ERR_ERROR, __func__, "cannot detach database %s", name);
        return ERR_ERROR;
    }
    struct database *d = &db->databases[index];
    if (d->txn && txn_state_get(d->txn) != TXN_NONE) {
        err_set(err, ERR_ERROR, __func__, "database %s is locked", name);
        return ERR_ERROR;
    }
    if (db->closing_count == COUNT_OF(db->closing)) {
        err_set(err, ERR_ERROR, __func__, "database %s is locked", name);
        return ERR_ERROR;
    }
    txn_destroy(d->txn);
    if (d->store) db->closing[db->closing_count++] = d->store;
    schema_unref(d->schema);
    store_key_free(&d->key);
    free(d->name);
    free(d->path);
    memmove(d, d + 1, (db->database_count - (u32)index - 1) * sizeof *d);
    db->database_count--;
    db->databases[db->database_count] = (struct database){0};
    db->generation++;
    return ERR_OK;
}

io_status connection_closing(struct skerry *db, struct op *op)
{
    while (db->closing_count) {
        struct err before = op->err;
        if (store_close(db->closing[db->closing_count - 1], op) == IO_WAIT) return IO_WAIT;
        op->err = before; // a checkpoint that failed lost nothing: the log stays
        db->closing_count--;
    }
    return IO_DONE;
}
