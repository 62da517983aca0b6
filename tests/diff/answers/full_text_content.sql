# Full-text tables whose content is themselves, and content that the index does not fit.
create virtual table t1 using fts5(a, content=t1);
insert into t1(a) values('abc');
select * from t1;
select * from t1('abc');
select rowid from t1('abc');
select count(*) from t1;
update t1 set a='x' where rowid=1;
drop table t1;
%%
# one of two
create virtual table u1 using fts5(a, content=u2);
create virtual table u2 using fts5(a, content=u1);
insert into u1 values('abc');
select * from u1;
select * from u2;
select * from u1('abc');
%%
# What was never there is deleted.
create table t(id integer primary key, name text, value text);
create virtual table x using fts5(name, content=t, content_rowid=id);
insert into x(x, rowid, name) values('delete', 1, 'quick');
insert into x(rowid, name) values(123, 'one one one');
insert into x(x, rowid, name) values('delete', 123, 'one');
insert into x(x, rowid, name) values('delete', 123, 'one');
insert into x(rowid, name) values(124, 'two two two');
select rowid from x('two');
%%
# Sizes of rows are checked.
create virtual table aa using fts5(zz, u unindexed);
insert into aa(zz) values('a b c d e'), ('a b c d'), ('a b c'), ('a b'), ('a');
insert into aa(aa) values('integrity-check');
begin;
update aa_docsize set sz=x'4400' where rowid=3;
insert into aa(aa) values('integrity-check');
rollback;
begin;
insert into aa_docsize values(23, x'04');
insert into aa(aa) values('integrity-check');
rollback;
begin;
delete from aa_docsize where id=2;
insert into aa(aa) values('integrity-check');
rollback;
insert into aa(aa) values('integrity-check');
%%
# An index that is lost is made anew.
create virtual table f using fts5(a);
insert into f values('o n e'), ('t w o');
delete from f_data;
insert into f(f) values('rebuild');
insert into f(f) values('integrity-check');
select * from f('o');
%%
# USING may name a hidden column, which NATURAL does not see.
create table t2(x, y, ft);
insert into t2 values(1, 2, 'x'), (3, 4, 'b');
create virtual table ft using fts5(a);
insert into ft values('b'), ('y');
select * from t2 natural join ft where t2.ft='b';
create table s(schema, name);
insert into s values(null, 'x'), ('main', 'y');
select * from s natural join pragma_table_info('t2');
select * from t2 join pragma_table_info('t2') using (schema);
%%
# A reader of terms ends where the index was written meanwhile.
create virtual table x using fts5(a);
create virtual table v using fts5vocab(x, instance);
with s(i) as (values(1) union all select i+1 from s where i<3000)
insert into x select 'State Emergency Service (SES), Rural Fire Service (RFS) and Volunteers' from s;
insert into x select term||hex(randomblob(1000)) from v;
select count(*) from x;
create virtual table vr using fts5vocab(x, row);
select count(*) from vr;
begin;
insert into x values('zz yy');
select count(*) from vr;
commit;
%%
# NUL is in no token, whatever its category.
create virtual table t2 using fts5(z, tokenize="unicode61 categories 'L* N* Co Cc'");
create virtual table tu using fts5vocab(t2, 'instance');
insert into t2 values('abc'||char(0)||'def'||char(1)||'x');
select hex(term), offset from tu;
create virtual table c1 using fts5(y, tokenize='trigram case_sensitive 1');
create virtual table vc using fts5vocab(c1, instance);
insert into c1 values('ab'||char(0)||'cd');
--= T:616263|I:0| T:626364|I:1| because SQLite 3.40 ends at the NUL
select hex(term), offset from vc;
%%
# A trigram takes the marks along that are behind it.
--=  because SQLite 3.40 knows no marks in trigrams
create virtual table t1 using fts5(y, tokenize='trigram remove_diacritics 1');
--=  because SQLite 3.40 knows no marks in trigrams
insert into t1 values('abc̃defghijklm'), ('ãb̃c̃defghijklm'), ('̃abc̃');
--= T:(abc\xcc\x83)defghijklm| T:(a\xcc\x83b\xcc\x83c\xcc\x83)defghijklm| T:\xcc\x83(abc\xcc\x83)| because SQLite 3.40 knows no marks in trigrams
select highlight(t1, 0, '(', ')') from t1('abc');
--= T:abc\xcc\x83def(ghi)jklm| T:a\xcc\x83b\xcc\x83c\xcc\x83def(ghi)jklm| because SQLite 3.40 knows no marks in trigrams
select highlight(t1, 0, '(', ')') from t1('ghi');
