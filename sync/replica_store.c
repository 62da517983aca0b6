// Following a backup in a store: the next push by its name, or the segments that lead on from here.
#include "replica_private.h"

#define OBJECT_TRIES 4

typedef unsigned long long ull;

void replica_chain_close(struct replica *r)
{
    if (r->chain_open) chain_deinit(&r->chain);
    r->chain_open = false;
}

static void missing(struct replica *r)
{
    r->status.connected = true;
    r->status.error[0] = 0;
    r->attempt = 0;
}

// Nothing newer was there when this was asked.
static void current(struct replica *r)
{
    replica_chain_close(r);
    missing(r);
    r->status.current_ms = r->asked_ms;
    r->status.newest_tx = MAX(r->status.newest_tx, r->mark.tx);
    r->step = r->drain ? (r->options.node ? REPLICA_COMPARE : REPLICA_DRAINED) : r->options.node ? REPLICA_ASK : REPLICA_WAIT;
    if (!r->mark_unwritten || r->options.node) return;
    r->after_mark = r->step;
    r->step = REPLICA_MARK;
}

static void asked(struct replica *r)
{
    r->asked_ns = io_now_ns(r->io);
    r->asked_ms = io_wall_ms(r->io);
}

// ---- the chain
// ------------------------------------------------------------------------------------------------

static void on_chain(struct completion *c)
{
    replica_run(c->context);
}

io_status replica_chain(struct replica *r)
{
    replica_chain_close(r);
    r->newest = false;
    asked(r);
    completion_init(&r->chain.done, on_chain, r);
    r->chain_open = true;
    r->step = REPLICA_CHAIN_DONE;
    chain_start(&r->chain, &(struct chain_options){.io = r->io,
                                                   .objects = r->options.objects,
                                                   .database = r->options.name,
                                                   .master = &r->options.key,
                                                   .tries = 2,
                                                   .known = r->key,
                                                   .known_lineage = r->key_lineage,
                                                   .from_tx = r->mark.tx,
                                                   .from_lineage = r->mark.lineage});
    return IO_DONE;
}

// Does the state that a node sent come after the one that was pushed at this place of its log? Within a start a log that begins
// anew counts its first salt up; the log of another start may be another. So of pushes of the epoch that the start has claimed the
// places are compared; all others of the node's were made before it, or, of a later epoch, after the node was heard of.
static bool sent_includes(const struct replica *r, const struct segment_header *h)
{
    const struct replica_position *p = &r->position;
    if (!p->instance) return false;
    if (h->wal_salt[0] == p->wal_salt[0] && h->wal_salt[1] == p->wal_salt[1]) return h->wal_frame <= p->wal_frame;
    if (h->epoch == p->sole_epoch && p->sole_by_start) return (s32)(p->wal_salt[0] - h->wal_salt[0]) > 0;
    return h->epoch <= r->mark.epoch || h->epoch == p->sole_epoch;
}

static void goal_set(struct replica *r, const struct segment_header *h, const u8 hash[SEGMENT_HASH_SIZE])
{
    r->goal = (struct replica_goal){.lineage = h->lineage, .tx = h->tx_max, .epoch = h->epoch, .sum = h->sum_after,
                                    .time_ms = h->time_max_ms, .page_count = h->page_count,
                                    .wal_salt = {h->wal_salt[0], h->wal_salt[1]}, .wal_frame = h->wal_frame};
    memcpy(r->goal.hash, h->level == 0 ? hash : h->tip, SEGMENT_HASH_SIZE);
}

// What is here is the store's newest state.
static void arrived(struct replica *r)
{
    if (!r->options.node) r->mark.epoch = MAX(r->mark.epoch, r->goal.epoch);
    r->mark.sum = r->goal.sum;
    r->exact = true;
    r->differs_ns = 0;
    current(r);
}

