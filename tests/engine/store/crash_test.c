// Goal: a commit that was acknowledged survives the loss of power at any moment, whole; one that
// was not is there whole or not at all. Full disks and failing syncs cost no more than what they
// were told. Method: many interleaved clients on the simulated disk, crashed at every write in turn
// and at random, with and without faults. Each client writes its counter into several rows that lie
// far apart, so that a torn commit shows. After each crash the surviving bytes are opened by
// libsqlite3 too, which must see the same promise kept.
#include "store_driver.h"

#include "../../../io/sim.h"

#define CLIENTS       6u
#define ROWS          4u // of each client
#define DATABASE_PATH "/a.db"

struct client {
    struct op op;
    struct txn *txn;
    enum { BEGIN, INSERT, COMMIT, READ_BEGIN, READ, STOPPED } step;
    struct cursor cursor;
    bool runnable, cursor_open, reader;
    u32 number, row;
    u64 seen; // reader: the counter of the rows so far
    u64 attempted, acknowledged;
};

struct world {
    struct sim *sim;
    struct io *io;
    struct op op;
    struct store *store;
    pgno root;
    u64 seed;
    struct client clients[CLIENTS]; // the last one reads
    u64 crashes, commits, failures;
};

static void client_wake(struct waiter *w)
{
    CONTAINER_OF(w, struct client, op.waiter)->runnable = true;
}
static void world_wake(struct waiter *w)
{
}

static s64 row_id(u32 client, u32 row)
{
    return (s64)row * 1000 + client;
}

static u32 record_make(u8 *out, u64 counter)
{
    // NULL, the counter, and a filler whose length depends on it.
    u32 filler = (u32)(counter * 37 % 500), at = 0;
    u8 type[9];
    u32 type_size = varint_put(type, 12 + 2 * (u64)filler);
    out[at++] = (u8)(3 + type_size);
    out[at++] = 0;
    out[at++] = 6;
    memcpy(out + at, type, type_size);
    at += type_size;
    be64_put(out + at, counter);
    memset(out + at + 8, (int)(counter & 0x7f), filler);
    return at + 8 + filler;
}

static io_status client_insert(struct client *c, pgno root)
{
    static u8 record[1000];
    while (c->row < ROWS) {
        struct btree_entry e = {.rowid = row_id(c->number, c->row), .data = record};
        e.size = record_make(record, c->attempted);
        if (!c->cursor_open) cursor_init(&c->cursor, c->txn, root, NULL, true);
        c->cursor_open = true;
        IO_TRY(cursor_insert(&c->cursor, &c->op, &e, 0, 0));
        cursor_deinit(&c->cursor);
        c->cursor_open = false;
        c->row++;
    }
    return IO_DONE;
}

// The counter that a row holds, 0 when there is no such row.
static io_status counter_read(struct cursor *c, struct op *op, s64 rowid, u64 *out)
{
    u8 bytes[20];
    int compare;
    *out = 0;
    IO_TRY(cursor_seek_rowid(c, op, rowid, &compare));
    if (!cursor_valid(c) || compare != 0) return IO_DONE;
    IO_TRY(cursor_entry(c, op));
    IO_TRY(cursor_read(c, op, 0, MIN(c->payload_size, sizeof bytes), bytes));
    *out = be64_get(bytes + bytes[0]);
    return IO_DONE;
}

// A reader checks that all rows of every writer agree.
static io_status client_read(struct client *c, pgno root)
{
    if (!c->cursor_open) cursor_init(&c->cursor, c->txn, root, NULL, false);
    c->cursor_open = true;
    while (c->row < ROWS * CLIENTS) {
        u64 counter;
        IO_TRY(counter_read(&c->cursor, &c->op, row_id(c->row / ROWS, c->row % ROWS), &counter));
        if (c->row % ROWS == 0) c->seen = counter;
        if (counter != c->seen)
            test_fail(__FILE__, __LINE__, "a reader sees a torn commit: row %u is %llu, want %llu",
                      c->row, (unsigned long long)counter, (unsigned long long)c->seen);
        c->row++;
    }
    cursor_deinit(&c->cursor);
    c->cursor_open = false;
    return IO_DONE;
}

