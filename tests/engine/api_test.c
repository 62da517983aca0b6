// Goal: what skerry.h tells of statements, parameters, columns, transactions and errors is what sqlite3.h tells.
// Method: the same calls on both libraries for the same statements, compared one by one (tests/oracle.h opens both); what
// SQLite does not have (waiting, limits of time and memory) is compared with what skerry.h says.
#include "tests/oracle.h"
#include "tests/test.h"

#include <sqlite3.h>

static int step(struct skerry_stmt *s)
{
    int result;
    while ((result = skerry_step(s)) == SKERRY_WAIT) skerry_wait(skerry_stmt_db(s));
    return result;
}

static int reset(struct skerry_stmt *s)
{
    int result;
    while ((result = skerry_reset(s)) == SKERRY_WAIT) skerry_wait(skerry_stmt_db(s));
    return result;
}

static int prepare(struct skerry *db, const char *sql, struct skerry_stmt **out, size_t *used)
{
    int result;
    while ((result = skerry_prepare(db, sql, strlen(sql), out, used)) == SKERRY_WAIT) skerry_wait(db);
    return result;
}

static void same_text(const char *sql, const char *what, u32 index, const char *ours, const char *its)
{
    if ((ours && its) ? strcmp(ours, its) == 0 : ours == its) return;
    test_fail(__FILE__, __LINE__, "%s: %s of %u is %s, SQLite: %s", sql, what, index, ours ? ours : "(NULL)", its ? its : "(NULL)");
}
static void same_number(const char *sql, const char *what, s64 ours, s64 its)
{
    if (ours != its) test_fail(__FILE__, __LINE__, "%s: %s is %lld, SQLite: %lld", sql, what, (long long)ours, (long long)its);
}

static void columns_compare(const char *sql, const struct skerry_stmt *s, sqlite3_stmt *t)
{
    for (u32 i = 0; i <= skerry_column_count(s); i++) {
        if (!skerry_stmt_explain(s)) same_text(sql, "the name", i, skerry_column_name(s, i), sqlite3_column_name(t, (int)i));
        same_text(sql, "the type", i, skerry_column_decltype(s, i), sqlite3_column_decltype(t, (int)i));
        same_text(sql, "the database", i, skerry_column_database(s, i), sqlite3_column_database_name(t, (int)i));
        same_text(sql, "the table", i, skerry_column_table(s, i), sqlite3_column_table_name(t, (int)i));
        same_text(sql, "the origin", i, skerry_column_origin(s, i), sqlite3_column_origin_name(t, (int)i));
    }
}

static const char SCHEMA[] =
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b VARCHAR(10), c, d DECIMAL(4,2) DEFAULT 1);"
    "CREATE TABLE u(x TEXT PRIMARY KEY, y INT) WITHOUT ROWID;"
    "CREATE VIEW v AS SELECT a AS one, b || '' AS two, c FROM t; CREATE TEMP TABLE w(a, z BLOB);"
    "CREATE VIEW vv AS SELECT one + 1 AS more, c AS see, one FROM v;"
    "ATTACH ':memory:' AS other; CREATE TABLE other.o(p REAL, q);"
    "INSERT INTO t VALUES (1, 'x', NULL, 2.5), (2, 'y', x'00', 3); INSERT INTO u VALUES ('k', 7); INSERT INTO w VALUES (1, 2)";

