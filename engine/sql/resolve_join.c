// Joins, whose conditions become terms of WHERE, and "*".
#include "../connection.h"
#include "resolve.h"

// ---- joins ----------------------------------------------------------------------------------------------

// Hidden columns are joined by where USING names them.
static int source_column(const struct source *s, const char *name, bool hidden)
{
    if (!s->table) return -1;
    for (u32 i = 0; i < s->table->column_count; i++)
        if (name_equal(s->table->columns[i].name, name) && (hidden || !(s->table->columns[i].flags & COLUMN_HIDDEN)))
            return (int)i;
    return -1;
}

static bool find_left_column(struct source_list *list, u32 from, u32 to, const char *name, bool hidden, u32 *source, int *column)
{
    for (u32 i = from; i <= to; i++) {
        int found = source_column(&list->items[i], name, hidden);
        if (found < 0) continue;
        *source = i;
        *column = found;
        return true;
    }
    return false;
}

static struct expr *column_expr(struct compile *c, struct source *s, int column)
{
    struct expr *e = expr_new(c->arena, EXPR_COLUMN, OFFSET_NONE);
    e->cursor = s->cursor;
    e->table = s->table;
    e->database = s->database;
    e->column = column == s->table->rowid_column ? -1 : (s16)column;
    e->flags |= EXPR_F_LEAF;
    if (s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT)) e->flags |= EXPR_F_CAN_BE_NULL;
    source_column_used(s, e);
    return e;
}

void tables_mistake(struct compile *c, const char *text, s64 offset)
{
    if (c->resolving == RESOLVING_TABLES && c->mistake) return; // the first of a query
    if (c->resolving == RESOLVING_TABLES) mistake_keep(c, text, offset);
    else compile_fail(c, ERR_ERROR, offset, "%s", text);
}

const char *select_joins_resolve(struct compile *c, struct select *s)
{
    struct source_list *list = s->from;
    const char *ambiguous = NULL;
    for (u32 i = 0; i + 1 < list->count; i++) {
        struct source *right = &list->items[i + 1];
        bool outer = right->join & JOIN_OUTER, hidden = true;
        u32 flag = outer ? EXPR_F_OUTER_ON : EXPR_F_INNER_ON;
        if (!right->table) continue;
        if (right->join & JOIN_NATURAL) {
            if (right->on || right->using)
                compile_fail(c, ERR_ERROR, -1, "a NATURAL join may not have an ON or USING clause");
            if (ambiguous) compile_fail(c, ERR_ERROR, -1, "%s", ambiguous); // here SQLite looks no further
            right->join &= ~JOIN_NATURAL; // it has its USING
            hidden = false;
            for (u32 j = 0; j < right->table->column_count; j++) {
                if (right->table->columns[j].flags & COLUMN_HIDDEN) continue;
                u32 where;
                int column;
                const char *name = right->table->columns[j].name;
                if (find_left_column(list, 0, i, name, false, &where, &column))
                    name_list_add(c->arena, &right->using, name, OFFSET_NONE);
            }
        }
        if (right->using) {
            for (u32 j = 0; j < right->using->count; j++) {
                const char *name = right->using->items[j].name;
                int right_column = source_column(right, name, hidden);
                u32 where;
                int left_column;
                if (right_column < 0 || !find_left_column(list, 0, i, name, hidden, &where, &left_column))
                    compile_fail(c, ERR_ERROR, right->using->items[j].offset == OFFSET_NONE ? -1 : (s64)right->using->items[j].offset,
                                 "cannot join using column %s - column not present in both tables", name);
                struct source *left = &list->items[where];
                struct expr *e1 = column_expr(c, left, left_column);
                if (list->items[0].join & JOIN_LEFT_OF_RIGHT) {
                    // Which of the tables before has the row is known only then: the first that is not NULL.
                    struct expr_list *all = NULL;
                    u32 at = where;
                    int column;
                    while (at < i && find_left_column(list, at + 1, i, name, hidden, &at, &column)) {
                        struct source *more = &list->items[at];
                        if (!more->using || name_list_find(more->using, name) < 0) {
                            if (!ambiguous) ambiguous = arena_format(c->arena, "ambiguous reference to %s in USING()", name);
                            break;
                        }
                        if (!all) expr_list_add(c->arena, &all, e1);
                        expr_list_add(c->arena, &all, column_expr(c, more, column));
                    }
                    if (all) {
                        struct expr *f = expr_new(c->arena, EXPR_FUNCTION, OFFSET_NONE);
                        bool exists;
                        f->text = "coalesce";
                        f->text_size = 8;
                        f->list = all;
                        f->affinity = AFFINITY_OF_FIRST;
                        f->function = compile_function(c, "coalesce", (s32)all->count, &exists);
                        f->flags |= EXPR_F_HAS_FUNCTION | EXPR_F_CONSTANT_FUNCTION | EXPR_F_LEAF;
                        e1 = f;
                    }
                }
                struct expr *e2 = column_expr(c, right, right_column);
                struct expr *equal = expr_binary(c->arena, EXPR_EQ, e1, e2);
                equal->flags |= flag; // its columns are not marked, as in SQLite: they may be known constants
                equal->on_cursor = right->cursor;
                s->where = expr_and(c->arena, s->where, equal);
            }
        } else if (right->on) {
            expr_set_join(right->on, right->cursor, flag);
            s->where = expr_and(c->arena, s->where, right->on);
            right->on = NULL;
        }
    }
    return ambiguous;
}

