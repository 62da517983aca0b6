// Goal: memory that runs out gives an error and nothing else: no crash, no lost or half transaction, no damaged file;
// and a connection that failed for want of memory works again when there is some.
// Method: the program's calls of malloc and its like go through here (--wrap). One life of an engine (statements of all
// kinds, concurrent transactions, savepoints, sorts, spilling, checkpoints, VACUUM, opening and closing) is run again
// and again, each time with another allocation failing, alone or with all that follow. Afterwards libsqlite3 finds
// the file sound, with exactly the transactions that were acknowledged.
// MEMORY_ALL=1 fails each allocation in turn; else some, chosen by seed.
#include "store/store_driver.h"

#include "../../engine/skerry.h"

#include <signal.h>

// ---- allocations that fail

static struct {
    bool on, rest; // rest: all that follow the first that fails, too
    u64 count, at; // allocations so far; the one that fails, from 1 on; 0: none
    u64 failed;
} failing;

static bool fails(void)
{
    if (!failing.on) return false;
    failing.count++;
    bool hit = failing.at && (failing.rest ? failing.count >= failing.at : failing.count == failing.at);
    failing.failed += hit;
    return hit;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *old, size_t size) { return fails() ? NULL : __real_realloc(old, size); }
char *__wrap_strdup(const char *text) { return fails() ? NULL : __real_strdup(text); }
char *__wrap_strndup(const char *text, size_t size) { return fails() ? NULL : __real_strndup(text, size); }

// ---- a life

#define DB_PATH          "/a.db"
#define LIFE_SECONDS_MAX 10// one takes milliseconds
#define ROWS(count) "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " #count ") "

// Statements of connection 0, or 1. Transactions are known by their rows in log.
static const struct script {
    u32 connection;
    const char *sql;
} script[] = {
    {0, "PRAGMA auto_vacuum = 2"},
    {0, "CREATE TABLE log(mark INTEGER PRIMARY KEY)"},
    {0, "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b INT, c BLOB, UNIQUE(a, b)) STRICT"},
    {0, "CREATE INDEX tb ON t(b, a DESC) WHERE b > 3"},
    {0, "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID"},
    {0, "CREATE TABLE child(id INTEGER PRIMARY KEY, p REFERENCES t ON DELETE CASCADE)"},
    {0, "CREATE VIEW v AS SELECT a, count(*) AS n FROM t GROUP BY a"},
    {0, "CREATE TRIGGER tr AFTER INSERT ON t WHEN new.id % 7 = 0 BEGIN INSERT OR IGNORE INTO w VALUES (new.a, new.b); END"},
    {0, "CREATE VIRTUAL TABLE f USING fts5(body)"},
    {0, "PRAGMA foreign_keys = 1"},
    {0, "INSERT INTO log VALUES (1)"},
    {0, ROWS(120) "INSERT INTO t SELECT i, 'text ' || (i * 37 % 101), i, zeroblob(i * 9 % 700) FROM n"},
    {0, "INSERT INTO child SELECT id, id FROM t WHERE id < 20"},
    {0, "INSERT INTO f VALUES ('one two three'), ('two three four')"},
    {0, "SELECT rowid, snippet(f, 0, '<', '>', '', 5) FROM f WHERE f MATCH 'two AND three' ORDER BY rank"},
    {0, "SELECT a, sum(b) OVER (PARTITION BY b % 3 ORDER BY a) FROM t ORDER BY a COLLATE NOCASE, b DESC"},
    {0, "SELECT group_concat(a, ', '), json_group_array(b), printf('%08.3f', avg(b)) FROM t GROUP BY b % 10 HAVING count(*) > 1"},
    {0, "SELECT * FROM t JOIN w ON w.k = t.a LEFT JOIN v USING (a) WHERE t.b IN (SELECT b FROM t WHERE id < 50) LIMIT 20"},
    {0, "SELECT json_extract(value, '$.a') FROM json_each('[{\"a\":1},{\"a\":[2,3]}]')"},
    {0, "BEGIN"},
    {0, "INSERT INTO log VALUES (2)"},
    {0, "SAVEPOINT s"},
    {0, "UPDATE t SET c = zeroblob(900), a = upper(a) || id WHERE id % 2 = 0"},
    {0, "ROLLBACK TO s"},
    {0, "UPDATE t SET b = b + 1000 WHERE id > 100"},
    {0, "DELETE FROM t WHERE id < 5"},
    {0, "COMMIT"},
    {0, "BEGIN CONCURRENT"},
    {0, "INSERT INTO log VALUES (3)"},
    {0, "INSERT INTO t(a, b, c) VALUES ('concurrent', 1, x'00')"},
    {0, "UPDATE t SET c = NULL WHERE id BETWEEN 10 AND 30"},
    {1, "INSERT INTO log VALUES (4)"},
    {1, "INSERT INTO t(a, b) VALUES ('other', 2)"},
    {0, "COMMIT"}, // carried out again
    {0, "BEGIN CONCURRENT"},
    {0, "UPDATE t SET c = x'01' WHERE id = 40"},
    {1, "UPDATE t SET c = x'02' WHERE id = 40"},
    {0, "COMMIT"}, // a conflict
    {0, "ROLLBACK"},
    {1, "BEGIN"},
    {1, "SELECT count(*) FROM t"},
    {0, "PRAGMA wal_checkpoint(FULL)"},
    {1, "COMMIT"},
    {0, "ALTER TABLE t ADD COLUMN d INT DEFAULT 5"},
    {0, "INSERT INTO t(a, b) VALUES ('x', 1), ('x', 1) ON CONFLICT DO UPDATE SET d = d + 1 RETURNING id, d"},
    {0, "ANALYZE"},
    {0, "DELETE FROM t WHERE id > 60"},
    {0, "PRAGMA incremental_vacuum"},
    {0, "PRAGMA wal_checkpoint(TRUNCATE)"},
    {0, "INSERT INTO log VALUES (5)"},
    {0, "VACUUM"},
    {0, "ATTACH '/b.db' AS b"},
    {0, "CREATE TABLE b.t AS SELECT * FROM t"},
    {0, "PRAGMA integrity_check"},
    {0, "INSERT INTO log VALUES (6)"},
};
#define MARKS 7u

