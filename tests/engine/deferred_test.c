// Goal: a statement gives the same rows and leaves the same database when every page that it touches has to be waited
// for.
// Method: a script over tables larger than the page cache, with overflowing rows, indexes, triggers and sorts, on the
// simulated backend, which completes everything later and in its own order; the database is opened anew between
// statements now and then, so that nothing is cached. libsqlite3 runs the same script; all rows must be equal.
#include <sqlite3.h>

#include "engine/skerry.h"
#include "io/sim.h"
#include "tests/engine/row_text.h"
#include "tests/test.h"

// Newer than the library, where a table that keeps its texts finds the same rows.
#define CONTENTLESS ", content='', contentless_delete=1"

static const char *const script[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT, c REAL, d BLOB)",
    "CREATE TABLE log(what TEXT, id INT)",
    "CREATE TRIGGER ti AFTER INSERT ON t WHEN new.id % 50 = 0 BEGIN INSERT INTO log VALUES('i', new.id); END",
    "CREATE TRIGGER td AFTER DELETE ON t BEGIN INSERT INTO log VALUES('d', old.id); END",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
    "INSERT INTO t SELECT i, (i * 7919) % 1009, 'text ' || (i * 31 % 977), i / 4.0, "
    "CASE WHEN i % 40 = 0 THEN zeroblob(9000 + i) END FROM n",
    "CREATE INDEX ta ON t(a, b)",
    "CREATE INDEX tb ON t(b COLLATE NOCASE DESC) WHERE a > 100",
    "SELECT count(*), sum(a), sum(length(d)), max(b), min(c) FROM t",
    "SELECT a, count(*), group_concat(id) FROM (SELECT a, id FROM t ORDER BY id) GROUP BY a HAVING count(*) > 1 ORDER BY a "
    "LIMIT 40",
    "SELECT id, b FROM t WHERE a = 77 ORDER BY b",
    "SELECT id, b FROM t WHERE b = 'text 31' COLLATE NOCASE AND a > 100",
    "SELECT x.id, y.id FROM t x JOIN t y ON y.a = x.id WHERE x.id < 60 ORDER BY 1, 2",
    "SELECT x.id, y.id FROM t x LEFT JOIN t y ON y.a = x.a + 2000 WHERE x.id < 5",
    "SELECT DISTINCT a % 13 FROM t ORDER BY 1",
    "SELECT b FROM t ORDER BY b DESC, id LIMIT 30 OFFSET 100",
    "SELECT hex(substr(d, 8990, 20)), length(d) FROM t WHERE d IS NOT NULL AND id < 200",
    "UPDATE t SET a = a + 1, b = b || '!' WHERE id % 3 = 0",
    "UPDATE t SET a = (SELECT max(a) FROM t u WHERE u.id <= t.id AND u.id > t.id - 5) WHERE id % 100 = 7",
    "UPDATE t SET d = zeroblob(20000 + id) WHERE id % 400 = 0",
    "DELETE FROM t WHERE a % 10 = 3",
    "SELECT count(*), sum(a), sum(length(d)), sum(length(b)) FROM t",
    "SELECT what, count(*), sum(id) FROM log GROUP BY what",
    "INSERT INTO t(id, a) VALUES(1, 1) ON CONFLICT(id) DO UPDATE SET a = excluded.a + t.a",
    "INSERT OR REPLACE INTO t(id, a, b) SELECT id, a + 5, 'replaced' FROM t WHERE id BETWEEN 100 AND 130",
    "SELECT id, a, b FROM t WHERE id BETWEEN 95 AND 135",
    "SAVEPOINT s",
    "DELETE FROM t WHERE id > 500",
    "UPDATE t SET b = 'gone'",
    "ROLLBACK TO s",
    "INSERT INTO log SELECT 'copy', id FROM t WHERE id % 97 = 0",
    "RELEASE s",
    "SELECT count(*), sum(id), sum(a) FROM t",
    "SELECT * FROM log WHERE what = 'copy' ORDER BY id",
    "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID",
    "INSERT INTO w SELECT 'key ' || id || ' ' || hex(zeroblob(600)), a FROM t WHERE id % 9 = 0",
    "SELECT count(*), sum(v), max(k) FROM w",
    "DELETE FROM w WHERE v % 2",
    "SELECT substr(k, 1, 8), v FROM w ORDER BY k LIMIT 25",
    "SELECT a FROM t WHERE a < 300 INTERSECT SELECT a FROM t WHERE id % 2 EXCEPT SELECT a FROM t WHERE id % 5 = 0 ORDER BY 1 "
    "LIMIT 50",
    "SELECT count(*) FROM t WHERE a IN (SELECT v FROM w) OR id IN (3, 5, 1999, 4000)",
    "ALTER TABLE t ADD COLUMN e DEFAULT 'new'",
    "SELECT id, e FROM t WHERE id > 1990",
    "CREATE VIRTUAL TABLE f USING fts5(b, c, prefix='2', tokenize='porter')",
    "INSERT INTO f(f, rank) VALUES('pgsz', 200)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) INSERT INTO f "
    "SELECT 'word' || (i % 37) || ' running text ' || (i % 11), 'w' || i || ' ' || (i * 7919 % 101) FROM n",
    "SELECT count(*), sum(rowid) FROM f WHERE f MATCH 'word5 OR w7*'",
    "SELECT rowid, highlight(f, 0, '[', ']'), snippet(f, 0, '<', '>', '.', 3), round(rank, 6) FROM f WHERE f MATCH 'runs AND word7' "
    "ORDER BY rank LIMIT 20",
    "UPDATE f SET b = 'changed ' || b WHERE rowid % 5 = 0",
    "DELETE FROM f WHERE f MATCH 'word3'",
    "SAVEPOINT s",
    "INSERT INTO f VALUES('only here', 'and there')",
    "SELECT rowid FROM f WHERE f MATCH 'only here'",
    "DELETE FROM f WHERE rowid > 300",
    "ROLLBACK TO s",
    "INSERT INTO f VALUES('stays', 'stays')",
    "RELEASE s",
    "SELECT count(*), sum(rowid) FROM f WHERE f MATCH '\"running text\" NOT changed'",
    "CREATE VIRTUAL TABLE fv USING fts5vocab(f, col)",
    "SELECT * FROM fv ORDER BY cnt DESC, term, col LIMIT 20",
    "CREATE VIRTUAL TABLE fi USING fts5vocab(f, instance)",
    "SELECT count(*), sum(doc), sum(offset), max(term) FROM fi",
    "SELECT * FROM fv WHERE term IN ('word5', 'run', 'no') ORDER BY 1, 2",
    "SELECT v.term, count(*) FROM fv v JOIN fi i ON i.term = v.term WHERE v.term > 'w58' GROUP BY 1",
    "SELECT rowid, highlight(f, 0, '[', ']') FROM f WHERE f MATCH 'runs AND word7' ORDER BY rowid DESC LIMIT 20",
    "SELECT rowid, b FROM f WHERE rowid IN (SELECT id * 17 FROM t) AND f MATCH 'word*' ORDER BY rowid",
    // How rows lie in pages is each one's own matter; how many there are is not.
    "SELECT name, sum(ncell), sum(payload), max(mx_payload) FROM dbstat WHERE name IN ('f_content', 'f_docsize') AND "
    "pagetype <> 'internal' GROUP BY name",
    "SELECT name, mx_payload FROM dbstat('main', 1) WHERE name IN ('f_content', 'f_docsize') ORDER BY name",
    "INSERT INTO f(f) VALUES('optimize')",
    "INSERT INTO f(f) VALUES('integrity-check')",
    "SELECT rowid, b, c FROM f WHERE f MATCH 'NEAR(chang runs, 3) AND c : 1*' AND rowid > 200",
    "SELECT (SELECT count(*) FROM f('word' || a)) FROM (SELECT 4 AS a UNION ALL SELECT 5)",
    "ALTER TABLE f RENAME TO g",
    "INSERT INTO g(g) VALUES('rebuild')",
    "SELECT count(*) FROM g WHERE g MATCH 'stays'",
    "DROP TABLE g",
    // A deletion stands in a newer segment than the row: whoever waits between the two must not find the row again.
    "CREATE VIRTUAL TABLE d USING fts5(b)",
    "INSERT INTO d(d, rank) VALUES('pgsz', 400)",
    "INSERT INTO d(d, rank) VALUES('automerge', 0)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) INSERT INTO d "
    "SELECT 'word ' || CASE WHEN i % 3 THEN 'w' || (i % 7) ELSE hex(zeroblob(i % 90)) END FROM n",
    "DELETE FROM d WHERE rowid % 7 < 4",
    "UPDATE d SET b = 'word again' WHERE rowid % 5 = 0",
    "DELETE FROM d WHERE rowid % 5 = 0 AND rowid % 2",
    "SELECT count(*), sum(rowid) FROM d('word')",
    "SELECT count(*), sum(rowid) FROM d('word w3')",
    "SELECT count(*), sum(rowid) FROM d('word NOT again')",
    "SELECT rowid FROM d('word') WHERE rowid > 3950",
    "DROP TABLE d",
    "CREATE VIRTUAL TABLE h USING fts5(b" CONTENTLESS ")",
    "INSERT INTO h(h, rank) VALUES('pgsz', 32)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO h(rowid, b) "
    "SELECT i * 3, 'word' || (i % 7) || ' all' FROM n",
    "DELETE FROM h WHERE rowid % 2",
    "SELECT count(*), sum(rowid) FROM h('word3')",
    "INSERT OR REPLACE INTO h(rowid, b) SELECT id, 'again word3' FROM t WHERE id < 90",
    "UPDATE h SET b = 'moved' WHERE rowid > 900",
    "SELECT count(*), sum(rowid) FROM h('word3')",
    "SELECT count(*), sum(rowid) FROM h('a* OR moved')",
    "INSERT INTO h(h) VALUES('optimize')",
    "SELECT count(*), sum(rowid) FROM h('a* OR moved')",
    "DROP TABLE h",
    "DROP INDEX ta",
    "SELECT count(*) FROM t WHERE a = 77",
    "DROP TABLE t",
    "SELECT name FROM sqlite_schema ORDER BY 1",
};

