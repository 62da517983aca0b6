// CREATE TABLE, also AS SELECT, and CREATE VIEW.
#include "ddl.h"

#include "parse.h"

// Whether a table, view or index of that name is there already. True: IF NOT EXISTS says to leave it.
static bool name_taken(struct compile *c, const struct object_name *name, int database, bool if_not_exists)
{
    const struct schema *s = compile_schema(c, database);
    const struct table *t = s ? schema_table(s, name->name) : NULL;
    if (t) {
        if (if_not_exists) return true;
        compile_fail(c, ERR_ERROR, name->offset, "%s %s already exists", table_is_view(t) ? "view" : "table",
                     ddl_name_text(c, name->offset, name->name));
    }
    if (s && schema_index(s, name->name))
        compile_fail(c, ERR_ERROR, -1, "there is already an index named %s", name->name);
    return false;
}

bool ddl_name_taken(struct compile *c, const struct object_name *name, int database, bool if_not_exists)
{
    bool taken = name_taken(c, name, database, if_not_exists);
    if (!taken) return false;
    compile_use_database(c, database);
    compile_may_write(c);
    return true;
}

static int object_database(struct compile *c, const struct object_name *name, bool temporary)
{
    int database = ddl_database(c, name, temporary ? DATABASE_TEMP : DATABASE_MAIN);
    if (temporary && name->schema && database != DATABASE_TEMP)
        compile_fail(c, ERR_ERROR, -1, "temporary table name must be unqualified");
    return database;
}

// Names in CHECKs and generated columns must be those of the table's columns.
static void check_expressions(struct compile *c, const struct table *t)
{
    for (u32 i = 0; i < t->check_count && !c->mistake; i++)
        resolve_self_next(c, t, NAME_CHECK, expr_copy(c->arena, t->checks[i].expr));
    for (u16 i = 0; i < t->column_count; i++)
        if (t->columns[i].generated) resolve_self_next(c, t, NAME_GENERATED, expr_copy(c->arena, t->columns[i].generated));
    resolve_self_end(c);
}

// What is wrong with columns that are computed when they are read is told by reading them.
static void read_generated(struct compile *c, const struct table *t, int database)
{
    u16 i = 0;
    while (i < t->column_count && !t->columns[i].generated) i++;
    if (i == t->column_count) return;
    const char *schema = sql_quoted(c, compile_database_name(c, database));
    int address = emit(c, OP_SqlExec, SQL_EXEC_OWN, 0, 0);
    program_p4_text(c->program, address, arena_format(c->arena, "SELECT * FROM %s.%s", schema, sql_quoted(c, t->name)), -1);
}

// The text that sqlite_schema keeps for CREATE TABLE AS.
static const char *created_as_text(struct compile *c, const struct table *t)
{
    static const char *const types[] = {[AFFINITY_BLOB] = "",         [AFFINITY_TEXT] = " TEXT",
                                        [AFFINITY_NUMERIC] = " NUM",  [AFFINITY_INTEGER] = " INT",
                                        [AFFINITY_REAL] = " REAL",    [AFFINITY_FLEXNUM] = " NUM"};
    size_t size = 0;
    for (int i = -1; i < t->column_count; i++) {
        const char *name = i < 0 ? t->name : t->columns[i].name;
        for (const char *z = name; *z; z++) size += *z == '"' ? 2 : 1;
        size += i < 0 ? 2 : 7;
    }
    bool lines = size >= 50;
    const char *text = arena_format(c->arena, "CREATE TABLE %s(", sql_identifier(c, t->name));
    for (u16 i = 0; i < t->column_count; i++) {
        const struct column *k = &t->columns[i];
        u8 affinity = k->affinity >= AFFINITY_BLOB && k->affinity <= AFFINITY_FLEXNUM ? k->affinity : AFFINITY_BLOB;
        text = arena_format(c->arena, "%s%s%s%s", text, i ? (lines ? ",\n  " : ",") : (lines ? "\n  " : ""),
                            sql_identifier(c, k->name), types[affinity]);
    }
    return arena_format(c->arena, "%s%s", text, lines ? "\n)" : ")");
}

