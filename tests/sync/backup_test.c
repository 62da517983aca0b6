// Goal: no byte of a backup can change unnoticed, and who looks names the object; keys are changed without writing the backup
// again; a wrong one is told before anything is touched; stores that are away, images that are cut off, and stops at any moment
// cost no more than they must.
// Method: a node of backup_node.h. Each byte of each object is flipped in turn, and verify and restore are asked.
#include "../../sync/inspect.h"
#include "../../sync/segment.h"
#include "backup_node.h"

struct reports {
    u32 count;
    bool named;
    const char *key;
};

static void on_report(void *context, bool bad, const char *text)
{
    struct reports *r = context;
    r->count += bad;
    r->named |= bad && strstr(text, r->key);
}

// Faults that verify finds; named: one of them names the object.
static u64 verify(struct node *n, const char *key, bool *named)
{
    struct err err = ERR_CLEAR;
    struct reports r = {.key = key};
    struct inspect_options o = {.io = n->io, .objects = n->store, .database = "db", .key = n->key, .report = on_report, .context = &r};
    struct inspect *x = inspect_open(&o, &err);
    u64 faults = r.count;
    if (x) faults += inspect_verify(x);
    else faults += (on_report(&r, true, err.text), 1);
    inspect_close(x);
    *named = r.named;
    return faults;
}

// Flips one bit of the byte: verify has to name the object, and so does restore, unless the newest state does not need it.
static bool flip(struct node *n, struct cloud_object *o, u64 at)
{
    char text[ERR_TEXT_MAX];
    bool named;
    o->bytes[at] ^= (u8)(1u << (at % 8));
    if (verify(n, o->key, &named) == 0 || !named) test_fail(__FILE__, __LINE__, "byte %llu of %s: verify %s", (unsigned long long)at, o->key, named ? "finds nothing" : "does not name it");
    err_code code = restore(n, text);
    if (code != ERR_OK && !strstr(text, o->key)) test_fail(__FILE__, __LINE__, "byte %llu of %s: restore says %s", (unsigned long long)at, o->key, text);
    o->bytes[at] ^= (u8)(1u << (at % 8));
    return code != ERR_OK;
}

static void flip_all(bool encrypted)
{
    struct node n = {0};
    char text[ERR_TEXT_MAX];
    bool named;
    n.key.given = encrypted;
    memset(n.key.bytes, 3, 32);
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .head_interval_ms = 500, .period_ms = {0, 2000, 8000, 30000, 100000}});
    for (u32 i = 0; i < 30; i++) {
        char sql[100];
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%u, randomblob(%u))", i, i == 3 ? 9000 : 20);
        exec(&n, sql);
        turn(&n, SECOND_NS / 2);
    }
    turn(&n, 5 * SECOND_NS);
    node_stop(&n);
    CHECK_EQ(verify(&n, "nothing", &named), 0);
    CHECK_EQ(restore(&n, text), ERR_OK);
    u32 noticed_by_restore = 0, flips = 0;
    u32 levels = 0, of_level[10] = {0};
    for (u32 i = 0; i < n.cloud.count && !test_failed(); i++) {
        struct cloud_object *o = &n.cloud.objects[i];
        const char *level = strstr(o->key, "/L");
        if (level) levels |= 1u << (level[2] - '0');
        // Every byte of what has no pages and of one segment of each level but for most of its blocks; some of the others.
        bool whole = !level || of_level[level[2] - '0']++ == 0;
        for (u64 at = 0; at < o->size && !test_failed(); at += whole && (at < 100 || o->size - at < 600) ? TEST_STRIDE : 1 + o->size / 8) {
            flips++;
            noticed_by_restore += flip(&n, o, at);
        }
    }
    CHECK(flips > 2000 / TEST_STRIDE);
    CHECK(noticed_by_restore > 400 / TEST_STRIDE);
    CHECK((levels & 0x13) == 0x13); // pushes, merged ones and images
    CHECK_EQ(verify(&n, "nothing", &named), 0);
    node_end(&n);
}

TEST(each_byte_counts)
{
    flip_all(false);
}

TEST(each_byte_counts_encrypted)
{
    flip_all(true);
}

// A database that is cut into shards: tables and shards of pushes, merges and images.
TEST(each_byte_of_tables_and_shards_counts)
{
    struct node n = {.key.given = true};
    char text[ERR_TEXT_MAX];
    bool named;
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .head_interval_ms = 500, .period_ms = {0, 2000, 8000, 30000, 60000}});
    for (u32 i = 0; i < 10; i++) {
        exec(&n, i % 5 ? "INSERT INTO t(v) VALUES (randomblob(30))" : "REPLACE INTO t VALUES (1, zeroblob(17825792))");
        turn(&n, 12 * SECOND_NS);
    }
    node_stop(&n);
    CHECK_EQ(verify(&n, "nothing", &named), 0);
    CHECK_EQ(restore(&n, text), ERR_OK);
    u32 seen[10][2] = {0}, noticed_by_restore = 0;
    for (u32 i = n.cloud.count; i-- && !test_failed();) { // the newest of each kind thoroughly
        struct cloud_object *o = &n.cloud.objects[i];
        const char *level = strstr(o->key, "/L");
        if (!level) continue;
        bool shard = strchr(o->key, '.'), whole = seen[level[2] - '0'][shard]++ == 0;
        for (u64 at = i % 7; at < o->size && !test_failed(); at += whole && o->size - at < 480 ? 11 * TEST_STRIDE : 1 + o->size / (whole ? 12 : 2))
            noticed_by_restore += flip(&n, o, at);
    }
    CHECK(seen[0][1] > 0 && seen[3][1] > 0 && seen[4][0] > 1 && seen[4][1] > 1); // pushes, merged ones, images
    CHECK(noticed_by_restore > 60 / TEST_STRIDE);
    CHECK_EQ(verify(&n, "nothing", &named), 0);
    node_end(&n);
}

