# terms of GROUP BY that are results: those of the group's first row
%%
create table t(a,b); insert into t values(0,''),(1,1.5),(-0.5,1),(7,'x'),(8,'X');
--= N|I:0| R:1|R:-0.5| because SQLite 3.40 computes it again
SELECT floor(b), min(a) FROM t GROUP BY floor(b);
SELECT floor(b)+1, floor(b), max(a) FROM t GROUP BY floor(b)+1, floor(b);
SELECT floor(b) as c, floor(b), max(a) FROM t GROUP BY c, 2, 1 having c > 0 order by c;
SELECT b||'' collate nocase as c, min(a) FROM t GROUP BY c order by c desc;
SELECT b||'' collate nocase as c, min(a), b FROM t GROUP BY c order by 1 desc;
--= N|I:0| R:1|R:-0.5| because SQLite 3.40 computes it again
SELECT distinct floor(b) as c, min(a) FROM t GROUP BY c;
--= N|I:0| R:2|R:-0.5| because SQLite 3.40 computes it again
SELECT c+1, m from (select floor(b) as c, min(a) as m FROM t GROUP BY c);
create index ti on t(floor(b)); 
--= N|I:0|I:3| R:1|R:-0.5|I:2| because SQLite 3.40 computes it again
SELECT floor(b) as c, min(a), count(*) FROM t GROUP BY c;
--= N|I:0|I:3|N| R:1|R:-0.5|I:2|N| because SQLite 3.40 computes it again
SELECT floor(b) as c, min(a), count(*), (select floor(b) from t as u limit 1) FROM t GROUP BY c, 4;
SELECT (select floor(u.b) from t as u where u.a=t.a) as c, min(a), count(*) FROM t GROUP BY c;
SELECT likely(b) as c, min(a) from t group by c;
SELECT (b) collate nocase as c, min(a) from t group by c;
SELECT 5 as c, min(a), typeof(b) from t group by c, b;
select json_array(j, json(1)) from (select json(a) as j, count(*) from t where a>0 group by j);
select json_array(j, json(1)) from (select json_quote(a) as j, max(b) from t where a>0 group by j);
select json_array(json(a)) as j, max(b) from t where a>0 group by json(a);
select json(a) as j, max(b), json_array(json(a)) from t where a>0 group by json(a);
select a in (1,7) as c, min(b), count(*) from t group by c;
select a is null as c, min(b), count(*) from t left join (select 1 as z) on 0 group by c, z is null;
select z+1 as c, min(b), count(*) from t left join (select 1+a as z from t) on z=a group by c;
--= I:1|I:1| because SQLite 3.40 computes it again
select count(distinct r)=count(*), count(*)<=3 from (select abs(random())%3 as r, count(*) as n, group_concat(a) from t group by r); 
--= I:1|I:1| because SQLite 3.40 computes it again
select count(distinct r)=count(*), count(*)<=3 from (select abs(random())%3 as r, count(*) as n from t group by 1);
select sum(count(*)) over (), a>1 as c from t group by c;
select sum(c) over () as s, c from (select a>1 as c from t group by c);
select a+1 as c, max(b) from t group by a+1 union select a+2, min(b) from t group by 1;
create table u as select a+1 as c, max(b) as m from t group by c; select * from u;
%%
create table t(a,b); insert into t values(0,''),(1,1.5),(-0.5,1),(7,'x'),(8,'X');
select sum(count(*)) over (), a>1 as c from t group by c;
select sum(count(*)) over (), a>1 as c, count(*) from t group by c;
select sum(count(*)) over (), a as c from t group by a;
select count(*) over (), a>1 as c from t group by c;
%%
-- A result that is a term of GROUP BY is of the group's first row, but of the row with the max() where rows are sorted by it.
CREATE TABLE t(a, b);
INSERT INTO t VALUES (31, 1000), ('ABC', 1.5);
--= I:0|T:ABC| because SQLite 3.50 answers so
SELECT 'a' % b, max(a) FROM t GROUP BY 'a' % b;
--= I:0|T:ABC| because SQLite 3.50 answers so
SELECT 'a' % b, max(a) FROM t GROUP BY 'a' % b ORDER BY 1;
--= I:0|T:ABC| because SQLite 3.50 answers so
SELECT 'a' % b, max(a) FROM t GROUP BY 'a' % b ORDER BY 2;
SELECT 'a' % b, max(a) FROM t GROUP BY 'a' % b ORDER BY 1, 1;
SELECT 'a' % b, max(a) FROM t GROUP BY 'a' % b ORDER BY 2, 1;
SELECT 'a' % b, max(a) FROM t GROUP BY 'a' % b ORDER BY 2, 1 LIMIT 1;
SELECT 'a' % b AS x, max(a) FROM t GROUP BY 1 ORDER BY x, x + 1;
--= I:0|T:ABC| because SQLite 3.50 answers so
SELECT 'a' % b AS x, max(a) FROM t GROUP BY 1 ORDER BY x + 1;
SELECT 'a' % b, min(a) FROM t GROUP BY 'a' % b ORDER BY 2, 1;
--= I:0|T:ABC| because SQLite 3.50 answers so
SELECT DISTINCT 'a' % b, max(a) FROM t GROUP BY 'a' % b ORDER BY 2, 1;
SELECT * FROM (SELECT 'a' % b, max(a) FROM t GROUP BY 'a' % b ORDER BY 1, 2);
CREATE TABLE u AS SELECT 'a' % b AS x, max(a) FROM t GROUP BY 'a' % b ORDER BY 1, 2;
SELECT * FROM u;
%%
# A name in ORDER BY is the first result column's that has it by AS or by a `*`
CREATE TABLE u(a, b, c);
INSERT INTO u VALUES(3,1,2),(1,2,3),(2,3,1);
SELECT *, a AS c FROM u ORDER BY c;
SELECT u.*, -a AS c FROM u ORDER BY c DESC;
SELECT -c AS a, * FROM u ORDER BY a;
SELECT c, a AS c FROM u ORDER BY c;
SELECT *, -c AS a FROM u ORDER BY +a;
SELECT *, a AS c FROM u UNION SELECT 9, 9, 9, 9 ORDER BY c;
SELECT *, max(a) AS c FROM u GROUP BY c ORDER BY c;
SELECT *, a AS c FROM (SELECT * FROM u) ORDER BY c LIMIT 2;
SELECT *, row_number() OVER (ORDER BY a) AS c FROM u ORDER BY c;
SELECT *, c AS b FROM u JOIN (SELECT 1 AS a, 5 AS z) USING(a) ORDER BY b;
