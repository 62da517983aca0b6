// Goal: the simulated world is what io/sim.h says: the same seed gives the same run, every fault
// fires, what was synced survives a crash, and what was not is now and then kept, lost and torn.
// Method: many seeds; what must hold is checked for each, what must be possible is counted over
// all.
#include "../../io/sim.h"
#include "contract.h"

#include <poll.h>

enum { SEEDS = 300 };

static struct io *loop_open(struct sim *sim)
{
    struct err err = ERR_CLEAR;
    struct io_options options = {.backend = IO_BACKEND_SIM, .sim = sim};
    struct io *io = io_create(&options, &err);
    if (!io) abort();
    return io;
}

static struct contract world_open(struct sim *sim)
{
    return (struct contract){.io = loop_open(sim), .kind = IO_BACKEND_SIM, .dir = "/data"};
}

static struct io_file *open_file(struct contract *t, const char *path, u32 flags, s64 want)
{
    struct io_file *f = NULL;
    s64 rc = DO(t, io_file_open(t->io, path, flags, &f, &c));
    if (rc != want) test_fail(__FILE__, __LINE__, "opening %s gives %d", path, (int)rc);
    return f;
}

#define WRITES (IO_OPEN_WRITE | IO_OPEN_CREATE)

// ---- the same seed

struct trace {
    u64 hash;
    struct io *io;
    struct sim_counters counters;
    u64 end_ns;
    u32 left;
};
struct traced {
    struct completion c;
    struct trace *trace;
    u32 number;
};

static void trace_add(struct trace *trace, u64 value)
{
    trace->hash = (trace->hash ^ value) * 0x100000001b3ull;
}

static void traced_done(struct completion *c)
{
    struct traced *op = c->context;
    trace_add(op->trace, op->number);
    trace_add(op->trace, (u64)c->result);
    trace_add(op->trace, io_now_ns(op->trace->io));
    op->trace->left--;
}

static void trace_run(u64 seed, struct trace *trace)
{
    enum { COUNT = 60, SIZE = 9000 };
    struct sim *sim = sim_create(seed);
    struct contract t = world_open(sim);
    *trace = (struct trace){.io = t.io, .left = COUNT};
    sim_fault_rate(sim, SIM_READ_ERROR, 100000);
    sim_fault_rate(sim, SIM_WRITE_FULL, 100000);
    struct io_file *f = open_file(&t, "/f", WRITES, 0);
    u8 *bytes = calloc(COUNT, SIZE);
    static struct traced ops[COUNT];
    for (u32 i = 0; i < COUNT; i++) {
        ops[i] = (struct traced){.trace = trace, .number = i};
        completion_init(&ops[i].c, traced_done, &ops[i]);
        if (i % 3 == 0) io_file_write(f, bytes + i * SIZE, SIZE, i * 1000, &ops[i].c);
        if (i % 3 == 1) io_file_read(f, bytes + i * SIZE, SIZE, i * 500, &ops[i].c);
        if (i % 3 == 2) io_file_sync(f, IO_SYNC_DATA, &ops[i].c);
    }
    while (trace->left > 0) CHECK(io_step(t.io, UINT64_MAX) >= 0);
    io_random(t.io, bytes, 100);
    for (u32 i = 0; i < 100; i++) trace_add(trace, bytes[i]);
    sim_crash(sim);
    u64 size;
    u8 *survived = sim_file_get(sim, "/f", &size);
    trace_add(trace, survived ? size : 1);
    for (u64 i = 0; survived && i < size; i += 100) trace_add(trace, survived[i]);
    free(survived);
    sim_counters_get(sim, &trace->counters);
    trace->end_ns = io_now_ns(t.io);
    DO(&t, io_file_close(f, &c));
    io_destroy(t.io);
    sim_destroy(sim);
    free(bytes);
}

TEST(sim_same_seed_same_run)
{
    u64 seed = test_seed();
    u32 different = 0;
    for (u32 i = 0; i < 20; i++) {
        struct trace a, b, other;
        trace_run(seed + i, &a);
        trace_run(seed + i, &b);
        trace_run(seed + i + 1000, &other);
        CHECK_EQ(a.hash, b.hash);
        CHECK_EQ(a.end_ns, b.end_ns);
        CHECK(memcmp(&a.counters, &b.counters, sizeof a.counters) == 0);
        different += a.hash != other.hash;
    }
    CHECK_EQ(different, 20);
}

