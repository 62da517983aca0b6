-- The columns of a query in FROM are called as they are spelled, also where that means a result of a query around.
CREATE TABLE t(a, b);
INSERT INTO t VALUES(1,2),(1,3);
SELECT count() a ORDER BY a IN (SELECT 5 FROM (SELECT "a") ORDER BY a);
SELECT 1 a WHERE ta IN (SELECT 5 FROM (SELECT "a") ORDER BY a);
SELECT 1 a ORDER BY ta IN (SELECT 5 FROM (SELECT "a") ORDER BY z);
SELECT b AS z FROM t WHERE 5 IN (SELECT 5 FROM (SELECT z) ORDER BY z);
SELECT b AS z FROM t WHERE 3 IN (SELECT z FROM (SELECT "z"));
SELECT b AS z FROM t WHERE 3 IN (SELECT b FROM (SELECT "z"));
SELECT b + 1 AS z FROM t WHERE 3 IN (SELECT z FROM (SELECT "z"));
SELECT b + 1 AS z FROM t WHERE 3 IN (SELECT z FROM (SELECT z COLLATE nocase));
SELECT b + 1 AS z FROM t WHERE 3 IN (SELECT z FROM (SELECT z UNION SELECT 1 AS y));
SELECT b AS z FROM t WHERE 3 IN (SELECT column1 FROM (VALUES (z)));
SELECT b AS z FROM t WHERE 3 IN (SELECT z FROM (VALUES (z)));
SELECT * FROM (SELECT "a", true, rowid, "zz", A COLLATE nocase, t.b FROM t);
SELECT * FROM (SELECT a, a, "a" FROM t);
