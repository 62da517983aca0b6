// Durable commits per second through SQL, a row of 100 bytes each, with 1, 8 and 64 writers: Skerry with so many
// connections of one loop, plain (autocommit) and with BEGIN CONCURRENT, and SQLite in WAL mode with synchronous=FULL
// with so many threads of one connection each, in the same run. The threads queue for the file first come, first
// served, since SQLite's own waiting starves most of them. Rounds alternate and the median counts.
//
//   insert     into one table, automatic rowids
//   update     of rows that are each writer's own
//   hot rows   of 16 that all writers share: concurrent transactions conflict, roll back and try again
//
// usage: bench_sql_commit [--rounds N] [--seconds S] [--dir DIR]
#include "../../engine/skerry.h"
#include "../../engine/store/store.h"
#include "../../io/err.h"
#include "line.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 64u
#define ROUNDS_MAX  25u
#define ROWS        6400u
#define ROWS_HOT    16u
#define SCHEMA                                                                                                         \
    "CREATE TABLE t(id INTEGER PRIMARY KEY, v);"                                                                       \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6400) "                                  \
    "INSERT INTO t SELECT i, zeroblob(100) FROM n"

enum work { INSERT, UPDATE, UPDATE_HOT };
static const char *const work_names[] = {"insert", "update", "hot rows"};
static const char *const work_sql[] = {"INSERT INTO t(v) VALUES (?1)", "UPDATE t SET v = ?1 WHERE id = ?2",
                                       "UPDATE t SET v = ?1 WHERE id = ?2"};

static double seconds_each = 0.7;
static char path[400];
static char text[100];

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

_Noreturn static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_sql_commit: %s: %s\n", what, why);
    exit(1);
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

// The row that a writer's n-th commit changes.
static s64 row_of(enum work work, u32 client, u32 clients, u64 n)
{
    u32 own = ROWS / clients;
    if (work == UPDATE_HOT) return (s64)((client * 7 + n * 5) % ROWS_HOT) + 1;
    return (s64)(client * own + n % own) + 1;
}

// Its value: a new one each time, since SQLite does not write what is there already.
static void text_of(char out[sizeof text], u32 client, u64 n)
{
    memcpy(out, text, sizeof text);
    memcpy(out, &n, sizeof n);
    memcpy(out + sizeof n, &client, sizeof client);
}

// ---- Skerry

enum step { STEP_BEGIN, STEP_WORK, STEP_COMMIT, STEP_ROLLBACK, STEP_COUNT };

struct client {
    struct skerry *db;
    struct skerry_stmt *stmts[STEP_COUNT];
    enum step step;
    u32 number;
    u64 commits, conflicts;
    bool runnable, concurrent;
};

static void client_wake(void *context)
{
    ((struct client *)context)->runnable = true;
}

static struct skerry_stmt *prepare(struct skerry *db, const char *sql)
{
    struct skerry_stmt *stmt;
    int rc;
    size_t used;
    while ((rc = skerry_prepare(db, sql, strlen(sql), &stmt, &used)) == SKERRY_WAIT) skerry_wait(db);
    if (rc) fail(sql, skerry_error(db)->text);
    return stmt;
}

static void client_open(struct client *c, struct skerry_engine *engine, enum work work, bool concurrent)
{
    struct err err = ERR_CLEAR;
    if (!skerry_open(engine, path, SKERRY_OPEN_CREATE, &c->db, &err)) fail(path, err.text);
    skerry_busy_timeout(c->db, 60000);
    if (c->number == 0 && skerry_exec(c->db, SCHEMA, NULL, NULL)) fail("CREATE TABLE", skerry_error(c->db)->text);
    c->stmts[STEP_BEGIN] = prepare(c->db, "BEGIN CONCURRENT");
    c->stmts[STEP_WORK] = prepare(c->db, work_sql[work]);
    c->stmts[STEP_COMMIT] = prepare(c->db, "COMMIT");
    c->stmts[STEP_ROLLBACK] = prepare(c->db, "ROLLBACK");
    skerry_on_wake(c->db, client_wake, c);
    c->concurrent = concurrent;
    c->step = concurrent ? STEP_BEGIN : STEP_WORK;
    c->runnable = true;
}

