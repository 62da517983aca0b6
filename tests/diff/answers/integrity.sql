# PRAGMA integrity_check, quick_check and foreign_key_check: what they tell, and in which order
CREATE TABLE t(a, b);
CREATE INDEX i ON t(a) WHERE b > 2;
INSERT INTO t VALUES(1, 2), (1, 3), (2, 2);
PRAGMA writable_schema=1;
UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t(a)' WHERE name = 'i';
PRAGMA writable_schema=RESET;
--= T:wrong # of entries in index i| T:row 1 missing from index i| T:row 3 missing from index i| because later releases compare the numbers first
PRAGMA integrity_check;
--= T:wrong # of entries in index i| because later releases compare the numbers in quick_check, too
PRAGMA quick_check;
--= T:wrong # of entries in index i| because later releases compare the numbers first
PRAGMA integrity_check(1);
--= T:wrong # of entries in index i| because later releases compare the numbers first
PRAGMA integrity_check(-1);
--= T:wrong # of entries in index i| because later releases compare the numbers first
PRAGMA integrity_check=1.5;
--= T:wrong # of entries in index i| T:row 1 missing from index i| because later releases compare the numbers first
PRAGMA integrity_check(-2);
%%
CREATE TABLE t(a, b);
CREATE INDEX i ON t(a);
INSERT INTO t VALUES(1, 2), (1, 3), (2, 2);
PRAGMA writable_schema=1;
UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t(a) WHERE b > 2' WHERE name = 'i';
PRAGMA writable_schema=RESET;
--= T:ok| because later releases do not count the entries of partial indexes
PRAGMA integrity_check;
%%
CREATE TABLE w(a, b, c, PRIMARY KEY(b)) WITHOUT ROWID;
CREATE INDEX wi ON w(a);
CREATE UNIQUE INDEX wu ON w(c);
INSERT INTO w VALUES(1, 2, 3), (4, 5, 6);
PRAGMA integrity_check;
PRAGMA quick_check;
PRAGMA integrity_check(w);
PRAGMA integrity_check(nosuch);
%%
PRAGMA foreign_keys=0;
CREATE TABLE p(a INTEGER PRIMARY KEY, b UNIQUE);
CREATE TABLE c(x REFERENCES p, y REFERENCES p(b), z REFERENCES nosuch);
INSERT INTO c VALUES(1, 2, NULL), (3, NULL, 4), (NULL, 4, NULL), (NULL, NULL, NULL);
PRAGMA foreign_key_check;
PRAGMA foreign_key_check(c);
SELECT * FROM pragma_foreign_key_check('c');
CREATE TABLE d(k PRIMARY KEY, x REFERENCES p, y REFERENCES p) WITHOUT ROWID;
INSERT INTO d VALUES(1, 2, 3), (4, 5, NULL);
PRAGMA foreign_key_check(d);
CREATE TABLE e(x REFERENCES p(b), y, FOREIGN KEY(x, y) REFERENCES p(a, b));
PRAGMA foreign_key_check(e);
PRAGMA foreign_key_check;
%%
# rows of views, triggers and virtual tables are inserted by VACUUM
CREATE TABLE t(a PRIMARY KEY);
INSERT INTO t VALUES('x'), ('y');
VACUUM;
SELECT last_insert_rowid(), changes();
CREATE VIEW v AS SELECT * FROM t;
CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END;
CREATE INDEX i ON t(a);
VACUUM;
SELECT last_insert_rowid(), changes();
CREATE TABLE w(a PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE s(a INTEGER PRIMARY KEY AUTOINCREMENT);
INSERT INTO s VALUES(NULL);
VACUUM;
SELECT last_insert_rowid(), changes();
# no argument and no schema
SELECT * FROM pragma_secure_delete('main');
SELECT * FROM pragma_secure_delete WHERE schema = 'main';
