// Goal: a replica whose mark is older than its database comes to the newest state, however the database's size changed in
// between, and while listings lack the newest pushes; and one whose file is of elsewhere says so. A replica of a node that is
// gone has the later one of what that had sent and what is in the store.
// Method: a writer and a replica beside each other on a simulated disk, and a store in memory. Either is stopped, and its
// mark put back to what it was: marks are not synced, so that a power cut does the same.
#include "../../node/feed.h"
#include "../../sync/inspect.h"
#include "../../sync/names.h"
#include "../../sync/replica.h"
#include "../sim/wire.h"
#include "backup_node.h"

#define COPY "/data/b.db"
#define WAL_HEADER 32 // bytes

struct follower {
    struct node *writer;
    struct skerry_engine *engine;
    struct skerry *db;
    struct replica *replica;
};

static void follower_begin_from(struct follower *f, struct node *writer, const char *url)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options engine = {.io = writer->io, .temp_dir = "/tmp"};
    f->writer = writer;
    f->replica = replica_create(&(struct replica_options){.io = writer->io, .objects = writer->store, .name = "db", .path = COPY, .poll_ms = 50,
                                                          .key = writer->key, .node = url}, &err);
    if (!f->replica || !skerry_engine_create(&engine, &f->engine, &err) || !skerry_open(f->engine, COPY, SKERRY_OPEN_CREATE, &f->db, &err)) abort();
    if (skerry_exec(f->db, "SELECT 1 FROM sqlite_schema", NULL, NULL) != SKERRY_OK) abort();
    replica_start(f->replica, skerry_store(f->db));
}

static void follower_begin(struct follower *f, struct node *writer)
{
    follower_begin_from(f, writer, NULL);
}

static void follower_end(struct follower *f)
{
    struct err err = ERR_CLEAR;
    replica_stop(f->replica);
    while (skerry_close(f->db, &err) == SKERRY_WAIT) io_step(f->writer->io, SECOND_NS);
    skerry_engine_destroy(f->engine);
    replica_destroy(f->replica);
}

static bool pushed(struct node *writer, u64 *tx)
{
    struct backup_status b;
    backup_status_get(writer->backup, &b);
    *tx = b.tx;
    return b.state == BACKUP_IDLE && !b.behind_since_ms;
}

static void push(struct node *writer, const char *sql)
{
    u64 tx;
    exec(writer, sql);
    for (u32 i = 0; i < 100 && !pushed(writer, &tx); i++) turn(writer, SECOND_NS / 5);
}

// Until the writer has pushed what it has, and the replica has that, or an error: nothing fails here that could be tried again.
static struct replica_status meet(struct follower *f)
{
    struct replica_status s = {0};
    u64 tx;
    for (u32 i = 0; i < 100; i++) {
        turn(f->writer, SECOND_NS / 5);
        replica_status_get(f->replica, &s);
        if (s.error[0] || (pushed(f->writer, &tx) && s.tx == tx)) break;
    }
    return s;
}

static void life(struct node *writer)
{
    struct follower f;
    follower_begin(&f, writer);
    struct replica_status s = meet(&f);
    CHECK_STR(s.error, "");
    follower_end(&f);
}

static int text_row(void *context, struct skerry_stmt *s)
{
    size_t size;
    const char *text = skerry_column_text(s, 0, &size);
    snprintf(context, 100, "%s", text ? text : "NULL");
    return 0;
}

static void rows_of(struct skerry *db, char text[100])
{
    text[0] = 0;
    if (skerry_exec(db, "SELECT count(*) || ' rows of ' || sum(length(v)) || ', ' || sum(unicode(v)) FROM t", text_row, text) != SKERRY_OK)
        snprintf(text, 100, "%.99s", skerry_error(db)->text);
}

// Follows until all is here, and it is what the writer has.
static void arrives(struct node *writer)
{
    struct follower f;
    char want[100], got[100];
    follower_begin(&f, writer);
    struct replica_status s = meet(&f);
    CHECK_STR(s.error, "");
    rows_of(writer->db, want);
    rows_of(f.db, got);
    CHECK_STR(got, want);
    follower_end(&f);
}

static void writer_begin_with(struct node *n, const struct backup_options *options)
{
    *n = (struct node){0};
    node_begin(n, options);
    exec(n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 30) INSERT INTO t SELECT i, printf('%.*c', 3500, 'a') FROM s");
}

// Its pushes are not merged.
static void writer_begin(struct node *n)
{
    writer_begin_with(n, &(struct backup_options){.interval_ms = 50, .head_interval_ms = 500, .period_ms = {0, 1000000, 2000000, 3000000, 4000000}});
}

static void writer_end(struct node *n)
{
    node_stop(n);
    node_end(n);
}

