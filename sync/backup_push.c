// From commits to segments in the store.
#include "backup_private.h"

#define FRAME_HEADER_SIZE 24
#define HEAD_CHECK_MS     2000 // a head put says who is the newest writer: that is looked at shortly before
#define NEWER_CHECK_MS    2000 // likewise the first push of a start, that nothing was pushed behind what it found
#define SCAN_SLICE        64 // pages a turn of the loop
#define SUMS_AHEAD        4u // pages whose old sums are looked for at a time
#define PUT_TRIES         5 // then the claim is looked at again
#define SHARD_TRIES       8 // the snapshot that the shards are of holds the WAL meanwhile

typedef unsigned long long ull;

// ---- waiting for something to push
// ----------------------------------------------------------------------------------

static io_status head_needed(struct backup *b)
{
    u64 now = io_now_ns(b->io);
    if (b->head_dirty && (now >= b->head_due_ns || b->stopping)) {
        b->step = b->head_there && (!b->conditions || b->fresh_lineage) ? STEP_HEAD_CHECK : STEP_HEAD_PUT;
        return IO_DONE;
    }
    u64 due = MIN(b->head_dirty ? b->head_due_ns : UINT64_MAX, b->catalog_whole ? UINT64_MAX : b->lists_due_ns);
    if (due != UINT64_MAX && b->head_timer.state != COMPLETION_PENDING) io_timeout(b->io, due > now ? due - now : 0, &b->head_timer);
    return IO_WAIT;
}

bool backup_log_restarted(const struct backup *b, const struct store_position *at)
{
    return b->has_pushed && b->pushed.lsn >= at->lsn - at->wal_frame &&
           (at->wal_salt[0] != b->mark.wal_salt[0] || at->wal_salt[1] != b->mark.wal_salt[1]);
}

io_status backup_idle(struct backup *b)
{
    struct store_position at;
    store_position_get(b->store, &at, NULL);
    bool behind = !b->has_pushed || at.lsn > b->pushed.lsn;
    u64 wal_base = at.lsn - at.wal_frame, now = io_now_ns(b->io);
    if (backup_log_restarted(b, &at)) {
        // The WAL started anew after all of the old one was pushed: noted at once, so that a start
        // after a crash finds its place in the new one.
        b->pushed.wal_salt[0] = at.wal_salt[0];
        b->pushed.wal_salt[1] = at.wal_salt[1];
        b->pushed.wal_frame = (u32)(b->pushed.lsn - wal_base);
        b->step = STEP_MARK_WRITE;
        return IO_DONE;
    }
    if (b->need_full) behind = true;
    if (!b->catalog_whole && now >= b->lists_due_ns && !b->stopping) {
        b->step = STEP_LISTS;
        return IO_DONE;
    }
    if (!behind) {
        b->push_due_ns = 0;
        b->status.state = b->fresh_lineage ? BACKUP_PUSHING : BACKUP_IDLE; // without a head nobody finds it
        return head_needed(b);
    }
    if (!b->push_due_ns) b->push_due_ns = now + (u64)b->options.interval_ms * 1000000;
    if (now >= b->push_due_ns || b->stopping) {
        b->push_due_ns = 0;
        b->step = STEP_SNAPSHOT;
        return IO_DONE;
    }
    if (b->push_timer.state != COMPLETION_PENDING) io_timeout(b->io, b->push_due_ns - now, &b->push_timer);
    return head_needed(b);
}

// ---- a snapshot, and what changed
// ----------------------------------------------------------------------------------

static int page_compare(const void *a, const void *b)
{
    pgno x = *(const pgno *)a, y = *(const pgno *)b;
    return x < y ? -1 : x > y;
}

// Adds to the changed pages: those by which the database grew, whether they were written or not; those that the
// store may have of another; and the last one when the group of sums that the end lies in was cut.
static bool pages_add(struct backup *b, u32 from, bool last)
{
    u32 to = b->target.page_count, grown = to > from ? to - from : 0;
    if (!grown && !b->extra_count && !last) return true;
    pgno *all = realloc(b->pages, ((size_t)b->page_total + grown + b->extra_count + 1) * sizeof *all);
    if (!all) return false;
    u32 count = b->page_total, kept = 0;
    for (u32 i = 1; i <= grown; i++) all[count++] = from + i;
    for (u32 i = 0; i < b->extra_count; i++) all[count++] = b->extra[i];
    if (last && to) all[count++] = to;
    qsort(all, count, sizeof *all, page_compare);
    for (u32 i = 0; i < count; i++)
        if (!kept || all[kept - 1] != all[i]) all[kept++] = all[i];
    b->pages = all;
    b->page_total = kept;
    return true;
}

