// What pushing to a store costs commits: a database that is backed up, beside one that is not, in one process, whose memory and loop
// they share. Everything of the backup is as `skerry serve` has it, with a directory on the same disk as the store.
//
//   processor   1,000 commits a second, and 1,000 a push, of one connection, in turns of 25, so that both databases meet the same
//               machine. Then all is quiet until the push and what it makes be merged have ended, and what the processor did
//               meanwhile is theirs. So the cost is added up, and is not the difference of two large numbers that differ by more than
//               it from one second to the next. All that makes one second of the clock takes three, and so do the backup's times: a
//               push in 3 s, a head in 30, a merge in 90, each as many commits as ever. A pair is such a window of 90 s.
//   rate        commits a second, as many as 1 or 8 connections get while pushes go on: rounds of four seconds in turns, each with
//               three whole pushes; pushes are merged more often than ever, in each round with a backup. This needs a disk that others
//               leave alone.
//
// Sets have new files, and each of the two databases opens first as often. Medians, and quarters in brackets.
// usage: bench_push [--sets N] [--pairs N] [--only NAME] [--dir DIR]      pairs: of each set, of the processor a fourth of them
#include "../../engine/skerry.h"
#include "../../engine/store/store.h"
#include "../../io/err.h"
#include "../../sync/sync.h"

#include <sodium.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 16u
#define PAIRS_MAX   64u
#define PUSHES      3u // that end in a round; the fourth follows it
#define ROWS_FIRST  200000u // 25 MB
#define A_TURN      25u
#define A_PUSH      1000u // commits
#define STRETCH     3u         // a second's commits of both take two seconds, and the push is due after three
#define LOAD_NS     2600000000u // and so long at most, since the push comes after the interval
#define QUIET_NS    300000000u // in which nothing happens: long, since looking whether it does costs an idle processor some 50 us each time
#define PERIOD_MS   30000u // merges of the first level
#define RATE_PERIOD_MS 12000u
#define LOOK_NS     5000000u
#define NS          1000000000ull

static const char sql_insert[] = "INSERT INTO t(v) VALUES (randomblob(100))";

struct client {
    struct skerry *db;
    struct skerry_stmt *stmt;
    bool busy, runnable;
};
struct database {
    char path[420];
    struct client clients[CLIENTS_MAX];
    struct backup *backup; // NULL: none
    u64 commits;
};
struct set {
    struct io *io;
    struct skerry_engine *engine;
    struct object_store *objects;
    struct database databases[2];
    u32 clients, stretch;
    u64 period_ms;
};
struct round {
    double rate;
    double us, push_us; // of the processor, a commit; of pushes and merges, a commit
};

static char dir[300] = "build/bench";

_Noreturn static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_push: %s: %s\n", what, why);
    exit(1);
}

static u64 clock_ns(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (u64)t.tv_sec * NS + (u64)t.tv_nsec;
}

// ---- databases

static void client_wake(void *context)
{
    ((struct client *)context)->runnable = true;
}

static void database_open(struct set *s, struct database *d, bool backed_up)
{
    struct err err = ERR_CLEAR;
    snprintf(d->path, sizeof d->path, "%s/push-%s.db", dir, backed_up ? "with" : "without");
    struct backup_options options = {.io = s->io, .objects = s->objects, .name = "push", .database_path = d->path, .interval_ms = 1000 * s->stretch,
                                     .head_interval_ms = 10000 * s->stretch, .period_ms = {0, s->period_ms}};
    if (backed_up && !(d->backup = backup_create(&options, &err)))
        fail("backup_create", err.text);
    for (u32 i = 0; i < s->clients; i++) {
        struct client *c = &d->clients[i];
        if (!skerry_open(s->engine, d->path, SKERRY_OPEN_CREATE, &c->db, &err)) fail(d->path, err.text);
        skerry_busy_timeout(c->db, 60000);
        char schema[300];
        snprintf(schema, sizeof schema,
                 "CREATE TABLE t(a INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) "
                 "INSERT INTO t SELECT i, randomblob(100) FROM n", ROWS_FIRST);
        if (i == 0 && skerry_exec(c->db, schema, NULL, NULL)) fail("CREATE TABLE", skerry_error(c->db)->text);
        size_t used;
        int rc;
        while ((rc = skerry_prepare(c->db, sql_insert, sizeof sql_insert - 1, &c->stmt, &used)) == SKERRY_WAIT) skerry_wait(c->db);
        if (rc) fail(sql_insert, skerry_error(c->db)->text);
        skerry_on_wake(c->db, client_wake, c);
    }
    if (d->backup) backup_start(d->backup, skerry_store(d->clients[0].db));
}

