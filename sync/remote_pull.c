// Pages from the store: found in the newest segment that has them, fetched in ranges, written to
// their places. Each pull runs again from its top until it has its page.
#include "remote_private.h"

#include <errno.h>

#define REPLANS_MAX      3 // for objects that are missing indeed
#define DEMAND_TRIES     3
#define BACKGROUND_TRIES 5 // and then again, a second later
#define DEMAND_MS    2000000000ull // a wait that is announced beyond is not waited for

// ---- sources
// ------------------------------------------------------------------------------------------

bool remote_sources_init(struct remote *r)
{
    r->members = calloc(r->chain.count, sizeof *r->members);
    if (!r->members) return false;
    for (u32 i = 0; i < r->chain.count; i++) {
        memcpy(r->members[i].key, r->chain.members[i].key, sizeof r->members[i].key);
        r->members[i].index = r->chain.members[i].index;
    }
    return true;
}

static void source_drop(struct source *s)
{
    if (s->owned && s->index) {
        segment_index_deinit(s->index);
        free(s->index);
    }
    *s = (struct source){0};
}

void remote_sources_deinit(struct remote *r)
{
    for (u32 i = 0; i < REMOTE_SOURCES_MAX; i++) source_drop(&r->shards[i]);
    free(r->members);
    r->members = NULL;
}

// The shard's index, from those that are kept or in place of the one that was used longest ago.
// NULL: out of memory, or all are in use.
static struct source *shard_source(struct remote *r, const struct segment_shard *shard)
{
    struct source *oldest = NULL;
    for (u32 i = 0; i < REMOTE_SOURCES_MAX; i++) {
        struct source *s = &r->shards[i];
        if (s->index && memcmp(s->hash, shard->hash, sizeof s->hash) == 0) {
            s->used = ++r->clock;
            return s;
        }
        if (!s->pins && !s->fetching && (!oldest || s->used < oldest->used)) oldest = s;
    }
    if (!oldest) return NULL;
    source_drop(oldest);
    oldest->index = malloc(sizeof *oldest->index);
    if (!oldest->index) return NULL;
    name_shard(r->options.name, r->chain.catalog.lineage, shard, oldest->key);
    segment_index_init(oldest->index, oldest->key, shard->size, &r->chain.catalog.key, &r->scratch);
    oldest->owned = true;
    oldest->used = ++r->clock;
    memcpy(oldest->hash, shard->hash, sizeof oldest->hash);
    return oldest;
}

static void pull_unpin(struct pull *p)
{
    if (!p->source) return;
    p->source->pins--;
    if (p->source->fetching == p) p->source->fetching = NULL;
    p->source = NULL;
}

// ---- requests
// -----------------------------------------------------------------------------------------

static void on_request(struct completion *c)
{
    struct pull *p = ((struct object_request *)c->context)->context;
    remote_run(p->remote);
}

// Who waits is not kept waiting for a store that is away.
static void on_retry(struct object_request *request, u64 wait_ms)
{
    struct pull *p = request->context;
    if (p->wanted && (p->background || wait_ms * 1000000 > DEMAND_MS)) object_cancel(request);
}

static void request_start(struct pull *p, const char *key, u64 offset, u64 size)
{
    struct object_request *q = &p->request;
    q->kind = OBJECT_GET;
    snprintf(q->key, sizeof q->key, "%s", key);
    q->range_offset = offset;
    q->range_size = size;
    q->answer_size_max = size;
    q->tries_max = p->background || p->sum ? BACKGROUND_TRIES : DEMAND_TRIES;
    q->on_retry = on_retry;
    q->patient = p->background && !p->wanted && p->state == PULL_BLOCKS;
    p->remote->requests++;
    object_start(p->remote->options.objects, q);
}

static io_status request_result(struct pull *p, u64 size, struct err *err)
{
    struct object_request *q = &p->request;
    if (object_request_busy(q)) return IO_WAIT;
    if (q->err.code != ERR_OK)
        return IO_ERROR(err, q->err.code, "it has not arrived yet, and the store cannot be asked for it: %s", q->err.text);
    if (q->answer_size != size)
        return IO_ERROR(err, ERR_STORE_CORRUPT, "object %s is shorter than its index says; run skerry backup verify", q->key);
    p->remote->bytes += size;
    return IO_DONE;
}

