// Page segments: the unit that goes to a store. A segment holds page images of a range of
// transactions, each page once, and says which state it brings the database to. docs/backup-format.md
// describes the bytes exactly, and how segments are named and put together.
//
// An object is a front (magic, identity), blocks of up to 64 KiB of whole pages, index leaves, a
// root, and a trailer. Blocks, leaves and root are each compressed, sealed and authenticated by
// themselves, and named by the tag that the next higher one holds: leaves hold the blocks' tags, the
// root the leaves', and the trailer's hash covers the root. So one page is one ranged read once the
// index is there, and no byte of the object can change unnoticed, whatever order it is read in.
//
// Large segments are cut into shards: objects of a fixed range of page numbers. The segment's own
// object then holds no pages but a table of its shards, some of which may be an older segment's.
//
// Three parts: segment_writer makes an object in memory; segment_index finds pages given ranges of
// an object that its owner fetches (no I/O of its own, bounded memory); segment_reader walks a whole
// object. A reader trusts nothing: every offset and size is checked.
#pragma once

#include "../io/base.h"
#include "../io/err.h"

#define SEGMENT_FRONT_SIZE   24u
#define SEGMENT_TRAILER_SIZE 384u
#define SEGMENT_HASH_SIZE    32u
#define SEGMENT_TAG_SIZE     16u
#define SEGMENT_BLOCK_SIZE   65536u
#define SEGMENT_RAW_MAX      (16u << 20) // page bytes in one object, and in the range of a shard
#define SEGMENT_LEAF_BLOCKS  64u
#define SEGMENT_TAIL_SIZE    16384u // a first read of so many bytes from the end mostly has the whole index

enum segment_flags {
    SEGMENT_IMAGE = 1,      // the whole database as of tx_max; tx_min is 1
    SEGMENT_BASE = 2,       // level 0: does not follow from the state before; see the image of this tx
    SEGMENT_SHARDED = 4,    // holds the table of its shards
    SEGMENT_SHARD = 8,      // is one shard of a segment
    SEGMENT_ENCRYPTED = 16, // set by the writer when it has a key
    SEGMENT_FLAGS_ALL = 31,
};

struct segment_header {
    u32 flags;
    u32 level;
    u32 shard; // SEGMENT_SHARD: holds pages shard * segment_shard_pages() + 1 and on
    u64 lineage, epoch;
    u64 tx_min, tx_max;
    s64 time_min_ms, time_max_ms; // Unix time of the first and the last transaction
    u32 page_size;
    u32 page_count; // of the database as of tx_max
    u64 sum_before, sum_after; // of the database: XOR of segment_page_sum of all pages. A shard's: of its own pages
    u32 wal_salt[2], wal_frame; // where the writer's WAL stood
    u8 database_id[16];
    u8 parent[SEGMENT_HASH_SIZE]; // hash of the level 0 object of tx_min - 1, zeros when there is none
    u8 tip[SEGMENT_HASH_SIZE];    // hash of the level 0 object of tx_max; zeros in that object itself
};

// The data key of a lineage; the segment's own keys derive from it.
struct segment_key {
    bool given;
    u8 bytes[32];
};
// 64 hexadecimal digits, or 32 raw bytes; white space around is ignored.
bool segment_key_parse(const void *text, size_t size, struct segment_key *out);

extern u32 segment_raw_max; // SEGMENT_RAW_MAX; less in simulations, whose databases are small
// Pages in a shard's range.
static inline u32 segment_shard_pages(u32 page_size)
{
    return segment_raw_max / page_size;
}
// The page that is never stored: it holds SQLite's lock bytes.
static inline u32 segment_lock_page(u32 page_size)
{
    return 0x40000000u / page_size + 1;
}
// 64 bits of a page and its number; their XOR over all pages (but the lock page) is a database's sum.
u64 segment_page_sum(u32 number, const u8 *data, u32 page_size);

// One entry of a sharded segment's table.
struct segment_shard {
    u32 shard, level; // the object: L<level>/<min>-<max>.<shard>.<epoch>
    u64 tx_min, tx_max, epoch;
    u64 size;
    u32 page_count;
    u64 sum; // XOR of segment_page_sum of its pages
    u8 hash[SEGMENT_HASH_SIZE];
};

// ---- writing
// ------------------------------------------------------------------------------------------

// One compressed and sealed part of an object.
struct segment_run {
    u64 offset;
    u32 size, pages, first_page;
    u8 tag[SEGMENT_TAG_SIZE];
};
struct segment_runs {
    struct segment_run *items;
    u32 count, capacity;
};

