// Pages as a transaction sees them: reading through the cache, private copies, taking and freeing.
//
// Private pages of a big transaction go to a temporary file: txn_spill.c.
#include "btree.h"
#include "store_private.h"

#include <errno.h>

void page_pin(struct page *p)
{
    p->pins++;
}

void page_unpin(struct page *p)
{
    ASSERT(p->pins > 0);
    p->pins--;
}

// ---- reading -----------------------------------------------------------------------------------

static io_status page_number_error(const struct txn *t, struct op *op, pgno no)
{
    op->err.offset = no ? (s64)(no - 1) * t->store->page_size : -1;
    return IO_ERROR(
        &op->err, ERR_CORRUPT,
        "database disk image is malformed: page %u (offset %lld) is not one of the %u pages of %s",
        no, (long long)(no ? (s64)(no - 1) * t->store->page_size : -1), t->page_count,
        t->store->path);
}

static io_status doom_error(const struct txn *t, struct op *op)
{
    err_set(&op->err, t->doom.code, __func__, "%s", t->doom.text);
    return IO_FAIL;
}

// An empty file is a valid, empty database: its readers see page 1 as an empty schema table.
static io_status page_blank(struct store *s, struct op *op, struct page **out)
{
    if (!s->blank) {
        struct pager_frame *f = cache_frame_take(&s->cache);
        if (!f) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory for page 1");
        memset(f->page.data, 0, s->page_size);
        f->page.no = 1;
        f->page.data[100] = 0x0d; // a leaf of a table tree without cells
        be16_put(f->page.data + 105, (u16)s->usable_size);
        s->blank = f;
    }
    page_pin(&s->blank->page);
    *out = &s->blank->page;
    return IO_DONE;
}

io_status txn_page(struct txn *t, struct op *op, pgno no, struct page **out)
{
    ASSERT(t->state != TXN_NONE && !op->mutating);
    if (t->private_count > 0) {
        struct pager_frame *f = txn_private_find(t, no);
        if (f) {
            IO_TRY(txn_private_load(t, op, f, &f));
            f->used = true;
            page_pin(&f->page);
            *out = &f->page;
            return IO_DONE;
        }
    }
    if (UNLIKELY(no - 1 >= t->page_count || no == txn_lock_page(t))) {
        if (no == 1 && !t->page_count) return page_blank(t->store, op, out);
        return page_number_error(t, op, no);
    }
    if (UNLIKELY(t->doomed)) return doom_error(t, op);
    return store_page(t->store, t->snapshot.lsn, no, op, out);
}

io_status txn_page_copy(struct txn *t, struct op *op, pgno no, u8 *out)
{
    struct page *p;
    IO_TRY(txn_page(t, op, no, &p));
    const struct codec *codec = &t->store->codec;
    memcpy(out, p->data, t->store->page_size);
    if (codec->kind == CODEC_CHECKSUM) codec_encode(codec, no, out, out);
    page_unpin(p);
    return IO_DONE;
}

u32 txn_page_size(const struct txn *t)
{
    return t->store->page_size;
}
u32 txn_usable_size(const struct txn *t)
{
    return t->store->usable_size;
}
pgno txn_page_count(const struct txn *t)
{
    return t->page_count;
}
void txn_page_count_limit(struct txn *t, pgno max)
{
    t->page_count_max = max;
}
pgno txn_page_count_max(const struct txn *t)
{
    return t->page_count_max;
}
bool txn_page_count_exceeded(const struct txn *t)
{
    return t->state == TXN_WRITE && t->page_count > t->page_count_max && t->page_count > t->base_page_count;
}
pgno txn_lock_page(const struct txn *t)
{
    return LOCK_OFFSET / t->store->page_size + 1;
}
struct cursor_list *txn_cursors(struct txn *t)
{
    return &t->cursors;
}

// ---- private pages -----------------------------------------------------------------------------

struct pager_frame *txn_private_find(const struct txn *t, pgno no)
{
    if (!t->pages) return NULL;
    struct pager_frame *f = t->pages[no & (t->page_slots - 1)];
    while (f && f->page.no != no) f = f->next;
    return f;
}

