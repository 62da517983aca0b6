# secure-delete: what is deleted leaves the index with the commit
create virtual table t using fts5(a, prefix=2);
--=  because SQLite 3.40 knows no secure-delete
insert into t(t,rank) values('secure-delete',1);
insert into t values('secretone apple'),('banana'),('cherry');
insert into t values('date apple');
delete from t where rowid=1;
--= I:0| because SQLite 3.40 knows no secure-delete
select count(*) from t_data where instr(block, 'secretone');
update t set a='newvalue' where rowid=2;
--= I:0| because SQLite 3.40 knows no secure-delete
select count(*) from t_data where instr(block, 'banana') or instr(block, 'ba');
begin;
insert into t values('secrettwo');
delete from t where a match 'secrettwo';
commit;
--= I:0| because SQLite 3.40 knows no secure-delete
select count(*) from t_data where instr(block, 'secrettwo');
begin;
delete from t where rowid=4;
delete from t where rowid=3;
select rowid from t('apple');
rollback;
select rowid from t('apple');
delete from t;
select rowid from t('apple');
insert into t(t) values('integrity-check');
insert into t values('again apple');
select rowid, a from t('apple');
replace into t(rowid,a) values(1,'other');
--= I:0| because SQLite 3.40 knows no secure-delete
select count(*) from t_data where instr(block, 'again');
savepoint s;
delete from t;
release s;
--= I:0| because SQLite 3.40 knows no secure-delete
select count(*) from t_data where instr(block, 'other');
--=  because SQLite 3.40 knows no secure-delete
insert into t(t,rank) values('secure-delete',0);
insert into t(t) values('integrity-check');
--=  because SQLite 3.40 knows no secure-delete
insert into t(t,rank) values('secure-delete',1);
insert into t values('hidden one'),('hidden two'),('three');
begin;
delete from t where rowid=1;
savepoint a;
delete from t where rowid=2;
rollback to a;
select rowid from t('hidden');
delete from t where rowid=3;
--=  because SQLite 3.40 knows no secure-delete
insert or ignore into t(rowid,a) values(2,'dup');
select rowid from t('hidden');
commit;
--= I:0| because SQLite 3.40 knows no secure-delete
select count(*) from t_data where instr(block, 'one') or instr(block, 'three');
select rowid,a from t;
begin;
delete from t;
rollback;
begin;
select count(*) from t;
commit;
select rowid from t('hidden');
insert into t(t) values('integrity-check');
%%
-- entries leave pages in the midst of a large segment: first, last and only ones of their terms, some over two pages
create virtual table t using fts5(a, b, prefix='1 2');
insert into t(t,rank) values('pgsz',48);
with n(i) as (select 1 union all select i+1 from n where i<300)
  insert into t(rowid,a,b) select i, 'every' || ' tens' || i/10 || ' unit' || i%7,
    'word' || i || ' every every ' || 'unit' || i%5 from n;
insert into t(rowid,a,b) values(301,'every zzsecret','word301'),(302,'every','unit3');
select count(*) from t_data where instr(block, 'zzsecret');
--=  because SQLite 3.40 knows no secure-delete
insert into t(t,rank) values('secure-delete',1);
delete from t where rowid in (150,301);
delete from t where rowid in (1,2,3,299,300);
delete from t where rowid between 100 and 120;
update t set b='other' where rowid=200;
begin;
delete from t where rowid%11=4;
insert into t(rowid,a,b) values(4,'word150','again');
commit;
--= I:0| because SQLite 3.40 knows no secure-delete
select count(*) from t_data where instr(block, 'zzsecret');
select count(*), sum(rowid) from t('every');
select count(*), sum(rowid) from t('unit3');
select count(*), sum(rowid) from t('t*');
select count(*), sum(rowid) from t('wo*');
select rowid from t('word200 OR word201 OR word150');
select count(*), sum(rowid) from t('tens10 OR tens11 OR tens12');
insert into t(t) values('integrity-check');
insert into t(t) values('optimize');
insert into t(t) values('integrity-check');
delete from t where rowid<>77;
select rowid, a, b from t('every');
insert into t(t) values('integrity-check');
%%
# Where entries were erased the format is version 5.
create virtual table sv using fts5(a);
insert into sv values('o n e'), ('t w o');
--=  because SQLite 3.40 knows no secure-delete
insert into sv(sv, rank) values('secure-delete', 1);
select * from sv_config where k='version';
delete from sv where rowid=2;
--= T:version|I:5| because SQLite 3.40 knows no secure-delete
select * from sv_config where k='version';
select * from sv('o');
%%
# 'rebuild' and 'delete-all' make an index that all releases can read.
CREATE VIRTUAL TABLE t USING fts5(a);
CREATE VIRTUAL TABLE n USING fts5(a, content='');
INSERT INTO t VALUES('x y');
INSERT INTO n(rowid, a) VALUES(1, 'x y');
UPDATE t_config SET v=5 WHERE k='version';
UPDATE n_config SET v=5 WHERE k='version';
INSERT INTO t(t) VALUES('rebuild');
INSERT INTO n(n) VALUES('delete-all');
SELECT v FROM t_config WHERE k='version';
SELECT v FROM n_config WHERE k='version';
SELECT * FROM t('x');

-- 'secure-delete' leaves empty pages, between a term and its rows as well. This index is one that SQLite 3.50.4 left so.
CREATE VIRTUAL TABLE emptied USING fts5(a);
CREATE VIRTUAL TABLE emptied_terms USING fts5vocab(emptied, instance);
INSERT INTO emptied_content VALUES(9000, 'abcdefghijklmnopqrstuvwx');
INSERT INTO emptied_docsize VALUES(9000, x'01');
REPLACE INTO emptied_data VALUES(1, x'0101'), (10, x'000000030101030001010103'),
    (137438953473, x'0000001E19306162636465666768696A6B6C6D6E6F70717273747576777804'), (137438953474, x'00000004'),
    (137438953475, x'00040008C6280202');
INSERT INTO emptied_idx VALUES(1, x'', 2);
SELECT rowid FROM emptied('abcdefghijklmnopqrstuvwx');
SELECT rowid FROM emptied('a*');
SELECT * FROM emptied_terms;
INSERT INTO emptied VALUES('abcdefghijklmnopqrstuvwx');
SELECT rowid FROM emptied('abcdefghijklmnopqrstuvwx');
INSERT INTO emptied(emptied) VALUES('optimize');
SELECT rowid FROM emptied('abcdefghijklmnopqrstuvwx');
DELETE FROM emptied WHERE rowid = 9000;
SELECT rowid FROM emptied('abcdefghijklmnopqrstuvwx');
INSERT INTO emptied(emptied) VALUES('integrity-check');
