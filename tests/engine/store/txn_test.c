// Goal: transactions keep what they promise: durable when acknowledged, isolated, undone to any
// savepoint, first come first served; and the file stays one that SQLite finds sound. Method: rows
// through the B-tree, checked by reading them back, and by libsqlite3 after closing.
#include "store_driver.h"

static const struct store_options create_options = {.create = true};

TEST(first_commit_is_sound_to_sqlite)
{
    for (u32 page_size = 512; page_size <= 65536; page_size *= 2) {
        struct driver d;
        driver_init(&d, IO_BACKEND_POSIX);
        char name[20];
        snprintf(name, sizeof name, "%u.db", page_size);
        char *path = test_path(name);
        struct store *s =
            driver_open(&d, path, &(struct store_options){.create = true, .page_size = page_size});
        REQUIRE(s);
        struct txn *t = txn_create(s);
        DO(&d, txn_begin_write(t, &d.op, 0));
        pgno root = table_create(&d, t);
        for (s64 i = 0; i < 300; i++)
            DO(&d, row_insert(t, &d.op, root, i, "some text that fills the pages of the table"));
        DO(&d, txn_commit(t, &d.op));
        txn_destroy(t);
        DO(&d, store_close(s, &d.op));
        CHECK(!file_exists(test_path("4096.db-wal")));
        CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
        CHECK_STR(sqlite_ask(path, "SELECT count(*) || ' ' || sum(id) FROM t"), "300 44850");
        CHECK_STR(sqlite_ask(path, "PRAGMA journal_mode"), "wal");
        driver_deinit(&d);
    }
}

TEST(rolled_back_changes_are_gone)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db"), text[100];
    struct store *s = driver_open(&d, path, &create_options);
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno root = table_create(&d, t);
    DO(&d, row_insert(t, &d.op, root, 1, "one"));
    DO(&d, txn_commit(t, &d.op));
    DO(&d, txn_begin_write(t, &d.op, 0));
    for (s64 i = 2; i < 500; i++) DO(&d, row_insert(t, &d.op, root, i, "rolled back"));
    CHECK(txn_page_count(t) > 4);
    txn_rollback(t);
    CHECK_EQ(txn_state_get(t), TXN_NONE);
    DO(&d, txn_begin_read(t, &d.op));
    CHECK_EQ(txn_page_count(t), 2);
    DO(&d, row_read(t, &d.op, root, 1, text, sizeof text));
    CHECK_STR(text, "one");
    DO(&d, row_read(t, &d.op, root, 2, text, sizeof text));
    CHECK_STR(text, "");
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(sqlite_ask(path, "SELECT group_concat(id || v) FROM t"), "1one");
    driver_deinit(&d);
}

// Many clients, each a small program of its own, one step at a time in a random order.
struct client {
    struct op op;
    struct txn *txn;
    enum { CLIENT_BEGIN, CLIENT_INSERT, CLIENT_COMMIT, CLIENT_DONE } step;
    struct cursor cursor;
    bool runnable, cursor_open;
    u32 number, commits, commits_max;
    u64 acknowledged; // order of the newest acknowledgement
};

static void client_wake(struct waiter *w)
{
    CONTAINER_OF(w, struct client, op.waiter)->runnable = true;
}

static io_status client_insert(struct client *c, pgno root)
{
    static const u8 record[] = {3, 0, 19, 'a', 'b', 'c'};
    struct btree_entry e = {
        .rowid = (s64)c->number * 100000 + c->commits, .data = record, .size = sizeof record};
    if (!c->cursor_open) cursor_init(&c->cursor, c->txn, root, NULL, true);
    c->cursor_open = true;
    io_status status = cursor_insert(&c->cursor, &c->op, &e, 0, 0);
    if (status == IO_WAIT) return status;
    cursor_deinit(&c->cursor);
    c->cursor_open = false;
    return status;
}

// False when it failed.
static bool client_run(struct client *c, pgno root)
{
    static const char *const what[] = {"begin", "insert", "commit", "done"};
    c->runnable = false;
    for (;;) {
        io_status status = IO_DONE;
        switch (c->step) {
        case CLIENT_BEGIN: status = txn_begin_write(c->txn, &c->op, UINT64_MAX); break;
        case CLIENT_INSERT: status = client_insert(c, root); break;
        case CLIENT_COMMIT: status = txn_commit(c->txn, &c->op); break;
        case CLIENT_DONE: return true;
        }
        if (status == IO_WAIT) return true;
        if (status == IO_FAIL) {
            test_fail(__FILE__, __LINE__, "client %u, %s: %s", c->number, what[c->step],
                      c->op.err.text);
            c->step = CLIENT_DONE;
            return false;
        }
        if (c->step != CLIENT_COMMIT)
            c->step++;
        else
            c->step = ++c->commits == c->commits_max ? CLIENT_DONE : CLIENT_BEGIN;
    }
}

