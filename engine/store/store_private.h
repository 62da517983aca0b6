// What the files of the store share. Internal to engine/store.
//
// A commit's life: private pages -> txn_commit publishes them as versions (lsn) in the cache and
// the WAL index and hands the write slot over ("appended") -> the flush writes and syncs their
// frames ("durable"), then readers see it and its owner is told -> a checkpoint copies the newest
// version of each page into the database file ("backfilled") -> when all is backfilled and nobody
// needs the WAL, it starts again at its first frame; versions are then the file's (0).
//   backfilled <= durable <= appended;  base <= backfilled
#pragma once

#include "cache.h"
#include "change.h"
#include "store.h"
#include "wal.h"

#define PAGE_SIZE_DEFAULT   4096u
#define CACHE_BYTES_DEFAULT (16u << 20)
#define CHECKPOINT_DEFAULT  1000u
#define LOCK_OFFSET         0x40000000u // SQLite's PENDING byte, RESERVED, then 510 bytes SHARED
#define LOCK_SHARED_OFFSET  (LOCK_OFFSET + 2)
#define LOCK_SHARED_SIZE    510u
#define HEADER_SIZE         100u
#define SCRATCH_SIZE        65536u

// The database header's fields on page 1.
enum header_offset {
    HEADER_PAGE_SIZE = 16,
    HEADER_WRITE_VERSION = 18,
    HEADER_READ_VERSION = 19,
    HEADER_RESERVED = 20,
    HEADER_FRACTIONS = 21,
    HEADER_CHANGE_COUNTER = 24,
    HEADER_PAGE_COUNT = 28,
    HEADER_FREELIST_HEAD = 32,
    HEADER_FREELIST_COUNT = 36,
    HEADER_COOKIE = 40,
    HEADER_LARGEST_ROOT = 52,
    HEADER_INCREMENTAL = 64,
    HEADER_VALID_FOR = 92,
    HEADER_LIBRARY_VERSION = 96,
};
#define LIBRARY_VERSION 3050004u // whose behaviour is followed

// A commit: the state of the database after the frame `lsn`.
struct mark {
    u64 lsn;
    u64 commit; // number of the commit, over the life of the open store
    pgno page_count;
};

// A read under way: of one page, or of several that lie together in the database file.
struct page_read {
    struct completion completion;
    struct store *store;
    struct page_read *next; // in a list of idle ones
    bool from_wal, ahead;   // ahead: nobody waited when it started
    u32 count, capacity;
    struct pager_frame **frames; // behind iov
    struct iovec iov[];
};

enum store_state { STORE_OPENING, STORE_OPEN, STORE_CLOSING, STORE_FAILED };
enum store_step {
    STEP_FILE,
    STEP_FILE_OPENED,
    STEP_LOCK,
    STEP_SHM,
    STEP_SIZE,
    STEP_SIZED,
    STEP_SLOTS,
    STEP_SLOTS_READ,
    STEP_SLOT_WRITTEN,
    STEP_JOURNAL,
    STEP_HEADER,
    STEP_HEADER_READ,
    STEP_WAL_OPEN,
    STEP_WAL_OPENED,
    STEP_WAL_RECOVER,
    STEP_WAL_HEADER,
    STEP_WAL_HEADER_READ,
    STEP_READY,
    STEP_CLOSE_SETTLE,
    STEP_CLOSE_CHECKPOINT,
    STEP_CLOSE_WAL,
    STEP_CLOSE_WAL_CLOSED,
    STEP_CLOSE_FILE,
    STEP_CLOSE_DONE,
};

struct store {
    struct io *io;
    struct store *next; // in the registry
    char *path, *path_wal, *path_journal, *path_shm;
    u64 device, inode; // 0, 0: not known
    u32 references;
    struct store_options options;
    bool read_only, in_memory;
    struct pager_frame *blank; // page 1 of a file that has none yet, as readers see it

    // Opening and closing: one step at a time, whoever calls drives it.
    enum store_state state;
    enum store_step step;
    struct completion completion;
    struct wait_list waiters; // for completion
    struct err err;           // why opening failed
    bool close_tried;         // closing: the checkpoint was
    struct io_file *file;
    u64 file_size; // when opened
    struct iovec slot_iov;
    u8 *scratch;   // of SCRATCH_SIZE while opening
    struct recovery *recovery;
    struct journal *journal;

