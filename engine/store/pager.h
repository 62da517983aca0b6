// Pages and transactions: what the B-tree stands on. Internal to engine/store.
//
// A page version, once committed, never changes. The cache key is (page, version): the version is the
// number of the WAL frame that holds it, counted over the life of the open store (a 64-bit log sequence
// number that WAL resets do not restart), or 0 for the database file's. A transaction sees the newest
// version at or below its snapshot, or its own private copy. Nothing is invalidated under a reader.
//
// Gather with txn_page, txn_page_write and txn_reserve; then op_mutate; then write into the data of pages
// that txn_page_write gave, and take and free pages, none of which waits or fails.
#pragma once

#include "record.h"

struct store;
struct txn;

// What the B-tree knows of a page once it has looked at its header (btree_page.c fills it in and checks it
// against the page's size: bytes of a file are never trusted).
struct btree_node {
    bool valid;          // header read and sound; the pager clears it for new contents
    bool leaf, rowid_tree; // "rowid_tree": table b-tree with integer keys
    u8 header_offset;    // 100 on page 1
    u8 cells_offset;     // of the cell pointer array
    u16 cell_count;
    u16 local_max, local_min;
    u32 content_start;
    u32 free_size;       // NODE_FREE_UNKNOWN until somebody wants to write the page
    u32 usable_size;
};

struct page {
    u8 *data; // page_size bytes; write only when writable and the op is mutating
    pgno no;
    u32 pins;
    bool writable; // a transaction's private copy
    u64 version;
    struct btree_node node;
    // The rest is the pager's.
    struct pager_frame *frame;
};

// Gather. Pins the page as this transaction sees it; the caller owns the pin. Page numbers out of range and
// unreadable pages fail with ERR_CORRUPT that names page and offset.
io_status txn_page(struct txn *t, struct op *op, pgno no, struct page **out);
void page_pin(struct page *p);
void page_unpin(struct page *p);
// Starts reading pages that will be wanted soon; never waits, never fails. Sorts them. Gives the number of those that
// were not there; within its bounds, so it may start fewer.
u32 txn_pages_prefetch(struct txn *t, pgno *pages, u32 count);
// How many pages a scan may have read ahead; 0: none is worth it.
#define READ_AHEAD_MAX 128u
u32 txn_ahead_max(const struct txn *t);
// The page if it is in memory, else NULL. Not pinned: good until the next page is asked for; not checked.
struct page *txn_page_peek(struct txn *t, pgno no);

// Gather. Ensures a private, writable copy (with what the open savepoints need to undo it); pinned by the op
// until op_settle. Read pins on the older version stay valid and unchanged.
io_status txn_page_write(struct txn *t, struct op *op, pgno no, struct page **out);
// Whether a page that the caller has pinned, as the transaction sees it, is what txn_page_write would give: then it may be
// changed without gathering. False says nothing.
bool txn_page_ready(struct txn *t, struct page *p);
// Gather. Ensures that `count` new pages can be taken (from the freelist, then by growing the file).
io_status txn_reserve(struct txn *t, struct op *op, u32 count);

// Mutate. A new zeroed, writable page out of the reserve; pinned by the op until op_settle. Which one is SQLite's choice: of
// the first trunk's leaves the one nearest to page `near`, the first of them if that is 0, the trunk once it has none.
struct page *txn_page_take(struct txn *t, struct op *op, pgno near);
// Mutate. Gives a page back: to later takes of this transaction, at commit to the file's freelist.
void txn_page_free(struct txn *t, struct op *op, pgno no);

// Auto-vacuum databases (pointer_map.c). What a page is to the pointer map: a page of a tree unless marked as
// something else right after it was taken.
enum page_role { PAGE_ROLE_TREE, PAGE_ROLE_ROOT, PAGE_ROLE_OVERFLOW };
void txn_page_mark(struct txn *t, struct page *p, enum page_role role); // mutate
bool txn_auto_vacuum(const struct txn *t);
pgno txn_page_after(const struct txn *t, pgno no); // the next that is neither a map nor the lock page
pgno txn_page_before(const struct txn *t, pgno no);
// A step of its own, before a gather: moves what is in the way, so that page `no` can be taken.
io_status txn_page_clear_way(struct txn *t, struct op *op, pgno no);
struct page *txn_page_take_at(struct txn *t, struct op *op, pgno no); // mutate, out of the reserve
io_status txn_map_sync(struct txn *t, struct op *op); // a step of its own: the map as the pages are now

// The free pages as a transaction that writes sees them: those it has in hand, and what is left of the freelist in
// the file. False in a read transaction: the file's header says it all.
struct txn_free_pages {
    const pgno *pages;
    u32 count, trunk_count;
    pgno trunk;
};
bool txn_free_pages_get(const struct txn *t, struct txn_free_pages *out);

u32 txn_page_size(const struct txn *t);   // bytes, 512 to 65536
u32 txn_usable_size(const struct txn *t); // less the reserved tail
pgno txn_page_count(const struct txn *t);
pgno txn_lock_page(const struct txn *t); // the page at 1 GiB that is never used
// The cursors open in this transaction (btree_cursor.c keeps and walks the list).
struct cursor_list {
    struct cursor *first;
    u32 idle_count; // of them, cursor_idle
};
struct cursor_list *txn_cursors(struct txn *t);
