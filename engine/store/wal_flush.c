// Making commits durable: one flush at a time writes all frames that were appended when it started,
// in pieces of the buffer's size, the last with a sync.
//
// A flush starts a turn of the loop after the last commit came, so that writers that stand in line
// go with it; but not later than GATHER_TURNS_MAX turns after the first.
//
// The file is extended before it is written to, so that a full disk shows before anything is
// written, and a sync has no change of size to journal. Whatever fails before a sync was tried
// leaves the frames after the durable mark unknown, and the next flush writes them anew from there.
// When a sync failed, what the disk holds is unknown for good: the store is closed to writers.
#include "store_private.h"

#include <errno.h>
#include <libgen.h>

#define BUFFER_SIZE      (1u << 20)
#define ALLOCATE_STEP    (1u << 20)
#define GATHER_TURNS_MAX 32u

enum flush_step {
    FLUSH_IDLE,
    FLUSH_GATHER,
    FLUSH_FIRST_PAGE, // of a file that is empty so far
    FLUSH_OPEN,
    FLUSH_SYNC_DIR,
    FLUSH_ALLOCATE,
    FLUSH_HEADER,     // of a log that starts again: before any frame, see flush_header
    FLUSH_WRITE,      // a piece, more to come
    FLUSH_WRITE_SYNC, // the last piece
};

struct flush {
    struct store *store;
    struct completion completion;
    enum flush_step step;
    u8 *buffer;
    size_t buffer_size;
    char *directory;
    bool directory_synced; // since this store opened or made the WAL: a WAL that was found may owe its name to a
                           // process that died before it was durable
    u32 gather_turns;
    u64 gathered; // lsn at the last turn
    struct mark target;
    u32 frames_target; // frame number of the target
    u32 frames_written;
    u32 pending_written; // of wal.pending
    struct wal_sum sum;  // of the last frame written
    struct iovec iov;
    bool allocate_refused; // the file system cannot
};

static void flush_run(struct completion *c);

bool flush_create(struct store *s)
{
    struct flush *f = calloc(1, sizeof *f);
    if (!f) return false;
    s->flush = f;
    f->store = s;
    completion_init(&f->completion, flush_run, NULL);
    char *copy = strdup(s->path);
    f->directory = copy ? strdup(dirname(copy)) : NULL;
    free(copy);
    return f->directory != NULL;
}

void flush_destroy(struct store *s)
{
    struct flush *f = s->flush;
    if (!f) return;
    ASSERT(f->step == FLUSH_IDLE);
    if (f->buffer) io_buffers_free(s->io, f->buffer, f->buffer_size);
    free(f->directory);
    free(f);
    s->flush = NULL;
}

bool flush_busy(const struct store *s)
{
    return s->flush && s->flush->step != FLUSH_IDLE;
}

void flush_kick(struct store *s)
{
    struct flush *f = s->flush;
    if (f->step != FLUSH_IDLE || s->appended.lsn == s->durable.lsn) return;
    f->step = FLUSH_GATHER;
    f->gather_turns = 0;
    f->gathered = s->appended.lsn;
    completion_post(s->io, &f->completion, 0);
}

static void flush_fail(struct flush *f, err_code code, s64 result, const char *what)
{
    struct store *s = f->store;
    struct err err = ERR_CLEAR;
    int number = (int)-result;
    if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
        err_set_errno(&err, ERR_FULL, number, __func__,
                      "database or disk is full: %s of %s failed; free some space", what,
                      s->path_wal);
    } else {
        err_set_errno(
            &err, code, number, __func__, "disk I/O error: %s of %s failed%s", what, s->path_wal,
            code == ERR_IOERR_FSYNC ? "; the database takes no more writes until it is opened again"
                                    : "");
        if (code == ERR_IOERR_FSYNC) {
            s->flush_failed = true;
            s->flush_err = err;
        }
    }
    f->step = FLUSH_IDLE;
    store_commits_fail(s, &err);
    store_slot_offer(s);
    wait_list_wake_all(&s->waiters);
}

// Fills the buffer with the next frames and writes it.
static void flush_write(struct flush *f)
{
    struct store *s = f->store;
    struct wal *w = &s->wal;
    size_t used = 0, frame_size = WAL_FRAME_HEADER_SIZE + w->page_size;
    u64 offset = wal_frame_offset(w, f->frames_written + 1);
    while (f->frames_written < f->frames_target && used + frame_size <= f->buffer_size) {
        const struct page *p = w->pending[f->pending_written++];
        wal_frame_encode(w, &f->sum, ++f->frames_written, p->data, f->buffer + used);
        used += frame_size;
    }
    bool last = f->frames_written == f->frames_target;
    f->iov = (struct iovec){.iov_base = f->buffer, .iov_len = used};
    f->step = last ? FLUSH_WRITE_SYNC : FLUSH_WRITE;
    if (last)
        io_file_writev_sync(w->file, &f->iov, 1, offset, &f->completion);
    else
        io_file_writev(w->file, &f->iov, 1, offset, &f->completion);
}

// When a log starts again, its header must be on the disk before the first new frame: else the old
// header and the old frames between the new ones could survive a crash, and the beginning of the
// old log would be replayed over a newer database.
static void flush_header(struct flush *f)
{
    struct wal *w = &f->store->wal;
    if (w->header_written) {
        flush_write(f);
        return;
    }
    wal_header_encode(w, f->buffer);
    f->sum = w->sum;
    f->iov = (struct iovec){.iov_base = f->buffer, .iov_len = WAL_HEADER_SIZE};
    f->step = FLUSH_HEADER;
    io_file_writev_sync(w->file, &f->iov, 1, 0, &f->completion);
}

