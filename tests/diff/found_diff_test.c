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
         "ALTER TABLE t RENAME COLUMN a TO c; SELECT sql FROM sqlite_master;"},
        {"names in USING stay, and what they name cannot be renamed", "CREATE TABLE t(a, b); CREATE TABLE u(a, c);"
         "CREATE VIEW v AS SELECT a FROM t JOIN u USING(a); ALTER TABLE t RENAME a TO z; ALTER TABLE u RENAME c TO z; DROP VIEW v;"
         "CREATE VIEW v AS SELECT * FROM t AS x JOIN t AS y USING(a); ALTER TABLE t RENAME a TO z; ALTER TABLE t RENAME TO tt;"
         "CREATE TRIGGER r AFTER INSERT ON u BEGIN SELECT * FROM tt JOIN u USING(a); END; DROP VIEW v;"
         "ALTER TABLE tt RENAME a TO y; ALTER TABLE tt DROP COLUMN a; ALTER TABLE tt DROP COLUMN b; SELECT sql FROM sqlite_master;"},
        {"the rowid's other names", "CREATE TABLE t(a INTEGER PRIMARY KEY, b CHECK(t.rowid < 10 AND rowid <> 5), c CHECK(_rowid_ > 0 OR oid > 0));"
         "CREATE INDEX i ON t(b) WHERE rowid > 3; CREATE VIEW v AS SELECT rowid, t.rowid FROM t WHERE t.oid > 3;"
         "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET b = new.rowid WHERE t.rowid = new.rowid AND rowid > 3; END;"
         "CREATE TABLE u(rowid INTEGER PRIMARY KEY, b CHECK(oid > 0)); CREATE TABLE w(a INTEGER PRIMARY KEY, rowid CHECK(rowid <> 5 AND oid <> 6));"
         "ALTER TABLE t RENAME a TO z; ALTER TABLE u RENAME rowid TO z; ALTER TABLE w RENAME a TO z; ALTER TABLE w RENAME rowid TO y;"
         "SELECT sql FROM sqlite_master; INSERT INTO t VALUES(20, 1, 1);"},
        {"what is wrong with a view only when it is run", "CREATE TABLE t(a); CREATE VIEW v AS SELECT 3 AS c FROM t GROUP BY (3 COLLATE BINARY);"
         "SELECT * FROM v; ALTER TABLE t RENAME TO u; CREATE TABLE x(a, b); ALTER TABLE x RENAME TO y; ALTER TABLE y DROP COLUMN b;"
         "CREATE VIEW w AS SELECT * FROM v; ALTER TABLE y RENAME TO z;"},
        {"IN () of nothing", "CREATE TABLE t(a, b, d, e AS (t.b NOT IN ()) STORED); ALTER TABLE t DROP COLUMN d;"
         "ALTER TABLE t RENAME b TO bb; SELECT sql FROM sqlite_master;"});
}