// ---- "*" ------------------------------------------------------------------------------------------------

static bool in_later_using(struct source_list *from, u32 after, const char *name)
{
    for (u32 i = after + 1; i < from->count; i++)
        if (from->items[i].using && name_list_find(from->items[i].using, name) >= 0) return true;
    return false;
}

bool expr_is_star(const struct expr *e)
{
    return e->kind == EXPR_STAR || (e->kind == EXPR_DOT && e->right->kind == EXPR_STAR);
}

// What the query calls it, or NULL.
static const char *source_called(const struct source *s)
{
    return s->alias ? s->alias : s->table ? s->table->name : NULL;
}

// Whether a join within parentheses has that column (NULL: any) of that table.
static bool nested_has(const struct source *s, const char *column, const char *table, const char *schema)
{
    if (!s->select || !(s->select->flags & SELECT_F_NESTED_FROM)) return false;
    for (u32 i = 0; i < s->select->columns->count; i++)
        if (nested_item_matches(&s->select->columns->items[i], column, table, schema)) return true;
    return false;
}

// Whether the name of a source's column (NULL: any, also its rowid) may mean another's: one that is called the same, in the same database. schema: NULL for
// joins in parentheses, which may have the name of a table within them, too.
static bool named_twice(const struct source_list *from, const struct source *source, const char *column, const char *schema)
{
    const char *name = source_called(source);
    for (const struct source *other = from->items; other < from->items + from->count; other++) {
        const char *called = source_called(other);
        if (nested_has(other, column, name, schema)) return true;
        if (other != source && called && name_equal(called, name) && (!schema || other->database == source->database)) return true;
    }
    return false;
}

// schema: NULL without.
static struct expr *dotted_name(struct compile *c, const char *schema, const char *table, const char *column)
{
    struct expr *e = expr_binary(c->arena, EXPR_DOT, expr_name(c->arena, table), expr_name(c->arena, column));
    if (!schema) return e;
    return expr_binary(c->arena, EXPR_DOT, expr_name(c->arena, schema), e);
}

// A parenthesized join has its tables' rowids too, for who names them: those of two tables of one name are ambiguous.
static void rowid_add(struct compile *c, const struct source_list *from, struct source *source, const char *schema, const char *table,
                      struct expr_list **out)
{
    static const char *const names[] = {"_ROWID_", "ROWID", "OID"};
    u32 i = 0;
    while (i < COUNT_OF(names) && table_column(source->table, names[i]) >= 0) i++;
    if (i == COUNT_OF(names)) return;
    struct expr *e;
    if (table && named_twice(from, source, NULL, schema)) {
        e = dotted_name(c, schema, table, names[i]);
    } else {
        e = column_expr(c, source, -1);
    }
    struct expr_item *item = expr_list_add(c->arena, out, e);
    item->name = arena_format(c->arena, "%s.%s.%s", schema, table ? table : "", names[i]);
    item->name_kind = ITEM_ROWID;
    item->no_expand = true;
}

