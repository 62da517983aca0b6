// The WHERE clause as terms.
#include "../fn/fn.h"
#include "../fts/fts.h"
#include "../fts/fts_table.h"
#include "select.h"
#include "where.h"

// ---- logarithms ---------------------------------------------------------------------------------------------

logest logest_of(u64 x)
{
    static const logest eighth[8] = {0, 2, 3, 5, 6, 7, 8, 9}; // 10 * log2(1 + i/8)
    logest y = 40;
    if (x < 8) {
        if (x < 2) return 0;
        while (x < 8) {
            y -= 10;
            x <<= 1;
        }
    } else {
        while (x > 255) {
            y += 40;
            x >>= 4;
        }
        while (x > 15) {
            y += 10;
            x >>= 1;
        }
    }
    return eighth[x & 7] + y - 10;
}

logest logest_add(logest a, logest b)
{
    static const u8 gain[32] = {10, 10, 9, 9, 8, 8, 7, 7, 7, 6, 6, 6, 5, 5, 5, 4,
                                4,  4,  4, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2}; // 10*log2(1+2^(-i/10))
    if (a < b) {
        logest t = a;
        a = b;
        b = t;
    }
    if (a > b + 49) return a;
    if (a > b + 31) return a + 1;
    return a + gain[a - b];
}

logest logest_log(logest n)
{
    return n <= 10 ? 0 : (logest)(logest_of((u64)n) - 33);
}

// ---- which sources an expression reads ------------------------------------------------------------------------

bitmask where_mask(const struct where_info *w, int cursor)
{
    for (u32 i = 0; i < w->sources->count && i < 64; i++)
        if (w->cursors[i] == cursor) return 1ull << i;
    return 0;
}

struct usage {
    const struct where_info *w;
    bitmask mask;
};

static enum walk_result usage_expr(struct walker *walker, struct expr *e)
{
    struct usage *u = walker->context;
    if ((e->kind == EXPR_COLUMN || e->kind == EXPR_AGG_COLUMN || e->kind == EXPR_IF_NULL_ROW) && e->cursor >= 0)
        u->mask |= where_mask(u->w, e->cursor);
    return WALK_CONTINUE;
}

static enum walk_result usage_select(struct walker *walker, struct select *s)
{
    return WALK_CONTINUE;
}

bitmask expr_usage(const struct where_info *w, const struct expr *e)
{
    if (!e) return 0;
    struct usage u = {.w = w};
    struct walker walker = {.expr = usage_expr, .select = usage_select, .context = &u};
    walk_expr(&walker, (struct expr *)e);
    return u.mask;
}

bitmask expr_list_usage(const struct where_info *w, const struct expr_list *list)
{
    bitmask mask = 0;
    if (list)
        for (u32 i = 0; i < list->count; i++) mask |= expr_usage(w, list->items[i].expr);
    return mask;
}

// ---- the list -------------------------------------------------------------------------------------------------

void where_clause_init(struct where_clause *wc, struct where_info *w)
{
    *wc = (struct where_clause){.info = w, .op = EXPR_AND};
}

struct where_term *where_term_add(struct where_clause *wc, struct expr *e, u16 flags)
{
    struct compile *c = wc->info->c;
    wc->terms = arena_grow(c->arena, wc->terms, (u32)wc->count, &wc->capacity, sizeof *wc->terms);
    struct where_term *t = arena_alloc(c->arena, sizeof *t);
    wc->terms[wc->count++] = t;
    if (!(flags & TERM_VIRTUAL)) wc->base_count = wc->count;
    t->truth = 1;
    if (e && e->kind == EXPR_FUNCTION && e->flags & EXPR_F_UNLIKELY) {
        // likelihood * 2^27 in the cursor field.
        double p = e->cursor / 134217728.0;
        if (p <= 0) {
            t->truth = -270;
        } else {
            t->truth = (logest)(logest_of((u64)e->cursor ? (u64)e->cursor : 1) - 270);
        }
        if (t->truth > 0) t->truth = 0;
    }
    t->expr = expr_skip_collate(e);
    t->clause = wc;
    t->flags = flags;
    t->parent = -1;
    t->left_cursor = -1;
    return t;
}

