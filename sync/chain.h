// The chain of segments that makes up the newest state, or that of a transaction or a moment: found
// from the head and listings, their indexes read, and checked to follow each other (hashes, sums).
// Who restores, follows or reads from the store starts with one. Each page's newest copy is in the
// last segment of the chain that has it.
#pragma once

#include "catalog.h"

struct chain_options {
    struct io *io;
    struct object_store *objects;
    const char *database;
    const struct master_key *master;
    u64 tx;         // 0: the newest
    s64 time_ms;    // 0: the newest; else as of this moment
    u64 lineage;    // 0: the one that the head names
    struct segment_key known; // see catalog_load
    u64 known_lineage;
    bool quick;     // see catalog_load; for the newest state
    u32 tries;      // of each request; 0 = 6
    u32 parallel;   // requests at a time; 0 = 8
    // What is there already: segments that lead on from this state are looked for first, and the members then begin
    // with the first of these (tx_min at most from_tx + 1) and not with an image. 0: nothing is.
    u64 from_tx, from_lineage;
};

struct chain_member {
    u32 level;
    u64 tx_min, tx_max, size;
    char key[OBJECT_KEY_MAX];
    struct segment_index *index; // open: header, hash, root or table
};

struct chain {
    struct completion done; // 0, or negative with err set
    struct err err;
    struct chain_member *members; // the image first
    u32 count;
    struct catalog catalog;
    u64 tx, sum;
    s64 time_ms;
    u32 page_size, page_count;
    u8 tip[SEGMENT_HASH_SIZE]; // hash of the level 0 segment of tx
    struct chain_private *private_;
};

// The owner initialises c->done (completion_init) first; the rest may be anything.
void chain_start(struct chain *c, const struct chain_options *options);
void chain_cancel(struct chain *c);
// Not before done has completed.
void chain_deinit(struct chain *c);
