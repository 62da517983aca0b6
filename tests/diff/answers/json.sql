# JSON: functions, paths, mistakes, tables
SELECT json(' {"a":1, "b" : [1,2,{"c":null}] } '), json('[]'), json('{}'), json('1'), json('"x"'), json('null'), json(' true '), json('false');
--= T:{"a":1}|T:{"a":1}|T:[1]|T:{"a":1}|T:[1]|T:[0.5]|T:[5.0]|T:[31]|T:[9e999,-9e999,null]| because SQLite 3.50 answers so
SELECT json('{a:1}'), json('{''a'':1}'), json('[1,]'), json('{"a":1,}'), json('[+1]'), json('[.5]'), json('[5.]'), json('[0x1F]'), json('[Infinity,-Infinity,NaN]');
--= T:[1,2]|T:["ab"]|T:["\u0041\u000b\u0000"]|T:["\u00e9"]| because SQLite 3.53 answers so
SELECT json('// c
[1,/* x */2]'), json('["a\
b"]'), json('["\x41\v\0"]'), json('["\u00e9"]');
SELECT json('[1,,2]');
SELECT json('[1 2]');
SELECT json('{"a"}');
SELECT json('{"a":}');
SELECT json('{1:2}');
SELECT json('');
SELECT json(' ');
SELECT json('nul');
SELECT json('truex');
SELECT json('01');
SELECT json('1e');
SELECT json('-');
SELECT json('"abc');
SELECT json('"\q"');
SELECT json('"\u12"');
SELECT json('[1]x');
--= T:"a\tb"| because SQLite 3.50 answers so
SELECT json('"a	b"');
SELECT json(NULL), json(1), json(1.5), json(-0.0), json('-0'), json('1E5'), json('1.50'), json('1e+5');
SELECT json(x'3132');
SELECT json(x'00ff');
--= I:1|I:0|N|I:1|I:0|I:1|I:0|I:0|I:1|I:1|I:0|N|I:1| because SQLite 3.50 answers so
SELECT json_valid('{"a":1}'), json_valid('{a:1}'), json_valid(NULL), json_valid(1), json_valid(''), json_valid('{a:1}',2), json_valid('{a:1}',1), json_valid('{"a":1}',4), json_valid(jsonb('{"a":1}'),4), json_valid(jsonb('{"a":1}'),8), json_valid('x',6), json_valid(NULL,6), json_valid('{a:1}',6);
--= error: FLAGS parameter to json_valid() must be between 1 and 15 because SQLite 3.50 answers so
SELECT json_valid('1',0);
--= error: FLAGS parameter to json_valid() must be between 1 and 15 because SQLite 3.50 answers so
SELECT json_valid('1',16);
--= error: FLAGS parameter to json_valid() must be between 1 and 15 because SQLite 3.50 answers so
SELECT json_valid('1','x');
SELECT json_valid('1',1,1);
SELECT json_valid();
--= I:5|I:0|I:9|N|I:1|I:4|I:0|I:0| because SQLite 3.50 answers so
SELECT json_error_position('[1,2'), json_error_position('[1,2]'), json_error_position('{"a":1,x}'), json_error_position(NULL), json_error_position(''), json_error_position('[1,é,x'), json_error_position(x'00'), json_error_position(jsonb('[1]'));
SELECT json_array(), json_array(1), json_array(1,2.5,'x',NULL,json('[1]'),'[1]'), json_array(json_array()), json_array(json_object());
--= T:[null]| because SQLite 3.50 answers so
SELECT json_array(x'00');
--= T:[9.0e+999,-9.0e+999,0.1,1.0e+100,123456789012345678]| because SQLite 3.50 answers so
SELECT json_array(9e999, -9e999, 0.1, 1e100, 123456789012345678);
--= T:[[1]]| because SQLite 3.50 answers so
SELECT json_array(jsonb('[1]'));
SELECT json_object(), json_object('a',1), json_object('a',1,'a',2), json_object('a',NULL), json_object('a',json('{"b":2}')), json_object('a"b','c"d');
SELECT json_object('a');
SELECT json_object(1,2);
SELECT json_object(NULL,2);
--= T:{"a":null}| because SQLite 3.50 answers so
SELECT json_object('a',x'00');
SELECT json_object(x'61',1);
SELECT json_array_length('[1,2,3]'), json_array_length('[]'), json_array_length('{"a":[1]}'), json_array_length('{"a":[1,2]}','$.a'), json_array_length('[1]','$[5]'), json_array_length('1'), json_array_length(NULL), json_array_length('{"a":1}','$.a');
SELECT json_array_length('[1','$');
--= error: bad JSON path: 'x' because SQLite 3.50 answers so
SELECT json_array_length('[1]','x');
SELECT json_array_length('[1]',NULL);
SELECT json_extract('{"a":[1,{"b":2.5}],"c":"x","d":null,"e":true,"f":false}','$.a','$.a[1].b','$.c','$.d','$.e','$.zz');
SELECT json_extract('{"a":[1,{"b":2.5}],"c":"x","d":null,"e":true}','$'), json_extract('{"a":1}','$.a'), json_extract('{"a":"x"}','$.a'), typeof(json_extract('{"a":1.0}','$.a')), typeof(json_extract('{"a":true}','$.a')), typeof(json_extract('{"a":[]}','$.a')), typeof(json_extract('{"a":null}','$.a'));
SELECT json_extract('[1,2,3]','$[0]','$[2]','$[3]','$[#-1]','$[#-3]','$[#-4]','$[#]');
--= T:[1,2,3,4]| because SQLite 3.50 answers so
SELECT json_extract('{"a b":1,"c.d":2,"":3,"e\"f":4}','$."a b"','$."c.d"','$.""','$."e\"f"');
--= error: bad JSON path: '$.' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$.');
--= N| because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$[');
--= N| because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$[x]');
--= N| because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$[1');
SELECT json_extract('{"a":1}','$[#-]');
SELECT json_extract('{"a":1}','$[#+1]');
--= error: bad JSON path: '$a' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$a');
--= error: bad JSON path: 'a' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','a');
--= error: bad JSON path: '' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','');
--= error: bad JSON path: '$..a' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$..a');
--= error: bad JSON path: '$."a' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$."a');
--= error: bad JSON path: '$.a.' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$.a.');
--= N|N|N|N| because SQLite 3.50 answers so
SELECT json_extract('{"a":1}',NULL), json_extract(NULL,'$.a'), json_extract('{"a":1}'), json_extract('{"a":1}','$.a',NULL);
--= error: bad JSON path: '1' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}',1);
SELECT json_extract();
SELECT json_extract('{x','$.a');
--= T:{"b":1}|T:{"b":1}|T:1|T:x|T:1|I:2|T:2|I:2|N|T:null|N|N|N| because SQLite 3.50 answers so
SELECT '{"a":{"b":1}}'->'a', '{"a":{"b":1}}'->'$.a', '{"a":{"b":1}}'->'a'->'b', '{"a":{"b":"x"}}'->'a'->>'b', '[1,2]'->0, '[1,2]'->>-1, '[1,2]'->'[1]', '[1,2]'->>'$[1]', '{"a":1}'->'zz', '{"a":null}'->'a', '{"a":null}'->>'a', '[1]'->NULL, NULL->'a';
--= error: bad JSON path: '' because SQLite 3.50 answers so
SELECT '{"1":"x"}'->>'1', '{"1":"x"}'->>1, '[5,6]'->>'1', '{"a.b":1}'->'a.b', '{"a":{"b":1}}'->'a.b', '{"$":1}'->'$', '{"":5}'->'', '{"a[0]":7}'->'a[0]';
SELECT '[1'->0;
--= error: bad JSON path: '$.' because SQLite 3.50 answers so
SELECT '{"a":1}'->'$.';
--= error: bad JSON path: '$x' because SQLite 3.50 answers so
SELECT '{"a":1}'->'$x';
SELECT json_insert('{"a":1}','$.a',2), json_insert('{"a":1}','$.b',2), json_insert('[1,2]','$[2]',3), json_insert('[1,2]','$[#]',3), json_insert('[1,2]','$[5]',3), json_insert('{"a":1}','$.b.c',2), json_insert('[1]','$[0]',9), json_insert('{"a":[]}','$.a[#]',json('[1]')), json_insert('1','$.a',2);
SELECT json_replace('{"a":1}','$.a',2), json_replace('{"a":1}','$.b',2), json_replace('{"a":1}','$',json('[5]')), json_replace('[1,2]','$[#-1]','x'), json_replace('[1,2]','$[#]','x'), json_replace(NULL,'$.a',1), json_replace('{"a":1}',NULL,1), json_replace('{"a":1}','$.a',NULL);
--= T:{"a":2,"b":3,"c":{"d":4}}|T:[1,2]|T:{"a":{"b":1}}|T:{"a":{"b":"z"}}|T:5|T:{"a":1}| because SQLite 3.50 answers so
SELECT json_set('{"a":1}','$.a',2,'$.b',3,'$.c.d',4), json_set('[]','$[0]',1,'$[1]',2), json_set('{}','$.a',json_object('b',1)), json_set('{"a":{"b":1}}','$.a.b','z'), json_set('null','$',5), json_set('{"a":1}');
SELECT json_set('{"a":1}','$.a');
SELECT json_insert('{"a":1}','$.a',1,'$.b');
SELECT json_replace('{"a":1}','$.a');
--= error: bad JSON path: 'x' because SQLite 3.50 answers so
SELECT json_set('{"a":1}','x',1);
--= T:{"a":null}| because SQLite 3.50 answers so
SELECT json_set('{"a":1}','$.a',x'00');
SELECT json_set();
SELECT json_remove('{"a":1,"b":2}','$.a'), json_remove('[1,2,3]','$[0]','$[0]'), json_remove('[1,2,3]','$[#-1]'), json_remove('{"a":1}','$'), json_remove('{"a":1}'), json_remove('{"a":1}','$.x'), json_remove(NULL,'$.a'), json_remove('{"a":1}',NULL), json_remove('{"a":{"b":1,"c":2}}','$.a.b');
--= error: bad JSON path: 'a' because SQLite 3.50 answers so
SELECT json_remove('{"a":1}','a');
SELECT json_patch('{"a":1,"b":2}','{"a":null,"c":3}'), json_patch('{"a":{"b":1}}','{"a":{"c":2}}'), json_patch('[1]','{"a":1}'), json_patch('{"a":1}','[1]'), json_patch('{}','{"a":{"b":null}}'), json_patch('{"a":[1]}','{"a":{"b":null,"c":1}}'), json_patch(NULL,'{}'), json_patch('{}',NULL);
SELECT json_patch('{','{}');
SELECT json_patch('{}','x');
--= T:object|T:array|T:integer|T:real|T:text|T:null|T:true|T:false|T:object|N|N|N|T:integer|T:real| because SQLite 3.50 answers so
SELECT json_type('{"a":[1,2.5,"x",null,true,false,{}]}'), json_type('[1]'), json_type('[1,2.5,"x",null,true,false,{}]','$[0]'), json_type('[2.5]','$[0]'), json_type('["x"]','$[0]'), json_type('[null]','$[0]'), json_type('[true]','$[0]'), json_type('[false]','$[0]'), json_type('[{}]','$[0]'), json_type('[]','$[0]'), json_type(NULL), json_type('1',NULL), json_type('[0x10]','$[0]'), json_type('[.5]','$[0]');
SELECT json_type('x');
--= error: bad JSON path: 'a' because SQLite 3.50 answers so
SELECT json_type('{}','a');
--= T:1|T:1.5|T:"a\"b\\c\n\u0001"|T:null|T:[1]|T:"[1]"|T:9.0e+999|T:"\x7f\xc3\xa9"| because SQLite 3.50 answers so
SELECT json_quote(1), json_quote(1.5), json_quote('a"b\c'||char(10)||char(1)), json_quote(NULL), json_quote(json('[1]')), json_quote('[1]'), json_quote(9e999), json_quote(char(127)||'é');
--= T:null| because SQLite 3.50 answers so
SELECT json_quote(x'00');
SELECT json_quote();
--= T:[1,"a",null]|T:{"1":2,"a":null}| because SQLite 3.50 answers so
SELECT json_group_array(x), json_group_object(x,y) FROM (SELECT 1 AS x,2 AS y UNION ALL SELECT 'a',NULL UNION ALL SELECT NULL,json('[1]'));
SELECT json_group_array(json(x)) FROM (SELECT '[1]' AS x UNION ALL SELECT '{"a":1}');
SELECT json_group_array(x), json_group_object(x,x) FROM (SELECT 1 AS x WHERE 0);
--= T:[null]| because SQLite 3.50 answers so
SELECT json_group_array(x'00');
--= T:{"a":null}| because SQLite 3.50 answers so
SELECT json_group_object('a',x'00');
SELECT json_group_array(DISTINCT x) FROM (SELECT 1 AS x UNION ALL SELECT 1 UNION ALL SELECT 2);
--= T:[3,2,1]| because SQLite 3.50 answers so
SELECT json_group_array(x ORDER BY x DESC) FROM (SELECT 1 AS x UNION ALL SELECT 3 UNION ALL SELECT 2);
SELECT json_group_array(x) FILTER (WHERE x>1) FROM (SELECT 1 AS x UNION ALL SELECT 3 UNION ALL SELECT 2);
SELECT x, json_group_array(x) OVER (ORDER BY x ROWS 1 PRECEDING), json_group_object(x,x*2) OVER (ORDER BY x ROWS 1 PRECEDING) FROM (SELECT 1 AS x UNION ALL SELECT 3 UNION ALL SELECT 2);
--= T:{\x0a    "a": [\x0a        1,\x0a        2,\x0a        {}\x0a    ],\x0a    "b": {},\x0a    "c": []\x0a}|T:[\x0a--1,\x0a--[\x0a----2,\x0a----{\x0a------"x": null\x0a----}\x0a--]\x0a]|T:1|N|T:[]|T:{\x0a    "a": 1\x0a}|T:[\x0a1\x0a]| because SQLite 3.50 answers so
SELECT json_pretty('{"a":[1,2,{}],"b":{},"c":[]}'), json_pretty('[1,[2,{"x":null}]]','--'), json_pretty('1'), json_pretty(NULL), json_pretty('[]'), json_pretty('{"a":1}',NULL), json_pretty('[1]','');
--= error: malformed JSON because SQLite 3.50 answers so
SELECT json_pretty('x');
--= T:CB10133135322E3517780001024C17611331|T:0C|T:1331|T:07|T:48615C6E62|T:4430783146|T:262E35|T:1778|T:C7147878787878787878787878787878787878787878|T:232D35| because SQLite 3.50 answers so
SELECT hex(jsonb('[1,2.5,"x",null,true,false,{"a":1}]')), hex(jsonb('{}')), hex(jsonb('1')), hex(jsonb('""')), hex(jsonb('"a\nb"')), hex(jsonb('0x1F')), hex(jsonb('.5')), hex(jsonb('''x''')), hex(jsonb('"'||printf('%.20c','x')||'"')), hex(jsonb('-5'));
--= T:5B1331177800|T:4C17611331|T:2B1331|I:1|T:x|T:4B13311332|T:4C1A611331|T:2B1335|T:2B1332|T:4C17611331| because SQLite 3.50 answers so
SELECT hex(jsonb_array(1,'x',NULL)), hex(jsonb_object('a',1)), hex(jsonb_extract('{"a":[1]}','$.a')), jsonb_extract('{"a":1}','$.a'), jsonb_extract('{"a":"x"}','$.a'), hex(jsonb_insert('[1]','$[#]',2)), hex(jsonb_set('{}','$.a',1)), hex(jsonb_replace('[1]','$[0]',5)), hex(jsonb_remove('[1,2]','$[0]')), hex(jsonb_patch('{}','{"a":1}'));
--= T:2B1331|T:4C17611331| because SQLite 3.50 answers so
SELECT hex(jsonb_group_array(1)), hex(jsonb_group_object('a',1));
--= T:[1,{"a":"b"}]|T:[1]|T:1|I:1|T:array|I:2| because SQLite 3.50 answers so
SELECT json(jsonb('[1,{"a":"b"}]')), json_extract(jsonb('{"a":[1]}'),'$.a'), jsonb('{"a":1}')->'a', jsonb('{"a":1}')->>'a', json_type(jsonb('[]')), json_array_length(jsonb('[1,2]'));
SELECT json(x'0b'), json(x'1031'), json(x'00'), json(x'01'), json(x'02'), json(x'0c'), json(x'2331');
--= T:1| because SQLite 3.50 answers so
SELECT json(x'1331');
SELECT json(x'ff');
--= T:a|I:1|T:integer|I:1|I:2|N|T:$.a|T:$| T:b|T:[1,2]|T:array|N|I:6|N|T:$.b|T:$| T:c|N|T:null|N|I:13|N|T:$.c|T:$| T:d|T:x|T:text|T:x|I:16|N|T:$.d|T:$| T:e|R:2.5|T:real|R:2.5|I:20|N|T:$.e|T:$| T:f|I:1|T:true|I:1|I:26|N|T:$.f|T:$| because SQLite 3.50 answers so
SELECT * FROM json_each('{"a":1,"b":[1,2],"c":null,"d":"x","e":2.5,"f":true}');
--= I:0|I:10|T:integer|I:10|I:1|N|T:$[0]|T:$| I:1|I:20|T:integer|I:20|I:4|N|T:$[1]|T:$| I:2|T:{"a":1}|T:object|N|I:7|N|T:$[2]|T:$| because SQLite 3.50 answers so
SELECT * FROM json_each('[10,20,{"a":1}]');
--= I:0|I:5|T:integer|I:5|I:4|N|T:$.a[0]|T:$.a| I:1|I:6|T:integer|I:6|I:6|N|T:$.a[1]|T:$.a| because SQLite 3.50 answers so
SELECT * FROM json_each('{"a":[5,6]}','$.a');
SELECT * FROM json_each('{"a":[5,6]}','$.zz');
--= N|I:5|T:integer|I:5|I:1|N|T:$.a|T:$.a| because SQLite 3.50 answers so
SELECT * FROM json_each('{"a":5}','$.a');
SELECT * FROM json_each('5');
SELECT * FROM json_each('"x"');
SELECT * FROM json_each('null');
SELECT * FROM json_each(NULL);
SELECT * FROM json_each('[]');
SELECT * FROM json_each('[1');
--= error: bad JSON path: 'x' because SQLite 3.50 answers so
SELECT * FROM json_each('[1]','x');
SELECT * FROM json_each('[1]',NULL);
SELECT * FROM json_each();
SELECT * FROM json_each;
SELECT * FROM json_each(1,2,3);
SELECT key,value,type,atom,fullkey,path FROM json_tree('{"a":{"b":[1,{"c":2}]},"d e":3,"f":{}}');
SELECT key,value,type,atom,fullkey,path FROM json_tree('{"a":{"b":[1,{"c":2}]}}','$.a.b');
--= I:0|T:{"x":[4]}|T:$[#-1]|T:$| T:x|T:[4]|T:$[#-1].x|T:$[#-1]| I:0|I:4|T:$[#-1].x[0]|T:$[#-1].x| because SQLite 3.50 answers so
SELECT key,value,fullkey,path FROM json_tree('[1,[2,3],{"x":[4]}]','$[#-1]');
--= I:0|N|T:$| I:1|I:0|T:$[0]| I:3|I:0|T:$[1]| I:4|I:3|T:$[1][0]| I:6|I:3|T:$[1][1]| because SQLite 3.50 answers so
SELECT id,parent,fullkey FROM json_tree('[1,[2,3]]');
SELECT json FROM json_each('[1]'), (SELECT 1);
SELECT json,root FROM json_each('[1]','$');
SELECT rowid,key FROM json_each('[5,6]');
SELECT count(*) FROM json_tree('[1,[2,[3,[4]]]]') WHERE type='integer';
SELECT j.value FROM (SELECT '[1,2]' AS x UNION ALL SELECT '[3]') AS s, json_each(s.x) AS j;
SELECT j.value FROM (SELECT '[1,2]' AS x UNION ALL SELECT '[3]') AS s LEFT JOIN json_each(s.x) AS j ON j.value>2;
--= I:2|I:3|T:integer|I:3|I:5|N|T:$[2]|T:$| I:1|I:2|T:integer|I:2|I:3|N|T:$[1]|T:$| because SQLite 3.50 answers so
SELECT * FROM json_each('[1,2,3]') WHERE value>1 ORDER BY value DESC;
SELECT value FROM json_each('[3,1,2]') ORDER BY key DESC LIMIT 2;
INSERT INTO json_each VALUES(1);
DELETE FROM json_each;
UPDATE json_each SET key=1;
SELECT json_each('[1]');
CREATE TABLE t(a,b GENERATED ALWAYS AS (json_extract(a,'$.x')) STORED);
INSERT INTO t(a) VALUES('{"x":5}'),('{"x":"y"}'),(NULL);
INSERT INTO t(a) VALUES('{x');
SELECT * FROM t;
CREATE INDEX tj ON t(a->>'$.x');
EXPLAIN QUERY PLAN SELECT * FROM t WHERE a->>'$.x'=5;
SELECT * FROM t WHERE a->>'$.x'=5;
SELECT json_extract('{"a":12345678901234567890}','$.a'), json_extract('{"a":1e400}','$.a'), json_extract('{"a":-9223372036854775808}','$.a'), json_extract('{"a":9223372036854775808}','$.a'), json_extract('[0.1,1e5,1E-3]','$[1]');
SELECT json_extract('["\u0041\ud83d\ude00\n\t\/\b\f\r\\"]','$[0]'), length(json_extract('["\u0000x"]','$[0]')), json_extract('["\ud83d"]','$[0]');
--= T:{"a":1,"b c":1}|T:{"a":1,"a\"b":2}|I:5| because SQLite 3.50 answers so
SELECT json_insert('{"a":1}','$."b c"',1), json_set('{"a":1}','$.a"b',2), json_extract('{"a\u0062":5}','$.ab');
SELECT subtype(json('1')), subtype(json_array()), subtype('x'), subtype(json_extract('{"a":[]}','$.a')), subtype('{"a":[1]}'->'a'), subtype('{"a":1}'->>'a');
SELECT json_array_insert('[1,2]','$[0]',9);
