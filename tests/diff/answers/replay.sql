# Statements of SQLite's own tests that had other answers once
CREATE TABLE t1(x);
INSERT INTO t1 VALUES(1), (4);
CREATE TABLE t2(y INTEGER PRIMARY KEY, a, b);
INSERT INTO t2 VALUES(1, 2, 3), (5, 4, 9), (6, 2, NULL);
CREATE INDEX t2a ON t2(a);
CREATE INDEX t2b ON t2(b);
SELECT * FROM t1 LEFT JOIN t2 ON a=2 OR b=3 WHERE y IS NULL;
SELECT * FROM t1 LEFT JOIN t2 ON a=x OR b=3 WHERE y IS NOT 1 ORDER BY 1, 2;
SELECT * FROM t1 LEFT JOIN t2 ON a=x OR b=3 WHERE y=1 ORDER BY 1, 2;
SELECT * FROM t1 LEFT JOIN t2 ON (a=x OR b=7) AND y>2 WHERE b IS NULL ORDER BY 1, 2;
SELECT count(*) FROM t1 LEFT JOIN t2 ON (a=2 OR b=3) AND y IS NULL;
SELECT * FROM t2 RIGHT JOIN t1 ON a=x OR b=3 WHERE y IS NULL;
SELECT * FROM t2 AS l FULL JOIN t1 ON l.a=x OR l.b=3 WHERE l.y IS NOT 1 ORDER BY 1, 2, 4;
SELECT t1.x, l.y, r.y FROM t1 LEFT JOIN t2 AS l ON l.a=x OR l.b=9 LEFT JOIN t2 AS r ON r.a=l.y OR r.b=l.b WHERE r.y IS NULL ORDER BY 1, 2;
%%
CREATE TABLE t(a);
CREATE TABLE u(a);
INSERT INTO t VALUES(5), (4), (3), (2), (1);
INSERT INTO u VALUES(15), (14), (13), (12), (11);
SELECT * FROM (SELECT a FROM t UNION ALL SELECT a FROM u LIMIT 2);
SELECT * FROM (SELECT a FROM t UNION ALL SELECT a FROM u LIMIT 7) ORDER BY a;
SELECT a+1 FROM (SELECT a FROM t UNION ALL SELECT a FROM u LIMIT 7);
SELECT a+1 FROM (SELECT a FROM t UNION ALL SELECT a FROM u LIMIT 7) LIMIT 3;
SELECT count(*) FROM (SELECT a FROM t UNION ALL SELECT a FROM u LIMIT 7);
SELECT * FROM (SELECT a FROM t UNION ALL SELECT a FROM u LIMIT 3) UNION ALL SELECT 9;
SELECT * FROM (SELECT a FROM t UNION ALL SELECT a FROM u LIMIT 7 OFFSET 4);
CREATE VIEW v AS SELECT a FROM t UNION ALL SELECT a FROM u LIMIT 6;
SELECT * FROM v;
INSERT INTO t SELECT * FROM v;
SELECT count(*) FROM t;
--= I:4|I:4| because releases before 3.42 drew another number for the result than for its order
SELECT count(*), count(DISTINCT r) FROM (SELECT DISTINCT abs(random())%4 AS r FROM t, u AS x, u AS y ORDER BY r);
--= T:0,1,2| because releases before 3.42 drew another number for the result than for its order
SELECT group_concat(r) FROM (SELECT DISTINCT abs(random())%3 AS r FROM t, u AS x, u AS y ORDER BY r LIMIT 10);
%%
CREATE TABLE t1(a);
CREATE TABLE t2(b);
INSERT INTO t1 VALUES(1), (2), (3);
INSERT INTO t2 VALUES(4), (5), (6);
--= I:10| because releases before 3.42 took the sum for one of the inner query's
SELECT (SELECT min(y) + (SELECT x) FROM (SELECT sum(a) AS x, b AS y FROM t2)) FROM t1;
--= I:10| because releases before 3.42 called it a misuse of aggregate
SELECT (SELECT min(y) + (SELECT (SELECT x)) FROM (SELECT sum(a) AS x, b AS y FROM t2)) FROM t1;
--= I:6| because releases before 3.42 called it a misuse of aggregate
SELECT (SELECT (SELECT (SELECT x)) FROM (SELECT sum(a) AS x, b AS y FROM t2) GROUP BY y) FROM t1;
--= I:0| because releases before 3.42 called it a misuse of aggregate
WITH o(i, j) AS (VALUES(1234, 5678)) SELECT (SELECT (SELECT min(s) = (SELECT (SELECT 1234 FROM (SELECT s))) FROM (SELECT sum(o.i) + (SELECT sum(o.i)) AS s FROM (SELECT o.j)))) FROM o;
%%
CREATE TABLE g1(a INTEGER PRIMARY KEY, b int generated always as (a+5), e int        Always default(5), f always default 7, g text ALWAYS);
SELECT name, type FROM pragma_table_xinfo('g1');
%%
PRAGMA recursive_triggers=true;
CREATE TABLE t0(c0 UNIQUE, c1 UNIQUE);
CREATE TRIGGER tr0 AFTER DELETE ON t0 BEGIN DELETE FROM t0; END;
INSERT INTO t0 VALUES(1, NULL), (0, NULL);
BEGIN;
INSERT INTO t0 VALUES(7, 7);
UPDATE OR REPLACE t0 SET c1=1;
SELECT * FROM t0;
COMMIT;
PRAGMA integrity_check;
CREATE TABLE t2(a PRIMARY KEY, b UNIQUE, c UNIQUE) WITHOUT ROWID;
CREATE TRIGGER tr3 AFTER DELETE ON t2 BEGIN DELETE FROM t2; END;
INSERT INTO t2 VALUES(1, 1, 1), (2, 2, 2);
UPDATE OR REPLACE t2 SET c=0;
SELECT * FROM t2;
CREATE TABLE t1(a UNIQUE ON CONFLICT REPLACE, b);
INSERT INTO t1 VALUES(4, 12), (9, 13);
CREATE INDEX i0 ON t1(b);
CREATE TRIGGER tr1 DELETE ON t1 BEGIN UPDATE t1 SET b=a; END;
UPDATE t1 SET a=0;
SELECT * FROM t1;
PRAGMA integrity_check;
DROP TRIGGER tr1;
CREATE TABLE l(x);
CREATE TRIGGER tr1 DELETE ON t1 BEGIN INSERT INTO l VALUES(old.a); UPDATE t1 SET b=1 WHERE a=77; END;
UPDATE t1 SET a=0;
INSERT INTO t1 VALUES(0, 9);
SELECT * FROM t1;
SELECT * FROM l;
PRAGMA integrity_check;
%%
ATTACH ':memory:' AS other;
CREATE TABLE other.t1(a, b, c);
CREATE TABLE main.t1(a, b, c);
CREATE TEMP TRIGGER tr AFTER INSERT ON other.t1 BEGIN SELECT (new.a, new.b, new.c)=(1,2,3); END;
ALTER TABLE main.t1 RENAME TO t2;
SELECT name, tbl_name, sql FROM sqlite_temp_master;
ALTER TABLE main.t2 RENAME a TO aa;
SELECT name, tbl_name, sql FROM sqlite_temp_master;
ALTER TABLE other.t1 RENAME a TO aa;
SELECT name, tbl_name, sql FROM sqlite_temp_master;
ALTER TABLE other.t1 RENAME TO t2;
SELECT name, tbl_name, sql FROM sqlite_temp_master;
ALTER TABLE other.t2 RENAME TO t1;
PRAGMA legacy_alter_table=1;
ALTER TABLE main.t2 RENAME TO t1;
SELECT name, tbl_name, sql FROM sqlite_temp_master;
ALTER TABLE main.t1 RENAME TO t2;
SELECT name, tbl_name, sql FROM sqlite_temp_master;
ALTER TABLE other.t1 RENAME TO t2;
SELECT name, tbl_name, sql FROM sqlite_temp_master;
%%
CREATE TABLE t1(a INT, b TEXT, c TEXT, d REAL);
INSERT INTO t1 VALUES(1, 'xyz', 'def', 4.5);
UPDATE t1 SET b='q' FROM (SELECT CAST(a AS varchar) FROM t1 ORDER BY b) NATURAL LEFT FULL JOIN t1 AS text;
SELECT * FROM t1;
UPDATE t1 SET b='r' FROM (SELECT a FROM t1) AS s WHERE s.a=t1.a;
UPDATE t1 SET b='r' FROM (SELECT a FROM t1) AS s, t1 WHERE s.a=t1.a;
UPDATE t1 SET b='r' FROM t1;
UPDATE t1 AS x SET b='r' FROM t1 AS x;
UPDATE t1 SET b=nosuch FROM t1;
SELECT * FROM t1;
%%
CREATE TABLE d1(a);
INSERT INTO d1 VALUES(1);
ALTER TABLE d1 ADD COLUMN b INTEGER DEFAULT (-(-9223372036854775808));
ALTER TABLE d1 ADD COLUMN c DEFAULT (-(-9223372036854775808));
ALTER TABLE d1 ADD COLUMN d TEXT DEFAULT (-(-9223372036854775808));
ALTER TABLE d1 ADD COLUMN e DEFAULT (-(-(-9223372036854775808)));
SELECT typeof(b), b>9e18, typeof(c), c>9e18, typeof(d), substr(d, 1, 4), typeof(e), e<-9e18 FROM d1;
CREATE TABLE n1(a, b UNIQUE);
CREATE TRIGGER n1t AFTER INSERT ON n1 BEGIN INSERT INTO n1 VALUES(1, 2) ON CONFLICT(b DESC NULLS FIRST) DO UPDATE SET a=a+1; END;
CREATE TRIGGER n1t AFTER INSERT ON n1 BEGIN INSERT INTO n1 VALUES(1, 2) ON CONFLICT(b NULLS LAST) DO NOTHING; END;
INSERT INTO n1 VALUES(1, 2) ON CONFLICT(b NULLS LAST) DO NOTHING;
PRAGMA default_cache_size=-123;
PRAGMA cache_size;
PRAGMA default_cache_size;
%%
CREATE TABLE a(i INTEGER PRIMARY KEY, x, y AS (x||i) STORED, z INT DEFAULT 5, w AS (x+1));
INSERT INTO a(x, z) VALUES(1, 2), (3, 4);
CREATE TABLE b(i INTEGER PRIMARY KEY, x, y AS (x||i) STORED, z INT DEFAULT 5, ww AS (x+1));
INSERT INTO b SELECT * FROM a;
SELECT * FROM b;
INSERT INTO b SELECT * FROM a WHERE 1;
INSERT INTO b SELECT i, x, y, z, w FROM a;
CREATE TABLE d(i INTEGER PRIMARY KEY, x, y AS (x||i) STORED, z INT DEFAULT 5, w AS (x+2));
INSERT INTO d SELECT * FROM a;
CREATE TABLE e(i INTEGER PRIMARY KEY, x TEXT, y AS (x||i) STORED, z INT DEFAULT 5, w AS (x+1));
INSERT INTO e SELECT * FROM a;
CREATE TABLE f(x AS (typeof(y)), y);
CREATE TABLE g(c AS (TYPEOF(d)), d);
INSERT INTO g(d) VALUES(0), ('x');
INSERT INTO f SELECT * FROM g;
SELECT * FROM f;
INSERT INTO f SELECT * FROM f;
