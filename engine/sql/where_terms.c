// The WHERE clause as terms.
#include "../fts/fts.h"
#include "../fts/fts_table.h"
#include "select.h"
#include "where.h"

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
    if ((e->kind == EXPR_COLUMN || e->kind == EXPR_IF_NULL_ROW) && e->cursor >= 0) // not what aggregates read, as in SQLite
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

void where_term_mark_child(struct where_clause *wc, int child, int parent)
{
    wc->terms[child]->parent = parent;
    if (!(wc->terms[parent]->flags & TERM_DERIVED)) wc->terms[child]->truth = wc->terms[parent]->truth;
    wc->terms[parent]->children++;
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

// ---- one term -------------------------------------------------------------------------------------------------

// Whether the expression is a column, or the key of an index on an expression, of one of the sources.
static bool maybe_indexed(struct where_info *w, struct expr *e, u8 kind, int *cursor, int *column)
{
    if (e->kind == EXPR_ROW && kind >= EXPR_LT && kind <= EXPR_GE) e = e->list->items[0].expr;
    if (expr_stands_for_column(e) && e->cursor >= 0) {
        *cursor = e->cursor;
        *column = e->column;
        return true;
    }
    for (u32 i = 0; w->indexes && i < w->sources->count; i++) {
        for (struct where_index *x = w->indexes[i]; x; x = x->next) {
            if (!x->exprs) continue;
            for (int j = 0; j < x->key_count; j++)
                if (x->columns[j] == COLUMN_EXPR && expr_compare(w->c, e, x->exprs[j], w->cursors[i]) < 2 && !expr_is_constant(w->c, x->exprs[j])) {
                    *cursor = w->cursors[i];
                    *column = COLUMN_EXPR;
                    return true;
                }
        }
    }
    return false;
}

static bool equivalence(const struct where_info *w, const struct expr *e)
{
    struct compile *c = w->c;
    if (e->kind != EXPR_EQ && e->kind != EXPR_IS) return false;
    // NULL beside the rows that a RIGHT JOIN adds IS another, but does not equal what an ON made it equal.
    if (e->kind == EXPR_IS && w->sources->count && w->sources->items[0].join & JOIN_LEFT_OF_RIGHT) return false;
    if (e->flags & EXPR_F_OUTER_ON) return false;
    char a = expr_affinity(e->left), b = expr_affinity(e->right);
    if (a != b && (a < AFFINITY_NUMERIC || b < AFFINITY_NUMERIC)) return false;
    const struct collation *k = expr_compare_collation(c, e);
    if (!k || k == &COLLATION_BINARY || name_equal(k->name, "BINARY")) return true;
    const struct collation *left = expr_collation(c, e->left), *right = expr_collation(c, e->right);
    return name_equal(left->name, right->name);
}

void where_copy_join_marks(struct expr *to, const struct expr *from)
{
    to->flags |= from->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON);
    to->on_cursor = from->on_cursor;
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
    if (column->kind != EXPR_COLUMN || !column->table || !column->table->fts) return NULL;
    bool like = name_equal(e->text, "like");
    if (!like && !name_equal(e->text, "glob")) return name_equal(e->text, "match") ? column : NULL;
    const struct fts_config *f = column->table->fts;
    bool indexed = column->column >= 0 && (u32)column->column < f->column_count && !f->unindexed[column->column];
    return indexed && f->tokenizer && fts_tokenizer_patterns(f->tokenizer, like) ? column : NULL;
}

// What the fields of a row share that is compared with a subquery: the first one's code runs that for all of them. Not where
// a RIGHT JOIN comes back to the code of some of them alone, for its unmatched rows.
static struct expr *subquery_values(const struct where_info *w)
{
    for (u32 i = 0; i < w->sources->count; i++)
        if (w->sources->items[i].join & JOIN_RIGHT) return NULL;
    return expr_new(w->c->arena, EXPR_REGISTER, OFFSET_NONE);
}

void where_analyze_all(struct where_clause *wc)
{
    for (int i = wc->count - 1; i >= 0; i--) where_term_analyze(wc, i);
}

