// The shadow tables of a full-text table, as one connection uses them: statements, blocks, settings, totals.
#include "fts_internal.h"

#include <strings.h>

#include "fts_cursor.h"

static const char *const shadow_suffixes[FTS_SHADOW_COUNT] = {"data", "idx", "content", "docsize", "config"};

io_status fts_corrupt(struct op *op, const struct fts_table *x, const char *what)
{
    return IO_ERROR(&op->err, ERR_CORRUPT_VTAB, "database disk image is malformed: full-text table %s: %s",
                    x->config->name, what);
}

io_status fts_no_memory(struct op *op) { return IO_ERROR(&op->err, ERR_NOMEM, "out of memory"); }

io_status fts_tokenizer_require(const struct fts_config *c, struct op *op)
{
    return c->tokenizer ? IO_DONE : IO_ERROR(&op->err, ERR_ERROR, "%s", c->tokenizer_missing);
}

// ---- tables --------------------------------------------------------------------------------------------------------------

static void statements_drop(struct fts_table *x)
{
    for (u32 i = 0; i < FTS_SQL_COUNT; i++) {
        skerry_finalize(x->statements[i]);
        x->statements[i] = NULL;
    }
}

static void names_free(struct fts_table *x)
{
    for (u32 i = 0; i < FTS_SHADOW_COUNT; i++) {
        free(x->shadow_names[i]);
        x->shadow_names[i] = NULL;
    }
}

static void forget(struct fts_table *x)
{
    fts_flush_abandon(x);
    fts_change_abandon(x);
    fts_sql_give(x, FTS_SQL_CONFIG_SCAN, &x->settings_scan);
    fts_pending_clear(&x->pending);
    x->totals_known = x->totals_changed = x->settings_known = false;
    x->tombstones_changed = false;
    x->generation++;
}

static void table_free(struct fts_table *x)
{
    forget(x);
    statements_drop(x);
    fts_settings_free(x);
    names_free(x);
    free(x->totals.tokens);
    if (x->table) table_unref(x->table);
    free(x);
}

// The schema was read again: the definition may be another one.
static io_status table_renew(struct fts_table *x, const struct table *table, struct op *op)
{
    if (x->table) {
        forget(x);
        table_unref(x->table);
    }
    names_free(x);
    free(x->totals.tokens);
    x->table = table_ref((struct table *)(uintptr_t)table);
    x->config = table->fts;
    x->totals.tokens = calloc(x->config->column_count + 1, sizeof *x->totals.tokens);
    bool ok = x->totals.tokens != NULL;
    for (u32 i = 0; ok && i < FTS_SHADOW_COUNT; i++)
        ok = asprintf(&x->shadow_names[i], "%s_%s", x->config->name, shadow_suffixes[i]) >= 0;
    return ok ? IO_DONE : fts_no_memory(op);
}

static void forget_late(struct skerry *db)
{
    if (!db->fts_forget || db->fts_depth) return;
    db->fts_forget = false;
    for (struct fts_table *x = db->fts; x; x = x->next) forget(x);
}

io_status fts_table_get(struct skerry *db, u32 database, const struct table *table, struct op *op, struct fts_table **out)
{
    if (!table->fts) return IO_ERROR(&op->err, ERR_ERROR, "no such module: %s", table->module);
    forget_late(db);
    struct fts_table *x = db->fts;
    while (x && !(x->database == database && name_equal(x->config->name, table->name))) x = x->next;
    if (!x) {
        x = calloc(1, sizeof *x);
        if (!x) return fts_no_memory(op);
        x->db = db;
        x->database = database;
        io_status status = table_renew(x, table, op);
        if (status != IO_DONE) {
            table_free(x);
            return status;
        }
        x->next = db->fts;
        db->fts = x;
    } else if (x->table != table) {
        IO_TRY(table_renew(x, table, op));
    }
    const struct schema *schema = db->databases[database].schema;
    if (x->prepared_for != schema) {
        statements_drop(x);
        x->prepared_for = schema;
    }
    *out = x;
    return IO_DONE;
}

io_status fts_connection_flush(struct skerry *db, struct op *op)
{
    if (!db->fts || db->fts_depth) return IO_DONE;
    forget_late(db);
    for (struct fts_table *x = db->fts; x; x = x->next)
        if (fts_changed(x) || x->flush) IO_TRY(fts_flush_run(x, op, FTS_FLUSH_PENDING));
    return IO_DONE;
}

