// Goal: a replica that streams from a node shows only states that its writer had, each not older than the one before, and
// comes to the newest, page for page, when the network is well again; whatever became of either of them meanwhile.
// Method: one seed makes a world of two machines, each with a simulated disk and a clock of its own: a writer with its feed
// (node/feed.h) and a replica (sync/replica.h), and between them a simulated connection (tests/sim/wire.h). Both crash at
// some operation of the disk and are stopped cleanly; the writer checkpoints, begins its log anew, vacuums; either volume is
// put back to an earlier state; another program writes to the replica's file, its disk is full for a while, its volume is
// lost. In every other world the writer pushes to a simulated store (tests/sim/cloud.h), and the replica follows that or the
// writer; at the end it is promoted (node/follower.h), when the writer has died or while it goes on: it has what was told to
// be pushed, the writer is told that it was replaced, and what a restore gives is the new writer's state. The database holds
// the number of its newest transaction, which is never used again, so a state that is read says which it must equal. Events
// are counted: one that never came fails the test. SIM_WORLDS=n runs n worlds from SEED on (20; with AddressSanitizer 5).
#include "../../node/feed.h"
#include "../../node/follower.h"
#include "../../node/log.h"
#include "../../sync/restore.h"
#include "cloud.h"
#include "events.h"
#include "machine.h"
#include "wire.h"

#define ROWS       50u
#define SERIAL_MAX 3000u
#define EVENTS_MAX 6000u
#define MS         1000000ull
#define SECOND_NS  1000000000ull
struct counters {
    struct wire_counters wire;
    struct cloud_counters cloud;
    u64 promotions, promotions_failed, promotions_cut, of_dead_writers, fenced, restored, from_store, pushes_noted;
    u64 commits, observed, converged, writer_crashes, writer_stops, writer_rolled_back, replica_crashes, replica_stops, replica_rolled_back, replica_lost,
        foreign_writes, vacuums, checkpoints, log_restarts, in_doubt, first_copies, first_copies_failed, first_copies_spared, whole, parts_again, parts_again_first, disk_full;
};
struct world {
    u64 seed, start_seed;
    struct counters *counters;
    struct machine writer, replica_machine;
    struct feed *feed;
    struct follower *replica;
    // The store that the writer pushes to.
    bool stores, follows_store; // the replica follows it, and not the writer
    struct cloud cloud;
    u32 pushed_event; // the newest that was told to be there
    bool unplaced; // the replica's machine has crashed, and it has not heard of the writer since
    bool promotes;
    int promotion; // the status that a promotion was answered with; 0: it goes on
    bool replica_started;
    u64 now_ns;
    bool turning; // the writer's loop, from within the replica's
    // The writer's states.
    u16 rows[SERIAL_MAX][ROWS];
    u32 serial, current, doubt; // doubt: a commit that was not answered; 0: none
    u32 events[EVENTS_MAX], event_count; // which state it was in, one after the other
    u32 seen_event;
    bool seen_doubt, strange; // strange: another program wrote to the replica
    struct volume writer_volume, replica_volume;
    struct wire wire;
    bool failed;
};

static void world_failed(struct world *w, const char *what, const char *why)
{
    if (!w->failed) test_fail(__FILE__, __LINE__, "seed %llu, at %llu ms: %s: %s", (unsigned long long)w->start_seed, (unsigned long long)(w->now_ns / MS), what, why);
    w->failed = true;
}

static u64 chance(struct world *w, u64 n)
{
    return test_random(&w->seed) % n;
}

static void on_log(void *context, enum sync_log_level level, const char *event, const char *text)
{
    struct world *w = context;
    (void)level;
    if (strcmp(event, "replica.part_again") == 0) ++*(w->replica_started ? &w->counters->parts_again : &w->counters->parts_again_first);
    u32 pages, came;
    bool copied = strcmp(event, "replica.copied") == 0 && sscanf(text, "%u pages from %*s of which %u came", &pages, &came) == 2;
    w->counters->first_copies_spared += copied && came < pages;
    if (getenv("SIM_LOG")) printf("    [%llu] %s: %s\n", (unsigned long long)(w->now_ns / MS), event, text);
}

static void note(struct world *w, const char *what)
{
    on_log(w, SYNC_LOG_INFO, "world", what);
}

// ---- clocks
// ------------------------------------------------------------------------------------------------

// The writer's clock comes up with the replica's.
static void writer_turn(struct world *w)
{
    if (w->turning || !w->replica_machine.io || sim_is_down(w->replica_machine.io)) return;
    w->turning = true;
    machine_turn(&w->writer, machine_now(&w->replica_machine));
    w->turning = false;
}

static void follower_run(struct world *w)
{
    struct machine *m = &w->replica_machine;
    if (!w->replica_started || sim_is_down(m->io) || !follower_turn(w->replica, &m->backup)) return;
    follower_stop(w->replica);
    follower_destroy(w->replica);
    w->replica = NULL;
    w->replica_started = false;
}

