# types that are empty in their quotes, which are types
CREATE TABLE t(a [], b "", c '', d [](2), e);
INSERT INTO t VALUES('1','01','1.0','1','1');
SELECT a, typeof(a), b, typeof(b), c, typeof(c), d, typeof(d), e, typeof(e) FROM t;
SELECT a='1', a=1, e=1 FROM t;
PRAGMA table_info(t);
CREATE TABLE u AS SELECT a, e FROM t;
SELECT sql FROM sqlite_schema WHERE name='u';
CREATE TABLE s(a []) STRICT;
CREATE TABLE s(a) STRICT;
SELECT cast('12' AS []), typeof(cast('12' AS ""));
ALTER TABLE t ADD f [] DEFAULT '5';
INSERT INTO t(f) VALUES('7');
SELECT typeof(f), f FROM t;
PRAGMA integrity_check;
# and so is that of a hidden column
SELECT json=5, json<6, json IN (5), typeof(json), root='$' FROM json_each('5');
SELECT arg=5, arg FROM pragma_table_info('5');
SELECT count(*) FROM json_each('5.0') WHERE json=5;
