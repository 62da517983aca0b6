#include "chain.h"

#include <errno.h>

#define CHAIN_PARALLEL 8
#define CHAIN_RELOADS  3
#define GONE_MAX       1000u

struct chain_open {
    struct fetch fetch;
    struct segment_where where;
    u32 segment; // in the catalog
    bool used;
};

struct chain_private {
    struct chain_options options;
    char *database;
    struct catalog_load load;
    struct chain_open *opens;
    u32 parallel;
    struct segment_index **indexes; // by place in the catalog; NULL: not opened
    struct segment_scratch scratch;
    struct catalog_segment **plan;
    u32 plan_count;
    u32 reloads, gone_reloads; // gone_reloads: of gone_count
    struct fetch next; // is there a push behind what is known, which listings lack?
    bool next_ended;
    u64 next_tx;
    struct catalog_segment *gone; // found not to be there, whatever listings say
    u32 gone_count;
    bool forward; // on from options.from_tx
    enum { CHAIN_LOAD, CHAIN_PLAN, CHAIN_OPEN, CHAIN_CHECK, CHAIN_END } step;
    bool running, loading;
};

static void chain_run(struct chain *c);

static void chain_wake(void *context)
{
    chain_run(context);
}

static void indexes_free(struct chain *c)
{
    struct chain_private *p = c->private_;
    for (u32 i = 0; p->indexes && i < c->catalog.count; i++) {
        if (!p->indexes[i]) continue;
        segment_index_deinit(p->indexes[i]);
        free(p->indexes[i]);
    }
    free(p->indexes);
    p->indexes = NULL;
}

static io_status step_load(struct chain *c)
{
    struct chain_private *p = c->private_;
    IO_TRY(catalog_load_run(&p->load, &c->err));
    for (u32 i = 0; i < p->gone_count; i++) {
        struct catalog_segment *s = catalog_find(&c->catalog, p->gone[i].level, p->gone[i].tx_min, p->gone[i].tx_max);
        if (s) catalog_remove(&c->catalog, s);
    }
    p->indexes = calloc(c->catalog.count + 1u, sizeof *p->indexes);
    if (!p->indexes) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
    p->step = CHAIN_PLAN;
    return IO_DONE;
}

static io_status step_plan(struct chain *c)
{
    struct chain_private *p = c->private_;
    free(p->plan);
    p->plan = NULL;
    p->forward = p->forward && p->options.from_lineage == c->catalog.lineage;
    if (p->forward && (p->plan_count = catalog_forward(&c->catalog, p->options.from_tx, &p->plan))) {
        p->step = CHAIN_OPEN;
        return IO_DONE;
    }
    p->forward = false;
    p->plan_count = catalog_chain(&c->catalog, p->options.tx ? p->options.tx : UINT64_MAX, &p->plan);
    if (!p->plan_count) {
        if (p->options.tx || p->options.time_ms)
            return IO_ERROR(&c->err, ERR_STORE_MISSING, "the backup of '%s' does not reach back that far; see skerry backup list",
                            p->database);
        return IO_ERROR(&c->err, ERR_STORE_MISSING, "the backup of '%s' has no complete image yet", p->database);
    }
    p->step = CHAIN_OPEN;
    return IO_DONE;
}

static void member_key(const struct chain *c, const struct catalog_segment *s, char out[OBJECT_KEY_MAX])
{
    name_segment(c->private_->database, c->catalog.lineage, s->level, s->tx_min, s->tx_max, out);
}

// Found by its name: the plan is made anew with it.
static io_status next_add(struct chain *c, u32 level, u64 tx)
{
    struct chain_private *p = c->private_;
    struct segment_index **bigger = realloc(p->indexes, (c->catalog.count + 2u) * sizeof *bigger);
    if (bigger) p->indexes = bigger;
    const struct catalog_segment *s = bigger ? catalog_add(&c->catalog, level, level ? 1 : tx, tx, p->next.request.size) : NULL;
    if (!s) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
    u32 at = (u32)(s - c->catalog.segments);
    memmove(&p->indexes[at + 1], &p->indexes[at], (c->catalog.count - 1 - at) * sizeof *p->indexes);
    p->indexes[at] = NULL;
    for (u32 i = 0; i < p->parallel; i++) p->opens[i].segment += p->opens[i].used && p->opens[i].segment >= at;
    p->step = CHAIN_PLAN;
    return IO_DONE;
}

