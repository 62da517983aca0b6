// Goal: DDL and pragmas leave the schema, and answer, as SQLite does.
// Method: scripts run on ours and on libsqlite3, each on a database of its own in memory; after each statement the
// verdict, the message and the rows are compared, after each script the contents of sqlite_schema too. Column
// numbers of trees (rootpage) are left out.
#include "../../test.h"

#include <stdarg.h>

#include <sqlite3.h>

#include "../../../engine/skerry.h"

static const char *const scripts[] = {
    // kinds of tables and what their declarations become
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b VARCHAR(10) NOT NULL DEFAULT 'x', c REAL UNIQUE, d, CHECK(d>0));"
    "PRAGMA table_info(t); PRAGMA table_xinfo(t); PRAGMA index_list(t); PRAGMA index_xinfo(sqlite_autoindex_t_1);"
    "CREATE TABLE t(x); CREATE TABLE IF NOT EXISTS T(x); CREATE INDEX t ON t(b); DROP TABLE t; DROP TABLE t;"
    "DROP TABLE IF EXISTS t",
    "CREATE TABLE w(a TEXT, b INT, c, PRIMARY KEY(b DESC, a)) WITHOUT ROWID; INSERT INTO w VALUES('x',1,2);"
    "PRAGMA index_info(w); PRAGMA index_xinfo(w); PRAGMA table_info(w); PRAGMA index_list(w); SELECT * FROM w",
    "CREATE TABLE s(a INT, b ANY, c BLOB PRIMARY KEY) STRICT; CREATE TABLE s2(a INTEGER, b FOO) STRICT;"
    "CREATE TABLE s3(a) STRICT; PRAGMA table_info(s)",
    "CREATE TABLE a1(id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO a1(x) VALUES(1),(2);"
    "SELECT * FROM sqlite_sequence; DROP TABLE a1; SELECT * FROM sqlite_sequence; DROP TABLE sqlite_sequence;"
    "CREATE TABLE a2(id INT PRIMARY KEY AUTOINCREMENT); CREATE TABLE a3(id INTEGER PRIMARY KEY AUTOINCREMENT) WITHOUT ROWID",
    "CREATE TABLE g(a, b AS (a+1), c INT GENERATED ALWAYS AS (a*2) STORED); INSERT INTO g VALUES(1);"
    "PRAGMA table_info(g); PRAGMA table_xinfo(g); SELECT * FROM g; CREATE TABLE g2(a AS (1)); CREATE TABLE g3(a, b AS (a) FOO);"
    "CREATE TABLE g4(a, b AS (a) PRIMARY KEY); CREATE TABLE g5(a, b DEFAULT 1 AS (a))",
    "CREATE TABLE e(a, a); CREATE TABLE e(a PRIMARY KEY, b PRIMARY KEY); CREATE TABLE sqlite_x(a);"
    "CREATE TABLE e(a DEFAULT (b)); CREATE TABLE e(a, UNIQUE(z)); CREATE TABLE e(a, PRIMARY KEY(a+1));"
    "CREATE TABLE e(a, FOREIGN KEY(q) REFERENCES z(y)); CREATE TABLE e(a REFERENCES z(x,y));"
    "CREATE TABLE e(a) WITHOUT ROWID; CREATE TABLE e(a CHECK(nosuch>1)); CREATE TABLE e(a COLLATE nosuch);"
    "CREATE TABLE nosuch.e(a); CREATE TABLE e(a) FOO; CREATE TABLE e(a UNIQUE ON CONFLICT FAIL, UNIQUE(a) ON CONFLICT ABORT)",
    "CREATE TABLE src(a INT, b TEXT, c); INSERT INTO src VALUES(1,'x',2.5),(2,'y',NULL);"
    "CREATE TABLE copy AS SELECT a, b AS bb, c, a+1, count(*) OVER () FROM src; SELECT a, bb, c FROM copy;"
    "CREATE TABLE \"a b\" AS SELECT 1 AS \"x\"\"y\", 'long enough to be written on several lines' AS somewhat_longer_name, 3",
    // indexes
    "CREATE TABLE t(a, b, c); INSERT INTO t VALUES(1,2,3),(1,5,6),(NULL,NULL,9);"
    "CREATE UNIQUE INDEX i1 ON t(a); CREATE UNIQUE INDEX i2 ON t(b); CREATE INDEX i3 ON t(a+b DESC, c COLLATE nocase) WHERE c>1;"
    "CREATE INDEX i2 ON t(c); CREATE INDEX IF NOT EXISTS i2 ON t(c); CREATE INDEX i4 ON nosuch(c); CREATE INDEX i5 ON t(nosuch);"
    "CREATE INDEX i6 ON t(random()); CREATE INDEX i7 ON t(a) WHERE nosuch; CREATE INDEX i8 ON sqlite_master(name);"
    "PRAGMA index_list(t); PRAGMA index_info(i3); PRAGMA index_xinfo(i3); DROP INDEX i3; DROP INDEX i3; DROP INDEX IF EXISTS i3;"
    "CREATE TABLE u(a UNIQUE); DROP INDEX sqlite_autoindex_u_1; REINDEX; REINDEX t; REINDEX nosuch; PRAGMA integrity_check",
    // views and triggers
    "CREATE TABLE t(a INT, b TEXT); CREATE VIEW v(x, y) AS SELECT a, b FROM t /* c */ ; CREATE TEMP VIEW v2 AS SELECT 1;"
    "CREATE VIEW v AS SELECT 1; CREATE VIEW t AS SELECT 1; CREATE TABLE v(a); CREATE VIEW v3 AS SELECT ?1;"
    "DROP TABLE v; DROP VIEW t; PRAGMA table_info(v); CREATE INDEX iv ON v(x); DROP VIEW v; SELECT * FROM v",
    "CREATE TABLE t(a, b); CREATE TABLE log(x); CREATE TRIGGER tr AFTER UPDATE OF a ON t WHEN new.a>1 BEGIN"
    " INSERT INTO log VALUES(old.a); SELECT 1; END; INSERT INTO t VALUES(1,1); UPDATE t SET a=5; SELECT * FROM log;"
    "CREATE TRIGGER tr BEFORE INSERT ON t BEGIN SELECT 1; END; CREATE TRIGGER t2 INSTEAD OF INSERT ON t BEGIN SELECT 1; END;"
    "CREATE VIEW v AS SELECT * FROM t; CREATE TRIGGER t3 AFTER INSERT ON v BEGIN SELECT 1; END;"
    "CREATE TRIGGER t4 AFTER INSERT ON nosuch BEGIN SELECT 1; END; CREATE TRIGGER t5 AFTER INSERT ON t BEGIN SELECT ?; END;"
    "CREATE TRIGGER t6 AFTER INSERT ON sqlite_master BEGIN SELECT 1; END; DROP TRIGGER tr; DROP TRIGGER tr; DROP TABLE t",
    // ALTER TABLE
    "CREATE TABLE t1(a /* A */, b, \"c d\", CHECK(a>b), FOREIGN KEY(a) REFERENCES t1(b)); CREATE TABLE t2(x REFERENCES t1(a));"
    "CREATE INDEX i ON t1(a, b+a) WHERE t1.a>5; CREATE VIEW v AS SELECT t1.a, q.b FROM t1, t1 AS q WHERE t1.a=q.b;"
    "CREATE TRIGGER tr AFTER UPDATE OF a ON t1 WHEN new.a>old.b BEGIN INSERT INTO t1(a,b) VALUES(new.a,new.b);"
    " UPDATE t1 SET a=b WHERE t1.a=5; DELETE FROM t1 WHERE a=1; END;"
    "ALTER TABLE t1 RENAME a TO aa; SELECT sql FROM sqlite_master; ALTER TABLE t1 RENAME \"c d\" TO e;"
    "ALTER TABLE t1 RENAME TO \"new name\"; SELECT name, tbl_name, sql FROM sqlite_master; ALTER TABLE \"new name\" RENAME b TO \"b c\";"
    "ALTER TABLE t2 RENAME TO \"new name\"; ALTER TABLE t2 RENAME nosuch TO y; ALTER TABLE v RENAME TO w; ALTER TABLE nosuch RENAME TO x",
    "CREATE TABLE t(a, b DEFAULT 5, c); INSERT INTO t VALUES(1,2,3),(4,5,6); CREATE INDEX i ON t(c);"
    "ALTER TABLE t ADD COLUMN d INT DEFAULT -7; ALTER TABLE t ADD e TEXT; SELECT * FROM t; ALTER TABLE t DROP COLUMN b; SELECT * FROM t;"
    "ALTER TABLE t DROP COLUMN c; ALTER TABLE t DROP COLUMN nosuch; ALTER TABLE t ADD a; ALTER TABLE t ADD p PRIMARY KEY;"
    "ALTER TABLE t ADD u UNIQUE; ALTER TABLE t ADD n NOT NULL; ALTER TABLE t ADD n NOT NULL DEFAULT 3; ALTER TABLE t ADD k DEFAULT current_time;"
    "ALTER TABLE t ADD g AS (a+1) STORED; ALTER TABLE t ADD g AS (a+1); ALTER TABLE t ADD q CHECK(q>5); ALTER TABLE t ADD q2 DEFAULT 1 CHECK(q2>5);"
    "SELECT * FROM t; SELECT sql FROM sqlite_master; PRAGMA integrity_check",
    "CREATE TABLE w(a, b, c, d, PRIMARY KEY(b,d)) WITHOUT ROWID; INSERT INTO w VALUES(1,2,3,4),(5,6,7,8);"
    "ALTER TABLE w DROP COLUMN a; SELECT * FROM w; ALTER TABLE w DROP COLUMN b; ALTER TABLE w RENAME d TO z; SELECT z FROM w; PRAGMA integrity_check",
    // pragmas
    "PRAGMA user_version; PRAGMA user_version=42; PRAGMA user_version; PRAGMA application_id=-5; PRAGMA application_id;"
    "PRAGMA foreign_keys; PRAGMA foreign_keys=on; PRAGMA foreign_keys; PRAGMA foreign_keys=0; PRAGMA foreign_keys;"
    "PRAGMA recursive_triggers; PRAGMA recursive_triggers=yes; PRAGMA recursive_triggers; PRAGMA encoding; PRAGMA nosuch; PRAGMA nosuch=5;"
    "PRAGMA busy_timeout=250; PRAGMA busy_timeout; PRAGMA freelist_count; PRAGMA query_only; PRAGMA locking_mode; PRAGMA main.locking_mode; PRAGMA locking_mode=normal; PRAGMA locking_mode=nonsense; PRAGMA temp_store;"
    "PRAGMA collation_list; PRAGMA database_list; PRAGMA nosuchdb.user_version; PRAGMA cell_size_check; PRAGMA read_uncommitted",
    "CREATE TABLE p(a PRIMARY KEY, b UNIQUE); CREATE TABLE c(x REFERENCES p ON DELETE CASCADE, y REFERENCES p(b) ON UPDATE SET NULL,"
    " z, FOREIGN KEY(x,z) REFERENCES q(m,n) DEFERRABLE INITIALLY DEFERRED); PRAGMA foreign_key_list(c);"
    "INSERT INTO c VALUES(1,2,NULL),(NULL,NULL,1); PRAGMA foreign_key_check(c); INSERT INTO p VALUES(1,2); PRAGMA foreign_key_check",
    // transactions undo DDL
    "CREATE TABLE t(a); BEGIN; CREATE TABLE u(b); INSERT INTO u VALUES(1); SELECT * FROM u; ROLLBACK; SELECT * FROM u;"
    "BEGIN; DROP TABLE t; ROLLBACK; SELECT * FROM t; SAVEPOINT s; CREATE INDEX i ON t(a); ROLLBACK TO s; RELEASE s; SELECT name FROM sqlite_master;"
    "BEGIN; ALTER TABLE t ADD z; ROLLBACK; SELECT sql FROM sqlite_master; COMMIT; BEGIN; BEGIN; END; RELEASE nosuch",
    // ANALYZE
    "CREATE TABLE t(a, b); CREATE INDEX i ON t(a, b); CREATE TABLE u(x); CREATE TABLE e(y); INSERT INTO u VALUES(1),(2);"
    "INSERT INTO t VALUES(1,1),(1,1),(1,2),(2,3),(NULL,4); ANALYZE; SELECT * FROM sqlite_stat1 ORDER BY 1,2; DELETE FROM t WHERE a=1;"
    "ANALYZE t; SELECT * FROM sqlite_stat1 ORDER BY 1,2; ANALYZE nosuch; DROP INDEX i; SELECT * FROM sqlite_stat1 ORDER BY 1,2",
    // attached and temporary databases
    "ATTACH ':memory:' AS x; CREATE TABLE x.t(a); CREATE TEMP TABLE tt(b); CREATE TABLE main.m(c); SELECT name FROM x.sqlite_master;"
    "SELECT name FROM temp.sqlite_master; SELECT name FROM sqlite_temp_schema; CREATE INDEX x.i ON t(a); CREATE INDEX temp.j ON m(c);"
    "CREATE TRIGGER x.tr AFTER INSERT ON m BEGIN SELECT 1; END; CREATE TEMP TRIGGER tr2 AFTER INSERT ON m BEGIN SELECT 1; END;"
    "DROP TABLE m; SELECT name FROM temp.sqlite_master; DETACH x; DETACH x; DETACH main; SELECT * FROM x.t; ATTACH ':memory:' AS main",
};

