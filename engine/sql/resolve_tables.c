// Which mistake of a query is told. SQLite makes the tables and columns of all its parts known before it looks at a name; names are
// resolved query by query here. So when something is wrong, tables are made known alone, in SQLite's order, of what was resolved so
// far as of what was not reached: what is wrong with one of them is told first.
#include "resolve.h"

static enum walk_result term_tables(struct walker *w, struct select *s)
{
    struct compile *c = w->context;
    struct with *saved = c->with;
    const struct select *last = s;
    if (s->flags & SELECT_F_TABLES) return WALK_PRUNE;
    select_enter(c);
    struct select *inside = s->next ? NULL : select_order_outside(c, s);
    if (inside && inside->order_by) {
        s->order_by = inside->order_by;
        inside->order_by = NULL;
    }
    if (s->prior) s->prior->next = s;
    while (last->next) last = last->next;
    with_push(c, last->with);
    select_expand(c, s, NULL);
    walk_select_expressions(w, s);
    for (u32 i = 0; s->from && i < s->from->count; i++) walk_expr_list(w, s->from->items[i].arguments);
    c->with = saved;
    c->select_depth--;
    if (!c->mistake) s->flags |= SELECT_F_TABLES;
    return WALK_PRUNE;
}

// One of both.
static void tables_of(struct compile *c, struct select *s, struct expr_list *list)
{
    struct walker w = {.select = term_tables, .context = c};
    const int resolving = c->resolving;
    const char *const of_names = c->mistake;
    const bool begins = resolving != RESOLVING_TABLES;
    if (begins) c->mistake = NULL;
    c->resolving = RESOLVING_TABLES;
    walk_select(&w, s);
    walk_expr_list(&w, list);
    if (begins) mistake_tell(c);
    if (begins) c->mistake = of_names;
    c->resolving = resolving;
}

void select_tables(struct compile *c, struct select *s) { tables_of(c, s, NULL); }
void expr_list_tables(struct compile *c, struct expr_list *list) { tables_of(c, NULL, list); }