struct segment_writer {
    struct segment_header header; // may be changed until segment_writer_finish
    struct segment_key key;
    int level;
    u32 incompressible; // blocks in a row, of late
    u8 id[16];
    u8 *bytes; // the object so far
    size_t size, capacity;
    u8 *block; // raw pages of the block under way
    u32 block_pages, page_count, page_capacity;
    u32 *pages;
    struct segment_runs blocks;
    struct segment_shard *shards;
    u32 shard_count, shard_capacity;
    void *zstd;
};

err_code segment_writer_begin(struct segment_writer *w, const struct segment_header *header,
                              const struct segment_key *key, int zstd_level);
// Pages come in ascending order; data is copied.
err_code segment_writer_page(struct segment_writer *w, u32 number, const u8 *data);
// Instead of pages: SEGMENT_SHARDED. In ascending order.
err_code segment_writer_shard(struct segment_writer *w, const struct segment_shard *shard);
// bytes and size are then the object; hash is its own.
err_code segment_writer_finish(struct segment_writer *w, u8 hash[SEGMENT_HASH_SIZE]);
u64 segment_writer_raw_size(const struct segment_writer *w);
void segment_writer_deinit(struct segment_writer *w);

// ---- finding pages by ranged reads
// ---------------------------------------------------------------------------

#define SEGMENT_INDEX_LEAVES 4 // kept in memory at a time, a few KB each

enum segment_answer {
    SEGMENT_FETCH, // read where.range of the object, hand it to segment_index_give, ask again
    SEGMENT_FOUND, // where says the block, and the page's place in it
    SEGMENT_ABSENT,
    SEGMENT_BAD, // *err says why: ERR_STORE_CORRUPT, ERR_STORE_KEY, ERR_NOMEM
};
enum segment_run_kind { SEGMENT_BLOCK, SEGMENT_LEAF, SEGMENT_ROOT, SEGMENT_TABLE, SEGMENT_TAIL };

struct segment_where {
    u64 offset; // of the bytes in the object
    u32 size;
    enum segment_run_kind kind;
    u32 number; // of the run
    // SEGMENT_FOUND: the block at offset holds `pages` pages, the asked for one at `position`.
    u32 page, pages, position;
    u8 tag[SEGMENT_TAG_SIZE];
};

struct segment_index {
    // Valid once the tail was given.
    struct segment_header header;
    u8 hash[SEGMENT_HASH_SIZE]; // this object's
    u32 page_count;             // pages in this object
    u32 block_count, leaf_count, shard_count;
    struct segment_shard *shards; // SEGMENT_SHARDED, once the root is there; ascending

    // Private.
    char name[128];
    u64 size;
    struct segment_key key;
    u8 id[16];
    bool has_tail, has_root, borrowed;
    const u8 *tail;
    u64 tail_offset;
    u64 root_offset;
    u32 root_size;
    u8 *root;
    struct segment_leaf {
        u32 number; // 0xffffffff: free
        u64 used;
        u8 *raw;
        u32 blocks, pages;
    } leaves[SEGMENT_INDEX_LEAVES];
    u64 clock;
    struct segment_scratch *scratch;
};

// Reused between calls of one thread, so that opening a block allocates nothing.
struct segment_scratch {
    void *zstd;
    u8 *plain;
    size_t capacity;
};
void segment_scratch_deinit(struct segment_scratch *s);

// name is the object's, for messages; object_size comes from a listing, a head or a table.
// key may be NULL. Nothing else is copied: scratch is the owner's.
void segment_index_init(struct segment_index *x, const char *name, u64 object_size,
                        const struct segment_key *key, struct segment_scratch *scratch);
void segment_index_deinit(struct segment_index *x);
// Makes header, hash and root available: FETCH until FOUND or BAD.
enum segment_answer segment_index_open(struct segment_index *x, struct segment_where *where,
                                       struct err *err);
// Finds the first page that is stored here with a number of at least `page`: where->page tells
// which it is. Asking again is free.
enum segment_answer segment_index_seek(struct segment_index *x, u32 page, struct segment_where *where,
                                       struct err *err);
// The entry of the shard that holds a page's range; NULL: no page of that range is in the segment.
const struct segment_shard *segment_index_shard(const struct segment_index *x, u32 page);
// What was fetched for SEGMENT_FETCH: size must be where->size. False with *err when the bytes are
// bad. Bytes may go away afterwards.
bool segment_index_give(struct segment_index *x, const struct segment_where *where, const u8 *bytes,
                        size_t size, struct err *err);
