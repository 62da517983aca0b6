// Goal: dbstat says of a file's pages what SQLite's says, page by page and tree by tree; of damaged files it gives rows or an
// error, and nothing worse.
// Method: files of SQLite's with all kinds of pages; both engines ask the same bytes. Left out is where overflow pages lie in
// the file, of which SQLite says where the page before them does. Then bytes are changed by seed.
#include "engine/skerry.h"
#include "tests/engine/row_text.h"
#include "tests/test.h"

#include <sqlite3.h>
#include <unistd.h>

static const char *const kinds[] = {"PRAGMA page_size=512", "PRAGMA page_size=4096", "PRAGMA page_size=65536",
                                    "PRAGMA page_size=1024; PRAGMA auto_vacuum=1", "PRAGMA page_size=1024; PRAGMA encoding='UTF-16le'"};

static const char FILLING[] =
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); CREATE INDEX tb ON t(b, c); CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
    "CREATE TABLE empty(x); CREATE VIEW v AS SELECT 1; CREATE TABLE \"it's \"\"q\"(x UNIQUE);"
    "WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 700) INSERT INTO t SELECT x * 3, hex(zeroblob(x % 30)) || x,"
    " zeroblob(CASE WHEN x % 23 THEN x % 40 ELSE 2900 END) FROM n;"
    "INSERT INTO w SELECT 'key ' || a || hex(zeroblob(a % 170)), b FROM t WHERE a % 2;"
    "INSERT INTO t VALUES(-1, 'long', zeroblob(70000)); DELETE FROM t WHERE a % 7 = 1 OR a BETWEEN 300 AND 360";

#define COLUMNS "name || '|' || path || '|' || pageno || '|' || pagetype || '|' || ncell || '|' || payload || '|' || unused || '|' || mx_payload || '|' || pgsize"
static const char *const questions[] = {
    "SELECT " COLUMNS " FROM dbstat",
    "SELECT " COLUMNS " FROM dbstat ORDER BY name, path",
    "SELECT " COLUMNS " FROM dbstat WHERE name = 'w'",
    "SELECT " COLUMNS " || pgoffset FROM dbstat WHERE pagetype <> 'overflow'",
    "SELECT name || pageno || '|' || ncell || '|' || payload || '|' || unused || '|' || mx_payload || '|' || pgsize || quote(path) || "
    "quote(pagetype) || quote(pgoffset) || schema || aggregate FROM dbstat WHERE aggregate = TRUE",
    "SELECT count(*) || ' ' || sum(pageno) FROM dbstat('main', 1)",
    "SELECT group_concat(rowid) FROM dbstat('main', 0) WHERE name IN ('t', 'tb', 'no')",
    "SELECT m.name || d.pageno FROM sqlite_schema m JOIN dbstat d ON d.name = m.name AND d.aggregate = 1 ORDER BY 1",
    "SELECT max(pageno) FROM dbstat",
};

static void file_make(const char *path, const char *pragmas)
{
    sqlite3 *db;
    sqlite3_open(path, &db);
    sqlite3_exec(db, pragmas, NULL, NULL, NULL);
    if (sqlite3_exec(db, FILLING, NULL, NULL, NULL) != SQLITE_OK) test_fail(__FILE__, __LINE__, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void skerry_with(const char *path, struct skerry_engine **engine, struct skerry **db)
{
    struct err err;
    CHECK(skerry_engine_create(&(struct skerry_engine_options){0}, engine, &err));
    CHECK(skerry_open(*engine, path, 0, db, &err));
}

static void skerry_end(struct skerry_engine *engine, struct skerry *db)
{
    while (skerry_close(db, NULL) == SKERRY_WAIT) skerry_wait(db);
    skerry_engine_destroy(engine);
}

TEST(pages_of_all_kinds)
{
    char path[600];
    for (u32 k = 0; k < COUNT_OF(kinds); k++) {
        snprintf(path, sizeof path, "%s/kind%u.db", test_dir(), k);
        file_make(path, kinds[k]);
        struct text want[COUNT_OF(questions)] = {{0}};
        sqlite3 *sqlite;
        sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READONLY, NULL);
        for (u32 i = 0; i < COUNT_OF(questions); i++)
            if (sqlite3_exec(sqlite, questions[i], oracle_row, &want[i], NULL) != SQLITE_OK)
                test_fail(__FILE__, __LINE__, "%s: %s", questions[i], sqlite3_errmsg(sqlite));
        sqlite3_close(sqlite);
        struct skerry_engine *engine;
        struct skerry *db;
        skerry_with(path, &engine, &db);
        for (u32 i = 0; i < COUNT_OF(questions); i++) {
            struct text got = {0};
            if (skerry_exec(db, questions[i], row, &got) != SKERRY_OK)
                test_fail(__FILE__, __LINE__, "%s, %s: %s", kinds[k], questions[i], skerry_error(db)->text);
            else if (!want[i].bytes || !got.bytes || strcmp(got.bytes, want[i].bytes) != 0)
                test_fail(__FILE__, __LINE__, "%s, %s:\n%s\ninstead of\n%s", kinds[k], questions[i], got.bytes, want[i].bytes);
            free(got.bytes);
            free(want[i].bytes);
        }
        skerry_end(engine, db);
    }
}

TEST(damaged_pages)
{
    u64 random = test_seed();
    char path[600];
    snprintf(path, sizeof path, "%s/whole.db", test_dir());
    file_make(path, kinds[0]);
    static u8 bytes[4 << 20];
    FILE *f = fopen(path, "rb");
    REQUIRE(f != NULL);
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    for (u32 round = 0; round < 150; round++) {
        snprintf(path, sizeof path, "%s/damaged.db", test_dir());
        unlink(path);
        f = fopen(path, "wb");
        REQUIRE(f != NULL);
        fwrite(bytes, 1, size, f);
        for (u32 i = 0; i < 20; i++) {
            u64 at = test_random(&random) % size;
            if (test_random(&random) % 2) at = at / 512 * 512 + test_random(&random) % 24; // a page's header, or its cells' places
            if (at < 512 || at >= size) continue;
            u8 byte = (u8)test_random(&random);
            fseek(f, (long)at, SEEK_SET);
            fwrite(&byte, 1, 1, f);
        }
        fclose(f);
        struct skerry_engine *engine;
        struct skerry *db;
        skerry_with(path, &engine, &db);
        for (u32 i = 0; i < 5; i += 4) {
            struct text got = {0};
            int rc = skerry_exec(db, questions[i], row, &got);
            if (rc != SKERRY_OK && err_primary(skerry_error(db)->code) != ERR_CORRUPT)
                test_fail(__FILE__, __LINE__, "round %u, %s: %s", round, questions[i], skerry_error(db)->text);
            free(got.bytes);
        }
        skerry_end(engine, db);
    }
}

int main(int argc, char **argv) { return test_main(argc, argv); }
