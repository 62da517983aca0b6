// Goal: the WAL's bytes are SQLite's; what fails to be written fails the commits it held and
// nothing else. Method: frames checked against the format by hand; the WAL's file replaced by one
// that counts, and fails on demand.
#include "store_driver.h"

#include "../../../engine/store/store_private.h"

#include <errno.h>

// ---- a file that fails -------------------------------------------------------------------------

struct faulty_file {
    struct io_file file;
    struct io_file *inner;
    s64 write_error, sync_error, allocate_error; // 0: works
    u32 writes_until;                            // that still work before the first error
    u32 writes, syncs, allocations;
};

static struct faulty_file *faulty_of(struct io_file *f)
{
    return CONTAINER_OF(f, struct faulty_file, file);
}

static bool faulty_fails(struct faulty_file *f, s64 error)
{
    if (!error) return false;
    if (f->writes_until == 0) return true;
    f->writes_until--;
    return false;
}

static void faulty_readv(struct io_file *f, const struct iovec *iov, u32 count, u64 offset,
                         struct completion *c)
{
    io_file_readv(faulty_of(f)->inner, iov, count, offset, c);
}
static void faulty_writev(struct io_file *f, const struct iovec *iov, u32 count, u64 offset,
                          struct completion *c)
{
    faulty_of(f)->writes++;
    if (faulty_fails(faulty_of(f), faulty_of(f)->write_error))
        completion_post(f->io, c, faulty_of(f)->write_error);
    else
        io_file_writev(faulty_of(f)->inner, iov, count, offset, c);
}
static void faulty_writev_sync(struct io_file *f, const struct iovec *iov, u32 count, u64 offset,
                               struct completion *c)
{
    faulty_of(f)->writes++;
    faulty_of(f)->syncs++;
    if (faulty_fails(faulty_of(f), faulty_of(f)->sync_error))
        completion_post(f->io, c, faulty_of(f)->sync_error);
    else
        io_file_writev_sync(faulty_of(f)->inner, iov, count, offset, c);
}
static void faulty_sync(struct io_file *f, enum io_sync_kind kind, struct completion *c)
{
    io_file_sync(faulty_of(f)->inner, kind, c);
}
static void faulty_truncate(struct io_file *f, u64 size, struct completion *c)
{
    io_file_truncate(faulty_of(f)->inner, size, c);
}
static void faulty_allocate(struct io_file *f, u64 offset, u64 size, struct completion *c)
{
    faulty_of(f)->allocations++;
    if (faulty_of(f)->allocate_error)
        completion_post(f->io, c, faulty_of(f)->allocate_error);
    else
        io_file_allocate(faulty_of(f)->inner, offset, size, c);
}
static void faulty_size(struct io_file *f, u64 *out, struct completion *c)
{
    io_file_size(faulty_of(f)->inner, out, c);
}
static void faulty_close(struct io_file *f, struct completion *c)
{
    io_file_close(faulty_of(f)->inner, c);
}
static int faulty_lock(struct io_file *f, u64 offset, u64 size, enum io_lock_kind kind)
{
    return io_file_lock(faulty_of(f)->inner, offset, size, kind);
}
static const struct io_file_ops faulty_ops = {faulty_readv, faulty_writev,   faulty_writev_sync,
                                              faulty_sync,  faulty_truncate, faulty_allocate,
                                              faulty_size,  faulty_close,    faulty_lock};

static void faulty_init(struct faulty_file *f, struct io_file **slot)
{
    *f = (struct faulty_file){.file = {.ops = &faulty_ops, .io = (*slot)->io}, .inner = *slot};
    *slot = &f->file;
}

// ---- a store with a table and two writers ------------------------------------------------------

struct fixture {
    struct driver d;
    struct store *s;
    struct txn *t, *other;
    struct op other_op;
    pgno root;
    char *path;
    struct faulty_file wal, direct; // the log's file, and the same where it is written
};