static void client_next(struct client *c, struct world *w)
{
    switch (c->step) {
    case BEGIN:
        c->step = INSERT;
        c->row = 0;
        c->attempted++;
        break;
    case INSERT: c->step = COMMIT; break;
    case COMMIT:
        c->acknowledged = c->attempted;
        w->commits++;
        c->step = BEGIN;
        break;
    case READ_BEGIN:
        c->step = READ;
        c->row = 0;
        break;
    case READ:
        txn_end_read(c->txn);
        c->step = READ_BEGIN;
        break;
    case STOPPED: break;
    }
}

static void client_fail(struct client *c, struct world *w)
{
    if (c->cursor_open) cursor_deinit(&c->cursor);
    c->cursor_open = false;
    txn_rollback(c->txn);
    op_settle(&c->op);
    w->failures++;
    // A full disk passes; anything else ends this life of the store.
    c->step = c->op.err.code == ERR_FULL && !sim_is_down(w->io) ? BEGIN : STOPPED;
    if (c->reader && c->step == BEGIN) c->step = READ_BEGIN;
    err_clear(&c->op.err);
}

static void client_run(struct client *c, struct world *w)
{
    c->runnable = false;
    for (u32 budget = 0; c->step != STOPPED; budget++) {
        io_status status = IO_DONE;
        if (budget == 8) { // others want to run too
            c->runnable = true;
            return;
        }
        switch (c->step) {
        case BEGIN: status = txn_begin_write(c->txn, &c->op, UINT64_MAX); break;
        case INSERT: status = client_insert(c, w->root); break;
        case COMMIT: status = txn_commit(c->txn, &c->op); break;
        case READ_BEGIN: status = txn_begin_read(c->txn, &c->op); break;
        case READ: status = client_read(c, w->root); break;
        case STOPPED: break;
        }
        if (status == IO_WAIT) return;
        if (status == IO_FAIL)
            client_fail(c, w);
        else
            client_next(c, w);
    }
}

#define WORLD_DRIVE(w, call)                                                                       \
    ({                                                                                             \
        io_status drive_;                                                                          \
        err_clear(&(w)->op.err);                                                                   \
        while ((drive_ = (call)) == IO_WAIT) io_step((w)->io, UINT64_MAX);                         \
        drive_;                                                                                    \
    })

static const struct store_options options = {
    .create = true, .page_size = 512, .checkpoint_frames = 40, .cache_bytes = 40 * 512};

static bool world_open(struct world *w)
{
    struct err err = ERR_CLEAR;
    w->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w->sim}, &err);
    op_init(&w->op, w->io, world_wake);
    w->store = NULL;
    return WORLD_DRIVE(w, store_open(w->io, DATABASE_PATH, &options, &w->op, &w->store)) == IO_DONE;
}

static void world_close(struct world *w)
{
    if (w->store) WORLD_DRIVE(w, store_close(w->store, &w->op));
    op_deinit(&w->op);
    io_destroy(w->io);
}

// Makes the table, without faults.
static void world_create(struct world *w, u64 seed)
{
    *w = (struct world){.sim = sim_create(seed), .seed = seed};
    struct driver d = {0};
    if (!world_open(w)) {
        test_fail(__FILE__, __LINE__, "open: %s", w->op.err.text);
        abort();
    }
    d.io = w->io;
    op_init(&d.op, w->io, world_wake);
    struct txn *t = txn_create(w->store);
    DO(&d, txn_begin_write(t, &d.op, 0));
    w->root = table_create(&d, t);
    DO(&d, txn_commit(t, &d.op));
    txn_destroy(t);
    op_deinit(&d.op);
    for (u32 i = 0; i < CLIENTS; i++) w->clients[i].number = i;
}

