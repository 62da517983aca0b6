// The life of a replica: its steps are run until one waits; failures are waited out, but those that need a person.
#include "replica_private.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>

#define POLL_MS_DEFAULT 1000
#define RETRY_MS_MAX    5000 // a replica is to be there soon after its source is
#define HEAD_EVERY      10   // looks: the next push may have been merged away, or another lineage begun

void replica_log(struct replica *r, enum sync_log_level level, const char *event, const char *format, ...)
{
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (r->options.log) r->options.log(r->options.log_context, level, event, text);
}

static void replica_wake(void *r)
{
    replica_run(r);
}

static void on_completion(struct completion *c)
{
    replica_run(c->context);
}

static void on_op(struct waiter *w)
{
    replica_run(CONTAINER_OF(CONTAINER_OF(w, struct op, waiter), struct replica, op));
}

io_status replica_yield(struct replica *r)
{
    if (r->turn.state != COMPLETION_PENDING) completion_post(r->io, &r->turn, 0);
    return IO_WAIT;
}

// ---- the mark
// ------------------------------------------------------------------------------------------------

// The first of this life is made durable with its name, before what it tells of is in the log: that all of this came from
// elsewhere. The others are not synced: what they say less than the database is found out.
static io_status mark_write(struct replica *r, struct err *err)
{
    if (!r->mark_in_flight && r->options.node) {
        replica_place_note(r);
        replica_place_encode(r, r->mark_bytes);
        r->mark_in_flight = true;
        io_file_write(r->mark_file, r->mark_bytes, REPLICA_PLACE_SIZE, 0, &r->mark_done);
        return IO_WAIT;
    }
    if (!r->mark_in_flight) {
        struct store_position at;
        store_position_get(r->store, &at, NULL);
        r->mark.serial++;
        r->mark.clean = false;
        r->mark.wal_salt[0] = at.wal_salt[0];
        r->mark.wal_salt[1] = at.wal_salt[1];
        r->mark.wal_frame = at.wal_frame;
        r->marked = true;
        struct backup_mark m = r->mark;
        m.unclaimed = true;
        backup_mark_encode(&m, r->mark_bytes);
        r->mark_in_flight = true;
        r->mark_iov = (struct iovec){r->mark_bytes, BACKUP_MARK_SIZE};
        if (r->mark_durable == MARK_DURABLE)
            io_file_write(r->mark_file, r->mark_bytes, BACKUP_MARK_SIZE, backup_mark_offset(&r->mark), &r->mark_done);
        else
            io_file_writev_sync(r->mark_file, &r->mark_iov, 1, backup_mark_offset_durable(&r->mark), &r->mark_done);
        return IO_WAIT;
    }
    if (r->mark_done.state == COMPLETION_PENDING) return IO_WAIT;
    if (r->mark_done.result < 0) {
        r->mark_in_flight = false;
        r->mark_unwritten = true;
        r->mark_durable = r->mark_durable == MARK_DURABLE ? MARK_DURABLE : MARK_UNSYNCED;
        return IO_ERROR(err, ERR_IOERR_WRITE, "the mark beside %s cannot be written: %s", r->path, strerror((int)-r->mark_done.result));
    }
    if (r->mark_durable == MARK_UNSYNCED) {
        r->mark_durable = MARK_NAME;
        io_path_folder(r->path, r->mark_folder, sizeof r->mark_folder);
        io_path_sync_dir(r->io, r->mark_folder, &r->mark_done);
        return IO_WAIT;
    }
    r->mark_durable = MARK_DURABLE;
    r->mark_in_flight = r->mark_unwritten = false;
    if (!r->options.node) r->mark.unclaimed = true; // the file says so: nothing is committed before (replica_finish)
    r->step = r->after_mark;
    return IO_DONE;
}

// The log began anew: its place in the new one is noted, so that a start after a crash finds it.
static bool mark_moved(struct replica *r)
{
    struct store_position at;
    store_position_get(r->store, &at, NULL);
    if (!r->exact || !r->marked || r->mark.clean || (at.wal_salt[0] == r->mark.wal_salt[0] && at.wal_salt[1] == r->mark.wal_salt[1])) return false;
    r->after_mark = REPLICA_WAIT;
    r->step = REPLICA_MARK;
    return true;
}

// Is the database what the mark says?
static bool state_exact(struct replica *r)
{
    struct store_position at, found;
    store_position_get(r->store, &at, NULL);
    if (!r->marked || !r->mark.tx) return at.page_count == 0;
    if (r->mark.clean) return r->file_is_clean && at.wal_frame == 0;
    return store_position_find(r->store, r->mark.wal_salt, r->mark.wal_frame, &found) && found.lsn == at.lsn;
}

