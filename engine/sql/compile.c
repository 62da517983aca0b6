// The frame of compiling: errors, registers, the program's beginning and end, statements.
#include "compile.h"

#include <stdarg.h>

#include "../connection.h"
#include "../fn/fn.h"
#include "emit.h"
#include "expr.h"
#include "token.h"

// ---- errors -------------------------------------------------------------------------------------------------

static void mistake_write(const struct compile *c, struct err *to, err_code code, s64 offset, const char *format, va_list args)
{
    char text[ERR_TEXT_MAX]; // the arguments may be what stood in *to
    vsnprintf(text, sizeof text, format, args);
    err_set(to, code, "compile", "%s", text);
    to->offset = c->quiet_offsets || offset == (s64)OFFSET_NONE ? -1 : offset;
}

static s64 place_of(const struct expr *e) { return e ? (s64)e->offset : -1; }

void compile_fail(struct compile *c, err_code code, s64 offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    mistake_write(c, c->err, code, offset, format, args);
    va_end(args);
    longjmp(*c->exit, 1);
}

void compile_fail_at(struct compile *c, const struct expr *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    mistake_write(c, c->err, ERR_ERROR, place_of(e), format, args);
    va_end(args);
    longjmp(*c->exit, 1);
}

void compile_fail_again(struct compile *c, const struct err *mistake)
{
    compile_fail(c, mistake->code, mistake->offset, "%s", mistake->text);
}

void coding_mistake(struct compile *c, const struct expr *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    c->coding_mistake = arena_alloc(c->arena, sizeof *c->coding_mistake);
    mistake_write(c, c->coding_mistake, ERR_ERROR, place_of(e), format, args);
    va_end(args);
}

void coding_mistake_tell(struct compile *c)
{
    if (LIKELY(!c->coding_mistake)) return;
    const struct err *mistake = c->coding_mistake;
    for (const struct compile *around = c->outer; around; around = around->outer) // of the statement before that of its trigger
        if (around->coding_mistake) mistake = around->coding_mistake;
    compile_fail_again(c, mistake);
}

bool compile_attempt(struct compile *c, void (*work)(void *context), void *context, struct err *mistake)
{
    jmp_buf again, *saved = c->exit;
    u32 depth = c->select_depth, height = c->expr_height, quiet = c->quiet_offsets;
    struct with *with = c->with;
    const struct view_scope *views = c->views;
    const struct cte_scope *ctes = c->ctes;
    int view_database = c->view_database;
    const char *sql = c->sql;
    bool renaming = c->top->renaming;
    const int resolving = c->resolving;
    const char *kept = c->mistake;
    struct err *const of_code = c->coding_mistake;
    const s64 kept_offset = c->mistake_offset;
    const bool final = c->mistake_final;
    volatile bool done = false;
    c->exit = &again;
    if (setjmp(again) == 0) {
        work(context);
        done = true;
    }
    c->exit = saved;
    if (done) return true;
    if (c->err->code != ERR_ERROR) longjmp(*saved, 1);
    *mistake = *c->err;
    *c->err = ERR_CLEAR;
    c->with = with;
    c->views = views;
    c->ctes = ctes;
    c->view_database = view_database;
    c->sql = sql;
    c->top->renaming = renaming;
    c->resolving = resolving;
    c->mistake = kept;
    c->coding_mistake = of_code;
    c->mistake_offset = kept_offset;
    c->mistake_final = final;
    c->select_depth = depth;
    c->expr_height = height;
    c->quiet_offsets = quiet;
    return false;
}

// ---- the connection -----------------------------------------------------------------------------------------

int compile_database_count(const struct compile *c)
{
    return (int)c->db->database_count;
}

const char *compile_database_name(const struct compile *c, int index)
{
    return c->db->databases[index].name;
}

const struct schema *compile_schema(struct compile *c, int index)
{
    const struct err *err = &c->db->schema_err;
    if (UNLIKELY(err->code != ERR_OK)) compile_fail(c, err->code, -1, "%s", err->text);
    return c->db->databases[index].schema;
}