static void group_commit(enum io_backend_kind backend, u32 clients, u32 commits, u32 cache_pages)
{
    struct driver d;
    driver_init(&d, backend);
    char *path = test_path("group.db");
    u64 seed = test_seed();
    struct store *s =
        driver_open(&d, path,
                    &(struct store_options){
                        .create = true, .cache_bytes = cache_pages * 4096ull, .checkpoint_frames = 100});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno root = table_create(&d, t);
    DO(&d, txn_commit(t, &d.op));
    struct client *all = calloc(clients, sizeof *all);
    for (u32 i = 0; i < clients; i++) {
        op_init(&all[i].op, d.io, client_wake);
        all[i].txn = txn_create(s);
        all[i].number = i + 1;
        all[i].runnable = true;
        all[i].commits_max = commits;
    }
    for (u32 done = 0; done < clients;) {
        u32 first = (u32)test_random(&seed);
        for (u32 i = 0; i < clients; i++) {
            struct client *c = &all[(first + i) % clients];
            if (c->runnable) client_run(c, root);
        }
        io_step(d.io, 0);
        done = 0;
        for (u32 i = 0; i < clients; i++) done += all[i].step == CLIENT_DONE;
    }
    u64 count = 0;
    DO(&d, txn_begin_read(t, &d.op));
    DO(&d, row_count(t, &d.op, root, &count));
    CHECK_EQ(count, clients * commits);
    txn_end_read(t);
    struct store_stats stats;
    store_stats_get(s, &stats);
    CHECK_EQ(stats.commits, clients * commits + 1);
    if (clients > 1) CHECK(stats.syncs < stats.commits); // that is what it is for
    CHECK(stats.checkpoints > 0);
    CHECK(stats.wal_frames < 1500);
    for (u32 i = 0; i < clients; i++) {
        txn_destroy(all[i].txn);
        op_deinit(&all[i].op);
    }
    free(all);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    if (backend != IO_BACKEND_MEMORY) {
        char want[40];
        snprintf(want, sizeof want, "%u", clients * commits);
        CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
        CHECK_STR(sqlite_ask(path, "SELECT count(*) FROM t"), want);
        CHECK(!file_exists(test_path("group.db-wal")));
    }
    driver_deinit(&d);
}

TEST(group_commit_ring)
{
    group_commit(IO_BACKEND_RING, 64, 40, 0);
}
TEST(group_commit_small_cache)
{
    group_commit(IO_BACKEND_RING, 16, 60, 16);
}
TEST(group_commit_posix)
{
    group_commit(IO_BACKEND_POSIX, 64, 40, 0);
}
TEST(group_commit_memory_files)
{
    group_commit(IO_BACKEND_MEMORY, 64, 40, 0);
}
TEST(one_writer)
{
    group_commit(IO_BACKEND_RING, 1, 300, 0);
}

// Random work with savepoints against a model that keeps a copy at each.
#define MODEL_ROWS 64
struct model {
    u32 lengths[MODEL_ROWS]; // text length + 1; 0 = no row
};

static void model_check(struct driver *d, struct txn *t, pgno root, const struct model *m)
{
    static char text[20000];
    for (u32 i = 0; i < MODEL_ROWS; i++) {
        DO(d, row_read(t, &d->op, root, i, text, sizeof text));
        CHECK_EQ(strlen(text), m->lengths[i] ? m->lengths[i] - 1 : 0);
    }
}

