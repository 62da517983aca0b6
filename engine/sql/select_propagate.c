// Constants that WHERE gives to columns, put in the place of the columns elsewhere in it:
//
//   x.a = 5 AND z.b = x.a      gives   z.b = 5
//   x.a = 5 AND z.b > x.a * 2  gives   z.b > 5 * 2
//
// so that z needs no row of x to be searched or filtered. A column that was replaced stays known as one (EXPR_FIXED):
// it keeps its affinity and collation, and an index on an expression of it is found as before.
#include "select.h"

enum { CONSTANTS_MAX = 32 }; // more are left as they are

struct propagation {
    struct compile *c;
    u32 exclude; // terms of these joins neither give a constant nor get one
    u32 count;
    const struct expr *columns[CONSTANTS_MAX];
    struct expr *values[CONSTANTS_MAX];
    bool blob;    // a column without affinity is among them
    bool changed;
};

static void constant_add(struct propagation *p, const struct expr *equal, const struct expr *column, struct expr *value)
{
    if (column->kind != EXPR_COLUMN || !column->table || p->count == CONSTANTS_MAX) return;
    if (!expr_is_constant(p->c, value) || expr_is_vector(value)) return;
    if (value->kind == EXPR_FIXED || expr_affinity(value) != AFFINITY_NONE) return;
    if (expr_compare_collation(p->c, equal) != &COLLATION_BINARY) return;
    for (u32 i = 0; i < p->count; i++)
        if (p->columns[i]->cursor == column->cursor && p->columns[i]->column == column->column) return;
    if (expr_affinity(column) <= AFFINITY_BLOB) p->blob = true;
    p->columns[p->count] = column;
    p->values[p->count++] = value;
}

static void constants_find(struct propagation *p, struct expr *e)
{
    if (!e || e->flags & p->exclude) return;
    if (e->kind == EXPR_AND) {
        constants_find(p, e->right); // of two values the last one counts, as in SQLite: plans hang on it
        constants_find(p, e->left);
    } else if (e->kind == EXPR_EQ) {
        constant_add(p, e, e->right, e->left);
        constant_add(p, e, e->left, e->right);
    }
}

static void column_fix(struct propagation *p, struct expr *e, bool spare_blob)
{
    if (e->kind != EXPR_COLUMN || e->flags & p->exclude) return;
    for (u32 i = 0; i < p->count; i++) {
        const struct expr *column = p->columns[i];
        if (column == e || column->cursor != e->cursor || column->column != e->column) continue;
        if (spare_blob && expr_affinity(column) <= AFFINITY_BLOB) return;
        e->kind = EXPR_FIXED;
        e->left = expr_copy(p->c->arena, p->values[i]);
        e->flags &= ~(u32)EXPR_F_LEAF;
        p->changed = true;
        return;
    }
}

// A column without affinity may hold 5.0 where it is equal to 5: that is the same to a comparison alone, and only to one
// that does not make a text of it.
static enum walk_result propagate_expr(struct walker *w, struct expr *e)
{
    struct propagation *p = w->context;
    if (p->blob && ((e->kind >= EXPR_EQ && e->kind <= EXPR_GE && e->kind != EXPR_NE) || e->kind == EXPR_IS)) {
        column_fix(p, e->left, false);
        if (expr_affinity(e->left) != AFFINITY_TEXT) column_fix(p, e->right, false);
    }
    column_fix(p, e, p->blob);
    return e->kind == EXPR_FIXED ? WALK_PRUNE : WALK_CONTINUE;
}

void select_propagate_constants(struct compile *c, struct select *s)
{
    if (!s->where || s->where->kind != EXPR_AND) return;
    bool right = s->from && s->from->count && s->from->items[0].join & JOIN_LEFT_OF_RIGHT;
    struct propagation p;
    do {
        p = (struct propagation){.c = c, .exclude = EXPR_F_OUTER_ON | (right ? EXPR_F_INNER_ON : 0)};
        constants_find(&p, s->where);
        if (!p.count) return;
        struct walker w = {.expr = propagate_expr, .select = walk_into_select, .context = &p};
        walk_expr(&w, s->where);
    } while (p.changed);
}
