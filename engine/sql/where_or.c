// Terms with OR: alternatives that indexes can look up one by one, or an IN or a wider comparison in their place.
#include "where.h"

static struct where_clause *clause_new(struct where_clause *outer)
{
    struct where_clause *wc = arena_alloc(outer->info->c->arena, sizeof *wc);
    where_clause_init(wc, outer->info);
    wc->outer = outer;
    return wc;
}

// Two alternatives that compare the same operands can be one with a wider operator.
static void combine_disjuncts(struct where_clause *wc, struct where_term *one, struct where_term *two)
{
    u16 op = one->operators | two->operators;
    if ((one->flags | two->flags) & TERM_VNULL) return;
    if (!(one->operators & (WO_EQ | WO_LT | WO_LE | WO_GT | WO_GE)) ||
        !(two->operators & (WO_EQ | WO_LT | WO_LE | WO_GT | WO_GE)))
        return;
    if ((op & (WO_EQ | WO_LT | WO_LE)) != op && (op & (WO_EQ | WO_GT | WO_GE)) != op) return;
    struct compile *c = wc->info->c;
    if (expr_compare(c, one->expr->left, two->expr->left, -1)) return;
    if (expr_compare(c, one->expr->right, two->expr->right, -1)) return;
    if ((one->expr->flags & EXPR_F_COMMUTED) != (two->expr->flags & EXPR_F_COMMUTED)) return;
    if ((op & (op - 1)) != 0) op = op & (WO_LT | WO_LE) ? WO_LE : WO_GE;
    struct expr *e = expr_copy(c->arena, one->expr);
    u8 kind = op == WO_EQ ? EXPR_EQ : op == WO_LT ? EXPR_LT : op == WO_LE ? EXPR_LE : op == WO_GT ? EXPR_GT : EXPR_GE;
    e->kind = kind;
    where_term_add(wc, e, TERM_VIRTUAL);
    where_term_analyze(wc, wc->count - 1);
}

static struct where_term *nth_subterm(struct where_term *t, int n)
{
    if (t->operators != WO_AND) return n == 0 ? t : NULL;
    return n < t->sub->count ? t->sub->terms[n] : NULL;
}

// Whether a comparison would convert its right side otherwise than IN does. To have no affinity is one when a column of a subquery has none.
static bool converts(const struct expr *comparison)
{
    const struct expr *right = comparison->right;
    const char affinity = expr_affinity(right);
    while (right->kind == EXPR_COLLATE) right = right->left;
    if (affinity == AFFINITY_NONE && right->kind != EXPR_COLUMN) return false;
    return affinity != expr_affinity(comparison->left);
}

void where_or_analyze(struct where_clause *wc, int at)
{
    struct where_info *w = wc->info;
    struct compile *c = w->c;
    struct where_term *term = wc->terms[at];
    struct expr *e = term->expr;
    struct where_clause *or_clause = clause_new(wc);
    term->flags |= TERM_OR_INFO;
    term->sub = or_clause;
    where_split(or_clause, e, EXPR_OR);
    where_analyze_all(or_clause);
    bitmask indexable = ~0ull, equality = ~0ull;
    for (int i = or_clause->count - 1; i >= 0 && indexable; i--) {
        struct where_term *o = or_clause->terms[i];
        if (!(o->operators & WO_SINGLE)) {
            equality = 0;
            struct where_clause *and_clause = clause_new(wc);
            o->flags |= TERM_AND_INFO;
            o->operators = WO_AND;
            o->left_cursor = -1;
            o->sub = and_clause;
            where_split(and_clause, o->expr, EXPR_AND);
            where_analyze_all(and_clause);
            and_clause->outer = wc;
            bitmask b = 0;
            for (int j = 0; j < and_clause->count; j++) {
                struct where_term *a = and_clause->terms[j];
                if (a->operators & WO_SINGLE) b |= where_mask(w, a->left_cursor);
            }
            indexable &= b;
        } else if (o->flags & TERM_COPIED) {
            // Its virtual counterpart is in the list too.
        } else {
            bitmask b = where_mask(w, o->left_cursor);
            if (o->flags & TERM_VIRTUAL && o->parent >= 0)
                b |= where_mask(w, or_clause->terms[o->parent]->left_cursor);
            indexable &= b;
            if (!(o->operators & WO_EQ)) equality = 0;
            else equality &= b;
        }
    }
    term->indexable = indexable;
    term->operators = WO_OR;
    if (indexable) wc->has_or = true;
    if (indexable && or_clause->count == 2) {
        struct where_term *one, *two;
        for (int i = 0; (one = nth_subterm(or_clause->terms[0], i)); i++)
            for (int j = 0; (two = nth_subterm(or_clause->terms[1], j)); j++) combine_disjuncts(wc, one, two);
    }
    if (!equality) return;
    // All alternatives are equalities of one column: x IN (...).
    int cursor = -1, column = 0;
    struct expr *column_expr = NULL;
    bool possible = false;
    for (int pass = 0; pass < 2 && !possible; pass++) {
        int i = 0;
        for (; i < or_clause->count; i++) {
            struct where_term *o = or_clause->terms[i];
            o->flags &= (u16)~TERM_HEURISTIC;
            if (o->left_cursor == cursor || !(equality & where_mask(w, o->left_cursor))) continue;
            column = o->left_column;
            cursor = o->left_cursor;
            column_expr = o->expr->left;
            possible = true;
            break;
        }
        if (!possible) break;
        for (; i < or_clause->count && possible; i++) {
            struct where_term *o = or_clause->terms[i];
            o->flags &= (u16)~TERM_HEURISTIC;
            if (o->left_cursor != cursor) continue; // its copy with the sides swapped is there as well
            if (o->left_column != column || (column == COLUMN_EXPR && expr_compare(c, o->expr->left, column_expr, -1)) || converts(o->expr))
                possible = false;
            else
                o->flags |= TERM_HEURISTIC;
        }
    }
    if (possible) {
        struct expr_list *list = NULL;
        struct expr *left = NULL;
        for (int i = 0; i < or_clause->count; i++) {
            struct where_term *o = or_clause->terms[i];
            if (!(o->flags & TERM_HEURISTIC)) continue;
            expr_list_add(c->arena, &list, expr_copy(c->arena, o->expr->right));
            left = o->expr->left;
        }
        if (left && list) {
            struct expr *in = expr_new(c->arena, EXPR_IN, e->offset);
            in->left = expr_copy(c->arena, left);
            in->list = list;
            expr_summarize(in);
            in->flags |= e->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON);
            in->on_cursor = e->on_cursor;
            where_term_add(wc, in, TERM_VIRTUAL);
            int index = wc->count - 1;
            where_term_analyze(wc, index);
            where_term_mark_child(wc, index, at);
        }
    }
    for (int i = 0; i < or_clause->count; i++) or_clause->terms[i]->flags &= (u16)~TERM_HEURISTIC;
}
