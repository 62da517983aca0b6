#include "segment.h"

#include <sodium.h>
#include <zstd.h>

u32 segment_raw_max = SEGMENT_RAW_MAX;

// Blocks behind one that cannot be compressed are tried quickly; that finds repetitions, but codes no single bytes, so every fourth is
// tried as ever. Ten times as fast as level 3 with what neither makes anything of.
#define LEVEL_FAST  (-5)
#define FAST_BLOCKS 4u
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

const char SEGMENT_MAGIC[8] = {'S', 'K', 'R', 'Y', 'S', 'E', 'G', '2'};
const char SEGMENT_MAGIC_END[8] = {'S', 'K', 'R', 'Y', 'E', 'N', 'D', '2'};

_Static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == SEGMENT_TAG_SIZE, "the tag of a run");
_Static_assert(TRAILER_MAGIC + 8 == SEGMENT_TRAILER_SIZE, "the trailer is full");

bool segment_key_parse(const void *text, size_t size, struct segment_key *out)
{
    const char *p = text;
    *out = (struct segment_key){0};
    if (size == sizeof out->bytes) {
        memcpy(out->bytes, p, size);
        out->given = true;
        return true;
    }
    while (size && (p[size - 1] == '\n' || p[size - 1] == '\r' || p[size - 1] == ' ')) size--;
    while (size && (*p == ' ' || *p == '\n')) p++, size--;
    size_t got = 0;
    if (size != 64 ||
        sodium_hex2bin(out->bytes, sizeof out->bytes, p, size, NULL, &got, NULL) != 0 || got != 32)
        return false;
    out->given = true;
    return true;
}

void segment_keys_derive(const struct segment_key *key, struct segment_keys *out)
{
    memset(out, 0, sizeof *out);
    if (!key || !key->given) return;
    out->given = true;
    crypto_generichash(out->seal, 32, (const u8 *)"skerry seal", 11, key->bytes, 32);
    crypto_generichash(out->hash, 32, (const u8 *)"skerry hash", 11, key->bytes, 32);
    crypto_generichash(out->check, 16, (const u8 *)"skerry check", 12, key->bytes, 32);
}

// ---- the trailer
// -------------------------------------------------------------------------------------------

void segment_trailer_encode(const struct segment_header *h, u8 out[SEGMENT_TRAILER_SIZE])
{
    memset(out, 0, SEGMENT_TRAILER_SIZE);
    be32_put(out + TRAILER_FLAGS, h->flags);
    be32_put(out + TRAILER_LEVEL, h->level);
    be32_put(out + TRAILER_SHARD, h->shard);
    be32_put(out + TRAILER_PAGE_SIZE, h->page_size);
    memcpy(out + TRAILER_DATABASE_ID, h->database_id, 16);
    be64_put(out + TRAILER_LINEAGE, h->lineage);
    be64_put(out + TRAILER_EPOCH, h->epoch);
    be64_put(out + TRAILER_TX_MIN, h->tx_min);
    be64_put(out + TRAILER_TX_MAX, h->tx_max);
    be64_put(out + TRAILER_TIME_MIN, (u64)h->time_min_ms);
    be64_put(out + TRAILER_TIME_MAX, (u64)h->time_max_ms);
    be64_put(out + TRAILER_SUM_BEFORE, h->sum_before);
    be64_put(out + TRAILER_SUM_AFTER, h->sum_after);
    be32_put(out + TRAILER_PAGE_COUNT, h->page_count);
    be32_put(out + TRAILER_WAL_SALT, h->wal_salt[0]);
    be32_put(out + TRAILER_WAL_SALT + 4, h->wal_salt[1]);
    be32_put(out + TRAILER_WAL_FRAME, h->wal_frame);
    memcpy(out + TRAILER_PARENT, h->parent, SEGMENT_HASH_SIZE);
    memcpy(out + TRAILER_TIP, h->tip, SEGMENT_HASH_SIZE);
}

void segment_associated(const u8 id[16], enum segment_run_kind kind, u32 number,
                        u8 out[SEGMENT_ASSOCIATED_SIZE])
{
    memcpy(out, id, 16);
    be32_put(out + 16, kind);
    be32_put(out + 20, number);
}

