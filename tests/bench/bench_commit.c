// Durable commits per second, one row of 100 bytes each: the store with 1 and 64 interleaved
// writers, and SQLite in WAL mode with synchronous=FULL in the same run. Also warm lookups of the
// page cache, in nanoseconds.
#include "../../engine/store/btree.h"
#include "../../engine/store/pager.h"
#include "../../engine/store/store.h"

#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

#define WRITERS_MAX 64u

struct writer {
    struct op op;
    struct txn *txn;
    enum { BEGIN, INSERT, COMMIT } step;
    struct cursor cursor;
    bool runnable, cursor_open;
};

static u64 clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void writer_wake(struct waiter *w)
{
    CONTAINER_OF(w, struct writer, op.waiter)->runnable = true;
}

static io_status writer_insert(struct writer *w, pgno root, s64 *rowid)
{
    static u8 record[104] = {4, 0, 0x81, 0x54}; // NULL, a text of 100 bytes
    struct btree_entry e = {.rowid = *rowid, .data = record, .size = sizeof record};
    if (!w->cursor_open) cursor_init(&w->cursor, w->txn, root, NULL, true);
    w->cursor_open = true;
    IO_TRY(cursor_insert(&w->cursor, &w->op, &e, CURSOR_APPEND, 0));
    cursor_deinit(&w->cursor);
    w->cursor_open = false;
    ++*rowid;
    return IO_DONE;
}

static void writer_run(struct writer *w, pgno root, s64 *rowid, u64 *commits)
{
    w->runnable = false;
    for (;;) {
        io_status status = IO_DONE;
        switch (w->step) {
        case BEGIN: status = txn_begin_write(w->txn, &w->op, UINT64_MAX); break;
        case INSERT: status = writer_insert(w, root, rowid); break;
        case COMMIT: status = txn_commit(w->txn, &w->op); break;
        }
        if (status == IO_WAIT) return;
        if (status == IO_FAIL) die(w->op.err.text);
        *commits += w->step == COMMIT;
        w->step = w->step == COMMIT ? BEGIN : w->step + 1;
    }
}

static void drive(struct io *io, struct op *op, io_status (*call)(void *, struct op *),
                  void *context)
{
    io_status status;
    while ((status = call(context, op)) == IO_WAIT) io_step(io, UINT64_MAX);
    if (status == IO_FAIL) die(op->err.text);
}

static pgno root;
static io_status call_open(void *context, struct op *op)
{
    return store_open(op->io, "bench_commit.db", &(struct store_options){.create = true}, op,
                      context);
}
static io_status call_begin(void *t, struct op *op)
{
    return txn_begin_write(t, op, 0);
}
static io_status call_create(void *t, struct op *op)
{
    return btree_create(t, op, BTREE_TABLE, &root);
}
static io_status call_commit(void *t, struct op *op)
{
    return txn_commit(t, op);
}
static io_status call_read(void *t, struct op *op)
{
    return txn_begin_read(t, op);
}
static io_status call_close(void *s, struct op *op)
{
    return store_close(s, op);
}

static void lookups_run(struct io *io, struct op *op, struct txn *t)
{
    drive(io, op, call_read, t);
    u32 count = MIN(txn_page_count(t), 1000), rounds = 2000;
    struct page *p;
    for (u32 turn = 0; turn < 2; turn++) {
        u64 start = clock_ns();
        for (u32 i = 0; i < rounds * count; i++) {
            io_status status;
            while ((status = txn_page(t, op, 1 + i % count, &p)) == IO_WAIT)
                io_step(io, UINT64_MAX);
            if (status == IO_FAIL) die(op->err.text);
            page_unpin(p);
        }
        if (turn == 1)
            printf("warm lookup: %.1f ns\n", (double)(clock_ns() - start) / rounds / count);
    }
    txn_end_read(t);
}

static void store_run(struct io *io, u32 writers, u64 duration_ns)
{
    struct op op;
    struct store *s = NULL;
    op_init(&op, io, writer_wake);
    unlink("bench_commit.db");
    drive(io, &op, call_open, &s);
    struct txn *t = txn_create(s);
    drive(io, &op, call_begin, t);
    drive(io, &op, call_create, t);
    drive(io, &op, call_commit, t);
    static struct writer all[WRITERS_MAX];
    for (u32 i = 0; i < writers; i++) {
        all[i] = (struct writer){.txn = txn_create(s), .runnable = true};
        op_init(&all[i].op, io, writer_wake);
    }
    u64 start = clock_ns(), commits = 0;
    s64 rowid = 1;
    while (clock_ns() - start < duration_ns) {
        bool any = false;
        for (u32 i = 0; i < writers; i++) {
            if (all[i].runnable) writer_run(&all[i], root, &rowid, &commits);
            any |= all[i].runnable;
        }
        io_step(io, any ? 0 : UINT64_MAX);
    }
    double seconds = (double)(clock_ns() - start) / 1e9;
    struct store_stats stats;
    store_stats_get(s, &stats);
    printf("%-9s %2u writers: %8.0f commits/s, %5.1f commits per sync, %llu checkpoints, log of "
           "%llu frames\n",
           io_backend_name(io), writers, (double)commits / seconds,
           (double)stats.commits / (double)stats.syncs, (unsigned long long)stats.checkpoints,
           (unsigned long long)stats.wal_frames);
    for (u32 i = 0; i < writers; i++) {
        if (all[i].cursor_open) cursor_deinit(&all[i].cursor);
        op_settle(&all[i].op);
        txn_destroy(all[i].txn);
        op_deinit(&all[i].op);
    }
    if (writers == WRITERS_MAX) lookups_run(io, &op, t);
    txn_destroy(t);
    drive(io, &op, call_close, s);
    op_deinit(&op);
}

static void sqlite_run(u64 duration_ns)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    unlink("bench_commit.db");
    sqlite3_open("bench_commit.db", &db);
    sqlite3_exec(db,
                 "PRAGMA journal_mode=wal; PRAGMA synchronous=full; CREATE TABLE t(id INTEGER "
                 "PRIMARY KEY, v)",
                 NULL, NULL, NULL);
    sqlite3_prepare_v2(db, "INSERT INTO t(v) VALUES(?)", -1, &stmt, NULL);
    char text[101] = {0};
    memset(text, 'x', 100);
    sqlite3_bind_text(stmt, 1, text, 100, SQLITE_STATIC);
    u64 start = clock_ns(), commits = 0;
    while (clock_ns() - start < duration_ns) {
        if (sqlite3_step(stmt) != SQLITE_DONE) die(sqlite3_errmsg(db));
        sqlite3_reset(stmt);
        commits++;
    }
    printf("sqlite %s 1 writer: %8.0f commits/s\n", sqlite3_libversion(),
           (double)commits / ((double)(clock_ns() - start) / 1e9));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    unlink("bench_commit.db");
}

int main(void)
{
    static const enum io_backend_kind backends[] = {IO_BACKEND_RING, IO_BACKEND_POSIX};
    u64 duration_ns = 2000000000;
    sqlite_run(duration_ns);
    for (u32 i = 0; i < COUNT_OF(backends); i++) {
        struct err err = ERR_CLEAR;
        struct io *io =
            io_create(&(struct io_options){.backend = backends[i], .fallback = true}, &err);
        if (!io) die(err.text);
        store_run(io, 1, duration_ns);
        store_run(io, WRITERS_MAX, duration_ns);
        io_destroy(io);
    }
    unlink("bench_commit.db");
    return 0;
}
