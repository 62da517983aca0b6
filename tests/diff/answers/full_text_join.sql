# Joins of full-text tables with each other, and INSERT out of the table itself
create virtual table t using fts5(a, b, tokenize=trigram);
insert into t values('xabc','abc'),('abcd','bcd');
select x.rowid from t x, t y where x.t match 'abc' and y.rowid = x.rowid;
select x.rowid, y.rowid from t x, t y where x.a like '%' || y.b || '%' order by 1,2;
select x.rowid, y.rowid from t x, t y where x.a like '%' || y.b || '%' and y.rowid = x.rowid order by 1,2;
create virtual table u using fts5(a);
insert into u values('x y'),('y');
select x.rowid from u x, u y where x.u match 'x' and y.rowid = x.rowid;
select x.rowid from u x, u y where x.u match 'x' and x.rowid = y.rowid;
select x.rowid from u x join u y on x.rowid = y.rowid where y.u match 'x';
insert into u select a from u;
select count(*) from u;
insert into u(rowid, a) select rowid + 100, a || ' z' from u where u match 'y';
select rowid, a from u;
select x.rowid from u x left join u y on x.rowid = y.rowid and y.a match 'x' order by 1;
select x.rowid, y.rowid from u x, u y where x.rowid = y.rowid + 2 and x.a match 'x' order by 1;
select x.rowid, y.rowid from u x, u y where x.rowid > y.rowid and x.a match 'x' and y.a match 'y' order by 1, 2;
select count(*) from u x, u y, u z where x.rowid = y.rowid and y.rowid = z.rowid;
select x.rowid from t x where exists (select 1 from t y where y.rowid = x.rowid and y.t match 'abc') order by 1;
%%
# terms from the right of an outer or a cross join
CREATE TABLE t5(x); INSERT INTO t5 VALUES(1);
CREATE VIRTUAL TABLE f USING fts5(y);
INSERT INTO f VALUES('one'), ('two');
SELECT f.y FROM f JOIN t5 WHERE f MATCH t5.x;
SELECT f.y FROM f LEFT JOIN t5 ON 1 WHERE f MATCH t5.x OR t5.x = 1;
SELECT f.y FROM f CROSS JOIN t5 WHERE f MATCH t5.x;
SELECT f.y FROM f CROSS JOIN t5 WHERE f.rowid = t5.x;
SELECT f.y FROM f LEFT JOIN t5 ON 1 WHERE f.rowid = t5.x OR f.rowid = t5.x + 1;