// Whatever the database's size, what is put at once is not: no put needs to be cut, and what a cut-off push has to send again is little.
TEST(no_object_is_large)
{
    struct node n = {0};
    char text[ERR_TEXT_MAX];
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .head_interval_ms = 500, .period_ms = {0, 2000, 8000, 30000, 60000}});
    u64 most[10] = {0};
    for (u32 i = 0; i < 8; i++) {
        exec(&n, "REPLACE INTO t VALUES (1, randomblob(36000000))");
        for (u32 s = 0; s < (i < 6 ? 2 : 40); s++) {
            turn(&n, SECOND_NS / 2);
            for (u32 k = 0; k < n.cloud.count; k++) {
                const char *level = strstr(n.cloud.objects[k].key, "/L");
                if (level) most[level[2] - '0'] = MAX(most[level[2] - '0'], n.cloud.objects[k].size);
            }
        }
    }
    const u64 parts[] = {most[0], MAX(most[1], MAX(most[2], most[3])), most[4]}; // of pushes, merged ones, images
    for (u32 i = 0; i < COUNT_OF(most); i++)
        if (most[i] > SEGMENT_RAW_MAX + (1u << 20)) test_fail(__FILE__, __LINE__, "an object of level %u has %llu bytes", i, (unsigned long long)most[i]);
    for (u32 i = 0; i < COUNT_OF(parts); i++)
        if (parts[i] < SEGMENT_RAW_MAX - (1u << 20)) test_fail(__FILE__, __LINE__, "kind %u has no part of a large database: %llu bytes", i, (unsigned long long)parts[i]);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

TEST(missing_objects_are_named)
{
    struct node n = {0};
    bool named;
    node_begin(&n, &(struct backup_options){.interval_ms = 200});
    for (u32 i = 0; i < 5; i++) {
        exec(&n, "INSERT INTO t(v) VALUES (randomblob(100))");
        turn(&n, SECOND_NS);
    }
    node_stop(&n);
    struct cloud_object *o = NULL;
    for (u32 i = 0; i < n.cloud.count; i++)
        if (strstr(n.cloud.objects[i].key, "/L0/0000000000000004")) o = &n.cloud.objects[i];
    REQUIRE(o);
    o->key[strlen(o->key) - 1] = 'x'; // gone from its place
    CHECK(verify(&n, "transaction 3", &named) > 0);
    CHECK(named);
    node_end(&n);
}

TEST(keys_are_changed_without_writing_the_backup_again)
{
    struct node n = {0};
    char text[ERR_TEXT_MAX];
    struct err err = ERR_CLEAR;
    bool named;
    n.key.given = true;
    node_begin(&n, &(struct backup_options){.interval_ms = 200});
    exec(&n, "INSERT INTO t(v) VALUES (randomblob(100))");
    turn(&n, 3 * SECOND_NS);
    node_stop(&n);
    u64 puts = n.cloud.counters.puts;
    struct inspect_options o = {.io = n.io, .objects = n.store, .database = "db", .key = n.key};
    struct inspect *x = inspect_open(&o, &err);
    struct master_key other = {.given = true, .bytes = {9}};
    REQUIRE(x && inspect_rekey(x, &other, &err));
    inspect_close(x);
    CHECK_EQ(n.cloud.counters.puts, puts + 1);
    CHECK_EQ(restore(&n, text), ERR_STORE_KEY);
    CHECK(strstr(text, "another key") != NULL);
    n.key = (struct master_key){0};
    CHECK_EQ(restore(&n, text), ERR_STORE_KEY);
    CHECK(strstr(text, "--key-file") != NULL);
    n.key = (struct master_key){.given = true, .is_passphrase = true, .passphrase = "words"};
    CHECK_EQ(restore(&n, text), ERR_STORE_KEY);
    n.key = other;
    CHECK_EQ(restore(&n, text), ERR_OK);
    CHECK_EQ(verify(&n, "nothing", &named), 0);
    // And to a passphrase.
    o.key = other;
    x = inspect_open(&o, &err);
    struct master_key words = {.given = true, .is_passphrase = true, .passphrase = "correct horse"};
    REQUIRE(x && inspect_rekey(x, &words, &err));
    inspect_close(x);
    n.key = words;
    CHECK_EQ(restore(&n, text), ERR_OK);
    n.key.passphrase = "correct hearse";
    CHECK_EQ(restore(&n, text), ERR_STORE_KEY);
    node_end(&n);
}