TEST(skerry_same_rows_when_every_page_waits)
{
    u64 seed = test_seed(), random = seed;
    struct err err = ERR_CLEAR;
    struct sim *sim = sim_create(seed);
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = sim, .seed = seed}, &err);
    REQUIRE(io);
    struct skerry_engine *engine;
    struct skerry_engine_options options = {.io = io, .cache_bytes = 12 * 4096, .checkpoint_frames = 50};
    REQUIRE(skerry_engine_create(&options, &engine, &err));
    struct skerry *db;
    REQUIRE(skerry_open(engine, "/db", SKERRY_OPEN_CREATE, &db, &err));
    sqlite3 *oracle;
    REQUIRE(sqlite3_open(":memory:", &oracle) == SQLITE_OK);
    struct text want = {0}, got = {0};
    for (size_t i = 0; i < COUNT_OF(script); i++) {
        want.size = got.size = 0;
        text_add(&want, "");
        text_add(&got, "");
        char *error = NULL, theirs[1000];
        snprintf(theirs, sizeof theirs, "%s", script[i]);
        char *cut = strstr(theirs, CONTENTLESS);
        if (cut) memmove(cut, cut + strlen(CONTENTLESS), strlen(cut + strlen(CONTENTLESS)) + 1);
        if (sqlite3_exec(oracle, theirs, oracle_row, &want, &error) != SQLITE_OK)
            test_fail(__FILE__, __LINE__, "libsqlite3: %s: %s", script[i], error);
        if (skerry_exec(db, script[i], row, &got) != SKERRY_OK)
            test_fail(__FILE__, __LINE__, "%s: %s", script[i], skerry_error(db)->text);
        if (strcmp(want.bytes, got.bytes) != 0)
            test_fail(__FILE__, __LINE__, "%s\ngives\n%.600s\nwant\n%.600s", script[i], got.bytes, want.bytes);
        if (skerry_autocommit(db) && test_random(&random) % 3 == 0) {
            while (skerry_close(db, &err) == SKERRY_WAIT) io_step(io, UINT64_MAX);
            REQUIRE(skerry_open(engine, "/db", SKERRY_OPEN_CREATE, &db, &err));
        }
    }
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(io, UINT64_MAX);
    struct sim_counters counters;
    sim_counters_get(sim, &counters);
    CHECK(counters.operations > 1000);
    free(want.bytes);
    free(got.bytes);
    sqlite3_close(oracle);
    skerry_engine_destroy(engine);
    io_destroy(io);
    sim_destroy(sim);
}