// Runs the clients for so many turns, or until all have stopped.
static void world_run(struct world *w, u32 turns)
{
    for (u32 i = 0; i < CLIENTS; i++) {
        struct client *c = &w->clients[i];
        op_init(&c->op, w->io, client_wake);
        c->txn = txn_create(w->store);
        c->runnable = true;
        c->reader = i == CLIENTS - 1;
        c->step = c->reader ? READ_BEGIN : BEGIN;
    }
    for (u32 turn = 0; turn < turns && !sim_is_down(w->io); turn++) {
        u32 first = (u32)test_random(&w->seed), stopped = 0;
        bool busy = false;
        for (u32 i = 0; i < CLIENTS; i++) {
            struct client *c = &w->clients[(first + i) % CLIENTS];
            // The reader never waits long: it may look now and then.
            if (c->runnable && (!c->reader || test_random(&w->seed) % 4 == 0)) client_run(c, w);
            stopped += c->step == STOPPED;
            busy |= c->runnable && !c->reader;
        }
        if (stopped >= CLIENTS - 1) break;
        io_step(w->io, busy ? 0 : UINT64_MAX);
    }
    for (u32 i = 0; i < CLIENTS; i++) {
        struct client *c = &w->clients[i];
        if (c->cursor_open) cursor_deinit(&c->cursor);
        c->cursor_open = false;
        op_settle(&c->op);
        txn_destroy(c->txn);
        op_deinit(&c->op);
    }
}

static void promise_check(struct world *w, const char *who, u32 client, const u64 *counters)
{
    struct client *c = &w->clients[client];
    for (u32 i = 1; i < ROWS; i++) {
        if (counters[i] != counters[0])
            test_fail(__FILE__, __LINE__, "%s: client %u: torn: %llu and %llu", who, client,
                      (unsigned long long)counters[0], (unsigned long long)counters[i]);
    }
    if (counters[0] < c->acknowledged || counters[0] > c->attempted)
        test_fail(__FILE__, __LINE__, "%s: client %u: %llu, acknowledged %llu, attempted %llu", who,
                  client, (unsigned long long)counters[0], (unsigned long long)c->acknowledged,
                  (unsigned long long)c->attempted);
}

// What libsqlite3 makes of the surviving bytes.
static void sqlite_check(struct world *w)
{
    u64 db_size, wal_size;
    u8 *db = sim_file_get(w->sim, DATABASE_PATH, &db_size),
       *wal = sim_file_get(w->sim, DATABASE_PATH "-wal", &wal_size);
    char *path = test_path("survived.db"), *path_wal = test_path("survived.db-wal");
    file_save(path, db, db_size);
    unlink(path_wal);
    if (wal) file_save(path_wal, wal, wal_size);
    free(db);
    free(wal);
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    // SQLite has checkpointed on closing: what is in the file is its answer, read by our own eyes.
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    struct store *s = driver_open(&d, path, &(struct store_options){0});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_read(t, &d.op));
    for (u32 i = 0; i < CLIENTS - 1; i++) {
        u64 counters[ROWS];
        for (u32 k = 0; k < ROWS; k++) {
            struct cursor c;
            cursor_init(&c, t, w->root, NULL, false);
            DO(&d, counter_read(&c, &d.op, row_id(i, k), &counters[k]));
            cursor_deinit(&c);
        }
        promise_check(w, "sqlite", i, counters);
    }
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    driver_deinit(&d);
}

// Opens again and holds the store to its word; what it says is the truth from now on.
static void world_recover(struct world *w)
{
    if (!world_open(w)) {
        test_fail(__FILE__, __LINE__, "recovery: %s", w->op.err.text);
        return;
    }
    struct driver d = {.io = w->io};
    op_init(&d.op, w->io, world_wake);
    struct txn *t = txn_create(w->store);
    DO(&d, txn_begin_read(t, &d.op));
    for (u32 i = 0; i < CLIENTS - 1; i++) {
        u64 counters[ROWS];
        for (u32 k = 0; k < ROWS; k++) {
            struct cursor c;
            cursor_init(&c, t, w->root, NULL, false);
            DO(&d, counter_read(&c, &d.op, row_id(i, k), &counters[k]));
            cursor_deinit(&c);
        }
        promise_check(w, "recovery", i, counters);
        w->clients[i].acknowledged = counters[0];
    }
    txn_destroy(t);
    op_deinit(&d.op);
}