io_status replica_chain_done(struct replica *r, struct err *err)
{
    struct chain *c = &r->chain;
    if (c->done.state != COMPLETION_DONE) return IO_WAIT;
    r->step = REPLICA_CHAIN;
    // A node that is followed may push elsewhere: this one's store is its own then, when it has no backup, nor a part of one.
    bool missing = c->err.code == ERR_STORE_EMPTY || c->err.code == ERR_STORE_MISSING, headless = missing && r->options.node && !c->catalog.has_head;
    if (headless && !c->catalog.count) r->mark = (struct backup_mark){0};
    if (headless || (missing && !r->options.node && !r->mark.tx)) { // no backup yet, or no image of it
        current(r);
        return IO_DONE;
    }
    if (c->err.code != ERR_OK) {
        *err = c->err;
        return IO_FAIL;
    }
    if (r->mark.tx && memcmp(r->mark.database_id, c->catalog.database_id, 16) != 0)
        return IO_ERROR(err, ERR_STORE_FOREIGN, "%s is of another database than the backup '%s' in %s", r->path, r->options.name,
                        object_store_url(r->options.objects));
    memcpy(&r->key, &c->catalog.key, sizeof r->key);
    r->key_lineage = c->catalog.lineage;
    bool same = c->catalog.lineage == r->mark.lineage;
    r->status.newest_tx = c->tx;
    // The newest push always stays, so listings without one as new as the head's lack what is there; the database may have it.
    const bool behind = c->catalog.has_head && catalog_newest(&c->catalog) < c->catalog.head.tx;
    if (same && behind && !r->exact && replica_may_be_unlisted(r))
        return IO_ERROR(err, ERR_STORE_UNAVAILABLE, "%s does not list transaction %llu of '%s' yet", object_store_url(r->options.objects),
                        (ull)c->catalog.head.tx, r->options.name);
    if (same && c->tx < r->mark.tx) // a listing may lack the newest for a while
        return IO_ERROR(err, ERR_STORE_UNAVAILABLE, "%s has transactions up to %llu of '%s', and this replica has %llu of them",
                        object_store_url(r->options.objects), (ull)c->tx, r->options.name, (ull)r->mark.tx);
    const struct chain_member *last = &c->members[c->count - 1];
    if (same && c->tx == r->mark.tx) {
        goal_set(r, &last->index->header, last->index->hash);
        r->goal.epoch = c->catalog.epoch;
        replica_chain_close(r);
        r->step = REPLICA_BEHIND;
        if (r->exact || r->options.node) arrived(r);
        return IO_DONE;
    }
    // What a node sent has its store's newest push in it, when that came from an earlier place of the node's log.
    if (r->options.node && sent_includes(r, &last->index->header)) {
        r->mark.lineage = c->catalog.lineage;
        r->mark.tx = c->tx;
        r->mark.sum = c->sum;
        r->goal.page_count = c->page_count;
        memcpy(r->mark.hash, c->tip, SEGMENT_HASH_SIZE);
        memcpy(r->mark.database_id, c->catalog.database_id, 16);
        current(r);
        return IO_DONE;
    }
    for (r->member = 0; same && c->members[r->member].tx_max <= r->mark.tx;) r->member++;
    r->shard = 0;
    r->step = REPLICA_OBJECT;
    return IO_DONE;
}

// ---- its objects
// ----------------------------------------------------------------------------------------------

static bool member_sharded(const struct replica *r)
{
    return (r->chain.members[r->member].index->header.flags & SEGMENT_SHARDED) != 0;
}

static u32 object_count(const struct replica *r)
{
    return member_sharded(r) ? r->chain.members[r->member].index->shard_count : 1;
}

io_status replica_object(struct replica *r, struct err *err)
{
    ASSERT(r->chain_open && r->member < r->chain.count);
    const struct chain_member *m = &r->chain.members[r->member];
    if (r->shard == object_count(r)) {
        goal_set(r, &m->index->header, m->index->hash);
        r->step = REPLICA_FINISH;
        return IO_DONE;
    }
    const struct segment_shard *s = member_sharded(r) ? &m->index->shards[r->shard] : NULL;
    if (fetch_idle(&r->fetch)) {
        char key[OBJECT_KEY_MAX];
        u64 size = s ? s->size : m->size;
        snprintf(key, sizeof key, "%s", m->key);
        if (s) name_shard(r->options.name, r->chain.catalog.lineage, s, key);
        fetch_get(&r->fetch, key, 0, 0, size);
        r->fetch.request.if_version[0] = 0;
        r->fetch.request.tries_max = OBJECT_TRIES;
    }
    io_status status = fetch_run(&r->fetch, err);
    if (status == IO_FAIL && err->code == ERR_STORE_MISSING) { // merged into another since
        err_clear(err);
        replica_apply_abandon(r);
        r->step = REPLICA_CHAIN;
        return IO_DONE;
    }
    IO_TRY(status);
    r->status.bytes += r->fetch.request.answer_size;
    if (!replica_apply_open(r, r->fetch.request.answer, r->fetch.request.answer_size, r->fetch.request.key, err)) return IO_FAIL;
    if (memcmp(r->reader.index.hash, s ? s->hash : m->index->hash, SEGMENT_HASH_SIZE) != 0)
        return IO_ERROR(err, ERR_STORE_CORRUPT, "object %s is another than the one that is meant", r->fetch.request.key);
    r->step = REPLICA_APPLY;
    return IO_DONE;
}

