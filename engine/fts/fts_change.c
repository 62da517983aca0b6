// Changes: rows that come and go, and the commands that are given as INSERT INTO t(t) VALUES('...').
//
// A change is a sequence of steps (plan below); each is run again from its beginning after a wait and is left when it is
// done. Terms of a row go into memory in one step that neither waits nor fails half-way but for memory.
#include "fts_internal.h"
#include "fts_table.h"

#include <strings.h>

enum change_step {
    CHANGE_PREPARE,      // settings and totals are known
    CHANGE_OLD_GET,      // the old row, out of the content
    CHANGE_OLD_FLUSH,    // rows are pending in rising order
    CHANGE_OLD_INDEX,
    CHANGE_OLD_ORIGIN,
    CHANGE_OLD_TOMBSTONE,
    CHANGE_OLD_DOCSIZE,
    CHANGE_OLD_CONTENT,
    CHANGE_OTHER,        // the row that the new rowid has so far is the old one from here on
    CHANGE_NEW_CONTENT,
    CHANGE_NEW_FLUSH,
    CHANGE_NEW_INDEX,
    CHANGE_NEW_DOCSIZE,
    CHANGE_CLEAR_DATA,
    CHANGE_CLEAR_IDX,
    CHANGE_CLEAR_DOCSIZE,
    CHANGE_CLEAR_CONTENT,
    CHANGE_CLEAR_STRUCTURE,
    CHANGE_CLEAR_VERSION,
    CHANGE_REBUILD_ROW,
    CHANGE_FLUSH,        // with merging as `flush` says
    CHANGE_SETTING,
    CHANGE_SETTING_COOKIE,
    CHANGE_CHECK,
    CHANGE_END,
};

struct fts_change {
    const void *by;
    u32 at;
    enum change_step steps[24];
    u32 step_count;
    bool has_old_rowid, old_found, rebuilding, anew; // anew: all of the index is thrown away
    u64 rebuilt; // rows
    s64 old_rowid, new_rowid, old_found_rowid;
    struct value *old; // [column_count]
    bool old_given;    // by the command: not out of the content
    bool replace_content;
    u64 *sizes;        // tokens per column of the row under way
    enum fts_flush_kind flush;
    struct skerry_stmt *stmt, *scan;
    enum fts_sql kind;
    struct fts_reader reader;
    struct fts_structure structure;
    struct fts_buffer block;
    struct fts_check *check;
    struct value setting; // its new value
    s64 origin;           // of the old row
    struct fts_tombstone *tombstone;
};

void fts_change_abandon(struct fts_table *x)
{
    struct fts_change *c = x->change;
    if (!c) return;
    x->change = NULL;
    for (u32 i = 0; c->old && i < x->config->column_count; i++) value_deinit(&c->old[i]);
    free(c->old);
    free(c->sizes);
    fts_sql_give(x, c->kind, &c->stmt);
    fts_sql_give(x, FTS_SQL_CONTENT_SCAN, &c->scan);
    fts_reader_free(&c->reader);
    fts_structure_free(&c->structure);
    fts_buffer_free(&c->block);
    fts_check_free(c->check);
    value_deinit(&c->setting);
    fts_tombstone_free(c->tombstone);
    free(c);
}

void fts_change_abandon_by(struct fts_table *x, const void *by)
{
    if (x->change && x->change->by == by) fts_change_abandon(x);
}

static void plan(struct fts_change *c, enum change_step step)
{
    ASSERT(c->step_count < COUNT_OF(c->steps));
    c->steps[c->step_count++] = step;
}

bool fts_value_text(const struct value *v, struct value *scratch, const u8 **text, u32 *size)
{
    *text = NULL;
    *size = 0;
    if (v->type == VALUE_NULL) return true;
    if (v->type == VALUE_INTEGER || v->type == VALUE_REAL || v->flags & VALUE_ZERO_TAIL) {
        if (value_copy(scratch, v) != ERR_OK) return false;
        if (v->type != VALUE_BLOB && value_to_text(scratch) != ERR_OK) return false;
        if (value_expand(scratch) != ERR_OK) return false;
        v = scratch;
    }
    *text = v->bytes;
    *size = v->size;
    return true;
}