static void savepoints_random(bool in_memory)
{
    static char filler[20000];
    memset(filler, 'x', sizeof filler - 1);
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    u64 seed = test_seed();
    char *path = test_path("savepoints.db");
    struct store *s = driver_open(
        &d, path,
        &(struct store_options){.create = true, .page_size = 1024, .in_memory = in_memory});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno root = table_create(&d, t);
    DO(&d, txn_commit(t, &d.op));
    struct model committed = {0}, now = {0}, saved[10];
    for (u32 round = 0; round < 60; round++) {
        DO(&d, txn_begin_write(t, &d.op, 0));
        for (u32 step = 0; step < 60; step++) {
            u32 choice = (u32)(test_random(&seed) % 10), depth = txn_savepoint_count(t);
            u32 row = (u32)(test_random(&seed) % MODEL_ROWS), n;
            struct err err = ERR_CLEAR;
            if (choice == 0 && depth < 10) {
                CHECK_EQ(txn_savepoint_open(t, &n, &err), ERR_OK);
                CHECK_EQ(n, depth + 1);
                saved[depth] = now;
            } else if (choice == 1 && depth > 0) {
                n = 1 + (u32)(test_random(&seed) % depth);
                txn_savepoint_rollback(t, n);
                CHECK_EQ(txn_savepoint_count(t), n);
                now = saved[n - 1];
            } else if (choice == 2 && depth > 0) {
                txn_savepoint_release(t, 1 + (u32)(test_random(&seed) % depth));
            } else {
                u32 length = (u32)(test_random(&seed) % (choice < 5 ? 15000 : 300));
                filler[length] = 0;
                DO(&d, row_insert(t, &d.op, root, row, filler));
                filler[length] = 'x';
                now.lengths[row] = length + 1;
            }
        }
        model_check(&d, t, root, &now);
        if (test_random(&seed) % 3 == 0) {
            txn_rollback(t);
            now = committed;
        } else {
            DO(&d, txn_commit(t, &d.op));
            committed = now;
        }
        DO(&d, txn_begin_read(t, &d.op));
        model_check(&d, t, root, &committed);
        txn_end_read(t);
        if (!in_memory && round % 20 == 19) {
            txn_destroy(t);
            DO(&d, store_close(s, &d.op));
            CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
            s = driver_open(&d, path, &create_options);
            REQUIRE(s);
            t = txn_create(s);
        }
    }
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

TEST(savepoints_random_file)
{
    savepoints_random(false);
}
TEST(savepoints_random_in_memory)
{
    savepoints_random(true);
}

TEST(readers_keep_their_snapshot)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    struct store *s = driver_open(
        &d, test_path("a.db"),
        &(struct store_options){.create = true, .checkpoint_frames = 10, .cache_bytes = 16 * 4096});
    REQUIRE(s);
    struct txn *w = txn_create(s), *readers[20];
    char text[100], want[100];
    DO(&d, txn_begin_write(w, &d.op, 0));
    pgno root = table_create(&d, w);
    DO(&d, txn_commit(w, &d.op));
    for (u32 i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "value %u", i);
        row_commit(&d, w, root, 7, text);
        readers[i] = txn_create(s);
        DO(&d, txn_begin_read(readers[i], &d.op));
        struct checkpoint_result result;
        CHECK_EQ(checkpoint_ask(&d, s, CHECKPOINT_PASSIVE, &result), IO_DONE);
        // Readers leave in another order than they came.
        if (i % 5 == 3) txn_end_read(readers[i - 2]);
    }
    for (u32 i = 0; i < 20; i++) {
        if (txn_state_get(readers[i]) == TXN_READ) {
            snprintf(want, sizeof want, "value %u", i);
            DO(&d, row_read(readers[i], &d.op, root, 7, text, sizeof text));
            CHECK_STR(text, want);
        }
    }
    // An old snapshot cannot be written on.
    CHECK_EQ(DRIVE(&d, txn_begin_write(readers[0], &d.op, UINT64_MAX)), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_BUSY_SNAPSHOT);
    DO(&d, txn_begin_write(readers[19], &d.op, 0));
    for (u32 i = 0; i < 20; i++) txn_destroy(readers[i]);
    row_commit(&d, w, root, 8, "after");
    struct checkpoint_result result;
    CHECK_EQ(checkpoint_ask(&d, s, CHECKPOINT_TRUNCATE, &result), IO_DONE);
    CHECK(!result.busy);
    size_t size;
    free(file_load(test_path("a.db-wal"), &size));
    CHECK_EQ(size, 0);
    row_commit(&d, w, root, 9, "after");
    txn_destroy(w);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(test_path("a.db"), "PRAGMA integrity_check"), "ok");
    CHECK_STR(sqlite_ask(test_path("a.db"), "SELECT group_concat(id || v) FROM t"),
              "7value 19,8after,9after");
    driver_deinit(&d);
}

