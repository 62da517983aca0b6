// Goal: 1,000 connections and 100 databases are open in one process at once: all read and write, memory stays within the
// caches' bounds, and what each wrote is in its own file.
// Method: connections dealt over the databases on the memory backend, each in turn a client with a transaction open at
// the same time as all the others'; libsqlite3 reads some of the files in the end (the posix backend).
#include "store/store_driver.h"

#include "../../engine/skerry.h"

#include <malloc.h>
#include <sys/resource.h>

#define CONNECTIONS 1000u
#define DATABASES   100u

static int statement(struct skerry *db, const char *sql)
{
    int rc = skerry_exec(db, sql, NULL, NULL);
    if (rc != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(db)->text);
    return rc;
}

static int integer_row(void *context, struct skerry_stmt *s)
{
    *(s64 *)context = skerry_column_integer(s, 0);
    return 0;
}

static s64 integer(struct skerry *db, const char *sql)
{
    s64 out = -1;
    if (skerry_exec(db, sql, integer_row, &out) != SKERRY_OK)
        test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(db)->text);
    return out;
}

static void path_of(u32 i, char *out, size_t size)
{
    snprintf(out, size, "%s/%u.db", test_dir(), i % DATABASES);
}

// Three descriptors a database: the file, its log, and the log once more for writing.
static void descriptors_raise(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = MIN(limit.rlim_max, 4096);
    setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(a_thousand_connections_and_a_hundred_databases)
{
    static struct skerry *db[CONNECTIONS];
    struct skerry_engine *engine;
    struct err err = ERR_CLEAR;
    char path[500], sql[200];
    descriptors_raise();
    struct skerry_engine_options options = {.backend = IO_BACKEND_POSIX, .cache_bytes = 64 * 4096};
    REQUIRE(skerry_engine_create(&options, &engine, &err));
    for (u32 i = 0; i < CONNECTIONS; i++) {
        path_of(i, path, sizeof path);
        if (!skerry_open(engine, path, SKERRY_OPEN_CREATE, &db[i], &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
        REQUIRE(db[i]);
        if (i < DATABASES) statement(db[i], "CREATE TABLE t(id INTEGER PRIMARY KEY, who INT, body BLOB)");
    }
    // All have a concurrent transaction open, in which they have read and written.
    for (u32 i = 0; i < CONNECTIONS; i++) {
        statement(db[i], "BEGIN CONCURRENT");
        CHECK_EQ(integer(db[i], "SELECT count(*) FROM t"), 0);
        snprintf(sql, sizeof sql, "INSERT INTO t(who, body) VALUES (%u, zeroblob(3000))", i);
        statement(db[i], sql);
    }
    // Of all that, little is in memory.
    struct mallinfo2 memory = mallinfo2();
    u64 held = memory.uordblks + memory.hblkhd, bound = DATABASES * 64 * 4096ull + CONNECTIONS * 65536ull;
    printf("  %llu KiB held\n", (unsigned long long)(held >> 10));
    CHECK(held < bound);
    for (u32 i = 0; i < CONNECTIONS; i++) statement(db[i], "COMMIT");
    for (u32 i = 0; i < CONNECTIONS; i += 7) CHECK_EQ(integer(db[i], "SELECT count(*) FROM t"), CONNECTIONS / DATABASES);
    // Readers of old snapshots beside one more round of plain commits.
    for (u32 i = 0; i < CONNECTIONS; i += 2) {
        statement(db[i], "BEGIN");
        CHECK_EQ(integer(db[i], "SELECT count(*) FROM t"), CONNECTIONS / DATABASES);
    }
    for (u32 i = 1; i < 2 * DATABASES; i += 2) {
        snprintf(sql, sizeof sql, "INSERT INTO t(who) VALUES (%u)", CONNECTIONS + i);
        statement(db[i], sql);
    }
    for (u32 i = 0; i < CONNECTIONS; i += 2) {
        CHECK_EQ(integer(db[i], "SELECT count(*) FROM t"), CONNECTIONS / DATABASES);
        statement(db[i], "COMMIT");
    }
    for (u32 i = 0; i < CONNECTIONS; i++)
        while (skerry_close(db[i], NULL) == SKERRY_WAIT) skerry_wait(db[i]);
    skerry_engine_destroy(engine);
    for (u32 i = 0; i < DATABASES; i += 11) {
        path_of(i, path, sizeof path);
        CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
        snprintf(sql, sizeof sql, "SELECT count(*) = count(DISTINCT who) AND min(who %% %u) = %u AND max(who %% %u) = %u FROM t "
                 "WHERE who < %u", DATABASES, i, DATABASES, i, CONNECTIONS);
        CHECK_STR(sqlite_ask(path, sql), "1");
        CHECK_STR(sqlite_ask(path, "SELECT count(*) FROM t WHERE who < 1000"), "10");
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
