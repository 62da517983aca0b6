// Several segments into one. What the newest says of a row and term is what holds; a deletion is forgotten when nothing
// older is left.
#include "fts_internal.h"

struct fts_merge {
    struct fts_table *table;
    u32 level, out_level; // level UINT32_MAX: all
    const struct fts_pending *without; // one segment is written again, without what is deleted there
    u32 index;                         // of the segment
    const struct fts_term *gone;       // of the least term
    u32 gone_at;
    s64 gone_rowid; // of the entry before
    u32 count;
    struct fts_iter *iters; // newest first
    struct fts_iter **order; // those that are not through, by their terms; newest first where they have the same
    u32 order_count;
    u32 group_count;        // so many of them have the least term, or had it a moment ago
    struct fts_iter *least; // of the group, the one with the least row
    struct fts_iter *run;   // it is the least one, alone, as long as its row is before that
    s64 run_end;
    struct fts_writer writer;
    struct fts_structure after; // as it will be
    u32 segment;
    bool entry_done, term_written, finished, forget;
    u32 deleted_ranges; // of the input under way: pages, tombstones
    bool summing; // nothing is written: the entries are hashed
    u64 sum, term_hash;
    struct fts_hits *hits; // nothing is written: those with the prefix are collected
    bool listed;           // nothing is written: one was given out
    const u8 *prefix;
    u32 prefix_size;
    u32 started_count;
    struct fts_buffer positions;
    u32 delete_next;
    struct skerry_stmt *delete_data, *delete_index;
};

void fts_merge_free(struct fts_merge *m)
{
    if (!m) return;
    for (u32 i = 0; i < m->count; i++) fts_iter_free(&m->iters[i]);
    free(m->iters);
    free(m->order);
    fts_writer_free(&m->writer);
    fts_structure_free(&m->after);
    fts_buffer_free(&m->positions);
    fts_sql_give(m->table, FTS_SQL_DATA_DELETE, &m->delete_data);
    fts_sql_give(m->table, FTS_SQL_IDX_DELETE, &m->delete_index);
    fts_hits_free(m->hits);
    free(m);
}

void fts_hits_free(struct fts_hits *h)
{
    if (!h) return;
    arena_deinit(&h->arena);
    free(h);
}

// Of so many segments, whose iterators are the caller's to begin.
static struct fts_merge *merge_alloc(struct fts_table *x, const struct fts_structure *s, u32 level, u32 count)
{
    struct fts_merge *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->table = x;
    m->level = level;
    m->iters = calloc(count + 1, sizeof *m->iters);
    m->order = calloc(count + 1, sizeof(struct fts_iter *));
    m->segment = fts_structure_free_id(s);
    fts_writer_init(&m->writer, x, m->segment);
    if (!m->iters || !m->order || !fts_structure_copy(&m->after, s)) {
        fts_merge_free(m);
        return NULL;
    }
    m->count = count;
    return m;
}

static struct fts_merge *merge_new(struct fts_table *x, const struct fts_structure *s, u32 level)
{
    u32 first = level == UINT32_MAX ? 0 : level, last = level == UINT32_MAX ? MAX(s->level_count, 1u) - 1 : level;
    u32 count = 0, n = 0;
    for (u32 i = first; i <= last; i++) count += s->levels[i].count;
    struct fts_merge *m = merge_alloc(x, s, level, count);
    if (!m) return NULL;
    m->out_level = level == UINT32_MAX ? MAX(last, 1u) : MIN(last + 1, FTS_LEVELS_MAX - 1);
    for (u32 i = first; i <= last; i++) {
        for (u32 k = s->levels[i].count; k-- > 0;) fts_iter_init(&m->iters[n++], x, &s->levels[i].segments[k]);
        m->after.levels[i].count = 0;
    }
    m->forget = true;
    for (u32 i = last + 1; i < s->level_count; i++) m->forget &= s->levels[i].count == 0;
    return m;
}

static struct fts_merge *rewrite_new(struct fts_table *x, const struct fts_structure *s, u32 level, u32 index,
                                     const struct fts_pending *without)
{
    struct fts_merge *m = merge_alloc(x, s, level, 1);
    if (!m) return NULL;
    m->out_level = level;
    m->index = index;
    m->without = without;
    fts_iter_init(&m->iters[0], x, &s->levels[level].segments[index]);
    return m;
}

static int iter_compare(const struct fts_iter *a, const struct fts_iter *b)
{
    if (a->term_head != b->term_head) return a->term_head < b->term_head ? -1 : 1;
    u32 common = MIN(a->term.size, b->term.size);
    int k = common <= sizeof a->term_head ? 0 : memcmp(a->term.data, b->term.data, common);
    return k ? k : a->term.size < b->term.size ? -1 : a->term.size > b->term.size;
}

