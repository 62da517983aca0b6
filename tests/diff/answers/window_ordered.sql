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
