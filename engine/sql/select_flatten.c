// Subqueries in FROM merged into the query around them, and WHERE terms moved into those that are not.
#include "select.h"

// ---- columns of the subquery replaced by what they stand for --------------------------------------------------

static struct expr *substitute_expr(struct substitution *x, struct expr *e)
{
    if (!e) return NULL;
    struct compile *c = x->c;
    if (e->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON) && e->on_cursor == x->cursor) e->on_cursor = x->new_cursor;
    if (e->kind == EXPR_COLUMN && e->cursor == x->cursor) {
        if (e->column < 0) {
            e->kind = EXPR_NULL;
            return e;
        }
        struct expr *from = x->columns->items[e->column].expr;
        if (expr_is_vector(from)) expr_row_fail(c, from);
        struct expr *new = expr_copy(c->arena, from);
        if (x->outer_join && (from->kind != EXPR_COLUMN || from->cursor != x->new_cursor)) {
            struct expr *wrap = expr_new(c->arena, EXPR_IF_NULL_ROW, OFFSET_NONE);
            wrap->left = new;
            wrap->cursor = x->new_cursor;
            expr_summarize(wrap);
            wrap->flags |= EXPR_F_CAN_BE_NULL;
            new = wrap;
        }
        if (x->outer_join) new->flags |= EXPR_F_CAN_BE_NULL;
        if (new->kind == EXPR_BOOLEAN) {
            new->kind = EXPR_INTEGER;
        }
        // The column's own collation counts as if it had been declared.
        const struct collation *natural = expr_collation_or_null(c, new);
        const struct collation *wanted = expr_collation_or_null(c, x->collations->items[e->column].expr);
        if (natural != wanted || (new->kind != EXPR_COLUMN && new->kind != EXPR_COLLATE)) {
            struct expr *collate = expr_new(c->arena, EXPR_COLLATE, OFFSET_NONE);
            collate->left = new;
            collate->text = wanted ? wanted->name : "BINARY";
            collate->text_size = (u32)strlen(collate->text);
            expr_summarize(collate);
            collate->flags |= new->flags & (EXPR_F_HAS_SELECT | EXPR_F_HAS_FUNCTION | EXPR_F_CAN_BE_NULL);
            new = collate;
        }
        // It is no COLLATE of the statement's: comparisons may choose another.
        new->flags &= ~(u32)EXPR_F_HAS_COLLATE;
        new->flags |= e->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON);
        if (e->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON)) expr_set_join(new, e->on_cursor, e->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON));
        return new;
    }
    if (e->kind == EXPR_IF_NULL_ROW && e->cursor == x->cursor) e->cursor = x->new_cursor;
    e->left = substitute_expr(x, e->left);
    e->right = substitute_expr(x, e->right);
    if (e->select) substitute_select(x, e->select, true);
    substitute_list(x, e->list);
    substitute_list(x, e->order_by);
    e->filter = substitute_expr(x, e->filter);
    if (e->window) {
        e->window->filter = substitute_expr(x, e->window->filter);
        substitute_list(x, e->window->partition);
        substitute_list(x, e->window->order_by);
    }
    if (e->kind != EXPR_COLUMN && e->kind != EXPR_FUNCTION) {
        u32 keep = e->flags;
        if (e->left && e->left->flags & EXPR_F_HAS_SELECT) keep |= EXPR_F_HAS_SELECT;
        if (e->right && e->right->flags & EXPR_F_HAS_SELECT) keep |= EXPR_F_HAS_SELECT;
        if (e->left && e->left->flags & EXPR_F_HAS_FUNCTION) keep |= EXPR_F_HAS_FUNCTION;
        if (e->right && e->right->flags & EXPR_F_HAS_FUNCTION) keep |= EXPR_F_HAS_FUNCTION;
        e->flags = keep;
    }
    return e;
}

void substitute_list(struct substitution *x, struct expr_list *list)
{
    if (list)
        for (u32 i = 0; i < list->count; i++) list->items[i].expr = substitute_expr(x, list->items[i].expr);
}

