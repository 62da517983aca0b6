// Goal: the embedding API keeps its promises: what waits is called again, statements and connections interleave,
// transactions and savepoints do as SQLite's, errors carry code, text and place.
// Method: SQL through the API on the memory backend and on the simulated one, which defers every completion; what is
// expected is SQLite's documented behaviour.
#include "engine/skerry.h"
#include "tests/test.h"

static struct skerry_engine *engine;

static void setup(enum io_backend_kind backend)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options options = {.backend = backend};
    if (!skerry_engine_create(&options, &engine, &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
}

static struct skerry *open_at(const char *path)
{
    struct err err = ERR_CLEAR;
    struct skerry *db = NULL;
    if (!skerry_open(engine, path, SKERRY_OPEN_CREATE, &db, &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
    return db;
}

static struct skerry *open_file(const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", test_dir(), name);
    return open_at(path);
}

static void shut(struct skerry *db)
{
    struct err err = ERR_CLEAR;
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(skerry_engine_io(engine), UINT64_MAX);
}

static struct skerry_stmt *prepare(struct skerry *db, const char *sql)
{
    struct skerry_stmt *s = NULL;
    size_t used;
    int result;
    while ((result = skerry_prepare(db, sql, strlen(sql), &s, &used)) == SKERRY_WAIT) skerry_wait(db);
    if (result != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(db)->text);
    return s;
}

static int step(struct skerry_stmt *s)
{
    int result;
    while ((result = skerry_step(s)) == SKERRY_WAIT) skerry_wait(skerry_stmt_db(s));
    return result;
}

static char out[8192];

static int row_append(void *context, struct skerry_stmt *s)
{
    size_t at = strlen(out);
    for (u32 i = 0; i < skerry_column_count(s); i++) {
        const char *text = skerry_column_text(s, i, NULL);
        at += (size_t)snprintf(out + at, sizeof out - at, "%s%s", i ? "|" : "", text ? text : "NULL");
    }
    snprintf(out + at, sizeof out - at, " ");
    return 0;
}

// Rows of the statements, or "error: " and the text behind those that came before.
static const char *sql(struct skerry *db, const char *text)
{
    out[0] = 0;
    if (skerry_exec(db, text, row_append, NULL) != SKERRY_OK) {
        size_t at = strlen(out);
        snprintf(out + at, sizeof out - at, "error: %s", skerry_error(db)->text);
    }
    return out;
}

TEST(skerry_statements_in_turn)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_at(":memory:");
    static const struct {
        const char *sql, *want;
    } steps[] = {
        {"CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT UNIQUE)", ""},
        {"INSERT INTO t VALUES(1,'x'),(2,'y')", ""},
        {"SELECT * FROM t", "1|x 2|y "},
        {"SELECT changes(), total_changes(), last_insert_rowid()", "2|2|2 "},
        {"INSERT INTO t VALUES(3,'x')", "error: UNIQUE constraint failed: t.b"},
        {"INSERT INTO t VALUES(3,'z'),(4,'y')", "error: UNIQUE constraint failed: t.b"},
        {"SELECT count(*) FROM t", "2 "},
        {"INSERT OR IGNORE INTO t VALUES(3,'z'),(4,'y')", ""},
        {"SELECT changes(), count(*) FROM t", "1|3 "},
        {"BEGIN; INSERT INTO t VALUES(9,'q'); ROLLBACK; SELECT count(*) FROM t", "3 "},
        {"BEGIN; BEGIN", "error: cannot start a transaction within a transaction"},
        {"COMMIT; COMMIT", "error: cannot commit - no transaction is active"},
        {"ROLLBACK", "error: cannot rollback - no transaction is active"},
        {"SELECT none FROM t", "error: no such column: none"},
        {"SELEC 1", "error: near \"SELEC\": syntax error"},
        {"DELETE FROM t", ""},
        {"SELECT changes()", "3 "},
        {"DROP TABLE t; SELECT count(*) FROM sqlite_schema", "0 "},
    };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        const char *got = sql(db, steps[i].sql);
        if (strcmp(got, steps[i].want) != 0)
            test_fail(__FILE__, __LINE__, "%s gives \"%s\", want \"%s\"", steps[i].sql, got, steps[i].want);
    }
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(skerry_errors_have_codes_and_places)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_at(":memory:");
    sql(db, "CREATE TABLE t(a NOT NULL, b CHECK(b > 0), c UNIQUE)");
    static const struct {
        const char *sql;
        int code;
        s64 offset;
    } cases[] = {
        {"SELECT x FROM t", ERR_ERROR, 7},
        {"SELECT 1 +", ERR_ERROR, -1},
        {"INSERT INTO t VALUES(NULL,1,1)", ERR_CONSTRAINT_NOTNULL, -1},
        {"INSERT INTO t VALUES(1,0,1)", ERR_CONSTRAINT_CHECK, -1},
        {"INSERT INTO t VALUES(1,1,1),(1,1,1)", ERR_CONSTRAINT_UNIQUE, -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHECK(strncmp(sql(db, cases[i].sql), "error: ", 7) == 0);
        if (skerry_errcode(db) != cases[i].code || skerry_error(db)->offset != cases[i].offset)
            test_fail(__FILE__, __LINE__, "%s: code %d at %lld", cases[i].sql, skerry_errcode(db),
                      (long long)skerry_error(db)->offset);
    }
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(skerry_savepoints_nest)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_at(":memory:");
    static const struct {
        const char *sql, *want;
    } steps[] = {
        {"CREATE TABLE t(a)", ""},
        {"SAVEPOINT one; INSERT INTO t VALUES(1)", ""},
        {"SAVEPOINT two; INSERT INTO t VALUES(2)", ""},
        {"SAVEPOINT three; INSERT INTO t VALUES(3)", ""},
        {"ROLLBACK TO two; SELECT group_concat(a) FROM t", "1 "},
        {"RELEASE three", "error: no such savepoint: three"},
        {"INSERT INTO t VALUES(4); RELEASE two; SELECT group_concat(a) FROM t", "1,4 "},
        {"ROLLBACK TO one; SELECT count(*) FROM t", "0 "},
        {"INSERT INTO t VALUES(5); RELEASE one; SELECT group_concat(a) FROM t", "5 "},
        {"ROLLBACK", "error: cannot rollback - no transaction is active"},
        {"BEGIN; INSERT INTO t VALUES(6); SAVEPOINT s; CREATE TABLE u(x); INSERT INTO u VALUES(1); ROLLBACK TO s", ""},
        {"SELECT * FROM u", "error: no such table: u"},
        {"COMMIT; SELECT group_concat(a) FROM t", "5,6 "},
    };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        const char *got = sql(db, steps[i].sql);
        if (strcmp(got, steps[i].want) != 0)
            test_fail(__FILE__, __LINE__, "%s gives \"%s\", want \"%s\"", steps[i].sql, got, steps[i].want);
    }
    CHECK(skerry_autocommit(db));
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(skerry_parameters_and_columns)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_at(":memory:");
    struct skerry_stmt *s = prepare(db, "SELECT ?1 AS one, :b, @c, ?1 + ?5");
    CHECK_EQ(skerry_parameter_count(s), 5);
    CHECK_EQ(skerry_parameter_index(s, ":b"), 2);
    CHECK_STR(skerry_parameter_name(s, 3), "@c");
    CHECK(skerry_parameter_name(s, 4) == NULL);
    CHECK_EQ(skerry_bind_integer(s, 6, 1), ERR_RANGE);
    CHECK_EQ(skerry_bind_integer(s, 0, 1), ERR_RANGE);
    skerry_bind_integer(s, 1, 40);
    skerry_bind_text(s, 2, "text\0with", 9);
    skerry_bind_blob(s, 3, "\x01\x02", 2);
    skerry_bind_real(s, 5, 2.5);
    REQUIRE(step(s) == SKERRY_ROW);
    CHECK_EQ(skerry_bind_integer(s, 1, 1), ERR_MISUSE);
    CHECK_STR(skerry_column_name(s, 0), "one");
    CHECK_EQ(skerry_column_type(s, 0), VALUE_INTEGER);
    CHECK_STR(skerry_column_text(s, 0, NULL), "40");
    size_t size;
    CHECK(memcmp(skerry_column_text(s, 1, &size), "text\0with", 10) == 0);
    CHECK_EQ(size, 9);
    CHECK_EQ(skerry_column_type(s, 2), VALUE_BLOB);
    CHECK(skerry_column_real(s, 3) == 42.5);
    CHECK_EQ(skerry_column_type(s, 4), VALUE_NULL);
    CHECK_EQ(step(s), SKERRY_DONE);
    // Again, with the bindings as they were, but one.
    CHECK_EQ(skerry_reset(s), SKERRY_OK);
    skerry_bind_null(s, 1);
    REQUIRE(step(s) == SKERRY_ROW);
    CHECK_EQ(skerry_column_type(s, 0), VALUE_NULL);
    CHECK_EQ(skerry_column_type(s, 3), VALUE_NULL);
    CHECK_EQ(skerry_column_type(s, 1), VALUE_TEXT);
    skerry_finalize(s);
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(skerry_parameters_of_a_trigger_in_the_schema_are_null)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_file("trigger.db");
    sql(db, "CREATE TABLE t(a); CREATE TABLE u(b, c); PRAGMA writable_schema = 1;"
            "INSERT INTO sqlite_schema VALUES('trigger', 'r', 't', 0,"
            "    'CREATE TRIGGER r AFTER INSERT ON t WHEN ?1 IS NULL BEGIN INSERT INTO u VALUES(new.a, ?1); END');"
            "PRAGMA writable_schema = RESET");
    struct skerry_stmt *s = prepare(db, "INSERT INTO t VALUES(?1) RETURNING ?1");
    skerry_bind_integer(s, 1, 7);
    REQUIRE(step(s) == SKERRY_ROW);
    CHECK_EQ(skerry_column_integer(s, 0), 7);
    CHECK_EQ(step(s), SKERRY_DONE);
    skerry_finalize(s);
    CHECK_STR(sql(db, "SELECT b, c FROM u"), "7|NULL ");
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(skerry_prepares_anew_when_the_schema_changes)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *a = open_file("schema.db"), *b = open_file("schema.db");
    sql(a, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
    struct skerry_stmt *s = prepare(b, "SELECT * FROM t");
    REQUIRE(step(s) == SKERRY_ROW);
    CHECK_EQ(skerry_column_count(s), 1);
    CHECK_EQ(step(s), SKERRY_DONE);
    skerry_reset(s);
    sql(a, "ALTER TABLE t ADD COLUMN y DEFAULT 7");
    REQUIRE(step(s) == SKERRY_ROW);
    CHECK_EQ(skerry_column_count(s), 2);
    CHECK_EQ(skerry_column_integer(s, 1), 7);
    skerry_reset(s);
    sql(a, "DROP TABLE t");
    CHECK_EQ(step(s), ERR_ERROR);
    CHECK_STR(skerry_error(b)->text, "no such table: t");
    skerry_finalize(s);
    // A view that reads no table.
    sql(a, "CREATE VIEW v AS SELECT 1");
    s = prepare(b, "SELECT * FROM v");
    REQUIRE(step(s) == SKERRY_ROW);
    CHECK_EQ(skerry_column_integer(s, 0), 1);
    skerry_reset(s);
    sql(a, "DROP VIEW v; CREATE VIEW v AS SELECT 2");
    REQUIRE(step(s) == SKERRY_ROW);
    CHECK_EQ(skerry_column_integer(s, 0), 2);
    skerry_finalize(s);
    shut(a);
    shut(b);
    skerry_engine_destroy(engine);
}

TEST(skerry_reads_on_past_a_deleted_row)
{
    // The change comes behind the third row of the query. A row that is gone has NULLs from then on, and is followed by the next.
    static const struct {
        const char *query, *change, *want;
    } table[] = {
        {"SELECT t.rowid, c FROM t, u ORDER BY a", "DELETE FROM t WHERE a = 3", "1,0 1,1 2,0 N,1 3,0 3,1 4,0 4,1"},
        {"SELECT t.rowid, c FROM t, u ORDER BY a", "DELETE FROM t", "1,0 1,1 2,0 N,1"},
        {"SELECT t.rowid, c FROM t, u ORDER BY a", "DELETE FROM t WHERE a = 1", "1,0 1,1 2,0 2,1 3,0 3,1 4,0 4,1"},
        {"SELECT t.rowid, c FROM t, u ORDER BY a", "UPDATE t SET a = 9 WHERE a = 3", "1,0 1,1 2,0 N,1 3,0 3,1 4,0 4,1 2,0 2,1"},
        {"SELECT a, c FROM t, u", "DELETE FROM t WHERE a = 3", "1,0 3,0 5,0 7,0 1,1 5,1 7,1"},
        {"SELECT a, c FROM t, u", "DELETE FROM t", "1,0 3,0 5,0"},
        {"SELECT a, c FROM t, u", "DELETE FROM t WHERE a = 1", "1,0 3,0 5,0 7,0 3,1 5,1 7,1"},
        {"SELECT a, c FROM t, u", "UPDATE t SET a = 9 WHERE a = 3", "1,0 3,0 5,0 7,0 9,0 1,1 5,1 7,1 9,1"},
        {"SELECT b, c FROM t, u ORDER BY t.rowid DESC", "DELETE FROM t WHERE a = 3", "8,0 8,1 6,0 6,1 2,0 2,1"},
        {"SELECT b, c FROM t, u ORDER BY t.rowid DESC", "DELETE FROM t", "8,0 8,1 6,0 N,1"},
        {"SELECT b, c FROM t, u ORDER BY t.rowid DESC", "DELETE FROM t WHERE a = 1", "8,0 8,1 6,0 6,1 4,0 4,1"},
        {"SELECT b, c FROM t, u ORDER BY t.rowid DESC", "UPDATE t SET a = 9 WHERE a = 3", "8,0 8,1 6,0 6,1 4,0 4,1 2,0 2,1"},
        {"SELECT t.rowid, a, c FROM t, u", "DELETE FROM t WHERE a = 3", "1,1,0 2,3,0 3,5,0 4,7,0 1,1,1 3,5,1 4,7,1"},
        {"SELECT t.rowid, a, c FROM t, u", "DELETE FROM t", "1,1,0 2,3,0 3,5,0"},
        {"SELECT t.rowid, a, c FROM t, u", "DELETE FROM t WHERE a = 1", "1,1,0 2,3,0 3,5,0 4,7,0 2,3,1 3,5,1 4,7,1"},
        {"SELECT t.rowid, a, c FROM t, u", "UPDATE t SET a = 9 WHERE a = 3", "1,1,0 2,3,0 3,5,0 4,7,0 2,9,0 1,1,1 3,5,1 4,7,1 2,9,1"},
        {"SELECT a, c FROM t, u ORDER BY a", "DELETE FROM t WHERE a = 3", "1,0 1,1 3,0 N,1 5,0 5,1 7,0 7,1"},
        {"SELECT a, c FROM t, u ORDER BY a", "DELETE FROM t", "1,0 1,1 3,0 N,1"},
        {"SELECT a, c FROM t, u ORDER BY a", "DELETE FROM t WHERE a = 1", "1,0 1,1 3,0 3,1 5,0 5,1 7,0 7,1"},
        {"SELECT a, c FROM t, u ORDER BY a", "UPDATE t SET a = 9 WHERE a = 3", "1,0 1,1 3,0 N,1 5,0 5,1 7,0 7,1 9,0 9,1"},
        {"SELECT a, c FROM t, u ORDER BY a DESC", "DELETE FROM t WHERE a = 3", "7,0 7,1 5,0 5,1 1,0 1,1"},
        {"SELECT a, c FROM t, u ORDER BY a DESC", "DELETE FROM t", "7,0 7,1 5,0 N,1"},
        {"SELECT a, c FROM t, u ORDER BY a DESC", "DELETE FROM t WHERE a = 1", "7,0 7,1 5,0 5,1 3,0 3,1"},
        {"SELECT a, c FROM t, u ORDER BY a DESC", "UPDATE t SET a = 9 WHERE a = 3", "7,0 7,1 5,0 5,1 1,0 1,1"},
        {"SELECT c, a FROM u LEFT JOIN t ON a > c", "DELETE FROM t WHERE a = 3", "0,1 0,3 0,5 0,7 1,5 1,7"},
        {"SELECT c, a FROM u LEFT JOIN t ON a > c", "DELETE FROM t", "0,1 0,3 0,5 1,N"},
        {"SELECT c, a FROM u LEFT JOIN t ON a > c", "DELETE FROM t WHERE a = 1", "0,1 0,3 0,5 0,7 1,3 1,5 1,7"},
        {"SELECT c, a FROM u LEFT JOIN t ON a > c", "UPDATE t SET a = 9 WHERE a = 3", "0,1 0,3 0,5 0,7 0,9 1,5 1,7 1,9"},
    };
    setup(IO_BACKEND_MEMORY);
    for (u32 i = 0; i < COUNT_OF(table); i++) {
        struct skerry *db = open_at(":memory:");
        sql(db, "CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 2), (3, 4), (5, 6), (7, 8); CREATE INDEX i ON t(a);"
                "CREATE TABLE u(c); INSERT INTO u VALUES(0), (1)");
        struct skerry_stmt *s = prepare(db, table[i].query);
        char got[1000] = "";
        u32 rows = 0;
        while (step(s) == SKERRY_ROW) {
            size_t at = strlen(got);
            for (u32 k = 0; k < skerry_column_count(s); k++) {
                const char *text = skerry_column_text(s, k, NULL);
                at += (size_t)snprintf(got + at, sizeof got - at, "%s%s", k ? "," : rows ? " " : "", text ? text : "N");
            }
            if (++rows == 3) sql(db, table[i].change);
        }
        if (strcmp(got, table[i].want) != 0)
            test_fail(__FILE__, __LINE__, "%s; %s: %s instead of %s", table[i].query, table[i].change, got, table[i].want);
        skerry_finalize(s);
        shut(db);
    }
    skerry_engine_destroy(engine);
}

TEST(skerry_pragmas_answer_anew_each_time)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_file("pragma.db");
    static const struct {
        const char *question, *change;
    } table[] = {
        {"PRAGMA synchronous", "PRAGMA synchronous = 0"},
        {"PRAGMA cache_size", "PRAGMA cache_size = 50"},
        {"PRAGMA busy_timeout", "PRAGMA busy_timeout = 77"},
        {"PRAGMA foreign_keys", "PRAGMA foreign_keys = 1"},
        {"PRAGMA temp_store", "PRAGMA temp_store = 2"},
    };
    for (u32 i = 0; i < COUNT_OF(table); i++) {
        struct skerry_stmt *s = prepare(db, table[i].question);
        REQUIRE(step(s) == SKERRY_ROW);
        s64 before = skerry_column_integer(s, 0);
        if (i % 2) CHECK_EQ(step(s), SKERRY_DONE);
        skerry_reset(s);
        sql(db, table[i].change);
        REQUIRE(step(s) == SKERRY_ROW);
        if (skerry_column_integer(s, 0) == before) test_fail(__FILE__, __LINE__, "%s is as it was", table[i].question);
        skerry_finalize(s);
    }
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(skerry_readers_keep_their_snapshot)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *a = open_file("snapshot.db"), *b = open_file("snapshot.db");
    sql(a, "CREATE TABLE t(x); INSERT INTO t VALUES(1),(2),(3)");
    sql(b, "BEGIN");
    CHECK_STR(sql(b, "SELECT count(*) FROM t"), "3 ");
    sql(a, "INSERT INTO t VALUES(4)");
    CHECK_STR(sql(b, "SELECT count(*) FROM t"), "3 ");
    CHECK_STR(sql(b, "INSERT INTO t VALUES(5)"), "error: database is locked");
    CHECK_EQ(skerry_errcode(b), ERR_BUSY_SNAPSHOT);
    sql(b, "COMMIT");
    CHECK_STR(sql(b, "SELECT count(*) FROM t"), "4 ");
    shut(a);
    shut(b);
    skerry_engine_destroy(engine);
}

TEST(skerry_one_writer_at_a_time)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *a = open_file("writer.db"), *b = open_file("writer.db");
    sql(a, "CREATE TABLE t(x)");
    sql(a, "BEGIN IMMEDIATE");
    CHECK_STR(sql(b, "INSERT INTO t VALUES(1)"), "error: database is locked");
    CHECK_EQ(skerry_errcode(b) & 0xff, ERR_BUSY);
    // In line for the slot: the statement waits, and goes on when the other has committed.
    skerry_busy_timeout(b, 60000);
    struct skerry_stmt *s = prepare(b, "INSERT INTO t VALUES(2)");
    CHECK_EQ(skerry_step(s), SKERRY_WAIT);
    sql(a, "INSERT INTO t VALUES(1); COMMIT");
    CHECK_EQ(step(s), SKERRY_DONE);
    skerry_finalize(s);
    CHECK_STR(sql(a, "SELECT group_concat(x) FROM t"), "1,2 ");
    shut(a);
    shut(b);
    skerry_engine_destroy(engine);
}

