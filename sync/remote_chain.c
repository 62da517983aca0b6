// Which segments the pages come from: those of the state that was opened, or of a later one in which what is not here
// is the same.
#include "remote_private.h"

#define CHAIN_AGAIN_NS 2000000000ull
#define RELOAD_TRIES   2
#define CONTACT_NS     2000000000ull // what was found longer ago is asked for anew by who wants to write

static u64 opened_tx(const struct remote *r)
{
    return be64_get(r->header + REMOTE_HEADER_TX);
}

static void on_chain(struct completion *c);

static void load(struct remote *r, u64 tx, s64 time_ms, u64 lineage, u32 tries)
{
    if (r->chain.catalog.key.given) r->key = r->chain.catalog.key, r->key_lineage = r->chain.catalog.lineage;
    chain_deinit(&r->chain);
    r->chain_state = CHAIN_RUNS;
    completion_init(&r->chain.done, on_chain, r);
    chain_start(&r->chain, &(struct chain_options){.io = r->io,
                                                   .objects = r->options.objects,
                                                   .database = r->options.name,
                                                   .master = &r->options.key,
                                                   .tx = tx,
                                                   .time_ms = time_ms,
                                                   .lineage = lineage,
                                                   .known = r->key,
                                                   .known_lineage = r->key_lineage,
                                                   .quick = true,
                                                   .tries = tries});
}

void remote_chain_open(struct remote *r)
{
    load(r, r->options.tx, r->options.time_ms, 0, 0);
}

// ---- again
// ----------------------------------------------------------------------------------------------

// A writer's own pushes are in the newest state, and its sums are asked for; a view knows an exact one.
static enum remote_try first_try(const struct remote *r)
{
    if (r->options.keep) return TRY_NEWEST;
    return r->state_tx != opened_tx(r) ? TRY_STATE : TRY_OPENED;
}

static bool next_try(struct remote *r)
{
    if (r->try_now == TRY_OPENED) return false;
    r->try_now = r->try_now == TRY_NEWEST && r->state_tx != opened_tx(r) ? TRY_STATE : TRY_OPENED;
    return true;
}

static void try_begin(struct remote *r)
{
    u64 tx = r->try_now == TRY_NEWEST ? 0 : r->try_now == TRY_STATE ? r->state_tx : opened_tx(r);
    remote_sources_deinit(r);
    load(r, tx, 0, be64_get(r->header + REMOTE_HEADER_LINEAGE), RELOAD_TRIES);
}

void remote_chain_again(struct remote *r)
{
    r->replan = r->fenced = false;
    r->try_now = first_try(r);
    try_begin(r);
}

// What a writer finds is its own up to what it knows to have pushed, and what has this life's epoch. Not what has that
// of a life before: a copy of this volume may have pushed that.
static bool own(const struct remote *r)
{
    const struct chain *c = &r->chain;
    return c->tx <= r->state_tx || (r->epoch && c->members[c->count - 1].index->header.epoch == r->epoch);
}

// The chain has ended: ready, or begun anew for another state, or *err.
static bool chain_take(struct remote *r, struct err *err)
{
    struct chain *c = &r->chain;
    *err = c->err;
    if (err->code == ERR_OK && (c->page_size != r->page_size || memcmp(r->header + REMOTE_HEADER_DATABASE, c->catalog.database_id, 16) != 0)) {
        err_set(err, ERR_STORE_FOREIGN, "remote", "%s is of another backup than the one in the store; move it and %s away to begin anew", r->path, r->map_path);
        return false;
    }
    bool other = err->code == ERR_OK && r->try_now == TRY_NEWEST && !own(r);
    r->fenced |= other;
    bool earlier = err->code == ERR_OK && c->tx < opened_tx(r); // listings are behind: what is not here may have been another page then
    if (other || earlier || err->code == ERR_STORE_MISSING) {
        if (!r->closing && next_try(r)) {
            try_begin(r);
            return true;
        }
        if (r->fenced)
            err_set(err, ERR_STORE_FENCED, "remote",
                    "another node has taken over the backup of %s, and what has not arrived of it is gone: move %s and %s away to "
                    "begin anew",
                    r->options.name, r->path, r->map_path);
        return false;
    }
    if (err->code != ERR_OK) return false;
    if (!remote_sources_init(r)) {
        err_set(err, ERR_NOMEM, "remote", "out of memory");
        return false;
    }
    r->chain_state = CHAIN_READY;
    remote_sums_reset(r);
    err_clear(&r->failure);
    return true;
}

static void on_chain(struct completion *c)
{
    struct remote *r = c->context;
    struct err err = ERR_CLEAR;
    if (!r->opened) {
        r->chain_state = r->chain.err.code == ERR_OK ? CHAIN_READY : CHAIN_FAILED;
        r->chain_read_ns = io_now_ns(r->io);
        remote_open_run(r);
        return;
    }
    if (!chain_take(r, &err)) {
        r->chain_state = CHAIN_FAILED;
        err_clear(&r->failure);
        err_set(&r->failure, err.code, "remote", "it has not arrived yet, and the store cannot be asked for it: %s", err.text);
        r->not_before_ns = io_now_ns(r->io) + CHAIN_AGAIN_NS;
    }
    r->sums_ended = true;
    if (!r->closing) remote_run(r);
}

// ---- for the backup
// ---------------------------------------------------------------------------------------

bool remote_contact(struct remote *r, struct catalog *out, struct segment_header *newest, u8 hash[SEGMENT_HASH_SIZE])
{
    const struct chain *c = &r->chain;
    bool fresh = !r->resumed && r->chain_state == CHAIN_READY && !r->options.tx && !r->options.time_ms && !r->handed_over &&
                 io_now_ns(r->io) - r->chain_read_ns < CONTACT_NS;
    if (!fresh) return false;
    r->handed_over = true;
    *out = (struct catalog){.lineage = c->catalog.lineage, .epoch = c->catalog.epoch, .has_head = true, .key = c->catalog.key};
    memcpy(out->database_id, c->catalog.database_id, sizeof out->database_id);
    memcpy(out->head.database_id, c->catalog.database_id, sizeof out->head.database_id);
    out->head.epoch = c->catalog.epoch;
    out->head.lineage = c->catalog.lineage;
    for (u32 i = 0; i < c->count; i++) {
        const struct chain_member *m = &c->members[i];
        const struct segment_header *h = &m->index->header;
        struct catalog_segment *s = catalog_add(out, m->level, m->tx_min, m->tx_max, m->size);
        if (!s) {
            catalog_deinit(out);
            return false;
        }
        s->known = true;
        s->flags = h->flags;
        s->page_count = m->index->page_count;
        s->time_min_ms = h->time_min_ms;
        s->time_max_ms = h->time_max_ms;
    }
    *newest = c->members[c->count - 1].index->header;
    newest->epoch = MAX(newest->epoch, c->catalog.epoch);
    newest->flags &= ~(u32)SEGMENT_BASE; // the image is part of the chain
    memcpy(hash, c->tip, SEGMENT_HASH_SIZE);
    return true;
}