// ---- finding
// ------------------------------------------------------------------------------------------

// The source of the page in member i; NULL with *status DONE: it is not there.
static struct source *member_source(struct remote *r, u32 i, u32 page, io_status *status, struct err *err)
{
    struct source *s = &r->members[i];
    *status = IO_DONE;
    if (!(s->index->header.flags & SEGMENT_SHARDED)) return s;
    const struct segment_shard *shard = segment_index_shard(s->index, page);
    if (!shard) return NULL;
    s = shard_source(r, shard);
    if (!s) *status = IO_WAIT; // another ends and lets one go
    return s;
}

// Is this page's newest copy in member `from`, as far as can be told without asking the store?
static bool newest_in(struct remote *r, u32 from, u32 page)
{
    struct err err = ERR_CLEAR;
    struct segment_where where;
    for (u32 i = r->chain.count; i-- > from + 1;) {
        io_status status;
        struct source *s = member_source(r, i, page, &status, &err);
        if (!s && status == IO_DONE) continue;
        if (!s || s->fetching) return false;
        enum segment_answer answer = segment_index_seek(s->index, page, &where, &err);
        if (answer == SEGMENT_ABSENT || (answer == SEGMENT_FOUND && where.page != page)) continue;
        return false;
    }
    return true;
}

// Another brings the same. One of the background that has not begun makes way for a read.
static bool overlaps_another(const struct pull *p)
{
    struct remote *r = p->remote;
    bool overlaps = false;
    for (u32 i = 0; i < REMOTE_PULLS_MAX; i++) {
        struct pull *o = &r->pulls[i];
        if (o == p || !o->used || o->source != p->source || o->state < PULL_BLOCKS) continue;
        if (p->where[0].offset >= o->offset + o->size || o->offset >= p->where[0].offset + p->where[0].size) continue;
        overlaps = true;
        if (!p->background && object_request_yields(&o->request)) object_cancel(&o->request);
    }
    return overlaps;
}

static bool block_wanted(const struct remote *r, const struct segment_index *x, const struct segment_where *w)
{
    for (u32 i = 0; i < w->pages; i++)
        if (!remote_has(r, segment_block_page(x, w, i))) return true;
    return false;
}

// Blocks from the one that was found on, as far as they lie together and are wanted.
static io_status blocks_gather(struct pull *p, u32 member, struct err *err)
{
    struct remote *r = p->remote;
    struct segment_index *x = p->source->index;
    struct err ignored = ERR_CLEAR;
    u32 count = 1, numbers = p->where[0].pages;
    free(p->numbers);
    p->numbers = malloc((size_t)SEGMENT_BLOCK_SIZE / 512 * REMOTE_RUN_BLOCKS_MAX * sizeof *p->numbers);
    if (!p->numbers) return IO_ERROR(err, ERR_NOMEM, "out of memory");
    for (u32 i = 0; i < numbers; i++) p->numbers[i] = segment_block_page(x, &p->where[0], i);
    p->offset = p->where[0].offset;
    p->size = p->where[0].size;
    while (count < p->run_max) {
        struct segment_where *next = &p->where[count];
        if (segment_index_seek(x, p->numbers[numbers - 1] + 1, next, &ignored) != SEGMENT_FOUND) break;
        if (next->offset != p->offset + p->size || !block_wanted(r, x, next)) break;
        for (u32 i = 0; i < next->pages; i++) p->numbers[numbers++] = segment_block_page(x, next, i);
        p->size += next->size;
        count++;
    }
    p->block_count = count;
    p->number_count = numbers;
    // What a newer segment has is left out: 0.
    for (u32 i = 0; i < numbers; i++)
        if (p->numbers[i] != p->page && ((!p->sum && remote_has(r, p->numbers[i])) || !newest_in(r, member, p->numbers[i]))) p->numbers[i] = 0;
    return IO_DONE;
}

