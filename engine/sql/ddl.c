#include "ddl.h"

#include <stdarg.h>
#include <strings.h>

#include "parse.h"
#include "token.h"

// ---- SQL of the engine's own ------------------------------------------------------------------------------

static void nested_failed(struct parse *p, err_code code, u32 offset, const char *text)
{
    compile_fail(p->context, code, -1, "%s", text);
}

// Counting changes is for the user's statement.
static void uncount(struct compile *c, int from)
{
    for (int i = from; i < here(c); i++) {
        struct instruction *x = instruction_at(c, i);
        if (x->opcode == OP_Insert || x->opcode == OP_IdxInsert)
            x->p5 &= (u16) ~(WRITE_COUNT_CHANGE | WRITE_LAST_ROWID);
        if (x->opcode == OP_Delete) x->p2 &= ~WRITE_COUNT_CHANGE;
    }
}

void nested_sql(struct compile *c, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    va_list again;
    va_copy(again, list);
    int size = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *sql = arena_alloc(c->arena, (size_t)size + 1);
    vsnprintf(sql, (size_t)size + 1, format, again);
    va_end(again);

    struct parse parse = {.arena = c->arena, .sql = sql, .size = (u32)size, .fail = nested_failed, .context = c};
    parse_statement(&parse);
    int from = here(c);
    const char *saved_sql = c->sql;
    size_t saved_size = c->sql_size;
    struct with *saved_with = c->with;
    bool explained = c->explain_query_plan;
    c->sql = sql;
    c->sql_size = (size_t)size;
    c->with = NULL;
    c->explain_query_plan = false;
    c->quiet_offsets++;
    c->top->nested++;
    compile_statement(c, parse.stmt);
    c->top->nested--;
    c->quiet_offsets--;
    c->sql = saved_sql;
    c->sql_size = saved_size;
    c->with = saved_with;
    c->explain_query_plan = explained;
    uncount(c, from);
}

const char *sql_quoted(struct compile *c, const char *text)
{
    size_t size = strlen(text);
    char *out = arena_alloc(c->arena, size * 2 + 3), *p = out;
    *p++ = '\'';
    for (const char *t = text; *t; t++) {
        if (*t == '\'') *p++ = '\'';
        *p++ = *t;
    }
    *p++ = '\'';
    return out;
}

const char *sql_identifier(struct compile *c, const char *name)
{
    size_t size = strlen(name);
    bool bare = size > 0 && !(name[0] >= '0' && name[0] <= '9') &&
                token_keyword(name, (u32)size) == TOKEN_ID;
    for (const char *t = name; *t && bare; t++)
        bare = (*t >= 'a' && *t <= 'z') || (*t >= 'A' && *t <= 'Z') || (*t >= '0' && *t <= '9') || *t == '_';
    return bare ? name : sql_name_quoted(c, name);
}

const char *sql_name_quoted(struct compile *c, const char *name)
{
    char *out = arena_alloc(c->arena, strlen(name) * 2 + 3), *p = out;
    *p++ = '"';
    for (const char *t = name; *t; t++) {
        if (*t == '"') *p++ = '"';
        *p++ = *t;
    }
    *p++ = '"';
    return out;
}

// ---- names ------------------------------------------------------------------------------------------------

int ddl_database(struct compile *c, const struct object_name *name, int otherwise)
{
    if (!name->schema) return otherwise;
    int database = compile_database_find(c, name->schema);
    if (database < 0)
        compile_fail(c, ERR_ERROR, name->schema_offset, "unknown database %s",
                     ddl_name_text(c, name->schema_offset, name->schema));
    return database;
}

void ddl_check_name(struct compile *c, const char *name)
{
    if (c->top->nested || connection_flag(c->db, CONNECTION_WRITABLE_SCHEMA)) return;
    if (strncasecmp(name, "sqlite_", 7) == 0)
        compile_fail(c, ERR_ERROR, -1, "object name reserved for internal use: %s", name);
}

const char *ddl_name_text(struct compile *c, u32 offset, const char *name)
{
    if (offset == OFFSET_NONE || offset >= c->sql_size) return name;
    enum token_kind kind;
    u32 size = token_scan(c->sql + offset, &kind);
    return arena_copy(c->arena, c->sql + offset, size);
}

// ---- sqlite_schema ----------------------------------------------------------------------------------------

int schema_open(struct compile *c, int database)
{
    int cursor = cursor_alloc(c);
    compile_write_database(c, database, true);
    emit_int(c, OP_OpenWrite, cursor, 1, database, 5);
    return cursor;
}

