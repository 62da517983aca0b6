#include "log_names.h"

#include <errno.h>
#include <sodium.h>

#define RESTORE_PARALLEL 4

// Each step is re-run from its top after a wait, and the next one is named only when it is done.
enum restore_step {
    RESTORE_HEAD,
    RESTORE_LIST,
    RESTORE_FIND_END, // the newest segment that completes a commit
    RESTORE_CREATE,
    RESTORE_FETCH, // several objects under way, applied in order
    RESTORE_WRITE,
    RESTORE_TRUNCATE,
    RESTORE_SYNC,
    RESTORE_CLOSE,
    RESTORE_NAME,
    RESTORE_SYNC_DIR,
    RESTORE_FAIL_CLOSE,
    RESTORE_FAIL_UNLINK,
    RESTORE_FINISHED,
};

struct fetch {
    struct object_request request;
    struct restore *restore;
    u64 sequence;        // 0: free
    bool arrived, waits; // waits: failed, tried again when the retry timer fires
    u32 attempt;
};

struct restore_private {
    struct restore_options options;
    struct io *io;
    char *name, *out_path, *aside, *folder;
    enum restore_step step;
    bool running, started;
    struct completion c, retry;
    struct object_request request;
    bool request_done;
    u32 attempt;
    u64 base, end, next_fetch, next_apply;
    bool has_base;
    u64 *sizes; // of base..end
    struct fetch fetches[RESTORE_PARALLEL];
    struct io_file *file;
    struct segment_reader reader;
    struct fetch *applying;
    struct segment_header newest;
    u8 parent[SEGMENT_HASH_SIZE];
    bool has_parent;
};

#define RESTORE_TRIES 5 // half a minute at most

static void restore_run(struct restore *r);

static void on_any(struct completion *c)
{
    restore_run(c->context);
}

static void on_request(struct completion *c)
{
    struct restore *r = ((struct object_request *)c->context)->context;
    r->private_->request_done = true;
    restore_run(r);
}

static void on_fetch(struct completion *c)
{
    struct fetch *f = ((struct object_request *)c->context)->context;
    f->arrived = true;
    restore_run(f->restore);
}

// A failed try is worth another: after a while, RESTORE_TRIES times.
static bool retry_later(struct restore *r, const struct err *err, u32 *attempt)
{
    struct restore_private *p = r->private_;
    if (!object_error_passes(err) || *attempt >= RESTORE_TRIES) return false;
    if (p->retry.state != COMPLETION_PENDING)
        io_timeout(p->io, object_backoff_ms(p->io, (*attempt)++) * 1000000, &p->retry);
    return true;
}

static io_status restore_request(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p->started) {
        if (p->retry.state == COMPLETION_PENDING) return IO_WAIT;
        p->started = true;
        p->request_done = false;
        object_start(p->options.objects, &p->request);
        return IO_WAIT;
    }
    if (!p->request_done) return IO_WAIT;
    p->started = false;
    if (p->request.err.code == ERR_OK) return IO_DONE;
    if (retry_later(r, &p->request.err, &p->attempt)) return IO_WAIT;
    r->err = p->request.err;
    return IO_FAIL;
}

static io_status step_head(struct restore *r)
{
    struct restore_private *p = r->private_;
    p->request.kind = OBJECT_GET;
    log_head_key(p->name, p->request.key);
    p->request.answer_size_max = 4096;
    io_status status = restore_request(r);
    if (status == IO_WAIT || (status == IO_FAIL && r->err.code != ERR_STORE_MISSING)) return status;
    p->base = 1;
    p->has_base = status == IO_DONE;
    err_clear(&r->err);
    if (p->has_base && !log_head_decode(p->request.answer, p->request.answer_size, &p->base))
        return IO_ERROR(&r->err, ERR_STORE_CORRUPT, "object %s is not a backup's head",
                        p->request.key);
    p->step = RESTORE_LIST;
    return IO_DONE;
}

static io_status step_list(struct restore *r)
{
    struct restore_private *p = r->private_;
    p->request.kind = OBJECT_LIST;
    snprintf(p->request.key, sizeof p->request.key, "%s/log/", p->name);
    log_key(p->name, p->base - 1, p->request.after);
    IO_TRY(restore_request(r));
    u32 count = p->request.entry_count;
    free(p->sizes);
    p->sizes = calloc(count + 1, sizeof *p->sizes);
    if (!p->sizes) return IO_ERROR(&r->err, ERR_NOMEM, "out of memory");
    p->end = p->base - 1;
    for (u32 i = 0; i < count; i++) {
        u64 sequence;
        if (!log_key_parse(p->name, p->request.entries[i].key, &sequence)) continue;
        if (sequence != p->end + 1)
            return IO_ERROR(&r->err, ERR_STORE_CORRUPT,
                            "object %s/log/%016llx is missing from the store", p->name,
                            (unsigned long long)p->end + 1);
        p->sizes[p->end - p->base + 1] = p->request.entries[i].size;
        p->end = sequence;
    }
    if (p->end < p->base)
        return IO_ERROR(&r->err, p->has_base ? ERR_STORE_CORRUPT : ERR_STORE_MISSING,
                        "%s holds no backup of a database named '%s'",
                        object_store_url(p->options.objects), p->name);
    p->step = RESTORE_FIND_END;
    return IO_DONE;
}

