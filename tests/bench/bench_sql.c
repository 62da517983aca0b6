// SQL in process, all in the page cache: Skerry against the SQLite that it is linked with (the newest
// amalgamation, -O2), on the same data, in the same run. The rounds of both alternate, short ones many times, each table twice, and
// each one's best counts, because machines are noisy. Both keep a WAL, check no checksums that the other does not, and have
// a cache that holds everything. Answers are compared as well: a wrong one is not fast.
//
// The table has a million rows. Full-text search follows, over 100000 documents of twenty words, whose frequencies are
// Zipf's. The 22 TPC-H queries (tests/tpch.h) come last, on scale 0.1 without and then with ANALYZE.
//
// usage: bench_sql [--rounds N] [--rows N] [--documents N] [--scale X] [--only SUBSTRING] [--skerry] [--cpu] [--dir DIR]
//        --skerry runs Skerry alone, for a profiler; --scale 0 leaves TPC-H out, --rows 0 the table, --documents 0 full-text
//        search; --cpu counts the process's processor time instead of the clock's, for machines that others use too.
#include "../../engine/skerry.h"
#include "../tpch.h"

#include <math.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROWS_MAX    100000000u
#define ROUNDS_MAX  1000u
#define VISITS      2   // of a table: what disturbs a machine for some seconds is not there both times
#define SECONDS_MIN 0.5 // of one row in a visit: more rounds until then
#define SECONDS_MAX 3.0 // then two rounds are enough
#define CACHE_BYTES (512u << 20)

struct test {
    const char *name;
    const char *before; // not timed
    const char *sql;
    u32 runs;     // in one transaction; binds ?1 to a number of each run
    // ONCE: ?1 is the run's number; PREPARE_AGAIN: Skerry may have kept the statement
    // SCRIPT: a text of sql, and `repeat` for each run with its number (%1$u)
    // AMONG: the same of `before`, behind which sql runs once
    enum { RUN, ONCE, AMONG, SCRIPT, PREPARE, PREPARE_AGAIN } what;
    const char *after; // not timed
    const char *repeat;
};

// %1$u: rows.
static const char setup_format[] =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, grp INTEGER, v REAL, n INTEGER, body TEXT);"
    "INSERT INTO t WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < %1$u)"
    "  SELECT i, 'name' || i, i * 7919 %% 1000, i / 7.0, i * 7907 %% 1000003,"
    "  'the body of row ' || i || ' is a text of some sixty bytes, ab' || i %% 997 || 'c' FROM s;"
    "CREATE INDEX t_name ON t(name);"
    "CREATE TABLE small(id INTEGER PRIMARY KEY, label TEXT);"
    "INSERT INTO small WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < 9999)"
    "  SELECT i, 'label' || i FROM s;"
    "CREATE TABLE j(id INTEGER PRIMARY KEY, doc TEXT);"
    "INSERT INTO j SELECT id, json_object('id', id, 'name', name, 'tags', json_array('a', 'b', n),"
    "  'deep', json_object('x', grp)) FROM t WHERE id <= 50000;"
    "CREATE TABLE w(id INTEGER PRIMARY KEY, a INTEGER, b TEXT);"
    "CREATE TABLE w2(id INTEGER PRIMARY KEY, a INTEGER, b TEXT);"
    "CREATE INDEX w2_a ON w2(a); CREATE INDEX w2_b ON w2(b);"
    "CREATE TABLE w4(id INTEGER PRIMARY KEY, a INTEGER, b TEXT, c REAL);"
    "CREATE INDEX w4_a ON w4(a); CREATE INDEX w4_b ON w4(b); CREATE INDEX w4_c ON w4(c);"
    "CREATE TRIGGER w4_log AFTER INSERT ON w4 BEGIN INSERT INTO log(a) VALUES (new.a); END;"
    "CREATE TABLE log(id INTEGER PRIMARY KEY, a INTEGER);"
    "CREATE TABLE w3(id INTEGER PRIMARY KEY, a INTEGER, b TEXT);"
    "CREATE TRIGGER w3_log AFTER INSERT ON w3 BEGIN INSERT INTO log(a) VALUES (new.a); END;"
    "CREATE TABLE u(id INTEGER PRIMARY KEY, a INTEGER, b TEXT);"
    "INSERT INTO u SELECT id, n, body FROM t WHERE id <= 100000;";

#define NUMBERS "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < "

#define KEYED \
    "CREATE TABLE k(a, b, c, PRIMARY KEY (b, a)) WITHOUT ROWID; INSERT INTO k SELECT id, grp, name FROM t WHERE id <= 60000"

