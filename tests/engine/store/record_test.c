// Goal: records are SQLite's, byte for byte and in SQLite's order, in all three encodings.
// Method: libsqlite3 stores random values; its files are walked, decoded, encoded again and compared. The order of
// an index that libsqlite3 built is the order that comparison must give for every pair of its entries.
#include "memory_pager.h"
#include "sqlite_image.h"

static const char *const ENCODINGS[] = {"UTF-8", "UTF-16le", "UTF-16be"};

static const struct {
    u64 value;
    u32 size;
} VARINTS[] = {
    {0, 1},           {0x7f, 1},         {0x80, 2},          {0x3fff, 2},         {0x4000, 3},
    {0x1fffff, 3},    {0x200000, 4},     {0xfffffff, 4},     {0x10000000, 5},     {0x7ffffffff, 5},
    {1ull << 35, 6},  {1ull << 42, 7},   {1ull << 49, 8},    {(1ull << 56) - 1, 8}, {1ull << 56, 9},
    {UINT64_MAX, 9},
};

TEST(varint_sizes_and_round_trip)
{
    for (u32 i = 0; i < COUNT_OF(VARINTS); i++) {
        u8 bytes[18] = {0};
        u64 back;
        CHECK_EQ(varint_size(VARINTS[i].value), VARINTS[i].size);
        CHECK_EQ(varint_put(bytes, VARINTS[i].value), VARINTS[i].size);
        CHECK_EQ(varint_get(bytes, &back), VARINTS[i].size);
        CHECK(back == VARINTS[i].value);
        CHECK_EQ(varint_get_checked(bytes, bytes + VARINTS[i].size, &back), VARINTS[i].size);
        CHECK(back == VARINTS[i].value);
        CHECK_EQ(varint_get_checked(bytes, bytes + VARINTS[i].size - 1, &back), 0);
    }
}

// From the file format's own examples: fixed values, fixed bytes.
static const struct {
    s64 integer;
    const char *bytes;
    u32 size;
} INTEGER_RECORDS[] = {
    {0, "\x02\x08", 2},
    {1, "\x02\x09", 2},
    {2, "\x02\x01\x02", 3},
    {-1, "\x02\x01\xff", 3},
    {-128, "\x02\x01\x80", 3},
    {128, "\x02\x02\x00\x80", 4},
    {-32769, "\x02\x03\xff\x7f\xff", 5},
    {8388608, "\x02\x04\x00\x80\x00\x00", 6},
    {2147483648, "\x02\x05\x00\x00\x80\x00\x00\x00", 8},
    {INT64_MIN, "\x02\x06\x80\x00\x00\x00\x00\x00\x00\x00", 10},
};

TEST(record_of_integers)
{
    for (u32 i = 0; i < COUNT_OF(INTEGER_RECORDS); i++) {
        struct value v = {0};
        value_set_integer(&v, INTEGER_RECORDS[i].integer);
        u8 out[16];
        CHECK_EQ(record_size(&v, 1, 1, NULL), INTEGER_RECORDS[i].size);
        CHECK_EQ(record_encode(&v, 1, 1, out, INTEGER_RECORDS[i].size), ERR_OK);
        CHECK(memcmp(out, INTEGER_RECORDS[i].bytes, INTEGER_RECORDS[i].size) == 0);
    }
}

