#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define TRANSFER_SIZE_MAX 0x7ffff000u // Linux moves no more at once

// ---- preparing

static struct native_file *op_file(const struct completion *c)
{
    return (struct native_file *)c->op.file;
}

static void entry_tag(struct io_uring_sqe *sqe, struct completion *c, enum ring_tag tag)
{
    io_uring_sqe_set_data64(sqe, (u64)(uintptr_t)c | tag);
    c->op.parts++;
}

// Entries are prepared with the descriptor and then moved to the registered file.
static void entry_use_slot(struct io_uring_sqe *sqe, const struct native_file *f)
{
    if (f->slot < 0) return;
    sqe->fd = f->slot;
    sqe->flags |= IOSQE_FIXED_FILE;
}

static int arena_find(const struct ring *r, const struct iovec *iov)
{
    const u8 *start = iov->iov_base;
    for (u32 i = 0; i < r->arena_count; i++) {
        const struct ring_arena *arena = &r->arenas[i];
        if (arena->registered && start >= arena->memory &&
            start + iov->iov_len <= arena->memory + arena->size)
            return (int)i;
    }
    return -1;
}

static void transfer_fill(struct ring *r, struct io_uring_sqe *sqe, struct completion *c)
{
    bool writes = c->op.kind != OP_READ;
    u64 offset = c->op.offset + c->op.done_size;
    u32 count;
    const struct iovec *iov = op_iov(c, &count);
    if (count == 1) {
        u32 size = (u32)MIN(iov->iov_len, TRANSFER_SIZE_MAX);
        int arena = c->op.flags & RING_POLLED ? -1 : arena_find(r, iov);
        if (writes && arena >= 0)
            io_uring_prep_write_fixed(sqe, c->op.fd, iov->iov_base, size, offset, arena);
        else if (writes)
            io_uring_prep_write(sqe, c->op.fd, iov->iov_base, size, offset);
        else if (arena >= 0)
            io_uring_prep_read_fixed(sqe, c->op.fd, iov->iov_base, size, offset, arena);
        else
            io_uring_prep_read(sqe, c->op.fd, iov->iov_base, size, offset);
    } else if (writes) {
        io_uring_prep_writev(sqe, c->op.fd, iov, count, offset);
    } else {
        io_uring_prep_readv(sqe, c->op.fd, iov, count, offset);
    }
    if (!(c->op.flags & RING_POLLED)) entry_use_slot(sqe, op_file(c));
}

static bool transfer_prepare(struct io *io, struct completion *c)
{
    struct ring *r = io->state;
    bool polled = r->polled_open && c->op.kind != OP_WRITE_SYNC &&
                  op_file(c)->flags & IO_OPEN_DIRECT && !(c->op.flags & RING_NO_POLLED);
    struct io_uring_sqe *sqe = ring_entry(io, polled ? &r->polled : &r->uring);
    if (!sqe) return false;
    if (polled) {
        c->op.flags |= RING_POLLED;
        r->polled_pending++;
    }
    transfer_fill(r, sqe, c);
    entry_tag(sqe, c, RING_TAG_MAIN);
    return true;
}

// True when the next entry moves all that is left.
static bool transfer_is_last(struct completion *c)
{
    u32 count;
    const struct iovec *iov = op_iov(c, &count);
    if (count == 1 && iov->iov_len > TRANSFER_SIZE_MAX) return false;
    return iov == &c->op.iov_rest ? c->op.iov_count == 0 : count == c->op.iov_count;
}

// The sync is linked to the write that should end the transfer. When that write fails or is short,
// the link breaks and the sync comes back cancelled; both go again for what is left. A direct write
// syncs itself: it is then the kernel's one operation, and on a device that can, one request.
static bool write_sync_prepare(struct io *io, struct completion *c)
{
    struct ring *r = io->state;
    bool writes = op_iov_left(c), syncs = !writes || transfer_is_last(c);
    struct io_uring_sqe *sqe;
    if (!ring_room(io, &r->uring, 2)) return false;
    c->op.part_result = 0;
    c->op.sync_result = -ECANCELED;
    if (writes) {
        sqe = io_uring_get_sqe(&r->uring);
        transfer_fill(r, sqe, c);
        bool direct = op_file(c)->flags & IO_OPEN_DIRECT;
        if (direct)
            sqe->rw_flags = RWF_DSYNC;
        else if (syncs)
            sqe->flags |= IOSQE_IO_LINK;
        entry_tag(sqe, c, RING_TAG_MAIN);
        if (direct) {
            c->op.sync_result = 0;
            io->counters.syncs++;
            return true;
        }
    }
    if (!syncs) return true;
    sqe = io_uring_get_sqe(&r->uring);
    io_uring_prep_fsync(sqe, c->op.fd, IORING_FSYNC_DATASYNC);
    entry_use_slot(sqe, op_file(c));
    entry_tag(sqe, c, RING_TAG_SYNC);
    io->counters.syncs++;
    return true;
}