TEST(skerry_writes_while_it_reads)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_file("readwrite.db");
    sql(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE TABLE u(a)");
    sql(db, "INSERT INTO t(a) SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9,10]')");
    // Each row that is read is written elsewhere, and committed, while the reader stands on it.
    struct skerry_stmt *read = prepare(db, "SELECT a FROM t ORDER BY a"), *write = prepare(db, "INSERT INTO u VALUES(?)");
    u32 count = 0;
    while (step(read) == SKERRY_ROW) {
        skerry_bind_integer(write, 1, skerry_column_integer(read, 0));
        CHECK_EQ(step(write), SKERRY_DONE);
        CHECK_EQ(skerry_reset(write), SKERRY_OK);
        count++;
    }
    CHECK_EQ(count, 10);
    skerry_finalize(read);
    skerry_finalize(write);
    CHECK_STR(sql(db, "SELECT group_concat(a) FROM u"), "1,2,3,4,5,6,7,8,9,10 ");
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(skerry_reset_and_finalize_in_the_middle)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_file("middle.db");
    sql(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1),(2),(3)");
    struct skerry_stmt *s = prepare(db, "SELECT a FROM t");
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(step(s), SKERRY_ROW);
        CHECK(skerry_stmt_busy(s));
        CHECK_EQ(skerry_reset(s), SKERRY_OK);
        CHECK(!skerry_stmt_busy(s));
    }
    CHECK_EQ(step(s), SKERRY_ROW);
    skerry_finalize(s);
    CHECK_STR(sql(db, "DROP TABLE t; SELECT count(*) FROM sqlite_schema"), "0 ");
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(skerry_interrupt_ends_a_statement)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_at(":memory:");
    struct skerry_stmt *s = prepare(db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(x) FROM c");
    CHECK_EQ(skerry_step(s), SKERRY_WAIT); // a slice is over: others have their turn
    skerry_interrupt(db);
    CHECK_EQ(step(s), ERR_INTERRUPT);
    CHECK_STR(skerry_error(db)->text, "interrupted");
    skerry_finalize(s);
    CHECK_STR(sql(db, "SELECT 1"), "1 ");
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(skerry_sorting_within_a_limit)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_at(":memory:");
    const char *sort = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 50000) "
                       "SELECT count(*) FROM (SELECT x FROM c ORDER BY -x LIMIT -1 OFFSET 1)";
    skerry_limit(db, SKERRY_LIMIT_STATEMENT_MEMORY, 100000);
    CHECK(strncmp(sql(db, sort), "error: sorters and temporary tables take more than the 100000", 61) == 0);
    skerry_limit(db, SKERRY_LIMIT_STATEMENT_MEMORY, 100000000);
    CHECK_STR(sql(db, sort), "49999 ");
    shut(db);
    skerry_engine_destroy(engine);
}

