// The file: reads wait for their pages, writes for pages that are arriving in their place.
#include "remote_private.h"

#include <errno.h>

static struct remote *remote_of(struct io_file *f)
{
    return CONTAINER_OF(f, struct remote, file);
}

// Of the key slots before the first page: 0.
static u32 page_of(const struct remote *r, u64 offset)
{
    if (offset < r->pages_at) return 0;
    u64 page = (offset - r->pages_at) / r->page_size + 1;
    return page > UINT32_MAX ? UINT32_MAX : (u32)page;
}

static u64 iov_size(const struct iovec *iov, u32 count)
{
    u64 size = 0;
    for (u32 i = 0; i < count; i++) size += iov[i].iov_len;
    return size;
}

// ---- waiting
// ------------------------------------------------------------------------------------------

static void on_inner(struct completion *c)
{
    struct held *h = c->context;
    struct remote *r = h->remote;
    struct completion *outer = h->outer;
    completion_release(r->io, outer, c->result);
    free(h);
}

static void held_start(struct remote *r, struct held *h)
{
    completion_init(&h->inner, on_inner, h);
    if (!h->write)
        io_file_readv(r->native, h->iov, h->iov_count, h->offset, &h->inner);
    else if (h->sync)
        io_file_writev_sync(r->native, h->iov, h->iov_count, h->offset, &h->inner);
    else
        io_file_writev(r->native, h->iov, h->iov_count, h->offset, &h->inner);
}

static bool held_ready(struct remote *r, const struct held *h, bool pull)
{
    bool ready = true;
    for (u32 page = h->first; page <= h->last && page <= r->page_count; page++) {
        if (h->write) {
            ready &= !remote_page_arriving(r, page);
            continue;
        }
        if (remote_has(r, page)) continue;
        ready = false;
        if (!pull) break;
        // In order: the next ones are wanted soon.
        bool follows = page > r->last_page && page - r->last_page <= 2 * r->run_next;
        u32 run = follows ? MIN(r->run_next * 2, (u32)REMOTE_RUN_BLOCKS_MAX) : 1;
        if (!remote_pull(r, page, true, run)) break;
    }
    return ready;
}

void remote_held_run(struct remote *r)
{
    // Which segments there are is not known, and could not be found out just now.
    if (r->chain_state == CHAIN_FAILED) {
        for (struct held *h = r->held; h;) {
            u32 missing = 0;
            for (u32 page = h->first; !h->write && !missing && page <= h->last; page++)
                if (!remote_has(r, page)) missing = page;
            h = missing ? r->held : h->next;
            if (!missing) continue;
            struct err err = r->failure;
            remote_held_fail(r, missing, &err);
            h = r->held;
        }
    }
    for (struct held **at = &r->held, *h; (h = *at);) {
        if (!held_ready(r, h, true)) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        held_start(r, h);
    }
    r->held_last = &r->held;
    while (*r->held_last) r->held_last = &(*r->held_last)->next;
}

void remote_held_fail(struct remote *r, u32 page, const struct err *err)
{
    r->failure = *err;
    int e = err->sys_errno ? err->sys_errno : ENETUNREACH;
    for (struct held **at = &r->held, *h; (h = *at);) {
        if (h->write || page < h->first || page > h->last || held_ready(r, h, false)) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        completion_release(r->io, h->outer, -e);
        free(h);
    }
    r->held_last = &r->held;
    while (*r->held_last) r->held_last = &(*r->held_last)->next;
}

static void hold(struct remote *r, const struct iovec *iov, u32 count, u64 offset, bool write, bool sync,
                 struct completion *c)
{
    struct held *h = calloc(1, sizeof *h);
    if (!h) {
        completion_post(r->io, c, -ENOMEM);
        return;
    }
    u64 size = iov_size(iov, count);
    *h = (struct held){.outer = c, .remote = r, .iov = iov, .iov_count = count, .offset = offset, .write = write, .sync = sync};
    h->first = page_of(r, offset);
    h->last = size ? page_of(r, offset + size - 1) : h->first;
    completion_hold(r->io, c);
    *r->held_last = h;
    r->held_last = &h->next;
    remote_run(r);
}

// ---- operations
// ---------------------------------------------------------------------------------------

