// Goal: INSERT, UPDATE, DELETE do to tables and indexes what SQLite's do, and fail with the same errors.
// Method: scripts run on Skerry and on libsqlite3; after each statement codes, texts, rows and counts are
// compared, at the end the contents, and SQLite checks the file.
#include "../../oracle.h"

#define RUN(...)                                                                                   \
    do {                                                                                           \
        static const struct oracle_script scripts[] = {__VA_ARGS__};                               \
        oracle_run_scripts(scripts, COUNT_OF(scripts));                                            \
    } while (0)

TEST(insert_values)
{
    RUN({"values", "CREATE TABLE t(a, b);"
                   "INSERT INTO t VALUES(1, 'x');"
                   "INSERT INTO t VALUES(2.5, NULL), (x'0102', 'z'), (-1, 1e300);"
                   "INSERT INTO t(b) VALUES('only b');"
                   "INSERT INTO t(b, a) VALUES('b', 'a');"
                   "INSERT INTO t DEFAULT VALUES;"
                   "INSERT INTO t(a, a) VALUES(1, 2);"
                   "SELECT rowid, * FROM t;"
                   "INSERT INTO t VALUES(1);"
                   "INSERT INTO t VALUES(1, 2, 3);"
                   "INSERT INTO t(a) VALUES(1, 2);"
                   "INSERT INTO t(nope) VALUES(1);"
                   "INSERT INTO main.t(nope) VALUES(1);"
                   "INSERT INTO nope VALUES(1);"
                   "INSERT INTO t VALUES(1, nope);"
                   "INSERT INTO sqlite_schema VALUES(1,2,3,4,5);"
                   "INSERT INTO t VALUES(1, 2), (3);"},
        {"defaults", "CREATE TABLE t(a DEFAULT 5, b TEXT DEFAULT 'x''y', c DEFAULT (1+2), d DEFAULT -3.5, e,"
                     " f INT DEFAULT '12', g DEFAULT NULL, h DEFAULT x'00ff');"
                     "INSERT INTO t DEFAULT VALUES;"
                     "INSERT INTO t(e) VALUES(9), (10);"
                     "INSERT INTO t(a, e) SELECT 1, 2;"
                     "SELECT * FROM t; SELECT typeof(f), typeof(c) FROM t;"},
        {"rowid", "CREATE TABLE t(a);"
                  "INSERT INTO t(rowid, a) VALUES(10, 'x');"
                  "INSERT INTO t(a) VALUES('y');"
                  "INSERT INTO t(_rowid_, a) VALUES(-5, 'z');"
                  "INSERT INTO t(oid) VALUES(NULL);"
                  "INSERT INTO t(rowid) VALUES('abc');"
                  "INSERT INTO t(rowid) VALUES('77');"
                  "INSERT INTO t(rowid) VALUES(10);"
                  "INSERT INTO t(rowid) VALUES(3.5);"
                  "SELECT rowid, a FROM t ORDER BY rowid;"},
        {"integer primary key", "CREATE TABLE t(a, id INTEGER PRIMARY KEY, b);"
                                "INSERT INTO t VALUES('x', 5, 'y');"
                                "INSERT INTO t VALUES('x', NULL, 'y');"
                                "INSERT INTO t(a, b) VALUES(1, 2);"
                                "INSERT INTO t(id) VALUES(5);"
                                "INSERT INTO t(id) VALUES('six');"
                                "INSERT INTO t(id, a) VALUES('9', 'text');"
                                "INSERT INTO t VALUES(1, 9223372036854775807, 1);"
                                "SELECT count(*), typeof(min(id)) FROM t WHERE id < 100;"
                                "DELETE FROM t WHERE id > 100;"
                                "SELECT * FROM t;"},
        {"select", "CREATE TABLE s(x, y); INSERT INTO s VALUES(1, 'a'), (2, 'b'), (3, 'c');"
                   "CREATE TABLE t(a INTEGER PRIMARY KEY, b);"
                   "INSERT INTO t SELECT * FROM s;"
                   "INSERT INTO t(b) SELECT y FROM s WHERE x > 1 ORDER BY x DESC;"
                   "INSERT INTO t SELECT a + 10, b FROM t;"
                   "INSERT INTO t SELECT * FROM s;"
                   "INSERT INTO t SELECT x FROM s;"
                   "INSERT OR IGNORE INTO t SELECT * FROM s;"
                   "INSERT INTO t(b, a) SELECT y, x + 100 FROM s;"
                   "INSERT INTO s SELECT x + 3, y || y FROM s UNION ALL SELECT 100, 'u';"
                   "WITH c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50)"
                   " INSERT INTO s SELECT n, n * n FROM c;"
                   "SELECT * FROM t; SELECT * FROM s;"});
}