    u32 page_size, usable_size;
    struct codec codec;
    struct store_key *key, *key_previous; // while opening
    u8 key_salt[32], key_digest[32];
    bool rekey_wanted;                    // opened with the previous key
    struct rekey *rekey;                  // NULL: there was none
    u8 *first_page; // empty file: its first page, as it will be before the first commit

    struct cache cache;
    struct wal wal;
    struct mark durable, appended;
    struct page_read *reads_idle, *runs_idle; // of one page, of several
    u32 runs_idle_count;
    u32 reads_pending, wal_reads_pending;
    u32 ahead_pending; // pages

    // Transactions.
    struct txn *snapshots_first, *snapshots_last; // in the order of their snapshots
    u32 snapshot_count;
    struct txn *writer;                             // has the write slot
    struct txn *queue_first, *queue_last;           // wait for it
    struct completion grant;                        // wakes the first in line from io_step
    struct txn *committing_first, *committing_last; // appended, not yet durable

    // Concurrent transactions: those that are open, what commits changed for them to look at.
    struct txn *concurrent_first, *concurrent_last;
    bool change_recording; // there are, or have been of late: plain transactions list their keys
    u64 concurrent_commit; // the newest commit when there was one last
    u64 changes_known_from; // keys of commits up to there are not known
    u64 schema_lsn;         // the newest commit that changed the schema or the header
    struct change_index change_index;
    struct rowid_counters rowid_counters;

    u32 spill_count;   // files of spilled pages, open or being closed
    char *spill_dir;   // where they are made; NULL: none was yet
    struct spill *spilled; // of the commit that is being made durable out of one; no new writer until it is
    struct pager_frame *spilled_stubs;

    struct flush *flush;
    bool flush_failed; // a sync failed: closed to writers
    struct err flush_err;
    struct checkpoint *checkpoint;
    u64 backfilled; // lsn
    u32 file_pages; // that the database file has
    bool gate_broken;
    bool wal_truncating;
    struct completion wal_truncation;
    u64 wal_truncate_to;
    s64 wal_size_limit; // of the commit that began the log, -1: none
    enum store_wal_held wal_held_by;
    u64 wal_held_since_ns, readers_let_go;
    const char *refusal; // why nobody may write but images; or NULL
    err_code refusal_code;
    u64 holds[STORE_HOLDERS];
    u64 hold; // the lowest of them: the log after it is kept; UINT64_MAX: no hold
    // Pages of the frames (wal.base - past_count, wal.base]: what a restart cut off behind a hold.
    pgno *past;
    u32 past_count;
    struct wait_list on_commit;

    u64 commits, syncs, checkpoints;
};

struct checkpoint_ask {
    enum { ASK_SLOT, ASK_SETTLE, ASK_RUN, ASK_TRUNCATE, ASK_TRUNCATED } step;
    bool started, busy;
};

struct undo {
    pgno no;
    struct pager_frame *image; // NULL: there was no private copy
    u64 saved_serial;          // of the page before
};
struct spill;
struct savepoint {
    u64 serial;
    u32 undo_first; // in txn.undo
    u32 free_log_first;
    pgno page_count;
    pgno freelist_head;
    u32 freelist_count;
    bool freelist_changed;
    u64 change_bytes; // of txn.changes
    bool change_whole;
    bool writing; // opened in a write transaction: the four above are set
    u32 touched_count, touched_synced, freed_count, freed_synced;
};
// What happened to txn.free_pages since the outermost savepoint.
struct free_event {
    enum { FREE_PUSHED, FREE_REMOVED, FREE_ABSORBED } kind;
    pgno no; // of the first two
    u32 at;  // FREE_REMOVED: taken out there, the last one took its place; FREE_ABSORBED: how many came in front
};
// Pages whose entries in the pointer map, or those of what they refer to, are not up to date: from `synced` on. What
// is before is kept while savepoints are open, to be done again when the map is rolled back.
struct touched_list {
    pgno *pages;
    u32 count, synced, capacity;
};

struct txn {
    struct store *store;
    enum txn_state state;
    struct cursor_list cursors;
    struct mark snapshot;
    struct txn *snapshot_next, *snapshot_prev;
    bool in_snapshots;
    u64 own_commits; // made through this txn: not news to it

