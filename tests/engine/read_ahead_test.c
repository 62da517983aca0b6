// Goal: pages that are read ahead change neither rows nor their order, whatever backend they come from, and neither do
// their failures: a page that cannot be read fails the statements that need it, with its place, and no other.
// Method: libsqlite3 writes databases of random shapes (page sizes, rows with overflow pages, indexes, holes left by
// deletions) and answers the same queries: scans in both directions, ranges, look-ups through indexes, IN and joins,
// each with and without LIMIT. Skerry reads them through every backend, with caches from a few pages on, opened anew so
// that nothing is in memory. On the simulated disk every read then fails once, in turn. What was read is
// seen in the backend's counters.
#include <sqlite3.h>

#include "engine/skerry.h"
#include "io/sim.h"
#include "tests/test.h"

#include <unistd.h>

static const char *const queries[] = {
    "SELECT count(*) FROM t",
    "SELECT id, a, length(b) FROM t",
    "SELECT id, b FROM t ORDER BY id DESC",
    "SELECT a FROM t ORDER BY a, id",
    "SELECT a FROM t ORDER BY a DESC LIMIT 300",
    "SELECT id, a, b FROM t WHERE a BETWEEN 100 AND 400 ORDER BY a, id",
    "SELECT id, b FROM t WHERE a > 700 ORDER BY a DESC, id DESC",
    "SELECT id, b FROM t INDEXED BY ta WHERE a >= 0",
    "SELECT b FROM t WHERE id IN (SELECT x FROM s)",
    "SELECT s.x, t.b FROM s CROSS JOIN t ON t.id = s.x",
    "SELECT s.x, t.id FROM s CROSS JOIN t ON t.a = s.x ORDER BY s.x, t.id",
    "SELECT id, c FROM t WHERE c >= 'c5' AND c < 'c8' ORDER BY c, id",
    "SELECT k, v FROM w ORDER BY k DESC",
    "SELECT id, b FROM t WHERE a > 10 ORDER BY a LIMIT 1",
    "SELECT id FROM t WHERE length(b) > 10 LIMIT 1",
    "SELECT max(length(b)) FROM t WHERE a IN (1, 77, 400, 401, 402, 900)",
};

struct text {
    char *bytes;
    size_t size, capacity;
};

static void text_add(struct text *t, const char *s)
{
    size_t size = s ? strlen(s) : 0;
    if (t->size + size + 2 > t->capacity) {
        t->capacity = (t->size + size + 2) * 2;
        t->bytes = realloc(t->bytes, t->capacity);
    }
    if (size) memcpy(t->bytes + t->size, s, size);
    t->bytes[t->size += size] = '|';
    t->bytes[++t->size] = 0;
}

static int oracle_row(void *context, int count, char **values, char **names)
{
    for (int i = 0; i < count; i++) text_add(context, values[i]);
    return 0;
}

static void oracle(const char *path, const char *sql, struct text *out)
{
    sqlite3 *db;
    char *err = NULL;
    if (sqlite3_open(path, &db) || sqlite3_exec(db, sql, oracle_row, out, &err))
        test_fail(__FILE__, __LINE__, "sqlite: %s: %s", sql, err ? err : sqlite3_errmsg(db));
    sqlite3_free(err);
    sqlite3_close(db);
}

static void database_make(const char *path, u64 *seed, u32 rows)
{
    char sql[2000];
    struct text none = {0};
    snprintf(sql, sizeof sql,
             "PRAGMA page_size = %u; BEGIN;"
             "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT, c TEXT);"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) INSERT INTO t "
             "SELECT i, (i * %u) %% 1009, printf('%%.*c', CASE i %% %u WHEN 0 THEN 5000 ELSE i %% 90 END, 'b'), "
             "'c' || (i * 31 %% 977) FROM n;"
             "CREATE INDEX ta ON t(a); CREATE INDEX tc ON t(c DESC);"
             "CREATE TABLE s(x INT); INSERT INTO s SELECT id * 7 %% %u FROM t WHERE id %% 3 = 1;"
             "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w SELECT 'key' || id, b FROM t WHERE id %% 5 = 0;"
             "DELETE FROM t WHERE id %% %u = 2; UPDATE t SET b = b || 'longer than before' WHERE id %% 4 = 0; COMMIT;",
             512u << test_random(seed) % 5, rows, 7919 + 2 * (u32)(test_random(seed) % 50),
             20 + (u32)(test_random(seed) % 200), rows + 50, 3 + (u32)(test_random(seed) % 9));
    unlink(path);
    oracle(path, sql, &none);
    free(none.bytes);
}