void where_split(struct where_clause *wc, struct expr *e, u8 op)
{
    wc->op = op;
    if (!e) return;
    struct expr *bare = expr_skip_collate(e);
    if (bare->kind != op) {
        where_term_add(wc, e, 0);
        return;
    }
    where_split(wc, bare->left, op);
    where_split(wc, bare->right, op);
}

static void mark_child(struct where_clause *wc, int child, int parent)
{
    wc->terms[child]->parent = parent;
    if (!(wc->terms[parent]->flags & TERM_DERIVED)) wc->terms[child]->truth = wc->terms[parent]->truth;
    wc->terms[parent]->children++;
}

static int term_index(struct where_clause *wc, const struct where_term *t)
{
    for (int i = 0; i < wc->count; i++)
        if (wc->terms[i] == t) return i;
    return -1;
}

static u16 operator_mask(u8 kind)
{
    switch (kind) {
    case EXPR_IN:
        return WO_IN;
    case EXPR_IS_NULL:
        return WO_IS_NULL;
    case EXPR_IS:
        return WO_IS;
    case EXPR_EQ:
        return WO_EQ;
    case EXPR_LT:
        return WO_LT;
    case EXPR_LE:
        return WO_LE;
    case EXPR_GT:
        return WO_GT;
    case EXPR_GE:
        return WO_GE;
    }
    return 0;
}

static bool allowed_kind(u8 kind)
{
    return operator_mask(kind) != 0;
}

// x < y as y > x. That it was the other way round matters where the side decides on the collation.
static void commute(struct compile *c, struct expr *e)
{
    if (e->kind != EXPR_EQ && e->kind != EXPR_IS) {
        u8 swapped = e->kind;
        if (e->kind == EXPR_LT) swapped = EXPR_GT;
        else if (e->kind == EXPR_GT) swapped = EXPR_LT;
        else if (e->kind == EXPR_LE) swapped = EXPR_GE;
        else if (e->kind == EXPR_GE) swapped = EXPR_LE;
        e->kind = swapped;
    }
    if (expr_is_vector(e->left) || expr_is_vector(e->right) ||
        compare_collation_or_null(c, e->left, e->right) != compare_collation_or_null(c, e->right, e->left))
        e->flags ^= EXPR_F_COMMUTED;
    struct expr *t = e->left;
    e->left = e->right;
    e->right = t;
}

// ---- LIKE -----------------------------------------------------------------------------------------------------

// "x LIKE 'abc%'": the prefix before the first wildcard, when there is one an index can use.
static bool like_prefix(struct compile *c, struct expr *e, struct expr **left_out, const char **prefix_out,
                        u32 *prefix_size, bool *complete, bool *no_case, const char **pattern)
{
    if (e->kind != EXPR_FUNCTION || !(e->flags & EXPR_F_INFIX) || !e->list || !e->function ||
        !(e->function->flags & FN_LIKE))
        return false;
    bool glob = name_equal(e->text, "glob");
    if (!glob && !name_equal(e->text, "like")) return false;
    char all = glob ? '*' : '%', one = glob ? '?' : '_', set = glob ? '[' : 0;
    u32 escape = 0;
    if (e->list->count > 2) {
        const struct expr *x = e->list->items[2].expr;
        if (x->kind != EXPR_TEXT || x->text_size != 1 || x->text[0] == all || x->text[0] == one) return false;
        escape = (u8)x->text[0];
    }
    if (connection_encoding(c->db) > 1) return false; // texts with the same beginning are not neighbours there
    *no_case = !glob && !compile_connection_flag(c, CONNECTION_CASE_SENSITIVE_LIKE);
    struct expr *left = e->list->items[1].expr;
    struct expr *right = expr_skip_collate(e->list->items[0].expr);
    if (right->kind != EXPR_TEXT) return false;
    const u8 *z = (const u8 *)right->text;
    u32 n = right->text_size, count = 0;
    while (count < n && z[count] && z[count] != (u8)all && z[count] != (u8)one && (!set || z[count] != (u8)set)) {
        u8 ch = z[count];
        count++;
        if (ch == escape && escape && count < n && z[count]) count++;
        else if (ch >= 0x80) {
            // Ranges of half a character compare badly.
            while (count < n && (z[count] & 0xc0) == 0x80) count++;
        }
    }
    if (count == 0 || (count < n && (u8)z[count - 1] == 255) || (count <= 1 && z[0] == escape && escape)) return false;
    *complete = count < n && z[count] == (u8)all && count + 1 == n;
    char *prefix = arena_alloc(c->arena, count + 1);
    u32 to = 0;
    for (u32 from = 0; from < count; from++) {
        if (escape && z[from] == escape) from++;
        prefix[to++] = (char)z[from];
    }
    // A prefix that looks like a number can only be used on a text column.
    bool text_column = expr_stands_for_column(left) && expr_affinity(left) == AFFINITY_TEXT &&
                       left->table && left->table->kind != TABLE_VIRTUAL;
    if (!text_column) {
        struct number_text number = number_parse((const u8 *)prefix, to);
        bool numeric = number.kind != NUMBER_NONE && number.whole;
        if (!numeric && to == 1 && prefix[0] == '-') numeric = true;
        if (!numeric && to > 0) {
            // The prefix with its last byte increased must not be one either.
            char last = prefix[to - 1];
            prefix[to - 1]++;
            number = number_parse((const u8 *)prefix, to);
            numeric = number.kind != NUMBER_NONE && number.whole;
            prefix[to - 1] = last;
        }
        if (numeric) return false;
    }
    *left_out = left;
    *prefix_out = prefix;
    *prefix_size = to;
    *pattern = right->text;
    return true;
}

