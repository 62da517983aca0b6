// Goal: the 22 queries of TPC-H, which join up to eight tables, nest correlated subqueries and group, give SQLite's rows,
// whatever plan the planner takes.
// Method: the tables of tests/tpch.h at a small scale in both engines; every query with no statistics, after ANALYZE, and
// without the indexes on foreign keys (so that automatic indexes are made). Rows must be equal in their order; reals to 11
// digits, since sums in another order differ in their last ones.
#include <math.h>
#include <sqlite3.h>

#include "engine/skerry.h"
#include "tests/test.h"
#include "tests/tpch.h"

#define SCALE 0.003

static struct skerry *ours;
static sqlite3 *theirs;
static struct skerry_stmt *ours_insert[COUNT_OF(tpch_tables)];
static sqlite3_stmt *theirs_insert[COUNT_OF(tpch_tables)];

static bool both_exec(const char *sql)
{
    if (skerry_exec(ours, sql, NULL, NULL)) {
        test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(ours)->text);
        return false;
    }
    CHECK_EQ(sqlite3_exec(theirs, sql, NULL, NULL, NULL), SQLITE_OK);
    return true;
}

static struct skerry_stmt *ours_prepare(const char *sql)
{
    struct skerry_stmt *s = NULL;
    size_t used;
    int rc;
    while ((rc = skerry_prepare(ours, sql, strlen(sql), &s, &used)) == SKERRY_WAIT) skerry_wait(ours);
    if (rc) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(ours)->text);
    return s;
}

static int ours_step(struct skerry_stmt *s)
{
    int rc;
    while ((rc = skerry_step(s)) == SKERRY_WAIT) skerry_wait(ours);
    return rc;
}

static void row_insert(void *context, u32 table, const struct tpch_value *values, u32 count)
{
    struct skerry_stmt *s = ours_insert[table];
    sqlite3_stmt *t = theirs_insert[table];
    for (u32 i = 0; i < count; i++) {
        const struct tpch_value *v = &values[i];
        switch (v->type) {
        case TPCH_INTEGER:
            skerry_bind_integer(s, i + 1, v->integer);
            sqlite3_bind_int64(t, (int)i + 1, v->integer);
            break;
        case TPCH_REAL:
            skerry_bind_real(s, i + 1, v->real);
            sqlite3_bind_double(t, (int)i + 1, v->real);
            break;
        case TPCH_TEXT:
            skerry_bind_text(s, i + 1, v->text, strlen(v->text));
            sqlite3_bind_text(t, (int)i + 1, v->text, -1, SQLITE_STATIC);
            break;
        }
    }
    CHECK_EQ(ours_step(s), SKERRY_DONE);
    CHECK_EQ(sqlite3_step(t), SQLITE_DONE);
    while (skerry_reset(s) == SKERRY_WAIT) skerry_wait(ours);
    sqlite3_reset(t);
}

static bool load(void)
{
    if (!both_exec("BEGIN")) return false;
    for (u32 i = 0; i < COUNT_OF(tpch_tables); i++) {
        char sql[200];
        int n = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES(?", tpch_tables[i].name);
        for (u32 k = 1; k < tpch_tables[i].columns; k++) n += snprintf(sql + n, sizeof sql - (size_t)n, ",?");
        snprintf(sql + n, sizeof sql - (size_t)n, ")");
        if (!both_exec(tpch_tables[i].create) || !(ours_insert[i] = ours_prepare(sql))) return false;
        CHECK_EQ(sqlite3_prepare_v2(theirs, sql, -1, &theirs_insert[i], NULL), SQLITE_OK);
    }
    tpch_generate(SCALE, row_insert, NULL);
    for (u32 i = 0; i < COUNT_OF(tpch_tables); i++) {
        skerry_finalize(ours_insert[i]);
        sqlite3_finalize(theirs_insert[i]);
    }
    return both_exec("COMMIT");
}

static bool values_equal(struct skerry_stmt *s, sqlite3_stmt *t, u32 column)
{
    int type = (int)skerry_column_type(s, column), i = (int)column;
    if (type != sqlite3_column_type(t, i)) return false;
    if (type == SQLITE_FLOAT) {
        double a = skerry_column_real(s, column), b = sqlite3_column_double(t, i);
        return fabs(a - b) <= 1e-11 * fmax(fabs(a), fabs(b));
    }
    size_t size;
    const char *text = skerry_column_text(s, column, &size);
    const void *other = sqlite3_column_text(t, i);
    return size == (size_t)sqlite3_column_bytes(t, i) && (size == 0 || memcmp(text, other, size) == 0);
}

static void compare(const struct tpch_query *q, const char *when)
{
    struct skerry_stmt *s = ours_prepare(q->sql);
    sqlite3_stmt *t;
    if (!s) return;
    if (sqlite3_prepare_v2(theirs, q->sql, -1, &t, NULL)) {
        test_fail(__FILE__, __LINE__, "%s: SQLite says %s", q->name, sqlite3_errmsg(theirs));
        skerry_finalize(s);
        return;
    }
    u32 row = 0;
    for (;; row++) {
        bool a = ours_step(s) == SKERRY_ROW, b = sqlite3_step(t) == SQLITE_ROW;
        if (a != b) test_fail(__FILE__, __LINE__, "%s %s: %s rows than %u", q->name, when, a ? "more" : "fewer", row);
        if (!a || !b) break;
        bool equal = true;
        for (u32 i = 0; i < skerry_column_count(s); i++) equal &= values_equal(s, t, i);
        if (!equal) {
            test_fail(__FILE__, __LINE__, "%s %s: row %u differs", q->name, when, row);
            break;
        }
    }
    skerry_finalize(s);
    sqlite3_finalize(t);
}

TEST(tpch_answers)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine *engine;
    char path[600];
    snprintf(path, sizeof path, "%s/tpch.db", test_dir());
    REQUIRE(skerry_engine_create(&(struct skerry_engine_options){0}, &engine, &err));
    REQUIRE(skerry_open(engine, path, SKERRY_OPEN_CREATE, &ours, &err));
    REQUIRE(sqlite3_open(":memory:", &theirs) == SQLITE_OK);
    if (load()) {
        static const char *const passes[][2] = {
            {"without statistics", NULL},
            {"after ANALYZE", "ANALYZE"},
            {"without indexes",
             "DROP INDEX nation_region; DROP INDEX supplier_nation; DROP INDEX partsupp_supplier; DROP INDEX customer_nation; "
             "DROP INDEX orders_customer; DROP INDEX lineitem_part"},
            {"without indexes and statistics", "DROP TABLE sqlite_stat1"},
        };
        for (u32 p = 0; p < COUNT_OF(passes); p++) {
            if (passes[p][1] && !both_exec(passes[p][1])) break;
            for (u32 i = 0; i < COUNT_OF(tpch_queries); i++) compare(&tpch_queries[i], passes[p][0]);
        }
    }
    while (skerry_close(ours, NULL) == SKERRY_WAIT) skerry_wait(ours);
    skerry_engine_destroy(engine);
    sqlite3_close(theirs);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
