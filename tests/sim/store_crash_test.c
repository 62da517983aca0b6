// Goal: what a commit acknowledged survives any crash, a transaction is whole or not there, and the
// files stay ones that SQLite finds sound, wherever the crash comes and whatever of the unsynced
// bytes it keeps, loses or tears; likewise with a disk that fails writes and syncs or is full.
// Method: lives of a store in one simulated world, each ended by a crash at a random operation; the
// next life recovers and counts. Each transaction writes three rows that carry its number.
// SIM_WORLDS=n runs n worlds from SEED on.
#include "../engine/store/store_driver.h"

#include "../../io/sim.h"

#define DB_PATH      "/data/a.db"
#define ROWS_PER_TXN 3

struct world {
    struct sim *sim;
    struct driver d;
    struct store *store;
    struct txn *txn;
    pgno root;
    u64 seed;
    u32 page_size;
    u32 attempted; // transactions are numbered from 1 to this
    bool failed;
};

// Calls until it is done, or the run is stuck: then a wake was lost.
#define LIVE(w, call)                                                                              \
    ({                                                                                             \
        io_status live_;                                                                           \
        u32 steps_ = 0;                                                                            \
        err_clear(&(w)->d.op.err);                                                                 \
        while ((live_ = (call)) == IO_WAIT && steps_++ < 1000000) io_step((w)->d.io, UINT64_MAX);  \
        if (live_ == IO_WAIT) {                                                                    \
            test_fail(__FILE__, __LINE__, "%s waits for ever", #call);                             \
            (w)->failed = true;                                                                    \
        }                                                                                          \
        live_;                                                                                     \
    })

static void loop_begin(struct world *w)
{
    struct err err = ERR_CLEAR;
    w->d.io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w->sim}, &err);
    if (!w->d.io) abort();
    op_init(&w->d.op, w->d.io, driver_wake);
}

static void loop_end(struct world *w)
{
    op_deinit(&w->d.op);
    io_destroy(w->d.io);
}

static bool life_begin(struct world *w)
{
    loop_begin(w);
    w->store = NULL;
    w->txn = NULL;
    struct store_options options = {.create = true, .checkpoint_frames = 30, .cache_bytes = 50ull * w->page_size, .page_size = w->page_size};
    if (LIVE(w, store_open(w->d.io, DB_PATH, &options, &w->d.op, &w->store)) != IO_DONE)
        return false;
    w->txn = txn_create(w->store);
    return w->txn != NULL;
}

static void life_end(struct world *w)
{
    if (w->txn) txn_destroy(w->txn);
    if (w->store) (void)LIVE(w, store_close(w->store, &w->d.op));
    loop_end(w);
}

static io_status txn_write(struct world *w, u32 number)
{
    struct driver *d = &w->d;
    char text[600];
    u32 length = 1 + (u32)(test_random(&w->seed) % 500);
    snprintf(text, sizeof text, "%u:%*s", number, (int)length, "x");
    if (LIVE(w, txn_begin_write(w->txn, &d->op, UINT64_MAX)) != IO_DONE) return IO_FAIL;
    for (u32 i = 0; i < ROWS_PER_TXN; i++) {
        // Rows of one transaction are far from each other, so that it changes several pages.
        s64 rowid = (s64)number + i * 1000000;
        if (LIVE(w, row_insert(w->txn, &d->op, w->root, rowid, text)) != IO_DONE) {
            txn_rollback(w->txn);
            return IO_FAIL;
        }
    }
    return LIVE(w, txn_commit(w->txn, &d->op));
}

// A client of many: a program of its own that goes on when it is woken.
struct client {
    struct world *w;
    struct op op;
    struct txn *txn;
    enum { CLIENT_BEGIN, CLIENT_INSERT, CLIENT_COMMIT, CLIENT_DONE } step;
    struct cursor cursor;
    bool runnable, cursor_open;
    u32 number, row, left;
    u8 record[600];
};

static void client_wake(struct waiter *waiter)
{
    CONTAINER_OF(waiter, struct client, op.waiter)->runnable = true;
}

static io_status client_insert(struct client *k)
{
    char text[20];
    snprintf(text, sizeof text, "%u:", k->number);
    struct btree_entry e = {.rowid = (s64)k->number + k->row * 1000000, .data = k->record};
    e.size = record_of_text(k->record, text);
    if (!k->cursor_open) cursor_init(&k->cursor, k->txn, k->w->root, NULL, true);
    k->cursor_open = true;
    io_status status = cursor_insert(&k->cursor, &k->op, &e, 0, 0);
    if (status == IO_WAIT) return status;
    cursor_deinit(&k->cursor);
    k->cursor_open = false;
    return status;
}