// False: there was nothing of that name.
static bool expand_star(struct compile *c, struct select *s, struct expr_item *star, struct expr_list **out)
{
    struct source_list *from = s->from;
    const char *wanted = NULL;
    bool seen = false, long_names = !c->top->short_names && compile_connection_flag(c, CONNECTION_FULL_COLUMN_NAMES) &&
                                    !compile_connection_flag(c, CONNECTION_SHORT_COLUMN_NAMES);
    const struct expr *at = star->expr->kind == EXPR_DOT ? star->expr->right : star->expr; // where SQLite says a mistake is
    if (star->expr->kind == EXPR_DOT) wanted = star->expr->left->text;
    for (u32 i = 0; from && i < from->count; i++) {
        struct source *source = &from->items[i];
        const struct table *t = source->table;
        if (!t) continue;
        const char *name = source_called(source);
        bool nested = source->select && source->select->flags & SELECT_F_NESTED_FROM;
        if (!nested && wanted && (!name || !name_equal(wanted, name))) continue;
        const char *schema = source->database >= 0 ? compile_database_name(c, source->database) : "*";
        struct expr_list *nested_columns = nested ? source->select->columns : NULL;
        if (s->flags & SELECT_F_NESTED_FROM && i + 1 < from->count && source[1].using)
            // What USING joins is one column without a table, before those of the tables.
            for (u32 j = 0; j < source[1].using->count; j++) {
                const char *joined = source[1].using->items[j].name;
                struct expr *e = expr_name(c->arena, joined);
                e->flags |= EXPR_F_QUOTED;
                struct expr_item *item = expr_list_add(c->arena, out, e);
                item->name = arena_format(c->arena, "..%s", joined);
                item->name_kind = ITEM_TABLE;
                item->using_term = true;
            }
        for (u32 j = 0; j < t->column_count; j++) {
            const struct column *column = &t->columns[j];
            struct expr_item *inner = nested ? &nested_columns->items[j] : NULL;
            if (inner && wanted && !nested_item_matches(inner, NULL, wanted, NULL)) continue;
            if (inner && !wanted && inner->reusable && !(s->flags & SELECT_F_NESTED_FROM)) continue;
            if (column->flags & (COLUMN_HIDDEN | COLUMN_OF_ROWID)) continue;
            bool joined = inner && inner->reusable;
            if (!wanted || s->flags & SELECT_F_NESTED_FROM) {
                if (source->using && name_list_find(source->using, column->name) >= 0) {
                    // USING joins it with the one to its left.
                    if (!(s->flags & SELECT_F_NESTED_FROM)) {
                        seen = true;
                        continue;
                    }
                    joined = true;
                }
            }
            seen = true;
            struct expr *e;
            const char *label = name;
            if (from->count > 1 &&
                (c->top->renaming || !(source->join & JOIN_LEFT_OF_RIGHT) || s->flags & SELECT_F_NESTED_FROM ||
                 !in_later_using(from, i, column->name))) {
                if (name && named_twice(from, source, column->name, nested ? NULL : schema)) {
                    e = dotted_name(c, nested ? NULL : schema, name, column->name); // the first of them, or ambiguous: which is told in its turn
                    e->offset = at->offset;
                } else {
                    e = column_expr(c, source, (int)j);
                    e->text = column->name;
                }
            } else if (from->count == 1 && inner) {
                e = expr_name(c->arena, column->name); // of a join with an alias: which may be ambiguous
                e->offset = at->offset;
            } else if (from->count == 1) {
                e = column_expr(c, source, (int)j);
                e->text = column->name;
            } else {
                e = expr_name(c->arena, column->name);
                e->offset = at->offset;
                e->flags |= EXPR_F_QUOTED;
            }
            struct expr_item *item = expr_list_add(c->arena, out, e);
            item->name = long_names ? arena_format(c->arena, "%s.%s", label ? label : "", column->name) : column->name;
            item->name_kind = ITEM_ALIAS;
            if (s->flags & SELECT_F_NESTED_FROM) {
                if (inner && inner->name_kind == ITEM_TABLE) item->name = inner->name;
                else item->name = arena_format(c->arena, "%s.%s.%s", schema, label ? label : "", column->name);
                item->name_kind = ITEM_TABLE;
                // "*" of the query around leaves it out.
                item->reusable = joined || (i + 1 < from->count && source[1].using &&
                                            name_list_find(source[1].using, column->name) >= 0);
            }
            item->no_expand = true;
        }
        if (s->flags & SELECT_F_NESTED_FROM && rowid_visible(t)) rowid_add(c, from, source, schema, name, out);
    }
    return seen;
}

static void star_mistake(struct compile *c, const struct expr *star)
{
    s64 offset = star->kind == EXPR_DOT && star->offset != OFFSET_NONE ? (s64)star->offset : -1;
    if (star->kind == EXPR_DOT) tables_mistake(c, arena_format(c->arena, "no such table: %s", star->left->text), offset);
    else tables_mistake(c, "no tables specified", offset);
}

void select_stars_expand(struct compile *c, struct select *s)
{
    bool any = false;
    u32 column_max = (u32)compile_limit(c, SKERRY_LIMIT_COLUMN);
    for (u32 i = 0; i < s->columns->count; i++) any |= expr_is_star(s->columns->items[i].expr);
    if (!any && s->columns->count <= column_max) return;
    struct expr_list *out = NULL;
    const struct expr *wrong = NULL;
    for (u32 i = 0; i < s->columns->count; i++) {
        struct expr_item *item = &s->columns->items[i];
        if (expr_is_star(item->expr)) {
            if (!expand_star(c, s, item, &out)) wrong = item->expr; // the last is told
        } else {
            struct expr_item *copy = expr_list_add(c->arena, &out, item->expr);
            struct expr *e = copy->expr;
            *copy = *item;
            copy->expr = e;
        }
    }
    if (wrong) star_mistake(c, wrong);
    if (!out) return;
    if (out->count > column_max) compile_fail(c, ERR_ERROR, -1, "too many columns in result set");
    s->columns = out;
}
