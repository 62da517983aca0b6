// SQL in process, all in the page cache: Skerry against the SQLite that it is linked with (the newest
// amalgamation, -O2), on the same data, in the same run. The rounds of both alternate, short ones many times, and
// each one's best counts, because machines are noisy. Both keep a WAL, check no checksums that the other does not, and have
// a cache that holds everything. Answers are compared as well: a wrong one is not fast.
//
// usage: bench_sql [--rounds N] [--only SUBSTRING] [--skerry] [--dir DIR]
//        --skerry runs Skerry alone, for a profiler.
#include "../../engine/skerry.h"

#include <math.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROWS        200000
#define ROUNDS_MAX  1000u
#define SECONDS_MIN 0.8 // of one row: more rounds until then
#define CACHE_BYTES (256u << 20)

struct test {
    const char *name;
    const char *before; // not timed
    const char *sql;
    u32 runs;     // in one transaction; binds ?1 to a number of each run
    enum { RUN, PREPARE } what;
    const char *after; // not timed
};

static const char *const setup =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, grp INTEGER, v REAL, n INTEGER, body TEXT);"
    "INSERT INTO t WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 200000)"
    "  SELECT i, 'name' || i, i * 7919 % 1000, i / 7.0, i * 7907 % 200003,"
    "  'the body of row ' || i || ' is a text of some sixty bytes, ab' || i % 997 || 'c' FROM s;"
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
    "CREATE TABLE log(id INTEGER PRIMARY KEY, a INTEGER);"
    "CREATE TABLE w3(id INTEGER PRIMARY KEY, a INTEGER, b TEXT);"
    "CREATE TRIGGER w3_log AFTER INSERT ON w3 BEGIN INSERT INTO log(a) VALUES (new.a); END;"
    "CREATE TABLE u(id INTEGER PRIMARY KEY, a INTEGER, b TEXT);"
    "INSERT INTO u SELECT id, n, body FROM t WHERE id <= 100000;";

#define NUMBERS "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < "

static const struct test tests[] = {
    {"prepare SELECT 1", NULL, "SELECT 1", 20000, PREPARE, NULL},
    {"prepare typical", NULL,
     "SELECT id, name, v FROM t WHERE grp = ? AND v > 10 ORDER BY name LIMIT 10", 20000, PREPARE, NULL},
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
    {"GROUP BY text", NULL, "SELECT substr(name, 1, 6), count(*) FROM t GROUP BY 1", 1, RUN, NULL},
    {"join 200k x 10k", NULL,
     "SELECT count(*), sum(length(small.label)) FROM t JOIN small ON small.id = t.n % 10000", 1, RUN, NULL},
    {"join and GROUP BY", NULL,
     "SELECT small.label, sum(t.v) FROM t JOIN small ON small.id = t.grp GROUP BY small.label", 1, RUN,
     NULL},
    {"ORDER BY integer, all rows", NULL, "SELECT id, n FROM t ORDER BY n", 1, RUN, NULL},
    {"ORDER BY text, all rows", NULL, "SELECT id, body FROM t ORDER BY body", 1, RUN, NULL},
    {"ORDER BY LIMIT 10", NULL, "SELECT id, n FROM t ORDER BY n LIMIT 10", 2, RUN, NULL},
    {"DISTINCT", NULL, "SELECT DISTINCT grp FROM t", 1, RUN, NULL},
    {"COUNT(DISTINCT)", NULL, "SELECT count(DISTINCT n) FROM t", 1, RUN, NULL},
    {"subquery, correlated", NULL,
     "SELECT sum((SELECT length(label) FROM small WHERE small.id = t.grp)) FROM t", 1, RUN, NULL},
    {"JSON extraction", NULL,
     "SELECT sum(json_extract(doc, '$.deep.x')), count(doc ->> '$.name') FROM j", 1, RUN, NULL},
    {"json_each", NULL, "SELECT count(*) FROM j, json_each(j.doc, '$.tags') WHERE j.id <= 10000", 1, RUN,
     NULL},
    {"recursive CTE", NULL, NUMBERS "200000) SELECT sum(i) FROM s", 1, RUN, NULL},
    {"window row_number, sum", NULL,
     "SELECT max(r), max(x) FROM (SELECT row_number() OVER (PARTITION BY grp ORDER BY id) r,"
     " sum(v) OVER (PARTITION BY grp ORDER BY id) x FROM t WHERE id <= 50000)",
     1, RUN, NULL},
    {"UPDATE by key", NULL, "UPDATE u SET a = a + 1 WHERE id = ?1 % 100000 + 1", 50000, RUN, NULL},
    {"UPDATE all rows", NULL, "UPDATE u SET a = a + 1", 1, RUN, NULL},
    {"DELETE by key", "INSERT INTO w SELECT id, n, body FROM t", "DELETE FROM w WHERE id = ?1", 50000, RUN,
     "DELETE FROM w"},
    {"DELETE half", "INSERT INTO w SELECT id, n, body FROM t", "DELETE FROM w WHERE id % 2", 1, RUN,
     "DELETE FROM w"},
    {"insert, prepared", NULL, "INSERT INTO w(a, b) VALUES (?1, 'some text of a row')", 100000, RUN,
     "DELETE FROM w"},
    {"INSERT ... SELECT", NULL, "INSERT INTO w SELECT id, n, body FROM t", 1, RUN, "DELETE FROM w"},
    {"insert with two indexes", NULL, "INSERT INTO w2(a, b) VALUES (?1, 'text' || ?1)", 50000, RUN,
     "DELETE FROM w2"},
    {"insert with a trigger", NULL, "INSERT INTO w3(a, b) VALUES (?1, 'some text')", 50000, RUN,
     "DELETE FROM w3; DELETE FROM log"},
    {"CREATE INDEX", NULL, "CREATE INDEX t_n ON t(n, name)", 1, RUN, "DROP INDEX t_n"},
};

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

