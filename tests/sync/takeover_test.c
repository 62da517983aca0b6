// Goal: a node that made its database from the store, and was ended at any moment before the backup was its own, never
// pushes an older state over what the earlier writer had pushed meanwhile: it has that, or it is told.
// Method: two nodes beside each other on a simulated disk and clock, and a store in memory. The second opens from the store (its
// pages on demand, restored in full, or as a replica), is ended after so and so many milliseconds, the first one pushes
// one more row, and the second is started again on what it left. At the end everything that was told to be pushed, by
// whichever of the two, is restored. Disks that fail at a crash tell whether marks that must be durable are.
#include "../../engine/skerry.h"
#include "../../io/sim.h"
#include "../../sync/names.h"
#include "../../sync/remote.h"
#include "../../sync/replica.h"
#include "../../sync/restore.h"
#include "../../sync/sync.h"
#include "../sim/cloud.h"
#include "../test.h"

#define SECOND_NS 1000000000ull
#define MS_NS     1000000ull

enum how { LAZY, FULL, REPLICA };
static const char *const HOWS[] = {"lazy", "full", "replica"};

struct world {
    struct sim *sim;
    struct io *io;
    struct cloud cloud;
};
struct node {
    struct world *w;
    char path[64];
    struct object_store *store;
    struct skerry_engine *engine;
    struct skerry *db;
    struct backup *backup;
    struct remote *remote;
    const struct store_key *key; // of its file; NULL: none
    u64 epoch_claimed; // by a start that was behind
    bool again;        // there was one
    struct completion timer;
    bool merges, partial; // merges soon; its pages come only when they are read
    u64 wal_bytes_max;    // of the next backup that is made; 0: the default
    u32 rows, next_rows, pushed_rows; // of a writer that never pauses: committed; in the store with the next push, and now
    u64 segments;
};

static void world_begin(struct world *w, u64 seed)
{
    struct err err = ERR_CLEAR;
    struct completion c;
    *w = (struct world){.sim = sim_create(seed)};
    w->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w->sim}, &err);
    cloud_init(&w->cloud, seed + 1);
    completion_init(&c, NULL, NULL);
    for (u32 i = 0; i < 3; i++) {
        if (i < 2) io_path_mkdir(w->io, i ? "/tmp" : "/data", &c);
        else io_path_sync_dir(w->io, "/", &c);
        while (c.state == COMPLETION_PENDING) io_step(w->io, SECOND_NS);
    }
}

static void world_end(struct world *w)
{
    io_destroy(w->io);
    sim_destroy(w->sim);
    cloud_deinit(&w->cloud);
}

static void turn(struct world *w, u64 ns)
{
    for (u64 end = io_now_ns(w->io) + ns; io_now_ns(w->io) < end && !sim_is_down(w->io);) io_step(w->io, end - io_now_ns(w->io));
}

static bool exec(struct node *n, const char *sql)
{
    if (skerry_exec(n->db, sql, NULL, NULL) == SKERRY_OK) return true;
    test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(n->db)->text);
    return false;
}

static int count_row(void *context, struct skerry_stmt *s)
{
    *(u64 *)context = (u64)skerry_column_integer(s, 0);
    return 0;
}

// ---- nodes
// -----------------------------------------------------------------------------------------------

static void engine_open(struct node *n)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options engine = {.io = n->w->io, .key = n->key, .temp_dir = "/tmp"};
    if (!skerry_engine_create(&engine, &n->engine, &err) || !skerry_open(n->engine, n->path, SKERRY_OPEN_CREATE, &n->db, &err)) abort();
    exec(n, "SELECT count(*) FROM sqlite_schema");
}

static void engine_close(struct node *n)
{
    struct err err = ERR_CLEAR;
    while (skerry_close(n->db, &err) == SKERRY_WAIT) io_step(n->w->io, SECOND_NS);
    skerry_engine_destroy(n->engine);
}

static void backup_open(struct node *n)
{
    struct err err = ERR_CLEAR;
    struct backup_options o = {.io = n->w->io, .objects = n->store, .name = "db", .database_path = n->path, .interval_ms = 100, .head_interval_ms = 500};
    o.remote = n->remote;
    o.wal_bytes_max = n->wal_bytes_max;
    o.epoch_claimed = n->epoch_claimed;
    o.promote = n->again;
    if (n->merges) {
        static const u64 PERIODS[BACKUP_LEVELS] = {0, 4000, 20000, 80000, 200000}, KEEPS[BACKUP_LEVELS] = {10000, 40000, 160000, 300000, 400000};
        memcpy(o.period_ms, PERIODS, sizeof PERIODS);
        memcpy(o.keep_ms, KEEPS, sizeof KEEPS);
        o.cpu_percent = 100;
    }
    n->backup = backup_create(&o, &err);
    if (!n->backup) abort();
}

