#include "segment.h"

#include <sodium.h>
#include <zstd.h>

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define LEAF_FREE  0xffffffffu

static bool corrupt(struct err *err, const char *name, const char *what)
{
    err_set(err, ERR_STORE_CORRUPT, "segment",
            "object %s is damaged: %s; restore it from another copy of the store", name, what);
    return false;
}

// ---- opening runs
// ---------------------------------------------------------------------------------------------

static bool scratch_room(struct segment_scratch *s, size_t size)
{
    if (!s->zstd) s->zstd = ZSTD_createDCtx();
    if (!s->zstd) return false;
    if (s->capacity >= size) return true;
    free(s->plain);
    s->plain = malloc(size);
    s->capacity = s->plain ? size : 0;
    return s->plain != NULL;
}

void segment_scratch_deinit(struct segment_scratch *s)
{
    ZSTD_freeDCtx(s->zstd);
    free(s->plain);
    *s = (struct segment_scratch){0};
}

// Checks and opens a run into exactly raw_size bytes, which the format tells beforehand. tag: what
// the index says the run's must be; NULL for the root, which the trailer's hash covers.
static bool run_open(const struct segment_index *x, enum segment_run_kind kind, u32 number,
                     const u8 *bytes, size_t size, const u8 *tag, u8 *raw, size_t raw_size,
                     struct segment_scratch *scratch, struct err *err)
{
    u8 associated[SEGMENT_ASSOCIATED_SIZE];
    const u8 *compressed = bytes;
    size_t around = SEGMENT_TAG_SIZE + (x->key.given ? NONCE_SIZE : 0);
    if (size < around) return corrupt(err, x->name, "a block is too short");
    if (tag && memcmp(tag, bytes + size - SEGMENT_TAG_SIZE, SEGMENT_TAG_SIZE) != 0)
        return corrupt(err, x->name, "a block is not the one that the index names");
    if (!scratch_room(scratch, size)) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    segment_associated(x->id, kind, number, associated);
    size_t compressed_size = size - around;
    if (x->key.given) {
        struct segment_keys keys;
        segment_keys_derive(&x->key, &keys);
        int bad = crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
            scratch->plain, NULL, bytes + NONCE_SIZE, compressed_size, bytes + size - SEGMENT_TAG_SIZE,
            associated, sizeof associated, bytes, keys.seal);
        sodium_memzero(&keys, sizeof keys);
        if (bad) return corrupt(err, x->name, "a block does not open with this key");
        compressed = scratch->plain;
    } else {
        u8 check[SEGMENT_TAG_SIZE];
        segment_checksum(associated, bytes, compressed_size, check);
        if (memcmp(check, bytes + compressed_size, sizeof check) != 0)
            return corrupt(err, x->name, "a block does not match its checksum");
    }
    size_t got = ZSTD_decompressDCtx(scratch->zstd, raw, raw_size, compressed, compressed_size);
    if (ZSTD_isError(got) || got != raw_size)
        return corrupt(err, x->name, "a block does not decompress to its size");
    return true;
}

// ---- the trailer
// ----------------------------------------------------------------------------------------------