static bool private_reserve(struct txn *t, u32 more)
{
    u64 want = (u64)t->private_count + more;
    if (want <= t->page_slots) return true;
    u32 slots = t->page_slots ? t->page_slots : 32;
    while (slots < want) slots *= 2;
    struct pager_frame **pages = calloc(slots, sizeof(struct pager_frame *));
    if (!pages) return false;
    for (u32 i = 0; i < t->page_slots; i++) {
        struct pager_frame *next;
        for (struct pager_frame *f = t->pages[i]; f; f = next) {
            next = f->next;
            f->next = pages[f->page.no & (slots - 1)];
            pages[f->page.no & (slots - 1)] = f;
        }
    }
    free(t->pages);
    t->pages = pages;
    t->page_slots = slots;
    return true;
}

static void private_add(struct txn *t, struct pager_frame *f, pgno no)
{
    struct pager_frame **slot = &t->pages[no & (t->page_slots - 1)];
    f->page.no = no;
    f->page.version = UINT64_MAX;
    f->page.writable = true;
    f->next = *slot;
    *slot = f;
    t->private_count++;
}

static void private_remove(struct txn *t, struct pager_frame *f)
{
    struct pager_frame **link = &t->pages[f->page.no & (t->page_slots - 1)];
    while (*link != f) link = &(*link)->next;
    *link = f->next;
    f->next = NULL;
    t->private_count--;
}

io_status txn_private_put(struct txn *t, struct op *op, pgno no, const u8 *data)
{
    IO_TRY(txn_spill(t, op));
    struct pager_frame *f = txn_private_find(t, no);
    if (f) IO_TRY(txn_private_load(t, op, f, &f));
    if (!f) {
        f = private_reserve(t, 1) ? cache_frame_take(&t->store->cache) : NULL;
        if (!f) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory for changed pages");
        t->resident++;
        private_add(t, f, no);
    }
    txn_private_changes(t, f);
    t->cookie_known = false;
    f->used = true;
    memcpy(f->page.data, data, t->store->page_size);
    f->page.node = (struct btree_node){0};
    return IO_DONE;
}

void txn_private_take_out(struct txn *t, struct pager_frame *f)
{
    private_remove(t, f);
    f->page.writable = false;
    f->saved_serial = 0;
    f->spill_slot = 0; // its file goes with the transaction
    if (!f->stub) t->resident--;
}

void txn_private_drop_all(struct txn *t)
{
    for (u32 i = 0; t->private_count && i < t->page_slots; i++) {
        struct pager_frame *next;
        for (struct pager_frame *f = t->pages[i]; f; f = next) {
            next = f->next;
            txn_private_give(t, f);
            t->private_count--;
        }
        t->pages[i] = NULL;
    }
    if (t->spill) {
        spill_leave(t->spill);
        t->spill = NULL;
    }
    if (t->page_slots > 128) { // each commit walks them
        free(t->pages);
        t->pages = NULL;
        t->page_slots = 0;
    }
    while (t->reserve) {
        struct pager_frame *f = t->reserve;
        t->reserve = f->next;
        cache_frame_give(&t->store->cache, f);
    }
    t->reserve_count = 0;
}

// ---- savepoints' undo --------------------------------------------------------------------------

static u64 savepoint_serial_innermost(const struct txn *t)
{
    return t->savepoint_count ? t->savepoints[t->savepoint_count - 1].serial : 0;
}

static bool undo_reserve(struct txn *t, u32 more)
{
    if (t->savepoint_count == 0) return true;
    u64 want = (u64)t->undo_count + more;
    if (want <= t->undo_capacity) return true;
    u64 capacity = MAX(want, MAX(t->undo_capacity * 2ull, 64));
    struct undo *undo = realloc(t->undo, capacity * sizeof *undo);
    if (!undo) return false;
    t->undo = undo;
    t->undo_capacity = (u32)capacity;
    return true;
}

bool txn_free_log_reserve(struct txn *t, u32 more)
{
    if (t->savepoint_count == 0) return true;
    u64 want = (u64)t->free_log_count + more;
    if (want <= t->free_log_capacity) return true;
    u64 capacity = MAX(want, MAX(t->free_log_capacity * 2ull, 64));
    struct free_event *log = realloc(t->free_log, capacity * sizeof *log);
    if (!log) return false;
    t->free_log = log;
    t->free_log_capacity = (u32)capacity;
    return true;
}

static void undo_add(struct txn *t, pgno no, struct pager_frame *image, u64 saved_serial)
{
    ASSERT(t->undo_count < t->undo_capacity);
    t->undo[t->undo_count++] =
        (struct undo){.no = no, .image = image, .saved_serial = saved_serial};
}

