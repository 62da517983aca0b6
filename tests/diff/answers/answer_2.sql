# Where newer releases answer otherwise than 3.40
CREATE TABLE t(a,b,c);
CREATE INDEX i1 ON t(a,b) WHERE c=1;
CREATE INDEX i2 ON t(b) WHERE c=2;
ANALYZE;
INSERT INTO t VALUES(1,2,2),(2,2,2),(3,3,3);
ANALYZE;
EXPLAIN QUERY PLAN SELECT * FROM t WHERE b=2 AND c=2;
--= error: ORDER BY may not be used with non-aggregate sum() because 3.40 has no ORDER BY in aggregates
SELECT sum(a ORDER BY b) OVER () FROM t;
--= error: malformed JSON because 3.40 has no JSON5
SELECT json_extract('[0x10000000000000000]','$[0]');
CREATE TABLE g(a, b AS (a.x));
CREATE TABLE g(a, b AS (g.a));
CREATE INDEX i3 ON t(t.nosuch+1);
CREATE INDEX i3 ON t(t.a+1);
INSERT INTO t SELECT * FROM t ON CONFLICT DO NOTHING;
SELECT * FROM t ON 1 2;
SELECT * FROM t ON 1 WHERE 2;
SELECT 1 FROM (SELECT 1) ON 1;
SELECT * FROM t USING(a) x;
%%
CREATE TABLE t(a, b);
CREATE INDEX t1 ON t(a);
CREATE INDEX t2 ON t(a, b) WHERE a > 5;
ANALYZE;
--= T:t|T:t2|T:0 0 0| because a partial index without entries has a row since release 3.46
SELECT * FROM sqlite_stat1;
INSERT INTO t VALUES(1, 1), (2, 2);
ANALYZE;
--= T:t|T:t2|T:0 0 0| T:t|T:t1|T:2 1| because of the same
SELECT * FROM sqlite_stat1 ORDER BY idx DESC;
SELECT * FROM t WHERE a > 5;
SELECT * FROM t WHERE a > 6 OR b = 1;
INSERT INTO t VALUES(6, 1), (6, 2);
ANALYZE t2;
SELECT * FROM sqlite_stat1 ORDER BY idx;
SELECT * FROM t WHERE a > 5;