static void clocks_meet(struct world *w)
{
    if (w->replica_machine.io && !sim_is_down(w->replica_machine.io)) w->now_ns = MAX(w->now_ns, machine_now(&w->replica_machine));
    if (w->writer.io && !sim_is_down(w->writer.io)) w->now_ns = MAX(w->now_ns, machine_now(&w->writer));
    machine_turn(&w->replica_machine, w->now_ns);
    machine_turn(&w->writer, w->now_ns);
    follower_run(w);
}

static void turn(struct world *w, u64 ns)
{
    u64 end = w->now_ns + ns;
    while (w->now_ns < end) {
        w->now_ns = MIN(end, w->now_ns + 10 * MS);
        clocks_meet(w);
    }
}

// ---- the network
// -----------------------------------------------------------------------------------------------

static struct io *client_io(void *context)
{
    return ((struct world *)context)->replica_machine.io;
}

static u64 client_now_ns(void *context)
{
    return machine_now(&((struct world *)context)->replica_machine);
}

static void server_turn(void *context)
{
    writer_turn(context);
}

static void serve(void *context, struct http_exchange *x)
{
    struct world *w = context;
    feed_handle(w->feed, x, w->writer.backup);
}

// ---- machines
// -----------------------------------------------------------------------------------------------

// By chance at some operation of the disk to come.
static void crash_soon(struct world *w, struct machine *m, u32 one_in)
{
    static const u32 within[] = {5, 40, 300};
    sim_fault_at(m->sim, SIM_CRASH, chance(w, one_in) ? 0 : 1 + chance(w, within[chance(w, COUNT_OF(within))]));
}

// ---- the writer
// ----------------------------------------------------------------------------------------------------

static void event_add(struct world *w, u32 serial)
{
    w->current = serial;
    if (w->event_count < EVENTS_MAX) w->events[w->event_count++] = serial;
}

static bool exec(struct world *w, struct machine *m, const char *sql)
{
    if (skerry_exec(m->db, sql, NULL, NULL) == SKERRY_OK) return true;
    if (!sim_is_down(m->io)) world_failed(w, sql, skerry_error(m->db)->text);
    return false;
}

static int number_row(void *context, struct skerry_stmt *s)
{
    *(u32 *)context = (u32)skerry_column_integer(s, 0);
    return 0;
}

static void writer_down(struct world *w)
{
    struct counters *n = w->counters;
    wire_server_down(&w->wire);
    if (w->feed) {
        struct buffer text = {0};
        feed_metrics(w->feed, &text);
        buffer_add(&text, "", 1);
        const char *at = text.bytes ? strstr(text.bytes, "\nskerry_feed_whole_total ") : NULL;
        if (at) n->whole += strtoull(at + 25, NULL, 10);
        buffer_deinit(&text);
        feed_stop(w->feed);
    }
    machine_down(&w->writer);
    feed_destroy(w->feed);
    w->feed = NULL;
    if (w->wire.exchanges) world_failed(w, "the feed", "an exchange was never answered");
}

static bool backup_make(struct world *w, struct machine *m, bool promote, u64 epoch_claimed, struct backup **out)
{
    struct err err = ERR_CLEAR;
    *out = backup_create(&(struct backup_options){.io = m->io, .objects = m->objects, .name = "db", .database_path = MACHINE_PATH,
                                                  .interval_ms = 500, .head_interval_ms = 2000, .cpu_percent = 100,
                                                  .period_ms = {0, 4000, 20000, 80000, 200000},
                                                  .keep_ms = {10000, 40000, 160000, 300000, 2000000}, .promote = promote,
                                                  .epoch_claimed = epoch_claimed, .log = on_log, .log_context = w},
                         &err);
    return *out != NULL;
}

// What the writer says that is in the store.
static void pushed_note(struct world *w)
{
    struct backup_status s;
    if (!w->feed || !w->writer.backup || w->doubt || sim_is_down(w->writer.io)) return;
    backup_status_get(w->writer.backup, &s);
    if (s.state != BACKUP_IDLE || s.behind_since_ms || !s.tx) return;
    w->counters->pushes_noted += w->pushed_event != w->event_count - 1;
    w->pushed_event = w->event_count - 1;
}

