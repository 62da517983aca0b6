# integrity_check: columns that older rows do not have, virtual and REAL ones; numbers and texts where the type is another
CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT);
INSERT INTO t VALUES (1, 'x'), (2, NULL);
ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'some';
ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 5;
ALTER TABLE t ADD COLUMN d NOT NULL DEFAULT 2.5;
ALTER TABLE t ADD COLUMN e REAL;
ALTER TABLE t ADD COLUMN f TEXT AS (a || b) VIRTUAL NOT NULL;
INSERT INTO t(id, a, e) VALUES (3, 'y', 4), (4, 'z', 4.5);
PRAGMA integrity_check;
PRAGMA quick_check(t);
UPDATE t SET a = 'w' WHERE id = 2;
PRAGMA integrity_check;
CREATE TABLE s(id INTEGER PRIMARY KEY, i INT, r REAL, t TEXT, b BLOB, n ANY) STRICT;
INSERT INTO s VALUES (1, 1, 2, 'x', x'00', 'any'), (2, NULL, NULL, NULL, NULL, NULL);
PRAGMA integrity_check(s);
CREATE TABLE u(a, b, c, d, e);
INSERT INTO u VALUES ('1', 'x', 5, NULL, 1), (2, 'y', 'text', 'x', 2), (7, 3, 8, 'x', 2), (x'01', x'02', x'03', 4, 3);
PRAGMA writable_schema = 1;
UPDATE sqlite_schema SET sql = 'CREATE TABLE u(a INTEGER, b TEXT, c REAL, d NOT NULL, e INTEGER)' WHERE name = 'u';
PRAGMA writable_schema = RESET;
PRAGMA integrity_check(u);
PRAGMA quick_check(u);
PRAGMA quick_check(2);
%%
CREATE TABLE t(a);
INSERT INTO t VALUES (1), (NULL);
PRAGMA writable_schema = 1;
UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a, b NOT NULL DEFAULT NULL, c TEXT DEFAULT 7)' WHERE name = 't';
PRAGMA writable_schema = RESET;
PRAGMA integrity_check;
%%
CREATE TABLE w(a TEXT, b INTEGER, c NOT NULL, PRIMARY KEY (c, a)) WITHOUT ROWID;
INSERT INTO w VALUES ('x', 1, 2), (NULL, 'y', 3);
PRAGMA integrity_check;
INSERT INTO w VALUES ('x', 1, 2.5), ('z', 'y', 3);
PRAGMA integrity_check;
# indexes whose rows' own order is another than that of their entries
%%
CREATE TABLE w(a, b, c, PRIMARY KEY (a DESC, b)) WITHOUT ROWID;
WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 300) INSERT INTO w SELECT i % 7, i, nullif(i % 3, 0) FROM s;
CREATE INDEX wc ON w(c);
CREATE UNIQUE INDEX wu ON w(c, b);
CREATE INDEX wd ON w(c DESC);
PRAGMA integrity_check;
REINDEX;
PRAGMA integrity_check;
SELECT a, b FROM w INDEXED BY wc WHERE c = 1 LIMIT 5;
SELECT a, b, c FROM w INDEXED BY wc WHERE c IS NULL LIMIT 5;
VACUUM;
PRAGMA integrity_check;
%%
CREATE TABLE t(a TEXT COLLATE NOCASE, b);
WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 3000)
  INSERT INTO t SELECT CASE i % 5 WHEN 0 THEN 'value ' || (i % 20) WHEN 1 THEN 'Value ' || (i % 20) WHEN 2 THEN i % 9 ELSE NULL END, i FROM s;
CREATE INDEX ta ON t(a);
CREATE INDEX tb ON t(a COLLATE BINARY, b DESC);
PRAGMA integrity_check;
DELETE FROM t WHERE b % 4 = 1;
VACUUM;
PRAGMA integrity_check;
SELECT count(*), sum(b) FROM t;
%%
# Texts that a collation takes for the same are not the row's own.
CREATE TABLE t1(a INTEGER PRIMARY KEY, b TEXT COLLATE nocase, c INT COLLATE nocase, d TEXT);
INSERT INTO t1 VALUES (1, 'one', 'one', 'one'), (2, 'two', 'two', 'two'), (3, 'three', 'three', 'three'), (4, 'four', 'four', 'four');
CREATE INDEX t1bcd ON t1(b, c, d);
CREATE TABLE t2(a INTEGER PRIMARY KEY, b TEXT COLLATE nocase, c INT COLLATE nocase, d TEXT);
INSERT INTO t2 VALUES (1, 'one', 'one', 'one'), (2, 'two', 'two', 'TWO'), (3, 'three', 'THREE', 'three'), (4, 'FOUR', 'four', 'four');
CREATE INDEX t2bcd ON t2(b, c, d);
PRAGMA integrity_check;
CREATE TEMP TABLE saved AS SELECT name, rootpage FROM sqlite_schema;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM saved WHERE name = 't2bcd') WHERE name = 't1bcd';
UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM saved WHERE name = 't1bcd') WHERE name = 't2bcd';
PRAGMA writable_schema = RESET;
--= T:row 2 missing from index t1bcd| T:row 3 values differ from index t1bcd| T:row 4 values differ from index t1bcd| because 3.40 does not look at them
PRAGMA integrity_check(t1);
--= T:row 2 missing from index t2bcd| T:row 3 values differ from index t2bcd| T:row 4 values differ from index t2bcd| because 3.40 does not look at them
PRAGMA integrity_check(t2);
%%
# Indexes whose columns the table lacks, read anew
CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 7); CREATE INDEX te ON t(a + b) WHERE b > 5;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'b > 5', 'q > 5') WHERE name = 'te';
PRAGMA writable_schema = RESET;
SELECT a FROM t;
PRAGMA quick_check;
%%
CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 7); CREATE INDEX te ON t(a + b) WHERE b > 5;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'b > 5', 'rowid > 0 AND "x" > a OR true') WHERE name = 'te';
PRAGMA writable_schema = RESET;
SELECT a FROM t;
