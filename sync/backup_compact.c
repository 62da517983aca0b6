// Merging levels in the background: a run of segments of one window of time becomes one of the next level, each page
// once. Inputs come from memory when they were just written, else in ranges from the store; pages are gathered
// by ranges of a shard's size, so that memory is bounded whatever the sizes.
#include "backup_private.h"

#include <errno.h>
#include <sodium.h>

#define WINDOW_SIZE     (256u << 10)
#define SLICE_NS        2000000u // of work between two rests
#define POLL_MS_MAX     30000u
#define RETAIN_EVERY_NS 30000000000ull
#define NO_PAGE         UINT32_MAX

typedef unsigned long long ull;

struct compact_input {
    u32 level;
    u64 tx_min, tx_max, size;
    char key[OBJECT_KEY_MAX], shard_key[OBJECT_KEY_MAX];
    struct segment_index index, shard_index;
    bool open, shard_open;
    u32 shard;
    u8 *window; // bytes of the object named window_key from window_at on
    const char *window_key;
    u64 window_at, window_size;
    u32 next; // it may hold pages from here on
};

static void compact_run(struct backup *b);

void compact_wake(void *context)
{
    compact_run(context);
}

static void on_completion(struct completion *c)
{
    compact_run(c->context);
}

void compact_init(struct backup *b)
{
    struct compact *c = &b->compact;
    completion_init(&c->timer, on_completion, b);
    completion_init(&c->turn, on_completion, b);
    fetch_init(&c->fetch, b->options.objects, 4, compact_wake, b);
    c->err = ERR_CLEAR;
    c->listed_ns = io_now_ns(b->io);
}

// ---- its share of a processor
// ---------------------------------------------------------------------------------------------

void work_add(struct work *w, const void *who, u64 began_ns, u64 now_ns, u32 percent)
{
    w->took_ns += now_ns - began_ns;
    w->who = who;
    if (w->took_ns < SLICE_NS) return;
    w->until_ns = now_ns + w->took_ns * (100 - percent) / percent;
    w->took_ns = 0;
}

u64 work_rest_ns(const struct work *w, const void *who, u64 now_ns)
{
    u64 until = w->until_ns + (w->who == who);
    return w->until_ns > now_ns ? until - now_ns : 0;
}

// ---- what to merge
// ---------------------------------------------------------------------------------------------

static struct catalog_segment *best_from(struct catalog *c, u64 tx_min, u32 level_max)
{
    struct catalog_segment *best = NULL;
    for (u32 i = 0; i < c->count; i++) {
        struct catalog_segment *s = &c->segments[i];
        if (s->tx_min == tx_min && s->level <= level_max && (!best || s->tx_max > best->tx_max)) best = s;
    }
    return best;
}

static bool image_ends_at(const struct backup *b, u64 tx)
{
    const struct catalog *c = &b->catalog;
    if (b->imager.tx == tx && b->imager.step != IMAGE_IDLE) return true;
    for (u32 i = 0; i < c->count; i++)
        if (c->segments[i].level == LEVEL_IMAGE && c->segments[i].tx_max == tx) return true;
    return false;
}

// Finds a run of segments below `level`, all of one window of time that is over, for this level; or one whose times
// must be read first (`unknown`). They follow the newest segment of this level or a higher one.
static u32 run_find(struct backup *b, u32 level, struct catalog_segment **run, struct catalog_segment **unknown)
{
    struct catalog *c = &b->catalog;
    s64 now = io_wall_ms(b->io), period = (s64)b->options.period_ms[level];
    u64 at = 1;
    for (u32 i = 0; i < c->count; i++) {
        const struct catalog_segment *s = &c->segments[i];
        if (s->level >= level && s->level < LEVEL_IMAGE) at = MAX(at, s->tx_max + 1);
    }
    // History before the first segment that is still there is gone.
    if (at == 1) {
        u64 first = UINT64_MAX;
        for (u32 i = 0; i < c->count; i++)
            if (c->segments[i].level < LEVEL_IMAGE) first = MIN(first, c->segments[i].tx_min);
        at = first;
    }
    u32 count = 0;
    for (struct catalog_segment *s; (s = best_from(c, at, level - 1)); at = s->tx_max + 1) {
        if (!s->known) {
            *unknown = s;
            return 0;
        }
        s64 window = s->time_max_ms / period;
        bool base = s->flags & SEGMENT_BASE;
        bool breaks = count && (base || window != run[0]->time_max_ms / period || count == COMPACT_INPUTS_MAX ||
                                image_ends_at(b, run[count - 1]->tx_max));
        if (breaks) {
            if (count > 1) return count;
            count = 0;
        }
        if (!base) run[count++] = s;
    }
    bool over = count && (run[0]->time_max_ms / period != now / period || count == COMPACT_INPUTS_MAX ||
                          image_ends_at(b, run[count - 1]->tx_max));
    return over && count > 1 ? count : 0;
}

