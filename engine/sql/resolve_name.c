// What a name means: a column of the sources here or further out, of NEW, OLD or excluded, a result, or a text.
#include "../connection.h"
#include "resolve.h"

#include "../fn/fn.h"

int name_list_find(const struct name_list *list, const char *name)
{
    if (list)
        for (u32 i = 0; i < list->count; i++)
            if (name_equal(list->items[i].name, name)) return (int)i;
    return -1;
}

static u64 expr_column_mask(const struct expr *e)
{
    if (e->column < 0) return 0;
    const struct table *t = e->table;
    if (t && e->column < t->column_count && t->columns[e->column].flags & COLUMN_GENERATED)
        return t->column_count >= 64 ? ~0ull : (1ull << t->column_count) - 1;
    return 1ull << (e->column >= 63 ? 63 : e->column);
}

void source_column_used(struct source *s, const struct expr *e)
{
    s->columns_used |= expr_column_mask(e);
    if (e->column < 0) s->rowid_used = true;
}

static bool item_matches(const struct expr_item *item, const char *column, const char *table, const char *schema,
                         bool *is_rowid)
{
    if (item->name_kind != ITEM_TABLE && !(is_rowid && item->name_kind == ITEM_ROWID)) return false;
    const char *span = item->name, *dot = strchr(span, '.');
    if (!dot) return false;
    if (schema && (strlen(schema) != (size_t)(dot - span) || strncasecmp(span, schema, (size_t)(dot - span)) != 0))
        return false;
    span = dot + 1;
    dot = strchr(span, '.');
    if (!dot) return false;
    if (table && (strlen(table) != (size_t)(dot - span) || strncasecmp(span, table, (size_t)(dot - span)) != 0))
        return false;
    span = dot + 1;
    if (!column) return true;
    if (item->name_kind == ITEM_TABLE) return name_equal(span, column);
    if (!name_is_rowid(column)) return false;
    *is_rowid = true;
    return true;
}

bool rowid_visible(const struct table *t)
{
    return t->kind != TABLE_VIEW && !(t->flags & TABLE_EPHEMERAL) && table_has_rowid(t);
}

bool nested_item_matches(const struct expr_item *item, const char *column, const char *table, const char *schema)
{
    return item_matches(item, column, table, schema, NULL);
}

static bool source_name_matches(struct name_context *n, const struct source *s, const char *table,
                                const char *schema)
{
    if (schema && strcmp(schema, "*") == 0) { // a query's, which has none
        if (!s->table || s->database >= 0) return false;
    } else if (schema) {
        if ((s->select && !s->was_view) || !s->table || s->database < 0) return false;
        const char *own = compile_database_name(n->c, s->database);
        if (!name_equal(own, schema) && !(s->database == 0 && name_equal(schema, "main"))) return false;
        if (s->alias && !name_equal(s->alias, s->table->name) && !name_equal(s->alias, table)) return false;
    }
    if (s->alias) return name_equal(s->alias, table);
    if (!s->table || !s->table->name) return false;
    if (name_equal(s->table->name, table)) return true;
    if (s->name && name_equal(s->name, table)) return true;
    if (s->table->flags & TABLE_SCHEMA_TABLE) {
        if (s->database == 1)
            return name_equal(table, "sqlite_temp_master") || name_equal(table, "sqlite_temp_schema") ||
                   (schema && (name_equal(table, "sqlite_master") || name_equal(table, "sqlite_schema")));
        return name_equal(table, "sqlite_master") || name_equal(table, "sqlite_schema");
    }
    return false;
}

static void full_join_add(struct name_context *n, struct expr_list **list, struct source *s, int column)
{
    struct expr *e = expr_new(n->c->arena, EXPR_COLUMN, OFFSET_NONE);
    e->cursor = s->cursor;
    e->column = (s16)column;
    e->table = s->table;
    e->database = s->database;
    e->flags |= EXPR_F_CAN_BE_NULL;
    source_column_used(s, e);
    expr_list_add(n->c->arena, list, e);
}

struct lookup {
    const char *schema, *table, *column;
    struct expr *e;
    int count, table_count;
    struct source *match;
    struct expr_list *full_join;
};

// Whether the column is that of `s`, which has one of the name: not when USING makes it the same as the one found
// before, of which there are then two sides in a FULL JOIN.
static bool lookup_takes(struct name_context *n, struct lookup *l, struct source *s)
{
    if (l->count > 0) {
        if (!s->using || name_list_find(s->using, l->column) < 0) {
            l->full_join = NULL;
        } else if (!(s->join & JOIN_RIGHT)) {
            return false;
        } else if (!(s->join & JOIN_LEFT)) {
            l->count = 0;
            l->full_join = NULL;
        } else {
            full_join_add(n, &l->full_join, l->match, l->e->column);
        }
    }
    l->count++;
    l->match = s;
    return true;
}

static bool is_nested(const struct source *s) { return s->select && s->select->flags & SELECT_F_NESTED_FROM; }