TEST(conflict_actions)
{
    static const char *actions[] = {"ABORT", "FAIL", "IGNORE", "REPLACE", "ROLLBACK"};
    static const char *tables[] = {
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE, c NOT NULL DEFAULT 7, d CHECK(d <> 13))",
        "CREATE TABLE t(a PRIMARY KEY, b UNIQUE, c NOT NULL DEFAULT 7, d CHECK(d <> 13)) WITHOUT ROWID",
        "CREATE TABLE t(a INT PRIMARY KEY, b UNIQUE, c NOT NULL DEFAULT 7, d CHECK(d <> 13))",
        "CREATE TABLE t(a INTEGER PRIMARY KEY ON CONFLICT REPLACE, b UNIQUE ON CONFLICT IGNORE,"
        " c NOT NULL ON CONFLICT REPLACE DEFAULT 7, d CHECK(d <> 13))",
        "CREATE TABLE t(a PRIMARY KEY ON CONFLICT FAIL, b UNIQUE ON CONFLICT REPLACE,"
        " c NOT NULL ON CONFLICT IGNORE DEFAULT 7, d CHECK(d <> 13))",
    };
    for (u32 k = 0; k < COUNT_OF(tables); k++) {
        for (u32 i = 0; i <= COUNT_OF(actions); i++) {
            char sql[3000], action[20] = "";
            if (i < COUNT_OF(actions)) snprintf(action, sizeof(action), "OR %s", actions[i]);
            snprintf(sql, sizeof(sql),
                     "%s; CREATE INDEX tc ON t(c, d DESC); CREATE INDEX tp ON t(d) WHERE d > 5;"
                     "INSERT INTO t VALUES(1, 'one', 1, 1), (2, 'two', 2, 2), (3, 'three', 3, 30);"
                     "INSERT %s INTO t VALUES(10, 'ten', 1, 1), (1, 'uno', 1, 1), (11, 'eleven', 1, 1);"
                     "INSERT %s INTO t VALUES(20, 'twenty', 1, 1), (21, 'two', 1, 1), (22, 'x', 1, 1);"
                     "INSERT %s INTO t VALUES(30, 'thirty', 1, 1), (31, 'y', NULL, 1), (32, 'z', 1, 1);"
                     "INSERT %s INTO t VALUES(40, 'forty', 1, 1), (41, 'v', 1, 13), (42, 'w', 1, 1);"
                     "INSERT %s INTO t VALUES(1, 'two', 5, 6);"
                     "SELECT * FROM t ORDER BY a;"
                     "BEGIN; INSERT INTO t VALUES(50, 'fifty', 1, 1); UPDATE %s t SET b = 'same' WHERE a >= 2;"
                     "UPDATE %s t SET a = a + 1;"
                     "UPDATE %s t SET c = NULL WHERE a < 3;"
                     "UPDATE %s t SET d = 13 WHERE a < 3; COMMIT;"
                     "SELECT * FROM t ORDER BY a; SELECT d FROM t WHERE d > 5 ORDER BY d",
                     tables[k], action, action, action, action, action, action, action, action, action);
            char name[64];
            snprintf(name, sizeof(name), "table %u %s", k, action);
            struct oracle_script script = {name, sql};
            oracle_run_scripts(&script, 1);
        }
    }
}

