"""Goal: scripts written for sqlite3's shell do the same at `skerry sql`.

Method: each script runs with sqlite3 -batch and with skerry sql -batch, each in a fresh directory with the same files;
output, errors and exit status must be equal, and files that the script writes too. What differs by decision is in
DECIDED, with the reason, and nowhere else. Files are then passed between the two, also with the write-ahead log of a
process that was killed, and the prompt is driven at a pseudo-terminal.
usage: shell_test.py [WORD]     runs the tests whose name contains WORD
"""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

from node import PROGRAM, Tests, check, equal

SQLITE = ["sqlite3"]
SKERRY = [PROGRAM, "sql"]


def shortest(number):
    text = repr(float(number[0]))
    return text if "." in text else text.replace("e", ".0e")


# Replaced in both outputs before the comparison; the reason why they differ.
# (names of tests, or all; pattern; replacement; reason)
DECIDED = [
    ((), r"^(Error: unable to open database .*: ).*$", r"\1", "our sentence names the file and the cause"),
    ((), r"\b\d[\d.]{17,}(e[+-]\d+)?\b", lambda number: shortest(number) if "." in number[0] else number[0],
     "digits behind the 17th of a real are exact in ours; sqlite3 3.40 has 71.999999999999999998 for 72.0"),
]

ROWS = """CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL, d BLOB);
INSERT INTO t VALUES(1,'one',1.5,x'0102'),(2,'it''s "two"',-0.25,NULL),(3,NULL,1e100,x''),(40,'comma, ü <&>',2.0,'txt');
CREATE INDEX t_b ON t(b);
CREATE VIEW v AS SELECT a, b FROM t WHERE a < 3;
CREATE TABLE "odd name"("sel ect" TEXT DEFAULT 'x', "group" INT);
INSERT INTO "odd name" VALUES('line 1
line 2',7);
CREATE TABLE auto(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
INSERT INTO auto(x) VALUES('p'),('q');
CREATE TABLE w(k TEXT PRIMARY KEY, n INT) WITHOUT ROWID;
INSERT INTO w VALUES('b',2),('a',1);
CREATE TRIGGER tr AFTER INSERT ON auto BEGIN UPDATE w SET n=n+1 WHERE k='a'; END;
"""

MODES = ["list", "csv", "tabs", "quote", "insert", "line", "json", "column", "table", "box", "markdown", "html", "ascii"]

# name: standard input, or (standard input, arguments, files)
SCRIPTS = {}


def script(name, text, arguments=("{db}",), files=None):
    SCRIPTS[name] = (text, list(arguments), files or {})


for mode in MODES:
    script(f"mode_{mode}", ROWS + f""".mode {mode}
SELECT * FROM t;
SELECT a, b FROM t WHERE a > 100;
.headers on
SELECT a AS "first one", b, c FROM t;
SELECT "sel ect", "group" FROM "odd name";
.nullvalue NIL
SELECT b, NULL, 1 FROM t;
.headers off
SELECT 'ä€😀' AS wide, 'plain' AS n, 'tab	here';
SELECT 9007199254740993, -1, 0.1, 1e15, 123456789012345680.0, 1e-7, 9e999, -9e999;
SELECT x'00ff41', 'a''b', '', 'new
line';
SELECT * FROM v;
.mode
""")
    if mode != "insert":  # not an option of either
        script(f"option_{mode}", "SELECT 1 AS a, 'two' AS b, NULL AS c;\n", [f"-{mode}", "{db}"])
        script(f"option_header_{mode}", "SELECT 1 AS a, 'two' AS b, NULL AS c;\n", [f"-{mode}", "-header", "{db}"])
    script(f"back_to_list_{mode}", f".mode {mode}\n.mode list\nSELECT 1 AS a, 2 AS b;\n.mode {mode}\nSELECT 1 AS a, 2 AS b;\n")
script("mode_insert_table", ROWS + ".mode insert t2\nSELECT * FROM t;\n.mode insert \"odd name\"\nSELECT 1 AS a;\n"
       ".headers on\nSELECT 1 AS a, 2 AS \"b c\", 'new\nline\r' AS n;\n.mode insert select\nSELECT 1.0, 1e300, -0.0, 0.1+0.2;\n")
script("modes_in_turn", "".join(f".mode {first}\n.mode {then}\nSELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y';\n"
                                for first in ("csv", "ascii", "tabs") for then in MODES))
script("mode_unknown", ".mode wrong\nSELECT 1;\n.mode\n")
script("mode_line_long_names", ".mode line\nSELECT 1 AS a, 2 AS a_longer_name, NULL AS c UNION ALL SELECT 3,4,5;\n")
script("width", ".mode column\n.headers on\n.width 5 -8 0\nSELECT 'abcdefghij' AS a, 'xyz' AS b, 'free' AS c UNION ALL "
       "SELECT 1, 22, 333;\n.mode box\nSELECT 'abcdefghij' AS a, 'xyz' AS b, 'free' AS c;\n.width\nSELECT 'abcdefghij' AS a;\n")
script("column_new_lines", ".mode column\nSELECT 'a\nbc\nd' AS x, 'y' AS y UNION ALL SELECT 'next', 'row';\n.mode box\n"
       "SELECT 'a\nbc\nd' AS x, 'y' AS y;\n.mode table\nSELECT 'a\tb' AS x;\n.mode markdown\nSELECT 'a|b\nc' AS x;\n")
script("column_wrap", ".mode column --wrap 10\nSELECT 'the quick brown fox jumps' AS words;\n.mode box --wrap 10 --wordwrap on\n"
       "SELECT 'the quick brown fox jumps' AS words;\n.mode column --wrap 0\nSELECT 'the quick brown fox jumps' AS words;\n")
script("mode_qbox", ".mode qbox\nSELECT 1, 'two', NULL, x'03';\n")
script("separator", "SELECT 1,2;\n.separator ::\nSELECT 1,2;\n.separator , \"\\r\\n\"\nSELECT 1,2;\n.separator \"\\037\" \"\\036\\n\"\n"
       "SELECT 1,2;\n.mode list\nSELECT 1,2;\n.separator\n.separator a b c\n")
