#include "btree_ahead.h"
#include "btree_cursor.h"

void cursor_init(struct cursor *c, struct txn *t, pgno root, const struct key_info *info, bool writable)
{
    *c = (struct cursor){.txn = t, .root = root, .key_info = info, .state = CURSOR_INVALID, .depth = -1,
                         .writable = writable};
    struct cursor_list *list = txn_cursors(t);
    c->next_in_txn = list->first;
    if (list->first) list->first->prev_in_txn = c;
    list->first = c;
}

void cursor_release(struct cursor *c, s32 from_level)
{
    for (s32 level = c->depth; level >= from_level; level--) {
        page_unpin(c->path[level]);
        c->path[level] = NULL;
    }
    if (from_level <= c->depth) {
        c->depth = (s8)(from_level - 1);
        c->bounds_known = c->gap = false;
    }
}

void cursor_reset(struct cursor *c)
{
    cursor_release(c, 0);
    c->state = CURSOR_INVALID;
    c->skip = 0;
    c->overflow_count = 0;
    c->read_done = 0;
    c->probe_count = 0;
    cursor_moved(c);
}

void cursor_deinit(struct cursor *c)
{
    if (!c->txn) return;
    cursor_idle_end(c);
    cursor_reset(c);
    if (c->prev_in_txn)
        c->prev_in_txn->next_in_txn = c->next_in_txn;
    else
        txn_cursors(c->txn)->first = c->next_in_txn;
    if (c->next_in_txn) c->next_in_txn->prev_in_txn = c->prev_in_txn;
    free(c->overflow);
    free(c->saved_key);
    for (u32 i = 0; i < c->probe_capacity; i++) free(c->probes[i].bytes);
    free(c->probes);
    c->txn = NULL;
    c->overflow = NULL;
    c->saved_key = NULL;
    c->probes = NULL;
    c->probe_count = c->probe_capacity = 0;
}

void txn_cursors_invalidate(struct txn *t)
{
    for (struct cursor *c = txn_cursors(t)->first; c; c = c->next_in_txn) cursor_reset(c);
}

#define IDLE_MAX 32u // cursors of a transaction; each pins a path

bool cursor_idle(struct cursor *c)
{
    struct cursor_list *list = txn_cursors(c->txn);
    if (list->idle_count >= IDLE_MAX) return false;
    list->idle_count++;
    c->idle = true;
    if (c->state == CURSOR_VALID || c->gap) {
        c->overflow_count = 0;
        c->read_done = c->probe_count = 0;
        cursor_moved(c);
    } else {
        cursor_reset(c);
    }
    return true;
}

void cursor_idle_end(struct cursor *c)
{
    if (!c->idle) return;
    c->idle = false;
    txn_cursors(c->txn)->idle_count--;
}

void txn_cursors_idle_close(struct txn *t)
{
    struct cursor *next;
    for (struct cursor *c = txn_cursors(t)->idle_count ? txn_cursors(t)->first : NULL; c; c = next) {
        next = c->next_in_txn;
        if (c->idle) cursor_deinit(c);
    }
}

void txn_cursors_idle_reset(struct txn *t)
{
    for (struct cursor *c = txn_cursors(t)->idle_count ? txn_cursors(t)->first : NULL; c; c = c->next_in_txn)
        if (c->idle) cursor_reset(c);
}

void cursor_swap(struct cursor *c, u32 level, struct page *p)
{
    if (c->path[level] == p) return;
    page_pin(p);
    page_unpin(c->path[level]);
    c->path[level] = p;
}

bool cursor_on_last_path(const struct cursor *c)
{
    for (s32 level = 0; level < c->depth; level++) {
        if (c->index[level] != c->path[level]->node.cell_count) return false;
    }
    return c->depth >= 0 && c->path[c->depth]->node.leaf;
}

// ---- moving -----------------------------------------------------------------------------------------

static err_code kind_check(const struct cursor *c, const struct page *p, u32 level, struct err *err)
{
    if (p->node.rowid_tree != !c->key_info)
        return page_error(err, p, c->key_info ? "it belongs to a table, not to an index"
                                              : "it belongs to an index, not to a table");
    if (p->node.cell_count == 0 && (level > 0 || (!p->node.leaf && p->no != 1)))
        return page_error(err, p, "it is empty but not the root of an empty tree");
    return ERR_OK;
}

