#include "log_names.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>

#define BACKUP_INTERVAL_MS_DEFAULT   1000
#define BACKUP_ZSTD_LEVEL_DEFAULT    3
#define BACKUP_WAL_BYTES_MAX_DEFAULT (1ull << 30)
// A whole image is pushed again when the log since the last one is so many times the database's
// size.
#define BACKUP_LOG_FACTOR   4
#define BACKUP_LOG_SLACK    (64ull << 20)
#define PUT_TRIES_MID_IMAGE 6
#define FRAME_HEADER_SIZE   24

// Each step is re-run from its top after a wait, and the next one is named only when it is done.
enum backup_step {
    STEP_HEAD_GET,   // where does the log start?
    STEP_LIST,       // where does it end?
    STEP_NEWEST_GET, // whose is it, and up to where is it?
    STEP_DECIDE,     // go on with it, or start a whole image, or refuse
    STEP_MARK_OPEN,
    STEP_IDLE,
    STEP_SNAPSHOT, // a read transaction and the pages that changed since the last push
    STEP_FILL,     // pages into a segment
    STEP_PUT,
    STEP_PUT_CHECK, // the name was taken: by ourselves (a lost reply) or by another writer?
    STEP_HEAD_PUT,
    STEP_MARK_WRITE,
    STEP_STOPPED,
};

struct backup {
    struct backup_options options;
    char *name, *path;
    struct io *io;
    struct store *store;
    struct txn *txn;
    struct op op;
    struct waiter on_commit;
    struct completion timer, turn, mark_done;
    struct object_request request;
    enum { REQUEST_NONE, REQUEST_RUNNING, REQUEST_DONE } request_state;
    enum backup_step step;
    bool running;     // inside backup_run
    bool timer_waits; // the timer is what the step waits for
    u32 attempt;

    // The log as it is in the store.
    bool log_exists, head_exists;
    u64 base, newest;
    u64 log_bytes;
    struct segment_header newest_header;
    u8 newest_hash[SEGMENT_HASH_SIZE];

    // This database's place in it.
    struct backup_mark mark;
    bool mark_read, file_is_clean; // as of backup_create
    struct io_file *mark_file;
    char mark_path[4096];
    u8 mark_bytes[BACKUP_MARK_SIZE];
    bool mark_in_flight;

    // The push under way.
    bool claimed;    // a segment of our epoch is in the log
    bool need_full;  // the log and the database have no common point
    bool full;       // this push is a whole image
    bool log_let_go; // too much waited: the WAL no longer reaches back to what was pushed
    u64 full_base;
    struct store_position at_start; // of the database when it was opened
    struct store_position pushed, target;
    bool has_pushed;
    pgno *pages;
    u32 page_total, page_next;
    u8 *page;
    u32 page_size;
    struct segment_writer writer;
    bool writer_open;
    bool group_end;
    u8 hash[SEGMENT_HASH_SIZE];

    bool stopping, stop_reported;
    u64 stop_deadline_ns;
    struct completion stop_timer;
    struct completion *stop_done;
    struct backup_status status;
};

static void backup_run(struct backup *b);

__attribute__((format(printf, 4, 5))) static void
backup_log(struct backup *b, enum sync_log_level level, const char *event, const char *format, ...)
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

static void on_request(struct completion *c)
{
    struct object_request *r = c->context;
    struct backup *b = r->context;
    b->request_state = REQUEST_DONE;
    backup_run(b);
}

static void on_turn(struct completion *c)
{
    backup_run(c->context);
}

static void on_timer(struct completion *c)
{
    struct backup *b = c->context;
    b->timer_waits = false;
    backup_run(b);
}

static void on_wake(struct waiter *w)
{
    backup_run(CONTAINER_OF(CONTAINER_OF(w, struct op, waiter), struct backup, op));
}

