// Images beside the pushes: of the snapshot that a push has taken, in a transaction of their own. Shards that are as
// they were in the newest image are named and not written again.
#include "backup_private.h"

#include <sodium.h>

#define RETRY_MS_MIN  60000u
#define IMAGE_SMALL   (1u << 20)
#define TABLE_SIZE_MAX (64u << 20)

typedef unsigned long long ull;

static void imager_run(struct backup *b);

void imager_wake(void *context)
{
    imager_run(context);
}

static void on_timer(struct completion *c)
{
    imager_run(c->context);
}

static void on_op(struct waiter *w)
{
    imager_run(CONTAINER_OF(CONTAINER_OF(w, struct op, waiter), struct backup, imager.op));
}

void imager_init(struct backup *b)
{
    struct imager *m = &b->imager;
    op_init(&m->op, b->io, on_op);
    completion_init(&m->timer, on_timer, b);
    fetch_init(&m->fetch, b->options.objects, 8, imager_wake, b);
}

static void imager_end(struct backup *b)
{
    struct imager *m = &b->imager;
    if (m->writer_open) segment_writer_deinit(&m->writer);
    if (m->txn) txn_end_read(m->txn);
    free(m->shard_sums);
    free(m->old);
    free(m->shards);
    free(m->page);
    m->shard_sums = NULL, m->old = NULL, m->shards = NULL, m->page = NULL;
    m->old_count = m->shard_count = m->shard_capacity = 0;
    m->writer_open = m->sealed = false;
    m->tx = m->reused = 0;
    m->step = IMAGE_IDLE;
}

static struct catalog_segment *newest_image(struct catalog *c)
{
    struct catalog_segment *image = NULL;
    for (u32 i = 0; i < c->count; i++)
        if (c->segments[i].level == LEVEL_IMAGE && (!image || c->segments[i].tx_max > image->tx_max)) image = &c->segments[i];
    return image;
}

static bool image_due(struct backup *b)
{
    struct catalog_segment *image = newest_image(&b->catalog);
    if (!image || !image->known) return false; // its time is being read
    if (b->target_ms - image->time_max_ms >= (s64)b->options.period_ms[LEVEL_IMAGE]) return true;
    u64 history = 0;
    for (u32 i = 0; i < b->catalog.count; i++)
        if (b->catalog.segments[i].level < LEVEL_IMAGE && b->catalog.segments[i].tx_min > image->tx_max) history += b->catalog.segments[i].size;
    u64 pages = (u64)b->target.page_count * b->page_size / 4;
    return history > b->options.history_factor * MAX(MAX(image->size, pages), (u64)IMAGE_SMALL) / 2;
}

void imager_snapshot(struct backup *b)
{
    struct imager *m = &b->imager;
    struct store_position at;
    if (m->step != IMAGE_IDLE || b->full || b->lazy || b->catalog_part || !b->claimed || m->stopped || b->stopping || io_now_ns(b->io) < m->not_before_ns || !image_due(b)) return;
    if (!m->txn && !(m->txn = txn_create(b->store))) return;
    err_clear(&m->op.err);
    if (txn_begin_read(m->txn, &m->op) != IO_DONE) {
        waiter_remove(&m->op.waiter);
        txn_end_read(m->txn);
        return;
    }
    txn_position_get(m->txn, &at);
    if (at.lsn != b->target.lsn) { // at the next push, then
        txn_end_read(m->txn);
        return;
    }
    m->step = IMAGE_SNAPSHOT;
    m->lsn = at.lsn;
}

