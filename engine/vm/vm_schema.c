// Instructions about databases as a whole: transactions, header fields, trees, nested SQL, attaching.
#include "../fts/fts_table.h"
#include "../store/check.h"
#include "../store/vacuum.h"
#include "vm.h"

#include "../sql/compile.h"
#include "../sql/schema.h"
#include "../store/pager.h"
#include "../uri.h"
#include "statement.h"

#include <sodium.h>

static struct value *reg(struct skerry_stmt *s, s32 number)
{
    return &s->frame->registers[number];
}

u64 vm_busy_deadline(struct skerry_stmt *s)
{
    s64 timeout_ms = s->db->settings[SETTING_BUSY_TIMEOUT];
    if (timeout_ms <= 0) return 0;
    if (!s->busy_deadline_ns) s->busy_deadline_ns = io_now_ns(s->op.io) + (u64)timeout_ms * 1000000;
    return s->busy_deadline_ns;
}

// Opens the savepoint of the statement in a transaction that writes.
static io_status statement_savepoint_open(struct skerry_stmt *s, struct txn *t)
{
    struct skerry *db = s->db;
    // Rolling back to it must find nothing pending from before.
    if (!s->nested) IO_TRY(fts_connection_flush(db, &s->op));
    if (!s->savepoint) {
        s->savepoint = db->savepoint_count + ++db->statement_savepoint_count;
        s->deferred_before = db->deferred_violations;
        s->deferred_immediate_before = db->deferred_immediate_violations;
    }
    while (txn_savepoint_count(t) < s->savepoint) {
        u32 number;
        if (txn_savepoint_open(t, &number, &s->op.err) != ERR_OK) return IO_FAIL;
    }
    return IO_DONE;
}

io_status vm_transaction(struct skerry_stmt *s, const struct instruction *in)
{
    struct skerry *db = s->db;
    u32 index = (u32)in->p1;
    struct database *d = &db->databases[index];
    bool write = in->p2 != 0;
    bool read_only = index != DATABASE_TEMP && (db->open_flags & SKERRY_OPEN_READ_ONLY || d->read_only);
    if (write && (read_only || connection_flag(db, CONNECTION_QUERY_ONLY)))
        return IO_ERROR(&s->op.err, ERR_READONLY, "attempt to write a readonly database");
    IO_TRY(connection_database_open(db, &s->op, index));
    if (write) {
        io_status status = connection_begin_write(db, &s->op, index, vm_busy_deadline(s));
        if (status == IO_WAIT) return status;
        s->busy_deadline_ns = 0;
        IO_TRY(status);
    } else {
        IO_TRY(connection_begin_read(db, &s->op, index));
    }
    if (in->p5 && !s->nested) {
        u32 cookie;
        IO_TRY(txn_meta_get(d->txn, &s->op, META_SCHEMA_COOKIE, &cookie));
        if (cookie != (u32)in->p3 || d->schema_stale || d->schema != s->program->schemas[index]) {
            if (!d->schema || cookie != d->schema->cookie) d->schema_stale = true;
            s->schema_mismatch = true;
            return IO_ERROR(&s->op.err, ERR_SCHEMA, "database schema has changed");
        }
    }
    if (write && s->program->uses_savepoint && (!db->autocommit || db->active_count > 1 || s->nested))
        IO_TRY(statement_savepoint_open(s, d->txn));
    return IO_DONE;
}

static io_status tree_destroy(struct skerry_stmt *s, const struct instruction *in)
{
    struct skerry *db = s->db;
    if (db->active_count > 1) return IO_ERROR(&s->op.err, ERR_LOCKED, "database table is locked");
    pgno moved = 0;
    io_status status = btree_drop(db->databases[in->p3].txn, &s->op, (pgno)in->p1, &s->walk, &moved);
    if (status == IO_WAIT) return status;
    btree_walk_deinit(&s->walk);
    s->walk = (struct btree_walk){0};
    value_set_integer(reg(s, in->p2), moved);
    return status;
}

