// Runs one function call in Skerry's table and in libsqlite3 and compares what they answer.
#pragma once

#include "../../test.h"
#include "engine/fn/fn.h"

struct sqlite3;
struct sqlite3 *fn_oracle_open(void);
// Answers of releases after the library's: got is compared with the SQL literal `want`, as quote() writes it, or
// with "error: TEXT".
void fn_oracle_expect(const char *name, const char *arguments, const char *want);
// The same call on both sides, arguments as SQL expressions: ("substr", "'abc', 2").
void fn_oracle_same(struct sqlite3 *db, const char *name, const char *arguments);
// The call's answer as quote() writes it, or "error: TEXT"; valid until the next call.
const char *fn_oracle_answer(struct sqlite3 *db, const char *name, const char *arguments);
// `rows` is a list of argument lists, (1), (2), (NULL): an aggregate over them.
void fn_oracle_same_aggregate(struct sqlite3 *db, const char *name, u32 columns, const char *rows);
const char *fn_oracle_aggregate_answer(struct sqlite3 *db, const char *name, u32 columns, const char *rows);
// The clock that 'now' reads.
extern s64 fn_oracle_now_ms;