static void op_readv(struct io_file *f, const struct iovec *iov, u32 count, u64 offset, struct completion *c)
{
    struct remote *r = remote_of(f);
    u64 size = iov_size(iov, count);
    bool here = true;
    if (!r->whole && size)
        for (u32 page = page_of(r, offset), last = page_of(r, offset + size - 1); here && page <= last; page++)
            here = remote_has(r, page);
    if (here)
        io_file_readv(r->native, iov, count, offset, c);
    else
        hold(r, iov, count, offset, false, false, c);
}

// From now on these pages are ours: nothing that arrives is written over them. That they are durable
// is not yet true, but then their newest copy is in the log until a sync has been asked for.
static void write_begin(struct remote *r, const struct iovec *iov, u32 count, u64 offset, bool sync, struct completion *c)
{
    u64 size = iov_size(iov, count);
    bool arriving = false;
    remote_changed(r);
    if (!r->whole && size) {
        u32 first = page_of(r, offset), last = page_of(r, offset + size - 1);
        // Pages that the store has are written whole; what is behind them, or in a file without any, is this node's alone.
        bool parts = last && (!first || (offset - r->pages_at) % r->page_size || size % r->page_size);
        if (parts && r->page_count && first <= r->page_count) {
            completion_post(r->io, c, -EINVAL);
            return;
        }
        for (u32 page = first; page && page <= last; page++) arriving |= remote_page_arriving(r, page);
        if (first) remote_wrote(r, first, last);
    }
    if (arriving)
        hold(r, iov, count, offset, true, sync, c);
    else if (sync)
        io_file_writev_sync(r->native, iov, count, offset, c);
    else
        io_file_writev(r->native, iov, count, offset, c);
}

static void op_writev(struct io_file *f, const struct iovec *iov, u32 count, u64 offset, struct completion *c)
{
    write_begin(remote_of(f), iov, count, offset, false, c);
}

static void op_writev_sync(struct io_file *f, const struct iovec *iov, u32 count, u64 offset, struct completion *c)
{
    write_begin(remote_of(f), iov, count, offset, true, c);
}

static void op_sync(struct io_file *f, enum io_sync_kind kind, struct completion *c)
{
    struct remote *r = remote_of(f);
    if (r->lost) {
        completion_post(r->io, c, r->lost);
        r->lost = 0;
        return;
    }
    struct held *h = r->map_file ? calloc(1, sizeof *h) : NULL;
    if (!h) {
        io_file_sync(r->native, kind, c); // nothing to keep of the map, or it is whole
        return;
    }
    h->outer = c;
    completion_hold(r->io, c);
    h->next = r->syncs_next;
    r->syncs_next = h;
    remote_map_save(r);
}

static void op_truncate(struct io_file *f, u64 size, struct completion *c)
{
    struct remote *r = remote_of(f);
    u64 kept = (size - MIN(size, (u64)r->pages_at)) / r->page_size;
    remote_changed(r);
    if (!r->whole && kept < r->page_count) remote_wrote(r, (u32)kept + 1, r->page_count);
    io_file_truncate(r->native, size, c);
}

static void op_allocate(struct io_file *f, u64 offset, u64 size, struct completion *c)
{
    io_file_allocate(remote_of(f)->native, offset, size, c);
}

static void op_size(struct io_file *f, u64 *out, struct completion *c)
{
    io_file_size(remote_of(f)->native, out, c);
}

static int op_lock(struct io_file *f, u64 offset, u64 size, enum io_lock_kind kind)
{
    return io_file_lock(remote_of(f)->native, offset, size, kind);
}

static const char *op_why(struct io_file *f)
{
    struct remote *r = remote_of(f);
    return r->failure.code == ERR_OK ? NULL : r->failure.text;
}

// The file stays with the remote; its locks go, and the map is made durable.
static void op_close(struct io_file *f, struct completion *c)
{
    struct remote *r = remote_of(f);
    ASSERT(r->opens > 0);
    if (--r->opens == 0) (void)io_file_lock(r->native, 0, 1ull << 40, IO_UNLOCK);
    op_sync(f, IO_SYNC_FULL, c);
}

const struct io_file_ops remote_file_ops = {
    .readv = op_readv,
    .writev = op_writev,
    .writev_sync = op_writev_sync,
    .sync = op_sync,
    .truncate = op_truncate,
    .allocate = op_allocate,
    .size = op_size,
    .close = op_close,
    .why = op_why,
    .lock = op_lock,
};
