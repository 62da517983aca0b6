// Goal: a text prepared again is answered as if it were compiled anew, whatever was changed in between; what is kept for that
// is bounded, and nobody sees it.
// Method: the same questions before and after each kind of change (schemas, flags, limits, other connections), beside SQLite,
// which compiles each time; counters of hits and sizes for what is kept and what is not.
#include "tests/oracle.h"
#include "tests/test.h"

static struct skerry_stmt *prepared(struct skerry *db, const char *sql, size_t size, size_t *used)
{
    struct skerry_stmt *s = NULL;
    int result;
    while ((result = skerry_prepare(db, sql, size, &s, used)) == SKERRY_WAIT) skerry_wait(db);
    if (result != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(db)->text);
    return s;
}

static int step(struct skerry_stmt *s)
{
    int result;
    while ((result = skerry_step(s)) == SKERRY_WAIT) skerry_wait(skerry_stmt_db(s));
    return result;
}

// Runs all of the text, statement by statement.
static void run(struct skerry *db, const char *sql)
{
    size_t used;
    for (const char *end = sql + strlen(sql); sql < end; sql += used) {
        struct skerry_stmt *s = prepared(db, sql, (size_t)(end - sql), &used);
        if (!s) return;
        int result;
        while ((result = step(s)) == SKERRY_ROW) continue;
        if (result != SKERRY_DONE) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(db)->text);
        skerry_finalize(s);
    }
}

static u64 hits(struct skerry *db)
{
    struct skerry_statement_cache c;
    skerry_statement_cache(db, &c);
    return c.hits;
}

// ---- the same answers ------------------------------------------------------------------------------------------

static const char QUESTIONS[] =
    "SELECT * FROM t; SELECT a FROM t WHERE b = 'x' ORDER BY a; SELECT t.a AS k, count(*) FROM t GROUP BY 1; SELECT * FROM u;"
    "SELECT 'A' LIKE 'a'; SELECT a FROM t; INSERT INTO t(b) VALUES ('new'); UPDATE t SET b = b || '.' WHERE b = 'new';"
    "DELETE FROM t WHERE b = 'new.'; SELECT * FROM v; SELECT changes(), t.a FROM t LIMIT 1; INSERT INTO u VALUES (-1, 1);"
    "DELETE FROM u WHERE x = -1; SELECT x'00' < 'a', 'b' IN (SELECT b FROM t); SELECT count(*) FROM sqlite_master; SELECT value FROM pragma_user_version, json_each('[1]')";

