// Writing, beside the SQLite that this is linked with (the newest amalgamation, -O2), in the same run: both have a WAL,
// synchronous=FULL and a page cache of 16 MiB; rounds of both alternate and the median counts. What was written is
// looked at with SQLite afterwards.
//
//   bulk insert   rows in one transaction, two columns, without and with two indexes (of scattered keys). SQLite moves
//                 its log into the file before COMMIT comes back, Skerry after that: "committed" is until COMMIT came
//                 back, "in the file" until a checkpoint (TRUNCATE) that follows at once did. Each round is a process
//                 of its own; "peak" is the most memory that it had, "log" the size of its WAL when COMMIT came back.
//   checkpoint    TRUNCATE of a log of so many MiB, which one UPDATE of all rows has left
//   mix           clients that read a row by rowid and, so many times in a hundred, update one durably. A client asks
//                 again at once, and its times count from its last answer: waiting for a processor, for the loop or for
//                 other writers is in them. Skerry's are connections of one loop, plain (autocommit) and with
//                 BEGIN CONCURRENT; SQLite's are threads whose writers queue first come, first served.
//                 With one client the work is writes alone or reads alone, and Turso does it too where node and its
//                 package are there, through its JavaScript, which costs it some microseconds a call. Three times as
//                 many rounds as of the others, since what else uses the disk comes and goes within seconds.
//   open          a file that the kernel has in its cache: connection, first query and its answer, of one table and of
//                 1,000 with an index each. Skerry's engine (its ring) is there already; what making it takes is said.
//
// usage: bench_write [--rows N] [--mib N] [--seconds S] [--rounds N] [--only bulk|checkpoint|mix|open] [--dir DIR]
#include "../../engine/skerry.h"
#include "../../io/err.h"
#include "line.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX   8u
#define ROUNDS_MAX    25u
#define CACHE_KIB     16384
#define MIX_ROWS      100000u
#define MIX_BYTES     100u
#define OPEN_TABLES   1000u
#define OPEN_TIMES    21u

enum side { OURS, THEIRS };

static const char *dir = "build/bench", *only = "";
static char path[400];
static u32 bulk_rows = 1000000, mib = 100, rounds = 3;
static double seconds_each = 0.7;

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

_Noreturn static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_write: %s: %s\n", what, why);
    exit(1);
}

static double median(double *values, u32 count)
{
    for (u32 i = 1; i < count; i++)
        for (u32 k = i; k > 0 && values[k] < values[k - 1]; k--) {
            double swap = values[k];
            values[k] = values[k - 1];
            values[k - 1] = swap;
        }
    return values[count / 2];
}