// ---- running
// ------------------------------------------------------------------------------------------------

static io_status wait_step(struct replica *r)
{
    u64 now = io_now_ns(r->io), due = r->asked_ns + (u64)r->options.poll_ms * 1000000;
    if (mark_moved(r)) return IO_DONE;
    if (r->drain || now >= due) { // while nothing comes, a look is one request
        bool head = !r->drain && r->misses && r->misses % HEAD_EVERY == 0;
        r->misses += head;
        r->asked_ns = now;
        r->step = head ? REPLICA_HEAD : REPLICA_NEXT;
        return IO_DONE;
    }
    if (r->timer.state != COMPLETION_PENDING) io_timeout(r->io, due - now, &r->timer);
    return IO_WAIT;
}

static io_status step_run(struct replica *r, struct err *err)
{
    switch (r->step) {
    case REPLICA_PLACE: return replica_place_find(r);
    case REPLICA_CHAIN: return replica_chain(r);
    case REPLICA_CHAIN_DONE: return replica_chain_done(r, err);
    case REPLICA_OBJECT: return replica_object(r, err);
    case REPLICA_APPLY: return replica_apply(r, err);
    case REPLICA_BEHIND: return replica_behind(r, err);
    case REPLICA_FINISH: return replica_finish(r, err);
    case REPLICA_MARK: return mark_write(r, err);
    case REPLICA_NEXT: return replica_next(r, err);
    case REPLICA_HEAD: return replica_head(r, err);
    case REPLICA_WAIT: return wait_step(r);
    case REPLICA_ASK: return replica_ask(r, err);
    case REPLICA_COMPARE: return replica_compare(r, err);
    case REPLICA_DRAINED:
    case REPLICA_STOPPED: return IO_WAIT;
    }
    return IO_WAIT;
}

static bool needs_person(const struct err *err)
{
    return err->code == ERR_STORE_FOREIGN || err->code == ERR_STORE_KEY || err->code == ERR_STORE_CORRUPT;
}

static enum replica_step first_step(const struct replica *r)
{
    return r->options.node && !r->from_store ? REPLICA_ASK : REPLICA_CHAIN;
}

static void drain_end(struct replica *r, s64 result)
{
    struct completion *drain = r->drain;
    r->drain = NULL;
    if (drain) completion_release(r->io, drain, result);
}

static void failed(struct replica *r, struct err *err)
{
    replica_apply_abandon(r);
    replica_chain_close(r);
    if (r->stopping) return;
    bool new = strcmp(r->status.error, err->text) != 0;
    snprintf(r->status.error, sizeof r->status.error, "%s", err->text);
    r->status.connected = false;
    if (r->drain) *r->drain_err = *err;
    drain_end(r, -EIO);
    if (needs_person(err)) {
        replica_log(r, SYNC_LOG_ERROR, "replica.failed", "%s", err->text);
        r->status.failed = true;
        r->step = REPLICA_STOPPED;
        return;
    }
    u64 backoff_ms = object_backoff_ms(r->io, r->attempt++), ms = MIN(backoff_ms, (u64)RETRY_MS_MAX);
    if (new) replica_log(r, SYNC_LOG_WARN, "replica.retry", "%s", err->text);
    r->not_before_ns = io_now_ns(r->io) + ms * 1000000;
    r->from_store = r->ask_last = false;
    r->ask = ASK_IDLE;
    r->more[0] = 0;
    r->part = 0;
    r->step = first_step(r);
}

void replica_run(struct replica *r)
{
    if (r->running || !r->store || r->stopping) return;
    r->running = true;
    for (;;) {
        struct err err = ERR_CLEAR;
        u64 now = io_now_ns(r->io);
        if (now < r->not_before_ns) {
            if (r->timer.state != COMPLETION_PENDING) io_timeout(r->io, r->not_before_ns - now, &r->timer);
            break;
        }
        io_status status = step_run(r, &err);
        if (status == IO_WAIT) break;
        if (status == IO_FAIL) failed(r, &err);
    }
    r->running = false;
    if (r->step != REPLICA_DRAINED || !r->drain) return;
    r->status.error[0] = 0;
    drain_end(r, 0);
}

// ---- from outside
// -----------------------------------------------------------------------------------------------

