// B-trees and cursors over them: SQLite's four page kinds, overflow chains, balance.
//
// Table trees map a 64-bit rowid to a record; index trees hold records as keys (WITHOUT ROWID tables too).
// A tree is its root page number in a transaction. All cursor positions survive changes made through other
// cursors of the same transaction: before a tree changes, its other cursors save their keys and seek again
// when next used (cursor_restore).
//
// Every function that returns io_status may be called again with the same arguments after IO_WAIT and has
// then not moved or changed anything yet.
#pragma once

#include "record.h"

struct txn;
struct page;

#define BTREE_DEPTH_MAX 20

// How far somebody reads ahead (btree_ahead.h): all zero while there was no need to.
struct read_ahead {
    u16 window;  // pages or rows
    u16 left;    // of those asked for, still to come to
    u16 trigger; // asks again when so many are left
};

struct probe {
    u8 *bytes;
    u64 capacity, size, done;
    pgno overflow; // the first page of the cell's chain
};

struct cursor {
    struct txn *txn;
    pgno root;
    const struct key_info *key_info; // NULL: table tree
    enum {
        CURSOR_INVALID, // on no entry
        CURSOR_VALID,
        CURSOR_SAVED,   // the key is saved: cursor_restore seeks it again
        CURSOR_SKIP,    // as valid, but the next step in direction `skip` was already made (entry deleted)
    } state;
    s8 skip;
    bool skip_saved; // CURSOR_SKIP: the saved key is that of the entry that is gone
    s8 depth; // of the page it is on; -1: none
    u16 index[BTREE_DEPTH_MAX];           // cell on each level
    struct page *path[BTREE_DEPTH_MAX];   // pinned by the cursor
    // The entry it is on, parsed on demand (cell_parsed).
    bool cell_parsed;
    s64 rowid;
    const u8 *local; // payload bytes in the page
    u32 local_size;
    u64 payload_size;
    pgno overflow_first;
    pgno *overflow; // cached chain
    u32 overflow_count, overflow_capacity;
    u8 *saved_key; // index trees: the record
    u64 saved_size;
    s64 saved_rowid;
    // Where a read that met a wait goes on when it is called again.
    u8 *read_out;
    u64 read_offset, read_size, read_done;
    // Keys with overflow pages that a search has met, collected. It begins anew at the root after each wait: what it has of all
    // of them stays, or the pages of one would push those of another out of a small cache for ever.
    struct probe *probes;
    u32 probe_count, probe_capacity;
    // Table trees: the rowids that belong into the leaf it is on are in (bound_low, bound_high], while known.
    s64 bound_low, bound_high;
    bool bounds_known;
    s8 near_trust; // index trees: whether the next key sought is likely on the leaf it is on
    bool gap;      // CURSOR_INVALID, for it has deleted the entry that was there: the path is good, the next one is likely sought near it
    struct read_ahead ahead; // of a scan
    u8 leaf_level;           // of the scan
    bool writable, hint_forward;
    bool idle; // cursor_idle
    bool pinned; // nobody else may write its tree
    struct cursor *next_in_txn, *prev_in_txn;
};

void cursor_init(struct cursor *c, struct txn *t, pgno root, const struct key_info *info, bool writable);
void cursor_deinit(struct cursor *c);
void cursor_reset(struct cursor *c); // lets go of pages; state becomes CURSOR_INVALID

// A cursor that nobody uses for now, but may again in this transaction: where it stands is a good place to search from
// (its next use begins with a seek). It loses its place to whatever may not be there then, and is closed with the
// transaction (txn is NULL then). False: there are so many that it is better closed.
bool cursor_idle(struct cursor *c);
void cursor_idle_end(struct cursor *c);

io_status cursor_first(struct cursor *c, struct op *op); // CURSOR_INVALID afterwards: the tree is empty
io_status cursor_last(struct cursor *c, struct op *op);
io_status cursor_next(struct cursor *c, struct op *op);  // CURSOR_INVALID afterwards: past the end
io_status cursor_previous(struct cursor *c, struct op *op);
// *compare <0: the cursor is on the nearest smaller entry, 0: on the one asked for, >0: on the nearest larger
// (whichever neighbour was reached). CURSOR_INVALID: the tree is empty.
io_status cursor_seek_rowid(struct cursor *c, struct op *op, s64 rowid, int *compare);
io_status cursor_seek_key(struct cursor *c, struct op *op, struct search_key *key, int *compare);
// Brings a saved cursor back; *moved when its entry is gone and it stands on a neighbour (or nothing).
io_status cursor_restore(struct cursor *c, struct op *op, bool *moved);
static inline bool cursor_valid(const struct cursor *c) { return c->state == CURSOR_VALID; }

