// Storage read cold: Skerry against the SQLite that it is linked with (the newest amalgamation, -O2), on one file, in the
// same run. Before each round the kernel is told to forget the file (posix_fadvise; what stayed all the same is
// printed), and connections are new. Rounds of both alternate; the best of each counts. Both have a WAL and a page cache
// of 16 MiB, and both read through the kernel's cache. Answers are compared.
//
// What the device itself gives is measured in the same run with direct reads: a megabyte at a time, eight under way, and
// 4 KiB anywhere, 64 under way.
//
// A row says what one client gets and what 64 get at once: connections of one loop here, threads there.
// The processor's time is beside the clock's: of a machine that others use too, it says more.
// "Warm" is with the file in the kernel's cache, but not in that of the process.
//
// usage: bench_storage [--mib N] [--reads N] [--rounds N] [--only SUBSTRING] [--dir DIR]
#include "../../engine/skerry.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS    64u
#define ROW_BYTES  262u // that a row takes in the file, its index entry included
#define CACHE_KIB  16384

static const char *dir = ".", *only = "";
static char path[4096];
static u32 mib = 1024, reads = 10000, rounds = 3, rows;

struct test {
    const char *name, *sql;
    u32 runs; // 0: `reads` of them, ?1 is a number of each
    u32 clients;
    bool warm;
};

// %1$u: where a range of the index begins, %2$u: where it ends.
static const struct test tests[] = {
    {"cold scan of the table", "SELECT sum(length(b)) FROM t", 1, 1, false},
    {"cold scan of an index", "SELECT sum(k) FROM t", 1, 1, false},
    {"cold rows by index, one statement", "SELECT sum(length(b)) FROM t INDEXED BY tk WHERE k BETWEEN %1$u AND %2$u", 1, 1, false},
    {"cold rows by rowid, a join", "SELECT sum(length(b)) FROM p CROSS JOIN t ON t.id = p.x", 1, 1, false},
    {"cold point reads by rowid", "SELECT length(b) FROM t WHERE id = ?1", 0, 1, false},
    {"cold point reads by index", "SELECT length(b) FROM t WHERE k = ?1", 0, 1, false},
    {"cold point reads by rowid", "SELECT length(b) FROM t WHERE id = ?1", 0, CLIENTS, false},
    {"cold point reads by index", "SELECT length(b) FROM t WHERE k = ?1", 0, CLIENTS, false},
    {"warm point reads by rowid", "SELECT length(b) FROM t WHERE id = ?1", 0, 1, true},
    {"warm point reads by index", "SELECT length(b) FROM t WHERE k = ?1", 0, 1, true},
    {"warm ranges of 100", "SELECT sum(length(b)) FROM t WHERE id BETWEEN ?1 AND ?1 + 99", 0, 1, true},
    {"warm scan of the table", "SELECT sum(length(b)) FROM t", 1, 1, true},
};

_Noreturn static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_storage: %s: %s\n", what, why);
    exit(1);
}

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Of this process, the kernel's part and its threads included.
static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

struct took {
    double seconds, cpu;
};

static void took_begin(struct took *t)
{
    *t = (struct took){now_seconds(), cpu_seconds()};
}

static void took_end(struct took *t)
{
    *t = (struct took){now_seconds() - t->seconds, cpu_seconds() - t->cpu};
}

static s64 number_of(u32 run)
{
    return (s64)((u64)run * 2654435761u % (rows - 100)) + 1;
}

// ---- the file

static void theirs_exec(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL)) fail(sql, sqlite3_errmsg(db));
}

static void file_make(void)
{
    char sql[2000];
    sqlite3 *db;
    unlink(path);
    rows = (u32)((u64)mib * 1048576 / ROW_BYTES);
    if ((rows + 1) % 1000003 == 0) rows--;
    if (sqlite3_open(path, &db)) fail(path, sqlite3_errmsg(db));
    // k is another number from 1 to `rows` for each row, in an order that has nothing to do with the rows'.
    snprintf(sql, sizeof sql,
             "PRAGMA journal_mode = off; PRAGMA synchronous = off; PRAGMA cache_size = -400000;"
             "CREATE TABLE t(id INTEGER PRIMARY KEY, k INT, b TEXT); CREATE TABLE p(x INT);"
             "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %1$u)"
             " SELECT i, i * 1000003 %% (%1$u + 1), printf('%%.*c', 220, 'x') FROM n;"
             "CREATE INDEX tk ON t(k); INSERT INTO p SELECT id FROM t WHERE k <= %2$u ORDER BY k; PRAGMA journal_mode = wal",
             rows, reads);
    theirs_exec(db, sql);
    sqlite3_close(db);
    int fd = open(path, O_RDONLY);
    fsync(fd);
    close(fd);
}