static void send_fill(struct ring *r, struct io_uring_sqe *sqe, struct completion *c)
{
    u32 count;
    const struct iovec *iov = op_iov(c, &count);
    struct msghdr *message = &r->messages[sqe - r->uring.sq.sqes];
    *message = (struct msghdr){.msg_iov = (struct iovec *)iov, .msg_iovlen = count};
    io_uring_prep_sendmsg(sqe, c->op.fd, message, MSG_NOSIGNAL);
}

static bool socket_prepare(struct io *io, struct completion *c)
{
    struct ring *r = io->state;
    struct io_uring_sqe *sqe = ring_entry(io, &r->uring);
    if (!sqe) return false;
    if (c->op.flags & RING_POLL_FIRST)
        io_uring_prep_poll_add(sqe, c->op.fd, c->op.kind == OP_SEND ? POLLOUT : POLLIN);
    else if (c->op.kind == OP_POLL)
        io_uring_prep_poll_add(sqe, c->op.fd, c->op.mode);
    else if (c->op.kind == OP_ACCEPT)
        io_uring_prep_accept(sqe, c->op.fd, NULL, NULL, SOCK_CLOEXEC);
    else if (c->op.kind == OP_RECV)
        io_uring_prep_recv(sqe, c->op.fd, c->op.iov_one.iov_base,
                           MIN(c->op.iov_one.iov_len, TRANSFER_SIZE_MAX), 0);
    else
        send_fill(r, sqe, c);
    entry_tag(sqe, c, RING_TAG_MAIN);
    return true;
}

static u8 opcode_of(const struct completion *c)
{
    switch ((enum op_kind)c->op.kind) {
    case OP_OPEN: return c->op.mode & IO_OPEN_TEMPORARY ? IORING_OP_NOP : IORING_OP_OPENAT;
    case OP_SYNC:
    case OP_SYNC_DIR: return IORING_OP_FSYNC;
    case OP_TRUNCATE: return RING_OP_FTRUNCATE;
    case OP_ALLOCATE: return IORING_OP_FALLOCATE;
    case OP_CLOSE: return IORING_OP_CLOSE;
    case OP_UNLINK: return IORING_OP_UNLINKAT;
    case OP_RENAME: return IORING_OP_RENAMEAT;
    case OP_LINK: return IORING_OP_LINKAT;
    // Asking for a size never waits; making and listing directories are many calls.
    case OP_SIZE:
    case OP_MKDIR:
    case OP_LIST:
    case OP_STAT:
    case OP_NONE:
    case OP_POST:
    case OP_GROUP:
    case OP_TIMEOUT:
    case OP_POLL:
    case OP_ACCEPT:
    case OP_RECV:
    case OP_SEND:
    case OP_CONNECT:
    case OP_READ:
    case OP_WRITE:
    case OP_WRITE_SYNC:
    case OP_COUNT: break;
    }
    return IORING_OP_NOP;
}

static void other_fill(struct io *io, struct io_uring_sqe *sqe, struct completion *c, u8 opcode)
{
    int flags;
    switch (opcode) {
    case IORING_OP_OPENAT:
        flags = posix_open_flags(c->op.mode);
        if (c->op.flags & RING_NO_DIRECT) flags &= ~O_DIRECT;
        io_uring_prep_openat(sqe, AT_FDCWD, c->op.path, flags, 0644);
        break;
    case IORING_OP_FSYNC:
        io->counters.syncs++;
        if (c->op.kind == OP_SYNC_DIR) {
            io_uring_prep_fsync(sqe, c->op.fd, 0);
            break;
        }
        io_uring_prep_fsync(sqe, c->op.fd, c->op.mode == IO_SYNC_DATA ? IORING_FSYNC_DATASYNC : 0);
        entry_use_slot(sqe, op_file(c));
        break;
    case RING_OP_FTRUNCATE:
        io_uring_prep_rw(RING_OP_FTRUNCATE, sqe, c->op.fd, NULL, 0, c->op.offset);
        entry_use_slot(sqe, op_file(c));
        break;
    case IORING_OP_FALLOCATE:
        io_uring_prep_fallocate(sqe, c->op.fd, 0, (off_t)c->op.offset,
                                (off_t)c->op.iov_one.iov_len);
        entry_use_slot(sqe, op_file(c));
        break;
    case IORING_OP_CLOSE: io_uring_prep_close(sqe, c->op.fd); break;
    case IORING_OP_UNLINKAT: io_uring_prep_unlinkat(sqe, AT_FDCWD, c->op.path, 0); break;
    case IORING_OP_RENAMEAT:
        io_uring_prep_renameat(sqe, AT_FDCWD, c->op.path, AT_FDCWD, c->op.path_to,
                               c->op.mode & IO_OPEN_EXCLUSIVE ? RENAME_NOREPLACE : 0);
        break;
    case IORING_OP_LINKAT:
        io_uring_prep_linkat(sqe, AT_FDCWD, c->op.path, AT_FDCWD, c->op.path_to, 0);
        break;
    default: ASSERT(!"one of ring_opcodes");
    }
}