void substitute_select(struct substitution *x, struct select *s, bool priors)
{
    for (; s; s = priors ? s->prior : NULL) {
        substitute_list(x, s->columns);
        substitute_list(x, s->group_by);
        substitute_list(x, s->order_by);
        s->having = substitute_expr(x, s->having);
        s->where = substitute_expr(x, s->where);
        if (s->from)
            for (u32 i = 0; i < s->from->count; i++) {
                struct source *item = &s->from->items[i];
                if (item->select) substitute_select(x, item->select, true);
                if (item->is_function) substitute_list(x, item->arguments);
            }
    }
}

// ---- may it be merged? --------------------------------------------------------------------------------------------

static struct select *leftmost(struct select *s)
{
    while (s->prior) s = s->prior;
    return s;
}

// A join of compounds has as many terms as the product of theirs: no more are made than this.
enum { SELECTS_MAX_TO_COPY = 500 };

static bool compound_mergeable(const struct compile *c, const struct select *s, u32 from, bool aggregate, bool outer)
{
    const struct select *sub = s->from->items[from].select;
    if (sub->order_by) return false;
    if (aggregate || s->flags & SELECT_F_DISTINCT || outer) return false;
    for (u32 i = 0; i < s->from->count; i++)
        if (s->from->items[i].recursive) return false;
    if (s->from->count > 1 && c->top->select_id_next + c->top->select_copies > SELECTS_MAX_TO_COPY) return false;
    for (const struct select *t = sub; t; t = t->prior) {
        if (t->flags & (SELECT_F_DISTINCT | SELECT_F_AGGREGATE | SELECT_F_RECURSIVE) || t->group_by ||
            (t->prior && t->op != SELECT_UNION_ALL) || !t->from || t->from->count < 1 || select_has_window(t))
            return false;
        if (from > 0 && t->from->items[0].join & JOIN_LEFT_OF_RIGHT) return false;
        // Columns must convert alike in every term.
        for (u32 i = 0; i < t->columns->count; i++)
            if (expr_affinity_given(t->columns->items[i].expr) != expr_affinity_given(sub->columns->items[i].expr)) return false;
    }
    if (s->order_by)
        for (u32 i = 0; i < s->order_by->count; i++)
            if (s->order_by->items[i].order_by_column == 0) return false;
    return !(s->flags & SELECT_F_RECURSIVE);
}

static bool mergeable(const struct compile *c, struct select *s, u32 from, bool aggregate, bool *outer)
{
    struct source_list *list = s->from;
    const struct source *item = &list->items[from];
    const struct select *sub = item->select;
    const struct source_list *inner = sub->from;
    *outer = false;
    if (select_has_window(s) || select_has_window(sub)) return false;
    if (sub->limit && (s->limit || s->where || list->count > 1 || aggregate ||
                       s->flags & (SELECT_F_COMPOUND | SELECT_F_DISTINCT)))
        return false;
    if (sub->limit_offset) return false;
    if (!inner || inner->count == 0) return false;
    if (sub->flags & (SELECT_F_DISTINCT | SELECT_F_RECURSIVE)) return false;
    if (sub->order_by && (aggregate || (s->order_by && !(s->flags & SELECT_F_ARRIVAL)))) return false;
    if (sub->flags & SELECT_F_AGGREGATE || sub->group_by || sub->having) return false;
    if (item->cte && item->cte->materialize == CTE_MATERIALIZED) return false;
    if (item->join & (JOIN_OUTER | JOIN_LEFT_OF_RIGHT)) {
        if (inner->count > 1 || s->flags & SELECT_F_DISTINCT || item->join & JOIN_RIGHT) return false;
        *outer = true;
    }
    if (from > 0 && inner->items[0].join & JOIN_LEFT_OF_RIGHT) return false;
    return !sub->prior || compound_mergeable(c, s, from, aggregate, *outer);
}

// ---- merging ------------------------------------------------------------------------------------------------------

// A copy's sources have cursors of their own, for the terms of a compound with ORDER BY run side by side.
struct renumbering {
    struct compile *c;
    int *cursors; // by the original's: the copy's, or -1
    int count;
};

static enum walk_result cursor_renumbered(struct walker *w, struct expr *e)
{
    const struct renumbering *r = w->context;
    if ((e->kind == EXPR_COLUMN || e->kind == EXPR_IF_NULL_ROW) && e->cursor >= 0 && e->cursor < r->count && r->cursors[e->cursor] >= 0)
        e->cursor = r->cursors[e->cursor];
    if (e->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON) && e->on_cursor >= 0 && e->on_cursor < r->count && r->cursors[e->on_cursor] >= 0)
        e->on_cursor = r->cursors[e->on_cursor];
    return WALK_CONTINUE;
}