TEST(update)
{
    RUN({"plain", "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c REAL, d TEXT);"
                  "CREATE INDEX tb ON t(b); CREATE INDEX tcd ON t(c, d);"
                  "INSERT INTO t VALUES(1, 10, 1, 'x'), (2, 20, 2.5, 'y'), (3, 30, 3, 'z');"
                  "UPDATE t SET b = b + 1;"
                  "UPDATE t SET b = b + 1 WHERE b > 15;"
                  "UPDATE t SET c = 7 WHERE a = 2;"
                  "UPDATE t SET b = c, c = b;"
                  "UPDATE t SET d = d || b WHERE d LIKE 'x%';"
                  "UPDATE t SET a = a + 10;"
                  "UPDATE t SET a = 12 WHERE a = 11;"
                  "UPDATE t SET rowid = 100 WHERE a = 13;"
                  "UPDATE t SET a = 'abc' WHERE a = 100;"
                  "UPDATE t SET a = NULL;"
                  "UPDATE t SET (b, c) = (1, 2) WHERE a = 100;"
                  "UPDATE t SET (b, d) = (SELECT count(*), max(a) FROM t);"
                  "UPDATE t SET nope = 1;"
                  "UPDATE t SET b = nope;"
                  "UPDATE nope SET b = 1;"
                  "UPDATE t SET b = 1 WHERE nope = 1;"
                  "UPDATE t INDEXED BY tb SET c = 4 WHERE b = 3;"
                  "UPDATE t INDEXED BY nope SET c = 4;"
                  "UPDATE t SET b = 5 WHERE a IN (SELECT a FROM t);"
                  "SELECT *, typeof(c) FROM t;"},
        {"moving keys", "CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE);"
                        "INSERT INTO t VALUES(1, 1), (2, 2), (3, 3), (4, 4);"
                        "UPDATE t SET b = b + 1 WHERE b = 4;"
                        "UPDATE t SET b = b + 1;"
                        "UPDATE t SET b = -b;"
                        "UPDATE t SET a = -a;"
                        "UPDATE OR REPLACE t SET b = -2;"
                        "SELECT * FROM t;"},
        {"from", "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE TABLE u(x, y);"
                 "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
                 "INSERT INTO t VALUES(1, 'a'), (2, 'b'), (3, 'c'); INSERT INTO u VALUES(1, 'X'), (3, 'Z');"
                 "INSERT INTO w VALUES('a', 1), ('b', 2);"
                 "UPDATE t SET b = u.y FROM u WHERE u.x = t.a;"
                 "UPDATE t SET b = (SELECT y FROM u WHERE x = a) WHERE a = 3;"
                 "UPDATE w SET v = t.a + 100 FROM t WHERE t.b = w.k;"
                 "UPDATE t AS q SET b = s.n FROM (SELECT 3 AS n) AS s WHERE q.a = s.n;"
                 "UPDATE t SET a = t.a + 10 FROM u WHERE u.x = t.a;"
                 "UPDATE t SET b = 1 FROM t;"
                 "SELECT * FROM t; SELECT * FROM w;"},
        {"without rowid", "CREATE TABLE t(a TEXT, b INT, c, PRIMARY KEY(b, a)) WITHOUT ROWID;"
                          "CREATE INDEX tc ON t(c); CREATE UNIQUE INDEX tu ON t(c, a);"
                          "INSERT INTO t VALUES('x', 1, 'c1'), ('y', 1, 'c2'), ('z', 2, 'c1');"
                          "INSERT INTO t VALUES('x', 1, 'dup');"
                          "INSERT INTO t VALUES('x', NULL, 'null key');"
                          "INSERT INTO t VALUES('x', 9, 'c1');"
                          "UPDATE t SET c = c || b;"
                          "UPDATE t SET b = b + 1;"
                          "UPDATE t SET a = 'x' WHERE b = 2;"
                          "UPDATE t SET a = 'w', c = 'new' WHERE a = 'z';"
                          "INSERT OR REPLACE INTO t VALUES('x', 2, 'replaced');"
                          "DELETE FROM t WHERE c = 'new';"
                          "SELECT * FROM t; SELECT rowid FROM t; UPDATE t SET rowid = 1;"});
}

