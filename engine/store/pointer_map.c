// Auto-vacuum databases: the pointer map, which says for every page what refers to it, and moving pages with its
// help, so that the file can be cut off at its end.
//
// Format: page 2 is the first map, then every (usable / 5 + 1)th page; one that would be the lock page is the page
// after it. An entry of 5 bytes for each page that follows: kind, then the page that refers to it (big-endian), or 0.
//
// The map is not kept while trees change: every change of who refers to a page is a change of the page that refers
// to it. So the transaction remembers which pages it has touched and which it has freed, and txn_map_sync makes the
// entries of all that hangs on them: at commit, and before somebody wants to know. Freed pages always go first: one
// that was taken again then gets its entry from the page that now refers to it.
#include "btree.h"
#include "btree_page.h"
#include "store_private.h"

enum map_kind { MAP_ROOT = 1, MAP_FREE = 2, MAP_OVERFLOW_FIRST = 3, MAP_OVERFLOW = 4, MAP_CHILD = 5 };

// ---- where it is -------------------------------------------------------------------------------

static pgno map_page_of(const struct txn *t, pgno no)
{
    u32 per_map = t->store->usable_size / 5 + 1;
    pgno map = (no - 2) / per_map * per_map + 2;
    return map == txn_lock_page(t) ? map + 1 : map;
}

bool txn_page_is_map(const struct txn *t, pgno no)
{
    return no >= 2 && map_page_of(t, no) == no;
}

static bool page_is_special(const struct txn *t, pgno no)
{
    return no == txn_lock_page(t) || txn_page_is_map(t, no);
}

bool txn_auto_vacuum(const struct txn *t)
{
    return t->auto_vacuum;
}

pgno txn_page_after(const struct txn *t, pgno no)
{
    do no++;
    while (page_is_special(t, no));
    return no;
}

pgno txn_page_before(const struct txn *t, pgno no)
{
    do no--;
    while (no > 1 && page_is_special(t, no));
    return no;
}

// ---- entries -----------------------------------------------------------------------------------

static io_status map_get(struct txn *t, struct op *op, pgno no, u8 *kind, pgno *parent)
{
    pgno map = map_page_of(t, no);
    struct page *p;
    IO_TRY(txn_page(t, op, map, &p));
    u32 offset = 5 * (no - map - 1);
    bool sound = map < no && offset + 5 <= t->store->usable_size;
    if (sound) {
        *kind = p->data[offset];
        *parent = be32_get(p->data + offset + 1);
    }
    page_unpin(p);
    if (!sound || *kind < MAP_ROOT || *kind > MAP_CHILD)
        return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: page %u in the pointer map %u", no,
                        map);
    return IO_DONE;
}

static io_status map_put(struct txn *t, struct op *op, pgno no, u8 kind, pgno parent)
{
    if (no < 2 || no > t->page_count || page_is_special(t, no))
        return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: page %u refers to page %u", parent,
                        no);
    pgno map = map_page_of(t, no);
    u32 offset = 5 * (no - map - 1);
    struct page *p;
    IO_TRY(txn_page(t, op, map, &p));
    bool same = p->data[offset] == kind && be32_get(p->data + offset + 1) == parent;
    page_unpin(p);
    if (same) return IO_DONE;
    IO_TRY(txn_page_write(t, op, map, &p));
    op_mutate(op);
    p->data[offset] = kind;
    be32_put(p->data + offset + 1, parent);
    op_settle(op);
    return IO_DONE;
}

// ---- bringing it up to date --------------------------------------------------------------------

static bool page_is_free(const struct txn *t, pgno no)
{
    for (u32 i = 0; i < t->free_count; i++) {
        if (t->free_pages[i] == no) return true;
    }
    return false;
}

static io_status map_children(struct txn *t, struct op *op, struct page *p)
{
    if (page_check(p, t->store->usable_size, &op->err) != ERR_OK) return IO_FAIL;
    u32 count = p->node.cell_count;
    if (!p->node.leaf) {
        for (u32 i = 0; i <= count; i++) IO_TRY(map_put(t, op, page_child(p, i), MAP_CHILD, p->no));
        if (p->node.rowid_tree) return IO_DONE;
    }
    for (u32 i = 0; i < count; i++) {
        struct cell cell;
        if (!cell_parse(p, i, &cell)) {
            (void)cell_error(&op->err, p, i);
            return IO_FAIL;
        }
        if (cell.overflow) IO_TRY(map_put(t, op, cell.overflow, MAP_OVERFLOW_FIRST, p->no));
    }
    return IO_DONE;
}

