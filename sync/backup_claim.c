// Contact: whose is what is in the store, and where does this database go on?
#include "backup_private.h"

#include <errno.h>
#include <sodium.h>

#define GAP_MAX 64u
#define LISTS_NS 3000000000ull
#define LOOK_MS  5000

typedef unsigned long long ull;

io_status backup_probe(struct backup *b)
{
    if (object_store_conditions(b->options.objects) == OBJECT_CONDITIONS_UNKNOWN) {
        char folder[OBJECT_KEY_MAX];
        if (!b->probing) {
            b->probing = true;
            snprintf(folder, sizeof folder, "%s/", b->name);
            char claim[OBJECT_KEY_MAX] = "";
            if (b->catalog_part) name_claim(b->name, b->catalog.epoch, claim);
            claim_make(b->io, b->claim);
            object_probe_start(b->options.objects, &b->probe, folder, claim, b->claim, sizeof b->claim);
            return IO_WAIT;
        }
        if (b->probe.done.state != COMPLETION_DONE) return IO_WAIT;
    }
    if (b->probing) {
        b->probing = false;
        struct err err = b->probe.err;
        object_probe_deinit(&b->probe);
        if (err.code != ERR_OK) {
            b->op.err = err;
            return IO_FAIL;
        }
    }
    enum object_conditions found = object_store_conditions(b->options.objects);
    b->conditions = found == OBJECT_CONDITIONS_HONOURED;
    if (!b->conditions)
        backup_log(b, SYNC_LOG_WARN, "backup.conditions",
                   "the store does not honour put-if-absent (%s): this start writes to a lineage of its own, from an image",
                   object_conditions_name(found));
    b->step = STEP_DECIDE;
    if (!b->conditions && b->catalog_part) b->step = STEP_LOAD; // what was found when it was opened may be old, and no put would notice
    return IO_DONE;
}

static void load_begin(struct backup *b, struct catalog *into, u64 lineage)
{
    struct segment_key known = b->catalog.key;
    u64 known_lineage = b->catalog.lineage;
    catalog_deinit(into);
    catalog_load_init(&b->load, into, b->options.objects, b->name, &b->options.key, 1, backup_wake, b);
    b->load.lineage = lineage;
    b->load.known = known;
    b->load.known_lineage = known_lineage;
    b->loading = true;
}

static io_status load_end(struct backup *b, enum backup_step next)
{
    catalog_load_deinit(&b->load);
    b->loading = false;
    b->step = next;
    return IO_DONE;
}

// Who has just opened the newest state goes on with what it knows of it.
static bool contact_known(struct backup *b)
{
    struct catalog c;
    if (!b->options.remote || !remote_contact(b->options.remote, &c, &b->newest_header, b->newest_hash)) return false;
    catalog_deinit(&b->catalog);
    b->catalog = c;
    b->newest_known = b->catalog_part = true;
    b->catalog_whole = false;
    b->lists_due_ns = io_now_ns(b->io) + LISTS_NS;
    return true;
}

// The rest of what is there. Segments that were put or merged by this node are known already.
io_status backup_lists(struct backup *b)
{
    if (!b->loading) load_begin(b, &b->lists, b->mark.lineage);
    io_status status = catalog_load_run(&b->load, &b->op.err);
    if (status == IO_WAIT) return status;
    if (status == IO_FAIL && catalog_load_busy(&b->load)) {
        catalog_load_cancel(&b->load);
        return IO_WAIT;
    }
    (void)load_end(b, STEP_LISTS);
    if (status == IO_FAIL) return status;
    for (u32 i = 0; i < b->lists.count; i++) {
        const struct catalog_segment *s = &b->lists.segments[i];
        if (!catalog_add(&b->catalog, s->level, s->tx_min, s->tx_max, s->size)) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    }
    for (u32 i = 0; i < b->catalog.shard_count; i++) free(b->catalog.shards[i]);
    free(b->catalog.shards);
    b->catalog.shards = b->lists.shards;
    b->catalog.shard_count = b->lists.shard_count;
    b->catalog.shard_capacity = b->lists.shard_capacity;
    b->lists.shards = NULL;
    b->lists.shard_count = b->lists.shard_capacity = 0;
    b->catalog.bytes = MAX(b->catalog.bytes, b->lists.bytes);
    catalog_deinit(&b->lists);
    b->catalog_whole = !b->catalog_part;
    b->catalog_part = false;
    b->lists_due_ns = io_now_ns(b->io) + UNLISTED_NS;
    b->step = STEP_IDLE;
    compact_wake(b);
    return IO_DONE;
}