static io_status step_find_end(struct restore *r)
{
    struct restore_private *p = r->private_;
    p->request.kind = OBJECT_GET;
    log_key(p->name, p->end, p->request.key);
    u64 size = p->sizes[p->end - p->base];
    p->request.range_offset = size - MIN(size, SEGMENT_TRAILER_SIZE);
    p->request.range_size = SEGMENT_TRAILER_SIZE;
    p->request.answer_size_max = SEGMENT_TRAILER_SIZE;
    IO_TRY(restore_request(r));
    struct segment_header h;
    if (p->request.answer_size < SEGMENT_TRAILER_SIZE)
        return IO_ERROR(&r->err, ERR_STORE_CORRUPT, "object %s is damaged: it is too short",
                        p->request.key);
    if (!segment_trailer_read(p->request.answer, size, p->request.key, &h, &r->err)) return IO_FAIL;
    if (h.flags & LOG_MORE) {
        if (p->end == p->base)
            return IO_ERROR(&r->err, ERR_STORE_MISSING,
                            "the first image of '%s' was not pushed to its end", p->name);
        p->end--; // the tail of a push that never ended
        return IO_DONE;
    }
    r->page_size = h.page_size;
    r->objects_total = p->end - p->base + 1;
    for (u64 i = p->base; i <= p->end; i++) r->bytes_total += p->sizes[i - p->base];
    p->next_fetch = p->next_apply = p->base;
    p->step = RESTORE_CREATE;
    return IO_DONE;
}

// Runs one file operation of a step: submitted the first time, its result the second.
static bool operation_done(struct restore_private *p)
{
    if (!p->started || p->c.state == COMPLETION_PENDING) return false;
    p->started = false;
    return true;
}

static io_status step_create(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p->started) {
        p->started = true;
        io_file_open(p->io, p->aside, IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_TRUNCATE, &p->file,
                     &p->c);
        return IO_WAIT;
    }
    if (!operation_done(p)) return IO_WAIT;
    if (p->c.result < 0) {
        p->file = NULL;
        return IO_ERROR(&r->err, ERR_CANTOPEN, "%s cannot be created: %s", p->aside,
                        strerror((int)-p->c.result));
    }
    p->step = RESTORE_FETCH;
    return IO_DONE;
}

static io_status segment_start(struct restore *r, struct fetch *f)
{
    struct restore_private *p = r->private_;
    const struct segment_header *h = &p->reader.index.header;
    if (!segment_reader_open(&p->reader, f->request.answer, f->request.answer_size, f->request.key,
                             &p->options.key, &r->err))
        return IO_FAIL;
    bool first = f->sequence == p->base;
    if (h->tx_max != f->sequence || (first && !(h->flags & SEGMENT_IMAGE)) ||
        h->page_size != r->page_size ||
        (!first && memcmp(h->database_id, p->newest.database_id, sizeof h->database_id) != 0))
        return IO_ERROR(&r->err, ERR_STORE_CORRUPT, "object %s does not belong in its place",
                        f->request.key);
    if (p->has_parent && memcmp(h->parent, p->parent, sizeof p->parent) != 0)
        return IO_ERROR(&r->err, ERR_STORE_CORRUPT, "object %s does not follow the one before it",
                        f->request.key);
    p->newest = *h;
    p->applying = f;
    p->step = RESTORE_WRITE;
    return IO_DONE;
}

static io_status step_fetch(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (p->next_apply > p->end) {
        p->step = RESTORE_TRUNCATE;
        return IO_DONE;
    }
    struct fetch *next = NULL;
    for (u32 i = 0; i < RESTORE_PARALLEL; i++) {
        struct fetch *f = &p->fetches[i];
        bool again = false;
        if (f->sequence && f->arrived && f->request.err.code != ERR_OK) {
            if (!f->waits && !retry_later(r, &f->request.err, &f->attempt)) {
                r->err = f->request.err;
                return IO_FAIL;
            }
            f->waits = p->retry.state == COMPLETION_PENDING;
            again = !f->waits;
        }
        if (!f->sequence && p->next_fetch <= p->end) {
            f->sequence = p->next_fetch++;
            f->attempt = 0;
            again = true;
        }
        if (again) {
            f->arrived = false;
            f->request.kind = OBJECT_GET;
            log_key(p->name, f->sequence, f->request.key);
            object_start(p->options.objects, &f->request);
        }
        if (f->sequence == p->next_apply && f->arrived) next = f;
    }
    return next ? segment_start(r, next) : IO_WAIT;
}

