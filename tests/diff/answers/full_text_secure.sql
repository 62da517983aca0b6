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