TEST(names)
{
    RUN({"what is wrong with an assignment is told in its turn", "CREATE TABLE t(a, b, c AS (a)); UPDATE t SET c = nosuch; UPDATE t SET c = 1; UPDATE t SET x = nosuch;"
         "UPDATE t SET x = 1, b = nosuch; UPDATE t SET b = nosuch WHERE foo; UPDATE t SET b = 1 WHERE foo;"},
        {"what is wrong with widths is told before names, or after them", "CREATE TABLE t(a, b, c AS (a)); UPDATE t SET (a, c) = (SELECT 1);"
         "UPDATE t SET (a, b) = (SELECT 1) WHERE nosuch; UPDATE t SET (a, b) = (SELECT 1, 2, 3) FROM t AS q;"
         "SELECT * FROM t WHERE (d, e) = 1; SELECT * FROM t WHERE (d, e) BETWEEN (1, 2) AND 3; SELECT (a, b) = (SELECT a, b, c FROM t) FROM t;"
         "SELECT (d, e) = (SELECT a, b FROM t) FROM t; SELECT (a, b) = (SELECT t.a, t.b FROM t) FROM t;"},
        {"of several mistakes in functions the last is told", "CREATE TABLE t(a); SELECT foo(nosuch); SELECT abs(a, nosuch) FROM t; SELECT abs(1, nosuch) FROM t;"
         "SELECT foo(bar(1)); SELECT foo(1) + bar(2); SELECT abs(1, 2) + nosuch; SELECT sum(sum(nosuch)); SELECT abs((SELECT nosuch), 2);"
         "SELECT abs((SELECT foo(2)), 1); SELECT foo(a), nosuch FROM t; SELECT foo(1, nosuch) FROM t WHERE nosuch2; SELECT foo(1) IN (nosuch);"
         "SELECT row_number(nosuch) OVER (); SELECT abs(nosuch) OVER (); SELECT likelihood(nosuch, 2); SELECT abs() + 1; SELECT foo(*);"
         "DELETE FROM t WHERE foo(nosuch); CREATE INDEX i ON t(foo(nosuch)); CREATE TABLE u(a CHECK(foo(nosuch)));"},
        {"the width of an IN is told last", "CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 2); SELECT 1 IN (SELECT 1, 2), nosuch; SELECT (1, 2) IN (SELECT 1) WHERE nosuch;"
         "SELECT 1 IN (SELECT 1, 2); SELECT (SELECT 1, 2) IN (1, 2); CREATE VIEW v AS SELECT 1 IN (SELECT 1, 2) FROM t; ALTER TABLE t RENAME a TO c;"
         "CREATE TRIGGER r INSERT ON t BEGIN SELECT 1 IN (SELECT 1, 2); END; ALTER TABLE t RENAME TO u; SELECT * FROM v; INSERT INTO u VALUES(1, 2);"
         "SELECT * FROM u WHERE EXISTS(SELECT 1 FROM u WHERE 1 IN (SELECT 2, 3)) AND nosuch; SELECT c FROM u UNION SELECT b FROM u ORDER BY foo(c);"
         "SELECT c FROM u UNION SELECT b + 1 FROM u ORDER BY abs(c), abs(b + 1); DELETE FROM u WHERE 1 IN (SELECT 2, 3); SELECT 1 IN u, (1, 2, 3) IN u; SELECT sql FROM sqlite_schema;"},
        {"rows of constants are told to be of one width before their table is known", "INSERT INTO nosuch VALUES(1), (TRUE, 3)",
         "all VALUES must have the same number of terms\n"},
        {"other rows are not", "INSERT INTO nosuch VALUES(1), (nosuch2, 3); WITH w AS (SELECT 1) INSERT INTO nosuch VALUES(1), (2, 3);"},
        {"an unused common table expression of another database's table", "ATTACH ':memory:' AS o; CREATE TABLE o.x(a); CREATE TABLE t(a);"
         "CREATE VIEW v AS WITH q AS (SELECT * FROM o.x) SELECT 1; CREATE VIEW v AS SELECT (WITH q AS (SELECT * FROM o.x) SELECT 1);"
         "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT (WITH q AS (SELECT * FROM o.x) SELECT 1); END; CREATE TEMP VIEW v AS WITH q AS (SELECT * FROM o.x) SELECT 1;"},
        {"collations of what a key is stored with", "CREATE TABLE t(a REAL PRIMARY KEY, b COLLATE NOCASE, c COLLATE RTRIM UNIQUE) WITHOUT ROWID; PRAGMA index_xinfo(t);"
         "PRAGMA index_xinfo(sqlite_autoindex_t_2);"});
}