void fts_connection_forget(struct skerry *db)
{
    // What is on the stack is not pulled away under it.
    db->fts_forget = true;
    forget_late(db);
}

void fts_changes_abandon(struct skerry *db, const void *by)
{
    for (struct fts_table *x = db->fts; x; x = x->next) fts_change_abandon_by(x, by);
}

void fts_connection_free(struct skerry *db)
{
    while (db->fts) {
        struct fts_table *x = db->fts;
        db->fts = x->next;
        table_free(x);
    }
}

const struct table *fts_shadow_table(const struct fts_table *x, enum fts_shadow shadow)
{
    return schema_table(x->db->databases[x->database].schema, x->shadow_names[shadow]);
}

// ---- statements ----------------------------------------------------------------------------------------------------------

static char *quoted(struct arena *a, const char *name)
{
    char *out = arena_alloc(a, strlen(name) * 2 + 3), *at = out;
    if (!out) return NULL;
    *at++ = '"';
    for (; *name; name++) {
        if (*name == '"') *at++ = '"';
        *at++ = *name;
    }
    *at = '"';
    return out;
}

// c0, c1, ... or the columns' names in the content table; behind them the locales, if there are any
static const char *content_columns(const struct fts_table *x, struct arena *a)
{
    const struct fts_config *c = x->config;
    const char *list = "";
    for (u32 i = 0; list && i < c->column_count; i++)
        list = fts_column_kept(c, i)      ? arena_format(a, "%s, c%u", list, i)
               : fts_contentless(c)       ? arena_format(a, "%s, NULL", list)
                                          : arena_format(a, "%s, T.%s", list, quoted(a, c->columns[i]));
    for (u32 i = 0; list && c->locale && i < c->column_count; i++)
        list = fts_locale_kept(c, i) ? arena_format(a, "%s, l%u", list, i) : arena_format(a, "%s, NULL", list);
    return list;
}

static const char *parameters(const struct fts_table *x, struct arena *a)
{
    const char *list = "?1";
    for (u32 i = 0; list && i < x->config->column_count; i++)
        if (fts_column_kept(x->config, i)) list = arena_format(a, "%s,?%u", list, i + 2);
    for (u32 i = 0; list && i < x->config->column_count; i++)
        if (fts_locale_kept(x->config, i)) list = arena_format(a, "%s,?%u", list, x->config->column_count + i + 2);
    return list;
}