static void files_remove(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (u32 i = 0; i < COUNT_OF(ends); i++) {
        char name[420];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

// ---- one connection of either

struct db {
    enum side side;
    struct skerry_engine *engine;
    struct skerry *ours;
    sqlite3 *theirs;
};

struct stmt {
    struct db *db;
    struct skerry_stmt *ours;
    sqlite3_stmt *theirs;
};

static struct skerry_engine *engine_make(void)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine *engine;
    if (!skerry_engine_create(&(struct skerry_engine_options){.cache_bytes = CACHE_KIB * 1024ull}, &engine, &err))
        fail("engine", err.text);
    return engine;
}

static void db_exec(struct db *db, const char *sql)
{
    if (db->side == OURS ? skerry_exec(db->ours, sql, NULL, NULL) : sqlite3_exec(db->theirs, sql, NULL, NULL, NULL))
        fail(sql, db->side == OURS ? skerry_error(db->ours)->text : sqlite3_errmsg(db->theirs));
}

// The engine of ours is given (of theirs: NULL).
static void db_open(struct db *db, enum side side, struct skerry_engine *engine)
{
    struct err err = ERR_CLEAR;
    char sql[100];
    *db = (struct db){.side = side, .engine = engine};
    if (side == OURS) {
        if (!skerry_open(engine, path, SKERRY_OPEN_CREATE, &db->ours, &err)) fail(path, err.text);
        return;
    }
    if (sqlite3_open_v2(path, &db->theirs, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL)) fail(path, "does not open");
    snprintf(sql, sizeof sql, "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA cache_size = -%d", CACHE_KIB);
    db_exec(db, sql);
}

static void db_close(struct db *db)
{
    if (db->side == THEIRS) sqlite3_close(db->theirs);
    else
        while (skerry_close(db->ours, NULL) == SKERRY_WAIT) skerry_wait(db->ours);
}

static void stmt_make(struct stmt *s, struct db *db, const char *sql)
{
    size_t used;
    int rc;
    *s = (struct stmt){.db = db};
    if (db->side == OURS) {
        while ((rc = skerry_prepare(db->ours, sql, strlen(sql), &s->ours, &used)) == SKERRY_WAIT) skerry_wait(db->ours);
    } else {
        rc = sqlite3_prepare_v2(db->theirs, sql, -1, &s->theirs, NULL);
    }
    if (rc) fail(sql, db->side == OURS ? skerry_error(db->ours)->text : sqlite3_errmsg(db->theirs));
}

static void stmt_finalize(struct stmt *s)
{
    skerry_finalize(s->ours);
    sqlite3_finalize(s->theirs);
}

static void stmt_bind_integer(struct stmt *s, u32 index, s64 value)
{
    if (s->ours) skerry_bind_integer(s->ours, index, value);
    else sqlite3_bind_int64(s->theirs, (int)index, value);
}

static void stmt_bind_text(struct stmt *s, u32 index, const char *text, size_t size)
{
    if (s->ours) skerry_bind_text(s->ours, index, text, size);
    else sqlite3_bind_text(s->theirs, (int)index, text, (int)size, SQLITE_TRANSIENT);
}

// To its end, waiting where it must. The numbers of its last row's first columns.
static void stmt_run(struct stmt *s, s64 *numbers, u32 count)
{
    int rc;
    if (s->ours) {
        struct skerry *db = s->db->ours;
        while ((rc = skerry_step(s->ours)) != SKERRY_DONE) {
            if (rc == SKERRY_WAIT) skerry_wait(db);
            else if (rc != SKERRY_ROW) fail(skerry_sql(s->ours, NULL), skerry_error(db)->text);
            for (u32 i = 0; rc == SKERRY_ROW && i < count; i++) numbers[i] = skerry_column_integer(s->ours, i);
        }
        while (skerry_reset(s->ours) == SKERRY_WAIT) skerry_wait(db);
        return;
    }
    while ((rc = sqlite3_step(s->theirs)) == SQLITE_ROW)
        for (u32 i = 0; i < count; i++) numbers[i] = sqlite3_column_int64(s->theirs, (int)i);
    if (rc != SQLITE_DONE) fail(sqlite3_sql(s->theirs), sqlite3_errmsg(s->db->theirs));
    sqlite3_reset(s->theirs);
}

static void db_numbers(struct db *db, const char *sql, s64 *numbers, u32 count)
{
    struct stmt s;
    stmt_make(&s, db, sql);
    stmt_run(&s, numbers, count);
    stmt_finalize(&s);
}

// SQLite says of the file that is there now that it is whole, and what `sql` gives.
static void file_check(const char *sql, s64 want)
{
    struct db db;
    struct stmt s;
    s64 got = -1;
    db_open(&db, THEIRS, NULL);
    stmt_make(&s, &db, "PRAGMA quick_check");
    if (sqlite3_step(s.theirs) != SQLITE_ROW || strcmp((const char *)sqlite3_column_text(s.theirs, 0), "ok") != 0)
        fail(path, "quick_check is not ok");
    stmt_finalize(&s);
    db_numbers(&db, sql, &got, 1);
    db_close(&db);
    if (got != want) fail(sql, "not what was written");
}

// ---- bulk insert

static const char *const bulk_schemas[] = {
    "CREATE TABLE w(id INTEGER PRIMARY KEY, a INTEGER, b TEXT)",
    "CREATE TABLE w(id INTEGER PRIMARY KEY, a INTEGER, b TEXT); CREATE INDEX w_a ON w(a); CREATE INDEX w_b ON w(b)",
};

struct bulk {
    double committed, in_file, peak, log; // seconds, seconds, MiB, MiB
};

static double memory_most(void)
{
    char line[200];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0) kib = atof(line + 6);
    if (f) fclose(f);
    return kib / 1024;
}

static double log_mib(void)
{
    char name[420];
    struct stat st;
    snprintf(name, sizeof name, "%s-wal", path);
    return stat(name, &st) ? 0 : (double)st.st_size / 1048576;
}