TEST(sim_overtakes_delays_and_shortens)
{
    struct trace trace;
    struct sim_counters sum = {0};
    for (u32 i = 0; i < 10; i++) {
        trace_run(test_seed() + i, &trace);
        sum.overtaken += trace.counters.overtaken;
        sum.delayed += trace.counters.delayed;
        sum.shortened += trace.counters.shortened;
        CHECK(trace.counters.operations >= 60);
    }
    CHECK(sum.overtaken > 0);
    CHECK(sum.delayed > 0);
    CHECK(sum.shortened > 0);
}

// ---- the clock

TEST(sim_clock_jumps)
{
    struct sim *sim = sim_create(1);
    struct contract t = world_open(sim);
    s64 wall_ms = io_wall_ms(t.io);
    u64 now_ns = io_now_ns(t.io);
    CHECK_EQ(DO(&t, io_timeout(t.io, 7200ull * 1000000000, &c)), 0);
    CHECK_EQ(io_now_ns(t.io) - now_ns, 7200ull * 1000000000);
    CHECK_EQ(io_wall_ms(t.io) - wall_ms, 7200 * 1000);
    // Whoever only looks sees time pass all the same.
    struct completion timer;
    completion_init(&timer, NULL, NULL);
    io_timeout(t.io, 50000, &timer);
    u32 steps = 0;
    while (timer.state == COMPLETION_PENDING && steps < 1000) {
        CHECK(io_step(t.io, 0) >= 0);
        steps++;
    }
    CHECK(steps >= 2 && steps < 1000);
    CHECK_EQ(DO(&t, io_poll(t.io, 0, POLLIN, &c)), -EOPNOTSUPP);
    CHECK_EQ(DO(&t, io_connect(t.io, "127.0.0.1", 1, &c)) < 0, true);
    io_destroy(t.io);
    sim_destroy(sim);
}

// ---- faults

static s64 fault_operation(struct contract *t, struct io_file *f, u32 operation)
{
    static u8 bytes[4096];
    static u32 turn;
    char path[40];
    struct iovec iov = {bytes, sizeof bytes};
    struct io_file *g = NULL;
    s64 rc;
    snprintf(path, sizeof path, "/new%u", turn++);
    switch (operation) {
    case 0:
        rc = DO(t, io_file_open(t->io, path, WRITES, &g, &c));
        if (g) contract_close(t, g);
        return rc;
    case 1: return DO(t, io_file_read(f, bytes, 10, 0, &c));
    case 2: return DO(t, io_file_write(f, bytes, 4096, 0, &c));
    case 3: return DO(t, io_file_writev_sync(f, &iov, 1, 0, &c));
    case 4: return DO(t, io_file_sync(f, IO_SYNC_FULL, &c));
    case 5: return DO(t, io_path_sync_dir(t->io, "/", &c));
    case 6: return DO(t, io_path_mkdir(t->io, path, &c));
    case 7: return DO(t, io_path_unlink(t->io, "/victim", &c));
    case 8: return DO(t, io_path_rename(t->io, "/victim", "/other", &c));
    case 9: return DO(t, io_path_link(t->io, "/victim", path, &c));
    case 10: return DO(t, io_file_allocate(f, 0, 9000, &c));
    case 11: return DO(t, io_file_truncate(f, 100, &c));
    default: abort();
    }
}

