// The hot steps of cursors, inline for the B-tree itself and for the virtual machine: stepping inside a leaf and
// parsing its cells. Each falls back on the general function of btree.h.
#pragma once

#include "btree.h"
#include "btree_page.h"

#define SEEK_NEAR 8 // rows so close to the one that a cursor is on are first looked for beside it

// As cursor_next.
static inline io_status cursor_next_inline(struct cursor *c, struct op *op)
{
    if (LIKELY(c->state == CURSOR_VALID)) {
        const struct page *p = c->path[c->depth];
        if (LIKELY(c->index[c->depth] + 1u < p->node.cell_count && p->node.leaf)) {
            u32 i = ++c->index[c->depth];
            c->cell_parsed = false;
            if (LIKELY(i + 8u < p->node.cell_count)) __builtin_prefetch(p->data + page_cell_offset(p, i + 8));
            return IO_DONE;
        }
    } else if (c->state == CURSOR_SKIP && c->skip > 0) { // what it stood on is deleted
        c->state = CURSOR_VALID;
        c->skip = 0;
        c->cell_parsed = false;
        return IO_DONE;
    }
    return cursor_next(c, op);
}

// Size of the payload, in *rowid the rowid of a table's, of the leaf's cell at `offset`, and where the payload begins. NULL:
// they are not in the page, or written as nobody writes them at its end.
ALWAYS_INLINE const u8 *leaf_cell_head(const struct page *p, u32 offset, u64 *payload_size, u64 *rowid)
{
    const u8 *at = p->data + offset, *end = p->data + p->node.usable_size;
    *rowid = 0;
    if (LIKELY(end - at >= 18)) {
        at += varint_get(at, payload_size);
        if (p->node.rowid_tree) at += varint_get(at, rowid);
        return at;
    }
    // The page's first entry, mostly: of a table of one row always.
    u32 size = varint_get_checked(at, end, payload_size);
    if (UNLIKELY(!size)) return NULL;
    at += size;
    if (!p->node.rowid_tree) return at;
    size = varint_get_checked(at, end, rowid);
    return LIKELY(size) ? at + size : NULL;
}

// A cell all of which is in its page becomes the entry that the cursor is on.
ALWAYS_INLINE void cursor_take_cell(struct cursor *c, const u8 *payload, u64 payload_size, s64 rowid)
{
    c->rowid = rowid;
    c->local = payload;
    c->local_size = (u32)payload_size;
    c->payload_size = payload_size;
    c->overflow_first = 0;
    c->read_done = 0;
    c->probe_count = 0;
    c->cell_parsed = true;
}

// Cell i of the leaf becomes it. False: it is not whole in its page, or i is beyond the last.
ALWAYS_INLINE bool cursor_take_whole_cell(struct cursor *c, const struct page *p, u64 i)
{
    const struct btree_node *n = &p->node;
    u64 payload_size, rowid;
    if (UNLIKELY(i >= n->cell_count)) return false;
    const u8 *at = leaf_cell_head(p, page_cell_offset(p, (u32)i), &payload_size, &rowid);
    if (UNLIKELY(!at || payload_size > n->local_max || payload_size > (u64)(p->data + n->usable_size - at))) return false;
    cursor_take_cell(c, at, payload_size, (s64)rowid);
    return true;
}

// As cursor_entry.
ALWAYS_INLINE io_status cursor_entry_inline(struct cursor *c, struct op *op)
{
    if (c->cell_parsed) return IO_DONE;
    const struct page *p = c->path[c->depth];
    if (LIKELY(c->state == CURSOR_VALID && p->node.leaf && cursor_take_whole_cell(c, p, c->index[c->depth]))) return IO_DONE;
    return cursor_entry(c, op);
}

// As cursor_seek_rowid, of the row that the cursor is on or one closely behind it, if it is where it would be among rowids
// without gaps: rows that refer to another table mostly do so in its order. False: it is to be sought.
ALWAYS_INLINE bool cursor_seek_near_inline(struct cursor *c, s64 rowid)
{
    if (c->state != CURSOR_VALID || !c->cell_parsed) return false;
    u64 distance = (u64)rowid - (u64)c->rowid, i = c->index[c->depth] + distance;
    c->skip = 0;
    if (distance == 0) return true;
    if (distance > SEEK_NEAR || !cursor_take_whole_cell(c, c->path[c->depth], i)) return false;
    c->index[c->depth] = (u16)i; // also when it is another: it is sought from there then
    return c->rowid == rowid;
}

bool leaf_rowid_at_end(const struct page *p, u32 offset, s64 *rowid); // of a cell that begins in a page's last bytes

// Rowid of cell i of a table's leaf, decoding no more than that. False when the cell is malformed.
ALWAYS_INLINE bool leaf_rowid(const struct page *p, u32 i, s64 *rowid)
{
    u32 offset = page_cell_offset(p, i);
    const u8 *at = p->data + offset;
    u64 v;
    if (UNLIKELY(offset + 18 > p->node.usable_size)) return leaf_rowid_at_end(p, offset, rowid);
    if (LIKELY(at[0] < 0x80))
        at += 1;
    else if (at[1] < 0x80)
        at += 2;
    else
        at += varint_get_long(at, &v);
    varint_get(at, &v);
    *rowid = (s64)v;
    return true;
}

// Key of cell i of a table's interior page.
static inline bool interior_rowid(const struct page *p, u32 i, s64 *rowid)
{
    u32 offset = page_cell_offset(p, i);
    u64 v;
    if (!varint_get_checked(p->data + offset + 4, p->data + p->node.usable_size, &v)) return false;
    *rowid = (s64)v;
    return true;
}