static bool merge_start(struct backup *b, u32 level, struct catalog_segment **run, u32 count)
{
    struct compact *c = &b->compact;
    c->inputs = calloc(count, sizeof *c->inputs);
    if (!c->inputs) return false;
    c->input_count = count;
    c->input_at = 0;
    c->level = level;
    c->tx_min = run[0]->tx_min;
    c->tx_max = run[count - 1]->tx_max;
    for (u32 i = 0; i < count; i++) {
        struct compact_input *in = &c->inputs[i];
        const struct catalog_segment *s = run[i];
        in->level = s->level, in->tx_min = s->tx_min, in->tx_max = s->tx_max, in->size = s->size;
        name_segment(b->name, b->mark.lineage, s->level, s->tx_min, s->tx_max, in->key);
        segment_index_init(&in->index, in->key, s->size, &b->catalog.key, &c->scratch);
        in->next = 1;
        if (s->bytes && (in->window = malloc(s->size))) {
            memcpy(in->window, s->bytes, s->size);
            in->window_key = in->key, in->window_size = s->size;
        }
    }
    c->step = COMPACT_OPEN;
    return true;
}

static void merge_end(struct backup *b)
{
    struct compact *c = &b->compact;
    u32 slots = c->page_size ? segment_shard_pages(c->page_size) : 0;
    for (u32 i = 0; c->slots && i < slots; i++) free(c->slots[i]);
    for (u32 i = 0; i < c->input_count; i++) {
        segment_index_deinit(&c->inputs[i].index);
        if (c->inputs[i].shard_open) segment_index_deinit(&c->inputs[i].shard_index);
        free(c->inputs[i].window);
    }
    if (c->writer_open) segment_writer_deinit(&c->writer);
    free(c->slots);
    free(c->inputs);
    free(c->shards);
    free(c->block);
    c->slots = NULL, c->inputs = NULL, c->shards = NULL, c->block = NULL;
    c->input_count = c->shard_count = c->shard_capacity = 0;
    c->page_size = 0;
    c->writer_open = c->sealed = false;
    retain_reset(c);
    c->step = COMPACT_IDLE;
}

// ---- reading inputs
// --------------------------------------------------------------------------------------------

// Bytes of an object of the input: from its window, which is filled with what comes next.
static io_status input_bytes(struct backup *b, struct compact_input *in, const char *key, u64 object_size, u64 offset, u32 size, const u8 **out)
{
    struct compact *c = &b->compact;
    for (;;) {
        if (in->window && in->window_key == key && offset >= in->window_at && offset + size <= in->window_at + in->window_size) {
            *out = in->window + (offset - in->window_at);
            return IO_DONE;
        }
        if (fetch_idle(&c->fetch)) {
            u64 most = object_store_piece(b->options.objects, size, MAX(size, WINDOW_SIZE));
            u64 from = object_size <= most ? 0 : offset, length = MIN(object_size - from, most);
            fetch_get(&c->fetch, key, from, length, length);
            c->fetch.request.patient = true;
        }
        IO_TRY(fetch_run(&c->fetch, &c->err));
        struct object_request *r = &c->fetch.request;
        if (r->range_offset > offset || r->range_offset + r->answer_size < offset + size)
            return IO_ERROR(&c->err, ERR_STORE_CORRUPT, "object %s is damaged: it is shorter than it was; restore it from another copy of the store", key);
        free(in->window);
        in->window = r->answer;
        in->window_key = key, in->window_at = r->range_offset, in->window_size = r->answer_size;
        r->answer = NULL;
    }
}