static void writer_up(struct world *w)
{
    struct machine *m = &w->writer;
    struct err err = ERR_CLEAR;
    for (u32 i = 0; i < 50 && !w->feed && !w->failed; i++) {
        if (!m->io) machine_up(m, w->now_ns);
        crash_soon(w, m, 8);
        if (w->stores) m->objects = cloud_open(&w->cloud, m->io);
        if (w->stores && !backup_make(w, m, false, 0, &m->backup)) abort();
        machine_open(m);
        u32 serial = 0;
        bool good = exec(w, m, "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v TEXT)") && exec(w, m, "CREATE TABLE IF NOT EXISTS meta(k)") &&
                    exec(w, m, "INSERT INTO meta SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM meta)") &&
                    skerry_exec(m->db, "SELECT k FROM meta", number_row, &serial) == SKERRY_OK;
        if (!good && !w->failed && !sim_is_down(m->io)) world_failed(w, "the writer", skerry_error(m->db)->text);
        if (!good) {
            w->counters->writer_crashes++;
            if (m->backup) backup_destroy(m->backup); // it was not started
            m->backup = NULL;
            machine_down(m);
            continue;
        }
        if (serial != w->current && serial != w->doubt) world_failed(w, "the writer after recovery", "it is in another state than it was told");
        if (w->seen_doubt && serial != w->doubt) world_failed(w, "the writer after recovery", "a commit that it had sent is not there");
        if (serial != w->current || !w->event_count) event_add(w, serial);
        w->doubt = 0;
        w->seen_doubt = false;
        if (m->backup) backup_start(m->backup, skerry_store(m->db));
        w->feed = feed_create(m->io, skerry_store(m->db), 30000, &err);
        if (!w->feed) abort();
        w->wire.listens = true;
    }
}

static void writer_crashed(struct world *w)
{
    if (!w->writer.io || !sim_is_down(w->writer.io)) return;
    note(w, "the writer crashes");
    w->counters->writer_crashes++;
    writer_down(w);
    turn(w, chance(w, 3) * chance(w, 60 * SECOND_NS));
    writer_up(w);
}

// The next state, from the current one.
static void commit_on(struct world *w, struct machine *m)
{
    char sql[300];
    u32 k = w->serial + 1, changes = 1 + (u32)chance(w, chance(w, 10) ? 4 : ROWS);
    if (k >= SERIAL_MAX || w->event_count + 2 >= EVENTS_MAX) return;
    w->serial = k;
    memcpy(w->rows[k], w->rows[w->current], sizeof w->rows[k]);
    bool good = exec(w, m, "BEGIN IMMEDIATE");
    for (u32 i = 0; i < changes && good; i++) {
        u32 id = (u32)chance(w, ROWS);
        bool goes = chance(w, 8) == 0;
        w->rows[k][id] = goes ? 0 : (u16)k;
        if (goes) snprintf(sql, sizeof sql, "DELETE FROM t WHERE id = %u", id);
        else snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO t VALUES (%u, '%u:' || hex(randomblob(%u)))", id, k, (u32)chance(w, chance(w, 5) ? 300 : 9000));
        good = exec(w, m, sql);
    }
    snprintf(sql, sizeof sql, "UPDATE meta SET k = %u", k);
    good = good && exec(w, m, sql);
    if (!good) return;
    w->doubt = k;
    if (!exec(w, m, "COMMIT")) {
        w->counters->in_doubt++;
        return;
    }
    w->doubt = 0;
    w->seen_doubt = false;
    w->counters->commits++;
    event_add(w, k);
    clocks_meet(w);
}

static void commit(struct world *w)
{
    commit_on(w, &w->writer);
}

static void writer_roll_back(struct world *w)
{
    if (!w->writer_volume.there) return;
    note(w, "the writer's volume is put back");
    w->counters->writer_rolled_back++;
    sim_crash(w->writer.sim);
    writer_down(w);
    volume_put(&w->writer, &w->writer_volume);
    w->doubt = 0;
    w->seen_doubt = false;
    event_add(w, w->writer_volume.at);
    writer_up(w);
    // Other commits come to the places of those that are gone, before the replica can ask.
    bool away = w->wire.away;
    w->wire.away = w->wire.away || chance(w, 2);
    for (u64 i = chance(w, 30); i && w->feed && !sim_is_down(w->writer.io); i--) commit(w);
    w->wire.away = away;
}

// ---- the replica
// ----------------------------------------------------------------------------------------------------

static void replica_down(struct world *w)
{
    struct machine *m = &w->replica_machine;
    if (w->replica_started) follower_stop(w->replica);
    w->replica_started = false;
    machine_close(m);
    follower_destroy(w->replica);
    w->replica = NULL;
    if (m->io) {
        if (w->wire.call) world_failed(w, "the replica", "a request outlives it");
        machine_down(m);
    }
}

static bool promoted_backup(void *context, u64 epoch_claimed, struct backup **out, struct err *err)
{
    struct world *w = context;
    (void)err;
    return backup_make(w, &w->replica_machine, true, epoch_claimed, out);
}

