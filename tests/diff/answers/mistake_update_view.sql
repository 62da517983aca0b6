# UPDATE ... FROM of a view, and of a table: names, and the target in its own FROM
CREATE TABLE t(a,b);
CREATE VIEW v AS SELECT a x, b y FROM t;
CREATE TRIGGER vu INSTEAD OF UPDATE ON v BEGIN SELECT 1; END;
UPDATE v SET x = c FROM v;
UPDATE v SET x = 1 FROM v;
UPDATE v SET x = c FROM t;
UPDATE v SET x = y FROM v;
UPDATE v SET x = v.y FROM v;
UPDATE v SET x = nosuch(1) FROM v;
UPDATE v SET x = 1 FROM v WHERE c;
UPDATE v SET x = sum(1) FROM v;
UPDATE v SET x = (SELECT c) FROM v;
UPDATE v SET x = (SELECT 1 FROM nosuch) FROM v;
UPDATE v SET x = 1, nosuch = 2 FROM v;
UPDATE v SET x = 1, y = c FROM v;
UPDATE v SET x = v.x, y = c FROM v;
UPDATE v SET x = 1 FROM v AS v;
UPDATE v SET x = 1 FROM t AS v;
UPDATE v SET x = q FROM t AS v;
--= error: target object/alias may not appear in FROM clause: v because SQLite 3.50 looks at RETURNING behind FROM
UPDATE v SET x = 1 FROM v RETURNING c;
UPDATE v SET x = 1 FROM nosuch;
UPDATE v SET oid = (c) FROM v;
UPDATE t SET a = c FROM t;
UPDATE t SET a = 1 FROM t;
UPDATE t SET a = (1,2) FROM t;
UPDATE v SET a = (1,2) FROM v;
UPDATE v SET x = (1,2) FROM v;
