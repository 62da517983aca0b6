// Goal: whatever clients do at once and wherever the machine stops, a commit that was acknowledged is there, one that
// was not is there whole or not at all, snapshots never move, and the files are ones that SQLite finds sound; likewise
// with a disk that fails reads, writes, syncs and names, is full for a while, or runs out of descriptors.
// Method: one seed makes a world: lives of an engine (tests/sim/workload.c) with one or two databases, of all modes of
// auto_vacuum, on one simulated disk, each ended by a crash or a clean close; after each the files as they survived are
// read by SQLite's library and by a new life, and both must agree with a model (tests/sim/model.h). A short life is
// crashed at each of its writes and syncs in turn. In every third world the files are encrypted: SQLite reads what they
// are without that (tests/sim/unseal.h), and now and then a life is given another key and the one before. The same seed must give the same run. Every kind of fault and event
// is counted: one that never came fails the test. SIM_WORLDS=n runs n worlds from SEED on (make sim SEEDS=n).
#include "../engine/store/store_driver.h"

#include "../../io/sim.h"
#include "events.h"
#include "unseal.h"
#include "workload.h"

#define DATABASES_MAX 2u

static const char *const paths[DATABASES_MAX] = {"/data/a.db", "/data/b.db"};

struct sealed_counters {
    u64 worlds, keys_begun, keys_under_way, keys_done;
};
struct world {
    struct sim *sim;
    struct io *io;
    struct skerry_engine *engine;
    struct model models[DATABASES_MAX];
    u32 databases;
    u32 page_size[DATABASES_MAX], auto_vacuum[DATABASES_MAX];
    u64 seed, start_seed;
    struct workload_counters counters;
    bool failed;
    bool sealed;
    struct store_key key, key_before; // before: none when no file has anything left of it
    struct sealed_counters sealings;
};

static void world_fail(struct world *w, const char *what, const struct err *err)
{
    test_fail(__FILE__, __LINE__, "%s: %s", what, err->text);
    w->failed = true;
}

static void life_begin(struct world *w, u32 cache_pages, u32 checkpoint_frames)
{
    struct err err = ERR_CLEAR;
    w->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w->sim}, &err);
    struct skerry_engine_options options = {.io = w->io,
                                            .cache_bytes = (u64)cache_pages * 4096,
                                            .checkpoint_frames = checkpoint_frames,
                                            .key = &w->key,
                                            .key_previous = &w->key_before,
                                            .temp_dir = "/tmp"};
    if (!w->io || !skerry_engine_create(&options, &w->engine, &err)) abort();
}

static void life_end(struct world *w)
{
    skerry_engine_destroy(w->engine);
    io_destroy(w->io);
}

static bool life_ended(void *context)
{
    return sim_is_down(((struct world *)context)->io);
}

static struct workload workload_of(struct world *w, u32 database, u32 clients, u32 txns)
{
    return (struct workload){.engine = w->engine,
                             .path = paths[database],
                             .model = &w->models[database],
                             .seed = &w->seed,
                             .counters = &w->counters,
                             .page_size = w->page_size[database],
                             .auto_vacuum = w->auto_vacuum[database],
                             .clients = clients,
                             .txns = txns,
                             .stop = life_ended,
                             .stop_context = w};
}

static void dir_make(struct io *io, const char *path)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_path_mkdir(io, path, &c);
    while (c.state == COMPLETION_PENDING) io_step(io, UINT64_MAX);
    io_path_sync_dir(io, "/", &c);
    while (c.state == COMPLETION_PENDING) io_step(io, UINT64_MAX);
}

static void key_make(struct world *w, struct store_key *out)
{
    out->kind = STORE_KEY_BYTES;
    for (u32 i = 0; i < sizeof out->bytes; i++) out->bytes[i] = (u8)test_random(&w->seed);
}

// The next life is to take the files to another key, if they are done with the last one.
static void key_replace(struct world *w)
{
    if (!w->sealed || w->key_before.kind != STORE_KEY_NONE) return;
    w->key_before = w->key;
    key_make(w, &w->key);
    w->sealings.keys_begun++;
}

