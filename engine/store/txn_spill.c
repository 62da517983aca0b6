// Big transactions: private pages beyond a part of the page cache go to an unlinked temporary file.
//
// What stays in memory of a page that is out is its frame without data (a stub: page.data NULL, spill_slot its place in
// the file), so everything that only asks about a private page, savepoints and rolling back above all, goes on as
// before and never waits. Who wants the data gathers it (txn_private_load). Images that savepoints keep go out too.
//
// One write at a time, of up to VICTIMS_MAX pages; the transaction goes on meanwhile, as long as it stays near its budget.
// A page that is changed while it is being written stays. One that came back and was not changed keeps its place, and
// goes out again for nothing.
//
// In the file pages are what they are in the database (codec.h).
//
// The file outlives its transaction while an operation on it is under way, or while the commit's frames are written out
// of it (store.spilled).
#include "btree.h"
#include "store_private.h"

#include <errno.h>
#include <libgen.h>

#define VICTIMS_MAX 64u
#define BUDGET_MIN  8u // pages

struct spill_victim {
    struct pager_frame *frame; // pinned
    u32 slot;
    s64 undo;  // index in txn.undo, or -1: a private page
    bool gone;    // the transaction let go of it meanwhile
    bool changed; // it stays
};

struct spill_run {
    struct completion completion;
    struct spill *spill;
};

struct spill {
    struct store *store;
    struct io_file *file;
    bool opening, closing, left; // left: its transaction is over
    u32 pending;                 // operations under way
    struct completion open;
    s64 open_result;
    u32 slot_end, *free_slots, free_count, free_capacity;
    bool reusing; // free slots are sorted, the last ones first in the file
    // The write under way, or over and not yet taken notice of.
    bool writing;
    u32 runs_pending, victim_count;
    s64 write_result;
    struct spill_victim victims[VICTIMS_MAX];
    struct spill_run runs[VICTIMS_MAX];
    struct iovec iov[VICTIMS_MAX];
    u8 *encoded; // VICTIMS_MAX pages, where the database has a codec
    struct wait_list waiters;
};

struct spill_read {
    struct completion completion;
    struct spill *spill;
    struct pager_frame *stub, *frame;
};

// ---- the file ------------------------------------------------------------------------------------------------------

static void spill_closed(struct completion *c)
{
    struct spill *x = CONTAINER_OF(c, struct spill, open);
    struct store *s = x->store;
    free(x->free_slots);
    free(x->encoded);
    free(x);
    s->spill_count--;
    wait_list_wake_all(&s->waiters);
}

static void spill_settle(struct spill *x)
{
    if (!x->left || x->pending || x->closing) return;
    x->closing = true;
    completion_init(&x->open, spill_closed, NULL);
    if (x->file)
        io_file_close(x->file, &x->open);
    else
        completion_post(x->store->io, &x->open, 0);
}

// Of a write whose end nobody takes notice of any more.
static void victims_unpin(struct spill *x)
{
    for (u32 i = 0; i < x->victim_count; i++) {
        ASSERT(x->victims[i].gone);
        page_unpin(&x->victims[i].frame->page);
    }
    x->victim_count = 0;
}

void spill_leave(struct spill *x)
{
    x->left = true;
    if (!x->runs_pending) victims_unpin(x);
    spill_settle(x);
}

static void spill_opened(struct completion *c)
{
    struct spill *x = CONTAINER_OF(c, struct spill, open);
    x->pending--;
    x->opening = false;
    x->open_result = c->result;
    if (c->result < 0) x->file = NULL;
    wait_list_wake_all(&x->waiters);
    spill_settle(x);
}