// The rows of the SELECT go into the new table, whose root is in reg_root.
static void insert_selected(struct compile *c, struct select *select, const struct table *t, int database,
                            int reg_root)
{
    int cursor = cursor_alloc(c), yield = reg_alloc(c), record = reg_alloc(c), rowid = reg_alloc(c);
    emit_int(c, OP_OpenWrite, cursor, reg_root, database, t->column_count);
    set_p5(c, OPEN_ROOT_IN_REGISTER);
    struct select_dest dest;
    select_dest_init(&dest, DEST_COROUTINE, yield);
    int init = emit(c, OP_InitCoroutine, yield, 0, here(c) + 1);
    select_code(c, select, &dest);
    emit(c, OP_EndCoroutine, yield, 0, 0);
    jump_here(c, init);
    char *affinities = arena_alloc(c->arena, t->column_count + 1u);
    for (u16 i = 0; i < t->column_count; i++)
        affinities[i] = (char)MAX(t->columns[i].affinity, (u8)AFFINITY_BLOB);
    int done = label_new(c), loop = emit(c, OP_Yield, yield, done, 0);
    emit(c, OP_MakeRecord, dest.reg, dest.reg_count, record);
    set_p4_text(c, affinities);
    emit(c, OP_NewRowid, cursor, rowid, 0);
    emit(c, OP_Insert, cursor, record, rowid);
    set_p5(c, WRITE_APPEND);
    emit(c, OP_Goto, 0, loop, 0);
    label_place(c, done);
    emit(c, OP_Close, cursor, 0, 0);
}

static void write_table(struct compile *c, struct table *t, int database, const char *sql, struct select *select)
{
    bool view = table_is_view(t);
    compile_write_database(c, database, true);
    c->top->may_abort = true;
    schema_format_set(c, database);
    int cursor = schema_open(c, database);
    int root = 0;
    if (select) {
        // The table's row is there, empty, while the SELECT runs: it may read sqlite_schema.
        root = reg_alloc(c);
        int rowid = reg_alloc(c), nulls = reg_alloc_range(c, 6);
        emit(c, OP_CreateBtree, database, root, BTREE_TABLE);
        emit(c, OP_NewRowid, cursor, rowid, 0);
        emit(c, OP_Null, 0, nulls, nulls + 4);
        emit(c, OP_MakeRecord, nulls, 5, nulls + 5);
        emit(c, OP_Insert, cursor, nulls + 5, rowid);
        insert_selected(c, select, t, database, root);
        int gone = emit(c, OP_NotExists, cursor, 0, rowid);
        emit(c, OP_Delete, cursor, 0, 0);
        jump_here(c, gone);
    } else if (!view) {
        root = reg_alloc(c);
        emit(c, OP_CreateBtree, database, root, t->primary_key ? BTREE_INDEX : BTREE_TABLE);
    }
    schema_row_add(c, cursor, view ? "view" : "table", t->name, t->name, root, sql);
    // Oldest first: the list has the newest first.
    u32 count = table_index_count(t);
    for (u32 number = 1; number <= count; number++) {
        const char *name = arena_format(c->arena, "sqlite_autoindex_%s_%u", t->name, number);
        const struct index *i = t->indexes;
        while (i && !name_equal(i->name, name)) i = i->next;
        if (!i) continue;
        if (i == t->primary_key) continue; // the table itself
        int reg = reg_alloc(c);
        emit(c, OP_CreateBtree, database, reg, BTREE_INDEX);
        schema_row_add(c, cursor, "index", i->name, t->name, reg, NULL);
    }
    emit(c, OP_Close, cursor, 0, 0);
    if (t->flags & TABLE_AUTOINCREMENT && !schema_table(compile_schema(c, database), "sqlite_sequence")) {
        cursor = schema_open(c, database);
        int sequence = reg_alloc(c);
        emit(c, OP_CreateBtree, database, sequence, BTREE_TABLE);
        schema_row_add(c, cursor, "table", "sqlite_sequence", "sqlite_sequence", sequence,
                       "CREATE TABLE sqlite_sequence(name,seq)");
        emit(c, OP_Close, cursor, 0, 0);
    }
    schema_changed(c, database);
}

void create_table_statement(struct compile *c, struct stmt_create_table *s)
{
    int database = object_database(c, &s->name, s->temporary);
    ddl_check_name(c, s->name.name);
    if (ddl_name_taken(c, &s->name, database, s->if_not_exists)) return;
    if (s->select) {
        c->top->short_names = true;
        resolve_select(c, s->select, NULL);
        c->top->short_names = false;
        struct table *t = select_result_table(c, s->select, s->name.name, false);
        write_table(c, t, database, created_as_text(c, t), s->select);
        return;
    }
    struct parse p;
    struct schema_build b;
    ddl_build_init(c, &b, &p, database);
    struct table *t = arena_alloc(c->arena, sizeof *t);
    table_build(&b, t, s);
    if (database == DATABASE_TEMP) t->flags |= TABLE_TEMP;
    check_expressions(c, t);
    generated_loop_check(c, t);
    const char *sql = arena_format(c->arena, "CREATE TABLE %.*s", (int)s->sql.size, c->sql + s->sql.offset);
    write_table(c, t, database, sql, NULL);
    read_generated(c, t, database);
}

// ---- views ------------------------------------------------------------------------------------------------

