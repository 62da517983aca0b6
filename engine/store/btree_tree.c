// Whole trees: creating, emptying, dropping, counting.
#include "btree_ahead.h"
#include "btree_cursor.h"
#include "change.h"
#include "store.h"

#define LARGEST_ROOT_OFFSET 52 // in the file's header
// Marks of page numbers on a walk's stack.
#define WALK_OVERFLOW ((u64)1 << 32) // an overflow page
#define WALK_SEEN ((u64)1 << 33)     // a page of a tree whose children and overflow pages are done

// Auto-vacuum files keep their roots in front of all other pages: pages move, roots do only when a tree is dropped.
static io_status create_in_front(struct txn *t, struct op *op, enum btree_kind kind, pgno *root)
{
    u32 largest;
    IO_TRY(txn_meta_get(t, op, META_LARGEST_ROOT_PAGE, &largest));
    if (largest > txn_page_count(t))
        return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: largest root page %u", largest);
    pgno no = txn_page_after(t, largest);
    IO_TRY(txn_page_clear_way(t, op, no));
    struct page *first;
    IO_TRY(txn_page_write(t, op, 1, &first));
    IO_TRY(txn_reserve(t, op, 1));
    op_mutate(op);
    struct page *p = txn_page_take_at(t, op, no);
    txn_page_mark(t, p, PAGE_ROLE_ROOT);
    page_build(p, txn_usable_size(t), kind == BTREE_TABLE ? PAGE_TABLE_LEAF : PAGE_INDEX_LEAF, NULL, 0, 0);
    be32_put(first->data + LARGEST_ROOT_OFFSET, no);
    *root = no;
    return IO_DONE;
}

static io_status create_run(struct txn *t, struct op *op, enum btree_kind kind, pgno *root)
{
    if (txn_auto_vacuum(t)) return create_in_front(t, op, kind, root);
    IO_TRY(txn_reserve(t, op, 1));
    op_mutate(op);
    struct page *p = txn_page_take(t, op, 1);
    page_build(p, txn_usable_size(t), kind == BTREE_TABLE ? PAGE_TABLE_LEAF : PAGE_INDEX_LEAF, NULL, 0, 0);
    *root = p->no;
    change_whole(t);
    return IO_DONE;
}

io_status btree_create(struct txn *t, struct op *op, enum btree_kind kind, pgno *root)
{
    io_status status = create_run(t, op, kind, root);
    if (status != IO_WAIT) op_settle(op);
    return status;
}

io_status btree_init_file(struct txn *t, struct op *op)
{
    struct page *p;
    IO_TRY(txn_page_write(t, op, 1, &p));
    op_mutate(op);
    page_build(p, txn_usable_size(t), PAGE_TABLE_LEAF, NULL, 0, 0);
    op_settle(op);
    return IO_DONE;
}

// ---- walks ------------------------------------------------------------------------------------------

void btree_walk_deinit(struct btree_walk *w)
{
    free(w->stack);
    *w = (struct btree_walk){0};
}

static err_code walk_reserve(struct btree_walk *w, u32 more, struct err *err)
{
    u32 wanted = w->stack_count + more;
    if (wanted <= w->stack_capacity) return ERR_OK;
    u32 capacity = MAX(wanted, w->stack_capacity * 2);
    u64 *grown = realloc(w->stack, capacity * sizeof *grown);
    if (!grown) {
        err_set(err, ERR_NOMEM, __func__, "%s", err_default_text(ERR_NOMEM));
        return ERR_NOMEM;
    }
    w->stack = grown;
    w->stack_capacity = capacity;
    return ERR_OK;
}

// Puts the children of a page on the stack, the first on top; with `overflow` each cell's chain below its child.
static err_code walk_push(struct btree_walk *w, const struct page *p, bool overflow, struct err *err)
{
    u32 count = p->node.cell_count;
    overflow &= p->node.leaf || !p->node.rowid_tree;
    if (p->node.leaf && !overflow) return ERR_OK;
    if (walk_reserve(w, 2 * count + 1, err) != ERR_OK) return err->code;
    if (!p->node.leaf) {
        w->stack[w->stack_count++] = page_child(p, count);
        w->ahead.left = w->ahead.trigger = 0; // what comes next is another
    }
    for (u32 i = count; i-- > 0;) {
        struct cell c = {0};
        if (overflow && !cell_parse(p, i, &c)) return cell_error(err, p, i);
        if (c.overflow) w->stack[w->stack_count++] = c.overflow | WALK_OVERFLOW;
        if (!p->node.leaf) w->stack[w->stack_count++] = page_child(p, i);
    }
    return ERR_OK;
}

