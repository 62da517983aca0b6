// A queue of records, first in, first out: the rows of a recursive query that are still to be looked at.
//
// They are in memory as long as they fit into ROW_QUEUE_BYTES_MAX; while some do not, the owner keeps all that follow
// elsewhere (vm_queue.c: in an ephemeral table), so that the order stays.
#pragma once

#include "../../io/base.h"

#define ROW_QUEUE_BYTES_MAX 262144u

struct row_queue {
    u8 *bytes; // (size, record) one after another
    u32 capacity, head, tail;
    u64 elsewhere; // rows that came after these and did not fit
};

// Room for a record of `size` bytes at the end; NULL: it does not fit, or out of memory.
u8 *row_queue_push(struct row_queue *q, u64 size);
// The oldest record, which is taken out; good until the next push. NULL: there is none in memory.
const u8 *row_queue_pop(struct row_queue *q, u32 *size);
void row_queue_deinit(struct row_queue *q);
