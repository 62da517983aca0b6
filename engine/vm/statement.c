// Statements: preparing, stepping, ending.
#include "statement.h"

#include "../sql/compile.h"

static void statement_wake(struct waiter *w)
{
    struct op *op = CONTAINER_OF(w, struct op, waiter);
    connection_wake(CONTAINER_OF(op, struct skerry_stmt, op)->db);
}

#ifdef __SANITIZE_ADDRESS__
#define SPARES false // else what is used after a statement's end would go unseen
#else
#define SPARES true
#endif

// Everything but what may be the next one's.
static void statement_empty(struct skerry_stmt *s)
{
    for (u32 i = 0; i < s->parameter_capacity; i++)
        if (s->parameters[i].buffer || s->parameters[i].type != VALUE_NULL) value_deinit(&s->parameters[i]);
    if (s->record.buffer) value_deinit(&s->record);
    free(s->cell);
    statement_literals_free(s);
    op_settle(&s->op);
    waiter_remove(&s->op.waiter);
}

static void statement_free(struct skerry_stmt *s)
{
    statement_empty(s);
    free(s->parameters);
    free(s->sql);
    vm_cursors_release(s);
    op_deinit(&s->op);
    free(s);
}

// Whether the memory of one that has ended is little enough to be kept.
static bool statement_small(const struct skerry_stmt *s)
{
    enum { SQL_MAX = 4096, PARAMETERS_MAX = 64, PINS_MAX = 64, CURSORS_MAX = 4, FIELDS_MAX = 64 };
    u32 cursors = 0;
    for (const struct vm_cursor *c = s->free_cursors; c; c = c->next_free)
        if (++cursors > CURSORS_MAX || c->field_capacity > FIELDS_MAX) return false;
    return s->sql_capacity <= SQL_MAX && s->parameter_capacity <= PARAMETERS_MAX && s->op.pin_capacity <= PINS_MAX;
}

void statement_spare_free(struct skerry *db)
{
    if (db->statement_spare) statement_free(db->statement_spare);
    db->statement_spare = NULL;
}

static void slice_done(struct completion *c)
{
    struct skerry_stmt *s = c->context;
    s->slice_pending = false;
    if (!s->finalized) {
        connection_wake(s->db);
        return;
    }
    statement_free(s);
}

// Lets go of the program and of all that has its shape.
static void program_drop(struct skerry_stmt *s)
{
    if (!s->program) return;
    vm_release(s);
    for (struct program_sub *sub = s->program->subs; sub; sub = sub->next)
        for (; sub->program->free_frames; sub->program->free_frames = sub->program->free_frames->next_free)
            vm_frame_free(s, sub->program->free_frames);
    if (s->main_frame) vm_frame_free(s, s->main_frame);
    s->main_frame = NULL;
    vm_function_free(s);
    for (u32 i = 0; i < s->scratch_count; i++) value_deinit(&s->scratch[i]);
    free(s->scratch);
    s->scratch = NULL;
    s->scratch_count = 0;
    if (s->explain_row) {
        for (u32 i = 0; i < 8; i++) value_deinit(&s->explain_row[i]);
        free(s->explain_row);
        s->explain_row = NULL;
    }
    program_release(s->program);
    s->program = NULL;
    arena_deinit(&s->arena);
}

static void explain_columns(struct program *p)
{
    static const char *const plan[] = {"id", "parent", "notused", "detail"};
    static const char *const program[] = {"addr", "opcode", "p1", "p2", "p3", "p4", "p5", "comment"};
    bool query_plan = p->explain == EXPLAIN_QUERY_PLAN;
    u32 count = query_plan ? COUNT_OF(plan) : COUNT_OF(program);
    p->columns = arena_alloc(p->arena, count * sizeof *p->columns);
    p->column_count = p->columns ? count : 0;
    for (u32 i = 0; i < p->column_count; i++) p->columns[i].name = query_plan ? plan[i] : program[i];
}

