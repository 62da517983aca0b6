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
