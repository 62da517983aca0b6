// UNION, UNION ALL, INTERSECT, EXCEPT.
#include "select.h"

bool select_is_values(const struct select *s)
{
    if (s->with || s->order_by || s->limit) return false;
    bool several = s->prior || s->rows;
    for (; s; s = s->prior) {
        if (!(s->flags & SELECT_F_VALUES) || (s->prior && s->op != SELECT_UNION_ALL)) return false;
        for (u32 i = 0; several && i < s->columns->count; i++)
            if (s->columns->items[i].expr->flags & EXPR_F_HAS_WINDOW) return false;
    }
    return true;
}

const struct collation *compound_collation(struct compile *c, struct select *s, u32 column)
{
    const struct collation *found = NULL;
    if (s->prior) found = compound_collation(c, s->prior, column);
    if (!found) found = expr_collation_or_null(c, s->columns->items[column].expr);
    return found || !select_begins_rows(s) ? found : &COLLATION_BINARY; // a table's column, to SQLite
}

static void term_code(struct compile *c, struct select *s, struct select_dest *dest, const char *label)
{
    explain_push(c, "%s", label);
    struct select *prior = s->prior;
    s->prior = NULL;
    select_code(c, s, dest);
    s->prior = prior;
    explain_pop(c);
}

// Where rows are not just added up, they are merged.
static void compound_code(struct compile *c, struct select *s, struct select_dest *dest)
{
    if (s->op != SELECT_UNION_ALL) {
        select_merge(c, s, dest);
        return;
    }
    if (s->prior->prior)
        compound_code(c, s->prior, dest);
    else
        term_code(c, s->prior, dest, "LEFT-MOST SUBQUERY");
    term_code(c, s, dest, "UNION ALL");
    s->rows_estimate = logest_add(s->rows_estimate, s->prior->rows_estimate);
}

// Rows of VALUES one after the other.
static bool values_code(struct compile *c, struct select *s, struct select_dest *dest)
{
    u32 count = 0;
    struct select *first = s;
    for (struct select *t = s; t; t = t->prior) {
        if (!(t->flags & SELECT_F_VALUES) || t->limit || t->order_by || select_has_window(t) || t->where) return false;
        // An aggregate in one of several rows is a mistake that is found when it is computed.
        if (t->flags & SELECT_F_AGGREGATE && !(s->flags & SELECT_F_MULTI_VALUE)) return false;
        if (t->prior && t->op != SELECT_UNION_ALL) return false;
        count++;
        first = t;
    }
    explain_row(c, "SCAN %u CONSTANT ROW%s", count, count == 1 ? "" : "S");
    bool factoring = c->factoring;
    for (struct select *t = first; t; t = t == s ? NULL : t->next) {
        // Each row is computed once: nothing to gain by doing so at the start.
        c->factoring = false;
        if (t->flags & SELECT_F_AGGREGATE && s->flags & SELECT_F_ROWS_APART) {
            term_code(c, t, dest, "UNION ALL");
            continue;
        }
        int label = emit_label(c);
        select_row_code(c, t, -1, NULL, NULL, dest, label, label);
        emit_place(c, label);
    }
    c->factoring = factoring;
    s->rows_estimate = (logest)MIN(count, 600u); // not its logarithm, as in SQLite
    return true;
}

// EXISTS of terms that are added up: the first that has a row ends it, and no values are computed. Those at the head may be merged.
static bool exists_code(struct compile *c, struct select *s, struct select_dest *dest)
{
    int n;
    if (dest->kind != DEST_EXISTS || s->limit_offset || !s->limit || !expr_is_integer(s->limit, &n) || n != 1) return false;
    struct select *first = s;
    while (first->prior && first->op == SELECT_UNION_ALL) first = first->prior;
    if (first == s) return false;
    struct expr *one = s->limit;
    int end = emit_label(c);
    explain_push(c, "COMPOUND QUERY");
    for (struct select *t = first; t; t = t == s ? NULL : t->next) {
        t->limit = one;
        t->limit_register = 0;
        if (t->prior && t == first)
            select_merge(c, t, dest);
        else
            term_code(c, t, dest, t == first ? "LEFT-MOST SUBQUERY" : "UNION ALL");
        if (t != s) emit(c, OP_If, dest->parm, end, 0);
    }
    explain_pop(c);
    emit_place(c, end);
    return true;
}

void select_compound(struct compile *c, struct select *s, struct select_dest *dest)
{
    struct expr *limit = s->limit;
    if (dest->kind == DEST_DISCARD && !limit) s->order_by = NULL;
    if (dest->kind == DEST_EXISTS) s->order_by = NULL;
    int count = (int)s->columns->count;
    if (dest->kind == DEST_EPHEMERAL) {
        emit(c, OP_OpenEphemeral, dest->parm, count, 0);
        dest->kind = DEST_TABLE;
    }
    for (struct select *t = s; t; t = t->prior)
        if (t->prior) t->prior->next = t;
    if (exists_code(c, s, dest)) return;
    if (s->order_by || s->op != SELECT_UNION_ALL) {
        select_merge(c, s, dest);
        return;
    }
    if (!limit) {
        if (values_code(c, s, dest)) return;
        explain_push(c, "COMPOUND QUERY");
        compound_code(c, s, dest);
        explain_pop(c);
        return;
    }
    // The terms' rows come from a coroutine and are counted.
    s->rows_estimate = SELECT_ROWS_UNKNOWN;
    int end = emit_label(c);
    s->limit_register = s->offset_register = 0;
    select_limit_code(c, s, end);
    int limit_register = s->limit_register, offset_register = s->offset_register;
    struct select_dest rows;
    int yield = reg_alloc(c);
    int start = emit_here(c) + 1;
    emit(c, OP_InitCoroutine, yield, 0, start);
    select_dest_init(&rows, DEST_COROUTINE, yield);
    rows.reg = reg_alloc_range(c, count);
    rows.reg_count = count;
    s->limit = NULL;
    struct expr *limit_offset = s->limit_offset;
    s->limit_offset = NULL;
    s->limit_register = s->offset_register = 0;
    if (!values_code(c, s, &rows)) {
        explain_push(c, "COMPOUND QUERY");
        compound_code(c, s, &rows);
        explain_pop(c);
    }
    emit(c, OP_EndCoroutine, yield, 0, 0);
    emit_jump_here(c, start - 1);
    reg_forget_temps(c);
    int n;
    if (expr_is_integer(limit, &n) && n > 0) s->rows_estimate = MIN(s->rows_estimate, logest_of((u64)n));
    s->limit = limit;
    s->limit_offset = limit_offset;
    s->limit_register = limit_register;
    s->offset_register = offset_register;
    int loop = emit_label(c);
    emit_place(c, loop);
    emit(c, OP_Yield, yield, end, 0);
    select_offset_code(c, offset_register, loop);
    if (dest->reg && dest->reg != rows.reg) {
        emit(c, OP_Copy, rows.reg, dest->reg, count - 1);
    } else if (!dest->reg) {
        dest->reg = rows.reg;
        dest->reg_count = count;
    }
    select_row_deliver(c, s, dest, dest->reg, count, end);
    emit(c, OP_DecrJumpZero, limit_register, end, 0);
    emit_goto(c, loop);
    emit_place(c, end);
}