static void undo_page(struct txn *t, struct undo *u)
{
    struct pager_frame *now = txn_private_find(t, u->no);
    ASSERT(now);
    private_remove(t, now);
    txn_private_give(t, now);
    if (!u->image) return;
    u->image->saved_serial = u->saved_serial;
    private_add(t, u->image, u->no);
}

err_code txn_savepoint_open(struct txn *t, u32 *n, struct err *err)
{
    if (t->savepoint_count == t->savepoint_capacity) {
        u32 capacity = t->savepoint_capacity ? t->savepoint_capacity * 2 : 8;
        struct savepoint *savepoints = realloc(t->savepoints, capacity * sizeof *savepoints);
        if (!savepoints) {
            err_set(err, ERR_NOMEM, __func__, "out of memory");
            return ERR_NOMEM;
        }
        t->savepoints = savepoints;
        t->savepoint_capacity = capacity;
    }
    t->savepoints[t->savepoint_count++] = (struct savepoint){
        .serial = ++t->savepoint_serial,
        .undo_first = t->undo_count,
        .free_log_first = t->free_log_count,
        .page_count = t->page_count,
        .freelist_head = t->freelist_head,
        .freelist_count = t->freelist_count,
        .freelist_changed = t->freelist_changed,
        .change_bytes = t->changes.size,
        .change_whole = t->changes.whole,
        .writing = t->state == TXN_WRITE,
        .touched_count = t->touched.count,
        .touched_synced = t->touched.synced,
        .freed_count = t->freed.count,
        .freed_synced = t->freed.synced,
    };
    *n = t->savepoint_count;
    return ERR_OK;
}

void txn_savepoint_release(struct txn *t, u32 n)
{
    ASSERT(n >= 1);
    while (t->savepoint_count >= n) {
        struct savepoint *sp = &t->savepoints[t->savepoint_count - 1];
        u64 outer = t->savepoint_count > 1 ? t->savepoints[t->savepoint_count - 2].serial : 0;
        u32 kept = sp->undo_first;
        for (u32 i = sp->undo_first; i < t->undo_count; i++) {
            struct undo u = t->undo[i];
            struct pager_frame *now = txn_private_find(t, u.no);
            if (now) now->saved_serial = outer;
            if (outer == 0 || u.saved_serial >= outer) {
                if (u.image) txn_private_give(t, u.image); // the outer one has its own, older
            } else {
                t->undo[kept++] = u;
            }
        }
        t->undo_count = kept;
        t->savepoint_count--;
    }
    if (t->savepoint_count == 0) t->free_log_count = 0;
}

static void free_event_undo(struct txn *t, struct free_event e)
{
    if (e.kind == FREE_ABSORBED) {
        t->free_count -= e.at;
        memmove(t->free_pages, t->free_pages + e.at, t->free_count * sizeof *t->free_pages);
        return;
    }
    struct pager_frame *f = txn_private_find(t, e.no);
    if (f) f->freed = e.kind == FREE_REMOVED;
    if (e.kind == FREE_PUSHED) {
        t->free_count--;
    } else {
        if (e.at < t->free_count) t->free_pages[t->free_count] = t->free_pages[e.at];
        t->free_pages[e.at] = e.no;
        t->free_count++;
    }
}

void txn_savepoint_rollback(struct txn *t, u32 n)
{
    ASSERT(n >= 1);
    if (t->savepoint_count < n) return;
    for (const struct cursor *c = t->cursors.first; c; c = c->next_in_txn) ASSERT(c->depth < 0);
    struct savepoint *sp = &t->savepoints[n - 1];
    t->savepoint_count = n;
    if (t->state != TXN_WRITE) return;
    if (!sp->writing) {
        // The savepoint was opened before the first write: its state is the transaction's snapshot.
        sp->page_count = t->base_page_count;
        sp->freelist_head = t->base_freelist_head;
        sp->freelist_count = t->base_freelist_count;
        sp->freelist_changed = false;
        sp->change_bytes = 0;
        sp->change_whole = false;
        sp->writing = true;
    }
    while (t->undo_count > sp->undo_first) undo_page(t, &t->undo[--t->undo_count]);
    while (t->free_log_count > sp->free_log_first) {
        free_event_undo(t, t->free_log[--t->free_log_count]);
    }
    t->cookie_known = false;
    t->touched.count = sp->touched_count;
    t->touched.synced = MIN(t->touched.synced, sp->touched_synced);
    t->freed.count = sp->freed_count;
    t->freed.synced = MIN(t->freed.synced, sp->freed_synced);
    t->vacuuming = false;
    t->page_count = sp->page_count;
    t->freelist_head = sp->freelist_head;
    t->freelist_count = sp->freelist_count;
    t->freelist_changed = sp->freelist_changed;
    change_list_truncate(t, sp->change_bytes, sp->change_whole);
}

