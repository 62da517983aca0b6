# What type columns of VALUES have: rows of constants are one table, whose columns have none; other rows, and those of statements
# with WITH and of views, are terms of a compound query
CREATE TABLE t(a, b TEXT, c REAL, d INT);
INSERT INTO t VALUES(1, '2', 3, 4), (2, '2', 2, 2), (3, '3', 3, 3);
SELECT * FROM (VALUES ('B', 3), (1.5, CAST('x' AS TEXT)), (1e3, '[1')) AS v JOIN t WHERE v.column2 BETWEEN CAST('2.0' AS TEXT) AND t.rowid;
SELECT column1, column1 < column2, column2 >= CAST('2' AS TEXT) FROM (VALUES ('a', x'61'), ('12:30', 31), (CAST('x' AS TEXT), 10));
SELECT column1 FROM (VALUES ('a', x'61'), ('12:30', 31), (CAST('x' AS TEXT), 10)) WHERE column1 < column2;
--= T:a|I:1|I:1| T:12:30|I:1|I:1| T:x|I:0|I:0| because SQLite 3.50 answers so
WITH w AS (SELECT 1) SELECT column1, column1 < column2, column2 >= CAST('2' AS TEXT) FROM (VALUES ('a', x'61'), ('12:30', 31), (CAST('x' AS TEXT), 10));
--= T:a| T:12:30| because SQLite 3.50 answers so
WITH w AS (SELECT 1) SELECT column1 FROM (VALUES ('a', x'61'), ('12:30', 31), (CAST('x' AS TEXT), 10)) WHERE column1 < column2;
SELECT column1, column1 = '1', column1 < 9 FROM (VALUES (1), (CAST('10' AS INT)), ('1')) WHERE column1 < '9';
--= I:10|I:0|I:0| I:1|I:0|I:1| T:1|I:1|I:0| T:2|I:0|I:0| because SQLite 3.50 answers so
SELECT column1, column1 = '1', column1 < 9 FROM (VALUES (CAST('10' AS INT)), (1), ('1'), ('2'));
SELECT column1, column1 = 1, column1 < 9 FROM (VALUES ('1'), (CAST('1' AS TEXT)), (nullif('1', '2')), ('2'));
SELECT column1, column1 = 1, column1 < 9 FROM (VALUES ('1'), ('2') UNION ALL VALUES (CAST('1' AS TEXT)));
CREATE VIEW v AS SELECT column1, column1 = 1, column1 < 9 FROM (VALUES ('1'), ('2'), (CAST('1' AS TEXT)));
--= T:1|I:1|I:1| T:2|I:0|I:1| T:1|I:1|I:1| because SQLite 3.50 answers so
SELECT * FROM v;
SELECT column1 > 31 FROM (VALUES (x''), (CAST(char(0) AS TEXT)), ('10'));
--= I:1| I:1| I:1| because SQLite 3.50 answers so
SELECT column1 > 31 FROM (VALUES (CAST(1 AS TEXT)), (char(1)), ('10'));
SELECT column1 > 31 FROM (VALUES (CAST(1 AS TEXT)), ('10'));
--= I:1| I:1| I:1| because SQLite 3.50 answers so
SELECT column1 > 31 FROM (VALUES (CAST(1 AS TEXT)) UNION ALL VALUES ('1'), ('10'));
SELECT column1 > 31 FROM (VALUES (CAST(1 AS TEXT)) UNION ALL VALUES ('10'));
%%
# A function that always gives the same is a constant to the rows of VALUES: those behind them give the columns no affinity.
CREATE TABLE t(a, b TEXT);
INSERT INTO t VALUES(1, ' 3');
--= I:0| I:0| because 3.40 has no such rows
SELECT column1 <= b FROM t, (VALUES (10, printf('a')), (CAST('x' AS TEXT), -0.5));
--= I:0| I:0| because 3.40 has no such rows
SELECT column1 <= b FROM t, (VALUES (10, 'a' LIKE 'b'), (CAST('x' AS TEXT), abs(-2)));
--= I:0| I:0| because 3.40 has no such rows
SELECT column1 <= b FROM t, (VALUES (10, max(1, 2)), (CAST('x' AS TEXT), date('now')));
--= I:1| I:0| because 3.40 has no types of such columns
SELECT column1 <= b FROM t, (VALUES (10, random()), (CAST('x' AS TEXT), -0.5));
--= I:1| I:0| because 3.40 has no types of such columns
SELECT column1 <= b FROM t, (VALUES (10, abs(random())), (CAST('x' AS TEXT), -0.5));
--= I:1| I:0| because 3.40 has no types of such columns
SELECT column1 <= b FROM t, (VALUES (10, changes()), (CAST('x' AS TEXT), -0.5));
SELECT column1 <= b FROM t, (VALUES (10, nosuch(1)), (CAST('x' AS TEXT), -0.5));
--= I:1| I:0| because 3.40 has no types of such columns
SELECT column1 <= b FROM t, (VALUES (10, 1), (CAST('x' AS TEXT), changes()));
--= I:0| I:1| I:1| because 3.40 has no types of such columns
SELECT column1 <= b FROM t, (VALUES (lower('X'), 1), (CAST(2 AS INT), random()), (abs(1), 3));
%%
# Nor have those that IN compares with, where the last row is one of them.
CREATE TABLE t(a, b TEXT COLLATE NOCASE);
INSERT INTO t VALUES(1, ' 3'), (1, '3'), (2, 'A'), (3, '6.0');
--= I:0| I:1| I:0| I:1| because 3.40 has no such rows
SELECT b IN (VALUES (3), (CAST(6 AS REAL))) FROM t;
--= I:0| I:0| I:1| I:0| because 3.40 has no such rows
SELECT b IN (VALUES ('a'), ('a' COLLATE RTRIM)) FROM t;
--= I:0| I:1| I:1| I:1| because 3.40 has no such rows
SELECT (a, b) IN (VALUES (1, lower(3)), (2, 'a'), (3, CAST(6 AS REAL))) FROM t;
SELECT (a, b) IN (VALUES (1, changes()), (2, 'a'), (3, CAST(6 AS REAL))) FROM t;
SELECT b IN (VALUES (CAST(3 AS INT)), (CAST(6 AS REAL))) FROM t;
SELECT b IN (VALUES (3), (CAST(6 AS REAL)) UNION ALL VALUES (CAST(5 AS INT))) FROM t;
