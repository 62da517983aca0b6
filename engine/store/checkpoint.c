// Checkpoints: the newest version of each page that the WAL holds is copied into the database file,
// in the background, a slice of pages at a time, in the order of the file.
//
// Nothing newer than the oldest snapshot is copied, and all snapshots to come are at least as new
// as the durable mark, so that nobody ever needs the file's older version of a copied page. Each
// slice reads what the cache does not hold, then writes runs of neighbouring pages with one call
// each. `backfilled` moves only when the database file has been synced.
//
// A very long log is copied in passes, each to a commit, so that sorting its pages neither takes
// long nor much memory. What is asked for is in checkpoint_ask.c, the log's restart in wal_restart.c.
#include "store_private.h"

#include <errno.h>

#define SLICE_BYTES     262144u
#define PASS_FRAMES     65536u
#define GROWTH_SLACK    65536u // bytes that a database may have grown by without frames: SQLite's

enum checkpoint_step {
    CHECKPOINT_IDLE,
    CHECKPOINT_SYNC_WAL,
    CHECKPOINT_READ,
    CHECKPOINT_WRITE,
    CHECKPOINT_TRUNCATE_FILE,
    CHECKPOINT_SYNC_FILE,
};

struct checkpoint_page {
    pgno no;
    u32 frame;
};
struct slice_page {
    struct completion read;
    struct completion write; // of the run that starts with this page
    struct page *cached;     // pinned
    bool unsummed;           // comes out of the WAL as another wrote it
    u8 *data;
    struct iovec iov;
    struct checkpoint *checkpoint;
};

struct checkpoint {
    struct store *store;
    struct completion completion;
    enum checkpoint_step step;
    u64 goal;           // lsn
    struct mark target; // of this pass
    u32 frame_target;
    struct checkpoint_page *pages; // sorted by number
    u32 page_count, page_next;
    u32 slice_first, slice_count, slice_max;
    struct slice_page *slice;
    struct iovec *iovs;
    u8 *buffer;
    u32 outstanding;
    s64 result; // first error of the slice
    struct err err;
};

static void checkpoint_run(struct completion *c);
static void slice_start(struct checkpoint *k);

bool checkpoint_create(struct store *s)
{
    s->checkpoint = calloc(1, sizeof *s->checkpoint);
    if (!s->checkpoint) return false;
    s->checkpoint->store = s;
    s->checkpoint->err = ERR_CLEAR;
    completion_init(&s->checkpoint->completion, checkpoint_run, NULL);
    return true;
}

static void slice_free(struct checkpoint *k)
{
    if (k->buffer)
        io_buffers_free(k->store->io, k->buffer, (size_t)k->slice_max * k->store->page_size);
    free(k->slice);
    free(k->iovs);
    free(k->pages);
    k->buffer = NULL;
    k->slice = NULL;
    k->iovs = NULL;
    k->pages = NULL;
}

void checkpoint_destroy(struct store *s)
{
    if (!s->checkpoint) return;
    ASSERT(s->checkpoint->step == CHECKPOINT_IDLE);
    free(s->checkpoint);
    s->checkpoint = NULL;
}

bool checkpoint_busy(const struct store *s)
{
    return s->checkpoint && s->checkpoint->step != CHECKPOINT_IDLE;
}
const struct err *checkpoint_err(const struct store *s)
{
    return &s->checkpoint->err;
}

void checkpoint_kick(struct store *s, u32 frames)
{
    if (s->state == STORE_OPEN && frames && s->wal.frame_count >= frames && s->durable.lsn - s->backfilled >= frames &&
        !checkpoint_busy(s))
        checkpoint_start(s);
}

static void checkpoint_end(struct checkpoint *k)
{
    struct store *s = k->store;
    slice_free(k);
    k->step = CHECKPOINT_IDLE;
    store_slot_offer(s);
    wait_list_wake_all(&s->waiters);
}

