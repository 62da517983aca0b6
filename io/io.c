#include "backend.h"

#include <errno.h>

// Of completion.c.
void completion_group_leave(struct completion_group *g, struct completion *child);
void completion_group_child_done(struct completion_group *g, s64 result);

// ---- creating and destroying

static const struct io_backend *backend_find(enum io_backend_kind kind)
{
    switch (kind) {
    case IO_BACKEND_POSIX: return &io_backend_posix;
    case IO_BACKEND_MEMORY: return &io_backend_memory;
    case IO_BACKEND_RING: return &io_backend_ring;
    case IO_BACKEND_SIM: return &io_backend_sim;
    }
    return NULL;
}

static int io_init_backend(struct io *io, enum io_backend_kind kind,
                           const struct io_options *options)
{
    io->backend = backend_find(kind);
    return io->backend ? io->backend->init(io, options) : -ENOSYS;
}

static void reason_set(struct io *io, int refusal)
{
    const char *why = strerror(refusal);
    if (refusal == EPERM || refusal == EACCES)
        why = "it is not permitted (a seccomp profile, or the sysctl kernel.io_uring_disabled)";
    if (refusal == ENOSYS) why = "this kernel does not have it, or an older one";
    if (refusal == ENOMEM) why = "not enough memory may be locked (RLIMIT_MEMLOCK)";
    snprintf(io->reason, sizeof io->reason, "io_uring cannot be used: %s", why);
}

struct io *io_create(const struct io_options *options, struct err *err)
{
    struct io *io = calloc(1, sizeof *io);
    if (!io) {
        err_set(err, ERR_NOMEM, __func__, "out of memory for the I/O loop");
        return NULL;
    }
    int rc = io_init_backend(io, options->backend, options);
    if (rc < 0 && options->backend == IO_BACKEND_RING && options->fallback) {
        reason_set(io, -rc);
        rc = io_init_backend(io, IO_BACKEND_POSIX, options);
    }
    if (rc < 0) {
        err_set_errno(err, ERR_IOERR, -rc, __func__, "cannot start the I/O backend \"%s\": %s",
                      io->backend ? io->backend->name : "io_uring", strerror(-rc));
        free(io);
        return NULL;
    }
    return io;
}

static void io_cancel_all(struct io *io)
{
    for (struct completion *c = io->queued.first, *next; c; c = next) {
        next = c->op.next;
        io_cancel(io, c);
    }
    for (struct completion *c = io->connecting.first, *next; c; c = next) {
        next = c->op.next;
        io_cancel(io, c);
    }
    for (struct completion *c = io->waiting.first, *next; c; c = next) {
        next = c->op.next;
        io_cancel(io, c);
    }
    while (io->timers.count > 0) io_cancel(io, io->timers.items[io->timers.count - 1]);
}

void io_destroy(struct io *io)
{
    if (!io) return;
    io->closing = true;
    // A sealed group whose children were never submitted would be waited for in vain.
    while (io->pending_count > 0 && (io->ready.first || io->queued.first || io->waiting.first ||
                                     io->connecting.first || io->timers.count > 0)) {
        io_cancel_all(io);
        if (io_step(io, UINT64_MAX) < 0) break;
    }
    while (io->files) {
        struct native_file *f = io->files;
        io->backend->file_drop(f);
        native_file_free(f);
    }
    io->backend->deinit(io);
    free(io->timers.items);
    free(io->polls);
    free(io);
}

// ---- submitting, finishing, running

void io_submit(struct io *io, struct completion *c, enum op_kind kind)
{
    ASSERT(c->state != COMPLETION_PENDING);
    c->state = COMPLETION_PENDING;
    c->io = io;
    c->op.kind = (u8)kind;
    c->op.place = PLACE_NONE;
    c->op.parts = c->op.flags = 0;
    c->op.done_size = 0;
    io->pending_count++;
    io->counters.submissions++;
    if (kind != OP_CLOSE && (io->closing || (c->group && c->group->cancelled)))
        io_finish(io, c, -ECANCELED);
    else
        io->backend->submit(io, c);
}

void io_finish(struct io *io, struct completion *c, s64 result)
{
    ASSERT(c->state == COMPLETION_PENDING);
    ASSERT(c->op.place != PLACE_READY);
    c->result = result;
    c->op.place = PLACE_READY;
    completion_list_add(&io->ready, c);
}

static void io_run(struct io *io, struct completion *c)
{
    struct completion_group *g = c->group;
    s64 result = c->result;
    if (g) completion_group_leave(g, c);
    c->op.place = PLACE_NONE;
    c->state = COMPLETION_DONE;
    io->pending_count--;
    io->counters.completions++;
    if (c->callback) c->callback(c); // c may be gone after this
    if (g) completion_group_child_done(g, result);
}

