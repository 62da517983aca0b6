#include "sorter_internal.h"

#define WAYS_MAX 32

// ---- one run, read in order ------------------------------------------------------------------------------------

struct merge_source {
    struct spill_buffer *buffers[2]; // one is read from while the other is filled
    u32 current, position;
    u64 next, end; // of the run: not yet asked for
    const u8 *record; // NULL: at its end
    u32 size;
    u64 prefix;
    // A record on its way: the head's and the body's bytes that are there.
    bool advancing;
    u32 head_have, have;
    u8 *whole; // of a record that lies in several buffers
    u32 whole_capacity;
};
struct sorter_merge {
    struct spill *spill;
    u32 count, leaves, started;
    u32 tree[WAYS_MAX]; // [leaves]: who wins below that node; 1 is the root
    struct merge_source sources[];
};

static void source_fetch(struct merge_source *r, struct spill_buffer *b)
{
    u32 n = (u32)MIN((u64)b->capacity, r->end - r->next);
    b->size = 0;
    if (n) spill_read(b, n, r->next);
    r->next += n;
}

// Until there is a byte to take; *bytes is 0 at the run's end.
static io_status source_bytes(struct merge_source *r, struct op *op, u32 *bytes)
{
    for (;;) {
        struct spill_buffer *b = r->buffers[r->current];
        IO_TRY(spill_wait(b, op));
        *bytes = b->size - r->position;
        if (LIKELY(*bytes > 0) || b->size == 0) return IO_DONE;
        source_fetch(r, b);
        r->current ^= 1;
        r->position = 0;
    }
}

static io_status source_damaged(struct sorter *s, struct op *op)
{
    return IO_ERROR(&op->err, ERR_IOERR_SHORT_READ,
                    "disk I/O error: a temporary file in %s does not hold what was written to it", s->directory);
}

static io_status source_advance(struct sorter *s, struct merge_source *r, struct op *op)
{
    if (!r->advancing) {
        r->advancing = true;
        r->head_have = r->have = r->size = 0;
    }
    u32 there;
    while (r->head_have < 4) {
        IO_TRY(source_bytes(r, op, &there));
        if (!there) {
            if (r->head_have) return source_damaged(s, op);
            r->record = NULL;
            r->advancing = false;
            return IO_DONE;
        }
        u32 n = MIN(4 - r->head_have, there);
        memcpy((u8 *)&r->size + r->head_have, r->buffers[r->current]->data + r->position, n);
        r->head_have += n;
        r->position += n;
    }
    if (r->size > VALUE_SIZE_MAX) return source_damaged(s, op);
    if (UNLIKELY(!r->size)) r->record = (const u8 *)&r->size;
    while (r->have < r->size) {
        IO_TRY(source_bytes(r, op, &there));
        if (!there) return source_damaged(s, op);
        const u8 *bytes = r->buffers[r->current]->data + r->position;
        if (LIKELY(!r->have && there >= r->size)) {
            r->record = bytes;
            r->position += r->size;
            break;
        }
        if (r->whole_capacity < r->size) {
            u8 *grown = realloc(r->whole, r->size);
            if (!grown) return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
            r->whole = grown;
            r->whole_capacity = r->size;
        }
        u32 n = MIN(r->size - r->have, there);
        memcpy(r->whole + r->have, bytes, n);
        r->have += n;
        r->position += n;
        r->record = r->whole;
    }
    bool exact;
    r->prefix = sorter_prefix(r->record, r->size, s->info, &exact);
    r->advancing = false;
    return IO_DONE;
}

// ---- merging -----------------------------------------------------------------------------------------------------

static void merge_free(struct sorter_merge *m)
{
    if (!m) return;
    for (u32 i = 0; i < m->count; i++) free(m->sources[i].whole);
    free(m);
}

static u32 buffer_size(const struct sorter *s)
{
    u64 size = s->budget / (2 * WAYS_MAX);
    return (u32)MIN(MAX(size, 4096u), 256u << 10) & ~4095u;
}