// By a command of its own; n->key is the new one then, and the node's is not.
static void rekey(struct node *n)
{
    struct err err = ERR_CLEAR;
    struct master_key to = {.given = true, .bytes = {9}};
    struct object_store *own = cloud_open(&n->cloud, n->io);
    struct inspect *x = inspect_open(&(struct inspect_options){.io = n->io, .objects = own, .database = "db", .key = n->key}, &err);
    if (!x || !inspect_rekey(x, &to, &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
    inspect_close(x);
    object_store_close(own);
    n->key = to;
}

// Merges and retention take what a slow restore is reading: it goes on from what is there then.
static void update(struct node *n, u32 id)
{
    char sql[100];
    snprintf(sql, sizeof sql, "UPDATE t SET v = randomblob(5000) WHERE id = %u", id);
    exec(n, sql);
    turn(n, SECOND_NS);
}

TEST(a_restore_that_takes_long_is_planned_anew)
{
    static const struct {
        const char *out;
        bool rekeyed; // meanwhile: it has the data key already
    } CASES[] = {{NULL, false}, {"/data/out.db", false}, {"/data/out.db", true}};
    for (u32 i = 0; i < COUNT_OF(CASES) && !test_failed(); i++) {
        struct node n = {.key.given = CASES[i].rekeyed};
        const char *out = CASES[i].out;
        node_begin(&n, &(struct backup_options){.interval_ms = 200, .head_interval_ms = 500, .period_ms = {0, 2000, 8000, 30000, 60000},
                                                .keep_ms = {1000, 5000, 20000, 40000, 100000}});
        turn(&n, 301 * SECOND_NS); // what was listed at its start is whole
        exec(&n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 200) INSERT INTO t SELECT i, randomblob(5000) FROM s");
        for (u32 row = 1; row < 20; row++) update(&n, row * 9);
        struct object_store *own = cloud_open(&n.cloud, n.io);
        struct restore r = {0};
        completion_init(&r.done, NULL, NULL);
        restore_start(&r, &(struct restore_options){.io = n.io, .objects = own, .name = "db", .key = n.key, .out_path = out, .discard = !out, .parallel = 1});
        while (!r.pages_done) io_step(n.io, SECOND_NS);
        cloud_far(own, 200 * SECOND_NS);
        if (CASES[i].rekeyed) rekey(&n);
        for (u32 row = 1; row < 180; row++) update(&n, row);
        cloud_far(own, 0);
        while (r.done.state != COMPLETION_DONE) io_step(n.io, SECOND_NS);
        if (r.err.code != ERR_OK) test_fail(__FILE__, __LINE__, "%s: %s", out ? out : "discarded", r.err.text);
        CHECK(r.replans > 0);
        restore_deinit(&r);
        object_store_close(own);
        node_stop(&n);
        node_end(&n);
    }
}

// A node whose key is changed while it runs has the data key: it goes on, and looks at the store again.
TEST(a_key_that_is_changed_under_a_node)
{
    struct node n = {.key.given = true};
    struct backup_options options = {.interval_ms = 200, .head_interval_ms = 500};
    struct backup_status s;
    char text[ERR_TEXT_MAX];
    node_begin(&n, &options);
    turn(&n, 3 * SECOND_NS);
    node_stop(&n);
    node_open(&n, &options);
    turn(&n, 3 * SECOND_NS);
    rekey(&n);
    turn(&n, 400 * SECOND_NS);
    exec(&n, "INSERT INTO t(v) VALUES (1)");
    turn(&n, 3 * SECOND_NS);
    backup_status_get(n.backup, &s);
    CHECK_EQ(s.state, BACKUP_IDLE);
    CHECK_STR(s.error, "");
    CHECK_EQ(s.behind_since_ms, 0);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

// Each start writes to a lineage of its own, and the newest one is in the middle of its first image, which the head does not name.
TEST(a_key_that_is_changed_while_a_lineage_begins)
{
    struct node n = {.key.given = true};
    struct backup_options options = {.interval_ms = 200, .head_interval_ms = 500};
    struct backup_status s;
    char text[ERR_TEXT_MAX];
    node_begin(&n, &options);
    n.cloud.conditions_ignored = true;
    turn(&n, 3 * SECOND_NS);
    exec(&n, "INSERT INTO t(v) VALUES (1)");
    turn(&n, 3 * SECOND_NS);
    node_stop(&n);
    object_store_close(n.store);
    n.store = cloud_open(&n.cloud, n.io); // another process, which finds out what the store can
    u32 keys = 0;
    node_open(&n, &options);
    for (u32 k = 0; k < 100000 && keys < 2; k++) {
        turn(&n, SECOND_NS / 1000);
        keys = 0;
        for (u32 i = 0; i < n.cloud.count; i++) {
            const char *end = strrchr(n.cloud.objects[i].key, '/');
            keys += end && strcmp(end, "/key") == 0;
        }
    }
    CHECK_EQ(keys, 2);
    cloud_far(n.store, 10 * SECOND_NS);
    rekey(&n);
    turn(&n, 200 * SECOND_NS);
    backup_status_get(n.backup, &s);
    CHECK_EQ(s.state, BACKUP_IDLE);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

// The answer to the put of the wrapped key is lost, again and again.
static bool of_a_key(const char *key)
{
    const char *end = strrchr(key, '/');
    return end && strcmp(end, "/key") == 0;
}

TEST(a_key_that_is_changed_without_an_answer)
{
    struct node n = {.key.given = true};
    char text[ERR_TEXT_MAX];
    node_begin(&n, &(struct backup_options){.interval_ms = 200});
    turn(&n, 3 * SECOND_NS);
    n.cloud.silent = of_a_key;
    rekey(&n);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

// What an earlier restore has written stays when the disk has no room for a newer, larger state; then there is some.
TEST(a_restore_that_finds_no_room_goes_on_later)
{
    struct node n = {0};
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .head_interval_ms = 500});
    exec(&n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 1000) INSERT INTO t SELECT i, randomblob(5000) FROM s");
    turn(&n, 20 * SECOND_NS);
    static const err_code WANT[] = {ERR_CANCELLED, ERR_FULL, ERR_OK};
    for (u32 i = 0; i < COUNT_OF(WANT); i++) {
        struct restore r = {0};
        if (i == 1) sim_fault_rate(n.sim, SIM_WRITE_FULL, 1000000);
        completion_init(&r.done, NULL, NULL);
        restore_start(&r, &(struct restore_options){.io = n.io, .objects = n.store, .name = "db", .out_path = "/data/out.db", .parallel = 1});
        while (r.done.state != COMPLETION_DONE) {
            io_step(n.io, SECOND_NS);
            if (!i && r.pages_done > 600) restore_cancel(&r);
        }
        CHECK_EQ(r.err.code, WANT[i]);
        if (i == 2) CHECK(r.pages_resumed > 600);
        restore_deinit(&r);
        sim_fault_rate(n.sim, SIM_WRITE_FULL, 0);
        if (i) continue;
        exec(&n, "INSERT INTO t SELECT id + 1000, v FROM t WHERE id < 200");
        turn(&n, 5 * SECOND_NS);
    }
    node_stop(&n);
    node_end(&n);
}

// A sync fails: what it should have covered is not relied on, whatever later syncs say.
static void restore_with_a_failed_sync(u32 nth, bool cancelled)
{
    struct node n = {0};
    struct err err = ERR_CLEAR;
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .head_interval_ms = 500});
    exec(&n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 1000) INSERT INTO t SELECT i, randomblob(5000) FROM s");
    turn(&n, 20 * SECOND_NS);
    node_stop(&n);
    n.cloud.delay_ns_max = 2 * SECOND_NS; // what is written is noted every few seconds
    sim_fault_at(n.sim, SIM_SYNC_ERROR, nth);
    err_code code = ERR_BUSY;
    for (u32 i = 0; i < 5 && code != ERR_OK; i++) {
        struct restore r = {0};
        completion_init(&r.done, NULL, NULL);
        restore_start(&r, &(struct restore_options){.io = n.io, .objects = n.store, .name = "db", .out_path = "/data/out.db", .parallel = 1});
        while (r.done.state != COMPLETION_DONE) {
            io_step(n.io, SECOND_NS);
            if (cancelled && !i && r.pages_done > 600) restore_cancel(&r);
        }
        code = r.err.code;
        restore_deinit(&r);
    }
    CHECK(code == ERR_OK || code == ERR_CANTOPEN); // the name was there, and was said not to be durable
    u64 size, size_after = 0;
    u8 *bytes = sim_file_get(n.sim, "/data/out.db", &size);
    sim_crash(n.sim);
    object_store_close(n.store);
    io_destroy(n.io);
    n.io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = n.sim}, &err);
    n.store = cloud_open(&n.cloud, n.io);
    u8 *after = sim_file_get(n.sim, "/data/out.db", &size_after);
    if (code == ERR_OK && (!bytes || !after || size != size_after || memcmp(bytes, after, size) != 0))
        test_fail(__FILE__, __LINE__, "sync %u, %s: the file is not what was restored", nth, cancelled ? "cancelled" : "in one go");
    free(bytes);
    free(after);
    node_end(&n);
}