// Writes the pages of a segment, neighbours of one block in one write.
static io_status step_write(struct restore *r)
{
    struct restore_private *p = r->private_;
    struct fetch *f = p->applying;
    if (p->started) {
        if (!operation_done(p)) return IO_WAIT;
        if (p->c.result < 0)
            return IO_ERROR(&r->err, p->c.result == -ENOSPC ? ERR_FULL : ERR_IOERR_WRITE,
                            "%s cannot be written: %s", p->aside, strerror((int)-p->c.result));
    }
    u32 number;
    const u8 *data;
    if (segment_reader_next(&p->reader, &number, &data, &r->err)) {
        u64 offset = (u64)(number - 1) * r->page_size;
        p->started = true;
        io_file_write(p->file, data, r->page_size, offset, &p->c);
        return IO_WAIT;
    }
    if (r->err.code != ERR_OK) return IO_FAIL;
    memcpy(p->parent, p->reader.index.hash, sizeof p->parent);
    p->has_parent = true;
    segment_reader_deinit(&p->reader);
    r->objects_done++;
    r->bytes_done += f->request.answer_size;
    r->sequence = f->sequence;
    r->time_ms = p->newest.time_max_ms;
    r->page_count = p->newest.page_count;
    f->sequence = 0;
    p->next_apply++;
    p->step = RESTORE_FETCH;
    return IO_DONE;
}

// The steps that are one operation each, in order.
static io_status step_operation(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p->started) {
        p->started = true;
        switch (p->step) {
        case RESTORE_TRUNCATE:
            io_file_truncate(p->file, (u64)r->page_count * r->page_size, &p->c);
            break;
        case RESTORE_SYNC: io_file_sync(p->file, IO_SYNC_FULL, &p->c); break;
        case RESTORE_CLOSE:
        case RESTORE_FAIL_CLOSE:
            io_file_close(p->file, &p->c);
            p->file = NULL;
            break;
        case RESTORE_NAME: io_path_link(p->io, p->aside, p->out_path, &p->c); break;
        case RESTORE_FAIL_UNLINK: io_path_unlink(p->io, p->aside, &p->c); break;
        case RESTORE_SYNC_DIR: io_path_sync_dir(p->io, p->folder, &p->c); break;
        case RESTORE_HEAD:
        case RESTORE_LIST:
        case RESTORE_FIND_END:
        case RESTORE_CREATE:
        case RESTORE_FETCH:
        case RESTORE_WRITE:
        case RESTORE_FINISHED: ASSERT(false);
        }
        return IO_WAIT;
    }
    if (!operation_done(p)) return IO_WAIT;
    bool failing = p->step == RESTORE_FAIL_CLOSE || p->step == RESTORE_FAIL_UNLINK;
    if (p->c.result < 0 && !failing)
        return IO_ERROR(&r->err, p->c.result == -EEXIST ? ERR_CANTOPEN : ERR_IOERR_WRITE, "%s: %s",
                        p->out_path, strerror((int)-p->c.result));
    switch (p->step) {
    case RESTORE_TRUNCATE: p->step = RESTORE_SYNC; break;
    case RESTORE_SYNC: p->step = RESTORE_CLOSE; break;
    case RESTORE_CLOSE: p->step = RESTORE_NAME; break;
    case RESTORE_NAME: p->step = RESTORE_SYNC_DIR; break;
    case RESTORE_SYNC_DIR: p->step = RESTORE_FAIL_UNLINK; break; // the name aside goes in any case
    case RESTORE_FAIL_CLOSE: p->step = RESTORE_FAIL_UNLINK; break;
    case RESTORE_FAIL_UNLINK: p->step = RESTORE_FINISHED; break;
    case RESTORE_HEAD:
    case RESTORE_LIST:
    case RESTORE_FIND_END:
    case RESTORE_CREATE:
    case RESTORE_FETCH:
    case RESTORE_WRITE:
    case RESTORE_FINISHED: ASSERT(false);
    }
    return IO_DONE;
}