// ---- OR -------------------------------------------------------------------------------------------------------

static struct where_clause *clause_new(struct where_clause *outer)
{
    struct where_clause *wc = arena_alloc(outer->info->c->arena, sizeof *wc);
    where_clause_init(wc, outer->info);
    wc->outer = outer;
    return wc;
}

static void analyze_term(struct where_clause *wc, int at);

static void analyze_all_terms(struct where_clause *wc)
{
    for (int i = wc->count - 1; i >= 0; i--) analyze_term(wc, i);
}

void where_analyze_all(struct where_clause *wc)
{
    analyze_all_terms(wc);
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
    analyze_term(wc, wc->count - 1);
}

static struct where_term *nth_subterm(struct where_term *t, int n)
{
    if (t->operators != WO_AND) return n == 0 ? t : NULL;
    return n < t->sub->count ? t->sub->terms[n] : NULL;
}

static void analyze_or(struct where_clause *wc, int at)
{
    struct where_info *w = wc->info;
    struct compile *c = w->c;
    struct where_term *term = wc->terms[at];
    struct expr *e = term->expr;
    struct where_clause *or_clause = clause_new(wc);
    term->flags |= TERM_OR_INFO;
    term->sub = or_clause;
    where_split(or_clause, e, EXPR_OR);
    analyze_all_terms(or_clause);
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
            analyze_all_terms(and_clause);
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
    if (indexable) {
        term->operators = WO_OR;
        wc->has_or = true;
    } else {
        term->operators = WO_OR;
    }
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
        struct where_term *o = NULL;
        int i;
        for (i = or_clause->count - 1; i >= 0; i--) {
            o = or_clause->terms[i];
            o->flags &= (u16)~TERM_SLICE;
            if (o->left_cursor == cursor) continue;
            if (!(equality & where_mask(w, o->left_cursor))) continue;
            column = o->left_column;
            cursor = o->left_cursor;
            column_expr = o->expr->left;
            break;
        }
        if (i < 0) break;
        possible = true;
        for (; i >= 0 && possible; i--) {
            o = or_clause->terms[i];
            if (o->left_cursor != cursor) {
                // A copy with the sides swapped is there as well.
                o->flags &= (u16)~TERM_HEURISTIC;
            } else if (o->left_column != column ||
                       (column == COLUMN_EXPR && expr_compare(c, o->expr->left, column_expr, -1))) {
                possible = false;
            } else {
                char right = expr_affinity(o->expr->right), left = expr_affinity(o->expr->left);
                if (right != 0 && right > AFFINITY_NONE && right != left) possible = false;
                else o->flags |= TERM_HEURISTIC;
            }
        }
        // Every alternative must have been taken, itself or by its swapped copy.
        if (possible)
            for (int j = 0; j < or_clause->count; j++) {
                struct where_term *x = or_clause->terms[j];
                if (x->flags & TERM_HEURISTIC || x->flags & TERM_COPIED) continue;
                if (x->flags & TERM_VIRTUAL && x->parent >= 0 && or_clause->terms[x->parent]->flags & TERM_HEURISTIC)
                    continue;
                if (x->left_cursor != cursor) {
                    bool other = false;
                    for (int k = 0; k < or_clause->count; k++)
                        other |= or_clause->terms[k]->parent == j && or_clause->terms[k]->flags & TERM_HEURISTIC;
                    if (!other) possible = false;
                }
            }
    }
    if (possible) {
        struct expr_list *list = NULL;
        struct expr *left = NULL;
        for (int i = or_clause->count - 1, first = 0; first <= i; first++) {
            struct where_term *o = or_clause->terms[first];
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
            analyze_term(wc, index);
            mark_child(wc, index, at);
        }
    }
    for (int i = 0; i < or_clause->count; i++) or_clause->terms[i]->flags &= (u16)~TERM_HEURISTIC;
}

