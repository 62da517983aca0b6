#include "small_file.h"

#include <errno.h>

enum { STEP_OPEN, STEP_SIZE, STEP_READ, STEP_WRITE, STEP_SYNC, STEP_CLOSE, STEP_RENAME, STEP_END };

static void on_done(struct completion *c)
{
    struct small_file *f = c->context;
    f->wake(f->context);
}

void small_file_init(struct small_file *f, struct io *io, void (*wake)(void *), void *context)
{
    *f = (struct small_file){.io = io, .wake = wake, .context = context, .failed = ERR_CLEAR};
    completion_init(&f->c, on_done, f);
}

bool small_file_busy(const struct small_file *f)
{
    return f->submitted && f->c.state == COMPLETION_PENDING;
}

void small_file_deinit(struct small_file *f)
{
    free(f->bytes);
    f->bytes = NULL;
}

static bool arrived(struct small_file *f)
{
    if (f->c.state == COMPLETION_PENDING) return false;
    f->submitted = false;
    return true;
}

// A failure before the close goes on with the close, and is told after it.
static void failed(struct small_file *f, const char *path, err_code code, const char *what)
{
    if (f->failed.code == ERR_OK)
        err_set_errno(&f->failed, code, (int)-f->c.result, __func__, "%s cannot be %s: %s", path, what, strerror((int)-f->c.result));
}

static io_status ended(struct small_file *f, struct err *err)
{
    f->step = STEP_OPEN;
    if (f->failed.code == ERR_OK) return IO_DONE;
    if (err->code == ERR_OK) *err = f->failed;
    err_clear(&f->failed);
    return IO_FAIL;
}

io_status small_file_read(struct small_file *f, const char *path, u64 size_max, struct err *err)
{
    for (;;) {
        if (!f->submitted) {
            f->submitted = true;
            switch (f->step) {
            case STEP_OPEN: io_file_open(f->io, path, IO_OPEN_READ, &f->file, &f->c); return IO_WAIT;
            case STEP_SIZE: io_file_size(f->file, &f->size, &f->c); return IO_WAIT;
            case STEP_READ: io_file_read(f->file, f->bytes, f->size, 0, &f->c); return IO_WAIT;
            case STEP_CLOSE: io_file_close(f->file, &f->c); return IO_WAIT;
            default: ASSERT(false);
            }
        }
        if (!arrived(f)) return IO_WAIT;
        bool bad = f->c.result < 0;
        switch (f->step) {
        case STEP_OPEN:
            if (bad) {
                failed(f, path, f->c.result == -ENOENT ? ERR_NOTFOUND : ERR_CANTOPEN, "opened");
                return ended(f, err);
            }
            f->step = STEP_SIZE;
            break;
        case STEP_SIZE:
            f->step = STEP_CLOSE;
            free(f->bytes);
            f->bytes = NULL;
            if (bad)
                failed(f, path, ERR_IOERR_READ, "read");
            else if (f->size > size_max)
                err_set(&f->failed, ERR_TOOBIG, __func__, "%s is too large", path);
            else if (!(f->bytes = malloc(f->size + 1)))
                err_set(&f->failed, ERR_NOMEM, __func__, "out of memory");
            else if (f->size)
                f->step = STEP_READ;
            break;
        case STEP_READ:
            if (bad)
                failed(f, path, ERR_IOERR_READ, "read");
            else
                f->size = (u64)f->c.result;
            f->step = STEP_CLOSE;
            break;
        case STEP_CLOSE: return ended(f, err);
        default: ASSERT(false);
        }
    }
}

io_status small_file_write(struct small_file *f, const char *path, const void *bytes, u64 size, struct err *err)
{
    for (;;) {
        if (!f->submitted) {
            f->submitted = true;
            switch (f->step) {
            case STEP_OPEN:
                snprintf(f->aside, sizeof f->aside, "%s.new", path);
                io_file_open(f->io, f->aside, IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_TRUNCATE, &f->file, &f->c);
                return IO_WAIT;
            case STEP_WRITE: io_file_write(f->file, bytes, size, 0, &f->c); return IO_WAIT;
            case STEP_SYNC: io_file_sync(f->file, IO_SYNC_FULL, &f->c); return IO_WAIT;
            case STEP_CLOSE: io_file_close(f->file, &f->c); return IO_WAIT;
            case STEP_RENAME: io_path_rename(f->io, f->aside, path, &f->c); return IO_WAIT;
            default: ASSERT(false);
            }
        }
        if (!arrived(f)) return IO_WAIT;
        bool bad = f->c.result < 0;
        if (bad) failed(f, f->aside, f->c.result == -ENOSPC ? ERR_FULL : ERR_IOERR_WRITE, "written");
        switch (f->step) {
        case STEP_OPEN:
            if (bad) return ended(f, err);
            f->step = STEP_WRITE;
            break;
        case STEP_WRITE: f->step = bad ? STEP_CLOSE : STEP_SYNC; break;
        case STEP_SYNC: f->step = STEP_CLOSE; break;
        case STEP_CLOSE:
            if (f->failed.code != ERR_OK) return ended(f, err);
            f->step = STEP_RENAME;
            break;
        case STEP_RENAME: return ended(f, err);
        default: ASSERT(false);
        }
    }
}