script("separator_csv", ".mode csv\n.separator ;\nSELECT 'a;b', 'c,d', 'e f';\n.headers on\nSELECT 1 AS \"x;y\";\n")
script("separator_kept_by_tabs", ".separator +\n.mode tabs\nSELECT 1,2;\n.mode list\nSELECT 1,2;\n")
script("options_separators", "SELECT 1,NULL,3;\nSELECT 4,5,6;\n", ["-separator", "+", "-newline", "~", "-nullvalue", "nil", "{db}"])
script("nullvalue", ".nullvalue NULL\nSELECT NULL, '';\n.nullvalue \"\"\nSELECT NULL;\n.nullvalue\n.nullvalue a b\n")
script("headers", ".headers on\nSELECT 1 AS one, 'x';\nSELECT 1 WHERE 0;\n.header off\nSELECT 1 AS one;\n.headers\n.headers maybe\n"
       ".headers on\n.mode list\nSELECT 2 AS two;\n.mode column\nSELECT 1 AS a;\n.headers off\nSELECT 1 AS a;\n")
script("print", ".print\n.print one\n.print one   two\n.print \"a\\tb\\x41\\101 c\" 'd  e\\n' f\\n\n.print \"\"\n.print a \"un'q\" 'un\"q'\n")
script("tables", ROWS + ".tables\n.tables t%\n.tables %o%\n.table v\n.tables nothing\nCREATE TEMP TABLE tt(x);\n.tables\n"
       "ATTACH ':memory:' AS aux2;\nCREATE TABLE aux2.other(x);\n.tables\n")
script("tables_many", "".join(f"CREATE TABLE table_number_{i}(x);\n" for i in range(23)) + ".tables\n.tables %1_\n")
script("tables_none", ".tables\n.indexes\n.schema\n")
script("indexes", ROWS + ".indexes\n.indexes t\n.indices w\n.indexes nothing\n.indexes a b\n")
script("schema", ROWS + ".schema\n.schema t\n.schema T\n.schema v\n.schema \"odd name\"\n.schema auto\n.schema nothing\n.schema %odd%\n.schema odd*\n"
       ".schema sqlite_schema\n.schema sqlite_master\n.schema sqlite_sequence\n")
script("schema_nosys", "CREATE TABLE a(x INTEGER PRIMARY KEY AUTOINCREMENT);\nCREATE INDEX i ON a(x);\n.schema --nosys\n.schema --wrong\n")
script("schema_temp_and_attached", "CREATE TABLE a(x);\nCREATE TEMP TABLE b(y);\nATTACH ':memory:' AS o;\nCREATE TABLE o.c(z);\n"
       ".schema\n.schema o.c\n.schema c\n")
LONG = ("CREATE TABLE long_one(id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL DEFAULT (1+2), -- a comment, with a comma\n"
        "  note TEXT CHECK(length(note) > 0 AND note != 'a,b'), UNIQUE(name, price), \"odd, name\" INT, [b,c] INT);\n"
        "CREATE TABLE  short  (  a ,b  );\nCREATE VIEW lv AS SELECT id, name, price, note, count(*) AS n FROM long_one WHERE id > 5 GROUP BY 1;\n"
        "CREATE INDEX li ON long_one(name, price, note, id) WHERE name IS NOT NULL AND price > 10 AND note IS NOT NULL;\n"
        "CREATE TRIGGER lt AFTER INSERT ON long_one BEGIN UPDATE short SET a = new.id, b = new.name WHERE a IS NULL; SELECT 1; END;\n")
script("schema_indent", LONG + ROWS + ".schema --indent\n.schema -indent long_one\n.schema --indent --nosys short\n.schema\n")
script("fullschema", LONG + ".fullschema\nINSERT INTO short VALUES(1,2),(1,3);\nCREATE INDEX si ON short(a,b);\nANALYZE;\n.fullschema\n"
       ".fullschema --indent\n.fullschema --wrong\n")
script("lint", "CREATE TABLE p(a PRIMARY KEY, b, c, UNIQUE(b, c));\nCREATE TABLE k(x REFERENCES p(a), y REFERENCES p, z, w, FOREIGN KEY(z, w) "
       "REFERENCES p(b, c));\nCREATE INDEX kx ON k(x);\nCREATE TABLE j(a INTEGER PRIMARY KEY REFERENCES k(x), \"od d\" REFERENCES q(v));\n"
       "CREATE TABLE l(z, w, FOREIGN KEY(z, w) REFERENCES p(b, c));\nCREATE INDEX lzw ON l(w, z);\nCREATE TABLE q(v PRIMARY KEY);\n"
       "CREATE TABLE m(z, w, FOREIGN KEY(z, w) REFERENCES p(b, c));\nCREATE INDEX mz ON m(z);\n"
       ".lint fkey-indexes\n.lint fkey -verbose\n.lint fkey-indexes -groupbyparent\n")
script("limit", ".limit length\n.limit column 100\n.limit column\n.limit col 50\n.limit nope\n.limit l\n.limit length 1000\nSELECT zeroblob(1001);\n"
       ".limit expr_depth 3\nSELECT 1+2+3+4+5;\n")
script("read_from_program", ".read '|echo SELECT 1+1;'\n.read \"|printf 'SELECT nope;\\n'\"\nSELECT 3;\n")
script("output_to_program", ".output '|cat >made.txt'\nSELECT 'sorted';\n.output\n.once \"|tr a-z A-Z >up.txt\"\nSELECT 'up';\nSELECT 'here';\n")
script("output_mark", ".output --bom o.txt\nSELECT 1;\n.output\n.once -bom p.txt\nSELECT 2;\n")
script("save", ROWS + ".save copy.db\n.open copy.db\nSELECT a, b FROM t;\nPRAGMA integrity_check;\n.backup main again.db\n.open again.db\n"
       "SELECT count(*) FROM t;\n.tables\n.backup\n")
