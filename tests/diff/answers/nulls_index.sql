# ORDER BY ... NULLS LAST and NULLS FIRST by an index: the rows with NULL are a pass of their own
create table t(a int, b int, c text, d real);
create index ta on t(a);
create index tbc on t(b, c desc, a);
create index tdc on t(d desc, c collate nocase);
create table u(k int primary key, a int, b text) without rowid;
create index uab on u(a, b desc);
create table e(x, y); create index ex on e(x);
create table n(x, y); create index nx on n(x);
with q(i) as (values(1) union all select i+1 from q where i<60) insert into t select case when i%4 then i%7 end, i%3, case when i%5 then 'k'||(i%6) end, case when i%3 then i%11 end from q;
with q(i) as (values(1) union all select i+1 from q where i<30) insert into u select i, nullif(i%5, 2), case when i%3 then 'w'||(i%4) end from q;
insert into n values(null,1),(null,2),(null,3);
explain query plan select a, rowid from t order by a nulls last;
select a, rowid from t order by a nulls last;
explain query plan select a, rowid from t order by a desc nulls first;
select a, rowid from t order by a desc nulls first;
select a, rowid from t order by a nulls first;
select a, rowid from t order by a desc nulls last;
explain query plan select a, rowid from t order by a nulls last limit 3 offset 44;
select a, rowid from t order by a nulls last limit 3 offset 44;
explain query plan select b, c, a from t where b=1 order by c nulls last, a desc;
select b, c, a from t where b=1 order by c nulls last, a desc;
explain query plan select b, c, a from t where b=1 order by c desc nulls first, a;
select b, c, a from t where b=1 order by c desc nulls first, a;
--= I:1|I:0|T:SEARCH t USING COVERING INDEX tbc (b=?)| I:2|I:0|T:USE TEMP B-TREE FOR LAST TERM OF ORDER BY| because 3.50 says so (3.40: RIGHT PART)
explain query plan select b, c, a from t where b=1 order by c desc nulls first, a nulls last;
select b, c, a from t where b=1 order by c desc nulls first, a nulls last;
explain query plan select b, c from t where b=1 and c>'k1' order by c nulls last;
select b, c from t where b=1 and c>'k1' order by c nulls last;
explain query plan select b, c from t where b in (2,1) order by b, c desc nulls first;
select b, c from t where b in (2,1) order by b, c desc nulls first;
explain query plan select d, c from t order by d desc nulls first, c collate nocase;
select d, c from t order by d desc nulls first, c collate nocase;
explain query plan select d, c from t order by d nulls last, c collate nocase desc;
select d, c from t order by d nulls last, c collate nocase desc;
--= I:1|I:0|T:SCAN t USING COVERING INDEX tdc| I:2|I:0|T:USE TEMP B-TREE FOR LAST TERM OF ORDER BY| because 3.50 says so (3.40: RIGHT PART)
explain query plan select d, c from t order by d nulls last, c;
select d, c, a from t order by d nulls last, c, a;
explain query plan select * from u order by a nulls last, b desc;
select * from u order by a nulls last, b desc;
explain query plan select * from u order by a desc nulls first, b, k desc;
select * from u order by a desc nulls first, b, k desc;
explain query plan select x from e order by x nulls last;
select x from e order by x nulls last;
select x, y from n order by x nulls last;
select x, y from n order by x desc nulls first;
--= I:1|I:0|T:SCAN u| I:2|I:0|T:SEARCH t USING COVERING INDEX tbc (b=?) LEFT-JOIN| I:3|I:0|T:USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY| because 3.50 says so (3.40: RIGHT PART)
explain query plan select u.k, t.a from u left join t on t.b=u.a order by u.k, t.c nulls last, t.a desc;
select u.k, t.a, t.c from u left join t on t.b=u.a where u.k<4 order by u.k, t.c nulls last, t.a desc;
explain query plan select k, (select a from t where b=k%4 order by c nulls last, a desc limit 1) from u;
select k, (select c||a from t where b=k%4 order by c nulls last, a desc limit 1) from u;
select k, (select group_concat(ifnull(a,'-')) from (select a from t where b=k%4 order by c desc nulls first, a)) from u where k<5;
explain query plan select distinct a from t order by a nulls last;
select distinct a from t order by a nulls last;
select distinct a from t order by a desc nulls first;
select a, count(*) from t group by a order by a nulls last;
select a, count(*) from t group by a order by a desc nulls first;
select a, row_number() over (order by a nulls last, rowid) from t limit 5;
select a from t where a<3 union all select a from u order by 1 nulls last;
update t set d=-1 where rowid in (select rowid from t order by a nulls last, rowid limit 4);
select rowid from t where d=-1;
# min() searches behind the NULLs
explain query plan select min(a), c from t;
select min(a), c from t;
select min(x), y from n;
select max(x), y from n;
select min(x), y from e;
select min(c), a from t where b=2;
select min(c), count(*) from t where b=2;
select min(d) from t where d is null;
select (select min(c) from t where b=u.a) from u;
# every row of one value is searched for, in both passes
insert into t select a, b, c, d from t; insert into t select a, b, c, d from t;
analyze;
explain query plan select distinct a from t order by a nulls last;
--= I:0| I:1| I:2| I:3| I:4| I:5| I:6| N| because SQLite (all releases) leaves the second pass out: it goes on behind the last value, where it ends
select distinct a from t order by a nulls last;
