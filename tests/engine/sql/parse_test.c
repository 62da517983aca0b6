// Goal: every text gets SQLite's verdict: taken, or refused with its message at its place.
// Method: a table, and random mutations of it (a token dropped, doubled, exchanged, the rest cut off), each given
// to our parser and to sqlite3_prepare. Where SQLite fails for what a name means rather than for its grammar, our
// parser must take the text.
#include "../../test.h"

#include <setjmp.h>
#include <sqlite3.h>

#include "../../../engine/sql/parse.h"
#include "../../../engine/sql/token.h"

static const char *const seeds[] = {
    "SELECT a, b+1 AS c, *, t.* FROM t WHERE a=1 AND NOT b<2 OR c IS NOT NULL",
    "SELECT DISTINCT x FROM main.t1 AS q INDEXED BY i1, t2 NOT INDEXED LEFT JOIN t3 ON q.a=t3.b",
    "SELECT count(*), sum(DISTINCT a) FILTER (WHERE b>0) FROM t GROUP BY x, y HAVING count(*)>1 LIMIT 5 OFFSET 2",
    "SELECT row_number() OVER (PARTITION BY a ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES) FROM t",
    "SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b GROUPS CURRENT ROW), x AS (w RANGE 1 PRECEDING)",
    "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM c LIMIT 9), d AS MATERIALIZED (SELECT 1) SELECT * FROM c",
    "SELECT CASE a WHEN 1 THEN 'x' ELSE x'00ff' END, CAST(a AS DECIMAL(10,2)), EXISTS (SELECT 1), (SELECT 2)",
    "SELECT a BETWEEN 1 AND 2 AND c, a NOT IN (1,2,3), b IN t2, c IN (SELECT 1), d LIKE 'x%' ESCAPE '!', (1,2)=(3,4)",
    "SELECT -a COLLATE nocase || 'b' -> '$.x' ->> 2, ~+-5 & 3 | 4 << 1 % 2, a ISNULL, b NOTNULL, c NOT NULL, a IS b",
    "SELECT ?1, :name, @x, $y::z(q), ?, 1.5e3, .5, 0x1f FROM (SELECT 1 AS a) NATURAL JOIN (t5 CROSS JOIN t6)",
    "SELECT 1 UNION SELECT 2 EXCEPT SELECT 3 INTERSECT VALUES(1),(2)",
    "VALUES (1,2),(3,4)",
    "INSERT OR REPLACE INTO main.t(a,b) VALUES(1,2),(3,4) ON CONFLICT(a) WHERE b>1 DO UPDATE SET b=excluded.b WHERE 1 "
    "ON CONFLICT DO NOTHING RETURNING a, b AS c",
    "INSERT INTO t DEFAULT VALUES",
    "REPLACE INTO t SELECT * FROM u",
    "UPDATE OR IGNORE t AS x SET a=1, (b,c)=(SELECT 1,2), d=5 FROM u WHERE x.a=u.a RETURNING *",
    "DELETE FROM t WHERE a=1 RETURNING a",
    "CREATE TABLE IF NOT EXISTS main.t(a INTEGER PRIMARY KEY AUTOINCREMENT, b VARCHAR(10,2) NOT NULL ON CONFLICT FAIL "
    "DEFAULT -5 CHECK (b>0), c UNIQUE COLLATE nocase REFERENCES u(x) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, "
    "d GENERATED ALWAYS AS (a+1) STORED, CONSTRAINT k PRIMARY KEY (a), UNIQUE(b,c) ON CONFLICT IGNORE, "
    "FOREIGN KEY(a,b) REFERENCES v ON UPDATE CASCADE, CHECK (1)) STRICT",
    "CREATE TEMP TABLE x AS SELECT 1",
    "CREATE TABLE w(a PRIMARY KEY) WITHOUT ROWID, STRICT",
    "CREATE UNIQUE INDEX IF NOT EXISTS i ON t(a COLLATE nocase DESC, b+1) WHERE a>0",
    "CREATE TEMPORARY VIEW v(a,b) AS SELECT 1,2",
    "CREATE TRIGGER tr BEFORE UPDATE OF a,b ON t FOR EACH ROW WHEN new.a>1 BEGIN UPDATE t SET a=1 WHERE b=2; "
    "INSERT INTO t VALUES(1); DELETE FROM t; SELECT raise(ABORT,'x'); END",
    "CREATE VIRTUAL TABLE vt USING mod(a, b(c,d), 'e')",
    "ALTER TABLE t RENAME TO u",
    "ALTER TABLE t RENAME COLUMN a TO b",
    "ALTER TABLE t ADD COLUMN c INT DEFAULT 5",
    "ALTER TABLE t DROP COLUMN c",
    "DROP TABLE IF EXISTS main.t",
    "DROP INDEX i",
    "DROP VIEW IF EXISTS v",
    "DROP TRIGGER tr",
    "BEGIN IMMEDIATE TRANSACTION x",
    "COMMIT TRANSACTION",
    "END",
    "ROLLBACK TO SAVEPOINT s",
    "SAVEPOINT s",
    "RELEASE s",
    "PRAGMA main.cache_size=-2000",
    "PRAGMA table_info(t)",
    "PRAGMA foreign_keys = ON",
    "ATTACH DATABASE ':memory:' AS aux",
    "DETACH aux",
    "VACUUM main INTO 'x'",
    "REINDEX main.t",
    "ANALYZE t",
    "EXPLAIN QUERY PLAN SELECT 1",
    "EXPLAIN DELETE FROM t",
    " \vSELECT \v\v1,\t\v\n\v2 \v",
};