static void world_begin(struct world *w, u64 seed)
{
    static const u32 page_sizes[] = {512, 1024, 4096, 4096, 4096, 16384, 65536};
    *w = (struct world){.sim = sim_create(seed), .seed = seed ^ 0x5ce44e11, .start_seed = seed};
    if (!w->sim) abort();
    w->databases = test_random(&w->seed) % 3 == 0 ? 2 : 1;
    w->sealed = seed % 3 == 1;
    w->sealings.worlds = w->sealed;
    if (w->sealed) key_make(w, &w->key);
    life_begin(w, 100, 100);
    dir_make(w->io, "/data");
    dir_make(w->io, "/tmp");
    for (u32 i = 0; i < w->databases; i++) {
        w->models[i].first = 1;
        w->page_size[i] = page_sizes[test_random(&w->seed) % COUNT_OF(page_sizes)];
        if (w->sealed) w->page_size[i] = MAX(w->page_size[i], 1024u);
        w->auto_vacuum[i] = test_random(&w->seed) % 2 ? 0 : 1 + (u32)(test_random(&w->seed) % 2);
        struct workload load = workload_of(w, i, 0, 0);
        struct err err = ERR_CLEAR;
        if (!workload_create(&load, &err)) world_fail(w, "making the tables", &err);
    }
    life_end(w);
}

static void world_end(struct world *w, struct sim_counters *sum)
{
    struct sim_counters c;
    sim_counters_get(w->sim, &c);
    const u64 *from = (const u64 *)&c;
    for (size_t i = 0; sum && i < sizeof c / sizeof(u64); i++) ((u64 *)sum)[i] += from[i];
    sim_destroy(w->sim);
    for (u32 i = 0; i < w->databases; i++) model_deinit(&w->models[i]);
}

// *keys_done stays when the file has nothing left of the key before.
static bool files_unseal(struct world *w, const u8 *file, u64 size, const u8 *wal, u64 wal_size, bool *keys_done, struct unsealed *out)
{
    u8 keys[2][32];
    char why[200] = "";
    memcpy(keys[0], w->key.bytes, 32);
    memcpy(keys[1], w->key_before.bytes, 32);
    if (!unseal(file, size, wal, wal_size, (const u8(*)[32])keys, w->key_before.kind ? 2 : 1, out, why)) {
        test_fail(__FILE__, __LINE__, "%s", why);
        return false;
    }
    w->sealings.keys_under_way += out->previous != 0;
    *keys_done &= out->key == 0 && out->previous == 0;
    return true;
}

// The world's files on a real disk, for SQLite to read and judge; the view is what it saw.
static bool files_view(struct world *w, u32 database, bool *keys_done, struct model_view *v)
{
    char path[500], wal_path[520], sim_wal_path[50];
    snprintf(path, sizeof path, "%s/copy.db", test_dir());
    snprintf(wal_path, sizeof wal_path, "%s-wal", path);
    snprintf(sim_wal_path, sizeof sim_wal_path, "%s-wal", paths[database]);
    u64 size = 0;
    u8 *bytes = sim_file_get(w->sim, paths[database], &size);
    if (!bytes) {
        test_fail(__FILE__, __LINE__, "the database file is gone");
        return false;
    }
    u64 wal_size = 0;
    u8 *wal = sim_file_get(w->sim, sim_wal_path, &wal_size);
    if (w->sealed) {
        struct unsealed plain;
        if (!files_unseal(w, bytes, size, wal, wal_size, keys_done, &plain)) return false;
        free(bytes);
        free(wal);
        bytes = plain.database, size = plain.database_size;
        wal = plain.wal, wal_size = plain.wal_size;
    }
    file_save(path, bytes, size);
    free(bytes);
    if (wal) file_save(wal_path, wal, wal_size);
    free(wal);
    bool done = workload_view_sqlite(&w->models[database], path, v);
    unlink(path);
    unlink(wal_path);
    return done;
}

static void database_check(struct world *w, u32 database, struct model_view *theirs)
{
    struct model *m = &w->models[database];
    struct model_view ours = {0};
    struct err err = ERR_CLEAR;
    struct workload load = workload_of(w, database, 0, 0);
    if (!workload_view(&load, &ours, &err)) world_fail(w, "reading what survived", &err);
    w->failed |= !model_view_check(m, &ours, "after recovery");
    if (!w->failed && (memcmp(ours.value, theirs->value, sizeof ours.value) != 0 || ours.rows != theirs->rows)) {
        test_fail(__FILE__, __LINE__, "SQLite recovered another state than we did");
        w->failed = true;
    }
    if (!w->failed) model_rebase(m, &ours);
    model_view_deinit(&ours);
}

// After a life: what survived is what may have. SQLite and a new life, on the files as they are, see the same.
static void life_check(struct world *w)
{
    struct model_view theirs[DATABASES_MAX] = {{0}};
    bool keys_done = w->key_before.kind != STORE_KEY_NONE;
    for (u32 i = 0; i < w->databases; i++)
        w->failed |= !files_view(w, i, &keys_done, &theirs[i]) || !model_view_check(&w->models[i], &theirs[i], "SQLite");
    if (keys_done) {
        w->sealings.keys_done++;
        w->key_before = (struct store_key){0};
    }
    life_begin(w, 100, 1000);
    for (u32 i = 0; i < w->databases; i++) {
        database_check(w, i, &theirs[i]);
        model_view_deinit(&theirs[i]);
    }
    life_end(w);
}