void segment_hash(const struct segment_keys *keys, const u8 *trailer, const u8 *root, size_t root_size,
                  u8 out[SEGMENT_HASH_SIZE])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, keys->given ? keys->hash : NULL, keys->given ? 32 : 0,
                            SEGMENT_HASH_SIZE);
    crypto_generichash_update(&state, trailer, TRAILER_HASH);
    crypto_generichash_update(&state, root, root_size);
    crypto_generichash_final(&state, out, SEGMENT_HASH_SIZE);
}

// ---- writing
// ------------------------------------------------------------------------------------------

static bool writer_room(struct segment_writer *w, size_t more)
{
    if (w->capacity - w->size >= more) return true;
    size_t capacity = MAX(w->capacity * 2, w->size + more);
    u8 *bigger = realloc(w->bytes, capacity);
    if (!bigger) return false;
    w->bytes = bigger;
    w->capacity = capacity;
    return true;
}

static size_t block_raw_max(u32 page_size)
{
    return MAX(SEGMENT_BLOCK_SIZE, page_size);
}

err_code segment_writer_begin(struct segment_writer *w, const struct segment_header *header,
                              const struct segment_key *key, int zstd_level)
{
    memset(w, 0, sizeof *w);
    w->header = *header;
    w->level = zstd_level;
    if (key) w->key = *key;
    w->header.flags = (header->flags & ~(u32)SEGMENT_ENCRYPTED) |
                      (w->key.given ? (u32)SEGMENT_ENCRYPTED : 0);
    w->block = malloc(block_raw_max(header->page_size));
    w->zstd = ZSTD_createCCtx();
    if (!w->block || !w->zstd || !writer_room(w, 4096)) return ERR_NOMEM;
    randombytes_buf(w->id, sizeof w->id);
    memcpy(w->bytes, SEGMENT_MAGIC, 8);
    memcpy(w->bytes + 8, w->id, 16);
    w->size = SEGMENT_FRONT_SIZE;
    return ERR_OK;
}

// Compresses, seals and appends raw bytes as a run.
static bool writer_seal(struct segment_writer *w, const u8 *raw, size_t raw_size,
                        enum segment_run_kind kind, u32 number, struct segment_run *run)
{
    size_t bound = ZSTD_compressBound(raw_size);
    // Compressed in place behind the nonce; the seal goes over it.
    if (!writer_room(w, NONCE_SIZE + bound + SEGMENT_TAG_SIZE)) return false;
    struct segment_keys keys;
    segment_keys_derive(&w->key, &keys);
    u8 associated[SEGMENT_ASSOCIATED_SIZE], *out = w->bytes + w->size;
    segment_associated(w->id, kind, number, associated);
    u8 *compressed = keys.given ? out + NONCE_SIZE : out;
    size_t size = ZSTD_compressCCtx(w->zstd, compressed, bound, raw, raw_size, w->incompressible % FAST_BLOCKS ? LEVEL_FAST : w->level);
    if (ZSTD_isError(size)) return false;
    if (kind == SEGMENT_BLOCK) w->incompressible = size > raw_size - raw_size / 16 ? w->incompressible + 1 : 0;
    run->offset = w->size;
    if (keys.given) {
        randombytes_buf(out, NONCE_SIZE);
        crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
            compressed, compressed + size, NULL, compressed, size, associated, sizeof associated,
            NULL, out, keys.seal);
        w->size += NONCE_SIZE + size + SEGMENT_TAG_SIZE;
    } else {
        segment_checksum(associated, compressed, size, compressed + size);
        w->size += size + SEGMENT_TAG_SIZE;
    }
    memcpy(run->tag, compressed + size, SEGMENT_TAG_SIZE);
    run->size = (u32)(w->size - run->offset);
    sodium_memzero(&keys, sizeof keys);
    return true;
}