script("dump", ROWS + ".dump\n")
script("dump_patterns", ROWS + ".dump t\n.dump odd%\n.dump t auto\n.dump nothing\n")
script("dump_of_a_virtual_table", ROWS + "CREATE VIRTUAL TABLE ft USING fts5(a);\nINSERT INTO ft VALUES('x y');\n"
       "CREATE TABLE ft_other(x);\n.dump ft\n.dump t f_\n.dump ft_data nosuch\n")
script("dump_empty", ".dump\n")
script("dump_values", "CREATE TABLE v(x);\nINSERT INTO v VALUES(NULL),(1),(-9223372036854775808),(1.0),(0.1),(1e300),(-1e-300),"
       "(9e999),(-9e999),('a''b'),('new\nline'),('cr\r\nlf'),(x''),(x'00ff'),(''),('\\n'),(123456789.123456789);\n.dump\n")
script("dump_stat", "CREATE TABLE s(x);\nCREATE INDEX si ON s(x);\nINSERT INTO s VALUES(1),(2);\nANALYZE;\n.dump\n")
script("dump_generated_and_temp", "CREATE TABLE g(a, b AS (a+1), c AS (a*2) STORED);\nINSERT INTO g(a) VALUES(1);\nCREATE TEMP TABLE x(y);\n.dump\n")
script("dump_data_only", ROWS + ".dump --data-only\n.dump --nosys t\n.dump --preserve-rowids w\n")
script("dump_quoted_columns", "CREATE TABLE q(\"select\", \"a b\", [c]);\nINSERT INTO q VALUES(1,2,3);\n.dump q\n")
script("changes", "CREATE TABLE t(x);\n.changes on\nINSERT INTO t VALUES(1),(2);\nDELETE FROM t;\nSELECT 1;\n.changes off\nINSERT INTO t VALUES(1);\n.changes\n")
script("echo", ".echo on\nSELECT 1;\n-- a comment\nSELECT\n2;\n.print x\n\n.echo off\nSELECT 3;\n")
script("echo_option", "SELECT 1;\n.print x\n", ["-echo", "{db}"])
script("bail", ".bail on\nSELECT 1;\nSELECT nope;\nSELECT 2;\n")
script("bail_off", "SELECT 1;\nSELECT nope;\nSELECT 2;\n.nope\nSELECT 3;\n")
script("bail_option", "SELECT 1;\nSELECT nope;\nSELECT 2;\n", ["-bail", "{db}"])
script("bail_dot", ".bail on\n.nope\nSELECT 2;\n")
script("bail_inside_read", ".bail on\n.read f.sql\nSELECT 9;\n", files={"f.sql": "SELECT 1;\nSELECT nope;\nSELECT 2;\n"})
for code in ("", "0", "1", "7", "300"):
    script(f"exit_{code or 'plain'}", f"SELECT 1;\n.exit {code}\nSELECT 2;\n")
script("quit", "SELECT 1;\n.quit\nSELECT 2;\n")
script("quit_abbreviated", "SELECT 1;\n.q\nSELECT 2;\n")
script("quit_after_error", "SELECT nope;\n.quit\n")
script("exit_code_after_error", "SELECT nope;\n.exit 0\n")
script("errors", ROWS + """SELECT nope FROM t;
SELECT * FROM missing;
SELEC 1;
SELECT 1 +;
SELECT 1,
  2,
  nope
FROM t;
INSERT INTO t VALUES(1,2,3,4);
INSERT INTO t VALUES(1,2);
SELECT abs(-9223372036854775808);
SELECT json('{');
CREATE TABLE t(x);
CREATE TABLE u(x CHECK(x>0));
INSERT INTO u VALUES(-1);
SELECT no_such_function(1);
SELECT 'unfinished;
';
SELECT 'a long line of text that goes on and on for quite some time before it gets to', nope, 'and then it goes on for a while after the error too';
SELECT 'ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää', nope;
DROP TABLE missing;
ROLLBACK;
BEGIN; BEGIN;
SELECT ?1, :name;
PRAGMA nonsense;
SELECT "sel ect" FROM "odd name" WHERE nope = 1;
SELECT 1;; SELECT nope; SELECT 3;
SELECT a.b.c.d.e;
""")
script("error_tab_and_newline", "SELECT\t1,\n\tnope;\nSELECT 1;\n")
script("error_second_on_line", "SELECT 1; SELECT nope; SELECT 2;\n")
script("error_unrecognized_token", "SELECT @;\nSELECT 1 # 2;\nSELECT \x01;\nSELECT 0x;\nSELECT 1abc;\nSELECT 'x' 'y';\n")
script("error_constraints", "CREATE TABLE t(a UNIQUE, b NOT NULL, c CHECK(c<10), d REFERENCES p(x));\nCREATE TABLE p(x PRIMARY KEY);\n"
       "PRAGMA foreign_keys=ON;\nINSERT INTO t VALUES(1,1,1,NULL);\nINSERT INTO t VALUES(1,1,1,NULL);\nINSERT INTO t VALUES(2,NULL,1,NULL);\n"
       "INSERT INTO t VALUES(2,1,11,NULL);\nINSERT INTO t VALUES(2,1,1,5);\nCREATE TRIGGER x BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT,'no way'); END;\n"
       "DELETE FROM t;\nCREATE TABLE s(a INT) STRICT;\nINSERT INTO s VALUES('x');\nSELECT count(*) FROM t;\n")
script("comments", "-- first\nSELECT 1; -- after\n/* block\nover lines */ SELECT 2;\nSELECT /* in */ 3 -- tail\n;\n# hash\nSELECT 4;\n  -- indented\n/* ; */\nSELECT 5;\n")
script("comment_alone", "-- nothing\n")
script("comment_then_incomplete", "/* open\nSELECT 1;\n")
script("multi_line", "SELECT 1,\n 'text;\nwith semicolon',\n \"x\"\n;\nCREATE TABLE t(a);\nCREATE TRIGGER tr AFTER INSERT ON t BEGIN\n"
       "  SELECT 1;\n  SELECT 2;\nEND;\nINSERT INTO t VALUES(1);\nSELECT name FROM sqlite_schema;\n")
