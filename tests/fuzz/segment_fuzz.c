// Any bytes are read as a backup segment, whole and by ranged reads, to the end or to an error. The first byte says how:
// 1: the object's hash is put right first; 2: there is a key; 8: the bytes are not an object but what is in one, the
// trailer, leaves and root, of which one is made: each compressed, checksummed and named by what is above it, so that
// what readers check behind all checksums is reached.
#include "../../sync/segment.h"
#include "fuzz.h"

#include <sodium.h>
#include <zstd.h>

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
    segment_associated(bytes + 8, kind, number, associated);
    segment_checksum(associated, run, stored - SEGMENT_TAG_SIZE, run + stored - SEGMENT_TAG_SIZE);
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

// ---- objects made of what is in them

#define LEAVES_MAX   3u
#define LEAF_RAW_MAX 8192u
#define ROOT_RAW_MAX 4096u
#define COMPOSED_MAX (2u << 20)

enum { // bits of the input's second byte: what it says of itself is taken as it is
    GIVEN_ROOT = 1,
    GIVEN_SIZES = 2,
    GIVEN_COUNTS = 4,
};

struct composed {
    u8 bytes[COMPOSED_MAX];
    size_t size;
    const u8 *data;
    size_t left;
};

// From the input; zeros when it is at its end.
static void take(struct composed *c, void *out, size_t size)
{
    size_t n = MIN(c->left, size);
    memset(out, 0, size);
    memcpy(out, c->data, n);
    c->data += n;
    c->left -= n;
}

static u32 run_add(struct composed *c, const u8 *raw, size_t raw_size, enum segment_run_kind kind, u32 number, u8 *tag)
{
    u64 offset = c->size;
    size_t frame = ZSTD_compress(c->bytes + offset, ZSTD_compressBound(raw_size), raw, raw_size, 1);
    FUZZ_CHECK(!ZSTD_isError(frame));
    u32 stored = (u32)frame + SEGMENT_TAG_SIZE;
    c->size += stored;
    tag_fix(c->bytes, c->size, offset, stored, kind, number);
    memcpy(tag, c->bytes + offset + frame, SEGMENT_TAG_SIZE);
    return stored;
}

struct leaf {
    u8 raw[LEAF_RAW_MAX];
    u32 blocks, raw_size, stored;
    u64 blocks_at, at;
    u8 tag[SEGMENT_TAG_SIZE];
};

// A leaf's blocks are pages of one byte, which nobody looks at.
static void blocks_add(struct composed *c, struct leaf *l, u32 page_size, u32 *block_count, u8 given)
{
    static u8 pages[2 * SEGMENT_BLOCK_SIZE];
    l->blocks_at = c->size;
    for (u32 i = 0; i < l->blocks; i++) {
        u8 *entry = l->raw + (size_t)i * SEGMENT_LEAF_ENTRY;
        u64 raw_size = MIN((u64)be32_get(entry + 4) * page_size, (u64)sizeof pages);
        u32 stored = run_add(c, pages, raw_size, SEGMENT_BLOCK, (*block_count)++, entry + 8);
        if (!(given & GIVEN_SIZES)) be32_put(entry, stored);
    }
}

// The input: what is taken as it is, a number of leaves, u16 bytes of the root; the trailer; of each leaf a number of
// blocks, u16 pages, and its raw bytes; the raw root.
static void compose(struct composed *c, const u8 *data, size_t size)
{
    static struct leaf leaves[LEAVES_MAX];
    u8 shape[4], trailer[SEGMENT_TRAILER_SIZE], root[ROOT_RAW_MAX], tag[SEGMENT_TAG_SIZE];
    c->size = SEGMENT_FRONT_SIZE, c->data = data, c->left = size;
    take(c, shape, sizeof shape);
    take(c, trailer, sizeof trailer);
    bool sharded = be32_get(trailer + TRAILER_FLAGS) & SEGMENT_SHARDED;
    u32 count = sharded ? 0 : shape[1] % (LEAVES_MAX + 1), blocks = 0;
    memcpy(c->bytes + 8, trailer + TRAILER_ID, 16);
    for (u32 i = 0; i < count; i++) {
        struct leaf *l = &leaves[i];
        u8 head[3];
        take(c, head, sizeof head);
        l->blocks = i + 1 < count && !(shape[0] & GIVEN_COUNTS) ? SEGMENT_LEAF_BLOCKS : head[0] % (SEGMENT_LEAF_BLOCKS + 2);
        l->raw_size = (u32)MIN(l->blocks * SEGMENT_LEAF_ENTRY + (head[1] << 8 | head[2]) * 4u, LEAF_RAW_MAX);
        take(c, l->raw, l->raw_size);
        blocks_add(c, l, be32_get(trailer + TRAILER_PAGE_SIZE), &blocks, shape[0]);
    }
    for (u32 i = 0; i < count; i++) {
        leaves[i].at = c->size;
        leaves[i].stored = run_add(c, leaves[i].raw, leaves[i].raw_size, SEGMENT_LEAF, i, leaves[i].tag);
    }
    u32 entry_size = sharded ? SEGMENT_TABLE_ENTRY : SEGMENT_ROOT_ENTRY;
    u32 root_size = MIN((u32)(shape[2] << 8 | shape[3]), ROOT_RAW_MAX);
    if (!(shape[0] & GIVEN_COUNTS)) root_size = sharded ? root_size - root_size % entry_size : count * entry_size;
    take(c, root, root_size);
    for (u32 i = 0; i < count && (i + 1) * entry_size <= root_size; i++) {
        u8 *entry = root + (size_t)i * entry_size;
        memcpy(entry + 32, leaves[i].tag, SEGMENT_TAG_SIZE);
        if (shape[0] & GIVEN_ROOT) continue;
        be64_put(entry, leaves[i].blocks_at);
        be64_put(entry + 8, leaves[i].at);
        be32_put(entry + 16, leaves[i].stored);
        be32_put(entry + 24, leaves[i].blocks);
        be32_put(entry + 28, (leaves[i].raw_size - leaves[i].blocks * SEGMENT_LEAF_ENTRY) / 4);
    }
    be64_put(trailer + TRAILER_ROOT_OFFSET, c->size);
    be32_put(trailer + TRAILER_ROOT_SIZE, run_add(c, root, root_size, sharded ? SEGMENT_TABLE : SEGMENT_ROOT, 0, tag));
    if (!(shape[0] & GIVEN_COUNTS)) {
        be32_put(trailer + TRAILER_ENTRY_COUNT, root_size / entry_size);
        be32_put(trailer + TRAILER_BLOCK_COUNT, blocks);
    }
    memcpy(c->bytes + c->size, trailer, sizeof trailer);
    c->size += sizeof trailer;
    hashes_fix(c->bytes, c->size);
}

