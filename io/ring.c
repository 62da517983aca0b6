#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// Everything that ring_op.c asks of the kernel; the ring is restricted to it. Operations that are
// not essential are done by synchronous calls where the kernel lacks them.
static const struct {
    u8 opcode;
    bool essential;
} ring_opcodes[] = {
    {IORING_OP_READ, true},         {IORING_OP_WRITE, true},       {IORING_OP_READV, true},
    {IORING_OP_WRITEV, true},       {IORING_OP_READ_FIXED, false}, {IORING_OP_WRITE_FIXED, false},
    {IORING_OP_FSYNC, true},        {IORING_OP_FALLOCATE, false},  {RING_OP_FTRUNCATE, false},
    {IORING_OP_OPENAT, false},      {IORING_OP_CLOSE, false},      {IORING_OP_UNLINKAT, false},
    {IORING_OP_RENAMEAT, false},    {IORING_OP_LINKAT, false},     {IORING_OP_POLL_ADD, true},
    {IORING_OP_ACCEPT, true},       {IORING_OP_RECV, true},        {IORING_OP_SENDMSG, true},
    {IORING_OP_ASYNC_CANCEL, true},
};

static const u8 ring_registrations[] = {IORING_REGISTER_FILES_UPDATE,
                                        IORING_REGISTER_BUFFERS_UPDATE, IORING_UNREGISTER_RING_FDS};

// ---- setting up

static int ring_probe(struct ring *r)
{
    struct io_uring_probe *probe = io_uring_get_probe_ring(&r->uring);
    if (!probe) return -ENOSYS;
    for (u32 i = 0; i < COUNT_OF(ring_opcodes); i++) {
        u8 opcode = ring_opcodes[i].opcode;
        // liburing's own question stops at the opcodes that it knows.
        bool supported =
            opcode < probe->ops_len && probe->ops[opcode].flags & IO_URING_OP_SUPPORTED;
        r->supported[opcode] = supported;
        if (!supported && ring_opcodes[i].essential) {
            io_uring_free_probe(probe);
            return -ENOSYS;
        }
    }
    io_uring_free_probe(probe);
    return 0;
}

// liburing 2.3 declares these two registrations and does not export them.
static int ring_register(const struct io_uring *uring, u32 opcode, const void *argument, u32 count)
{
    long rc = syscall(__NR_io_uring_register, uring->ring_fd, opcode, argument, count);
    return rc < 0 ? -errno : (int)rc;
}

static int ring_restrict(const struct ring *r, struct io_uring *uring)
{
    struct io_uring_restriction rules[COUNT_OF(ring_opcodes) + COUNT_OF(ring_registrations) + 1] = {
        0};
    u32 count = 0;
    for (u32 i = 0; i < COUNT_OF(ring_opcodes); i++) {
        if (!r->supported[ring_opcodes[i].opcode]) continue;
        rules[count].opcode = IORING_RESTRICTION_SQE_OP;
        rules[count++].sqe_op = ring_opcodes[i].opcode;
    }
    for (u32 i = 0; i < COUNT_OF(ring_registrations); i++) {
        rules[count].opcode = IORING_RESTRICTION_REGISTER_OP;
        rules[count++].register_op = ring_registrations[i];
    }
    rules[count].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    rules[count++].sqe_flags = IOSQE_FIXED_FILE | IOSQE_IO_LINK;
    return ring_register(uring, IORING_REGISTER_RESTRICTIONS, rules, count);
}

