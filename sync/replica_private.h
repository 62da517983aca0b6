// What the parts of a replica share: replica.c (its life), replica_apply.c (pages into the database),
// replica_store.c (from a backup), replica_node.c (from a node), replica_copy.c (its first copy), replica_place.c (where it
// is in the node's log). Private to this folder.
#pragma once

#include "chain.h"
#include "replica.h"

enum replica_step {
    REPLICA_PLACE, // where the database is in the node's log
    REPLICA_CHAIN, // which segments lead from here to the newest state
    REPLICA_CHAIN_DONE,
    REPLICA_OBJECT, // the next object of the chain
    REPLICA_APPLY,
    REPLICA_BEHIND, // what the listings may lack
    REPLICA_FINISH,
    REPLICA_MARK,
    REPLICA_NEXT, // the next push, by its name
    REPLICA_HEAD,
    REPLICA_WAIT,
    REPLICA_ASK, // the node
    REPLICA_COMPARE, // is what a node sent the store's newest state?
    REPLICA_DRAINED,
    REPLICA_STOPPED,
};

// The state that is being applied.
struct replica_goal {
    u64 lineage, tx, epoch, sum;
    s64 time_ms;
    u32 page_count;
    u8 hash[SEGMENT_HASH_SIZE];
    u32 wal_salt[2], wal_frame; // of the writer's
};

// Where a node's log was, and whose pushes the store may have by then (struct backup_place).
struct replica_position {
    u64 instance, lsn;
    u32 wal_salt[2], wal_frame, wal_sum[2];
    u64 sole_epoch;
    bool sole_by_start;
};

// Where this database's own log was before the commit that is meant: the file alone, when clean. Of the commit: to which log
// it goes, when that begins again with it, and the sums of its pages.
struct replica_place {
    u32 wal_salt[2], wal_frame, commit_salt[2];
    u64 commit_sum;
    bool clean;
    u64 file_size, file_modified_ns;
};
#define REPLICA_PLACE_SIZE (3 * BACKUP_MARK_SIZE)

// The first copy from a node.
struct replica_copy {
    struct io_file *file;
    u32 page_size; // 0: of the node's first answer
    u32 last;      // page that came
    u64 written;   // pages, of this life
    // What an earlier life left: sums of groups of pages, from page 1 on (node/feed.h).
    u8 *sums;
    u32 sum_count, group;
    u64 told_ns;
};

struct replica {
    struct replica_options options;
    struct io *io;
    char path[4096], node_url[2048];
    struct store *store;
    struct txn *txn;
    struct op op;
    enum replica_step step, after_mark;
    bool running, started, stopping;
    struct completion timer, turn;
    u64 not_before_ns;
    u32 attempt;
    struct replica_status status;

    // The state of the database: the mark's, when `exact`; else that or a later one.
    struct backup_mark mark;
    bool marked, exact, file_is_clean;
    struct io_file *mark_file;
    struct completion mark_done;
    u8 mark_bytes[REPLICA_PLACE_SIZE];
    struct iovec mark_iov;
    char mark_folder[4096];
    bool mark_in_flight;
    bool mark_unwritten; // it failed: the file says less than is here
    enum { MARK_UNSYNCED, MARK_NAME, MARK_DURABLE } mark_durable; // this life's first; NAME: its folder is being synced

    // From the store.
    struct fetch fetch;
    struct segment_key key;
    u64 key_lineage;
    struct chain chain;
    bool chain_open;
    u32 member, shard;
    bool newest; // nothing is behind the goal
    u64 differs_ns; // since when the database does not fit what is listed; 0: it does
    u32 misses;
    char head_version[OBJECT_VERSION_MAX];
    u64 asked_ns;
    s64 asked_ms;
    struct replica_goal goal;

