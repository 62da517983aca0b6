// Page segments: the unit that goes to a store. One object holds page images, each page once, and
// says which commit it brings the database to.
//
// Format, all integers big-endian:
//   header   160 bytes: magic "SKRYSEG1", u32 header size, u32 flags, u64 sequence, u64 epoch, u64
//   transaction,
//            s64 Unix ms, u32 page size, u32 page count of the database, u32 wal salt 1, u32 wal
//            salt 2, u32 wal frame, u32 0, 16 bytes database id, 32 bytes hash of the previous
//            object, 16 bytes key check, 24 bytes 0
//   blocks   each up to 64 KiB of whole pages, zstd; plain: then 16 bytes BLAKE2b-128 of the
//   compressed bytes;
//            encrypted: 24 bytes nonce, XChaCha20-Poly1305 of the compressed bytes with 16 bytes
//            tag, associated data = header and u32 block number
//   index    stored like a block, number 0xffffffff: for each block u64 offset, u32 stored size,
//   u32 pages;
//            then for each page, in order, u32 page number
//   trailer  64 bytes: u64 index offset, u32 index stored size, u32 block count, u32 page count,
//   u32 0, 32 bytes
//            BLAKE2b-256 of all that stands before this field, magic "SKRYEND1". That hash is the
//            object's, and the parent of the next.
//
// A reader trusts nothing: every offset and size is checked, a wrong byte anywhere fails the hash.
#pragma once

#include "../io/base.h"
#include "../io/err.h"

#define SEGMENT_HEADER_SIZE  160
#define SEGMENT_TRAILER_SIZE 64
#define SEGMENT_HASH_SIZE    32
#define SEGMENT_BLOCK_SIZE   65536u
#define SEGMENT_RAW_MAX      (16u << 20) // page bytes in one object

enum segment_flags {
    SEGMENT_FULL = 1,      // starts a whole image: what came before does not count
    SEGMENT_COMMIT = 2,    // with this one the database is consistent again
    SEGMENT_ENCRYPTED = 4, // set by the writer when it has a key
};

struct segment_header {
    u32 flags;
    u64 sequence, epoch, transaction;
    s64 time_ms;
    u32 page_size, page_count;
    u32 wal_salt[2], wal_frame; // where the writer's WAL stood
    u8 database_id[16];
    u8 parent[SEGMENT_HASH_SIZE];
};

struct segment_key {
    bool given;
    u8 bytes[32];
};
// 64 hexadecimal digits, or 32 raw bytes; white space around is ignored.
bool segment_key_parse(const void *text, size_t size, struct segment_key *out);

// ---- writing
// ------------------------------------------------------------------------------------------

struct segment_writer {
    struct segment_header header;
    struct segment_key key; // derived for this database
    int level;
    u8 *bytes; // the object so far
    size_t size, capacity;
    u8 *block; // raw pages of the block under way
    u32 block_pages, block_count, page_count, page_capacity;
    u32 *pages;
    struct segment_block {
        u64 offset;
        u32 size, pages;
    } * blocks;
    u32 block_capacity;
    void *zstd;
};

err_code segment_writer_begin(struct segment_writer *w, const struct segment_header *header,
                              const struct segment_key *key, int zstd_level);
err_code segment_writer_page(struct segment_writer *w, u32 number, const u8 *data);
// bytes and size are then the object; hash is its own.
err_code segment_writer_finish(struct segment_writer *w, u8 hash[SEGMENT_HASH_SIZE]);
u64 segment_writer_raw_size(const struct segment_writer *w);
void segment_writer_deinit(struct segment_writer *w);

// ---- reading
// ------------------------------------------------------------------------------------------

struct segment_reader {
    struct segment_header header;
    u8 hash[SEGMENT_HASH_SIZE];
    u32 page_count; // pages in here
    const u8 *bytes;
    size_t size;
    struct segment_key key;
    u8 *index; // decoded
    u32 block_count, block, page_in_block, page;
    u8 *block_bytes;
};

// Reads only a header (SEGMENT_HEADER_SIZE bytes). name is the object's, for messages.
bool segment_header_read(const u8 *bytes, size_t size, const char *name, struct segment_header *out,
                         struct err *err);
// Checks the whole object; bytes must outlive the reader. ERR_STORE_CORRUPT, ERR_STORE_KEY,
// ERR_NOMEM.
bool segment_reader_open(struct segment_reader *r, const u8 *bytes, size_t size, const char *name,
                         const struct segment_key *key, struct err *err);
// The next page: true with *data valid until the next call; false at the end or, with err set, on
// failure.
bool segment_reader_next(struct segment_reader *r, const char *name, u32 *number, const u8 **data,
                         struct err *err);
void segment_reader_deinit(struct segment_reader *r);
