// Transactions: snapshots, the write slot, beginning and ending, the header's fields.
#include "btree.h"
#include "store_private.h"

// ---- snapshots ---------------------------------------------------------------------------------

// Keeps the list in the order of the snapshots: a new one is nearly always the newest.
static void snapshot_take(struct txn *t, const struct mark *m)
{
    struct store *s = t->store;
    struct txn *after = s->snapshots_last;
    t->snapshot = *m;
    t->cookie_known = false;
    t->page_count = m->page_count;
    while (after && after->snapshot.lsn > m->lsn) after = after->snapshot_prev;
    t->snapshot_prev = after;
    t->snapshot_next = after ? after->snapshot_next : s->snapshots_first;
    *(after ? &after->snapshot_next : &s->snapshots_first) = t;
    *(t->snapshot_next ? &t->snapshot_next->snapshot_prev : &s->snapshots_last) = t;
    t->in_snapshots = true;
    s->snapshot_count++;
}

void txn_snapshot_drop(struct txn *t)
{
    struct store *s = t->store;
    if (!t->in_snapshots) return;
    t->in_snapshots = false;
    *(t->snapshot_prev ? &t->snapshot_prev->snapshot_next : &s->snapshots_first) = t->snapshot_next;
    *(t->snapshot_next ? &t->snapshot_next->snapshot_prev : &s->snapshots_last) = t->snapshot_prev;
    s->snapshot_count--;
    if (s->cache.stale_first) cache_stale_drop(&s->cache, store_horizon(s));
    if (s->writer && s->writer->asking) store_slot_offer(s);
}

u64 store_horizon(const struct store *s)
{
    u64 durable = s->durable.lsn;
    return s->snapshots_first ? MIN(s->snapshots_first->snapshot.lsn, durable) : durable;
}

// ---- the write slot: first come, first served --------------------------------------------------

// Outlives its transaction when that is destroyed while the timer runs.
struct slot_timer {
    struct completion completion;
    struct txn *txn;
};

static void slot_timer_done(struct completion *c)
{
    struct slot_timer *timer = CONTAINER_OF(c, struct slot_timer, completion);
    struct txn *t = timer->txn;
    free(timer);
    if (!t) return;
    t->timer = NULL;
    wait_list_wake_all(&t->queue_wait);
}

static bool slot_timer_start(struct txn *t, u64 deadline_ns)
{
    if (t->timer) return true;
    struct slot_timer *timer = calloc(1, sizeof *timer);
    if (!timer) return false;
    u64 now = io_now_ns(t->store->io);
    timer->txn = t;
    t->timer = timer;
    completion_init(&timer->completion, slot_timer_done, NULL);
    io_timeout(t->store->io, deadline_ns > now ? deadline_ns - now : 0, &timer->completion);
    return true;
}

static void slot_timer_stop(struct txn *t)
{
    if (!t->timer) return;
    struct slot_timer *timer = t->timer;
    timer->txn = NULL;
    t->timer = NULL;
    io_cancel(t->store->io, &timer->completion);
}

// From io_step: whoever is first in line may call again.
void store_grant(struct completion *c)
{
    struct store *s = CONTAINER_OF(c, struct store, grant);
    if (!s->writer && s->queue_first) wait_list_wake_all(&s->queue_first->queue_wait);
    if (s->writer && s->writer->asking) wait_list_wake_all(&s->writer->queue_wait); // readers have gone
    wait_list_wake_all(&s->waiters);
}

void store_slot_offer(struct store *s)
{
    bool wanted = s->writer ? s->writer->asking : s->queue_first != NULL;
    if (!wanted || s->grant.state == COMPLETION_PENDING) return;
    completion_post(s->io, &s->grant, 0);
}

void txn_slot_leave(struct txn *t)
{
    struct store *s = t->store;
    slot_timer_stop(t);
    if (!t->queued) return;
    t->queued = false;
    *(t->queue_prev ? &t->queue_prev->queue_next : &s->queue_first) = t->queue_next;
    *(t->queue_next ? &t->queue_next->queue_prev : &s->queue_last) = t->queue_prev;
    store_slot_offer(s);
}