static bool remote_begin(struct node *n)
{
    struct err err = ERR_CLEAR;
    struct completion done;
    completion_init(&done, NULL, NULL);
    remote_open(&n->remote,
                &(struct remote_options){.io = n->w->io, .objects = n->store, .name = "db", .path = n->path, .database_key = n->key, .keep = true, .hydrate = !n->partial},
                &done, &err);
    while (done.state != COMPLETION_DONE) io_step(n->w->io, SECOND_NS);
    if (!n->remote) test_fail(__FILE__, __LINE__, "%s: %s", n->path, err.text);
    return n->remote != NULL;
}

static bool restore_begin(struct node *n)
{
    struct restore r = {0};
    completion_init(&r.done, NULL, NULL);
    restore_start(&r, &(struct restore_options){.io = n->w->io, .objects = n->store, .name = "db", .out_path = n->path, .database_key = n->key});
    while (r.done.state != COMPLETION_DONE) io_step(n->w->io, SECOND_NS);
    bool good = r.err.code == ERR_OK && restore_bind(&r);
    if (!good) test_fail(__FILE__, __LINE__, "%s: %s", n->path, r.err.text);
    restore_deinit(&r);
    return good;
}

// Follows until it has what is there now.
static void replica_life(struct node *n)
{
    struct err err = ERR_CLEAR;
    struct replica_status s;
    struct replica *r = replica_create(&(struct replica_options){.io = n->w->io, .objects = n->store, .name = "db", .path = n->path, .poll_ms = 50}, &err);
    if (!r) abort();
    engine_open(n);
    replica_start(r, skerry_store(n->db));
    turn(n->w, 2 * SECOND_NS);
    replica_status_get(r, &s);
    if (s.failed || !s.tx) test_fail(__FILE__, __LINE__, "the replica is at %llu: %s", (unsigned long long)s.tx, s.error);
    replica_stop(r);
    engine_close(n);
    replica_destroy(r);
}

// From the store when there is nothing, else what is here; its backup is made, and not started.
static bool node_open_with(struct node *n, struct world *w, const char *path, enum how how, bool merges)
{
    u64 size;
    *n = (struct node){.w = w, .store = cloud_open(&w->cloud, w->io), .merges = merges, .partial = merges};
    snprintf(n->path, sizeof n->path, "%s", path);
    u8 *there = sim_file_get(w->sim, path, &size);
    free(there);
    if (!there && how == REPLICA) replica_life(n);
    if (!there && how == FULL && !restore_begin(n)) return false;
    if (((!there && how == LAZY) || remote_is_partial(w->io, path)) && !remote_begin(n)) return false;
    backup_open(n);
    engine_open(n);
    return true;
}

static bool node_open(struct node *n, struct world *w, const char *path, enum how how)
{
    return node_open_with(n, w, path, how, false);
}

// What is left to be pushed has so long.
static void node_stop(struct node *n, u64 ns)
{
    struct completion done;
    completion_init(&done, NULL, NULL);
    backup_stop(n->backup, io_now_ns(n->w->io) + ns, &done);
    while (done.state != COMPLETION_DONE) io_step(n->w->io, SECOND_NS);
    engine_close(n);
    backup_destroy(n->backup);
    remote_close(n->remote);
    object_store_close(n->store);
}

// Ended so that nothing more comes from it: what is on its way is not waited for.
static void node_kill(struct node *n)
{
    node_stop(n, 0);
}

// The row is in the store, as the backup says.
static bool row_pushed(struct node *n, u32 id)
{
    struct backup_status s;
    char sql[100];
    snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%u, randomblob(3000))", id);
    exec(n, sql);
    for (u32 i = 0; i < 300; i++) {
        turn(n->w, SECOND_NS / 10);
        backup_status_get(n->backup, &s);
        if (s.state == BACKUP_REFUSED) return false;
        if (s.state == BACKUP_IDLE && !s.behind_since_ms) return true;
    }
    test_fail(__FILE__, __LINE__, "%s does not come to rest: %s", n->path, s.error);
    return false;
}

