// Which mistake of a query is told: SQLite knows the tables of all its subqueries before it looks at a name. Names are resolved
// query by query here, so when one of them is wrong, the tables of what was not reached yet are looked for after all.
#include "resolve.h"

struct tables_check {
    struct compile *c;
    u32 depth;
    bool starless; // "*" of nothing: told when no table is missing
};

static void tables_check_term(struct tables_check *check, struct select *s);

static void tables_check_select(struct tables_check *check, struct select *s)
{
    for (; s; s = s->prior) tables_check_term(check, s);
}

static enum walk_result check_subquery(struct walker *w, struct select *s)
{
    tables_check_term(w->context, s);
    return WALK_PRUNE;
}

static void check_source(struct tables_check *check, struct source *source)
{
    struct compile *c = check->c;
    struct with *scope, *saved = c->with;
    if (source->table) return;
    if (source->select && !source->cte) return tables_check_select(check, source->select);
    struct cte *cte = cte_find(c, source, &scope);
    if (!cte) {
        int database;
        const char *schema = source->schema_name ? source->schema_name : c->trigger_schema;
        virtual_table_require(c, locate_table(c, schema, source->name, -1, false, &database));
        return;
    }
    if (cte->checked) return;
    cte->checked = true; // it may name itself
    c->with = scope;
    tables_check_select(check, cte->select);
    c->with = saved;
}

static void tables_check_term(struct tables_check *check, struct select *s)
{
    struct compile *c = check->c;
    struct with *saved = c->with;
    const struct select *last = s;
    while (last->next) last = last->next;
    if (check->depth > 100) return;
    check->depth++;
    with_push(c, last->with);
    for (u32 i = 0; s->from && i < s->from->count; i++) check_source(check, &s->from->items[i]);
    for (u32 i = 0; !s->from && i < s->columns->count; i++)
        check->starless |= s->columns->items[i].expr->kind == EXPR_STAR;
    struct walker w = {.select = check_subquery, .context = check};
    walk_select_expressions(&w, s);
    c->with = saved;
    check->depth--;
}

void select_tables_check(struct compile *c, struct select *s)
{
    struct tables_check check = {.c = c};
    tables_check_select(&check, s);
    if (check.starless) compile_fail(c, ERR_ERROR, -1, "no tables specified");
}