script("go", "SELECT 1\ngo\nSELECT 2\n/\nSELECT 3\nGO  \nSELECT 4 \n;\n")
script("incomplete", "SELECT 1;\nSELECT 2")
script("incomplete_broken", "SELECT 1;\nSELECT 2 FROM\n")
script("incomplete_string", "SELECT 'abc\n")
script("empty", "")
script("blank_lines", "\n\n   \n;\n;;\nSELECT 1;\n\t\n")
script("dot_with_space", "  .print x\nSELECT 1;\n")
script("dot_inside_statement", "SELECT 1\n.print x\n;\n")
script("dot_unknown", ".nope\n.\n.nope a b\n.m\nSELECT 1;\n")
script("dot_arguments", ".print 'single \\n' \"double \\n\" bare\\n\n.print \"unclosed\n.print 'a'b \"c\"d\n")
script("dot_semicolon", ".print a;\n.headers on;\nSELECT 1 AS x;\n.tables;\n")
script("crlf", "SELECT 1;\r\n.print x\r\nSELECT\r\n2;\r\n")
script("utf8", "SELECT 'ü', length('ü'), '日本語', '😀';\n.mode column\nSELECT 'ü' AS a, 'b' AS b;\n.mode json\nSELECT 'ü\x7f' AS a;\n")
script("nul_bytes", "SELECT 'a'||char(0)||'b', length('a'||char(0)||'b');\n.mode quote\nSELECT 'a'||char(0)||'b';\n.mode csv\nSELECT 'a'||char(0)||'b';\n.mode json\nSELECT 'a'||char(0)||'b' AS x;\n")
script("json_escapes", ".mode json\nSELECT 'q\"b\\s/'||char(8,9,10,12,13,1,31) AS \"na\"\"me\", 1.0 AS r, 1e100 AS big, x'41' AS b;\n"
       "SELECT x'ff00' AS b;\nSELECT 1 AS a UNION ALL SELECT 2;\nSELECT 1 WHERE 0;\n")
script("csv_quoting", ".mode csv\nSELECT 'a b', 'a\"b', 'a,b', 'a\nb', 'it''s', '', NULL, 'plain', 'ü', ' lead', 'trail ', 1.5, x'41', '-', 'a;b', '(x)', 'a_b', 'a\\b';\n")
script("html_escapes", ".mode html\n.headers on\nSELECT '<a href=\"x\">&''</a>' AS \"<n>\";\n")
script("reals", "SELECT 72.0, 2460310.0, 123456789.987654321;\nSELECT 1.0, 0.1, 1e21, 1e15, 1e16, 123456789012345678, 1.0/3, 2.5e-5, 1e-310, 100.0, -0.0;\n.mode quote\n"
       "SELECT 1.0, 0.1, 1e21, 1e15, 1e16, 1.0/3, 2.5e-5, 1e-310, 100.0, -0.0, 3.0e10;\n"
       "SELECT 72.0, 2460310.0, 123456789.987654321, 1e300;\n.mode insert\nSELECT 72.0, 0.1, 1e22;\n.mode json\nSELECT 72.0 AS a, 1e23 AS b;\n")
script("read", ".read f.sql\nSELECT 9;\n", files={"f.sql": "CREATE TABLE r(x);\nINSERT INTO r VALUES(1);\n.headers on\nSELECT x FROM r;\n"})
script("read_nested_error", ".read f.sql\nSELECT 9;\n", files={"f.sql": "SELECT 1;\n\nSELECT nope;\n.read g.sql\nSELECT 2;\n", "g.sql": "\nSELECT\nbad;\n"})
script("read_missing", ".read nothing.sql\nSELECT 1;\n.read\n.read a b\n")
script("read_recursion", ".read f.sql\nSELECT 1;\n", files={"f.sql": ".read f.sql\n"})
script("read_incomplete", ".read f.sql\nSELECT 2;\n", files={"f.sql": "SELECT 1"})
script("read_quit", ".read f.sql\nSELECT 2;\n", files={"f.sql": "SELECT 1;\n.quit\nSELECT 3;\n"})
script("output", ".output o.txt\nSELECT 1;\n.print in file\n.output\nSELECT 2;\n.once p.txt\nSELECT 3;\nSELECT 4;\n.output stdout\n"
       ".once q.txt\n.print via once\n.print after\n.output no/such/dir\nSELECT 5;\n")
script("open", "CREATE TABLE a(x);\n.open second.db\nCREATE TABLE b(y);\n.tables\n.open {db}\n.tables\n.open\n.tables\nSELECT 1;\n")
script("open_fails", ".open no/such/dir/x.db\n.tables\nSELECT 1;\n")
script("databases", ".databases\nATTACH 'second.db' AS s;\n.databases\n", [])
script("show", ".headers on\n.mode csv\n.nullvalue x\n.show\n", [])
script("cd", ".cd nowhere\n.cd\nSELECT 1;\n")
script("timeout", ".timeout 100\nPRAGMA busy_timeout;\n")
script("usage_messages", ".separator\n.nullvalue\n.headers\n.read\n.timer\n.changes\n.print\n.mode a b c\n.width\n.once\n.import\n.cd\n.bail\n.echo\n.import f\n.show x\n.tables a b c\nSELECT 1;\n")
script("booleans", ".headers yes\nSELECT 1 AS a;\n.headers no\nSELECT 1 AS a;\n.headers 1\nSELECT 1 AS a;\n.headers ON\nSELECT 1 AS a;\n.headers wrong\nSELECT 1 AS a;\n.changes 0\n")
CSV = "id,name,note\n1,one,\"first, with comma\"\n2,\"say \"\"hi\"\"\",\n3,three,\"two\nlines\"\n"
script("import_new_table", ".mode csv\n.import f.csv n\n.schema n\nSELECT * FROM n;\n", files={"f.csv": CSV})
script("import_option_csv", ".import --csv f.csv n\n.import -csv -skip 1 f.csv n\n.mode quote\nSELECT * FROM n;\n", files={"f.csv": CSV})
script("import_existing", "CREATE TABLE n(id INTEGER, name TEXT, note);\n.import --csv --skip 1 f.csv n\n.mode quote\nSELECT * FROM n;\n", files={"f.csv": CSV})
script("import_separator", "CREATE TABLE n(a,b,c);\n.separator |\n.import f.txt n\n.separator ;\n.import g.txt n\n.mode quote\nSELECT * FROM n;\n",
       files={"f.txt": "1|2|3\nx|\"y|z\"|\n", "g.txt": "p;q;r\n"})