// Rows with these ids of what a restore gives now.
static u64 restored_rows_of(struct world *w, const struct store_key *key, const char *ids)
{
    static u32 number;
    struct node n = {.w = w, .store = cloud_open(&w->cloud, w->io), .key = key};
    char sql[200];
    u64 count = 0;
    snprintf(n.path, sizeof n.path, "/data/restored-%u.db", number++);
    if (restore_begin(&n)) {
        engine_open(&n);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM t WHERE id IN (%s)", ids);
        if (skerry_exec(n.db, sql, count_row, &count) != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s", skerry_error(n.db)->text);
        engine_close(&n);
    }
    object_store_close(n.store);
    return count;
}

static u64 restored_rows(struct world *w, const char *ids)
{
    return restored_rows_of(w, NULL, ids);
}

static void first_begin(struct node *n, struct world *w)
{
    node_open(n, w, "/data/a.db", FULL + 10);
    exec(n, "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)");
    exec(n, "WITH RECURSIVE s(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM s WHERE i < 400) INSERT INTO t SELECT i, zeroblob(2000) FROM s");
    backup_start(n->backup, skerry_store(n->db));
    if (!row_pushed(n, 1)) test_fail(__FILE__, __LINE__, "the first node cannot push");
    turn(w, 2 * SECOND_NS); // and names it in its head
}

// Until it is the writer, or is told that it cannot be.
static struct backup_status claim_wait(struct node *n)
{
    struct backup_status s;
    for (u32 i = 0; i < 600; i++) {
        turn(n->w, SECOND_NS / 10);
        backup_status_get(n->backup, &s);
        if (s.claimed || s.state == BACKUP_REFUSED) break;
    }
    return s;
}

static struct backup_status claim(struct node *n)
{
    backup_start(n->backup, skerry_store(n->db));
    return claim_wait(n);
}

// The second is ended after `ms`: true when it was the writer by then.
static bool ended_after(enum how how, u32 ms)
{
    struct world w;
    struct node a, b;
    struct backup_status s;
    world_begin(&w, test_seed() + ms);
    first_begin(&a, &w);
    node_open(&b, &w, "/data/b.db", how);
    backup_start(b.backup, skerry_store(b.db));
    turn(&w, ms * MS_NS);
    backup_status_get(b.backup, &s);
    bool writer = s.claimed;
    node_kill(&b);
    // The first one may have been replaced by then: what it was not told to be pushed is its own.
    bool pushed = row_pushed(&a, 2);
    if (pushed && writer) test_fail(__FILE__, __LINE__, "%s, %u ms: both are the writer", HOWS[how], ms);
    node_open(&b, &w, "/data/b.db", how);
    s = claim(&b);
    if (!s.claimed) {
        if (!s.behind) test_fail(__FILE__, __LINE__, "%s, %u ms: the second one cannot go on: %s", HOWS[how], ms, s.error);
        if (!pushed) test_fail(__FILE__, __LINE__, "%s, %u ms: nothing was pushed, and it is said to be behind: %s", HOWS[how], ms, s.error);
        node_kill(&b);
        node_open(&b, &w, "/data/again.db", how);
        s = claim(&b);
    }
    if (!s.claimed || !row_pushed(&b, 3)) test_fail(__FILE__, __LINE__, "%s, %u ms: the second one does not become the writer: %s", HOWS[how], ms, s.error);
    u64 found = restored_rows(&w, "1, 2, 3"), want = 2u + pushed;
    if (found < want) test_fail(__FILE__, __LINE__, "%s, %u ms: %llu rows are restored, and %llu were told to be pushed", HOWS[how], ms, (unsigned long long)found, (unsigned long long)want);
    node_kill(&b);
    node_kill(&a);
    world_end(&w);
    return writer;
}

static void ended_at_each_moment(enum how how)
{
    u32 ms = 0, writers = 0;
    for (; !test_failed() && writers < 3 && ms < 3000; ms += 5) writers += ended_after(how, ms);
    CHECK(ms > 30);
    CHECK(test_failed() || writers == 3);
}

TEST(opened_lazily_and_ended_before_its_claim)
{
    ended_at_each_moment(LAZY);
}

// The backup is of a database without a page: the first commit makes the file, encrypted or not, whether the claim is done or
// under way.
static void first_commit_of_an_empty_backup(const struct store_key *key, u32 ms)
{
    struct world w;
    struct node a, b;
    world_begin(&w, test_seed() + ms);
    node_open(&a, &w, "/data/a.db", FULL + 10);
    backup_start(a.backup, skerry_store(a.db));
    turn(&w, 5 * SECOND_NS);
    node_stop(&a, SECOND_NS);
    b = (struct node){.w = &w, .store = cloud_open(&w.cloud, w.io), .path = "/data/b.db", .key = key};
    if (!remote_begin(&b)) abort();
    backup_open(&b);
    engine_open(&b);
    backup_start(b.backup, skerry_store(b.db));
    turn(&w, ms * MS_NS);
    exec(&b, "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)");
    if (!claim_wait(&b).claimed || !row_pushed(&b, 1)) test_fail(__FILE__, __LINE__, "%u ms: nothing is pushed", ms);
    node_stop(&b, SECOND_NS);
    CHECK(restored_rows_of(&w, key, "1") == 1);
    world_end(&w);
}

TEST(the_first_commit_of_an_empty_backup)
{
    struct store_key key = {.kind = STORE_KEY_BYTES};
    memset(key.bytes, 7, sizeof key.bytes);
    for (u32 ms = 0; ms < 400 && !test_failed(); ms += 10) {
        first_commit_of_an_empty_backup(NULL, ms);
        first_commit_of_an_empty_backup(&key, ms);
    }
}

TEST(restored_and_ended_before_its_claim)
{
    ended_at_each_moment(FULL);
}

TEST(a_replica_is_started_as_the_writer)
{
    ended_at_each_moment(REPLICA);
}

// ---- a writer that is ended with its claim under way
// ------------------------------------------------------------------------------------------

// The first is ended, and again `ms` after its next start, whose claim does not leave it; the second claims what that would
// have, and the first is started once more: it finds out, also when its mark names the very epoch.
static void ended_claiming(u32 ms)
{
    struct world w;
    struct node a, b;
    struct backup_status s;
    world_begin(&w, test_seed() + ms);
    first_begin(&a, &w);
    node_kill(&a);
    node_open(&a, &w, "/data/a.db", FULL + 10);
    cloud_pause(a.store, "/claim/", 1000 * SECOND_NS);
    exec(&a, "INSERT INTO t VALUES (2, zeroblob(3000))");
    backup_start(a.backup, skerry_store(a.db));
    turn(&w, ms * MS_NS);
    node_kill(&a);
    node_open(&b, &w, "/data/b.db", FULL);
    s = claim(&b);
    if (!s.claimed || !row_pushed(&b, 3)) test_fail(__FILE__, __LINE__, "%u ms: the second does not become the writer: %s", ms, s.error);
    node_open(&a, &w, "/data/a.db", FULL + 10);
    s = claim(&a);
    if (s.claimed || s.state != BACKUP_REFUSED) test_fail(__FILE__, __LINE__, "%u ms: the first takes the second's epoch for its own", ms);
    if (!row_pushed(&b, 4)) test_fail(__FILE__, __LINE__, "%u ms: the second is told to stop", ms);
    node_kill(&b);
    node_kill(&a);
    world_end(&w);
}

TEST(a_writer_is_ended_with_its_claim_under_way)
{
    for (u32 ms = 0; !test_failed() && ms < 600; ms += 20) ended_claiming(ms);
}

// ---- a writer that is started again while it is replaced
// ------------------------------------------------------------------------------------------

// The second claims, `ms` later the first is started again, which finds that claim and no push of it yet. What either is told to
// have pushed is there, and one of them goes on. True: the second does.
static bool started_while_replaced(u32 ms)
{
    struct world w;
    struct node a, b;
    struct backup_status s = {0}, of_a;
    world_begin(&w, test_seed() + ms);
    first_begin(&a, &w);
    node_kill(&a);
    node_open(&b, &w, "/data/b.db", FULL);
    node_open(&a, &w, "/data/a.db", FULL + 10);
    exec(&a, "INSERT INTO t VALUES (2, zeroblob(3000))");
    cloud_pause(a.store, "/claim/0000000000000003", 3 * SECOND_NS);
    cloud_pause(b.store, "/L0/", SECOND_NS);
    backup_start(b.backup, skerry_store(b.db));
    turn(&w, ms * MS_NS);
    backup_start(a.backup, skerry_store(a.db));
    for (u32 i = 0; i < 300 && !s.claimed && s.state != BACKUP_REFUSED; i++) {
        turn(&w, SECOND_NS / 10);
        backup_status_get(b.backup, &s);
    }
    bool pushed = s.claimed && row_pushed(&b, 3);
    turn(&w, 30 * SECOND_NS);
    backup_status_get(b.backup, &s);
    backup_status_get(a.backup, &of_a);
    bool goes_on = s.state != BACKUP_REFUSED;
    if (goes_on == (of_a.state != BACKUP_REFUSED)) test_fail(__FILE__, __LINE__, "%u ms: both %s", ms, goes_on ? "go on" : "are told to stop");
    if (pushed && !restored_rows(&w, "3")) test_fail(__FILE__, __LINE__, "%u ms: a row that was told to be pushed is not restored", ms);
    node_kill(&b);
    node_kill(&a);
    world_end(&w);
    return goes_on;
}

TEST(a_writer_is_started_again_while_it_is_replaced)
{
    u32 seconds = 0;
    for (u32 ms = 0; !test_failed() && ms < 600; ms += 20) seconds += started_while_replaced(ms);
    CHECK(test_failed() || seconds > 10);
}

// Started again during a takeover, the first waits, looks, and claims; the second pushes between that look and that claim, and the
// first is ended before a push of its own could find it. Its next start has to.
TEST(a_writer_is_ended_between_its_late_claim_and_its_push)
{
    struct world w;
    struct node a, b;
    struct backup_status s;
    struct backup_mark mark;
    world_begin(&w, test_seed());
    first_begin(&a, &w);
    node_kill(&a);
    node_open(&b, &w, "/data/b.db", FULL);
    node_open(&a, &w, "/data/a.db", FULL + 10);
    exec(&a, "INSERT INTO t VALUES (2, zeroblob(3000))");
    cloud_pause(a.store, "/claim/0000000000000003", 3 * SECOND_NS);
    cloud_pause(b.store, "/L0/", 11 * SECOND_NS);
    backup_start(b.backup, skerry_store(b.db));
    turn(&w, 300 * MS_NS);
    backup_start(a.backup, skerry_store(a.db));
    turn(&w, 11 * SECOND_NS);
    cloud_pause(a.store, "/L0/", 1000 * SECOND_NS);
    CHECK(row_pushed(&b, 3));
    turn(&w, 5 * SECOND_NS);
    backup_status_get(a.backup, &s);
    node_kill(&a);
    CHECK(backup_mark_read(w.io, a.path, &mark) && mark.epoch == 3 && !mark.claim[0] && !s.claimed);
    node_open(&a, &w, "/data/a.db", FULL + 10);
    s = claim(&a);
    CHECK(!s.claimed && s.state == BACKUP_REFUSED);
    node_kill(&b); // it may have met the first's claim
    node_open(&b, &w, "/data/b.db", FULL);
    s = claim(&b);
    CHECK(s.claimed && row_pushed(&b, 4));
    CHECK_EQ(restored_rows(&w, "3, 4"), 2);
    node_kill(&b);
    node_kill(&a);
    world_end(&w);
}

// ---- a writer that never pauses
// ------------------------------------------------------------------------------------------

static void on_timer(struct completion *c)
{
    struct node *n = c->context;
    struct backup_status s;
    char sql[100];
    backup_status_get(n->backup, &s);
    if (s.state == BACKUP_REFUSED) return;
    if (s.pushed_segments != n->segments) { // the next push begins now, or a row ago
        n->segments = s.pushed_segments;
        n->pushed_rows = n->next_rows;
        n->next_rows = n->rows ? n->rows - 1 : 0;
    }
    snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%u, randomblob(300))", 1000 + n->rows);
    if (exec(n, sql)) n->rows++;
    io_timeout(n->w->io, 30 * MS_NS, &n->timer);
}