TEST(the_slot_is_waited_for_until_the_deadline)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    struct store *s = driver_open(&d, test_path("a.db"), &create_options);
    REQUIRE(s);
    struct txn *a = txn_create(s), *b = txn_create(s);
    DO(&d, txn_begin_write(a, &d.op, 0));
    CHECK_EQ(DRIVE(&d, txn_begin_write(b, &d.op, 0)), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_BUSY);
    CHECK_STR(d.op.err.text, "database is locked");
    u64 start = io_now_ns(d.io);
    CHECK_EQ(DRIVE(&d, txn_begin_write(b, &d.op, start + 20000000)), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_BUSY);
    CHECK(io_now_ns(d.io) >= start + 20000000);
    CHECK_EQ(txn_state_get(b), TXN_NONE);
    // Released in time.
    err_clear(&d.op.err);
    CHECK_EQ(txn_begin_write(b, &d.op, UINT64_MAX), IO_WAIT);
    txn_rollback(a);
    DO(&d, txn_begin_write(b, &d.op, UINT64_MAX));
    CHECK_EQ(txn_state_get(b), TXN_WRITE);
    txn_destroy(a);
    txn_destroy(b);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

TEST(freed_pages_are_used_again)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db");
    static char filler[60000];
    memset(filler, 'x', sizeof filler - 1);
    struct store *s =
        driver_open(&d, path, &(struct store_options){.create = true, .page_size = 512});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno root = table_create(&d, t);
    for (s64 i = 0; i < 10; i++) DO(&d, row_insert(t, &d.op, root, i, filler));
    DO(&d, txn_commit(t, &d.op));
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno pages = txn_page_count(t);
    for (s64 i = 0; i < 10; i++) DO(&d, row_insert(t, &d.op, root, i, "short"));
    u32 free_pages;
    DO(&d, txn_meta_get(t, &d.op, META_FREE_PAGE_COUNT, &free_pages));
    CHECK(free_pages > 1000); // several trunks
    DO(&d, txn_commit(t, &d.op));
    DO(&d, txn_begin_read(t, &d.op));
    u32 again;
    DO(&d, txn_meta_get(t, &d.op, META_FREE_PAGE_COUNT, &again));
    CHECK_EQ(again, free_pages);
    txn_end_read(t);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    snprintf(filler, 20, "%u", free_pages);
    CHECK_STR(sqlite_ask(path, "PRAGMA freelist_count"), filler);
    // What SQLite wrote on the list is read, and the other way round.
    CHECK_STR(sqlite_ask(path, "UPDATE t SET v = zeroblob(30000) WHERE id < 5"), "");
    s = driver_open(&d, path, &create_options);
    REQUIRE(s);
    t = txn_create(s);
    memset(filler, 'x', sizeof filler - 1);
    DO(&d, txn_begin_write(t, &d.op, 0));
    for (s64 i = 5; i < 7; i++) DO(&d, row_insert(t, &d.op, root, i, filler));
    CHECK_EQ(txn_page_count(t), pages);
    DO(&d, txn_commit(t, &d.op));
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(sqlite_ask(path, "SELECT sum(length(v)) FROM t"), "270013");
    driver_deinit(&d);
}

// A change of a tree may free pages at one level before it takes others for the next: each of them is noted for the
// savepoint, in room that was reserved beforehand. The numbers go past all the places where the notes' room ends.
TEST(pages_are_freed_and_taken_in_one_change)
{
    u64 random = test_seed();
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db"), text[1000];
    struct store *s = driver_open(&d, path, &(struct store_options){.create = true, .page_size = 1024});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno root = table_create(&d, t);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    for (s64 i = 0; i < 600; i++) DO(&d, row_insert(t, &d.op, root, i, text));
    DO(&d, txn_commit(t, &d.op));
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno count = txn_page_count(t);
    for (u32 round = 0; round < 20; round++) {
        u32 savepoint;
        pgno next = root + 1; // to be freed: the savepoint has all of them back
        CHECK_EQ(txn_savepoint_open(t, &savepoint, &d.op.err), ERR_OK);
        while (next + 3 < count) {
            u32 takes = (u32)(test_random(&random) % 4), frees = (u32)(test_random(&random) % 4);
            DO(&d, txn_reserve(t, &d.op, takes));
            op_mutate(&d.op);
            for (u32 i = 0; i < frees; i++) txn_page_free(t, &d.op, next++);
            for (u32 i = 0; i < takes; i++) CHECK(txn_page_take(t, &d.op, (pgno)(i % 2)) != NULL);
            op_settle(&d.op);
        }
        txn_savepoint_rollback(t, savepoint);
        txn_savepoint_release(t, savepoint);
        u64 rows = 0;
        CHECK_EQ(txn_page_count(t), count);
        DO(&d, row_count(t, &d.op, root, &rows));
        CHECK_EQ(rows, 600);
    }
    DO(&d, row_insert(t, &d.op, root, 1000, "one more"));
    DO(&d, txn_commit(t, &d.op));
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(sqlite_ask(path, "SELECT count(*) || ' ' || sum(length(v)) FROM t"), "601 599408");
    driver_deinit(&d);
}