TEST(cache_answers_are_of_the_schema_and_flags_of_now)
{
    static const char *const changes[] = {
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b)", "CREATE TABLE u(x, y)", "CREATE VIEW v AS SELECT b FROM t", "INSERT INTO t VALUES (1, 'x'), (2, 'y')",
        "INSERT INTO u VALUES (5, 6)", "CREATE INDEX tb ON t(b)", "ANALYZE", "ALTER TABLE t ADD COLUMN c DEFAULT 7", "DROP VIEW v", "CREATE VIEW v AS SELECT a, c FROM t",
        "CREATE TEMP TABLE u(x, y, z)", "DROP TABLE temp.u", "ALTER TABLE u RENAME TO old", "CREATE TABLE u(y, x)", "DROP TABLE old",
        "ATTACH ':memory:' AS other", "CREATE TABLE other.w(q)", "INSERT INTO w VALUES (9)", "SELECT * FROM w", "SELECT * FROM w", "CREATE TABLE w(r, s)", "SELECT * FROM w",
        "DROP TABLE main.w", "SELECT * FROM w", "DETACH other", "SELECT * FROM w",
        "BEGIN", "CREATE TABLE t2(a)", "SELECT * FROM t2", "ALTER TABLE t RENAME COLUMN b TO bb", "ROLLBACK", "SELECT * FROM t2",
        "SAVEPOINT s", "DROP INDEX tb", "ROLLBACK TO s", "RELEASE s",
        "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO u VALUES (new.a, 'made'); END", "DROP TRIGGER tr", "PRAGMA case_sensitive_like = 1",
        "PRAGMA case_sensitive_like = 0", "PRAGMA short_column_names = 0", "PRAGMA full_column_names = 1", "PRAGMA short_column_names = 1",
        "PRAGMA full_column_names = 0", "PRAGMA reverse_unordered_selects = 1", "PRAGMA reverse_unordered_selects = 0", "PRAGMA count_changes = 1",
        "PRAGMA count_changes = 0", "PRAGMA user_version = 5", "PRAGMA user_version", "PRAGMA cache_size", "PRAGMA cache_size = 77", "PRAGMA cache_size", "PRAGMA query_only = 1", "PRAGMA query_only = 0",
        "CREATE UNIQUE INDEX ub ON u(x)", "DROP TABLE t", "CREATE TABLE t(b COLLATE NOCASE, a INT DEFAULT 3) STRICT", "CREATE TABLE t(b COLLATE NOCASE, a INT DEFAULT 3)",
        "VACUUM", "REINDEX", "DROP TABLE u", "CREATE VIEW u AS SELECT 1 AS x, 2 AS y",
    };
    struct oracle o = {.context = "", .columns = true};
    if (!oracle_open(&o, "cache")) return;
    for (u32 i = 0; i < COUNT_OF(changes); i++) {
        oracle_run(&o, QUESTIONS);
        oracle_run(&o, changes[i]);
        oracle_run(&o, QUESTIONS);
        oracle_run(&o, QUESTIONS);
    }
    CHECK(hits(o.db) > COUNT_OF(changes) * 10);
    oracle_compare_contents(&o);
    oracle_check_file(&o);
    oracle_close(&o);
}

TEST(cache_hears_of_other_connections)
{
    struct oracle o = {.context = ""};
    struct skerry *other = NULL;
    struct err err = ERR_CLEAR;
    if (!oracle_open(&o, "others")) return;
    run(o.db, "CREATE TABLE t(a); INSERT INTO t VALUES (1); SELECT * FROM t; SELECT * FROM t");
    CHECK(skerry_open(o.engine, skerry_database_path(o.db, "main"), 0, &other, &err));
    for (int i = 0; i < 5; i++) {
        char sql[64], answer[64];
        snprintf(sql, sizeof sql, "ALTER TABLE t ADD COLUMN c%d DEFAULT %d", i, i);
        run(other, sql);
        oracle_answer(&o, "SELECT * FROM t", answer, sizeof answer);
        CHECK_EQ(strlen(answer), strlen("I:1\n") + 4 * (size_t)(i + 1));
    }
    run(other, "DROP TABLE t");
    char answer[64];
    oracle_answer(&o, "SELECT * FROM t", answer, sizeof answer);
    CHECK_STR(answer, "error: no such table: t");
    while (skerry_close(other, NULL) == SKERRY_WAIT) io_step(skerry_engine_io(o.engine), UINT64_MAX);
    oracle_close(&o);
}

// ---- what is kept ------------------------------------------------------------------------------------------------