static io_status index_open(struct backup *b, struct compact_input *in, struct segment_index *x, const char *key, u64 size)
{
    struct compact *c = &b->compact;
    for (;;) {
        struct segment_where w;
        const u8 *bytes;
        enum segment_answer answer = segment_index_open(x, &w, &c->err);
        if (answer == SEGMENT_FOUND) return IO_DONE;
        if (answer == SEGMENT_BAD) return IO_FAIL;
        IO_TRY(input_bytes(b, in, key, size, w.offset, w.size, &bytes));
        if (!segment_index_give(x, &w, bytes, w.size, &c->err)) return IO_FAIL;
    }
}

static io_status compact_open(struct backup *b)
{
    struct compact *c = &b->compact;
    const struct segment_index *before = NULL;
    u64 pages = 0;
    for (u32 i = 0; i < c->input_count; i++) {
        struct compact_input *in = &c->inputs[i];
        IO_TRY(index_open(b, in, &in->index, in->key, in->size));
        const struct segment_header *h = &in->index.header;
        if (h->level != in->level || h->tx_min != in->tx_min || h->tx_max != in->tx_max || h->lineage != b->mark.lineage)
            return IO_ERROR(&c->err, ERR_STORE_CORRUPT, "object %s is another segment than its name says; run skerry backup verify", in->key);
        if (before) {
            const u8 *tip = before->header.level == 0 ? before->hash : before->header.tip;
            if (memcmp(h->parent, tip, SEGMENT_HASH_SIZE) != 0 || h->sum_before != before->header.sum_after || h->page_size != before->header.page_size)
                return IO_ERROR(&c->err, ERR_STORE_CORRUPT, "object %s does not follow the segment before it; run skerry backup verify", in->key);
        }
        before = &in->index;
        pages += h->flags & SEGMENT_SHARDED ? UINT32_MAX : in->index.page_count;
    }
    c->page_size = before->header.page_size;
    c->page_count = before->header.page_count;
    c->sharded = pages * c->page_size > segment_raw_max;
    c->slots = calloc(segment_shard_pages(c->page_size), sizeof *c->slots);
    c->block = malloc(MAX(SEGMENT_BLOCK_SIZE, c->page_size));
    if (!c->slots || !c->block) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
    // What is there is not written again: tables name the shards of one run, and who reads has seen the sizes of one.
    c->step = c->sharded || !b->conditions ? COMPACT_LOOK : COMPACT_RANGE;
    return IO_DONE;
}

// ---- merging
// ---------------------------------------------------------------------------------------------------

// Until the hour's merges, what is written is merged again soon.
static err_code writer_start(struct backup *b, const struct segment_header *h)
{
    struct compact *c = &b->compact;
    int level = c->level < LEVEL_IMAGE - 1 ? b->options.push_zstd_level : b->options.zstd_level;
    c->writer_open = true;
    return segment_writer_begin(&c->writer, h, &b->catalog.key, level);
}

static struct segment_header header_make(struct backup *b, u32 flags)
{
    struct compact *c = &b->compact;
    const struct segment_index *first = &c->inputs[0].index, *last = &c->inputs[c->input_count - 1].index;
    struct segment_header h = last->header;
    h.flags = flags;
    h.level = c->level;
    h.shard = 0;
    h.epoch = b->mark.epoch;
    h.tx_min = c->tx_min;
    h.time_min_ms = first->header.time_min_ms;
    h.sum_before = first->header.sum_before;
    memcpy(h.parent, first->header.parent, sizeof h.parent);
    if (last->header.level == 0) memcpy(h.tip, last->hash, sizeof h.tip);
    return h;
}