bool segment_trailer_read(const u8 *t, u64 object_size, const char *name, struct segment_header *out,
                          struct err *err)
{
    if (object_size < SEGMENT_FRONT_SIZE + SEGMENT_TRAILER_SIZE ||
        memcmp(t + TRAILER_MAGIC, SEGMENT_MAGIC_END, 8) != 0)
        return corrupt(err, name, "it does not end like a segment");
    out->flags = be32_get(t + TRAILER_FLAGS);
    out->level = be32_get(t + TRAILER_LEVEL);
    out->shard = be32_get(t + TRAILER_SHARD);
    out->page_size = be32_get(t + TRAILER_PAGE_SIZE);
    memcpy(out->database_id, t + TRAILER_DATABASE_ID, 16);
    out->lineage = be64_get(t + TRAILER_LINEAGE);
    out->epoch = be64_get(t + TRAILER_EPOCH);
    out->tx_min = be64_get(t + TRAILER_TX_MIN);
    out->tx_max = be64_get(t + TRAILER_TX_MAX);
    out->time_min_ms = (s64)be64_get(t + TRAILER_TIME_MIN);
    out->time_max_ms = (s64)be64_get(t + TRAILER_TIME_MAX);
    out->sum_before = be64_get(t + TRAILER_SUM_BEFORE);
    out->sum_after = be64_get(t + TRAILER_SUM_AFTER);
    out->page_count = be32_get(t + TRAILER_PAGE_COUNT);
    out->wal_salt[0] = be32_get(t + TRAILER_WAL_SALT);
    out->wal_salt[1] = be32_get(t + TRAILER_WAL_SALT + 4);
    out->wal_frame = be32_get(t + TRAILER_WAL_FRAME);
    memcpy(out->parent, t + TRAILER_PARENT, SEGMENT_HASH_SIZE);
    memcpy(out->tip, t + TRAILER_TIP, SEGMENT_HASH_SIZE);
    u32 page_size = out->page_size;
    if (page_size < 512 || page_size > 65536 || (page_size & (page_size - 1)))
        return corrupt(err, name, "its page size is impossible");
    if (out->flags & ~(u32)SEGMENT_FLAGS_ALL)
        return corrupt(err, name, "it has flags that this version does not know");
    if ((out->flags & SEGMENT_SHARDED) && (out->flags & SEGMENT_SHARD))
        return corrupt(err, name, "it is both whole and a part");
    if (out->tx_min > out->tx_max || out->tx_min == 0)
        return corrupt(err, name, "its range of transactions is impossible");
    return true;
}

// Everything in the trailer that does not need the root.
static bool trailer_give(struct segment_index *x, const u8 *t, struct err *err)
{
    if (!segment_trailer_read(t, x->size, x->name, &x->header, err)) return false;
    memcpy(x->id, t + TRAILER_ID, sizeof x->id);
    memcpy(x->hash, t + TRAILER_HASH, sizeof x->hash);
    x->root_offset = be64_get(t + TRAILER_ROOT_OFFSET);
    x->root_size = be32_get(t + TRAILER_ROOT_SIZE);
    u32 entries = be32_get(t + TRAILER_ENTRY_COUNT);
    bool sharded = (x->header.flags & SEGMENT_SHARDED) != 0;
    x->leaf_count = sharded ? 0 : entries;
    x->shard_count = sharded ? entries : 0;
    x->block_count = be32_get(t + TRAILER_BLOCK_COUNT);
    x->page_count = be32_get(t + TRAILER_STORED_PAGES);
    u64 end = x->size - SEGMENT_TRAILER_SIZE;
    if (x->root_offset < SEGMENT_FRONT_SIZE || x->root_offset > end ||
        x->root_size != end - x->root_offset)
        return corrupt(err, x->name, "its index lies outside");
    // Each entry holds a tag or a hash, which do not compress.
    if (entries > x->root_size || x->block_count > x->size / SEGMENT_TAG_SIZE ||
        x->leaf_count != (x->block_count + SEGMENT_LEAF_BLOCKS - 1) / SEGMENT_LEAF_BLOCKS)
        return corrupt(err, x->name, "it claims more than it can hold");
    if (x->header.flags & SEGMENT_ENCRYPTED) {
        if (!x->key.given) {
            err_set(err, ERR_STORE_KEY, __func__,
                    "object %s is encrypted; give the key with --key-file or SKERRY_KEY_FILE",
                    x->name);
            return false;
        }
        struct segment_keys keys;
        segment_keys_derive(&x->key, &keys);
        bool same = sodium_memcmp(keys.check, t + TRAILER_KEY_CHECK, 16) == 0;
        sodium_memzero(&keys, sizeof keys);
        if (!same) {
            err_set(err, ERR_STORE_KEY, __func__,
                    "object %s was encrypted with another key than the one given", x->name);
            return false;
        }
    } else {
        x->key.given = false;
    }
    return true;
}

// ---- the root
// ---------------------------------------------------------------------------------------------