io_status backup_snapshot(struct backup *b)
{
    b->status.state = BACKUP_PUSHING;
    if (b->need_full && b->part_named) { // no name is put twice with other bytes
        b->part_named = false;
        b->step = STEP_CLAIM;
        return IO_DONE;
    }
    IO_TRY(txn_begin_read(b->txn, &b->op));
    txn_position_get(b->txn, &b->target);
    b->target_ms = io_wall_ms(b->io);
    b->newer_since_ms = 0;
    imager_abandon(b);
    free(b->pages);
    free(b->page_sums);
    b->pages = NULL;
    b->page_sums = NULL;
    b->page_total = b->page_next = 0;
    b->group_at = b->group_page = 0;
    b->shard_count = 0;
    b->sealed = b->filled = false;
    b->parts_used = 0;
    struct store_stats stats;
    store_stats_get(b->store, &stats);
    u64 page_size = b->page_size = stats.page_size;
    b->full = b->need_full;
    if (!b->full && b->target.lsn > b->pushed.lsn) {
        err_code code = store_pages_changed(b->store, b->pushed.lsn, b->target.lsn, &b->pages, &b->page_total);
        if (code == ERR_NOTFOUND)
            b->full = b->need_full = true;
        else if (code != ERR_OK)
            return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory for the list of changed pages");
    }
    if (b->full) {
        b->page_total = b->target.page_count;
        backup_hold(b, b->target.lsn);
        b->log_let_go = false;
        backup_log(b, SYNC_LOG_INFO, "backup.image", "pushing a whole image of %u pages", b->page_total);
    }
    // Sums go with the pages of an abandoned snapshot too: what it had cut off counts as grown.
    b->lazy = !b->full && !b->sums.valid && b->options.remote && !remote_whole(b->options.remote) &&
              remote_is_of(b->options.remote, b->mark.lineage);
    u32 summed = b->lazy ? b->stored_pages : b->sums.valid ? MIN(b->sums.pages, b->pushed.page_count) : b->pushed.page_count;
    bool cut = b->sums.valid && b->target.page_count < b->sums.pages;
    if (b->full || b->lazy || !b->sums.valid) sums_deinit(&b->sums);
    if ((!b->lazy && !sums_resize(&b->sums, b->target.page_count)) || (!b->full && !pages_add(b, summed, cut)))
        return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    b->sharded = (u64)b->page_total * page_size > segment_raw_max;
    imager_snapshot(b);
    free(b->page);
    b->page = malloc(page_size);
    if (!b->page) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    if (b->lazy) {
        b->sums.total = b->mark.sum;
        b->page_sums = calloc(b->page_total + 1u, sizeof *b->page_sums);
        if (!b->page_sums) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    }
    b->step = b->full ? STEP_FILL : STEP_SCAN; // an image is summed as it is filled
    return IO_DONE;
}

// ---- sums
// -----------------------------------------------------------------------------------------------

// While pages are missing: a page's old sum goes out of the database's, as the store has it, and its new one comes in.
static io_status scan_lazy(struct backup *b)
{
    u32 lock = segment_lock_page(b->page_size), slice = 0, ahead[SUMS_AHEAD];
    u32 cut = b->stored_pages > b->target.page_count ? b->stored_pages - b->target.page_count : 0;
    for (; b->group_at < b->page_total + cut; b->group_at++) {
        bool gone = b->group_at >= b->page_total;
        u32 page = gone ? b->target.page_count + 1 + (b->group_at - b->page_total) : b->pages[b->group_at], count = 0;
        u64 old = 0, new = 0;
        if (page == lock || (!gone && page > b->target.page_count)) continue;
        if (slice++ == SCAN_SLICE) return backup_yield(b);
        for (u32 i = b->group_at; count < SUMS_AHEAD && i < b->page_total + cut; i++) {
            u32 next = i >= b->page_total ? b->target.page_count + 1 + (i - b->page_total) : b->pages[i];
            if (next != lock && next <= b->stored_pages) ahead[count++] = next;
        }
        if (page <= b->stored_pages) IO_TRY(remote_page_sum(b->options.remote, b->mark.tx, ahead, count, &old, &b->op.waiter, &b->op.err));
        if (!gone) {
            IO_TRY(txn_page_copy(b->txn, &b->op, page, b->page));
            b->page_sums[b->group_at] = new = segment_page_sum(page, b->page, b->page_size);
        }
        b->sums.total ^= old ^ new;
    }
    b->step = STEP_FILL;
    return IO_DONE;
}

