# Outer joins that WHERE makes inner ones: one table after the other, each by what WHERE and the ON of those before it ask
create table a(x integer primary key, y int, z text);
create table b(x integer primary key, y int, z text);
create table c(x int, y int, z text);
create table d(x int, y int);
create index by_ on b(y);
create index cx on c(x, y);
create index dx on d(x);
create view va as select * from a where y is not null;
create view vc as select x, y+0 as y, z from c;
with q(i) as (values(1) union all select i+1 from q where i<14) insert into a select i, i%5, 'k'||(i%3) from q;
with q(i) as (values(1) union all select i+1 from q where i<11) insert into b select i, nullif(i%4, 3), 'k'||(i%4) from q;
with q(i) as (values(1) union all select i+1 from q where i<12) insert into c select nullif(i%7, 2), i%3, nullif('k'||(i%5), 'k4') from q;
with q(i) as (values(1) union all select i+1 from q where i<9) insert into d select nullif(i, 4), i%3 from q;
explain query plan select count(*) from a left join b on b.y=a.x left join c on c.x=b.x where c.y=a.y;
select count(*), total(a.x), total(c.y) from a left join b on b.y=a.x left join c on c.x=b.x where c.y=a.y;
--= I:1|I:0|T:SCAN a| I:2|I:0|T:SEARCH b USING COVERING INDEX by_ (y=?) LEFT-JOIN| I:3|I:0|T:BLOOM FILTER ON c (y=?)| I:4|I:0|T:SEARCH c USING AUTOMATIC COVERING INDEX (y=?)| because 3.40's automatic index is of both columns
explain query plan select a.x, c.z from va a left join b on b.y=a.x left join c on c.x=b.x where c.y=a.y;
select a.x, b.x, c.z from va a left join b on b.y=a.x left join c on c.x=b.x where c.y=a.y order by 1, 2, 3;
--= I:1|I:0|T:SCAN c USING COVERING INDEX cx| I:2|I:0|T:SEARCH b USING INTEGER PRIMARY KEY (rowid=?)| I:3|I:0|T:SEARCH a USING INTEGER PRIMARY KEY (rowid=?)| because releases before 3.43 kept RIGHT JOIN
explain query plan select a.x, b.x, c.y from c left join b on b.x=c.x right join a on a.x=b.y where c.y=1;
select a.x, b.x, c.y from c left join b on b.x=c.x right join a on a.x=b.y where c.y=1 order by 1, 2, 3;
select a.x, b.x, c.y from c left join b on b.x=c.x full join a on a.x=b.y where c.y=1 order by 1, 2, 3;
select a.x, b.x, c.y from c left join b on b.x=c.x full join a on a.x=b.y where b.y=1 order by 1, 2, 3;
select a.x, b.x, c.y from c left join b on b.x=c.x full join a on a.x=b.y where a.z='k1' order by 1, 2, 3;
select a.x, b.x, c.y from c full join b on b.x=c.x full join a on a.x=b.y where b.z<>'k2' order by 1, 2, 3;
select a.x, b.x, c.y, d.x from c full join b on b.x=c.x full join a on a.x=b.y left join d on d.x=c.y where b.z<>'k2' order by 1, 2, 3, 4;
select a.x, b.x, c.y, d.x from c full join b on b.x=c.x right join a on a.x=b.y full join d on d.x=c.y where a.x<5 order by 1, 2, 3, 4;
select a.x, b.x, c.y, d.x from c full join b on b.x=c.x right join a on a.x=b.y full join d on d.x=c.y where d.y=2 order by 1, 2, 3, 4;
select a.x, b.x, c.y, d.x from c right join b on b.x=c.x join a on a.x=b.y right join d on d.x=a.y where b.x is not null order by 1, 2, 3, 4;
select a.x, b.x, c.y, d.x from c right join b on b.x=c.x join a on a.x=b.y right join d on d.x=a.y where c.y between 0 and 1 order by 1, 2, 3, 4;
select a.x, b.x, c.y, d.x from vc c left join va a on a.x=c.y left join b on b.x=a.y right join d on d.x=b.y where c.z in ('k1', 'k0') order by 1, 2, 3, 4;
select a.x, b.x, c.y, d.x from vc c left join va a on a.x=c.y left join b on b.x=a.y full join d on d.x=b.y where b.z like 'k%' order by 1, 2, 3, 4;
select a.x, b.x, c.y, d.x from vc c left join va a on a.x=c.y left join b on b.x=a.y right join d on d.x=b.y where coalesce(b.z, c.z, 'k')>'k' order by 1, 2, 3, 4;
select a.x, b.x, c.y, d.x from a left join b on b.x=a.y left join vc c on c.x=b.y left join d on d.x=c.y where d.y+c.y>1 order by 1, 2, 3, 4;
select a.x, b.x, c.y, d.x from a left join b on b.x=a.y left join vc c on c.x=b.y or b.y is null left join d on d.x=c.y where not (c.y>1 and b.y>1) order by 1, 2, 3, 4;
select x, count(*) from (select c.x as x, b.y as y from c left join b on b.x=c.x right join a on a.x=b.y) where y=1 group by x;
%%
-- Two lists of one index, the first without values.
CREATE TABLE la(n); CREATE TABLE lb(x, y, PRIMARY KEY(x, y)); CREATE TABLE le(x);
INSERT INTO la VALUES(NULL), (1), (2); INSERT INTO lb VALUES(1, 2), (2, 1);
SELECT la.n, lb.y FROM la LEFT JOIN lb ON lb.x = la.n AND lb.y IN (1, 2);
SELECT la.n, lb.y FROM la LEFT JOIN lb ON lb.x IN (SELECT x FROM le) AND lb.y IN (1, 2);
SELECT la.n, lb.y FROM la LEFT JOIN lb ON lb.x IN (SELECT x FROM lb LIMIT 0) AND lb.y IN (SELECT n FROM la);
SELECT la.n, lb.y FROM la LEFT JOIN lb ON lb.x IN (SELECT x FROM le WHERE x = la.n) AND lb.y IN (1, la.n);
SELECT la.n, lb.y FROM la LEFT JOIN lb ON lb.x IN (SELECT x FROM lb WHERE x = la.n) AND lb.y IN (1, 2);
SELECT la.n, lb.y FROM la LEFT JOIN lb ON (lb.x, lb.y) IN (SELECT n, 2 FROM la WHERE n IS NULL);
SELECT la.n, lb.y, lc.y FROM la LEFT JOIN lb ON lb.x IN (SELECT x FROM le) AND lb.y IN (1, 2) RIGHT JOIN lb AS lc ON lc.x = la.n;
SELECT la.n, q.o, lc.y FROM le JOIN la ON la.n = le.x LEFT JOIN (SELECT abs(min(-9223372036854775807 - 1)) AS o FROM lb) AS q ON q.o = la.n RIGHT JOIN lb AS lc ON lc.x = la.n;
SELECT f.name, q.o, lc.y FROM pragma_table_info('') AS f LEFT JOIN (SELECT abs(min(-9223372036854775807 - 1)) AS o FROM lb) AS q RIGHT JOIN lb AS lc ON lc.x = f.cid;
SELECT f.name, q.o, lc.y FROM pragma_table_info('la') AS f LEFT JOIN (SELECT count(*) AS o FROM lb) AS q RIGHT JOIN lb AS lc ON lc.x = f.cid;
%%
-- A table that is looked up by OR in one covering index, before a RIGHT JOIN: where nothing matches, its columns are NULL.
CREATE TABLE t(a INTEGER PRIMARY KEY, b, c);
CREATE TABLE w(d, e);
CREATE UNIQUE INDEX wd ON w(d);
CREATE TABLE u(x, y);
INSERT INTO t VALUES (1, 1, 2), (2, 3, 4);
INSERT INTO w VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO u VALUES (0, 4), (1, 5);
SELECT w.d, y FROM t JOIN w ON w.d = t.c OR t.b = w.d FULL JOIN u ON x;
SELECT w.d, t.a, e, y FROM t JOIN w ON w.d = t.c OR t.b = w.d RIGHT JOIN u ON x;
SELECT w.d, y, r.a FROM t JOIN w ON w.d = t.c OR t.b = w.d FULL JOIN u ON x FULL JOIN t AS r ON r.b = u.x;
SELECT w.d, y FROM t LEFT JOIN w ON w.d = t.c OR t.b = w.d RIGHT JOIN u ON x = 0 OR w.d = 3;
DELETE FROM w;
SELECT w.d, y FROM t JOIN w ON w.d = t.c OR t.b = w.d FULL JOIN u ON x;
SELECT w.d, y FROM t LEFT JOIN w ON w.d = t.c OR t.b = w.d FULL JOIN u ON x;
DELETE FROM t;
SELECT w.d, y FROM t JOIN w ON w.d = t.c OR t.b = w.d FULL JOIN u ON x;
