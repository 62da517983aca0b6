// Timeouts of every backend: a binary heap, so that waiting for the nearest one needs no kernel
// object.
#include "backend.h"

#include <errno.h>

// op.offset is the place in the heap, op.done_size the order of submission.
static bool timer_before(const struct completion *a, const struct completion *b)
{
    if (a->op.deadline_ns != b->op.deadline_ns) return a->op.deadline_ns < b->op.deadline_ns;
    return a->op.done_size < b->op.done_size;
}

static void timer_put(struct io *io, u32 index, struct completion *c)
{
    io->timers.items[index] = c;
    c->op.offset = index;
}

static void timer_rise(struct io *io, u32 index, struct completion *c)
{
    while (index > 0) {
        u32 parent = (index - 1) / 2;
        if (!timer_before(c, io->timers.items[parent])) break;
        timer_put(io, index, io->timers.items[parent]);
        index = parent;
    }
    timer_put(io, index, c);
}

static void timer_sink(struct io *io, u32 index, struct completion *c)
{
    for (;;) {
        u32 child = index * 2 + 1;
        if (child >= io->timers.count) break;
        if (child + 1 < io->timers.count &&
            timer_before(io->timers.items[child + 1], io->timers.items[child]))
            child++;
        if (!timer_before(io->timers.items[child], c)) break;
        timer_put(io, index, io->timers.items[child]);
        index = child;
    }
    timer_put(io, index, c);
}

void timer_add(struct io *io, struct completion *c)
{
    if (io->timers.count == io->timers.capacity) {
        u32 capacity = io->timers.capacity ? io->timers.capacity * 2 : 64;
        struct completion **items = realloc(io->timers.items, capacity * sizeof *items);
        if (!items) {
            io_finish(io, c, -ENOMEM);
            return;
        }
        io->timers.items = items;
        io->timers.capacity = capacity;
    }
    c->op.place = PLACE_TIMER;
    c->op.done_size = io->timers.sequence++;
    timer_rise(io, io->timers.count++, c);
}

void timer_remove(struct io *io, struct completion *c)
{
    u32 index = (u32)c->op.offset;
    ASSERT(index < io->timers.count);
    ASSERT(io->timers.items[index] == c);
    struct completion *last = io->timers.items[--io->timers.count];
    if (last == c) return;
    if (index > 0 && timer_before(last, io->timers.items[(index - 1) / 2]))
        timer_rise(io, index, last);
    else
        timer_sink(io, index, last);
}

void timer_expire(struct io *io)
{
    if (io->timers.count == 0) return;
    u64 now_ns = io_now_ns(io);
    while (io->timers.count > 0 && io->timers.items[0]->op.deadline_ns <= now_ns) {
        struct completion *c = io->timers.items[0];
        timer_remove(io, c);
        io_finish(io, c, 0);
    }
}

u64 timer_next_ns(const struct io *io)
{
    return io->timers.count ? io->timers.items[0]->op.deadline_ns : UINT64_MAX;
}