// Runs b->request, which the caller has filled in (again): asking twice is free.
static io_status backup_request(struct backup *b)
{
    switch (b->request_state) {
    case REQUEST_NONE:
        b->request_state = REQUEST_RUNNING;
        object_start(b->options.objects, &b->request);
        return IO_WAIT;
    case REQUEST_RUNNING: return IO_WAIT;
    case REQUEST_DONE: break;
    }
    b->request_state = REQUEST_NONE;
    if (b->request.err.code == ERR_OK) return IO_DONE;
    err_clear(&b->op.err);
    b->op.err = b->request.err;
    return IO_FAIL;
}

static io_status backup_yield(struct backup *b)
{
    if (b->turn.state != COMPLETION_PENDING) completion_post(b->io, &b->turn, 0);
    return IO_WAIT;
}

static io_status backup_sleep(struct backup *b, u64 ms)
{
    b->timer_waits = true;
    if (b->timer.state != COMPLETION_PENDING) io_timeout(b->io, ms * 1000000, &b->timer);
    return IO_WAIT;
}

// ---- contact: what is in the store?
// ---------------------------------------------------------------------

static io_status step_head_get(struct backup *b)
{
    if (b->request_state == REQUEST_NONE) {
        b->request.kind = OBJECT_GET;
        log_head_key(b->name, b->request.key);
        b->request.range_offset = b->request.range_size = 0;
        b->request.answer_size_max = 4096;
    }
    io_status status = backup_request(b);
    if (status == IO_WAIT) return status;
    if (status == IO_FAIL && b->op.err.code != ERR_STORE_MISSING) return status;
    b->base = 1;
    b->head_exists = status == IO_DONE;
    if (b->head_exists && !log_head_decode(b->request.answer, b->request.answer_size, &b->base))
        return IO_ERROR(
            &b->op.err, ERR_STORE_CORRUPT,
            "object %s is not a backup's head; is the store shared with something else?",
            b->request.key);
    err_clear(&b->op.err);
    b->step = STEP_LIST;
    return IO_DONE;
}

static io_status step_list(struct backup *b)
{
    if (b->request_state == REQUEST_NONE) {
        b->request.kind = OBJECT_LIST;
        snprintf(b->request.key, sizeof b->request.key, "%s/log/", b->name);
        log_key(b->name, b->base - 1, b->request.after);
    }
    IO_TRY(backup_request(b));
    b->log_exists = false;
    b->newest = b->log_bytes = 0;
    for (u32 i = 0; i < b->request.entry_count; i++) {
        u64 sequence;
        if (!log_key_parse(b->name, b->request.entries[i].key, &sequence)) continue;
        b->log_exists = true;
        b->newest = MAX(b->newest, sequence);
        b->log_bytes += b->request.entries[i].size;
    }
    b->step = b->log_exists ? STEP_NEWEST_GET : STEP_DECIDE;
    return IO_DONE;
}

static io_status step_newest_get(struct backup *b)
{
    if (b->request_state == REQUEST_NONE) {
        b->request.kind = OBJECT_GET;
        log_key(b->name, b->newest, b->request.key);
        b->request.range_offset = b->request.range_size = 0;
        b->request.answer_size_max = 0;
    }
    IO_TRY(backup_request(b));
    struct segment_reader r;
    bool good = segment_reader_open(&r, b->request.answer, b->request.answer_size, b->request.key,
                                    &b->options.key, &b->op.err);
    if (good) {
        b->newest_header = r.index.header;
        memcpy(b->newest_hash, r.index.hash, sizeof r.index.hash);
    }
    segment_reader_deinit(&r);
    if (!good) return IO_FAIL;
    b->step = STEP_DECIDE;
    return IO_DONE;
}

