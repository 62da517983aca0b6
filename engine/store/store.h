// The store: one database file and its WAL, shared by all connections of the process; transactions on it.
// The façade of this folder together with btree.h (trees and cursors) and check.h (integrity).
//
// Files are SQLite's, byte for byte: database format 3, SQLite's WAL; no -shm; encrypted ones are only inside
// (codec.h). SQLite's lock bytes are held exclusively while the store is open, so that a foreign process gets
// "database is locked". A database in rollback-journal mode is read as it is; a hot journal is rolled back on
// opening; the first write converts the file to WAL.
//
// Transactions: any number of readers, one plain writer at a time, in the order in which they asked.
// A commit appends its frames to the WAL buffer and hands the write slot over at once; all that queued
// meanwhile is made durable by one write and one sync; nobody sees or is told of a commit before that.
// A failed sync closes the WAL to writers until the store is reopened.
#pragma once

#include "record.h"

struct store;
struct txn;

// What an encrypted file is opened with: 32 bytes, or words that Argon2id makes a key of.
#define STORE_PASSPHRASE_MAX 1024u
enum store_key_kind { STORE_KEY_NONE, STORE_KEY_BYTES, STORE_KEY_PASSPHRASE };
struct store_key {
    enum store_key_kind kind;
    u8 bytes[32];
    char passphrase[STORE_PASSPHRASE_MAX];
};

void store_key_free(struct store_key **key); // wipes it
// Empty text is no key. False with *err: too long; not 64 hexadecimal digits.
bool store_key_passphrase(const char *text, struct store_key *out, struct err *err);
bool store_key_hex(const char *text, size_t size, struct store_key *out, struct err *err);
// What a key file holds: 32 bytes, or 64 hexadecimal digits with white space after them.
bool store_key_of_file(const u8 *bytes, size_t size, struct store_key *out, struct err *err);

// What page 1 of an encrypted database says of the bytes at the end of its pages (offset 20).
#define STORE_SEALED_RESERVED 40u
// Whether a file of that many pages is made an encrypted one with the key (NULL: none). An empty one is when something is first
// committed to it.
static inline bool store_seals(const struct store_key *key, pgno page_count)
{
    return key && key->kind != STORE_KEY_NONE && page_count;
}
// For who puts pages into the file of a database that is not open: what is written to it, whole pages of a database with
// those bytes free, becomes an encrypted file in `inner`, which it owns from then on; it is complete after truncation to its
// size (of plain pages). Reads are of whole pages into one buffer. NULL with *err: inner is as it was.
struct io_file *store_sealed_file(struct io_file *inner, u32 page_size, const struct store_key *key, struct err *err);
// An encrypted file begins with so many bytes that are no page: its key slots (codec.h).
#define STORE_SEALED_HEADER 8192u
bool store_sealed_header(const u8 header[STORE_SEALED_HEADER]); // are these such?
// One that was made earlier and begins so; `previous` as in store_options, or NULL. Errors as of store_open.
struct io_file *store_sealed_file_again(struct io_file *inner, const u8 header[STORE_SEALED_HEADER], const char *path,
                                        const struct store_key *key, const struct store_key *previous, struct err *err);
u32 store_sealed_page_size(const struct io_file *sealed);

enum auto_vacuum { AUTO_VACUUM_NONE, AUTO_VACUUM_FULL, AUTO_VACUUM_INCREMENTAL };
struct store_options {
    bool create;         // make the file when it is missing
    bool read_only;
    bool in_memory;      // no file at all: temporary and ":memory:" databases; path is ignored
    u32 page_size;       // for a new file; 0 = 4096
    u8 auto_vacuum;      // for a new file: enum auto_vacuum
    bool checksums;      // for a new file that is not encrypted: pages end in sums of 8 bytes (codec.h)
    // A new file is encrypted with `key`, one that is there must be, with it or with `previous`, of which it is then
    // taken to `key` in the background (store_rekey). Borrowed until store_open is over.
    const struct store_key *key, *key_previous;
    const struct store *key_of; // instead: a new file has the master key of this encrypted one
    u64 cache_bytes;       // what clean pages may take, as long as not more are pinned; 0 = 16 MiB
    u32 checkpoint_frames; // background checkpoint from so many frames on; 0 = 1000
    const char *temp_dir; // of copies that nobody commits (VACUUM, temporary results): where they spill; NULL: they do not. Outlives the store
    u64 wal_bytes_max;     // readers that keep the log longer are let go: ERR_BUSY_SNAPSHOT; 0: never
    bool busy_foreign_wait; // retry foreign locks until the op is cancelled rather than fail at once
};

