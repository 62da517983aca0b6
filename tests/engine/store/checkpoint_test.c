// Goal: checkpoints put every commit into the database file, never under a reader, never past a
// hold; the log can be followed for backup. Method: readers and holds at every stage, the database
// file alone read by libsqlite3, pages copied into an image that must equal the database.
#include "store_driver.h"

static const struct store_options small = {
    .create = true, .page_size = 1024, .checkpoint_frames = 1000000};

static pgno table_make(struct driver *d, struct store *s, struct txn **t)
{
    *t = txn_create(s);
    DO(d, txn_begin_write(*t, &d->op, 0));
    pgno root = table_create(d, *t);
    DO(d, txn_commit(*t, &d->op));
    return root;
}

// The number of rows that the database file holds without its WAL.
static s64 count_without_wal(const char *path)
{
    char *copy = test_path("alone.db");
    char name[500];
    snprintf(name, sizeof name, "%s-wal", copy);
    unlink(name);
    file_copy(path, copy);
    CHECK_STR(sqlite_ask(copy, "PRAGMA integrity_check"), "ok");
    return atoll(sqlite_ask(copy, "SELECT count(*) FROM t"));
}

TEST(a_checkpoint_stops_at_the_oldest_reader)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    char *path = test_path("a.db");
    struct store *s = driver_open(&d, path, &small);
    REQUIRE(s);
    struct txn *t, *reader = txn_create(s);
    pgno root = table_make(&d, s, &t);
    for (u32 i = 0; i < 100; i++) row_commit(&d, t, root, i, "some text for the row");
    DO(&d, txn_begin_read(reader, &d.op));
    for (u32 i = 100; i < 200; i++) row_commit(&d, t, root, i, "some text for the row");
    struct checkpoint_result r;
    DO(&d, store_checkpoint(s, &d.op, CHECKPOINT_FULL, &r));
    CHECK(r.busy);
    CHECK(r.checkpointed_frames > 0 && r.checkpointed_frames < r.wal_frames);
    CHECK_EQ(count_without_wal(path), 100);
    u64 count = 0;
    DO(&d, row_count(reader, &d.op, root, &count));
    CHECK_EQ(count, 100);
    txn_end_read(reader);
    DO(&d, store_checkpoint(s, &d.op, CHECKPOINT_FULL, &r));
    CHECK(!r.busy);
    CHECK_EQ(r.checkpointed_frames, r.wal_frames);
    CHECK_EQ(count_without_wal(path), 200);
    // The log starts again with the next writer; a reader of the newest state does not mind.
    DO(&d, txn_begin_read(reader, &d.op));
    row_commit(&d, t, root, 200, "x");
    struct store_stats stats;
    store_stats_get(s, &stats);
    CHECK(stats.wal_frames < 10);
    DO(&d, row_count(reader, &d.op, root, &count));
    CHECK_EQ(count, 200);
    DO(&d, store_checkpoint(s, &d.op, CHECKPOINT_RESTART, &r));
    CHECK(r.busy);
    CHECK_EQ(count_without_wal(path), 200);
    txn_destroy(reader);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_EQ(count_without_wal(path), 201);
    driver_deinit(&d);
}

TEST(background_checkpoints_keep_the_log_short)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    char *path = test_path("a.db");
    struct store *s = driver_open(
        &d, path,
        &(struct store_options){
            .create = true, .page_size = 512, .checkpoint_frames = 50, .cache_bytes = 30 * 512});
    REQUIRE(s);
    struct txn *t;
    pgno root = table_make(&d, s, &t);
    u32 longest = 0;
    for (u32 i = 0; i < 1500; i++) {
        row_commit(&d, t, root, (i * 7919) % 1500, "some text for the row");
        struct store_stats stats;
        store_stats_get(s, &stats);
        longest = MAX(longest, (u32)stats.wal_frames);
    }
    CHECK(longest >= 50);
    CHECK(longest <= 4 * 50 + 20);
    u64 count = 0;
    DO(&d, txn_begin_read(t, &d.op));
    DO(&d, row_count(t, &d.op, root, &count));
    CHECK_EQ(count, 1500);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK(!file_exists(test_path("a.db-wal")));
    CHECK_EQ(count_without_wal(path), 1500);
    driver_deinit(&d);
}