// Many connections, each with a statement that waits for its commit, stepped in turn.
// Steps a SELECT of (a, b) until `last`; every b must be `want`, and the rowids go on from `first` without a gap.
static void rows_expect(struct skerry_stmt *s, s64 first, s64 last, const char *want)
{
    for (s64 a = first; a <= last; a++) {
        int result = step(s);
        if (result != SKERRY_ROW) {
            test_fail(__FILE__, __LINE__, "row %lld: result %d: %s", (long long)a, result,
                      skerry_error(skerry_stmt_db(s))->text);
            return;
        }
        if (skerry_column_integer(s, 0) != a || !strstr(skerry_column_text(s, 1, NULL), want) ||
            (!want[0] && strstr(skerry_column_text(s, 1, NULL), "!"))) {
            test_fail(__FILE__, __LINE__, "row %lld is %s|%.40s, want b with \"%s\"", (long long)a,
                      skerry_column_text(s, 0, NULL), skerry_column_text(s, 1, NULL), want);
            return;
        }
    }
}

static const char *const READ_T[] = {"SELECT a, b FROM t ORDER BY a", "SELECT a, b FROM t ORDER BY c"};

static struct skerry *rollback_setup(enum io_backend_kind backend)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options options = {.backend = backend, .cache_bytes = 1 << 17}; // so that writers wait
    if (!skerry_engine_create(&options, &engine, &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
    struct skerry *db = backend == IO_BACKEND_MEMORY ? open_file("t.db") : open_at("t.db");
    CHECK_STR(sql(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); CREATE INDEX tc ON t(c);"
                      "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
                      "INSERT INTO t SELECT i, printf('%.*c', 20 + i % 50 * 40, 'b'), i FROM n;"
                      "CREATE TABLE u(x); CREATE TABLE v AS SELECT * FROM t;"
                      "CREATE TRIGGER ut AFTER INSERT ON u WHEN new.x < 0 BEGIN UPDATE t SET b = b || '!';"
                      "SELECT count(*) FROM v WHERE length(b) > 1; SELECT RAISE(ABORT, 'enough'); END"),
              "");
    return db;
}

