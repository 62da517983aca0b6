// Changing a tree whose pages do not have room for it as they are, or would be left too empty.
//
// A change is planned from the leaf up, level by level, before anything is touched: which page is edited in place,
// which siblings share their cells out anew and how, how many pages are needed. A plan reads and pins (gather); a
// plan that met a wait is thrown away and made again. change_apply carries it out and can neither wait nor fail.
// Internal to engine/store.
#pragma once

#include "btree_cursor.h"

#define SIBLINGS_MAX 3
#define SPREAD_MAX   10 // pages that the cells of SIBLINGS_MAX pages and an edit can come to need, with a margin

// Cells [first, first + removed) of a page give way to items.
struct tree_edit {
    bool active;
    u32 first, removed, count;
    struct cell_item items[SPREAD_MAX + 1];
    pgno after; // new left child of what follows the items; 0: as it was
};

enum level_action {
    LEVEL_KEEP,     // not touched
    LEVEL_EDIT,     // the edit is made in place
    LEVEL_APPEND,   // the edit goes to a new right sibling
    LEVEL_SPREAD,   // siblings share out their cells anew
    LEVEL_COLLAPSE, // the root takes the place of its last child
    LEVEL_DEEPEN,   // the root's cells move one level down
};

struct tree_level {
    struct page *page; // on the path; the transaction's copy once it is planned to change
    u32 index;         // cell, or child that the path takes
    struct tree_edit edit;
    enum level_action action;
    // Planned sharing out: page k gets items [start[k], end[k]).
    struct page *old[SIBLINGS_MAX], *fresh[SPREAD_MAX];
    u32 old_count, fresh_count;
    struct cell_item *items;
    u32 item_count, edit_at; // edit.items are items[edit_at...]
    pgno last_child;
    u32 start[SPREAD_MAX], end[SPREAD_MAX];
    bool divided;         // a cell between two pages goes up (all but table leaves)
    pgno divider_child;   // LEVEL_APPEND: left child of the cell that goes up
    enum page_kind kind;
};

struct scratch_block;
struct tree_change {
    struct cursor *cursor;
    u32 depth; // the lowest level
    u32 new_pages;
    struct page *owned[BTREE_DEPTH_MAX]; // read pins of path pages that are not the cursor's
    u32 owned_count;
    struct scratch_block *scratch;
    struct tree_level levels[BTREE_DEPTH_MAX];
};

// The path is the cursor's.
void change_init(struct tree_change *ch, struct cursor *c);
void change_deinit(struct tree_change *ch);
// Goes on below the cursor's page, from the left child of its cell to the last leaf entry there.
io_status change_descend(struct tree_change *ch, struct op *op);
// Memory that lives as long as the change; NULL with *err set.
void *change_alloc(struct tree_change *ch, size_t size, struct err *err);
// Plans all levels whose edits are set. removing: the lowest level may be left too empty.
io_status change_plan(struct tree_change *ch, struct op *op, bool removing);
void change_apply(struct tree_change *ch, struct op *op);

// Ensures a writable copy of a page whose header has been checked, and which is pinned until the change is made.
io_status page_write(struct cursor *c, struct op *op, struct page *p, struct page **out);
static inline bool page_too_empty(const struct btree_node *n, u32 free_size)
{
    return free_size * 3 > n->usable_size * 2;
}