// The first page from in->next on that a sharded input may hold, without opening the shard.
static u32 sharded_next(const struct compact_input *in)
{
    const struct segment_index *x = &in->index;
    u32 pages = segment_shard_pages(x->header.page_size);
    for (u32 i = 0; i < x->shard_count; i++) {
        u32 first = x->shards[i].shard * pages + 1;
        if (in->next < first + pages) return MAX(in->next, first);
    }
    return NO_PAGE;
}

// Finds the block with the first page from in->next on; none: in->next is NO_PAGE.
static io_status input_seek(struct backup *b, struct compact_input *in, struct segment_index *x, const char *key, u64 size, struct segment_where *w, bool *found)
{
    struct compact *c = &b->compact;
    for (;;) {
        const u8 *bytes;
        enum segment_answer answer = segment_index_seek(x, in->next, w, &c->err);
        if (answer == SEGMENT_BAD) return IO_FAIL;
        *found = answer == SEGMENT_FOUND;
        if (answer != SEGMENT_FETCH) return IO_DONE;
        IO_TRY(input_bytes(b, in, key, size, w->offset, w->size, &bytes));
        if (!segment_index_give(x, w, bytes, w->size, &c->err)) return IO_FAIL;
    }
}

static io_status compact_range(struct backup *b)
{
    struct compact *c = &b->compact;
    u32 pages = segment_shard_pages(c->page_size), first = NO_PAGE;
    for (u32 i = 0; i < c->input_count; i++) {
        struct compact_input *in = &c->inputs[i];
        if (in->next != NO_PAGE && in->index.header.flags & SEGMENT_SHARDED) {
            in->next = sharded_next(in);
        } else if (in->next != NO_PAGE) {
            struct segment_where w;
            bool found;
            IO_TRY(input_seek(b, in, &in->index, in->key, in->size, &w, &found));
            in->next = found ? w.page : NO_PAGE;
        }
        first = MIN(first, in->next);
    }
    c->input_at = c->input_count;
    if (first > c->page_count) { // all merged
        c->step = COMPACT_PUT;
        return IO_DONE;
    }
    c->low = (first - 1) / pages * pages + 1;
    c->high = (u32)MIN((u64)c->low + pages - 1, (u64)c->page_count);
    c->slot_at = 0;
    c->step = COMPACT_MERGE;
    return IO_DONE;
}

static io_status compact_yield(struct backup *b)
{
    struct compact *c = &b->compact;
    if (c->turn.state == COMPLETION_PENDING) return IO_WAIT;
    c->resting = false;
    completion_post(b->io, &c->turn, 0);
    return IO_WAIT;
}

static io_status input_merge(struct backup *b, struct compact_input *in)
{
    struct compact *c = &b->compact;
    bool sharded = in->index.header.flags & SEGMENT_SHARDED;
    while (in->next <= c->high) {
        struct segment_index *x = &in->index;
        const char *key = in->key;
        u64 size = in->size;
        if (sharded) {
            const struct segment_shard *s = segment_index_shard(x, c->low);
            if (!s) {
                in->next = c->high + 1;
                break;
            }
            if (!in->shard_open || in->shard != s->shard) {
                if (in->shard_open) segment_index_deinit(&in->shard_index);
                name_shard(b->name, b->mark.lineage, s, in->shard_key);
                in->window_key = NULL;
                segment_index_init(&in->shard_index, in->shard_key, s->size, &b->catalog.key, &c->scratch);
                in->shard_open = true;
                in->shard = s->shard;
            }
            x = &in->shard_index, key = in->shard_key, size = s->size;
            IO_TRY(index_open(b, in, x, key, size));
            if (memcmp(x->hash, s->hash, SEGMENT_HASH_SIZE) != 0)
                return IO_ERROR(&c->err, ERR_STORE_CORRUPT, "object %s is not the one that its segment was made with; run skerry backup verify", key);
        }
        struct segment_where w;
        const u8 *bytes;
        bool found;
        IO_TRY(input_seek(b, in, x, key, size, &w, &found));
        if (!found || w.page > c->high) {
            in->next = found ? w.page : sharded ? c->high + 1 : NO_PAGE;
            break;
        }
        IO_TRY(input_bytes(b, in, key, size, w.offset, w.size, &bytes));
        if (!segment_block_open(x, &w, bytes, w.size, c->block, &c->scratch, &c->err)) return IO_FAIL;
        u32 last = 0;
        for (u32 i = 0; i < w.pages; i++) {
            u32 page = segment_block_page(x, &w, i);
            if (page < c->low || page > c->high) continue;
            last = page;
            u8 **slot = &c->slots[page - c->low];
            if (*slot) continue; // a newer one is there
            if (!(*slot = malloc(c->page_size))) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
            memcpy(*slot, c->block + (size_t)i * c->page_size, c->page_size);
        }
        in->next = last + 1;
        return compact_yield(b);
    }
    return IO_DONE;
}