// ---- reading

static volatile u64 read_sum; // so that all bytes are looked at

// Pages read before the end or an error.
static u32 read_whole(const u8 *bytes, size_t size, const struct segment_key *key)
{
    struct segment_reader r;
    struct err err = ERR_CLEAR;
    u32 number, before = 0, count = 0;
    const u8 *page;
    u64 sum = 0;
    if (segment_reader_open(&r, bytes, size, "x", key, &err)) {
        while (segment_reader_next(&r, &number, &page, &err)) {
            FUZZ_CHECK(number > before);
            before = number;
            count++;
            sum ^= segment_page_sum(number, page, r.index.header.page_size);
        }
    } else {
        FUZZ_CHECK(err.code != ERR_OK && err.text[0]);
    }
    segment_reader_deinit(&r);
    read_sum = sum;
    return count;
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

// ---- seeds, each of which is read to its end

// Inputs of compose that make good segments: of a leaf of two blocks, of two leaves, of two shards.
static void compose_seeds(void)
{
    for (u8 how = 0; how < 3; how++) {
        static u8 seed[65536];
        struct segment_header h = {.flags = SEGMENT_IMAGE, .lineage = 1, .epoch = 1, .tx_min = 1, .tx_max = 5, .page_size = 512, .page_count = 100000};
        u32 leaves = how == 2 ? 0 : how + 1u, shards = how == 2 ? 2 : 0, total = 0;
        if (shards) h.flags |= SEGMENT_SHARDED;
        u8 *p = seed, *trailer = seed + 5;
        *p++ = 8;
        *p++ = 0, *p++ = (u8)leaves;
        *p++ = 0, *p++ = (u8)(shards * SEGMENT_TABLE_ENTRY);
        segment_trailer_encode(&h, p);
        p += SEGMENT_TRAILER_SIZE;
        for (u32 i = 0; i < leaves; i++) {
            u32 blocks = i + 1 < leaves ? SEGMENT_LEAF_BLOCKS : 2, pages = blocks * 3;
            *p++ = (u8)blocks, *p++ = 0, *p++ = (u8)pages;
            memset(p, 0, blocks * SEGMENT_LEAF_ENTRY);
            for (u32 k = 0; k < blocks; k++, p += SEGMENT_LEAF_ENTRY) be32_put(p + 4, 3);
            for (u32 k = 0; k < pages; k++, p += 4) be32_put(p, 1000 * i + k * 2 + 1);
            total += pages;
        }
        be32_put(trailer + TRAILER_STORED_PAGES, total);
        u32 entry_size = shards ? SEGMENT_TABLE_ENTRY : SEGMENT_ROOT_ENTRY;
        memset(p, 0, (leaves + shards) * entry_size);
        for (u32 i = 0; i < leaves; i++, p += entry_size) be32_put(p + 20, 1000 * i + 1);
        for (u32 i = 0; i < shards; i++, p += entry_size) be32_put(p, i), be64_put(p + 8, 1), be64_put(p + 16, 5), be32_put(p + 40, 10);
        static struct composed c;
        compose(&c, seed + 1, (size_t)(p - seed) - 1);
        FUZZ_CHECK(read_whole(c.bytes, c.size, NULL) == total);
        fuzz_seed(seed, (size_t)(p - seed));
    }
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
        if (how == 1) hashes_fix(w.bytes, w.size);
        FUZZ_CHECK(read_whole(w.bytes, w.size, &key) == w.page_count);
        fuzz_seed(seed, w.size + 1);
        free(seed);
        segment_writer_deinit(&w);
    }
    compose_seeds();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1) return 0;
    u8 how = data[0];
    size--;
    u8 *bytes;
    if (how & 8) {
        static struct composed c;
        compose(&c, data + 1, size);
        bytes = malloc(c.size); // its end is where the object's is
        size = c.size;
        memcpy(bytes, c.bytes, size);
    } else {
        bytes = malloc(size ? size : 1);
        memcpy(bytes, data + 1, size);
        if (how & 1) hashes_fix(bytes, size);
    }
    struct segment_key key = key_make(how & 2), parsed;
    segment_key_parse(bytes, size, &parsed);
    (void)read_whole(bytes, size, &key);
    read_ranges(bytes, size, &key);
    free(bytes);
    return 0;
}