static void lookup_in_sources(struct name_context *n, struct lookup *l)
{
    struct expr *e = l->e;
    if (n->flags & NAME_REGISTERS && l->schema) return; // as in triggers, no schema names what RETURNING gives
    for (u32 i = 0; i < n->sources->count; i++) {
        struct source *s = &n->sources->items[i];
        const struct table *t = s->table;
        if (!t) continue;
        if (is_nested(s)) {
            bool hit = false;
            struct expr_list *columns = s->select->columns;
            for (u32 j = 0; j < columns->count; j++) {
                bool is_rowid = false;
                if (!item_matches(&columns->items[j], l->column, l->table, l->schema, &is_rowid)) continue;
                if (is_rowid) { // unless a column has the name
                    if (l->count > 0) continue;
                    l->table_count++;
                    l->match = s;
                    e->column = (s16)j;
                    continue;
                }
                if (!lookup_takes(n, l, s)) continue;
                hit = true;
                e->column = (s16)j;
                if (columns->items[j].using_term) break; // the others of that name are joined with it
            }
            if (hit || !l->table) continue;
        }
        if (l->table) {
            if (!source_name_matches(n, s, l->table, l->schema)) continue;
        }
        int column = -1;
        for (u32 j = 0; j < t->column_count; j++)
            if (name_equal(t->columns[j].name, l->column)) {
                column = (int)j;
                break;
            }
        if (column >= 0) {
            if (lookup_takes(n, l, s)) e->column = column == t->rowid_column ? -1 : (s16)column;
        } else if (rowid_visible(t)) {
            l->table_count++;
            if (l->count == 0) l->match = s;
        }
    }
}

static bool lookup_in_trigger(struct name_context *n, struct lookup *l)
{
    struct trigger_context *trigger = &n->c->trigger;
    if (!trigger->table || !l->table || l->schema) return false;
    bool is_new;
    if (trigger->has_new && name_equal(l->table, "new"))
        is_new = true;
    else if (trigger->has_old && name_equal(l->table, "old"))
        is_new = false;
    else
        return false;
    const struct table *t = trigger->table;
    s32 column = table_column(t, l->column);
    if (column >= 0 && column == t->rowid_column) column = -1;
    else if (column < 0) {
        if (!name_is_rowid(l->column) || !rowid_visible(t)) {
            l->table_count++;
            return false;
        }
    }
    struct expr *e = l->e;
    e->kind = EXPR_TRIGGER;
    e->cursor = is_new;
    e->column = (s16)column;
    e->table = t;
    // SQLite's: old.x and new.x have no affinity.
    e->affinity = column < 0 ? AFFINITY_INTEGER : AFFINITY_NONE;
    u64 mask = expr_column_mask(e);
    if (column < 0) {
        if (is_new) trigger->new_rowid_used = true;
        else trigger->old_rowid_used = true;
    }
    if (is_new) trigger->new_mask |= mask;
    else trigger->old_mask |= mask;
    return true;
}

static bool lookup_excluded(struct name_context *n, struct lookup *l)
{
    const struct table *t = n->excluded_table;
    if (!t || !l->table || l->schema || !name_equal(l->table, "excluded")) return false;
    s32 column = table_column(t, l->column);
    if (column < 0 && !(name_is_rowid(l->column) && table_has_rowid(t))) return false;
    struct expr *e = l->e;
    e->table = t;
    if (column >= 0 && column == t->rowid_column) column = -1;
    if (column < 0 && n->excluded_rowid_read) *n->excluded_rowid_read = true;
    e->column = (s16)column;
    // SQLite's: excluded.x has neither affinity nor collation.
    e->kind2 = EXPR_NULL;
    e->kind = EXPR_REGISTER;
    e->reg = column < 0 ? n->excluded_cursor : n->excluded_cursor + 1 + t->columns[column].storage;
    e->affinity = AFFINITY_NONE;
    return true;
}

static enum walk_result bump_level_expr(struct walker *w, struct expr *e)
{
    if (e->kind == EXPR_AGG_FUNCTION && e->aggregate_level >= (int)w->depth)
        e->aggregate_level = (s16)(e->aggregate_level + *(int *)w->context);
    return WALK_CONTINUE;
}

static void bump_outer_levels(struct expr *e, int levels)
{
    if (levels == 0) return;
    struct walker w = {.expr = bump_level_expr, .context = &levels};
    walk_expr(&w, e);
}

static void become_alias(struct name_context *n, struct expr *e, struct expr_item *item, int subqueries)
{
    struct expr *copy = expr_copy(n->c->arena, item->expr);
    u32 offset = e->offset;
    bump_outer_levels(copy, subqueries);
    if (copy->flags & EXPR_F_WINDOW_FUNCTION && copy->window) copy->window->owner = e;
    *e = *copy;
    e->flags |= EXPR_F_ALIAS;
    if (e->offset == OFFSET_NONE) e->offset = offset;
}