static bool begins(const struct fts_iter *i, const u8 *prefix, u32 size)
{
    return i->term.size >= size && memcmp(i->term.data, prefix, size) == 0;
}

static bool hit_add(struct fts_hits *h, s64 rowid, const u8 *positions, u32 size)
{
    enum { ROOM = 4096 };
    h->hits = arena_grow(&h->arena, h->hits, h->count, &h->capacity, sizeof *h->hits);
    if (h->positions_room < size) {
        h->positions_room = MAX((u32)ROOM, size);
        h->positions = arena_alloc(&h->arena, h->positions_room);
    }
    if (!h->hits || (size && !h->positions)) return false;
    if (size) memcpy(h->positions, positions, size);
    h->hits[h->count++] = (struct fts_hit){rowid, h->positions, size};
    h->positions += size;
    h->positions_room -= size;
    return true;
}

// Takes order[at] to its place among those behind it, or out when it is through.
static void order_place(struct fts_merge *m, u32 at)
{
    struct fts_iter *k = m->order[at];
    u32 low = at + 1, high = m->order_count;
    while (k->valid && low < high) {
        u32 middle = low + (high - low) / 2;
        int order = iter_compare(m->order[middle], k);
        if (order < 0 || (order == 0 && m->order[middle] < k))
            low = middle + 1;
        else
            high = middle;
    }
    u32 to = k->valid ? low - 1 : --m->order_count;
    for (; at < to; at++) m->order[at] = m->order[at + 1];
    if (k->valid) m->order[to] = k;
}

// The iterators at the least term; none: there are no more.
static io_status group_make(struct fts_merge *m, struct op *op)
{
    m->run = NULL;
    while (m->group_count) {
        IO_TRY(fts_iter_next_term(m->order[m->group_count - 1], op));
        order_place(m, --m->group_count);
    }
    m->term_written = false;
    u32 count = 0;
    while (count < m->order_count && (!count || iter_compare(m->order[count], m->order[0]) == 0)) count++;
    if (count && m->hits && !begins(m->order[0], m->prefix, m->prefix_size)) count = 0;
    m->group_count = count;
    m->gone = NULL;
    m->gone_at = 0;
    if (count && m->without) m->gone = fts_pending_find(m->without, m->order[0]->term.data, m->order[0]->term.size);
    return IO_DONE;
}

// The least entry that counts or is to go on: m->least; NULL: there are no more.
static io_status least_find_among(struct fts_merge *m, struct op *op)
{
    while (!m->least) {
        m->run_end = INT64_MAX;
        for (u32 i = 0; i < m->group_count; i++) {
            struct fts_iter *k = m->order[i];
            if (!k->valid) continue;
            if (!m->least || k->rowid < m->least->rowid) {
                if (m->least) m->run_end = m->least->rowid;
                m->least = k;
            } else {
                m->run_end = MIN(m->run_end, k->rowid);
            }
        }
        m->run = m->least;
        if (m->least) break;
        IO_TRY(group_make(m, op));
        if (!m->group_count) break;
    }
    m->finished = !m->least;
    return IO_DONE;
}

ALWAYS_INLINE io_status least_find(struct fts_merge *m, struct op *op)
{
    if (UNLIKELY(!m->run || !m->run->valid || m->run->rowid >= m->run_end)) return least_find_among(m, op);
    m->least = m->run;
    return IO_DONE;
}

ALWAYS_INLINE io_status least_pass(struct fts_merge *m, struct op *op)
{
    // Older entries of the same row first, so that a wait finds them again.
    for (u32 i = m->least->rowid < m->run_end ? 0 : m->group_count; i-- > 0;) {
        struct fts_iter *k = m->order[i];
        if (k != m->least && k->valid && k->rowid == m->least->rowid) IO_TRY(fts_iter_next(k, op));
    }
    IO_TRY(fts_iter_next(m->least, op));
    m->least = NULL;
    return IO_DONE;
}

// Whether the row of the least entry is deleted in m->without.
static bool least_gone(struct fts_merge *m)
{
    while (m->gone && m->gone_at < m->gone->doclist.size) {
        u32 next = m->gone_at;
        struct fts_pending_entry e = fts_pending_entry(m->gone, &next, m->gone_rowid);
        if (e.rowid == m->least->rowid && e.deleted) return true;
        if (e.rowid > m->least->rowid) break;
        m->gone_at = next;
        m->gone_rowid = e.rowid;
    }
    return false;
}

