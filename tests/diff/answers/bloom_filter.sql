# Bloom filters: of tables of known size that are searched more often than they have rows, some of which the rest of WHERE leaves out
create table f(a int, b int, c text, d real);
create table p(id integer primary key, kind int, name text);
create table q(k int, v int, w text);
create index qk on q(k, w);
create table r(x text collate nocase, y int, z int, primary key(x, y)) without rowid;
create table s(m, n, o); create index smn on s(m, n); create index se on s(n+1); create index sn on s(o) where o is not null;
create table u(g, h, i);
with n(i) as (values(1) union all select i+1 from n where i<900) insert into f select i%200, i%90, 'k'||(i%40), i%70+(i%3)*0.5 from n;
with n(i) as (values(1) union all select i+1 from n where i<120) insert into p select i, i%7, 'n'||i from n;
with n(i) as (values(1) union all select i+1 from n where i<60) insert into q select i%50, i%9, 'w'||(i%4) from n;
with n(i) as (values(1) union all select i+1 from n where i<50) insert into r select 'K'||i, i%10, i from n;
with n(i) as (values(1) union all select i+1 from n where i<80) insert into s select case i%3 when 0 then i when 1 then 'k'||i else i+0.5 end, i%40, nullif(i%5, 0) from n;
insert into u values(1,2,3),(4,5,6);
analyze;
explain query plan select count(*), sum(p.id) from f cross join p where p.id=f.a and p.kind=3;
select count(*), sum(p.id) from f cross join p where p.id=f.a and p.kind=3;
explain query plan select count(*), sum(q.v) from f cross join q where q.k=f.b and q.v>6;
select count(*), sum(q.v) from f cross join q where q.k=f.b and q.v>6;
explain query plan select count(*), sum(q.k) from f cross join q where q.k=f.b and q.w='w1' and q.v>6;
select count(*), sum(q.k) from f cross join q where q.k=f.b and q.w='w1' and q.v>6;
explain query plan select count(*) from f cross join q where q.k=f.b and q.w>'w1' and q.w||q.k<>'w25';
select count(*) from f cross join q where q.k=f.b and q.w>'w1' and q.w||q.k<>'w25';
explain query plan select count(*), max(r.z) from f cross join r where r.x=f.c and r.y=f.b%10 and r.z<30;
select count(*), max(r.z) from f cross join r where r.x=f.c and r.y=f.b%10 and r.z<30;
explain query plan select count(*), max(r.z) from f cross join r where r.x=f.c and r.z<30;
select count(*), max(r.z) from f cross join r where r.x=f.c and r.z<30;
explain query plan select count(*), max(s.n) from f cross join s where s.m=f.d and s.o>1;
select count(*), max(s.n) from f cross join s where s.m=f.d and s.o>1;
explain query plan select count(*), max(s.m) from f cross join s where s.n+1=f.a and s.o>1;
select count(*), max(s.m) from f cross join s where s.n+1=f.a and s.o>1;
explain query plan select count(*), max(s.m) from f cross join s where s.o=f.a and s.n<20;
select count(*), max(s.m) from f cross join s where s.o=f.a and s.n<20;
# None: sizes not known, fewer searches than rows, nothing that leaves rows out, an IN alone
explain query plan select count(*) from u cross join p where p.id=u.g and p.kind=3;
explain query plan select count(*) from f cross join p where p.id=f.a;
explain query plan select count(*) from f cross join p where p.id in (1,2,3) and p.kind=f.b;
--= I:1|I:0|T:CO-ROUTINE x| I:2|I:1|T:SCAN f| I:3|I:0|T:SCAN x| I:4|I:0|T:SEARCH p USING INTEGER PRIMARY KEY (rowid=?)| because the size of a subquery counts as unknown since 3.41
explain query plan select count(*) from (select a from f limit 500) x cross join p where p.id=x.a and p.kind=3;
# Of several, those further in are tested with the first
explain query plan select count(*), sum(q.v), sum(p.id) from f cross join p cross join q where p.id=f.a and p.kind>3 and q.k=f.b and q.v>5;
select count(*), sum(q.v), sum(p.id) from f cross join p cross join q where p.id=f.a and p.kind>3 and q.k=f.b and q.v>5;
explain query plan select count(*), sum(q.v), sum(p.id) from f cross join p cross join q where p.id=f.a and p.kind>3 and q.k=p.id and q.v>5;
select count(*), sum(q.v), sum(p.id) from f cross join p cross join q where p.id=f.a and p.kind>3 and q.k=p.id and q.v>5;
explain query plan select count(*), sum(q.v), max(r.z) from f cross join p cross join q cross join r where p.id=f.a and p.kind>2 and q.k=f.b and q.v>2 and r.x=f.c and r.y=f.b%10 and r.z>3;
select count(*), sum(q.v), max(r.z) from f cross join p cross join q cross join r where p.id=f.a and p.kind>2 and q.k=f.b and q.v>2 and r.x=f.c and r.y=f.b%10 and r.z>3;
select count(*) from f cross join p cross join q where p.id=f.a and p.kind>3 and q.k=f.b and q.w in ('w1','w2') and q.v>5;
select count(*) from f cross join p cross join q where p.id=f.a and p.kind>3 and q.k=(select f.b+0) and q.v>5;
select count(*) from f cross join p cross join q where p.id=f.a and p.kind>3 and q.k is f.b and q.w is null and q.v>5;
# Rows that outer joins give without a match
explain query plan select count(*), count(p.id), sum(p.id) from f left join p on p.id=f.a and p.kind=3;
select count(*), count(p.id), sum(p.id) from f left join p on p.id=f.a and p.kind=3;
explain query plan select count(*), count(p.id), sum(q.v) from f left join p on p.id=f.a and p.kind=3 cross join q where q.k=f.b and q.v>5;
select count(*), count(p.id), sum(q.v) from f left join p on p.id=f.a and p.kind=3 cross join q where q.k=f.b and q.v>5;
select count(*), count(p.id), sum(q.v) from f cross join q on q.k=f.b and q.v>5 left join p on p.id=f.a and p.kind=3;
select count(*), count(p.id), count(f.a), sum(q.v) from f right join q on q.k=f.b and q.v>5 cross join p where p.id is f.a and p.kind>2;
select count(*), count(p.id), count(f.a), sum(q.v) from f full join q on q.k=f.b and q.v>5 left join p on p.id is f.a and p.kind>2;
# What a rowid is looked up with: text and reals that are integers, and what is none
create table t(a); insert into t select a from f; insert into t select a||'' from f; insert into t select a+0.0 from f; insert into t select a+0.5 from f;
insert into t values(null),('x'),(x'31'),(' 7 '),('7.0'),('7e0'),(1e300),(-9223372036854775808);
analyze t;
explain query plan select count(*), sum(p.id) from t cross join p where p.id=t.a and p.kind<>3;
select count(*), sum(p.id) from t cross join p where p.id=t.a and p.kind<>3;
select count(*), sum(q.k) from t cross join q where q.k=t.a and q.v<>3;
select count(*), sum(q.k) from t cross join q where q.k=+t.a and q.v<>3;
# With statistics that say something else
update sqlite_stat1 set stat='10 2 1' where idx='qk';
update sqlite_stat1 set stat='1000000 1' where tbl='p';
analyze sqlite_schema;
explain query plan select count(*) from p cross join q where q.k=p.id and q.v>2;
select count(*) from p cross join q where q.k=p.id and q.v>2;
explain query plan select count(*) from f cross join p where p.id=f.a and p.kind=3;
insert into q select 1000+id, 8, 'w' from p; insert into p select 1000+id, 3, '' from p;
select count(*) from p cross join q where q.k=p.id and q.v>2;
# Each run makes them anew
create temp table z(a, b);
create trigger zi after insert on z begin insert into temp.z select count(*), -1 from main.p cross join main.q where new.b>0 and q.k=p.id and q.v>new.b; end;
insert into z values(1, 1), (2, 7), (3, 8); delete from q where v>7; insert into z values(4, 1), (5, 7);
select * from z;
select (select count(*) from p cross join q where q.k=p.id+s.n and q.v>s.n%5) from s where rowid<9;
# Automatic indexes have one unless all that they are searched by is text
%%
create table a(x int, y text, z); create table b(x int, y text, z);
with n(i) as (values(1) union all select i+1 from n where i<200) insert into a select i, 'y'||(i%31), i%17 from n;
insert into b select x*2, y, z from a where x%3;
--= I:1|I:0|T:SCAN a| I:2|I:0|T:BLOOM FILTER ON b (x=?)| I:3|I:0|T:SEARCH b USING AUTOMATIC COVERING INDEX (x=?)| because such indexes have filters since 3.41
explain query plan select count(*), sum(b.z) from a, b where a.x=b.x;
select count(*), sum(b.z) from a, b where a.x=b.x;
explain query plan select count(*), sum(b.z) from a, b where a.y=b.y;
select count(*), sum(b.z) from a, b where a.y=b.y;
--= I:1|I:0|T:SCAN a| I:2|I:0|T:BLOOM FILTER ON b (z=? AND y=?)| I:3|I:0|T:SEARCH b USING AUTOMATIC COVERING INDEX (z=? AND y=?)| because such indexes have filters since 3.41
explain query plan select count(*), sum(b.z) from a, b where a.y=b.y and a.z=b.z;
select count(*), sum(b.z) from a, b where a.y=b.y and a.z=b.z;
select count(*), count(b.z), sum(b.z) from a left join b on a.z+0.0=b.z and b.x>100;
select count(*), sum(b.x) from a, b where a.x||''=b.z;
select count(*), sum(b.x) from a, b where +a.x||''=b.x;
select count(*), sum(b.x) from a, b where a.y=b.y collate nocase and a.z=b.z;
--= I:1|I:0|T:CO-ROUTINE b| I:2|I:1|T:SCAN b| I:3|I:0|T:SCAN a| I:4|I:0|T:BLOOM FILTER ON b (x=?)| I:5|I:0|T:SEARCH b USING AUTOMATIC COVERING INDEX (x=?)| because such indexes have filters since 3.41
explain query plan select count(*), sum(b.z) from a, (select * from b limit 100) b where a.x=b.x;
select count(*), sum(b.z) from a, (select * from b limit 100) b where a.x=b.x;
# A condition on no table at all makes it a partial one by name
--= I:1|I:0|T:SCAN a| I:2|I:0|T:BLOOM FILTER ON b (x=?)| I:3|I:0|T:SEARCH b USING AUTOMATIC PARTIAL COVERING INDEX (x=?)| because such indexes have filters since 3.41
explain query plan select count(*) from a, b where a.x=b.x and ?>3;
%%
# IN has one for the rows of a subquery that does not depend on the query around, unless they are sorted
create table t(a, b); create table u(x integer primary key, y); insert into u values(1, 5), (2, 6), (3, null); insert into t values(5, 1), (6.0, 2), ('5', 3), (null, 4);
--= I:1|I:0|T:SCAN t| I:2|I:0|T:LIST SUBQUERY 1| I:3|I:2|T:SCAN u| I:4|I:2|T:CREATE BLOOM FILTER| because later releases say so
explain query plan select * from t where a in (select y from u where y<>9);
select * from t where a in (select y from u where y<>9);
explain query plan select * from t where a in (select y from u where x=t.b);
explain query plan select * from t where a in (select x from u);
--= I:1|I:0|T:SCAN t| I:2|I:0|T:LIST SUBQUERY 1| I:3|I:2|T:SCAN u| I:4|I:2|T:USE TEMP B-TREE FOR ORDER BY| because one that is sorted has none
explain query plan select * from t where a in (select y from u order by y limit 3);
%%
# What is never NULL: a condition that asks is none
create table t(a integer primary key, b int not null, c int); create index tc on t(c);
insert into t values(1, 5, 1), (2, 6, null), (3, 7, 3);
explain query plan select * from t where b is null;
select * from t where b is null;
select * from t where b is not null and a is not null;
select *, b is null from t x left join t y on y.a=x.c and y.b is not null;
select * from t x left join t y on y.a=x.c where y.b is null;
select * from t x left join t y on y.a=x.c and y.b is null;
--= I:0|I:1|I:0| because such a column of no row is NULL since 3.46
select count(*), b is null, b is not null from t where 0;
--= I:0|N| because such a column of no row is NULL since 3.46
select count(*), b from t where 0 having b is null;
select a, (select count(*) from t y where x.b is not null) from t x;
explain query plan select a from t x where exists (select 1 from t y where x.b is not null);
select a from t x where exists (select 1 from t y where x.b is not null);
select a from t x where (select x.b is null from t y);
update t set c=9 where b is null; delete from t where b is null; select * from t;
create view v as select a, b from t where b is not null and a is not null;
alter table t rename column b to bb;
select sql from sqlite_schema where name='v';
select * from v where bb is null;
select * from t x right join t y on x.a=y.c where x.bb is null;