static struct sorter_merge *merge_new(struct sorter *s, const struct sorter_run *runs, u32 count)
{
    struct sorter_merge *m = calloc(1, sizeof *m + count * sizeof m->sources[0]);
    if (!m) return NULL;
    m->spill = s->spill;
    m->count = count;
    m->leaves = 2;
    while (m->leaves < count) m->leaves *= 2;
    for (u32 i = 0; i < count; i++) {
        struct merge_source *r = &m->sources[i];
        r->next = runs[i].start;
        r->end = runs[i].end;
        for (u32 k = 0; k < 2; k++)
            if (!(r->buffers[k] = spill_buffer_new(s->spill, buffer_size(s)))) {
                merge_free(m); // the buffers are the file's
                return NULL;
            }
    }
    for (u32 k = 0; k < 2; k++)
        for (u32 i = 0; i < count; i++) source_fetch(&m->sources[i], m->sources[i].buffers[k]);
    return m;
}

// Of two sources, a before b: equal records come in their order.
static u32 merge_play(struct sorter *s, struct sorter_merge *m, u32 a, u32 b)
{
    if (b >= m->count || !m->sources[b].record) return a;
    if (!m->sources[a].record) return b;
    const struct merge_source *x = &m->sources[a], *y = &m->sources[b];
    if (x->prefix != y->prefix) return x->prefix > y->prefix ? b : a;
    if (s->prefix_exact && s->fields == 1) return a;
    return record_compare_records(x->record, x->size, y->record, y->size, s->info, s->fields, &s->err) > 0 ? b : a;
}

static void merge_node(struct sorter *s, struct sorter_merge *m, u32 node)
{
    u32 left = node * 2, right = left + 1;
    m->tree[node] = merge_play(s, m, left >= m->leaves ? left - m->leaves : m->tree[left],
                               left >= m->leaves ? right - m->leaves : m->tree[right]);
}

static io_status merge_settle(struct sorter *s, struct sorter_merge *m, struct op *op)
{
    if (UNLIKELY(s->err.code != ERR_OK)) {
        op->err = s->err;
        return IO_FAIL;
    }
    const struct merge_source *r = &m->sources[m->tree[1]];
    s->merged_record = r->record;
    s->merged_size = r->size;
    return IO_DONE;
}

static io_status merge_start(struct sorter *s, struct op *op)
{
    struct sorter_merge *m = s->merge;
    for (; m->started < m->count; m->started++) IO_TRY(source_advance(s, &m->sources[m->started], op));
    for (u32 node = m->leaves - 1; node; node--) merge_node(s, m, node);
    return merge_settle(s, m, op);
}

io_status sorter_merge_next(struct sorter *s, struct op *op)
{
    struct sorter_merge *m = s->merge;
    u32 winner = m->tree[1];
    IO_TRY(source_advance(s, &m->sources[winner], op));
    for (u32 node = (m->leaves + winner) / 2; node; node /= 2) merge_node(s, m, node);
    return merge_settle(s, m, op);
}

// ---- runs --------------------------------------------------------------------------------------------------------

static io_status no_memory(struct op *op)
{
    return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
}

static u32 writer_size(const struct sorter *s)
{
    return (u32)MIN(MAX(s->budget / 16, 4096u), 1u << 20) & ~4095u;
}

void sorter_runs_clear(struct sorter *s)
{
    merge_free(s->merge);
    spill_free(s->spill);
    spill_free(s->pass);
    free(s->runs);
    s->merge = NULL;
    s->spill = s->pass = NULL;
    s->runs = NULL;
    s->run_count = s->run_capacity = s->ways = 0;
    s->pass_from = s->pass_to = 0;
    s->merged = s->writing = s->run_begun = s->pass_put = false;
    s->merged_record = NULL;
}

static io_status run_begin(struct sorter *s, struct op *op)
{
    if (!s->spill && !(s->spill = spill_new(op->io, s->directory, s->sealed))) return no_memory(op);
    IO_TRY(spill_open(s->spill, op));
    if (!s->spill->buffers && !spill_writer_init(&s->writer, s->spill, writer_size(s))) {
        spill_buffers_free(s->spill);
        return no_memory(op);
    }
    if (s->run_count == s->run_capacity) {
        u32 capacity = s->run_capacity ? s->run_capacity * 2 : 16;
        struct sorter_run *grown = realloc(s->runs, capacity * sizeof *grown);
        if (!grown) return no_memory(op);
        s->runs = grown;
        s->run_capacity = capacity;
    }
    if (!sorter_sort_memory(s)) {
        op->err = s->err;
        return IO_FAIL;
    }
    if (s->repeats) sorter_entries_unite(s);
    s->runs[s->run_count].start = spill_writer_end(&s->writer);
    s->run_begun = true;
    return IO_DONE;
}