static void statement_compare(struct oracle *o, const char *sql)
{
    struct skerry_stmt *s = NULL;
    sqlite3_stmt *t = NULL;
    size_t used = 0;
    const char *tail = NULL;
    bool other_reads = strstr(sql, "pragma") || strstr(sql, "PRAGMA") || strstr(sql, "json_each"); // SQLite reads all databases for some
    int ours = prepare(o->db, sql, &s, &used), its = sqlite3_prepare_v2(o->sqlite, sql, -1, &t, &tail);
    same_number(sql, "the result of prepare", ours, its & 0xff);
    if (ours || its) {
        same_text(sql, "the error", 0, skerry_error(o->db)->text, sqlite3_errmsg(o->sqlite));
        same_number(sql, "the extended code", skerry_errcode(o->db), sqlite3_extended_errcode(o->sqlite));
        // There are places that SQLite does not tell.
        if (sqlite3_error_offset(o->sqlite) >= 0)
            same_number(sql, "the error's offset", skerry_error(o->db)->offset, sqlite3_error_offset(o->sqlite));
    }
    same_number(sql, "there being a statement", s != NULL, t != NULL);
    if (s && t) {
        same_number(sql, "the text's end", (s64)used, tail - sql);
        same_number(sql, "readonly", skerry_stmt_readonly(s), sqlite3_stmt_readonly(t));
        same_number(sql, "explain", skerry_stmt_explain(s), sqlite3_stmt_isexplain(t));
        same_number(sql, "busy", skerry_stmt_busy(s), sqlite3_stmt_busy(t));
        same_text(sql, "the text", 0, skerry_sql(s, NULL), sqlite3_sql(t));
        same_number(sql, "parameters", skerry_parameter_count(s), sqlite3_bind_parameter_count(t));
        for (u32 i = 0; i <= skerry_parameter_count(s) + 1; i++) {
            const char *name = skerry_parameter_name(s, i);
            same_text(sql, "the name", i, name, sqlite3_bind_parameter_name(t, (int)i));
            if (name) same_number(sql, name, skerry_parameter_index(s, name), sqlite3_bind_parameter_index(t, name));
        }
        same_number(sql, "no parameter", skerry_parameter_index(s, "none"), sqlite3_bind_parameter_index(t, "none"));
        same_number(sql, "columns", skerry_column_count(s), sqlite3_column_count(t));
        columns_compare(sql, s, t);
        same_number(sql, "before, the type", skerry_column_type(s, 0), sqlite3_column_type(t, 0));
        for (int i = 0; i < 3 && !skerry_stmt_explain(s); i++) {
            ours = step(s);
            its = sqlite3_step(t);
            same_number(sql, "the result of step", ours, its & 0xff);
            same_number(sql, "the extended code", ours >= 100 ? 0 : skerry_errcode(o->db), ours >= 100 ? 0 : sqlite3_extended_errcode(o->sqlite));
            same_number(sql, "busy", skerry_stmt_busy(s), sqlite3_stmt_busy(t));
            same_number(sql, "autocommit", skerry_autocommit(o->db), sqlite3_get_autocommit(o->sqlite));
            for (int d = -1; d < 4 && !other_reads; d++) {
                const char *name = d < 0 ? NULL : skerry_database_name(o->db, (u32)d);
                if (d == 1 && strncmp(sql, "BEGIN I", 7) == 0) continue; // temp is there when it is first used
                if (d < 0 || name) same_number(sql, name ? name : "the transaction", skerry_transaction(o->db, name), sqlite3_txn_state(o->sqlite, name));
            }
            if (ours != SKERRY_ROW || its != SQLITE_ROW) break;
            for (u32 k = 0; k < skerry_column_count(s); k++) {
                same_number(sql, "the type", skerry_column_type(s, k), sqlite3_column_type(t, (int)k));
                same_number(sql, "the integer", skerry_column_integer(s, k), sqlite3_column_int64(t, (int)k));
                CHECK(skerry_column_real(s, k) == sqlite3_column_double(t, (int)k));
                size_t size;
                const void *blob = skerry_column_blob(s, k, &size);
                const void *its_blob = sqlite3_column_blob(t, (int)k);
                same_number(sql, "the size", (s64)size, sqlite3_column_bytes(t, (int)k));
                CHECK(size == 0 || memcmp(blob, its_blob, size) == 0);
                same_text(sql, "the text", k, skerry_column_text(s, k, NULL), (const char *)sqlite3_column_text(t, (int)k));
            }
        }
        its = sqlite3_reset(t);
        ours = reset(s);
        if (its == SQLITE_OK) same_number(sql, "reset", ours, its); // SQLite tells the step's error again
        same_number(sql, "changes", skerry_changes(o->db), sqlite3_changes64(o->sqlite));
        same_number(sql, "all changes", skerry_total_changes(o->db), sqlite3_total_changes64(o->sqlite));
        same_number(sql, "the last rowid", skerry_last_insert_rowid(o->db), sqlite3_last_insert_rowid(o->sqlite));
    }
    skerry_finalize(s);
    sqlite3_finalize(t);
}