int compile_database_find(const struct compile *c, const char *name)
{
    return connection_database_find(c->db, name);
}

const struct fn_def *compile_function(struct compile *c, const char *name, s32 count, bool *name_exists)
{
    return connection_function(c->db, name, strlen(name), count, name_exists);
}

const struct fn_def *compile_call_function(struct compile *c, struct expr *call, bool *name_exists)
{
    if (!call->function) call->function = compile_function(c, call->text, call->list ? (s32)call->list->count : 0, name_exists);
    return call->function;
}

const struct table *compile_eponymous_table(struct compile *c, const char *name)
{
    return connection_eponymous_table(c->db, name);
}

bool compile_connection_flag(const struct compile *c, int flag)
{
    return connection_flag(c->db, (enum connection_flag)flag);
}

s64 compile_limit(const struct compile *c, enum skerry_limit limit)
{
    return c->db->limits[limit];
}

const struct collation *find_collation_at(struct compile *c, const char *name, const struct expr *at)
{
    const struct collation *found = connection_collation(c->db, name);
    if (!found) {
        s64 offset = at ? at->offset : OFFSET_NONE;
        if (c->collations_late) {
            c->collation_missing = arena_copy(c->arena, name, strlen(name));
            c->collation_offset = offset;
            return &COLLATION_BINARY;
        }
        compile_fail(c, ERR_ERROR_MISSING_COLLSEQ, offset, "no such collation sequence: %s", name);
    }
    return found;
}

const struct collation *find_collation(struct compile *c, const char *name)
{
    return find_collation_at(c, name, NULL);
}

void compile_use_database(struct compile *c, int index)
{
    if (index >= 0) c->top->schema_used |= 1u << index;
}

void compile_use_named(struct compile *c, const char *schema)
{
    for (int d = 0; d < compile_database_count(c); d++)
        if (compile_schema(c, d) && (!schema || name_equal(schema, compile_database_name(c, d)))) compile_use_database(c, d);
}

void compile_may_write(struct compile *c) { c->top->may_write = true; }

void compile_write_database(struct compile *c, int index, bool multi_row)
{
    compile_use_database(c, index);
    c->top->schema_written |= 1u << index;
    if (multi_row) c->top->multi_row_write = true;
}

// ---- registers ----------------------------------------------------------------------------------------------

int reg_alloc(struct compile *c)
{
    return ++c->register_count;
}

int reg_alloc_range(struct compile *c, int count)
{
    int first = c->register_count + 1;
    c->register_count += count;
    return first;
}

int reg_temp(struct compile *c)
{
    if (c->temp_reg_count) return c->temp_regs[--c->temp_reg_count];
    return ++c->register_count;
}

void reg_release(struct compile *c, int reg)
{
    if (!reg || c->temp_reg_count >= 16) return;
    c->temp_regs = arena_grow(c->arena, c->temp_regs, c->temp_reg_count, &c->temp_reg_capacity, sizeof *c->temp_regs);
    c->temp_regs[c->temp_reg_count++] = reg;
}

int reg_temp_range(struct compile *c, int count)
{
    if (count == 1) return reg_temp(c);
    if (count <= c->temp_range_count) {
        int first = c->temp_range_start;
        c->temp_range_start += count;
        c->temp_range_count -= count;
        return first;
    }
    return reg_alloc_range(c, count);
}

void reg_release_range(struct compile *c, int first, int count)
{
    if (count == 1) {
        reg_release(c, first);
        return;
    }
    if (count > c->temp_range_count) {
        c->temp_range_count = count;
        c->temp_range_start = first;
    }
}

void reg_forget_temps(struct compile *c)
{
    c->temp_reg_count = 0;
    c->temp_range_count = 0;
}

int cursor_alloc(struct compile *c)
{
    return c->cursor_count++;
}

// ---- keys and cursors ---------------------------------------------------------------------------------------

static u8 compile_encoding(struct compile *c)
{
    return connection_encoding(c->db);
}

struct key_info *key_info_make(struct compile *c, u32 fields, u32 extra)
{
    return key_info_new(c->program->arena, fields, fields + extra, compile_encoding(c));
}

