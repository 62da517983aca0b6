#include "segment.h"

#include <sodium.h>
#include <zstd.h>

#define NONCE_SIZE   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE     crypto_aead_xchacha20poly1305_ietf_ABYTES
#define CHECK_SIZE   16
#define INDEX_NUMBER 0xffffffffu
#define HASH_OFFSET  24 // of the hash in the trailer

static const char MAGIC[8] = {'S', 'K', 'R', 'Y', 'S', 'E', 'G', '1'};
static const char MAGIC_END[8] = {'S', 'K', 'R', 'Y', 'E', 'N', 'D', '1'};

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

// The key of one database, so that no two databases share one, and a value that tells a wrong key
// at once.
static void key_derive(const struct segment_key *master, const u8 database_id[16],
                       struct segment_key *out, u8 check[16])
{
    *out = (struct segment_key){0};
    memset(check, 0, 16);
    if (!master || !master->given) return;
    u8 context[14 + 16] = "skerry-segment";
    memcpy(context + 14, database_id, 16);
    crypto_generichash(out->bytes, sizeof out->bytes, context, sizeof context, master->bytes,
                       sizeof master->bytes);
    crypto_generichash(check, 16, (const u8 *)"check", 5, out->bytes, sizeof out->bytes);
    out->given = true;
}

static void header_encode(const struct segment_header *h, const u8 check[16],
                          u8 out[SEGMENT_HEADER_SIZE])
{
    memset(out, 0, SEGMENT_HEADER_SIZE);
    memcpy(out, MAGIC, 8);
    be32_put(out + 8, SEGMENT_HEADER_SIZE);
    be32_put(out + 12, h->flags);
    be64_put(out + 16, h->sequence);
    be64_put(out + 24, h->epoch);
    be64_put(out + 32, h->transaction);
    be64_put(out + 40, (u64)h->time_ms);
    be32_put(out + 48, h->page_size);
    be32_put(out + 52, h->page_count);
    be32_put(out + 56, h->wal_salt[0]);
    be32_put(out + 60, h->wal_salt[1]);
    be32_put(out + 64, h->wal_frame);
    memcpy(out + 72, h->database_id, 16);
    memcpy(out + 88, h->parent, SEGMENT_HASH_SIZE);
    memcpy(out + 120, check, 16);
}

static bool corrupt(struct err *err, const char *name, const char *what)
{
    err_set(err, ERR_STORE_CORRUPT, "segment",
            "object %s is damaged: %s; restore it from another copy of the store", name, what);
    return false;
}

bool segment_header_read(const u8 *bytes, size_t size, const char *name, struct segment_header *out,
                         struct err *err)
{
    if (size < SEGMENT_HEADER_SIZE || memcmp(bytes, MAGIC, 8) != 0)
        return corrupt(err, name, "it does not start like a segment");
    if (be32_get(bytes + 8) != SEGMENT_HEADER_SIZE)
        return corrupt(err, name, "its header has another size");
    out->flags = be32_get(bytes + 12);
    out->sequence = be64_get(bytes + 16);
    out->epoch = be64_get(bytes + 24);
    out->transaction = be64_get(bytes + 32);
    out->time_ms = (s64)be64_get(bytes + 40);
    out->page_size = be32_get(bytes + 48);
    out->page_count = be32_get(bytes + 52);
    out->wal_salt[0] = be32_get(bytes + 56);
    out->wal_salt[1] = be32_get(bytes + 60);
    out->wal_frame = be32_get(bytes + 64);
    memcpy(out->database_id, bytes + 72, 16);
    memcpy(out->parent, bytes + 88, SEGMENT_HASH_SIZE);
    u32 page_size = out->page_size;
    if (page_size < 512 || page_size > 65536 || (page_size & (page_size - 1)))
        return corrupt(err, name, "its page size is impossible");
    if (out->flags & ~(u32)(SEGMENT_FULL | SEGMENT_COMMIT | SEGMENT_ENCRYPTED))
        return corrupt(err, name, "it has flags that this version does not know");
    return true;
}

// ---- writing
// ------------------------------------------------------------------------------------------

