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