void imager_pushed(struct backup *b)
{
    struct imager *m = &b->imager;
    if (m->step != IMAGE_SNAPSHOT) return;
    u32 pages = segment_shard_pages(b->page_size), shift = b->sums.shift;
    m->shard_count_all = b->target.page_count ? (b->target.page_count - 1) / pages + 1 : 0;
    m->sharded = (u64)b->target.page_count * b->page_size > segment_raw_max;
    m->shard_sums = calloc(m->shard_count_all + 1u, sizeof *m->shard_sums);
    m->page = malloc(b->page_size);
    if (!m->shard_sums || !m->page || (1u << shift) > pages) {
        imager_end(b);
        return;
    }
    for (u32 i = 0; i < b->sums.count; i++) m->shard_sums[(i << shift) / pages] ^= b->sums.groups[i];
    m->tx = b->mark.tx;
    m->header = (struct segment_header){
        .flags = SEGMENT_IMAGE,
        .level = LEVEL_IMAGE,
        .lineage = b->mark.lineage,
        .epoch = b->mark.epoch,
        .tx_min = 1,
        .tx_max = m->tx,
        .time_min_ms = b->target_ms,
        .time_max_ms = b->target_ms,
        .page_size = b->page_size,
        .page_count = b->target.page_count,
        .sum_after = b->sums.total,
        .wal_salt = {b->target.wal_salt[0], b->target.wal_salt[1]},
        .wal_frame = b->target.wal_frame,
    };
    memcpy(m->header.database_id, b->mark.database_id, 16);
    memcpy(m->header.tip, b->mark.hash, sizeof m->header.tip);
    m->page_next = 1;
    m->step = IMAGE_TABLE;
    backup_log(b, SYNC_LOG_INFO, "backup.image", "making an image of %u pages beside the pushes, as of transaction %llu", m->header.page_count,
               (ull)m->tx);
}

// ---- steps
// ----------------------------------------------------------------------------------------------------