static io_status pull_find(struct pull *p, struct err *err)
{
    struct remote *r = p->remote;
    pull_unpin(p);
    if (r->closing) return IO_ERROR(err, ERR_CANCELLED, "the file is being closed");
    for (u32 i = r->chain.count; i-- > 0;) {
        io_status status;
        struct source *s = member_source(r, i, p->page, &status, err);
        if (!s && status == IO_DONE) continue;
        if (!s || s->fetching) return IO_WAIT;
        enum segment_answer answer = segment_index_seek(s->index, p->page, &p->where[0], err);
        if (answer == SEGMENT_BAD) return IO_FAIL;
        if (answer == SEGMENT_ABSENT || (answer == SEGMENT_FOUND && p->where[0].page != p->page)) continue;
        p->source = s;
        s->pins++;
        if (answer == SEGMENT_FETCH) {
            s->fetching = p;
            p->state = PULL_INDEX;
            request_start(p, s->key, p->where[0].offset, p->where[0].size);
            return IO_DONE;
        }
        if (overlaps_another(p)) return IO_WAIT;
        IO_TRY(blocks_gather(p, i, err));
        p->state = PULL_BLOCKS;
        request_start(p, s->key, p->offset, p->size);
        return IO_DONE;
    }
    if (p->sum || p->page != segment_lock_page(r->page_size))
        return IO_ERROR(err, ERR_STORE_CORRUPT, "page %u is in no segment of the backup; run skerry backup verify", p->page);
    remote_mark(r, p->page, p->page);
    return IO_DONE;
}

static io_status pull_index(struct pull *p, struct err *err)
{
    struct segment_where *w = &p->where[0];
    IO_TRY(request_result(p, w->size, err));
    bool good = segment_index_give(p->source->index, w, p->request.answer, p->request.answer_size, err);
    pull_unpin(p);
    if (!good) return IO_FAIL;
    p->state = PULL_FIND;
    p->remote->again = true; // others may have waited for it
    return IO_DONE;
}

// ---- writing
// ------------------------------------------------------------------------------------------

static void on_write(struct completion *c)
{
    struct page_write *w = c->context;
    struct pull *p = w->pull;
    if (c->result < 0 && p->write_result >= 0) p->write_result = c->result;
    p->writes_left--;
    remote_run(p->remote);
}

// Runs of pages that follow each other become one write each.
static void writes_start(struct pull *p)
{
    struct remote *r = p->remote;
    u32 run = 0;
    p->write_count = 0;
    for (u32 i = 0; i < p->number_count; i += run) {
        for (run = 1; p->numbers[i] && i + run < p->number_count && p->numbers[i + run] == p->numbers[i] + run;) run++;
        if (!p->numbers[i]) continue;
        p->writes[p->write_count++] = (struct page_write){.pull = p, .first = p->numbers[i], .count = run};
    }
    p->writes_left = p->write_count;
    for (u32 i = 0, w = 0; i < p->number_count; i++) {
        if (w == p->write_count || p->numbers[i] != p->writes[w].first) continue;
        struct page_write *x = &p->writes[w++];
        completion_init(&x->c, on_write, x);
        io_file_write(r->plain, p->pages + (size_t)i * r->page_size, (size_t)x->count * r->page_size,
                      (u64)(x->first - 1) * r->page_size, &x->c);
    }
}

static io_status pull_blocks(struct pull *p, struct err *err)
{
    struct remote *r = p->remote;
    IO_TRY(request_result(p, p->size, err));
    free(p->pages);
    free(p->writes);
    p->pages = malloc((size_t)p->number_count * r->page_size);
    p->writes = malloc(p->number_count * sizeof *p->writes);
    if (!p->pages || !p->writes) return IO_ERROR(err, ERR_NOMEM, "out of memory");
    u32 done = 0;
    for (u32 i = 0; i < p->block_count; i++) {
        const struct segment_where *w = &p->where[i];
        if (!segment_block_open(p->source->index, w, p->request.answer + (w->offset - p->offset), w->size,
                                p->pages + (size_t)done * r->page_size, &r->scratch, err))
            return IO_FAIL;
        done += w->pages;
    }
    if (p->sum) {
        for (u32 i = 0; i < p->number_count; i++)
            if (p->numbers[i]) remote_sum_found(r, p->numbers[i], segment_page_sum(p->numbers[i], p->pages + (size_t)i * r->page_size, r->page_size));
        p->summed = true;
        return IO_DONE;
    }
    // What was written here meanwhile is newer.
    for (u32 i = 0; i < p->number_count; i++)
        if (p->numbers[i] && (remote_has(r, p->numbers[i]) || remote_page_arriving(r, p->numbers[i]))) p->numbers[i] = 0;
    if (p->numbers[0] == 1 && !restore_seal_fits(p->pages, r->pages_at > 0, err)) return IO_FAIL;
    p->write_result = 0;
    p->lost = false;
    p->state = PULL_WRITE;
    writes_start(p);
    return IO_DONE;
}

