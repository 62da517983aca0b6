# UTF-16 databases: functions, LIKE, casts, attached ones
PRAGMA encoding='UTF-16le';
CREATE TABLE t(a TEXT, b COLLATE NOCASE, c BLOB);
INSERT INTO t VALUES('abc','ABC',x'610062'),('Abc','abc','q'),('é','É',x''),(1.5,2,3),(NULL,'x',zeroblob(3));
SELECT length(a), length(b), length(c), hex(a), hex(b), hex(c) FROM t;
SELECT a FROM t WHERE a LIKE 'A%';
SELECT a FROM t WHERE b LIKE 'a%';
SELECT a FROM t WHERE a GLOB 'a*';
SELECT substr(c,1,1), substr(CAST(a AS BLOB),2,1) FROM t;
CREATE INDEX ti ON t(a);
CREATE INDEX tb ON t(b);
SELECT a FROM t WHERE a LIKE 'A%';
SELECT a FROM t WHERE a BETWEEN 'A' AND 'b' ORDER BY a;
SELECT unicode(a), char(unicode(a)) FROM t;
SELECT instr(a,'b'), replace(a,'b','XX'), upper(a), trim(a,'a'), quote(a), quote(c) FROM t;
SELECT typeof(a||b), a||b, a||c FROM t;
SELECT CAST(c AS TEXT), CAST(a AS INTEGER) FROM t;
SELECT printf('%5s|%-5s|%q|%Q|%c', a, a, a, a, a) FROM t;
SELECT group_concat(a,'-') FROM t;
SELECT json_object('a',a), json_quote(a) FROM t;
SELECT json_group_array(a) FROM t;
SELECT json_extract('{"a":"é"}','$.a');
SELECT json('{"a":"é"}');
SELECT date('2020-01-01'), strftime('%Y','now')>'2000';
PRAGMA encoding;
PRAGMA encoding='UTF-8';
PRAGMA encoding;
SELECT sql FROM sqlite_schema;
SELECT hex(sql) FROM sqlite_schema LIMIT 1;
SELECT min(a), max(a), count(DISTINCT a) FROM t;
SELECT 'a' < 'b', 'z' < 'é', x'61' < 'a';
SELECT sum(a), total(a), avg(b) FROM t;
SELECT '12' + 3, '0x10' + 0, CAST('12abc' AS INTEGER), CAST('1e3' AS REAL);
SELECT a FROM t ORDER BY a COLLATE NOCASE, rowid;
SELECT soundex(a) FROM t;
SELECT like('a%', a), glob('a*', a) FROM t;
SELECT a FROM t WHERE a LIKE '%\b%' ESCAPE '\';
SELECT a IN ('abc','é') FROM t;
SELECT a FROM t UNION SELECT b FROM t;
WITH RECURSIVE c(x,n) AS (SELECT 'é',1 UNION ALL SELECT x||'ü',n+1 FROM c WHERE n<5) SELECT x,length(x),hex(x) FROM c;
VACUUM;
PRAGMA integrity_check;
SELECT hex(a) FROM t;
ATTACH ':memory:' AS o;
CREATE TABLE o.u AS SELECT * FROM t;
SELECT hex(a),hex(b),hex(c) FROM o.u;
PRAGMA o.encoding;
SELECT hex('a'||char(0)||'b'), length('a'||char(0)||'b');
SELECT hex(CAST('ab' AS BLOB)), hex(CAST(12 AS BLOB));
SELECT quote(CAST('ab' AS BLOB));
SELECT CAST(x'610062' AS TEXT), length(CAST(x'610062' AS TEXT)), hex(CAST(x'610062' AS TEXT));
SELECT hex(char(0xd800)), hex(char(0x10ffff)), hex(char(0x110000)), hex(char(0xfffe));
SELECT char(0xd800), char(0xdfff, 0xe000), char(0xfffe), char(0xffff), char(0x1fffe), trim(char(0xfffe)), char(0xfffe) || 'a', char(97, 0xfffe) = 'a' || char(0xfffd);
SELECT format('%s %d %!10.2f', 'é', 12, 3.14159);
SELECT substr('héllo',2,3), substr('héllo',-2), length('héllo');
SELECT ltrim('  é'), rtrim('é  '), trim('xéx','x');
SELECT nullif('é','é'), coalesce(NULL,'é'), iif(1,'é','x');
SELECT a, row_number() OVER (ORDER BY a) FROM t;
SELECT lower('ÀB'), upper('àb');
%%
PRAGMA encoding="UTF-16be";
CREATE TABLE t(a,b);
INSERT INTO t VALUES('x',x'00610062');
SELECT hex(a),hex(b),CAST(b AS TEXT), a||b FROM t;
PRAGMA encoding;
CREATE TEMP TABLE s AS SELECT * FROM t;
SELECT hex(a) FROM s;
SELECT * FROM t WHERE a='x';
ATTACH ':memory:' AS z;
SELECT hex(CAST('ab' AS BLOB));
%%
PRAGMA encoding=utf16;
PRAGMA encoding;
PRAGMA encoding=utf8;
PRAGMA encoding;
PRAGMA encoding=foo;
PRAGMA encoding='utf-16LE';
PRAGMA encoding;
PRAGMA encoding=UTF16be;
PRAGMA encoding;
PRAGMA encoding='UTF-16';
PRAGMA encoding;
%%
-- Ranges of an index for patterns.
PRAGMA encoding = 'UTF-16le';
CREATE TABLE pattern(a TEXT COLLATE NOCASE, b TEXT, d INT);
INSERT INTO pattern VALUES ('a_b', 'a_b', 1), ('ab', 'ab', 2), ('é', 'é', 3), ('ÉS', 'és', 4), ('š', 'š', 5), ('aéz', 'aéz', 6), ('aĀ', 'aĀ', 7),
    ('豈x', '豈x', 8), ('豈xy', '豈xy', 9), ('bcd', 'bcd', 10), ('a', 'a', 11), ('aêz', 'aêz', 12), ('😀', '😀', 13), ('', '', 14);