script("import_missing_columns", "CREATE TABLE n(a,b,c);\n.import --csv f.csv n\n.mode quote\nSELECT * FROM n;\n", files={"f.csv": "1,2\n1\n1,2,3,4,5\n\n1,2,3\n"})
script("import_crlf", ".mode csv\n.import f.csv n\n.mode quote\nSELECT * FROM n;\n", files={"f.csv": "a,b\r\n1,2\r\n\"x\r\ny\",\"q\"\r\n"})
script("import_bom", ".mode csv\n.import f.csv n\n.mode quote\n.headers on\nSELECT * FROM n;\n", files={"f.csv": "\ufeffa,b\n1,2\n"})
script("import_no_end_of_line", ".mode csv\n.import f.csv n\n.mode quote\nSELECT * FROM n;\n", files={"f.csv": "a,b\n1,2\n3,4"})
script("import_unclosed_quote", ".mode csv\n.import f.csv n\n.mode quote\nSELECT * FROM n;\n", files={"f.csv": "a,b\n1,\"2\n3,4\n"})
script("import_stray_quote", ".mode csv\n.import f.csv n\n.mode quote\nSELECT * FROM n;\n", files={"f.csv": "a,b\n1,\"2\"x\n3,4\"5\n"})
script("import_duplicate_names", ".mode csv\n.import f.csv n\n.schema n\nSELECT * FROM n;\n", files={"f.csv": "a,a,b,,A\n1,2,3,4,5\n"})
script("import_constraint", "CREATE TABLE n(a UNIQUE, b);\n.import --csv f.csv n\n.mode quote\nSELECT * FROM n;\n", files={"f.csv": "1,2\n1,3\n4,5\n"})
script("import_ascii", ".mode ascii\n.import f.txt n\n.mode quote\nSELECT * FROM n;\n.import --ascii f.txt n\nSELECT count(*) FROM n;\n", files={"f.txt": "a\x1fb\x1e1\x1f2\x1e"})
script("import_tabs", ".mode tabs\n.import f.txt n\n.mode quote\nSELECT * FROM n;\n", files={"f.txt": "a\tb\n1\t\"q\"\n"})
script("import_missing_file", "CREATE TABLE n(a);\n.import --csv nothing.csv n\nSELECT count(*) FROM n;\n")
script("import_bad_arguments", ".import\n.import f.csv\n.import --wrong f.csv n\n.import f.csv n extra\n", files={"f.csv": CSV})
script("import_empty_file", ".mode csv\n.import f.csv n\nCREATE TABLE e(a);\n.import f.csv e\nSELECT count(*) FROM e;\n", files={"f.csv": ""})
script("import_odd_table_name", ".mode csv\n.import f.csv \"odd table\"\n.schema\n.import f.csv select\nSELECT count(*) FROM \"select\";\n", files={"f.csv": "a b,select\n1,2\n"})
script("import_blob_affinity", "CREATE TABLE n(i INTEGER, r REAL, t TEXT, b BLOB);\n.import --csv f.csv n\nSELECT typeof(i),typeof(r),typeof(t),typeof(b) FROM n;\n", files={"f.csv": "1,2,3,4\nx,y,z,\n"})
script("import_pipe", ".mode csv\n.import \"|printf 'a,b\\n1,2\\n'\" n\nSELECT * FROM n;\n")
script("import_verbose", ".mode csv\n.import -v f.csv n\n", files={"f.csv": CSV})
script("import_inside_transaction", "BEGIN;\n.import --csv f.csv n\nROLLBACK;\n.tables\n", files={"f.csv": CSV})
script("sql_argument", "SELECT 'not read';\n", ["{db}", "SELECT 1, 2;"])
script("sql_arguments", "", ["{db}", "CREATE TABLE a(x)", "INSERT INTO a VALUES(1)", "SELECT * FROM a; SELECT 2", ".tables"])
script("sql_argument_error", "", ["{db}", "SELECT 1; SELECT nope; SELECT 2", "SELECT 3"])
script("sql_argument_constraint", "", ["{db}", "CREATE TABLE u(x UNIQUE); INSERT INTO u VALUES(1),(1)", "SELECT 3"])
script("sql_argument_syntax", "", ["{db}", "SELEC 1"])
script("sql_argument_dot_error", "", ["{db}", ".nope", "SELECT 3"])
script("sql_argument_no_rows", "", ["-header", "{db}", "SELECT 1 AS a WHERE 0"])
script("cmd", "SELECT 3;\n", ["-cmd", "SELECT 1;", "-cmd", ".print two", "{db}"])
script("cmd_then_argument", "", ["-cmd", ".mode csv", "{db}", "SELECT 'a b', 2"])
script("cmd_error", "SELECT 3;\n", ["-cmd", "SELECT nope", "{db}"])
script("cmd_bail", "SELECT 3;\n", ["-bail", "-cmd", "SELECT nope", "{db}"])
script("double_dash_options", "SELECT 1 AS a, 2 AS b;\n", ["--csv", "--header", "{db}"])
script("memory", "CREATE TABLE t(x);\nINSERT INTO t VALUES(1);\nSELECT * FROM t;\n", [])
script("memory_named", "CREATE TABLE t(x);\n.tables\n", [":memory:"])
script("readonly", "SELECT * FROM t;\nINSERT INTO t VALUES(2);\n", ["-readonly", "ready.db"])
script("readonly_missing", "SELECT 1;\nSELECT * FROM sqlite_schema;\n", ["-readonly", "nothing.db"])
script("missing_directory", "SELECT 1;\nSELECT 2;\n", ["no/such/dir/x.db"])
script("missing_directory_argument", "", ["no/such/dir/x.db", "SELECT 1"])
script("is_a_directory", "SELECT 1;\nCREATE TABLE t(x);\n", ["adir"], {"adir/file": "x"})
script("not_a_database", "SELECT * FROM sqlite_schema;\n.tables\nCREATE TABLE t(x);\n.dump\n.schema\n", ["text.db"], {"text.db": "this is only some text, not a database\n" * 50})
script("not_a_database_argument", "", ["text.db", "CREATE TABLE t(x)"], {"text.db": "this is only some text, not a database\n" * 50})
script("short_file", "SELECT * FROM sqlite_schema;\n", ["text.db"], {"text.db": "short"})
script("empty_file", "SELECT count(*) FROM sqlite_schema;\nCREATE TABLE t(x);\n.tables\n", ["text.db"], {"text.db": ""})
script("explain_column_mode", ".mode column\nEXPLAIN QUERY PLAN SELECT 1;\n.eqp off\n")
script("parameters", ".parameter init\n.parameter set :a 5\nSELECT :a;\n.parameter list\n.parameter clear\n")
script("limits_and_misc", ".stats off\n.nullvalue x\n.log off\n.binary off\n.explain auto\nSELECT 1;\n")
script("last_rows", "CREATE TABLE t(x);\nINSERT INTO t VALUES(5);\nSELECT last_insert_rowid(), changes(), total_changes();\n")
script("transaction_open_at_end", "CREATE TABLE t(x);\nBEGIN;\nINSERT INTO t VALUES(1);\n")
script("many_rows", "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c LIMIT 3000) SELECT n, n*n FROM c;\n")
script("long_statement", "SELECT " + "+".join(["1"] * 900) + ";\nSELECT length('" + "x" * 200000 + "');\n")
script("shell_functions", "SELECT 1 WHERE 0;\n.help nothing_like_this\n.shell echo from shell\n.system echo again\n")
script("dbinfo_like", "PRAGMA page_size;\nPRAGMA encoding;\nPRAGMA user_version=7;\nPRAGMA user_version;\nPRAGMA table_info(sqlite_schema);\nPRAGMA integrity_check;\n")


