// What a statement gave, on either side, and whether both gave the same: oracle.c runs, oracle_same.c compares.
#pragma once

#include "oracle.h"

// Rows as text, one value after the other: "I:1|T:'x'|".
struct rows {
    char *text;
    size_t size, capacity;
};

void rows_add(struct rows *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void rows_sort(struct rows *r);

struct outcome {
    int code;
    char error[ERR_TEXT_MAX];
    struct rows rows;
    s64 changes, total_changes, last_rowid;
    size_t used;
    int offset;
    bool ran; // it was compiled
    struct rows columns; // their names
};
void outcome_clear(struct outcome *o);
void run_sqlite(struct sqlite3 *db, const char *sql, size_t size, struct outcome *out);
void run_skerry(struct skerry *db, const char *sql, size_t size, struct outcome *out);

bool is_query(const char *sql);
bool is_plan(const char *sql);
void plan_number(struct rows *r, bool as_old);
// Also what SQLite is known to have wrong counts as the same.
bool outcomes_same(struct oracle *o, const char *sql, size_t size, const struct outcome *ours, const struct outcome *theirs);