// While the replica followed, each its own push; and while it was away.
static void the_mark_is_older(const char *const *followed, const char *away)
{
    struct node n;
    struct follower f;
    u64 size;
    writer_begin(&n);
    life(&n);
    u8 *mark = sim_file_get(n.sim, COPY "-backup", &size);
    REQUIRE(mark != NULL);
    follower_begin(&f, &n);
    for (u32 i = 0; followed[i]; i++) {
        exec(&n, followed[i]);
        CHECK_STR(meet(&f).error, "");
    }
    follower_end(&f);
    sim_file_put(n.sim, COPY "-backup", mark, size);
    free(mark);
    push(&n, away);
    arrives(&n);
    writer_end(&n);
}

#define FEWER "DELETE FROM t WHERE id > 10"
#define MORE  "INSERT INTO t SELECT id + 100, replace(v, 'a', 'c') FROM t"

TEST(a_database_that_is_smaller_than_its_mark_says)
{
    the_mark_is_older((const char *const[]){FEWER, "VACUUM", NULL}, "UPDATE t SET v = replace(v, 'a', 'b') WHERE id = 3");
}

TEST(a_database_that_was_smaller_in_between)
{
    the_mark_is_older((const char *const[]){FEWER, "VACUUM", NULL}, MORE);
}

// The pages that a push changed were cut off by the next one.
TEST(pages_that_are_there_no_more)
{
    the_mark_is_older((const char *const[]){"UPDATE t SET v = replace(v, 'a', 'b') WHERE id = 3", "UPDATE t SET v = replace(v, 'a', 'b') WHERE id > 20", FEWER, "VACUUM", NULL}, MORE);
}

TEST(a_database_that_is_larger_than_its_mark_says)
{
    the_mark_is_older((const char *const[]){MORE, NULL}, "UPDATE t SET v = replace(v, 'a', 'b')");
}

// The database has the newest push, and the mark does not know it; listings lack what was put in the last seconds.
static void listings_lack_the_newest(bool marks_older)
{
    struct node n;
    struct follower f;
    u64 size;
    // The head does not name these pushes either.
    writer_begin_with(&n, &(struct backup_options){.interval_ms = 50, .head_interval_ms = 1000000});
    life(&n);
    u8 *mark = sim_file_get(n.sim, COPY "-backup", &size);
    follower_begin(&f, &n);
    push(&n, "UPDATE t SET v = replace(v, 'a', 'b') WHERE id = 2");
    CHECK_STR(meet(&f).error, "");
    if (!marks_older) {
        free(mark);
        mark = sim_file_get(n.sim, COPY "-backup", &size);
    }
    REQUIRE(mark != NULL);
    turn(&n, 4 * SECOND_NS);
    n.cloud.partial_list = 1000;
    push(&n, MORE);
    CHECK_STR(meet(&f).error, "");
    follower_end(&f);
    sim_file_put(n.sim, COPY "-backup", mark, size);
    free(mark);
    arrives(&n);
    CHECK(n.cloud.counters.partial_lists > 0);
    n.cloud.partial_list = 0;
    push(&n, "UPDATE t SET v = replace(v, 'a', 'b') WHERE id = 3");
    arrives(&n);
    writer_end(&n);
}

TEST(listings_that_lack_what_the_database_has)
{
    listings_lack_the_newest(true);
}

TEST(listings_that_end_where_the_mark_is)
{
    listings_lack_the_newest(false);
}

static bool push_is_there(struct node *n, u64 tx)
{
    char part[40];
    snprintf(part, sizeof part, "/L0/%016llx-", (unsigned long long)tx);
    for (u32 i = 0; i < n->cloud.count; i++)
        if (strstr(n->cloud.objects[i].key, part)) return true;
    return false;
}

static const struct backup_options MERGES = {.interval_ms = 50, .head_interval_ms = 500, .cpu_percent = 100,
                                             .period_ms = {0, 4000, 1000000, 2000000, 4000000}, .keep_ms = {10000, 1000000, 1000000, 1000000, 1000000}};

// The push behind the listings' end has no name of its own any more, and what it was merged into is not listed yet.
TEST(listings_that_lack_what_was_merged)
{
    struct node n;
    struct follower f;
    struct replica_status s;
    u64 size, tx = 0;
    writer_begin_with(&n, &MERGES);
    life(&n);
    u8 *mark = sim_file_get(n.sim, COPY "-backup", &size);
    REQUIRE(mark != NULL && pushed(&n, &tx));
    turn(&n, 20 * SECOND_NS);
    s64 began_ms = io_wall_ms(n.io);
    follower_begin(&f, &n);
    push(&n, "UPDATE t SET v = replace(v, 'a', 'b') WHERE id = 2");
    CHECK_STR(meet(&f).error, "");
    push(&n, MORE);
    CHECK_STR(meet(&f).error, "");
    follower_end(&f);
    sim_file_put(n.sim, COPY "-backup", mark, size);
    free(mark);
    for (u32 i = 0; i < 300 && push_is_there(&n, tx + 1); i++) turn(&n, SECOND_NS);
    CHECK(!push_is_there(&n, tx + 1));
    n.cloud.partial_list = 1000;
    n.cloud.unlisted_ms = io_wall_ms(n.io) - began_ms + 10000;
    follower_begin(&f, &n);
    turn(&n, 2 * SECOND_NS);
    replica_status_get(f.replica, &s);
    CHECK(s.error[0] && !s.failed);
    n.cloud.partial_list = 0;
    turn(&n, 10 * SECOND_NS);
    replica_status_get(f.replica, &s);
    CHECK_STR(s.error, "");
    follower_end(&f);
    arrives(&n);
    writer_end(&n);
}

