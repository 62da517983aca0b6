// The life of a backup: its steps are run until one waits; failures are waited out; a stop pushes what
// is left.
#include "backup_private.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>

#define INTERVAL_MS_DEFAULT      1000
#define HEAD_INTERVAL_MS_DEFAULT 10000
#define ZSTD_LEVEL_DEFAULT       3
#define PUSH_ZSTD_LEVEL_DEFAULT  1
#define GIVE_UP_MS               60000 // before the next image, when commits were too many for one
#define WAL_BYTES_MAX_DEFAULT    (1ull << 30)
#define FRAME_HEADER_SIZE        24
#define STOP_RETRY_MS_MAX        1000

typedef unsigned long long ull;

void backup_log(struct backup *b, enum sync_log_level level, const char *event, const char *format, ...)
{
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (b->options.log) b->options.log(b->options.log_context, level, event, text);
}

// ---- waiting
// ------------------------------------------------------------------------------------------

void backup_wake(void *context)
{
    backup_run(context);
}

static void on_completion(struct completion *c)
{
    backup_run(c->context);
}

static void on_op(struct waiter *w)
{
    backup_run(CONTAINER_OF(CONTAINER_OF(w, struct op, waiter), struct backup, op));
}

io_status backup_yield(struct backup *b)
{
    if (b->turn.state != COMPLETION_PENDING) completion_post(b->io, &b->turn, 0);
    return IO_WAIT;
}

void backup_stop_look(struct backup *b)
{
    if (b->stopping && !b->stop_reported) (void)backup_yield(b);
}

static void status_note(struct backup *b, const struct store_position *now)
{
    u64 frame_size = FRAME_HEADER_SIZE + (b->page_size ? b->page_size : 4096);
    bool behind = !b->has_pushed || now->lsn > b->pushed.lsn;
    b->status.lag_bytes = b->has_pushed ? (now->lsn - b->pushed.lsn) * frame_size : now->page_count * (u64)b->page_size;
    if (!behind)
        b->status.behind_since_ms = 0;
    else if (!b->status.behind_since_ms)
        b->status.behind_since_ms = io_wall_ms(b->io);
    if (now->lsn > b->target.lsn && !b->newer_since_ms) b->newer_since_ms = io_wall_ms(b->io);
}

void backup_status_update(struct backup *b)
{
    struct store_position now;
    store_position_get(b->store, &now, NULL);
    status_note(b, &now);
}

// ---- the log that is kept for the store
// ---------------------------------------------------------------------------

static u64 log_kept(const struct backup *b, const struct store_position *now)
{
    u64 from = MAX(b->held_from, b->at_start.lsn - b->at_start.wal_frame); // all of what the WAL had when it was opened
    return now->lsn > from ? (now->lsn - from) * (FRAME_HEADER_SIZE + b->page_size) : 0;
}

// The snapshot of a large push keeps the log as well: its next shard comes too late.
static void snapshot_give_up(struct backup *b)
{
    b->need_full = true;
    if (fetch_busy(&b->fetch)) {
        object_cancel(&b->fetch.request); // and is given up when it has come back
        return;
    }
    backup_push_abandon(b);
    b->step = STEP_SNAPSHOT;
}

static void log_let_go(struct backup *b, u64 kept)
{
    backup_log(b, SYNC_LOG_ERROR, "backup.wal_limit",
               "the store has not taken pushes for so long that %llu bytes of log wait (--wal-bytes-max); they are let go, and a "
               "whole image will be pushed instead",
               (ull)kept);
    b->log_let_go = true;
    if (b->step == STEP_IDLE || b->step == STEP_SNAPSHOT) b->need_full = true;
    backup_hold(b, UINT64_MAX);
    if (b->step == STEP_SHARD_PUT) snapshot_give_up(b);
}

