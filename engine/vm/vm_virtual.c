// Table-valued functions as tables: the eponymous ones that a connection knows, and cursors over their rows. A
// pragma_X is the PRAGMA run as a statement inside of the one that asks.
#include "../connection.h"
#include "../fn/table_function.h"
#include "../fts/fts_table.h"
#include "../fts/fts_vocab.h"
#include <strings.h>
#include "../sql/compile.h"
#include "../sql/pragma.h"
#include "dbstat.h"
#include "statement.h"

struct eponymous {
    struct eponymous *next;
    struct arena arena; // names
    struct table table;
    struct column columns[];
};

static struct eponymous *eponymous_new(const struct table_function *f)
{
    struct eponymous *e = calloc(1, sizeof *e + f->column_count * sizeof(struct column));
    if (!e) return NULL;
    for (u32 i = 0; i < f->column_count; i++) {
        e->columns[i] = (struct column){.name = f->columns[i], .type = "", .affinity = AFFINITY_BLOB, .storage = (s16)i};
        if (i >= f->column_count - f->hidden_count) column_hide(&e->columns[i]);
    }
    e->table = (struct table){.name = f->name,
                              .references = 1,
                              .kind = TABLE_VIRTUAL,
                              .flags = TABLE_EPONYMOUS,
                              .column_count = (u16)f->column_count,
                              .stored_count = (u16)f->column_count,
                              .rowid_column = -1,
                              .columns = e->columns,
                              .module = f->name,
                              .function = f};
    return e;
}

// pragma_X: its columns, then hidden: the argument and the schema, if it takes them.
static struct eponymous *eponymous_pragma(const struct pragma_def *def)
{
    u32 shown = pragma_column_count(def), argument = def->flags & PRAGMA_F_ARGUMENT ? 1 : 0;
    u32 count = shown + argument + (def->flags & PRAGMA_F_SCHEMA ? 1 : 0);
    struct eponymous *e = calloc(1, sizeof *e + count * sizeof(struct column));
    if (!e) return NULL;
    arena_init(&e->arena, NULL, NULL);
    for (u32 i = 0; i < count; i++) {
        const char *name = i < shown ? pragma_column_name(&e->arena, def, i) : i < shown + argument ? "arg" : "schema";
        if (!name) name = "";
        e->columns[i] = (struct column){.name = name, .type = "", .affinity = AFFINITY_BLOB, .storage = (s16)i};
        if (i >= shown) column_hide(&e->columns[i]);
    }
    const char *name = arena_format(&e->arena, "pragma_%s", def->name);
    if (!name) name = "";
    e->table = (struct table){.name = name,
                              .references = 1,
                              .kind = TABLE_VIRTUAL,
                              .flags = TABLE_EPONYMOUS,
                              .column_count = (u16)count,
                              .stored_count = (u16)count,
                              .rowid_column = -1,
                              .columns = e->columns,
                              .module = name,
                              .pragma = def};
    return e;
}

static struct eponymous *eponymous_module(const char *name)
{
    struct eponymous *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    arena_init(&e->arena, NULL, NULL);
    e->table = (struct table){.name = name, .references = 1, .kind = TABLE_VIRTUAL, .flags = TABLE_EPONYMOUS, .rowid_column = -1, .module = name};
    if (virtual_table_columns(&e->arena, &e->table, false)) return e;
    arena_deinit(&e->arena);
    free(e);
    return NULL;
}

const struct table *connection_eponymous_table(struct skerry *db, const char *name)
{
    for (const struct eponymous *e = db->eponymous; e; e = e->next)
        if (name_equal(e->table.name, name)) return &e->table;
    const struct table_function *f = connection_table_function(db, name);
    const struct pragma_def *def = !f && strncasecmp(name, "pragma_", 7) == 0 ? pragma_find(name + 7) : NULL;
    if (def && !(def->flags & PRAGMA_F_TABLE)) def = NULL;
    struct eponymous *e = f ? eponymous_new(f) : def ? eponymous_pragma(def) : name_equal(name, "dbstat") ? eponymous_module("dbstat") : NULL;
    if (!e) return NULL;
    e->next = db->eponymous;
    db->eponymous = e;
    return &e->table;
}

