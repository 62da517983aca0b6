// The table of built-in functions, and what their implementations are given to work with.
#include "fn_internal.h"
#include "../utf16.h"

#include <pthread.h>
#include <stdarg.h>

static const struct fn_def *const PARTS[] = {
    FN_TEXT, FN_LIKE_TABLE, FN_PRINTF, FN_MATH, FN_AGGREGATES, FN_WINDOWS, FN_DATE, FN_JSON, FN_JSON_EDIT, FN_MISC, FN_UUID, FN_VECTOR, FN_REGEXP,
    FN_FTS,
};

// Chains of table entries by hash of the name; built at the first look.
enum { HASH_SIZE = 512, ENTRY_MAX = 400 };
static const struct fn_def *entries[ENTRY_MAX];
static u32 entry_count;
static u16 hash_head[HASH_SIZE], hash_next[ENTRY_MAX];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static u32 name_hash(const char *name, size_t size)
{
    u32 h = (u32)size;
    for (size_t i = 0; i < size; i++) h = h * 31 + ascii_lower((u8)name[i]);
    return (h ^ h >> 9) % HASH_SIZE;
}

static void table_build(void)
{
    for (u32 p = 0; p < COUNT_OF(PARTS); p++) {
        for (const struct fn_def *d = PARTS[p]; d->name; d++) {
            ASSERT(entry_count < ENTRY_MAX - 1);
            u32 h = name_hash(d->name, strlen(d->name));
            entries[++entry_count] = d; // 0 ends a chain
            hash_next[entry_count] = hash_head[h];
            hash_head[h] = (u16)entry_count;
        }
    }
}

static bool name_equal(const char *lower, const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((u8)lower[i] != ascii_lower((u8)name[i])) return false;
    }
    return lower[size] == 0;
}

const struct fn_def *fn_find(const char *name, size_t name_size, s32 argc, bool *name_exists)
{
    pthread_once(&table_once, table_build);
    const struct fn_def *variadic = NULL;
    *name_exists = false;
    for (u32 i = hash_head[name_hash(name, name_size)]; i; i = hash_next[i]) {
        const struct fn_def *d = entries[i];
        if (!name_equal(d->name, name, name_size)) continue;
        *name_exists = true;
        if (d->argument_count == argc) return d;
        if (d->argument_count == -1 || (d->argument_count < -1 && argc >= -2 - d->argument_count)) variadic = d;
    }
    return variadic;
}

const struct fn_def *fn_table(u32 index)
{
    pthread_once(&table_once, table_build);
    return index < entry_count ? entries[index + 1] : NULL;
}

// ---- results -----------------------------------------------------------------------------------------

static void result_failed(struct function_context *ctx, err_code code)
{
    if (code == ERR_TOOBIG) {
        result_toobig(ctx);
    } else if (code != ERR_OK) {
        result_nomem(ctx);
    }
}

void result_null(struct function_context *ctx)
{
    value_set_null(&ctx->result);
}

void result_integer(struct function_context *ctx, s64 i)
{
    value_set_integer(&ctx->result, i);
}

void result_real(struct function_context *ctx, double r)
{
    value_set_real(&ctx->result, r);
}

s64 function_limit(const struct function_context *ctx, enum skerry_limit limit)
{
    if (ctx->db) return skerry_limit(ctx->db, limit, -1);
    return limit == SKERRY_LIMIT_LIKE_PATTERN_LENGTH ? 50000 : VALUE_SIZE_MAX;
}

static bool size_fits(struct function_context *ctx, size_t size)
{
    if (LIKELY(size <= FUNCTION_LENGTH_MIN) || (s64)size <= function_limit(ctx, SKERRY_LIMIT_LENGTH)) return true;
    result_toobig(ctx);
    return false;
}

// In a UTF-16 database a text is what its characters are there: a function may have cut one in two. Its size is the one there, too.
static void result_wide(struct function_context *ctx)
{
    struct value *r = &ctx->result;
    bool ascii = true;
    if (r->type != VALUE_TEXT) return;
    for (u32 i = 0; i < r->size && ascii; i++) ascii = r->bytes[i] < 0x80;
    const bool big_endian = ctx->encoding == 3;
    err_code code = ascii ? ERR_OK : utf16_value_to_blob(r, big_endian);
    if (code == ERR_OK && !size_fits(ctx, ascii ? 2 * (size_t)r->size : r->size)) return;
    if (code == ERR_OK && !ascii) code = utf16_value_to_text(r, big_endian);
    result_failed(ctx, code);
}