static void append(char *out, size_t capacity, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void append(char *out, size_t capacity, const char *format, ...)
{
    size_t size = strlen(out);
    va_list list;
    va_start(list, format);
    vsnprintf(out + size, capacity - size, format, list);
    va_end(list);
}

#define OUT_MAX 60000

// The next complete statement of *sql, in a buffer of the caller's; false at the end.
static bool next_statement(const char **sql, char *out, size_t capacity)
{
    size_t size = 0;
    while (**sql && size + 1 < capacity) {
        out[size++] = *(*sql)++;
        out[size] = 0;
        if (out[size - 1] == ';' && sqlite3_complete(out)) return true;
    }
    return size > 0;
}

static void run_ours(struct skerry *db, const char *sql, char *out)
{
    char one[2000];
    while (next_statement(&sql, one, sizeof one)) {
        struct skerry_stmt *stmt = NULL;
        size_t used = 0;
        int rc;
        while ((rc = skerry_prepare(db, one, strlen(one), &stmt, &used)) == SKERRY_WAIT) skerry_wait(db);
        if (rc == SKERRY_OK && stmt) {
            while ((rc = skerry_step(stmt)) != SKERRY_DONE) {
                if (rc == SKERRY_WAIT) {
                    skerry_wait(db);
                    continue;
                }
                if (rc != SKERRY_ROW) break;
                for (u32 i = 0; i < skerry_column_count(stmt); i++) {
                    const char *text = skerry_column_text(stmt, i, NULL);
                    append(out, OUT_MAX, "%s|", text ? text : "NULL");
                }
                append(out, OUT_MAX, "\n");
            }
        }
        if (rc != SKERRY_DONE && rc != SKERRY_OK) append(out, OUT_MAX, "error: %s\n", skerry_error(db)->text);
        while (stmt && skerry_reset(stmt) == SKERRY_WAIT) skerry_wait(db);
        skerry_finalize(stmt);
        append(out, OUT_MAX, "-- after: %s\n", one);
    }
}

static void run_theirs(sqlite3 *db, const char *sql, char *out)
{
    char one[2000];
    while (next_statement(&sql, one, sizeof one)) {
        sqlite3_stmt *stmt = NULL;
        int rc = sqlite3_prepare_v2(db, one, -1, &stmt, NULL);
        if (rc == SQLITE_OK && stmt) {
            while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
                for (int i = 0; i < sqlite3_column_count(stmt); i++) {
                    const char *text = (const char *)sqlite3_column_text(stmt, i);
                    append(out, OUT_MAX, "%s|", text ? text : "NULL");
                }
                append(out, OUT_MAX, "\n");
            }
        }
        if (rc != SQLITE_DONE && rc != SQLITE_OK) append(out, OUT_MAX, "error: %s\n", sqlite3_errmsg(db));
        sqlite3_finalize(stmt);
        append(out, OUT_MAX, "-- after: %s\n", one);
    }
}

