// Looking at a backup from outside, for the command line: what is there, whether it is sound, what could go. Calls turn
// the loop until they are done.
#pragma once

#include "keyring.h"
#include "object_store.h"

struct inspect;
struct inspect_options {
    struct io *io;
    struct object_store *objects;
    const char *database;
    struct master_key key;
    u64 lineage; // 0: the head's
    // A line for people about something that is off, or is about to go.
    void (*report)(void *context, bool bad, const char *text);
    void (*progress)(void *context, u64 objects_done, u64 objects_total, u64 bytes);
    void *context;
};
struct inspect_segment {
    u32 level, flags; // segment_flags
    u64 tx_min, tx_max, bytes;
    s64 time_min_ms, time_max_ms;
};
struct inspect_summary {
    u64 lineage, epoch, tx, bytes, objects;
    s64 time_ms, oldest_ms; // of the newest and of the oldest state that can be restored
    u64 chain_bytes;        // of the newest state, without shards
    u32 segments[5], chain;
    bool encrypted;
};
// NULL with *err set. Lists what is there and reads when each segment was made.
struct inspect *inspect_open(const struct inspect_options *options, struct err *err);
void inspect_close(struct inspect *x);
void inspect_summary_get(const struct inspect *x, struct inspect_summary *out);
u32 inspect_count(const struct inspect *x);
void inspect_segment_get(const struct inspect *x, u32 i, struct inspect_segment *out); // by tx_min, then level
// Reads every byte of every object: checksums, names, that states follow each other. Reports each fault; their number.
u64 inspect_verify(struct inspect *x);
struct inspect_rules {
    u64 keep_ms[5], image_ms, history_factor;
    bool carry_out; // else only reported
};
// What the rules let go, parts of pushes that were never finished, and lineages that were left long ago.
bool inspect_prune(struct inspect *x, const struct inspect_rules *rules, u64 *objects, u64 *bytes, struct err *err);
// Wraps the data key with another master key; from then on only that one opens the backup.
bool inspect_rekey(struct inspect *x, const struct master_key *to, struct err *err);