TEST(returning)
{
    RUN({"subqueries see the rows that were changed so far", "CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 2), (4, 5), (7, 8);"
         "DELETE FROM t WHERE a < 5 RETURNING (SELECT count(*) FROM t), NOT EXISTS(SELECT 1 FROM t AS q GROUP BY q.b), a IN (SELECT a FROM t);"
         "INSERT INTO t VALUES(1, 2), (4, 5) RETURNING (SELECT count(*) FROM t), (SELECT group_concat(a) FROM t);"
         "UPDATE t SET a = a + 1 RETURNING a IN (SELECT a FROM t), (SELECT group_concat(a) FROM t),"
         "(SELECT group_concat(x.a) FROM (SELECT * FROM t ORDER BY a) AS x), (WITH w AS MATERIALIZED (SELECT sum(a) AS s FROM t) SELECT s FROM w);",
         "I:2|I:0|I:0|\nI:1|I:0|I:0|\nI:2|T:7,1|\nI:3|T:7,1,4|\nI:1|T:8,1,4|T:1,4,8|I:13|\nI:1|T:8,2,4|T:1,4,8|I:13|\nI:1|T:8,2,5|T:1,4,8|I:13|\n"});
}

TEST(subqueries)
{
    RUN({"EXISTS computes no columns and no order", "CREATE TABLE t(a, b, c); INSERT INTO t VALUES(1, 2, 3), (7, 8, 9);"
         "SELECT sum(NOT EXISTS(SELECT max(q.b) AS c0 FROM t ORDER BY 1)) FROM t AS q; UPDATE t SET a = EXISTS(SELECT max(t.b) UNION ALL SELECT 2);"
         "SELECT sum(NOT EXISTS(SELECT max(q.b) FROM t UNION ALL SELECT 2)) FROM t AS q;"
         "SELECT EXISTS(SELECT 1 WHERE 0 UNION ALL SELECT 2), EXISTS(SELECT 1 WHERE 0 UNION ALL SELECT 2 WHERE 0),"
         "EXISTS(SELECT 1 UNION ALL SELECT 2 WHERE 0), EXISTS(SELECT 1 UNION ALL SELECT 2 LIMIT 0), EXISTS(SELECT 1 UNION ALL SELECT 2 LIMIT 1 OFFSET 1),"
         "EXISTS(SELECT 1 UNION ALL SELECT 2 LIMIT 1 OFFSET 2), EXISTS(SELECT a FROM t WHERE a > 5 UNION ALL SELECT b FROM t WHERE b = 2 ORDER BY 1 LIMIT 5);"
         "SELECT b FROM t AS x WHERE EXISTS(SELECT 1 FROM t WHERE t.c = x.b + 1 UNION ALL SELECT 1 FROM t WHERE t.b = x.b + 1);"
         "SELECT b FROM t AS x WHERE NOT EXISTS(SELECT 1 FROM t WHERE t.c = x.b + 6 UNION ALL SELECT 1 FROM t WHERE t.b = x.b + 6);"},
        {"LIMIT sees no columns", "CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 2); SELECT (SELECT b FROM t LIMIT x.a) FROM t AS x;"
         "SELECT (SELECT b FROM t LIMIT 1 OFFSET x.a) FROM t AS x; SELECT (SELECT b FROM t LIMIT (SELECT x.a)) FROM t AS x;"
         "SELECT (SELECT sum(a) FROM t UNION ALL SELECT 2 LIMIT x.b) FROM t AS x; SELECT b FROM t LIMIT (SELECT max(a) FROM t);"
         "CREATE TABLE log(x); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log SELECT a FROM t LIMIT new.a; END;"
         "INSERT INTO t VALUES(2, 2); SELECT * FROM log;"},
        {"blobs of zeros among the rows that a recursion has had", "WITH RECURSIVE w(a, c) AS (SELECT 1, 1.5 UNION SELECT a + 1, zeroblob(1) FROM w WHERE a < 3)"
         " SELECT a, quote(c) FROM w;"});
}