static struct segment_run *runs_add(struct segment_runs *runs)
{
    if (runs->count == runs->capacity) {
        u32 capacity = runs->capacity ? runs->capacity * 2 : 64;
        struct segment_run *bigger = realloc(runs->items, capacity * sizeof *bigger);
        if (!bigger) return NULL;
        runs->items = bigger;
        runs->capacity = capacity;
    }
    struct segment_run *run = &runs->items[runs->count++];
    memset(run, 0, sizeof *run);
    return run;
}

static bool writer_flush_block(struct segment_writer *w)
{
    if (!w->block_pages) return true;
    struct segment_run *run = runs_add(&w->blocks);
    if (!run) return false;
    run->pages = w->block_pages;
    run->first_page = w->pages[w->page_count - w->block_pages];
    size_t size = (size_t)w->block_pages * w->header.page_size;
    w->block_pages = 0;
    return writer_seal(w, w->block, size, SEGMENT_BLOCK, w->blocks.count - 1, run);
}

err_code segment_writer_page(struct segment_writer *w, u32 number, const u8 *data)
{
    ASSERT(number && (!w->page_count || number > w->pages[w->page_count - 1]));
    ASSERT(!w->shard_count);
    if (w->page_count == w->page_capacity) {
        u32 capacity = w->page_capacity ? w->page_capacity * 2 : 256;
        u32 *bigger = realloc(w->pages, capacity * sizeof *bigger);
        if (!bigger) return ERR_NOMEM;
        w->pages = bigger;
        w->page_capacity = capacity;
    }
    memcpy(w->block + (size_t)w->block_pages * w->header.page_size, data, w->header.page_size);
    w->pages[w->page_count++] = number;
    w->block_pages++;
    if ((w->block_pages + 1) * w->header.page_size <= SEGMENT_BLOCK_SIZE) return ERR_OK;
    return writer_flush_block(w) ? ERR_OK : ERR_NOMEM;
}

err_code segment_writer_shard(struct segment_writer *w, const struct segment_shard *shard)
{
    ASSERT(!w->page_count && (w->header.flags & SEGMENT_SHARDED));
    if (w->shard_count == w->shard_capacity) {
        u32 capacity = w->shard_capacity ? w->shard_capacity * 2 : 64;
        struct segment_shard *bigger = realloc(w->shards, capacity * sizeof *bigger);
        if (!bigger) return ERR_NOMEM;
        w->shards = bigger;
        w->shard_capacity = capacity;
    }
    w->shards[w->shard_count++] = *shard;
    return ERR_OK;
}

u64 segment_writer_raw_size(const struct segment_writer *w)
{
    return (u64)w->page_count * w->header.page_size;
}

static bool writer_leaf(struct segment_writer *w, u32 first, u32 count, u32 page, u32 number,
                        struct segment_run *leaf)
{
    u32 pages = 0;
    for (u32 i = 0; i < count; i++) pages += w->blocks.items[first + i].pages;
    size_t raw_size = (size_t)count * SEGMENT_LEAF_ENTRY + (size_t)pages * 4;
    u8 *raw = malloc(raw_size), *p = raw;
    if (!raw) return false;
    for (u32 i = 0; i < count; i++, p += SEGMENT_LEAF_ENTRY) {
        const struct segment_run *b = &w->blocks.items[first + i];
        be32_put(p, b->size);
        be32_put(p + 4, b->pages);
        memcpy(p + 8, b->tag, SEGMENT_TAG_SIZE);
    }
    for (u32 i = 0; i < pages; i++, p += 4) be32_put(p, w->pages[page + i]);
    leaf->pages = pages;
    leaf->first_page = w->pages[page];
    bool good = writer_seal(w, raw, raw_size, SEGMENT_LEAF, number, leaf);
    free(raw);
    return good;
}

