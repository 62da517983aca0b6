// A query with window functions becomes two: an inner one that gives all that they, and the query, read, sorted
// by partition and order; and an outer one over it that computes the functions of one window. Functions of other
// windows go into the inner one, which is divided again in its turn.
#include "select.h"

struct rewrite {
    struct compile *c;
    struct source_list *from;
    struct window *mine;    // by next_function
    struct expr_list *inner; // columns of the inner query
    int cursor;
    int depth;
};

static bool from_has(const struct source_list *from, int cursor)
{
    for (u32 i = 0; from && i < from->count; i++)
        if (from->items[i].cursor == cursor) return true;
    return false;
}

// The number of the inner query's column with that value.
static int inner_column(struct rewrite *r, struct expr *e, bool reuse)
{
    if (reuse && r->inner)
        for (u32 i = 0; i < r->inner->count; i++)
            if (expr_compare(r->c, r->inner->items[i].expr, e, -1) == 0) return (int)i;
    expr_list_add(r->c->arena, &r->inner, e);
    return (int)r->inner->count - 1;
}

static enum walk_result rewrite_expr(struct walker *w, struct expr *e)
{
    struct rewrite *r = w->context;
    struct compile *c = r->c;
    bool take = false;
    switch (e->kind) {
    case EXPR_FUNCTION:
        if (!(e->flags & EXPR_F_WINDOW_FUNCTION) || !e->window) return WALK_CONTINUE;
        for (struct window *x = r->mine; x; x = x->next_function)
            if (x == e->window) return WALK_PRUNE;
        take = r->depth == 0;
        break;
    case EXPR_IF_NULL_ROW:
    case EXPR_COLUMN:
    case EXPR_AGG_COLUMN:
        take = from_has(r->from, e->cursor);
        break;
    case EXPR_AGG_FUNCTION:
        // One in a subquery stays, as in SQLite: it finds no groups there any more.
        take = r->depth == 0 && e->aggregate_level == 0;
        break;
    }
    if (!take) return WALK_CONTINUE;
    struct expr *moved = expr_copy(c->arena, e);
    if (moved->kind == EXPR_AGG_COLUMN) moved->kind = EXPR_COLUMN;
    if (moved->kind == EXPR_AGG_FUNCTION) moved->aggregate_level = 0;
    int column = inner_column(r, moved, true);
    u32 keep = e->flags & (EXPR_F_HAS_COLLATE);
    *e = (struct expr){.kind = EXPR_COLUMN, .cursor = r->cursor, .column = (s16)column, .offset = e->offset, .name_offset = OFFSET_NONE, .on_cursor = -1};
    e->flags = EXPR_F_LEAF | EXPR_F_CAN_BE_NULL | keep;
    e->aggregate_index = -1;
    return WALK_PRUNE;
}

static enum walk_result rewrite_select(struct walker *w, struct select *s)
{
    struct rewrite *r = w->context;
    r->depth++;
    return WALK_CONTINUE;
}

static void rewrite_select_done(struct walker *w, struct select *s)
{
    struct rewrite *r = w->context;
    r->depth--;
}

// Once the inner query's table is known, the new columns get it.
struct set_table {
    int cursor;
    const struct table *table;
};
static enum walk_result set_table_expr(struct walker *w, struct expr *e)
{
    struct set_table *t = w->context;
    if (e->kind == EXPR_COLUMN && e->cursor == t->cursor) e->table = t->table;
    return WALK_CONTINUE;
}

static void append(struct compile *c, struct expr_list **to, const struct expr_list *from, bool order)
{
    for (u32 i = 0; from && i < from->count; i++) {
        struct expr *copy = expr_copy(c->arena, from->items[i].expr);
        struct expr_item *item = expr_list_add(c->arena, to, copy);
        struct expr *e = item->expr;
        if (order) {
            *item = from->items[i];
            item->expr = e;
        }
        item->order_by_column = 0;
    }
}

// GROUP BY is the inner query's: the number of a column with a window function is none of its. As in SQLite's resolver functions behind
// the first one are looked at, too, and the last one is told, but whatever else comes then ends it, among arguments only them.
static enum walk_result window_misused(struct walker *w, struct expr *e)
{
    if (e->kind != EXPR_FUNCTION) return w->context ? WALK_ABORT : WALK_CONTINUE;
    if (e->flags & EXPR_F_WINDOW_FUNCTION) w->context = e;
    (void)walk_expr_list(w, e->list);
    return WALK_PRUNE;
}