// Share of the file that the kernel still has after it was told to forget it.
static double file_forget(bool warm)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) fail(path, "cannot be opened");
    if (warm) {
        char buffer[1 << 16];
        for (off_t at = 0; at < st.st_size; at += (off_t)sizeof buffer)
            if (pread(fd, buffer, sizeof buffer, at) < 0) fail(path, "read");
        close(fd);
        return 1;
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    size_t pages = (size_t)(st.st_size + 4095) / 4096, resident = 0;
    u8 *map = malloc(pages);
    void *m = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map && m != MAP_FAILED && mincore(m, (size_t)st.st_size, map) == 0)
        for (size_t i = 0; i < pages; i++) resident += map[i] & 1;
    if (m != MAP_FAILED) munmap(m, (size_t)st.st_size);
    free(map);
    close(fd);
    return (double)resident / (double)pages;
}

// ---- the device

struct raw {
    struct completion c;
    u8 *buffer;
};

// Bytes per second of direct reads, `depth` under way; scattered: anywhere.
static double device_rate(u32 size, u32 depth, u64 count, bool scattered)
{
    struct err err = ERR_CLEAR;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_RING, .fallback = true}, &err);
    struct completion c;
    struct io_file *file = NULL;
    struct raw raws[CLIENTS];
    if (!io) fail("io", err.text);
    completion_init(&c, NULL, NULL);
    io_file_open(io, path, IO_OPEN_READ | IO_OPEN_DIRECT, &file, &c);
    while (c.state != COMPLETION_DONE) io_step(io, UINT64_MAX);
    struct stat st;
    if (c.result < 0 || stat(path, &st)) fail(path, "direct");
    u64 places = (u64)st.st_size / size, started = 0, done = 0;
    count = MIN(count, places);
    file_forget(false);
    for (u32 i = 0; i < depth; i++) {
        completion_init(&raws[i].c, NULL, NULL);
        raws[i].buffer = io_buffers_alloc(io, size);
    }
    double start = now_seconds();
    while (done < count) {
        for (u32 i = 0; i < depth; i++) {
            struct raw *r = &raws[i];
            if (r->c.state == COMPLETION_PENDING) continue;
            if (r->c.state == COMPLETION_DONE) {
                if (r->c.result < 0) fail(path, "direct read");
                r->c.state = COMPLETION_IDLE;
                done++;
            }
            if (started == count) continue;
            u64 place = scattered ? started * 2654435761u % places : started;
            io_file_read(file, r->buffer, size, place * size, &r->c);
            started++;
        }
        if (done < count) io_step(io, UINT64_MAX);
    }
    double rate = (double)count * size / (now_seconds() - start);
    for (u32 i = 0; i < depth; i++) io_buffers_free(io, raws[i].buffer, size);
    io_file_close(file, &c);
    while (c.state != COMPLETION_DONE) io_step(io, UINT64_MAX);
    io_destroy(io);
    return rate;
}

// ---- Skerry: clients of one loop

struct client {
    struct skerry *db;
    struct skerry_stmt *stmt;
    bool runnable, open;
};
static struct skerry_engine *engine;

static void on_wake(void *context)
{
    ((struct client *)context)->runnable = true;
}

static void client_open(struct client *c, const char *sql)
{
    struct err err = ERR_CLEAR;
    size_t used;
    int rc;
    if (!skerry_open(engine, path, 0, &c->db, &err)) fail(path, err.text);
    while ((rc = skerry_prepare(c->db, sql, strlen(sql), &c->stmt, &used)) == SKERRY_WAIT) skerry_wait(c->db);
    if (rc) fail(sql, skerry_error(c->db)->text);
    skerry_on_wake(c->db, on_wake, c);
    c->runnable = true;
}

// Goes on until it has to wait. False: it does.
static bool client_run(struct client *c, u64 *sum)
{
    int rc;
    while ((rc = skerry_step(c->stmt)) == SKERRY_ROW) *sum += (u64)skerry_column_integer(c->stmt, 0);
    if (rc == SKERRY_WAIT) return false;
    if (rc != SKERRY_DONE) fail(skerry_sql(c->stmt, NULL), skerry_error(c->db)->text);
    while (skerry_reset(c->stmt) == SKERRY_WAIT) io_step(skerry_engine_io(engine), UINT64_MAX);
    return true;
}