TEST(skerry_reads_on_past_a_failing_writer)
{
    for (u32 i = 0; i < 2 * COUNT_OF(READ_T); i++) {
        struct skerry *db = rollback_setup(i < COUNT_OF(READ_T) ? IO_BACKEND_MEMORY : IO_BACKEND_SIM);
        u32 which = i % COUNT_OF(READ_T);
        CHECK_STR(sql(db, "BEGIN; INSERT INTO u VALUES(0)"), "");
        struct skerry_stmt *reader = prepare(db, READ_T[which]);
        rows_expect(reader, 1, 5, "");
        struct skerry_stmt *writer = prepare(db, "INSERT INTO u VALUES(-1)");
        s64 seen = 5;
        int result;
        while ((result = skerry_step(writer)) == SKERRY_WAIT) {
            // In the midst of a row that is being changed an index may lack it.
            if (seen < 1000 && step(reader) == SKERRY_ROW) seen = skerry_column_integer(reader, 0);
            io_step(skerry_engine_io(engine), 0);
        }
        CHECK_STR(skerry_error(db)->text, "enough");
        if (i >= COUNT_OF(READ_T)) CHECK(seen > 5);
        rows_expect(reader, seen + 1, 3000, "");
        CHECK_EQ(step(reader), SKERRY_DONE);
        skerry_finalize(reader);
        skerry_finalize(writer);
        CHECK_STR(sql(db, "COMMIT; PRAGMA integrity_check"), "ok ");
        shut(db);
        skerry_engine_destroy(engine);
    }
}