// What listings lack is asked for by name while indexes are opened: the push behind the plan; when that one is there and begins
// anew, its image, and then what is behind.
static io_status next_run(struct chain *c)
{
    struct chain_private *p = c->private_;
    p->next_tx = MAX(p->next_tx, p->plan[p->plan_count - 1]->tx_max + 1);
    while (!p->next_ended && (!p->options.tx || p->next_tx <= p->options.tx)) {
        u64 tx = p->next_tx;
        u32 level = catalog_find(&c->catalog, 0, tx, tx) ? LEVEL_IMAGE : 0;
        if (level && catalog_find(&c->catalog, level, 1, tx)) {
            p->next_tx++;
            continue;
        }
        if (fetch_idle(&p->next)) {
            char key[OBJECT_KEY_MAX];
            name_segment(p->database, c->catalog.lineage, level, level ? 1 : tx, tx, key);
            fetch_head(&p->next, key);
        }
        io_status status = fetch_run(&p->next, &c->err);
        if (status == IO_DONE) return next_add(c, level, tx);
        if (status == IO_WAIT || c->err.code != ERR_STORE_MISSING) return status;
        err_clear(&c->err);
        p->next_tx++;
        p->next_ended = !level;
    }
    return IO_DONE;
}

static io_status gone_note(struct chain *c, const struct catalog_segment *s)
{
    struct chain_private *p = c->private_;
    struct catalog_segment *bigger = p->gone_count < GONE_MAX ? realloc(p->gone, (p->gone_count + 1) * sizeof *bigger) : NULL;
    if (!bigger) return IO_FAIL;
    p->gone = bigger;
    p->gone[p->gone_count++] = *s;
    return IO_FAIL;
}

// Goes on with one index: IO_DONE when it is open.
static io_status open_run(struct chain *c, struct chain_open *o)
{
    struct chain_private *p = c->private_;
    const struct catalog_segment *s = &c->catalog.segments[o->segment];
    struct segment_index *x = p->indexes[o->segment];
    for (;;) {
        if (fetch_idle(&o->fetch)) {
            char key[OBJECT_KEY_MAX];
            enum segment_answer answer = segment_index_open(x, &o->where, &c->err);
            if (answer == SEGMENT_BAD) return IO_FAIL;
            if (answer == SEGMENT_FOUND) break;
            member_key(c, s, key);
            fetch_get(&o->fetch, key, o->where.offset, o->where.size, o->where.size);
        }
        io_status status = fetch_run(&o->fetch, &c->err);
        if (status == IO_FAIL && c->err.code == ERR_STORE_MISSING) return gone_note(c, s);
        IO_TRY(status);
        if (!segment_index_give(x, &o->where, o->fetch.request.answer, o->fetch.request.answer_size, &c->err))
            return IO_FAIL;
    }
    if (x->header.level != s->level || x->header.tx_min != s->tx_min || x->header.tx_max != s->tx_max ||
        x->header.lineage != c->catalog.lineage || (x->header.flags & SEGMENT_SHARD))
        return IO_ERROR(&c->err, ERR_STORE_CORRUPT,
                        "object %s is another segment than its name says; restore it from another copy of the store", x->name);
    return IO_DONE;
}

static io_status step_open(struct chain *c)
{
    struct chain_private *p = c->private_;
    bool waits = false;
    io_status further = next_run(c);
    if (further == IO_FAIL || p->step != CHAIN_OPEN) return further;
    for (u32 i = 0; i < p->parallel; i++) {
        struct chain_open *o = &p->opens[i];
        for (;;) {
            if (!o->used) {
                u32 next = 0;
                while (next < p->plan_count && p->indexes[p->plan[next] - c->catalog.segments]) next++;
                if (next == p->plan_count) break;
                o->segment = (u32)(p->plan[next] - c->catalog.segments);
                struct segment_index *x = malloc(sizeof *x);
                char key[OBJECT_KEY_MAX];
                if (!x) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
                member_key(c, p->plan[next], key);
                segment_index_init(x, key, p->plan[next]->size, &c->catalog.key, &p->scratch);
                p->indexes[o->segment] = x;
                o->used = true;
            }
            io_status status = open_run(c, o);
            if (status == IO_FAIL) return status;
            if (status == IO_WAIT) {
                waits = true;
                break;
            }
            o->used = false;
        }
    }
    if (waits || further == IO_WAIT) return IO_WAIT;
    p->step = CHAIN_CHECK;
    return IO_DONE;
}