TEST(record_zero_tail)
{
    struct value v[2] = {0};
    value_borrow_blob(&v[1], "ab", 2);
    v[1].flags |= VALUE_ZERO_TAIL;
    v[1].zero_count = 1000;
    value_set_integer(&v[0], 7);
    u64 tail;
    u8 out[1100];
    // header 4 (own size, type 1, two-byte type 2016), integer 1, blob 2 + 1000
    CHECK_EQ(record_size(v, 2, 1, NULL), 4 + 1 + 1002);
    CHECK_EQ(record_size(v, 2, 1, &tail), 4 + 1 + 2);
    CHECK_EQ(tail, 1000);
    CHECK_EQ(record_encode(v, 2, 1, out, 7), ERR_OK);
    CHECK(memcmp(out, "\x04\x01\x8f\x60\x07" "ab", 7) == 0);
    memset(out, 1, sizeof out);
    CHECK_EQ(record_encode(v, 2, 1, out, 1007), ERR_OK);
    CHECK_EQ(out[1006], 0);
    CHECK_EQ(out[7], 0);
    struct value swapped[2] = {v[1], v[0]}; // not last: written out
    CHECK_EQ(record_size(swapped, 2, 1, &tail), 4 + 1 + 1002);
    CHECK_EQ(tail, 0);
}

