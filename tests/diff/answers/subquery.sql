# Subqueries in FROM: their order under window functions, the types of their columns, columns that nobody reads; rows of VALUES.
CREATE TABLE t1(a);
INSERT INTO t1 VALUES (5), (2), (9), (1);
SELECT *, row_number() OVER () FROM (SELECT a FROM t1 ORDER BY a);
SELECT *, row_number() OVER (), count(*) OVER (PARTITION BY 1) FROM (SELECT a FROM t1 ORDER BY a);
SELECT *, count(*) OVER (PARTITION BY 1) FROM (SELECT a FROM t1 ORDER BY a);
SELECT *, row_number() OVER (ORDER BY 1) FROM (SELECT a FROM t1 ORDER BY a DESC);
SELECT *, sum(a) OVER (PARTITION BY a % 2 ROWS UNBOUNDED PRECEDING) FROM (SELECT a FROM t1 ORDER BY a DESC);
SELECT *, rank() OVER (ORDER BY a > 2) FROM (SELECT a FROM t1 ORDER BY -a) WHERE a < 9;
EXPLAIN QUERY PLAN SELECT *, row_number() OVER (PARTITION BY 1) FROM (SELECT a FROM t1 ORDER BY a);
# A CTE's name below a dotted schema.
WITH RECURSIVE w(id, m) AS (VALUES(0, 0) UNION SELECT t1.a, 1 FROM t1, w WHERE t1.w.id ORDER BY 2) SELECT * FROM w;
WITH w(id) AS (VALUES(0)) SELECT main.w.id FROM w;
SELECT main.w.id FROM (SELECT 1 AS id) AS w;
# Rows of VALUES are computed on their own.
VALUES (max(1)), (2);
VALUES (1), (2 + avg('a'));
SELECT * FROM (VALUES (1, 2), (max('a'), 'b'));
SELECT 5 UNION ALL VALUES (max(1)), (2);
VALUES (1), (max(2)) UNION ALL SELECT 3;
VALUES (max(1));
SELECT 1 IN (VALUES (max(1)), (2));
INSERT INTO t1 VALUES (max(1)), (2);
INSERT INTO t1 VALUES (max(1));
VALUES (1), (count(*) OVER ());
%%
# The column of a compound has the affinity of the first term that has one: REAL makes its numbers real.
CREATE TABLE n(a NUMERIC, b INT, c REAL);
INSERT INTO n VALUES (1, 2, 3);
--= R:1| R:3| because up to 3.41 the first term alone counts
SELECT x FROM (SELECT 1 AS x UNION ALL SELECT c FROM n);
--= R:3|R:1|T:1.0,3.0| because up to 3.41 the first term alone counts
SELECT max(x), min(x), group_concat(x) FROM (SELECT 1 AS x UNION ALL SELECT c FROM n);
SELECT x FROM (SELECT c AS x FROM n UNION ALL SELECT 4) ORDER BY x;
SELECT a.x, b.x FROM (SELECT c AS x FROM n UNION ALL SELECT 4) AS a, (SELECT c AS x FROM n UNION ALL SELECT 4) AS b;
SELECT x, count(*) FROM (SELECT c AS x FROM n UNION ALL SELECT 4) GROUP BY x ORDER BY 2, 1;
--= R:3| I:4| T:a| because up to 3.41 the first term alone counts
SELECT * FROM (SELECT c AS x FROM n UNION ALL SELECT 4 UNION ALL SELECT 'a');
SELECT sum(a), avg(a), total(a) FROM (SELECT c AS a FROM n UNION ALL SELECT b FROM n);
SELECT a FROM (SELECT c AS a FROM n UNION ALL SELECT b FROM n);
%%
# Columns that nobody reads are not computed.
--= I:2| because up to 3.42 each column was computed
SELECT y FROM (SELECT abs(-9223372036854775808) AS x, 2 AS y LIMIT 1);
--= I:1| because up to 3.42 each column was computed
SELECT count(*) FROM (SELECT abs(-9223372036854775808));
SELECT z FROM (SELECT abs(-9223372036854775808) AS x, 2 AS z ORDER BY x);
SELECT count(*) FROM (SELECT DISTINCT abs(-9223372036854775808));
SELECT count(*) FROM (SELECT abs(-9223372036854775808) UNION SELECT 1);
SELECT count(*) FROM (VALUES (abs(-9223372036854775808)), (3));
%%
# A field of a row's IN asks an index only where the index compares as the field does.
CREATE TABLE d1(a TEXT, b INTEGER, c NUMERIC);
CREATE TABLE d2(x BLOB, y NUMERIC);
INSERT INTO d1 VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4);
INSERT INTO d2 VALUES (1, 1), (2, '2'), ('3', 3), ('4', '4');
SELECT rowid FROM d1 WHERE (+c, a) IN (SELECT x, y FROM d2);
CREATE INDEX i1 ON d1(a);
--= I:1| I:2| because older releases ask the index of the text for numbers
SELECT rowid FROM d1 WHERE (+c, a) IN (SELECT x, y FROM d2);
SELECT rowid FROM d1 WHERE (a, c) IN (SELECT y, x FROM d2);
DROP INDEX i1;
CREATE INDEX i1 ON d1(a, c);
--= I:1| I:2| because older releases ask the index of the text for numbers
SELECT rowid FROM d1 WHERE (+c, a) IN (SELECT x, y FROM d2);
SELECT rowid FROM d1 WHERE (c, a) IN (SELECT y, x FROM d2);
%%
# The columns of subqueries and CTEs are called as they are spelled; those of views and new tables as the columns that they come from.
CREATE TABLE t11(a, b INTEGER PRIMARY KEY);
INSERT INTO t11 VALUES ('x', 5);
SELECT * FROM (SELECT A, t11.B, rowid, _ROWID_, t11.oid FROM t11);
SELECT rowid, oid FROM (SELECT rowid, oid FROM t11);
SELECT b FROM (SELECT rowid FROM t11);
WITH w AS (SELECT A, oid FROM t11) SELECT * FROM w;
WITH RECURSIVE w AS (SELECT B FROM t11 UNION ALL SELECT B + 1 FROM w LIMIT 3) SELECT * FROM w;
SELECT * FROM (SELECT A COLLATE nocase, (B), +A FROM t11);
SELECT * FROM (SELECT [A], "B" FROM t11 GROUP BY A);
SELECT * FROM (SELECT rowid, _rowid_ FROM t11) NATURAL JOIN (SELECT rowid, _rowid_, b FROM t11);
SELECT * FROM (SELECT A FROM t11 LIMIT 1) JOIN t11 USING (a);
CREATE VIEW v AS SELECT A, rowid, oid FROM t11;
SELECT * FROM v;
CREATE VIEW v2 AS SELECT * FROM (SELECT A, oid FROM t11);
SELECT * FROM v2;
CREATE TABLE x AS SELECT A, oid, _rowid_ FROM t11;
SELECT * FROM x;
CREATE TABLE y AS SELECT * FROM (SELECT A, oid, _rowid_ FROM t11);
SELECT * FROM y;
SELECT * FROM (SELECT TRUE, likely(b), unlikely(A), likelihood(b, 0.5), false, 0.5 IS TRUE FROM t11);
SELECT * FROM (SELECT 1 AS true, 2 AS [False]);
WITH w(true, x) AS (SELECT 1, 2) SELECT * FROM w;
CREATE VIEW v3 AS SELECT TRUE, likely(B), A AS false, likelihood(a, 0.5) FROM t11;
SELECT * FROM v3;
CREATE VIEW v4(true) AS SELECT 1;
SELECT * FROM v4;
CREATE TABLE z AS SELECT TRUE, likely(B), A AS false FROM t11;
SELECT * FROM z;
SELECT * FROM (SELECT "my table");
SELECT 1 IN (SELECT * FROM t11), (SELECT 1) IN (SELECT a AS x FROM t11 UNION SELECT b AS y FROM t11 ORDER BY y);
%%
# ORDER BY of a subquery counts for aggregates that depend on it, those too that a subquery of the result names; not for count, min and max
CREATE TABLE t1(a,b);
CREATE TABLE t2(a,b);
SELECT count(s.c), quote(s.c) FROM t1 JOIN (SELECT TRUE AS c FROM t2 ORDER BY 1) AS s;
SELECT count(), quote(s.c) FROM t1 JOIN (SELECT TRUE AS c FROM t2 ORDER BY 1) AS s;
SELECT max(s.c), min(s.c), quote(s.c) FROM t1 JOIN (SELECT TRUE AS c FROM t2 ORDER BY 1) AS s;
SELECT sum(s.c), quote(s.c) FROM t1 JOIN (SELECT TRUE AS c FROM t2 ORDER BY 1) AS s;
SELECT count(*), quote(s.c) FROM t1 JOIN (SELECT TRUE AS c FROM t2 ORDER BY 1) AS s HAVING sum(s.c) IS NULL;
SELECT (SELECT sum(s.c)), quote(s.c) FROM t1 JOIN (SELECT TRUE AS c FROM t2 ORDER BY 1) AS s;
SELECT (SELECT count(s.c)), quote(s.c) FROM t1 JOIN (SELECT TRUE AS c FROM t2 ORDER BY 1) AS s;
SELECT EXISTS (SELECT group_concat(s.c) FROM t1), quote(s.c) FROM t1 JOIN (SELECT TRUE AS c FROM t2 ORDER BY 1) AS s;