TEST(values)
{
    RUN({"JSON stays JSON in an ordered aggregate", "CREATE TABLE t(a, b, c); INSERT INTO t VALUES(1, 2, 3), (1, 2, 3), (0, 'x', '[1]'), (5, NULL, '{}');"
         "SELECT json_group_array(json('1e2') ORDER BY a), json_group_array(json(c) ORDER BY json(c)),"
         "json_group_array(DISTINCT json(c) ORDER BY json(c)), json_group_array(DISTINCT json(c) ORDER BY a), json_group_array(json(c) ORDER BY a, b DESC),"
         "json_group_array(c ORDER BY c) FILTER (WHERE a > 0), json_group_object(a, json(c) ORDER BY b) FROM t;"
         "SELECT a, json_group_array(CASE WHEN a THEN json(c) ELSE c END ORDER BY CASE WHEN a THEN json(c) ELSE c END) FROM t GROUP BY a;",
         "T:[1e2,1e2,1e2,1e2]|T:[3,3,[1],{}]|T:[3,[1],{}]|T:[[1],3,{}]|T:[[1],3,3,{}]|T:[3,3,\"{}\"]|T:{\"5\":{},\"1\":3,\"1\":3,\"0\":[1]}|\nI:0|T:[\"[1]\"]|\nI:1|T:[3,3]|\nI:5|T:[{}]|\n"},
        {"JSON stays JSON in CAST AS TEXT", "SELECT json_array(CAST(json('[1]') AS TEXT), CAST(json('[1]') AS VARCHAR(3)), CAST(json('12') AS INT));"},
        {"a zero is JSON's null", "SELECT json(zeroblob(1)), json_array_length(zeroblob(1)), json_valid(zeroblob(1), 8), json_valid(zeroblob(0), 8),"
         "json_error_position(zeroblob(1)), zeroblob(1) -> '$'; SELECT json(zeroblob(2));",
         "T:null|I:0|I:1|I:0|I:0|T:null|\nmalformed JSON\n"},
        {"where JSON is wrong", "SELECT json_error_position('[1] x'), json_error_position(' 12 12'), json_error_position('{}{}'), json_error_position('  '),"
         "json_error_position('[1,2'), json_error_position('[[],1]x'), json_error_position('[1,]x'), json_error_position('{a:1,} x'),"
         "json_error_position('[1,{},2] 3'), json_error_position('[1,,2]'), json_error_position('2024-02-29');",
         "I:1|I:1|I:2|I:1|I:5|I:3|I:4|I:6|I:5|I:4|I:1|\n"},
        {"a column of reals holds no -0.0", "CREATE TABLE t(r REAL, x); INSERT INTO t VALUES(-0.0, -0.0); SELECT printf('%g', r), typeof(r), r, x FROM t;"
         "CREATE TABLE s(r REAL, a ANY) STRICT; INSERT INTO s VALUES(-0.0, -0.0) RETURNING *; UPDATE s SET r = 0.0 / -3; SELECT * FROM s;"
         "CREATE TABLE g(a, r REAL AS (a) STORED); INSERT INTO g(a) VALUES(-0.0); SELECT * FROM g;"},
        {"octets of UTF-16", "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t(a); INSERT INTO t VALUES('abc'), (12), (1.5), (x'616263'), ('\xf0\x9f\x98\x80');"
         "SELECT octet_length(a) FROM t;", "I:6|\nI:4|\nI:6|\nI:3|\nI:4|\n"},
        {"what printf makes too long is NULL", "SELECT printf('%*d', 2000000000, 1), length(printf('%*d', 999999, 1)), printf('%*d', 1000000000, 1) IS NULL;"});
}

