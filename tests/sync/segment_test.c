// Goal: what was put into a segment comes out of it, and no damaged byte goes unnoticed.
// Method: random pages at every page size, plain and encrypted; every byte of a small object
// flipped in turn.
#include "../../sync/segment.h"
#include "../test.h"

static struct segment_header header_make(u32 page_size)
{
    struct segment_header h = {.flags = SEGMENT_FULL | SEGMENT_COMMIT,
                               .sequence = 7,
                               .epoch = 3,
                               .transaction = 99,
                               .time_ms = 1700000000123,
                               .page_size = page_size,
                               .page_count = 500,
                               .wal_salt = {1, 2},
                               .wal_frame = 77};
    memset(h.database_id, 0xab, 16);
    memset(h.parent, 0xcd, SEGMENT_HASH_SIZE);
    return h;
}

static void page_fill(u8 *page, u32 size, u64 seed)
{
    for (u32 i = 0; i < size; i++) page[i] = i % 3 ? (u8)test_random(&seed) : (u8)i;
}

static void writer_make(struct segment_writer *w, u32 page_size, u32 pages,
                        const struct segment_key *key, u8 hash[SEGMENT_HASH_SIZE])
{
    struct segment_header h = header_make(page_size);
    u8 *page = malloc(page_size);
    CHECK_EQ(segment_writer_begin(w, &h, key, 3), ERR_OK);
    for (u32 i = 0; i < pages; i++) {
        page_fill(page, page_size, i + 1);
        CHECK_EQ(segment_writer_page(w, 2 * i + 1, page), ERR_OK);
    }
    CHECK_EQ(segment_writer_finish(w, hash), ERR_OK);
    free(page);
}

TEST(segment_round_trip)
{
    for (u32 page_size = 512; page_size <= 65536; page_size *= 2) {
        for (u32 keyed = 0; keyed < 2; keyed++) {
            struct segment_key key = {.given = keyed};
            memset(key.bytes, 0x11, 32);
            struct segment_writer w;
            struct segment_reader r;
            struct err err = ERR_CLEAR;
            u8 hash[SEGMENT_HASH_SIZE], *want = malloc(page_size);
            u32 pages = 300000 / page_size + 1, number, count = 0;
            const u8 *data;
            writer_make(&w, page_size, pages, &key, hash);
            CHECK(segment_reader_open(&r, w.bytes, w.size, "x", &key, &err));
            CHECK_STR(err.text, "");
            CHECK(memcmp(r.hash, hash, sizeof hash) == 0);
            CHECK_EQ(r.header.transaction, 99);
            CHECK_EQ(r.header.time_ms, 1700000000123);
            while (segment_reader_next(&r, "x", &number, &data, &err)) {
                page_fill(want, page_size, count + 1);
                CHECK_EQ(number, 2 * count + 1);
                CHECK(memcmp(data, want, page_size) == 0);
                count++;
            }
            CHECK_EQ(err.code, ERR_OK);
            CHECK_EQ(count, pages);
            segment_reader_deinit(&r);
            segment_writer_deinit(&w);
            free(want);
        }
    }
}

TEST(segment_claim_without_pages)
{
    struct segment_writer w;
    struct segment_reader r;
    struct err err = ERR_CLEAR;
    u8 hash[SEGMENT_HASH_SIZE];
    u32 number;
    const u8 *data;
    writer_make(&w, 4096, 0, NULL, hash);
    CHECK(segment_reader_open(&r, w.bytes, w.size, "x", NULL, &err));
    CHECK(!segment_reader_next(&r, "x", &number, &data, &err));
    CHECK_EQ(err.code, ERR_OK);
    segment_reader_deinit(&r);
    segment_writer_deinit(&w);
}

TEST(segment_every_flipped_byte_is_noticed)
{
    for (u32 keyed = 0; keyed < 2; keyed++) {
        struct segment_key key = {.given = keyed};
        struct segment_writer w;
        u8 hash[SEGMENT_HASH_SIZE];
        writer_make(&w, 512, 4, &key, hash);
        for (size_t i = 0; i < w.size; i++) {
            struct segment_reader r;
            struct err err = ERR_CLEAR;
            w.bytes[i] ^= 0x40;
            bool opened = segment_reader_open(&r, w.bytes, w.size, "x", &key, &err);
            if (opened || err.code == ERR_OK)
                test_fail(__FILE__, __LINE__, "flip at %zu not noticed", i);
            segment_reader_deinit(&r);
            w.bytes[i] ^= 0x40;
        }
        segment_writer_deinit(&w);
    }
}

TEST(segment_truncated_is_noticed)
{
    struct segment_writer w;
    u8 hash[SEGMENT_HASH_SIZE];
    writer_make(&w, 512, 4, NULL, hash);
    for (size_t size = 0; size < w.size; size++) {
        u8 *copy = malloc(size + 1);
        memcpy(copy, w.bytes, size);
        struct segment_reader r;
        struct err err = ERR_CLEAR;
        CHECK(!segment_reader_open(&r, copy, size, "x", NULL, &err));
        CHECK_EQ(err.code, ERR_STORE_CORRUPT);
        segment_reader_deinit(&r);
        free(copy);
    }
    segment_writer_deinit(&w);
}

TEST(segment_wrong_key)
{
    struct segment_key key = {.given = true}, other = {.given = true}, none = {0};
    other.bytes[0] = 1;
    struct segment_writer w;
    u8 hash[SEGMENT_HASH_SIZE];
    writer_make(&w, 512, 4, &key, hash);
    const struct segment_key *wrong[] = {&other, &none, NULL};
    for (u32 i = 0; i < COUNT_OF(wrong); i++) {
        struct segment_reader r;
        struct err err = ERR_CLEAR;
        CHECK(!segment_reader_open(&r, w.bytes, w.size, "x", wrong[i], &err));
        CHECK_EQ(err.code, ERR_STORE_KEY);
        segment_reader_deinit(&r);
    }
    segment_writer_deinit(&w);
}

TEST(segment_key_texts)
{
    static const struct {
        const char *text;
        bool good;
    } CASES[] = {
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", true},
        {"000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f\n", true},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e", false},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g", false},
        {"", false},
        {"passphrase", false},
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        struct segment_key key;
        if (segment_key_parse(CASES[i].text, strlen(CASES[i].text), &key) != CASES[i].good)
            test_fail(__FILE__, __LINE__, "case %u", i);
        if (CASES[i].good) CHECK_EQ(key.bytes[31], 0x1f);
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
