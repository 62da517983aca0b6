// The queue of a recursive query: QueuePut and QueueGet. Rows that memory has no room for go to the cursor's ephemeral
// table, whose rowids count up, and so do all that follow until these have been taken out.
#include "row_queue.h"
#include "vm.h"

static io_status table_put(struct skerry_stmt *s, struct vm_cursor *c, const struct value *record)
{
    struct btree_entry e = {.data = record->bytes, .size = record->size};
    IO_TRY(btree_rowid_last(&c->c, &s->op, &e.rowid));
    e.rowid++;
    IO_TRY(cursor_insert(&c->c, &s->op, &e, CURSOR_APPEND, 0));
    c->queue->elsewhere++;
    return vm_memory_check(s);
}

io_status vm_queue_put(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    struct value *record = &s->frame->registers[in->p2];
    if (UNLIKELY(record->flags & VALUE_ZERO_TAIL)) VALUE_TRY(s, value_expand(record));
    if (UNLIKELY(!c->queue) && !(c->queue = calloc(1, sizeof *c->queue))) return vm_no_memory(s);
    struct row_queue *q = c->queue;
    u32 before = q->capacity;
    u8 *to = q->elsewhere ? NULL : row_queue_push(q, record->size);
    if (UNLIKELY(q->capacity != before)) s->sorter_bytes += q->capacity - before;
    if (UNLIKELY(!to)) return table_put(s, c, record);
    memcpy(to, record->bytes, record->size);
    return LIKELY(q->capacity == before) ? IO_DONE : vm_memory_check(s);
}

// The first row of the table, which is taken out.
static io_status table_get(struct skerry_stmt *s, struct vm_cursor *c, struct value *out)
{
    IO_TRY(cursor_first(&c->c, &s->op));
    IO_TRY(cursor_entry(&c->c, &s->op));
    u64 size = c->c.payload_size;
    VALUE_TRY(s, value_reserve(out, (u32)size + 1));
    IO_TRY(cursor_read(&c->c, &s->op, 0, size, out->buffer));
    IO_TRY(cursor_delete(&c->c, &s->op, 0));
    value_borrow_blob(out, out->buffer, (u32)size);
    out->flags &= (u8)~VALUE_BORROWED;
    c->queue->elsewhere--;
    return IO_DONE;
}

io_status vm_queue_get(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    struct value *out = &s->frame->registers[in->p3];
    struct row_queue *q = c->queue;
    u32 size;
    *jump = false;
    const u8 *record = q ? row_queue_pop(q, &size) : NULL;
    if (LIKELY(record != NULL)) {
        VALUE_TRY(s, value_set_blob(out, record, size));
        return IO_DONE;
    }
    *jump = !q || !q->elsewhere;
    return *jump ? IO_DONE : table_get(s, c, out);
}

void vm_queue_free(struct skerry_stmt *s, struct vm_cursor *c)
{
    if (!c->queue) return;
    s->sorter_bytes -= c->queue->capacity;
    row_queue_deinit(c->queue);
    free(c->queue);
    c->queue = NULL;
}
