# What estimates go by.
%%
# A column that WHERE has found equal to a constant is read all the same, as far as indexes that lack it are concerned.
create table t(a, b int, c real, d real);
create index tx on t(a, d, c);
create index ty on t(lower(a), lower(c)) where d is not null;
create view v as select * from t where d>3;
insert into t values(1, 2, 3, 4), (2, 3, 4, 3), ('A', 1, 2, 5), (null, null, null, null);
explain query plan select d from v where d=5;
select d from v where d=5;
%%
# An automatic index, when the source before it has an index that helps with the order.
create table n(a, b, c, d);
create index nx on n(d, b, c);
create table m(a, b);
insert into n values(1, 2, 2, 4), (2, 2, 2, 4), (3, 4, 4, 5), (4, 1, 2, 6);
insert into m values(4, 1), (6, 2);
explain query plan select max(x.c) from n x cross join n y where y.b=x.c and y.d in (select a from m);
select max(x.c) from n x cross join n y where y.b=x.c and y.d in (select a from m);
explain query plan select x.c from n x cross join n y where y.b=x.c and y.d in (select a from m);
%%
# IS NULL of a column of a view that cannot be NULL
create table t(a, b int not null, c int, primary key(a, b)) without rowid;
create table u(a, b, c);
create view v as select a, b, c from t;
insert into t values(1, 2, 3), (2, 3, 4);
insert into u values(1, 2, null), (3, 4, 5);
explain query plan select 1 from v x cross join u y where x.b is null and y.a=x.a;
select count(*) from v x cross join u y where x.b is null and y.a=x.a;
select x.*, y.* from u y left join v x on y.a=x.a where x.b is null;
select x.*, y.* from u y left join v x on y.a=x.a and x.b is null order by y.a;
select x.*, y.* from v x right join u y on y.a=x.a where x.b is null;
select x.*, y.* from v x full join u y on y.a=x.a and x.b is null order by 1, 4;
select x.a from v x where x.b is null or x.a=1;
explain query plan select 1 from u left join t x on x.c=u.c cross join u y where x.b is null and y.a=x.a and x.a=6;
%%
# DISTINCT leaves an eighth of the rows.
create table t(a, b, c);
create index ta on t(a);
create table u(x, y);
insert into t values(5, 1, 2), (5, 1, 3), (5, 2, 4), (6, 1, 1);
insert into u values(1, 1), (2, 2), (3, 3);
--= I:1|I:0|T:MATERIALIZE s| I:2|I:1|T:SEARCH t USING INDEX ta (a=?)| I:3|I:1|T:USE TEMP B-TREE FOR DISTINCT| I:4|I:0|T:SCAN u| I:5|I:0|T:SCAN s LEFT-JOIN| because DISTINCT is taken to leave an eighth of the rows in later releases
explain query plan select * from u left join (select distinct a, b from t where a=5) s on s.b=u.x;
select * from u left join (select distinct a, b from t where a=5) s on s.b=u.x;
explain query plan select * from u left join (select distinct a, b from t) s on s.b=u.x;
%%
# A star has four dimensions and more.
create table f(a, b, c, e, g);
create table d1(id integer primary key, v);
create table d2(id integer primary key, v);
create table d3(id integer primary key, v);
create table k(id integer primary key, v);
create index fa on f(a, b, c, e);
insert into f values(1, 1, 1, 1, 1), (2, 1, 2, 1, 2), (2, 2, 2, 2, 3);
insert into d1 values(1, 'x'), (2, 'y');
insert into d2 values(1, 'x'), (2, 'y');
insert into d3 values(1, 'x'), (2, 'y');
insert into k values(1, 'x'), (2, 'y'), (3, 'y');
analyze;
delete from sqlite_stat1;
insert into sqlite_stat1 values('f', 'fa', '5000 100 10 2 1'), ('d1', null, '10'), ('d2', null, '10'), ('d3', null, '10'), ('k', null, '10');
analyze sqlite_schema;
--= I:1|I:0|T:SCAN f| I:2|I:0|T:SEARCH d2 USING INTEGER PRIMARY KEY (rowid=?)| I:3|I:0|T:SEARCH d3 USING INTEGER PRIMARY KEY (rowid=?)| I:4|I:0|T:SEARCH d1 USING INTEGER PRIMARY KEY (rowid=?)| I:5|I:0|T:SCAN k| because later releases keep other ones of equal paths
explain query plan select distinct f.rowid, k.v from d1, d2, d3, f, k where f.a=d1.id and f.b=d2.id and f.c=d3.id and k.v=d1.v;
select distinct f.rowid, k.v from d1, d2, d3, f, k where f.a=d1.id and f.b=d2.id and f.c=d3.id and k.v=d1.v;
%%
# What a column is equal to may be a function's answer.
create table t1(a int primary key, b, c);
create table t2(a int primary key, f);
create table t3(a int primary key, j, k);
insert into t1(a, b) values(5, 'x'), (6, 'y'), (7, 'z'), ('05q', 4);
insert into t2(a, f) values(5, 'x'), (6, 'y'), (7, 'z');
insert into t3(a, j) values(5, 5), (6, '6'), (7, '05q'), (8, 5.0), (9, '5');
explain query plan select * from t1, t2, t3 where t1.a=t2.a and t2.a=t3.j and t3.j=abs(5) order by t1.a;
explain query plan select * from t1, t2, t3 where t1.a=t2.a and t2.a=t3.j and t3.j=upper('x') order by t1.a;
explain query plan select * from t1, t2, t3 where t1.a=t2.a and t2.a=t3.j and t3.j=random() order by t1.a;
select * from t1, t3 where t1.a=t3.j and t3.j=abs(5);
select * from t1, t3 where t1.a=t3.j and t3.j=lower('05Q');
select * from t1, t3 where t1.a=t3.j and t3.j=abs(-5.0) and typeof(t3.j)='integer';
select * from t1, t3 where t1.a=t3.j and t3.j=lower('5');
select * from t1, t2 where t1.a+1=t2.a+1 and t2.a=lower('5');
select * from t1 where b=a and a=json('{');
select * from t1, t2 where t1.b='no' and t1.a=t2.a and t1.a=json('{');
select * from t1 where a=lower('5') and b in (select f from t2 where t2.a=t1.a);
%%
# A LIMIT ends a loop over a large table that delivers the order, before the half of another table is looked up.
create table m(id integer primary key, p, d);
create table n(d, u);
create table o(u, f);
create index mp on m(p);
create index md on m(d);
create index nd on n(d);
create index nu on n(u);
create index ou on o(u);
analyze sqlite_master;
insert into sqlite_stat1 values('m', 'mp', '10747267 50'), ('m', 'md', '10747267 121'), ('n', 'nd', '39667 1'), ('n', 'nu', '39667 81'), ('o', 'ou', '569 1');
analyze sqlite_master;
explain query plan select m.id from m, n, o where m.p>1393520400 and o.f=1 and m.d=n.d and n.u=o.u order by m.p desc limit 500;
%%
# A table of WITH that is NOT MATERIALIZED but joined to itself is computed once.
create table t(a, b);
insert into t values(1, 2), (2, 3), (3, 3), (1, 4);
explain query plan with c(x) as not materialized (values(0), (1)) select c1.x||c2.x||c3.x from c c1, c c2, c c3;
with c(x) as not materialized (values(0), (1)) select c1.x||c2.x||c3.x from c c1, c c2, c c3;
with c(x, y) as not materialized (select a, sum(b) from t group by a) select c1.x||c2.x, c1.y, c2.y from c c1, c c2 where c1.x=c2.y;
with c(x, y) as not materialized (select a, sum(b) from t group by a) select c1.x||c2.x, c1.y, c2.y from c c1, c c2 where c1.x=1;
with c(x, y) as not materialized (select a, sum(b) from t group by a) select * from t left join c c1 on t.a=c1.x left join c c2 on t.b=c2.x;
select (with c(x) as not materialized (select t.a union select t.b) select group_concat(c1.x||c2.x) from c c1, c c2) from t;
%%
# The key that UPDATE FROM reads is in each index of a table WITHOUT ROWID, in those of constraints too.
create table k1(a text primary key, b unique, c, unique(a, c)) without rowid;
create unique index i2 on k1(c desc, a, b);
explain query plan update k1 set c = 2 from (select 1 as x limit 1) as q where b < 3;
explain query plan update k1 set b = q.x from (select 1 as x limit 1) as q where b <> q.x;
explain query plan update k1 set b = q.x from (select 1 as x limit 1) as q where c <> q.x;
insert into k1 values('a', 3, 1), ('b', 2, 2), ('c', 1, 3);
update k1 set c = 7 from (select 1 as x) as q where b < 3;
update k1 set c = k1.b || count(q.x) from (select 1 as x) as q where k1.b < 5;
select * from k1;
%%
# The key of an index on an expression is one also where another term says what its column is.
create table t1(v integer);
insert into t1 values(1), (-1), (2), (null);
create index idx on t1(abs(v));
--= I:1|I:0|T:SEARCH t1 USING INDEX idx (<expr>=?)| because it is so from release 3.42 on
explain query plan select v from t1 where abs(v) = 1 and v = 1;
select v from t1 where abs(v) = 1 and v = -1;
create table t2(v int, w int);
insert into t2 values(1, 1), (2, -1), (1, 3);
create index idx2 on t2(v + w);
--= I:1|I:0|T:SEARCH t2 USING INDEX idx2 (<expr>>?)| because it is so from release 3.42 on
explain query plan select v from t2 where v + w > 1 and v = 1 and w = 3;
select v from t2 where v + w > 1 and v = 1 and w = 3;
select * from t1, t2 where t2.v + t2.w = t1.v and t2.v = 1;
# A constant key of an index is none.
create table t3(a);
create index idx3 on t3(null);
insert into t3 values(0.2);
create view v3(b) as select distinct a from t3;
select * from v3 left join t2 on b < null left join t3 on 1 where a / 0.1;
-- The NULL rows of a join go where a condition behind rows of VALUES refuses them.
CREATE TABLE partial(a, b, c, d);
CREATE UNIQUE INDEX partial_a ON partial(a) WHERE c IS NOT NULL;
--=  because VALUES are merged since 3.46
SELECT 1 FROM partial AS p INDEXED BY partial_a LEFT JOIN partial AS q ON p.c = q.c LEFT JOIN (VALUES (1, 2), (2, 3)) AS r ON p.a >= q.d WHERE r.column1 > 0;
SELECT 1 FROM partial AS p INDEXED BY partial_a LEFT JOIN partial AS q ON p.c = q.c LEFT JOIN (VALUES (1, 2), (2, 3)) AS r ON p.a >= q.d WHERE p.a > 0;
SELECT 1 FROM partial AS p INDEXED BY partial_a LEFT JOIN partial AS q ON p.c = q.c LEFT JOIN partial AS r ON p.a >= q.d WHERE r.d > 0;
--=  because VALUES are merged since 3.46
SELECT 1 FROM partial AS p INDEXED BY partial_a LEFT JOIN partial AS q ON p.c = q.c JOIN (VALUES (1, 2), (2, 3)) AS r ON p.a >= q.d WHERE r.column1 > 0;
--= I:0| because VALUES are merged since 3.46
SELECT count(*) FROM partial AS p INDEXED BY partial_a LEFT JOIN partial AS q ON p.c = q.c JOIN (VALUES (1, 2), (2, 3)) AS r ON p.a >= q.d WHERE r.column1 > 0;
%%
# A table is looked up by an index although half of its rows might come, where another one is looked up by equality itself.
CREATE TABLE shop(s, name);
INSERT INTO shop VALUES (1, 'north'), (2, 'south'), (3, 'east'), (4, 'west');
CREATE INDEX shop_name ON shop(name, s);
CREATE TABLE till(t, s);
CREATE INDEX till_shop ON till(s, t);
CREATE TABLE sale(id, t, what);
CREATE INDEX sale_till ON sale(t, id);
CREATE INDEX sale_id ON sale(id);
ANALYZE;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 VALUES ('sale', 'sale_id', '500000 1'), ('sale', 'sale_till', '500000 40000 1'),
  ('till', 'till_shop', '24 12 1'), ('shop', 'shop_name', '4 1 1');
