#include "alter.h"

#include <stdlib.h>
#include <strings.h>

#include "parse.h"
#include "token.h"

static const struct table *alter_table(struct compile *c, const struct stmt_alter *s, int *database)
{
    const struct table *t = locate_table(c, s->table.schema, s->table.name, s->table.offset, true, database);
    if (!t)
        compile_fail(c, ERR_ERROR, -1, "no such table: %s%s%s", s->table.schema ? s->table.schema : "",
                     s->table.schema ? "." : "", s->table.name);
    return t;
}

static void refuse_system(struct compile *c, const struct table *t)
{
    if ((strncasecmp(t->name, "sqlite_", 7) == 0 && !c->top->nested) || t->flags & TABLE_EPONYMOUS)
        compile_fail(c, ERR_ERROR, -1, "table %s may not be altered", t->name);
}

static int by_rowid(const void *a, const void *b)
{
    const s64 x = ((const struct schema_object *)a)->rowid, y = ((const struct schema_object *)b)->rowid;
    return (x > y) - (x < y);
}

const struct schema_object *schema_objects(struct compile *c, const struct schema *s, u32 *count)
{
    u32 all = 0;
    *count = 0;
    for (u32 i = 1; i < s->table_count; i++) all += s->tables[i]->row_count;
    for (const struct trigger *x = s->foreign_triggers; x; x = x->next) all++;
    struct schema_object *objects = arena_alloc(c->arena, (all + 1) * sizeof *objects);
    for (u32 i = 1; i < s->table_count; i++) {
        const struct table *t = s->tables[i];
        for (u32 k = 0; k < t->row_count; k++) {
            const struct schema_row *row = &t->rows[k];
            const bool own = strcmp(row->type, "table") == 0 || strcmp(row->type, "index") == 0;
            objects[(*count)++] = (struct schema_object){row->type, row->name, row->sql, own ? t : NULL, row->rowid};
        }
    }
    qsort(objects, *count, sizeof *objects, by_rowid);
    for (const struct trigger *x = s->foreign_triggers; x; x = x->next)
        objects[(*count)++] = (struct schema_object){"trigger", x->name, x->sql, NULL, 0};
    return objects;
}

static const char *master_of(struct compile *c, int database)
{
    return arena_format(c->arena, "%s.sqlite_%smaster", sql_quoted(c, compile_database_name(c, database)),
                        database == DATABASE_TEMP ? "temp_" : "");
}

static int character_count(const char *text)
{
    int count = 0;
    for (; *text; text++) count += ((u8)*text & 0xc0) != 0x80;
    return count;
}

// Emits what checks, once all is written, that views, triggers and temporary tables still make sense. when: "after rename".
static void alteration_check_code(struct compile *c, int database, const char *when)
{
    emit(c, OP_CheckSchema, database, 0, 0);
    set_p4_text(c, when);
}

// Its objects may name what is altered in another database; their texts are edited as well.
static void temp_changed(struct compile *c, int database)
{
    const struct schema *temp = database == DATABASE_TEMP ? NULL : compile_schema(c, DATABASE_TEMP);
    if (temp && (temp->table_count > 1 || temp->foreign_triggers)) schema_changed(c, DATABASE_TEMP);
}

// ---- RENAME -----------------------------------------------------------------------------------------------

