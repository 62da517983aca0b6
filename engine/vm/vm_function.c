// Calling SQL functions; states of aggregates.
#include "vm.h"

static struct function_context *context_begin(struct skerry_stmt *s, const struct fn_def *def)
{
    struct function_context *ctx = s->function;
    if (UNLIKELY(!ctx)) {
        ctx = calloc(1, sizeof *ctx);
        if (!ctx) {
            (void)vm_no_memory(s);
            return NULL;
        }
        ctx->db = s->db;
        ctx->io = s->op.io;
        ctx->keeps_document = true;
        value_init(&ctx->result);
        value_init(&ctx->error);
        s->function = ctx;
    }
    if (!s->now_ms) s->now_ms = io_wall_ms(s->op.io);
    ctx->now_ms = s->now_ms;
    ctx->def = def;
    ctx->collation = s->collation ? s->collation : &COLLATION_BINARY;
    ctx->encoding = s->encoding;
    ctx->pure_where = NULL;
    ctx->failed = false;
    ctx->aggregate = NULL;
    ctx->aux = NULL;
    ctx->full_text = NULL;
    ctx->constant_mask = 0;
    value_set_null(&ctx->result);
    return ctx;
}

static struct function_context *function_begin(struct skerry_stmt *s, const struct function_call *call)
{
    struct function_context *ctx = context_begin(s, call->def);
    if (UNLIKELY(!ctx)) return NULL;
    ctx->pure_where = call->pure_where;
    struct vm_aux *aux = &s->frame->aux[call->number];
    ctx->aux = &aux->data;
    ctx->aux_free = &aux->free;
    ctx->aux_argument = &aux->argument;
    return ctx;
}

static io_status function_fail(struct skerry_stmt *s, struct function_context *ctx)
{
    err_code code = ctx->code == ERR_OK ? ERR_ERROR : ctx->code;
    if (ctx->error.type == VALUE_TEXT)
        err_set(&s->op.err, code, ctx->def->name, "%.*s", (int)MIN(ctx->error.size, 900u), ctx->error.bytes);
    else
        err_set(&s->op.err, code, ctx->def->name, "%s", err_default_text(code));
    ctx->failed = false;
    ctx->code = ERR_OK;
    value_set_null(&ctx->error);
    return IO_FAIL;
}

#define ARGUMENTS_MAX 1000

static void arguments_set(struct skerry_stmt *s, const struct instruction *in, const struct value **argv)
{
    const struct value *first = &s->frame->registers[in->p2];
    for (u32 i = 0; i < in->p5; i++) argv[i] = &first[i];
}

#define SLICE_BYTES_LEAST 4096 // calls with less are fast: loops count them

static u32 value_bytes(const struct value *v)
{
    return v->type >= VALUE_TEXT ? v->size : 0;
}

io_status vm_function(struct skerry_stmt *s, const struct instruction *in)
{
    const struct value *argv[ARGUMENTS_MAX + 1];
    struct function_context *ctx = function_begin(s, in->p4.call);
    if (!ctx) return IO_FAIL;
    if (UNLIKELY(in->p5 > ARGUMENTS_MAX)) return IO_ERROR(&s->op.err, ERR_ERROR, "too many arguments on function %s", ctx->def->name);
    arguments_set(s, in, argv);
    ctx->constant_mask = (u32)in->p1;
    ctx->def->scalar(ctx, in->p5, argv);
    s->collation = NULL;
    if (UNLIKELY(ctx->failed)) return function_fail(s, ctx);
    u64 bytes = value_bytes(&ctx->result);
    for (u32 i = 0; i < in->p5; i++) bytes += value_bytes(argv[i]);
    if (UNLIKELY(bytes > SLICE_BYTES_LEAST)) s->slice_bytes += bytes;
    struct value *out = &s->frame->registers[in->p3];
    if (ctx->result.flags & VALUE_BORROWED) VALUE_TRY(s, value_own(&ctx->result));
    value_move(out, &ctx->result);
    return IO_DONE;
}

const struct full_text_row *function_full_text(const struct function_context *ctx) { return ctx->full_text; }

io_status vm_full_text_call(struct skerry_stmt *s, const struct fn_def *def, const struct full_text_row *row, const struct value *arguments,
                            u32 argc, struct value *out)
{
    const struct value *argv[ARGUMENTS_MAX + 1];
    if (argc > ARGUMENTS_MAX) return IO_ERROR(&s->op.err, ERR_ERROR, "too many arguments on function %s", def->name);
    struct function_context *ctx = context_begin(s, def);
    if (!ctx) return IO_FAIL;
    for (u32 i = 0; i < argc; i++) argv[i] = &arguments[i];
    ctx->full_text = row;
    def->scalar(ctx, argc, argv);
    ctx->full_text = NULL;
    if (ctx->failed) return function_fail(s, ctx);
    if (ctx->result.flags & VALUE_BORROWED) VALUE_TRY(s, value_own(&ctx->result));
    value_move(out, &ctx->result);
    return IO_DONE;
}

// ---- aggregates ----------------------------------------------------------------------------------------------

#define SPARE_MAX 16u

struct vm_aggregate *vm_aggregate_new(struct skerry_stmt *s, struct value *v, const struct fn_def *def)
{
    struct vm_aggregate *a = s->aggregates_spare;
    if (LIKELY(a)) {
        s->aggregates_spare = a->next;
        s->aggregates_spare_count--;
    } else if (!(a = malloc(sizeof *a))) {
        (void)vm_no_memory(s);
        return NULL;
    }
    a->def = def;
    a->state.at = NULL;
    a->prev = NULL;
    a->next = s->aggregates;
    if (a->next) a->next->prev = a;
    s->aggregates = a;
    value_set_null(v);
    v->flags = VALUE_POINTER;
    v->pointer = a;
    return a;
}

