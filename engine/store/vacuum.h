// VACUUM: the database's trees copied one after the other into a new image, without free pages and
// in order.
//
// The image is a store in memory; it takes the database's place in one transaction (txn_replace),
// so that a crash leaves the old state or the new one and readers keep theirs. Trees are copied
// entry by entry as they are: rowids and the order of keys stay.
#pragma once

#include "btree.h"
#include "store.h"

struct vacuum_tree {
    pgno from, to;
};
struct vacuum {
    struct txn *txn; // of the database; reading is enough
    s8 auto_vacuum;  // enum auto_vacuum of the image; -1: as the database has it
    bool without_sequence; // sqlite_sequence is left out: no table is AUTOINCREMENT
    // Of VACUUM INTO: the file's name, owned; its key, owned (NULL: as the database has it); sums and size of its
    // pages (0: as the database has it).
    char *target_path;
    struct store_key *target_key;
    bool target_checksums;
    u32 target_page_size;
    struct store *image;
    struct txn *image_txn; // its private pages are the image
    struct store *target;  // of VACUUM INTO
    struct txn *target_txn;
    enum vacuum_step {
        VACUUM_OPEN,
        VACUUM_BEGIN,
        VACUUM_META,
        VACUUM_TABLES,  // rows of sqlite_schema: tables and the indexes that are part of them,
        VACUUM_INDEXES, // other indexes,
        VACUUM_OTHERS,  // what has no tree
        VACUUM_TREES,
        VACUUM_DONE,
        VACUUM_TARGET_BEGIN,
        VACUUM_TARGET_COMMIT,
        VACUUM_TARGET_CLOSE,
        VACUUM_TARGET_DONE,
    } step;
    enum {
        VACUUM_FIRST,
        VACUUM_READ,
        VACUUM_ROOT,
        VACUUM_LAST,
        VACUUM_INSERT,
        VACUUM_NEXT
    } copy_step;
    struct cursor from, to;
    bool cursors_open;
    u32 meta_next;
    u32 encoding;
    s64 schema_rows;
    struct vacuum_tree *trees;
    u32 tree_count, tree_capacity, tree_next;
    u8 *entry, *record;
    u64 entry_size, entry_capacity, record_size;
    pgno root; // of the row of sqlite_schema in hand: its new one
};

// Goes on copying; IO_DONE when it is time to let others run, or step is VACUUM_DONE. Zero *v but
// for txn, auto_vacuum and what is said of the target first.
io_status vacuum_copy(struct vacuum *v, struct op *op);
// Writes the image to a new file, target_path: "output file already exists" when there is one that
// is not empty.
io_status vacuum_write_into(struct vacuum *v, struct op *op);
// The database of v->txn, which writes and has not written yet, becomes the image.
io_status vacuum_replace(struct vacuum *v, struct op *op);
// Lets go of all but the stores, which the caller closes.
void vacuum_deinit(struct vacuum *v);