static void rename_table(struct compile *c, struct stmt_alter *s)
{
    int database;
    const struct table *t = alter_table(c, s, &database);
    const struct schema *schema = compile_schema(c, database);
    const char *name = s->new_name;
    if (schema_table(schema, name) || schema_index(schema, name))
        compile_fail(c, ERR_ERROR, -1, "there is already another table or index with this name: %s", name);
    refuse_system(c, t);
    ddl_check_name(c, name);
    if (table_is_view(t)) compile_fail(c, ERR_ERROR, -1, "view %s may not be altered", t->name);
    virtual_table_require(c, t);
    compile_write_database(c, database, true);
    c->top->may_abort = true;
    struct alteration a = {.c = c, .table = t, .database = database, .column = -1, .name = t->name, .new_name = name,
                           .quote = true};
    alteration_apply(&a);
    const char *master = master_of(c, database), *old = sql_quoted(c, t->name), *new = sql_quoted(c, name);
    nested_sql(c,
               "UPDATE %s SET tbl_name=%s, name=CASE WHEN type='table' THEN %s "
               "WHEN name LIKE 'sqliteX_autoindex%%' ESCAPE 'X' AND type='index' "
               "THEN 'sqlite_autoindex_' || %s || substr(name,%d) ELSE name END "
               "WHERE tbl_name=%s COLLATE nocase AND type IN ('table','index'%s)",
               master, new, new, new, character_count(t->name) + 18, old, database == DATABASE_TEMP ? "" : ",'trigger'");
    if (schema_table(schema, "sqlite_sequence"))
        nested_sql(c, "UPDATE %s.sqlite_sequence SET name=%s WHERE name=%s",
                   sql_quoted(c, compile_database_name(c, database)), new, old);
    // Temporary triggers may be of any database's table.
    const struct schema *temp_schema = compile_schema(c, DATABASE_TEMP);
    const struct trigger *x = database == DATABASE_TEMP ? t->triggers : temp_schema ? temp_schema->foreign_triggers : NULL;
    for (; x; x = x->next) {
        int found;
        if (database != DATABASE_TEMP &&
            (!name_equal(x->table, t->name) || locate_table(c, x->table_schema, x->table, -1, true, &found) != t))
            continue;
        nested_sql(c, "UPDATE temp.sqlite_temp_master SET tbl_name=%s WHERE type='trigger' AND name=%s", new,
                   sql_quoted(c, x->name));
    }
    if (schema_table(schema, "sqlite_stat1"))
        nested_sql(c, "UPDATE %s.sqlite_stat1 SET tbl=%s WHERE tbl=%s",
                   sql_quoted(c, compile_database_name(c, database)), new, old);
    schema_changed(c, database);
    if (t->kind == TABLE_VIRTUAL) {
        int address = emit(c, OP_SqlExec, SQL_EXEC_OWN, 0, 0);
        program_p4_text(c->program, address, virtual_table_rename(c, t, database, name), -1);
    }
    temp_changed(c, database);
    alteration_check_code(c, database, "after rename");
}

static void rename_column(struct compile *c, struct stmt_alter *s)
{
    int database;
    const struct table *t = alter_table(c, s, &database);
    refuse_system(c, t);
    if (table_is_view(t)) compile_fail(c, ERR_ERROR, -1, "cannot rename columns of view \"%s\"", t->name);
    if (t->kind == TABLE_VIRTUAL)
        compile_fail(c, ERR_ERROR, -1, "cannot rename columns of virtual table \"%s\"", t->name);
    s32 column = table_column(t, s->column);
    if (column < 0)
        compile_fail(c, ERR_ERROR, s->column_offset, "no such column: \"%s\"",
                     ddl_name_text(c, s->column_offset, s->column));
    compile_write_database(c, database, true);
    c->top->may_abort = true;
    char first = c->sql[s->new_name_span.offset];
    struct alteration a = {.c = c, .table = t, .database = database, .column = column, .name = t->columns[column].name,
                           .new_name = s->new_name, .quote = first == '"' || first == '\'' || first == '`' || first == '['};
    alteration_apply(&a);
    schema_changed(c, database);
    temp_changed(c, database);
    alteration_check_code(c, database, "after rename");
}

// ---- the table's new text ---------------------------------------------------------------------------------

static void text_failed(struct parse *p, err_code code, u32 offset, const char *text)
{
    compile_fail(p->context, code, -1, "%s", text);
}

// rename: as it is written, what stands beside "0 AND" too.
static struct stmt_create_table *table_parse(struct compile *c, const char *sql, bool rename, struct parse *p)
{
    *p = (struct parse){.arena = c->arena, .sql = sql, .size = (u32)strlen(sql), .schema = true, .rename = rename,
                        .fail = text_failed, .context = c};
    parse_statement(p);
    if (!p->stmt || p->stmt->kind != STMT_CREATE_TABLE)
        compile_fail(c, ERR_CORRUPT, -1, "%s", err_default_text(ERR_CORRUPT));
    return (struct stmt_create_table *)p->stmt;
}