void result_text(struct function_context *ctx, const void *bytes, size_t size)
{
    if (!size_fits(ctx, size)) return;
    result_failed(ctx, value_set_text(&ctx->result, bytes, size));
    if (UNLIKELY(ctx->encoding > 1)) result_wide(ctx);
}

void result_blob(struct function_context *ctx, const void *bytes, size_t size)
{
    if (size_fits(ctx, size)) result_failed(ctx, value_set_blob(&ctx->result, bytes, size));
}

void result_zero_blob(struct function_context *ctx, u64 size)
{
    if (size_fits(ctx, size)) result_failed(ctx, value_set_zero_blob(&ctx->result, size));
}

void result_value(struct function_context *ctx, const struct value *v)
{
    result_failed(ctx, value_copy(&ctx->result, v));
}

void result_subtype(struct function_context *ctx, u8 subtype)
{
    ctx->result.flags |= VALUE_SUBTYPE;
    ctx->result.subtype = subtype;
}

static void result_error_list(struct function_context *ctx, err_code code, const char *format, va_list list)
{
    char text[ERR_TEXT_MAX];
    int n = vsnprintf(text, sizeof text, format, list);
    ctx->failed = true;
    ctx->code = code;
    if (value_set_text(&ctx->error, text, MIN((size_t)MAX(n, 0), sizeof text - 1)) != ERR_OK) ctx->code = ERR_NOMEM;
}

void result_error(struct function_context *ctx, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    result_error_list(ctx, ERR_ERROR, format, list);
    va_end(list);
}

void result_error_code(struct function_context *ctx, err_code code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    result_error_list(ctx, code, format, list);
    va_end(list);
}

void result_nomem(struct function_context *ctx)
{
    result_error_code(ctx, ERR_NOMEM, "out of memory");
}

void result_toobig(struct function_context *ctx)
{
    result_error_code(ctx, ERR_TOOBIG, "string or blob too big");
}

struct text_buffer text_buffer_of_result(struct function_context *ctx)
{
    struct value *r = &ctx->result;
    struct text_buffer b = {.bytes = r->buffer, .capacity = r->capacity};
    value_init(r);
    return b;
}

static void result_buffer(struct function_context *ctx, struct text_buffer *b, u8 type)
{
    text_reserve(b, 1);
    if (b->failed != ERR_OK) {
        result_failed(ctx, b->failed);
    } else if (size_fits(ctx, b->size)) {
        struct value *r = &ctx->result;
        free(r->buffer);
        b->bytes[b->size] = 0;
        *r = (struct value){.type = type, .flags = VALUE_TERMINATED, .size = (u32)b->size, .bytes = b->bytes,
                            .buffer = b->bytes, .capacity = (u32)b->capacity};
        *b = (struct text_buffer){0};
        return;
    }
    text_buffer_deinit(b);
}

void result_text_buffer(struct function_context *ctx, struct text_buffer *b)
{
    result_buffer(ctx, b, VALUE_TEXT);
    if (UNLIKELY(ctx->encoding > 1)) result_wide(ctx);
}

void result_blob_buffer(struct function_context *ctx, struct text_buffer *b)
{
    result_buffer(ctx, b, VALUE_BLOB);
}

// ---- the call ----------------------------------------------------------------------------------------

void *function_user(const struct function_context *ctx)
{
    return ctx->def->user_pointer;
}

struct skerry *function_db(const struct function_context *ctx)
{
    return ctx->db;
}

void *function_kept(struct function_context *ctx, s32 argument)
{
    bool constant = argument < 0 || (argument < 32 && ctx->constant_mask >> argument & 1);
    return constant && ctx->aux && *ctx->aux_argument == argument ? *ctx->aux : NULL;
}

