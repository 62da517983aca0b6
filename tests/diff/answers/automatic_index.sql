# Automatic indexes over coroutines, with the rows that the query chooses alone
create table t(a int,b int,c text); with recursive n(i) as (values(1) union all select i+1 from n where i<60) insert into t select i%7,i%5,'k'||(i%3) from n;
create view v as select distinct a,b,c from t;
create view g as select a,max(b) as b,count(*) as n from t group by a;
select count(*),sum(x.a+y.b) from t x join v y on x.a=y.a where y.b in (3);
select count(*),sum(x.a+y.b) from t x join v y on x.a=y.a where y.b>2 and y.c='k1';
select count(*),sum(x.a+y.b) from t x, g y where x.a=y.n-2 and y.b=4 and y.a=x.b;
select (select max(s.b) from v s where s.b in (3) and s.a=x.b) from t x limit 6;
select count(*) from g x, g y, t z where x.b=y.b and y.a=z.a and x.n>8 and z.c='k2' and y.b+0>1;
select count(*) from t x left join (select a,b from v limit 20) y on x.a=y.a and y.b=2;
select x.a,(select count(*) from (select a,b from t order by a limit 9) s where s.a=x.a and s.b>1 and s.b=3) from t x limit 9;
