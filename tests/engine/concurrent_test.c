// Goal: BEGIN CONCURRENT is snapshot isolation with conflicts by row and unique key: the Hermitage cases (G0, G1a, G1b,
// G1c, OTV, PMP, P4, G-single) hold, write skew is as documented, constraints hold whatever commits beside, and a plain
// BEGIN IMMEDIATE beside it is serializable. Method: scripts of steps, each of one of several connections with what it
// must answer, by reasoning from the definitions (Adya; Hermitage by M. Kleppmann); libsqlite3 finds the file sound
// afterwards.
#include "../../engine/skerry.h"
#include "../../engine/store/store_private.h"
#include "store/store_driver.h"

#define CONNECTIONS_MAX 4

struct step {
    int connection; // from 1; 0: end of the script
    const char *sql, *want;
};

struct bench {
    struct skerry_engine *engine;
    struct skerry *db[CONNECTIONS_MAX + 1];
    char *path;
};

static void bench_open(struct bench *b, const char *name)
{
    struct err err = ERR_CLEAR;
    *b = (struct bench){.path = strdup(test_path(name))};
    if (!skerry_engine_create(&(struct skerry_engine_options){.backend = IO_BACKEND_POSIX}, &b->engine, &err)) abort();
    for (int i = 1; i <= CONNECTIONS_MAX; i++)
        if (!skerry_open(b->engine, b->path, SKERRY_OPEN_CREATE, &b->db[i], &err)) abort();
}

