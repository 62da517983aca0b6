// The clauses of a SELECT, one after the other, and those of a compound.
#include "resolve.h"

static const char *const ORDINALS[] = {"th", "st", "nd", "rd"};

static const char *ordinal(u32 n)
{
    u32 tens = n % 100, units = n % 10;
    return units > 3 || (tens > 10 && tens < 20) ? "th" : ORDINALS[units];
}

_Noreturn static void out_of_range(struct compile *c, const char *clause, u32 term, u32 max, struct expr *at)
{
    compile_fail_at(c, at, "%u%s %s BY term out of range - should be between 1 and %u", term, ordinal(term), clause,
                    max);
}

// The result column that a term of ORDER BY stands for by name, its alias or that which a `*` gave it; 0: none.
static u32 column_by_alias(const struct expr_list *columns, const struct expr *e)
{
    if (e->kind != EXPR_NAME) return 0;
    for (u32 i = 0; i < columns->count; i++)
        if (columns->items[i].name_kind == ITEM_ALIAS && columns->items[i].name && name_equal(columns->items[i].name, e->text)) return i + 1;
    return 0;
}

// Takes the values of a result column for the term; COLLATE around the term stays.
static void take_result(struct compile *c, struct select *s, struct expr_item *item, u32 column)
{
    struct expr_list *columns = s->columns;
    struct expr *copy = expr_copy(c->arena, columns->items[column - 1].expr);
    if (copy->flags & EXPR_F_HAS_WINDOW || copy->window) {
        // Windows of the copy belong to the same select: linked again.
        select_relink_windows(c, s, copy);
    }
    struct expr **at = &item->expr;
    while ((*at)->kind == EXPR_COLLATE) at = &(*at)->left;
    *at = copy;
    copy->flags |= EXPR_F_ALIAS;
    if (item->expr != copy) expr_summarize(item->expr);
    item->order_by_column = (u16)column;
}

// Terms with order_by_column become the result column's expression.
static void order_by_from_results(struct compile *c, struct select *s, struct expr_list *list, const char *clause)
{
    if (!list || c->top->renaming) return;
    for (u32 i = 0; i < list->count; i++) {
        struct expr_item *item = &list->items[i];
        if (!item->order_by_column) continue;
        if (item->order_by_column > s->columns->count) out_of_range(c, clause, i + 1, s->columns->count, item->expr);
        take_result(c, s, item, item->order_by_column);
    }
}

void select_order_by_results(struct compile *c, struct select *s)
{
    order_by_from_results(c, s, s->order_by, "ORDER");
}

static void resolve_order_group(struct name_context *n, struct select *s, struct expr_list *list, const char *clause)
{
    struct compile *c = n->c;
    if (!list) return;
    if (list->count > (u32)compile_limit(c, SKERRY_LIMIT_COLUMN))
        compile_fail(c, ERR_ERROR, -1, "too many terms in %s BY clause", clause);
    for (u32 i = 0; i < list->count; i++) {
        struct expr_item *item = &list->items[i];
        struct expr *bare = expr_skip_collate(item->expr);
        if (clause[0] != 'G') {
            u32 column = column_by_alias(s->columns, bare);
            if (column) {
                item->order_by_column = (u16)column;
                continue;
            }
        }
        int number;
        if (bare->kind != EXPR_BOOLEAN && expr_is_integer(bare, &number)) {
            if (number < 1 || number > 0xffff)
                out_of_range(c, clause, i + 1, s->columns->count, bare);
            item->order_by_column = (u16)number;
            continue;
        }
        item->order_by_column = 0;
        resolve_expr(n, item->expr);
        for (u32 j = 0; j < s->columns->count; j++)
            if (expr_compare(c, item->expr, s->columns->items[j].expr, -1) == 0) {
                // The same expression: the result column's value serves for both.
                item->order_by_column = (u16)(j + 1);
            }
    }
    order_by_from_results(c, s, list, clause);
}

struct trial {
    struct name_context *names;
    struct expr *expr;
};

static void resolve_trial(void *context)
{
    const struct trial *t = context;
    resolve_expr(t->names, t->expr);
}

// Names that this term of a compound does not know may be another's: false, and no error.
static bool try_resolve(struct name_context *n, struct expr *e)
{
    struct compile *c = n->c;
    struct err mistake;
    struct trial trial = {n, e};
    return compile_attempt(c, resolve_trial, &trial, &mistake);
}