// ---- terms of a row ------------------------------------------------------------------------------------------------------

struct row_terms {
    fts_term_add add;
    void *context;
    const struct fts_config *config;
    u32 column;
    u64 count;
};

// The first n characters; 0: the token has fewer.
static u32 prefix_size(const u8 *token, u32 size, u32 characters)
{
    u32 at = 0;
    for (u32 i = 0; i < characters; i++) {
        if (at >= size) return 0;
        at++;
        if (token[at - 1] >= 0xc0)
            while (at < size && (token[at] & 0xc0) == 0x80) at++;
    }
    return at;
}

static bool term_sink(void *context, const u8 *token, u32 size, u32 begin, u32 end)
{
    struct row_terms *r = context;
    const struct fts_config *c = r->config;
    u32 position = (u32)r->count++;
    if (!r->add(r->context, c, FTS_MAIN_PREFIX, token, size, r->column, position)) return false;
    for (u32 i = 0; i < c->prefix_count; i++) {
        u32 n = prefix_size(token, size, c->prefixes[i]);
        if (n && !r->add(r->context, c, (u8)(FTS_MAIN_PREFIX + 1 + i), token, n, r->column, position)) return false;
    }
    return true;
}

bool fts_row_terms(fts_term_add add, void *context, const struct fts_config *config, const struct value *columns, u64 *sizes)
{
    struct value scratch;
    value_init(&scratch);
    bool ok = true;
    for (u32 i = 0; ok && i < config->column_count; i++) {
        struct row_terms r = {.add = add, .context = context, .config = config, .column = i};
        const u8 *text;
        u32 size;
        if (!config->unindexed[i]) {
            ok = fts_column_text(config, &columns[i], &scratch, &text, &size);
            if (ok && text) ok = fts_tokenize(config->tokenizer, text, size, term_sink, &r);
        }
        sizes[i] = r.count;
    }
    value_deinit(&scratch);
    return ok;
}

static io_status row_index(struct fts_table *x, struct op *op, const struct value *columns, s64 rowid, bool deleting)
{
    struct fts_change *c = x->change;
    IO_TRY(fts_tokenizer_require(x->config, op));
    bool none = deleting && !x->totals.rows; // there is nothing that could be deleted
    fts_pending_begin(&x->pending, deleting, rowid);
    x->pending.secure |= deleting && x->settings.secure_delete;
    if (!fts_row_terms(fts_pending_add, &x->pending, x->config, columns, c->sizes)) return fts_no_memory(op);
    for (u32 i = 0; i < x->config->column_count; i++) {
        u64 *total = &x->totals.tokens[i];
        none |= deleting && *total < c->sizes[i];
        *total = deleting ? *total - MIN(*total, c->sizes[i]) : *total + c->sizes[i];
    }
    x->totals.rows = deleting ? x->totals.rows - MIN(x->totals.rows, 1u) : x->totals.rows + 1;
    x->totals_changed = true;
    return none ? IO_ERROR(&op->err, ERR_CORRUPT_VTAB, "%s", err_default_text(ERR_CORRUPT)) : IO_DONE;
}

// Rows must come in rising order, each at most once deleted and then written.
static bool must_flush(const struct fts_table *x, s64 rowid, bool deleting)
{
    const struct fts_pending *p = &x->pending;
    if (x->flush) return true; // goes on
    if (!p->any) return false;
    return rowid < p->rowid || (rowid == p->rowid && (deleting || !p->deleting)) || p->bytes > x->settings.hash_size;
}

// ---- steps -----------------------------------------------------------------------------------------------------------------