// The second's requests take so long that it has always pushed again when the second knows what to go on from.
static void never_pauses(enum how how)
{
    struct world w;
    struct node a, b;
    struct backup_status s = {0};
    char path[64], ids[100];
    u32 round = 0;
    u64 epoch = 0;
    world_begin(&w, test_seed());
    first_begin(&a, &w);
    completion_init(&a.timer, on_timer, &a);
    on_timer(&a.timer);
    turn(&w, 3 * SECOND_NS);
    for (; !test_failed() && !s.claimed && round < 12; round++) {
        snprintf(path, sizeof path, "/data/b%u.db", round);
        if (!node_open(&b, &w, path, how)) break;
        backup_destroy(b.backup);
        b.epoch_claimed = epoch;
        b.again = round > 0;
        backup_open(&b);
        cloud_far(b.store, SECOND_NS / 2);
        s = claim(&b);
        epoch = s.epoch_claimed;
        if (s.claimed) break;
        CHECK(s.behind);
        node_kill(&b);
    }
    if (!s.claimed) test_fail(__FILE__, __LINE__, "%s: after %u rounds the second is not the writer: %s", HOWS[how], round, s.error);
    REQUIRE(s.claimed);
    turn(&w, 20 * SECOND_NS);
    backup_status_get(a.backup, &s);
    CHECK_EQ(s.state, BACKUP_REFUSED);
    CHECK(row_pushed(&b, 3));
    CHECK(a.pushed_rows > 10);
    snprintf(ids, sizeof ids, "WITH RECURSIVE s(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM s WHERE i < %u) SELECT i FROM s", 999 + a.pushed_rows);
    CHECK_EQ(restored_rows(&w, ids), a.pushed_rows);
    node_kill(&b);
    node_kill(&a);
    world_end(&w);
}

