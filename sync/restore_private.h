// What the parts of a restore share: restore.c (its life), restore_pages.c (from the store to the file).
#pragma once

#include "fetch.h"
#include "restore.h"
#include "small_file.h"
#include "worker.h"

#define ITEM_BLOCKS       32u
#define ITEM_RAW_MAX      (ITEM_BLOCKS * SEGMENT_BLOCK_SIZE)
#define ITEM_STORED_MAX   (ITEM_RAW_MAX + ITEM_BLOCKS * 1024) // as stored, when nothing can be compressed
#define ITEM_ALIGNMENT    4096u                               // of memory and of page sizes for direct writes
#define DIRECT_SIZE_MIN   (128u << 10)                        // smaller writes are left to the kernel to put together
#define RESTORE_PARALLEL  8u
#define RESTORE_TRIES     8u
#define RESTORE_SOURCES   12u
#define WORKER_THREADS_MAX 32u

// Each step is re-run from its top after a wait, and the next one is named only when it is done.
enum restore_step {
    RESTORE_LOOK,  // is something there already?
    RESTORE_STATE, // what an earlier restore left
    RESTORE_CHAIN,
    RESTORE_PREPARE,
    RESTORE_CREATE,
    RESTORE_ALLOCATE, // of what the disk has, all or nothing
    RESTORE_DIRECT,   // opens it a second time
    RESTORE_PAGES,
    RESTORE_CHECK, // reads what an earlier restore wrote too
    RESTORE_TRUNCATE,
    RESTORE_SYNC,
    RESTORE_CLOSE,
    RESTORE_UNLINK_WAL, // of the file that is overwritten
    RESTORE_UNLINK_JOURNAL,
    RESTORE_NAME,
    RESTORE_UNLINK_ASIDE,
    RESTORE_SYNC_DIR,
    RESTORE_UNLINK_STATE,
    RESTORE_FAIL_SYNC,
    RESTORE_FAIL_STATE,
    RESTORE_FAIL_CLOSE,
    RESTORE_FAIL_UNLINK,
    RESTORE_FAIL_UNLINK_STATE,
    RESTORE_FINISHED,
};

// One object that pages are taken from, open or being opened.
struct restore_source {
    bool used, planned; // planned: all its pages are with items
    struct segment_index *index, own;
    struct fetch fetch;
    struct segment_where where;
    char key[OBJECT_KEY_MAX];
    const struct segment_shard *shard; // NULL: the member's own object
    u32 member;
    u32 page_first, page_last;         // what it may hold
    u32 cursor;                        // the next page to look for
    u32 items;                         // that read from it
};

// A run of blocks of one object under way.
struct restore_item {
    struct worker_job job;
    struct restore *restore;
    struct restore_source *source;
    struct fetch fetch;
    enum { ITEM_FREE, ITEM_FETCHING, ITEM_DECODING, ITEM_DECODED, ITEM_WRITING } state;
    u64 offset;
    u32 size, lead; // lead: of the object's front, read with its first block
    struct segment_where blocks[ITEM_BLOCKS];
    u32 block_count, page_count, wanted;
    u32 *numbers; // of its pages; 0: not wanted
    u8 *stored, *raw;
    u64 sum;
    struct err err;
    struct completion written;
    u32 write_at, write_count; // pages: behind the write under way; in it
    bool write_direct;
};

struct restore_private {
    struct restore_options options;
    struct store_key database_key;
    bool sealed;
    struct io *io;
    char *name, *out_path, *aside, *state_path, *folder, *wal, *journal;
    enum restore_step step;
    bool running, submitted, cancelled;
    bool link; // the name by a link
    bool failing, settled, keep; // after an error; keep: for the next restore to go on with
    bool replan; // which is this one
    bool lost;   // what was written may be
    u32 look;
    struct completion c;
    struct io_path_info info;
    struct chain chain;
    bool chain_started;
    struct segment_key key; // that the chain before had
    u64 key_lineage;
    struct io_file *file, *direct; // direct: for large writes, past the kernel's cache; NULL where that cannot be
    bool direct_refused;
    struct small_file small;
    struct workers *workers;
    struct segment_scratch scratch, scratches[WORKER_THREADS_MAX]; // of the loop; of threads
    struct restore_source sources[RESTORE_SOURCES];
    u32 source_first, source_count; // a ring, in order
    u32 member_next, shard_next;    // the next source
    bool sources_end;
    struct restore_item *items;
    u32 item_count;
    u8 *claimed, *done; // a bit a page
    u64 sum;
    // What an earlier restore left.
    bool resumed;
    u8 *state;
    size_t state_size;
    u8 *resume; // its pages, until all newer segments are planned: from then on they are claimed and done
    u32 resume_member, resume_pages;
    u64 saved_ns;
    enum { SAVE_NONE, SAVE_SYNC, SAVE_WRITE } save;
    struct completion save_sync;
    u8 *save_bytes;
    size_t save_size;
    // RESTORE_CHECK
    u8 *check_bytes;
    u32 check_page;
};

static inline bool bit_get(const u8 *bits, u32 page)
{
    return bits[(page - 1) >> 3] >> ((page - 1) & 7) & 1;
}
static inline void bit_set(u8 *bits, u32 page)
{
    bits[(page - 1) >> 3] |= (u8)(1u << ((page - 1) & 7));
}

void restore_run(struct restore *r);
void restore_wake(void *r);
// Restores all pages; IO_DONE when all are written.
io_status restore_pages(struct restore *r);
bool restore_pages_prepare(struct restore *r);
bool restore_pages_busy(struct restore *r);
void restore_pages_cancel(struct restore *r);
void restore_pages_deinit(struct restore *r);