// A name that the term does not know has SQLite count the first column of its last table that has rowids as read, for which an index
// may not be enough then.
static void unknown_name_counts(struct select *term)
{
    for (u32 i = term->from ? term->from->count : 0; i-- > 0;) {
        struct source *x = &term->from->items[i];
        if (x->select || !x->table || !table_has_rowid(x->table)) continue;
        x->columns_used |= 1;
        return;
    }
}

// ORDER BY of a compound: names, numbers and expressions of any of its terms.
static void resolve_compound_order(struct compile *c, struct select *s)
{
    struct expr_list *list = s->order_by;
    if (!list) return;
    for (u32 i = 0; i < list->count; i++) list->items[i].done = false;
    struct select *term = s;
    bool more = true;
    struct select *first = s;
    while (first->prior) first = first->prior;
    for (term = first; term && more; term = term->next) {
        more = false;
        for (u32 i = 0; i < list->count; i++) {
            struct expr_item *item = &list->items[i];
            if (item->done) continue;
            struct expr *bare = expr_skip_collate(item->expr);
            int column = -1, number;
            if (expr_is_integer(bare, &number)) {
                if (number <= 0 || (u32)number > term->columns->count)
                    out_of_range(c, "ORDER", i + 1, term->columns->count, bare);
                column = number;
            } else {
                column = (int)column_by_alias(term->columns, bare);
                if (column == 0) {
                    struct expr *copy = expr_copy(c->arena, bare);
                    struct name_context n = {.c = c, .sources = term->from, .results = term->columns, .flags = NAME_RESULT_ALIAS | NAME_AGGREGATE_OK};
                    if (try_resolve(&n, copy)) {
                        for (u32 j = 0; j < term->columns->count && column == 0; j++)
                            if (expr_compare(c, term->columns->items[j].expr, copy, -1) < 2) column = (int)j + 1;
                    } else if (bare->kind == EXPR_NAME) {
                        unknown_name_counts(term);
                    }
                    if (column > 0 && c->top->renaming) *bare = *copy; // where the name stands
                }
            }
            if (column > 0) {
                // What is left is the number; COLLATE around it stays.
                struct expr *value = expr_integer(c->arena, column);
                value->offset = bare->offset;
                struct expr **at = &item->expr;
                while ((*at)->kind == EXPR_COLLATE) at = &(*at)->left;
                *at = value;
                item->order_by_column = (u16)column;
                item->done = true;
            } else {
                more = true;
            }
        }
    }
    for (u32 i = 0; i < list->count; i++)
        if (!list->items[i].done)
            compile_fail_at(c, list->items[i].expr, "%u%s ORDER BY term does not match any column in the result set",
                            i + 1, ordinal(i + 1));
}

// Tables in WINDOW definitions that nothing uses must be there all the same.
static void definitions_tables(struct compile *c, const struct window *definitions)
{
    for (const struct window *d = definitions; d; d = d->next) {
        expr_list_tables(c, expr_list_copy(c->arena, d->partition));
        expr_list_tables(c, expr_list_copy(c->arena, d->order_by));
    }
}

struct on_check {
    struct compile *c;
    const struct source_list *sources;
    s32 joined; // number of the table whose ON (or argument) this is a part of; -1: of none
};

static u32 source_number(const struct source_list *sources, int cursor)
{
    u32 i = 0;
    while (i < sources->count && sources->items[i].cursor != cursor) i++;
    return i;
}

static enum walk_result on_expr_check(struct walker *w, struct expr *e)
{
    struct on_check *k = w->context;
    bool on = e->flags & EXPR_F_OUTER_ON || (e->flags & EXPR_F_INNER_ON && k->sources->items[0].join & JOIN_LEFT_OF_RIGHT);
    if (on && k->joined < 0) {
        u32 joined = source_number(k->sources, e->on_cursor);
        if (joined > 0 && joined < k->sources->count) {
            k->joined = (s32)joined;
            walk_expr(w, e);
            k->joined = -1;
            return WALK_PRUNE;
        }
    }
    if (e->kind == EXPR_COLUMN && k->joined >= 0) {
        u32 number = source_number(k->sources, e->cursor);
        if (number < k->sources->count && (s32)number > k->joined)
            mistake_keep(k->c, "ON clause references tables to its right", -1); // a term to the left may have another
    }
    return WALK_CONTINUE;
}