static const char *const texts[] = {
    "", "  -- nothing\n", ";", "SELECT 1; SELECT 2", "/* a */ SELECT 1 /* b */ ; more",
    "SELECT a, b, c, d FROM t", "SELECT *, rowid, t.b AS bee FROM t", "SELECT a + 1, upper(b), 'x', 1.5, NULL, x'31' FROM t",
    "SELECT (SELECT b FROM t LIMIT 1), (SELECT y FROM u), EXISTS (SELECT 1)", "SELECT one, two, c FROM v", "SELECT * FROM vv",
    "SELECT q.a, q.e FROM (SELECT a, b AS e FROM t) AS q", "SELECT x, y FROM u", "SELECT w.*, t.a FROM w JOIN t USING (a)",
    "SELECT p, q FROM other.o", "SELECT a FROM t UNION SELECT y FROM u", "WITH k AS (SELECT b, c FROM t) SELECT * FROM k",
    "WITH RECURSIVE n(i) AS (SELECT a FROM t UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT i FROM n",
    "SELECT count(*), max(a), b FROM t GROUP BY b", "VALUES (1, 'a'), (2, 'b')", "SELECT _rowid_, oid FROM t",
    "SELECT a COLLATE NOCASE, (a), +a, CAST(a AS TEXT) FROM t", "SELECT b FROM t ORDER BY a DESC", "SELECT DISTINCT d FROM t",
    "SELECT row_number() OVER (), a FROM t", "SELECT t.a, (SELECT t.b) FROM t", "SELECT * FROM t LEFT JOIN u ON b = x",
    "SELECT name, sql FROM sqlite_schema WHERE name = 't'", "SELECT value, key FROM json_each('[1]')",
    "SELECT name FROM pragma_table_info('t')", "PRAGMA table_info(t)", "PRAGMA user_version", "PRAGMA user_version = 3",
    "EXPLAIN SELECT 1", "EXPLAIN QUERY PLAN SELECT a FROM t",
    "EXPLAIN QUERY PLAN INSERT INTO t(b) VALUES (1)", "EXPLAIN QUERY PLAN DELETE FROM t WHERE a = 1",
    "CREATE TABLE IF NOT EXISTS t(z)", "CREATE VIEW IF NOT EXISTS t AS SELECT 1", "DROP TABLE IF EXISTS nosuch",
    "DROP VIEW IF EXISTS main.nosuch", "DROP INDEX IF EXISTS nosuch", "DROP TRIGGER IF EXISTS nosuch",
    "INSERT INTO t(b) VALUES ('new')", "INSERT INTO t(b) VALUES ('r') RETURNING a, b AS c, rowid, 1", "UPDATE t SET c = 5 WHERE a = 1",
    "UPDATE t SET c = 6 RETURNING *", "UPDATE t SET c = 7 RETURNING (SELECT y FROM u), (SELECT max(a) FROM t), rowid",
    "DELETE FROM t WHERE a > 2", "DELETE FROM t WHERE a = 99 RETURNING b", "REPLACE INTO u VALUES ('k', 8)",
    "BEGIN", "SELECT a FROM t", "INSERT INTO w VALUES (3, 4)", "INSERT INTO o VALUES (1, 2)", "COMMIT", "BEGIN IMMEDIATE", "ROLLBACK", "SAVEPOINT s", "RELEASE s",
    "CREATE TABLE n(a)", "DROP TABLE n", "CREATE TEMP TABLE n(a)", "DROP TABLE n", "ANALYZE", "ATTACH ':memory:' AS more",
    "DETACH more", "CREATE INDEX i ON t(b)", "ALTER TABLE t ADD COLUMN e INT", "SELECT e FROM t", "DROP INDEX i",
    "SELECT ?", "SELECT ?, ?, ?2, ?5", "SELECT :a, @b, $c, :a, ?", "SELECT $a::b(c), ?3", "SELECT ?, ?1, ?, :x, ?3",
    "SELECT zeroblob(5), 1e100, 9223372036854775807, '12ab', '  7'", "SELECT changes(), total_changes(), last_insert_rowid()",
    // semicolons within
    "SELECT 'a;b', 1 AS \"c;d\", [x;y] FROM (SELECT 2 AS [x;y])", "/* ; */ SELECT 1 -- ;\n + 2", "SELECT ';';;",
    "CREATE TRIGGER tr AFTER INSERT ON w BEGIN UPDATE t SET c = 'a;b' WHERE a = new.a; SELECT 1; END", "DROP TRIGGER tr",
    // errors
    "SELECT nothing FROM t", "SELECT a FROM nowhere", "SELECT a, FROM t", "SELEC 1", "SELECT 'open", "SELECT 1 +", "SELECT (1", "SELECT 1)",
    "SELECT a.b.c.d.e FROM t", "SELECT t.nothing FROM t", "INSERT INTO t VALUES (1)", "INSERT INTO t(a, zz) VALUES (1, 2)", "UPDATE t SET zz = 1",
    "SELECT nofunction(1)", "SELECT abs(1, 2)", "SELECT count(*) FROM t WHERE count(*) > 1", "SELECT * FROM t JOIN t USING (zz)", "SELECT a FROM t, w",
    "SELECT ?0", "SELECT ?40000", "SELECT 1 LIMIT x", "CREATE TABLE t(a)", "CREATE TABLE m(a, a)", "DROP TABLE nowhere", "SELECT #1", "SELECT x'1'",
    "SELECT a FROM t ORDER BY 9", "SELECT 1 UNION SELECT 1, 2", "COMMIT", "RELEASE none", "SELECT sum(a) OVER w FROM t", "SELECT * FROM nodb.t",
    "INSERT INTO t VALUES (1, 2, 3, 4, 5)", "INSERT INTO u VALUES ('k', 9)", "DELETE FROM v", "SELECT RAISE(ABORT, 'x')", "SELECT a FROM t WHERE (a, b) = 1",
    "SELECT 1 \x01 2", "SELECT * FROM t INDEXED BY none", "ATTACH '/no/such/place/x.db' AS bad", "PRAGMA table_info(", "CREATE TRIGGER tr AFTER INSERT ON nowhere BEGIN SELECT 1; END",
};