// The first line that differs, for the report.
static void compare(const char *script, const char *got, const char *want)
{
    if (strcmp(got, want) == 0) return;
    size_t i = 0, line = 0;
    while (got[i] && got[i] == want[i]) {
        if (got[i] == '\n') line = i + 1;
        i++;
    }
    const char *after = strstr(got + line, "-- after: ");
    test_fail(__FILE__, __LINE__, "%.60s...\n    got  %.*s\n    want %.*s\n    %.*s", script,
              (int)strcspn(got + line, "\n"), got + line, (int)strcspn(want + line, "\n"), want + line,
              after ? (int)strcspn(after, "\n") : 0, after ? after : "");
}

TEST(ddl_and_pragmas_as_sqlite)
{
    struct skerry_engine *engine;
    struct err err = ERR_CLEAR;
    REQUIRE(skerry_engine_create(&(struct skerry_engine_options){0}, &engine, &err));
    char *got = malloc(OUT_MAX), *want = malloc(OUT_MAX);
    REQUIRE(got && want);
    static const char contents[] = "SELECT type, name, tbl_name, sql FROM sqlite_master;"
                                   "SELECT type, name, tbl_name, sql FROM sqlite_temp_master";
    for (u32 i = 0; i < COUNT_OF(scripts); i++) {
        struct skerry *db;
        sqlite3 *oracle;
        REQUIRE(skerry_open(engine, ":memory:", SKERRY_OPEN_CREATE, &db, &err));
        REQUIRE(sqlite3_open(":memory:", &oracle) == SQLITE_OK);
        got[0] = want[0] = 0;
        run_ours(db, scripts[i], got);
        run_theirs(oracle, scripts[i], want);
        run_ours(db, contents, got);
        run_theirs(oracle, contents, want);
        compare(scripts[i], got, want);
        sqlite3_close(oracle);
        while (skerry_close(db, &err) == SKERRY_WAIT) skerry_wait(db);
    }
    free(got);
    free(want);
    skerry_engine_destroy(engine);
}

