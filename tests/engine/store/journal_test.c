// Goal: databases in rollback-journal mode are read as they are, hot journals rolled back as SQLite
// would, and the first write makes them WAL databases. Method: hot journals are copies taken in the
// middle of SQLite's transactions, whole and damaged; SQLite's answer on the same bytes is the
// expected one.
#include "store_driver.h"

#include <sys/wait.h>

// A database whose transaction was cut off after pages had spilled into the file; sectors of the
// journal synced in several segments.
static void hot_journal_make(const char *to, u32 page_size, const char *mode)
{
    char *live = test_path("live.db"), sql[300], from[500], target[500];
    unlink(live);
    sqlite3 *db;
    sqlite3_open(live, &db);
    snprintf(sql, sizeof sql,
             "PRAGMA page_size=%u; PRAGMA journal_mode=%s; PRAGMA cache_size=5; CREATE TABLE t(id "
             "INTEGER PRIMARY KEY, v);",
             page_size, mode);
    sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_exec(db,
                 "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO "
                 "t SELECT i, 'old' || hex(zeroblob(100)) FROM n",
                 NULL, NULL, NULL);
    sqlite3_exec(db,
                 "BEGIN; UPDATE t SET v = 'new' || hex(zeroblob(150)); DELETE FROM t WHERE id > "
                 "250; INSERT INTO t SELECT id + 1000, v FROM t",
                 NULL, NULL, NULL);
    file_copy(live, to);
    snprintf(from, sizeof from, "%s-journal", live);
    snprintf(target, sizeof target, "%s-journal", to);
    file_copy(from, target);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
}

static const char *const question = "SELECT count(*) || ' ' || count(DISTINCT substr(v, 1, 3)) || "
                                    "' ' || min(substr(v, 1, 3)) FROM t";

static void pair_save(const char *path, const u8 *db, size_t db_size, const u8 *journal,
                      size_t journal_size)
{
    char name[500];
    file_save(path, db, db_size);
    snprintf(name, sizeof name, "%s-journal", path);
    file_save(name, journal, journal_size);
}

static void both_check(struct driver *d, const u8 *db, size_t db_size, const u8 *journal,
                       size_t journal_size, const char *what, u64 detail)
{
    char *ours = test_path("ours.db"), *theirs = test_path("theirs.db"), name[500], want[2000];
    pair_save(ours, db, db_size, journal, journal_size);
    pair_save(theirs, db, db_size, journal, journal_size);
    struct store *s = driver_open(d, ours, &(struct store_options){0});
    if (s) DO(d, store_close(s, &d->op));
    while (io_busy(d->io)) io_step(d->io, 0);
    snprintf(want, sizeof want, "%s", sqlite_ask(theirs, question));
    const char *got = sqlite_ask(ours, question);
    if (strcmp(got, want) != 0)
        test_fail(__FILE__, __LINE__, "%s %llu: %s, want %s", what, (unsigned long long)detail, got,
                  want);
    size_t a_size, b_size;
    u8 *a = file_load(ours, &a_size), *b = file_load(theirs, &b_size);
    if (a_size != b_size || memcmp(a, b, a_size) != 0)
        test_fail(__FILE__, __LINE__, "%s %llu: the files differ (%zu and %zu bytes)", what,
                  (unsigned long long)detail, a_size, b_size);
    free(a);
    free(b);
    snprintf(name, sizeof name, "%s-journal", ours);
    bool ours_left = file_exists(name);
    snprintf(name, sizeof name, "%s-journal", theirs);
    if (ours_left != file_exists(name))
        test_fail(__FILE__, __LINE__, "%s %llu: journal left %d", what, (unsigned long long)detail,
                  ours_left);
}