// What leads to a descriptor's end: the registered file and the locks' own go first.
static void close_begin(struct io *io, struct native_file *f)
{
    ring_slot_release(io->state, f->slot);
    f->slot = -1;
    if (f->lock_fd >= 0) close(f->lock_fd);
    f->lock_fd = -1;
}

static void ring_opened(struct io *io, struct completion *c)
{
    struct native_file *f = (struct native_file *)*(struct io_file **)c->op.out;
    f->slot = ring_slot_take(io->state, f->fd);
}

static void ring_execute(struct io *io, struct completion *c)
{
    s64 result = posix_execute(io, c);
    if (c->op.kind == OP_OPEN && result == 0) ring_opened(io, c);
    io_finish(io, c, result);
}

bool ring_prepare(struct io *io, struct completion *c)
{
    struct ring *r = io->state;
    bool prepared;
    if (c->op.kind >= OP_POLL && c->op.kind <= OP_SEND) {
        prepared = socket_prepare(io, c);
    } else if (c->op.kind == OP_WRITE_SYNC) {
        prepared = write_sync_prepare(io, c);
    } else if (c->op.kind == OP_READ || c->op.kind == OP_WRITE) {
        if (!op_iov_left(c)) {
            completion_list_remove(&io->queued, c);
            io_finish(io, c, (s64)c->op.done_size);
            return true;
        }
        prepared = transfer_prepare(io, c);
    } else {
        u8 opcode = opcode_of(c);
        if (c->op.kind == OP_CLOSE) close_begin(io, op_file(c));
        if (opcode == IORING_OP_NOP || !r->supported[opcode]) {
            completion_list_remove(&io->queued, c);
            ring_execute(io, c);
            return true;
        }
        prepared = ring_room(io, &r->uring, 1);
        if (prepared && c->op.kind == OP_SYNC_DIR && (c->op.fd = posix_folder_open(c->op.path)) < 0) {
            completion_list_remove(&io->queued, c);
            io_finish(io, c, c->op.fd);
            return true;
        }
        if (prepared) {
            struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);
            other_fill(io, sqe, c, opcode);
            entry_tag(sqe, c, RING_TAG_MAIN);
        }
    }
    if (!prepared) return false;
    completion_list_remove(&io->queued, c);
    c->op.place = PLACE_WAITING;
    completion_list_add(&io->waiting, c);
    return true;
}

bool ring_prepare_cancel(struct io *io, struct completion *c)
{
    struct ring *r = io->state;
    struct io_uring_sqe *sqe = ring_entry(io, &r->uring);
    if (!sqe) return false;
    io_uring_prep_cancel64(sqe, (u64)(uintptr_t)c | RING_TAG_MAIN, 0);
    c->op.flags |= RING_CANCEL_SENT;
    entry_tag(sqe, c, RING_TAG_CANCEL);
    return true;
}

// ---- answers

// Another round for what was short, interrupted or not ready.
static void op_again(struct io *io, struct completion *c)
{
    if (c->op.flags & RING_CANCEL_WANTED) {
        io_finish(io, c, -ECANCELED);
        return;
    }
    c->op.place = PLACE_QUEUED;
    completion_list_add(&io->queued, c);
}

static void read_answered(struct io *io, struct completion *c)
{
    s64 n = c->op.part_result;
    if (n < 0) {
        io_finish(io, c, n);
        return;
    }
    io->counters.read_bytes += (u64)n;
    bool more = op_iov_advance(c, (u64)n);
    // A direct read that stops inside a sector stopped at the end of the file.
    if (!more || n == 0 || (op_file(c)->flags & IO_OPEN_DIRECT && n % 512)) {
        io_finish(io, c, (s64)c->op.done_size);
        return;
    }
    io->counters.resubmissions++;
    op_again(io, c);
}