TEST(sim_every_fault_fires)
{
    static const struct {
        enum sim_fault fault;
        u32 operation;
        s64 want;
    } rows[] = {
        {SIM_OPEN_ERROR, 0, -EMFILE},  {SIM_READ_ERROR, 1, -EIO},    {SIM_WRITE_ERROR, 2, -EIO},
        {SIM_WRITE_ERROR, 3, -EIO},    {SIM_WRITE_FULL, 2, -ENOSPC}, {SIM_WRITE_FULL, 3, -ENOSPC},
        {SIM_WRITE_FULL, 10, -ENOSPC}, {SIM_SYNC_ERROR, 3, -EIO},    {SIM_SYNC_ERROR, 4, -EIO},
        {SIM_SYNC_ERROR, 5, -EIO},     {SIM_NAME_ERROR, 6, -EIO},    {SIM_NAME_ERROR, 7, -EIO},
        {SIM_NAME_ERROR, 8, -EIO},     {SIM_NAME_ERROR, 9, -EIO},    {SIM_CRASH, 0, -EIO},
        {SIM_CRASH, 2, -EIO},          {SIM_CRASH, 3, -EIO},         {SIM_CRASH, 4, -EIO},
        {SIM_CRASH, 5, -EIO},          {SIM_CRASH, 6, -EIO},         {SIM_CRASH, 7, -EIO},
        {SIM_CRASH, 8, -EIO},          {SIM_CRASH, 9, -EIO},         {SIM_CRASH, 10, -EIO},
        {SIM_CRASH, 11, -EIO},
    };
    for (u32 i = 0; i < COUNT_OF(rows) * 2; i++) {
        u32 row = i / 2;
        struct sim *sim = sim_create(test_seed() + i);
        CHECK(sim_file_put(sim, "/victim", "v", 1));
        struct contract t = world_open(sim);
        struct io_file *f = open_file(&t, "/f", WRITES, 0);
        if (i % 2)
            sim_fault_at(sim, rows[row].fault, 1);
        else
            sim_fault_rate(sim, rows[row].fault, 1000000);
        s64 result = fault_operation(&t, f, rows[row].operation);
        if (result != rows[row].want)
            test_fail(__FILE__, __LINE__, "row %u gives %d", row, (int)result);
        struct sim_counters counters;
        sim_counters_get(sim, &counters);
        CHECK_EQ(counters.faults[rows[row].fault], 1);
        CHECK_EQ(sim_is_down(t.io), rows[row].fault == SIM_CRASH);
        if (i % 2 && rows[row].fault != SIM_CRASH) // once only
            CHECK(fault_operation(&t, f, rows[row].operation) >= 0);
        sim_fault_rate(sim, rows[row].fault, 0);
        contract_close(&t, f);
        io_destroy(t.io);
        sim_destroy(sim);
    }
}

TEST(sim_nth_operation_fails)
{
    struct sim *sim = sim_create(3);
    struct contract t = world_open(sim);
    struct io_file *f = open_file(&t, "/f", WRITES, 0);
    u64 before = sim_operations(sim, SIM_WRITE_ERROR);
    sim_fault_at(sim, SIM_WRITE_ERROR, 3);
    for (u32 i = 1; i <= 5; i++)
        CHECK_EQ(DO(&t, io_file_write(f, "x", 1, i, &c)), i == 3 ? -EIO : 1);
    CHECK_EQ(sim_operations(sim, SIM_WRITE_ERROR) - before, 5);
    contract_close(&t, f);
    io_destroy(t.io);
    sim_destroy(sim);
}

// ---- crashes

TEST(sim_synced_bytes_survive_and_others_may)
{
    u32 kept = 0, lost = 0, torn = 0;
    for (u32 seed = 0; seed < SEEDS; seed++) {
        struct sim *sim = sim_create(test_seed() + seed);
        struct contract t = world_open(sim);
        u8 old[4096], new[4096];
        memset(old, 'o', sizeof old);
        memset(new, 'n', sizeof new);
        struct io_file *f = open_file(&t, "/f", WRITES, 0);
        struct iovec iov = {old, sizeof old};
        CHECK_EQ(DO(&t, io_file_write(f, old, sizeof old, 0, &c)), 4096);
        if (seed % 2)
            CHECK_EQ(DO(&t, io_file_sync(f, IO_SYNC_DATA, &c)), 0);
        else
            CHECK_EQ(DO(&t, io_file_writev_sync(f, &iov, 1, 0, &c)), 4096);
        CHECK_EQ(DO(&t, io_path_sync_dir(t.io, "/", &c)), 0);
        CHECK_EQ(DO(&t, io_file_write(f, new, sizeof new, 0, &c)), 4096);
        sim_crash(sim);
        u64 size = 0;
        u8 *bytes = sim_file_get(sim, "/f", &size);
        CHECK_EQ(size, 4096);
        u32 new_sectors = 0;
        for (u32 sector = 0; bytes && sector < 8; sector++) {
            bool is_new = bytes[sector * 512] == 'n';
            CHECK(memcmp(bytes + sector * 512, is_new ? new : old, 512) == 0); // sectors are whole
            new_sectors += is_new;
        }
        kept += new_sectors == 8;
        lost += new_sectors == 0;
        torn += new_sectors > 0 && new_sectors < 8;
        free(bytes);
        contract_close(&t, f);
        io_destroy(t.io);

        // A new loop finds what survived.
        t = world_open(sim);
        f = open_file(&t, "/f", IO_OPEN_READ, 0);
        if (f) contract_close(&t, f);
        io_destroy(t.io);
        sim_destroy(sim);
    }
    CHECK(kept > 0);
    CHECK(lost > 0);
    CHECK(torn > 0);
}

