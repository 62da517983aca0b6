// What the parts of a remote file share: remote.c (opening, the background), remote_map.c (the map), remote_chain.c
// (which segments), remote_file.c (the file), remote_pull.c (pages from the store), remote_sum.c (sums of pages that the
// store has). Private to this folder.
#pragma once

#include "chain.h"
#include "remote.h"
#include "restore.h"

#define REMOTE_PULLS_MAX       16
#define REMOTE_BACKGROUND_MAX  4
#define REMOTE_RUN_BLOCKS_MAX  16 // of one request
#define REMOTE_SOURCES_MAX     64 // indexes of shards that are kept
#define REMOTE_MAP_CHUNK       4096u
#define REMOTE_MAP_HEADER_SIZE 4096u
#define REMOTE_SUMS            1024u // of pages of the store, of those that were asked for

enum {
    REMOTE_HEADER_PAGE_SIZE = 8,
    REMOTE_HEADER_PAGES = 12,
    REMOTE_HEADER_LINEAGE = 16,
    REMOTE_HEADER_TX = 24,
    REMOTE_HEADER_TIME = 32,
    REMOTE_HEADER_DATABASE = 40,
};
enum remote_try { TRY_NEWEST, TRY_STATE, TRY_OPENED };

// An object that holds pages: a segment of the chain, or a shard of one.
struct source {
    char key[OBJECT_KEY_MAX];
    struct segment_index *index;
    bool owned; // the index is ours (a shard's), not the chain's
    void *fetching; // the pull that fetches a part of the index
    u32 pins;
    u64 used;
    u8 hash[SEGMENT_HASH_SIZE];
};

struct page_write {
    struct completion c;
    struct pull *pull;
    u32 first, count; // pages
};

// Brings a page, and what lies beside it in its object.
struct pull {
    struct remote *remote;
    struct object_request request;
    bool used, background, wanted; // wanted: a read waits for it
    bool sum, summed;              // only the page's sum is wanted, and is there
    u32 page, run_max;
    enum { PULL_FIND, PULL_INDEX, PULL_BLOCKS, PULL_WRITE, PULL_HERE } state;
    struct source *source; // pinned
    struct segment_where where[REMOTE_RUN_BLOCKS_MAX];
    u32 block_count;
    u64 offset, size; // of the blocks in the object
    u32 *numbers;     // of their pages
    u32 number_count;
    u8 *pages;
    struct page_write *writes;
    u32 write_count, writes_left;
    s64 write_result;
    bool lost; // what was written may be
};

// A read or write that waits for pages.
struct held {
    struct completion inner, *outer;
    struct remote *remote;
    const struct iovec *iov;
    u32 iov_count;
    u64 offset;
    u32 first, last; // pages
    bool write, sync, started;
    struct held *next;
};

struct page_sum {
    u32 page; // 0: none
    u64 sum;
};

struct remote {
    struct io_file file; // what was opened
    struct io_mount mount;
    struct remote_options options;
    struct io *io;
    char path[4096], map_path[4200], folder[4096];
    struct chain chain;
    struct segment_key key; // that the chain before had
    u64 key_lineage;
    enum { CHAIN_NONE, CHAIN_RUNS, CHAIN_FAILED, CHAIN_READY } chain_state;
    struct source *members; // of the chain
    struct source shards[REMOTE_SOURCES_MAX];
    u64 clock;
    struct segment_scratch scratch;
    struct io_file *native, *map_file;
    struct io_file *plain; // plain pages of native, which it owns when it is another: then native is encrypted
    u32 pages_at;          // offset of the first page in native
    u32 page_size, page_count;

    // What is not here is the same in every state of the store from the opened one up to state_tx.
    u64 state_tx, epoch; // epoch: with which this node pushes since it was opened; 0: it has not yet
    enum remote_try try_now;
    bool fenced;

    u8 *map; // a bit a page, set when it is here; then the chunk of remote_changes
    u8 *written; // a bit a page: here, and maybe not as the store has it
    u8 *came;    // a bit a page: here, as it came, and no sync has covered it yet
    u32 here;
    u8 *map_dirty; // a byte a chunk
    u8 *map_copy;  // of the chunks being written
    u32 map_chunks;
    bool changed; // in this life; the chunk behind the map's says so (remote_changes)

