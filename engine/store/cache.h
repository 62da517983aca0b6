// The page cache of a store: frames of page_size bytes, found by page number and snapshot.
//
// A frame holds one version of one page. For every page the cached versions know by which version
// they were superseded (FRAME_NEWEST: by none), so that one probe of one hash chain finds what a
// snapshot sees: version <= snapshot < superseded. A frame that is pinned is never taken away.
// Frames that leave the hash while pinned (their version is of no use to any later reader) are
// orphans, collected when frames run out.
//
// Replacement is 2Q's with a clock's hand instead of queues. A page that comes in is on trial: when the hand comes by,
// it is let go, unless it was asked for again some time after it was first asked for (a scan comes to a page once, or a
// few times at once); then it is kept. Kept pages have up to three quarters of the cache, where they go in the
// order of a clock. What was let go is remembered for a while (`ghosts`): if it is asked for again soon, it is kept
// from then on. So a scan of any length goes through a quarter of the cache, and what many ask for stays.
// Finding a page costs one counter and one store for all that. Pages that were read ahead begin when they are asked for.
#pragma once

#include "pager.h"

#define FRAME_NEWEST UINT64_MAX

enum frame_state {
    FRAME_FREE,
    FRAME_LOADING, // a read is under way; loaders wait for it
    FRAME_FAILED,  // the read failed: the next to ask is told and takes it out
    FRAME_AHEAD,   // a committed version that was read before anybody asked for it, and is not yet asked for
    FRAME_READY,   // a committed version
    FRAME_PRIVATE, // a transaction's copy, or what a savepoint needs to undo one; not in the hash
};

struct pager_frame {
    struct page page;
    struct pager_frame *next; // in the hash chain; in the free list
    u64 superseded;           // version that follows this one
    u8 state;
    bool used;   // private: since it was last looked at for spilling
    bool kept;   // no longer on trial
    u32 first_at, used_at, seen_at; // cache.hits when it was first and last asked for; when the hand last came by, its used_at
    bool orphan; // out of the hash while pinned or loading: free as soon as it is neither
    bool freed;  // private: its page was given back by the transaction
    bool touched; // private: on the transaction's list of touched pages
    u8 role;      // private: enum page_role
    bool stale;  // on the stale list
    struct pager_frame *stale_next, *stale_prev;
    bool stub;                    // private, without data: that is in the spill file (txn_spill.c)
    u32 spill_slot;               // where it is in there as well; 0: nowhere
    u32 victim;                   // 1 + place among those that are being written there
    struct pager_frame *incoming; // stubs: what its data is being read into
    u64 saved_serial;     // private: serial of the innermost savepoint that holds its image
    struct op *pinned_by; // the op that pinned it last
    struct wait_list loaders;
    s64 result; // of the failed read
};

struct cache_arena {
    u8 *memory;
    size_t size;
    struct pager_frame *frames;
};

struct cache {
    struct io *io;
    u32 page_size;
    u32 frames_max; // soft: exceeded when all is pinned or private
    struct pager_frame **buckets;
    u32 bucket_mask;
    struct pager_frame *free;
    u32 free_count, private_count;
    struct pager_frame *orphans; // out of the hash, still pinned or loading
    bool resident;               // nothing else holds these pages: none is ever evicted
    struct cache_arena *arenas;
    u32 arena_count, arena_capacity, arena_frames;
    u32 hand;
    u32 kept_count;
    pgno *ghosts; // by a hash of their number; as many as buckets at first, a power of 2
    u32 ghost_mask;
    // Committed versions that were superseded, in the order of `superseded`.
    struct pager_frame *stale_first, *stale_last;
    u64 hits, misses, evictions;
};

bool cache_init(struct cache *c, struct io *io, u32 page_size, u32 frames_max, bool resident);
void cache_deinit(struct cache *c);
void cache_resize(struct cache *c, u32 frames_max);
// A frame to fill, in state FRAME_PRIVATE and out of the hash; NULL: out of memory.
struct pager_frame *cache_frame_take(struct cache *c);
// The same within the limit: NULL also when no frame can be had without going beyond it.
struct pager_frame *cache_frame_take_spare(struct cache *c);
// Gives a frame back that is not in the hash; while it is pinned or loading it is an orphan.
void cache_frame_give(struct cache *c, struct pager_frame *f);
// Gives memory back that a big transaction took beyond the soft limit.
void cache_trim(struct cache *c);
// Makes a taken frame findable: FRAME_LOADING or FRAME_READY; page.no, version and superseded are
// set.
void cache_insert(struct cache *c, struct pager_frame *f, enum frame_state state);
// A frame's read went well; `ahead`: nobody has asked for the page yet. cache_wanted: now somebody has.
void cache_loaded(struct cache *c, struct pager_frame *f, bool ahead);
void cache_wanted(struct cache *c, struct pager_frame *f);
void cache_keep(struct cache *c, struct pager_frame *f); // findable; never on trial again
void cache_remove(struct cache *c,
                  struct pager_frame *f); // from the hash and the stale list; keeps the frame
// The frame that held the version before `version`: superseded by it.
struct pager_frame *cache_find_before(struct cache *c, pgno no, u64 version);
void cache_supersede(struct cache *c, struct pager_frame *f, u64 version);
void cache_unsupersede(struct cache *c, struct pager_frame *f);
// Lets go of versions that nobody can ask for any more: superseded at or below `horizon`.
void cache_stale_drop(struct cache *c, u64 horizon);
// All of a page's versions become history (0 stays what the file holds) except the newest, which is
// now the file's.
void cache_page_settle(struct cache *c, pgno no);
void cache_drop_before(struct cache *c, pgno no,
                       u64 version); // versions of no older than `version`

static inline struct pager_frame *cache_find(struct cache *c, pgno no, u64 snapshot)
{
    struct pager_frame *f = c->buckets[no & c->bucket_mask];
    while (f && !(f->page.no == no && f->page.version <= snapshot && snapshot < f->superseded))
        f = f->next;
    return f;
}

// Somebody asks for a page that is there.
static inline void cache_hit(struct cache *c, struct pager_frame *f)
{
    f->used_at = (u32)++c->hits;
}

// Pins of operations (engine/op.h): the capacity is ensured while gathering, the pin itself cannot
// fail.
bool op_pins_ensure(struct op *op, u32 more);
void op_pin(struct op *op, struct page *p);