static const char *sql_text(const struct fts_table *x, struct arena *a, enum fts_sql kind)
{
    const struct fts_config *c = x->config;
    const char *db = quoted(a, x->db->databases[x->database].name);
    const char *names[FTS_SHADOW_COUNT];
    for (u32 i = 0; i < FTS_SHADOW_COUNT; i++) names[i] = quoted(a, x->shadow_names[i]);
    const char *data = names[FTS_SHADOW_DATA], *idx = names[FTS_SHADOW_IDX], *docsize = names[FTS_SHADOW_DOCSIZE],
               *config = names[FTS_SHADOW_CONFIG], *content = names[FTS_SHADOW_CONTENT];
    const char *rowid = quoted(a, c->content_rowid), *source = c->content_table ? quoted(a, c->content_table) : "";
    switch (kind) {
    case FTS_SQL_DATA_PUT: return arena_format(a, "REPLACE INTO %s.%s(id, block) VALUES(?,?)", db, data);
    case FTS_SQL_DATA_DELETE: return arena_format(a, "DELETE FROM %s.%s WHERE id>=? AND id<=?", db, data);
    case FTS_SQL_IDX_PUT: return arena_format(a, "INSERT INTO %s.%s(segid,term,pgno) VALUES(?,?,?)", db, idx);
    case FTS_SQL_IDX_DELETE: return arena_format(a, "DELETE FROM %s.%s WHERE segid>=? AND segid<=?", db, idx);
    case FTS_SQL_CONTENT_GET:
        return arena_format(a, "SELECT T.%s%s FROM %s.%s T WHERE T.%s=?", rowid, content_columns(x, a), db, source, rowid);
    case FTS_SQL_CONTENT_SCAN:
        return arena_format(a, "SELECT T.%s%s FROM %s.%s T WHERE T.%s>=? AND T.%s<=? ORDER BY T.%s", rowid,
                            content_columns(x, a), db, source, rowid, rowid, rowid);
    case FTS_SQL_CONTENT_SCAN_DOWN:
        return arena_format(a, "SELECT T.%s%s FROM %s.%s T WHERE T.%s>=? AND T.%s<=? ORDER BY T.%s DESC", rowid,
                            content_columns(x, a), db, source, rowid, rowid, rowid);
    case FTS_SQL_CONTENT_PUT: return arena_format(a, "INSERT INTO %s.%s VALUES(%s)", db, content, parameters(x, a));
    case FTS_SQL_CONTENT_REPLACE:
        return arena_format(a, "REPLACE INTO %s.%s VALUES(%s)", db, content, parameters(x, a));
    case FTS_SQL_CONTENT_DELETE: return arena_format(a, "DELETE FROM %s.%s WHERE id=?", db, content);
    case FTS_SQL_DOCSIZE_PUT:
        return arena_format(a, c->contentless_delete ? "REPLACE INTO %s.%s(id, sz, origin) VALUES(?,?,?)"
                                                     : "REPLACE INTO %s.%s(id, sz) VALUES(?,?)", db, docsize);
    case FTS_SQL_DOCSIZE_ORIGIN: return arena_format(a, "SELECT origin FROM %s.%s WHERE id=?", db, docsize);
    case FTS_SQL_DOCSIZE_DELETE: return arena_format(a, "DELETE FROM %s.%s WHERE id=?", db, docsize);
    case FTS_SQL_DOCSIZE_SCAN: return arena_format(a, "SELECT id FROM %s.%s WHERE id>=? AND id<=? ORDER BY id", db, docsize);
    case FTS_SQL_DOCSIZE_SCAN_DOWN:
        return arena_format(a, "SELECT id FROM %s.%s WHERE id>=? AND id<=? ORDER BY id DESC", db, docsize);
    case FTS_SQL_IDX_CLEAR: return arena_format(a, "DELETE FROM %s.%s", db, idx);
    case FTS_SQL_DOCSIZE_CLEAR: return arena_format(a, "DELETE FROM %s.%s", db, docsize);
    case FTS_SQL_CONTENT_CLEAR: return arena_format(a, "DELETE FROM %s.%s", db, content);
    case FTS_SQL_CONFIG_PUT: return arena_format(a, "REPLACE INTO %s.%s(k,v) VALUES(?,?)", db, config);
    case FTS_SQL_CONFIG_SCAN: return arena_format(a, "SELECT k, v FROM %s.%s", db, config);
    case FTS_SQL_COUNT: break;
    }
    return NULL;
}

io_status fts_sql_take(struct fts_table *x, struct op *op, enum fts_sql kind, struct skerry_stmt **out)
{
    if (x->statements[kind]) {
        *out = x->statements[kind];
        x->statements[kind] = NULL;
        return IO_DONE;
    }
    struct arena a;
    arena_init(&a, NULL, NULL);
    const char *sql = sql_text(x, &a, kind);
    size_t used;
    io_status status = sql ? statement_prepare(x->db, op, sql, strlen(sql), true, out, &used) : fts_no_memory(op);
    arena_deinit(&a);
    return status;
}

void fts_sql_give(struct fts_table *x, enum fts_sql kind, struct skerry_stmt **stmt)
{
    struct skerry_stmt *s = *stmt;
    *stmt = NULL;
    if (!s) return;
    if (skerry_stmt_busy(s) || x->statements[kind] || x->prepared_for != x->db->databases[x->database].schema)
        skerry_finalize(s);
    else
        x->statements[kind] = s;
}

io_status fts_turn(struct op *op)
{
    vm_turn(CONTAINER_OF(op, struct skerry_stmt, op));
    return IO_WAIT;
}

bool fts_nested(const struct op *op) { return CONTAINER_OF(op, struct skerry_stmt, op)->nested; }