TEST(windows)
{
    RUN({"of equal extremes a sliding frame gives the last", "CREATE TABLE t(i INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE, b);"
         "INSERT INTO t VALUES(1, 'b', 1), (2, 'B', 1.0), (3, 'a', NULL), (4, NULL, 0), (5, 'A', 5), (6, 'c', 5.0), (7, 'C', -1), (8, 'b', 5), (9, 'A', 'x'), (10, 'a', x'00');"
         "SELECT min(a) OVER w, max(a) OVER w, quote(min(b) OVER w), quote(max(b) OVER w) FROM t WINDOW w AS (ORDER BY i ROWS 3 PRECEDING);"
         "SELECT min(a) OVER w, max(a) OVER w, quote(min(b) OVER w), quote(max(b) OVER w) FROM t WINDOW w AS (ORDER BY i ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING);"
         "SELECT min(a) OVER w, max(a) OVER w, quote(min(b) OVER w), quote(max(b) OVER w) FROM t WINDOW w AS (PARTITION BY i % 3 ORDER BY i / 3 RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING);"
         "SELECT min(a) OVER w, max(a) OVER w FROM t WINDOW w AS (ORDER BY i / 2 GROUPS BETWEEN 2 FOLLOWING AND 3 FOLLOWING);"
         "SELECT min(a) OVER w, max(a) OVER w FROM t WINDOW w AS (ORDER BY i ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING);"
         "SELECT min(a) OVER w, max(a) OVER w FROM t WINDOW w AS (ORDER BY i ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW);"
         "SELECT min(a) OVER w, max(a) OVER w FROM t WINDOW w AS (ORDER BY i ROWS UNBOUNDED PRECEDING);"});
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
        {"ON of an outer join says nothing about the table to its left", "CREATE TABLE t(b); INSERT INTO t VALUES(0);"
         "CREATE TABLE u(b); INSERT INTO u VALUES(0); CREATE INDEX i ON u(b);"
         "SELECT q.b, r.b, s.b FROM t AS q LEFT JOIN t AS r ON q.b = 7 JOIN u AS s USING(b);"
         "SELECT q.b, r.b, s.b FROM t AS q LEFT JOIN t AS r ON q.b IN (7, 8), u AS s WHERE q.b = s.b;"
         "SELECT q.b, r.b, s.b FROM t AS q LEFT JOIN t AS r ON q.b = 7 LEFT JOIN u AS s ON q.b = s.b;"},
        {"nor does a row value of it", "CREATE TABLE t(a PRIMARY KEY, c); INSERT INTO t VALUES(1, 1), (2, 2), (3, 3);"
         "SELECT q.c, r.c FROM t AS q LEFT JOIN t AS r ON (5, q.a) IN (SELECT 5, 1);"
         "SELECT q.c, r.c FROM t AS q LEFT JOIN t AS r ON (q.c, q.a) IN (VALUES(1, 1));"},
        {"false by its text", "CREATE TABLE t(a, b); SELECT a FROM t GROUP BY a AND 0;"
         "SELECT a, b FROM t GROUP BY 0 AND b;"});
}

