// Goal: VACUUM and VACUUM INTO keep every row, rowid, key and header field, give back the free pages, and lose nothing
// when a write fails or the power goes in the middle; readers keep their snapshot.
// Method: databases made by libsqlite3 (page sizes, encodings, kinds of tables, deletions by seed); Skerry vacuums
// them; libsqlite3 reads the same contents and checks the file. On the simulated disk every write, sync and truncation
// of a VACUUM fails or loses the power in turn.
#include "io/sim.h"
#include "tests/test.h"

#include <sqlite3.h>
#include <unistd.h>

#include "engine_driver.h"


static const char DIGEST[] =
    "SELECT (SELECT group_concat(a || quote(b) || c) FROM (SELECT * FROM t ORDER BY a)) || '/' ||"
    "(SELECT group_concat(rowid || quote(x) || y) FROM (SELECT rowid, * FROM u ORDER BY rowid)) || '/' ||"
    "(SELECT group_concat(k || quote(l) || v) FROM (SELECT * FROM w ORDER BY k, l)) || '/' ||"
    "(SELECT group_concat(name || seq) FROM sqlite_sequence) || '/' ||"
    "(SELECT group_concat(tbl || idx || stat) FROM sqlite_stat1) || '/' ||"
    "(SELECT group_concat(type || name || tbl_name || coalesce(sql, '')) FROM (SELECT * FROM sqlite_schema ORDER BY 2)) ||"
    "'/' || (SELECT user_version FROM pragma_user_version) || '/' || (SELECT application_id FROM pragma_application_id) ||"
    "(SELECT encoding FROM pragma_encoding)";

static char *path_of(const char *name)
{
    static char paths[4][600];
    static u32 next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test_dir(), name);
    return path;
}

// The first column of the first row, to be freed.
static char *sqlite_ask(const char *path, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    char *text = NULL;
    sqlite3_open(path, &db);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        text = strdup((const char *)sqlite3_column_text(s, 0));
    else
        text = strdup(sqlite3_errmsg(db));
    sqlite3_finalize(s);
    sqlite3_close(db);
    return text;
}

static void file_unlink(const char *path)
{
    char wal[700];
    snprintf(wal, sizeof wal, "%s-wal", path);
    unlink(path);
    unlink(wal);
}

static void database_make(const char *path, u64 seed, u32 rows)
{
    static const char *const encodings[] = {"UTF-8", "UTF-16le", "UTF-16be"};
    static const u32 page_sizes[] = {512, 1024, 4096, 65536};
    char *sql = sqlite3_mprintf(
        "PRAGMA page_size=%u; PRAGMA encoding='%s'; PRAGMA user_version=%u; PRAGMA application_id=99; BEGIN;"
        "CREATE TABLE gone(x); CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b, c UNIQUE);"
        "CREATE TABLE u(x COLLATE NOCASE, y); CREATE INDEX ux ON u(x DESC, y); CREATE VIEW uv AS SELECT * FROM u;"
        "CREATE TABLE w(k TEXT COLLATE NOCASE, l, v, PRIMARY KEY(l, k)) WITHOUT ROWID; CREATE INDEX wv ON w(v) WHERE v > 5;"
        "CREATE TRIGGER tr AFTER INSERT ON u BEGIN SELECT 1; END;"
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) INSERT INTO t(b, c)"
        "SELECT CASE i %% 3 WHEN 0 THEN NULL WHEN 1 THEN printf('%%.*c', i * %u %% 3000, 'x') ELSE i * 1.5 END, i FROM n;"
        "INSERT INTO u SELECT CASE WHEN a %% 2 THEN 'Ab' ELSE 'aB' END || (a * %u %% 97), a FROM t;"
        "INSERT INTO w SELECT x, y, y %% 11 FROM u; INSERT INTO gone SELECT b FROM t; DROP TABLE gone;"
        "DELETE FROM t WHERE a %% %u = 0; DELETE FROM u WHERE y %% 5 < %u; DELETE FROM w WHERE v = 3; COMMIT; ANALYZE",
        page_sizes[seed % 4], encodings[seed / 4 % 3], (u32)(seed % 1000), rows, (u32)(7 + seed % 90), (u32)(1 + seed % 50),
        (u32)(2 + seed % 4), (u32)(seed % 4));
    sqlite3 *db;
    char *message = NULL;
    file_unlink(path);
    sqlite3_open(path, &db);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) test_fail(__FILE__, __LINE__, "%s", message);
    sqlite3_close(db);
    sqlite3_free(sql);
}