static void replica_up(struct world *w)
{
    struct machine *m = &w->replica_machine;
    struct err err = ERR_CLEAR;
    u64 size;
    machine_up(m, w->now_ns);
    u8 *there = sim_file_get(m->sim, MACHINE_PATH, &size);
    bool first = !there && !w->follows_store;
    free(there);
    crash_soon(w, m, first ? 2 : 4);
    if (w->stores) m->objects = cloud_open(&w->cloud, m->io);
    struct replica_options r = {.io = m->io, .objects = m->objects, .http = (struct io_http *)w, .name = "db", .path = MACHINE_PATH, .log = on_log,
                                .log_context = w, .node = w->follows_store ? NULL : "http://writer"};
    w->replica = follower_create(&(struct follower_options){.replica = r, .backup_create = promoted_backup, .context = w}, &err);
    if (w->replica && first) w->counters->first_copies++;
    if (!w->replica) {
        w->counters->first_copies_failed += first;
        if (!first && !sim_is_down(m->io)) world_failed(w, "the replica does not start", err.text);
        replica_down(w);
        return;
    }
    machine_open(m);
    if (skerry_exec(m->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL) != SKERRY_OK) {
        if (!sim_is_down(m->io)) world_failed(w, "the replica's database", skerry_error(m->db)->text);
        w->counters->replica_crashes++;
        replica_down(w);
        return;
    }
    follower_start(w->replica, skerry_store(m->db));
    w->replica_started = true;
}

static void replica_crashed(struct world *w)
{
    if (!w->replica_machine.io || !sim_is_down(w->replica_machine.io)) return;
    note(w, "the replica crashes");
    w->unplaced = true;
    w->counters->replica_crashes++;
    replica_down(w);
    turn(w, chance(w, 3) * chance(w, 60 * SECOND_NS));
}

struct view {
    u32 k, rows;
    u16 ids[ROWS];
};

static int view_row(void *context, struct skerry_stmt *s)
{
    struct view *v = context;
    v->k = (u32)skerry_column_integer(s, 0);
    if (skerry_column_type(s, 1) == VALUE_NULL) return 0;
    u32 id = (u32)skerry_column_integer(s, 1), by = 0;
    size_t size;
    const char *text = skerry_column_text(s, 2, &size);
    v->rows++;
    if (id < ROWS && text && sscanf(text, "%u:", &by) == 1) v->ids[id] = (u16)by;
    return 0;
}

static bool replica_is(struct world *w, const char *state)
{
    struct buffer health = {0};
    char want[60];
    snprintf(want, sizeof want, "\"state\":\"%s\"", state);
    follower_health(w->replica, &health);
    buffer_add(&health, "", 1);
    bool is = strstr(health.bytes, want) != NULL;
    if (strstr(health.bytes, "\"state\":\"failed\"")) world_failed(w, "the replica", health.bytes);
    buffer_deinit(&health);
    return is;
}

