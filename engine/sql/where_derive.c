// What an OR of the WHERE clause implies, as terms of its own:
//
//   (a.x = b.x AND a.y = 1 AND b.z > 2) OR (a.x = b.x AND a.y = 3 AND b.z > 4)
//
// gives a.x = b.x, which all alternatives have, and (a.y = 1 OR a.y = 3) and (b.z > 2 OR b.z > 4), which concern a source
// alone and let it drop rows before the others are looked up. The OR itself is still tested. SQLite does not do this, so
// only joins with a large table get it: others keep SQLite's plans, and with them its order of rows.
#include "where.h"

enum { ALTERNATIVES_MAX = 64, CONJUNCTS_MAX = 256 };

struct alternatives {
    struct expr *conjuncts[CONJUNCTS_MAX];
    bool common[CONJUNCTS_MAX];         // every alternative has it
    u32 begin[ALTERNATIVES_MAX + 1];    // of each alternative's conjuncts; the last: their number
    u32 count;
};

// False: there are too many.
static bool conjuncts_collect(struct alternatives *a, struct expr *e)
{
    e = expr_skip_collate(e);
    if (e->kind == EXPR_AND) return conjuncts_collect(a, e->left) && conjuncts_collect(a, e->right);
    u32 at = a->begin[a->count];
    if (at >= CONJUNCTS_MAX) return false;
    a->conjuncts[at] = e;
    a->begin[a->count]++;
    return true;
}

static bool alternatives_collect(struct alternatives *a, struct expr *e)
{
    e = expr_skip_collate(e);
    if (e->kind == EXPR_OR) return alternatives_collect(a, e->left) && alternatives_collect(a, e->right);
    if (a->count + 1 >= ALTERNATIVES_MAX) return false;
    a->begin[a->count + 1] = a->begin[a->count];
    a->count++;
    return conjuncts_collect(a, e);
}

// It may be evaluated for rows for which it was not written: it has no effects and cannot fail.
static bool harmless(const struct expr *e) { return !(e->flags & (EXPR_F_HAS_SELECT | EXPR_F_HAS_FUNCTION)); }

static void common_add(struct where_info *w, struct alternatives *a)
{
    struct compile *c = w->c;
    for (u32 i = 0; i < a->begin[1]; i++) {
        struct expr *e = a->conjuncts[i];
        u32 found = 1;
        u32 same[ALTERNATIVES_MAX] = {i};
        if (!harmless(e)) continue;
        for (u32 k = 1; k < a->count; k++)
            for (u32 j = a->begin[k]; j < a->begin[k + 1]; j++)
                if (expr_compare(c, e, a->conjuncts[j], -1) == 0) {
                    same[found++] = j;
                    break;
                }
        if (found < a->count) continue;
        for (u32 k = 0; k < a->count; k++) a->common[same[k]] = true;
        where_term_add(&w->clause, expr_copy(c->arena, e), 0);
    }
}

// The alternatives as far as they concern that source alone; NULL: one of them does not.
static struct expr *source_condition(struct where_info *w, const struct alternatives *a, bitmask source, logest *truth)
{
    struct compile *c = w->c;
    struct expr *all = NULL;
    logest sum = INT16_MIN;
    for (u32 k = 0; k < a->count; k++) {
        struct expr *one = NULL;
        logest rows = 0;
        for (u32 j = a->begin[k]; j < a->begin[k + 1]; j++) {
            struct expr *e = a->conjuncts[j];
            if (a->common[j] || !harmless(e) || expr_usage(w, e) != source) continue;
            one = expr_and(c->arena, one, expr_copy(c->arena, e));
            rows -= e->kind == EXPR_EQ || e->kind == EXPR_IS ? 33 : e->kind == EXPR_IN ? 20 : 10;
        }
        if (!one) return NULL;
        all = all ? expr_binary(c->arena, EXPR_OR, all, one) : one;
        sum = sum == INT16_MIN ? rows : logest_add(sum, rows);
    }
    *truth = MIN(sum, 0);
    return all;
}

void where_derive(struct where_info *w)
{
    if (!w->large) return;
    for (u32 i = 0; i < w->sources->count; i++)
        if (w->sources->items[i].join & (JOIN_LEFT | JOIN_RIGHT | JOIN_LEFT_OF_RIGHT)) return;
    int count = w->clause.count;
    for (int i = 0; i < count; i++) {
        struct expr *e = w->clause.terms[i]->expr;
        if (e->kind != EXPR_OR) continue;
        bitmask sources = expr_usage(w, e);
        if (!(sources & (sources - 1))) continue;
        struct alternatives a = {0};
        if (!alternatives_collect(&a, e)) continue;
        common_add(w, &a);
        for (u32 k = 0; k < w->sources->count; k++) {
            if (!(sources & 1ull << k)) continue;
            logest truth;
            struct expr *condition = source_condition(w, &a, 1ull << k, &truth);
            if (condition) where_term_add(&w->clause, condition, TERM_DERIVED)->truth = truth;
        }
    }
}
