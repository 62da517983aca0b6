// Goal: databases of more than 1 GiB leave the page alone that SQLite's locks are on, ones of more than 4 GiB are read and
// written like others, with every page size; SQLite goes on with what Skerry wrote, and the other way round.
// Method: a small database is made as long as one wants by the page count in its header and a hole in the file (pages that
// nobody uses), so that the next pages are beyond the place in question; both engines write across it in turns, and what they
// read, and what their checks say but for the unused pages, is the same.
#include "engine/skerry.h"
#include "tests/test.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#define LOCK_BYTE 0x40000000ull

static char out[4096];

static int sqlite_row(void *context, int count, char **values, char **names)
{
    size_t at = strlen(out);
    snprintf(out + at, sizeof out - at, "%s ", values[0] ? values[0] : "NULL");
    return 0;
}

static const char *sqlite_run(const char *path, const char *sql)
{
    sqlite3 *db;
    char *error = NULL;
    out[0] = 0;
    sqlite3_open(path, &db);
    if (sqlite3_exec(db, sql, sqlite_row, NULL, &error) != SQLITE_OK) snprintf(out, sizeof out, "error: %s", error);
    sqlite3_free(error);
    sqlite3_close(db);
    return out;
}

static int skerry_row(void *context, struct skerry_stmt *s)
{
    size_t at = strlen(out);
    snprintf(out + at, sizeof out - at, "%s ", skerry_column_text(s, 0, NULL));
    return 0;
}

static const char *skerry_run(const char *path, const char *sql)
{
    struct skerry_engine *engine;
    struct skerry *db = NULL;
    struct err err = ERR_CLEAR;
    out[0] = 0;
    struct skerry_engine_options options = {.backend = IO_BACKEND_POSIX};
    if (!skerry_engine_create(&options, &engine, &err) || !skerry_open(engine, path, SKERRY_OPEN_CREATE, &db, &err))
        test_fail(__FILE__, __LINE__, "%s", err.text);
    if (skerry_exec(db, sql, skerry_row, NULL) != SKERRY_OK) snprintf(out, sizeof out, "error: %s", skerry_error(db)->text);
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(skerry_engine_io(engine), UINT64_MAX);
    skerry_engine_destroy(engine);
    return out;
}

// The file ends with page `count`; nobody uses the pages from its old end on.
static void lengthen(const char *path, u32 page_size, u32 count)
{
    int fd = open(path, O_RDWR);
    u8 bytes[4] = {(u8)(count >> 24), (u8)(count >> 16), (u8)(count >> 8), (u8)count};
    CHECK_EQ(pwrite(fd, bytes, 4, 28), 4);
    CHECK_EQ(ftruncate(fd, (off_t)count * page_size), 0);
    close(fd);
}

static u32 header_field(const char *path, u64 offset)
{
    u8 b[4] = {0};
    int fd = open(path, O_RDONLY);
    CHECK_EQ(pread(fd, b, 4, (off_t)offset), 4);
    close(fd);
    return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static bool all_zero(const char *path, u64 offset, u32 size)
{
    u8 *b = calloc(1, size);
    int fd = open(path, O_RDONLY);
    bool zero = pread(fd, b, size, (off_t)offset) == (ssize_t)size;
    close(fd);
    for (u32 i = 0; i < size && zero; i++) zero = b[i] == 0;
    free(b);
    return zero;
}

static const struct {
    u32 page_size;
    u64 place; // in the file
    u32 vacuum;
} places[] = {
    {512, LOCK_BYTE, 0},    {512, LOCK_BYTE, 1},   {4096, LOCK_BYTE, 0},    {4096, LOCK_BYTE, 2},
    {65536, LOCK_BYTE, 0},  {65536, LOCK_BYTE, 1}, {4096, 4ull << 30, 0},   {65536, 4ull << 30, 0},
    {65536, 9ull << 30, 0},
};

TEST(files_beyond_the_lock_page_and_four_gibibytes)
{
    static const char READ[] = "SELECT count(*) || '/' || sum(length(b)) || '/' || sum(unicode(substr(b, -1))) FROM t; SELECT count(*) FROM t WHERE c LIKE 'k%'";
    for (u32 i = 0; i < COUNT_OF(places); i++) {
        char path[600], sql[500], want[4096];
        u32 page_size = places[i].page_size, before = (u32)(places[i].place / page_size);
        snprintf(path, sizeof path, "%s/%u.db", test_dir(), i);
        snprintf(sql, sizeof sql,
                 "PRAGMA page_size=%u; PRAGMA auto_vacuum=%u; CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); CREATE INDEX tc ON t(c); "
                 "INSERT INTO t VALUES(1, 'one', 'k')", page_size, places[i].vacuum);
        bool ours_first = i % 2;
        CHECK_STR(ours_first ? skerry_run(path, sql) : sqlite_run(path, sql), "");
        lengthen(path, page_size, before - 2);
        for (u32 turn = 0; turn < 4; turn++) {
            // Pages of trees, and chains longer than what is before the place.
            snprintf(sql, sizeof sql,
                     "WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 12) INSERT INTO t(b, c) SELECT printf('%%.*c', %u + x, 'a' + %u) || x, 'k' || x FROM n",
                     page_size * 3 / 2, turn);
            CHECK_STR((turn + i) % 2 ? skerry_run(path, sql) : sqlite_run(path, sql), "");
            strcpy(want, sqlite_run(path, READ));
            CHECK(strncmp(want, "error", 5) != 0);
            CHECK_STR(skerry_run(path, READ), want);
        }
        CHECK(header_field(path, 28) > before + 1);
        if (places[i].place == LOCK_BYTE) CHECK(all_zero(path, LOCK_BYTE, MIN(page_size, 4096u)));
        // The checks tell of the unused pages, up to a limit, and of nothing before those.
        strcpy(want, sqlite_run(path, "PRAGMA integrity_check(3)"));
        CHECK(strstr(want, "never used") != NULL);
        CHECK(strstr(skerry_run(path, "PRAGMA integrity_check(3)"), "never used") != NULL);
        CHECK(strstr(out, "Tree") == NULL && strstr(out, "tree") == NULL && strstr(out, "ptr map") == NULL);
        // Deleting gives pages beyond the place to the freelist; the copy is small and sound.
        CHECK_STR(skerry_run(path, "DELETE FROM t WHERE a % 2; INSERT INTO t(b, c) VALUES('last', 'k')"), "");
        strcpy(want, sqlite_run(path, READ));
        CHECK_STR(skerry_run(path, "VACUUM"), "");
        CHECK_STR(sqlite_run(path, "PRAGMA integrity_check"), "ok ");
        CHECK_STR(sqlite_run(path, READ), want);
        CHECK(header_field(path, 28) < 4000);
        unlink(path);
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