TEST(a_hot_journal_is_rolled_back)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    static const u32 page_sizes[] = {512, 1024, 4096, 65536};
    for (u32 i = 0; i < COUNT_OF(page_sizes); i++) {
        char *path = test_path("hot.db");
        hot_journal_make(path, page_sizes[i], "delete");
        size_t db_size, journal_size;
        u8 *db = file_load(path, &db_size),
           *journal = file_load(test_path("hot.db-journal"), &journal_size);
        REQUIRE(journal && journal_size > 512);
        both_check(&d, db, db_size, journal, journal_size, "page size", page_sizes[i]);
        CHECK_STR(sqlite_ask(test_path("ours.db"), question), "300 1 old");
        free(db);
        free(journal);
    }
    driver_deinit(&d);
}

TEST(a_damaged_journal_ends_where_sqlite_ends_it)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    u64 seed = test_seed();
    char *path = test_path("hot.db");
    hot_journal_make(path, 1024, "delete");
    size_t db_size, journal_size;
    u8 *db = file_load(path, &db_size),
       *journal = file_load(test_path("hot.db-journal"), &journal_size);
    REQUIRE(journal && journal_size > 512);
    for (size_t size = 0; size < journal_size; size += size < 600 ? 61 : 3777)
        both_check(&d, db, db_size, journal, size, "truncated to", size);
    for (u32 i = 0; i < 40; i++) {
        // The header's sizes are left alone: what SQLite makes of wrong ones depends on its page
        // size of the moment.
        size_t at = i < 20 ? i : 512 + test_random(&seed) % (journal_size - 512);
        u8 bit = (u8)(1 << test_random(&seed) % 8);
        if (at >= 16 && at < 28) continue;
        journal[at] ^= bit;
        both_check(&d, db, db_size, journal, journal_size, "damaged at", at);
        journal[at] ^= bit;
    }
    free(db);
    free(journal);
    driver_deinit(&d);
}

TEST(a_super_journal_that_is_gone_means_committed)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    for (u32 present = 0; present < 2; present++) {
        char *path = test_path("hot.db"), *super = test_path("super");
        hot_journal_make(path, 1024, "delete");
        size_t db_size, journal_size, name_size = strlen(super);
        u8 *db = file_load(path, &db_size),
           *journal = file_load(test_path("hot.db-journal"), &journal_size);
        journal = realloc(journal, journal_size + name_size + 20);
        u8 *end = journal + journal_size;
        u32 sum = 0;
        for (u32 i = 0; i < name_size; i++) sum += (u8)super[i];
        be32_put(end, 0x40000000 / 1024 + 1);
        memcpy(end + 4, super, name_size);
        be32_put(end + 4 + name_size, (u32)name_size);
        be32_put(end + 8 + name_size, sum);
        memcpy(end + 12 + name_size, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
        unlink(super);
        // A super-journal that names no child: SQLite would remove it after rolling back.
        if (present) file_save(super, "", 0);
        char *ours = test_path("ours.db");
        pair_save(ours, db, db_size, journal, journal_size + name_size + 20);
        struct store *s = driver_open(&d, ours, &(struct store_options){0});
        REQUIRE(s);
        DO(&d, store_close(s, &d.op));
        size_t size;
        u8 *now = file_load(ours, &size);
        bool same = size == db_size && memcmp(now, db, size) == 0;
        CHECK_EQ(same, !present);
        CHECK(!file_exists(test_path("ours.db-journal")));
        free(now);
        free(db);
        free(journal);
    }
    driver_deinit(&d);
}

TEST(a_finished_journal_is_left_alone)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db");
    sqlite_ask(path, "PRAGMA journal_mode=persist");
    sqlite3 *db;
    sqlite3_open(path, &db);
    sqlite3_exec(db,
                 "PRAGMA journal_mode=persist; CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT "
                 "INTO t VALUES(1, 'one'); UPDATE t SET v = 'two'",
                 NULL, NULL, NULL);
    sqlite3_close(db);
    REQUIRE(file_exists(test_path("a.db-journal")));
    struct store *s = driver_open(&d, path, &(struct store_options){0});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    char text[20];
    DO(&d, txn_begin_read(t, &d.op));
    DO(&d, row_read(t, &d.op, 2, 1, text, sizeof text));
    CHECK_STR(text, "two");
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    // It was only read: no other mode, no WAL.
    CHECK(!file_exists(test_path("a.db-wal")));
    CHECK_STR(sqlite_ask(path, "PRAGMA journal_mode"), "delete");
    driver_deinit(&d);
}

