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
