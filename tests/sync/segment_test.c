// Goal: what was put into a segment comes out of it, whole or page by page through ranged reads, and
// no damaged byte goes unnoticed.
// Method: random pages at every page size, plain and encrypted, dense and sparse; a reader that is
// given only the ranges that it asks for is compared with a table of what was put in; every byte of a
// small object flipped in turn; objects cut at every length.
#include "../../sync/segment.h"
#include "../test.h"

static struct segment_header header_make(u32 page_size)
{
    struct segment_header h = {.level = 2,
                               .lineage = 0x1122334455667788u,
                               .epoch = 3,
                               .tx_min = 7,
                               .tx_max = 9,
                               .time_min_ms = 1700000000123,
                               .time_max_ms = 1700000000999,
                               .page_size = page_size,
                               .page_count = 2000000,
                               .sum_before = 5,
                               .sum_after = 6,
                               .wal_salt = {1, 2},
                               .wal_frame = 77};
    memset(h.database_id, 0xab, 16);
    memset(h.parent, 0xcd, SEGMENT_HASH_SIZE);
    memset(h.tip, 0xce, SEGMENT_HASH_SIZE);
    return h;
}

static void page_fill(u8 *page, u32 size, u64 seed)
{
    for (u32 i = 0; i < size; i++) page[i] = i % 3 ? (u8)test_random(&seed) : (u8)i;
}

static u32 number_of(u32 i, u32 step)
{
    return i * step + 1;
}

static void writer_make(struct segment_writer *w, u32 page_size, u32 pages, u32 step,
                        const struct segment_key *key, u8 hash[SEGMENT_HASH_SIZE])
{
    struct segment_header h = header_make(page_size);
    u8 *page = malloc(page_size);
    CHECK_EQ(segment_writer_begin(w, &h, key, 3), ERR_OK);
    for (u32 i = 0; i < pages; i++) {
        page_fill(page, page_size, i + 1);
        CHECK_EQ(segment_writer_page(w, number_of(i, step), page), ERR_OK);
    }
    CHECK_EQ(segment_writer_finish(w, hash), ERR_OK);
    free(page);
}

// Pages of digits, of random bytes, or of one after the other in runs: the size of a segment of them.
static size_t size_of(bool digits, bool random, u32 run)
{
    enum { PAGES = 512 };
    struct segment_writer w;
    struct segment_header h = header_make(4096);
    struct segment_key key = {0};
    u8 hash[SEGMENT_HASH_SIZE], page[4096];
    u64 seed = 9;
    CHECK_EQ(segment_writer_begin(&w, &h, &key, 3), ERR_OK);
    u32 number = 0;
    for (u32 i = 0; i < PAGES * 2; i++) {
        bool is_random = i / run % 2;
        if (is_random ? !random : !digits) continue;
        for (u32 k = 0; k < sizeof page; k++) page[k] = is_random ? (u8)test_random(&seed) : (u8)('0' + test_random(&seed) % 10);
        CHECK_EQ(segment_writer_page(&w, ++number, page), ERR_OK);
    }
    CHECK_EQ(segment_writer_finish(&w, hash), ERR_OK);
    size_t size = w.size;
    segment_writer_deinit(&w);
    return size;
}

