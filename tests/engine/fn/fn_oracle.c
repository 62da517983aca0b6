#include "fn_oracle.h"

#include "engine/fn/fn_internal.h"

#include <sqlite3.h>

s64 fn_oracle_now_ms = 1700000000123;

struct sqlite3 *fn_oracle_open(void)
{
    sqlite3 *db;
    CHECK_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
    return db;
}

static void value_of(sqlite3_stmt *s, int column, struct value *v)
{
    err_code code = ERR_OK;
    value_init(v);
    switch (sqlite3_column_type(s, column)) {
    case SQLITE_INTEGER: value_set_integer(v, sqlite3_column_int64(s, column)); break;
    case SQLITE_FLOAT: value_set_real(v, sqlite3_column_double(s, column)); break;
    case SQLITE_TEXT:
        code = value_set_text(v, sqlite3_column_text(s, column), (size_t)sqlite3_column_bytes(s, column));
        break;
    case SQLITE_BLOB:
        code = value_set_blob(v, sqlite3_column_blob(s, column), (size_t)sqlite3_column_bytes(s, column));
        break;
    }
    CHECK_EQ(code, ERR_OK);
    unsigned subtype = sqlite3_value_subtype(sqlite3_column_value(s, column));
    if (subtype) {
        v->flags |= VALUE_SUBTYPE;
        v->subtype = (u8)subtype;
    }
}

static char answer[1 << 20];

static const char *answer_value(const struct value *v)
{
    struct text_buffer b = {0};
    if (v->type == VALUE_TEXT && memchr(v->bytes, 0, v->size)) {
        text_append_string(&b, "text "); // quote() stops at a NUL
        struct value blob = *v;
        blob.type = VALUE_BLOB;
        blob.flags = 0;
        text_append_quoted(&b, &blob, false);
    } else {
        text_append_quoted(&b, v, false);
    }
    snprintf(answer, sizeof answer, "%.*s", (int)b.size, (const char *)b.bytes);
    text_buffer_deinit(&b);
    return answer;
}

static const char *answer_of(struct function_context *ctx)
{
    if (ctx->failed) {
        snprintf(answer, sizeof answer, "error: %.*s", (int)ctx->error.size, (const char *)ctx->error.bytes);
    } else {
        answer_value(&ctx->result);
    }
    return answer;
}

enum { ARGUMENT_MAX = 40 };

const char *fn_oracle_answer(struct sqlite3 *db, const char *name, const char *arguments)
{
    static char sql[1 << 20];
    struct value values[ARGUMENT_MAX];
    const struct value *argv[ARGUMENT_MAX];
    u32 argc = 0;
    sqlite3_stmt *s = NULL;
    if (*arguments) {
        snprintf(sql, sizeof sql, "SELECT %s", arguments);
        if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK || sqlite3_step(s) != SQLITE_ROW) {
            test_fail(__FILE__, __LINE__, "%s: %s", sql, sqlite3_errmsg(db));
            sqlite3_finalize(s);
            return "";
        }
        argc = (u32)sqlite3_column_count(s);
        for (u32 i = 0; i < argc; i++) {
            value_of(s, (int)i, &values[i]);
            argv[i] = &values[i];
        }
        sqlite3_finalize(s);
    }
    bool exists;
    const struct fn_def *def = fn_find(name, strlen(name), (s32)argc, &exists);
    if (!def || !def->scalar) {
        snprintf(answer, sizeof answer, exists ? "error: wrong number of arguments" : "error: no such function");
    } else {
        struct function_context ctx = {.def = def, .collation = &COLLATION_BINARY, .now_ms = fn_oracle_now_ms,
                                       .result = {.type = VALUE_NULL}, .error = {.type = VALUE_NULL}};
        def->scalar(&ctx, argc, argv);
        answer_of(&ctx);
        value_deinit(&ctx.result);
        value_deinit(&ctx.error);
    }
    for (u32 i = 0; i < argc; i++) value_deinit(&values[i]);
    return answer;
}

// libsqlite3's answer, written in the same way.
static const char *sqlite_answer(sqlite3 *db, const char *sql)
{
    static char want[1 << 20];
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(s);
    if (rc != SQLITE_ROW) {
        snprintf(want, sizeof want, "error: %s", sqlite3_errmsg(db));
    } else {
        struct value v;
        value_of(s, 0, &v);
        snprintf(want, sizeof want, "%s", answer_value(&v));
        value_deinit(&v);
    }
    sqlite3_finalize(s);
    return want;
}

void fn_oracle_same(struct sqlite3 *db, const char *name, const char *arguments)
{
    static char sql[1 << 20];
    snprintf(sql, sizeof sql, "SELECT %s(%s)", name, arguments);
    const char *want = sqlite_answer(db, sql);
    const char *got = fn_oracle_answer(db, name, arguments);
    if (strcmp(got, want) != 0) test_fail(__FILE__, __LINE__, "%s(%s)\n  got  %s\n  want %s", name, arguments, got, want);
}

void fn_oracle_expect(const char *name, const char *arguments, const char *want)
{
    sqlite3 *db = fn_oracle_open();
    const char *got = fn_oracle_answer(db, name, arguments);
    if (strcmp(got, want) != 0) test_fail(__FILE__, __LINE__, "%s(%s)\n  got  %s\n  want %s", name, arguments, got, want);
    sqlite3_close(db);
}

const char *fn_oracle_aggregate_answer(struct sqlite3 *db, const char *name, u32 columns, const char *rows)
{
    static char sql[1 << 20];
    snprintf(sql, sizeof sql, "VALUES %s", rows);
    bool exists;
    const struct fn_def *def = fn_find(name, strlen(name), (s32)columns, &exists);
    if (!def || !def->step) return "error: no such aggregate";
    struct aggregate_state state = {.at = NULL};
    struct function_context ctx = {.def = def, .collation = &COLLATION_BINARY, .aggregate = &state,
                                   .result = {.type = VALUE_NULL}, .error = {.type = VALUE_NULL}};
    sqlite3_stmt *s = NULL;
    CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    while (!ctx.failed && sqlite3_step(s) == SQLITE_ROW) {
        struct value values[ARGUMENT_MAX];
        const struct value *argv[ARGUMENT_MAX];
        for (u32 i = 0; i < columns; i++) {
            value_of(s, (int)i, &values[i]);
            argv[i] = &values[i];
        }
        def->step(&ctx, columns, argv);
        for (u32 i = 0; i < columns; i++) value_deinit(&values[i]);
    }
    sqlite3_finalize(s);
    bool failed = ctx.failed;
    if (failed) answer_of(&ctx);
    def->final(&ctx);
    if (!failed) answer_of(&ctx);
    aggregate_state_free(&state);
    value_deinit(&ctx.result);
    value_deinit(&ctx.error);
    return answer;
}

void fn_oracle_same_aggregate(struct sqlite3 *db, const char *name, u32 columns, const char *rows)
{
    static char sql[1 << 20];
    static const char *COLUMNS[] = {"", "column1", "column1, column2"};
    snprintf(sql, sizeof sql, "SELECT %s(%s) FROM (VALUES %s)", name, COLUMNS[columns], rows);
    const char *want = sqlite_answer(db, sql);
    const char *got = fn_oracle_aggregate_answer(db, name, columns, rows);
    if (strcmp(got, want) != 0) test_fail(__FILE__, __LINE__, "%s over %s\n  got  %s\n  want %s", name, rows, got, want);
}