static bool collation_is_known(void *context, const char *name)
{
    return connection_collation(((struct compile *)context)->db, name) != NULL;
}

// The table that a text makes, with the trees of the table that it replaces.
static struct table *table_of_text(struct compile *c, const struct table *old, const char *sql, bool rename)
{
    struct parse p;
    struct stmt_create_table *create = table_parse(c, sql, rename, &p);
    struct schema_build b = {.parse = &p, .file_format = 4, .collation_known = collation_is_known, .context = c};
    struct table *t = arena_alloc(c->arena, sizeof *t);
    table_build(&b, t, create);
    t->root = old->root;
    t->flags |= old->flags & TABLE_TEMP;
    if (t->primary_key) t->primary_key->root = old->root;
    return t;
}

static void resolve_table(struct compile *c, const struct table *t, u32 flags)
{
    for (u32 i = 0; i < t->check_count; i++)
        resolve_self(c, t, NAME_CHECK | flags, expr_copy(c->arena, t->checks[i].expr), NULL);
    for (u16 i = 0; i < t->column_count; i++)
        if (t->columns[i].generated)
            resolve_self(c, t, NAME_GENERATED | flags, expr_copy(c->arena, t->columns[i].generated), NULL);
}

// ---- ADD COLUMN -------------------------------------------------------------------------------------------

static bool is_literal(const struct expr *e)
{
    while (e->kind == EXPR_NEGATE || e->kind == EXPR_PLUS || e->kind == EXPR_CAST) e = e->left;
    return e->kind == EXPR_INTEGER || e->kind == EXPR_REAL || e->kind == EXPR_TEXT || e->kind == EXPR_BLOB ||
           e->kind == EXPR_NULL || e->kind == EXPR_BOOLEAN;
}

static void fail_unless_empty(struct compile *c, const struct table *t, int database, const char *text)
{
    int cursor = cursor_alloc(c);
    open_table(c, cursor, database, t, OP_OpenRead);
    int empty = emit(c, OP_Rewind, cursor, 0, 0);
    emit(c, OP_Halt, ERR_ERROR, CONFLICT_ABORT, 0);
    set_p4_text(c, text);
    jump_here(c, empty);
    emit(c, OP_Close, cursor, 0, 0);
}

// Whether a check of the table's rows looks at the column's value.
static bool is_checked(const struct table *t, const struct column *k)
{
    return k->not_null != CONFLICT_NONE || (t->flags & TABLE_STRICT ? k->strict_type >= COLUMN_TYPE_BLOB : k->affinity > AFFINITY_BLOB);
}

