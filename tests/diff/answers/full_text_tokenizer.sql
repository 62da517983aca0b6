# A table whose tokenizer is not there (another program has its own): its rows can be read, and it can be renamed and dropped
CREATE VIRTUAL TABLE u USING fts5(a);
INSERT INTO u VALUES('x y'), ('z');
CREATE VIRTUAL TABLE uv USING fts5vocab(u, row);
CREATE TABLE other(b);
PRAGMA writable_schema=ON;
UPDATE sqlite_master SET sql='CREATE VIRTUAL TABLE u USING fts5(a, tokenize=''its_own'')' WHERE name='u';
PRAGMA writable_schema=RESET;
--= T:x y| T:z| because SQLite asks for the tokenizer when it is needed since 3.47
SELECT * FROM u;
--= I:2|T:z| because SQLite asks for the tokenizer when it is needed since 3.47
SELECT rowid, * FROM u WHERE rowid=2;
--= I:2| because SQLite asks for the tokenizer when it is needed since 3.47
SELECT count(*) FROM u;
--= T:x y| because SQLite asks for the tokenizer when it is needed since 3.47
SELECT a FROM u WHERE a LIKE '%y' ORDER BY a;
SELECT * FROM u('x');
SELECT * FROM u WHERE u MATCH 'x' ORDER BY rank;
--= T:x|I:1|I:1| T:y|I:1|I:1| T:z|I:1|I:1| because SQLite asks for the tokenizer when it is needed since 3.47
SELECT * FROM uv;
INSERT INTO u VALUES('z');
UPDATE u SET a='w';
DELETE FROM u WHERE rowid=1;
INSERT INTO u(u) VALUES('rebuild');
INSERT INTO u(u) VALUES('integrity-check');
--=  because SQLite asks for the tokenizer when it is needed since 3.47
INSERT INTO u(u) VALUES('optimize');
--=  because SQLite asks for the tokenizer when it is needed since 3.47
INSERT INTO u(u, rank) VALUES('automerge', 3);
SELECT * FROM u_content;
--= I:0|T:a|T:|I:0|N|I:0|I:0| I:1|T:u|T:|I:0|N|I:0|I:1| I:2|T:rank|T:|I:0|N|I:0|I:1| because SQLite asks for the tokenizer when it is needed since 3.47
PRAGMA table_xinfo(u);
ALTER TABLE other RENAME TO another;
--=  because SQLite asks for the tokenizer when it is needed since 3.47
ALTER TABLE u RENAME TO u2;
--= T:x y| T:z| because SQLite asks for the tokenizer when it is needed since 3.47
SELECT * FROM u2;
--= T:another| T:u2| T:u2_config| T:u2_content| T:u2_data| T:u2_docsize| T:u2_idx| T:uv| because SQLite asks for the tokenizer when it is needed since 3.47
SELECT name FROM sqlite_master ORDER BY name;
--=  because SQLite asks for the tokenizer when it is needed since 3.47
DROP TABLE u2;
--= T:another| T:uv| because SQLite asks for the tokenizer when it is needed since 3.47
SELECT name FROM sqlite_master ORDER BY name;
CREATE VIRTUAL TABLE w USING fts5(a, tokenize='its_own');
CREATE VIRTUAL TABLE w USING fts5(a, tokenize='unicode61 nosuch 1');