static void commits_refuse(struct backup *b, u64 kept)
{
    b->status.refusing = true;
    snprintf(b->refusal, sizeof b->refusal,
             "%llu bytes of log wait for the backup's store, and no more is to be kept (--wal-bytes-max, --wal-full refuse); see /health",
             (ull)kept);
    backup_log(b, SYNC_LOG_ERROR, "backup.refusing_commits",
               "the store has not taken pushes for so long that %llu bytes of log wait (--wal-bytes-max); commits are refused until "
               "it has",
               (ull)kept);
    store_refuse_writes(b->store, ERR_FULL, b->refusal);
}

static void commits_accept(struct backup *b)
{
    if (!b->status.refusing) return;
    b->status.refusing = false;
    store_refuse_writes(b->store, ERR_OK, NULL);
    backup_log(b, SYNC_LOG_INFO, "backup.accepting_commits", "the store has taken what waited, or need not; commits go on");
}

void backup_hold(struct backup *b, u64 lsn)
{
    b->held_from = lsn;
    struct store_position now;
    store_hold(b->store, lsn);
    store_position_get(b->store, &now, NULL);
    if (log_kept(b, &now) <= b->options.wal_bytes_max) commits_accept(b);
}

static void log_limit(struct backup *b, const struct store_position *now)
{
    u64 kept = log_kept(b, now), bound = b->options.wal_bytes_max;
    if (kept <= bound || b->log_let_go || b->status.refusing) return;
    if (b->options.wal_full == BACKUP_WAL_REFUSE) {
        commits_refuse(b, kept);
        return;
    }
    if (b->step == STEP_SCAN || b->step == STEP_FILL) return; // soon over; the next commit looks again
    // Giving up an image under way makes another one begin, so it is given as much log again as it has pages.
    if (b->full && b->step == STEP_SHARD_PUT) bound += (u64)b->target.page_count * b->page_size;
    if (kept > bound) log_let_go(b, kept);
}

static void on_commit(struct waiter *w)
{
    struct backup *b = CONTAINER_OF(w, struct backup, on_commit);
    struct store_position now;
    store_position_get(b->store, &now, &b->on_commit);
    status_note(b, &now);
    log_limit(b, &now);
    if (b->imager.step != IMAGE_IDLE && now.lsn > b->imager.lsn) imager_limit(b, (now.lsn - b->imager.lsn) * (FRAME_HEADER_SIZE + b->page_size));
    // Most commits come while the next push waits for its time.
    if (b->step == STEP_IDLE && (b->push_timer.state != COMPLETION_PENDING || backup_log_restarted(b, &now))) backup_run(b);
}

// ---- running
// ------------------------------------------------------------------------------------------

static io_status backup_step_run(struct backup *b)
{
    switch (b->step) {
    case STEP_PROBE: return backup_probe(b);
    case STEP_LOAD: return backup_load(b);
    case STEP_NEWEST_GET: return backup_newest_get(b);
    case STEP_DECIDE: return backup_decide(b);
    case STEP_OURS: return backup_ours(b);
    case STEP_FENCE: return backup_fence(b);
    case STEP_GAP: return backup_gap(b);
    case STEP_ADOPT: return backup_adopt(b);
    case STEP_EPOCH_PUT: return backup_epoch_put(b);
    case STEP_EPOCH_NOTE: return backup_epoch_note(b);
    case STEP_EPOCH_CHECK: return backup_epoch_check(b);
    case STEP_KEY_PUT: return backup_key_put(b);
    case STEP_MARK_OPEN: return backup_mark_open(b);
    case STEP_CLAIM: return backup_claim(b);
    case STEP_IDLE: return backup_idle(b);
    case STEP_LISTS: return backup_lists(b);
    case STEP_SNAPSHOT: return backup_snapshot(b);
    case STEP_SCAN: return backup_scan(b);
    case STEP_FILL: return backup_fill(b);
    case STEP_SHARD_PUT: return backup_shard_put(b);
    case STEP_PUT: return backup_put(b);
    case STEP_NEWER_CHECK: return backup_newer_check(b);
    case STEP_PUT_CHECK: return backup_put_check(b);
    case STEP_PUT_DONE: return backup_put_done(b);
    case STEP_IMAGE_PUT: return backup_image_put(b);
    case STEP_MARK_WRITE: return backup_mark_step(b);
    case STEP_HEAD_CHECK: return backup_head_check(b);
    case STEP_HEAD_PUT: return backup_head_put(b);
    case STEP_STOPPED: return IO_WAIT;
    }
    return IO_WAIT;
}