static err_code writer_room(struct segment_writer *w, size_t more)
{
    if (w->capacity - w->size >= more) return ERR_OK;
    size_t capacity = MAX(w->capacity * 2, w->size + more);
    u8 *bigger = realloc(w->bytes, capacity);
    if (!bigger) return ERR_NOMEM;
    w->bytes = bigger;
    w->capacity = capacity;
    return ERR_OK;
}

err_code segment_writer_begin(struct segment_writer *w, const struct segment_header *header,
                              const struct segment_key *key, int zstd_level)
{
    memset(w, 0, sizeof *w);
    w->header = *header;
    w->level = zstd_level;
    u8 check[16];
    key_derive(key, header->database_id, &w->key, check);
    w->header.flags =
        (header->flags & ~(u32)SEGMENT_ENCRYPTED) | (w->key.given ? SEGMENT_ENCRYPTED : 0);
    w->block = malloc(MAX(SEGMENT_BLOCK_SIZE, header->page_size));
    w->zstd = ZSTD_createCCtx();
    if (!w->block || !w->zstd || writer_room(w, SEGMENT_HEADER_SIZE) != ERR_OK) return ERR_NOMEM;
    header_encode(&w->header, check, w->bytes);
    w->size = SEGMENT_HEADER_SIZE;
    return ERR_OK;
}

// Compresses, seals and appends raw bytes.
static err_code writer_seal(struct segment_writer *w, const u8 *raw, size_t raw_size, u32 number)
{
    size_t bound = ZSTD_compressBound(raw_size);
    u8 *compressed = malloc(bound);
    err_code code = compressed ? writer_room(w, NONCE_SIZE + bound + TAG_SIZE) : ERR_NOMEM;
    if (code != ERR_OK) {
        free(compressed);
        return code;
    }
    size_t size = ZSTD_compressCCtx(w->zstd, compressed, bound, raw, raw_size, w->level);
    if (ZSTD_isError(size)) {
        free(compressed);
        return ERR_NOMEM;
    }
    u8 *out = w->bytes + w->size;
    if (w->key.given) {
        u8 associated[SEGMENT_HEADER_SIZE + 4];
        unsigned long long sealed_size;
        memcpy(associated, w->bytes, SEGMENT_HEADER_SIZE);
        be32_put(associated + SEGMENT_HEADER_SIZE, number);
        randombytes_buf(out, NONCE_SIZE);
        crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_SIZE, &sealed_size, compressed, size,
                                                   associated, sizeof associated, NULL, out,
                                                   w->key.bytes);
        w->size += NONCE_SIZE + sealed_size;
    } else {
        memcpy(out, compressed, size);
        crypto_generichash(out + size, CHECK_SIZE, compressed, size, NULL, 0);
        w->size += size + CHECK_SIZE;
    }
    free(compressed);
    return ERR_OK;
}

static err_code writer_flush_block(struct segment_writer *w)
{
    if (!w->block_pages) return ERR_OK;
    if (w->block_count == w->block_capacity) {
        u32 capacity = w->block_capacity ? w->block_capacity * 2 : 64;
        struct segment_block *bigger = realloc(w->blocks, capacity * sizeof *bigger);
        if (!bigger) return ERR_NOMEM;
        w->blocks = bigger;
        w->block_capacity = capacity;
    }
    size_t offset = w->size;
    err_code code =
        writer_seal(w, w->block, (size_t)w->block_pages * w->header.page_size, w->block_count);
    if (code != ERR_OK) return code;
    w->blocks[w->block_count++] =
        (struct segment_block){offset, (u32)(w->size - offset), w->block_pages};
    w->block_pages = 0;
    return ERR_OK;
}

err_code segment_writer_page(struct segment_writer *w, u32 number, const u8 *data)
{
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
    return writer_flush_block(w);
}

u64 segment_writer_raw_size(const struct segment_writer *w)
{
    return (u64)w->page_count * w->header.page_size;
}

