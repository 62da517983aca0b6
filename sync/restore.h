// Restoring a backup: the newest state, that of a transaction, or that of a moment, into a file.
//
// The chain's segments are read from the newest to the oldest and each page is taken from the first
// that has it, so each is fetched and written once. Ranges are fetched in parallel, decoded by a few
// threads, and written in place. The whole is checked against the database's sum before the file gets
// its name. What was written is noted in OUT.restoring.state now and then, so that a restore that was
// killed goes on from there, also towards a newer state of the same backup.
#pragma once

#include "../engine/store/store.h"
#include "chain.h"

struct restore_options {
    struct io *io;
    struct object_store *objects;
    const char *name;
    const char *out_path;
    struct master_key key;
    const struct store_key *database_key; // the file is encrypted with it; NULL or none: it is not
    bool decrypt; // the backup of an encrypted database is restored without a key all the same
    u64 tx;         // 0: the newest
    s64 time_ms;    // 0: the newest
    u64 lineage;    // 0: the head's
    bool overwrite; // a file at out_path is replaced, in one step, at the end
    bool discard;   // nothing is written: everything is read and checked
    u32 threads;    // that decode; 0 = in the loop
    u32 parallel;   // requests at a time; 0 = 8
};
struct restore {
    struct completion done; // 0, or negative with err set; ERR_STORE_EMPTY: there is no backup
    struct err err;
    // Progress.
    u64 pages_total, pages_done, pages_resumed, bytes_done; // bytes: fetched
    u32 segments, replans; // replans: what was read was merged or let go meanwhile, and it goes on from what is there now
    u64 tx;      // that is being restored
    s64 time_ms; // when it was made
    u32 page_count, page_size;
    struct restore_private *private_;
};
// The owner initialises r->done (completion_init) first.
void restore_start(struct restore *r, const struct restore_options *options);
// Makes it end soon; what was written stays for the next one to go on with.
void restore_cancel(struct restore *r);
// After it is done, outside of the loop's callbacks: writes OUT-backup, so that a node can go on with this backup from
// there; the node claims it, with a higher epoch and when it is the newest state still, before it pushes anything.
bool restore_bind(struct restore *r);
void restore_deinit(struct restore *r);

// Page 1 says whether the database was an encrypted one. False with *err when its pages go to a file that `seals` them,
// and it was not, or the other way round.
bool restore_seal_fits(const u8 *page, bool seals, struct err *err);
