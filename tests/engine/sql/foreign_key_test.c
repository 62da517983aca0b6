// Goal: foreign keys are enforced and act as SQLite's do.
// Method: scripts run on Skerry and on libsqlite3 are compared statement by statement (tests/oracle.h).
#include "../../oracle.h"

#define RUN(...)                                                                                   \
    do {                                                                                           \
        static const struct oracle_script scripts[] = {__VA_ARGS__};                               \
        oracle_run_scripts(scripts, COUNT_OF(scripts));                                            \
    } while (0)

TEST(checks)
{
    RUN({"immediate", "PRAGMA foreign_keys = ON;"
         "CREATE TABLE p(a INTEGER PRIMARY KEY, b UNIQUE); CREATE TABLE c(x REFERENCES p, y REFERENCES p(b));"
         "INSERT INTO p VALUES(1, 'one'), (2, 'two');"
         "INSERT INTO c VALUES(1, 'one'); INSERT INTO c VALUES(NULL, 'two'); INSERT INTO c VALUES(3, NULL);"
         "INSERT INTO c VALUES(1, 'three'); INSERT INTO c VALUES('2', NULL); INSERT INTO c VALUES('x', NULL);"
         "INSERT INTO c VALUES(1, 'one'), (9, 'one');"
         "DELETE FROM p WHERE a = 1; UPDATE p SET a = 5 WHERE a = 1; UPDATE p SET b = 'uno' WHERE a = 1;"
         "UPDATE c SET x = 2; UPDATE c SET x = 8; DELETE FROM p WHERE a = 1; DELETE FROM c; DELETE FROM p;"
         "SELECT * FROM p; SELECT * FROM c;"},
        {"deferred", "PRAGMA foreign_keys = ON;"
         "CREATE TABLE p(a PRIMARY KEY); CREATE TABLE c(x REFERENCES p DEFERRABLE INITIALLY DEFERRED);"
         "INSERT INTO c VALUES(1); BEGIN; INSERT INTO c VALUES(1); INSERT INTO p VALUES(1); COMMIT;"
         "BEGIN; DELETE FROM p; COMMIT; INSERT INTO p VALUES(1); COMMIT;"
         "BEGIN; INSERT INTO c VALUES(7); COMMIT; ROLLBACK; SELECT * FROM c;"
         "CREATE TABLE d(x REFERENCES p); PRAGMA defer_foreign_keys = ON; BEGIN; PRAGMA defer_foreign_keys = ON;"
         "INSERT INTO d VALUES(33); COMMIT; INSERT INTO p VALUES(33); COMMIT; SELECT * FROM d;"
         "SAVEPOINT s; INSERT INTO c VALUES(99); RELEASE s; ROLLBACK TO s; RELEASE s; SELECT * FROM c;"},
        {"composite", "PRAGMA foreign_keys = ON;"
         "CREATE TABLE p(a, b, PRIMARY KEY(b, a)); CREATE TABLE c(x, y, FOREIGN KEY(x, y) REFERENCES p(a, b) ON UPDATE CASCADE);"
         "INSERT INTO p VALUES(1, 2), (3, 4); INSERT INTO c VALUES(1, 2); INSERT INTO c VALUES(2, 1); INSERT INTO c VALUES(1, NULL);"
         "UPDATE p SET a = 10 WHERE a = 1; SELECT * FROM c; DELETE FROM p;"},
        {"mismatch", "PRAGMA foreign_keys = ON;"
         "CREATE TABLE p(a, b); CREATE TABLE c(x REFERENCES p(a)); INSERT INTO c VALUES(1);"
         "CREATE TABLE d(x REFERENCES nope); INSERT INTO d VALUES(NULL); INSERT INTO d VALUES(1);"
         "CREATE TABLE e(x, y, FOREIGN KEY(x, y) REFERENCES p); INSERT INTO e VALUES(1, 2); DELETE FROM p;"
         "CREATE UNIQUE INDEX pa ON p(a); INSERT INTO c VALUES(1); INSERT INTO p VALUES(1, 1); INSERT INTO c VALUES(1);"},
        {"self", "PRAGMA foreign_keys = ON;"
         "CREATE TABLE t(a INTEGER PRIMARY KEY, up REFERENCES t ON DELETE CASCADE);"
         "INSERT INTO t VALUES(1, 1); INSERT INTO t VALUES(2, 1), (3, 2), (4, 3); INSERT INTO t VALUES(5, 6); INSERT INTO t VALUES(6, 7), (7, 6);"
         "UPDATE t SET up = 99 WHERE a = 4; DELETE FROM t WHERE a = 2; SELECT * FROM t; DELETE FROM t WHERE a = 1; SELECT * FROM t;"
         "CREATE TABLE s(k TEXT PRIMARY KEY, up REFERENCES s(k) ON UPDATE CASCADE) WITHOUT ROWID;"
         "INSERT INTO s VALUES('a', 'a'); INSERT INTO s VALUES('b', 'a'); UPDATE s SET k = 'z' WHERE k = 'a'; SELECT * FROM s;"});
}

TEST(actions)
{
    static const char *actions[] = {"NO ACTION", "RESTRICT", "SET NULL", "SET DEFAULT", "CASCADE"};
    static const char *deferred[] = {"", "DEFERRABLE INITIALLY DEFERRED"};
    for (u32 i = 0; i < COUNT_OF(actions); i++) {
        for (u32 k = 0; k < COUNT_OF(deferred); k++) {
            char sql[2000], name[64];
            snprintf(sql, sizeof(sql),
                     "PRAGMA foreign_keys = ON; CREATE TABLE p(a INTEGER PRIMARY KEY, b TEXT UNIQUE COLLATE nocase);"
                     "CREATE TABLE c(id INTEGER PRIMARY KEY, x INT DEFAULT 3 REFERENCES p ON DELETE %s ON UPDATE %s %s,"
                     " y DEFAULT 'three' REFERENCES p(b) ON DELETE %s ON UPDATE %s %s); CREATE INDEX cx ON c(x);"
                     "CREATE TABLE log(a, b); CREATE TRIGGER cu AFTER UPDATE ON c BEGIN INSERT INTO log VALUES(old.x, new.x); END;"
                     "CREATE TRIGGER cd AFTER DELETE ON c BEGIN INSERT INTO log VALUES(old.x, 'gone'); END;"
                     "INSERT INTO p VALUES(1, 'one'), (2, 'two'), (3, 'three'), (4, 'four');"
                     "INSERT INTO c VALUES(1, 1, 'ONE'), (2, 2, 'two'), (3, 2, 'One'), (4, NULL, NULL);"
                     "UPDATE p SET a = 10 WHERE a = 1; UPDATE p SET b = 'UNO' WHERE a IN (1, 10); UPDATE p SET b = 'TWO' WHERE a = 2;"
                     "SELECT * FROM c; DELETE FROM p WHERE a = 2; SELECT * FROM c; DELETE FROM p WHERE b = 'uno'; SELECT * FROM c;"
                     "INSERT OR REPLACE INTO p VALUES(4, 'vier'); REPLACE INTO p VALUES(2, 'two'); UPDATE p SET a = a + 100;"
                     "DELETE FROM p; SELECT * FROM c; SELECT * FROM p; SELECT * FROM log; SELECT changes(), total_changes();"
                     "DROP TABLE p; SELECT * FROM c;",
                     actions[i], actions[i], deferred[k], actions[i], actions[i], deferred[k]);
            snprintf(name, sizeof(name), "%s %s", actions[i], deferred[k]);
            struct oracle_script script = {name, sql};
            oracle_run_scripts(&script, 1);
        }
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
