// What a backup has in the store: its lineage, its key, its segments by level. Loaded from the head
// and listings; the writer keeps its own up to date as it goes. Internal to sync.
#pragma once

#include "fetch.h"
#include "keyring.h"
#include "names.h"

#define UNLISTED_NS 300000000000ull // so long listings may lack what is there

struct catalog_segment {
    u32 level;
    u64 tx_min, tx_max, size;
    bool known;    // what follows was read from its trailer
    bool rejected; // chain.c: not to be used
    u32 flags, page_count; // of the trailer; pages stored here, 0 when sharded
    s64 time_min_ms, time_max_ms;
    u8 *bytes; // the object, kept for the next compaction; or NULL
    u64 seen_ns; // backup_retain.c: when it was known to be there; 0: not yet
    bool in_head_put, in_head; // it was known when the head that is being put was made; and the one in the store
    bool unnamed; // by the head in the store, which has another instead: that one does not go yet
};

struct catalog {
    u64 lineage, epoch;
    u8 database_id[16];
    struct head head; // as read, segments included
    bool has_head;
    struct segment_key key;
    struct catalog_segment *segments; // by tx_min, then level
    u32 count, capacity;
    char **shards; // keys of shard objects, as listed
    u32 shard_count, shard_capacity;
    u64 bytes; // of all that was listed
};

struct catalog_segment *catalog_add(struct catalog *c, u32 level, u64 tx_min, u64 tx_max, u64 size); // NULL: no memory
void catalog_remove(struct catalog *c, struct catalog_segment *s);
struct catalog_segment *catalog_find(struct catalog *c, u32 level, u64 tx_min, u64 tx_max);
void catalog_deinit(struct catalog *c);
u64 catalog_newest(const struct catalog *c); // highest tx of a level 0 segment, 0 = none

// The segments that together make up the state as of `tx`, or of the newest one before it that is
// there: the newest image, and on from it always the segment that reaches furthest. Returns their
// number; *out is to be freed, and holds pointers into c. 0 and *out NULL: none, or out of memory.
u32 catalog_chain(const struct catalog *c, u64 tx, struct catalog_segment ***out);
// Likewise the segments that lead on from `tx`; 0 when none does, or when they end before the newest one.
u32 catalog_forward(const struct catalog *c, u64 tx, struct catalog_segment ***out);

// The trailer of a segment, read into it.
bool catalog_learn(struct catalog_segment *s, const u8 *trailer, size_t size, const char *name,
                   struct segment_header *header, struct err *err);

// Adds to a table in the making; false: out of memory.
bool shards_add(struct segment_shard **shards, u32 *count, u32 *capacity, const struct segment_shard *s);

// ---- loading
// -------------------------------------------------------------------------------------------

struct catalog_load {
    struct catalog *catalog;
    const char *database;
    const struct master_key *master;
    u64 lineage; // given: a head of another, or a damaged one, does not matter
    struct segment_key known; // of a lineage that was opened before: it stays when the master key is changed
    u64 known_lineage;
    u64 lineage_headless; // when there is no head: of a writer that may have died before its first; 0: none
    // The newest state in few requests: what the head names, and the pushes behind it, instead of all listings. Falls
    // back to these by itself; what the head names may be merged into others since.
    bool quick;
    bool named; // what the head names is taken to be there, though listings lack it: the owner finds out
    enum { CATALOG_HEAD, CATALOG_KEY, CATALOG_LISTS, CATALOG_LOADED } step;
    struct fetch fetches[LEVEL_COUNT];
    bool listed[LEVEL_COUNT];
    u8 *head_bytes;
    size_t head_size;
};
void catalog_load_init(struct catalog_load *l, struct catalog *c, struct object_store *objects, const char *database,
                       const struct master_key *master, u32 tries, void (*wake)(void *), void *context);
void catalog_load_deinit(struct catalog_load *l);
void catalog_load_cancel(struct catalog_load *l);
bool catalog_load_busy(const struct catalog_load *l);
// ERR_STORE_EMPTY: there is no backup of that name.
io_status catalog_load_run(struct catalog_load *l, struct err *err);
