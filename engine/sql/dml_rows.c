// Which rows an UPDATE or DELETE changes, where that is a query: LIMIT, and views.
#include "dml.h"
#include "expr.h"
#include "resolve.h"
#include "select.h"

// The row's key as an expression: a row value when it has several columns.
static struct expr *key_expr(struct compile *c, const struct table *t)
{
    if (table_has_rowid(t)) {
        static const char *const names[] = {"rowid", "_rowid_", "oid"};
        u32 i = 0;
        while (i < 2 && table_column(t, names[i]) >= 0) i++;
        return expr_name(c->arena, names[i]);
    }
    const struct index *pk = t->primary_key;
    if (pk->key_count == 1) return expr_name(c->arena, t->columns[pk->columns[0]].name);
    struct expr *row = expr_new(c->arena, EXPR_ROW, OFFSET_NONE);
    for (u32 i = 0; i < pk->key_count; i++)
        expr_list_add(c->arena, &row->list, expr_name(c->arena, t->columns[pk->columns[i]].name));
    expr_summarize(row);
    return row;
}

struct expr *limit_where(struct compile *c, struct source *source, struct expr *where, struct expr_list *order_by,
                         struct expr *limit, struct expr *offset, const char *statement)
{
    if (order_by && !limit) compile_fail(c, ERR_ERROR, -1, "ORDER BY without LIMIT on %s", statement);
    if (!limit) return where;
    struct select *s = arena_alloc(c->arena, sizeof(*s));
    struct source *from = source_list_add(c->arena, &s->from);
    *from = *source;
    from->cursor = -1; // the table is known: no CTE of that name hides it
    source->indexed_by = NULL;
    source->index = NULL;
    struct expr *key = key_expr(c, source->table);
    if (key->kind == EXPR_ROW)
        s->columns = expr_list_copy(c->arena, key->list);
    else
        expr_list_add(c->arena, &s->columns, expr_copy(c->arena, key));
    s->where = where;
    s->order_by = order_by;
    s->limit = limit;
    s->limit_offset = offset;
    struct expr *in = expr_new(c->arena, EXPR_IN, OFFSET_NONE);
    in->left = key;
    in->select = s;
    in->flags |= EXPR_F_SELECT;
    expr_summarize(in);
    return in;
}

struct view_rows {
    struct compile *c;
    struct select *select;
    struct select_dest *dest;
};

static void view_rows_try(void *context)
{
    struct view_rows *r = context;
    select_code(r->c, r->select, r->dest);
}

void view_rows_code(struct compile *c, struct select *select, struct select_dest *dest, struct source_list *view, struct expr *where)
{
    struct view_rows rows = {.c = c, .select = select, .dest = dest};
    struct err mistake;
    if (compile_attempt(c, view_rows_try, &rows, &mistake)) return;
    // A function is looked at once more, as in a table's WHERE, behind that mistake: the last one is told.
    if (where && where->kind == EXPR_FUNCTION) {
        struct name_context names = {.c = c, .sources = view};
        mistake_keep(c, mistake.text, mistake.offset);
        resolve_expr(&names, where);
    }
    compile_fail_again(c, &mistake);
}
