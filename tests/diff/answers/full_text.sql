# FTS5
create virtual table t using fts5(a,b);
insert into t values('one','two');
SELECT rowid FROM t WHERE t MATCH NULL;
SELECT rowid FROM t WHERE a MATCH NULL;
SELECT rowid FROM t WHERE a MATCH NULL and b match 'two';
SELECT rowid FROM t(NULL);
SELECT rowid FROM t WHERE t = NULL;
SELECT rowid,* FROM t('one') where rank match 'bm25(1,2,3)';
SELECT rowid,* FROM t('one') where rank match 'bm25(1,2';
SELECT rowid,* FROM t('one') where rank match 'bm25';
SELECT rowid,* FROM t('one') where rank match 'nonsense()';
SELECT rowid,* FROM t('one') where rank = 'bm25(10.0)';
SELECT rowid,* FROM t('one', 'bm25(10.0)');
SELECT rowid,* FROM t('one', 'bm25(10.0)', 5);
SELECT rowid,rank FROM t('one', 'bm25(10.0, ''abc'')');
SELECT rowid,rank FROM t('one', 'highlight(0, ''<'', ''>'')');
SELECT rowid,rank FROM t('one', 'snippet(0, ''<'', ''>'', ''.'', 5)') order by rank;
insert into t(t, rank) values('rank', 'highlight(0, ''<'', ''>'')');
SELECT rowid,rank FROM t('one') order by rank;
insert into t(t, rank) values('rank', 'nonsense()');
SELECT rowid,rank FROM t('one') order by rank;
SELECT rowid FROM t('one');
insert into t(t, rank) values('rank', 'nonsense');
insert into t(t, rank) values('rank', 5);
insert into t(t, rank) values('rank', 'bm25(10.0)');
insert into t(t, rank) values('pgsz', 5);
insert into t(t, rank) values('pgsz', '64');
insert into t(t, rank) values('hashsize', 0);
insert into t(t, rank) values('automerge', -1);
insert into t(t, rank) values('automerge', 65);
insert into t(t, rank) values('usermerge', 1);
insert into t(t, rank) values('usermerge', 17);
insert into t(t, rank) values('crisismerge', -1);
--=  because SQLite 3.40 does not know it
insert into t(t, rank) values('deletemerge', -1);
--=  because SQLite 3.40 does not know it
insert into t(t, rank) values('deletemerge', 101);
insert into t(t, rank) values('deletemerge', 'x');
insert into t(t, rank) values('secure-delete', -1);
--=  because SQLite 3.40 does not know it
insert into t(t, rank) values('secure-delete', 1);
--=  because SQLite 3.40 does not know it
insert into t(t, rank) values('insttoken', 1);
insert into t(t, rank) values('insttoken', -1);
insert into t(t, rank) values('version', 4);
insert into t(t, rank) values('prefix-index', 0);
insert into t(t) values('delete');
insert into t(t) values('delete-all');
insert into t(t) values('rebuild');
insert into t(t) values('optimize');
insert into t(t,rank) values('merge',1);
insert into t(t,rank) values('merge',-1);
insert into t(t,rank) values('merge','x');
insert into t(t) values('merge');
insert into t(t) values('integrity-check');
insert into t(t,rank) values('integrity-check',1);
insert into t(t,rank) values('integrity-check',0);
--=  because SQLite 3.40 does not know it
insert into t(t) values('flush');
insert into t(t) values(5);
insert into t(t) values(x'01');
insert into t(t) values(1.5);
--= T:deletemerge|I:101| T:insttoken|I:1| T:pgsz|I:64| T:rank|T:bm25(10.0)| T:secure-delete|I:1| T:version|I:4| because SQLite 3.40 does not know it
select * from t_config;
update t set t = 'optimize';
update t set rank = 5;
insert into t(t,a) values(null,'xyz');
select * from t;
insert into t(a,b,t,rank) values('p','q','optimize','z');
select * from t;
create virtual table w using fts5(c0,c1,c2);
insert into w values('x','y','z'),('x y','y','z z z'),('a','b','c');
select rowid, rank from w('x y') where rank match 'bm25(1,2.5,-.5)' order by 2;
select rowid, rank from w('x') where rank match '  bm25 ( +1 , null, x''31'' ) junk';
select rowid, rank from w('x') where rank match 'bm25()' ;
select rowid, rank from w('x') where rank match 'bm25(1.5e3)' ;
select rowid, rank from w('x') where rank match 'snippet(1)' ;
select rowid, rank from w('x') where rank match 'abs(1)' ;
select rowid, rank from w where rank match 'bm25(1.5e3)' ;
select rowid, rank from w('x') where rank match 'highlight(0, ''it''''s'', null)' ;
select rowid, rank from w('x') where rank match null;
select rowid, rank from w('x') where rank match 5;
select rowid, rank from w('x', null);
%%
create virtual table t using fts5(a, b, tokenize=nonsense);
create virtual table t using fts5(a, b, tokenize='unicode61 nonsense 1');
create virtual table t using fts5(a, b, tokenize='unicode61 remove_diacritics');
create virtual table t using fts5(a, b, tokenize='unicode61 remove_diacritics 3');
--= error: error in tokenizer constructor because SQLite 3.40 does not know it
create virtual table t using fts5(a, b, tokenize='unicode61 categories ''Q*''');
--= error: error in tokenizer constructor because SQLite 3.40 does not know it
create virtual table t using fts5(a, b, tokenize='unicode61 categories ''Lx''');
--= error: error in tokenizer constructor because SQLite 3.40 does not know it
create virtual table t using fts5(a, b, tokenize='ascii remove_diacritics 1');
--= error: error in tokenizer constructor because SQLite 3.40 does not know it
create virtual table t using fts5(a, b, tokenize='trigram case_sensitive 2');
--= error: error in tokenizer constructor because SQLite 3.40 does not know it
create virtual table t using fts5(a, b, tokenize='trigram case_sensitive 1 remove_diacritics 1');
drop table if exists t;
create virtual table tp using fts5(a, b, tokenize='porter trigram');
drop table if exists t;
create virtual table t using fts5(a, b, tokenize='');
create virtual table t using fts5(a, b, tokenize='unicode61', tokenize='ascii');
create virtual table t using fts5(a, b, tokenise='unicode61');
create virtual table t using fts5(a, b, prefix='');
create virtual table t2 using fts5(a, b, prefix='2,3');
create virtual table t3 using fts5(a, b, prefix='2 , 3');
create virtual table t using fts5(a, b, prefix='x');
create virtual table t using fts5(a, b, prefix='0');
create virtual table t using fts5(a, b, prefix='1000');
create virtual table t using fts5(a, b, prefix='-1');
create virtual table t4 using fts5(a, b, prefix='2', prefix='3');
create virtual table t using fts5(a, b, content=x, content=y);
create virtual table t using fts5(a, b, content_rowid=x, content_rowid=y);
create virtual table t5 using fts5(a, b, content_rowid=x);
create virtual table t using fts5(a, b, columnsize=2);
create virtual table t using fts5(a, b, columnsize=x);
create virtual table t using fts5(a, b, detail=x);
create virtual table t using fts5(a, b, detail='');
create virtual table t6 using fts5(a, b, detail=col);
create virtual table t7 using fts5(a, b, detail=f);
create virtual table t using fts5(a, b, contentless_delete=2);
create virtual table t using fts5(a, b, contentless_delete=1);
create virtual table t using fts5(a, b, contentless_delete=1, content='', columnsize=0);
--=  because SQLite 3.40 does not know it
create virtual table t8 using fts5(a, b, contentless_delete=0);
create virtual table t using fts5(a, b, contentless_unindexed=2);
create virtual table t using fts5(a, b, contentless_unindexed=1);
--=  because SQLite 3.40 does not know it
create virtual table t9 using fts5(a, b, contentless_unindexed=1, content='');
--=  because SQLite 3.40 does not know it
create virtual table t10 using fts5(a, b unindexed, contentless_unindexed=1, content='');
--=  because SQLite 3.40 does not know it
create virtual table t11 using fts5(a, b unindexed, contentless_unindexed=1, contentless_delete=1, content='');
create virtual table t using fts5(a, b, locale=2);
create virtual table t using fts5(a, b, tokendata=2);
create virtual table t using fts5(a, b, nonsense=1);
create virtual table t using fts5(a, b, "content"=1);
create virtual table t using fts5(a, b, content=);
create virtual table t using fts5(a, b, content = 'a' 'b');
create virtual table t using fts5(a, b unindex);
create virtual table t using fts5(a, b unindexed x);
create virtual table t using fts5(a, b 'unindexed');
create virtual table t using fts5(a, rank);
create virtual table t using fts5(a, rowid);
create virtual table t using fts5(a, 'rowid');
create virtual table t using fts5(a, oid);
create virtual table rank using fts5(a);
create virtual table t16 using fts5('a b', [c d], "e""f", `g`);
create virtual table t using fts5(a, );
create virtual table t using fts5(, a);
create virtual table t using fts5(a b c);
create virtual table t using fts5(a-b);
create virtual table t using fts5;
create virtual table t using fts5();
create virtual table t using fts5(content='');
create virtual table t17 using fts5(a, p='');
create virtual table t18 using fts5(a, c='');
create virtual table t19 using fts5(a, t='porter');
--= T:t10_config| T:t11_config| T:t16_config| T:t17_config| T:t18_config| T:t19_config| T:t2_config| T:t3_config| T:t4_config| T:t5_config| T:t6_config| T:t7_config| T:t8_config| T:t9_config| T:t_config| T:tp_config| because SQLite 3.40 does not know it
select name from sqlite_schema where name like '%config' order by 1;
create virtual table t using nonsense(a);
create virtual table if not exists t2 using fts5(a);
create virtual table t2 using fts5(a);
create virtual table t2 using nonsense(a);
create virtual table x.t using fts5(a);
create virtual table temp.tt using fts5(a);
insert into tt values('hello');
select * from tt('hello');
create virtual table main.t2_data using fts5(a);
create virtual table v using fts5vocab(t2);
create virtual table v using fts5vocab(t2, rows);
create virtual table v using fts5vocab(t2, 'row', x, y);
create virtual table v using fts5vocab();
create virtual table v1 using fts5vocab(nosuch, 'row');
select * from v1;
create virtual table v2 using fts5vocab(sqlite_schema, 'row');
select * from v2;
create virtual table v using fts5vocab(main, t2, row);
create virtual table temp.v3 using fts5vocab(main, t2, row);
select * from v3;
create virtual table temp.v4 using fts5vocab(nodb, t2, row);
select * from v4;
insert into v3 values(1,2,3);
delete from v3;
update v3 set term = 1;
create index i on t2(a);
create trigger g after insert on t2 begin select 1; end;
alter table t2 add column x;
alter table t2 rename column a to x;
alter table t2 drop column a;
alter table t2 rename to t2n;
select * from v3;
select name from sqlite_schema where name like 't2%' order by 1;
insert into t2n_data values(1,2);
drop table t2n_data;
alter table t2n_data rename to x;
delete from t2n_data where id = 1000;
--=  because SQLite 3.40 does not know it
drop table t2n;
--=  because SQLite 3.40 does not know it
select name from sqlite_schema where name like 't2%' order by 1;
drop table v3;
create view vw as select * from t3;
insert into t3 values('x','y') on conflict do nothing;
insert into t3 values('x','y') on conflict(a) do update set a = 1;
update or replace t3 set rowid = 5;
delete from t3 where rowid = 5 limit 1;
analyze t3;
reindex t3;
pragma table_info(t3);
pragma table_xinfo(t3);
pragma table_list(t3);
pragma index_list(t3);
select * from t3 indexed by foo;
select rowid, oid, _rowid_, a from t3;
%%
--=  because SQLite 3.40 does not know it
create virtual table t using fts5(a,b,content='',contentless_delete=1);
--=  because SQLite 3.40 does not know it
insert into t(rowid,a,b) values(1,'one two','three'),(2,'two','one'),(5,'one','one one');
--=  because SQLite 3.40 does not know it
insert into t(a,b) values('auto one','x');
--= I:1|N|N| I:2|N|N| I:5|N|N| I:6|N|N| because SQLite 3.40 does not know it
select rowid,* from t;
--= I:1| I:2| I:5| I:6| because SQLite 3.40 does not know it
select rowid from t('one');
--=  because SQLite 3.40 does not know it
delete from t where rowid=2;
--= I:1| I:5| I:6| because SQLite 3.40 does not know it
select rowid from t('one');
--= I:1| because SQLite 3.40 does not know it
select rowid from t('tw*');
--=  because SQLite 3.40 does not know it
delete from t where rowid=99;
--=  because SQLite 3.40 does not know it
insert or replace into t(rowid,a,b) values(5,'five','six');
--= I:1| I:6| because SQLite 3.40 does not know it
select rowid from t('one');
--= I:5| because SQLite 3.40 does not know it
select rowid from t('five');
--=  because SQLite 3.40 does not know it
update t set a='new', b='newer' where rowid=1;
--= I:6| because SQLite 3.40 does not know it
select rowid from t('one');
--= I:1| because SQLite 3.40 does not know it
select rowid from t('new');
--= error: cannot UPDATE a subset of columns on fts5 contentless-delete table: t because SQLite 3.40 does not know it
update t set a='x' where rowid=1;
--=  because SQLite 3.40 does not know it
update t set a='x' where rowid=77;
--= error: cannot UPDATE a subset of columns on fts5 contentless-delete table: t because SQLite 3.40 does not know it
update t set rowid=10 where rowid=1;
--=  because SQLite 3.40 does not know it
update t set rowid=10, a='moved', b='m' where rowid=1;
--= I:10| because SQLite 3.40 does not know it
select rowid from t('moved');
--=  because SQLite 3.40 does not know it
select rowid from t('new');
--= error: 'delete' may not be used with a contentless_delete=1 table because SQLite 3.40 does not know it
insert into t(t,rowid,a,b) values('delete',10,'moved','m');
begin;
--=  because SQLite 3.40 does not know it
insert into t(rowid,a) values(100,'p q'),(101,'p r'),(102,'p s');
--=  because SQLite 3.40 does not know it
delete from t where rowid=101;
--= I:100| I:102| because SQLite 3.40 does not know it
select rowid from t('p');
--=  because SQLite 3.40 does not know it
insert into t(rowid,a) values(101,'p again');
--= I:100| I:101| I:102| because SQLite 3.40 does not know it
select rowid from t('p');
savepoint s;
--=  because SQLite 3.40 does not know it
delete from t where t match 'p';
--=  because SQLite 3.40 does not know it
select rowid from t('p');
rollback to s;
--= I:100| I:101| I:102| because SQLite 3.40 does not know it
select rowid from t('p');
commit;
--= I:100| I:101| I:102| because SQLite 3.40 does not know it
select rowid from t('p');
--=  because SQLite 3.40 does not know it
insert into t(t) values('optimize');
--= I:100| I:101| I:102| because SQLite 3.40 does not know it
select rowid from t('p');
--=  because SQLite 3.40 does not know it
insert into t(t) values('integrity-check');
--= error: 'rebuild' may not be used with a contentless fts5 table because SQLite 3.40 does not know it
insert into t(t) values('rebuild');
--=  because SQLite 3.40 does not know it
with recursive c(i) as (select 1 union all select i+1 from c where i<500) insert into t(rowid,a,b) select i+1000, 'w'||(i%7)||' all', 'z'||i from c;
--=  because SQLite 3.40 does not know it
delete from t where rowid>1000 and rowid%2=0;
--= I:250|I:312500| because SQLite 3.40 does not know it
select count(*), sum(rowid) from t('all');
--= I:36| because SQLite 3.40 does not know it
select count(*) from t('w3');
--=  because SQLite 3.40 does not know it
delete from t where rowid>1000 and rowid%3=0;
--= I:167|I:208667| because SQLite 3.40 does not know it
select count(*), sum(rowid) from t('all');
--= I:24| because SQLite 3.40 does not know it
select count(*) from t('w3');
--=  because SQLite 3.40 does not know it
insert into t(rowid,a) values(5000000000,'big one'),(-5,'neg'),(0,'zero');
--=  because SQLite 3.40 does not know it
delete from t where rowid=5000000000;
--=  because SQLite 3.40 does not know it
delete from t where rowid=0;
--=  because SQLite 3.40 does not know it
delete from t where rowid=-5;
--=  because SQLite 3.40 does not know it
select rowid from t('big OR neg OR zero');
--= I:167|I:208667| because SQLite 3.40 does not know it
select count(*), sum(rowid) from t('all');
create virtual table v using fts5vocab(t, 'row');
--= I:186|I:514|I:514| because SQLite 3.40 does not know it
select count(*), sum(doc), sum(cnt) from v;
--=  because SQLite 3.40 does not know it
insert into t(t) values('delete-all');
--= I:0| because SQLite 3.40 does not know it
select count(*) from t('all');
--=  because SQLite 3.40 does not know it
select rowid,* from t;
--=  because SQLite 3.40 does not know it
insert into t(rowid,a) values(1,'again');
--= I:1| because SQLite 3.40 does not know it
select rowid from t('again');
%%
--=  because SQLite 3.40 does not know it
create virtual table u using fts5(a,b unindexed,c, d unindexed,content='',contentless_unindexed=1);
--=  because SQLite 3.40 does not know it
insert into u values('one two','bee','three','dee'),('two','bb','one','dd');
--= I:1|N|T:bee|N|T:dee| I:2|N|T:bb|N|T:dd| because SQLite 3.40 does not know it
select rowid,* from u;
--= I:1|N|T:bee|N|T:dee| I:2|N|T:bb|N|T:dd| because SQLite 3.40 does not know it
select rowid,* from u('one');
--=  because SQLite 3.40 does not know it
update u set b='changed' where rowid=1;
--=  because SQLite 3.40 does not know it
update u set b='changed', d = 5 where rowid=1;
--= I:1|N|T:changed|N|I:5| I:2|N|T:bb|N|T:dd| because SQLite 3.40 does not know it
select rowid,* from u;
--= error: cannot UPDATE contentless fts5 table: u because SQLite 3.40 does not know it
update u set a='changed' where rowid=1;
--= error: cannot DELETE from contentless fts5 table: u because SQLite 3.40 does not know it
delete from u where rowid=1;
--=  because SQLite 3.40 does not know it
insert into u(u,rowid,a,b,c,d) values('delete',1,'one two','bee','three','dee');
--= I:2|N|T:bb|N|T:dd| because SQLite 3.40 does not know it
select rowid,* from u;
--= I:2|N|T:bb|N|T:dd| because SQLite 3.40 does not know it
select rowid,* from u('one');
--= I:2|T:bb|T:dd| because SQLite 3.40 does not know it
select * from u_content;
--= N|T:bb|N|T:bb|N| because SQLite 3.40 does not know it
select highlight(u,0,'[',']'), highlight(u,1,'[',']'), snippet(u,-1,'[',']','...',3), snippet(u,1,'[',']','...',3), snippet(u,0,'[',']','...',3) from u('one');
--= R:-9.9999999999999995e-07| because SQLite 3.40 does not know it
select rank from u('one');
--= error: 'rebuild' may not be used with a contentless fts5 table because SQLite 3.40 does not know it
insert into u(u) values('rebuild');
--=  because SQLite 3.40 does not know it
insert into u(u) values('integrity-check');
--=  because SQLite 3.40 does not know it
insert into u(u) values('delete-all');
--=  because SQLite 3.40 does not know it
select * from u_content;
--=  because SQLite 3.40 does not know it
select rowid,* from u;
%%
--=  because SQLite 3.40 does not know it
create virtual table u using fts5(a,b unindexed,c, d unindexed,content='',contentless_unindexed=1,contentless_delete=1);
--=  because SQLite 3.40 does not know it
insert into u values('one two','bee','three','dee'),('two','bb','one','dd');
--= I:1|N|T:bee|N|T:dee| I:2|N|T:bb|N|T:dd| because SQLite 3.40 does not know it
select rowid,* from u;
--=  because SQLite 3.40 does not know it
update u set b='changed' where rowid=1;
--=  because SQLite 3.40 does not know it
update u set b='changed', d = 5 where rowid=1;
--= I:1|N|T:changed|N|I:5| I:2|N|T:bb|N|T:dd| because SQLite 3.40 does not know it
select rowid,* from u;
--= error: cannot UPDATE a subset of columns on fts5 contentless-delete table: u because SQLite 3.40 does not know it
update u set a='changed' where rowid=1;
--=  because SQLite 3.40 does not know it
update u set a='changed', c='more' where rowid=1;
--= I:1|N|T:changed|N|I:5| I:2|N|T:bb|N|T:dd| because SQLite 3.40 does not know it
select rowid,* from u;
--= I:1|N|T:changed|N|I:5| because SQLite 3.40 does not know it
select rowid,* from u('changed');
--= error: cannot UPDATE a subset of columns on fts5 contentless-delete table: u because SQLite 3.40 does not know it
update u set rowid=7 where rowid=1;
--= error: constraint failed because SQLite 3.40 does not know it
update u set rowid=2, a='x', c='y' where rowid=1;
--= error: constraint failed because SQLite 3.40 does not know it
update or ignore u set rowid=2, a='x', c='y' where rowid=1;
--=  because SQLite 3.40 does not know it
update or replace u set rowid=2, a='x', c='y' where rowid=1;
--=  because SQLite 3.40 does not know it
update u set rowid=20, a='x', c='y' where rowid=2;
--= I:20|N|T:changed|N|I:5| because SQLite 3.40 does not know it
select rowid,* from u;
--= I:20|N|T:changed|N|I:5| because SQLite 3.40 does not know it
select rowid,* from u('x');
--=  because SQLite 3.40 does not know it
delete from u where rowid=20;
--=  because SQLite 3.40 does not know it
select rowid,* from u('x');
--=  because SQLite 3.40 does not know it
insert into u(rowid,a,b) values(3,'q','r');
--= error: constraint failed because SQLite 3.40 does not know it
insert into u(rowid,a,b) values(3,'q','r');
--= error: constraint failed because SQLite 3.40 does not know it
insert or ignore into u(rowid,a,b) values(3,'q','s');
--=  because SQLite 3.40 does not know it
insert or replace into u(rowid,a,b) values(3,'q','t');
--= I:3|N|T:t|N|N| because SQLite 3.40 does not know it
select rowid,* from u;
--=  because SQLite 3.40 does not know it
insert into u(rowid,a,b) values(4,'q','r');
%%
create virtual table t using fts5(a,b);
insert into t values('one','two'),('three','four'),('five','six');
update t set rowid=2 where rowid=1;
--=  because SQLite 3.40 does not know it
update or ignore t set rowid=2 where rowid=1;
update or fail t set rowid=2 where rowid=1;
update or replace t set rowid=2 where rowid=1;
select rowid,* from t;
select rowid from t('three');
select rowid from t('one');
insert into t(t) values('integrity-check');
--= error: datatype mismatch because SQLite 3.40 does not know it
update t set rowid=null where rowid=2;
update t set rowid='8' where rowid=2;
update t set rowid='x' where rowid=2;
insert into t(rowid,a) values('12','twelve');
insert into t(rowid,a) values('x','twelve');
insert into t(rowid,a) values(1.5,'twelve');
insert into t(rowid,a) values(13.0,'thirteen');
--= I:3|T:five|T:six| I:8|T:one|T:two| I:12|T:twelve|N| I:13|T:thirteen|N| because SQLite 3.40 does not know it
select rowid,* from t;
update t set rowid=rowid+1;
--= I:3|T:five|T:six| I:8|T:one|T:two| I:12|T:twelve|N| I:13|T:thirteen|N| because SQLite 3.40 does not know it
select rowid,* from t;
insert into t(t) values('integrity-check');
insert or rollback into t(rowid,a) values(12,'twelve');
select count(*) from t;
%%
create virtual table t using fts5(a,b);
insert into t values('x y z','q'),('y z','x x'),('x','r'),('zz','rr');
create table o(k, v);
insert into o values(1,'q'),(4,'x'),(9,'none');
select rowid from t where t match 'x' or rowid = 4;
select rowid from t where t match 'r' or t match 'q' order by 1;
select rowid from t where (t match 'z' and rowid<2) or b match 'rr';
select rowid from t where t match 'x' or a = 'zz';
--= I:1|I:1| I:4|I:1| I:4|I:2| I:4|I:3| I:4|I:4| because SQLite 3.40 differs
select o.k, t.rowid from o, t where t.rowid = o.k or t match o.v order by 1,2;
select o.k, t.rowid from o left join t on (t match o.v or t.rowid=o.k) order by 1,2;
select o.k, t.rowid from o left join t on t match o.v order by 1,2;
select count(*) from t where a match 'x' or b match 'x';
select rowid from t where a match 'x' or b match 'x' limit 1;
select count(*) from t where t match 'x' or k;
delete from t where t match 'q' or rowid=4;
select rowid from t;
update t set a = 'new' where t match 'x' or rowid=99;
select rowid,* from t;
select highlight(t,1,'[',']') from t where b match 'x' or rowid=3;
%%
create virtual table t using fts5(a,b);
insert into t values('x y z','q'),('y z','x x'),('x','r');
create table o(k, v);
insert into o values('q','new q'),('r','new r');
update t set b = o.v from o where o.k = t.b;
select rowid,* from t;
update t set b = o.v || t.rowid from o where t match 'x';
select rowid,* from t;
update t set rowid = t.rowid + 100 from (select 1 as n) where t.rowid = n;
select rowid,* from t;
update t set b = o.v || p.v from o join o p on 1 where t.rowid = 2;
select rowid,* from t;
update t set b = 1 from t;
update t as x set b = y.b from t as y where y.rowid = 101 and x.rowid=2;
select rowid,* from t;
update t set nosuch = 1 from o;
insert into t(t) values('integrity-check');
update t set (a,b) = (o.k,o.v) from o where t.rowid=3 returning a;
with w as (select 'w1' as w) update t set a = w from w where rowid=3;
update t set a = (select max(k) from o), b = o.v from o where t.rowid=3 and o.k='q';
select rowid,* from t;
%%
create virtual table t using fts5(a,b);
insert into t values('one','two'),('three','four');
pragma integrity_check;
delete from t_content where id=1;
--= T:malformed inverted index for FTS5 table main.t| because SQLite 3.40 differs
pragma integrity_check;
--= T:malformed inverted index for FTS5 table main.t| because SQLite 3.40 differs
pragma quick_check;
--= T:malformed inverted index for FTS5 table main.t| because SQLite 3.40 differs
pragma integrity_check(t);
insert into t(t) values('integrity-check');
--= error: fts5: missing row 1 from content table 'main'.'t_content' because SQLite 3.40 differs
select * from t('one');
select rowid from t('one');
%%
create virtual table t using fts5(a,b);
insert into t values('one','two'),('three','four');
pragma integrity_check;
select * from t('one');
%%
create virtual table t using fts5(a,b);
insert into t values('one','two'),('three','four');
pragma integrity_check;
select * from t('one');
insert into t values('a','b');
%%
create virtual table t using fts5(a,b);
insert into t values('one','two'),('three','four');
pragma integrity_check;
select * from t('one');
%%
create table src(id integer primary key, a, b);
create virtual table t using fts5(a,b,content=src,content_rowid=id);
create trigger ai after insert on src begin insert into t(rowid,a,b) values(new.id,new.a,new.b); end;
create trigger ad after delete on src begin insert into t(t,rowid,a,b) values('delete',old.id,old.a,old.b); end;
create trigger au after update on src begin insert into t(t,rowid,a,b) values('delete',old.id,old.a,old.b); insert into t(rowid,a,b) values(new.id,new.a,new.b); end;
insert into src(a,b) values('one two','three'),('four','five one');
select rowid,*,highlight(t,0,'<','>') from t('one');
update src set a='six' where id=1;
select rowid,* from t('one');
select rowid,* from t('six');
delete from src where id=2;
select rowid,* from t('one');
insert into t(t) values('integrity-check');
insert into t(t,rank) values('integrity-check',1);
pragma integrity_check;
drop trigger au;
update src set a='zzz';
pragma integrity_check;
--= error: fts5: checksum mismatch for table "t" because SQLite 3.40 differs
insert into t(t,rank) values('integrity-check',1);
select rowid,* from t('six');
insert into t(t) values('rebuild');
select rowid,* from t('six');
select rowid,* from t('zzz');
insert into t(t,rank) values('integrity-check',1);
drop table src;
select rowid from t('zzz');
select rowid,* from t('zzz');
select * from t;
insert into t(rowid,a) values(5,'x');
drop table t;
%%
create virtual table t using fts5(a, tokenize=trigram);
insert into t values('Hello world'),('abcdef'),('ABCxyz'),('a%b_c');
select a from t where a like '%ELL%';
select a from t where a like '%abc%';
select a from t where a like 'abc%' escape 'x';
select a from t where a like '%a\%b%' escape '\';
select a from t where a like '%ab%';
select a from t where a like '%lo wo%' and rowid=1;
select a from t where t like '%abc%';
select rowid from t('"abc"');
select rowid from t('abcd');
select rowid, highlight(t,0,'[',']') from t('bcde');
select rowid, highlight(t,0,'[',']') from t('ab');
%%
create virtual table t using fts5(a, tokenize="trigram case_sensitive 1");
insert into t values('Hello world'),('abcdef'),('ABCxyz');
select a from t where a like '%ELL%';
select a from t where a like '%abc%';
%%
--=  because SQLite 3.40 does not know it
create virtual table t using fts5(a, tokenize="trigram remove_diacritics 1");
--=  because SQLite 3.40 does not know it
insert into t values('Éllo wörld'),('abcdef'),('ÀBCxyz');
--= T:\xc3\x89llo w\xc3\xb6rld| because SQLite 3.40 differs
select a from t('ello');
--=  because SQLite 3.40 does not know it
select a from t where a like '%ello%';
--= T:abcdef| T:\xc3\x80BCxyz| because SQLite 3.40 differs
select a from t('abc');
%%
create virtual table t using fts5(a,b);
insert into t values('x y z','q'),('y z','x x'),('x','r');
create table o(k, v);
insert into o values('q','new q'),('r','new r');
update t set b = o.v from o where o.k = t.b;
select rowid,* from t;
update t set b = o.v || t.rowid from o where t match 'x';
select rowid,* from t;
--=  because SQLite 3.40 does not know it
update t set rowid = t.rowid + 100 from (select 1 as n) where rowid = n;
--= I:2|T:y z|T:new r2| I:3|T:x|T:new r3| I:101|T:x y z|T:new r1| because SQLite 3.40 differs
select rowid,* from t;
insert into t(t) values('integrity-check');
replace into t(rowid,a) values(101,'replaced');
--= I:2|T:y z|T:new r2| I:3|T:x|T:new r3| I:101|T:replaced|N| because SQLite 3.40 differs
select rowid,* from t;
insert into t select k, v from o;
--= I:5| because SQLite 3.40 differs
select count(*) from t;
create temp trigger tt after delete on o begin delete from t where a = old.k; end;
delete from o;
--= I:3| because SQLite 3.40 differs
select count(*) from t;
--= I:2| because SQLite 3.40 differs
select t.rowid from t, (select 'y' as m) where t match m;
--= I:1| I:1| because SQLite 3.40 differs
select (select count(*) from t where t match x.m) from (select 'x' as m union all select 'z') x;
--= I:3| because SQLite 3.40 differs
select rowid from t where t match 'x' or rowid = 3;
--=  because SQLite 3.40 does not know it
select rowid from t where t match 'x' and t match 'z';
--= I:2| I:3| because SQLite 3.40 differs
select rowid from t where t match 'x' union select rowid from t('z');
select rowid from t where not t match 'x';
select t match 'x' from t;
select highlight(t,0,'a','b') from t where rowid=2;
select highlight(t,0,'a') from t('x');
--= T:| because SQLite 3.40 differs
select highlight(t,9,'a','b') from t('x');
--= T:| because SQLite 3.40 differs
select highlight(t,-1,'a','b') from t('x');
select snippet(t,9,'a','b','c',5) from t('x');
--= T:y azbc| because SQLite 3.40 differs
select snippet(t,0,'a','b','c',0) from t('z');
--= T:y azbc| because SQLite 3.40 differs
select snippet(t,0,'a','b','c',-1) from t('z');
--= T:y azb| because SQLite 3.40 differs
select snippet(t,0,'a','b','c',65) from t('z');
--= T:y z| because SQLite 3.40 differs
select snippet(t,0,null,null,null,65) from t('z');
--= T:y z| because SQLite 3.40 differs
select highlight(t,0,null,null) from t('z');
--= I:2| because SQLite 3.40 differs
select a.rowid from t a where a match 'z';
--= T:y [z]| because SQLite 3.40 differs
select highlight(t,0,'[',']') from t as a where a match 'z';
select count(*) from t a, t b where a match 'z' and b match 'y';
--= I:2| I:3| I:101| because SQLite 3.40 differs
select rowid from t order by rank;
select count(*), highlight(t,0,'<','>') from t('z') group by rowid;