err_code statement_program_set(struct skerry_stmt *s, const struct arena *arena, struct program *p, struct err *err)
{
    if (p->explain) explain_columns(p);
    program_drop(s);
    s->arena = *arena;
    p->arena = &s->arena;
    s->program = p;
    s->generation = s->db->generation;
    s->shape = s->db->shape;
    s->main_frame = vm_frame_new(s, p);
    u32 count = p->parameter_count + 1;
    if (s->main_frame && count > s->parameter_capacity) {
        struct value *grown = realloc(s->parameters, count * sizeof *grown);
        if (grown) {
            for (u32 i = s->parameter_capacity; i < count; i++) value_init(&grown[i]);
            s->parameters = grown;
            s->parameter_capacity = count;
        }
    }
    if (!s->main_frame || count > s->parameter_capacity) {
        err_set(err, ERR_NOMEM, __func__, "%s", err_default_text(ERR_NOMEM));
        return ERR_NOMEM;
    }
    return ERR_OK;
}

// Compiles; the schemas are loaded. The statement keeps its old program when it fails.
static err_code statement_compile(struct skerry_stmt *s, const char *sql, size_t size, size_t *used, struct err *err)
{
    struct arena arena;
    struct program *p;
    arena_init(&arena, NULL, NULL);
    err_code code = compile_sql(s->db, &arena, sql, size, s->nested, used, &p, err);
    if (code != ERR_OK || !p) {
        arena_deinit(&arena);
        return code;
    }
    return statement_program_set(s, &arena, p, err);
}

static void statement_link(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    s->prev = NULL;
    s->next = db->statements;
    if (s->next) s->next->prev = s;
    db->statements = s;
}

static void statement_unlink(struct skerry_stmt *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        s->db->statements = s->next;
    if (s->next) s->next->prev = s->prev;
}

struct skerry_stmt *statement_new(struct skerry *db, bool nested)
{
    struct skerry_stmt *s = db->statement_spare;
    if (s) {
        db->statement_spare = NULL;
        memset(s, 0, offsetof(struct skerry_stmt, op));
        memset(&s->state, 0, sizeof *s - offsetof(struct skerry_stmt, state));
        err_clear(&s->op.err);
    } else {
        s = calloc(1, sizeof *s);
        if (!s) return NULL;
        op_init(&s->op, db->engine->io, statement_wake);
    }
    s->db = db;
    s->nested = nested;
    completion_init(&s->slice, slice_done, s);
    value_init(&s->record);
    statement_link(s);
    return s;
}

// A statement that does not compile may fit the schema that another connection has made meanwhile.
static io_status schema_news(struct skerry *db, struct op *op, bool *changed)
{
    struct err kept = op->err;
    err_clear(&op->err);
    io_status status = connection_schemas_check(db, op, changed);
    if (status == IO_FAIL) err_clear(&op->err);
    if (status != IO_WAIT && !*changed) op->err = kept;
    return status == IO_WAIT ? IO_WAIT : IO_DONE;
}

// Of a script, up to a semicolon. It may stand in a string or a trigger.
size_t statement_text_part(const char *sql, size_t size, size_t tried)
{
    size_t from = tried * 8;
    if (from + 1024 > size) return size;
    const char *end = memchr(sql + from, ';', size - from);
    return end ? (size_t)(end - sql) + 1 : size;
}

bool statement_text_set(char **text, size_t *capacity, const char *sql, size_t size)
{
    if (*capacity <= size) {
        size_t wanted = MAX(size + 1, (size_t)256);
        char *grown = malloc(wanted);
        if (!grown) return false;
        free(*text);
        *text = grown;
        *capacity = wanted;
    }
    memcpy(*text, sql, size);
    (*text)[size] = 0;
    return true;
}