struct life {
    struct io *io;
    struct skerry_engine *engine;
    struct skerry *db[2];
    u32 acknowledged, inserted[2]; // bits: marks; by each connection's open transaction
    u32 errors;
};

// Runs one statement to its end: its result code.
static int statement_run(struct skerry *db, const char *sql)
{
    struct skerry_stmt *s = NULL;
    size_t used;
    int rc;
    while ((rc = skerry_prepare(db, sql, strlen(sql), &s, &used)) == SKERRY_WAIT) skerry_wait(db);
    if (rc != SKERRY_OK) return skerry_errcode(db);
    while ((rc = skerry_step(s)) == SKERRY_WAIT || rc == SKERRY_ROW) {
        if (rc == SKERRY_WAIT) skerry_wait(db);
        for (u32 i = 0; rc == SKERRY_ROW && i < skerry_column_count(s); i++) (void)skerry_column_text(s, i, NULL);
    }
    int code = rc == SKERRY_DONE ? SKERRY_OK : skerry_errcode(db);
    skerry_finalize(s);
    return code;
}

static void script_run(struct life *life, const struct script *line)
{
    struct skerry *db = life->db[line->connection];
    if (!db) return;
    int code = statement_run(db, line->sql);
    u32 mark, *inserted = &life->inserted[line->connection];
    if (code == SKERRY_OK && sscanf(line->sql, "INSERT INTO log VALUES (%u)", &mark) == 1) *inserted |= 1u << mark;
    if (skerry_autocommit(db)) {
        if (code == SKERRY_OK && strcmp(line->sql, "ROLLBACK") != 0) life->acknowledged |= *inserted;
        *inserted = 0;
    }
    if (code == SKERRY_OK) return;
    life->errors++;
    if (!failing.at && code != SQLITE_BUSY_SNAPSHOT)
        test_fail(__FILE__, __LINE__, "%s: error %d: %s", line->sql, code, skerry_error(db)->text);
    // What follows from a statement that failed may be an ordinary error; nothing is ever malformed or misused.
    int primary = code & 0xff;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_INTERNAL || primary == SQLITE_MISUSE)
        test_fail(__FILE__, __LINE__, "allocation %llu%s: %s: error %d: %s", (unsigned long long)failing.at,
                  failing.rest ? " and all after" : "", line->sql, code, skerry_error(db)->text);
}

static void life_run(struct life *life)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options options = {.io = life->io, .cache_bytes = 24 * 4096, .checkpoint_frames = 40, .temp_dir = "/"};
    if (!skerry_engine_create(&options, &life->engine, &err)) return;
    for (u32 i = 0; i < 2; i++)
        if (!skerry_open(life->engine, DB_PATH, SKERRY_OPEN_CREATE, &life->db[i], &err)) life->db[i] = NULL;
    for (u32 i = 0; i < COUNT_OF(script); i++) script_run(life, &script[i]);
}

static void life_close(struct life *life)
{
    for (u32 i = 0; i < 2; i++)
        while (life->db[i] && skerry_close(life->db[i], NULL) == SKERRY_WAIT) skerry_wait(life->db[i]);
    if (life->engine) skerry_engine_destroy(life->engine);
}