void function_keep(struct function_context *ctx, s32 argument, void *data, void (*release)(void *))
{
    if (!ctx->aux) {
        if (release) release(data);
        return;
    }
    if (*ctx->aux && *ctx->aux_free) (*ctx->aux_free)(*ctx->aux);
    *ctx->aux = data;
    *ctx->aux_free = release;
    *ctx->aux_argument = (s16)argument;
}

// ---- arguments ---------------------------------------------------------------------------------------

void *function_aggregate(struct function_context *ctx, size_t size)
{
    struct aggregate_state *state = ctx->aggregate;
    if (state->at || !size) return state->at;
    if (size <= sizeof state->small) return aggregate_state_small(state, size);
    state->at = calloc(1, size);
    if (!state->at) result_nomem(ctx);
    return state->at;
}

static const u8 *function_bytes(struct function_context *ctx, const struct value *v, struct value *scratch,
                                u32 *size)
{
    err_code code = ERR_OK;
    switch ((enum value_type)v->type) {
    case VALUE_NULL: return NULL;
    case VALUE_BLOB:
        if (!(v->flags & VALUE_ZERO_TAIL)) break;
        code = value_copy(scratch, v);
        if (code == ERR_OK) code = value_expand(scratch);
        v = scratch;
        break;
    case VALUE_TEXT: break;
    case VALUE_INTEGER:
    case VALUE_REAL:
        code = value_copy(scratch, v);
        if (code == ERR_OK) code = value_to_text(scratch);
        v = scratch;
        break;
    }
    if (code != ERR_OK) {
        result_failed(ctx, code);
        return NULL;
    }
    *size = v->size;
    return v->bytes ? v->bytes : (const u8 *)"";
}

// In a UTF-16 database.
static const u8 *function_bytes_wide(struct function_context *ctx, const struct value *v, bool text, struct value *scratch, u32 *size)
{
    err_code code = value_copy(scratch, v);
    if (code == ERR_OK) code = text ? utf16_value_to_text(scratch, ctx->encoding == 3) : utf16_value_to_blob(scratch, ctx->encoding == 3);
    if (code != ERR_OK) {
        result_failed(ctx, code);
        return NULL;
    }
    *size = scratch->size;
    return scratch->bytes ? scratch->bytes : (const u8 *)"";
}

const u8 *function_text(struct function_context *ctx, const struct value *v, struct value *scratch, u32 *size)
{
    if (UNLIKELY(ctx->encoding > 1 && v->type == VALUE_BLOB)) return function_bytes_wide(ctx, v, true, scratch, size);
    return function_bytes(ctx, v, scratch, size);
}

const u8 *function_blob(struct function_context *ctx, const struct value *v, struct value *scratch, u32 *size)
{
    if (UNLIKELY(ctx->encoding > 1 && v->type == VALUE_TEXT))
        return function_bytes_wide(ctx, v, false, scratch, size);
    return function_bytes(ctx, v, scratch, size);
}

int function_compare(const struct function_context *ctx, const struct value *a, const struct value *b)
{
    if (UNLIKELY(ctx->encoding > 1) && a->type == VALUE_TEXT && b->type == VALUE_TEXT && ctx->collation == &COLLATION_BINARY)
        return utf16_compare(a->bytes, a->size, b->bytes, b->size, ctx->encoding == 3);
    return value_compare(a, b, ctx->collation);
}

enum value_type function_numeric(const struct function_context *ctx, const struct value *v, struct number_text *number)
{
    switch ((enum value_type)v->type) {
    case VALUE_INTEGER:
        *number = (struct number_text){.kind = NUMBER_INTEGER, .integer = v->integer, .real = (double)v->integer};
        return VALUE_INTEGER;
    case VALUE_REAL:
        *number = (struct number_text){.kind = NUMBER_REAL, .real = v->real};
        return VALUE_REAL;
    case VALUE_TEXT:
        *number = number_parse(v->bytes, v->size);
        if (number->kind == NUMBER_NONE || !number->whole) return VALUE_TEXT;
        return number->kind == NUMBER_INTEGER ? VALUE_INTEGER : VALUE_REAL;
    case VALUE_BLOB:
        *number = number_parse_in(v, ctx->encoding);
        return VALUE_BLOB;
    case VALUE_NULL: break;
    }
    *number = (struct number_text){.kind = NUMBER_NONE};
    return VALUE_NULL;
}