// Listings that end between the mark and the database do not lead back to there: the head names a later push.
TEST(listings_that_are_older_than_the_database)
{
    struct node n;
    struct follower f;
    u64 size, tx = 0;
    char want[100], got[100];
    writer_begin_with(&n, &MERGES);
    life(&n);
    u8 *mark = sim_file_get(n.sim, COPY "-backup", &size);
    REQUIRE(mark != NULL && pushed(&n, &tx));
    follower_begin(&f, &n);
    push(&n, "UPDATE t SET v = replace(v, 'a', 'b') WHERE id = 2");
    turn(&n, 15 * SECOND_NS); // it is merged
    s64 listed_ms = io_wall_ms(n.io);
    turn(&n, 5 * SECOND_NS);
    push(&n, "UPDATE t SET v = replace(v, 'b', 'c') WHERE id = 2");
    push(&n, "UPDATE t SET v = replace(v, 'c', 'd') WHERE id = 2");
    CHECK_STR(meet(&f).error, "");
    rows_of(f.db, want);
    follower_end(&f);
    sim_file_put(n.sim, COPY "-backup", mark, size);
    free(mark);
    for (u32 i = 0; i < 300 && push_is_there(&n, tx + 2); i++) turn(&n, SECOND_NS);
    CHECK(!push_is_there(&n, tx + 2));
    n.cloud.partial_list = 1000;
    n.cloud.unlisted_ms = io_wall_ms(n.io) - listed_ms;
    follower_begin(&f, &n);
    turn(&n, 2 * SECOND_NS);
    rows_of(f.db, got);
    CHECK_STR(got, want);
    n.cloud.partial_list = 0;
    turn(&n, 10 * SECOND_NS);
    struct replica_status s;
    replica_status_get(f.replica, &s);
    CHECK_STR(s.error, "");
    rows_of(f.db, got);
    CHECK_STR(got, want);
    follower_end(&f);
    writer_end(&n);
}

// However long it was away, the store is asked again within 5 s.
TEST(a_store_that_was_away)
{
    struct node n;
    struct follower f;
    struct replica_status s;
    writer_begin(&n);
    life(&n);
    follower_begin(&f, &n);
    for (u32 i = 0; i < 20; i++) {
        n.cloud.away = true;
        turn(&n, 100 * SECOND_NS);
        replica_status_get(f.replica, &s);
        CHECK(!s.connected && s.error[0]);
        n.cloud.away = false;
        turn(&n, 6 * SECOND_NS);
        replica_status_get(f.replica, &s);
        CHECK(s.connected);
    }
    follower_end(&f);
    writer_end(&n);
}

// Pages that neither are here nor come are told as other changes that were never pushed are.
TEST(a_file_of_elsewhere_that_lacks_pages)
{
    static const char WANT[] = "is not what the backup says that it was";
    struct node n, other = {0};
    struct follower f;
    u64 size;
    writer_begin(&n);
    life(&n);
    other.path = "/data/a.db";
    node_begin(&other, &(struct backup_options){.interval_ms = 50});
    node_stop(&other);
    u8 *file = sim_file_get(other.sim, "/data/a.db", &size);
    REQUIRE(file != NULL);
    node_end(&other);
    // The mark is that of a replica which was killed.
    follower_begin(&f, &n);
    exec(&n, "UPDATE t SET v = replace(v, 'a', 'b') WHERE id = 2");
    meet(&f);
    u64 mark_size;
    u8 *mark = sim_file_get(n.sim, COPY "-backup", &mark_size);
    REQUIRE(mark != NULL);
    follower_end(&f);
    sim_file_put(n.sim, COPY "-backup", mark, mark_size);
    sim_file_put(n.sim, COPY, file, size);
    free(mark);
    free(file);
    push(&n, "UPDATE t SET v = replace(v, 'a', 'b') WHERE id = 3");
    follower_begin(&f, &n);
    struct replica_status s;
    turn(&n, 310 * SECOND_NS); // for five minutes it may be that listings lack what is here
    replica_status_get(f.replica, &s);
    CHECK(s.failed);
    if (!strstr(s.error, WANT)) test_fail(__FILE__, __LINE__, "want \"... %s\", and it says: %s", WANT, s.error);
    follower_end(&f);
    writer_end(&n);
}

