// Goal: what was committed is there after a crash, whoever wrote it and whoever opens it; a damaged
// end of the WAL costs what is after the last sound commit and no more. Method: copies of database
// and WAL are taken while their writer has them open, which is what a crash of the process leaves;
// SQLite's own answer on the same bytes is the expected one.
#include "store_driver.h"

#include "../../../engine/store/wal.h"

// A database and WAL as a crash of SQLite leaves them: 10 commits of growing rows after a
// checkpoint.
static void sqlite_crash(const char *to, u32 page_size)
{
    char *live = test_path("live.db"), sql[200], from[500], target[500];
    unlink(live);
    sqlite3 *db;
    sqlite3_open(live, &db);
    snprintf(sql, sizeof sql,
             "PRAGMA page_size=%u; PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0; CREATE "
             "TABLE t(id INTEGER PRIMARY KEY, v);",
             page_size);
    sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_exec(db, "INSERT INTO t VALUES(0, 'base'); PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL,
                 NULL);
    for (u32 i = 1; i <= 10; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%u, 'value %u' || hex(zeroblob(%u)))", i, i,
                 i * 200);
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    file_copy(live, to);
    snprintf(from, sizeof from, "%s-wal", live);
    snprintf(target, sizeof target, "%s-wal", to);
    file_copy(from, target);
    sqlite3_close(db);
}

// Opens with Skerry; number of rows of t (root page 2), or -1.
static s64 skerry_count(struct driver *d, const char *path)
{
    struct store *s = driver_open(d, path, &(struct store_options){0});
    if (!s) return -1;
    struct txn *t = txn_create(s);
    u64 count = 0;
    DO(d, txn_begin_read(t, &d->op));
    DO(d, row_count(t, &d->op, 2, &count));
    txn_destroy(t);
    DO(d, store_close(s, &d->op));
    return (s64)count;
}

static void pair_save(const char *path, const u8 *db, size_t db_size, const u8 *wal,
                      size_t wal_size)
{
    char name[500];
    file_save(path, db, db_size);
    snprintf(name, sizeof name, "%s-wal", path);
    file_save(name, wal, wal_size);
    snprintf(name, sizeof name, "%s-shm", path);
    unlink(name);
}

struct crash {
    u8 *db, *wal;
    size_t db_size, wal_size;
};
static struct crash crash_load(const char *path)
{
    char name[500];
    struct crash c;
    c.db = file_load(path, &c.db_size);
    snprintf(name, sizeof name, "%s-wal", path);
    c.wal = file_load(name, &c.wal_size);
    return c;
}
static void crash_free(struct crash *c)
{
    free(c->db);
    free(c->wal);
}

// Both engines on copies of the same bytes; the count they must agree on.
static void both_check(struct driver *d, const struct crash *c, const char *what, u64 detail)
{
    char *ours = test_path("ours.db"), *theirs = test_path("theirs.db");
    pair_save(ours, c->db, c->db_size, c->wal, c->wal_size);
    pair_save(theirs, c->db, c->db_size, c->wal, c->wal_size);
    s64 got = skerry_count(d, ours), want = atoll(sqlite_ask(theirs, "SELECT count(*) FROM t"));
    if (got != want)
        test_fail(__FILE__, __LINE__, "%s %llu: %lld rows, want %lld", what,
                  (unsigned long long)detail, (long long)got, (long long)want);
    // What we leave after closing is what SQLite makes of it too.
    CHECK_STR(sqlite_ask(ours, "PRAGMA integrity_check"), "ok");
    CHECK_EQ(atoll(sqlite_ask(ours, "SELECT count(*) FROM t")), want);
}

TEST(wal_of_sqlite_is_recovered)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    for (u32 page_size = 512; page_size <= 65536; page_size *= 2) {
        char *path = test_path("crash.db");
        sqlite_crash(path, page_size);
        struct crash c = crash_load(path);
        REQUIRE(c.wal_size > 32);
        both_check(&d, &c, "page size", page_size);
        crash_free(&c);
    }
    driver_deinit(&d);
}