TEST(delete)
{
    RUN({"rows", "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); CREATE INDEX tb ON t(b);"
                 "CREATE INDEX tp ON t(c) WHERE c IS NOT NULL; CREATE INDEX te ON t(b + c);"
                 "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
                 " INSERT INTO t SELECT i, i % 7, CASE WHEN i % 3 THEN i END FROM n;"
                 "DELETE FROM t WHERE a = 5;"
                 "DELETE FROM t WHERE b = 3;"
                 "DELETE FROM t WHERE a BETWEEN 20 AND 30 OR b = 1;"
                 "DELETE FROM t WHERE a IN (SELECT max(a) FROM t);"
                 "DELETE FROM t WHERE c > 50 AND b + c > 55;"
                 "DELETE FROM t WHERE nope;"
                 "DELETE FROM nope;"
                 "DELETE FROM sqlite_schema;"
                 "SELECT count(*), sum(a) FROM t;"
                 "DELETE FROM t; SELECT * FROM t; INSERT INTO t VALUES(NULL, 1, 2); SELECT * FROM t;"},
        {"truncate", "CREATE TABLE w(k PRIMARY KEY, v UNIQUE) WITHOUT ROWID; INSERT INTO w VALUES(1, 2), (3, 4);"
                     "DELETE FROM w; INSERT INTO w VALUES(1, 2); DELETE FROM w WHERE k = 1; DELETE FROM w WHERE 1;"
                     "DELETE FROM w;"});
}

TEST(upsert)
{
    RUN({"one clause", "CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE, c DEFAULT 0);"
                       "INSERT INTO t VALUES(1, 'x', 1);"
                       "INSERT INTO t VALUES(1, 'y', 2) ON CONFLICT DO NOTHING;"
                       "INSERT INTO t VALUES(1, 'y', 2) ON CONFLICT(a) DO NOTHING;"
                       "INSERT INTO t VALUES(2, 'x', 2) ON CONFLICT(a) DO NOTHING;"
                       "INSERT INTO t VALUES(1, 'y', 2) ON CONFLICT(a) DO UPDATE SET c = c + 10;"
                       "INSERT INTO t VALUES(1, 'y', 5) ON CONFLICT(a) DO UPDATE SET c = excluded.c, b = excluded.b || t.b;"
                       "INSERT INTO t VALUES(7, 'yx', 5) ON CONFLICT(b) DO UPDATE SET a = excluded.a;"
                       "INSERT INTO t VALUES(7, 'zz', 5) ON CONFLICT(a) DO UPDATE SET c = 99 WHERE excluded.c > 5;"
                       "INSERT INTO t VALUES(7, 'zz', 6) ON CONFLICT(a) DO UPDATE SET c = 99 WHERE excluded.c > 5;"
                       "INSERT INTO t VALUES(8, 'n', 1), (8, 'm', 2), (9, 'n', 3) ON CONFLICT(a) DO UPDATE SET c = c + 1"
                       " ON CONFLICT(b) DO UPDATE SET c = c + 100;"
                       "INSERT INTO t SELECT 8, 'q', 1 WHERE true ON CONFLICT DO UPDATE SET c = -1;"
                       "INSERT INTO t VALUES(1, 2, 3) ON CONFLICT(c) DO NOTHING;"
                       "INSERT INTO t VALUES(1, 2, 3) ON CONFLICT(a) DO NOTHING ON CONFLICT(c) DO NOTHING;"
                       "INSERT INTO t VALUES(1, 2, 3) ON CONFLICT(nope) DO NOTHING;"
                       "INSERT INTO t VALUES(8, 2, 3) ON CONFLICT(a) DO UPDATE SET nope = 1;"
                       "SELECT * FROM t;"},
        {"others", "CREATE TABLE w(k TEXT PRIMARY KEY, v INT, u UNIQUE) WITHOUT ROWID;"
                   "INSERT INTO w VALUES('a', 1, 1), ('b', 2, 2);"
                   "INSERT INTO w VALUES('a', 5, 9) ON CONFLICT(k) DO UPDATE SET v = v + excluded.v;"
                   "INSERT INTO w VALUES('c', 5, 2) ON CONFLICT(u) DO UPDATE SET v = v + excluded.v, k = excluded.k;"
                   "SELECT * FROM w;"
                   "CREATE TABLE p(a, b); CREATE UNIQUE INDEX pa ON p(a) WHERE b > 0; CREATE UNIQUE INDEX pe ON p(a || b);"
                   "INSERT INTO p VALUES(1, 1);"
                   "INSERT INTO p VALUES(1, 2) ON CONFLICT(a) WHERE b > 0 DO UPDATE SET b = 50;"
                   "INSERT INTO p VALUES(1, 50) ON CONFLICT(a || b) DO NOTHING;"
                   "INSERT INTO p VALUES(1, -50) ON CONFLICT(a) DO NOTHING;"
                   "SELECT * FROM p;"});
}