TEST(cache_gives_statements_as_new_ones)
{
    struct oracle o = {.context = ""};
    size_t used;
    if (!oracle_open(&o, "new")) return;
    struct skerry *db = o.db;
    run(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')");
    static const char SQL[] = "SELECT b, ?1 FROM t WHERE a >= ?2";
    skerry_finalize(prepared(db, SQL, sizeof SQL - 1, &used)); // the first time it is not kept
    struct skerry_stmt *s = prepared(db, SQL, sizeof SQL - 1, &used);
    skerry_bind_text(s, 1, "bound", 5);
    skerry_bind_integer(s, 2, 2);
    CHECK_EQ(step(s), SKERRY_ROW);
    struct skerry_stmt *second = prepared(db, SQL, sizeof SQL - 1, &used); // it is in use: another one
    CHECK(second != s);
    CHECK_EQ(hits(db), 0);
    skerry_finalize(s); // in the middle of its run
    CHECK(skerry_stmt_next(db, NULL) == second && !skerry_stmt_next(db, second));
    s = prepared(db, SQL, sizeof SQL - 1, &used);
    CHECK_EQ(hits(db), 1);
    CHECK_EQ(used, sizeof SQL - 1);
    CHECK(skerry_stmt_next(db, NULL) == s && skerry_stmt_next(db, s) == second);
    CHECK(!skerry_stmt_busy(s));
    CHECK_EQ(step(s), SKERRY_DONE); // a >= NULL: the parameters are not bound
    struct skerry_stmt_counters k;
    skerry_stmt_counters(s, &k);
    CHECK_EQ(k.runs, 1);
    CHECK_EQ(k.rows_read, 0);
    skerry_finalize(s);
    skerry_finalize(second);
    CHECK(!skerry_stmt_next(db, NULL));
    // One that failed.
    for (int i = 0; i < 4; i++) {
        s = prepared(db, "INSERT INTO t VALUES (1, 2)", 27, &used);
        CHECK_EQ(step(s), ERR_CONSTRAINT & 0xff);
        skerry_finalize(s);
    }
    CHECK_EQ(hits(db), 3);
    // Cursors stay with statements of a transaction.
    run(db, "ATTACH ':memory:' AS o; CREATE TABLE o.p(a); BEGIN; INSERT INTO p VALUES (1); INSERT INTO p VALUES (1); INSERT INTO p VALUES (1);"
            " SELECT * FROM p; SELECT * FROM p; SELECT * FROM p; COMMIT; SELECT * FROM p; DETACH o; ATTACH ':memory:' AS o; CREATE TABLE o.p(a, b); BEGIN; SELECT * FROM p; INSERT INTO p VALUES (1, 2); ROLLBACK");
    oracle_close(&o);
}

TEST(cache_tells_texts_apart)
{
    static const struct {
        const char *before, *text;
        u64 hits, used;
    } cases[] = {
        {"SELECT 1", "SELECT 1", 1, 8},
        {"SELECT 1;", "SELECT 1;", 1, 9},
        {"SELECT 1", "SELECT 1;", 0, 9},
        {"SELECT 1; SELECT 2", "SELECT 1; SELECT 3", 1, 9},
        {"SELECT 1; SELECT 2", "SELECT 1;", 1, 9},
        {"SELECT 1;", "SELECT 1; SELECT 3", 1, 9},
        {"SELECT 1 --;", "SELECT 1 --;\n, 2", 0, 16},
        {"SELECT ';'; x", "SELECT ';';", 1, 11},
        {"SELECT 1", "SELECT 12", 0, 9},
        {"SELECT 12", "SELECT 1", 0, 8},
        {"SELECT 1", "select 1", 0, 8},
        {"SELECT 1 AS aaaaaaaaaa", "SELECT 2 AS aaaaaaaaaa", 0, 22},
        {"EXPLAIN SELECT 1", "EXPLAIN SELECT 1", 0, 16},
        {"PRAGMA cache_size", "PRAGMA cache_size", 0, 17},
        {"-- a\nSELECT 1", "-- a\nSELECT 1", 1, 13},
        {"SELECT ?", "SELECT ?", 1, 8},
    };
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "texts")) return;
    for (u32 i = 0; i < COUNT_OF(cases); i++) {
        skerry_limit(o.db, SKERRY_LIMIT_STATEMENT_CACHE, 1 << 20); // empties it
        size_t used;
        for (int twice = 0; twice < 2; twice++)
            skerry_finalize(prepared(o.db, cases[i].before, strlen(cases[i].before), &used));
        u64 before = hits(o.db);
        skerry_finalize(prepared(o.db, cases[i].text, strlen(cases[i].text), &used));
        if (hits(o.db) - before != cases[i].hits || used != cases[i].used)
            test_fail(__FILE__, __LINE__, "%s after %s: %llu hits, %zu bytes", cases[i].text, cases[i].before,
                      (unsigned long long)(hits(o.db) - before), used);
    }
    oracle_close(&o);
}

