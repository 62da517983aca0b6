// From the store to the file: sources (objects, the newest first) are opened ahead and planned in order;
// items (runs of blocks) are fetched, decoded and written, several at a time.
#include "restore_private.h"

#include <errno.h>

void restore_wake(void *context)
{
    restore_run(context);
}

static void on_item(struct completion *c)
{
    struct restore_item *i = c->context;
    restore_run(i->restore);
}

// Runs on a thread: reads the item and the index, writes the item only.
static void item_decode(struct worker_job *job, u32 thread)
{
    struct restore_item *i = CONTAINER_OF(job, struct restore_item, job);
    struct restore_private *p = i->restore->private_;
    const struct segment_index *x = i->source->index;
    struct segment_scratch *scratch = &p->scratches[thread % WORKER_THREADS_MAX];
    const u8 *at = i->fetch.request.answer + i->lead;
    u32 page_size = x->header.page_size, page = 0;
    if (i->lead && !segment_front_check(x, i->fetch.request.answer, &i->err)) return;
    for (u32 b = 0; b < i->block_count; b++) {
        const struct segment_where *w = &i->blocks[b];
        u8 *out = i->raw + (size_t)page * page_size;
        if (!segment_block_open(x, w, at, w->size, out, scratch, &i->err)) return;
        for (u32 k = 0; k < w->pages; k++, page++)
            if (i->numbers[page]) i->sum ^= segment_page_sum(i->numbers[page], i->raw + (size_t)page * page_size, page_size);
        at += w->size;
    }
}

bool restore_pages_prepare(struct restore *r)
{
    struct restore_private *p = r->private_;
    size_t bits = ((size_t)r->page_count + 7) / 8;
    if (!p->claimed) p->claimed = calloc(bits + 1, 1);
    if (!p->done) p->done = calloc(bits + 1, 1);
    p->item_count = p->options.parallel ? p->options.parallel : RESTORE_PARALLEL;
    p->items = calloc(p->item_count, sizeof *p->items);
    p->member_next = p->chain.count;
    if (!p->claimed || !p->done || !p->items) return false;
    for (u32 k = 0; k < p->item_count; k++) {
        struct restore_item *i = &p->items[k];
        i->restore = r;
        i->job.run = item_decode;
        i->numbers = malloc(ITEM_RAW_MAX / r->page_size * sizeof *i->numbers);
        i->stored = aligned_alloc(ITEM_ALIGNMENT, ITEM_STORED_MAX);
        i->raw = aligned_alloc(ITEM_ALIGNMENT, ITEM_RAW_MAX);
        if (!i->numbers || !i->stored || !i->raw) return false;
        completion_init(&i->job.done, on_item, i);
        completion_init(&i->written, on_item, i);
        fetch_init(&i->fetch, p->options.objects, RESTORE_TRIES, restore_wake, r);
        i->fetch.request.room = i->stored;
        i->fetch.request.room_size = ITEM_STORED_MAX;
    }
    return true;
}

// ---- sources
// --------------------------------------------------------------------------------------------------

static bool range_claimed(const struct restore *r, u32 first, u32 last)
{
    struct restore_private *p = r->private_;
    u32 lock = segment_lock_page(r->page_size);
    for (u32 i = first; i <= MIN(last, r->page_count); i++)
        if (i != lock && !bit_get(p->claimed, i)) return false;
    return true;
}

static struct restore_source *source_at(struct restore_private *p, u32 i)
{
    return &p->sources[(p->source_first + i) % RESTORE_SOURCES];
}

// Puts the next object behind the others.
static void source_add(struct restore *r)
{
    struct restore_private *p = r->private_;
    u32 shard_pages = segment_shard_pages(r->page_size);
    for (;;) {
        if (p->member_next == 0) {
            p->sources_end = true;
            return;
        }
        struct chain_member *m = &p->chain.members[p->member_next - 1];
        bool sharded = m->index->header.flags & SEGMENT_SHARDED;
        u32 count = sharded ? m->index->shard_count : 1, next = p->shard_next++;
        if (next >= count) {
            p->member_next--;
            p->shard_next = 0;
            continue;
        }
        const struct segment_shard *shard = sharded ? &m->index->shards[next] : NULL;
        u32 first = shard ? shard->shard * shard_pages + 1 : 1, last = shard ? first + shard_pages - 1 : r->page_count;
        if (range_claimed(r, first, last)) continue;
        struct restore_source *s = source_at(p, p->source_count++);
        *s = (struct restore_source){.used = true, .member = p->member_next - 1, .shard = shard, .page_first = first, .page_last = last, .cursor = first, .index = m->index};
        snprintf(s->key, sizeof s->key, "%s", m->key);
        if (shard) {
            name_shard(p->name, p->chain.catalog.lineage, shard, s->key);
            segment_index_init(&s->own, s->key, shard->size, &p->chain.catalog.key, &p->scratch);
            s->index = &s->own;
        }
        fetch_init(&s->fetch, p->options.objects, RESTORE_TRIES, restore_wake, r);
        return;
    }
}

