// Commit: what a transaction changed becomes the newest version of its pages.
#include "btree.h"
#include "store_private.h"

static void txn_doom_copy(const struct txn *t, struct op *op)
{
    if (op->err.code == ERR_OK) op->err = t->doom;
}

static int frame_compare(const void *a, const void *b)
{
    pgno x = (*(struct pager_frame *const *)a)->page.no,
         y = (*(struct pager_frame *const *)b)->page.no;
    return x < y ? -1 : x > y;
}

// A page that was given back need not be written, unless the file grows by it; nor one that was cut off.
static bool frame_wanted(const struct txn *t, const struct pager_frame *f)
{
    return f->page.no <= t->page_count && (!f->freed || f->page.no > t->snapshot.page_count);
}

static void frames_collect(struct txn *t, struct pager_frame **frames, u32 *count)
{
    *count = 0;
    for (u32 i = 0; i < t->page_slots; i++) {
        for (struct pager_frame *f = t->pages[i]; f; f = f->next) {
            if (frame_wanted(t, f)) frames[(*count)++] = f;
        }
    }
    qsort(frames, *count, sizeof *frames, frame_compare);
}

// As SQLite keeps it: who reads the file alone trusts the page count when the two counters agree.
static void header_update(struct txn *t, u8 *h)
{
    u32 counter = be32_get(h + HEADER_CHANGE_COUNTER) + 1;
    be32_put(h + HEADER_CHANGE_COUNTER, counter);
    be32_put(h + HEADER_VALID_FOR, counter);
    be32_put(h + HEADER_LIBRARY_VERSION, LIBRARY_VERSION);
    be32_put(h + HEADER_PAGE_COUNT, t->page_count);
    be32_put(h + HEADER_FREELIST_HEAD, t->freelist_head);
    be32_put(h + HEADER_FREELIST_COUNT, t->freelist_count);
    h[HEADER_WRITE_VERSION] = h[HEADER_READ_VERSION] = 2; // from now on a WAL database
}

static void frame_publish(struct txn *t, struct pager_frame *f, u64 lsn)
{
    struct store *s = t->store;
    struct cache *c = &s->cache;
    u32 slot = f->spill_slot;
    txn_private_take_out(t, f);
    // There may be no cached version before this one; else it is the one nothing had superseded.
    struct pager_frame *before = cache_find_before(c, f->page.no, FRAME_NEWEST);
    if (before) cache_supersede(c, before, lsn);
    if (f->stub) {
        f->spill_slot = slot;
        spill_commit_take(t, f);
        return;
    }
    f->page.version = lsn;
    f->superseded = FRAME_NEWEST;
    cache_insert(c, f, FRAME_READY);
    if (before && before->kept) cache_keep(c, f);
}

static void commit_append(struct txn *t, struct pager_frame **frames, u32 count)
{
    struct store *s = t->store;
    t->commit = s->appended;
    if (count == 0) return; // all that it changed it gave back
    for (u32 i = 0; i < count; i++) {
        frame_publish(t, frames[i], s->appended.lsn + i + 1);
        if (s->in_memory) continue;
        wal_append(&s->wal, frames[i]->page.no, i + 1 == count ? t->page_count : 0);
        page_pin(&frames[i]->page);
        s->wal.pending[s->wal.pending_count++] = &frames[i]->page;
    }
    s->appended.lsn += count;
    s->appended.commit++;
    s->appended.page_count = t->page_count;
    t->commit = s->appended;
    t->own_commits++;
}

static bool header_current(const struct txn *t, const u8 *h)
{
    return be32_get(h + HEADER_PAGE_COUNT) == t->page_count &&
           be32_get(h + HEADER_FREELIST_HEAD) == t->freelist_head &&
           be32_get(h + HEADER_FREELIST_COUNT) == t->freelist_count &&
           be32_get(h + HEADER_CHANGE_COUNTER) == be32_get(h + HEADER_VALID_FOR) &&
           h[HEADER_WRITE_VERSION] == 2 && h[HEADER_READ_VERSION] == 2;
}

// *first is NULL when page 1 says already what it is to say: most commits are a frame shorter. As
// with SQLite, a commit to a WAL need not count the change counter up.
static io_status commit_gather(struct txn *t, struct op *op, struct page **first)
{
    if (t->savepoint_count) txn_savepoint_release(t, 1);
    IO_TRY(txn_vacuum_at_commit(t, op));
    IO_TRY(txn_freelist_write(t, op));
    *first = NULL;
    if (!txn_private_find(t, 1)) {
        struct page *p;
        IO_TRY(txn_page(t, op, 1, &p));
        bool current = header_current(t, p->data);
        page_unpin(p);
        if (current) return IO_DONE;
    }
    return txn_page_write(t, op, 1, first);
}

