# printf, quote and scalar functions; aggregates without rows and with overflow
SELECT printf('%d|%5d|%-5d|%05d|%+d|% d|%,d|%+,d', 42, 42, 42, 42, 42, 42, 1234567, 1234567);
SELECT printf('%d %d %d', -9223372036854775808, 9223372036854775807, 1.9), printf('%d','12x'), printf('%d',NULL), printf('%d'), printf('%d',x'3132'), printf('%d','1e3'), printf('%d', 9e99), printf('%d', -9e99);
SELECT printf('%i|%u|%u', 5, 5, -1), printf('%x|%X|%#x|%#X|%o|%#o|%#o|%x', 255, 255, 255, 255, 8, 8, 0, -1);
--= T:3.141590|3.14|     3.142|3.142     |000003.142|+3.141590| 3.141590|3|3.|1,234,567.891000| because SQLite 3.50 answers so
SELECT printf('%f|%.2f|%10.3f|%-10.3f|%010.3f|%+f|% f|%.0f|%#.0f|%,f', 3.14159, 3.14159, 3.14159, 3.14159, 3.14159, 3.14159, 3.14159, 2.5, 2.5, 1234567.891);
SELECT printf('%e|%E|%.2e|%.0e|%#.0e|%e|%e', 12345.678, 12345.678, 12345.678, 12345.678, 12345.678, 0, 1e-300);
SELECT printf('%g|%G|%.3g|%g|%g|%g|%#g|%.0g|%g', 12345.678, 1e-10, 12345.678, 1e6, 1e5, 100000, 1.5, 15.5, 0.0001);
--= T:0.1|0.1000000000000000055|0.1|0.1000000000000000055|1.0e-01|2.0|2.0| because SQLite 3.50 answers so
SELECT printf('%!f|%!.20f|%!g|%!.20g|%!e|%!.3f|%!.0f', 0.1, 0.1, 0.1, 0.1, 0.1, 2, 2);
--= T:Inf|-Inf|Inf|T:  Inf|90000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000...(1029)|T:0.000000|T:0.000000|T:1.235| because SQLite 3.50 answers so
SELECT printf('%f|%g|%e', 9e999, -9e999, 9e999), printf('%5f|%05f|%-10f|%+f', 9e999, 9e999, 9e999, 9e999), printf('%f', 'abc'), printf('%f',NULL), printf('%.3f','1.23456');
--= T:1000000000000000.000000|T:123456789012345700.000000|T:0.33333333333333330000|T:0.100000000000000000000000000000|T:0.1000000000000000055|T:10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000...(308)| because SQLite 3.50 answers so
SELECT printf('%f', 1e15), printf('%f',123456789012345678), printf('%.20f', 1.0/3), printf('%.30f', 0.1), printf('%!.30f', 0.1), printf('%f', 1e300);
SELECT printf('%s|%10s|%-10s|%.2s|%10.2s|%S', 'abc','abc','abc','abc','abc','abc'), printf('%s',NULL), printf('%s'), printf('%s',5), printf('%s',5.0), printf('%s',x'4142');
SELECT printf('%10s|%!10s|%!.2s|%.2s', 'é','é','éàü','éàü'), printf('%c|%5c|%-5c|%.3c|%c|%c', 'abc','a','a','a','é',''), printf('%c',65), printf('%c'), printf('%c',NULL);
SELECT printf('%q|%Q|%w|%q|%Q', 'it''s', 'it''s', 'a"b', NULL, NULL), printf('%Q',5), printf('%Q',5.5), printf('%10q|%-10Q|%.3q|%.3Q','it''s','it''s','it''s','it''s'), printf('%w',NULL);
SELECT printf('%%|%5%|%'), printf('%'), printf('abc%'), printf('%y'), printf('%5'), printf('a%zb'), printf('%l'), printf('%ld|%lld|%llld', 1, 2, 3);
SELECT printf('%*d|%-*d|%.*f|%*.*f', 5, 42, 5, 42, 2, 3.14159, 8, 2, 3.14159), printf('%*d', -5, 42), printf('%.*f', -2, 3.14159), printf('%*s|','x','y');
SELECT printf('%n|%d', 5), printf('%p', 255), printf('%r', 1), printf('%r|%r|%r|%r|%r',1,2,3,11,112), printf('%T', 1), printf('%z', 'x'), printf('%s %s','a');
SELECT printf(NULL), printf(''), printf(5), printf(5.5), printf(x'2564',7), typeof(printf('x')), typeof(printf(''));
SELECT printf();
SELECT format('%d',1), format('%s %s',1,2), format();
SELECT format('%d',1), format('%s %s',1,2), format(NULL,1);
--= T:0.1|0.1|0.3|0.3|1.00|1.11|T:1|2|3| because SQLite 3.50 answers so
SELECT printf('%.1f|%.1f|%.1f|%.1f|%.2f|%.2f', 0.05, 0.15, 0.25, 0.35, 1.005, 1.115), printf('%.0f|%.0f|%.0f',0.5,1.5,2.5);
SELECT printf('%2147483648d',1), length(printf('%1000d',1)), length(printf('%.1000d',1)), length(printf('%.500f',1.5));
SELECT length(printf('%100000000d',1));
SELECT length(printf('%1000000001d',1));
--= T:|a|abc   ||T:    a|b|c|d|T:001.3|00003|+0004|T:1,234.50|999|-1,000|   123,456|12d687| because SQLite 3.50 answers so
SELECT printf('%.*s|%.*s|%-*s|', 0,'abc',-1,'abc',-6,'abc'), printf('%05s|%+s|% s|%#s','a','b','c','d'), printf('%05.1f|%-05d|%+05d',1.25,3,4), printf('%,.2f|%,d|%,d|%,10d|%,x', 1234.5, 999, -1000, 123456, 1234567);
SELECT quote('a'||char(0)||'b'), length(quote('a'||char(0)||'b')), hex('a'||char(0)||'b'), quote();
SELECT quote('a'||char(0)||'b'), length('a'||char(0)||'b'), hex('a'||char(0)||'b'), upper('a'||char(0)||'b'), length(upper('a'||char(0)||'b'));
--= T:A\xf0\x9f\x98\x80\xf0\x9f\x98\x80\x|T:abc|N| because SQLite 3.50 answers so
SELECT unistr('\u0041\U0001F600\+01F600\\x'), unistr('abc'), unistr(NULL);
--= error: invalid Unicode escape because SQLite 3.50 answers so
SELECT unistr('\u12');
--= T:6100625C30303431|T:426100625C30303431|T:42616241| because SQLite 3.50 answers so
SELECT hex(unistr(x'610062'||'\0041')), hex(unistr('\0042'||x'610062'||'\0041')), hex(unistr('\0042'||x'6162'||'\0041'));
--= T:unistr('a\u0001')|T:'abc'|T:5| because SQLite 3.50 answers so
SELECT unistr_quote('a'||char(1)), unistr_quote('abc'), unistr_quote(5);
--= T:35|T:352E35|T:|T:|T:C3A9|T:0F|B:\x0f|B:\x0f\x10|N|N|N|N|T:blob|T:ABCD|B:\x0f|N|T:|T:12| because SQLite 3.50 answers so
SELECT hex(5), hex(5.5), hex(NULL), hex(''), hex('é'), hex(x'0f'), unhex('0F'), unhex('0F-10','-'), unhex('0'), unhex('xx'), unhex(NULL), unhex('0F',NULL), typeof(unhex('')), hex(unhex('AbCd')), unhex(' 0F ',' '), unhex('0 F',' '), hex(unhex(5)), hex(unhex(12));
--= error: wrong number of arguments to function unhex() because SQLite 3.50 answers so
SELECT unhex();
--= error: wrong number of arguments to function unhex() because SQLite 3.50 answers so
SELECT unhex('a','b','c');
SELECT char(65,66,8364,128512,0,-1,1114112,55296), hex(char(55296)), hex(char(1114112)), char(), char(NULL), char('65'), unicode('A'), unicode(''), unicode(NULL), unicode('é'), unicode(5), unicode(x'f09f9880'), unicode('😀');
SELECT abs(-5), abs('x'), abs('-5.5'), abs(NULL), abs(-0.0), abs(x'31'), typeof(abs('5')), abs('');
SELECT abs(-9223372036854775808);
SELECT abs();
--= R:3|R:-3|R:2.5699999999999998|R:3|R:3|N|N|R:1.0000000000000001e+300|R:9.2233720368547758e+18|R:1|R:1.3999999999999999|R:2.5|R:5|T:real|R:1234.5678|R:1|R:1|R:0| because SQLite 3.50 answers so
SELECT round(2.5), round(-2.5), round(2.567,2), round(2.567,-1), round('2.5'), round(NULL), round(2.5,NULL), round(1e300), round(9223372036854775807), round(0.5), round(1.45,1), round(2.5,1.9), round(5), typeof(round(5)), round(1234.5678,30), round(1.005,2), round(x'31'), round('x');
SELECT sign(5), sign(-5.5), sign(0), sign(NULL), sign('x'), sign('5'), sign(x'31'), sign(0.0), sign(-0.0), sign('-5x');
SELECT ceil(1.2), ceil(-1.2), floor(1.8), floor(-1.8), ceiling(5), floor('2.5'), ceil('x'), ceil(NULL), trunc(1.9), trunc(-1.9), trunc(5), trunc('1.9'), typeof(ceil(5)), typeof(ceil(1.2)), typeof(floor('5'));
--= R:2|N|N|N|R:1024|R:1.4142135623730951|R:inf|N|R:2.7182818284590451|R:0|N|N|R:2|R:3|N|N|N|R:3|R:3|R:1|R:-1|N|R:1.5|R:3.1415926535897931|R:3.1415926535897931|R:180| because SQLite 3.50 answers so
SELECT sqrt(4), sqrt(-1), sqrt(NULL), sqrt('x'), pow(2,10), power(2,0.5), pow(0,-1), pow(-1,0.5), exp(1), ln(1), ln(0), ln(-1), log(100), log(2,8), log(10,0), log(1,5), log(0,5), log10(1000), log2(8), mod(10,3), mod(-10,3), mod(10,0), mod(5.5,2), pi(), radians(180), degrees(pi());
SELECT sin(0), cos(0), tan(0), asin(1), acos(1), atan(1), atan2(1,1), sinh(1), cosh(1), tanh(1), asinh(1), acosh(1), atanh(0), asin(2), acosh(0), atanh(1), atanh(2);
SELECT max(1,2), min(1,2), max(1,'a'), min(1,'a',NULL), max(1), max('a','B'), max('a' COLLATE NOCASE,'B'), min(x'00','a',1,1.5), max(1,1.0), min(1,1.0), typeof(max(1,1.0)), typeof(min(1.0,1));
SELECT min();
--= I:1|N|I:1|I:1|N|I:1|N|N|I:2|I:3|I:3|I:2|N|I:2|I:3|I:2|N| because SQLite 3.50 answers so
SELECT coalesce(NULL,1), coalesce(NULL,NULL), ifnull(NULL,1), ifnull(1,2), nullif(1,1), nullif(1,2), nullif('a','A' COLLATE NOCASE), nullif('a' COLLATE NOCASE,'A'), iif(1,2,3), iif(0,2,3), iif(NULL,2,3), iif(1,2), iif(0,2), if(1,2,3), iif(0,1,0,2,3), iif(0,1,1,2,3), iif(0,1,0,2);
SELECT coalesce(1);
SELECT coalesce();
SELECT ifnull(1);
SELECT iif(1);
SELECT nullif(1);
--= I:3|I:1|I:3|N|I:2|I:1|I:0|I:2|I:1|N|I:1|I:8| because SQLite 3.50 answers so
SELECT length('abc'), length(5), length(5.5), length(NULL), length(x'0102'), length('é'), length(''), octet_length('é'), octet_length(5), octet_length(NULL), octet_length(x'00'), length(1e100);
--= T:bcdef|T:bcd|T:ef|T:de|T:abcdef|T:a|T:ab|T:cd|T:|T:|T:a|T:abcdef|N|N|N|T:23|T:0203|T:03|T:|T:bc|T:\xc3\xa0|T:bc|T:abc|T:bc|T:|T:| because SQLite 3.50 answers so
SELECT substr('abcdef',2), substr('abcdef',2,3), substr('abcdef',-2), substr('abcdef',-3,2), substr('abcdef',0), substr('abcdef',0,2), substr('abcdef',3,-2), substr('abcdef',-2,-2), substr('abcdef',10), substr('abcdef',1,0), substr('abcdef',-10,5), substr('abcdef',-10,12), substr(NULL,1), substr('abc',NULL), substr('abc',1,NULL), substr(12345,2,2), hex(substr(x'010203',2)), hex(substr(x'010203',-1)), hex(substr(x'010203',1,-1)), substring('abc',2), substr('éàü',2,1), substr('abc','2'), substr('abc',1.9), substr('abc',2,9223372036854775807), substr('abc',-9223372036854775808), substr('abc',9223372036854775807,1);
SELECT instr('abcabc','c'), instr('abc','x'), instr('abc',''), instr('','a'), instr(NULL,'a'), instr('a',NULL), instr(x'010203',x'02'), instr('abc',x'62'), instr(x'616263','b'), instr(12345,34), instr('éàü','ü'), instr('',''), instr(x'',x'');
--= T:axcaxc|T:abc|T:ac|N|N|N|T:1x3x1|T:aaaaaa|T:text|T:text| because SQLite 3.50 answers so
SELECT replace('abcabc','b','x'), replace('abc','','x'), replace('abc','b',''), replace(NULL,'a','b'), replace('abc',NULL,'b'), replace('abc','b',NULL), replace(12321,2,'x'), replace('aaa','a','aa'), typeof(replace(5,'','x')), typeof(replace(x'6162','a','b'));
SELECT trim('  a b  '), ltrim('  a'), rtrim('a  '), trim('xxaxx','x'), trim('abcba','ab'), ltrim('abc','ba'), rtrim('abc','cb'), trim(NULL), trim('a',NULL), trim(5), trim('  '||char(9)||'a'), trim('éaé','é'), trim('abc',''), hex(trim(x'20612020')), typeof(trim(x'2061'));
SELECT upper('aébc'), lower('AÉBC'), upper(NULL), lower(5), upper(x'6162'), typeof(upper(5));
SELECT like('a%','abc'), like('a\%','a%','\'), glob('a*','abc'), like(NULL,'a'), like('a',NULL), like('A','a'), glob('[a-c]*','b'), glob('[^a-c]*','b'), glob('[]]','a]'), glob('[]]',']'), glob('a[*]b','a*b'), glob('?','é'), glob('[a','a'), glob('[a-]','-'), glob('\*','*'), glob('[!a]','b');
SELECT 'abc' LIKE 'a_c', 'abc' LIKE 'A%C', 'é' LIKE 'É', 'a' LIKE 'ab%' ESCAPE 'b', 'a%b' LIKE 'ax%b' ESCAPE 'x', 'abc' LIKE '%', 'abc' LIKE '_%_', 'abc' LIKE '____', 'axb' LIKE 'a%%b', '%' LIKE '%%' ESCAPE '%', 'a' LIKE 'a%' ESCAPE 'a', 'ab' LIKE 'aab' ESCAPE 'a';
SELECT typeof(1), typeof(1.5), typeof('a'), typeof(x'00'), typeof(NULL), typeof(1+1.0), typeof(1/2), typeof('1'+1), typeof('1.5'+1), typeof('x'+1), typeof(x'31'+1), typeof(-'5'), typeof(+'5'), typeof(~'5'), typeof(1||1), typeof(1=1), typeof(NOT 1);
SELECT likelihood(1,0.5), likely(1), unlikely(0), likelihood('a',0.0), likelihood(1,1.0);
SELECT likelihood(1,2);
SELECT likelihood(1,'x');
SELECT likelihood(1);
SELECT likelihood(1,1);
SELECT soundex('Robert'), soundex('Rupert'), soundex(''), soundex(NULL), soundex('123'), soundex('Ashcraft'), soundex('a'), soundex('éa');
SELECT zeroblob(3), hex(zeroblob(3)), length(zeroblob(1000)), zeroblob(-1), zeroblob(NULL), zeroblob('2'), typeof(zeroblob(0)), quote(zeroblob(2)), zeroblob(2)=x'0000', zeroblob(1)||'a';
SELECT zeroblob(2000000000);
SELECT last_insert_rowid(), changes(), total_changes(), typeof(sqlite_version()), sqlite_source_id() IS NOT NULL, sqlite_compileoption_used('nosuch'), sqlite_compileoption_used(NULL), typeof(sqlite_compileoption_get(0)), sqlite_compileoption_get(1000);
--= T:a12.5|T:|T:a,b,1|N|T:a|T:text|T:ab|T:|T:213| because SQLite 3.50 answers so
SELECT concat('a',1,NULL,2.5), concat(NULL), concat_ws(',', 'a', NULL, 'b', 1), concat_ws(NULL,'a'), concat_ws('-','a'), typeof(concat(NULL)), concat_ws('','a','b'), concat_ws(',',NULL,NULL), concat_ws(1,2,3);
--= error: wrong number of arguments to function concat() because SQLite 3.50 answers so
SELECT concat();
--= error: wrong number of arguments to function concat_ws() because SQLite 3.50 answers so
SELECT concat_ws();
--= error: wrong number of arguments to function concat_ws() because SQLite 3.50 answers so
SELECT concat_ws(',');
--= T:a-b-3|T:a,b,3|T:ab3|T:ab3|T:abb33| because SQLite 3.50 answers so
SELECT string_agg(x,'-'), group_concat(x), group_concat(x,NULL), group_concat(x,''), group_concat(x,x) FROM (SELECT 'a' AS x UNION ALL SELECT NULL UNION ALL SELECT 'b' UNION ALL SELECT 3);
--= error: wrong number of arguments to function string_agg() because SQLite 3.50 answers so
SELECT string_agg(1);
--= T:1,2|T:2,1,1|I:3|I:2|R:4|R:1.3333333333333333| because SQLite 3.50 answers so
SELECT group_concat(DISTINCT x), group_concat(x ORDER BY x DESC), sum(DISTINCT x), count(DISTINCT x), total(x), avg(x) FROM (SELECT 1 AS x UNION ALL SELECT 1 UNION ALL SELECT 2);
SELECT group_concat(DISTINCT x,',') FROM (SELECT 1 AS x);
SELECT sum(9223372036854775807), sum(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT -1);
SELECT sum(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT 1);
SELECT sum(x), typeof(sum(x)) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT 1.0);
SELECT sum(x), total(x), avg(x), min(x), max(x), count(x), count(*) FROM (SELECT 1 AS x WHERE 0);
SELECT sum(x), total(x), avg(x) FROM (SELECT 'a' AS x UNION ALL SELECT '5' UNION ALL SELECT x'36' UNION ALL SELECT NULL UNION ALL SELECT '1.5x');
SELECT sum(9e999), sum(x) FROM (SELECT 9e999 AS x UNION ALL SELECT -9e999);
SELECT avg(x), sum(x), total(x) FROM (SELECT 1e308 AS x UNION ALL SELECT 1e308 UNION ALL SELECT -1e308);
--= R:2.7755575615628914e-17| because SQLite 3.50 answers so
SELECT sum(x) FROM (SELECT 0.1 AS x UNION ALL SELECT 0.2 UNION ALL SELECT 0.3 UNION ALL SELECT -0.6), (SELECT 1);
SELECT count(1,2);
SELECT count(DISTINCT);
SELECT sum();
SELECT sum(1,2);
SELECT sum(*);
SELECT max(*);
SELECT count(ALL 1);
SELECT abs(DISTINCT 1);
SELECT abs(*);
SELECT upper(1,2);
SELECT abs(1) FILTER (WHERE 1);
SELECT abs(1) OVER ();
--= error: ORDER BY may not be used with non-aggregate abs() because SQLite 3.50 answers so
SELECT abs(1 ORDER BY 1);
SELECT load_extension('x');
SELECT glob('a');
SELECT like('a','b','cc');
SELECT like('a','b','');
SELECT like(1,2,3,4);
SELECT nosuch(*), nosuch(1,2);
SELECT replace('a','b');
SELECT substr('a');
SELECT sum(1) FILTER (WHERE sum(1)>0);
SELECT sum(sum(1));
SELECT trim();
SELECT typeof();
SELECT date() IS NULL, strftime('%s') IS NULL;