TEST(api_statements_are_described_as_sqlites)
{
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "api")) return;
    oracle_run(&o, SCHEMA);
    for (u32 i = 0; i < COUNT_OF(texts); i++) statement_compare(&o, texts[i]);
    oracle_close(&o);
}

TEST(api_statements_of_scripts_are_described_as_sqlites)
{
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "api")) return;
    oracle_run(&o, SCHEMA);
    static const char *const rest[] = {"\nSELECT 1;", "\n-- it's; \"\nSELECT 'a;b';\n", "; END;\n", "\n/* ; */ ]"};
    for (u32 i = 0; i < COUNT_OF(texts); i++) {
        char script[12000];
        size_t size = (size_t)snprintf(script, sizeof script, "%s;", texts[i]), until = (u32[]){900, 2000, 11000}[i % 3];
        for (u32 k = i; size < until; k++) size += (size_t)snprintf(script + size, sizeof script - size, "%s", rest[k % COUNT_OF(rest)]);
        statement_compare(&o, script);
    }
    oracle_close(&o);
}

// Until it runs again, a statement tells of its columns what they were: also of a schema that is gone.
TEST(api_columns_are_described_once_the_schema_is_another)
{
    static const char *const changes[] = {
        "ALTER TABLE t RENAME COLUMN b TO renamed", "DROP VIEW vv", "DROP VIEW v", "DROP TABLE u", "ALTER TABLE t RENAME TO other_t", "DROP TABLE w", "VACUUM",
        "DETACH other",
    };
    struct oracle o = {.context = ""};
    struct skerry_stmt *ours[COUNT_OF(texts)] = {0};
    sqlite3_stmt *its[COUNT_OF(texts)] = {0};
    if (!oracle_open(&o, "columns")) return;
    oracle_run(&o, SCHEMA);
    u32 described = 0;
    for (u32 i = 0; i < COUNT_OF(texts); i++) {
        if (strncmp(texts[i], "PRAGMA", 6) == 0) continue; // some are carried out by prepare
        size_t used;
        prepare(o.db, texts[i], &ours[i], &used);
        sqlite3_prepare_v2(o.sqlite, texts[i], -1, &its[i], NULL);
        described += ours[i] && its[i] && skerry_column_count(ours[i]) > 0;
    }
    CHECK(described > 40);
    for (u32 k = 0; k < COUNT_OF(changes); k++) {
        oracle_run(&o, changes[k]);
        for (u32 i = 0; i < COUNT_OF(texts); i++)
            if (ours[i] && its[i]) columns_compare(texts[i], ours[i], its[i]);
    }
    for (u32 i = 0; i < COUNT_OF(texts); i++) {
        skerry_finalize(ours[i]);
        sqlite3_finalize(its[i]);
    }
    oracle_close(&o);
}

// ---- parameters ---------------------------------------------------------------------------------------------------------