TEST(a_writer_that_never_pauses_makes_way)
{
    never_pauses(LAZY);
    never_pauses(REPLICA);
}

// ---- pages that have not arrived
// ------------------------------------------------------------------------------------------

// A state that is by itself in the store ends a segment's name.
static bool state_is_there(struct world *w, u64 tx)
{
    char end[40];
    snprintf(end, sizeof end, "-%016llx", (unsigned long long)tx);
    for (u32 i = 0; i < w->cloud.count; i++) {
        size_t size = strlen(w->cloud.objects[i].key);
        if (size > 17 && strcmp(w->cloud.objects[i].key + size - 17, end) == 0) return true;
    }
    return false;
}

// The state that it was opened from is in the store no more, and the power is cut: what it knows of its later ones has to do.
static void power_cut_while_partial(u64 seed)
{
    struct world w;
    struct node a, b;
    struct err err = ERR_CLEAR;
    struct backup_status s;
    world_begin(&w, seed);
    first_begin(&a, &w);
    row_pushed(&a, 2); // an image is not let go
    node_kill(&a);
    node_open_with(&b, &w, "/data/b.db", LAZY, true);
    s = claim(&b);
    u64 opened = s.tx - 1; // the claim comes after it
    u32 id = 10;
    for (; id < 90 && state_is_there(&w, opened); id++) {
        if (!row_pushed(&b, id)) test_fail(__FILE__, __LINE__, "cannot push");
        turn(&w, 10 * SECOND_NS);
    }
    CHECK(!state_is_there(&w, opened));
    sim_crash(w.sim);
    node_kill(&b);
    io_destroy(w.io);
    w.io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w.sim}, &err);
    u64 count = 0;
    if (node_open_with(&b, &w, "/data/b.db", LAZY, true)) {
        if (skerry_exec(b.db, "SELECT count(*) FROM t WHERE length(v) > 0", count_row, &count) != SKERRY_OK) test_fail(__FILE__, __LINE__, "seed %llu: %s", (unsigned long long)seed, skerry_error(b.db)->text);
        CHECK_EQ(count, 303u + id - 10);
        node_kill(&b);
    }
    world_end(&w);
}

