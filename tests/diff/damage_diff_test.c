// Goal: of damaged files, integrity_check and quick_check say "ok" where SQLite's do and nowhere else; what is "ok" is read
// with the same rows; where SQLite reads on past a fault that its check tells of, that is the same rows or SQLITE_CORRUPT with
// a place, and what SQLite cannot read is no other error.
// Method: databases of SQLite's of all kinds, with bytes changed by seed: fields of page headers, cell pointers, varints,
// pointer maps, freelists, the log. Both engines ask copies of the same bytes. DAMAGES=n: so many of each kind.
#include "engine/skerry.h"
#include "tests/test.h"

#include <sqlite3.h>
#include <unistd.h>

struct kind {
    const char *name, *pragmas;
    bool log;    // the damage is in the log
    bool schema; // it is in the first page's second half, where the texts of the schema are
};
static const struct kind kinds[] = {
    {"small pages", "PRAGMA page_size=512", false, false},
    {"pages of 1024", "PRAGMA page_size=1024", false, false},
    {"pages of 4096", "PRAGMA page_size=4096", false, false},
    {"auto_vacuum", "PRAGMA page_size=512; PRAGMA auto_vacuum=1", false, false},
    {"incremental", "PRAGMA page_size=1024; PRAGMA auto_vacuum=2", false, false},
    {"UTF-16", "PRAGMA page_size=1024; PRAGMA encoding='UTF-16le'", false, false},
    {"a log", "PRAGMA page_size=512; PRAGMA journal_mode=wal", true, false},
    {"the schema", "PRAGMA page_size=2048", false, true},
};

static const char FILLING[] =
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c NOT NULL, CHECK(a > 0)); CREATE INDEX tb ON t(b, c); CREATE UNIQUE INDEX td ON t(a DESC, b);"
    "CREATE INDEX te ON t(length(b)) WHERE a % 2; CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID; CREATE TABLE gone(x);"
    "WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 220) INSERT INTO t SELECT x * 3, hex(zeroblob(x % 30)) || x,"
    " zeroblob(CASE WHEN x % 23 THEN x % 40 ELSE 1300 END) FROM n;"
    "INSERT INTO w SELECT 'key ' || a || hex(zeroblob(a % 17)), b FROM t WHERE a % 2; INSERT INTO gone SELECT c FROM t;"
    "DELETE FROM t WHERE a % 7 = 1 OR a BETWEEN 300 AND 360; DROP TABLE gone";

static const char *const questions[] = {
    "SELECT quote(a) || quote(b) || quote(c) FROM t NOT INDEXED",
    "SELECT quote(b) || quote(a) FROM t INDEXED BY tb ORDER BY b, c",
    "SELECT quote(a) FROM t INDEXED BY td WHERE a > 100 ORDER BY a DESC",
    "SELECT quote(k) || quote(v) FROM w ORDER BY k",
    "SELECT count(*) FROM t WHERE a BETWEEN 100 AND 200",
    "SELECT quote(v) FROM w WHERE k = 'key 99' OR k LIKE 'key 1%'",
};

struct answer {
    char *text;
    size_t size, capacity;
    int code; // primary
    char error[1000];
};

static void answer_add(struct answer *a, const char *text)
{
    size_t size = strlen(text) + 1;
    if (a->size + size + 1 > a->capacity) a->text = realloc(a->text, a->capacity = (a->size + size) * 2 + 100);
    memcpy(a->text + a->size, text, size);
    a->size += size;
    a->text[a->size - 1] = '\n';
    a->text[a->size] = 0;
}

static void answer_free(struct answer *a)
{
    free(a->text);
    *a = (struct answer){0};
}

static int sqlite_row(void *context, int count, char **values, char **names)
{
    answer_add(context, values[0] ? values[0] : "NULL");
    return 0;
}

static struct answer sqlite_ask(sqlite3 *db, const char *sql)
{
    struct answer a = {0};
    char *error = NULL;
    a.code = sqlite3_exec(db, sql, sqlite_row, &a, &error);
    if (error) snprintf(a.error, sizeof a.error, "%s", error);
    sqlite3_free(error);
    return a;
}

static int skerry_row(void *context, struct skerry_stmt *s)
{
    const char *text = skerry_column_text(s, 0, NULL);
    answer_add(context, text ? text : "NULL");
    return 0;
}

static struct answer skerry_ask(struct skerry *db, const char *sql)
{
    struct answer a = {0};
    if (skerry_exec(db, sql, skerry_row, &a) == SKERRY_OK) return a;
    a.code = err_primary(skerry_error(db)->code);
    snprintf(a.error, sizeof a.error, "%s", skerry_error(db)->text);
    return a;
}