TEST(api_binds_as_sqlites)
{
    static const char *const statements[] = {
        "SELECT ?1, ?2, ?3, ?4, ?5, ?6, typeof(?6), length(?6)",
        "SELECT ?, ?, ?, ?, ?, ?, '?', \"?\" /* ? */ -- ?\n, ?2",
        "SELECT :a, :b, @c, $d, :e, ?, :a",
        "SELECT ?6, ?, ?5, :x",
    };
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "bind")) return;
    for (u32 i = 0; i < COUNT_OF(statements); i++) {
        const char *sql = statements[i];
        struct skerry_stmt *s = NULL;
        sqlite3_stmt *t = NULL;
        size_t used;
        CHECK_EQ(prepare(o.db, sql, &s, &used), SKERRY_OK);
        CHECK_EQ(sqlite3_prepare_v2(o.sqlite, sql, -1, &t, NULL), SQLITE_OK);
        for (int round = 0; round < 4; round++) {
            if (round == 1) {
                same_number(sql, "integer", skerry_bind_integer(s, 1, INT64_MIN), sqlite3_bind_int64(t, 1, INT64_MIN));
                same_number(sql, "real", skerry_bind_real(s, 2, 0.1), sqlite3_bind_double(t, 2, 0.1));
                same_number(sql, "text", skerry_bind_text(s, 3, "it's", 4), sqlite3_bind_text(t, 3, "it's", 4, SQLITE_STATIC));
                same_number(sql, "blob", skerry_bind_blob(s, 4, "a\0b", 3), sqlite3_bind_blob(t, 4, "a\0b", 3, SQLITE_STATIC));
                same_number(sql, "null", skerry_bind_null(s, 5), sqlite3_bind_null(t, 5));
                same_number(sql, "zeros", skerry_bind_zero_blob(s, 6, 5), sqlite3_bind_zeroblob64(t, 6, 5));
            } else if (round == 2) {
                skerry_bind_real(s, 1, 1e15), sqlite3_bind_double(t, 1, 1e15);
                skerry_bind_real(s, 2, -3), sqlite3_bind_double(t, 2, -3);
                skerry_bind_text(s, 3, "", 0), sqlite3_bind_text(t, 3, "", 0, SQLITE_STATIC);
                skerry_bind_blob(s, 4, "", 0), sqlite3_bind_blob(t, 4, "", 0, SQLITE_STATIC);
                const struct value five = {.type = VALUE_INTEGER, .integer = 5};
                skerry_bind(s, 5, &five), sqlite3_bind_int(t, 5, 5);
                skerry_bind_text(s, 6, "''", 2), sqlite3_bind_text(t, 6, "''", 2, SQLITE_STATIC);
            } else if (round == 3) {
                skerry_clear_bindings(s);
                sqlite3_clear_bindings(t);
            }
            char *ours = skerry_sql_expanded(s), *its = sqlite3_expanded_sql(t);
            same_text(sql, "the expanded text", (u32)round, ours, its);
            free(ours);
            sqlite3_free(its);
            CHECK_EQ(step(s), sqlite3_step(t));
            for (u32 k = 0; k < skerry_column_count(s); k++)
                same_text(sql, "the column", k, skerry_column_text(s, k, NULL), (const char *)sqlite3_column_text(t, (int)k));
            same_number(sql, "binding while it runs", skerry_bind_null(s, 1), sqlite3_bind_null(t, 1));
            same_text(sql, "the error", 0, skerry_error(o.db)->text, sqlite3_errmsg(o.sqlite));
            reset(s);
            sqlite3_reset(t);
            same_number(sql, "number 0", skerry_bind_null(s, 0), sqlite3_bind_null(t, 0));
            same_number(sql, "number 99", skerry_bind_integer(s, 99, 1), sqlite3_bind_int(t, 99, 1));
            same_text(sql, "the error", 0, skerry_error(o.db)->text, sqlite3_errmsg(o.sqlite));
        }
        skerry_limit(o.db, SKERRY_LIMIT_LENGTH, 100);
        sqlite3_limit(o.sqlite, SQLITE_LIMIT_LENGTH, 100);
        static const char long_text[200];
        same_number(sql, "long text", skerry_bind_text(s, 1, long_text, 101), sqlite3_bind_text(t, 1, long_text, 101, SQLITE_STATIC));
        same_number(sql, "long blob", skerry_bind_blob(s, 1, long_text, 101), sqlite3_bind_blob(t, 1, long_text, 101, SQLITE_STATIC));
        same_number(sql, "long zeros", skerry_bind_zero_blob(s, 1, 101), sqlite3_bind_zeroblob64(t, 1, 101));
        same_text(sql, "the error", 0, skerry_error(o.db)->text, sqlite3_errmsg(o.sqlite));
        skerry_limit(o.db, SKERRY_LIMIT_LENGTH, 1000000000);
        sqlite3_limit(o.sqlite, SQLITE_LIMIT_LENGTH, 1000000000);
        skerry_finalize(s);
        sqlite3_finalize(t);
    }
    oracle_close(&o);
}

// ---- limits --------------------------------------------------------------------------------------------------------------