    // Concurrent: writes without the slot until it commits.
    bool concurrent;
    struct txn *concurrent_next, *concurrent_prev;
    struct change_list changes; // of plain ones too, while the store has concurrent ones
    struct txn_conflict conflict;

    // The write slot.
    bool queued;
    struct txn *queue_next, *queue_prev;
    struct wait_list queue_wait;
    struct slot_timer *timer;
    bool preparing;  // the slot is had, page 1 not yet read
    bool begun_idle; // without a snapshot before
    bool image;      // takes whole pages of elsewhere (txn_image_begin)

    // The schema's cookie, as page 1 has it.
    bool cookie_known;
    u32 cookie;

    // A write transaction.
    pgno page_count, page_count_max;
    struct pager_frame **pages;    // private, open addressing by page number
    u32 page_slots, private_count; // slots: power of 2, or 0
    u32 resident;                  // of these and of undo images: frames with data
    struct spill *spill;           // NULL: none of them was ever out
    bool spill_over;               // nothing goes out any more
    u32 spill_hand, spill_undo_hand;
    pgno replace_next; // txn_replace: the page to be copied next; 0: not begun
    u32 replace_counter;
    struct pager_frame *reserve;   // frames for pages to take
    u32 reserve_count;
    pgno base_page_count, base_freelist_head; // when the write transaction began
    u32 base_freelist_count;
    pgno freelist_head; // what of the file's freelist is still there; the rest is in free_pages
    u32 freelist_count;
    bool freelist_changed;
    pgno freelist_full; // the head trunk, once it is known to have no room
    // As the file will have them: a trunk and its leaves (all that fit but in the last group), the next trunk and its leaves.
    pgno *free_pages;
    u32 free_count, free_capacity;
    bool doomed; // cannot be committed: memory ran out in a mutation, or what it stands on failed
    struct err doom;

    // Auto-vacuum databases.
    bool auto_vacuum;
    bool vacuuming; // free pages after vacuum_goal are no longer in free_pages, the file is being cut off there
    pgno vacuum_goal;
    struct touched_list touched, freed;

    u64 savepoint_serial;
    struct savepoint *savepoints;
    u32 savepoint_count, savepoint_capacity;
    struct undo *undo;
    u32 undo_count, undo_capacity;
    struct free_event *free_log;
    u32 free_log_count, free_log_capacity;

    // A checkpoint that it asks for, without a transaction.
    bool asking;
    struct checkpoint_ask ask;
    u32 checkpoint_frames; // for its commits, as
    s64 wal_size_limit;    // txn_wal_policy has it

    // Committing.
    bool committing, commit_listed, commit_failed; // why: doom
    struct mark commit;
    struct txn *committing_next, *committing_prev;
    struct wait_list commit_wait;
};