TEST(wal_is_truncated_anywhere)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("crash.db");
    sqlite_crash(path, 1024);
    struct crash c = crash_load(path);
    size_t whole = c.wal_size;
    for (size_t size = 0; size < whole; size += size < 40 ? 7 : 419) {
        c.wal_size = size;
        both_check(&d, &c, "truncated to", size);
    }
    crash_free(&c);
    driver_deinit(&d);
}

TEST(wal_is_damaged_anywhere)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    u64 seed = test_seed();
    char *path = test_path("crash.db");
    sqlite_crash(path, 1024);
    struct crash c = crash_load(path);
    for (u32 i = 0; i < 80; i++) {
        size_t at = i < 56 ? i : test_random(&seed) % c.wal_size;
        u8 bit = (u8)(1 << test_random(&seed) % 8);
        c.wal[at] ^= bit;
        both_check(&d, &c, "damaged at", at);
        c.wal[at] ^= bit;
    }
    crash_free(&c);
    driver_deinit(&d);
}

TEST(wal_of_the_other_byte_order)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("crash.db");
    sqlite_crash(path, 4096);
    struct crash c = crash_load(path);
    // The same log, its checksums over big-endian words (fileformat2, "Checksum Algorithm").
    u32 frame_size = 4096 + 24;
    struct wal_sum sum = {0};
    be32_put(c.wal, 0x377f0683);
    wal_sum_add(&sum, c.wal, 24, true);
    be32_put(c.wal + 24, sum.s1);
    be32_put(c.wal + 28, sum.s2);
    for (size_t at = 32; at + frame_size <= c.wal_size; at += frame_size) {
        wal_sum_add(&sum, c.wal + at, 8, true);
        wal_sum_add(&sum, c.wal + at + 24, 4096, true);
        be32_put(c.wal + at + 16, sum.s1);
        be32_put(c.wal + at + 20, sum.s2);
    }
    both_check(&d, &c, "big-endian", 0);
    // It is continued in its own order.
    pair_save(path, c.db, c.db_size, c.wal, c.wal_size);
    struct store *s = driver_open(&d, path, &(struct store_options){0});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    row_commit(&d, t, 2, 99, "more");
    char *copy = test_path("copy.db"), from[500], to[500];
    file_copy(path, copy);
    snprintf(from, sizeof from, "%s-wal", path);
    snprintf(to, sizeof to, "%s-wal", copy);
    file_copy(from, to);
    CHECK_STR(sqlite_ask(copy, "SELECT count(*) FROM t"), "12");
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    crash_free(&c);
    driver_deinit(&d);
}

// Our own log at every stage of its life: growing, checkpointed, started again.
TEST(our_wal_is_recovered_by_both)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    u64 seed = test_seed();
    char *path = test_path("a.db"), wal[500];
    snprintf(wal, sizeof wal, "%s-wal", path);
    struct store *s = driver_open(
        &d, path,
        &(struct store_options){.create = true, .page_size = 1024, .checkpoint_frames = 20});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno root = table_create(&d, t);
    DO(&d, txn_commit(t, &d.op));
    struct driver other;
    driver_init(&other, IO_BACKEND_POSIX);
    for (u32 i = 1; i <= 60; i++) {
        row_commit(
            &d, t, root, i,
            "a row that takes some space so that the tree gets more than one page and splits");
        if (test_random(&seed) % 3) io_step(d.io, 0); // a checkpoint goes on by as much
        char *copy = test_path("ours.db"), *theirs = test_path("theirs.db");
        size_t db_size, wal_size;
        u8 *db = file_load(path, &db_size), *log = file_load(wal, &wal_size);
        pair_save(copy, db, db_size, log, wal_size);
        pair_save(theirs, db, db_size, log, wal_size);
        free(db);
        free(log);
        CHECK_EQ(atoll(sqlite_ask(theirs, "SELECT count(*) FROM t")), i);
        CHECK_STR(sqlite_ask(theirs, "PRAGMA integrity_check"), "ok");
        CHECK_EQ(skerry_count(&other, copy), i);
    }
    struct store_stats stats;
    store_stats_get(s, &stats);
    CHECK(stats.checkpoints > 1);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&other);
    driver_deinit(&d);
}