io_status fts_sql_step(struct skerry_stmt *s, struct op *op, bool *row)
{
    struct skerry *db = s->db;
    s64 changes = db->changes, total = db->total_changes, rowid = db->last_insert_rowid;
    db->fts_depth++;
    enum vm_result result = statement_step(s);
    db->fts_depth--;
    db->nested_insert_rowid = db->last_insert_rowid;
    db->changes = changes;
    db->total_changes = total;
    db->last_insert_rowid = rowid;
    *row = result == VM_ROW;
    switch (result) {
    case VM_ROW:
    case VM_DONE: return IO_DONE;
    case VM_WAIT: return IO_WAIT;
    case VM_FAIL: break;
    }
    op->err = s->op.err;
    return IO_FAIL;
}

io_status fts_content_step(struct fts_table *x, struct skerry_stmt *s, struct op *op, bool *row)
{
    x->content_steps++;
    io_status status = fts_sql_step(s, op, row);
    x->content_steps--;
    return status;
}

// ---- blocks --------------------------------------------------------------------------------------------------------------

void fts_reader_free(struct fts_reader *r)
{
    if (r->open) cursor_deinit(&r->cursor);
    free(r->record);
    *r = (struct fts_reader){0};
}

io_status fts_block_read(struct fts_table *x, struct op *op, struct fts_reader *r, enum fts_shadow shadow, s64 id,
                         const u8 **bytes, u32 *size, bool *found)
{
    const struct database *d = &x->db->databases[x->database];
    const struct table *t = fts_shadow_table(x, shadow);
    if (!t || !table_has_rowid(t)) return fts_corrupt(op, x, "a table of its own is missing");
    *found = false;
    *size = 0;
    if (!r->open && shadow == FTS_SHADOW_DATA) x->reads++;
    if (!r->open) cursor_init(&r->cursor, d->txn, t->root, NULL, false);
    r->open = true;
    int compare = 1;
    IO_TRY(cursor_seek_rowid(&r->cursor, op, id, &compare));
    if (cursor_valid(&r->cursor) && compare == 0) {
        IO_TRY(cursor_entry(&r->cursor, op));
        r->record_size = r->cursor.payload_size;
        if (r->record_size > VALUE_SIZE_MAX) return fts_corrupt(op, x, "a block is too large");
        if (r->record_size > r->record_capacity) {
            u8 *grown = realloc(r->record, r->record_size);
            if (!grown) return fts_no_memory(op);
            r->record = grown;
            r->record_capacity = (u32)r->record_size;
        }
        IO_TRY(cursor_read(&r->cursor, op, 0, r->record_size, r->record));
        *found = true;
    }
    cursor_deinit(&r->cursor);
    r->open = false;
    if (!*found) return IO_DONE;
    // Two fields: id (NULL), block.
    const u8 *p = r->record, *end = p + r->record_size;
    u64 head, type;
    u32 n = varint_get_checked(p, end, &head);
    if (!n || head > r->record_size) return fts_corrupt(op, x, "a block is no record");
    const u8 *at = p + n;
    if (!(n = varint_get_checked(at, p + head, &type))) return fts_corrupt(op, x, "a block is no record");
    u64 skip = serial_type_size(type);
    at += n;
    if (!(n = varint_get_checked(at, p + head, &type))) type = 0;
    u64 want = type >= 12 ? (type - 12) / 2 : 0;
    if (head + skip + want > r->record_size) return fts_corrupt(op, x, "a block is cut short");
    *bytes = p + head + skip;
    *size = (u32)want;
    return IO_DONE;
}

io_status fts_structure_read(struct fts_table *x, struct op *op, struct fts_reader *r, struct fts_structure *out)
{
    const u8 *bytes;
    u32 size;
    bool found;
    IO_TRY(fts_block_read(x, op, r, FTS_SHADOW_DATA, FTS_ID_STRUCTURE, &bytes, &size, &found));
    if (!found) return fts_corrupt(op, x, "its structure record is missing");
    return fts_structure_decode(bytes, size, out, &op->err) ? IO_DONE : IO_FAIL;
}

io_status fts_totals_read(struct fts_table *x, struct op *op, struct fts_reader *r)
{
    if (x->totals_known) return IO_DONE;
    const u8 *bytes;
    u32 size;
    bool found;
    IO_TRY(fts_block_read(x, op, r, FTS_SHADOW_DATA, FTS_ID_TOTALS, &bytes, &size, &found));
    const u8 *end = bytes + (found ? size : 0);
    memset(x->totals.tokens, 0, x->config->column_count * sizeof *x->totals.tokens);
    x->totals.rows = 0;
    for (u32 i = 0; found && i <= x->config->column_count; i++) {
        u64 *out = i ? &x->totals.tokens[i - 1] : &x->totals.rows;
        u32 n = varint_get_checked(bytes, end, out);
        if (!n) break;
        bytes += n;
    }
    x->totals_known = true;
    x->totals_changed = false;
    return IO_DONE;
}