TEST(record_damaged_is_refused)
{
    static const struct {
        const char *bytes;
        u32 size;
    } cases[] = {
        {"", 0},          {"\x00", 1},          {"\x05\x01\x01", 3}, {"\x02\x06\x01", 3},
        {"\x03\x81", 2},  {"\x02\x81\x01", 3},  {"\x0b\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9},
    };
    for (u32 i = 0; i < COUNT_OF(cases); i++) {
        u8 *exact = malloc(cases[i].size + !cases[i].size); // so that a sanitizer sees a byte too far
        memcpy(exact, cases[i].bytes, cases[i].size);
        struct err err = ERR_CLEAR;
        struct value values[4] = {0}, key = {.type = VALUE_INTEGER};
        u32 count;
        if (record_decode(exact, cases[i].size, 1, values, 4, &count, &err) == ERR_OK)
            test_fail(__FILE__, __LINE__, "case %u was taken", i);
        CHECK_EQ(err.code, ERR_CORRUPT);
        err = ERR_CLEAR;
        struct key_info info = {.field_count = 1, .all_count = 1, .encoding = 1};
        struct search_key search = {.info = &info, .values = &key, .count = 1};
        CHECK_EQ(record_compare(exact, cases[i].size, &search, &err), 0);
        CHECK_EQ(err.code, ERR_CORRUPT);
        free(exact);
    }
}

// ---- against libsqlite3 -------------------------------------------------------------------------------

static u32 text_random(u64 *random, char *out, bool broken)
{
    u32 size = 0, wanted = (u32)(test_random(random) % 20);
    while (size < wanted) {
        u32 c = (u32)(test_random(random) >> 3);
        switch (test_random(random) % (broken ? 7 : 6)) {
        case 0: c = 'a' + c % 3; break;
        case 1: c = 'A' + c % 3; break;
        case 2: c = 0x80 + c % 0x700; break;
        case 3: c = 0xe000 + c % 0x1000; break;
        case 4: c = 0x10000 + c % 0x100000; break;
        case 5: c = ' '; break;
        default: out[size++] = (char)c; continue;
        }
        if (c < 0x80) {
            out[size++] = (char)c;
        } else if (c < 0x800) {
            out[size++] = (char)(0xc0 | c >> 6);
            out[size++] = (char)(0x80 | (c & 63));
        } else if (c < 0x10000) {
            out[size++] = (char)(0xe0 | c >> 12);
            out[size++] = (char)(0x80 | (c >> 6 & 63));
            out[size++] = (char)(0x80 | (c & 63));
        } else {
            out[size++] = (char)(0xf0 | c >> 18);
            out[size++] = (char)(0x80 | (c >> 12 & 63));
            out[size++] = (char)(0x80 | (c >> 6 & 63));
            out[size++] = (char)(0x80 | (c & 63));
        }
    }
    return size;
}

static void bind_random(sqlite3_stmt *stmt, int at, u64 *random, bool broken)
{
    char text[64];
    u64 r = test_random(random);
    u32 shift = (u32)(test_random(random) % 64);
    switch (test_random(random) % 8) {
    case 0: sqlite3_bind_null(stmt, at); break;
    case 1: sqlite3_bind_int64(stmt, at, (s64)(r >> shift)); break;
    case 2: sqlite3_bind_int64(stmt, at, (s64)r >> shift); break;
    case 3: sqlite3_bind_double(stmt, at, (double)(s64)(r >> shift)); break;
    case 4: sqlite3_bind_double(stmt, at, (double)(s64)r / (double)((1ull << shift % 40) + 1)); break;
    case 5: sqlite3_bind_blob(stmt, at, &r, (int)(r % 9), SQLITE_TRANSIENT); break;
    default: sqlite3_bind_text(stmt, at, text, (int)text_random(random, text, broken), SQLITE_TRANSIENT); break;
    }
}

// A file of `count` rows (a, b, c) with random values, inserted by libsqlite3.
static u8 *random_file(const char *encoding, const char *schema, u32 count, bool broken, size_t *size,
                       sqlite3 **keep)
{
    char pragma[60];
    u64 random = test_seed();
    sqlite3 *db = sqlite_open_sized(4096, 0);
    snprintf(pragma, sizeof pragma, "PRAGMA encoding='%s'", encoding);
    sqlite_run(db, pragma);
    sqlite_run(db, schema);
    sqlite3_stmt *stmt;
    sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?,?,?)", -1, &stmt, NULL);
    sqlite_run(db, "BEGIN");
    for (u32 i = 0; i < count; i++) {
        for (int at = 1; at <= 3; at++) bind_random(stmt, at, &random, broken);
        sqlite3_step(stmt);
        sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
    sqlite_run(db, "COMMIT");
    u8 *image = sqlite_bytes(db, size);
    *keep = db;
    return image;
}

static void value_check(const struct value *v, sqlite3_stmt *stmt, int column)
{
    int type = sqlite3_column_type(stmt, column);
    CHECK_EQ(v->type, type); // SQLite's numbers
    if (v->type != type) return;
    if (type == SQLITE_INTEGER) CHECK_EQ(v->integer, sqlite3_column_int64(stmt, column));
    if (type == SQLITE_FLOAT) CHECK(v->real == sqlite3_column_double(stmt, column));
    if (type != SQLITE_TEXT && type != SQLITE_BLOB) return;
    const void *bytes = type == SQLITE_TEXT ? (const void *)sqlite3_column_text(stmt, column)
                                            : sqlite3_column_blob(stmt, column);
    CHECK_EQ(v->size, sqlite3_column_bytes(stmt, column));
    if (v->size == (u32)sqlite3_column_bytes(stmt, column) && v->size) CHECK(memcmp(v->bytes, bytes, v->size) == 0);
}

static void round_trip(u8 encoding, bool broken)
{
    size_t size;
    sqlite3 *db;
    u8 *image = random_file(ENCODINGS[encoding - 1], "CREATE TABLE t(a, b, c)", 3000, broken, &size, &db);
    struct txn *t = memory_txn_of_image(image, size, 1);
    struct op op;
    op_init(&op, NULL, NULL);
    struct cursor c;
    cursor_init(&c, t, 2, NULL, false);
    sqlite3_stmt *stmt;
    sqlite3_prepare_v2(db, "SELECT a, b, c FROM t ORDER BY rowid", -1, &stmt, NULL);
    CHECK_EQ(RUN(cursor_first(&c, &op)), IO_DONE);
    struct value values[3] = {0};
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        REQUIRE(cursor_valid(&c));
        CHECK_EQ(RUN(cursor_entry(&c, &op)), IO_DONE);
        u32 count = 0;
        CHECK_EQ(record_decode(c.local, c.payload_size, encoding, values, 3, &count, &op.err), ERR_OK);
        CHECK_EQ(count, 3);
        for (int i = 0; i < 3; i++) value_check(&values[i], stmt, i);
        if (!broken || encoding == 1) { // text that was no UTF-16 at first does not lead back to its bytes
            u8 again[500];
            u64 again_size = record_size(values, 3, encoding, NULL);
            CHECK_EQ(again_size, c.payload_size);
            if (again_size == c.payload_size) {
                CHECK_EQ(record_encode(values, 3, encoding, again, again_size), ERR_OK);
                CHECK(memcmp(again, c.local, again_size) == 0);
            }
        }
        CHECK_EQ(RUN(cursor_next(&c, &op)), IO_DONE);
    }
    CHECK(!cursor_valid(&c));
    for (u32 i = 0; i < 3; i++) value_deinit(&values[i]);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    cursor_deinit(&c);
    op_deinit(&op);
    memory_txn_destroy(t);
    free(image);
}