// ---- ours -------------------------------------------------------------------------------------------------

struct verdict {
    bool taken;
    char text[600];
    s64 offset;
    u32 used;
    jmp_buf exit;
};

static void fail(struct parse *p, err_code code, u32 offset, const char *text)
{
    struct verdict *v = p->context;
    snprintf(v->text, sizeof v->text, "%s", text);
    v->offset = offset == OFFSET_NONE ? -1 : (s64)offset;
    longjmp(v->exit, 1);
}

static void ours(const char *sql, struct verdict *v)
{
    struct arena arena;
    arena_init(&arena, NULL, NULL);
    struct parse p = {.arena = &arena, .sql = sql, .size = (u32)strlen(sql), .fail = fail, .context = v};
    v->taken = false;
    v->text[0] = 0;
    v->offset = -1;
    if (setjmp(v->exit) == 0) {
        parse_statement(&p);
        v->taken = true;
        v->used = p.used;
    }
    arena_deinit(&arena);
}

static bool is_grammar(const char *text)
{
    return strstr(text, ": syntax error") || strstr(text, "incomplete input") || strstr(text, "unrecognized token");
}

// Compares one text; says so when the verdicts differ.
static void compare(sqlite3 *db, const char *sql)
{
    struct verdict v;
    ours(sql, &v);
    sqlite3_stmt *stmt = NULL;
    const char *tail = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, &tail);
    const char *text = rc ? sqlite3_errmsg(db) : "";
    if (rc == SQLITE_OK) {
        if (!v.taken)
            test_fail(__FILE__, __LINE__, "refused (%s), SQLite takes: %s", v.text, sql);
        else if (v.used != (u32)(tail - sql))
            test_fail(__FILE__, __LINE__, "took %u bytes, SQLite %d: %s", v.used, (int)(tail - sql), sql);
    } else if (is_grammar(text)) {
        // When both fail for their grammar they must say the same; a rule beyond the grammar may come first.
        if (v.taken)
            test_fail(__FILE__, __LINE__, "taken, SQLite says \"%s\": %s", text, sql);
        else if (is_grammar(v.text) && (strcmp(v.text, text) != 0 || v.offset != sqlite3_error_offset(db)))
            test_fail(__FILE__, __LINE__, "\"%s\" at %lld, SQLite \"%s\" at %d: %s", v.text, (long long)v.offset, text,
                      sqlite3_error_offset(db), sql);
    } else if (!v.taken && is_grammar(v.text) && !strstr(text, "stack overflow")) {
        // SQLite acts while it parses: an error of meaning may come before one of grammar further on.
    }
    sqlite3_finalize(stmt);
}

TEST(seeds_are_taken)
{
    for (u32 i = 0; i < COUNT_OF(seeds); i++) {
        struct verdict v;
        ours(seeds[i], &v);
        if (!v.taken) test_fail(__FILE__, __LINE__, "refused (%s): %s", v.text, seeds[i]);
    }
}

TEST(messages)
{
    static const struct {
        const char *sql, *text;
        s64 offset;
    } cases[] = {
        {"SELEC 1", "near \"SELEC\": syntax error", 0},
        {"SELECT 1 FROM", "incomplete input", -1},
        {"SELECT 'abc", "unrecognized token: \"'abc\"", 7},
        {"SELECT 12ab", "unrecognized token: \"12ab\"", 7},
        {"\vSELECT 1", "unrecognized token: \"\v\"", 0}, // white space behind white space only
        {"SELECT/**/\v1", "unrecognized token: \"\v\"", 10},
        {"SELECT 1;x", NULL, 0},
        {"SELECT 1 )", "near \")\": syntax error", 9},
        {"SELECT * FROM a FULL INNER JOIN b", "unknown join type: FULL INNER", 16},
        {"SELECT 1 ORDER BY 1 UNION SELECT 2", "ORDER BY clause should come after UNION not before", -1},
        {"SELECT 1 LIMIT 1 UNION ALL SELECT 2", "LIMIT clause should come after UNION ALL not before", -1},
        {"WITH a AS (SELECT 1), A AS (SELECT 2) SELECT 1", "duplicate WITH table name: A", -1},
        {"CREATE TABLE t(a) WITHOUT x", "unknown table option: x", -1},
        {"SELECT ?0", "variable number must be between ?1 and ?250000", 7},
        {"UPDATE t SET (a,b)=(1,2,3)", "2 columns assigned 3 values", -1},
        {"SELECT sum(a) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING)", "unsupported frame specification", -1},
        {"BEGIN TRANSACTION READONLY", NULL, 0},
        {"BEGIN CONCURRENT", NULL, 0},
    };
    for (u32 i = 0; i < COUNT_OF(cases); i++) {
        struct verdict v;
        ours(cases[i].sql, &v);
        if (!cases[i].text) {
            if (!v.taken) test_fail(__FILE__, __LINE__, "refused (%s): %s", v.text, cases[i].sql);
        } else if (v.taken || strcmp(v.text, cases[i].text) != 0 || v.offset != cases[i].offset) {
            test_fail(__FILE__, __LINE__, "\"%s\" at %lld, want \"%s\" at %lld: %s", v.taken ? "taken" : v.text,
                      (long long)v.offset, cases[i].text, (long long)cases[i].offset, cases[i].sql);
        }
    }
}