void txn_line_leave(struct txn *t)
{
    txn_slot_leave(t);
    txn_checkpoint_end(t);
    wait_list_wake_all(&t->queue_wait);
}

bool txn_slot_wait(struct txn *t, struct op *op, u64 deadline_ns)
{
    if (deadline_ns != UINT64_MAX && !slot_timer_start(t, deadline_ns)) return false;
    wait_list_add(&t->queue_wait, &op->waiter);
    return true;
}

void txn_slot_release(struct txn *t)
{
    struct store *s = t->store;
    ASSERT(s->writer == t);
    s->writer = NULL;
    store_slot_offer(s);
}

io_status txn_slot_take(struct txn *t, struct op *op, u64 deadline_ns)
{
    struct store *s = t->store;
    bool gated = false;
    if (!s->writer && (!s->queue_first || s->queue_first == t)) {
        gated = store_wal_gate(s, t->checkpoint_frames) || s->spilled;
        if (!gated) {
            s->writer = t;
            txn_slot_leave(t);
            return IO_DONE;
        }
    }
    // The gate is no other's lock, and opens soon: it is waited for even by who does not wait for
    // others.
    if (!gated && io_now_ns(s->io) >= deadline_ns) {
        txn_slot_leave(t);
        return IO_ERROR(&op->err, ERR_BUSY, "database is locked");
    }
    if (!t->queued) {
        t->queued = true;
        t->queue_next = NULL;
        t->queue_prev = s->queue_last;
        *(s->queue_last ? &s->queue_last->queue_next : &s->queue_first) = t;
        s->queue_last = t;
    }
    if (!txn_slot_wait(t, op, gated ? UINT64_MAX : deadline_ns)) {
        txn_slot_leave(t);
        return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
    }
    return IO_WAIT;
}

// ---- begin and end -----------------------------------------------------------------------------

struct txn *txn_create(struct store *s)
{
    struct txn *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->store = s;
    t->doom = ERR_CLEAR;
    t->checkpoint_frames = s->options.checkpoint_frames;
    t->wal_size_limit = -1;
    t->page_count_max = PAGE_COUNT_MAX;
    return t;
}

void txn_wal_policy(struct txn *t, u32 checkpoint_frames, s64 size_limit)
{
    t->checkpoint_frames = checkpoint_frames;
    t->wal_size_limit = size_limit;
}

void txn_destroy(struct txn *t)
{
    if (!t) return;
    txn_rollback(t);
    free(t->pages);
    free(t->free_pages);
    free(t->savepoints);
    free(t->undo);
    free(t->free_log);
    change_list_reset(t);
    free(t->changes.bytes);
    free(t->changes.trees);
    free(t->touched.pages);
    free(t->freed.pages);
    free(t);
}

// A commit that waits for the disk is still its owner's write transaction.
enum txn_state txn_state_get(const struct txn *t)
{
    return t->committing ? TXN_WRITE : t->state;
}
struct store *txn_store(const struct txn *t)
{
    return t->store;
}

io_status txn_begin_read(struct txn *t, struct op *op)
{
    ASSERT(!t->committing);
    if (t->state != TXN_NONE) return IO_DONE;
    ASSERT(t->store->state == STORE_OPEN);
    snapshot_take(t, &t->store->durable);
    t->state = TXN_READ;
    return IO_DONE;
}

static io_status begin_write_check(const struct txn *t, struct op *op)
{
    const struct store *s = t->store;
    if (store_log_check(s, &s->durable, &op->err) != ERR_OK) return IO_FAIL;
    if (s->read_only)
        return IO_ERROR(&op->err, ERR_READONLY, "attempt to write a readonly database");
    if (s->refusal && !t->image) return IO_ERROR(&op->err, s->refusal_code, "%s", s->refusal);
    if (s->flush_failed) {
        err_set_errno(&op->err, s->flush_err.code, s->flush_err.sys_errno, __func__, "%s",
                      s->flush_err.text);
        return IO_FAIL;
    }
    return IO_DONE;
}

