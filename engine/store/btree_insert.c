// Inserting and deleting entries. Most changes fit into their leaf and are made right there; the others are planned
// as a tree_change.
#include "btree_balance.h"
#include "btree_inline.h"
#include "change.h"

#define CELL_STACK_SIZE 4096

// A new entry on its way into the tree.
struct new_cell {
    u8 stack[CELL_STACK_SIZE];
    u8 *bytes; // header, local payload, number of the first overflow page
    u32 size;
    u64 payload_size;
    u32 local_size, overflow_count;
};

static io_status no_memory(struct op *op)
{
    return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
}

// Bytes [from, from + size) of the entry's payload: its data, then zeros.
static void payload_copy(const struct btree_entry *e, u64 from, u64 size, u8 *out)
{
    u64 there = from < e->size ? MIN(size, e->size - from) : 0;
    if (there) memcpy(out, e->data + from, there);
    memset(out + there, 0, size - there);
}

// Everything but the number of the first overflow page. The bytes are the caller's to free when not on its stack.
static io_status cell_make(struct op *op, const struct btree_node *n, const struct btree_entry *e,
                           struct new_cell *cell)
{
    cell->payload_size = e->size + e->zero_tail;
    if (cell->payload_size > VALUE_SIZE_MAX + 65536u)
        return IO_ERROR(&op->err, ERR_TOOBIG, "%s", err_default_text(ERR_TOOBIG));
    cell->local_size = payload_local_size(n, cell->payload_size);
    bool overflows = cell->local_size < cell->payload_size;
    cell->overflow_count =
        overflows ? payload_overflow_count(n->usable_size, cell->payload_size, cell->local_size) : 0;
    u32 size_max = 18 + cell->local_size + 4;
    cell->bytes = size_max <= sizeof cell->stack ? cell->stack : malloc(size_max);
    if (!cell->bytes) return no_memory(op);
    u8 *at = cell->bytes;
    at += varint_put(at, cell->payload_size);
    if (n->rowid_tree) at += varint_put(at, (u64)e->rowid);
    payload_copy(e, 0, cell->local_size, at);
    at += cell->local_size + (overflows ? 4 : 0);
    cell->size = (u32)(at - cell->bytes);
    return IO_DONE;
}

static void cell_free(struct new_cell *cell)
{
    if (cell->bytes != cell->stack) free(cell->bytes);
}

static void overflow_write(struct txn *t, struct op *op, const struct btree_entry *e, struct new_cell *cell)
{
    u32 room = txn_usable_size(t) - 4;
    u8 *link = cell->bytes + cell->size - 4;
    u64 at = cell->local_size;
    pgno last = 0;
    for (u32 i = 0; i < cell->overflow_count; i++) {
        struct page *p = txn_page_take(t, op, last);
        last = p->no;
        txn_page_mark(t, p, PAGE_ROLE_OVERFLOW);
        be32_put(link, p->no);
        u64 take = MIN((u64)room, cell->payload_size - at);
        be32_put(p->data, 0);
        payload_copy(e, at, take, p->data + 4);
        link = p->data;
        at += take;
    }
}

static int pgno_compare(const void *a, const void *b)
{
    pgno x = *(const pgno *)a, y = *(const pgno *)b;
    return (x > y) - (x < y);
}

// Gathers the overflow pages of the cursor's entry, each once, in c->overflow.
static io_status overflow_gather(struct cursor *c, struct op *op, u32 *count)
{
    IO_TRY(cursor_entry(c, op));
    *count = c->local_size < c->payload_size
                 ? payload_overflow_count(txn_usable_size(c->txn), c->payload_size, c->local_size)
                 : 0;
    if (*count == 0) return IO_DONE;
    IO_TRY(cursor_overflow_gather(c, op, *count));
    bool ascending = true;
    for (u32 i = 1; i < *count; i++) ascending &= c->overflow[i] > c->overflow[i - 1];
    if (ascending) return IO_DONE;
    pgno *sorted = malloc(*count * sizeof *sorted);
    if (!sorted) return no_memory(op);
    memcpy(sorted, c->overflow, *count * sizeof *sorted);
    qsort(sorted, *count, sizeof *sorted, pgno_compare);
    pgno twice = 0;
    for (u32 i = 1; i < *count; i++) {
        if (sorted[i] == sorted[i - 1]) twice = sorted[i];
    }
    free(sorted);
    if (!twice) return IO_DONE;
    return IO_ERROR(&op->err, ERR_CORRUPT,
                    "database disk image is malformed: page %u is twice in the overflow chain of an entry of page %u",
                    twice, c->path[c->depth]->no);
}

