// Pages of segments into the database, as one transaction, with the database's sum kept up.
#include "replica_private.h"

#define SLICE 64 // pages a turn of the loop

static io_status op_failed(struct replica *r, struct err *err)
{
    if (err->code == ERR_OK) *err = r->op.err;
    err_clear(&r->op.err);
    return IO_FAIL;
}

#define OP_TRY(call)                                          \
    do {                                                      \
        io_status op_try_ = (call);                           \
        if (op_try_ == IO_WAIT) return IO_WAIT;               \
        if (op_try_ == IO_FAIL) return op_failed(r, err);     \
    } while (0)

// For a page of the database.
static err_code page_memory(struct replica *r, struct err *err)
{
    struct store_stats stats;
    store_stats_get(r->store, &stats);
    if (stats.page_size == r->page_size && r->old) return ERR_OK;
    free(r->old);
    r->page_size = stats.page_size;
    r->old = malloc(r->page_size);
    if (!r->old) err_set(err, ERR_NOMEM, __func__, "out of memory");
    return err->code;
}

static io_status begin(struct replica *r, struct err *err)
{
    struct store_position at;
    if (r->begun) return IO_DONE;
    replica_place_take(r);
    OP_TRY(txn_image_begin(r->txn, &r->op, UINT64_MAX));
    txn_position_get(r->txn, &at);
    if (page_memory(r, err) != ERR_OK) return IO_FAIL;
    r->begun = true;
    r->sum = r->mark.sum;
    r->put_sum = 0;
    r->count = at.page_count;
    r->cut = r->scan = r->slice = 0;
    r->scan_sum = 0;
    r->scanned = false;
    return IO_DONE;
}

void replica_apply_abandon(struct replica *r)
{
    if (r->reader_open) segment_reader_deinit(&r->reader);
    if (r->committing) r->exact = false; // it may be in the log all the same
    r->reader_open = r->has_page = r->begun = r->committing = false;
    waiter_remove(&r->op.waiter);
    if (r->txn) txn_rollback(r->txn);
}

bool replica_apply_open(struct replica *r, const u8 *bytes, size_t size, const char *name, struct err *err)
{
    r->reader_open = segment_reader_open(&r->reader, bytes, size, name, &r->key, err);
    r->has_page = false;
    if (!r->reader_open) segment_reader_deinit(&r->reader);
    return r->reader_open;
}

static bool slice_over(struct replica *r)
{
    if (++r->slice < SLICE) return false;
    r->slice = 0;
    return true;
}

io_status replica_apply_object(struct replica *r, const u8 *bytes, size_t size, const char *name, struct err *err)
{
    IO_TRY(begin(r, err));
    if (!r->reader_open && !replica_apply_open(r, bytes, size, name, err)) return IO_FAIL;
    if (r->reader.index.header.page_size != r->page_size)
        return IO_ERROR(err, ERR_STORE_FOREIGN,
                        "the database that is followed has pages of %u bytes and %s has pages of %u: stop this node, move its "
                        "file away, and start it again",
                        r->reader.index.header.page_size, r->path, r->page_size);
    for (;;) {
        if (!r->has_page) {
            if (slice_over(r)) return replica_yield(r);
            if (!segment_reader_next(&r->reader, &r->page, &r->data, err)) {
                if (err->code != ERR_OK) return IO_FAIL;
                segment_reader_deinit(&r->reader);
                r->reader_open = false;
                return IO_DONE;
            }
            r->has_page = true;
        }
        bool was = r->page <= r->count && r->page != segment_lock_page(r->page_size);
        if (was) OP_TRY(txn_page_copy(r->txn, &r->op, r->page, r->old));
        if (!was || memcmp(r->old, r->data, r->page_size) != 0) {
            OP_TRY(txn_image_page(r->txn, &r->op, r->page, r->data));
            if (was) r->sum ^= segment_page_sum(r->page, r->old, r->page_size);
            u64 sum = segment_page_sum(r->page, r->data, r->page_size);
            r->sum ^= sum;
            r->put_sum ^= sum;
            r->status.pages++;
        }
        r->has_page = false;
    }
}