// Rows that are there already must fit the new column's constraints, and what is computed must be possible and of its column's
// type. What has neither NOT NULL nor CHECK is not looked at.
static void check_rows(struct compile *c, const struct table *t, u16 added, bool has_check, int database)
{
    const struct column *k = &t->columns[added];
    const bool strict = t->flags & TABLE_STRICT;
    if (!has_check && !(k->not_null != CONFLICT_NONE && k->flags & COLUMN_GENERATED) && !strict) return;
    static const int masks[] = {[COLUMN_TYPE_BLOB] = 8 | 16,    [COLUMN_TYPE_INT] = 1 | 16,
                                [COLUMN_TYPE_INTEGER] = 1 | 16, [COLUMN_TYPE_REAL] = 1 | 2 | 16,
                                [COLUMN_TYPE_TEXT] = 4 | 16};
    int cursor = cursor_alloc(c), end = label_new(c), value = reg_alloc(c), outer = c->self_cursor;
    open_table(c, cursor, database, t, OP_OpenRead);
    emit(c, OP_Rewind, cursor, end, 0);
    int loop = here(c);
    for (u16 i = 0; i < t->column_count; i++) {
        k = &t->columns[i];
        if ((i != added && !(k->flags & COLUMN_VIRTUAL)) || !is_checked(t, k)) continue;
        column_code(c, t, cursor, i, value);
        if (k->not_null != CONFLICT_NONE && k->flags & COLUMN_GENERATED) {
            int fine = emit(c, OP_NotNull, value, 0, 0);
            emit(c, OP_Halt, ERR_ERROR, CONFLICT_ABORT, 0);
            set_p4_text(c, "NOT NULL constraint failed");
            jump_here(c, fine);
        }
        if (strict && k->strict_type >= COLUMN_TYPE_BLOB) {
            int fine = emit(c, OP_IsType, -1, 0, value);
            set_p5(c, masks[k->strict_type]);
            emit(c, OP_Halt, ERR_ERROR, CONFLICT_ABORT, 0);
            set_p4_text(c, "type mismatch on DEFAULT");
            jump_here(c, fine);
        }
    }
    const u32 checks = connection_flag(c->db, CONNECTION_IGNORE_CHECKS) ? 0 : t->check_count;
    c->self_cursor = cursor + 1;
    int fails = label_new(c), fine = label_new(c);
    for (u32 i = 0; i < checks; i++)
        expr_jump_if_false(c, self_expr(c, t, t->checks[i].expr, NAME_CHECK), fails, false);
    c->self_cursor = outer;
    emit_goto(c, fine);
    label_place(c, fails);
    emit(c, OP_Halt, ERR_ERROR, CONFLICT_ABORT, 0);
    set_p4_text(c, "CHECK constraint failed");
    label_place(c, fine);
    emit(c, OP_Next, cursor, loop, 0);
    label_place(c, end);
    emit(c, OP_Close, cursor, 0, 0);
}

// It will be refused; what is wrong with it in itself is told first.
static void check_added_key(struct compile *c, const struct table *t, const struct column_def *d, const struct constraint *k,
                            bool again)
{
    if (again) compile_fail(c, ERR_ERROR, -1, "table \"sqlite_altertab_%s\" has more than one primary key", t->name);
    if (k->autoincrement && (k->descending || !d->type || strcasecmp(d->type, "INTEGER") != 0))
        compile_fail(c, ERR_ERROR, -1, "AUTOINCREMENT is only allowed on an INTEGER PRIMARY KEY");
}

static void check_added(struct compile *c, const struct table *t, const struct column_def *d, int database)
{
    const struct expr *value = NULL;
    bool primary = false, unique = false, not_null = false, reference = false, generated = false, stored = false;
    for (const struct constraint *k = d->constraints; k; k = k->next) {
        unique |= k->kind == CONSTRAINT_UNIQUE;
        not_null |= k->kind == CONSTRAINT_NOT_NULL;
        reference |= k->kind == CONSTRAINT_FOREIGN_KEY;
        if (k->kind == CONSTRAINT_DEFAULT) {
            value = k->expr;
            if (!default_is_constant(value))
                compile_fail(c, ERR_ERROR, -1, "default value of column [%s] is not constant", d->name);
            if (generated) compile_fail(c, ERR_ERROR, -1, "cannot use DEFAULT on a generated column");
        }
        if (k->kind == CONSTRAINT_COLLATE && !collation_is_known(c, k->collation))
            compile_fail(c, ERR_ERROR_MISSING_COLLSEQ, -1, "no such collation sequence: %s", k->collation);
        if (k->kind == CONSTRAINT_FOREIGN_KEY && k->parent_columns && k->parent_columns->count != 1)
            compile_fail(c, ERR_ERROR, k->parent_offset, "foreign key on %s should reference only one column of table %s", d->name,
                         k->parent);
        if (k->kind == CONSTRAINT_GENERATED) {
            if (value || generated || !generated_type_is_known(k))
                compile_fail(c, ERR_ERROR, -1, "error in generated column \"%s\"", d->name);
            generated = true;
            stored = k->stored;
        }
        if (k->kind == CONSTRAINT_PRIMARY_KEY) {
            check_added_key(c, t, d, k, primary);
            primary = true;
        }
        if (primary && generated) compile_fail(c, ERR_ERROR, -1, "generated columns cannot be part of the PRIMARY KEY");
    }
    if (value && value->kind == EXPR_NULL) value = NULL;
    if (primary) compile_fail(c, ERR_ERROR, -1, "Cannot add a PRIMARY KEY column");
    if (unique) compile_fail(c, ERR_ERROR, -1, "Cannot add a UNIQUE column");
    if (generated) {
        if (stored) fail_unless_empty(c, t, database, "cannot add a STORED column");
        return;
    }
    if (reference && value && connection_flag(c->db, CONNECTION_FOREIGN_KEYS))
        fail_unless_empty(c, t, database, "Cannot add a REFERENCES column with non-NULL default value");
    if (not_null && !value)
        fail_unless_empty(c, t, database, "Cannot add a NOT NULL column with default value NULL");
    if (value && !is_literal(value))
        fail_unless_empty(c, t, database, "Cannot add a column with non-constant default");
}