static void database_close(struct set *s, struct database *d)
{
    struct completion done;
    completion_init(&done, NULL, NULL);
    if (d->backup) {
        backup_stop(d->backup, io_now_ns(s->io) + 20 * NS, &done);
        while (done.state != COMPLETION_DONE) io_step(s->io, NS);
    }
    for (u32 i = 0; i < s->clients; i++) {
        skerry_finalize(d->clients[i].stmt);
        while (skerry_close(d->clients[i].db, NULL) == SKERRY_WAIT) skerry_wait(d->clients[i].db);
    }
    backup_destroy(d->backup);
}

// ---- commits

static void client_run(struct database *d, struct client *c)
{
    int rc = skerry_step(c->stmt);
    c->busy = true;
    c->runnable = false;
    if (rc == SKERRY_WAIT) return;
    if (rc != SKERRY_DONE) fail(sql_insert, skerry_error(c->db)->text);
    while (skerry_reset(c->stmt) == SKERRY_WAIT) skerry_wait(c->db);
    c->busy = false;
    d->commits++;
}

// A turn of the loop: commits that can go on do, and up to `more` begin. Gives how many did.
static u32 turn(struct set *s, struct database *d, u32 more, u64 wait_ns)
{
    u32 began = 0;
    for (u32 i = 0; i < s->clients; i++) {
        struct client *c = &d->clients[i];
        if (c->busy ? !c->runnable : began == more) continue;
        began += !c->busy;
        client_run(d, c);
        if (!c->busy || c->runnable) wait_ns = 0; // may begin its next one at once
    }
    io_step(s->io, wait_ns);
    return began;
}

struct load {
    u64 began_ns, first;
};

static void load_begin(struct load *l, const struct database *d)
{
    *l = (struct load){.began_ns = clock_ns(CLOCK_MONOTONIC), .first = d->commits};
}

static bool backup_waits(const struct set *s)
{
    struct backup_status status;
    backup_status_get(s->databases[0].backup, &status);
    if (status.state == BACKUP_REFUSED || status.state == BACKUP_RETRYING) fail("the backup", status.error);
    return status.state != BACKUP_IDLE || status.behind_since_ms;
}

static void commits_end(struct set *s, struct database *d)
{
    for (bool busy = true; busy;) {
        busy = false;
        for (u32 i = 0; i < s->clients; i++) busy |= d->clients[i].busy;
        if (busy) turn(s, d, 0, NS);
    }
}

// Until every commit is there and pushed, and no checkpoint, merge or image is at work: nobody uses the processor.
static void drain(struct set *s, struct database *d)
{
    commits_end(s, d);
    u64 cpu, now, end;
    do {
        cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), end = clock_ns(CLOCK_MONOTONIC) + QUIET_NS;
        while ((now = clock_ns(CLOCK_MONOTONIC)) < end) io_step(s->io, end - now);
    } while (backup_waits(s) || clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu > NS / 2000);
}

// With a backup: PUSHES of them end, and commits stop when the next is due. The rate is that up to the last of them.
static double rate_with(struct set *s, u64 *loaded_ns, u64 *measured_ns)
{
    struct database *d = &s->databases[0];
    struct backup_status status;
    struct load l;
    u64 measured = 0, first, end = UINT64_MAX, now, look = 0;
    backup_status_get(d->backup, &status);
    first = status.pushed_segments;
    load_begin(&l, d);
    do {
        turn(s, d, CLIENTS_MAX, NS);
        now = clock_ns(CLOCK_MONOTONIC);
        if (now < look || end != UINT64_MAX) continue;
        look = now + LOOK_NS;
        backup_status_get(d->backup, &status);
        if (status.pushed_segments == first + PUSHES) {
            *measured_ns = now - l.began_ns;
            measured = d->commits;
            end = now + NS * 95 / 100;
        }
    } while (now < end);
    *loaded_ns = now - l.began_ns;
    drain(s, d);
    return (double)(measured - l.first) * NS / (double)*measured_ns;
}