// ---- one term -------------------------------------------------------------------------------------------------

// Whether the expression is a column, or the key of an index on an expression, of one of the sources.
static bool maybe_indexed(struct where_info *w, bitmask prereq, struct expr *e, u8 kind, int *cursor, int *column)
{
    if (e->kind == EXPR_ROW && kind >= EXPR_LT && kind <= EXPR_GE) e = e->list->items[0].expr;
    if (expr_stands_for_column(e) && e->cursor >= 0) {
        *cursor = e->cursor;
        *column = e->column;
        return true;
    }
    if (!prereq || prereq & (prereq - 1)) return false;
    for (u32 i = 0; i < w->sources->count; i++) {
        if (prereq != 1ull << i || !w->indexes) continue;
        for (struct where_index *x = w->indexes[i]; x; x = x->next) {
            if (!x->exprs) continue;
            for (int j = 0; j < x->key_count; j++)
                if (x->columns[j] == COLUMN_EXPR && expr_compare(w->c, e, x->exprs[j], w->cursors[i]) < 2) {
                    *cursor = w->cursors[i];
                    *column = COLUMN_EXPR;
                    return true;
                }
        }
    }
    return false;
}

static bool equivalence(struct compile *c, const struct expr *e)
{
    if (e->kind != EXPR_EQ && e->kind != EXPR_IS) return false;
    if (e->flags & EXPR_F_OUTER_ON) return false;
    char a = expr_affinity(e->left), b = expr_affinity(e->right);
    if (a != b && (a < AFFINITY_NUMERIC || b < AFFINITY_NUMERIC)) return false;
    const struct collation *k = expr_compare_collation(c, e);
    if (!k || k == &COLLATION_BINARY || name_equal(k->name, "BINARY")) return true;
    const struct collation *left = expr_collation(c, e->left), *right = expr_collation(c, e->right);
    return name_equal(left->name, right->name);
}

static struct expr *text_literal(struct compile *c, const char *text, u32 size)
{
    struct expr *e = expr_new(c->arena, EXPR_TEXT, OFFSET_NONE);
    e->text = arena_copy(c->arena, text, size);
    e->text_size = size;
    return e;
}

static void copy_join_marks(struct expr *to, const struct expr *from)
{
    to->flags |= from->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON);
    to->on_cursor = from->on_cursor;
}

