// Recovery: what the WAL holds when the store is opened. It ends at its last commit before the
// first frame that does not continue it; what is after that was never acknowledged.
//
// What is kept is written over itself. After a failed sync the kernel shows bytes that are not on
// the disk and takes them for clean: a new commit's sync would not cover them, and a power loss
// would cut the log short before it.
#include "store_private.h"

#include <errno.h>

#define CHUNK_SIZE (1u << 20)

struct recovery {
    enum {
        RECOVERY_SIZE,
        RECOVERY_HEADER,
        RECOVERY_HEADER_READ,
        RECOVERY_FRAMES,
        RECOVERY_FRAMES_READ,
        RECOVERY_REWRITE,
        RECOVERY_REWRITE_READ,
        RECOVERY_REWRITE_WRITTEN,
    } step;
    u64 size;
    u64 rewritten; // bytes from the start of the WAL
    u8 *chunk;
    u32 chunk_frames;
    struct wal_sum sum, commit_sum;
    u32 commit_frame;
};

void store_recovery_free(struct store *s)
{
    if (s->recovery) free(s->recovery->chunk);
    free(s->recovery);
    s->recovery = NULL;
}

static io_status recovery_done(struct store *s)
{
    struct wal *w = &s->wal;
    struct recovery *r = s->recovery;
    w->allocated = r->size;
    wal_truncate(w, r->commit_frame);
    if (r->commit_frame > 0) {
        w->sum = r->commit_sum;
        w->header_written = w->unsynced = true;
        w->foreign = r->commit_frame;
        s->durable = (struct mark){.lsn = r->commit_frame,
                                   .commit = 1,
                                   .page_count = w->frames[r->commit_frame - 1].page_count};
    } else {
        u32 salt;
        w->begun = r->step >= RECOVERY_FRAMES;
        memcpy(w->begun_salt, w->salt, sizeof w->salt);
        io_random(s->io, &salt, sizeof salt);
        wal_restart(w, salt);
    }
    s->appended = s->durable;
    store_recovery_free(s);
    return IO_DONE;
}

// False when the log ends in this chunk.
static bool chunk_decode(struct store *s, u32 bytes)
{
    struct wal *w = &s->wal;
    struct recovery *r = s->recovery;
    u32 frame_size = WAL_FRAME_HEADER_SIZE + w->page_size;
    for (u32 at = 0; at + frame_size <= bytes; at += frame_size) {
        pgno no, page_count;
        if (!wal_frame_decode(w, &r->sum, r->chunk + at, &no, &page_count)) return false;
        wal_append(w, no, page_count);
        w->frames[w->frame_count - 1].sum = r->sum;
        if (page_count) {
            r->commit_frame = w->frame_count;
            r->commit_sum = r->sum;
        }
    }
    return bytes == r->chunk_frames * frame_size;
}

static io_status recovery_error(struct store *s, struct op *op, s64 result, const char *what)
{
    err_set_errno(&op->err, ERR_IOERR_READ, (int)-result, __func__,
                  "disk I/O error: reading %s of %s failed", what, s->path_wal);
    return IO_FAIL;
}

// The log has been read to its end.
static io_status recovery_read(struct store *s, struct op *op)
{
    if (s->recovery->commit_frame == 0 || s->read_only) return recovery_done(s);
    s->recovery->step = RECOVERY_REWRITE;
    return store_recover_wal(s, op);
}

io_status store_recover_wal(struct store *s, struct op *op)
{
    struct wal *w = &s->wal;
    struct recovery *r = s->recovery;
    if (!r) {
        r = s->recovery = calloc(1, sizeof *r);
        if (!r) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
    }
    s64 result = s->completion.result;
    switch (r->step) {
    case RECOVERY_SIZE:
        r->step = RECOVERY_HEADER;
        io_file_size(w->file, &r->size, &s->completion);
        return store_step_wait(s, op);
    case RECOVERY_HEADER:
        if (result < 0) return recovery_error(s, op, result, "the size");
        if (r->size < WAL_HEADER_SIZE) return recovery_done(s);
        r->chunk = malloc(CHUNK_SIZE);
        if (!r->chunk) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
        r->step = RECOVERY_HEADER_READ;
        io_file_read(w->file, r->chunk, WAL_HEADER_SIZE, 0, &s->completion);
        return store_step_wait(s, op);
    case RECOVERY_HEADER_READ: {
        u32 page_size;
        if (result < 0) return recovery_error(s, op, result, "the header");
        if (result < WAL_HEADER_SIZE || !wal_header_decode(w, r->chunk, &page_size))
            return recovery_done(s);
        w->page_size = page_size;
        r->sum = w->sum;
        r->chunk_frames = CHUNK_SIZE / (page_size + WAL_FRAME_HEADER_SIZE);
        r->step = RECOVERY_FRAMES;
    }
        // fallthrough
    case RECOVERY_FRAMES: {
        u32 size = r->chunk_frames * (w->page_size + WAL_FRAME_HEADER_SIZE);
        if (!wal_reserve(w, r->chunk_frames, false))
            return IO_ERROR(&op->err, ERR_NOMEM, "out of memory for the WAL's index");
        r->step = RECOVERY_FRAMES_READ;
        io_file_read(w->file, r->chunk, size, wal_frame_offset(w, w->frame_count + 1),
                     &s->completion);
        return store_step_wait(s, op);
    }
    case RECOVERY_FRAMES_READ:
        if (result < 0) return recovery_error(s, op, result, "frames");
        if (!chunk_decode(s, (u32)result)) return recovery_read(s, op);
        r->step = RECOVERY_FRAMES;
        return store_recover_wal(s, op);
    case RECOVERY_REWRITE: {
        u64 left = wal_frame_offset(w, r->commit_frame + 1) - r->rewritten;
        if (left == 0) return recovery_done(s);
        r->step = RECOVERY_REWRITE_READ;
        io_file_read(w->file, r->chunk, MIN(left, CHUNK_SIZE), r->rewritten, &s->completion);
        return store_step_wait(s, op);
    }
    case RECOVERY_REWRITE_READ:
        if (result <= 0) return recovery_error(s, op, result < 0 ? result : -EIO, "frames again");
        r->step = RECOVERY_REWRITE_WRITTEN;
        io_file_write(w->file, r->chunk, (size_t)result, r->rewritten, &s->completion);
        return store_step_wait(s, op);
    case RECOVERY_REWRITE_WRITTEN:
        if (result < 0) {
            err_set_errno(&op->err, ERR_IOERR_WRITE, (int)-result, __func__,
                          "disk I/O error: writing %s again, to make it durable, failed",
                          s->path_wal);
            return IO_FAIL;
        }
        r->rewritten += (u64)result;
        r->step = RECOVERY_REWRITE;
        return store_recover_wal(s, op);
    }
    return IO_DONE;
}