u32 txn_savepoint_count(const struct txn *t)
{
    return t->savepoint_count;
}

// ---- writing -----------------------------------------------------------------------------------

static io_status memory_error(struct op *op)
{
    return IO_ERROR(&op->err, ERR_NOMEM, "out of memory for changed pages");
}

static bool touched_reserve(struct touched_list *list, u32 more)
{
    u64 want = (u64)list->count + more;
    if (want <= list->capacity) return true;
    u64 capacity = MAX(want, MAX(list->capacity * 2ull, 64));
    pgno *pages = realloc(list->pages, capacity * sizeof *pages);
    if (!pages) return false;
    list->pages = pages;
    list->capacity = (u32)capacity;
    return true;
}

static void touched_push(struct touched_list *list, pgno no)
{
    ASSERT(list->count < list->capacity);
    list->pages[list->count++] = no;
}

// The contents of a page whose place in the pointer map depends on them are going to change.
static void page_touch(struct txn *t, struct pager_frame *f)
{
    if (f->touched || txn_page_is_map(t, f->page.no)) return;
    f->touched = true;
    touched_push(&t->touched, f->page.no);
}

void txn_page_mark(struct txn *t, struct page *p, enum page_role role)
{
    p->frame->role = (u8)role;
}

io_status txn_page_write(struct txn *t, struct op *op, pgno no, struct page **out)
{
    return txn_page_write_as(t, op, no, PAGE_ROLE_TREE, out);
}

// What spilling writes out has to be told of changes; the pointer map too.
bool txn_page_ready(struct txn *t, struct page *p)
{
    return p->writable && !t->spill && !t->auto_vacuum && !t->doomed && p->frame->saved_serial >= savepoint_serial_innermost(t);
}

io_status txn_page_write_as(struct txn *t, struct op *op, pgno no, enum page_role role, struct page **out)
{
    ASSERT(t->state == TXN_WRITE && !op->mutating);
    if (t->doomed) return doom_error(t, op);
    IO_TRY(txn_spill(t, op));
    struct store *s = t->store;
    struct pager_frame *f = txn_private_find(t, no);
    if (f) IO_TRY(txn_private_load(t, op, f, &f));
    u64 serial = savepoint_serial_innermost(t);
    if (!op_pins_ensure(op, 1) || !undo_reserve(t, 1) || (t->auto_vacuum && !touched_reserve(&t->touched, 1)))
        return memory_error(op);
    if (!f) {
        struct page *old;
        IO_TRY(txn_page(t, op, no, &old));
        f = private_reserve(t, 1) ? cache_frame_take(&s->cache) : NULL;
        if (f) {
            memcpy(f->page.data, old->data, s->page_size);
            f->page.node = old->node;
            f->saved_serial = serial;
            f->role = (u8)role;
            t->resident++;
            private_add(t, f, no);
            if (serial) undo_add(t, no, NULL, 0);
        }
        page_unpin(old);
        if (!f) return memory_error(op);
    } else if (f->saved_serial < serial) {
        struct pager_frame *image = cache_frame_take(&s->cache);
        if (!image) return memory_error(op);
        memcpy(image->page.data, f->page.data, s->page_size);
        image->page.no = no;
        image->page.node = f->page.node;
        image->freed = f->freed;
        image->touched = f->touched;
        image->role = f->role;
        t->resident++;
        undo_add(t, no, image, f->saved_serial);
        f->saved_serial = serial;
    }
    if (t->auto_vacuum) page_touch(t, f);
    txn_private_changes(t, f);
    f->used = true;
    op_pin(op, &f->page);
    *out = &f->page;
    return IO_DONE;
}

