// Virtual tables as statements see them: CREATE and DROP with their shadow tables, and changes of rows, which go to the
// module one by one (OP_VUpdate).
#include "ddl.h"

#include <strings.h>

#include "../fts/fts.h"
#include "../fts/fts_table.h"
#include "../fts/fts_vocab.h"
#include "../vm/dbstat.h"
#include "parse.h"

// ---- CREATE, DROP ----------------------------------------------------------------------------------------------------------

static struct column column_of(const char *name, u32 index, bool hidden)
{
    struct column c = {.name = name, .type = "", .affinity = AFFINITY_BLOB, .storage = (s16)index};
    if (hidden) c.flags = COLUMN_HIDDEN | COLUMN_HAS_TYPE;
    return c;
}

static bool vocab_columns(struct arena *a, struct table *t, bool temp, const char **error)
{
    struct fts_vocab *v = fts_vocab_parse(a, temp, t->module_arguments, t->module_argument_count, error);
    if (!v) return false;
    u32 count = 0;
    while (fts_vocab_column(v, count)) count++;
    struct column *columns = arena_alloc(a, count * sizeof *columns);
    if (!columns) return false;
    for (u32 i = 0; i < count; i++) columns[i] = column_of(fts_vocab_column(v, i), i, false);
    t->vocab = v;
    t->columns = columns;
    t->column_count = t->stored_count = (u16)count;
    return true;
}

static bool dbstat_columns(struct arena *a, struct table *t, const char **error)
{
    struct dbstat *d = dbstat_parse(a, t->module_arguments, t->module_argument_count, error);
    u32 count = 0;
    const char *type;
    while (dbstat_column(count, &type)) count++;
    struct column *columns = arena_alloc(a, count * sizeof *columns);
    if (!d || !columns) return false;
    for (u32 i = 0; i < count; i++) {
        columns[i] = column_of(dbstat_column(i, &type), i, i + DBSTAT_HIDDEN >= count);
        column_set_type(&columns[i], type);
    }
    t->dbstat = d;
    t->columns = columns;
    t->column_count = t->stored_count = (u16)count;
    return true;
}

static bool full_text_columns(struct arena *a, struct table *t, const char **error)
{
    struct fts_config *f = fts_config_parse(a, t->name, t->module_arguments, t->module_argument_count, error);
    if (!f) return false;
    u32 count = f->column_count + 2;
    struct column *columns = arena_alloc(a, count * sizeof *columns);
    if (!columns) return false;
    for (u32 i = 0; i < count; i++) {
        bool hidden = i >= f->column_count;
        columns[i] = column_of(hidden ? (i == f->column_count ? t->name : "rank") : f->columns[i], i, hidden);
    }
    t->fts = f;
    t->columns = columns;
    t->column_count = t->stored_count = (u16)count;
    return true;
}

bool virtual_table_columns(struct arena *a, struct table *t, bool temp)
{
    const char *error = NULL;
    if (strcasecmp(t->module, "fts5vocab") == 0) {
        if (vocab_columns(a, t, temp, &error)) return true;
    } else if (strcasecmp(t->module, "dbstat") == 0) {
        if (dbstat_columns(a, t, &error)) return true;
    } else if (strcasecmp(t->module, "fts5") == 0) {
        if (full_text_columns(a, t, &error)) return true;
    } else {
        error = arena_format(a, "no such module: %s", t->module);
    }
    if (!error) error = arena_format(a, "vtable constructor failed: %s", t->name);
    t->unusable = error ? error : err_default_text(ERR_NOMEM);
    return false;
}

void virtual_table_require(struct compile *c, const struct table *t)
{
    if (t->unusable) compile_fail(c, ERR_ERROR, -1, "%s", t->unusable);
}

static const char *shadow_name(struct compile *c, const struct fts_config *f, u32 index)
{
    return arena_format(c->arena, "%s_%s", f->name, fts_shadow_suffix(f, index));
}