struct change_trial {
    struct compile *c;
    const struct table *old;
    const char *sql;
    bool adds;
    struct table *changed;
};

static void table_change(void *context)
{
    struct change_trial *trial = context;
    trial->changed = table_of_text(trial->c, trial->old, trial->sql, !trial->adds);
    // Strings in double quotes are gone with a column: what is left is columns.
    resolve_table(trial->c, trial->changed, trial->adds ? 0 : NAME_NO_DOUBLE_QUOTED);
}

// The table as it will be when a column is added or dropped, in which everything must still make sense. NULL: the statement ends
// when it comes to it, for what refuses a column that is added to rows is told before.
static struct table *changed_table(struct compile *c, const struct table *t, const char *sql, bool adds)
{
    struct change_trial trial = {.c = c, .old = t, .sql = sql, .adds = adds};
    struct err mistake;
    if (compile_attempt(c, table_change, &trial, &mistake)) return trial.changed;
    emit(c, OP_Halt, ERR_ERROR, CONFLICT_ABORT, 0);
    set_p4_text(c, arena_format(c->arena, "error in table %s after %s column: %s", t->name, adds ? "add" : "drop", mistake.text));
    return NULL;
}

const struct table *alter_adds_to(struct compile *c, const struct stmt_alter *s, int *database)
{
    const struct table *t = alter_table(c, s, database);
    if (t->kind == TABLE_VIRTUAL)
        compile_fail(c, ERR_ERROR, -1, "virtual tables may not be altered");
    if (table_is_view(t)) compile_fail(c, ERR_ERROR, -1, "Cannot add a column to a view");
    refuse_system(c, t);
    return t;
}

static void add_column(struct compile *c, struct stmt_alter *s)
{
    int database;
    const struct table *t = alter_adds_to(c, s, &database);
    if (table_column(t, s->add->name) >= 0)
        compile_fail(c, ERR_ERROR, -1, "duplicate column name: %s", s->add->name);
    if (t->column_count >= (u32)compile_limit(c, SKERRY_LIMIT_COLUMN))
        compile_fail(c, ERR_ERROR, -1, "too many columns on sqlite_altertab_%s", t->name);
    compile_write_database(c, database, true);
    c->top->may_abort = true;
    struct parse p;
    struct stmt_create_table *create = table_parse(c, t->sql, true, &p);
    const char *sql = arena_format(c->arena, "%.*s, %.*s%s", (int)create->columns_end, t->sql, (int)s->add_span.size,
                                   c->sql + s->add_span.offset, t->sql + create->columns_end);
    check_added(c, t, s->add, database);
    struct table *new = changed_table(c, t, sql, true);
    if (!new) return;
    nested_sql(c, "UPDATE %s SET sql=%s WHERE type='table' AND name=%s", master_of(c, database), sql_quoted(c, sql),
               sql_quoted(c, t->name));
    // Default values of added columns need format 3.
    int reg = reg_temp(c);
    emit(c, OP_ReadCookie, database, reg, META_FILE_FORMAT);
    emit(c, OP_AddImm, reg, -2, 0);
    int fine = emit(c, OP_IfPos, reg, 0, 0);
    emit(c, OP_SetCookie, database, META_FILE_FORMAT, 3);
    jump_here(c, fine);
    reg_release(c, reg);
    u16 added = (u16)(new->column_count - 1);
    bool has_check = false;
    for (const struct constraint *k = s->add->constraints; k; k = k->next) has_check |= k->kind == CONSTRAINT_CHECK;
    check_rows(c, new, added, has_check, database);
    schema_changed(c, database);
}