static bool empty(struct machine *m)
{
    u32 count = 1;
    return skerry_exec(m->db, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'", number_row, &count) == SKERRY_OK && !count;
}

static void observe(struct world *w)
{
    struct machine *m = &w->replica_machine;
    struct view v = {0};
    char why[200];
    if (!m->engine || (w->follows_store && empty(m)) || sim_is_down(m->io) || w->strange) return;
    if (skerry_exec(m->db, "SELECT k, id, v FROM meta LEFT JOIN t", view_row, &v) != SKERRY_OK) {
        if (!sim_is_down(m->io)) world_failed(w, "reading the replica", skerry_error(m->db)->text);
        return;
    }
    w->counters->observed++;
    if (v.k > w->serial || memcmp(v.ids, w->rows[v.k], sizeof v.ids) != 0) {
        snprintf(why, sizeof why, "its rows are not those of state %u", v.k);
        world_failed(w, "the replica", why);
        return;
    }
    if (w->doubt && v.k == w->doubt) { // durable, and not told yet
        w->seen_doubt = true;
        return;
    }
    // Where it is in the writer's log may be lost by a crash: without the writer, what is found in the store has to do, and what
    // was pushed is here when the promotion has ended.
    if (w->replica_started && replica_is(w, "following")) w->unplaced = false;
    if (w->unplaced && w->promotes && !w->follows_store) w->seen_event = 0;
    u32 e = w->seen_event;
    while (e < w->event_count && w->events[e] != v.k) e++;
    if (e == w->event_count) {
        snprintf(why, sizeof why, "it shows state %u, and showed %u before; the writer is at %u", v.k, w->events[w->seen_event], w->current);
        world_failed(w, "the replica goes back, or shows what was never told", why);
        return;
    }
    w->seen_event = e;
}

// ---- both
// ------------------------------------------------------------------------------------------------

static void weather(struct world *w, bool clear)
{
    bool bad = !clear && chance(w, 3);
    w->wire.lost_request = bad ? (u32)chance(w, 200) : 0;
    w->wire.lost_reply = bad ? (u32)chance(w, 200) : 0;
    w->wire.cut = bad ? (u32)chance(w, 300) : 0;
    w->wire.repeat = bad ? (u32)chance(w, 300) : 0;
    w->wire.slow = bad ? (u32)chance(w, 300) : 0;
    w->wire.away = !clear && chance(w, 6) == 0;
    struct cloud *c = &w->cloud;
    bool storm = w->stores && !clear && chance(w, 3) == 0;
    c->lost_reply = storm ? (u32)chance(w, 150) : 0;
    c->unavailable = storm ? (u32)chance(w, 400) : 0;
    c->dropped = storm ? (u32)chance(w, 100) : 0;
    c->partial_list = storm ? (u32)chance(w, 500) : 0;
    c->away = w->stores && !clear && chance(w, 10) == 0;
}

static bool done(struct machine *m, struct op *op, io_status status, io_status *out)
{
    *out = status;
    if (status != IO_WAIT) return true;
    io_step(m->io, SECOND_NS);
    (void)op;
    return false;
}

static void on_op(struct waiter *waiter)
{
    (void)waiter;
}

// Every page of one against the other's. What differs, when it does.
static bool pages_equal(struct world *w, char why[100])
{
    struct machine *both[2] = {&w->writer, &w->replica_machine};
    struct op op[2];
    struct txn *t[2];
    struct store_position at[2];
    u8 *page[2] = {malloc(65536), malloc(65536)};
    io_status status = IO_DONE;
    why[0] = 0;
    for (u32 i = 0; i < 2; i++) {
        op_init(&op[i], both[i]->io, on_op);
        t[i] = txn_create(skerry_store(both[i]->db));
        while (!done(both[i], &op[i], txn_begin_read(t[i], &op[i]), &status)) {}
        txn_position_get(t[i], &at[i]);
    }
    if (at[0].page_count != at[1].page_count) snprintf(why, 100, "%u pages, want %u", at[1].page_count, at[0].page_count);
    for (u32 no = 1; no <= at[0].page_count && !why[0] && status == IO_DONE; no++) {
        for (u32 i = 0; i < 2; i++)
            while (!done(both[i], &op[i], txn_page_copy(t[i], &op[i], no, page[i]), &status)) {}
        if (status == IO_DONE && memcmp(page[0], page[1], 4096) != 0) snprintf(why, 100, "page %u of %u is another", no, at[0].page_count);
    }
    for (u32 i = 0; i < 2; i++) {
        txn_destroy(t[i]);
        op_deinit(&op[i]);
        free(page[i]);
    }
    return !why[0] && status == IO_DONE;
}

// All is well, and stays so until the replica has what the writer has.
static void converge(struct world *w)
{
    struct machine *m = &w->replica_machine;
    char why[100] = "another state";
    weather(w, true);
    for (u32 i = 0; i < 400 && !w->failed; i++) {
        sim_fault_at(w->writer.sim, SIM_CRASH, 0);
        writer_crashed(w);
        sim_fault_at(w->writer.sim, SIM_CRASH, 0);
        if (!m->io) replica_up(w);
        sim_fault_at(m->sim, SIM_CRASH, 0);
        replica_crashed(w);
        turn(w, SECOND_NS / 4);
        if (!w->replica_started || sim_is_down(m->io) || sim_is_down(w->writer.io)) continue;
        u32 k = 0;
        bool connected = replica_is(w, "following");
        // Not by the transaction's number alone: VACUUM has none, and what another program wrote has the same.
        if (skerry_exec(m->db, "SELECT k FROM meta", number_row, &k) != SKERRY_OK || k != w->current || !connected || !pages_equal(w, why)) continue;
        w->strange = false;
        observe(w);
        w->counters->converged++;
        return;
    }
    if (!w->failed) world_failed(w, "the replica does not come to the newest state", why);
}

static void act(struct world *w)
{
    struct machine *m = &w->replica_machine;
    struct counters *n = w->counters;
    writer_crashed(w);
    replica_crashed(w);
    if (!m->io && chance(w, 3) == 0) replica_up(w);
    if (w->failed || !w->feed) return;
    u64 salts = 0;
    struct store_position at;
    store_position_get(skerry_store(w->writer.db), &at, NULL);
    salts = at.wal_salt[0];
    switch (chance(w, 32)) {
    case 0:
    case 1: weather(w, false); break;
    case 2:
        n->vacuums++;
        (void)exec(w, &w->writer, "VACUUM");
        break;
    case 3:
        n->checkpoints++;
        (void)exec(w, &w->writer, chance(w, 2) ? "PRAGMA wal_checkpoint(TRUNCATE)" : "PRAGMA wal_checkpoint");
        break;
    case 4:
        turn(w, chance(w, 90 * SECOND_NS));
        break;
    case 5: crash_soon(w, chance(w, 2) ? &w->writer : m, 1); break;
    case 6:
        if (chance(w, 3)) break;
        note(w, "the writer stops");
        n->writer_stops++;
        sim_fault_at(w->writer.sim, SIM_CRASH, 0);
        writer_down(w);
        turn(w, chance(w, 60 * SECOND_NS));
        writer_up(w);
        break;
    case 7:
        if (!m->io) break;
        note(w, "the replica stops");
        n->replica_stops++;
        replica_down(w);
        break;
    case 8:
        volume_take(&w->writer, &w->writer_volume, w->current);
        break;
    case 9:
        if (!w->stores && chance(w, 2) == 0) writer_roll_back(w);
        break;
    case 10:
        if (m->io && !w->strange) observe(w);
        if (w->replica_started && !w->strange && !w->doubt) volume_take(m, &w->replica_volume, w->seen_event);
        break;
    case 11:
        if (!m->io || !w->replica_volume.there || chance(w, 2)) break;
        note(w, "the replica's volume is put back");
        n->replica_rolled_back++;
        sim_crash(m->sim);
        replica_down(w);
        volume_put(m, &w->replica_volume);
        w->seen_event = w->replica_volume.at;
        break;
    case 12: {
        u64 size;
        if (!m->io || w->stores || chance(w, 4)) break;
        replica_down(w);
        u8 *there = sim_file_get(m->sim, MACHINE_PATH, &size);
        free(there);
        if (!there) break;
        note(w, "another program writes to the replica's file");
        n->foreign_writes++;
        sim_fault_at(m->sim, SIM_CRASH, 0);
        machine_up(m, w->now_ns);
        machine_open(m);
        for (u64 i = 1 + chance(w, 3); i; i--) (void)exec(w, m, "UPDATE t SET v = upper(v) || 'strange' WHERE id % 3 = 1");
        if (chance(w, 2)) sim_crash(m->sim);
        machine_down(m);
        w->strange = true;
        volume_free(&w->replica_volume);
        break;
    }
    case 13: converge(w); break;
    case 14:
        if (!m->io || chance(w, 2)) break;
        note(w, "the replica's volume is lost");
        n->replica_lost++;
        sim_crash(m->sim);
        replica_down(w);
        volume_clear(m);
        w->strange = false;
        if (w->follows_store) w->seen_event = 0; // a listing may lack what is new
        replica_up(w);
        break;
    case 15: // for a while, but not when it starts
        if (!w->replica_started) break;
        n->disk_full++;
        sim_fault_rate(m->sim, SIM_WRITE_FULL, 300000);
        for (u32 i = 0; i < 4 && !sim_is_down(w->writer.io); i++) {
            commit(w);
            turn(w, chance(w, 5 * SECOND_NS));
        }
        sim_fault_rate(m->sim, SIM_WRITE_FULL, 0);
        break;
    default:
        for (u64 i = 1 + chance(w, 4); i && !sim_is_down(w->writer.io); i--) {
            commit(w);
            turn(w, chance(w, chance(w, 3) ? 50 * MS : 2 * SECOND_NS));
            observe(w);
        }
    }
    if (w->feed && !sim_is_down(w->writer.io)) {
        store_position_get(skerry_store(w->writer.db), &at, NULL);
        n->log_restarts += at.wal_salt[0] != salts;
    }
    pushed_note(w);
    if (!w->failed) observe(w);
}

// ---- the replica becomes the writer
// -----------------------------------------------------------------------------------------------

static void on_promotion(void *context, int status, const void *body, size_t size)
{
    struct world *w = context;
    char text[600];
    snprintf(text, sizeof text, "%d %.*s", status, (int)MIN(size, 500), (const char *)body);
    note(w, text);
    w->promotion = status;
}

// Asked until it is done, whoever crashes meanwhile; the writer goes on, or has died.
static bool promotion(struct world *w, bool dead)
{
    struct machine *m = &w->replica_machine;
    bool asked = false;
    w->promotes = true;
    for (u32 i = 0; i < 1500 && !w->failed; i++) {
        if (i % 20 == 0) weather(w, i > 100);
        if (!dead) writer_crashed(w);
        if (m->io && sim_is_down(m->io)) {
            w->counters->promotions_cut += asked;
            asked = false;
            replica_crashed(w);
        }
        if (!m->io) replica_up(w);
        if (i > 100) sim_fault_at(m->sim, SIM_CRASH, 0);
        if (w->replica_started && !asked && !sim_is_down(m->io)) {
            asked = true;
            w->promotion = 0;
            follower_promote(w->replica, wire_exchange(&w->wire, "POST", "/promote", on_promotion, w));
        }
        if (!dead && w->feed && !sim_is_down(w->writer.io) && chance(w, 3) == 0) commit(w);
        pushed_note(w);
        turn(w, chance(w, SECOND_NS));
        if (asked && w->promotion == 200 && m->engine && !sim_is_down(m->io)) return true;
        if (asked && w->promotion) {
            w->counters->promotions_failed++;
            asked = false;
            turn(w, chance(w, 5 * SECOND_NS));
        }
        if (m->io) observe(w);
    }
    if (!w->failed) world_failed(w, "the promotion", "it does not come to an end");
    return false;
}

// Until the machine's backup says so; all is well.
static bool backup_comes_to(struct world *w, struct machine *m, enum backup_state want)
{
    struct backup_status s = {0};
    for (u32 i = 0; i < 600 && m->backup && !sim_is_down(m->io); i++) {
        turn(w, SECOND_NS / 4);
        backup_status_get(m->backup, &s);
        if (s.state == want && (want == BACKUP_REFUSED || !s.behind_since_ms)) return true;
    }
    world_failed(w, want == BACKUP_REFUSED ? "the earlier writer is not told" : "the new writer does not push", s.error);
    return false;
}

// What the store has is the state of the new writer.
static void restore_check(struct world *w, u32 k)
{
    struct machine *m = &w->replica_machine;
    struct restore r = {0};
    struct err err = ERR_CLEAR;
    struct view v = {0};
    struct skerry *db;
    completion_init(&r.done, NULL, NULL);
    restore_start(&r, &(struct restore_options){.io = m->io, .objects = m->objects, .name = "db", .out_path = "/data/restored.db"});
    while (r.done.state != COMPLETION_DONE) io_step(m->io, SECOND_NS);
    if (r.err.code != ERR_OK) world_failed(w, "the restore", r.err.text);
    restore_deinit(&r);
    if (w->failed) return;
    if (!skerry_open(m->engine, "/data/restored.db", 0, &db, &err)) abort();
    if (skerry_exec(db, "SELECT k, id, v FROM meta LEFT JOIN t", view_row, &v) != SKERRY_OK) world_failed(w, "the restored database", skerry_error(db)->text);
    else if (v.k != k || memcmp(v.ids, w->rows[k], sizeof v.ids) != 0) world_failed(w, "the restored database", "it is not in the new writer's state");
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(m->io, SECOND_NS);
    w->counters->restored++;
}

static void promote(struct world *w)
{
    struct machine *m = &w->replica_machine;
    struct view v = {0};
    char why[100];
    bool dead = chance(w, 2);
    sim_fault_at(m->sim, SIM_CRASH, 0);
    if (!m->io) replica_up(w);
    if (!w->replica_started) dead = false; // there is nothing yet that could be promoted
    writer_crashed(w);
    pushed_note(w);
    if (dead) {
        note(w, "the writer dies");
        w->counters->of_dead_writers++;
        sim_crash(w->writer.sim);
        writer_down(w);
    } else {
        crash_soon(w, &w->writer, 2);
    }
    crash_soon(w, m, 3);
    if (w->failed || !promotion(w, dead)) return;
    note(w, "the replica is the writer");
    w->counters->promotions++;
    w->counters->from_store += w->follows_store;
    sim_fault_at(m->sim, SIM_CRASH, 0);
    weather(w, true);
    // It has what was told to be pushed, and what the replica showed.
    observe(w);
    if (skerry_exec(m->db, "SELECT k, id, v FROM meta LEFT JOIN t", view_row, &v) != SKERRY_OK) world_failed(w, "the new writer", skerry_error(m->db)->text);
    if (w->seen_event < w->pushed_event && !(w->doubt && v.k == w->doubt)) {
        snprintf(why, sizeof why, "it is in state %u, and %u was pushed", v.k, w->events[w->pushed_event]);
        world_failed(w, "the new writer", why);
    }
    if (w->failed) return;
    // Both go on. The serial is one that only the new one has.
    u32 old = w->current, doubt = w->doubt;
    w->current = v.k;
    for (u64 i = 1 + chance(w, 4); i && !w->failed; i--) commit_on(w, m);
    u32 newest = w->current;
    w->current = old;
    w->doubt = doubt;
    if (!w->feed || sim_is_down(w->writer.io)) {
        if (w->writer.io) writer_down(w);
        w->seen_doubt = false; // the new writer has it; the old one may not
        writer_up(w);
    }
    sim_fault_at(w->writer.sim, SIM_CRASH, 0);
    for (u32 i = 0; i < 20 && !w->failed; i++) {
        writer_crashed(w);
        sim_fault_at(w->writer.sim, SIM_CRASH, 0);
        commit(w);
        if (!sim_is_down(w->writer.io)) break;
    }
    if (w->failed || !backup_comes_to(w, &w->writer, BACKUP_REFUSED)) return;
    w->counters->fenced++;
    if (!backup_comes_to(w, m, BACKUP_IDLE)) return;
    restore_check(w, newest);
}

static void world_run(u64 seed, struct counters *counters)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w) abort();
    w->seed = seed ^ 0x4e91ca;
    w->start_seed = seed;
    w->counters = counters;
    w->wire = (struct wire){.seed = &w->seed, .counters = &counters->wire, .context = w, .client = client_io, .client_now_ns = client_now_ns,
                            .server_turn = server_turn, .serve = serve};
    wire_init(&w->wire);
    log_level_set((enum log_level)(LOG_ERROR + 1)); // the follower's; on_log has what is of interest
    w->writer.sim = sim_create(2 * seed);
    w->replica_machine.sim = sim_create(2 * seed + 1);
    if (!w->writer.sim || !w->replica_machine.sim) abort();
    w->stores = chance(w, 2);
    w->follows_store = w->stores && chance(w, 2);
    cloud_init(&w->cloud, seed);
    writer_up(w);
    weather(w, false);
    for (u64 i = chance(w, 40); i && w->feed && !sim_is_down(w->writer.io); i--) commit(w);
    for (u32 i = 0; i < (w->stores ? 100 : 200) && !w->failed; i++) act(w);
    if (!w->failed && !w->stores) converge(w);
    if (!w->failed && w->stores) promote(w);
    replica_down(w);
    if (w->writer.io) writer_down(w);
    volume_free(&w->writer_volume);
    volume_free(&w->replica_volume);
    sim_destroy(w->writer.sim);
    sim_destroy(w->replica_machine.sim);
    wire_deinit(&w->wire);
    for (size_t i = 0; i < sizeof counters->cloud / sizeof(u64); i++) ((u64 *)&counters->cloud)[i] += ((const u64 *)&w->cloud.counters)[i];
    cloud_deinit(&w->cloud);
    if (w->failed) printf("  again: SEED=%llu SIM_WORLDS=1 SIM_LOG=1 build/release/tests/sim/replica_sim_test\n", (unsigned long long)seed);
    free(w);
}