// ---- worlds by seed

struct disk {
    const char *name;
    u32 rates[SIM_FAULT_COUNT]; // per million
};
static const struct disk disks[] = {
    {"a good disk", {0}},
    {"failing writes", {[SIM_WRITE_ERROR] = 20000}},
    {"a full disk", {[SIM_WRITE_FULL] = 30000}},
    {"failing syncs", {[SIM_SYNC_ERROR] = 10000}},
    {"failing reads", {[SIM_READ_ERROR] = 3000}},
    {"few descriptors", {[SIM_OPEN_ERROR] = 50000, [SIM_NAME_ERROR] = 400000}},
    {"everything failing", {5000, 1000, 3000, 3000, 1000, 5000}},
};

static void disk_set(struct sim *sim, const struct disk *disk)
{
    for (u32 i = 0; i < SIM_CRASH; i++) sim_fault_rate(sim, i, disk->rates[i]);
}

// What worlds there were.
struct world_counters {
    u64 two_databases, auto_vacuum, incremental, direct_refused;
};

static bool world_run(u64 seed, u32 lives, struct sim_counters *sum, struct workload_counters *loads,
                      struct world_counters *worlds, struct sealed_counters *sealings)
{
    struct world w;
    world_begin(&w, seed);
    worlds->two_databases += w.databases == 2;
    worlds->auto_vacuum += w.auto_vacuum[0] == 1;
    worlds->incremental += w.auto_vacuum[0] == 2;
    for (u32 life = 0; life < lives && !w.failed; life++) {
        const struct disk *disk = &disks[test_random(&w.seed) % COUNT_OF(disks)];
        static const u32 within[] = {20, 100, 400, 1500};
        u32 limit = within[test_random(&w.seed) % COUNT_OF(within)];
        u32 clients[DATABASES_MAX], txns = 3 + (u32)(test_random(&w.seed) % 25);
        for (u32 i = 0; i < w.databases; i++)
            clients[i] = 1 + (u32)(test_random(&w.seed) % (WORKLOAD_CLIENTS_MAX / w.databases));
        u32 cache_pages = 20 + (u32)(test_random(&w.seed) % 100);
        u32 checkpoint_frames = 10 + (u32)(test_random(&w.seed) % 200);
        // Some lives end cleanly; some crashes come while an earlier one is recovered from.
        if (test_random(&w.seed) % 8 > 0)
            sim_fault_at(w.sim, SIM_CRASH, 1 + test_random(&w.seed) % limit);
        disk_set(w.sim, disk);
        bool refused = test_random(&w.seed) % 4 == 0;
        sim_direct_refuse(w.sim, refused);
        worlds->direct_refused += refused;
        if (w.sealed && test_random(&w.seed) % 2) key_replace(&w);
        life_begin(&w, cache_pages, checkpoint_frames);
        struct workload load[DATABASES_MAX];
        for (u32 i = 0; i < w.databases; i++) load[i] = workload_of(&w, i, clients[i], txns);
        workload_run(load, w.databases);
        for (u32 i = 0; i < w.databases; i++) w.failed |= load[i].failed;
        life_end(&w);
        sim_fault_at(w.sim, SIM_CRASH, 0);
        disk_set(w.sim, &disks[0]);
        life_check(&w);
        if (w.failed) printf("  life %u of seed %llu, on %s\n", life, (unsigned long long)seed, disk->name);
    }
    if (w.failed)
        printf("  again: SEED=%llu SIM_WORLDS=1 build/release/tests/sim/engine_crash_test worlds\n",
               (unsigned long long)seed);
    for (size_t i = 0; loads && i < sizeof *loads / sizeof(u64); i++)
        ((u64 *)loads)[i] += ((const u64 *)&w.counters)[i];
    for (size_t i = 0; i < sizeof *sealings / sizeof(u64); i++) ((u64 *)sealings)[i] += ((const u64 *)&w.sealings)[i];
    world_end(&w, sum);
    return !w.failed;
}

#define EVENT(name) {#name, &name, 20}

