# Row values IN several rows of VALUES, by index
CREATE TABLE t1(a, b TEXT COLLATE NOCASE, c INT, d);
INSERT INTO t1 VALUES('abc','def',1,'x'),('ghi','jkl',2,'y'),('abc','zzz',3,NULL),(NULL,'def',4,'z'),(5,'6',7,8),('5',6,7.5,9),(5,NULL,6,7);
CREATE INDEX i1 ON t1(a,b);
CREATE INDEX i2 ON t1(c DESC,a);
SELECT rowid FROM t1 WHERE (a, b) IN ( VALUES('abc', 'def'), ('ghi', 'JKL') ) ORDER BY 1;
SELECT rowid FROM t1 WHERE (a, b) IN ( VALUES('abc', 'def'), ('ghi', 'JKL') );
SELECT rowid FROM t1 WHERE (b, a) IN ( VALUES('def','abc'), ('JKL','ghi'), ('6',5), (6,'5'));
SELECT rowid FROM t1 WHERE (b, a) NOT IN ( VALUES('def','abc'), ('JKL','ghi'), ('6',5)) ORDER BY 1;
--= I:5| I:1| I:2| because SQLite 3.50 answers so
SELECT rowid FROM t1 WHERE (a, d) IN ( VALUES('abc', 'x'), ('ghi', 'y'), (5,8), ('abc',NULL));
--= I:5| I:1| I:2| because SQLite 3.50 answers so
SELECT rowid FROM t1 WHERE (d, a) IN ( VALUES('x','abc'), ('y','ghi'), (8,5), (NULL,'abc'));
--= I:6| I:5| I:2| I:1| because SQLite 3.50 answers so
SELECT rowid FROM t1 WHERE (c, d, a) IN ( VALUES(1,'x','abc'), (2,'y','ghi'), ('7',8,5), (7.5,9,'5'));
SELECT rowid FROM t1 WHERE (c, d, a) IN ( VALUES(1,'x','abc'), (2,'y','ghi'), ('7',8,5), (7.5,9,'5')) ORDER BY c;
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def'),('abc','def'),('abc','DEF'));
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES(NULL,'def'),('abc',NULL)) ORDER BY 1;
--= I:1| I:3| I:5| because SQLite 3.50 answers so
SELECT rowid FROM t1 WHERE (rowid, a) IN (VALUES(1,'abc'),(2,'abc'),('3','abc'),(5.0,5));
--= I:1| I:3| I:5| because SQLite 3.50 answers so
SELECT rowid FROM t1 WHERE (a, rowid) IN (VALUES('abc',1),('abc',2),('abc','3'),(5,5.0));
SELECT x.rowid, y.rowid FROM t1 x, t1 y WHERE (x.a, x.b) IN (VALUES(y.a,y.b),('ghi','jkl')) ORDER BY 1,2;
SELECT x.rowid FROM t1 x WHERE (x.a, x.b) IN (VALUES(x.a,'def'),('ghi',x.b)) ORDER BY 1;
SELECT (SELECT count(*) FROM t1 WHERE (a,c) IN (VALUES(o.a,o.c),(o.a,o.c+2))) FROM t1 o;
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def'),('ghi','jkl')) AND c>1;
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def'),('ghi','jkl')) OR c>6 ORDER BY 1;
SELECT rowid FROM t1 WHERE ((a, b) IN (VALUES('abc','def'),('ghi','jkl'))) = 0 ORDER BY 1;
SELECT rowid, (a,b) IN (VALUES('abc','def'),('ghi',NULL)) FROM t1 ORDER BY 1;
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def'),('ghi','jkl') LIMIT 1);
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def'),('ghi','jkl') ORDER BY 1 DESC LIMIT 1);
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def') UNION VALUES('ghi','jkl')) ORDER BY 1;
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def') UNION ALL SELECT 'ghi','jkl') ORDER BY 1;
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def'),(max(1,2),'6'),((SELECT 'ghi'),lower('JKL'))) ORDER BY 1;
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def'),('ghi',row_number() OVER ())) ORDER BY 1;
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def'),('ghi'));
SELECT rowid FROM t1 WHERE (a, b, c) IN (VALUES('abc','def'),('ghi','x'));
SELECT rowid FROM t1 WHERE (a, b) IN (VALUES('abc','def'),(count(*),'x'));
WITH w(p,q) AS (VALUES('abc','def'),('ghi','jkl')) SELECT rowid FROM t1 WHERE (a,b) IN w;
WITH w(p,q) AS (VALUES('abc','def'),('ghi','jkl')) SELECT rowid FROM t1 WHERE (a,b) IN (SELECT * FROM w);
DELETE FROM t1 WHERE (a,b) IN (VALUES('abc','def'),('ghi','jkl')) RETURNING rowid;
UPDATE t1 SET d='u' WHERE (a,c) IN (VALUES('abc',3),(5,6)) RETURNING rowid;
CREATE TABLE w(k INT, v TEXT, n, PRIMARY KEY(k DESC, v)) WITHOUT ROWID;
INSERT INTO w VALUES(1,'a',1),(1,'b',2),(2,'a',3),(2,'b',4),(3,'c',5);
SELECT n FROM w WHERE (k,v) IN (VALUES(1,'b'),(2,'a'),('3','c'));
SELECT n FROM w WHERE (v,k) IN (VALUES('b',1),('a',2),('c','3'));
SELECT n FROM w WHERE (v,k) IN (VALUES('b',1),('a',2),('c','3')) ORDER BY k;
SELECT n FROM w WHERE (n,k) IN (VALUES(1,1),(3,2),(5,'3'));
SELECT n FROM w WHERE (k,n,v) IN (VALUES(1,1,'a'),(2,3,'a'),(3,5,'x'));
CREATE TRIGGER tr AFTER INSERT ON w BEGIN UPDATE w SET n=n+100 WHERE (k,v) IN (VALUES(new.k,new.v),(1,'b')); END;
INSERT INTO w VALUES(9,'q',9);
SELECT * FROM w;
%%
# An element of a row's list that is a query is one term, which is told as it is read
CREATE TABLE t(a,b,c);
SELECT a FROM t WHERE (a,b) IN ((c,b),(SELECT 1,2));
SELECT a FROM t WHERE (a,b) IN ((c,b),((SELECT 1),2));
CREATE TRIGGER x AFTER UPDATE ON t BEGIN SELECT (a,b) IN ((c,b),(SELECT 1)); END;
CREATE VIEW x AS SELECT (a,b) IN ((c,b),(SELECT 1)) FROM t;
