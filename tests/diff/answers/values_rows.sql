# INSERT ... VALUES of many rows: literals, and what stands between them
CREATE TABLE t(a, b TEXT, c REAL, d INT);
INSERT INTO t VALUES(1,'a',1.5,NULL),(2,'it''s',-2.5,x'0aff'),(-3,'',1e3,0x10),(9223372036854775807,'ü',-0.0,-9223372036854775808);
INSERT INTO t VALUES(+1,'1',.5,-0x1),(9223372036854775808,'2',-9223372036854775809,9999999999999999999999),(1,NULL,5.,x'');
SELECT a,typeof(a),b,typeof(b),c,typeof(c),d,typeof(d),hex(d) FROM t;
DELETE FROM t;
INSERT INTO t(d,a) VALUES(1,2),(3,4),(5,'six');
INSERT INTO t VALUES(1,2,3,4),(5,6,7,1+7),(9,10,11,12),(abs(-13),'x'||'y',(SELECT max(a) FROM t),TRUE),(17,18,19,20);
SELECT * FROM t;
INSERT INTO t VALUES(1,2,3,4),(5,6,7);
INSERT INTO t VALUES(1,2,3),(5,6,7,8);
INSERT INTO t VALUES(1,2,3),(5,6,7);
INSERT INTO t(a) VALUES(1),(2,3);
INSERT INTO t(a) VALUES(1),(nosuch);
INSERT INTO t(a) VALUES(1),(2),(nosuch(3)),(4,5);
INSERT INTO t(a) VALUES(1),(2),(3;
INSERT INTO t(a) VALUES(1),(2),;
INSERT INTO t(a) VALUES(1),(2) ORDER BY 1;
INSERT INTO t(a) VALUES(1),(0xfffffffffffffffff);
INSERT INTO t(a) VALUES(1),(-0x8000000000000000);
DELETE FROM t;
INSERT INTO t(a,b) VALUES(1,'a'),(2,'b') UNION SELECT 1,'a' UNION ALL SELECT 3,'c';
INSERT INTO t(a,b) VALUES(1,'a'),(2,'b'),(3,'c') EXCEPT SELECT 2,'b';
INSERT INTO t(a,b) VALUES(1,'a'),(2,'b'),(3,'c') INTERSECT VALUES(3,'c'),(1,'a');
INSERT INTO t(a,b) SELECT 7,'g' UNION ALL VALUES(8,'h'),(9,'i');
INSERT INTO t(a) VALUES((VALUES(1),(2))),((VALUES(3),(4))),(5);
INSERT INTO t(a) VALUES(1),(2),((WITH x(y) AS (VALUES(6),(7)) SELECT max(y) FROM x)),(8);
WITH x(y) AS (VALUES(6),(7)) INSERT INTO t(a) VALUES(1),((SELECT y FROM x)),(2);
INSERT INTO t(a) WITH x(y) AS (VALUES(6),(7)) VALUES(1),(2),((SELECT y FROM x));
SELECT a,b FROM t;
DELETE FROM t;
INSERT INTO t(a,b) VALUES(row_number() OVER (),1),(2,3),(4,5);
INSERT INTO t(a,b) VALUES(1,2),(row_number() OVER (),3),(4,5);
INSERT INTO t(a,b) VALUES(1,2),(sum(3),3),(4,5);
SELECT a,b FROM t;
CREATE TABLE u(a INTEGER PRIMARY KEY, b UNIQUE, c DEFAULT 'd');
INSERT INTO u VALUES(1,2,3),(2,2,4),(3,5,6);
INSERT OR IGNORE INTO u VALUES(1,2,3),(2,2,4),(3,5,6);
INSERT INTO u(b,a) VALUES(5,NULL),(8,NULL),(2,9) ON CONFLICT DO UPDATE SET c=excluded.a||'!' RETURNING a,b,c;
REPLACE INTO u VALUES('4','5','6'),(NULL,NULL,NULL),(7.0,1,1);
INSERT INTO u VALUES('x',1,1),(2,3,4);
SELECT *, typeof(a), typeof(b), changes(), last_insert_rowid() FROM u;
CREATE TRIGGER r AFTER INSERT ON u BEGIN INSERT INTO t(a,b) VALUES(new.a,1),(new.b,'two'),(3,NULL); END;
INSERT INTO u(b) VALUES('p'),('q');
SELECT a,b FROM t;
%%
# Their columns have a collation, as those of a table.
CREATE TABLE t1(a int, b COLLATE RTRIM);
INSERT INTO t1 VALUES(1, 'abc');
--=  because 3.40 has no table of them
VALUES ('', 'x'), (1, 'abc ') INTERSECT SELECT a, b FROM t1;
VALUES (1, 'abc ') INTERSECT SELECT a, b FROM t1;
VALUES ('', 'x' COLLATE NOCASE), (1, 'aBc') INTERSECT SELECT a, b FROM t1;
--=  because 3.40 has no table of them
VALUES ('', 'x'), (1, 'aBc' COLLATE NOCASE) INTERSECT SELECT a, b FROM t1;
VALUES ('', CAST('x' AS TEXT)), (1, 'abc ') INTERSECT SELECT a, b FROM t1;
--=  because 3.40 has no table of them
VALUES ('', CAST('x' AS TEXT)), (1, 'abc '), (1, 'abc  ') INTERSECT SELECT a, b FROM t1;
--= I:2|T:abb| I:2|T:abc| I:2|T:abc | I:1|T:abc  | because 3.40 has no table of them
VALUES (2, 'abc '), (1, 'abc  ') UNION ALL SELECT 2, b FROM t1 UNION ALL SELECT 2, 'abb' FROM t1 ORDER BY 2, 1;
VALUES (2, (SELECT 'abc ')), (1, 'abc  ') UNION ALL SELECT 2, b FROM t1 UNION ALL SELECT 2, 'abb' FROM t1 ORDER BY 2, 1;
%%
# Nothing is known of their number when tables are put in order.
CREATE TABLE t1(x);
INSERT INTO t1 VALUES('x'), ('y');
--= T:x|I:1| T:x|I:2| T:y|I:1| T:y|I:2| because 3.40 counts them
SELECT * FROM t1, (VALUES (1), (2));
SELECT * FROM (VALUES (1), (2)), t1;
SELECT * FROM t1 LEFT JOIN (VALUES (1), (2));
--= T:x|T:y|I:1| T:x|T:x|I:1| T:y|T:y|I:1| T:y|T:x|I:1| because 3.40 counts them
SELECT t1.x, v.column1, 1 FROM t1, (VALUES ('y'), ('x')) AS v;
WITH v(a) AS (VALUES (1), (2)) SELECT * FROM t1, v;
SELECT * FROM t1, (SELECT 1 UNION ALL SELECT 2);
%%
# Where rows of constants stand beside each other, aggregates in other rows are no mistake.
CREATE TABLE t(a, b UNIQUE);
--= R:1| I:3| I:1| because 3.40 has no such rows
VALUES (total(1)), (3), (1);
--= I:4| R:1| I:5| I:6| I:3| because 3.40 has no such rows
SELECT * FROM (VALUES (4), (total(1)), (5), (abs(-6)), (sum(3)));
--= I:4| I:2| R:1| I:7| because 3.40 has no such rows
INSERT INTO t(b) VALUES (4), (2), (total(1)), (count(*) + 6) RETURNING b;
--= I:1|I:5| I:2|I:4| I:1|N| because 3.40 has no such rows
INSERT INTO t VALUES (1, 5), (2, 4), (count(*), NULL) ON CONFLICT(b) DO UPDATE SET a = excluded.a RETURNING *;
VALUES (4), (total(1)), (5);
INSERT INTO t(a) VALUES (4), (total(1)), (5);
INSERT INTO t(a) VALUES (4), (total(1));
INSERT INTO t(a) VALUES (count(*));
WITH w AS (SELECT 1) INSERT INTO t(a) VALUES (4), (5), (total(1)), (6);