static void world_destroy(struct world *w)
{
    world_close(w);
    sim_destroy(w->sim);
}

TEST(crash_at_every_write)
{
    struct world w;
    u64 seed = test_seed(), commits = 0;
    for (u32 nth = 1; nth <= 120; nth++) {
        world_create(&w, seed + nth);
        sim_fault_at(w.sim, SIM_CRASH, nth);
        world_run(&w, 100000);
        CHECK(sim_is_down(w.io));
        world_close(&w);
        sqlite_check(&w);
        world_recover(&w);
        commits += w.commits;
        world_destroy(&w);
    }
    CHECK(commits > 1000);
}

TEST(many_crashes_of_one_database)
{
    struct world w;
    u64 seed = test_seed();
    for (u32 run = 0; run < 6; run++) {
        world_create(&w, seed + run);
        for (u32 life = 0; life < 25; life++) {
            sim_fault_at(w.sim, SIM_CRASH, 1 + test_random(&seed) % 300);
            world_run(&w, 100000);
            CHECK(sim_is_down(w.io));
            world_close(&w);
            sqlite_check(&w);
            // A second crash while recovering.
            if (life % 3 == 0) {
                sim_fault_at(w.sim, SIM_CRASH, 1);
                if (world_open(&w))
                    world_close(&w);
                else {
                    op_deinit(&w.op);
                    io_destroy(w.io);
                }
                sim_fault_at(w.sim, SIM_CRASH, 0);
            }
            world_recover(&w);
        }
        world_destroy(&w);
    }
}

TEST(full_disks_and_failing_syncs_between_crashes)
{
    struct world w;
    u64 seed = test_seed();
    u64 failures = 0, commits = 0;
    for (u32 run = 0; run < 6; run++) {
        world_create(&w, seed + run);
        for (u32 life = 0; life < 25; life++) {
            sim_fault_rate(w.sim, SIM_WRITE_FULL, 20000);
            sim_fault_rate(w.sim, SIM_SYNC_ERROR, life % 2 ? 10000 : 0);
            sim_fault_rate(w.sim, SIM_WRITE_ERROR, life % 4 == 3 ? 10000 : 0);
            sim_fault_at(w.sim, SIM_CRASH, 100 + test_random(&seed) % 600);
            world_run(&w, 30000);
            sim_fault_rate(w.sim, SIM_WRITE_FULL, 0);
            sim_fault_rate(w.sim, SIM_SYNC_ERROR, 0);
            sim_fault_rate(w.sim, SIM_WRITE_ERROR, 0);
            if (!sim_is_down(w.io)) sim_crash(w.sim);
            sim_fault_at(w.sim, SIM_CRASH, 0);
            world_close(&w);
            sqlite_check(&w);
            world_recover(&w);
        }
        failures += w.failures;
        commits += w.commits;
        world_destroy(&w);
    }
    CHECK(failures > 10);
    CHECK(commits > 1000);
}

TEST(closing_and_opening_between_faults)
{
    struct world w;
    u64 seed = test_seed();
    world_create(&w, seed);
    for (u32 life = 0; life < 40; life++) {
        sim_fault_rate(w.sim, SIM_SYNC_ERROR, 5000);
        sim_fault_rate(w.sim, SIM_READ_ERROR, 2000);
        world_run(&w, 3000);
        if (life % 2) sim_fault_rate(w.sim, SIM_SYNC_ERROR, 200000); // the closing checkpoint too
        world_close(&w);
        sim_fault_rate(w.sim, SIM_SYNC_ERROR, 0);
        sim_fault_rate(w.sim, SIM_READ_ERROR, 0);
        world_recover(&w);
    }
    world_destroy(&w);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
