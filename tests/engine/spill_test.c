// Goal: a transaction may be many times larger than the page cache: its memory stays bounded, it commits, rolls back and
// goes back to savepoints as any other, and a temporary file that cannot be written or read costs that transaction alone.
// Method: SQLite runs the same statements; caches of a few pages; the high-water mark of the process's memory; on the
// simulated disk every write, read, opening and crash of such a transaction fails in turn.
#include "io/sim.h"
#include "tests/oracle.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "engine_driver.h"

// ---- beside SQLite ---------------------------------------------------------------------------------------------------

static const char SCHEMA[] = "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c); CREATE INDEX tb ON t(b); CREATE INDEX tc ON t(c, b);"
                             "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID;";

static u32 pick(u64 *random, u32 below)
{
    return (u32)(test_random(random) % below);
}

// A statement that changes many pages, or ends a savepoint or the transaction.
static void statement_make(u64 *random, u32 savepoints, char *sql, size_t size)
{
    u32 x = pick(random, 1000), y = 1 + pick(random, 300);
    switch (pick(random, 12)) {
    case 0:
    case 1:
    case 2:
        snprintf(sql, size,
                 "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) INSERT OR REPLACE INTO t SELECT (i * %u) %% 3000,"
                 "printf('%%.*c', i * 7 %% %u, char(97 + i %% 26)) || i, i * %u %% 701 FROM n",
                 y, 1 + x, 1 + pick(random, 900), x);
        break;
    case 3:
        snprintf(sql, size,
                 "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) INSERT OR IGNORE INTO w SELECT i * %u %% 1000 || "
                 "'key', zeroblob(i * %u %% 400) FROM n",
                 y, 1 + x, x);
        break;
    case 4: snprintf(sql, size, "UPDATE t SET b = b || %u, c = c + 1 WHERE c %% 17 = %u", x, x % 17); break;
    case 5: snprintf(sql, size, "DELETE FROM t WHERE a BETWEEN %u AND %u", x * 3, x * 3 + y); break;
    case 6: snprintf(sql, size, "UPDATE w SET v = zeroblob(%u) WHERE k LIKE '%u%%'", y * 3, x % 10); break;
    case 7: snprintf(sql, size, "SELECT count(*), sum(length(b)), sum(c) FROM t INDEXED BY tc WHERE c > %u", x % 700); break;
    case 8:
    case 9: snprintf(sql, size, "SAVEPOINT s%u", pick(random, 3)); break;
    case 10: snprintf(sql, size, "%s s%u", pick(random, 3) ? "ROLLBACK TO" : "RELEASE", pick(random, 3)); break;
    default: snprintf(sql, size, "%s", savepoints ? pick(random, 4) ? "SELECT max(a) FROM t" : "ROLLBACK" : "SELECT 1"); break;
    }
}

TEST(transactions_over_a_tiny_cache_as_in_sqlite)
{
    u64 random = test_seed();
    for (u32 round = 0; round < 6; round++) {
        struct oracle o;
        REQUIRE(oracle_open_cached(&o, "o", (12 + pick(&random, 40)) * 4096));
        char sql[600];
        snprintf(sql, sizeof sql, "PRAGMA page_size=%u; PRAGMA auto_vacuum=%u", 512u << pick(&random, 4), pick(&random, 3));
        bool fine = oracle_run(&o, sql) && oracle_run(&o, SCHEMA);
        for (u32 i = 0; fine && i < 12; i++) {
            fine = oracle_run(&o, pick(&random, 3) ? "BEGIN" : "SAVEPOINT s0");
            u32 count = 1 + pick(&random, 20);
            for (u32 k = 0; fine && k < count; k++) {
                statement_make(&random, k, sql, sizeof sql);
                fine = oracle_run(&o, sql);
            }
            if (fine && oracle_in_transaction(&o)) fine = oracle_run(&o, pick(&random, 4) ? "COMMIT" : "ROLLBACK");
            if (fine && i % 4 == 3) fine = oracle_compare_contents(&o) && oracle_check_file(&o);
        }
        oracle_close(&o);
        if (!fine) return;
    }
}

// ---- memory --------------------------------------------------------------------------------------------------------


static void engine_make(struct io *io, u64 cache_bytes, const char *temp_dir)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options options = {
        .io = io, .backend = IO_BACKEND_POSIX, .cache_bytes = cache_bytes, .temp_dir = temp_dir};
    if (!skerry_engine_create(&options, &engine, &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
}

static int run(struct skerry *db, const char *text)
{
    out[0] = 0;
    int rc = skerry_exec(db, text, row_append, NULL);
    if (rc != SKERRY_OK) snprintf(out, sizeof out, "error: %s", skerry_error(db)->text);
    return rc;
}

static const char *sql(struct skerry *db, const char *text)
{
    run(db, text);
    return out;
}

#if !defined(__SANITIZE_ADDRESS__)
// Kilobytes of memory: now, and at most since the mark was set.
static u64 memory_now(const char *what)
{
    char line[200];
    u64 kilobytes = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, what, strlen(what)) == 0) kilobytes = strtoull(line + strlen(what) + 1, NULL, 10);
    if (f) fclose(f);
    return kilobytes;
}

static void memory_mark(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY);
    if (fd < 0 || write(fd, "5", 1) != 1) test_fail(__FILE__, __LINE__, "/proc/self/clear_refs cannot be written");
    if (fd >= 0) close(fd);
}

static const char FILL[] = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) INSERT INTO t SELECT i, "
                           "hex(randomblob(1000)), i * 7919 % 12007 FROM n";