TEST(a_sync_fails_during_a_restore)
{
    for (u32 i = 0; i < 16 && !test_failed(); i++) restore_with_a_failed_sync(1 + i / 2, i % 2);
}

// The store is away for a week in which 40 rows are updated again and again.
TEST(a_week_offline_is_one_push)
{
    struct node n = {0};
    char sql[200], text[ERR_TEXT_MAX];
    node_begin(&n, &(struct backup_options){0});
    exec(&n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 5000) INSERT INTO t SELECT i, randomblob(400) FROM s");
    turn(&n, 20 * SECOND_NS);
    struct backup_status before, after;
    backup_status_get(n.backup, &before);
    CHECK_EQ(before.behind_since_ms, 0);
    n.cloud.away = true;
    for (u32 i = 0; i < 7 * 1440; i++) {
        snprintf(sql, sizeof sql, "UPDATE t SET v = randomblob(400) WHERE id = %u", 1 + i % 40);
        exec(&n, sql);
        turn(&n, 60 * SECOND_NS);
    }
    backup_status_get(n.backup, &after);
    CHECK_EQ(after.tx, before.tx);
    CHECK(after.lag_bytes > 30u << 20);
    CHECK(after.behind_since_ms > 0 && after.error[0]);
    n.cloud.away = false;
    turn(&n, 70 * SECOND_NS); // the longest wait between tries, and the push
    backup_status_get(n.backup, &after);
    CHECK_EQ(after.behind_since_ms, 0);
    CHECK(after.tx - before.tx <= 2); // what waited when the store went, and the rest
    CHECK(after.pushed_bytes - before.pushed_bytes < 200000); // 40 rows lie on a few pages
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

// Something always waits when commits never end: how long is told of what waits, not of all that ever did.
TEST(a_steady_writer_is_a_push_behind)
{
    struct node n = {0};
    s64 longest = 0;
    node_begin(&n, &(struct backup_options){.interval_ms = 1000});
    n.cloud.delay_ns_max = 300000000;
    for (u32 i = 0; i < 600; i++) {
        struct backup_status s;
        exec(&n, "INSERT INTO t(v) VALUES (randomblob(40))");
        turn(&n, SECOND_NS / 10);
        backup_status_get(n.backup, &s);
        if (s.behind_since_ms && i > 20) longest = MAX(longest, io_wall_ms(n.io) - s.behind_since_ms);
    }
    // A commit waits for the push under way, for the next one's turn, and for that; a merge or an image may be in the way.
    printf("  at most %lld ms behind, in a minute of commits\n", (long long)longest);
    CHECK(longest > 900 && longest < 10 * 1000);
    node_stop(&n);
    node_end(&n);
}

// At the bound commits are refused, reads go on; once the store has taken what waits, so do commits.
TEST(commits_are_refused_at_the_bound)
{
    struct node n = {0};
    char text[ERR_TEXT_MAX];
    struct backup_status s;
    node_begin(&n, &(struct backup_options){.wal_bytes_max = 1 << 20, .wal_full = BACKUP_WAL_REFUSE});
    turn(&n, 20 * SECOND_NS);
    n.cloud.away = true;
    u32 rows = 0;
    while (rows < 1000 && skerry_exec(n.db, "INSERT INTO t(v) VALUES (randomblob(9000))", NULL, NULL) == SKERRY_OK) rows++;
    CHECK(rows > 50 && rows < 200); // 1 MiB, of pages and frame headers
    CHECK_EQ(skerry_error(n.db)->code, ERR_FULL);
    CHECK(strstr(skerry_error(n.db)->text, "--wal-bytes-max") != NULL);
    exec(&n, "SELECT count(*) FROM t");
    backup_status_get(n.backup, &s);
    CHECK(s.refusing);
    n.cloud.away = false;
    turn(&n, 70 * SECOND_NS);
    backup_status_get(n.backup, &s);
    CHECK(!s.refusing);
    exec(&n, "INSERT INTO t(v) VALUES (1)");
    turn(&n, 20 * SECOND_NS);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

struct events {
    u32 limits, images, merges_failed, used; // used: parts of an image that were in the store already
};

static void count_events(void *context, enum sync_log_level level, const char *event, const char *text)
{
    struct events *e = context;
    e->limits += strcmp(event, "backup.wal_limit") == 0;
    e->images += strcmp(event, "backup.image") == 0 && strncmp(text, "pushing", 7) == 0;
    e->merges_failed += strcmp(event, "backup.merge_failed") == 0;
    u32 used = 0;
    if (sscanf(text, "of the image's 3 parts %u were in the store already", &used) == 1) e->used += used;
}

static u64 wal_size(struct node *n)
{
    u64 size = 0;
    free(sim_file_get(n->sim, "/data/a.db-wal", &size));
    return size;
}

static bool object_is_there(struct node *n, const char *part)
{
    for (u32 i = 0; i < n->cloud.count; i++)
        if (strstr(n->cloud.objects[i].key, part)) return true;
    return false;
}

// The store comes back until this part of an image is there.
static void cut_after(struct node *n, const char *part)
{
    n->cloud.away = false;
    for (u32 i = 0; i < 6000 && !object_is_there(n, part); i++) turn(n, SECOND_NS / 100);
    n->cloud.away = true;
    REQUIRE(object_is_there(n, part) && !object_is_there(n, ".00000002."));
    turn(n, 600 * SECOND_NS);
}

// An image of three shards, of which the first is in the store when that goes away.
static void image_cut(struct node *n, struct events *e)
{
    node_begin(n, &(struct backup_options){.wal_bytes_max = 1 << 20, .log = count_events, .log_context = e});
    n->cloud.away = true;
    exec(n, "INSERT INTO t VALUES (1, zeroblob(35000000))");
    CHECK_EQ(e->limits, 1);
    cut_after(n, ".00000000.");
}

TEST(an_image_goes_on_where_it_was_when_the_store_is_back)
{
    struct node n = {0};
    struct events e = {0};
    char text[ERR_TEXT_MAX];
    struct backup_status s;
    image_cut(&n, &e);
    u32 images = e.images;
    n.cloud.away = false;
    turn(&n, 70 * SECOND_NS);
    backup_status_get(n.backup, &s);
    CHECK_EQ(s.state, BACKUP_IDLE);
    CHECK_EQ(s.behind_since_ms, 0);
    CHECK_EQ(e.images, images);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

static bool merged(const char *key)
{
    const char *level = strstr(key, "/L1/");
    return level && !strchr(level, '.');
}

static u64 merged_versions(struct node *n)
{
    u64 sum = 0;
    for (u32 i = 0; i < n->cloud.count; i++)
        if (strstr(n->cloud.objects[i].key, "/L1/")) sum = sum * 31 + n->cloud.objects[i].version;
    return sum;
}

// What merges pushes is in the store, and its writer does not hear of it: nothing of it is written again, since its table names
// shards by their hashes, and since who reads has seen the sizes of one object.
TEST(a_merge_that_was_not_heard_of_stays)
{
    static const struct {
        bool conditions_ignored;
        const char *row;
    } CASES[] = {{false, "zeroblob(17825792)"}, {true, "zeroblob(17825792)"}, {true, "randomblob(300)"}};
    for (u32 i = 0; i < COUNT_OF(CASES) && !test_failed(); i++) {
        struct node n = {.key.given = true};
        struct events e = {0};
        char text[ERR_TEXT_MAX], sql[100];
        bool named;
        node_begin(&n, &(struct backup_options){.interval_ms = 200, .head_interval_ms = 500, .period_ms = {0, 60000, 600000, 6000000, 60000000}, .log = count_events, .log_context = &e});
        n.cloud.conditions_ignored = CASES[i].conditions_ignored;
        n.cloud.silent = merged;
        turn(&n, 2 * SECOND_NS);
        for (u32 k = 0; k < 5; k++) {
            snprintf(sql, sizeof sql, "REPLACE INTO t VALUES (1, %s)", CASES[i].row);
            exec(&n, sql);
            turn(&n, SECOND_NS);
        }
        for (u32 k = 0; k < 600000 && !e.merges_failed; k++) turn(&n, SECOND_NS / 1000);
        REQUIRE(e.merges_failed > 0 && object_is_there(&n, "/L1/"));
        u64 before = merged_versions(&n);
        n.cloud.silent = NULL;
        turn(&n, 40 * SECOND_NS);
        CHECK_EQ(merged_versions(&n), before);
        CHECK_EQ(verify(&n, "nothing", &named), 0);
        CHECK_EQ(restore(&n, text), ERR_OK);
        node_stop(&n);
        node_end(&n);
    }
}

// A node that is started again at once, when listings do not have its newest push yet: its mark names it.
TEST(a_push_that_is_not_listed_yet)
{
    struct node n = {0};
    struct events e = {0};
    struct backup_status s;
    char text[ERR_TEXT_MAX];
    struct backup_options options = {.interval_ms = 50, .head_interval_ms = 600000, .log = count_events, .log_context = &e};
    node_begin(&n, &options);
    turn(&n, 5 * SECOND_NS);
    n.cloud.unlisted_ms = 600000;
    for (u32 life = 0; life < 3; life++) {
        exec(&n, "INSERT INTO t(v) VALUES (1)");
        turn(&n, SECOND_NS);
        n.cloud.partial_list = 0;
        node_stop(&n);
        n.cloud.partial_list = 1000;
        node_open(&n, &options);
        turn(&n, 5 * SECOND_NS);
        backup_status_get(n.backup, &s);
        CHECK_EQ(s.state, BACKUP_IDLE);
        CHECK_STR(s.error, "");
    }
    n.cloud.partial_list = 0;
    CHECK_EQ(e.images, 1);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

static void power_cut(struct node *n, const struct backup_options *options)
{
    struct err err = ERR_CLEAR;
    sim_crash(n->sim);
    node_stop(n);
    object_store_close(n->store);
    io_destroy(n->io);
    n->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = n->sim}, &err);
    n->store = cloud_open(&n->cloud, n->io);
    node_open(n, options);
}

static int rows_row(void *context, struct skerry_stmt *s)
{
    *(u64 *)context = (u64)skerry_column_integer(s, 0);
    return 0;
}

// Of what a restore gives.
static u64 restored_rows(struct node *n)
{
    struct restore r = {0};
    struct err err = ERR_CLEAR;
    struct skerry *db;
    u64 rows = 0;
    completion_init(&r.done, NULL, NULL);
    restore_start(&r, &(struct restore_options){.io = n->io, .objects = n->store, .name = "db", .out_path = "/data/restored.db", .overwrite = true});
    while (r.done.state != COMPLETION_DONE) io_step(n->io, SECOND_NS);
    if (r.err.code != ERR_OK) test_fail(__FILE__, __LINE__, "%s", r.err.text);
    restore_deinit(&r);
    if (!skerry_open(n->engine, "/data/restored.db", 0, &db, &err)) abort();
    CHECK_EQ(skerry_exec(db, "SELECT count(*) FROM t", rows_row, &rows), SKERRY_OK);
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(n->io, SECOND_NS);
    return rows;
}

// After a clean stop the power goes: before anything is written, and while the store is away, again and again. What has to be
// pushed is known each time.
TEST(the_power_goes_after_a_clean_stop)
{
    struct node n = {0};
    struct events e = {0};
    struct backup_status s;
    struct backup_options options = {.interval_ms = 50, .log = count_events, .log_context = &e};
    node_begin(&n, &options);
    exec(&n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 500) INSERT INTO t SELECT i, randomblob(400) FROM s");
    turn(&n, 20 * SECOND_NS);
    CHECK_EQ(e.images, 1);
    node_stop(&n);
    node_open(&n, &options);
    for (u32 i = 0; i < 3; i++) {
        turn(&n, 5 * SECOND_NS);
        backup_status_get(n.backup, &s);
        CHECK_EQ(s.state, BACKUP_IDLE);
        power_cut(&n, &options);
    }
    turn(&n, 5 * SECOND_NS);
    node_stop(&n);
    n.cloud.away = true;
    node_open(&n, &options);
    for (u32 i = 0; i < 3; i++) {
        exec(&n, "INSERT INTO t(v) VALUES (randomblob(400))");
        turn(&n, 5 * SECOND_NS);
        power_cut(&n, &options);
    }
    n.cloud.away = false;
    turn(&n, 70 * SECOND_NS);
    backup_status_get(n.backup, &s);
    CHECK_EQ(s.state, BACKUP_IDLE);
    CHECK_EQ(s.behind_since_ms, 0);
    CHECK_EQ(e.images, 1);
    CHECK_EQ(restored_rows(&n), 503);
    // A log that was written to the file meanwhile says no more from where on it goes.
    node_stop(&n);
    n.cloud.away = true;
    node_open(&n, &options);
    exec(&n, "DELETE FROM t WHERE id < 100; PRAGMA wal_checkpoint");
    power_cut(&n, &options);
    n.cloud.away = false;
    turn(&n, 70 * SECOND_NS);
    CHECK_EQ(e.images, 2);
    CHECK_EQ(restored_rows(&n), 404);
    node_stop(&n);
    node_end(&n);
}

static u64 restored_tx(struct node *n, u64 tx)
{
    struct restore r = {0};
    completion_init(&r.done, NULL, NULL);
    restore_start(&r, &(struct restore_options){.io = n->io, .objects = n->store, .name = "db", .discard = true, .tx = tx});
    while (r.done.state != COMPLETION_DONE) io_step(n->io, SECOND_NS);
    if (r.err.code != ERR_OK) test_fail(__FILE__, __LINE__, "%s", r.err.text);
    u64 found = r.tx;
    restore_deinit(&r);
    return found;
}

static u64 pushed_tx(struct node *n)
{
    struct backup_status s;
    backup_status_get(n->backup, &s);
    CHECK_EQ(s.behind_since_ms, 0);
    return s.tx;
}

// The head is older than the newest pushes, of which listings have the last or none: what is in between is asked for by name.
TEST(a_restore_of_what_is_not_listed_yet)
{
    for (u32 last = 0; last < 2; last++) {
        struct node n = {0};
        node_begin(&n, &(struct backup_options){.interval_ms = 50, .head_interval_ms = 600000});
        turn(&n, 5 * SECOND_NS);
        u64 from = io_now_ns(n.io);
        for (u32 i = 0; i < 3; i++) {
            exec(&n, "INSERT INTO t(v) VALUES (1)");
            turn(&n, SECOND_NS);
        }
        u64 tx = pushed_tx(&n);
        for (u32 i = 0; i < n.cloud.count && last; i++) // that one is listed
            if (n.cloud.objects[i].put_ns > from && i + 1 < n.cloud.count && !strstr(n.cloud.objects[i + 1].key, "/L0/")) n.cloud.objects[i].put_ns = 0;
        n.cloud.partial_list = 1000;
        n.cloud.unlisted_ms = 7000;
        CHECK_EQ(restored_tx(&n, 0), tx);
        n.cloud.partial_list = 0;
        node_stop(&n);
        node_end(&n);
    }
}

// The backup began anew with an image that neither the head nor listings have yet.
TEST(a_restore_of_an_image_that_is_not_listed_yet)
{
    struct node n = {0};
    struct backup_options options = {.interval_ms = 50, .head_interval_ms = 600000};
    u64 size = 0;
    node_begin(&n, &options);
    turn(&n, 5 * SECOND_NS);
    node_stop(&n);
    // Changed while the node did not run: the file is not the one of the mark.
    u8 *bytes = sim_file_get(n.sim, n.path, &size), *longer = calloc(1, size + 4096);
    memcpy(longer, bytes, size);
    sim_file_put(n.sim, n.path, longer, size + 4096);
    free(bytes);
    free(longer);
    struct cloud_object *head = cloud_find(&n.cloud, "db/head");
    struct cloud_object old = *head;
    old.bytes = malloc(old.size);
    memcpy(old.bytes, head->bytes, old.size);
    u64 from = io_now_ns(n.io);
    turn(&n, 5 * SECOND_NS);
    node_open(&n, &options);
    exec(&n, "INSERT INTO t(v) VALUES (1)");
    turn(&n, 5 * SECOND_NS);
    u64 tx = pushed_tx(&n);
    head = cloud_find(&n.cloud, "db/head");
    free(head->bytes);
    head->bytes = old.bytes;
    head->size = old.size;
    n.cloud.partial_list = 1000;
    n.cloud.unlisted_ms = (s64)((io_now_ns(n.io) - from) / 1000000);
    CHECK_EQ(restored_tx(&n, 0), tx);
    n.cloud.partial_list = 0;
    node_stop(&n);
    node_end(&n);
}

// An image that was let go is listed still: others lead to the state, too.
TEST(a_restore_when_listings_have_what_is_gone)
{
    struct node n = {0};
    struct backup_status s;
    char key[OBJECT_KEY_MAX];
    node_begin(&n, &(struct backup_options){.interval_ms = 50, .head_interval_ms = 500});
    turn(&n, 5 * SECOND_NS);
    for (u32 i = 0; i < 5; i++) {
        exec(&n, "INSERT INTO t(v) VALUES (1)");
        turn(&n, SECOND_NS);
    }
    u64 tx = pushed_tx(&n);
    backup_status_get(n.backup, &s);
    n.cloud.ghosts = calloc(3, sizeof *n.cloud.ghosts);
    n.cloud.ghost_count = 3;
    for (u32 i = 0; i < 3; i++) {
        snprintf(key, sizeof key, "db/%016llx/L4/%016x-%016llx", (unsigned long long)s.lineage, 1, (unsigned long long)tx - 1 - i);
        n.cloud.ghosts[i] = (struct cloud_ghost){.key = strdup(key), .size = 4000, .until_ns = UINT64_MAX};
    }
    CHECK_EQ(restored_tx(&n, tx - 1), tx - 1);
    CHECK_EQ(restored_tx(&n, 0), tx);
    node_stop(&n);
    node_end(&n);
}

// No head is put for long, and listings lack all there is: merges let nothing go that leads on from the head.
TEST(a_restore_behind_an_old_head)
{
    struct node n = {0};
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .head_interval_ms = 6000000, .period_ms = {0, 2000, 8000, 30000, 100000},
                                            .keep_ms = {1000, 5000, 20000, 40000, 100000}});
    for (u32 i = 0; i < 120; i++) {
        exec(&n, "INSERT INTO t(v) VALUES (1)");
        turn(&n, SECOND_NS);
    }
    u64 tx = pushed_tx(&n);
    CHECK(tx > 100);
    n.cloud.partial_list = 1000;
    n.cloud.unlisted_ms = 1000000;
    CHECK_EQ(restored_tx(&n, 0), tx);
    n.cloud.partial_list = 0;
    node_stop(&n);
    node_end(&n);
}