static io_status spill_open(struct txn *t, struct op *op)
{
    struct store *s = t->store;
    struct spill *x = t->spill;
    if (!x) {
        x = t->spill = calloc(1, sizeof *x);
        if (!x) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory for changed pages");
        x->store = s;
        s->spill_count++;
    }
    if (x->file) {
        if (!x->opening) return IO_DONE;
    } else if (!x->opening) {
        if (x->open_result < 0) {
            s64 result = x->open_result;
            x->open_result = 0;
            err_set_errno(&op->err, ERR_CANTOPEN, (int)-result, __func__,
                          "unable to open a temporary file in %s for the changed pages of %s", s->spill_dir, s->path);
            return IO_FAIL;
        }
        if (!s->spill_dir) {
            char *copy = s->in_memory ? NULL : strdup(s->path);
            const char *dir = s->in_memory ? s->options.temp_dir : copy ? dirname(copy) : NULL;
            s->spill_dir = dir ? strdup(dir) : NULL;
            free(copy);
            if (!s->spill_dir) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
        }
        x->opening = true;
        x->pending++;
        completion_init(&x->open, spill_opened, NULL);
        io_file_open(s->io, s->spill_dir, IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_TEMPORARY, &x->file, &x->open);
    }
    wait_list_add(&x->waiters, &op->waiter);
    return IO_WAIT;
}

static u64 slot_offset(const struct spill *x, u32 slot)
{
    return (u64)(slot - 1) * x->store->page_size;
}

static int slot_compare(const void *a, const void *b)
{
    u32 x = *(const u32 *)a, y = *(const u32 *)b;
    return x > y ? -1 : x < y;
}

// Places for `count` pages to be written together. Side by side at the end of the file, so that it is one write, as long
// as no more than half of the file is free.
static void slots_take(struct spill *x, u32 count, struct spill_victim *out)
{
    u32 live = x->slot_end - x->free_count;
    if (!x->reusing && x->free_count > live + 1024) {
        qsort(x->free_slots, x->free_count, sizeof *x->free_slots, slot_compare);
        x->reusing = true;
    }
    if (x->free_count < live / 2 + count) x->reusing = false;
    for (u32 i = 0; i < count; i++) out[i].slot = x->reusing ? x->free_slots[--x->free_count] : ++x->slot_end;
}

// A place that cannot be noted down stays unused.
static void slot_give(struct spill *x, u32 slot)
{
    if (!slot || !x) return;
    if (x->free_count == x->free_capacity) {
        u32 capacity = x->free_capacity ? x->free_capacity * 2 : 64;
        u32 *grown = realloc(x->free_slots, capacity * sizeof *grown);
        if (!grown) return;
        x->free_slots = grown;
        x->free_capacity = capacity;
    }
    x->free_slots[x->free_count++] = slot;
}

// ---- frames and stubs ----------------------------------------------------------------------------------------------

static struct pager_frame *stub_of(const struct pager_frame *f, u32 slot)
{
    struct pager_frame *stub = malloc(sizeof *stub);
    if (!stub) return NULL;
    *stub = *f;
    stub->page.data = NULL;
    stub->page.frame = stub;
    stub->page.pins = 0;
    stub->page.node.valid = false;
    stub->state = FRAME_PRIVATE;
    stub->stub = true;
    stub->spill_slot = slot;
    stub->victim = 0;
    stub->pinned_by = NULL;
    stub->incoming = NULL;
    stub->loaders = (struct wait_list){0};
    return stub;
}

void txn_private_give(struct txn *t, struct pager_frame *f)
{
    f->page.writable = false;
    if (f->victim) {
        // It is being written: the pin keeps its memory until that is over.
        t->spill->victims[f->victim - 1].gone = true;
        f->victim = 0;
    }
    slot_give(t->spill, f->spill_slot);
    f->spill_slot = 0;
    if (!f->stub) {
        t->resident--;
        cache_frame_give(&t->store->cache, f);
    } else if (f->state == FRAME_LOADING) {
        f->orphan = true; // the read frees it
    } else {
        if (f->incoming) cache_frame_give(&t->store->cache, f->incoming);
        free(f);
    }
}

static struct pager_frame **private_link(struct txn *t, const struct pager_frame *f)
{
    struct pager_frame **link = &t->pages[f->page.no & (t->page_slots - 1)];
    while (*link && *link != f) link = &(*link)->next;
    return *link ? link : NULL;
}