struct key_info *key_info_of_list(struct compile *c, const struct expr_list *list, u32 start, u32 extra)
{
    struct key_info *key = key_info_make(c, list->count - start, extra + 1);
    for (u32 i = list->count; i-- > start;) { // of several unknown collations the last is told
        key->collations[i - start] = expr_collation(c, list->items[i].expr);
        u8 order = list->items[i].descending ? KEY_DESC : 0;
        // NULLs sort as smallest; saying otherwise makes them the largest.
        if (expr_item_nulls_big(&list->items[i])) order |= KEY_NULLS_LAST;
        key->orders[i - start] = order;
    }
    return key;
}

struct key_info *key_info_of_index(struct compile *c, const struct index *i)
{
    u32 fields = i->column_count;
    bool unique_not_null = i->unique_not_null;
    struct key_info *key = unique_not_null ? key_info_make(c, i->key_count, (u32)(i->column_count - i->key_count))
                                           : key_info_make(c, fields, 0);
    if (i->conflict != CONFLICT_NONE || i == i->table->primary_key) key->unique_count = i->key_count;
    for (u32 j = 0; j < fields; j++) {
        const char *name = i->collations ? i->collations[j] : NULL;
        key->collations[j] = name && !name_equal(name, "BINARY") ? find_collation(c, name) : NULL;
        key->orders[j] = i->descending && i->descending[j] ? KEY_DESC : 0;
    }
    return key;
}

void open_table(struct compile *c, int cursor, int database, const struct table *t, enum opcode op)
{
    compile_use_database(c, database);
    if (table_has_rowid(t)) {
        emit_int(c, op, cursor, (int)t->root, database, t->stored_count);
    } else {
        emit_key(c, op, cursor, (int)t->primary_key->root, database, key_info_of_index(c, t->primary_key));
    }
}

void open_index(struct compile *c, int cursor, int database, const struct index *i, enum opcode op)
{
    compile_use_database(c, database);
    emit_key(c, op, cursor, (int)i->root, database, key_info_of_index(c, i));
}

// ---- result columns -----------------------------------------------------------------------------------------

void compile_result_columns(struct compile *c, u32 count)
{
    program_columns_set(c->program, count);
}

void compile_result_column(struct compile *c, u32 column, const char *name, const char *decltype)
{
    struct program_column *out = &c->program->columns[column];
    struct arena *a = c->program->arena;
    out->name = name ? arena_copy(a, name, strlen(name)) : "";
    out->decltype = decltype ? arena_copy(a, decltype, strlen(decltype)) : NULL;
}

void compile_result_origin(struct compile *c, u32 column, s32 database, const struct table *t, s32 origin)
{
    struct program *p = c->program;
    struct program_column *out = &p->columns[column];
    const char *type = origin < 0 ? "INTEGER" : column_decltype(&t->columns[origin]);
    const char *name = origin < 0 ? "rowid" : t->columns[origin].name;
    const struct database *d = database >= 0 ? &c->db->databases[database] : NULL;
    const char *before = column > 0 ? out[-1].database : NULL; // most often the same
    if (d) out->database = before && strcmp(before, d->name) == 0 ? before : arena_copy(p->arena, d->name, strlen(d->name));
    bool held = d && t->kind == TABLE_ORDINARY && !(t->flags & TABLE_EPHEMERAL) && program_hold_schema(p, (u32)database, d->schema);
    out->table = held ? t->name : arena_copy(p->arena, t->name, strlen(t->name));
    out->origin = held ? name : arena_copy(p->arena, name, strlen(name));
    out->decltype = held || !type ? type : arena_copy(p->arena, type, strlen(type));
}

// ---- EXPLAIN QUERY PLAN --------------------------------------------------------------------------------------

static int explain_add(struct compile *c, const char *format, va_list args)
{
    if (!c->explain_query_plan) return 0;
    char text[1000];
    vsnprintf(text, sizeof text, format, args);
    int address = emit(c, OP_Explain, emit_here(c), c->explain_parent, 0);
    program_p4_text(c->program, address, text, -1);
    return address;
}