TEST(api_limits_are_sqlites)
{
    static const struct {
        enum skerry_limit ours;
        int its;
        int value;
        const char *fits, *exceeds;
    } cases[] = {
        {SKERRY_LIMIT_LENGTH, SQLITE_LIMIT_LENGTH, 40, "SELECT hex(zeroblob(15))", "SELECT hex(zeroblob(21))"},
        {SKERRY_LIMIT_LENGTH, SQLITE_LIMIT_LENGTH, 40, "SELECT zeroblob(40)", "SELECT zeroblob(41)"},
        {SKERRY_LIMIT_LENGTH, SQLITE_LIMIT_LENGTH, 40, "SELECT replace('aaaaaaaaaa', 'a', 'bbb')", "SELECT replace('aaaaaaaaaa', 'a', 'bbbbb')"},
        {SKERRY_LIMIT_LENGTH, SQLITE_LIMIT_LENGTH, 40, "SELECT 'aaaaaaaaaaaaaaa' || 'bbbbbbbbbbbbbbb'", "SELECT 'aaaaaaaaaaaaaaaaaaaa' || 'bbbbbbbbbbbbbbbbbbbbb'"},
        {SKERRY_LIMIT_LENGTH, SQLITE_LIMIT_LENGTH, 40, "SELECT randomblob(30) IS NULL", "SELECT randomblob(41)"},
        {SKERRY_LIMIT_LENGTH, SQLITE_LIMIT_LENGTH, 40, "SELECT group_concat('aaa', '') FROM (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10))", "SELECT group_concat('aaaaa', '') FROM (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10))"},
        {SKERRY_LIMIT_LENGTH, SQLITE_LIMIT_LENGTH, 40, "SELECT upper('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'), trim(' a ')", "SELECT quote(zeroblob(30))"},
        {SKERRY_LIMIT_LENGTH, SQLITE_LIMIT_LENGTH, 60, "INSERT INTO t(c) VALUES (zeroblob(40))", "INSERT INTO t(c) VALUES (zeroblob(60))"},
        {SKERRY_LIMIT_SQL_LENGTH, SQLITE_LIMIT_SQL_LENGTH, 20, "SELECT 1 AS aaaaaaa;", "SELECT 1 AS aaaaaaaaaa;"},
        {SKERRY_LIMIT_COLUMN, SQLITE_LIMIT_COLUMN, 4, "SELECT 1, 2, 3, 4", "SELECT 1, 2, 3, 4, 5"},
        {SKERRY_LIMIT_COLUMN, SQLITE_LIMIT_COLUMN, 4, "SELECT 1 GROUP BY 1, 1, 1, 1", "SELECT 1 GROUP BY 1, 1, 1, 1, 1"},
        {SKERRY_LIMIT_COLUMN, SQLITE_LIMIT_COLUMN, 4, "SELECT 1 ORDER BY 1, 1, 1, 1", "SELECT 1 ORDER BY 1, 1, 1, 1, 1"},
        {SKERRY_LIMIT_COLUMN, SQLITE_LIMIT_COLUMN, 6, "CREATE TEMP TABLE c4(a, b, c, d)", "CREATE TEMP TABLE c7(a, b, c, d, e, f, g)"},
        {SKERRY_LIMIT_COLUMN, SQLITE_LIMIT_COLUMN, 5, "CREATE INDEX i5 ON t(a, b, c, d)", "CREATE INDEX i6 ON t(a, b, c, d, a, b)"},
        {SKERRY_LIMIT_COLUMN, SQLITE_LIMIT_COLUMN, 4, "UPDATE t SET a = a, b = 1, c = 2, d = 3", "UPDATE t SET a = a, b = 1, c = 2, d = 3, b = 4"},
        {SKERRY_LIMIT_COLUMN, SQLITE_LIMIT_COLUMN, 4, "SELECT (1, 2, 3) = (1, 2, 3)", "SELECT 1 IN (1, 2, 3, 4, 5, 6)"},
        {SKERRY_LIMIT_EXPR_DEPTH, SQLITE_LIMIT_EXPR_DEPTH, 6, "SELECT 1+1+1+1+1", "SELECT 1+1+1+1+1+1+1"},
        {SKERRY_LIMIT_EXPR_DEPTH, SQLITE_LIMIT_EXPR_DEPTH, 6, "SELECT abs(abs(abs(1)))", "SELECT abs(abs(abs(abs(abs(abs(1))))))"},
        {SKERRY_LIMIT_COMPOUND_SELECT, SQLITE_LIMIT_COMPOUND_SELECT, 3, "SELECT 1 UNION SELECT 2 UNION SELECT 3", "SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4"},
        {SKERRY_LIMIT_FUNCTION_ARG, SQLITE_LIMIT_FUNCTION_ARG, 3, "SELECT max(1, 2, 3)", "SELECT max(1, 2, 3, 4)"},
        {SKERRY_LIMIT_ATTACHED, SQLITE_LIMIT_ATTACHED, 2, "ATTACH ':memory:' AS second", "ATTACH ':memory:' AS third"},
        {SKERRY_LIMIT_LIKE_PATTERN_LENGTH, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 32, "SELECT 'a' LIKE '%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'a' GLOB 'aaaaa'", "SELECT 'a' LIKE '%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"},
        {SKERRY_LIMIT_LIKE_PATTERN_LENGTH, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 32, "SELECT 1", "SELECT 'a' GLOB '*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"},
        {SKERRY_LIMIT_VARIABLE_NUMBER, SQLITE_LIMIT_VARIABLE_NUMBER, 3, "SELECT ?3", "SELECT ?4"},
        {SKERRY_LIMIT_VARIABLE_NUMBER, SQLITE_LIMIT_VARIABLE_NUMBER, 3, "SELECT ?, ?, ?", "SELECT ?, ?, ?, ?"},
        {SKERRY_LIMIT_VARIABLE_NUMBER, SQLITE_LIMIT_VARIABLE_NUMBER, 3, "SELECT :a, :b, :c, :a", "SELECT :a, :b, :c, :d"},
        {SKERRY_LIMIT_TRIGGER_DEPTH, SQLITE_LIMIT_TRIGGER_DEPTH, 5, "INSERT INTO r VALUES (4)", "INSERT INTO r VALUES (9)"},
    };
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "limits")) return;
    oracle_run(&o, SCHEMA);
    oracle_run(&o, "CREATE TABLE r(x); CREATE TRIGGER rt AFTER INSERT ON r WHEN new.x > 0 BEGIN INSERT INTO r VALUES (new.x - 1); END;"
                   "PRAGMA recursive_triggers = ON");
    for (u32 i = 0; i < COUNT_OF(cases); i++) {
        s64 ours = skerry_limit(o.db, cases[i].ours, cases[i].value);
        int its = sqlite3_limit(o.sqlite, cases[i].its, cases[i].value);
        if (cases[i].ours != SKERRY_LIMIT_FUNCTION_ARG) same_number(cases[i].fits, "the limit", ours, its); // 127 in SQLite 3.40
        same_number(cases[i].fits, "the limit", skerry_limit(o.db, cases[i].ours, -1), sqlite3_limit(o.sqlite, cases[i].its, -1));
        oracle_run(&o, cases[i].fits);
        oracle_run(&o, cases[i].exceeds);
        skerry_limit(o.db, cases[i].ours, ours);
        sqlite3_limit(o.sqlite, cases[i].its, its);
        skerry_limit(o.db, cases[i].ours, INT32_MAX);
        sqlite3_limit(o.sqlite, cases[i].its, INT32_MAX);
        s64 most = cases[i].ours == SKERRY_LIMIT_FUNCTION_ARG ? 1000 : cases[i].ours == SKERRY_LIMIT_ATTACHED ? 30 :
                   sqlite3_limit(o.sqlite, cases[i].its, -1);
        same_number(cases[i].fits, "the limit beyond all", skerry_limit(o.db, cases[i].ours, -1), most);
        skerry_limit(o.db, cases[i].ours, ours);
        sqlite3_limit(o.sqlite, cases[i].its, its);
    }
    oracle_close(&o);
}

