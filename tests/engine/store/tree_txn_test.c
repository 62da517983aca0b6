// Goal: trees on the real pager: what transactions and savepoints leave is sound, inside the transaction and in the
// file, with a cache too small for it.
// Method: a table and its index are changed together at random, some of it undone; our check runs before every
// commit, libsqlite3's (contents of the index included) on the file.
#include "store_driver.h"

#include "engine/store/check.h"

enum { ROWS = 600, SAVED = 4 };

struct row {
    u32 size; // 0: not there
    u32 fill;
};

struct table {
    struct driver d;
    struct store *s;
    struct txn *t;
    struct row rows[ROWS], committed[ROWS], saved[SAVED][ROWS];
    u64 random;
    struct cursor rows_cursor, index_cursor;
};

static const struct key_info INDEX_INFO = {.field_count = 2, .all_count = 2, .encoding = 1};
static const pgno ROOTS[] = {2, 3, 1};

static void blob_make(const struct row *r, u8 *out)
{
    for (u32 i = 0; i < r->size; i++) out[i] = (u8)(r->fill >> (i % 4 * 8)) ^ (u8)(i / 100);
}

static u64 record_make(struct table *w, u32 rowid, bool index, u8 *out)
{
    static u8 blob[10000];
    struct value values[2] = {0};
    blob_make(&w->rows[rowid], blob);
    if (!index) value_init(&values[0]);
    value_borrow_blob(&values[!index], blob, w->rows[rowid].size);
    if (index) value_set_integer(&values[1], rowid);
    u64 size = record_size(values, 2, 1, NULL);
    CHECK_EQ(record_encode(values, 2, 1, out, size), ERR_OK);
    return size;
}

static void entry_remove(struct table *w, u32 rowid)
{
    static u8 record[10100];
    int compare = 1;
    u64 size = record_make(w, rowid, true, record);
    struct value values[2] = {0};
    u32 count;
    CHECK_EQ(record_decode(record, size, 1, values, 2, &count, &w->d.op.err), ERR_OK);
    struct search_key key = {.info = &INDEX_INFO, .values = values, .count = 2};
    DO(&w->d, cursor_seek_key(&w->index_cursor, &w->d.op, &key, &compare));
    CHECK_EQ(compare, 0);
    DO(&w->d, cursor_delete(&w->index_cursor, &w->d.op, 0));
    DO(&w->d, cursor_seek_rowid(&w->rows_cursor, &w->d.op, rowid, &compare));
    CHECK_EQ(compare, 0);
    DO(&w->d, cursor_delete(&w->rows_cursor, &w->d.op, 0));
    w->rows[rowid].size = 0;
}

static void row_change(struct table *w)
{
    static u8 record[10100];
    u32 rowid = 1 + (u32)(test_random(&w->random) % (ROWS - 1));
    struct row *r = &w->rows[rowid];
    if (r->size) entry_remove(w, rowid);
    if (test_random(&w->random) % 5 < 2) return;
    u64 kind = test_random(&w->random);
    r->size = 1 + (u32)(kind % 16 == 0 ? (kind >> 8) % 9000 : (kind >> 8) % 150);
    r->fill = (u32)(kind >> 32);
    struct btree_entry e = {.rowid = rowid, .data = record};
    e.size = record_make(w, rowid, false, record);
    DO(&w->d, cursor_insert(&w->rows_cursor, &w->d.op, &e, 0, 0));
    e.size = record_make(w, rowid, true, record);
    DO(&w->d, cursor_insert(&w->index_cursor, &w->d.op, &e, 0, 0));
}

