# Which of several mistakes in INSERT, UPDATE, DELETE and CREATE is told
-- Rows of VALUES: tables in all of them before names, of these the last row's.
CREATE TABLE t1(a,b);
INSERT INTO t1 VALUES(x,1),(y,2);
INSERT INTO t1 VALUES(1,x),(2,y),(3,4);
INSERT INTO t1 VALUES((SELECT 1 FROM nosuch),1),(y,2);
INSERT INTO t1 VALUES(1,2),(3,(SELECT 1 FROM nosuch)),(y,2);
INSERT INTO t1 VALUES(1,2),(3,x),(y,2);
INSERT INTO t1 VALUES(1,x),(3,4),(y,2);
INSERT INTO t1 VALUES(1,x),(3,4);
INSERT INTO t1 VALUES(1,x),(3,4,5);
--= error: all VALUES must have the same number of terms because SQLite 3.40 looks at names first
INSERT INTO t1 VALUES(1,2),(3,4,5),(x,y);
INSERT INTO t1 VALUES(1,2),(x,4,5),(x,y);
INSERT INTO t1 VALUES(1,(SELECT 1 FROM nosuch)),(3,4),(5,6);
INSERT INTO t1 VALUES(1,(SELECT 1 FROM nosuch)),(3,4),(x,6);
INSERT INTO t1 VALUES(1,(SELECT 1 FROM nosuch)),(3,4,x),(x,6);
INSERT INTO t1 VALUES(1,2),(3,nosuchf(4)),(5,(SELECT x FROM t1));
INSERT INTO t1 VALUES(1,2),((SELECT 1 FROM bad1),nosuchf(4)),(5,(SELECT x FROM bad2));
INSERT INTO t1 VALUES(1,2),(sum(1),nosuchf(4)),(5,x);
INSERT INTO t1 VALUES(sum(1),2),(3,4);
INSERT INTO t1 VALUES(1,2),(3,sum(4)),(x,5);
INSERT INTO t1 VALUES(1,2),(3,sum(4)),(7,5);
INSERT INTO t1 VALUES((1,2),2),(3,x),(7,5);
INSERT INTO t1 VALUES(1,2,3),(3,x),(7,5);
INSERT INTO t1 VALUES(1,2,3),(3,x,1),(7,5,1);
INSERT INTO t1 VALUES(1,2,3),(3,(SELECT 1 FROM nosuch),1),(7,5,1);
INSERT INTO t1(a,k) VALUES(1,2,3),(3,(SELECT 1 FROM nosuch),1),(7,5,1);
%%
-- WHERE of an index, which the first column's mistake replaces; a column's names before its collation.
CREATE TABLE t2(b,c);
CREATE INDEX i1 ON t2((SELECT 3, 1 HAVING NULL)) WHERE EXISTS (SELECT 3 FROM t1);
CREATE INDEX i1 ON t2(x+1) WHERE y;
CREATE INDEX i1 ON t2(abs(x)) WHERE y;
CREATE INDEX i1 ON t2(nosuchf(x)) WHERE y;
CREATE INDEX i1 ON t2(b,x+1) WHERE y;
CREATE INDEX i1 ON t2(b+1,x) WHERE y;
CREATE INDEX i1 ON t2(nosuch) WHERE y;
CREATE INDEX i1 ON t2(random()) WHERE y;
CREATE INDEX i1 ON t2(b) WHERE random();
CREATE INDEX i1 ON t2(abs(nosuch)) WHERE random();
CREATE INDEX i1 ON t2(t2.b) WHERE random();
CREATE INDEX i1 ON t2(b COLLATE zz) WHERE random();
CREATE INDEX i1 ON t2((x) COLLATE zz) WHERE random();
CREATE INDEX i1 ON t2(abs(b) COLLATE zz) WHERE y;
CREATE INDEX i1 ON t2(-x) WHERE y;
CREATE INDEX i1 ON t2(sum(b)) WHERE y;
CREATE INDEX i1 ON t2(b IS NULL) WHERE sum(b);
CREATE INDEX i1 ON t2(x IS NULL) WHERE sum(b);
CREATE INDEX i1 ON t2(t2.b COLLATE zz);
CREATE INDEX i1 ON t2(3 COLLATE nocase, t1.a COLLATE coll4);
CREATE INDEX i1 ON t2(b COLLATE zz, x);
CREATE INDEX i1 ON t2(b COLLATE zz, x+1);
CREATE INDEX i1 ON t2(b+x, c COLLATE zz);
CREATE INDEX i1 ON t2(b, coalesce(t2.b,nosuchf(3)));
CREATE INDEX i1 ON t2(b, coalesce(t2.b,x));
CREATE INDEX i1 ON t2(b, coalesce(x,t2.b));
CREATE TABLE n1(a, b AS (coalesce(n1.a,nosuchf(3))));
CREATE TABLE n1(a, b AS (n1.a + x));
--= error: the "." operator prohibited in generated columns because SQLite 3.40 puts no operator before a name
CREATE TABLE n1(a, b AS (n1.a), c AS (x));
CREATE TABLE n1(a, b AS (n1.a), c AS (x+1));
CREATE TABLE n1(a, b AS (n1.a), CHECK (x));
CREATE TABLE n1(a, b AS (n1.x));
%%
-- RETURNING
CREATE TABLE t1(a, b);
CREATE TABLE t2(b, c);
INSERT INTO t1(c, b) VALUES (NULL, b + 1) RETURNING t1.*, NULL;
INSERT INTO t1 VALUES (1, 2, 3) RETURNING t1.*;
INSERT INTO t1 VALUES (nosuchf(3), 1) RETURNING t1.*;
INSERT INTO t1 SELECT 3 FROM nosuch RETURNING t1.*;
INSERT INTO t1 VALUES (1, 2) ON CONFLICT (a) DO NOTHING RETURNING t1.*;
INSERT INTO t1 VALUES (1, 2) RETURNING t1.*;
--= error: RETURNING may not use "TABLE.*" wildcards because SQLite 3.40 looks at names first
INSERT INTO t1 VALUES (1, 2) RETURNING x, t1.*;
UPDATE t1 SET (a, b) = (SELECT 3) RETURNING t1.*;
UPDATE t1 SET a = 1 IN (SELECT * FROM t2) RETURNING t1.*;
UPDATE t1 SET a = x RETURNING t1.*;
UPDATE t1 SET k = 1 RETURNING t1.*;
UPDATE t1 SET a = 1 WHERE x RETURNING t1.*;
UPDATE t1 SET a = x FROM t2 RETURNING t1.*;
UPDATE t1 SET a = 1 RETURNING t1.*;
DELETE FROM t1 AS al WHERE t1.a RETURNING t1.*;
DELETE FROM t1 RETURNING *, t1.*;
CREATE TRIGGER r AFTER UPDATE ON t1 BEGIN DELETE FROM t1 INDEXED BY ix RETURNING *; END;
CREATE TRIGGER r AFTER UPDATE ON t1 BEGIN DELETE FROM t1 INDEXED BY ix WHERE 1; END;
CREATE TRIGGER r AFTER UPDATE ON t1 BEGIN DELETE FROM t1 NOT INDEXED; END;
CREATE TRIGGER r AFTER UPDATE ON t1 BEGIN DELETE FROM t1 NOT INDEXED LIMIT 1; END;
CREATE TRIGGER r AFTER UPDATE ON t1 BEGIN UPDATE t1 INDEXED BY ix SET a = 1; END;
CREATE TRIGGER r AFTER UPDATE ON t1 BEGIN UPDATE t1 INDEXED BY ix WHERE a = 1; END;
DELETE FROM t1 WHERE (SELECT 1, 1) RETURNING t1.*;
DELETE FROM t1 WHERE x RETURNING t1.*;
%%
-- RETURNING has the mistakes of a query before others, several rows of VALUES those of a compound.
CREATE TABLE t1(a,b);
CREATE TABLE t2(b,c);
INSERT INTO t1 VALUES(1,2);
INSERT INTO t2 VALUES(1,2);
UPDATE t1 SET b='x' RETURNING 2, nosuchf((SELECT x3 FROM t1 GROUP BY 3 EXCEPT SELECT x4 WHERE 3));
UPDATE t1 SET b='x' RETURNING (SELECT 1 FROM nosuch), x;
--= error: no such table: nosuch because SQLite 3.40 takes RETURNING for no query
UPDATE t1 SET b='x' RETURNING x, (SELECT 1 FROM nosuch);
UPDATE t1 SET b='x' RETURNING (a,b)=(SELECT * FROM t2);
--= error: no such column: x because SQLite 3.40 takes RETURNING for no query
UPDATE t1 SET b='x' RETURNING (1,x)=(SELECT * FROM t2);
UPDATE t1 SET b='x' RETURNING a=(SELECT * FROM t2);
UPDATE t1 SET b='x' RETURNING x=(SELECT * FROM t2);
--= error: no tables specified because SQLite 3.40 takes RETURNING for no query
DELETE FROM t1 RETURNING x, (SELECT *);
INSERT INTO t1 VALUES(1,2) RETURNING (SELECT max(a) FROM t1), (SELECT count(*) FROM t2), b;
INSERT INTO t1 VALUES(1,2) RETURNING nosuchf(x), (SELECT y);
INSERT INTO t1 VALUES(1,2) RETURNING count(x);
INSERT INTO t1 VALUES(1,2) RETURNING count(*) OVER ();
--= error: no such column: x because SQLite 3.40 takes RETURNING for no query
INSERT INTO t1 VALUES(1,2) RETURNING (WITH w AS (SELECT x) SELECT * FROM w), y;
--= error: table w has 1 values for 2 columns because SQLite 3.40 takes RETURNING for no query
INSERT INTO t1 VALUES(1,2) RETURNING (WITH w(p,q) AS (SELECT 1) SELECT * FROM w), y;
%%
CREATE TABLE t1(a,b);
CREATE TABLE t2(b,c);
INSERT INTO t2 VALUES (1, 2), (2, nosuchf(EXISTS (SELECT x2 WINDOW w AS (ORDER BY 3))));
INSERT INTO t1 VALUES((1,2)=(SELECT * FROM t2),1),(x,2);
INSERT INTO t1 VALUES((1,2)=(SELECT * FROM t2),1),(random()*0,2);
INSERT INTO t1 VALUES(1,2),((1,2)=(SELECT * FROM t2),1);
INSERT INTO t1 VALUES((1,2)=(SELECT * FROM t2),1);
INSERT INTO t1 VALUES(1,(1,2)=(SELECT * FROM t2)),(3,4);
INSERT INTO t1 VALUES(1,a=(SELECT * FROM t2)),(3,4);
VALUES((1,2)=(SELECT * FROM t2)),(random()*0);
%%
-- Strings and truth words in an index are no names; what stands behind them is looked at as well.
CREATE TABLE t1(a,b);
CREATE INDEX i1 ON t1(true, x+1);
CREATE INDEX i2 ON t1("str", x+1);
CREATE INDEX i3 ON t1("str", nosuchf(1));
CREATE INDEX i4 ON t1("str", random());
CREATE INDEX i5 ON t1(true, a) WHERE x;
CREATE INDEX i6 ON t1("str", (SELECT 1));
CREATE INDEX i7 ON t1(true, t1.a);
CREATE INDEX i8 ON t1(true, a COLLATE zz);
CREATE INDEX i9 ON t1(true COLLATE zz, x+1);
CREATE INDEX i10 ON t1('s' COLLATE nocase COLLATE rtrim, x+1);
CREATE INDEX i11 ON t1('s', x+1);
CREATE INDEX i12 ON t1(a, 's' COLLATE nocase, x+1);
CREATE INDEX i13 ON t1("str", t1.a, b) WHERE random();
SELECT name FROM sqlite_schema;
%%
# a syntax error behind an assignment of another width is told before that
CREATE TABLE t(a PRIMARY KEY, b, c);
CREATE TABLE w(a, b, c);
UPDATE t SET (a, b) = c);
UPDATE t SET (a, b) = c;
UPDATE t SET (a, b) = c, c = 1;
UPDATE t SET (a, b) = c WHERE a;
UPDATE t SET (a, b) = c FROM w;
UPDATE t SET (a, b) = c RETURNING a;
UPDATE t SET (a, b) = c ORDER BY a LIMIT 1;
UPDATE t SET (a, b) = c LIMIT 1;
UPDATE t SET (a, b) = c ON CONFLICT DO NOTHING;
UPDATE t SET (a, b) = c d;
INSERT INTO t VALUES(1,2,3) ON CONFLICT(a) DO UPDATE SET (a, b) = c ON CONFLICT DO NOTHING;
INSERT INTO t VALUES(1,2,3) ON CONFLICT DO UPDATE SET (a, b) = c ON CONFLICT DO NOTHING;
INSERT INTO t VALUES(1,2,3) ON CONFLICT DO UPDATE SET (a, b) = c FROM w;
INSERT INTO t VALUES(1,2,3) ON CONFLICT DO UPDATE SET (a, b) = c);
INSERT INTO t VALUES(1,2,3) ON CONFLICT DO UPDATE SET (a, b) = c WHERE a;
INSERT INTO t VALUES(1,2,3) ON CONFLICT DO UPDATE SET (a, b) = c LIMIT 1;
UPDATE t SET (a, b) = c GROUP BY a;
UPDATE t SET (a, b) = c UNION SELECT 1;
UPDATE t SET (a, b) = c SET;
UPDATE t SET (a, b) = (1, 2, 3));
UPDATE t SET (a, b) = (SELECT 1);
UPDATE t SET (a, b) = (1, 2, 3) x;
UPDATE t SET a = a  WHERE a = (SELECT 1, 2 FROM w  );
UPDATE t SET (a, b) = c HAVING 1;
UPDATE t SET (a, b) = c INDEXED BY x;
DELETE FROM t WHERE (SELECT * FROM w) BETWEEN 1 AND 2;