// ---- of a node
// ------------------------------------------------------------------------------------------------

struct served {
    struct node *node;
    struct feed *feed;
    struct wire wire;
    struct wire_counters counters;
    u64 seed;
};

static struct io *client(void *context)
{
    return ((struct served *)context)->node->io;
}

static u64 client_now_ns(void *context)
{
    return io_now_ns(client(context));
}

static void server_turn(void *context)
{
}

static void serve(void *context, struct http_exchange *x)
{
    struct served *s = context;
    feed_handle(s->feed, x, s->node->backup);
}

// The node listens, for the first time or again.
static void feed_open(struct served *s)
{
    struct err err = ERR_CLEAR;
    s->feed = feed_create(s->node->io, skerry_store(s->node->db), 0, &err);
    if (!s->feed) abort();
    s->wire.listens = true;
}

static void serve_begin(struct served *s, struct node *n)
{
    *s = (struct served){.node = n, .seed = test_seed()};
    s->wire = (struct wire){.seed = &s->seed, .counters = &s->counters, .context = s, .client = client, .client_now_ns = client_now_ns,
                            .server_turn = server_turn, .serve = serve};
    wire_init(&s->wire);
    feed_open(s);
}

static void serve_end(struct served *s)
{
    wire_server_down(&s->wire);
    feed_stop(s->feed);
    feed_destroy(s->feed);
}

// At once, whatever was not pushed.
static void writer_kill(struct node *n)
{
    struct completion done;
    struct err err = ERR_CLEAR;
    completion_init(&done, NULL, NULL);
    backup_stop(n->backup, io_now_ns(n->io), &done);
    while (done.state != COMPLETION_DONE) io_step(n->io, SECOND_NS);
    while (skerry_close(n->db, &err) == SKERRY_WAIT) io_step(n->io, SECOND_NS);
    skerry_engine_destroy(n->engine);
    backup_destroy(n->backup);
}

// 0, or why not; it comes to an end.
static s64 drained(struct follower *f)
{
    struct completion done;
    struct err err = ERR_CLEAR;
    completion_init(&done, NULL, NULL);
    replica_drain(f->replica, UINT64_MAX, &done, &err);
    for (u32 i = 0; i < 100 && done.state == COMPLETION_PENDING; i++) turn(f->writer, SECOND_NS / 5);
    CHECK(done.state != COMPLETION_PENDING);
    return done.result;
}

static void drain(struct follower *f)
{
    CHECK_EQ(drained(f), 0);
}

// The node, which does not reach its store, sends one more row, and is gone; the replica is to have everything.
static void node_is_lost(struct node *n, char rows[100])
{
    struct served s;
    struct follower f;
    char want[100];
    n->cloud.away = true;
    node_open(n, &(struct backup_options){.interval_ms = 50});
    serve_begin(&s, n);
    follower_begin_from(&f, n, "http://writer");
    exec(n, "INSERT INTO t VALUES (1003, 'z')");
    rows_of(n->db, want);
    for (u32 i = 0; i < 100 && strcmp(rows, want) != 0; i++) {
        turn(n, SECOND_NS / 5);
        rows_of(f.db, rows);
    }
    CHECK_STR(rows, want);
    serve_end(&s);
    writer_kill(n);
    n->cloud.away = false;
    drain(&f);
    rows_of(f.db, rows);
    follower_end(&f);
    wire_deinit(&s.wire);
}

// What the store has is older than what the node sent, in a log that the node began since. Of its marks those are left that were
// synced.
TEST(commits_that_only_a_lost_node_had)
{
    struct node n;
    char rows[100] = "";
    u64 size;
    writer_begin(&n);
    push(&n, "INSERT INTO t VALUES (1001, 'x')");
    u8 *mark = sim_file_get(n.sim, "/data/a.db-backup", &size);
    REQUIRE(mark != NULL && size > 2 * BACKUP_MARK_SLOT);
    memset(mark, 0, 2 * BACKUP_MARK_SLOT);
    push(&n, "INSERT INTO t VALUES (1002, 'y')");
    node_stop(&n);
    sim_file_put(n.sim, "/data/a.db-backup", mark, size);
    free(mark);
    node_is_lost(&n, rows);
    CHECK_STR(rows, "33 rows of 105003, 3273");
    node_end(&n);
}