s64 io_step(struct io *io, u64 timeout_ns)
{
    if (io->pending_count == 0 && timeout_ns == UINT64_MAX) return 0;
    u64 wait_ns = io->ready.first ? 0 : timeout_ns;
    u64 deadline_ns = timer_next_ns(io);
    if (deadline_ns != UINT64_MAX && wait_ns > 0) {
        u64 now_ns = io_now_ns(io);
        wait_ns = deadline_ns <= now_ns ? 0 : MIN(wait_ns, deadline_ns - now_ns);
    }
    int rc = io->backend->step(io, wait_ns);
    timer_expire(io);

    // What callbacks finish or post belongs to the next step.
    s64 count = 0;
    struct completion *last = io->ready.last;
    while (io->ready.first) {
        struct completion *c = io->ready.first;
        completion_list_remove(&io->ready, c);
        bool was_last = c == last;
        io_run(io, c);
        count++;
        if (was_last) break;
    }
    return rc < 0 && count == 0 ? rc : count;
}

void io_cancel(struct io *io, struct completion *target)
{
    if (target->op.kind == OP_GROUP) {
        if (target->state == COMPLETION_DONE || target->op.place == PLACE_READY) return;
        completion_group_cancel(CONTAINER_OF(target, struct completion_group, completion));
        return;
    }
    if (target->state != COMPLETION_PENDING || target->op.kind == OP_CLOSE) return;
    switch ((enum op_place)target->op.place) {
    case PLACE_NONE:
    case PLACE_READY: break;
    case PLACE_TIMER:
        timer_remove(io, target);
        io_finish(io, target, -ECANCELED);
        break;
    case PLACE_CONNECT: connect_cancel(io, target); break;
    case PLACE_QUEUED:
        completion_list_remove(&io->queued, target);
        io_finish(io, target, -ECANCELED);
        break;
    case PLACE_WAITING: io->backend->cancel(io, target); break;
    }
}

void io_timeout(struct io *io, u64 delay_ns, struct completion *c)
{
    u64 now_ns = io_now_ns(io);
    c->op.deadline_ns = delay_ns > UINT64_MAX - 1 - now_ns ? UINT64_MAX - 1 : now_ns + delay_ns;
    io_submit(io, c, OP_TIMEOUT);
}

// ---- facts

bool io_busy(const struct io *io)
{
    return io->pending_count > 0;
}

enum io_backend_kind io_backend(const struct io *io)
{
    return io->backend->kind;
}

const char *io_backend_name(const struct io *io)
{
    return io->backend->name;
}

const char *io_backend_reason(const struct io *io)
{
    return io->reason[0] ? io->reason : NULL;
}

void io_counters_get(const struct io *io, struct io_counters *out)
{
    *out = io->counters;
}

u64 io_now_ns(const struct io *io)
{
    return io->backend->now_ns(io);
}

s64 io_wall_ms(const struct io *io)
{
    return io->backend->wall_ms(io);
}

void io_random(struct io *io, void *out, size_t size)
{
    io->backend->random(io, out, size);
}

static size_t buffers_size(size_t size)
{
    return (size + 4095) & ~(size_t)4095;
}

void *io_buffers_alloc(struct io *io, size_t size)
{
    return size == 0 || size > SIZE_MAX - 4095 ? NULL
                                               : io->backend->buffers_alloc(io, buffers_size(size));
}

void io_buffers_free(struct io *io, void *memory, size_t size)
{
    if (memory) io->backend->buffers_free(io, memory, buffers_size(size));
}

// ---- vectored transfers

void op_iov_set(struct completion *c, const struct iovec *iov, u32 iov_count)
{
    c->op.iov = iov;
    c->op.iov_count = iov_count;
    c->op.iov_rest = (struct iovec){0};
}

// A stretch that stopped inside a vector goes on with what is left of that vector alone, since the
// owner's array is not ours to change.
bool op_iov_advance(struct completion *c, u64 size)
{
    c->op.done_size += size;
    if (c->op.iov_rest.iov_len > 0) {
        ASSERT(size <= c->op.iov_rest.iov_len);
        c->op.iov_rest.iov_base = (char *)c->op.iov_rest.iov_base + size;
        c->op.iov_rest.iov_len -= size;
        return op_iov_left(c);
    }
    while (c->op.iov_count > 0 && size >= c->op.iov->iov_len) {
        size -= c->op.iov->iov_len;
        c->op.iov++;
        c->op.iov_count--;
    }
    if (size > 0) {
        ASSERT(c->op.iov_count > 0);
        c->op.iov_rest.iov_base = (char *)c->op.iov->iov_base + size;
        c->op.iov_rest.iov_len = c->op.iov->iov_len - size;
        c->op.iov++;
        c->op.iov_count--;
    }
    return op_iov_left(c);
}