_Noreturn static void name_fail(struct name_context *n, const struct lookup *l)
{
    const char *what = l->count == 0 ? "no such column" : "ambiguous column name";
    if (l->schema) compile_fail_at(n->c, l->e, "%s: %s.%s.%s", what, l->schema, l->table, l->column);
    if (l->table) compile_fail_at(n->c, l->e, "%s: %s.%s", what, l->table, l->column);
    if (l->count == 0 && l->e->flags & EXPR_F_DOUBLE_QUOTED)
        compile_fail_at(n->c, l->e, "%s: \"%s\" - should this be a string literal in single-quotes?", what,
                        l->column);
    compile_fail_at(n->c, l->e, "%s: %s", what, l->column);
}

static void count_references(struct name_context *from, struct name_context *to)
{
    for (struct name_context *n = from; n; n = n->outer) {
        n->reference_count++;
        if (n == to) break;
    }
}

void resolve_name(struct name_context *top, struct expr *e, const char *schema, const char *table, const char *column)
{
    struct compile *c = top->c;
    struct lookup l = {.schema = schema, .table = table, .column = column, .e = e};
    struct name_context *n = top;
    int subqueries = 0;
    e->cursor = -1;
    if (top->flags & (NAME_CHECK | NAME_PARTIAL_INDEX)) l.schema = NULL;
    // The database qualifier of a name in a CHECK or trigger means nothing; an unknown one matches no source.
    do {
        l.match = NULL;
        l.table_count = 0;
        if (n->sources) lookup_in_sources(n, &l);
        if (l.count == 0 && lookup_in_trigger(n, &l)) {
            count_references(top, n);
            e->flags |= EXPR_F_LEAF;
            return;
        }
        if (l.count == 0 && lookup_excluded(n, &l)) {
            count_references(top, n);
            return;
        }
        if (l.count == 0 && l.table_count >= 1 && l.match && name_is_rowid(column) &&
            !(n->flags & (NAME_INDEX_EXPR | NAME_GENERATED))) {
            l.count = l.table_count;
            if (!is_nested(l.match)) e->column = -1;
            if (l.count > 1) name_fail(n, &l);
        }
        if (l.count == 0 && n->flags & NAME_RESULT_ALIAS && n->results && !table) {
            for (u32 j = 0; j < n->results->count; j++) {
                struct expr_item *item = &n->results->items[j];
                if (item->name_kind != ITEM_ALIAS || !item->name || !name_equal(item->name, column)) continue;
                struct expr *original = item->expr;
                if (!(n->flags & NAME_AGGREGATE_OK) && original->flags & EXPR_F_HAS_AGGREGATE && !n->c->top->renaming)
                    compile_fail_at(c, e, "misuse of aliased aggregate %s", item->name);
                if (original->flags & EXPR_F_HAS_WINDOW && (!(n->flags & NAME_WINDOW_OK) || n != top))
                    compile_fail_at(c, e, "misuse of aliased window function %s", item->name);
                if (expr_vector_size(original) != 1) compile_fail_at(c, e, "row value misused");
                become_alias(n, e, item, subqueries);
                count_references(top, n);
                return;
            }
        }
        if (l.count) break;
        n = n->outer;
        subqueries++;
    } while (n);

    if (l.count == 0 && !table) {
        bool text_allowed = !(top->flags & NAME_NO_DOUBLE_QUOTED) &&
                            (e->flags & EXPR_F_FROM_DDL || compile_connection_flag(top->c, CONNECTION_DQS_DML));
        if (e->flags & EXPR_F_DOUBLE_QUOTED && text_allowed) {
            e->kind = EXPR_TEXT;
            e->text = column;
            e->text_size = (u32)strlen(column);
            e->flags |= EXPR_F_QUOTED_TEXT;
            e->table = NULL;
            return;
        }
        if (!(e->flags & EXPR_F_QUOTED) && (name_equal(column, "true") || name_equal(column, "false"))) {
            e->kind = EXPR_BOOLEAN;
            e->integer = name_equal(column, "true");
            return;
        }
    }
    if (l.full_join && (int)l.full_join->count == l.count - 1) l.count = 1;
    else l.full_join = NULL;
    if (l.count != 1 || !l.match) name_fail(top, &l);

    struct source *s = l.match;
    e->left = e->right = NULL;
    e->text = column;
    e->kind = EXPR_COLUMN;
    e->flags |= EXPR_F_LEAF;
    e->cursor = s->cursor;
    if (n->flags & NAME_REGISTERS) e->kind2 = EXPR_REGISTER;
    e->table = s->table;
    e->database = s->database;
    if (s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT)) e->flags |= EXPR_F_CAN_BE_NULL;
    if (l.full_join) {
        full_join_add(n, &l.full_join, s, e->column);
        e->kind = EXPR_FUNCTION;
        e->text = "coalesce";
        e->text_size = 8;
        e->list = l.full_join;
        e->table = NULL;
        e->column = 0;
        bool exists;
        e->function = fn_find("coalesce", 8, (s32)e->list->count, &exists);
        e->flags |= EXPR_F_HAS_FUNCTION | EXPR_F_CONSTANT_FUNCTION;
    } else {
        source_column_used(s, e);
    }
    count_references(top, n);
}
