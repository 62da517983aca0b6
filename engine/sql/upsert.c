#include "dml.h"

struct upsert *upsert_of_index(struct upsert *upsert, const struct index *i)
{
    while (upsert && upsert->target && !(i ? upsert->index == i : upsert->is_rowid)) upsert = upsert->next;
    return upsert;
}

// The index's k-th key as an expression with its collation, as the conflict target would have it.
static struct expr *index_term(struct compile *c, const struct index *i, u32 k, int cursor)
{
    struct expr *term;
    if (i->columns[k] == COLUMN_EXPR) {
        int outer = c->self_cursor;
        c->self_cursor = 0;
        term = self_expr(c, i->table, i->exprs[k], 0);
        c->self_cursor = outer;
        if (term->kind == EXPR_COLLATE) return term;
    } else {
        term = expr_new(c->arena, EXPR_COLUMN, OFFSET_NONE);
        term->cursor = cursor;
        term->column = i->columns[k]; // the rowid by its column's name in a longer key is not the rowid of a target
        term->table = i->table;
    }
    struct expr *collate = expr_new(c->arena, EXPR_COLLATE, OFFSET_NONE);
    collate->text = i->collations[k] ? i->collations[k] : "BINARY";
    collate->text_size = (u32)strlen(collate->text);
    collate->left = term;
    expr_summarize(collate);
    return collate;
}

static bool index_matches(struct compile *c, const struct upsert *u, const struct index *i, int cursor)
{
    if (i->conflict == CONFLICT_NONE || u->target->count != i->key_count) return false;
    if (i->where) {
        if (!u->target_where) return false;
        if (expr_compare(c, u->target_where, self_expr(c, i->table, i->where, 0), cursor) != 0) return false;
    }
    for (u32 k = 0; k < i->key_count; k++) {
        struct expr *term = index_term(c, i, k, cursor);
        u32 n = 0;
        while (n < u->target->count && expr_compare(c, u->target->items[n].expr, term, cursor) >= 2) n++;
        if (n == u->target->count) return false;
    }
    return true;
}

static const char *ordinal(struct compile *c, u32 n)
{
    const char *ending = "th";
    if (n % 100 < 11 || n % 100 > 13) ending = n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
    return arena_format(c->arena, "%u%s ", n, ending);
}

static void require_plain_order(struct compile *c, const struct expr_list *target)
{
    for (u32 i = 0; target && i < target->count; i++)
        if (target->items[i].nulls_said)
            compile_fail(c, ERR_ERROR, -1, "unsupported use of NULLS %s",
                         target->items[i].nulls_last ? "LAST" : "FIRST");
}

void upsert_resolve(struct compile *c, struct upsert *upsert, struct source_list *target)
{
    const struct source *source = &target->items[0];
    const struct table *t = source->table;
    struct name_context names = {.c = c, .sources = target};
    require_plain_order(c, upsert->target);
    u32 number = 0;
    for (struct upsert *u = upsert; u; u = u->next) {
        number++;
        u->source = target;
        u->index = NULL;
        u->is_rowid = false;
        if (!u->target) continue;
        resolve_expr_list(&names, u->target);
        if (u->target_where) resolve_expr(&names, u->target_where);
        const struct expr *only = u->target->items[0].expr;
        if (table_has_rowid(t) && u->target->count == 1 && only->kind == EXPR_COLUMN && only->column == COLUMN_ROWID) {
            u->is_rowid = true;
            continue;
        }
        for (const struct index *i = t->indexes; i && !u->index; i = i->next)
            if (index_matches(c, u, i, source->cursor)) u->index = i;
        if (!u->index)
            compile_fail(c, ERR_ERROR, -1, "%sON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint",
                         number == 1 && !u->next ? "" : ordinal(c, number));
    }
}