static bool mark_file_open(struct replica *r, struct err *err)
{
    char path[4096];
    if (r->options.node)
        snprintf(path, sizeof path, "%.4080s-replica", r->path);
    else
        backup_mark_path(r->path, path);
    completion_init(&r->mark_done, NULL, NULL);
    io_file_open(r->io, path, IO_OPEN_WRITE | IO_OPEN_CREATE, &r->mark_file, &r->mark_done);
    while (r->mark_done.state == COMPLETION_PENDING) io_step(r->io, 100000000);
    s64 result = r->mark_done.result;
    completion_init(&r->mark_done, on_completion, r);
    if (result >= 0) return true;
    r->mark_file = NULL;
    err_set_errno(err, ERR_CANTOPEN, (int)-result, __func__, "%s cannot be opened: %s", path, strerror((int)-result));
    return false;
}

struct replica *replica_create(const struct replica_options *options, struct err *err)
{
    struct replica *r = calloc(1, sizeof *r);
    if (!r) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    r->options = *options;
    r->io = options->io;
    if (!r->options.poll_ms) r->options.poll_ms = POLL_MS_DEFAULT;
    snprintf(r->path, sizeof r->path, "%s", options->path);
    op_init(&r->op, r->io, on_op);
    completion_init(&r->timer, on_completion, r);
    completion_init(&r->turn, on_completion, r);
    completion_init(&r->request.done, on_completion, r);
    if (options->objects) fetch_init(&r->fetch, options->objects, 1, replica_wake, r);
    r->step = first_step(r);
    bool good = true;
    if (options->node) {
        good = replica_node_begin(r, err);
    } else {
        u64 size, modified_ns;
        r->marked = backup_mark_read(r->io, r->path, &r->mark);
        r->file_is_clean = r->marked && r->mark.clean && backup_file_identity(r->io, r->path, &size, &modified_ns) &&
                           size == r->mark.file_size && modified_ns == r->mark.file_modified_ns;
    }
    if (good && mark_file_open(r, err)) return r;
    replica_destroy(r);
    return NULL;
}

void replica_start(struct replica *r, struct store *store)
{
    r->store = store;
    r->started = true;
    r->txn = txn_create(store);
    if (!r->txn) {
        snprintf(r->status.error, sizeof r->status.error, "out of memory");
        r->status.failed = true;
        r->step = REPLICA_STOPPED;
        return;
    }
    if (r->options.node)
        r->step = REPLICA_PLACE;
    else
        r->exact = state_exact(r);
    store_position_get(store, &r->before, NULL);
    if (!r->options.node && !r->exact && !r->mark.unclaimed) {
        struct err err = ERR_CLEAR;
        err_set(&err, ERR_STORE_FOREIGN, __func__,
                "%s was a writer's, or was changed by another program, and has changes that were never pushed: they would be lost. "
                "Stop this node, move the file away, and start it again",
                r->path);
        failed(r, &err);
        return;
    }
    replica_run(r);
}

void replica_status_get(const struct replica *r, struct replica_status *out)
{
    *out = r->status;
    out->tx = r->mark.tx;
}

void replica_drain(struct replica *r, u64 until_ns, struct completion *done, struct err *err)
{
    if (r->step == REPLICA_STOPPED) {
        err_set(err, ERR_STORE_FOREIGN, __func__, "%s", r->status.error);
        completion_post(r->io, done, -EIO);
        return;
    }
    completion_hold(r->io, done);
    r->drain = done;
    r->drain_err = err;
    r->drain_until_ns = until_ns;
    r->matches = false;
    r->not_before_ns = 0;
    r->ask_last = r->options.node != NULL;
    if (r->ask == ASK_RUNNING) io_http_cancel(r->options.http, &r->request); // it may be waiting for news
    replica_run(r);
}

void replica_resume(struct replica *r)
{
    struct backup_mark mark;
    if (backup_mark_read(r->io, r->path, &mark)) r->mark.serial = MAX(r->mark.serial, mark.serial);
    r->from_store = r->ask_last = false;
    r->step = first_step(r);
    replica_run(r);
}

// Durably. Turns the loop.
static bool place_write(struct replica *r, struct err *err)
{
    struct completion done;
    replica_place_encode(r, r->mark_bytes);
    r->mark_iov = (struct iovec){r->mark_bytes, REPLICA_PLACE_SIZE};
    completion_init(&done, NULL, NULL);
    io_file_writev_sync(r->mark_file, &r->mark_iov, 1, 0, &done);
    while (done.state == COMPLETION_PENDING)
        if (io_step(r->io, 10000000) < 0) break;
    if (done.state != COMPLETION_PENDING && done.result >= 0) return true;
    err_set(err, ERR_IOERR_WRITE, __func__, "%s-replica cannot be written: %s", r->path,
            done.state == COMPLETION_PENDING ? "the I/O loop failed" : strerror((int)-done.result));
    return false;
}