// ---- connections -----------------------------------------------------------------------------------------------------------

// SQLite's is "out of memory".
TEST(api_limits_instructions)
{
    struct oracle o = {.context = ""};
    struct skerry_stmt *s = NULL;
    size_t used;
    if (!oracle_open(&o, "instructions")) return;
    skerry_limit(o.db, SKERRY_LIMIT_VDBE_OP, 20);
    CHECK_EQ(prepare(o.db, "SELECT 1", &s, &used), SKERRY_OK);
    skerry_finalize(s);
    CHECK_EQ(prepare(o.db, "SELECT abs(1),abs(2),abs(3),abs(4),abs(5),abs(6),abs(7),abs(8),abs(9)", &s, &used), ERR_TOOBIG);
    CHECK_STR(skerry_error(o.db)->text, "the statement takes more than 20 instructions");
    CHECK_EQ(skerry_limit(o.db, SKERRY_LIMIT_COUNT, 5), sqlite3_limit(o.sqlite, 99, 5)); // there are none of these
    CHECK_EQ(skerry_limit(o.db, (enum skerry_limit)-1, 5), sqlite3_limit(o.sqlite, -1, 5));
    oracle_close(&o);
}

TEST(api_tells_of_databases)
{
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "names")) return;
    oracle_run(&o, "ATTACH ':memory:' AS other");
    for (int i = 0; i < 4; i++) same_text("db_name", "database", (u32)i, skerry_database_name(o.db, (u32)i), sqlite3_db_name(o.sqlite, i));
    CHECK_STR(skerry_database_path(o.db, "other"), "");
    CHECK_STR(skerry_database_path(o.db, "temp"), "");
    CHECK(!skerry_database_path(o.db, "none"));
    CHECK_STR(skerry_database_path(o.db, NULL), o.path);
    CHECK_STR(skerry_database_path(o.db, "MAIN"), o.path);
    static const char *const names[] = {"main", "other", "none"};
    for (u32 i = 0; i < COUNT_OF(names); i++)
        same_number("readonly", names[i], skerry_database_read_only(o.db, names[i]), sqlite3_db_readonly(o.sqlite, names[i]));
    same_number("txn_state", "none", skerry_transaction(o.db, "none"), sqlite3_txn_state(o.sqlite, "none"));
    // A connection with statements stays.
    struct skerry_stmt *s = NULL, *t = NULL;
    size_t used;
    CHECK_EQ(prepare(o.db, "SELECT 1", &s, &used), SKERRY_OK);
    CHECK_EQ(prepare(o.db, "SELECT 2", &t, &used), SKERRY_OK);
    CHECK(skerry_stmt_next(o.db, NULL) == t && skerry_stmt_next(o.db, t) == s && !skerry_stmt_next(o.db, s));
    struct err err = ERR_CLEAR;
    CHECK_EQ(skerry_close(o.db, &err), ERR_BUSY);
    CHECK_EQ(step(s), SKERRY_ROW);
    CHECK_EQ(skerry_close(o.db, &err), ERR_BUSY);
    skerry_finalize(s);
    skerry_finalize(t);
    oracle_run(&o, "SELECT 3");
    oracle_close(&o);
}