// Integers stored in REAL columns are left out: SQLite 3.40 gives them back as integers, newer ones as reals.
TEST(returning)
{
    RUN({"all", "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c REAL DEFAULT 4.5);"
                "INSERT INTO t(b) VALUES('x'), ('y') RETURNING *;"
                "INSERT INTO t(b) VALUES('z') RETURNING a, b || '!' AS e, rowid, typeof(c), t.b;"
                "UPDATE t SET b = b || a RETURNING a, b;"
                "UPDATE t SET a = a + 10 WHERE a < 3 RETURNING a, (SELECT count(*) FROM t);"
                "INSERT INTO t VALUES(11, 'k', 1.5) ON CONFLICT(a) DO UPDATE SET b = 'up' RETURNING *;"
                "INSERT OR IGNORE INTO t VALUES(11, 'k', 1.5) RETURNING *;"
                "INSERT OR REPLACE INTO t VALUES(11, 'k', 1.5) RETURNING *;"
                "DELETE FROM t WHERE a > 10 RETURNING a, b;"
                "DELETE FROM t RETURNING *;"
                "DELETE FROM t RETURNING nope;"
                "DELETE FROM t RETURNING t.*;"});
}

TEST(generated)
{
    RUN({"columns", "CREATE TABLE t(a INT, b INT AS (a * 2), c TEXT AS (b || 'x') STORED, d, e AS (c || d) VIRTUAL UNIQUE);"
                    "CREATE INDEX tb ON t(b); CREATE INDEX tce ON t(c, e DESC);"
                    "INSERT INTO t VALUES(1, 'd1'); INSERT INTO t(d, a) VALUES('d2', 2);"
                    "INSERT INTO t(a, b) VALUES(1, 2);"
                    "INSERT INTO t VALUES(1, 2, 3);"
                    "INSERT INTO t VALUES(1, 'd1');"
                    "UPDATE t SET a = a + 1;"
                    "UPDATE t SET d = 'same', a = 1;"
                    "UPDATE t SET b = 5;"
                    "INSERT OR REPLACE INTO t VALUES(2, 'd1');"
                    "SELECT * FROM t; DELETE FROM t WHERE b = 4; SELECT * FROM t ORDER BY e;"},
        {"constraints", "CREATE TABLE t(a, b NOT NULL AS (a + 1), c CHECK(c > b) DEFAULT 100, id INTEGER PRIMARY KEY,"
                        " f AS (id * 10) STORED);"
                        "INSERT INTO t(a) VALUES(1); INSERT INTO t(a) VALUES(NULL); INSERT INTO t(a, c) VALUES(5, 6);"
                        "INSERT OR IGNORE INTO t(a) VALUES(NULL); UPDATE t SET a = NULL; UPDATE t SET id = 77;"
                        "INSERT INTO t(a) SELECT a FROM t;"
                        "SELECT * FROM t;"});
}

// A table of `count` columns, each computed from the one before.
static const char *generated_chain(u32 count, const char *operation)
{
    static char sql[100000];
    size_t size = (size_t)snprintf(sql, sizeof sql, "CREATE TABLE t%u(g0, h", count);
    for (u32 i = 1; i < count; i++) size += (size_t)snprintf(sql + size, sizeof sql - size, ", g%u AS (g%u%s)", i, i - 1, operation);
    snprintf(sql + size, sizeof sql - size, ")");
    return sql;
}