// Whether the victim is still where it was; then `with` takes its place.
static bool victim_replace(struct txn *t, const struct spill_victim *v, struct pager_frame *with)
{
    struct pager_frame **link;
    if (v->undo >= 0) {
        if ((u64)v->undo >= t->undo_count || t->undo[v->undo].image != v->frame) return false;
        link = &t->undo[v->undo].image;
    } else if (!(link = private_link(t, v->frame))) {
        return false;
    }
    *link = with;
    return true;
}

static void frame_out(struct txn *t, struct spill_victim *v)
{
    struct pager_frame *f = v->frame, *stub = f->page.pins ? NULL : stub_of(f, v->slot);
    f->spill_slot = v->slot;
    if (!stub) return; // stays, and need not be written again
    if (!victim_replace(t, v, stub)) {
        free(stub);
        return;
    }
    f->spill_slot = 0;
    t->resident--;
    cache_frame_give(&t->store->cache, f);
}

// ---- going out -----------------------------------------------------------------------------------------------------

static void spill_run_done(struct completion *c)
{
    struct spill_run *run = CONTAINER_OF(c, struct spill_run, completion);
    struct spill *x = run->spill;
    if (c->result < 0 && x->write_result == 0) x->write_result = c->result;
    x->pending--;
    if (--x->runs_pending == 0) {
        if (x->left) victims_unpin(x);
        wait_list_wake_all(&x->waiters);
    }
    spill_settle(x);
}

static io_status write_notice(struct txn *t, struct op *op)
{
    struct spill *x = t->spill;
    if (x->runs_pending) {
        wait_list_add(&x->waiters, &op->waiter);
        return IO_WAIT;
    }
    x->writing = false;
    for (u32 i = 0; i < x->victim_count; i++) {
        struct spill_victim *v = &x->victims[i];
        page_unpin(&v->frame->page);
        if (v->gone) {
            slot_give(x, v->slot);
            continue;
        }
        v->frame->victim = 0;
        if (x->write_result == 0 && !v->changed)
            frame_out(t, v);
        else
            slot_give(x, v->slot);
    }
    x->victim_count = 0;
    if (x->write_result == 0) return IO_DONE;
    int number = (int)-x->write_result;
    x->write_result = 0;
    bool full = store_disk_full(-number);
    err_set_errno(&op->err, full ? ERR_FULL : ERR_IOERR_WRITE, number, __func__,
                  full ? "database or disk is full: no space for the changed pages of %s in its temporary file; free some space"
                       : "disk I/O error: writing changed pages of %s to a temporary file failed",
                  t->store->path);
    return IO_FAIL;
}

static bool victim_fit(const struct pager_frame *f)
{
    return f && !f->stub && !f->victim && f->page.pins == 0 && f->page.no != 1;
}

static void victim_add(struct spill *x, struct pager_frame *f, s64 undo)
{
    x->victims[x->victim_count++] = (struct spill_victim){.frame = f, .undo = undo};
    f->victim = x->victim_count; // it is not chosen again; its place is known when they are sorted
}

// Pages that were not asked for since the hand last came by; those that are in the file as they are go at once.
static void victims_choose(struct txn *t)
{
    struct spill *x = t->spill;
    for (u32 i = 0; i < t->undo_count && x->victim_count < VICTIMS_MAX; i++) {
        if (t->spill_undo_hand >= t->undo_count) t->spill_undo_hand = 0;
        u32 at = t->spill_undo_hand++;
        if (victim_fit(t->undo[at].image)) victim_add(x, t->undo[at].image, at);
    }
    for (u64 steps = 0; steps < 2ull * t->page_slots && x->victim_count < VICTIMS_MAX; steps++) {
        if (t->spill_hand >= t->page_slots) t->spill_hand = 0;
        struct pager_frame *next;
        for (struct pager_frame *f = t->pages[t->spill_hand]; f && x->victim_count < VICTIMS_MAX; f = next) {
            next = f->next;
            if (!victim_fit(f)) continue;
            if (f->used) {
                f->used = false;
            } else if (f->spill_slot) {
                struct spill_victim v = {.frame = f, .slot = f->spill_slot, .undo = -1};
                frame_out(t, &v);
            } else {
                victim_add(x, f, -1);
            }
        }
        t->spill_hand++;
    }
}