// r[p1] = text of at most r[p1+1] problems of the trees p4 (int array) of database p5, or NULL.
static io_status integrity_check(struct skerry_stmt *s, const struct instruction *in)
{
    struct check *check = s->check;
    if (!check) {
        check = s->check = calloc(1, sizeof *check);
        pgno *roots = calloc((size_t)in->p4.ints[0] + 1, sizeof *roots);
        if (!check || !roots) {
            free(roots);
            return IO_ERROR(&s->op.err, ERR_NOMEM, "out of memory");
        }
        for (s32 i = 0; i < in->p4.ints[0]; i++) roots[i] = (pgno)in->p4.ints[i + 1];
        bool partial = in->p5 & 1;
        *check = (struct check){.txn = s->db->databases[in->p5 >> 1].txn, .roots = roots, .root_count = (u32)in->p4.ints[0],
                                .partial = partial, .skip_freelist = partial,
                                .errors_max = (u32)MIN(reg(s, in->p2)->integer, (s64)UINT32_MAX)};
    }
    io_status status = check_run(check, &s->op);
    if (status == IO_WAIT) return status;
    if (status == IO_DONE) {
        size_t size = check->text ? strlen(check->text) : 0;
        while (size && check->text[size - 1] == '\n') size--;
        if (!size)
            value_set_null(reg(s, in->p1));
        else if (value_set_text(reg(s, in->p1), check->text, size) != ERR_OK)
            status = IO_ERROR(&s->op.err, ERR_NOMEM, "out of memory");
        if (check->error_count > 1) value_set_integer(reg(s, in->p2), reg(s, in->p2)->integer - check->error_count + 1);
        for (u32 i = 0; i < check->root_count; i++) value_set_integer(reg(s, in->p3 + (s32)i), (s64)check->counts[i]);
    }
    vm_check_free(s);
    return status;
}

void vm_check_free(struct skerry_stmt *s)
{
    if (!s->check) return;
    free((pgno *)(uintptr_t)s->check->roots);
    check_deinit(s->check);
    free(s->check);
    s->check = NULL;
}

static io_status tree_clear(struct skerry_stmt *s, const struct instruction *in)
{
    io_status status = btree_clear(s->db->databases[in->p2].txn, &s->op, (pgno)in->p1, &s->walk);
    if (status == IO_WAIT) return status;
    u64 count = s->walk.count;
    btree_walk_deinit(&s->walk);
    s->walk = (struct btree_walk){0};
    IO_TRY(status);
    s->counters.rows_written += count;
    if (in->p1 == ROOT_SCHEMA) s->db->databases[in->p2].schema_changes.unknown = true;
    if (in->p3) {
        s->changes += (s64)count;
        if (in->p3 > 0) value_set_integer(reg(s, in->p3), reg(s, in->p3)->integer + (s64)count);
    }
    return IO_DONE;
}

// Runs SQL in the midst of a statement: one statement after another, each to its end.
static io_status sql_exec(struct skerry_stmt *s, const struct instruction *in)
{
    struct skerry *db = s->db;
    const char *sql = in->p4.text;
    size_t size;
    if (in->p3 == 1) {
        if (reg(s, in->p2)->type != VALUE_TEXT) return IO_DONE;
        VALUE_TRY(s, value_terminate(reg(s, in->p2)));
        sql = (const char *)reg(s, in->p2)->bytes;
        size = reg(s, in->p2)->size;
    } else {
        size = strlen(sql);
    }
    bool writable = connection_flag(db, CONNECTION_WRITABLE_SCHEMA);
    io_status status = IO_DONE;
    s64 limit = db->settings[SETTING_ANALYSIS_LIMIT];
    if (in->p1 & SQL_EXEC_OWN) connection_flag_set(db, CONNECTION_WRITABLE_SCHEMA, true);
    if (in->p1 & SQL_EXEC_LIMITED && in->p2) db->settings[SETTING_ANALYSIS_LIMIT] = in->p2;
    while (status == IO_DONE && (s->inner || s->inner_used < size)) {
        if (!s->inner) {
            size_t used = 0;
            status = statement_prepare(db, &s->op, sql + s->inner_used, size - s->inner_used, true, &s->inner, &used);
            if (status != IO_DONE) break;
            s->inner_used += used;
            if (!s->inner) {
                if (!used) s->inner_used = size;
                continue;
            }
        }
        enum vm_result result = statement_step(s->inner);
        if (result == VM_WAIT) {
            status = IO_WAIT;
        } else if (result == VM_FAIL) {
            s->op.err = s->inner->op.err;
            status = IO_FAIL;
        } else if (result == VM_DONE) {
            skerry_finalize(s->inner);
            s->inner = NULL;
        }
    }
    db->settings[SETTING_ANALYSIS_LIMIT] = limit;
    if (in->p1 & SQL_EXEC_OWN) connection_flag_set(db, CONNECTION_WRITABLE_SCHEMA, writable);
    if (status == IO_WAIT) return status;
    if (s->inner) skerry_finalize(s->inner);
    s->inner = NULL;
    s->inner_used = 0;
    return status;
}