void backup_push_abandon(struct backup *b)
{
    if (b->writer_open) segment_writer_deinit(&b->writer);
    if (b->record_open) segment_writer_deinit(&b->record);
    b->writer_open = b->record_open = b->sealed = b->filled = false;
    backup_part_reset(b);
    imager_abandon(b);
    if (b->txn) txn_end_read(b->txn);
}

// Where a step that failed is taken up again.
static enum backup_step step_after_failure(const struct backup *b)
{
    switch (b->step) {
    case STEP_PROBE:
    case STEP_LOAD:
    case STEP_NEWEST_GET:
    case STEP_DECIDE:
    case STEP_OURS:
    case STEP_FENCE:
    case STEP_GAP:
    case STEP_ADOPT: return STEP_LOAD;
    case STEP_SNAPSHOT:
    case STEP_SCAN:
    case STEP_FILL: return STEP_SNAPSHOT;
    case STEP_SHARD_PUT: return b->log_let_go ? STEP_SNAPSHOT : STEP_SHARD_PUT; // what is there already stays
    case STEP_LISTS: return STEP_IDLE;
    case STEP_HEAD_CHECK:
    case STEP_HEAD_PUT: return b->fresh_lineage ? b->step : STEP_IDLE; // else it is a hint, and is written later
    case STEP_KEY_PUT:
    case STEP_MARK_OPEN:
    case STEP_EPOCH_PUT:
    case STEP_EPOCH_NOTE:
    case STEP_EPOCH_CHECK:
    case STEP_CLAIM:
    case STEP_IDLE:
    case STEP_PUT:
    case STEP_NEWER_CHECK:
    case STEP_PUT_CHECK:
    case STEP_PUT_DONE:
    case STEP_IMAGE_PUT:
    case STEP_MARK_WRITE:
    case STEP_STOPPED: break;
    }
    return b->step;
}

static void backup_failed(struct backup *b)
{
    struct err *err = &b->op.err;
    bool cancelled = err->code == ERR_CANCELLED;
    if (!cancelled) {
        b->status.failures++;
        snprintf(b->status.error, sizeof b->status.error, "%s", err->text);
    }
    b->status.behind = b->mark.unclaimed && !b->claimed && err->code == ERR_STORE_EXISTS;
    if (b->status.behind || err->code == ERR_STORE_FOREIGN || err->code == ERR_STORE_FENCED || err->code == ERR_STORE_KEY) {
        backup_log(b, SYNC_LOG_ERROR, "backup.refused", "%s", err->text);
        b->status.state = BACKUP_REFUSED;
        backup_push_abandon(b);
        b->step = STEP_STOPPED;
        backup_hold(b, UINT64_MAX);
        return;
    }
    u64 ms = !cancelled ? object_backoff_ms(b->io, b->attempt) : b->log_let_go ? GIVE_UP_MS : 0;
    if (b->stopping) ms = MIN(ms, STOP_RETRY_MS_MAX);
    if (!cancelled)
        backup_log(b, object_error_passes(err) ? SYNC_LOG_WARN : SYNC_LOG_ERROR, "backup.retry", "%s (try %u, the next in %llu ms)",
                   err->text, b->attempt + 1, (ull)ms);
    err_clear(err);
    enum backup_step next = step_after_failure(b);
    u64 at = io_now_ns(b->io) + ms * 1000000;
    if (next == STEP_SNAPSHOT) backup_push_abandon(b);
    if (next == STEP_IDLE && b->step != STEP_IDLE) {
        // Pushes go on meanwhile; a stop does not insist.
        if (b->step == STEP_LISTS)
            b->lists_due_ns = at;
        else
            b->head_dirty = !b->stopping || cancelled;
        b->head_due_ns = at;
    } else {
        b->attempt++;
        b->status.state = BACKUP_RETRYING;
        b->retry_at_ns = at;
    }
    b->step = next;
}

