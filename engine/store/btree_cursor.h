// What the parts of the B-tree share about cursors. Internal to engine/store.
#pragma once

#include "btree_inline.h"

// Pins page `no` at the cursor's level `level` and lets go of the levels below. A page that is there already is
// kept. The page's header is checked; one of the wrong kind fails.
io_status cursor_load(struct cursor *c, struct op *op, u32 level, pgno no);
void cursor_release(struct cursor *c, s32 from_level); // unpins the levels from there on
// Forgets what was parsed of the entry.
static inline void cursor_moved(struct cursor *c)
{
    c->cell_parsed = false;
}
// A file without pages has an empty schema table, and nothing else.
static inline bool cursor_of_empty_file(const struct cursor *c)
{
    return c->root == 1 && txn_page_count(c->txn) == 0;
}
// Replaces the page at a level by another version of it (or another page).
void cursor_swap(struct cursor *c, u32 level, struct page *p);
// Whether the cursor's path is the last one of the tree.
bool cursor_on_last_path(const struct cursor *c);
// The cursor has come to a leaf, on its way in that direction: the processor fetches what it reads first of the leaf
// after that, its head and the cells at its end, while the rows of this one are used.
void cursor_touch_next_leaf(const struct cursor *c, int direction);
// Seeks a whole record (no decoded key) by its first `fields` fields.
io_status cursor_seek_record(struct cursor *c, struct op *op, const u8 *record, u64 size, u32 fields,
                             int *compare);
// Whether the entry that the cursor is on has the key.
io_status cursor_at_key(struct cursor *c, struct op *op, struct search_key *key, bool *at);
// Whether the key belongs where the cursor has deleted an entry, between its neighbours of the same leaf. Then the cursor is valid, on
// the one behind. False: not so, or not seen at a glance.
bool cursor_in_gap(struct cursor *c, struct search_key *key);
// Continues a chain of overflow pages until `count` of them are in c->overflow.
io_status cursor_overflow_gather(struct cursor *c, struct op *op, u32 count);
