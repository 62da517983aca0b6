// SQL that the fuzzers of text start from.
#pragma once

static const char *const SQL_SEEDS[] = {
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT 'x' COLLATE NOCASE, c REAL CHECK(c > 0), UNIQUE(b, c));"
    "INSERT INTO t VALUES(1, 'one', 1.5), (2, 'two', 2e3); SELECT * FROM t WHERE a IN (1, 2) AND b LIKE 'o%' ORDER BY c DESC",
    "CREATE TABLE w(k TEXT, v, PRIMARY KEY(k, v)) WITHOUT ROWID, STRICT; CREATE INDEX i ON w(v) WHERE v IS NOT NULL;",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i, sum(i) OVER (ORDER BY i "
    "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM n GROUP BY i % 3 HAVING count(*) > 1 LIMIT 5 OFFSET 2",
    "CREATE TABLE p(x PRIMARY KEY); CREATE TABLE q(y REFERENCES p(x) ON DELETE CASCADE); PRAGMA foreign_keys=1; "
    "INSERT INTO p VALUES(1); INSERT INTO q VALUES(1) RETURNING y + 1; DELETE FROM p;",
    "CREATE TABLE t(a, b AS (a * 2) STORED); CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = new.a + 1 WHERE "
    "rowid = new.rowid; SELECT RAISE(IGNORE); END; INSERT INTO t(a) SELECT value FROM json_each('[1,2,3]')",
    "CREATE VIEW v AS SELECT 1 AS x UNION SELECT 2 EXCEPT SELECT 3 INTERSECT VALUES(1); SELECT x FROM v NATURAL LEFT JOIN "
    "(SELECT 2 AS x) USING(x) WHERE EXISTS(SELECT 1) ORDER BY x NULLS LAST",
    "CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES(1) ON CONFLICT(a) DO UPDATE SET a = excluded.a + 1 WHERE a < 3; "
    "INSERT OR REPLACE INTO t DEFAULT VALUES; UPDATE OR IGNORE t SET (a) = (SELECT 5) FROM (SELECT 1) RETURNING *",
    "BEGIN IMMEDIATE; SAVEPOINT s; CREATE TABLE t(a); ROLLBACK TO s; RELEASE s; COMMIT; BEGIN CONCURRENT; ROLLBACK",
    "ALTER TABLE t RENAME TO u; ALTER TABLE u ADD COLUMN c DEFAULT 1; ALTER TABLE u RENAME COLUMN a TO b; ALTER TABLE u DROP c",
    "SELECT CASE 1 WHEN 2 THEN 3 ELSE 4 END, CAST('12ab' AS INTEGER), x'00ff', 1e308 * 10, -9223372036854775808, 'it''s', "
    "\"q\", [b], `c`, ?1, :a, @b, $c::d(e), NOT 1 BETWEEN 0 AND 2, 1 IS NOT DISTINCT FROM 2, a -> '$.b' ->> 1, ~1 << 2 || 3",
    "EXPLAIN QUERY PLAN SELECT * FROM sqlite_schema s JOIN pragma_table_info(s.name) p INDEXED BY i; EXPLAIN SELECT 1",
    "PRAGMA table_xinfo(t); PRAGMA user_version = 5; PRAGMA integrity_check; ANALYZE; REINDEX; VACUUM; ATTACH ':memory:' AS a; DETACH a",
    "SELECT printf('%10.3f %s %q %lld', 1.5, 'a', 'b', 3), group_concat(a, ',' ORDER BY a DESC) FILTER (WHERE a > 1) FROM (VALUES(1), (2)) t(a)",
    "SELECT (1, 2) < (3, 4), (SELECT max(1, 2)), count(DISTINCT 1), lag(1) OVER w FROM (SELECT 1) WINDOW w AS (PARTITION BY 1) -- end\n/* c */",
    "SELECT strftime('%Y-%m-%d %H:%M:%f', '2024-02-29 12:00', '+1 month', 'start of year'), julianday('now', 'utc'), date(1e10, 'unixepoch')",
    "CREATE VIRTUAL TABLE f USING fts5(a, b UNINDEXED, prefix='2', tokenize='porter unicode61 remove_diacritics 2'); INSERT INTO f "
    "VALUES('one two', 'x'), ('three', 'y'); UPDATE f SET a = 'two' WHERE rowid = 1; SELECT highlight(f, 0, '<', '>'), rank FROM f "
    "WHERE f MATCH 'tw* OR NEAR(one two, 3) AND a:^two' ORDER BY rank; INSERT INTO f(f, rank) VALUES('merge', 16); DELETE FROM f",
    "CREATE VIRTUAL TABLE f USING fts5(a, content='', contentless_delete=1, detail=column); CREATE VIRTUAL TABLE v USING fts5vocab(f, 'col');"
    "SAVEPOINT s; INSERT INTO f(rowid, a) VALUES(5, 'x y'); ROLLBACK TO s; INSERT INTO f(f) VALUES('optimize'); SELECT * FROM v WHERE term > 'a'",
    "CREATE VIRTUAL TABLE temp.s USING dbstat(main); SELECT name, pgsize FROM s WHERE aggregate = TRUE; SELECT * FROM pragma_compile_options",
};
