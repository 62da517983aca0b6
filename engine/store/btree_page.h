// One B-tree page: its header, cell pointers, cells, and the space between them. Internal to engine/store.
//
// Layout (all big-endian): [100 bytes of file header on page 1] kind, first freeblock, cell count, content start
// (0 = 65536), fragmented bytes, [right child]; then the cell pointers; then a gap; then the cells, in any order,
// with free blocks of at least 4 bytes (next, size) in ascending order between them.
//
// Reading trusts nothing: the header and the cell pointers are checked once per page version (page_check), a cell
// when it is parsed. Before a page is changed page_check_space proves that its cells, free blocks and gap do not
// overlap; the functions that change a page rely on it and cannot fail.
#pragma once

#include "pager.h"

#define NODE_FREE_UNKNOWN UINT32_MAX
#define CELL_SIZE_MIN     4
#define PAYLOAD_SIZE_MAX  0x7fffffffu

enum page_kind { PAGE_INDEX_INTERIOR = 2, PAGE_TABLE_INTERIOR = 5, PAGE_INDEX_LEAF = 10, PAGE_TABLE_LEAF = 13 };

struct cell {
    const u8 *start;
    const u8 *payload; // NULL in interior pages of tables
    u64 payload_size;
    s64 rowid;      // table trees
    u32 local_size; // payload bytes in the page
    u32 size;       // bytes in the page, the minimum of 4 not applied
    pgno child;     // left child in interior pages, else 0
    pgno overflow;  // first overflow page, or 0
};

err_code page_check_contents(struct page *p, u32 usable_size, struct err *err);
static inline err_code page_check(struct page *p, u32 usable_size, struct err *err)
{
    return LIKELY(p->node.valid) ? ERR_OK : page_check_contents(p, usable_size, err);
}
// The header alone, for walks that look at everything else themselves: valid says whether it makes sense.
void page_header_read(struct page *p, u32 usable_size);
// Proves the page fit for changing in place and computes its free space.
err_code page_check_space(struct page *p, struct err *err);

static inline u32 page_cell_offset(const struct page *p, u32 i)
{
    return be16_get(p->data + p->node.cells_offset + 2 * i);
}
static inline pgno page_right_child(const struct page *p)
{
    return be32_get(p->data + p->node.header_offset + 8);
}
// Child i of an interior page; i = cell_count gives the right child. The cell pointers have been checked.
static inline pgno page_child(const struct page *p, u32 i)
{
    return i < p->node.cell_count ? be32_get(p->data + page_cell_offset(p, i)) : page_right_child(p);
}
static inline enum page_kind page_kind(const struct page *p)
{
    return p->node.rowid_tree ? (p->node.leaf ? PAGE_TABLE_LEAF : PAGE_TABLE_INTERIOR)
                              : (p->node.leaf ? PAGE_INDEX_LEAF : PAGE_INDEX_INTERIOR);
}

// Local part of a payload that overflows.
static inline u32 payload_local_size(const struct btree_node *n, u64 payload_size)
{
    if (LIKELY(payload_size <= n->local_max)) return (u32)payload_size;
    u64 local = n->local_min + (payload_size - n->local_min) % (n->usable_size - 4);
    return local <= n->local_max ? (u32)local : n->local_min;
}
static inline u32 payload_overflow_count(u32 usable_size, u64 payload_size, u32 local_size)
{
    return (u32)((payload_size - local_size + usable_size - 5) / (usable_size - 4));
}

// Parses the cell at p->data + offset. False when it is malformed.
bool cell_parse_at(const struct page *p, u32 offset, struct cell *c);
static inline bool cell_parse(const struct page *p, u32 i, struct cell *c)
{
    return i < p->node.cell_count && cell_parse_at(p, page_cell_offset(p, i), c);
}
err_code cell_error(struct err *err, const struct page *p, u32 i);
err_code page_error(struct err *err, const struct page *p, const char *what);

// ---- changing a page (writable, page_check_space passed) --------------------------------------------------

// A cell to be written: `bytes` without the left child, which is apart because it may not be known yet.
struct cell_item {
    const u8 *bytes;
    u32 size;
    pgno child;
};
// Bytes that an item takes in a page, its pointer included.
static inline u32 item_weight(u32 size, bool leaf)
{
    return 2 + (leaf ? MAX(size, CELL_SIZE_MIN) : size + 4);
}
void page_remove(struct page *p, u32 first, u32 count);
// Cell i of a leaf, of which the caller knows place and size in the page (nothing of it in overflow pages).
void page_remove_cell(struct page *p, u32 i, u32 offset, u32 size);
// Room for a cell i of `size` bytes, at least CELL_SIZE_MIN, for the caller to fill in, who has seen that it fits.
u8 *page_cell_make(struct page *p, u32 i, u32 size);
// The caller has seen that it fits.
void page_insert(struct page *p, u32 i, const struct cell_item *item);
// Makes the page anew from items; right_child for interior kinds. The items must not lie in this page.
void page_build(struct page *p, u32 usable_size, enum page_kind kind, const struct cell_item *items, u32 count,
                pgno right_child);
void page_set_child(struct page *p, u32 i, pgno child);