static const struct test tests[] = {
    {"prepare SELECT 1", NULL, "SELECT 1", 20000, PREPARE, NULL},
    {"prepare typical", NULL,
     "SELECT id, name, v FROM t WHERE grp = ? AND v > 10 ORDER BY name LIMIT 10", 20000, PREPARE, NULL},
    {"prepare typical, again", NULL,
     "SELECT id, name, v FROM t WHERE grp = ? AND v > 10 ORDER BY name LIMIT 10", 20000, PREPARE_AGAIN, NULL},
    {"prepare INSERT", NULL, "INSERT INTO w(a, b) VALUES (?, ?)", 20000, PREPARE, NULL},
    {"prepare join", NULL,
     "SELECT t.name, small.label, count(*) FROM t JOIN small ON small.id = t.grp LEFT JOIN j ON j.id = "
     "t.id WHERE t.v BETWEEN ? AND ? GROUP BY t.name, small.label HAVING count(*) > 1 ORDER BY 3 DESC",
     10000, PREPARE, NULL},
    {"point select by rowid", NULL, "SELECT name, v FROM t WHERE id = ?1", 100000, RUN, NULL},
    {"point select by text index", NULL, "SELECT id, v FROM t WHERE name = 'name' || ?1", 100000, RUN, NULL},
    {"range of 100", NULL, "SELECT sum(n) FROM t WHERE id BETWEEN ?1 AND ?1 + 99", 10000, RUN, NULL},
    {"range of 100, all columns", NULL, "SELECT * FROM t WHERE id BETWEEN ?1 AND ?1 + 99", 5000, RUN, NULL},
    {"COUNT(*)", NULL, "SELECT count(*) FROM t", 5, RUN, NULL},
    {"SUM with arithmetic", NULL, "SELECT sum(v * 2 + n), sum(n) FROM t", 2, RUN, NULL},
    {"two predicates", NULL, "SELECT count(*) FROM t WHERE grp < 500 AND v > 1000.5", 2, RUN, NULL},
    {"LIKE '%abc%'", NULL, "SELECT count(*) FROM t WHERE body LIKE '%ab77c%'", 1, RUN, NULL},
    {"GROUP BY, 1000 groups", NULL, "SELECT grp, count(*), sum(v) FROM t GROUP BY grp", 1, RUN, NULL},
    {"GROUP BY, 100 k groups", NULL, "SELECT n % 100000, count(*), sum(v) FROM t GROUP BY 1", 1, RUN, NULL},
    {"GROUP BY, as many as rows", NULL, "SELECT n, count(*), sum(v) FROM t GROUP BY n", 1, RUN, NULL},
    {"GROUP BY text", NULL, "SELECT substr(name, 1, 6), count(*) FROM t GROUP BY 1", 1, RUN, NULL},
    {"join with 10 k", NULL,
     "SELECT count(*), sum(length(small.label)) FROM t JOIN small ON small.id = t.n % 10000", 1, RUN, NULL},
    {"join and GROUP BY", NULL,
     "SELECT small.label, sum(t.v) FROM t JOIN small ON small.id = t.grp GROUP BY small.label", 1, RUN,
     NULL},
    {"ORDER BY integer, all rows", NULL, "SELECT id, n FROM t ORDER BY n", 1, RUN, NULL},
    {"ORDER BY text, all rows", NULL, "SELECT id, body FROM t ORDER BY body", 1, RUN, NULL},
    {"ORDER BY LIMIT 10", NULL, "SELECT id, n FROM t ORDER BY n LIMIT 10", 2, RUN, NULL},
    {"ORDER BY LIMIT 10, all columns", NULL, "SELECT * FROM t ORDER BY n LIMIT 10", 1, RUN, NULL},
    {"DISTINCT", NULL, "SELECT DISTINCT grp FROM t", 1, RUN, NULL},
    {"COUNT(DISTINCT)", NULL, "SELECT count(DISTINCT n) FROM t", 1, RUN, NULL},
    {"subquery, correlated", NULL,
     "SELECT sum((SELECT length(label) FROM small WHERE small.id = t.grp)) FROM t", 1, RUN, NULL},
    {"JSON extraction", NULL,
     "SELECT sum(json_extract(doc, '$.deep.x')), count(doc ->> '$.name') FROM j", 1, RUN, NULL},
    {"json_each", NULL, "SELECT count(*) FROM j, json_each(j.doc, '$.tags') WHERE j.id <= 10000", 1, RUN,
     NULL},
    {"recursive CTE, 1 M", NULL, NUMBERS "1000000) SELECT sum(i) FROM s", 1, RUN, NULL},
    {"window row_number, sum", NULL,
     "SELECT max(r), max(x) FROM (SELECT row_number() OVER (PARTITION BY grp ORDER BY id) r,"
     " sum(v) OVER (PARTITION BY grp ORDER BY id) x FROM t)",
     1, RUN, NULL},
    {"window over all rows", NULL,
     "SELECT sum(x), sum(y) FROM (SELECT lag(n) OVER (ORDER BY id) x, avg(v) OVER (ORDER BY id ROWS BETWEEN 5 PRECEDING"
     " AND CURRENT ROW) y FROM t)",
     1, RUN, NULL},
    {"UPDATE by key", NULL, "UPDATE u SET a = a + 1 WHERE id = ?1 % 100000 + 1", 100000, RUN, NULL},
    {"UPDATE all rows", NULL, "UPDATE u SET a = a + 1", 1, RUN, NULL},
    {"DELETE by key", "INSERT INTO w SELECT id, n, body FROM t WHERE id <= 200000", "DELETE FROM w WHERE id = ?1 % 200000", 100000, RUN,
     "DELETE FROM w"},
    {"DELETE half", "INSERT INTO w SELECT id, n, body FROM t WHERE id <= 200000", "DELETE FROM w WHERE id % 2", 1, RUN,
     "DELETE FROM w"},
    {"insert, prepared", NULL, "INSERT INTO w(a, b) VALUES (?1, 'some text of a row')", 100000, RUN,
     "DELETE FROM w"},
    {"INSERT ... SELECT", NULL, "INSERT INTO w SELECT id, n, body FROM t WHERE id <= 200000", 1, RUN, "DELETE FROM w"},
    {"insert with two indexes", NULL, "INSERT INTO w2(a, b) VALUES (?1, 'text' || ?1)", 50000, RUN,
     "DELETE FROM w2"},
    {"insert with a trigger", NULL, "INSERT INTO w3(a, b) VALUES (?1, 'some text')", 50000, RUN,
     "DELETE FROM w3; DELETE FROM log"},
    {"insert, 3 indexes and trigger", NULL, "INSERT INTO w4(a, b, c) VALUES (?1, 'text' || ?1, ?1 * 0.37)", 50000, RUN,
     "DELETE FROM w4; DELETE FROM log"},
    {"CREATE INDEX", NULL, "CREATE INDEX t_n ON t(n, name)", 1, RUN, "DROP INDEX t_n"},
    {"UPDATE all, WITHOUT ROWID", KEYED, "UPDATE k SET c = 'new ' || c", 1, RUN, "DROP TABLE k"},
    {"DELETE half, WITHOUT ROWID", KEYED, "DELETE FROM k WHERE b < 500", 1, RUN, "DROP TABLE k"},
    {"CREATE TABLE, 1000 of them", NULL, "BEGIN;", 1000, SCRIPT, "ROLLBACK",
     "CREATE TABLE many%1$u(id INTEGER PRIMARY KEY, a UNIQUE, b TEXT);"},
    {"VALUES of 10 k rows", "CREATE TABLE k(a, b, c)", "BEGIN; INSERT INTO k VALUES (0, '', 0)", 10000, SCRIPT, "ROLLBACK; DROP TABLE k",
     ", (%1$u, 'some text %1$u', %1$u.25)"},
    {"script of 10 k INSERTs", "CREATE TABLE k(a, b, c)", "BEGIN;", 10000, SCRIPT, "ROLLBACK; DROP TABLE k",
     "INSERT INTO k VALUES (%1$u, 'some text %1$u', %1$u.25);"},
    {"dates of numbers", NULL,
     "SELECT max(date(n, 'unixepoch')), max(time(id, 'unixepoch')), max(strftime('%Y-%m', n, 'unixepoch')) FROM t"
     " WHERE id <= 200000", 1, RUN, NULL},
    {"dates and days", NULL,
     "SELECT max(date('2024-01-01', '+' || grp || ' days')), max(julianday('2024-05-05', '-' || grp || ' days')) FROM t"
     " WHERE id <= 200000", 1, RUN, NULL},
    {"functions of text", NULL,
     "SELECT sum(length(upper(name))), sum(length(substr(name, -2))), sum(length(replace(name, '1', 'one'))) FROM t"
     " WHERE id <= 200000", 1, RUN, NULL},
    {"ORDER BY index and more LIMIT", NULL, "SELECT name, v FROM t WHERE name > 'name' || ?1 ORDER BY name, v LIMIT 10", 5000, RUN,
     NULL},
    {"UNION", NULL, "SELECT count(*) FROM (SELECT n FROM t WHERE id <= 200000 UNION SELECT grp FROM t WHERE id <= 200000)", 1, RUN,
     NULL},
    {"UNION of few values", NULL, "SELECT count(*) FROM (SELECT name || 1 FROM t, small WHERE t.id <= 50 UNION SELECT grp FROM t)", 1, RUN, NULL},
    {"INTERSECT with an index", NULL, "SELECT count(*) FROM (SELECT name FROM t INTERSECT SELECT 'name' || id FROM small)", 1, RUN,
     NULL},
    {"count(*) of UNION ALL", NULL, "SELECT count(*) FROM (SELECT id FROM t UNION ALL SELECT id FROM j)", 5, RUN, NULL},
    {"upsert", "CREATE TABLE k(k TEXT PRIMARY KEY, n INTEGER)",
     "INSERT INTO k SELECT 'key' || (n % 5000), 1 FROM t WHERE id <= 100000 ON CONFLICT(k) DO UPDATE SET n = n + excluded.n", 1,
     RUN, "DROP TABLE k"},
    {"upsert of one row", "CREATE TABLE k(k TEXT PRIMARY KEY, n INTEGER)",
     "INSERT INTO k SELECT 'key', 1 FROM t WHERE id <= 100000 ON CONFLICT(k) DO UPDATE SET n = n + excluded.n", 1,
     RUN, "DROP TABLE k"},
    {"REPLACE", "CREATE TABLE k(k TEXT PRIMARY KEY, n INTEGER)",
     "REPLACE INTO k SELECT 'key' || (n % 5000), id FROM t WHERE id <= 100000", 1, RUN, "DROP TABLE k"},
    {"REPLACE of one row", "CREATE TABLE k(k TEXT PRIMARY KEY, n INTEGER)",
     "REPLACE INTO k SELECT 'key', id FROM t WHERE id <= 100000", 1, RUN, "DROP TABLE k"},
    {"UPDATE FROM", NULL, "UPDATE u SET a = small.id FROM small WHERE small.id = u.id % 10000", 1, RUN, NULL},
    {"DELETE with CASCADE",
     "PRAGMA foreign_keys = 1; CREATE TABLE p(id INTEGER PRIMARY KEY);"
     "CREATE TABLE q(id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE);"
     "CREATE INDEX q_p ON q(p); INSERT INTO p SELECT id FROM small; INSERT INTO q SELECT id, id % 10000 FROM t WHERE id <= 30000",
     "DELETE FROM p WHERE id % 2", 1, RUN, "DROP TABLE q; DROP TABLE p; PRAGMA foreign_keys = 0"},
    {"json_set, json_replace", NULL,
     "SELECT sum(length(json_replace(doc, '$.name', id))), sum(length(json_set(doc, '$.deep.y', id))) FROM j", 1, RUN, NULL},
    {"row value = (SELECT ...)", NULL,
     "SELECT count(*) FROM u WHERE (a % 3, id % 5) = (SELECT length(label) - 6, s.id % 5 FROM small s WHERE s.id = u.id % 10000)", 1,
     RUN, NULL},
    {"ANALYZE", "BEGIN", "ANALYZE t", 1, RUN, "ROLLBACK"},
    {"CREATE INDEX, small", NULL, "CREATE INDEX small_label ON small(label)", 1, RUN, "DROP INDEX small_label"},
    {"CREATE INDEX, few values", "CREATE TABLE k(a TEXT); INSERT INTO k SELECT 'value ' || (grp % 20) FROM t WHERE id <= 200000",
     "CREATE INDEX k_a ON k(a)", 1, RUN, "DROP TABLE k"},
    {"REINDEX", "CREATE INDEX u_a ON u(a); CREATE INDEX u_b ON u(b)", "REINDEX u", 1, RUN, "DROP INDEX u_a; DROP INDEX u_b"},
    {"VACUUM",
     "ATTACH ':memory:' AS side; CREATE TABLE side.v(id INTEGER PRIMARY KEY, a INTEGER, b TEXT);"
     "INSERT INTO side.v SELECT id, n, body FROM t WHERE id <= 100000; CREATE INDEX side.v_a ON v(a); CREATE INDEX side.v_b ON v(b);"
     "DELETE FROM side.v WHERE id % 5 = 0",
     "VACUUM side", 1, RUN, "DETACH side"},
    {"ALTER RENAME of 3000 tables", "BEGIN;", "ALTER TABLE many7 RENAME TO other", 3000, AMONG, "ROLLBACK",
     "CREATE TABLE many%1$u(id INTEGER PRIMARY KEY, a UNIQUE, b TEXT);"},
    {"CREATE and DROP, each committed", NULL, "", 100, SCRIPT, NULL, "CREATE TABLE single%1$u(a); DROP TABLE single%1$u;"},
    {"integrity_check", NULL, "PRAGMA integrity_check(u)", 1, RUN, NULL},
    {"quick_check", NULL, "PRAGMA quick_check(t)", 1, RUN, NULL},
    {"foreign_key_check",
     "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE q(id INTEGER PRIMARY KEY, p INTEGER REFERENCES p);"
     "INSERT INTO p SELECT id FROM small; INSERT INTO q SELECT id, id % 10000 FROM t WHERE id <= 100000",
     "PRAGMA foreign_key_check(q)", 1, RUN, "DROP TABLE q; DROP TABLE p"},
    {"count of an indexed column", NULL, "SELECT count(name) FROM t", 5, RUN, NULL},
};

