// Walks over trees, parents before children.
#include "ast.h"

static enum walk_result walk_window(struct walker *w, struct window *window)
{
    if (!window) return WALK_CONTINUE;
    if (walk_expr_list(w, window->partition) == WALK_ABORT) return WALK_ABORT;
    if (walk_expr_list(w, window->order_by) == WALK_ABORT) return WALK_ABORT;
    if (walk_expr(w, window->start_expr) == WALK_ABORT) return WALK_ABORT;
    if (walk_expr(w, window->end_expr) == WALK_ABORT) return WALK_ABORT;
    return walk_expr(w, window->filter);
}

enum walk_result walk_into_select(struct walker *w, struct select *s) { return WALK_CONTINUE; }

enum walk_result walk_expr(struct walker *w, struct expr *e)
{
    while (e) {
        enum walk_result r = w->expr ? w->expr(w, e) : WALK_CONTINUE;
        if (r == WALK_ABORT) return WALK_ABORT;
        if (r == WALK_PRUNE) return WALK_CONTINUE;
        if (e->left && walk_expr(w, e->left) == WALK_ABORT) return WALK_ABORT;
        if (walk_expr_list(w, e->order_by) == WALK_ABORT) return WALK_ABORT;
        if (walk_expr_list(w, e->list) == WALK_ABORT) return WALK_ABORT;
        if (e->select && walk_select(w, e->select) == WALK_ABORT) return WALK_ABORT;
        if (e->filter && walk_expr(w, e->filter) == WALK_ABORT) return WALK_ABORT;
        if (e->window && walk_window(w, e->window) == WALK_ABORT) return WALK_ABORT;
        e = e->right;
    }
    return WALK_CONTINUE;
}

enum walk_result walk_expr_list(struct walker *w, struct expr_list *list)
{
    for (u32 i = 0; list && i < list->count; i++)
        if (walk_expr(w, list->items[i].expr) == WALK_ABORT) return WALK_ABORT;
    return WALK_CONTINUE;
}

enum walk_result walk_select_expressions(struct walker *w, struct select *s)
{
    if (walk_expr_list(w, s->columns) == WALK_ABORT) return WALK_ABORT;
    if (walk_expr(w, s->where) == WALK_ABORT) return WALK_ABORT;
    if (walk_expr_list(w, s->group_by) == WALK_ABORT) return WALK_ABORT;
    if (walk_expr(w, s->having) == WALK_ABORT) return WALK_ABORT;
    if (walk_expr_list(w, s->order_by) == WALK_ABORT) return WALK_ABORT;
    if (walk_expr(w, s->limit) == WALK_ABORT) return WALK_ABORT;
    if (walk_expr(w, s->limit_offset) == WALK_ABORT) return WALK_ABORT;
    for (struct window *d = s->windows; d; d = d->next)
        if (walk_window(w, d) == WALK_ABORT) return WALK_ABORT;
    return WALK_CONTINUE;
}

enum walk_result walk_select_from(struct walker *w, struct select *s)
{
    for (u32 i = 0; s->from && i < s->from->count; i++) {
        struct source *source = &s->from->items[i];
        if (source->select && walk_select(w, source->select) == WALK_ABORT) return WALK_ABORT;
        if (walk_expr_list(w, source->arguments) == WALK_ABORT) return WALK_ABORT;
        if (walk_expr(w, source->on) == WALK_ABORT) return WALK_ABORT;
    }
    return WALK_CONTINUE;
}

enum walk_result walk_select(struct walker *w, struct select *s)
{
    if (!w->select) return WALK_CONTINUE;
    for (; s; s = s->prior) {
        enum walk_result r = w->select(w, s);
        if (r == WALK_ABORT) return WALK_ABORT;
        if (r == WALK_PRUNE) continue;
        w->depth++;
        if (walk_select_expressions(w, s) == WALK_ABORT || walk_select_from(w, s) == WALK_ABORT) {
            w->depth--;
            return WALK_ABORT;
        }
        w->depth--;
        if (w->select_done) w->select_done(w, s);
    }
    return WALK_CONTINUE;
}
