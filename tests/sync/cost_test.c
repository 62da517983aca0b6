// Goal: what a backup and those that follow it cost: an idle database asks and uploads nothing, and a look of its follower is one
// request; what is stored stays a small multiple of the database however long it is written to; merges and images take their
// share of a processor and no more.
// Method: a node of backup_node.h, whose store counts what is asked of it. A day and an hour of steady updates, as in Litestream's
// issue 976, with the usual settings. A clock that goes on with each look at it stands for a processor that is at work.
#include "../../sync/backup_compact.h"
#include "../../sync/replica.h"
#include "backup_node.h"

TEST(an_idle_database_asks_and_uploads_nothing)
{
    struct node n = {0};
    node_begin(&n, &(struct backup_options){0});
    exec(&n, "INSERT INTO t(v) VALUES (1)");
    turn(&n, 600 * SECOND_NS);
    struct cloud_counters before = n.cloud.counters;
    turn(&n, 86400 * SECOND_NS);
    CHECK_EQ(n.cloud.counters.puts, before.puts);
    CHECK_EQ(n.cloud.counters.gets + n.cloud.counters.heads, before.gets + before.heads);
    CHECK_EQ(n.cloud.counters.lists, before.lists);
    node_stop(&n);
    node_end(&n);
}

static int count_row(void *context, struct skerry_stmt *s)
{
    *(u32 *)context = (u32)skerry_column_integer(s, 0);
    return 0;
}

// Whoever follows it looks once a poll, with one request that brings nothing: the next push is not there, or the head is as it was.
TEST(a_look_of_a_follower_is_one_request)
{
    enum { POLL_MS = 700, LOOKS = 500 };
    struct node n = {0};
    struct err err = ERR_CLEAR;
    struct skerry_engine *e;
    struct skerry *db;
    struct replica_status s;
    u32 rows = 0;
    node_begin(&n, &(struct backup_options){0});
    exec(&n, "INSERT INTO t(v) VALUES (1)");
    turn(&n, 600 * SECOND_NS);
    struct skerry_engine_options engine = {.io = n.io, .temp_dir = "/tmp"};
    struct replica *r = replica_create(&(struct replica_options){.io = n.io, .objects = n.store, .name = "db", .path = "/data/b.db", .poll_ms = POLL_MS}, &err);
    if (!r || !skerry_engine_create(&engine, &e, &err) || !skerry_open(e, "/data/b.db", SKERRY_OPEN_CREATE, &db, &err)) abort();
    CHECK_EQ(skerry_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL), SKERRY_OK);
    replica_start(r, skerry_store(db));
    turn(&n, 60 * SECOND_NS);
    // From the middle between two looks on.
    for (u64 gets = n.cloud.counters.gets; n.cloud.counters.gets == gets;) io_step(n.io, SECOND_NS);
    turn(&n, POLL_MS / 2 * 1000000ull);
    struct cloud_counters before = n.cloud.counters;
    for (u32 i = 1; i <= LOOKS && !test_failed(); i++) {
        turn(&n, POLL_MS * 1000000ull);
        CHECK_EQ(n.cloud.counters.gets - before.gets, i);
    }
    struct cloud_counters after = n.cloud.counters;
    CHECK_EQ(after.get_bytes, before.get_bytes);
    CHECK_EQ(after.unchanged - before.unchanged, LOOKS / 10); // of the head
    CHECK_EQ(after.heads + after.lists + after.puts + after.deletes, before.heads + before.lists + before.puts + before.deletes);
    replica_status_get(r, &s);
    CHECK(s.connected && io_wall_ms(n.io) - s.current_ms <= 2 * POLL_MS);
    exec(&n, "INSERT INTO t(v) VALUES (2)");
    turn(&n, 10 * SECOND_NS);
    CHECK_EQ(skerry_exec(db, "SELECT count(*) FROM t", count_row, &rows), SKERRY_OK);
    CHECK_EQ(rows, 2);
    replica_stop(r);
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(n.io, SECOND_NS);
    skerry_engine_destroy(e);
    replica_destroy(r);
    node_stop(&n);
    node_end(&n);
}

// ---- --merge-cpu

TEST(work_takes_its_share)
{
    static const struct {
        u32 percent;
        u64 took_ns, rests_ns;
    } rows[] = {
        {25, 1999999, 0},        // too short for a rest
        {25, 2000000, 6000000},  // a quarter
        {100, 50000000, 0},
        {1, 2000000, 198000000},
        {50, 3000000, 3000000},
        {99, 9900000, 100000},
    };
    int one, other;
    for (u32 i = 0; i < COUNT_OF(rows); i++) {
        struct work w = {0};
        work_add(&w, &one, 1000, 1000 + rows[i].took_ns, rows[i].percent);
        u64 now = 1000 + rows[i].took_ns, rests = work_rest_ns(&w, &other, now);
        if (rests != rows[i].rests_ns) test_fail(__FILE__, __LINE__, "row %u: %llu ns", i, (unsigned long long)rests);
        CHECK_EQ(work_rest_ns(&w, &one, now), rests + (rests != 0)); // the other one first
        CHECK_EQ(work_rest_ns(&w, &one, now + rests), 0);
        CHECK_EQ(work_rest_ns(&w, &other, now + rests), 0);
    }
    // Short pieces add up, whoever does them.
    struct work w = {0};
    u64 now = 0, worked = 0, rested = 0;
    for (u32 i = 0; i < 1000; i++) {
        const void *who = i % 3 ? &one : &other;
        u64 rest = work_rest_ns(&w, who, now), piece = 1000 * (1 + i * 7919 % 900);
        rested += rest, now += rest;
        work_add(&w, who, now, now + piece, 20);
        worked += piece, now += piece;
    }
    CHECK(rested >= 4 * (worked - 3 * 2000000) && rested <= 4 * worked + 1000);
}