static struct bulk bulk_run(enum side side, bool indexed)
{
    char text[] = "........ is the text of this row";
    struct skerry_engine *engine = side == OURS ? engine_make() : NULL;
    struct bulk b;
    struct db db;
    struct stmt insert;
    s64 numbers[3] = {0}, sum = 0;
    files_remove();
    db_open(&db, side, engine);
    db_exec(&db, bulk_schemas[indexed]);
    stmt_make(&insert, &db, "INSERT INTO w(a, b) VALUES (?1, ?2)");
    double start = now_seconds();
    db_exec(&db, "BEGIN");
    for (u32 i = 1; i <= bulk_rows; i++) {
        u32 scattered = i * 2654435761u;
        for (u32 k = 0; k < 8; k++) text[k] = "0123456789abcdef"[scattered >> (28 - 4 * k) & 15];
        stmt_bind_integer(&insert, 1, scattered);
        stmt_bind_text(&insert, 2, text, sizeof text - 1);
        stmt_run(&insert, NULL, 0);
        sum += scattered;
    }
    db_exec(&db, "COMMIT");
    b.committed = now_seconds() - start;
    b.log = log_mib();
    db_numbers(&db, "PRAGMA wal_checkpoint(TRUNCATE)", numbers, COUNT_OF(numbers));
    b.in_file = now_seconds() - start;
    b.peak = memory_most();
    if (numbers[0]) fail("checkpoint", "was kept");
    stmt_finalize(&insert);
    db_close(&db);
    if (engine) skerry_engine_destroy(engine);
    file_check("SELECT sum(a) FROM w NOT INDEXED", sum);
    if (indexed) file_check("SELECT count(*) FROM w INDEXED BY w_b WHERE b >= ''", bulk_rows);
    return b;
}

static struct bulk bulk_child(const char *program, enum side side, bool indexed)
{
    char command[9000];
    struct bulk b;
    snprintf(command, sizeof command, "'%s' --dir '%s' --rows %u --bulk %u", program, dir, bulk_rows, (u32)side * 2 + indexed);
    FILE *f = popen(command, "r");
    if (!f || fscanf(f, "%lf %lf %lf %lf", &b.committed, &b.in_file, &b.peak, &b.log) != 4 || pclose(f)) fail("bulk insert", "its process failed");
    return b;
}

static void bulk_table(const char *program)
{
    printf("bulk insert of %u rows, one transaction; millions of rows per second, MiB\n", bulk_rows);
    printf("%-13s %9s %8s %7s %12s %8s %7s %8s %8s %8s %8s\n", "", "committed", "SQLite", "", "in the file", "SQLite", "", "peak",
           "SQLite's", "log", "SQLite's");
    for (u32 indexed = 0; indexed < 2; indexed++) {
        double all[2][4][ROUNDS_MAX], mid[2][4];
        for (u32 round = 0; round < rounds; round++)
            for (u32 turn = 0; turn < 2; turn++) {
                u32 side = turn ^ (round % 2);
                struct bulk b = bulk_child(program, side, indexed);
                all[side][0][round] = b.committed;
                all[side][1][round] = b.in_file;
                all[side][2][round] = b.peak;
                all[side][3][round] = b.log;
            }
        for (u32 i = 0; i < 8; i++) mid[i / 4][i % 4] = median(all[i / 4][i % 4], rounds);
        double m = bulk_rows / 1e6;
        printf("%-13s %9.2f %8.2f %6.2fx %12.2f %8.2f %6.2fx %8.1f %8.1f %8.0f %8.0f\n", indexed ? "two indexes" : "no index", m / mid[OURS][0],
               m / mid[THEIRS][0], mid[THEIRS][0] / mid[OURS][0], m / mid[OURS][1], m / mid[THEIRS][1], mid[THEIRS][1] / mid[OURS][1],
               mid[OURS][2], mid[THEIRS][2], mid[OURS][3], mid[THEIRS][3]);
        fflush(stdout);
    }
}

// ---- checkpoint

#define CHECKPOINT_BYTES 1200u // of text in a row: three fit into a page of 4096 bytes

struct checkpoint {
    double seconds, log; // seconds, MiB
};

