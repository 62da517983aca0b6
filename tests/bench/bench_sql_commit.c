// Durable commits per second through SQL, one row of 100 bytes each: Skerry with 1 and 64 connections of one
// loop, each with its own prepared INSERT, and SQLite in WAL mode with synchronous=FULL with 1 connection and
// with 64 threads of one connection each, in the same run. Rounds alternate and the median counts.
//
// usage: bench_sql_commit [--rounds N] [--seconds S] [--dir DIR]
#include "../../engine/skerry.h"
#include "../../engine/store/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 64u
#define ROUNDS_MAX  25u
#define SQL         "INSERT INTO t(v) VALUES (?)"

static double seconds_each = 1.5;
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

// ---- Skerry

struct client {
    struct skerry *db;
    struct skerry_stmt *stmt;
    bool runnable;
};

static void client_wake(void *context)
{
    ((struct client *)context)->runnable = true;
}

// Until it waits or has committed once; true when it has.
static bool client_run(struct client *c)
{
    int rc = skerry_step(c->stmt);
    if (rc == SKERRY_DONE) rc = skerry_reset(c->stmt);
    if (rc == SKERRY_WAIT) {
        c->runnable = false;
        return false;
    }
    if (rc) fail(SQL, skerry_error(c->db)->text);
    return true;
}

static double ours_round(u32 clients, double *commits_per_flush)
{
    static struct client all[CLIENTS_MAX];
    struct err err = ERR_CLEAR;
    struct skerry_engine *engine;
    files_remove();
    if (!skerry_engine_create(&(struct skerry_engine_options){0}, &engine, &err))
        fail("skerry_engine_create", err.text);
    for (u32 i = 0; i < clients; i++) {
        struct client *c = &all[i];
        if (!skerry_open(engine, path, SKERRY_OPEN_CREATE, &c->db, &err)) fail(path, err.text);
        skerry_busy_timeout(c->db, 60000);
        if (i == 0 && skerry_exec(c->db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)", NULL, NULL))
            fail("CREATE TABLE", skerry_error(c->db)->text);
        int rc;
        size_t used;
        while ((rc = skerry_prepare(c->db, SQL, strlen(SQL), &c->stmt, &used)) == SKERRY_WAIT)
            skerry_wait(c->db);
        if (rc) fail(SQL, skerry_error(c->db)->text);
        skerry_bind_text(c->stmt, 1, text, sizeof text);
        skerry_on_wake(c->db, client_wake, c);
        c->runnable = true;
    }
    struct store_stats before, after;
    store_stats_get(skerry_store(all[0].db), &before);
    u64 commits = 0;
    double start = now_seconds(), now;
    do {
        bool any = false;
        for (u32 i = 0; i < clients; i++) {
            if (all[i].runnable) commits += client_run(&all[i]);
            any |= all[i].runnable;
        }
        io_step(skerry_engine_io(engine), any ? 0 : UINT64_MAX);
        now = now_seconds();
    } while (now - start < seconds_each);
    store_stats_get(skerry_store(all[0].db), &after);
    *commits_per_flush =
        (double)(after.commits - before.commits) / (double)MAX(after.syncs - before.syncs, 1u);
    for (u32 i = 0; i < clients; i++) {
        skerry_finalize(all[i].stmt);
        while (skerry_close(all[i].db, NULL) == SKERRY_WAIT) skerry_wait(all[i].db);
    }
    skerry_engine_destroy(engine);
    return (double)commits / (now - start);
}

// ---- SQLite

static double theirs_end;

static void *theirs_client(void *result)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    u64 commits = 0;
    if (sqlite3_open(path, &db)) fail(path, "does not open");
    sqlite3_busy_timeout(db, 60000);
    sqlite3_exec(db, "PRAGMA synchronous = full", NULL, NULL, NULL);
    if (sqlite3_prepare_v2(db, SQL, -1, &s, NULL)) fail(SQL, sqlite3_errmsg(db));
    sqlite3_bind_text(s, 1, text, sizeof text, SQLITE_STATIC);
    while (now_seconds() < theirs_end) {
        if (sqlite3_step(s) != SQLITE_DONE) fail(SQL, sqlite3_errmsg(db));
        sqlite3_reset(s);
        commits++;
    }
    sqlite3_finalize(s);
    sqlite3_close(db);
    *(u64 *)result = commits;
    return NULL;
}

static double theirs_round(u32 clients)
{
    sqlite3 *db;
    files_remove();
    if (sqlite3_open(path, &db)) fail(path, "does not open");
    if (sqlite3_exec(db, "PRAGMA journal_mode = wal; CREATE TABLE t(id INTEGER PRIMARY KEY, v)", NULL, NULL,
                     NULL))
        fail("CREATE TABLE", sqlite3_errmsg(db));
    pthread_t threads[CLIENTS_MAX];
    u64 commits[CLIENTS_MAX], total = 0;
    double start = now_seconds();
    theirs_end = start + seconds_each;
    for (u32 i = 0; i < clients; i++)
        if (pthread_create(&threads[i], NULL, theirs_client, &commits[i])) fail("thread", "none left");
    for (u32 i = 0; i < clients; i++) {
        pthread_join(threads[i], NULL);
        total += commits[i];
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

    static const u32 clients[] = {1, CLIENTS_MAX};
    static double ours[COUNT_OF(clients)][ROUNDS_MAX], flush[COUNT_OF(clients)][ROUNDS_MAX],
        theirs[COUNT_OF(clients)][ROUNDS_MAX];
    for (u32 round = 0; round < rounds; round++)
        for (u32 k = 0; k < COUNT_OF(clients); k++) {
            ours[k][round] = ours_round(clients[k], &flush[k][round]);
            theirs[k][round] = theirs_round(clients[k]);
        }
    printf("durable commits per second through SQL (SQLite %s: WAL, synchronous=FULL), median of %u rounds\n",
           sqlite3_libversion(), rounds);
    printf("%-12s %10s %10s %8s %18s\n", "connections", "Skerry", "SQLite", "ratio", "commits per flush");
    for (u32 k = 0; k < COUNT_OF(clients); k++) {
        double a = median(ours[k], rounds), b = median(theirs[k], rounds);
        printf("%-12u %10.0f %10.0f %7.2fx %18.1f\n", clients[k], a, b, a / b, median(flush[k], rounds));
    }
    files_remove();
    return 0;
}
