#include "../connection.h"
#include "dml.h"

void returning_check(struct compile *c, const struct expr_list *list)
{
    for (u32 i = 0; list && i < list->count; i++)
        if (list->items[i].expr->kind == EXPR_DOT && expr_is_star(list->items[i].expr))
            compile_fail(c, ERR_ERROR, -1, "RETURNING may not use \"TABLE.*\" wildcards");
}

struct returning *returning_begin(struct compile *c, struct expr_list *list, const struct table *t, int database)
{
    if (!list) return NULL;
    struct returning *r = arena_alloc(c->arena, sizeof(*r));
    r->given = list;
    r->table = t;
    r->database = database;
    bool long_names = compile_connection_flag(c, CONNECTION_FULL_COLUMN_NAMES) &&
                      !compile_connection_flag(c, CONNECTION_SHORT_COLUMN_NAMES);
    for (u32 i = 0; i < list->count; i++) {
        const struct expr_item *item = &list->items[i];
        const struct expr *e = item->expr;
        if (e->kind != EXPR_STAR) {
            struct expr_item *copy = expr_list_add(c->arena, &r->list, item->expr);
            struct expr *expr = copy->expr;
            *copy = *item;
            copy->expr = expr;
            continue;
        }
        for (u32 k = 0; k < t->column_count; k++) {
            if (t->columns[k].flags & COLUMN_HIDDEN) continue;
            const char *name = t->columns[k].name;
            struct expr_item *column = expr_list_add(c->arena, &r->list, expr_name(c->arena, name));
            column->name = long_names ? arena_format(c->arena, "%s.%s", t->name, name) : name;
            column->name_kind = ITEM_ALIAS;
        }
    }
    r->column_count = r->list->count;
    if (r->column_count > (u32)compile_limit(c, SKERRY_LIMIT_COLUMN)) compile_fail(c, ERR_ERROR, -1, "too many columns in result set");
    r->cursor = cursor_alloc(c);
    emit(c, OP_OpenEphemeral, r->cursor, (int)r->column_count, 0);
    return r;
}

// The row's columns, resolved as those of a cursor, become registers.
struct row_registers {
    const struct table *table;
    int cursor;
    int reg;
};

static enum walk_result bind_expr(struct walker *w, struct expr *e)
{
    const struct row_registers *row = w->context;
    if (e->kind != EXPR_COLUMN || e->cursor != row->cursor) return WALK_CONTINUE;
    e->kind = EXPR_REGISTER;
    e->kind2 = EXPR_COLUMN;
    e->affinity = AFFINITY_INTEGER;
    e->reg = row->reg;
    if (e->column >= 0) {
        e->affinity = row->table->columns[e->column].affinity;
        e->reg = row->reg + 1 + row->table->columns[e->column].storage;
    }
    return WALK_CONTINUE;
}

// Whether it stands for the table, or view, that changes.
static bool is_changed(const struct returning *r, const struct source *s)
{
    return s->table == r->table || (s->was_view && s->name && s->database == r->database && name_equal(s->name, r->table->name));
}

// Subqueries that read the table as it changes are computed for each row, those within others' FROM are not, nor are those of a
// WITH, which have their rows at the first use: as in SQLite.
static enum walk_result mark_select(struct walker *w, struct select *s)
{
    for (u32 i = 0; s->from && i < s->from->count; i++) {
        if (is_changed(w->context, &s->from->items[i])) s->flags |= SELECT_F_CORRELATED;
        if (s->from->items[i].cte) s->from->items[i].cte->copies++;
    }
    return WALK_CONTINUE;
}

static enum walk_result mark_subquery(struct walker *w, struct expr *e)
{
    bool has_select = e->kind == EXPR_SELECT || e->kind == EXPR_EXISTS || e->flags & EXPR_F_SELECT;
    if (has_select && e->select->flags & SELECT_F_CORRELATED) e->flags |= EXPR_F_CORRELATED;
    return WALK_CONTINUE;
}

void returning_collect(struct compile *c, struct returning *r, int reg)
{
    coding_mistake_tell(c);
    returning_check(c, r->given);
    struct source_list *sources = NULL;
    struct source *source = source_list_add(c->arena, &sources);
    source->name = r->table->name;
    source->table = r->table;
    source->cursor = cursor_alloc(c);
    source->database = r->database;
    struct name_context names = {.c = c, .sources = sources, .flags = NAME_REGISTERS};
    struct expr_list *list = resolve_result(&names, r->list);
    select_result_list(c, sources, list);
    struct row_registers row = {.table = r->table, .cursor = source->cursor, .reg = reg};
    struct walker w = {.expr = bind_expr, .select = walk_into_select, .context = &row};
    walk_expr_list(&w, list);
    struct walker selects = {.select = mark_select, .context = r};
    walk_expr_list(&selects, list);
    struct walker subqueries = {.expr = mark_subquery, .select = walk_into_select};
    walk_expr_list(&subqueries, list);

    int first = reg_alloc_range(c, (int)list->count + 2);
    for (u32 i = 0; i < list->count; i++) {
        expr_code_factor(c, list->items[i].expr, first + (int)i);
        if (expr_affinity(list->items[i].expr) == AFFINITY_REAL) emit(c, OP_RealAffinity, first + (int)i, 0, 0);
    }
    int record = first + (int)list->count;
    emit(c, OP_MakeRecord, first, (int)list->count, record);
    emit(c, OP_NewRowid, r->cursor, record + 1, 0);
    emit(c, OP_Insert, r->cursor, record, record + 1);
}

void returning_end(struct compile *c, struct returning *r)
{
    if (!r) return;
    int none = label_new(c);
    int first = reg_alloc_range(c, (int)r->column_count);
    emit(c, OP_FkCheck, 0, 0, 0);
    emit(c, OP_Rewind, r->cursor, none, 0);
    int loop = here(c);
    for (u32 i = 0; i < r->column_count; i++) emit(c, OP_Column, r->cursor, (int)i, first + (int)i);
    emit(c, OP_ResultRow, first, (int)r->column_count, 0);
    emit(c, OP_Next, r->cursor, loop, 0);
    label_place(c, none);
}