io_status statement_prepare(struct skerry *db, struct op *op, const char *sql, size_t size, bool nested,
                            struct skerry_stmt **out, size_t *used)
{
    *out = NULL;
    *used = 0;
    IO_TRY(connection_closing(db, op));
    size_t part = statement_text_part(sql, size, 0);
    for (;;) {
        io_status status = connection_schemas_load(db, op);
        if (status == IO_WAIT) return status;
        if (status == IO_FAIL) {
            if (!nested) connection_end_read(db);
            return status;
        }
        struct skerry_stmt *s = nested ? NULL : statement_cache_take(db, sql, size);
        if (s) {
            statement_unlink(s);
            statement_link(s);
            *out = s;
            *used = s->sql_size;
            connection_end_read(db);
            return IO_DONE;
        }
        s = statement_new(db, nested);
        if (!s || !statement_text_set(&s->sql, &s->sql_capacity, sql, part)) {
            if (s) statement_destroy(s);
            return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
        }
        err_code code = statement_compile(s, s->sql, part, used, &op->err);
        if (part < size && (code != ERR_OK || !s->program || !s->program->semicolon)) {
            statement_destroy(s);
            connection_measure_clear(db);
            if (code != ERR_OK) err_clear(&op->err);
            part = statement_text_part(sql, size, part);
            continue;
        }
        if (UNLIKELY(db->measure_count && code == ERR_OK)) { // planned without knowing sizes that can be known
            statement_destroy(s);
            IO_TRY(connection_measure(db, op));
            continue;
        }
        connection_measure_clear(db);
        if (code == ERR_OK && s->program) {
            s->sql[*used] = 0;
            s->sql_size = *used;
            *out = s;
        } else {
            statement_destroy(s);
        }
        bool changed = false;
        if (code != ERR_OK && !nested) IO_TRY(schema_news(db, op, &changed));
        if (changed) continue;
        if (!nested) connection_end_read(db);
        return code == ERR_OK ? IO_DONE : IO_FAIL;
    }
}

static void run_abandon(struct skerry_stmt *s)
{
    vm_abandon(s);
    waiter_remove(&s->op.waiter);
    op_settle(&s->op);
}

static void idle_destroy(struct skerry_stmt *s)
{
    program_drop(s);
    statement_unlink(s);
    if (s->slice_pending) {
        s->finalized = true;
        return;
    }
    if (SPARES && !s->db->statement_spare && statement_small(s)) {
        statement_empty(s);
        s->db->statement_spare = s;
    } else {
        statement_free(s);
    }
}

void skerry_finalize(struct skerry_stmt *s)
{
    if (!s) return;
    run_abandon(s);
    if (!statement_cache_keep(s)) idle_destroy(s);
}

void statement_destroy(struct skerry_stmt *s)
{
    run_abandon(s);
    idle_destroy(s);
}

// ---- stepping --------------------------------------------------------------------------------------------------

static void error_clear(struct skerry_stmt *s)
{
    if (s->op.err.code != ERR_OK || s->op.err.text[0]) err_clear(&s->op.err);
}

u64 statement_bytes(const struct skerry_stmt *s)
{
    u64 bytes = sizeof *s + s->sql_capacity + s->literals.text_capacity + s->literals.spare_capacity + s->arena.total + s->record.capacity + s->cell_capacity;
    for (u32 i = 0; i < s->scratch_count; i++) bytes += sizeof *s->scratch + s->scratch[i].capacity;
    for (u32 i = 0; i < s->parameter_capacity; i++) bytes += sizeof *s->parameters + s->parameters[i].capacity;
    for (s32 i = 0; s->main_frame && i <= s->program->register_count; i++)
        bytes += s->main_frame->registers[i].capacity;
    return bytes;
}

static io_status reprepare(struct skerry_stmt *s)
{
    if (++s->reprepare_count > 50) return IO_ERROR(&s->op.err, ERR_SCHEMA, "database schema has changed");
    io_status status = connection_schemas_load(s->db, &s->op);
    if (status == IO_WAIT) s->reprepare_count--;
    IO_TRY(status);
    size_t used;
    s->counters.reprepares++;
    for (;;) {
        err_code code = statement_compile(s, s->sql, s->sql_size, &used, &s->op.err);
        if (LIKELY(!s->db->measure_count || code != ERR_OK)) return code == ERR_OK ? IO_DONE : IO_FAIL;
        status = connection_measure(s->db, &s->op);
        if (status == IO_WAIT) s->reprepare_count--;
        IO_TRY(status);
    }
}