TEST(sim_extensions_and_truncations_may_be_lost)
{
    u32 sizes_seen[3] = {0};
    for (u32 seed = 0; seed < SEEDS; seed++) {
        struct sim *sim = sim_create(test_seed() + seed);
        CHECK(sim_file_put(sim, "/f", "0123456789", 10));
        struct contract t = world_open(sim);
        struct io_file *f = open_file(&t, "/f", WRITES, 0);
        CHECK_EQ(DO(&t, io_file_truncate(f, 4, &c)), 0);
        CHECK_EQ(DO(&t, io_file_write(f, "abc", 3, 10, &c)), 3);
        sim_crash(sim);
        u64 size = 0;
        u8 *bytes = sim_file_get(sim, "/f", &size);
        CHECK(bytes && memcmp(bytes, "0123", 4) == 0);
        CHECK(size == 10 || size == 13 || size == 4);
        if (size == 13) CHECK(memcmp(bytes + 10, "abc", 3) == 0);
        if (size == 13)
            CHECK(memcmp(bytes + 4, "456789", 6) == 0 || memcmp(bytes + 4, "\0\0\0\0\0\0", 6) == 0);
        sizes_seen[size == 4 ? 0 : size == 10 ? 1 : 2]++;
        free(bytes);
        contract_close(&t, f);
        io_destroy(t.io);
        sim_destroy(sim);
    }
    for (u32 i = 0; i < 3; i++) CHECK(sizes_seen[i] > 0);
}

TEST(sim_sync_covers_only_what_had_completed)
{
    u32 lost = 0;
    for (u32 seed = 0; seed < SEEDS; seed++) {
        struct sim *sim = sim_create(test_seed() + seed);
        CHECK(sim_file_put(sim, "/f", "o", 1));
        struct contract t = world_open(sim);
        struct io_file *f = open_file(&t, "/f", WRITES, 0);
        struct completion writing, syncing;
        completion_init(&writing, NULL, NULL);
        completion_init(&syncing, NULL, NULL);
        io_file_write(f, "n", 1, 0, &writing);
        io_file_sync(f, IO_SYNC_FULL, &syncing); // too early
        CHECK_EQ(await(t.io, &writing), 1);
        CHECK_EQ(await(t.io, &syncing), 0);
        sim_crash(sim);
        u64 size;
        u8 *bytes = sim_file_get(sim, "/f", &size);
        lost += bytes && bytes[0] == 'o';
        free(bytes);
        contract_close(&t, f);
        io_destroy(t.io);
        sim_destroy(sim);
    }
    CHECK(lost > 0);
}

TEST(sim_failed_sync_may_lose_for_good)
{
    u32 lost = 0, kept = 0;
    for (u32 seed = 0; seed < SEEDS; seed++) {
        struct sim *sim = sim_create(test_seed() + seed);
        CHECK(sim_file_put(sim, "/f", "o", 1));
        struct contract t = world_open(sim);
        struct io_file *f = open_file(&t, "/f", WRITES, 0);
        u8 byte = 0;
        CHECK_EQ(DO(&t, io_file_write(f, "n", 1, 0, &c)), 1);
        sim_fault_at(sim, SIM_SYNC_ERROR, 1);
        CHECK_EQ(DO(&t, io_file_sync(f, IO_SYNC_FULL, &c)), -EIO);
        CHECK_EQ(DO(&t, io_file_sync(f, IO_SYNC_FULL, &c)), 0); // says yes, and means nothing
        CHECK_EQ(DO(&t, io_file_read(f, &byte, 1, 0, &c)), 1);
        CHECK_EQ(byte, 'n'); // until the crash all looks well
        sim_crash(sim);
        u64 size;
        u8 *bytes = sim_file_get(sim, "/f", &size);
        lost += bytes && bytes[0] == 'o';
        kept += bytes && bytes[0] == 'n';
        free(bytes);
        contract_close(&t, f);
        io_destroy(t.io);
        sim_destroy(sim);
    }
    CHECK(lost > 0);
    CHECK(kept > 0);
    CHECK_EQ(lost + kept, SEEDS);
}