static void client_run(struct client *k, bool *acknowledged)
{
    k->runnable = false;
    while (k->step != CLIENT_DONE) {
        io_status status = IO_DONE;
        if (k->step == CLIENT_BEGIN) status = txn_begin_write(k->txn, &k->op, UINT64_MAX);
        if (k->step == CLIENT_INSERT) status = client_insert(k);
        if (k->step == CLIENT_COMMIT) status = txn_commit(k->txn, &k->op);
        if (status == IO_WAIT) return;
        if (status == IO_FAIL) {
            txn_rollback(k->txn);
            k->step = CLIENT_DONE;
        } else if (k->step == CLIENT_BEGIN) {
            k->number = ++k->w->attempted;
            k->row = 0;
            k->step = CLIENT_INSERT;
        } else if (k->step == CLIENT_INSERT) {
            if (++k->row == ROWS_PER_TXN) k->step = CLIENT_COMMIT;
        } else {
            acknowledged[k->number] = true;
            k->step = --k->left > 0 ? CLIENT_BEGIN : CLIENT_DONE;
        }
    }
}

// Many at once, so that commits share writes and syncs, until all are done or the world has ended.
static void clients_run(struct world *w, u32 txns, bool *acknowledged)
{
    enum { CLIENTS = 8 };
    struct client *clients = calloc(CLIENTS, sizeof *clients);
    if (!clients) abort();
    for (u32 i = 0; i < CLIENTS; i++) {
        struct client *k = &clients[i];
        *k = (struct client){.w = w, .runnable = true, .left = txns / CLIENTS};
        op_init(&k->op, w->d.io, client_wake);
        k->txn = txn_create(w->store);
        if (!k->txn) abort();
    }
    u32 done = 0;
    for (u32 steps = 0; done < CLIENTS && steps < 1000000; steps++) {
        u32 first = (u32)test_random(&w->seed);
        done = 0;
        bool ran = false;
        for (u32 i = 0; i < CLIENTS; i++) {
            struct client *k = &clients[(first + i) % CLIENTS];
            ran |= k->runnable;
            if (k->runnable) client_run(k, acknowledged);
            done += k->step == CLIENT_DONE;
        }
        if (!ran) io_step(w->d.io, UINT64_MAX);
    }
    if (done < CLIENTS) {
        test_fail(__FILE__, __LINE__, "%u of %u clients wait for ever", CLIENTS - done, CLIENTS);
        w->failed = true;
    }
    for (u32 i = 0; i < CLIENTS; i++) {
        if (clients[i].cursor_open) cursor_deinit(&clients[i].cursor);
        txn_destroy(clients[i].txn);
        op_deinit(&clients[i].op);
    }
    free(clients);
}

// Transactions that failed in an earlier life leave holes; those acknowledged have none.
static void rows_check(struct world *w, const bool *acknowledged)
{
    char text[700];
    if (w->failed) return;
    if (LIVE(w, txn_begin_read(w->txn, &w->d.op)) != IO_DONE) {
        test_fail(__FILE__, __LINE__, "reading: %s", w->d.op.err.text);
        w->failed = true;
        return;
    }
    u64 expected = 0, count = 0;
    for (u32 number = 1; number <= w->attempted; number++) {
        u32 there = 0;
        for (u32 i = 0; i < ROWS_PER_TXN; i++) {
            s64 rowid = (s64)number + i * 1000000;
            if (LIVE(w, row_read(w->txn, &w->d.op, w->root, rowid, text, sizeof text)) != IO_DONE) {
                test_fail(__FILE__, __LINE__, "row %d: %s", (int)rowid, w->d.op.err.text);
                w->failed = true;
                return;
            }
            there += text[0] && (u32)atoi(text) == number;
        }
        expected += there;
        if (there != ROWS_PER_TXN && (there > 0 || acknowledged[number])) {
            test_fail(__FILE__, __LINE__, "transaction %u (%s): %u of its rows", number,
                      acknowledged[number] ? "acknowledged" : "not acknowledged", there);
            w->failed = true;
        }
    }
    if (LIVE(w, row_count(w->txn, &w->d.op, w->root, &count)) == IO_DONE && count != expected) {
        test_fail(__FILE__, __LINE__, "%u rows, of which %u are known", (u32)count, (u32)expected);
        w->failed = true;
    }
    txn_end_read(w->txn);
}