TEST(memory_stays_bounded)
{
    enum { CACHE = 1 << 20, ALLOWED_KB = 6 * 1024 }; // the transaction's pages: more than 26 MB
    char path[600];
    snprintf(path, sizeof path, "%s/m.db", test_dir());
    engine_make(NULL, CACHE, test_dir());
    struct skerry *db = open_at(path);
    CHECK_STR(sql(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); CREATE INDEX tc ON t(c)"), "");
    static const char *const steps[] = {
        "BEGIN",       FILL,          "UPDATE t SET b = b || 'x', c = c + 1", "SAVEPOINT s", "UPDATE t SET b = 'y' || b",
        "ROLLBACK TO s", "DELETE FROM t WHERE a % 2", "COMMIT", "UPDATE t SET b = b || b", "BEGIN; DELETE FROM t; ROLLBACK", "VACUUM",
    };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        u64 before = memory_now("VmRSS:");
        memory_mark();
        CHECK_STR(sql(db, steps[i]), "");
        u64 peak = memory_now("VmHWM:");
        if (peak > before + ALLOWED_KB)
            test_fail(__FILE__, __LINE__, "%s took %llu kB of memory", steps[i], (unsigned long long)(peak - before));
    }
    CHECK_STR(sql(db, "SELECT count(*) || ' ' || sum(length(b)) FROM t; PRAGMA integrity_check"), "6000 24012000 ok ");
    shut(db);
    skerry_engine_destroy(engine);
    sqlite3 *check;
    char **table;
    CHECK_EQ(sqlite3_open(path, &check), SQLITE_OK);
    CHECK_EQ(sqlite3_get_table(check, "PRAGMA integrity_check", &table, NULL, NULL, NULL), SQLITE_OK);
    CHECK_STR(table[1], "ok");
    sqlite3_free_table(table);
    sqlite3_close(check);
}
#endif

// ---- failures --------------------------------------------------------------------------------------------------------

static const char BIG[] = "BEGIN; UPDATE t SET b = b || 'x'; SAVEPOINT s; UPDATE t SET c = c + 1; ROLLBACK TO s; "
                          "DELETE FROM t WHERE a % 3 = 0; COMMIT";
static const char SUM[] = "SELECT count(*) || ' ' || sum(length(b)) || ' ' || sum(c) FROM t";
static const char BEFORE[] = "400 200000 80200 ", AFTER[] = "267 133767 53467 ";

// Every other database is encrypted.
static const char *database_name(u64 nth)
{
    return nth % 2 ? "/data/d.db" : "file:/data/d.db?hexkey=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
}

// The nth operation of the kind from the transaction's begin on fails; false: there was none.
static bool transaction_interrupted(enum sim_fault fault, u64 nth, u32 *failed)
{
    struct sim *sim = sim_create(nth * 31 + fault);
    struct err err = ERR_CLEAR;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = sim}, &err);
    sim_file_put(sim, "/data/x", "", 0);
    engine_make(io, 12 * 1024, "/data");
    struct skerry *db = open_at(database_name(nth));
    CHECK_STR(sql(db, "PRAGMA page_size=1024; CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); CREATE INDEX tc ON t(c);"
                      "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO t SELECT i, "
                      "printf('%.*c', 500, 'b'), i FROM n"),
              "");
    CHECK_STR(sql(db, SUM), BEFORE);
    u64 before = sim_operations(sim, fault);
    sim_fault_at(sim, fault, nth);
    int rc = run(db, BIG);
    bool met = sim_operations(sim, fault) - before >= nth, down = sim_is_down(io);
    sim_fault_at(sim, fault, 0);
    if (rc != SKERRY_OK) {
        (*failed)++;
        if (fault == SIM_WRITE_FULL && (rc & 0xff) != ERR_FULL)
            test_fail(__FILE__, __LINE__, "write %llu on a full disk: %d %s", (unsigned long long)nth, rc, out);
        if (fault == SIM_READ_ERROR && (rc & 0xff) != ERR_IOERR)
            test_fail(__FILE__, __LINE__, "failed read %llu: %d %s", (unsigned long long)nth, rc, out);
    }
    if (!down) {
        if (rc != SKERRY_OK) {
            run(db, "ROLLBACK"); // an error may have done it
            CHECK_STR(sql(db, SUM), BEFORE);
            CHECK_STR(sql(db, BIG), "");
        }
        CHECK_STR(sql(db, SUM), AFTER);
    }
    shut(db);
    skerry_engine_destroy(engine);
    if (down) {
        io_destroy(io);
        io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = sim}, &err);
    }
    engine_make(io, 1 << 20, "/data");
    db = open_at(database_name(nth));
    sql(db, SUM);
    if (strcmp(out, AFTER) != 0 && (rc == SKERRY_OK || strcmp(out, BEFORE) != 0))
        test_fail(__FILE__, __LINE__, "fault %d, %llu: %s after recovery", (int)fault, (unsigned long long)nth, out);
    CHECK_STR(sql(db, "PRAGMA integrity_check"), "ok ");
    shut(db);
    skerry_engine_destroy(engine);
    io_destroy(io);
    sim_destroy(sim);
    return met;
}

TEST(a_failing_temporary_file_costs_one_transaction)
{
    static const enum sim_fault faults[] = {SIM_WRITE_FULL, SIM_WRITE_ERROR, SIM_READ_ERROR, SIM_OPEN_ERROR, SIM_CRASH};
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        u64 nth = 1;
        u32 failed = 0;
        while (nth < 400 && transaction_interrupted(faults[i], nth, &failed)) nth += 1 + nth / 16;
        u32 least = faults[i] == SIM_OPEN_ERROR ? 1 : 20;
        if (failed < least) test_fail(__FILE__, __LINE__, "fault %d: %u of them failed the transaction", (int)faults[i], failed);
    }
}

int main(int argc, char **argv) { return test_main(argc, argv); }