static void image_follow(struct driver *d, struct store *s, u8 **image, struct store_position *at)
{
    struct txn *t = txn_create(s);
    struct store_position now;
    pgno *pages;
    u32 count;
    DO(d, txn_begin_read(t, &d->op));
    txn_position_get(t, &now);
    CHECK_EQ(now.page_count, txn_page_count(t));
    CHECK_EQ(store_pages_changed(s, at->lsn, now.lsn, &pages, &count), ERR_OK);
    *image = realloc(*image, (size_t)now.page_count * 1024 + 1);
    for (u32 i = 0; i < count; i++) {
        CHECK(i == 0 || pages[i] > pages[i - 1]);
        if (pages[i] <= now.page_count)
            DO(d, txn_page_copy(t, &d->op, pages[i], *image + (size_t)(pages[i] - 1) * 1024));
    }
    free(pages);
    txn_destroy(t);
    *at = now;
}

// Backup in small: an image made of the changed pages alone, the log held back to where it is.
TEST(the_log_can_be_followed)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    u64 seed = test_seed();
    char *path = test_path("a.db"), *copy = test_path("image.db");
    struct store *s = driver_open(
        &d, path,
        &(struct store_options){.create = true, .page_size = 1024, .checkpoint_frames = 30});
    REQUIRE(s);
    store_hold(s, 0);
    struct txn *t;
    pgno root = table_make(&d, s, &t);
    u8 *image = NULL;
    struct store_position at = {0}, found;
    u32 rows = 0, resets = 0, salt = 0;
    for (u32 round = 0; round < 60; round++) {
        for (u64 n = test_random(&seed) % 16; n > 0; n--)
            row_commit(&d, t, root, ++rows,
                       "some text for the row, and more of it, to fill the page");
        if (test_random(&seed) % 3 == 0) continue;
        image_follow(&d, s, &image, &at);
        store_hold(s, at.lsn);
        if (at.wal_frame) {
            CHECK(store_position_find(s, at.wal_salt, at.wal_frame, &found));
            CHECK_EQ(found.lsn, at.lsn);
            CHECK_EQ(found.page_count, at.page_count);
        }
        resets += at.wal_salt[1] != salt;
        salt = at.wal_salt[1];
        file_save(copy, image, (size_t)at.page_count * 1024);
        CHECK_STR(sqlite_ask(copy, "PRAGMA integrity_check"), "ok");
        CHECK_EQ(atoll(sqlite_ask(copy, "SELECT count(*) FROM t")), rows);
    }
    CHECK(resets > 2);
    free(image);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

TEST(a_hold_close_behind_does_not_let_the_log_grow)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    char *copy = test_path("image.db");
    struct store *s = driver_open(
        &d, test_path("a.db"),
        &(struct store_options){.create = true, .page_size = 1024, .checkpoint_frames = 10});
    REQUIRE(s);
    store_hold(s, 0);
    struct txn *t;
    pgno root = table_make(&d, s, &t);
    u8 *image = NULL;
    struct store_position at = {0};
    u32 rows = 0, longest = 0;
    image_follow(&d, s, &image, &at);
    for (u32 round = 0; round < 100; round++) {
        // The follower is always some commits behind, also when the log starts again.
        struct store_position behind = at;
        for (u32 n = 0; n < 12; n++)
            row_commit(&d, t, root, ++rows, "some text for the row, to fill the page");
        image_follow(&d, s, &image, &at);
        file_save(copy, image, (size_t)at.page_count * 1024);
        if (round % 10 == 0) {
            CHECK_STR(sqlite_ask(copy, "PRAGMA integrity_check"), "ok");
            CHECK_EQ(atoll(sqlite_ask(copy, "SELECT count(*) FROM t")), rows);
        }
        store_hold(s, behind.lsn);
        struct store_stats stats;
        store_stats_get(s, &stats);
        longest = MAX(longest, (u32)stats.wal_frames);
    }
    CHECK(longest > 12 * 10);
    CHECK(longest < 20 * 10);
    // A hold that stays behind is obeyed.
    for (u32 n = 0; n < 400; n++)
        row_commit(&d, t, root, ++rows, "some text for the row, to fill the page");
    struct store_stats stats;
    store_stats_get(s, &stats);
    CHECK(stats.wal_frames > 300);
    image_follow(&d, s, &image, &at);
    file_save(copy, image, (size_t)at.page_count * 1024);
    CHECK_EQ(atoll(sqlite_ask(copy, "SELECT count(*) FROM t")), rows);
    free(image);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