// The world's files on a real disk, for SQLite to judge.
static void sqlite_check(struct world *w)
{
    char path[500], wal_path[520];
    snprintf(path, sizeof path, "%s/copy.db", test_dir());
    snprintf(wal_path, sizeof wal_path, "%s-wal", path);
    u64 size = 0;
    u8 *bytes = sim_file_get(w->sim, DB_PATH, &size);
    if (!bytes) return;
    file_save(path, bytes, size);
    free(bytes);
    unlink(wal_path);
    bytes = sim_file_get(w->sim, DB_PATH "-wal", &size);
    if (bytes) file_save(wal_path, bytes, size);
    free(bytes);
    const char *answer = sqlite_ask(path, "PRAGMA integrity_check");
    if (strcmp(answer, "ok") != 0) {
        test_fail(__FILE__, __LINE__, "SQLite says: %s", answer);
        w->failed = true;
    }
    unlink(path);
    unlink(wal_path);
}

static bool world_begin(struct world *w, u64 seed, u32 page_size)
{
    *w = (struct world){.sim = sim_create(seed), .seed = seed, .page_size = page_size};
    if (!w->sim) return false;
    loop_begin(w);
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_path_mkdir(w->d.io, "/data", &c);
    while (c.state == COMPLETION_PENDING) io_step(w->d.io, UINT64_MAX);
    io_path_sync_dir(w->d.io, "/", &c);
    while (c.state == COMPLETION_PENDING) io_step(w->d.io, UINT64_MAX);
    loop_end(w);
    if (!life_begin(w)) return false;
    io_status status = LIVE(w, txn_begin_write(w->txn, &w->d.op, UINT64_MAX));
    if (status == IO_DONE) w->root = table_create(&w->d, w->txn);
    if (status == IO_DONE) status = LIVE(w, txn_commit(w->txn, &w->d.op));
    life_end(w);
    return status == IO_DONE && !w->failed;
}

struct disk {
    u32 write_errors, full_errors, sync_errors, read_errors; // per million
};

static void disk_set(struct sim *sim, const struct disk *disk)
{
    sim_fault_rate(sim, SIM_WRITE_ERROR, disk->write_errors);
    sim_fault_rate(sim, SIM_WRITE_FULL, disk->full_errors);
    sim_fault_rate(sim, SIM_SYNC_ERROR, disk->sync_errors);
    sim_fault_rate(sim, SIM_READ_ERROR, disk->read_errors);
}

static void client_alone_run(struct world *w, u32 txns, bool *acknowledged)
{
    io_status status = IO_DONE;
    for (u32 i = 0; i < txns && status == IO_DONE && !sim_is_down(w->d.io); i++) {
        u32 number = ++w->attempted;
        status = txn_write(w, number);
        acknowledged[number] = status == IO_DONE;
    }
}

static void lives(u64 seed, u32 count, u32 crash_within, const struct disk *disk,
                  struct sim_counters *sum)
{
    enum { TXNS = 40 };
    struct world w;
    if (!world_begin(&w, seed, 4096)) {
        test_fail(__FILE__, __LINE__, "seed %llu: the store does not begin: %s",
                  (unsigned long long)seed, w.d.op.err.text);
        return;
    }
    bool *acknowledged = calloc(count * TXNS + 2, 1);
    for (u32 life = 0; life < count && !w.failed; life++) {
        // Some crashes come while an earlier one is recovered from.
        sim_fault_at(w.sim, SIM_CRASH, 1 + test_random(&w.seed) % crash_within);
        disk_set(w.sim, disk);
        sim_direct_refuse(w.sim, test_random(&w.seed) % 4 == 0);
        if (life_begin(&w)) {
            if (test_random(&w.seed) % 2)
                clients_run(&w, TXNS, acknowledged);
            else
                client_alone_run(&w, TXNS, acknowledged);
        }
        life_end(&w);
        sim_fault_at(w.sim, SIM_CRASH, 0);
        disk_set(w.sim, &(struct disk){0});
        if (test_random(&w.seed) % 4 == 0) continue; // straight into the next life
        sqlite_check(&w);
        if (life_begin(&w))
            rows_check(&w, acknowledged);
        else if (!w.failed) {
            test_fail(__FILE__, __LINE__, "opening after a crash: %s", w.d.op.err.text);
            w.failed = true;
        }
        life_end(&w);
    }
    if (w.failed) printf("  seed %llu\n", (unsigned long long)seed);
    struct sim_counters counters;
    sim_counters_get(w.sim, &counters);
    for (u32 i = 0; i < SIM_FAULT_COUNT; i++) sum->faults[i] += counters.faults[i];
    sum->writes_torn += counters.writes_torn;
    sum->writes_lost += counters.writes_lost;
    sum->writes_kept += counters.writes_kept;
    sum->names_lost += counters.names_lost;
    sim_destroy(w.sim);
    free(acknowledged);
}

