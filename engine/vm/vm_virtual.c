// Table-valued functions as tables: the eponymous ones that a connection knows, and cursors over their rows.
#include "../connection.h"
#include "../fn/table_function.h"
#include "../sql/compile.h"
#include "vm.h"

struct eponymous {
    struct eponymous *next;
    struct table table;
    struct column columns[];
};

static struct eponymous *eponymous_new(const struct table_function *f)
{
    struct eponymous *e = calloc(1, sizeof *e + f->column_count * sizeof(struct column));
    if (!e) return NULL;
    for (u32 i = 0; i < f->column_count; i++) {
        e->columns[i] = (struct column){.name = f->columns[i], .type = "", .affinity = AFFINITY_BLOB, .storage = (s16)i};
        if (i >= f->column_count - f->hidden_count) e->columns[i].flags = COLUMN_HIDDEN;
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

const struct table *connection_eponymous_table(struct skerry *db, const char *name)
{
    for (const struct eponymous *e = db->eponymous; e; e = e->next)
        if (name_equal(e->table.name, name)) return &e->table;
    const struct table_function *f = table_function_find(name, strlen(name));
    struct eponymous *e = f ? eponymous_new(f) : NULL;
    if (!e) return NULL;
    e->next = db->eponymous;
    db->eponymous = e;
    return &e->table;
}

void connection_eponymous_free(struct skerry *db)
{
    for (struct eponymous *e = db->eponymous, *next; e; e = next) {
        next = e->next;
        free(e);
    }
    db->eponymous = NULL;
}

io_status vm_virtual_open(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = vm_cursor_new(s, in->p1, VM_CURSOR_VIRTUAL, 0);
    if (!c) return IO_FAIL;
    c->function = in->p4.table->function;
    c->table = true;
    if (!c->function) return IO_ERROR(&s->op.err, ERR_ERROR, "no such module: %s", in->p4.table->module);
    return IO_DONE;
}

// r3: a bit per hidden column that is given, from the first on; r3+1: how many; then their values in that order.
io_status vm_virtual_filter(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    const struct value *r = &s->frame->registers[in->p3];
    const struct value *argv[32] = {NULL};
    u64 given = (u64)r[0].integer;
    for (u32 i = 0, at = 0; i < c->function->hidden_count && i < COUNT_OF(argv); i++)
        if (given >> i & 1) argv[i] = &r[2 + at++];
    table_rows_close(c->rows);
    c->rows = NULL;
    if (!table_rows_open(c->function, argv, &c->rows, &s->op.err)) return IO_FAIL;
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
    if (!table_rows_column(c->rows, (u32)in->p2, out, &s->op.err)) return IO_FAIL;
    if (out->flags & VALUE_BORROWED) VALUE_TRY(s, value_own(out));
    return IO_DONE;
}

io_status vm_virtual_next(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    if (!table_rows_next(c->rows, &s->op.err)) return IO_FAIL;
    *jump = !table_rows_eof(c->rows);
    c->null_row = !*jump;
    return IO_DONE;
}
