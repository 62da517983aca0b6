// The operation: who is asking, and how to tell that it failed or may go on.
//
// Every cooperative function of the engine takes one. A statement embeds one; so do a checkpoint, a commit,
// an integrity check. Rules (the shared style's "gather, then mutate"):
// - Gather: functions that may wait or fail run again from the top after IO_WAIT, and change nothing.
// - op_mutate(op) is a one-way door: after it nothing waits or fails, until op_settle(op).
// - Pages that a gather asked for stay pinned by the op (asking twice is free) until op_settle.
#pragma once

#include "../io/io.h"

struct page;

struct op {
    struct io *io;
    struct err err;       // set when a call gave IO_FAIL
    struct waiter waiter; // woken when an IO_WAIT is worth calling again
    bool mutating;
    struct page **pins; // pages held for the gather under way
    u32 pin_count, pin_capacity;
};

void op_init(struct op *op, struct io *io, void (*wake)(struct waiter *w));
void op_deinit(struct op *op); // unpins, leaves wait lists
void op_mutate(struct op *op);
void op_unpin(struct op *op);
// Unpins; the next gather may start.
static inline void op_settle(struct op *op)
{
    op->mutating = false;
    if (op->pin_count) op_unpin(op);
}