static void source_end(struct restore_source *s)
{
    fetch_deinit(&s->fetch);
    if (s->shard) segment_index_deinit(&s->own);
    s->used = false;
}

// Fetches what the index asks for.
static io_status source_fetch(struct restore *r, struct restore_source *s)
{
    if (fetch_idle(&s->fetch)) fetch_get(&s->fetch, s->key, s->where.offset, s->where.size, s->where.size);
    IO_TRY(fetch_run(&s->fetch, &r->err));
    r->bytes_done += s->fetch.request.answer_size;
    return segment_index_give(s->index, &s->where, s->fetch.request.answer, s->fetch.request.answer_size, &r->err) ? IO_DONE : IO_FAIL;
}

static io_status source_open(struct restore *r, struct restore_source *s)
{
    struct restore_private *p = r->private_;
    if (!s->shard) return IO_DONE;
    for (;;) {
        if (fetch_idle(&s->fetch)) {
            enum segment_answer answer = segment_index_open(s->index, &s->where, &r->err);
            if (answer == SEGMENT_BAD) return IO_FAIL;
            if (answer == SEGMENT_FOUND) break;
        }
        IO_TRY(source_fetch(r, s));
    }
    const struct segment_header *h = &s->index->header;
    if (memcmp(s->index->hash, s->shard->hash, SEGMENT_HASH_SIZE) != 0 || !(h->flags & SEGMENT_SHARD) ||
        h->shard != s->shard->shard || h->page_size != r->page_size || h->lineage != p->chain.catalog.lineage)
        return IO_ERROR(&r->err, ERR_STORE_CORRUPT,
                        "object %s is not the one that its segment was made with; restore it from another copy of the store", s->key);
    return IO_DONE;
}

// ---- items
// ----------------------------------------------------------------------------------------------------

static bool block_wanted(const struct restore *r, const struct restore_source *s, const struct segment_where *w)
{
    struct restore_private *p = r->private_;
    for (u32 k = 0; k < w->pages; k++) {
        u32 page = segment_block_page(s->index, w, k);
        if (page <= r->page_count && page != segment_lock_page(r->page_size) && !bit_get(p->claimed, page)) return true;
    }
    return false;
}

static void item_block(struct restore *r, struct restore_item *i, const struct segment_where *w)
{
    struct restore_private *p = r->private_;
    for (u32 k = 0; k < w->pages; k++) {
        u32 page = segment_block_page(i->source->index, w, k);
        bool wanted = page <= r->page_count && page != segment_lock_page(r->page_size) && !bit_get(p->claimed, page);
        i->numbers[i->page_count++] = wanted ? page : 0;
        i->wanted += wanted;
        if (wanted) bit_set(p->claimed, page);
    }
    i->blocks[i->block_count++] = *w;
    i->size += w->size;
}

// Takes the next run of blocks with wanted pages out of a source. IO_DONE: either the item is to be fetched, or
// the source is planned to its end.
static io_status item_plan(struct restore *r, struct restore_source *s, struct restore_item *i)
{
    if (!fetch_idle(&s->fetch)) IO_TRY(source_fetch(r, s));
    i->source = s;
    i->block_count = i->page_count = i->wanted = i->size = i->lead = 0;
    i->sum = 0;
    i->write_at = 0;
    err_clear(&i->err);
    for (;;) {
        struct segment_where w;
        enum segment_answer answer = s->cursor && s->cursor <= s->page_last ? segment_index_seek(s->index, s->cursor, &w, &r->err) : SEGMENT_ABSENT;
        if (answer == SEGMENT_BAD) return IO_FAIL;
        if (answer == SEGMENT_ABSENT) s->planned = true;
        if (answer == SEGMENT_FETCH && !i->block_count) {
            s->where = w;
            IO_TRY(source_fetch(r, s));
            continue;
        }
        if (answer != SEGMENT_FOUND) break;
        u32 last = segment_block_page(s->index, &w, w.pages - 1);
        if (block_wanted(r, s, &w)) {
            if (i->block_count == ITEM_BLOCKS || (i->block_count && w.offset != i->offset + i->size)) break;
            if ((size_t)(i->page_count + w.pages) * r->page_size > ITEM_RAW_MAX) break;
            if (!i->block_count) i->offset = w.offset;
            item_block(r, i, &w);
        } else if (i->block_count) {
            break; // the range ends before what nobody wants
        }
        s->cursor = last + 1;
    }
    if (!i->block_count) return IO_DONE;
    if (i->offset == SEGMENT_FRONT_SIZE) i->lead = SEGMENT_FRONT_SIZE;
    fetch_get(&i->fetch, s->key, i->offset - i->lead, i->size + i->lead, i->size + i->lead);
    s->items++;
    i->state = ITEM_FETCHING;
    return IO_DONE;
}