_Noreturn static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_sql: %s: %s\n", what, why);
    exit(1);
}

static s64 number_of(u32 run)
{
    return (s64)((u64)run * 7919 % (ROWS - 100)) + 1;
}

// What the rows hold, in an order that both give.
static u64 sum_add(u64 sum, const void *bytes, size_t size)
{
    return (sum ^ (size ? ((const u8 *)bytes)[size - 1] : 0) ^ (size << 8)) * 0x9e3779b97f4a7c15u;
}

// ---- Skerry

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
                    s64 n = skerry_column_integer(s, i);
                    sum = sum_add(sum, &n, 1);
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

static double ours_round(const struct test *t, u64 *sum)
{
    ours_exec(t->before);
    *sum = 0;
    double start = now_seconds();
    if (t->what == PREPARE) {
        for (u32 i = 0; i < t->runs; i++) skerry_finalize(ours_prepare(t->sql));
    } else {
        if (t->runs > 1) ours_exec("BEGIN");
        struct skerry_stmt *s = ours_prepare(t->sql);
        bool binds = skerry_parameter_count(s) > 0;
        for (u32 i = 0; i < t->runs; i++) {
            if (binds) skerry_bind_integer(s, 1, number_of(i));
            *sum += ours_run(s);
        }
        skerry_finalize(s);
        if (t->runs > 1) ours_exec("COMMIT");
    }
    double seconds = now_seconds() - start;
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
                s64 n = sqlite3_column_int64(s, i);
                sum = sum_add(sum, &n, 1);
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

static double theirs_round(const struct test *t, u64 *sum)
{
    theirs_exec(t->before);
    *sum = 0;
    double start = now_seconds();
    if (t->what == PREPARE) {
        for (u32 i = 0; i < t->runs; i++) sqlite3_finalize(theirs_prepare(t->sql));
    } else {
        if (t->runs > 1) theirs_exec("BEGIN");
        sqlite3_stmt *s = theirs_prepare(t->sql);
        bool binds = sqlite3_bind_parameter_count(s) > 0;
        for (u32 i = 0; i < t->runs; i++) {
            if (binds) sqlite3_bind_int64(s, 1, number_of(i));
            *sum += theirs_run(s);
        }
        sqlite3_finalize(s);
        if (t->runs > 1) theirs_exec("COMMIT");
    }
    double seconds = now_seconds() - start;
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

int main(int argc, char **argv)
{
    u32 rounds = 3;
    bool alone = false;
    const char *only = NULL, *dir = "build/bench";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--skerry") == 0)
            alone = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc)
            dir = argv[++i];
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (u32)strtoul(argv[++i], NULL, 10);
        else
            fail(argv[i], "unknown; see the head of tests/bench/bench_sql.c");
    }
    if (!rounds || rounds > ROUNDS_MAX) fail("--rounds", "between 1 and 1000");
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
    ours_exec("BEGIN");
    ours_exec(setup);
    ours_exec("COMMIT");
    if (!alone) {
        if (sqlite3_open(paths[1], &theirs)) fail(paths[1], "does not open");
        theirs_exec("PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA cache_size = -262144");
        theirs_exec("BEGIN");
        theirs_exec(setup);
        theirs_exec("COMMIT");
    }

    printf("SQL in process, cached, best of %u rounds or more; ratio above 1: Skerry is faster\n", rounds);
    printf("%-28s %13s %13s %8s\n", "each run", "Skerry", alone ? "-" : "SQLite", "ratio");
    double logs = 0;
    u32 count = 0;
    for (u32 i = 0; i < COUNT_OF(tests); i++) {
        const struct test *t = &tests[i];
        if (only && !strstr(t->name, only)) continue;
        double best[2] = {HUGE_VAL, HUGE_VAL};
        double start = now_seconds();
        for (u32 round = 0; round < rounds || (!alone && now_seconds() - start < SECONDS_MIN); round++) {
            u64 sums[2];
            best[0] = fmin(best[0], ours_round(t, &sums[0]));
            if (alone) continue;
            best[1] = fmin(best[1], theirs_round(t, &sums[1]));
            if (sums[0] != sums[1]) fail(t->name, "the answers differ");
        }
        printf("%-28s", t->name);
        rate_print(best[0], t->runs);
        if (!alone) {
            rate_print(best[1], t->runs);
            printf(" %7.2fx", best[1] / best[0]);
            logs += log(best[1] / best[0]);
            count++;
        }
        printf("\n");
        fflush(stdout);
    }
    if (count) printf("%-28s %27s %7.2fx\n", "geometric mean", "", exp(logs / count));
    if (!alone) printf("(SQLite %s)\n", sqlite3_libversion());
    sqlite3_close(theirs);
    while (skerry_close(ours, NULL) == SKERRY_WAIT) skerry_wait(ours);
    skerry_engine_destroy(engine);
    for (u32 i = 0; i < 2; i++) unlink(paths[i]);
    return 0;
}