static void write_answered(struct io *io, struct completion *c)
{
    s64 n = c->op.part_result;
    if (n < 0) {
        io_finish(io, c, n);
        return;
    }
    io->counters.written_bytes += (u64)n;
    bool left = op_iov_left(c);
    bool more = op_iov_advance(c, (u64)n);
    if (more && n == 0) {
        io_finish(io, c, -EIO);
    } else if (more) {
        io->counters.resubmissions++;
        op_again(io, c);
    } else if (c->op.kind == OP_WRITE) {
        io_finish(io, c, (s64)c->op.done_size);
    } else if (c->op.sync_result == -ECANCELED && left) {
        op_again(io, c); // all is written, and the sync did not run: it goes alone
    } else {
        io_finish(io, c, c->op.sync_result < 0 ? c->op.sync_result : (s64)c->op.done_size);
    }
}

static void open_answered(struct io *io, struct completion *c)
{
    s64 fd = c->op.part_result;
    if (fd == -EINVAL && c->op.mode & IO_OPEN_DIRECT && !(c->op.flags & RING_NO_DIRECT)) {
        c->op.flags |= RING_NO_DIRECT;
        op_again(io, c);
        return;
    }
    if (fd < 0) {
        io_finish(io, c, fd);
        return;
    }
    u32 flags = c->op.flags & RING_NO_DIRECT ? c->op.mode & ~(u32)IO_OPEN_DIRECT : c->op.mode;
    struct native_file *f = native_file_create(io, (int)fd, flags);
    if (!f) {
        close((int)fd);
        io_finish(io, c, -ENOMEM);
        return;
    }
    *(struct io_file **)c->op.out = &f->file;
    ring_opened(io, c);
    io_finish(io, c, 0);
}

static void socket_answered(struct io *io, struct completion *c)
{
    s64 n = c->op.part_result;
    bool polled = c->op.flags & RING_POLL_FIRST;
    c->op.flags &= (u8)~RING_POLL_FIRST;
    if (n == -EAGAIN && !polled) {
        c->op.flags |= RING_POLL_FIRST;
        op_again(io, c);
    } else if (n == -ECONNABORTED && c->op.kind == OP_ACCEPT) {
        op_again(io, c);
    } else if (polled && n >= 0) {
        op_again(io, c);
    } else if (n < 0 || c->op.kind != OP_SEND) {
        io_finish(io, c, n);
    } else if (op_iov_advance(c, (u64)n)) {
        io->counters.resubmissions++;
        op_again(io, c);
    } else {
        io_finish(io, c, (s64)c->op.done_size);
    }
}

void ring_answered(struct io *io, struct completion *c)
{
    s64 result = c->op.part_result;
    bool polled = c->op.flags & RING_POLLED;
    if ((c->op.flags & (RING_CANCEL_WANTED | RING_CANCEL_SENT | RING_POLLED)) == RING_CANCEL_WANTED)
        ((struct ring *)io->state)->cancels_wanted--; // it came too late to be sent
    c->op.flags &= (u8) ~(RING_POLLED | RING_CANCEL_SENT);
    // Not every device and file system can be polled.
    if (polled && (result == -EOPNOTSUPP || result == -EINVAL)) {
        c->op.flags |= RING_NO_POLLED;
        op_again(io, c);
        return;
    }
    if (c->op.kind == OP_SYNC_DIR) close(c->op.fd);
    if (result == -EINTR && c->op.kind != OP_CLOSE) {
        op_again(io, c);
        return;
    }
    switch ((enum op_kind)c->op.kind) {
    case OP_READ: read_answered(io, c); break;
    case OP_WRITE:
    case OP_WRITE_SYNC: write_answered(io, c); break;
    case OP_OPEN: open_answered(io, c); break;
    case OP_POLL:
    case OP_ACCEPT:
    case OP_RECV:
    case OP_SEND: socket_answered(io, c); break;
    case OP_ALLOCATE:
        io_finish(io, c, result == -EOPNOTSUPP ? posix_execute(io, c) : result);
        break;
    case OP_CLOSE:
        native_file_free(op_file(c));
        io_finish(io, c, result == -EINTR ? 0 : result);
        break;
    case OP_SYNC:
    case OP_SYNC_DIR:
    case OP_TRUNCATE:
    case OP_UNLINK:
    case OP_RENAME:
    case OP_LINK: io_finish(io, c, result); break;
    case OP_NONE:
    case OP_POST:
    case OP_GROUP:
    case OP_TIMEOUT:
    case OP_CONNECT:
    case OP_SIZE:
    case OP_MKDIR:
    case OP_LIST:
    case OP_STAT:
    case OP_COUNT: ASSERT(!"an operation of the ring");
    }
}