// A schema is kept up from the rows that were changed: whatever these are, it must be what a reader of all of them has.
// Two connections change it in turns; the oracle is one.
static void random_statement(u64 *random, char *out, size_t capacity)
{
    static const char *const forms[] = {
        "CREATE TABLE t%1$d(a, b UNIQUE, c DEFAULT %2$d)", "CREATE TABLE t%1$d(a INTEGER PRIMARY KEY, b NOT NULL, c)",
        "CREATE TABLE t%1$d(a, b, c, PRIMARY KEY(b, a)) WITHOUT ROWID", "CREATE TABLE t%1$d(c AS (a+%2$d), a, b)",
        "CREATE INDEX i%2$d ON t%1$d(c, a)", "CREATE UNIQUE INDEX i%2$d ON t%1$d(a) WHERE b>%2$d", "CREATE INDEX i%2$d ON t%1$d(b DESC)",
        "CREATE TRIGGER r%2$d AFTER INSERT ON t%1$d BEGIN INSERT INTO log VALUES(new.a, 'r%2$d'); END",
        "CREATE TRIGGER r%2$d INSTEAD OF INSERT ON v%1$d BEGIN INSERT INTO log VALUES(new.a, 'v%2$d'); END",
        "CREATE VIEW v%1$d AS SELECT a, b FROM t%2$d", "DROP TABLE t%1$d", "DROP INDEX i%1$d", "DROP TRIGGER r%1$d", "DROP VIEW v%1$d",
        "ALTER TABLE t%1$d RENAME TO t%2$d", "ALTER TABLE t%1$d RENAME c TO d", "ALTER TABLE t%1$d ADD COLUMN e%2$d",
        "ALTER TABLE t%1$d DROP COLUMN e%2$d", "INSERT OR IGNORE INTO t%1$d(a, b) VALUES(%2$d, %2$d)", "INSERT INTO v%1$d(a, b) VALUES(%2$d, 1)",
        "INSERT OR IGNORE INTO t%1$d(a, b) VALUES(%2$d, %1$d)", "BEGIN", "BEGIN", "COMMIT", "COMMIT", "ROLLBACK", "SAVEPOINT s", "SAVEPOINT s",
        "ROLLBACK TO s", "RELEASE s", "ANALYZE", "VACUUM",
    };
    snprintf(out, capacity, forms[test_random(random) % COUNT_OF(forms)], (int)(test_random(random) % 4), (int)(test_random(random) % 4));
}