static int victim_compare(const void *a, const void *b)
{
    u32 x = ((const struct spill_victim *)a)->slot, y = ((const struct spill_victim *)b)->slot;
    return x < y ? -1 : x > y;
}

static void victims_write(struct txn *t)
{
    struct spill *x = t->spill;
    u32 count = x->victim_count;
    slots_take(x, count, x->victims);
    qsort(x->victims, count, sizeof *x->victims, victim_compare);
    x->writing = true;
    u32 first = 0, runs = 0;
    for (u32 i = 0; i < count; i++) {
        struct pager_frame *f = x->victims[i].frame;
        f->victim = i + 1;
        page_pin(&f->page);
        u8 *data = f->page.data;
        if (x->encoded) codec_encode(&t->store->codec, f->page.no, f->page.data, data = x->encoded + (size_t)i * t->store->page_size);
        x->iov[i] = (struct iovec){.iov_base = data, .iov_len = t->store->page_size};
        if (i + 1 < count && x->victims[i + 1].slot == x->victims[i].slot + 1) continue;
        struct spill_run *run = &x->runs[runs++];
        run->spill = x;
        completion_init(&run->completion, spill_run_done, NULL);
        x->runs_pending++;
        x->pending++;
        io_file_writev(x->file, &x->iov[first], i + 1 - first, slot_offset(x, x->victims[first].slot), &run->completion);
        first = i + 1;
    }
}

io_status txn_spill(struct txn *t, struct op *op)
{
    struct store *s = t->store;
    u32 spare = s->cache.frames_max / 8, budget = MAX(s->cache.frames_max - spare, BUDGET_MIN);
    if (LIKELY(!t->spill || !t->spill->writing)) {
        if (LIKELY(s->cache.private_count < budget) || t->resident < BUDGET_MIN) return IO_DONE;
        if (t->spill_over || (s->in_memory && !s->options.temp_dir)) return IO_DONE;
        IO_TRY(spill_open(t, op));
        if (codec_active(&s->codec) && !t->spill->encoded) {
            t->spill->encoded = malloc((size_t)VICTIMS_MAX * s->page_size);
            if (!t->spill->encoded) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory for changed pages");
        }
        txn_cursors_idle_reset(t);
        victims_choose(t);
        if (t->spill->victim_count == 0) return IO_DONE; // all are in use: the budget is a soft one
        victims_write(t);
    }
    if (t->spill->runs_pending && s->cache.private_count < budget + MIN(spare, VICTIMS_MAX)) return IO_DONE;
    return write_notice(t, op);
}

// ---- coming back ---------------------------------------------------------------------------------------------------

static void spill_read_done(struct completion *c)
{
    struct spill_read *r = CONTAINER_OF(c, struct spill_read, completion);
    struct pager_frame *stub = r->stub;
    struct spill *x = r->spill;
    stub->result = c->result;
    if (stub->orphan) {
        cache_frame_give(&x->store->cache, r->frame);
        free(stub);
    } else {
        stub->state = c->result == x->store->page_size ? FRAME_READY : FRAME_FAILED;
        wait_list_wake_all(&stub->loaders);
    }
    free(r);
    x->pending--;
    spill_settle(x);
}

static io_status read_start(struct txn *t, struct op *op, struct pager_frame *stub)
{
    struct spill_read *r = calloc(1, sizeof *r);
    struct pager_frame *f = r ? cache_frame_take(&t->store->cache) : NULL;
    if (!f) {
        free(r);
        return IO_ERROR(&op->err, ERR_NOMEM, "out of memory for changed pages");
    }
    completion_init(&r->completion, spill_read_done, NULL);
    r->spill = t->spill;
    r->stub = stub;
    r->frame = stub->incoming = f;
    stub->state = FRAME_LOADING;
    t->spill->pending++;
    io_file_read(t->spill->file, f->page.data, t->store->page_size, slot_offset(t->spill, stub->spill_slot), &r->completion);
    return IO_DONE;
}