io_status txn_page_rewrite(struct txn *t, struct op *op, pgno no)
{
    ASSERT(t->state == TXN_WRITE && !op->mutating);
    if (t->doomed) return doom_error(t, op);
    if (txn_private_find(t, no)) return IO_DONE;
    struct page *old;
    IO_TRY(txn_page(t, op, no, &old));
    struct pager_frame *f = private_reserve(t, 1) ? cache_frame_take(&t->store->cache) : NULL;
    if (f) {
        memcpy(f->page.data, old->data, t->store->page_size);
        f->page.node = old->node;
        t->resident++;
        private_add(t, f, no);
    }
    page_unpin(old);
    return f ? IO_DONE : memory_error(op);
}

// Room to note them is beside that of the pages which are still to be taken out of the reserve.
static bool free_pages_reserve(struct txn *t, u32 more)
{
    u64 want = (u64)t->free_count + more;
    if (want > t->free_capacity) {
        u64 capacity = MAX(want, MAX(t->free_capacity * 2ull, 64));
        pgno *pages = realloc(t->free_pages, capacity * sizeof *pages);
        if (!pages) return false;
        t->free_pages = pages;
        t->free_capacity = (u32)capacity;
    }
    return txn_free_log_reserve(t, more + t->reserve_count);
}

static void free_log_add(struct txn *t, struct free_event e)
{
    if (t->savepoint_count == 0) return;
    ASSERT(t->free_log_count < t->free_log_capacity);
    t->free_log[t->free_log_count++] = e;
}

static void free_pages_push(struct txn *t, pgno no)
{
    ASSERT(t->free_count < t->free_capacity);
    t->free_pages[t->free_count++] = no;
    free_log_add(t, (struct free_event){.kind = FREE_PUSHED, .no = no});
}

io_status txn_freelist_absorb(struct txn *t, struct op *op)
{
    struct page *p;
    pgno trunk = t->freelist_head;
    IO_TRY(txn_page(t, op, trunk, &p));
    pgno next = be32_get(p->data);
    u32 count = be32_get(p->data + 4);
    bool sound = count <= t->store->usable_size / 4 - 2 && t->freelist_count > count &&
                 next <= t->page_count;
    for (u32 i = 0; sound && i < count; i++) {
        pgno leaf = be32_get(p->data + 8 + 4 * i);
        sound = leaf >= 2 && leaf <= t->page_count;
    }
    if (!sound || trunk < 2) {
        page_unpin(p);
        return IO_ERROR(&op->err, ERR_CORRUPT,
                        "database disk image is malformed: freelist trunk page %u of %s", trunk,
                        t->store->path);
    }
    if (!free_pages_reserve(t, count + 1)) {
        page_unpin(p);
        return memory_error(op);
    }
    // In front of what was freed since, which has become its leaves.
    memmove(t->free_pages + count + 1, t->free_pages, t->free_count * sizeof *t->free_pages);
    t->free_pages[0] = trunk;
    for (u32 i = 0; i < count; i++) t->free_pages[1 + i] = be32_get(p->data + 8 + 4 * i);
    t->free_count += count + 1;
    free_log_add(t, (struct free_event){.kind = FREE_ABSORBED, .at = count + 1});
    page_unpin(p);
    t->freelist_head = next;
    t->freelist_count -= count + 1;
    t->freelist_changed = true;
    return IO_DONE;
}

// A trunk holds at most usable / 4 - 8 leaves, as SQLite's do (older versions could not read fuller ones).
static u32 trunk_leaves_max(const struct txn *t)
{
    return t->store->usable_size / 4 - 8;
}

// The pages in hand are leaves of the trunk in the file as long as that has room.
static io_status freelist_join(struct txn *t, struct op *op)
{
    if (!t->free_count || !t->freelist_head || t->freelist_head == t->freelist_full) return IO_DONE;
    struct page *p;
    IO_TRY(txn_page(t, op, t->freelist_head, &p));
    u32 count = be32_get(p->data + 4);
    page_unpin(p);
    if (count < trunk_leaves_max(t)) return txn_freelist_absorb(t, op);
    t->freelist_full = t->freelist_head;
    return IO_DONE;
}