#define DOCUMENTS_TO(table) "INSERT INTO " table "(rowid, title, body) SELECT id, title, body FROM documents"
#define WORD(id)            "(SELECT word FROM words WHERE id = " id ")"
#define ROWS_WITH(match)    " FROM f WHERE f MATCH " match
static const char full_text_setup[] =
    "CREATE VIRTUAL TABLE f USING fts5(title, body);" DOCUMENTS_TO("f") ";"
    "CREATE VIRTUAL TABLE fp USING fts5(title, body, prefix = '2 3');" DOCUMENTS_TO("fp") ";"
    "INSERT INTO f(f) VALUES('optimize'); INSERT INTO fp(fp) VALUES('optimize');"
    "CREATE VIRTUAL TABLE v USING fts5vocab(f, row)";

static const struct test full_text_tests[] = {
    {"INSERT ... SELECT, all", "CREATE VIRTUAL TABLE g USING fts5(title, body)", DOCUMENTS_TO("g"), 1, RUN, "DROP TABLE g"},
    {"insert, one by one, 20 k", "CREATE VIRTUAL TABLE g USING fts5(title, body)", DOCUMENTS_TO("g") " WHERE id = ?1", 20000,
     ONCE, "DROP TABLE g"},
    {"insert, prefix = '2 3'", "CREATE VIRTUAL TABLE g USING fts5(title, body, prefix = '2 3')",
     DOCUMENTS_TO("g") " WHERE id <= 20000", 1, RUN, "DROP TABLE g"},
    {"insert, porter", "CREATE VIRTUAL TABLE g USING fts5(title, body, tokenize = porter)",
     DOCUMENTS_TO("g") " WHERE id <= 20000", 1, RUN, "DROP TABLE g"},
    {"insert, trigram", "CREATE VIRTUAL TABLE g USING fts5(title, body, tokenize = trigram)",
     DOCUMENTS_TO("g") " WHERE id <= 20000", 1, RUN, "DROP TABLE g"},
    {"MATCH, a rare word", NULL, "SELECT rowid" ROWS_WITH(WORD("?1 % 40000 + 5000")), 5000, RUN, NULL},
    {"MATCH, a frequent word", NULL, "SELECT count(*), sum(rowid)" ROWS_WITH(WORD("1")), 5, RUN, NULL},
    {"MATCH, of one column", NULL, "SELECT count(*) FROM f WHERE title MATCH " WORD("1"), 5, RUN, NULL},
    {"MATCH, two words", NULL, "SELECT count(*)" ROWS_WITH(WORD("2") "||' '||" WORD("?1 % 1000 + 10")), 50, RUN, NULL},
    {"MATCH, OR", NULL, "SELECT count(*)" ROWS_WITH(WORD("2") "||' OR '||" WORD("3")), 5, RUN, NULL},
    {"MATCH, a phrase", NULL, "SELECT count(*)" ROWS_WITH("'\"'||" WORD("1") "||' '||" WORD("2") "||'\"'"), 5, RUN, NULL},
    {"MATCH, NEAR", NULL, "SELECT count(*)" ROWS_WITH("'NEAR('||" WORD("1") "||' '||" WORD("2") "||', 3)'"), 5, RUN, NULL},
    {"MATCH, a prefix", NULL, "SELECT count(*)" ROWS_WITH("substr(" WORD("?1 % 1000 + 1") ", 1, 3)||'*'"), 20, RUN, NULL},
    {"MATCH, an indexed prefix", NULL,
     "SELECT count(*) FROM fp WHERE fp MATCH substr(" WORD("?1 % 1000 + 1") ", 1, 3)||'*'", 20, RUN, NULL},
    {"MATCH, a row's columns", NULL, "SELECT title, body" ROWS_WITH(WORD("?1 % 100 + 100")), 50, RUN, NULL},
    {"ORDER BY rank LIMIT 10, rare", NULL,
     "SELECT rowid, rank" ROWS_WITH(WORD("?1 % 1000 + 1000")) " ORDER BY rank LIMIT 10",
     1000, RUN, NULL},
    {"ORDER BY rank LIMIT 10", NULL, "SELECT rowid, rank" ROWS_WITH(WORD("1")) " ORDER BY rank LIMIT 10", 2, RUN, NULL},
    {"bm25, all rows", NULL, "SELECT bm25(f, 10.0, 1.0)" ROWS_WITH(WORD("3")), 2, RUN, NULL},
    {"snippet", NULL, "SELECT snippet(f, -1, '<b>', '</b>', '...', 8)" ROWS_WITH(WORD("?1 % 100 + 100")), 20, RUN, NULL},
    {"highlight", NULL, "SELECT highlight(f, 1, '<b>', '</b>')" ROWS_WITH(WORD("?1 % 100 + 100")), 20, RUN, NULL},
    {"fts5vocab, rows", NULL, "SELECT count(*), sum(doc), sum(cnt) FROM v", 1, RUN, NULL},
    {"UPDATE a tenth", NULL, "UPDATE f SET title = title || ' again' WHERE rowid % 10 = 3", 1, RUN,
     "UPDATE f SET title = (SELECT title FROM documents WHERE id = f.rowid) WHERE rowid % 10 = 3"},
    {"DELETE a tenth", NULL, "DELETE FROM f WHERE rowid % 10 = 3", 1, RUN, DOCUMENTS_TO("f") " WHERE id % 10 = 3"},
    {"optimize",
     "CREATE VIRTUAL TABLE g USING fts5(title, body); INSERT INTO g(g, rank) VALUES('automerge', 0);"
     DOCUMENTS_TO("g") " WHERE id % 4 = 0;" DOCUMENTS_TO("g") " WHERE id % 4 = 1;"
     DOCUMENTS_TO("g") " WHERE id % 4 = 2;" DOCUMENTS_TO("g") " WHERE id % 4 = 3",
     "INSERT INTO g(g) VALUES('optimize')", 1, RUN, "DROP TABLE g"},
    {"rebuild", NULL, "INSERT INTO f(f) VALUES('rebuild')", 1, RUN, NULL},
    {"integrity-check", NULL, "INSERT INTO f(f) VALUES('integrity-check')", 1, RUN, NULL},
};