// Until it waits or has committed once.
static void client_run(struct client *c, enum work work, u32 clients)
{
    for (;;) {
        struct skerry_stmt *stmt = c->stmts[c->step];
        if (c->step == STEP_WORK && !skerry_stmt_busy(stmt)) {
            char value[sizeof text];
            text_of(value, c->number, c->commits);
            skerry_bind_blob(stmt, 1, value, sizeof value);
            if (work != INSERT) skerry_bind_integer(stmt, 2, row_of(work, c->number, clients, c->commits));
        }
        int rc = skerry_step(stmt);
        if (rc == SKERRY_WAIT) {
            c->runnable = false;
            return;
        }
        bool conflict = rc != SKERRY_DONE && skerry_errcode(c->db) == ERR_BUSY_SNAPSHOT;
        if (rc != SKERRY_DONE && !conflict) fail(work_sql[work], skerry_error(c->db)->text);
        while (skerry_reset(stmt) == SKERRY_WAIT) skerry_wait(c->db);
        bool committed = !conflict && c->step == (c->concurrent ? STEP_COMMIT : STEP_WORK);
        c->conflicts += conflict;
        c->commits += committed;
        switch (c->step) {
        case STEP_BEGIN: c->step = STEP_WORK; break;
        case STEP_WORK: c->step = c->concurrent ? STEP_COMMIT : STEP_WORK; break;
        case STEP_COMMIT: c->step = conflict ? STEP_ROLLBACK : STEP_BEGIN; break;
        case STEP_ROLLBACK: c->step = STEP_BEGIN; break;
        case STEP_COUNT: break;
        }
        if (committed) return;
    }
}

struct result {
    double rate, per_flush, conflicts; // conflicts: per commit
};

static struct result ours_round(enum work work, bool concurrent, u32 clients)
{
    static struct client all[CLIENTS_MAX];
    struct err err = ERR_CLEAR;
    struct skerry_engine *engine;
    files_remove();
    if (!skerry_engine_create(&(struct skerry_engine_options){0}, &engine, &err)) fail("skerry_engine_create", err.text);
    for (u32 i = 0; i < clients; i++) {
        all[i] = (struct client){.number = i};
        client_open(&all[i], engine, work, concurrent);
    }
    struct store_stats before, after;
    store_stats_get(skerry_store(all[0].db), &before);
    double start = now_seconds(), now;
    do {
        bool any = false;
        for (u32 i = 0; i < clients; i++) {
            if (all[i].runnable) client_run(&all[i], work, clients);
            any |= all[i].runnable;
        }
        io_step(skerry_engine_io(engine), any ? 0 : UINT64_MAX);
        now = now_seconds();
    } while (now - start < seconds_each);
    store_stats_get(skerry_store(all[0].db), &after);
    u64 commits = 0, conflicts = 0;
    for (u32 i = 0; i < clients; i++) {
        commits += all[i].commits;
        conflicts += all[i].conflicts;
        for (u32 k = 0; k < STEP_COUNT; k++) skerry_finalize(all[i].stmts[k]);
        while (skerry_close(all[i].db, NULL) == SKERRY_WAIT) skerry_wait(all[i].db);
    }
    skerry_engine_destroy(engine);
    return (struct result){
        .rate = (double)commits / (now - start),
        .per_flush = (double)(after.commits - before.commits) / (double)MAX(after.syncs - before.syncs, 1u),
        .conflicts = (double)conflicts / (double)MAX(commits, 1u),
    };
}

// ---- SQLite

struct their_client {
    pthread_t thread;
    enum work work;
    u32 number, clients;
    u64 commits;
};
static double theirs_end;

static void *theirs_client(void *context)
{
    struct their_client *c = context;
    struct turn turn = {.mine = PTHREAD_COND_INITIALIZER};
    sqlite3 *db;
    sqlite3_stmt *s;
    if (sqlite3_open(path, &db)) fail(path, "does not open");
    sqlite3_busy_timeout(db, 60000);
    sqlite3_exec(db, "PRAGMA synchronous = full", NULL, NULL, NULL);
    if (sqlite3_prepare_v2(db, work_sql[c->work], -1, &s, NULL)) fail(work_sql[c->work], sqlite3_errmsg(db));
    while (now_seconds() < theirs_end) {
        char value[sizeof text];
        text_of(value, c->number, c->commits);
        sqlite3_bind_blob(s, 1, value, sizeof value, SQLITE_TRANSIENT);
        if (c->work != INSERT) sqlite3_bind_int64(s, 2, row_of(c->work, c->number, c->clients, c->commits));
        if (c->clients > 1) line_enter(&turn);
        if (sqlite3_step(s) != SQLITE_DONE) fail(work_sql[c->work], sqlite3_errmsg(db));
        sqlite3_reset(s);
        if (c->clients > 1) line_leave(&turn);
        c->commits++;
    }
    sqlite3_finalize(s);
    sqlite3_close(db);
    return NULL;
}