bool replica_settle(struct replica *r, struct err *err)
{
    if (!r->options.node) return true;
    // From now on others may write here, and a start is not told. Until they do, the place is where it was.
    struct replica_position position = r->position;
    r->position = (struct replica_position){0};
    bool written = place_write(r, err);
    r->position = position;
    if (!written) return false;
    // The log goes on from the store's newest state, or where it stands against it is not known: then the writer begins
    // with an image.
    struct backup_mark old;
    struct store_position at;
    store_position_get(r->store, &at, NULL);
    struct backup_mark m = r->mark;
    m.serial = backup_mark_read(r->io, r->path, &old) ? old.serial + 1 : 1;
    m.wal_salt[0] = r->matches ? at.wal_salt[0] : 0;
    m.wal_salt[1] = r->matches ? at.wal_salt[1] : 0;
    m.wal_frame = r->matches ? at.wal_frame : UINT32_MAX;
    m.clean = false;
    m.unclaimed = true;
    return backup_mark_write(r->io, r->path, &m, err);
}

static bool busy(const struct replica *r)
{
    return fetch_busy(&r->fetch) || r->mark_in_flight || r->ask == ASK_RUNNING || r->timer.state == COMPLETION_PENDING ||
           r->turn.state == COMPLETION_PENDING || (r->chain_open && r->chain.done.state != COMPLETION_DONE);
}

void replica_stop(struct replica *r)
{
    r->stopping = true;
    drain_end(r, -ECANCELED);
    fetch_cancel(&r->fetch);
    if (r->chain_open) chain_cancel(&r->chain);
    if (r->ask == ASK_RUNNING) io_http_cancel(r->options.http, &r->request);
    if (r->timer.state == COMPLETION_PENDING) io_cancel(r->io, &r->timer);
    while (busy(r)) {
        if (r->mark_in_flight && r->mark_done.state != COMPLETION_PENDING) r->mark_in_flight = false;
        if (r->ask == ASK_RUNNING && r->request.done.state == COMPLETION_DONE) r->ask = ASK_ARRIVED;
        if (!busy(r) || io_step(r->io, 10000000) < 0) break;
    }
    // A commit that is on its way to the disk is waited for.
    while (r->options.node && r->committing) {
        io_status status = txn_commit(r->txn, &r->op);
        if (status == IO_WAIT && io_step(r->io, 10000000) >= 0) continue;
        r->committing = false;
        if (status == IO_DONE) replica_node_adopt(r);
        if (status == IO_WAIT) r->position = (struct replica_position){0};
    }
    // Or it is told to nobody; the mark is then behind, as after a crash.
    replica_apply_abandon(r);
    txn_destroy(r->txn);
    r->txn = NULL;
    r->store = NULL;
}

void replica_destroy(struct replica *r)
{
    if (!r) return;
    struct completion closed;
    struct err err = ERR_CLEAR;
    ASSERT(!r->store);
    // Clean: the file alone is what the mark says. Who was not started has not compared the two.
    char wal[4200];
    u64 size, modified_ns;
    snprintf(wal, sizeof wal, "%s-wal", r->path);
    bool clean = r->started && r->stopping && r->step != REPLICA_PLACE && r->step != REPLICA_DRAINED &&
                 !backup_file_identity(r->io, wal, &size, &modified_ns);
    r->place = (struct replica_place){.clean = true};
    if (r->options.node && clean && r->position.instance && r->mark_file &&
        backup_file_identity(r->io, r->path, &r->place.file_size, &r->place.file_modified_ns)) {
        if (!place_write(r, &err)) replica_log(r, SYNC_LOG_WARN, "replica.mark", "%s", err.text);
    }
    if (r->mark_file) {
        completion_init(&closed, NULL, NULL);
        io_file_close(r->mark_file, &closed);
        while (closed.state == COMPLETION_PENDING)
            if (io_step(r->io, 10000000) < 0) break;
    }
    if (!r->options.node && clean && r->exact && r->mark.tx && backup_file_identity(r->io, r->path, &r->mark.file_size, &r->mark.file_modified_ns)) {
        r->mark.serial++;
        r->mark.clean = true;
        if (!backup_mark_write(r->io, r->path, &r->mark, &err)) replica_log(r, SYNC_LOG_WARN, "replica.mark", "%s", err.text);
    }
    replica_chain_close(r);
    free(r->commit_pages);
    fetch_deinit(&r->fetch);
    io_http_request_deinit(&r->request);
    op_deinit(&r->op);
    free(r->old);
    sodium_memzero(r, sizeof *r);
    free(r);
}