TEST(sim_names_need_their_directory_synced)
{
    u32 missing = 0, there = 0;
    for (u32 seed = 0; seed < SEEDS; seed++) {
        struct sim *sim = sim_create(test_seed() + seed);
        struct contract t = world_open(sim);
        CHECK_EQ(DO(&t, io_path_mkdir(t.io, "/d/e", &c)), 0);
        if (seed % 3 > 0) {
            CHECK_EQ(DO(&t, io_path_sync_dir(t.io, "/", &c)), 0);
            CHECK_EQ(DO(&t, io_path_sync_dir(t.io, "/d", &c)), 0);
        }
        struct io_file *f = open_file(&t, "/d/e/f", WRITES, 0);
        CHECK_EQ(DO(&t, io_file_write(f, "x", 1, 0, &c)), 1);
        CHECK_EQ(DO(&t, io_file_sync(f, IO_SYNC_FULL, &c)), 0);
        if (seed % 3 == 2) CHECK_EQ(DO(&t, io_path_sync_dir(t.io, "/d/e", &c)), 0);
        sim_crash(sim);
        u64 size;
        u8 *bytes = sim_file_get(sim, "/d/e/f", &size);
        if (seed % 3 == 2) CHECK(bytes && size == 1 && bytes[0] == 'x');
        missing += !bytes;
        there += bytes && seed % 3 < 2;
        free(bytes);
        contract_close(&t, f);
        io_destroy(t.io);
        sim_destroy(sim);
    }
    CHECK(missing > 0);
    CHECK(there > 0);
}

// Replacing a file through a rename: the step that is left out is the one that the world punishes.
static const char *replace_outcome(u64 seed, bool syncs_file, bool syncs_dir)
{
    struct sim *sim = sim_create(seed);
    CHECK(sim_file_put(sim, "/d/f", "old", 3));
    struct contract t = world_open(sim);
    struct io_file *f = open_file(&t, "/d/tmp", WRITES | IO_OPEN_EXCLUSIVE, 0);
    CHECK_EQ(DO(&t, io_file_write(f, "new", 3, 0, &c)), 3);
    if (syncs_file) CHECK_EQ(DO(&t, io_file_sync(f, IO_SYNC_FULL, &c)), 0);
    CHECK_EQ(DO(&t, io_path_rename(t.io, "/d/tmp", "/d/f", &c)), 0);
    if (syncs_dir) CHECK_EQ(DO(&t, io_path_sync_dir(t.io, "/d", &c)), 0);
    sim_crash(sim);
    u64 size = 0;
    u8 *bytes = sim_file_get(sim, "/d/f", &size);
    const char *outcome = "missing";
    if (bytes) outcome = "damaged";
    if (bytes && size == 3 && memcmp(bytes, "old", 3) == 0) outcome = "old";
    if (bytes && size == 3 && memcmp(bytes, "new", 3) == 0) outcome = "new";
    free(bytes);
    contract_close(&t, f);
    io_destroy(t.io);
    sim_destroy(sim);
    return outcome;
}

TEST(sim_punishes_a_missing_sync_of_a_replaced_file)
{
    u32 damaged = 0, old = 0, new = 0;
    for (u32 seed = 0; seed < SEEDS; seed++) {
        CHECK_STR(replace_outcome(test_seed() + seed, true, true), "new");
        const char *outcome = replace_outcome(test_seed() + seed, true, false);
        old += strcmp(outcome, "old") == 0;
        new += strcmp(outcome, "new") == 0;
        damaged += strcmp(replace_outcome(test_seed() + seed, false, true), "damaged") == 0;
    }
    CHECK(old > 0);
    CHECK(new > 0);
    CHECK_EQ(old + new, SEEDS); // a rename is whole or did not happen
    CHECK(damaged > 0);
}