io_status replica_apply(struct replica *r, struct err *err)
{
    const struct object_request *q = &r->fetch.request;
    IO_TRY(replica_apply_object(r, q->answer, q->answer_size, q->key, err));
    r->shard++;
    r->step = r->chain_open ? REPLICA_OBJECT : REPLICA_FINISH;
    return IO_DONE;
}

// ---- a push by its name
// --------------------------------------------------------------------------------------------------

static void push_get(struct replica *r, u64 lineage, u64 tx)
{
    char key[OBJECT_KEY_MAX];
    name_segment(r->options.name, lineage, 0, tx, tx, key);
    fetch_get(&r->fetch, key, 0, 0, 0);
    r->fetch.request.if_version[0] = 0;
    r->fetch.request.tries_max = 1;
}

// It has come.
static bool push_open(struct replica *r, u64 lineage, u64 tx, struct err *err)
{
    const struct object_request *q = &r->fetch.request;
    const struct segment_header *h = &r->reader.index.header;
    r->status.bytes += q->answer_size;
    if (!replica_apply_open(r, q->answer, q->answer_size, q->key, err)) return false;
    if (h->lineage == lineage && h->tx_max == tx && memcmp(h->database_id, r->mark.database_id, 16) == 0) return true;
    err_set(err, ERR_STORE_CORRUPT, __func__, "object %s is another segment than its name says", q->key);
    return false;
}

// Its pages are in other objects.
static bool push_elsewhere(const struct replica *r)
{
    return r->reader.index.header.flags & (SEGMENT_BASE | SEGMENT_SHARDED);
}

static bool push_follows(const struct replica *r, const u8 hash[SEGMENT_HASH_SIZE], u64 sum, struct err *err)
{
    const struct segment_header *h = &r->reader.index.header;
    if (memcmp(h->parent, hash, SEGMENT_HASH_SIZE) == 0 && (r->options.node || h->sum_before == sum)) return true;
    err_set(err, ERR_STORE_FOREIGN, __func__,
            "object %s does not follow what is here: this replica took what another writer had pushed; stop this node, move %s away, "
            "and start it again",
            r->fetch.request.key, r->path);
    return false;
}

static void push_take(struct replica *r)
{
    const struct segment_header *h = &r->reader.index.header;
    goal_set(r, h, r->reader.index.hash);
    r->status.newest_tx = MAX(r->status.newest_tx, h->tx_max);
    r->misses = 0;
    r->step = REPLICA_APPLY;
}

// A database that is not known exactly may be later than all that was listed, which may lack the newest pushes for a while. So
// before it is compared with anything, the next ones are asked for by name, until there is none.
io_status replica_behind(struct replica *r, struct err *err)
{
    const u64 tx = r->goal.tx + 1;
    if (fetch_idle(&r->fetch)) push_get(r, r->goal.lineage, tx);
    io_status status = fetch_run(&r->fetch, err);
    if (status == IO_FAIL && err->code == ERR_STORE_MISSING) {
        err_clear(err);
        r->newest = true;
        r->step = REPLICA_FINISH;
        return IO_DONE;
    }
    IO_TRY(status);
    if (!push_open(r, r->goal.lineage, tx, err)) return IO_FAIL;
    if (push_elsewhere(r))
        return IO_ERROR(err, ERR_STORE_UNAVAILABLE, "%s does not list transaction %llu of '%s' yet", object_store_url(r->options.objects), (ull)tx,
                        r->options.name);
    if (!push_follows(r, r->goal.hash, r->goal.sum, err)) return IO_FAIL;
    push_take(r);
    return IO_DONE;
}

// What the store has does not come after what the node had sent: another had taken the backup over by then, and the node
// went on by itself. Nothing of that was committed here; the store's state is taken whole.
static void begin_anew(struct replica *r)
{
    replica_log(r, SYNC_LOG_WARN, "replica.other_writer", "%s had commits that another writer's pushes do not follow: the store's state is taken whole",
                r->node_url);
    replica_apply_abandon(r);
    replica_chain_close(r);
    r->mark = (struct backup_mark){0};
    r->position = (struct replica_position){0};
    r->exact = false;
    r->step = REPLICA_CHAIN;
}

