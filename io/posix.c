// The posix backend: files by synchronous calls within io_step, sockets by poll(2).
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int posix_init(struct io *io, const struct io_options *options)
{
    return 0;
}

static void posix_deinit(struct io *io)
{
}

void posix_submit(struct io *io, struct completion *c)
{
    if (c->op.kind == OP_TIMEOUT) {
        timer_add(io, c);
        return;
    }
    c->op.place = PLACE_QUEUED;
    completion_list_add(&io->queued, c);
}

void posix_cancel(struct io *io, struct completion *c)
{
    completion_list_remove(&io->waiting, c);
    io_finish(io, c, -ECANCELED);
}

// ---- sockets

static s64 socket_send(struct completion *c)
{
    while (op_iov_left(c)) {
        u32 count;
        const struct iovec *iov = op_iov(c, &count);
        struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = count};
        ssize_t n = sendmsg(c->op.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        op_iov_advance(c, (u64)n);
    }
    return (s64)c->op.done_size;
}

// -EAGAIN: not now.
static s64 socket_try(struct completion *c)
{
    s64 n;
    switch ((enum op_kind)c->op.kind) {
    case OP_ACCEPT:
        do n = accept4(c->op.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        while (n < 0 && (errno == EINTR || errno == ECONNABORTED));
        return n < 0 ? -errno : n;
    case OP_RECV:
        do n = recv(c->op.fd, c->op.iov_one.iov_base, c->op.iov_one.iov_len, MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
    case OP_SEND: return socket_send(c);
    case OP_POLL: return -EAGAIN; // poll(2) itself tells
    case OP_NONE:
    case OP_POST:
    case OP_GROUP:
    case OP_TIMEOUT:
    case OP_CONNECT:
    case OP_OPEN:
    case OP_READ:
    case OP_WRITE:
    case OP_WRITE_SYNC:
    case OP_SYNC:
    case OP_TRUNCATE:
    case OP_ALLOCATE:
    case OP_SIZE:
    case OP_CLOSE:
    case OP_UNLINK:
    case OP_RENAME:
    case OP_LINK:
    case OP_MKDIR:
    case OP_SYNC_DIR:
    case OP_LIST:
    case OP_STAT:
    case OP_COUNT: ASSERT(!"a socket operation");
    }
    return -EINVAL;
}

static short socket_events(const struct completion *c)
{
    if (c->op.kind == OP_POLL) return (short)c->op.mode;
    return c->op.kind == OP_SEND ? POLLOUT : POLLIN;
}

static bool is_socket_op(const struct completion *c)
{
    return c->op.kind >= OP_POLL && c->op.kind <= OP_SEND;
}

// ---- the step

static void posix_start_queued(struct io *io, s64 (*execute)(struct io *, struct completion *))
{
    struct completion *c;
    while ((c = io->queued.first) != NULL) {
        completion_list_remove(&io->queued, c);
        s64 result = is_socket_op(c) ? socket_try(c) : execute(io, c);
        if (result == -EAGAIN && is_socket_op(c)) {
            c->op.place = PLACE_WAITING;
            completion_list_add(&io->waiting, c);
        } else {
            io_finish(io, c, result);
        }
    }
}

static void posix_collect(struct io *io, const struct pollfd *polls, u32 count)
{
    struct completion *c = io->waiting.first;
    for (u32 i = 0; i < count; i++) {
        struct completion *next = c->op.next;
        if (polls[i].revents) {
            s64 result;
            if (polls[i].revents & POLLNVAL)
                result = -EBADF;
            else
                result = c->op.kind == OP_POLL ? polls[i].revents : socket_try(c);
            if (result != -EAGAIN) {
                completion_list_remove(&io->waiting, c);
                io_finish(io, c, result);
            }
        }
        c = next;
    }
}

int posix_step_with(struct io *io, u64 wait_ns, s64 (*execute)(struct io *io, struct completion *c))
{
    posix_start_queued(io, execute);
    if (io->ready.first) wait_ns = 0;
    u32 count = 0;
    for (struct completion *c = io->waiting.first; c; c = c->op.next) {
        if (count == io->poll_capacity) {
            u32 capacity = io->poll_capacity ? io->poll_capacity * 2 : 64;
            struct pollfd *polls = realloc(io->polls, capacity * sizeof *polls);
            if (!polls) break; // the others have their turn when these are done
            io->polls = polls;
            io->poll_capacity = capacity;
        }
        io->polls[count++] = (struct pollfd){.fd = c->op.fd, .events = socket_events(c)};
    }
    if (count == 0 && wait_ns == 0) return 0;
    struct timespec limit = {.tv_sec = (time_t)(wait_ns / 1000000000),
                             .tv_nsec = (long)(wait_ns % 1000000000)};
    io->counters.enters++;
    int rc = ppoll(io->polls, count, wait_ns == UINT64_MAX ? NULL : &limit, NULL);
    if (rc < 0) return errno == EINTR ? 0 : -errno;
    if (rc > 0) posix_collect(io, io->polls, count);
    return 0;
}

static int posix_step(struct io *io, u64 wait_ns)
{
    return posix_step_with(io, wait_ns, posix_execute);
}

// ---- time, chance, memory

u64 posix_now_ns(const struct io *io)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

s64 posix_wall_ms(const struct io *io)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (s64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void posix_random(struct io *io, void *out, size_t size)
{
    u8 *bytes = out;
    while (size > 0) {
        ssize_t n = getrandom(bytes, size, 0);
        if (n < 0) {
            ASSERT(errno == EINTR); // the flags are ours and the memory is the caller's
            continue;
        }
        bytes += n;
        size -= (size_t)n;
    }
}

void *posix_buffers_alloc(struct io *io, size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void posix_buffers_free(struct io *io, void *memory, size_t size)
{
    munmap(memory, size);
}

const struct io_backend io_backend_posix = {
    .kind = IO_BACKEND_POSIX,
    .name = "posix",
    .init = posix_init,
    .deinit = posix_deinit,
    .submit = posix_submit,
    .cancel = posix_cancel,
    .step = posix_step,
    .lock = posix_lock,
    .file_drop = posix_file_drop,
    .now_ns = posix_now_ns,
    .wall_ms = posix_wall_ms,
    .random = posix_random,
    .buffers_alloc = posix_buffers_alloc,
    .buffers_free = posix_buffers_free,
};
