// Goal: a function of an application that is asked of rows of a full-text table is told what FTS5's extension functions are, in
// queries, sorted ones and as the table's rank; where it has no row it is refused.
// Method: one function that writes down all that it is told, written against both interfaces; the same statements run on both.
#include "tests/oracle.h"
#include "tests/test.h"

#include <sqlite3.h>

struct text {
    char bytes[4000];
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->bytes + t->size, sizeof t->bytes - t->size, format, args);
    va_end(args);
    t->size = MIN(t->size + (size_t)MAX(n, 0), sizeof t->bytes - 1);
}

static void describe(struct function_context *ctx, u32 argc, const struct value **argv)
{
    const struct full_text_row *r = function_full_text(ctx);
    struct text t = {.size = 0};
    add(&t, "%u arguments, row %lld of %llu;", argc, (long long)r->rowid, (unsigned long long)r->row_count);
    for (u32 i = 0; i < r->column_count; i++) {
        struct value scratch;
        u32 size = 0;
        value_init(&scratch);
        const u8 *text = function_text(ctx, &r->columns[i], &scratch, &size);
        add(&t, " column %u: '%.*s', %lld of %llu;", i, (int)size, text ? (const char *)text : "", (long long)r->column_sizes[i],
            (unsigned long long)r->column_totals[i]);
        value_deinit(&scratch);
    }
    for (u32 i = 0; i < r->phrase_count; i++) add(&t, " phrase %u: %u in %llu;", i, r->phrase_sizes[i], (unsigned long long)r->phrase_rows[i]);
    for (u32 i = 0; i < r->instance_count; i++) add(&t, " %u@%u.%u", r->instances[i].phrase, r->instances[i].column, r->instances[i].token);
    result_text(ctx, t.bytes, t.size);
}

static int count_row(const Fts5ExtensionApi *api, Fts5Context *c, void *count)
{
    ++*(u64 *)count;
    return SQLITE_OK;
}

static void describe_s(const Fts5ExtensionApi *api, Fts5Context *c, sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    struct text t = {.size = 0};
    sqlite3_int64 rows = 0, total = 0;
    api->xRowCount(c, &rows);
    add(&t, "%d arguments, row %lld of %lld;", argc, api->xRowid(c), rows);
    for (int i = 0; i < api->xColumnCount(c); i++) {
        const char *text = NULL;
        int size = 0, tokens = 0;
        api->xColumnText(c, i, &text, &size);
        api->xColumnSize(c, i, &tokens);
        api->xColumnTotalSize(c, i, &total);
        add(&t, " column %d: '%.*s', %d of %lld;", i, size, text ? text : "", tokens, total);
    }
    for (int i = 0; i < api->xPhraseCount(c); i++) {
        u64 count = 0;
        api->xQueryPhrase(c, i, &count, count_row);
        add(&t, " phrase %d: %d in %llu;", i, api->xPhraseSize(c, i), (unsigned long long)count);
    }
    int count = 0, phrase, column, token;
    api->xInstCount(c, &count);
    for (int i = 0; i < count; i++) {
        api->xInst(c, i, &phrase, &column, &token);
        add(&t, " %d@%d.%d", phrase, column, token);
    }
    sqlite3_result_text(ctx, t.bytes, (int)t.size, SQLITE_TRANSIENT);
}

// The more instances, the nearer to the front; the first argument counts in.
static void many(struct function_context *ctx, u32 argc, const struct value **argv)
{
    const struct full_text_row *r = function_full_text(ctx);
    if (argc > 1) {
        result_error(ctx, "many wants one argument");
        return;
    }
    CHECK(r->columns == NULL); // it was not asked for
    result_integer(ctx, -(s64)r->instance_count - (argc ? value_to_integer(argv[0]) : 0));
}

static void many_s(const Fts5ExtensionApi *api, Fts5Context *c, sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    int count = 0;
    if (argc > 1) {
        sqlite3_result_error(ctx, "many wants one argument", -1);
        return;
    }
    api->xInstCount(c, &count);
    sqlite3_result_int64(ctx, -(sqlite3_int64)count - (argc ? sqlite3_value_int64(argv[0]) : 0));
}

