# Which mistake of a query is told, and when
CREATE VIRTUAL TABLE t USING fts5(a, b, detail=column);
SELECT * FROM t('-nosuch "b');
SELECT * FROM t('-nosuch.');
SELECT * FROM t('- "a b" @ ^');
SELECT * FROM t('{a nosuch @');
SELECT * FROM t('{nosuch (');
SELECT * FROM t('nosuch : @');
SELECT * FROM t('nosuch : (');
SELECT rowid FROM t('(') WHERE rank MATCH 'bm25(x)';
SELECT rowid FROM t('"a b"') WHERE rank MATCH 'bm25(x)';
SELECT rowid FROM t('a') WHERE rank MATCH 'bm25(x)';
SELECT rowid FROM t('a') WHERE rank MATCH 'nosuch()';
SELECT rowid FROM t('a') WHERE rank MATCH 'nosuch()' ORDER BY rank;
SELECT rowid, rank FROM t('a') WHERE rank MATCH 'nosuch()' ORDER BY rowid DESC;
INSERT INTO t(t, rank) VALUES('rank', 'nosuch()');
SELECT rowid FROM t('a') ORDER BY rank;
SELECT rowid FROM t('a');
SELECT rowid, rank FROM t('a');
INSERT INTO t VALUES('a', 'b');
SELECT rowid FROM t('a');
SELECT rowid, rank FROM t('a');

-- MATCH of the rowid has no plan, whatever is in the table.
CREATE VIRTUAL TABLE numbered USING fts5(x);
--= error: no query solution because later releases refuse it
SELECT * FROM numbered WHERE rowid MATCH 'a';
--= error: no query solution because later releases refuse it
SELECT * FROM numbered WHERE numbered.rowid MATCH 'a' AND x MATCH 'a';
INSERT INTO numbered VALUES('a b');
--= error: no query solution because later releases refuse it
SELECT * FROM numbered WHERE oid MATCH 'a';
--= error: no query solution because later releases refuse it
UPDATE numbered SET x = 3 WHERE rowid MATCH 'a';
--= error: no query solution because later releases refuse it
DELETE FROM numbered WHERE rowid MATCH 'a' AND 0;
SELECT * FROM numbered WHERE NOT (rowid MATCH 'a');
SELECT * FROM numbered WHERE rowid LIKE 'a';
DROP TABLE numbered;
