// Goal: PRAGMAs about the log answer as SQLite's do, with readers and writers beside them, and do what they say.
// Method: the same statements on three connections of Skerry's and of libsqlite3's in WAL mode; rows, codes and texts
// must be the same, the numbers of frames too. Where the answer is Skerry's own, or of a newer SQLite (NOOP, 3.51), it
// is reasoned out.
#include "engine/skerry.h"
#include "tests/test.h"

#include <sqlite3.h>
#include <sys/stat.h>

#define CONNECTIONS 3

struct pair {
    struct skerry_engine *engine;
    struct skerry *ours[CONNECTIONS];
    sqlite3 *theirs[CONNECTIONS];
};

static int our_row(void *context, struct skerry_stmt *s)
{
    char *out = context;
    size_t at = strlen(out);
    for (u32 i = 0; i < skerry_column_count(s); i++) {
        const char *text = skerry_column_text(s, i, NULL);
        at += (size_t)snprintf(out + at, 2000 - at, "%s%s", i ? "|" : "", text ? text : "NULL");
    }
    snprintf(out + at, 2000 - at, " ");
    return 0;
}

static int their_row(void *context, int count, char **values, char **names)
{
    char *out = context;
    size_t at = strlen(out);
    for (int i = 0; i < count; i++)
        at += (size_t)snprintf(out + at, 2000 - at, "%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
    snprintf(out + at, 2000 - at, " ");
    return 0;
}

static const char *ask_ours(struct skerry *db, const char *sql)
{
    static char out[4000];
    out[0] = 0;
    int code = skerry_exec(db, sql, our_row, out);
    if (code != SKERRY_OK) snprintf(out + strlen(out), 1500, "error %d: %s", code, skerry_error(db)->text);
    return out;
}

static const char *ask_theirs(sqlite3 *db, const char *sql)
{
    static char out[4000];
    char *message = NULL;
    out[0] = 0;
    int code = sqlite3_exec(db, sql, their_row, out, &message);
    if (code != SQLITE_OK) snprintf(out + strlen(out), 1500, "error %d: %s", code, message);
    sqlite3_free(message);
    return out;
}

static bool pair_open(struct pair *p)
{
    struct err err = ERR_CLEAR;
    char path[600];
    *p = (struct pair){0};
    if (!skerry_engine_create(&(struct skerry_engine_options){0}, &p->engine, &err)) return false;
    for (u32 i = 0; i < CONNECTIONS; i++) {
        snprintf(path, sizeof path, "%s/ours.db", test_dir());
        if (!skerry_open(p->engine, path, SKERRY_OPEN_CREATE, &p->ours[i], &err)) return false;
        snprintf(path, sizeof path, "%s/theirs.db", test_dir());
        if (sqlite3_open(path, &p->theirs[i]) != SQLITE_OK) return false;
        ask_ours(p->ours[i], "PRAGMA journal_mode = wal");
        ask_theirs(p->theirs[i], "PRAGMA journal_mode = wal");
    }
    return true;
}

static void pair_close(struct pair *p)
{
    struct err err = ERR_CLEAR;
    for (u32 i = 0; i < CONNECTIONS; i++) {
        sqlite3_close(p->theirs[i]);
        while (skerry_close(p->ours[i], &err) == SKERRY_WAIT) io_step(skerry_engine_io(p->engine), UINT64_MAX);
    }
    skerry_engine_destroy(p->engine);
}

static u64 file_size(const char *name)
{
    char path[600];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", test_dir(), name);
    return stat(path, &st) == 0 ? (u64)st.st_size : 0;
}

// Each line begins with the number of the connection.
static void script_run(struct pair *p, const char *const *lines, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        u32 which = (u32)(lines[i][0] - '0');
        const char *ours = ask_ours(p->ours[which], lines[i] + 2), *theirs = ask_theirs(p->theirs[which], lines[i] + 2);
        if (strcmp(ours, theirs) != 0)
            test_fail(__FILE__, __LINE__, "line %u, %s: \"%s\", SQLite's \"%s\"", i, lines[i], ours, theirs);
    }
}

