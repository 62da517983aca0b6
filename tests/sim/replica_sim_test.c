// Goal: a replica that streams from a node shows only states that its writer had, each not older than the one before, and
// comes to the newest, page for page, when the network is well again; whatever became of either of them meanwhile.
// Method: one seed makes a world of two machines, each with a simulated disk and a clock of its own: a writer with its feed
// (node/feed.h) and a replica (sync/replica.h), and between them a simulated connection (tests/sim/wire.h). Both crash at
// some operation of the disk and are stopped cleanly; the writer checkpoints, begins its log anew, vacuums; either volume is
// put back to an earlier state; another program writes to the replica's file, its disk is full for a while, its volume is
// lost. In every other world the writer pushes to a simulated store (tests/sim/cloud.h), whose listings are minutes behind in some, and the replica follows that or the
// writer; at the end it is promoted (node/follower.h), when the writer has died or while it goes on: it has what was told to
// be pushed, the writer is told that it was replaced, and what a restore gives is the new writer's state. The database holds
// the number of its newest transaction, which is never used again, so a state that is read says which it must equal. Events
// are counted: one that never came fails the test. SIM_WORLDS=n runs n worlds from SEED on (20).
#include "../../sync/names.h"
#include "../../sync/restore.h"
#include "events.h"
#include "replica_world.h"

static bool done(struct machine *m, struct op *op, io_status status, io_status *out)
{
    *out = status;
    if (status != IO_WAIT) return true;
    io_step(m->io, SECOND_NS);
    return false;
}