// A start whose listings have the shards of a push, and not yet the push.
TEST(shards_of_a_push_that_is_not_listed_yet)
{
    struct node n = {0};
    struct backup_options options = {.interval_ms = 50, .head_interval_ms = 600000};
    char text[ERR_TEXT_MAX];
    u64 raw_max = segment_raw_max;
    segment_raw_max = 65536;
    node_begin(&n, &options);
    turn(&n, 400 * SECOND_NS);
    exec(&n, "INSERT INTO t SELECT value, randomblob(4000) FROM generate_series(1, 100)");
    turn(&n, 2 * SECOND_NS);
    u64 tx = pushed_tx(&n);
    exec(&n, "INSERT INTO t(v) VALUES (1)");
    turn(&n, 2 * SECOND_NS);
    CHECK_EQ(pushed_tx(&n), tx + 1);
    n.cloud.away = true; // it ends without a head
    node_stop(&n);
    n.cloud.away = false;
    u32 shards = 0;
    for (u32 i = 0; i < n.cloud.count; i++) {
        struct cloud_object *o = &n.cloud.objects[i];
        if (!strstr(o->key, "/L0/") || !strchr(o->key, '.')) continue;
        shards++;
        o->put_ns = 0;
    }
    CHECK(shards > 1);
    n.cloud.partial_list = 1000;
    n.cloud.unlisted_ms = 250000;
    node_open(&n, &options);
    turn(&n, 400 * SECOND_NS);
    n.cloud.partial_list = 0;
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
    segment_raw_max = raw_max;
}