TEST(savepoints_opened_before_the_first_write)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db"), text[100];
    struct store *s = driver_open(&d, path, &create_options);
    REQUIRE(s);
    struct txn *t = txn_create(s);
    struct err err = ERR_CLEAR;
    u32 outer, inner;
    // Of an empty file; and then of one with a table.
    CHECK_EQ(txn_savepoint_open(t, &outer, &err), ERR_OK);
    DO(&d, txn_begin_write(t, &d.op, 0));
    table_create(&d, t);
    txn_savepoint_rollback(t, outer);
    CHECK_EQ(txn_page_count(t), 1);
    pgno root = table_create(&d, t);
    DO(&d, txn_commit(t, &d.op));
    CHECK_EQ(txn_savepoint_open(t, &outer, &err), ERR_OK);
    DO(&d, txn_begin_read(t, &d.op));
    CHECK_EQ(txn_savepoint_open(t, &inner, &err), ERR_OK);
    DO(&d, txn_begin_write(t, &d.op, 0));
    DO(&d, row_insert(t, &d.op, root, 1, "undone"));
    txn_savepoint_rollback(t, inner);
    DO(&d, row_read(t, &d.op, root, 1, text, sizeof text));
    CHECK_STR(text, "");
    DO(&d, row_insert(t, &d.op, root, 1, "kept"));
    txn_savepoint_release(t, inner);
    DO(&d, row_insert(t, &d.op, root, 2, "kept"));
    txn_savepoint_release(t, outer);
    DO(&d, txn_commit(t, &d.op));
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(sqlite_ask(path, "SELECT group_concat(id || v) FROM t"), "1kept,2kept");
    driver_deinit(&d);
}

static void big_transaction(bool in_memory)
{
    static char filler[4000];
    memset(filler, 'x', sizeof filler - 1);
    struct driver d;
    driver_init(&d, IO_BACKEND_RING);
    struct store *s = driver_open(
        &d, test_path("a.db"),
        &(struct store_options){.create = true, .cache_bytes = 200 * 4096, .in_memory = in_memory});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    struct store_stats stats;
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno root = table_create(&d, t);
    for (u32 round = 0; round < 2; round++) {
        for (s64 i = 0; i < 2000; i++)
            DO(&d, row_insert(t, &d.op, root, round * 10000 + i, filler));
        store_stats_get(s, &stats);
        if (in_memory) CHECK(stats.cache_bytes > 2000 * 4096);
        if (round == 0) DO(&d, txn_commit(t, &d.op));
        if (round == 1) txn_rollback(t);
        if (!in_memory) CHECK(stats.cache_bytes < 400 * 4096);
        store_stats_get(s, &stats);
        if (!in_memory) CHECK(stats.cache_bytes < 400 * 4096);
        if (in_memory) CHECK(stats.cache_bytes < 2400 * 4096); // its rows are nowhere else
        if (round == 0) DO(&d, txn_begin_write(t, &d.op, 0));
    }
    u64 count = 0;
    DO(&d, txn_begin_read(t, &d.op));
    DO(&d, row_count(t, &d.op, root, &count));
    CHECK_EQ(count, 2000);
    store_stats_get(s, &stats);
    if (!in_memory) CHECK(stats.cache_bytes < 400 * 4096);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

TEST(memory_of_a_big_transaction_is_given_back)
{
    big_transaction(false);
}
TEST(memory_of_a_big_transaction_in_memory_is_given_back)
{
    big_transaction(true);
}

TEST(one_store_per_file)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db"), other[500];
    snprintf(other, sizeof other, "%s/./a.db", test_dir());
    struct store *a = driver_open(&d, path, &create_options),
                 *b = driver_open(&d, other, &create_options);
    CHECK(a && a == b);
    CHECK_STR(sqlite_ask(path, "SELECT count(*) FROM sqlite_schema"), "ERROR: database is locked");
    DO(&d, store_close(a, &d.op));
    DO(&d, store_close(b, &d.op));
    CHECK_STR(sqlite_ask(path, "SELECT count(*) FROM sqlite_schema"), "0");
    driver_deinit(&d);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