io_status sorter_run_write(struct sorter *s, struct op *op)
{
    s->writing = true;
    s->next = s->end; // no room for the next record before the run is written
    if (!s->run_begun) IO_TRY(run_begin(s, op));
    for (; s->at < s->count; s->at++) {
        const u8 *record = s->entries[s->at].record;
        IO_TRY(spill_writer_put(&s->writer, op, record, sorter_record_size(record)));
    }
    // What is left in the buffers is written with the next run, or before merging.
    s->runs[s->run_count++].end = spill_writer_end(&s->writer);
    sorter_memory_clear(s);
    s->writing = s->run_begun = false;
    return IO_DONE;
}

// ---- passes ------------------------------------------------------------------------------------------------------

// Groups of `ways` neighbours become one run each, in another file.
static io_status merge_pass(struct sorter *s, struct op *op)
{
    if (!s->pass && !(s->pass = spill_new(op->io, s->directory, s->sealed))) return no_memory(op);
    IO_TRY(spill_open(s->pass, op));
    if (!s->pass->buffers && !spill_writer_init(&s->writer, s->pass, writer_size(s))) {
        spill_buffers_free(s->pass);
        return no_memory(op);
    }
    while (s->pass_from < s->run_count) {
        u32 count = MIN(s->ways, s->run_count - s->pass_from);
        if (!s->merge) {
            s->merge = merge_new(s, s->runs + s->pass_from, count);
            if (!s->merge) return no_memory(op);
            s->runs[s->pass_to].start = spill_writer_end(&s->writer);
            s->pass_put = false;
            s->merged_record = NULL;
        }
        if (!s->merged_record) IO_TRY(merge_start(s, op));
        while (s->merged_record) {
            if (!s->pass_put) IO_TRY(spill_writer_put(&s->writer, op, s->merged_record, s->merged_size));
            s->pass_put = true;
            IO_TRY(sorter_merge_next(s, op));
            s->pass_put = false;
        }
        s->runs[s->pass_to++].end = spill_writer_end(&s->writer);
        s->pass_from += count;
        merge_free(s->merge);
        s->merge = NULL;
        spill_buffers_free(s->spill); // all of them were read to their ends
    }
    IO_TRY(spill_writer_flush(&s->writer, op));
    spill_buffers_free(s->pass);
    spill_free(s->spill);
    s->spill = s->pass;
    s->pass = NULL;
    s->run_count = s->pass_to;
    s->pass_from = s->pass_to = 0;
    return IO_DONE;
}

io_status sorter_merge_begin(struct sorter *s, struct op *op)
{
    if (s->merged) { // again from the first
        IO_TRY(spill_drain(s->spill, op));
        merge_free(s->merge);
        s->merge = NULL;
        spill_buffers_free(s->spill);
        s->merged = false;
    }
    if (s->count || s->writing) IO_TRY(sorter_run_write(s, op));
    if (s->entries) {
        s->bytes -= s->capacity * sizeof *s->entries;
        free(s->entries);
        s->entries = NULL;
        s->capacity = 0;
    }
    if (!s->ways) {
        IO_TRY(spill_writer_flush(&s->writer, op));
        spill_buffers_free(s->spill);
        s->ways = (u32)MIN(MAX(s->budget / (2 * buffer_size(s)), 2u), (u64)WAYS_MAX);
    }
    while (s->run_count > s->ways) IO_TRY(merge_pass(s, op));
    if (!s->merge) {
        s->merge = merge_new(s, s->runs, s->run_count);
        if (!s->merge) return no_memory(op);
    }
    IO_TRY(merge_start(s, op));
    s->merged = true;
    return IO_DONE;
}