int explain_row(struct compile *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int address = explain_add(c, format, args);
    va_end(args);
    return address;
}

int explain_push(struct compile *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int address = explain_add(c, format, args);
    va_end(args);
    if (c->explain_query_plan) c->explain_parent = address;
    return address;
}

void explain_pop(struct compile *c)
{
    if (!c->explain_query_plan) return;
    c->explain_parent = c->explain_parent ? emit_op(c, c->explain_parent)->p2 : 0;
}

// ---- the program's frame ------------------------------------------------------------------------------------

void compile_begin(struct compile *c)
{
    emit(c, OP_Init, 0, 1, 0);
    c->factoring = true;
    c->factoring_once = true;
}

// What changes files, or means to, without a transaction of the program's own.
static bool writes_besides(const struct program *p)
{
    for (u32 i = 0; i < p->count; i++) {
        switch (p->code[i].opcode) {
        case OP_Vacuum:
        case OP_IncrVacuum:
        case OP_Checkpoint:
        case OP_JournalMode:
        case OP_Rekey: return true;
        case OP_Transaction: // BEGIN IMMEDIATE
            if (p->code[i].p2) return true;
        }
    }
    return false;
}

void compile_finish(struct compile *c)
{
    coding_mistake_tell(c);
    emit(c, OP_Halt, 0, 0, 0);
    struct program *p = c->program;
    int frame = emit_here(c);
    bool sub = c->outer != NULL;
    if (!sub) {
        for (int i = 0; i < compile_database_count(c); i++) {
            u32 bit = 1u << i;
            if (!(c->schema_used & bit)) continue;
            const struct schema *s = c->db->databases[i].schema;
            p->reads |= bit;
            emit(c, OP_Transaction, i, (c->schema_written & bit) != 0, s ? (int)s->cookie : 0);
            emit_set_p5(c, s != NULL);
            program_hold_schema(p, (u32)i, (struct schema *)s);
        }
        p->writes = c->schema_written;
        p->multi_row_write = c->multi_row_write;
        p->read_only = !c->schema_written && !c->may_write && !writes_besides(p);
        autoincrement_begin(c);
    }
    c->factoring = false;
    for (u32 i = 0; i < c->constant_count; i++) expr_code(c, c->constants[i].expr, c->constants[i].reg);
    p->may_abort = c->may_abort; // a constant's function counts, as in SQLite
    coding_mistake_tell(c);
    emit(c, OP_Goto, 0, 1, 0);
    emit_set_p2(c, 0, frame);
    if (p->count > (u64)compile_limit(c, SKERRY_LIMIT_VDBE_OP))
        compile_fail(c, ERR_TOOBIG, -1, "the statement takes more than %lld instructions", (long long)compile_limit(c, SKERRY_LIMIT_VDBE_OP));
    program_finish(p, c->register_count, c->cursor_count);
}

void compile_init_sub(struct compile *sub, struct compile *outer, struct program *program)
{
    *sub = (struct compile){
        .arena = outer->arena,
        .db = outer->db,
        .program = program,
        .top = outer->top,
        .outer = outer,
        .sql = outer->sql,
        .sql_size = outer->sql_size,
        .exit = outer->exit,
        .err = outer->err,
        .factoring = true,
        .factoring_once = true,
        .quiet_offsets = 1,
    };
}