static bool requests_end(struct backup *b)
{
    bool busy = fetch_busy(&b->fetch);
    if (busy) fetch_cancel(&b->fetch);
    if (b->probing && b->probe.done.state != COMPLETION_DONE) {
        object_probe_cancel(&b->probe);
        busy = true;
    }
    if (b->loading && catalog_load_busy(&b->load)) {
        catalog_load_cancel(&b->load);
        busy = true;
    }
    bool compact = compact_stop(b), imager = imager_stop(b);
    return !busy && compact && imager;
}

static void timers_cancel(struct backup *b)
{
    struct completion *const timers[] = {&b->push_timer, &b->head_timer, &b->retry_timer, &b->stop_timer};
    for (u32 i = 0; i < COUNT_OF(timers); i++)
        if (timers[i]->state == COMPLETION_PENDING) io_cancel(b->io, timers[i]);
}

static void stop_report(struct backup *b)
{
    if (!b->stopping || b->stop_reported) return;
    bool idle = b->step == STEP_IDLE && b->has_pushed && !b->status.behind_since_ms && !b->head_dirty && !b->need_full;
    bool finished = b->step == STEP_STOPPED || idle;
    bool late = io_now_ns(b->io) >= b->stop_deadline_ns;
    if (!finished && !late) return;
    if (!requests_end(b)) return;
    // Its result is of no interest when time is over: the mark is one of two, and is checked when it is read.
    if ((b->mark_in_flight && b->mark_done.state == COMPLETION_PENDING) || b->turn.state == COMPLETION_PENDING) return;
    b->stop_reported = true;
    if (!finished)
        backup_log(b, SYNC_LOG_WARN, "backup.unfinished", "stopped before everything was pushed; the WAL keeps the rest");
    backup_push_abandon(b);
    waiter_remove(&b->on_commit);
    waiter_remove(&b->op.waiter);
    timers_cancel(b);
    commits_accept(b);
    if (idle) store_hold(b->store, UINT64_MAX);
    b->mark.clean = idle;
    b->step = STEP_STOPPED;
    txn_destroy(b->txn); // before its store is closed
    b->txn = NULL;
    completion_post(b->io, b->stop_done, 0);
}

void backup_run(struct backup *b)
{
    if (b->running || b->stop_reported) return;
    b->running = true;
    for (;;) {
        u64 now = io_now_ns(b->io);
        if (b->stopping && now >= b->stop_deadline_ns) break;
        if (now < b->retry_at_ns) {
            if (b->retry_timer.state != COMPLETION_PENDING) io_timeout(b->io, b->retry_at_ns - now, &b->retry_timer);
            break;
        }
        io_status status = backup_step_run(b);
        if (status == IO_WAIT) break;
        if (status == IO_FAIL) backup_failed(b);
    }
    b->running = false;
    if (b->step != STEP_STOPPED || b->stopping) backup_status_update(b);
    stop_report(b);
}

// ---- from outside
// -----------------------------------------------------------------------------------------------

// By which it is seen at the next start that nothing was written to the file since. Pages come into one that is not whole while
// nobody has it open; what is written there is told of by its map.
static bool file_identity(const struct backup *b, u64 *size, u64 *modified_ns)
{
    *size = *modified_ns = 0;
    if (!b->options.remote || remote_whole(b->options.remote)) return backup_file_identity(b->io, b->path, size, modified_ns);
    *size = remote_changes(b->options.remote);
    return true;
}

