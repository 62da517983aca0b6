// Checkpoints: the newest version of each page that the WAL holds is copied into the database file,
// in the background, a slice of pages at a time, in the order of the file.
//
// Nothing newer than the oldest snapshot is copied, and all snapshots to come are at least as new
// as the durable mark, so that nobody ever needs the file's older version of a copied page. Each
// slice reads what the cache does not hold, then writes runs of neighbouring pages with one call
// each. `backfilled` moves only when the database file has been synced.
//
// When all is backfilled and nobody reads the WAL, it starts again (store_wal_reset_try): in memory
// only; the file is overwritten by the next flush. As with SQLite, that is done by the first writer
// who finds it so.
#include "store_private.h"

#include <errno.h>

#define SLICE_BYTES 262144u
#define GATE_FACTOR 4u
#define HELD_FACTOR 16u

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
    struct mark target;
    u32 frame_target;
    struct checkpoint_page *pages; // sorted by number
    u32 page_count, page_next;
    u32 slice_first, slice_count, slice_max;
    struct slice_page *slice;
    struct iovec *iovs;
    u8 *buffer;
    u32 outstanding;
    const struct op *asked_by;    // started it: when it is over, that was its try
    struct completion truncation; // of the WAL
    s64 result;                   // first error of the slice
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

void checkpoint_kick(struct store *s)
{
    if (s->state == STORE_OPEN && s->wal.frame_count >= s->options.checkpoint_frames &&
        s->durable.lsn - s->backfilled >= s->options.checkpoint_frames && !checkpoint_busy(s))
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

bool checkpoint_start(struct store *s)
{
    struct checkpoint *k = s->checkpoint;
    ASSERT(k->step == CHECKPOINT_IDLE);
    err_clear(&k->err);
    u64 limit = store_horizon(s);
    if (limit <= s->backfilled || s->read_only || s->flush_failed) return false;
    k->target = mark_at(s, limit);
    k->frame_target = (u32)(limit - s->wal.base);
    k->result = 0;
    k->page_next = 0;
    if (!pages_collect(k) || !slice_alloc(k)) {
        slice_free(k);
        err_set(&k->err, ERR_NOMEM, __func__, "out of memory for a checkpoint of %s", s->path);
        return false;
    }
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
    s->checkpoints++;
    s->gate_broken = false;
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
        io_file_sync(s->file, IO_SYNC_DATA, &k->completion);
        return;
    case CHECKPOINT_SYNC_FILE:
        if (result < 0)
            checkpoint_fail(k, ERR_IOERR_FSYNC, result, "syncing the database file");
        else
            checkpoint_done(k);
        return;
    }
}

// ---- starting the WAL again --------------------------------------------------------------------

bool store_wal_held(const struct store *s)
{
    u64 newest = s->durable.lsn;
    if (s->hold >= newest) return false;
    return s->wal.frame_count < HELD_FACTOR * (u64)s->options.checkpoint_frames ||
           newest - s->hold > s->wal.frame_count / 4;
}

// Remembers what the frames behind the hold changed. False when out of memory.
static bool past_keep(struct store *s)
{
    const struct wal *w = &s->wal;
    u64 end = w->base + w->frame_count;
    if (s->hold >= end) {
        s->past_count = 0;
        return true;
    }
    u32 old = s->hold < w->base ? s->past_count : 0, first = 0;
    if (s->hold > w->base) first = (u32)(s->hold - w->base);
    u32 count = w->frame_count - first;
    pgno *past = realloc(s->past, ((size_t)old + count) * sizeof *past);
    if (!past) return false;
    for (u32 i = 0; i < count; i++) past[old + i] = w->frames[first + i].no;
    s->past = past;
    s->past_count = old + count;
    return true;
}