void compile_statement(struct compile *c, struct stmt *s)
{
    switch ((enum stmt_kind)s->kind) {
    case STMT_SELECT:
        select_statement(c, (struct stmt_select *)s);
        break;
    case STMT_INSERT:
        insert_statement(c, (struct stmt_insert *)s);
        break;
    case STMT_UPDATE:
        update_statement(c, (struct stmt_update *)s);
        break;
    case STMT_DELETE:
        delete_statement(c, (struct stmt_delete *)s);
        break;
    case STMT_CREATE_TABLE:
        create_table_statement(c, (struct stmt_create_table *)s);
        break;
    case STMT_CREATE_INDEX:
        create_index_statement(c, (struct stmt_create_index *)s);
        break;
    case STMT_CREATE_VIEW:
        create_view_statement(c, (struct stmt_create_view *)s);
        break;
    case STMT_CREATE_TRIGGER:
        create_trigger_statement(c, (struct stmt_create_trigger *)s);
        break;
    case STMT_CREATE_VIRTUAL_TABLE:
        create_virtual_table_statement(c, (struct stmt_create_virtual_table *)s);
        break;
    case STMT_DROP:
        drop_statement(c, (struct stmt_drop *)s);
        break;
    case STMT_ALTER:
        alter_statement(c, (struct stmt_alter *)s);
        break;
    case STMT_BEGIN:
        begin_statement(c, (struct stmt_begin *)s);
        break;
    case STMT_COMMIT:
        commit_statement(c);
        break;
    case STMT_ROLLBACK:
        rollback_statement(c);
        break;
    case STMT_SAVEPOINT:
        savepoint_statement(c, (struct stmt_savepoint *)s);
        break;
    case STMT_PRAGMA:
        pragma_statement(c, (struct stmt_pragma *)s);
        break;
    case STMT_ATTACH:
        attach_statement(c, (struct stmt_attach *)s);
        break;
    case STMT_DETACH:
        detach_statement(c, (struct stmt_detach *)s);
        break;
    case STMT_VACUUM:
        vacuum_statement(c, (struct stmt_vacuum *)s);
        break;
    case STMT_REINDEX:
        reindex_statement(c, (struct stmt_reindex *)s);
        break;
    case STMT_ANALYZE:
        analyze_statement(c, (struct stmt_analyze *)s);
        break;
    }
}

// ---- from text to program -----------------------------------------------------------------------------------

static void parse_failed(struct parse *p, err_code code, u32 offset, const char *text)
{
    struct compile *c = p->context;
    if (p->table) ddl_broken_off(c, p);
    compile_fail(c, code, offset, "%s", text);
}

static void arena_exhausted(struct arena *a)
{
    struct compile *c = a->context;
    err_set(c->err, ERR_NOMEM, "compile", "out of memory");
    longjmp(*c->exit, 1);
}

static void parameters_set(struct compile *c, const struct parse *parse)
{
    struct program *p = c->program;
    p->parameter_count = parse->variable_count;
    p->parameters = arena_alloc(p->arena, (parse->variables_count + 1) * sizeof *p->parameters);
    p->named_parameter_count = parse->variables_count;
    for (u32 i = 0; i < parse->variables_count; i++) {
        const char *name = parse->variables[i].name;
        p->parameters[i].name = name ? arena_copy(p->arena, name, strlen(name)) : NULL;
        p->parameters[i].number = parse->variables[i].number;
    }
}

void compile_row_count(struct compile *c)
{
    if (c->row_count_reg) emit(c, OP_AddImm, c->row_count_reg, 1, 0);
}

// PRAGMA count_changes: a row that says how many rows were changed.
static void count_changes_code(struct compile *c, enum stmt_kind kind)
{
    int reg = reg_alloc(c);
    emit(c, OP_FkCheck, 0, 0, 0);
    emit(c, OP_Copy, c->row_count_reg, reg, 0);
    emit(c, OP_ResultRow, reg, 1, 0);
    compile_result_columns(c, 1);
    compile_result_column(c, 0, kind == STMT_INSERT   ? "rows inserted"
                                : kind == STMT_UPDATE ? "rows updated"
                                                      : "rows deleted", NULL);
}

// What is compiled into programs of other kinds may be what the connection had set at the time.
static bool statement_reusable(enum stmt_kind kind)
{
    return kind == STMT_SELECT || kind == STMT_INSERT || kind == STMT_UPDATE || kind == STMT_DELETE || kind == STMT_BEGIN ||
           kind == STMT_COMMIT || kind == STMT_ROLLBACK || kind == STMT_SAVEPOINT;
}