static void rows_check(struct table *w)
{
    static u8 got[10100], want[10100];
    struct cursor c;
    cursor_init(&c, w->t, 2, NULL, false);
    DO(&w->d, cursor_first(&c, &w->d.op));
    for (u32 rowid = 1; rowid < ROWS; rowid++) {
        if (w->rows[rowid].size == 0) continue;
        if (!cursor_valid(&c)) {
            test_fail(__FILE__, __LINE__, "rowid %u is missing", rowid);
            break;
        }
        DO(&w->d, cursor_entry(&c, &w->d.op));
        CHECK_EQ(c.rowid, rowid);
        u64 size = record_make(w, rowid, false, want);
        CHECK_EQ(c.payload_size, size);
        if (c.rowid != rowid || c.payload_size != size) break;
        DO(&w->d, cursor_read(&c, &w->d.op, 0, size, got));
        CHECK(memcmp(got, want, size) == 0);
        DO(&w->d, cursor_next(&c, &w->d.op));
    }
    cursor_deinit(&c);
    struct check k = {.txn = w->t, .roots = ROOTS, .root_count = 3, .errors_max = 20};
    DO(&w->d, check_run(&k, &w->d.op));
    CHECK_STR(k.text ? k.text : "ok", "ok");
    CHECK_EQ(k.counts[0], k.counts[1]);
    check_deinit(&k);
}

// Changes with savepoints opened, rolled back and released in between.
static void transaction_run(struct table *w)
{
    struct err err = ERR_CLEAR;
    for (u32 step = 0; step < 60; step++) {
        u32 depth = txn_savepoint_count(w->t), n;
        u64 what = test_random(&w->random) % 20;
        if (what == 0 && depth < SAVED) {
            CHECK_EQ(txn_savepoint_open(w->t, &n, &err), ERR_OK);
            memcpy(w->saved[n - 1], w->rows, sizeof w->rows);
        } else if (what == 1 && depth) {
            n = 1 + (u32)(test_random(&w->random) % depth);
            DO(&w->d, txn_cursors_save(w->t, &w->d.op, 0, NULL));
            txn_savepoint_rollback(w->t, n);
            memcpy(w->rows, w->saved[n - 1], sizeof w->rows);
        } else if (what == 2 && depth) {
            txn_savepoint_release(w->t, 1 + (u32)(test_random(&w->random) % depth));
        } else {
            row_change(w);
        }
    }
}

static void table_run(u32 page_size, enum io_backend_kind backend)
{
    static struct table w;
    w = (struct table){.random = test_seed() + page_size};
    char name[40], sql[200];
    snprintf(name, sizeof name, "trees%u.db", page_size);
    char *path = test_path(name);
    driver_init(&w.d, backend);
    sqlite3 *db;
    sqlite3_open(path, &db);
    snprintf(sql, sizeof sql, "PRAGMA page_size=%u; CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE INDEX i ON t(b)",
             page_size);
    CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    struct store_options options = {.cache_bytes = 24ull * page_size};
    w.s = driver_open(&w.d, path, &options);
    REQUIRE(w.s);
    w.t = txn_create(w.s);
    cursor_init(&w.rows_cursor, w.t, 2, NULL, true);
    cursor_init(&w.index_cursor, w.t, 3, &INDEX_INFO, true);
    for (u32 round = 0; round < 40; round++) {
        DO(&w.d, txn_begin_write(w.t, &w.d.op, 0));
        transaction_run(&w);
        if (round % 4 == 0) rows_check(&w);
        if (test_random(&w.random) % 4 == 0) {
            txn_rollback(w.t);
            memcpy(w.rows, w.committed, sizeof w.rows);
        } else {
            DO(&w.d, txn_commit(w.t, &w.d.op));
            memcpy(w.committed, w.rows, sizeof w.rows);
        }
        DO(&w.d, txn_begin_read(w.t, &w.d.op));
        rows_check(&w);
        txn_end_read(w.t);
    }
    cursor_deinit(&w.rows_cursor);
    cursor_deinit(&w.index_cursor);
    txn_destroy(w.t);
    DO(&w.d, store_close(w.s, &w.d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    driver_deinit(&w.d);
}

TEST(trees_in_transactions)
{
    static const u32 page_sizes[] = {512, 1024, 4096, 65536};
    for (u32 i = 0; i < COUNT_OF(page_sizes); i++) table_run(page_sizes[i], IO_BACKEND_RING);
}

TEST(trees_in_transactions_posix) { table_run(1024, IO_BACKEND_POSIX); }

int main(int argc, char **argv) { return test_main(argc, argv); }