void where_term_analyze(struct where_clause *wc, int at)
{
    struct where_info *w = wc->info;
    struct compile *c = w->c;
    struct where_term *term = wc->terms[at];
    struct expr *e = term->expr;
    u8 kind = e->kind;
    bitmask left_mask = expr_usage(w, e->left), all, extra_right = 0;
    int cursor, column;
    if (kind == EXPR_IN) {
        if (!in_width_check(c, e)) return;
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
    if (operator_mask(kind)) {
        // likely(x) compares otherwise than x: only COLLATE is looked through.
        struct expr *left = e->left, *right = e->right;
        while (left->kind == EXPR_COLLATE) left = left->left;
        while (right && right->kind == EXPR_COLLATE) right = right->left;
        u16 op_mask = (term->prereq_right & left_mask) == 0 ? WO_ALL : WO_EQUIV;
        if (maybe_indexed(w, left, kind, &cursor, &column)) {
            term->left_cursor = cursor;
            term->left_column = column;
            term->operators = operator_mask(kind) & op_mask;
        }
        if (kind == EXPR_IS) term->flags |= TERM_IS;
        if (right && right->kind != EXPR_FIXED && maybe_indexed(w, right, kind, &cursor, &column) &&
            !(right->kind == EXPR_COLUMN && right->cursor < 0)) {
            u16 extra = 0;
            struct where_term *copy;
            struct expr *copied;
            if (term->left_cursor >= 0) {
                copied = expr_copy(c->arena, e);
                copy = where_term_add(wc, copied, TERM_VIRTUAL);
                copied = copy->expr;
                int index = wc->count - 1;
                where_term_mark_child(wc, index, at);
                if (kind == EXPR_IS) copy->flags |= TERM_IS;
                term->flags |= TERM_COPIED;
                if (equivalence(w, copied)) {
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
            where_copy_join_marks(never, e);
            term->expr = never;
            term->prereq_all = 0;
            term->operators = 0;
        }
    } else if (kind == EXPR_BETWEEN && wc->op == EXPR_AND) {
        for (int i = 0; i < 2; i++) {
            struct expr *x = expr_binary(c->arena, i ? EXPR_LE : EXPR_GE, expr_copy(c->arena, e->left),
                                         expr_copy(c->arena, e->list->items[i].expr));
            where_copy_join_marks(x, e);
            where_term_add(wc, x, TERM_VIRTUAL);
            int index = wc->count - 1;
            where_term_analyze(wc, index);
            where_term_mark_child(wc, index, at);
        }
    } else if (kind == EXPR_OR) {
        where_or_analyze(wc, at);
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
            where_term_mark_child(wc, wc->count - 1, at);
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
            where_like_analyze(wc, at);
        }
    }

    // Row values: one term for each field.
    if (wc->op == EXPR_AND && (kind == EXPR_EQ || kind == EXPR_IS) && expr_is_vector(e->left)) {
        int n = expr_vector_size(e->left);
        if (n == expr_vector_size(e->right) && (e->left->kind != EXPR_SELECT || e->right->kind != EXPR_SELECT)) {
            struct expr *values = subquery_values(w);
            for (int i = 0; i < n; i++) {
                struct expr *l = expr_vector_field(c, e->left, i), *r = expr_vector_field(c, e->right, i);
                if (l->kind == EXPR_SELECT_COLUMN) l->right = values;
                else l = expr_copy(c->arena, l);
                if (r->kind == EXPR_SELECT_COLUMN) r->right = values;
                else r = expr_copy(c->arena, r);
                struct expr *x = expr_binary(c->arena, kind, l, r);
                where_copy_join_marks(x, e);
                where_term_add(wc, x, TERM_SLICE);
                where_term_analyze(wc, wc->count - 1);
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
            struct expr *field = e->left->list->items[i].expr; // with COLLATE it is no column to SQLite here
            slice->prereq_right = term->prereq_right | extra_right;
            slice->prereq_all = term->prereq_all;
            if (maybe_indexed(w, field, kind, &cursor, &column)) {
                slice->left_cursor = cursor;
                slice->left_column = column;
                slice->operators = WO_IN;
            }
            where_term_mark_child(wc, wc->count - 1, at);
        }
    }
    wc->terms[at]->prereq_right |= extra_right;
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
