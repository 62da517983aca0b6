// Goal: checkpoints put every commit into the database file, never under a reader, never past a
// hold, never beyond what the log can have brought; the log can be followed for backup, and is kept short or it is told
// why it is not. Method: readers and holds at every stage, the database file alone read by libsqlite3, pages copied
// into an image that must equal the database, logs forged with right sums.
#include "store_driver.h"

#include "../../../engine/store/store_private.h"

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
    CHECK_EQ(checkpoint_ask(&d, s, CHECKPOINT_FULL, &r), IO_DONE);
    CHECK(r.busy);
    CHECK(r.checkpointed_frames > 0 && r.checkpointed_frames < r.wal_frames);
    CHECK_EQ(count_without_wal(path), 100);
    u64 count = 0;
    DO(&d, row_count(reader, &d.op, root, &count));
    CHECK_EQ(count, 100);
    txn_end_read(reader);
    CHECK_EQ(checkpoint_ask(&d, s, CHECKPOINT_FULL, &r), IO_DONE);
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
    CHECK_EQ(checkpoint_ask(&d, s, CHECKPOINT_RESTART, &r), IO_DONE);
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
    CHECK(found.wal_sum[0] == at.wal_sum[0] && found.wal_sum[1] == at.wal_sum[1] && at.wal_sum[0] != 0);
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
    CHECK_EQ(checkpoint_ask(&d, s, CHECKPOINT_RESTART, &r), IO_DONE);
    CHECK(!r.busy);
    row_commit(&d, t, root, 2, "two");
    store_position_get(s, &end, NULL);
    CHECK_EQ(store_pages_changed(s, at.lsn, end.lsn, &pages, &count), ERR_NOTFOUND);
    CHECK(!store_position_find(s, at.wal_salt, at.wal_frame, &end));
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

static void stats_check(struct store *s, enum store_wal_held held, u64 let_go)
{
    struct store_stats stats;
    store_stats_get(s, &stats);
    CHECK_EQ(stats.wal_held, held);
    CHECK_EQ(stats.wal_held_ns > 0, held != STORE_WAL_FREE);
    CHECK_EQ(stats.readers_let_go, let_go);
}

TEST(what_holds_a_long_log_is_told)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    struct store *s = driver_open(&d, test_path("a.db"),
                                  &(struct store_options){.create = true, .page_size = 1024, .checkpoint_frames = 10});
    REQUIRE(s);
    struct txn *t, *reader = txn_create(s);
    pgno root = table_make(&d, s, &t);
    DO(&d, txn_begin_read(reader, &d.op));
    for (u32 i = 0; i < 20; i++) row_commit(&d, t, root, 1, "x");
    stats_check(s, STORE_WAL_FREE, 0); // it is not long yet
    for (u32 i = 0; i < 40; i++) row_commit(&d, t, root, 1, "x");
    stats_check(s, STORE_WAL_HELD_READER, 0);
    txn_end_read(reader);
    stats_check(s, STORE_WAL_HELD_READER, 0); // until it has started again
    for (u32 i = 0; i < 60; i++) row_commit(&d, t, root, 1, "x");
    stats_check(s, STORE_WAL_FREE, 0);
    struct store_position at;
    store_position_get(s, &at, NULL);
    store_hold(s, at.lsn);
    for (u32 i = 0; i < 60; i++) row_commit(&d, t, root, 1, "x");
    stats_check(s, STORE_WAL_HELD_BACKUP, 0);
    store_hold(s, UINT64_MAX);
    for (u32 i = 0; i < 60; i++) row_commit(&d, t, root, 1, "x");
    stats_check(s, STORE_WAL_FREE, 0);
    txn_destroy(reader);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