TEST(sim_crash_ends_its_loops)
{
    struct sim *sim = sim_create(test_seed());
    struct contract t = world_open(sim), other = world_open(sim);
    struct io_file *f = open_file(&t, "/f", WRITES, 0);
    CHECK_EQ(io_file_lock(f, 0, 10, IO_LOCK_EXCLUSIVE), 0);
    struct io_file *g = open_file(&other, "/f", IO_OPEN_WRITE, 0);
    CHECK_EQ(io_file_lock(g, 0, 10, IO_LOCK_SHARED), -EAGAIN); // loops exclude each other
    CHECK_EQ(DO(&t, io_path_sync_dir(t.io, "/", &c)), 0);
    struct completion writing, reading;
    u8 byte;
    completion_init(&writing, NULL, NULL);
    completion_init(&reading, NULL, NULL);
    io_file_write(f, "x", 1, 0, &writing);
    io_file_read(g, &byte, 1, 0, &reading);
    sim_crash(sim);
    CHECK(sim_is_down(t.io));
    CHECK(sim_is_down(other.io));
    CHECK_EQ(await(t.io, &writing), -EIO);
    CHECK_EQ(await(other.io, &reading), -EIO);
    CHECK_EQ(DO(&t, io_file_write(f, "x", 1, 0, &c)), -EIO);
    CHECK_EQ(DO(&t, io_path_mkdir(t.io, "/late", &c)), -EIO);
    CHECK_EQ(DO(&t, io_timeout(t.io, 1000, &c)), 0);
    CHECK_EQ(io_file_lock(f, 0, 10, IO_LOCK_SHARED), -EIO);
    contract_close(&t, f);

    struct contract again = world_open(sim);
    CHECK(!sim_is_down(again.io));
    f = open_file(&again, "/f", IO_OPEN_WRITE, 0);
    CHECK_EQ(io_file_lock(f, 0, 10, IO_LOCK_EXCLUSIVE), 0);
    open_file(&again, "/late", IO_OPEN_READ, -ENOENT);
    contract_close(&again, f);
    io_destroy(other.io); // with g left open
    io_destroy(t.io);
    io_destroy(again.io);
    sim_destroy(sim);
}

TEST(sim_locks_split)
{
    struct sim *sim = sim_create(1);
    struct contract t = world_open(sim);
    struct io_file *a = open_file(&t, "/f", WRITES, 0), *b = open_file(&t, "/f", WRITES, 0);
    CHECK_EQ(io_file_lock(a, 0, 100, IO_LOCK_EXCLUSIVE), 0);
    CHECK_EQ(io_file_lock(a, 40, 20, IO_UNLOCK), 0);
    static const struct {
        u64 offset, size;
        int want;
    } rows[] = {{0, 10, -EAGAIN}, {39, 1, -EAGAIN}, {40, 20, 0},      {60, 1, -EAGAIN},
                {99, 1, -EAGAIN}, {100, 1, 0},      {30, 15, -EAGAIN}};
    for (u32 i = 0; i < COUNT_OF(rows); i++)
        CHECK_EQ(io_file_lock(b, rows[i].offset, rows[i].size, IO_LOCK_SHARED), rows[i].want);
    CHECK_EQ(io_file_lock(a, 30, 20, IO_LOCK_SHARED), 0); // shares with b, and weakens its own
    CHECK_EQ(io_file_lock(b, 30, 5, IO_LOCK_SHARED), 0);
    CHECK_EQ(io_file_lock(a, 0, 100, IO_LOCK_EXCLUSIVE), -EAGAIN);
    CHECK_EQ(io_file_lock(b, 0, 0, IO_UNLOCK), 0); // all of it
    CHECK_EQ(io_file_lock(a, 0, 100, IO_LOCK_EXCLUSIVE), 0);
    contract_close(&t, a);
    contract_close(&t, b);
    io_destroy(t.io);
    sim_destroy(sim);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