static void memory_file_save(struct io *io, const char *name, const char *path)
{
    struct completion c;
    struct io_file *f = NULL;
    u64 size = 0;
    completion_init(&c, NULL, NULL);
    io_file_open(io, name, 0, &f, &c);
    while (c.state == COMPLETION_PENDING) io_step(io, UINT64_MAX);
    if (c.result < 0) return;
    io_file_size(f, &size, &c);
    while (c.state == COMPLETION_PENDING) io_step(io, UINT64_MAX);
    u8 *bytes = malloc(size + 1);
    io_file_read(f, bytes, size, 0, &c);
    while (c.state == COMPLETION_PENDING) io_step(io, UINT64_MAX);
    file_save(path, bytes, size);
    free(bytes);
    io_file_close(f, &c);
    while (c.state == COMPLETION_PENDING) io_step(io, UINT64_MAX);
}

// What SQLite finds in the file is what was acknowledged.
static void survived_check(const struct life *life)
{
    char path[500], wal[520], want[60] = "", text[12];
    snprintf(path, sizeof path, "%s/copy.db", test_dir());
    snprintf(wal, sizeof wal, "%s-wal", path);
    unlink(path);
    unlink(wal);
    memory_file_save(life->io, DB_PATH, path);
    memory_file_save(life->io, DB_PATH "-wal", wal);
    for (u32 i = 1; i < MARKS; i++) {
        if (!(life->acknowledged & 1u << i)) continue;
        snprintf(text, sizeof text, "%s%u", want[0] ? "," : "", i);
        strcat(want, text);
    }
    bool any = file_exists(path) && strcmp(sqlite_ask(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'log'"), "1") == 0;
    const char *got = any ? sqlite_ask(path, "SELECT coalesce(group_concat(mark), '') FROM log") : "";
    if (strcmp(got, want) != 0)
        test_fail(__FILE__, __LINE__, "allocation %llu%s: committed are %s, acknowledged %s", (unsigned long long)failing.at,
                  failing.rest ? " and all after" : "", got, want);
    if (any && strcmp(sqlite_ask(path, "PRAGMA integrity_check"), "ok") != 0)
        test_fail(__FILE__, __LINE__, "allocation %llu%s: SQLite says: %s", (unsigned long long)failing.at,
                  failing.rest ? " and all after" : "", sqlite_ask(path, "PRAGMA integrity_check"));
}

static void stuck(int signal)
{
    printf("allocation %llu%s: it never ends\n", (unsigned long long)failing.at, failing.rest ? " and all after" : "");
    fflush(stdout);
    abort();
}

enum until { UNTIL_END, UNTIL_CLOSE }; // when there is memory again

// How many allocations there were.
static u64 life_with_failure(u64 at, bool rest, enum until until)
{
    struct life life = {0};
    struct err err = ERR_CLEAR;
    life.io = io_create(&(struct io_options){.backend = IO_BACKEND_MEMORY}, &err);
    if (!life.io) abort();
    failing.count = failing.failed = 0;
    failing.at = at;
    failing.rest = rest;
    failing.on = true;
    alarm(LIFE_SECONDS_MAX);
    life_run(&life);
    failing.on = until == UNTIL_END;
    // With memory again, who failed goes on.
    if (!failing.on && life.db[0]) {
        (void)skerry_rollback(life.db[0]);
        (void)statement_run(life.db[0], "CREATE TABLE IF NOT EXISTS log(mark INTEGER PRIMARY KEY)");
        int code = statement_run(life.db[0], "REPLACE INTO log SELECT 6");
        if (code == SKERRY_OK) life.acknowledged |= 1u << 6;
        if (code != SKERRY_OK)
            test_fail(__FILE__, __LINE__, "allocation %llu%s; with memory again: error %d: %s", (unsigned long long)at,
                      rest ? " and all after" : "", code, skerry_error(life.db[0])->text);
    }
    life_close(&life);
    failing.on = false;
    u64 count = failing.count;
    if (at == 0 && life.errors != 1) test_fail(__FILE__, __LINE__, "%u statements failed, want one: the conflict", life.errors);
    alarm(0);
    survived_check(&life);
    io_destroy(life.io);
    return count;
}

static void allocations_fail(bool rest, enum until until)
{
    signal(SIGALRM, stuck);
    u64 count = life_with_failure(0, rest, UNTIL_END), seed = test_seed(), runs = 0;
    CHECK(count > 1000);
    u64 step = getenv("MEMORY_ALL") ? 1 : MAX(count / 250, 1);
    for (u64 at = 1; at <= count && !test_failed(); at += step == 1 ? 1 : 1 + test_random(&seed) % (2 * step - 1)) {
        (void)life_with_failure(at, rest, until);
        runs++;
    }
    printf("  %llu of %llu allocations failed in turn\n", (unsigned long long)runs, (unsigned long long)count);
}

TEST(one_allocation_fails) { allocations_fail(false, UNTIL_END); }

TEST(all_allocations_fail_from_one_on) { allocations_fail(true, UNTIL_END); }

TEST(memory_comes_back) { allocations_fail(true, UNTIL_CLOSE); }

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