static clockid_t time_source = CLOCK_MONOTONIC;

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(time_source, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

_Noreturn static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_sql: %s: %s\n", what, why);
    exit(1);
}

static u32 rows = 1000000, documents = 100000;

static s64 number_of(u32 run)
{
    return (s64)((u64)run * 7919 % ((rows ? rows : 1000000) - 100)) + 1;
}

// What the rows hold, in an order that both give.
static u64 sum_add(u64 sum, const void *bytes, size_t size)
{
    return (sum ^ (size ? ((const u8 *)bytes)[size - 1] : 0) ^ (size << 8)) * 0x9e3779b97f4a7c15u;
}

static u64 sum_number(u64 sum, u64 number)
{
    return (sum ^ number) * 0x9e3779b97f4a7c15u;
}
// Sums in another order differ in their last digits.
static u64 sum_real(u64 sum, double real)
{
    float f = (float)real;
    u32 bits;
    memcpy(&bits, &f, 4);
    return sum_number(sum, bits);
}

// ---- Skerry

static char *script_make(const struct test *t, const char *begin)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) fail(t->name, "out of memory");
    fputs(begin, f);
    for (u32 i = 1; i <= t->runs; i++) fprintf(f, t->repeat, i);
    if (fclose(f)) fail(t->name, "out of memory");
    return text;
}

