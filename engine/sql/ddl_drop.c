// DROP TABLE, VIEW, INDEX and TRIGGER.
#include "ddl.h"

#include <strings.h>

static const char *qualified(struct compile *c, const struct object_name *name)
{
    return name->schema ? arena_format(c->arena, "%s.%s", name->schema, name->name) : name->name;
}

// The databases in the order in which names are looked for: temp, main, attached ones.
static int search_order(int k) { return k < 2 ? 1 - k : k; }

static void drop_stats(struct compile *c, int database, const char *column, const char *name)
{
    static const char *const tables[] = {"sqlite_stat1", "sqlite_stat2", "sqlite_stat3", "sqlite_stat4"};
    for (u32 i = 0; i < COUNT_OF(tables); i++)
        if (schema_table(compile_schema(c, database), tables[i]))
            nested_sql(c, "DELETE FROM %s.%s WHERE %s=%s", sql_quoted(c, compile_database_name(c, database)), tables[i],
                       column, sql_quoted(c, name));
}

static void drop_trigger(struct compile *c, const struct trigger *t, int database)
{
    nested_sql(c, "DELETE FROM %s.sqlite_%smaster WHERE name=%s AND type='trigger'",
               sql_quoted(c, compile_database_name(c, database)), database == DATABASE_TEMP ? "temp_" : "",
               sql_quoted(c, t->name));
}

// Temp triggers on a table of another database go with it.
static bool drop_foreign_triggers(struct compile *c, const struct table *t, int database)
{
    bool any = false;
    const struct schema *temp = compile_schema(c, DATABASE_TEMP);
    for (const struct trigger *x = temp ? temp->foreign_triggers : NULL; x; x = x->next) {
        int found = -1;
        if (!name_equal(x->table, t->name)) continue;
        if (locate_table(c, x->table_schema, x->table, -1, true, &found) != t || found != database) continue;
        drop_trigger(c, x, DATABASE_TEMP);
        any = true;
    }
    return any;
}