// Runs a statement of that kind; its parameters are bound by `bind` while it is idle.
static io_status statement_ready(struct fts_table *x, struct op *op, enum fts_sql kind, bool *idle)
{
    struct fts_change *c = x->change;
    if (c->stmt && c->kind != kind) fts_sql_give(x, c->kind, &c->stmt);
    c->kind = kind;
    if (!c->stmt) IO_TRY(fts_sql_take(x, op, kind, &c->stmt));
    *idle = !skerry_stmt_busy(c->stmt);
    return IO_DONE;
}

static io_status by_rowid(struct fts_table *x, struct op *op, enum fts_sql kind, s64 rowid, bool *row)
{
    bool idle;
    IO_TRY(statement_ready(x, op, kind, &idle));
    if (idle && skerry_bind_integer(x->change->stmt, 1, rowid)) return fts_no_memory(op);
    return kind == FTS_SQL_CONTENT_GET ? fts_content_step(x, x->change->stmt, op, row) : fts_sql_step(x->change->stmt, op, row);
}

static io_status old_get(struct fts_table *x, struct op *op)
{
    struct fts_change *c = x->change;
    if (c->old_given || (c->old_found && c->old_found_rowid == c->old_rowid)) {
        c->old_found = true;
        return IO_DONE;
    }
    bool row;
    IO_TRY(by_rowid(x, op, FTS_SQL_CONTENT_GET, c->old_rowid, &row));
    c->old_found = row;
    c->old_found_rowid = c->old_rowid;
    for (u32 i = 0; row && i < x->config->column_count; i++)
        if (value_copy(&c->old[i], skerry_column(c->stmt, i + 1)) != ERR_OK) return fts_no_memory(op);
    if (row) (void)skerry_reset(c->stmt); // it reads only: nothing to wait for
    return IO_DONE;
}

// A column and its locale; an error of skerry_bind.
static int column_bind(struct skerry_stmt *s, const struct fts_config *config, u32 column, const struct value *v)
{
    struct fts_localized l;
    u32 at = column + 2, locale_at = at + config->column_count;
    bool has_locale = config->locale && fts_locale_split(v, &l);
    int code = has_locale ? skerry_bind_text(s, at, l.text, l.text_size) : skerry_bind(s, at, v);
    if (code || !fts_locale_kept(config, column)) return code;
    return has_locale ? skerry_bind_text(s, locale_at, l.locale, l.locale_size) : skerry_bind_null(s, locale_at);
}

static io_status content_put(struct fts_table *x, struct op *op, const struct value *argv, bool replace)
{
    struct fts_change *c = x->change;
    const struct fts_config *config = x->config;
    if (!fts_content_own(config)) {
        if (argv[1].type == VALUE_INTEGER) {
            c->new_rowid = argv[1].integer;
            return IO_DONE;
        }
        if (!config->column_size)
            return IO_ERROR(&op->err, ERR_MISMATCH, "%s", err_default_text(ERR_MISMATCH));
        bool idle, row;
        IO_TRY(statement_ready(x, op, FTS_SQL_DOCSIZE_PUT, &idle));
        if (idle && (skerry_bind_null(c->stmt, 1) || skerry_bind_null(c->stmt, 2))) return fts_no_memory(op);
        IO_TRY(fts_sql_step(c->stmt, op, &row));
        c->new_rowid = x->db->nested_insert_rowid;
        return IO_DONE;
    }
    bool idle, row;
    IO_TRY(statement_ready(x, op, replace ? FTS_SQL_CONTENT_REPLACE : FTS_SQL_CONTENT_PUT, &idle));
    if (idle) {
        if (skerry_bind(c->stmt, 1, &argv[1])) return fts_no_memory(op);
        for (u32 i = 0; i < config->column_count; i++)
            if (fts_column_kept(config, i) && column_bind(c->stmt, config, i, &argv[i + 2])) return fts_no_memory(op);
    }
    io_status status = fts_sql_step(c->stmt, op, &row);
    if (status == IO_FAIL && err_primary(op->err.code) == ERR_CONSTRAINT) {
        err_code code = op->err.code;
        err_clear(&op->err);
        return IO_ERROR(&op->err, code, "constraint failed");
    }
    IO_TRY(status);
    c->new_rowid = x->db->nested_insert_rowid;
    return IO_DONE;
}