static void engine_make(struct io *io)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options options = {.io = io, .backend = IO_BACKEND_POSIX, .cache_bytes = 1 << 20};
    if (!skerry_engine_create(&options, &engine, &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
}

static const char *sql(struct skerry *db, const char *text)
{
    out[0] = 0;
    if (skerry_exec(db, text, row_append, NULL) != SKERRY_OK) {
        size_t at = strlen(out);
        snprintf(out + at, sizeof out - at, "error: %s", skerry_error(db)->text);
    }
    return out;
}

// The file holds what `want` says and libsqlite3 finds no fault in it.
static void file_expect(const char *path, const char *want, u64 seed)
{
    char *got = sqlite_ask(path, DIGEST), *check = sqlite_ask(path, "PRAGMA integrity_check");
    if (strcmp(got, want) != 0)
        test_fail(__FILE__, __LINE__, "seed %llu: %s holds other rows: %.300s", (unsigned long long)seed, path, got);
    if (strcmp(check, "ok") != 0)
        test_fail(__FILE__, __LINE__, "seed %llu: %s: %s", (unsigned long long)seed, path, check);
    free(got);
    free(check);
}

TEST(vacuum_keeps_everything)
{
    u64 base = test_seed() % 1000000;
    for (u64 i = 0; i < 24; i++) {
        u64 seed = base + i;
        char *path = path_of("v.db"), *into = path_of("into.db"), statement[700];
        file_unlink(into);
        database_make(path, seed, i % 3 ? 700 : 12);
        char *want = sqlite_ask(path, DIGEST);
        engine_make(NULL);
        struct skerry *db = open_at(path);
        snprintf(statement, sizeof statement, "VACUUM INTO '%s'", into);
        CHECK_STR(sql(db, statement), "");
        CHECK_STR(sql(db, statement), "error: output file already exists");
        CHECK_STR(sql(db, "VACUUM"), "");
        CHECK_STR(sql(db, "PRAGMA integrity_check; PRAGMA freelist_count"), "ok 0 ");
        shut(db);
        file_expect(path, want, seed);
        file_expect(into, want, seed);
        char *gap = sqlite_ask(path, "SELECT count(*) FROM pragma_freelist_count WHERE freelist_count > 0");
        CHECK_STR(gap, "0");
        free(gap);
        // The file grows again over what was cut off.
        db = open_at(path);
        CHECK_STR(sql(db, "BEGIN; INSERT INTO u SELECT x || 'z', y + 1 FROM u; ROLLBACK; VACUUM; CREATE TABLE z AS SELECT * "
                          "FROM t; DROP TABLE z; INSERT INTO u VALUES('q', 1); DELETE FROM u WHERE x = 'q'; VACUUM; "
                          "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA integrity_check"),
                  "0 ok ");
        shut(db);
        skerry_engine_destroy(engine);
        file_expect(path, want, seed);
        free(want);
    }
}

TEST(vacuum_keeps_and_changes_auto_vacuum)
{
    char *path = path_of("a.db"), *into = path_of("into.db"), statement[700];
    database_make(path, 5, 300);
    char *want = sqlite_ask(path, DIGEST);
    engine_make(NULL);
    struct skerry *db = open_at(path);
    CHECK_STR(sql(db, "PRAGMA auto_vacuum; PRAGMA auto_vacuum=full; PRAGMA auto_vacuum; VACUUM; PRAGMA auto_vacuum"), "0 0 1 ");
    CHECK_STR(sql(db, "PRAGMA auto_vacuum=incremental; PRAGMA auto_vacuum"), "2 ");
    snprintf(statement, sizeof statement, "BEGIN; DELETE FROM t; ROLLBACK; VACUUM INTO '%s'; PRAGMA integrity_check", into);
    CHECK_STR(sql(db, statement), "ok ");
    CHECK_STR(sql(db, "CREATE TABLE z AS SELECT * FROM u; DROP TABLE z; SELECT freelist_count > 0 FROM pragma_freelist_count;"
                      "PRAGMA incremental_vacuum; PRAGMA freelist_count; PRAGMA integrity_check"),
              "1 0 ok ");
    shut(db);
    file_expect(path, want, 5);
    file_expect(into, want, 5);
    char *mode = sqlite_ask(path, "PRAGMA auto_vacuum"), *mode_into = sqlite_ask(into, "PRAGMA auto_vacuum");
    CHECK_STR(mode, "2");
    CHECK_STR(mode_into, "2");
    db = open_at(path);
    CHECK_STR(sql(db, "PRAGMA auto_vacuum=0; VACUUM; PRAGMA auto_vacuum; PRAGMA integrity_check"), "0 ok ");
    shut(db);
    skerry_engine_destroy(engine);
    file_expect(path, want, 5);
    free(mode);
    free(mode_into);
    free(want);
}

TEST(vacuum_refuses)
{
    engine_make(NULL);
    struct skerry *db = open_at(path_of("r.db"));
    CHECK_STR(sql(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1),(2)"), "");
    CHECK_STR(sql(db, "BEGIN; VACUUM"), "error: cannot VACUUM from within a transaction");
    CHECK_STR(sql(db, "ROLLBACK"), "");
    struct skerry_stmt *s = NULL;
    size_t used;
    int result;
    while ((result = skerry_prepare(db, "SELECT a FROM t", 15, &s, &used)) == SKERRY_WAIT) skerry_wait(db);
    while ((result = skerry_step(s)) == SKERRY_WAIT) skerry_wait(db);
    CHECK_EQ(result, SKERRY_ROW);
    CHECK_STR(sql(db, "VACUUM"), "error: cannot VACUUM - SQL statements in progress");
    skerry_finalize(s);
    CHECK_STR(sql(db, "VACUUM nowhere"), "error: unknown database nowhere");
    CHECK_STR(sql(db, "VACUUM INTO 3"), "error: non-text filename");
    CHECK_STR(sql(db, "VACUUM temp; VACUUM; SELECT sum(a) FROM t"), "3 ");
    shut(db);
    db = open_at(":memory:");
    CHECK_STR(sql(db, "VACUUM; CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(100000)); DELETE FROM t; VACUUM;"
                      "PRAGMA page_count; INSERT INTO t VALUES(zeroblob(50000)); PRAGMA integrity_check"),
              "2 ok ");
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(vacuum_leaves_readers_their_snapshot)
{
    char *path = path_of("s.db");
    database_make(path, 2, 700);
    char *want = sqlite_ask(path, DIGEST);
    engine_make(NULL);
    struct skerry *db = open_at(path), *reader = open_at(path);
    CHECK_STR(sql(reader, "BEGIN; SELECT count(*) FROM t"), "525 ");
    CHECK_STR(sql(db, "DELETE FROM u; DELETE FROM w; VACUUM; SELECT count(*) FROM u"), "0 ");
    CHECK_STR(sql(db, "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO u SELECT i, i FROM n;"
                      "PRAGMA wal_checkpoint; VACUUM; PRAGMA integrity_check"),
              "0 ok ");
    CHECK_STR(sql(reader, "PRAGMA integrity_check; SELECT count(*) FROM w"), "ok 636 ");
    out[0] = 0;
    CHECK_EQ(skerry_exec(reader, DIGEST, row_append, NULL), SKERRY_OK);
    CHECK(strncmp(out, want, 4000) == 0);
    CHECK_STR(sql(reader, "COMMIT; SELECT count(*) FROM u; PRAGMA integrity_check"), "3000 ok ");
    shut(reader);
    shut(db);
    skerry_engine_destroy(engine);
    char *check = sqlite_ask(path, "PRAGMA integrity_check");
    CHECK_STR(check, "ok");
    free(check);
    free(want);
}

static u8 *file_load(const char *path, u64 *size)
{
    FILE *f = fopen(path, "rb");
    fseek(f, 0, SEEK_END);
    *size = (u64)ftell(f);
    rewind(f);
    u8 *bytes = malloc(*size);
    if (fread(bytes, 1, *size, f) != *size) test_fail(__FILE__, __LINE__, "reading %s", path);
    fclose(f);
    return bytes;
}

// Writes a file of the simulated world where libsqlite3 can open it.
static void file_survived(struct sim *sim, const char *name, const char *path)
{
    u64 size;
    u8 *bytes = sim_file_get(sim, name, &size);
    unlink(path);
    if (!bytes) return;
    FILE *f = fopen(path, "wb");
    fwrite(bytes, 1, size, f);
    fclose(f);
    free(bytes);
}

// VACUUM and closing with the nth operation of a kind failing; false when there was no such operation.
static bool vacuum_interrupted(const u8 *bytes, u64 size, const char *want, enum sim_fault fault, u64 nth)
{
    struct sim *sim = sim_create(nth * 31 + fault);
    struct err err = ERR_CLEAR;
    sim_file_put(sim, "/d.db", bytes, size);
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = sim}, &err);
    engine_make(io);
    struct skerry *db = open_at("/d.db");
    sql(db, "PRAGMA schema_version"); // opens it
    u64 before = sim_operations(sim, fault);
    sim_fault_at(sim, fault, nth);
    sql(db, "VACUUM");
    shut(db);
    bool met = sim_operations(sim, fault) - before >= nth;
    skerry_engine_destroy(engine);
    io_destroy(io);
    char *path = path_of("survived.db"), wal[700];
    snprintf(wal, sizeof wal, "%s-wal", path);
    file_survived(sim, "/d.db", path);
    file_survived(sim, "/d.db-wal", wal);
    file_expect(path, want, nth);
    sim_destroy(sim);
    return met;
}

TEST(vacuum_interrupted_loses_nothing)
{
    static const enum sim_fault faults[] = {SIM_CRASH, SIM_WRITE_ERROR, SIM_WRITE_FULL, SIM_SYNC_ERROR, SIM_READ_ERROR};
    char *path = path_of("d.db");
    database_make(path, 3 * 4 + 1, 150);
    char *want = sqlite_ask(path, DIGEST);
    u64 size;
    u8 *bytes = file_load(path, &size);
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        u64 nth = 1;
        while (nth < 300 && vacuum_interrupted(bytes, size, want, faults[i], nth)) nth++;
        if (nth < 3) test_fail(__FILE__, __LINE__, "fault %d was met %llu times", (int)faults[i], (unsigned long long)nth - 1);
    }
    free(bytes);
    free(want);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