void create_virtual_table_statement(struct compile *c, struct stmt_create_virtual_table *s)
{
    int database = ddl_database(c, &s->name, DATABASE_MAIN);
    ddl_check_name(c, s->name.name);
    if (ddl_name_taken(c, &s->name, database, s->if_not_exists)) return;
    struct table *t = arena_alloc(c->arena, sizeof *t);
    virtual_table_build(t, s);
    (void)virtual_table_columns(c->arena, t, database == DATABASE_TEMP);
    virtual_table_require(c, t);
    if (t->fts && t->fts->tokenizer_missing) compile_fail(c, ERR_ERROR, -1, "%s", t->fts->tokenizer_missing);
    if (t->dbstat && t->dbstat->database && compile_database_find(c, t->dbstat->database) < 0)
        compile_fail(c, ERR_ERROR, -1, "no such database: %s", t->dbstat->database);
    for (u32 i = 0; t->fts && fts_shadow_suffix(t->fts, i); i++) {
        const char *shadow = shadow_name(c, t->fts, i);
        if (schema_table(compile_schema(c, database), shadow))
            compile_fail(c, ERR_ERROR, -1, "fts5: error creating shadow table %s: table '%s' already exists", shadow, shadow);
    }
    compile_write_database(c, database, true);
    c->top->may_abort = true;
    schema_format_set(c, database);
    int cursor = schema_open(c, database);
    schema_row_add(c, cursor, "table", t->name, t->name, 0,
                   arena_format(c->arena, "CREATE VIRTUAL TABLE %.*s", (int)s->sql.size, c->sql + s->sql.offset));
    emit(c, OP_Close, cursor, 0, 0);
    if (!t->fts) {
        schema_changed(c, database);
        return;
    }
    const char *schema = sql_quoted(c, compile_database_name(c, database));
    for (u32 i = 0; fts_shadow_suffix(t->fts, i); i++)
        nested_sql(c, "CREATE TABLE %s.%s%s", schema, sql_quoted(c, shadow_name(c, t->fts, i)),
                   fts_shadow_columns(c->arena, t->fts, i));
    schema_changed(c, database);
    // The first blocks: an empty index, and the format's version.
    int address = emit(c, OP_SqlExec, SQL_EXEC_OWN, 0, 0);
    program_p4_text(c->program, address,
                    arena_format(c->arena,
                                 "INSERT INTO %s.%s(id, block) VALUES(1, x''),(10, x'%s');"
                                 "INSERT INTO %s.%s(k, v) VALUES('version', 4)",
                                 schema, sql_quoted(c, arena_format(c->arena, "%s_data", t->name)),
                                 t->fts->contentless_delete ? "00000000ff000001000000" : "00000000000000", schema,
                                 sql_quoted(c, arena_format(c->arena, "%s_config", t->name))),
                    -1);
}

void virtual_table_drop(struct compile *c, const struct table *t, int database)
{
    const char *schema = sql_quoted(c, compile_database_name(c, database));
    for (u32 i = 0; t->fts && fts_shadow_suffix(t->fts, i); i++)
        nested_sql(c, "DROP TABLE IF EXISTS %s.%s", schema, sql_quoted(c, shadow_name(c, t->fts, i)));
}

const char *virtual_table_rename(struct compile *c, const struct table *t, int database, const char *name)
{
    const char *text = "", *schema = sql_quoted(c, compile_database_name(c, database));
    for (u32 i = 0; t->fts && fts_shadow_suffix(t->fts, i); i++)
        if (schema_table(compile_schema(c, database), shadow_name(c, t->fts, i)))
            text = arena_format(c->arena, "%sALTER TABLE %s.%s RENAME TO %s;", text, schema,
                                sql_quoted(c, shadow_name(c, t->fts, i)),
                                sql_quoted(c, arena_format(c->arena, "%s_%s", name, fts_shadow_suffix(t->fts, i))));
    return text;
}

bool table_is_shadow(const struct schema *s, const struct table *t)
{
    if (t->kind != TABLE_ORDINARY) return false;
    const char *tail = strrchr(t->name, '_');
    if (!tail || tail == t->name) return false;
    for (u32 i = 0; i < s->table_count; i++) {
        const struct table *v = s->tables[i];
        if (!v->fts || strlen(v->name) != (size_t)(tail - t->name) || strncasecmp(v->name, t->name, strlen(v->name)) != 0)
            continue;
        static const char *const suffixes[] = {"data", "idx", "content", "docsize", "config"};
        for (u32 k = 0; k < COUNT_OF(suffixes); k++)
            if (strcasecmp(tail + 1, suffixes[k]) == 0) return true;
    }
    return false;
}

// ---- changes ---------------------------------------------------------------------------------------------------------------

static void update_emit(struct compile *c, const struct table *t, int database, int reg, int count, enum conflict conflict,
                        u32 kept)
{
    int address = emit(c, OP_VUpdate, database, count, reg);
    program_p4_table(c->program, address, t);
    set_p5(c, (u16)((u32)conflict | kept << 8));
    c->top->may_abort = true;
}