ALWAYS_INLINE io_status least_wanted(struct fts_merge *m, struct op *op, bool *wanted)
{
    bool gone = false;
    if (m->least->segment.tombstone_pages) IO_TRY(fts_tombstone_find(m->least, op, &gone));
    *wanted = !(m->gone && least_gone(m)) && ((m->least->positions_size && !gone) || (m->least->deleted && !m->forget));
    return IO_DONE;
}

static u32 positions_size(const struct fts_merge *m)
{
    return m->table->config->detail == FTS_DETAIL_NONE ? 0 : m->least->positions_size;
}

// Of the least entry.
static u64 entry_sum(const struct fts_merge *m, const u8 *at)
{
    const struct fts_config *c = m->table->config;
    const u8 *end = at + positions_size(m);
    u64 entry = fts_hash_mix(m->term_hash, (u64)m->least->rowid), place, sum = 0;
    if (c->detail == FTS_DETAIL_NONE) return fts_place_hash(entry, 0);
    for (struct fts_position_reader reader = {0}; at < end;) {
        if (!fts_position_next(c, &reader, &at, end, &place)) return sum + UINT32_MAX; // damaged: what no rows give
        sum ^= fts_place_hash(entry, place);
    }
    return sum;
}

// The least entry, and those of its page that follow it in the result: the iterator is on the last one then.
static bool entries_write(struct fts_merge *m, const u8 *positions)
{
    struct fts_iter *i = m->least;
    bool deleted = i->deleted && !m->forget;
    u32 size = i->positions_size, room = fts_writer_room(&m->writer);
    if (i->bare || !room || size > room || size > i->pages[0].leaf_size - i->positions_at)
        return fts_writer_entry(&m->writer, i->rowid, deleted, positions, size);
    struct fts_run last = {positions + size, i->rowid, size, i->deleted};
    const u8 *data = i->pages[0].data;
    if (!i->segment.tombstone_pages && !m->gone && be16_get(data) < i->positions_at)
        fts_run_extend(&last, MIN(data + i->term_next, positions + room), m->run_end, !m->forget);
    s64 rowid = i->rowid;
    i->rowid = last.rowid;
    i->deleted = last.deleted;
    i->positions_size = last.positions_size;
    i->positions_at = (u32)(last.end - data) - last.positions_size;
    return fts_writer_run(&m->writer, rowid, deleted, positions, size, &last);
}

static io_status least_take(struct fts_merge *m, struct op *op)
{
    const struct fts_iter *from = m->least;
    const u8 *positions;
    IO_TRY(fts_iter_positions(m->least, op, &m->positions, &positions));
    bool ok = true;
    if (m->hits) {
        ok = hit_add(m->hits, from->rowid, positions, positions_size(m));
    } else if (m->summing) {
        const struct fts_buffer *term = &from->term;
        if (!m->term_written) m->term_hash = term->size ? fts_hash(term->data[0], term->data + 1, term->size - 1) : 0;
        m->term_written = true;
        m->sum ^= entry_sum(m, positions);
    } else {
        if (!m->term_written) ok = fts_writer_term(&m->writer, from->term.data, from->term.size);
        m->term_written = true;
        ok = ok && entries_write(m, positions);
    }
    return ok ? IO_DONE : fts_no_memory(op);
}

// One entry of the result.
static io_status entry_merge(struct fts_merge *m, struct op *op)
{
    IO_TRY(least_find(m, op));
    if (m->finished) return m->summing || m->hits || fts_writer_finish(&m->writer) ? IO_DONE : fts_no_memory(op);
    bool wanted;
    IO_TRY(least_wanted(m, op, &wanted));
    if (wanted && !m->entry_done) IO_TRY(least_take(m, op));
    m->entry_done = true; // what is left is to go on
    IO_TRY(least_pass(m, op));
    m->entry_done = false;
    return IO_DONE;
}

// The inputs from delete_next on whose ids follow each other, which are deleted as one.
static u32 neighbours_find(const struct fts_merge *m, u32 *first, u32 *last, bool *tombstones)
{
    u32 i = m->delete_next;
    *first = *last = m->iters[i].segment.id;
    *tombstones = false;
    for (; i < m->count; i++) {
        const struct fts_segment *g = &m->iters[i].segment;
        if (g->id + 1 < *first || g->id > *last + 1) break;
        *first = MIN(*first, g->id);
        *last = MAX(*last, g->id);
        *tombstones |= g->tombstone_pages > 0;
    }
    return i - m->delete_next;
}