TEST(store_survives_crashes)
{
    struct sim_counters sum = {0};
    u32 worlds = test_worlds(60);
    for (u32 i = 0; i < worlds; i++)
        lives(test_seed() + i, 8, i % 3 ? 150 : 30, &(struct disk){0}, &sum);
    CHECK(sum.faults[SIM_CRASH] > 2 * worlds);
    CHECK(sum.writes_torn > 0);
    CHECK(sum.writes_lost > 0);
    CHECK(sum.writes_kept > 0);
}

TEST(store_survives_a_failing_disk)
{
    struct sim_counters sum = {0};
    static const struct disk disks[] = {{.write_errors = 20000},
                                        {.full_errors = 20000},
                                        {.sync_errors = 30000},
                                        {.read_errors = 5000},
                                        {5000, 5000, 5000, 1000}};
    u32 worlds = test_worlds(60);
    for (u32 i = 0; i < worlds; i++) lives(test_seed() + i, 8, 200, &disks[i % COUNT_OF(disks)], &sum);
    for (u32 i = SIM_READ_ERROR; worlds >= 60 && i <= SIM_SYNC_ERROR; i++) CHECK(sum.faults[i] > 0);
}

// The disk is full when the log's first frames are written, after its header was; the log is cut off; space is there
// again: the log must begin with a header again, or what follows is lost.
TEST(a_log_that_was_cut_off_begins_with_a_header)
{
    for (u32 nth = 1; nth <= 4; nth++) {
        struct world w;
        bool acknowledged[4] = {false};
        struct checkpoint_result result;
        REQUIRE(world_begin(&w, test_seed() + nth, 4096) && life_begin(&w));
        sim_fault_at(w.sim, SIM_WRITE_FULL, nth);
        u32 number = ++w.attempted;
        acknowledged[number] = txn_write(&w, number) == IO_DONE;
        sim_fault_at(w.sim, SIM_WRITE_FULL, 0);
        CHECK_EQ(checkpoint_ask(&w.d, w.store, CHECKPOINT_TRUNCATE, &result), IO_DONE);
        number = ++w.attempted;
        CHECK(txn_write(&w, number) == IO_DONE);
        acknowledged[number] = true;
        sim_crash(w.sim);
        life_end(&w);
        REQUIRE(life_begin(&w));
        rows_check(&w, acknowledged);
        life_end(&w);
        sim_destroy(w.sim);
    }
}

// A log that starts again over an old one, and a crash in the middle of its first, long write: whatever of that
// survives, the beginning of the old log must not be taken for a log. Pages are so large that the write is several.
TEST(a_log_that_starts_again_is_not_the_old_one)
{
    for (u32 round = 0, rounds = test_worlds(300); round < rounds; round++) {
        struct world w;
        bool acknowledged[100] = {false};
        struct checkpoint_result result;
        REQUIRE(world_begin(&w, test_seed() + round, 65536) && life_begin(&w));
        client_alone_run(&w, 10, acknowledged);
        CHECK_EQ(checkpoint_ask(&w.d, w.store, CHECKPOINT_RESTART, &result), IO_DONE);
        CHECK(!result.busy);
        sim_fault_at(w.sim, SIM_CRASH, 2 + round % 5);
        clients_run(&w, 8, acknowledged);
        if (!sim_is_down(w.d.io)) sim_crash(w.sim);
        life_end(&w);
        sim_fault_at(w.sim, SIM_CRASH, 0);
        sqlite_check(&w);
        REQUIRE(life_begin(&w));
        rows_check(&w, acknowledged);
        life_end(&w);
        if (w.failed) printf("  round %u\n", round);
        sim_destroy(w.sim);
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