// The entry under a valid cursor.
io_status cursor_entry(struct cursor *c, struct op *op); // parses the cell into c->rowid, local, payload_size
// Copies payload bytes [offset, offset+size) out, overflow pages included.
io_status cursor_read(struct cursor *c, struct op *op, u64 offset, u64 size, u8 *out);

struct btree_entry {
    s64 rowid;      // table trees
    const u8 *data; // record (index trees: the key itself)
    u64 size;
    u64 zero_tail;  // that many zero bytes follow data (table trees)
    const struct search_key *key; // index trees: the decoded key, for seeking; NULL = decode data
};
enum cursor_insert_flags {
    CURSOR_APPEND = 1,        // hint: larger than every entry
    CURSOR_SAVE_POSITION = 2, // afterwards the cursor stands on the new entry / can step from the deleted one
    CURSOR_SEEK_DONE = 4,     // the cursor stands where seek_result says; do not seek again
    CURSOR_SEQUENCE = 8,      // a row of sqlite_sequence that says how far automatic rowids have come
};
// Inserts, replacing an equal key. Inserting and deleting end with op_settle.
io_status cursor_insert(struct cursor *c, struct op *op, const struct btree_entry *e, u32 flags,
                        int seek_result);
// Copies entries of `from`, from where it is, behind those of another tree, at whose end `to` is, while neither leaf has to be
// left; `from` goes on to the first that is not copied. How many; neither waits nor fails.
u32 cursor_append_cells(struct cursor *to, struct cursor *from);
io_status cursor_delete(struct cursor *c, struct op *op, u32 flags);
// Rowid of the last entry, for automatic rowids; 0 when the tree is empty.
io_status btree_rowid_last(struct cursor *c, struct op *op, s64 *out);
// `last`, the largest rowid that the transaction sees, or the largest that another was given: the next one is taken.
s64 txn_rowid_last(struct txn *t, pgno root, s64 last);
// A row that the transaction wrote refers to this entry by a foreign key: it commits only while the entry is there.
// `key` NULL: a table's row; else the unique fields of an entry of a unique index.
io_status txn_key_refer(struct txn *t, struct op *op, pgno root, s64 rowid, const struct search_key *key);

enum btree_kind { BTREE_TABLE = 1, BTREE_INDEX = 2 };
io_status btree_create(struct txn *t, struct op *op, enum btree_kind kind, pgno *root);
// Walks that may be long: the walk keeps the place; zero it before the first call.
struct btree_walk {
    bool started;
    u64 count;   // entries
    u64 visited; // pages
    struct read_ahead ahead;
    u64 *stack;  // pages to go to
    u32 stack_count, stack_capacity;
};
void btree_walk_deinit(struct btree_walk *w);
// Removes all entries (the root stays, empty); w->count says how many there were.
io_status btree_clear(struct txn *t, struct op *op, pgno root, struct btree_walk *w);
// Removes the tree. In auto-vacuum files the last root page may move into its place: *moved_from is then its
// old number (else 0) and root its new one.
io_status btree_drop(struct txn *t, struct op *op, pgno root, struct btree_walk *w, pgno *moved_from);
io_status btree_count(struct cursor *c, struct op *op, struct btree_walk *w); // w->count
// Rough number of entries for the planner (0 = unknown).
io_status btree_count_estimate(struct cursor *c, struct op *op, u64 *out);

// What a planner wants to know of a tree, guessed from the pages on one path from the root to a leaf in its middle.
#define BTREE_SAMPLE_FIELDS 8
struct btree_sample {
    u64 entries;
    u64 equal[BTREE_SAMPLE_FIELDS]; // index trees: entries that are equal in their first 1, 2, ... fields, at least 1
};
io_status btree_sample(struct cursor *c, struct op *op, struct btree_sample *out);

// Called by the transaction.
io_status btree_init_file(struct txn *t, struct op *op); // page 1 of an empty database
void txn_cursors_invalidate(struct txn *t);              // rollback: all cursors become invalid
void txn_cursors_idle_close(struct txn *t);              // the transaction ends
void txn_cursors_idle_reset(struct txn *t);              // their pages are wanted
// Saves the positions of the cursors on `root` (0: on any tree), except one, and lets go of their pages: before
// anything changes the tree behind their backs (a savepoint's rollback).
io_status txn_cursors_save(struct txn *t, struct op *op, pgno root, const struct cursor *except);