static struct checkpoint checkpoint_run(enum side side)
{
    struct skerry_engine *engine = side == OURS ? engine_make() : NULL;
    struct db db;
    char sql[400];
    s64 before[3] = {0}, after[3] = {0};
    files_remove();
    db_open(&db, side, engine);
    db_exec(&db, "PRAGMA wal_autocheckpoint = 0");
    u32 rows = mib * 256 * 3;
    snprintf(sql, sizeof sql,
             "CREATE TABLE t(id INTEGER PRIMARY KEY, b TEXT);"
             "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) SELECT i, printf('%%.*c', %u, 'x') FROM n",
             rows, CHECKPOINT_BYTES);
    db_exec(&db, sql);
    db_numbers(&db, "PRAGMA wal_checkpoint(TRUNCATE)", before, 3);
    snprintf(sql, sizeof sql, "UPDATE t SET b = printf('%%.*c', %u, 'y')", CHECKPOINT_BYTES);
    db_exec(&db, sql);
    db_numbers(&db, "PRAGMA wal_checkpoint(NOOP)", before, 3);
    double start = now_seconds();
    db_numbers(&db, "PRAGMA wal_checkpoint(TRUNCATE)", after, 3);
    struct checkpoint c = {.seconds = now_seconds() - start, .log = (double)(before[1] - before[2]) * 4096 / 1048576};
    if (after[0]) fail("checkpoint", "was kept");
    db_close(&db);
    if (engine) skerry_engine_destroy(engine);
    file_check("SELECT count(*) FROM t WHERE b LIKE 'yyy%'", rows);
    return c;
}

static void checkpoint_table(void)
{
    double seconds[2][ROUNDS_MAX], log[2][ROUNDS_MAX];
    for (u32 round = 0; round < rounds; round++)
        for (u32 turn = 0; turn < 2; turn++) {
            u32 side = turn ^ (round % 2);
            struct checkpoint c = checkpoint_run(side);
            seconds[side][round] = c.seconds;
            log[side][round] = c.log;
        }
    double ours = median(seconds[OURS], rounds), theirs = median(seconds[THEIRS], rounds);
    printf("\ncheckpoint (TRUNCATE): log of %.0f MiB in %.0f ms; SQLite's of %.0f MiB in %.0f ms; %.2fx\n", median(log[OURS], rounds), ours * 1e3,
           median(log[THEIRS], rounds), theirs * 1e3, theirs / ours);
    fflush(stdout);
}

// ---- mix

// Times by size: 32 steps for each doubling.
struct times {
    u64 counts[64 * 32], all;
};

static void times_add(struct times *t, double seconds)
{
    u64 ns = (u64)(seconds * 1e9) | 32;
    u32 top = 63 - (u32)__builtin_clzll(ns);
    t->counts[top * 32 + (ns >> (top - 5) & 31)]++;
    t->all++;
}

// In microseconds, by up to 3 % too much.
static double times_share(const struct times *t, double share)
{
    u64 seen = 0;
    for (u32 i = 0; i < COUNT_OF(t->counts); i++) {
        seen += t->counts[i];
        if (t->all && (double)seen >= share * (double)t->all) return (33 + i % 32) / 32.0 * (double)(1ull << (i / 32)) / 1e3;
    }
    return 0;
}

static void times_merge(struct times *t, const struct times *other)
{
    for (u32 i = 0; i < COUNT_OF(t->counts); i++) t->counts[i] += other->counts[i];
    t->all += other->all;
}

enum step { STEP_READ, STEP_UPDATE, STEP_BEGIN, STEP_COMMIT, STEP_ROLLBACK, STEP_COUNT };
static const char *const step_sql[] = {"SELECT v FROM t WHERE id = ?1", "UPDATE t SET v = ?2 WHERE id = ?1", "BEGIN CONCURRENT", "COMMIT",
                                       "ROLLBACK"};

struct client {
    struct db db;
    struct stmt stmts[STEP_COUNT];
    struct times times[2]; // reads, writes
    u64 random;
    double asked;
    pthread_t thread;
    s64 row;
    u32 writes_in_100;
    enum step step;
    bool concurrent, writes, runnable;
    char value[MIX_BYTES];
};
static struct client clients[CLIENTS_MAX];
static double mix_end;

static u32 client_random(struct client *c)
{
    c->random = c->random * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(c->random >> 33);
}