ANALYZE sqlite_schema;
--= I:1|I:0|T:SEARCH shop USING COVERING INDEX shop_name (name=?)| I:2|I:0|T:SEARCH till USING COVERING INDEX till_shop (s=?)| I:3|I:0|T:SEARCH sale USING INDEX sale_till (t=?)| I:4|I:0|T:USE TEMP B-TREE FOR ORDER BY| because SQLite does not risk the scan since 3.50
EXPLAIN QUERY PLAN SELECT sale.* FROM shop, till, sale WHERE sale.t = till.t AND till.s = shop.s AND shop.name = ? ORDER BY sale.id DESC;
%%
# How many rows a recursive table has is what its recursive terms are expected to give
CREATE TABLE t(a, b);
EXPLAIN QUERY PLAN WITH w(a, b) AS MATERIALIZED (SELECT 1, 2 UNION ALL SELECT a + 1, b FROM w WHERE a < 5) SELECT * FROM w JOIN t USING(a);
EXPLAIN QUERY PLAN WITH w(a, b) AS MATERIALIZED (SELECT 1, 2 UNION ALL SELECT a + 1, b FROM w WHERE a < 5 LIMIT 3) SELECT * FROM w JOIN t USING(a);
EXPLAIN QUERY PLAN WITH w(a, b) AS MATERIALIZED (SELECT 1, 2 UNION ALL SELECT r.a + 1, t.b FROM w AS r JOIN t ON t.a >= r.a WHERE r.a < 2 UNION ALL SELECT a + 2, b FROM w WHERE a < 5 LIMIT 3) SELECT * FROM w LEFT JOIN t USING(a);
EXPLAIN QUERY PLAN WITH w(a, b) AS MATERIALIZED (SELECT 1, 2 UNION SELECT a + 1, b FROM w WHERE a < 5 LIMIT 1) SELECT * FROM w LEFT JOIN t ON t.b = w.b;
EXPLAIN QUERY PLAN WITH w(a, b) AS MATERIALIZED (SELECT a, b FROM t UNION SELECT r.a + 1, t.b FROM w AS r, t WHERE r.a < 6 AND t.a = r.a UNION SELECT b, a FROM w WHERE a < 4 LIMIT 5) SELECT count(*) FROM w NATURAL JOIN t;
%%
# What implies that a column is not NULL: either operand of * / % &, the condition of a choice without another branch
CREATE TABLE t(a, x);
CREATE INDEX tx ON t(x) WHERE a IS NOT NULL;
CREATE TABLE u(a, b);
INSERT INTO t VALUES (1, 2), (NULL, 2), (3, NULL), (0, 4);
INSERT INTO u VALUES (0, 2), (1, 4), (NULL, NULL);
EXPLAIN QUERY PLAN SELECT * FROM u JOIN t INDEXED BY tx ON (u.a = 7, u.b) = ('a' % t.a, 3);
SELECT * FROM u JOIN t INDEXED BY tx ON u.a = 7 % t.a;
SELECT * FROM u JOIN t INDEXED BY tx ON u.a = 1 / t.a;
SELECT * FROM u JOIN t INDEXED BY tx ON u.b > 1 & t.a;
SELECT * FROM t INDEXED BY tx WHERE 3 * a;
SELECT * FROM t INDEXED BY tx WHERE 3 & (a BETWEEN 1 AND 3);
SELECT * FROM t INDEXED BY tx WHERE 3 * (a IN (SELECT a FROM u)) > 4;
SELECT * FROM t INDEXED BY tx WHERE 3 * (a IN (SELECT a FROM u));
--= I:3|N| I:1|I:2| because iif() has two arguments since 3.48, and a choice without another branch implies its condition
SELECT * FROM t INDEXED BY tx WHERE iif(a > 0, 1);
--= I:1|I:2| because if() is since 3.48
SELECT * FROM t INDEXED BY tx WHERE if(a > 0, x, FALSE);
--= I:3|N| I:1|I:2| because a choice without another branch implies its condition since 3.48
SELECT * FROM t INDEXED BY tx WHERE CASE WHEN a > 0 THEN 1 ELSE 0 END;
--= I:3|N| I:1|I:2| because a choice without another branch implies its condition since 3.48
SELECT * FROM t INDEXED BY tx WHERE CASE WHEN a > 0 THEN 1 ELSE -0 END;
SELECT * FROM t INDEXED BY tx WHERE CASE WHEN a > 0 THEN 1 ELSE 1 END;
SELECT * FROM t INDEXED BY tx WHERE CASE a WHEN 1 THEN 1 END;
SELECT * FROM t INDEXED BY tx WHERE CASE WHEN a > 0 THEN 1 WHEN x THEN 2 END;
%%
# What names no column of the table says nothing of its rows, also where a partial index says the same.
CREATE TABLE t(a, b, c);
CREATE INDEX p ON t(a) WHERE 'x' IS TRUE;
CREATE INDEX q ON t(a) WHERE 5 > 4 AND b > 5;
CREATE INDEX r ON t(a) WHERE b > 5;
--= error: no query solution because 3.40 takes it
SELECT 1 FROM t INDEXED BY p WHERE 'x' IS TRUE AND c;
--= error: no query solution because 3.40 takes it
SELECT 1 FROM t AS s LEFT JOIN t INDEXED BY p ON 'x' IS TRUE;
--= error: no query solution because 3.40 takes it
SELECT 1 FROM t INDEXED BY q WHERE 5 > 4 AND b > 5;
SELECT 1 FROM t INDEXED BY r WHERE 5 > 4 AND b > 5;
--= I:1|I:0|T:SCAN t| I:2|I:0|T:USE TEMP B-TREE FOR ORDER BY| because 3.40 takes it
EXPLAIN QUERY PLAN SELECT a FROM t WHERE 'x' IS TRUE ORDER BY a;