static bool root_check(struct segment_index *x, struct err *err)
{
    u64 block_end = SEGMENT_FRONT_SIZE, leaf_end = 0, blocks = 0, pages = 0;
    u32 page = 0, pages_a_block = MAX(1u, SEGMENT_BLOCK_SIZE / x->header.page_size);
    for (u32 i = 0; i < x->leaf_count; i++) {
        const u8 *p = x->root + (size_t)i * SEGMENT_ROOT_ENTRY;
        u64 block_offset = be64_get(p), leaf_offset = be64_get(p + 8);
        u32 size = be32_get(p + 16), first = be32_get(p + 20), count = be32_get(p + 24),
            stored = be32_get(p + 28);
        bool last = i + 1 == x->leaf_count;
        if (block_offset < block_end || (i == 0 && block_offset != SEGMENT_FRONT_SIZE) ||
            (i > 0 && leaf_offset != leaf_end) || block_offset >= leaf_offset ||
            leaf_offset > x->root_offset || size > x->root_offset - leaf_offset ||
            (last && leaf_offset + size != x->root_offset) || first <= page ||
            first > x->header.page_count || count == 0 || count > SEGMENT_LEAF_BLOCKS ||
            (!last && count != SEGMENT_LEAF_BLOCKS) || stored < count ||
            stored > (u64)count * pages_a_block)
            return corrupt(err, x->name, "its index does not fit its blocks");
        block_end = block_offset + 1;
        leaf_end = leaf_offset + size;
        page = first;
        blocks += count;
        pages += stored;
    }
    if (blocks != x->block_count || pages != x->page_count ||
        (x->leaf_count == 0 && x->root_offset != SEGMENT_FRONT_SIZE))
        return corrupt(err, x->name, "its index does not fit its blocks");
    return true;
}

static bool table_read(struct segment_index *x, struct err *err)
{
    x->shards = calloc(x->shard_count + 1u, sizeof *x->shards);
    if (!x->shards) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    u32 shard_pages = segment_shard_pages(x->header.page_size);
    for (u32 i = 0; i < x->shard_count; i++) {
        const u8 *p = x->root + (size_t)i * SEGMENT_TABLE_ENTRY;
        struct segment_shard *s = &x->shards[i];
        *s = (struct segment_shard){.shard = be32_get(p),
                                    .level = be32_get(p + 4),
                                    .tx_min = be64_get(p + 8),
                                    .tx_max = be64_get(p + 16),
                                    .epoch = be64_get(p + 24),
                                    .size = be64_get(p + 32),
                                    .page_count = be32_get(p + 40),
                                    .sum = be64_get(p + 48)};
        memcpy(s->hash, p + 56, SEGMENT_HASH_SIZE);
        if ((i && s->shard <= x->shards[i - 1].shard) || s->page_count > shard_pages ||
            s->shard > (x->header.page_count - 1) / shard_pages || s->tx_max > x->header.tx_max ||
            s->tx_min > s->tx_max)
            return corrupt(err, x->name, "its table of shards is impossible");
    }
    if (x->block_count || x->page_count || x->root_offset != SEGMENT_FRONT_SIZE)
        return corrupt(err, x->name, "it has pages beside its table of shards");
    return true;
}

static bool root_give(struct segment_index *x, const u8 *bytes, const u8 *trailer, struct err *err)
{
    bool sharded = (x->header.flags & SEGMENT_SHARDED) != 0;
    u32 count = sharded ? x->shard_count : x->leaf_count;
    size_t raw_size = (size_t)count * (sharded ? SEGMENT_TABLE_ENTRY : SEGMENT_ROOT_ENTRY);
    struct segment_keys keys;
    u8 hash[SEGMENT_HASH_SIZE];
    segment_keys_derive(&x->key, &keys);
    segment_hash(&keys, trailer, bytes, x->root_size, hash);
    sodium_memzero(&keys, sizeof keys);
    if (memcmp(hash, x->hash, sizeof hash) != 0)
        return corrupt(err, x->name, "its index does not match its hash");
    x->root = malloc(raw_size + 1);
    if (!x->root) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    if (!run_open(x, sharded ? SEGMENT_TABLE : SEGMENT_ROOT, 0, bytes, x->root_size, NULL, x->root,
                  raw_size, x->scratch, err))
        return false;
    if (!(sharded ? table_read(x, err) : root_check(x, err))) return false;
    x->has_root = true;
    return true;
}

// ---- leaves
// ------------------------------------------------------------------------------------------------

static const u8 *root_entry(const struct segment_index *x, u32 leaf)
{
    return x->root + (size_t)leaf * SEGMENT_ROOT_ENTRY;
}

// Offset behind the last block of a leaf.
static u64 blocks_end(const struct segment_index *x, u32 leaf)
{
    return leaf + 1 < x->leaf_count ? be64_get(root_entry(x, leaf + 1)) : be64_get(root_entry(x, 0) + 8);
}