// A checked page of this cursor's tree, pinned for the caller.
static io_status page_gather(struct cursor *c, struct op *op, u32 level, pgno no, struct page **out)
{
    if (UNLIKELY(level >= BTREE_DEPTH_MAX))
        return IO_ERROR(&op->err, ERR_CORRUPT,
                        "database disk image is malformed: the tree of page %u is deeper than %d", c->root,
                        BTREE_DEPTH_MAX);
    struct page *p;
    IO_TRY(txn_page(c->txn, op, no, &p));
    if (page_check(p, txn_usable_size(c->txn), &op->err) != ERR_OK || kind_check(c, p, level, &op->err) != ERR_OK) {
        page_unpin(p);
        return IO_FAIL;
    }
    *out = p;
    return IO_DONE;
}

io_status cursor_load(struct cursor *c, struct op *op, u32 level, pgno no)
{
    if ((s32)level <= c->depth && c->path[level]->no == no) {
        cursor_release(c, (s32)level + 1);
        return IO_DONE;
    }
    struct page *p;
    IO_TRY(page_gather(c, op, level, no, &p));
    cursor_release(c, (s32)level);
    c->path[level] = p;
    c->depth = (s8)level;
    return IO_DONE;
}

// Goes down from child `index` of level `from` to the first or last entry below, all or nothing.
static io_status cursor_descend(struct cursor *c, struct op *op, u32 from, u16 index, bool to_last)
{
    struct page *down[BTREE_DEPTH_MAX];
    u16 indexes[BTREE_DEPTH_MAX];
    u32 level = from;
    const struct page *p = c->path[from];
    u16 at = index;
    io_status status = IO_DONE;
    while (!p->node.leaf) {
        status = page_gather(c, op, level + 1, page_child(p, at), &down[level + 1]);
        if (status != IO_DONE) break;
        p = down[++level];
        at = !to_last ? 0 : p->node.leaf ? p->node.cell_count - 1 : p->node.cell_count;
        indexes[level] = at;
    }
    if (status != IO_DONE) {
        while (level > from) page_unpin(down[level--]);
        return status;
    }
    cursor_release(c, (s32)from + 1);
    c->bounds_known = false;
    c->index[from] = index;
    for (u32 i = from + 1; i <= level; i++) {
        c->path[i] = down[i];
        c->index[i] = indexes[i];
    }
    c->depth = (s8)level;
    c->state = CURSOR_VALID;
    cursor_moved(c);
    return IO_DONE;
}

// The root is loaded: whether the tree has entries. An empty one leaves the cursor invalid, on the root.
static bool root_is_empty(struct cursor *c)
{
    if (c->path[0]->node.cell_count > 0 || !c->path[0]->node.leaf) return false;
    c->state = CURSOR_INVALID;
    c->index[0] = 0;
    cursor_moved(c);
    return true;
}

static io_status cursor_end(struct cursor *c, struct op *op, bool to_last)
{
    c->state = CURSOR_INVALID;
    c->skip = 0;
    c->gap = false;
    cursor_moved(c);
    if (cursor_of_empty_file(c)) return IO_DONE;
    if (c->depth < 0) {
        IO_TRY(cursor_load(c, op, 0, c->root));
    }
    if (root_is_empty(c)) return IO_DONE;
    const struct page *root = c->path[0];
    if (root->node.leaf) {
        c->index[0] = to_last ? root->node.cell_count - 1 : 0;
        c->state = CURSOR_VALID;
        return IO_DONE;
    }
    return cursor_descend(c, op, 0, to_last ? root->node.cell_count : 0, to_last);
}

io_status cursor_first(struct cursor *c, struct op *op) { return cursor_end(c, op, false); }

io_status cursor_last(struct cursor *c, struct op *op)
{
    if (c->state == CURSOR_VALID && cursor_on_last_path(c)) {
        if (c->index[c->depth] + 1u == c->path[c->depth]->node.cell_count) return IO_DONE;
        c->index[c->depth] = c->path[c->depth]->node.cell_count - 1;
        cursor_moved(c);
        return IO_DONE;
    }
    return cursor_end(c, op, true);
}

