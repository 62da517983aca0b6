# what USING and NATURAL join behind a RIGHT or FULL JOIN
CREATE TABLE v(c0,c1); INSERT INTO v VALUES(1,2); CREATE TABLE t(type,x); CREATE TABLE u(type,y); CREATE TABLE w(type, z);
INSERT INTO t VALUES(1,2),(3,4); INSERT INTO u VALUES(1,5); INSERT INTO w VALUES(1,6),(3,7);
SELECT q3.key FROM json_each('[1]') AS q1 LEFT OUTER JOIN pragma_table_info('v') AS q2 ON q2.pk = q1.value NATURAL JOIN json_each(json_array(q1.key, 'x')) AS q3;
SELECT * FROM (v JOIN t) LEFT JOIN u ON 1 NATURAL JOIN w;
SELECT q3.key FROM (v AS q0 RIGHT JOIN json_each('[1]') AS q1) LEFT OUTER JOIN pragma_table_info('v') AS q2 ON q2.pk = q1.value NATURAL JOIN json_each(json_array(q1.key, 'x')) AS q3;
SELECT * FROM (v RIGHT JOIN t ON 1) LEFT JOIN u ON 1 NATURAL JOIN w;
SELECT * FROM (v RIGHT JOIN t ON 1) JOIN u ON 1 NATURAL JOIN w;
SELECT * FROM v RIGHT JOIN t ON 1 JOIN u ON 1 NATURAL JOIN w;
SELECT * FROM v RIGHT JOIN t ON 1 JOIN u USING(type) NATURAL JOIN w;
SELECT * FROM v FULL JOIN t ON 1 LEFT JOIN u USING(type) JOIN w USING(type);
SELECT * FROM t RIGHT JOIN v ON 1 JOIN u ON 1 NATURAL JOIN w;
SELECT * FROM t JOIN u ON 1 RIGHT JOIN v ON 1 NATURAL JOIN w;
SELECT * FROM (t JOIN u ON 1 RIGHT JOIN v ON 1) NATURAL JOIN w;
SELECT * FROM t JOIN u ON 1 NATURAL JOIN w;
%%
# names with dots
CREATE TABLE z(a, `a.b`, c); INSERT INTO z VALUES(1,2,3);
SELECT `a.b` FROM z AS q0 NATURAL JOIN z AS q1;
SELECT `a.b` FROM z AS q0 NATURAL JOIN (z AS q1 NATURAL JOIN (VALUES (1,2)) AS q2);
SELECT [a.b] FROM z AS q0 JOIN (z AS q1 JOIN (VALUES (1,2)) AS q2) USING (`a.b`);
SELECT * FROM z AS q0 JOIN (z AS q1 JOIN (VALUES (1,2)) AS q2) USING (`a.b`);
SELECT `a.b`, q2.* FROM (z AS q1 NATURAL JOIN (VALUES (1,2)) AS q2);
%%
# what is compared behind a RIGHT or FULL JOIN has the affinity and collation of the first column that USING names
CREATE TABLE t0(a REAL, b TEXT, k TEXT COLLATE NOCASE); CREATE TABLE t1(b INT, n); CREATE TABLE q6(b, m, k); CREATE TABLE r(n,a);
INSERT INTO t0 VALUES(1,'0','A'),(2,'1','b'); INSERT INTO t1 VALUES(0,'p'),(1,'q'); INSERT INTO q6 VALUES(0,'int','a'),('0','text','B'),(1.0,'real','A'),('01','tt',NULL);
SELECT * FROM t0 FULL JOIN t1 USING(b) LEFT JOIN q6 USING(b);
SELECT * FROM t0 RIGHT JOIN t1 USING(b) LEFT JOIN q6 USING(b);
--= I:4|I:2|I:1| because the comparison has the affinity and collation of USING's first column in releases after 3.40
SELECT count(*), sum(b=0), sum(m='text') FROM t1 RIGHT JOIN t0 USING(b) LEFT JOIN q6 USING(b);
--= I:4|I:2|I:1| because the comparison has the affinity and collation of USING's first column in releases after 3.40
SELECT count(*), sum(b=0), sum(m='text') FROM t1 FULL JOIN t0 USING(b) LEFT JOIN q6 USING(b);
--= I:4|I:2|I:1| because the comparison has the affinity and collation of USING's first column in releases after 3.40
SELECT count(*), sum(b=0), sum(m='text') FROM t1 FULL JOIN t0 USING(b) JOIN q6 USING(b);
--= I:4|I:2|I:1| because the comparison has the affinity and collation of USING's first column in releases after 3.40
SELECT count(*), sum(b=0), sum(m='text') FROM t1 FULL JOIN t0 USING(b) FULL JOIN q6 USING(b);
SELECT * FROM t0 FULL JOIN t1 USING(b) FULL JOIN q6 USING(b);
SELECT b, b=0, b='0', typeof(b) FROM t0 FULL JOIN t1 USING(b);
SELECT b, b=0, b='0', typeof(b) FROM t1 FULL JOIN t0 USING(b);
SELECT b, b IN (0), b='0', b<'1' FROM t1 FULL JOIN t0 USING(b);
SELECT b, b IN (0), b='0', b<'1' FROM t0 FULL JOIN t1 USING(b);
--= I:3|T:int,real,text| because the comparison has the affinity and collation of USING's first column in releases after 3.40
SELECT count(*), group_concat(m) FROM t0 x FULL JOIN t0 y USING(k) JOIN q6 USING(k);
SELECT * FROM q6 x FULL JOIN t0 y USING(k) JOIN q6 z USING(k);
SELECT k, k='a', k<'B' FROM q6 x FULL JOIN t0 y USING(k);
SELECT k, k='a', k<'B' FROM t0 x FULL JOIN q6 y USING(k);
--= I:7|I:2| because the comparison has the affinity and collation of USING's first column in releases after 3.40
SELECT count(*), count(DISTINCT k) FROM t0 x FULL JOIN q6 y USING(k) FULL JOIN q6 z USING(k);
SELECT b FROM t0 FULL JOIN t1 USING(b) ORDER BY b;
SELECT typeof(b), count(*) FROM t0 FULL JOIN t1 USING(b) GROUP BY b;
CREATE TABLE w AS SELECT b, a FROM t1 FULL JOIN t0 USING(b); SELECT *, typeof(b) FROM w; SELECT sql FROM sqlite_schema WHERE name='w';
SELECT * FROM (SELECT b FROM t1 FULL JOIN t0 USING(b)) WHERE b='0';
SELECT * FROM (SELECT b FROM t0 FULL JOIN t1 USING(b)) WHERE b=0;
SELECT * FROM q6 WHERE b IN (SELECT b FROM t0 FULL JOIN t1 USING(b));
SELECT * FROM q6 WHERE (b,1) IN (SELECT b,1 FROM t0 FULL JOIN t1 USING(b));
SELECT * FROM (t0 FULL JOIN t1 USING(b)) AS p JOIN q6 ON q6.b=p.b;
SELECT * FROM q6 JOIN (t0 FULL JOIN t1 USING(b)) AS p ON q6.b=p.b;
SELECT * FROM q6 JOIN (t0 FULL JOIN t1 USING(b)) USING(b);
SELECT * FROM q6 JOIN (t1 FULL JOIN t0 USING(b)) USING(b);