static enum walk_result on_select_check(struct walker *w, struct select *s)
{
    return ((struct on_check *)w->context)->joined >= 0 ? WALK_CONTINUE : WALK_PRUNE;
}

// What is said of an outer join, and of any where there is a RIGHT JOIN, is about tables up to the joined one. (Else ON is
// another WHERE.) So are arguments of table-valued functions. Queries that were put in the place of views have been checked before.
static void on_clauses_check(struct compile *c, const struct select *s)
{
    u8 joins = 0;
    for (u32 i = 0; s->from && i < s->from->count; i++) joins |= s->from->items[i].join;
    if (!(joins & JOIN_OUTER)) return;
    struct on_check k = {c, s->from, -1};
    struct walker w = {.expr = on_expr_check, .select = on_select_check, .context = &k};
    if (s->where) walk_expr(&w, s->where);
    for (u32 i = 0; i < s->from->count; i++) {
        const struct source *source = &s->from->items[i];
        if (!source->is_function || !source->arguments) continue;
        if (!(source->join & JOIN_OUTER) && !(s->from->items[0].join & JOIN_LEFT_OF_RIGHT)) continue;
        k.joined = (s32)i;
        walk_expr_list(&w, source->arguments);
    }
}

// They see no columns at all.
static void resolve_limit(struct compile *c, struct select *s)
{
    struct name_context n = {.c = c, .select = s};
    if (s->limit && c->mistake) c->mistake_final = true;
    resolve_expr(&n, s->limit);
    resolve_expr(&n, s->limit_offset);
}

static void resolve_one(struct compile *c, struct select *s, struct name_context *outer, bool compound)
{
    struct name_context n = {.c = c, .select = s, .outer = outer};
    window_definitions_chain(c, s->windows);
    definitions_tables(c, s->windows);
    n.sources = s->from;
    n.flags = NAME_AGGREGATE_OK | NAME_WINDOW_OK;
    resolve_expr_list(&n, s->columns);
    n.flags &= ~(u32)NAME_WINDOW_OK;
    if (s->group_by || n.flags & NAME_HAS_AGGREGATE) {
        s->flags |= SELECT_F_AGGREGATE;
        if (n.flags & NAME_HAS_MIN_MAX) s->flags |= SELECT_F_MIN_MAX;
        if (n.flags & NAME_ORDER_COUNTS) s->flags |= SELECT_F_ORDER_COUNTS;
    } else {
        n.flags &= ~(u32)NAME_AGGREGATE_OK;
    }
    n.results = s->columns;
    n.flags |= NAME_RESULT_ALIAS;
    if (s->having) {
        if (!(s->flags & SELECT_F_AGGREGATE)) compile_fail_at(c, s->having, "HAVING clause on a non-aggregate query");
        resolve_expr(&n, s->having);
    }
    // Aggregates of this query in its WHERE fail once they are coded; in a subquery there they may be an outer
    // query's.
    n.flags |= NAME_WHERE;
    resolve_expr(&n, s->where);
    n.flags &= ~(u32)NAME_WHERE;
    // Arguments of table-valued functions: columns of the tables to their left, names of results, and outer ones.
    for (u32 i = 0; s->from && i < s->from->count; i++)
        if (s->from->items[i].is_function) resolve_expr_list(&n, s->from->items[i].arguments);
    for (struct window *d = c->top->renaming ? s->windows : NULL; d; d = d->next) {
        resolve_expr_list(&n, d->partition);
        resolve_expr_list(&n, d->order_by);
    }
    n.flags |= NAME_WINDOW_OK;
    n.outer = NULL; // ORDER BY and GROUP BY see nothing of the queries around, as up to SQLite 3.50
    // ORDER BY: aggregates there make no query an aggregate one (coding them then fails), but are allowed in one.
    if (!compound && s->order_by) {
        u32 saved = n.flags;
        n.flags |= NAME_AGGREGATE_OK;
        resolve_order_group(&n, s, s->order_by, "ORDER");
        if (n.flags & NAME_HAS_MIN_MAX) s->flags |= SELECT_F_MIN_MAX;
        n.flags = saved | (n.flags & NAME_PLAIN_AGGREGATE);
    }
    if (s->group_by) {
        n.flags &= ~(u32)NAME_WINDOW_OK;
        resolve_order_group(&n, s, s->group_by, "GROUP");
        for (u32 i = 0; i < s->group_by->count; i++)
            if (s->group_by->items[i].expr->flags & EXPR_F_HAS_AGGREGATE)
                compile_fail_at(c, s->group_by->items[i].expr,
                                "aggregate functions are not allowed in the GROUP BY clause");
    }
    // Of a query with window functions SQLite asks once more, when it has put them aside.
    s->having_misused = s->having && !s->group_by && s->functions && !(n.flags & NAME_PLAIN_AGGREGATE);
    on_clauses_check(c, s);
    s->flags |= SELECT_F_RESOLVED | SELECT_F_HAS_TYPES;
}