static void bench_close(struct bench *b)
{
    for (int i = 1; i <= CONNECTIONS_MAX; i++)
        while (skerry_close(b->db[i], NULL) == SKERRY_WAIT) skerry_wait(b->db[i]);
    skerry_engine_destroy(b->engine);
    CHECK_STR(sqlite_ask(b->path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(sqlite_ask(b->path, "SELECT count(*) FROM pragma_foreign_key_check"), "0");
    free(b->path);
}

static char answer[4000];

static int row_append(void *context, struct skerry_stmt *s)
{
    size_t at = strlen(answer);
    if (at && at < sizeof answer) at += (size_t)snprintf(answer + at, sizeof answer - at, " ");
    for (u32 i = 0; i < skerry_column_count(s); i++) {
        const char *text = skerry_column_text(s, i, NULL);
        at += (size_t)snprintf(answer + at, sizeof answer - at, "%s%s", i ? "," : "", text ? text : "NULL");
    }
    return 0;
}

// The rows, or "CODE text" of the error.
static const char *ask(struct skerry *db, const char *sql)
{
    answer[0] = 0;
    if (skerry_exec(db, sql, row_append, NULL) != SKERRY_OK)
        snprintf(answer, sizeof answer, "%d %s", skerry_errcode(db), skerry_error(db)->text);
    return answer;
}

static void script_run(struct bench *b, const char *name, const struct step *steps)
{
    for (u32 i = 0; steps[i].connection; i++) {
        const char *got = ask(b->db[steps[i].connection], steps[i].sql);
        if (strcmp(got, steps[i].want) != 0)
            test_fail(__FILE__, __LINE__, "%s, step %u (T%d: %s): \"%s\", want \"%s\"", name, i + 1,
                      steps[i].connection, steps[i].sql, got, steps[i].want);
    }
}

#define MEET(place) "517 conflict: another transaction has changed " place " meanwhile; roll back and run the transaction again"
#define CLEARED(place)                                                                                                 \
    "517 conflict: another transaction has changed " place                                                       \
    " meanwhile, as a whole or where it was emptied; roll back and run the transaction again"
#define SETUP       {1, "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 10), (2, 20)", ""}
#define END         {0, NULL, NULL}
#define SCRIPTS_MAX 40

struct script {
    const char *name;
    struct step steps[SCRIPTS_MAX];
};

static void scripts_run(const struct script *scripts, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        struct bench b;
        char name[20];
        snprintf(name, sizeof name, "%u.db", i);
        bench_open(&b, name);
        script_run(&b, scripts[i].name, scripts[i].steps);
        bench_close(&b);
    }
}

TEST(hermitage)
{
    static const struct script scripts[] = {
        {"G0: write cycles",
         {SETUP,
          {1, "BEGIN CONCURRENT; UPDATE t SET v = 11 WHERE id = 1", ""},
          {2, "BEGIN CONCURRENT; UPDATE t SET v = 12 WHERE id = 1", ""},
          {1, "UPDATE t SET v = 21 WHERE id = 2; COMMIT", ""},
          {3, "SELECT v FROM t", "11 21"},
          {2, "UPDATE t SET v = 22 WHERE id = 2", ""},
          {2, "COMMIT", MEET("row 1 of table t")},
          {2, "SELECT v FROM t", "12 22"}, // still open, in its snapshot
          {2, "COMMIT", MEET("row 1 of table t")},
          {2, "ROLLBACK", ""},
          {2, "SELECT v FROM t", "11 21"},
          END}},
        {"G1a: aborted reads",
         {SETUP,
          {1, "BEGIN CONCURRENT; UPDATE t SET v = 101 WHERE id = 1", ""},
          {2, "BEGIN CONCURRENT; SELECT v FROM t", "10 20"},
          {1, "ROLLBACK", ""},
          {2, "SELECT v FROM t", "10 20"},
          {2, "COMMIT", ""},
          END}},
        {"G1b: intermediate reads",
         {SETUP,
          {1, "BEGIN CONCURRENT; UPDATE t SET v = 101 WHERE id = 1", ""},
          {2, "BEGIN CONCURRENT; SELECT v FROM t", "10 20"},
          {1, "UPDATE t SET v = 11 WHERE id = 1; COMMIT", ""},
          {2, "SELECT v FROM t", "10 20"},
          {2, "COMMIT", ""},
          {2, "SELECT v FROM t", "11 20"},
          END}},
        {"G1c: circular information flow",
         {SETUP,
          {1, "BEGIN CONCURRENT; UPDATE t SET v = 11 WHERE id = 1", ""},
          {2, "BEGIN CONCURRENT; UPDATE t SET v = 22 WHERE id = 2", ""},
          {1, "SELECT v FROM t WHERE id = 2", "20"},
          {2, "SELECT v FROM t WHERE id = 1", "10"},
          {1, "COMMIT", ""},
          {2, "COMMIT", ""},
          {3, "SELECT v FROM t", "11 22"},
          END}},
        {"OTV: observed transaction vanishes",
         {SETUP,
          {1, "BEGIN CONCURRENT; UPDATE t SET v = 11 WHERE id = 1; UPDATE t SET v = 19 WHERE id = 2", ""},
          {2, "BEGIN CONCURRENT; UPDATE t SET v = 12 WHERE id = 1", ""},
          {1, "COMMIT", ""},
          {3, "BEGIN CONCURRENT; SELECT v FROM t", "11 19"},
          {2, "UPDATE t SET v = 18 WHERE id = 2", ""},
          {3, "SELECT v FROM t", "11 19"},
          {2, "COMMIT", MEET("row 1 of table t")},
          {2, "ROLLBACK", ""},
          {3, "SELECT v FROM t", "11 19"},
          {3, "COMMIT", ""},
          END}},
        {"PMP: predicate-many-preceders",
         {SETUP,
          {1, "BEGIN CONCURRENT; SELECT id FROM t WHERE v = 30", ""},
          {2, "INSERT INTO t VALUES (3, 30)", ""},
          {1, "SELECT id FROM t WHERE v % 3 = 0", ""},
          {1, "COMMIT", ""},
          {1, "SELECT id FROM t WHERE v % 3 = 0", "3"},
          END}},
        {"PMP with writes",
         {SETUP,
          {1, "BEGIN CONCURRENT; UPDATE t SET v = v + 10", ""},
          {2, "BEGIN CONCURRENT; SELECT v FROM t WHERE v = 20", "20"},
          {2, "DELETE FROM t WHERE v = 20", ""},
          {1, "COMMIT", ""},
          {2, "COMMIT", MEET("row 2 of table t")},
          {2, "ROLLBACK; SELECT v FROM t", "20 30"},
          END}},
        {"P4: lost update",
         {SETUP,
          {1, "BEGIN CONCURRENT; SELECT v FROM t WHERE id = 1", "10"},
          {2, "BEGIN CONCURRENT; SELECT v FROM t WHERE id = 1", "10"},
          {1, "UPDATE t SET v = 11 WHERE id = 1", ""},
          {2, "UPDATE t SET v = 11 WHERE id = 1", ""},
          {1, "COMMIT", ""},
          {2, "COMMIT", MEET("row 1 of table t")},
          {2, "ROLLBACK", ""},
          END}},
        {"G-single: read skew",
         {SETUP,
          {1, "BEGIN CONCURRENT; SELECT v FROM t WHERE id = 1", "10"},
          {2, "BEGIN CONCURRENT; SELECT v FROM t", "10 20"},
          {2, "UPDATE t SET v = 12 WHERE id = 1; UPDATE t SET v = 18 WHERE id = 2; COMMIT", ""},
          {1, "SELECT v FROM t WHERE id = 2", "20"},
          {1, "COMMIT", ""},
          END}},
        {"G-single by predicate, with a write",
         {SETUP,
          {1, "BEGIN CONCURRENT; SELECT v FROM t WHERE id = 1", "10"},
          {2, "UPDATE t SET v = 12 WHERE id = 1; UPDATE t SET v = 18 WHERE id = 2", ""},
          {1, "DELETE FROM t WHERE v = 20", ""},
          {1, "COMMIT", MEET("row 2 of table t")},
          {1, "ROLLBACK; SELECT v FROM t", "12 18"},
          END}},
        {"G2-item: write skew is possible",
         {SETUP,
          {1, "BEGIN CONCURRENT; SELECT v FROM t", "10 20"},
          {2, "BEGIN CONCURRENT; SELECT v FROM t", "10 20"},
          {1, "UPDATE t SET v = 11 WHERE id = 1; COMMIT", ""},
          {2, "UPDATE t SET v = 21 WHERE id = 2; COMMIT", ""},
          {3, "SELECT v FROM t", "11 21"},
          END}},
        {"G2 beside BEGIN IMMEDIATE is not, for the immediate one",
         {SETUP,
          {1, "BEGIN CONCURRENT; SELECT v FROM t", "10 20"},
          {2, "BEGIN IMMEDIATE; SELECT v FROM t", "10 20"},
          {1, "UPDATE t SET v = 11 WHERE id = 1", ""},
          {1, "COMMIT", "5 database is locked"}, // nobody commits beside it
          {2, "UPDATE t SET v = 21 WHERE id = 2; SELECT v FROM t; COMMIT", "10 21"},
          {1, "COMMIT", ""}, // the attempt has cost it nothing
          {3, "SELECT v FROM t", "11 21"},
          END}},
    };
    scripts_run(scripts, COUNT_OF(scripts));
}

TEST(rows_and_keys_conflict)
{
    static const struct script scripts[] = {
        {"disjoint rows of one page",
         {SETUP,
          {1, "BEGIN CONCURRENT; UPDATE t SET v = 11 WHERE id = 1", ""},
          {2, "BEGIN CONCURRENT; UPDATE t SET v = 21 WHERE id = 2", ""},
          {3, "UPDATE t SET v = 0 WHERE id = 99; INSERT INTO t VALUES (3, 30)", ""},
          {1, "COMMIT", ""},
          {2, "COMMIT", ""},
          {3, "SELECT * FROM t", "1,11 2,21 3,30"},
          END}},
        {"a plain commit counts",
         {SETUP,
          {1, "BEGIN CONCURRENT; UPDATE t SET v = 11 WHERE id = 1", ""},
          {2, "DELETE FROM t WHERE id = 1", ""},
          {1, "COMMIT", MEET("row 1 of table t")},
          {1, "ROLLBACK", ""},
          END}},
        {"what a savepoint undid does not count",
         {SETUP,
          {1, "BEGIN CONCURRENT; UPDATE t SET v = 21 WHERE id = 2; SAVEPOINT a; UPDATE t SET v = 11 WHERE id = 1", ""},
          {1, "ROLLBACK TO a; INSERT INTO t VALUES (5, 50); RELEASE a", ""},
          {2, "UPDATE t SET v = 12 WHERE id = 1", ""},
          {1, "COMMIT; SELECT * FROM t", "1,12 2,21 5,50"},
          END}},
        {"nor what a failed statement did",
         {SETUP,
          {1, "BEGIN CONCURRENT; INSERT INTO t VALUES (7, 70)", ""},
          {1, "UPDATE t SET id = 2, v = 11 WHERE id IN (1, 7)", "1555 UNIQUE constraint failed: t.id"},
          {2, "UPDATE t SET v = 12 WHERE id = 1", ""},
          {1, "COMMIT; SELECT * FROM t", "1,12 2,20 7,70"},
          END}},
        {"a savepoint that began it",
         {SETUP,
          {1, "BEGIN CONCURRENT; COMMIT", ""},
          {1, "SAVEPOINT a; UPDATE t SET v = 11 WHERE id = 1", ""}, // a plain one: it holds the write slot
          {2, "UPDATE t SET v = 12 WHERE id = 1", "5 database is locked"},
          {1, "RELEASE a", ""},
          END}},
        {"unique values under different rowids",
         {{1, "CREATE TABLE u(id INTEGER PRIMARY KEY, k TEXT UNIQUE COLLATE NOCASE, v)", ""},
          {1, "BEGIN CONCURRENT; INSERT INTO u VALUES (1, 'abc', 1)", ""},
          {2, "BEGIN CONCURRENT; INSERT INTO u VALUES (2, 'ABC', 2)", ""},
          {3, "BEGIN CONCURRENT; INSERT INTO u VALUES (3, 'abd', 3), (4, NULL, 4)", ""},
          {4, "BEGIN CONCURRENT; INSERT INTO u VALUES (5, NULL, 5)", ""},
          {1, "COMMIT", ""},
          {2, "COMMIT", MEET("the key k = 'ABC' of the unique index sqlite_autoindex_u_1 of table u")},
          {2, "ROLLBACK", ""},
          {3, "COMMIT", ""},
          {4, "COMMIT; SELECT id, k FROM u ORDER BY id", "1,abc 3,abd 4,NULL 5,NULL"},
          END}},
        {"a unique pair, numbers of both kinds",
         {{1, "CREATE TABLE u(a, b); CREATE UNIQUE INDEX ab ON u(a, b DESC); CREATE INDEX bb ON u(b)", ""},
          {1, "BEGIN CONCURRENT; INSERT INTO u VALUES (1, 2)", ""},
          {2, "BEGIN CONCURRENT; INSERT INTO u VALUES (1.0, 2.0)", ""},
          {3, "BEGIN CONCURRENT; INSERT INTO u VALUES (1, 3)", ""},
          {1, "COMMIT", ""},
          {3, "COMMIT", ""},
          {2, "COMMIT", MEET("the key a = 1.0, b = 2.0 of the unique index ab of table u")},
          {2, "ROLLBACK; SELECT a, b FROM u ORDER BY b", "1,2 1,3"},
          END}},
        {"rows of a WITHOUT ROWID table",
         {{1, "CREATE TABLE w(a, b, c, PRIMARY KEY(a, b)) WITHOUT ROWID; INSERT INTO w VALUES (1, 'x', 1), (2, 'y', 2)", ""},
          {1, "BEGIN CONCURRENT; UPDATE w SET c = 11 WHERE a = 1; INSERT INTO w VALUES (3, 'z', 3)", ""},
          {2, "BEGIN CONCURRENT; UPDATE w SET c = 12 WHERE a = 1", ""},
          {3, "BEGIN CONCURRENT; UPDATE w SET c = 22 WHERE a = 2; DELETE FROM w WHERE a = 9", ""},
          {4, "BEGIN CONCURRENT; INSERT INTO w VALUES (3, 'z', 4)", ""},
          {1, "COMMIT", ""},
          {2, "COMMIT", MEET("the row of table w with a = 1, b = 'x'")},
          {3, "COMMIT", ""},
          {4, "COMMIT", MEET("the row of table w with a = 3, b = 'z'")},
          {2, "ROLLBACK; SELECT * FROM w", "1,x,11 2,y,22 3,z,3"},
          {4, "ROLLBACK", ""},
          END}},
        {"indexes are made anew from the rows",
         {{1, "CREATE TABLE u(id INTEGER PRIMARY KEY, a, b); CREATE INDEX ua ON u(a); CREATE INDEX ub ON u(b) WHERE b > 5", ""},
          {1, "INSERT INTO u VALUES (1, 5, 5), (2, 5, 6), (3, 5, 7)", ""},
          {1, "BEGIN CONCURRENT; UPDATE u SET a = 6, b = 9 WHERE id = 1; DELETE FROM u WHERE id = 2", ""},
          {2, "UPDATE u SET a = 7, b = 1 WHERE id = 3", ""},
          {1, "COMMIT", ""},
          {1, "SELECT id FROM u INDEXED BY ua WHERE a > 0", "1 3"},
          {1, "SELECT id FROM u INDEXED BY ub WHERE b > 5", "1"},
          {1, "PRAGMA integrity_check", "ok"},
          END}},
        {"an emptied table",
         {SETUP,
          {1, "BEGIN CONCURRENT; DELETE FROM t", ""},
          {2, "INSERT INTO t VALUES (3, 30)", ""},
          {1, "COMMIT", CLEARED("table t")},
          {1, "ROLLBACK", ""},
          {1, "BEGIN CONCURRENT; UPDATE t SET v = 11 WHERE id = 1", ""},
          {2, "DELETE FROM t", ""},
          {1, "COMMIT", CLEARED("table t")},
          {1, "ROLLBACK", ""},
          {2, "CREATE TABLE other(x); INSERT INTO t VALUES (1, 1)", ""},
          {1, "BEGIN CONCURRENT; DELETE FROM t; INSERT INTO t VALUES (9, 90)", ""},
          {2, "INSERT INTO other VALUES (1)", ""},
          {1, "COMMIT; SELECT * FROM t", "9,90"},
          END}},
        {"the schema conflicts with everything",
         {SETUP,
          {1, "BEGIN CONCURRENT; CREATE TABLE a(x)", ""},
          {2, "BEGIN CONCURRENT; UPDATE t SET v = 11 WHERE id = 1", ""},
          {1, "COMMIT", ""}, // nobody has committed
          {2, "COMMIT", "517 conflict: another transaction has changed the schema of main meanwhile; roll back and run the transaction again"},
          {2, "ROLLBACK", ""},
          {1, "BEGIN CONCURRENT; CREATE TABLE b(x)", ""},
          {2, "UPDATE t SET v = 12 WHERE id = 1", ""},
          {1, "COMMIT", "517 conflict: the transaction changes the schema of main, and others have committed meanwhile; roll back and run the transaction again"},
          {1, "ROLLBACK; SELECT name FROM sqlite_schema", "t a"},
          {1, "BEGIN CONCURRENT; PRAGMA user_version = 7", ""},
          {2, "UPDATE t SET v = 13 WHERE id = 1", ""},
          {1, "COMMIT", "517 conflict: the transaction changes the schema of main, and others have committed meanwhile; roll back and run the transaction again"},
          {1, "ROLLBACK", ""},
          {1, "BEGIN CONCURRENT; SAVEPOINT s; CREATE TABLE c(x); ROLLBACK TO s; UPDATE t SET v = 21 WHERE id = 2", ""},
          {2, "UPDATE t SET v = 14 WHERE id = 1", ""},
          {1, "COMMIT; SELECT * FROM t", "1,14 2,21"},
          END}},
        {"REINDEX beside a plain insert",
         {{1, "CREATE TABLE u(id INTEGER PRIMARY KEY, a, b UNIQUE); CREATE INDEX ua ON u(a); INSERT INTO u VALUES (1, 5, 1)", ""},
          {1, "BEGIN CONCURRENT; REINDEX ua", ""},
          {2, "INSERT INTO u VALUES (2, 6, 2)", ""},
          {1, "COMMIT", CLEARED("index ua of table u")},
          {1, "ROLLBACK; PRAGMA integrity_check", "ok"},
          {1, "BEGIN CONCURRENT; INSERT INTO u VALUES (3, 7, 3)", ""},
          {2, "REINDEX ua", ""},
          {1, "COMMIT", CLEARED("index ua of table u")},
          {1, "ROLLBACK; PRAGMA integrity_check", "ok"},
          END}},
        {"rows copied from table to table",
         {{1, "CREATE TABLE a(id INTEGER PRIMARY KEY, v UNIQUE); CREATE TABLE b(id INTEGER PRIMARY KEY, v UNIQUE)", ""},
          {1, "INSERT INTO a VALUES (1, 'x'), (2, 'y')", ""},
          {1, "BEGIN CONCURRENT; INSERT INTO b SELECT * FROM a", ""},
          {2, "INSERT INTO b VALUES (3, 'z')", ""},
          {1, "COMMIT; SELECT * FROM b", "1,x 2,y 3,z"},
          {1, "DELETE FROM b; BEGIN CONCURRENT; INSERT INTO b SELECT * FROM a", ""},
          {2, "INSERT INTO b VALUES (7, 'y')", ""},
          {1, "COMMIT", MEET("the key v = 'y' of the unique index sqlite_autoindex_b_1 of table b")},
          {1, "ROLLBACK; SELECT * FROM b; PRAGMA integrity_check", "7,y ok"},
          END}},
        {"full-text tables conflict at what every change of their index writes",
         {{1, "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('one')", ""},
          {1, "BEGIN CONCURRENT; INSERT INTO f VALUES ('two')", ""},
          {2, "INSERT INTO f VALUES ('three')", ""},
          {1, "COMMIT", MEET("row 274877906945 of table f_data")}, // leaf 1 of segment 2: 2 << 37 | 1
          {1, "ROLLBACK; BEGIN CONCURRENT; INSERT INTO f VALUES ('four')", ""},
          {2, "CREATE TABLE other(x)", ""},
          {1, "ROLLBACK; BEGIN CONCURRENT; INSERT INTO f VALUES ('five')", ""},
          {2, "INSERT INTO other VALUES (1)", ""},
          {1, "COMMIT; SELECT x FROM f WHERE f MATCH 'three OR four OR five'", "three five"},
          {1, "INSERT INTO f(f) VALUES ('integrity-check'); PRAGMA integrity_check", "ok"},
          END}},
        {"a transaction that writes nothing",
         {SETUP,
          {1, "BEGIN CONCURRENT; SELECT count(*) FROM t; UPDATE t SET v = 1 WHERE id = 77", "2"},
          {2, "DELETE FROM t", ""},
          {1, "SELECT count(*) FROM t; COMMIT; SELECT count(*) FROM t", "2 0"},
          END}},
        {"large rows",
         {{1, "CREATE TABLE b(id INTEGER PRIMARY KEY, v, k UNIQUE)", ""},
          {1, "INSERT INTO b VALUES (1, zeroblob(100000), hex(zeroblob(9000)))", ""},
          {1, "BEGIN CONCURRENT; INSERT INTO b VALUES (2, zeroblob(70000), 2 || hex(zeroblob(9000)))", ""},
          {2, "BEGIN CONCURRENT; DELETE FROM b WHERE id = 1", ""},
          {3, "BEGIN CONCURRENT; INSERT INTO b VALUES (3, zeroblob(50000), 3 || hex(zeroblob(9000)))", ""},
          {1, "COMMIT", ""},
          {2, "COMMIT", ""},
          {3, "COMMIT; SELECT id, length(v), length(k) FROM b", "2,70000,18001 3,50000,18001"},
          {3, "PRAGMA integrity_check", "ok"},
          END}},
    };
    scripts_run(scripts, COUNT_OF(scripts));
}

TEST(rowids_and_sequences)
{
    static const struct script scripts[] = {
        {"automatic rowids do not meet",
         {SETUP,
          {1, "BEGIN CONCURRENT; INSERT INTO t(v) VALUES (1) RETURNING id", "3"},
          {2, "BEGIN CONCURRENT; INSERT INTO t(v) VALUES (2), (22) RETURNING id", "4 5"},
          {3, "INSERT INTO t(v) VALUES (3) RETURNING id", "6"},
          {2, "COMMIT", ""},
          {1, "COMMIT; SELECT id, v FROM t", "1,10 2,20 3,1 4,2 5,22 6,3"},
          {2, "DELETE FROM t WHERE id = 6; INSERT INTO t(v) VALUES (4) RETURNING id", "6"}, // alone: as ever
          END}},
        {"AUTOINCREMENT",
         {{1, "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, v); CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT)", ""},
          {1, "BEGIN CONCURRENT; INSERT INTO a(v) VALUES (1) RETURNING id", "1"},
          {2, "BEGIN CONCURRENT; INSERT INTO a(v) VALUES (2) RETURNING id", "2"},
          {3, "BEGIN CONCURRENT; INSERT INTO b DEFAULT VALUES RETURNING id", "1"},
          {2, "COMMIT", ""},
          {3, "COMMIT", ""},
          {1, "COMMIT", ""},
          {1, "SELECT id, v FROM a", "1,1 2,2"},
          {1, "SELECT name, seq FROM sqlite_sequence ORDER BY name", "a,2 b,1"},
          {1, "BEGIN CONCURRENT; INSERT INTO a VALUES (100, 3)", ""},
          {2, "BEGIN CONCURRENT; INSERT INTO a VALUES (50, 4)", ""},
          {1, "COMMIT", ""},
          {2, "COMMIT; SELECT name, seq FROM sqlite_sequence ORDER BY name", "a,100 b,1"},
          {1, "INSERT INTO a(v) VALUES (5) RETURNING id", "101"},
          {1, "BEGIN CONCURRENT; INSERT INTO a(v) VALUES (6) RETURNING id", "102"},
          {2, "UPDATE sqlite_sequence SET seq = 500 WHERE name = 'a'", ""},
          {1, "COMMIT; SELECT seq FROM sqlite_sequence WHERE name = 'a'", "500"},
          {1, "BEGIN CONCURRENT; UPDATE sqlite_sequence SET seq = 0 WHERE name = 'a'", ""},
          {2, "INSERT INTO a(v) VALUES (7) RETURNING id", "501"},
          {1, "COMMIT", MEET("row 2 of table sqlite_sequence")},
          {1, "ROLLBACK", ""},
          END}},
    };
    scripts_run(scripts, COUNT_OF(scripts));
}

TEST(foreign_keys_hold)
{
#define PARENTS                                                                                                        \
    {1, "CREATE TABLE p(id INTEGER PRIMARY KEY, v, k UNIQUE); INSERT INTO p VALUES (1, 1, 'a'), (2, 2, 'b')", ""},       \
        {1, "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p, k REFERENCES p(k) DEFERRABLE INITIALLY DEFERRED)",    \
         ""},                                                                                                          \
        {1, "PRAGMA foreign_keys = on", ""}, {2, "PRAGMA foreign_keys = on", ""}
#define GONE(place)                                                                                                    \
    "517 conflict: another transaction has deleted " place                                                             \
    " meanwhile, which a foreign key refers to; roll back and run the transaction again"
#define REFERRED(place)                                                                                                \
    "517 conflict: another transaction has added a row meanwhile that refers to " place                                \
    ", which was deleted; roll back and run the transaction again"
    static const struct script scripts[] = {
        {"parent deleted first",
         {PARENTS,
          {1, "BEGIN CONCURRENT; INSERT INTO c VALUES (1, 1, NULL)", ""},
          {2, "BEGIN CONCURRENT; DELETE FROM p WHERE id = 1", ""},
          {2, "COMMIT", ""},
          {1, "COMMIT", GONE("row 1 of table p")},
          {1, "ROLLBACK", ""},
          END}},
        {"child added first",
         {PARENTS,
          {1, "BEGIN CONCURRENT; INSERT INTO c VALUES (1, 1, NULL)", ""},
          {2, "BEGIN CONCURRENT; DELETE FROM p WHERE id = 1", ""},
          {1, "COMMIT", ""},
          {2, "COMMIT", REFERRED("row 1 of table p")},
          {2, "ROLLBACK", ""},
          END}},
        {"plain on either side",
         {PARENTS,
          {1, "BEGIN CONCURRENT; INSERT INTO c VALUES (1, 1, NULL)", ""},
          {2, "DELETE FROM p WHERE id = 1", ""},
          {1, "COMMIT", GONE("row 1 of table p")},
          {1, "ROLLBACK", ""},
          {2, "BEGIN CONCURRENT; DELETE FROM p WHERE id = 2", ""},
          {1, "INSERT INTO c VALUES (2, 2, NULL)", ""},
          {2, "COMMIT", REFERRED("row 2 of table p")},
          {2, "ROLLBACK", ""},
          END}},
        {"by a unique key",
         {PARENTS,
          {1, "BEGIN CONCURRENT; INSERT INTO c VALUES (1, NULL, 'a')", ""},
          {2, "UPDATE p SET k = 'A' WHERE id = 1", ""},
          {1, "COMMIT", GONE("the key k = 'a' of the unique index sqlite_autoindex_p_1 of table p")},
          {1, "ROLLBACK", ""},
          {1, "BEGIN CONCURRENT; UPDATE p SET k = 'B' WHERE id = 2", ""},
          {2, "INSERT INTO c VALUES (2, NULL, 'b')", ""},
          {1, "COMMIT", REFERRED("the key k = 'b' of the unique index sqlite_autoindex_p_1 of table p")},
          {1, "ROLLBACK", ""},
          END}},
        {"a parent that changes and stays",
         {PARENTS,
          {1, "BEGIN CONCURRENT; INSERT INTO c VALUES (1, 1, 'a')", ""},
          {2, "UPDATE p SET v = 11 WHERE id = 1; REPLACE INTO p VALUES (2, 22, 'b')", ""},
          {1, "COMMIT", ""},
          {1, "BEGIN CONCURRENT; INSERT INTO c VALUES (2, 2, 'a')", ""},
          {2, "BEGIN CONCURRENT; PRAGMA defer_foreign_keys = on; DELETE FROM p; INSERT INTO p VALUES (1, 3, 'a'), (2, 3, 'b')", ""},
          {1, "COMMIT", ""},
          {2, "COMMIT; SELECT id, p, k FROM c", "1,1,a 2,2,a"},
          END}},
        {"cascades",
         {{1, "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE)", ""},
          {1, "INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2); PRAGMA foreign_keys = on", ""},
          {2, "PRAGMA foreign_keys = on", ""},
          {1, "BEGIN CONCURRENT; DELETE FROM p WHERE id = 1", ""},
          {2, "BEGIN CONCURRENT; INSERT INTO c VALUES (3, 1)", ""},
          {3, "UPDATE c SET id = 5 WHERE id = 2", ""},
          {1, "COMMIT", ""},
          {2, "COMMIT", GONE("row 1 of table p")},
          {2, "ROLLBACK; SELECT * FROM c", "5,2"},
          END}},
    };
    scripts_run(scripts, COUNT_OF(scripts));
}

TEST(other_databases)
{
    struct bench b;
    bench_open(&b, "main.db");
    char attach[500];
    snprintf(attach, sizeof attach, "ATTACH '%s' AS x", test_path("attached.db"));
    static const struct step steps[] = {
        SETUP,
        {1, "CREATE TABLE x.a(id INTEGER PRIMARY KEY, v); INSERT INTO x.a VALUES (1, 1), (2, 2)", ""},
        {1, "CREATE TEMP TABLE m(v)", ""},
        {1, "BEGIN CONCURRENT; UPDATE t SET v = 11 WHERE id = 1; UPDATE a SET v = 11 WHERE id = 1; INSERT INTO m VALUES (1)", ""},
        {2, "BEGIN CONCURRENT; UPDATE t SET v = 21 WHERE id = 2; UPDATE a SET v = 12 WHERE id = 1", ""},
        {1, "COMMIT; SELECT v FROM m", "1"},
        {2, "COMMIT", MEET("row 1 of table a")},
        {2, "ROLLBACK; SELECT v FROM t; SELECT v FROM a", "11 20 11 2"}, // nothing of it, in either
        {2, "BEGIN CONCURRENT; UPDATE t SET v = 21 WHERE id = 2; UPDATE a SET v = 22 WHERE id = 2", ""},
        {1, "UPDATE t SET v = 12 WHERE id = 1; UPDATE a SET v = 13 WHERE id = 1", ""},
        {2, "COMMIT; SELECT v FROM t; SELECT v FROM a", "12 21 13 22"},
        END,
    };
    CHECK_STR(ask(b.db[1], attach), "");
    CHECK_STR(ask(b.db[2], attach), "");
    script_run(&b, "attached", steps);
    bench_close(&b);
    CHECK_STR(sqlite_ask(test_path("attached.db"), "PRAGMA integrity_check"), "ok");

    struct err err = ERR_CLEAR;
    struct skerry_engine *engine;
    struct skerry *db;
    REQUIRE(skerry_engine_create(&(struct skerry_engine_options){.backend = IO_BACKEND_MEMORY}, &engine, &err));
    REQUIRE(skerry_open(engine, ":memory:", SKERRY_OPEN_CREATE, &db, &err));
    CHECK_STR(ask(db, "BEGIN CONCURRENT TRANSACTION; CREATE TABLE t(v); INSERT INTO t VALUES (1); COMMIT; SELECT v FROM t"), "1");
    CHECK_STR(ask(db, "BEGIN CONCURRENT; INSERT INTO t VALUES (2); ROLLBACK; SELECT v FROM t"), "1");
    CHECK_STR(ask(db, "BEGIN CONCURRENT; BEGIN CONCURRENT"), "1 cannot start a transaction within a transaction");
    while (skerry_close(db, NULL) == SKERRY_WAIT) skerry_wait(db);
    skerry_engine_destroy(engine);
}

// A statement that waits for others and is let go leaves nothing behind in the line.
TEST(waiting_is_given_up)
{
    struct bench b;
    bench_open(&b, "a.db");
    char attach[500];
    snprintf(attach, sizeof attach, "ATTACH '%s' AS x", test_path("attached.db"));
    CHECK_STR(ask(b.db[1], "CREATE TABLE t(v)"), "");
    static const char *const waiting[][3] = { // before, waits, after
        {"SELECT 1", "BEGIN IMMEDIATE", "SELECT 1"},
        {"SELECT 1", "INSERT INTO t VALUES (2)", "SELECT 1"},
        {"BEGIN", "INSERT INTO t VALUES (2)", "ROLLBACK"},
        {"BEGIN CONCURRENT; INSERT INTO t VALUES (2)", "COMMIT", "SELECT 1"},
    };
    for (u32 i = 0; i < COUNT_OF(waiting); i++) {
        struct skerry_stmt *s;
        size_t used;
        CHECK_STR(ask(b.db[1], "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)"), "");
        ask(b.db[2], waiting[i][0]);
        skerry_busy_timeout(b.db[2], 60000);
        CHECK_EQ(skerry_prepare(b.db[2], waiting[i][1], strlen(waiting[i][1]), &s, &used), SKERRY_OK);
        CHECK_EQ(skerry_step(s), SKERRY_WAIT);
        skerry_finalize(s);
        CHECK_STR(ask(b.db[1], "COMMIT"), "");
        CHECK_STR(ask(b.db[3], "INSERT INTO t VALUES (3)"), "");
        ask(b.db[2], waiting[i][2]);
        CHECK(skerry_autocommit(b.db[2]));
    }
    skerry_busy_timeout(b.db[2], 0);
    CHECK_STR(ask(b.db[1], "SELECT count(*) FROM t WHERE v = 2"), "0");
    // Nor a BEGIN that got the slots of some databases only.
    CHECK_STR(ask(b.db[1], attach), "");
    CHECK_STR(ask(b.db[2], attach), "");
    CHECK_STR(ask(b.db[1], "CREATE TABLE x.u(v); BEGIN; INSERT INTO u VALUES (1)"), "");
    CHECK_STR(ask(b.db[2], "BEGIN IMMEDIATE"), "5 database is locked");
    CHECK_STR(ask(b.db[3], "INSERT INTO t VALUES (4)"), "");
    CHECK_STR(ask(b.db[1], "COMMIT"), "");
    bench_close(&b);
}

#define ROWS(count) "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " #count ") "

TEST(memory_is_bounded)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine *engine;
    struct skerry *db[3];
    REQUIRE(skerry_engine_create(&(struct skerry_engine_options){.backend = IO_BACKEND_MEMORY}, &engine, &err));
    for (u32 i = 0; i < 3; i++) REQUIRE(skerry_open(engine, "/a.db", SKERRY_OPEN_CREATE, &db[i], &err));
    CHECK_STR(ask(db[0], "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE u(id INTEGER PRIMARY KEY, v);"
                         "INSERT INTO t VALUES (1, 1); INSERT INTO u VALUES (1, 1)"), "");
    // A plain transaction of very many rows has changed its tables everywhere, and no others.
    CHECK_STR(ask(db[0], "BEGIN CONCURRENT; UPDATE t SET v = 2 WHERE id = 1"), "");
    CHECK_STR(ask(db[1], "BEGIN CONCURRENT; UPDATE u SET v = 2 WHERE id = 1"), "");
    CHECK_STR(ask(db[2], ROWS(70000) "INSERT INTO t SELECT i + 1, i FROM n"), "");
    CHECK(skerry_store(db[0])->change_index.mask < 4096);
    CHECK_STR(ask(db[0], "COMMIT"), CLEARED("table t"));
    CHECK_STR(ask(db[0], "ROLLBACK"), "");
    CHECK_STR(ask(db[1], "COMMIT; SELECT * FROM u"), "1,2");
    // A snapshot that is older than the keys that are kept conflicts.
    CHECK_STR(ask(db[0], "DELETE FROM t; BEGIN CONCURRENT; UPDATE u SET v = 3 WHERE id = 1"), "");
    for (u32 i = 0; i < 5; i++)
        CHECK_STR(ask(db[2], ROWS(60000) "INSERT INTO t(v) SELECT i FROM n"), "");
    CHECK(skerry_store(db[0])->change_index.mask < 4 * CHANGE_INDEX_MAX);
    CHECK_STR(ask(db[0], "COMMIT"), "517 conflict: what others have changed in main meanwhile is not known to the row; roll "
                                    "back and run the transaction again");
    CHECK_STR(ask(db[0], "ROLLBACK; BEGIN CONCURRENT; UPDATE u SET v = 4 WHERE id = 1"), "");
    CHECK_STR(ask(db[2], "UPDATE t SET v = 1 WHERE id = 1"), "");
    CHECK_STR(ask(db[0], "COMMIT; SELECT * FROM u"), "1,4");
    // A concurrent one of very many rows, too, has changed its table everywhere for others.
    CHECK_STR(ask(db[0], "BEGIN CONCURRENT; UPDATE t SET v = 5 WHERE id = 1"), "");
    CHECK_STR(ask(db[1], "BEGIN CONCURRENT; " ROWS(70000) "INSERT INTO t(v) SELECT i FROM n; COMMIT"), "");
    CHECK(skerry_store(db[0])->change_index.mask < 4 * CHANGE_INDEX_MAX);
    CHECK_STR(ask(db[0], "COMMIT"), CLEARED("table t"));
    CHECK_STR(ask(db[0], "ROLLBACK"), "");
    // A concurrent transaction has its limit; the statement fails, and what it did before can be committed.
    CHECK_STR(ask(db[0], "BEGIN CONCURRENT; UPDATE u SET v = 5 WHERE id = 1"), "");
    CHECK_STR(ask(db[0], ROWS(70) "INSERT INTO u SELECT i + 1, zeroblob(1000000) FROM n"),
              "18 a concurrent transaction may change 64 MiB of rows in 65536 pages at most; use BEGIN IMMEDIATE for this one");
    CHECK_STR(ask(db[2], "UPDATE t SET v = 2 WHERE id = 1"), "");
    CHECK_STR(ask(db[0], "COMMIT; SELECT * FROM u"), "1,5");
    // Without concurrent transactions nothing is listed, after a while.
    CHECK(skerry_store(db[0])->change_index.slots != NULL);
    for (u32 i = 0; i < CHANGE_COMMITS_KEPT + 2; i++) CHECK_STR(ask(db[2], "UPDATE t SET v = v + 1 WHERE id = 1"), "");
    CHECK(skerry_store(db[0])->change_index.slots == NULL);
    CHECK(!skerry_store(db[0])->change_recording);
    CHECK_STR(ask(db[0], "BEGIN CONCURRENT; UPDATE t SET v = 0 WHERE id = 1"), "");
    CHECK_STR(ask(db[2], "UPDATE t SET v = v + 1 WHERE id = 2"), "");
    CHECK_STR(ask(db[0], "COMMIT"), "");
    CHECK_STR(ask(db[0], "BEGIN CONCURRENT; UPDATE t SET v = 0 WHERE id = 1"), "");
    CHECK_STR(ask(db[2], "UPDATE t SET v = v + 1 WHERE id = 1"), "");
    CHECK_STR(ask(db[0], "COMMIT"), MEET("row 1 of table t"));
    CHECK_STR(ask(db[0], "ROLLBACK"), "");
    for (u32 i = 0; i < 3; i++)
        while (skerry_close(db[i], NULL) == SKERRY_WAIT) skerry_wait(db[i]);
    skerry_engine_destroy(engine);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