static io_status checkpoint(struct skerry_stmt *s, const struct instruction *in)
{
    struct skerry *db = s->db;
    // One after the other: the registers hold what came of those before. The numbers are the first one's.
    if (!s->checkpoint_next) {
        value_set_integer(reg(s, in->p3), 0);
        value_set_integer(reg(s, in->p3 + 1), -1);
        value_set_integer(reg(s, in->p3 + 2), -1);
    }
    for (; s->checkpoint_next < db->database_count; s->checkpoint_next++) {
        u32 i = s->checkpoint_next;
        if (in->p1 >= 0 && i != (u32)in->p1) continue;
        if (i == DATABASE_TEMP && !db->databases[i].txn) continue;
        struct checkpoint_result result = {0};
        io_status status = connection_database_open(db, &s->op, i);
        if (status == IO_DONE)
            status = txn_checkpoint(db->databases[i].txn, &s->op, (enum checkpoint_mode)in->p2, vm_busy_deadline(s), &result);
        if (status == IO_WAIT) return status;
        s->busy_deadline_ns = 0;
        if (status == IO_FAIL) {
            s->checkpoint_next = 0;
            return status;
        }
        if (result.busy) value_set_integer(reg(s, in->p3), 1);
        if (!result.log || (in->p1 < 0 && i != DATABASE_MAIN)) continue;
        value_set_integer(reg(s, in->p3 + 1), result.wal_frames);
        value_set_integer(reg(s, in->p3 + 2), result.checkpointed_frames);
    }
    s->checkpoint_next = 0;
    return IO_DONE;
}

static io_status text_set(struct skerry_stmt *s, s32 target, const char *text)
{
    VALUE_TRY(s, value_set_text(reg(s, target), text, strlen(text)));
    return IO_DONE;
}

static io_status database_attach(struct skerry_stmt *s, const struct instruction *in)
{
    struct value *file = reg(s, in->p1), *name = reg(s, in->p2);
    VALUE_TRY(s, value_to_text(file));
    VALUE_TRY(s, value_to_text(name));
    if (file->type != VALUE_TEXT) value_borrow_text(file, "", 0);
    if (name->type != VALUE_TEXT) value_borrow_text(name, "", 0);
    VALUE_TRY(s, value_terminate(file));
    VALUE_TRY(s, value_terminate(name));
    // KEY: 32 bytes as a blob, or a passphrase; '': the file is not encrypted; NULL or none: the engine's key.
    struct value *given = reg(s, in->p3);
    if (given->type == VALUE_NULL) return connection_attach(s->db, &s->op, (const char *)file->bytes, (const char *)name->bytes, NULL);
    struct store_key key = {0};
    if (given->type == VALUE_BLOB) {
        VALUE_TRY(s, value_expand(given));
        if (!store_key_of_file(given->bytes, given->size, &key, &s->op.err)) return IO_FAIL;
    } else {
        VALUE_TRY(s, value_to_text(given));
        VALUE_TRY(s, value_terminate(given));
        if (!store_key_passphrase((const char *)given->bytes, &key, &s->op.err)) return IO_FAIL;
    }
    io_status status = connection_attach(s->db, &s->op, (const char *)file->bytes, (const char *)name->bytes, &key);
    sodium_memzero(&key, sizeof key);
    return status;
}

static io_status database_detach(struct skerry_stmt *s, const struct instruction *in)
{
    struct value *name = reg(s, in->p1);
    VALUE_TRY(s, value_to_text(name));
    if (name->type != VALUE_TEXT) value_borrow_text(name, "", 0);
    VALUE_TRY(s, value_terminate(name));
    return connection_detach(s->db, (const char *)name->bytes, &s->op.err) == ERR_OK ? IO_DONE : IO_FAIL;
}

