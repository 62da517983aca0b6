# At which loop of a join a term with a subquery is tested
create table t(a int, b int, c text);
create table u(x int primary key, y real, z text collate nocase) without rowid;
create table v(p int, q int);
create index ub on u(y);
with q(i) as (values(1) union all select i+1 from q where i<30) insert into t select i%7, i%5, 'k'||(i%4) from q;
with q(i) as (values(1) union all select i+1 from q where i<30) insert into u select i, i%4+0.5*(i%2), 'K'||(i%3) from q;
with q(i) as (values(1) union all select i+1 from q where i<30) insert into v select i%4, i%9 from q;
insert into t values('x', null, 'K2'), (null, 3, null), (9007199254740993, 1, 'big'), (9007199254740992, 2, 'big');
insert into u values(9007199254740993, 9007199254740993, 'big'), (9007199254740992, 2, 'big');
insert into v values(9007199254740993, 77);
explain query plan select count(*) from t cross join u where t.a=u.x and u.x in (select p from v);
select count(*), sum(b), total(y) from t cross join u where t.a=u.x and u.x in (select p from v);
explain query plan select count(*) from t cross join u where t.a=u.x and u.x=(select max(p) from v where q<9);
select count(*), sum(b), total(y) from t cross join u where t.a=u.x and u.x=(select max(p) from v where q<9);
explain query plan select count(*) from t cross join u where t.a=u.y and u.y=(select max(p) from v where q<9);
select count(*), sum(b), total(y) from t cross join u where t.a=u.y and u.y=(select max(p) from v where q<9);
select count(*), sum(b), total(y) from t cross join u where t.a=u.y and u.y in (select p from v);
--= I:9007199254740992|I:9007199254740993|R:9007199254740992| because SQLite looks t.a up among integers, not among the reals that u.y is compared with
select t.a, u.x, u.y from t cross join u where t.a=u.y and u.y in (select p+0 from v) and t.a>8;
select t.a, u.x, u.y from t cross join u where t.a=u.x and u.x=(select max(p) from v) and t.a>8;
select count(*), sum(b), total(y) from t cross join u where t.a=u.x and u.x in (1, 3, '5');
--= I:10|N|R:17.5| because SQLite compares t.c with the list, without u.z's collation
select count(*), sum(b), total(y) from t cross join u where t.c=u.z and u.z in ('K1', 'k2');
select count(*), sum(b), total(y) from t cross join u where u.z=t.c and t.c in (select 'K'||p from v);
select count(*) from v cross join t cross join u where t.a=u.x and u.x in (select p+v.q from v v2 where q<9) and v.q<9;
select t.a, u.x from t cross join u where (t.a, t.b)=(u.x, u.y) and (u.x, u.y) in (select p, q from v);
select t.a, u.x from t left join u on t.a=u.x and u.x in (select p from v) where t.b=2 order by t.a;
select t.a, u.x from t right join u on t.a=u.x and u.x in (select p from v) where u.x<6 order by u.x, t.b;
select t.a, v.p, u.x from t join v on t.b=v.p left join u on v.p=u.x and t.b=u.x where v.p in (select x from u) and q=4 order by t.a;
# One that is not correlated is tested with the other terms; one that is, last.
explain query plan select * from t where c in (select z from u) and exists(select 1 from u where u.x=t.a) and b=(select max(q) from v);
explain query plan select * from t where exists(select 1 from u where u.x=t.a) and c in (select z from u) and b=3;
select * from t where c in (select z from u) and exists(select 1 from u where u.x=t.a) and b=(select min(q) from v);
select * from t where exists(select 1 from u where u.x=t.a) and b=(select min(q)+1 from v) and c>'k1';
# Subqueries with a RIGHT JOIN that come first in FROM are merged. What a correlated one gives for the unmatched rows is computed by the
# same subroutine.
create table a(x int, y int);
create table b(x int, y int, z text);
create table d(x int, y int);
create index ay on a(y, x);
create index bx on b(x, y);
create index bz on b(y, z, x);
with q(i) as (values(1) union all select i+1 from q where i<20) insert into a select i, i%5 from q;
with q(i) as (values(1) union all select i+1 from q where i<30) insert into b select i%25+10, i%6, 'k'||(i%3) from q;
with q(i) as (values(1) union all select i+1 from q where i<15) insert into d select i*2, i%4 from q;
insert into a values(null, 1), (3, null);
insert into b values(null, null, 'n');
insert into d values(null, null);
select a.x, b.x, b.y from a right join b on a.x=b.x where exists(select 1 from d where d.x=b.x) order by 1, 2, 3;
explain query plan select a.x, b.x, b.y from a right join b on a.x=b.x where exists(select 1 from d where d.x=b.x);
select a.x, b.x, b.y from a right join b on a.x=b.x where not exists(select 1 from d where d.x=a.x) order by 1, 2, 3;
select a.x, b.x, b.y from a full join b on a.x=b.x and a.y>1 where (select count(*) from d where d.x=a.x or d.x=b.x)>0 order by 1, 2, 3;
select count(*), sum(a.x), sum(b.x) from a full join b on a.x=b.x full join d on d.x=b.y where (select count(*) from b e where e.x=d.x and e.y=b.y or a.y=1);
select b.z, b.y, count(a.x) from a right join b on a.x=b.x where b.y=(select max(y)+b.y from d where d.x=b.x) group by 1, 2;
select b.x, b.y, (select sum(y) from d where d.x>b.x) from a right join b on a.x=b.x and a.y=2 where (select count(*) from d where d.y=b.y and d.x<>a.x)<3 order by 1, 2, 3;
create view r as select a.x ax, b.x bx, b.y, coalesce(a.y, -1) c, 7 as k from a right join b on a.x=b.x;
create view f as select a.x ax, b.x bx, a.y ay, b.y||'' as t from a full join b on a.x=b.x and a.y<3 where a.x is null or a.x<>12;
explain query plan select * from r where c<3;
select * from r where c<3 order by 1, 2, 3, 4;
select * from r where k=7 and ax is null order by bx, y;
select ax, bx, t from f where t>'3' or ay=2 order by 1, 2, 3;
select count(*), min(c), max(y), sum(k), total(ax) from r where bx>15;
select c, count(*), sum(k) from r group by c;
select distinct c, k from r where y<4 order by c desc;
select r.*, d.y from r, d where d.x=r.bx and r.ax is null order by 1, 2, 3, 4, 5, 6;
select r.ax, r.bx, d.x, d.y from r left join d on d.x=r.bx and r.c>0 where r.bx<20 or d.y is null order by 1, 2, 3, 4;
select r.ax, r.bx, d.x from r right join d on d.x=r.bx order by 1, 2, 3;
select r.ax, f.bx, f.t from r join f on r.ax=f.ax where r.c in (1, 2) order by 1, 2, 3;
select r.ax, f.bx, r.k from r full join f on r.bx=f.bx and r.c=1 where r.y=3 or f.ay=2 order by 1, 2, 3;
select d.x, r.ax, r.k from d left join r on r.bx=d.x where d.y<2 order by 1, 2, 3;
select (select max(c) from r where r.bx=d.x), d.x from d order by 2;
select ax, bx from (select * from r where y>2 limit 3) where k=7;
select * from (select ax, c from r order by bx, ax) where c>0 limit 4;
select x, (select group_concat(t) from (select t from f where f.bx=d.x order by 1)) from d order by x;
# What a subquery asks of a table does not count against an index that has the rest.
%%
create table s(a text, b int, c text, d text);
create table r(a integer primary key, b int, c, d int);
create index rb on r(b desc, a desc);
create table p(a, d);
insert into r select value, value%10, 'c'||value, value%7 from json_each('[1,2,3,4,5,6,7,8,9,10,11,12]');
insert into s values(1, 2, '2', 'x'), (1, 3, 2, 'x'), (1, 3, 2, 'y');
insert into p values(1, 1), (2, 3), (3, null);
analyze;
update sqlite_stat1 set stat='300 30 15' where idx='rb';
update sqlite_stat1 set stat='10' where tbl='s';
update sqlite_stat1 set stat='30' where tbl='p';
analyze sqlite_schema;
explain query plan select distinct * from s, r where exists(select 1 from p where p.d=r.d) and s.d='x' and s.a='1' and s.c='2';
select distinct * from s, r where exists(select 1 from p where p.d=r.d) and s.d='x' and s.a='1' and s.c='2';
%%
# A list that drives a loop is computed before it: no automatic index for it
CREATE TABLE large(a INTEGER PRIMARY KEY, b);
CREATE TABLE small(x INTEGER PRIMARY KEY, y);
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1(tbl, idx, stat) VALUES('large', NULL, '1000000'), ('small', NULL, '1000');
ANALYZE sqlite_schema;
EXPLAIN QUERY PLAN SELECT x FROM small WHERE y = 5;
--= I:1|I:0|T:SEARCH large USING INTEGER PRIMARY KEY (rowid=?)| I:2|I:0|T:LIST SUBQUERY 1| I:3|I:2|T:SCAN small| I:4|I:2|T:CREATE BLOOM FILTER| because 3.40 tells no Bloom filter
EXPLAIN QUERY PLAN SELECT b FROM large WHERE a IN (SELECT x FROM small WHERE y = 5);
%%
-- Subqueries that are run once though they stand in a loop are planned for many runs.
CREATE TABLE t(id INTEGER PRIMARY KEY, g, o, v);
INSERT INTO t(g, o, v) VALUES(1,1,5),(1,1,NULL),(1,2,2.5),(1,3,'x'),(1,NULL,7),(2,1,9),(2,1,1),(2,4,-3),(2,'b','y'),(3,2,-1),(NULL,1,6),(NULL,NULL,0.1);
CREATE TABLE n(o INT, v INT);
INSERT INTO n VALUES(1,10),(2,20);
CREATE INDEX ti ON t(g, o);
SELECT (SELECT json_group_array(v) OVER (PARTITION BY g ORDER BY g) FROM t WHERE id > 4) FROM n;
SELECT (SELECT x FROM (SELECT json_group_array(v) AS x FROM t WHERE id > 4 GROUP BY g, id > 0)) FROM n;
SELECT o FROM n WHERE 'x' <> (SELECT group_concat(v) OVER (PARTITION BY g ORDER BY g) FROM t WHERE id > 4);