static io_status step_decide(struct backup *b)
{
    const struct segment_header *h = &b->newest_header;
    if (!b->log_exists) {
        if (!b->mark_read || !b->mark.sequence) {
            b->mark = (struct backup_mark){.serial = b->mark.serial};
            randombytes_buf(b->mark.database_id, sizeof b->mark.database_id);
        } else {
            backup_log(b, SYNC_LOG_WARN, "backup.vanished",
                       "the store held this database's backup before and is empty now; a whole "
                       "image is pushed");
        }
        b->mark.epoch++;
        b->need_full = true;
        b->step = STEP_MARK_OPEN;
        return IO_DONE;
    }
    if (!b->mark_read || memcmp(b->mark.database_id, h->database_id, sizeof h->database_id) != 0)
        return IO_ERROR(&b->op.err, ERR_STORE_FOREIGN,
                        "%s already holds the backup of another database under the name '%s'; use "
                        "another prefix or "
                        "name, or restore that backup first",
                        object_store_url(b->options.objects), b->name);
    if (h->epoch > b->mark.epoch)
        return IO_ERROR(&b->op.err, ERR_STORE_FENCED,
                        "another node has gone on with this backup (epoch %llu, ours is %llu); "
                        "this one's newer commits "
                        "are only here",
                        (unsigned long long)h->epoch, (unsigned long long)b->mark.epoch);
    // The newest segment is ours. It tells where our WAL stood, better than the mark when we died
    // in between.
    bool same = b->newest == b->mark.sequence &&
                memcmp(b->mark.hash, b->newest_hash, SEGMENT_HASH_SIZE) == 0;
    bool whole = !(h->flags & LOG_MORE);
    b->has_pushed = false;
    if (whole && same && b->mark.clean && b->file_is_clean && b->at_start.wal_frame == 0)
        b->pushed = b->at_start, b->has_pushed = true;
    else if (whole && same && !b->mark.clean)
        b->has_pushed =
            store_position_find(b->store, b->mark.wal_salt, b->mark.wal_frame, &b->pushed);
    if (whole && !b->has_pushed && (!same || !b->mark.clean))
        b->has_pushed = store_position_find(b->store, h->wal_salt, h->wal_frame, &b->pushed);
    b->need_full = !b->has_pushed;
    if (b->need_full)
        backup_log(b, SYNC_LOG_WARN, "backup.discontinuous",
                   "the database was changed while the node did not run, or its last push was "
                   "torn; a whole image is "
                   "pushed");
    b->mark.sequence = b->newest;
    memcpy(b->mark.hash, b->newest_hash, SEGMENT_HASH_SIZE);
    b->mark.epoch = h->epoch + 1;
    b->step = STEP_MARK_OPEN;
    return IO_DONE;
}

// The first mark is written with its name made durable; later slots go through the loop.
static io_status step_mark_open(struct backup *b)
{
    if (!b->mark_in_flight) {
        b->mark.serial++;
        b->mark.clean = false;
        if (!backup_mark_write(b->path, &b->mark, &b->op.err)) return IO_FAIL;
        backup_mark_path(b->path, b->mark_path);
        b->mark_in_flight = true;
        io_file_open(b->io, b->mark_path, IO_OPEN_WRITE, &b->mark_file, &b->mark_done);
        return IO_WAIT;
    }
    if (b->mark_done.state == COMPLETION_PENDING) return IO_WAIT;
    b->mark_in_flight = false;
    if (b->mark_done.result < 0) {
        b->mark_file = NULL;
        return IO_ERROR(&b->op.err, ERR_IOERR, "%s cannot be opened: %s", b->mark_path,
                        strerror((int)-b->mark_done.result));
    }
    b->step = STEP_SNAPSHOT;
    return IO_DONE;
}

// ---- pushing
// ------------------------------------------------------------------------------------------

static void status_update(struct backup *b)
{
    struct store_position now;
    store_position_get(b->store, &now, NULL);
    b->status.newest_lsn = now.lsn;
    b->status.pushed_lsn = b->has_pushed ? b->pushed.lsn : 0;
    bool behind = !b->has_pushed || now.lsn > b->pushed.lsn;
    if (!behind)
        b->status.behind_since_ms = 0;
    else if (!b->status.behind_since_ms)
        b->status.behind_since_ms = io_wall_ms(b->io);
}