struct select *select_order_outside(struct compile *c, struct select *s)
{
    struct select *inner = s->from && s->from->count == 1 ? s->from->items[0].select : NULL;
    if (inner && inner->flags & SELECT_F_CONVERTED) return inner;
    if (s->flags & (SELECT_F_CONVERTED | SELECT_F_RECURSIVE)) return NULL; // ORDER BY of a recursive one is that of its queue
    bool collate = false, distinct = false;
    for (u32 i = 0; s->order_by && i < s->order_by->count; i++) {
        if (s->order_by->items[i].order_by_column) return NULL; // resolved before
        collate |= (s->order_by->items[i].expr->flags & EXPR_F_HAS_COLLATE) != 0;
    }
    for (const struct select *t = s; t; t = t->prior) distinct |= t->prior && t->op != SELECT_UNION_ALL;
    if (!collate || !distinct || c->top->renaming) return NULL;
    inner = arena_alloc(c->arena, sizeof *inner);
    *inner = *s;
    inner->flags |= SELECT_F_CONVERTED;
    inner->limit = inner->limit_offset = NULL;
    inner->prior->next = inner;
    *s = (struct select){.id = s->id, .offset = s->offset, .flags = s->flags & SELECT_F_VIEW, .limit = s->limit, .limit_offset = s->limit_offset};
    struct expr *star = expr_new(c->arena, EXPR_STAR, OFFSET_NONE);
    star->height = 1;
    expr_list_add(c->arena, &s->columns, star);
    source_list_add(c->arena, &s->from)->select = inner;
    return inner;
}

void select_enter(struct compile *c)
{
    if (++c->select_depth > 300) compile_fail(c, ERR_ERROR, -1, "subqueries are nested too deeply");
}

void select_widths_check(struct compile *c, const struct select *term)
{
    const struct select *next = term->next;
    if (term->columns->count == next->columns->count) return;
    if (next->flags & SELECT_F_VALUES)
        compile_fail(c, ERR_ERROR, -1, "all VALUES must have the same number of terms");
    compile_fail(c, ERR_ERROR, -1, "SELECTs to the left and right of %s do not have the same number of result columns",
                 select_op_name(next->op));
}

static void select_names(struct compile *c, struct select *s, struct name_context *outer)
{
    struct select *inside = select_order_outside(c, s);
    select_enter(c);
    struct with *saved = c->with;
    with_push(c, s->with);
    for (struct select *t = s; t; t = t->prior)
        if (t->rows) select_expand_rows(c->arena, t);
    bool compound = s->prior != NULL;
    u32 terms = 0;
    for (struct select *t = s; t; t = t->prior) {
        if (t->prior) t->prior->next = t;
        terms++;
        if (t != s && (t->order_by || t->limit))
            compile_fail(c, ERR_ERROR, -1, "%s clause should come after %s not before",
                         t->order_by ? "ORDER BY" : "LIMIT", select_op_name(t->next->op));
    }
    if (compound && terms > (u32)compile_limit(c, SKERRY_LIMIT_COMPOUND_SELECT) && !(s->flags & SELECT_F_MULTI_VALUE))
        compile_fail(c, ERR_ERROR, -1, "too many terms in compound SELECT");
    // Of several terms it is told what is wrong with the last.
    const bool mistaken = c->mistake;
    for (struct select *t = s; t; t = t->prior) {
        if (!(t->flags & SELECT_F_RESOLVED)) {
            if (compound) t->flags |= SELECT_F_COMPOUND;
            resolve_limit(c, t);
            select_expand(c, t, outer);
            if (inside && inside->order_by) {
                t->order_by = inside->order_by;
                inside->order_by = NULL;
            }
            resolve_one(c, t, outer, compound);
        }
        if (t != s) select_widths_check(c, t);
    }
    if (!mistaken) mistake_tell(c);
    if (compound) resolve_compound_order(c, s);
    c->with = saved;
    c->select_depth--;
}