// After three that differ in their literals: whether the text is run by the program of theirs, and what it inserts.
TEST(inserts_that_differ_in_literals_run_one_program)
{
    static const struct {
        const char *text;
        u64 hits;
        const char *row; // NULL: there is none
    } cases[] = {
        {"INSERT INTO t VALUES(4, 'd', 4.5);", 1, "4 'd' 4.5"},
        {"INSERT INTO t VALUES(  NULL ,'it''s; ''' /* a comment */,\n-7 ) ; SELECT 1", 0, "4 'it''s; ''' -7"},
        {"INSERT INTO t VALUES(  NULL ,'it''s''' /* a comment */,\n-7 ); SELECT 1", 1, "4 'it''s''' -7"},
        {"INSERT INTO t VALUES(-9000000000, x'00ff', - 1e3);SELECT 1", 1, "-9000000000 X'00FF' -1000.0"},
        {"INSERT INTO t VALUES(999999999999999999, '', -0.5);", 1, "999999999999999999 '' -0.5"},
        {"INSERT INTO t VALUES(1000000000000000000, '', 0);", 0, "1000000000000000000 '' 0"},
        {"INSERT INTO t VALUES(0x10, '', 0);", 0, "16 '' 0"},
        {"INSERT INTO t VALUES(4, 'd' || 'e', 4.5);", 0, "4 'de' 4.5"},
        {"INSERT INTO t VALUES(4, 'd', 4.5), (5, 6, 7);", 0, "5 6 7"},
        {"INSERT INTO t VALUES(4, 'd', 4.5) RETURNING a;", 0, "4 'd' 4.5"},
        {"INSERT INTO t VALUES(4, 'd', 4.5)", 0, "4 'd' 4.5"},
        {"INSERT OR IGNORE INTO t VALUES(4, 'd', 4.5);", 0, "4 'd' 4.5"},
        {"INSERT INTO t VALUES(4, ';', 4.5);", 1, "4 ';' 4.5"},
        {"INSERT INTO t VALUES(3, 'd', 4.5);", 1, NULL},   // UNIQUE
        {"INSERT INTO t VALUES('x', 'd', 4.5);", 1, NULL}, // datatype mismatch
        {"INSERT INTO t VALUES(4, 5);", 0, NULL},
        {"INSERT INTO t VALUES(4, 5, x'1');", 0, NULL},
        {"INSERT INTO t VALUES(4, 5, 'x);", 0, NULL},
    };
    static const char inserted[] = "SELECT a || ' ' || quote(b) || ' ' || quote(c) FROM t WHERE rowid = last_insert_rowid() AND a NOT IN (1, 2, 3)";
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "literals")) return;
    skerry_exec(o.db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c)", NULL, NULL);
    for (u32 i = 0; i < COUNT_OF(cases); i++) {
        skerry_exec(o.db, "DELETE FROM t", NULL, NULL);
        skerry_limit(o.db, SKERRY_LIMIT_STATEMENT_CACHE, 1 << 20); // empties it
        run(o.db, "INSERT INTO t VALUES(1, 2, 3);INSERT INTO t VALUES(2, 'x', 3);INSERT INTO t VALUES(3, NULL, 1.5);");
        u64 before = hits(o.db);
        size_t used;
        struct skerry_stmt *s = NULL;
        int result;
        while ((result = skerry_prepare(o.db, cases[i].text, strlen(cases[i].text), &s, &used)) == SKERRY_WAIT) skerry_wait(o.db);
        if (hits(o.db) - before != cases[i].hits) test_fail(__FILE__, __LINE__, "%s: %llu hits", cases[i].text, (unsigned long long)(hits(o.db) - before));
        if (s) {
            size_t size;
            const char *sql = skerry_sql(s, &size);
            if (size != used || memcmp(sql, cases[i].text, used) != 0) test_fail(__FILE__, __LINE__, "%s has the text %s", cases[i].text, sql);
            while ((result = step(s)) == SKERRY_ROW) continue;
        }
        CHECK((result == SKERRY_DONE) == (cases[i].row != NULL));
        skerry_finalize(s);
        s = prepared(o.db, inserted, sizeof inserted - 1, &used);
        bool row = step(s) == SKERRY_ROW;
        CHECK(row == (cases[i].row != NULL));
        if (row && cases[i].row) CHECK_STR(skerry_column_text(s, 0, NULL), cases[i].row);
        skerry_finalize(s);
    }
    oracle_close(&o);
}