    // From the node.
    struct io_http_request request;
    enum { ASK_IDLE, ASK_RUNNING, ASK_ARRIVED, ASK_FINISH, ASK_COMMIT } ask;
    char ask_url[3072], ask_token[600], more[40];
    struct io_http_header ask_headers[1];
    u32 part;
    struct replica_copy copy;
    u32 part_tries;
    u64 follower; // tells this replica from others
    bool ask_last, asked_last; // before a promotion: does not wait; asked: the question that is under way, too
    struct replica_position position, next_position; // next: of what is being applied
    struct backup_mark next_mark;
    struct replica_place place;
    struct store_position before; // of this database: the newest commit, as it was seen first
    pgno *commit_pages; // of the one behind the place, while they are summed up
    u32 commit_count;
    bool from_store; // the node is done with; what the store has is applied

    // Applying.
    bool begun, reader_open, has_page, committing;
    struct segment_reader reader;
    u32 page;
    const u8 *data;
    u64 sum;   // when `exact`
    u64 put_sum; // of the pages that were put
    u32 count; // pages of the database before: the others can be read only when they came
    u32 cut, scan, slice;
    u64 scan_sum;
    bool scanned;
    bool matches; // after a drain from a node: the database is the store's newest state, page for page
    u8 *old;
    u32 page_size;

    struct completion *drain;
    struct err *drain_err;
    u64 drain_until_ns;
};

__attribute__((format(printf, 4, 5))) void replica_log(struct replica *r, enum sync_log_level level, const char *event,
                                                       const char *format, ...);
void replica_run(struct replica *r);
io_status replica_yield(struct replica *r);

// replica_apply.c. All are called again after a wait.
// The pages of one object, which is kept by its owner until it is done.
io_status replica_apply_object(struct replica *r, const u8 *bytes, size_t size, const char *name, struct err *err);
// The object's reader alone, so that its header can be looked at first.
bool replica_apply_open(struct replica *r, const u8 *bytes, size_t size, const char *name, struct err *err);
// The state of r->goal is whole: cut to its size, checked (by its sum when `sums`), and with `commit` durable.
io_status replica_apply_finish(struct replica *r, bool sums, bool commit, struct err *err);
io_status replica_compare(struct replica *r, struct err *err);
// A database that is not known exactly does not fit what is listed: whether the listings may lack what it has.
bool replica_may_be_unlisted(struct replica *r);
// Fails when the database is not the state of r->goal.
io_status replica_verify(struct replica *r, struct err *err);
// XOR of the sums of these pages of the database; before anything is applied.
io_status replica_pages_sum(struct replica *r, const pgno *pages, u32 count, u64 *sum, struct err *err);
void replica_apply_abandon(struct replica *r);

// replica_store.c
io_status replica_chain(struct replica *r);
io_status replica_chain_done(struct replica *r, struct err *err);
io_status replica_object(struct replica *r, struct err *err);
io_status replica_apply(struct replica *r, struct err *err);
io_status replica_behind(struct replica *r, struct err *err);
io_status replica_finish(struct replica *r, struct err *err);
io_status replica_next(struct replica *r, struct err *err);
io_status replica_head(struct replica *r, struct err *err);
void replica_chain_close(struct replica *r);

// replica_node.c
bool replica_node_begin(struct replica *r, struct err *err); // the position; without a file, the whole database
io_status replica_ask(struct replica *r, struct err *err);
void replica_node_adopt(struct replica *r); // what was being applied is here
void replica_ask_start(struct replica *r);
io_status replica_ask_result(struct replica *r, struct err *err);
bool replica_part_again(struct replica *r, struct err *err); // a later part was lost: it is to be asked for again
void replica_pushed_take(struct replica *r, const struct segment_header *h);
#define REPLICA_PART_PAUSE_NS 500000000ull // then

// replica_copy.c
bool replica_copy_database(struct replica *r, struct err *err); // turns the loop

// replica_place.c
void replica_place_encode(const struct replica *r, u8 out[REPLICA_PLACE_SIZE]);
void replica_place_decode(struct replica *r, const u8 *bytes, size_t size); // before the database is opened
io_status replica_place_find(struct replica *r); // it is open: the position that it is at
void replica_place_take(struct replica *r); // before a transaction: where it begins
void replica_place_note(struct replica *r); // that, for the transaction that is under way or the next one
