// Do tables, views and triggers still make sense once ALTER TABLE has changed what they name?
#include "alter.h"

#include "parse.h"

// ---- a trigger's names --------------------------------------------------------------------------------------

static struct source_list *joined(struct compile *c, struct source_list *target, struct source_list *from)
{
    struct source_list *all = NULL;
    *source_list_add(c->arena, &all) = target->items[0];
    for (u32 i = 0; from && i < from->count; i++) *source_list_add(c->arena, &all) = from->items[i];
    return all;
}

static void locate_target(struct compile *c, struct source_list *target)
{
    struct source *s = &target->items[0];
    int found;
    s->table = locate_table(c, c->trigger_schema, s->name, -1, false, &found);
    if (table_is_view(s->table)) s->table = view_columns(c, s->table, found);
    s->database = found;
    s->cursor = cursor_alloc(c);
}

static void resolve_step(struct compile *c, struct stmt *step)
{
    switch ((enum stmt_kind)step->kind) {
    case STMT_SELECT: resolve_select(c, ((struct stmt_select *)step)->select, NULL); break;
    case STMT_INSERT: {
        struct stmt_insert *s = (struct stmt_insert *)step;
        locate_target(c, s->target);
        if (s->select) resolve_select(c, s->select, NULL);
        struct name_context n = {.c = c, .sources = s->target, .excluded_table = s->target->items[0].table};
        for (struct upsert *u = s->upsert; u; u = u->next) {
            resolve_expr_list(&n, u->target);
            resolve_expr_list(&n, u->set);
            resolve_expr(&n, u->where);
            resolve_expr(&n, u->target_where);
        }
        break;
    }
    case STMT_UPDATE: {
        struct stmt_update *s = (struct stmt_update *)step;
        locate_target(c, s->target);
        struct name_context n = {.c = c, .sources = s->target};
        if (s->from) {
            // FROM is resolved as that of a SELECT over it.
            struct select *select = arena_alloc(c->arena, sizeof *select);
            select->from = joined(c, s->target, s->from);
            expr_list_add(c->arena, &select->columns, expr_integer(c->arena, 1));
            resolve_select(c, select, NULL);
            n.sources = select->from;
            for (u32 i = 0; i < s->from->count; i++) s->from->items[i] = select->from->items[i + 1];
        }
        resolve_expr_list(&n, s->set);
        resolve_expr(&n, s->where);
        break;
    }
    case STMT_DELETE: {
        struct stmt_delete *s = (struct stmt_delete *)step;
        locate_target(c, s->target);
        struct name_context n = {.c = c, .sources = s->target};
        resolve_expr(&n, s->where);
        break;
    }
    default: break;
    }
}

void alter_resolve_trigger(struct compile *c, int database, struct stmt_create_trigger *s)
{
    int found;
    struct trigger_context saved = c->trigger;
    const char *saved_schema = c->trigger_schema;
    const char *schema = database == DATABASE_TEMP ? s->table.schema : compile_database_name(c, database);
    const struct table *table = locate_table(c, schema, s->table.name, -1, false, &found);
    if (table_is_view(table)) table = view_columns(c, table, found);
    c->trigger = (struct trigger_context){
        .table = table, .has_old = s->event != TRIGGER_INSERT, .has_new = s->event != TRIGGER_DELETE};
    c->trigger_schema = database == DATABASE_TEMP ? NULL : compile_database_name(c, database);
    struct name_context n = {.c = c};
    resolve_expr(&n, s->when);
    for (struct stmt *step = s->steps; step; step = step->next) resolve_step(c, step);
    c->trigger = saved;
    c->trigger_schema = saved_schema;
}

// ---- a table's own names ------------------------------------------------------------------------------------

static void resolve_copy(struct compile *c, const struct table *t, u32 flags, const struct expr *e)
{
    if (e) resolve_self(c, t, flags, expr_copy(c->arena, e), NULL);
}

void alter_resolve_constraints(struct compile *c, const struct table *t, const struct constraint *k)
{
    for (; k; k = k->next)
        if (k->kind == CONSTRAINT_CHECK || k->kind == CONSTRAINT_GENERATED)
            resolve_copy(c, t, k->kind == CONSTRAINT_CHECK ? NAME_CHECK : NAME_GENERATED, k->expr);
}