struct ours {
    struct sim *sim;
    struct io *io;
    struct skerry_engine *engine;
    struct skerry *db;
    bool checked; // the schema is there
};

// A node that has nothing of the database in memory but, with `schema`, its schema and what that needed.
static bool ours_open(struct ours *o, enum io_backend_kind backend, const char *path, struct sim *sim, u32 cache_pages)
{
    struct err err = ERR_CLEAR;
    *o = (struct ours){.sim = sim};
    o->io = io_create(&(struct io_options){.backend = backend, .sim = sim, .fallback = true, .seed = test_seed()}, &err);
    if (!o->io) return false;
    struct skerry_engine_options options = {.io = o->io, .cache_bytes = (u64)cache_pages * 4096};
    if (!skerry_engine_create(&options, &o->engine, &err)) return false;
    return skerry_open(o->engine, path, 0, &o->db, &err);
}

static void ours_close(struct ours *o)
{
    struct err err = ERR_CLEAR;
    while (skerry_close(o->db, &err) == SKERRY_WAIT) io_step(o->io, UINT64_MAX);
    skerry_engine_destroy(o->engine);
    io_destroy(o->io);
}

static int ours_row(void *context, struct skerry_stmt *s)
{
    for (u32 i = 0; i < skerry_column_count(s); i++) {
        size_t size;
        text_add(context, skerry_column_type(s, i) == VALUE_NULL ? NULL : skerry_column_text(s, i, &size));
    }
    return 0;
}

static int ours_ask(struct ours *o, const char *sql, struct text *out)
{
    out->size = 0;
    return skerry_exec(o->db, sql, ours_row, out);
}

static bool same(const struct text *a, const struct text *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static struct sim *world_of(const char *path, u64 seed)
{
    struct sim *sim = sim_create(seed);
    FILE *f = fopen(path, "rb");
    fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f);
    rewind(f);
    u8 *bytes = malloc(size);
    if (!sim || fread(bytes, 1, size, f) != size || !sim_file_put(sim, path, bytes, size)) abort();
    fclose(f);
    free(bytes);
    return sim;
}

TEST(rows_are_the_same_on_every_backend)
{
    static const enum io_backend_kind backends[] = {IO_BACKEND_RING, IO_BACKEND_POSIX, IO_BACKEND_SIM};
    static const u32 caches[] = {16, 40, 300, 4096};
    u64 seed = test_seed();
    char path[400];
    snprintf(path, sizeof path, "%s/r.db", test_dir());
    for (u32 round = 0; round < 4 && !test_failed(); round++) {
        database_make(path, &seed, 500 + (u32)(test_random(&seed) % 4000));
        struct text wants[COUNT_OF(queries)] = {0}, got = {0};
        for (u32 q = 0; q < COUNT_OF(queries); q++) oracle(path, queries[q], &wants[q]);
        for (u32 b = 0; b < COUNT_OF(backends); b++) {
            struct sim *sim = backends[b] == IO_BACKEND_SIM ? world_of(path, test_random(&seed)) : NULL;
            struct ours o;
            REQUIRE(ours_open(&o, backends[b], path, sim, caches[test_random(&seed) % COUNT_OF(caches)]));
            for (u32 i = 0; i < COUNT_OF(queries); i++) {
                u32 q = (u32)((i + round * 5) % COUNT_OF(queries));
                int rc = ours_ask(&o, queries[q], &got);
                if (rc || !same(&got, &wants[q]))
                    test_fail(__FILE__, __LINE__, "round %u, %s: %s: %s", round, io_backend_name(o.io), queries[q],
                              rc ? skerry_error(o.db)->text : "other rows");
            }
            ours_close(&o);
            if (sim) sim_destroy(sim);
        }
        for (u32 q = 0; q < COUNT_OF(queries); q++) free(wants[q].bytes);
        free(got.bytes);
    }
}