static double rate_without(struct set *s, u64 loaded_ns, u64 measured_ns)
{
    struct database *d = &s->databases[1];
    struct load l;
    u64 measured = 0, now;
    load_begin(&l, d);
    do {
        turn(s, d, CLIENTS_MAX, NS);
        now = clock_ns(CLOCK_MONOTONIC) - l.began_ns;
        if (!measured && now >= measured_ns) {
            measured = d->commits;
            measured_ns = now;
        }
    } while (now < loaded_ns);
    drain(s, d);
    return (double)(measured - l.first) * NS / (double)measured_ns;
}

// ---- processor

// As many commits more, a millisecond apart if the disk lets them: what the processor did for them.
static u64 commits_cpu(struct set *s, struct database *d, u32 more)
{
    u64 cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), end = d->commits + more, due = clock_ns(CLOCK_MONOTONIC);
    while (d->commits < end) {
        bool idle = !d->clients[0].busy;
        u64 now = clock_ns(CLOCK_MONOTONIC);
        if (idle && now < due) {
            io_step(s->io, due - now);
            continue;
        }
        if (idle) due = now + NS / 1000;
        turn(s, d, idle, NS);
    }
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

// All that a window of time has: pushes, a merge, heads.
static void processor(struct set *s, u64 span_ms, struct round *with, struct round *without)
{
    u64 end = clock_ns(CLOCK_MONOTONIC) + span_ms * 1000000, cpu[2] = {0}, pushes = 0, count = 0;
    do {
        u64 began = clock_ns(CLOCK_MONOTONIC);
        for (u32 i = 0; i < A_PUSH / A_TURN && clock_ns(CLOCK_MONOTONIC) - began < LOAD_NS; i++, count += A_TURN)
            for (u32 k = 0; k < 2; k++) cpu[k ^ (i & 1)] += commits_cpu(s, &s->databases[k ^ (i & 1)], A_TURN);
        for (u64 now; (now = clock_ns(CLOCK_MONOTONIC)) < began + LOAD_NS + NS / 5;) io_step(s->io, began + LOAD_NS + NS / 5 - now); // checkpoints
        u64 before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        drain(s, &s->databases[0]);
        pushes += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
    } while (clock_ns(CLOCK_MONOTONIC) < end);
    *with = (struct round){.us = (double)cpu[0] / 1000 / (double)count, .push_us = (double)pushes / 1000 / (double)count};
    *without = (struct round){.us = (double)cpu[1] / 1000 / (double)count};
}

// ---- sets

static void files_remove(void)
{
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'/push-*", dir);
    if (system(command)) fail(command, "failed");
}

static void window_wait(struct set *s, u64 period_ms)
{
    u64 now = (u64)io_wall_ms(s->io), at = (now / period_ms + 1) * period_ms;
    while ((now = (u64)io_wall_ms(s->io)) < at) io_step(s->io, (at - now) * 1000000);
}

static void set_run(u32 clients, bool swapped, u32 pairs, struct round *with, struct round *without)
{
    struct set *s = calloc(1, sizeof *s);
    struct err err = ERR_CLEAR;
    char url[420];
    files_remove();
    snprintf(url, sizeof url, "%s/push-store", dir);
    if (!s || !skerry_engine_create(&(struct skerry_engine_options){0}, &s->engine, &err)) fail("skerry_engine_create", err.text);
    s->io = skerry_engine_io(s->engine);
    s->clients = clients ? clients : 1, s->stretch = clients ? 1 : STRETCH;
    s->period_ms = clients ? RATE_PERIOD_MS : PERIOD_MS * STRETCH;
    if (!(s->objects = object_store_open(s->io, NULL, &(struct object_store_options){.url = url}, &err))) fail(url, err.text);
    for (u32 i = 0; i < 2; i++) database_open(s, &s->databases[i != swapped], i == swapped);
    drain(s, &s->databases[0]);
    for (u32 i = 0; i <= pairs; i++) { // the first warms up
        u64 loaded_ns = 0, measured_ns = 0;
        struct round unused, *x = i ? &with[i - 1] : &unused, *y = i ? &without[i - 1] : &unused;
        if (!clients) {
            processor(s, i ? s->period_ms : 1, x, y);
        } else {
            window_wait(s, s->period_ms);
            x->rate = rate_with(s, &loaded_ns, &measured_ns);
            y->rate = rate_without(s, loaded_ns, measured_ns);
        }
        if (getenv("VERBOSE"))
            fprintf(stderr, "  %.0f and %.0f commits/s, %.2f + %.2f and %.2f us\n", x->rate, y->rate, x->us, x->push_us, y->us);
    }
    for (u32 i = 0; i < 2; i++) database_close(s, &s->databases[i]);
    object_store_close(s->objects);
    skerry_engine_destroy(s->engine);
    free(s);
    files_remove();
}