void alter_resolve_index(struct compile *c, const struct table *t, const struct stmt_create_index *s)
{
    for (u32 i = 0; i < s->columns->count; i++) {
        const struct expr *e = s->columns->items[i].expr;
        if (e->kind != EXPR_NAME && e->kind != EXPR_TEXT) resolve_copy(c, t, NAME_INDEX_EXPR, e);
    }
    resolve_copy(c, t, NAME_PARTIAL_INDEX, s->where);
}

// ---- after the change ---------------------------------------------------------------------------------------

struct object_check {
    int database;
    bool temp_only; // of the temp schema all the same
    const char *when;
    const char *type, *name; // under check
};

static void check_parse_failed(struct parse *p, err_code code, u32 offset, const char *text)
{
    compile_fail(p->context, code, -1, "%s", text);
}

// t: of tables and indexes: their own.
static void check_text(struct compile *c, struct object_check *o, int database, const struct table *t, const char *type,
                       const char *name, const char *sql)
{
    if (!sql) return;
    o->type = type;
    o->name = name;
    struct parse p = {.arena = c->arena, .sql = sql, .size = (u32)strlen(sql), .schema = true, .rename = true,
                      .fail = check_parse_failed, .left_out = alter_left_out, .context = c};
    parse_statement(&p);
    if (!t && connection_flag(c->db, CONNECTION_LEGACY_ALTER_TABLE)) p.stmt = NULL; // that it can be read is enough
    c->sql = sql; // what names of columns are taken from
    if (p.stmt && p.stmt->kind == STMT_CREATE_VIEW) {
        const char *schema = c->trigger_schema;
        c->view_database = database;
        c->trigger_schema = database == DATABASE_TEMP ? NULL : compile_database_name(c, database);
        resolve_select(c, ((struct stmt_create_view *)p.stmt)->select, NULL);
        c->trigger_schema = schema;
    } else if (p.stmt && p.stmt->kind == STMT_CREATE_TRIGGER) {
        alter_resolve_trigger(c, database, (struct stmt_create_trigger *)p.stmt);
    } else if (p.stmt && p.stmt->kind == STMT_CREATE_TABLE) {
        const struct stmt_create_table *s = (struct stmt_create_table *)p.stmt;
        for (const struct column_def *d = s->columns; d; d = d->next) alter_resolve_constraints(c, t, d->constraints);
        alter_resolve_constraints(c, t, s->constraints);
    } else if (p.stmt && p.stmt->kind == STMT_CREATE_INDEX) {
        alter_resolve_index(c, t, (struct stmt_create_index *)p.stmt);
    }
    o->name = NULL;
}

static void check_objects(struct compile *c, void *context)
{
    struct object_check *o = context;
    c->quiet_offsets = 1;
    c->renaming = true;
    for (int d = 0; d < compile_database_count(c); d++) {
        const struct schema *s = compile_schema(c, d);
        if (!s || (d != o->database && d != DATABASE_TEMP)) continue;
        u32 count;
        const struct schema_object *objects = schema_objects(c, s, &count);
        for (u32 i = 0; i < count; i++) {
            const struct table *t = objects[i].table;
            // The altered schema's own tables were read when they were edited.
            if (t && (d == o->database || t->kind != TABLE_ORDINARY)) continue;
            check_text(c, o, d, t, objects[i].type, objects[i].name, objects[i].sql);
        }
    }
}

err_code alteration_check(struct skerry *db, int database, const char *when, struct err *err)
{
    struct object_check o = {.database = database, .when = when};
    struct err found = ERR_CLEAR;
    err_code code = compile_run(db, check_objects, &o, &found);
    if (code == ERR_OK || connection_flag(db, CONNECTION_WRITABLE_SCHEMA)) return ERR_OK;
    if (o.name)
        err_set(err, ERR_ERROR, __func__, "error in %s %s %s: %s", o.type, o.name, when, found.text);
    else
        *err = found;
    return code;
}
