# rowids of tables in joins of parentheses
CREATE TABLE a(x,y);
CREATE TABLE b(x);
CREATE TABLE c(z);
CREATE TABLE d(_rowid_, q);
CREATE TABLE r(_rowid_, rowid, oid);
CREATE TABLE w(x PRIMARY KEY) WITHOUT ROWID;
CREATE VIEW v AS SELECT x FROM b;
INSERT INTO a VALUES(1,2),(3,4);
INSERT INTO b VALUES(1),(9);
INSERT INTO c VALUES(5),(3);
INSERT INTO d VALUES(7,8);
INSERT INTO w VALUES(1),(3);
--= I:6|I:6|I:0| because SQLite 3.40 has no such column
SELECT sum(a.rowid), sum(main.a.oid), sum(c._rowid_ - a.rowid) FROM b JOIN (a JOIN c) WHERE b.x=1;
--= I:2|N| because SQLite 3.40 has no such column
SELECT count(*), max(a.rowid) FROM w LEFT JOIN (a JOIN c) ON 0;
--= I:2|I:8| because SQLite 3.40 has no such column
SELECT max(a._rowid_), count(*) FROM w JOIN (a JOIN w AS w2);
SELECT w.x, d.q FROM w JOIN (d JOIN c) ORDER BY 1;
SELECT _rowid_ FROM w JOIN (d JOIN c);
SELECT d._rowid_ AS q FROM w JOIN (c JOIN d);
SELECT v.rowid FROM w JOIN (v JOIN c);
SELECT * FROM (a JOIN c) NATURAL JOIN (b JOIN c AS c2);
SELECT * FROM w JOIN (a JOIN c) AS j ORDER BY 1,2,3,4;
--= error: ambiguous column name: rowid because SQLite 3.40 has one table's alone
SELECT rowid FROM b JOIN (a JOIN c);
SELECT 1 FROM b JOIN (w NATURAL JOIN w);
SELECT 1 FROM a JOIN (r NATURAL JOIN r);
SELECT 1 FROM a JOIN (b AS q NATURAL JOIN w AS q);

-- The rowids of two tables of one name, in a join that is one table of the query or the FROM of an UPDATE.
CREATE TABLE stock(id, amount);
CREATE TABLE price(id, sum);
CREATE TABLE own_word(_rowid_, word);
CREATE TABLE keyed(k PRIMARY KEY, _rowid_) WITHOUT ROWID;
CREATE TABLE total(id INTEGER PRIMARY KEY, v);
--= error: ambiguous column name: main.x._ROWID_ because SQLite 3.40 does not look
UPDATE total SET v = 1 FROM stock AS x JOIN price AS x USING (id) WHERE x.id = 1;
--= error: ambiguous column name: main.x._ROWID_ because SQLite 3.40 does not look
UPDATE total SET v = 1 FROM stock AS x JOIN price AS x USING (id);
--= error: ambiguous column name: main.x._ROWID_ because SQLite 3.40 does not look
SELECT 1 FROM total, (stock AS x JOIN price AS x USING (id));
--= error: ambiguous column name: main.x.ROWID because SQLite 3.40 does not look
SELECT 1 FROM total, (stock AS x JOIN own_word AS x ON 1);
--= error: ambiguous column name: main.x.ROWID because SQLite 3.40 does not look
SELECT 1 FROM total, (own_word AS x JOIN stock AS x ON 1);
SELECT 1 FROM total, (stock AS x JOIN keyed AS x ON 1);
--= error: ambiguous column name: main.x.ROWID because SQLite 3.40 does not look
SELECT 1 FROM total, ((total JOIN stock AS x) JOIN own_word AS x ON 1);
INSERT INTO stock VALUES(1,2);
INSERT INTO price VALUES(1,5);
INSERT INTO own_word VALUES(1,'w');
--=  because SQLite 3.40 has no such column
CREATE TABLE named AS SELECT x._rowid_, price.rowid, l.oid, l._rowid_
FROM (stock AS x JOIN price USING (id)), (stock JOIN own_word AS l ON 1);
--= T:rowid| T:rowid:1| T:ROWID:2| T:_rowid_:1| because SQLite 3.40 has no such column
SELECT name FROM pragma_table_info('named');
--= I:1|T:w|I:1|I:2|I:5| because SQLite 3.40 has no such column
SELECT * FROM own_word JOIN (stock AS x JOIN price USING (id)) USING (_rowid_);
%%
# They are columns to NATURAL, too, for a table that has a column of such a name.
CREATE TABLE named(_rowid_, word);
CREATE TABLE one(x);
CREATE TABLE two(x, y);
INSERT INTO named VALUES (1, 'w'), (7, 'z');
INSERT INTO one VALUES (5), (6);
INSERT INTO two VALUES (5, 1), (6, 7);
--= I:1|T:w|I:5|I:5|I:1| I:1|T:w|I:5|I:6|I:7| because SQLite 3.40 has no such column
SELECT * FROM named NATURAL JOIN (one JOIN two ON 1) ORDER BY two.x;
--= T:w|I:5| because SQLite 3.40 has no such column
SELECT word, one.x FROM named NATURAL JOIN (one JOIN two USING (x));