static void other_wake(struct waiter *w)
{
}

static void fixture_init(struct fixture *f, enum io_backend_kind backend)
{
    driver_init(&f->d, backend);
    f->path = test_path("a.db");
    f->s = driver_open(&f->d, f->path, &(struct store_options){.create = true, .page_size = 4096});
    f->t = txn_create(f->s);
    f->other = txn_create(f->s);
    op_init(&f->other_op, f->d.io, other_wake);
    DO(&f->d, txn_begin_write(f->t, &f->d.op, 0));
    f->root = table_create(&f->d, f->t);
    DO(&f->d, row_insert(f->t, &f->d.op, f->root, 1, "one"));
    DO(&f->d, txn_commit(f->t, &f->d.op));
    while (flush_ahead_busy(f->s)) io_step(f->d.io, UINT64_MAX);
    faulty_init(&f->wal, &f->s->wal.file);
    faulty_init(&f->direct, &f->s->wal.direct);
}

static void fixture_deinit(struct fixture *f, const char *want)
{
    txn_destroy(f->t);
    txn_destroy(f->other);
    DRIVE(&f->d, store_close(f->s, &f->d.op));
    op_deinit(&f->other_op);
    CHECK_STR(sqlite_ask(f->path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(
        sqlite_ask(f->path, "SELECT group_concat(id || v) FROM (SELECT * FROM t ORDER BY id)"),
        want);
    driver_deinit(&f->d);
}

static io_status commit_row(struct fixture *f, s64 rowid, const char *text)
{
    DO(&f->d, txn_begin_write(f->t, &f->d.op, 0));
    DO(&f->d, row_insert(f->t, &f->d.op, f->root, rowid, text));
    return DRIVE(&f->d, txn_commit(f->t, &f->d.op));
}

static void value_check(struct fixture *f, s64 rowid, const char *want)
{
    char text[100];
    DO(&f->d, txn_begin_read(f->t, &f->d.op));
    DO(&f->d, row_read(f->t, &f->d.op, f->root, rowid, text, sizeof text));
    CHECK_STR(text, want);
    txn_end_read(f->t);
}

TEST(a_full_disk_fails_the_commit_and_passes)
{
    struct fixture f;
    fixture_init(&f, IO_BACKEND_POSIX);
    f.s->wal.allocated = 0; // the next flush wants more space
    f.wal.allocate_error = -ENOSPC;
    CHECK_EQ(commit_row(&f, 2, "two"), IO_FAIL);
    CHECK_EQ(f.d.op.err.code, ERR_FULL);
    CHECK(strstr(f.d.op.err.text, "database or disk is full"));
    value_check(&f, 2, "");
    f.wal.allocate_error = 0;
    CHECK_EQ(commit_row(&f, 3, "three"), IO_DONE);
    f.s->wal.allocated = 0;
    f.wal.allocate_error = -EOPNOTSUPP; // then it is written without
    CHECK_EQ(commit_row(&f, 4, "four"), IO_DONE);
    fixture_deinit(&f, "1one,3three,4four");
}

TEST(a_failed_write_in_the_middle_of_a_big_commit)
{
    static char filler[60000];
    memset(filler, 'x', sizeof filler - 1);
    struct fixture f;
    fixture_init(&f, IO_BACKEND_RING);
    DO(&f.d, txn_begin_write(f.t, &f.d.op, 0));
    for (s64 i = 10; i < 100; i++) DO(&f.d, row_insert(f.t, &f.d.op, f.root, i, filler));
    f.direct.write_error = -EIO;
    f.direct.writes_until = 2;
    CHECK_EQ(DRIVE(&f.d, txn_commit(f.t, &f.d.op)), IO_FAIL);
    CHECK_EQ(f.d.op.err.code, ERR_IOERR_WRITE);
    value_check(&f, 10, "");
    // Nothing was synced: the log goes on from its last durable frame.
    f.direct.write_error = 0;
    CHECK_EQ(commit_row(&f, 2, "two"), IO_DONE);
    DO(&f.d, txn_begin_write(f.t, &f.d.op, 0));
    for (s64 i = 10; i < 100; i++) DO(&f.d, row_insert(f.t, &f.d.op, f.root, i, filler));
    DO(&f.d, txn_commit(f.t, &f.d.op));
    DO(&f.d, txn_begin_read(f.t, &f.d.op));
    u64 count = 0;
    DO(&f.d, row_count(f.t, &f.d.op, f.root, &count));
    CHECK_EQ(count, 92);
    txn_end_read(f.t);
    DO(&f.d, txn_begin_write(f.t, &f.d.op, 0));
    for (s64 i = 10; i < 100; i++)
        DO(&f.d, row_insert(f.t, &f.d.op, f.root, i, i == 10 ? "ten" : ""));
    DO(&f.d, txn_commit(f.t, &f.d.op));
    txn_destroy(f.other);
    f.other = NULL;
    sqlite_ask(f.path, "SELECT 1"); // locked out meanwhile
    txn_destroy(f.t);
    f.t = NULL;
    DO(&f.d, store_close(f.s, &f.d.op));
    CHECK_STR(sqlite_ask(f.path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(
        sqlite_ask(
            f.path,
            "SELECT group_concat(id || v, ' ') FROM (SELECT * FROM t WHERE v > '' ORDER BY id)"),
        "1one 2two 10ten");
    op_deinit(&f.other_op);
    driver_deinit(&f.d);
}

TEST(a_failed_sync_closes_the_store_to_writers)
{
    struct fixture f;
    fixture_init(&f, IO_BACKEND_RING);
    f.direct.sync_error = -EIO;
    // Two commits stand in line, a third writer stands on them.
    struct txn *third = txn_create(f.s);
    DO(&f.d, txn_begin_write(f.t, &f.d.op, 0));
    DO(&f.d, row_insert(f.t, &f.d.op, f.root, 2, "two"));
    CHECK_EQ(txn_commit(f.t, &f.d.op), IO_WAIT);
    CHECK_EQ(txn_begin_write(f.other, &f.other_op, 0), IO_DONE);
    CHECK_EQ(row_insert(f.other, &f.other_op, f.root, 3, "three"), IO_DONE);
    CHECK_EQ(txn_commit(f.other, &f.other_op), IO_WAIT);
    struct op third_op;
    op_init(&third_op, f.d.io, other_wake);
    CHECK_EQ(txn_begin_write(third, &third_op, 0), IO_DONE);
    CHECK_EQ(row_insert(third, &third_op, f.root, 4, "four"), IO_DONE);
    CHECK_EQ(DRIVE(&f.d, txn_commit(f.t, &f.d.op)), IO_FAIL);
    CHECK_EQ(f.d.op.err.code, ERR_IOERR_FSYNC);
    CHECK_EQ(txn_commit(f.other, &f.other_op), IO_FAIL);
    CHECK_EQ(f.other_op.err.code, ERR_IOERR_FSYNC);
    CHECK_EQ(txn_commit(third, &third_op), IO_FAIL);
    CHECK_EQ(txn_state_get(third), TXN_NONE);
    f.direct.sync_error = 0;
    CHECK_EQ(DRIVE(&f.d, txn_begin_write(f.t, &f.d.op, 0)), IO_FAIL);
    CHECK_EQ(f.d.op.err.code, ERR_IOERR_FSYNC);
    CHECK(strstr(f.d.op.err.text, "opened again"));
    struct store_stats stats;
    store_stats_get(f.s, &stats);
    CHECK(stats.wal_failed);
    // Readers go on with what was acknowledged.
    value_check(&f, 1, "one");
    value_check(&f, 2, "");
    txn_destroy(third);
    op_deinit(&third_op);
    // Opening again recovers what is there, which is at least what was acknowledged.
    txn_destroy(f.t);
    txn_destroy(f.other);
    DO(&f.d, store_close(f.s, &f.d.op));
    f.s = driver_open(&f.d, f.path, &(struct store_options){0});
    REQUIRE(f.s);
    f.t = txn_create(f.s);
    f.other = NULL;
    CHECK_EQ(commit_row(&f, 5, "five"), IO_DONE);
    fixture_deinit(&f, "1one,5five");
}

TEST(a_failed_commit_leaves_no_trace_for_the_next)
{
    struct fixture f;
    fixture_init(&f, IO_BACKEND_POSIX);
    for (u32 i = 0; i < 5; i++) {
        f.direct.sync_error = -ENOSPC;
        CHECK_EQ(commit_row(&f, 2, "lost"), IO_FAIL);
        CHECK_EQ(f.d.op.err.code, ERR_FULL);
        f.direct.sync_error = 0;
        char text[20];
        snprintf(text, sizeof text, "kept %u", i);
        CHECK_EQ(commit_row(&f, 3, text), IO_DONE);
        value_check(&f, 2, "");
        value_check(&f, 3, text);
    }
    fixture_deinit(&f, "1one,3kept 4");
}

// Who stood on a commit that failed, and stays open, does not hold the place of a commit that is none.
TEST(who_stands_on_a_failed_commit_holds_nothing_back)
{
    static char long_text[20000];
    memset(long_text, 'x', sizeof long_text - 1);
    struct fixture f;
    fixture_init(&f, IO_BACKEND_POSIX);
    DO(&f.d, txn_begin_write(f.t, &f.d.op, 0));
    DO(&f.d, row_insert(f.t, &f.d.op, f.root, 2, "two"));
    f.direct.sync_error = -ENOSPC;
    CHECK_EQ(txn_commit(f.t, &f.d.op), IO_WAIT);
    CHECK_EQ(txn_begin_concurrent(f.other, &f.other_op, true, 0), IO_DONE);
    CHECK_EQ(DRIVE(&f.d, txn_commit(f.t, &f.d.op)), IO_FAIL);
    f.direct.sync_error = 0;
    CHECK_EQ(commit_row(&f, 3, long_text), IO_DONE); // of several frames
    struct checkpoint_result r;
    CHECK_EQ(checkpoint_ask(&f.d, f.s, CHECKPOINT_FULL, &r), IO_DONE);
    CHECK(!r.busy);
    CHECK_EQ(r.checkpointed_frames, r.wal_frames);
    CHECK_EQ(row_insert(f.other, &f.other_op, f.root, 4, "four"), IO_FAIL);
    CHECK_EQ(f.other_op.err.code, ERR_FULL);
    CHECK_EQ(commit_row(&f, 3, "three"), IO_DONE);
    fixture_deinit(&f, "1one,3three");
}

TEST(a_failed_checkpoint_is_told_and_can_be_done_again)
{
    struct fixture f;
    fixture_init(&f, IO_BACKEND_RING);
    struct faulty_file db;
    faulty_init(&db, &f.s->file);
    db.write_error = -EIO;
    struct checkpoint_result r;
    CHECK_EQ(checkpoint_ask(&f.d, f.s, CHECKPOINT_PASSIVE, &r), IO_FAIL);
    CHECK_EQ(f.d.op.err.code, ERR_IOERR_WRITE);
    value_check(&f, 1, "one");
    CHECK_EQ(commit_row(&f, 2, "two"), IO_DONE);
    db.write_error = -ENOSPC;
    CHECK_EQ(checkpoint_ask(&f.d, f.s, CHECKPOINT_FULL, &r), IO_FAIL);
    CHECK_EQ(f.d.op.err.code, ERR_FULL);
    CHECK(strstr(f.d.op.err.text, "database or disk is full") && strstr(f.d.op.err.text, "free some space"));
    db.write_error = 0;
    CHECK_EQ(checkpoint_ask(&f.d, f.s, CHECKPOINT_FULL, &r), IO_DONE);
    CHECK(!r.busy);
    CHECK_EQ(r.checkpointed_frames, r.wal_frames);
    fixture_deinit(&f, "1one,2two");
}

TEST(failing_checkpoints_do_not_hold_writers_up)
{
    struct fixture f;
    fixture_init(&f, IO_BACKEND_POSIX);
    struct faulty_file db;
    faulty_init(&db, &f.s->file);
    db.write_error = -ENOSPC;
    txn_wal_policy(f.t, 5, -1);
    for (u32 i = 0; i < 60; i++) CHECK_EQ(commit_row(&f, 2, "two"), IO_DONE);
    struct store_stats stats;
    store_stats_get(f.s, &stats);
    CHECK(stats.wal_frames > 60);
    db.write_error = 0;
    for (u32 i = 0; i < 60; i++) CHECK_EQ(commit_row(&f, 2, "two"), IO_DONE);
    store_stats_get(f.s, &stats);
    CHECK(stats.wal_frames < 30);
    fixture_deinit(&f, "1one,2two");
}

// All that queued go with one write and one sync, and are told only then.
TEST(a_group_of_commits_is_one_write_and_one_sync)
{
    enum { WRITERS = 20 };
    struct fixture f;
    fixture_init(&f, IO_BACKEND_RING);
    // A log that has started again over a long one: no zeros are written ahead of it.
    struct checkpoint_result r;
    for (u32 i = 0; i < 200; i++) CHECK_EQ(commit_row(&f, 2, "two"), IO_DONE);
    CHECK_EQ(checkpoint_ask(&f.d, f.s, CHECKPOINT_RESTART, &r), IO_DONE);
    CHECK_EQ(commit_row(&f, 2, "two"), IO_DONE);
    struct txn *writers[WRITERS];
    struct op ops[WRITERS];
    struct store_stats before, after;
    store_stats_get(f.s, &before);
    u32 writes = f.direct.writes, syncs = f.direct.syncs;
    CHECK(writes > 0);
    for (u32 i = 0; i < WRITERS; i++) {
        writers[i] = txn_create(f.s);
        op_init(&ops[i], f.d.io, other_wake);
        CHECK_EQ(txn_begin_write(writers[i], &ops[i], 0), IO_DONE);
        CHECK_EQ(row_insert(writers[i], &ops[i], f.root, 100 + i, "queued"), IO_DONE);
        CHECK_EQ(txn_commit(writers[i], &ops[i]), IO_WAIT);
    }
    value_check(&f, 100, ""); // not durable: not seen
    u32 done = 0;
    while (done == 0) {
        io_step(f.d.io, UINT64_MAX);
        for (u32 i = 0; i < WRITERS; i++) done += txn_commit(writers[i], &ops[i]) == IO_DONE;
    }
    CHECK_EQ(done, WRITERS); // none before the others
    CHECK_EQ(f.direct.writes - writes, 1);
    CHECK_EQ(f.direct.syncs - syncs, 1);
    store_stats_get(f.s, &after);
    CHECK_EQ(after.commits - before.commits, WRITERS);
    CHECK_EQ(after.syncs - before.syncs, 1);
    value_check(&f, 100 + WRITERS - 1, "queued");
    for (u32 i = 0; i < WRITERS; i++) {
        txn_destroy(writers[i]);
        op_deinit(&ops[i]);
    }
    CHECK_EQ(commit_row(&f, 100, ""), IO_DONE);
    txn_destroy(f.t);
    txn_destroy(f.other);
    DO(&f.d, store_close(f.s, &f.d.op));
    CHECK_STR(sqlite_ask(f.path, "SELECT count(*) FROM t WHERE v = 'queued'"), "19");
    op_deinit(&f.other_op);
    driver_deinit(&f.d);
}

// A log that has its length is overwritten from then on: nothing is allocated, zeroed or cut off any more.
TEST(the_file_of_a_steady_log_does_not_change_its_size)
{
    struct fixture f;
    fixture_init(&f, IO_BACKEND_RING);
    txn_wal_policy(f.t, 50, -1);
    for (u32 i = 0; i < 400; i++) CHECK_EQ(commit_row(&f, 2, "two"), IO_DONE);
    while (flush_ahead_busy(f.s)) io_step(f.d.io, UINT64_MAX);
    struct store_stats stats;
    size_t size, now;
    store_stats_get(f.s, &stats);
    u64 checkpoints = stats.checkpoints, bytes = stats.wal_bytes;
    u32 allocations = f.wal.allocations, writes = f.direct.writes, syncs = f.direct.syncs;
    free(file_load(test_path("a.db-wal"), &size));
    CHECK(size > 0 && size >= bytes);
    for (u32 i = 0; i < 400; i++) CHECK_EQ(commit_row(&f, 2, "two"), IO_DONE);
    store_stats_get(f.s, &stats);
    CHECK(stats.checkpoints >= checkpoints + 2);
    CHECK_EQ(stats.wal_bytes, bytes);
    CHECK_EQ(f.wal.allocations, allocations);
    CHECK_EQ(f.direct.writes - writes, 400); // the commits' own
    CHECK_EQ(f.direct.syncs - syncs, 400);
    free(file_load(test_path("a.db-wal"), &now));
    CHECK_EQ(now, size);
    fixture_deinit(&f, "1one,2two");
}

TEST(the_format_is_sqlites)
{
    struct fixture f;
    fixture_init(&f, IO_BACKEND_POSIX);
    CHECK_EQ(commit_row(&f, 2, "two"), IO_DONE);
    size_t size;
    u8 *wal = file_load(test_path("a.db-wal"), &size);
    REQUIRE(wal && size >= 32 + 4 * 4120);
    CHECK_EQ(size % 4096, 0); // written in whole blocks, zeros after the last frame
    CHECK_EQ(be32_get(wal), 0x377f0682);
    CHECK_EQ(be32_get(wal + 4), 3007000);
    CHECK_EQ(be32_get(wal + 8), 4096);
    CHECK_EQ(be32_get(wal + 12), 0);
    // First commit: pages 1 and 2; second: page 2 alone, since nothing on page 1 has changed.
    static const u32 want[3][2] = {{1, 0}, {2, 2}, {2, 2}};
    for (u32 i = 0; i < 3; i++) {
        const u8 *frame = wal + 32 + i * 4120;
        CHECK_EQ(be32_get(frame), want[i][0]);
        CHECK_EQ(be32_get(frame + 4), want[i][1]);
        CHECK(memcmp(frame + 8, wal + 16, 8) == 0);
    }
    for (size_t i = 32 + 3 * 4120; i < size; i++) CHECK_EQ(wal[i], 0);
    // Page 1: change counter and what it is valid for, size, WAL format.
    const u8 *page = wal + 32 + 24;
    CHECK_EQ(be32_get(page + 24), 1);
    CHECK_EQ(be32_get(page + 92), 1);
    CHECK_EQ(be32_get(page + 28), 2);
    CHECK_EQ(page[18], 2);
    CHECK_EQ(page[19], 2);
    u32 salt = be32_get(wal + 16);
    free(wal);
    // After a restart: the first salt counts up, so does the checkpoint number.
    struct checkpoint_result r;
    CHECK_EQ(checkpoint_ask(&f.d, f.s, CHECKPOINT_RESTART, &r), IO_DONE);
    CHECK_EQ(commit_row(&f, 3, "three"), IO_DONE);
    wal = file_load(test_path("a.db-wal"), &size);
    CHECK_EQ(be32_get(wal + 12), 1);
    CHECK_EQ(be32_get(wal + 16), salt + 1);
    free(wal);
    fixture_deinit(&f, "1one,2two,3three");
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