static io_status docsize_put(struct fts_table *x, struct op *op, s64 rowid)
{
    struct fts_change *c = x->change;
    if (!x->config->column_size) return IO_DONE;
    bool idle, row;
    // The segment that the row will be in when it is flushed.
    if (x->config->contentless_delete) IO_TRY(fts_structure_read(x, op, &c->reader, &c->structure));
    IO_TRY(statement_ready(x, op, FTS_SQL_DOCSIZE_PUT, &idle));
    if (idle) {
        c->block.size = 0;
        bool ok = true;
        for (u32 i = 0; ok && i < x->config->column_count; i++) ok = fts_buffer_varint(&c->block, c->sizes[i]);
        if (!ok || skerry_bind_integer(c->stmt, 1, rowid) || skerry_bind_blob(c->stmt, 2, c->block.data, c->block.size) ||
            (c->structure.origin_next && skerry_bind_integer(c->stmt, 3, (s64)c->structure.origin_next)))
            return fts_no_memory(op);
    }
    return fts_sql_step(c->stmt, op, &row);
}

static io_status structure_put(struct fts_table *x, struct op *op)
{
    struct fts_change *c = x->change;
    bool idle, row;
    IO_TRY(statement_ready(x, op, FTS_SQL_DATA_PUT, &idle));
    if (idle) {
        if (!fts_structure_encode(&c->structure, &c->block)) return fts_no_memory(op);
        if (skerry_bind_integer(c->stmt, 1, FTS_ID_STRUCTURE) ||
            skerry_bind_blob(c->stmt, 2, c->block.data, c->block.size))
            return fts_no_memory(op);
    }
    IO_TRY(fts_sql_step(c->stmt, op, &row));
    x->generation++;
    return IO_DONE;
}

static io_status clear_data(struct fts_table *x, struct op *op)
{
    bool idle, row;
    IO_TRY(statement_ready(x, op, FTS_SQL_DATA_DELETE, &idle));
    if (idle && (skerry_bind_integer(x->change->stmt, 1, (s64)1 << FTS_PAGE_BITS) ||
                 skerry_bind_integer(x->change->stmt, 2, INT64_MAX)))
        return fts_no_memory(op);
    return fts_sql_step(x->change->stmt, op, &row);
}

static io_status clear_all(struct fts_table *x, struct op *op, enum fts_sql kind)
{
    bool idle, row;
    IO_TRY(statement_ready(x, op, kind, &idle));
    return fts_sql_step(x->change->stmt, op, &row);
}

// The content's rows one after another.
static io_status rebuild_row(struct fts_table *x, struct op *op)
{
    struct fts_change *c = x->change;
    for (;;) {
        if (!c->rebuilding) {
            if (!c->scan) {
                IO_TRY(fts_sql_take(x, op, FTS_SQL_CONTENT_SCAN, &c->scan));
                if (skerry_bind_integer(c->scan, 1, INT64_MIN) || skerry_bind_integer(c->scan, 2, INT64_MAX))
                    return fts_no_memory(op);
            }
            bool row;
            IO_TRY(fts_content_step(x, c->scan, op, &row));
            if (!row) return IO_DONE;
            c->new_rowid = value_to_integer(skerry_column(c->scan, 0));
            for (u32 i = 0; i < x->config->column_count; i++)
                if (value_copy(&c->old[i], skerry_column(c->scan, i + 1)) != ERR_OK) return fts_no_memory(op);
            c->rebuilding = true;
            c->old_found = false; // not indexed yet
        }
        if (!c->old_found) {
            if (must_flush(x, c->new_rowid, false)) IO_TRY(fts_flush_run(x, op, FTS_FLUSH_PENDING));
            IO_TRY(row_index(x, op, c->old, c->new_rowid, false));
            c->old_found = true;
        }
        IO_TRY(docsize_put(x, op, c->new_rowid));
        c->rebuilding = false;
        if (++c->rebuilt % FTS_TURN_ROWS == 0) return fts_turn(op);
    }
}