struct foreign_database {
    struct compile *c;
    const char *type, *name, *database;
    bool temp;
    u32 offset; // of the name; OFFSET_NONE: it is not told
};

static void fail_variables(const struct foreign_database *f)
{
    compile_fail(f->c, ERR_ERROR, -1, "%s cannot use variables", f->type);
}

static enum walk_result find_foreign_source(struct walker *w, struct select *select)
{
    struct foreign_database *f = w->context;
    if (select->rows && select->rows->has_variables) fail_variables(f);
    for (u32 i = 0; select->from && i < select->from->count; i++) {
        const char *schema = select->from->items[i].schema_name;
        if (schema && !f->temp && !name_equal(schema, f->database))
            compile_fail(f->c, ERR_ERROR, f->offset, "%s %s cannot reference objects in database %s", f->type, f->name, schema);
    }
    for (u32 i = 0; select->with && i < select->with->count; i++) walk_select(w, select->with->items[i].select);
    return WALK_CONTINUE;
}

static enum walk_result refuse_variables(struct walker *w, struct expr *e)
{
    struct foreign_database *f = w->context;
    if (e->kind == EXPR_VARIABLE) fail_variables(f);
    return WALK_CONTINUE;
}

void create_view_statement(struct compile *c, struct stmt_create_view *s)
{
    if (c->parse && c->parse->variable_count)
        compile_fail(c, ERR_ERROR, -1, "parameters are not allowed in views");
    int database = object_database(c, &s->name, s->temporary);
    ddl_check_name(c, s->name.name);
    if (ddl_name_taken(c, &s->name, database, s->if_not_exists)) return;
    struct foreign_database f = {c, "view", ddl_name_text(c, s->name.offset, s->name.name),
                                 compile_database_name(c, database), database == DATABASE_TEMP, s->name.offset};
    struct walker w = {.select = find_foreign_source, .context = &f};
    walk_select(&w, s->select);
    struct table *t = arena_alloc(c->arena, sizeof *t);
    t->name = s->name.name;
    t->kind = TABLE_VIEW;
    const char *sql = arena_format(c->arena, "CREATE VIEW %.*s", (int)s->sql.size, c->sql + s->sql.offset);
    write_table(c, t, database, sql, NULL);
}

// ---- triggers ---------------------------------------------------------------------------------------------

static void check_step(struct walker *w, struct stmt *step)
{
    switch ((enum stmt_kind)step->kind) {
    case STMT_SELECT: walk_select(w, ((struct stmt_select *)step)->select); break;
    case STMT_INSERT: {
        struct stmt_insert *s = (struct stmt_insert *)step;
        walk_select(w, s->select);
        for (struct upsert *u = s->upsert; u; u = u->next) {
            walk_expr_list(w, u->target);
            walk_expr(w, u->target_where);
            walk_expr_list(w, u->set);
            walk_expr(w, u->where);
        }
        break;
    }
    case STMT_UPDATE: {
        struct stmt_update *s = (struct stmt_update *)step;
        struct select from = {.from = s->from};
        walk_expr(w, s->where);
        walk_expr_list(w, s->set);
        walk_select(w, &from);
        break;
    }
    case STMT_DELETE: walk_expr(w, ((struct stmt_delete *)step)->where); break;
    default: break;
    }
}

// With its schema where that says more than the trigger's.
static const char *table_said(struct compile *c, const struct object_name *name, int database)
{
    bool says = name->schema && database == DATABASE_TEMP;
    return says ? arena_format(c->arena, "%s.%s", name->schema, name->name) : name->name;
}