static void analyze_like(struct where_clause *wc, int at)
{
    struct compile *c = wc->info->c;
    struct where_term *term = wc->terms[at];
    struct expr *e = term->expr, *left;
    const char *prefix, *pattern;
    u32 size;
    bool complete, no_case;
    if (!like_prefix(c, e, &left, &prefix, &size, &complete, &no_case, &pattern)) return;
    char *low = arena_copy(c->arena, prefix, size), *high = arena_copy(c->arena, prefix, size);
    if (no_case) {
        for (u32 i = 0; i < size; i++) {
            if (low[i] >= 'a' && low[i] <= 'z') low[i] = (char)(low[i] - 32);
            if (high[i] >= 'A' && high[i] <= 'Z') high[i] = (char)(high[i] + 32);
        }
    }
    // The upper bound: the last character increased.
    u8 *last = (u8 *)&high[size - 1];
    if (no_case) {
        if (*last == 'A' - 1) complete = false;
        if (*last >= 'A' && *last <= 'Z') *last = (u8)(*last + 32);
    }
    if (*last == 0xff) return;
    // A multi-byte character's last byte may carry.
    u32 i = size;
    while (i > 1 && (u8)high[i - 1] == 0xbf) {
        high[i - 1] = (char)0x80;
        i--;
    }
    high[i - 1] = (char)(high[i - 1] + 1);
    const char *collation = no_case ? "NOCASE" : "BINARY";
    struct expr *x1 = expr_new(c->arena, EXPR_COLLATE, OFFSET_NONE);
    x1->left = expr_copy(c->arena, left);
    x1->text = collation;
    x1->text_size = (u32)strlen(collation);
    expr_summarize(x1);
    struct expr *ge = expr_binary(c->arena, EXPR_GE, x1, text_literal(c, low, size));
    copy_join_marks(ge, e);
    u16 flags = TERM_LIKE_OPT | TERM_VIRTUAL;
    where_term_add(wc, ge, flags);
    int first = wc->count - 1;
    analyze_term(wc, first);
    struct expr *x2 = expr_copy(c->arena, x1);
    struct expr *lt = expr_binary(c->arena, EXPR_LT, x2, text_literal(c, high, size));
    copy_join_marks(lt, e);
    where_term_add(wc, lt, flags);
    int second = wc->count - 1;
    analyze_term(wc, second);
    if (complete) {
        mark_child(wc, first, at);
        mark_child(wc, second, at);
    }
}

s32 where_fts_pattern(const struct where_term *t)
{
    if (!(t->operators & WO_MATCH) || name_equal(t->expr->text, "match")) return 0;
    return name_equal(t->expr->text, "like") ? FTS_MATCH_LIKE : FTS_MATCH_GLOB;
}

// The column of a full-text table in "column MATCH query", or in a LIKE or GLOB that its index knows of; NULL: it is something else.
static const struct expr *match_column(const struct expr *e)
{
    if (!e->text || !e->list || e->list->count != 2) return NULL;
    const struct expr *column = e->list->items[1].expr;
    if (column->kind != EXPR_COLUMN || !column->table || !column->table->fts || column->column < 0) return NULL;
    bool like = name_equal(e->text, "like");
    if (!like && !name_equal(e->text, "glob")) return name_equal(e->text, "match") ? column : NULL;
    const struct fts_config *f = column->table->fts;
    bool indexed = (u32)column->column < f->column_count && !f->unindexed[column->column];
    return indexed && fts_tokenizer_patterns(f->tokenizer, like) ? column : NULL;
}