// Starts the next write of neighbours; false: all are written.
static bool item_write(struct restore *r, struct restore_item *i)
{
    struct restore_private *p = r->private_;
    while (i->write_at < i->page_count && !i->numbers[i->write_at]) i->write_at++;
    if (i->write_at == i->page_count) return false;
    u32 first = i->write_at, end = first + 1;
    while (end < i->page_count && i->numbers[end] == i->numbers[end - 1] + 1) end++;
    i->write_at = end;
    i->write_count = end - first;
    size_t size = (size_t)i->write_count * r->page_size;
    i->write_direct = p->direct && !p->direct_refused && size >= DIRECT_SIZE_MIN;
    io_file_write(i->write_direct ? p->direct : p->file, i->raw + (size_t)first * r->page_size, size,
                  (u64)(i->numbers[first] - 1) * r->page_size, &i->written);
    return true;
}

static void item_end(struct restore *r, struct restore_item *i)
{
    struct restore_private *p = r->private_;
    for (u32 k = 0; k < i->page_count; k++)
        if (i->numbers[k]) bit_set(p->done, i->numbers[k]);
    r->pages_done += i->wanted;
    p->sum ^= i->sum;
    i->source->items--;
    i->state = ITEM_FREE;
}

bool restore_seal_fits(const u8 *page, bool seals, struct err *err)
{
    bool sealed = page[20] == STORE_SEALED_RESERVED;
    if (seals && !sealed)
        err_set(err, ERR_USAGE, __func__,
                "the database was not encrypted where it comes from, so it has no room for that: take it without --db-key, then copy it "
                "with VACUUM INTO 'file:...?hexkey=...'");
    else if (!seals && sealed)
        err_set(err, ERR_USAGE, __func__,
                "the database was encrypted where it comes from: give a key for the file, --db-key or --db-passphrase (or restore it with "
                "--decrypt, to have it unencrypted)");
    return seals == sealed;
}

static bool item_seal_fits(struct restore *r, const struct restore_item *i)
{
    struct restore_private *p = r->private_;
    if (!i->page_count || i->numbers[0] != 1 || p->options.discard || (p->options.decrypt && !p->sealed)) return true;
    return restore_seal_fits(i->raw, p->sealed, &r->err);
}

// IO_DONE: it is free.
static io_status item_run(struct restore *r, struct restore_item *i)
{
    struct restore_private *p = r->private_;
    for (;;) {
        switch (i->state) {
        case ITEM_FREE: return IO_DONE;
        case ITEM_FETCHING:
            IO_TRY(fetch_run(&i->fetch, &r->err));
            if (i->fetch.request.answer_size != i->size + i->lead)
                return IO_ERROR(&r->err, ERR_STORE_CORRUPT, "object %s is damaged: it ends before its end; restore it from another copy of the store",
                                i->source->key);
            r->bytes_done += i->fetch.request.answer_size;
            i->state = ITEM_DECODING;
            workers_submit(p->workers, &i->job);
            return IO_WAIT;
        case ITEM_DECODING:
            if (i->job.done.state == COMPLETION_PENDING || i->job.done.state == COMPLETION_IDLE) return IO_WAIT;
            i->job.done.state = COMPLETION_IDLE;
            i->state = ITEM_DECODED;
            break;
        case ITEM_DECODED:
            if (i->err.code != ERR_OK) {
                if (r->err.code == ERR_OK) r->err = i->err;
                return IO_FAIL;
            }
            if (!item_seal_fits(r, i)) return IO_FAIL;
            i->state = ITEM_WRITING;
            if (p->options.discard || !item_write(r, i)) {
                item_end(r, i);
                return IO_DONE;
            }
            return IO_WAIT;
        case ITEM_WRITING:
            if (i->written.state == COMPLETION_PENDING) return IO_WAIT;
            if (i->written.result == -EINVAL && i->write_direct) { // a disk with larger sectors, perhaps
                p->direct_refused = true;
                i->write_at -= i->write_count;
            } else if (i->written.result < 0)
                return IO_ERROR(&r->err, i->written.result == -ENOSPC ? ERR_FULL : ERR_IOERR_WRITE, "%s cannot be written: %s", p->aside,
                                strerror((int)-i->written.result));
            if (!item_write(r, i)) {
                item_end(r, i);
                return IO_DONE;
            }
            return IO_WAIT;
        }
    }
}

