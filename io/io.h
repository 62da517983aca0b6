// io: completions, and whatever completes them. The façade of this folder.
//
// Purpose: one cooperative loop per `struct io`. An operation is submitted with a `struct completion`
// that its owner keeps alive until it is done; its callback runs from io_step, never from inside the
// submitting call. Backends: ring (io_uring), posix (synchronous files, poll for sockets), memory
// (files in memory, everything else as posix), simulated (io/sim.h: seeded faults, virtual clock).
//
// Contract:
// - A completion is idle, pending or done. Submitting needs it idle or done; memory that was handed over
//   (buffers, iovecs, paths) is the backend's until it is done.
// - Every submitted operation completes exactly once, also when cancelled (-ECANCELED) or when io is
//   destroyed.
// - result is >= 0 (bytes, descriptor, 0) or -errno. A read that meets the end of file gives the bytes
//   that are there; every other short transfer is resubmitted by the backend, so that a write's result is
//   all bytes or an error.
// - A callback may submit, cancel, and free its own completion.
// - Nothing here is thread-safe: one loop, one thread, the one that created it.
#pragma once

#include "base.h"
#include "err.h"
#include <sys/uio.h>

struct io;
struct io_file;
struct completion_group;

// ---- completions ----------------------------------------------------------------------------------

struct completion {
    void (*callback)(struct completion *c); // may be NULL
    void *context;                          // the owner's
    s64 result;                             // valid when done
    enum { COMPLETION_IDLE, COMPLETION_PENDING, COMPLETION_DONE } state;
    struct completion_group *group; // set by completion_group_join, until it has completed
    struct completion *group_next, *group_prev;
    struct io *io;

    // The backend's, from submission to completion.
    struct {
        u8 kind, place; // what it does, where it is (io/backend.h)
        u8 parts;       // kernel answers outstanding
        u8 flags;
        s32 fd;
        u32 mode;
        struct io_file *file;
        const struct iovec *iov;
        struct iovec iov_one, iov_rest;
        u32 iov_count;
        u64 offset;
        u64 done_size;   // bytes transferred so far
        u64 deadline_ns; // timeouts
        s64 part_result, sync_result;
        const char *path, *path_to;
        void *out;
        struct completion *next, *prev;
    } op;
};

void completion_init(struct completion *c, void (*callback)(struct completion *), void *context);
// Completes c without a backend (results that are known at once): the callback runs on the next io_step.
void completion_post(struct io *io, struct completion *c, s64 result);

// Makes c pending in the hands of who asks, until completion_release: for files that are not a backend's.
void completion_hold(struct io *io, struct completion *c);
void completion_release(struct io *io, struct completion *c, s64 result);

// A group completes when all that joined it have completed and it was sealed. It counts from one, its own
// seed, so that a child that finishes early is never missed. Children join before they are submitted. The
// first error is kept in group->completion.result; with cancel_on_error the siblings are cancelled, and in
// any case awaited. The group's own completion may have joined an outer group: groups nest.
struct completion_group {
    struct completion completion; // pending from the sealing on, done when the group is
    u32 outstanding;
    bool cancel_on_error;
    bool cancelled;              // what is submitted now completes with -ECANCELED at once
    bool sealed;
    struct completion *children; // joined and not yet completed, for cancelling
};
void completion_group_init(struct completion_group *g, struct io *io, bool cancel_on_error,
                           void (*callback)(struct completion *), void *context);
void completion_group_join(struct completion_group *g, struct completion *child);
// No more children, but for those that join from a child's callback (a child of several steps joins again);
// an empty group completes on the next io_step.
void completion_group_seal(struct completion_group *g);
void completion_group_cancel(struct completion_group *g);

// ---- waiters --------------------------------------------------------------------------------------

// Who called a cooperative function and got IO_WAIT is woken through a waiter: wake() is called once, from
// io_step, and takes the waiter off its list; the owner then calls again. A waiter is on one list at most.
// Waking too often is harmless, too seldom is a bug.
struct waiter {
    void (*wake)(struct waiter *w);
    struct waiter *next, *prev;
    struct wait_list *list;
};
struct wait_list {
    struct waiter *first, *last;
};
void wait_list_add(struct wait_list *list, struct waiter *w); // at the end; moves it off another list
void waiter_remove(struct waiter *w);                         // no-op when on none
void wait_list_wake_all(struct wait_list *list);
void wait_list_wake_first(struct wait_list *list);

// ---- the loop -------------------------------------------------------------------------------------

enum io_backend_kind { IO_BACKEND_RING, IO_BACKEND_POSIX, IO_BACKEND_MEMORY, IO_BACKEND_SIM };