// The key is changed while a replica follows, which has the data key, and then looks for a push that is more than one object.
TEST(a_key_that_is_changed_under_a_replica)
{
    struct node n = {.key.given = true};
    struct follower f;
    struct err err = ERR_CLEAR;
    struct master_key to = {.given = true, .bytes = {9}};
    char want[100], got[100];
    u32 raw_max = segment_raw_max;
    segment_raw_max = 65536;
    node_begin(&n, &(struct backup_options){.interval_ms = 50, .head_interval_ms = 500});
    push(&n, "INSERT INTO t VALUES (1, 'a')");
    follower_begin(&f, &n);
    CHECK_STR(meet(&f).error, "");
    struct inspect *x = inspect_open(&(struct inspect_options){.io = n.io, .objects = n.store, .database = "db", .key = n.key}, &err);
    CHECK(x && inspect_rekey(x, &to, &err));
    inspect_close(x);
    push(&n, "INSERT INTO t SELECT value + 1, hex(randomblob(2000)) FROM generate_series(1, 100)");
    CHECK_STR(meet(&f).error, "");
    rows_of(n.db, want);
    rows_of(f.db, got);
    CHECK_STR(got, want);
    follower_end(&f);
    writer_end(&n);
    segment_raw_max = raw_max;
}

// Listings that lack all there is, images as well, are no store without a backup: the head names what is there.
TEST(listings_that_lack_everything_after_a_lost_node)
{
    struct node n;
    struct served s;
    struct follower f;
    char rows[100] = "", want[100];
    writer_begin(&n);
    push(&n, "INSERT INTO t VALUES (1001, 'x')");
    serve_begin(&s, &n);
    follower_begin_from(&f, &n, "http://writer");
    turn(&n, 2 * SECOND_NS);
    n.cloud.partial_list = 1000;
    n.cloud.unlisted_ms = 1000000;
    serve_end(&s);
    writer_kill(&n);
    rows_of(f.db, want);
    drain(&f);
    n.cloud.partial_list = 0;
    rows_of(f.db, rows);
    CHECK_STR(rows, want);
    follower_end(&f);
    wire_deinit(&s.wire);
    node_end(&n);
}

// A promotion that has to begin again, because a push of the node came late, knows still where it is in the node's log.
TEST(a_late_push_of_a_lost_node)
{
    struct node n;
    struct served s;
    struct follower f;
    struct err err = ERR_CLEAR;
    struct backup_status was, now;
    char rows[100] = "", want[100];
    writer_begin(&n);
    push(&n, "INSERT INTO t VALUES (1001, 'x')");
    node_stop(&n);
    node_open(&n, &(struct backup_options){.interval_ms = 3000});
    serve_begin(&s, &n);
    follower_begin_from(&f, &n, "http://writer");
    u64 tx;
    for (u32 i = 0; i < 50 && !pushed(&n, &tx); i++) turn(&n, SECOND_NS / 5);
    backup_status_get(n.backup, &was);
    exec(&n, "INSERT INTO t VALUES (1002, 'y')");
    cloud_pause(n.store, "/L0/", 3 * SECOND_NS);
    turn(&n, 4 * SECOND_NS);
    exec(&n, "INSERT INTO t VALUES (1003, 'z')");
    rows_of(n.db, want);
    turn(&n, SECOND_NS / 2);
    serve_end(&s);
    drain(&f);
    backup_status_get(n.backup, &now);
    CHECK_EQ(now.tx, was.tx);
    CHECK(replica_settle(f.replica, &err));
    for (u32 i = 0; i < 50 && now.tx == was.tx; i++) {
        turn(&n, SECOND_NS / 10);
        backup_status_get(n.backup, &now);
    }
    CHECK_EQ(now.tx, was.tx + 1);
    CHECK(now.behind_since_ms != 0);
    writer_kill(&n);
    replica_resume(f.replica);
    drain(&f);
    rows_of(f.db, rows);
    CHECK_STR(rows, want);
    follower_end(&f);
    wire_deinit(&s.wire);
    node_end(&n);
}

static void file_keep(struct node *n, const char *suffix, u8 **bytes, u64 *size)
{
    char path[64];
    snprintf(path, sizeof path, COPY "%s", suffix);
    *bytes = sim_file_get(n->sim, path, size);
    if (!*bytes) abort();
}

static void file_back(struct node *n, const char *suffix, const u8 *bytes, u64 size)
{
    char path[64];
    snprintf(path, sizeof path, COPY "%s", suffix);
    sim_file_put(n->sim, path, bytes, size);
}

static bool shows(struct follower *f, const char *want)
{
    char rows[100] = "";
    for (u32 i = 0; i < 100 && strcmp(rows, want) != 0; i++) {
        turn(f->writer, SECOND_NS / 10);
        rows_of(f->db, rows);
    }
    return strcmp(rows, want) == 0;
}