// The node and its volume are lost in the middle of an image that begins anew. What can be restored goes on from there.
TEST(who_restores_before_an_image_that_never_came_goes_on)
{
    static const struct backup_options OFTEN = {.interval_ms = 100, .head_interval_ms = 500};
    struct node n = {0};
    struct backup_status s;
    char text[ERR_TEXT_MAX];
    node_begin(&n, &OFTEN);
    turn(&n, 5 * SECOND_NS);
    for (u32 life = 0; life < 3; life++) {
        u64 size = 0;
        node_stop(&n);
        // Changed while the node did not run: the file is not the one of the mark.
        u8 *bytes = sim_file_get(n.sim, n.path, &size), *longer = calloc(1, size + 4096);
        memcpy(longer, bytes, size);
        sim_file_put(n.sim, n.path, longer, size + 4096);
        free(bytes);
        free(longer);
        n.cloud.away = false;
        u64 puts = n.cloud.counters.puts;
        node_open(&n, &OFTEN);
        for (u32 i = 0; i < 1000 && n.cloud.counters.puts < puts + 2; i++) turn(&n, SECOND_NS / 1000);
        n.cloud.away = true; // its claim and the segment that announces it are there
    }
    turn(&n, 5 * SECOND_NS);
    node_stop(&n);
    n.cloud.away = false;
    struct restore r = {0};
    completion_init(&r.done, NULL, NULL);
    restore_start(&r, &(struct restore_options){.io = n.io, .objects = n.store, .name = "db", .out_path = "/data/b.db"});
    while (r.done.state != COMPLETION_DONE) io_step(n.io, SECOND_NS);
    CHECK_EQ(r.err.code, ERR_OK);
    CHECK(restore_bind(&r));
    restore_deinit(&r);
    n.path = "/data/b.db";
    node_open(&n, &OFTEN);
    exec(&n, "INSERT INTO t(v) VALUES (1)");
    turn(&n, 30 * SECOND_NS);
    backup_status_get(n.backup, &s);
    if (s.state != BACKUP_IDLE || s.behind_since_ms) test_fail(__FILE__, __LINE__, "state %d: %s", s.state, s.error);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

// A node that is started again, once and again, before its image is whole: what is there and still the same stays.
TEST(an_image_goes_on_after_a_restart)
{
    static const struct {
        bool encrypted, changed, damaged;
        u32 used;
    } CASES[] = {{false, false, false, 2}, {true, false, false, 2}, {false, true, false, 1}, {true, false, true, 1}};
    for (u32 i = 0; i < COUNT_OF(CASES) && !test_failed(); i++) {
        struct node n = {.key.given = CASES[i].encrypted};
        struct events e = {0};
        struct backup_options options = {.wal_bytes_max = 1 << 20, .log = count_events, .log_context = &e};
        struct backup_status s;
        char text[ERR_TEXT_MAX];
        bool named;
        image_cut(&n, &e);
        node_stop(&n);
        node_open(&n, &options);
        cut_after(&n, ".00000001.");
        node_stop(&n);
        if (CASES[i].damaged)
            for (u32 k = 0; k < n.cloud.count; k++)
                if (strstr(n.cloud.objects[k].key, ".00000000.")) n.cloud.objects[k].bytes[n.cloud.objects[k].size - 200] ^= 1;
        node_open(&n, &options);
        if (CASES[i].changed) exec(&n, "INSERT INTO t VALUES (2, 'in the first shard')");
        n.cloud.away = false;
        turn(&n, 150 * SECOND_NS);
        backup_status_get(n.backup, &s);
        CHECK_EQ(s.state, BACKUP_IDLE);
        CHECK_EQ(s.behind_since_ms, 0);
        CHECK_EQ(e.used, CASES[i].used);
        CHECK_EQ(restore(&n, text), ERR_OK);
        // What is named stays when there is another image.
        exec(&n, "UPDATE t SET v = randomblob(100) WHERE id = 1");
        turn(&n, 3 * 86400 * SECOND_NS);
        exec(&n, "INSERT INTO t VALUES (3, 'x')");
        turn(&n, 600 * SECOND_NS);
        CHECK_EQ(restore(&n, text), ERR_OK);
        CHECK_EQ(verify(&n, "nothing", &named), CASES[i].damaged); // which is still there: prune shows it
        node_stop(&n);
        node_end(&n);
    }
}

// Its snapshot keeps the log, though not without end: until as much log has come as the database has bytes.
TEST(an_image_that_takes_too_long_is_given_up)
{
    struct node n = {0};
    struct events e = {0};
    char text[ERR_TEXT_MAX];
    struct backup_status s;
    image_cut(&n, &e);
    u32 rows = 0;
    for (; rows < 30; rows++) exec(&n, "INSERT INTO t(v) VALUES (randomblob(1000000))");
    CHECK_EQ(e.limits, 1); // 30 of 35 MB
    for (; rows < 45; rows++) exec(&n, "INSERT INTO t(v) VALUES (randomblob(1000000))");
    CHECK_EQ(e.limits, 2);
    turn(&n, SECOND_NS);
    // It is there to be used again.
    exec(&n, "PRAGMA wal_checkpoint(TRUNCATE)");
    for (; rows < 60; rows++) exec(&n, "INSERT INTO t(v) VALUES (randomblob(1000000))");
    CHECK(wal_size(&n) < 20u << 20);
    n.cloud.away = false;
    turn(&n, 150 * SECOND_NS);
    backup_status_get(n.backup, &s);
    CHECK_EQ(s.state, BACKUP_IDLE);
    CHECK_EQ(s.behind_since_ms, 0);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

// A power cut may tear both slots of the mark that pushes write. The database is still known to be the backup's.
TEST(a_torn_mark_still_says_whose_database_this_is)
{
    static const struct backup_options OFTEN = {.interval_ms = 100};
    struct node n = {0};
    struct backup_status s;
    char text[ERR_TEXT_MAX];
    node_begin(&n, &OFTEN);
    for (u32 life = 0; life < 4; life++) {
        for (u32 i = 0; i < 5; i++) {
            exec(&n, "INSERT INTO t(v) VALUES (randomblob(100))");
            turn(&n, SECOND_NS);
        }
        backup_status_get(n.backup, &s);
        CHECK_EQ(s.state, BACKUP_IDLE);
        CHECK_EQ(s.behind_since_ms, 0);
        node_stop(&n);
        u64 size = 0;
        u8 *mark = sim_file_get(n.sim, "/data/a.db-backup", &size);
        REQUIRE(mark && size > 8192);
        memset(mark + 20, 0xff, 100);
        memset(mark + 4096 + 20, 0xff, 100);
        sim_file_put(n.sim, "/data/a.db-backup", mark, size);
        free(mark);
        node_open(&n, &OFTEN);
    }
    turn(&n, 30 * SECOND_NS);
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

// Pushes, merges and images have requests of their own under way when a stop's time is over: whichever ends last, it is done.
TEST(a_stop_ends_whatever_is_under_way)
{
    u64 seed = test_seed();
    for (u32 round = 0; round < 60 && !test_failed(); round++) {
        struct node n = {0};
        struct completion done;
        struct err err = ERR_CLEAR;
        node_begin(&n, &(struct backup_options){.interval_ms = 200, .head_interval_ms = 400, .period_ms = {0, 1000, 4000, 10000, 20000}});
        turn(&n, 5 * SECOND_NS);
        n.cloud.delay_ns_max = SECOND_NS;
        for (u32 i = 0, commits = 10 + (u32)(test_random(&seed) % 40); i < commits; i++) {
            exec(&n, "INSERT INTO t(v) VALUES (randomblob(3000))");
            turn(&n, test_random(&seed) % SECOND_NS);
        }
        completion_init(&done, NULL, NULL);
        backup_stop(n.backup, io_now_ns(n.io), &done);
        for (u64 end = io_now_ns(n.io) + 60 * SECOND_NS; done.state != COMPLETION_DONE && io_now_ns(n.io) < end;) io_step(n.io, SECOND_NS);
        if (done.state != COMPLETION_DONE) test_fail(__FILE__, __LINE__, "round %u: the stop does not end", round);
        REQUIRE(done.state == COMPLETION_DONE);
        while (skerry_close(n.db, &err) == SKERRY_WAIT) io_step(n.io, SECOND_NS);
        skerry_engine_destroy(n.engine);
        backup_destroy(n.backup);
        node_end(&n);
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
