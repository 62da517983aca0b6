# Names of windows and of triggers' tables as they are written; min() and max() whose filter sees no row; "t.*" when t is renamed
create table t(a);
select sum(a) over "w" from t window w as ();
%%
create table t(a);
select sum(a) over "w" from t window "w" as ();
%%
create table t(a);
select sum(a) over W from t window w as ();
%%
create table t(a);
select sum(a) over ([w]) from t window w as ();
%%
create table t(a);
select sum(a) over (w order by 1) from t window [w] as ();
%%
create table t(a);
insert into t values(1);
create trigger r1 after insert on T begin select 1; end;
select name,tbl_name from sqlite_schema;
create trigger r2 after insert on "T" begin select 1; end;
select name,tbl_name from sqlite_schema;
insert into t values(1);
alter table t rename to u;
select name,tbl_name from sqlite_schema;
drop table u;
select * from sqlite_schema;
%%
create table t(a);
create trigger r1 after insert on T begin select 1; end;
drop trigger r1;
select name,tbl_name from sqlite_schema;
%%
create table t(a);
create trigger r1 after insert on T begin select 1; end;
drop table t;
select name,tbl_name from sqlite_schema;
%%
create table t1(a,b);
insert into t1 values(1,2),(3,4),(5,6);
SELECT max(a) FILTER (WHERE b<0), b FROM t1;
SELECT min(a) FILTER (WHERE b<0), b FROM t1;
SELECT min(a) FILTER (WHERE b=4), b FROM t1;
select min(null), b from t1;
select max(null),b from t1;
create index i on t1(a);
SELECT max(a) FILTER (WHERE b<0), b FROM t1;
SELECT min(a) FILTER (WHERE b<0), b FROM t1;
SELECT min(a) FILTER (WHERE b<0), b FROM t1 where a>2;
select max(a+null),b from t1;
select max(a) filter (where b=4), min(a), b from t1;
select min(a), max(a) filter (where b=4), b from t1;
select min(a), max(a) filter (where b<0), b from t1;
select max(a) filter (where b=4), min(a) filter (where b=6), b from t1;
select min(a) filter (where b=4), max(b) filter (where b=2), b, count(*) from t1 group by a<10;
%%
explain query plan select distinct count(*) from sqlite_schema;
%%
explain query plan select distinct count(*) from sqlite_schema where 0;
%%
explain query plan select distinct max(name) from sqlite_schema;
%%
create table t(a,b);
explain query plan select distinct count(*) from t;
%%
create table t(a,b);
explain query plan select distinct count(*),a from t order by 1;
%%
create table t(a,b);
explain query plan select distinct count(distinct a) from t having count(*)>1 limit 3;
%%
create table t3(y);
create table t1(b,d);
CREATE VIEW vw AS SELECT t3.*,* FROM t1 join t3;
ALTER TABLE t3 RENAME TO t3_;
select sql from sqlite_schema;
select * from vw;
%%
create table t3(y);
create table t1(b,d);
CREATE VIEW vw AS SELECT x.*, t1.* FROM t1 join t3 as x where exists (select t3.* from t3);
ALTER TABLE t3 RENAME TO t3_;
select sql from sqlite_schema;
select * from vw;
alter table t1 rename to [t 9];
select sql from sqlite_schema;
%%
create table t3(y);
CREATE VIEW vw AS with c as (select t3.* from t3) SELECT c.*, t3.* FROM c, t3;
ALTER TABLE t3 RENAME TO t3_;
select sql from sqlite_schema;
select * from vw;
%%
create table t3(y);
create trigger tr after insert on t3 begin insert into t3 select t3.* from t3; insert into t3 select t3.* from t3 as t3; end;
ALTER TABLE t3 RENAME TO t3_;
select sql from sqlite_schema;
%%
create table t3(y);
CREATE VIEW vw AS SELECT y from t3 where nosuch;
alter table t3 rename to u;
pragma writable_schema=1;
alter table t3 rename to u;
select sql from sqlite_schema;
alter table u rename y to z;
select sql from sqlite_schema;
alter table u add w;
alter table u drop w;
%%
create table t1(a);
create index i on t1(b) where c;
create index i on t1(b collate nocase) where c;
create index i on t1(a) where (select 1);
create index i on t1(x) where (select 1);
create index i on t1(a,x) where c;
create index i on t1(a, x) where a;
