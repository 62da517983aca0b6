#include "store/cache.h"

void op_init(struct op *op, struct io *io, void (*wake)(struct waiter *w))
{
    op->io = io;
    err_clear(&op->err);
    op->waiter = (struct waiter){.wake = wake};
    op->mutating = false;
    op->pins = NULL;
    op->pin_count = op->pin_capacity = 0;
}

void op_deinit(struct op *op)
{
    op_settle(op);
    waiter_remove(&op->waiter);
    free(op->pins);
    op->pins = NULL;
    op->pin_capacity = 0;
}

void op_mutate(struct op *op)
{
    ASSERT(!op->mutating);
    op->mutating = true;
}

void op_unpin(struct op *op)
{
    for (u32 i = 0; i < op->pin_count; i++) {
        op->pins[i]->frame->pinned_by = NULL;
        page_unpin(op->pins[i]);
    }
    op->pin_count = 0;
}

bool op_pins_ensure(struct op *op, u32 more)
{
    u32 want = op->pin_count + more;
    if (want <= op->pin_capacity) return true;
    u32 capacity = op->pin_capacity ? op->pin_capacity : 16;
    while (capacity < want) capacity *= 2;
    struct page **pins = realloc(op->pins, capacity * sizeof *pins);
    if (!pins) return false;
    op->pins = pins;
    op->pin_capacity = capacity;
    return true;
}

void op_pin(struct op *op, struct page *p)
{
    if (p->frame->pinned_by == op) return;
    ASSERT(op->pin_count < op->pin_capacity);
    page_pin(p);
    p->frame->pinned_by = op;
    op->pins[op->pin_count++] = p;
}
