// Goal: the page cache stays within its size, and what many ask for stays in it when somebody reads the whole database.
// Method: a database ten times the cache. A hot set is read until it is known as such; then all tables are scanned, and
// the hot set must be found without a read. Scans, index look-ups and sorts that spill run while the cache's
// counters and the process's memory are watched. Index keys larger than the cache are looked for. PRAGMA cache_size is
// set the ways SQLite knows, and the counters must follow.
#include "engine/skerry.h"
#include "engine/store/store.h"
#include "tests/test.h"

#include <unistd.h>

#define CACHE_BYTES (2u << 20)
#define ROWS        60000

struct node {
    struct skerry_engine *engine;
    struct skerry *db;
};

static int ignore(void *context, struct skerry_stmt *s)
{
    return 0;
}

static int first_integer(void *context, struct skerry_stmt *s)
{
    *(s64 *)context = skerry_column_integer(s, 0);
    return 0;
}

static s64 ask(struct node *n, const char *sql)
{
    s64 answer = -1;
    if (skerry_exec(n->db, sql, first_integer, &answer)) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(n->db)->text);
    return answer;
}

static struct store_stats stats_of(struct node *n)
{
    struct store_stats stats;
    store_stats_get(skerry_store(n->db), &stats);
    return stats;
}

static bool node_open(struct node *n, const char *path, u64 cache_bytes)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options options = {.backend = IO_BACKEND_POSIX, .cache_bytes = cache_bytes};
    return skerry_engine_create(&options, &n->engine, &err) && skerry_open(n->engine, path, SKERRY_OPEN_CREATE, &n->db, &err);
}

static void node_close(struct node *n)
{
    struct err err = ERR_CLEAR;
    while (skerry_close(n->db, &err) == SKERRY_WAIT) io_step(skerry_engine_io(n->engine), UINT64_MAX);
    skerry_engine_destroy(n->engine);
}

// 20 MiB: a table of rows of 300 bytes, with an index in another order.
static const char *database_path(void)
{
    static char path[400];
    struct node n;
    snprintf(path, sizeof path, "%s/c.db", test_dir());
    if (!node_open(&n, path, 64 << 20)) abort();
    ask(&n, "CREATE TABLE t(id INTEGER PRIMARY KEY, k INT, b TEXT); CREATE INDEX tk ON t(k);"
            "CREATE TABLE hot(id INTEGER PRIMARY KEY, b TEXT);"
            "INSERT INTO t SELECT value, value * 7919 % 60013, printf('%.*c', 300, 'x') FROM generate_series(1, 60000);"
            "INSERT INTO hot SELECT value, printf('%.*c', 900, 'h') FROM generate_series(1, 800)");
    node_close(&n);
    return path;
}

static u64 resident_bytes(void)
{
    unsigned long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%lu %lu", &size, &resident) != 2) abort();
    fclose(f);
    return (u64)resident * (u64)sysconf(_SC_PAGESIZE);
}

TEST(a_scan_leaves_a_hot_set_alone)
{
    struct node n;
    u64 seed = test_seed();
    char sql[200];
    REQUIRE(node_open(&n, database_path(), CACHE_BYTES));
    // 200 pages of 512, in any order, a few times each, as clients would.
    for (u32 i = 0; i < 3000; i++) {
        snprintf(sql, sizeof sql, "SELECT length(b) FROM hot WHERE id = %u", 1 + (u32)(test_random(&seed) % 800));
        CHECK_EQ(ask(&n, sql), 900);
    }
    for (u32 round = 0; round < 3; round++) {
        struct store_stats before = stats_of(&n);
        CHECK_EQ(ask(&n, "SELECT sum(length(b)) FROM t"), 300 * ROWS);
        CHECK_EQ(ask(&n, "SELECT sum(length(b)) FROM t INDEXED BY tk WHERE k > 55000"), 300 * ask(&n, "SELECT count(*) FROM t WHERE k > 55000"));
        struct store_stats scanned = stats_of(&n);
        CHECK(scanned.cache_evictions - before.cache_evictions > 5000);
        CHECK_EQ(ask(&n, "SELECT sum(length(b)) FROM hot"), 900 * 800);
        struct store_stats after = stats_of(&n);
        if (after.cache_misses - scanned.cache_misses > 10)
            test_fail(__FILE__, __LINE__, "round %u: %llu of 200 hot pages had gone", round,
                      (unsigned long long)(after.cache_misses - scanned.cache_misses));
    }
    node_close(&n);
}

// The same while they alternate: a hot set that nobody had asked for before the scan began.
TEST(a_hot_set_forms_beside_a_scan)
{
    struct node n;
    u64 seed = test_seed();
    char sql[200];
    REQUIRE(node_open(&n, database_path(), CACHE_BYTES));
    u64 misses = 0;
    for (u32 i = 0; i < 400; i++) {
        snprintf(sql, sizeof sql, "SELECT sum(length(b)) FROM t WHERE id BETWEEN %u AND %u", i * 150 + 1, i * 150 + 150);
        CHECK_EQ(ask(&n, sql), 300 * 150);
        struct store_stats before = stats_of(&n);
        for (u32 k = 0; k < 20; k++) {
            snprintf(sql, sizeof sql, "SELECT length(b) FROM hot WHERE id = %u", 1 + (u32)(test_random(&seed) % 800));
            CHECK_EQ(ask(&n, sql), 900);
        }
        if (i >= 200) misses += stats_of(&n).cache_misses - before.cache_misses;
    }
    CHECK(misses < 200); // of 4000 looks
    node_close(&n);
}