void connection_eponymous_free(struct skerry *db)
{
    for (struct eponymous *e = db->eponymous, *next; e; e = next) {
        next = e->next;
        arena_deinit(&e->arena);
        free(e);
    }
    db->eponymous = NULL;
}

io_status vm_virtual_open(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = vm_cursor_new(s, in->p1, VM_CURSOR_VIRTUAL, 0);
    if (!c) return IO_FAIL;
    c->function = in->p4.table->function;
    c->virtual_table = in->p4.table;
    c->table = true;
    if (in->p4.table->fts) return fts_cursor_open(s->db, (u32)in->p2, in->p4.table, &s->op, &c->fts);
    if (in->p4.table->vocab) return fts_vocab_open(s->db, (u32)in->p2, in->p4.table, &s->op, &c->vocab);
    if (in->p4.table->dbstat) return dbstat_open(s->db, in->p4.table->dbstat, &s->op, &c->dbstat);
    if (!c->function && !in->p4.table->pragma) return IO_ERROR(&s->op.err, ERR_ERROR, "no such module: %s", in->p4.table->module);
    return IO_DONE;
}

// The PRAGMA with these arguments, quoted.
static io_status pragma_open(struct skerry_stmt *s, struct vm_cursor *c, const struct value *const *argv)
{
    struct arena a;
    arena_init(&a, NULL, NULL);
    const struct table *t = c->virtual_table;
    const char *texts[2] = {NULL, NULL}; // argument, schema
    u32 shown = 0;
    while (shown < t->column_count && !(t->columns[shown].flags & COLUMN_HIDDEN)) shown++;
    for (u32 k = shown; k < t->column_count; k++) {
        u32 i = strcmp(t->columns[k].name, "schema") == 0;
        const struct value *v = argv[k - shown];
        if (!v || v->type == VALUE_NULL) continue;
        struct value text;
        value_init(&text);
        char *quoted = NULL;
        if (value_copy(&text, v) == ERR_OK && (text.type == VALUE_TEXT || value_to_text(&text) == ERR_OK)) {
            quoted = arena_alloc(&a, 2 * (size_t)text.size + 3);
            char *at = quoted;
            if (at) *at++ = '\'';
            for (u32 m = 0; at && m < text.size; m++) {
                if (text.bytes[m] == '\'') *at++ = '\'';
                *at++ = (char)text.bytes[m];
            }
            if (at) *at++ = '\'';
        }
        value_deinit(&text);
        if (!quoted) {
            arena_deinit(&a);
            return vm_no_memory(s);
        }
        texts[i] = quoted;
    }
    const char *sql = arena_format(&a, "PRAGMA %s%s%s%s%s%s", texts[1] ? texts[1] : "", texts[1] ? "." : "", t->pragma->name,
                                   texts[0] ? "(" : "", texts[0] ? texts[0] : "", texts[0] ? ")" : "");
    size_t used;
    io_status status = sql ? statement_prepare(s->db, &s->op, sql, strlen(sql), true, &c->inner, &used) : vm_no_memory(s);
    arena_deinit(&a);
    return status;
}

static io_status pragma_step(struct skerry_stmt *s, struct vm_cursor *c, bool *row)
{
    switch (statement_step(c->inner)) {
    case VM_ROW: *row = true; return IO_DONE;
    case VM_DONE: *row = false; return IO_DONE;
    case VM_WAIT: return IO_WAIT;
    case VM_FAIL: break;
    }
    s->op.err = c->inner->op.err;
    return IO_FAIL;
}