// Sums of the groups of changed pages, or of all groups.
io_status backup_scan(struct backup *b)
{
    if (b->lazy) return scan_lazy(b);
    struct sums *s = &b->sums;
    u32 lock = segment_lock_page(b->page_size), slice = 0;
    u32 total = s->valid ? b->page_total : s->count;
    while (b->group_at < total) {
        u32 page = s->valid ? b->pages[b->group_at] : (b->group_at << s->shift) + 1;
        u32 group = sums_group(s, page), first = (group << s->shift) + 1;
        u32 last = (u32)MIN((u64)first + (1u << s->shift) - 1, (u64)s->pages);
        if (group >= s->count) { // cut off since
            b->group_at++;
            continue;
        }
        if (!b->group_page) b->group_page = first, b->group_sum = 0;
        for (; b->group_page <= last; b->group_page++) {
            if (b->group_page == lock) continue;
            if (slice++ == SCAN_SLICE) return backup_yield(b);
            IO_TRY(txn_page_copy(b->txn, &b->op, b->group_page, b->page));
            b->group_sum ^= segment_page_sum(b->group_page, b->page, b->page_size);
        }
        sums_set(s, group, b->group_sum);
        b->group_page = 0;
        b->group_at++;
        while (s->valid && b->group_at < total && sums_group(s, b->pages[b->group_at]) == group) b->group_at++;
    }
    s->valid = true;
    b->step = STEP_FILL;
    return IO_DONE;
}

// ---- pages into segments
// ----------------------------------------------------------------------------------------

static struct segment_header header_make(struct backup *b, u32 level, u32 flags)
{
    u64 tx = b->mark.tx + 1;
    struct segment_header h = {
        .flags = flags,
        .level = level,
        .lineage = b->mark.lineage,
        .epoch = b->mark.epoch,
        .tx_min = level == LEVEL_IMAGE ? 1 : tx,
        .tx_max = tx,
        .time_min_ms = b->target_ms,
        .time_max_ms = b->target_ms,
        .page_size = b->page_size,
        .page_count = b->target.page_count,
        .sum_before = level == LEVEL_IMAGE ? 0 : b->mark.sum,
        .sum_after = b->sums.total,
        .wal_salt = {b->target.wal_salt[0], b->target.wal_salt[1]},
        .wal_frame = b->target.wal_frame,
    };
    memcpy(h.database_id, b->mark.database_id, sizeof h.database_id);
    if (level != LEVEL_IMAGE) memcpy(h.parent, b->mark.hash, sizeof h.parent);
    return h;
}

// A segment without pages that tells others at once who writes now; where the backup and the database have no common
// point an image follows.
io_status backup_claim(struct backup *b)
{
    struct store_stats stats;
    store_stats_get(b->store, &stats);
    store_position_get(b->store, &b->target, NULL);
    b->page_size = stats.page_size;
    b->target_ms = io_wall_ms(b->io);
    b->newer_since_ms = 0;
    struct segment_header h = header_make(b, 0, b->need_full ? SEGMENT_BASE : 0);
    h.sum_after = b->need_full ? 0 : b->mark.sum;
    if (segment_writer_begin(&b->record, &h, &b->catalog.key, b->options.zstd_level) != ERR_OK) {
        segment_writer_deinit(&b->record);
        return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    }
    b->record_open = true;
    b->full = b->need_full;
    b->filled = false;
    b->step = STEP_PUT;
    return IO_DONE;
}

static u32 level_of(const struct backup *b)
{
    return b->full ? LEVEL_IMAGE : 0;
}

static u32 image_flag(const struct backup *b)
{
    return b->full ? SEGMENT_IMAGE : 0;
}

static pgno page_at(const struct backup *b, u32 i)
{
    return b->full ? i + 1 : b->pages[i];
}