static void on_commit(struct waiter *w)
{
    struct backup *b = CONTAINER_OF(w, struct backup, on_commit);
    struct store_position now;
    store_position_get(b->store, &now, &b->on_commit);
    status_update(b);
    u64 frame_size = FRAME_HEADER_SIZE + (b->page_size ? b->page_size : 4096);
    if (b->has_pushed && !b->need_full && !b->log_let_go &&
        (now.lsn - b->pushed.lsn) * frame_size > b->options.wal_bytes_max) {
        backup_log(b, SYNC_LOG_ERROR, "backup.wal_limit",
                   "the store has not taken pushes for so long that %llu bytes of log wait; they "
                   "are let go, and a "
                   "whole image will be pushed instead",
                   (unsigned long long)(now.lsn - b->pushed.lsn) * frame_size);
        b->log_let_go = true;
        if (b->step == STEP_IDLE || b->step == STEP_SNAPSHOT) b->need_full = true;
        store_hold(b->store, UINT64_MAX);
    }
    if (b->step == STEP_IDLE) backup_run(b);
}

static io_status step_idle(struct backup *b)
{
    struct store_position now;
    store_position_get(b->store, &now, NULL);
    bool behind = !b->has_pushed || now.lsn > b->pushed.lsn;
    u64 wal_base = now.lsn - now.wal_frame;
    if (b->has_pushed && b->pushed.lsn >= wal_base &&
        (now.wal_salt[0] != b->mark.wal_salt[0] || now.wal_salt[1] != b->mark.wal_salt[1])) {
        // The WAL started anew after all of the old one was pushed: noted at once, so that a start
        // after a crash finds its place in the new one.
        b->pushed.wal_salt[0] = now.wal_salt[0];
        b->pushed.wal_salt[1] = now.wal_salt[1];
        b->pushed.wal_frame = (u32)(b->pushed.lsn - wal_base);
        b->step = STEP_MARK_WRITE;
        return IO_DONE;
    }
    if (b->timer_waits && !b->stopping) return IO_WAIT;
    if (!behind) {
        b->status.state = BACKUP_IDLE;
        return IO_WAIT;
    }
    b->step = STEP_SNAPSHOT;
    if (b->stopping) return IO_DONE;
    return backup_sleep(b, b->options.interval_ms);
}

static io_status step_snapshot(struct backup *b)
{
    if (b->timer_waits && !b->stopping) return IO_WAIT; // the interval, so that commits gather
    b->status.state = BACKUP_PUSHING;
    IO_TRY(txn_begin_read(b->txn, &b->op));
    txn_position_get(b->txn, &b->target);
    free(b->pages);
    b->pages = NULL;
    b->page_total = b->page_next = 0;
    struct store_stats stats;
    store_stats_get(b->store, &stats);
    u64 page_size = b->page_size = stats.page_size;
    u64 database_bytes = page_size * b->target.page_count;
    b->full = b->need_full ||
              (b->claimed && b->log_bytes > BACKUP_LOG_FACTOR * database_bytes + BACKUP_LOG_SLACK);
    if (!b->full && b->target.lsn > b->pushed.lsn) {
        err_code code =
            store_pages_changed(b->store, b->pushed.lsn, b->target.lsn, &b->pages, &b->page_total);
        if (code == ERR_NOTFOUND)
            b->full = b->need_full = true;
        else if (code != ERR_OK)
            return IO_ERROR(&b->op.err, code, "out of memory for the list of changed pages");
    }
    if (b->full) {
        b->page_total = b->target.page_count;
        b->full_base = b->mark.sequence + 1;
        store_hold(b->store, b->target.lsn);
        b->log_let_go = false;
        backup_log(b, SYNC_LOG_INFO, "backup.image", "pushing a whole image of %u pages",
                   b->page_total);
    }
    free(b->page);
    b->page = malloc(page_size);
    if (!b->page) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    b->step = STEP_FILL;
    return IO_DONE;
}