static u32 run_count(const struct test *t) { return t->what == AMONG ? 1 : t->runs; }

static struct skerry *ours;

static void ours_exec(const char *sql)
{
    if (sql && skerry_exec(ours, sql, NULL, NULL)) fail(sql, skerry_error(ours)->text);
}

static struct skerry_stmt *ours_prepare(const char *sql)
{
    struct skerry_stmt *s = NULL;
    size_t used;
    int rc;
    while ((rc = skerry_prepare(ours, sql, strlen(sql), &s, &used)) == SKERRY_WAIT) skerry_wait(ours);
    if (rc) fail(sql, skerry_error(ours)->text);
    return s;
}

static u64 ours_run(struct skerry_stmt *s)
{
    u64 sum = 0;
    int rc;
    u32 columns = skerry_column_count(s);
    while ((rc = skerry_step(s)) != SKERRY_DONE) {
        if (rc == SKERRY_WAIT) {
            skerry_wait(ours);
        } else if (rc == SKERRY_ROW) {
            for (u32 i = 0; i < columns; i++) {
                size_t size;
                enum value_type type = skerry_column_type(s, i);
                if (type == VALUE_INTEGER) {
                    sum = sum_number(sum, (u64)skerry_column_integer(s, i));
                } else if (type == VALUE_REAL) {
                    sum = sum_real(sum, skerry_column_real(s, i));
                } else if (type == VALUE_TEXT) {
                    const char *text = skerry_column_text(s, i, &size);
                    sum = sum_add(sum, text, size);
                }
            }
        } else {
            fail(skerry_sql(s, NULL), skerry_error(ours)->text);
        }
    }
    while ((rc = skerry_reset(s)) == SKERRY_WAIT) skerry_wait(ours);
    return sum;
}