// A commit that a full disk refused is in the log all the same, after the power was cut in the one that was tried in its place: it
// is not taken for that one.
TEST(a_commit_that_failed_and_is_there)
{
    static const char FIRST[] = "INSERT INTO t VALUES (1002, 'y')";
    struct node n;
    struct served s;
    struct follower f;
    struct replica_status status = {0};
    char rows[100];
    u8 *file, *log, *place, *first_log, *second_place;
    u64 file_size, log_size, place_size, first_log_size, second_place_size;
    writer_begin(&n);
    n.cloud.away = true; // its writes would be in between
    serve_begin(&s, &n);
    follower_begin_from(&f, &n, "http://writer");
    exec(&n, "INSERT INTO t VALUES (1001, 'x')");
    rows_of(n.db, rows);
    CHECK(shows(&f, rows));
    file_keep(&n, "", &file, &file_size);
    file_keep(&n, "-wal", &log, &log_size);
    file_keep(&n, "-replica", &place, &place_size);
    // What it writes, when it is let.
    exec(&n, FIRST);
    rows_of(n.db, rows);
    CHECK(shows(&f, rows));
    file_keep(&n, "-wal", &first_log, &first_log_size);
    follower_end(&f);
    file_back(&n, "", file, file_size);
    file_back(&n, "-wal", log, log_size);
    file_back(&n, "-replica", place, place_size);
    follower_begin_from(&f, &n, "http://writer");
    sim_fault_at(n.sim, SIM_WRITE_FULL, 2); // the first is that of its place
    for (u32 i = 0; i < 1000 && !status.error[0]; i++) {
        turn(&n, SECOND_NS / 1000);
        replica_status_get(f.replica, &status);
    }
    CHECK(strstr(status.error, "-wal") != NULL);
    exec(&n, "WITH RECURSIVE s(i) AS (SELECT 2000 UNION ALL SELECT i + 1 FROM s WHERE i < 2020) INSERT INTO t SELECT i, zeroblob(3000) FROM s");
    rows_of(n.db, rows);
    CHECK(shows(&f, rows));
    file_keep(&n, "-replica", &second_place, &second_place_size);
    follower_end(&f);
    file_back(&n, "", file, file_size);
    file_back(&n, "-wal", first_log, first_log_size);
    file_back(&n, "-replica", second_place, second_place_size);
    follower_begin_from(&f, &n, "http://writer");
    exec(&n, "INSERT INTO t VALUES (1003, 'z')");
    rows_of(n.db, rows);
    CHECK(shows(&f, rows));
    follower_end(&f);
    serve_end(&s);
    wire_deinit(&s.wire);
    writer_kill(&n);
    node_end(&n);
    free(file);
    free(log);
    free(place);
    free(first_log);
    free(second_place);
}

// The first copy of a node's database: what a failed sync should have covered is copied again.
TEST(a_sync_fails_at_the_end_of_a_copy)
{
    struct node n;
    struct served s;
    u64 size, size_after = 0;
    writer_begin(&n);
    n.cloud.away = true; // its writes would be in between
    turn(&n, 5 * SECOND_NS);
    serve_begin(&s, &n);
    for (u32 i = 0; i < 2; i++) {
        struct err err = ERR_CLEAR;
        sim_fault_at(n.sim, SIM_SYNC_ERROR, i ? 0 : 1);
        struct replica *r = replica_create(&(struct replica_options){.io = n.io, .name = "db", .path = COPY, .poll_ms = 50, .node = "http://writer"}, &err);
        CHECK_EQ(r != NULL, i == 1);
        if (r) replica_destroy(r);
    }
    u8 *bytes = sim_file_get(n.sim, COPY, &size);
    sim_crash(n.sim);
    u8 *after = sim_file_get(n.sim, COPY, &size_after);
    CHECK(bytes && after && size == size_after && memcmp(bytes, after, size) == 0);
    free(bytes);
    free(after);
    serve_end(&s);
    wire_deinit(&s.wire);
    writer_kill(&n);
    node_end(&n);
}

static const char *const FILES[] = {"", "-wal", "-replica"}; // of a replica
#define PLACE (COUNT_OF(FILES) - 1)

struct kept {
    u8 *bytes[COUNT_OF(FILES)];
    u64 sizes[COUNT_OF(FILES)];
};

static void files_keep(struct node *n, struct kept *k)
{
    for (u32 i = 0; i < COUNT_OF(FILES); i++) file_keep(n, FILES[i], &k->bytes[i], &k->sizes[i]);
}

static void files_back(struct node *n, struct kept *k)
{
    for (u32 i = 0; i < COUNT_OF(FILES); i++) {
        file_back(n, FILES[i], k->bytes[i], k->sizes[i]);
        free(k->bytes[i]);
    }
}

static void stream_begin(struct node *n, struct served *s, struct follower *f)
{
    char rows[100];
    writer_begin(n);
    n->cloud.away = true; // its writes would be in between
    serve_begin(s, n);
    follower_begin_from(f, n, "http://writer");
    exec(n, "INSERT INTO t VALUES (1001, 'x')");
    rows_of(n->db, rows);
    CHECK(shows(f, rows));
}