static io_status map_page(struct txn *t, struct op *op, struct page *p)
{
    switch ((enum page_role)p->frame->role) {
    case PAGE_ROLE_ROOT:
        IO_TRY(map_put(t, op, p->no, MAP_ROOT, 0));
        // fallthrough
    case PAGE_ROLE_TREE: return map_children(t, op, p);
    case PAGE_ROLE_OVERFLOW:
        if (be32_get(p->data)) IO_TRY(map_put(t, op, be32_get(p->data), MAP_OVERFLOW, p->no));
        break;
    }
    return IO_DONE;
}

// A page without a private copy is again as it was before the transaction, and so is the map.
static io_status map_touched(struct txn *t, struct op *op, pgno no)
{
    const struct pager_frame *f = txn_private_find(t, no);
    if (!f || f->freed || no > t->page_count || page_is_special(t, no)) return IO_DONE;
    struct page *p;
    IO_TRY(txn_page(t, op, no, &p)); // pinned: changing the map may spill
    io_status status = map_page(t, op, p);
    if (status == IO_DONE) p->frame->touched = false;
    page_unpin(p);
    return status;
}

io_status txn_map_sync(struct txn *t, struct op *op)
{
    if (!t->auto_vacuum) return IO_DONE;
    struct touched_list *freed = &t->freed, *touched = &t->touched;
    for (;;) {
        if (freed->synced < freed->count) {
            pgno no = freed->pages[freed->synced];
            if (no <= t->page_count) IO_TRY(map_put(t, op, no, MAP_FREE, 0));
            freed->synced++;
        } else if (touched->synced < touched->count) {
            IO_TRY(map_touched(t, op, touched->pages[touched->synced]));
            touched->synced++;
        } else {
            break;
        }
    }
    if (t->savepoint_count == 0) freed->count = freed->synced = touched->count = touched->synced = 0;
    return IO_DONE;
}

// ---- moving pages ------------------------------------------------------------------------------

// Where in its parent the number of a page stands; NULL: nowhere.
static u8 *reference_find(struct page *parent, u8 kind, pgno no)
{
    if (kind == MAP_OVERFLOW) return be32_get(parent->data) == no ? parent->data : NULL;
    for (u32 i = 0; i < parent->node.cell_count; i++) {
        if (kind == MAP_CHILD) {
            if (page_child(parent, i) == no) return parent->data + page_cell_offset(parent, i);
            continue;
        }
        struct cell cell;
        if (!cell_parse(parent, i, &cell)) return NULL;
        if (cell.overflow == no) return parent->data + (cell.payload - parent->data) + cell.local_size;
    }
    if (kind == MAP_CHILD && page_right_child(parent) == no)
        return parent->data + parent->node.header_offset + 8;
    return NULL;
}

// Moves a page, whose entry in the map is up to date, to a free one. `keep`: its number is then free, else it is the
// last of the file, which ends before it.
static io_status page_move(struct txn *t, struct op *op, pgno from, bool keep)
{
    u8 kind;
    pgno parent_no;
    struct page *parent, *source;
    IO_TRY(map_get(t, op, from, &kind, &parent_no));
    IO_TRY(txn_cursors_save(t, op, 0, NULL));
    enum page_role role = kind == MAP_OVERFLOW ? PAGE_ROLE_OVERFLOW : PAGE_ROLE_TREE;
    bool sound = kind >= MAP_OVERFLOW_FIRST && parent_no != from;
    if (sound) {
        IO_TRY(txn_page_write_as(t, op, parent_no, role, &parent));
        if (kind != MAP_OVERFLOW && page_check(parent, t->store->usable_size, &op->err) != ERR_OK) return IO_FAIL;
    }
    u8 *reference = sound ? reference_find(parent, kind, from) : NULL;
    if (!reference || (kind == MAP_CHILD && parent->node.leaf))
        return IO_ERROR(&op->err, ERR_CORRUPT,
                        "database disk image is malformed: the pointer map says that page %u refers to page %u",
                        parent_no, from);
    IO_TRY(txn_reserve(t, op, 1));
    IO_TRY(txn_page(t, op, from, &source));
    op_mutate(op);
    struct page *to = txn_page_take(t, op, 0);
    if (kind != MAP_CHILD) txn_page_mark(t, to, PAGE_ROLE_OVERFLOW);
    memcpy(to->data, source->data, t->store->page_size);
    to->node = source->node;
    be32_put(reference, to->no);
    page_unpin(source);
    if (keep)
        txn_page_free(t, op, from);
    else
        t->page_count = from - 1;
    op_settle(op);
    return IO_DONE;
}