static void flush_done(struct flush *f)
{
    struct store *s = f->store;
    struct wal *w = &s->wal;
    u32 count = f->pending_written;
    for (u32 i = 0; i < count; i++) page_unpin(w->pending[i]);
    memmove(w->pending, w->pending + count, (w->pending_count - count) * sizeof(struct page *));
    w->pending_count -= count;
    w->allocated = MAX(w->allocated, wal_frame_offset(w, f->frames_target + 1));
    w->unsynced = false;
    w->sum = f->sum;
    s->durable = f->target;
    s->syncs++;
    f->step = FLUSH_IDLE;
    flush_kick(s);
    store_commits_done(s);
    checkpoint_kick(s);
    store_slot_offer(s);
    wait_list_wake_all(&s->waiters);
}

static void flush_allocate(struct flush *f)
{
    struct wal *w = &f->store->wal;
    u64 end = wal_frame_offset(w, f->frames_target + 1);
    if (end <= w->allocated || f->allocate_refused) {
        flush_header(f);
        return;
    }
    f->step = FLUSH_ALLOCATE;
    end = (end + ALLOCATE_STEP - 1) / ALLOCATE_STEP * ALLOCATE_STEP;
    io_file_allocate(w->file, w->allocated, end - w->allocated, &f->completion);
}

static void flush_open(struct flush *f)
{
    struct store *s = f->store;
    if (s->wal.file && f->directory_synced) {
        flush_allocate(f);
        return;
    }
    if (s->wal.file) {
        f->step = FLUSH_SYNC_DIR;
        io_path_sync_dir(s->io, f->directory, &f->completion);
        return;
    }
    f->step = FLUSH_OPEN;
    io_file_open(s->io, s->path_wal, IO_OPEN_WRITE | IO_OPEN_CREATE, &s->wal.file, &f->completion);
}

static void flush_start(struct flush *f)
{
    struct store *s = f->store;
    struct wal *w = &s->wal;
    if (!f->buffer) {
        f->buffer_size = MAX(BUFFER_SIZE, 4 * (w->page_size + WAL_FRAME_HEADER_SIZE));
        f->buffer = io_buffers_alloc(s->io, f->buffer_size);
        if (!f->buffer) {
            flush_fail(f, ERR_NOMEM, -ENOMEM, "a buffer for writing");
            return;
        }
    }
    f->target = s->appended;
    f->frames_target = (u32)(s->appended.lsn - w->base);
    f->frames_written = (u32)(s->durable.lsn - w->base);
    f->pending_written = 0;
    f->sum = w->sum;
    if (s->first_page) {
        f->step = FLUSH_FIRST_PAGE;
        f->iov = (struct iovec){.iov_base = s->first_page, .iov_len = s->page_size};
        io_file_writev_sync(s->file, &f->iov, 1, 0, &f->completion);
    } else {
        flush_open(f);
    }
}

static void flush_gather(struct flush *f)
{
    struct store *s = f->store;
    bool more =
        s->appended.lsn != f->gathered && s->queue_first && ++f->gather_turns < GATHER_TURNS_MAX;
    f->gathered = s->appended.lsn;
    if (more || s->wal_truncating)
        completion_post(s->io, &f->completion, 0);
    else
        flush_start(f);
}

static void flush_run(struct completion *c)
{
    struct flush *f = CONTAINER_OF(c, struct flush, completion);
    struct store *s = f->store;
    s64 result = c->result;
    switch (f->step) {
    case FLUSH_IDLE: return;
    case FLUSH_GATHER: flush_gather(f); return;
    case FLUSH_FIRST_PAGE:
        if (result < 0) {
            flush_fail(f, ERR_IOERR_FSYNC, result, "writing the first page");
            return;
        }
        free(s->first_page);
        s->first_page = NULL;
        s->syncs++;
        flush_open(f);
        return;
    case FLUSH_OPEN:
        if (result < 0) {
            s->wal.file = NULL;
            flush_fail(f, ERR_CANTOPEN, result, "creation");
            return;
        }
        s->wal.allocated = 0;
        f->step = FLUSH_SYNC_DIR;
        io_path_sync_dir(s->io, f->directory, &f->completion);
        return;
    case FLUSH_SYNC_DIR:
        if (result < 0) {
            flush_fail(f, ERR_IOERR_FSYNC, result, "syncing the directory");
            return;
        }
        f->directory_synced = true;
        flush_allocate(f);
        return;
    case FLUSH_ALLOCATE:
        if (result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL) {
            f->allocate_refused = true;
        } else if (result < 0) {
            flush_fail(f, ERR_IOERR_WRITE, result, "extension");
            return;
        } else {
            u64 end = wal_frame_offset(&s->wal, f->frames_target + 1);
            s->wal.allocated = (end + ALLOCATE_STEP - 1) / ALLOCATE_STEP * ALLOCATE_STEP;
        }
        flush_header(f);
        return;
    case FLUSH_HEADER:
        if (result < 0) {
            flush_fail(f, ERR_IOERR_FSYNC, result, "writing the header");
            return;
        }
        s->wal.header_written = true;
        s->syncs++;
        flush_write(f);
        return;
    case FLUSH_WRITE:
        if (result < 0)
            flush_fail(f, ERR_IOERR_WRITE, result, "writing");
        else
            flush_write(f);
        return;
    case FLUSH_WRITE_SYNC:
        if (result < 0)
            flush_fail(f, ERR_IOERR_FSYNC, result, "writing and syncing");
        else
            flush_done(f);
        return;
    }
}