static void group_check(struct compile *c, struct expr_list *group_by)
{
    struct walker w = {.expr = window_misused};
    for (u32 i = 0; group_by && i < group_by->count && !w.context; i++) walk_expr(&w, group_by->items[i].expr);
    const struct expr *last = w.context;
    if (last) compile_fail_at(c, last, "misuse of window function %s()", last->text);
}

// Whether a column is an aggregate outside of window functions.
static enum walk_result plain_aggregate(struct walker *w, struct expr *e)
{
    if (e->kind == EXPR_FUNCTION && e->flags & EXPR_F_WINDOW_FUNCTION) return WALK_PRUNE;
    if (e->kind == EXPR_AGG_FUNCTION && e->aggregate_level == 0) w->context = e;
    return WALK_CONTINUE;
}

// Of HAVING without GROUP BY, when the aggregates of ORDER BY are gone with it.
static void having_check(struct compile *c, struct expr_list *columns)
{
    struct walker w = {.expr = plain_aggregate};
    walk_expr_list(&w, columns);
    if (!w.context) compile_fail(c, ERR_ERROR, -1, "HAVING clause on a non-aggregate query");
}

// Leaves in s->functions those of the first one's window. False: there are others.
static bool others_leave(struct compile *c, struct select *s)
{
    struct window **tail = &s->functions->next_function;
    bool alone = true;
    for (struct window *w = *tail, *next; w; w = next) {
        next = w->next_function;
        if (!windows_same(c, s->functions, w)) {
            alone = false;
            continue;
        }
        *tail = w;
        tail = &w->next_function;
    }
    *tail = NULL;
    return alone;
}

// ORDER BY of a result column computes it once more, which is what the row then shows, as in SQLite: within, where rows are not in
// the order of other windows yet, in which row_number() OVER () would number them.
static void ordered_columns_take(struct compile *c, struct select *s)
{
    for (u32 i = 0; s->order_by && i < s->order_by->count; i++) {
        const u32 column = s->order_by->items[i].order_by_column;
        if (column) s->columns->items[column - 1].expr = expr_copy(c->arena, expr_skip_collate(s->order_by->items[i].expr));
    }
}

// SQLite resolves the names of the inner query once more: by now it knows unlikely(), and sees TRUE within it.
static enum walk_result find_truth(struct walker *w, struct expr *e)
{
    (void)w;
    if (e->kind == EXPR_IS || e->kind == EXPR_IS_NOT) expr_make_truth(e);
    return WALK_CONTINUE;
}

static void find_truths(struct select *s)
{
    struct walker w = {.expr = find_truth};
    if (s->where) walk_expr(&w, s->where);
    if (s->group_by) walk_expr_list(&w, s->group_by);
    if (s->having) walk_expr(&w, s->having);
    walk_expr_list(&w, s->columns);
    if (s->order_by) walk_expr_list(&w, s->order_by);
}