static int compare_roots(const void *a, const void *b)
{
    pgno x = *(const pgno *)a, y = *(const pgno *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

// Largest root first: moving roots (auto-vacuum) then moves none that is still to go.
static void destroy_trees(struct compile *c, const struct table *t, int database)
{
    u32 count = 0;
    pgno *roots = arena_alloc(c->arena, (table_index_count(t) + 1) * sizeof *roots);
    if (t->root) roots[count++] = t->root;
    for (const struct index *i = t->indexes; i; i = i->next)
        if (i != t->primary_key) roots[count++] = i->root;
    qsort(roots, count, sizeof *roots, compare_roots);
    for (u32 i = 0; i < count; i++) ddl_destroy(c, roots[i], database);
}

static bool may_not_be_dropped(const struct table *t)
{
    if (strncasecmp(t->name, "sqlite_", 7) != 0) return false;
    return strncasecmp(t->name + 7, "stat", 4) != 0 && strncasecmp(t->name + 7, "parameters", 10) != 0;
}

static void drop_table(struct compile *c, struct stmt_drop *s)
{
    bool view = s->object == OBJECT_VIEW;
    int database = -1;
    const struct table *t = locate_table(c, s->name.schema, s->name.name, -1, true, &database);
    if (!t) {
        if (!s->if_exists) compile_fail(c, ERR_ERROR, -1, "no such %s: %s", view ? "view" : "table", qualified(c, &s->name));
        compile_use_named(c, s->name.schema);
        compile_may_write(c);
        return;
    }
    virtual_table_require(c, t);
    if (t->flags & TABLE_EPONYMOUS || may_not_be_dropped(t)) compile_fail(c, ERR_ERROR, -1, "table %s may not be dropped", t->name);
    if (view && !table_is_view(t)) compile_fail(c, ERR_ERROR, -1, "use DROP TABLE to delete table %s", t->name);
    if (!view && table_is_view(t)) compile_fail(c, ERR_ERROR, -1, "use DROP VIEW to delete view %s", t->name);
    const char *schema = sql_quoted(c, compile_database_name(c, database));
    compile_write_database(c, database, true);
    drop_stats(c, database, "tbl", t->name);
    if (!view) foreign_key_drop_table(c, t, database);
    bool temp = drop_foreign_triggers(c, t, database);
    if (t->flags & TABLE_AUTOINCREMENT)
        nested_sql(c, "DELETE FROM %s.sqlite_sequence WHERE name=%s", schema, sql_quoted(c, t->name));
    // Temporary triggers may be of another database's table of that name.
    for (const struct trigger *x = t->triggers; database == DATABASE_TEMP && x; x = x->next) drop_trigger(c, x, DATABASE_TEMP);
    nested_sql(c, "DELETE FROM %s.sqlite_%smaster WHERE tbl_name=%s COLLATE nocase%s", schema, database == DATABASE_TEMP ? "temp_" : "",
               sql_quoted(c, t->name), database == DATABASE_TEMP ? " AND type<>'trigger'" : "");
    if (t->kind == TABLE_ORDINARY) destroy_trees(c, t, database);
    if (t->kind == TABLE_VIRTUAL) virtual_table_drop(c, t, database);
    schema_changed(c, database);
    if (temp && database != DATABASE_TEMP) schema_changed(c, DATABASE_TEMP);
}

static void drop_index(struct compile *c, struct stmt_drop *s)
{
    const struct index *i = NULL;
    int database = -1;
    for (int k = 0; k < compile_database_count(c) && !i; k++) {
        int d = search_order(k);
        if (d >= compile_database_count(c)) continue;
        if (s->name.schema && !name_equal(s->name.schema, compile_database_name(c, d))) continue;
        const struct schema *schema = compile_schema(c, d);
        i = schema ? schema_index(schema, s->name.name) : NULL;
        database = d;
    }
    if (!i) {
        if (!s->if_exists) compile_fail(c, ERR_ERROR, -1, "no such index: %s", qualified(c, &s->name));
        compile_use_named(c, s->name.schema);
        compile_may_write(c);
        return;
    }
    if (i->kind != INDEX_CREATED)
        compile_fail(c, ERR_ERROR, -1, "index associated with UNIQUE or PRIMARY KEY constraint cannot be dropped");
    compile_write_database(c, database, true);
    nested_sql(c, "DELETE FROM %s.sqlite_%smaster WHERE name=%s AND type='index'",
               sql_quoted(c, compile_database_name(c, database)), database == DATABASE_TEMP ? "temp_" : "",
               sql_quoted(c, i->name));
    drop_stats(c, database, "idx", i->name);
    ddl_destroy(c, i->root, database);
    schema_changed(c, database);
}

static void drop_trigger_statement(struct compile *c, struct stmt_drop *s)
{
    for (int k = 0; k < compile_database_count(c); k++) {
        int d = search_order(k);
        if (d >= compile_database_count(c)) continue;
        if (s->name.schema && !name_equal(s->name.schema, compile_database_name(c, d))) continue;
        const struct schema *schema = compile_schema(c, d);
        const struct trigger *t = schema ? schema_trigger(schema, s->name.name) : NULL;
        if (!t) continue;
        compile_write_database(c, d, true);
        drop_trigger(c, t, d);
        schema_changed(c, d);
        return;
    }
    if (!s->if_exists) compile_fail(c, ERR_ERROR, -1, "no such trigger: %s", qualified(c, &s->name));
    compile_use_named(c, s->name.schema);
}

void drop_statement(struct compile *c, struct stmt_drop *s)
{
    switch ((enum object_kind)s->object) {
    case OBJECT_TABLE:
    case OBJECT_VIEW: drop_table(c, s); break;
    case OBJECT_INDEX: drop_index(c, s); break;
    case OBJECT_TRIGGER: drop_trigger_statement(c, s); break;
    }
}