static err_code writer_start(struct backup *b)
{
    struct segment_header h = {
        .flags = b->full && b->mark.sequence + 1 == b->full_base ? SEGMENT_IMAGE : 0,
        .tx_min = b->mark.sequence + 1,
        .tx_max = b->mark.sequence + 1,
        .epoch = b->mark.epoch,
        .time_min_ms = io_wall_ms(b->io),
        .time_max_ms = io_wall_ms(b->io),
        .page_size = b->page_size,
        .page_count = b->target.page_count,
        .wal_salt = {b->target.wal_salt[0], b->target.wal_salt[1]},
        .wal_frame = b->target.wal_frame,
    };
    // The size of the pages that are left decides whether this segment is the last of its commit.
    b->group_end = (u64)(b->page_total - b->page_next) * h.page_size <= SEGMENT_RAW_MAX;
    if (!b->group_end) h.flags |= LOG_MORE;
    memcpy(h.database_id, b->mark.database_id, sizeof h.database_id);
    memcpy(h.parent, b->mark.hash, sizeof h.parent);
    err_code code = segment_writer_begin(&b->writer, &h, &b->options.key, b->options.zstd_level);
    b->writer_open = true;
    return code;
}

static io_status step_fill(struct backup *b)
{
    if (!b->writer_open && writer_start(b) != ERR_OK)
        return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    u64 page_size = b->page_size;
    u32 blocks = b->writer.blocks.count;
    while (b->page_next < b->page_total &&
           segment_writer_raw_size(&b->writer) + page_size <= SEGMENT_RAW_MAX) {
        pgno no = b->full ? b->page_next + 1 : b->pages[b->page_next];
        if (no == 0x40000000u / page_size + 1 ||
            no > b->target.page_count) { // the lock page, and cut-off pages
            b->page_next++;
            continue;
        }
        IO_TRY(txn_page_copy(b->txn, &b->op, no, b->page));
        if (segment_writer_page(&b->writer, no, b->page) != ERR_OK)
            return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
        b->page_next++;
        if (b->writer.blocks.count != blocks) return backup_yield(b); // one block a turn of the loop
    }
    if (segment_writer_finish(&b->writer, b->hash) != ERR_OK)
        return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    // The last segment of a commit is sealed: however long the store is away, the snapshot need not
    // wait for it.
    if (b->group_end) txn_end_read(b->txn);
    b->step = STEP_PUT;
    return IO_DONE;
}

static void segment_is_there(struct backup *b)
{
    b->mark.sequence++;
    memcpy(b->mark.hash, b->hash, sizeof b->hash);
    b->claimed = true;
    b->log_exists = true;
    b->log_bytes += b->writer.size;
    b->status.pushed_bytes += b->writer.size;
    b->status.pushed_segments++;
    b->status.pushed_at_ms = io_wall_ms(b->io);
    segment_writer_deinit(&b->writer);
    b->writer_open = false;
    if (!b->group_end) {
        b->step = STEP_FILL;
        return;
    }
    if (b->full) b->log_bytes = 0;
    b->pushed = b->target;
    b->has_pushed = true;
    b->need_full = b->log_let_go;
    b->step = b->full || !b->head_exists ? STEP_HEAD_PUT : STEP_MARK_WRITE;
}

static io_status step_put(struct backup *b)
{
    if (b->request_state == REQUEST_NONE) {
        b->request.kind = OBJECT_PUT_IF_ABSENT;
        log_key(b->name, b->mark.sequence + 1, b->request.key);
        b->request.body = b->writer.bytes;
        b->request.body_size = b->writer.size;
    }
    io_status status = backup_request(b);
    if (status == IO_FAIL && b->op.err.code == ERR_STORE_EXISTS) {
        err_clear(&b->op.err);
        b->step = STEP_PUT_CHECK;
        return IO_DONE;
    }
    IO_TRY(status);
    segment_is_there(b);
    return IO_DONE;
}