static void on_op(struct waiter *waiter)
{
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
        turn(w, SECOND_NS / 4 + w->cloud.stale_ms * MS / 200); // twice the time that listings may be behind
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
        w->unplaced = true; // its files are others now, as if another program had written to them
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

// It was cut off when its mark said already that the backup is its own, and before a push said up to where: it is no replica any
// more, and comes up as the writer.
static bool became_writer(struct world *w)
{
    struct machine *m = &w->replica_machine;
    struct backup_mark mark;
    if (!w->follows_store || !w->replica_started || sim_is_down(m->io)) return false;
    struct buffer health = {0};
    follower_health(w->replica, &health);
    buffer_add(&health, "", 1);
    bool failed = strstr(health.bytes, "was a writer's") != NULL;
    buffer_deinit(&health);
    if (!failed || !backup_mark_read(m->io, MACHINE_PATH, &mark) || mark.unclaimed) return false;
    note(w, "the replica has become the writer");
    replica_down(w);
    writer_instead(w);
    return !w->failed && !sim_is_down(m->io);
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
        if (became_writer(w)) return true;
        if (i > 100) sim_fault_at(m->sim, SIM_CRASH, 0);
        if (w->replica_started && !asked && !sim_is_down(m->io)) {
            asked = true;
            w->promotion = 0;
            if (w->cut_at) sim_fault_at(m->sim, SIM_CRASH, w->cut_at);
            w->cut_at = 0;
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
    u32 k = 0;
    bool empty = w->replica_started && skerry_exec(m->db, "SELECT k FROM meta", number_row, &k) != SKERRY_OK;
    if (!w->replica_started || empty) dead = false; // there is nothing yet that could be promoted
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
    struct world *w = world_create(seed, counters);
    writer_up(w);
    weather(w, false);
    for (u64 i = chance(w, 40); i && w->feed && !sim_is_down(w->writer.io); i--) commit(w);
    for (u32 i = 0; i < (w->stores ? 100 : 200) && !w->failed; i++) act(w);
    if (!w->failed && !w->stores) converge(w);
    if (!w->failed && w->stores) promote(w);
    bool failed = w->failed;
    world_destroy(w);
    if (failed) printf("  again: SEED=%llu SIM_WORLDS=1 SIM_LOG=1 build/release/tests/sim/replica_sim_test\n", (unsigned long long)seed);
}

#define EVENT(name) {#name, &all.name, 20}
#define RARE(name) {#name, &all.name, 60} // that many worlds may do without

TEST(replicas_follow)
{
    u32 worlds = test_worlds(20);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("  %u worlds from seed %llu on\n", worlds, (unsigned long long)test_seed());
    struct counters all = {0};
    const struct event events[] = {
        EVENT(wire.asked), EVENT(wire.answered), EVENT(wire.no_news), EVENT(wire.more_parts), EVENT(wire.lost_requests), EVENT(wire.repeated),
        EVENT(wire.late_ghosts), EVENT(wire.lost_replies), EVENT(wire.cut_replies), EVENT(wire.away), EVENT(wire.timed_out), EVENT(wire.cancelled),
        EVENT(promotions), EVENT(of_dead_writers), EVENT(from_store), EVENT(fenced), EVENT(restored), EVENT(pushes_noted), RARE(promotions_failed),
        EVENT(cloud.puts), EVENT(cloud.gets), EVENT(cloud.lost_replies), EVENT(cloud.unavailable), EVENT(cloud.dropped), EVENT(cloud.away), RARE(cloud.partial_lists), RARE(cloud.stale_lists), EVENT(cloud.refused_puts),
        EVENT(commits), EVENT(observed), EVENT(converged), EVENT(writer_crashes), EVENT(writer_stops), EVENT(writer_rolled_back),
        EVENT(replica_crashes), EVENT(replica_stops), EVENT(replica_rolled_back), EVENT(replica_lost), EVENT(foreign_writes), EVENT(vacuums), EVENT(checkpoints),
        EVENT(log_restarts), EVENT(in_doubt), EVENT(first_copies), EVENT(first_copies_failed), RARE(first_copies_spared), EVENT(whole),
        EVENT(parts_again), EVENT(parts_again_first), EVENT(disk_full),
    };
    for (u32 i = 0; !test_failed() && events_more(events, COUNT_OF(events), worlds, i); i++) world_run(test_seed() + i, &all);
    events_check(events, COUNT_OF(events), worlds, false);
}

// Cut off at one of its first operations of the disk, a promotion is asked for again.
TEST(promotions_are_cut_off)
{
    enum { CUTS = 12 };
    struct counters all = {0};
    for (u32 i = 0; i < CUTS && !test_failed(); i++) {
        struct world *w = world_create(test_seed() + i, &all);
        w->stores = true;
        w->follows_store = i % 2;
        w->cut_at = 1 + i / 2;
        writer_up(w);
        for (u32 k = 0; k < 5 && w->feed && !sim_is_down(w->writer.io); k++) commit(w);
        for (u32 k = 0; k < 60 && !w->failed && !w->replica_started; k++) {
            writer_crashed(w);
            replica_crashed(w);
            if (!w->replica_machine.io) replica_up(w);
            turn(w, SECOND_NS);
        }
        if (!w->failed) promote(w);
        world_destroy(w);
    }
    CHECK(all.promotions_cut > 0 || test_failed());
    if (getenv("SIM_SHOW")) printf("  %llu of %u were cut off\n", (unsigned long long)all.promotions_cut, CUTS);
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
        1795862139260110, // a database that was smaller than its mark said was asked for pages that it had no more, for ever
        11592167711142, // what a node sent that had started again without its store was given up for what it had pushed before
        28618288943515, // listings that lacked all pushes were taken for a store without any, by a promotion
        289088229455, // listings ended where the mark was, and the pushes that the database had were merged into what was not listed yet
        309461025013740, // another program's commit to a stopped replica was taken for one that a full disk had refused
        1335249639523, // a push behind the listings was taken for a member of the chain that they gave
        19795884100862, // a writer was killed before its mark named its push, which listings lacked then, and took it for that of another
        1795949047454394, // a crash in the middle of a stop, before the place was noted, was not taken for one by this test
        1795986743555847, // a writer had lost the newest marks, and its replica took what it had pushed since for later than what it sent
    };
    struct counters all = {0};
    for (u32 i = 0; i < COUNT_OF(seeds); i++) world_run(seeds[i], &all);
    CHECK(all.commits > 0 && all.observed > 0);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