static void sources_renumber(struct renumbering *r, struct source_list *list, const struct source *except)
{
    for (u32 i = 0; list && i < list->count; i++) {
        struct source *item = &list->items[i];
        if (item == except) continue;
        if (item->cursor >= 0 && item->cursor < r->count) {
            // The terms of a recursive query look at one row.
            if (!item->recursive || r->cursors[item->cursor] < 0) r->cursors[item->cursor] = cursor_alloc(r->c);
            item->cursor = r->cursors[item->cursor];
        }
        for (struct select *t = item->select; t; t = t->prior) sources_renumber(r, t->from, NULL);
    }
}

// CTEs named in it are computed for one of the places.
static enum walk_result uses_counted(struct walker *w, struct select *s)
{
    for (u32 i = 0; s->from && i < s->from->count; i++)
        if (s->from->items[i].cte && &s->from->items[i] != w->context) s->from->items[i].cte->copies++;
    return WALK_CONTINUE;
}

void select_ctes_count(struct select *s)
{
    struct walker w = {.select = uses_counted};
    walk_select(&w, s);
}

static struct select *join_copy(struct compile *c, const struct select *s, u32 from)
{
    struct select *copy = select_copy(c->arena, s);
    c->top->select_copies++;
    const struct source *except = &copy->from->items[from];
    struct walker uses = {.select = uses_counted, .context = (void *)except};
    walk_select(&uses, copy);
    if (s->from->count == 1) return copy;
    struct renumbering r = {.c = c, .count = c->cursor_count};
    r.cursors = arena_alloc(c->arena, (size_t)r.count * sizeof *r.cursors);
    for (int i = 0; i < r.count; i++) r.cursors[i] = -1;
    sources_renumber(&r, copy->from, except);
    struct walker w = {.expr = cursor_renumbered, .select = walk_into_select, .context = &r};
    walk_select(&w, copy);
    return copy;
}

// Over a compound, the query becomes one of copies of itself, each over its own term; s is the last of them.
static bool compound_merge(struct compile *c, struct select *s, u32 from)
{
    struct source *item = &s->from->items[from];
    struct select *sub = item->select;
    u32 count = 0;
    for (struct select *t = sub; t; t = t->prior) count++;
    struct select **terms = arena_alloc(c->arena, count * sizeof(*terms));
    u32 n = count;
    for (struct select *t = sub; t; t = t->prior) terms[--n] = t;
    struct expr_list *collations = expr_list_copy(c->arena, terms[0]->columns), *order_by = s->order_by;
    struct expr *limit = s->limit, *limit_offset = s->limit_offset;
    s->order_by = NULL;
    s->limit = s->limit_offset = NULL;
    s->prior = NULL;
    item->select = NULL;
    item->collations = collations;
    struct select *prior = NULL;
    for (u32 i = 0; i < count; i++) {
        struct select *copy = i + 1 < count ? join_copy(c, s, from) : s;
        copy->from->items[from].select = terms[i];
        terms[i]->prior = terms[i]->next = NULL;
        copy->prior = prior;
        copy->op = prior ? SELECT_UNION_ALL : SELECT_SIMPLE;
        copy->flags |= SELECT_F_COMPOUND;
        if (prior) prior->next = copy;
        prior = copy;
    }
    s->order_by = order_by;
    s->limit = sub->limit ? sub->limit : limit; // only one has any
    s->limit_offset = limit_offset;
    sub->limit = NULL;
    return true;
}

static enum walk_result column_counted(struct walker *w, struct expr *e)
{
    struct source *item = w->context;
    if (e->kind == EXPR_COLUMN && e->cursor == item->cursor) source_column_used(item, e);
    return WALK_CONTINUE;
}

// The subquery may have had columns that nothing asks for.
static void columns_recount(struct select *s, struct source *item)
{
    item->columns_used = 0;
    item->rowid_used = false;
    struct walker w = {.expr = column_counted, .select = walk_into_select, .context = item};
    walk_select(&w, s);
}