TEST(depth_is_limited)
{
    char *sql = malloc(200000);
    REQUIRE(sql);
    struct verdict v;
    size_t n = (size_t)sprintf(sql, "SELECT 1");
    for (int i = 0; i < 1100; i++) n += (size_t)sprintf(sql + n, "+1");
    ours(sql, &v);
    CHECK(!v.taken);
    CHECK_STR(v.text, "Expression tree is too large (maximum depth 1000)");
    n = (size_t)sprintf(sql, "SELECT ");
    for (int i = 0; i < 50000; i++) sql[n++] = '(';
    sql[n] = 0;
    ours(sql, &v);
    CHECK(!v.taken);
    CHECK_STR(v.text, "parser stack overflow");
    n = (size_t)sprintf(sql, "SELECT ");
    for (int i = 0; i < 500; i++) sql[n++] = '(';
    sql[n++] = '1';
    for (int i = 0; i < 500; i++) sql[n++] = ')';
    sql[n] = 0;
    ours(sql, &v);
    CHECK(v.taken);
    // As deep as an expression may be: brackets are no limit of their own before.
    n = (size_t)sprintf(sql, "SELECT ");
    for (int i = 0; i < 990; i++) n += (size_t)sprintf(sql + n, "(1+");
    sql[n++] = '1';
    for (int i = 0; i < 990; i++) sql[n++] = ')';
    sql[n] = 0;
    ours(sql, &v);
    CHECK(v.taken);
    free(sql);
}

// ---- mutations --------------------------------------------------------------------------------------------

struct piece {
    const char *text;
    u32 size;
};

static u32 cut(const char *sql, struct piece *pieces, u32 max)
{
    u32 count = 0;
    while (*sql && count < max) {
        enum token_kind kind;
        u32 size = token_scan(sql, &kind);
        if (size == 0) break;
        pieces[count++] = (struct piece){sql, size};
        sql += size;
    }
    return count;
}

// What SQLite 3.40, which a machine may have, does not know yet.
static bool newer_than_library(const char *sql)
{
    if (sqlite3_libversion_number() >= 3047000) return false;
    return strstr(sql, "ORDER") || strchr(sql, '_') || strstr(sql, "0x") || strstr(sql, "LEFT") ||
           strstr(sql, "CROSS") || strstr(sql, "NATURAL") || strstr(sql, "DISTINCT");
}

TEST(mutations_get_the_same_verdict)
{
    sqlite3 *db;
    REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK);
    u64 state = test_seed();
    struct piece pieces[300], other[300];
    char sql[4000];
    for (int round = 0; round < 20000; round++) {
        u32 count = cut(seeds[test_random(&state) % COUNT_OF(seeds)], pieces, 299);
        u32 others = cut(seeds[test_random(&state) % COUNT_OF(seeds)], other, 299);
        for (u32 k = (u32)(test_random(&state) % 3) + 1; k > 0 && count > 1; k--) {
            u32 i = (u32)(test_random(&state) % count), j = (u32)(test_random(&state) % count);
            struct piece swap = pieces[i];
            switch (test_random(&state) % 5) {
            case 0: memmove(&pieces[i], &pieces[i + 1], (--count - i) * sizeof *pieces); break;
            case 1: pieces[i] = other[test_random(&state) % others]; break;
            case 2:
                pieces[i] = pieces[j];
                pieces[j] = swap;
                break;
            case 3: count = i + 1; break;
            default:
                if (count >= 298) break;
                memmove(&pieces[i + 1], &pieces[i], (count - i) * sizeof *pieces);
                pieces[i] = other[test_random(&state) % others];
                count++;
            }
        }
        size_t n = 0;
        for (u32 i = 0; i < count && n + pieces[i].size + 2 < sizeof sql; i++) {
            memcpy(sql + n, pieces[i].text, pieces[i].size);
            n += pieces[i].size;
        }
        sql[n] = 0;
        if (!newer_than_library(sql)) compare(db, sql);
    }
    sqlite3_close(db);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