static void checkpoint_fail(struct checkpoint *k, err_code code, s64 result, const char *what)
{
    bool full = store_disk_full(result);
    err_clear(&k->err);
    err_set_errno(&k->err, full ? ERR_FULL : code, (int)-result, __func__, "%s: checkpoint of %s: %s failed%s",
                  full ? "database or disk is full" : "disk I/O error", k->store->path, what,
                  full ? "; free some space" : "");
    k->store->gate_broken = true; // writers do not wait for what may fail again
    checkpoint_end(k);
}

static int page_compare(const void *a, const void *b)
{
    pgno x = ((const struct checkpoint_page *)a)->no, y = ((const struct checkpoint_page *)b)->no;
    return x < y ? -1 : x > y;
}

// The newest frame up to the target of every page changed since the last checkpoint.
static bool pages_collect(struct checkpoint *k)
{
    struct store *s = k->store;
    const struct wal *w = &s->wal;
    u32 first = (u32)(s->backfilled - w->base) + 1;
    k->pages = malloc((k->frame_target - first + 1) * sizeof *k->pages);
    if (!k->pages) return false;
    k->page_count = k->page_next = 0;
    for (u32 i = first; i <= k->frame_target; i++) {
        pgno no = w->frames[i - 1].no;
        if (no > k->target.page_count || wal_find(w, no, k->frame_target) != i) continue;
        k->pages[k->page_count++] = (struct checkpoint_page){.no = no, .frame = i};
    }
    qsort(k->pages, k->page_count, sizeof *k->pages, page_compare);
    return true;
}

static bool slice_alloc(struct checkpoint *k)
{
    struct store *s = k->store;
    k->slice_max = MAX(SLICE_BYTES / s->page_size, 4);
    k->slice = calloc(k->slice_max, sizeof *k->slice);
    k->iovs = calloc(k->slice_max, sizeof *k->iovs);
    k->buffer = io_buffers_alloc(s->io, (size_t)k->slice_max * s->page_size);
    return k->slice && k->iovs && k->buffer;
}

// The newest commit at or before lsn; its page count is what the file must have.
static struct mark mark_at(const struct store *s, u64 lsn)
{
    if (lsn == s->durable.lsn) return s->durable;
    const struct wal *w = &s->wal;
    u32 frame = (u32)(lsn - w->base);
    ASSERT(frame > 0 && w->frames[frame - 1].page_count > 0);
    return (struct mark){.lsn = lsn, .page_count = w->frames[frame - 1].page_count};
}

// As far as one pass goes: the first commit at or after PASS_FRAMES.
static struct mark mark_of_pass(const struct store *s, u64 goal)
{
    if (goal - s->backfilled <= PASS_FRAMES) return mark_at(s, goal);
    u64 lsn = s->backfilled + PASS_FRAMES;
    while (lsn < goal && s->wal.frames[lsn - s->wal.base - 1].page_count == 0) lsn++;
    return mark_at(s, lsn);
}

err_code store_log_check(const struct store *s, const struct mark *m, struct err *err)
{
    const struct wal *w = &s->wal;
    u64 most = s->file_pages + (u64)w->frame_count + GROWTH_SLACK / s->page_size;
    if (s->in_memory || m->page_count <= most) return ERR_OK;
    u32 frame = (u32)(m->lsn - w->base);
    u64 offset = frame ? wal_frame_offset(w, frame) : 0;
    err->offset = (s64)offset;
    err_set(err, ERR_CORRUPT, __func__,
            "database disk image is malformed: frame %u (page %u, offset %llu) of %s gives the database %u pages, of "
            "which the file and the log can hold %llu; both are left as they are",
            frame, frame ? w->frames[frame - 1].no : 0, (unsigned long long)offset, s->path_wal, m->page_count,
            (unsigned long long)most);
    return ERR_CORRUPT;
}