static void analyze_term(struct where_clause *wc, int at)
{
    struct where_info *w = wc->info;
    struct compile *c = w->c;
    struct where_term *term = wc->terms[at];
    struct expr *e = term->expr;
    u8 kind = e->kind;
    bitmask left_mask = expr_usage(w, e->left), all, extra_right = 0;
    int cursor, column;
    if (kind == EXPR_IN) {
        if (e->flags & EXPR_F_SELECT) {
            struct expr probe = {.kind = EXPR_EXISTS, .select = e->select};
            term->prereq_right = expr_usage(w, &probe);
        } else {
            term->prereq_right = expr_list_usage(w, e->list);
        }
        all = left_mask | term->prereq_right;
    } else {
        term->prereq_right = expr_usage(w, e->right);
        all = expr_usage(w, e);
    }
    if (e->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON)) {
        bitmask x = where_mask(w, e->on_cursor);
        if (e->flags & EXPR_F_OUTER_ON) {
            all |= x;
            extra_right = x - 1; // not before the tables to its left
        } else if (x && (all >> 1) >= x) {
            e->flags &= ~(u32)EXPR_F_INNER_ON; // one that names a table further right is a WHERE
        }
    }
    term->prereq_all = all;
    term->left_cursor = -1;
    term->parent = -1;
    term->operators = 0;
    if (allowed_kind(kind)) {
        // likely(x) compares otherwise than x: only COLLATE is looked through.
        struct expr *left = e->left, *right = e->right;
        while (left->kind == EXPR_COLLATE) left = left->left;
        while (right && right->kind == EXPR_COLLATE) right = right->left;
        u16 op_mask = (term->prereq_right & left_mask) == 0 ? WO_ALL : WO_EQUIV;
        if (maybe_indexed(w, left_mask, left, kind, &cursor, &column)) {
            term->left_cursor = cursor;
            term->left_column = column;
            term->operators = operator_mask(kind) & op_mask;
        }
        if (kind == EXPR_IS) term->flags |= TERM_IS;
        if (right && right->kind != EXPR_FIXED && maybe_indexed(w, term->prereq_right, right, kind, &cursor, &column) &&
            !(right->kind == EXPR_COLUMN && right->cursor < 0)) {
            u16 extra = 0;
            struct where_term *copy;
            struct expr *copied;
            if (term->left_cursor >= 0) {
                copied = expr_copy(c->arena, e);
                copy = where_term_add(wc, copied, TERM_VIRTUAL);
                copied = copy->expr;
                int index = wc->count - 1;
                mark_child(wc, index, at);
                if (kind == EXPR_IS) copy->flags |= TERM_IS;
                term->flags |= TERM_COPIED;
                if (equivalence(c, copied)) {
                    term->operators |= WO_EQUIV;
                    extra = WO_EQUIV;
                }
            } else {
                copied = e;
                copy = term;
            }
            commute(c, copied);
            copy->left_cursor = cursor;
            copy->left_column = column;
            copy->prereq_right = left_mask | extra_right;
            copy->prereq_all = all;
            copy->operators = (operator_mask(copied->kind) | extra) & op_mask;
        } else if (kind == EXPR_IS_NULL && !(e->flags & EXPR_F_OUTER_ON) && !expr_can_be_null(e->left)) {
            // Of a column of a view that is known only now. What covers the term still asks for the column, as in SQLite's.
            struct expr *never = expr_integer(c->arena, 0);
            never->left = e->left;
            copy_join_marks(never, e);
            term->expr = never;
            term->prereq_all = 0;
            term->operators = 0;
        }
    } else if (kind == EXPR_BETWEEN && wc->op == EXPR_AND) {
        for (int i = 0; i < 2; i++) {
            struct expr *x = expr_binary(c->arena, i ? EXPR_LE : EXPR_GE, expr_copy(c->arena, e->left),
                                         expr_copy(c->arena, e->list->items[i].expr));
            copy_join_marks(x, e);
            where_term_add(wc, x, TERM_VIRTUAL);
            int index = wc->count - 1;
            analyze_term(wc, index);
            mark_child(wc, index, at);
        }
    } else if (kind == EXPR_OR) {
        analyze_or(wc, at);
    } else if (kind == EXPR_NOT_NULL) {
        if (expr_stands_for_column(e->left) && e->left->column >= 0 && !(e->flags & EXPR_F_OUTER_ON)) {
            struct expr *x = expr_binary(c->arena, EXPR_GT, expr_copy(c->arena, e->left),
                                         expr_new(c->arena, EXPR_NULL, OFFSET_NONE));
            where_term_add(wc, x, TERM_VIRTUAL | TERM_VNULL);
            struct where_term *n = wc->terms[wc->count - 1];
            n->prereq_right = 0;
            n->left_cursor = e->left->cursor;
            n->left_column = e->left->column;
            n->operators = WO_GT;
            mark_child(wc, wc->count - 1, at);
            term->flags |= TERM_COPIED;
            n->prereq_all = term->prereq_all;
        }
    } else if (wc->op == EXPR_AND && kind == EXPR_FUNCTION) {
        const struct expr *matched = match_column(e);
        if (matched) {
            term->left_cursor = matched->cursor;
            term->left_column = matched->column;
            term->operators = WO_MATCH;
            term->prereq_right = expr_usage(w, e->list->items[0].expr);
        } else {
            analyze_like(wc, at);
        }
    }

    // Row values: one term for each field.
    if (wc->op == EXPR_AND && (kind == EXPR_EQ || kind == EXPR_IS) && expr_is_vector(e->left)) {
        int n = expr_vector_size(e->left);
        if (n == expr_vector_size(e->right) && (e->left->kind != EXPR_SELECT || e->right->kind != EXPR_SELECT)) {
            for (int i = 0; i < n; i++) {
                struct expr *l = expr_vector_field(c, e->left, i), *r = expr_vector_field(c, e->right, i);
                if (l->kind != EXPR_SELECT_COLUMN) l = expr_copy(c->arena, l);
                if (r->kind != EXPR_SELECT_COLUMN) r = expr_copy(c->arena, r);
                struct expr *x = expr_binary(c->arena, kind, l, r);
                copy_join_marks(x, e);
                where_term_add(wc, x, TERM_SLICE);
                analyze_term(wc, wc->count - 1);
            }
            term = wc->terms[at];
            term->flags |= TERM_CODED | TERM_VIRTUAL;
            term->operators = WO_ROW_VALUE;
        }
    } else if (kind == EXPR_IN && term->field == 0 && e->left->kind == EXPR_ROW && e->flags & EXPR_F_SELECT &&
               (!e->select->prior || select_is_values(e->select)) && !e->select->functions && wc->op == EXPR_AND) {
        for (int i = 0; i < expr_vector_size(e->left); i++) {
            where_term_add(wc, e, TERM_VIRTUAL | TERM_SLICE);
            struct where_term *slice = wc->terms[wc->count - 1];
            slice->field = i + 1;
            struct expr *field = expr_skip_collate(e->left->list->items[i].expr);
            slice->prereq_right = term->prereq_right | extra_right;
            slice->prereq_all = term->prereq_all;
            if (maybe_indexed(w, expr_usage(w, field), field, kind, &cursor, &column)) {
                slice->left_cursor = cursor;
                slice->left_column = column;
                slice->operators = WO_IN;
            }
            mark_child(wc, wc->count - 1, at);
        }
    }
    wc->terms[at]->prereq_right |= extra_right;
    (void)term_index;
}