// r3: a bit per hidden column that is given, from the first on; r3+1: how many; then their values in that order.
io_status vm_virtual_filter(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    const struct value *r = &s->frame->registers[in->p3];
    if (c->fts) {
        IO_TRY(fts_cursor_filter(c->fts, &s->op, (u32)r[0].integer, in->p4.ints + 1, (u32)in->p4.ints[0], &r[2]));
        *jump = c->null_row = fts_cursor_eof(c->fts);
        return IO_DONE;
    }
    if (c->vocab) {
        IO_TRY(fts_vocab_filter(c->vocab, &s->op, (u32)r[0].integer, &r[2]));
        *jump = c->null_row = fts_vocab_eof(c->vocab);
        return IO_DONE;
    }
    if (c->dbstat) {
        IO_TRY(dbstat_filter(c->dbstat, &s->op, (u32)r[0].integer, &r[2]));
        *jump = c->null_row = dbstat_eof(c->dbstat);
        return IO_DONE;
    }
    const struct value *argv[32] = {NULL};
    u64 given = (u64)r[0].integer;
    for (u32 i = 0, at = 0; i < COUNT_OF(argv); i++)
        if (given >> i & 1) argv[i] = &r[2 + at++];
    if (!c->function) {
        if (c->inner && !c->filtering) {
            skerry_finalize(c->inner);
            c->inner = NULL;
        }
        c->filtering = true;
        if (!c->inner) {
            for (u32 i = 0; i < COUNT_OF(c->pragma_arguments); i++) {
                value_set_null(&c->pragma_arguments[i]);
                if (argv[i]) VALUE_TRY(s, value_copy(&c->pragma_arguments[i], argv[i]));
            }
            IO_TRY(pragma_open(s, c, argv));
        }
        bool row;
        IO_TRY(pragma_step(s, c, &row));
        c->filtering = false;
        c->sequence = 1;
        *jump = c->null_row = !row;
        return IO_DONE;
    }
    if (c->rows ? !table_rows_again(&c->rows, argv, &s->op.err) : !table_rows_open(c->function, argv, &c->rows, &s->op.err))
        return IO_FAIL;
    *jump = table_rows_eof(c->rows);
    c->null_row = *jump;
    return IO_DONE;
}

io_status vm_virtual_column(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    struct value *out = &s->frame->registers[in->p3];
    value_set_null(out);
    if (c->null_row) return IO_DONE;
    if (c->fts) return fts_cursor_column(c->fts, &s->op, (u32)in->p2, in->p5, out);
    if (c->vocab) return fts_vocab_column_get(c->vocab, &s->op, (u32)in->p2, out);
    if (c->dbstat) return dbstat_column_get(c->dbstat, &s->op, (u32)in->p2, out);
    if (!c->function) {
        u32 hidden = 0, column = (u32)in->p2;
        while (hidden < c->virtual_table->column_count && !(c->virtual_table->columns[hidden].flags & COLUMN_HIDDEN)) hidden++;
        if (column >= hidden)
            VALUE_TRY(s, value_copy(out, &c->pragma_arguments[column - hidden]));
        else if (column < c->inner->program->column_count)
            VALUE_TRY(s, value_copy(out, &c->inner->row[column]));
        return IO_DONE;
    }
    if (!table_rows_column(c->rows, (u32)in->p2, out, &s->op.err)) return IO_FAIL;
    if (out->flags & VALUE_BORROWED) VALUE_TRY(s, value_own(out));
    return IO_DONE;
}

io_status vm_virtual_next(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    *jump = false;
    if (c->null_row) return IO_DONE; // the null row of an outer join comes last
    if (c->fts) {
        IO_TRY(fts_cursor_next(c->fts, &s->op));
        *jump = !fts_cursor_eof(c->fts);
        c->null_row = !*jump;
        return IO_DONE;
    }
    if (c->vocab) {
        IO_TRY(fts_vocab_next(c->vocab, &s->op));
        *jump = !fts_vocab_eof(c->vocab);
        c->null_row = !*jump;
        return IO_DONE;
    }
    if (c->dbstat) {
        IO_TRY(dbstat_next(c->dbstat, &s->op));
        *jump = !dbstat_eof(c->dbstat);
        c->null_row = !*jump;
        return IO_DONE;
    }
    if (!c->function) {
        bool row;
        IO_TRY(pragma_step(s, c, &row));
        c->sequence++;
        *jump = row;
        c->null_row = !row;
        return IO_DONE;
    }
    if (!table_rows_next(c->rows, &s->op.err)) return IO_FAIL;
    *jump = !table_rows_eof(c->rows);
    c->null_row = !*jump;
    return IO_DONE;
}