static bool leaf_give(struct segment_index *x, u32 number, const u8 *bytes, size_t size, struct err *err)
{
    const u8 *entry = root_entry(x, number);
    struct segment_leaf *leaf = &x->leaves[0];
    for (u32 i = 1; i < SEGMENT_INDEX_LEAVES; i++)
        if (x->leaves[i].used < leaf->used) leaf = &x->leaves[i];
    free(leaf->raw);
    *leaf = (struct segment_leaf){.number = LEAF_FREE};
    u32 blocks = be32_get(entry + 24), pages = be32_get(entry + 28);
    u32 pages_a_block = MAX(1u, SEGMENT_BLOCK_SIZE / x->header.page_size);
    size_t raw_size = (size_t)blocks * SEGMENT_LEAF_ENTRY + (size_t)pages * 4;
    leaf->raw = malloc(raw_size);
    if (!leaf->raw) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    if (!run_open(x, SEGMENT_LEAF, number, bytes, size, entry + 32, leaf->raw, raw_size, x->scratch, err))
        return false;
    u64 stored = 0, count = 0;
    for (u32 i = 0; i < blocks; i++) {
        const u8 *p = leaf->raw + (size_t)i * SEGMENT_LEAF_ENTRY;
        u32 here = be32_get(p + 4);
        if (here == 0 || here > pages_a_block)
            return corrupt(err, x->name, "an index leaf does not fit its blocks");
        stored += be32_get(p);
        count += here;
    }
    if (count != pages || stored != blocks_end(x, number) - be64_get(entry))
        return corrupt(err, x->name, "an index leaf does not fit its blocks");
    u32 limit = number + 1 < x->leaf_count ? be32_get(root_entry(x, number + 1) + 20) : 0xffffffffu;
    const u8 *numbers = leaf->raw + (size_t)blocks * SEGMENT_LEAF_ENTRY;
    for (u32 i = 0; i < pages; i++) {
        u32 page = be32_get(numbers + (size_t)i * 4);
        if ((i == 0 && page != be32_get(entry + 20)) || page >= limit || page > x->header.page_count ||
            (i && page <= be32_get(numbers + (size_t)i * 4 - 4)))
            return corrupt(err, x->name, "an index leaf has its pages out of order");
    }
    leaf->blocks = blocks;
    leaf->pages = pages;
    leaf->number = number;
    leaf->used = ++x->clock;
    return true;
}

// ---- the index
// ---------------------------------------------------------------------------------------------

void segment_index_init(struct segment_index *x, const char *name, u64 object_size,
                        const struct segment_key *key, struct segment_scratch *scratch)
{
    memset(x, 0, sizeof *x);
    snprintf(x->name, sizeof x->name, "%s", name);
    x->size = object_size;
    if (key) x->key = *key;
    x->scratch = scratch;
    for (u32 i = 0; i < SEGMENT_INDEX_LEAVES; i++) x->leaves[i].number = LEAF_FREE;
}

void segment_index_deinit(struct segment_index *x)
{
    if (!x->borrowed) free((void *)(uintptr_t)x->tail);
    free(x->root);
    free(x->shards);
    for (u32 i = 0; i < SEGMENT_INDEX_LEAVES; i++) free(x->leaves[i].raw);
    sodium_memzero(x, sizeof *x);
}

// Part of the object that the tail holds, or NULL.
static const u8 *tail_part(const struct segment_index *x, u64 offset, u64 size)
{
    if (!x->has_tail || offset < x->tail_offset || size > x->size - offset) return NULL;
    return x->tail + (offset - x->tail_offset);
}

enum segment_answer segment_index_open(struct segment_index *x, struct segment_where *where,
                                       struct err *err)
{
    if (x->has_root) return SEGMENT_FOUND;
    memset(where, 0, sizeof *where);
    if (!x->has_tail) {
        if (x->size < SEGMENT_FRONT_SIZE + SEGMENT_TRAILER_SIZE) {
            corrupt(err, x->name, "it is too short");
            return SEGMENT_BAD;
        }
        where->kind = SEGMENT_TAIL;
        where->size = (u32)MIN(x->size, (u64)SEGMENT_TAIL_SIZE);
        where->offset = x->size - where->size;
        return SEGMENT_FETCH;
    }
    const u8 *root = tail_part(x, x->root_offset, x->root_size);
    if (root) {
        const u8 *trailer = tail_part(x, x->size - SEGMENT_TRAILER_SIZE, SEGMENT_TRAILER_SIZE);
        return root_give(x, root, trailer, err) ? SEGMENT_FOUND : SEGMENT_BAD;
    }
    where->kind = SEGMENT_ROOT;
    where->offset = x->root_offset;
    where->size = x->root_size;
    return SEGMENT_FETCH;
}