// The root's raw bytes: an entry a leaf. NULL: out of memory.
static u8 *writer_root(struct segment_writer *w, u32 *leaf_count)
{
    u32 count = (w->blocks.count + SEGMENT_LEAF_BLOCKS - 1) / SEGMENT_LEAF_BLOCKS, page = 0;
    u8 *root = malloc((size_t)count * SEGMENT_ROOT_ENTRY + 1);
    for (u32 i = 0; root && i < count; i++) {
        struct segment_run leaf = {0};
        u32 first = i * SEGMENT_LEAF_BLOCKS, blocks = MIN(w->blocks.count - first, SEGMENT_LEAF_BLOCKS);
        if (!writer_leaf(w, first, blocks, page, i, &leaf)) {
            free(root);
            return NULL;
        }
        u8 *p = root + (size_t)i * SEGMENT_ROOT_ENTRY;
        be64_put(p, w->blocks.items[first].offset);
        be64_put(p + 8, leaf.offset);
        be32_put(p + 16, leaf.size);
        be32_put(p + 20, leaf.first_page);
        be32_put(p + 24, blocks);
        be32_put(p + 28, leaf.pages);
        memcpy(p + 32, leaf.tag, SEGMENT_TAG_SIZE);
        page += leaf.pages;
    }
    *leaf_count = count;
    return root;
}

static u8 *writer_table(struct segment_writer *w)
{
    u8 *table = calloc(w->shard_count + 1u, SEGMENT_TABLE_ENTRY), *p = table;
    for (u32 i = 0; table && i < w->shard_count; i++, p += SEGMENT_TABLE_ENTRY) {
        const struct segment_shard *s = &w->shards[i];
        be32_put(p, s->shard);
        be32_put(p + 4, s->level);
        be64_put(p + 8, s->tx_min);
        be64_put(p + 16, s->tx_max);
        be64_put(p + 24, s->epoch);
        be64_put(p + 32, s->size);
        be32_put(p + 40, s->page_count);
        be64_put(p + 48, s->sum);
        memcpy(p + 56, s->hash, SEGMENT_HASH_SIZE);
    }
    return table;
}

err_code segment_writer_finish(struct segment_writer *w, u8 hash[SEGMENT_HASH_SIZE])
{
    bool sharded = (w->header.flags & SEGMENT_SHARDED) != 0;
    if (!writer_flush_block(w)) return ERR_NOMEM;
    u32 count = w->shard_count;
    u8 *root = sharded ? writer_table(w) : writer_root(w, &count);
    if (!root) return ERR_NOMEM;
    struct segment_run run = {0};
    size_t raw_size = (size_t)count * (sharded ? SEGMENT_TABLE_ENTRY : SEGMENT_ROOT_ENTRY);
    bool good = writer_seal(w, root, raw_size, sharded ? SEGMENT_TABLE : SEGMENT_ROOT, 0, &run) &&
                writer_room(w, SEGMENT_TRAILER_SIZE);
    free(root);
    if (!good) return ERR_NOMEM;
    u8 *trailer = w->bytes + w->size;
    struct segment_keys keys;
    segment_keys_derive(&w->key, &keys);
    segment_trailer_encode(&w->header, trailer);
    memcpy(trailer + TRAILER_ID, w->id, 16);
    memcpy(trailer + TRAILER_KEY_CHECK, keys.check, 16);
    be64_put(trailer + TRAILER_ROOT_OFFSET, run.offset);
    be32_put(trailer + TRAILER_ROOT_SIZE, run.size);
    be32_put(trailer + TRAILER_ENTRY_COUNT, count);
    be32_put(trailer + TRAILER_BLOCK_COUNT, w->blocks.count);
    be32_put(trailer + TRAILER_STORED_PAGES, w->page_count);
    segment_hash(&keys, trailer, w->bytes + run.offset, run.size, trailer + TRAILER_HASH);
    memcpy(trailer + TRAILER_MAGIC, SEGMENT_MAGIC_END, 8);
    memcpy(hash, trailer + TRAILER_HASH, SEGMENT_HASH_SIZE);
    w->size += SEGMENT_TRAILER_SIZE;
    sodium_memzero(&keys, sizeof keys);
    return ERR_OK;
}

void segment_writer_deinit(struct segment_writer *w)
{
    free(w->bytes);
    free(w->block);
    free(w->blocks.items);
    free(w->pages);
    free(w->shards);
    ZSTD_freeCCtx(w->zstd);
    sodium_memzero(w, sizeof *w);
}