static double theirs_round(enum work work, u32 clients)
{
    static struct their_client all[CLIENTS_MAX];
    sqlite3 *db;
    files_remove();
    if (sqlite3_open(path, &db)) fail(path, "does not open");
    if (sqlite3_exec(db, "PRAGMA journal_mode = wal; " SCHEMA, NULL, NULL, NULL)) fail("CREATE TABLE", sqlite3_errmsg(db));
    u64 total = 0;
    double start = now_seconds();
    theirs_end = start + seconds_each;
    for (u32 i = 0; i < clients; i++) {
        all[i] = (struct their_client){.work = work, .number = i, .clients = clients};
        if (pthread_create(&all[i].thread, NULL, theirs_client, &all[i])) fail("thread", "none left");
    }
    for (u32 i = 0; i < clients; i++) {
        pthread_join(all[i].thread, NULL);
        total += all[i].commits;
    }
    double seconds = now_seconds() - start; // the slowest one's last commit may come late
    sqlite3_close(db);
    return (double)total / seconds;
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

int main(int argc, char **argv)
{
    u32 rounds = 3;
    const char *dir = "build/bench";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rounds") == 0)
            rounds = (u32)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            seconds_each = strtod(argv[i + 1], NULL);
        else if (strcmp(argv[i], "--dir") == 0)
            dir = argv[i + 1];
        else
            fail(argv[i], "unknown; see the head of tests/bench/bench_sql_commit.c");
    }
    if (!rounds || rounds > ROUNDS_MAX) fail("--rounds", "between 1 and 25");
    mkdir("build", 0755);
    mkdir(dir, 0755);
    snprintf(path, sizeof path, "%.380s/commit.db", dir);
    memset(text, 'x', sizeof text);

    static const struct {
        enum work work;
        u32 clients;
    } rows[] = {{INSERT, 1}, {INSERT, 8}, {INSERT, 64}, {UPDATE, 1}, {UPDATE, 8}, {UPDATE, 64}, {UPDATE_HOT, 8}, {UPDATE_HOT, 64}};
    static double theirs[COUNT_OF(rows)][ROUNDS_MAX], rate[COUNT_OF(rows)][2][ROUNDS_MAX],
        flush[COUNT_OF(rows)][2][ROUNDS_MAX], conflicts[COUNT_OF(rows)][ROUNDS_MAX];
    for (u32 round = 0; round < rounds; round++)
        for (u32 k = 0; k < COUNT_OF(rows); k++) {
            for (u32 concurrent = 0; concurrent < 2; concurrent++) {
                struct result r = ours_round(rows[k].work, concurrent, rows[k].clients);
                rate[k][concurrent][round] = r.rate;
                flush[k][concurrent][round] = r.per_flush;
                conflicts[k][round] = r.conflicts;
            }
            theirs[k][round] = theirs_round(rows[k].work, rows[k].clients);
        }
    printf("durable commits per second through SQL (SQLite %s: WAL, synchronous=FULL, writers in line), median of %u rounds\n",
           sqlite3_libversion(), rounds);
    printf("%-9s %7s %8s %8s %7s %9s %11s %7s %9s %13s\n", "", "writers", "SQLite", "plain", "ratio", "per flush",
           "concurrent", "ratio", "per flush", "conflicts (%)");
    for (u32 k = 0; k < COUNT_OF(rows); k++) {
        double b = median(theirs[k], rounds), plain = median(rate[k][0], rounds), concurrent = median(rate[k][1], rounds);
        printf("%-9s %7u %8.0f %8.0f %6.2fx %9.1f %11.0f %6.2fx %9.1f %13.0f\n", work_names[rows[k].work], rows[k].clients,
               b, plain, plain / b, median(flush[k][0], rounds), concurrent, concurrent / b, median(flush[k][1], rounds),
               100 * median(conflicts[k], rounds));
    }
    files_remove();
    return 0;
}
