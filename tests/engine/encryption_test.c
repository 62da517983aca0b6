// Goal: encrypted databases and page checksums. Nothing of the contents can be read in an encrypted file or its log;
// only its key opens it, and a wrong one changes nothing; whatever bytes of it are changed, exchanged or cut off, an
// error names the page or the database is as it was, and never is a row given that is not the database's. The format is
// the one that engine/store/codec.h and key_slot.h describe.
// Method: databases made through SQL with each page size; files looked through for the text in them; pages taken apart
// here once more by the description alone; files with bytes changed by seed. For checksums, libsqlite3 reads the files
// and writes ones of the same kind.
#include "engine/store/store.h"
#include "engine/vm/spill.h"
#include "tests/test.h"

#include <sodium.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine_driver.h"

#define HEADER   8192u // of an encrypted file, before page 1
#define RESERVED 40u
#define SECRET   "the quick brown fox jumps over the lazy dog"

static const struct store_key *key_previous;

static const struct store_key KEY_A = {.kind = STORE_KEY_BYTES, .bytes = {1, 2, 3}};
static const struct store_key KEY_B = {.kind = STORE_KEY_BYTES, .bytes = {1, 2, 4}};
static const struct store_key WORDS = {.kind = STORE_KEY_PASSPHRASE, .passphrase = "correct horse"};
static const struct store_key OTHER_WORDS = {.kind = STORE_KEY_PASSPHRASE, .passphrase = "correct horsf"};

static char *path_of(const char *name)
{
    static char paths[8][600];
    static u32 next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", test_dir(), name);
    return path;
}

