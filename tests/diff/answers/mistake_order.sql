# Which of several mistakes is told: tables before names, what stands to the right of a function or IS NULL
SELECT c IS t1;
SELECT -t2 IS a;
SELECT j2b + b IS a;
SELECT max(x) IS t1;
SELECT x IS FALSE IS t1;
SELECT t1 -> t2 -> test1;
SELECT upper(TEXT) OR id;
SELECT instr(NULL, c) = t2;
SELECT max(n1) FILTER (WHERE z);
SELECT t1 NOTNULL <> INTEGER;
SELECT 5. ISNULL IS a IS i2;
SELECT quote(a) >= B  v4;
SELECT sum(t0 IS NOT ROWID);
SELECT INT IN (SELECT y FROM t1);
SELECT count(*), a(instr(a IN (SELECT a FROM t1), a <= a));
SELECT *, (SELECT a FROM t1 WHERE x'31');
WITH w AS (SELECT 1 x) SELECT (SELECT x FROM w), y, (SELECT * FROM t2);
WITH w AS (SELECT 1 x) SELECT (SELECT y FROM w), y, (SELECT * FROM t2);
WITH w AS (SELECT 1 x FROM w) SELECT (SELECT y FROM w), y;
WITH w AS (SELECT q FROM u) SELECT (SELECT y FROM w), y;
VALUES(x),(y);
VALUES(1),(y),(3,4);
SELECT * FROM (VALUES(1),(y),(3,4));
SELECT 1 UNION ALL VALUES(1,2);
VALUES(1,2) UNION ALL SELECT 1;
SELECT 1,2 UNION SELECT x;
SELECT x UNION SELECT 1,2;
SELECT 1,2 UNION SELECT x UNION SELECT 1,2;
WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT x,1 FROM c) SELECT * FROM c;
%%
CREATE TABLE t1(a);
SELECT x IN (SELECT t1 FROM t1);
SELECT max(x) OVER (PARTITION BY y ORDER BY z) FROM t1;
SELECT max(a) OVER (PARTITION BY y ORDER BY z) FROM t1;
SELECT nosuch(a) OVER (PARTITION BY y ORDER BY z) + 1 + b FROM t1;
SELECT upper((SELECT x FROM t1)), c FROM t1;
SELECT upper((SELECT x FROM t1)) || c FROM t1;
SELECT upper((SELECT x FROM t1)) || 1 || c FROM t1;
SELECT a FROM t1 UNION SELECT a FROM t1 ORDER BY upper(x);
SELECT a FROM t1 UNION SELECT a+1 FROM t1 ORDER BY upper(x), a;
SELECT a+1 FROM t1 UNION SELECT a FROM t1 ORDER BY a;
SELECT z FROM (SELECT b FROM t1), t2;
SELECT z FROM (SELECT b FROM t1) WHERE EXISTS (SELECT 1 FROM t2);
UPDATE t1 SET a=x, a=(SELECT * FROM t2);
INSERT INTO t1 VALUES(x),((SELECT * FROM t2));
INSERT INTO t1 SELECT x WHERE 1 IN t2;
SELECT x FROM t1 UNION SELECT * FROM t2;
SELECT a FROM t1 UNION SELECT y FROM t1 WHERE a IN t2;
SELECT a FROM t1 WHERE a IN t2 UNION SELECT y FROM t1;
INSERT INTO t1 VALUES(x),(y);
INSERT INTO t1 VALUES(1),(x),(y),(z);
INSERT INTO t1 VALUES(1),(y),(3,4);
INSERT INTO t1 VALUES(1),(2),(y),(3),(4,5);
INSERT INTO t1 VALUES(y),(2),(4,5);
INSERT INTO t1 VALUES(1),(max(1)),(4,5);
SELECT t1.*, b.*, c.* FROM t1;
SELECT b.*, (SELECT 1 FROM t9), c FROM t1;
CREATE INDEX ie0 ON t1(a IS c);
CREATE VIEW v AS SELECT b FROM t1;
SELECT z FROM v WHERE EXISTS (SELECT 1 FROM t2);
SELECT z FROM t2, v;
DROP VIEW v;
CREATE VIEW v AS SELECT b FROM t2;
SELECT z FROM t1, v;
%%
CREATE TABLE t(a,b);
CREATE TABLE u(a,b);
SELECT x.* FROM t AS x, t AS x LIMIT 1;
SELECT * FROM (t JOIN u USING(a)) AS z;
SELECT z.* FROM (t JOIN u) AS z;
SELECT  1, * FROM t, t;
SELECT nosuch.* FROM t;
SELECT t.* FROM (t JOIN u USING(a)) AS z;
%%
# Of a view what is wrong with it comes before the index that it cannot have
CREATE TABLE t1(a, b);
CREATE VIEW v1 AS SELECT a FROM t1;
CREATE VIEW v2 AS SELECT a FROM t1, t1 AS x;
CREATE VIEW v3 AS SELECT nosuch FROM v2 INDEXED BY i;
SELECT * FROM v1 INDEXED BY i;
SELECT * FROM v2 INDEXED BY i;
SELECT * FROM v3 INDEXED BY i;
SELECT nosuch FROM v1 INDEXED BY i;
DELETE FROM v1 INDEXED BY i;
CREATE TRIGGER r INSTEAD OF DELETE ON v1 BEGIN SELECT 1; END;
DELETE FROM v1 INDEXED BY i;
%%
# ORDER BY of a window function's arguments: as soon as it is read
CREATE TABLE t(a, b, c);
--= error: ORDER BY may not be used with non-aggregate ntile() because there is ORDER BY in functions in later releases
SELECT ntile(a, b ORDER BY 1) OVER () FROM t;
--= error: ORDER BY may not be used with non-aggregate sum() because there is ORDER BY in functions in later releases
SELECT sum(a ORDER BY b) OVER (PARTITION BY c) FROM nosuch;
SELECT sum(DISTINCT a) OVER () FROM nosuch;
# min() and max() are others with one argument and with several
SELECT min() OVER () FROM t;
SELECT max(*) OVER (ORDER BY a) FROM t;
SELECT min(a, b) FILTER (WHERE c) OVER () FROM t;
SELECT total() OVER () FROM t;
# a trigger's table
CREATE VIEW v AS SELECT * FROM t;
CREATE TRIGGER r INSTEAD OF INSERT ON main.t BEGIN SELECT 1; END;
CREATE TRIGGER r BEFORE INSERT ON main.v BEGIN SELECT 1; END;
CREATE TEMP TRIGGER r INSTEAD OF INSERT ON main.t BEGIN SELECT 1; END;
CREATE TEMP TRIGGER r AFTER INSERT ON main.v BEGIN SELECT 1; END;
# generated columns
--= error: row value misused because later releases try the new table
CREATE TABLE g1(a, b AS ((a, a)));
--= error: RAISE() may only be used within a trigger-program because later releases try the new table
CREATE TABLE g2(a, b AS (raise(ABORT, 'x')));
CREATE TABLE g3(a, b AS (a) AS (a));
CREATE TABLE g4(a, b AS (a + 1) STORED CHECK(b > 0));
# ALTER TABLE ... ADD: the table before the column, rows before the column's own mistakes
CREATE VIRTUAL TABLE f USING fts5(x);
ALTER TABLE f ADD COLUMN d, e;
ALTER TABLE f ADD;
ALTER TABLE v ADD COLUMN d DEFAULT (SELECT 1) x y;
ALTER TABLE nosuch ADD COLUMN;
ALTER TABLE sqlite_schema ADD COLUMN d UNIQUE UNIQUE (;
ALTER TABLE t ADD COLUMN;
CREATE TABLE s(a INT) STRICT;
ALTER TABLE s ADD COLUMN d NOT NULL;
INSERT INTO s VALUES(1);
ALTER TABLE s ADD COLUMN d NOT NULL;
ALTER TABLE s ADD COLUMN d AS (a) STORED;
ALTER TABLE s ADD COLUMN d DEFAULT CURRENT_TIME;
ALTER TABLE s ADD COLUMN d;
ALTER TABLE t ADD COLUMN d REFERENCES t(a, b);
%%
# functions in the bounds of BETWEEN do not keep "AND 0" from making all of it void
CREATE TABLE t(a, b, d);
SELECT (d BETWEEN coalesce(a) AND b AND 0) FROM t;
SELECT d BETWEEN nosuch() AND b AND 0 AND 'x' FROM t;
--= error: no such function: nosuch because what calls functions stays in later releases
SELECT 1 FROM t WHERE abs(d) BETWEEN nosuch() AND b AND 0;
SELECT 0 AND a NOT BETWEEN 1 AND abs();
%%
-- What is wrong with a frame is told before the names in its PARTITION BY that an operator is over.
CREATE TABLE t(a, b);
SELECT min(a) OVER (PARTITION BY x = 1 ORDER BY a, b RANGE BETWEEN 1 FOLLOWING AND 1 FOLLOWING) FROM t;
SELECT min(a) OVER (PARTITION BY x ORDER BY a, b RANGE BETWEEN 1 FOLLOWING AND 1 FOLLOWING) FROM t;
SELECT min(x) OVER (ORDER BY a, b RANGE BETWEEN 1 FOLLOWING AND 1 FOLLOWING) FROM t;
SELECT min(a) OVER (ORDER BY x + 1, b RANGE BETWEEN 1 FOLLOWING AND 1 FOLLOWING) FROM t;
SELECT min(a) OVER (ORDER BY x, y RANGE BETWEEN 1 FOLLOWING AND 1 FOLLOWING) FROM t;
SELECT rank() FILTER (WHERE x = 1) OVER (ORDER BY y + 1) FROM t;
SELECT rank() FILTER (WHERE x = 1) OVER (ORDER BY y) FROM t;
SELECT lag(a) FILTER (WHERE x) OVER (ORDER BY a) FROM t;
SELECT first_value(a) FILTER (WHERE a) OVER (PARTITION BY x || y) FROM t;
%%
-- What stands beside IS NULL of a literal is looked at, and neither means the number 0 in ORDER BY.
SELECT 3 IS NULL AND nosuch;
SELECT 1 WHERE 'q' NOTNULL OR nosuch;
SELECT 1 AS a GROUP BY 1 IS NULL;
SELECT 1 ORDER BY 1 IS NULL;
SELECT 1 ORDER BY 'q' IS NOT NULL DESC;
SELECT 1 UNION SELECT 2 ORDER BY 1 NOTNULL;
CREATE TABLE t5(a, b);
CREATE INDEX i9 ON t5(('q' IS NULL AND CASE WHEN t5.a THEN b END));
CREATE INDEX i9 ON t5(1 IS NULL, b);
CREATE INDEX i8 ON t5(b) WHERE 1 IS NULL;
SELECT a FROM t5 WHERE b = 4 AND 1 IS NULL;
SELECT a FROM t5 GROUP BY a HAVING 'a' IS NULL;
%%
# Of several unknown collations the last is told, of those that rows are sorted or grouped by.
CREATE TABLE t(a, b);
SELECT a, b FROM t ORDER BY 1 COLLATE xx, 2 COLLATE yy;
SELECT a, b FROM t ORDER BY a COLLATE xx, b COLLATE yy;
SELECT a COLLATE xx = 1, b COLLATE yy = 1 FROM t;
SELECT 1 FROM t GROUP BY a COLLATE xx, b COLLATE yy;
SELECT DISTINCT a COLLATE xx, b COLLATE yy FROM t;
SELECT a COLLATE xx, b FROM t UNION SELECT a, b COLLATE yy FROM t;

-- A table that is missing in the ORDER BY of a compound is told before the order that matches no column.
CREATE TABLE ordered(a, b);
SELECT a FROM ordered UNION SELECT b FROM ordered ORDER BY (SELECT 1 FROM nosuch);
SELECT a FROM ordered UNION SELECT b FROM ordered ORDER BY (SELECT (SELECT 1 FROM nosuch));
SELECT a FROM ordered UNION SELECT b FROM ordered ORDER BY (SELECT sum(1) OVER (ORDER BY (SELECT 1 FROM nosuch)));
SELECT a FROM ordered UNION SELECT b FROM ordered ORDER BY (SELECT sum(a) OVER w WINDOW w AS (PARTITION BY (SELECT 1 FROM nosuch)));
SELECT a FROM ordered UNION SELECT b FROM ordered ORDER BY (SELECT 1 FROM ordered);
SELECT a FROM ordered INTERSECT SELECT b FROM ordered ORDER BY 1, (SELECT 1 WHERE (SELECT 1 FROM nosuch));
SELECT a FROM ordered UNION SELECT b FROM ordered ORDER BY nocolumn, (SELECT 1 FROM nosuch);
DROP TABLE ordered;