static io_status inputs_delete(struct fts_merge *m, struct op *op)
{
    struct fts_table *x = m->table;
    while (m->delete_next < m->count) {
        u32 first, last;
        bool row, tombstones;
        u32 count = neighbours_find(m, &first, &last, &tombstones);
        for (; m->deleted_ranges < (tombstones ? 2u : 1u); m->deleted_ranges++) {
            s64 more = m->deleted_ranges ? FTS_TOMBSTONE_IDS : 0;
            if (!m->delete_data) IO_TRY(fts_sql_take(x, op, FTS_SQL_DATA_DELETE, &m->delete_data));
            if (!skerry_stmt_busy(m->delete_data) &&
                (skerry_bind_integer(m->delete_data, 1, (first + more) << FTS_PAGE_BITS) ||
                 skerry_bind_integer(m->delete_data, 2, ((last + more + 1) << FTS_PAGE_BITS) - 1)))
                return fts_no_memory(op);
            IO_TRY(fts_sql_step(m->delete_data, op, &row));
        }
        if (!m->delete_index) IO_TRY(fts_sql_take(x, op, FTS_SQL_IDX_DELETE, &m->delete_index));
        if (!skerry_stmt_busy(m->delete_index) &&
            (skerry_bind_integer(m->delete_index, 1, first) || skerry_bind_integer(m->delete_index, 2, last)))
            return fts_no_memory(op);
        IO_TRY(fts_sql_step(m->delete_index, op, &row));
        m->deleted_ranges = 0;
        m->delete_next += count;
    }
    return IO_DONE;
}

static io_status iters_start(struct fts_merge *m, struct op *op)
{
    if (m->started_count == m->count) return IO_DONE;
    for (; m->started_count < m->count; m->started_count++) {
        struct fts_iter *i = &m->iters[m->started_count];
        IO_TRY(m->prefix ? fts_iter_seek(i, op, m->prefix, m->prefix_size) : fts_iter_first(i, op));
        m->order[m->started_count] = i;
    }
    m->order_count = m->count;
    for (u32 at = m->count; at-- > 0;) order_place(m, at);
    return IO_DONE;
}

io_status fts_merge_sum(struct fts_merge **merge, struct fts_table *x, struct op *op, const struct fts_structure *s,
                        u64 *sum)
{
    *sum = 0;
    if (!fts_structure_segments(s)) return IO_DONE;
    if (!*merge) {
        *merge = merge_new(x, s, UINT32_MAX);
        if (!*merge) return fts_no_memory(op);
        (*merge)->summing = true;
    }
    struct fts_merge *m = *merge;
    IO_TRY(iters_start(m, op));
    while (!m->finished) IO_TRY(entry_merge(m, op));
    *sum = m->sum;
    fts_merge_free(m);
    *merge = NULL;
    return IO_DONE;
}

io_status fts_merge_next(struct fts_merge **merge, struct fts_table *x, struct op *op, const struct fts_structure *s,
                         const u8 *from, u32 size, struct fts_entry *out)
{
    if (!*merge) {
        *merge = merge_new(x, s, UINT32_MAX);
        if (!*merge) return fts_no_memory(op);
        (*merge)->prefix = from;
        (*merge)->prefix_size = size;
    }
    struct fts_merge *m = *merge;
    IO_TRY(iters_start(m, op));
    *out = (struct fts_entry){0};
    for (bool wanted = false; !wanted;) {
        if (m->listed) IO_TRY(least_pass(m, op));
        m->listed = false;
        IO_TRY(least_find(m, op));
        if (m->finished) return IO_DONE;
        IO_TRY(least_wanted(m, op, &wanted));
        if (wanted) IO_TRY(fts_iter_positions(m->least, op, &m->positions, &out->positions));
        m->listed = true;
    }
    out->starts = !m->term_written;
    m->term_written = true;
    out->rowid = m->least->rowid;
    out->term = m->least->term.data;
    out->term_size = m->least->term.size;
    out->positions_size = positions_size(m);
    return IO_DONE;
}

#define DIGIT 11u

static u32 digit_of(const struct fts_hit *h, s64 least, u32 shift)
{
    return (u32)(((u64)h->rowid - (u64)least) >> shift) & ((1u << DIGIT) - 1);
}