// Opens or shares: one store per file (device and inode) and io. *out is set once; run again on IO_WAIT with
// the same *out (NULL at first). Recovers the WAL, rolls back a hot journal.
io_status store_open(struct io *io, const char *path, const struct store_options *options, struct op *op,
                     struct store **out);
// Drops a reference; the last one checkpoints (when clean), removes the WAL as SQLite does, and closes.
io_status store_close(struct store *s, struct op *op);

// Takes an encrypted file to another key; when it is done, only the new key opens the file. That all pages are written
// again with a new data key goes on in the background. ERR_ERROR: it is not encrypted, or the key is none.
io_status store_rekey(struct store *s, struct op *op, const struct store_key *key);
u32 store_rekey_left(const struct store *s); // pages that may still have the data key before; 0: there is none
bool store_sealed(const struct store *s);
// Of one in memory with nothing in it: what it spills from now on is encrypted, with a key that only it has.
void store_spill_seal(struct store *s);

// For a database that has no pages yet.
void store_auto_vacuum_set(struct store *s, enum auto_vacuum mode);
enum auto_vacuum store_auto_vacuum(const struct store *s); // that was set last
bool store_read_only(const struct store *s);
void store_cache_resize(struct store *s, u64 bytes); // of an open one; holds for all its users

// ---- transactions -----------------------------------------------------------------------------------

enum txn_state { TXN_NONE, TXN_READ, TXN_WRITE };

struct txn *txn_create(struct store *s); // NULL: out of memory. Idle until begun; reusable.
void txn_destroy(struct txn *t);         // rolls back
enum txn_state txn_state_get(const struct txn *t);
struct store *txn_store(const struct txn *t);

// Takes a snapshot of the newest durable commit; no-op when one is held.
io_status txn_begin_read(struct txn *t, struct op *op);
// Takes the write slot, waiting in line until deadline_ns (io_now_ns; 0 = does not wait), and, without a
// snapshot, one of the newest handed-over commit. With an older snapshot: ERR_BUSY_SNAPSHOT. ERR_BUSY when
// the slot is not had in time; ERR_READONLY. No-op when it is held.
io_status txn_begin_write(struct txn *t, struct op *op, u64 deadline_ns);
void txn_line_leave(struct txn *t); // who waited in line is gone; others of the same owner ask again
// The same for a transaction that does not take the write slot before it commits (BEGIN CONCURRENT): reads and, with
// `write`, changes private pages of its snapshot, beside any number of others. Its snapshot is the newest durable
// commit, or with `write` from the start the newest handed over. In memory, and in an empty file, it is a plain one.
io_status txn_begin_concurrent(struct txn *t, struct op *op, bool write, u64 deadline_ns);
// Before the commit of a concurrent transaction (no-ops for others): takes the write slot, waiting in line as
// txn_begin_write; then says whether its changes may be committed: ERR_BUSY_SNAPSHOT when another has changed the same
// rows or keys since its snapshot (txn_conflict_get says which). Either failing leaves it as it was. After both, a
// commit does not meet a conflict; txn_commit calls them itself when that was not done.
io_status txn_commit_slot(struct txn *t, struct op *op, u64 deadline_ns);
err_code txn_commit_check(struct txn *t, struct err *err);
void txn_commit_slot_give(struct txn *t); // not to be committed after all, now