// Opens a block that segment_index_seek found: out takes where->pages pages. Reads nothing that
// changes but the scratch, so that several threads may open blocks of one index, each with its own.
bool segment_block_open(const struct segment_index *x, const struct segment_where *where,
                        const u8 *bytes, size_t size, u8 *out, struct segment_scratch *scratch,
                        struct err *err);
// The first SEGMENT_FRONT_SIZE bytes of the object, which blocks do not cover.
bool segment_front_check(const struct segment_index *x, const u8 *front, struct err *err);
// Page numbers of the block that `where` names, ascending (its leaf is the last that was looked up).
u32 segment_block_page(const struct segment_index *x, const struct segment_where *where, u32 position);

// ---- a whole object
// ---------------------------------------------------------------------------------------------

struct segment_reader {
    struct segment_index index;
    struct segment_scratch scratch;
    const u8 *bytes;
    u8 *block;
    struct segment_where where;
    u32 position; // of the next page in the block; block is empty when it is where.pages
};

// Checks front, index and trailer; blocks are checked as they come. bytes must outlive the reader.
bool segment_reader_open(struct segment_reader *r, const u8 *bytes, size_t size, const char *name,
                         const struct segment_key *key, struct err *err);
// The next page: true with *data valid until the next call; false at the end or, with err set, on
// failure.
bool segment_reader_next(struct segment_reader *r, u32 *number, const u8 **data, struct err *err);
void segment_reader_deinit(struct segment_reader *r);

// Reads only the last SEGMENT_TRAILER_SIZE bytes of an object of object_size; nothing is
// authenticated yet.
bool segment_trailer_read(const u8 *trailer, u64 object_size, const char *name,
                          struct segment_header *out, struct err *err);

// ---- shared by writer and index
// --------------------------------------------------------------------------------

struct segment_keys {
    bool given;
    u8 seal[32], hash[32], check[16];
};
void segment_keys_derive(const struct segment_key *key, struct segment_keys *out);

// The trailer, big-endian, offsets in bytes.
enum {
    TRAILER_FLAGS = 0,
    TRAILER_LEVEL = 4,
    TRAILER_SHARD = 8,
    TRAILER_PAGE_SIZE = 12,
    TRAILER_ID = 16,
    TRAILER_DATABASE_ID = 32,
    TRAILER_LINEAGE = 48,
    TRAILER_EPOCH = 56,
    TRAILER_TX_MIN = 64,
    TRAILER_TX_MAX = 72,
    TRAILER_TIME_MIN = 80,
    TRAILER_TIME_MAX = 88,
    TRAILER_SUM_BEFORE = 96,
    TRAILER_SUM_AFTER = 104,
    TRAILER_PAGE_COUNT = 112, // of the database
    TRAILER_WAL_SALT = 116,
    TRAILER_WAL_FRAME = 124,
    TRAILER_PARENT = 128,
    TRAILER_TIP = 160,
    TRAILER_KEY_CHECK = 192,
    TRAILER_ROOT_OFFSET = 208,
    TRAILER_ROOT_SIZE = 216,
    TRAILER_ENTRY_COUNT = 220, // leaves, or shards of a sharded segment
    TRAILER_BLOCK_COUNT = 224,
    TRAILER_STORED_PAGES = 228,
    TRAILER_ZERO = 232,
    TRAILER_HASH = 344,
    TRAILER_MAGIC = 376,
};
// Sizes of an entry of the root, of a block in a leaf, and of a shard in the table.
#define SEGMENT_ROOT_ENTRY  48u
#define SEGMENT_LEAF_ENTRY  24u
#define SEGMENT_TABLE_ENTRY 88u
extern const char SEGMENT_MAGIC[8], SEGMENT_MAGIC_END[8];
void segment_trailer_encode(const struct segment_header *h, u8 out[SEGMENT_TRAILER_SIZE]);
// Associated data of a sealed run: the object's id, the kind and the number of the run.
#define SEGMENT_ASSOCIATED_SIZE 24u
void segment_associated(const u8 id[16], enum segment_run_kind kind, u32 number,
                        u8 out[SEGMENT_ASSOCIATED_SIZE]);
// The tag of a run that is not sealed.
void segment_checksum(const u8 associated[SEGMENT_ASSOCIATED_SIZE], const u8 *data, size_t size, u8 out[SEGMENT_TAG_SIZE]);
// The object's hash: over the trailer up to the hash, and the stored bytes of the root.
void segment_hash(const struct segment_keys *keys, const u8 *trailer, const u8 *root, size_t root_size,
                  u8 out[SEGMENT_HASH_SIZE]);
