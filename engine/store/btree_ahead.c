// Reading ahead: leaves that a scan will come to, rows that the entries of an index name.
//
// Both begin when a step has had to wait for a page, with a few pages, ask for twice as many each time half of what
// was asked for is used up, and end when nothing that they would ask for is missing. So a tree that is in memory pays
// nothing, and one that reads little (LIMIT 1, a range of a few rows) asks for little more than it needs.
//
// Where pages lie is seen in the interior pages above; those that are not in memory are asked for as well, and what is
// below them a little later. Nothing here waits or fails: what is malformed ends the looking ahead, and whoever comes
// there is told.
#include "btree_ahead.h"

#define AHEAD_FIRST 4u

static const struct page *peek(struct txn *t, pgno no)
{
    struct err ignored = ERR_CLEAR;
    struct page *p = txn_page_peek(t, no);
    return p && page_check(p, txn_usable_size(t), &ignored) == ERR_OK ? p : NULL;
}

bool ahead_due(struct read_ahead *a)
{
    return a->left <= a->trigger;
}

void ahead_begin(struct read_ahead *a)
{
    if (a->window == 0) *a = (struct read_ahead){.window = AHEAD_FIRST};
}

void ahead_asked(struct read_ahead *a, const struct txn *t, u32 count, u32 started)
{
    a->left = (u16)(a->left + count);
    a->trigger = count ? a->left / 2 : 0;
    if (count == 0) return;
    if (started == 0) {
        a->window /= 2;
        if (a->window < AHEAD_FIRST) *a = (struct read_ahead){0};
    } else {
        a->window = (u16)MAX(MIN(2 * a->window, txn_ahead_max(t)), AHEAD_FIRST);
    }
}

// ---- leaves ----------------------------------------------------------------------------------------

// The numbers of the next leaves in the direction of a scan, from child `index` of the page at `level` on, less the
// first `skip`. An interior page that is not in memory is the last.
static u32 leaves_collect(const struct cursor *c, u32 level, u32 index, int direction, u32 skip, u32 want, pgno *out)
{
    const struct page *p = c->path[level];
    s64 i = index;
    u32 count = 0;
    s32 up = (s32)level - 1;
    s64 up_index = up >= 0 ? c->index[up] : 0;
    if (level + 2 == c->leaf_level) {
        up = (s32)level;
        up_index = index;
        p = peek(c->txn, page_child(p, index));
        if (!p) return 0; // the scan itself asks for it
        i = direction > 0 ? 0 : p->node.cell_count;
    } else if (level + 1 != c->leaf_level) {
        return 0;
    }
    while (!p->node.leaf) {
        for (; i >= 0 && i <= p->node.cell_count && count < want; i += direction) {
            if (skip)
                skip--;
            else
                out[count++] = page_child(p, (u32)i);
        }
        if (count == want || up < 0) break;
        up_index += direction;
        if (up_index < 0 || up_index > c->path[up]->node.cell_count) break;
        pgno no = page_child(c->path[up], (u32)up_index);
        p = peek(c->txn, no);
        if (!p) {
            if (skip == 0) out[count++] = no;
            break;
        }
        i = direction > 0 ? 0 : p->node.cell_count;
    }
    return count;
}

void cursor_ahead(struct cursor *c, u32 level, u32 index, int direction)
{
    struct read_ahead *a = &c->ahead;
    u32 max = MIN(txn_ahead_max(c->txn), READ_AHEAD_MAX);
    if (max < AHEAD_FIRST) {
        *a = (struct read_ahead){0};
        return;
    }
    if (!ahead_due(a)) return;
    pgno pages[READ_AHEAD_MAX];
    u32 window = MIN(a->window, max), want = window > a->left ? window - a->left : 0;
    u32 count = leaves_collect(c, level, index, direction, a->left, want, pages);
    ahead_asked(a, c->txn, count, txn_pages_prefetch(c->txn, pages, count));
}

// ---- rows that an index names ------------------------------------------------------------------------

// The page of table tree `root` next to be read on the way to a row: its leaf, when what is above is in memory. 0: all
// is there, or cannot be told.
static pgno rowid_page(struct txn *t, pgno root, s64 rowid)
{
    pgno no = root;
    for (u32 level = 0; level < BTREE_DEPTH_MAX; level++) {
        const struct page *p = peek(t, no);
        if (!p) return txn_page_peek(t, no) ? 0 : no;
        if (p->node.leaf || !p->node.rowid_tree) return 0;
        u32 low = 0, high = p->node.cell_count;
        while (low < high) {
            u32 middle = (low + high) / 2;
            s64 key;
            if (!interior_rowid(p, middle, &key)) return 0;
            if (key < rowid)
                low = middle + 1;
            else
                high = middle;
        }
        no = page_child(p, low);
    }
    return 0;
}

u32 btree_rows_prefetch(struct txn *t, pgno root, const s64 *rowids, u32 count)
{
    pgno pages[READ_AHEAD_MAX];
    u32 page_count = 0;
    ASSERT(count <= READ_AHEAD_MAX);
    for (u32 i = 0; i < count; i++) {
        pgno no = rowid_page(t, root, rowids[i]);
        if (no && (page_count == 0 || pages[page_count - 1] != no)) pages[page_count++] = no;
    }
    return txn_pages_prefetch(t, pages, page_count);
}

// ---- entries ahead -------------------------------------------------------------------------------------

void cursor_peek_begin(struct cursor_peek *k, const struct cursor *c, bool backward)
{
    *k = (struct cursor_peek){.cursor = c, .backward = backward};
    if (c->state != CURSOR_VALID || c->depth < 0) return;
    k->page = c->path[c->depth];
    k->index = c->index[c->depth];
    k->level = c->depth;
}

// From the end of a leaf to the divider above it, and from there to the next leaf, if that is in memory.
static bool peek_onwards(struct cursor_peek *k)
{
    const struct cursor *c = k->cursor;
    if (k->page->node.leaf) {
        if (k->level == 0 || k->jumped) return false; // two leaves are enough
        k->level--;
        k->page = c->path[k->level];
        k->index = c->index[k->level];
        if (k->backward) {
            if (k->index == 0) return false;
            k->index--;
        }
        if (k->index >= k->page->node.cell_count) return false;
        if (c->key_info) return true; // the divider is an entry too
    }
    pgno no = page_child(k->page, k->backward ? k->index : k->index + 1);
    const struct page *p = peek(c->txn, no);
    if (!p || !p->node.leaf) return false;
    k->jumped = true;
    k->page = p;
    k->index = k->backward ? p->node.cell_count - 1u : 0;
    return p->node.cell_count > 0;
}

bool cursor_peek_next(struct cursor_peek *k, struct cell *cell)
{
    if (!k->page) return false;
    const struct btree_node *n = &k->page->node;
    bool inside = n->leaf && (k->backward ? k->index > 0 : k->index + 1u < n->cell_count);
    if (inside) {
        k->index += k->backward ? -1 : 1;
    } else if (!peek_onwards(k)) {
        k->page = NULL;
        return false;
    }
    if (!cell_parse(k->page, (u32)k->index, cell)) {
        k->page = NULL;
        return false;
    }
    return true;
}