static bool page_skipped(const struct backup *b, pgno no)
{
    return no == segment_lock_page(b->page_size) || no > b->target.page_count;
}

static err_code writer_start(struct backup *b)
{
    struct segment_header h = header_make(b, level_of(b), image_flag(b));
    if (b->sharded) {
        while (b->page_next < b->page_total && page_skipped(b, page_at(b, b->page_next))) b->page_next++;
        b->shard = b->page_next < b->page_total ? (page_at(b, b->page_next) - 1) / segment_shard_pages(b->page_size) : 0;
        h.flags = SEGMENT_SHARD;
        h.shard = b->shard;
    }
    b->shard_sum = 0;
    backup_part_reset(b);
    b->writer_open = true;
    err_code code = segment_writer_begin(&b->writer, &h, &b->catalog.key, b->full ? b->options.zstd_level : b->options.push_zstd_level);
    b->writer.incompressible = b->incompressible;
    return code;
}

static void filled(struct backup *b)
{
    txn_end_read(b->txn);
    b->filled = true;
    b->sums.valid = !b->lazy;
    b->writer.header.sum_after = b->sums.total;
    b->step = STEP_PUT;
}

io_status backup_fill(struct backup *b)
{
    if (!b->writer_open && writer_start(b) != ERR_OK) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    u32 blocks = b->writer.blocks.count, shard_pages = segment_shard_pages(b->page_size);
    while (b->page_next < b->page_total) {
        pgno no = page_at(b, b->page_next);
        if (page_skipped(b, no)) {
            b->page_next++;
            continue;
        }
        if (b->sharded && (no - 1) / shard_pages != b->shard) break;
        IO_TRY(txn_page_copy(b->txn, &b->op, no, b->page));
        if (segment_writer_page(&b->writer, no, b->page) != ERR_OK) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
        if (b->sharded || b->full) {
            u64 sum = segment_page_sum(no, b->page, b->page_size);
            u32 group = sums_group(&b->sums, no);
            b->shard_sum ^= sum;
            if (b->full) sums_set(&b->sums, group, b->sums.groups[group] ^ sum);
        }
        b->page_next++;
        if (b->writer.blocks.count != blocks) return backup_yield(b); // one block a turn of the loop
    }
    if (b->sharded) {
        b->writer.header.sum_after = b->shard_sum;
        if (segment_writer_finish(&b->writer, b->hash) != ERR_OK) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
        b->incompressible = b->writer.incompressible;
        b->step = STEP_SHARD_PUT;
        return IO_DONE;
    }
    // All is in memory: however long the store is away, the snapshot need not wait for it.
    filled(b);
    return IO_DONE;
}

io_status backup_shard_put(struct backup *b)
{
    struct segment_shard s = {.shard = b->shard,
                              .level = level_of(b),
                              .tx_min = b->full ? 1 : b->mark.tx + 1,
                              .tx_max = b->mark.tx + 1,
                              .epoch = b->mark.epoch,
                              .size = b->writer.size,
                              .page_count = b->writer.page_count,
                              .sum = b->shard_sum};
    memcpy(s.hash, b->hash, sizeof s.hash);
    b->fetch.request.tries_max = SHARD_TRIES;
    if (b->full) IO_TRY(backup_part_look(b));
    bool there = b->full && backup_part_same(b, &s);
    if (!there) {
        if (fetch_idle(&b->fetch)) {
            char key[OBJECT_KEY_MAX];
            name_shard(b->name, b->mark.lineage, &s, key);
            fetch_put(&b->fetch, key, b->writer.bytes, b->writer.size, false);
            b->part_named |= b->full;
        }
        IO_TRY(fetch_run(&b->fetch, &b->op.err));
        b->status.pushed_bytes += b->writer.size;
    }
    if (!shards_add(&b->shards, &b->shard_count, &b->shard_capacity, &s) || (b->full && !backup_part_note(b, &s)))
        return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    b->parts_used += there;
    b->attempt = 0;
    segment_writer_deinit(&b->writer);
    b->writer_open = false;
    while (b->page_next < b->page_total && page_skipped(b, page_at(b, b->page_next))) b->page_next++;
    if (b->page_next < b->page_total) {
        b->step = STEP_FILL;
        return IO_DONE;
    }
    filled(b);
    return IO_DONE;
}