TEST(schema)
{
    RUN({"virtual columns in a circle", "CREATE TABLE x(a AS (a), b); CREATE TABLE x(a AS (c + d), b, c AS (b), d AS (a));"
         "CREATE TABLE x(a AS (c) STORED, b, c AS (a)); INSERT INTO x(b) VALUES(1); CREATE TABLE y(a AS (c), b, c AS (b));",
         "generated column loop on \"a\"\ngenerated column loop on \"d\"\ngenerated column loop on \"c\"\n"},
        {"a trigger of main on a table of temp", "CREATE TABLE t(a); CREATE TRIGGER main.r INSERT ON temp.t BEGIN SELECT 1; END;",
         "trigger r cannot reference objects in database temp\n"},
        {"what refers to a dropped table without a key", "PRAGMA foreign_keys = ON; CREATE TABLE t(a, b REFERENCES t(a) ON DELETE CASCADE);"
         "CREATE TABLE u(a REFERENCES t ON DELETE SET DEFAULT ON UPDATE SET NULL, b REFERENCES t(a) ON DELETE RESTRICT); DROP TABLE t; DROP TABLE u;"},
        {"a view that is referred to as a parent", "PRAGMA foreign_keys = ON; CREATE VIEW v AS SELECT 1 AS a; CREATE TABLE t(x REFERENCES v(a) ON DELETE CASCADE);"
         "CREATE TRIGGER r INSTEAD OF DELETE ON v BEGIN SELECT 1; END; CREATE TRIGGER s INSTEAD OF UPDATE ON v BEGIN SELECT 1; END;"
         "DELETE FROM v; UPDATE v SET a = 2; DROP TABLE t; CREATE TABLE t(x REFERENCES v(a)); DELETE FROM v;"},
        {"what is there already is told before what follows", "CREATE TABLE t(a); CREATE VIEW v AS SELECT 1; CREATE INDEX i ON t(a); CREATE TRIGGER r INSERT ON t BEGIN SELECT 1; END;"
         "CREATE TABLE t(b) x; CREATE TABLE t(a) STRICT, foo; CREATE TABLE t AS SELEC 1; CREATE TABLE t 5; CREATE TABLE IF NOT EXISTS t(; CREATE TABLE sqlite_x(a,;"
         "CREATE TABLE nosuch.t(a,; CREATE TEMP TABLE main.t(a,; CREATE TABLE i(a; CREATE TABLE v(a; CREATE TRIGGER r INSERT ON t BEGIN INSERT INTO main.t VALUES(1); END;"
         "CREATE TRIGGER q INSERT ON nosuch BEGIN SELEC; END; CREATE TRIGGER q INSTEAD OF INSERT ON t BEGIN SELEC; END;"
         "CREATE TRIGGER q BEFORE INSERT ON v BEGIN SELEC; END; CREATE TRIGGER q INSERT ON sqlite_schema BEGIN SELEC; END; CREATE TEMP TRIGGER main.q INSERT ON t BEGIN SELEC; END;"},
        {"columns that FTS5 cannot declare", "CREATE VIRTUAL TABLE y USING fts5(); CREATE VIRTUAL TABLE y USING fts5; CREATE VIRTUAL TABLE y USING fts5(a, A);"
         "CREATE VIRTUAL TABLE y USING fts5(Y); CREATE VIRTUAL TABLE y USING fts5(prefix='2');"},
        {"a collation that is not there", "CREATE TABLE t(a); SELECT a FROM t ORDER BY a COLLATE nosuch; SELECT max(a COLLATE nosuch) FROM t;"
         "UPDATE t SET a = 1 WHERE a COLLATE nosuch > 1;"},
        {"what an added column refers to", "CREATE TABLE t(a); ALTER TABLE t ADD COLUMN c AS (nosuch); ALTER TABLE t ADD COLUMN c CHECK (x.c);"},
        {"the primary key's columns behind those of a constraint ascend", "CREATE TABLE t(a TEXT PRIMARY KEY DESC, b UNIQUE) WITHOUT ROWID;"
         "INSERT INTO t VALUES('1e2', NULL), (x'', NULL), ('5', NULL); PRAGMA index_xinfo(sqlite_autoindex_t_2);"
         "CREATE TABLE u(a TEXT, k INT, b, PRIMARY KEY(a DESC, k)) WITHOUT ROWID; CREATE INDEX i ON u(b); PRAGMA index_xinfo(i);"
         "INSERT INTO u VALUES('1', 2, 3), ('2', 2, 3), ('2', 1, 3), ('4', 1, 3); SELECT * FROM u INDEXED BY i WHERE b = 3 AND a > '1' ORDER BY a DESC, k;"},
        {"a string below two collations is no column", "CREATE TABLE t(a, b); CREATE INDEX i ON t(a, ('b' COLLATE RTRIM) COLLATE NOCASE);"
         "INSERT INTO t VALUES(1, 2); PRAGMA index_xinfo(i);"},
        {"no table is nameless", "CREATE TABLE t(a); CREATE TEMP TRIGGER r AFTER INSERT ON main.t BEGIN SELECT 1; END;"
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