void select_window_rewrite(struct compile *c, struct select *s, bool sorted_once)
{
    // The list is made anew: the select may be a copy.
    const struct expr_list *terms = s->order_by ? s->order_by : s->order_dropped;
    s->functions = NULL;
    for (u32 i = 0; i < s->columns->count; i++) select_relink_windows(c, s, s->columns->items[i].expr);
    for (u32 i = 0; terms && i < terms->count; i++)
        if (!terms->items[i].order_by_column) select_relink_windows(c, s, terms->items[i].expr);
    if (!s->functions) return;
    if (s->having_misused) compile_fail(c, ERR_ERROR, -1, "HAVING clause on a non-aggregate query");
    struct window *first = s->functions;
    const bool alone = others_leave(c, s);
    sorted_once &= !alone;
    for (u32 i = 0; s->order_by && i < s->order_by->count && alone; i++) select_relink_windows(c, s, s->order_by->items[i].expr);
    others_leave(c, s);

    struct select *inner = arena_alloc(c->arena, sizeof *inner);
    inner->id = ++c->top->select_id_next;
    inner->offset = s->offset;
    inner->from = s->from;
    inner->where = s->where;
    inner->group_by = s->group_by;
    group_check(c, s->group_by);
    for (u32 i = 0; s->group_by && i < s->group_by->count; i++) s->group_by->items[i].order_by_column = 0; // it has other results
    inner->having = s->having;
    inner->flags = (s->flags & (SELECT_F_AGGREGATE | SELECT_F_MIN_MAX)) | SELECT_F_RESOLVED | SELECT_F_EXPANDED | SELECT_F_HAS_TYPES |
                   SELECT_F_WINDOW_ROWS;
    inner->rows_estimate = 0;
    s->where = NULL;
    s->group_by = NULL;
    inner->flags |= s->flags & SELECT_F_UPDATE_FROM; // it has the sources
    s->flags &= ~(u32)SELECT_F_UPDATE_FROM;
    s->having = NULL;
    s->flags &= ~(u32)SELECT_F_AGGREGATE;

    // Partition and order are how the inner query is sorted; ORDER BY that begins like it is done with that.
    struct expr_list *order = NULL;
    append(c, &order, first->partition, false);
    append(c, &order, first->order_by, true);
    if (order && s->order_by && s->order_by->count <= order->count) {
        bool same = true;
        for (u32 i = 0; i < s->order_by->count; i++)
            same &= expr_compare(c, s->order_by->items[i].expr, order->items[i].expr, -1) == 0 &&
                    s->order_by->items[i].descending == order->items[i].descending &&
                    expr_item_nulls_big(&s->order_by->items[i]) == expr_item_nulls_big(&order->items[i]);
        if (same && inner->having && !inner->group_by) having_check(c, s->columns);
        if (same) s->order_by = NULL;
    }

    int cursor = cursor_alloc(c);
    struct rewrite r = {.c = c, .from = inner->from, .mine = first, .cursor = cursor};
    struct walker w = {.expr = rewrite_expr, .select = rewrite_select, .select_done = rewrite_select_done, .context = &r};
    walk_expr_list(&w, s->columns);
    if (s->order_by) walk_expr_list(&w, s->order_by);
    if (sorted_once) ordered_columns_take(c, s);
    for (struct window *x = first; x; x = x->next_function)
        if (window_computes(x)) walk_expr_list(&w, x->owner->list);
    // Partition and order, by which the outer query tells rows apart; then what the functions read: of several min() and max() the
    // last of the list says which row a column beside them is of.
    first->buffer_columns = r.inner ? (s32)r.inner->count : 0;
    for (u32 i = 0; order && i < order->count; i++)
        expr_list_add(c->arena, &r.inner, expr_copy(c->arena, order->items[i].expr));
    for (struct window *x = first; x; x = x->next_function) {
        struct expr *call = x->owner;
        u32 count = call->list && !window_computes(x) ? call->list->count : 0;
        x->argument_column = r.inner ? (s32)r.inner->count : 0;
        for (u32 i = 0; i < count; i++) expr_list_add(c->arena, &r.inner, expr_copy(c->arena, call->list->items[i].expr));
        if (x->filter) expr_list_add(c->arena, &r.inner, expr_copy(c->arena, x->filter));
    }
    if (!r.inner) expr_list_add(c->arena, &r.inner, expr_integer(c->arena, 0));
    inner->columns = r.inner;
    inner->order_by = order;
    find_truths(inner);
    if (order)
        for (u32 i = 0; i < order->count; i++) order->items[i].order_by_column = (u16)((u32)first->buffer_columns + i + 1);
    // Other windows' functions are the inner query's now.
    inner->functions = NULL;
    for (u32 i = 0; i < inner->columns->count; i++) select_relink_windows(c, inner, inner->columns->items[i].expr);

    struct source_list *from = NULL;
    struct source *item = source_list_add(c->arena, &from);
    item->select = inner;
    item->cursor = cursor_alloc(c);
    item->database = -1;
    item->offset = OFFSET_NONE;
    item->correlated = true; // no automatic index, nothing shared
    struct table *t = select_result_table(c, inner, NULL, false);
    item->table = t;
    s->from = from;
    first->cursor = cursor;
    struct set_table set = {.cursor = cursor, .table = t};
    struct walker setter = {.expr = set_table_expr, .select = walk_into_select, .context = &set};
    walk_expr_list(&setter, s->columns);
    if (s->order_by) walk_expr_list(&setter, s->order_by);
    for (struct window *x = first; x; x = x->next_function)
        if (window_computes(x)) walk_expr_list(&setter, x->owner->list); // which may be in neither now
    s->functions = first;
}
