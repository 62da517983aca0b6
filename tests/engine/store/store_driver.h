// What the store's tests share: a loop, opened stores, and calls driven to their end. Included by
// each test program.
#pragma once

#include "../../../engine/store/btree.h"
#include "../../../engine/store/pager.h"
#include "../../../engine/store/store.h"
#include "../../test.h"

#include <sqlite3.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wunused-function"

struct driver {
    struct io *io;
    struct op op;
};
static void driver_init(struct driver *d, enum io_backend_kind backend);
static void driver_deinit(struct driver *d);

// Calls again as long as it waits. The last status is the value.
#define DRIVE(driver, call)                                                                        \
    ({                                                                                             \
        io_status drive_;                                                                          \
        err_clear(&(driver)->op.err);                                                              \
        while ((drive_ = (call)) == IO_WAIT) io_step((driver)->io, UINT64_MAX);                    \
        drive_;                                                                                    \
    })
// The same, and it must succeed.
#define DO(driver, call)                                                                           \
    do {                                                                                           \
        if (DRIVE(driver, call) != IO_DONE)                                                        \
            test_fail(__FILE__, __LINE__, "%s: %s", #call, (driver)->op.err.text);                 \
    } while (0)

static struct store *driver_open(struct driver *d, const char *path,
                                 const struct store_options *options);
static char *test_path(const char *name); // in test_dir(); a few are kept at a time
// A tree of integers with text records: what most tests write. Each is a call to be driven by DO.
static io_status row_insert(struct txn *t, struct op *op, pgno root, s64 rowid, const char *text);
static io_status row_read(struct txn *t, struct op *op, pgno root, s64 rowid, char *out,
                          size_t size); // "" = no such row
static io_status row_count(struct txn *t, struct op *op, pgno root, u64 *out);
// Makes table t(id INTEGER PRIMARY KEY, v) in a write transaction; its root page.
static pgno table_create(struct driver *d, struct txn *t);
// One row in a transaction of its own.
static void row_commit(struct driver *d, struct txn *t, pgno root, s64 rowid, const char *text);

// A checkpoint that does not wait for readers and writers, asked for by a transaction of its own; the last status.
static io_status checkpoint_ask(struct driver *d, struct store *s, enum checkpoint_mode mode, struct checkpoint_result *out);

// The oracle: opens the file with libsqlite3 and gives the first column of the first row ("ERROR:
// …" when it fails). The string is static.
static const char *sqlite_ask(const char *path, const char *sql);
static void file_copy(const char *from, const char *to);
static u8 *file_load(const char *path, size_t *size);
static void file_save(const char *path, const void *bytes, size_t size);
static bool file_exists(const char *path);

// ---- the rest is how ---------------------------------------------------------------------------

static void driver_wake(struct waiter *w)
{
}

static void driver_init(struct driver *d, enum io_backend_kind backend)
{
    struct err err = ERR_CLEAR;
    d->io = io_create(&(struct io_options){.backend = backend, .fallback = true}, &err);
    if (!d->io) {
        printf("io_create: %s\n", err.text);
        abort();
    }
    op_init(&d->op, d->io, driver_wake);
}

static void driver_deinit(struct driver *d)
{
    op_deinit(&d->op);
    io_destroy(d->io);
}

static struct store *driver_open(struct driver *d, const char *path,
                                 const struct store_options *options)
{
    struct store *s = NULL;
    if (DRIVE(d, store_open(d->io, path, options, &d->op, &s)) != IO_DONE) return NULL;
    return s;
}

static char *test_path(const char *name)
{
    static char paths[8][400];
    static u32 next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", test_dir(), name);
    return path;
}

// The driver's calls run to their end one after the other, so that one cursor and its state can be
// static.
static struct cursor cursor;
static bool cursor_open;

static struct cursor *cursor_get(struct txn *t, pgno root, bool writable)
{
    if (!cursor_open) cursor_init(&cursor, t, root, NULL, writable);
    cursor_open = true;
    return &cursor;
}

static io_status cursor_end(io_status status)
{
    if (status == IO_WAIT) return status;
    cursor_deinit(&cursor);
    cursor_open = false;
    return status;
}

static u32 record_of_text(u8 *out, const char *text)
{
    // Two columns: NULL for the rowid's alias, and the text.
    u64 size = strlen(text);
    u8 type[9];
    u32 type_size = varint_put(type, 13 + 2 * size);
    u32 at = 0;
    out[at++] = (u8)(2 + type_size);
    out[at++] = 0;
    memcpy(out + at, type, type_size);
    at += type_size;
    memcpy(out + at, text, size);
    return at + (u32)size;
}

static io_status row_insert(struct txn *t, struct op *op, pgno root, s64 rowid, const char *text)
{
    static u8 record[70000];
    struct btree_entry e = {.rowid = rowid, .data = record, .size = record_of_text(record, text)};
    struct cursor *c = cursor_get(t, root, true);
    return cursor_end(cursor_insert(c, op, &e, 0, 0));
}

static io_status read_run(struct cursor *c, struct op *op, s64 rowid, char *out, size_t size)
{
    static u8 record[70000];
    int compare;
    out[0] = 0;
    IO_TRY(cursor_seek_rowid(c, op, rowid, &compare));
    if (!cursor_valid(c) || compare != 0) return IO_DONE;
    IO_TRY(cursor_entry(c, op));
    if (c->payload_size > sizeof record) return IO_ERROR(&op->err, ERR_TOOBIG, "record");
    IO_TRY(cursor_read(c, op, 0, c->payload_size, record));
    u64 text_size = c->payload_size - record[0];
    if (text_size >= size) text_size = size - 1;
    memcpy(out, record + record[0], text_size);
    out[text_size] = 0;
    return IO_DONE;
}

static io_status row_read(struct txn *t, struct op *op, pgno root, s64 rowid, char *out,
                          size_t size)
{
    return cursor_end(read_run(cursor_get(t, root, false), op, rowid, out, size));
}

static io_status count_run(struct cursor *c, struct op *op, u64 *out)
{
    static bool started;
    if (!started) IO_TRY(cursor_first(c, op));
    if (!started) *out = 0;
    started = true;
    while (cursor_valid(c)) {
        io_status status = cursor_next(c, op);
        if (status == IO_WAIT) return status;
        if (status == IO_FAIL) {
            started = false;
            return status;
        }
        ++*out;
    }
    started = false;
    return IO_DONE;
}

static io_status row_count(struct txn *t, struct op *op, pgno root, u64 *out)
{
    return cursor_end(count_run(cursor_get(t, root, false), op, out));
}

static pgno table_create(struct driver *d, struct txn *t)
{
    // CREATE TABLE t(id INTEGER PRIMARY KEY, v) as a row of the schema: type, name, tbl_name,
    // rootpage, sql.
    static const char sql[] = "CREATE TABLE t(id INTEGER PRIMARY KEY, v)";
    pgno root = 0;
    DO(d, btree_create(t, &d->op, BTREE_TABLE, &root));
    u8 record[100];
    u32 at = 0;
    record[at++] = 7;
    record[at++] = 13 + 2 * 5;
    record[at++] = 13 + 2 * 1;
    record[at++] = 13 + 2 * 1;
    record[at++] = 4; // 32-bit integer
    u32 type_size = varint_put(record + at, 13 + 2 * (sizeof sql - 1));
    at += type_size;
    record[0] = (u8)at;
    memcpy(record + at, "tablett", 7);
    at += 7;
    be32_put(record + at, root);
    at += 4;
    memcpy(record + at, sql, sizeof sql - 1);
    at += sizeof sql - 1;
    struct cursor c;
    cursor_init(&c, t, 1, NULL, true);
    struct btree_entry e = {.rowid = 1, .data = record, .size = at};
    DO(d, cursor_insert(&c, &d->op, &e, 0, 0));
    cursor_deinit(&c);
    DO(d, txn_meta_set(t, &d->op, META_SCHEMA_COOKIE, 1));
    DO(d, txn_meta_set(t, &d->op, META_FILE_FORMAT, 4));
    DO(d, txn_meta_set(t, &d->op, META_TEXT_ENCODING, 1));
    return root;
}

static void row_commit(struct driver *d, struct txn *t, pgno root, s64 rowid, const char *text)
{
    DO(d, txn_begin_write(t, &d->op, UINT64_MAX));
    DO(d, row_insert(t, &d->op, root, rowid, text));
    DO(d, txn_commit(t, &d->op));
}

static io_status checkpoint_ask(struct driver *d, struct store *s, enum checkpoint_mode mode, struct checkpoint_result *out)
{
    struct txn *t = txn_create(s);
    io_status status = DRIVE(d, txn_checkpoint(t, &d->op, mode, 0, out));
    txn_destroy(t);
    return status;
}

static const char *sqlite_ask(const char *path, const char *sql)
{
    static char answer[2000];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    answer[0] = 0;
    int rc = sqlite3_open(path, &db);
    if (rc == SQLITE_OK) rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        snprintf(answer, sizeof answer, "%s", (const char *)sqlite3_column_text(stmt, 0) ?: "NULL");
    else if (rc != SQLITE_DONE)
        snprintf(answer, sizeof answer, "ERROR: %s", sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return answer;
}

static u8 *file_load(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    *size = 0;
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    u8 *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, f) != *size) abort();
    fclose(f);
    return bytes;
}

static void file_save(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) abort();
}

static void file_copy(const char *from, const char *to)
{
    size_t size;
    u8 *bytes = file_load(from, &size);
    if (bytes) file_save(to, bytes, size);
    free(bytes);
}

static bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
