# RETURNING beside triggers: behind temp's, before the table's own; mistakes of triggers
CREATE TABLE mt(a,b);
CREATE TEMP TRIGGER tr2 AFTER INSERT ON mt BEGIN SELECT RAISE(IGNORE); END;
INSERT INTO mt VALUES(1,2),(3,4) RETURNING a,b;
SELECT * FROM mt;
CREATE TEMP TRIGGER tr2u AFTER UPDATE ON mt WHEN new.a>1 BEGIN SELECT RAISE(IGNORE); END;
UPDATE mt SET b=b+1 RETURNING a,b;
CREATE TEMP TRIGGER tr2d AFTER DELETE ON mt WHEN old.a=1 BEGIN SELECT RAISE(IGNORE); END;
DELETE FROM mt RETURNING a,b;
CREATE TABLE m2(a,b);
CREATE TRIGGER tr3 AFTER INSERT ON m2 BEGIN SELECT RAISE(IGNORE); END;
INSERT INTO m2 VALUES(1,2),(3,4) RETURNING a,b;
CREATE TEMP TRIGGER tr5 AFTER INSERT ON m2 WHEN new.a=3 BEGIN SELECT RAISE(IGNORE); END;
INSERT INTO m2 VALUES(1,2),(3,4) RETURNING a,b;
CREATE TABLE log(x);
CREATE TABLE m3(a,b);
CREATE TRIGGER tr6 AFTER INSERT ON m3 BEGIN INSERT INTO log VALUES(new.a); END;
CREATE TEMP TRIGGER tr7 AFTER INSERT ON m3 BEGIN INSERT INTO log VALUES(-new.a); END;
INSERT INTO m3 VALUES(1,2),(3,4) RETURNING a, (SELECT count(*) FROM log), (SELECT group_concat(x) FROM log);
CREATE TEMP TABLE tt(a,b);
CREATE TEMP TRIGGER tr AFTER INSERT ON tt BEGIN SELECT RAISE(IGNORE); END;
INSERT INTO tt VALUES(1,2),(3,4) RETURNING a,b;
CREATE VIEW v AS SELECT * FROM m3;
CREATE TEMP TRIGGER tv INSTEAD OF INSERT ON v WHEN new.a=1 BEGIN SELECT RAISE(IGNORE); END;
INSERT INTO v VALUES(1,2),(3,4) RETURNING a,b;
CREATE TEMP TRIGGER tvd INSTEAD OF DELETE ON v WHEN old.a=1 BEGIN SELECT RAISE(IGNORE); END;
DELETE FROM v RETURNING a,b;
CREATE TEMP TRIGGER tvu INSTEAD OF UPDATE ON v WHEN old.a=1 BEGIN SELECT RAISE(IGNORE); END;
--= I:3|I:9| because 3.50 has the view's row in RETURNING
UPDATE v SET b=9 RETURNING a,b;
CREATE TRIGGER tv2 INSTEAD OF INSERT ON v WHEN new.a=3 BEGIN SELECT RAISE(IGNORE); END;
INSERT INTO v VALUES(1,2),(3,4),(5,6) RETURNING a,b;
CREATE TABLE rt(a);
CREATE TRIGGER rtt AFTER INSERT ON rt BEGIN SELECT nosuch; END;
INSERT INTO rt VALUES(1) RETURNING sum(a);
INSERT INTO rt VALUES(1) RETURNING y;
CREATE TEMP TRIGGER rtt2 AFTER INSERT ON rt BEGIN SELECT nosuch2; END;
--= error: no such column: nosuch2 because 3.50 makes the triggers' programs first
INSERT INTO rt VALUES(1) RETURNING y;
UPDATE rt SET a=1 RETURNING sum(a);
CREATE TRIGGER rtu AFTER UPDATE ON rt BEGIN SELECT nosuch; END;
--= error: no such column: nosuch because 3.50 makes the triggers' programs first
UPDATE rt SET a=1 RETURNING sum(a);
--= error: no such column: nosuch because 3.50 makes the triggers' programs first
UPDATE rt SET a=1 RETURNING y;
UPDATE rt SET a=y RETURNING sum(a);
UPDATE rt SET a=1 WHERE z RETURNING sum(a);
CREATE TRIGGER rtd BEFORE DELETE ON rt BEGIN SELECT nosuch3; END;
--= error: no such column: nosuch3 because 3.50 makes the triggers' programs first
DELETE FROM rt RETURNING sum(a);
CREATE TRIGGER rtd2 AFTER DELETE ON rt BEGIN SELECT nosuch4; END;
--= error: no such column: nosuch4 because 3.50 makes the triggers' programs first
DELETE FROM rt RETURNING y;
DELETE FROM rt WHERE z RETURNING sum(a);
CREATE VIEW rv AS SELECT a FROM rt;
CREATE TRIGGER rvd INSTEAD OF DELETE ON rv BEGIN SELECT nosuch5; END;
--= error: no such column: nosuch5 because 3.50 makes the triggers' programs first
DELETE FROM rv RETURNING y;
CREATE TRIGGER rvu INSTEAD OF UPDATE ON rv BEGIN SELECT nosuch6; END;
--= error: no such column: nosuch6 because 3.50 makes the triggers' programs first
UPDATE rv SET a=1 RETURNING y;
CREATE TRIGGER rvi INSTEAD OF INSERT ON rv BEGIN SELECT nosuch7; END;
--= error: no such column: nosuch7 because 3.50 makes the triggers' programs first
INSERT INTO rv VALUES(1) RETURNING y;
CREATE TABLE b2(a, b);
CREATE TRIGGER b2t BEFORE UPDATE OF a ON b2 BEGIN INSERT INTO b2 VALUES(1); END;
UPDATE b2 SET (a, b) = (SELECT 1);
UPDATE b2 SET a = 1;
CREATE TABLE rn(a INTEGER PRIMARY KEY, b, c);
INSERT INTO rn VALUES(1,'x',2),(2,'y',NULL),(3,'z','z');
SAVEPOINT rn;
--= I:2| N| N| because 3.40 computes a subquery within another one once
DELETE FROM rn RETURNING (SELECT c WHERE (SELECT 2 FROM rn));
ROLLBACK TO rn;
--= I:2|T:22|N| N|N|N| N|T:z0|N| because 3.40 computes a subquery within another one once
DELETE FROM rn RETURNING (SELECT c WHERE EXISTS (SELECT 2 FROM rn)), (SELECT c || (SELECT count(*) FROM rn)), (SELECT 1 WHERE c IN (SELECT c FROM rn));
ROLLBACK TO rn;
--= T:2z|N| N|N| T:z3|I:3| because 3.40 computes a subquery within another one once
UPDATE rn SET b = a RETURNING (SELECT c || (SELECT max(b) FROM rn)), (SELECT a WHERE (SELECT max(b) = a FROM rn));
ROLLBACK TO rn;
--= I:11|I:26| N|I:29| N|I:32| because 3.40 computes a subquery within another one once
INSERT INTO rn SELECT a + 10, 1, 2 FROM rn RETURNING (SELECT a WHERE (SELECT max(a) < 12 FROM rn)), (SELECT a + (SELECT a + (SELECT count(*) FROM rn)));
RELEASE rn;
%%
-- What a subquery in RETURNING reads: a view that changes, for each row; windows whose results nobody reads are computed, too.
CREATE TABLE t(a INTEGER PRIMARY KEY, b);
CREATE VIEW v AS SELECT a AS x, b AS y FROM t;
CREATE TRIGGER vd INSTEAD OF DELETE ON v BEGIN DELETE FROM t WHERE a = old.x; END;
CREATE TRIGGER vi INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.x, new.y); END;
--= I:1| I:2| I:3| because 3.40 computes a subquery that reads the view once
INSERT INTO v VALUES (1, 'x'), (2, 'y'), (3, NULL) RETURNING (SELECT count(*) FROM v);
BEGIN;
--= T:y| N| N| because 3.40 computes a subquery that reads the view once
DELETE FROM v RETURNING (SELECT y FROM v);
ROLLBACK;
DELETE FROM v RETURNING (SELECT group_concat(y) FROM (SELECT y FROM v ORDER BY x DESC LIMIT 2)), (SELECT (SELECT max(x) FROM v));
CREATE TABLE u(a REAL PRIMARY KEY ON CONFLICT IGNORE, b);
BEGIN;
REPLACE INTO u(rowid, b, a) VALUES (3, 1, 1), ('x', 2, 2) RETURNING (SELECT 1 FROM (SELECT sum(a) OVER (ORDER BY a ROWS 2 PRECEDING) FROM t));
SELECT * FROM u;
COMMIT;
INSERT INTO t VALUES (1, 2);
INSERT INTO u VALUES (7, 7) RETURNING (SELECT count(*) FROM (SELECT sum(a) OVER (ORDER BY a ROWS -2 PRECEDING) FROM t));