static io_status setting_put(struct fts_table *x, struct op *op, const struct value *key, const struct value *v)
{
    bool idle, row;
    IO_TRY(statement_ready(x, op, FTS_SQL_CONFIG_PUT, &idle));
    if (idle && (skerry_bind(x->change->stmt, 1, key) || skerry_bind(x->change->stmt, 2, v))) return fts_no_memory(op);
    return fts_sql_step(x->change->stmt, op, &row);
}

// Without erased entries (fts_erase.c) all releases can read the index.
static io_status version_put(struct fts_table *x, struct op *op)
{
    static const char key[] = "version";
    bool idle, row;
    IO_TRY(statement_ready(x, op, FTS_SQL_CONFIG_PUT, &idle));
    if (idle && (skerry_bind_text(x->change->stmt, 1, key, sizeof key - 1) || skerry_bind_integer(x->change->stmt, 2, FTS_VERSION)))
        return fts_no_memory(op);
    IO_TRY(fts_sql_step(x->change->stmt, op, &row));
    x->version = FTS_VERSION;
    return IO_DONE;
}

static io_status prepare(struct fts_table *x, struct op *op)
{
    struct fts_change *c = x->change;
    if (x->totals_changed && x->settings_known) return IO_DONE; // by this transaction: nobody else has written since
    if (!x->totals_changed) x->totals_known = false; // another connection may have written since
    io_status status = fts_structure_read(x, op, &c->reader, &c->structure);
    if (status == IO_FAIL && c->anew && err_primary(op->err.code) == ERR_CORRUPT)
        err_clear(&op->err); // there will be another one
    else
        IO_TRY(status);
    IO_TRY(fts_settings_read(x, op, c->structure.cookie));
    return fts_totals_read(x, op, &c->reader);
}