// What the database loses at its end leaves the sum.
static io_status cut_off(struct replica *r, struct err *err)
{
    u32 lock = segment_lock_page(r->page_size);
    if (!r->cut) r->cut = r->goal.page_count + 1;
    for (; r->cut <= r->count; r->cut++) {
        if (r->cut == lock) continue;
        if (slice_over(r)) return replica_yield(r);
        OP_TRY(txn_page_copy(r->txn, &r->op, r->cut, r->old));
        r->sum ^= segment_page_sum(r->cut, r->old, r->page_size);
    }
    return IO_DONE;
}

bool replica_may_be_unlisted(struct replica *r)
{
    u64 now = io_now_ns(r->io);
    if (!r->differs_ns) r->differs_ns = now;
    return !r->exact && !r->options.node && now - r->differs_ns < UNLISTED_NS;
}

static io_status foreign(struct replica *r, struct err *err)
{
    if (replica_may_be_unlisted(r))
        return IO_ERROR(err, ERR_STORE_UNAVAILABLE, "%s is none of the states of '%s' that %s lists", r->path, r->options.name,
                        object_store_url(r->options.objects));
    return IO_ERROR(err, ERR_STORE_FOREIGN,
                    "%s is not what the backup says that it was: it has changes that were never pushed, or is damaged; stop "
                    "this node, move the file away, and start it again",
                    r->path);
}

// All of it is read: what it was before is not known.
static io_status sum_up(struct replica *r, struct err *err)
{
    u32 lock = segment_lock_page(r->page_size);
    if (!r->scan) r->scan = 1;
    for (; r->scan <= r->goal.page_count; r->scan++) {
        if (r->scan == lock) continue;
        if (slice_over(r)) return replica_yield(r);
        io_status status = txn_page_copy(r->txn, &r->op, r->scan, r->old);
        if (status == IO_FAIL && r->scan > r->count && r->op.err.code == ERR_CORRUPT) { // neither was here nor came
            err_clear(&r->op.err);
            return foreign(r, err);
        }
        OP_TRY(status);
        r->scan_sum ^= segment_page_sum(r->scan, r->old, r->page_size);
    }
    r->sum = r->scan_sum;
    r->scanned = true;
    return IO_DONE;
}

io_status replica_pages_sum(struct replica *r, const pgno *pages, u32 count, u64 *sum, struct err *err)
{
    OP_TRY(txn_begin_read(r->txn, &r->op));
    if (page_memory(r, err) != ERR_OK) return IO_FAIL;
    for (; r->scan < count; r->scan++) {
        if (slice_over(r)) return replica_yield(r);
        OP_TRY(txn_page_copy(r->txn, &r->op, pages[r->scan], r->old));
        r->scan_sum ^= segment_page_sum(pages[r->scan], r->old, r->page_size);
    }
    *sum = r->scan_sum;
    return IO_DONE;
}

static io_status gathered(struct replica *r, bool sums, bool commit, struct err *err)
{
    IO_TRY(begin(r, err));
    if (sums && r->exact) IO_TRY(cut_off(r, err));
    if (sums && commit && !r->exact && !r->scanned) IO_TRY(sum_up(r, err));
    if (sums && (r->exact || r->scanned) && r->sum != r->goal.sum) return foreign(r, err);
    if (commit) OP_TRY(txn_image_size(r->txn, &r->op, r->goal.page_count));
    return IO_DONE;
}

io_status replica_apply_finish(struct replica *r, bool sums, bool commit, struct err *err)
{
    if (!r->committing) IO_TRY(gathered(r, sums, commit, err));
    if (!commit) return IO_DONE;
    r->committing = true;
    OP_TRY(txn_commit(r->txn, &r->op));
    r->begun = r->committing = false;
    r->status.applied++;
    return IO_DONE;
}

static io_status is_here(struct replica *r, u64 sum, bool *same, struct err *err)
{
    IO_TRY(begin(r, err));
    *same = r->count == r->goal.page_count;
    if (*same && !r->scanned) IO_TRY(sum_up(r, err));
    *same = *same && r->scan_sum == sum;
    replica_apply_abandon(r);
    return IO_DONE;
}

io_status replica_compare(struct replica *r, struct err *err)
{
    r->matches = false;
    if (r->mark.tx) IO_TRY(is_here(r, r->mark.sum, &r->matches, err));
    r->step = REPLICA_DRAINED;
    return IO_DONE;
}

io_status replica_verify(struct replica *r, struct err *err)
{
    bool same;
    IO_TRY(is_here(r, r->goal.sum, &same, err));
    return same ? IO_DONE : foreign(r, err);
}
