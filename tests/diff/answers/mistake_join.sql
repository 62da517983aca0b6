-- Which mistake of a join is told, and of a compound with ORDER BY ... COLLATE.
CREATE TABLE joined(a, b, c);
--= error: ambiguous reference to a in USING() because later releases tell the first
SELECT 1 FROM joined x RIGHT JOIN joined y JOIN joined z USING(a, b);
--= error: ambiguous reference to b in USING() because later releases tell the first
SELECT 1 FROM joined x RIGHT JOIN joined y JOIN joined z USING(b, a);
--= error: ambiguous reference to a in USING() because later releases tell the first
SELECT 1 FROM joined x RIGHT JOIN joined y NATURAL JOIN joined z;
--= error: ambiguous reference to a in USING() because later releases tell the first
SELECT 1 FROM joined x RIGHT JOIN joined y JOIN joined z USING(a) JOIN joined w USING(b);
SELECT 1 FROM joined x RIGHT JOIN joined y JOIN joined z USING(a) NATURAL JOIN joined w;
SELECT q.* FROM joined x RIGHT JOIN joined y JOIN joined z USING(a) NATURAL JOIN joined w;
SELECT q.* FROM joined x RIGHT JOIN joined y JOIN joined z USING(a) JOIN joined w USING(b);
SELECT q.* FROM joined x RIGHT JOIN joined y JOIN joined z USING(a) JOIN joined w;
SELECT q.* FROM joined x RIGHT JOIN joined y JOIN joined z USING(a) JOIN joined w ON 1;
SELECT q.* FROM joined x RIGHT JOIN joined y JOIN joined z USING(a);
SELECT q.* FROM joined x RIGHT JOIN joined y JOIN joined z USING(a, b);
SELECT q.* FROM joined x RIGHT JOIN joined y JOIN joined z USING(a, b, c);
SELECT q.* FROM joined x RIGHT JOIN joined y NATURAL JOIN joined z;
SELECT q.*, p.* FROM joined x RIGHT JOIN joined y NATURAL JOIN joined z;
SELECT q.*, p.* FROM joined x RIGHT JOIN joined y JOIN joined z USING(a);
SELECT 1 FROM joined x RIGHT JOIN joined y JOIN joined z USING(a, d);
SELECT 1 FROM joined x RIGHT JOIN joined y JOIN joined z USING(d, a);
SELECT 1 FROM joined x RIGHT JOIN joined y JOIN joined z USING(a) JOIN joined w USING (d);
SELECT 1 FROM joined x RIGHT JOIN joined y JOIN joined z USING(a) NATURAL JOIN joined w USING (c);
SELECT 1 FROM joined x RIGHT JOIN joined y JOIN joined z USING(a) JOIN joined w USING (a);
SELECT 1 FROM t2 UNION SELECT 2 FROM joined ORDER BY (SELECT 1 FROM nosuch) COLLATE nocase;
SELECT 1 FROM t2 UNION SELECT 2 FROM joined ORDER BY (SELECT 1 FROM nosuch);
SELECT 1 FROM t2 UNION ALL SELECT 2 FROM joined ORDER BY (SELECT 1 FROM nosuch) COLLATE nocase;
SELECT 1 FROM t2 UNION SELECT 2 FROM joined ORDER BY 1, (SELECT 1 FROM nosuch) COLLATE nocase;
SELECT 1 FROM t2 UNION SELECT 2 FROM joined ORDER BY (SELECT 1 FROM nosuch), 1 COLLATE nocase;
SELECT 1 FROM t2 UNION SELECT 2 FROM joined ORDER BY a COLLATE nocase LIMIT (SELECT 1 FROM nosuch);
SELECT 1 FROM t2 UNION SELECT 2 FROM joined ORDER BY a LIMIT (SELECT 1 FROM nosuch);
SELECT (SELECT 1 FROM t2 UNION SELECT 2 FROM joined ORDER BY (SELECT 1 FROM nosuch) COLLATE nocase);
SELECT * FROM (SELECT 1 FROM t2 UNION SELECT 2 FROM joined ORDER BY (SELECT 1 FROM nosuch) COLLATE nocase);
SELECT 1 FROM t2 UNION SELECT 2 FROM joined WHERE (SELECT 1 FROM nosuch2) ORDER BY (SELECT 1 FROM nosuch) COLLATE nocase;
WITH w AS (SELECT * FROM no3) SELECT 1 FROM t2 UNION SELECT 2 FROM w ORDER BY (SELECT 1 FROM nosuch) COLLATE nocase;
SELECT nosuch(1) FROM t2 UNION SELECT 2 FROM joined ORDER BY (SELECT 1 FROM nosuch) COLLATE nocase;
SELECT z FROM joined UNION SELECT 2 FROM t2 ORDER BY (SELECT 1 FROM nosuch) COLLATE nocase;
SELECT z FROM joined UNION SELECT 2 FROM joined ORDER BY (SELECT 1 FROM nosuch) COLLATE nocase;
SELECT a, 1 FROM joined UNION SELECT 2 FROM joined ORDER BY (SELECT 1 FROM nosuch) COLLATE nocase;
SELECT a, * FROM joined UNION SELECT 2 FROM joined ORDER BY (SELECT x.* FROM joined) COLLATE nocase;
SELECT a, y.* FROM joined UNION SELECT 2 FROM joined ORDER BY (SELECT x.* FROM joined) COLLATE nocase;
-- A USING of two columns is told again when the query is looked at once more.
CREATE TABLE once(a INTEGER PRIMARY KEY, b);
SELECT (1, 1) IS 1 = (SELECT * FROM (SELECT 'x' FROM once, once RIGHT JOIN once USING (a)) AS q JOIN once USING (a));
SELECT (SELECT NOT 1, nosuch IN (SELECT b)) = (SELECT * FROM (SELECT 'x' FROM once, once RIGHT JOIN once USING (a)) AS q JOIN once USING (a));
SELECT 1 WHERE (SELECT 1) = (SELECT * FROM (SELECT 'x' FROM once, once RIGHT JOIN once USING (a) ORDER BY 2) AS q LEFT JOIN once USING (a));
SELECT nosuch, (SELECT * FROM (SELECT 'x' FROM once, once RIGHT JOIN once USING (a)) AS q JOIN once USING (a));
-- A NATURAL JOIN behind a USING of two columns ends the search.
CREATE TABLE only(a);
SELECT 1 FROM nosuch UNION ALL SELECT 1 FROM only RIGHT JOIN only AS x ON 1 NATURAL JOIN only AS y;
SELECT 1 FROM nosuch UNION ALL SELECT 1 FROM only RIGHT JOIN only AS x ON 1 NATURAL JOIN only AS y NATURAL JOIN only AS z;
SELECT 1 FROM nosuch UNION ALL SELECT nosuch FROM only RIGHT JOIN only AS x ON 1 NATURAL JOIN only AS y NATURAL JOIN (SELECT 1 AS a);
SELECT 1 FROM (SELECT * FROM nosuch) UNION ALL SELECT 1 FROM only RIGHT JOIN only AS x ON 1 NATURAL JOIN only AS y, (SELECT 1 AS a) NATURAL JOIN only AS z;
SELECT 1 FROM nosuch UNION ALL SELECT 1 FROM only RIGHT JOIN only AS x ON 1 NATURAL JOIN only AS y NATURAL JOIN only AS z JOIN none;
SELECT 1 FROM only('x') UNION ALL SELECT 1 FROM only RIGHT JOIN only AS x ON 1 NATURAL JOIN only AS y NATURAL JOIN only AS z;