static io_status step_run(struct fts_table *x, struct op *op, enum change_step step, const struct value *argv, bool replace)
{
    struct fts_change *c = x->change;
    const struct fts_config *config = x->config;
    const struct value *command = &argv[2 + config->column_count];
    bool row;
    switch (step) {
    case CHANGE_PREPARE: return prepare(x, op);
    case CHANGE_OLD_GET: return old_get(x, op);
    case CHANGE_OLD_FLUSH:
        if (!c->old_found || !must_flush(x, c->old_rowid, true)) return IO_DONE;
        return fts_flush_run(x, op, FTS_FLUSH_PENDING);
    case CHANGE_OLD_INDEX:
        IO_TRY(fts_totals_read(x, op, &c->reader));
        return c->old_found ? row_index(x, op, c->old, c->old_rowid, true) : IO_DONE;
    case CHANGE_OLD_ORIGIN:
        IO_TRY(by_rowid(x, op, FTS_SQL_DOCSIZE_ORIGIN, c->old_rowid, &row));
        c->origin = row ? value_to_integer(skerry_column(c->stmt, 0)) : 0;
        if (row) (void)skerry_reset(c->stmt);
        return IO_DONE;
    case CHANGE_OLD_TOMBSTONE: return c->origin ? fts_tombstone_add(&c->tombstone, x, op, c->origin, c->old_rowid) : IO_DONE;
    case CHANGE_OLD_DOCSIZE:
        if (!config->column_size) return IO_DONE;
        return by_rowid(x, op, FTS_SQL_DOCSIZE_DELETE, c->old_rowid, &row);
    case CHANGE_OLD_CONTENT:
        if (!fts_content_own(config)) return IO_DONE;
        return by_rowid(x, op, FTS_SQL_CONTENT_DELETE, c->old_rowid, &row);
    case CHANGE_OTHER:
        c->old_rowid = argv[1].integer;
        return IO_DONE;
    case CHANGE_NEW_CONTENT: return content_put(x, op, argv, replace || c->replace_content);
    case CHANGE_NEW_FLUSH:
        if (!must_flush(x, c->new_rowid, false)) return IO_DONE;
        return fts_flush_run(x, op, FTS_FLUSH_PENDING);
    case CHANGE_NEW_INDEX: return row_index(x, op, argv + 2, c->new_rowid, false);
    case CHANGE_NEW_DOCSIZE: return docsize_put(x, op, c->new_rowid);
    case CHANGE_CLEAR_DATA: return clear_data(x, op);
    case CHANGE_CLEAR_IDX: return clear_all(x, op, FTS_SQL_IDX_CLEAR);
    case CHANGE_CLEAR_DOCSIZE: return config->column_size ? clear_all(x, op, FTS_SQL_DOCSIZE_CLEAR) : IO_DONE;
    case CHANGE_CLEAR_CONTENT:
        return config->content == FTS_CONTENT_UNINDEXED ? clear_all(x, op, FTS_SQL_CONTENT_CLEAR) : IO_DONE;
    case CHANGE_CLEAR_STRUCTURE: {
        if (!skerry_stmt_busy(c->stmt)) {
            fts_structure_free(&c->structure);
            c->structure.cookie = x->settings_cookie;
            c->structure.origin_next = config->contentless_delete;
            fts_pending_clear(&x->pending);
            x->totals.rows = 0;
            memset(x->totals.tokens, 0, config->column_count * sizeof *x->totals.tokens);
            x->totals_known = x->totals_changed = true;
        }
        return structure_put(x, op);
    }
    case CHANGE_CLEAR_VERSION: return version_put(x, op);
    case CHANGE_REBUILD_ROW: return rebuild_row(x, op);
    case CHANGE_FLUSH: return fts_flush_run(x, op, c->flush);
    case CHANGE_SETTING: return setting_put(x, op, command, &c->setting);
    case CHANGE_SETTING_COOKIE:
        // Others read the settings again when the cookie has changed.
        if (!skerry_stmt_busy(c->stmt)) {
            IO_TRY(fts_structure_read(x, op, &c->reader, &c->structure));
            c->structure.cookie++;
        }
        IO_TRY(structure_put(x, op));
        x->settings_cookie = c->structure.cookie;
        return IO_DONE;
    case CHANGE_CHECK: return fts_check_run(&c->check, x, op, command[1].type == VALUE_INTEGER && command[1].integer);
    case CHANGE_END: break;
    }
    return IO_DONE;
}

// ---- what is to be done ------------------------------------------------------------------------------------------------

static bool text_is(const struct value *v, const char *text)
{
    return v->type == VALUE_TEXT && v->size == strlen(text) && strncasecmp((const char *)v->bytes, text, v->size) == 0;
}

static void plan_delete(struct fts_change *c, const struct fts_config *config)
{
    if (config->contentless_delete) {
        c->old_found = true;
        plan(c, CHANGE_OLD_FLUSH);
        plan(c, CHANGE_OLD_ORIGIN);
        plan(c, CHANGE_OLD_TOMBSTONE);
    } else {
        plan(c, CHANGE_OLD_GET);
        plan(c, CHANGE_OLD_FLUSH);
        plan(c, CHANGE_OLD_INDEX);
    }
    plan(c, CHANGE_OLD_DOCSIZE);
    plan(c, CHANGE_OLD_CONTENT);
}

static void plan_index(struct fts_change *c)
{
    plan(c, CHANGE_NEW_FLUSH);
    plan(c, CHANGE_NEW_INDEX);
    plan(c, CHANGE_NEW_DOCSIZE);
}

static void plan_clear(struct fts_change *c)
{
    plan(c, CHANGE_CLEAR_DATA);
    plan(c, CHANGE_CLEAR_IDX);
    plan(c, CHANGE_CLEAR_DOCSIZE);
    plan(c, CHANGE_CLEAR_CONTENT);
    plan(c, CHANGE_CLEAR_STRUCTURE);
    plan(c, CHANGE_CLEAR_VERSION);
}