void cursor_touch_next_leaf(const struct cursor *c, int direction)
{
    if (c->depth < 1) return;
    const struct page *above = c->path[c->depth - 1];
    s32 index = c->index[c->depth - 1] + direction;
    if (index < 0 || index > above->node.cell_count) return;
    const struct page *p = txn_page_peek(c->txn, page_child(above, (u32)index));
    if (!p) return;
    const u8 *end = p->data + above->node.usable_size;
    __builtin_prefetch(p->data);
    __builtin_prefetch(p->data + 64);
    for (u32 back = 64; back <= 8 * 64; back += 64) __builtin_prefetch(end - back);
}

// A scan's step to the next leaf, below child `index` of the page at `level`.
static io_status cursor_descend_scan(struct cursor *c, struct op *op, u32 level, u32 index, int direction)
{
    if (UNLIKELY(c->ahead.window)) cursor_ahead(c, level, index, direction);
    io_status status = cursor_descend(c, op, level, (u16)index, direction < 0);
    if (status == IO_WAIT && !c->ahead.window) {
        ahead_begin(&c->ahead);
        cursor_ahead(c, level, index, direction);
    }
    if (status == IO_DONE) {
        if (c->ahead.left) c->ahead.left--;
        cursor_touch_next_leaf(c, direction);
    }
    return status;
}

static void cursor_stepped(struct cursor *c)
{
    c->state = CURSOR_VALID;
    c->skip = 0;
    cursor_moved(c);
}

// Steps need a position: restores one, and tells whether the step was made by that. A cursor in CURSOR_SKIP stays in
// it until its step is made: the step may fail.
static io_status cursor_step_begin(struct cursor *c, struct op *op, int direction, bool *done)
{
    *done = false;
    if (c->state == CURSOR_SAVED) {
        bool moved;
        IO_TRY(cursor_restore(c, op, &moved));
    }
    if (c->state == CURSOR_INVALID) {
        *done = true;
    } else if (c->state == CURSOR_SKIP) {
        *done = direction > 0 ? c->skip > 0 : c->skip < 0;
        if (*done) cursor_stepped(c);
    }
    return IO_DONE;
}

// Past the last or before the first entry.
static io_status cursor_leave(struct cursor *c)
{
    c->state = CURSOR_INVALID;
    cursor_moved(c);
    return IO_DONE;
}

io_status cursor_next(struct cursor *c, struct op *op)
{
    bool done;
    IO_TRY(cursor_step_begin(c, op, 1, &done));
    if (done) return IO_DONE;
    const struct page *p = c->path[c->depth];
    u32 index = c->index[c->depth];
    if (!p->node.leaf) return cursor_descend_scan(c, op, (u32)c->depth, index + 1, 1);
    if (index + 1u < p->node.cell_count) {
        c->index[c->depth]++;
        cursor_stepped(c);
        return IO_DONE;
    }
    s32 level = c->depth - 1;
    c->leaf_level = (u8)c->depth;
    while (level >= 0 && c->index[level] >= c->path[level]->node.cell_count) level--;
    if (level < 0) return cursor_leave(c);
    if (c->key_info) { // the entry between the child just left and the next one
        cursor_release(c, level + 1);
        cursor_stepped(c);
        return IO_DONE;
    }
    return cursor_descend_scan(c, op, (u32)level, c->index[level] + 1u, 1);
}

io_status cursor_previous(struct cursor *c, struct op *op)
{
    bool done;
    IO_TRY(cursor_step_begin(c, op, -1, &done));
    if (done) return IO_DONE;
    const struct page *p = c->path[c->depth];
    u32 index = c->index[c->depth];
    if (!p->node.leaf) return cursor_descend_scan(c, op, (u32)c->depth, index, -1);
    if (index > 0) {
        c->index[c->depth]--;
        cursor_stepped(c);
        return IO_DONE;
    }
    s32 level = c->depth - 1;
    c->leaf_level = (u8)c->depth;
    while (level >= 0 && c->index[level] == 0) level--;
    if (level < 0) return cursor_leave(c);
    if (c->key_info) {
        cursor_release(c, level + 1);
        c->index[level]--;
        cursor_stepped(c);
        return IO_DONE;
    }
    return cursor_descend_scan(c, op, (u32)level, c->index[level] - 1u, -1);
}

// ---- the entry --------------------------------------------------------------------------------------