err_code segment_writer_finish(struct segment_writer *w, u8 hash[SEGMENT_HASH_SIZE])
{
    err_code code = writer_flush_block(w);
    size_t index_size = (size_t)w->block_count * 16 + (size_t)w->page_count * 4;
    u8 *index = malloc(index_size + 1);
    if (code != ERR_OK || !index) {
        free(index);
        return ERR_NOMEM;
    }
    u8 *p = index;
    for (u32 i = 0; i < w->block_count; i++, p += 16) {
        be64_put(p, w->blocks[i].offset);
        be32_put(p + 8, w->blocks[i].size);
        be32_put(p + 12, w->blocks[i].pages);
    }
    for (u32 i = 0; i < w->page_count; i++, p += 4) be32_put(p, w->pages[i]);
    size_t offset = w->size;
    code = writer_seal(w, index, index_size, INDEX_NUMBER);
    free(index);
    size_t sealed_size = w->size - offset;
    if (code == ERR_OK) code = writer_room(w, SEGMENT_TRAILER_SIZE);
    if (code != ERR_OK) return code;
    u8 *trailer = w->bytes + w->size;
    be64_put(trailer, offset);
    be32_put(trailer + 8, (u32)sealed_size);
    be32_put(trailer + 12, w->block_count);
    be32_put(trailer + 16, w->page_count);
    be32_put(trailer + 20, 0);
    crypto_generichash(trailer + HASH_OFFSET, SEGMENT_HASH_SIZE, w->bytes, w->size + HASH_OFFSET,
                       NULL, 0);
    memcpy(trailer + HASH_OFFSET + SEGMENT_HASH_SIZE, MAGIC_END, 8);
    memcpy(hash, trailer + HASH_OFFSET, SEGMENT_HASH_SIZE);
    w->size += SEGMENT_TRAILER_SIZE;
    return ERR_OK;
}

void segment_writer_deinit(struct segment_writer *w)
{
    free(w->bytes);
    free(w->block);
    free(w->blocks);
    free(w->pages);
    ZSTD_freeCCtx(w->zstd);
    sodium_memzero(w, sizeof *w);
}

// ---- reading
// ------------------------------------------------------------------------------------------

// Opens a sealed run into a new buffer of exactly raw_size bytes (known from the format); NULL with
// err set.
static u8 *reader_unseal(struct segment_reader *r, u64 offset, u32 size, u32 number,
                         size_t raw_size, const char *name, struct err *err)
{
    const u8 *in = r->bytes + offset;
    u8 *plain = NULL, *raw = malloc(raw_size + 1);
    const u8 *compressed = in;
    size_t compressed_size = 0;
    if (!raw) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    if (r->key.given) {
        u8 associated[SEGMENT_HEADER_SIZE + 4];
        unsigned long long opened_size;
        if (size < NONCE_SIZE + TAG_SIZE || !(plain = malloc(size))) {
            free(raw);
            corrupt(err, name, "a block is too short");
            return NULL;
        }
        memcpy(associated, r->bytes, SEGMENT_HEADER_SIZE);
        be32_put(associated + SEGMENT_HEADER_SIZE, number);
        if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &opened_size, NULL, in + NONCE_SIZE,
                                                       size - NONCE_SIZE, associated,
                                                       sizeof associated, in, r->key.bytes) != 0) {
            free(raw);
            free(plain);
            corrupt(err, name, "a block does not open with this key");
            return NULL;
        }
        compressed = plain;
        compressed_size = (size_t)opened_size;
    } else {
        u8 check[CHECK_SIZE];
        if (size < CHECK_SIZE) {
            free(raw);
            corrupt(err, name, "a block is too short");
            return NULL;
        }
        compressed_size = size - CHECK_SIZE;
        crypto_generichash(check, sizeof check, in, compressed_size, NULL, 0);
        if (memcmp(check, in + compressed_size, CHECK_SIZE) != 0) {
            free(raw);
            corrupt(err, name, "a block does not match its checksum");
            return NULL;
        }
    }
    size_t got = ZSTD_decompress(raw, raw_size, compressed, compressed_size);
    free(plain);
    if (ZSTD_isError(got) || got != raw_size) {
        free(raw);
        corrupt(err, name, "a block does not decompress to its size");
        return NULL;
    }
    return raw;
}