struct io_options {
    enum io_backend_kind backend;
    bool fallback;     // ring refused by kernel or seccomp: go on with posix (io_backend_reason says why)
    u32 entries;       // ring: submission queue entries; 0 = 512
    bool sqpoll;       // ring: kernel-side polling thread
    bool iopoll;       // ring: polled completion for O_DIRECT files
    u64 seed;          // simulated backend and io_random
    struct sim *sim;   // simulated backend: the world (io/sim.h), else NULL
};
struct io_counters {
    u64 submissions, completions, enters, batch_max, resubmissions;
    u64 read_bytes, written_bytes, syncs;
};

// NULL on failure, with *err set.
struct io *io_create(const struct io_options *options, struct err *err);
// Cancels what is pending, runs its callbacks, closes what is left.
void io_destroy(struct io *io);
// One turn: submits what is queued, waits up to timeout_ns for a completion (0: does not wait, UINT64_MAX:
// no limit), runs callbacks. Gives the number of completions run (0 also when a signal came, or at once
// when nothing is pending and the time is unlimited), or -errno.
s64 io_step(struct io *io, u64 timeout_ns);
// True while an operation is pending.
bool io_busy(const struct io *io);
enum io_backend_kind io_backend(const struct io *io);
const char *io_backend_name(const struct io *io);   // "io_uring", "posix", "memory", "simulated"
const char *io_backend_reason(const struct io *io); // why the ring was not used, or NULL
void io_counters_get(const struct io *io, struct io_counters *out);

u64 io_now_ns(const struct io *io);  // monotonic; virtual in simulation
s64 io_wall_ms(const struct io *io); // Unix time; virtual in simulation
void io_random(struct io *io, void *out, size_t size); // from the kernel; from the seed in simulation

// Cancels a pending operation, which then completes with -ECANCELED or, when it was too late, normally.
void io_cancel(struct io *io, struct completion *target);
// Completes with 0 after delay_ns.
void io_timeout(struct io *io, u64 delay_ns, struct completion *c);
// Completes with the poll(2) bits that are set.
void io_poll(struct io *io, int fd, u32 events, struct completion *c);

// Memory for file buffers, registered with the ring where it can be (reads and writes inside it then use
// fixed buffers by themselves). size is rounded up to 4096; NULL when out of memory.
void *io_buffers_alloc(struct io *io, size_t size);
void io_buffers_free(struct io *io, void *memory, size_t size);

// ---- files ----------------------------------------------------------------------------------------

enum io_open_flags {
    IO_OPEN_READ = 0,
    IO_OPEN_WRITE = 1,     // read and write
    IO_OPEN_CREATE = 2,
    IO_OPEN_EXCLUSIVE = 4, // with CREATE: fails with -EEXIST
    IO_OPEN_TRUNCATE = 8,
    IO_OPEN_TEMPORARY = 16, // unlinked at once; path names the directory
    IO_OPEN_DIRECT = 32,    // O_DIRECT where the file system can
};
enum io_sync_kind { IO_SYNC_DATA, IO_SYNC_FULL };
enum io_lock_kind { IO_UNLOCK, IO_LOCK_SHARED, IO_LOCK_EXCLUSIVE };

// Files are reached through a table, so that a database whose pages are elsewhere is just another file.
struct io_file_ops {
    void (*readv)(struct io_file *f, const struct iovec *iov, u32 iov_count, u64 offset,
                  struct completion *c);
    void (*writev)(struct io_file *f, const struct iovec *iov, u32 iov_count, u64 offset,
                   struct completion *c);
    // writev, then a data sync that starts only when all of it was written; one completion for both.
    void (*writev_sync)(struct io_file *f, const struct iovec *iov, u32 iov_count, u64 offset,
                        struct completion *c);
    void (*sync)(struct io_file *f, enum io_sync_kind kind, struct completion *c);
    void (*truncate)(struct io_file *f, u64 size, struct completion *c);
    void (*allocate)(struct io_file *f, u64 offset, u64 size, struct completion *c);
    void (*size)(struct io_file *f, u64 *out, struct completion *c);
    // Frees f; the completion's file pointer is dead afterwards.
    void (*close)(struct io_file *f, struct completion *c);
    // SQLite's byte-range locks (open file description locks): never waits. 0, -EAGAIN or another -errno.
    int (*lock)(struct io_file *f, u64 offset, u64 size, enum io_lock_kind kind);
    // Says in words what the newest failed operation met; may be NULL, or give NULL: its errno says it all.
    const char *(*why)(struct io_file *f);
};
struct io_file {
    const struct io_file_ops *ops;
    struct io *io;
};

// *out is set when the completion's result is 0.
void io_file_open(struct io *io, const char *path, u32 flags, struct io_file **out,
                  struct completion *c);
void io_file_read(struct io_file *f, void *buffer, size_t size, u64 offset, struct completion *c);
void io_file_write(struct io_file *f, const void *buffer, size_t size, u64 offset,
                   struct completion *c);
