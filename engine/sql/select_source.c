// Subqueries in FROM that are computed: as coroutines that give row after row, or into temporary tables.
#include "select.h"

// A source of the same view or table of WITH among those, whose rows are in a table; NULL: there is none. Filters that were
// pushed down and columns that were dropped make a view another one.
static const struct source *same_view(const struct source_list *from, u32 at, u32 first, u32 end)
{
    const struct source *s = &from->items[at];
    if (!s->name || !(s->was_view || s->cte) || s->select->flags & SELECT_F_PUSHED) return NULL;
    for (u32 i = first; i < end; i++) {
        const struct source *x = &from->items[i];
        if (!x->select || x->via_coroutine || x->select->flags & SELECT_F_PUSHED || x->cte != s->cte) continue;
        if (s->cte || (x->was_view && x->name && x->database == s->database && name_equal(x->name, s->name))) return x;
    }
    return NULL;
}

static bool can_be_coroutine(const struct select *select, u32 at)
{
    const struct source_list *from = select->from;
    const struct source *s = &from->items[at];
    if (s->cte) {
        if (s->cte->materialize == CTE_MATERIALIZED) return false;
        if (s->cte->uses + s->cte->copies >= 2 && s->cte->materialize != CTE_NOT_MATERIALIZED) return false;
    }
    // RETURNING may look at the same rows later.
    if (select->flags & SELECT_F_UPDATE_FROM) return false;
    if (from->items[0].join & JOIN_LEFT_OF_RIGHT || same_view(from, at, at + 1, from->count)) return false;
    if (at == 0) return true;
    for (u32 i = at;; i--) {
        if (from->items[i].join & (JOIN_OUTER | JOIN_CROSS)) return false;
        if (i < at && from->items[i].select) return false;
        if (i == 0) break;
    }
    return true;
}

static const char *source_name(struct compile *c, const struct source *s)
{
    if (s->name) return s->name;
    if (s->alias) return s->alias;
    if (s->select->flags & SELECT_F_NESTED_FROM) return arena_format(c->arena, "(join-%u)", s->select->id);
    return arena_format(c->arena, "(subquery-%u)", s->select->id);
}

// Columns that nobody reads are not computed: mistakes and refusals in them are not told either, as SQLite does it. What reads
// the query around is left alone, unless it is only counted.
static void unread_columns_drop(struct compile *c, const struct source *item)
{
    struct select *s = item->select;
    bool counted = s->prior && !item->columns_used && !item->rowid_used && !s->order_by;
    if (item->cte || (item->correlated && !counted)) return;
    for (const struct select *x = s; x; x = x->prior)
        if ((x->prior && x->op != SELECT_UNION_ALL) || x->flags & (SELECT_F_DISTINCT | SELECT_F_AGGREGATE | SELECT_F_VALUES) || select_has_window(x)) return;
    u64 used = item->columns_used;
    for (u32 i = 0; s->order_by && i < s->order_by->count; i++)
        if (s->order_by->items[i].order_by_column) used |= 1ull << MIN(s->order_by->items[i].order_by_column - 1, 63);
    for (; s; s = s->prior)
        for (u32 i = 0; i < s->columns->count; i++) {
            struct expr_item *column = &s->columns->items[i];
            if (used & 1ull << MIN(i, 63u) || column->expr->kind == EXPR_NULL) continue;
            struct expr *none = expr_new(c->arena, EXPR_NULL, OFFSET_NONE);
            none->left = column->expr->left; // what it was made of still counts as read where a query below is merged, as in SQLite
            none->right = column->expr->right;
            none->list = column->expr->list;
            column->expr = none;
            s->flags |= SELECT_F_PUSHED; // who names the same view may read the column
        }
}

// SQLite keeps the estimate with the view: the place whose code is made last says how many rows it has in all of them.
static struct view_estimate *view_estimate_find(struct compile *c, const struct source *s)
{
    struct view_estimate *v;
    for (v = c->view_estimates; v; v = v->next)
        if (v->database == s->database && name_equal(v->name, s->name)) return v;
    v = arena_alloc(c->arena, sizeof *v);
    *v = (struct view_estimate){.next = c->view_estimates, .database = s->database, .name = s->name};
    return c->view_estimates = v;
}