TEST(a_stray_wal_beside_an_empty_file_is_ignored)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("crash.db");
    sqlite_crash(path, 1024);
    struct crash c = crash_load(path);
    pair_save(path, c.db, 0, c.wal, c.wal_size);
    struct store *s = driver_open(&d, path, &(struct store_options){0});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_read(t, &d.op));
    CHECK_EQ(txn_page_count(t), 0);
    txn_end_read(t);
    DO(&d, txn_begin_write(t, &d.op, 0));
    table_create(&d, t);
    DO(&d, txn_commit(t, &d.op));
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(sqlite_ask(path, "SELECT count(*) FROM t"), "0");
    crash_free(&c);
    driver_deinit(&d);
}

TEST(what_is_not_a_database)
{
    static const struct {
        const char *name;
        size_t size;
        const char *start;
        err_code want;
    } table[] = {
        {"text", 5000, "this is a text", ERR_NOTADB},
        {"short", 20, "SQLite format 3", ERR_NOTADB},
        {"header alone", 100, "SQLite format 3", ERR_NOTADB},
        {"zeros", 4096, "", ERR_OK}, // a first page that never reached the disk
        {"empty", 0, "", ERR_OK},
    };
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    for (u32 i = 0; i < COUNT_OF(table); i++) {
        u8 *bytes = calloc(1, table[i].size + 100);
        memcpy(bytes, table[i].start, strlen(table[i].start));
        char *path = test_path("x.db");
        file_save(path, bytes, table[i].size);
        free(bytes);
        struct store *s = driver_open(&d, path, &(struct store_options){0});
        if ((s ? ERR_OK : d.op.err.code) != table[i].want)
            test_fail(__FILE__, __LINE__, "%s: %d %s", table[i].name, d.op.err.code, d.op.err.text);
        if (!s) CHECK_STR(d.op.err.text, "file is not a database");
        if (s) DO(&d, store_close(s, &d.op));
        while (io_busy(d.io)) io_step(d.io, 0);
    }
    CHECK(!driver_open(&d, test_path("missing.db"), &(struct store_options){0}));
    CHECK_EQ(d.op.err.code, ERR_CANTOPEN);
    CHECK_EQ(d.op.err.sys_errno, 2);
    driver_deinit(&d);
}

TEST(a_file_that_ends_too_soon)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db");
    sqlite_ask(path, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
    sqlite_ask(path, "INSERT INTO t VALUES(1, zeroblob(20000))");
    size_t size;
    u8 *bytes = file_load(path, &size);
    file_save(path, bytes, size - 4096 - 100);
    free(bytes);
    struct store *s = driver_open(&d, path, &(struct store_options){0});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_read(t, &d.op));
    pgno count = txn_page_count(t);
    CHECK_EQ(count, size / 4096);
    struct page *p;
    CHECK_EQ(DRIVE(&d, txn_page(t, &d.op, count, &p)), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_CORRUPT);
    CHECK_EQ(d.op.err.offset, (count - 1) * 4096);
    CHECK_EQ(DRIVE(&d, txn_page(t, &d.op, count - 1, &p)), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_CORRUPT);
    CHECK_EQ(DRIVE(&d, txn_page(t, &d.op, count + 1, &p)), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_CORRUPT);
    CHECK_EQ(DRIVE(&d, txn_page(t, &d.op, 0, &p)), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_CORRUPT);
    DO(&d, txn_page(t, &d.op, 2, &p));
    page_unpin(p);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