__attribute__((noinline)) static double ours_round(const struct test *t, u64 *sum)
{
    char *script = t->what == SCRIPT ? script_make(t, t->sql) : NULL, *among = t->what == AMONG ? script_make(t, t->before) : NULL;
    ours_exec(among ? among : t->before);
    *sum = 0;
    double start = now_seconds();
    s64 kept = t->what == PREPARE ? skerry_limit(ours, SKERRY_LIMIT_STATEMENT_CACHE, 0) : -1;
    if (script) {
        ours_exec(script);
    } else if (t->what >= PREPARE) {
        for (u32 i = 0; i < t->runs; i++) skerry_finalize(ours_prepare(t->sql));
    } else {
        if (run_count(t) > 1) ours_exec("BEGIN");
        struct skerry_stmt *s = ours_prepare(t->sql);
        bool binds = skerry_parameter_count(s) > 0;
        for (u32 i = 0; i < run_count(t); i++) {
            if (binds) skerry_bind_integer(s, 1, t->what == ONCE ? i + 1 : number_of(i));
            *sum += ours_run(s);
        }
        skerry_finalize(s);
        if (run_count(t) > 1) ours_exec("COMMIT");
    }
    double seconds = now_seconds() - start;
    skerry_limit(ours, SKERRY_LIMIT_STATEMENT_CACHE, kept);
    free(script);
    free(among);
    ours_exec(t->after);
    return seconds;
}

// ---- SQLite

static sqlite3 *theirs;

static void theirs_exec(const char *sql)
{
    if (sql && sqlite3_exec(theirs, sql, NULL, NULL, NULL)) fail(sql, sqlite3_errmsg(theirs));
}

static u64 theirs_run(sqlite3_stmt *s)
{
    u64 sum = 0;
    int rc, columns = sqlite3_column_count(s);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        for (int i = 0; i < columns; i++) {
            int type = sqlite3_column_type(s, i);
            if (type == SQLITE_INTEGER) {
                sum = sum_number(sum, (u64)sqlite3_column_int64(s, i));
            } else if (type == SQLITE_FLOAT) {
                sum = sum_real(sum, sqlite3_column_double(s, i));
            } else if (type == SQLITE_TEXT) {
                const void *text = sqlite3_column_text(s, i);
                sum = sum_add(sum, text, (size_t)sqlite3_column_bytes(s, i));
            }
        }
    }
    if (rc != SQLITE_DONE) fail(sqlite3_sql(s), sqlite3_errmsg(theirs));
    sqlite3_reset(s);
    return sum;
}

static sqlite3_stmt *theirs_prepare(const char *sql)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(theirs, sql, -1, &s, NULL)) fail(sql, sqlite3_errmsg(theirs));
    return s;
}

__attribute__((noinline)) static double theirs_round(const struct test *t, u64 *sum)
{
    char *script = t->what == SCRIPT ? script_make(t, t->sql) : NULL, *among = t->what == AMONG ? script_make(t, t->before) : NULL;
    theirs_exec(among ? among : t->before);
    *sum = 0;
    double start = now_seconds();
    if (script) {
        theirs_exec(script);
    } else if (t->what >= PREPARE) {
        for (u32 i = 0; i < t->runs; i++) sqlite3_finalize(theirs_prepare(t->sql));
    } else {
        if (run_count(t) > 1) theirs_exec("BEGIN");
        sqlite3_stmt *s = theirs_prepare(t->sql);
        bool binds = sqlite3_bind_parameter_count(s) > 0;
        for (u32 i = 0; i < run_count(t); i++) {
            if (binds) sqlite3_bind_int64(s, 1, t->what == ONCE ? i + 1 : number_of(i));
            *sum += theirs_run(s);
        }
        sqlite3_finalize(s);
        if (run_count(t) > 1) theirs_exec("COMMIT");
    }
    double seconds = now_seconds() - start;
    free(script);
    free(among);
    theirs_exec(t->after);
    return seconds;
}

static void rate_print(double seconds, u32 runs)
{
    double each = seconds / runs;
    if (each < 1e-3)
        printf(" %10.2f us", each * 1e6);
    else
        printf(" %10.2f ms", each * 1e3);
}

// ---- TPC-H

struct loading {
    struct skerry_stmt *ours[COUNT_OF(tpch_tables)];
    sqlite3_stmt *theirs[COUNT_OF(tpch_tables)];
};

static void tpch_insert(void *context, u32 table, const struct tpch_value *values, u32 count)
{
    struct loading *l = context;
    for (u32 i = 0; i < count; i++) {
        const struct tpch_value *v = &values[i];
        switch (v->type) {
        case TPCH_INTEGER:
            skerry_bind_integer(l->ours[table], i + 1, v->integer);
            if (theirs) sqlite3_bind_int64(l->theirs[table], (int)i + 1, v->integer);
            break;
        case TPCH_REAL:
            skerry_bind_real(l->ours[table], i + 1, v->real);
            if (theirs) sqlite3_bind_double(l->theirs[table], (int)i + 1, v->real);
            break;
        case TPCH_TEXT:
            skerry_bind_text(l->ours[table], i + 1, v->text, strlen(v->text));
            if (theirs) sqlite3_bind_text(l->theirs[table], (int)i + 1, v->text, -1, SQLITE_STATIC);
            break;
        }
    }
    ours_run(l->ours[table]);
    if (theirs) theirs_run(l->theirs[table]);
}