// The most that this kernel takes: flags that only make it faster are given up one generation at a
// time.
static int ring_setup(struct io_uring *uring, u32 entries, u32 needed)
{
    const u32 wanted[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        0,
    };
    int rc = -EINVAL;
    for (u32 i = needed & IORING_SETUP_SQPOLL ? 2 : 0; i < COUNT_OF(wanted) && rc == -EINVAL; i++) {
        struct io_uring_params params = {
            .flags = needed | wanted[i] | IORING_SETUP_R_DISABLED | IORING_SETUP_CLAMP |
                     IORING_SETUP_CQSIZE,
            .cq_entries = entries * 8,
            .sq_thread_idle = 100,
        };
        rc = io_uring_queue_init_params(entries, uring, &params);
        if (rc == 0 && (params.features & (IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP)) !=
                           (IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP)) {
            io_uring_queue_exit(uring);
            return -ENOSYS;
        }
    }
    return rc;
}

static int ring_start(struct ring *r, struct io_uring *uring)
{
    io_uring_register_ring_fd(uring); // spares a descriptor look-up; fine without
    int rc = ring_restrict(r, uring);
    if (rc == 0) rc = ring_register(uring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    return rc;
}

static int ring_init(struct io *io, const struct io_options *options)
{
    struct ring *r = calloc(1, sizeof *r);
    if (!r) return -ENOMEM;
    u32 entries = options->entries ? options->entries : RING_ENTRIES_DEFAULT;
    r->sqpoll = options->sqpoll;
    int rc = ring_setup(&r->uring, entries, options->sqpoll ? IORING_SETUP_SQPOLL : 0);
    if (rc < 0) {
        free(r);
        return rc;
    }
    rc = ring_probe(r);
    if (rc == 0) {
        r->messages = calloc(r->uring.sq.ring_entries, sizeof *r->messages);
        if (!r->messages) rc = -ENOMEM;
    }
    if (rc == 0) {
        // Both only make things faster, and may be over a limit of memory.
        r->files_registered = io_uring_register_files_sparse(&r->uring, RING_FILES_MAX) == 0;
        r->buffers_registered = r->supported[IORING_OP_READ_FIXED] &&
                                r->supported[IORING_OP_WRITE_FIXED] &&
                                io_uring_register_buffers_sparse(&r->uring, RING_ARENAS_MAX) == 0;
        rc = ring_start(r, &r->uring);
    }
    if (rc < 0) {
        io_uring_queue_exit(&r->uring);
        free(r->messages);
        free(r);
        return rc;
    }
    if (options->iopoll && ring_setup(&r->polled, entries, IORING_SETUP_IOPOLL) == 0) {
        r->polled_open = ring_start(r, &r->polled) == 0;
        if (!r->polled_open) io_uring_queue_exit(&r->polled);
    }
    io->state = r;
    return 0;
}

static void ring_deinit(struct io *io)
{
    struct ring *r = io->state;
    ASSERT(!io->waiting.first);
    if (r->polled_open) io_uring_queue_exit(&r->polled);
    io_uring_queue_exit(&r->uring);
    for (u32 i = 0; i < RING_ARENAS_MAX; i++)
        if (r->arenas[i].memory) munmap(r->arenas[i].memory, r->arenas[i].size);
    free(r->messages);
    free(r);
}

// ---- entering the kernel

static void ring_count_enter(struct io *io, struct io_uring *uring, u32 submitted, bool waits)
{
    const struct ring *r = io->state;
    if (submitted > io->counters.batch_max) io->counters.batch_max = submitted;
    // With a polling thread, submitting enters the kernel only to wake it.
    bool enters = waits || (submitted > 0 && (!r->sqpoll || IO_URING_READ_ONCE(*uring->sq.kflags) &
                                                                IORING_SQ_NEED_WAKEUP));
    if (enters) io->counters.enters++;
}

struct io_uring_sqe *ring_entry(struct io *io, struct io_uring *uring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(uring);
    if (sqe) return sqe;
    return ring_room(io, uring, 1) ? io_uring_get_sqe(uring) : NULL;
}

bool ring_room(struct io *io, struct io_uring *uring, u32 count)
{
    if (io_uring_sq_space_left(uring) >= count) return true;
    ring_count_enter(io, uring, io_uring_sq_ready(uring), false);
    io_uring_submit(uring);
    return io_uring_sq_space_left(uring) >= count;
}

static void ring_reap(struct io *io, struct io_uring *uring)
{
    struct ring *r = io->state;
    for (;;) {
        struct io_uring_cqe *cqe;
        u32 head, count = 0;
        io_uring_for_each_cqe(uring, head, cqe)
        {
            count++;
            struct completion *c = (struct completion *)(uintptr_t)(cqe->user_data & ~(u64)7);
            enum ring_tag tag = (enum ring_tag)(cqe->user_data & 7);
            ASSERT(c->op.parts > 0);
            if (tag == RING_TAG_MAIN) c->op.part_result = cqe->res;
            if (tag == RING_TAG_SYNC) c->op.sync_result = cqe->res;
            if (--c->op.parts > 0) continue;
            if (c->op.flags & RING_POLLED) r->polled_pending--;
            completion_list_remove(&io->waiting, c);
            ring_answered(io, c);
        }
        io_uring_cq_advance(uring, count);
        // The kernel keeps what did not fit, and hands it over when asked.
        if (!(IO_URING_READ_ONCE(*uring->sq.kflags) & IORING_SQ_CQ_OVERFLOW)) return;
        io->counters.enters++;
        if (io_uring_get_events(uring) < 0) return;
    }
}

static int ring_enter(struct io *io, struct io_uring *uring, u64 wait_ns)
{
    u32 submitted = io_uring_sq_ready(uring);
    if (io_uring_cq_ready(uring) > 0) wait_ns = 0;
    if (wait_ns == 0) {
        bool events =
            IO_URING_READ_ONCE(*uring->sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
        if (submitted == 0 && !events) return 0;
        ring_count_enter(io, uring, submitted, events);
        return io_uring_submit_and_get_events(uring);
    }
    ring_count_enter(io, uring, submitted, true);
    if (wait_ns == UINT64_MAX) return io_uring_submit_and_wait(uring, 1);
    struct __kernel_timespec limit = {.tv_sec = (s64)(wait_ns / 1000000000),
                                      .tv_nsec = (s64)(wait_ns % 1000000000)};
    struct io_uring_cqe *cqe;
    return io_uring_submit_and_wait_timeout(uring, &cqe, 1, &limit, NULL);
}

static bool ring_prepare_cancels(struct io *io)
{
    struct ring *r = io->state;
    for (struct completion *c = io->waiting.first; c && r->cancels_wanted > 0; c = c->op.next) {
        if ((c->op.flags & (RING_CANCEL_WANTED | RING_CANCEL_SENT | RING_POLLED)) !=
            RING_CANCEL_WANTED)
            continue;
        if (!ring_prepare_cancel(io, c)) return false;
        r->cancels_wanted--;
    }
    return true;
}

static int ring_step(struct io *io, u64 wait_ns)
{
    struct ring *r = io->state;
    bool room = true;
    // What is queued again on the way (it was answered at once) has its turn in the next step.
    struct completion *last = io->queued.last;
    while (io->queued.first && room) {
        struct completion *c = io->queued.first;
        room = ring_prepare(io, c);
        if (c == last) break;
    }
    if (room && r->cancels_wanted > 0) room = ring_prepare_cancels(io);
    if (io->ready.first || io->queued.first || r->polled_pending > 0) wait_ns = 0;
    if (!room && r->sqpoll) io_uring_sqring_wait(&r->uring);

    int rc = ring_enter(io, &r->uring, wait_ns);
    ring_reap(io, &r->uring);
    if (r->polled_open && (r->polled_pending > 0 || io_uring_sq_ready(&r->polled) > 0)) {
        io->counters.enters++;
        io_uring_submit_and_get_events(&r->polled);
        ring_reap(io, &r->polled);
    }
    bool passing = rc >= 0 || rc == -ETIME || rc == -EINTR || rc == -EAGAIN || rc == -EBUSY;
    return passing ? 0 : rc;
}

static void ring_cancel(struct io *io, struct completion *c)
{
    struct ring *r = io->state;
    if (c->op.flags & RING_CANCEL_WANTED) return;
    c->op.flags |= RING_CANCEL_WANTED;
    if (!(c->op.flags & RING_POLLED)) r->cancels_wanted++; // a polled transfer ends soon by itself
}

// ---- files and buffers

int ring_slot_take(struct ring *r, int fd)
{
    if (!r->files_registered) return -1;
    for (u32 i = 0; i < COUNT_OF(r->slots_used); i++) {
        if (r->slots_used[i] == UINT64_MAX) continue;
        u32 bit = (u32)__builtin_ctzll(~r->slots_used[i]);
        int slot = (int)(i * 64 + bit);
        if (io_uring_register_files_update(&r->uring, (unsigned)slot, &fd, 1) != 1) return -1;
        r->slots_used[i] |= (u64)1 << bit;
        return slot;
    }
    return -1;
}

void ring_slot_release(struct ring *r, int slot)
{
    int none = -1;
    if (slot < 0) return;
    // A slot that could not be emptied stays taken.
    if (io_uring_register_files_update(&r->uring, (unsigned)slot, &none, 1) == 1)
        r->slots_used[slot / 64] &= ~((u64)1 << (slot % 64));
}

static void ring_file_drop(struct native_file *f)
{
    ring_slot_release(f->file.io->state, f->slot);
    posix_file_drop(f);
}

// A ring outlives its process for a moment and holds its files that long. Locks go with the
// description of the file, so they are on one of their own that no ring knows: a successor started
// at once finds the file free.
static int ring_lock(struct native_file *f, u64 offset, u64 size, enum io_lock_kind kind)
{
    if (f->lock_fd < 0) {
        char path[40];
        snprintf(path, sizeof path, "/proc/self/fd/%d", f->fd);
        f->lock_fd = open(path, (f->flags & IO_OPEN_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    }
    return posix_lock(f, offset, size, kind);
}

static void *ring_buffers_alloc(struct io *io, size_t size)
{
    struct ring *r = io->state;
    u8 *memory = posix_buffers_alloc(io, size);
    if (!memory) return NULL;
    for (u32 i = 0; i < RING_ARENAS_MAX; i++) {
        struct ring_arena *arena = &r->arenas[i];
        if (arena->memory) continue;
        struct iovec iov = {.iov_base = memory, .iov_len = size};
        __u64 tag = 0;
        *arena = (struct ring_arena){.memory = memory, .size = size};
        r->arena_count = MAX(r->arena_count, i + 1);
        arena->registered = r->buffers_registered &&
                            io_uring_register_buffers_update_tag(&r->uring, i, &iov, &tag, 1) == 1;
        break;
    }
    return memory;
}

static void ring_buffers_free(struct io *io, void *memory, size_t size)
{
    struct ring *r = io->state;
    for (u32 i = 0; i < RING_ARENAS_MAX; i++) {
        struct ring_arena *arena = &r->arenas[i];
        if (arena->memory != memory) continue;
        struct iovec none = {0};
        __u64 tag = 0;
        if (arena->registered) io_uring_register_buffers_update_tag(&r->uring, i, &none, &tag, 1);
        *arena = (struct ring_arena){0};
        break;
    }
    posix_buffers_free(io, memory, size);
}

const struct io_backend io_backend_ring = {
    .kind = IO_BACKEND_RING,
    .name = "io_uring",
    .init = ring_init,
    .deinit = ring_deinit,
    .submit = posix_submit,
    .cancel = ring_cancel,
    .step = ring_step,
    .lock = ring_lock,
    .file_drop = ring_file_drop,
    .now_ns = posix_now_ns,
    .wall_ms = posix_wall_ms,
    .random = posix_random,
    .buffers_alloc = ring_buffers_alloc,
    .buffers_free = ring_buffers_free,
};
