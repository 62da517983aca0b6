// Goal: transactions keep what they promise: durable when acknowledged, isolated, undone to any savepoint, first
// come first served; and the file stays one that SQLite finds sound.
// Method: rows through the B-tree, checked by reading them back, and by libsqlite3 after closing.
#include "store_driver.h"

static const struct store_options create_options = {.create = true};

TEST(first_commit_is_sound_to_sqlite)
{
    for (u32 page_size = 512; page_size <= 65536; page_size *= 2) {
        struct driver d;
        driver_init(&d, IO_BACKEND_POSIX);
        char name[20];
        snprintf(name, sizeof name, "%u.db", page_size);
        char *path = test_path(name);
        struct store *s = driver_open(&d, path, &(struct store_options){.create = true, .page_size = page_size});
        REQUIRE(s);
        struct txn *t = txn_create(s);
        DO(&d, txn_begin_write(t, &d.op, 0));
        pgno root = table_create(&d, t);
        for (s64 i = 0; i < 300; i++) DO(&d, row_insert(t, &d.op, root, i, "some text that fills the pages of the table"));
        DO(&d, txn_commit(t, &d.op));
        txn_destroy(t);
        DO(&d, store_close(s, &d.op));
        CHECK(!file_exists(test_path("4096.db-wal")));
        CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
        CHECK_STR(sqlite_ask(path, "SELECT count(*) || ' ' || sum(id) FROM t"), "300 44850");
        CHECK_STR(sqlite_ask(path, "PRAGMA journal_mode"), "wal");
        driver_deinit(&d);
    }
}

TEST(rolled_back_changes_are_gone)
{
    struct driver d;
    driver_init(&d, IO_BACKEND_POSIX);
    char *path = test_path("a.db"), text[100];
    struct store *s = driver_open(&d, path, &create_options);
    REQUIRE(s);
    struct txn *t = txn_create(s);
    DO(&d, txn_begin_write(t, &d.op, 0));
    pgno root = table_create(&d, t);
    DO(&d, row_insert(t, &d.op, root, 1, "one"));
    DO(&d, txn_commit(t, &d.op));
    DO(&d, txn_begin_write(t, &d.op, 0));
    for (s64 i = 2; i < 500; i++) DO(&d, row_insert(t, &d.op, root, i, "rolled back"));
    CHECK(txn_page_count(t) > 4);
    txn_rollback(t);
    CHECK_EQ(txn_state_get(t), TXN_NONE);
    DO(&d, txn_begin_read(t, &d.op));
    CHECK_EQ(txn_page_count(t), 2);
    DO(&d, row_read(t, &d.op, root, 1, text, sizeof text));
    CHECK_STR(text, "one");
    DO(&d, row_read(t, &d.op, root, 2, text, sizeof text));
    CHECK_STR(text, "");
    txn_destroy(t);
    DO(&d, store_close(s, &d.op));
    CHECK_STR(sqlite_ask(path, "PRAGMA integrity_check"), "ok");
    CHECK_STR(sqlite_ask(path, "SELECT group_concat(id || v) FROM t"), "1one");
    driver_deinit(&d);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