// What cannot be compressed is not tried hard, and costs what comes behind it three blocks at most.
TEST(segment_compresses_what_follows_random_bytes)
{
    for (u32 run = 16; run <= 256; run *= 4) {
        size_t digits = size_of(true, false, run), random = size_of(false, true, run), both = size_of(true, true, run);
        CHECK(digits < 512 * 4096 * 47 / 100); // log2(10) of 8 bits are 42 %
        CHECK(random > 512 * 4096 && random < 512 * 4096 * 102 / 100);
        size_t lost = 512 / run * MIN(3u * SEGMENT_BLOCK_SIZE, run * 4096); // of each run that many as they are
        if (both > digits + random + lost) test_fail(__FILE__, __LINE__, "runs of %u pages: %zu bytes, alone %zu and %zu", run, both, digits, random);
    }
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
            writer_make(&w, page_size, pages, 2, &key, hash);
            CHECK(segment_reader_open(&r, w.bytes, w.size, "x", &key, &err));
            CHECK_STR(err.text, "");
            CHECK(memcmp(r.index.hash, hash, sizeof hash) == 0);
            struct segment_header h = header_make(page_size), got = r.index.header;
            h.flags = keyed ? SEGMENT_ENCRYPTED : 0;
            CHECK_EQ(got.flags, h.flags);
            CHECK(got.level == h.level && got.lineage == h.lineage && got.epoch == h.epoch);
            CHECK(got.tx_min == h.tx_min && got.tx_max == h.tx_max);
            CHECK(got.time_min_ms == h.time_min_ms && got.time_max_ms == h.time_max_ms);
            CHECK(got.page_size == h.page_size && got.page_count == h.page_count);
            CHECK(got.sum_before == h.sum_before && got.sum_after == h.sum_after);
            CHECK(got.wal_salt[1] == h.wal_salt[1] && got.wal_frame == h.wal_frame);
            CHECK(memcmp(got.database_id, h.database_id, 16) == 0);
            CHECK(memcmp(got.parent, h.parent, 32) == 0 && memcmp(got.tip, h.tip, 32) == 0);
            while (segment_reader_next(&r, &number, &data, &err)) {
                page_fill(want, page_size, count + 1);
                CHECK_EQ(number, number_of(count, 2));
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

TEST(segment_without_pages)
{
    struct segment_writer w;
    struct segment_reader r;
    struct err err = ERR_CLEAR;
    u8 hash[SEGMENT_HASH_SIZE];
    u32 number;
    const u8 *data;
    writer_make(&w, 4096, 0, 1, NULL, hash);
    CHECK(segment_reader_open(&r, w.bytes, w.size, "x", NULL, &err));
    CHECK(!segment_reader_next(&r, &number, &data, &err));
    CHECK_EQ(err.code, ERR_OK);
    segment_reader_deinit(&r);
    segment_writer_deinit(&w);
}

// An owner of an index with nothing but ranged reads.
struct ranged {
    const struct segment_writer *w;
    struct segment_index x;
    struct segment_scratch scratch;
    u32 fetches;
    u64 fetched;
};

static enum segment_answer ranged_seek(struct ranged *r, u32 page, struct segment_where *where, struct err *err)
{
    enum segment_answer answer;
    while ((answer = segment_index_seek(&r->x, page, where, err)) == SEGMENT_FETCH) {
        u8 *bytes = malloc(where->size);
        memcpy(bytes, r->w->bytes + where->offset, where->size);
        r->fetches++;
        r->fetched += where->size;
        bool good = segment_index_give(&r->x, where, bytes, where->size, err);
        free(bytes);
        if (!good) return SEGMENT_BAD;
    }
    return answer;
}

// The stored number that is at least page, of `pages` numbers 1, 1 + step, ...; 0: none.
static u32 model_seek(u32 page, u32 pages, u32 step)
{
    u32 i = (page - 1 + step - 1) / step;
    return i < pages ? number_of(i, step) : 0;
}

TEST(segment_single_pages_by_ranged_reads)
{
    static const struct {
        u32 page_size, pages, step;
        bool keyed;
    } CASES[] = {
        {4096, 1, 1, true},    {4096, 16, 1, false},  {4096, 4096, 1, true}, {4096, 4096, 37, true},
        {512, 32768, 3, false}, {65536, 200, 5, true}, {1024, 9000, 2, false},
    };
    u64 seed = test_seed();
    for (u32 c = 0; c < COUNT_OF(CASES); c++) {
        u32 page_size = CASES[c].page_size, pages = CASES[c].pages, step = CASES[c].step;
        struct segment_key key = {.given = CASES[c].keyed, .bytes = {9}};
        struct segment_writer w;
        struct err err = ERR_CLEAR;
        u8 hash[SEGMENT_HASH_SIZE], *want = malloc(page_size), *out = malloc(MAX(65536u, page_size));
        writer_make(&w, page_size, pages, step, &key, hash);
        struct ranged r = {.w = &w};
        segment_index_init(&r.x, "x", w.size, &key, &r.scratch);
        u32 last = number_of(pages - 1, step);
        for (u32 i = 0; i < 300; i++) {
            u32 page = i == 0 ? 1 : i == 1 ? last : i == 2 ? last + 1 : 1 + (u32)(test_random(&seed) % (last + 2));
            struct segment_where where;
            u32 model = model_seek(page, pages, step);
            enum segment_answer answer = ranged_seek(&r, page, &where, &err);
            CHECK_EQ(answer, model ? SEGMENT_FOUND : SEGMENT_ABSENT);
            if (answer != SEGMENT_FOUND) continue;
            CHECK_EQ(where.page, model);
            CHECK_EQ(segment_block_page(&r.x, &where, where.position), model);
            struct segment_scratch scratch = {0};
            CHECK(segment_block_open(&r.x, &where, w.bytes + where.offset, where.size, out, &scratch, &err));
            page_fill(want, page_size, (model - 1) / step + 1);
            CHECK(memcmp(out + (size_t)where.position * page_size, want, page_size) == 0);
            segment_scratch_deinit(&scratch);
        }
        CHECK_STR(err.text, "");
        CHECK(memcmp(r.x.hash, hash, sizeof hash) == 0);
        // One read brings the index of a small object; of a large one never all.
        if (pages <= 16) CHECK_EQ(r.fetches, 1);
        u32 leaves = 0;
        for (u32 i = 0; i < SEGMENT_INDEX_LEAVES; i++) leaves += r.x.leaves[i].raw != NULL;
        CHECK(leaves <= SEGMENT_INDEX_LEAVES);
        segment_index_deinit(&r.x);
        segment_scratch_deinit(&r.scratch);
        segment_writer_deinit(&w);
        free(want);
        free(out);
    }
}

TEST(segment_index_of_many_leaves_is_fetched_in_parts)
{
    // 32768 pages of 512 bytes, all different: the index is larger than one read from the end.
    struct segment_writer w;
    struct err err = ERR_CLEAR;
    u8 hash[SEGMENT_HASH_SIZE];
    writer_make(&w, 512, 32768, 7, NULL, hash);
    struct ranged r = {.w = &w};
    segment_index_init(&r.x, "x", w.size, NULL, &r.scratch);
    struct segment_where where;
    CHECK_EQ(ranged_seek(&r, 1, &where, &err), SEGMENT_FOUND);
    CHECK(r.x.leaf_count > SEGMENT_INDEX_LEAVES || r.x.leaf_count >= 4);
    CHECK(r.fetches >= 2 && r.fetches <= 3);
    CHECK(r.fetched < w.size / 4);
    segment_index_deinit(&r.x);
    segment_scratch_deinit(&r.scratch);
    segment_writer_deinit(&w);
}

static void sharded_make(struct segment_writer *w, const struct segment_key *key, u32 shards, u8 hash[SEGMENT_HASH_SIZE])
{
    struct segment_header h = header_make(4096);
    h.flags = SEGMENT_SHARDED | SEGMENT_IMAGE;
    CHECK_EQ(segment_writer_begin(w, &h, key, 3), ERR_OK);
    for (u32 i = 0; i < shards; i++) {
        struct segment_shard s = {.shard = i * 2, .level = 4, .tx_min = 1, .tx_max = 5, .epoch = 2, .size = 1000 + i, .page_count = 4096};
        memset(s.hash, (int)i, sizeof s.hash);
        CHECK_EQ(segment_writer_shard(w, &s), ERR_OK);
    }
    CHECK_EQ(segment_writer_finish(w, hash), ERR_OK);
}

TEST(segment_table_of_shards)
{
    struct segment_key key = {.given = true};
    struct segment_writer w;
    struct err err = ERR_CLEAR;
    u8 hash[SEGMENT_HASH_SIZE];
    sharded_make(&w, &key, 200, hash);
    struct ranged r = {.w = &w};
    struct segment_where where;
    segment_index_init(&r.x, "x", w.size, &key, &r.scratch);
    CHECK_EQ(ranged_seek(&r, 1, &where, &err), SEGMENT_ABSENT);
    CHECK_EQ(r.x.shard_count, 200);
    for (u32 page = 1; page < 4096 * 402; page += 777) {
        u32 shard = (page - 1) / 4096;
        const struct segment_shard *s = segment_index_shard(&r.x, page);
        CHECK_EQ(s != NULL, shard % 2 == 0 && shard < 400);
        if (s) CHECK(s->shard == shard && s->size == 1000 + shard / 2 && s->hash[3] == (u8)(shard / 2) && s->epoch == 2 && s->level == 4);
    }
    segment_index_deinit(&r.x);
    segment_scratch_deinit(&r.scratch);
    segment_writer_deinit(&w);
}

// A reader reads to the end without an error.
static bool reads_well(const u8 *bytes, size_t size, const struct segment_key *key, struct err *err)
{
    struct segment_reader r;
    u32 number;
    const u8 *data;
    bool opened = segment_reader_open(&r, bytes, size, "x", key, err);
    if (opened)
        while (segment_reader_next(&r, &number, &data, err)) continue;
    segment_reader_deinit(&r);
    CHECK_EQ(opened || err->code != ERR_OK, true);
    return opened && err->code == ERR_OK;
}

TEST(segment_every_flipped_byte_is_noticed)
{
    for (u32 how = 0; how < 4; how++) {
        struct segment_key key = {.given = how & 1};
        struct segment_writer w;
        u8 hash[SEGMENT_HASH_SIZE];
        if (how & 2)
            sharded_make(&w, &key, 3, hash);
        else
            writer_make(&w, 512, 300, 1, &key, hash); // three blocks
        struct err clear = ERR_CLEAR;
        CHECK(reads_well(w.bytes, w.size, &key, &clear));
        for (size_t i = 0; i < w.size; i += w.size < 5000 || i < 200 || i + 9000 > w.size ? 1 : 37) {
            struct err err = ERR_CLEAR;
            w.bytes[i] ^= 0x40;
            if (reads_well(w.bytes, w.size, &key, &err))
                test_fail(__FILE__, __LINE__, "flip at %zu of %zu not noticed", i, w.size);
            w.bytes[i] ^= 0x40;
        }
        segment_writer_deinit(&w);
    }
}

TEST(segment_truncated_is_noticed)
{
    struct segment_writer w;
    u8 hash[SEGMENT_HASH_SIZE];
    writer_make(&w, 512, 4, 1, NULL, hash);
    for (size_t size = 0; size < w.size; size++) {
        u8 *copy = malloc(size + 1);
        memcpy(copy, w.bytes, size);
        struct err err = ERR_CLEAR;
        CHECK(!reads_well(copy, size, NULL, &err));
        CHECK_EQ(err.code, ERR_STORE_CORRUPT);
        free(copy);
    }
    segment_writer_deinit(&w);
}

TEST(segment_blocks_of_another_segment_are_noticed)
{
    // Two objects with the same content and key: a block of one in the other's place.
    for (u32 keyed = 0; keyed < 2; keyed++) {
        struct segment_key key = {.given = keyed};
        struct segment_writer a, b;
        u8 hash_a[SEGMENT_HASH_SIZE], hash_b[SEGMENT_HASH_SIZE];
        writer_make(&a, 512, 4, 1, &key, hash_a);
        writer_make(&b, 512, 4, 1, &key, hash_b);
        CHECK_EQ(a.size, b.size);
        CHECK_EQ(a.blocks.count, 1);
        memcpy(a.bytes + a.blocks.items[0].offset, b.bytes + b.blocks.items[0].offset, a.blocks.items[0].size);
        struct err err = ERR_CLEAR;
        CHECK(!reads_well(a.bytes, a.size, &key, &err));
        CHECK_EQ(err.code, ERR_STORE_CORRUPT);
        segment_writer_deinit(&a);
        segment_writer_deinit(&b);
    }
}

TEST(segment_wrong_key)
{
    struct segment_key key = {.given = true}, other = {.given = true}, none = {0};
    other.bytes[0] = 1;
    struct segment_writer w;
    u8 hash[SEGMENT_HASH_SIZE];
    writer_make(&w, 512, 4, 1, &key, hash);
    const struct segment_key *wrong[] = {&other, &none, NULL};
    for (u32 i = 0; i < COUNT_OF(wrong); i++) {
        struct err err = ERR_CLEAR;
        CHECK(!reads_well(w.bytes, w.size, wrong[i], &err));
        CHECK_EQ(err.code, ERR_STORE_KEY);
    }
    segment_writer_deinit(&w);
}

TEST(segment_page_sums_tell_pages_and_places_apart)
{
    // Every single bit of a page, its number, and swapped parts of it change the sum.
    u8 page[512], other[512];
    page_fill(page, sizeof page, 1);
    u64 sum = segment_page_sum(1, page, sizeof page);
    CHECK(sum != segment_page_sum(2, page, sizeof page));
    for (u32 bit = 0; bit < sizeof page * 8; bit++) {
        page[bit / 8] ^= (u8)(1u << bit % 8);
        CHECK(segment_page_sum(1, page, sizeof page) != sum);
        page[bit / 8] ^= (u8)(1u << bit % 8);
    }
    for (u32 i = 64; i < sizeof page; i += 64) {
        memcpy(other, page, sizeof page);
        memcpy(other, page + i, 64);
        memcpy(other + i, page, 64);
        CHECK(segment_page_sum(1, other, sizeof other) != sum);
    }
    memset(page, 0, sizeof page);
    memset(other, 0, sizeof other);
    other[100] = 1;
    CHECK(segment_page_sum(1, page, sizeof page) != segment_page_sum(1, other, sizeof other));
    CHECK(segment_page_sum(1, page, sizeof page) != segment_page_sum(3, page, sizeof page));
}

TEST(segment_checksums_tell_runs_and_sizes_apart)
{
    // Every single bit of a run of each length, of what it is associated with, and its length change both halves.
    u8 data[200], associated[SEGMENT_ASSOCIATED_SIZE], was[SEGMENT_TAG_SIZE], is[SEGMENT_TAG_SIZE], shorter[SEGMENT_TAG_SIZE] = {0};
    page_fill(data, sizeof data, 1);
    page_fill(associated, sizeof associated, 2);
    for (u32 size = 0; size <= sizeof data; size++) {
        segment_checksum(associated, data, size, was);
        CHECK(memcmp(was, shorter, 8) != 0 && memcmp(was + 8, shorter + 8, 8) != 0);
        memcpy(shorter, was, sizeof was);
        for (u32 bit = 0; bit < (size + SEGMENT_ASSOCIATED_SIZE) * 8; bit++) {
            u8 *at = bit / 8 < size ? &data[bit / 8] : &associated[bit / 8 - size];
            *at ^= (u8)(1u << bit % 8);
            segment_checksum(associated, data, size, is);
            CHECK(memcmp(was, is, 8) != 0 && memcmp(was + 8, is + 8, 8) != 0);
            *at ^= (u8)(1u << bit % 8);
        }
    }
    // Zeros at the end count.
    memset(data, 0, sizeof data);
    for (u32 size = 1; size <= sizeof data; size++) {
        segment_checksum(associated, data, size - 1, was);
        segment_checksum(associated, data, size, is);
        CHECK(memcmp(was, is, 8) != 0 && memcmp(was + 8, is + 8, 8) != 0);
    }
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