// ---- arguments of table-valued functions -----------------------------------------------------------------------

void where_table_function_terms(struct where_clause *wc, struct source *s)
{
    if (!s->is_function || !s->arguments || !s->table) return;
    struct compile *c = wc->info->c;
    const struct table *t = s->table;
    u32 column = 0;
    for (u32 i = 0; i < s->arguments->count; i++) {
        while (column < t->column_count && !(t->columns[column].flags & COLUMN_HIDDEN)) column++;
        if (column >= t->column_count)
            compile_fail(c, ERR_ERROR, s->offset, "too many arguments on %s() - max %u", t->name, i);
        struct expr *x = expr_new(c->arena, EXPR_COLUMN, OFFSET_NONE);
        x->cursor = s->cursor;
        x->column = (s16)column;
        x->table = t;
        s->columns_used |= 1ull << (column > 63 ? 63 : column);
        column++;
        struct expr *value = expr_new(c->arena, EXPR_PLUS, OFFSET_NONE);
        value->left = expr_copy(c->arena, s->arguments->items[i].expr);
        expr_summarize(value);
        struct expr *equal = expr_binary(c->arena, EXPR_EQ, x, value);
        if (s->join & (JOIN_LEFT | JOIN_RIGHT)) {
            expr_set_join(equal, s->cursor, EXPR_F_OUTER_ON);
        } else {
            expr_set_join(equal, s->cursor, EXPR_F_INNER_ON);
        }
        where_term_add(wc, equal, 0);
    }
}

// ---- finding terms ------------------------------------------------------------------------------------------------

bool where_term_outer_ok(const struct where_term *t, const struct source *s)
{
    // In the inner table of an outer join only the ON clause may choose rows.
    if (!(t->expr->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON)) || t->expr->on_cursor != s->cursor) return false;
    if (s->join & (JOIN_LEFT | JOIN_RIGHT) && t->expr->flags & EXPR_F_INNER_ON) return false;
    return true;
}

