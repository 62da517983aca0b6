// Goal: statements that take long give others their turn, and end when they are interrupted or their time is over, wherever
// they spend it: sorters, groups, functions on megabytes, full-text search, checks, VACUUM, indexes.
// Method: each of a table of long statements is run to its end, interrupted when it has waited once, and given a millisecond;
// what is left afterwards is checked, and the statement run once more gives what it gave at first.
#include "tests/engine/engine_driver.h"

static int step(struct skerry_stmt *s, u32 *waits)
{
    int result;
    for (; (result = skerry_step(s)) == SKERRY_WAIT; ++*waits) skerry_wait(skerry_stmt_db(s));
    return result;
}

static struct skerry_stmt *prepared(struct skerry *db, const char *sql)
{
    struct skerry_stmt *s = NULL;
    size_t used;
    int result;
    while ((result = skerry_prepare(db, sql, strlen(sql), &s, &used)) == SKERRY_WAIT) skerry_wait(db);
    if (result != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(db)->text);
    return s;
}

static const char SCHEMA[] =
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c INT); CREATE TABLE u(a INTEGER PRIMARY KEY, b TEXT, c INT);"
    "INSERT INTO t SELECT value, 'some text of row ' || value, value * 7919 % 100003 FROM generate_series(1, 60000);"
    "INSERT INTO u SELECT * FROM t; CREATE INDEX ub ON u(b); CREATE INDEX uc ON u(c);"
    "CREATE TABLE big(x); INSERT INTO big VALUES ('[' || rtrim(replace(hex(zeroblob(250000)), '0', '1,'), ',') || ']');"
    "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f SELECT b || ' ' || c FROM t;"
    "CREATE VIRTUAL TABLE v USING fts5vocab(f, instance)";

TEST(interrupts_and_time_limits_are_heard_everywhere)
{
    static const char *const statements[] = {
        "SELECT count(*) FROM (SELECT * FROM t ORDER BY c, b LIMIT -1 OFFSET 10)",
        "SELECT count(*) FROM (SELECT c % 30000, count(*), max(b) FROM t GROUP BY 1)",
        "SELECT count(DISTINCT b) FROM t",
        "SELECT max(s) FROM (SELECT sum(c) OVER (ORDER BY b) AS s FROM t)",
        "SELECT length(group_concat(b, ', ')) FROM (SELECT t.b FROM t, generate_series(1, 3))",
        "SELECT length(json_group_array(b)) FROM t",
        "SELECT sum(value) FROM big, json_each(x)",
        "SELECT sum(json_extract(x, '$[' || value || ']')) FROM big, generate_series(1, 40)",
        "SELECT sum(length(json_set(x, '$[3]', value))) FROM big, generate_series(1, 20)",
        "SELECT length(replace(replace(replace(x, '1', 'aaaa'), 'a', 'bbbb'), 'b', 'c')) FROM big",
        "SELECT length(printf('%5000000d', 1)) + length(printf('%.5000000f', 1.5)) + length(printf('%*s', 5000000, 'x'))",
        "SELECT count(*) FROM t, t AS w WHERE t.b LIKE '%o%o%o%o%o%x'",
        "SELECT count(*) FROM t, t AS w WHERE t.b GLOB '*o*o*o*o*o*x'",
        "SELECT sum(regexp('1{1,90}2', replace(x, ',', ''))) FROM big",
        "SELECT count(*) FROM (SELECT snippet(f, 0, '[', ']', '', 10) AS s FROM f WHERE f MATCH 'some OR text' LIMIT -1 OFFSET 1) WHERE s <> ''",
        "SELECT count(*) FROM v",
        "INSERT INTO f(f) VALUES ('rebuild')",
        "INSERT INTO f(f) VALUES ('integrity-check')",
        "INSERT INTO f SELECT b FROM t",
        "PRAGMA integrity_check",
        "VACUUM",
        "CREATE INDEX ib ON t(b, c)",
        "REINDEX u",
        "UPDATE u SET b = b || 'x'",
        "DELETE FROM u WHERE a % 2",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000) SELECT sum(x) FROM c",
    };
    engine = NULL;
    struct err err = ERR_CLEAR;
    char path[600];
    snprintf(path, sizeof path, "%s/long.db", test_dir());
    CHECK(skerry_engine_create(&(struct skerry_engine_options){0}, &engine, &err));
    struct skerry *db = open_at(path);
    CHECK_EQ(skerry_exec(db, SCHEMA, NULL, NULL), SKERRY_OK);
    for (u32 i = 0; i < COUNT_OF(statements); i++) {
        const char *sql = statements[i];
        if (skerry_exec(db, "BEGIN", NULL, NULL) && strcmp(sql, "VACUUM") != 0) test_fail(__FILE__, __LINE__, "BEGIN: %s", skerry_error(db)->text);
        if (strcmp(sql, "VACUUM") == 0) skerry_exec(db, "COMMIT", NULL, NULL);
        for (int how = 0; how < 2; how++) {
            struct skerry_stmt *s = prepared(db, sql);
            if (!s) break;
            u32 waits = 0;
            int result;
            if (how == 0) {
                if ((result = skerry_step(s)) == SKERRY_WAIT) skerry_interrupt(db);
                if (result != SKERRY_WAIT) test_fail(__FILE__, __LINE__, "%s did not wait", sql);
                result = step(s, &waits);
            } else {
                skerry_limit(db, SKERRY_LIMIT_STATEMENT_MS, 1);
                result = step(s, &waits);
                skerry_limit(db, SKERRY_LIMIT_STATEMENT_MS, 0);
            }
            if (result != ERR_INTERRUPT || strncmp(skerry_error(db)->text, "interrupted", 11) != 0)
                test_fail(__FILE__, __LINE__, "%s, %s: %d %s", sql, how ? "a millisecond" : "interrupted", result, skerry_error(db)->text);
            skerry_finalize(s);
        }
        // What was interrupted while it wrote has rolled the transaction back.
        if (!skerry_autocommit(db)) CHECK_EQ(skerry_exec(db, "ROLLBACK", NULL, NULL), SKERRY_OK);
        u32 waits = 0;
        struct skerry_stmt *s = prepared(db, sql);
        int result = s ? step(s, &waits) : 0;
        if (result != SKERRY_ROW && result != SKERRY_DONE) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(db)->text);
        skerry_finalize(s);
    }
    out[0] = 0;
    CHECK_EQ(skerry_exec(db, "INSERT INTO f(f) VALUES ('integrity-check'); PRAGMA integrity_check", row_append, NULL), SKERRY_OK);
    CHECK_STR(out, "ok ");
    shut(db);
    skerry_engine_destroy(engine);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