io_status txn_reserve(struct txn *t, struct op *op, u32 count)
{
    ASSERT(t->state == TXN_WRITE && !op->mutating);
    if (t->doomed) return doom_error(t, op);
    if (txn_page_count_exceeded(t)) return IO_ERROR(&op->err, ERR_FULL, "%s", err_default_text(ERR_FULL));
    IO_TRY(txn_spill(t, op));
    IO_TRY(freelist_join(t, op));
    while (t->free_count < count && t->freelist_head) IO_TRY(txn_freelist_absorb(t, op));
    if (t->free_count < count && (u64)t->page_count + (count - t->free_count) + 1 > PAGE_COUNT_MAX)
        return IO_ERROR(&op->err, ERR_FULL,
                        "database or disk is full: %s has the largest number of pages",
                        t->store->path);
    // The file may grow past places of pointer maps, which are then taken with it.
    u32 frames = count + (t->auto_vacuum ? count / (t->store->usable_size / 5) + 1 : 0);
    while (t->reserve_count < frames) {
        struct pager_frame *f = cache_frame_take(&t->store->cache);
        if (!f) return memory_error(op);
        f->next = t->reserve;
        t->reserve = f;
        t->reserve_count++;
    }
    if (!private_reserve(t, frames) || !undo_reserve(t, frames) || !txn_free_log_reserve(t, count) ||
        !op_pins_ensure(op, count) || (t->auto_vacuum && !touched_reserve(&t->touched, count)))
        return memory_error(op);
    return IO_DONE;
}

// Makes a page number of the transaction's own a private page of zeros.
static struct pager_frame *private_make(struct txn *t, pgno no)
{
    ASSERT(t->reserve_count > 0);
    u64 serial = savepoint_serial_innermost(t);
    struct pager_frame *f = t->reserve, *old = txn_private_find(t, no);
    t->reserve = f->next;
    t->reserve_count--;
    if (old) {
        private_remove(t, old);
        if (old->saved_serial < serial) {
            old->page.writable = false;
            undo_add(t, no, old, old->saved_serial);
        } else {
            txn_private_give(t, old);
        }
    } else if (serial) {
        undo_add(t, no, NULL, 0);
    }
    memset(f->page.data, 0, t->store->page_size);
    f->saved_serial = serial;
    f->used = true;
    t->resident++;
    private_add(t, f, no);
    return f;
}

void txn_free_page_remove(struct txn *t, u32 at)
{
    ASSERT(at < t->free_count);
    pgno no = t->free_pages[at];
    t->free_pages[at] = t->free_pages[--t->free_count];
    free_log_add(t, (struct free_event){.kind = FREE_REMOVED, .no = no, .at = at});
    t->freelist_changed = true;
}

// A page at the end of the file, which pointer maps and the lock page may come before.
static pgno file_grow(struct txn *t)
{
    for (;;) {
        pgno no = ++t->page_count;
        if (no == txn_lock_page(t)) continue;
        if (!t->auto_vacuum || !txn_page_is_map(t, no)) return no;
        private_make(t, no);
    }
}

static struct page *page_take(struct txn *t, struct op *op, pgno no)
{
    struct pager_frame *f = private_make(t, no);
    if (t->auto_vacuum) page_touch(t, f);
    op_pin(op, &f->page);
    return &f->page;
}

static u32 free_page_choose(const struct txn *t, pgno near)
{
    u32 group = trunk_leaves_max(t) + 1, trunk = (t->free_count - 1) / group * group, best = trunk + 1;
    if (best == t->free_count) return trunk;
    if (!near) return best;
    s64 nearest = INT64_MAX;
    for (u32 i = best; i < t->free_count; i++) {
        s64 distance = (s64)t->free_pages[i] - near;
        if (distance < 0) distance = -distance;
        if (distance >= nearest) continue;
        nearest = distance;
        best = i;
    }
    return best;
}

struct page *txn_page_take(struct txn *t, struct op *op, pgno near)
{
    ASSERT(op->mutating);
    if (t->free_count == 0) return page_take(t, op, file_grow(t));
    u32 at = free_page_choose(t, near);
    pgno no = t->free_pages[at];
    txn_free_page_remove(t, at);
    return page_take(t, op, no);
}

struct page *txn_page_take_at(struct txn *t, struct op *op, pgno no)
{
    ASSERT(op->mutating);
    if (no > t->page_count) {
        pgno grown = file_grow(t);
        ASSERT(grown == no);
    } else {
        u32 at = t->free_count - 1;
        while (t->free_pages[at] != no) at--;
        txn_free_page_remove(t, at);
    }
    return page_take(t, op, no);
}