// The table that the trigger is for, and the database where it goes; NULL: it is there already, and may be.
static const struct table *trigger_table(struct compile *c, const struct stmt_create_trigger *s, int *where)
{
    if (s->temporary && s->name.schema)
        compile_fail(c, ERR_ERROR, -1, "temporary trigger may not have qualified name");
    int database = ddl_database(c, &s->name, s->temporary ? DATABASE_TEMP : DATABASE_MAIN), found = -1;
    // The table is looked for where the trigger is to be, or anywhere when that was not said.
    const char *schema = s->table.schema;
    if (!schema && s->name.schema && database != DATABASE_TEMP) schema = s->name.schema;
    const struct table *t = locate_table(c, schema, s->table.name, s->table.offset, true, &found);
    if (!t && s->table.schema && database != DATABASE_TEMP && !name_equal(s->table.schema, compile_database_name(c, database)))
        compile_fail(c, ERR_ERROR, s->name.offset, "trigger %s cannot reference objects in database %s",
                     ddl_name_text(c, s->name.offset, s->name.name), s->table.schema);
    if (!s->name.schema && t && found == DATABASE_TEMP) database = DATABASE_TEMP;
    if (t && database != DATABASE_TEMP && found != database) {
        if (s->table.schema)
            compile_fail(c, ERR_ERROR, s->name.offset, "trigger %s cannot reference objects in database %s",
                         ddl_name_text(c, s->name.offset, s->name.name), s->table.schema);
        t = NULL;
        schema = compile_database_name(c, database);
    }
    if (!t) {
        if (!schema && database != DATABASE_TEMP) schema = compile_database_name(c, database);
        compile_fail(c, ERR_ERROR, -1, "no such table: %s%s%s", schema ? schema : "", schema ? "." : "", s->table.name);
    }
    if (t->kind == TABLE_VIRTUAL) compile_fail(c, ERR_ERROR, -1, "cannot create triggers on virtual tables");
    ddl_check_name(c, s->name.name);
    if (schema_trigger(compile_schema(c, database), s->name.name)) {
        if (!s->if_not_exists)
            compile_fail(c, ERR_ERROR, s->name.offset, "trigger %s already exists",
                         ddl_name_text(c, s->name.offset, s->name.name));
        *where = database;
        return NULL;
    }
    if (t->flags & TABLE_SCHEMA_TABLE || strncmp(t->name, "sqlite_", 7) == 0)
        compile_fail(c, ERR_ERROR, -1, "cannot create trigger on system table");
    if (table_is_view(t) && s->time != TRIGGER_INSTEAD_OF)
        compile_fail(c, ERR_ERROR, -1, "cannot create %s trigger on view: %s",
                     s->time == TRIGGER_BEFORE ? "BEFORE" : "AFTER", table_said(c, &s->table, database));
    if (!table_is_view(t) && s->time == TRIGGER_INSTEAD_OF)
        compile_fail(c, ERR_ERROR, -1, "cannot create INSTEAD OF trigger on table: %s",
                     table_said(c, &s->table, database));
    *where = database;
    return t;
}

void ddl_begun(struct parse *p, const struct stmt *stmt)
{
    struct compile *c = p->context;
    if (stmt->kind == STMT_CREATE_TRIGGER) {
        int database;
        p->trigger_new = trigger_table(c, (const struct stmt_create_trigger *)stmt, &database) != NULL;
        return;
    }
    if (stmt->kind == STMT_ALTER) {
        int database;
        (void)alter_adds_to(c, (const struct stmt_alter *)stmt, &database);
        return;
    }
    const struct stmt_create_table *s = (const struct stmt_create_table *)stmt;
    int database = object_database(c, &s->name, s->temporary);
    ddl_check_name(c, s->name.name);
    (void)name_taken(c, &s->name, database, s->if_not_exists);
}

static struct constraint *constraints_read(struct constraint *first, u32 behind)
{
    struct constraint **last = &first;
    while (*last && (*last)->behind < behind) last = &(*last)->next;
    *last = NULL;
    return first;
}

void ddl_broken_off(struct compile *c, const struct parse *p)
{
    struct stmt_create_table *s = p->table;
    int database = object_database(c, &s->name, s->temporary);
    if (name_taken(c, &s->name, database, s->if_not_exists)) return;
    // What ends at the token that is wrong has not been looked at.
    struct column_def **last = &s->columns;
    s->column_count = 0;
    for (; *last && (*last)->behind < p->token_offset; last = &(*last)->next) {
        (*last)->constraints = constraints_read((*last)->constraints, p->token_offset);
        s->column_count++;
    }
    *last = NULL;
    s->constraints = constraints_read(s->constraints, p->token_offset);
    struct parse items;
    struct schema_build b;
    ddl_build_init(c, &b, &items, database);
    table_items_build(&b, arena_alloc(c->arena, sizeof(struct table)), s);
}

void create_trigger_statement(struct compile *c, struct stmt_create_trigger *s)
{
    int database;
    const struct table *t = trigger_table(c, s, &database);
    if (!t) {
        compile_use_database(c, database);
        return;
    }
    struct foreign_database f = {c, "trigger", ddl_name_text(c, s->name.offset, s->name.name),
                                 compile_database_name(c, database), database == DATABASE_TEMP, OFFSET_NONE};
    struct walker w = {.select = find_foreign_source, .expr = refuse_variables, .context = &f};
    for (struct stmt *step = s->steps; step; step = step->next) check_step(&w, step);
    walk_expr(&w, s->when);

    compile_write_database(c, database, true);
    schema_format_set(c, database);
    int cursor = schema_open(c, database);
    schema_row_add(c, cursor, "trigger", s->name.name, s->table.name, 0, // as it is written
                   arena_format(c->arena, "CREATE TRIGGER %.*s", (int)s->sql.size, c->sql + s->sql.offset));
    emit(c, OP_Close, cursor, 0, 0);
    schema_changed(c, database);
}
