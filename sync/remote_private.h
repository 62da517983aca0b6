// What the parts of a remote file share: remote.c (opening, the map, the background), remote_file.c
// (the file), remote_pull.c (pages from the store). Private to this folder.
#pragma once

#include "chain.h"
#include "remote.h"

#define REMOTE_PULLS_MAX       16
#define REMOTE_BACKGROUND_MAX  4
#define REMOTE_RUN_BLOCKS_MAX  16 // of one request
#define REMOTE_SOURCES_MAX     64 // indexes of shards that are kept
#define REMOTE_MAP_CHUNK       4096u
#define REMOTE_MAP_HEADER_SIZE 4096u

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
    bool again;                    // ended to be started anew, as one that is wanted
    u32 page, run_max;
    enum { PULL_FIND, PULL_INDEX, PULL_BLOCKS, PULL_WRITE } state;
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

struct remote {
    struct io_file file; // what was opened
    struct io_mount mount;
    struct remote_options options;
    struct io *io;
    char path[4096], map_path[4200], folder[4096];
    struct chain chain;
    enum { CHAIN_NONE, CHAIN_RUNS, CHAIN_FAILED, CHAIN_READY } chain_state;
    struct source *members; // of the chain
    struct source shards[REMOTE_SOURCES_MAX];
    u64 clock;
    struct segment_scratch scratch;
    struct io_file *native, *map_file;
    u32 page_size, page_count;

    u8 *map; // a bit a page, set when it is here
    u32 here;
    u8 *map_dirty; // a byte a chunk
    u8 *map_copy;  // of the chunks being written
    u32 map_chunks;

    struct pull pulls[REMOTE_PULLS_MAX];
    struct held *held, **held_last;
    u32 last_page; // of the newest demand: reads in order are read ahead
    u32 run_next;
    u32 cursor; // of the background
    struct err failure;
    u64 requests, bytes;
    bool whole, running, again, closing;
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

    // Opening.
    u32 step;
    struct completion *open_done, c;
    struct err *open_err;
    struct remote **out;
    u32 opens; // of the file, not closed yet
    u64 native_size;
    u8 *header;
    bool resumed, newer; // newer: a later state than the map's is asked for
    struct backup_mark mark; // of what this node had pushed, when `marked`
    bool marked;
};

static inline bool remote_has(const struct remote *r, u32 page)
{
    return page > r->page_count || (r->map[(page - 1) / 8] >> ((page - 1) % 8) & 1);
}
void remote_mark(struct remote *r, u32 first, u32 last); // pages are here
void remote_run(struct remote *r); // goes on with whatever can: reads, the background

// remote_pull.c
// A pull for the page is under way, or is started; false: all are busy.
bool remote_pull(struct remote *r, u32 page, bool wanted, u32 run_max);
bool remote_pulls_run(struct remote *r); // true: some ended
bool remote_pulls_busy(const struct remote *r);
bool remote_page_arriving(const struct remote *r, u32 page);
void remote_pulls_cancel(struct remote *r);
bool remote_sources_init(struct remote *r);
void remote_sources_deinit(struct remote *r);
// A page could not be had: who waits for it is told.
void remote_held_fail(struct remote *r, u32 page, const struct err *err);

// remote_file.c
extern const struct io_file_ops remote_file_ops;
void remote_held_run(struct remote *r); // starts what has its pages now
void remote_map_save(struct remote *r); // begins a round, or one more after the one under way