// Every read of a query fails once. It gives all rows, or says which page of which file could not be read; the next try
// is good, because what was read ahead in vain is read again.
TEST(a_read_that_fails)
{
    u64 seed = test_seed();
    char path[400];
    snprintf(path, sizeof path, "%s/r.db", test_dir());
    database_make(path, &seed, 1500);
    u32 failed = 0, unharmed = 0;
    for (u32 q = 0; q < COUNT_OF(queries) && !test_failed(); q++) {
        struct text want = {0}, got = {0};
        oracle(path, queries[q], &want);
        u32 step = 1 + (u32)(test_random(&seed) % 7);
        for (u64 nth = 1 + test_random(&seed) % step;; nth += step) {
            struct sim *sim = world_of(path, test_random(&seed));
            struct ours o;
            REQUIRE(ours_open(&o, IO_BACKEND_SIM, path, sim, 2000));
            CHECK_EQ(ours_ask(&o, "SELECT 1 FROM s LIMIT 1", &got), 0);
            sim_fault_at(sim, SIM_READ_ERROR, nth);
            int rc = ours_ask(&o, queries[q], &got);
            struct sim_counters n;
            sim_counters_get(sim, &n);
            bool met = n.faults[SIM_READ_ERROR] > 0;
            sim_fault_at(sim, SIM_READ_ERROR, 0);
            if (rc) {
                failed++;
                CHECK_EQ(rc, 10); // SQLITE_IOERR
                CHECK(strstr(skerry_error(o.db)->text, "page ") && strstr(skerry_error(o.db)->text, "r.db"));
                rc = ours_ask(&o, queries[q], &got);
            } else {
                unharmed += met;
            }
            if (rc || !same(&got, &want))
                test_fail(__FILE__, __LINE__, "%s, read %llu: %s", queries[q], (unsigned long long)nth,
                          rc ? skerry_error(o.db)->text : "other rows");
            ours_close(&o);
            sim_destroy(sim);
            if (!met || test_failed()) break;
        }
        free(want.bytes);
        free(got.bytes);
    }
    CHECK(failed > 10);
    CHECK(unharmed > 10);
}

// Bytes that a query reads from the file, with nothing in memory but the schema.
static u64 bytes_read(const char *path, const char *sql, u64 *reads)
{
    struct ours o;
    struct text got = {0};
    struct io_counters before, after;
    if (!ours_open(&o, IO_BACKEND_POSIX, path, NULL, 4096)) abort();
    CHECK_EQ(ours_ask(&o, "SELECT 1 FROM s LIMIT 1", &got), 0);
    io_counters_get(o.io, &before);
    CHECK_EQ(ours_ask(&o, sql, &got), 0);
    io_counters_get(o.io, &after);
    ours_close(&o);
    free(got.bytes);
    if (reads) *reads = after.submissions - before.submissions;
    return after.read_bytes - before.read_bytes;
}

TEST(little_is_read_when_little_is_asked_for)
{
    char path[400];
    struct text none = {0};
    snprintf(path, sizeof path, "%s/l.db", test_dir());
    // A row a page; rows lie in another order than the index has them in.
    oracle(path,
           "CREATE TABLE s(x); CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT); INSERT INTO t "
           "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999) "
           "SELECT i, i * 1009 % 3000, printf('%.*c', 2500, 'x') FROM n; CREATE INDEX ta ON t(a)", &none);
    u64 reads;
    // The whole table: hardly a page twice, and in far fewer reads than pages.
    u64 all = bytes_read(path, "SELECT sum(length(b)) FROM t", &reads);
    CHECK(all >= 3000u * 4096 && all < 3100u * 4096);
    CHECK(reads < 300);
    all = bytes_read(path, "SELECT sum(length(b)) FROM t INDEXED BY ta WHERE a >= 0", &reads);
    CHECK(all >= 3000u * 4096 && all < 3100u * 4096);
    // One row: root, leaf, and no more than a few besides. Through the index the same again.
    CHECK(bytes_read(path, "SELECT length(b) FROM t LIMIT 1", NULL) <= 4 * 4096);
    CHECK(bytes_read(path, "SELECT length(b) FROM t WHERE a > 5 LIMIT 1", NULL) <= 8 * 4096);
    CHECK(bytes_read(path, "SELECT length(b) FROM t WHERE a = 5", NULL) <= 8 * 4096);
    CHECK(bytes_read(path, "SELECT length(b) FROM t WHERE id = 5", NULL) <= 4 * 4096);
    // Ten rows: their leaves, the nine pages above all leaves, three of the index. The end of its range is minded.
    CHECK(bytes_read(path, "SELECT sum(length(b)) FROM t WHERE a BETWEEN 100 AND 109", NULL) <= 22 * 4096);
    CHECK(bytes_read(path, "SELECT sum(length(b)) FROM (SELECT b FROM t LIMIT 20)", NULL) <= 48 * 4096);
    free(none.bytes);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