// Asks for what lies next on the stack.
static void walk_ahead(struct btree_walk *w, struct txn *t)
{
    struct read_ahead *a = &w->ahead;
    u32 max = MIN(txn_ahead_max(t), READ_AHEAD_MAX), window = MIN(a->window, max);
    pgno pages[READ_AHEAD_MAX];
    u32 count = 0;
    if (!ahead_due(a)) return;
    for (u32 i = a->left; i < window && i < w->stack_count; i++) {
        u64 next = w->stack[w->stack_count - 1 - i];
        if (!(next & WALK_SEEN)) pages[count++] = (pgno)next;
    }
    ahead_asked(a, t, count, txn_pages_prefetch(t, pages, count));
}

// The page on top of the stack, pinned for the caller.
static io_status walk_top(struct btree_walk *w, struct txn *t, struct op *op, struct page **out)
{
    if (w->ahead.window) walk_ahead(w, t);
    io_status status = txn_page(t, op, (pgno)w->stack[w->stack_count - 1], out);
    if (status == IO_WAIT && !w->ahead.window) {
        ahead_begin(&w->ahead);
        walk_ahead(w, t);
    }
    if (status == IO_DONE && w->ahead.left) w->ahead.left--;
    return status;
}

// The next B-tree page of the walk, pinned for the caller and checked.
static io_status walk_page(struct btree_walk *w, struct txn *t, struct op *op, struct page **out)
{
    struct page *p;
    if (w->visited > txn_page_count(t))
        return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: a tree has more pages than the file");
    IO_TRY(walk_top(w, t, op, &p));
    if (page_check(p, txn_usable_size(t), &op->err) != ERR_OK) {
        page_unpin(p);
        return IO_FAIL;
    }
    *out = p;
    return IO_DONE;
}

static void walk_count(struct btree_walk *w, const struct page *p)
{
    if (p->node.leaf || !p->node.rowid_tree) w->count += p->node.cell_count;
}

// Frees the pages on the stack and all that hangs on them, one page at a time, in SQLite's order: a page after what hangs
// on it.
static io_status walk_free(struct btree_walk *w, struct txn *t, struct op *op)
{
    while (w->stack_count) {
        u64 top = w->stack[w->stack_count - 1];
        struct page *p;
        if (top & WALK_SEEN) {
            w->stack_count--;
        } else if (top & WALK_OVERFLOW) {
            if (w->visited > txn_page_count(t))
                return IO_ERROR(&op->err, ERR_CORRUPT,
                                "database disk image is malformed: overflow chains have more pages than the file");
            IO_TRY(walk_top(w, t, op, &p));
            pgno next = be32_get(p->data);
            page_unpin(p);
            if (next)
                w->stack[w->stack_count - 1] = next | WALK_OVERFLOW;
            else
                w->stack_count--;
            w->visited++;
        } else {
            IO_TRY(walk_page(w, t, op, &p));
            u32 at = w->stack_count - 1;
            w->stack[at] |= WALK_SEEN;
            err_code code = walk_push(w, p, true, &op->err);
            if (code == ERR_OK) walk_count(w, p);
            page_unpin(p);
            if (code != ERR_OK) return IO_FAIL;
            w->visited++;
            if (w->stack_count > at + 1) continue;
            w->stack_count--;
        }
        op_mutate(op);
        txn_page_free(t, op, (pgno)top);
        op_settle(op);
    }
    return IO_DONE;
}

// The root becomes an empty leaf; what hung on it is put on the stack.
static io_status clear_root(struct txn *t, struct op *op, pgno root, struct btree_walk *w)
{
    IO_TRY(txn_cursors_save(t, op, root, NULL));
    struct page *p;
    IO_TRY(txn_page_write(t, op, root, &p));
    if (page_check(p, txn_usable_size(t), &op->err) != ERR_OK) return IO_FAIL;
    w->stack_count = 0;
    if (walk_push(w, p, true, &op->err) != ERR_OK) return IO_FAIL;
    change_begin(t);
    if (change_recording(t)) IO_TRY(change_clear_gather(t, op, root));
    op_mutate(op);
    change_keep(t);
    walk_count(w, p);
    w->started = true;
    page_build(p, txn_usable_size(t), p->node.rowid_tree ? PAGE_TABLE_LEAF : PAGE_INDEX_LEAF, NULL, 0, 0);
    op_settle(op);
    return IO_DONE;
}