TEST(a_hold_keeps_the_log_across_closing)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db");
    struct store *s = driver_open(&d, path, &small);
    REQUIRE(s);
    struct txn *t;
    pgno root = table_make(&d, s, &t), *pages;
    struct store_position at, end, found;
    u32 count;
    row_commit(&d, t, root, 1, "one");
    store_position_get(s, &at, NULL);
    store_hold(s, at.lsn);
    row_commit(&d, t, root, 2, "two");
    store_position_get(s, &end, NULL);
    CHECK(end.lsn > at.lsn);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK(file_exists(test_path("a.db-wal")));
    CHECK_EQ(count_without_wal(path), 2);
    s = driver_open(&d, path, &small);
    REQUIRE(s);
    REQUIRE(store_position_find(s, at.wal_salt, at.wal_frame, &found));
    CHECK_EQ(found.page_count, at.page_count);
    store_position_get(s, &end, NULL);
    CHECK_EQ(store_pages_changed(s, found.lsn, end.lsn, &pages, &count), ERR_OK);
    CHECK_EQ(count, 1); // the table's: nothing on page 1 has changed
    free(pages);
    CHECK(!store_position_find(s, at.wal_salt, 1, &found)); // inside the first commit
    CHECK(!store_position_find(s, at.wal_salt, at.wal_frame + 1000, &found));
    CHECK(!store_position_find(s, (u32[2]){1, 2}, at.wal_frame, &found));
    DO(&d, store_close(s, &d.op));
    CHECK(!file_exists(test_path("a.db-wal")));
    driver_deinit(&d);
}

TEST(the_log_behind_a_restart_is_not_found)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    struct store *s = driver_open(&d, test_path("a.db"), &small);
    REQUIRE(s);
    struct txn *t;
    pgno root = table_make(&d, s, &t), *pages;
    struct store_position at, end;
    struct checkpoint_result r;
    u32 count;
    store_position_get(s, &at, NULL);
    row_commit(&d, t, root, 1, "one");
    DO(&d, store_checkpoint(s, &d.op, CHECKPOINT_RESTART, &r));
    CHECK(!r.busy);
    row_commit(&d, t, root, 2, "two");
    store_position_get(s, &end, NULL);
    CHECK_EQ(store_pages_changed(s, at.lsn, end.lsn, &pages, &count), ERR_NOTFOUND);
    CHECK(!store_position_find(s, at.wal_salt, at.wal_frame, &end));
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

static u32 woken;
static void commit_wake(struct waiter *w)
{
    (void)w;
    woken++;
}

TEST(commits_are_announced)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    struct store *s = driver_open(&d, test_path("a.db"), &small);
    REQUIRE(s);
    struct txn *t;
    pgno root = table_make(&d, s, &t);
    struct waiter w = {.wake = commit_wake};
    struct store_position at;
    store_position_get(s, &at, &w);
    woken = 0;
    row_commit(&d, t, root, 1, "one");
    CHECK_EQ(woken, 1);
    row_commit(&d, t, root, 2, "two");
    CHECK_EQ(woken, 1);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
