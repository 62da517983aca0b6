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