static struct skerry_stmt *prepared_text(struct skerry *db, const char *sql)
{
    size_t used;
    return prepared(db, sql, strlen(sql), &used);
}

// A constant that was computed as the text was read is no literal of it.
TEST(inserts_of_computed_constants_are_compiled)
{
    static const char *const texts[] = {"INSERT INTO t VALUES((0 AND 1), 5);", "INSERT INTO t VALUES(0 AND a, 5);", "INSERT INTO t VALUES(5, (0 AND 1));",
                                        "INSERT INTO t VALUES((5), 6);", "INSERT INTO t VALUES(- (5), -(6));", "INSERT INTO t VALUES(-(0 AND 1), 5);"};
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "computed")) return;
    CHECK(oracle_run(&o, "CREATE TABLE t(a, b)"));
    for (u32 i = 0; i < COUNT_OF(texts) * 3; i++) {
        CHECK(oracle_run(&o, texts[i / 3]));
        CHECK(oracle_run(&o, "INSERT INTO t VALUES(1, 2);"));
    }
    CHECK(oracle_run(&o, "SELECT * FROM t"));
    oracle_close(&o);
}

// One that runs is not another's; what was changed meanwhile counts; values that it gives stay.
TEST(inserts_of_one_program_do_not_mix)
{
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "mix")) return;
    skerry_exec(o.db, "CREATE TABLE t(a, b); CREATE TABLE u(a, b UNIQUE)", NULL, NULL);
    run(o.db, "INSERT INTO t VALUES(1, 'a') RETURNING b;INSERT INTO t VALUES(2, 'b') RETURNING b;");
    struct skerry_stmt *one = prepared_text(o.db, "INSERT INTO t VALUES(3, 'first of them') RETURNING b;");
    struct skerry_stmt *two = prepared_text(o.db, "INSERT INTO t VALUES(4, 'second') RETURNING b;");
    CHECK_EQ(hits(o.db), 1);
    CHECK_EQ(step(one), SKERRY_ROW);
    CHECK_EQ(step(two), SKERRY_ROW);
    CHECK_STR(skerry_column_text(one, 0, NULL), "first of them");
    CHECK_STR(skerry_column_text(two, 0, NULL), "second");
    CHECK_EQ(step(two), SKERRY_DONE);
    skerry_finalize(two);
    skerry_finalize(prepared_text(o.db, "INSERT INTO t VALUES(5, 'third') RETURNING b;"));
    CHECK_STR(skerry_column_text(one, 0, NULL), "first of them");
    CHECK_EQ(step(one), SKERRY_DONE);
    skerry_finalize(one);
    // Prepared before the schema changes, run after.
    run(o.db, "INSERT INTO u VALUES(1, 'x');INSERT INTO u VALUES(2, 'y');");
    one = prepared_text(o.db, "INSERT INTO u VALUES(3, 'z');");
    CHECK_EQ(hits(o.db), 3);
    run(o.db, "CREATE TRIGGER r AFTER INSERT ON u BEGIN INSERT INTO t VALUES(new.b, 'trigger'); END;");
    CHECK_EQ(step(one), SKERRY_DONE);
    CHECK_EQ(skerry_reset(one), SKERRY_OK);
    CHECK_EQ(step(one) & 0xff, ERR_CONSTRAINT);
    skerry_finalize(one);
    one = prepared_text(o.db, "SELECT group_concat(a || b, ' ') FROM t");
    CHECK_EQ(step(one), SKERRY_ROW);
    CHECK_STR(skerry_column_text(one, 0, NULL), "1a 2b 3first of them 4second ztrigger");
    skerry_finalize(one);
    oracle_close(&o);
}