static io_status step_put_check(struct backup *b)
{
    if (b->request_state == REQUEST_NONE) {
        b->request.kind = OBJECT_GET;
        b->request.range_offset = b->request.range_size = 0;
        b->request.answer_size_max = 0;
    }
    IO_TRY(backup_request(b));
    if (b->request.answer_size == b->writer.size &&
        memcmp(b->request.answer, b->writer.bytes, b->writer.size) == 0) {
        segment_is_there(b); // our own put, whose answer was lost
        return IO_DONE;
    }
    struct segment_header other;
    size_t size = b->request.answer_size;
    if (size < SEGMENT_TRAILER_SIZE)
        return IO_ERROR(&b->op.err, ERR_STORE_CORRUPT, "object %s is no segment", b->request.key);
    if (!segment_trailer_read(b->request.answer + size - SEGMENT_TRAILER_SIZE, size, b->request.key,
                              &other, &b->op.err))
        return IO_FAIL;
    if (memcmp(other.database_id, b->mark.database_id, sizeof other.database_id) != 0)
        return IO_ERROR(&b->op.err, ERR_STORE_FOREIGN,
                        "another database is being backed up under the name '%s'", b->name);
    if (other.epoch > b->mark.epoch || (other.epoch == b->mark.epoch && b->claimed))
        return IO_ERROR(&b->op.err, ERR_STORE_FENCED,
                        "another node has gone on with this backup (epoch %llu, ours is %llu); "
                        "this one's newer commits "
                        "are only here",
                        (unsigned long long)other.epoch, (unsigned long long)b->mark.epoch);
    // The earlier writer was still at work while we claimed: our claim comes after its segments,
    // but what they hold is not in this database.
    return IO_ERROR(&b->op.err, ERR_STORE_FENCED,
                    "another node pushed to this backup while this one started; stop one of the "
                    "two, and restore");
}

static io_status step_head_put(struct backup *b)
{
    char text[64];
    if (b->request_state == REQUEST_NONE) {
        b->request.kind = OBJECT_PUT;
        log_head_key(b->name, b->request.key);
        b->request.body_size = log_head_encode(b->full ? b->full_base : b->base, text);
        memcpy(b->mark_bytes, text, b->request.body_size);
        b->request.body = b->mark_bytes;
    }
    IO_TRY(backup_request(b));
    b->head_exists = true;
    b->step = STEP_MARK_WRITE;
    return IO_DONE;
}

static io_status step_mark_write(struct backup *b)
{
    if (!b->mark_in_flight) {
        b->mark.serial++;
        b->mark.wal_salt[0] = b->pushed.wal_salt[0];
        b->mark.wal_salt[1] = b->pushed.wal_salt[1];
        b->mark.wal_frame = b->pushed.wal_frame;
        backup_mark_encode(&b->mark, b->mark_bytes);
        b->mark_in_flight = true;
        io_file_write(b->mark_file, b->mark_bytes, sizeof b->mark_bytes,
                      backup_mark_offset(&b->mark), &b->mark_done);
        return IO_WAIT;
    }
    if (b->mark_done.state == COMPLETION_PENDING) return IO_WAIT;
    b->mark_in_flight = false;
    if (b->mark_done.result < 0)
        return IO_ERROR(&b->op.err, ERR_IOERR_WRITE, "%s cannot be written: %s", b->mark_path,
                        strerror((int)-b->mark_done.result));
    if (!b->log_let_go) store_hold(b->store, b->pushed.lsn);
    status_update(b);
    if (b->status.failures && b->status.error[0])
        backup_log(b, SYNC_LOG_INFO, "backup.recovered",
                   "pushed up to segment %llu after %llu failed tries",
                   (unsigned long long)b->mark.sequence, (unsigned long long)b->status.failures);
    b->status.error[0] = 0;
    b->attempt = 0;
    b->step = STEP_IDLE;
    return IO_DONE;
}