static void overflow_release(struct cursor *c, struct op *op, u32 count)
{
    for (u32 i = 0; i < count; i++) txn_page_free(c->txn, op, c->overflow[i]);
}

// Takes the planned versions of the pages into the cursor's path; false when the tree changed its shape around the
// path and the cursor had to let go.
static bool cursor_follow(struct cursor *c, struct tree_change *ch)
{
    u32 leaf = ch->depth;
    bool kept = (s32)leaf == c->depth;
    for (u32 i = 0; i <= ch->depth && kept; i++) {
        enum level_action action = ch->levels[i].action;
        kept = action == LEVEL_KEEP || action == LEVEL_EDIT || (action == LEVEL_APPEND && i == leaf);
    }
    if (!kept) {
        cursor_reset(c);
        return false;
    }
    c->bounds_known = false;
    for (u32 i = 0; i < leaf; i++) cursor_swap(c, i, ch->levels[i].page);
    if (ch->levels[leaf].action == LEVEL_APPEND) {
        c->index[leaf - 1] = c->path[leaf - 1]->node.cell_count;
        cursor_swap(c, leaf, ch->levels[leaf].fresh[0]);
        c->index[leaf] = 0;
    } else {
        cursor_swap(c, leaf, ch->levels[leaf].page);
    }
    return true;
}

static io_status cursor_key_store(struct cursor *c, struct op *op, const u8 *key, u64 size)
{
    u8 *grown = realloc(c->saved_key, size + 1);
    if (!grown) return no_memory(op);
    c->saved_key = grown;
    c->saved_size = size;
    if (size) memcpy(grown, key, size);
    return IO_DONE;
}

// Other cursors on the tree that is about to change: mostly there are none.
static inline io_status others_save(struct cursor *c, struct op *op)
{
    for (const struct cursor *o = txn_cursors(c->txn)->first; o; o = o->next_in_txn)
        if (UNLIKELY(o->root == c->root && o != c)) return txn_cursors_save(c->txn, op, c->root, c);
    return IO_DONE;
}

// ---- inserting --------------------------------------------------------------------------------------

// Puts the cursor where the entry belongs: *at is its cell index in the page at c->depth.
static io_status insert_seek(struct cursor *c, struct op *op, const struct btree_entry *e, u32 flags,
                             int seek_result, u32 *at, bool *replaces)
{
    int compare = seek_result;
    if (c->depth == 0 && c->path[0]->node.cell_count == 0 && c->path[0]->node.leaf) { // the tree is empty
        *replaces = false;
        *at = 0;
        return IO_DONE;
    }
    bool placed = (flags & CURSOR_SEEK_DONE) && c->state == CURSOR_VALID &&
                  (compare == 0 || c->path[c->depth]->node.leaf);
    if (!placed) {
        if (!c->key_info)
            IO_TRY(cursor_seek_rowid(c, op, e->rowid, &compare));
        else if (e->key) {
            struct search_key key = *e->key;
            bool there = false;
            if (cursor_in_gap(c, &key)) {
                *replaces = false;
                *at = c->index[c->depth];
                return IO_DONE;
            }
            if (flags & CURSOR_SAVE_POSITION) IO_TRY(cursor_at_key(c, op, &key, &there)); // an update of its row, mostly
            if (there)
                compare = 0;
            else
                IO_TRY(cursor_seek_key(c, op, &key, &compare));
        } else {
            IO_TRY(cursor_seek_record(c, op, e->data, e->size, UINT32_MAX, &compare));
        }
    }
    *replaces = c->state == CURSOR_VALID && compare == 0;
    *at = c->state != CURSOR_VALID ? 0 : c->index[c->depth] + (compare < 0 ? 1u : 0u);
    return IO_DONE;
}