TEST(settings_are_sqlites)
{
    static const char *const lines[] = {
        "0 PRAGMA wal_autocheckpoint",
        "0 PRAGMA wal_autocheckpoint = 77",
        "0 PRAGMA wal_autocheckpoint",
        "1 PRAGMA wal_autocheckpoint",
        "0 PRAGMA wal_autocheckpoint = -5",
        "0 PRAGMA wal_autocheckpoint = abc",
        "0 PRAGMA wal_autocheckpoint = 99999999999",
        "0 PRAGMA wal_autocheckpoint = 0",
        "0 PRAGMA wal_autocheckpoint",
        "0 PRAGMA journal_size_limit",
        "0 PRAGMA journal_size_limit = 1000000",
        "0 PRAGMA journal_size_limit",
        "1 PRAGMA journal_size_limit",
        "0 PRAGMA temp.journal_size_limit",
        "0 PRAGMA journal_size_limit = abc",
        "0 PRAGMA journal_size_limit = -7",
        "0 PRAGMA journal_size_limit = 0x100",
        "0 PRAGMA journal_size_limit = 100.7",
        "0 PRAGMA journal_size_limit = '  12'",
        "0 PRAGMA journal_size_limit = 99999999999",
        "0 PRAGMA journal_size_limit = 99999999999999999999",
        "0 PRAGMA journal_size_limit(5)",
        "0 ATTACH ':memory:' AS m",
        "0 PRAGMA m.journal_size_limit",
        "0 PRAGMA m.journal_size_limit = 8",
        "0 PRAGMA main.journal_size_limit",
        "0 PRAGMA m.journal_size_limit",
        "0 PRAGMA synchronous",
        "0 PRAGMA m.synchronous",
        "0 PRAGMA synchronous = off",
        "0 PRAGMA synchronous",
        "0 PRAGMA m.synchronous",
        "0 PRAGMA temp.synchronous = off",
        "0 PRAGMA synchronous = 9",
        "0 PRAGMA synchronous",
        "0 PRAGMA synchronous = 7",
        "0 PRAGMA synchronous",
        "0 PRAGMA synchronous = 4",
        "0 PRAGMA synchronous",
        "0 PRAGMA synchronous = bogus",
        "0 PRAGMA synchronous",
        "0 PRAGMA synchronous = EXTRA",
        "0 PRAGMA synchronous",
        "0 BEGIN",
        "0 PRAGMA synchronous = 1",
        "0 COMMIT",
        "0 PRAGMA cache_size = 100",
        "0 PRAGMA cache_size",
        "0 PRAGMA cache_size = abc",
        "0 PRAGMA cache_size",
        "0 PRAGMA m.cache_size = -50",
        "0 PRAGMA m.cache_size",
        "0 PRAGMA cache_size",
        "0 PRAGMA locking_mode",
        "0 PRAGMA journal_mode",
        "0 PRAGMA journal_mode = bogus",
        "0 PRAGMA journal_mode = wal",
        "0 PRAGMA m.journal_mode",
        "0 PRAGMA m.journal_mode = wal",
    };
    struct pair p;
    REQUIRE(pair_open(&p));
    script_run(&p, lines, COUNT_OF(lines));
    pair_close(&p);
}