enum txn_conflict_kind {
    TXN_CONFLICT_NONE,
    TXN_CONFLICT_KEY,           // the row, or the key of a unique index
    TXN_CONFLICT_REFERRED_GONE, // a row that a foreign key refers to was deleted
    TXN_CONFLICT_REFERRED,      // a row was deleted that another's new row refers to
    TXN_CONFLICT_TREE,          // a whole table was emptied, or emptied and changed
    TXN_CONFLICT_SCHEMA,        // another changed the schema or the file's header
    TXN_CONFLICT_SCHEMA_OWN,    // this one did, and others have committed
    TXN_CONFLICT_UNKNOWN,       // what others changed is not known any more, or was not yet
};
struct txn_conflict {
    enum txn_conflict_kind kind;
    pgno root;
    bool table; // a table's row, with its rowid; else the record `key` of an index
    s64 rowid;
    const u8 *key; // NULL: not known; valid until the transaction ends
    u64 key_size;
    const struct key_info *info;
};
const struct txn_conflict *txn_conflict_get(const struct txn *t);

// Makes the changes durable; on IO_DONE they are. Ends the transaction, also on IO_FAIL (rolled back). Its
// cursors are the caller's to close, or to save beforehand and restore in the next one.
io_status txn_commit(struct txn *t, struct op *op);
void txn_rollback(struct txn *t); // to TXN_NONE; cursors become invalid
// Ends a read transaction.
void txn_end_read(struct txn *t);

// Savepoints nest; they number from 1. Rolling back to n undoes what came after its opening and keeps it
// open; releasing n closes it and all inside it, keeping their changes. Never waits. Before rolling back the
// cursors are to be saved (txn_cursors_save): none of them stands on a page.
err_code txn_savepoint_open(struct txn *t, u32 *n, struct err *err);
void txn_savepoint_release(struct txn *t, u32 n);
void txn_savepoint_rollback(struct txn *t, u32 n);
u32 txn_savepoint_count(const struct txn *t);

// The count of pages up to which its write transactions may make the file grow (at first any), and whether this one has
// made it grow further: what it writes next fails then.
#define PAGE_COUNT_MAX 4294967294u
void txn_page_count_limit(struct txn *t, pgno max);
pgno txn_page_count_max(const struct txn *t);
bool txn_page_count_exceeded(const struct txn *t);

// Fields of the database header (SQLite's btree meta numbers).
enum txn_meta {
    META_FREE_PAGE_COUNT = 0, // read only
    META_SCHEMA_COOKIE = 1,
    META_FILE_FORMAT = 2,
    META_DEFAULT_CACHE_SIZE = 3,
    META_LARGEST_ROOT_PAGE = 4,
    META_TEXT_ENCODING = 5,
    META_USER_VERSION = 6,
    META_INCREMENTAL_VACUUM = 7,
    META_APPLICATION_ID = 8,
    META_DATA_VERSION = 15, // changes when another connection committed
};
io_status txn_meta_get(struct txn *t, struct op *op, enum txn_meta field, u32 *out);
io_status txn_meta_set(struct txn *t, struct op *op, enum txn_meta field, u32 value); // needs TXN_WRITE
// 1 UTF-8, 2 UTF-16le, 3 UTF-16be, of META_TEXT_ENCODING, of which two bits count and 0 is UTF-8.
static inline u8 text_encoding(u32 field) { return field & 3 ? (u8)(field & 3) : 1; }

// A step of its own in a write transaction on an auto-vacuum database: gives at most that many of the file's last
// pages back, as far as there are free pages.
io_status txn_vacuum(struct txn *t, struct op *op, u32 pages_max);

// ---- checkpoint -------------------------------------------------------------------------------------

// SQLite's: NOOP asks; PASSIVE copies what no reader keeps; the others do so with the write slot in hand, FULL until all is
// copied, RESTART until the next writer begins the log again, TRUNCATE with its file cut to nothing.
enum checkpoint_mode { CHECKPOINT_NOOP, CHECKPOINT_PASSIVE, CHECKPOINT_FULL, CHECKPOINT_RESTART, CHECKPOINT_TRUNCATE };
struct checkpoint_result {
    bool busy; // someone kept it from doing all that was asked
    bool log;  // there is one; else the two below are 0
    u32 wal_frames, checkpointed_frames;
};
// Waits for writers and readers until deadline_ns (0: does not). ERR_LOCKED when t is in a transaction.
io_status txn_checkpoint(struct txn *t, struct op *op, enum checkpoint_mode mode, u64 deadline_ns,
                         struct checkpoint_result *out);