// Page 1 of an empty database: the header, and the schema's tree, empty.
static io_status first_page_make(struct txn *t, struct op *op)
{
    struct store *s = t->store;
    if (t->page_count == 0) {
        IO_TRY(txn_reserve(t, op, 1));
        op_mutate(op);
        u8 *h = txn_page_take(t, op, 0)->data;
        memcpy(h, "SQLite format 3", 16);
        be16_put(h + HEADER_PAGE_SIZE, s->page_size == 65536 ? 1 : (u16)s->page_size);
        h[HEADER_WRITE_VERSION] = h[HEADER_READ_VERSION] = 2;
        h[HEADER_RESERVED] = (u8)(s->page_size - s->usable_size);
        h[HEADER_FRACTIONS] = 64;
        h[HEADER_FRACTIONS + 1] = h[HEADER_FRACTIONS + 2] = 32;
        be32_put(h + HEADER_LARGEST_ROOT, s->options.auto_vacuum != AUTO_VACUUM_NONE);
        be32_put(h + HEADER_INCREMENTAL, s->options.auto_vacuum == AUTO_VACUUM_INCREMENTAL);
        t->auto_vacuum = s->options.auto_vacuum != AUTO_VACUUM_NONE;
        op_settle(op);
    }
    return btree_init_file(t, op);
}

// Page 1 of a database made that of one like it without tables: until the commit is there, nothing else is.
static void image_empty(u8 *h, u32 page_size)
{
    u32 usable = page_size - h[HEADER_RESERVED];
    be32_put(h + HEADER_FREELIST_HEAD, 0);
    be32_put(h + HEADER_FREELIST_COUNT, 0);
    be32_put(h + HEADER_COOKIE, 0);
    be32_put(h + HEADER_LARGEST_ROOT, be32_get(h + HEADER_LARGEST_ROOT) != 0);
    memset(h + HEADER_SIZE, 0, page_size - HEADER_SIZE);
    h[HEADER_SIZE] = 13; // a leaf of a table, its cells from the end on
    h[HEADER_SIZE + 5] = (u8)(usable >> 8);
    h[HEADER_SIZE + 6] = (u8)usable;
}

// The first page of an empty file, as it is written before the first commit: the WAL alone would
// not do, since SQLite takes a WAL beside an empty file for a stray one.
static io_status txn_first_page_keep(struct txn *t, struct op *op)
{
    struct store *s = t->store;
    struct pager_frame *f = txn_private_find(t, 1);
    ASSERT(f);
    u8 *h = f->page.data;
    if (s->in_memory) return IO_DONE;
    if (!s->first_page) s->first_page = malloc(s->page_size);
    if (!s->first_page) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
    memcpy(s->first_page, h, s->page_size);
    h = s->first_page;
    if (t->image) image_empty(h, s->page_size);
    be32_put(h + HEADER_CHANGE_COUNTER, 1);
    be32_put(h + HEADER_VALID_FOR, 1);
    be32_put(h + HEADER_PAGE_COUNT, 1);
    be32_put(h + HEADER_LIBRARY_VERSION, LIBRARY_VERSION);
    return IO_DONE;
}

// With the slot in hand: the freelist's head, or page 1 of an empty database.
io_status txn_write_prepare(struct txn *t, struct op *op)
{
    if (t->image) return IO_DONE;
    if (t->snapshot.page_count == 0) {
        IO_TRY(first_page_make(t, op));
        return txn_first_page_keep(t, op);
    }
    struct page *p;
    IO_TRY(txn_page(t, op, 1, &p));
    t->freelist_head = be32_get(p->data + HEADER_FREELIST_HEAD);
    t->freelist_count = be32_get(p->data + HEADER_FREELIST_COUNT);
    t->auto_vacuum = be32_get(p->data + HEADER_LARGEST_ROOT) != 0;
    page_unpin(p);
    if (!t->freelist_head != !t->freelist_count || t->freelist_head > t->page_count)
        return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: freelist of %s",
                        t->store->path);
    return IO_DONE;
}

static bool changes_wanted(struct store *s)
{
    if (!s->concurrent_first && s->appended.commit > s->concurrent_commit + CHANGE_COMMITS_KEPT)
        s->change_recording = false;
    return s->change_recording;
}

