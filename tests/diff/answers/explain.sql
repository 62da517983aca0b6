# EXPLAIN QUERY PLAN of changes: nothing of triggers and foreign keys, the rows of a view that are gone through once more.
create table t(a primary key, b);
create table u(x, y);
create view v as select a, b from t;
create view w as select a, y from t join u on x=b;
create trigger t1 after insert on t begin delete from t where a=new.a; update u set x=1; select * from u union select * from t; end;
create trigger v1 instead of update on v begin select 1; end;
create trigger v2 instead of delete on v begin delete from t where a=old.a; end;
create trigger v3 instead of insert on v begin select * from u; end;
create trigger w1 instead of update on w begin select 1; end;
explain query plan insert into t values(1, 2);
explain query plan insert into t select * from u;
explain query plan replace into t values(1, 2);
explain query plan insert into v values(1, 2);
explain query plan update v set b=1;
explain query plan update v set b=1 where a=5;
explain query plan update v as z set b=1;
explain query plan update w set y=1 where a=5;
explain query plan delete from v;
explain query plan delete from v as z where a=5;
create table p(k primary key);
create table c(k references p on delete cascade, l references p);
pragma foreign_keys=1;
explain query plan delete from p;
explain query plan delete from p where k=1;
explain query plan update p set k=1;
explain query plan insert into c values(1, 2);
%%
# What a statement of the schema does in sqlite_schema is not told.
create table t(a primary key, b);
create view v as select a, b from t;
explain query plan drop view v;
explain query plan drop table t;
explain query plan alter table t rename to t2;
explain query plan alter table t add column c;
explain query plan create index i on t(b);
explain query plan create table s as select * from t;
%%
# Rows of VALUES that are constants count as one query, with the first of them as two.
--= I:1|I:0|T:CO-ROUTINE (subquery-2)| I:2|I:1|T:SCAN 3 CONSTANT ROWS| I:3|I:0|T:MATERIALIZE (subquery-3)| I:4|I:3|T:SCAN CONSTANT ROW| I:5|I:0|T:SCAN (subquery-3)| I:6|I:0|T:SCAN (subquery-2)| because releases before 3.46 count each row
explain query plan select * from (values(1),(2),(3)), (select random() limit 1);
--= I:1|I:0|T:CO-ROUTINE (subquery-3)| I:2|I:1|T:COMPOUND QUERY| I:3|I:2|T:LEFT-MOST SUBQUERY| I:4|I:3|T:SCAN CONSTANT ROW| I:5|I:2|T:UNION ALL| I:6|I:5|T:CO-ROUTINE (subquery-2)| I:7|I:6|T:SCAN 2 CONSTANT ROWS| I:8|I:5|T:SCAN (subquery-2)| I:9|I:0|T:MATERIALIZE (subquery-4)| I:10|I:9|T:SCAN CONSTANT ROW| I:11|I:0|T:SCAN (subquery-4)| I:12|I:0|T:SCAN (subquery-3)| because releases before 3.46 count each row
explain query plan select * from (select 1 union all values(1),(2)), (select random() limit 1);
