# ORDER BY of a result column beside windows of other orders: which rows row_number() OVER () numbers
CREATE TABLE t(id INTEGER PRIMARY KEY, g, o, v);
INSERT INTO t(g, o, v) VALUES(1,1,5),(1,1,NULL),(1,2,2.5),(1,3,'x'),(1,NULL,7),(2,1,9223372036854775807),(2,1,1),(2,4,-3),(2,'b','y'),(2,5,1e999),(3,2,-1e999),(3,2.5,4),(NULL,1,6),(NULL,NULL,0.1),(3,9,x'61');
SELECT g, row_number() OVER ( ), lag((o)) OVER (ORDER BY g DESC ) FROM t GROUP BY g ORDER BY 2;
SELECT g, row_number() OVER ( ), lag((o)) OVER (ORDER BY g DESC ) FROM t GROUP BY g;
SELECT id, row_number() OVER ( ), lag((o)) OVER (ORDER BY g DESC ) FROM t ORDER BY 2;
SELECT id, row_number() OVER ( ), lag((o)) OVER (ORDER BY g DESC ) FROM t;
SELECT g, lag((o)) OVER ( ROWS BETWEEN 0 PRECEDING AND 1 FOLLOWING ), row_number() OVER (ORDER BY count()) FROM t GROUP BY g ORDER BY 2;
SELECT id, row_number() OVER ( ), lag((o)) OVER (ORDER BY g DESC ) FROM t ORDER BY 2, 3;
SELECT id, row_number() OVER ( ) AS x, lag((o)) OVER (ORDER BY g DESC ) FROM t ORDER BY x;
SELECT id, lag(o) OVER (ORDER BY g DESC ), row_number() OVER ( ) AS x FROM t ORDER BY x;
SELECT g, row_number() OVER ( ), lag((o)) OVER (ORDER BY g DESC ) FROM t GROUP BY g ORDER BY 3;
SELECT g, row_number() OVER (), lag((o)) OVER (ORDER BY g DESC ), count(*) OVER (PARTITION BY o) FROM t GROUP BY g ORDER BY 4;
SELECT g, row_number() OVER (), lag((o)) OVER (ORDER BY g DESC ), count(*) OVER (PARTITION BY o) FROM t GROUP BY g ORDER BY 3;
SELECT g, row_number() OVER (), lag((o)) OVER (ORDER BY g DESC ), count(*) OVER (PARTITION BY o) FROM t GROUP BY g ORDER BY 2;
%%
# ORDER BY of a subquery that sorts nothing, of which the rows still come in the order of its windows
CREATE TABLE t(a, b, c);
INSERT INTO t VALUES(1, 2, 9), (2, 3, 5), (3, 1, 7);
CREATE TABLE u(d);
INSERT INTO u VALUES(1), (2);
SELECT * FROM u CROSS JOIN (SELECT a FROM t ORDER BY sum(b) OVER (ORDER BY c));
SELECT * FROM u CROSS JOIN (SELECT a FROM t ORDER BY -sum(b) OVER (ORDER BY c));
SELECT * FROM u CROSS JOIN (SELECT a, sum(b) OVER (ORDER BY b DESC) FROM t ORDER BY -sum(b) OVER (ORDER BY c));
SELECT * FROM (SELECT a FROM t ORDER BY -sum(b) OVER (ORDER BY c)) ORDER BY a * 0;
SELECT * FROM (SELECT a FROM t ORDER BY -sum(b) OVER (ORDER BY c)) AS x, u ORDER BY a * 0;
SELECT * FROM (SELECT DISTINCT a FROM t ORDER BY -row_number() OVER (ORDER BY b)) AS x, u;
WITH w AS (SELECT a FROM t ORDER BY -sum(b) OVER (ORDER BY c)) SELECT x.a, y.a FROM w AS x, w AS y ORDER BY x.a * 0;
CREATE VIEW v AS SELECT a FROM t ORDER BY -sum(b) OVER (PARTITION BY b < 3 ORDER BY c);
SELECT * FROM v, u WHERE d < 2;
SELECT * FROM v, u WHERE d < a ORDER BY d > 0;
SELECT * FROM (SELECT a FROM t ORDER BY sum(b COLLATE nosuch) OVER ()) AS x, u;
SELECT d FROM u EXCEPT SELECT 'y' FROM (SELECT a FROM t ORDER BY sum(b COLLATE nosuch) OVER ());
SELECT d FROM u EXCEPT SELECT 'y' FROM (SELECT a FROM t ORDER BY b COLLATE nosuch);