static void cursor_placed(struct cursor *c, u32 at)
{
    c->index[c->depth] = (u16)at;
    c->state = CURSOR_VALID;
    c->skip = 0;
    cursor_moved(c);
}

// The entry fits where it belongs.
static io_status insert_in_place(struct cursor *c, struct op *op, const struct btree_entry *e,
                                 struct new_cell *cell, u32 at, bool replaces, u32 old_size, u32 old_overflow)
{
    struct page *w;
    IO_TRY(page_write(c, op, c->path[c->depth], &w));
    if (page_check_space(w, &op->err) != ERR_OK) return IO_FAIL;
    if (cell->overflow_count) IO_TRY(txn_reserve(c->txn, op, cell->overflow_count));
    op_mutate(op);
    overflow_write(c->txn, op, e, cell);
    if (replaces && old_size == cell->size && old_size >= CELL_SIZE_MIN) {
        memcpy(w->data + page_cell_offset(w, at), cell->bytes, cell->size);
    } else {
        if (replaces) page_remove(w, at, 1);
        page_insert(w, at, &(struct cell_item){cell->bytes, cell->size, 0});
    }
    overflow_release(c, op, old_overflow);
    cursor_swap(c, (u32)c->depth, w);
    cursor_placed(c, at);
    return IO_DONE;
}

// Whether the entry may be written right into the leaf: none of it overflows, and the leaf can be changed as it is. `room`
// is what a cell has there. The cell's size then, else 0.
static u32 quick_size(struct cursor *c, const struct btree_entry *e, u32 room)
{
    struct page *p = c->path[c->depth];
    const struct btree_node *n = &p->node;
    if (!n->leaf || e->zero_tail || e->size > n->local_max || n->free_size == NODE_FREE_UNKNOWN) return 0;
    u32 size = varint_size(e->size) + (n->rowid_tree ? varint_size((u64)e->rowid) : 0) + (u32)e->size;
    return size >= CELL_SIZE_MIN && size + 2 <= n->free_size + room && txn_page_ready(c->txn, p) ? size : 0;
}

static void quick_write(struct cursor *c, const struct btree_entry *e, u32 at, u32 size)
{
    struct page *p = c->path[c->depth];
    u8 *to = page_cell_make(p, at, size);
    to += varint_put(to, e->size);
    if (p->node.rowid_tree) to += varint_put(to, (u64)e->rowid);
    if (e->size) memcpy(to, e->data, e->size);
    cursor_placed(c, at);
}

// The usual entry: it fits. Nothing is gathered.
static bool insert_quick(struct cursor *c, const struct btree_entry *e, u32 at)
{
    u32 size = quick_size(c, e, 0);
    if (size) quick_write(c, e, at, size);
    return size > 0;
}

u32 cursor_append_cells(struct cursor *to, struct cursor *from)
{
    if (to->state != CURSOR_VALID || from->state != CURSOR_VALID || change_recording(to->txn)) return 0;
    struct page *p = to->path[to->depth];
    const struct page *source = from->path[from->depth];
    struct btree_node *n = &p->node;
    u32 first = from->index[from->depth], i = first, at = n->cell_count;
    if (!n->leaf || !source->node.leaf || n->rowid_tree != source->node.rowid_tree || to->index[to->depth] + 1u != at ||
        n->free_size == NODE_FREE_UNKNOWN || !txn_page_ready(to->txn, p))
        return 0;
    for (; i + 1 < source->node.cell_count; i++) {
        struct cell cell;
        if (!cell_parse(source, i, &cell) || cell.local_size < cell.payload_size || cell.payload_size > n->local_max || cell.size < CELL_SIZE_MIN ||
            cell.size + 2 > n->free_size)
            break;
        memcpy(page_cell_make(p, at++, cell.size), cell.start, cell.size);
    }
    if (i == first) return 0;
    cursor_placed(to, at - 1);
    from->index[from->depth] = (u16)i;
    cursor_moved(from);
    return i - first;
}