// Everything newer is planned: what an earlier restore wrote of the rest is there.
static void resume_take(struct restore *r)
{
    struct restore_private *p = r->private_;
    for (u32 i = 1; i <= p->resume_pages; i++) {
        if (!bit_get(p->resume, i) || bit_get(p->claimed, i)) continue;
        bit_set(p->claimed, i);
        bit_set(p->done, i);
        r->pages_resumed++;
        r->pages_done++;
    }
    free(p->resume);
    p->resume = NULL;
}

// The first source that is not planned to its end; NULL: none at present.
static struct restore_source *source_current(struct restore *r)
{
    struct restore_private *p = r->private_;
    while (p->source_count && source_at(p, 0)->planned && source_at(p, 0)->items == 0) {
        source_end(source_at(p, 0));
        p->source_first = (p->source_first + 1) % RESTORE_SOURCES;
        p->source_count--;
    }
    while (!p->sources_end && p->source_count < RESTORE_SOURCES) source_add(r);
    for (u32 k = 0; k < p->source_count; k++) {
        struct restore_source *s = source_at(p, k);
        if (s->planned) continue;
        if (p->resume && s->member < p->resume_member) resume_take(r);
        return s;
    }
    return NULL;
}

io_status restore_pages(struct restore *r)
{
    struct restore_private *p = r->private_;
    bool busy = false;
    for (u32 k = 0; k < p->item_count; k++) {
        struct restore_item *i = &p->items[k];
        io_status status = item_run(r, i);
        if (status == IO_FAIL) return status;
        // Plans and starts; a source that is not open yet holds back those behind it.
        while (status == IO_DONE) {
            struct restore_source *s = source_current(r);
            if (!s) break;
            status = source_open(r, s);
            if (status == IO_DONE) status = item_plan(r, s, i);
            if (status == IO_FAIL) return status;
            if (status == IO_WAIT) {
                busy = true;
                break;
            }
            status = item_run(r, i);
            if (status == IO_FAIL) return status;
        }
        busy |= i->state != ITEM_FREE;
    }
    for (u32 k = 0; k < p->source_count; k++) {
        struct restore_source *s = source_at(p, k);
        if (!s->planned && source_open(r, s) == IO_FAIL) return IO_FAIL;
    }
    if (!busy && !source_current(r)) return IO_DONE;
    return IO_WAIT;
}

// ---- ending
// ---------------------------------------------------------------------------------------------------

bool restore_pages_busy(struct restore *r)
{
    struct restore_private *p = r->private_;
    for (u32 k = 0; p->items && k < p->item_count; k++) {
        struct restore_item *i = &p->items[k];
        if (fetch_busy(&i->fetch) || i->job.done.state == COMPLETION_PENDING || i->written.state == COMPLETION_PENDING) return true;
        if (i->state == ITEM_DECODING && i->job.done.state != COMPLETION_DONE) return true;
    }
    for (u32 k = 0; k < RESTORE_SOURCES; k++)
        if (p->sources[k].used && fetch_busy(&p->sources[k].fetch)) return true;
    return false;
}

void restore_pages_cancel(struct restore *r)
{
    struct restore_private *p = r->private_;
    for (u32 k = 0; p->items && k < p->item_count; k++) fetch_cancel(&p->items[k].fetch);
    for (u32 k = 0; k < RESTORE_SOURCES; k++)
        if (p->sources[k].used) fetch_cancel(&p->sources[k].fetch);
}

void restore_pages_deinit(struct restore *r)
{
    struct restore_private *p = r->private_;
    for (u32 k = 0; k < RESTORE_SOURCES; k++)
        if (p->sources[k].used) source_end(&p->sources[k]);
    for (u32 k = 0; p->items && k < p->item_count; k++) {
        fetch_deinit(&p->items[k].fetch);
        free(p->items[k].numbers);
        free(p->items[k].stored);
        free(p->items[k].raw);
    }
    for (u32 k = 0; k < WORKER_THREADS_MAX; k++) segment_scratch_deinit(&p->scratches[k]);
    segment_scratch_deinit(&p->scratch);
    free(p->items);
    free(p->claimed);
    free(p->done);
    p->items = NULL;
    p->claimed = p->done = NULL;
    p->source_first = p->source_count = p->shard_next = 0;
    p->sources_end = false;
}