// ---- DROP COLUMN ------------------------------------------------------------------------------------------

struct column_search {
    const char *name;
    bool found, found_quoted; // in double quotes it would be a string once the column is gone
};

static enum walk_result search_column(struct walker *w, struct expr *e)
{
    struct column_search *s = w->context;
    if ((e->kind != EXPR_NAME && e->kind != EXPR_TEXT) || !name_equal(e->text, s->name)) return WALK_CONTINUE;
    if (e->flags & EXPR_F_DOUBLE_QUOTED) s->found_quoted = true;
    else if (e->kind == EXPR_NAME) s->found = true;
    return WALK_CONTINUE;
}

// As they are written, since the quotes count.
static void search_index(struct compile *c, const struct table *t, const struct index *i, struct column_search *s)
{
    struct parse p = {.arena = c->arena, .sql = i->sql, .size = (u32)strlen(i->sql), .schema = true, .rename = true,
                      .fail = text_failed, .context = c};
    struct walker w = {.expr = search_column, .context = s};
    parse_statement(&p);
    if (!p.stmt || p.stmt->kind != STMT_CREATE_INDEX)
        compile_fail(c, ERR_CORRUPT, -1, "%s", err_default_text(ERR_CORRUPT));
    const struct stmt_create_index *create = (const struct stmt_create_index *)p.stmt;
    for (u32 k = 0; k < create->columns->count; k++) {
        struct expr *e = create->columns->items[k].expr;
        if (e->kind == EXPR_COLLATE) e = e->left;
        if (e->kind == EXPR_TEXT && name_equal(e->text, s->name)) s->found = true; // a string is a name there, but not below two of them
        walk_expr(&w, e);
    }
    if (!table_has_rowid(t) || !name_is_rowid(s->name)) walk_expr(&w, create->where); // "rowid" means another thing there then
}

// Of several the oldest is told, which is the last of the list; those that would read a string come after the others.
static void check_indexes(struct compile *c, const struct table *t, s32 column)
{
    const struct index *reading = NULL, *reading_quoted = NULL;
    for (const struct index *i = t->indexes; i; i = i->next) {
        if (!i->sql) continue;
        struct column_search s = {.name = t->columns[column].name};
        search_index(c, t, i, &s);
        if (s.found) reading = i;
        else if (s.found_quoted) reading_quoted = i;
    }
    if (!reading && reading_quoted)
        compile_fail(c, ERR_ERROR, -1,
                     "error in index %s after drop column: no such column: \"%s\" - should this be a string literal in single-quotes?",
                     reading_quoted->name, t->columns[column].name);
    if (reading)
        compile_fail(c, ERR_ERROR, -1, "error in index %s after drop column: no such column: %s", reading->name,
                     t->columns[column].name);
}