TEST(skerry_reads_on_past_rollback)
{
    for (u32 i = 0; i < COUNT_OF(READ_T); i++) {
        struct skerry *db = rollback_setup(i ? IO_BACKEND_SIM : IO_BACKEND_MEMORY);
        struct skerry_stmt *reader = prepare(db, READ_T[i]), *other = prepare(db, READ_T[i]);
        rows_expect(reader, 1, 5, "");
        // Of a statement that is a transaction of its own, of INSERT OR ROLLBACK, and of ROLLBACK.
        CHECK_STR(sql(db, "INSERT INTO u VALUES(-1)"), "error: enough");
        rows_expect(reader, 6, 10, "");
        CHECK_STR(sql(db, "BEGIN; DELETE FROM t WHERE a BETWEEN 3 AND 800"), "");
        rows_expect(other, 1, 2, "");
        CHECK_STR(sql(db, "INSERT OR ROLLBACK INTO t(a) VALUES(1)"), "error: UNIQUE constraint failed: t.a");
        rows_expect(reader, 11, 500, "");
        CHECK_STR(sql(db, "BEGIN; UPDATE t SET b = b || '!'"), "");
        rows_expect(reader, 501, 600, "!");
        CHECK_STR(sql(db, "ROLLBACK"), "");
        rows_expect(reader, 601, 3000, "");
        CHECK_EQ(step(reader), SKERRY_DONE);
        rows_expect(other, 3, 10, "");
        // A schema that is rolled back takes the readers with it.
        CHECK_STR(sql(db, "BEGIN; CREATE TABLE n(x); ROLLBACK"), "");
        CHECK_EQ(step(other), 4);
        CHECK_STR(skerry_error(db)->text, "abort due to ROLLBACK");
        skerry_finalize(reader);
        skerry_finalize(other);
        CHECK_STR(sql(db, "SELECT count(*) FROM t WHERE instr(b, '!'); PRAGMA integrity_check"), "0 ok ");
        shut(db);
        skerry_engine_destroy(engine);
    }
}