TEST(cache_keeps_what_came_before)
{
    struct oracle o = {.context = ""};
    struct skerry_statement_cache c;
    if (!oracle_open(&o, "before")) return;
    char sql[60];
    for (int i = 0; i < 200; i++) {
        snprintf(sql, sizeof sql, "SELECT %d, %d;", i, i + 1);
        run(o.db, sql);
    }
    skerry_statement_cache(o.db, &c);
    CHECK_EQ(c.count, 0);
    CHECK_EQ(c.misses, 200);
    run(o.db, sql);
    skerry_statement_cache(o.db, &c);
    CHECK_EQ(c.count, 1);
    for (int i = 0; i < 2000; i++) { // it stays when more texts were seen than are remembered
        char other[60];
        snprintf(other, sizeof other, "SELECT %d, 'other';", i);
        run(o.db, other);
        run(o.db, sql);
    }
    skerry_statement_cache(o.db, &c);
    CHECK_EQ(c.count, 1);
    CHECK_EQ(c.hits, 2000);
    oracle_close(&o);
}

TEST(cache_is_bounded)
{
    struct oracle o = {.context = ""};
    struct skerry_statement_cache c;
    char sql[20000];
    size_t used;
    if (!oracle_open(&o, "bounded")) return;
    for (int i = 0; i < 302; i++) {
        snprintf(sql, sizeof sql, "SELECT %d", i);
        for (int twice = 0; twice < 2; twice++) run(o.db, sql); // then it is kept
        run(o.db, "SELECT 'often'");
    }
    skerry_statement_cache(o.db, &c);
    CHECK_EQ(c.count, 64);
    CHECK_EQ(c.hits, 300); // the one that is asked for stays
    if (!c.bytes || c.bytes > 1 << 20) test_fail(__FILE__, __LINE__, "%llu bytes", (unsigned long long)c.bytes);
    skerry_limit(o.db, SKERRY_LIMIT_STATEMENT_CACHE, 400000);
    skerry_statement_cache(o.db, &c);
    CHECK_EQ(c.count, 0);
    for (int i = 0; i < 100; i++) {
        int at = snprintf(sql, sizeof sql, "SELECT %d", i);
        for (int k = 0; k < 20; k++) at += snprintf(sql + at, sizeof sql - (size_t)at, ", %d + ?", k);
        run(o.db, sql);
        run(o.db, sql);
        skerry_statement_cache(o.db, &c);
        CHECK(c.bytes <= 400000);
    }
    if (c.count < 2 || c.count > 63) test_fail(__FILE__, __LINE__, "%u statements of %llu bytes", c.count, (unsigned long long)c.bytes);
    // What a value of megabytes leaves behind is not kept.
    skerry_limit(o.db, SKERRY_LIMIT_STATEMENT_CACHE, 1 << 20);
    run(o.db, "SELECT length(?)");
    struct skerry_stmt *s = prepared(o.db, "SELECT length(?)", 16, &used);
    char *big = calloc(1, 2 << 20);
    CHECK_EQ(skerry_bind_blob(s, 1, big, 2 << 20), SKERRY_OK);
    free(big);
    CHECK_EQ(step(s), SKERRY_ROW);
    skerry_finalize(s);
    skerry_statement_cache(o.db, &c);
    CHECK_EQ(c.count, 0);
    CHECK_EQ(c.bytes, 0);
    skerry_limit(o.db, SKERRY_LIMIT_STATEMENT_CACHE, 0);
    for (int i = 0; i < 3; i++) run(o.db, "SELECT 1");
    skerry_statement_cache(o.db, &c);
    CHECK_EQ(c.count, 0);
    oracle_close(&o);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
