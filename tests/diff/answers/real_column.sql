# Whole numbers in columns of reals are stored as integers of up to six bytes: files are as large as SQLite's, and nobody sees it.
%%
create table t(a real, b real, c as (a*2), d real as (b) stored);
insert into t values(5, 5.0),('7', -0.0),('x', null),(1e15, 6.5),(140737488355327, 140737488355328),(-140737488355328, -140737488355329),(x'05', 1e300),(9223372036854775807, -1);
select a, typeof(a), b, typeof(b), c, typeof(c), d, typeof(d), a||'', quote(b) from t;
create index ta on t(a, d);
create index tc on t(c, b);
select a, d, typeof(a), typeof(d) from t indexed by ta where a>0;
select b, typeof(b) from t indexed by tc where c=10;
select distinct b, typeof(b) from t order by b desc;
select a, count(*), typeof(a) from t group by a;
select max(b), typeof(max(b)), min(a), sum(a) from t;
select b, typeof(b) from t union select a, typeof(a) from t order by 1;
select typeof(b), typeof(lag(b) over (order by rowid)), first_value(b) over (order by b) from t;
with x as materialized (select a, b from t) select a, typeof(a), b, typeof(b) from x;
select (select b), (select a from t as u where u.b=t.b) from t;
select * from t where a in (5, 7.0, 'x') and b in (select b from t);
create table m as select a, b from t;
select a, typeof(a), b, typeof(b) from m;
create table l(x, y, z integer);
create trigger tr after update on t begin insert into l values(new.a, old.b, new.b); end;
update t set b=a where a=5 returning a, typeof(a), b, typeof(b);
update t set a=a+1;
select x, typeof(x), y, typeof(y), z, typeof(z) from l;
insert into t(a, b) select b, a from t on conflict do nothing;
delete from t where b=5;
pragma integrity_check;
%%
create table t(a real primary key, b real, c) without rowid;
insert into t values(1, 2, 3),(2.0, 4.0, 5.0),(2.5, 1e14, 2);
update t set b=c, c=b;
select a, typeof(a), b, typeof(b), c, typeof(c) from t;
insert or replace into t values(2, 2, 2),('1', '1', '1');
select a, typeof(a), b, typeof(b), c, typeof(c) from t;
pragma integrity_check;
%%
create table t(a real, b any) strict;
insert into t values(1, 2),(2.0, 4.0),('3', '3');
select a, typeof(a), b, typeof(b) from t;
%%
# sizes
pragma page_size=1024;
create table i(n integer primary key);
with recursive n(i) as (values(1) union all select i+1 from n where i<1000) insert into i select i from n;
create table r1(a real);
insert into r1 select n from i;
pragma page_count;
create table r2(a real);
insert into r2 select n*1.0 from i;
pragma page_count;
create table r3(a real);
insert into r3 select n||'' from i;
pragma page_count;
create table r4(a real);
insert into r4 select n*1e12 from i;
pragma page_count;
create table r5(a real) strict;
insert into r5 select n from i;
pragma page_count;
create index r5a on r5(a);
pragma page_count;
update r4 set a=n from i where n=r4.rowid;
vacuum;
pragma page_count;
