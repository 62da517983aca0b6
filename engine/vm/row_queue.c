#include "row_queue.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 4096u

// Room for that many bytes after the tail.
static bool room_make(struct row_queue *q, u64 size)
{
    u32 used = q->tail - q->head;
    if (size > ROW_QUEUE_BYTES_MAX - used) return false;
    // Moving what is there is worth it when that is less than what was taken out since.
    if (q->head >= used && used + size <= q->capacity) {
        memmove(q->bytes, q->bytes + q->head, used);
    } else {
        u32 capacity = MAX(q->capacity, CAPACITY_MIN);
        while (capacity < 2 * used + size && capacity < ROW_QUEUE_BYTES_MAX) capacity *= 2;
        u8 *grown = malloc(capacity);
        if (!grown) return false;
        if (used) memcpy(grown, q->bytes + q->head, used);
        free(q->bytes);
        q->bytes = grown;
        q->capacity = capacity;
    }
    q->head = 0;
    q->tail = used;
    return true;
}

u8 *row_queue_push(struct row_queue *q, u64 size)
{
    if (UNLIKELY(size + 4 > q->capacity - q->tail) && !room_make(q, size + 4)) return NULL;
    u32 n = (u32)size;
    u8 *at = q->bytes + q->tail;
    memcpy(at, &n, 4);
    q->tail += n + 4;
    return at + 4;
}

const u8 *row_queue_pop(struct row_queue *q, u32 *size)
{
    if (q->head == q->tail) return NULL;
    const u8 *at = q->bytes + q->head;
    memcpy(size, at, 4);
    q->head += *size + 4;
    if (q->head == q->tail) q->head = q->tail = 0;
    return at + 4;
}

void row_queue_deinit(struct row_queue *q)
{
    free(q->bytes);
    *q = (struct row_queue){0};
}