// An empty database takes on a new page size: it is opened anew.
static io_status page_size_apply(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    struct database *d = &db->databases[DATABASE_MAIN];
    if (!db->autocommit || db->active_count > 1) return IO_DONE;
    if (d->txn) {
        if (txn_page_size(d->txn) == (u32)db->settings[SETTING_PAGE_SIZE]) return IO_DONE;
        bool held = txn_state_get(d->txn) != TXN_NONE;
        IO_TRY(txn_begin_read(d->txn, &s->op));
        bool empty = txn_page_count(d->txn) == 0;
        if (!held) txn_end_read(d->txn);
        if (held || !empty) return IO_DONE;
        txn_destroy(d->txn);
        d->txn = NULL;
    }
    if (d->store) {
        IO_TRY(store_close(d->store, &s->op));
        d->store = NULL;
    }
    return IO_DONE;
}

// The temp database starts anew, with nothing in it.
static io_status temp_store_apply(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    struct database *d = &db->databases[DATABASE_TEMP];
    if (!d->txn) return IO_DONE;
    if (!db->autocommit || txn_state_get(d->txn) != TXN_NONE)
        return IO_ERROR(&s->op.err, ERR_ERROR, "temporary storage cannot be changed from within a transaction");
    if (db->closing_count == COUNT_OF(db->closing)) IO_TRY(connection_closing(db, &s->op));
    txn_destroy(d->txn);
    d->txn = NULL;
    db->closing[db->closing_count++] = d->store;
    d->store = NULL;
    schema_unref(d->schema);
    d->schema = NULL;
    db->generation++;
    return IO_DONE;
}

void vm_vacuum_free(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    struct vacuum *v = s->vacuum;
    if (!v) return;
    vacuum_deinit(v);
    if (v->image && db->closing_count < COUNT_OF(db->closing)) db->closing[db->closing_count++] = v->image;
    if (v->target && db->closing_count < COUNT_OF(db->closing)) db->closing[db->closing_count++] = v->target;
    free(v);
    s->vacuum = NULL;
}

static bool schema_counts_up(const struct schema *schema)
{
    for (u32 i = 1; i < schema->table_count; i++)
        if (schema->tables[i]->flags & TABLE_AUTOINCREMENT) return true;
    return false;
}

// SQLite writes the rows of views, triggers and virtual tables into the new sqlite_schema last and by INSERT.
static void vacuum_rowid(struct skerry *db, const struct schema *schema, bool without_sequence)
{
    if (!schema) return; // it is malformed: its pages were copied all the same
    s64 rows = 0;
    bool inserted = false;
    for (u32 i = 1; i < schema->table_count; i++) {
        const struct table *t = schema->tables[i];
        if (table_owns_foreign_triggers(t) || (without_sequence && name_equal(t->name, "sqlite_sequence"))) continue;
        rows++;
        inserted |= t->kind != TABLE_ORDINARY || t->triggers;
        for (const struct index *x = t->indexes; x; x = x->next) rows += table_has_rowid(t) || x != t->primary_key;
        for (const struct trigger *x = t->triggers; x; x = x->next) rows++;
    }
    if (inserted) db->last_insert_rowid = rows;
}

static io_status schema_readable(struct skerry_stmt *s)
{
    const struct err *err = &s->db->schema_err;
    return err->code == ERR_OK ? IO_DONE : IO_ERROR(&s->op.err, err->code, "%s", err->text);
}