static io_status freelist_absorb_all(struct txn *t, struct op *op)
{
    while (t->freelist_head) IO_TRY(txn_freelist_absorb(t, op));
    return IO_DONE;
}

io_status txn_page_clear_way(struct txn *t, struct op *op, pgno no)
{
    for (;;) {
        if (no > t->page_count) return IO_DONE;
        IO_TRY(txn_map_sync(t, op));
        u8 kind;
        pgno parent;
        IO_TRY(map_get(t, op, no, &kind, &parent));
        if (kind == MAP_FREE) break;
        IO_TRY(page_move(t, op, no, true));
    }
    IO_TRY(freelist_absorb_all(t, op));
    if (page_is_free(t, no)) return IO_DONE;
    return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: page %u is not in the freelist", no);
}

// ---- cutting the file off ----------------------------------------------------------------------

// How many pages are left when all free ones are gone, and the maps that are no longer wanted with them.
static pgno page_count_without_free(const struct txn *t, u32 free_count)
{
    u32 per_map = t->store->usable_size / 5;
    pgno count = t->page_count, lock = txn_lock_page(t);
    // Maps that go: those of the last map's pages are not all in use.
    s64 maps = ((s64)free_count - count + map_page_of(t, count) + per_map) / per_map;
    s64 left = (s64)count - free_count - maps;
    if (count > lock && left < lock) left--;
    while (left > 1 && page_is_special(t, (pgno)left)) left--;
    return (pgno)MAX(left, 1);
}

static io_status vacuum_begin(struct txn *t, struct op *op, u32 pages_max)
{
    IO_TRY(freelist_absorb_all(t, op));
    IO_TRY(txn_map_sync(t, op));
    pgno goal = page_count_without_free(t, t->free_count), by_steps = t->page_count;
    for (u32 i = 0; i < pages_max && by_steps > goal; i++) by_steps = txn_page_before(t, by_steps);
    if (!txn_free_log_reserve(t, t->free_count)) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
    t->vacuum_goal = MAX(goal, by_steps);
    for (u32 i = t->free_count; i-- > 0;) {
        if (t->free_pages[i] > t->vacuum_goal) txn_free_page_remove(t, i);
    }
    t->freelist_changed = true;
    t->vacuuming = true;
    return IO_DONE;
}

static io_status vacuum_run(struct txn *t, struct op *op, u32 pages_max)
{
    if (!t->vacuuming) {
        if (t->free_count == 0 && t->freelist_count == 0) return IO_DONE;
        IO_TRY(vacuum_begin(t, op, pages_max));
    }
    while (t->page_count > t->vacuum_goal) {
        pgno last = t->page_count;
        if (page_is_special(t, last)) {
            t->page_count--;
            continue;
        }
        u8 kind;
        pgno parent;
        IO_TRY(txn_map_sync(t, op));
        IO_TRY(map_get(t, op, last, &kind, &parent));
        if (kind == MAP_FREE)
            t->page_count--;
        else if (t->free_count == 0)
            return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: the freelist is incomplete");
        else
            IO_TRY(page_move(t, op, last, false));
    }
    t->vacuuming = false;
    return IO_DONE;
}

io_status txn_vacuum(struct txn *t, struct op *op, u32 pages_max)
{
    if (!t->auto_vacuum) return IO_DONE;
    io_status status = vacuum_run(t, op, pages_max);
    if (status == IO_FAIL) t->vacuuming = false;
    return status;
}

io_status txn_vacuum_at_commit(struct txn *t, struct op *op)
{
    if (!t->auto_vacuum) return IO_DONE;
    u32 incremental;
    IO_TRY(txn_meta_get(t, op, META_INCREMENTAL_VACUUM, &incremental));
    if (!incremental) IO_TRY(txn_vacuum(t, op, UINT32_MAX));
    return txn_map_sync(t, op);
}
