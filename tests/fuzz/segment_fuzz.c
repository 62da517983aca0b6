// Any bytes are read as a backup segment to the end or to an error. The first byte says whether the object's hashes are
// put right first, and whether there is a key.
#include "../../sync/segment.h"
#include "fuzz.h"

#include <sodium.h>

#define BLOCK_HASH_SIZE 16u

static struct segment_key key_make(bool given)
{
    struct segment_key key = {.given = given};
    memset(key.bytes, 7, sizeof key.bytes);
    return key;
}

static void hash_fix(u8 *bytes, u64 size, u64 offset, u64 stored)
{
    if (offset > size || stored > size - offset || stored < BLOCK_HASH_SIZE) return;
    crypto_generichash(bytes + offset + stored - BLOCK_HASH_SIZE, BLOCK_HASH_SIZE, bytes + offset,
                       stored - BLOCK_HASH_SIZE, NULL, 0);
}

static void hashes_fix(u8 *bytes, size_t size)
{
    if (size < SEGMENT_HEADER_SIZE + SEGMENT_TRAILER_SIZE) return;
    u8 *trailer = bytes + size - SEGMENT_TRAILER_SIZE;
    u64 index = be64_get(trailer);
    hash_fix(bytes, size, index, be32_get(trailer + 8));
    if (index > SEGMENT_HEADER_SIZE) hash_fix(bytes, size, SEGMENT_HEADER_SIZE, index - SEGMENT_HEADER_SIZE);
    crypto_generichash(trailer + 24, SEGMENT_HASH_SIZE, bytes, size - SEGMENT_TRAILER_SIZE + 24, NULL, 0);
    memcpy(trailer + 56, "SKRYEND1", 8);
}

void fuzz_seeds(void)
{
    for (u8 how = 0; how < 4; how++) {
        struct segment_writer w;
        struct segment_key key = key_make(how & 2);
        struct segment_header h = {.flags = SEGMENT_FULL | SEGMENT_COMMIT, .sequence = 1, .epoch = 1, .transaction = 5,
                                   .time_ms = 1700000000000, .page_size = 512, .page_count = 300, .database_id = {1}};
        u8 page[512], hash[SEGMENT_HASH_SIZE];
        u32 pages = how == 1 ? 200 : 3; // 200 are more than a block
        FUZZ_CHECK(segment_writer_begin(&w, &h, &key, 3) == ERR_OK);
        for (u32 i = 1; i <= pages; i++) {
            memset(page, (u8)i, sizeof page);
            FUZZ_CHECK(segment_writer_page(&w, i, page) == ERR_OK);
        }
        FUZZ_CHECK(segment_writer_finish(&w, hash) == ERR_OK);
        u8 *seed = malloc(w.size + 1);
        seed[0] = how;
        memcpy(seed + 1, w.bytes, w.size);
        fuzz_seed(seed, w.size + 1);
        free(seed);
        segment_writer_deinit(&w);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1) return 0;
    u8 how = data[0];
    u8 *bytes = malloc(size);
    size--;
    memcpy(bytes, data + 1, size);
    if (how & 1) hashes_fix(bytes, size);
    u8 *exact = malloc(size ? size : 1);
    memcpy(exact, bytes, size);
    free(bytes);
    struct segment_key key = key_make(how & 2), parsed;
    struct segment_header header;
    struct segment_reader r;
    struct err err = ERR_CLEAR;
    if (!segment_header_read(exact, size, "x", &header, &err)) FUZZ_CHECK(err.text[0]);
    err_clear(&err);
    segment_key_parse(exact, size, &parsed);
    if (segment_reader_open(&r, exact, size, "x", &key, &err)) {
        u32 number;
        const u8 *page;
        volatile u64 sum = 0;
        while (segment_reader_next(&r, "x", &number, &page, &err))
            for (u32 i = 0; i < r.header.page_size; i++) sum += page[i];
        (void)sum;
    } else {
        FUZZ_CHECK(err.code != ERR_OK && err.text[0]);
    }
    segment_reader_deinit(&r);
    free(exact);
    return 0;
}
