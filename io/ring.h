// The ring backend's own: what ring.c (setting up, turns) and ring_op.c (operations) share.
//
// Operations become submission entries only inside io_step, and one io_uring_enter submits them and
// waits. Until all kernel answers that an operation asked for have come (op.parts: the transfer, a
// linked sync, a cancellation) it stays on io->waiting, so that no answer meets memory that its
// owner has reused.
#pragma once

#include "backend.h"

#include <liburing.h>
#include <sys/socket.h>

#define RING_ENTRIES_DEFAULT 512
#define RING_ARENAS_MAX      64
#define RING_FILES_MAX       256
#define RING_OPCODE_MAX      64
// Of kernel 6.9; newer than the liburing that is built against.
#define RING_OP_FTRUNCATE 55

enum ring_tag { RING_TAG_MAIN, RING_TAG_SYNC, RING_TAG_CANCEL };

enum ring_flag {
    RING_POLL_FIRST = 1,    // a non-blocking socket had nothing: the next entry is a poll
    RING_NO_DIRECT = 2,     // the file system refused O_DIRECT
    RING_CANCEL_WANTED = 4, // io_cancel came
    RING_CANCEL_SENT = 8,
    RING_POLLED = 16, // went to the ring for polled completions
    RING_NO_POLLED = 32,
};

struct ring {
    struct io_uring uring;
    bool sqpoll;
    bool supported[RING_OPCODE_MAX];
    bool files_registered, buffers_registered;
    u64 slots_used[RING_FILES_MAX / 64];
    struct ring_arena {
        u8 *memory; // NULL: free
        size_t size;
        bool registered;
    } arenas[RING_ARENAS_MAX];
    u32 arena_count; // those beyond were never used
    // What a sendmsg entry points to until the kernel has consumed it: one for each submission
    // slot.
    struct msghdr *messages;
    u32 cancels_wanted;
    // Direct files' transfers when completions are polled; sockets cannot live on such a ring.
    bool polled_open;
    struct io_uring polled;
    u32 polled_pending;
};

// Turns c into submission entries. False when there is no room: c stays queued.
bool ring_prepare(struct io *io, struct completion *c);
bool ring_prepare_cancel(struct io *io, struct completion *c);
// All answers to c have come.
void ring_answered(struct io *io, struct completion *c);
// An entry, submitting what is there when the queue is full; NULL when that did not help.
struct io_uring_sqe *ring_entry(struct io *io, struct io_uring *uring);
// True when `count` entries fit in one submission.
bool ring_room(struct io *io, struct io_uring *uring, u32 count);
int ring_slot_take(struct ring *r, int fd);
void ring_slot_release(struct ring *r, int slot);
