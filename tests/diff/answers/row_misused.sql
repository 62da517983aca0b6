# Rows where a value should be: found as code is made, so where it is made
CREATE TABLE t1(a,b CHECK(b IS NOT 5));
CREATE TABLE t2(b,c);
INSERT INTO t1 VALUES(1,2);
UPDATE t1 SET a=(1,2) IS TRUE;
UPDATE t1 SET a=(1,2) IS TRUE, a=3;
CREATE TABLE x(a CHECK((1,2) IS TRUE));
INSERT INTO x VALUES(1);
UPDATE t1 SET a=1 WHERE (1,2) IS TRUE;
SELECT (1,2) IS TRUE;
SELECT (1,2) IS TRUE, x;
SELECT rowid MATCH 'a' AND rowid=1 FROM t1;
SELECT 1 FROM t1 WHERE rowid MATCH 'a' AND rowid=1;
INSERT INTO t1 VALUES((1,2) IS TRUE, 1);
INSERT INTO t1 VALUES((1,2), 1);
INSERT INTO t1 VALUES((SELECT 1,2), 1);
INSERT INTO t1 VALUES((SELECT 1,2), 1), (x, 1);
INSERT INTO t1 SELECT (SELECT 1,2), 1;
INSERT INTO t1 SELECT (1,2), 1;
CREATE TABLE y AS SELECT (1,2);
CREATE TABLE y AS SELECT (SELECT 1,2) z;
CREATE VIEW vv AS SELECT (SELECT 1,2) z, 3 q;
--= I:3| because SQLite 3.40 computes columns that are not read
SELECT q FROM vv;
SELECT z FROM vv;
--= I:1| because SQLite 3.40 computes columns that are not read
SELECT count(*) FROM vv;
SELECT q FROM vv WHERE z;
UPDATE t1 SET a=(1,2);
UPDATE t1 SET a=(SELECT 1,2);
UPDATE t1 SET a=(SELECT 1,2), a=5;
DELETE FROM t1 RETURNING (1,2);
DELETE FROM t1 RETURNING (SELECT 1,2);
SELECT (1,2) FROM t1 GROUP BY a;
SELECT DISTINCT (1,2) FROM t1;
SELECT (1,2) AS z FROM t1 ORDER BY z;
SELECT (SELECT 1,2) AS z FROM t1 ORDER BY z;
SELECT (SELECT 1,2) AS z FROM t1 WHERE z;
SELECT max((1,2)) OVER () FROM t1;
SELECT (1,2), max(a) OVER () FROM t1;
SELECT (SELECT 1,2), max(a) OVER () FROM t1;
WITH RECURSIVE w(a) AS (SELECT (1,2) UNION ALL SELECT a+1 FROM w) SELECT * FROM w LIMIT 2;
WITH RECURSIVE w(a) AS (SELECT 1 UNION ALL SELECT (SELECT 1,2) FROM w) SELECT * FROM w LIMIT 2;
SELECT (1,2) UNION SELECT 1;
SELECT 1 UNION SELECT (1,2) ORDER BY 1;
SELECT 1 IN (SELECT (1,2));
SELECT 1 IN (SELECT (1,2) FROM t1);
SELECT EXISTS (SELECT (1,2));
SELECT EXISTS (SELECT DISTINCT (1,2) FROM t1);
SELECT EXISTS (SELECT (1,2) UNION SELECT 2);
SELECT EXISTS (SELECT (1,2) UNION ALL SELECT 2);
VALUES((1,2)),(1);
VALUES(1),((1,2));
SELECT * FROM (VALUES(1),((1,2)));
SELECT count(*) FROM (VALUES(1),((1,2)));
SELECT count(*) FROM (SELECT (1,2) FROM t1 ORDER BY 1);
SELECT count(*) FROM (SELECT DISTINCT (1,2) FROM t1);
CREATE TRIGGER tr AFTER INSERT ON t1 BEGIN SELECT (1,2); END;
INSERT INTO t1 VALUES(8,8);
DROP TRIGGER tr;
CREATE TRIGGER tr AFTER INSERT ON t1 BEGIN SELECT (SELECT 1,2) WHERE 0; END;
INSERT INTO t1 VALUES(8,8);
--= I:5| because SQLite 3.40 computes columns that are not read
SELECT a FROM (SELECT a, (1,2) b FROM t1 LIMIT 3) WHERE a>0;
SELECT a FROM (SELECT a, (1,2) b FROM t1) WHERE a>0;
--= I:5| I:1| because SQLite 3.40 computes columns that are not read
SELECT a FROM (SELECT a, (1,2) b FROM t1 UNION ALL SELECT 1,2) WHERE a>0;
SELECT a FROM t1 LEFT JOIN (SELECT b, (1,2) z FROM t2) ON 1;
SELECT a, z FROM t1 LEFT JOIN (SELECT b, (1,2) z FROM t2) ON 1;
SELECT a, z FROM t1 LEFT JOIN (SELECT b, (SELECT 1,2) z FROM t2) ON 1;
SELECT group_concat(a) FILTER (WHERE (1,2)) FROM t1;
SELECT CASE WHEN 0 THEN (1,2) ELSE 3 END;
SELECT iif(1,2,(SELECT 1,2));
SELECT coalesce(1,(SELECT 1,2));
SELECT 1 OR (1,2);
SELECT 0 AND (SELECT 1,2);
%%
CREATE TABLE t1(a,b);
INSERT INTO t1 VALUES(1,2);
SELECT (1,2) IN (1,2), x;
SELECT 1 IN (1,(1,2)), x;
SELECT 1 IN (1,(1,2));
SELECT (1,2) IN (1,(1,2));
SELECT (1,2) IN ();
SELECT (SELECT 1,2) IN (1,2);
SELECT (SELECT 1,2) IN ();
SELECT 1 IN ((SELECT 1,2),3);
SELECT 1 FROM t1 WHERE a IN ((SELECT 1,2),3);
SELECT 1 FROM t1 WHERE (a,b) IN ((1,2),(3,4));
SELECT EXISTS (SELECT (1,2) IN (1,2));
SELECT count(*) FROM (SELECT (1,2) IN (1,2));
UPDATE t1 SET a=(1,2) IN (3,4), a=5;
UPDATE t1 SET a=(1,2) IN (3,4);
SELECT 1 FROM t1 WHERE (a,b) IN (a,b);
SELECT 1 FROM t1 WHERE a IN ((a,b));
SELECT 1 FROM t1 WHERE (a,b) IN ((a,b));
SELECT (a,b) IS NULL FROM t1;
SELECT (a,b) IS NOT TRUE FROM t1;
SELECT 1 FROM t1 WHERE (a,b) IS NOT TRUE;
SELECT 1 FROM t1 WHERE (SELECT a,b) IS NOT TRUE;
--= I:1| because SQLite 3.40 computes columns that are not read
SELECT count(*) FROM (SELECT (SELECT 1,2) IS TRUE);
CREATE INDEX i1 ON t1((a,b) IS TRUE);
CREATE INDEX i2 ON t1((a,b) IN (1,2));
CREATE TABLE g(a, b AS ((a,1) IN (1,2)));
CREATE TABLE g3(a, CHECK((a,1) IN (1,2)));
INSERT INTO g3 VALUES(1);
CREATE INDEX i3 ON t1(a) WHERE (a,b) IS TRUE;
CREATE INDEX i4 ON t1(a) WHERE (a,b) IN (1,2);
SELECT (1,2) IN (SELECT 1) , x;
SELECT max((1,2) IN (3)) FROM t1;
SELECT 1 FROM t1 GROUP BY (a,b) IN (3);
SELECT 1 FROM t1 ORDER BY (a,b) IN (3);
SELECT 1 FROM t1 ORDER BY (a,b) IS TRUE;
SELECT 1 FROM t1 WHERE 0 AND (a,b) IS TRUE;
SELECT 1 FROM t1 WHERE a=1 OR (a,b) IN (3);
SELECT CASE WHEN (1,2) IN (3) THEN 1 END;
SELECT 1 FROM t1 HAVING (a,b) IN (3);
SELECT -(1,2) IN (3);
SELECT 1 FROM t1 JOIN t1 u ON (u.a,u.b) IN (3,4);
SELECT 1 FROM t1 LEFT JOIN t1 u ON (u.a,u.b) IS TRUE;
SELECT (1,2) IN (1) AND sum(1) FROM t1 WHERE sum(a);
%%
-- Columns that are computed when they are read are read when they are made.
CREATE TABLE g(a, b AS ((a,1) IN (1,2)));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g1(a, b AS (((a,1) IS TRUE)+0));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g2(a, b AS (abs((a,1))));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g3(a, b AS (1+(a,1)));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g4(a, b AS ((a,1) IS NULL));
CREATE TABLE g5(a, b AS ((a,1) = (1,2)));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g6(a, b AS (1 IN (2,(a,1))));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g7(a, b AS (CASE WHEN 1 THEN (a,1) END));
CREATE TABLE g8(a, b AS ((a,1) IS TRUE) STORED);
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g9(a, b AS ((a,1)));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g10(a, b AS (-(a,1)));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g11(a, b AS ((a,1) IS NOT TRUE));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g12(a, b AS ((a,1) IS NOT TRUE AND 1));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g13(a, b AS ((a,1) COLLATE nocase));
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g14(a, b AS (likely((a,1))));
%%
--= error: RAISE() may only be used within a trigger-program because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g1(a, b AS (raise(ignore)));
CREATE TABLE g2(a, b AS (raise(ignore)) STORED);
CREATE TABLE g3(a, b AS (1+raise(ignore)) STORED);
CREATE TABLE g4(a, b AS ((a,1)) STORED);
CREATE TABLE g5(a, b AS ((a,1)+1) STORED);
INSERT INTO g5(a) VALUES(1);
--= error: generated column loop on "c" because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g6(a, b AS (c), c AS (b));
CREATE TABLE g7(a, b AS (c) STORED, c AS (b) STORED);
--= T:g2| T:g3| T:g4| T:g5| T:g7| because SQLite 3.40 does not say what is wrong when it reads them
SELECT name FROM sqlite_schema;
CREATE TABLE g8(a AS (c), c AS (a+1) STORED);
ALTER TABLE g5 ADD COLUMN q AS ((1,2)+1);
CREATE TABLE h(a);
ALTER TABLE h ADD COLUMN q AS ((1,2)+1);
ALTER TABLE h ADD COLUMN r AS ((1,2));
SELECT * FROM h;
CREATE TABLE g11(a, c AS (a+(1,2)), a);
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE g12(a PRIMARY KEY, c AS (a+(1,2))) WITHOUT ROWID;
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TEMP TABLE g13(a PRIMARY KEY, c AS (a+(1,2)));
--=  because SQLite 3.40 does not say what is wrong when it reads them
SELECT name FROM sqlite_temp_schema;
%%
-- What is made before, in the same transaction, stays.
BEGIN;
CREATE TABLE a(x);
--= error: row value misused because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE b(x, y AS ((1,2)));
CREATE TABLE c(x, y AS (x+1));
INSERT INTO c(x) VALUES(5);
COMMIT;
--= T:a| T:c| because SQLite 3.40 does not say what is wrong when it reads them
SELECT name FROM sqlite_schema;
SELECT * FROM c;
PRAGMA integrity_check;
--=  because SQLite 3.40 does not say what is wrong when it reads them
CREATE TABLE b(x);
CREATE TABLE d(x, y AS (nosuch(1)));
CREATE TABLE e(x, y AS (sum(x)));
CREATE TABLE e2(x, y AS (sum(x) OVER ()));
CREATE TABLE e3(x, y AS (x COLLATE nosuch));
CREATE TABLE "we ird'q"(x, y AS (x+1));
SELECT changes(), total_changes();