TEST(a_power_cut_while_pages_are_in_the_store)
{
    for (u32 i = 0; i < 12 && !test_failed(); i++) power_cut_while_partial(test_seed() + i);
}

static void power_cut(struct world *w, struct node *n)
{
    struct err err = ERR_CLEAR;
    sim_crash(w->sim);
    node_kill(n);
    io_destroy(w->io);
    w->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w->sim}, &err);
}

// A sync of the file fails, and what it should have covered is not on the disk, whatever later syncs say: it is fetched again,
// and what was written here is copied from the log again.
static void failed_sync_while_partial(u64 seed, u32 nth)
{
    struct world w;
    struct node a, b;
    u64 count = 0;
    world_begin(&w, seed);
    first_begin(&a, &w);
    node_kill(&a);
    node_open_with(&b, &w, "/data/b.db", LAZY, true);
    CHECK(claim(&b).claimed);
    sim_fault_at(w.sim, SIM_SYNC_ERROR, nth);
    for (u32 i = 0; i < 12; i++) {
        char sql[100];
        snprintf(sql, sizeof sql, "SELECT sum(length(v)) FROM t WHERE id BETWEEN %u AND %u", 100 + 25 * i, 124 + 25 * i);
        exec(&b, sql);
        turn(&w, SECOND_NS / 2);
        snprintf(sql, sizeof sql, "UPDATE t SET v = randomblob(2001) WHERE id = %u", 110 + 25 * i);
        (void)skerry_exec(b.db, sql, NULL, NULL);
        (void)skerry_exec(b.db, i % 2 ? "PRAGMA wal_checkpoint" : "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL);
        turn(&w, SECOND_NS);
    }
    sim_fault_at(w.sim, SIM_SYNC_ERROR, 0);
    (void)skerry_exec(b.db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL);
    turn(&w, 3 * SECOND_NS);
    power_cut(&w, &b);
    if (node_open_with(&b, &w, "/data/b.db", LAZY, true)) {
        if (skerry_exec(b.db, "SELECT count(*) FROM t WHERE length(v) > 0", count_row, &count) != SKERRY_OK)
            test_fail(__FILE__, __LINE__, "sync %u, seed %llu: %s", nth, (unsigned long long)seed, skerry_error(b.db)->text);
        CHECK_EQ(count, 302);
        node_kill(&b);
    }
    world_end(&w);
}

TEST(a_sync_fails_while_pages_are_in_the_store)
{
    for (u32 nth = 1; nth < 60 && !test_failed(); nth++) failed_sync_while_partial(test_seed() + nth, nth);
}

// Stopped with all of it pushed, the node is started again while the store is away, writes, and is stopped with more of a log
// than it may keep: its file has what the store has not, and no log is left that says so. `crashes`: the machine goes instead.
static void written_while_away(u64 seed, bool crashes)
{
    struct world w;
    struct node a, b;
    world_begin(&w, seed);
    first_begin(&a, &w);
    node_kill(&a);
    node_open_with(&b, &w, "/data/b.db", LAZY, true);
    CHECK(claim(&b).claimed && row_pushed(&b, 2));
    turn(&w, 2 * SECOND_NS); // its head, too
    node_stop(&b, 60 * SECOND_NS);
    w.cloud.away = true;
    node_open_with(&b, &w, "/data/b.db", LAZY, true);
    backup_destroy(b.backup);
    b.wal_bytes_max = 20000;
    backup_open(&b);
    backup_start(b.backup, skerry_store(b.db));
    for (u32 i = 3; i < 30; i++) {
        char sql[100];
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%u, zeroblob(3000))", i);
        exec(&b, sql);
        turn(&w, SECOND_NS);
    }
    exec(&b, "PRAGMA wal_checkpoint(TRUNCATE)");
    if (crashes) power_cut(&w, &b);
    else node_kill(&b);
    w.cloud.away = false;
    CHECK(node_open_with(&b, &w, "/data/b.db", LAZY, true));
    CHECK(claim(&b).claimed && row_pushed(&b, 30));
    CHECK_EQ(restored_rows(&w, "1, 2, 3, 4, 29, 30"), 6);
    node_kill(&b);
    world_end(&w);
}