// ---- files ---------------------------------------------------------------------------------------------------------

struct bytes {
    u8 *data;
    size_t size;
};

static struct bytes load(const char *path)
{
    struct bytes b = {0};
    FILE *f = fopen(path, "rb");
    if (!f) return b;
    fseek(f, 0, SEEK_END);
    b.size = (size_t)ftell(f);
    rewind(f);
    b.data = malloc(b.size + 1);
    b.size = fread(b.data, 1, b.size, f);
    fclose(f);
    return b;
}

static void save(const char *path, const char *suffix, const struct bytes *b)
{
    char full[700];
    snprintf(full, sizeof full, "%s%s", path, suffix);
    unlink(full);
    if (!b->data) return;
    FILE *f = fopen(full, "wb");
    fwrite(b->data, 1, b->size, f);
    fclose(f);
}

static void make(const struct kind *k, const char *path, struct bytes *file, struct bytes *log)
{
    sqlite3 *db;
    char wal[700];
    snprintf(wal, sizeof wal, "%s-wal", path);
    sqlite3_open(path, &db);
    sqlite3_exec(db, k->pragmas, NULL, NULL, NULL);
    if (sqlite3_exec(db, FILLING, NULL, NULL, NULL) != SQLITE_OK) test_fail(__FILE__, __LINE__, "%s", sqlite3_errmsg(db));
    if (k->log) {
        sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL);
        for (u32 i = 0; i < 12; i++)
            sqlite3_exec(db, "UPDATE t SET b = b || 'x' WHERE a % 5 = 0; DELETE FROM w WHERE rowid IN (SELECT 1); INSERT INTO t(b, c) SELECT b, c FROM t LIMIT 9", NULL, NULL, NULL);
    }
    *file = load(path);
    *log = load(wal);
    sqlite3_close(db);
}

// One to three places, more often where they matter.
static void damage(struct bytes *b, u64 *random, u32 page_size, bool schema, char *what, size_t room)
{
    u32 places = 1 + (u32)(test_random(random) % 3);
    size_t used = 0;
    *what = 0;
    for (u32 i = 0; i < places; i++) {
        u64 at = test_random(random) % b->size;
        if (test_random(random) % 3 == 0) at = at / page_size * page_size + test_random(random) % 24; // a page's header
        if (at < 100 && test_random(random) % 8) at += 100;
        if (schema) at = page_size / 2 + at % (page_size / 2);
        if (at >= b->size) at = b->size - 1;
        u8 old = b->data[at];
        const u8 choices[] = {(u8)(old ^ 1u << test_random(random) % 8), 0, 255, (u8)(old + 1), (u8)(old - 1), (u8)test_random(random)};
        b->data[at] = choices[test_random(random) % COUNT_OF(choices)];
        used += (size_t)snprintf(what + used, room - used, "%llu: %u to %u; ", (unsigned long long)at, old, b->data[at]);
    }
}

// ---- comparing -----------------------------------------------------------------------------------------------------

struct counts {
    u32 sound, unsound, errors, lenient;
};

static bool is_ok(const struct answer *a)
{
    return a->code == 0 && a->size == 3 && memcmp(a->text, "ok\n", 3) == 0;
}

// Releases before 3.50 count the entries of partial indexes too, but only in integrity_check, and of others not in quick_check.
static bool is_count_of_release(const struct answer *a)
{
    return sqlite3_libversion_number() < 3050000 && a->code == 0 && strcmp(a->text ? a->text : "", "wrong # of entries in index te\n") == 0;
}

static void verdict_compare(const struct kind *k, const char *what, const char *sql, const struct answer *ours, const struct answer *theirs)
{
    if (is_ok(ours) == is_ok(theirs) || is_count_of_release(ours) || is_count_of_release(theirs)) return;
    test_fail(__FILE__, __LINE__, "%s, %s%s: we say %.200s%s, SQLite %.200s%s", k->name, what, sql, ours->text ? ours->text : "", ours->error,
              theirs->text ? theirs->text : "", theirs->error);
}