static bool both_register(struct oracle *o)
{
    static const struct skerry_function functions[] = {
        {.name = "describe", .argument_count = -1, .full_text = true, .full_text_columns = true, .scalar = describe},
        {.name = "many", .argument_count = -1, .full_text = true, .scalar = many},
    };
    for (u32 i = 0; i < COUNT_OF(functions); i++) CHECK_EQ(skerry_create_function(o->db, &functions[i]), SKERRY_OK);
    struct skerry_function wrong = functions[1];
    wrong.argument_count = 1;
    CHECK_EQ(skerry_create_function(o->db, &wrong), SQLITE_MISUSE);
    fts5_api *api = NULL;
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(o->sqlite, "SELECT fts5(?1)", -1, &s, NULL) != SQLITE_OK) return false;
    sqlite3_bind_pointer(s, 1, &api, "fts5_api_ptr", NULL);
    sqlite3_step(s);
    sqlite3_finalize(s);
    if (!api) return false;
    api->xCreateFunction(api, "describe", NULL, describe_s, NULL);
    api->xCreateFunction(api, "many", NULL, many_s, NULL);
    return true;
}

static const char *const statements[] = {
    "CREATE VIRTUAL TABLE t USING fts5(a, b, u UNINDEXED, prefix = 2)",
    "INSERT INTO t VALUES('one two three', 'two', 'x y'), ('two two', 'one one two', 1), ('three', NULL, NULL), ('', 'two three one', 'z')",
    "SELECT describe(t) FROM t WHERE t MATCH 'two'",
    "SELECT describe(t, 1, 'x') FROM t WHERE t MATCH 'two AND (one OR \"two three\")'",
    "SELECT describe(t) FROM t WHERE t MATCH 'th* NOT nothing'",
    "SELECT describe(t), many(t), many(t, 5), bm25(t) < 0 FROM t WHERE t MATCH 'one OR two' ORDER BY rank",
    "SELECT describe(t) FROM t WHERE t MATCH 'NEAR(one two)' ORDER BY rowid DESC",
    "SELECT rowid, many(t) FROM t WHERE t MATCH 'one OR two' ORDER BY many(t), rowid",
    "SELECT rowid, rank FROM t WHERE t MATCH 'one OR two' AND rank MATCH 'many(3)' ORDER BY rank",
    "SELECT rowid, rank FROM t WHERE t MATCH 'one OR two' AND rank MATCH 'many()'",
    "SELECT rowid, rank FROM t WHERE t MATCH 'one OR two' AND rank MATCH 'many(1, 2)'",
    "SELECT many(t, 1, 2) FROM t WHERE t MATCH 'one'",
    "INSERT INTO t(t, rank) VALUES('rank', 'many(7)')",
    "SELECT rowid, rank FROM t WHERE t MATCH 'one OR two' ORDER BY rank",
    "SELECT x.rowid, many(x), many(y) FROM t x JOIN t y ON x.rowid = y.rowid + 1 WHERE x.t MATCH 'two' AND y.t MATCH 'one' ORDER BY 1",
    "SELECT sum(many(t)) FROM t WHERE t MATCH 'two'",
    "CREATE VIRTUAL TABLE n USING fts5(a, b, detail = none)",
    "INSERT INTO n SELECT a, b FROM t",
    "SELECT describe(n) FROM n WHERE n MATCH 'two OR three'",
    "CREATE VIRTUAL TABLE s USING fts5(a, b, columnsize = 0)",
    "INSERT INTO s SELECT a, b FROM t",
    "SELECT describe(s) FROM s WHERE s MATCH 'two OR three' ORDER BY rowid DESC",
    "DELETE FROM t WHERE many(t) AND t MATCH 'three'",
    "SELECT rowid, describe(t) FROM t WHERE t MATCH 'two OR one'",
};

TEST(full_text_functions_are_told_what_fts5s_are)
{
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "full_text_function")) return;
    o.reopened = true; // SQLite counts changes of the tables below too
    if (both_register(&o))
        for (u32 i = 0; i < COUNT_OF(statements); i++) oracle_run(&o, statements[i]);
    else
        test_fail(__FILE__, __LINE__, "libsqlite3 has no FTS5");
    oracle_close(&o);
}

static const char *const refused[] = {"SELECT describe(1)", "SELECT describe()", "SELECT describe(a) FROM p", "SELECT many(p) FROM (SELECT 1 AS p)"};

TEST(full_text_functions_need_a_row)
{
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "full_text_refused")) return;
    o.quiet_texts = true;
    (void)both_register(&o);
    oracle_run(&o, "CREATE TABLE p(a)");
    oracle_run(&o, "INSERT INTO p VALUES(1)");
    for (u32 i = 0; i < COUNT_OF(refused); i++) oracle_run(&o, refused[i]);
    // Without a query there is a row, but no phrase (SQLite 3.40 crashes).
    CHECK_EQ(skerry_exec(o.db, "CREATE VIRTUAL TABLE t USING fts5(a); INSERT INTO t VALUES('one'); SELECT many(t), describe(t) FROM t", NULL, NULL),
             SKERRY_OK);
    oracle_close(&o);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