TEST(a_file_that_is_not_whole_is_written_to_while_the_store_is_away)
{
    for (u32 i = 0; i < 4 && !test_failed(); i++) written_while_away(test_seed() + i, i % 2);
}

// A store without put-if-absent has it at last: what was pushed to a lineage of its own is gone on with, and what pages were is
// not looked up in the lineage that they come from.
TEST(pages_come_from_an_earlier_lineage)
{
    struct world w;
    struct node a, b;
    struct backup_mark mark = {0};
    world_begin(&w, test_seed());
    first_begin(&a, &w);
    exec(&a, "WITH RECURSIVE s(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM s WHERE i < 4000) INSERT INTO t SELECT i, randomblob(2000) FROM s");
    exec(&a, "DELETE FROM t WHERE id > 150");
    if (!row_pushed(&a, 2)) test_fail(__FILE__, __LINE__, "the first node cannot push");
    turn(&w, 2 * SECOND_NS);
    node_kill(&a);
    w.cloud.conditions_ignored = true;
    node_open_with(&b, &w, "/data/b.db", LAZY, true);
    cloud_pause(b.store, "/L4/", 1000 * SECOND_NS);
    CHECK(claim(&b).claimed);
    power_cut(&w, &b);
    node_open_with(&b, &w, "/data/b.db", LAZY, true);
    CHECK(!backup_unclaimed(b.backup));
    exec(&b, "VACUUM"); // what was free does not come
    CHECK(claim(&b).claimed && row_pushed(&b, 3));
    power_cut(&w, &b);
    w.cloud.conditions_ignored = false;
    CHECK(remote_is_partial(w.io, "/data/b.db") && backup_mark_read(w.io, "/data/b.db", &mark));
    node_open_with(&b, &w, "/data/b.db", LAZY, true);
    exec(&b, "UPDATE t SET v = randomblob(2002) WHERE id % 7 = 0");
    CHECK(claim(&b).claimed && row_pushed(&b, 4));
    CHECK(backup_mark_read(w.io, "/data/b.db", &mark));
    node_kill(&b);
    CHECK_EQ(restored_rows(&w, "1, 2, 3, 4"), 4);
    world_end(&w);
}