TEST(generated_from_one_another)
{
    struct oracle o;
    REQUIRE(oracle_open(&o, "chain"));
    CHECK(oracle_run(&o, generated_chain(150, " || '+'")));
    CHECK(oracle_run(&o, generated_chain(1990, "+1")));
    CHECK(oracle_run(&o, "INSERT INTO t150(g0) VALUES (7), (8); INSERT INTO t1990(g0) VALUES (7), (8);"
                         "SELECT g149, h FROM t150 WHERE g148 > '7'; SELECT g1989 FROM t1990; CREATE INDEX x ON t1990(g1989);"
                         "UPDATE t1990 SET g0 = g0 + g1989; SELECT g0 FROM t1990 WHERE g1989 > 3990; DELETE FROM t1990 WHERE g1989 > 3990;"));
    char answer[200];
    oracle_answer(&o, generated_chain(1800, "+1+1+1"), answer, sizeof answer);
    CHECK_STR(answer, "error: generated columns are nested too deeply"); // which SQLite leaves to the C stack
    oracle_close(&o);
    RUN({"circles", "CREATE TABLE t(a AS (x), b AS (x), c AS (d), x, d); INSERT INTO t VALUES (1, 2);"
                    "PRAGMA writable_schema = on;"
                    "UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a AS (b), b AS (c), c AS (b), x, d)'; PRAGMA writable_schema = reset;"
                    "SELECT a FROM t; SELECT b FROM t; SELECT c FROM t; SELECT x FROM t; UPDATE t SET x = 5 WHERE d = 2;"
                    "PRAGMA writable_schema = on; UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a, b)'; PRAGMA writable_schema = reset;"});
}

TEST(strict)
{
    RUN({"types", "CREATE TABLE t(i INTEGER, n INT, r REAL, x TEXT, b BLOB, a ANY) STRICT;"
                  "INSERT INTO t VALUES(1, '2', 3, 4, x'05', 'six');"
                  "INSERT INTO t VALUES(1.5, 1, 1, 1, x'00', 1);"
                  "INSERT INTO t VALUES('x', 1, 1, 1, x'00', 1);"
                  "INSERT INTO t VALUES(1, 1, 'x', 1, x'00', 1);"
                  "INSERT INTO t VALUES(1, 1, 1, x'00', x'00', 1);"
                  "INSERT INTO t VALUES(1, 1, 1, 1, 1, 1);"
                  "INSERT INTO t VALUES(1.0, 1, 1, 1, NULL, '0001');"
                  "UPDATE t SET i = 'abc';"
                  "SELECT *, typeof(i), typeof(n), typeof(r), typeof(x), typeof(b), typeof(a) FROM t;"});
}

TEST(autoincrement)
{
    RUN({"sequence", "CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b);"
                     "INSERT INTO t(b) VALUES('x'), ('y'); DELETE FROM t; INSERT INTO t(b) VALUES('z');"
                     "INSERT INTO t VALUES(100, 'h'); INSERT INTO t(b) VALUES('i'); INSERT INTO t VALUES(50, 'low');"
                     "SELECT * FROM t; SELECT * FROM sqlite_sequence;"
                     "UPDATE sqlite_sequence SET seq = 1000; INSERT INTO t(b) VALUES('j');"
                     "INSERT OR IGNORE INTO t VALUES(1001, 'dup'); INSERT INTO t VALUES(9223372036854775807, 'max');"
                     "INSERT INTO t(b) VALUES('full'); SELECT * FROM t; SELECT * FROM sqlite_sequence;"});
}

TEST(affinity_and_counts)
{
    RUN({"affinity", "CREATE TABLE t(i INTEGER, n NUMERIC, r REAL, x TEXT, b BLOB, z);"
                     "CREATE INDEX ti ON t(i, n, r, x, b, z);"
                     "INSERT INTO t VALUES('1', '2.0', '3', 4, 5, '6'), (1.0, 1e20, 5, 1.0, 'b', 1.0),"
                     " ('x', '0x10', 'r', x'61', 1, NULL), (9007199254740993, '9007199254740993', 9007199254740993, 1e15, 2, 3);"
                     "SELECT *, typeof(i), typeof(n), typeof(r), typeof(x), typeof(b), typeof(z) FROM t;"
                     "UPDATE t SET i = x, x = i; SELECT * FROM t;"},
        {"counts", "CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES(1), (2), (3);"
                   "SELECT changes(), total_changes(), last_insert_rowid();"
                   "INSERT OR REPLACE INTO t VALUES(1), (2);"
                   "SELECT changes(), total_changes(), last_insert_rowid();"
                   "DELETE FROM t WHERE a = 55; SELECT changes(); DELETE FROM t; SELECT changes(), total_changes();"});
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