// The row that a 'delete' command or a rebuild works on.
static io_status old_reserve(struct fts_table *x, struct op *op)
{
    struct fts_change *c = x->change;
    u32 count = x->config->column_count;
    c->old = calloc(count + 1, sizeof *c->old);
    c->sizes = calloc(count + 1, sizeof *c->sizes);
    if (!c->old || !c->sizes) return fts_no_memory(op);
    for (u32 i = 0; i < count; i++) value_init(&c->old[i]);
    return IO_DONE;
}

static io_status plan_command(struct fts_table *x, struct op *op, const struct value *argv)
{
    struct fts_change *c = x->change;
    const struct fts_config *config = x->config;
    const struct value *command = &argv[2 + config->column_count], *parameter = command + 1;
    bool normal = config->content == FTS_CONTENT_NORMAL;
    if (!normal && text_is(command, "delete")) {
        if (config->contentless_delete)
            return IO_ERROR(&op->err, ERR_ERROR, "'delete' may not be used with a contentless_delete=1 table");
        if (argv[1].type != VALUE_INTEGER) return IO_DONE;
        c->old_rowid = argv[1].integer;
        c->old_given = true;
        for (u32 i = 0; i < config->column_count; i++)
            if (value_copy(&c->old[i], &argv[2 + i]) != ERR_OK) return fts_no_memory(op);
        plan_delete(c, config);
    } else if (text_is(command, "delete-all")) {
        if (normal)
            return IO_ERROR(&op->err, ERR_ERROR,
                            "'delete-all' may only be used with a contentless or external content fts5 table");
        plan_clear(c);
        plan(c, CHANGE_FLUSH);
    } else if (text_is(command, "rebuild")) {
        if (fts_contentless(config))
            return IO_ERROR(&op->err, ERR_ERROR, "'rebuild' may not be used with a contentless fts5 table");
        plan_clear(c);
        plan(c, CHANGE_REBUILD_ROW);
        plan(c, CHANGE_FLUSH);
    } else if (text_is(command, "optimize")) {
        c->flush = FTS_FLUSH_OPTIMIZE;
        plan(c, CHANGE_FLUSH);
    } else if (text_is(command, "merge")) {
        s64 pages = value_to_integer(parameter);
        c->flush = pages < 0 ? FTS_FLUSH_OPTIMIZE : FTS_FLUSH_MERGE;
        plan(c, CHANGE_FLUSH);
    } else if (text_is(command, "integrity-check")) {
        plan(c, CHANGE_FLUSH);
        plan(c, CHANGE_CHECK);
    } else if (text_is(command, "flush")) {
        plan(c, CHANGE_FLUSH);
    } else {
        // Numbers may come as text.
        if (value_copy(&c->setting, parameter) != ERR_OK ||
            (parameter->type == VALUE_TEXT && value_apply_affinity(&c->setting, AFFINITY_NUMERIC) != ERR_OK))
            return fts_no_memory(op);
        bool known;
        if (!fts_setting_apply(&x->settings, command, &c->setting, &known) || !known)
            return IO_ERROR(&op->err, ERR_ERROR, "SQL logic error");
        plan(c, CHANGE_FLUSH);
        plan(c, CHANGE_SETTING);
        plan(c, CHANGE_SETTING_COOKIE);
    }
    return IO_DONE;
}