bool select_flatten(struct compile *c, struct select *s, u32 from, bool aggregate)
{
    struct source_list *list = s->from;
    struct source *item = &list->items[from];
    struct select *sub = item->select;
    struct source_list *inner = sub->from;
    bool outer;
    if (!mergeable(c, s, from, aggregate, &outer)) return false;
    if (sub->prior) return compound_merge(c, s, from);

    // The subquery's sources take its place.
    int cursor = item->cursor;
    u8 join = item->join;
    struct expr_list *collations = item->collations ? item->collations : sub->columns;
    u32 extra = inner->count - 1;
    if (list->count + extra > 200) compile_fail(c, ERR_ERROR, -1, "too many FROM clause terms, max: 200");
    struct source_list *merged = arena_alloc(c->arena, sizeof *merged);
    merged->count = merged->capacity = list->count + extra;
    merged->items = arena_alloc(c->arena, sizeof *merged->items * merged->count);
    u32 at = 0;
    for (u32 i = 0; i < list->count; i++) {
        if (i != from) {
            merged->items[at++] = list->items[i];
            continue;
        }
        for (u32 j = 0; j < inner->count; j++) {
            merged->items[at] = inner->items[j];
            if (j == 0) {
                merged->items[at].join = (u8)((inner->items[j].join & JOIN_LEFT_OF_RIGHT) | join);
                merged->items[at].using = item->using;
            }
            at++;
        }
    }
    int new_cursor = inner->items[0].cursor;
    *list = *merged;
    // Its ORDER BY becomes the query's.
    if (sub->order_by && !s->order_by) {
        for (u32 i = 0; i < sub->order_by->count; i++) sub->order_by->items[i].order_by_column = 0;
        s->order_by = sub->order_by;
        sub->order_by = NULL;
    }
    struct expr *where = sub->where;
    sub->where = NULL;
    if (outer && where) expr_set_join(where, new_cursor, EXPR_F_OUTER_ON);
    struct substitution x = {.c = c, .cursor = cursor, .new_cursor = new_cursor, .outer_join = outer,
                             .columns = sub->columns, .collations = collations};
    struct expr *own = substitute_expr(&x, s->where);
    s->where = NULL;
    substitute_select(&x, s, false);
    s->where = where && own ? expr_binary(c->arena, EXPR_AND, where, own) : where ? where : own;
    if (sub->limit) {
        s->limit = sub->limit;
        sub->limit = NULL;
    }
    for (u32 j = 0; j < inner->count; j++) columns_recount(s, &list->items[from + j]);
    return true;
}

// ---- filters pushed down ----------------------------------------------------------------------------------------------

struct push {
    struct compile *c;
    int cursor;                        // whose columns may be asked for
    const struct expr_list *partition; // or what windows are partitioned by
    bool refuse, computed, typeless;
};

static bool compares(const struct expr *e)
{
    return (e->kind >= EXPR_OR && e->kind <= EXPR_IS_NOT) || e->kind == EXPR_NOT || e->kind == EXPR_IS_NULL || e->kind == EXPR_NOT_NULL ||
           e->kind == EXPR_BETWEEN || e->kind == EXPR_IN || e->kind == EXPR_COLLATE || e->kind <= EXPR_VARIABLE;
}

// Rows of a partition are equal there, and so is what a comparison makes of them; more than that only where equal values are
// the same: 1 and 1.0 of a column without a type are not.
static bool is_partitioned_by(struct push *p, const struct expr *e)
{
    for (u32 i = 0; i < p->partition->count; i++) {
        struct expr *by = p->partition->items[i].expr;
        if (expr_compare(p->c, e, by, -1) >= 2 || expr_collation(p->c, by) != &COLLATION_BINARY) continue;
        p->typeless |= expr_affinity(by) <= AFFINITY_BLOB;
        return true;
    }
    p->computed |= !compares(e);
    return false;
}

