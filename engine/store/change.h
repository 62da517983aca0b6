// Row changes of transactions, and which keys commits changed. Internal to engine/store.
//
// A concurrent transaction lists what it did to the trees, in order (struct change_list): that is what its commit is
// checked by and, when others have committed meanwhile, what is done again on the newest tree (change_replay.c). A plain
// transaction lists only the keys, and only while the store has concurrent ones, or had some of late. At commit the keys
// of the list go into the store's change_index with the lsn of the commit; they are forgotten when no snapshot of a
// concurrent transaction, now or later, can be older.
//
// A key is the rowid of a table tree's entry. Of an index tree's it is a hash of the fields that are unique (struct
// key_info.unique_count) such that equal keys have equal hashes; entries of indexes that are not unique have none,
// and neither have those with a NULL in a unique index: their rows conflict, they themselves do not.
//
// What conflicts, with commits after the transaction's snapshot:
//   key written          with the same key written
//   key that a foreign key refers to (CHANGE_READ), or one that is no longer there   with the other of the two
//   tree emptied         with anything in the tree (REINDEX empties an index, whose entries have no keys)
//   schema, header       with everything
// A key that went and came back in the same or a later commit is there: nobody's foreign key is hurt.
#pragma once

#include "btree.h"

// Bytes of row changes that a concurrent transaction keeps in memory, and private pages.
#define CHANGE_LIST_BYTES_MAX (64u << 20)
#define CHANGE_PAGES_MAX      65536u
// A commit of more keys has changed all of the trees that they are in.
#define CHANGE_KEYS_MAX 65536u
// Keys of commits (32 bytes each, in a table up to four times as large). Beyond that they are forgotten, and
// transactions with older snapshots cannot be checked and conflict.
#define CHANGE_INDEX_MAX 262144u
// After so many commits without a concurrent transaction plain ones list no keys.
#define CHANGE_COMMITS_KEPT 1000u

enum change_kind {
    CHANGE_INSERT,   // or replaces
    CHANGE_DELETE,
    CHANGE_CLEAR,    // all of the tree
    CHANGE_SEQUENCE, // row of sqlite_sequence: merged by maximum
    CHANGE_READ,     // a foreign key refers to it: it must still be there
};

// In the list; followed by `size` bytes of payload, rounded up to 8: the new record, the whole key of an index entry.
struct change {
    u32 tree; // index in the list's trees
    u8 kind;  // enum change_kind
    bool keyed;
    bool replaces; // CHANGE_INSERT: there was one of that key
    u64 key; // rowid, or hash
    u64 size;
};

struct change_tree {
    pgno root;
    bool whole;   // plain transactions: taken as changed everywhere
    bool touched; // plain transactions: something in it that has no key
    struct key_info *info; // own copy; NULL: a table, or not known yet
    struct cursor *replay;
};

struct change_list {
    bool recording;
    bool full;   // with payloads
    bool whole;  // schema or header fields changed: nothing more is listed
    u8 *bytes;
    u64 size, capacity, pending; // bytes; pending: of the change being made
    struct change_tree *trees;
    u32 tree_count, tree_capacity, tree_last;
    // Doing it again.
    enum { REPLAY_BEGIN, REPLAY_PREPARE, REPLAY_CHANGES, REPLAY_DONE } replay_step;
    u64 replay_at;
    struct btree_walk walk;
};

// Where a key was changed last. Root 0: an empty slot.
enum change_scope { SCOPE_KEY, SCOPE_TREE /* emptied, or all of it */, SCOPE_ANY /* anything in the tree */ };
struct change_key {
    pgno root;
    u8 scope; // enum change_scope
    bool gone;
    u64 key;
    u64 write_lsn, read_lsn; // 0: never
};
struct change_index {
    struct change_key *slots; // open addressing; a power of 2, or none
    u32 mask, count;
};

// Last rowid given out in a table, for inserters that do not see each other.
struct rowid_counter {
    pgno root;
    s64 last;
};
struct rowid_counters {
    struct rowid_counter *slots;
    u32 mask, count;
};

// change_list.c. Gather functions make the change ready; change_keep lists it after the tree was changed.
bool change_recording(const struct txn *t);
void change_begin(struct txn *t); // forgets what was gathered
io_status change_insert_gather(struct cursor *c, struct op *op, const struct btree_entry *e, u32 flags);
io_status change_delete_gather(struct cursor *c, struct op *op); // the cursor's entry
io_status change_clear_gather(struct txn *t, struct op *op, pgno root);
void change_keep(struct txn *t);
void change_replaces(struct txn *t, bool replaces); // what was gathered: an insert
void change_whole(struct txn *t); // schema or header fields change
void change_list_start(struct txn *t, bool full);
void change_list_reset(struct txn *t);
void change_list_truncate(struct txn *t, u64 size, bool whole); // a savepoint is rolled back
static inline struct change *change_at(const struct change_list *l, u64 at)
{
    return (struct change *)(l->bytes + at);
}
static inline const u8 *change_payload(const struct change *c)
{
    return (const u8 *)(c + 1);
}
static inline u64 change_size(const struct change *c)
{
    return sizeof *c + ((c->size + 7) & ~(u64)7);
}

// change_index.c
struct store;
bool change_index_reserve(struct store *s, const struct txn *t); // for what the list holds; false: out of memory
void change_publish(struct txn *t, u64 lsn);                     // the commit of t
// Whether t may commit; else t->conflict says why not.
bool change_check(struct txn *t);
void change_index_undo(struct store *s); // commits after the durable one are taken back
void change_index_free(struct store *s);

// change_replay.c: brings the transaction's changes onto the newest commit. The write slot is held.
io_status change_replay(struct txn *t, struct op *op);
