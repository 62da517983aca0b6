// Goal: triggers fire when, in the order and with the values that SQLite's do.
// Method: scripts run on Skerry and on libsqlite3 are compared statement by statement (tests/oracle.h).
#include "../../oracle.h"

#define RUN(...)                                                                                   \
    do {                                                                                           \
        static const struct oracle_script scripts[] = {__VA_ARGS__};                               \
        oracle_run_scripts(scripts, COUNT_OF(scripts));                                            \
    } while (0)

#define LOG "CREATE TABLE log(n INTEGER PRIMARY KEY, what, a, b, c, d);"

TEST(rows)
{
    RUN({"before and after", LOG "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c REAL);"
         "CREATE TRIGGER bi BEFORE INSERT ON t BEGIN INSERT INTO log(what, a, b) VALUES('bi', new.a, new.b); END;"
         "CREATE TRIGGER ai AFTER INSERT ON t BEGIN INSERT INTO log(what, a, b) VALUES('ai', new.a, new.b); END;"
         "CREATE TRIGGER bu BEFORE UPDATE ON t BEGIN INSERT INTO log(what, a, b, c, d) VALUES('bu', old.a, old.b, new.a, new.b); END;"
         "CREATE TRIGGER au AFTER UPDATE ON t BEGIN INSERT INTO log(what, a, b, c, d) VALUES('au', old.a, old.b, new.a, new.b); END;"
         "CREATE TRIGGER bd BEFORE DELETE ON t BEGIN INSERT INTO log(what, a, b) VALUES('bd', old.a, old.b); END;"
         "CREATE TRIGGER ad AFTER DELETE ON t BEGIN INSERT INTO log(what, a, b) VALUES('ad', old.a, old.b); END;"
         "INSERT INTO t(b) VALUES('x'), ('y'); INSERT INTO t VALUES(10, 'z', 3);"
         "UPDATE t SET b = b || '1'; UPDATE t SET a = a + 5 WHERE a < 5; DELETE FROM t WHERE a = 10; DELETE FROM t;"
         "INSERT INTO t VALUES(1, 'r', 1); INSERT OR REPLACE INTO t VALUES(1, 's', 1);"
         "INSERT INTO t VALUES(1, 'u', 1) ON CONFLICT(a) DO UPDATE SET b = excluded.b;"
         "SELECT * FROM log; SELECT changes(), total_changes(), last_insert_rowid();"},
        {"order and when", LOG "CREATE TABLE t(a, b);"
         "CREATE TRIGGER t1 AFTER INSERT ON t WHEN new.a > 1 BEGIN INSERT INTO log(what, a) VALUES('t1', new.a); END;"
         "CREATE TRIGGER t2 AFTER INSERT ON t BEGIN INSERT INTO log(what, a) VALUES('t2', new.a); SELECT 1;"
         " UPDATE t SET b = 'set' WHERE a = new.a; END;"
         "CREATE TRIGGER t3 AFTER UPDATE OF b ON t BEGIN INSERT INTO log(what, a, b) VALUES('t3', old.b, new.b); END;"
         "CREATE TRIGGER t4 AFTER UPDATE OF a ON t BEGIN INSERT INTO log(what, a, b) VALUES('t4', old.a, new.a); END;"
         "INSERT INTO t(a) VALUES(1), (2), (3); UPDATE t SET a = a + 1; UPDATE t SET b = 5, a = 6 WHERE a = 3;"
         "SELECT * FROM log; SELECT * FROM t;"},
        {"modifying the row", "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c, d AS (b || c));"
         "CREATE TRIGGER bu BEFORE UPDATE OF b ON t BEGIN UPDATE t SET c = 'by trigger' WHERE a = old.a; END;"
         "INSERT INTO t(a, b, c) VALUES(1, 'b', 'c'), (2, 'b', 'c');"
         "UPDATE t SET b = 'new'; SELECT * FROM t;"
         "CREATE TRIGGER bd BEFORE UPDATE OF c ON t WHEN old.a = 2 BEGIN DELETE FROM t WHERE a = 2; END;"
         "UPDATE t SET c = 'x'; SELECT * FROM t;"});
}

