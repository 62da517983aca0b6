// Goal: what asks only for the length or the type of a long value does not read its overflow pages, and answers as ever.
// Method: a file with values of a megabyte; each statement runs on a database that was just opened, its answer is SQLite's
// (which asks the same file), and the bytes that were read tell whether the value was.
#include "engine/skerry.h"
#include "tests/test.h"

#include <sqlite3.h>
#include <unistd.h>

#define LONG_SIZE 1000000

static const char FILLING[] =
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c TEXT);"
    "INSERT INTO t VALUES(1, zeroblob(1000000), hex(zeroblob(500000))), (2, NULL, NULL), (3, 7, 'x')";

static const struct question {
    const char *sql;
    bool reads; // the long value
    const char *want; // where the oracle has no such function
} questions[] = {
    {"SELECT group_concat(coalesce(length(b), 'NULL')) FROM t", false},
    {"SELECT group_concat(typeof(b) || typeof(c)) FROM t", false},
    {"SELECT sum(octet_length(b)) FROM t", false, "1000001"},
    {"SELECT sum(octet_length(c)) FROM t", false, "1000001"},
    {"SELECT group_concat(a) FROM t WHERE b IS NOT NULL", false},
    {"SELECT group_concat(a) FROM t WHERE c IS NULL OR b IS NULL", false},
    {"SELECT group_concat(c IS NULL) FROM t", false},
    {"SELECT group_concat(CASE WHEN a < 2 THEN typeof(c) ELSE length(c) END) FROM t", false},
    {"SELECT max(length(b)) FROM t GROUP BY typeof(c) HAVING typeof(max(a)) = 'integer' ORDER BY 1 LIMIT 1", false},
    {"SELECT sum(length(CASE a WHEN 1 THEN b ELSE c END)) FROM t", true}, // the branch in front
    {"SELECT sum(length(c)) FROM t", true}, // its characters are to be counted
    {"SELECT length(b) || hex(substr(b, 999999)) FROM t WHERE a = 1", true},
    {"SELECT sum(length(b || 'x')) FROM t", true},
    {"SELECT length(m) || typeof(m) FROM (SELECT max(c) AS m FROM t)", true},
    {"SELECT typeof(b) || length(quote(b)) FROM t WHERE a = 1", true},
};

static int oracle_row(void *out, int count, char **values, char **names)
{
    snprintf(out, 200, "%s", values[0] ? values[0] : "NULL");
    return 0;
}

static int row(void *out, struct skerry_stmt *s)
{
    const char *text = skerry_column_text(s, 0, NULL);
    snprintf(out, 200, "%s", text ? text : "NULL");
    return 0;
}

static void ask(const char *path, const char *sql, char *got, u64 *bytes)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine *engine;
    struct skerry *db;
    REQUIRE(skerry_engine_create(&(struct skerry_engine_options){0}, &engine, &err));
    REQUIRE(skerry_open(engine, path, SKERRY_OPEN_READ_ONLY, &db, &err));
    int code = skerry_exec(db, sql, row, got);
    if (code != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(db)->text);
    struct io_counters counters;
    io_counters_get(skerry_engine_io(engine), &counters);
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(skerry_engine_io(engine), UINT64_MAX);
    skerry_engine_destroy(engine);
    *bytes = counters.read_bytes;
}

TEST(column_lengths_and_types_without_the_bytes)
{
    static const char *const encodings[] = {"UTF-8", "UTF-16le"};
    char path[600];
    snprintf(path, sizeof path, "%s/long.db", test_dir());
    for (size_t e = 0; e < COUNT_OF(encodings); e++) {
        unlink(path);
        sqlite3 *oracle;
        char pragma[60];
        snprintf(pragma, sizeof pragma, "PRAGMA encoding = '%s'", encodings[e]);
        REQUIRE(sqlite3_open(path, &oracle) == SQLITE_OK);
        REQUIRE(sqlite3_exec(oracle, pragma, NULL, NULL, NULL) == SQLITE_OK);
        REQUIRE(sqlite3_exec(oracle, FILLING, NULL, NULL, NULL) == SQLITE_OK);
        for (size_t i = 0; i < COUNT_OF(questions); i++) {
            char want[200] = "", got[200] = "";
            if (questions[i].want && e) continue;
            if (questions[i].want) snprintf(want, sizeof want, "%s", questions[i].want);
            else REQUIRE(sqlite3_exec(oracle, questions[i].sql, oracle_row, want, NULL) == SQLITE_OK);
            u64 bytes = 0;
            ask(path, questions[i].sql, got, &bytes);
            CHECK_STR(got, want);
            // Of UTF-16 the length in the file is not always that of the value.
            if (questions[i].reads ? bytes < LONG_SIZE : !e && bytes > LONG_SIZE / 2)
                test_fail(__FILE__, __LINE__, "%s reads %llu bytes", questions[i].sql, (unsigned long long)bytes);
        }
        sqlite3_close(oracle);
    }
}

int main(int argc, char **argv) { return test_main(argc, argv); }
