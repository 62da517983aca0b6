# PRAGMA optimize and PRAGMA analysis_limit
%%
CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000) INSERT INTO t SELECT i, i%7, i%100, i FROM n;
CREATE INDEX ta ON t(a, b);
CREATE INDEX tb ON t(b DESC) WHERE b > 10;
CREATE UNIQUE INDEX tc ON t(c);
CREATE INDEX td ON t(a || 'x' COLLATE nocase, c);
CREATE TABLE w(k TEXT, v, PRIMARY KEY(k DESC, v)) WITHOUT ROWID;
INSERT INTO w SELECT a, c FROM t;
CREATE TABLE x(p, q);
CREATE INDEX xp ON x(p, q);
INSERT INTO x SELECT CASE WHEN c % 2 THEN NULL ELSE c / 50 END, b FROM t;
CREATE TABLE same(p, q);
CREATE INDEX samep ON same(p, q);
INSERT INTO same SELECT 1, b FROM t;
PRAGMA analysis_limit;
PRAGMA analysis_limit = 1;
ANALYZE;
--= T:same|T:samep|T:5000 2 2| T:t|T:ta|T:5000 2 2| T:t|T:tb|T:4450 2| T:t|T:tc|T:5000 1| T:t|T:td|T:5000 2 1| T:w|T:w|T:5000 2 1| T:x|T:xp|T:5000 2 2| because SQLite 3.50 answers so
SELECT * FROM sqlite_stat1 ORDER BY 1, 2;
PRAGMA analysis_limit = 100;
ANALYZE;
--= T:same|T:samep|T:5000 101 34| T:t|T:ta|T:5000 101 7| T:t|T:tb|T:4450 34| T:t|T:tc|T:5000 1| T:t|T:td|T:5000 101 1| T:w|T:w|T:5000 101 1| T:x|T:xp|T:5000 34 2| because SQLite 3.50 answers so
SELECT * FROM sqlite_stat1 ORDER BY 1, 2;
PRAGMA analysis_limit = 1000;
ANALYZE;
--= T:same|T:samep|T:5000 1001 48| T:t|T:ta|T:5000 501 8| T:t|T:tb|T:4450 48| T:t|T:tc|T:5000 1| T:t|T:td|T:5000 501 1| T:w|T:w|T:5000 501 1| T:x|T:xp|T:5000 48 2| because SQLite 3.50 answers so
SELECT * FROM sqlite_stat1 ORDER BY 1, 2;
ANALYZE ta;
ANALYZE x;
--= T:same|T:samep|T:5000 1001 48| T:t|T:ta|T:5000 501 8| T:t|T:tb|T:4450 48| T:t|T:tc|T:5000 1| T:t|T:td|T:5000 501 1| T:w|T:w|T:5000 501 1| T:x|T:xp|T:5000 48 2| because SQLite 3.50 answers so
SELECT * FROM sqlite_stat1 ORDER BY 1, 2;
PRAGMA analysis_limit = 4999;
ANALYZE;
--= T:same|T:samep|T:5000 5000 50| T:t|T:ta|T:5000 715 8| T:t|T:tb|T:4450 50| T:t|T:tc|T:5000 1| T:t|T:td|T:5000 715 1| T:w|T:w|T:5000 715 1| T:x|T:xp|T:5000 50 2| because SQLite 3.50 answers so
SELECT * FROM sqlite_stat1 ORDER BY 1, 2;
PRAGMA analysis_limit = -5;
PRAGMA analysis_limit = 0;
ANALYZE;
SELECT * FROM sqlite_stat1 ORDER BY 1, 2;
PRAGMA integrity_check;
%%
CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000) INSERT INTO t SELECT i, i%7, i%100, i FROM n;
CREATE INDEX ta ON t(a, b);
CREATE UNIQUE INDEX tc ON t(c);
CREATE TABLE n(x);
INSERT INTO n VALUES(1),(2);
--= T:ANALYZE "main"."t"| because SQLite 3.50 answers so
PRAGMA optimize(3);
--= T:ANALYZE "main"."n"| T:ANALYZE "main"."t"| because SQLite 3.50 answers so
PRAGMA optimize(-1);
--= T:ANALYZE "main"."n"| T:ANALYZE "main"."t"| because SQLite 3.50 answers so
PRAGMA optimize(0x10003);
PRAGMA optimize(1);
PRAGMA optimize(0);
PRAGMA optimize('x');
PRAGMA optimize(0x12);
--= T:t|T:ta|T:5000 667 8| T:t|T:tc|T:5000 1| because SQLite 3.50 answers so
SELECT * FROM sqlite_stat1 ORDER BY 1, 2;
PRAGMA optimize(3);
SELECT count(*) FROM t WHERE a=3;
SELECT * FROM t WHERE c=3;
--=  because SQLite 3.50 answers so
PRAGMA optimize(3);
INSERT INTO t SELECT id+10000, a+10000, b+1, c+10000 FROM t;
--=  because SQLite 3.50 answers so
PRAGMA optimize(3);
INSERT INTO t SELECT id+20000, a+20000, b+1, c+20000 FROM t;
INSERT INTO t SELECT id+40000, a+20000, b+1, c+40000 FROM t;
INSERT INTO t SELECT id+80000, a+20000, b+1, c+80000 FROM t;
PRAGMA optimize(3);
PRAGMA optimize;
--= T:t|T:ta|T:80000 667 8| T:t|T:tc|T:80000 1| because SQLite 3.50 answers so
SELECT * FROM sqlite_stat1 ORDER BY 1, 2;
PRAGMA optimize(3);
DELETE FROM t WHERE id > 100;
--= T:ANALYZE "main"."t"| because SQLite 3.50 answers so
PRAGMA optimize(3);
DELETE FROM t;
--= T:ANALYZE "main"."t"| because SQLite 3.50 answers so
PRAGMA optimize(3);
--= T:ANALYZE "main"."t"| because SQLite 3.50 answers so
PRAGMA main.optimize(3);
--= T:ANALYZE "main"."t"| because SQLite 3.50 answers so
SELECT optimize FROM pragma_optimize(3);
PRAGMA temp.optimize(0x10003);
ATTACH ':memory:' AS "other db";
CREATE TABLE "other db"."z ""z"(a, b);
CREATE INDEX "other db".zz ON "z ""z"(a);
INSERT INTO "z ""z" VALUES(1, 2);
--= T:ANALYZE "main"."n"| T:ANALYZE "main"."t"| because SQLite 3.50 answers so
PRAGMA main.optimize(0x10003);
--= T:ANALYZE "other db"."z ""z"| because SQLite 3.50 answers so
PRAGMA "other db".optimize(3);
PRAGMA "other db".optimize;
--= T:z "z|T:zz|T:1 1| because SQLite 3.50 answers so
SELECT * FROM "other db".sqlite_stat1;
PRAGMA nosuch.optimize;
BEGIN;
INSERT INTO "z ""z" VALUES(2, 3);
INSERT INTO n VALUES(4);
PRAGMA optimize(0x10002);
ROLLBACK;
--= T:z "z|T:zz|T:1 1| because SQLite 3.50 answers so
SELECT * FROM "other db".sqlite_stat1;
PRAGMA integrity_check;
