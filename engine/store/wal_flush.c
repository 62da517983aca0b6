// Making commits durable: one flush at a time writes all frames that were appended when it started,
// in pieces of the buffer's size, the last with a sync.
//
// A flush starts a turn of the loop after the last commit came, so that writers that stand in line
// go with it; but not later than GATHER_TURNS_MAX turns after the first.
//
// Writes go past the kernel's cache (wal.direct) in whole blocks, so the last block of the log is
// kept (`tail`) and written again with what follows it: its durable bytes stay what they are,
// whichever of its sectors a crash lets through. Where the file system refuses direct writes, the
// same writes go through the cache. Reads always do.
//
// A block that was written before syncs in half the time of a new one: neither its place nor the
// file's size has to be journaled. So zeros are written ahead of the log in the background, in steps
// that grow with it, and the file is kept when the log starts again. Nobody waits for them, except a
// flush that reaches into the very step under way. They have no sync of their own: one that failed
// could take with it what a flush has written meanwhile, and be told of only after that flush's own
// sync has gone well. A flush that reaches beyond the file extends it first, so that a full disk
// shows before anything is written.
//
// Whatever fails before a sync was tried leaves the frames after the durable mark unknown, and the
// next flush writes them anew from there. When a sync failed, what the disk holds is unknown for
// good: the store is closed to writers.
#include "store_private.h"

#include <errno.h>
#include <libgen.h>

#define BLOCK_SIZE       4096u // of direct writes: no device in use has larger logical blocks
#define BUFFER_SIZE      (1u << 20)
#define ZEROS_SIZE       65536u // memory for what is written ahead
#define AHEAD_MIN        65536u
#define AHEAD_MAX        (1u << 20)
#define GATHER_TURNS_MAX 32u

static u64 block_floor(u64 offset)
{
    return offset - offset % BLOCK_SIZE;
}
static u64 block_ceil(u64 offset)
{
    return block_floor(offset + BLOCK_SIZE - 1);
}

enum flush_step {
    FLUSH_IDLE,
    FLUSH_GATHER,
    FLUSH_FIRST_PAGE, // of a file that is empty so far
    FLUSH_KEY_SLOT,   // of a sealed one: from now on it is more than empty
    FLUSH_OPEN,
    FLUSH_OPEN_DIRECT,
    FLUSH_SYNC_DIR,
    FLUSH_TAIL,       // of a log that was recovered: its last block is read
    FLUSH_AHEAD,      // zeros are being written where it wants to write
    FLUSH_ALLOCATE,
    FLUSH_HEADER,     // of a log that starts again: before any frame, see flush_header
    FLUSH_FETCH,      // pages of a big transaction come from its temporary file
    FLUSH_WRITE,      // a piece, more to come
    FLUSH_WRITE_SYNC, // the last piece
};

struct flush {
    struct store *store;
    struct completion completion;
    enum flush_step step;
    u8 *buffer; // from `offset` of the file on, `used` bytes
    size_t buffer_size;
    u64 offset; // whole blocks
    size_t used;
    struct completion *fetches;
    u32 fetches_pending;
    s64 fetch_result;
    u8 *tail;       // of one block: the one that holds the end of the durable frames, up to there
    bool tail_had;
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
    bool direct_refused;
    bool restarted; // the log, with this flush

    // Zeros ahead of the log.
    struct completion ahead;
    bool ahead_busy;
    bool ahead_refused; // the disk is full or broken: until the log starts again
    u64 ahead_end;
    u8 *zeros;
    struct iovec ahead_iov[AHEAD_MAX / ZEROS_SIZE];
};

static void flush_run(struct completion *c);
static void ahead_done(struct completion *c);
static void flush_allocate(struct flush *f);
static void flush_encode(struct flush *f);

bool flush_create(struct store *s)
{
    struct flush *f = calloc(1, sizeof *f);
    if (!f) return false;
    s->flush = f;
    f->store = s;
    completion_init(&f->completion, flush_run, NULL);
    completion_init(&f->ahead, ahead_done, NULL);
    char *copy = strdup(s->path);
    f->directory = copy ? strdup(dirname(copy)) : NULL;
    free(copy);
    return f->directory != NULL;
}