static inline void io_file_readv(struct io_file *f, const struct iovec *iov, u32 iov_count, u64 offset,
                                 struct completion *c)
{
    f->ops->readv(f, iov, iov_count, offset, c);
}
static inline void io_file_writev(struct io_file *f, const struct iovec *iov, u32 iov_count,
                                  u64 offset, struct completion *c)
{
    f->ops->writev(f, iov, iov_count, offset, c);
}
static inline void io_file_writev_sync(struct io_file *f, const struct iovec *iov, u32 iov_count,
                                       u64 offset, struct completion *c)
{
    f->ops->writev_sync(f, iov, iov_count, offset, c);
}
static inline void io_file_sync(struct io_file *f, enum io_sync_kind kind, struct completion *c)
{
    f->ops->sync(f, kind, c);
}
static inline void io_file_truncate(struct io_file *f, u64 size, struct completion *c)
{
    f->ops->truncate(f, size, c);
}
static inline void io_file_allocate(struct io_file *f, u64 offset, u64 size, struct completion *c)
{
    f->ops->allocate(f, offset, size, c);
}
static inline void io_file_size(struct io_file *f, u64 *out, struct completion *c)
{
    f->ops->size(f, out, c);
}
static inline void io_file_close(struct io_file *f, struct completion *c) { f->ops->close(f, c); }
static inline int io_file_lock(struct io_file *f, u64 offset, u64 size, enum io_lock_kind kind)
{
    return f->ops->lock(f, offset, size, kind);
}

// A file of one's own: who opens the path of a mount, or one that it `takes`, gets what its `open` makes. The mount is
// its owner's, and stays until it is unmounted.
struct io_mount {
    const char *path;
    bool (*takes)(struct io_mount *m, const char *path); // NULL: `path` alone
    void (*open)(struct io_mount *m, const char *path, u32 flags, struct io_file **out, struct completion *c);
    const char *(*why)(struct io_mount *m); // why the newest open failed; NULL: an errno says all
    struct io_mount *next;
};
// Why a path of a mount could not be opened just now, or NULL.
const char *io_path_why(struct io *io, const char *path);
void io_mount(struct io *io, struct io_mount *m);
void io_unmount(struct io *io, struct io_mount *m);

// Whole paths. All complete with 0 or -errno; sync_dir makes creations, renames and unlinks in it durable.
void io_path_unlink(struct io *io, const char *path, struct completion *c);
void io_path_rename(struct io *io, const char *from, const char *to, struct completion *c);
// Renames only when nothing is called `to` (-EEXIST); -EINVAL or -ENOSYS where the file system cannot.
void io_path_rename_new(struct io *io, const char *from, const char *to, struct completion *c);
// Hard-links from to to: -EEXIST when to exists (put-if-absent for a directory store).
void io_path_link(struct io *io, const char *from, const char *to, struct completion *c);
void io_path_mkdir(struct io *io, const char *path, struct completion *c); // with parents; 0 when there
void io_path_sync_dir(struct io *io, const char *path, struct completion *c);
// The folder that a path's name stands in, "." for one without: cut off at size. No I/O.
void io_path_folder(const char *path, char *out, size_t size);
struct io_path_info {
    u64 size, identity; // identity: the inode's number
    s64 modified_ns;    // Unix time
    bool is_dir;
};
void io_path_stat(struct io *io, const char *path, struct io_path_info *out, struct completion *c);
struct io_dir_entry {
    char *name; // owned by the listing
    u64 size;
    s64 modified_ms;
    bool is_dir;
};
struct io_dir_listing {
    struct io_dir_entry *entries; // sorted by name (bytes)
    u32 count;
};
// Result: number of entries, -ENOENT, … ; free with io_dir_listing_free.
void io_path_list(struct io *io, const char *path, struct io_dir_listing *out, struct completion *c);
void io_dir_listing_free(struct io_dir_listing *listing);

// ---- sockets --------------------------------------------------------------------------------------

// Takes "HOST:PORT", "[V6]:PORT" or ":PORT"; port 0 takes a free one. Descriptor, or -errno with *err.
int io_bind(struct io *io, const char *address, struct err *err);
int io_bound_listen(int fd, const char *address, u32 backlog, struct err *err); // 0, or -errno with *err
int io_listen(struct io *io, const char *address, u32 backlog, struct err *err); // both
u16 io_listen_port(int fd);
void io_accept(struct io *io, int listen_fd, struct completion *c); // result: descriptor, for io_recv and io_sendv
void io_recv(struct io *io, int fd, void *buffer, size_t size, struct completion *c); // 0: end of stream
// Sends all of it (MSG_NOSIGNAL), or fails.
void io_sendv(struct io *io, int fd, const struct iovec *iov, u32 iov_count, struct completion *c);
void io_connect(struct io *io, const char *host, u16 port, struct completion *c); // result: descriptor, likewise
// Cancels what is pending on fd, and closes it.
void io_socket_close(struct io *io, int fd);