// The bytes of the cell that the cursor is on, none of which overflows.
static u32 cell_bytes(const struct cursor *c, u32 offset)
{
    return (u32)(c->local - (c->path[c->depth]->data + offset)) + c->local_size;
}

// The same of an entry that takes the place of the one that the cursor was read at.
static bool replace_quick(struct cursor *c, const struct btree_entry *e, u32 at)
{
    struct page *p = c->path[c->depth];
    if (c->local_size != c->payload_size) return false;
    u32 offset = page_cell_offset(p, at), old_size = cell_bytes(c, offset);
    u32 size = quick_size(c, e, MAX(old_size, CELL_SIZE_MIN) + 2);
    if (!size) return false;
    ASSERT(offset + old_size <= p->node.usable_size);
    page_remove_cell(p, at, offset, old_size);
    quick_write(c, e, at, size);
    return true;
}

static io_status insert_planned(struct cursor *c, struct op *op, struct tree_change *ch,
                                const struct btree_entry *e, struct new_cell *cell, u32 flags, u32 old_overflow)
{
    IO_TRY(change_plan(ch, op, false));
    IO_TRY(txn_reserve(c->txn, op, ch->new_pages + cell->overflow_count));
    bool save = flags & CURSOR_SAVE_POSITION;
    if (save && c->key_info) IO_TRY(cursor_key_store(c, op, e->data, e->size));
    op_mutate(op);
    overflow_write(c->txn, op, e, cell);
    change_apply(ch, op);
    overflow_release(c, op, old_overflow);
    u32 at = ch->levels[ch->depth].edit.first;
    if (cursor_follow(c, ch)) {
        if (ch->levels[ch->depth].action != LEVEL_APPEND) c->index[c->depth] = (u16)at;
        c->state = CURSOR_VALID;
        c->skip = 0;
        cursor_moved(c);
    } else if (save) {
        c->saved_rowid = e->rowid;
        c->state = CURSOR_SAVED;
    }
    return IO_DONE;
}

// The new payload is as long as the old one, and all of it is in the page.
static io_status insert_over(struct cursor *c, struct op *op, const struct btree_entry *e)
{
    struct page *p = c->path[c->depth], *w;
    size_t offset = (size_t)(c->local - p->data);
    IO_TRY(page_write(c, op, p, &w));
    op_mutate(op);
    if (e->size) memmove(w->data + offset, e->data, e->size);
    cursor_swap(c, (u32)c->depth, w);
    c->skip = 0;
    cursor_moved(c);
    return IO_DONE;
}

// A row's new record is as long as the one that the cursor has just been read at: most updates.
static bool overwrites(const struct cursor *c, const struct btree_entry *e)
{
    return c->cell_parsed && c->state == CURSOR_VALID && !c->key_info && c->rowid == e->rowid && c->local_size == e->size &&
           c->payload_size == e->size && !e->zero_tail && !change_recording(c->txn) &&
           txn_page_ready(c->txn, c->path[c->depth]);
}