// The slot, or the snapshot of a concurrent one, is there: gathers the rest, and starts to list the changes.
static io_status begin_write_finish(struct txn *t, struct op *op)
{
    io_status status = txn_write_prepare(t, op);
    if (status == IO_WAIT) return status;
    t->preparing = false;
    if (status == IO_FAIL) {
        if (t->begun_idle) {
            txn_end(t);
        } else {
            txn_private_drop_all(t);
            if (!t->concurrent) txn_slot_release(t);
            t->page_count = t->snapshot.page_count;
            t->state = TXN_READ;
        }
        return status;
    }
    // Savepoints that were opened before the first write go back to here.
    struct pager_frame *first = txn_private_find(t, 1);
    if (first) {
        first->saved_serial = 0;
        first->touched = false;
    }
    t->touched.count = t->touched.synced = 0;
    t->undo_count = t->free_log_count = 0;
    t->base_page_count = t->page_count;
    t->base_freelist_head = t->freelist_head;
    t->base_freelist_count = t->freelist_count;
    t->freelist_full = 0;
    if (changes_wanted(t->store)) change_list_start(t, t->concurrent);
    return IO_DONE;
}

static void touched_reset(struct txn *t)
{
    t->touched.count = t->touched.synced = t->freed.count = t->freed.synced = 0;
    t->vacuuming = false;
}

static void write_start(struct txn *t)
{
    t->state = TXN_WRITE;
    t->preparing = true;
    t->auto_vacuum = false;
    t->freelist_head = t->freelist_count = 0;
}

io_status txn_begin_write(struct txn *t, struct op *op, u64 deadline_ns)
{
    struct store *s = t->store;
    ASSERT(!t->committing);
    if (t->state == TXN_WRITE && !t->preparing) return IO_DONE;
    if (!t->preparing) {
        if (begin_write_check(t, op) != IO_DONE) {
            txn_slot_leave(t); // the next in line learns of it as well
            return IO_FAIL;
        }
        if (t->state == TXN_READ && t->snapshot.lsn != s->appended.lsn)
            return IO_ERROR(&op->err, ERR_BUSY_SNAPSHOT, "database is locked");
        // Who holds a snapshot waits in vain: it will be old once the other has committed.
        IO_TRY(txn_slot_take(t, op, t->state == TXN_READ ? 0 : deadline_ns));
        t->begun_idle = t->state == TXN_NONE;
        if (t->begun_idle) {
            store_wal_reset_try(s);
            snapshot_take(t, &s->appended);
        }
        write_start(t);
    }
    return begin_write_finish(t, op);
}

// ---- whole pages of elsewhere --------------------------------------------------------------------

io_status txn_image_begin(struct txn *t, struct op *op, u64 deadline_ns)
{
    t->image = true;
    io_status status = txn_begin_write(t, op, deadline_ns);
    if (status == IO_FAIL) t->image = false;
    return status;
}

io_status txn_image_page(struct txn *t, struct op *op, pgno no, const u8 *data)
{
    ASSERT(t->image && t->state == TXN_WRITE && t->savepoint_count == 0);
    if (no < 1 || no == txn_lock_page(t)) return IO_ERROR(&op->err, ERR_CORRUPT, "an image of page %u, which has none", no);
    return txn_private_put(t, op, no, data);
}

io_status txn_image_size(struct txn *t, struct op *op, pgno page_count)
{
    ASSERT(t->image);
    if (!t->snapshot.page_count && page_count) {
        struct page *first;
        if (!txn_private_find(t, 1)) return IO_ERROR(&op->err, ERR_CORRUPT, "an image of an empty database without its first page");
        IO_TRY(txn_page(t, op, 1, &first)); // it may have been spilled
        page_unpin(first);
        IO_TRY(txn_first_page_keep(t, op));
    }
    t->page_count = page_count;
    return IO_DONE;
}

// ---- concurrent ones ---------------------------------------------------------------------------

// There is one, or was until now.
static void concurrent_seen(struct store *s)
{
    s->change_recording = true;
    s->concurrent_commit = s->appended.commit;
}

