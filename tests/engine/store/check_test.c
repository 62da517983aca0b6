// Goal: the structural check says of damaged files what SQLite says, and nothing of sound ones; no damage, whatever
// is done to the trees afterwards, leads outside a page.
// Method: files of libsqlite3, bytes of theirs changed; its own integrity_check is the judge (its wording of before
// 3.42 is brought to today's by a table). The pager in memory gives every page its own allocation, so that a
// sanitizer sees each byte too far.
#include "engine/store/btree_inline.h"
#include "engine/store/check.h"
#include "memory_pager.h"
#include "sqlite_image.h"

static const char *const FILLING =
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c);"
    "CREATE INDEX i ON t(b, c);"
    "WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 400)"
    "  INSERT INTO t SELECT x * 3, hex(zeroblob(x % 40)) || x, zeroblob(CASE WHEN x % 23 THEN x % 50 ELSE 1800 END)"
    "  FROM n;"
    "DELETE FROM t WHERE a % 7 = 1 OR a BETWEEN 300 AND 420";

static const pgno ROOTS[] = {2, 3, 1}; // in the order in which SQLite goes through them

// The messages of libsqlite3 in today's words. 3.42 renamed the prefixes and made page numbers unsigned.
static void modern_add(char *out, size_t room, const char *text)
{
    char line[400];
    const char *negative = strstr(text, "invalid page number -");
    if (negative)
        snprintf(line, sizeof line, "%.*sinvalid page number %u", (int)(negative - text), text,
                 (u32)atoi(negative + 20));
    else
        snprintf(line, sizeof line, "%s", text);
    u32 page, cell;
    int n = 0;
    size_t used = strlen(out);
    out += used;
    room -= used;
    if (sscanf(line, "On tree page %u cell %u: %n", &page, &cell, &n) == 2 && n)
        snprintf(out, room, "page %u cell %u: %s\n", page, cell, line + n);
    else if (sscanf(line, "On page %u at right child: %n", &page, &n) == 1 && n)
        snprintf(out, room, "page %u right child: %s\n", page, line + n);
    else if (sscanf(line, "Tree %*u page %n", &n) == 0 && n)
        snprintf(out, room, "page %s\n", line + n);
    else if (strncmp(line, "Main freelist: ", 15) == 0)
        snprintf(out, room, "Freelist: %s\n", line + 15);
    else if (sscanf(line, "Page %u is never used%n", &page, &n) == 1 && n)
        snprintf(out, room, "Page %u: never used\n", page);
    else if (sscanf(line, "Pointer map page %u is referenced%n", &page, &n) == 1 && n)
        snprintf(out, room, "Page %u: pointer map referenced\n", page);
    else if (sscanf(line, "Page %u: %n", &page, &n) == 1 && n && !strstr(line, "never used") &&
             !strstr(line, "map referenced"))
        snprintf(out, room, "page %u: %s\n", page, line + n);
    else
        snprintf(out, room, "%s\n", line);
}

static void modern(char *out, size_t room, char *text)
{
    *out = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, "***", 3)) modern_add(out, room, line);
    }
}

#define TEXT_ROOM 200000