io_status cursor_entry(struct cursor *c, struct op *op)
{
    if (c->cell_parsed) return IO_DONE;
    if (c->state == CURSOR_SAVED) {
        bool moved;
        IO_TRY(cursor_restore(c, op, &moved));
    }
    if (c->state == CURSOR_INVALID)
        return IO_ERROR(&op->err, ERR_INTERNAL, "a cursor on page %u was read while on no entry", c->root);
    const struct page *p = c->path[c->depth];
    u32 i = c->index[c->depth];
    struct cell cell;
    if (UNLIKELY(!cell_parse(p, i, &cell)) ||
        (cell.payload_size - cell.local_size) / p->node.usable_size > txn_page_count(c->txn)) {
        (void)cell_error(&op->err, p, i);
        return IO_FAIL;
    }
    c->rowid = cell.rowid;
    c->local = cell.payload;
    c->local_size = cell.local_size;
    c->payload_size = cell.payload_size;
    c->overflow_first = cell.overflow;
    c->read_done = 0;
    c->probe_count = 0;
    c->cell_parsed = true;
    return IO_DONE;
}

static io_status overflow_corrupt(struct cursor *c, struct op *op, pgno no, const char *what)
{
    return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: the overflow chain of page %u %s %u",
                    c->path[c->depth]->no, what, no);
}

static err_code overflow_grow(struct cursor *c, u32 count, struct err *err)
{
    if (count <= c->overflow_capacity) return ERR_OK;
    u32 capacity = MAX(16u, MAX(count, c->overflow_capacity * 2));
    pgno *grown = realloc(c->overflow, capacity * sizeof *grown);
    if (!grown) {
        err_set(err, ERR_NOMEM, __func__, "%s", err_default_text(ERR_NOMEM));
        return ERR_NOMEM;
    }
    c->overflow = grown;
    c->overflow_capacity = capacity;
    return ERR_OK;
}

// The page after c->overflow[count - 1]; its number is checked against the file.
static io_status overflow_append(struct cursor *c, struct op *op, pgno no)
{
    if (no < 2 || no > txn_page_count(c->txn)) return overflow_corrupt(c, op, no, "points at page");
    if (c->overflow_count >= txn_page_count(c->txn)) return overflow_corrupt(c, op, no, "loops at page");
    if (overflow_grow(c, c->overflow_count + 1, &op->err) != ERR_OK) return IO_FAIL;
    u32 n = c->overflow_count;
    c->overflow[c->overflow_count++] = no;
    if (n > 0 && c->overflow[n - 1] + 1 == no && n % 8 == 1) { // laid out in sequence: likely so further on
        pgno ahead[16];
        for (u32 i = 0; i < COUNT_OF(ahead); i++) ahead[i] = no + 1 + i;
        txn_pages_prefetch(c->txn, ahead, COUNT_OF(ahead));
    }
    return IO_DONE;
}

io_status cursor_overflow_gather(struct cursor *c, struct op *op, u32 count)
{
    // What was gathered of this chain stays good until the tree changes, also when the entry is sought again.
    if (c->overflow_count > 0 && c->overflow[0] != c->overflow_first) c->overflow_count = 0;
    if (count > 0 && c->overflow_count == 0) {
        IO_TRY(overflow_append(c, op, c->overflow_first));
    }
    while (c->overflow_count < count) {
        struct page *p;
        IO_TRY(txn_page(c->txn, op, c->overflow[c->overflow_count - 1], &p));
        pgno next = be32_get(p->data);
        page_unpin(p);
        IO_TRY(overflow_append(c, op, next));
    }
    return IO_DONE;
}

// Goes on where it was when it is called again after a wait.
static io_status overflow_read(struct cursor *c, struct op *op, u64 offset, u64 size, u8 *out)
{
    if (c->read_out != out || c->read_offset != offset || c->read_size != size) c->read_done = 0;
    c->read_out = out;
    c->read_offset = offset;
    c->read_size = size;
    if (c->read_done == 0 && offset < c->local_size) {
        c->read_done = c->local_size - offset;
        memcpy(out, c->local + offset, c->read_done);
    }
    u32 room = txn_usable_size(c->txn) - 4;
    while (c->read_done < size) {
        u64 at = offset + c->read_done - c->local_size;
        u32 n = (u32)(at / room), within = (u32)(at % room);
        IO_TRY(cursor_overflow_gather(c, op, n + 1));
        struct page *p;
        IO_TRY(txn_page(c->txn, op, c->overflow[n], &p));
        u64 take = MIN((u64)room - within, size - c->read_done);
        memcpy(out + c->read_done, p->data + 4 + within, take);
        pgno next = be32_get(p->data);
        page_unpin(p);
        c->read_done += take;
        if (c->read_done < size && c->overflow_count == n + 1) {
            IO_TRY(overflow_append(c, op, next));
        }
    }
    return IO_DONE;
}