// store.c
bool store_disk_full(s64 result); // of an operation: it failed for want of space
// txn.c
void store_slot_offer(struct store *s); // wakes the first in line, or the checkpoint that has the slot
void store_grant(struct completion *c);
void txn_end(struct txn *t);              // back to TXN_NONE from any state
u64 store_horizon(const struct store *s); // no reader, now or later, has a snapshot below
io_status txn_slot_take(struct txn *t, struct op *op, u64 deadline_ns);
bool txn_slot_wait(struct txn *t, struct op *op, u64 deadline_ns); // until the deadline; false: out of memory
void txn_slot_leave(struct txn *t);                                // the line, and the timer
void txn_slot_release(struct txn *t);
bool txn_nothing_written(const struct txn *t); // there is nothing to commit
void txn_restart(struct txn *t); // a concurrent one: from the newest commit, nothing written
io_status txn_write_prepare(struct txn *t, struct op *op);
void txn_doom(struct txn *t, const struct err *err);
void txn_snapshot_drop(struct txn *t);
// rekey.c
bool rekey_busy(const struct store *s);
void rekey_resume(struct store *s); // when the file was opened with its previous key, or one was under way
void rekey_stop(struct store *s);
void rekey_destroy(struct store *s);
// store_open.c
void store_key_digest(struct store *s, const struct store_key *key); // who opens it from now on needs this one
// page_read.c
io_status store_page(struct store *s, u64 snapshot, pgno no, struct op *op, struct page **out);
void store_reads_free(struct store *s); // that are idle
// txn_page.c
struct pager_frame *txn_private_find(const struct txn *t, pgno no);
void txn_private_drop_all(struct txn *t);
// Gathers: the page is written again as it is.
io_status txn_page_rewrite(struct txn *t, struct op *op, pgno no);
io_status txn_private_put(struct txn *t, struct op *op, pgno no, const u8 *data); // of an image
io_status txn_freelist_write(struct txn *t, struct op *op);
// The database of t, which has not written yet, becomes what `image` holds in private pages. One page after another: a
// failure leaves t to be rolled back.
io_status txn_replace(struct txn *t, struct op *op, struct txn *image);
void txn_private_take_out(struct txn *t, struct pager_frame *f); // it becomes a committed version
io_status txn_freelist_absorb(struct txn *t, struct op *op); // the head trunk's pages go to the front of free_pages
bool txn_free_log_reserve(struct txn *t, u32 more);
void txn_free_page_remove(struct txn *t, u32 at);
io_status txn_page_write_as(struct txn *t, struct op *op, pgno no, enum page_role role, struct page **out);
// txn_spill.c
// Gather. Brings what the transaction holds in memory down to its budget, before it takes more.
io_status txn_spill(struct txn *t, struct op *op);
// Gather. The private page with its data, in place of the stub that is given; any other frame is given back as it is.
io_status txn_private_load(struct txn *t, struct op *op, struct pager_frame *stub, struct pager_frame **out);
// Gather. Before the commit: nothing is being written to the temporary file. A store in memory has it all back.
io_status txn_spill_settle(struct txn *t, struct op *op);
void txn_private_changes(struct txn *t, struct pager_frame *f); // its contents are going to differ from the file's
void txn_private_give(struct txn *t, struct pager_frame *f);    // lets go of a private page or an undo image
void spill_leave(struct spill *x);                              // its transaction is over
// A stub that is a frame of the commit now: the store reads its data until the commit is durable or has failed.
void spill_commit_take(struct txn *t, struct pager_frame *stub);
void spill_page_read(struct store *s, const struct page *stub, u8 *out, struct completion *c);
void spill_commit_done(struct store *s);
// pointer_map.c
bool txn_page_is_map(const struct txn *t, pgno no);
io_status txn_vacuum_at_commit(struct txn *t, struct op *op);
// txn_commit.c
void store_commits_done(struct store *s); // those that have become durable
void store_commits_fail(struct store *s,
                        const struct err *err); // all that are not durable are undone
// wal_flush.c
bool flush_create(struct store *s);
void flush_destroy(struct store *s);
void flush_kick(struct store *s);
bool flush_busy(const struct store *s);
bool flush_ahead_busy(const struct store *s); // zeros are being written at the end of the WAL file
// checkpoint.c
bool checkpoint_create(struct store *s);
void checkpoint_destroy(struct store *s);
void checkpoint_kick(struct store *s, u32 frames); // starts one when the WAL is that long; 0: it never is
bool checkpoint_start(struct store *s); // false: nothing to do, or the memory is not there
bool checkpoint_busy(const struct store *s);
const struct err *
checkpoint_err(const struct store *s); // of the last one, code ERR_OK when it went well
// ERR_CORRUPT: the log gives the database more pages than the file and the log can hold.
err_code store_log_check(const struct store *s, const struct mark *m, struct err *err);
// checkpoint_ask.c
void txn_checkpoint_end(struct txn *t); // is no longer asked for
// wal_restart.c
bool store_wal_restartable(const struct store *s);
void store_wal_reset_try(struct store *s);
bool store_wal_held(const struct store *s); // a hold keeps the WAL from starting again
bool store_wal_gate(struct store *s, u32 frames); // true: no new writer now, whose checkpoint_frames these are
void store_wal_watch(struct store *s); // after commits: its length is limited, and what holds it noted
void store_wal_truncate(struct store *s, u64 size); // no flush under way writes after that; none begins before it is done
// recover.c
io_status store_recover_wal(struct store *s, struct op *op);
void store_recovery_free(struct store *s);
// journal.c
io_status store_rollback_journal(struct store *s, struct op *op);
void store_journal_free(struct store *s);
struct io_file *
store_journal_file_take(struct store *s); // to be closed after a failure; NULL: none is open
// store_open.c
io_status store_step_wait(struct store *s, struct op *op);