TEST(worlds_survive)
{
    enum { WORLDS = 24, LIVES = 12 };
    u32 worlds = test_worlds(WORLDS);
    struct sim_counters sim = {0};
    struct workload_counters load = {0};
    struct world_counters world = {0};
    struct sealed_counters sealed = {0};
    const struct event events[] = {
        EVENT(sim.faults[SIM_OPEN_ERROR]), EVENT(sim.faults[SIM_READ_ERROR]), EVENT(sim.faults[SIM_WRITE_ERROR]),
        EVENT(sim.faults[SIM_WRITE_FULL]), EVENT(sim.faults[SIM_SYNC_ERROR]), EVENT(sim.faults[SIM_NAME_ERROR]),
        EVENT(sim.faults[SIM_CRASH]),      EVENT(sim.overtaken),              EVENT(sim.delayed),
        EVENT(sim.shortened),              EVENT(sim.writes_kept),            EVENT(sim.writes_lost),
        EVENT(sim.writes_torn),            EVENT(sim.names_kept),             EVENT(sim.names_lost),
        EVENT(sim.syncs_lost),             EVENT(load.acknowledged),          EVENT(load.failed),
        EVENT(load.rolled_back),           EVENT(load.savepoints_undone),     EVENT(load.big),
        EVENT(load.concurrent),            EVENT(load.readers_overtaken),     EVENT(load.passive),
        EVENT(load.full),                  EVENT(load.restart),               EVENT(load.truncate),
        EVENT(load.restarts),              EVENT(load.vacuums),               EVENT(load.incremental_vacuums),
        EVENT(load.errors_read),           EVENT(load.errors_full),           EVENT(world.two_databases),
        EVENT(world.auto_vacuum),          EVENT(world.incremental),          EVENT(world.direct_refused),
        EVENT(sealed.worlds),              EVENT(sealed.keys_begun),          EVENT(sealed.keys_under_way),
        EVENT(sealed.keys_done),
    };
    for (u32 i = 0; events_more(events, COUNT_OF(events), worlds, i); i++)
        if (!world_run(test_seed() + i, LIVES, &sim, &load, &world, &sealed)) return;
    events_check(events, COUNT_OF(events), worlds, worlds != WORLDS);
}

// ---- one life, stopped at each of its operations

// How many changes of the disk the life made, its closing included.
static u64 life_cut(u64 seed, u64 crash_at, struct sim_counters *sum)
{
    struct world w;
    world_begin(&w, seed);
    u64 before = sim_operations(w.sim, SIM_CRASH);
    sim_fault_at(w.sim, SIM_CRASH, crash_at);
    key_replace(&w);
    life_begin(&w, 30, 12);
    struct workload load = workload_of(&w, 0, 3, 3);
    load.quiet = true;
    workload_run(&load, 1);
    w.failed |= load.failed;
    life_end(&w);
    u64 operations = sim_operations(w.sim, SIM_CRASH) - before;
    sim_fault_at(w.sim, SIM_CRASH, 0);
    life_check(&w);
    if (w.failed) printf("  seed %llu, stopped at operation %llu\n", (unsigned long long)seed, (unsigned long long)crash_at);
    world_end(&w, sum);
    return operations;
}

// The first two seeds from ours on whose clients, who choose what they do, have the disk do enough.
TEST(a_life_stopped_anywhere)
{
    enum { LIVES = 2, TRIES = 100, ENOUGH = 20 };
    u32 lives = 0;
    for (u64 seed = test_seed(); lives < LIVES && seed < test_seed() + TRIES; seed++) {
        u64 operations = life_cut(seed, 0, NULL);
        if (operations <= ENOUGH) continue;
        struct sim_counters sum = {0};
        lives++;
        for (u64 at = 1; at <= operations; at++) (void)life_cut(seed, at, &sum);
        CHECK_EQ(sum.faults[SIM_CRASH], operations);
    }
    CHECK_EQ(lives, LIVES);
}

// ---- the same seed, the same run

static void trace_of(u64 seed, struct sim_counters *sim, struct workload_counters *load)
{
    *sim = (struct sim_counters){0};
    *load = (struct workload_counters){0};
    struct world_counters world = {0};
    struct sealed_counters sealed = {0};
    (void)world_run(seed, 4, sim, load, &world, &sealed);
}

TEST(a_seed_gives_the_same_run)
{
    struct sim_counters sims[2];
    struct workload_counters loads[2];
    for (u32 i = 0; i < 2; i++) trace_of(test_seed(), &sims[i], &loads[i]);
    CHECK(memcmp(&sims[0], &sims[1], sizeof sims[0]) == 0);
    CHECK(memcmp(&loads[0], &loads[1], sizeof loads[0]) == 0);
    CHECK(sims[0].operations > 100);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