// A replica that was killed comes up, and is to have what the node has.
static void stream_goes_on(struct node *n, struct follower *f)
{
    char rows[100];
    follower_begin_from(f, n, "http://writer");
    rows_of(n->db, rows);
    CHECK(shows(f, rows));
}

static void stream_end(struct node *n, struct served *s, struct follower *f)
{
    follower_end(f);
    serve_end(s);
    wire_deinit(&s->wire);
    writer_kill(n);
    node_end(n);
}

// Its files, as if it had been killed when its place was written, and nothing in its log. The log that the commit came to is the caller's.
static void killed_before_commit(struct node *n, struct follower *f, struct kept *k, u8 **log, u64 *log_size)
{
    char rows[100];
    files_keep(n, k);
    exec(n, "INSERT INTO t VALUES (1002, 'y')");
    rows_of(n->db, rows);
    CHECK(shows(f, rows));
    free(k->bytes[PLACE]);
    file_keep(n, FILES[PLACE], &k->bytes[PLACE], &k->sizes[PLACE]);
    file_keep(n, "-wal", log, log_size);
    follower_end(f);
}

// What another program then commits is not taken for what was meant.
TEST(a_commit_of_another_program)
{
    struct node n;
    struct served s;
    struct follower f;
    struct err err = ERR_CLEAR;
    struct kept k;
    u8 *log;
    u64 log_size;
    stream_begin(&n, &s, &f);
    killed_before_commit(&n, &f, &k, &log, &log_size);
    free(log);
    files_back(&n, &k);
    if (!skerry_engine_create(&(struct skerry_engine_options){.io = n.io, .temp_dir = "/tmp"}, &f.engine, &err)) abort();
    if (!skerry_open(f.engine, COPY, 0, &f.db, &err)) abort();
    CHECK_EQ(skerry_exec(f.db, "UPDATE t SET v = 'strange' WHERE id = 3", NULL, NULL), SKERRY_OK);
    files_keep(&n, &k);
    while (skerry_close(f.db, &err) == SKERRY_WAIT) io_step(n.io, SECOND_NS);
    skerry_engine_destroy(f.engine);
    files_back(&n, &k);
    stream_goes_on(&n, &f);
    stream_end(&n, &s, &f);
}

static u64 whole(struct served *s)
{
    static const char NAME[] = "\nskerry_feed_whole_total ";
    struct buffer text = {0};
    feed_metrics(s->feed, &text);
    buffer_add(&text, "", 1);
    const char *at = strstr(text.bytes, NAME);
    u64 count = at ? strtoull(at + sizeof NAME - 1, NULL, 10) : 0;
    buffer_deinit(&text);
    return count;
}

// Its log has begun anew, and nothing is in that yet: it knows where it is, or all pages would be sent once more.
TEST(a_log_that_has_only_begun_anew)
{
    struct node n;
    struct served s;
    struct follower f;
    struct kept k;
    u8 *log;
    u64 log_size;
    stream_begin(&n, &s, &f);
    CHECK_EQ(skerry_exec(f.db, "PRAGMA wal_checkpoint", NULL, NULL), SKERRY_OK);
    killed_before_commit(&n, &f, &k, &log, &log_size);
    CHECK(memcmp(log, k.bytes[1], WAL_HEADER) != 0);
    memcpy(k.bytes[1], log, WAL_HEADER);
    free(log);
    files_back(&n, &k);
    CHECK_EQ(whole(&s), 1);
    stream_goes_on(&n, &f);
    CHECK_EQ(whole(&s), 1);
    stream_end(&n, &s, &f);
}

// A node whose volume is put back to an earlier copy writes other commits to the places in the log where its replica is: what is there
// is compared, not its place alone.
TEST(a_log_that_was_put_back)
{
    static const char *const PATHS[] = {"/data/a.db", "/data/a.db-wal"};
    struct node n;
    struct served s;
    struct follower f;
    char rows[100];
    u8 *kept[2];
    u64 sizes[2];
    writer_begin(&n);
    n.cloud.away = true; // its writes would be in between
    serve_begin(&s, &n);
    follower_begin_from(&f, &n, "http://writer");
    exec(&n, "INSERT INTO t VALUES (1001, 'x')");
    for (u32 i = 0; i < 2; i++) {
        kept[i] = sim_file_get(n.sim, PATHS[i], &sizes[i]);
        REQUIRE(kept[i] != NULL);
    }
    exec(&n, "INSERT INTO t VALUES (1002, 'y')");
    rows_of(n.db, rows);
    CHECK(shows(&f, rows));
    serve_end(&s);
    writer_kill(&n);
    for (u32 i = 0; i < 2; i++) sim_file_put(n.sim, PATHS[i], kept[i], sizes[i]);
    node_open(&n, &(struct backup_options){.interval_ms = 50});
    exec(&n, "INSERT INTO t VALUES (1002, 'z')");
    feed_open(&s);
    rows_of(n.db, rows);
    CHECK(shows(&f, rows));
    follower_end(&f);
    serve_end(&s);
    wire_deinit(&s.wire);
    writer_kill(&n);
    node_end(&n);
    for (u32 i = 0; i < 2; i++) free(kept[i]);
}