TEST(record_round_trip_through_sqlite)
{
    for (u8 encoding = 1; encoding <= 3; encoding++) {
        round_trip(encoding, false);
        round_trip(encoding, true);
    }
}

#define ORDERED 400

static void order_check(u8 encoding, const char *schema, const struct collation **collations, u8 *orders)
{
    size_t size;
    sqlite3 *db;
    u8 *image = random_file(ENCODINGS[encoding - 1], schema, ORDERED, false, &size, &db);
    sqlite3_close(db);
    struct txn *t = memory_txn_of_image(image, size, 1);
    struct op op;
    op_init(&op, NULL, NULL);
    struct key_info info = {.field_count = 4, .all_count = 4, .encoding = encoding, .collations = collations,
                            .orders = orders};
    struct cursor c;
    cursor_init(&c, t, 3, &info, false);
    static u8 records[ORDERED][400];
    static u64 sizes[ORDERED];
    static struct value values[ORDERED][4];
    u32 count = 0;
    CHECK_EQ(RUN(cursor_first(&c, &op)), IO_DONE);
    for (; cursor_valid(&c) && count < ORDERED; count++) {
        CHECK_EQ(RUN(cursor_entry(&c, &op)), IO_DONE);
        sizes[count] = c.payload_size;
        memcpy(records[count], c.local, c.payload_size);
        u32 fields;
        CHECK_EQ(record_decode(records[count], sizes[count], encoding, values[count], 4, &fields, &op.err), ERR_OK);
        CHECK_EQ(RUN(cursor_next(&c, &op)), IO_DONE);
    }
    CHECK_EQ(count, ORDERED);
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < count; k++) {
            struct search_key key = {.info = &info, .values = values[k], .count = 4};
            int got = record_compare(records[i], sizes[i], &key, &op.err), want = (i > k) - (i < k);
            if ((got > 0) - (got < 0) != want) test_fail(__FILE__, __LINE__, "%s: %u against key %u", schema, i, k);
            got = record_compare_records(records[i], sizes[i], records[k], sizes[k], &info, 4, &op.err);
            if ((got > 0) - (got < 0) != want) test_fail(__FILE__, __LINE__, "%s: %u against %u", schema, i, k);
        }
        int compare;
        struct search_key key = {.info = &info, .values = values[i], .count = 4};
        CHECK_EQ(RUN(cursor_seek_key(&c, &op, &key, &compare)), IO_DONE);
        CHECK_EQ(compare, 0);
    }
    CHECK_EQ(op.err.code, ERR_OK);
    for (u32 i = 0; i < ORDERED; i++) {
        for (u32 k = 0; k < 4; k++) {
            value_deinit(&values[i][k]);
            value_init(&values[i][k]);
            values[i][k].buffer = NULL;
            values[i][k].capacity = 0;
        }
    }
    cursor_deinit(&c);
    op_deinit(&op);
    memory_txn_destroy(t);
    free(image);
}