struct progress {
    u32 calls, stop_at;
};
static bool progress(void *context)
{
    struct progress *p = context;
    return ++p->calls == p->stop_at;
}

TEST(api_progress_is_called_and_ends_statements)
{
    static const char *const LONG = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10000) SELECT sum(x) FROM c";
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "progress")) return;
    struct progress p = {0};
    struct skerry_stmt *s = NULL;
    size_t used;
    CHECK_EQ(prepare(o.db, LONG, &s, &used), SKERRY_OK);
    skerry_on_progress(o.db, 100, progress, &p);
    CHECK_EQ(step(s), SKERRY_ROW);
    CHECK(p.calls >= 100); // at least 10,000 loops
    reset(s);
    u32 before = p.calls;
    p.stop_at = before + 7;
    CHECK_EQ(step(s), ERR_INTERRUPT);
    CHECK_STR(skerry_error(o.db)->text, "interrupted");
    CHECK_EQ(p.calls, before + 7);
    skerry_on_progress(o.db, 0, progress, &p);
    CHECK_EQ(step(s), SKERRY_ROW);
    CHECK_EQ(p.calls, before + 7);
    reset(s);
    struct skerry_stmt_counters k;
    skerry_stmt_counters(s, &k);
    CHECK_EQ(k.runs, 3);
    CHECK_EQ(k.reprepares, 0);
    CHECK(k.bytes > 0);
    // Time is a limit, too: of a statement that never ends.
    skerry_finalize(s);
    skerry_limit(o.db, SKERRY_LIMIT_STATEMENT_MS, 20);
    CHECK_EQ(prepare(o.db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(x) FROM c", &s, &used), SKERRY_OK);
    CHECK_EQ(step(s), ERR_INTERRUPT);
    CHECK_STR(skerry_error(o.db)->text, "interrupted: the statement ran longer than its limit");
    skerry_finalize(s);
    oracle_close(&o);
}

// What only names the query around is known before the joins are begun, also when one of them keeps rows without a match.
TEST(api_outer_conditions_come_before_joins)
{
    static const char *const joins[] = {"LEFT", "RIGHT", "FULL"}, *const conditions[] = {"o.x GLOB 'a*'", "abs(o.x) > 2 AND q.a > 1", "o.x = 'y'"};
    struct oracle o = {.context = ""};
    size_t used;
    if (!oracle_open(&o, "outer")) return;
    REQUIRE(skerry_exec(o.db, "CREATE TABLE t(a); CREATE TABLE o(x); INSERT INTO o VALUES('k');"
                              "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO t SELECT i FROM n",
                        NULL, NULL) == SKERRY_OK);
    for (u32 i = 0; i < COUNT_OF(joins) * COUNT_OF(conditions); i++) {
        char sql[300];
        struct skerry_stmt *s = NULL;
        struct skerry_stmt_counters k;
        snprintf(sql, sizeof sql, "SELECT (SELECT count(*) FROM t AS p, t AS q %s JOIN t AS r ON r.a IN (q.a, 5) WHERE %s) FROM o",
                 joins[i % COUNT_OF(joins)], conditions[i / COUNT_OF(joins)]);
        CHECK_EQ(prepare(o.db, sql, &s, &used), SKERRY_OK);
        CHECK_EQ(step(s), SKERRY_ROW);
        CHECK_EQ(skerry_column(s, 0)->integer, 0);
        skerry_stmt_counters(s, &k);
        if (k.rows_read > 10) test_fail(__FILE__, __LINE__, "%s reads %llu rows", sql, (unsigned long long)k.rows_read);
        skerry_finalize(s);
    }
    oracle_close(&o);
}

// A value of megabytes does not stay with a statement that has ended.
TEST(api_statements_at_rest_are_small)
{
    struct oracle o = {.context = ""};
    struct skerry_stmt *s = NULL;
    struct skerry_stmt_counters k;
    size_t used;
    if (!oracle_open(&o, "rest")) return;
    CHECK_EQ(prepare(o.db, "SELECT replace(hex(zeroblob(5000000)), '0', 'a')", &s, &used), SKERRY_OK);
    skerry_stmt_counters(s, &k);
    u64 before = k.bytes;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(step(s), SKERRY_ROW);
        CHECK_EQ(skerry_column(s, 0)->size, 10000000);
        CHECK_EQ(step(s), SKERRY_DONE);
        skerry_stmt_counters(s, &k);
        CHECK(k.bytes < before + 300000);
    }
    skerry_finalize(s);
    oracle_close(&o);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