static void concurrent_enlist(struct txn *t)
{
    struct store *s = t->store;
    t->concurrent = true;
    t->concurrent_next = NULL;
    t->concurrent_prev = s->concurrent_last;
    *(s->concurrent_last ? &s->concurrent_last->concurrent_next : &s->concurrent_first) = t;
    s->concurrent_last = t;
}

static void concurrent_delist(struct txn *t)
{
    struct store *s = t->store;
    if (!t->concurrent) return;
    concurrent_seen(s);
    t->concurrent = false;
    *(t->concurrent_prev ? &t->concurrent_prev->concurrent_next : &s->concurrent_first) = t->concurrent_next;
    *(t->concurrent_next ? &t->concurrent_next->concurrent_prev : &s->concurrent_last) = t->concurrent_prev;
}

io_status txn_begin_concurrent(struct txn *t, struct op *op, bool write, u64 deadline_ns)
{
    struct store *s = t->store;
    ASSERT(!t->committing);
    if (t->state == TXN_WRITE && !t->preparing) return IO_DONE;
    if (t->state == TXN_NONE && !t->queued) {
        if (write && begin_write_check(t, op) != IO_DONE) return IO_FAIL;
        concurrent_seen(s);
        // The first one in a long time does not know what the commits that are being made durable have changed.
        if (!write && s->durable.lsn < s->changes_known_from) {
            wait_list_add(&s->waiters, &op->waiter);
            return IO_WAIT;
        }
        // The newest state cannot be read while it is being written out of a temporary file.
        if (write && s->spilled) {
            wait_list_add(&s->waiters, &op->waiter);
            return IO_WAIT;
        }
        const struct mark *m = write ? &s->appended : &s->durable;
        if (!s->in_memory && m->page_count) {
            store_wal_reset_try(s);
            snapshot_take(t, m);
            t->state = TXN_READ;
            t->begun_idle = write;
            concurrent_enlist(t);
        }
    }
    if (!t->concurrent) return write ? txn_begin_write(t, op, deadline_ns) : txn_begin_read(t, op);
    if (!write) return IO_DONE;
    if (!t->preparing) {
        IO_TRY(begin_write_check(t, op));
        write_start(t);
    }
    return begin_write_finish(t, op);
}

void txn_restart(struct txn *t)
{
    if (t->savepoint_count) txn_savepoint_release(t, 1);
    txn_cursors_invalidate(t);
    txn_private_drop_all(t);
    touched_reset(t);
    t->free_count = 0;
    t->freelist_head = t->freelist_count = 0;
    t->freelist_changed = false;
    t->touched.count = t->touched.synced = t->freed.count = t->freed.synced = 0;
    t->vacuuming = false;
    txn_snapshot_drop(t);
    snapshot_take(t, &t->store->appended);
}

// A replay begins without private pages, and may wait for its first ones.
bool txn_nothing_written(const struct txn *t)
{
    return t->state != TXN_WRITE ||
           (t->private_count == 0 && !t->freelist_changed && t->changes.replay_step == REPLAY_BEGIN);
}

io_status txn_commit_slot(struct txn *t, struct op *op, u64 deadline_ns)
{
    if (t->committing || !t->concurrent || txn_nothing_written(t) || t->store->writer == t) return IO_DONE;
    if (begin_write_check(t, op) != IO_DONE) {
        txn_slot_leave(t);
        return IO_FAIL;
    }
    return txn_slot_take(t, op, deadline_ns);
}

err_code txn_commit_check(struct txn *t, struct err *err)
{
    if (t->committing || !t->concurrent || txn_nothing_written(t) || t->changes.replay_step != REPLAY_BEGIN || t->doomed)
        return ERR_OK;
    ASSERT(t->store->writer == t);
    if (change_check(t)) return ERR_OK;
    err_set(err, ERR_BUSY_SNAPSHOT, __func__, "%s", err_default_text(ERR_BUSY));
    return ERR_BUSY_SNAPSHOT;
}

void txn_commit_slot_give(struct txn *t)
{
    if (t->committing || !t->concurrent) return;
    ASSERT(t->changes.replay_step == REPLAY_BEGIN);
    txn_slot_leave(t);
    if (t->store->writer == t) txn_slot_release(t);
}