static int double_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct middle {
    double median, low, high; // quarters
};

static struct middle middle_of(double *values, u32 count)
{
    qsort(values, count, sizeof *values, double_compare);
    return (struct middle){(values[count / 2] + values[(count - 1) / 2]) / 2, values[count / 4], values[count - 1 - count / 4]};
}

static void row_print(const char *name, const char *unit, const double *with, const double *without, const double *ratios, u32 count)
{
    double a[PAIRS_MAX], b[PAIRS_MAX], r[PAIRS_MAX];
    memcpy(a, with, count * sizeof *a);
    memcpy(b, without, count * sizeof *b);
    memcpy(r, ratios, count * sizeof *r);
    struct middle m = middle_of(r, count);
    printf("%-36s %9.4g %9.4g %-10s %6.3f (%.3f - %.3f)\n", name, middle_of(a, count).median, middle_of(b, count).median, unit, m.median, m.low, m.high);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    u32 sets = 2, pairs = 4;
    const char *only = "";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--sets") == 0)
            sets = (u32)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--pairs") == 0)
            pairs = (u32)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0)
            only = argv[i + 1];
        else if (strcmp(argv[i], "--dir") == 0)
            snprintf(dir, sizeof dir, "%s", argv[i + 1]);
        else
            fail(argv[i], "unknown; see the head of tests/bench/bench_push.c");
    }
    if (!sets || !pairs || sets * pairs > PAIRS_MAX) fail("--sets and --pairs", "at least 1, and at most 64 pairs in all");
    if (sodium_init() < 0) fail("sodium_init", "failed");
    mkdir("build", 0755);
    mkdir(dir, 0755);
    static const struct {
        const char *name;
        u32 clients; // 0: processor
    } rows[] = {{"processor", 0}, {"rate of 1", 1}, {"rate of 8", 8}};
    printf("%-36s %9s %9s %-10s %6s\n", "a push a second", "with", "without", "", "ratio");
    for (u32 k = 0; k < COUNT_OF(rows); k++) {
        static struct round with[PAIRS_MAX], without[PAIRS_MAX];
        double a[PAIRS_MAX], b[PAIRS_MAX], r[PAIRS_MAX];
        if (!strstr(rows[k].name, only)) continue;
        u32 each = rows[k].clients ? pairs : (pairs + 3) / 4, count = sets * each;
        for (u32 i = 0; i < sets; i++) set_run(rows[k].clients, i % 2, each, with + i * each, without + i * each);
        for (u32 i = 0; i < count && rows[k].clients; i++) a[i] = with[i].rate, b[i] = without[i].rate, r[i] = a[i] / b[i];
        if (rows[k].clients) {
            char name[60];
            snprintf(name, sizeof name, "commits of %u connection%s", rows[k].clients, rows[k].clients == 1 ? "" : "s");
            row_print(name, "a second", a, b, r, count);
            continue;
        }
        for (u32 i = 0; i < count; i++) a[i] = with[i].us + with[i].push_us, b[i] = without[i].us, r[i] = a[i] / b[i];
        row_print("processor time of a commit, in all", "us", a, b, r, count);
        for (u32 i = 0; i < count; i++) a[i] = with[i].us, r[i] = a[i] / b[i];
        row_print("  of it while it is made", "us", a, b, r, count);
        for (u32 i = 0; i < count; i++) a[i] = with[i].push_us, r[i] = a[i] / b[i], b[i] = 0;
        row_print("  of it when it is pushed and merged", "us", a, b, r, count);
    }
    return 0;
}
