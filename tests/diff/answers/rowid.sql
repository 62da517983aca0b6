# AUTOINCREMENT, rowid and its aliases
CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b);
SELECT * FROM sqlite_sequence;
INSERT INTO t(b) VALUES(1); INSERT INTO t(b) VALUES(2);
SELECT * FROM sqlite_sequence;
DELETE FROM t; INSERT INTO t(b) VALUES(3);
SELECT * FROM t;
INSERT INTO t VALUES(100,1); DELETE FROM t WHERE a=100; INSERT INTO t(b) VALUES(1); SELECT a FROM t;
UPDATE t SET a=500 WHERE a=101; INSERT INTO t(b) VALUES(1); SELECT a FROM t;
SELECT * FROM sqlite_sequence;
UPDATE sqlite_sequence SET seq=1000 WHERE name='t'; INSERT INTO t(b) VALUES(1); SELECT a FROM t;
DELETE FROM sqlite_sequence; INSERT INTO t(b) VALUES(1); SELECT a FROM t;
INSERT INTO sqlite_sequence VALUES('t',5000); INSERT INTO t(b) VALUES(1); SELECT a FROM t; SELECT * FROM sqlite_sequence;
UPDATE sqlite_sequence SET seq='abc'; INSERT INTO t(b) VALUES(1); SELECT * FROM sqlite_sequence;
UPDATE sqlite_sequence SET seq=NULL; INSERT INTO t(b) VALUES(1); SELECT * FROM sqlite_sequence;
INSERT INTO t VALUES(9223372036854775807,1);
INSERT INTO t(b) VALUES(1);
SELECT * FROM sqlite_sequence;
INSERT INTO t VALUES(-5,1);
INSERT OR IGNORE INTO t(b) VALUES(1);
INSERT OR REPLACE INTO t VALUES(-5,2);
DROP TABLE sqlite_sequence;
CREATE TABLE sqlite_sequence(a);
CREATE INDEX x ON sqlite_sequence(name);
CREATE TABLE u(a INTEGER PRIMARY KEY DESC AUTOINCREMENT);
CREATE TABLE u2(a INT PRIMARY KEY AUTOINCREMENT);
CREATE TABLE u3(a INTEGER AUTOINCREMENT);
CREATE TABLE u4(a INTEGER, b, PRIMARY KEY(a AUTOINCREMENT));
CREATE TABLE u5(a INTEGER, b, PRIMARY KEY(a,b AUTOINCREMENT));
CREATE TABLE u6(a INTEGER PRIMARY KEY AUTOINCREMENT) WITHOUT ROWID;
CREATE TABLE u7(a TEXT PRIMARY KEY AUTOINCREMENT);
CREATE TABLE u8(a INTEGER PRIMARY KEY AUTOINCREMENT, b INTEGER PRIMARY KEY);
INSERT INTO u4(b) SELECT value FROM json_each('[1,2,3]');
SELECT * FROM u4; SELECT * FROM sqlite_sequence;
DROP TABLE u4; SELECT * FROM sqlite_sequence;
CREATE TEMP TABLE tt(a INTEGER PRIMARY KEY AUTOINCREMENT, b);
INSERT INTO tt(b) VALUES(1); SELECT * FROM temp.sqlite_sequence; SELECT * FROM main.sqlite_sequence; SELECT * FROM sqlite_sequence;
CREATE TABLE k(a INTEGER PRIMARY KEY);
INSERT INTO k VALUES(9223372036854775807);
CREATE TABLE k2(a INTEGER PRIMARY KEY DESC); INSERT INTO k2 VALUES('abc'); INSERT INTO k2 VALUES(NULL); SELECT rowid,* FROM k2;
CREATE TABLE k3(a INTEGER, PRIMARY KEY(a DESC)); INSERT INTO k3 VALUES('abc'); INSERT INTO k3 VALUES(5); SELECT rowid,* FROM k3;
CREATE TABLE k4(rowid, oid, _rowid_); INSERT INTO k4 VALUES(1,2,3); SELECT rowid,oid,_rowid_ FROM k4;
CREATE TABLE k5(rowid INTEGER PRIMARY KEY, oid TEXT); INSERT INTO k5(oid) VALUES('x'); SELECT rowid,oid,_rowid_ FROM k5; UPDATE k5 SET _rowid_=9; SELECT * FROM k5;
CREATE TABLE k6("integer" INTEGER PRIMARY KEY, b "INTEGER PRIMARY KEY"); PRAGMA table_info(k6);
CREATE TABLE k7(a "INTEGER" PRIMARY KEY, b); INSERT INTO k7 VALUES('x',1);
CREATE TABLE k8(a [integer] PRIMARY KEY, b); INSERT INTO k8 VALUES('x',1);
CREATE TABLE k9(a integer  primary  key  asc, b); INSERT INTO k9 VALUES('x',1);
INSERT INTO k9(rowid,b) VALUES(NULL,1); INSERT INTO k9(oid,b) VALUES('7',1); INSERT INTO k9(_rowid_,b) VALUES('7x',1);
SELECT a, typeof(a) FROM k9 WHERE a='7'; SELECT a FROM k9 WHERE a=7.0; SELECT a FROM k9 WHERE a='7.0'; SELECT a FROM k9 WHERE rowid IN ('7',1.0,'x',NULL);
SELECT a FROM k9 WHERE a>'6'; SELECT a FROM k9 WHERE a>'x'; SELECT a FROM k9 WHERE a<'x'; SELECT a FROM k9 WHERE a>x'00'; SELECT a FROM k9 WHERE a<x'00'; SELECT a FROM k9 WHERE a>6.5; SELECT a FROM k9 WHERE a<7.5; SELECT a FROM k9 WHERE a>=1e300; SELECT a FROM k9 WHERE a<=1e300; SELECT a FROM k9 WHERE a>NULL; SELECT a FROM k9 WHERE a BETWEEN 0.5 AND '9';
%%
# rowids of the tables of a parenthesized join
CREATE TABLE t1(a, b);
CREATE TABLE t2(a INTEGER PRIMARY KEY, c);
CREATE TABLE t3(rowid, d);
CREATE TABLE t4(x PRIMARY KEY, y) WITHOUT ROWID;
INSERT INTO t1 VALUES(1, 2), (3, 4);
INSERT INTO t2 VALUES(1, 2), (7, 8);
INSERT INTO t3 VALUES('r', 's');
INSERT INTO t4 VALUES(1, 1);
--= I:1|I:1| I:1|I:7| I:2|I:1| I:2|I:7| I:1|I:1| I:1|I:7| I:2|I:1| I:2|I:7| because newer releases see the rowids of tables in parentheses
SELECT p.rowid, q.rowid FROM t1 AS o CROSS JOIN (t1 AS p CROSS JOIN t2 AS q);
--= I:1|I:1|I:1|T:integer| I:2|N|N|T:null| because newer releases see the rowids of tables in parentheses
SELECT o.rowid, p.rowid, q.oid, typeof(q._rowid_) FROM t1 AS o LEFT JOIN (t1 AS p JOIN t2 AS q USING(a)) ON p.rowid = o.rowid;
--= I:1| I:2| because newer releases see the rowids of tables in parentheses
SELECT p.rowid FROM t4 AS o RIGHT JOIN (t1 AS p LEFT JOIN t2 AS q USING(a)) ON o.x = p.rowid AND p.rowid = '1';
--= I:1| because newer releases see the rowids of tables in parentheses
SELECT rowid FROM t4 AS o JOIN (t4 AS p JOIN t1 AS q ON p.x = q.a);
--= error: ambiguous column name: rowid because newer releases see the rowids of tables in parentheses
SELECT rowid FROM t4 AS o JOIN (t2 AS p JOIN t1 AS q ON p.c = q.b);
SELECT rowid FROM t4 AS o JOIN (t1 AS p JOIN t3 AS q);
--= I:1|T:r|I:1| I:2|T:r|I:1| because newer releases see the rowids of tables in parentheses
SELECT p.rowid, q.rowid, q.oid FROM t4 AS o JOIN (t1 AS p JOIN t3 AS q);
SELECT q.rowid FROM t4 AS o JOIN (t1 AS p JOIN t4 AS q);
SELECT s.rowid FROM t4 AS o JOIN (t1 AS p JOIN (SELECT 5 AS x) AS s);
--= I:1| I:1| I:1| I:1| I:2| I:2| I:2| I:2| because newer releases see the rowids of tables in parentheses
SELECT p.rowid FROM t4 AS o JOIN (t1 AS p JOIN (t2 AS q JOIN t1 AS r));
SELECT r.rowid FROM t4 AS o JOIN (t1 AS p JOIN (t2 AS q JOIN t1 AS r));
--= I:1|I:1|I:3|I:4|I:1|I:2| I:1|I:1|I:3|I:4|I:7|I:8| because newer releases see the rowids of tables in parentheses
SELECT * FROM t4 AS o JOIN (t1 AS p JOIN t2 AS q) WHERE p.rowid = 2;
--= I:1|I:2|I:7| I:3|I:4|I:7| because newer releases see the rowids of tables in parentheses
SELECT p.*, q.rowid FROM t4 AS o LEFT JOIN (t1 AS p JOIN t2 AS q) ON q.rowid = 7;
--= I:2|I:2| I:2|I:2| because newer releases see the rowids of tables in parentheses
SELECT count(*), max(p.rowid) FROM t4 AS o JOIN (t1 AS p JOIN t2 AS q) GROUP BY q.rowid HAVING min(p.rowid) > 0 ORDER BY q.rowid DESC;
--= error: no such column: j.rowid because newer releases see the rowids of tables in parentheses
SELECT j.rowid FROM t4 AS o JOIN (t1 AS p JOIN t2 AS q) AS j;