io_status cursor_read(struct cursor *c, struct op *op, u64 offset, u64 size, u8 *out)
{
    IO_TRY(cursor_entry(c, op));
    if (offset + size < offset || offset + size > c->payload_size)
        return IO_ERROR(&op->err, ERR_CORRUPT,
                        "database disk image is malformed: %llu bytes at %llu of an entry of %llu bytes on page %u",
                        (unsigned long long)size, (unsigned long long)offset,
                        (unsigned long long)c->payload_size, c->path[c->depth]->no);
    if (LIKELY(offset + size <= c->local_size)) {
        if (size) memcpy(out, c->local + offset, size);
        return IO_DONE;
    }
    io_status status = overflow_read(c, op, offset, size, out);
    if (status != IO_WAIT) {
        c->read_done = 0;
        c->read_out = NULL;
    }
    return status;
}

// ---- saved positions --------------------------------------------------------------------------------

// Saves the position; the cursor's pages are let go.
static io_status cursor_save(struct cursor *c, struct op *op)
{
    if (UNLIKELY(c->idle)) {
        cursor_reset(c);
        return IO_DONE;
    }
    if (c->state != CURSOR_VALID && c->state != CURSOR_SKIP) {
        cursor_release(c, 0); // of a seek under way, or of the position that was left
        c->probe_count = 0;
        c->overflow_count = 0;
        return IO_DONE;
    }
    if (c->state == CURSOR_SKIP && c->skip_saved) { // what is saved is where it was, not the neighbour it stands on
        cursor_reset(c);
        c->state = CURSOR_SAVED;
        return IO_DONE;
    }
    IO_TRY(cursor_entry(c, op));
    c->saved_rowid = c->rowid;
    if (c->key_info) {
        if (c->saved_size < c->payload_size || !c->saved_key) {
            u8 *grown = realloc(c->saved_key, c->payload_size + 1);
            if (!grown) return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
            c->saved_key = grown;
        }
        c->saved_size = c->payload_size;
        IO_TRY(cursor_read(c, op, 0, c->payload_size, c->saved_key));
    }
    s8 skip = c->state == CURSOR_SKIP ? c->skip : 0;
    cursor_reset(c);
    c->skip = skip;
    c->state = CURSOR_SAVED;
    return IO_DONE;
}

io_status txn_cursors_save(struct txn *t, struct op *op, pgno root, const struct cursor *except)
{
    for (struct cursor *c = txn_cursors(t)->first; c; c = c->next_in_txn) {
        if (c == except || (root && c->root != root)) continue;
        if (UNLIKELY(c->pinned) && root) return IO_ERROR(&op->err, ERR_CONSTRAINT_PINNED, "%s", err_default_text(ERR_CONSTRAINT_PINNED));
        if (c->depth < 0 && c->state != CURSOR_VALID) continue;
        IO_TRY(cursor_save(c, op));
    }
    return IO_DONE;
}

io_status cursor_restore(struct cursor *c, struct op *op, bool *moved)
{
    *moved = c->state != CURSOR_VALID;
    if (c->state != CURSOR_SAVED) return IO_DONE;
    s8 skip = c->skip;
    int compare = 0;
    // The seek overwrites state and skip; until it is done the cursor counts as saved.
    io_status status = c->key_info ? cursor_seek_record(c, op, c->saved_key, c->saved_size, UINT32_MAX, &compare)
                                   : cursor_seek_rowid(c, op, c->saved_rowid, &compare);
    if (status != IO_DONE) {
        c->state = CURSOR_SAVED;
        c->skip = skip;
        return status;
    }
    if (compare) skip = compare > 0 ? 1 : -1;
    c->skip = skip;
    c->skip_saved = compare != 0;
    if (skip && c->state == CURSOR_VALID) c->state = CURSOR_SKIP;
    *moved = c->state != CURSOR_VALID;
    return IO_DONE;
}