struct where_term *where_scan_next(struct where_scan *s)
{
    for (;;) {
        int cursor = s->cursors[s->equivalent - 1], column = s->columns[s->equivalent - 1];
        for (struct where_clause *wc = s->clause; wc; wc = s->clause = wc->outer, s->at = 0) {
            for (; s->at < wc->count; s->at++) {
                struct where_term *t = wc->terms[s->at];
                struct compile *c = wc->info->c;
                if (t->left_cursor != cursor || t->left_column != column) continue;
                if (column == COLUMN_EXPR &&
                    expr_compare(c, expr_skip_collate(t->expr->left), s->index_expr, cursor) >= 2)
                    continue;
                if (s->equivalent > 1 && t->expr->flags & EXPR_F_OUTER_ON) continue;
                if (t->operators & WO_EQUIV && s->equivalents < COUNT_OF(s->cursors)) {
                    struct expr *x = expr_skip_collate(t->expr->right);
                    if (x->kind == EXPR_COLUMN) {
                        u32 j;
                        for (j = 0; j < s->equivalents; j++)
                            if (s->cursors[j] == x->cursor && s->columns[j] == x->column) break;
                        if (j == s->equivalents) {
                            s->cursors[j] = x->cursor;
                            s->columns[j] = x->column;
                            s->equivalents++;
                        }
                    }
                }
                if (!(t->operators & s->operators)) continue;
                if (s->collation && !(t->operators & WO_IS_NULL)) {
                    const struct expr *x = t->expr;
                    u32 field = t->field ? (u32)t->field - 1 : 0;
                    if (!expr_index_affinity_ok(x, field, s->affinity)) continue;
                    const struct expr *left = x->left;
                    if (left->kind == EXPR_ROW) left = left->list->items[field].expr;
                    const struct collation *k;
                    if (t->field || x->kind == EXPR_IN) {
                        const struct expr *right =
                            x->flags & EXPR_F_SELECT ? x->select->columns->items[field].expr : NULL;
                        k = compare_collation(c, left, right);
                    } else {
                        k = expr_compare_collation(c, x);
                    }
                    if (!name_equal(k->name, s->collation)) continue;
                }
                if (t->operators & (WO_EQ | WO_IS) && t->expr->right) {
                    const struct expr *x = t->expr->right;
                    if (x->kind == EXPR_COLUMN && x->cursor == s->cursors[0] && x->column == s->columns[0]) continue;
                }
                s->at++;
                return t;
            }
        }
        if (s->equivalent >= s->equivalents) return NULL;
        s->clause = s->original;
        s->at = 0;
        s->equivalent++;
    }
}

struct where_term *where_scan_first(struct where_scan *s, struct where_clause *wc, int cursor, int column, u16 operators,
                                    const struct where_index *index)
{
    *s = (struct where_scan){.original = wc, .clause = wc, .operators = operators, .equivalents = 1, .equivalent = 1};
    s->cursors[0] = cursor;
    if (index) {
        int j = column;
        column = index->columns[j];
        if (column == index->table->rowid_column && column >= 0) column = COLUMN_ROWID;
        else if (column >= 0) {
            s->affinity = table_column_affinity(index->table, column);
            s->collation = index->collations[j] ? index->collations[j] : "BINARY";
        } else if (column == COLUMN_EXPR) {
            s->index_expr = index->exprs[j];
            s->affinity = expr_affinity(index->exprs[j]);
            s->collation = index->collations[j] ? index->collations[j] : "BINARY";
        }
    } else if (column == COLUMN_EXPR) {
        return NULL;
    }
    s->columns[0] = column;
    return where_scan_next(s);
}

struct where_term *where_find_term(struct where_clause *wc, int cursor, int column, bitmask not_ready, u16 operators,
                                   const struct where_index *index)
{
    struct where_scan scan;
    struct where_term *result = NULL;
    u16 equal = operators & (WO_EQ | WO_IS);
    for (struct where_term *t = where_scan_first(&scan, wc, cursor, column, operators, index); t;
         t = where_scan_next(&scan)) {
        if (t->prereq_right & not_ready) continue;
        if (t->prereq_right == 0 && t->operators & equal) return t;
        if (!result) result = t;
    }
    return result;
}