io_status txn_private_load(struct txn *t, struct op *op, struct pager_frame *stub, struct pager_frame **out)
{
    *out = stub;
    if (LIKELY(!stub->stub)) return IO_DONE;
    if (stub->state == FRAME_PRIVATE) IO_TRY(read_start(t, op, stub));
    if (stub->state == FRAME_LOADING) {
        wait_list_add(&stub->loaders, &op->waiter);
        return IO_WAIT;
    }
    struct pager_frame *f = stub->incoming;
    if (stub->state == FRAME_READY && !codec_decode(&t->store->codec, stub->page.no, f->page.data)) {
        stub->state = FRAME_FAILED;
        stub->result = -EBADMSG;
    }
    if (stub->state == FRAME_FAILED) {
        s64 result = stub->result;
        stub->state = FRAME_PRIVATE;
        stub->incoming = NULL;
        cache_frame_give(&t->store->cache, f);
        err_set_errno(&op->err, ERR_IOERR_READ, result < 0 ? (int)-result : 0, __func__,
                      "disk I/O error: reading changed page %u of %s back from a temporary file failed", stub->page.no,
                      t->store->path);
        return IO_FAIL;
    }
    struct pager_frame **link = private_link(t, stub);
    ASSERT(link);
    f->page.no = stub->page.no;
    f->page.version = stub->page.version;
    f->page.writable = true;
    f->freed = stub->freed;
    f->touched = stub->touched;
    f->role = stub->role;
    f->saved_serial = stub->saved_serial;
    f->spill_slot = stub->spill_slot;
    f->used = true;
    f->next = stub->next;
    *link = f;
    t->resident++;
    free(stub);
    *out = f;
    return IO_DONE;
}

void txn_private_changes(struct txn *t, struct pager_frame *f)
{
    if (UNLIKELY(f->victim)) t->spill->victims[f->victim - 1].changed = true;
    if (LIKELY(!f->spill_slot)) return;
    slot_give(t->spill, f->spill_slot);
    f->spill_slot = 0;
}

io_status txn_spill_settle(struct txn *t, struct op *op)
{
    if (LIKELY(!t->spill)) return IO_DONE;
    if (t->spill->writing) IO_TRY(write_notice(t, op));
    if (!t->store->in_memory) return IO_DONE;
    t->spill_over = true;
    for (u32 i = 0; i < t->page_slots; i++) {
        for (struct pager_frame *f = t->pages[i]; f; f = f->next) IO_TRY(txn_private_load(t, op, f, &f));
    }
    return IO_DONE;
}

// ---- the commit's frames out of the file -----------------------------------------------------------------------------

void spill_commit_take(struct txn *t, struct pager_frame *stub)
{
    struct store *s = t->store;
    if (!s->spilled) {
        s->spilled = t->spill;
        t->spill = NULL;
    }
    stub->next = s->spilled_stubs;
    s->spilled_stubs = stub;
}

void spill_page_read(struct store *s, const struct page *stub, u8 *out, struct completion *c)
{
    io_file_read(s->spilled->file, out, s->page_size, slot_offset(s->spilled, stub->frame->spill_slot), c);
}

void spill_commit_done(struct store *s)
{
    if (!s->spilled) return;
    while (s->spilled_stubs) {
        struct pager_frame *stub = s->spilled_stubs;
        s->spilled_stubs = stub->next;
        if (stub->incoming) cache_frame_give(&s->cache, stub->incoming);
        free(stub);
    }
    struct spill *x = s->spilled;
    s->spilled = NULL;
    spill_leave(x);
    store_slot_offer(s);
    wait_list_wake_all(&s->waiters);
}
