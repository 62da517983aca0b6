# Options of CREATE and commands of full-text tables, and mistakes in them
create virtual table t using fts5(a,b);
insert into t(t,rank) values('nosuch',1);
insert into t(t) values('nosuch');
insert into t(t,rank) values('pgsz',64);
insert into t(t,rank) values('pgsz',31);
insert into t(t,rank) values('pgsz',65537);
insert into t(t,rank) values('pgsz','x');
insert into t(t,rank) values('hashsize',0);
insert into t(t,rank) values('hashsize',-1);
insert into t(t,rank) values('hashsize',1000);
insert into t(t,rank) values('automerge',-1);
insert into t(t,rank) values('automerge',1);
insert into t(t,rank) values('automerge',64);
insert into t(t,rank) values('automerge',65);
insert into t(t,rank) values('automerge','abc');
insert into t(t,rank) values('automerge',4.0);
insert into t(t,rank) values('usermerge',1);
insert into t(t,rank) values('usermerge',2);
insert into t(t,rank) values('usermerge',16);
insert into t(t,rank) values('usermerge',17);
insert into t(t,rank) values('usermerge',-3);
insert into t(t,rank) values('crisismerge',-1);
insert into t(t,rank) values('crisismerge',0);
insert into t(t,rank) values('crisismerge',1);
insert into t(t,rank) values('crisismerge',2000);
insert into t(t,rank) values('crisismerge',16);
--=  because SQLite 3.40 differs
insert into t(t,rank) values('deletemerge',-1);
--=  because SQLite 3.40 differs
insert into t(t,rank) values('deletemerge',0);
--=  because SQLite 3.40 differs
insert into t(t,rank) values('deletemerge',101);
--=  because SQLite 3.40 differs
insert into t(t,rank) values('deletemerge',50);
--=  because SQLite 3.40 differs
insert into t(t,rank) values('secure-delete',1);
--=  because SQLite 3.40 differs
insert into t(t,rank) values('secure-delete',2);
insert into t(t,rank) values('secure-delete','x');
--=  because SQLite 3.40 differs
insert into t(t,rank) values('insttoken',1);
--=  because SQLite 3.40 differs
insert into t(t,rank) values('insttoken',2);
insert into t(t,rank) values('rank','bm25(10.0,5.0)');
insert into t(t,rank) values('rank','bm25(');
insert into t(t,rank) values('rank','nosuch()');
insert into t(t,rank) values('rank',null);
insert into t(t,rank) values('version',5);
insert into t(t,rank) values('fts5',5);
insert into t(t,rank) values('automerge',null);
--= T:automerge|I:64| T:crisismerge|I:16| T:deletemerge|I:50| T:hashsize|I:1000| T:insttoken|I:2| T:pgsz|I:64| T:rank|T:nosuch()| T:secure-delete|I:2| T:usermerge|I:16| T:version|I:4| because SQLite 3.40 differs
select * from t_config;
insert into t(t) values('delete-all');
insert into t(t) values('rebuild');
insert into t(t) values('optimize');
insert into t(t,rank) values('merge',1);
insert into t(t,rank) values('merge',-1);
insert into t(t,rank) values('merge','x');
insert into t(t) values('merge');
insert into t(t) values('integrity-check');
insert into t(t,rank) values('integrity-check',0);
insert into t(t,rank) values('integrity-check',1);
insert into t(t,rank) values('integrity-check',2);
insert into t(t,rowid,a,b) values('delete',1,'x','y');
--=  because SQLite 3.40 differs
insert into t(t) values('flush');
insert into t(t,rank) values('optimize',3);
insert into t(t) values(null);
select rowid,* from t;
insert into t(t) values('prefix-index');
insert into t(t) values(1);
insert into t(rowid,t) values(5,'optimize');
update t set t='optimize';
insert into t values('hello world','x'),('world hello','y');
update t set t='optimize' where rowid=1;
update t set rank='x' where rowid=1;
select rowid,*,rank from t('hello');
select rowid from t('*id');
select rowid,* from t('*id 3');
select rowid,* from t('*nosuch');
select rowid from t('* id');
select rowid from t where t match '*id' and rowid=1;
select rowid from t where a match '*id';
select rowid,rank from t where t match 'hello' and rank match 'bm25(10.0,5.0)';
select rowid,rank from t where t match 'hello' and rank match 'bm25(10.0,5.0)' order by rank;
select rowid,rank from t where t match 'hello' and rank='bm25(0)' order by rank;
select rowid,rank from t where t match 'hello' and rank match 'nosuch()' order by rank;
select rowid,rank from t where t match 'hello' and rank match 'bm25' order by rank;
select rowid,rank from t where t match 'hello' and rank match null order by rank;
select rowid,rank from t where t match 'hello' and rank match 'snippet(0)';
select rowid,rank from t where t match 'hello' and rank match 'highlight(0,''['','']'')';
select rowid from t where rank match 'bm25()';
select rowid from t where t match null;
select rowid from t where t match '';
select rowid from t where t match 5;
select rowid from t where t = 'hello';
select rowid from t where t = 'hello' and t='world';
select rowid from t where a = 'hello';
%%
create table dummy(a);
--= error: contentless_delete=1 requires a contentless table because SQLite 3.40 differs
create virtual table b1 using fts5(a,contentless_delete=1);
--= error: contentless_delete=1 is incompatible with columnsize=0 because SQLite 3.40 differs
create virtual table b1 using fts5(a,content='',contentless_delete=1,columnsize=0);
--= error: malformed contentless_delete=... directive because SQLite 3.40 differs
create virtual table b1 using fts5(a,content='',contentless_delete=2);
--= error: contentless_unindexed=1 requires a contentless table because SQLite 3.40 differs
create virtual table b1 using fts5(a,contentless_unindexed=1);
--= error: malformed contentless_delete=... directive because SQLite 3.40 differs
create virtual table b1 using fts5(a,content='',contentless_unindexed=2);
--=  because SQLite 3.40 differs
create virtual table b1 using fts5(a,content='',contentless_unindexed=1,b unindexed);
--=  because SQLite 3.40 differs
insert into b1(rowid,a,b) values(1,'x','y');
--= I:1|N|T:y| because SQLite 3.40 differs
select rowid,* from b1;
--= T:CREATE VIRTUAL TABLE b1 using fts5(a,content='',contentless_unindexed=1,b unindexed)| T:CREATE TABLE 'b1_data'(id INTEGER PRIMARY KEY, block BLOB)| T:CREATE TABLE 'b1_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID| T:CREATE TABLE 'b1_content'(id INTEGER PRIMARY KEY, c1)| T:CREATE TABLE 'b1_docsize'(id INTEGER PRIMARY KEY, sz BLOB)| T:CREATE TABLE 'b1_config'(k PRIMARY KEY, v) WITHOUT ROWID| because SQLite 3.40 differs
select sql from sqlite_master where name like 'b1%';
create virtual table b2 using fts5(a,detail=foo);
create virtual table b2 using fts5(a,columnsize=4);
create virtual table b2 using fts5(a,prefix='0');
create virtual table b2 using fts5(a,prefix='a');
create virtual table b2 using fts5(a,prefix='1000');
create virtual table b2 using fts5(a,prefix='1 2, 3');
create virtual table b2 using fts5(a,nosuch=1);
create virtual table b3 using fts5(rowid);
create virtual table b3 using fts5(rank);
create virtual table b3 using fts5(a,a);
create virtual table b3 using fts5(a unindexed foo);
create virtual table b3 using fts5(a foo);
create virtual table b3 using fts5();
create virtual table b3 using fts5;
create virtual table b3 using fts5(a,tokenize='nosuch');
create virtual table b3 using fts5(a,tokenize='unicode61 foo bar');
create virtual table b3 using fts5(a,tokenize='unicode61 remove_diacritics 3');
create virtual table b3 using fts5(a,tokenize='trigram case_sensitive 3');
create virtual table b3 using fts5(a,tokenize='trigram remove_diacritics 1 case_sensitive 1');
--=  because SQLite 3.40 differs
create virtual table b3 using fts5(a,tokenize='trigram remove_diacritics 1');
create virtual table b4 using fts5(a,tokenize=porter,tokenize=ascii);
create virtual table b4 using fts5(a,content=x,content=y);
create virtual table b4 using fts5(a,content_rowid=x,content_rowid=y);
create virtual table b5 using fts5(a,"b c",'d''e',[f g]);
insert into b5 values(1,2,3,4);
select * from b5;
select sql from sqlite_master where name='b5';
%%
# options without a value, tokenizers' arguments in quotes
create virtual table f using fts5(a, prefix=);
create virtual table f1 using fts5(a, content=);
insert into f1(rowid, a) values(1, 'one two');
select rowid, a from f1('two');
create virtual table f2 using fts5(a, tokenize=);
create virtual table f4 using fts5(a, detail=);
create virtual table f5 using fts5(a, columnsize=);
create virtual table f6 using fts5('a'=);
create virtual table f7 using fts5(a, tokenize='porter nosuch');
create virtual table f8 using fts5(a, tokenize='nosuch');
create virtual table f9 using fts5(a, tokenize='unicode61 categories "L*"');
create virtual table g1 using fts5(a, tokenize="unicode61 categories 'L*'");
create virtual table g2 using fts5(a, tokenize='unicode61 [x]');
# a word before a parenthesis that is not NEAR
select * from g1('near(one two)');
select * from g1('near(one');
select * from g1('foo(one, x)');
select * from g1('"NEAR"(one two)');
select * from g1('foo(one and two)');
select * from g1('foo()');
select * from g1('NEAR(one, x)');
%%
--=  because SQLite 3.40 does not know it
CREATE VIRTUAL TABLE d2 USING fts5(s, tokenize='trigram remove_diacritics 2');
--=  because SQLite 3.40 does not know it
INSERT INTO d2 VALUES('ÀÉạb ấe');
--= I:1| because SQLite 3.40 does not know it
SELECT rowid FROM d2('aea');
CREATE VIRTUAL TABLE d3 USING fts5(s, tokenize='trigram remove_diacritics 3');
CREATE VIRTUAL TABLE d3 USING fts5(s, tokenize='trigram case_sensitive 2');
CREATE VIRTUAL TABLE d3 USING fts5(s, tokenize='trigram case_sensitive 1 remove_diacritics 2');
