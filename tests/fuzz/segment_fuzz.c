// Any bytes are read as a backup segment, whole and by ranged reads, to the end or to an error. The first byte says
// whether the object's hashes are put right first, and whether there is a key.
#include "../../sync/segment.h"
#include "fuzz.h"

#include <sodium.h>

static struct segment_key key_make(bool given)
{
    struct segment_key key = {.given = given};
    memset(key.bytes, 7, sizeof key.bytes);
    return key;
}

// The tag of a plain run, so that what is in it is looked at.
static void tag_fix(u8 *bytes, u64 size, u64 offset, u64 stored, enum segment_run_kind kind, u32 number)
{
    if (offset > size || stored > size - offset || stored < SEGMENT_TAG_SIZE) return;
    u8 associated[SEGMENT_ASSOCIATED_SIZE], *run = bytes + offset;
    crypto_generichash_state state;
    segment_associated(bytes + 8, kind, number, associated);
    crypto_generichash_init(&state, NULL, 0, SEGMENT_TAG_SIZE);
    crypto_generichash_update(&state, associated, sizeof associated);
    crypto_generichash_update(&state, run, stored - SEGMENT_TAG_SIZE);
    crypto_generichash_final(&state, run + stored - SEGMENT_TAG_SIZE, SEGMENT_TAG_SIZE);
}

static void hashes_fix(u8 *bytes, size_t size)
{
    if (size < SEGMENT_FRONT_SIZE + SEGMENT_TRAILER_SIZE) return;
    u8 *trailer = bytes + size - SEGMENT_TRAILER_SIZE;
    struct segment_keys keys;
    segment_keys_derive(NULL, &keys);
    memcpy(bytes, SEGMENT_MAGIC, 8);
    memcpy(bytes + 8, trailer + TRAILER_ID, 16);
    memcpy(trailer + TRAILER_MAGIC, SEGMENT_MAGIC_END, 8);
    u64 root = be64_get(trailer + TRAILER_ROOT_OFFSET), end = size - SEGMENT_TRAILER_SIZE;
    if (root > end) return;
    bool sharded = be32_get(trailer + TRAILER_FLAGS) & SEGMENT_SHARDED;
    tag_fix(bytes, size, root, end - root, sharded ? SEGMENT_TABLE : SEGMENT_ROOT, 0);
    segment_hash(&keys, trailer, bytes + root, end - root, trailer + TRAILER_HASH);
}

void fuzz_seeds(void)
{
    for (u8 how = 0; how < 8; how++) {
        struct segment_writer w;
        struct segment_key key = key_make(how & 2);
        bool sharded = how & 4;
        struct segment_header h = {.flags = SEGMENT_IMAGE | (sharded ? SEGMENT_SHARDED : 0), .lineage = 1, .epoch = 1,
                                   .tx_min = 1, .tx_max = 5, .time_max_ms = 1700000000000, .page_size = 512,
                                   .page_count = 300, .database_id = {1}};
        u8 page[512], hash[SEGMENT_HASH_SIZE];
        u32 pages = how == 1 ? 200 : 3; // 200 are more than a block
        FUZZ_CHECK(segment_writer_begin(&w, &h, &key, 3) == ERR_OK);
        for (u32 i = 1; i <= pages && !sharded; i++) {
            memset(page, (u8)i, sizeof page);
            FUZZ_CHECK(segment_writer_page(&w, i, page) == ERR_OK);
        }
        struct segment_shard shard = {.shard = 0, .tx_min = 1, .tx_max = 2, .size = 77, .page_count = 300};
        if (sharded) FUZZ_CHECK(segment_writer_shard(&w, &shard) == ERR_OK);
        FUZZ_CHECK(segment_writer_finish(&w, hash) == ERR_OK);
        u8 *seed = malloc(w.size + 1);
        seed[0] = how;
        memcpy(seed + 1, w.bytes, w.size);
        fuzz_seed(seed, w.size + 1);
        free(seed);
        segment_writer_deinit(&w);
    }
}

static volatile u64 read_sum; // so that all bytes are looked at

static void read_whole(const u8 *bytes, size_t size, const struct segment_key *key)
{
    struct segment_reader r;
    struct err err = ERR_CLEAR;
    u32 number, before = 0;
    const u8 *page;
    u64 sum = 0;
    if (segment_reader_open(&r, bytes, size, "x", key, &err)) {
        while (segment_reader_next(&r, &number, &page, &err)) {
            FUZZ_CHECK(number > before);
            before = number;
            sum ^= segment_page_sum(number, page, r.index.header.page_size);
        }
    } else {
        FUZZ_CHECK(err.code != ERR_OK && err.text[0]);
    }
    segment_reader_deinit(&r);
    read_sum = sum;
}

static void read_ranges(const u8 *bytes, size_t size, const struct segment_key *key)
{
    struct segment_index x;
    struct segment_scratch scratch = {0};
    struct segment_where where;
    struct err err = ERR_CLEAR;
    u8 *out = malloc(SEGMENT_BLOCK_SIZE);
    segment_index_init(&x, "x", size, key, &scratch);
    u32 page = 1, fetches = 0;
    for (u32 i = 0; i < 50 && page && fetches < 200; i++) {
        enum segment_answer answer;
        while ((answer = segment_index_seek(&x, page, &where, &err)) == SEGMENT_FETCH && fetches++ < 200) {
            FUZZ_CHECK(where.offset <= size && where.size <= size - where.offset);
            u8 *copy = malloc(where.size ? where.size : 1);
            memcpy(copy, bytes + where.offset, where.size);
            bool good = segment_index_give(&x, &where, copy, where.size, &err);
            free(copy);
            FUZZ_CHECK(good || err.text[0]);
            if (!good) break;
        }
        if (answer != SEGMENT_FOUND) break;
        FUZZ_CHECK(where.page >= page && where.offset <= size && where.size <= size - where.offset);
        FUZZ_CHECK((u64)where.pages * x.header.page_size <= SEGMENT_BLOCK_SIZE && where.position < where.pages);
        if (!segment_block_open(&x, &where, bytes + where.offset, where.size, out, &scratch, &err)) break;
        page = segment_block_page(&x, &where, where.pages - 1) + 1;
        (void)segment_index_shard(&x, page ? page : 1);
    }
    segment_index_deinit(&x);
    segment_scratch_deinit(&scratch);
    free(out);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1) return 0;
    u8 how = data[0];
    size--;
    u8 *bytes = malloc(size ? size : 1);
    memcpy(bytes, data + 1, size);
    if (how & 1) hashes_fix(bytes, size);
    struct segment_key key = key_make(how & 2), parsed;
    segment_key_parse(bytes, size, &parsed);
    read_whole(bytes, size, &key);
    read_ranges(bytes, size, &key);
    free(bytes);
    return 0;
}
