// SQL functions: their table, and what an implementation may do. The façade of this folder.
//
// engine/function.h says what an implementation may do; those of ours see the context below as well.
#pragma once

#include "../skerry.h"

enum fn_flags {
    FN_DETERMINISTIC = 1,   // same arguments, same result: may be factored out, indexed
    FN_SLOW_CHANGE = 2,     // constant within one statement (date functions, changes())
    FN_AGGREGATE = 4,       // step + final
    FN_WINDOW = 8,          // also value + inverse
    FN_WINDOW_ONLY = 16,    // row_number and its kin: only with OVER
    FN_NEEDS_COLLATION = 32, // min, max, nullif, ...: function_collation is set
    FN_RESULT_SUBTYPE = 64,
    FN_READS_SUBTYPE = 128,
    FN_DIRECT_ONLY = 256,
    FN_MIN_MAX = 512,       // aggregate min()/max(): planner may use an index
    FN_COUNT = 1024,        // count(): planner may use btree_count
    FN_LIKE = 2048,         // like/glob: planner may use an index
    FN_INLINE = 4096,       // compiled in line (coalesce, iif, likely, ...)
    FN_CONNECTION = 8192,   // reads connection state (last_insert_rowid): function_db
    FN_FULL_TEXT = 32768,   // asks a full-text table, which is its first argument
    FN_FULL_TEXT_COLUMNS = 131072, // and looks at the row's columns
    FN_ORDERED = 16384,     // aggregate that may take ORDER BY inside its parentheses
    FN_UNSAFE = 65536,      // an application's that is not innocuous: not from a schema that is not trusted
    FN_ANY_ORDER = 262144,  // aggregate that is the same whatever the order of rows
    FN_LENGTH = 524288,     // length(), octet_length(): a blob's bytes are not looked at
    FN_TYPE = 1048576,      // typeof(): no bytes are
    FN_COUNT_VALUES = 2097152, // count(x)
};

// Where an aggregate's state is: right here when it is small, else allocated. NULL: no step has asked for it.
struct aggregate_state {
    void *at;
    _Alignas(16) u8 small[48];
};

struct fn_def {
    const char *name;   // lower case
    s16 argument_count; // -1: any; -2-n: n or more
    u32 flags;
    u32 user;           // tells variants of one implementation apart
    function_scalar scalar, step, inverse;
    function_final final, value;
    void *user_pointer; // application functions
    // Aggregates whose step is next to nothing: the step without a context, on a state that is there and that step
    // would change in the same way. False: step has to do it.
    bool (*quick)(void *state, const struct value *argument);
    u32 quick_size; // of that state, which begins as zeros and fits into struct aggregate_state
    // Scalars that keep something for constant arguments: a call with what the call site has kept (not NULL), a bit for each
    // argument that is constant, the arguments one behind the other. False: scalar has to be called.
    bool (*quick_scalar)(const void *kept, u32 constant, u32 argc, const struct value *arguments, struct value *out);
};

// The built-in with that name (any case) and the best match for argc; NULL with *name_exists telling
// "no such function" from "wrong number of arguments".
const struct fn_def *fn_find(const char *name, size_t name_size, s32 argc, bool *name_exists);
// min() or max() (FN_MIN_MAX) for a window whose frame leaves rows behind: it has an inverse.
const struct fn_def *fn_sliding_extreme(const struct fn_def *extreme);
size_t fn_extreme_bytes(const void *state); // of the value that a state of FN_MIN_MAX keeps
// like() once there was a PRAGMA case_sensitive_like, [its value]: of two and of three arguments. As SQLite's then, it is a function
// like an application's, and has no place in an index or a generated column.
extern const struct fn_def FN_LIKE_REPLACED[2][2];
// Walks the table (PRAGMA function_list); NULL at its end.
const struct fn_def *fn_table(u32 index);
// SQLite's compile-time options, as PRAGMA compile_options has them; NULL at the end.
const char *fn_compile_option(u32 index);

static inline void *aggregate_state_small(struct aggregate_state *state, size_t size)
{
    memset(state->small, 0, size);
    return state->at = state->small;
}

static inline void aggregate_state_free(struct aggregate_state *state)
{
    if (state->at != state->small) free(state->at);
    state->at = NULL;
}

// ---- for implementations --------------------------------------------------------------------------------

int function_compare(const struct function_context *ctx, const struct value *a, const struct value *b); // by ctx->collation

struct function_context {
    struct skerry *db;
    const struct fn_def *def;
    const struct collation *collation;
    struct value result;    // NULL at first
    bool failed;
    err_code code;
    struct value error;     // text of the error when failed
    // The aggregate's state (function_aggregate). Whoever runs the steps runs `final` once, an abandoned statement too
    // (states own memory), and then lets go of it (aggregate_state_free).
    struct aggregate_state *aggregate;
    bool keep_row;          // set by a step of min() or max(): bare columns keep the values they have
    void **aux;             // what this call keeps from row to row (compiled patterns), or NULL: nothing can be kept
    void (**aux_free)(void *);
    s16 *aux_argument;      // of which argument (function_keep)
    u32 constant_mask;      // arguments that are the same in all rows, by bit
    // NULL, or where only deterministic results may be stored ("a CHECK constraint", "an index", "a generated
    // column"): 'now' and local time are refused there.
    const char *pure_where;
    u8 encoding;            // of text where bytes are asked for: the database's, 1 to 3; 0: UTF-8
    s64 now_ms;             // Unix ms, fixed for the statement (date functions: 'now')
    struct io *io;          // random numbers
    // The JSON text parsed last, for calls on the same row; only in a context that lives on (keeps_document), whose
    // owner calls function_document_free.
    bool keeps_document;
    struct json_kept *document;
    const struct full_text_row *full_text; // of FN_FULL_TEXT
};
void function_document_free(struct function_context *ctx);