static io_status commit_begin(struct txn *t, struct op *op)
{
    struct store *s = t->store;
    if (t->doomed) {
        txn_doom_copy(t, op);
        return IO_FAIL;
    }
    if (s->flush_failed) {
        op->err = s->flush_err;
        return IO_FAIL;
    }
    struct page *first = NULL;
    if (!t->image) IO_TRY(commit_gather(t, op, &first)); // an image says all by itself
    IO_TRY(txn_spill_settle(t, op));
    u32 count = t->private_count;
    struct pager_frame **frames = malloc(count * sizeof(struct pager_frame *));
    if (!frames || (!s->in_memory && !wal_reserve(&s->wal, count, true)) || !change_index_reserve(s, t)) {
        free(frames);
        return IO_ERROR(&op->err, ERR_NOMEM, "out of memory to commit %u pages", count);
    }
    op_mutate(op);
    if (first) header_update(t, first->data);
    op_settle(op);
    frames_collect(t, frames, &count);
    commit_append(t, frames, count);
    change_publish(t, s->appended.lsn);
    free(frames);
    return IO_DONE;
}

// Its changes stand on the newest commit, and it has the slot.
static io_status concurrent_ready(struct txn *t, struct op *op)
{
    IO_TRY(txn_commit_slot(t, op, UINT64_MAX));
    if (txn_commit_check(t, &op->err) != ERR_OK) return IO_FAIL;
    return change_replay(t, op);
}

static void commit_queue(struct txn *t)
{
    struct store *s = t->store;
    struct mark commit = t->commit;
    txn_end(t); // hands the slot over
    t->commit = commit;
    t->committing = t->commit_listed = true;
    t->committing_next = NULL;
    t->committing_prev = s->committing_last;
    *(s->committing_last ? &s->committing_last->committing_next : &s->committing_first) = t;
    s->committing_last = t;
}

io_status txn_commit(struct txn *t, struct op *op)
{
    struct store *s = t->store;
    if (!t->committing) {
        txn_cursors_idle_close(t);
        if (txn_nothing_written(t)) {
            txn_end(t);
            return IO_DONE;
        }
        io_status status = t->concurrent ? concurrent_ready(t, op) : IO_DONE;
        if (status == IO_DONE) status = commit_begin(t, op);
        if (status == IO_WAIT) return status;
        if (status == IO_FAIL) {
            op_settle(op);
            txn_end(t);
            return status;
        }
        commit_queue(t);
        if (s->in_memory) {
            s->durable = s->appended;
            store_commits_done(s);
        } else {
            flush_kick(s);
        }
    }
    if (t->commit_failed) {
        txn_doom_copy(t, op);
        txn_end(t);
        return IO_FAIL;
    }
    if (s->durable.lsn < t->commit.lsn) {
        wait_list_add(&t->commit_wait, &op->waiter);
        return IO_WAIT;
    }
    txn_end(t);
    return IO_DONE;
}

// Takes a committing transaction off the list and tells its owner, who may do anything with it.
static void committing_wake_first(struct store *s)
{
    struct txn *t = s->committing_first;
    s->committing_first = t->committing_next;
    *(t->committing_next ? &t->committing_next->committing_prev : &s->committing_last) = NULL;
    t->commit_listed = false;
    wait_list_wake_all(&t->commit_wait);
}

void store_commits_done(struct store *s)
{
    s->commits = s->durable.commit;
    cache_stale_drop(&s->cache, store_horizon(s));
    cache_trim(&s->cache);
    while (s->committing_first && s->committing_first->commit.lsn <= s->durable.lsn)
        committing_wake_first(s);
    wait_list_wake_all(&s->on_commit);
}

// Takes the versions after the durable mark back, newest first.
static void appended_undo(struct store *s)
{
    struct cache *c = &s->cache;
    struct wal *w = &s->wal;
    for (u64 lsn = s->appended.lsn; lsn > s->durable.lsn; lsn--) {
        pgno no = w->frames[lsn - w->base - 1].no;
        struct pager_frame *f = w->pending[lsn - s->durable.lsn - 1]->frame;
        page_unpin(&f->page);
        if (!f->stub) {
            ASSERT(f->page.version == lsn);
            cache_remove(c, f);
            cache_frame_give(c, f);
        }
        struct pager_frame *before = cache_find_before(c, no, lsn);
        if (before) cache_unsupersede(c, before);
    }
    wal_truncate(w, (u32)(s->durable.lsn - w->base));
    w->pending_count = 0;
    s->appended = s->durable;
    spill_commit_done(s);
}

// Who writes on what is gone reads no more of it: its snapshot would be one of whatever comes to that place of the log.
static void writer_undone(struct txn *t, const struct err *err)
{
    if (t->snapshot.lsn <= t->store->durable.lsn) return;
    txn_doom(t, err);
    txn_snapshot_drop(t);
}

void store_commits_fail(struct store *s, const struct err *err)
{
    appended_undo(s);
    if (s->writer) writer_undone(s->writer, err);
    for (struct txn *t = s->concurrent_first; t; t = t->concurrent_next) writer_undone(t, err);
    change_index_undo(s);
    for (struct txn *t = s->committing_first; t; t = t->committing_next) {
        t->commit_failed = true;
        t->own_commits--;
        t->doom = *err;
    }
    while (s->committing_first) committing_wake_first(s);
}