// The table of the newest image: what did not change since is not written again.
static io_status image_table(struct backup *b)
{
    struct imager *m = &b->imager;
    struct catalog_segment *image = newest_image(&b->catalog);
    m->step = IMAGE_FILL;
    if (!m->sharded || !image || !(image->flags & SEGMENT_SHARDED)) return IO_DONE;
    m->step = IMAGE_TABLE;
    if (fetch_idle(&m->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_segment(b->name, b->mark.lineage, LEVEL_IMAGE, 1, image->tx_max, key);
        fetch_get(&m->fetch, key, 0, 0, TABLE_SIZE_MAX);
    }
    struct err err = ERR_CLEAR;
    io_status status = fetch_run(&m->fetch, &err);
    if (status == IO_WAIT) return status;
    m->step = IMAGE_FILL;
    struct segment_reader r;
    const struct object_request *q = &m->fetch.request;
    if (status == IO_FAIL) {
        backup_log(b, SYNC_LOG_WARN, "backup.image", "the newest image cannot be read, so all pages are pushed: %s", err.text);
        return IO_DONE;
    }
    if (segment_reader_open(&r, q->answer, q->answer_size, q->key, &b->catalog.key, &err) && r.index.header.page_size == b->page_size &&
        (m->old = calloc(r.index.shard_count + 1u, sizeof *m->old))) {
        m->old_count = r.index.shard_count;
        memcpy(m->old, r.index.shards, m->old_count * sizeof *m->old);
    } else if (err.code != ERR_OK) {
        backup_log(b, SYNC_LOG_ERROR, "backup.image", "the newest image cannot be read, so all pages are pushed: %s", err.text);
    }
    segment_reader_deinit(&r);
    return IO_DONE;
}

static const struct segment_shard *old_shard(const struct imager *m, u32 shard)
{
    for (u32 i = 0; i < m->old_count; i++)
        if (m->old[i].shard == shard) return &m->old[i];
    return NULL;
}

static io_status image_yield(struct backup *b)
{
    struct imager *m = &b->imager;
    if (m->timer.state != COMPLETION_PENDING) io_timeout(b->io, 1, &m->timer);
    return IO_WAIT;
}

static io_status image_fill(struct backup *b)
{
    struct imager *m = &b->imager;
    u32 pages = segment_shard_pages(b->page_size), lock = segment_lock_page(b->page_size);
    while (m->sharded && !m->writer_open && m->page_next <= m->header.page_count) {
        m->shard = (m->page_next - 1) / pages;
        const struct segment_shard *old = old_shard(m, m->shard);
        if (!old || old->sum != m->shard_sums[m->shard]) break;
        if (!shards_add(&m->shards, &m->shard_count, &m->shard_capacity, old)) return IO_ERROR(&m->op.err, ERR_NOMEM, "out of memory");
        m->reused++;
        m->page_next = (m->shard + 1) * pages + 1;
    }
    if (m->page_next > m->header.page_count && !m->writer_open && m->sharded) {
        m->step = IMAGE_PUT;
        return IO_DONE;
    }
    if (!m->writer_open) {
        struct segment_header h = m->header;
        if (m->sharded) h.flags = SEGMENT_SHARD, h.shard = m->shard, h.sum_after = m->shard_sums[m->shard];
        m->writer_open = true;
        if (segment_writer_begin(&m->writer, &h, &b->catalog.key, b->options.zstd_level) != ERR_OK) return IO_ERROR(&m->op.err, ERR_NOMEM, "out of memory");
    }
    u32 blocks = m->writer.blocks.count;
    u32 end = m->sharded ? (u32)MIN((u64)(m->shard + 1) * pages, (u64)m->header.page_count) : m->header.page_count;
    for (; m->page_next <= end; m->page_next++) {
        if (m->page_next == lock) continue;
        if (m->writer.blocks.count != blocks) return image_yield(b);
        IO_TRY(txn_page_copy(m->txn, &m->op, m->page_next, m->page));
        if (segment_writer_page(&m->writer, m->page_next, m->page) != ERR_OK) return IO_ERROR(&m->op.err, ERR_NOMEM, "out of memory");
    }
    if (!m->sharded) {
        m->step = IMAGE_PUT;
        return IO_DONE;
    }
    if (segment_writer_finish(&m->writer, m->hash) != ERR_OK) return IO_ERROR(&m->op.err, ERR_NOMEM, "out of memory");
    m->step = IMAGE_SHARD_PUT;
    return IO_DONE;
}

static io_status image_shard_put(struct backup *b)
{
    struct imager *m = &b->imager;
    struct segment_shard s = {.shard = m->shard, .level = LEVEL_IMAGE, .tx_min = 1, .tx_max = m->tx, .epoch = b->mark.epoch,
                              .size = m->writer.size, .page_count = m->writer.page_count, .sum = m->shard_sums[m->shard]};
    memcpy(s.hash, m->hash, sizeof s.hash);
    if (fetch_idle(&m->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_shard(b->name, b->mark.lineage, &s, key);
        fetch_put(&m->fetch, key, m->writer.bytes, m->writer.size, false);
    }
    IO_TRY(fetch_run(&m->fetch, &m->op.err));
    if (!shards_add(&m->shards, &m->shard_count, &m->shard_capacity, &s)) return IO_ERROR(&m->op.err, ERR_NOMEM, "out of memory");
    b->status.merged_bytes += m->writer.size;
    segment_writer_deinit(&m->writer);
    m->writer_open = false;
    m->step = IMAGE_FILL;
    return IO_DONE;
}

static io_status image_put(struct backup *b)
{
    struct imager *m = &b->imager;
    txn_end_read(m->txn);
    if (!m->sealed) {
        struct segment_header h = m->header;
        h.flags |= SEGMENT_SHARDED;
        if (!m->writer_open && segment_writer_begin(&m->writer, &h, &b->catalog.key, b->options.zstd_level) != ERR_OK)
            return IO_ERROR(&m->op.err, ERR_NOMEM, "out of memory");
        m->writer_open = true;
        for (u32 i = 0; i < m->shard_count; i++)
            if (segment_writer_shard(&m->writer, &m->shards[i]) != ERR_OK) return IO_ERROR(&m->op.err, ERR_NOMEM, "out of memory");
        if (segment_writer_finish(&m->writer, m->hash) != ERR_OK) return IO_ERROR(&m->op.err, ERR_NOMEM, "out of memory");
        m->sealed = true;
    }
    if (fetch_idle(&m->fetch)) {
        char key[OBJECT_KEY_MAX];
        name_segment(b->name, b->mark.lineage, LEVEL_IMAGE, 1, m->tx, key);
        fetch_put(&m->fetch, key, m->writer.bytes, m->writer.size, b->conditions);
    }
    IO_TRY(fetch_run(&m->fetch, &m->op.err));
    b->status.images++;
    b->status.merged_bytes += m->writer.size;
    backup_catalog_note(b, &m->writer.header, &m->writer);
    backup_log(b, SYNC_LOG_INFO, "backup.image", "the image as of transaction %llu is in the store; %llu of its %u parts are as they were", (ull)m->tx,
               (ull)m->reused, MAX(m->shard_count, 1u));
    b->head_dirty = true;
    imager_end(b);
    compact_wake(b);
    return IO_DONE;
}

// ---- running
// --------------------------------------------------------------------------------------------------

static io_status imager_step(struct backup *b)
{
    switch (b->imager.step) {
    case IMAGE_IDLE:
    case IMAGE_WANTED:
    case IMAGE_SNAPSHOT: return IO_WAIT;
    case IMAGE_TABLE: return image_table(b);
    case IMAGE_FILL: return image_fill(b);
    case IMAGE_SHARD_PUT: return image_shard_put(b);
    case IMAGE_PUT: return image_put(b);
    }
    return IO_WAIT;
}

static void imager_run(struct backup *b)
{
    struct imager *m = &b->imager;
    if (m->stopped) backup_stop_look(b);
    if (m->running || m->stopped || !b->store || m->step < IMAGE_TABLE) return;
    u64 began = io_now_ns(b->io), rest = work_rest_ns(&b->work, m, began);
    if (rest) {
        if (m->timer.state != COMPLETION_PENDING) io_timeout(b->io, rest, &m->timer);
        return;
    }
    m->running = true;
    for (;;) {
        io_status status = imager_step(b);
        if (status == IO_WAIT) break;
        if (status == IO_DONE) {
            m->attempt = 0;
            continue;
        }
        u64 backoff_ms = object_backoff_ms(b->io, m->attempt++), ms = MAX(backoff_ms, (u64)RETRY_MS_MIN);
        b->status.failures++;
        backup_log(b, SYNC_LOG_WARN, "backup.image_failed", "%s (again in %llu s)", m->op.err.text, (ull)ms / 1000);
        err_clear(&m->op.err);
        m->not_before_ns = io_now_ns(b->io) + ms * 1000000;
        imager_end(b);
        break;
    }
    m->running = false;
    work_add(&b->work, m, began, io_now_ns(b->io), b->options.cpu_percent);
}

void imager_abandon(struct backup *b)
{
    if (b->imager.step == IMAGE_SNAPSHOT) imager_end(b);
}

void imager_limit(struct backup *b, u64 wal_bytes)
{
    struct imager *m = &b->imager;
    if (m->step < IMAGE_TABLE || m->step == IMAGE_PUT || wal_bytes <= b->options.wal_bytes_max || fetch_busy(&m->fetch) || m->running) return;
    backup_log(b, SYNC_LOG_WARN, "backup.image_failed", "the image is given up: %llu bytes of log have come since it was begun", (ull)wal_bytes);
    m->not_before_ns = io_now_ns(b->io) + (u64)RETRY_MS_MIN * 60 * 1000000;
    imager_end(b);
}

bool imager_stop(struct backup *b)
{
    struct imager *m = &b->imager;
    m->stopped = true;
    fetch_cancel(&m->fetch);
    waiter_remove(&m->op.waiter);
    txn_destroy(m->txn); // before its store is closed
    m->txn = NULL;
    if (m->timer.state == COMPLETION_PENDING) io_cancel(b->io, &m->timer);
    return !fetch_busy(&m->fetch) && m->timer.state != COMPLETION_PENDING;
}

void imager_deinit(struct backup *b)
{
    struct imager *m = &b->imager;
    imager_end(b);
    if (m->txn) txn_destroy(m->txn);
    op_deinit(&m->op);
    fetch_deinit(&m->fetch);
}