static bool is_deterministic(struct parse *p, struct expr *call)
{
    bool exists;
    const struct fn_def *def = compile_call_function(p->context, call, &exists);
    return def && !def->step && !(def->flags & (FN_AGGREGATE | FN_WINDOW | FN_WINDOW_ONLY)) && def->flags & (FN_DETERMINISTIC | FN_SLOW_CHANGE);
}

static void compile_text(struct compile *c, const char *sql, size_t size, bool own, size_t *used, struct program **out)
{
    struct parse parse = {
        .arena = c->arena,
        .sql = sql,
        .size = (u32)size,
        .depth_max = (u32)compile_limit(c, SKERRY_LIMIT_EXPR_DEPTH),
        .variable_max = (u32)compile_limit(c, SKERRY_LIMIT_VARIABLE_NUMBER),
        .column_max = (u32)compile_limit(c, SKERRY_LIMIT_COLUMN),
        .argument_max = (u32)compile_limit(c, SKERRY_LIMIT_FUNCTION_ARG),
        .fail = parse_failed,
        .begun = ddl_begun,
        .deterministic = is_deterministic,
        .context = c,
    };
    c->parse = &parse;
    parse_statement(&parse);
    c->select_id_next = parse.select_count;
    *used = parse.used;
    if (!parse.stmt) return;
    c->program = program_new(c->arena);
    *out = c->program;
    c->program->explain = parse.stmt->explain;
    c->program->changes_counted = parse.stmt->kind == STMT_INSERT || parse.stmt->kind == STMT_UPDATE ||
                                  parse.stmt->kind == STMT_DELETE;
    c->program->reusable = parse.stmt->explain == EXPLAIN_NO && statement_reusable((enum stmt_kind)parse.stmt->kind);
    c->program->semicolon = parse.token == TOKEN_SEMICOLON;
    c->explain_query_plan = parse.stmt->explain == EXPLAIN_QUERY_PLAN;
    c->sql_size = parse.used;
    parameters_set(c, &parse);
    compile_begin(c);
    if (c->program->changes_counted && !own && connection_flag(c->db, CONNECTION_COUNT_CHANGES)) {
        c->row_count_reg = reg_alloc(c);
        emit(c, OP_Integer, 0, c->row_count_reg, 0);
    }
    compile_statement(c, parse.stmt);
    if (c->row_count_reg && !c->program->column_count)
        count_changes_code(c, (enum stmt_kind)parse.stmt->kind);
    compile_finish(c);
    c->parse = NULL;
}

err_code compile_sql(struct skerry *db, struct arena *arena, const char *sql, size_t size, bool own, size_t *used,
                     struct program **out, struct err *err)
{
    jmp_buf exit;
    struct compile compile = {.arena = arena, .db = db, .sql = sql, .sql_size = size, .exit = &exit, .err = err};
    compile.top = &compile;
    void (*saved_exhausted)(struct arena *) = arena->out_of_memory;
    void *saved_context = arena->context;
    arena->out_of_memory = arena_exhausted;
    arena->context = &compile;
    *out = NULL;
    *used = 0;
    volatile err_code code = ERR_OK;
    if (setjmp(exit) == 0) {
        compile_text(&compile, sql, size, own, used, out);
    } else {
        code = err->code ? err->code : ERR_ERROR;
        if (*out) program_release(*out);
        *out = NULL;
    }
    arena->out_of_memory = saved_exhausted;
    arena->context = saved_context;
    return code;
}

err_code compile_run(struct skerry *db, void (*work)(struct compile *c, void *context), void *context, struct err *err)
{
    jmp_buf exit;
    struct arena arena;
    struct compile compile = {.arena = &arena, .db = db, .sql = "", .exit = &exit, .err = err};
    compile.top = &compile;
    arena_init(&arena, arena_exhausted, &compile);
    volatile err_code code = ERR_OK;
    if (setjmp(exit) == 0) {
        compile.program = program_new(&arena);
        work(&compile, context);
    } else {
        code = err->code ? err->code : ERR_ERROR;
    }
    if (compile.program) program_release(compile.program);
    arena_deinit(&arena);
    return code;
}