// Segments are what they should be; the first that is not part of the asked for state is put aside,
// and the plan is made anew.
static io_status step_check(struct chain *c)
{
    struct chain_private *p = c->private_;
    const struct segment_header *before = NULL;
    const u8 *tip = NULL;
    for (u32 i = 0; i < p->plan_count; i++) {
        const struct segment_index *x = p->indexes[p->plan[i] - c->catalog.segments];
        const struct segment_header *h = &x->header;
        // It begins anew: not on from what is there.
        if (p->forward && (h->flags & SEGMENT_BASE)) {
            p->forward = false;
            p->step = CHAIN_PLAN;
            return IO_DONE;
        }
        bool late = p->options.time_ms && h->time_max_ms > p->options.time_ms;
        // The head is older than what begins anew: its image is found in the listings only.
        if (before && (h->flags & SEGMENT_BASE) && p->load.quick) {
            p->step = CHAIN_OPEN;
            return IO_ERROR(&c->err, ERR_STORE_MISSING, "the head of '%s' is older than its newest image", p->database);
        }
        // What stands on a base follows from that base's image only.
        if (late || (before && (h->flags & SEGMENT_BASE))) {
            p->plan[i]->rejected = true;
            p->next_tx = 0;
            p->next_ended = late;
            p->step = CHAIN_PLAN;
            return IO_DONE;
        }
        if (!before && !p->forward && !(h->flags & SEGMENT_IMAGE))
            return IO_ERROR(&c->err, ERR_STORE_CORRUPT, "object %s is no image; restore it from another copy of the store", x->name);
        if (before && (memcmp(h->parent, tip, SEGMENT_HASH_SIZE) != 0 || h->sum_before != before->sum_after ||
                       h->page_size != before->page_size || memcmp(h->database_id, before->database_id, 16) != 0))
            return IO_ERROR(&c->err, ERR_STORE_CORRUPT,
                            "object %s does not follow the segment before it; run skerry backup verify", x->name);
        before = h;
        tip = h->level == 0 ? x->hash : h->tip;
    }
    if (p->options.tx && before->tx_max != p->options.tx)
        return IO_ERROR(&c->err, ERR_STORE_MISSING,
                        "transaction %llu of '%s' is not in the backup by itself (any more); the nearest before it is %llu; see "
                        "skerry backup list",
                        (unsigned long long)p->options.tx, p->database, (unsigned long long)before->tx_max);
    c->members = calloc(p->plan_count, sizeof *c->members);
    if (!c->members) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
    c->count = p->plan_count;
    for (u32 i = 0; i < c->count; i++) {
        const struct catalog_segment *s = p->plan[i];
        c->members[i] = (struct chain_member){.level = s->level, .tx_min = s->tx_min, .tx_max = s->tx_max, .size = s->size,
                                              .index = p->indexes[s - c->catalog.segments]};
        member_key(c, s, c->members[i].key);
    }
    c->tx = before->tx_max;
    c->sum = before->sum_after;
    c->time_ms = before->time_max_ms;
    c->page_size = before->page_size;
    c->page_count = before->page_count;
    memcpy(c->catalog.database_id, before->database_id, 16);
    // Who has written last: also of an image that never came.
    for (u32 i = 0; i < c->catalog.count; i++)
        if (p->indexes[i] && p->indexes[i]->has_root) c->catalog.epoch = MAX(c->catalog.epoch, p->indexes[i]->header.epoch);
    memcpy(c->tip, tip, SEGMENT_HASH_SIZE);
    p->step = CHAIN_END;
    return IO_DONE;
}

static io_status chain_step(struct chain *c)
{
    switch (c->private_->step) {
    case CHAIN_LOAD: return step_load(c);
    case CHAIN_PLAN: return step_plan(c);
    case CHAIN_OPEN: return step_open(c);
    case CHAIN_CHECK: return step_check(c);
    case CHAIN_END: return IO_WAIT;
    }
    return IO_WAIT;
}

static bool chain_busy(const struct chain_private *p)
{
    bool busy = p->loading && (catalog_load_busy(&p->load) || fetch_busy(&p->next));
    for (u32 i = 0; i < p->parallel; i++) busy |= fetch_busy(&p->opens[i].fetch);
    return busy;
}

