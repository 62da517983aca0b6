# Generated columns; STRICT tables
CREATE TABLE g(a INT, b INT AS (a*2), c TEXT GENERATED ALWAYS AS (a||'x') STORED, d AS (b+1) VIRTUAL);
INSERT INTO g(a) VALUES(1),(2),(NULL);
SELECT * FROM g;
INSERT INTO g VALUES(1,2,3,4);
INSERT INTO g VALUES(5);
INSERT INTO g(b) VALUES(1);
UPDATE g SET b=1;
UPDATE g SET a=10 WHERE d=3 RETURNING *;
INSERT INTO g SELECT 7;
PRAGMA table_info(g);
PRAGMA table_xinfo(g);
CREATE INDEX gb ON g(b);
CREATE INDEX gd ON g(d) WHERE c IS NOT NULL;
SELECT d FROM g WHERE b=20;
EXPLAIN QUERY PLAN SELECT d FROM g WHERE b=20;
CREATE TABLE g2(a AS (b), b AS (a));
CREATE TABLE g2(a AS (a));
CREATE TABLE g2(a AS (1));
CREATE TABLE g2(a, b AS (a) DEFAULT 5);
CREATE TABLE g2(a, b AS (a) PRIMARY KEY);
CREATE TABLE g2(a, b AS (a), PRIMARY KEY(b));
CREATE TABLE g2(a, b AS (a) UNIQUE, CHECK(b<10));
INSERT INTO g2(a) VALUES(1);
INSERT INTO g2(a) VALUES(1);
INSERT INTO g2(a) VALUES(11);
CREATE TABLE g3(a, b AS (SELECT 1));
CREATE TABLE g3(a, b AS (sum(a)));
CREATE TABLE g3(a, b AS (random()));
CREATE TABLE g3(a, b AS (rowid));
CREATE TABLE g3(a, b AS (:x));
CREATE TABLE g3(a, b AS (nosuch));
CREATE TABLE g3(a, b AS (date('now')));
INSERT INTO g3(a) VALUES(1);
SELECT * FROM g3;
CREATE TABLE g4(a, b AS (a COLLATE NOCASE) STORED UNIQUE);
INSERT INTO g4(a) VALUES('x');
INSERT INTO g4(a) VALUES('X');
ALTER TABLE g4 ADD COLUMN c AS (a||a);
ALTER TABLE g4 ADD COLUMN d AS (a||a) STORED;
ALTER TABLE g4 ADD COLUMN e INT NOT NULL AS (a);
ALTER TABLE g4 ADD COLUMN f INT NOT NULL AS (NULL);
ALTER TABLE g4 ADD COLUMN f INT CHECK (f>5) AS (a);
SELECT * FROM g4;
ALTER TABLE g4 DROP COLUMN a;
ALTER TABLE g4 DROP COLUMN b;
ALTER TABLE g4 DROP COLUMN c;
ALTER TABLE g4 RENAME COLUMN a TO aa;
SELECT sql FROM sqlite_schema WHERE name='g4';
CREATE TABLE g5(a INTEGER PRIMARY KEY, b AS (a+1), c AS (b+1) STORED) STRICT;
CREATE TABLE g5(a INTEGER PRIMARY KEY, b INT AS (a+1), c TEXT AS (b+1) STORED) STRICT;
INSERT INTO g5(a) VALUES(NULL),(NULL);
SELECT *, typeof(b), typeof(c) FROM g5;
CREATE TABLE g6(a, b INT AS ('x'), c REAL AS (1), d TEXT AS (2), e BLOB AS (3), f NUMERIC AS ('4.0')) ;
INSERT INTO g6(a) VALUES(1);
SELECT b,typeof(b),c,typeof(c),d,typeof(d),e,typeof(e),f,typeof(f) FROM g6;
CREATE TABLE g7(k PRIMARY KEY, v AS (k*2), w AS (v*2) STORED) WITHOUT ROWID;
INSERT INTO g7(k) VALUES(3),(1),(2);
SELECT * FROM g7;
SELECT k FROM g7 WHERE w=8;
UPDATE g7 SET k=k+10;
SELECT * FROM g7 ORDER BY v DESC;
INSERT INTO g7(k) VALUES(11) ON CONFLICT(k) DO UPDATE SET k=excluded.v;
SELECT * FROM g7;
CREATE TRIGGER g7t AFTER INSERT ON g7 BEGIN INSERT INTO g6(a) VALUES(new.v||'-'||new.w); END;
INSERT INTO g7(k) VALUES(50);
SELECT a FROM g6;
CREATE TRIGGER g7u BEFORE UPDATE OF v ON g7 BEGIN SELECT raise(abort,'v'); END;
UPDATE g7 SET k=51 WHERE k=50;
CREATE TABLE g8(a, b AS (a), c REFERENCES g7(v), d AS (a) REFERENCES g7);
CREATE TABLE g9(a, b AS (a+c), c AS (d+1), d DEFAULT 5);
INSERT INTO g9(a) VALUES(1);
SELECT * FROM g9;
CREATE TABLE g10(a, b GENERATED ALWAYS (a));
CREATE TABLE g10(a, b GENERATED ALWAYS AS (a) FOO);
CREATE TABLE g10(a, b GENERATED ALWAYS AS a);
CREATE TABLE g10(a, b ALWAYS AS (a));
CREATE TABLE g10(a, b INT GENERATED ALWAYS AS (a) STORED NOT NULL CHECK(b>0));
INSERT INTO g10(a) VALUES(NULL);
INSERT INTO g10(a) VALUES(0);
INSERT INTO g10 VALUES(3) RETURNING b;
PRAGMA table_xinfo(g10);
SELECT g10.b, rowid FROM g10;
INSERT INTO g10(a,b) SELECT 1,2;
INSERT INTO g10(a,b) DEFAULT VALUES;
CREATE TABLE g11(a, b AS (a.x));
CREATE TABLE g11(a, b AS (g11.a));
INSERT INTO g11(a) VALUES(5);
SELECT * FROM g11;
CREATE TABLE g12(a AS (b), b);
INSERT INTO g12 VALUES(5);
SELECT * FROM g12;
REPLACE INTO g12(b) VALUES(6);
CREATE TABLE g13 AS SELECT * FROM g12;
SELECT sql FROM sqlite_schema WHERE name='g13';
INSERT INTO g13 SELECT * FROM g12;
INSERT INTO g12 SELECT * FROM g12;
INSERT INTO g12 SELECT a FROM g12;
SELECT * FROM g12;
%%
CREATE TABLE s1(a INT, b INTEGER, c REAL, d TEXT, e BLOB, f ANY) STRICT;
INSERT INTO s1 VALUES(1,2,3,4,x'05',6);
INSERT INTO s1 VALUES('1','2','3.5','4',x'05','6');
INSERT INTO s1(a) VALUES('x');
INSERT INTO s1(a) VALUES(1.5);
INSERT INTO s1(a) VALUES(1.0);
INSERT INTO s1(c) VALUES('abc');
INSERT INTO s1(d) VALUES(x'41');
INSERT INTO s1(d) VALUES(1.5);
INSERT INTO s1(e) VALUES('x');
INSERT INTO s1(e) VALUES(5);
INSERT INTO s1(f) VALUES('005');
SELECT quote(a),quote(b),quote(c),quote(d),quote(e),quote(f) FROM s1;
CREATE TABLE s2(a) STRICT;
CREATE TABLE s2(a VARCHAR) STRICT;
CREATE TABLE s2(a INT(5)) STRICT;
CREATE TABLE s2(a INTEGER PRIMARY KEY DESC, b ANY) STRICT;
CREATE TABLE s3(a INT PRIMARY KEY, b ANY) STRICT, WITHOUT ROWID;
CREATE TABLE s4(a INT PRIMARY KEY) WITHOUT ROWID, STRICT;
CREATE TABLE s5(a INT) FOO;
CREATE TABLE s5(a INT) STRICT, FOO;
CREATE TABLE s5(a INT) STRICT STRICT;
CREATE TABLE s5(a INT) STRICT, STRICT;
CREATE TABLE s6(a INT) WITHOUT FOO;
CREATE TABLE s6(a INT) WITHOUT ROWID;
INSERT INTO s3 VALUES(NULL, 1);
INSERT INTO s3 VALUES('x', 1);
INSERT INTO s2 VALUES('x', 1);
INSERT INTO s2 VALUES(NULL, '1');
UPDATE s2 SET a='y';
UPDATE s1 SET a='y';
UPDATE s1 SET a='7' RETURNING a, typeof(a);
INSERT OR IGNORE INTO s1(a) VALUES('x');
INSERT OR REPLACE INTO s1(a) VALUES('x');
CREATE TABLE s7(a INT CHECK(a > 'z'), b TEXT AS (a) STORED, c INT AS ('q') VIRTUAL) STRICT;
CREATE TABLE s8(a INT, b INT AS ('q'||a) STORED) STRICT;
CREATE TABLE s9 AS SELECT 1 STRICT;
CREATE TABLE s10(a TEXT DEFAULT 5, b INT DEFAULT 'x') STRICT;
INSERT INTO s10 DEFAULT VALUES;
INSERT INTO s10(b) VALUES(5);
SELECT quote(a) FROM s10;
CREATE TABLE s11(a ANY PRIMARY KEY, b ANY UNIQUE) STRICT;
INSERT INTO s11 VALUES('1',1),(1,'1');
SELECT quote(a),quote(b) FROM s11 WHERE a='1';
SELECT quote(a),quote(b) FROM s11 WHERE a=1;
SELECT quote(a) FROM s11 WHERE b='1';
INSERT INTO s11 VALUES(1,5);
PRAGMA table_list(s11);
PRAGMA integrity_check;
ALTER TABLE s11 ADD COLUMN c;
ALTER TABLE s11 ADD COLUMN c FOO;
ALTER TABLE s11 ADD COLUMN c INT DEFAULT '5';
SELECT quote(c) FROM s11;
INSERT INTO s11(c) VALUES('z');
CREATE TABLE s12(a INT, b TEXT) STRICT;
INSERT INTO s12 SELECT 1, 2;
INSERT INTO s12 SELECT 'a', 2;
CREATE TABLE s13(x,y);
INSERT INTO s13 VALUES('abc',1);
INSERT INTO s12 SELECT * FROM s13;
INSERT INTO s12 VALUES(1,2),(2,3),('p',4);
SELECT * FROM s12;
CREATE TRIGGER s12t BEFORE INSERT ON s12 BEGIN SELECT raise(ignore) WHERE new.a='skip'; END;
INSERT INTO s12 VALUES('skip',1);
CREATE VIEW s14 AS SELECT * FROM s12;
%%
# What a new column gives is looked at where NOT NULL or a CHECK of its own asks for it
CREATE TABLE t(a, b, CHECK(a = a));
INSERT INTO t VALUES (1, 2);
ALTER TABLE t ADD COLUMN c INTEGER AS (date('2024-02-29 23:59:59.999', 'utc'));
SELECT c FROM t;
SELECT a FROM t;
--= error: non-deterministic use of date() in a generated column because SQLite says no more than "SQL logic error"
ALTER TABLE t ADD COLUMN d AS (date(a, 'utc')) CHECK (a > 0);
--= error: non-deterministic use of date() in a generated column because SQLite says no more than "SQL logic error"
ALTER TABLE t ADD COLUMN e BLOB AS (date(a, 'utc')) CHECK (a > 0);
ALTER TABLE t DROP COLUMN c;
ALTER TABLE t ADD COLUMN d AS (date(a, 'utc')) CHECK (a > 0);
--= error: non-deterministic use of date() in a generated column because SQLite says no more than "SQL logic error"
ALTER TABLE t ADD COLUMN f BLOB AS (date(a, 'utc')) CHECK (f > 0);
--= error: non-deterministic use of date() in a generated column because SQLite says no more than "SQL logic error"
ALTER TABLE t ADD COLUMN f TEXT AS (date(a, 'utc')) NOT NULL;
SELECT a, b FROM t;
%%
# Of a new column's mistakes the one is told that is written first; what it may not be comes behind
CREATE TABLE t(a);
ALTER TABLE t ADD b DEFAULT 3 UNIQUE AS (1) STORED;
ALTER TABLE t ADD b AS (1) STORED DEFAULT (a);
ALTER TABLE t ADD b AS (1) STORED UNIQUE DEFAULT 3 PRIMARY KEY;
ALTER TABLE t ADD b AS (1) STORED UNIQUE PRIMARY KEY DEFAULT 3;
ALTER TABLE t ADD b AS (1) fooed UNIQUE PRIMARY KEY DEFAULT 3;
ALTER TABLE t ADD b INT AS (1) AS (2) UNIQUE;
ALTER TABLE t ADD b INT AS (1) UNIQUE;
%%
# Circles are told by the column that they come back to
--= error: generated column loop on "d" because circles are found when the table is made since 3.41
CREATE TABLE t(a, c AS (c), d AS (d));
--= error: generated column loop on "a" because circles are found when the table is made since 3.41
CREATE TABLE t(a AS (a), b AS (b), d AS (a), e);
--= error: generated column loop on "e" because circles are found when the table is made since 3.41
CREATE TABLE t(a AS (e), b AS (b), d AS (a), e AS (d), x);
CREATE TABLE w(a AS (b + c), b AS (c), c AS (x), x, y AS (a));
--= error: generated column loop on "y" because circles are found when the table is made since 3.41
CREATE TABLE u(a AS (b + c), b AS (c), c AS (y), x, y AS (x + a));
CREATE TABLE v(a AS (b) STORED, b AS (a), x);
--= error: generated column loop on "c" because circles are found when the table is made since 3.41
CREATE TABLE u(c AS (c), d AS (a * c + a), a INTEGER PRIMARY KEY, b) WITHOUT ROWID;
%%
# The types of other computed columns of a STRICT table are looked at with those of a new one
CREATE TABLE t(a INT, c INT AS (x'31') VIRTUAL) STRICT;
INSERT INTO t VALUES (0), (1);
--= error: type mismatch on DEFAULT because the table is checked so since 3.41
ALTER TABLE t ADD COLUMN n ANY CHECK (a);
--= error: type mismatch on DEFAULT because the table is checked so since 3.41
ALTER TABLE t ADD COLUMN n ANY;
DELETE FROM t;
ALTER TABLE t ADD COLUMN m ANY NOT NULL AS (a) CHECK (a);
INSERT INTO t(a) VALUES (1);
SELECT a, m FROM t;
%%
-- What a trigger BEFORE UPDATE sees of a computed column is computed from all columns.
CREATE TABLE t(a, b, g AS (a || b));
CREATE TABLE log(x);
CREATE TRIGGER r BEFORE UPDATE ON t BEGIN INSERT INTO log VALUES (new.g); END;
INSERT INTO t VALUES (1, 2);
UPDATE t SET a = 3;
--= T:32| because SQLite computes it without the columns that neither the statement nor the trigger names
SELECT * FROM log;
%%
-- Real numbers that are computed stay real numbers where they are sorted.
CREATE TABLE t(a, g REAL AS (a));
INSERT INTO t VALUES (2), (1), (2.5);
SELECT g FROM t;
--= R:1| R:2| R:2.5| because SQLite sorts them as integers
SELECT g FROM t ORDER BY a;
--= T:1.0| T:1.0,2.0| T:1.0,2.0,2.5| because SQLite sorts them as integers
SELECT group_concat(g) OVER (ORDER BY a) FROM t;