// ---- running
// ------------------------------------------------------------------------------------------

static io_status backup_step_run(struct backup *b)
{
    switch (b->step) {
    case STEP_HEAD_GET: return step_head_get(b);
    case STEP_LIST: return step_list(b);
    case STEP_NEWEST_GET: return step_newest_get(b);
    case STEP_DECIDE: return step_decide(b);
    case STEP_MARK_OPEN: return step_mark_open(b);
    case STEP_IDLE: return step_idle(b);
    case STEP_SNAPSHOT: return step_snapshot(b);
    case STEP_FILL: return step_fill(b);
    case STEP_PUT: return step_put(b);
    case STEP_PUT_CHECK: return step_put_check(b);
    case STEP_HEAD_PUT: return step_head_put(b);
    case STEP_MARK_WRITE: return step_mark_write(b);
    case STEP_STOPPED: return IO_WAIT;
    }
    return IO_WAIT;
}

static void push_abandon(struct backup *b)
{
    if (b->writer_open) segment_writer_deinit(&b->writer);
    b->writer_open = false;
    if (b->txn) txn_end_read(b->txn);
}

static void backup_failed(struct backup *b)
{
    struct err *err = &b->op.err;
    b->status.failures++;
    snprintf(b->status.error, sizeof b->status.error, "%s", err->text);
    if (err->code == ERR_STORE_FOREIGN || err->code == ERR_STORE_FENCED ||
        err->code == ERR_STORE_KEY) {
        backup_log(b, SYNC_LOG_ERROR, "backup.refused", "%s", err->text);
        b->status.state = BACKUP_REFUSED;
        push_abandon(b);
        b->step = STEP_STOPPED;
        store_hold(b->store, UINT64_MAX);
        return;
    }
    u64 ms = object_backoff_ms(b->io, b->attempt);
    backup_log(b, object_error_passes(err) ? SYNC_LOG_WARN : SYNC_LOG_ERROR, "backup.retry",
               "%s (try %u, the next in %llu ms)", err->text, b->attempt + 1,
               (unsigned long long)ms);
    b->attempt++;
    b->status.state = BACKUP_RETRYING;
    // What was sealed is sent again as it is; everything else starts from a new snapshot.
    // An image of many segments is given up when the store stays away, so that its snapshot does
    // not hold the WAL.
    bool give_up = b->step == STEP_PUT && !b->group_end && b->attempt >= PUT_TRIES_MID_IMAGE;
    if (b->step == STEP_SNAPSHOT || b->step == STEP_FILL || give_up) {
        if (b->mark.sequence + 1 != b->full_base && !b->group_end) b->need_full = true;
        push_abandon(b);
        b->step = STEP_SNAPSHOT;
    } else if (b->step == STEP_DECIDE) {
        b->step = STEP_HEAD_GET;
    }
    err_clear(err);
    (void)backup_sleep(b, ms);
}

static void stop_report(struct backup *b)
{
    if (!b->stopping || b->stop_reported) return;
    bool finished = b->step == STEP_STOPPED ||
                    (b->step == STEP_IDLE && b->has_pushed && !b->status.behind_since_ms);
    bool late = io_now_ns(b->io) >= b->stop_deadline_ns;
    if (!finished && !late) return;
    if (b->request_state == REQUEST_RUNNING) {
        object_cancel(&b->request); // comes back through on_request
        return;
    }
    if (b->mark_in_flight || b->turn.state == COMPLETION_PENDING) return;
    b->stop_reported = true;
    if (!finished)
        backup_log(b, SYNC_LOG_WARN, "backup.unfinished",
                   "stopped before everything was pushed; the WAL keeps the rest");
    push_abandon(b);
    waiter_remove(&b->on_commit);
    waiter_remove(&b->op.waiter);
    if (b->timer.state == COMPLETION_PENDING) io_cancel(b->io, &b->timer);
    if (b->stop_timer.state == COMPLETION_PENDING) io_cancel(b->io, &b->stop_timer);
    if (finished && b->step == STEP_IDLE) store_hold(b->store, UINT64_MAX);
    b->mark.clean = finished && b->step == STEP_IDLE;
    b->step = STEP_STOPPED;
    completion_post(b->io, b->stop_done, 0);
}

