# Functions: text, numbers, printf, dates, JSON, aggregates, windows
SELECT printf('%d|%5d|%-5d|%05d|%+d|% d|%,d', 5, 5, 5, 5, 5, 5, 1234567);
SELECT printf('%s|%10s|%-10s|%.2s|%c|%q|%Q|%w', 'abc', 'abc', 'abc', 'abc', 'abc', 'a''b', 'a''b', 'a"b');
SELECT printf('%f|%.2f|%10.3f|%e|%.3e|%g|%G|%E', 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1e20, 1e20);
SELECT printf('%x|%X|%o|%#x|%#o|%08x', 255, 255, 8, 255, 8, 255);
SELECT printf('%%|%5%|%n|%p|%z|%!|%', 1);
SELECT printf('%*d|%-*d|%.*f', 5, 1, 5, 1, 2, 3.14159);
SELECT printf('%d %d', 1), printf('%s'), printf(''), printf(NULL), printf('%Q', NULL), printf('%q', NULL), printf('%s', NULL), printf('%d', NULL), printf('%f', NULL);
SELECT printf('%d', 'abc'), printf('%d', '12abc'), printf('%d', 1.9), printf('%s', 1.0), printf('%s', x'4142'), printf('%f', 'x'), printf('%d', 9223372036854775807), printf('%lld', -1), printf('%u', -1), printf('%i', 7);
SELECT printf('%.0f', 0.5), printf('%.0f', 1.5), printf('%.0f', 2.5), printf('%.1f', 0.25), printf('%.15g', 0.1), printf('%.17g', 0.1), printf('%g', 1e-5), printf('%g', 100000.0), printf('%g', 1000000.0);
--= T:Inf|T:-Inf|T:9223372036854775807|T:  Inf||T:-9000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000...(1008)|T:0.000000e+00|T:10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000.000000| because 3.40 has it otherwise
SELECT printf('%f', 1e400), printf('%f', -1e400), printf('%d', 1e400), printf('%5f|', 1e400), printf('%05f', -1e400), printf('%e', 0.0), printf('%f', 1e100);
SELECT printf('%c', 65), printf('%c', ''), printf('%3c|', 'x'), printf('%-3c|', 'x'), printf('%.3c', 'x'), printf('%c', 'äb');
--= T:-1,234,567|T:1,234,567.89|T:a|N|T:+2.0|T:a|T:-000000005|T:0000000005||T:   +3| because 3.40 has it otherwise
SELECT printf('%,d', -1234567), printf('%,.2f', 1234567.891), printf('%,s', 'a'), printf('%''d', 5), printf('%+.1f', 2.0), printf('%+s', 'a'), printf('%010d', -5), printf('%-010d|', 5), printf('%+5d', 3);
SELECT format('%s-%s', 'a', 'b'), format('%d'), printf();
SELECT length(printf('%100000d', 1)), length(printf('%.100000f', 1));
SELECT substr('hello',2), substr('hello',2,3), substr('hello',-3), substr('hello',-3,2), substr('hello',0), substr('hello',0,2), substr('hello',2,-1), substr('hello',-10,7), substr('hello',10), substr('hello',2,0);
--= N|N|N|B:\x02\x03|T:23|T:\xc3\xb6|T:bc|T:ello|T:ello|T:|T:xy| because 3.40 has it otherwise
SELECT substr('hello',NULL), substr(NULL,1), substr('hello',1,NULL), substr(x'0102030405',2,2), substr(12345,2,2), substr('äöü',2,1), substring('abc',2), substr('hello','2'), substr('hello',2.9), substr('x',9223372036854775807,9223372036854775807), substr('xyz',-9223372036854775808,9223372036854775807);
--= I:2|I:2|N|I:4|I:0|I:1|I:4| because 3.40 has no function octet_length
SELECT length('äö'), length(x'0102'), length(NULL), length(12.5), length(''), length('a'||char(0)||'b'), octet_length('äö');
SELECT upper('aä'), lower('AÄ'), upper(NULL), upper(5), typeof(upper(5)), upper(x'61');
SELECT trim('  a '), ltrim('  a'), rtrim('a  '), trim('xxaxx','x'), trim('xyaxy','yx'), trim('abc',''), trim('abc',NULL), trim(NULL), ltrim('äa','ä'), trim(' a	 '), trim(5,5), rtrim('äöä','ä');
SELECT replace('abcabc','b','X'), replace('abc','','x'), replace('abc','b',''), replace(NULL,'a','b'), replace('abc',NULL,'b'), replace('abc','b',NULL), replace('aaa','a','aa'), replace(121,2,3), typeof(replace(121,2,3));
SELECT instr('hello','l'), instr('hello','x'), instr('hello',''), instr('','a'), instr(NULL,'a'), instr(x'010203',x'02'), instr('äöü','ü'), instr(123,2), instr('abc',x'62'), instr(x'616263','b');
--= T:616263|T:|T:35|T:312E35|T:00FF|B:AB|N|B:AB|N|N|N|B:|B:AB|N| because 3.40 has no function unhex
SELECT hex('abc'), hex(NULL), hex(5), hex(1.5), hex(x'00ff'), unhex('4142'), unhex('41 42'), unhex('41 42',' '), unhex('4'), unhex(NULL), unhex('zz'), unhex(''), unhex('41-42','-'), unhex('4-1','-');
--= T:'a''b'|T:NULL|T:5|T:1.5|T:X'0102'|T:1.0e+100|T:0.1|T:'a'|T:9.0e+999|T:-9.0e+999| because 3.40 has it otherwise
SELECT quote('a''b'), quote(NULL), quote(5), quote(1.5), quote(x'0102'), quote(1e100), quote(0.1), quote('a'||char(0)||'b'), quote(1e400), quote(-1e400);
SELECT char(65,66,67), char(), char(0x1F600), char(NULL), char(-1), char(1114112), hex(char(55296)), unicode('a'), unicode(''), unicode(NULL), unicode('😀'), unicode(x'ff');
SELECT abs(-5), abs(-5.5), abs('-5'), abs('abc'), abs(NULL), abs(x'2d35'), typeof(abs('5')), abs('-9223372036854775808');
SELECT abs(-9223372036854775808);
--= R:3|R:-3|R:2.5699999999999998|R:1235|N|R:0|R:5|T:real|R:1e+20|N|R:1|R:1|R:2.5|R:9.2233720368547758e+18|R:1.5| because 3.40 has it otherwise
SELECT round(2.5), round(-2.5), round(2.567,2), round(1234.567,-2), round(NULL), round('abc'), round(5), typeof(round(5)), round(1e20,2), round(2.5,NULL), round(0.5), round(1.005,2), round(2.5,'1'), round(9223372036854775807), round(1.5,100);
SELECT sign(-5), sign(0), sign(5.5), sign('abc'), sign(NULL), sign('-3'), sign(x'01');
--= R:2|R:-2|I:5|R:-1|R:2|N|N|R:0|R:2|R:2|R:3|R:3|N|N|R:1|R:1024|R:1.4142135623730951|N|R:2|R:1|R:1.5|N|R:3.1415926535897931|R:3.1415926535897931|R:180|R:0|N|R:0.78539816339744828|T:integer|T:real|N|N| because 3.40 has it otherwise
SELECT ceil(1.2), floor(-1.2), ceiling(5), trunc(-1.7), ceil('1.5'), ceil('abc'), floor(NULL), ln(1), log(10,100), log(100), log2(8), log10(1000), log(0), ln(-1), exp(0), pow(2,10), power(2,0.5), sqrt(-1), sqrt(4), mod(7,3), mod(7.5,2), mod(5,0), pi(), radians(180), degrees(pi()), sin(0), acos(2), atan2(1,1), typeof(ceil(5)), typeof(pow(2,2)), log(2,-1), log(1,5);
SELECT max(1,2,'a'), min(1,2,'a'), max(1,NULL), min(NULL,1), max('a',x'00'), max('b','A' COLLATE nocase), min('b' COLLATE nocase,'A'), max(1,1.0), typeof(max(1,1.0)), typeof(min(1,1.0));
SELECT coalesce(NULL,NULL,3), coalesce(NULL,NULL), ifnull(NULL,5), ifnull(1,2), nullif(1,1), nullif(1,2), nullif('a','A' COLLATE nocase), nullif(1,'1'), nullif(NULL,1), iif(1,2,3), iif(0,2,3), iif(NULL,2,3);
SELECT coalesce(1);
SELECT coalesce();
SELECT ifnull(1);
SELECT nullif(1);
SELECT iif(1);
--= I:2| because 3.40 has it otherwise
SELECT iif(1,2);
--= I:2|N| because 3.40 has no function if
SELECT if(1,2,3), if(0,1);
SELECT typeof(1), typeof(1.0), typeof('a'), typeof(x''), typeof(NULL), typeof(1/2), typeof(1e400), typeof(true), typeof(zeroblob(5)), zeroblob(3), length(zeroblob(1000)), zeroblob(-1), zeroblob(NULL);
SELECT zeroblob(10000000000);
SELECT randomblob(0) IS NULL, length(randomblob(5)), length(randomblob(-5)), typeof(random()), length(randomblob(NULL));
SELECT likely(5), unlikely(NULL), likelihood(5,0.5);
SELECT likelihood(5,2);
SELECT likelihood(5,'a');
SELECT likelihood(5,1+0.0);
SELECT likelihood(5,-0.5);
SELECT like('a%','abc'), like('a','b'), like('a\%','a%','\'), glob('a*','abc'), like(NULL,'a'), glob('*',NULL);
SELECT like('a');
SELECT soundex('Robert'), soundex('Rupert'), soundex(''), soundex(NULL), soundex('123'), soundex('A');
SELECT last_insert_rowid(), changes(), total_changes(), sqlite_compileoption_used('nosuch'), sqlite_compileoption_get(100000);
--= error: wrong number of arguments to function concat_ws() because 3.40 has no function concat
SELECT concat('a',NULL,5), concat_ws(',','a',NULL,'b'), concat_ws(NULL,'a'), concat_ws(',');
--= error: wrong number of arguments to function concat() because 3.40 has no function concat
SELECT concat();
--= T:a|T:a|R:1|I:1|R:1|I:1|I:1|I:1|I:1| because 3.40 has no function string_agg
SELECT string_agg('a','b'), group_concat('a'), total(1), sum(1), avg(1), count(1), count(*), min(1), max(1);
--= T:2024-03-01|N|N|T:2025-03-01|T:2023-03-03|T:2023-12-31|T:0000-01-01|N|N| because 3.40 has it otherwise
SELECT date('2024-02-30'), date('2024-13-01'), date('2024-01-32'), date('2024-02-29','+1 year'), date('2023-01-31','+1 month'), date('2024-01-31','-1 month'), date('0000-01-01'), date('9999-12-31','+1 day'), date('-4713-11-24');
SELECT time('12:34'), time('12:34:56'), time('12:34:56.789'), time('24:00'), time('12:60'), time('12:34:60'), time('1:34'), time('12:34Z'), time('12:34+02:00'), time('12:34 -02:30'), time('12:34:56.9999');
SELECT datetime('2024-01-01T12:34:56'), datetime('2024-01-01 12:34'), datetime('2024-01-01 '), datetime('2024-01-01 12'), datetime(0), datetime(2460000.5), datetime(1700000000,'unixepoch'), datetime(1700000000,'auto'), datetime(2460000,'auto'), datetime('1700000000','unixepoch'), datetime('x','unixepoch');
--= R:2460310.5|R:2460311|N|N|I:1704067200|R:1704067200.5|T:-1| because 3.40 has it otherwise
SELECT julianday('2024-01-01'), julianday('2024-01-01 12:00'), julianday(NULL), julianday('x'), unixepoch('2024-01-01'), unixepoch('2024-01-01 00:00:00.5','subsec'), strftime('%s','1969-12-31 23:59:59');
--= T:2024-03-05 06:07:08 08.123 065 2460374.754955127 1709618828 2 10 %|N|T:2025-01-25 52| because 3.40 has it otherwise
SELECT strftime('%Y-%m-%d %H:%M:%S %f %j %J %s %w %W %%','2024-03-05 06:07:08.123'), strftime('%e|%I|%l|%k|%p|%P|%R|%T|%u|%F|%D','2024-03-05 16:07:08'), strftime('%G-%V-%g %U','2024-12-31');
SELECT strftime('%x','2024-01-01'), strftime('%','2024-01-01'), strftime('abc','2024-01-01'), strftime('','2024-01-01'), strftime(NULL,'2024-01-01'), strftime('%Y'), strftime('%E','2024-01-01');
SELECT strftime();
SELECT date('2024-05-15','start of month'), date('2024-05-15','start of year'), datetime('2024-05-15 12:00','start of day'), date('2024-05-15','weekday 0'), date('2024-05-15','weekday 3'), date('2024-05-15','weekday 7'), date('2024-05-15','weekday x');
--= T:2022-02-01 23:30:01|T:2024-01-02 00:00:00|T:2024-01-02 00:00:00|N|N|N|T:2024-01-01 12:30:00|T:2023-12-31 23:58:58|T:2025-03-04 00:00:00|T:2025-03-04 04:05:00|N| because 3.40 has it otherwise
SELECT datetime('2024-01-01','+1 day','-1 hour','+30 minutes','+1.5 seconds','+1 month','-2 years'), datetime('2024-01-01','1 day'), datetime('2024-01-01','+1 days'), datetime('2024-01-01','+1 dayz'), datetime('2024-01-01','+ 1 day'), datetime('2024-01-01','day'), datetime('2024-01-01','+12:30'), datetime('2024-01-01','-00:01:01.5'), datetime('2024-01-01','+0001-02-03'), datetime('2024-01-01','+0001-02-03 04:05'), datetime('2024-01-01','-0001-13-03');
--= T:2024-02-29|T:2024-03-02|T:2025-02-28| because 3.40 has it otherwise
SELECT date('2024-01-31','+1 month','floor'), date('2024-01-31','+1 month','ceiling'), date('2024-02-29','+1 year','floor');
--= T:2024-01-01 12:00:00|T:2024-01-01 12:00:00|I:1|N|N|T:2023-02-25 00:00:00|N| because 3.40 has it otherwise
SELECT datetime('2024-01-01 12:00','utc'), datetime('2024-01-01 12:00','localtime'), datetime('now','subsec') IS NOT NULL, datetime('2024-01-01','unixepoch'), datetime('2024-01-01','julianday'), datetime(2460000.5,'julianday'), datetime('2024-01-01','+1 day','unixepoch');
SELECT date(NULL), date('2024-01-01',NULL), date(x'323032342d30312d3031'), date(''), date('now') = date(), date('2024-1-1'), date('24-01-01'), date(20240101), date(1e10), date(-1), date('5373484.5'), date(5373484.5);
--= T:+0000-01-00 00:00:00.000|T:-0000-01-00 12:00:00.000|T:-0001-00-01 00:00:00.000|N|N| because 3.40 has no function timediff
SELECT timediff('2024-03-01','2024-02-01'), timediff('2024-02-01','2024-03-01 12:00'), timediff('2023-02-28','2024-02-29'), timediff(NULL,'2024-01-01'), timediff('x','y');
SELECT json('{"a":1, "b":[1,2,{"c":null}]}'), json(' [1 , 2 ] '), json('"x"'), json('1'), json('null'), json(NULL), json('true');
--= T:{"a":1}| because 3.40 has it otherwise
SELECT json('{a:1}');
SELECT json('{');
SELECT json('');
--= T:[1]| because 3.40 has it otherwise
SELECT json('[1,]');
--= T:{"a":1}| because 3.40 has it otherwise
SELECT json('{"a":1,}');
SELECT json('[1 2]');
SELECT json('[1]x');
--= T:true| because 3.40 has it otherwise
SELECT json(x'01');
SELECT json('nul');
SELECT json('"\x"');
SELECT json('01');
--= T:1.0| because 3.40 has it otherwise
SELECT json('1.');
--= T:0.5| because 3.40 has it otherwise
SELECT json('.5');
--= T:1| because 3.40 has it otherwise
SELECT json('+1');
SELECT json('-');
--= T:"a"| because 3.40 has it otherwise
SELECT json('''a''');
--= T:[1,2]| because 3.40 has it otherwise
SELECT json('[1,/*c*/2]');
--= T:9e999|T:[null]|T:16|T:{"a":1,"b":2}| because 3.40 has it otherwise
SELECT json('Infinity'), json('[NaN]'), json('0x10'), json('{a:1,''b'':2,}');
--= I:1|I:0|N|I:0|I:1|I:0|I:1|I:0|I:1| because 3.40 has it otherwise
SELECT json_valid('{}'), json_valid('{'), json_valid(NULL), json_valid('{a:1}'), json_valid(1), json_valid('[1,]'), json_valid('{a:1}',2), json_valid('{a:1}',1), json_valid(x'0b',4);
--= error: FLAGS parameter to json_valid() must be between 1 and 15 because 3.40 has it otherwise
SELECT json_valid('1',0);
--= error: FLAGS parameter to json_valid() must be between 1 and 15 because 3.40 has it otherwise
SELECT json_valid('1',16);
SELECT json_array(1,'a',NULL,1.5,json('[1]'),json_array(2)), json_array(), json_object('a',1,'b',json('{}')), json_object();
SELECT json_object('a');
SELECT json_object(1,2);
SELECT json_object(NULL,2);
--= T:[true]| because 3.40 has it otherwise
SELECT json_array(x'01');
--= T:{"a":true}| because 3.40 has it otherwise
SELECT json_object('a',x'01');
SELECT json_extract('{"a":{"b":[1,2,3]}}','$.a.b[1]'), json_extract('{"a":1}','$.b'), json_extract('[1,2]','$[#-1]'), json_extract('[1,2]','$[5]'), json_extract('{"a":1,"b":2}','$.a','$.b','$.c'), json_extract('{"a.b":1}','$."a.b"'), json_extract('[1]','$'), json_extract(NULL,'$'), json_extract('[1]',NULL);
--= error: bad JSON path: 'a' because 3.40 has it otherwise
SELECT json_extract('[1]','a');
--= error: bad JSON path: '$a' because 3.40 has it otherwise
SELECT json_extract('[1]','$a');
--= error: bad JSON path: '$[' because 3.40 has it otherwise
SELECT json_extract('[1]','$[');
--= error: bad JSON path: '$[x]' because 3.40 has it otherwise
SELECT json_extract('[1]','$[x]');
--= error: bad JSON path: '$.' because 3.40 has it otherwise
SELECT json_extract('[1]','$.');
--= error: bad JSON path: '$[#-x]' because 3.40 has it otherwise
SELECT json_extract('[1]','$[#-x]');
--= error: bad JSON path: '$[#+1]' because 3.40 has it otherwise
SELECT json_extract('[1]','$[#+1]');
--= error: bad JSON path: '' because 3.40 has it otherwise
SELECT json_extract('[1]','');
SELECT json_extract('[1]');
SELECT json_extract('{','$.a');
--= T:[1,{"b":"x"}]|T:x|T:"x"|T:2|I:3|N|I:5|N|N|N|T:x| because 3.40 has it otherwise
SELECT '{"a":[1,{"b":"x"}]}' -> 'a', '{"a":[1,{"b":"x"}]}' ->> '$.a[1].b', '{"a":[1,{"b":"x"}]}' -> '$.a[1].b', '[1,2,3]' -> 1, '[1,2,3]' ->> -1, '{"1":5}' ->> 1, '{"1":5}' ->> '1', '[1]' -> 5, NULL -> 'a', '{}' -> NULL, '"x"' ->> '$';
SELECT 'x' -> 'a';
--= error: bad JSON path: '$x' because 3.40 has it otherwise
SELECT '[1]' -> '$x';
SELECT '{"a":true,"b":null,"c":1.50,"d":"\u00e4"}' -> 'a', '{"a":true}' ->> 'a', '{"b":null}' ->> 'b', '{"b":null}' -> 'b', '{"c":1.50}' -> 'c', '{"c":1.50}' ->> 'c', '{"d":"\u00e4"}' ->> 'd', '{"d":"\u00e4"}' -> 'd';
SELECT json_type('{"a":1}'), json_type('[1]','$[0]'), json_type('[1.5,"a",null,true,false,{}]','$[1]'), json_type('[null]','$[0]'), json_type('[]','$[3]'), json_type('true'), json_type('1.0'), json_type(NULL);
SELECT json_array_length('[1,2,3]'), json_array_length('{}'), json_array_length('{"a":[1]}','$.a'), json_array_length('[1]','$.x'), json_array_length('5'), json_array_length(NULL);
--= T:{"a":2,"b":3}|T:{"a":1,"b":3}|T:{"a":2}|T:[1,2,3]|T:[1,2]|T:{"a":{"b":{"c":1}}}|T:{"a":[1]}|T:[{"x":1}]|T:5|N|T:{}| because 3.40 has it otherwise
SELECT json_set('{"a":1}','$.a',2,'$.b',3), json_insert('{"a":1}','$.a',2,'$.b',3), json_replace('{"a":1}','$.a',2,'$.b',3), json_set('[1,2]','$[#]',3), json_set('[1,2]','$[5]',3), json_set('{}','$.a.b.c',1), json_set('{}','$.a[0]',1), json_set('[]','$[0].x',1), json_set('{"a":1}','$',5), json_set(NULL,'$',1), json_set('{}',NULL,1);
SELECT json_set('{}','$.a');
SELECT json_set('{}');
--= error: bad JSON path: 'a' because 3.40 has it otherwise
SELECT json_set('{}','a',1);
SELECT json_remove('{"a":1,"b":2}','$.a'), json_remove('[1,2,3]','$[0]','$[0]'), json_remove('[1,2,3]','$[#-1]'), json_remove('{}','$.x'), json_remove('[1]','$'), json_remove('[1]'), json_remove('[1]',NULL);
SELECT json_patch('{"a":1,"b":2}','{"a":null,"c":3}'), json_patch('[1]','{"a":1}'), json_patch('{"a":{"b":1}}','{"a":{"c":2}}'), json_patch('{}','[1]'), json_patch(NULL,'{}'), json_patch('{}',NULL);
SELECT json_quote('a"b'), json_quote(5), json_quote(NULL), json_quote(1.5), json_quote(json('[1]')), json_quote('a'||char(10)||char(1));
--= T:true| because 3.40 has it otherwise
SELECT json_quote(x'01');
--= T:{\x0a    "a": [\x0a        1,\x0a        2\x0a    ],\x0a    "b": {}\x0a}|T:[]|T:[\x0a--1\x0a]|N| because 3.40 has no function json_pretty
SELECT json_pretty('{"a":[1,2],"b":{}}'), json_pretty('[]'), json_pretty('[1]','--'), json_pretty(NULL);
--= I:7|I:0|I:4|N| because 3.40 has no function json_error_position
SELECT json_error_position('{"a":1'), json_error_position('[1]'), json_error_position('[1,x]'), json_error_position(NULL);
SELECT key, value, type, atom, parent, fullkey, path FROM json_each('{"a":1,"b":[2,3]}');
SELECT key, value, type, atom, fullkey, path FROM json_tree('{"a":1,"b":[2,{"c.d":null}]}');
SELECT key, value FROM json_each('[1,[2]]','$[1]'), json_each('5');
SELECT * FROM json_each('{');
--= error: bad JSON path: 'x' because 3.40 has it otherwise
SELECT * FROM json_each('[1]','x');
SELECT * FROM json_each();
SELECT * FROM json_each('[1]','$','y');
SELECT count(*) FROM json_each(NULL);
SELECT count(*) FROM json_each;
SELECT count(*) FROM json_each('[1,2]') WHERE value = 2;
SELECT json_group_array(value), json_group_object(key,value) FROM json_each('[1,"a",null]');
SELECT json_group_array(x) FROM (SELECT 1 AS x WHERE 0);
SELECT json_group_object(x,1) FROM (SELECT 1 AS x WHERE 0);
--= T:4C17611331|T:[1,"x",null,true,1.5]|T:4B13311332|T:{"a":1}|T:blob|I:1|T:2B1332| because 3.40 has no function jsonb
SELECT hex(jsonb('{"a":1}')), json(jsonb('[1,"x",null,true,1.5]')), hex(jsonb_array(1,2)), json(jsonb_object('a',1)), typeof(jsonb('1')), jsonb_extract('[1,[2]]','$[0]'), hex(jsonb_extract('[1,[2]]','$[1]'));
--= T:{"a":1,"b":[1]}|T:[2]|T:{"a":1,"b":2}|I:1|I:0| because 3.40 has no function jsonb_set
SELECT json(jsonb_set('{"a":1}','$.b',jsonb('[1]'))), json(jsonb_remove('[1,2]','$[0]')), json(jsonb_patch('{"a":1}','{"b":2}')), json_valid(jsonb('[1]'),8), json_valid(jsonb('[1]'));
%%
CREATE TABLE t(a, b, c);
INSERT INTO t VALUES(1,'x',1.5),(2,'y',NULL),(2,'x',2.5),(NULL,NULL,'q'),(5,'X',x'61');
SELECT count(*), count(a), count(DISTINCT a), count(DISTINCT b COLLATE nocase), sum(a), sum(DISTINCT a), total(a), avg(a), avg(DISTINCT a), min(b), max(b), max(c), min(c) FROM t;
SELECT sum(c), total(c), avg(c), sum(b), typeof(sum(b)), typeof(sum(a)), typeof(total(a)) FROM t;
--= T:x,y,x,X|T:x-y-x-X|T:x,y,X|T:1225|T:xyxX|T:X,y,x,x|T:X,x,y|T:y-x-x-X| because 3.40 has it otherwise
SELECT group_concat(b), group_concat(b,'-'), group_concat(DISTINCT b), group_concat(a,NULL), group_concat(b,''), group_concat(b ORDER BY a DESC), group_concat(DISTINCT b ORDER BY b), group_concat(b,'-' ORDER BY b DESC) FROM t;
SELECT group_concat(a, a) FROM t;
SELECT sum(a) FILTER (WHERE b='x'), count(*) FILTER (WHERE a>1), count(*) FILTER (WHERE 0), max(a) FILTER (WHERE b IS NULL) FROM t;
SELECT count(*) FILTER (WHERE count(*)>1) FROM t;
SELECT count(*) FILTER (1) FROM t;
SELECT upper(b) FILTER (WHERE 1) FROM t;
--= error: no such column: nosuch because 3.40 has it otherwise
SELECT sum(a ORDER BY nosuch) FROM t;
--= error: ORDER BY may not be used with non-aggregate abs() because 3.40 has it otherwise
SELECT abs(a ORDER BY a) FROM t;
SELECT count(* ORDER BY a) FROM t;
--= I:5| because 3.40 has it otherwise
SELECT count(ORDER BY a) FROM t;
--= I:8| because 3.40 has it otherwise
SELECT sum(DISTINCT a ORDER BY b) FROM t;
SELECT count(DISTINCT a, b) FROM t;
SELECT sum(9223372036854775807), sum(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT -1);
SELECT sum(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT 1);
SELECT total(x), avg(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT 1);
SELECT sum(x) FROM (SELECT 1e308 AS x UNION ALL SELECT 1e308 UNION ALL SELECT -1e308);
SELECT sum(x) FROM (SELECT 1e400 AS x UNION ALL SELECT -1e400);
--= R:2.5| because 3.40 has it otherwise
SELECT sum(0.1) FROM t, t AS u;
SELECT a, row_number() OVER (ORDER BY a), rank() OVER (ORDER BY a), dense_rank() OVER (ORDER BY a), percent_rank() OVER (ORDER BY a), cume_dist() OVER (ORDER BY a), ntile(2) OVER (ORDER BY a) FROM t;
SELECT a, lag(a) OVER (ORDER BY a), lead(a,2) OVER (ORDER BY a), lag(a,1,'d') OVER (ORDER BY a), first_value(b) OVER (ORDER BY a), last_value(b) OVER (ORDER BY a), nth_value(b,2) OVER (ORDER BY a) FROM t;
SELECT a, sum(a) OVER (), sum(a) OVER (ORDER BY a), sum(a) OVER (PARTITION BY b), sum(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), sum(a) OVER (ORDER BY a ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM t;
SELECT a, group_concat(b) OVER (ORDER BY a GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW), group_concat(b) OVER (ORDER BY a RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES), count(*) OVER (ORDER BY a ROWS 1 PRECEDING EXCLUDE GROUP) FROM t;
SELECT ntile(0) OVER () FROM t;
SELECT ntile(-1) OVER () FROM t;
SELECT ntile('a') OVER () FROM t;
SELECT ntile() OVER () FROM t;
SELECT nth_value(a,0) OVER () FROM t;
SELECT nth_value(a,-1) OVER () FROM t;
SELECT nth_value(a,1.5) OVER () FROM t;
SELECT nth_value(a) OVER () FROM t;
SELECT lag() OVER () FROM t;
SELECT lag(a,-1) OVER (ORDER BY a) FROM t;
SELECT row_number() FROM t;
SELECT row_number(1) OVER () FROM t;
SELECT row_number() OVER w FROM t;
SELECT row_number() OVER w FROM t WINDOW w AS (ORDER BY a DESC);
SELECT sum(a) OVER (w ORDER BY a) FROM t WINDOW w AS (PARTITION BY b);
SELECT sum(a) OVER (w ORDER BY a) FROM t WINDOW w AS (ORDER BY b);
SELECT sum(a) OVER (w PARTITION BY a) FROM t WINDOW w AS (ORDER BY b);
SELECT sum(a) OVER (w) FROM t WINDOW w AS (ROWS 1 PRECEDING);
SELECT sum(a) OVER w FROM t WINDOW w AS (), w AS ();
SELECT sum(a) OVER w, sum(a) OVER W2 FROM t WINDOW w AS (ORDER BY a), w2 AS (w ROWS CURRENT ROW);
SELECT sum(a) OVER (ROWS BETWEEN -1 PRECEDING AND CURRENT ROW) FROM t;
SELECT sum(a) OVER (ROWS BETWEEN a PRECEDING AND CURRENT ROW) FROM t;
SELECT sum(a) OVER (ROWS BETWEEN 'x' PRECEDING AND CURRENT ROW) FROM t;
SELECT sum(a) OVER (ROWS BETWEEN 1.5 PRECEDING AND CURRENT ROW) FROM t;
SELECT sum(a) OVER (ROWS BETWEEN CURRENT ROW AND -1 FOLLOWING) FROM t;
SELECT sum(a) OVER (GROUPS 1 PRECEDING) FROM t;
SELECT sum(a) OVER (RANGE 1 PRECEDING) FROM t;
SELECT sum(a) OVER (ORDER BY a,b RANGE 1 PRECEDING) FROM t;
SELECT sum(a) OVER (ORDER BY a RANGE -1 PRECEDING) FROM t;
SELECT sum(a) OVER (ORDER BY a RANGE 'x' PRECEDING) FROM t;
SELECT sum(a) OVER (ROWS UNBOUNDED FOLLOWING) FROM t;
SELECT sum(a) OVER (ROWS BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW) FROM t;
SELECT sum(a) OVER (ROWS BETWEEN CURRENT ROW AND UNBOUNDED PRECEDING) FROM t;
SELECT sum(a) OVER (ROWS BETWEEN 1 FOLLOWING AND CURRENT ROW) FROM t;
SELECT sum(a) OVER (ROWS 1 FOLLOWING) FROM t;
SELECT sum(a) OVER (ROWS BETWEEN 1 AND 2) FROM t;
SELECT sum(DISTINCT a) OVER () FROM t;
SELECT count(DISTINCT a) OVER () FROM t;
SELECT sum(a) FILTER (WHERE b='x') OVER () FROM t;
SELECT row_number() FILTER (WHERE 1) OVER () FROM t;
SELECT a FROM t WHERE row_number() OVER () = 1;
SELECT a FROM t GROUP BY row_number() OVER ();
SELECT a FROM t HAVING row_number() OVER () = 1;
SELECT a FROM t ORDER BY row_number() OVER (ORDER BY b), sum(a) OVER ();
SELECT sum(row_number() OVER ()) FROM t;
SELECT sum(sum(a)) OVER () FROM t;
SELECT sum(sum(a) OVER ()) OVER () FROM t;
SELECT b, sum(a), sum(sum(a)) OVER (ORDER BY b) FROM t GROUP BY b;
SELECT max(sum(a) OVER ()) FROM t;
SELECT sum(a) OVER (ORDER BY sum(a)) FROM t;
SELECT sum(a) OVER (ORDER BY row_number() OVER ()) FROM t;
SELECT 1 LIMIT row_number() OVER ();
SELECT DISTINCT sum(a) OVER (PARTITION BY b) FROM t;
SELECT sum(a) OVER (PARTITION BY b) AS s FROM t WHERE s > 1;
SELECT (SELECT sum(a) OVER ()) FROM t;
SELECT (SELECT sum(t.a) OVER () FROM t AS u LIMIT 1) FROM t;
SELECT upper(b) OVER () FROM t;
SELECT nosuch(b) OVER () FROM t;
SELECT sum(nosuch) OVER () FROM t;
SELECT sum(a) OVER (ORDER BY nosuch) FROM t;
SELECT sum(a) OVER (PARTITION BY nosuch) FROM t;
SELECT sum(a) OVER (ORDER BY 1) FROM t;
SELECT sum(a) OVER (ORDER BY 99) FROM t;
SELECT count(*) OVER (ORDER BY a COLLATE nosuch) FROM t;
SELECT json_group_array(a) OVER (ORDER BY a ROWS 1 PRECEDING) FROM t;
%%
# Digits of numbers just below 2^63 times a power of ten
SELECT quote(9223372036854774807 / 1e18), format('%!.20e', 9.2233720368547744e+25), format('%.25g', 9.2233720368547744e-20), quote(9.2233720368547747e+18);
