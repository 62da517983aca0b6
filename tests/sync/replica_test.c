// Goal: a replica whose mark is older than its database comes to the newest state, however the database's size changed in
// between, and while listings lack the newest pushes; and one whose file is of elsewhere says so.
// Method: a writer and a replica beside each other on a simulated disk, and a store in memory. The replica is stopped, and its
// mark put back to what it was: marks are not synced, so that a crash does the same.
#include "../../sync/replica.h"
#include "backup_node.h"

#define COPY "/data/b.db"

struct follower {
    struct node *writer;
    struct skerry_engine *engine;
    struct skerry *db;
    struct replica *replica;
};

static void follower_begin(struct follower *f, struct node *writer)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options engine = {.io = writer->io, .temp_dir = "/tmp"};
    f->writer = writer;
    f->replica = replica_create(&(struct replica_options){.io = writer->io, .objects = writer->store, .name = "db", .path = COPY, .poll_ms = 50}, &err);
    if (!f->replica || !skerry_engine_create(&engine, &f->engine, &err) || !skerry_open(f->engine, COPY, SKERRY_OPEN_CREATE, &f->db, &err)) abort();
    if (skerry_exec(f->db, "SELECT 1 FROM sqlite_schema", NULL, NULL) != SKERRY_OK) abort();
    replica_start(f->replica, skerry_store(f->db));
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

static void writer_begin(struct node *n)
{
    *n = (struct node){0};
    // Pushes are not merged.
    node_begin(n, &(struct backup_options){.interval_ms = 50, .head_interval_ms = 500, .period_ms = {0, 1000000, 2000000, 3000000, 4000000}});
    exec(n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 30) INSERT INTO t SELECT i, printf('%.*c', 3500, 'a') FROM s");
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
    writer_begin(&n);
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
    struct replica_status s = meet(&f);
    CHECK(s.failed);
    if (!strstr(s.error, WANT)) test_fail(__FILE__, __LINE__, "want \"... %s\", and it says: %s", WANT, s.error);
    follower_end(&f);
    writer_end(&n);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