void select_sources_code(struct compile *c, struct select *s)
{
    struct source_list *from = s->from;
    if (!from) return;
    for (u32 i = 0; i < from->count; i++) {
        struct source *item = &from->items[i];
        if (!item->select || item->address_fill) continue;
        struct select *sub = item->select;
        bool shared = item->cte && (item->cte->materialize == CTE_MATERIALIZED || item->cte->uses + item->cte->copies >= 2);
        bool whole = shared || !s->where || !select_push_down(c, sub, s->where, from, i);
        if (!whole) sub->flags |= SELECT_F_PUSHED;
        const struct source *same;
        unread_columns_drop(c, item);
        struct select_dest dest;
        bool once_allowed = c->factoring_once;
        if (can_be_coroutine(s, i)) {
            int top = emit_here(c) + 1;
            item->reg_return = reg_alloc(c);
            emit(c, OP_InitCoroutine, item->reg_return, 0, top);
            item->address_fill = top;
            select_dest_init(&dest, DEST_COROUTINE, item->reg_return);
            explain_push(c, "CO-ROUTINE %s", source_name(c, item));
            select_code(c, sub, &dest);
            explain_pop(c);
            item->reg_result = dest.reg;
            item->via_coroutine = true;
            emit(c, OP_EndCoroutine, item->reg_return, 0, 0);
            emit_jump_here(c, top - 1);
            reg_forget_temps(c);
        } else if (item->cte && item->cte->materialized_already && !item->correlated) {
            // Computed for another place that names it: this one looks at the same table.
            struct cte *cte = item->cte;
            emit(c, OP_Gosub, cte->reg_return, cte->address, 0);
            // Code that stands twice, as in an aggregate's FILTER, has the same cursor in both places.
            if (item->cursor != cte->cursor) emit(c, OP_OpenDup, item->cursor, cte->cursor, 0);
            item->reg_return = cte->reg_return;
            item->address_fill = cte->address;
            item->materialized = true;
            sub->rows_estimate = cte->rows_estimate;
            item->rows_elsewhere = true;
        } else if ((same = same_view(from, i, 0, i)) && !item->correlated && !same->correlated) {
            emit(c, OP_Gosub, same->reg_return, same->address_fill, 0);
            emit(c, OP_OpenDup, item->cursor, same->cursor, 0);
            item->reg_return = same->reg_return;
            item->address_fill = same->address_fill;
            item->materialized = true;
            sub->rows_estimate = same->rows_estimate;
        } else {
            item->reg_return = reg_alloc(c);
            int top = emit(c, OP_Goto, 0, 0, 0);
            item->address_fill = top + 1;
            int once = item->correlated ? 0 : emit(c, OP_Once, 0, 0, 0);
            select_dest_init(&dest, DEST_EPHEMERAL, item->cursor);
            explain_push(c, "MATERIALIZE %s", source_name(c, item));
            select_code(c, sub, &dest);
            explain_pop(c);
            if (once) emit_jump_here(c, once);
            emit(c, OP_Return, item->reg_return, 0, 0);
            emit_jump_here(c, top);
            reg_forget_temps(c);
            if (item->cte && whole && !item->correlated) {
                item->cte->materialized_already = true;
                item->cte->rows_estimate = sub->rows_estimate;
                item->cte->cursor = item->cursor;
                item->cte->reg_return = item->reg_return;
                item->cte->address = item->address_fill;
            }
        }
        item->rows_estimate = sub->rows_estimate;
        item->rows_estimated = true;
        if (item->was_view && item->name) {
            struct view_estimate *view = view_estimate_find(c, item);
            view->rows = sub->rows_estimate;
            item->view = view;
        }
        c->factoring_once = once_allowed;
    }
}
