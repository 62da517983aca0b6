# Conditions on a subquery in FROM are asked within it as well: those of its windows' common PARTITION BY,
%%
create table t(a int, b text, c, d real);
create index ta on t(a);
insert into t values(1, 'x', 1, 2.5), (1, 'y', 1.0, 1), (1, 'X', '1', null), (2, 'x', 2, 3), (2, 'z', null, 4), (3, null, 5, 6), (null, 'n', 7, 8);
--= I:1|I:0|T:CO-ROUTINE (subquery-1)| I:2|I:1|T:CO-ROUTINE (subquery-3)| I:3|I:2|T:SEARCH t USING INDEX ta (a=?)| I:4|I:2|T:USE TEMP B-TREE FOR LAST TERM OF ORDER BY| I:5|I:1|T:SCAN (subquery-3)| I:6|I:0|T:SCAN (subquery-1)| because the last term of an ORDER BY is told of otherwise in later releases
explain query plan select * from (select *, row_number() over(partition by a order by b) n from t) where a=1;
select * from (select *, row_number() over(partition by a order by b) n from t) where a=1;
select * from (select *, row_number() over(partition by a order by b) n from t) where a=1 and n=2;
select * from (select a, b, sum(d) over(partition by a) s, count(*) over(partition by a order by b) n from t) where a in (1, 3) order by 1, 2;
--= I:1|I:0|T:CO-ROUTINE (subquery-1)| I:2|I:1|T:CO-ROUTINE (subquery-3)| I:3|I:2|T:CO-ROUTINE (subquery-4)| I:4|I:3|T:SEARCH t USING INDEX ta (a=?)| I:5|I:3|T:USE TEMP B-TREE FOR LAST TERM OF ORDER BY| I:6|I:2|T:SCAN (subquery-4)| I:7|I:1|T:SCAN (subquery-3)| I:8|I:0|T:SCAN (subquery-1)| because the last term of an ORDER BY is told of otherwise in later releases
explain query plan select * from (select a, b, sum(d) over(partition by a) s, count(*) over(partition by a order by b) n from t) where a=1;
# not of one window alone, or of a part of what it is partitioned by that means something else
select * from (select a, b, sum(d) over(partition by a) s, count(*) over(partition by b) n from t) where a=1 order by 2;
explain query plan select * from (select a, b, sum(d) over(partition by a) s, count(*) over(partition by b) n from t) where a=1;
select * from (select a, b, count(*) over(partition by a, b) n from t) where a=1 and b>'a' order by 2;
select * from (select a, b, count(*) over(partition by a, b) n from t) where a=1 or d=3;
select * from (select a, b, d, count(*) over(partition by a, b) n from t) where a=1 or d=3 order by 1, 2;
select * from (select b, count(*) over(partition by b collate nocase) n from t) where b='x';
select * from (select lower(b) k, count(*) over(partition by lower(b)) n from t) where k='x';
select * from (select lower(b) k, b, count(*) over(partition by lower(b)) n from t) where b='x';
select * from (select c, count(*) over(partition by c) n from t) where c=1 order by typeof(c);
--= I:1|I:2| I:2|I:1| I:5|I:1| I:7|I:1| because SQLite asks it within, where one row of the partition 1, 1.0 is lost
select * from (select c, count(*) over(partition by c) n from t) where typeof(c)='integer';
select * from (select a, count(*) over(partition by a) n from t) where a in (select c from t);
select * from (select a, count(*) over(partition by a) n from t) where a is null;
select * from (select a, count(*) over() n from t) where a=1;
select * from (select a, count(*) over(partition by a order by d rows 1 preceding) n from t limit 5) where a=1;
select * from (select a, count(*) k, sum(count(*)) over(partition by a) n from t group by a, b) where a=1 order by k;
select * from (select count(*) k, sum(count(*)) over(partition by count(*)) n from t group by a) where k=1;
%%
# those of the ON of a LEFT JOIN,
create table t(a int, b text, c);
create index ta on t(a);
create table u(x, y);
insert into t values(1, 'x', 1), (1, 'y', 2), (5, 'x', 3), (5, 'y', 4), (5, 'x', 5), (null, 'z', 6);
insert into u values('x', 1), ('y', 2), ('q', 5), (null, 6), ('z', null);
explain query plan select * from u left join (select a, b, count(*) n from t group by a, b) s on s.b=u.x and s.a=5;
select * from u left join (select a, b, count(*) n from t group by a, b) s on s.b=u.x and s.a=5;
select * from u left join (select distinct a, b from t) s on s.b=u.x and s.a=5 order by 1, 2, 3;
--= I:1|I:0|T:MATERIALIZE s| I:2|I:1|T:SEARCH t USING INDEX ta (a=?)| I:3|I:1|T:USE TEMP B-TREE FOR DISTINCT| I:4|I:0|T:SCAN u| I:5|I:0|T:SCAN s LEFT-JOIN| because DISTINCT is taken to leave an eighth of the rows in later releases
explain query plan select * from u left join (select distinct a, b from t) s on s.b=u.x and s.a=5;
explain query plan select * from u left join (select a, count(*) n from t group by a) s on s.n=u.y where s.a is null;
select * from u left join (select a, count(*) n from t group by a) s on s.n=u.y where s.a is null;
select * from u left join (select a, count(*) n from t group by a) s on s.n=u.y and u.x='x' and s.a>0;
select * from (select a, count(*) n from t group by a) s left join u on s.n=u.y and s.a=5;
--= I:1|I:0|T:CO-ROUTINE s| I:2|I:1|T:SCAN t USING COVERING INDEX ta| I:3|I:0|T:SCAN s| I:4|I:0|T:BLOOM FILTER ON u (y=?)| I:5|I:0|T:SEARCH u USING AUTOMATIC COVERING INDEX (y=?) LEFT-JOIN| because a condition about the left table is not asked of the right one's automatic index in later releases
explain query plan select * from (select a, count(*) n from t group by a) s left join u on s.n=u.y and s.a=5;
select * from u full join (select a, count(*) n from t group by a) s on s.n=u.y and s.a=5 order by 1, 2, 3;
select * from u right join (select a, count(*) n from t group by a) s on s.n=u.y and s.a=5 order by 1, 2, 3;
select * from u right join t on u.x=t.b join (select a, count(*) n from t group by a) s on s.a=t.a and s.a=5 order by 1, 2, 3, 4, 5;
select * from u right join t on u.x=t.b left join (select a, count(*) n from t group by a) s on s.a=u.y and s.a=1 order by 1, 2, 3, 4, 5, 6;
%%
# and those with subqueries that ask for nothing outside, which are computed once.
create table t(a int, b text, c);
create index ta on t(a);
create table u(x, y);
insert into t values(1, 'x', 1), (1, 'y', 2), (5, 'x', 3), (5, 'y', 4), (5, 'x', 5), (null, 'z', 6);
insert into u values('x', 1), ('y', 2), ('q', 5), (null, 6), ('z', null);
--= I:1|I:0|T:CO-ROUTINE (subquery-1)| I:2|I:1|T:SEARCH t USING INDEX ta (a=?)| I:3|I:1|T:LIST SUBQUERY 2| I:4|I:3|T:SCAN u| I:5|I:3|T:CREATE BLOOM FILTER| I:6|I:1|T:USE TEMP B-TREE FOR DISTINCT| I:7|I:0|T:SCAN (subquery-1)| I:8|I:0|T:REUSE LIST SUBQUERY 2| because later releases ask conditions with subqueries within, too
explain query plan select a from (select distinct a, b from t) where a in (select y from u);
select a from (select distinct a, b from t) where a in (select y from u) order by 1;
--= I:1|I:0|T:CO-ROUTINE (subquery-1)| I:2|I:1|T:SCAN t USING INDEX ta| I:3|I:1|T:LIST SUBQUERY 2| I:4|I:3|T:SCAN u| I:5|I:3|T:CREATE BLOOM FILTER| I:6|I:1|T:USE TEMP B-TREE FOR DISTINCT| I:7|I:0|T:SCAN (subquery-1)| I:8|I:0|T:REUSE LIST SUBQUERY 2| because later releases ask conditions with subqueries within, too
explain query plan select a from (select distinct a, b from t) where b in (select x||'' from u);
select a, b from (select distinct a, b from t) where b in (select x||'' from u) order by 1, 2;
select a, b from (select distinct a, b from t) where b not in (select x||'' from u where x is not null) order by 1, 2;
--= I:1|I:0|T:CO-ROUTINE (subquery-1)| I:2|I:1|T:SCAN t USING INDEX ta| I:3|I:1|T:SCALAR SUBQUERY 2| I:4|I:3|T:SCAN u| I:5|I:1|T:USE TEMP B-TREE FOR DISTINCT| I:6|I:0|T:SCAN (subquery-1)| I:7|I:0|T:SCALAR SUBQUERY 2| I:8|I:7|T:SCAN u| because later releases ask conditions with subqueries within, too
explain query plan select * from (select distinct a, b from t) where exists(select 1 from u where y=6);
select count(*) from (select distinct a, b from t) where exists(select 1 from u where y=6);
select count(*) from (select distinct a, b from t) where exists(select 1 from u where y=66);
select * from (select a, count(*) n from t group by a) where a=(select max(y)-1 from u);
--= I:1|I:0|T:CO-ROUTINE (subquery-1)| I:2|I:1|T:SCAN t USING COVERING INDEX ta| I:3|I:1|T:SCALAR SUBQUERY 2| I:4|I:3|T:SEARCH u| I:5|I:0|T:SCAN (subquery-1)| I:6|I:0|T:SCALAR SUBQUERY 2| I:7|I:6|T:SEARCH u| because later releases ask conditions with subqueries within, too
explain query plan select * from (select a, count(*) n from t group by a) where a=(select max(y)-1 from u);
select * from (select a, count(*) n from t group by a) s where exists(select 1 from u where y=s.a);
select * from (select a, b from t union select y, x from u) where a in (select y from u) and b in (select b from t) order by 1, 2;
--= I:1|I:0|T:CO-ROUTINE (subquery-2)| I:2|I:1|T:MERGE (UNION)| I:3|I:2|T:LEFT| I:4|I:3|T:SEARCH t USING INDEX ta (a=?)| I:5|I:3|T:LIST SUBQUERY 3| I:6|I:5|T:SCAN u| I:7|I:5|T:CREATE BLOOM FILTER| I:8|I:3|T:USE TEMP B-TREE FOR LAST TERM OF ORDER BY| I:9|I:2|T:RIGHT| I:10|I:9|T:SCAN u| I:11|I:9|T:LIST SUBQUERY 3| I:12|I:11|T:SCAN u| I:13|I:11|T:CREATE BLOOM FILTER| I:14|I:9|T:USE TEMP B-TREE FOR ORDER BY| I:15|I:0|T:SCAN (subquery-2)| I:16|I:0|T:REUSE LIST SUBQUERY 3| because later releases ask conditions with subqueries within, too, and merge what UNION has
explain query plan select * from (select a, b from t union select y, x from u) where a in (select y+0 from u);
with w(k) as (select y from u where y>1) select * from (select distinct a from t) s where a in (select k from w) and (select count(*) from w)=3;
select * from u left join (select a, count(*) n from t group by a) s on s.a=u.y and s.a in (select y from u where x='q');
--= I:1|I:0|T:MATERIALIZE s| I:2|I:1|T:SCAN t USING COVERING INDEX ta| I:3|I:1|T:LIST SUBQUERY 2| I:4|I:3|T:SCAN u| I:5|I:3|T:CREATE BLOOM FILTER| I:6|I:0|T:SCAN u| I:7|I:0|T:BLOOM FILTER ON s (a=?)| I:8|I:0|T:SEARCH s USING AUTOMATIC COVERING INDEX (a=?) LEFT-JOIN| I:9|I:0|T:REUSE LIST SUBQUERY 2| because later releases ask conditions with subqueries within, too
explain query plan select * from u left join (select a, count(*) n from t group by a) s on s.a=u.y and s.a in (select y+0 from u where x='q');
--= I:1|I:0|T:CO-ROUTINE s| I:2|I:1|T:COMPOUND QUERY| I:3|I:2|T:LEFT-MOST SUBQUERY| I:4|I:3|T:SEARCH t USING INDEX ta (a=?)| I:5|I:3|T:LIST SUBQUERY 3| I:6|I:5|T:SCAN u| I:7|I:5|T:CREATE BLOOM FILTER| I:8|I:2|T:UNION ALL| I:9|I:8|T:SCAN t| I:10|I:8|T:LIST SUBQUERY 3| I:11|I:10|T:SCAN u| I:12|I:10|T:CREATE BLOOM FILTER| I:13|I:0|T:SCAN u| I:14|I:0|T:SEARCH s USING AUTOMATIC COVERING INDEX (b=?)| I:15|I:0|T:REUSE LIST SUBQUERY 3| because later releases ask conditions with subqueries within, too
explain query plan select * from (select a, b from t union all select c, b from t) s, u where s.a in (select y+0 from u) and s.b=u.x;
select s.*, u.y from (select a, b from t union all select c, b from t) s, u where s.a in (select y+0 from u) and s.b=u.x order by 1, 2, 3;
create view v as select distinct a, b from t;
select p.a, q.a from v p, v q where p.a in (select y from u) and q.b=p.b and q.a in (select y from u where y>1) order by 1, 2;
%%
# A condition without columns goes into a subquery as others do
CREATE TABLE t(a, b);
CREATE INDEX tb ON t(b) WHERE a > 5;
CREATE VIEW v AS SELECT count(*) AS n FROM t INDEXED BY tb;
SELECT count(*) FROM t INDEXED BY tb;
SELECT * FROM v;
SELECT * FROM v WHERE true;
SELECT * FROM v WHERE 1 = 2;
SELECT * FROM (SELECT a, max(b) FROM t GROUP BY a) WHERE ?1;
EXPLAIN QUERY PLAN SELECT * FROM (SELECT a, b FROM t ORDER BY a LIMIT 5) WHERE abs(1) = 2;