CREATE INDEX pattern_a ON pattern(a);
CREATE INDEX pattern_b ON pattern(b);
CREATE INDEX pattern_d ON pattern(d) WHERE b IS NOT NULL;
EXPLAIN QUERY PLAN SELECT d FROM pattern WHERE a LIKE 'a%';
SELECT d FROM pattern WHERE a LIKE 'a%' ORDER BY d;
SELECT d FROM pattern WHERE a LIKE 'aé%' ORDER BY d;
SELECT d FROM pattern WHERE a LIKE 'é%' ORDER BY d;
SELECT d FROM pattern WHERE a LIKE '豈x%' ORDER BY d;
EXPLAIN QUERY PLAN SELECT d FROM pattern WHERE b GLOB 'a*';
--= I:1| I:2| I:6| I:7| I:11| I:12| because 3.40 gives what is between the range's ends as well
SELECT d FROM pattern WHERE b GLOB 'a*' ORDER BY d;
SELECT d FROM pattern WHERE b GLOB 'aé*' ORDER BY d;
SELECT d FROM pattern WHERE b GLOB 'é*' ORDER BY d;
SELECT d FROM pattern INDEXED BY pattern_d WHERE b LIKE 'a\_%' ESCAPE '\' ORDER BY d;
%%
PRAGMA encoding = 'UTF-16be';
CREATE TABLE pattern(a TEXT COLLATE NOCASE, b TEXT, d INT);
INSERT INTO pattern VALUES ('a_b', 'a_b', 1), ('ab', 'ab', 2), ('é', 'é', 3), ('ÉS', 'és', 4), ('š', 'š', 5), ('aéz', 'aéz', 6), ('aĀ', 'aĀ', 7),
    ('豈x', '豈x', 8), ('豈xy', '豈xy', 9), ('bcd', 'bcd', 10), ('a', 'a', 11), ('aêz', 'aêz', 12), ('😀', '😀', 13), ('', '', 14);
CREATE INDEX pattern_a ON pattern(a);
CREATE INDEX pattern_b ON pattern(b);
EXPLAIN QUERY PLAN SELECT d FROM pattern WHERE a LIKE 'a%';
SELECT d FROM pattern WHERE a LIKE 'a%' ORDER BY d;
SELECT d FROM pattern WHERE a LIKE 'é%' ORDER BY d;
SELECT d FROM pattern WHERE a LIKE '豈x%' ORDER BY d;
EXPLAIN QUERY PLAN SELECT d FROM pattern WHERE b GLOB 'aé*';
SELECT d FROM pattern WHERE b GLOB 'aé*' ORDER BY d;
SELECT d FROM pattern WHERE b GLOB '豈*' ORDER BY d;
SELECT d FROM pattern WHERE b GLOB '😀*' ORDER BY d;
%%
# Characters that a function cuts in two, or makes of what is none
PRAGMA encoding='UTF-16le';
SELECT printf('%.1s|%.2q|%.3Q|%.1w', '€uro', '€uro', '😀', 'é');
SELECT hex(printf('%.3s%%', '😀')), upper(printf('%.3s%%', '😀')), unicode(printf('%.1s', 'é'));
SELECT char(55357), char(55357) || 'a', char(65535), replace(x'2ad8', 'a', 'b');
SELECT group_concat(x, x'') FROM (SELECT x'2730ffff' AS x UNION ALL SELECT '1');
SELECT quote(printf('%.1s', 'é')), json_quote(printf('%.1s', 'é')), printf('%.1s', 'é') = char(65533), length(printf('%.2s%.2s', '😀', '😀'));
CREATE TABLE t(a UNIQUE);
INSERT INTO t VALUES(printf('%.1s', 'é')), (char(55357) || 'x');
INSERT INTO t VALUES(char(65533));
SELECT a, hex(a) FROM t;
%%
-- A CAST of bytes to text keeps that they are JSON.
PRAGMA encoding = 'UTF-16be';
--= T:[\xe2\xac\x93]| because release 3.40 has no JSONB
SELECT json_array(CAST(jsonb_array(FALSE) AS TEXT));