static io_status compact_merge(struct backup *b)
{
    struct compact *c = &b->compact;
    for (; c->input_at; c->input_at--) IO_TRY(input_merge(b, &c->inputs[c->input_at - 1]));
    c->step = COMPACT_FLUSH;
    return IO_DONE;
}

static io_status compact_flush(struct backup *b)
{
    struct compact *c = &b->compact;
    if (!c->writer_open) {
        struct segment_header h = header_make(b, c->sharded ? SEGMENT_SHARD : 0);
        if (c->sharded) h.shard = (c->low - 1) / segment_shard_pages(c->page_size);
        c->shard_sum = 0;
        if (writer_start(b, &h) != ERR_OK) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
    }
    u32 blocks = c->writer.blocks.count;
    for (; c->slot_at <= c->high - c->low; c->slot_at++) {
        u8 *page = c->slots[c->slot_at];
        if (!page) continue;
        if (c->writer.blocks.count != blocks) return compact_yield(b);
        if (segment_writer_page(&c->writer, c->low + c->slot_at, page) != ERR_OK) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
        if (c->sharded) c->shard_sum ^= segment_page_sum(c->low + c->slot_at, page, c->page_size);
        free(page);
        c->slots[c->slot_at] = NULL;
    }
    if (!c->sharded) {
        c->step = COMPACT_RANGE;
        return IO_DONE;
    }
    c->writer.header.sum_after = c->shard_sum;
    if (segment_writer_finish(&c->writer, c->hash) != ERR_OK) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
    c->step = COMPACT_SHARD_PUT;
    return IO_DONE;
}