// What was pushed for certain, though it may be unlisted yet: the head and the mark name it.
static u64 told_newest(const struct backup *b)
{
    const struct catalog *c = &b->catalog;
    u64 tx = c->has_head && c->head.lineage == c->lineage ? c->head.tx : 0;
    return b->mark_read && b->mark.lineage == c->lineage ? MAX(tx, b->mark.tx) : tx;
}

io_status backup_load(struct backup *b)
{
    if (!b->loading && contact_known(b)) {
        b->step = STEP_PROBE;
        return IO_DONE;
    }
    if (!b->loading) {
        load_begin(b, &b->catalog, 0);
        b->load.named = true;
        if (b->mark_read) b->load.lineage_headless = b->mark.lineage;
    }
    b->catalog_part = b->catalog_whole = false;
    b->lists_due_ns = io_now_ns(b->io) + UNLISTED_NS;
    io_status status = catalog_load_run(&b->load, &b->op.err);
    if (status == IO_WAIT) return status;
    if (status == IO_FAIL) {
        if (catalog_load_busy(&b->load)) { // its requests come back first
            catalog_load_cancel(&b->load);
            return IO_WAIT;
        }
        (void)load_end(b, STEP_LOAD);
        if (b->op.err.code != ERR_STORE_EMPTY) return IO_FAIL;
        err_clear(&b->op.err);
        catalog_deinit(&b->catalog);
        b->newest_known = false;
        b->step = STEP_PROBE;
        return IO_DONE;
    }
    b->newest_known = false;
    b->told_tx = told_newest(b);
    return load_end(b, catalog_newest(&b->catalog) || b->told_tx ? STEP_NEWEST_GET : STEP_PROBE);
}

static io_status not_listed(struct backup *b)
{
    return IO_ERROR(&b->op.err, ERR_STORE_UNAVAILABLE, "%s does not list pushes of '%s' that are known to have been there",
                    object_store_url(b->options.objects), b->name);
}

// The newest push always stays. So one that is told, or listed, and that is not there has later ones, which are not listed yet, or
// somebody has deleted them.
static io_status unlisted(struct backup *b, u64 tx)
{
    u64 now = io_now_ns(b->io);
    struct catalog_segment *s = catalog_find(&b->catalog, 0, tx, tx);
    err_clear(&b->op.err);
    if (s) catalog_remove(&b->catalog, s);
    if (!b->unlisted_ns) b->unlisted_ns = now;
    if (now - b->unlisted_ns < UNLISTED_NS) return not_listed(b);
    b->told_tx = 0;
    b->step = catalog_newest(&b->catalog) ? STEP_NEWEST_GET : STEP_PROBE;
    return IO_DONE;
}

static bool takes_over(const struct backup *b)
{
    return b->mark.unclaimed && !b->claimed;
}