TEST(skerry_reads_on_past_rollback_to)
{
    for (u32 i = 0; i < COUNT_OF(READ_T); i++) {
        struct skerry *db = rollback_setup(i ? IO_BACKEND_SIM : IO_BACKEND_MEMORY);
        struct skerry_stmt *reader = prepare(db, READ_T[i]), *other = prepare(db, READ_T[i]);
        CHECK_STR(sql(db, "SAVEPOINT s"), "");
        rows_expect(reader, 1, 5, "");
        CHECK_STR(sql(db, "UPDATE t SET b = b || '!'; DELETE FROM t WHERE a = 2000"), "");
        rows_expect(reader, 6, 1000, "!");
        rows_expect(other, 1, 10, "!");
        CHECK_STR(sql(db, "ROLLBACK TO s"), "");
        rows_expect(reader, 1001, 3000, "");
        CHECK_EQ(step(reader), SKERRY_DONE);
        // A schema that is rolled back takes the readers with it.
        CHECK_STR(sql(db, "CREATE TABLE n(x); ROLLBACK TO s"), "");
        CHECK_EQ(step(other), 4);
        CHECK_STR(skerry_error(db)->text, "abort due to ROLLBACK");
        skerry_finalize(reader);
        skerry_finalize(other);
        CHECK_STR(sql(db, "RELEASE s; SELECT count(*) FROM t WHERE instr(b, '!'); PRAGMA integrity_check"), "0 ok ");
        shut(db);
        skerry_engine_destroy(engine);
    }
}