static io_status restore_step_run(struct restore *r)
{
    switch (r->private_->step) {
    case RESTORE_HEAD: return step_head(r);
    case RESTORE_LIST: return step_list(r);
    case RESTORE_FIND_END: return step_find_end(r);
    case RESTORE_CREATE: return step_create(r);
    case RESTORE_FETCH: return step_fetch(r);
    case RESTORE_WRITE: return step_write(r);
    case RESTORE_TRUNCATE:
    case RESTORE_SYNC:
    case RESTORE_CLOSE:
    case RESTORE_NAME:
    case RESTORE_SYNC_DIR:
    case RESTORE_FAIL_CLOSE:
    case RESTORE_FAIL_UNLINK: return step_operation(r);
    case RESTORE_FINISHED: return IO_WAIT;
    }
    return IO_WAIT;
}

static bool fetches_busy(struct restore_private *p)
{
    bool busy = false;
    for (u32 i = 0; i < RESTORE_PARALLEL; i++) busy |= object_request_busy(&p->fetches[i].request);
    return busy;
}

// So that a node can go on with this log: its first push then claims the log with a higher epoch.
static void bind_database(struct restore *r)
{
    struct restore_private *p = r->private_;
    struct backup_mark m = {
        .serial = 1, .sequence = r->sequence, .epoch = p->newest.epoch, .clean = true};
    memcpy(m.database_id, p->newest.database_id, sizeof m.database_id);
    memcpy(m.hash, p->parent, sizeof m.hash);
    if (!backup_file_identity(p->out_path, &m.file_size, &m.file_modified_ns) ||
        !backup_mark_write(p->out_path, &m, &r->err))
        err_set(&r->err, ERR_IOERR, __func__, "%s cannot be bound to its backup", p->out_path);
}

static void restore_run(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (p->running || p->step == RESTORE_FINISHED) return;
    p->running = true;
    io_status status = IO_DONE;
    while (status == IO_DONE && p->step != RESTORE_FINISHED) {
        status = restore_step_run(r);
        if (status == IO_FAIL) {
            segment_reader_deinit(&p->reader);
            p->started = false;
            p->step = p->file ? RESTORE_FAIL_CLOSE : RESTORE_FAIL_UNLINK;
            for (u32 i = 0; i < RESTORE_PARALLEL; i++) object_cancel(&p->fetches[i].request);
            status = IO_DONE;
        }
    }
    p->running = false;
    if (p->step != RESTORE_FINISHED) return;
    if (fetches_busy(p)) { // their buffers are ours: wait for them
        p->step = RESTORE_FAIL_UNLINK;
        p->started = false;
        return;
    }
    if (r->err.code == ERR_OK && p->options.bind) bind_database(r);
    completion_post(p->io, &r->done, r->err.code == ERR_OK ? 0 : -EIO);
}

void restore_start(struct restore *r, const struct restore_options *options)
{
    struct restore_private *p = calloc(1, sizeof *p);
    r->err = ERR_CLEAR;
    r->private_ = p;
    if (!p || asprintf(&p->aside, "%s.restoring", options->out_path) < 0 ||
        !(p->out_path = strdup(options->out_path)) || !(p->name = strdup(options->name)) ||
        !(p->folder = strdup(options->out_path))) {
        err_set(&r->err, ERR_NOMEM, __func__, "out of memory");
        completion_post(options->io, &r->done, -ENOMEM);
        return;
    }
    char *slash = strrchr(p->folder, '/');
    if (slash)
        slash[slash == p->folder] = 0;
    else
        memcpy(p->folder, ".", MIN(strlen(p->folder) + 1, 2u));
    p->options = *options;
    p->io = options->io;
    completion_init(&p->c, on_any, r);
    completion_init(&p->retry, on_any, r);
    object_request_init(&p->request, on_request, r);
    for (u32 i = 0; i < RESTORE_PARALLEL; i++) {
        p->fetches[i].restore = r;
        object_request_init(&p->fetches[i].request, on_fetch, &p->fetches[i]);
    }
    u64 size, modified_ns;
    if (backup_file_identity(options->out_path, &size, &modified_ns)) {
        err_set(&r->err, ERR_CANTOPEN, __func__,
                "%s is there already; a restore never overwrites a file", options->out_path);
        p->step = RESTORE_FINISHED;
        completion_post(p->io, &r->done, -EEXIST);
        return;
    }
    restore_run(r);
}

void restore_deinit(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p) return;
    while (p->retry.state == COMPLETION_PENDING) {
        io_cancel(p->io, &p->retry);
        if (io_step(p->io, 10000000) < 0) break;
    }
    if (p->io) {
        object_request_deinit(&p->request);
        for (u32 i = 0; i < RESTORE_PARALLEL; i++) object_request_deinit(&p->fetches[i].request);
    }
    free(p->sizes);
    free(p->name);
    free(p->out_path);
    free(p->aside);
    free(p->folder);
    free(p);
    r->private_ = NULL;
}
