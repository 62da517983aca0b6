// SQL functions of an application: what it registers (skerry.h: skerry_create_function), and what an implementation
// may do while it is called.
//
// A function never waits, and runs no statement of its connection. It reads its arguments, which it may not change and
// not keep, and sets a result (NULL when it sets none) or an error. Text is UTF-8 (value.h).
#pragma once

#include "value.h"

struct skerry;
struct function_context;

typedef void (*function_scalar)(struct function_context *ctx, u32 argc, const struct value **argv);
typedef void (*function_final)(struct function_context *ctx);
struct skerry_function {
    const char *name;      // 1 to 255 bytes
    s32 argument_count;    // -1: any; at most 1000
    bool deterministic;    // the same arguments give the same result: may be used in indexes, is factored out of loops
    bool direct_only;      // not from within views, triggers, CHECKs, defaults, generated columns, indexes
    bool innocuous;        // from within those also with PRAGMA trusted_schema=OFF
    bool reads_subtype;    // of its arguments
    bool result_subtype;   // may set one (function_result subtype: result_subtype)
    bool full_text;        // a scalar that is asked of a row of a full-text table: f(t, ...), with any number of arguments
    bool full_text_columns; // and looks at the columns of the row
    function_scalar scalar; // or the next two (an aggregate), or all four (a window function as well)
    function_scalar step;
    function_final final;  // runs once for each state that a step has made, abandoned ones too: frees what it owns
    function_final value;  // the result so far; frees nothing
    function_scalar inverse; // takes the oldest row of the frame away
    void *user;
    void (*destroy)(void *user); // when the function is replaced, deleted, could not be made, or its connection closes
};

// ---- of the call ------------------------------------------------------------------------------------------------

void *function_user(const struct function_context *ctx);
struct skerry *function_db(const struct function_context *ctx);
// The aggregate's zeroed state of that size, allocated at the first call and freed after `final`; NULL when size is 0
// and there is none yet, or out of memory (the error is set).
void *function_aggregate(struct function_context *ctx, size_t size);
// What this call of the statement has kept for an argument that is constant in it (a compiled pattern), or NULL: it was
// not set, the argument is not constant, or another argument's is kept. argument -1: whatever the arguments are.
void *function_kept(struct function_context *ctx, s32 argument);
// Keeps it until the statement's end at most; `release` (may be NULL) frees it.
void function_keep(struct function_context *ctx, s32 argument, void *data, void (*release)(void *));

// ---- of a row of a full-text table ------------------------------------------------------------------------------------

// Where a phrase of the query stands in the row.
struct full_text_instance {
    u32 phrase, column, token; // each from 0
};
// Good until the function returns. Phrases are those of the MATCH query, in its order; without one there are none.
struct full_text_row {
    s64 rowid;
    u32 column_count, phrase_count, instance_count;
    u64 row_count;              // of the table
    const u64 *column_totals;   // [column_count] tokens in all rows
    const s64 *column_sizes;    // [column_count] tokens in this row; -1: nobody knows (content='', columnsize=0)
    const struct value *columns; // [column_count] with full_text_columns, else NULL
    const u32 *phrase_sizes;    // [phrase_count] tokens
    const u64 *phrase_rows;     // [phrase_count] rows that have it
    const struct full_text_instance *instances; // [instance_count] by column, token, phrase
};
// Of a function that is full_text, whose arguments are those behind the table. It may also be the table's rank.
const struct full_text_row *function_full_text(const struct function_context *ctx);

// An argument's text or bytes, as sqlite3_value_text and sqlite3_value_blob give them: a number becomes text, the zero
// bytes of a zeroblob are written out, into *scratch then (value_init before, value_deinit after the call). NULL for NULL
// or out of memory (the error is set); no NUL stands behind it. In a UTF-16 database text has the bytes of that, and a blob
// is text in it.
const u8 *function_text(struct function_context *ctx, const struct value *v, struct value *scratch, u32 *size);
const u8 *function_blob(struct function_context *ctx, const struct value *v, struct value *scratch, u32 *size);

// ---- its result ---------------------------------------------------------------------------------------------------

void result_null(struct function_context *ctx);
void result_integer(struct function_context *ctx, s64 i);
void result_real(struct function_context *ctx, double r); // NaN becomes NULL
// These copy. What is longer than SKERRY_LIMIT_LENGTH is the error "string or blob too big".
void result_text(struct function_context *ctx, const void *bytes, size_t size);
void result_blob(struct function_context *ctx, const void *bytes, size_t size);
void result_zero_blob(struct function_context *ctx, u64 size);
void result_value(struct function_context *ctx, const struct value *v);
void result_subtype(struct function_context *ctx, u8 subtype); // after the result
// The statement fails with that text (its first 900 bytes). code: SQLite's, extended ones too.
void result_error(struct function_context *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));
void result_error_code(struct function_context *ctx, err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void result_nomem(struct function_context *ctx);
void result_toobig(struct function_context *ctx);