#define EVENT(name) {#name, &all.name, 20}
#define RARE(name) {#name, &all.name, 60} // that many worlds may do without

#ifdef __SANITIZE_ADDRESS__
#define WORLDS 5
#else
#define WORLDS 20
#endif

TEST(replicas_follow)
{
    u32 worlds = test_worlds(WORLDS);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("  %u worlds from seed %llu on\n", worlds, (unsigned long long)test_seed());
    struct counters all = {0};
    for (u32 i = 0; i < worlds && !test_failed(); i++) world_run(test_seed() + i, &all);
    const struct event events[] = {
        EVENT(wire.asked), EVENT(wire.answered), EVENT(wire.no_news), EVENT(wire.more_parts), EVENT(wire.lost_requests), EVENT(wire.repeated),
        EVENT(wire.late_ghosts), EVENT(wire.lost_replies), EVENT(wire.cut_replies), EVENT(wire.away), EVENT(wire.timed_out), EVENT(wire.cancelled),
        EVENT(promotions), EVENT(of_dead_writers), EVENT(from_store), EVENT(fenced), EVENT(restored), EVENT(pushes_noted), RARE(promotions_failed), RARE(promotions_cut),
        EVENT(cloud.puts), EVENT(cloud.gets), EVENT(cloud.lost_replies), EVENT(cloud.unavailable), EVENT(cloud.dropped), EVENT(cloud.away), EVENT(cloud.partial_lists), EVENT(cloud.refused_puts),
        EVENT(commits), EVENT(observed), EVENT(converged), EVENT(writer_crashes), EVENT(writer_stops), EVENT(writer_rolled_back),
        EVENT(replica_crashes), EVENT(replica_stops), EVENT(replica_rolled_back), EVENT(replica_lost), EVENT(foreign_writes), EVENT(vacuums), EVENT(checkpoints),
        EVENT(log_restarts), EVENT(in_doubt), EVENT(first_copies), EVENT(first_copies_failed), RARE(first_copies_spared), EVENT(whole),
        EVENT(parts_again), EVENT(parts_again_first), EVENT(disk_full),
    };
    events_check(events, COUNT_OF(events), worlds, false);
}

// Worlds that something was found in (a build that orders things otherwise, as the sanitizers' does, goes another way in them).
TEST(found)
{
    static const u64 seeds[] = {
        1003, // a listing that lacked the newest pushes stopped the replica for good
        1016, // a crash in the first commit left the first page of the image, with tables whose pages were not there
        1051, // a promotion took what was pushed for later than what came from a writer that had not reached its store since its start
        2011, // a mark that a full disk had refused was not written again, and each promotion found itself behind
        31100040, // the second probe of a store counted as done before it was, and its node ended with an assertion
        27113428, // the first mark was refused by a full disk, the first commit was made all the same, and a crash left a replica for a writer's
    };
    struct counters all = {0};
    for (u32 i = 0; i < COUNT_OF(seeds); i++) world_run(seeds[i], &all);
    CHECK(all.commits > 0 && all.observed > 0);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