void txn_page_free(struct txn *t, struct op *op, pgno no)
{
    ASSERT(op->mutating);
    struct pager_frame *f = txn_private_find(t, no);
    // A malformed file may name a page twice, or one that cannot be.
    if (no < 2 || no > t->page_count || no == txn_lock_page(t) || (f && f->freed)) return;
    if (!free_pages_reserve(t, 1) || (t->auto_vacuum && !touched_reserve(&t->freed, 1))) {
        struct err err = ERR_CLEAR;
        err_set(&err, ERR_NOMEM, __func__, "out of memory for the list of freed pages");
        txn_doom(t, &err);
        return;
    }
    free_pages_push(t, no);
    if (t->auto_vacuum) touched_push(&t->freed, no);
    if (f) f->freed = true;
    t->freelist_changed = true;
}

bool txn_free_pages_get(const struct txn *t, struct txn_free_pages *out)
{
    *out = (struct txn_free_pages){.pages = t->free_pages,
                                   .count = t->free_count,
                                   .trunk = t->freelist_head,
                                   .trunk_count = t->freelist_count};
    return t->state == TXN_WRITE;
}

// ---- the freelist in the file ------------------------------------------------------------------

// At commit: writes what is left of the free pages as trunk pages.
io_status txn_freelist_write(struct txn *t, struct op *op)
{
    if (!t->freelist_changed) return IO_DONE;
    struct store *s = t->store;
    IO_TRY(freelist_join(t, op)); // then all in hand is written anew
    u32 leaves_max = trunk_leaves_max(t);
    u32 trunks = (t->free_count + leaves_max) / (leaves_max + 1);
    while (t->reserve_count < trunks) {
        struct pager_frame *f = cache_frame_take(&s->cache);
        if (!f) return memory_error(op);
        f->next = t->reserve;
        t->reserve = f;
        t->reserve_count++;
    }
    if (!private_reserve(t, trunks)) return memory_error(op);
    // Savepoints are over: nothing of what follows is to be undone one by one.
    ASSERT(t->savepoint_count == 0);
    u32 i = 0;
    while (i < t->free_count) {
        pgno trunk = t->free_pages[i++];
        u32 count = MIN(leaves_max, t->free_count - i);
        struct pager_frame *f = private_make(t, trunk);
        be32_put(f->page.data, t->freelist_head);
        be32_put(f->page.data + 4, count);
        for (u32 k = 0; k < count; k++) be32_put(f->page.data + 8 + 4 * k, t->free_pages[i + k]);
        i += count;
        t->freelist_head = trunk;
        t->freelist_count += count + 1;
    }
    t->free_count = 0;
    t->freelist_changed = false;
    return IO_DONE;
}

// ---- the whole database at once ------------------------------------------------------------------

io_status txn_replace(struct txn *t, struct op *op, struct txn *image)
{
    struct store *s = t->store;
    ASSERT(t->state == TXN_WRITE && t->savepoint_count == 0 && s->page_size == image->store->page_size);
    pgno count = image->page_count;
    if (t->replace_next == 0) {
        struct page *first;
        IO_TRY(txn_page_write(t, op, 1, &first)); // all others are as they were
        ASSERT(t->private_count == 1 && t->free_count == 0);
        if (!free_pages_reserve(t, image->free_count)) return memory_error(op);
        t->replace_counter = be32_get(first->data + HEADER_CHANGE_COUNTER);
        op_settle(op);
        t->auto_vacuum = image->auto_vacuum;
        change_whole(t);
        t->cookie_known = false;
        t->replace_next = 1;
    }
    for (; t->replace_next <= count; t->replace_next++) {
        pgno no = t->replace_next;
        if (no == txn_lock_page(t)) continue;
        IO_TRY(txn_spill(t, op));
        IO_TRY(txn_spill(image, op)); // which comes back page by page
        if (!t->reserve && !(t->reserve = cache_frame_take(&s->cache))) return memory_error(op);
        t->reserve_count = MAX(t->reserve_count, 1u);
        if (!private_reserve(t, 1)) return memory_error(op);
        struct page *from;
        IO_TRY(txn_page(image, op, no, &from));
        op_mutate(op);
        struct pager_frame *f = private_make(t, no);
        memcpy(f->page.data, from->data, s->page_size);
        f->page.node.valid = false;
        op_settle(op);
        page_unpin(from);
    }
    be32_put(txn_private_find(t, 1)->page.data + HEADER_CHANGE_COUNTER, t->replace_counter);
    t->page_count = count;
    t->freelist_head = t->freelist_count = 0;
    for (u32 i = 0; i < image->free_count; i++) free_pages_push(t, image->free_pages[i]);
    t->freelist_changed = image->free_count > 0;
    t->replace_next = 0;
    return IO_DONE;
}