io_status btree_clear(struct txn *t, struct op *op, pgno root, struct btree_walk *w)
{
    if (!w->started) {
        IO_TRY(clear_root(t, op, root, w));
    }
    return walk_free(w, t, op);
}

// The largest root takes the place of the dropped one, so that roots stay in front without a gap.
static io_status drop_in_front(struct txn *t, struct op *op, pgno root, pgno *moved_from)
{
    u32 largest;
    IO_TRY(txn_meta_get(t, op, META_LARGEST_ROOT_PAGE, &largest));
    if (largest < root || largest > txn_page_count(t))
        return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: largest root page %u", largest);
    IO_TRY(txn_cursors_save(t, op, 0, NULL));
    struct page *first, *to, *from;
    IO_TRY(txn_page_write(t, op, 1, &first));
    IO_TRY(txn_page_write(t, op, root, &to));
    IO_TRY(txn_page(t, op, largest, &from));
    if (page_check(from, txn_usable_size(t), &op->err) != ERR_OK) {
        page_unpin(from);
        return IO_FAIL;
    }
    op_mutate(op);
    if (largest != root) {
        memcpy(to->data, from->data, txn_page_size(t));
        to->node = from->node;
        *moved_from = largest;
        for (struct cursor *c = txn_cursors(t)->first; c; c = c->next_in_txn) {
            if (c->root == largest) c->root = root;
        }
    }
    page_unpin(from);
    be32_put(first->data + LARGEST_ROOT_OFFSET, txn_page_before(t, largest));
    txn_page_free(t, op, largest);
    return IO_DONE;
}

io_status btree_drop(struct txn *t, struct op *op, pgno root, struct btree_walk *w, pgno *moved_from)
{
    change_whole(t);
    IO_TRY(btree_clear(t, op, root, w));
    *moved_from = 0;
    for (struct cursor *c = txn_cursors(t)->first; c; c = c->next_in_txn) {
        if (c->root == root) cursor_reset(c);
    }
    if (txn_auto_vacuum(t)) {
        io_status status = drop_in_front(t, op, root, moved_from);
        if (status != IO_WAIT) op_settle(op);
        return status;
    }
    op_mutate(op);
    txn_page_free(t, op, root);
    op_settle(op);
    return IO_DONE;
}

io_status btree_count(struct cursor *c, struct op *op, struct btree_walk *w)
{
    if (!w->started) {
        if (cursor_of_empty_file(c)) return IO_DONE;
        if (walk_reserve(w, 1, &op->err) != ERR_OK) return IO_FAIL;
        w->stack[w->stack_count++] = c->root;
        w->started = true;
    }
    while (w->stack_count) {
        struct page *p;
        IO_TRY(walk_page(w, c->txn, op, &p));
        w->stack_count--;
        w->visited++;
        walk_count(w, p);
        err_code code = walk_push(w, p, false, &op->err);
        page_unpin(p);
        if (code != ERR_OK) return IO_FAIL;
    }
    return IO_DONE;
}

io_status btree_count_estimate(struct cursor *c, struct op *op, u64 *out)
{
    pgno no = c->root;
    u64 total = 1;
    for (u32 level = 0; level < BTREE_DEPTH_MAX; level++) {
        struct page *p;
        IO_TRY(txn_page(c->txn, op, no, &p));
        if (page_check(p, txn_usable_size(c->txn), &op->err) != ERR_OK) {
            page_unpin(p);
            return IO_FAIL;
        }
        u32 count = p->node.cell_count;
        bool leaf = p->node.leaf;
        if (!leaf) no = page_child(p, count / 2);
        page_unpin(p);
        total *= leaf ? count : count + 1;
        if (leaf) break;
        if (total > INT64_MAX / 65536) break;
    }
    *out = total;
    return IO_DONE;
}

io_status btree_rowid_last(struct cursor *c, struct op *op, s64 *out)
{
    *out = 0;
    IO_TRY(cursor_last(c, op));
    if (c->state != CURSOR_VALID) return IO_DONE;
    IO_TRY(cursor_entry_inline(c, op));
    *out = c->rowid;
    return IO_DONE;
}