void schema_row_add(struct compile *c, int cursor, const char *type, const char *name, const char *table,
                    int reg_root, const char *sql)
{
    int reg = reg_temp_range(c, 7), rowid = reg + 5, record = reg + 6;
    emit(c, OP_NewRowid, cursor, rowid, 0);
    emit_string(c, type, (u32)strlen(type), reg);
    emit_string(c, name, (u32)strlen(name), reg + 1);
    emit_string(c, table, (u32)strlen(table), reg + 2);
    if (reg_root)
        emit(c, OP_SCopy, reg_root, reg + 3, 0);
    else
        emit(c, OP_Integer, 0, reg + 3, 0);
    if (sql) ddl_check_text(c, name, sql);
    if (sql)
        emit_string(c, sql, (u32)strlen(sql), reg + 4);
    else
        emit(c, OP_Null, 0, reg + 4, 0);
    emit(c, OP_MakeRecord, reg, 5, record);
    set_p4_text(c, "BBBDB");
    emit(c, OP_Insert, cursor, record, rowid);
    set_p5(c, WRITE_APPEND);
    reg_release_range(c, reg, 7);
}

static void reparse_failed(struct parse *p, err_code code, u32 offset, const char *text)
{
    const char *name = p->sql + p->size + 1; // put there by ddl_check_text
    struct compile *c = p->context;
    compile_fail(c, ERR_CORRUPT, -1, "malformed database schema (%s) - %s", name, text);
}

void ddl_check_text(struct compile *c, const char *name, const char *sql)
{
    size_t size = strlen(sql), name_size = strlen(name);
    char *copy = arena_alloc(c->arena, size + name_size + 2);
    memcpy(copy, sql, size);
    memcpy(copy + size + 1, name, name_size);
    struct parse parse = {.arena = c->arena, .sql = copy, .size = (u32)size, .schema = true, .fail = reparse_failed,
                          .context = c};
    parse_statement(&parse);
}

void schema_changed(struct compile *c, int database)
{
    const struct schema *s = compile_schema(c, database);
    compile_write_database(c, database, true);
    emit(c, OP_SetCookie, database, META_SCHEMA_COOKIE, (int)((s ? s->cookie : 0) + 1));
    emit(c, OP_ParseSchema, database, 0, 0);
}

void schema_format_set(struct compile *c, int database)
{
    int reg = reg_temp(c);
    emit(c, OP_ReadCookie, database, reg, META_FILE_FORMAT);
    int has = emit(c, OP_If, reg, 0, 0);
    emit(c, OP_SetCookie, database, META_FILE_FORMAT, 4);
    emit(c, OP_SetCookie, database, META_TEXT_ENCODING, connection_encoding(c->db));
    jump_here(c, has);
    reg_release(c, reg);
}

void ddl_destroy(struct compile *c, pgno root, int database)
{
    int moved = reg_temp(c);
    compile_write_database(c, database, true);
    c->top->may_abort = true;
    emit(c, OP_Destroy, (int)root, moved, database);
    // Only files in auto-vacuum mode move roots.
    int none = emit(c, OP_IfNot, moved, 0, 1);
    int cursor = schema_open(c, database), end = label_new(c), next = label_new(c);
    int reg = reg_temp_range(c, 7), rowid = reg + 5, record = reg + 6;
    emit(c, OP_Rewind, cursor, end, 0);
    int loop = here(c);
    emit(c, OP_Column, cursor, 3, reg + 3);
    emit(c, OP_Ne, moved, next, reg + 3);
    for (int i = 0; i < 5; i++)
        if (i != 3) emit(c, OP_Column, cursor, i, reg + i);
    emit(c, OP_Integer, (int)root, reg + 3, 0);
    emit(c, OP_Rowid, cursor, rowid, 0);
    emit(c, OP_MakeRecord, reg, 5, record);
    set_p4_text(c, "BBBDB");
    emit(c, OP_Insert, cursor, record, rowid);
    label_place(c, next);
    emit(c, OP_Next, cursor, loop, 0);
    label_place(c, end);
    emit(c, OP_Close, cursor, 0, 0);
    jump_here(c, none);
    reg_release_range(c, reg, 7);
    reg_release(c, moved);
}

// ---- building ---------------------------------------------------------------------------------------------

static bool collation_is_known(void *context, const char *name)
{
    struct compile *c = context;
    return connection_collation(c->db, name) != NULL;
}

// What is wrong with the statement's own text.
static void build_failed(struct parse *p, err_code code, u32 offset, const char *text)
{
    compile_fail(p->context, code, offset == OFFSET_NONE ? -1 : (s64)offset, "%s", text);
}

static void expression_resolve(void *c, const struct table *t, const struct expr *e)
{
    resolve_self(c, t, NAME_INDEX_EXPR, expr_copy(((struct compile *)c)->arena, e), NULL);
}

void ddl_build_init(struct compile *c, struct schema_build *b, struct parse *p, int database)
{
    const struct schema *s = compile_schema(c, database);
    *p = (struct parse){.arena = c->arena, .sql = c->sql, .size = (u32)c->sql_size,
                        .column_max = (u32)compile_limit(c, SKERRY_LIMIT_COLUMN), .fail = build_failed, .context = c};
    *b = (struct schema_build){.parse = p, .file_format = s && s->tables ? s->file_format : 4,
                               .collation_known = collation_is_known, .expression_check = expression_resolve, .context = c};
}