io_status vm_virtual_function(struct skerry_stmt *s, const struct instruction *in)
{
    static const char *const names[] = {"bm25", "highlight", "snippet", "fts5_get_locale"};
    struct vm_cursor *c = s->frame->cursors[in->p1];
    struct value *out = &s->frame->registers[in->p3];
    const struct fn_def *own = in->p4_kind == P4_POINTER ? in->p4.pointer : NULL;
    enum fts_function f = own ? FTS_BM25 : (enum fts_function)in->p4.integer;
    if (!c || !c->fts)
        return IO_ERROR(&s->op.err, ERR_ERROR, "unable to use function %s in the requested context", own ? own->name : names[f]);
    if (c->null_row) {
        value_set_null(out);
        return IO_DONE;
    }
    if (own) return fts_cursor_call(c->fts, &s->op, own, &s->frame->registers[in->p2], in->p5, out);
    return fts_cursor_function(c->fts, &s->op, f, &s->frame->registers[in->p2], in->p5, out);
}

io_status vm_virtual_update(struct skerry_stmt *s, const struct instruction *in)
{
    struct value *r = &s->frame->registers[in->p3];
    bool insert = in->p2 > 1 && r[0].type == VALUE_NULL;
    if (in->p2 > 1) VALUE_TRY(s, value_apply_affinity(&r[1], AFFINITY_INTEGER));
    s64 rowid = 0;
    io_status status = fts_change(s->db, (u32)in->p1, in->p4.table, &s->op, s, r, (u32)in->p2, (in->p5 & 255) == CONFLICT_REPLACE,
                                  in->p5 >> 8u, &rowid);
    if (status == IO_WAIT) return status;
    if (status == IO_FAIL) {
        enum conflict conflict = (enum conflict)(in->p5 & 255);
        // Only of a constraint of rows that are kept it matters what the statement says.
        bool constraint = err_primary(s->op.err.code) == ERR_CONSTRAINT && fts_conflicts_resolve(in->p4.table);
        s->error_action = constraint && conflict != CONFLICT_REPLACE && conflict != CONFLICT_NONE ? conflict : CONFLICT_ABORT;
        if (!constraint || conflict != CONFLICT_IGNORE) return status;
        err_clear(&s->op.err);
        return IO_DONE;
    }
    if (in->p2 > 1) value_set_integer(&r[1], rowid);
    if (insert) s->db->last_insert_rowid = rowid;
    s->changes++;
    return IO_DONE;
}

// A full-text table's own 'integrity-check'. What it finds is an answer, not a failure.
io_status vm_virtual_check(struct skerry_stmt *s, const struct instruction *in)
{
    const struct table *t = in->p4.table;
    struct value *out = &s->frame->registers[in->p2];
    value_set_null(out);
    u32 count = t->column_count + 2u;
    struct value *argv = calloc(count, sizeof *argv);
    if (!argv) return vm_no_memory(s);
    for (u32 i = 0; i < count; i++) value_init(&argv[i]);
    static const char command[] = "integrity-check";
    s64 rowid = 0;
    io_status status = value_set_text(&argv[count - 2], command, sizeof command - 1) == ERR_OK
                           ? fts_change(s->db, (u32)in->p1, t, &s->op, s, argv, count, false, 0, &rowid)
                           : vm_no_memory(s);
    value_deinit(&argv[count - 2]);
    free(argv);
    if (status != IO_FAIL) return status;
    err_code code = err_primary(s->op.err.code);
    if (code != ERR_CORRUPT && code != ERR_ERROR) return status;
    const char *database = s->db->databases[in->p1].name;
    char *text = NULL;
    bool told = strncmp(s->op.err.text, "fts5: ", 6) == 0;
    int size = told ? asprintf(&text, "%s", s->op.err.text)
               : code == ERR_CORRUPT
                   ? asprintf(&text, "malformed inverted index for FTS5 table %s.%s", database, t->name)
                   : asprintf(&text, "unable to validate the inverted index for FTS5 table %s.%s: %s", database, t->name, s->op.err.text);
    err_clear(&s->op.err);
    bool ok = size >= 0 && value_set_text(out, text, (size_t)size) == ERR_OK;
    free(text);
    return ok ? IO_DONE : vm_no_memory(s);
}