// Writes each row anew without the column.
static void rewrite_rows(struct compile *c, const struct table *t, s32 dropped, int database)
{
    int cursor = cursor_alloc(c), end = label_new(c), record = reg_alloc(c), rowid = reg_alloc(c);
    int first = reg_alloc_range(c, t->stored_count + 1);
    open_table(c, cursor, database, t, OP_OpenWrite);
    emit(c, OP_Rewind, cursor, end, 0);
    int loop = here(c), count = 0;
    char *affinities = arena_alloc(c->arena, t->stored_count + 1u);
    if (table_has_rowid(t)) {
        emit(c, OP_Rowid, cursor, rowid, 0);
        for (u16 place = 0; place < t->stored_count; place++) {
            s32 column = table_storage_column(t, place);
            if (column == dropped) continue;
            affinities[count] = (char)t->columns[column].affinity;
            if (column == t->rowid_column)
                emit(c, OP_Null, 0, first + count++, 0);
            else
                column_code(c, t, cursor, column, first + count++);
        }
        emit(c, OP_MakeRecord, first, count, record);
        set_p4_text(c, affinities);
        emit(c, OP_Insert, cursor, record, rowid);
        set_p5(c, WRITE_SAVE_POSITION);
    } else {
        const struct index *pk = t->primary_key;
        for (u16 place = 0; place < pk->column_count; place++) {
            if (pk->columns[place] == dropped) continue;
            affinities[count] = (char)t->columns[pk->columns[place]].affinity;
            column_code(c, t, cursor, pk->columns[place], first + count++); // rows may be older than the column
        }
        emit(c, OP_MakeRecord, first, count, record);
        emit(c, OP_IdxInsert, cursor, record, first);
        set_p4_int(c, pk->key_count);
        set_p5(c, WRITE_SAVE_POSITION);
    }
    emit(c, OP_Next, cursor, loop, 0);
    label_place(c, end);
    emit(c, OP_Close, cursor, 0, 0);
}

static void drop_column(struct compile *c, struct stmt_alter *s)
{
    int database;
    const struct table *t = alter_table(c, s, &database);
    refuse_system(c, t);
    if (table_is_view(t)) compile_fail(c, ERR_ERROR, -1, "cannot drop column from view \"%s\"", t->name);
    if (t->kind == TABLE_VIRTUAL)
        compile_fail(c, ERR_ERROR, -1, "cannot drop column from virtual table \"%s\"", t->name);
    s32 column = table_column(t, s->column);
    if (column < 0)
        compile_fail(c, ERR_ERROR, s->column_offset, "no such column: \"%s\"",
                     ddl_name_text(c, s->column_offset, s->column));
    const struct column *k = &t->columns[column];
    if (k->flags & (COLUMN_PRIMARY_KEY | COLUMN_UNIQUE))
        compile_fail(c, ERR_ERROR, -1, "cannot drop %s column: \"%s\"",
                     k->flags & COLUMN_PRIMARY_KEY ? "PRIMARY KEY" : "UNIQUE", s->column);
    if (t->column_count <= 1)
        compile_fail(c, ERR_ERROR, -1, "cannot drop column \"%s\": no other columns exist", s->column);

    struct alteration a = {.c = c, .table = t, .database = database, .column = column, .name = k->name};
    const char *text = alteration_table_text(&a);
    struct parse p;
    struct stmt_create_table *create = table_parse(c, text, true, &p);
    u32 from = 0, to = create->columns_end;
    s32 number = 0;
    for (const struct column_def *d = create->columns; d; d = d->next, number++) {
        if (number != column) continue;
        from = d->offset;
        if (d->next)
            to = d->next->offset;
        else
            while (from > 0 && text[from] != ',') from--;
    }
    const char *sql = arena_format(c->arena, "%.*s%s", (int)from, text, text + to);
    compile_write_database(c, database, true);
    c->top->may_abort = true;
    alteration_apply(&a); // what is wrong already is told before what will be
    if (!changed_table(c, t, sql, false)) return;
    check_indexes(c, t, column);
    nested_sql(c, "UPDATE %s SET sql=%s WHERE type='table' AND name=%s", master_of(c, database), sql_quoted(c, sql),
               sql_quoted(c, t->name));
    if (!(k->flags & COLUMN_VIRTUAL)) rewrite_rows(c, t, column, database);
    schema_changed(c, database);
    temp_changed(c, database);
    alteration_check_code(c, database, "after drop column");
}

void alter_statement(struct compile *c, struct stmt_alter *s)
{
    switch ((enum alter_kind)s->alter) {
    case ALTER_RENAME_TABLE: rename_table(c, s); break;
    case ALTER_RENAME_COLUMN: rename_column(c, s); break;
    case ALTER_ADD_COLUMN: add_column(c, s); break;
    case ALTER_DROP_COLUMN: drop_column(c, s); break;
    }
}
