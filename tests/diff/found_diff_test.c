// Goal: what random scripts (dialect_diff_test.c) once found different stays as SQLite has it.
// Method: the statements that were left when a script was cut down run on both; one test for each part of the engine.
#include "../oracle.h"

#define RUN(...)                                                                                   \
    do {                                                                                           \
        static const struct oracle_script scripts[] = {__VA_ARGS__};                               \
        oracle_run_scripts(scripts, COUNT_OF(scripts));                                            \
    } while (0)

TEST(alter)
{
    RUN({"an INTEGER PRIMARY KEY is renamed in views and triggers", "CREATE TABLE t(k INTEGER PRIMARY KEY, b);"
         "CREATE VIEW v AS SELECT k FROM t WHERE t.k > 4;"
         "CREATE TRIGGER r AFTER DELETE ON t BEGIN DELETE FROM t WHERE t.k = 4; UPDATE t SET k = k + 1 WHERE old.k = 5; END;"
         "ALTER TABLE t RENAME COLUMN k TO z; SELECT sql FROM sqlite_master;"},
        {"excluded", "CREATE TABLE t(a); CREATE TABLE u(x UNIQUE, y, z);"
         "CREATE TRIGGER r AFTER DELETE ON t BEGIN INSERT INTO u VALUES(1, 2, 3)"
         " ON CONFLICT(x) DO UPDATE SET y = u.y + 1, z = excluded.z WHERE excluded.y > u.y; END;"
         "ALTER TABLE u RENAME z TO z2; ALTER TABLE u RENAME y TO y2; ALTER TABLE u RENAME x TO x2; SELECT sql FROM sqlite_master;"},
        {"an update of a view in a trigger", "CREATE TABLE t(a); CREATE TABLE u(x); CREATE VIEW v(a, b, c) AS SELECT a, a, a FROM t;"
         "CREATE TRIGGER r BEFORE INSERT ON u BEGIN UPDATE v SET b = 2 >> v.a WHERE new.x <> v.c; END;"
         "ALTER TABLE t RENAME TO t2; SELECT sql FROM sqlite_master; INSERT INTO u VALUES(1);"},
        {"views see their own schema", "CREATE TEMP TABLE t(a); CREATE TABLE u(a, b); CREATE VIEW v AS SELECT * FROM t;"
         "ALTER TABLE u RENAME a TO c; ALTER TABLE u RENAME TO w; ALTER TABLE u DROP COLUMN b; DROP VIEW v;"
         "CREATE TEMP VIEW v AS SELECT * FROM u, t; ALTER TABLE u RENAME TO w; ALTER TABLE t RENAME TO s;"
         "SELECT sql FROM sqlite_temp_master;"},
        {"columns that are named by their text", "CREATE TABLE t(a, b); CREATE TABLE u(a);"
         "CREATE VIEW v AS WITH c AS (SELECT a + 1, abs(b) FROM t) SELECT * FROM c WHERE \"a + 1\" > 0;"
         "ALTER TABLE t RENAME TO t2; ALTER TABLE t2 RENAME b TO c; ALTER TABLE u ADD COLUMN d; SELECT sql FROM sqlite_master;"},
        {"a subquery without a name", "CREATE TABLE t(a, b); CREATE VIEW v AS SELECT x FROM (SELECT a AS x FROM t);"
         "ALTER TABLE t RENAME COLUMN a TO c; SELECT sql FROM sqlite_master;"});
}

TEST(planner)
{
    RUN({"an automatic index keeps equal rows of a table without rowids",
         "CREATE TABLE t(a, b, e, f, PRIMARY KEY(a, b)) WITHOUT ROWID; INSERT INTO t VALUES(1, 2, 7, 0), (2, 2, 7, 0), (3, 1, 7, 0);"
         "SELECT q.a FROM t AS p JOIN t AS q USING(e) WHERE q.e >= q.f ORDER BY 1;"
         "SELECT count(*) FROM t AS p JOIN t AS q ON p.e = q.e JOIN t AS r ON r.e = q.e;"},
        {"a computed table expression in code that stands twice", "CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 1);"
         "WITH w(a, b) AS (SELECT 1, NULL UNION ALL SELECT a + 1, 5 FROM w WHERE a < 4)"
         "SELECT max(q.value) FILTER (WHERE q.value IN (SELECT w.a FROM t AS p LEFT JOIN t AS r ON r.b IN (1, 2) CROSS JOIN w))"
         " FROM json_each('[1,2,7]') AS q GROUP BY q.value, q.fullkey HAVING sum(q.value) > 0 ORDER BY 1;"},
        {"remainders of texts are those of their integers",
         "SELECT '1e2' % '2024-02-29', '1e2' % 7, '12.9' % 7, '1e30' % 10, 1e30 % 10, ' 12' % 7, '9223372036854775808' % 10, '1' % -1;"},
        {"false by its text", "CREATE TABLE t(a, b); SELECT a FROM t GROUP BY a AND 0;"
         "SELECT a, b FROM t GROUP BY 0 AND b;"});
}

TEST(schema)
{
    RUN({"no table is nameless", "CREATE TABLE t(a); CREATE TEMP TRIGGER r AFTER INSERT ON main.t BEGIN SELECT 1; END;"
         "PRAGMA table_info(''); SELECT * FROM \"\"; CREATE TABLE \"\"(a); INSERT INTO \"\" VALUES(4); PRAGMA table_info('');"},
        {"a view that cannot be read has no columns", "CREATE VIEW v AS SELECT * FROM nowhere; PRAGMA table_list(v);"},
        {"strings stay strings below two collations", "CREATE TABLE t(a); INSERT INTO t VALUES('abc');"
         "CREATE INDEX i ON t(('ABC' COLLATE NOCASE) COLLATE RTRIM); CREATE INDEX j ON t('ABC'); CREATE INDEX k ON t(FALSE);"},
        {"a rowid by its column's name in a longer key", "CREATE TABLE t(a INTEGER PRIMARY KEY, b, UNIQUE(a, b));"
         "INSERT INTO t VALUES(7, 2) ON CONFLICT(b, a) DO NOTHING; INSERT INTO t VALUES(7, 2) ON CONFLICT(a) DO NOTHING;"},
        {"what is wrong with a view is told first", "CREATE VIEW v AS SELECT * FROM nowhere;"
         "DELETE FROM v; UPDATE v SET a = 1; INSERT INTO v VALUES(1);"});
}

int main(int argc, char **argv) { return test_main(argc, argv); }