def run(program, directory, arguments, text, batch=True, timeout=60):
    made = [a.replace("{db}", "x.db") for a in arguments]
    r = subprocess.run([*program, *(["-batch"] if batch else []), *made], cwd=directory, input=text.replace("{db}", "x.db").encode(),
                       capture_output=True, timeout=timeout, env=dict(os.environ, HOME=directory), check=False)
    return r.returncode, r.stdout.decode(errors="replace"), r.stderr.decode(errors="replace")


def directory_make(tests, name, files):
    directory = tests.path(name)
    os.makedirs(directory)
    for file, content in files.items():
        path = os.path.join(directory, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(content)
    return directory


def text_files(directory):
    """What the script wrote, databases aside."""
    found = {}
    for name in sorted(os.listdir(directory)):
        if name.endswith(".txt"):
            with open(os.path.join(directory, name), encoding="utf-8", errors="replace", newline="") as f:
                found[name] = f.read()
    return found


def difference(what, got, want):
    got_lines, want_lines = got.split("\n"), want.split("\n")
    for i in range(max(len(got_lines), len(want_lines))):
        g = got_lines[i] if i < len(got_lines) else "(nothing)"
        w = want_lines[i] if i < len(want_lines) else "(nothing)"
        if g != w:
            return f"{what}, line {i + 1}: {g!r}, want {w!r}"
    return f"{what} differs"


def decided(name, text):
    for names, pattern, replacement, _ in DECIDED:
        if name in names or not names:
            text = re.sub(pattern, replacement, text, flags=re.M)
    return text


def settle(name, text, directory):
    return decided(name, text.replace(os.path.realpath(directory), "DIR").replace(directory, "DIR"))


def same_as_sqlite3(tests, name):
    text, arguments, files = SCRIPTS[name]
    answers = []
    for program, kind in ((SQLITE, "a"), (SKERRY, "b")):
        directory = directory_make(tests, f"{name}.{kind}", files)
        if "ready.db" in arguments:
            subprocess.run(["sqlite3", "ready.db", "CREATE TABLE t(x); INSERT INTO t VALUES(1)"], cwd=directory, check=True)
        status, out, err = run(program, directory, arguments, text)
        answers.append((status, settle(name, out, directory), settle(name, err, directory), text_files(directory)))
    want, got = answers
    problems = []
    if got[1] != want[1]:
        problems.append(difference("output", got[1], want[1]))
    if got[2] != want[2]:
        problems.append(difference("errors", got[2], want[2]))
    if got[0] != want[0]:
        problems.append(f"status is {got[0]}, want {want[0]}")
    if got[3] != want[3]:
        problems.append(f"files are {got[3]}, want {want[3]}")
    check(not problems, "\n  ".join(problems))


# ---- files of one opened by the other -------------------------------------------------------------------

def shell(program, path, text, *options):
    r = subprocess.run([*program, "-batch", *options, path], input=text.encode(), capture_output=True, timeout=60, check=False)
    return r.stdout.decode() + r.stderr.decode()


def files_pass_between(tests, writer, reader, journal):
    path = tests.path(f"between-{writer[0].rpartition('/')[2]}-{journal}.db")
    shell(writer, path, f"PRAGMA journal_mode={journal};\n" + ROWS + "PRAGMA user_version=5;\n")
    want, got = (decided("", shell(program, path, ".dump\n.mode quote\nSELECT * FROM t;\nPRAGMA user_version;\n")) for program in (SQLITE, reader))
    equal(got, want, "what the reader sees")
    check("INSERT INTO auto VALUES(2,'q');" in want, want)
    shell(reader, path, "INSERT INTO t VALUES(99,'from the reader',0,NULL);\nDELETE FROM w;\n")
    for program in (writer, reader):
        equal(shell(program, path, "SELECT b FROM t WHERE a = 99;\nSELECT count(*) FROM w;\nPRAGMA integrity_check;\n"),
              "from the reader\n0\nok\n", f"what {program[0]} sees then")


def killed_process_leaves_log(tests, writer, reader):
    path = tests.path(f"killed-{writer[0].rpartition('/')[2]}.db")
    p = subprocess.Popen([*writer, "-batch", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    p.stdin.write(b"PRAGMA journal_mode=WAL;\nCREATE TABLE t(x);\nINSERT INTO t VALUES(1),(2);\nBEGIN;\nINSERT INTO t VALUES(3);\n"
                  b"SELECT 'written', count(*) FROM t;\n")
    p.stdin.flush()
    seen = b""
    while b"written|3" not in seen:
        piece = os.read(p.stdout.fileno(), 1000)
        check(piece, f"the writer ended: {seen!r}")
        seen += piece
    p.send_signal(signal.SIGKILL)
    p.wait()
    p.stdin.close()
    p.stdout.close()
    check(os.path.getsize(path + "-wal") > 0, "there is no log")
    equal(shell(reader, path, "SELECT * FROM t;\nPRAGMA integrity_check;\nINSERT INTO t VALUES(4);\n"), "1\n2\nok\n", "what was committed")
    equal(shell(writer, path, "SELECT * FROM t;\nPRAGMA integrity_check;\n"), "1\n2\n4\nok\n", "what the writer's program sees")


def dump_comes_back(tests):
    first, second, third = (tests.path(f"dump{i}.db") for i in range(3))
    shell(SKERRY, first, ROWS + "INSERT INTO t VALUES(50,'cr\r\nlf',0.1,x'00');\n")
    dump = shell(SKERRY, first, ".dump\n")
    equal(shell(SKERRY, second, dump), "", "errors of skerry reading the dump")
    equal(shell(SQLITE, third, dump), "", "errors of sqlite3 reading the dump")
    equal(shell(SKERRY, second, ".dump\n"), dump, "dump of the copy")
    equal(decided("", shell(SQLITE, third, ".dump\n")), decided("", dump), "sqlite3's dump of its copy")


def vfs(tests, name):
    path = tests.path(f"vfs-{name}.db")
    text = "CREATE TABLE t(x);\nINSERT INTO t VALUES(1),(2);\nSELECT sum(x) FROM t;\nPRAGMA integrity_check;\n"
    equal(shell(SKERRY, path, text, "--vfs", name), "3\nok\n", "output")
    check(os.path.exists(path) == (name != "memory"), "whether there is a file is wrong")
    if name != "memory":
        equal(shell(SQLITE, path, "SELECT sum(x) FROM t;\n"), "3\n", "what sqlite3 reads")


def bad_options(tests):
    for options in (["--vfs", "nonsense"], ["-insert"], ["-nonsense"], ["-separator"]):
        r = subprocess.run([*SKERRY, *options], input=b"SELECT 1;\n", capture_output=True, timeout=60, check=False)
        equal((r.returncode, r.stdout), (2, b""), f"status and output of {options}")
        check(options[0].encode() in r.stderr or b"vfs" in r.stderr, r.stderr)


# Commands without an equal in sqlite3, or with an answer of their own.
OWN = {
    "absent": (".sha3sum\n.load x\n.recover\n.nosuch\n.once -x\nSELECT 5;\n", "5\n",
               "Error: there is no .sha3sum here: compare what .dump writes\n"
               "Error: there is no .load here: no code is loaded into the process; programs that embed Skerry add functions by skerry.h\n"
               "Error: there is no .recover here: a backup is restored by skerry restore; what can be read of a damaged file comes by .dump\n"
               "Error: unknown command or invalid arguments:  \"nosuch\". Enter \".help\" for help\n"
               "Error: no editor and no spreadsheet is opened here: name a FILE\n"),
    "dbinfo": ("CREATE TABLE t(a PRIMARY KEY);\nCREATE VIEW v AS SELECT 1;\nPRAGMA user_version = 7;\n.dbinfo\n",
               "database page size:  4096\ndatabase page count: 3\nfreelist page count: 0\nschema cookie:       2\nauto vacuum:         0\n"
               "journal mode:        wal\ntext encoding:       UTF-8\nuser version:        7\napplication id:      0\n"
               "number of tables:    1\nnumber of indexes:   1\nnumber of triggers:  0\nnumber of views:     1\nschema size:         54\n"
               "data version:        1\n", ""),
    "dbinfo_missing": (".dbinfo nope\n.dbinfo a b\n", "", "Error: unknown database \"nope\"\nUsage: .dbinfo ?DB?\n"),
    "limits_of_its_own": (".limit statement_ms 2000\n.limit statement_ms\n", "        statement_ms 2000\n        statement_ms 2000\n", ""),
}


def own(tests, name):
    text, out, err = OWN[name]
    _, got_out, got_err = run(SKERRY, directory_make(tests, name, {}), ["x.db"], text)
    equal(got_out, out, "output")
    equal(got_err, err, "errors")


def eqp_full(tests):
    text = "CREATE TABLE t(a);\nINSERT INTO t VALUES(3);\n.eqp full\nSELECT a FROM t;\n.eqp off\nSELECT 9;\n"
    _, out, err = run(SKERRY, directory_make(tests, "eqp_full", {}), ["x.db"], text)
    equal(err, "", "errors")
    plan, program, rows = out.find("`--SCAN t\n"), out.find("ResultRow"), out.find("\n3\n9\n")
    check(0 <= plan < program < rows, f"the plan, the program and the rows do not follow each other: {out}")
    check(out.endswith("\n3\n9\n"), "something is behind the rows")


def save_beside_a_log(tests):
    """A copy does not take the place of a file that has a log: the log would be taken for the copy's."""
    directory = directory_make(tests, "save_beside_a_log", {"old.db": "", "old.db-wal": "something"})
    _, out, err = run(SKERRY, directory, ["x.db"], "CREATE TABLE t(a);\n.save old.db\n.save nowhere/x.db\nSELECT 1;\n")
    equal(out, "1\n", "output")
    check("old.db-wal is there" in err, f"the log is not told of: {err}")
    equal(err.count("Error"), 2, "errors")
    equal(sorted(f for f in os.listdir(directory) if "copy" in f), [], "what is left of the copies")


def concurrent_transaction(tests):
    """sqlite3 has no BEGIN CONCURRENT: what it then reads is what was committed."""
    path = tests.path("concurrent.db")
    out = shell(SKERRY, path, "CREATE TABLE t(a INTEGER PRIMARY KEY, b);\nBEGIN CONCURRENT;\nINSERT INTO t(b) VALUES('one');\n"
                "SAVEPOINT s;\nINSERT INTO t(b) VALUES('two');\nROLLBACK TO s;\nCOMMIT;\n"
                "BEGIN CONCURRENT TRANSACTION;\nDELETE FROM t;\nROLLBACK;\nSELECT * FROM t;\n")
    equal(out, "1|one\n", "skerry's answer")
    equal(shell(SQLITE, path, "SELECT * FROM t; PRAGMA integrity_check;"), "1|one\nok\n", "sqlite3's answer")


def timer_shape(tests):
    got = shell(SKERRY, ":memory:", ".timer on\nSELECT 1;\n.timer off\nSELECT 2;\n")
    check(re.fullmatch(r"1\nRun Time: real \d+\.\d{3} user \d+\.\d{6} sys \d+\.\d{6}\n2\n", got), got)


# ---- the prompt -----------------------------------------------------------------------------------------

class Terminal:
    """skerry sql at a pseudo-terminal."""

    def __init__(self, directory):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.environ.update(TERM="xterm", HOME=directory)
            os.execv(SKERRY[0], [*SKERRY, "x.db"])
        self.seen = ""

    def wait(self, text, seconds=20):
        """Until the text was printed; gives what came before it, and forgets all."""
        end = time.time() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.time()))
            check(ready, f"{text!r} was not printed; seen: {self.seen!r}")
            try:
                piece = os.read(self.fd, 4096)
            except OSError:
                piece = b""
            check(piece, f"the shell ended before {text!r}; seen: {self.seen!r}")
            self.seen += piece.decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def send(self, text):
        time.sleep(0.2)  # the prompt is there a moment before the terminal is set to single keys
        os.write(self.fd, text.encode())

    def status(self):
        """Reads until the shell has ended."""
        while True:
            ready, _, _ = select.select([self.fd], [], [], 20)
            check(ready, "the shell does not end")
            try:
                if not os.read(self.fd, 4096):
                    break
            except OSError:
                break
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def prompt(tests):
    directory = directory_make(tests, "prompt", {})
    t = Terminal(directory)
    check("Skerry" in t.wait("skerry> "), "there is no greeting")
    t.send("SELECT 'ab' ||\r")
    t.wait("...> ")
    t.send("'cd';\r")
    t.wait("\nabcd")
    t.wait("skerry> ")
    t.send("SELECT nope;\r")
    t.wait("no such column: nope")
    t.wait("skerry> ")
    t.send("SELECT 40+3;\r")
    t.wait("\n43")
    t.wait("skerry> ")
    t.send("\x1b[A\x1b[D\x7f5\r")  # up, left of the semicolon, 3 becomes 5
    t.wait("\n45")
    t.wait("skerry> ")
    t.send(".quit\r")
    equal(t.status(), 0, "status")
    again = Terminal(directory)
    again.wait("skerry> ")
    again.send("\x1b[A\x1b[A\r")  # the history outlives the shell: .quit, then the statement before
    again.wait("\n45")
    again.wait("skerry> ")
    again.send("\x04")
    equal(again.status(), 0, "status at the end of input")


def interrupt(tests):
    t = Terminal(directory_make(tests, "interrupt", {}))
    t.wait("skerry> ")
    t.send("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) SELECT count(*) FROM c;\r")
    time.sleep(0.5)
    t.send("\x03")
    t.wait("interrupted")
    t.wait("skerry> ")
    t.send("SELECT 6*7;\r")
    t.wait("\n42")
    t.send(".quit\r")
    equal(t.status(), 0, "status")


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    tests = Tests()
    for name in SCRIPTS:
        if word in name:
            tests.run(name, same_as_sqlite3, tests, name)
    others = [("dump_comes_back", dump_comes_back), ("bad_options", bad_options), ("timer_shape", timer_shape),
              ("prompt", prompt), ("interrupt", interrupt), ("eqp_full", eqp_full), ("save_beside_a_log", save_beside_a_log),
              ("concurrent_transaction", concurrent_transaction)]
    others += [(name, own, name) for name in OWN]
    others += [(f"vfs_{name}", vfs, name) for name in ("io_uring", "posix", "memory")]
    for a, b, which in ((SQLITE, SKERRY, "sqlite3_to_skerry"), (SKERRY, SQLITE, "skerry_to_sqlite3")):
        others += [(f"killed_{which}", killed_process_leaves_log, a, b)]
        others += [(f"{journal}_{which}", files_pass_between, a, b, journal) for journal in ("wal", "delete")]
    for name, f, *arguments in others:
        if word in name:
            tests.run(name, f, tests, *arguments)
    tests.finish()


main()