// Block table and page numbers: everything that later calls rely on is checked here.
static bool reader_index(struct segment_reader *r, const char *name, struct err *err)
{
    const u8 *trailer = r->bytes + r->size - SEGMENT_TRAILER_SIZE;
    u64 offset = be64_get(trailer), end = r->size - SEGMENT_TRAILER_SIZE;
    u32 sealed_size = be32_get(trailer + 8);
    r->block_count = be32_get(trailer + 12);
    if (offset < SEGMENT_HEADER_SIZE || offset > end || sealed_size != end - offset)
        return corrupt(err, name, "its index lies outside");
    r->page_count = be32_get(trailer + 16);
    u32 pages_max = SEGMENT_RAW_MAX / r->header.page_size + SEGMENT_BLOCK_SIZE;
    if (r->page_count > pages_max || r->block_count > r->page_count)
        return corrupt(err, name, "it claims too many pages");
    size_t raw_size = (size_t)r->block_count * 16 + (size_t)r->page_count * 4;
    r->index = reader_unseal(r, offset, sealed_size, INDEX_NUMBER, raw_size, name, err);
    if (!r->index) return false;
    u64 pages = 0, next = SEGMENT_HEADER_SIZE;
    for (u32 i = 0; i < r->block_count; i++) {
        const u8 *b = r->index + (size_t)i * 16;
        u32 count = be32_get(b + 12);
        if (be64_get(b) != next || be32_get(b + 8) > offset - next || count == 0 ||
            (u64)count * r->header.page_size > MAX(SEGMENT_BLOCK_SIZE, r->header.page_size))
            return corrupt(err, name, "its index does not fit its blocks");
        next += be32_get(b + 8);
        pages += count;
    }
    if (next != offset || pages != r->page_count)
        return corrupt(err, name, "its index does not fit its blocks");
    return true;
}

bool segment_reader_open(struct segment_reader *r, const u8 *bytes, size_t size, const char *name,
                         const struct segment_key *key, struct err *err)
{
    memset(r, 0, sizeof *r);
    r->bytes = bytes;
    r->size = size;
    if (!segment_header_read(bytes, size, name, &r->header, err)) return false;
    if (size < SEGMENT_HEADER_SIZE + SEGMENT_TRAILER_SIZE ||
        memcmp(bytes + size - 8, MAGIC_END, 8) != 0)
        return corrupt(err, name, "its end is missing");
    crypto_generichash(r->hash, sizeof r->hash, bytes, size - SEGMENT_TRAILER_SIZE + HASH_OFFSET,
                       NULL, 0);
    if (memcmp(r->hash, bytes + size - SEGMENT_TRAILER_SIZE + HASH_OFFSET, SEGMENT_HASH_SIZE) != 0)
        return corrupt(err, name, "its bytes do not match its hash");
    if (r->header.flags & SEGMENT_ENCRYPTED) {
        u8 check[16];
        if (!key || !key->given) {
            err_set(err, ERR_STORE_KEY, __func__,
                    "object %s is encrypted; give the key with --key-file or SKERRY_KEY_FILE",
                    name);
            return false;
        }
        key_derive(key, r->header.database_id, &r->key, check);
        if (sodium_memcmp(check, bytes + 120, 16) != 0) {
            err_set(err, ERR_STORE_KEY, __func__,
                    "object %s was encrypted with another key than the one given", name);
            return false;
        }
    }
    return reader_index(r, name, err);
}

bool segment_reader_next(struct segment_reader *r, const char *name, u32 *number, const u8 **data,
                         struct err *err)
{
    if (r->page == r->page_count) return false;
    const u8 *b = r->index + (size_t)r->block * 16;
    if (r->block_bytes && r->page_in_block == be32_get(b + 12)) {
        free(r->block_bytes);
        r->block_bytes = NULL;
        r->block++;
        b += 16;
    }
    if (!r->block_bytes) {
        size_t raw_size = (size_t)be32_get(b + 12) * r->header.page_size;
        r->block_bytes =
            reader_unseal(r, be64_get(b), be32_get(b + 8), r->block, raw_size, name, err);
        if (!r->block_bytes) return false;
        r->page_in_block = 0;
    }
    *number = be32_get(r->index + (size_t)r->block_count * 16 + (size_t)r->page * 4);
    *data = r->block_bytes + (size_t)r->page_in_block * r->header.page_size;
    r->page++;
    r->page_in_block++;
    if (*number == 0) return corrupt(err, name, "it names page 0");
    return true;
}

void segment_reader_deinit(struct segment_reader *r)
{
    free(r->index);
    free(r->block_bytes);
    r->index = r->block_bytes = NULL;
}