// False: there is nothing to do, or k->err says why not.
static bool pass_start(struct checkpoint *k)
{
    struct store *s = k->store;
    k->target = mark_of_pass(s, k->goal);
    k->frame_target = (u32)(k->target.lsn - s->wal.base);
    k->result = 0;
    k->page_next = 0;
    if (store_log_check(s, &k->target, &k->err) != ERR_OK) return false;
    if (!pages_collect(k) || !slice_alloc(k)) {
        slice_free(k);
        err_set(&k->err, ERR_NOMEM, __func__, "out of memory for a checkpoint of %s", s->path);
        return false;
    }
    return true;
}

bool checkpoint_start(struct store *s)
{
    struct checkpoint *k = s->checkpoint;
    ASSERT(k->step == CHECKPOINT_IDLE);
    err_clear(&k->err);
    k->goal = store_horizon(s);
    if (k->goal <= s->backfilled || s->read_only || s->flush_failed || !pass_start(k)) return false;
    k->step = CHECKPOINT_SYNC_WAL;
    if (s->wal.unsynced)
        io_file_sync(s->wal.file, IO_SYNC_DATA, &k->completion);
    else
        completion_post(s->io, &k->completion, 0);
    return true;
}

static void slice_part_done(struct checkpoint *k, s64 result, s64 want)
{
    if (result != want && k->result == 0) k->result = result < 0 ? result : -EIO;
    if (--k->outstanding == 0) checkpoint_run(&k->completion);
}

static void slice_read_done(struct completion *c)
{
    struct slice_page *p = CONTAINER_OF(c, struct slice_page, read);
    slice_part_done(p->checkpoint, c->result, p->checkpoint->store->page_size);
}

static void slice_write_done(struct completion *c)
{
    struct slice_page *p = CONTAINER_OF(c, struct slice_page, write);
    slice_part_done(p->checkpoint, c->result < 0 ? c->result : 0, 0);
}

static void slice_unpin(struct checkpoint *k)
{
    for (u32 i = 0; i < k->slice_count; i++) {
        if (k->slice[i].cached) page_unpin(k->slice[i].cached);
        k->slice[i].cached = NULL;
    }
}

// Gets the slice's pages together, from the cache or from the WAL.
static void slice_start(struct checkpoint *k)
{
    struct store *s = k->store;
    struct wal *w = &s->wal;
    k->step = CHECKPOINT_READ;
    k->slice_first = k->page_next;
    k->slice_count = MIN(k->slice_max, k->page_count - k->page_next);
    k->page_next += k->slice_count;
    k->outstanding = 1; // its own, so that the count cannot reach 0 before all are asked for
    for (u32 i = 0; i < k->slice_count; i++) {
        struct slice_page *p = &k->slice[i];
        const struct checkpoint_page *page = &k->pages[k->slice_first + i];
        *p = (struct slice_page){.checkpoint = k};
        completion_init(&p->read, slice_read_done, NULL);
        completion_init(&p->write, slice_write_done, NULL);
        struct pager_frame *f = cache_find(&s->cache, page->no, w->base + page->frame);
        if (f && (f->state == FRAME_READY || f->state == FRAME_AHEAD)) {
            p->data = f->page.data;
            if (codec_active(&s->codec)) {
                p->data = k->buffer + (size_t)i * s->page_size;
                codec_encode(&s->codec, page->no, f->page.data, p->data);
            } else {
                page_pin(&f->page);
                p->cached = &f->page;
            }
            continue;
        }
        p->data = k->buffer + (size_t)i * s->page_size;
        p->unsummed = s->codec.kind == CODEC_CHECKSUM && page->frame <= w->foreign;
        k->outstanding++;
        io_file_read(w->file, p->data, s->page_size,
                     wal_frame_offset(w, page->frame) + WAL_FRAME_HEADER_SIZE, &p->read);
    }
    if (--k->outstanding == 0) completion_post(s->io, &k->completion, 0);
}

