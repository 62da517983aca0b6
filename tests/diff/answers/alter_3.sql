# Dropped columns that something reads, in quotes or not
CREATE TABLE t(a,l); CREATE INDEX ti2 ON t("l"+1);
--= error: error in index ti2 after drop column: no such column: "l" - should this be a string literal in single-quotes? because SQLite 3.50 answers so
ALTER TABLE t DROP COLUMN l;
SELECT sql FROM sqlite_schema;
%%
CREATE TABLE t(a,l); CREATE INDEX ti2 ON t(a) WHERE "l"+1;
--= error: error in index ti2 after drop column: no such column: "l" - should this be a string literal in single-quotes? because SQLite 3.50 answers so
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE INDEX ti2 ON t("l");
--= error: error in index ti2 after drop column: no such column: "l" - should this be a string literal in single-quotes? because SQLite 3.50 answers so
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE INDEX ti2 ON t(l+1);
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE INDEX ti2 ON t(a) WHERE l+1;
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE INDEX ti2 ON t([l]);
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE INDEX ti2 ON t(abs([l]));
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l, CHECK("l">0));
--= error: error in table t after drop column: no such column: "l" - should this be a string literal in single-quotes? because SQLite 3.50 answers so
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l, CHECK(t."l">0));
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l, c AS ("l"));
--= error: error in table t after drop column: no such column: "l" - should this be a string literal in single-quotes? because SQLite 3.50 answers so
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE VIEW v AS SELECT "l", a FROM t;
ALTER TABLE t DROP COLUMN l;
SELECT * FROM v;
SELECT sql FROM sqlite_schema;
%%
CREATE TABLE t(a,l); CREATE VIEW v AS SELECT t."l", a FROM t;
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE VIEW v AS SELECT [l], a FROM t;
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT "l" FROM t; END;
ALTER TABLE t DROP COLUMN l;
SELECT sql FROM sqlite_schema;
%%
CREATE TABLE t(a,l); CREATE TRIGGER tr AFTER INSERT ON t WHEN new."l" BEGIN SELECT 1 FROM t; END;
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET "l"=1; END;
ALTER TABLE t DROP COLUMN l;
INSERT INTO t VALUES(1);
%%
CREATE TABLE t(a,l); CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO t(l) VALUES(1); END;
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE TRIGGER tr AFTER UPDATE OF l ON t BEGIN INSERT INTO t(a) VALUES(1); END;
ALTER TABLE t DROP COLUMN l;
UPDATE t SET a=1;
%%
CREATE TABLE t(a,l); CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET a=1 WHERE "l"=1; DELETE FROM t WHERE l=2; END;
ALTER TABLE t DROP COLUMN l;
%%
CREATE TABLE t(a,l); CREATE TABLE u(x); CREATE TRIGGER tr AFTER INSERT ON u BEGIN INSERT INTO t VALUES(1,2) ON CONFLICT DO UPDATE SET l=5; END;
ALTER TABLE t DROP COLUMN l;
INSERT INTO u VALUES(1);
%%
CREATE TABLE t(a,l); CREATE TABLE u(x); CREATE TRIGGER tr AFTER INSERT ON u BEGIN INSERT INTO t VALUES(1,2); END;
ALTER TABLE t DROP COLUMN l;
INSERT INTO u VALUES(1);
%%
CREATE TABLE t(a,b); CREATE TABLE q8(a,b,c, FOREIGN KEY(b) REFERENCES t(a));
ALTER TABLE q8 DROP COLUMN b;
CREATE TABLE q9(a,b REFERENCES t(a),c);
ALTER TABLE q9 DROP COLUMN b;
CREATE TABLE q10(a,b UNIQUE,c);
ALTER TABLE q10 DROP COLUMN b;
CREATE TABLE q11(a,b,c, UNIQUE(a,b));
ALTER TABLE q11 DROP COLUMN b;
CREATE TABLE q12(a,b,c, PRIMARY KEY(a,b));
ALTER TABLE q12 DROP COLUMN b;
ALTER TABLE t DROP COLUMN a;
CREATE TABLE q13(x REFERENCES t(a));
ALTER TABLE t DROP COLUMN a;
ALTER TABLE t DROP COLUMN b;
CREATE TABLE q14(x, y, z AS (x));
ALTER TABLE q14 DROP COLUMN x;
ALTER TABLE q14 DROP COLUMN z;
ALTER TABLE q14 DROP COLUMN x;
ALTER TABLE q14 DROP COLUMN y;
CREATE VIEW bad AS SELECT * FROM nosuchtable;
ALTER TABLE q13 DROP COLUMN x;
ALTER TABLE q12 DROP COLUMN c;
ALTER TABLE q12 ADD COLUMN d;
ALTER TABLE q12 RENAME COLUMN c TO e;
ALTER TABLE q12 RENAME TO q12b;
DROP VIEW bad;
CREATE VIEW v AS SELECT *, a FROM q12;
CREATE VIEW v2 AS SELECT q12.*, * FROM q12 NATURAL JOIN q11;
ALTER TABLE q12 RENAME COLUMN c TO e;
ALTER TABLE q12 RENAME COLUMN a TO x;
SELECT sql FROM sqlite_schema WHERE type='view';
ALTER TABLE q11 RENAME COLUMN b TO bb;
ALTER TABLE q12 DROP COLUMN e;
