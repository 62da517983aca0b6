# JSON: forms of text, paths, functions, tables
--= T:{"a":1,"b":2,"c":31,"d":5,"e":0.5,"f":5.0,"g":9e999,"h":-9e999,"i":null,"j":1e5}| because SQLite 3.50 answers so
SELECT json('{a:1,''b'':2,"c":0x1F,d:+5,e:.5,f:5.,g:Infinity,h:-Infinity,i:NaN,j:1e5,}');
SELECT json('[1,2,/*c*/3,//x'||char(10)||'4,]'), json('[1,,2]'), json('[,]'), json('{,}'), json('{a:1,,}');
SELECT json('{$a:1,_b:2,éa:3}'), json('{a b:1}'), json('{1a:1}'), json('{-a:1}'), json('{a-b:1}');
SELECT json('"a\x41b"'), json('''a"b'''), json('"a\''b"'), json('"\v\0"'), json('"a\'||char(10)||'b"'), json('"\u00e9\ud83d\ude00"'), json('"\u12"');
--= error: FLAGS parameter to json_valid() must be between 1 and 15 because SQLite 3.50 answers so
SELECT json_valid('{a:1}'), json_valid('{a:1}',2), json_valid('{"a":1}',1), json_valid(jsonb('{}'),4), json_valid(jsonb('{}'),8), json_valid(x'00',8), json_valid(x'00',4), json_valid('x',15), json_valid(NULL), json_valid(NULL,1), json_valid('1',NULL), json_valid(5), json_valid(1.5), json_valid('[1',6);
--= error: FLAGS parameter to json_valid() must be between 1 and 15 because SQLite 3.50 answers so
SELECT json_valid('1',0);
--= error: FLAGS parameter to json_valid() must be between 1 and 15 because SQLite 3.50 answers so
SELECT json_valid('1',16);
--= error: FLAGS parameter to json_valid() must be between 1 and 15 because SQLite 3.50 answers so
SELECT json_valid('1','a');
--= I:0|I:6|I:5|I:1|N|I:1|I:0|I:1|I:1|I:0| because SQLite 3.50 answers so
SELECT json_error_position('{a:1}'), json_error_position('{"a":}'), json_error_position('[1,2'), json_error_position(''), json_error_position(NULL), json_error_position('[1]x'), json_error_position(jsonb('[1]')), json_error_position(x'ff'), json_error_position('é["]'), json_error_position(5);
SELECT json_extract('{"a":[1,2,{"b":3}]}','$.a[2].b','$.a','$.x','$'), json_extract('[1,2,3]','$[#-1]','$[#-3]','$[#-4]','$[#]','$[3]');
--= error: bad JSON path: '$.' because SQLite 3.50 answers so
SELECT json_extract('{"a b":1,"c.d":2,"":3,"e\"f":4}','$."a b"'), json_extract('{"a b":1,"c.d":2,"":3}','$."c.d"'), json_extract('{"":3}','$.""'), json_extract('{"":3}','$.');
--= error: bad JSON path: 'a' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','a');
--= error: bad JSON path: '' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','');
--= error: bad JSON path: '$a' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$a');
--= N| because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$[');
--= N| because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$[a]');
--= N| because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$[-1]');
SELECT json_extract('{"a":1}','$[#-]');
SELECT json_extract('{"a":1}','$[#-1');
--= error: bad JSON path: '$."a' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$."a');
--= error: bad JSON path: '$.a.' because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$.a.');
--= N| because SQLite 3.50 answers so
SELECT json_extract('{"a":1}','$.a[');
--= N|N|N|N| because SQLite 3.50 answers so
SELECT json_extract('{"a":1}',NULL), json_extract('{"a":1}','$.a',NULL), json_extract(NULL,'$'), json_extract('{"a":1}');
SELECT json_extract();
--= N|I:1|T:x|R:1.5|R:100|R:1e+20|I:31|I:0|R:inf|N| because SQLite 3.50 answers so
SELECT json_extract('{"a":null}','$.a'), json_extract('{"a":true}','$.a'), json_extract('{"a":"x"}','$.a'), json_extract('{"a":1.50}','$.a'), json_extract('{"a":1e2}','$.a'), json_extract('{"a":99999999999999999999}','$.a'), json_extract('[0x1F]','$[0]'), json_extract('[-0]','$[0]'), json_extract('[Infinity]','$[0]'), json_extract('[NaN]','$[0]');
--= T:1|I:1|T:"x"|T:x|T:2|I:2|N|T:5|N|N|T:2|T:2|T:2|T:2| because SQLite 3.50 answers so
SELECT '{"a":1}'->'a', '{"a":1}'->>'a', '{"a":"x"}'->'a', '{"a":"x"}'->>'a', '[1,2]'->1, '[1,2]'->>-1, '[1,2]'->'1', '{"1":5}'->'1', '{"1":5}'->>1, '[1,2]'->'#-1', '[1,2]'->'[1]', '[1,2]'->'$[1]', '{"a.b":2}'->'a.b', '{"a b":2}'->'a b';
--= error: malformed JSON because SQLite 3.50 answers so
SELECT '[1,2]'->1.5, '[1,2]'->'1.0', '[1,2]'->NULL, NULL->'a', '{"a":null}'->'a', '{"a":null}'->>'a', '{"a":[1]}'->>'a', 'x'->'a';
SELECT 5->'$', 5->>'$', '5'->>'$', 1.5->>'$', '"x"'->>'$', 'null'->>'$', 'null'->'$', typeof('true'->>'$');
--= T:{"a":3,"b":2,"c":[4],"d":{"e":5}}|T:[1,2,3]|T:{"a":1,"b":3}|T:{"a":2}|T:[9]|T:5|T:[1,[2]]|T:{"a":"[1]"}|T:{"a":[1]}| because SQLite 3.50 answers so
SELECT json_set('{"a":1}','$.b',2,'$.a',3,'$.c[0]',4,'$.d.e',5), json_set('[1]','$[1]',2,'$[#]',3,'$[5]',9), json_insert('{"a":1}','$.a',2,'$.b',3), json_replace('{"a":1}','$.a',2,'$.b',3), json_set('[1]','$[#-1]',9), json_set('{}','$',5), json_insert('[1]','$[#]',json('[2]')), json_set('{}','$.a','[1]'), json_set('{}','$.a',json('[1]'));
SELECT json_set('{}','$.a');
SELECT json_set();
--= T:{}|N|T:{}|T:{"a":null}|T:{"a":null}| because SQLite 3.50 answers so
SELECT json_set('{}'), json_set(NULL,'$.a',1), json_set('{}',NULL,1), json_set('{}','$.a',NULL), json_set('{}','$.a',x'00');
--= T:{"a":[1]}|T:[0,1]|T:{"a":5}|T:5|T:{}|T:{}| because SQLite 3.50 answers so
SELECT json_set('{}','$.a',jsonb('[1]')), json_set('[0,1]','$[#-5]',1), json_set('{"a":5}','$.a.b',1), json_set('5','$.a',1), json_set('{}','$.a[1]',1), json_set('{}','$[0]',1);
SELECT json_remove('{"a":1,"b":2}','$.a'), json_remove('[1,2,3]','$[0]','$[0]'), json_remove('[1,2,3]','$[#-1]','$[#-1]'), json_remove('{"a":1}','$'), json_remove('{"a":1}'), json_remove('{"a":1}','$.x'), json_remove(NULL,'$'), json_remove('[1]',NULL);
SELECT json_patch('{"a":1,"b":{"c":2}}','{"a":null,"b":{"d":3}}'), json_patch('{"a":[1]}','{"a":[2]}'), json_patch('[1]','{"a":1}'), json_patch('{"a":1}','5'), json_patch('{"a":1}','null'), json_patch(NULL,'{}'), json_patch('{}',NULL), json_patch('{"a":{"b":1}}','{"a":{"b":null,"c":{"d":null}}}'), json_patch('5','{"a":{"b":null}}');
--= T:[]|T:[1,"a",null,1.5,[1],"[1]",{}]|T:{}|T:{"a":1,"b":null,"c":"x","d":{}}|T:[9.0e+999,-9.0e+999]|T:[1.0e+100,0.1,1.0e+15,1.0e+16,0.0]| because SQLite 3.50 answers so
SELECT json_array(), json_array(1,'a',NULL,1.5,json('[1]'),'[1]',json_object()), json_object(), json_object('a',1,'b',NULL,'c','x','d',json('{}')), json_array(9e999,-9e999), json_array(1e100, 0.1, 1e15,1e16, -0.0);
--= T:[null]| because SQLite 3.50 answers so
SELECT json_array(x'00');
SELECT json_object('a');
SELECT json_object(1,2);
SELECT json_object(NULL,2);
SELECT json_object('a',1,'a',2), json_object('a"b',1), json_object('',1), json_object(char(1),char(2));
SELECT json_quote('a"b'), json_quote(1), json_quote(1.0), json_quote(NULL), json_quote(json('[1]')), json_quote('[1]'), json_quote(char(8,9,10,12,13,31,127,233));
--= T:null| because SQLite 3.50 answers so
SELECT json_quote(x'00');
--= T:array|T:object|T:integer|T:real|T:text|T:null|T:true|T:false|T:array|N|N|N|T:integer|T:integer|T:real|T:null| because SQLite 3.50 answers so
SELECT json_type('[1]'), json_type('{}'), json_type('1'), json_type('1.5'), json_type('"x"'), json_type('null'), json_type('true'), json_type('false'), json_type('{"a":[1]}','$.a'), json_type('{}','$.a'), json_type(NULL), json_type('[1]',NULL), json_type('0x1f'), json_type('+1'), json_type('Infinity'), json_type('NaN');
SELECT json_type('x');
SELECT json_array_length('[1,2]'), json_array_length('{}'), json_array_length('1'), json_array_length('{"a":[1,2,3]}','$.a'), json_array_length('{"a":1}','$.a'), json_array_length('{}','$.a'), json_array_length(NULL), json_array_length('[]');
--= T:{\x0a    "a": [\x0a        1,\x0a        2,\x0a        {\x0a            "b": null\x0a        }\x0a    ],\x0a    "c": {},\x0a    "d": []\x0a}|T:[\x0a--1,\x0a--[\x0a----2\x0a--]\x0a]|T:[\x0a    1\x0a]|N|T:5|T:[\x0a1\x0a]|T:[\x0a31\x0a]|T:[\x0a    1,\x0a    2\x0a]| because SQLite 3.50 answers so
SELECT json_pretty('{"a":[1,2,{"b":null}],"c":{},"d":[]}'), json_pretty('[1,[2]]','--'), json_pretty('[1]',NULL), json_pretty(NULL), json_pretty('5'), json_pretty('[1]',''), json_pretty('[1]',3), json_pretty(jsonb('[1,2]'));
--= T:[1,2,null]|T:{"k1":1,"k2":2}|T:[2]|T:{"k2":2}| because SQLite 3.50 answers so
SELECT json_group_array(x), json_group_object('k'||x,x), json_group_array(x) FILTER (WHERE x>1), json_group_object('k'||x,x) FILTER (WHERE x>1) FROM (SELECT 1 x UNION ALL SELECT 2 UNION ALL SELECT NULL);
--= T:[2,1,1]|T:{"2":2,"1":1,"1":1}|T:[1,2]| because SQLite 3.50 answers so
SELECT json_group_array(x ORDER BY x DESC), json_group_object(x,x ORDER BY x DESC), json_group_array(DISTINCT x) FROM (SELECT 1 x UNION ALL SELECT 2 UNION ALL SELECT 1);
SELECT x, json_group_array(x) OVER (ORDER BY x), json_group_object(x,x) OVER (ORDER BY x ROWS 1 PRECEDING), json_group_array(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM (SELECT 1 x UNION ALL SELECT 2 UNION ALL SELECT 3);
SELECT json_group_array(x), json_group_object(x,x) FROM (SELECT 1 x) WHERE 0;
--= T:[null]| because SQLite 3.50 answers so
SELECT json_group_array(x'00');
SELECT json_group_array(json(x)), json_group_array(x) FROM (SELECT '[1]' x);
--= T:CC121761CB0E1331177800010235312E35285C6E|T:0B|T:4430783146|T:C7106162636465666768696A6B6C6D6E6F70|T:1761|T:262E35|T:4B13311761|T:4C17611331|T:4C1A611331|T:2B1331|T:31| because SQLite 3.50 answers so
SELECT hex(jsonb('{"a":[1,"x",null,true,false,1.5,"\n"]}')), hex(jsonb('[]')), hex(jsonb('0x1F')), hex(jsonb('"abcdefghijklmnop"')), hex(jsonb('''a''')), hex(jsonb('.5')), hex(jsonb_array(1,'a')), hex(jsonb_object('a',1)), hex(jsonb_set('{}','$.a',1)), hex(jsonb_extract('{"a":[1]}','$.a')), hex(jsonb_extract('{"a":1}','$.a'));
SELECT json(x'1b'), json(x'');
--= T:null|T:true|T:false|T:1|T:[]| because SQLite 3.50 answers so
SELECT json(x'00'), json(x'01'), json(x'02'), json(x'1331'), json(x'0b');
SELECT json(x'1c'), json(x'c0ff'), json(x'f0');
SELECT json('');
SELECT json('x');
SELECT json('[1,2');
SELECT json('{"a":1}}');
SELECT json('[01]');
SELECT json('[1.]'), json('[.1]'), json('[+1]'), json('[1e]');
SELECT json('[-]');
--= T:["a\u0001"]| because SQLite 3.50 answers so
SELECT json('["a'||char(1)||'"]');
--= T:["a\n"]| because SQLite 3.50 answers so
SELECT json('["a'||char(10)||'"]');
--= T:[1,2]|T:1|T:1|T:1|T:1| because SQLite 3.50 answers so
SELECT json(' [ 1 , 2 ] '), json(char(9,10,13,32)||'1'), json(char(0xa0)||'1'), json(char(0xfeff)||'1'), json('1'||char(0xc));
--= I:0|I:1|T:integer|I:1|I:2|N|T:$[0]|T:$| I:1|T:x|T:text|T:x|I:4|N|T:$[1]|T:$| I:2|N|T:null|N|I:6|N|T:$[2]|T:$| I:3|I:1|T:true|I:1|I:7|N|T:$[3]|T:$| I:4|T:[2]|T:array|N|I:8|N|T:$[4]|T:$| I:5|T:{"a":3}|T:object|N|I:11|N|T:$[5]|T:$| because SQLite 3.50 answers so
SELECT * FROM json_each('[1,"x",null,true,[2],{"a":3}]');
--= I:0|I:1|T:integer|I:1|I:8|N|T:$.b[0]|T:$.b| because SQLite 3.50 answers so
SELECT * FROM json_each('{"a":1,"b":[1]}','$.b');
--= N|I:1|T:integer|I:1|I:1|N|T:$.a|T:$.a| because SQLite 3.50 answers so
SELECT * FROM json_each('{"a":1,"b":[1]}','$.a');
SELECT * FROM json_each('{"a":1}','$.x');
SELECT * FROM json_each(NULL);
SELECT * FROM json_each('5');
SELECT * FROM json_each('x');
--= error: bad JSON path: 'x' because SQLite 3.50 answers so
SELECT * FROM json_each('{}','x');
SELECT * FROM json_each;
SELECT * FROM json_each('[1]','$','x');
--= N|T:{"a":[1,{"b":2}],"c d":3,"e.f":{"":1}}|T:object|N|I:0|N|T:$|T:$| T:a|T:[1,{"b":2}]|T:array|N|I:2|I:0|T:$.a|T:$| I:0|I:1|T:integer|I:1|I:5|I:2|T:$.a[0]|T:$.a| I:1|T:{"b":2}|T:object|N|I:7|I:2|T:$.a[1]|T:$.a| T:b|I:2|T:integer|I:2|I:8|I:7|T:$.a[1].b|T:$.a[1]| T:c d|I:3|T:integer|I:3|I:12|I:0|T:$."c d"|T:$| T:e.f|T:{"":1}|T:object|N|I:18|I:0|T:$."e.f"|T:$| T:|I:1|T:integer|I:1|I:23|I:18|T:$."e.f".""|T:$."e.f"| because SQLite 3.50 answers so
SELECT key,value,type,atom,id,parent,fullkey,path FROM json_tree('{"a":[1,{"b":2}],"c d":3,"e.f":{"":1}}');
--= I:0|T:[2,3]|T:array|N|I:3|N|T:$[#-1]|T:$| I:0|I:2|T:integer|I:2|I:4|I:3|T:$[#-1][0]|T:$[#-1]| I:1|I:3|T:integer|I:3|I:6|I:3|T:$[#-1][1]|T:$[#-1]| because SQLite 3.50 answers so
SELECT * FROM json_tree('[1,[2,3]]','$[#-1]');
SELECT fullkey, path FROM json_tree('{"a-b":1,"1":2,"_x":3,"é":4,"a\"b":5,"\u0041":6}');
SELECT json, root FROM json_each('[1]','$'), (SELECT 1);
SELECT value FROM json_each WHERE json='[1,2]';
SELECT value FROM json_each('[1,2]') WHERE root='$';
SELECT t.value, e.value FROM json_each('[[1,2],[3]]') t, json_each(t.value) e;
SELECT key, typeof(key), typeof(value), typeof(atom), typeof(id), typeof(parent) FROM json_each('{"a":"x"}');
--= I:0|I:0|I:5|T:integer|I:5|I:1|N|T:$[0]|T:$| I:1|I:1|I:6|T:integer|I:6|I:3|N|T:$[1]|T:$| because SQLite 3.50 answers so
SELECT rowid, * FROM json_each('[5,6]');
--= I:6| because SQLite 3.50 answers so
SELECT count(*) FROM json_tree(jsonb('[1,[2,[3]]]'));
--= T:[{"b":1},1]|I:74|I:0|I:74|I:74|I:74|I:0| because SQLite 3.50 answers so
SELECT json_extract('{"a":{"b":1}}','$.a','$.a.b'), subtype(json_extract('{"a":[1]}','$.a')), subtype(json_extract('{"a":1}','$.a')), subtype('{"a":1}'->'a'), subtype(json_quote(1)), subtype(json('1')), subtype(jsonb('1'));
--= I:2|T:[1,2]|I:1|T:array|I:3| because SQLite 3.50 answers so
SELECT json_extract(jsonb('{"a":[1,2]}'),'$.a[1]'), jsonb('{"a":[1,2]}')->'a', jsonb('{"a":[1,2]}')->>'$.a[0]', json_type(jsonb('[1]')), json_array_length(jsonb('[1,2,3]'));
SELECT json_set('{"a":1}','$.a.b[0].c',1), json_set('[]','$[0].x',1), json_set('[]','$[1].x',1), json_insert('{}','$.a.b.c',1), json_replace('{}','$.a.b.c',1);
SELECT json_extract('{"a":1,"a":2}','$.a'), json_remove('{"a":1,"a":2}','$.a'), json_set('{"a":1,"a":2}','$.a',3), json_patch('{"a":1,"a":2}','{"a":3}');
SELECT json('{"a":1,"a":2}'), json_object('x',json_array(json_object('y',1))), json_array(json_array(json('null')));
--= I:1|I:1|I:1|I:1| because SQLite 3.50 answers so
SELECT json_extract('{"\u0061":1}','$.a'), json_extract('{"a":1}','$."\u0061"'), json_extract('{"a\nb":1}','$."a\nb"'), json_extract('{"a\tb":1}','$.a'||char(9)||'b');
--= T:\xf0\x9f\x98\x80|T:\xed\xa0\xbd|T:0078|T:/|T:\|T:A|T:'| because SQLite 3.50 answers so
SELECT json_extract('"\ud83d\ude00"','$'), json_extract('"\ud83d"','$'), hex(json_extract('"\u0000x"','$')), json_extract('"\/"','$'), json_extract('"\\"','$'), json_extract('"\x41"','$'), json_extract('''\''''','$');
--= error: bad JSON path: '$[ 1]' because SQLite 3.50 answers so
SELECT json_extract('[1,2,3]','$[ 1]');
SELECT json_extract('[1,2,3]','$[01]'), json_extract('[1,2,3]','$[99999999999]');
--= error: malformed JSON because SQLite 3.50 answers so
SELECT jsonb('x');
--= error: malformed JSON because SQLite 3.50 answers so
SELECT jsonb_extract('x','$');
SELECT json_each.value FROM json_each('[3,1,2]') ORDER BY value;
SELECT sum(value), max(key) FROM json_each('[3,1,2]');
SELECT json_array_insert('[1,2,3]','$[1]',9);
SELECT json_valid('"a'||char(9)||'b"'), json_valid('"\x41"'), json_valid('[1,]'), json_valid('{"a":1,}'), json_valid(' 1 '), json_valid('1 2'), json_valid('-'), json_valid('-0'), json_valid('00'), json_valid('1e5'), json_valid('1E+5'), json_valid('1.e5'), json_valid('true '), json_valid('True'), json_valid('nulll');
SELECT json_group_array(a, b) FROM (SELECT 1 a, 2 b);
SELECT json_group_object('a') ;
--= error: wrong number of arguments to function json_pretty() because SQLite 3.50 answers so
SELECT json_pretty('{"a":1}','  ',3);
--= T:1|T:1.5|N|T:1|T:9e999|T:0.0| because SQLite 3.50 answers so
SELECT json(1), json(1.5), json(NULL), json('1'), json(9e999), json(-0.0);
SELECT CAST(json('[1]') AS TEXT), json('[1]')||'x', upper(json('["a"]')), json(json('[1]')), length(json(' [1] '));
SELECT json_array(json_extract('{"a":"[1]"}','$.a')), json_array('{"a":"[1]"}'->'a'), json_array('{"a":[1]}'->'a'), json_array('{"a":[1]}'->>'a');
SELECT json_array(CASE WHEN 1 THEN json('[1]') END), json_array(coalesce(NULL,json('[1]'))), json_array((SELECT json('[1]'))), json_array(iif(1,json('[1]'),2)), json_array(max(json('[1]'),json('[0]'))), json_array(+json('[1]'));
# the sorter that groups rows keeps of columns no word that they are JSON
SELECT json_array(value), min(json_array(value)), type FROM json_each('{"b":{"c":1},"e":{"f":1},"d":2}') GROUP BY type;
SELECT sum(json_array_length(json_array(value))), max(json_object('v', value)), max(json_quote(value)) FROM json_each('[[1],[2,3],4]') GROUP BY atom IS NULL;
SELECT min(json_quote(value)), subtype(max(value)) FROM json_each('[[1],[2,3],4]');
%%
# a label without quotes is no value: true, false, null, infinities and NaN
SELECT json('{true:1}');
SELECT json('{a:1,null:2}');
SELECT json('{"a":{Infinity:1}}');
SELECT json('{nan :1}');
SELECT json_valid('{false:1}'), json_type('{"a":1}', '$.a');
%%
# Rows of a JSON text come by their rowids.
create table t(j);
insert into t values('[3,1,2]'), ('{"b":1,"a":2}'), ('[]');
--= I:1|I:0|T:SCAN json_each VIRTUAL TABLE INDEX 1:| because it is so from release 3.43 on
explain query plan select value from json_each('[1,2,3]') order by rowid, key;
explain query plan select value from json_each('[1,2,3]') order by rowid desc;
explain query plan select value from json_each('[1,2,3]') order by id;
select t.rowid, json_each.rowid, value from t, json_each(t.j) order by t.rowid, json_each.rowid;
select json_each.rowid, value, t.rowid from t, json_each(t.j) order by json_each.rowid, t.rowid;
select json_each.rowid, value, sum(value) over (order by json_each.rowid) from json_each('[3,1,2]');
select rowid, value from json_tree('{"a":[1,2,{"c":3}],"b":4}', '$.a') order by rowid;
select rowid, value from json_each where json in ('[1,2]', '[4,5]') order by rowid;
select rowid, count(*) from json_each where json in ('[1,2]', '[4,5]') group by rowid;
select a.value, b.value from json_each('[1,2]') a, json_each('[3,4]') b order by b.rowid, a.rowid;
select a.value, b.value from json_each('[1,2]') a left join json_each('[3,4]') b on a.value = b.value - 2 order by b.rowid, a.rowid;
# JSONB that was put together is JSON also as text, which it is none.
--= error: malformed JSON because JSONB is new in 3.45
SELECT json(jsonb_insert('[1,2]', '$[#]', CAST(jsonb_array(100) AS TEXT)));
--= error: malformed JSON because JSONB is new in 3.45
SELECT json(jsonb_set('[1,2]', '$.b', CAST(jsonb_object('a', 100) AS TEXT)));
%%
# Where the mistake is told: before white space where a value should be, at the character elsewhere
--= I:2| because SQLite 3.50 answers so
SELECT json_error_position('[ ,]');
--= I:4| because SQLite 3.50 answers so
SELECT json_error_position('[1, ,2]');
--= I:6| because SQLite 3.50 answers so
SELECT json_error_position('{"a": ,');
--= I:2| because SQLite 3.50 answers so
SELECT json_error_position('{ 1:2}');
--= I:4| because SQLite 3.50 answers so
SELECT json_error_position('{[1');
--= I:4| because SQLite 3.50 answers so
SELECT json_error_position('[1 /**/x]');
--= I:5| because SQLite 3.50 answers so
SELECT json_error_position('{a [');
--= I:4| because SQLite 3.50 answers so
SELECT json_error_position('[1,'||char(10)||'');
--= I:2| because SQLite 3.50 answers so
SELECT json_error_position('{a:1}x');
--= I:2| because SQLite 3.50 answers so
SELECT json_error_position('{true:1}');
--= I:4| because SQLite 3.50 answers so
SELECT json_error_position('[1 2');
--= I:5| because SQLite 3.50 answers so
SELECT json_error_position('[{},} ]');
--= I:6| because SQLite 3.50 answers so
SELECT json_error_position('{"a" "b"');
--= I:10| because SQLite 3.50 answers so
SELECT json_error_position('[1 /**/,2}');
--= I:3| because SQLite 3.50 answers so
SELECT json_error_position('{ ');
# What takes the place of something longer gets a wider header, if it then fills the place; what keeps its size keeps its header
--= T:D3000131|T:4B13311332|T:3B001332|T:AC1761D700017817621331|T:4B1A781332|T:CB0CFA0000000000000001781332|T:CB021337|T:3B233737|T:CC0417611337|T:4C17611337|T:0C| because SQLite 3.50 answers so
SELECT hex(jsonb_replace('"abc"','$',1)), hex(jsonb_set('["abcd",2]','$[0]',1)), hex(jsonb_set('["abc",2]','$[0]',null)), hex(jsonb_patch('{"a":"xyz","b":1}','{"a":"x"}')), hex(jsonb_set('["abcdefgh",2]','$[0]','x')), hex(jsonb_set('["abcdefghi",2]','$[0]','x')), hex(jsonb_set(x'cb021332','$[0]',7)), hex(jsonb_set(x'cb021332','$[0]',77)), hex(jsonb_patch(x'cc0417611331','{"a":7}')), hex(jsonb_patch('12','{"a":7}')), hex(jsonb_patch('[1]', '{}'));
# All labels are looked at before a value is told to be none
SELECT json_object('a', x'ff', 1, 2);
SELECT json_object('a', x'ff', 'b', 2);
--= I:2|I:1|I:1| because SQLite 3.50 answers so
SELECT json_array_length(x'2b0513'), json_array_length(x'1b23'), json_array_length(x'2b2331');