// Sorts by rowid, digit by digit from the last one on; those of the same row stay in their order. False: out of memory.
static bool hits_sort(struct fts_hits *h)
{
    s64 least = INT64_MAX, greatest = INT64_MIN;
    for (u32 i = 0; i < h->count; i++) {
        least = MIN(least, h->hits[i].rowid);
        greatest = MAX(greatest, h->hits[i].rowid);
    }
    if (h->count < 2 || least == greatest) return true;
    u64 range = (u64)greatest - (u64)least;
    struct fts_hit *other = arena_alloc(&h->arena, h->count * sizeof *other);
    if (!other) return false;
    for (u32 shift = 0; shift < 64 && range >> shift; shift += DIGIT) {
        u32 starts[1u << DIGIT] = {0}, at = 0;
        for (u32 i = 0; i < h->count; i++) starts[digit_of(&h->hits[i], least, shift)]++;
        for (u32 i = 0; i < COUNT_OF(starts); i++) {
            u32 count = starts[i];
            starts[i] = at;
            at += count;
        }
        for (u32 i = 0; i < h->count; i++) other[starts[digit_of(&h->hits[i], least, shift)]++] = h->hits[i];
        struct fts_hit *sorted = other;
        other = h->hits;
        h->hits = sorted;
    }
    h->capacity = h->count;
    return true;
}

io_status fts_merge_prefix(struct fts_merge **merge, struct fts_table *x, struct op *op, const struct fts_structure *s,
                           const u8 *prefix, u32 size, struct fts_hits **out)
{
    if (!*merge) {
        *merge = merge_new(x, s, UINT32_MAX);
        if (*merge) (*merge)->hits = calloc(1, sizeof *(*merge)->hits);
        if (!*merge || !(*merge)->hits) return fts_no_memory(op);
        (*merge)->prefix = prefix;
        (*merge)->prefix_size = size;
    }
    struct fts_merge *m = *merge;
    IO_TRY(iters_start(m, op));
    while (!m->finished) IO_TRY(entry_merge(m, op));
    if (!hits_sort(m->hits)) return fts_no_memory(op);
    *out = m->hits;
    m->hits = NULL;
    fts_merge_free(m);
    *merge = NULL;
    return IO_DONE;
}

static io_status merge_write(struct fts_merge *m, struct op *op)
{
    if (!m->segment)
        return IO_ERROR(&op->err, ERR_FULL, "the full-text index of %s has too many segments", m->table->config->name);
    IO_TRY(iters_start(m, op));
    for (;;) {
        IO_TRY(fts_writer_drain(&m->writer, op));
        if (m->finished) break;
        IO_TRY(entry_merge(m, op));
    }
    return inputs_delete(m, op);
}

// The structure as it is now; the merge is over.
static io_status merge_end(struct fts_merge **merge, struct op *op, struct fts_structure *s)
{
    struct fts_structure *after = &(*merge)->after;
    while (after->level_count && !after->levels[after->level_count - 1].count) after->level_count--;
    if (!fts_structure_copy(s, after)) return fts_no_memory(op);
    fts_merge_free(*merge);
    *merge = NULL;
    return IO_DONE;
}

io_status fts_merge_rewrite(struct fts_merge **merge, struct fts_table *x, struct op *op, struct fts_structure *s, u32 level,
                            u32 index, const struct fts_pending *without)
{
    if (!*merge) *merge = rewrite_new(x, s, level, index, without);
    struct fts_merge *m = *merge;
    if (!m) return fts_no_memory(op);
    IO_TRY(merge_write(m, op));
    struct fts_level *l = &m->after.levels[level];
    struct fts_segment *g = &l->segments[index];
    *g = (struct fts_segment){.id = m->segment, .first = 1, .last = m->writer.page_no - 1, .origin_first = g->origin_first,
                              .origin_last = g->origin_last, .entries = g->entries};
    if (m->writer.page_no == 1) {
        l->count--;
        memmove(g, g + 1, (l->count - index) * sizeof *g);
    }
    return merge_end(merge, op, s);
}

io_status fts_merge_run(struct fts_merge **merge, struct fts_table *x, struct op *op, struct fts_structure *s, u32 level)
{
    if (!*merge) {
        if (!fts_structure_segments(s)) return IO_DONE;
        *merge = merge_new(x, s, level);
        if (!*merge) return fts_no_memory(op);
    }
    struct fts_merge *m = *merge;
    IO_TRY(merge_write(m, op));
    struct fts_segment out = {.id = m->segment, .first = 1, .last = m->writer.page_no - 1,
                              .origin_first = m->iters[m->count - 1].segment.origin_first,
                              .origin_last = m->iters[0].segment.origin_last};
    for (u32 i = 0; i < m->count; i++) {
        const struct fts_segment *g = &m->iters[i].segment;
        out.entries += g->entries - MIN(g->entries, g->tombstones);
    }
    if (m->writer.page_no > 1 && !fts_structure_add(&m->after, m->out_level, &out)) return fts_no_memory(op);
    return merge_end(merge, op, s);
}
