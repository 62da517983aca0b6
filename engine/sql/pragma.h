// PRAGMA: settings, and questions about schemas.
//
// What a pragma says about schemas is a table of rows, made from the schemas in memory (pragma_collect): the
// statement emits them as constants, the table-valued function pragma_X gives them at run time.
#pragma once

#include "ddl.h"

enum pragma_kind {
    PRAGMA_ROWS,    // pragma_collect makes them
    PRAGMA_FLAG,    // detail: enum connection_flag
    PRAGMA_SETTING, // detail: enum connection_setting
    PRAGMA_HEADER,  // detail: enum txn_meta
    PRAGMA_OTHER,   // pragma.c knows
    PRAGMA_NOTHING, // accepted, without effect or result
};
enum pragma_flags {
    PRAGMA_F_RETURNS = 1,   // gives a row when it is set, too
    PRAGMA_F_READ_ONLY = 2, // PRAGMA_HEADER
    PRAGMA_F_TABLE = 4,     // there is a pragma_X
    PRAGMA_F_ARGUMENT = 8,  // ... with an argument
    PRAGMA_F_NO_QUESTION = 16, // says nothing when it is not set
    PRAGMA_F_SCHEMA = 32,   // ... with a schema
    PRAGMA_F_COLUMN = 64,   // PRAGMA_NOTHING: of a column, without rows
};
struct pragma_def {
    const char *name;
    u8 kind, flags;
    s16 detail;
    const char *columns; // "cid name type"; NULL: one, named as the pragma
};

struct pragma_rows {
    struct arena *arena;
    u32 column_count, row_count, capacity;
    struct value *values; // row by row
};

const struct pragma_def *pragma_find(const char *name);       // any case; NULL: none
const struct pragma_def *pragma_at(u32 index);                // in the order of their names; NULL: end
u32 pragma_column_count(const struct pragma_def *def);
const char *pragma_column_name(struct arena *a, const struct pragma_def *def, u32 column);
// schema, value: NULL when not said. Memory is rows->arena; texts are NUL-terminated.
void pragma_collect(struct compile *c, const struct pragma_def *def, const char *schema, const char *value,
                    struct pragma_rows *rows);
// PRAGMA integrity_check, quick_check and foreign_key_check of a database (-1: all).
void pragma_integrity_check(struct compile *c, int database, const struct stmt_pragma *pragma, bool quick);
void pragma_foreign_key_check(struct compile *c, int database, const char *value);
// PRAGMA optimize: value is its mask, NULL when not said; without a schema's name of all databases.
void pragma_optimize(struct compile *c, int database, bool said, const char *value);
// A number of at most 32 bits at the text's beginning, decimal or hexadecimal; false: there is none.
bool pragma_int32(const char *text, s32 *out);
s32 pragma_int(const char *text); // the number at the text's beginning, decimal or hexadecimal; 0: none of 32 bits
// The text's meaning as on/off: "yes", "true", "on", numbers other than 0; `otherwise` for anything else.
bool pragma_boolean(const char *text, bool otherwise);