// The database p1, into the file named in r[p2] if there is one. Its transaction has begun.
static io_status vacuum(struct skerry_stmt *s, const struct instruction *in)
{
    struct skerry *db = s->db;
    if (!db->autocommit) return IO_ERROR(&s->op.err, ERR_ERROR, "cannot VACUUM from within a transaction");
    if (db->active_count > 1) return IO_ERROR(&s->op.err, ERR_ERROR, "cannot VACUUM - SQL statements in progress");
    if (!s->vacuum) {
        struct database_name into = {0};
        IO_TRY(connection_closing(db, &s->op));
        IO_TRY(schema_readable(s));
        if (in->p2) {
            if (reg(s, in->p2)->type != VALUE_TEXT) return IO_ERROR(&s->op.err, ERR_ERROR, "non-text filename");
            VALUE_TRY(s, value_terminate(reg(s, in->p2)));
            if (!database_name_parse((const char *)reg(s, in->p2)->bytes, true, &into, &s->op.err)) return IO_FAIL;
            if (connection_path_in_memory(into.path)) { // which would go at once
                free(into.path);
                store_key_free(&into.key);
                return IO_DONE;
            }
        }
        s->vacuum = calloc(1, sizeof *s->vacuum);
        if (!s->vacuum) {
            free(into.path);
            store_key_free(&into.key);
            return vm_no_memory(s);
        }
        s->vacuum->target_path = into.path;
        s->vacuum->target_key = into.key;
        s->vacuum->target_checksums = db->engine->options.checksums;
        s->vacuum->target_page_size = (u32)db->settings[SETTING_PAGE_SIZE];
        s->vacuum->txn = db->databases[in->p1].txn;
        s->vacuum->auto_vacuum = (s8)db->settings[SETTING_AUTO_VACUUM];
    }
    struct vacuum *v = s->vacuum;
    const struct schema *schema = db->databases[in->p1].schema;
    v->without_sequence = schema && !schema->lenient && !schema_counts_up(schema);
    if (v->step < VACUUM_DONE) {
        IO_TRY(vacuum_copy(v, &s->op));
        if (v->step < VACUUM_DONE) { // others have their turn
            vm_turn(s);
            return IO_WAIT;
        }
    }
    if (v->target_path) {
        io_status status = vacuum_write_into(v, &s->op);
        if (status == IO_FAIL && s->op.err.code == ERR_CANTOPEN) connection_cannot_open(&s->op, v->target_path);
        IO_TRY(status);
        vacuum_rowid(db, schema, v->without_sequence);
    } else {
        IO_TRY(vacuum_replace(v, &s->op));
        vacuum_rowid(db, schema, v->without_sequence);
        db->databases[in->p1].schema_changes.unknown = true;
        connection_schema_changed(db, (u32)in->p1);
    }
    vm_vacuum_free(s);
    return IO_DONE;
}

static io_status rekey_to(struct skerry_stmt *s, struct database *d, const struct store_key *key)
{
    if (!d->key && !(d->key = calloc(1, sizeof *d->key))) return vm_no_memory(s);
    IO_TRY(store_rekey(d->store, &s->op, key));
    *d->key = *key;
    return IO_DONE;
}

static io_status rekey(struct skerry_stmt *s, const struct instruction *in)
{
    struct skerry *db = s->db;
    struct database *d = &db->databases[in->p1];
    IO_TRY(connection_database_open(db, &s->op, (u32)in->p1));
    if (in->p3) value_set_integer(reg(s, in->p3), store_rekey_left(d->store));
    if (!in->p2) return IO_DONE;
    if (db->engine->options.keys_fixed)
        return IO_ERROR(&s->op.err, ERR_AUTH, "not authorized: the program's settings say the key (--db-key, --db-key-previous)");
    if (!db->autocommit) return IO_ERROR(&s->op.err, ERR_ERROR, "cannot change the key from within a transaction");
    struct store_key key = {0};
    struct value *given = reg(s, in->p2);
    VALUE_TRY(s, value_to_text(given));
    VALUE_TRY(s, value_terminate(given));
    const char *text = (const char *)given->bytes;
    bool good = in->p5 & 1 ? store_key_hex(text, given->size, &key, &s->op.err) : store_key_passphrase(text, &key, &s->op.err);
    io_status status = good ? rekey_to(s, d, &key) : IO_FAIL;
    sodium_memzero(&key, sizeof key);
    return status;
}

static io_status setting(struct skerry_stmt *s, const struct instruction *in)
{
    struct skerry *db = s->db;
    if (in->p5 & 1) {
        db->settings[in->p1] = value_to_integer(reg(s, in->p2));
        db->shape++;
        if (in->p1 == SETTING_PAGE_SIZE) IO_TRY(page_size_apply(s));
        if (in->p1 == SETTING_TEMP_STORE) IO_TRY(temp_store_apply(s));
        for (u32 i = 0; in->p1 == SETTING_WAL_AUTOCHECKPOINT && i < db->database_count; i++) connection_wal_policy(db, i);
    }
    if (in->p3 > 0) value_set_integer(reg(s, in->p3), db->settings[in->p1]);
    return IO_DONE;
}