TEST(checkpoints_answer_as_sqlites)
{
    static const char *const lines[] = {
        "0 PRAGMA wal_autocheckpoint = 0",
        "0 PRAGMA wal_checkpoint",
        "0 CREATE TABLE t(a INTEGER PRIMARY KEY, b)",
        "0 INSERT INTO t VALUES(1, 'one')",
        "0 PRAGMA wal_checkpoint",
        "0 PRAGMA wal_checkpoint = full",
        "0 PRAGMA wal_checkpoint = restart",
        "0 PRAGMA wal_checkpoint = passive",
        "0 INSERT INTO t VALUES(2, 'two')",
        "0 PRAGMA wal_checkpoint(bogus)",
        "0 INSERT INTO t VALUES(3, 'three')",
        "0 PRAGMA wal_checkpoint(truncate)",
        "0 PRAGMA wal_checkpoint(truncate)",
        "0 PRAGMA wal_checkpoint",
        // Within a transaction of its own.
        "0 BEGIN",
        "0 PRAGMA wal_checkpoint",
        "0 SELECT count(*) FROM t",
        "0 PRAGMA wal_checkpoint",
        "0 PRAGMA wal_checkpoint = full",
        "0 INSERT INTO t VALUES(4, 'four')",
        "0 PRAGMA wal_checkpoint",
        // Another one's writer.
        "1 PRAGMA wal_checkpoint",
        "1 PRAGMA wal_checkpoint = full",
        "1 PRAGMA wal_checkpoint = restart",
        "1 PRAGMA wal_checkpoint = truncate",
        "0 COMMIT",
        "1 PRAGMA wal_checkpoint",
        // A reader of an older state.
        "1 BEGIN",
        "1 SELECT count(*) FROM t",
        "0 INSERT INTO t VALUES(5, 'five')",
        "0 PRAGMA wal_checkpoint",
        "0 PRAGMA wal_checkpoint = full",
        "2 PRAGMA wal_checkpoint = full",
        "0 PRAGMA wal_checkpoint = restart",
        "0 PRAGMA wal_checkpoint = truncate",
        "0 UPDATE t SET b = 'x'",
        "0 PRAGMA wal_checkpoint",
        "1 SELECT count(*) FROM t",
        "1 COMMIT",
        "0 PRAGMA wal_checkpoint",
        "0 PRAGMA wal_checkpoint = full",
        // A reader of the newest one.
        "1 BEGIN",
        "1 SELECT count(*), max(b) FROM t",
        "0 PRAGMA wal_checkpoint",
        "0 PRAGMA wal_checkpoint = full",
        "1 COMMIT",
        "0 PRAGMA wal_checkpoint = truncate",
        // Other databases.
        "0 PRAGMA temp.wal_checkpoint",
        "0 ATTACH ':memory:' AS m",
        "0 PRAGMA m.wal_checkpoint",
        "0 PRAGMA wal_checkpoint",
        "0 BEGIN IMMEDIATE",
        "0 PRAGMA m.wal_checkpoint",
        "0 COMMIT",
        // Many frames, the same pages again and again.
        "0 WITH n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i, printf('%.200c', 'y') FROM n",
        "0 UPDATE t SET b = b || 'z' WHERE a % 100 = 0",
        "0 PRAGMA wal_checkpoint = restart",
        "0 INSERT INTO t VALUES(3000, 1)",
        "0 PRAGMA wal_checkpoint",
        "2 PRAGMA wal_checkpoint = truncate",
        "1 SELECT count(*), sum(length(b)) FROM t",
    };
    struct pair p;
    REQUIRE(pair_open(&p));
    script_run(&p, lines, COUNT_OF(lines));
    CHECK_EQ(file_size("ours.db-wal"), 0);
    CHECK_EQ(file_size("ours.db"), file_size("theirs.db"));
    // SQLite 3.51's: asks, and changes nothing.
    CHECK_STR(ask_ours(p.ours[0], "PRAGMA wal_checkpoint(noop)"), "0|0|0 ");
    ask_ours(p.ours[0], "INSERT INTO t VALUES(3001, 1)");
    CHECK_STR(ask_ours(p.ours[0], "PRAGMA wal_checkpoint(noop)"), "0|1|0 ");
    ask_ours(p.ours[0], "BEGIN IMMEDIATE");
    CHECK_STR(ask_ours(p.ours[1], "PRAGMA wal_checkpoint(noop)"), "0|1|0 ");
    ask_ours(p.ours[0], "COMMIT");
    pair_close(&p);
}

// A commit checkpoints when the log has come to its connection's length; 0: it never does.
TEST(autocheckpoint_is_each_connections_own)
{
    struct pair p;
    REQUIRE(pair_open(&p));
    ask_ours(p.ours[0], "CREATE TABLE t(a, b)");
    ask_ours(p.ours[0], "PRAGMA wal_checkpoint = truncate");
    ask_ours(p.ours[0], "PRAGMA wal_autocheckpoint = 0");
    ask_ours(p.ours[1], "PRAGMA wal_autocheckpoint = 10");
    for (u32 i = 0; i < 1500; i++) ask_ours(p.ours[0], "INSERT INTO t VALUES(1, 2)");
    u32 frames = 0, copied = 0;
    CHECK_EQ(sscanf(ask_ours(p.ours[0], "PRAGMA wal_checkpoint(noop)"), "0|%u|%u", &frames, &copied), 2);
    CHECK(frames >= 1500);
    CHECK_EQ(copied, 0);
    for (u32 i = 0; i < 50; i++) ask_ours(p.ours[1], "INSERT INTO t VALUES(1, 2)");
    CHECK_EQ(sscanf(ask_ours(p.ours[0], "PRAGMA wal_checkpoint(noop)"), "0|%u|%u", &frames, &copied), 2);
    CHECK(frames < 100);
    pair_close(&p);
}

