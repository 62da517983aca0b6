// What the implementations of SQL functions share: growing text, UTF-8, the parts of the table.
#pragma once

#include "fn.h"
#include "../utf8.h"

// ---- the table's parts, each ended by an entry without a name ------------------------------------------

extern const struct fn_def FN_TEXT[], FN_LIKE_TABLE[], FN_PRINTF[], FN_MATH[], FN_DATE[], FN_AGGREGATES[],
    FN_WINDOWS[], FN_JSON[], FN_JSON_EDIT[], FN_MISC[], FN_UUID[], FN_VECTOR[], FN_REGEXP[],
    FN_FTS[];

// argument_count of a function that takes n arguments or more.
#define FN_AT_LEAST(n) ((s16)(-2 - (n)))

// Text of that size is within every limit: skerry_limit allows no less for lengths and patterns.
#define FUNCTION_LENGTH_MIN 30

// ---- growing text ------------------------------------------------------------------------------------

// Text or bytes under construction. The first failure is kept and everything behind it is dropped.
struct text_buffer {
    u8 *bytes;
    size_t size, capacity;
    err_code failed;
    bool lent; // bytes are the caller's room, which is left once it is too small
};
#define TEXT_BUFFER_ON(room) {.bytes = (room), .capacity = sizeof(room), .lent = true} // not for what becomes a result
void text_buffer_deinit(struct text_buffer *b);
// Empty, in the room that the call's result has from earlier ones: for what becomes the result. The caller gives it back
// (result_text_buffer) or frees it.
struct text_buffer text_buffer_of_result(struct function_context *ctx);
bool text_reserve_slow(struct text_buffer *b, size_t more);
void text_append_slow(struct text_buffer *b, const void *bytes, size_t size);
void text_append_repeated(struct text_buffer *b, u8 c, size_t count);
void text_append_string(struct text_buffer *b, const char *s);
// As its text, a blob as that of a database in that encoding; NULL appends nothing.
void text_append_value(struct text_buffer *b, const struct value *v, u8 encoding);
// Room for `more` bytes behind size.
static inline bool text_reserve(struct text_buffer *b, size_t more)
{
    return LIKELY(b->capacity - b->size >= more && b->failed == ERR_OK) || text_reserve_slow(b, more);
}
static inline void text_append(struct text_buffer *b, const void *bytes, size_t size)
{
    if (LIKELY(b->capacity - b->size >= size && b->failed == ERR_OK)) {
        if (size) memcpy(b->bytes + b->size, bytes, size);
        b->size += size;
    } else {
        text_append_slow(b, bytes, size);
    }
}
static inline void text_append_char(struct text_buffer *b, u8 c)
{
    text_append(b, &c, 1);
}
// The buffer becomes the function's result (or its failure the error) and is empty afterwards.
void result_text_buffer(struct function_context *ctx, struct text_buffer *b);
void result_blob_buffer(struct function_context *ctx, struct text_buffer *b);

// printf() of SQL: arguments from values, as SQLite's.
void text_append_format(struct text_buffer *b, const u8 *format, u32 format_size, u32 argc, const struct value **argv,
                        u8 encoding);
// quote(): an SQL literal.
void text_append_quoted(struct text_buffer *b, const struct value *v, bool escape_controls);

// ---- UTF-8 -------------------------------------------------------------------------------------------

// Characters up to the first NUL.
u64 utf8_length(const u8 *z, u32 size);
// `count` characters behind z, no further than end.
const u8 *utf8_forward(const u8 *z, const u8 *end, u64 count);

// ---- arguments ---------------------------------------------------------------------------------------

static inline u8 ascii_lower(u8 c)
{
    return c | (u8)((u8)(c - 'A') < 26 ? 0x20 : 0);
}
static inline bool is_digit(u8 c)
{
    return (u8)(c - '0') < 10;
}
static inline bool is_space(u8 c)
{
    return c == ' ' || (u8)(c - '\t') < 5;
}
// Size of text up to its first NUL: much of SQLite ends there.
static inline u32 text_length(const u8 *z, u32 size)
{
    const u8 *nul = size ? memchr(z, 0, size) : NULL;
    return nul ? (u32)(nul - z) : size;
}
// Type that the argument has as a number: text that is wholly a number counts as INTEGER or REAL, and *number
// is its value (as a double in `real` for both).
enum value_type function_numeric(const struct function_context *ctx, const struct value *v, struct number_text *number);
static inline s64 function_integer(const struct function_context *ctx, const struct value *v)
{
    return value_to_integer_in(v, ctx->encoding);
}
static inline double function_real(const struct function_context *ctx, const struct value *v)
{
    return value_to_real_in(v, ctx->encoding);
}
s64 function_limit(const struct function_context *ctx, enum skerry_limit limit);