struct backup *backup_create(const struct backup_options *options, struct err *err)
{
    struct backup *b = calloc(1, sizeof *b);
    if (b) b->name = strdup(options->name);
    if (b) b->path = strdup(options->database_path);
    if (!b || !b->name || !b->path) {
        if (b) free(b->name);
        free(b);
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    b->options = *options;
    b->io = options->io;
    if (!b->options.interval_ms) b->options.interval_ms = INTERVAL_MS_DEFAULT;
    if (!b->options.head_interval_ms) b->options.head_interval_ms = HEAD_INTERVAL_MS_DEFAULT;
    if (!b->options.zstd_level) b->options.zstd_level = ZSTD_LEVEL_DEFAULT;
    if (!b->options.push_zstd_level) b->options.push_zstd_level = PUSH_ZSTD_LEVEL_DEFAULT;
    static const u64 PERIODS[BACKUP_LEVELS] = {0, 30000, 300000, 3600000, 86400000};
    static const u64 KEEPS[BACKUP_LEVELS] = {300000, 3600000, 6 * 3600000, 2 * 86400000ull, 14 * 86400000ull};
    for (u32 i = 0; i < BACKUP_LEVELS; i++) {
        if (!b->options.period_ms[i]) b->options.period_ms[i] = PERIODS[i];
        if (!b->options.keep_ms[i]) b->options.keep_ms[i] = KEEPS[i];
    }
    if (!b->options.history_factor) b->options.history_factor = 8;
    if (!b->options.cpu_percent) b->options.cpu_percent = 25;
    b->options.cpu_percent = MIN(b->options.cpu_percent, 100u);
    if (!b->options.wal_bytes_max) b->options.wal_bytes_max = WAL_BYTES_MAX_DEFAULT;
    op_init(&b->op, b->io, on_op);
    b->on_commit = (struct waiter){.wake = on_commit};
    struct completion *const mine[] = {&b->push_timer, &b->head_timer, &b->retry_timer, &b->turn,
                                       &b->mark_done,  &b->stop_timer, &b->probe.done};
    for (u32 i = 0; i < COUNT_OF(mine); i++) completion_init(mine[i], on_completion, b);
    fetch_init(&b->fetch, options->objects, 1, backup_wake, b);
    compact_init(b);
    imager_init(b);
    u64 size, modified_ns;
    snprintf(b->sums_path, sizeof b->sums_path, "%s-backup-sums", b->path);
    b->mark_read = backup_mark_read(b->io, b->path, &b->mark);
    b->mark.unclaimed |= b->options.promote;
    b->fenced_epoch = options->epoch_claimed;
    if (b->mark.unclaimed) b->mark.own_epoch = 0;
    else if (b->mark_read && !backup_mark_claims(&b->mark)) b->sole_epoch = b->mark.epoch;
    b->file_is_clean = b->mark_read && b->mark.clean && file_identity(b, &size, &modified_ns) && size == b->mark.file_size &&
                       modified_ns == b->mark.file_modified_ns;
    if (b->file_is_clean) {
        size_t sums_size;
        u8 *sums = backup_file_read(b->io, b->sums_path, &sums_size);
        if (sums) sums_decode(&b->sums, sums, sums_size, &b->mark);
        free(sums);
    }
    return b;
}

void backup_start(struct backup *b, struct store *store)
{
    struct store_stats stats;
    b->store = store;
    b->txn = txn_create(store);
    store_stats_get(store, &stats);
    b->page_size = stats.page_size;
    store_position_get(store, &b->at_start, &b->on_commit);
    b->at_clean = b->at_start;
    b->has_clean = b->file_is_clean && (b->at_start.wal_frame == 0 || store_position_find(store, b->at_start.wal_salt, 0, &b->at_clean));
    backup_hold(b, 0); // keep it all until it is known what the store has
    if (!b->txn) {
        err_set(&b->op.err, ERR_NOMEM, __func__, "out of memory");
        b->step = STEP_STOPPED;
        b->status.state = BACKUP_REFUSED;
        return;
    }
    backup_run(b);
}

void backup_status_get(struct backup *b, struct backup_status *out)
{
    b->status.claimed = b->claimed && !b->mark.unclaimed;
    b->status.epoch_claimed = b->fenced_epoch;
    b->status.lineage = b->mark.lineage;
    b->status.tx = b->mark.tx;
    b->status.epoch = b->mark.epoch;
    b->status.stored_bytes = b->catalog.bytes;
    b->status.stored_segments = b->catalog.count;
    *out = b->status;
}

bool backup_unclaimed(const struct backup *b)
{
    return b->mark.unclaimed;
}

bool backup_replaceable(const struct backup *b)
{
    return b->mark.unclaimed && b->file_is_clean && b->store && b->at_start.wal_frame == 0;
}

void backup_place_get(const struct backup *b, struct backup_place *out)
{
    *out = (struct backup_place){0};
    if (!b->has_pushed && !b->mark_read) return; // a mark says it also while the store is away
    *out = (struct backup_place){.lineage = b->mark.lineage, .tx = b->mark.tx, .epoch = b->mark.own_epoch, .sum = b->mark.sum,
                                  .sole_epoch = b->sole_epoch, .sole_by_start = b->sole_by_start};
    memcpy(out->database_id, b->mark.database_id, sizeof out->database_id);
    memcpy(out->hash, b->mark.hash, sizeof out->hash);
}

void backup_stop(struct backup *b, u64 deadline_ns, struct completion *done)
{
    b->stopping = true;
    b->stop_deadline_ns = deadline_ns;
    b->stop_done = done;
    if (!b->store) {
        b->stop_reported = true;
        completion_post(b->io, done, 0);
        return;
    }
    u64 now = io_now_ns(b->io);
    io_timeout(b->io, deadline_ns > now ? deadline_ns - now : 0, &b->stop_timer);
    // What waits for its next try tries once more at once.
    b->attempt = 0;
    b->retry_at_ns = 0;
    if (b->status.state == BACKUP_RETRYING && fetch_busy(&b->fetch)) object_cancel(&b->fetch.request);
    backup_run(b);
}

void backup_destroy(struct backup *b)
{
    if (!b) return;
    struct err err = ERR_CLEAR;
    char wal[4096];
    u64 size, modified_ns;
    snprintf(wal, sizeof wal, "%s-wal", b->path);
    // Clean only when everything was pushed and closing left no WAL behind. Who was not started does not know.
    if (b->store && b->mark.clean && !backup_file_identity(b->io, wal, &size, &modified_ns) &&
        file_identity(b, &b->mark.file_size, &b->mark.file_modified_ns)) {
        b->mark.serial++;
        size_t sums_size;
        u8 *sums = sums_encode(&b->sums, &b->mark, &sums_size);
        if (sums) (void)backup_file_write(b->io, b->sums_path, sums, sums_size);
        free(sums);
        if (!backup_mark_write(b->io, b->path, &b->mark, &err)) backup_log(b, SYNC_LOG_WARN, "backup.mark", "%s", err.text);
    }
    // Timers that were cancelled come back before their memory goes.
    struct completion closed;
    completion_init(&closed, NULL, NULL);
    if (b->mark_file) io_file_close(b->mark_file, &closed);
    struct completion *const timers[] = {&b->push_timer, &b->head_timer, &b->retry_timer, &b->stop_timer, &closed};
    timers_cancel(b);
    for (u32 i = 0; i < COUNT_OF(timers); i++)
        while (timers[i]->state == COMPLETION_PENDING)
            if (io_step(b->io, 10000000) < 0) break;
    if (b->txn) txn_destroy(b->txn);
    compact_deinit(b);
    imager_deinit(b);
    backup_parts_deinit(b);
    if (b->probing) object_probe_deinit(&b->probe);
    if (b->loading) catalog_load_deinit(&b->load);
    fetch_deinit(&b->fetch);
    catalog_deinit(&b->catalog);
    catalog_deinit(&b->lists);
    sums_deinit(&b->sums);
    op_deinit(&b->op);
    free(b->pages);
    free(b->page_sums);
    free(b->extra);
    free(b->page);
    free(b->shards);
    free(b->key_bytes);
    free(b->head_text);
    free(b->name);
    free(b->path);
    sodium_memzero(b, sizeof *b);
    free(b);
}
