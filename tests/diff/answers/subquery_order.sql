# Rows of a query in FROM come in the order of its ORDER BY, which need not be made again.
create table t1(x, y, z collate nocase);
insert into t1 values(3, 1, 'b'), (1, 2, 'B'), (2, 2, 'a'), (2, 1, 'A'), (null, 5, 'c'), (1, 9, 'C');
--= I:1|I:0|T:CO-ROUTINE (subquery-1)| I:2|I:1|T:SCAN t1| I:3|I:1|T:USE TEMP B-TREE FOR ORDER BY| I:4|I:0|T:SCAN (subquery-1)| because it is so from release 3.47 on
explain query plan select * from (select * from t1 order by x limit 10) order by x limit 5;
select * from (select * from t1 order by x limit 10) order by x limit 5;
explain query plan select * from (select * from t1 order by x limit 10) order by x desc;
select * from (select * from t1 order by x limit 10) order by x desc;
--= I:1|I:0|T:CO-ROUTINE (subquery-1)| I:2|I:1|T:SCAN t1| I:3|I:1|T:USE TEMP B-TREE FOR ORDER BY| I:4|I:0|T:SCAN (subquery-1)| I:5|I:0|T:USE TEMP B-TREE FOR LAST TERM OF ORDER BY| because it is so from release 3.47 on
explain query plan select * from (select * from t1 order by x limit 10) order by x, y;
select * from (select * from t1 order by x limit 10) order by x, y;
--= I:1|I:0|T:CO-ROUTINE (subquery-1)| I:2|I:1|T:SCAN t1| I:3|I:1|T:USE TEMP B-TREE FOR ORDER BY| I:4|I:0|T:SCAN (subquery-1)| because it is so from release 3.47 on
explain query plan select * from (select * from t1 order by x desc, y limit 10) order by x desc, y;
select * from (select * from t1 order by x desc, y limit 10) order by x desc, y;
select * from (select * from t1 order by x desc, y limit 10) order by x desc, y desc;
select * from (select * from t1 order by x nulls last, y limit 10) order by x nulls last, y;
select * from (select * from t1 order by x nulls last, y limit 10) order by x, y;
--= I:1|I:0|T:MATERIALIZE w| I:2|I:1|T:SCAN t1| I:3|I:1|T:USE TEMP B-TREE FOR ORDER BY| I:4|I:0|T:SCAN w| because it is so from release 3.47 on
explain query plan with w as materialized (select * from t1 order by x, y limit 10) select * from w order by x desc, y desc;
with w as materialized (select * from t1 order by x, y limit 10) select * from w order by x desc, y desc;
with w as materialized (select * from t1 order by x, y limit 10) select * from w order by x desc, y;
--= I:1|I:0|T:MATERIALIZE w| I:2|I:1|T:SCAN t1| I:3|I:1|T:USE TEMP B-TREE FOR ORDER BY| I:4|I:0|T:SCAN w| because it is so from release 3.47 on
explain query plan with w as materialized (select * from t1 order by x, y limit 10) select x, count(*) from w group by x;
with w as materialized (select * from t1 order by x, y limit 10) select x, count(*) from w group by x;
with w as materialized (select * from t1 order by x, y limit 10) select distinct x from w;
select * from (select x, z as zz from t1 order by zz limit 10) order by zz;
--= I:1|I:0|T:CO-ROUTINE (subquery-2)| I:2|I:1|T:MERGE (UNION)| I:3|I:2|T:LEFT| I:4|I:3|T:SCAN t1| I:5|I:3|T:USE TEMP B-TREE FOR ORDER BY| I:6|I:2|T:RIGHT| I:7|I:6|T:SCAN t1| I:8|I:6|T:USE TEMP B-TREE FOR ORDER BY| I:9|I:0|T:SCAN (subquery-2)| because it is so from release 3.47 on
explain query plan select * from (select x from t1 union select y from t1 order by 1 limit 4) order by x;
select * from (select x from t1 union select y from t1 order by 1 limit 4) order by x;
select * from (select x from t1 union select y from t1 order by 1 desc limit 4) order by x;
select s.x, t1.y from (select x from t1 order by x limit 4) s, t1 order by s.x, t1.y;
--= I:1|I:0|T:MATERIALIZE s| I:2|I:1|T:SCAN t1| I:3|I:1|T:USE TEMP B-TREE FOR ORDER BY| I:4|I:0|T:SCAN t1| I:5|I:0|T:SCAN s LEFT-JOIN| because it is so from release 3.47 on
explain query plan select s.x, t1.y from t1 left join (select x from t1 order by x limit 4) s on s.x>1 order by t1.rowid, s.x desc;
select s.x, t1.y from t1 left join (select x from t1 order by x limit 4) s on s.x>1 order by t1.rowid, s.x desc;
select row_number() over (order by x, y), x, y from (select * from t1 order by x, y limit 10) order by x, y;
select x, n from (select x, count(*) as n from t1 group by x order by n limit 10) order by n;
select * from (select x from t1 order by x limit 4) s join t1 on t1.rowid=s.x order by s.x, t1.y;
select s.x from (select x from t1 order by x limit 4) s right join t1 on s.x=t1.y order by s.x;
# SQLite from 3.47 on is wrong about these.
--= I:2|T:A| I:2|T:a| I:1|T:B| I:3|T:b| I:1|T:C| N|T:c| because the order is another collation's
select * from (select x, z as zz from t1 order by zz collate binary limit 10) order by zz;
--= T:A| T:B| T:C| because the order is another collation's
select zz from (select x, z as zz from t1 order by zz collate binary limit 10) group by zz;
--= I:3|I:1| I:2|I:1| I:2|I:1| I:1|I:1| I:1|I:1| N|I:1| because the order is the other way
with w as materialized (select * from t1 order by x, y limit 10) select x, count(*) from w group by x, y order by x desc, y desc;
--= T:6,5,4,3,2,1| because a row's successors come behind it
select group_concat(a) from (with recursive w(a) as (select 1 union all select a + 1 from w where a < 6 order by 1 desc) select a from w order by a desc);
--= T:1,1,1,1,1,1| because a row's successors come behind it
select group_concat(n) from (with recursive w(a) as (select 1 union all select a + 1 from w where a < 6 order by 1 desc) select count(*) filter (where a = 1) over (order by a) as n from w);
--= I:1|I:1| I:2|I:1| I:3|I:1| I:4|I:2| because a row's successors come behind it
with recursive w(a) as (select 1 union all select a + 1 from w where a < 4 union all select 4 from w where a = 1 order by 1) select a, count(*) from w group by a;
