# IN and OR of hidden columns: table-valued functions are called with each value
CREATE TABLE t(a, b);
CREATE TABLE u(c);
CREATE INDEX i ON t(a);
CREATE INDEX j ON t(b, a);
SELECT key, value FROM json_each WHERE json IN ('[1,2]','[3]');
SELECT key, value FROM json_each WHERE json='[1,[2,3]]' AND root IN ('$','$[1]');
SELECT name FROM pragma_table_info WHERE arg IN ('t','u');
SELECT arg, name FROM pragma_table_info WHERE arg IN (SELECT name FROM sqlite_schema) ORDER BY 1, 2;
SELECT arg, name FROM pragma_table_info WHERE arg='t' OR arg='u';
SELECT arg, schema, name FROM pragma_table_info WHERE arg IN ('t','u') AND schema IN ('main','temp') ORDER BY name;
SELECT name FROM pragma_index_info WHERE arg IN (SELECT name FROM pragma_index_list('t')) ORDER BY 1;
SELECT key, value, json FROM json_each('[9]') WHERE json IN ('[1]','[9]');
SELECT key, value FROM json_each WHERE json IN ('[1,2]',NULL,'[3]') AND value>1 ORDER BY value DESC;
SELECT key, value FROM json_each WHERE json IN (SELECT '[1]' UNION ALL SELECT '[1]');
SELECT json, root, key, value FROM json_each WHERE json IN ('[1,[2]]','[3,[4]]') AND root IN ('$','$[1]');
SELECT json, root, value FROM json_tree WHERE root IN ('$','$[1]') AND json IN ('[1,[2]]','[3,[4]]');
SELECT count(*) FROM json_each WHERE json IN ();
SELECT count(*) FROM json_each WHERE json NOT IN ('[1]');
# row values
--= I:0|I:1| I:1|T:[2]| I:0|I:3| because SQLite 3.40 takes no row values for arguments
SELECT key, value FROM json_each WHERE (json,root) IN (VALUES('[1,[2]]','$'),('[1,[3]]','$[1]'));
SELECT key, value FROM json_each WHERE (json,root) = ('[1,[2]]','$[1]');
--= T:[1,2]|I:1| T:[3]|I:0| because SQLite 3.40 takes no row values for arguments
SELECT json, key FROM json_each WHERE (json,key) IN (VALUES('[1,2]',1),('[3]',0));
--= T:[1,2]|T:$|I:0| T:[1,2]|T:$|I:1| T:[3,[5,6]]|T:$[1]|I:0| T:[3,[5,6]]|T:$[1]|I:1| because SQLite 3.40 takes no row values for arguments
SELECT json, root, key FROM json_each WHERE (root,json) IN (VALUES('$','[1,2]'),('$[1]','[3,[5,6]]'));
--= T:[1,2]|T:$|I:1| T:[3,[5,6]]|T:$[1]|I:0| because SQLite 3.40 takes no row values for arguments
SELECT json, root, key FROM json_each WHERE (root,key,json) IN (VALUES('$',1,'[1,2]'),('$[1]',0,'[3,[5,6]]'));
--= T:[3,[5,6]]|T:$[1]|I:0| T:[3,[5,6]]|T:$[1]|I:1| because SQLite 3.40 takes no row values for arguments
SELECT json, root, key FROM json_each WHERE (root,json) IN (VALUES('$','[1,2]'),('$[1]','[3,[5,6]]')) AND root='$[1]';
# joins
CREATE TABLE w(a);
INSERT INTO w VALUES('[1]'),('[2,3]'),(NULL);
SELECT a, value FROM w, json_each WHERE json IN (a);
SELECT a, value FROM w LEFT JOIN json_each ON json IN (a,'[7]');
SELECT a, (SELECT sum(value) FROM json_each WHERE json IN (a,'[7]')) FROM w;
SELECT a, value FROM w JOIN json_each ON json IN (a,'[7]');
SELECT * FROM w WHERE a IN (SELECT json FROM json_each WHERE json=a);
CREATE TABLE x(j, r);
INSERT INTO x VALUES('[1,2]','$'),('[3,[5]]','$[1]');
SELECT x.*, value FROM x, json_each WHERE (json,root) IN (SELECT j,r FROM x);
SELECT x.*, value FROM x, json_each(j) WHERE root IN (r);
SELECT x.*, value FROM x, json_each(j) WHERE root IN ('$',r);
# plans
EXPLAIN QUERY PLAN SELECT name FROM pragma_table_info('t');
EXPLAIN QUERY PLAN SELECT s.name FROM sqlite_schema s, pragma_table_info(s.name);
EXPLAIN QUERY PLAN SELECT key FROM json_each WHERE json IN ('[1]','[2]');
EXPLAIN QUERY PLAN SELECT key FROM json_each WHERE json='[1]' AND root IN ('[1]','[2]');
SELECT a.key, b.key FROM json_each('[1]', '$') a JOIN json_each('[1]') b ON a.root = b.root;
SELECT a.key, b.key FROM json_each('[1]', '$') a JOIN json_each('[7]') b ON a.json = b.json AND a.root = b.root;
SELECT * FROM (SELECT json, root, key FROM json_each('{"a":[1,2]}', '$.a')) NATURAL JOIN (SELECT json, root, key FROM json_each('[7,8]'));
SELECT a.key FROM json_each a, json_each b WHERE a.json = b.json AND a.json IN ('[1]', '[2,3]');
SELECT count(*) FROM json_each a, json_each b, json_each('["[5]","[6]"]') c WHERE a.json = c.value AND b.json = a.json AND a.json = b.json;
SELECT a.key, b.key FROM json_each('[1]') a JOIN json_each('[1]') b ON a.json = b.json AND a.root = b.root;
%%
-- A COLLATE in FILTER or ORDER BY of an aggregate is not that of its value, one in an argument is.
CREATE TABLE t(a, b);
INSERT INTO t VALUES(1,2),(1,3),(2,4);
SELECT max('x') FILTER (WHERE a COLLATE rtrim) = 'X' COLLATE nocase, max('x' COLLATE rtrim) = 'X' COLLATE nocase FROM t;
SELECT max('x') FILTER (WHERE a COLLATE rtrim) OVER () = 'X' COLLATE nocase, max('x') OVER (PARTITION BY a COLLATE rtrim) = 'X' COLLATE nocase FROM t;
SELECT sum(b) FILTER (WHERE a COLLATE nocase) = a COLLATE nosuch FROM t;