    struct pull pulls[REMOTE_PULLS_MAX];
    struct held *held, **held_last;
    u32 last_page; // of the newest demand: reads in order are read ahead
    u32 run_next;
    u32 cursor; // of the background
    struct err failure;
    u64 requests, bytes;
    bool whole, running, again, closing;
    // Sums of pages as of sum_tx: the pages that this node pushed since the chain was loaded, and some others.
    u64 sum_tx, reloaded_for;
    struct page_sum *pushed, found[REMOTE_SUMS];
    u32 pushed_count, pushed_capacity;
    struct wait_list sums_wait;
    struct err sum_err;
    bool sums_ended;

    u32 replans; // since a page came
    bool replan; // an object went, merged into another: the chain is made anew when no pull is under way
    struct completion retry, save; // timers: of the background, of the map
    u64 not_before_ns;

    // Making the map durable: the data first, then its chunks as they were before, then the map.
    enum { MAP_IDLE, MAP_DATA, MAP_CHUNK, MAP_SYNC, MAP_UNLINK, MAP_UNLINK_SYNC, MAP_CLOSE } map_step;
    struct completion map_done;
    u32 *map_list; // chunks of this round
    u32 map_count, map_next;
    bool map_again, map_last; // last: everything is here
    struct held *syncs, *syncs_next; // who waits for this round, and for the next
    u64 unsaved; // pages that came since
    s64 lost;    // a sync of the data failed that nobody had asked for: told to who asks next

    // Opening.
    u32 step;
    struct completion *open_done, c;
    struct err *open_err;
    struct remote **out;
    u32 opens; // of the file, not closed yet
    u64 native_size;
    u8 *header, *slots;
    bool resumed, opened, handed_over, unclaimed;
    u64 chain_read_ns;   // when the newest state was found
};

static inline bool remote_has(const struct remote *r, u32 page)
{
    return !page || page > r->page_count || (r->map[(page - 1) / 8] >> ((page - 1) % 8) & 1);
}
void remote_run(struct remote *r); // goes on with whatever can: reads, the background
void remote_open_run(struct remote *r);
__attribute__((format(printf, 4, 5))) void remote_log(struct remote *r, enum sync_log_level level, const char *event,
                                                      const char *format, ...);

// remote_map.c
void remote_mark(struct remote *r, u32 first, u32 last);  // pages are here
void remote_came(struct remote *r, u32 first, u32 last);  // from the store
void remote_wrote(struct remote *r, u32 first, u32 last); // and are this node's own
void remote_changed(struct remote *r);      // something is written to the file
void remote_changes_take(struct remote *r); // the chunk has been read
void remote_header_make(const struct remote *r, u8 out[REMOTE_MAP_HEADER_SIZE]);
bool remote_header_good(const u8 *h);
void remote_map_init(struct remote *r);
void remote_map_save(struct remote *r); // begins a round, or one more after the one under way
void remote_map_run(struct remote *r);

// remote_chain.c
void remote_chain_open(struct remote *r);
void remote_chain_again(struct remote *r); // no pull may be under way

// remote_sum.c
void remote_sums_reset(struct remote *r); // the chain is another
void remote_sums_deinit(struct remote *r);
void remote_sum_found(struct remote *r, u32 page, u64 sum);
bool remote_sum_local(const struct remote *r, u32 page); // the file has the page as the store has it

// remote_pull.c
// A pull for the page is under way, or is started; false: all are busy.
bool remote_pull(struct remote *r, u32 page, bool wanted, u32 run_max);
bool remote_pull_sum(struct remote *r, u32 page); // likewise, of its sum
bool remote_pulls_run(struct remote *r); // true: some ended
bool remote_pulls_busy(const struct remote *r);
bool remote_page_arriving(const struct remote *r, u32 page);
void remote_pulls_lost(struct remote *r); // what they have written, which they do again
void remote_pulls_cancel(struct remote *r);
bool remote_sources_init(struct remote *r);
void remote_sources_deinit(struct remote *r);
// A page could not be had: who waits for it is told.
void remote_held_fail(struct remote *r, u32 page, const struct err *err);

// remote_file.c
extern const struct io_file_ops remote_file_ops;
void remote_held_run(struct remote *r); // starts what has its pages now
