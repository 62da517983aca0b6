// What the backends of io share: the operations' kinds and places, struct io, and the table a
// backend fills in. Private to this folder.
//
// An operation's life: io_submit makes it pending and hands it to the backend (or to the timer
// heap); sooner or later io_finish puts it on the ready list with its result; io_step runs its
// callback. io_finish is the only way to the ready list, and the ready list the only way to a
// callback.
#pragma once

#include "io.h"

enum op_kind {
    OP_NONE,
    OP_POST,
    OP_GROUP,
    OP_TIMEOUT,
    OP_POLL,
    OP_ACCEPT,
    OP_RECV,
    OP_SEND,
    OP_CONNECT,
    OP_OPEN,
    OP_READ,
    OP_WRITE,
    OP_WRITE_SYNC,
    OP_SYNC,
    OP_TRUNCATE,
    OP_ALLOCATE,
    OP_SIZE,
    OP_CLOSE,
    OP_UNLINK,
    OP_RENAME,
    OP_LINK,
    OP_MKDIR,
    OP_SYNC_DIR,
    OP_LIST,
    OP_STAT,
    OP_COUNT,
};

// Which list holds a pending operation.
enum op_place {
    PLACE_NONE,
    PLACE_READY,   // finished, callback not yet run
    PLACE_TIMER,   // in the heap
    PLACE_QUEUED,  // submitted since the last step
    PLACE_WAITING, // posix: polled; ring: in the kernel; simulated: due later
    PLACE_CONNECT, // driven by its own polls
};

struct completion_list {
    struct completion *first, *last;
};
void completion_list_add(struct completion_list *list, struct completion *c);
void completion_list_remove(struct completion_list *list, struct completion *c);

// A file of the backends here. fd is its descriptor, or -1 where the file is only in memory.
struct native_file {
    struct io_file file;
    int fd;
    int lock_fd; // ring: a description of the file for its locks, or -1
    int slot;    // ring: index among the registered files, or -1
    u32 flags;   // io_open_flags
    void *node;  // memory, simulated: the file's contents
    struct native_file *next, *prev;
};
extern const struct io_file_ops native_file_ops;
// NULL when out of memory; the file is on io's list of open files.
struct native_file *native_file_create(struct io *io, int fd, u32 flags);
void native_file_free(struct native_file *f);

struct io_backend {
    enum io_backend_kind kind;
    const char *name;
    // 0 or -errno; on failure nothing is left behind.
    int (*init)(struct io *io, const struct io_options *options);
    void (*deinit)(struct io *io);
    void (*submit)(struct io *io, struct completion *c);
    // Asks a queued or waiting operation to end.
    void (*cancel)(struct io *io, struct completion *c);
    // Waits up to wait_ns (UINT64_MAX: until something happens) and finishes what has ended. 0 or
    // -errno.
    int (*step)(struct io *io, u64 wait_ns);
    int (*lock)(struct native_file *f, u64 offset, u64 size, enum io_lock_kind kind);
    void (*file_drop)(struct native_file *f); // closes what is left at io_destroy
    u64 (*now_ns)(const struct io *io);
    s64 (*wall_ms)(const struct io *io);
    void (*random)(struct io *io, void *out, size_t size);
    void *(*buffers_alloc)(struct io *io, size_t size);
    void (*buffers_free)(struct io *io, void *memory, size_t size);
};
extern const struct io_backend io_backend_posix, io_backend_memory, io_backend_ring, io_backend_sim;

struct io {
    const struct io_backend *backend;
    char reason[200]; // why the ring was not used
    struct io_counters counters;
    u64 pending_count;
    bool closing;
    struct completion_list ready, queued, waiting, connecting;
    struct native_file *files;
    struct io_mount *mounts;
    struct {
        struct completion **items; // a heap by deadline, then by submission
        u32 count, capacity;
        u64 sequence;
    } timers;
    struct pollfd *polls; // posix_step_with's
    u32 poll_capacity;
    void *state; // the backend's own
};

void io_submit(struct io *io, struct completion *c, enum op_kind kind);
void io_finish(struct io *io, struct completion *c, s64 result);

void timer_add(struct io *io, struct completion *c);
void timer_remove(struct io *io, struct completion *c);
void timer_expire(struct io *io);
u64 timer_next_ns(const struct io *io); // the nearest deadline, or UINT64_MAX

void connect_cancel(struct io *io, struct completion *c);

// The posix backend's parts that others use too.
u64 posix_now_ns(const struct io *io);
s64 posix_wall_ms(const struct io *io);
void posix_random(struct io *io, void *out, size_t size);
void *posix_buffers_alloc(struct io *io, size_t size);
void posix_buffers_free(struct io *io, void *memory, size_t size);
int posix_lock(struct native_file *f, u64 offset, u64 size, enum io_lock_kind kind);
void posix_file_drop(struct native_file *f);
// Performs a file or path operation by synchronous calls; its result.
s64 posix_execute(struct io *io, struct completion *c);
// Finishes what is queued with `execute` where it is a file operation, and does the sockets with
// poll(2).
int posix_step_with(struct io *io, u64 wait_ns,
                    s64 (*execute)(struct io *io, struct completion *c));
void posix_submit(struct io *io, struct completion *c);
void posix_cancel(struct io *io, struct completion *c);
int posix_open_flags(u32 flags);
int posix_folder_open(const char *path); // or -errno

// The next stretch of a vectored transfer, at most IOV_MAX long.
static inline const struct iovec *op_iov(struct completion *c, u32 *count)
{
    if (c->op.iov_rest.iov_len > 0) {
        *count = 1;
        return &c->op.iov_rest;
    }
    *count = MIN(c->op.iov_count, 1024);
    return c->op.iov;
}
void op_iov_set(struct completion *c, const struct iovec *iov, u32 iov_count);
// Notes that size bytes more are done; true while some are left.
bool op_iov_advance(struct completion *c, u64 size);
static inline bool op_iov_left(const struct completion *c)
{
    return c->op.iov_rest.iov_len > 0 || c->op.iov_count > 0;
}

// Sorts what a listing has gathered; entries grow by io_dir_listing_add (false: out of memory).
bool io_dir_listing_add(struct io_dir_listing *listing, u32 *capacity, const char *name, u64 size,
                        s64 modified_ms, bool is_dir);
void io_dir_listing_sort(struct io_dir_listing *listing);