void store_wal_reset_try(struct store *s)
{
    struct wal *w = &s->wal;
    u64 newest = s->appended.lsn;
    if (w->frame_count == 0 || s->in_memory || s->read_only) return;
    if (s->backfilled != newest || s->durable.lsn != newest || store_horizon(s) != newest) return;
    if (store_wal_held(s) || s->wal_reads_pending > 0 || flush_busy(s) || checkpoint_busy(s) ||
        s->flush_failed)
        return;
    if (!past_keep(s)) return;
    for (u32 i = 0; i < w->frame_count; i++) {
        if (w->frames[i].previous == 0) cache_page_settle(&s->cache, w->frames[i].no);
    }
    u32 salt;
    io_random(s->io, &salt, sizeof salt);
    wal_restart(w, salt);
}

// A hold that follows closely behind a steady stream of commits would never let the WAL start
// again. When it has become very long the rest behind the hold is remembered instead, by the
// numbers of the changed pages. (store_wal_held.)
//
// Writers in a steady stream would never leave the WAL a moment in which all of it is in the
// database file. When it has grown to several times the length at which a checkpoint starts, the
// next writer waits for the flush and the checkpoint under way; unless a reader or a hold would
// keep the WAL from starting again all the same.
bool store_wal_gate(struct store *s)
{
    struct wal *w = &s->wal;
    if (w->frame_count < (u64)GATE_FACTOR * s->options.checkpoint_frames || s->gate_broken ||
        s->flush_failed)
        return false;
    if (store_wal_held(s) || store_horizon(s) < s->durable.lsn) return false;
    if (flush_busy(s) || checkpoint_busy(s) || s->wal_reads_pending > 0) return true;
    if (s->appended.lsn == s->durable.lsn && s->backfilled == s->durable.lsn) {
        store_wal_reset_try(s);
        return false;
    }
    if (checkpoint_start(s)) return true;
    s->gate_broken = true; // until a checkpoint goes well
    return false;
}

// ---- asked for ---------------------------------------------------------------------------------

static void wal_truncated(struct completion *c)
{
    struct checkpoint *k = CONTAINER_OF(c, struct checkpoint, truncation);
    struct store *s = k->store;
    if (c->result >= 0) s->wal.allocated = 0;
    s->wal_truncating = false;
    wait_list_wake_all(&s->waiters);
}

io_status store_checkpoint(struct store *s, struct op *op, enum checkpoint_mode mode,
                           struct checkpoint_result *out)
{
    struct wal *w = &s->wal;
    struct checkpoint *k = s->checkpoint;
    *out = (struct checkpoint_result){0};
    if (s->in_memory) return IO_DONE;
    if (s->read_only)
        return IO_ERROR(&op->err, ERR_READONLY, "attempt to write a readonly database");
    // A running one and commits under way are waited for; then what is left is tried once.
    if (checkpoint_busy(s) || flush_busy(s) || flush_ahead_busy(s) || s->wal_truncating ||
        (k->asked_by != op && checkpoint_start(s))) {
        if (k->step == CHECKPOINT_SYNC_WAL && k->page_next == 0) k->asked_by = op;
        wait_list_add(&s->waiters, &op->waiter);
        return IO_WAIT;
    }
    k->asked_by = NULL;
    if (k->err.code != ERR_OK) {
        op->err = k->err;
        err_clear(&k->err);
        return IO_FAIL;
    }
    out->wal_frames = w->frame_count;
    out->checkpointed_frames = (u32)(s->backfilled - w->base);
    if (mode == CHECKPOINT_PASSIVE) return IO_DONE;
    out->busy = s->backfilled != s->appended.lsn || s->writer != NULL;
    if (mode == CHECKPOINT_FULL || out->busy) return IO_DONE;
    store_wal_reset_try(s);
    out->busy = w->frame_count > 0;
    if (mode == CHECKPOINT_RESTART || out->busy) return IO_DONE;
    out->wal_frames = out->checkpointed_frames = 0;
    if (!w->file || w->allocated == 0) return IO_DONE;
    s->wal_truncating = true; // flushes wait
    completion_init(&k->truncation, wal_truncated, NULL);
    io_file_truncate(w->file, 0, &k->truncation);
    wait_list_add(&s->waiters, &op->waiter);
    return IO_WAIT;
}
