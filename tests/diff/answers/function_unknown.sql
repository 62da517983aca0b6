# functions in the schema of a file that this connection does not have
CREATE TABLE t(a, b); CREATE INDEX ta ON t(length(a)); CREATE INDEX tb ON t(b) WHERE length(b) > 1;
CREATE TABLE u(a, b AS (length(a)), CHECK(length(a) > 0)); CREATE TABLE d(a, b DEFAULT(length('x'))); CREATE VIEW v AS SELECT length(a) FROM t;
INSERT INTO t VALUES(1, 2), (3, 'four'); INSERT INTO u VALUES(5); INSERT INTO d VALUES(6, 7);
PRAGMA writable_schema=ON;
UPDATE sqlite_schema SET sql = replace(sql, 'length', 'other');
PRAGMA writable_schema=RESET;
SELECT * FROM t;
SELECT * FROM t WHERE a = 1;
SELECT a FROM t WHERE b = 'four' ORDER BY b;
SELECT * FROM t WHERE length(a) = 1;
SELECT * FROM t ORDER BY other(a);
SELECT count(*) FROM t, u;
SELECT a FROM u;
--= error: unknown function: other() because the place that SQLite tells is that in another statement
SELECT * FROM u;
--= error: unknown function: other() because the place that SQLite tells is that in another statement
SELECT b FROM u WHERE a = 5;
SELECT * FROM v;
SELECT * FROM d;
INSERT INTO d VALUES(8, 9);
INSERT INTO d(a) VALUES(10);
DELETE FROM d WHERE a = 8;
PRAGMA table_xinfo(u);
PRAGMA index_xinfo(ta);
--= error: unknown function: other() because the place that SQLite tells is that in another statement
INSERT INTO t VALUES(1, 2);
--= error: unknown function: other() because the place that SQLite tells is that in another statement
UPDATE t SET b = 2;
--= error: unknown function: other() because the place that SQLite tells is that in another statement
UPDATE t SET a = 2;
--= error: unknown function: other() because the place that SQLite tells is that in another statement
DELETE FROM t WHERE a = 1;
--= error: unknown function: other() because the place that SQLite tells is that in another statement
INSERT INTO u VALUES(1);
--= error: unknown function: other() because the place that SQLite tells is that in another statement
PRAGMA integrity_check;
CREATE INDEX tc ON t(other(b));
CREATE INDEX td ON t(b);
SELECT b FROM t ORDER BY b;
DELETE FROM u;
DROP INDEX ta;
UPDATE t SET a = 2;
DROP TABLE u;
DROP TABLE t;