static io_status cookie_set(struct skerry_stmt *s, const struct instruction *in)
{
    struct database *d = &s->db->databases[in->p1];
    if (in->p2 == META_SCHEMA_COOKIE) {
        u32 before;
        IO_TRY(txn_meta_get(d->txn, &s->op, META_SCHEMA_COOKIE, &before));
        IO_TRY(txn_meta_set(d->txn, &s->op, META_SCHEMA_COOKIE, (u32)in->p3));
        if (before != d->schema_changes.cookie) d->schema_changes.unknown = true; // another has changed it
        d->schema_changes.cookie = (u32)in->p3;
        connection_schema_changed(s->db, (u32)in->p1);
        if (in->p1 == DATABASE_TEMP) s->db->generation++;
        return IO_DONE;
    }
    IO_TRY(txn_meta_set(d->txn, &s->op, (enum txn_meta)in->p2, (u32)in->p3));
    return IO_DONE;
}

io_status vm_schema_op(struct skerry_stmt *s, const struct instruction *in)
{
    struct skerry *db = s->db;
    switch ((enum opcode)in->opcode) {
    case OP_ReadCookie: {
        u32 value;
        IO_TRY(txn_meta_get(db->databases[in->p1].txn, &s->op, (enum txn_meta)in->p3, &value));
        value_set_integer(reg(s, in->p2), (s32)value);
        return IO_DONE;
    }
    case OP_SetCookie: return cookie_set(s, in);
    case OP_LoadAnalysis:
        db->databases[in->p1].schema_changes.unknown = true;
        connection_schema_changed(db, (u32)in->p1);
        return IO_DONE;
    case OP_ParseSchema:
    case OP_DropTable:
    case OP_DropIndex:
    case OP_DropTrigger: connection_schema_changed(db, (u32)in->p1); return IO_DONE;
    case OP_CheckSchema:
        IO_TRY(connection_schemas_load(db, &s->op));
        IO_TRY(schema_readable(s));
        return alteration_check(db, in->p1, in->p4.text, &s->op.err) == ERR_OK ? IO_DONE : IO_FAIL;
    case OP_CreateBtree: {
        pgno root;
        IO_TRY(btree_create(db->databases[in->p1].txn, &s->op, (enum btree_kind)in->p3, &root));
        value_set_integer(reg(s, in->p2), root);
        return IO_DONE;
    }
    case OP_Destroy: return tree_destroy(s, in);
    case OP_Clear: return tree_clear(s, in);
    case OP_IntegrityCk: return integrity_check(s, in);
    case OP_SqlExec: return sql_exec(s, in);
    case OP_Expire: db->generation++; return IO_DONE;
    case OP_Pagecount:
        value_set_integer(reg(s, in->p2), txn_page_count(db->databases[in->p1].txn));
        return IO_DONE;
    case OP_MaxPgcnt: {
        struct txn *t = db->databases[in->p1].txn;
        if (in->p3) txn_page_count_limit(t, MAX((u32)in->p3, txn_page_count(t)));
        value_set_integer(reg(s, in->p2), txn_page_count_max(t));
        return IO_DONE;
    }
    case OP_Checkpoint: return checkpoint(s, in);
    case OP_JournalMode:
        IO_TRY(connection_database_open(db, &s->op, (u32)in->p1));
        return text_set(s, in->p2, connection_in_memory(db, (u32)in->p1) ? "memory" : "wal");
    case OP_Attach: return database_attach(s, in);
    case OP_Detach: return database_detach(s, in);
    case OP_Vacuum: return vacuum(s, in);
    case OP_Rekey: return rekey(s, in);
    case OP_IncrVacuum:
        return txn_vacuum(db->databases[in->p1].txn, &s->op, (u32)MIN(reg(s, in->p2)->integer, (s64)UINT32_MAX));
    case OP_SetFlag:
        if (in->p1 == CONNECTION_DEFER_FOREIGN_KEYS && !in->p2) connection_keys_settled(db); // what was deferred is forgotten
        else connection_flag_set(db, (enum connection_flag)in->p1, in->p2 != 0);
        return IO_DONE;
    case OP_Setting: return setting(s, in);
    case OP_DatabaseSetting:
        db->databases[in->p1].settings[in->p2] = value_to_integer(reg(s, in->p3));
        // A database's cache is shared by all its connections: who says last how large it is to be is heard.
        if (in->p2 == DATABASE_CACHE_SIZE && db->databases[in->p1].store)
            store_cache_resize(db->databases[in->p1].store, connection_cache_bytes(db, (u32)in->p1));
        connection_wal_policy(db, (u32)in->p1);
        return IO_DONE;
    default:
        return IO_ERROR(&s->op.err, ERR_ERROR, "%s is not supported by this version", opcode_name((enum opcode)in->opcode));
    }
}
