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
%%
# UPDATE FROM takes the key of a row of a table WITHOUT ROWID from it, also where nothing else reads the key.
CREATE TABLE t(a INT PRIMARY KEY, b TEXT, c INTEGER) WITHOUT ROWID;
INSERT INTO t VALUES (3, '100', 1), (2, '1', 7), (4, '0', 8);
UPDATE t SET c = 9 FROM t AS q WHERE q.b = t.c;
UPDATE t SET (b, c) = (SELECT q.a, 'b') FROM t AS q WHERE q.b + 7 = t.c RETURNING *;
SELECT * FROM t;
CREATE TABLE u(x, a TEXT, y, b, PRIMARY KEY(b, a)) WITHOUT ROWID;
INSERT INTO u VALUES (1, 'one', 2, 3), (2, 'two', 3, 4), (3, 'three', 1, 5);
UPDATE u SET x = q.y * 10 FROM u AS q WHERE q.x = u.y;
UPDATE u SET x = q.column1 FROM (VALUES (5), (20)) AS q WHERE q.column1 = u.x AND u.b IN (3, 4);
SELECT * FROM u;
CREATE TABLE w(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31, c32, c33, c34, c35, c36, c37, c38, c39, c40, c41, c42, c43, c44, c45, c46, c47, c48, c49, c50, c51, c52, c53, c54, c55, c56, c57, c58, c59, c60, c61, c62, c63, z, PRIMARY KEY(z, c63)) WITHOUT ROWID;
INSERT INTO w(c0, c1, c63, z) VALUES (1, 2, 3, 4), (2, 1, 4, 5), (3, 3, 5, 6);
UPDATE w SET c2 = q.c0 FROM w AS q WHERE q.c1 = w.c0 + 0 AND q.c1 = w.c0;
SELECT c0, c1, c2, c63, z FROM w;
CREATE TRIGGER r AFTER INSERT ON u BEGIN UPDATE t SET c = u.x FROM u WHERE u.y = t.c; END;
UPDATE t SET c = a;
INSERT INTO u VALUES ('by r', '', 3, 1);
SELECT * FROM t;