TEST(memory_stays_within_the_cache)
{
    static const char *const statements[] = {
        "SELECT sum(length(b)) FROM t",
        "SELECT count(*) FROM (SELECT b, k FROM t ORDER BY k * 3 % 1000, b)",
        "SELECT k, b FROM t ORDER BY b, k % 77, id DESC",
        "SELECT id, b FROM t INDEXED BY tk WHERE k >= 0",
        "SELECT b, count(*) FROM t GROUP BY b || id % 20000",
        "SELECT x.id FROM t x JOIN t y ON y.id = x.k WHERE x.id < 20000",
    };
    struct node n;
    const char *path = database_path();
    REQUIRE(node_open(&n, path, CACHE_BYTES));
    ask(&n, "SELECT count(*) FROM t LIMIT 1");
    u64 before = resident_bytes();
    for (u32 i = 0; i < COUNT_OF(statements); i++) {
        if (skerry_exec(n.db, statements[i], ignore, NULL)) test_fail(__FILE__, __LINE__, "%s", skerry_error(n.db)->text);
        struct store_stats s = stats_of(&n);
        CHECK_EQ(s.cache_bytes_max, CACHE_BYTES);
        if (s.cache_bytes > CACHE_BYTES + (256u << 10)) // it grows by 256 KiB
            test_fail(__FILE__, __LINE__, "%s: %llu bytes", statements[i], (unsigned long long)s.cache_bytes);
#ifndef __SANITIZE_ADDRESS__
        // The cache, as much for each of two sorters, and what the allocator keeps of theirs.
        u64 grown = resident_bytes() - MIN(before, resident_bytes());
        if (grown > 4ull * CACHE_BYTES) test_fail(__FILE__, __LINE__, "%s: grown by %llu KiB", statements[i], (unsigned long long)grown >> 10);
#endif
    }
    (void)before;
    node_close(&n);
}

TEST(pragma_cache_size_is_heard)
{
    struct node n;
    const char *path = database_path();
    REQUIRE(node_open(&n, path, 0));
    CHECK_EQ(ask(&n, "SELECT sum(length(b)) FROM t"), 300 * ROWS);
    CHECK_EQ(stats_of(&n).cache_bytes_max, 16u << 20);
    CHECK(stats_of(&n).cache_bytes > 12u << 20);
    ask(&n, "PRAGMA cache_size = 300"); // pages
    CHECK_EQ(ask(&n, "PRAGMA cache_size"), 300);
    CHECK_EQ(stats_of(&n).cache_bytes_max, 300 * 4096);
    CHECK_EQ(ask(&n, "SELECT sum(length(b)) FROM t"), 300 * ROWS);
    CHECK(stats_of(&n).cache_bytes < 2u << 20);
    ask(&n, "PRAGMA cache_size = -4096"); // KiB
    CHECK_EQ(ask(&n, "PRAGMA cache_size"), -4096);
    CHECK_EQ(stats_of(&n).cache_bytes_max, 4u << 20);
    node_close(&n);
    // An engine with a bound of its own: no statement goes beyond it.
    REQUIRE(node_open(&n, path, CACHE_BYTES));
    ask(&n, "PRAGMA cache_size = -100000");
    CHECK_EQ(ask(&n, "SELECT sum(length(b)) FROM t"), 300 * ROWS);
    CHECK_EQ(stats_of(&n).cache_bytes_max, CACHE_BYTES);
    ask(&n, "PRAGMA cache_size = 100");
    CHECK_EQ(stats_of(&n).cache_bytes_max, 100 * 4096);
    node_close(&n);
}

// A search begins anew after each wait for a page. Its keys differ behind their first 300,000 bytes only: the cache holds none of
// them whole, however many are compared on the way.
TEST(keys_larger_than_the_cache_are_found)
{
    struct node n;
    char path[400];
    snprintf(path, sizeof path, "%s/k.db", test_dir());
    REQUIRE(node_open(&n, path, 16 * 4096));
    ask(&n, "CREATE TABLE t(a TEXT UNIQUE, b INT)");
    ask(&n, "INSERT INTO t SELECT printf('%.*c%d', 300000, 'x', value), value FROM generate_series(1, 9)");
    CHECK_EQ(ask(&n, "SELECT b FROM t WHERE a = printf('%.*c8', 300000, 'x')"), 8);
    CHECK_EQ(ask(&n, "SELECT count(*) FROM t WHERE a > printf('%.*c3', 300000, 'x')"), 6);
    CHECK_EQ(ask(&n, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    node_close(&n);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