// On a processor on which each look at the clock takes 300 us: how long a merge of twenty pushes takes, and an image beside it.
static u64 merge_takes(u32 percent)
{
    struct node n = {0};
    struct backup_status s;
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .cpu_percent = percent, .history_factor = 1000, .period_ms = {0, 600000, 3600000, 7200000, 600000}});
    exec(&n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 2000) INSERT INTO t SELECT i, randomblob(400) FROM s");
    for (u32 i = 0; i < 20; i++) {
        exec(&n, "UPDATE t SET v = randomblob(400) WHERE id % 5 = 0");
        turn(&n, SECOND_NS);
    }
    backup_status_get(n.backup, &s);
    CHECK_EQ(s.merges, 0);
    CHECK_EQ(s.images, 1);
    sim_wall_jump(n.sim, 1200000);
    sim_work(n.sim, 300000);
    exec(&n, "DELETE FROM t WHERE id = 1");
    u64 began = io_now_ns(n.io), took = 0;
    while ((s.merges < 1 || s.images < 2) && took < 1000 * SECOND_NS) {
        io_step(n.io, SECOND_NS / 100);
        backup_status_get(n.backup, &s);
        took = io_now_ns(n.io) - began;
    }
    CHECK_EQ(s.merges, 1);
    CHECK_EQ(s.images, 2);
    sim_work(n.sim, 0);
    node_stop(&n);
    node_end(&n);
    return took;
}

TEST(merges_and_images_take_their_share)
{
    u64 whole = merge_takes(100), four = merge_takes(4), one = merge_takes(1);
    printf("  %llu, %llu and %llu ms\n", (unsigned long long)whole / 1000000, (unsigned long long)four / 1000000, (unsigned long long)one / 1000000);
    // The work is the same: 24 and 99 times as long is rested for it; what it waits for besides may be in a rest.
    REQUIRE(four > whole && one > four);
    double ratio = (double)(one - whole) / (double)(four - whole);
    CHECK(ratio > 3.7 && ratio < 4.8);
    CHECK(one > 10 * whole);
}

// A database of 2 MB, some rows of which are updated every 10 seconds, for 25 hours.
TEST(a_day_of_updates_stays_small)
{
    struct node n = {0};
    char sql[200], text[ERR_TEXT_MAX];
    u64 most = 0, database = 0, size;
    node_begin(&n, &(struct backup_options){0});
    exec(&n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 5000) INSERT INTO t SELECT i, randomblob(400) FROM s");
    turn(&n, 10 * SECOND_NS);
    for (u32 i = 0; i < 25 * 360; i++) {
        snprintf(sql, sizeof sql, "UPDATE t SET v = randomblob(400) WHERE id IN (%u, %u, %u)", (i * 7919u) % 5000, (i * 104729u) % 5000, (i * 31u) % 5000);
        exec(&n, sql);
        turn(&n, 10 * SECOND_NS);
        if (i % 360 == 0) most = MAX(most, cloud_bytes(&n.cloud));
    }
    free(sim_file_get(n.sim, "/data/a.db", &database));
    struct backup_status s;
    backup_status_get(n.backup, &s);
    size = cloud_bytes(&n.cloud);
    printf("  %.1f MB of database; stored %.1f MB, at most %.1f MB (%.1f times the database), in %u objects; %.1f MB uploaded, %llu merges, %llu images\n",
           (double)database / 1e6, (double)size / 1e6, (double)most / 1e6, (double)most / (double)database, n.cloud.count,
           (double)n.cloud.counters.put_bytes / 1e6, (unsigned long long)s.merges, (unsigned long long)s.images);
    CHECK(most < 12 * database);
    CHECK(s.merges > 300 && s.images >= 2 && s.deleted_objects > 5000);
    CHECK(n.cloud.count < 400);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

// Requests of an hour, at S3's list prices (per 1,000: 0.005 $ for put and list, 0.0004 $ for get; deletes are free).
TEST(an_hour_costs_little)
{
    static const u32 gaps_ms[] = {0, 60000, 1000, 100}; // between commits; 0: none
    for (u32 i = 0; i < COUNT_OF(gaps_ms) && !test_failed(); i++) {
        struct node n = {0};
        node_begin(&n, &(struct backup_options){0});
        exec(&n, "INSERT INTO t VALUES (1, randomblob(400))");
        turn(&n, 600 * SECOND_NS);
        struct cloud_counters a = n.cloud.counters, b;
        for (u64 end = io_now_ns(n.io) + 3600 * SECOND_NS; io_now_ns(n.io) < end;) {
            if (gaps_ms[i]) exec(&n, "UPDATE t SET v = randomblob(400)");
            turn(&n, (gaps_ms[i] ? gaps_ms[i] : 3600000) * 1000000ull);
        }
        b = n.cloud.counters;
        u64 puts = b.puts - a.puts, lists = b.lists - a.lists, gets = b.gets + b.heads - a.gets - a.heads;
        printf("  a commit each %u ms: %llu puts, %llu gets, %llu lists, %llu deletes an hour; %.2f $ a month\n", gaps_ms[i], (unsigned long long)puts,
               (unsigned long long)gets, (unsigned long long)lists, (unsigned long long)(b.deletes - a.deletes),
               730 * ((double)(puts + lists) * 0.000005 + (double)gets * 0.0000004));
        if (!gaps_ms[i]) CHECK_EQ(puts + lists + gets, 0);
        CHECK(puts < 3600 * 3 / 2);
        node_stop(&n);
        node_end(&n);
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