static bool tail_give(struct segment_index *x, const u8 *bytes, size_t size, bool borrow, struct err *err)
{
    u8 *copy = NULL;
    if (!borrow && !(copy = malloc(size))) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    if (copy) memcpy(copy, bytes, size);
    x->tail = borrow ? bytes : copy;
    x->borrowed = borrow;
    x->tail_offset = x->size - size;
    x->has_tail = true;
    return trailer_give(x, bytes + size - SEGMENT_TRAILER_SIZE, err);
}

bool segment_index_give(struct segment_index *x, const struct segment_where *where, const u8 *bytes,
                        size_t size, struct err *err)
{
    if (size != where->size) return corrupt(err, x->name, "it ends before its end");
    switch (where->kind) {
    case SEGMENT_TAIL: return x->has_tail || tail_give(x, bytes, size, false, err);
    case SEGMENT_ROOT: {
        const u8 *trailer = tail_part(x, x->size - SEGMENT_TRAILER_SIZE, SEGMENT_TRAILER_SIZE);
        return x->has_root || root_give(x, bytes, trailer, err);
    }
    case SEGMENT_LEAF: return leaf_give(x, where->number, bytes, size, err);
    case SEGMENT_BLOCK:
    case SEGMENT_TABLE: break;
    }
    ASSERT(false);
}

static struct segment_leaf *leaf_find(struct segment_index *x, u32 number)
{
    for (u32 i = 0; i < SEGMENT_INDEX_LEAVES; i++)
        if (x->leaves[i].number == number) return &x->leaves[i];
    return NULL;
}

// The leaf in memory; or what to fetch.
static enum segment_answer leaf_get(struct segment_index *x, u32 number, struct segment_leaf **out,
                                    struct segment_where *where, struct err *err)
{
    *out = leaf_find(x, number);
    if (!*out) {
        const u8 *entry = root_entry(x, number);
        where->kind = SEGMENT_LEAF;
        where->number = number;
        where->offset = be64_get(entry + 8);
        where->size = be32_get(entry + 16);
        const u8 *bytes = tail_part(x, where->offset, where->size);
        if (!bytes) return SEGMENT_FETCH;
        if (!leaf_give(x, number, bytes, where->size, err)) return SEGMENT_BAD;
        *out = leaf_find(x, number);
    }
    (*out)->used = ++x->clock;
    return SEGMENT_FOUND;
}

enum segment_answer segment_index_seek(struct segment_index *x, u32 page, struct segment_where *where,
                                       struct err *err)
{
    enum segment_answer answer = segment_index_open(x, where, err);
    if (answer != SEGMENT_FOUND) return answer;
    memset(where, 0, sizeof *where);
    // The last leaf that starts at or before the page; when all its pages are smaller, the next one.
    u32 low = 0, high = x->leaf_count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (be32_get(root_entry(x, middle) + 20) <= page)
            low = middle + 1;
        else
            high = middle;
    }
    for (u32 number = low ? low - 1 : 0; number < x->leaf_count; number++) {
        struct segment_leaf *leaf;
        answer = leaf_get(x, number, &leaf, where, err);
        if (answer != SEGMENT_FOUND) return answer;
        const u8 *numbers = leaf->raw + (size_t)leaf->blocks * SEGMENT_LEAF_ENTRY;
        u32 from = 0, to = leaf->pages;
        while (from < to) {
            u32 middle = from + (to - from) / 2;
            if (be32_get(numbers + (size_t)middle * 4) < page)
                from = middle + 1;
            else
                to = middle;
        }
        if (from == leaf->pages) continue;
        where->kind = SEGMENT_BLOCK;
        where->page = be32_get(numbers + (size_t)from * 4);
        where->offset = be64_get(root_entry(x, number));
        const u8 *p = leaf->raw;
        u32 block = 0;
        for (; from >= be32_get(p + 4); block++, p += SEGMENT_LEAF_ENTRY) {
            from -= be32_get(p + 4);
            where->offset += be32_get(p);
        }
        where->size = be32_get(p);
        where->pages = be32_get(p + 4);
        where->position = from;
        where->number = number * SEGMENT_LEAF_BLOCKS + block;
        memcpy(where->tag, p + 8, SEGMENT_TAG_SIZE);
        return SEGMENT_FOUND;
    }
    return SEGMENT_ABSENT;
}