const struct txn_conflict *txn_conflict_get(const struct txn *t)
{
    return &t->conflict;
}

void txn_doom(struct txn *t, const struct err *err)
{
    if (t->doomed) return;
    t->doomed = true;
    t->doom = *err;
}

static void savepoints_drop(struct txn *t)
{
    for (u32 i = 0; i < t->undo_count; i++) {
        if (t->undo[i].image) txn_private_give(t, t->undo[i].image);
    }
    t->undo_count = t->savepoint_count = t->free_log_count = 0;
}

// Who waits for this transaction is its owner, who has just turned to something else.
static void waiters_detach(struct wait_list *list)
{
    while (list->first) waiter_remove(list->first);
}

void txn_end(struct txn *t)
{
    struct store *s = t->store;
    change_list_reset(t);
    t->conflict.key = NULL;
    t->conflict.info = NULL;
    savepoints_drop(t);
    txn_private_drop_all(t);
    ASSERT(t->resident == 0);
    txn_slot_leave(t);
    txn_checkpoint_end(t);
    concurrent_delist(t);
    waiters_detach(&t->queue_wait);
    waiters_detach(&t->commit_wait);
    t->committing = false;
    if (t->commit_listed) {
        *(t->committing_prev ? &t->committing_prev->committing_next : &s->committing_first) =
            t->committing_next;
        *(t->committing_next ? &t->committing_next->committing_prev : &s->committing_last) =
            t->committing_prev;
        t->commit_listed = false;
    }
    t->commit_failed = false;
    txn_snapshot_drop(t);
    t->state = TXN_NONE;
    if (s->writer == t) txn_slot_release(t);
    t->page_count = 0;
    t->free_count = 0;
    touched_reset(t);
    t->auto_vacuum = t->vacuuming = false;
    t->replace_next = 0;
    t->spill_over = false;
    t->freelist_changed = false;
    t->preparing = t->image = false;
    t->doomed = false;
    err_clear(&t->doom);
}

void txn_rollback(struct txn *t)
{
    bool wrote = t->state == TXN_WRITE;
    txn_cursors_idle_close(t);
    txn_cursors_invalidate(t);
    txn_end(t);
    if (wrote) cache_trim(&t->store->cache);
}

void txn_end_read(struct txn *t)
{
    ASSERT(t->state != TXN_WRITE);
    if (t->state == TXN_READ) txn_rollback(t);
}

// ---- header fields -----------------------------------------------------------------------------

io_status txn_meta_get(struct txn *t, struct op *op, enum txn_meta field, u32 *out)
{
    if (LIKELY(field == META_SCHEMA_COOKIE && t->cookie_known)) {
        *out = t->cookie;
        return IO_DONE;
    }
    if (field == META_DATA_VERSION) {
        *out = (u32)(t->snapshot.commit - t->own_commits + 1);
        return IO_DONE;
    }
    if (field == META_FREE_PAGE_COUNT && t->state == TXN_WRITE) {
        *out = t->freelist_count + t->free_count;
        return IO_DONE;
    }
    if (t->page_count == 0) {
        *out = 0;
        return IO_DONE;
    }
    struct page *p;
    IO_TRY(txn_page(t, op, 1, &p));
    *out = be32_get(p->data + HEADER_FREELIST_COUNT + 4 * (u32)field);
    page_unpin(p);
    if (field == META_SCHEMA_COOKIE) {
        t->cookie = *out;
        t->cookie_known = true;
    }
    return IO_DONE;
}

io_status txn_meta_set(struct txn *t, struct op *op, enum txn_meta field, u32 value)
{
    ASSERT(field != META_FREE_PAGE_COUNT && field != META_DATA_VERSION);
    struct page *p;
    IO_TRY(txn_page_write(t, op, 1, &p));
    op_mutate(op);
    change_whole(t);
    t->cookie_known = false;
    be32_put(p->data + HEADER_FREELIST_COUNT + 4 * (u32)field, value);
    op_settle(op);
    return IO_DONE;
}
