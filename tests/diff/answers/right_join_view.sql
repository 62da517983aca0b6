# A view on the left of a RIGHT or FULL JOIN is merged into it when it is of one table.
CREATE TABLE t(a, b);
CREATE TABLE u(a, b);
INSERT INTO t VALUES (1, 2), (2, 4), (3, NULL), (NULL, 5);
INSERT INTO u VALUES (1, 10), (2, 20), (4, 40), (NULL, 50);
CREATE VIEW v AS SELECT a, b FROM t WHERE b > 3;
CREATE VIEW e AS SELECT a, coalesce(b, 7) AS b, 5 AS c FROM t;
EXPLAIN QUERY PLAN SELECT x.b, u.b FROM v AS x RIGHT JOIN u ON u.a = x.a;
EXPLAIN QUERY PLAN SELECT min(x.b) FROM v AS x RIGHT JOIN u ON u.a = x.a;
EXPLAIN QUERY PLAN SELECT x.c, u.b FROM e AS x FULL JOIN u ON u.a = x.a;
EXPLAIN QUERY PLAN SELECT DISTINCT x.b FROM v AS x RIGHT JOIN u ON u.a = x.a;
EXPLAIN QUERY PLAN SELECT u.b FROM u RIGHT JOIN v AS x ON u.a = x.a;
SELECT x.a, x.b, u.b FROM v AS x RIGHT JOIN u ON u.a = x.a ORDER BY u.b;
SELECT x.a, x.b, x.c, u.b FROM e AS x FULL JOIN u ON u.a = x.a ORDER BY x.a, u.b;
SELECT u.b FROM e AS x RIGHT JOIN u ON u.a = x.a WHERE x.c IS NULL ORDER BY 1;
SELECT count(*), count(x.b), sum(u.b) FROM v AS x RIGHT JOIN u ON u.a = x.a;
SELECT x.b, count(*) FROM v AS x FULL JOIN u ON u.a = x.a GROUP BY 1 ORDER BY 1;
SELECT x.b, y.c, u.b FROM v AS x LEFT JOIN e AS y ON y.b = x.b FULL JOIN u ON u.a = y.a ORDER BY 1, 2, 3;
%%
# What the ON of a join within a RIGHT JOIN makes equal is not equal in the rows that the RIGHT JOIN adds
CREATE TABLE empty(w INT);
CREATE TABLE one(x INT);
CREATE TABLE nil(y INT UNIQUE);
CREATE VIEW v(z) AS SELECT CAST(x AS INT) FROM one LEFT JOIN nil ON true;
CREATE VIEW plain(z) AS SELECT x FROM one LEFT JOIN nil;
INSERT INTO one VALUES(123);
INSERT INTO nil VALUES(NULL);
--= N|N|I:123|N| because SQLite 3.40 loses the row
SELECT * FROM empty JOIN v ON w = z RIGHT JOIN one ON true JOIN nil ON y IS z;
--= N|N|I:123|N| because SQLite 3.40 loses the row
SELECT * FROM empty JOIN plain ON w = z RIGHT JOIN one ON true JOIN nil ON y IS z;
SELECT * FROM empty JOIN v RIGHT JOIN one ON true JOIN nil ON y IS z;
SELECT * FROM v RIGHT JOIN one ON z = 3 JOIN nil ON y IS z;
SELECT * FROM empty JOIN v ON w = z RIGHT JOIN one ON true JOIN nil ON y = z;
