# What is read of an index alone: columns that a partial index's WHERE fixes, expressions of an index inside of aggregates
create table t(a int, b text, c real, d, e int);
create index ta on t(c, e) where a=1 and b='k1';
create index tb on t(e) where c=2;
create index tn on t(e, a) where b='K2' collate nocase;
create index td on t(e) where d=3;
create table u(id integer primary key, a int, x text, y text collate nocase);
create index ul on u(lower(x), a);
create index us on u(a+1, coalesce(x, 'none'));
create index uj on u(json(y)) where json_valid(y);
with q(i) as (values(1) union all select i+1 from q where i<80) insert into t select case i%3 when 0 then 1 when 1 then '1' else i end, case when i%2 then 'k1' else 'k'||(i%5) end, case i%4 when 0 then 2 when 1 then '2.0' else i end, case i%2 when 0 then 3 else 3.0 end, i from q;
with q(i) as (values(1) union all select i+1 from q where i<40) insert into u select i, i%6, case when i%4 then 'X'||(i%5) end, '['||(i%3)||', "Q"]' from q;
insert into t(b, c, e) values('K2', 2, 100), ('k2', 2, 101);
--= I:1|I:0|T:SEARCH t USING COVERING INDEX ta (c>?)| because releases before 3.44 read the table
explain query plan select c, e from t where b='k1' and a=1 and c>20;
select c, e from t where b='k1' and a=1 and c>20;
--= I:1|I:0|T:SEARCH t USING COVERING INDEX ta (c>?)| because releases before 3.44 read the table
explain query plan select a, b, c, e from t where b='k1' and a=1 and c>20;
select a, typeof(a), b, c, typeof(c), e from t where b='k1' and a=1 and c>20;
--= I:1|I:0|T:SCAN t USING COVERING INDEX tb| because releases before 3.44 read the table
explain query plan select c, e from t where c=2;
select c, typeof(c), e from t where c=2 order by e desc limit 9;
select c/4, e from t where c=2.0 and e<9;
select b, e from t where b='K2' collate nocase and e>90;
select b, count(*) from t where b='K2' collate nocase group by b;
explain query plan select d, e from t where d=3;
select d, typeof(d), e from t where d=3 and e<6;
select sum(c), count(a), max(b), a||b from t where a=1 and b='k1';
select a, b, count(*), total(e) from t where a=1 and b='k1' group by a, b, c having c>40;
select u.id, t.a, t.b, t.e from u left join t on t.a=1 and t.b='k1' and t.c=u.id where u.id<9;
select u.id, t.a, t.b, t.e from u left join t on t.a=1 and t.b='k1' and t.c=u.id and t.e>70 where u.id<4 and t.a is null;
select t.a, t.b, t.e, u.id from u right join t on u.id=t.e and t.a=1 and t.b='k1' and t.c>70 where t.e>72;
select t.a, t.c, u.id from t full join u on u.id=t.c and t.a=1 and t.b='k1' where u.id<5 or t.c>78;
select (select a||b from t where a=1 and b='k1' and c>u.id order by c limit 1) from u where id<4;
select e from t where a=1 and b='k1' and c=3 or c=2 and e>76;
update t set d=a||b where a=1 and b='k1' and c>60;
select e, d from t where d like '1k%';
delete from t where a=1 and b='k1' and c>70;
select count(*) from t;
--= I:1|I:0|T:SCAN u USING COVERING INDEX ul| because releases before 3.44 read the table
explain query plan select max(lower(x)), min(a) from u;
select max(lower(x)), min(a) from u;
--= I:1|I:0|T:SEARCH u USING COVERING INDEX ul| because releases before 3.44 read the table
explain query plan select max(lower(x)) from u;
select max(lower(x)), min(lower(x)) from u;
--= I:1|I:0|T:SCAN u USING COVERING INDEX ul| I:2|I:0|T:USE TEMP B-TREE FOR LAST TERM OF ORDER BY| because releases before 3.44 read the table
explain query plan select lower(x), a from u order by lower(x) desc, a limit 3;
select lower(x), a from u order by lower(x) desc, a limit 3;
select lower(x), count(*), sum(a) from u group by lower(x);
select count(lower(x)), count(distinct lower(x)), a from u group by a;
select a, max(lower(x)), total(a+1), group_concat(coalesce(x, 'none'), '') from u group by a order by a desc;
select a+1, max(coalesce(x, 'none')), count(*) filter (where coalesce(x, 'none')>'X1') from u group by a+1 having max(coalesce(x, 'none'))<>'x';
select a+1, count(coalesce(x, 'none')||(a+1)), max(a) from u group by a+1, coalesce(x, 'none') limit 8;
select t.e, count(coalesce(u.x, 'none')), max(u.a+1), sum(u.a+1) from t left join u on u.a+1=t.e group by t.e having t.e<9;
select u.a, max(lower(v.x)), count(lower(u.x)) from u left join u v on lower(v.x)=u.y group by u.a;
select max(lower(x) collate nocase), min(lower(x)||'z') from u group by a%2;
--= T:[[0,"Q"]]|T:text| T:[[0,"Q"]]|T:text| because the index does not keep that it is JSON (3.40 took it for text)
select json_array(json(y)), typeof(json(y)) from u indexed by uj where json_valid(y) limit 2;
select json_group_array(json(y)) from u where json_valid(y) and id<4 group by a;
select json_array(json(y)->1), max(json(y)) from u where json_valid(y) group by a;
# The rowid is the last column of an index: looked up with the ones before it, when that reads less than the table.
create table w(id integer primary key, a int, b int, c text, d text, e text);
create index wa on w(a, b);
create index wx on w(a+1, b);
with q(i) as (values(1) union all select i+1 from q where i<300) insert into w select i, i%20, i%7, 'c'||i, 'd'||i, 'e'||i from q;
analyze;
create table v(a int, b int, id int);
insert into v select a, b, id from w where id%3=0;
insert into v values(1, 1, 2), (null, 3, 3), (5, null, 5), (6, 6, null);
explain query plan select w.b from v cross join w where w.a=v.a and w.b=v.b and w.id=v.id;
select count(*), sum(w.b), sum(w.id) from v cross join w where w.a=v.a and w.b=v.b and w.id=v.id;
explain query plan select w.c from v cross join w where w.a=v.a and w.b=v.b and w.id=v.id;
select count(*), max(w.c) from v cross join w where w.a=v.a and w.b=v.b and w.id=v.id;
explain query plan select max(w.b) from v left join w on w.a=v.a and w.id=v.id and w.b=v.b;
select max(w.b), count(w.b), count(*) from v left join w on w.a=v.a and w.id=v.id and w.b=v.b;