static void client_next(struct client *c)
{
    c->writes = client_random(c) % 100 < c->writes_in_100;
    c->row = client_random(c) % MIX_ROWS + 1;
    c->step = !c->writes ? STEP_READ : c->concurrent ? STEP_BEGIN : STEP_UPDATE;
    if (c->writes) memcpy(c->value, &c->random, sizeof c->random);
}

static void client_answered(struct client *c)
{
    double now = now_seconds();
    times_add(&c->times[c->writes], now - c->asked);
    c->asked = now;
    client_next(c);
}

static void client_bind(struct client *c, struct stmt *s)
{
    if (c->step != STEP_READ && c->step != STEP_UPDATE) return;
    stmt_bind_integer(s, 1, c->row);
    if (c->step == STEP_UPDATE) stmt_bind_text(s, 2, c->value, sizeof c->value);
}

static void on_wake(void *context)
{
    ((struct client *)context)->runnable = true;
}

// Until it waits or has an answer.
static void client_run(struct client *c)
{
    for (;;) {
        struct stmt *s = &c->stmts[c->step];
        int rc;
        if (!skerry_stmt_busy(s->ours)) client_bind(c, s);
        while ((rc = skerry_step(s->ours)) == SKERRY_ROW)
            if (skerry_column(s->ours, 0) == NULL) fail(step_sql[c->step], "no value");
        if (rc == SKERRY_WAIT) {
            c->runnable = false;
            return;
        }
        bool conflict = rc != SKERRY_DONE && skerry_errcode(c->db.ours) == ERR_BUSY_SNAPSHOT;
        if (rc != SKERRY_DONE && !conflict) fail(step_sql[c->step], skerry_error(c->db.ours)->text);
        while (skerry_reset(s->ours) == SKERRY_WAIT) skerry_wait(c->db.ours);
        enum step last = c->concurrent ? STEP_COMMIT : STEP_UPDATE;
        if (conflict) c->step = STEP_ROLLBACK;
        else if (c->step == STEP_BEGIN || c->step == STEP_ROLLBACK) c->step = c->step == STEP_BEGIN ? STEP_UPDATE : STEP_BEGIN;
        else if (c->step != STEP_READ && c->step != last) c->step = STEP_COMMIT;
        else {
            client_answered(c);
            return;
        }
    }
}

static void *client_thread(void *context)
{
    struct client *c = context;
    struct turn turn = {.mine = PTHREAD_COND_INITIALIZER};
    while (c->asked < mix_end) {
        struct stmt *s = &c->stmts[c->step];
        s64 ignored;
        client_bind(c, s);
        if (c->writes) line_enter(&turn);
        stmt_run(s, &ignored, 0);
        if (c->writes) line_leave(&turn);
        client_answered(c);
    }
    return NULL;
}

static void mix_file(struct db *db)
{
    char sql[400];
    snprintf(sql, sizeof sql,
             "CREATE TABLE t(id INTEGER PRIMARY KEY, v);"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) INSERT INTO t SELECT i, zeroblob(%u) FROM n",
             MIX_ROWS, MIX_BYTES);
    db_exec(db, sql);
}

struct mix {
    double rate, p[2][2]; // operations per second; of reads, writes: p50, p99 in microseconds
};