void virtual_update_emit(struct compile *c, const struct table *t, int database, int reg, int count, enum conflict conflict)
{
    update_emit(c, t, database, reg, count, conflict, 0);
}

// Rows are found first, and changed when all are.
void virtual_delete(struct compile *c, struct source_list *sources, struct expr *condition, struct returning *returning)
{
    struct source *source = &sources->items[0];
    const struct table *t = source->table;
    int set = reg_alloc(c), reg = reg_alloc(c);
    source->cursor = cursor_alloc(c);
    struct name_context names = {.c = c, .sources = sources};
    if (condition) resolve_expr(&names, condition);
    emit(c, OP_Null, 0, set, 0);
    struct where_info *where = where_begin(c, sources, condition, NULL, NULL, NULL, WHERE_DUPLICATES_OK, 0);
    compile_row_count(c);
    emit(c, OP_Rowid, source->cursor, reg, 0);
    emit(c, OP_RowSetAdd, set, reg, 0);
    where_end(where);
    int done = label_new(c), loop = here(c);
    emit(c, OP_RowSetRead, set, done, reg);
    virtual_update_emit(c, t, source->database, reg, 1, CONFLICT_ABORT);
    emit(c, OP_Goto, 0, loop, 0);
    label_place(c, done);
    if (returning) compile_fail(c, ERR_ERROR, -1, "DELETE RETURNING is not available on virtual tables");
}

// Finds the rows: their rowid, the new one, the columns, in an ephemeral table.
static int update_rows(struct compile *c, struct source_list *sources, struct expr_list *set, const int *changes,
                       int rowid_item, struct expr *condition, int reg)
{
    struct source *source = &sources->items[0];
    const struct table *t = source->table;
    int count = t->column_count + 2, record = reg_alloc(c), key = reg_alloc(c), ephemeral = cursor_alloc(c);
    source->cursor = cursor_alloc(c);
    struct name_context names = {.c = c, .sources = sources};
    resolve_expr_list(&names, set);
    if (condition) resolve_expr(&names, condition);
    emit(c, OP_OpenEphemeral, ephemeral, count, 0);
    struct where_info *where = where_begin(c, sources, condition, NULL, NULL, NULL, WHERE_DUPLICATES_OK, 0);
    emit(c, OP_Rowid, source->cursor, reg, 0);
    if (rowid_item >= 0)
        expr_code(c, set->items[rowid_item].expr, reg + 1);
    else
        emit(c, OP_Copy, reg, reg + 1, 0);
    for (int i = 0; i < t->column_count; i++) {
        if (changes[i] >= 0) {
            expr_code(c, set->items[changes[i]].expr, reg + 2 + i);
        } else if (t->columns[i].flags & COLUMN_HIDDEN) {
            emit(c, OP_Null, 0, reg + 2 + i, 0);
        } else {
            column_code(c, t, source->cursor, i, reg + 2 + i);
            emit_set_p5(c, 1);
        }
    }
    emit(c, OP_MakeRecord, reg, count, record);
    emit(c, OP_NewRowid, ephemeral, key, 0);
    emit(c, OP_Insert, ephemeral, record, key);
    where_end(where);
    return ephemeral;
}

void virtual_update(struct compile *c, struct source_list *sources, struct expr_list *set, const int *changes,
                    int rowid_item, struct expr *condition, int rows, enum conflict conflict, struct returning *returning)
{
    struct source *source = &sources->items[0];
    const struct table *t = source->table;
    int count = t->column_count + 2, reg = reg_alloc_range(c, count);
    int ephemeral = rows >= 0 ? rows : update_rows(c, sources, set, changes, rowid_item, condition, reg);
    u32 kept = 0;
    for (u32 i = 0; t->fts && i < t->fts->column_count; i++)
        if (!t->fts->unindexed[i]) kept |= changes[i] >= 0 ? FTS_CHANGE_SETS_INDEXED : FTS_CHANGE_KEEPS_INDEXED;
    int done = label_new(c);
    emit(c, OP_Rewind, ephemeral, done, 0);
    int loop = here(c);
    for (int i = 0; i < count; i++) emit(c, OP_Column, ephemeral, i, reg + i);
    update_emit(c, t, source->database, reg, count, conflict, kept);
    emit(c, OP_Next, ephemeral, loop, 0);
    label_place(c, done);
    if (returning) compile_fail(c, ERR_ERROR, -1, "UPDATE RETURNING is not available on virtual tables");
}