static io_status compact_shard_put(struct backup *b)
{
    struct compact *c = &b->compact;
    struct segment_shard s = {.shard = c->writer.header.shard, .level = c->level, .tx_min = c->tx_min, .tx_max = c->tx_max, .epoch = b->mark.epoch,
                              .size = c->writer.size, .page_count = c->writer.page_count, .sum = c->shard_sum};
    memcpy(s.hash, c->hash, sizeof s.hash);
    if (fetch_idle(&c->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_shard(b->name, b->mark.lineage, &s, key);
        fetch_put(&c->fetch, key, c->writer.bytes, c->writer.size, false);
    }
    IO_TRY(fetch_run(&c->fetch, &c->err));
    if (!shards_add(&c->shards, &c->shard_count, &c->shard_capacity, &s)) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
    b->status.merged_bytes += c->writer.size;
    segment_writer_deinit(&c->writer);
    c->writer_open = false;
    c->step = COMPACT_RANGE;
    return IO_DONE;
}

static io_status compact_put(struct backup *b)
{
    struct compact *c = &b->compact;
    if (!c->sealed) {
        struct segment_header h = header_make(b, c->sharded ? SEGMENT_SHARDED : 0);
        if (!c->writer_open && writer_start(b, &h) != ERR_OK) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
        for (u32 i = 0; i < c->shard_count; i++)
            if (segment_writer_shard(&c->writer, &c->shards[i]) != ERR_OK) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
        if (segment_writer_finish(&c->writer, c->hash) != ERR_OK) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
        c->sealed = true;
    }
    if (fetch_idle(&c->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_segment(b->name, b->mark.lineage, c->level, c->tx_min, c->tx_max, key);
        fetch_put(&c->fetch, key, c->writer.bytes, c->writer.size, b->conditions);
    }
    io_status status = fetch_run(&c->fetch, &c->err);
    if (status == IO_FAIL && c->err.code == ERR_STORE_EXISTS) {
        err_clear(&c->err);
        c->step = COMPACT_LOOK;
        return IO_DONE;
    }
    IO_TRY(status);
    b->status.merges++;
    b->status.merged_bytes += c->writer.size;
    backup_catalog_note(b, &c->writer.header, &c->writer);
    b->head_dirty = true;
    merge_end(b);
    return IO_DONE;
}

// What is there already under the name: an earlier run's of the same inputs, which did not hear of it.
static io_status compact_look(struct backup *b)
{
    struct compact *c = &b->compact;
    if (fetch_idle(&c->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_segment(b->name, b->mark.lineage, c->level, c->tx_min, c->tx_max, key);
        fetch_head(&c->fetch, key);
    }
    io_status status = fetch_run(&c->fetch, &c->err);
    if (status == IO_FAIL && c->err.code == ERR_STORE_MISSING && !c->sealed) {
        err_clear(&c->err);
        c->step = COMPACT_RANGE;
        return IO_DONE;
    }
    IO_TRY(status);
    catalog_add(&b->catalog, c->level, c->tx_min, c->tx_max, c->fetch.request.size);
    b->head_dirty = true;
    merge_end(b);
    return IO_DONE;
}

// ---- times of segments that another run wrote
// ------------------------------------------------------------------

static io_status compact_learn(struct backup *b)
{
    struct compact *c = &b->compact;
    struct catalog_segment *s = catalog_find(&b->catalog, c->level, c->tx_min, c->tx_max);
    if (!s) {
        c->step = COMPACT_IDLE;
        return IO_DONE;
    }
    if (fetch_idle(&c->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_segment(b->name, b->mark.lineage, s->level, s->tx_min, s->tx_max, key);
        fetch_get(&c->fetch, key, s->size - MIN(s->size, (u64)SEGMENT_TRAILER_SIZE), SEGMENT_TRAILER_SIZE, SEGMENT_TRAILER_SIZE);
    }
    io_status status = fetch_run(&c->fetch, &c->err);
    if (status == IO_WAIT) return status;
    if (status == IO_FAIL && c->err.code == ERR_STORE_MISSING) {
        catalog_remove(&b->catalog, s);
        err_clear(&c->err);
        c->step = COMPACT_IDLE;
        return IO_DONE;
    }
    IO_TRY(status);
    struct segment_header h;
    const struct object_request *r = &c->fetch.request;
    if (!catalog_learn(s, r->answer, r->answer_size, r->key, &h, &c->err)) return IO_FAIL;
    c->step = COMPACT_IDLE;
    return IO_DONE;
}

// ---- running
// --------------------------------------------------------------------------------------------------

static io_status compact_idle(struct backup *b)
{
    struct compact *c = &b->compact;
    if (b->step == STEP_STOPPED || !b->claimed || b->need_full) return IO_WAIT;
    struct catalog_segment *run[COMPACT_INPUTS_MAX + 1], *unknown = NULL;
    // Before what needs room: a store that is full has it when something went.
    if (b->catalog_whole && io_now_ns(b->io) - c->retained_ns >= RETAIN_EVERY_NS) {
        c->retained_ns = io_now_ns(b->io);
        if (retain_start(b)) return IO_DONE;
    }
    for (u32 level = 1; level < LEVEL_IMAGE && !unknown; level++) {
        u32 count = run_find(b, level, run, &unknown);
        if (!count) continue;
        if (!merge_start(b, level, run, count)) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
        return IO_DONE;
    }
    for (u32 i = 0; i < b->catalog.count && !unknown; i++)
        if (!b->catalog.segments[i].known) unknown = &b->catalog.segments[i];
    if (unknown) {
        c->level = unknown->level, c->tx_min = unknown->tx_min, c->tx_max = unknown->tx_max;
        c->step = COMPACT_LEARN;
        return IO_DONE;
    }
    // Nothing is asked of the store while nothing changes: only the clock is looked at.
    u64 poll_ms = MIN((u64)POLL_MS_MAX, MAX(b->options.period_ms[1] / 2, 1u));
    if (c->timer.state != COMPLETION_PENDING) io_timeout(b->io, poll_ms * 1000000, &c->timer);
    return IO_WAIT;
}

static io_status compact_step(struct backup *b)
{
    switch (b->compact.step) {
    case COMPACT_IDLE: return compact_idle(b);
    case COMPACT_LEARN: return compact_learn(b);
    case COMPACT_OPEN: return compact_open(b);
    case COMPACT_RANGE: return compact_range(b);
    case COMPACT_MERGE: return compact_merge(b);
    case COMPACT_FLUSH: return compact_flush(b);
    case COMPACT_SHARD_PUT: return compact_shard_put(b);
    case COMPACT_PUT: return compact_put(b);
    case COMPACT_LOOK: return compact_look(b);
    case COMPACT_TABLES:
    case COMPACT_SHARDS:
    case COMPACT_CLAIM:
    case COMPACT_DELETE: return retain_run(b);
    }
    return IO_WAIT;
}

static void compact_failed(struct backup *b)
{
    struct compact *c = &b->compact;
    u64 ms = object_backoff_ms(b->io, c->attempt++);
    if (c->err.code != ERR_CANCELLED) {
        b->status.failures++;
        backup_log(b, object_error_passes(&c->err) ? SYNC_LOG_WARN : SYNC_LOG_ERROR, "backup.merge_failed", "%s (again in %llu ms)", c->err.text, (ull)ms);
    }
    if (c->err.code == ERR_STORE_MISSING) // what is not there any more is not merged again
        for (u32 i = 0; i < c->input_count; i++) {
            struct catalog_segment *s = catalog_find(&b->catalog, c->inputs[i].level, c->inputs[i].tx_min, c->inputs[i].tx_max);
            if (s && strcmp(c->inputs[i].key, c->fetch.request.key) == 0) catalog_remove(&b->catalog, s);
        }
    err_clear(&c->err);
    c->not_before_ns = io_now_ns(b->io) + ms * 1000000;
    merge_end(b);
}

static void compact_run(struct backup *b)
{
    struct compact *c = &b->compact;
    if (c->stopped) backup_stop_look(b);
    if (c->running || c->stopped || !b->store || b->catalog_part) return;
    u64 began = io_now_ns(b->io), rest = work_rest_ns(&b->work, c, began);
    if (rest) {
        if (c->turn.state != COMPLETION_PENDING) c->resting = true, io_timeout(b->io, rest, &c->turn);
        return;
    }
    c->running = true;
    for (;;) {
        u64 now = io_now_ns(b->io);
        if (now < c->not_before_ns) {
            if (c->timer.state != COMPLETION_PENDING) io_timeout(b->io, c->not_before_ns - now, &c->timer);
            break;
        }
        io_status status = compact_step(b);
        if (status == IO_WAIT) break;
        if (status == IO_FAIL) {
            compact_failed(b);
        } else if (c->step == COMPACT_IDLE) {
            c->attempt = 0;
        }
    }
    c->running = false;
    work_add(&b->work, c, began, io_now_ns(b->io), b->options.cpu_percent);
    if (b->head_dirty && b->step == STEP_IDLE) backup_run(b);
}

bool compact_stop(struct backup *b)
{
    struct compact *c = &b->compact;
    c->stopped = true;
    fetch_cancel(&c->fetch);
    if (c->timer.state == COMPLETION_PENDING) io_cancel(b->io, &c->timer);
    if (c->resting && c->turn.state == COMPLETION_PENDING) io_cancel(b->io, &c->turn);
    return !fetch_busy(&c->fetch) && c->turn.state != COMPLETION_PENDING && c->timer.state != COMPLETION_PENDING;
}

void compact_deinit(struct backup *b)
{
    struct compact *c = &b->compact;
    merge_end(b);
    segment_scratch_deinit(&c->scratch);
    fetch_deinit(&c->fetch);
}