static io_status insert_run(struct cursor *c, struct op *op, const struct btree_entry *e, u32 flags,
                            int seek_result)
{
    u32 at, old_overflow = 0, old_size = 0;
    bool replaces;
    if (overwrites(c, e)) {
        IO_TRY(others_save(c, op));
        struct page *p = c->path[c->depth];
        memmove(p->data + (c->local - p->data), e->data, e->size);
        return IO_DONE;
    }
    IO_TRY(insert_seek(c, op, e, flags, seek_result, &at, &replaces));
    if (change_recording(c->txn)) {
        IO_TRY(change_insert_gather(c, op, e, flags));
        change_replaces(c->txn, replaces);
    }
    IO_TRY(others_save(c, op));
    if (!replaces && LIKELY(insert_quick(c, e, at))) return IO_DONE;
    struct page *p = c->path[c->depth];
    struct cell old = {0};
    if (replaces) {
        IO_TRY(cursor_entry_inline(c, op));
        if (c->payload_size == e->size && c->local_size == e->size && !e->zero_tail && p->node.leaf)
            return insert_over(c, op, e);
        if (LIKELY(replace_quick(c, e, at))) return IO_DONE;
        IO_TRY(overflow_gather(c, op, &old_overflow));
        if (!cell_parse(p, at, &old)) {
            (void)cell_error(&op->err, p, at);
            return IO_FAIL;
        }
        old_size = old.size;
    }
    if (page_check_space(p, &op->err) != ERR_OK) return IO_FAIL;
    struct new_cell cell;
    IO_TRY(cell_make(op, &p->node, e, &cell));
    u32 room = p->node.free_size + (replaces ? MAX(old_size, CELL_SIZE_MIN) + 2 : 0);
    io_status status;
    if (p->node.leaf && item_weight(cell.size, true) <= room) {
        status = insert_in_place(c, op, e, &cell, at, replaces, old_size, old_overflow);
    } else {
        struct tree_change ch;
        change_init(&ch, c);
        struct tree_edit *edit = &ch.levels[ch.depth].edit;
        *edit = (struct tree_edit){.active = true, .first = at, .removed = replaces, .count = 1};
        edit->items[0] = (struct cell_item){cell.bytes, cell.size, old.child};
        status = insert_planned(c, op, &ch, e, &cell, flags, old_overflow);
        change_deinit(&ch);
    }
    cell_free(&cell);
    return status;
}

io_status cursor_insert(struct cursor *c, struct op *op, const struct btree_entry *e, u32 flags,
                        int seek_result)
{
    change_begin(c->txn);
    io_status status = insert_run(c, op, e, flags, seek_result);
    if (status == IO_DONE) change_keep(c->txn);
    if (status != IO_WAIT) {
        c->probe_count = 0;
        c->overflow_count = 0;
        op_settle(op);
    }
    return status;
}

// ---- deleting ---------------------------------------------------------------------------------------

// The entry is out of page w.
static void delete_done(struct cursor *c, u32 flags, struct page *w, u32 at)
{
    cursor_moved(c);
    c->state = CURSOR_INVALID;
    c->skip = 0;
    c->gap = true;
    if ((flags & CURSOR_SAVE_POSITION) && w->node.cell_count > 0) {
        // The next entry has moved to where the cursor is; or, at the end, it stands on the one before.
        c->state = CURSOR_SKIP;
        c->gap = c->skip_saved = false;
        c->skip = at < w->node.cell_count ? 1 : -1;
        if (at == w->node.cell_count) c->index[c->depth]--;
    }
}

// The usual entry: none of it overflows, its leaf can be changed as it is and is full enough without it.
static bool delete_quick(struct cursor *c, u32 flags)
{
    struct page *p = c->path[c->depth];
    const struct btree_node *n = &p->node;
    if (!n->leaf || n->free_size == NODE_FREE_UNKNOWN || c->local_size != c->payload_size) return false;
    u32 at = c->index[c->depth], offset = page_cell_offset(p, at), size = cell_bytes(c, offset);
    if (c->depth > 0 && page_too_empty(n, n->free_size + MAX(size, CELL_SIZE_MIN) + 2)) return false;
    if (!txn_page_ready(c->txn, p)) return false;
    ASSERT(offset + size <= n->usable_size);
    page_remove_cell(p, at, offset, size);
    delete_done(c, flags, p, at);
    return true;
}

static io_status delete_in_place(struct cursor *c, struct op *op, u32 flags, u32 overflow_count)
{
    struct page *w;
    IO_TRY(page_write(c, op, c->path[c->depth], &w));
    if (page_check_space(w, &op->err) != ERR_OK) return IO_FAIL;
    op_mutate(op);
    u32 at = c->index[c->depth];
    page_remove(w, at, 1);
    overflow_release(c, op, overflow_count);
    cursor_swap(c, (u32)c->depth, w);
    delete_done(c, flags, w, at);
    return IO_DONE;
}