// False when libsqlite3 could not even read the schema.
static bool sqlite_says(const u8 *image, size_t size, char *out)
{
    sqlite3 *db = sqlite_open_image(image, size);
    sqlite3_stmt *stmt = NULL;
    *out = 0;
    bool read = sqlite3_prepare_v2(db, "PRAGMA integrity_check(100000)", -1, &stmt, NULL) == SQLITE_OK;
    while (read && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *row = (const char *)sqlite3_column_text(stmt, 0);
        if (!row || strncmp(row, "*** in database main ***\n", 25)) continue;
        char *text = strdup(row + 25);
        modern(out, TEXT_ROOM, text);
        free(text);
        break;
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return read;
}

static void we_say(struct txn *t, const pgno *roots, u32 root_count, char *out)
{
    struct op op;
    op_init(&op, NULL, NULL);
    struct check c = {.txn = t, .roots = roots, .root_count = root_count, .errors_max = 100000};
    *out = 0;
    if (RUN(check_run(&c, &op)) != IO_DONE) test_fail(__FILE__, __LINE__, "%s", op.err.text);
    if (c.text) modern(out, TEXT_ROOM, c.text);
    check_deinit(&c);
    op_deinit(&op);
}

static void compare_with_sqlite(const u8 *image, size_t size, u32 wait_percent, const char *what)
{
    char *theirs = malloc(TEXT_ROOM), *ours = malloc(TEXT_ROOM);
    if (sqlite_says(image, size, theirs)) {
        struct txn *t = memory_txn_of_image(image, size, 7);
        t->wait_percent = wait_percent;
        we_say(t, ROOTS, 3, ours);
        if (strcmp(ours, theirs))
            test_fail(__FILE__, __LINE__, "%s: we say\n%sand SQLite\n%s", what, *ours ? ours : "ok\n",
                      *theirs ? theirs : "ok\n");
        memory_txn_destroy(t);
    }
    free(theirs);
    free(ours);
}

static void damage(u8 *image, size_t size, u32 page_size, u64 *random)
{
    u32 pages = (u32)(size / page_size), count = 1 + (u32)(test_random(random) % 3);
    while (count--) {
        size_t page = 1 + test_random(random) % (pages - 1);
        // Headers and cell pointers are where most can go wrong.
        size_t offset = test_random(random) % (test_random(random) % 3 ? 40 : page_size);
        u8 *at = image + page * page_size + offset;
        switch (test_random(random) % 4) {
        case 0: *at ^= (u8)(1 << test_random(random) % 8); break;
        case 1: *at = (u8)test_random(random); break;
        case 2: *at = 0; break;
        default: *at = 0xff; break;
        }
    }
}

TEST(check_sound_files)
{
    static const u32 sizes[][2] = {{512, 0}, {1024, 16}, {4096, 0}, {65536, 0}};
    for (u32 i = 0; i < COUNT_OF(sizes); i++) {
        size_t size;
        u8 *image = sqlite_image(sizes[i][0], sizes[i][1], FILLING, &size);
        char *ours = malloc(TEXT_ROOM);
        struct txn *t = memory_txn_of_image(image, size, 3);
        t->wait_percent = 40;
        we_say(t, ROOTS, 3, ours);
        CHECK_STR(ours, "");
        struct op op;
        op_init(&op, NULL, NULL);
        struct check c = {.txn = t, .roots = ROOTS, .root_count = 3, .errors_max = 100};
        CHECK_EQ(RUN(check_run(&c, &op)), IO_DONE);
        CHECK_EQ(c.counts[0], c.counts[1]);
        CHECK_EQ(c.counts[2], 2);
        check_deinit(&c);
        op_deinit(&op);
        memory_txn_destroy(t);
        compare_with_sqlite(image, size, 0, "sound file");
        free(ours);
        free(image);
    }
}

TEST(check_auto_vacuum_file)
{
    size_t size;
    char sql[2000];
    snprintf(sql, sizeof sql, "PRAGMA auto_vacuum=1; %s", FILLING);
    u8 *image = sqlite_image(1024, 0, sql, &size);
    char *ours = malloc(TEXT_ROOM);
    static const pgno roots[] = {3, 4, 1};
    struct txn *t = memory_txn_of_image(image, size, 3);
    we_say(t, roots, 3, ours);
    CHECK_STR(ours, "");
    memory_txn_destroy(t);
    be32_put(image + 1024 + 5 * 6 + 1, 77); // page 2 is the first pointer map; entry 6 is page 9's
    t = memory_txn_of_image(image, size, 3);
    we_say(t, roots, 3, ours);
    CHECK(strstr(ours, "Bad ptr map entry key=9 expected=("));
    memory_txn_destroy(t);
    free(ours);
    free(image);
}

TEST(check_unused_pages_and_lists)
{
    size_t size;
    u8 *image = sqlite_image(1024, 0, FILLING, &size);
    CHECK(be32_get(image + 36) > 0);
    be32_put(image + 36, be32_get(image + 36) + 2);
    compare_with_sqlite(image, size, 20, "freelist shorter than the header says");
    be32_put(image + 36, 0);
    be32_put(image + 32, 0);
    compare_with_sqlite(image, size, 20, "freelist lost");
    free(image);
}

TEST(check_damaged_files_as_sqlite)
{
    static const u32 page_sizes[] = {512, 1024, 4096};
    for (u32 i = 0; i < COUNT_OF(page_sizes); i++) {
        size_t size;
        u8 *image = sqlite_image(page_sizes[i], 0, FILLING, &size), *copy = malloc(size);
        for (u32 seed = 0; seed < 300; seed++) {
            u64 random = seed;
            char what[100];
            memcpy(copy, image, size);
            damage(copy, size, page_sizes[i], &random);
            snprintf(what, sizeof what, "page size %u, damage %u", page_sizes[i], seed);
            compare_with_sqlite(copy, size, seed % 10 ? 0 : 20, what);
        }
        free(copy);
        free(image);
    }
}

// ---- changing damaged trees ---------------------------------------------------------------------------

static const struct key_info KEY_INFO = {.field_count = 3, .all_count = 3, .encoding = 1};

static bool may_fail(struct op *op, io_status status)
{
    if (status == IO_DONE) return false;
    if (op->err.code != ERR_CORRUPT && op->err.code != ERR_NOMEM && op->err.code != ERR_INTERNAL)
        test_fail(__FILE__, __LINE__, "%s %s", err_name(op->err.code), op->err.text);
    if (op->err.code == ERR_INTERNAL) test_fail(__FILE__, __LINE__, "internal: %s", op->err.text);
    op_settle(op);
    op->err = ERR_CLEAR;
    return true;
}

static void random_use(struct txn *t, bool table, u64 *random)
{
    struct op op;
    op_init(&op, NULL, NULL);
    struct cursor c, other;
    cursor_init(&c, t, table ? 2 : 3, table ? NULL : &KEY_INFO, true);
    cursor_init(&other, t, table ? 2 : 3, table ? NULL : &KEY_INFO, false);
    u8 *bytes = malloc(70000);
    for (u32 i = 0; i < 120; i++) {
        int compare = 0;
        u64 what = test_random(random) % 10;
        s64 number = (s64)(test_random(random) % 1300);
        struct value values[3] = {0};
        memset(bytes, 'A', 2000);
        value_borrow_text(&values[0], bytes, (u32)(test_random(random) % 90));
        value_borrow_blob(&values[1], bytes, (u32)(test_random(random) % (number % 5 ? 60 : 2000)));
        value_set_integer(&values[2], number);
        u8 record[3000];
        u64 size = record_size(values, 3, 1, NULL);
        if (record_encode(values, 3, 1, record, size) != ERR_OK) break;
        struct search_key key = {.info = &KEY_INFO, .values = values, .count = 3};
        if (may_fail(&op, table ? RUN(cursor_seek_rowid(&c, &op, number, &compare))
                                : RUN(cursor_seek_key(&c, &op, &key, &compare))))
            continue;
        if (what < 4) {
            struct btree_entry e = {.rowid = number, .data = record, .size = size};
            may_fail(&op, RUN(cursor_insert(&c, &op, &e, what & 1 ? CURSOR_SAVE_POSITION : 0, 0)));
        } else if (what < 8) {
            if (cursor_valid(&c)) may_fail(&op, RUN(cursor_delete(&c, &op, what & 1 ? CURSOR_SAVE_POSITION : 0)));
        }
        if (what == 9 && may_fail(&op, RUN(cursor_first(&other, &op)))) continue;
        for (u32 step = 0; step < 30 && cursor_valid(&other); step++) {
            if (may_fail(&op, RUN(cursor_entry(&other, &op)))) break;
            if (other.payload_size < 70000) may_fail(&op, RUN(cursor_read(&other, &op, 0, other.payload_size, bytes)));
            if (may_fail(&op, step & 8 ? RUN(cursor_previous(&other, &op)) : RUN(cursor_next_inline(&other, &op))))
                break;
        }
    }
    struct btree_walk walk = {0};
    may_fail(&op, RUN(btree_count(&c, &op, &walk)));
    btree_walk_deinit(&walk);
    if (test_random(random) % 4 == 0) may_fail(&op, RUN(btree_clear(t, &op, c.root, &walk)));
    btree_walk_deinit(&walk);
    free(bytes);
    cursor_deinit(&c);
    cursor_deinit(&other);
    op_deinit(&op);
}

TEST(btree_damaged_files_never_lead_astray)
{
    static const u32 page_sizes[] = {512, 4096};
    u64 random = test_seed();
    char *ours = malloc(TEXT_ROOM);
    for (u32 i = 0; i < COUNT_OF(page_sizes); i++) {
        size_t size;
        u8 *image = sqlite_image(page_sizes[i], 0, FILLING, &size), *copy = malloc(size);
        for (u32 round = 0; round < 400; round++) {
            memcpy(copy, image, size);
            damage(copy, size, page_sizes[i], &random);
            if (round % 4 == 0) damage(copy, size, page_sizes[i], &random);
            struct txn *t = memory_txn_of_image(copy, size, round);
            memory_txn_absorb_freelist(t);
            t->wait_percent = round % 3 ? 0 : 10;
            random_use(t, round % 2, &random);
            we_say(t, ROOTS, 3, ours);
            memory_txn_destroy(t);
        }
        free(copy);
        free(image);
    }
    free(ours);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