static struct mix mix_run(enum side side, bool concurrent, u32 count, u32 writes_in_100)
{
    static struct times merged[2];
    struct skerry_engine *engine = side == OURS ? engine_make() : NULL;
    files_remove();
    for (u32 i = 0; i < count; i++) {
        struct client *c = &clients[i];
        *c = (struct client){.random = i + 1, .concurrent = concurrent, .writes_in_100 = writes_in_100, .runnable = true};
        db_open(&c->db, side, engine);
        if (i == 0) mix_file(&c->db);
        if (side == OURS) {
            skerry_busy_timeout(c->db.ours, 60000);
            skerry_on_wake(c->db.ours, on_wake, c);
        } else {
            sqlite3_busy_timeout(c->db.theirs, 60000);
        }
        for (u32 k = 0; k < STEP_COUNT; k++)
            if (side == OURS || k <= STEP_UPDATE) stmt_make(&c->stmts[k], &c->db, step_sql[k]);
        memset(c->value, 'x', sizeof c->value);
    }
    double start = now_seconds(), now;
    mix_end = start + seconds_each;
    for (u32 i = 0; i < count; i++) {
        clients[i].asked = start;
        client_next(&clients[i]);
    }
    if (side == THEIRS) {
        for (u32 i = 0; i < count; i++)
            if (pthread_create(&clients[i].thread, NULL, client_thread, &clients[i])) fail("thread", "none left");
        for (u32 i = 0; i < count; i++) pthread_join(clients[i].thread, NULL);
        now = now_seconds();
    } else {
        do {
            bool any = false;
            for (u32 i = 0; i < count; i++) {
                if (clients[i].runnable) client_run(&clients[i]);
                any |= clients[i].runnable;
            }
            io_step(skerry_engine_io(engine), any ? 0 : UINT64_MAX);
            now = now_seconds();
        } while (now < mix_end);
    }
    memset(merged, 0, sizeof merged);
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < 2; k++) times_merge(&merged[k], &clients[i].times[k]);
        for (u32 k = 0; k < STEP_COUNT; k++) stmt_finalize(&clients[i].stmts[k]);
        db_close(&clients[i].db);
    }
    if (engine) skerry_engine_destroy(engine);
    file_check("SELECT count(*) FROM t", MIX_ROWS);
    struct mix m = {.rate = (double)(merged[0].all + merged[1].all) / (now - start)};
    for (u32 k = 0; k < 4; k++) m.p[k / 2][k % 2] = times_share(&merged[k / 2], k % 2 ? 0.99 : 0.5);
    return m;
}

// Updates or reads per second of Turso, 0 where it cannot run.
static double turso_run(bool reads, char version[20])
{
    char command[9000];
    double rate = 0;
    snprintf(command, sizeof command, "node tests/bench/turso.mjs '%s' %g %s 2>'%s/turso.log'", dir, seconds_each, reads ? "reads" : "updates", dir);
    FILE *f = popen(command, "r");
    if (!f || fscanf(f, "%19s %lf", version, &rate) != 2) rate = 0;
    if (f) pclose(f);
    return rate;
}

static void mix_row(const char *name, double rate, const double p[2][2], double theirs)
{
    printf("  %-18s %9.0f", name, rate);
    if (theirs > 0) printf(" %6.2fx", rate / theirs);
    else printf(" %7s", "");
    for (u32 k = 0; p && k < 4; k++) {
        double us = p[k / 2][k % 2];
        if (us > 0) printf(" %10.1f", us);
        else printf(" %10s", "-");
    }
    printf("\n");
}

static void mix_table(void)
{
    static const struct {
        const char *name;
        u32 clients, writes_in_100;
    } works[] = {{"8 clients, 90 reads to 10 writes", 8, 10}, {"1 client, durable updates", 1, 100}, {"1 client, point reads", 1, 0}};
    static const char *const names[] = {"SQLite", "Skerry", "Skerry, concurrent"};
    char version[20] = "";
    u32 times = MIN(rounds * 3, ROUNDS_MAX);
    printf("\n%u rows of %u bytes; microseconds; %u rounds\n", MIX_ROWS, MIX_BYTES, times);
    printf("  %-18s %9s %7s %10s %10s %10s %10s\n", "", "per second", "", "read p50", "read p99", "write p50", "write p99");
    for (u32 w = 0; w < COUNT_OF(works); w++) {
        double values[COUNT_OF(names)][5][ROUNDS_MAX], turso[ROUNDS_MAX], theirs = 0;
        u32 kinds = works[w].writes_in_100 ? 3 : 2;
        for (u32 round = 0; round < times; round++) {
            for (u32 turn = 0; turn < kinds; turn++) {
                u32 k = (turn + round) % kinds;
                struct mix m = mix_run(k ? OURS : THEIRS, k == 2, works[w].clients, works[w].writes_in_100);
                values[k][0][round] = m.rate;
                for (u32 i = 0; i < 4; i++) values[k][1 + i][round] = m.p[i / 2][i % 2];
            }
            if (works[w].clients == 1) turso[round] = turso_run(works[w].writes_in_100 == 0, version);
        }
        printf("%s\n", works[w].name);
        for (u32 k = 0; k < kinds; k++) {
            double p[2][2], rate = median(values[k][0], times);
            for (u32 i = 0; i < 4; i++) p[i / 2][i % 2] = median(values[k][1 + i], times);
            mix_row(names[k], rate, p, theirs);
            if (k == 0) theirs = rate;
        }
        if (works[w].clients == 1) {
            double rate = median(turso, times);
            char name[40];
            snprintf(name, sizeof name, "Turso %s", version);
            if (rate > 0) mix_row(name, rate, NULL, theirs);
            else printf("  Turso did not run: see %s/turso.log\n", dir);
        }
        fflush(stdout);
    }
}