// A state that is not known exactly has been passed only when all is applied.
io_status replica_finish(struct replica *r, struct err *err)
{
    if (r->newest && r->goal.lineage == r->mark.lineage && r->goal.tx == r->mark.tx) {
        IO_TRY(replica_verify(r, err));
        arrived(r);
        return IO_DONE;
    }
    bool more = r->chain_open && r->member + 1 < r->chain.count;
    bool commit = r->exact || (!more && (r->newest || r->options.node));
    // Before the first: that it is a replica, so that what goes into its log is known for what it is.
    if (commit && !r->mark.unclaimed && !r->options.node) {
        if (!r->mark.tx) r->mark.lineage = r->goal.lineage;
        if (!r->mark.tx && r->chain_open) memcpy(r->mark.database_id, r->chain.catalog.database_id, 16);
        r->after_mark = REPLICA_FINISH;
        r->step = REPLICA_MARK;
        return IO_DONE;
    }
    io_status status = replica_apply_finish(r, true, commit, err);
    if (status == IO_FAIL && r->options.node && r->mark.tx && err->code == ERR_STORE_FOREIGN) {
        err_clear(err);
        begin_anew(r);
        return IO_DONE;
    }
    IO_TRY(status);
    if (commit) {
        r->mark.lineage = r->goal.lineage;
        r->mark.tx = r->goal.tx;
        r->mark.epoch = MAX(r->mark.epoch, r->goal.epoch);
        r->mark.sum = r->goal.sum;
        memcpy(r->mark.hash, r->goal.hash, SEGMENT_HASH_SIZE);
        if (r->chain_open) memcpy(r->mark.database_id, r->chain.catalog.database_id, 16);
        r->position = (struct replica_position){0}; // of a node's log: what is here is of elsewhere
        r->exact = true;
        r->differs_ns = 0;
        r->status.time_ms = r->goal.time_ms;
        r->status.newest_tx = MAX(r->status.newest_tx, r->goal.tx);
    }
    r->member++;
    r->shard = 0;
    r->step = REPLICA_OBJECT;
    if (!more) {
        replica_chain_close(r);
        r->step = commit ? REPLICA_NEXT : REPLICA_BEHIND;
    }
    if (commit) {
        r->after_mark = r->step;
        r->step = REPLICA_MARK;
    }
    return IO_DONE;
}

// ---- the next one
// ----------------------------------------------------------------------------------------------

io_status replica_next(struct replica *r, struct err *err)
{
    if (!r->exact || !r->mark.tx) {
        r->step = REPLICA_CHAIN;
        return IO_DONE;
    }
    if (fetch_idle(&r->fetch) && r->drain && io_now_ns(r->io) >= r->drain_until_ns) {
        r->step = REPLICA_DRAINED;
        return IO_DONE;
    }
    const u64 tx = r->mark.tx + 1;
    if (fetch_idle(&r->fetch)) {
        asked(r);
        push_get(r, r->mark.lineage, tx);
    }
    io_status status = fetch_run(&r->fetch, err);
    if (status == IO_FAIL && err->code == ERR_STORE_MISSING) {
        err_clear(err);
        missing(r);
        // It may have been merged away, and the head not have been written since: before a promotion the listings have to tell.
        r->step = r->drain ? REPLICA_CHAIN : r->misses++ == 0 ? REPLICA_HEAD : REPLICA_WAIT;
        if (r->step == REPLICA_WAIT) current(r);
        return IO_DONE;
    }
    IO_TRY(status);
    if (!push_open(r, r->mark.lineage, tx, err)) return IO_FAIL;
    if (push_elsewhere(r)) {
        segment_reader_deinit(&r->reader);
        r->reader_open = false;
        r->step = REPLICA_CHAIN;
        return IO_DONE;
    }
    if (!push_follows(r, r->mark.hash, r->mark.sum, err)) return IO_FAIL;
    push_take(r);
    return IO_DONE;
}

io_status replica_head(struct replica *r, struct err *err)
{
    if (fetch_idle(&r->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_head(r->options.name, key);
        fetch_get(&r->fetch, key, 0, 0, HEAD_SIZE_MAX);
        snprintf(r->fetch.request.if_version, sizeof r->fetch.request.if_version, "%s", r->head_version);
        r->fetch.request.tries_max = 1;
    }
    io_status status = fetch_run(&r->fetch, err);
    if (status == IO_FAIL && err->code == ERR_STORE_MISSING) {
        err_clear(err);
        current(r);
        return IO_DONE;
    }
    IO_TRY(status);
    struct object_request *q = &r->fetch.request;
    struct head h = {0};
    bool known = !q->unchanged && head_decode(q->answer, q->answer_size, &h);
    if (known && (h.lineage != r->mark.lineage || h.tx > r->mark.tx)) {
        r->head_version[0] = 0; // looked at again until it was followed
        r->step = REPLICA_CHAIN;
    } else {
        if (known) snprintf(r->head_version, sizeof r->head_version, "%s", q->version);
        current(r);
    }
    head_deinit(&h);
    return IO_DONE;
}