// And is there one behind it, which listings lack? A writer's own last push may be, when it was killed before its mark said so.
io_status backup_newest_get(struct backup *b)
{
    u64 newest = MAX(catalog_newest(&b->catalog), b->told_tx) + b->newest_known;
    if (fetch_idle(&b->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_segment(b->name, b->catalog.lineage, 0, newest, newest, key);
        fetch_get(&b->fetch, key, 0, 0, 0);
        b->fetch.request.tries_max = 1;
    }
    io_status status = fetch_run(&b->fetch, &b->op.err);
    if (status == IO_FAIL && b->op.err.code == ERR_STORE_MISSING && b->newest_known) {
        err_clear(&b->op.err);
        b->step = STEP_PROBE;
        return IO_DONE;
    }
    if (status == IO_FAIL && b->op.err.code == ERR_STORE_MISSING) return unlisted(b, newest);
    IO_TRY(status);
    struct segment_reader r;
    const struct object_request *q = &b->fetch.request;
    if (!catalog_add(&b->catalog, 0, newest, newest, q->answer_size)) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    b->unlisted_ns = 0;
    bool good = segment_reader_open(&r, q->answer, q->answer_size, q->key, &b->catalog.key, &b->op.err);
    if (good) {
        b->newest_header = r.index.header;
        memcpy(b->newest_hash, r.index.hash, sizeof b->newest_hash);
        b->newest_known = true;
    }
    segment_reader_deinit(&r);
    if (!good) return IO_FAIL;
    if (!b->mark_read || takes_over(b) || b->newest_header.epoch > b->mark.epoch) b->step = STEP_PROBE;
    return IO_DONE;
}

static void lineage_begin(struct backup *b)
{
    u64 epoch = MAX(b->mark.epoch, b->catalog.epoch), serial = b->mark.serial, own_epoch = b->mark.own_epoch;
    u8 id[16];
    memcpy(id, b->mark.database_id, 16);
    if (!b->mark_read) io_random(b->io, id, sizeof id); // else a start that died before its first push has said whose it is
    b->mark = (struct backup_mark){.serial = serial, .epoch = epoch, .own_epoch = own_epoch, .unclaimed = b->mark.unclaimed,
                                   .file_size = b->mark.file_size, .file_modified_ns = b->mark.file_modified_ns};
    memcpy(b->mark.database_id, id, 16);
    do io_random(b->io, &b->mark.lineage, sizeof b->mark.lineage);
    while (!b->mark.lineage);
    b->head_there = b->catalog.has_head;
    catalog_deinit(&b->catalog);
    b->catalog.lineage = b->mark.lineage;
    memcpy(b->catalog.database_id, id, 16);
    if (b->options.key.given) keyring_fresh(&b->catalog.key);
    b->fresh_lineage = b->need_full = b->catalog_whole = true;
    b->has_pushed = b->adopted = false;
    b->step = b->options.key.given ? STEP_KEY_PUT : STEP_MARK_OPEN;
}

// Where the mark's state is in this database's log: before all of it, as long as nothing of the log was written to the file that
// a clean stop had left (and then the sums are what was read at start).
static void place_find(struct backup *b)
{
    if (b->mark.clean && b->has_clean)
        b->pushed = b->at_clean, b->has_pushed = true;
    else
        b->has_pushed = store_position_find(b->store, b->mark.wal_salt, b->mark.wal_frame, &b->pushed);
}

static void claim_answered(struct backup *b)
{
    memset(b->mark.claim, 0, sizeof b->mark.claim);
}

// Before the first push of it.
static void epoch_is_sole(struct backup *b)
{
    b->sole_epoch = b->mark.epoch;
    b->sole_by_start = true;
}

io_status backup_foreign(struct backup *b)
{
    return IO_ERROR(&b->op.err, ERR_STORE_FOREIGN,
                    "%s already holds the backup of another database under the name '%s'; use another prefix or name, or "
                    "restore that backup first",
                    object_store_url(b->options.objects), b->name);
}

io_status backup_fenced(struct backup *b, u64 epoch)
{
    return IO_ERROR(&b->op.err, ERR_STORE_FENCED,
                    "another node has gone on with this backup (epoch %llu, ours is %llu); this one's newer commits are only here", (ull)epoch,
                    (ull)b->mark.epoch);
}

void backup_claim_get(struct backup *b, struct fetch *f, u64 epoch)
{
    char key[OBJECT_KEY_MAX];
    name_claim(b->name, epoch, key);
    fetch_get(f, key, 0, 0, 4096);
}

// The mark says which epoch is going to be claimed, and another may have been first.
io_status backup_ours(struct backup *b)
{
    if (fetch_idle(&b->fetch)) backup_claim_get(b, &b->fetch, b->mark.epoch), b->fetch.request.tries_max = 4;
    io_status status = fetch_run(&b->fetch, &b->op.err);
    const struct object_request *q = &b->fetch.request;
    if (status == IO_DONE && (q->answer_size != CLAIM_SIZE || memcmp(q->answer, b->mark.claim, sizeof b->mark.claim) != 0))
        return backup_fenced(b, b->mark.epoch);
    if (status == IO_WAIT || (status == IO_FAIL && b->op.err.code != ERR_STORE_MISSING)) return status;
    err_clear(&b->op.err);
    claim_answered(b);
    b->step = STEP_DECIDE;
    return IO_DONE;
}

io_status backup_decide(struct backup *b)
{
    const struct segment_header *h = &b->newest_header;
    const struct catalog *c = &b->catalog;
    const u8 *id = b->newest_known ? h->database_id : c->head.database_id;
    if (!b->newest_known && !c->has_head) {
        if (b->mark_read && b->mark.tx)
            backup_log(b, SYNC_LOG_WARN, "backup.vanished",
                       "the store held this database's backup before and is empty now; a whole image is pushed");
        lineage_begin(b);
        b->mark.epoch = MAX(b->mark.epoch, b->epoch_tried) + 1;
        return IO_DONE;
    }
    if (!b->mark_read || memcmp(b->mark.database_id, id, 16) != 0) return backup_foreign(b);
    bool same = h->tx_max == b->mark.tx && memcmp(b->mark.hash, b->newest_hash, SEGMENT_HASH_SIZE) == 0;
    bool ahead = takes_over(b) && b->newest_known && !same;
    bool whole = !(h->flags & SEGMENT_BASE) || catalog_find(&b->catalog, LEVEL_IMAGE, 1, h->tx_max);
    u64 epoch = MAX(c->head.epoch, b->newest_known ? h->epoch : 0);
    if (epoch == b->mark.epoch && !takes_over(b)) {
        if (backup_mark_claims(&b->mark)) {
            b->step = STEP_OURS;
            return IO_DONE;
        }
        b->mark.own_epoch = epoch;
    }
    // Also when this node has claimed one after that: what was pushed meanwhile was told to be there.
    if (epoch > b->mark.own_epoch && !takes_over(b)) return backup_fenced(b, epoch);
    if (b->options.key.given && !c->key.given)
        return IO_ERROR(&b->op.err, ERR_STORE_KEY,
                        "the backup under the name '%s' is not encrypted, and a key is given; use another prefix or name, or "
                        "start without the key",
                        b->name);
    // Not by who is only told that it is behind, and then may not go on, which would leave no writer.
    bool fences = takes_over(b) && (b->options.promote || !ahead);
    if (fences && b->newest_known && b->conditions && !b->fenced_epoch) {
        b->fence_try = epoch + 1;
        b->step = STEP_FENCE;
        return IO_DONE;
    }
    if (ahead && (c->lineage != b->mark.lineage || h->tx_max <= b->mark.tx || h->tx_max - b->mark.tx > GAP_MAX))
        return IO_ERROR(&b->op.err, ERR_STORE_EXISTS, "the store has transaction %llu, which is not here yet", (ull)h->tx_max);
    // Who takes over would go on without what others have pushed.
    if (b->conditions && !b->newest_known && takes_over(b)) return not_listed(b);
    if (!b->conditions || !b->newest_known) {
        lineage_begin(b);
        b->mark.epoch = MAX(b->mark.epoch, b->epoch_tried) + 1;
        return IO_DONE;
    }
    // Up to where is this database in the store? Positions in the WAL are believed only as the mark has them: a copy
    // of this volume may have gone on with the same WAL in another way. Pushes that the mark does not know (it was
    // not durable yet when the power went, or a copy made them) are read, and their pages are pushed once more.
    bool gap = h->tx_max > b->mark.tx && h->tx_max - b->mark.tx <= GAP_MAX && b->mark.tx;
    b->has_pushed = false;
    b->step = STEP_ADOPT;
    if (!(same && b->mark.clean && b->file_is_clean)) sums_deinit(&b->sums);
    b->gap_tx = b->mark.tx;
    memcpy(b->gap_hash, b->mark.hash, sizeof b->gap_hash);
    if (ahead) {
        b->gap_base = b->gap_images = false;
        b->step = STEP_GAP;
        return IO_DONE;
    }
    if (b->need_full) return IO_DONE; // found out when this was decided before
    if ((whole && same) || gap) place_find(b);
    if (b->has_pushed && gap) b->step = STEP_GAP;
    return IO_DONE;
}

// ERR_STORE_EXISTS: another has claimed that epoch.
static io_status claim_put(struct backup *b, u64 epoch)
{
    if (fetch_idle(&b->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_claim(b->name, epoch, key);
        fetch_put(&b->fetch, key, b->claim, sizeof b->claim, true);
        b->fetch.request.tries_max = 4;
        b->verified_ns = b->looked_ns = io_now_ns(b->io);
        b->verified_ms = io_wall_ms(b->io);
    }
    return fetch_run(&b->fetch, &b->op.err);
}

// The earlier writer looks for claims while it pushes, finds this one, and stops: else one that pushes without a pause
// would always be ahead of who wants to take over.
io_status backup_fence(struct backup *b)
{
    if (fetch_idle(&b->fetch)) claim_make(b->io, b->claim);
    io_status status = claim_put(b, b->fence_try);
    if (status == IO_FAIL && b->op.err.code == ERR_STORE_EXISTS) {
        err_clear(&b->op.err);
        b->fence_try++;
        if (b->catalog_part) b->step = STEP_LOAD; // another has claimed since this database was opened, and may have pushed
        return IO_DONE;
    }
    IO_TRY(status);
    b->fenced_epoch = b->fence_try;
    b->step = STEP_DECIDE;
    return IO_DONE;
}

// A push of what the WAL held already when this node began: its own, or a copy's from before the two parted.
static bool common_history(const struct backup *b, const struct segment_header *h)
{
    struct store_position at;
    return store_position_find(b->store, h->wal_salt, h->wal_frame, &at) && at.lsn <= b->at_start.lsn;
}

// Who takes over has nothing to wait for when what comes after its state are claims, of an earlier life of its own as well, which
// have no pages, or announces images that never came. Listings may be behind, so each is asked for by its name.
static io_status gap_is_empty(struct backup *b)
{
    char key[OBJECT_KEY_MAX];
    struct object_request *q = &b->fetch.request;
    for (; b->gap_tx < b->newest_header.tx_max; b->gap_tx++, b->gap_base = false) {
        u64 tx = b->gap_tx + 1;
        if (!b->gap_base) {
            name_segment(b->name, b->catalog.lineage, 0, tx, tx, key);
            if (fetch_idle(&b->fetch)) fetch_get(&b->fetch, key, 0, 0, 0), q->tries_max = 1;
            io_status status = fetch_run(&b->fetch, &b->op.err);
            if (status == IO_FAIL && b->op.err.code == ERR_STORE_MISSING) { // merged into another since
                err_clear(&b->op.err);
                return IO_ERROR(&b->op.err, ERR_STORE_EXISTS, "the store has transaction %llu, which is not here yet", (ull)tx);
            }
            IO_TRY(status);
            struct segment_reader r;
            bool good = segment_reader_open(&r, q->answer, q->answer_size, q->key, &b->catalog.key, &b->op.err);
            const struct segment_header *h = &r.index.header;
            b->gap_base = good && h->flags & SEGMENT_BASE;
            bool nothing = good && !b->gap_base && !r.index.page_count && h->sum_after == h->sum_before && !(h->flags & SEGMENT_SHARDED);
            segment_reader_deinit(&r);
            if (!good) return IO_FAIL;
            if (nothing) continue;
            b->gap_images |= b->gap_base;
        }
        if (b->gap_base) {
            name_segment(b->name, b->catalog.lineage, LEVEL_IMAGE, 1, tx, key);
            if (fetch_idle(&b->fetch)) fetch_head(&b->fetch, key), q->tries_max = 1;
            io_status status = fetch_run(&b->fetch, &b->op.err);
            if (status == IO_WAIT || (status == IO_FAIL && b->op.err.code != ERR_STORE_MISSING)) return status;
            err_clear(&b->op.err);
            if (status == IO_FAIL) continue;
        }
        return IO_ERROR(&b->op.err, ERR_STORE_EXISTS, "the store has transaction %llu, which is not here yet", (ull)tx);
    }
    if (!b->gap_images && !b->need_full) place_find(b);
    b->step = STEP_ADOPT;
    return IO_DONE;
}

// Reads the pushes that the mark does not know, one by one. Whatever is off leads to a whole image.
io_status backup_gap(struct backup *b)
{
    if (takes_over(b)) return gap_is_empty(b);
    while (b->gap_tx < b->newest_header.tx_max) {
        if (fetch_idle(&b->fetch)) {
            char key[OBJECT_KEY_MAX];
            name_segment(b->name, b->catalog.lineage, 0, b->gap_tx + 1, b->gap_tx + 1, key);
            fetch_get(&b->fetch, key, 0, 0, 0);
            b->fetch.request.tries_max = 1;
        }
        io_status status = fetch_run(&b->fetch, &b->op.err);
        if (status == IO_WAIT || (status == IO_FAIL && b->op.err.code != ERR_STORE_MISSING)) return status;
        struct segment_reader r;
        const struct object_request *q = &b->fetch.request;
        bool good = status == IO_DONE && segment_reader_open(&r, q->answer, q->answer_size, q->key, &b->catalog.key, &b->op.err);
        const struct segment_header *h = &r.index.header;
        good = good && !(h->flags & (SEGMENT_BASE | SEGMENT_SHARDED)) && memcmp(h->parent, b->gap_hash, SEGMENT_HASH_SIZE) == 0;
        pgno *all = good ? realloc(b->extra, ((size_t)b->extra_count + r.index.page_count + 1) * sizeof *all) : NULL;
        if (all) {
            const u8 *data;
            u32 page;
            b->extra = all;
            while (segment_reader_next(&r, &page, &data, &b->op.err)) b->extra[b->extra_count++] = page;
            good = b->op.err.code == ERR_OK;
            memcpy(b->gap_hash, r.index.hash, sizeof b->gap_hash);
        }
        if (good && all && b->options.remote && remote_is_of(b->options.remote, h->lineage)) {
            // What another changed since the two parted is not what a page that has not arrived was: its sum cannot be asked for.
            if (common_history(b, h)) remote_known(b->options.remote, h->tx_max);
            else good = !r.index.page_count || remote_whole(b->options.remote);
        }
        if (status == IO_DONE) segment_reader_deinit(&r);
        if (!good || !all) {
            err_clear(&b->op.err);
            b->has_pushed = false;
            break;
        }
        b->gap_tx++;
    }
    b->step = STEP_ADOPT;
    return IO_DONE;
}

io_status backup_adopt(struct backup *b)
{
    const struct segment_header *h = &b->newest_header;
    b->need_full = !b->has_pushed;
    if (b->need_full)
        backup_log(b, SYNC_LOG_WARN, "backup.discontinuous",
                   "the database was changed while the node did not run, or its last push was torn; a whole image is pushed");
    u64 epoch = MAX(b->catalog.head.epoch, h->epoch);
    // Nobody writes to it before a claim.
    b->mark.clean = b->mark.clean && (takes_over(b) ? b->file_is_clean : b->mark.tx == h->tx_max && backup_is_clean(b));
    if (b->has_pushed) {
        memcpy(b->mark.wal_salt, b->pushed.wal_salt, sizeof b->mark.wal_salt);
        b->mark.wal_frame = b->pushed.wal_frame;
    }
    b->mark.lineage = b->catalog.lineage;
    b->mark.tx = h->tx_max;
    b->mark.sum = h->sum_after;
    b->stored_pages = h->page_count;
    memcpy(b->mark.hash, b->newest_hash, SEGMENT_HASH_SIZE);
    b->mark.epoch = MAX(MAX(epoch, b->claimed ? b->mark.epoch : epoch), b->epoch_tried) + 1;
    b->mark.epoch = MAX(b->mark.epoch, b->fenced_epoch);
    b->catalog.epoch = b->mark.epoch;
    b->adopted = true;
    b->newer_ns = 0;
    b->head_there = b->catalog.has_head;
    b->fresh_lineage = !b->head_there;
    b->step = STEP_MARK_OPEN;
    return IO_DONE;
}

io_status backup_key_put(struct backup *b)
{
    if (fetch_idle(&b->fetch)) {
        char key[OBJECT_KEY_MAX];
        if (!b->key_bytes) b->key_bytes = malloc(KEYRING_OBJECT_SIZE);
        if (!b->key_bytes) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
        if (keyring_wrap(&b->options.key, &b->catalog.key, b->mark.lineage, b->key_bytes, &b->op.err) != ERR_OK)
            return IO_FAIL;
        name_key(b->name, b->mark.lineage, key);
        fetch_put(&b->fetch, key, b->key_bytes, KEYRING_OBJECT_SIZE, false);
        b->fetch.request.tries_max = 4;
    }
    IO_TRY(fetch_run(&b->fetch, &b->op.err));
    b->step = STEP_MARK_OPEN;
    return IO_DONE;
}

void backup_mark_put(struct backup *b, const struct backup_mark *m, enum backup_mark_kind kind)
{
    backup_mark_encode(m, b->mark_bytes);
    b->mark_in_flight = true;
    b->mark_iov = (struct iovec){b->mark_bytes, sizeof b->mark_bytes};
    u64 offset = kind == MARK_OWN_SLOT ? backup_mark_offset_durable(m) : backup_mark_offset(m);
    if (kind == MARK_HINT)
        io_file_write(b->mark_file, b->mark_bytes, sizeof b->mark_bytes, offset, &b->mark_done);
    else
        io_file_writev_sync(b->mark_file, &b->mark_iov, 1, offset, &b->mark_done);
}

io_status backup_mark_put_end(struct backup *b)
{
    if (b->mark_done.state == COMPLETION_PENDING) return IO_WAIT;
    b->mark_in_flight = false;
    if (b->mark_done.result >= 0) return IO_DONE;
    return IO_ERROR(&b->op.err, ERR_IOERR_WRITE, "%s cannot be written: %s", b->mark_path, strerror((int)-b->mark_done.result));
}

// The first mark is written with its name made durable; later slots are written without a sync.
io_status backup_mark_open(struct backup *b)
{
    for (;;) {
        if (!b->mark_in_flight) {
            b->mark_in_flight = true;
            if (b->mark_open_at == 0 && !b->mark_file) {
                backup_mark_path(b->path, b->mark_path);
                io_file_open(b->io, b->mark_path, IO_OPEN_WRITE | IO_OPEN_CREATE, &b->mark_file, &b->mark_done);
                return IO_WAIT;
            }
            if (b->mark_open_at <= 1) {
                claim_make(b->io, b->claim);
                claim_answered(b);
                if (b->conditions && b->mark.epoch != b->fenced_epoch) memcpy(b->mark.claim, b->claim, sizeof b->mark.claim);
                b->mark_open_at = 1;
                b->mark.serial++;
                backup_mark_put(b, &b->mark, MARK_OWN_SLOT);
                return IO_WAIT;
            }
            io_path_folder(b->path, b->mark_folder, sizeof b->mark_folder);
            io_path_sync_dir(b->io, b->mark_folder, &b->mark_done);
            return IO_WAIT;
        }
        io_status status = backup_mark_put_end(b);
        if (status == IO_WAIT) return status;
        if (status == IO_FAIL) {
            if (b->mark_open_at == 0) b->mark_file = NULL;
            b->mark_open_at = 0;
            return status;
        }
        if (b->mark_open_at++ == 2) break;
    }
    b->mark_open_at = 0;
    b->mark_read = true;
    b->step = STEP_EPOCH_PUT;
    if (b->conditions && b->mark.epoch != b->fenced_epoch) return IO_DONE;
    // It is claimed already, or nobody else pushes to this lineage.
    epoch_is_sole(b);
    b->step = b->conditions || b->need_full ? STEP_CLAIM : STEP_SNAPSHOT;
    return IO_DONE;
}

// ---- claims
// ----------------------------------------------------------------------------------------------

// Pushes fence by their names, as long as the later writer's push of the same number is there. It is not let go within
// FENCE_MS; so who has not pushed for that time first looks whether there is a claim after its own.
// Epochs are dense: each is claimed by put-if-absent, and stays. Who finds that another has claimed since this database was the
// newest waits until that one has pushed, or looks for later claims before it does: so a writer that is started again does not come
// behind one that takes over from it, but behind one that came to nothing.
io_status backup_epoch_put(struct backup *b)
{
    io_status status = claim_put(b, b->mark.epoch);
    if (status == IO_FAIL && b->op.err.code == ERR_STORE_EXISTS) {
        err_clear(&b->op.err);
        backup_log(b, SYNC_LOG_WARN, "backup.contended", "another node claims this backup at the same time; this one comes after it");
        if (!b->contended && !takes_over(b) && b->mark.epoch > b->mark.own_epoch) b->retry_at_ns = io_now_ns(b->io) + FENCE_MS * 1000000ull;
        b->contended = true;
        b->epoch_tried = b->mark.epoch;
        backup_contact_again(b);
        return IO_DONE;
    }
    IO_TRY(status);
    claim_answered(b);
    epoch_is_sole(b);
    b->step = STEP_EPOCH_NOTE;
    return IO_DONE;
}

// Durably, since pushes follow: a start that finds the claim under way then knows that there are none of it.
io_status backup_epoch_note(struct backup *b)
{
    if (!b->mark_in_flight) {
        b->mark.serial++;
        backup_mark_put(b, &b->mark, MARK_OWN_SLOT);
        return IO_WAIT;
    }
    IO_TRY(backup_mark_put_end(b));
    b->step = b->need_full || takes_over(b) ? STEP_CLAIM : STEP_SNAPSHOT;
    return IO_DONE;
}

bool backup_epoch_due(struct backup *b, u64 age_ms_max, enum backup_step next)
{
    u64 age = (io_now_ns(b->io) - b->verified_ns) / 1000000;
    s64 age_wall = io_wall_ms(b->io) - b->verified_ms; // also runs while the machine sleeps
    if (!b->conditions || (age <= age_ms_max && age_wall >= 0 && age_wall <= (s64)age_ms_max)) return false;
    b->after_check = next;
    b->step = STEP_EPOCH_CHECK;
    return true;
}

bool backup_look_due(struct backup *b, enum backup_step next)
{
    u64 now = io_now_ns(b->io), span = LOOK_MS * 1000000ull;
    if (!b->conditions || now - b->looked_ns <= span || now - b->put_began_ns > span) return false;
    b->after_check = next;
    b->step = STEP_EPOCH_CHECK;
    return true;
}

io_status backup_epoch_check(struct backup *b)
{
    if (fetch_idle(&b->fetch)) {
        backup_claim_get(b, &b->fetch, b->mark.epoch + 1);
        b->fetch.request.tries_max = 1;
        b->checked_ns = io_now_ns(b->io);
        b->checked_ms = io_wall_ms(b->io);
    }
    io_status status = fetch_run(&b->fetch, &b->op.err);
    if (status == IO_DONE)
        return IO_ERROR(&b->op.err, ERR_STORE_FENCED,
                        "another node has gone on with this backup (it claimed epoch %llu, ours is %llu); this one's newer commits are "
                        "only here",
                        (ull)b->mark.epoch + 1, (ull)b->mark.epoch);
    if (status == IO_WAIT || b->op.err.code != ERR_STORE_MISSING) return status;
    err_clear(&b->op.err);
    b->verified_ns = b->looked_ns = b->checked_ns;
    b->verified_ms = b->checked_ms;
    b->step = b->after_check;
    return IO_DONE;
}

// Between a start's look at the store and its claim the node may stand still for any time. What is behind the newest push that it
// knows was put by who had the backup then, and the newest of these stays whatever retention lets go: so one listing tells.
bool backup_newer_due(struct backup *b, u64 age_ms_max, enum backup_step next)
{
    u64 now = io_now_ns(b->io);
    s64 age_wall = io_wall_ms(b->io) - b->newer_ms;
    if (!b->conditions || !b->adopted) return false;
    if (b->newer_ns && now - b->newer_ns <= age_ms_max * 1000000 && age_wall >= 0 && age_wall <= (s64)age_ms_max) return false;
    b->after_check = next;
    b->step = STEP_NEWER_CHECK;
    return true;
}

io_status backup_newer_check(struct backup *b)
{
    u64 tx = b->after_check == STEP_PUT ? b->mark.tx : b->mark.tx + 1; // of which it is known whose it is
    struct object_request *q = &b->fetch.request;
    if (fetch_idle(&b->fetch)) {
        char key[OBJECT_KEY_MAX], folder[OBJECT_KEY_MAX];
        name_level(b->name, b->mark.lineage, 0, folder);
        name_segment(b->name, b->mark.lineage, 0, tx, tx, key);
        fetch_list(&b->fetch, folder);
        snprintf(q->after, sizeof q->after, "%.*s~", (int)sizeof q->after - 2, key); // its shards are before this
        q->tries_max = 4;
        b->checked_ns = io_now_ns(b->io);
        b->checked_ms = io_wall_ms(b->io);
    }
    IO_TRY(fetch_run(&b->fetch, &b->op.err));
    for (u32 i = 0; i < q->entry_count; i++) {
        struct segment_name n;
        if (!name_parse(q->entries[i].key, 0, &n) || n.is_shard) continue;
        backup_log(b, SYNC_LOG_WARN, "backup.contended", "another node pushed to this backup after this one had looked at it; looking again");
        backup_contact_again(b);
        return IO_DONE;
    }
    b->newer_ns = b->checked_ns;
    b->newer_ms = b->checked_ms;
    b->step = b->after_check;
    return IO_DONE;
}

void backup_contact_again(struct backup *b)
{
    backup_push_abandon(b);
    b->newest_known = false;
    b->step = STEP_LOAD;
}