static io_status pull_write(struct pull *p, struct err *err)
{
    struct remote *r = p->remote;
    if (p->writes_left) return IO_WAIT;
    if (p->write_result < 0) {
        err_set_errno(err, p->write_result == -ENOSPC ? ERR_FULL : ERR_IOERR, (int)-p->write_result, __func__,
                      "it came, but cannot be kept in %s: %s", r->path, strerror((int)-p->write_result));
        return IO_FAIL;
    }
    for (u32 i = 0; i < p->write_count && !p->lost; i++) remote_came(r, p->writes[i].first, p->writes[i].first + p->writes[i].count - 1);
    r->last_page = p->background ? r->last_page : p->numbers[p->number_count - 1] ? p->numbers[p->number_count - 1] : p->page;
    if (!p->background) r->run_next = p->block_count;
    if (!remote_has(r, p->page)) { // it was arriving by another, or is lost
        pull_unpin(p);
        p->state = PULL_FIND;
    }
    return IO_DONE;
}

// The sum of a page that is here as the store has it; when it was written over meanwhile, the store's is fetched.
static io_status pull_here(struct pull *p, struct err *err)
{
    struct remote *r = p->remote;
    if (!p->writes) {
        p->writes = calloc(1, sizeof *p->writes);
        p->pages = malloc(r->page_size);
        if (!p->writes || !p->pages) return IO_ERROR(err, ERR_NOMEM, "out of memory");
        p->writes->pull = p;
        p->writes_left = 1;
        p->write_result = 0;
        completion_init(&p->writes->c, on_write, p->writes);
        io_file_read(r->plain, p->pages, r->page_size, (u64)(p->page - 1) * r->page_size, &p->writes->c);
    }
    if (p->writes_left) return IO_WAIT;
    p->summed = p->writes->c.result == (s64)r->page_size && remote_sum_local(r, p->page);
    if (p->summed) remote_sum_found(r, p->page, segment_page_sum(p->page, p->pages, r->page_size));
    p->state = PULL_FIND;
    return IO_DONE;
}

bool remote_page_arriving(const struct remote *r, u32 page)
{
    for (u32 i = 0; i < REMOTE_PULLS_MAX; i++) {
        const struct pull *p = &r->pulls[i];
        if (!p->used || p->state != PULL_WRITE || !p->writes_left) continue;
        for (u32 w = 0; w < p->write_count; w++)
            if (page >= p->writes[w].first && page - p->writes[w].first < p->writes[w].count) return true;
    }
    return false;
}

// ---- the life of a pull
// -------------------------------------------------------------------------------

static void pull_end(struct pull *p)
{
    pull_unpin(p);
    object_request_deinit(&p->request);
    free(p->numbers);
    free(p->pages);
    free(p->writes);
    p->numbers = NULL;
    p->pages = NULL;
    p->writes = NULL;
    p->used = false;
}

static io_status pull_run(struct pull *p, struct err *err)
{
    struct remote *r = p->remote;
    while (p->sum ? !p->summed : !remote_has(r, p->page) || (p->state == PULL_WRITE && p->writes_left)) {
        switch (p->state) {
        case PULL_FIND: IO_TRY(pull_find(p, err)); break;
        case PULL_INDEX: IO_TRY(pull_index(p, err)); break;
        case PULL_BLOCKS: IO_TRY(pull_blocks(p, err)); break;
        case PULL_WRITE: IO_TRY(pull_write(p, err)); break;
        case PULL_HERE: IO_TRY(pull_here(p, err)); break;
        }
    }
    // Written over while its bytes were on their way.
    if (object_request_busy(&p->request)) {
        object_cancel(&p->request);
        return IO_WAIT;
    }
    return IO_DONE;
}

