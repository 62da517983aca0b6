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
-- A wildcard of RETURNING is told before what is wrong with FROM, and WHERE beside it.
CREATE TABLE of_view(a, b);
CREATE TABLE beside(a, b, e);
CREATE VIEW over_it AS SELECT a x, b y FROM of_view;
CREATE TRIGGER over_it_u INSTEAD OF UPDATE ON over_it BEGIN SELECT 1; END;
CREATE TRIGGER over_it_d INSTEAD OF DELETE ON over_it BEGIN SELECT 1; END;
UPDATE over_it SET y = 'k' FROM (e) RETURNING t.*;
UPDATE over_it SET y = 'k' FROM e RETURNING t.*;
UPDATE over_it SET y = 'k' FROM beside, e RETURNING t.*;
UPDATE over_it SET y = 'k' FROM (SELECT * FROM e) RETURNING t.*;
UPDATE over_it SET y = nosuch FROM e RETURNING t.*;
UPDATE over_it SET y = 'k' FROM beside WHERE nosuch RETURNING t.*;
UPDATE over_it SET nosuch = 'k' FROM e RETURNING t.*;
--= error: no such table: e because 3.40 looks at RETURNING before FROM
UPDATE over_it SET y = 'k' FROM e RETURNING nosuch;
UPDATE over_it SET y = nosuch FROM e RETURNING x;
UPDATE over_it SET y = 'k' WHERE nosuch RETURNING t.*;
UPDATE over_it SET y = nosuch RETURNING t.*;
UPDATE over_it SET y = (SELECT 1 FROM nosuch) RETURNING t.*;
DELETE FROM over_it WHERE nosuch RETURNING t.*;
%%
# A WHERE that is a function is looked at again behind the first mistake, as DELETE does
CREATE TABLE t(a,b);
CREATE VIEW v AS SELECT a x, b y FROM t;
CREATE TRIGGER vu INSTEAD OF UPDATE ON v BEGIN SELECT 1; END;
UPDATE v SET x = 1 WHERE coalesce(count(), (SELECT u));
UPDATE v SET x = 1 WHERE abs(count() = (SELECT u));
UPDATE v SET x = 1 WHERE abs(nosuch(1) = (SELECT u));
UPDATE v SET x = w WHERE coalesce(count(), (SELECT u));
UPDATE v SET x = 1 WHERE count() + (SELECT u);
UPDATE v SET x = 1 WHERE abs(1, 2, (SELECT u));
UPDATE v SET x = 1 FROM t WHERE coalesce(count(), (SELECT u));
