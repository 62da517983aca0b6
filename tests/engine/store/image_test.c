// Goal: a database that takes another's pages by image transactions is that database, page by page, at each of its
// commits; its readers keep what they began with; nobody else writes to it. Method: two stores, one that is written to
// at random and one that is given what store_pages_changed says, from an empty file on, with caches so small that big
// images are spilled; pages compared, and the file judged by libsqlite3.
#include "store_driver.h"

struct pair {
    struct driver d;
    struct store *from, *to;
    struct txn *reader, *image, *check;
    struct store_position at;
    u8 a[1024], b[1024];
};

static void follow(struct pair *p)
{
    pgno *pages = NULL;
    u32 count = 0;
    struct store_position now;
    DO(&p->d, txn_begin_read(p->reader, &p->d.op));
    txn_position_get(p->reader, &now);
    CHECK_EQ(store_pages_changed(p->from, p->at.lsn, now.lsn, &pages, &count), ERR_OK);
    DO(&p->d, txn_image_begin(p->image, &p->d.op, 0));
    for (u32 i = 0; i < count; i++) {
        if (pages[i] > now.page_count) continue;
        DO(&p->d, txn_page_copy(p->reader, &p->d.op, pages[i], p->a));
        DO(&p->d, txn_image_page(p->image, &p->d.op, pages[i], p->a));
    }
    DO(&p->d, txn_image_size(p->image, &p->d.op, now.page_count));
    DO(&p->d, txn_commit(p->image, &p->d.op));
    free(pages);
    p->at = now;
    store_hold(p->from, now.lsn);
    // The two are one.
    struct store_position got;
    DO(&p->d, txn_begin_read(p->check, &p->d.op));
    txn_position_get(p->check, &got);
    CHECK_EQ(got.page_count, now.page_count);
    for (pgno no = 1; no <= MIN(got.page_count, now.page_count); no++) {
        DO(&p->d, txn_page_copy(p->reader, &p->d.op, no, p->a));
        DO(&p->d, txn_page_copy(p->check, &p->d.op, no, p->b));
        if (memcmp(p->a, p->b, sizeof p->a) != 0) test_fail(__FILE__, __LINE__, "page %u of %u differs", no, now.page_count);
    }
    txn_end_read(p->check);
    txn_end_read(p->reader);
}

TEST(images_make_the_same_database)
{
    struct pair p = {0};
    u64 seed = test_seed();
    struct store_options o = {.create = true, .page_size = 1024, .checkpoint_frames = 40, .cache_bytes = 30 * 1024};
    char *path = test_path("to.db");
    driver_init(&p.d, IO_BACKEND_RING);
    p.from = driver_open(&p.d, test_path("from.db"), &o);
    p.to = driver_open(&p.d, path, &o);
    REQUIRE(p.from && p.to);
    p.reader = txn_create(p.from), p.image = txn_create(p.to), p.check = txn_create(p.to);
    store_hold(p.from, 0);
    struct txn *t = txn_create(p.from), *old = txn_create(p.to);
    DO(&p.d, txn_begin_write(t, &p.d.op, 0));
    pgno root = table_create(&p.d, t);
    DO(&p.d, txn_commit(t, &p.d.op));
    follow(&p);
    store_refuse_writes(p.to, ERR_READONLY, "it follows");
    s64 rows = 0;
    for (u32 round = 0; round < 40; round++) {
        u64 seen = 0, again = 0;
        DO(&p.d, txn_begin_read(old, &p.d.op));
        DO(&p.d, row_count(old, &p.d.op, root, &seen));
        CHECK_EQ(seen, (u64)rows);
        u32 more = round % 10 == 9 ? 400 : (u32)(test_random(&seed) % 12); // 400: many times the cache
        DO(&p.d, txn_begin_write(t, &p.d.op, 0));
        for (u32 i = 0; i < more; i++) {
            rows++;
            DO(&p.d, row_insert(t, &p.d.op, root, rows, "some text for the row, and more of it, to fill the page up soon"));
        }
        DO(&p.d, txn_commit(t, &p.d.op));
        follow(&p);
        DO(&p.d, row_count(old, &p.d.op, root, &again));
        CHECK_EQ(again, seen); // its snapshot
        txn_end_read(old);
    }
    txn_destroy(old);
    txn_destroy(t);
    txn_destroy(p.reader);
    txn_destroy(p.image);
    txn_destroy(p.check);
    DO(&p.d, store_close(p.from, &p.d.op));
    DO(&p.d, store_close(p.to, &p.d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    CHECK_EQ(atoll(sqlite_ask(path, "SELECT count(*) FROM t")), rows);
    driver_deinit(&p.d);
}

TEST(only_images_are_taken_by_a_copy)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    struct store *s = driver_open(&d, test_path("a.db"), &(struct store_options){.create = true, .page_size = 1024});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno root = table_create(&d, t);
    DO(&d, txn_commit(t, &d.op));
    store_refuse_writes(s, ERR_READONLY, "it follows another");
    CHECK_EQ(txn_begin_write(t, &d.op, 0), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_READONLY);
    CHECK_STR(d.op.err.text, "it follows another");
    err_clear(&d.op.err);
    // Pages that cannot be are errors, and leave nothing behind.
    u8 page[1024] = {0};
    DO(&d, txn_image_begin(t, &d.op, 0));
    CHECK_EQ(txn_image_page(t, &d.op, 0, page), IO_FAIL);
    err_clear(&d.op.err);
    txn_rollback(t);
    u64 count;
    DO(&d, txn_begin_read(t, &d.op));
    DO(&d, row_count(t, &d.op, root, &count));
    CHECK_EQ(count, 0);
    txn_end_read(t);
    store_refuse_writes(s, ERR_OK, NULL);
    row_commit(&d, t, root, 1, "x");
    DO(&d, txn_begin_read(t, &d.op));
    DO(&d, row_count(t, &d.op, root, &count));
    CHECK_EQ(count, 1);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

TEST(the_lowest_hold_counts)
{
    struct driver d;
    struct store_stats stats;
    driver_init(&d, IO_BACKEND_RING);
    struct store *s = driver_open(&d, test_path("a.db"), &(struct store_options){.create = true, .page_size = 1024});
    REQUIRE(s);
    static const struct {
        u64 backup, replicas, want;
    } CASES[] = {{5, UINT64_MAX, 5}, {5, 3, 3}, {UINT64_MAX, 3, 3}, {UINT64_MAX, UINT64_MAX, UINT64_MAX}, {0, 9, 0}};
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        store_hold(s, CASES[i].backup);
        store_hold_by(s, STORE_HOLD_REPLICAS, CASES[i].replicas);
        store_stats_get(s, &stats);
        if (stats.hold_lsn != CASES[i].want)
            test_fail(__FILE__, __LINE__, "row %u: the log is held from %llu on", i, (unsigned long long)stats.hold_lsn);
    }
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