TEST(changes_as_sqlite)
{
    static const char contents[] =
        "SELECT type, name, tbl_name, sql FROM sqlite_master;"
        "SELECT l.name, l.ncol, l.wr, x.cid, x.name, x.type, x.\"notnull\", x.dflt_value, x.pk, x.hidden"
        " FROM pragma_table_list l, pragma_table_xinfo(l.name) x WHERE l.schema='main' AND l.type='table' ORDER BY 1, 4;"
        "SELECT m.name, i.name, i.\"unique\", i.origin, i.partial, c.seqno, c.cid, c.name, c.\"desc\""
        " FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_xinfo(i.name) c WHERE m.type='table' ORDER BY 1, 2, 6;"
        "SELECT count(*), max(rowid), sum(a) FROM log; PRAGMA integrity_check";
    u64 random = test_seed();
    char *got = malloc(OUT_MAX), *want = malloc(OUT_MAX), statement[300];
    REQUIRE(got && want);
    for (u32 round = 0; round < 12; round++) {
        struct skerry_engine *engine;
        struct skerry *db[2];
        struct err err = ERR_CLEAR;
        sqlite3 *oracle;
        char path[300];
        snprintf(path, sizeof path, "%s/changes-%u.db", test_dir(), round);
        REQUIRE(skerry_engine_create(&(struct skerry_engine_options){0}, &engine, &err));
        for (u32 i = 0; i < COUNT_OF(db); i++) REQUIRE(skerry_open(engine, path, SKERRY_OPEN_CREATE, &db[i], &err));
        REQUIRE(sqlite3_open(":memory:", &oracle) == SQLITE_OK);
        u32 turn = 0;
        for (u32 i = 0; i < 120; i++) {
            if (i)
                random_statement(&random, statement, sizeof statement);
            else
                snprintf(statement, sizeof statement, "CREATE TABLE log(a, b)");
            if (sqlite3_get_autocommit(oracle)) turn = test_random(&random) % COUNT_OF(db);
            got[0] = want[0] = 0;
            run_ours(db[turn], statement, got);
            run_theirs(oracle, statement, want);
            run_ours(db[turn], contents, got);
            run_theirs(oracle, contents, want);
            compare(statement, got, want);
            if (strcmp(got, want) != 0) break;
        }
        sqlite3_close(oracle);
        for (u32 i = 0; i < COUNT_OF(db); i++)
            while (skerry_close(db[i], &err) == SKERRY_WAIT) skerry_wait(db[i]);
        skerry_engine_destroy(engine);
    }
    free(got);
    free(want);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