static void load_begin(struct chain *c)
{
    struct chain_private *p = c->private_;
    p->step = CHAIN_LOAD;
    p->loading = true;
    p->forward = p->options.from_tx != 0;
    catalog_load_init(&p->load, &c->catalog, p->options.objects, p->database, p->options.master, p->options.tries,
                      chain_wake, c);
    p->load.lineage = p->options.lineage;
    p->load.known = p->options.known;
    p->load.known_lineage = p->options.known_lineage;
    p->load.named = true;
    p->next_ended = false;
    p->next_tx = 0;
    fetch_init(&p->next, p->options.objects, p->options.tries, chain_wake, c);
    p->load.lineage_headless = p->options.from_lineage;
    p->load.quick = p->options.quick && !p->reloads && !p->options.tx && !p->options.time_ms && !p->options.lineage;
    for (u32 i = 0; i < p->parallel; i++) {
        fetch_init(&p->opens[i].fetch, p->options.objects, p->options.tries, chain_wake, c);
        p->opens[i].used = false;
    }
}

static void load_end(struct chain *c)
{
    struct chain_private *p = c->private_;
    if (!p->loading) return;
    catalog_load_deinit(&p->load);
    fetch_deinit(&p->next);
    for (u32 i = 0; i < p->parallel; i++) fetch_deinit(&p->opens[i].fetch);
    p->loading = false;
}

static void chain_run(struct chain *c)
{
    struct chain_private *p = c->private_;
    if (p->running || c->done.state == COMPLETION_PENDING || c->done.state == COMPLETION_DONE) return;
    p->running = true;
    io_status status = IO_DONE;
    while (status == IO_DONE && p->step != CHAIN_END && c->err.code == ERR_OK) status = chain_step(c);
    p->running = false;
    if (c->err.code != ERR_OK) {
        catalog_load_cancel(&p->load);
        fetch_cancel(&p->next);
        for (u32 i = 0; i < p->parallel; i++) fetch_cancel(&p->opens[i].fetch);
    } else if (p->step != CHAIN_END) {
        return;
    }
    if (chain_busy(p)) return;
    // Compaction took a segment away after it was listed, or the head is too old: what is there now is listed.
    if (c->err.code == ERR_STORE_MISSING && p->step == CHAIN_OPEN && (p->gone_count > p->gone_reloads || p->reloads < CHAIN_RELOADS)) {
        p->gone_reloads = p->gone_count;
        p->reloads++;
        err_clear(&c->err);
        load_end(c);
        indexes_free(c);
        p->options.known = c->catalog.key;
        p->options.known_lineage = c->catalog.lineage;
        catalog_deinit(&c->catalog);
        load_begin(c);
        chain_run(c);
        return;
    }
    completion_post(p->options.io, &c->done, c->err.code == ERR_OK ? 0 : -EIO);
}

void chain_start(struct chain *c, const struct chain_options *options)
{
    struct chain_private *p = calloc(1, sizeof *p);
    struct completion done = c->done;
    *c = (struct chain){.done = done, .err = ERR_CLEAR, .private_ = p};
    u32 parallel = options->parallel ? options->parallel : CHAIN_PARALLEL;
    if (p) {
        p->options = *options;
        p->opens = calloc(parallel, sizeof *p->opens);
        p->database = strdup(options->database);
    }
    if (!p || !p->opens || !p->database) {
        err_set(&c->err, ERR_NOMEM, __func__, "out of memory");
        completion_post(options->io, &c->done, -ENOMEM);
        return;
    }
    if (!p->options.tries) p->options.tries = 6;
    p->parallel = parallel;
    load_begin(c);
    chain_run(c);
}

void chain_cancel(struct chain *c)
{
    if (!c->private_ || c->done.state == COMPLETION_PENDING || c->done.state == COMPLETION_DONE) return;
    err_set(&c->err, ERR_CANCELLED, __func__, "cancelled");
    chain_run(c);
}

void chain_deinit(struct chain *c)
{
    struct chain_private *p = c->private_;
    if (!p) return;
    load_end(c);
    indexes_free(c);
    segment_scratch_deinit(&p->scratch);
    catalog_deinit(&c->catalog);
    free(c->members);
    free(p->plan);
    free(p->gone);
    free(p->opens);
    free(p->database);
    free(p);
    *c = (struct chain){0};
}