static void slice_write(struct checkpoint *k)
{
    struct store *s = k->store;
    k->step = CHECKPOINT_WRITE;
    k->outstanding = 1;
    for (u32 i = 0; i < k->slice_count; i++) {
        struct slice_page *p = &k->slice[i];
        if (p->unsummed) codec_encode(&s->codec, k->pages[k->slice_first + i].no, p->data, p->data);
    }
    for (u32 i = 0; i < k->slice_count;) {
        u32 run = 0;
        pgno first = k->pages[k->slice_first + i].no;
        while (i + run < k->slice_count && k->pages[k->slice_first + i + run].no == first + run) {
            k->iovs[i + run] =
                (struct iovec){.iov_base = k->slice[i + run].data, .iov_len = s->page_size};
            run++;
        }
        k->outstanding++;
        io_file_writev(s->file, &k->iovs[i], run, codec_offset(&s->codec, first),
                       &k->slice[i].write);
        i += run;
    }
    if (--k->outstanding == 0) completion_post(s->io, &k->completion, 0);
}

static void checkpoint_done(struct checkpoint *k)
{
    struct store *s = k->store;
    const struct wal *w = &s->wal;
    for (u32 i = 0; i < k->page_count; i++)
        cache_drop_before(&s->cache, k->pages[i].no, w->base + k->pages[i].frame);
    s->backfilled = k->target.lsn;
    s->gate_broken = false;
    if (s->backfilled < k->goal) {
        slice_free(k);
        if (pass_start(k))
            slice_start(k);
        else
            checkpoint_end(k);
        return;
    }
    s->checkpoints++;
    checkpoint_end(k);
}

static void checkpoint_run(struct completion *c)
{
    struct checkpoint *k = CONTAINER_OF(c, struct checkpoint, completion);
    struct store *s = k->store;
    s64 result = c->result;
    switch (k->step) {
    case CHECKPOINT_IDLE: return;
    case CHECKPOINT_SYNC_WAL:
        if (result < 0) {
            checkpoint_fail(k, ERR_IOERR_FSYNC, result, "syncing the WAL");
            return;
        }
        s->wal.unsynced = false;
        slice_start(k);
        return;
    case CHECKPOINT_READ:
        if (k->result < 0) {
            slice_unpin(k);
            checkpoint_fail(k, ERR_IOERR_READ, k->result, "reading the WAL");
            return;
        }
        slice_write(k);
        return;
    case CHECKPOINT_WRITE:
        slice_unpin(k);
        if (k->result < 0) {
            checkpoint_fail(k, ERR_IOERR_WRITE, k->result, "writing the database file");
            return;
        }
        if (k->page_count > 0) s->file_pages = MAX(s->file_pages, k->pages[k->page_next - 1].no);
        if (k->page_next < k->page_count) {
            slice_start(k);
            return;
        }
        // A database that shrank: nobody sees the old end once the newest commit is what the file
        // holds.
        k->step = CHECKPOINT_TRUNCATE_FILE;
        if (k->target.lsn == s->appended.lsn && k->target.page_count < s->file_pages)
            io_file_truncate(s->file, codec_offset(&s->codec, k->target.page_count + 1), &k->completion);
        else
            completion_post(s->io, &k->completion, 0);
        return;
    case CHECKPOINT_TRUNCATE_FILE:
        if (result < 0) {
            checkpoint_fail(k, ERR_IOERR_TRUNCATE, result, "truncating the database file");
            return;
        }
        if (k->target.lsn == s->appended.lsn) s->file_pages = k->target.page_count;
        k->step = CHECKPOINT_SYNC_FILE;
        io_file_sync(s->file, IO_SYNC_FULL, &k->completion); // its time too, by which a backup sees that something was written to it
        return;
    case CHECKPOINT_SYNC_FILE:
        if (result < 0)
            checkpoint_fail(k, ERR_IOERR_FSYNC, result, "syncing the database file");
        else
            checkpoint_done(k);
        return;
    }
}