TEST(the_first_write_makes_a_wal_database)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db");
    sqlite_ask(path, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
    CHECK_STR(sqlite_ask(path, "PRAGMA journal_mode"), "delete");
    struct store *s = driver_open(&d, path, &(struct store_options){0});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    row_commit(&d, t, 2, 1, "one");
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA journal_mode"), "wal");
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(sqlite_ask(path, "SELECT id || v FROM t"), "1one");
    driver_deinit(&d);
}

TEST(auto_vacuum_is_kept)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db"), text[20];
    sqlite3 *db;
    sqlite3_open(path, &db);
    sqlite3_exec(db,
                 "PRAGMA auto_vacuum=full; CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO "
                 "t VALUES(1, 'one')",
                 NULL, NULL, NULL);
    sqlite3_close(db);
    struct store *s = driver_open(&d, path, &(struct store_options){0});
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_read(t, &d.op));
    DO(&d, row_read(t, &d.op, 3, 1, text, sizeof text));
    CHECK_STR(text, "one");
    txn_end_read(t);
    for (s64 id = 2; id < 3000; id++) row_commit(&d, t, 3, id, "another one");
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(sqlite_ask(path, "SELECT count(*) || ' ' || count(DISTINCT v) FROM t"), "2999 2");
    driver_deinit(&d);
}

// Another process, because closing a file drops all locks that SQLite has on it in this one. It
// reads until the pipe is closed.
static pid_t reader_start(const char *path, int *pipe_write)
{
    int go[2], ready[2];
    char byte;
    if (pipe(go) < 0 || pipe(ready) < 0) abort();
    pid_t pid = fork();
    if (pid == 0) {
        sqlite3 *db;
        close(go[1]);
        sqlite3_open(path, &db);
        sqlite3_exec(db, "BEGIN; SELECT * FROM t", NULL, NULL, NULL);
        if (write(ready[1], "x", 1) != 1 || read(go[0], &byte, 1) < 0) abort();
        _exit(0);
    }
    if (read(ready[0], &byte, 1) != 1) abort();
    close(go[0]);
    close(ready[0]);
    close(ready[1]);
    *pipe_write = go[1];
    return pid;
}

TEST(foreign_locks_are_respected)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db");
    int pipe_write;
    sqlite_ask(path, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
    pid_t pid = reader_start(path, &pipe_write);
    CHECK(!driver_open(&d, path, &(struct store_options){0}));
    CHECK_EQ(d.op.err.code, ERR_BUSY);
    CHECK_STR(d.op.err.text, "database is locked");
    // A read-only store stands beside a reader.
    struct store *s = driver_open(&d, path, &(struct store_options){.read_only = true});
    REQUIRE(s);
    CHECK(store_read_only(s));
    struct txn *t = txn_create(s);
    CHECK_EQ(DRIVE(&d, txn_begin_write(t, &d.op, 0)), IO_FAIL);
    CHECK_EQ(d.op.err.code, ERR_READONLY);
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    // Who may wait gets it as soon as the other lets go.
    struct store *waiting = NULL;
    struct store_options patient = {.busy_foreign_wait = true};
    err_clear(&d.op.err);
    for (u32 i = 0; i < 6; i++) {
        CHECK_EQ(store_open(d.io, path, &patient, &d.op, &waiting), IO_WAIT);
        io_step(d.io, UINT64_MAX);
    }
    close(pipe_write);
    waitpid(pid, NULL, 0);
    DO(&d, store_open(d.io, path, &patient, &d.op, &waiting));
    REQUIRE(waiting);
    DO(&d, store_close(waiting, &d.op));
    driver_deinit(&d);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