TEST(skerry_many_connections_commit_together)
{
    setup(IO_BACKEND_POSIX);
    enum { CONNECTIONS = 16, ROWS = 5 };
    struct skerry *db[CONNECTIONS];
    struct skerry_stmt *s[CONNECTIONS];
    u32 left[CONNECTIONS], running = CONNECTIONS;
    for (int i = 0; i < CONNECTIONS; i++) {
        db[i] = open_file("many.db");
        if (i == 0) sql(db[0], "CREATE TABLE t(who, what)");
        skerry_busy_timeout(db[i], 60000);
        s[i] = prepare(db[i], "INSERT INTO t VALUES(?, ?)");
        left[i] = ROWS;
        skerry_bind_integer(s[i], 1, i);
        skerry_bind_integer(s[i], 2, ROWS);
    }
    while (running) {
        bool moved = false;
        for (int i = 0; i < CONNECTIONS; i++) {
            if (!left[i]) continue;
            int result = skerry_step(s[i]);
            if (result == SKERRY_WAIT) continue;
            moved = true;
            if (result != SKERRY_DONE) {
                test_fail(__FILE__, __LINE__, "%s", skerry_error(db[i])->text);
                left[i] = 1;
            }
            skerry_reset(s[i]);
            if (--left[i] == 0) running--;
            skerry_bind_integer(s[i], 2, left[i]);
        }
        if (!moved) io_step(skerry_engine_io(engine), UINT64_MAX);
    }
    for (int i = 0; i < CONNECTIONS; i++) skerry_finalize(s[i]);
    CHECK_STR(sql(db[0], "SELECT count(*), count(DISTINCT who), sum(what) FROM t"), "80|16|240 ");
    for (int i = 0; i < CONNECTIONS; i++) shut(db[i]);
    skerry_engine_destroy(engine);
}