// After the log has started again its file is cut to the limit, or to what the first commit needs.
TEST(journal_size_limit_cuts_the_file)
{
    static const struct {
        const char *limit;
        u64 least, most;
    } rows[] = {{"-1", 2000000, UINT64_MAX}, {"500000", 500000, 500000}, {"0", 4096, 16384}};
    for (u32 i = 0; i < COUNT_OF(rows); i++) {
        struct pair p;
        char sql[100];
        REQUIRE(pair_open(&p));
        ask_ours(p.ours[0], "CREATE TABLE IF NOT EXISTS t(a, b)");
        snprintf(sql, sizeof sql, "PRAGMA journal_size_limit = %s", rows[i].limit);
        ask_ours(p.ours[0], sql);
        ask_ours(p.ours[0], "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
                            "INSERT INTO t SELECT i, zeroblob(1000) FROM n");
        CHECK(file_size("ours.db-wal") > 2000000);
        ask_ours(p.ours[0], "PRAGMA wal_checkpoint = restart");
        ask_ours(p.ours[0], "INSERT INTO t VALUES(1, 2)");
        ask_ours(p.ours[0], "PRAGMA wal_checkpoint = full"); // waits for what goes on in the background
        ask_ours(p.ours[0], "INSERT INTO t VALUES(1, 2)");
        u64 size = file_size("ours.db-wal");
        if (size < rows[i].least || size > rows[i].most)
            test_fail(__FILE__, __LINE__, "limit %s: %llu bytes", rows[i].limit, (unsigned long long)size);
        ask_ours(p.ours[0], "DELETE FROM t");
        pair_close(&p);
    }
}

static struct skerry_stmt *prepare(struct skerry *db, const char *sql)
{
    struct skerry_stmt *s = NULL;
    size_t used;
    while (skerry_prepare(db, sql, strlen(sql), &s, &used) == SKERRY_WAIT) skerry_wait(db);
    return s;
}

static int step(struct skerry_stmt *s)
{
    int code;
    while ((code = skerry_step(s)) == SKERRY_WAIT) skerry_wait(skerry_stmt_db(s));
    return code;
}

// With a busy timeout it waits for writer and readers in turn, and holds other writers back meanwhile.
TEST(checkpoints_wait_as_long_as_the_busy_timeout)
{
    struct pair p;
    REQUIRE(pair_open(&p));
    ask_ours(p.ours[0], "PRAGMA wal_autocheckpoint = 0; CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 1)");
    struct skerry_stmt *reader = prepare(p.ours[1], "SELECT a FROM t");
    CHECK_EQ(step(reader), SKERRY_ROW);
    ask_ours(p.ours[0], "INSERT INTO t VALUES(2, 2)");
    ask_ours(p.ours[0], "BEGIN IMMEDIATE; INSERT INTO t VALUES(3, 3)");
    skerry_busy_timeout(p.ours[2], 600000);
    struct skerry_stmt *checkpoint = prepare(p.ours[2], "PRAGMA wal_checkpoint = truncate");
    CHECK_EQ(skerry_step(checkpoint), SKERRY_WAIT);
    CHECK_STR(ask_ours(p.ours[0], "COMMIT"), "");
    for (u32 i = 0; i < 100 && skerry_step(checkpoint) == SKERRY_WAIT; i++) io_step(skerry_engine_io(p.engine), 1000000);
    CHECK(skerry_stmt_busy(checkpoint));
    CHECK_STR(ask_ours(p.ours[0], "INSERT INTO t VALUES(4, 4)"), "error 5: database is locked");
    CHECK_EQ(step(reader), SKERRY_DONE); // of one row
    skerry_finalize(reader);
    CHECK_EQ(step(checkpoint), SKERRY_ROW);
    CHECK_EQ(skerry_column_integer(checkpoint, 0), 0);
    CHECK_EQ(skerry_column_integer(checkpoint, 1), 0);
    CHECK_EQ(step(checkpoint), SKERRY_DONE);
    skerry_finalize(checkpoint);
    CHECK_EQ(file_size("ours.db-wal"), 0);
    CHECK_STR(ask_ours(p.ours[0], "INSERT INTO t VALUES(4, 4); SELECT count(*) FROM t"), "4 ");
    // In time it gives up, and says so.
    ask_ours(p.ours[1], "BEGIN; SELECT * FROM t");
    ask_ours(p.ours[0], "INSERT INTO t VALUES(5, 5)");
    skerry_busy_timeout(p.ours[2], 20);
    CHECK_STR(ask_ours(p.ours[2], "PRAGMA wal_checkpoint = full"), "1|2|1 ");
    // Who is let go while he waits gives the write slot back.
    skerry_busy_timeout(p.ours[2], 600000);
    checkpoint = prepare(p.ours[2], "PRAGMA wal_checkpoint = restart");
    for (u32 i = 0; i < 20 && skerry_step(checkpoint) == SKERRY_WAIT; i++) io_step(skerry_engine_io(p.engine), 1000000);
    skerry_finalize(checkpoint);
    CHECK_STR(ask_ours(p.ours[0], "INSERT INTO t VALUES(6, 6)"), "");
    ask_ours(p.ours[1], "COMMIT");
    CHECK_STR(ask_ours(p.ours[2], "PRAGMA wal_checkpoint = full"), "0|3|3 ");
    pair_close(&p);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