void flush_destroy(struct store *s)
{
    struct flush *f = s->flush;
    if (!f) return;
    ASSERT(f->step == FLUSH_IDLE && !f->ahead_busy);
    if (f->buffer) io_buffers_free(s->io, f->buffer, f->buffer_size);
    if (f->zeros) io_buffers_free(s->io, f->zeros, ZEROS_SIZE);
    free(f->tail);
    free(f->fetches);
    free(f->directory);
    free(f);
    s->flush = NULL;
}

bool flush_busy(const struct store *s)
{
    return s->flush && s->flush->step != FLUSH_IDLE;
}

bool flush_ahead_busy(const struct store *s)
{
    return s->flush && s->flush->ahead_busy;
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
    if (store_disk_full(result)) {
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

static struct io_file *flush_file(const struct flush *f)
{
    const struct wal *w = &f->store->wal;
    return f->direct_refused ? w->file : w->direct;
}

// ---- zeros ahead of the log --------------------------------------------------------------------

static void ahead_start(struct flush *f)
{
    struct store *s = f->store;
    struct wal *w = &s->wal;
    u64 end = wal_frame_offset(w, f->frames_target + 1), start = block_ceil(w->allocated);
    u64 step = MIN(MAX(block_ceil(w->allocated), AHEAD_MIN), AHEAD_MAX);
    if (f->ahead_busy || f->ahead_refused || s->state != STORE_OPEN || s->wal_truncating ||
        w->allocated > end + step / 2 || (s->wal_size_limit >= 0 && start + step > (u64)s->wal_size_limit))
        return;
    if (!f->zeros && !(f->zeros = io_buffers_alloc(s->io, ZEROS_SIZE))) return;
    u32 count = 0;
    u64 size = 0;
    for (; size < step; size += f->ahead_iov[count++].iov_len)
        f->ahead_iov[count] =
            (struct iovec){.iov_base = f->zeros, .iov_len = MIN(ZEROS_SIZE, step - size)};
    f->ahead_busy = true;
    f->ahead_end = start + step;
    io_file_writev(flush_file(f), f->ahead_iov, count, start, &f->ahead);
}

static void ahead_done(struct completion *c)
{
    struct flush *f = CONTAINER_OF(c, struct flush, ahead);
    struct store *s = f->store;
    f->ahead_busy = false;
    f->ahead_refused = c->result < 0;
    if (c->result >= 0) s->wal.allocated = MAX(s->wal.allocated, f->ahead_end);
    if (f->step == FLUSH_AHEAD) flush_allocate(f);
    wait_list_wake_all(&s->waiters);
}

// ---- writing -----------------------------------------------------------------------------------

// To be encoded as all others: the key may be another one by now.
static void fetched_decode(struct flush *f)
{
    const struct wal *w = &f->store->wal;
    size_t frame_size = WAL_FRAME_HEADER_SIZE + w->page_size, at = f->used;
    for (u32 i = 0; f->frames_written + i < f->frames_target && at + frame_size <= f->buffer_size; i++, at += frame_size) {
        const struct page *p = w->pending[f->pending_written + i];
        if (!p->data && !codec_decode(w->codec, p->no, f->buffer + at + WAL_FRAME_HEADER_SIZE)) f->fetch_result = -EBADMSG;
    }
}

static void fetch_done(struct completion *c)
{
    struct flush *f = c->context;
    if (c->result != f->store->page_size && f->fetch_result >= 0) f->fetch_result = c->result < 0 ? c->result : -EIO;
    if (--f->fetches_pending) return;
    if (f->fetch_result >= 0 && codec_active(f->store->wal.codec)) fetched_decode(f);
    if (f->fetch_result < 0)
        flush_fail(f, ERR_IOERR_READ, f->fetch_result, "reading changed pages back for");
    else
        flush_encode(f);
}

// Fills the buffer with the next frames and writes it. Pages that are out are first read to where they will stand.
static void flush_write(struct flush *f)
{
    struct store *s = f->store;
    struct wal *w = &s->wal;
    size_t frame_size = WAL_FRAME_HEADER_SIZE + w->page_size, at = f->used;
    u32 count = 0;
    for (u32 i = f->frames_written; i < f->frames_target && at + frame_size <= f->buffer_size; i++, at += frame_size)
        count += !w->pending[f->pending_written + (i - f->frames_written)]->data;
    if (count == 0) {
        flush_encode(f);
        return;
    }
    if (!f->fetches) f->fetches = calloc(f->buffer_size / frame_size + 1, sizeof *f->fetches);
    if (!f->fetches) {
        flush_fail(f, ERR_NOMEM, -ENOMEM, "memory for writing");
        return;
    }
    f->step = FLUSH_FETCH;
    f->fetches_pending = count;
    f->fetch_result = 0;
    at = f->used;
    count = 0;
    for (u32 i = 0; f->frames_written + i < f->frames_target && at + frame_size <= f->buffer_size; i++, at += frame_size) {
        const struct page *p = w->pending[f->pending_written + i];
        if (p->data) continue;
        struct completion *c = &f->fetches[count++];
        completion_init(c, fetch_done, f);
        spill_page_read(s, p, f->buffer + at + WAL_FRAME_HEADER_SIZE, c);
    }
}

static void flush_encode(struct flush *f)
{
    struct store *s = f->store;
    struct wal *w = &s->wal;
    size_t frame_size = WAL_FRAME_HEADER_SIZE + w->page_size;
    while (f->frames_written < f->frames_target && f->used + frame_size <= f->buffer_size) {
        const struct page *p = w->pending[f->pending_written++];
        u8 *out = f->buffer + f->used;
        wal_frame_encode(w, &f->sum, ++f->frames_written, p->data ? p->data : out + WAL_FRAME_HEADER_SIZE, out);
        f->used += frame_size;
    }
    bool last = f->frames_written == f->frames_target;
    size_t size = last ? block_ceil(f->used) : block_floor(f->used);
    if (last) memset(f->buffer + f->used, 0, size - f->used);
    f->iov = (struct iovec){.iov_base = f->buffer, .iov_len = size};
    f->step = last ? FLUSH_WRITE_SYNC : FLUSH_WRITE;
    if (last)
        io_file_writev_sync(flush_file(f), &f->iov, 1, f->offset, &f->completion);
    else
        io_file_writev(flush_file(f), &f->iov, 1, f->offset, &f->completion);
}

// What is left of the last piece begins the next.
static void flush_written(struct flush *f)
{
    size_t size = f->iov.iov_len;
    memmove(f->buffer, f->buffer + size, f->used - size);
    f->offset += size;
    f->used -= size;
    flush_write(f);
}

// When a log starts again, its header must be on the disk before the first new frame: else the old
// header and the old frames between the new ones could survive a crash, and the beginning of the
// old log would be replayed over a newer database. It goes through the cache, alone: a whole block of
// new bytes could take a part of the old frames away while the old header stays.
static void flush_header(struct flush *f)
{
    struct wal *w = &f->store->wal;
    if (w->header_written) {
        u64 end = wal_frame_offset(w, f->frames_written + 1);
        f->offset = block_floor(end);
        f->used = end - f->offset;
        memcpy(f->buffer, f->tail, f->used);
        flush_write(f);
        return;
    }
    wal_header_encode(w, f->buffer);
    f->sum = w->sum;
    f->offset = 0;
    f->used = WAL_HEADER_SIZE;
    f->iov = (struct iovec){.iov_base = f->buffer, .iov_len = WAL_HEADER_SIZE};
    f->step = FLUSH_HEADER;
    io_file_writev_sync(w->file, &f->iov, 1, 0, &f->completion);
}

// After how many frames the commits of this flush want a checkpoint; 0: never.
static u32 checkpoint_frames(const struct store *s)
{
    u32 frames = 0;
    for (const struct txn *t = s->committing_first; t && t->commit.lsn <= s->durable.lsn; t = t->committing_next)
        if (t->checkpoint_frames && (!frames || t->checkpoint_frames < frames)) frames = t->checkpoint_frames;
    return frames;
}

// The first commit to a log that has started again cuts its file.
static void size_limit_apply(struct flush *f)
{
    struct store *s = f->store;
    if (!f->restarted) return;
    f->restarted = false;
    s->wal_size_limit = s->committing_first ? s->committing_first->wal_size_limit : -1;
    u64 end = block_ceil(wal_frame_offset(&s->wal, f->frames_target + 1));
    if (s->wal_size_limit < 0 || f->ahead_busy || s->wal_truncating) return;
    u64 size = MAX(end, (u64)s->wal_size_limit);
    if (s->wal.allocated > size) store_wal_truncate(s, size);
}

static void flush_done(struct flush *f)
{
    struct store *s = f->store;
    struct wal *w = &s->wal;
    u32 count = f->pending_written;
    size_t tail = f->used % BLOCK_SIZE;
    memcpy(f->tail, f->buffer + f->used - tail, tail);
    f->tail_had = true;
    for (u32 i = 0; i < count; i++) page_unpin(w->pending[i]);
    memmove(w->pending, w->pending + count, (w->pending_count - count) * sizeof(struct page *));
    w->pending_count -= count;
    w->allocated = MAX(w->allocated, f->offset + f->iov.iov_len);
    w->unsynced = false;
    w->sum = f->sum;
    s->durable = f->target;
    s->syncs++;
    f->step = FLUSH_IDLE;
    if (s->durable.lsn == s->appended.lsn) spill_commit_done(s);
    u32 frames = checkpoint_frames(s);
    size_limit_apply(f);
    ahead_start(f);
    flush_kick(s);
    store_wal_watch(s);
    store_commits_done(s);
    checkpoint_kick(s, frames);
    store_slot_offer(s);
    wait_list_wake_all(&s->waiters);
}

static void flush_allocate(struct flush *f)
{
    struct wal *w = &f->store->wal;
    u64 end = block_ceil(wal_frame_offset(w, f->frames_target + 1));
    if (end > w->allocated && f->ahead_busy) {
        f->step = FLUSH_AHEAD;
    } else if (end > w->allocated && !f->allocate_refused) {
        f->step = FLUSH_ALLOCATE;
        io_file_allocate(w->file, w->allocated, end - w->allocated, &f->completion);
    } else {
        flush_header(f);
    }
}

// ---- preparing ---------------------------------------------------------------------------------

static void flush_tail(struct flush *f)
{
    struct wal *w = &f->store->wal;
    u64 end = wal_frame_offset(w, f->frames_written + 1), start = block_floor(end);
    if (!w->header_written || f->tail_had || end == start) {
        flush_allocate(f);
        return;
    }
    f->step = FLUSH_TAIL;
    io_file_read(w->file, f->buffer, end - start, start, &f->completion);
}

static void flush_open(struct flush *f)
{
    struct store *s = f->store;
    struct wal *w = &s->wal;
    if (!w->file) {
        f->step = FLUSH_OPEN;
        io_file_open(s->io, s->path_wal, IO_OPEN_WRITE | IO_OPEN_CREATE, &w->file, &f->completion);
    } else if (!w->direct && !f->direct_refused) {
        f->step = FLUSH_OPEN_DIRECT;
        io_file_open(s->io, s->path_wal, IO_OPEN_WRITE | IO_OPEN_DIRECT, &w->direct,
                     &f->completion);
    } else if (!f->directory_synced) {
        f->step = FLUSH_SYNC_DIR;
        io_path_sync_dir(s->io, f->directory, &f->completion);
    } else {
        flush_tail(f);
    }
}

static void flush_start(struct flush *f)
{
    struct store *s = f->store;
    struct wal *w = &s->wal;
    f->buffer_size = BUFFER_SIZE;
    if (!f->buffer) f->buffer = io_buffers_alloc(s->io, f->buffer_size);
    if (!f->tail) f->tail = malloc(BLOCK_SIZE);
    if (!f->buffer || !f->tail) {
        flush_fail(f, ERR_NOMEM, -ENOMEM, "a buffer for writing");
        return;
    }
    f->target = s->appended;
    f->frames_target = (u32)(s->appended.lsn - w->base);
    f->frames_written = (u32)(s->durable.lsn - w->base);
    f->pending_written = 0;
    f->sum = w->sum;
    if (s->first_page) {
        f->step = FLUSH_FIRST_PAGE;
        size_t head = codec_offset(&s->codec, 1);
        memset(f->buffer, 0, head);
        if (head) {
            s->codec.slot.sequence = 1;
            key_slot_encode(&s->codec.slot, s->io, f->buffer + key_slot_offset(&s->codec.slot));
        }
        codec_encode(&s->codec, 1, s->first_page, f->buffer + head);
        f->iov = (struct iovec){.iov_base = f->buffer, .iov_len = head + s->page_size};
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

static void flush_first_done(struct flush *f)
{
    free(f->store->first_page);
    f->store->first_page = NULL;
    flush_open(f);
}

static void flush_run(struct completion *c)
{
    struct flush *f = CONTAINER_OF(c, struct flush, completion);
    struct store *s = f->store;
    s64 result = c->result;
    if (result == -EINVAL && !f->direct_refused &&
        (f->step == FLUSH_HEADER || f->step == FLUSH_WRITE || f->step == FLUSH_WRITE_SYNC)) {
        f->direct_refused = true; // the same through the cache, from the durable mark on
        flush_start(f);
        return;
    }
    switch (f->step) {
    case FLUSH_IDLE:
    case FLUSH_AHEAD:
    case FLUSH_FETCH: return;
    case FLUSH_GATHER: flush_gather(f); return;
    case FLUSH_FIRST_PAGE:
        if (result < 0) {
            flush_fail(f, ERR_IOERR_FSYNC, result, "writing the first page");
            return;
        }
        s->syncs++;
        if (s->codec.kind != CODEC_SEALED) {
            flush_first_done(f);
            return;
        }
        s->codec.slot.sequence = 2;
        key_slot_encode(&s->codec.slot, s->io, f->buffer);
        f->iov = (struct iovec){.iov_base = f->buffer, .iov_len = KEY_SLOT_SIZE};
        f->step = FLUSH_KEY_SLOT;
        io_file_writev_sync(s->file, &f->iov, 1, key_slot_offset(&s->codec.slot), &f->completion);
        return;
    case FLUSH_KEY_SLOT:
        if (result < 0) {
            flush_fail(f, ERR_IOERR_FSYNC, result, "writing the key slot");
            return;
        }
        s->syncs++;
        flush_first_done(f);
        return;
    case FLUSH_OPEN:
        if (result < 0) {
            s->wal.file = NULL;
            flush_fail(f, ERR_CANTOPEN, result, "creation");
            return;
        }
        s->wal.allocated = 0;
        flush_open(f);
        return;
    case FLUSH_OPEN_DIRECT:
        if (result < 0) {
            s->wal.direct = NULL;
            f->direct_refused = true;
        }
        flush_open(f);
        return;
    case FLUSH_SYNC_DIR:
        if (result < 0) {
            flush_fail(f, ERR_IOERR_FSYNC, result, "syncing the directory");
            return;
        }
        f->directory_synced = true;
        flush_tail(f);
        return;
    case FLUSH_TAIL: {
        size_t want = wal_frame_offset(&s->wal, f->frames_written + 1) % BLOCK_SIZE;
        if (result != (s64)want) {
            flush_fail(f, ERR_IOERR_READ, result < 0 ? result : -EIO, "reading the end");
            return;
        }
        memcpy(f->tail, f->buffer, want);
        f->tail_had = true;
        flush_allocate(f);
        return;
    }
    case FLUSH_ALLOCATE:
        if (result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL) {
            f->allocate_refused = true;
        } else if (result < 0) {
            flush_fail(f, ERR_IOERR_WRITE, result, "extension");
            return;
        } else {
            s->wal.allocated = block_ceil(wal_frame_offset(&s->wal, f->frames_target + 1));
        }
        flush_header(f);
        return;
    case FLUSH_HEADER:
        if (result < 0) {
            flush_fail(f, ERR_IOERR_FSYNC, result, "writing the header");
            return;
        }
        s->wal.header_written = true;
        f->restarted = true;
        s->syncs++;
        f->ahead_refused = false;
        memcpy(f->tail, f->buffer, f->used);
        f->tail_had = true;
        flush_write(f);
        return;
    case FLUSH_WRITE:
        if (result < 0)
            flush_fail(f, ERR_IOERR_WRITE, result, "writing");
        else
            flush_written(f);
        return;
    case FLUSH_WRITE_SYNC:
        if (result < 0)
            flush_fail(f, ERR_IOERR_FSYNC, result, "writing and syncing");
        else
            flush_done(f);
        return;
    }
}