TEST(skerry_attached_databases)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_file("one.db");
    char attach[700];
    snprintf(attach, sizeof attach, "ATTACH '%s/two.db' AS two", test_dir());
    CHECK_STR(sql(db, attach), "");
    CHECK_STR(sql(db, "CREATE TABLE t(a); CREATE TABLE two.t(a); INSERT INTO t VALUES(1); INSERT INTO two.t VALUES(2)"), "");
    CHECK_STR(sql(db, "SELECT * FROM main.t, two.t"), "1|2 ");
    CHECK_STR(sql(db, "BEGIN; INSERT INTO t VALUES(3); INSERT INTO two.t VALUES(4); ROLLBACK"), "");
    CHECK_STR(sql(db, "SELECT count(*) FROM t UNION ALL SELECT count(*) FROM two.t"), "1 1 ");
    CHECK_STR(sql(db, "CREATE TEMP TABLE t(a); INSERT INTO t VALUES(9); SELECT a FROM t"), "9 ");
    CHECK_STR(sql(db, "SELECT a FROM main.t"), "1 ");
    CHECK_STR(sql(db, "DETACH two; SELECT * FROM two.t"), "error: no such table: two.t");
    CHECK_STR(sql(db, "DETACH main"), "error: cannot detach database main");
    shut(db);
    skerry_engine_destroy(engine);
}

static void twice(struct function_context *ctx, u32 argc, const struct value **argv);
static int reverse(void *context, const u8 *a, u32 a_size, const u8 *b, u32 b_size)
{
    int c = memcmp(a, b, MIN(a_size, b_size));
    return c ? -c : (a_size < b_size) - (a_size > b_size);
}

#include "engine/fn/fn.h"

static void twice(struct function_context *ctx, u32 argc, const struct value **argv)
{
    result_integer(ctx, 2 * value_to_integer(argv[0]));
}

TEST(skerry_functions_and_collations_of_the_application)
{
    setup(IO_BACKEND_MEMORY);
    struct skerry *db = open_at(":memory:");
    CHECK_STR(sql(db, "SELECT twice(4)"), "error: no such function: twice");
    CHECK_EQ(skerry_create_function(db, &(struct skerry_function){.name = "twice", .argument_count = 1, .scalar = twice}), 0);
    CHECK_EQ(skerry_create_collation(db, &(struct collation){.name = "reverse", .compare = reverse}, NULL), 0);
    CHECK_STR(sql(db, "SELECT twice(4)"), "8 ");
    CHECK_STR(sql(db, "SELECT twice(4, 5)"), "error: wrong number of arguments to function twice()");
    CHECK_STR(sql(db, "SELECT value FROM json_each('[\"a\",\"c\",\"b\"]') ORDER BY value COLLATE reverse"), "c b a ");
    shut(db);
    skerry_engine_destroy(engine);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