TEST(a_log_at_its_limit_lets_its_readers_go)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    struct store *s = driver_open(
        &d, test_path("a.db"),
        &(struct store_options){.create = true, .page_size = 1024, .checkpoint_frames = 10, .wal_bytes_max = 100000});
    REQUIRE(s);
    struct txn *t, *old = txn_create(s), *concurrent = txn_create(s), *young = txn_create(s);
    pgno root = table_make(&d, s, &t);
    u64 count;
    row_commit(&d, t, root, 1, "x");
    DO(&d, txn_begin_read(old, &d.op));
    DO(&d, txn_begin_concurrent(concurrent, &d.op, true, 0));
    DO(&d, row_insert(concurrent, &d.op, root, 5, "five"));
    for (u32 i = 0; i < 80; i++) row_commit(&d, t, root, 2, "y");
    DO(&d, row_count(old, &d.op, root, &count));
    CHECK_EQ(count, 1);
    DO(&d, txn_begin_read(young, &d.op));
    stats_check(s, STORE_WAL_HELD_READER, 0);
    // 100,000 bytes are 95 frames.
    for (u32 i = 0; i < 20; i++) row_commit(&d, t, root, 3, "z");
    stats_check(s, STORE_WAL_HELD_READER, 2);
    CHECK_EQ(DRIVE(&d, row_count(old, &d.op, root, &count)), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_BUSY_SNAPSHOT);
    CHECK(strstr(d.op.err.text, "begin it again"));
    CHECK_EQ(DRIVE(&d, txn_begin_write(old, &d.op, 0)), IO_FAIL);
    CHECK_EQ(DRIVE(&d, txn_commit(concurrent, &d.op)), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_BUSY_SNAPSHOT);
    DO(&d, row_count(young, &d.op, root, &count));
    CHECK_EQ(count, 2);
    // At twice the length the young one goes too, and the log starts again.
    for (u32 i = 0; i < 150; i++) row_commit(&d, t, root, 3, "z");
    stats_check(s, STORE_WAL_FREE, 3);
    CHECK_EQ(DRIVE(&d, row_count(young, &d.op, root, &count)), IO_FAIL);
    txn_end_read(old);
    DO(&d, txn_begin_read(old, &d.op));
    DO(&d, row_count(old, &d.op, root, &count));
    CHECK_EQ(count, 3);
    struct store_stats stats;
    store_stats_get(s, &stats);
    CHECK(stats.wal_frames < 100);
    txn_destroy(young);
    txn_destroy(concurrent);
    txn_destroy(old);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(test_path("a.db"), "PRAGMA integrity_check"), "ok");
    driver_deinit(&d);
}

// What a long log is copied in is several passes; each ends at a commit.
TEST(a_very_long_log_is_copied_in_passes)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    char *path = test_path("a.db");
    struct store *s = driver_open(&d, path, &(struct store_options){.create = true, .page_size = 512, .checkpoint_frames = UINT32_MAX});
    REQUIRE(s);
    struct txn *t;
    pgno root = table_make(&d, s, &t);
    static char text[400];
    memset(text, 'x', sizeof text - 1);
    s64 rows = 0;
    for (u32 commits = 0; commits < 18; commits++) {
        DO(&d, txn_begin_write(t, &d.op, 0));
        for (u32 i = 0; i < 4000; i++, rows++) DO(&d, row_insert(t, &d.op, root, rows, text));
        DO(&d, txn_commit(t, &d.op));
    }
    struct checkpoint_result r;
    CHECK_EQ(checkpoint_ask(&d, s, CHECKPOINT_FULL, &r), IO_DONE);
    CHECK(!r.busy);
    CHECK(r.wal_frames > 65536);
    CHECK_EQ(r.checkpointed_frames, r.wal_frames);
    CHECK_EQ(count_without_wal(path), rows);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