-- The counts of a view's terms are taken once where they read nothing around them.
CREATE TABLE counted(a, b);
CREATE VIEW counted_all AS SELECT a FROM counted UNION ALL SELECT b FROM counted;
--= I:1|I:0|T:SCAN CONSTANT ROW| I:2|I:0|T:SCALAR SUBQUERY 3| I:3|I:2|T:SCAN counted| I:4|I:0|T:SCALAR SUBQUERY 2| I:5|I:4|T:SCAN counted| because later releases count the terms
EXPLAIN QUERY PLAN SELECT count(*) FROM counted_all;
--= I:1|I:0|T:SCAN counted| I:2|I:0|T:SCALAR SUBQUERY 1| I:3|I:2|T:SCAN CONSTANT ROW| I:4|I:2|T:SCALAR SUBQUERY 4| I:5|I:4|T:SCAN counted| I:6|I:2|T:SCALAR SUBQUERY 3| I:7|I:6|T:SCAN counted| because later releases count the terms
EXPLAIN QUERY PLAN SELECT a, (SELECT count(*) FROM counted_all) FROM counted;
DROP VIEW counted_all;
DROP TABLE counted;
%%
# subqueries of a term of OR stand before its search
CREATE TABLE t(a INTEGER PRIMARY KEY, b, c);
CREATE INDEX tb ON t(b);
CREATE INDEX tc ON t(c);
CREATE TABLE u(x, y, PRIMARY KEY(x, y)) WITHOUT ROWID;
EXPLAIN QUERY PLAN SELECT a FROM t WHERE b > (SELECT y FROM u) OR a = 7;
EXPLAIN QUERY PLAN DELETE FROM t WHERE c = 1 OR b > (SELECT y FROM u);
EXPLAIN QUERY PLAN SELECT * FROM t WHERE c IN (SELECT y FROM u WHERE x = 1) OR b = 2 AND c > (SELECT x FROM u);
%%
-- Of two values that one column should have, the last one is put in the place of the column, and plans hang on it.
CREATE TABLE w(a INT, b INT, c INT, d INT);
CREATE UNIQUE INDEX wd ON w(d);
EXPLAIN QUERY PLAN SELECT c FROM w WHERE b = 1 AND b = 5 ORDER BY d LIMIT 2;
EXPLAIN QUERY PLAN SELECT c FROM w WHERE b = 5 AND b = 1 ORDER BY d LIMIT 2;
EXPLAIN QUERY PLAN SELECT c FROM w WHERE b = 1 AND 5 = b ORDER BY d LIMIT 2;
EXPLAIN QUERY PLAN SELECT c FROM w WHERE b = 1 AND b = '1' ORDER BY d LIMIT 2;
EXPLAIN QUERY PLAN SELECT c FROM w WHERE b = 1 AND b = 5 AND b = 6 ORDER BY d LIMIT 2;
EXPLAIN QUERY PLAN SELECT c FROM w WHERE b = 6 AND b = 5 AND b = 1 ORDER BY d LIMIT 2;
%%
-- Of equalities of one column with columns of one other table OR makes IN, whichever side is written first, where nothing is converted.
CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, k);
CREATE TABLE z(f INTEGER, t INTEGER, b, x TEXT);
CREATE INDEX pk ON p(k);
CREATE INDEX pn ON p(name);
EXPLAIN QUERY PLAN SELECT * FROM p JOIN z ON p.id = z.f OR p.id = z.t;
EXPLAIN QUERY PLAN SELECT * FROM p JOIN z ON z.f = p.id OR p.id = z.t;
EXPLAIN QUERY PLAN SELECT * FROM p JOIN z ON p.id = z.f OR p.id = 5;
EXPLAIN QUERY PLAN SELECT * FROM p JOIN z ON p.id = z.f OR p.id = z.b;
EXPLAIN QUERY PLAN SELECT * FROM p JOIN z ON p.name = z.x OR p.name = z.x || 'a' OR p.name = 'b';
EXPLAIN QUERY PLAN SELECT * FROM p JOIN z ON p.k = z.b OR z.b = p.name OR p.k = z.x;
%%
-- What is equal to a column with a value is looked up first: it may then still be tested.
CREATE TABLE a(id INTEGER PRIMARY KEY, x);
CREATE TABLE b(id INTEGER PRIMARY KEY, x);
EXPLAIN QUERY PLAN SELECT * FROM a, b WHERE a.id = 3 AND b.id = a.id;
EXPLAIN QUERY PLAN SELECT * FROM a, b WHERE b.id = 3 AND b.id = a.id;
EXPLAIN QUERY PLAN SELECT * FROM b, a WHERE b.id = 3 AND b.id = a.id;
EXPLAIN QUERY PLAN SELECT * FROM b, a WHERE a.id = 3 AND b.id = a.id;
EXPLAIN QUERY PLAN SELECT * FROM b JOIN a ON b.id = a.id WHERE b.id IN (1);
%%
-- DISTINCT of the only aggregate function needs no table where an index brings its argument in order within each group.
CREATE TABLE t(id INTEGER PRIMARY KEY, g, x, y);
CREATE INDEX tgx ON t(g, x);
CREATE TABLE u(a, b, PRIMARY KEY(a, b)) WITHOUT ROWID;
INSERT INTO t VALUES (1, 1, 'a', 5), (2, 1, 'b', 5), (3, 1, 'a', NULL), (4, 2, NULL, 1), (5, 2, 'a', 5), (6, NULL, 'a', 1), (7, 2, NULL, 5), (8, 1, 'B', 5);
INSERT INTO u SELECT DISTINCT g, x FROM t WHERE g > 0 AND x > '';
SELECT g, count(DISTINCT x), quote(group_concat(x)) FROM t GROUP BY g;
SELECT g, count(DISTINCT x) FROM t GROUP BY g;
SELECT g, group_concat(DISTINCT x) FROM t GROUP BY g HAVING count(*) > 1;
SELECT g, count(DISTINCT x) FILTER (WHERE y = 5) FROM t GROUP BY g ORDER BY 1 DESC;
SELECT g, count(DISTINCT x COLLATE NOCASE) FROM t GROUP BY g;
SELECT y, count(DISTINCT id) FROM t GROUP BY y;
SELECT a, count(DISTINCT b) FROM u GROUP BY a;
SELECT t.g, count(DISTINCT u.b) FROM t LEFT JOIN u ON u.a = t.g GROUP BY t.g;
EXPLAIN QUERY PLAN SELECT g, count(DISTINCT x) FROM t GROUP BY g;
EXPLAIN QUERY PLAN SELECT g, COUNT(DISTINCT y) FROM t GROUP BY g;
EXPLAIN QUERY PLAN SELECT y, count(DISTINCT id) FROM t GROUP BY y;
EXPLAIN QUERY PLAN SELECT a, count(DISTINCT b) FROM u GROUP BY a;
EXPLAIN QUERY PLAN SELECT g, count(DISTINCT x), max(y) FROM t GROUP BY g;
%%
# A literal has no affinity, a column of a query or view without one another: UNION ALL is not taken apart where they meet
CREATE TABLE t(a INT, b, c);
CREATE INDEX tb ON t(b, c);
INSERT INTO t VALUES(1,'z',1),(2,'x',2),(3,'y',NULL),(4,'x',1);
CREATE VIEW v AS SELECT a + 1 AS a, b, a + c AS c FROM t;
EXPLAIN QUERY PLAN SELECT * FROM (SELECT 1 AS a, b, c FROM v UNION ALL SELECT a, b, c FROM v);
SELECT c, a, b FROM (SELECT 1 AS a, b, c FROM v UNION ALL SELECT a, b, c FROM v);
SELECT b, c FROM (SELECT 1 AS a, b, c FROM v UNION ALL SELECT a, b, c FROM v) ORDER BY 1 DESC;
EXPLAIN QUERY PLAN SELECT * FROM (SELECT a, b, c FROM v UNION ALL SELECT a, b, 1 FROM v);
EXPLAIN QUERY PLAN SELECT b FROM (SELECT a, b, c FROM v UNION ALL SELECT a, b, c FROM v);
SELECT b FROM (SELECT a, b, c FROM v UNION ALL SELECT a, b, c FROM v);
# What is named twice is made once, whatever is asked of each place
--= I:1|I:0|T:MATERIALIZE w| I:2|I:1|T:SCAN t| I:3|I:1|T:USE TEMP B-TREE FOR GROUP BY| I:4|I:0|T:SCAN p| I:5|I:0|T:SCAN q LEFT-JOIN| because 3.40 makes it twice
EXPLAIN QUERY PLAN WITH w AS NOT MATERIALIZED (SELECT a, b, count(*) AS c FROM t GROUP BY a) SELECT * FROM w AS p LEFT JOIN w AS q ON p.a = q.c AND q.a > 2;
EXPLAIN QUERY PLAN WITH w AS NOT MATERIALIZED (SELECT a, b, count(*) AS c FROM t GROUP BY a) SELECT * FROM w AS p WHERE p.a > 2;
EXPLAIN QUERY PLAN WITH w AS NOT MATERIALIZED (SELECT a, b, count(*) AS c FROM t GROUP BY a) SELECT * FROM w AS p WHERE p.a > 2 AND p.b IN (SELECT b FROM w);