static struct took ours_round(const struct test *t, const char *sql, u64 *sum)
{
    static struct client clients[CLIENTS];
    struct err err = ERR_CLEAR;
    u32 runs = t->runs ? t->runs : reads, next = 0, done = 0;
    if (!skerry_engine_create(&(struct skerry_engine_options){.backend = IO_BACKEND_RING, .cache_bytes = CACHE_KIB * 1024ull}, &engine, &err))
        fail("engine", err.text);
    struct io *io = skerry_engine_io(engine);
    for (u32 i = 0; i < t->clients; i++) client_open(&clients[i], sql);
    *sum = 0;
    struct took took;
    took_begin(&took);
    while (done < runs) {
        bool ran = false;
        for (u32 i = 0; i < t->clients; i++) {
            struct client *c = &clients[i];
            while (c->runnable && (c->open || next < runs)) {
                ran = true;
                c->runnable = false;
                if (!c->open && skerry_parameter_count(c->stmt)) skerry_bind_integer(c->stmt, 1, number_of(next));
                next += !c->open;
                c->open = !client_run(c, sum);
                c->runnable |= !c->open;
                done += !c->open;
            }
        }
        if (done < runs) io_step(io, ran ? 0 : UINT64_MAX);
    }
    took_end(&took);
    for (u32 i = 0; i < t->clients; i++) {
        skerry_finalize(clients[i].stmt);
        while (skerry_close(clients[i].db, &err) == SKERRY_WAIT) io_step(io, UINT64_MAX);
        clients[i] = (struct client){0};
    }
    skerry_engine_destroy(engine);
    return took;
}

// ---- SQLite: a thread for each client

struct thread {
    pthread_t id;
    sqlite3 *db;
    sqlite3_stmt *stmt;
    u32 first, step, runs;
    u64 sum;
};

static void *thread_run(void *context)
{
    struct thread *t = context;
    for (u32 i = t->first; i < t->runs; i += t->step) {
        int rc;
        if (sqlite3_bind_parameter_count(t->stmt)) sqlite3_bind_int64(t->stmt, 1, number_of(i));
        while ((rc = sqlite3_step(t->stmt)) == SQLITE_ROW) t->sum += (u64)sqlite3_column_int64(t->stmt, 0);
        if (rc != SQLITE_DONE) fail(sqlite3_sql(t->stmt), sqlite3_errmsg(t->db));
        sqlite3_reset(t->stmt);
    }
    return NULL;
}

static struct took theirs_round(const struct test *t, const char *sql, u64 *sum)
{
    static struct thread threads[CLIENTS];
    char cache[60];
    u32 runs = t->runs ? t->runs : reads;
    snprintf(cache, sizeof cache, "PRAGMA cache_size = -%d", CACHE_KIB);
    for (u32 i = 0; i < t->clients; i++) {
        threads[i] = (struct thread){.first = i, .step = t->clients, .runs = runs};
        if (sqlite3_open_v2(path, &threads[i].db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)) fail(path, "open");
        theirs_exec(threads[i].db, cache);
        if (sqlite3_prepare_v2(threads[i].db, sql, -1, &threads[i].stmt, NULL)) fail(sql, sqlite3_errmsg(threads[i].db));
    }
    struct took took;
    took_begin(&took);
    if (t->clients == 1) {
        thread_run(&threads[0]);
    } else {
        for (u32 i = 0; i < t->clients; i++) pthread_create(&threads[i].id, NULL, thread_run, &threads[i]);
        for (u32 i = 0; i < t->clients; i++) pthread_join(threads[i].id, NULL);
    }
    took_end(&took);
    *sum = 0;
    for (u32 i = 0; i < t->clients; i++) {
        *sum += threads[i].sum;
        sqlite3_finalize(threads[i].stmt);
        sqlite3_close(threads[i].db);
    }
    return took;
}

// ---- memory

static const char *const memory_sql[] = {
    "SELECT sum(length(b)) FROM t",
    "SELECT count(*) FROM (SELECT b, k FROM t WHERE id <= 500000 ORDER BY k)",
};

static void memory_run(u32 which)
{
    struct test t = {.sql = memory_sql[which / 2], .runs = 1, .clients = 1};
    u64 sum;
    if (which % 2)
        (void)theirs_round(&t, t.sql, &sum);
    else
        (void)ours_round(&t, t.sql, &sum);
}

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