static void rows_compare(const struct kind *k, const char *what, const char *sql, const struct answer *ours, const struct answer *theirs, bool sound, struct counts *n)
{
    if (theirs->code == 0 && sound) {
        const char *a = ours->text ? ours->text : "", *b = theirs->text ? theirs->text : "";
        if (ours->code || strcmp(a, b) != 0)
            test_fail(__FILE__, __LINE__, "%s, %s%s: SQLite reads it, we %s (%zu and %zu bytes)", k->name, what, sql, ours->code ? ours->error : "read other rows",
                      ours->size, theirs->size);
        return;
    }
    if (ours->code == 0) {
        n->lenient += theirs->code != 0;
        return;
    }
    n->errors++;
    bool corrupt = ours->code == 11 || ours->code == 26 || ours->code == theirs->code;
    if (!corrupt || (ours->code == 11 && strlen(ours->error) < 20))
        test_fail(__FILE__, __LINE__, "%s, %s%s: our error is %d, %s; SQLite's %d, %s", k->name, what, sql, ours->code, ours->error, theirs->code, theirs->error);
}

static void copies_compare(struct skerry_engine *engine, const struct kind *k, const char *what, const char *our_path, const char *their_path, struct counts *n)
{
    sqlite3 *db;
    struct skerry *mine = NULL;
    struct err err = ERR_CLEAR;
    sqlite3_open(their_path, &db);
    if (!skerry_open(engine, our_path, SKERRY_OPEN_CREATE, &mine, &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
    bool sound = false;
    static const char *const checks[] = {"PRAGMA integrity_check", "PRAGMA quick_check"};
    for (u32 i = 0; i < COUNT_OF(checks); i++) {
        struct answer theirs = sqlite_ask(db, checks[i]), ours = skerry_ask(mine, checks[i]);
        verdict_compare(k, what, checks[i], &ours, &theirs);
        if (i == 0) *(is_ok(&theirs) ? &n->sound : &n->unsound) += 1;
        if (i == 0) sound = is_ok(&theirs);
        answer_free(&ours);
        answer_free(&theirs);
    }
    for (u32 i = 0; i < COUNT_OF(questions); i++) {
        struct answer theirs = sqlite_ask(db, questions[i]), ours = skerry_ask(mine, questions[i]);
        rows_compare(k, what, questions[i], &ours, &theirs, sound, n);
        answer_free(&ours);
        answer_free(&theirs);
    }
    sqlite3_close(db);
    while (skerry_close(mine, &err) == SKERRY_WAIT) io_step(skerry_engine_io(engine), UINT64_MAX);
}

TEST(damaged_files_are_judged_and_read_as_sqlite_does)
{
    u32 damages = getenv("DAMAGES") ? (u32)atoi(getenv("DAMAGES")) : 60;
    u64 random = test_seed();
    struct skerry_engine *engine;
    struct err err = ERR_CLEAR;
    REQUIRE(skerry_engine_create(&(struct skerry_engine_options){.backend = IO_BACKEND_POSIX}, &engine, &err));
    char ours[600], theirs[600], what[300];
    snprintf(ours, sizeof ours, "%s/ours.db", test_dir());
    snprintf(theirs, sizeof theirs, "%s/theirs.db", test_dir());
    struct counts n = {0};
    for (u32 i = 0; i < COUNT_OF(kinds); i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%u.db", test_dir(), i);
        struct bytes file, log;
        make(&kinds[i], path, &file, &log);
        for (u32 round = 0; round < damages; round++) {
            struct bytes *target = kinds[i].log ? &log : &file, copy = {malloc(target->size + 1), target->size};
            memcpy(copy.data, target->data, target->size);
            u32 page_size = (u32)file.data[16] << 8 | file.data[17];
            damage(&copy, &random, page_size, kinds[i].schema, what, sizeof what);
            const char *const places[] = {ours, theirs};
            for (u32 p = 0; p < 2; p++) {
                save(places[p], "", kinds[i].log ? &file : &copy);
                save(places[p], "-wal", kinds[i].log ? &copy : &(struct bytes){0});
                save(places[p], "-shm", &(struct bytes){0});
                save(places[p], "-journal", &(struct bytes){0});
            }
            copies_compare(engine, &kinds[i], what, ours, theirs, &n);
            free(copy.data);
        }
        free(file.data);
        free(log.data);
    }
    skerry_engine_destroy(engine);
    if (getenv("DAMAGES")) printf("  sound %u, unsound %u, errors of both %u, of SQLite alone %u\n", n.sound, n.unsound, n.errors, n.lenient);
    CHECK(n.unsound > damages && n.sound > damages / 2 && n.errors > damages / 2);
}

// Two bits of the header's text encoding count.
TEST(the_encoding_is_two_bits)
{
    struct skerry_engine *engine;
    struct err err = ERR_CLEAR;
    REQUIRE(skerry_engine_create(&(struct skerry_engine_options){.backend = IO_BACKEND_POSIX}, &engine, &err));
    static const u8 fields[][4] = {{0, 0, 0, 1}, {0, 0, 64, 1}, {255, 0, 0, 5}, {1, 2, 3, 9}, {0, 0, 0, 0}};
    for (u32 i = 0; i < COUNT_OF(fields); i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/encoding%u.db", test_dir(), i);
        sqlite3 *db;
        struct skerry *mine = NULL;
        sqlite3_open(path, &db);
        REQUIRE(sqlite3_exec(db, "CREATE TABLE t(a, b); INSERT INTO t VALUES('Käse', 'x')", NULL, NULL, NULL) == SQLITE_OK);
        sqlite3_close(db);
        struct bytes file = load(path);
        REQUIRE(file.size > 60);
        memcpy(file.data + 56, fields[i], 4);
        save(path, "", &file);
        save(path, "-ours", &file);
        free(file.data);
        sqlite3_open(path, &db);
        snprintf(path, sizeof path, "%s/encoding%u.db-ours", test_dir(), i);
        REQUIRE(skerry_open(engine, path, 0, &mine, &err));
        static const char *const asked[] = {"PRAGMA encoding", "SELECT hex(a) || length(a) || b FROM t", "VACUUM", "SELECT hex(a) || length(a) || b FROM t"};
        for (u32 k = 0; k < COUNT_OF(asked); k++) {
            struct answer theirs = sqlite_ask(db, asked[k]), ours = skerry_ask(mine, asked[k]);
            CHECK_EQ(ours.code, theirs.code);
            CHECK(strcmp(ours.text ? ours.text : "", theirs.text ? theirs.text : "") == 0);
            answer_free(&ours);
            answer_free(&theirs);
        }
        sqlite3_close(db);
        while (skerry_close(mine, &err) == SKERRY_WAIT) io_step(skerry_engine_io(engine), UINT64_MAX);
    }
    skerry_engine_destroy(engine);
}

// What the schema names twice, and two indexes on one page, is told as the schema is read.
TEST(a_schema_that_has_something_twice_or_of_another_type_is_malformed)
{
    static const char schema[] =
        "CREATE TABLE t(a UNIQUE, b UNIQUE); CREATE INDEX i ON t(a, b); CREATE VIEW v AS SELECT 1; CREATE TABLE u(x); CREATE INDEX j ON u(x);"
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END; PRAGMA writable_schema = 1";
#define AGAIN(name) "INSERT INTO sqlite_schema SELECT * FROM sqlite_schema WHERE name = '" name "'"
    static const char *const damages[] = {
        AGAIN("t"),
        AGAIN("i"),
        AGAIN("v"),
        AGAIN("r"),
        AGAIN("sqlite_autoindex_t_1"),
        "INSERT INTO sqlite_schema VALUES('view', 't', 't', 0, 'CREATE VIEW t AS SELECT 1')",
        "INSERT INTO sqlite_schema VALUES('table', 'V', 'V', 2, 'CREATE TABLE V(a)')",
        "INSERT INTO sqlite_schema VALUES('table', 'i', 'i', 2, 'CREATE TABLE i(a)')",
        "INSERT INTO sqlite_schema VALUES('index', 'J', 't', 3, 'CREATE INDEX J ON t(a)')",
        "INSERT INTO sqlite_schema VALUES('trigger', 'u', 't', 0, 'CREATE TRIGGER u AFTER DELETE ON t BEGIN SELECT 1; END')",
        "UPDATE sqlite_schema SET rootpage = 4 WHERE name = 'i'",
        "UPDATE sqlite_schema SET rootpage = 3 WHERE name LIKE 'sqlite_autoindex%'",
        "UPDATE sqlite_schema SET type = 'tablf' WHERE name = 't'",
        "UPDATE sqlite_schema SET type = 'taBle' WHERE name = 't'",
        "UPDATE sqlite_schema SET type = 'Index' WHERE name = 'i'",
        "UPDATE sqlite_schema SET type = 'VIEW' WHERE name = 'v'",
        "UPDATE sqlite_schema SET type = 'table' WHERE name = 'v'",
        "UPDATE sqlite_schema SET type = 'trigGer' WHERE name = 'r'",
        "UPDATE sqlite_schema SET type = 'index' WHERE name = 'r'",
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON nowhere(a, b)' WHERE name = 'i'",
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON u(x)' WHERE name = 'i'",
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX i2 ON t(a, b)' WHERE name = 'i'",
        "UPDATE sqlite_schema SET tbl_name = 'u' WHERE name = 'i'",
        "UPDATE sqlite_schema SET tbl_name = 'nowhere' WHERE name = 'i'",
        "UPDATE sqlite_schema SET tbl_name = 'T' WHERE name IN ('i', 'r')",
        "UPDATE sqlite_schema SET tbl_name = 'nowhere' WHERE name LIKE 'sqlite_autoindex%'",
        "UPDATE sqlite_schema SET tbl_name = 'nowhere', sql = 'CREATE INDEX i ON gone(a)' WHERE name = 'i'",
        "UPDATE sqlite_schema SET sql = 'CREATE TRIGGER r AFTER INSERT ON nowhere BEGIN SELECT 1; END' WHERE name = 'r'",
        "UPDATE sqlite_schema SET sql = 'CREATE TRIGGER r AFTER INSERT ON u BEGIN SELECT 1; END' WHERE name = 'r'",
        "UPDATE sqlite_schema SET sql = 'CREATE TRIGGER r2 AFTER INSERT ON t BEGIN SELECT 1; END' WHERE name = 'r'",
        "UPDATE sqlite_schema SET tbl_name = 'u' WHERE name = 'r'",
        "UPDATE sqlite_schema SET tbl_name = 'nowhere' WHERE name = 'r'",
        "UPDATE sqlite_schema SET tbl_name = 'nowhere', sql = NULL WHERE name = 'r'",
        "UPDATE sqlite_schema SET sql = NULL WHERE name = 'r'",
        "UPDATE sqlite_schema SET rowid = -1 WHERE name = 'i'",
        "UPDATE sqlite_schema SET rowid = -1 WHERE name = 'r'",
        "UPDATE sqlite_schema SET sql = '' WHERE name = 'r'",
        "UPDATE sqlite_schema SET sql = NULL WHERE name = 't'",
        "UPDATE sqlite_schema SET sql = '' WHERE name = 'v'",
        "UPDATE sqlite_schema SET sql = 'create' WHERE name = 'v'",
        "UPDATE sqlite_schema SET sql = NULL WHERE name = 'i'",
        "UPDATE sqlite_schema SET tbl_name = 'u' WHERE name LIKE 'sqlite_autoindex%'",
        "UPDATE sqlite_schema SET name = 'sqlite_autoindex_t_3' WHERE name = 'sqlite_autoindex_t_1'",
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX sqlite_autoindex_t_1 ON t(a)' WHERE name = 'sqlite_autoindex_t_1'",
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE t2(a UNIQUE, b UNIQUE)' WHERE name = 't'",
        "UPDATE sqlite_schema SET tbl_name = 'u' WHERE name = 't'",
    };
#undef AGAIN
    struct skerry_engine *engine;
    struct err err = ERR_CLEAR;
    REQUIRE(skerry_engine_create(&(struct skerry_engine_options){.backend = IO_BACKEND_POSIX}, &engine, &err));
    u32 sound = 0;
    for (u32 i = 0; i < COUNT_OF(damages); i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/twice%u.db", test_dir(), i);
        sqlite3 *db;
        struct skerry *mine = NULL;
        sqlite3_open(path, &db);
        REQUIRE(sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK && sqlite3_exec(db, damages[i], NULL, NULL, NULL) == SQLITE_OK);
        sqlite3_close(db);
        sqlite3_open(path, &db);
        struct answer theirs = sqlite_ask(db, "SELECT a FROM t");
        sqlite3_close(db);
        REQUIRE(skerry_open(engine, path, 0, &mine, &err));
        struct answer ours = skerry_ask(mine, "SELECT a FROM t");
        if (ours.code != theirs.code || strcmp(ours.error, theirs.error) != 0)
            test_fail(__FILE__, __LINE__, "%s: we say %d %s, SQLite %d %s", damages[i], ours.code, ours.error, theirs.code, theirs.error);
        sound += theirs.code == SQLITE_OK;
        struct answer vacuum = theirs.code ? skerry_ask(mine, "VACUUM") : (struct answer){0}; // is refused as well
        CHECK_EQ(vacuum.code, theirs.code);
        answer_free(&vacuum);
        answer_free(&ours);
        answer_free(&theirs);
        while (skerry_close(mine, &err) == SKERRY_WAIT) io_step(skerry_engine_io(engine), UINT64_MAX);
    }
    CHECK_EQ(sound, 9); // constraints' indexes, the trigger that has a table's name, and other names of types and tables where case does not matter
    skerry_engine_destroy(engine);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