static u32 lineages(struct node *n)
{
    u32 count = 0;
    for (u32 i = 0; i < n->cloud.count; i++) {
        u64 lineage;
        u32 j = 0;
        if (sscanf(n->cloud.objects[i].key, "db/%16llx/", (unsigned long long *)&lineage) != 1 || strncmp(n->cloud.objects[i].key, "db/claim", 8) == 0) continue;
        while (j < i && strncmp(n->cloud.objects[i].key, n->cloud.objects[j].key, 20) != 0) j++;
        count += j == i;
    }
    return count;
}

// Whoever is promoted before the node's first head is there goes on with what that has pushed; until then that is told to nobody.
static void before_the_first_head(const char *late)
{
    struct node n, other;
    struct served s;
    struct follower f;
    struct err err = ERR_CLEAR;
    struct backup_status b = {0};
    char rows[100], want[100], text[ERR_TEXT_MAX];
    n = (struct node){0};
    node_begin(&n, &(struct backup_options){.interval_ms = 50});
    cloud_pause(n.store, late, 1000 * SECOND_NS);
    turn(&n, 5 * SECOND_NS);
    backup_status_get(n.backup, &b);
    CHECK_EQ(b.tx, 2); // the claim, and what announces the image
    CHECK(b.state != BACKUP_IDLE);
    serve_begin(&s, &n);
    follower_begin_from(&f, &n, "http://writer");
    exec(&n, "INSERT INTO t VALUES (1001, 'x')");
    rows_of(n.db, want);
    CHECK(shows(&f, want));
    serve_end(&s);
    writer_kill(&n);
    drain(&f);
    CHECK(replica_settle(f.replica, &err));
    other = n;
    other.store = cloud_open(&n.cloud, n.io);
    other.backup = backup_create(&(struct backup_options){.io = n.io, .objects = other.store, .name = "db", .database_path = COPY, .interval_ms = 50,
                                                          .promote = true}, &err);
    REQUIRE(other.backup != NULL);
    backup_start(other.backup, skerry_store(f.db));
    for (u32 i = 0; i < 100 && b.state != BACKUP_IDLE; i++) {
        turn(&n, SECOND_NS / 5);
        backup_status_get(other.backup, &b);
    }
    CHECK_EQ(b.state, BACKUP_IDLE);
    CHECK_STR(b.error, "");
    CHECK_EQ(lineages(&n), 1);
    CHECK_EQ(restore(&other, text), ERR_OK);
    rows_of(f.db, rows);
    CHECK_STR(rows, want);
    struct completion done;
    completion_init(&done, NULL, NULL);
    backup_stop(other.backup, io_now_ns(n.io) + 60 * SECOND_NS, &done);
    while (done.state != COMPLETION_DONE) io_step(n.io, SECOND_NS);
    follower_end(&f);
    backup_destroy(other.backup);
    object_store_close(other.store);
    wire_deinit(&s.wire);
    node_end(&n);
}

TEST(promoted_before_the_first_image)
{
    before_the_first_head("/L4/");
}

TEST(promoted_before_the_first_head)
{
    before_the_first_head("/head");
}

// What the store has is of another, whose claim was there before that of the node's last start.
TEST(pushes_of_another_writer_after_a_lost_node)
{
    struct node n, other;
    struct restore r = {0};
    char rows[100] = "";
    u64 tx;
    writer_begin(&n);
    push(&n, "INSERT INTO t VALUES (1001, 'x')");
    node_stop(&n);
    cloud_pause(n.store, "/claim/", 1000 * SECOND_NS);
    node_open(&n, &(struct backup_options){.interval_ms = 50});
    turn(&n, SECOND_NS);
    writer_kill(&n);
    other = n;
    other.path = "/data/c.db";
    other.store = cloud_open(&n.cloud, n.io);
    completion_init(&r.done, NULL, NULL);
    restore_start(&r, &(struct restore_options){.io = n.io, .objects = other.store, .name = "db", .out_path = other.path});
    while (r.done.state != COMPLETION_DONE) io_step(n.io, SECOND_NS);
    REQUIRE(r.err.code == ERR_OK && restore_bind(&r));
    restore_deinit(&r);
    node_open(&other, &(struct backup_options){.interval_ms = 50});
    push(&other, "INSERT INTO t VALUES (1002, 'y')");
    CHECK(pushed(&other, &tx));
    node_stop(&other);
    object_store_close(other.store);
    node_is_lost(&n, rows);
    CHECK_STR(rows, "32 rows of 105002, 3151");
    node_end(&n);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