// For commits of t: a checkpoint starts when the log has so many frames (0: never), its file is cut to so many bytes
// when it has started again (-1: not). At first as in the store's options, and -1.
void txn_wal_policy(struct txn *t, u32 checkpoint_frames, s64 size_limit);

// ---- the physical log, for backup ---------------------------------------------------------------------

// A position in the log: commits up to and including `lsn` (the version of the last frame of a commit).
// lsn counts over the life of the open store; wal_salt and wal_frame say where that is on disk, so that a
// later run can tell whether the WAL still continues it; wal_sum says what is there, so that it can tell whether the
// file was put back to an earlier state and other commits went to the same place.
struct store_position {
    u64 lsn;
    u32 wal_salt[2];
    u32 wal_frame;      // 1-based; 0 = nothing in this WAL
    u32 wal_sum[2];     // the checksum of this frame, which goes over all before it; 0 for frame 0
    pgno page_count;    // of the database as of this position
};
// The newest durable position. Wakes `on_commit` (if not NULL) once when a newer one is there.
void store_position_get(struct store *s, struct store_position *out, struct waiter *on_commit);
// Finds the position of (salt, frame) in the WAL as it is: false when the WAL does not continue it. What is there is
// the caller's to compare (wal_sum).
bool store_position_find(struct store *s, const u32 wal_salt[2], u32 wal_frame, struct store_position *out);
// Numbers of the pages that commits after `from` up to `to` changed, ascending, each once. The array is the
// caller's to free. ERR_NOMEM; ERR_NOTFOUND when the log no longer reaches back to `from`.
err_code store_pages_changed(struct store *s, u64 from_lsn, u64 to_lsn, pgno **out, u32 *count);
// Keeps the log after lsn: the WAL is not reset past it until the hold is raised or dropped. UINT64_MAX drops. A
// very long WAL (16 times checkpoint_frames) is reset all the same when the hold lags by less than a quarter of it:
// store_pages_changed then still reaches back to lsn, but after a crash store_position_find will not find it.
enum store_holder { STORE_HOLD_BACKUP, STORE_HOLD_REPLICAS, STORE_HOLDERS };
void store_hold_by(struct store *s, enum store_holder holder, u64 lsn); // each its own: the lowest counts
static inline void store_hold(struct store *s, u64 lsn)
{
    store_hold_by(s, STORE_HOLD_BACKUP, lsn);
}
// One page as of a read transaction's snapshot, copied into out (page_size bytes).
io_status txn_page_copy(struct txn *t, struct op *op, pgno no, u8 *out);
// Starts reading pages that will be wanted soon; sorts them. Gives the number of those that were not there.
u32 txn_pages_prefetch(struct txn *t, pgno *pages, u32 count);
void txn_position_get(const struct txn *t, struct store_position *out); // of its snapshot

// ---- a copy that follows another database --------------------------------------------------------------

// Write transactions but images fail with this code and text, which stays the caller's; NULL: no longer.
void store_refuse_writes(struct store *s, err_code code, const char *text);
// A write transaction that takes whole pages of elsewhere: begun like txn_begin_write, nothing of it is interpreted
// or added to. It reads as the database was until its pages were put; txn_image_size comes last, before txn_commit.
io_status txn_image_begin(struct txn *t, struct op *op, u64 deadline_ns);
io_status txn_image_page(struct txn *t, struct op *op, pgno no, const u8 *data); // any number, in any order
io_status txn_image_size(struct txn *t, struct op *op, pgno page_count); // of the database from now on

enum store_wal_held { STORE_WAL_FREE, STORE_WAL_HELD_READER, STORE_WAL_HELD_BACKUP };
struct store_stats {
    u32 page_size;
    u64 cache_bytes, cache_bytes_max, cache_hits, cache_misses, cache_evictions;
    u64 wal_frames, wal_bytes, commits, syncs, checkpoints;
    u32 readers;
    u64 oldest_reader_lsn, newest_lsn, hold_lsn;
    bool wal_failed; // a sync failed: closed to writers
    enum store_wal_held wal_held; // what keeps a long log (4 times checkpoint_frames) from starting again
    u64 wal_held_ns;              // since when, 0: not held
    u64 readers_let_go;           // for wal_bytes_max
};
void store_stats_get(const struct store *s, struct store_stats *out);