// ---- into the store
// ----------------------------------------------------------------------------------------------

// The table of the shards that are there now.
static bool table_start(struct backup *b)
{
    struct segment_header h = header_make(b, level_of(b), image_flag(b) | SEGMENT_SHARDED);
    b->writer_open = true;
    if (segment_writer_begin(&b->writer, &h, &b->catalog.key, b->options.zstd_level) != ERR_OK) return false;
    for (u32 i = 0; i < b->shard_count; i++)
        if (segment_writer_shard(&b->writer, &b->shards[i]) != ERR_OK) return false;
    return true;
}

// What becomes the level 0 segment is finished once.
static bool put_prepare(struct backup *b)
{
    if (b->sealed) return true;
    if (b->filled && b->sharded && !b->writer_open && !table_start(b)) return false;
    if (b->full && b->filled) {
        struct segment_header h = header_make(b, 0, SEGMENT_BASE);
        b->record_open = true;
        if (segment_writer_begin(&b->record, &h, &b->catalog.key, b->options.zstd_level) != ERR_OK) return false;
    }
    struct segment_writer *w = b->record_open ? &b->record : &b->writer;
    b->sealed = segment_writer_finish(w, b->hash) == ERR_OK;
    return b->sealed;
}

static void on_retry(struct object_request *r, u64 wait_ms)
{
    struct fetch *f = r->context;
    struct backup *b = f->context;
    b->status.failures++;
    b->status.state = BACKUP_RETRYING;
    snprintf(b->status.error, sizeof b->status.error, "%s", r->err.text);
    backup_log(b, SYNC_LOG_WARN, "backup.retry", "%s (try %u, the next in %llu ms)", r->err.text, r->attempt, (ull)wait_ms);
}

void backup_catalog_note(struct backup *b, const struct segment_header *h, const struct segment_writer *w)
{
    struct catalog_segment *s = catalog_add(&b->catalog, h->level, h->tx_min, h->tx_max, w->size);
    if (!s) return; // found again by the next start
    s->known = true;
    s->seen_ns = io_now_ns(b->io);
    s->flags = w->header.flags;
    s->page_count = w->page_count;
    s->time_min_ms = h->time_min_ms;
    s->time_max_ms = h->time_max_ms;
    u64 kept = w->size;
    for (u32 i = 0; i < b->catalog.count; i++) {
        struct catalog_segment *o = &b->catalog.segments[i];
        bool merged = o->level < h->level && o->tx_min >= h->tx_min && o->tx_max <= h->tx_max;
        if (merged) free(o->bytes), o->bytes = NULL;
        if (o->bytes) kept += o->size;
    }
    if (h->level < LEVEL_IMAGE - 1 && w->size <= COMPACT_CACHE_MAX && kept <= COMPACT_CACHE_ALL && (s->bytes = malloc(w->size)))
        memcpy(s->bytes, w->bytes, w->size);
}

static void pushed_all(struct backup *b)
{
    if (b->has_pushed && !b->full)
        b->status.wal_bytes += (b->target.lsn - b->pushed.lsn) * (FRAME_HEADER_SIZE + b->page_size);
    b->pushed = b->target;
    b->has_pushed = true;
    b->status.behind_since_ms = b->newer_since_ms; // what was committed during the push waits from then on
    b->extra_count = 0;
    b->need_full = b->log_let_go;
    b->head_dirty = true;
    b->step = STEP_MARK_WRITE;
}