static void backup_run(struct backup *b)
{
    if (b->running || b->stop_reported) return;
    b->running = true;
    io_status status = IO_DONE;
    // After a failure the timer holds the step back; a stop does not wait for it.
    while (status == IO_DONE &&
           !(b->status.state == BACKUP_RETRYING && b->timer_waits && !b->stopping)) {
        status = backup_step_run(b);
        if (status == IO_FAIL) {
            backup_failed(b);
            break;
        }
    }
    b->running = false;
    if (b->step != STEP_STOPPED || b->stopping) status_update(b);
    stop_report(b);
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
    if (!b->options.interval_ms) b->options.interval_ms = BACKUP_INTERVAL_MS_DEFAULT;
    if (!b->options.zstd_level) b->options.zstd_level = BACKUP_ZSTD_LEVEL_DEFAULT;
    if (!b->options.wal_bytes_max) b->options.wal_bytes_max = BACKUP_WAL_BYTES_MAX_DEFAULT;
    op_init(&b->op, b->io, on_wake);
    b->on_commit = (struct waiter){.wake = on_commit};
    completion_init(&b->timer, on_timer, b);
    completion_init(&b->turn, on_turn, b);
    completion_init(&b->mark_done, on_turn, b);
    completion_init(&b->stop_timer, on_turn, b);
    object_request_init(&b->request, on_request, b);
    u64 size, modified_ns;
    b->mark_read = backup_mark_read(b->path, &b->mark);
    b->file_is_clean = b->mark_read && b->mark.clean &&
                       backup_file_identity(b->path, &size, &modified_ns) &&
                       size == b->mark.file_size && modified_ns == b->mark.file_modified_ns;
    return b;
}

void backup_start(struct backup *b, struct store *store)
{
    b->store = store;
    b->txn = txn_create(store);
    store_position_get(store, &b->at_start, &b->on_commit);
    store_hold(store, 0); // keep it all until we know what the store has
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
    b->status.sequence = b->mark.sequence;
    b->status.epoch = b->mark.epoch;
    *out = b->status;
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
    b->attempt = 0;
    backup_run(b);
}

void backup_destroy(struct backup *b)
{
    if (!b) return;
    struct err err = ERR_CLEAR;
    char wal[4096];
    u64 size, modified_ns;
    snprintf(wal, sizeof wal, "%s-wal", b->path);
    // Clean only when everything was pushed and closing left no WAL behind.
    if (b->mark.clean && !backup_file_identity(wal, &size, &modified_ns) &&
        backup_file_identity(b->path, &b->mark.file_size, &b->mark.file_modified_ns)) {
        b->mark.serial++;
        if (!backup_mark_write(b->path, &b->mark, &err))
            backup_log(b, SYNC_LOG_WARN, "backup.mark", "%s", err.text);
    }
    // Timers that were cancelled come back before their memory goes.
    struct completion closed;
    completion_init(&closed, NULL, NULL);
    if (b->mark_file) io_file_close(b->mark_file, &closed);
    while ((b->mark_file && closed.state == COMPLETION_PENDING) ||
           b->timer.state == COMPLETION_PENDING || b->stop_timer.state == COMPLETION_PENDING)
        if (io_step(b->io, 10000000) < 0) break;
    if (b->txn) txn_destroy(b->txn);
    object_request_deinit(&b->request);
    op_deinit(&b->op);
    free(b->pages);
    free(b->page);
    free(b->name);
    free(b->path);
    sodium_memzero(b, sizeof *b);
    free(b);
}