// Two databases begin at one empty place: one of them is its backup, and the other is told that it is not.
static void two_databases(u32 ms)
{
    struct world w;
    struct node n[2];
    struct backup_status s[2];
    world_begin(&w, test_seed() + ms);
    for (u32 i = 0; i < 2; i++) {
        char sql[100];
        node_open(&n[i], &w, i ? "/data/b.db" : "/data/a.db", FULL + 10);
        exec(&n[i], "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)");
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%u, zeroblob(100000))", 1 + i);
        exec(&n[i], sql);
    }
    cloud_far(n[0].store, SECOND_NS / 10);
    cloud_far(n[1].store, ms % 3 * SECOND_NS / 5);
    backup_start(n[0].backup, skerry_store(n[0].db));
    turn(&w, ms * MS_NS);
    backup_start(n[1].backup, skerry_store(n[1].db));
    for (u32 k = 0; k < 60; k++) {
        turn(&w, 2 * SECOND_NS);
        for (u32 i = 0; i < 2; i++) exec(&n[i], "INSERT INTO t VALUES (NULL, zeroblob(100))");
    }
    for (u32 i = 0; i < 2; i++) backup_status_get(n[i].backup, &s[i]);
    bool first = s[0].state != BACKUP_REFUSED, second = s[1].state != BACKUP_REFUSED;
    if (first == second) test_fail(__FILE__, __LINE__, "%u ms: %s: %s", ms, first ? "both go on" : "none goes on", s[0].error);
    if (!strstr(s[first].error, "another database")) test_fail(__FILE__, __LINE__, "%u ms: %s", ms, s[first].error);
    if (first != second && restored_rows(&w, first ? "1" : "2") != 1) test_fail(__FILE__, __LINE__, "%u ms: the other one is restored", ms);
    node_kill(&n[0]);
    node_kill(&n[1]);
    world_end(&w);
}

TEST(two_databases_begin_at_one_place)
{
    for (u32 ms = 0; ms < 1500 && !test_failed(); ms += 20) two_databases(ms);
}

// ---- a store that lists nothing for a while
// ------------------------------------------------------------------------------------------

// It is not taken for one without pushes: the second has what the first has pushed, or is told.
TEST(listings_that_lack_all_pushes)
{
    struct world w;
    struct node a, b;
    struct backup_status s;
    for (u32 i = 0; i < 2; i++) {
        world_begin(&w, test_seed());
        first_begin(&a, &w);
        node_open(&b, &w, "/data/b.db", FULL);
        if (!row_pushed(&a, 2)) test_fail(__FILE__, __LINE__, "the first node cannot push");
        turn(&w, 2 * SECOND_NS);
        if (i) node_kill(&a);
        w.cloud.partial_list = 1000;
        w.cloud.unlisted_ms = 10000000;
        backup_start(b.backup, skerry_store(b.db));
        turn(&w, 100 * SECOND_NS);
        backup_status_get(b.backup, &s);
        CHECK(!s.claimed);
        w.cloud.partial_list = 0;
        turn(&w, 100 * SECOND_NS);
        backup_status_get(b.backup, &s);
        if (!s.behind) test_fail(__FILE__, __LINE__, "the second is not told that it is behind: %s", s.error);
        node_kill(&b);
        if (!i) node_kill(&a);
        CHECK_EQ(restored_rows(&w, "1, 2"), 2);
        world_end(&w);
    }
}

// Nor is what they have, where it is a state from before the one that a database was opened from, where its missing pages come from.
TEST(listings_that_are_behind_what_was_opened)
{
    struct world w;
    struct node a, b;
    struct backup_status s;
    u64 count = 0;
    world_begin(&w, test_seed());
    first_begin(&a, &w);
    turn(&w, 100 * SECOND_NS);
    exec(&a, "UPDATE t SET v = randomblob(2001) WHERE id >= 150");
    if (!row_pushed(&a, 2)) test_fail(__FILE__, __LINE__, "the first node cannot push");
    turn(&w, 2 * SECOND_NS);
    node_kill(&a);
    node_open_with(&b, &w, "/data/b.db", LAZY, true);
    s = claim(&b);
    CHECK(s.claimed);
    turn(&w, 2 * SECOND_NS);
    node_kill(&b);
    w.cloud.partial_list = 1000;
    w.cloud.unlisted_ms = 60000;
    node_open_with(&b, &w, "/data/b.db", LAZY, true);
    static const char *const LENGTH = "SELECT length(v) FROM t WHERE id = 390";
    if (skerry_exec(b.db, LENGTH, count_row, &count) == SKERRY_OK) CHECK_EQ(count, 2001u); // or it has not arrived
    w.cloud.partial_list = 0;
    turn(&w, 10 * SECOND_NS);
    if (skerry_exec(b.db, LENGTH, count_row, &count) != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s", skerry_error(b.db)->text);
    CHECK_EQ(count, 2001u);
    node_kill(&b);
    world_end(&w);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