TEST(record_order_is_sqlites)
{
    for (u8 encoding = 1; encoding <= 3; encoding++) {
        order_check(encoding, "CREATE TABLE t(a,b,c); CREATE INDEX i ON t(a,b,c)", NULL, NULL);
        const struct collation *collations[4] = {&COLLATION_NOCASE, &COLLATION_RTRIM, NULL, NULL};
        u8 orders[4] = {KEY_DESC, 0, KEY_DESC, 0};
        order_check(encoding,
                    "CREATE TABLE t(a,b,c); CREATE INDEX i ON t(a COLLATE NOCASE DESC,b COLLATE RTRIM,c DESC)",
                    collations, orders);
    }
}

TEST(record_compare_default_result_and_shorter_keys)
{
    struct value fields[2] = {0};
    value_set_integer(&fields[0], 5);
    value_set_integer(&fields[1], 6);
    u8 record[8];
    u64 size = record_size(fields, 2, 1, NULL);
    CHECK_EQ(record_encode(fields, 2, 1, record, size), ERR_OK);
    struct key_info info = {.field_count = 2, .all_count = 2, .encoding = 1};
    struct err err = ERR_CLEAR;
    for (int wanted = -1; wanted <= 1; wanted++) {
        struct search_key key = {.info = &info, .values = fields, .count = 1, .default_result = (s8)wanted};
        CHECK_EQ(record_compare(record, size, &key, &err), wanted);
        CHECK(key.equal_seen);
    }
    value_set_integer(&fields[0], 6);
    struct search_key key = {.info = &info, .values = fields, .count = 1, .default_result = 1};
    CHECK(record_compare(record, size, &key, &err) < 0);
    CHECK(!key.equal_seen);
}

// Made in one go into a buffer that is used again, records are those that are measured and then encoded.
TEST(record_compose_is_size_and_encode)
{
    u64 random = test_seed();
    static const u32 sizes[] = {0, 1, 8, 57, 58, 59, 300, 8185, 8186, 8187, 20000};
    static u8 text[20000], encoded[70 * 20010];
    static struct value values[70];
    for (u32 i = 0; i < sizeof text; i++) text[i] = (u8)(i * 7);
    struct value composed;
    value_init(&composed);
    for (u32 round = 0; round < 2000; round++) {
        u32 count = test_random(&random) % 5 == 0 ? (u32)(test_random(&random) % 70) : (u32)(test_random(&random) % 6);
        for (u32 i = 0; i < count; i++) {
            value_init(&values[i]);
            s64 n = (s64)(test_random(&random) >> test_random(&random) % 64);
            u32 size = sizes[test_random(&random) % (count > 6 ? 7 : COUNT_OF(sizes))];
            switch (test_random(&random) % 5) {
            case 0: break;
            case 1: value_set_integer(&values[i], test_random(&random) & 1 ? n : ~n); break;
            case 2: value_set_real(&values[i], (double)n / 3); break;
            case 3: value_borrow_text(&values[i], text, size); break;
            default: value_borrow_blob(&values[i], text, size); break;
            }
            if (values[i].type == VALUE_BLOB && test_random(&random) % 8 == 0) CHECK_EQ(value_set_zero_blob(&values[i], size), ERR_OK);
        }
        u64 zero_tail, size = record_size(values, count, 1, &zero_tail);
        CHECK(size <= sizeof encoded);
        CHECK_EQ(record_encode(values, count, 1, encoded, size), ERR_OK);
        if (size + zero_tail > 0) CHECK_EQ(record_compose(values, count, 1, size + zero_tail - 1, &composed), ERR_TOOBIG);
        CHECK_EQ(record_compose(values, count, 1, size + zero_tail, &composed), ERR_OK);
        CHECK_EQ(composed.type, VALUE_BLOB);
        CHECK_EQ(composed.size, size);
        CHECK_EQ(composed.flags & VALUE_ZERO_TAIL ? composed.zero_count : 0, zero_tail);
        if (memcmp(composed.bytes, encoded, size) != 0) {
            fprintf(stderr, "round %u: %u values\n", round, count);
            CHECK(false);
        }
        if (round % 50 == 0) value_deinit(&composed);
    }
    value_deinit(&composed);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
