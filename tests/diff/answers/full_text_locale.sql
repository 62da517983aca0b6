# Locales of full-text tables, token data, special queries
--=  because SQLite 3.40 knows no locales
create virtual table t using fts5(a,b,u unindexed,locale=1);
--=  because SQLite 3.40 knows no locales
insert into t values('one two','x','y'),(fts5_locale('en','three'),'y',fts5_locale('de','zz'));
--= I:1|T:one two|T:x|T:y| I:2|T:three|T:y|T:zz| because SQLite 3.40 knows no locales
select rowid,a,b,u from t;
--= N|N|N| T:en|N|N| because SQLite 3.40 knows no locales
select fts5_get_locale(t,0), fts5_get_locale(t,1), fts5_get_locale(t,2) from t;
--= T:en| because SQLite 3.40 knows no locales
select fts5_get_locale(t,'0') from t('three');
--= error: non-integer argument passed to function fts5_get_locale() because SQLite 3.40 knows no locales
select fts5_get_locale(t,'a') from t('three');
--= error: non-integer argument passed to function fts5_get_locale() because SQLite 3.40 knows no locales
select fts5_get_locale(t,0.0) from t('three');
--= error: non-integer argument passed to function fts5_get_locale() because SQLite 3.40 knows no locales
select fts5_get_locale(t,'0.0') from t('three');
--= error: non-integer argument passed to function fts5_get_locale() because SQLite 3.40 knows no locales
select fts5_get_locale(t,'1e0') from t('three');
--= T:en| because SQLite 3.40 knows no locales
select fts5_get_locale(t,' 0 ') from t('three');
--= error: column index out of range because SQLite 3.40 knows no locales
select fts5_get_locale(t,3) from t('three');
--= error: column index out of range because SQLite 3.40 knows no locales
select fts5_get_locale(t,-1) from t('three');
--= error: wrong number of arguments to function fts5_get_locale() because SQLite 3.40 knows no locales
select fts5_get_locale(t) from t('three');
--= error: unable to use function fts5_get_locale in the requested context because SQLite 3.40 knows no locales
select fts5_get_locale(1,2);
--= I:2| because SQLite 3.40 knows no locales
select rowid from t(fts5_locale('en','three'));
--= I:1| because SQLite 3.40 knows no locales
select rowid from t where a match fts5_locale('de_DE','one');
--= T:one two|T:x|T:y|N|N| T:three|T:y|T:zz|T:en|N| because SQLite 3.40 knows no locales
select c0, c1, c2, l0, l1 from t_content;
--=  because SQLite 3.40 knows no locales
update t set a=fts5_locale('fr','uno') where rowid=1;
--=  because SQLite 3.40 knows no locales
update t set b=b||' more' where rowid=1;
--=  because SQLite 3.40 knows no locales
update t set rowid=5 where rowid=2;
--=  because SQLite 3.40 knows no locales
update t set b=fts5_locale('it',a) where rowid=5;
--= I:1|T:uno|T:x more|T:y|T:fr|N| I:5|T:three|T:three|T:zz|T:en|T:it| because SQLite 3.40 knows no locales
select id, c0, c1, c2, l0, l1 from t_content;
--=  because SQLite 3.40 knows no locales
update t set b=x.n from (select 1 as k, 'nn' as n union all select 5, 'mm') x where x.k=t.rowid;
--= I:1|T:uno|T:nn|T:y|T:fr|N| I:5|T:three|T:mm|T:zz|T:en|N| because SQLite 3.40 knows no locales
select id, c0, c1, c2, l0, l1 from t_content;
--=  because SQLite 3.40 knows no locales
update t set a='uno' where rowid=1;
--= I:1|T:uno|T:nn|T:y|N|N| I:5|T:three|T:mm|T:zz|T:en|N| because SQLite 3.40 knows no locales
select id, c0, c1, c2, l0, l1 from t_content;
--=  because SQLite 3.40 knows no locales
replace into t(rowid,a) values(1,fts5_locale('es','dos'));
--= I:1|T:dos|N|N|T:es|N| I:5|T:three|T:mm|T:zz|T:en|N| because SQLite 3.40 knows no locales
select id, c0, c1, c2, l0, l1 from t_content;
--= T:[dos]|T:es| because SQLite 3.40 knows no locales
select highlight(t,0,'[',']'), fts5_get_locale(t,0) from t('dos');
--=  because SQLite 3.40 knows no locales
insert into t(t) values('integrity-check');
--=  because SQLite 3.40 knows no locales
insert into t(t) values('rebuild');
--=  because SQLite 3.40 knows no locales
insert into t(t) values('integrity-check');
--= I:5|T:en| I:1|T:es| because SQLite 3.40 knows no locales
select rowid, fts5_get_locale(t,0) from t order by rowid desc;
--=  because SQLite 3.40 knows no locales
delete from t where rowid=1;
--= I:5|T:three|T:en| because SQLite 3.40 knows no locales
select rowid, a, fts5_get_locale(t,0) from t;
--= T:abc|T:abc|T:blob|N|I:22| because SQLite 3.40 knows no locales
select fts5_locale('','abc'), fts5_locale(null,'abc'), typeof(fts5_locale('en','abc')), fts5_locale('',null), length(fts5_locale('en','abc'));
--= error: wrong number of arguments to function fts5_locale() because SQLite 3.40 knows no locales
select fts5_locale('en');
--= B:en\x00x| because SQLite 3.40 knows no locales
select substr(fts5_locale('en','x'),17);
--= T:abc|I:1|T:null| because SQLite 3.40 knows no locales
select fts5_insttoken('abc'), fts5_insttoken(1), typeof(fts5_insttoken(null));
--= error: wrong number of arguments to function fts5_insttoken() because SQLite 3.40 knows no locales
select fts5_insttoken('abc',2);
--=  because SQLite 3.40 knows no locales
create virtual table n using fts5(a,locale=0);
--= error: fts5_locale() requires locale=1 because SQLite 3.40 knows no locales
insert into n values(fts5_locale('en','hello'));
--=  because SQLite 3.40 knows no locales
insert into n values('hello');
--= error: fts5_locale() requires locale=1 because SQLite 3.40 knows no locales
update n set a=fts5_locale('en','hello');
--= I:1| because SQLite 3.40 knows no locales
select rowid from n(fts5_locale('en','hello'));
--= N| because SQLite 3.40 knows no locales
select fts5_get_locale(n,0) from n;
--= error: malformed locale=... directive because SQLite 3.40 knows no locales
create virtual table m using fts5(a,locale=2);
--= error: malformed locale=... directive because SQLite 3.40 knows no locales
create virtual table m using fts5(a,locale=x);
--= error: malformed tokendata=... directive because SQLite 3.40 knows no locales
create virtual table m using fts5(a,tokendata=x);
--=  because SQLite 3.40 knows no locales
create virtual table k using fts5(a,locale=1,content='',contentless_delete=1);
--=  because SQLite 3.40 knows no locales
insert into k values(fts5_locale('en','hello'));
--= I:1|N|N| because SQLite 3.40 knows no locales
select rowid, a, fts5_get_locale(k,0) from k('hello');
create table src(id integer primary key,a);
--=  because SQLite 3.40 knows no locales
create virtual table e using fts5(a,content=src,content_rowid=id,locale=1);
--=  because SQLite 3.40 knows no locales
insert into src values(1,fts5_locale('en','hello')),(2,'hello there');
--=  because SQLite 3.40 knows no locales
insert into e(e) values('rebuild');
--= I:1|T:hello|T:en|T:<hello>| I:2|T:hello there|N|T:<hello> there| because SQLite 3.40 knows no locales
select rowid,a,fts5_get_locale(e,0),highlight(e,0,'<','>') from e('hello');
--=  because SQLite 3.40 knows no locales
insert into e(e,rank) values('integrity-check',1);
--= T:text| T:text| because SQLite 3.40 knows no locales
select typeof(a) from e;
--=  because SQLite 3.40 knows no locales
create virtual table td using fts5(a,tokendata=1);
--=  because SQLite 3.40 knows no locales
insert into td values('abc'),('abcd'),('x abc');
--= I:1| I:3| because SQLite 3.40 knows no locales
select rowid from td('abc');
--= I:3| I:2| I:1| because SQLite 3.40 knows no locales
select rowid from td('abc*') order by rowid desc;
--= I:1|T:[abc]| I:3|T:x [abc]| because SQLite 3.40 knows no locales
select rowid, highlight(td,0,'[',']') from td('abc') order by rank;
--=  because SQLite 3.40 knows no locales
insert into td(td) values('integrity-check');
--=  because SQLite 3.40 knows no locales
insert into td(td) values('optimize');
--= T:abc| T:x abc| because SQLite 3.40 knows no locales
select * from td where td match fts5_insttoken('abc');
--= T:version|I:4| because SQLite 3.40 knows no locales
select k, v from td_config;
--= I:0| because SQLite 3.40 knows no locales
select rowid from td('*id') where rowid=0;
--= I:0|N| because SQLite 3.40 knows no locales
select rowid,a from td('*reads');
--= T:integer| because SQLite 3.40 knows no locales
select typeof(td) from td('*id');
--= error: unknown special query: nosuch because SQLite 3.40 knows no locales
select rowid from td('*nosuch');
--= error: unknown special query: nosuch because SQLite 3.40 knows no locales
select rowid from td('* nosuch x');
--= T:integer|I:3| because SQLite 3.40 knows no locales
select typeof(td), count(td) from td;
--= error: SQL logic error because SQLite 3.40 knows no locales
insert into td(td,rank) values('automerge',4.0);
--=  because SQLite 3.40 knows no locales
insert into td(td,rank) values('automerge','8');