// Deletes with a change of the tree's shape, or from an interior page of an index tree: there the largest entry
// below takes the place of the deleted one.
static io_status delete_plan(struct cursor *c, struct op *op, struct tree_change *ch)
{
    struct tree_level *at = &ch->levels[ch->depth];
    at->edit = (struct tree_edit){.active = true, .first = at->index, .removed = 1};
    if (!at->page->node.leaf) {
        pgno child = page_child(at->page, at->index);
        IO_TRY(change_descend(ch, op));
        struct tree_level *leaf = &ch->levels[ch->depth];
        struct cell last;
        if (!cell_parse(leaf->page, leaf->index, &last)) {
            (void)cell_error(&op->err, leaf->page, leaf->index);
            return IO_FAIL;
        }
        u8 *copy = change_alloc(ch, last.size, &op->err);
        if (!copy) return IO_FAIL;
        memcpy(copy, last.start, last.size);
        at->edit.count = 1;
        at->edit.items[0] = (struct cell_item){copy, last.size, child};
        leaf->edit = (struct tree_edit){.active = true, .first = leaf->index, .removed = 1};
    }
    IO_TRY(change_plan(ch, op, true));
    return txn_reserve(c->txn, op, ch->new_pages);
}

static io_status delete_planned(struct cursor *c, struct op *op, u32 flags, u32 overflow_count)
{
    bool save = flags & CURSOR_SAVE_POSITION;
    if (save && c->key_info) {
        if (c->saved_size != c->payload_size || !c->saved_key) {
            u8 *grown = realloc(c->saved_key, c->payload_size + 1);
            if (!grown) return no_memory(op);
            c->saved_key = grown;
            c->saved_size = c->payload_size;
        }
        IO_TRY(cursor_read(c, op, 0, c->payload_size, c->saved_key));
    }
    struct tree_change ch;
    change_init(&ch, c);
    io_status status = delete_plan(c, op, &ch);
    if (status == IO_DONE) {
        op_mutate(op);
        change_apply(&ch, op);
        overflow_release(c, op, overflow_count);
        s64 rowid = c->rowid;
        cursor_reset(c);
        if (save) {
            c->saved_rowid = rowid;
            c->state = CURSOR_SAVED;
        }
    }
    change_deinit(&ch);
    return status;
}

static io_status delete_run(struct cursor *c, struct op *op, u32 flags)
{
    if (c->state == CURSOR_SAVED) {
        bool moved;
        IO_TRY(cursor_restore(c, op, &moved));
    }
    if (c->state != CURSOR_VALID) return IO_DONE; // the entry is gone already
    IO_TRY(others_save(c, op));
    IO_TRY(cursor_entry_inline(c, op));
    if (!change_recording(c->txn) && LIKELY(delete_quick(c, flags))) return IO_DONE;
    u32 overflow_count;
    IO_TRY(overflow_gather(c, op, &overflow_count));
    if (change_recording(c->txn)) IO_TRY(change_delete_gather(c, op));
    struct page *p = c->path[c->depth];
    if (page_check_space(p, &op->err) != ERR_OK) return IO_FAIL;
    struct cell cell;
    u32 at = c->index[c->depth];
    if (!cell_parse(p, at, &cell)) {
        (void)cell_error(&op->err, p, at);
        return IO_FAIL;
    }
    u32 free_size = p->node.free_size + MAX(cell.size, CELL_SIZE_MIN) + 2;
    if (p->node.leaf && (c->depth == 0 || !page_too_empty(&p->node, free_size)))
        return delete_in_place(c, op, flags, overflow_count);
    return delete_planned(c, op, flags, overflow_count);
}

io_status cursor_delete(struct cursor *c, struct op *op, u32 flags)
{
    change_begin(c->txn);
    io_status status = delete_run(c, op, flags);
    if (status == IO_DONE) change_keep(c->txn);
    if (status != IO_WAIT) {
        c->probe_count = 0;
        c->overflow_count = 0;
        op_settle(op);
    }
    return status;
}