static void engine_make(const struct store_key *key, bool checksums)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options options = {
        .backend = IO_BACKEND_POSIX, .cache_bytes = 1 << 18, .key = key, .key_previous = key_previous, .checksums = checksums};
    if (!skerry_engine_create(&options, &engine, &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
}

static const char *sql(struct skerry *db, const char *text)
{
    out[0] = 0;
    if (skerry_exec(db, text, row_append, NULL) != SKERRY_OK) {
        size_t at = strlen(out);
        snprintf(out + at, sizeof out - at, "error %d: %s", skerry_errcode(db), skerry_error(db)->text);
    }
    return out;
}

// Opens, runs, closes.
static const char *ask(const struct store_key *key, const char *path, const char *text)
{
    engine_make(key, false);
    struct skerry *db = open_at(path);
    sql(db, text);
    shut(db);
    skerry_engine_destroy(engine);
    return out;
}

static u8 *file_load(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    *size = 0;
    if (!f) return NULL;
    struct stat st;
    fstat(fileno(f), &st);
    u8 *bytes = malloc((size_t)st.st_size + 1);
    *size = fread(bytes, 1, (size_t)st.st_size, f);
    fclose(f);
    return bytes;
}

static void file_save(const char *path, const u8 *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    fwrite(bytes, 1, size, f);
    fclose(f);
}

static void file_copy(const char *from, const char *to)
{
    size_t size;
    u8 *bytes = file_load(from, &size);
    if (bytes)
        file_save(to, bytes, size);
    else
        unlink(to);
    free(bytes);
}

static bool file_has(const char *path, const char *text)
{
    size_t size;
    u8 *bytes = file_load(path, &size);
    bool has = bytes && memmem(bytes, size, text, strlen(text));
    free(bytes);
    return has;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void make(const struct store_key *key, const char *path, u32 page_size)
{
    char text[600];
    snprintf(text, sizeof text,
             "PRAGMA page_size=%u; CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE INDEX tb ON t(b);"
             "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
             "INSERT INTO t SELECT i, '" SECRET "' || i FROM n;"
             "INSERT INTO t VALUES(1000, printf('%%.*c', 20000, 'x'))", page_size);
    CHECK_STR(ask(key, path, text), "");
}

static const char COUNTS[] = "SELECT count(*) || '/' || sum(length(b)) FROM t";
static const char COUNTS_WANTED[] = "301/33692 ";

static u32 be32(const u8 *p)
{
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

// ---- encrypted -------------------------------------------------------------------------------------------------

TEST(encrypted_databases_open_with_their_key_alone)
{
    static const u32 page_sizes[] = {1024, 2048, 4096, 8192, 32768, 65536};
    for (u32 i = 0; i < COUNT_OF(page_sizes); i++) {
        bool words = i == 2;
        const struct store_key *key = words ? &WORDS : &KEY_A, *other = words ? &OTHER_WORDS : &KEY_B;
        char name[20];
        snprintf(name, sizeof name, "%u.db", page_sizes[i]);
        char *path = path_of(name);
        make(key, path, page_sizes[i]);
        size_t size, size_after;
        u8 *before = file_load(path, &size);
        CHECK(!file_has(path, "quick") && !file_has(path, "CREATE") && !file_has(path, "SQLite") && !file_has(path, "xxxxxx"));
        char want[800];
        snprintf(want, sizeof want, "error 26: %s is encrypted with another %s", path, words ? "passphrase" : "key");
        CHECK_STR(ask(other, path, COUNTS), want);
        snprintf(want, sizeof want, "error 26: %s is encrypted: give its %s", path, words ? "passphrase" : "key");
        CHECK_STR(ask(NULL, path, COUNTS), want);
        CHECK(starts(ask(words ? &KEY_A : &WORDS, path, "DELETE FROM t"), "error 26"));
        u8 *after = file_load(path, &size_after);
        CHECK(size == size_after && memcmp(before, after, size) == 0);
        CHECK_STR(ask(key, path, COUNTS), COUNTS_WANTED);
        CHECK_STR(ask(key, path, "PRAGMA integrity_check"), "ok ");
        free(before);
        free(after);
        sqlite3 *db;
        sqlite3_open(path, &db);
        CHECK_EQ(sqlite3_exec(db, "SELECT * FROM sqlite_schema", NULL, NULL, NULL), SQLITE_NOTADB);
        sqlite3_close(db);
    }
    char *small = path_of("small.db");
    CHECK_STR(ask(&KEY_A, small, "PRAGMA page_size=512; CREATE TABLE t(a)"),
              "error 1: pages of an encrypted database have at least 1024 bytes");
    char *plain = path_of("plain.db");
    make(NULL, plain, 4096);
    CHECK(starts(ask(&KEY_A, plain, COUNTS), "error 26: "));
    CHECK_STR(ask(NULL, plain, COUNTS), COUNTS_WANTED);
}

// By the description in key_slot.h and codec.h alone.
TEST(encrypted_pages_are_as_described)
{
    char *path = path_of("a.db");
    make(&KEY_A, path, 4096);
    size_t size;
    u8 *file = file_load(path, &size), keys[64], sum[32], *pages = malloc(size);
    const u8 *slot = be32(file + 16) > be32(file + HEADER / 2 + 16) ? file : file + HEADER / 2;
    CHECK(memcmp(slot, "Skerry sealed 1", 16) == 0);
    CHECK_EQ(be32(slot + 20), 4096);
    crypto_generichash(sum, 32, slot, 480, NULL, 0);
    CHECK(memcmp(sum, slot + 480, 32) == 0);
    CHECK_EQ(crypto_aead_xchacha20poly1305_ietf_decrypt(keys, NULL, NULL, slot + 112, 80, slot, 88, slot + 88, KEY_A.bytes), 0);
    CHECK_EQ((size - HEADER) % 4096, 0);
    u32 count = (u32)((size - HEADER) / 4096);
    for (u32 no = 1; no <= count; no++) {
        const u8 *page = file + HEADER + (no - 1) * 4096u, *tail = page + 4096 - RESERVED;
        u8 associated[20];
        memcpy(associated, slot + 24, 16);
        associated[16] = (u8)(no >> 24), associated[17] = (u8)(no >> 16), associated[18] = (u8)(no >> 8), associated[19] = (u8)no;
        CHECK_EQ(be32(tail), be32(slot + 40));
        CHECK_EQ(crypto_aead_xchacha20poly1305_ietf_decrypt_detached(pages + (no - 1) * 4096u, NULL, page, 4096 - RESERVED, tail + 24,
                                                                     associated, 20, tail, keys), 0);
        memset(pages + no * 4096u - RESERVED, 0, RESERVED);
    }
    char *plain = path_of("plain.db"); // its pages, as they are inside, are SQLite's
    pages[18] = pages[19] = 1;
    file_save(plain, pages, count * 4096u);
    sqlite3 *db;
    sqlite3_stmt *s;
    sqlite3_open(plain, &db);
    sqlite3_prepare_v2(db, COUNTS, -1, &s, NULL);
    CHECK_EQ(sqlite3_step(s), SQLITE_ROW);
    CHECK_STR((const char *)sqlite3_column_text(s, 0), "301/33692");
    sqlite3_finalize(s);
    sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL);
    sqlite3_step(s);
    CHECK_STR((const char *)sqlite3_column_text(s, 0), "ok");
    sqlite3_finalize(s);
    sqlite3_close(db);
    free(file);
    free(pages);
}

// A log that was left behind is recovered, from a file that a checkpoint has or has not seen; it shows nothing.
TEST(encrypted_logs_are_recovered)
{
    char *path = path_of("a.db"), *copy = path_of("b.db"), *wal = path_of("a.db-wal"), *copy_wal = path_of("b.db-wal");
    for (u32 round = 0; round < 3; round++) {
        unlink(path);
        unlink(wal);
        make(&WORDS, path, 1024);
        engine_make(&WORDS, false);
        struct skerry *db = open_at(path);
        CHECK_STR(sql(db, "UPDATE t SET b = b || '" SECRET "'; INSERT INTO t VALUES(2000, 'y')"), "");
        if (round == 1) sql(db, "PRAGMA wal_checkpoint(FULL)");
        CHECK_STR(sql(db, "DELETE FROM t WHERE a < 100"), "");
        if (round == 2) sql(db, "PRAGMA wal_checkpoint(RESTART); INSERT INTO t VALUES(3000, '')");
        char *want = strdup(sql(db, COUNTS));
        file_copy(path, copy);
        file_copy(wal, copy_wal);
        CHECK(!file_has(wal, "quick") && !file_has(wal, "CREATE"));
        shut(db);
        skerry_engine_destroy(engine);
        CHECK(starts(ask(&OTHER_WORDS, copy, COUNTS), "error 26"));
        CHECK_STR(ask(&WORDS, copy, COUNTS), want);
        CHECK_STR(ask(&WORDS, copy, "PRAGMA integrity_check"), "ok ");
        free(want);
    }
}

// A page says "corrupt" with its number and offset when a byte of it is another, when it is another page's, and when
// it is another database's; a byte of a slot that counts says so too.
TEST(encrypted_pages_cannot_be_changed_or_exchanged)
{
    char *path = path_of("a.db"), *copy = path_of("copy.db"), want[900];
    make(&KEY_A, path, 4096);
    size_t size;
    u8 *file = file_load(path, &size), *changed = malloc(size);
    u32 count = (u32)((size - HEADER) / 4096);
    u64 random = test_seed();
    for (u32 round = 0; round < 200; round++) {
        u32 no = 2 + (u32)(test_random(&random) % (count - 1)), other = 2 + (u32)(test_random(&random) % (count - 1));
        u8 *page = changed + HEADER + (no - 1) * 4096u;
        memcpy(changed, file, size);
        if (round % 4 == 0 && other != no)
            memcpy(page, file + HEADER + (other - 1) * 4096u, 4096);
        else
            page[round % 4 == 1 ? 4096 - 1 - test_random(&random) % RESERVED : test_random(&random) % 4096] ^= (u8)(1u << test_random(&random) % 8);
        file_save(copy, changed, size);
        snprintf(want, sizeof want, "error 11: database disk image is malformed: page %u of %s at offset %u is not what was sealed there",
                 no, copy, HEADER + (no - 1) * 4096);
        // Every page is in use: reading all of it meets the changed one.
        const char *got = ask(&KEY_A, copy, "SELECT sum(length(b)) FROM t NOT INDEXED; SELECT sum(length(b)) FROM t INDEXED BY tb");
        const char *error = strstr(got, "error");
        if (!error || strcmp(error, want) != 0) test_fail(__FILE__, __LINE__, "round %u: %s; want %s", round, got, want);
    }
    memcpy(changed, file, size);
    changed[HEADER + 200] ^= 1;
    file_save(copy, changed, size);
    CHECK(starts(ask(&KEY_A, copy, COUNTS), "error 11: database disk image is malformed: page 1 of "));
    // Another database with the same key.
    char *second = path_of("second.db");
    make(&KEY_A, second, 4096);
    size_t size_second;
    u8 *file_second = file_load(second, &size_second);
    CHECK_EQ(size, size_second);
    memcpy(changed, file, size);
    memcpy(changed + HEADER + 4096, file_second + HEADER + 4096, 4096);
    file_save(copy, changed, size);
    CHECK(strstr(ask(&KEY_A, copy, "SELECT sum(length(b)) FROM t NOT INDEXED; SELECT sum(length(b)) FROM t INDEXED BY tb"), "page 2 of") != NULL);
    // The slots: one that is damaged leaves the other, which may say that nothing was committed yet, and both no way in.
    for (u32 round = 0; round < 60; round++) {
        memcpy(changed, file, size);
        for (u32 i = 0; i < 2; i++) changed[i * HEADER / 2 + 16 + test_random(&random) % 496] ^= (u8)(1u << test_random(&random) % 8);
        file_save(copy, changed, size);
        if (!starts(ask(&KEY_A, copy, COUNTS), "error 11: database disk image is malformed: the key slots of "))
            test_fail(__FILE__, __LINE__, "round %u: %s", round, out);
    }
    free(file);
    free(file_second);
    free(changed);
}

TEST(databases_are_attached_and_copied_with_keys)
{
    char *plain = path_of("plain.db"), *sealed = path_of("sealed.db"), *again = path_of("again.db"), *back = path_of("back.db"),
         *small = path_of("small.db"), text[2000];
    make(NULL, plain, 512);
    engine_make(NULL, false);
    struct skerry *db = open_at(plain);
    snprintf(text, sizeof text, "VACUUM INTO 'file:%s?key=correct%%20horse'", sealed);
    CHECK_STR(sql(db, text), "error 1: pages of an encrypted database have at least 1024 bytes");
    snprintf(text, sizeof text, "PRAGMA page_size=2048; VACUUM INTO 'file:%s?key=correct%%20horse'", sealed);
    CHECK_STR(sql(db, text), "");
    snprintf(text, sizeof text, "ATTACH '%s' AS s KEY 'correct horse'; SELECT count(*) FROM s.t; PRAGMA s.integrity_check; DETACH s", sealed);
    CHECK_STR(sql(db, text), "301 ok ");
    snprintf(text, sizeof text, "ATTACH '%s' AS s KEY 'correct horsf'", sealed);
    CHECK(starts(sql(db, text), "error 26"));
    snprintf(text, sizeof text, "ATTACH 'file:%s?key=correct%%20horse' AS s; ATTACH '%s' AS other KEY 'wrong'", sealed, sealed);
    CHECK(strstr(sql(db, text), "is open with another key") != NULL);
    snprintf(text, sizeof text, "VACUUM s INTO '%s'", again); // as it is
    CHECK_STR(sql(db, text), "");
    snprintf(text, sizeof text, "VACUUM s INTO 'file:%s?key='", back); // not encrypted
    CHECK_STR(sql(db, text), "");
    snprintf(text, sizeof text, "VACUUM s INTO 'file:%s?hexkey=%064d'", small, 7);
    CHECK_STR(sql(db, text), "");
    snprintf(text, sizeof text, "VACUUM s INTO 'file:%s?hexkey=%063d'", small, 7);
    CHECK(strstr(sql(db, text), "64 hexadecimal digits") != NULL);
    shut(db);
    skerry_engine_destroy(engine);
    CHECK_STR(ask(&WORDS, again, COUNTS), COUNTS_WANTED);
    CHECK_STR(ask(NULL, back, COUNTS), COUNTS_WANTED);
    CHECK(!file_has(again, "quick") && file_has(back, "quick"));
    struct store_key seven = {.kind = STORE_KEY_BYTES, .bytes = {[31] = 7}};
    CHECK_STR(ask(&seven, small, COUNTS), COUNTS_WANTED);
    sqlite3 *check;
    sqlite3_open(back, &check);
    CHECK_EQ(sqlite3_exec(check, "PRAGMA integrity_check; INSERT INTO t VALUES(5000, 5)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(check);
    CHECK_STR(ask(&WORDS, sealed, "VACUUM; PRAGMA integrity_check; DROP INDEX tb; SELECT count(*) FROM t"), "ok 301 ");
}

// ---- another key -----------------------------------------------------------------------------------------------

// Numbers of data keys that pages of the file, and its slots, name.
static u32 generations(const char *path, bool *in_slots)
{
    size_t size;
    u8 *file = file_load(path, &size);
    u32 page_size = be32(file + 20), seen = 0;
    for (size_t at = HEADER; at + page_size <= size; at += page_size) seen |= 1u << be32(file + at + page_size - RESERVED);
    *in_slots = be32(file + 44) || be32(file + HEADER / 2 + 44);
    free(file);
    return seen;
}

static const char *left(struct skerry *db)
{
    return sql(db, "PRAGMA rekey");
}

// What a process leaves that is killed now is there whole for the key that counts, and its next life ends the rest.
static void image_check(const char *path, const struct store_key *key, const struct store_key *other, const char *want)
{
    char copy[700], copy_wal[710], wal[710];
    snprintf(copy, sizeof copy, "%s/image.db", test_dir());
    snprintf(copy_wal, sizeof copy_wal, "%s-wal", copy);
    snprintf(wal, sizeof wal, "%s-wal", path);
    file_copy(path, copy);
    file_copy(wal, copy_wal);
    CHECK(starts(ask(other, copy, COUNTS), "error 26"));
    CHECK_STR(ask(key, copy, COUNTS), want);
    CHECK_STR(ask(key, copy, "PRAGMA integrity_check"), "ok ");
    bool slots;
    engine_make(key, false);
    struct skerry *db = open_at(copy);
    sql(db, "SELECT 1 FROM t");
    for (u32 i = 0; strcmp(left(db), "0 ") != 0; i++) {
        REQUIRE(i < 20000);
        io_step(skerry_engine_io(engine), 10000000);
    }
    shut(db);
    skerry_engine_destroy(engine);
    CHECK(generations(copy, &slots) == 1u << 2 && !slots);
    CHECK_STR(ask(key, copy, COUNTS), want);
}

TEST(keys_are_replaced_while_the_database_is_in_use)
{
    char *path = path_of("a.db"), want[40], text[200];
    for (u32 round = 0; round < 3; round++) {
        bool words = round == 1;
        const struct store_key *from = words ? &WORDS : &KEY_A, *to = words ? &OTHER_WORDS : &KEY_B;
        unlink(path);
        engine_make(from, false);
        struct skerry *db = open_at(path), *other = open_at(path), *reader = open_at(path);
        CHECK_STR(sql(db, "PRAGMA page_size=1024; CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE INDEX tb ON t(b);"
                          "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)"
                          "INSERT INTO t SELECT i, '" SECRET "' || i FROM n"), "");
        // Free pages, and most of the pages of the shorter rounds.
        CHECK_STR(sql(db, round ? "DELETE FROM t WHERE a > 2000; VACUUM; DELETE FROM t WHERE a < 1002" : "DELETE FROM t WHERE a < 1002"), "");
        u32 rows = round ? 999 : 10999;
        const u32 first_rows = rows;
        snprintf(want, sizeof want, "%u ", rows);
        CHECK_STR(sql(reader, "BEGIN; SELECT count(*) FROM t"), want);
        CHECK_STR(sql(other, "PRAGMA busy_timeout=30000; SELECT count(*) FROM t"), strcat(strcpy(text, "30000 "), want)); // opens it: from now on only those with the new key do
        CHECK_STR(sql(db, "BEGIN"), "");
        CHECK(starts(sql(db, "PRAGMA rekey='x'"), "error 1: cannot change the key from within a transaction"));
        CHECK_STR(sql(db, "ROLLBACK"), "");
        CHECK_STR(left(db), "0 ");
        struct skerry_engine *first = engine;
        snprintf(text, sizeof text, words ? "PRAGMA rekey='correct horsf'" : "PRAGMA hexrekey='010204%058d'", 0);
        CHECK_STR(sql(db, text), "");
        // Others write meanwhile; every so often the files are looked at as a kill would leave them.
        u32 images = 0, turns = 0;
        for (bool released = false; strcmp(left(db), "0 ") != 0; turns++) {
            REQUIRE(turns < 200000);
            if (turns % 10 == 0 && rows < first_rows + 300) {
                snprintf(text, sizeof text, "INSERT INTO t VALUES(%u, 'new %u')", 20000 + rows, rows);
                CHECK_STR(sql(other, text), "");
                rows++;
            }
            if (turns % 40 == 7 && images < 3) {
                images++;
                char counts[60];
                snprintf(counts, sizeof counts, "%s", sql(other, COUNTS));
                image_check(path, to, from, counts);
                engine = first;
            }
            if (!released && turns == 150) {
                snprintf(want, sizeof want, "%u ", first_rows);
                CHECK_STR(sql(reader, "SELECT count(*) FROM t; COMMIT"), want);
                released = true;
            }
            io_step(skerry_engine_io(engine), 1000000);
        }
        CHECK(images > 1);
        snprintf(want, sizeof want, "%u ", rows);
        CHECK_STR(sql(other, "SELECT count(*) FROM t"), want);
        CHECK_STR(sql(other, "PRAGMA integrity_check"), "ok ");
        if (round == 2) CHECK_STR(sql(db, "PRAGMA hexrekey='0102050000000000000000000000000000000000000000000000000000000000'"), "");
        shut(reader);
        shut(other);
        shut(db);
        skerry_engine_destroy(engine);
        struct store_key third = {.kind = STORE_KEY_BYTES, .bytes = {1, 2, 5}};
        if (round == 2) to = &third; // closed at once: the next lives go on
        CHECK(starts(ask(from, path, COUNTS), "error 26"));
        CHECK_STR(ask(to, path, "SELECT count(*) FROM t"), want);
        bool slots;
        u32 seen = generations(path, &slots);
        if (round < 2) CHECK(seen == 1u << 2 && !slots);
    }
}

TEST(files_are_taken_from_their_previous_key)
{
    char *path = path_of("a.db");
    make(&WORDS, path, 2048);
    key_previous = &WORDS;
    engine_make(&KEY_B, false);
    struct skerry *db = open_at(path);
    CHECK_STR(sql(db, COUNTS), COUNTS_WANTED);
    for (u32 i = 0; strcmp(left(db), "0 ") != 0 || i == 0; i++) {
        REQUIRE(i < 20000);
        io_step(skerry_engine_io(engine), 1000000);
    }
    shut(db);
    skerry_engine_destroy(engine);
    CHECK_STR(ask(&KEY_B, path, COUNTS), COUNTS_WANTED); // the previous one does no harm
    key_previous = &KEY_A;
    CHECK(starts(ask(&WORDS, path, COUNTS), "error 26"));
    key_previous = NULL;
    CHECK(starts(ask(&WORDS, path, COUNTS), "error 26"));
    CHECK_STR(ask(&KEY_B, path, COUNTS), COUNTS_WANTED);
    char *plain = path_of("plain.db");
    make(NULL, plain, 1024);
    CHECK(starts(ask(NULL, plain, "PRAGMA rekey='x'"), "error 1: "));
    CHECK(strstr(out, "VACUUM INTO") != NULL);
    CHECK(starts(ask(&KEY_B, path, "PRAGMA rekey=''"), "error 1: "));
    CHECK(strstr(out, "stays encrypted") != NULL);
}

// ---- temporary files -------------------------------------------------------------------------------------------

static void nothing(struct waiter *w)
{
}

static void spill_await(struct spill_buffer *b, struct op *op)
{
    while (spill_wait(b, op) == IO_WAIT) io_step(op->io, UINT64_MAX);
}

TEST(temporary_files_are_sealed)
{
    struct err err = ERR_CLEAR;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_POSIX}, &err);
    struct op op;
    u8 plain[5000], raw[5000];
    op_init(&op, io, NULL);
    for (u32 i = 0; i < sizeof plain; i++) plain[i] = (u8)(i / 100);
    for (u32 sealed = 0; sealed < 2; sealed++) {
        struct spill *f = spill_new(io, test_dir(), sealed);
        op.waiter.wake = nothing;
        while (spill_open(f, &op) == IO_WAIT) io_step(io, UINT64_MAX);
        struct spill_buffer *b = spill_buffer_new(f, sizeof plain);
        static const u32 pieces[] = {64, 1, 100, 27, 64, 4000, 744};
        u32 at = 0;
        for (u32 i = 0; i < COUNT_OF(pieces); at += pieces[i++]) {
            memcpy(b->data, plain + at, pieces[i]);
            spill_write(b, pieces[i], at);
            spill_await(b, &op);
        }
        CHECK_EQ(at, sizeof plain);
        struct completion c;
        completion_init(&c, NULL, NULL);
        io_file_read(f->file, raw, sizeof raw, 0, &c);
        while (c.state == COMPLETION_PENDING) io_step(io, UINT64_MAX);
        CHECK_EQ(memcmp(raw, plain, sizeof raw) != 0, sealed);
        if (sealed) {
            u8 want[sizeof plain], nonce[24] = {0};
            crypto_stream_xchacha20_xor(want, plain, sizeof plain, nonce, f->key);
            CHECK(memcmp(raw, want, sizeof raw) == 0);
        }
        static const u32 reads[][2] = {{0, 5000}, {1, 63}, {63, 2}, {130, 1000}, {4990, 10}, {64, 64}};
        for (u32 i = 0; i < COUNT_OF(reads); i++) {
            spill_read(b, reads[i][1], reads[i][0]);
            spill_await(b, &op);
            CHECK(memcmp(b->data, plain + reads[i][0], reads[i][1]) == 0);
        }
        spill_free(f);
    }
    op_deinit(&op);
    io_step(io, 0);
    io_destroy(io);
}

// Files that this process has open and nobody can name: how many, and whether one has the text.
struct put_aside {
    u32 files, telling;
};

static void aside_look(struct put_aside *p)
{
    for (int fd = 3; fd < 64; fd++) {
        char link[40], name[300] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (readlink(link, name, sizeof name - 1) < 0 || !strstr(name, "(deleted)")) continue;
        size_t size;
        u8 *bytes = file_load(link, &size);
        p->files += size > 0;
        p->telling += bytes && memmem(bytes, size, "quick brown", 11);
        free(bytes);
    }
}

static int aside_row(void *context, struct skerry_stmt *s)
{
    struct put_aside *p = context;
    if (!p->files) aside_look(p);
    return 0;
}

TEST(what_statements_put_aside_is_sealed)
{
    static const char FILL[] = "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE TABLE u(b); WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
                               "INSERT INTO t SELECT i, hex(randomblob(500)) || '" SECRET "' || i FROM n";
    static const char *const statements[] = {
        "SELECT b FROM t UNION SELECT b || 'x' FROM t", // a temporary index
        "WITH m AS MATERIALIZED (SELECT a, b || 'y' AS c FROM t) SELECT m.c, n.c FROM m JOIN m AS n ON m.a = n.a ORDER BY m.a",
        "SELECT t.b, y.b FROM t, t AS y WHERE t.a < 4 ORDER BY y.b || t.b", // a sorter
    };
    for (u32 sealed = 0; sealed < 3; sealed++) { // 2: by an attached database
        char *path = path_of(sealed ? "s.db" : "p.db"), text[700];
        unlink(path);
        struct err err = ERR_CLEAR;
        struct skerry_engine_options options = {.backend = IO_BACKEND_POSIX, .cache_bytes = 1 << 18, .key = sealed == 1 ? &KEY_A : NULL, .temp_dir = test_dir()};
        REQUIRE(skerry_engine_create(&options, &engine, &err));
        struct skerry *db = open_at(sealed == 2 ? ":memory:" : path);
        if (sealed == 2) {
            snprintf(text, sizeof text, "SELECT 1 UNION SELECT 2; ATTACH '%s' AS s KEY 'words'", path);
            CHECK_STR(sql(db, text), "1 2 ");
        }
        snprintf(text, sizeof text, "%s", FILL);
        if (sealed == 2) {
            CHECK_STR(sql(db, "CREATE TABLE s.t(a INTEGER PRIMARY KEY, b); WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
                              "INSERT INTO s.t SELECT i, hex(randomblob(500)) || '" SECRET "' || i FROM n"), "");
        } else {
            CHECK_STR(sql(db, text), "");
        }
        u32 files = 0;
        for (u32 i = 0; i < COUNT_OF(statements); i++) {
            struct put_aside p = {0};
            CHECK_EQ(skerry_exec(db, statements[i], aside_row, &p), SKERRY_OK);
            files += p.files > 0;
            CHECK_EQ(p.telling > 0, p.files > 0 && !sealed);
        }
        CHECK(files >= 2);
        struct put_aside p = {0};
        CHECK_STR(sql(db, "BEGIN; UPDATE t SET b = b || 'z'"), "");
        aside_look(&p);
        CHECK(p.files > 0);
        CHECK_EQ(p.telling > 0, !sealed);
        CHECK_STR(sql(db, "COMMIT; SELECT count(*) FROM t WHERE b LIKE '%z'"), "3000 ");
        shut(db);
        skerry_engine_destroy(engine);
    }
}

// ---- checksums -------------------------------------------------------------------------------------------------

// As SQLite's "checksum VFS" documents it: two sums over little-endian words.
static bool sums_hold(const u8 *page, u32 page_size)
{
    u32 s1 = 0, s2 = 0;
    for (u32 i = 0; i + 8 < page_size; i += 8) {
        u32 a = (u32)page[i] | (u32)page[i + 1] << 8 | (u32)page[i + 2] << 16 | (u32)page[i + 3] << 24;
        u32 b = (u32)page[i + 4] | (u32)page[i + 5] << 8 | (u32)page[i + 6] << 16 | (u32)page[i + 7] << 24;
        s1 += a + s2;
        s2 += b + s1;
    }
    const u8 *t = page + page_size - 8;
    return s1 == ((u32)t[0] | (u32)t[1] << 8 | (u32)t[2] << 16 | (u32)t[3] << 24) &&
           s2 == ((u32)t[4] | (u32)t[5] << 8 | (u32)t[6] << 16 | (u32)t[7] << 24);
}

TEST(checksums_find_changed_pages)
{
    static const u32 page_sizes[] = {512, 1024, 4096, 65536};
    u64 random = test_seed();
    for (u32 i = 0; i < COUNT_OF(page_sizes); i++) {
        u32 page_size = page_sizes[i];
        char name[20], text[400];
        snprintf(name, sizeof name, "%u.db", page_size);
        char *path = path_of(name), *copy = path_of("copy.db");
        engine_make(NULL, true);
        struct skerry *db = open_at(path);
        snprintf(text, sizeof text, "PRAGMA page_size=%u", page_size);
        sql(db, text);
        CHECK_STR(sql(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE INDEX tb ON t(b);"
                          "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
                          "INSERT INTO t SELECT i, '" SECRET "' || i FROM n; INSERT INTO t VALUES(1000, printf('%.*c', 20000, 'x'))"), "");
        CHECK_STR(sql(db, COUNTS), COUNTS_WANTED);
        shut(db);
        skerry_engine_destroy(engine);
        sqlite3 *check;
        sqlite3_open(path, &check);
        CHECK_EQ(sqlite3_exec(check, "PRAGMA integrity_check; SELECT * FROM t", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(check);
        size_t size;
        u8 *file = file_load(path, &size);
        CHECK_EQ(file[20], 8);
        for (size_t at = 0; at < size; at += page_size) CHECK(sums_hold(file + at, page_size));
        for (u32 round = 0; round < 20; round++) {
            u32 no = 1 + (u32)(test_random(&random) % (size / page_size));
            size_t at = no == 1 ? 100 + test_random(&random) % (page_size - 100) : test_random(&random) % page_size;
            at += (size_t)(no - 1) * page_size;
            file[at] ^= 4;
            file_save(copy, file, size);
            file[at] ^= 4;
            char want[900];
            snprintf(want, sizeof want, "error 11: database disk image is malformed: page %u of %s at offset %zu does not match its checksum",
                     no, copy, (size_t)(no - 1) * page_size);
            const char *got = ask(NULL, copy, "SELECT sum(length(b)) FROM t NOT INDEXED; SELECT sum(length(b)) FROM t INDEXED BY tb");
            const char *error = strstr(got, "error");
            if (!error || strcmp(error, want) != 0) test_fail(__FILE__, __LINE__, "round %u: %s; want %s", round, got, want);
        }
        free(file);
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