static io_status plan_all(struct fts_table *x, struct op *op, const struct value *argv, u32 argc, bool replace, u32 kept)
{
    struct fts_change *c = x->change;
    const struct fts_config *config = x->config;
    bool insert = argv[0].type == VALUE_NULL;
    plan(c, CHANGE_PREPARE);
    if (!insert) c->old_rowid = value_to_integer(&argv[0]);
    if (argc == 1) {
        if (fts_contentless(config) && !config->contentless_delete)
            return IO_ERROR(&op->err, ERR_ERROR, "cannot DELETE from contentless fts5 table: %s", config->name);
        plan_delete(c, config);
        return IO_DONE;
    }
    const struct value *command = &argv[2 + config->column_count];
    if (insert && command->type != VALUE_NULL) return plan_command(x, op, argv);
    struct fts_localized localized;
    for (u32 i = 0; !config->locale && i < config->column_count; i++)
        if (fts_locale_split(&argv[i + 2], &localized)) return IO_ERROR(&op->err, ERR_MISMATCH, "fts5_locale() requires locale=1");
    bool rowid_given = argv[1].type != VALUE_NULL;
    bool moves = !insert && !(argv[1].type == VALUE_INTEGER && argv[1].integer == c->old_rowid);
    bool content_only = !insert && fts_contentless(config) && !(kept & FTS_CHANGE_SETS_INDEXED) && !moves;
    if (!insert && fts_contentless(config) && !content_only && (kept & FTS_CHANGE_KEEPS_INDEXED || !config->contentless_delete))
        return IO_ERROR(&op->err, ERR_ERROR,
                        config->contentless_delete ? "cannot UPDATE a subset of columns on fts5 contentless-delete table: %s"
                                                   : "cannot UPDATE contentless fts5 table: %s",
                        config->name);
    if ((rowid_given || !insert) && argv[1].type != VALUE_INTEGER)
        return IO_ERROR(&op->err, ERR_MISMATCH, "%s", err_default_text(ERR_MISMATCH));
    bool replaces = replace && rowid_given && (config->content == FTS_CONTENT_NORMAL || config->contentless_delete);
    if (content_only) {
        c->replace_content = true;
        plan(c, CHANGE_NEW_CONTENT);
        return IO_DONE;
    }
    if (moves && !replaces) {
        // Whether the new rowid is free is known before anything is lost.
        if (!config->contentless_delete) plan(c, CHANGE_OLD_GET);
        plan(c, CHANGE_NEW_CONTENT);
        plan_delete(c, config);
        plan_index(c);
        return IO_DONE;
    }
    if (!insert) plan_delete(c, config);
    if (replaces && moves) plan(c, CHANGE_OTHER);
    if (replaces && insert) c->old_rowid = argv[1].integer;
    if (replaces && (insert || moves)) plan_delete(c, config);
    plan(c, CHANGE_NEW_CONTENT);
    plan_index(c);
    return IO_DONE;
}

bool fts_conflicts_resolve(const struct table *t) { return t->fts && t->fts->content == FTS_CONTENT_NORMAL; }

// The settings must be known before a command changes them, so planning one waits for that.
io_status fts_change(struct skerry *db, u32 database, const struct table *t, struct op *op, const void *by,
                     const struct value *argv, u32 argc, bool replace, u32 kept, s64 *rowid)
{
    struct fts_table *x;
    IO_TRY(fts_table_get(db, database, t, op, &x));
    if (x->change && x->change->by != by) fts_change_abandon(x);
    if (!x->change) {
        x->change = calloc(1, sizeof *x->change);
        if (!x->change) return fts_no_memory(op);
        x->change->by = by;
        value_init(&x->change->setting);
        const struct value *command = &argv[2 + x->config->column_count];
        x->change->anew = argc > 1 && (text_is(command, "rebuild") || text_is(command, "delete-all"));
        io_status status = old_reserve(x, op);
        if (status == IO_DONE) status = prepare(x, op);
        if (status == IO_WAIT) {
            fts_change_abandon(x); // nothing was done: the next call starts again
            return status;
        }
        if (status == IO_DONE) status = plan_all(x, op, argv, argc, replace, kept);
        if (status != IO_DONE) {
            fts_change_abandon(x);
            return status;
        }
    }
    struct fts_change *c = x->change;
    while (c->at < c->step_count) {
        io_status status = step_run(x, op, c->steps[c->at], argv, replace);
        if (status == IO_FAIL) fts_change_abandon(x);
        if (status != IO_DONE) return status;
        c->at++;
    }
    *rowid = c->new_rowid;
    fts_change_abandon(x);
    return IO_DONE;
}