// A writer's first look is at page 1, for the list of free pages: when the cache has lost it, free pages must not be.
TEST(skerry_a_writer_waits_for_the_first_page)
{
    struct err err = ERR_CLEAR;
    struct sim *sim = sim_create(test_seed());
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = sim}, &err);
    REQUIRE(io);
    struct skerry_engine *engine;
    struct skerry *db;
    REQUIRE(skerry_engine_create(&(struct skerry_engine_options){.io = io, .cache_bytes = 16 * 4096}, &engine, &err));
    REQUIRE(skerry_open(engine, "/db", SKERRY_OPEN_CREATE, &db, &err));
    static const char *const steps[] = {
        "CREATE TABLE a(x); CREATE TABLE b(x); INSERT INTO a SELECT zeroblob(3000) FROM generate_series(1, 200);"
        "INSERT INTO b SELECT x FROM a; DELETE FROM b",
        "SELECT sum(length(x)) FROM a; SELECT sum(length(x)) FROM a", // the cache is full of a's pages
        "INSERT INTO b VALUES (zeroblob(100000))",     // takes free pages
        "SELECT sum(length(x)) FROM a; PRAGMA integrity_check",
    };
    struct text got = {0};
    for (u32 i = 0; i < COUNT_OF(steps); i++) {
        got.size = 0;
        if (skerry_exec(db, steps[i], row, &got) != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s", skerry_error(db)->text);
    }
    CHECK_STR(got.bytes, "600000\nok\n");
    free(got.bytes);
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(io, UINT64_MAX);
    skerry_engine_destroy(engine);
    io_destroy(io);
    sim_destroy(sim);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