static void both_exec(const char *sql)
{
    ours_exec(sql);
    if (theirs) theirs_exec(sql);
}

static void tpch_load(double scale)
{
    struct loading l;
    both_exec("BEGIN");
    for (u32 i = 0; i < COUNT_OF(tpch_tables); i++) {
        char sql[200];
        int n = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES(?", tpch_tables[i].name);
        for (u32 k = 1; k < tpch_tables[i].columns; k++) n += snprintf(sql + n, sizeof sql - (size_t)n, ",?");
        snprintf(sql + n, sizeof sql - (size_t)n, ")");
        both_exec(tpch_tables[i].create);
        l.ours[i] = ours_prepare(sql);
        if (theirs) l.theirs[i] = theirs_prepare(sql);
    }
    tpch_generate(scale, tpch_insert, &l);
    for (u32 i = 0; i < COUNT_OF(tpch_tables); i++) {
        skerry_finalize(l.ours[i]);
        if (theirs) sqlite3_finalize(l.theirs[i]);
    }
    both_exec("COMMIT");
}

// ---- documents

#define WORDS 50000u

static u64 random_state = 1;

static double random_unit(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

// The word of a rank: of syllables, the more the rarer.
static u32 word_write(char *out, u32 rank)
{
    u32 size = 0;
    for (u32 i = rank * 37; i || !size; i /= 60) {
        out[size++] = "bdfghklmnprst"[i % 60 % 12];
        out[size++] = "aeiou"[i % 60 / 12];
    }
    out[size] = 0;
    return size;
}

static void words_write(char *out, u32 count)
{
    u32 size = 0;
    for (u32 i = 0; i < count; i++) {
        if (i) out[size++] = i % 7 ? ' ' : '.';
        if (i && i % 7 == 0) out[size++] = ' ';
        size += word_write(out + size, (u32)exp(random_unit() * log(WORDS)));
    }
}

struct both {
    struct skerry_stmt *ours;
    sqlite3_stmt *theirs;
};

static void both_insert(struct both s, s64 id, const char *const *texts, u32 count)
{
    skerry_bind_integer(s.ours, 1, id);
    for (u32 i = 0; i < count; i++) skerry_bind_text(s.ours, i + 2, texts[i], strlen(texts[i]));
    ours_run(s.ours);
    if (!theirs) return;
    sqlite3_bind_int64(s.theirs, 1, id);
    for (u32 i = 0; i < count; i++) sqlite3_bind_text(s.theirs, (int)i + 2, texts[i], -1, SQLITE_STATIC);
    theirs_run(s.theirs);
}

static struct both both_prepare(const char *sql)
{
    return (struct both){ours_prepare(sql), theirs ? theirs_prepare(sql) : NULL};
}

static void both_finalize(struct both s)
{
    skerry_finalize(s.ours);
    sqlite3_finalize(s.theirs);
}

static void full_text_load(void)
{
    both_exec("BEGIN; CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT);"
              "CREATE TABLE documents(id INTEGER PRIMARY KEY, title TEXT, body TEXT)");
    char title[400], body[1000];
    const char *texts[] = {title, body};
    struct both s = both_prepare("INSERT INTO words VALUES (?, ?)");
    for (u32 i = 1; i <= WORDS; i++) {
        word_write(title, i);
        both_insert(s, i, texts, 1);
    }
    both_finalize(s);
    s = both_prepare("INSERT INTO documents VALUES (?, ?, ?)");
    for (u32 i = 1; i <= documents; i++) {
        words_write(title, 4);
        words_write(body, 8 + (u32)(random_unit() * 17));
        both_insert(s, i, texts, 2);
    }
    both_finalize(s);
    both_exec("COMMIT");
    both_exec(full_text_setup);
}

// ---- rounds and tables

static u32 rounds = 3;
static const char *only;

struct ratios {
    double logs, seconds[2], least;
    u32 count, below;
};

static void visit(const struct test *t, double best[2])
{
    double start = now_seconds();
    for (u32 round = 0; round < rounds || (theirs && now_seconds() - start < SECONDS_MIN); round++) {
        u64 sums[2];
        if (round >= 2 && now_seconds() - start > SECONDS_MAX) break;
        best[0] = fmin(best[0], ours_round(t, &sums[0]));
        if (!theirs) continue;
        best[1] = fmin(best[1], theirs_round(t, &sums[1]));
        if (sums[0] != sums[1]) fail(t->name, "the answers differ");
    }
}

static void row_print(const struct test *t, const double best[2], struct ratios *r)
{
    printf("%-30s", t->name);
    rate_print(best[0], run_count(t));
    if (theirs) {
        double ratio = best[1] / best[0];
        rate_print(best[1], run_count(t));
        printf(" %7.2fx", ratio);
        r->logs += log(ratio);
        r->least = r->count ? fmin(r->least, ratio) : ratio;
        r->count++;
        r->below += ratio < 1;
    }
    r->seconds[0] += best[0];
    r->seconds[1] += best[1];
    printf("\n");
    fflush(stdout);
}

// Nothing where nothing was measured (--only).
static void ratios_print(const struct ratios *r, bool totals)
{
    if (totals && r->seconds[0] > 0) {
        printf("%-30s %10.2f s ", "all of them", r->seconds[0]);
        if (theirs) printf(" %10.2f s  %7.2fx", r->seconds[1], r->seconds[1] / r->seconds[0]);
        printf("\n");
    }
    if (r->count)
        printf("%-30s %27s %7.2fx  (least %.2fx; %u of %u below 1)\n", "geometric mean", "", exp(r->logs / r->count), r->least,
               r->below, r->count);
}

static void ratios_add(struct ratios *all, const struct ratios *r)
{
    if (!r->count) return;
    all->logs += r->logs;
    all->least = all->count ? fmin(all->least, r->least) : r->least;
    all->count += r->count;
    all->below += r->below;
}

// The rows are printed as they are visited for the last time.
static void measure(const char *title, const struct test *table, u32 count, struct ratios *r)
{
    double best[COUNT_OF(tests) + COUNT_OF(full_text_tests)][2];
    ASSERT(count <= COUNT_OF(best));
    printf("%-30s %13s %13s %8s\n", title, "Skerry", theirs ? "SQLite" : "-", "ratio");
    fflush(stdout);
    for (u32 i = 0; i < count; i++) best[i][0] = best[i][1] = HUGE_VAL;
    for (u32 v = 0; v < VISITS; v++) {
        for (u32 i = 0; i < count; i++) {
            if (only && !strstr(table[i].name, only)) continue;
            if (v + 1 < VISITS && isatty(STDERR_FILENO)) fprintf(stderr, "\r%-30s %u of %u, first visit%20s\r", title, i + 1, count, "");
            visit(&table[i], best[i]);
            if (v + 1 == VISITS) row_print(&table[i], best[i], r);
        }
    }
}

static void tpch(double scale, struct ratios *all)
{
    tpch_load(scale);
    for (u32 analyzed = 0; analyzed < 2; analyzed++) {
        struct ratios r = {0};
        if (analyzed) both_exec("ANALYZE");
        char title[60];
        snprintf(title, sizeof title, "TPC-H %g%s", scale, analyzed ? ", ANALYZE" : "");
        struct test queries[COUNT_OF(tpch_queries)];
        for (u32 i = 0; i < COUNT_OF(queries); i++)
            queries[i] = (struct test){.name = tpch_queries[i].name, .sql = tpch_queries[i].sql, .runs = 1};
        measure(title, queries, COUNT_OF(queries), &r);
        ratios_print(&r, true);
        ratios_add(all, &r);
    }
}

int main(int argc, char **argv)
{
    bool alone = false;
    double scale = 0.1;
    const char *dir = "build/bench";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--skerry") == 0)
            alone = true;
        else if (strcmp(argv[i], "--cpu") == 0)
            time_source = CLOCK_PROCESS_CPUTIME_ID;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc)
            dir = argv[++i];
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (u32)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc)
            rows = (u32)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--documents") == 0 && i + 1 < argc)
            documents = (u32)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--scale") == 0 && i + 1 < argc)
            scale = strtod(argv[++i], NULL);
        else
            fail(argv[i], "unknown; see the head of tests/bench/bench_sql.c");
    }
    if (!rounds || rounds > ROUNDS_MAX) fail("--rounds", "between 1 and 1000");
    if ((rows && rows < 1000) || rows > ROWS_MAX) fail("--rows", "0, or between 1000 and 100000000");
    if ((documents && documents < 20000) || documents > ROWS_MAX) fail("--documents", "0, or between 20000 and 100000000");
    if (!(scale >= 0 && scale <= 10)) fail("--scale", "between 0 and 10");
    mkdir("build", 0755);
    mkdir(dir, 0755);
    char paths[2][400];
    for (u32 i = 0; i < 2; i++) {
        static const char *const ends[] = {"", "-wal", "-shm"};
        snprintf(paths[i], sizeof paths[i], "%s/%s.db", dir, i ? "sqlite" : "skerry");
        for (u32 k = 0; k < COUNT_OF(ends); k++) {
            char path[900];
            snprintf(path, sizeof path, "%s%s", paths[i], ends[k]);
            unlink(path);
        }
    }

    struct err err = ERR_CLEAR;
    struct skerry_engine *engine;
    if (!skerry_engine_create(&(struct skerry_engine_options){.cache_bytes = CACHE_BYTES}, &engine, &err))
        fail("skerry_engine_create", err.text);
    if (!skerry_open(engine, paths[0], SKERRY_OPEN_CREATE, &ours, &err)) fail(paths[0], err.text);
    if (!alone) {
        if (sqlite3_open(paths[1], &theirs)) fail(paths[1], "does not open");
        theirs_exec("PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA cache_size = -524288");
    }

    ours_exec("PRAGMA cache_size = -524288"); // which is also what either may sort in memory

    printf("SQL in process, cached, best of %u visits of %u rounds or more; ratio above 1: Skerry is faster\n", VISITS, rounds);
    struct ratios all = {0};
    if (rows) {
        char setup[sizeof setup_format + 40];
        snprintf(setup, sizeof setup, setup_format, rows);
        both_exec("BEGIN");
        both_exec(setup);
        both_exec("COMMIT");
        char title[60];
        snprintf(title, sizeof title, "each run, %u rows", rows);
        measure(title, tests, COUNT_OF(tests), &all);
        ratios_print(&all, false);
    }
    if (documents) {
        struct ratios r = {0};
        full_text_load();
        char title[60];
        snprintf(title, sizeof title, "full-text, %u documents", documents);
        measure(title, full_text_tests, COUNT_OF(full_text_tests), &r);
        ratios_print(&r, false);
        ratios_add(&all, &r);
    }
    if (scale > 0) {
        tpch(scale, &all);
        if (rows) {
            printf("everything\n");
            ratios_print(&all, false);
        }
    }
    if (!alone) printf("(SQLite %s)\n", sqlite3_libversion());
    sqlite3_close(theirs);
    while (skerry_close(ours, NULL) == SKERRY_WAIT) skerry_wait(ours);
    skerry_engine_destroy(engine);
    for (u32 i = 0; i < 2; i++) unlink(paths[i]);
    return 0;
}