static void aggregate_unlink(struct skerry_stmt *s, struct vm_aggregate *a)
{
    if (a->prev)
        a->prev->next = a->next;
    else
        s->aggregates = a->next;
    if (a->next) a->next->prev = a->prev;
    aggregate_state_free(&a->state);
    if (UNLIKELY(s->aggregates_spare_count == SPARE_MAX)) {
        free(a);
        return;
    }
    a->next = s->aggregates_spare;
    s->aggregates_spare = a;
    s->aggregates_spare_count++;
}

// Runs `final` for a state that nobody asks any more: it frees what the state owns.
static void aggregate_discard(struct skerry_stmt *s, struct vm_aggregate *a)
{
    struct function_context *ctx = s->function;
    if (ctx && a->state.at && a->def->final) {
        ctx->def = a->def;
        ctx->failed = false;
        ctx->aggregate = &a->state;
        value_set_null(&ctx->result);
        a->def->final(ctx);
        ctx->failed = false;
        ctx->code = ERR_OK;
    }
    aggregate_unlink(s, a);
}

void vm_pointer_release(struct skerry_stmt *s, struct value *v)
{
    for (struct vm_aggregate *a = s->aggregates; a; a = a->next) {
        if (a == v->pointer) {
            aggregate_discard(s, a);
            break;
        }
    }
    value_set_null(v);
}

u64 vm_accumulator_bytes(const struct value *v)
{
    if (!(v->flags & VALUE_POINTER)) return v->capacity;
    const struct vm_aggregate *a = v->pointer;
    return a->def->flags & FN_MIN_MAX && a->state.at ? fn_extreme_bytes(a->state.at) : 0;
}

void vm_groups_free(struct skerry_stmt *s, struct group_table *t)
{
    for (u64 i = 0; t && i < t->count; i++)
        for (u32 k = t->keys; k < t->keys + t->accumulators; k++)
            if (t->groups[i]->values[k].flags & VALUE_POINTER) aggregate_discard(s, t->groups[i]->values[k].pointer);
    group_table_free(t);
}

void vm_aggregates_free(struct skerry_stmt *s)
{
    while (s->aggregates) aggregate_discard(s, s->aggregates);
}

io_status vm_aggregate_step(struct skerry_stmt *s, const struct instruction *in, bool inverse)
{
    const struct value *argv[ARGUMENTS_MAX + 1];
    struct function_context *ctx = function_begin(s, in->p4.call);
    if (!ctx) return IO_FAIL;
    struct value *v = &s->frame->registers[in->p3];
    struct vm_aggregate *a = v->flags & VALUE_POINTER ? v->pointer : vm_aggregate_new(s, v, ctx->def);
    if (!a) return IO_FAIL;
    if (UNLIKELY(in->p5 > ARGUMENTS_MAX)) return IO_ERROR(&s->op.err, ERR_ERROR, "too many arguments on function %s", ctx->def->name);
    arguments_set(s, in, argv);
    ctx->aggregate = &a->state;
    ctx->keep_row = false;
    (inverse ? ctx->def->inverse : ctx->def->step)(ctx, in->p5, argv);
    if (s->min_max_register && ctx->keep_row)
        value_set_integer(&s->frame->registers[s->min_max_register], 1);
    s->collation = NULL;
    s->min_max_register = 0;
    if (UNLIKELY(ctx->failed)) return function_fail(s, ctx);
    return IO_DONE;
}

io_status vm_aggregate_value(struct skerry_stmt *s, const struct instruction *in, bool final)
{
    struct function_context *ctx = function_begin(s, in->p4.call);
    if (!ctx) return IO_FAIL;
    struct value *accumulator = &s->frame->registers[in->p1];
    struct vm_aggregate *a = accumulator->flags & VALUE_POINTER ? accumulator->pointer : NULL;
    struct aggregate_state none = {.at = NULL};
    ctx->aggregate = a ? &a->state : &none;
    (final ? ctx->def->final : ctx->def->value)(ctx);
    aggregate_state_free(&none);
    bool failed = ctx->failed;
    if (final) {
        if (a) aggregate_unlink(s, a);
        value_set_null(accumulator);
    }
    if (UNLIKELY(failed)) return function_fail(s, ctx);
    struct value *out = final ? accumulator : &s->frame->registers[in->p3];
    if (ctx->result.flags & VALUE_BORROWED) VALUE_TRY(s, value_own(&ctx->result));
    value_move(out, &ctx->result);
    return IO_DONE;
}

void vm_function_free(struct skerry_stmt *s)
{
    for (struct vm_aggregate *a; (a = s->aggregates_spare); free(a)) s->aggregates_spare = a->next;
    s->aggregates_spare_count = 0;
    if (!s->function) return;
    value_deinit(&s->function->result);
    value_deinit(&s->function->error);
    function_document_free(s->function);
    free(s->function);
    s->function = NULL;
}

void vm_aux_free(struct vm_frame *f)
{
    for (u32 i = 0; i < f->program->call_count; i++) {
        if (f->aux[i].data && f->aux[i].free) f->aux[i].free(f->aux[i].data);
        f->aux[i] = (struct vm_aux){0};
    }
}