// The most memory, in MiB, of a process of its own that opens the file and runs one of these.
static double memory_peak(const char *program, u32 which)
{
    char command[9000];
    double peak = 0;
    snprintf(command, sizeof command, "'%s' --dir '%s' --memory %u", program, dir, which);
    FILE *f = popen(command, "r");
    if (!f || fscanf(f, "%lf", &peak) != 1 || pclose(f)) fail("memory", memory_sql[which / 2]);
    return peak;
}

static void test_run(const struct test *t, double device)
{
    char sql[400];
    struct took best[2] = {{1e9, 1e9}, {1e9, 1e9}};
    double stayed = 0;
    u64 sum_ours = 0, sum_theirs = 0;
    snprintf(sql, sizeof sql, t->sql, 1u, reads);
    for (u32 round = 0; round < rounds; round++) {
        for (u32 who = 0; who < 2; who++) {
            stayed = MAX(stayed, file_forget(t->warm));
            u32 is_theirs = who ^ (round % 2);
            struct took took = is_theirs ? theirs_round(t, sql, &sum_theirs) : ours_round(t, sql, &sum_ours);
            best[is_theirs].seconds = MIN(best[is_theirs].seconds, took.seconds);
            best[is_theirs].cpu = MIN(best[is_theirs].cpu, took.cpu);
        }
    }
    if (sum_ours != sum_theirs) fail(t->name, "other answers than SQLite's");
    double ours = best[0].seconds, theirs = best[1].seconds;
    bool rates = strstr(t->sql, "BETWEEN %") || strstr(t->sql, "CROSS") || !t->runs;
    printf("%-34s %3u %8.3f s %8.3f s %6.2fx %7.3f s %7.3f s %6.2fx", t->name, t->clients, ours, theirs, theirs / ours, best[0].cpu, best[1].cpu,
           best[1].cpu / best[0].cpu);
    if (rates) printf("   %.1f k rows/s, SQLite %.1f k", reads / ours / 1e3, reads / theirs / 1e3);
    if (strstr(t->name, "cold scan of the table")) {
        struct stat st;
        if (stat(path, &st) == 0) printf("   up to %.2f GB/s, %.0f%% of the device", (double)st.st_size / ours / 1e9, 100 * (double)st.st_size / ours / device);
    }
    if (!t->warm && stayed > 0.01) printf("   (%.0f%% stayed in the kernel's cache)", 100 * stayed);
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    s32 memory = -1;
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--mib") == 0) mib = (u32)atoi(value);
        else if (strcmp(argv[i], "--reads") == 0) reads = (u32)atoi(value);
        else if (strcmp(argv[i], "--rounds") == 0) rounds = (u32)atoi(value);
        else if (strcmp(argv[i], "--memory") == 0) memory = atoi(value); // a child's
        else if (strcmp(argv[i], "--only") == 0) only = value;
        else if (strcmp(argv[i], "--dir") == 0) dir = value;
        else fail(argv[i], "no such option");
    }
    snprintf(path, sizeof path, "%s/bench_storage.db", dir);
    if (memory >= 0) {
        memory_run((u32)memory);
        printf("%.1f\n", memory_most());
        return 0;
    }
    if (mib < 8 || reads < 1 || rounds < 1) fail("options", "too small");
    file_make();
    struct stat st;
    if (stat(path, &st)) fail(path, "stat");
    double device = device_rate(1u << 20, 8, 4096, false), scattered = device_rate(4096, CLIENTS, 40000, true);
    printf("%.0f MiB, %u rows; the device: %.2f GB/s, %.1f k reads of 4 KiB per second at depth %u\n", (double)st.st_size / 1048576, rows,
           device / 1e9, scattered / 4096 / 1e3, CLIENTS);
    printf("%-34s %3s %10s %10s %7s %9s %9s\n", "", "n", "Skerry", "SQLite", "", "CPU time", "SQLite's");
    for (u32 i = 0; i < COUNT_OF(tests); i++)
        if (strstr(tests[i].name, only)) test_run(&tests[i], device);
    printf("peak memory, scan: %.1f MiB, SQLite %.1f MiB; sort of 500,000 rows: %.1f MiB, SQLite %.1f MiB\n", memory_peak(argv[0], 0),
           memory_peak(argv[0], 1), memory_peak(argv[0], 2), memory_peak(argv[0], 3));
    unlink(path);
    return 0;
}