static void segment_is_there(struct backup *b)
{
    b->adopted = false;
    if (b->put_began_ns > b->verified_ns) b->verified_ns = b->put_began_ns, b->verified_ms = b->put_began_ms;
    struct segment_writer *w = b->record_open ? &b->record : &b->writer;
    bool claim = b->record_open && !b->filled;
    b->mark.tx++;
    b->mark.sum = !claim ? b->sums.total : b->need_full ? 0 : b->mark.sum;
    memcpy(b->mark.hash, b->hash, sizeof b->hash);
    b->claimed = true;
    b->mark.own_epoch = b->mark.epoch;
    b->status.pushed_bytes += w->size;
    b->status.pushed_segments++;
    b->status.pushed_at_ms = io_wall_ms(b->io);
    backup_catalog_note(b, &w->header, w);
    // A claim that announces an image says nothing of pages: what the store has before it may be another's.
    if (b->options.remote && !(claim && b->need_full) && remote_is_of(b->options.remote, b->mark.lineage))
        remote_pushed(b->options.remote, b->mark.tx, b->mark.epoch, b->page_sums ? b->pages : NULL, b->page_sums, claim ? 0 : b->page_total, !b->lazy && !claim);
    if (!claim) b->stored_pages = w->header.page_count;
    if (!b->record_open) b->incompressible = w->incompressible;
    segment_writer_deinit(w);
    b->sealed = false;
    if (b->record_open)
        b->record_open = false;
    else
        b->writer_open = false;
    if (claim && !b->need_full) {
        b->head_dirty = true;
        if (b->catalog_part) b->head_due_ns = b->lists_due_ns; // clients come first
        b->step = STEP_MARK_WRITE;
    } else if (claim) {
        b->step = b->mark.unclaimed ? STEP_MARK_WRITE : STEP_SNAPSHOT;
    } else if (b->full) {
        b->step = STEP_IMAGE_PUT;
    } else {
        imager_pushed(b);
        pushed_all(b);
    }
}

// A node that stood still (stopped, its machine suspended) between a look and its put may have put what had a free name only
// because others' pushes had come and gone: nobody is told that it is there before that is known.
static void put_ended(struct backup *b)
{
    b->step = STEP_PUT_DONE;
    if (!backup_newer_due(b, FENCE_MS, STEP_PUT_DONE)) (void)backup_epoch_due(b, FENCE_MS, STEP_PUT_DONE);
}

io_status backup_put(struct backup *b)
{
    if (!put_prepare(b)) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    struct segment_writer *w = b->record_open ? &b->record : &b->writer;
    if (fetch_idle(&b->fetch)) {
        char key[OBJECT_KEY_MAX];
        if (backup_epoch_due(b, FENCE_MS, STEP_PUT) || backup_look_due(b, STEP_PUT)) return IO_DONE;
        if (backup_newer_due(b, NEWER_CHECK_MS, STEP_PUT)) return IO_DONE;
        name_segment(b->name, b->mark.lineage, 0, b->mark.tx + 1, b->mark.tx + 1, key);
        fetch_put(&b->fetch, key, w->bytes, w->size, true);
        b->fetch.request.tries_max = PUT_TRIES;
        b->fetch.request.on_retry = on_retry;
        b->put_began_ns = io_now_ns(b->io);
        b->put_began_ms = io_wall_ms(b->io);
    }
    io_status status = fetch_run(&b->fetch, &b->op.err);
    if (status == IO_FAIL && b->op.err.code == ERR_STORE_EXISTS) {
        err_clear(&b->op.err);
        b->step = STEP_PUT_CHECK;
        return IO_DONE;
    }
    IO_TRY(status);
    put_ended(b);
    return IO_DONE;
}

io_status backup_put_done(struct backup *b)
{
    segment_is_there(b);
    return IO_DONE;
}

