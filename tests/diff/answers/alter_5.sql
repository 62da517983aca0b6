# ALTER TABLE: windows are not put together, strings in common table expressions are strings for good, the legacy kind looks at less
CREATE TABLE t1(a,b,c,d); CREATE TABLE t4(a,b); CREATE TABLE t7(a,b); CREATE TABLE u(a);
CREATE VIEW v5 AS SELECT 1 FROM t4 AS q2 WHERE (1,2) IN (SELECT rank() OVER w, lag(q10.a) OVER w FROM t7 AS q10 WINDOW w AS (PARTITION BY q2.b ORDER BY q10.a));
SELECT * FROM v5;
ALTER TABLE t7 ADD COLUMN zz;
ALTER TABLE t7 DROP COLUMN b;
ALTER TABLE t1 DROP COLUMN b;
ALTER TABLE t4 RENAME COLUMN b TO g;
CREATE TRIGGER r6 AFTER UPDATE OF d ON t1 BEGIN INSERT INTO u SELECT count(*) OVER (w) FROM t1 WINDOW w AS (PARTITION BY new.d ORDER BY new.c RANGE BETWEEN 0 PRECEDING AND 2 PRECEDING); END;
ALTER TABLE t1 RENAME COLUMN d TO g10;
CREATE VIEW v6 AS SELECT rank() OVER nosuch, lag(q10.a) OVER w FROM t7 AS q10 WINDOW w AS (PARTITION BY q10.a ORDER BY q10.a);
ALTER TABLE t7 RENAME COLUMN a TO h;
SELECT sql FROM sqlite_schema;
SELECT * FROM v6;
%%
CREATE table t1(a,b);
CREATE view v1 as with w(x) as (select "a text" from t1) select 1 from t1;
CREATE view v2 as with w(x) as (select min("a text") from t1) select w.x from w;
CREATE view v3 as select * from (with recursive w2(a) as (select 1 union select a+"b text" from w2 where a<7 limit 1) select avg(b) from t1);
CREATE view v4 as with recursive w2(a) as (select 1 union select a+"b text" from w2 where a<7 limit 1) select avg(b), (select count(*) from w2) from t1;
CREATE view v5 as with w(x) as (select min(sign("a text")) from t1 group by not exists(select 1) order by 1) select * from (select w.x, q6.a from t1 q4 join w on 1 join t1 q6 on q6.b in (select max(q4.a) from w)) order by 1 limit 2;
CREATE view v6 as with w(x) as (select min(sign("a text")) from t1 q1 full join json_tree('{}') q2 on q1.a=q1.a join t1 q3 using(a)) select * from w;
CREATE view v7 AS SELECT q1.c1 AS c0 FROM t1 AS q0 LEFT OUTER JOIN (WITH RECURSIVE w2(a, b, c) AS (SELECT 1, 0x1F, 'b' UNION SELECT w2.a + 1, ("a text" - w2.a), (-0.5 IS NOT w2.c) FROM w2 WHERE w2.a < 7 LIMIT 1) SELECT avg(q3.rowid) AS c0, group_concat(json_valid(q3.a)) AS c1 FROM t1 AS q3) AS q1 ON 1;
CREATE view v8 as with w0(a) as (select distinct min(sign("a text")) as c0 from v2 as q1 full join json_tree('{}') as q2 on 1 inner join v2 as q3 using(x)) select * from (select 1 as c0 from t1 as q4 join w0 as q5 using(a) join t1 as q6 on q6.b in (select max(q9.a) as c0 from w0 as q7 left join t1 as q8 on q4.b is 0x1f, t1 as q9));
alter table t1 rename column b to g;
select sql from sqlite_schema;
ALTER TABLE t1 DROP COLUMN g;
%%
CREATE TABLE t1(a,b);
CREATE VIEW v AS WITH w(x) AS (SELECT "a text" FROM t1), z AS (SELECT "b text") SELECT 1 FROM w;
CREATE TRIGGER r AFTER INSERT ON t1 BEGIN SELECT "c text"; INSERT INTO t1(a) SELECT * FROM (WITH w(x) AS (SELECT "d text") SELECT x FROM w); END;
ALTER TABLE t1 DROP COLUMN b;
SELECT sql FROM sqlite_schema;
%%
create table t5(a,b); create table t6(a,b,c);
create trigger r7 before delete on t5 begin delete from t6 where old.b=1; update t6 set b=old.b; end;
pragma legacy_alter_table=on;
alter table t5 drop column b;
select sql from sqlite_schema;
create view v as select a from t5;
alter table t5 drop column a;
alter table t5 add column z;
alter table t5 drop column a;
alter table t5 rename column z to y;
alter table t5 rename to t55;
select sql from sqlite_schema;
%%
# A name of the dropped column may mean that of another table from then on
CREATE TABLE t1(a,b,c);
CREATE TABLE t5(a,b,c,d,e);
CREATE VIEW v6 AS SELECT q0.e FROM t5 AS q0 JOIN t1 AS q1 ON q0.e IN (SELECT b FROM t5 AS q2 WHERE q1.a <= 0);
CREATE VIEW v7 AS SELECT 1 FROM t5 AS q0 LEFT JOIN t1 AS q1 ON q0.e IN (SELECT sum(b) FROM t5 AS q2 WHERE q1.a <= 0);
CREATE TRIGGER r AFTER INSERT ON t1 BEGIN SELECT b FROM t1 WHERE a IN (SELECT b FROM t5); END;
ALTER TABLE t5 DROP COLUMN b;
SELECT * FROM v6;
CREATE VIEW v8 AS SELECT c FROM t5;
ALTER TABLE t5 DROP COLUMN c;
CREATE TRIGGER r2 AFTER INSERT ON t1 BEGIN UPDATE t5 SET d = new.a; END;
DROP VIEW v8;
ALTER TABLE t5 DROP COLUMN d;
SELECT sql FROM sqlite_schema;
%%
CREATE TABLE t(a, rowid, b);
INSERT INTO t VALUES (1, 2, 3);
CREATE INDEX i ON t(a) WHERE t.rowid IS NULL;
CREATE INDEX j ON t(b) WHERE "rowid" > 1;
CREATE TABLE w(a PRIMARY KEY, oid) WITHOUT ROWID;
CREATE INDEX k ON w(a) WHERE oid > 1;
ALTER TABLE t DROP COLUMN rowid;
ALTER TABLE w DROP COLUMN oid;
ALTER TABLE t ADD COLUMN c CHECK (c IS NOT NULL);
PRAGMA ignore_check_constraints = ON;
ALTER TABLE t ADD COLUMN c CHECK (c IS NOT NULL);
ALTER TABLE t ADD COLUMN d AS (NULL) NOT NULL;
SELECT * FROM t;
SELECT sql FROM sqlite_schema;
%%
CREATE TABLE t(a, b);
CREATE TABLE u(a, b);
CREATE VIEW v AS SELECT sum(a) AS c0, b AS b FROM t GROUP BY b HAVING max(c0) > 1;
ALTER TABLE t RENAME a TO x;
SELECT * FROM v;
CREATE TEMP TRIGGER r BEFORE DELETE ON t BEGIN INSERT INTO t VALUES ("x", 1); END;
ALTER TABLE u DROP COLUMN b;
ALTER TABLE t RENAME TO w;
SELECT sql FROM sqlite_schema UNION ALL SELECT sql FROM sqlite_temp_schema;
%%
CREATE TABLE t(a, b, c);
CREATE INDEX i ON t(b, ('a' COLLATE BINARY) COLLATE RTRIM DESC);
CREATE INDEX j ON t(b, (+'a') COLLATE RTRIM);
INSERT INTO t VALUES (1, 2, 3);
ALTER TABLE t DROP COLUMN a;
CREATE INDEX k ON t(b, 'c' COLLATE RTRIM);
ALTER TABLE t DROP COLUMN c;
SELECT * FROM t;
PRAGMA integrity_check;
%%
# columns of joins in parentheses are found, and are renamed with their tables
CREATE TABLE t1(a, d);
CREATE TABLE t2(a, b, c, d);
CREATE VIEW v1 AS SELECT t2.c FROM t1 LEFT JOIN (t2 CROSS JOIN t1 AS x USING(d));
CREATE VIEW v2 AS SELECT (SELECT max(t2.c) FROM t1, (t2 CROSS JOIN t1 AS x)) FROM t2;
CREATE VIEW v3 AS SELECT c FROM t1 LEFT JOIN (t2 AS q CROSS JOIN t1 AS x) GROUP BY q.c;
CREATE VIEW v4 AS SELECT t2.*, t2.c FROM t1 LEFT JOIN (t1 AS y JOIN (t2 JOIN t1 AS x));
CREATE VIEW v5 AS WITH w AS (SELECT t2.c FROM t1 JOIN (t2 JOIN t1 AS x)) SELECT 1 FROM t1 LEFT JOIN w;
CREATE TRIGGER r1 AFTER DELETE ON t1 BEGIN UPDATE t1 SET a = t2.c FROM t1 AS q JOIN (t2 JOIN t1 AS r) WHERE t2.c; END;
CREATE TRIGGER r2 AFTER DELETE ON t1 BEGIN INSERT INTO t1 SELECT 1, t2.c FROM t1 LEFT JOIN (t2 JOIN t1 AS x) WHERE t2.d; END;
CREATE TRIGGER r3 AFTER DELETE ON t1 BEGIN DELETE FROM t1 WHERE a IN (SELECT t2.c FROM (t2 JOIN t1 AS x) WHERE t2.d); END;
--=  because SQLite finds no column of a join in parentheses then: error in view v1: no such column: t2.c
ALTER TABLE t2 RENAME TO t3;
--=  because SQLite finds no column of a join in parentheses then: error in view v1: no such column: t2.c
ALTER TABLE t3 RENAME c TO e;
--= T:CREATE VIEW v1 AS SELECT "t3".e FROM t1 LEFT JOIN ("t3" CROSS JOIN t1 AS x USING(d))| because that is what the names mean
SELECT sql FROM sqlite_schema WHERE name = 'v1';
--= T:CREATE VIEW v2 AS SELECT (SELECT max("t3".e) FROM t1, ("t3" CROSS JOIN t1 AS x)) FROM "t3"| because that is what the names mean
SELECT sql FROM sqlite_schema WHERE name = 'v2';
--= T:CREATE VIEW v3 AS SELECT e FROM t1 LEFT JOIN ("t3" AS q CROSS JOIN t1 AS x) GROUP BY q.e| because that is what the names mean
SELECT sql FROM sqlite_schema WHERE name = 'v3';
--= T:CREATE VIEW v4 AS SELECT "t3".*, "t3".e FROM t1 LEFT JOIN (t1 AS y JOIN ("t3" JOIN t1 AS x))| because that is what the names mean
SELECT sql FROM sqlite_schema WHERE name = 'v4';
--= T:CREATE VIEW v5 AS WITH w AS (SELECT "t3".e FROM t1 JOIN ("t3" JOIN t1 AS x)) SELECT 1 FROM t1 LEFT JOIN w| because that is what the names mean
SELECT sql FROM sqlite_schema WHERE name = 'v5';
--= T:CREATE TRIGGER r1 AFTER DELETE ON t1 BEGIN UPDATE t1 SET a = "t3".e FROM t1 AS q JOIN ("t3" JOIN t1 AS r) WHERE "t3".e; END| because that is what the names mean
SELECT sql FROM sqlite_schema WHERE name = 'r1';
--= T:CREATE TRIGGER r2 AFTER DELETE ON t1 BEGIN INSERT INTO t1 SELECT 1, "t3".e FROM t1 LEFT JOIN ("t3" JOIN t1 AS x) WHERE "t3".d; END| because that is what the names mean
SELECT sql FROM sqlite_schema WHERE name = 'r2';
--= T:CREATE TRIGGER r3 AFTER DELETE ON t1 BEGIN DELETE FROM t1 WHERE a IN (SELECT "t3".e FROM ("t3" JOIN t1 AS x) WHERE "t3".d); END| because that is what the names mean
SELECT sql FROM sqlite_schema WHERE name = 'r3';
%%
# "*" is of no one column, whatever the join
CREATE TABLE t1(b, e);
CREATE TABLE t3(a);
CREATE TRIGGER r AFTER DELETE ON t3 BEGIN SELECT * FROM t1 AS q1 NATURAL INNER JOIN t1 AS q2 RIGHT JOIN t1 AS q3 ON q2.e; END;
ALTER TABLE t3 RENAME TO t4;
ALTER TABLE t4 RENAME a TO b;
ALTER TABLE t4 ADD COLUMN c;
ALTER TABLE t4 DROP COLUMN c;
ALTER TABLE t1 RENAME b TO c;
SELECT sql FROM sqlite_schema;
DELETE FROM t4;
INSERT INTO t4 VALUES (1);
DELETE FROM t4;
%%
# Functions in places where they may not stand matter to who asks the view, not to ALTER
CREATE TABLE t(a, b);
CREATE TABLE u(x);
CREATE VIEW v1 AS SELECT sum(a + sum(b)) FROM t;
CREATE VIEW v2 AS SELECT a FROM t WHERE sum(b);
CREATE VIEW v3 AS SELECT row_number() FROM t;
CREATE VIEW v4 AS SELECT abs(b) OVER (ORDER BY b) FROM t;
CREATE VIEW v5 AS SELECT abs(a) FILTER (WHERE b) FROM t;
CREATE VIEW v6 AS SELECT a FROM t WHERE row_number() OVER (ORDER BY b);
CREATE VIEW v7 AS SELECT (SELECT sum(t.b) FROM u WHERE sum(t.b)) FROM t;
CREATE TRIGGER r AFTER INSERT ON u BEGIN SELECT sum(b + sum(a)) FROM t; END;
ALTER TABLE t RENAME COLUMN b TO n;
ALTER TABLE u RENAME TO w;
ALTER TABLE t RENAME TO s;
ALTER TABLE w ADD COLUMN y;
ALTER TABLE w DROP COLUMN y;
SELECT sql FROM sqlite_schema;
SELECT * FROM v2;
INSERT INTO w VALUES (1);
%%
# A name that FROM gives a table stays, be it the table's
CREATE TABLE t(a, b);
CREATE TABLE u(a, b);
CREATE VIEW v1 AS SELECT t.a FROM t AS t ORDER BY t.b;
CREATE VIEW v2 AS SELECT t.a, (SELECT t.b) FROM u JOIN t AS T ON t.rowid = u.rowid WHERE t.a > 1 GROUP BY t.a HAVING sum(t.b) > 0;
CREATE VIEW v3 AS SELECT t.a, t.b FROM t JOIN u AS t2 USING (a) WHERE EXISTS (SELECT t.b FROM t AS t WHERE t.a = t2.a);
CREATE VIEW v4 AS WITH w AS (SELECT t.a FROM t AS t) SELECT t.a FROM w AS t;
CREATE VIEW v5 AS SELECT t.*, t.a FROM t AS t WHERE (SELECT count(t.a) FROM t);
CREATE VIEW v6 AS SELECT t.a FROM (SELECT t.b AS a FROM t AS t) AS t LEFT JOIN t AS x ON x.a = t.a;
CREATE TRIGGER r AFTER INSERT ON u BEGIN INSERT INTO u SELECT t.a, t.b FROM t AS t; DELETE FROM t WHERE t.a IN (SELECT t.a FROM t AS t); END;
ALTER TABLE t RENAME TO s;
SELECT sql FROM sqlite_schema;
SELECT * FROM v1, v2, v3, v4, v5, v6;
%%
# Nor does it matter to ALTER that what should be one value is a row
CREATE TABLE t(a, b);
CREATE VIEW v1 AS SELECT (SELECT a, b FROM t) FROM t;
CREATE VIEW v2 AS SELECT (a, b) AS z FROM t;
CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT (VALUES (new.a, new.b)) FROM t GROUP BY 1; END;
ALTER TABLE t RENAME COLUMN b TO n;
ALTER TABLE t RENAME TO s;
SELECT sql FROM sqlite_schema;
SELECT * FROM v1;
SELECT * FROM v2;
INSERT INTO s VALUES (1, 2);
%%
# CTEs of expressions that are left out: they are looked at as the text is read
CREATE TABLE a(a,h CONSTRAINT a UNIQUE ON CONFLICT FAIL,CONSTRAINT a);
CREATE TABLE s(a, b, c);
CREATE TABLE b(b, c);
CREATE INDEX k ON s( (WITH s AS( SELECT * ) VALUES(2) ) IN () );
ALTER TABLE s RENAME a TO a2;
DROP INDEX k;
CREATE VIEW q AS SELECT 99 WINDOW x AS (RANGE BETWEEN UNBOUNDED PRECEDING AND count(*)OVER(PARTITION BY (WITH a AS(VALUES(2),(x3))VALUES(0))) FOLLOWING)ORDER BY x2,sum(1)OVER(PARTITION BY avg(5)OVER(PARTITION BY x1));
ALTER TABLE a RENAME TO g;
DROP VIEW q;
CREATE VIEW q AS SELECT 1 IN () FROM b WHERE (WITH s AS( SELECT col7) VALUES(2) ) IN ();
ALTER TABLE a RENAME TO g;
DROP VIEW q;
CREATE VIEW q AS SELECT 1 FROM b WINDOW x AS (ROWS (WITH s AS( SELECT c FROM b) VALUES(2) ) PRECEDING);
ALTER TABLE b RENAME c TO d;
SELECT sql FROM sqlite_schema WHERE name = 'q';
DROP VIEW q;
CREATE VIEW q AS SELECT sum(b) OVER (ROWS (WITH s AS( SELECT c FROM b) VALUES(2) ) PRECEDING) FROM b;
ALTER TABLE b RENAME c TO e;
DROP VIEW q;
CREATE VIEW q AS SELECT (WITH s AS(SELECT c FROM b), u AS (SELECT nosuch) VALUES(abs(2)) ) IN () FROM b;
ALTER TABLE b RENAME b TO e;
DROP VIEW q;
CREATE TRIGGER tr AFTER INSERT ON b BEGIN SELECT (WITH u AS (SELECT new.e) VALUES(2)) IN (); END;
ALTER TABLE s RENAME a TO a3;
ALTER TABLE s RENAME TO s3;
ALTER TABLE s3 DROP COLUMN b;
ALTER TABLE s ADD COLUMN b;
%%
# of several objects that a change harms, the first by its row is told; what is wrong already before what would be
CREATE TABLE t(a INTEGER PRIMARY KEY, b, c);
CREATE TABLE u(e);
CREATE VIEW v AS SELECT b FROM t;
CREATE VIEW v2 AS WITH x AS (SELECT a, b FROM t) SELECT a FROM x ORDER BY b;
CREATE TRIGGER r2 INSTEAD OF INSERT ON v BEGIN INSERT INTO u VALUES(new.b); END;
ALTER TABLE t RENAME a TO C;
ALTER TABLE t RENAME c TO A;
ALTER TABLE t RENAME b TO n;
CREATE VIEW v0 AS SELECT nosuch FROM u;
ALTER TABLE t RENAME a TO C;
ALTER TABLE t DROP COLUMN b;
ALTER TABLE t DROP COLUMN c;
DROP VIEW v0;
ALTER TABLE t DROP COLUMN b;
DROP TABLE u;
ALTER TABLE t RENAME TO t9;
ALTER TABLE t RENAME c TO B;