// Goes on with all; true when one ended, so that others may start.
bool remote_pulls_run(struct remote *r)
{
    bool ended = false;
    for (u32 i = 0; i < REMOTE_PULLS_MAX; i++) {
        struct pull *p = &r->pulls[i];
        struct err err = ERR_CLEAR;
        if (!p->used) continue;
        io_status status = pull_run(p, &err);
        if (status == IO_WAIT) continue;
        ended = true;
        if (status == IO_FAIL && err.code == ERR_STORE_MISSING && !r->closing && r->replans < REPLANS_MAX) {
            r->replan = true; // who waits for the page goes on to
            pull_end(p);
            continue;
        }
        if (p->sum) {
            pull_end(p);
            if (status == IO_DONE) r->replans = 0;
            else if (r->sum_err.code == ERR_OK) r->sum_err = err;
            continue;
        }
        bool again = p->background && p->wanted && status == IO_FAIL && !r->closing;
        u32 page = p->page;
        bool background = p->background;
        pull_end(p);
        if (status == IO_DONE) {
            r->replans = 0;
            if (!background) err_clear(&r->failure);
        } else if (again) {
            remote_pull(r, page, true, 1);
        } else if (background) {
            if (err.code == ERR_CANCELLED) continue; // it made way, and its pages come another time
            r->failure = err;
            r->not_before_ns = io_now_ns(r->io) + 1000000000;
        } else {
            remote_held_fail(r, page, &err);
        }
    }
    r->sums_ended |= ended; // also one that was in the way of a sum
    return ended;
}

static struct pull *pull_begin(struct remote *r, struct pull *p, u32 page)
{
    memset(p, 0, sizeof *p);
    object_request_init(&p->request, on_request, p);
    p->remote = r;
    p->used = true;
    p->page = page;
    r->again = true;
    return p;
}

bool remote_pull(struct remote *r, u32 page, bool wanted, u32 run_max)
{
    struct pull *free_one = NULL;
    u32 background = 0;
    if (r->closing || r->replan || r->chain_state != CHAIN_READY) return false;
    for (u32 i = 0; i < REMOTE_PULLS_MAX; i++) {
        struct pull *p = &r->pulls[i];
        if (!p->used) {
            free_one = p;
            continue;
        }
        background += p->background;
        if (p->sum || p->page != page) continue;
        if (wanted && p->background && !p->wanted) {
            p->wanted = true;
            if (p->request.attempt || object_request_yields(&p->request)) object_cancel(&p->request);
        }
        return true;
    }
    if (!free_one || (!wanted && background >= REMOTE_BACKGROUND_MAX)) return false;
    struct pull *p = pull_begin(r, free_one, page);
    p->background = !wanted;
    p->wanted = wanted;
    p->run_max = MAX(run_max, 1u);
    return true;
}

bool remote_pull_sum(struct remote *r, u32 page)
{
    struct pull *free_one = NULL;
    u32 sums = 0;
    if (r->closing || r->replan || r->chain_state != CHAIN_READY) return false;
    for (u32 i = 0; i < REMOTE_PULLS_MAX; i++) {
        struct pull *p = &r->pulls[i];
        if (!p->used)
            free_one = p;
        else if (p->sum && (sums++, p->page == page))
            return true;
    }
    if (!free_one || sums >= REMOTE_BACKGROUND_MAX) return false;
    struct pull *p = pull_begin(r, free_one, page);
    p->sum = true;
    p->run_max = 1;
    if (remote_sum_local(r, page)) p->state = PULL_HERE;
    return true;
}

void remote_pulls_lost(struct remote *r)
{
    for (u32 i = 0; i < REMOTE_PULLS_MAX; i++) r->pulls[i].lost = true;
}

bool remote_pulls_busy(const struct remote *r)
{
    for (u32 i = 0; i < REMOTE_PULLS_MAX; i++)
        if (r->pulls[i].used) return true;
    return false;
}

void remote_pulls_cancel(struct remote *r)
{
    for (u32 i = 0; i < REMOTE_PULLS_MAX; i++)
        if (r->pulls[i].used && object_request_busy(&r->pulls[i].request)) object_cancel(&r->pulls[i].request);
}
