// Reading ahead of scans and of lookups. Internal to the engine; struct read_ahead is in btree.h.
#pragma once

#include "btree_inline.h"

// The bookkeeping of one who reads ahead: begin when a wait was met; when it is due, ask for as many as `window` less
// `left`, and say how many were found and how many of them had to be read. Each step that is made takes one off `left`.
void ahead_begin(struct read_ahead *a);
bool ahead_due(struct read_ahead *a);
void ahead_asked(struct read_ahead *a, const struct txn *t, u32 count, u32 started);

// Before a scan steps down to child `index` of the page at `level`: asks for the leaves from there on, when it is due.
void cursor_ahead(struct cursor *c, u32 level, u32 index, int direction);
// Starts reading what is missing on the way to these rows of a table tree (at most READ_AHEAD_MAX); the number of pages.
u32 btree_rows_prefetch(struct txn *t, pgno root, const s64 *rowids, u32 count);

// The entries behind the one that a valid cursor is on, as far as they are in memory and in the next leaf.
struct cursor_peek {
    const struct cursor *cursor;
    const struct page *page;
    s32 index, level;
    bool backward, jumped;
};
void cursor_peek_begin(struct cursor_peek *k, const struct cursor *c, bool backward);
bool cursor_peek_next(struct cursor_peek *k, struct cell *cell);
