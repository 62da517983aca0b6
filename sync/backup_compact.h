// Merging of levels, images beside the pushes, and what is let go: what backup_compact.c, backup_image.c and
// backup_retain.c share. Internal to the backup.
#pragma once

#include "../engine/op.h"
#include "../engine/store/store.h"
#include "catalog.h"

#define COMPACT_INPUTS_MAX 64u
#define COMPACT_CACHE_MAX  (1u << 20) // an object of at most so much is kept for the next merge
#define COMPACT_CACHE_ALL  (8u << 20)

// What a claim's safety rests on, whatever is configured: who pushes has looked for a later claim at most so long before, and
// no push is let go that was seen for less.
#define FENCE_MS 10000u

struct backup;
struct compact_input;

// What merges and images together take of a processor. After a slice of it both rest, so that it is at most a share.
struct work {
    u64 took_ns;     // since the last rest
    u64 until_ns;    // they rest
    const void *who; // worked last, and goes on after the other
};
void work_add(struct work *w, const void *who, u64 began_ns, u64 now_ns, u32 percent);
u64 work_rest_ns(const struct work *w, const void *who, u64 now_ns); // from now on; 0: it may go on

// One job at a time, beside the pushes.
struct compact {
    enum {
        COMPACT_IDLE,
        COMPACT_LEARN,
        COMPACT_OPEN,
        COMPACT_LOOK,
        COMPACT_RANGE,
        COMPACT_MERGE,
        COMPACT_FLUSH,
        COMPACT_SHARD_PUT,
        COMPACT_PUT,
        COMPACT_TABLES,
        COMPACT_SHARDS,
        COMPACT_CLAIM,
        COMPACT_DELETE,
    } step;
    struct fetch fetch;
    struct completion timer, turn;
    bool running, stopped, resting; // resting: the turn is a timer
    u64 not_before_ns;
    u32 attempt;
    struct err err;
    // The merge under way; or the segment whose trailer is read.
    u32 level;
    u64 tx_min, tx_max;
    struct compact_input *inputs; // oldest first
    u32 input_count, input_at;
    bool sharded;
    struct segment_writer writer;
    bool writer_open, sealed;
    struct segment_shard *shards;
    u32 shard_count, shard_capacity;
    u32 low, high, page_size, page_count; // the range of pages under way
    u8 **slots;                           // its pages
    u32 slot_at;
    u64 shard_sum;
    u8 *block;
    u8 hash[SEGMENT_HASH_SIZE];
    struct segment_scratch scratch;
    // What is let go.
    u64 retained_ns; // when that was last looked at
    u64 listed_ns;   // when level 0 was last listed
    char **doomed;
    u32 doomed_count, doomed_capacity, doomed_at;
    u32 list_levels; // whose shards are to be looked for, a bit a level
    struct { u64 tx; bool read; } tables[64]; // images whose shards stay
    u64 image_tx; // up to here all are known
    u32 table_count;
    char **kept;
    u32 kept_count, kept_capacity;
};

// An image of a push's snapshot, made beside the pushes that follow.
struct imager {
    enum { IMAGE_IDLE, IMAGE_WANTED, IMAGE_SNAPSHOT, IMAGE_TABLE, IMAGE_FILL, IMAGE_SHARD_PUT, IMAGE_PUT } step;
    struct fetch fetch;
    struct txn *txn;
    struct op op;
    struct completion timer;
    bool running, stopped;
    u64 not_before_ns;
    u32 attempt;
    u64 tx; // of the image; 0: its push is not there yet
    struct segment_header header;
    u64 lsn;
    u64 *shard_sums;
    u32 shard_count_all;
    bool sharded;
    struct segment_shard *old; // the table of the newest image
    u32 old_count;
    struct segment_shard *shards;
    u32 shard_count, shard_capacity, shard;
    u32 page_next;
    u8 *page;
    struct segment_writer writer;
    bool writer_open, sealed;
    u8 hash[SEGMENT_HASH_SIZE];
    u64 reused;
};

void compact_init(struct backup *b);
void compact_wake(void *b); // something was pushed, or time has passed
bool compact_stop(struct backup *b); // true when nothing of it is under way any more
void compact_deinit(struct backup *b);

void imager_init(struct backup *b);
void imager_snapshot(struct backup *b); // the push has just taken its own
void imager_pushed(struct backup *b);   // the push is in the store
void imager_abandon(struct backup *b); // the push was given up
void imager_limit(struct backup *b, u64 wal_bytes); // that came since its snapshot
void imager_wake(void *b);
bool imager_stop(struct backup *b);
void imager_deinit(struct backup *b);

// Which segments may go, as of now: one flag a segment of c. Segments whose times are not known stay. True: more than
// keep_ms says, because of history_factor.
#define RETAIN_LEVELS 5
struct retain_rules {
    u64 keep_ms[RETAIN_LEVELS]; // how long a level serves restores
    u64 image_ms;               // one image of each such time is kept
    u64 history_factor;         // bytes of levels 0 to 3 are at most so many times the newest image's
};
bool retain_plan(const struct catalog *c, const struct retain_rules *rules, s64 now_ms, bool *gone);
// A retention step of the compaction.
bool retain_start(struct backup *b); // false: nothing is to go
io_status retain_run(struct backup *b);
void retain_reset(struct compact *c);