TEST(raise)
{
    RUN({"actions", "CREATE TABLE t(a); CREATE TABLE u(a);"
         "CREATE TRIGGER t1 BEFORE INSERT ON t BEGIN INSERT INTO u VALUES(new.a);"
         " SELECT CASE new.a WHEN 1 THEN RAISE(IGNORE) WHEN 2 THEN RAISE(ABORT, 'two') WHEN 3 THEN RAISE(FAIL, 'three')"
         " WHEN 4 THEN RAISE(ROLLBACK, 'four') END; END;"
         "INSERT INTO t VALUES(0), (1), (5); INSERT INTO t VALUES(6), (2), (7); INSERT INTO t VALUES(8), (3), (9);"
         "BEGIN; INSERT INTO t VALUES(10); INSERT INTO t VALUES(11), (4); COMMIT;"
         "SELECT * FROM t; SELECT * FROM u; SELECT RAISE(IGNORE);"},
        {"nested ignore", "CREATE TABLE t(a); CREATE TABLE u(a);"
         "CREATE TRIGGER t1 AFTER INSERT ON t BEGIN INSERT INTO u VALUES(new.a); INSERT INTO u VALUES('after'); END;"
         "CREATE TRIGGER u1 BEFORE INSERT ON u WHEN new.a = 2 BEGIN SELECT RAISE(IGNORE); END;"
         "INSERT INTO t VALUES(1), (2), (3); SELECT * FROM u; SELECT * FROM t;"});
}

TEST(recursion)
{
    RUN({"off and on", "CREATE TABLE t(a); CREATE TRIGGER t1 AFTER INSERT ON t WHEN new.a < 10 BEGIN INSERT INTO t VALUES(new.a + 1); END;"
         "INSERT INTO t VALUES(1); SELECT * FROM t; DELETE FROM t; PRAGMA recursive_triggers = ON;"
         "INSERT INTO t VALUES(1); SELECT * FROM t;"},
        {"too deep", "PRAGMA recursive_triggers = ON; CREATE TABLE t(a);"
         "CREATE TRIGGER t1 AFTER INSERT ON t BEGIN INSERT INTO t VALUES(new.a + 1); END; INSERT INTO t VALUES(1);"
         "SELECT count(*) FROM t;"},
        {"replace fires delete", "PRAGMA recursive_triggers = ON; " LOG "CREATE TABLE t(a PRIMARY KEY, b UNIQUE);"
         "CREATE TRIGGER bd BEFORE DELETE ON t BEGIN INSERT INTO log(what, a) VALUES('bd', old.a); END;"
         "CREATE TRIGGER ad AFTER DELETE ON t BEGIN INSERT INTO log(what, a) VALUES('ad', old.a); END;"
         "INSERT INTO t VALUES(1, 'x'), (2, 'y'); REPLACE INTO t VALUES(1, 'y'); SELECT * FROM log; SELECT * FROM t;"});
}

TEST(views)
{
    RUN({"instead of", LOG "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE VIEW v(x, y) AS SELECT a, b || '!' FROM t;"
         "INSERT INTO v VALUES(1, 'no'); UPDATE v SET x = 1; DELETE FROM v;"
         "CREATE TRIGGER vi INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES(new.x, new.y); END;"
         "CREATE TRIGGER vu INSTEAD OF UPDATE ON v BEGIN INSERT INTO log(what, a, b, c, d) VALUES('vu', old.x, old.y, new.x, new.y);"
         " UPDATE t SET b = new.y WHERE a = old.x; END;"
         "CREATE TRIGGER vd INSTEAD OF DELETE ON v BEGIN DELETE FROM t WHERE a = old.x; END;"
         "INSERT INTO v VALUES(1, 'one'), (2, 'two'); INSERT INTO v(y, x) SELECT b || 'c', a + 10 FROM t;"
         "UPDATE v SET y = y || '?' WHERE x < 10; UPDATE v SET y = s.n FROM (SELECT 11 AS k, 'from' AS n) AS s WHERE x = s.k;"
         "DELETE FROM v WHERE x = 2; INSERT INTO v VALUES(7, 'seven') RETURNING x, y;"
         "SELECT * FROM v; SELECT * FROM log; SELECT * FROM t; SELECT changes(), total_changes();"});
}

TEST(conflicts)
{
    RUN({"inherited", "CREATE TABLE t(a); CREATE TABLE u(a UNIQUE);"
         "CREATE TRIGGER t1 AFTER INSERT ON t BEGIN INSERT INTO u VALUES(new.a); END;"
         "INSERT INTO t VALUES(1); INSERT INTO t VALUES(1); INSERT OR IGNORE INTO t VALUES(1); INSERT OR REPLACE INTO t VALUES(1);"
         "SELECT * FROM t; SELECT rowid, * FROM u;"
         "CREATE TRIGGER t2 AFTER DELETE ON t BEGIN INSERT OR REPLACE INTO u VALUES(1); END; DELETE FROM t WHERE rowid = 1;"
         "SELECT rowid, * FROM u;"});
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