// A valid log that another program, or a flipped bit before the sums were taken, has made: its last commit gives the database
// far more pages than there can be. What can be read is; nothing is written; the log is kept.
TEST(a_log_with_absurd_page_numbers_does_not_extend_the_file)
{
    static const struct {
        pgno no, page_count;
        bool refused;
    } rows[] = {
        {3, 50000000, true},
        {50000000, 50000000, true},
        {UINT32_MAX, UINT32_MAX, true},
        {4, 4, false},        // one page more
        {50000000, 3, false}, // a page after the end of its commit is none
    };
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    for (u32 i = 0; i < COUNT_OF(rows); i++) {
        char *path = test_path("a.db"), *wal = test_path("a.db-wal"), *copy = test_path("copy.db"), *copy_wal = test_path("copy.db-wal");
        unlink(path);
        unlink(wal);
        struct store *s = driver_open(&d, path, &(struct store_options){.create = true, .page_size = 512, .checkpoint_frames = UINT32_MAX});
        REQUIRE(s);
        struct txn *t;
        pgno root = table_make(&d, s, &t);
        row_commit(&d, t, root, 1, "one");
        CHECK_EQ(txn_page_count(t), 0);
        file_copy(path, copy);
        file_copy(wal, copy_wal);
        txn_destroy(t);
        DO(&d, store_close(s, &d.op));
        // One frame more, a copy of the last one's page.
        size_t size, frame = 512 + 24;
        u8 *bytes = file_load(copy_wal, &size);
        struct codec codec = {0};
        struct wal w = {.codec = &codec};
        u32 page_size, count = 0;
        pgno no, page_count;
        REQUIRE(wal_header_decode(&w, bytes, &page_size));
        w.page_size = page_size;
        while (wal_frame_decode(&w, &(struct wal_sum){w.sum.s1, w.sum.s2}, bytes + 32 + count * frame, &no, &page_count))
            (void)wal_frame_decode(&w, &w.sum, bytes + 32 + count++ * frame, &no, &page_count);
        REQUIRE(count >= 3 && 32 + (count + 1) * frame <= size);
        struct wal_frame frames[100] = {0};
        frames[count] = (struct wal_frame){.no = rows[i].no, .page_count = rows[i].page_count};
        w.frames = frames;
        wal_frame_encode(&w, &w.sum, count + 1, bytes + 32 + (count - 1) * frame + 24, bytes + 32 + count * frame);
        file_save(copy_wal, bytes, 32 + (count + 1) * frame);

        s = driver_open(&d, copy, &(struct store_options){0});
        REQUIRE(s);
        t = txn_create(s);
        char text[20];
        DO(&d, txn_begin_read(t, &d.op));
        DO(&d, row_read(t, &d.op, root, 1, text, sizeof text));
        CHECK_STR(text, rows[i].no == root ? "" : "one");
        txn_end_read(t);
        struct checkpoint_result r;
        CHECK_EQ(checkpoint_ask(&d, s, CHECKPOINT_FULL, &r), rows[i].refused ? IO_FAIL : IO_DONE);
        if (rows[i].refused) {
            CHECK_EQ(d.op.err.code, ERR_CORRUPT);
            char want[100];
            snprintf(want, sizeof want, "frame %u (page %u, offset %zu)", count + 1, rows[i].no, 32 + count * frame);
            if (!strstr(d.op.err.text, want)) test_fail(__FILE__, __LINE__, "row %u: %s", i, d.op.err.text);
            CHECK_EQ(d.op.err.offset, 32 + count * frame);
            CHECK_EQ(DRIVE(&d, txn_begin_write(t, &d.op, 0)), IO_FAIL);
            CHECK_EQ(d.op.err.code, ERR_CORRUPT);
        } else {
            DO(&d, txn_begin_write(t, &d.op, 0));
        }
        txn_destroy(t);
        CHECK_EQ(DRIVE(&d, store_close(s, &d.op)), rows[i].refused ? IO_FAIL : IO_DONE);
        size_t file_size, wal_size;
        free(file_load(copy, &file_size));
        CHECK(file_size <= 4 * 512);
        if (rows[i].refused) { // not a byte of the log is another
            u8 *after = file_load(copy_wal, &wal_size);
            CHECK_EQ(wal_size, 32 + (count + 1) * frame);
            CHECK(memcmp(after, bytes, wal_size) == 0);
            free(after);
        }
        unlink(copy);
        unlink(copy_wal);
        free(bytes);
    }
    driver_deinit(&d);
}

static u32 woken;
static void commit_wake(struct waiter *w)
{
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