// ---- open

static double open_once(enum side side, struct skerry_engine *engine)
{
    struct db db = {.side = side, .engine = engine};
    struct err err = ERR_CLEAR;
    s64 answer = 0;
    double start = now_seconds();
    if (side == OURS ? !skerry_open(engine, path, 0, &db.ours, &err) : sqlite3_open_v2(path, &db.theirs, SQLITE_OPEN_READWRITE, NULL) != 0)
        fail(path, "does not open");
    db_numbers(&db, "SELECT a FROM t1 WHERE id = 7", &answer, 1);
    double seconds = now_seconds() - start;
    db_close(&db);
    if (answer != 49) fail(path, "another answer");
    return seconds;
}

static void open_row(u32 tables)
{
    double times[2][OPEN_TIMES];
    struct db db;
    files_remove();
    db_open(&db, THEIRS, NULL);
    db_exec(&db, "BEGIN");
    for (u32 i = 1; i <= tables; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "CREATE TABLE t%u(id INTEGER PRIMARY KEY, a INTEGER NOT NULL, b TEXT); CREATE INDEX t%u_a ON t%u(a, b)", i, i, i);
        db_exec(&db, sql);
    }
    db_exec(&db, "INSERT INTO t1 VALUES (7, 49, 'x'); COMMIT");
    db_close(&db);
    struct skerry_engine *engine = engine_make();
    for (u32 i = 0; i < OPEN_TIMES; i++) {
        times[OURS][i] = open_once(OURS, engine);
        times[THEIRS][i] = open_once(THEIRS, NULL);
    }
    skerry_engine_destroy(engine);
    double ours = median(times[OURS], OPEN_TIMES), theirs = median(times[THEIRS], OPEN_TIMES);
    printf("open to the first answer, %4u table%s: %.2f ms, SQLite %.2f ms, %.2fx\n", tables, tables > 1 ? "s" : "", ours * 1e3, theirs * 1e3,
           theirs / ours);
}

static void open_table(void)
{
    double times[OPEN_TIMES];
    for (u32 i = 0; i < OPEN_TIMES; i++) {
        double start = now_seconds();
        struct skerry_engine *engine = engine_make();
        times[i] = now_seconds() - start;
        skerry_engine_destroy(engine);
    }
    printf("\n");
    open_row(1);
    open_row(OPEN_TABLES);
    printf("making an engine takes %.2f ms beside that\n", median(times, OPEN_TIMES) * 1e3);
}

int main(int argc, char **argv)
{
    s32 bulk = -1;
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--rows") == 0) bulk_rows = (u32)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--mib") == 0) mib = (u32)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0) seconds_each = strtod(value, NULL);
        else if (strcmp(argv[i], "--rounds") == 0) rounds = (u32)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--only") == 0) only = value;
        else if (strcmp(argv[i], "--dir") == 0) dir = value;
        else if (strcmp(argv[i], "--bulk") == 0) bulk = atoi(value); // a child's
        else fail(argv[i], "unknown; see the head of tests/bench/bench_write.c");
    }
    if (!rounds || rounds > ROUNDS_MAX || !bulk_rows || !mib) fail("options", "too small, or more than 25 rounds");
    mkdir("build", 0755);
    mkdir(dir, 0755);
    snprintf(path, sizeof path, "%.370s/bench_write.db", dir);
    if (bulk >= 0) {
        struct bulk b = bulk_run((u32)bulk / 2 ? THEIRS : OURS, bulk % 2);
        printf("%.6f %.6f %.3f %.3f\n", b.committed, b.in_file, b.peak, b.log);
        files_remove();
        return 0;
    }
    printf("SQLite %s: WAL, synchronous=FULL, writers in line; page caches of 16 MiB; median of %u rounds\n\n", sqlite3_libversion(), rounds);
    if (strstr("bulk", only)) bulk_table(argv[0]);
    if (strstr("checkpoint", only)) checkpoint_table();
    if (strstr("mix", only)) mix_table();
    if (strstr("open", only)) open_table();
    files_remove();
    return 0;
}