// ---- settings ------------------------------------------------------------------------------------------------------------

void fts_settings_free(struct fts_table *x)
{
    free(x->settings.rank);
    x->settings.rank = NULL;
}

static bool setting_is(const struct value *key, const char *name)
{
    return key->type == VALUE_TEXT && key->size == strlen(name) && strncasecmp((const char *)key->bytes, name, key->size) == 0;
}

bool fts_setting_apply(struct fts_settings *s, const struct value *key, const struct value *v, bool *known)
{
    *known = true;
    bool integer = v->type == VALUE_INTEGER;
    s64 i = integer ? v->integer : 0;
    if (setting_is(key, "pgsz")) {
        if (!integer || i < 32 || i > 64 * 1024) return false;
        s->page_size = (u32)i;
    } else if (setting_is(key, "hashsize")) {
        if (!integer || i <= 0) return false;
        s->hash_size = (u64)i;
    } else if (setting_is(key, "automerge")) {
        if (!integer || i < 0 || i > 64) return false;
        s->automerge = i == 1 ? 4 : (u32)i;
    } else if (setting_is(key, "usermerge")) {
        if (!integer || i < 2 || i > 16) return false;
        s->usermerge = (u32)i;
    } else if (setting_is(key, "crisismerge")) {
        if (!integer || i < 0) return false;
        s->crisismerge = i <= 1 ? 16 : (u32)MIN(i, (s64)FTS_SEGMENTS_MAX - 1);
    } else if (setting_is(key, "deletemerge")) {
        if (!integer) return false;
        s->delete_merge = i < 0 ? FTS_DELETE_MERGE : i > 100 ? 0 : (u32)i;
    } else if (setting_is(key, "insttoken")) {
        if (!integer || i < 0) return false;
    } else if (setting_is(key, "secure-delete")) {
        if (!integer || i < 0) return false;
        s->secure_delete = i != 0;
    } else if (setting_is(key, "rank")) {
        if (v->type != VALUE_TEXT) return false;
        char *text = strndup((const char *)v->bytes, v->size);
        struct fts_rank rank = {0};
        bool ok = text && fts_rank_parse(&rank, text);
        fts_rank_free(&rank);
        if (ok) {
            free(s->rank);
            s->rank = text;
        } else {
            free(text);
        }
        return ok;
    } else {
        *known = false;
    }
    return true;
}

io_status fts_settings_read(struct fts_table *x, struct op *op, u32 cookie)
{
    if (x->settings_known && x->settings_cookie == cookie) return IO_DONE;
    struct skerry_stmt *s = x->settings_scan;
    if (!s) {
        IO_TRY(fts_sql_take(x, op, FTS_SQL_CONFIG_SCAN, &x->settings_scan));
        s = x->settings_scan;
        fts_settings_free(x);
        x->version = 0;
        x->settings = (struct fts_settings){
            .page_size = 4050, .automerge = 4, .crisismerge = 16, .usermerge = 4, .hash_size = 1u << 20,
            .delete_merge = FTS_DELETE_MERGE};
    }
    for (bool row = true; row;) {
        IO_TRY(fts_sql_step(s, op, &row));
        if (!row) break;
        const struct value *key = skerry_column(s, 0), *v = skerry_column(s, 1);
        bool known;
        if (setting_is(key, "version"))
            x->version = value_to_integer(v);
        else
            (void)fts_setting_apply(&x->settings, key, v, &known);
    }
    fts_sql_give(x, FTS_SQL_CONFIG_SCAN, &x->settings_scan);
    if (x->version != FTS_VERSION && x->version != FTS_VERSION + 1)
        return IO_ERROR(&op->err, ERR_ERROR, "invalid fts5 file format (found %lld, expected %d or %d) - run 'rebuild'",
                        (long long)x->version, FTS_VERSION, FTS_VERSION + 1);
    x->settings_known = true;
    x->settings_cookie = cookie;
    return IO_DONE;
}