struct select_trial {
    struct compile *c;
    struct select *select;
    struct name_context *outer;
};

static void select_try(void *context)
{
    const struct select_trial *t = context;
    resolve_select(t->c, t->select, t->outer);
}

bool select_attempt(struct compile *c, struct select *s, struct name_context *outer, struct err *mistake)
{
    struct select_trial trial = {c, s, outer};
    return compile_attempt(c, select_try, &trial, mistake);
}

void resolve_select(struct compile *c, struct select *s, struct name_context *outer)
{
    if (c->resolving == RESOLVING_TABLES) return select_tables(c, s);
    if (s->flags & SELECT_F_RESOLVED) return;
    if (c->resolving == RESOLVING_NAMES || c->top->renaming) return select_names(c, s, outer);
    struct err mistake;
    if (c->mistake) { // in an expression outside of queries, of which nothing more is looked at but for tables
        c->mistake_final = true;
        if (c->views) return select_tables(c, s);
        c->resolving = RESOLVING_TABLES;
        bool known = select_attempt(c, s, outer, &mistake);
        c->resolving = RESOLVING_NOTHING;
        if (!known && strcmp(mistake.text, c->mistake) == 0) mistake_tell(c); // where it was
        if (!known) compile_fail_again(c, &mistake);
        return;
    }
    c->resolving = RESOLVING_NAMES;
    bool known = select_attempt(c, s, outer, &mistake);
    if (!known) select_tables(c, s);
    c->resolving = RESOLVING_NOTHING;
    if (!known) compile_fail_again(c, &mistake);
    if (c->collation_missing)
        compile_fail(c, ERR_ERROR_MISSING_COLLSEQ, c->collation_offset, "no such collation sequence: %s", c->collation_missing);
}

struct result {
    struct name_context *names;
    struct expr_list *list;
};

static void result_names(void *context)
{
    const struct result *r = context;
    resolve_expr_list(r->names, r->list);
}

struct expr_list *resolve_result(struct name_context *n, const struct expr_list *list)
{
    struct compile *c = n->c;
    struct result result = {n, expr_list_copy(c->arena, list)};
    struct err mistake, of_query;
    if (compile_attempt(c, result_names, &result, &mistake)) return result.list;
    result.list = expr_list_copy(c->arena, list);
    c->resolving = RESOLVING_NAMES;
    n->flags = (n->flags & ~(u32)NAME_REGISTERS) | NAME_AGGREGATE_OK | NAME_WINDOW_OK; // in a query they, and schemas' names, were all right
    if (!compile_attempt(c, result_names, &result, &of_query)) {
        expr_list_tables(c, result.list);
        mistake = of_query;
    }
    compile_fail_again(c, &mistake);
}

struct rows {
    struct compile *c;
    struct select *last;
    bool several;
};

// What is wrong with the last is told.
static void rows_names(void *context)
{
    const struct rows *rows = context;
    for (struct select *row = rows->last; row; row = row->prior) {
        struct name_context names = {.c = rows->c, .flags = rows->several ? NAME_AGGREGATE_OK : 0}; // a mistake once it is computed
        bool differs = row->next && row->columns->count != row->next->columns->count;
        if (!differs || !row->rows) resolve_expr_list(&names, row->columns);
        if (differs) compile_fail(rows->c, ERR_ERROR, -1, "all VALUES must have the same number of terms");
    }
}

void resolve_rows(struct compile *c, struct select *s)
{
    struct rows rows = {c, s, s->prior || s->rows};
    struct err mistake;
    if (rows.several) c->resolving = RESOLVING_NAMES; // several are a compound to SQLite
    bool known = compile_attempt(c, rows_names, &rows, &mistake);
    if (!known) select_tables(c, s);
    c->resolving = RESOLVING_NOTHING;
    if (known) return;
    compile_fail_again(c, &mistake);
}