static enum walk_result push_expr(struct walker *w, struct expr *e)
{
    struct push *p = w->context;
    if (p->partition && is_partitioned_by(p, e)) return WALK_PRUNE;
    if (e->kind == EXPR_COLUMN && e->cursor != p->cursor) p->refuse = true;
    if (e->kind == EXPR_AGG_FUNCTION || e->kind == EXPR_AGG_COLUMN || e->window || e->kind == EXPR_RAISE || e->kind == EXPR_TRIGGER ||
        e->kind == EXPR_REGISTER || e->kind == EXPR_IF_NULL_ROW)
        p->refuse = true;
    // A subquery that asks for nothing outside is computed once, wherever it stands.
    if (e->select && (p->partition || e->flags & EXPR_F_CORRELATED)) p->refuse = true;
    if (e->kind == EXPR_FUNCTION && !(e->flags & EXPR_F_CONSTANT_FUNCTION)) p->refuse = true;
    if (e->kind == EXPR_COLUMN && e->column < 0) p->refuse = true;
    return p->refuse ? WALK_ABORT : WALK_CONTINUE;
}

// The windows' common PARTITION BY; NULL: they have none, or several.
static const struct expr_list *common_partition(struct compile *c, const struct select *s)
{
    for (const struct window *x = s->functions; x; x = x->next_function)
        if (!x->partition || expr_list_compare(c, x->partition, s->functions->partition, -1)) return NULL;
    return s->functions ? s->functions->partition : NULL;
}

// Whether it is about the rows of that item of FROM alone, before they are joined.
static bool is_about(struct compile *c, struct expr *where, const struct source_list *from, u32 index)
{
    const struct source *item = &from->items[index];
    bool outer = where->flags & EXPR_F_OUTER_ON;
    if (item->join & JOIN_LEFT ? !outer || where->on_cursor != item->cursor : outer) return false;
    if (where->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON))
        for (u32 i = 0; i < index; i++)
            if (where->on_cursor == from->items[i].cursor && from->items[i].join & JOIN_LEFT_OF_RIGHT) return false;
    struct push p = {.c = c, .cursor = item->cursor};
    struct walker w = {.expr = push_expr, .context = &p};
    walk_expr(&w, where);
    return !p.refuse;
}

bool select_push_down(struct compile *c, struct select *sub, struct expr *where, struct source_list *from, u32 index)
{
    struct source *item = &from->items[index];
    if (!where) return false;
    // Rows of VALUES are computed whatever the filter, whose columns have the affinity that all of them agree on.
    if (sub->flags & (SELECT_F_RECURSIVE | SELECT_F_MULTI_VALUE)) return false;
    if (item->join & (JOIN_LEFT_OF_RIGHT | JOIN_RIGHT)) return false;
    const struct expr_list *partition = NULL;
    if (sub->prior) {
        bool distinct = false;
        for (struct select *t = sub; t; t = t->prior) {
            if (select_has_window(t) || t->flags & SELECT_F_RECURSIVE) return false;
            if (t->op != SELECT_UNION_ALL && t->op != SELECT_SIMPLE) distinct = true;
        }
        if (distinct)
            for (struct select *t = sub; t; t = t->prior)
                for (u32 i = 0; i < t->columns->count; i++)
                    if (expr_collation(c, t->columns->items[i].expr) != &COLLATION_BINARY) return false;
    } else if (select_has_window(sub) && !(partition = common_partition(c, sub))) {
        return false;
    }
    if (sub->limit) return false;
    where = expr_skip_collate(where);
    bool any = false;
    while (where->kind == EXPR_AND) {
        any |= select_push_down(c, sub, where->right, from, index);
        where = where->left;
    }
    if (!is_about(c, where, from, index)) return any;
    for (struct select *t = sub; t; t = t->prior) {
        struct expr *copy = expr_copy(c->arena, where);
        expr_unset_join(copy, -1, true);
        struct substitution x = {.c = c, .cursor = item->cursor, .new_cursor = item->cursor, .columns = t->columns,
                                 .collations = leftmost(sub)->columns};
        copy = substitute_expr(&x, copy);
        if (partition) {
            struct push p = {.c = c, .cursor = -1, .partition = partition};
            struct walker w = {.expr = push_expr, .context = &p};
            walk_expr(&w, copy);
            if (p.refuse || (p.typeless && p.computed)) return any;
        }
        struct walker uses = {.select = uses_counted};
        walk_expr(&uses, copy);
        if (t->flags & SELECT_F_AGGREGATE || t->group_by) t->having = expr_and(c->arena, t->having, copy);
        else t->where = expr_and(c->arena, t->where, copy);
    }
    return true;
}
