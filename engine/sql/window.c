// Window functions: definitions put together and checked.
#include "select.h"

static struct window *window_find(struct compile *c, struct window *definitions, const char *name, u32 offset)
{
    // Of several with that name the last one counts.
    struct window *found = NULL;
    for (struct window *w = definitions; w; w = w->next)
        if (w->name && name_equal(w->name, name)) found = w;
    if (found) return found;
    compile_fail(c, ERR_ERROR, offset == OFFSET_NONE ? -1 : (s64)offset, "no such window: %s", name);
}

// OVER name, and OVER (base ...): what the definition says is taken over.
void window_assemble(struct compile *c, struct window *definitions, struct window *w)
{
    if (w->reference && w->name) {
        struct window *d = window_find(c, definitions, w->name, w->offset);
        w->partition = expr_list_copy(c->arena, d->partition);
        w->order_by = expr_list_copy(c->arena, d->order_by);
        w->start = d->start;
        w->end = d->end;
        w->unit = d->unit;
        w->exclude = d->exclude;
        w->start_expr = expr_copy(c->arena, d->start_expr);
        w->end_expr = expr_copy(c->arena, d->end_expr);
        w->frame_said = d->frame_said;
        w->reference = false;
        return;
    }
    if (!w->base) return;
    struct window *base = window_find(c, definitions, w->base, w->offset);
    const char *problem = NULL;
    if (w->partition) problem = "PARTITION clause";
    else if (base->order_by && w->order_by) problem = "ORDER BY clause";
    else if (base->frame_said) problem = "frame specification";
    if (problem) compile_fail(c, ERR_ERROR, -1, "cannot override %s of window: %s", problem, w->base);
    w->partition = expr_list_copy(c->arena, base->partition);
    if (base->order_by) w->order_by = expr_list_copy(c->arena, base->order_by);
    w->base = NULL;
}

// Definitions build on earlier ones; what the first names as its base means nothing.
void window_definitions_chain(struct compile *c, struct window *definitions)
{
    if (!definitions) return;
    definitions->base = NULL;
    for (struct window *w = definitions->next, *previous = definitions; w; previous = w, w = w->next) {
        if (!w->base) continue;
        previous->next = NULL;
        window_assemble(c, definitions, w);
        previous->next = w;
    }
}

static bool is_name(const struct fn_def *def, const char *name)
{
    return strcmp(def->name, name) == 0;
}

const char *window_mistake(const struct window *w, const struct fn_def *def, const struct expr *filter)
{
    if ((w->start_expr || w->end_expr) && w->unit == FRAME_RANGE && (!w->order_by || w->order_by->count != 1))
        return "RANGE with offset PRECEDING/FOLLOWING requires one ORDER BY expression";
    return def && def->flags & FN_WINDOW_ONLY && filter ? "FILTER clause may only be used with aggregate window functions" : NULL;
}

// Functions that have frames of their own get them.
void window_update(struct compile *c, struct window *w, const struct fn_def *def)
{
    if (def->flags & (FN_WINDOW | FN_WINDOW_ONLY)) {
        static const struct {
            const char *name;
            u8 unit, start, end;
        } own[] = {
            {"row_number", FRAME_ROWS, BOUND_UNBOUNDED_PRECEDING, BOUND_CURRENT_ROW},
            {"dense_rank", FRAME_RANGE, BOUND_UNBOUNDED_PRECEDING, BOUND_CURRENT_ROW},
            {"rank", FRAME_RANGE, BOUND_UNBOUNDED_PRECEDING, BOUND_CURRENT_ROW},
            {"percent_rank", FRAME_GROUPS, BOUND_CURRENT_ROW, BOUND_UNBOUNDED_FOLLOWING},
            {"cume_dist", FRAME_GROUPS, BOUND_FOLLOWING, BOUND_UNBOUNDED_FOLLOWING},
            {"ntile", FRAME_ROWS, BOUND_CURRENT_ROW, BOUND_UNBOUNDED_FOLLOWING},
            {"lead", FRAME_ROWS, BOUND_UNBOUNDED_PRECEDING, BOUND_UNBOUNDED_FOLLOWING},
            {"lag", FRAME_ROWS, BOUND_UNBOUNDED_PRECEDING, BOUND_CURRENT_ROW},
        };
        for (u32 i = 0; i < COUNT_OF(own); i++) {
            if (!is_name(def, own[i].name)) continue;
            w->unit = own[i].unit;
            w->start = own[i].start;
            w->end = own[i].end;
            w->exclude = EXCLUDE_NO_OTHERS;
            w->start_expr = w->end_expr = NULL;
            if (is_name(def, "cume_dist")) w->start_expr = expr_integer(c->arena, 1);
        }
    }
    w->function = def;
}

bool windows_same(struct compile *c, const struct window *a, const struct window *b)
{
    if (a->unit != b->unit || a->start != b->start || a->end != b->end || a->exclude != b->exclude) return false;
    if ((a->start_expr || b->start_expr) && (!a->start_expr || !b->start_expr || expr_compare(c, a->start_expr, b->start_expr, -1)))
        return false;
    if ((a->end_expr || b->end_expr) && (!a->end_expr || !b->end_expr || expr_compare(c, a->end_expr, b->end_expr, -1)))
        return false;
    return expr_list_compare(c, a->partition, b->partition, -1) == 0 && expr_list_compare(c, a->order_by, b->order_by, -1) == 0;
}

void select_link_window(struct compile *c, struct select *s, struct expr *call)
{
    struct window *w = call->window;
    for (struct window *x = s->functions; x; x = x->next_function)
        if (x == w) return;
    // Those of the first one's window stand right behind it; the others are computed by queries within.
    w->next_function = NULL;
    if (!s->functions || windows_same(c, s->functions, w)) {
        if (s->functions) {
            w->next_function = s->functions->next_function;
            s->functions->next_function = w;
        } else {
            s->functions = w;
        }
    } else {
        struct window **tail = &s->functions;
        while (*tail) tail = &(*tail)->next_function;
        *tail = w;
    }
}

bool select_has_window(const struct select *s)
{
    if (s->functions) return true;
    for (u32 i = 0; i < s->columns->count; i++)
        if (s->columns->items[i].expr->flags & EXPR_F_HAS_WINDOW) return true;
    for (u32 i = 0; s->order_by && i < s->order_by->count; i++)
        if (s->order_by->items[i].expr->flags & EXPR_F_HAS_WINDOW) return true;
    return false;
}

struct relink {
    struct compile *c;
    struct select *s;
};

static enum walk_result relink_expr(struct walker *walker, struct expr *e)
{
    struct relink *r = walker->context;
    if (e->kind == EXPR_FUNCTION && e->window && e->flags & EXPR_F_WINDOW_FUNCTION) {
        e->window->owner = e;
        select_link_window(r->c, r->s, e);
        return WALK_PRUNE;
    }
    return WALK_CONTINUE;
}

void select_relink_windows(struct compile *c, struct select *s, struct expr *e)
{
    struct relink r = {.c = c, .s = s};
    struct walker w = {.expr = relink_expr, .context = &r};
    walk_expr(&w, e);
}