io_status backup_put_check(struct backup *b)
{
    struct segment_writer *w = b->record_open ? &b->record : &b->writer;
    if (fetch_idle(&b->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_segment(b->name, b->mark.lineage, 0, b->mark.tx + 1, b->mark.tx + 1, key);
        fetch_get(&b->fetch, key, 0, 0, 0);
        b->fetch.request.tries_max = PUT_TRIES;
    }
    IO_TRY(fetch_run(&b->fetch, &b->op.err));
    const u8 *bytes = b->fetch.request.answer;
    size_t size = b->fetch.request.answer_size;
    if (size == w->size && memcmp(bytes, w->bytes, size) == 0) {
        put_ended(b); // our own put, whose answer was lost
        return IO_DONE;
    }
    struct segment_header other;
    if (size < SEGMENT_TRAILER_SIZE)
        return IO_ERROR(&b->op.err, ERR_STORE_CORRUPT, "object %s is no segment", b->fetch.request.key);
    if (!segment_trailer_read(bytes + size - SEGMENT_TRAILER_SIZE, size, b->fetch.request.key, &other, &b->op.err))
        return IO_FAIL;
    if (memcmp(other.database_id, b->mark.database_id, sizeof other.database_id) != 0)
        return IO_ERROR(&b->op.err, ERR_STORE_FOREIGN, "another database is being backed up under the name '%s'", b->name);
    if (other.epoch > b->mark.epoch || (other.epoch == b->mark.epoch && b->claimed))
        return backup_fenced(b, other.epoch);
    // The earlier writer was still at work while this one claimed: the claim comes after its segments.
    backup_log(b, SYNC_LOG_WARN, "backup.contended", "another node pushed to this backup while this one started; looking again");
    backup_contact_again(b);
    return IO_DONE;
}

io_status backup_image_put(struct backup *b)
{
    struct segment_writer *w = &b->writer;
    if (!b->sealed) {
        w->header.tx_max = b->mark.tx;
        memcpy(w->header.tip, b->mark.hash, sizeof w->header.tip);
        if (segment_writer_finish(w, b->hash) != ERR_OK) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
        b->sealed = true;
    }
    if (fetch_idle(&b->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_segment(b->name, b->mark.lineage, LEVEL_IMAGE, 1, b->mark.tx, key);
        if (backup_epoch_due(b, FENCE_MS, STEP_IMAGE_PUT)) return IO_DONE;
        fetch_put(&b->fetch, key, w->bytes, w->size, b->conditions);
        b->fetch.request.tries_max = PUT_TRIES;
        b->fetch.request.on_retry = on_retry;
    }
    io_status status = fetch_run(&b->fetch, &b->op.err);
    if (status == IO_FAIL && b->op.err.code == ERR_STORE_EXISTS)
        return IO_ERROR(&b->op.err, ERR_STORE_FENCED, "another node wrote the image that this one was about to; this one's newer commits are only here");
    IO_TRY(status);
    b->status.pushed_bytes += w->size;
    b->status.images++;
    backup_catalog_note(b, &w->header, w);
    segment_writer_deinit(w);
    b->writer_open = b->sealed = false;
    b->head_due_ns = 0;
    if (b->parts_used) backup_log(b, SYNC_LOG_INFO, "backup.image", "of the image's %u parts %u were in the store already", b->shard_count, b->parts_used);
    backup_parts_deinit(b);
    pushed_all(b);
    return IO_DONE;
}

// ---- the mark and the head
// ----------------------------------------------------------------------------------------

bool backup_is_clean(const struct backup *b)
{
    return b->has_clean && b->has_pushed && b->pushed.lsn == b->at_clean.lsn;
}

// That the backup is this node's is written over the mark that says that it is not, and is durable before anyone is told
// (and writes): a later start then need not ask whether there are commits of its own. While pages are missing here, the mark says
// in which states of the store they may be looked for; the earlier ones are let go. A start's first mark, when nothing was committed
// yet, is made durable as well: there may be no log that a hint could point into when the power goes.
io_status backup_mark_step(struct backup *b)
{
    bool becomes_writer = b->mark.unclaimed && b->claimed, partial = b->options.remote && !remote_whole(b->options.remote);
    if (!b->mark_in_flight) {
        struct backup_mark m = b->mark;
        m.serial = ++b->mark.serial;
        m.wal_salt[0] = b->has_pushed ? b->pushed.wal_salt[0] : 0;
        m.wal_salt[1] = b->has_pushed ? b->pushed.wal_salt[1] : 0;
        m.wal_frame = b->has_pushed ? b->pushed.wal_frame : UINT32_MAX;
        m.unclaimed = b->mark.unclaimed && !b->claimed;
        m.clean = b->mark.clean = backup_is_clean(b);
        memcpy(b->mark.wal_salt, m.wal_salt, sizeof m.wal_salt);
        b->mark.wal_frame = m.wal_frame;
        backup_mark_put(b, &m, becomes_writer ? MARK_OWN_SLOT : partial || m.clean ? MARK_SYNCED : MARK_HINT);
        return IO_WAIT;
    }
    IO_TRY(backup_mark_put_end(b));
    b->mark.unclaimed = b->mark.unclaimed && !b->claimed;
    if (becomes_writer && b->options.remote) remote_claimed(b->options.remote);
    if (!b->log_let_go && b->has_pushed) backup_hold(b, b->pushed.lsn);
    backup_status_update(b);
    if (b->status.error[0])
        backup_log(b, SYNC_LOG_INFO, "backup.recovered", "pushed up to transaction %llu after %llu failed tries", (ull)b->mark.tx,
                   (ull)b->status.failures);
    b->status.error[0] = 0;
    b->attempt = 0;
    b->step = becomes_writer && b->need_full ? STEP_SNAPSHOT : STEP_IDLE;
    imager_wake(b);
    compact_wake(b);
    return IO_DONE;
}

io_status backup_head_check(struct backup *b)
{
    if (fetch_idle(&b->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_head(b->name, key);
        fetch_get(&b->fetch, key, 0, 0, HEAD_SIZE_MAX);
        b->fetch.request.tries_max = 1;
    }
    io_status status = fetch_run(&b->fetch, &b->op.err);
    struct head h = {0};
    if (status == IO_WAIT) return status;
    if (status == IO_FAIL && b->op.err.code != ERR_STORE_MISSING) return status;
    err_clear(&b->op.err);
    if (status == IO_DONE && head_decode(b->fetch.request.answer, b->fetch.request.answer_size, &h)) {
        u64 epoch = h.epoch, lineage = h.lineage;
        bool foreign = memcmp(h.database_id, b->mark.database_id, sizeof h.database_id) != 0; // two began at one empty place
        head_deinit(&h);
        if (foreign) return backup_foreign(b);
        if (epoch > b->mark.epoch || (epoch == b->mark.epoch && lineage != b->mark.lineage))
            return IO_ERROR(&b->op.err, ERR_STORE_FENCED,
                            "another node has begun a backup of its own under the name '%s' (epoch %llu, ours is %llu); this one's "
                            "newer commits are only here and in its own lineage",
                            b->name, (ull)epoch, (ull)b->mark.epoch);
    }
    b->step = STEP_HEAD_PUT;
    return IO_DONE;
}

static bool head_make(struct backup *b)
{
    struct catalog_segment **chain;
    struct head h = {.lineage = b->mark.lineage, .epoch = b->mark.epoch, .page_size = b->page_size, .page_count = b->pushed.page_count};
    memcpy(h.database_id, b->mark.database_id, sizeof h.database_id);
    u32 count = catalog_chain(&b->catalog, UINT64_MAX, &chain);
    h.segments = calloc(count + 1u, sizeof *h.segments);
    if (!h.segments) {
        free(chain);
        return false;
    }
    count = MIN(count, HEAD_SEGMENTS_MAX); // it is a hint: who reads it lists what is behind
    for (u32 i = 0; i < count; i++)
        h.segments[h.segment_count++] = (struct head_segment){
            chain[i]->level, chain[i]->flags, chain[i]->tx_min, chain[i]->tx_max, chain[i]->size, chain[i]->time_max_ms};
    if (count) h.tx = chain[count - 1]->tx_max, h.time_ms = chain[count - 1]->time_max_ms;
    free(chain);
    free(b->head_text);
    b->head_text = head_encode(&h, &b->catalog.key, &b->head_size);
    head_deinit(&h);
    return b->head_text != NULL;
}

io_status backup_head_put(struct backup *b)
{
    if (fetch_idle(&b->fetch)) {
        char key[OBJECT_KEY_MAX];
        if (backup_epoch_due(b, HEAD_CHECK_MS, STEP_HEAD_PUT)) return IO_DONE;
        if (!head_make(b)) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
        name_head(b->name, key);
        fetch_put(&b->fetch, key, b->head_text, b->head_size, !b->head_there && b->conditions);
        b->fetch.request.tries_max = 4;
        for (u32 i = 0; i < b->catalog.count; i++) b->catalog.segments[i].in_head_put = true;
        b->head_dirty = false; // what comes while it is under way makes it dirty again
    }
    io_status status = fetch_run(&b->fetch, &b->op.err);
    if (status == IO_WAIT) return status;
    if (status == IO_FAIL) {
        b->head_dirty = true;
        if (b->op.err.code == ERR_STORE_EXISTS) { // ours, whose answer was lost, or another's
            err_clear(&b->op.err);
            b->head_there = true;
            b->step = STEP_HEAD_CHECK;
            return IO_DONE;
        }
        return status;
    }
    b->fresh_lineage = false;
    b->head_there = true;
    for (u32 i = 0; i < b->catalog.count; i++) b->catalog.segments[i].in_head |= b->catalog.segments[i].in_head_put;
    b->head_due_ns = io_now_ns(b->io) + (u64)b->options.head_interval_ms * 1000000;
    b->step = STEP_IDLE;
    return IO_DONE;
}