static void run_begin(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    if (db->active_count == 0) db->interrupted = false;
    error_clear(s);
    s->frame = s->main_frame;
    s->pc = 0;
    memset(s->frame->once, 0, (s->program->count + 7) / 8);
    s->changes = s->foreign_violations = 0;
    s->now_ms = 0;
    s->error_action = CONFLICT_ABORT;
    s->halt_step = HALT_BEGIN;
    s->aborted = s->rolled_back = s->schema_mismatch = false;
    s->registers_used = true;
    s->busy_deadline_ns = s->checkpoint_next = 0;
    s->collation = NULL;
    s->permutation = NULL;
    s->min_max_register = 0;
    s->explain_at = s->explain_frame = 0;
    s64 limit_ms = db->limits[SKERRY_LIMIT_STATEMENT_MS];
    s->deadline_ns = limit_ms ? io_now_ns(s->op.io) + (u64)limit_ms * 1000000 : 0;
    s->encoding = connection_encoding(db);
    if (!s->nested && !s->active) {
        s->active = true;
        db->active_count++;
        if (s->program->writes && !s->program->explain) {
            s->active_write = true;
            db->active_write_count++;
        }
    }
    s->counters.runs++;
    s->state = STMT_STATE_RUNNING;
}

// The program does not fit the schema: compiled anew, it starts over in the transaction that it has.
static io_status run_again(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    error_clear(s);
    IO_TRY(reprepare(s));
    if (s->active_write) db->active_write_count--;
    if (s->active) db->active_count--;
    s->active = s->active_write = false;
    run_begin(s);
    s->counters.runs--; // it is the same
    return IO_DONE;
}

static enum vm_result run_end(struct skerry_stmt *s)
{
    io_status status = vm_halt(s);
    if (status == IO_WAIT) return VM_WAIT;
    s->reprepare_count = 0;
    s->expired = s->program->run_once;
    s->state = status == IO_DONE ? STMT_STATE_DONE : STMT_STATE_FAILED;
    return status == IO_DONE ? VM_DONE : VM_FAIL;
}

enum vm_result statement_step(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    switch ((enum stmt_state)s->state) {
    case STMT_STATE_HALTING: return run_end(s);
    case STMT_STATE_READY:
    case STMT_STATE_DONE:
    case STMT_STATE_FAILED:
        if (UNLIKELY(s->generation != db->generation)) s->expired = true;
        if (LIKELY(!s->expired)) {
            run_begin(s);
            break;
        }
        if (!s->nested && !s->active) {
            s->active = true;
            db->active_count++;
        }
        s->state = STMT_STATE_RUNNING;
        break;
    case STMT_STATE_RUNNING:
    case STMT_STATE_ROW: break;
    }
    for (;;) {
        if (UNLIKELY(s->expired)) {
            io_status status = run_again(s);
            if (status == IO_WAIT) return VM_WAIT;
            if (status == IO_FAIL) return run_end(s);
            s->expired = false;
        }
        if (UNLIKELY(db->committing && db->committing != s && !s->nested)) {
            wait_list_add(&db->commit_waiters, &s->op.waiter);
            return VM_WAIT;
        }
        s->state = STMT_STATE_RUNNING;
        enum vm_result result = s->program->explain ? vm_explain(s) : vm_run(s);
        switch (result) {
        case VM_ROW: s->state = STMT_STATE_ROW; return result;
        case VM_WAIT: return result;
        case VM_FAIL:
            if (s->schema_mismatch) {
                s->schema_mismatch = false;
                vm_release(s);
                s->expired = true;
                continue;
            }
            return run_end(s);
        case VM_DONE: return run_end(s);
        }
    }
}
