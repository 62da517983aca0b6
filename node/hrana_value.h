// Hrana's JSON for SQL values, statements and errors. Internal to hrana*.c.
#pragma once

#include "../engine/skerry.h"
#include "buffer.h"

#include <jansson.h>

struct hrana_error {
    const char *code; // "SQLITE_CONSTRAINT", "ARGS_INVALID", ...; NULL: none
    char text[ERR_TEXT_MAX];
};
void hrana_error_set(struct hrana_error *e, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// From the connection's newest error.
void hrana_error_from_db(struct hrana_error *e, const struct skerry *db);
void hrana_error_write(struct buffer *out,
                       const struct hrana_error *e); // {"message":...,"code":...}

// Binds "args" and "named_args" of a Hrana statement; false with *e set.
bool hrana_bind(struct skerry_stmt *stmt, const json_t *statement, struct hrana_error *e);
void hrana_cols_write(struct buffer *out,
                      const struct skerry_stmt *stmt); // [{"name":...,"decltype":...},...]
void hrana_row_write(struct buffer *out, struct skerry_stmt *stmt); // [value,...]