u32 segment_block_page(const struct segment_index *x, const struct segment_where *where, u32 position)
{
    for (u32 i = 0; i < SEGMENT_INDEX_LEAVES; i++) {
        const struct segment_leaf *leaf = &x->leaves[i];
        if (leaf->number != where->number / SEGMENT_LEAF_BLOCKS) continue;
        const u8 *numbers = leaf->raw + (size_t)leaf->blocks * SEGMENT_LEAF_ENTRY;
        for (u32 b = 0; b < where->number % SEGMENT_LEAF_BLOCKS; b++)
            position += be32_get(leaf->raw + (size_t)b * SEGMENT_LEAF_ENTRY + 4);
        return be32_get(numbers + (size_t)position * 4);
    }
    ASSERT(false);
}

const struct segment_shard *segment_index_shard(const struct segment_index *x, u32 page)
{
    u32 shard = (page - 1) / segment_shard_pages(x->header.page_size), low = 0, high = x->shard_count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (x->shards[middle].shard < shard)
            low = middle + 1;
        else
            high = middle;
    }
    return low < x->shard_count && x->shards[low].shard == shard ? &x->shards[low] : NULL;
}

bool segment_block_open(const struct segment_index *x, const struct segment_where *where,
                        const u8 *bytes, size_t size, u8 *out, struct segment_scratch *scratch,
                        struct err *err)
{
    if (size != where->size) return corrupt(err, x->name, "it ends before its end");
    return run_open(x, SEGMENT_BLOCK, where->number, bytes, size, where->tag, out,
                    (size_t)where->pages * x->header.page_size, scratch, err);
}

bool segment_front_check(const struct segment_index *x, const u8 *front, struct err *err)
{
    if (memcmp(front, SEGMENT_MAGIC, 8) != 0) return corrupt(err, x->name, "it does not start like a segment");
    if (memcmp(front + 8, x->id, sizeof x->id) != 0) return corrupt(err, x->name, "its start and its end are of two objects");
    return true;
}

// ---- a whole object
// ---------------------------------------------------------------------------------------------

bool segment_reader_open(struct segment_reader *r, const u8 *bytes, size_t size, const char *name,
                         const struct segment_key *key, struct err *err)
{
    memset(r, 0, sizeof *r);
    segment_index_init(&r->index, name, size, key, &r->scratch);
    r->bytes = bytes;
    if (size < SEGMENT_FRONT_SIZE + SEGMENT_TRAILER_SIZE) return corrupt(err, name, "it is too short");
    if (memcmp(bytes, SEGMENT_MAGIC, 8) != 0) return corrupt(err, name, "it does not start like a segment");
    if (!tail_give(&r->index, bytes, size, true, err) || !segment_front_check(&r->index, bytes, err)) return false;
    if (segment_index_open(&r->index, &r->where, err) != SEGMENT_FOUND) return false;
    r->block = malloc(MAX(SEGMENT_BLOCK_SIZE, r->index.header.page_size));
    if (!r->block) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    r->where = (struct segment_where){0};
    return true;
}

bool segment_reader_next(struct segment_reader *r, u32 *number, const u8 **data, struct err *err)
{
    if (r->position == r->where.pages) {
        u32 from = 1;
        if (r->where.pages) from = segment_block_page(&r->index, &r->where, r->where.pages - 1) + 1;
        if (from == 0) return false;
        enum segment_answer answer = segment_index_seek(&r->index, from, &r->where, err);
        if (answer != SEGMENT_FOUND) return false;
        if (!segment_block_open(&r->index, &r->where, r->bytes + r->where.offset, r->where.size,
                                r->block, &r->scratch, err)) {
            r->position = r->where.pages = 0;
            return false;
        }
        r->position = 0;
    }
    *number = segment_block_page(&r->index, &r->where, r->position);
    *data = r->block + (size_t)r->position * r->index.header.page_size;
    r->position++;
    return true;
}

void segment_reader_deinit(struct segment_reader *r)
{
    segment_index_deinit(&r->index);
    segment_scratch_deinit(&r->scratch);
    free(r->block);
    r->block = NULL;
}
