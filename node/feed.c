#include "feed.h"

#include "../sync/segment.h"

#define QUESTIONS_MAX   64
#define HOLDERS_MAX     64
#define PART_SIZE       (4u << 20)
#define WAIT_MS_MAX     60000u
#define KEPT_NS         60000000000ull // for the next part
#define HOLD_NS         30000000000ull // the log, since a follower was last heard of
#define HOLD_FRAMES_MAX 65536ull
#define ZSTD_LEVEL      1
#define AHEAD           32u // pages asked for before they are wanted
#define SUMS_MAX        32768u
#define COMPARED_MAX    16u // times part_size: so much is compared for a part, lest who asked gives it up
#define SLICE           64u // pages compared in a turn of the loop

enum question_state { QUESTION_FREE, QUESTION_WAITS, QUESTION_BEGINS, QUESTION_FILLS, QUESTION_KEPT };

// One follower's question, from when it comes until its last part is sent.
struct question {
    struct feed *feed;
    enum question_state state;
    struct http_exchange *x; // to be answered; NULL: between two parts
    bool gone;               // who asked is
    struct op op;
    struct waiter on_commit;
    struct completion timer, turn;
    u64 follower, id, deadline_ns;
    u64 from_lsn;
    bool known; // from_lsn is
    struct txn *txn;
    struct store_position target;
    pgno *pages; // NULL: all
    u32 page_total, page_next, part;
    u32 part_first; // page_next where the newest part begins: its answer may be lost
    u32 asked; // pages up to there were asked for ahead
    // What the replica has: sums of groups of so many pages each, from page 1 on; NULL: nothing.
    u64 *sums;
    u32 sum_count, group, page_size;
    pgno group_first, group_next; // of the group that is compared, the page that comes next
    u64 group_sum;
    u32 same, slice; // same: pages that were left out of the part
    struct segment_writer writer;
    bool writer_open;
    const struct backup *backup;
    struct backup_place place; // as of the target
    u8 *page;
};

struct holder {
    u64 follower, lsn, until_ns;
};

struct feed_stats {
    u32 followers; // that asked lately
    u64 answers, bytes, whole; // whole: of all pages
    u64 lag_frames; // of the one that is furthest behind
};

struct feed {
    struct io *io;
    struct store *store;
    u64 instance, next_id;
    u32 part_size;
    struct question questions[QUESTIONS_MAX];
    struct holder holders[HOLDERS_MAX];
    struct completion sweep;
    struct feed_stats stats;
    bool stopping;
};

static void question_run(struct question *q);

// ---- the log is kept
// -----------------------------------------------------------------------------------------

static void holders_apply(struct feed *f)
{
    struct store_position now;
    u64 lowest = UINT64_MAX, at = io_now_ns(f->io);
    store_position_get(f->store, &now, NULL);
    f->stats.followers = 0;
    f->stats.lag_frames = 0;
    for (u32 i = 0; i < HOLDERS_MAX; i++) {
        struct holder *h = &f->holders[i];
        if (!h->follower) continue;
        if (at >= h->until_ns) {
            h->follower = 0;
            continue;
        }
        f->stats.followers++;
        f->stats.lag_frames = MAX(f->stats.lag_frames, now.lsn - h->lsn);
        if (now.lsn - h->lsn <= HOLD_FRAMES_MAX) lowest = MIN(lowest, h->lsn);
    }
    store_hold_by(f->store, STORE_HOLD_REPLICAS, lowest);
    if (f->stats.followers && f->sweep.state != COMPLETION_PENDING && !f->stopping) io_timeout(f->io, 1000000000, &f->sweep);
}

static void on_sweep(struct completion *c)
{
    struct feed *f = c->context;
    if (!f->stopping) holders_apply(f);
}

static void holder_set(struct feed *f, u64 follower, u64 lsn)
{
    struct holder *mine = NULL;
    for (u32 i = 0; i < HOLDERS_MAX; i++) {
        struct holder *h = &f->holders[i];
        if (h->follower == follower) {
            mine = h;
            break;
        }
        if (!mine || (mine->follower && (!h->follower || h->until_ns < mine->until_ns))) mine = h;
    }
    *mine = (struct holder){follower, lsn, io_now_ns(f->io) + HOLD_NS};
    holders_apply(f);
}

// ---- a question's life
// ----------------------------------------------------------------------------------------

static void on_timer(struct completion *c)
{
    question_run(c->context);
}

static void on_commit(struct waiter *w)
{
    question_run(CONTAINER_OF(w, struct question, on_commit));
}

static void on_op(struct waiter *w)
{
    question_run(CONTAINER_OF(CONTAINER_OF(w, struct op, waiter), struct question, op));
}

// Answered from the loop, not from in here, as the server wants it.
static void on_gone(void *context)
{
    struct question *q = context;
    q->gone = true;
    if (q->turn.state != COMPLETION_PENDING) completion_post(q->feed->io, &q->turn, 0);
}

static void question_end(struct question *q)
{
    if (q->writer_open) segment_writer_deinit(&q->writer);
    waiter_remove(&q->on_commit);
    waiter_remove(&q->op.waiter);
    txn_destroy(q->txn);
    free(q->pages);
    free(q->page);
    free(q->sums);
    q->writer_open = false;
    q->txn = NULL;
    q->pages = NULL;
    q->sums = NULL;
    q->page = NULL;
    q->x = NULL;
    q->gone = false;
    q->state = QUESTION_FREE;
    if (q->timer.state == COMPLETION_PENDING) io_cancel(q->feed->io, &q->timer);
}

static void question_fail(struct question *q, int status, const char *text)
{
    if (q->x) http_reply(q->x, status, "text/plain", text, strlen(text));
    question_end(q);
}

static void deadline_set(struct question *q, u64 ns)
{
    struct io *io = q->feed->io;
    q->deadline_ns = io_now_ns(io) + ns;
    if (q->timer.state != COMPLETION_PENDING) io_timeout(io, ns, &q->timer);
}

static bool late(struct question *q)
{
    u64 now = io_now_ns(q->feed->io);
    if (now >= q->deadline_ns) return true;
    if (q->timer.state != COMPLETION_PENDING) io_timeout(q->feed->io, q->deadline_ns - now, &q->timer);
    return false;
}

static bool begins(struct question *q)
{
    struct feed *f = q->feed;
    struct store_stats stats;
    if (!q->txn && !(q->txn = txn_create(f->store))) return false;
    if (txn_begin_read(q->txn, &q->op) != IO_DONE) return false;
    txn_position_get(q->txn, &q->target);
    q->place = (struct backup_place){0};
    if (q->backup) backup_place_get(q->backup, &q->place);
    store_stats_get(f->store, &stats);
    q->page = malloc(stats.page_size);
    if (!q->page) return false;
    if (q->known) {
        err_code code = store_pages_changed(f->store, q->from_lsn, q->target.lsn, &q->pages, &q->page_total);
        if (code == ERR_NOMEM) return false;
        q->known = code == ERR_OK;
        if (q->known && !q->pages) q->page_total = 0;
    }
    if (!q->known) {
        q->page_total = q->target.page_count;
        f->stats.whole++;
    }
    if (q->known || q->page_size != stats.page_size) q->sum_count = 0;
    q->page_next = q->part = q->asked = q->group_first = q->slice = 0;
    return true;
}

static bool writer_begin(struct question *q)
{
    struct store_stats stats;
    store_stats_get(q->feed->store, &stats);
    struct segment_header h = {.lineage = q->place.lineage, .epoch = q->place.epoch, .tx_min = q->place.tx + 1,
                               .tx_max = q->place.tx + 1, .time_min_ms = io_wall_ms(q->feed->io), .page_size = stats.page_size,
                               .page_count = q->target.page_count, .sum_before = q->place.sum,
                               .wal_salt = {q->target.wal_salt[0], q->target.wal_salt[1]}, .wal_frame = q->target.wal_frame};
    h.time_max_ms = h.time_min_ms;
    memcpy(h.database_id, q->place.database_id, sizeof h.database_id);
    memcpy(h.parent, q->place.hash, sizeof h.parent);
    q->writer_open = true;
    q->part_first = q->page_next;
    q->same = 0;
    return segment_writer_begin(&q->writer, &h, NULL, ZSTD_LEVEL) == ERR_OK;
}

static void part_send(struct question *q)
{
    struct feed *f = q->feed;
    u8 hash[SEGMENT_HASH_SIZE];
    char lines[300], more[60] = "";
    if (segment_writer_finish(&q->writer, hash) != ERR_OK) {
        question_fail(q, 503, "out of memory");
        return;
    }
    bool last = q->page_next == q->page_total;
    q->part++;
    if (!last) snprintf(more, sizeof more, "X-Skerry-More: %016llx\r\n", (unsigned long long)q->id);
    const struct store_position *t = &q->target;
    snprintf(lines, sizeof lines, "X-Skerry-Position: %016llx %llu %u %u %u %u %u %llu %u\r\n%s", (unsigned long long)f->instance,
             (unsigned long long)t->lsn, t->wal_salt[0], t->wal_salt[1], t->wal_frame, t->wal_sum[0], t->wal_sum[1],
             (unsigned long long)q->place.sole_epoch, q->place.sole_by_start, more);
    f->stats.answers++;
    f->stats.bytes += q->writer.size;
    struct http_exchange *x = q->x;
    q->x = NULL;
    http_reply_headers(x, 200, "application/octet-stream", lines, q->writer.bytes, q->writer.size, q->writer.size);
    segment_writer_deinit(&q->writer);
    q->writer_open = false;
    if (last) holder_set(f, q->follower, q->target.lsn);
    if (last && q->part == 1) {
        question_end(q);
        return;
    }
    q->state = QUESTION_KEPT;
    deadline_set(q, KEPT_NS);
}

static void prefetch(struct question *q, u32 index)
{
    pgno pages[AHEAD];
    u32 count = 0;
    if (index < q->asked) return;
    for (; count < AHEAD && index + count < q->page_total; count++)
        pages[count] = q->pages ? q->pages[index + count] : index + count + 1;
    q->asked = index + count;
    txn_pages_prefetch(q->txn, pages, count);
}

static io_status yield(struct question *q)
{
    if (q->turn.state != COMPLETION_PENDING) completion_post(q->feed->io, &q->turn, 0);
    return IO_WAIT;
}

static bool group_begins(const struct question *q, pgno no)
{
    return q->sum_count && (no - 1) % q->group == 0 && (no - 1) / q->group < q->sum_count && no + q->group - 1 <= q->page_total;
}

// Are the pages of the group that begins there what the replica has?
static io_status group_compare(struct question *q, pgno first, bool *same)
{
    u32 page_size = q->writer.header.page_size;
    if (q->group_first != first) {
        q->group_first = q->group_next = first;
        q->group_sum = 0;
    }
    for (; q->group_next < first + q->group; q->group_next++) {
        if (q->group_next == segment_lock_page(page_size)) continue;
        if (++q->slice >= SLICE) {
            q->slice = 0;
            return yield(q);
        }
        prefetch(q, q->group_next - 1);
        IO_TRY(txn_page_copy(q->txn, &q->op, q->group_next, q->page));
        q->group_sum ^= segment_page_sum(q->group_next, q->page, page_size);
    }
    *same = q->group_sum == q->sums[(first - 1) / q->group];
    return IO_DONE;
}

static bool part_full(const struct question *q)
{
    u64 part_size = q->feed->part_size;
    return segment_writer_raw_size(&q->writer) >= part_size || (u64)q->same * q->writer.header.page_size >= COMPARED_MAX * part_size;
}

static io_status fill(struct question *q)
{
    u32 blocks;
    if (!q->writer_open && !writer_begin(q)) return IO_FAIL;
    blocks = q->writer.blocks.count;
    while (q->page_next < q->page_total && !part_full(q)) {
        pgno no = q->pages ? q->pages[q->page_next] : q->page_next + 1;
        bool same = false;
        if (group_begins(q, no)) IO_TRY(group_compare(q, no, &same));
        if (same) {
            q->page_next += q->group;
            q->same += q->group;
            continue;
        }
        if (no > q->target.page_count || no == segment_lock_page(q->writer.header.page_size)) {
            q->page_next++;
            continue;
        }
        prefetch(q, q->page_next);
        IO_TRY(txn_page_copy(q->txn, &q->op, no, q->page));
        if (segment_writer_page(&q->writer, no, q->page) != ERR_OK) return IO_FAIL;
        q->page_next++;
        if (q->writer.blocks.count != blocks) return yield(q); // a block a turn of the loop
    }
    return IO_DONE;
}

// Who asked for a later part may ask for it again.
static void part_keep(struct question *q)
{
    http_reply(q->x, 503, "text/plain", "", 0);
    if (q->writer_open) segment_writer_deinit(&q->writer);
    waiter_remove(&q->op.waiter);
    q->writer_open = q->gone = false;
    q->x = NULL;
    q->page_next = q->part_first;
    q->state = QUESTION_KEPT;
    deadline_set(q, KEPT_NS);
}

static void question_run(struct question *q)
{
    struct feed *f = q->feed;
    struct store_position now;
    if (q->gone && q->x && q->state == QUESTION_FILLS && q->part) {
        part_keep(q);
        return;
    }
    if (q->gone) {
        question_fail(q, 503, "");
        return;
    }
    switch (q->state) {
    case QUESTION_FREE: return;
    case QUESTION_KEPT:
        if (late(q)) question_end(q);
        return;
    case QUESTION_WAITS:
        store_position_get(f->store, &now, &q->on_commit);
        if (q->known && now.lsn <= q->from_lsn) {
            if (!late(q)) return;
            http_reply(q->x, 204, "text/plain", "", 0);
            q->x = NULL;
            holder_set(f, q->follower, q->from_lsn);
            question_end(q);
            return;
        }
        waiter_remove(&q->on_commit);
        q->state = QUESTION_BEGINS;
        // fall through
    case QUESTION_BEGINS:
        if (!begins(q)) {
            question_fail(q, 503, "out of memory");
            return;
        }
        q->state = QUESTION_FILLS;
        // fall through
    case QUESTION_FILLS: {
        io_status status = fill(q);
        if (status == IO_WAIT) return;
        if (status == IO_DONE)
            part_send(q);
        else
            question_fail(q, 503, q->op.err.text[0] ? q->op.err.text : "out of memory");
        return;
    }
    }
}

// ---- requests
// ----------------------------------------------------------------------------------------------

static u64 query_number(const char *query, const char *name, int base)
{
    size_t size = strlen(name);
    for (const char *p = query; p && *p; p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL)
        if (strncmp(p, name, size) == 0 && p[size] == '=') return strtoull(p + size + 1, NULL, base);
    return 0;
}

// The place in the log, of an earlier opening of the database; and it must be what was there then.
static bool position_find(struct feed *f, const char *query, u64 *lsn)
{
    struct store_position found;
    u32 salts[2] = {(u32)query_number(query, "salt1", 10), (u32)query_number(query, "salt2", 10)};
    u32 sums[2] = {(u32)query_number(query, "sum1", 10), (u32)query_number(query, "sum2", 10)};
    if (!store_position_find(f->store, salts, (u32)query_number(query, "frame", 10), &found)) return false;
    *lsn = found.lsn;
    return found.wal_sum[0] == sums[0] && found.wal_sum[1] == sums[1];
}

bool feed_takes(const char *path)
{
    return strncmp(path, "/replica/", 9) == 0;
}

static void more_handle(struct feed *f, struct http_exchange *x)
{
    u64 id = query_number(http_query(x), "id", 16), part = query_number(http_query(x), "part", 10);
    for (u32 i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &f->questions[i];
        if (q->state != QUESTION_KEPT || q->id != id) continue;
        bool again = q->part == part + 1;
        if (!again && (q->part != part || q->page_next == q->page_total)) break;
        if (again) q->page_next = q->part_first;
        q->part = part;
        q->x = x;
        q->state = QUESTION_FILLS;
        http_on_gone(x, on_gone, q);
        if (q->follower && q->known) holder_set(f, q->follower, q->from_lsn);
        question_run(q);
        return;
    }
    static const char GONE[] = "that state is not kept any more: begin again";
    http_reply(x, 410, "text/plain", GONE, sizeof GONE - 1);
}

// Sums that are not understood are as none: all pages are sent.
static void sums_take(struct question *q, struct http_exchange *x)
{
    size_t size;
    const char *body = http_body(x, &size), *query = http_query(x);
    u64 group = query_number(query, "group", 10);
    q->sum_count = 0;
    q->page_size = (u32)query_number(query, "page_size", 10);
    if (!size || size % 8 || size / 8 > SUMS_MAX || !group || group > UINT32_MAX / SUMS_MAX || !(q->sums = malloc(size))) return;
    q->group = (u32)group;
    q->sum_count = (u32)(size / 8);
    for (u32 i = 0; i < q->sum_count; i++) q->sums[i] = be64_get((const u8 *)body + 8 * i);
}

void feed_handle(struct feed *f, struct http_exchange *x, const struct backup *backup)
{
    const char *query = http_query(x), *path = http_path(x);
    struct question *q = NULL;
    bool sums = strcmp(http_method(x), "POST") == 0 && strcmp(path, "/replica/pages") == 0;
    if (strcmp(http_method(x), "GET") != 0 && !sums) {
        http_reply(x, 405, "text/plain", "", 0);
        return;
    }
    if (strcmp(path, "/replica/more") == 0) {
        more_handle(f, x);
        return;
    }
    if (strcmp(path, "/replica/pages") != 0) {
        http_reply(x, 404, "text/plain", "", 0);
        return;
    }
    u64 follower = query_number(query, "follower", 16);
    // What it was sent in parts has arrived, or will not be asked for any more.
    for (u32 i = 0; i < QUESTIONS_MAX; i++)
        if (f->questions[i].state == QUESTION_KEPT && f->questions[i].follower == follower) question_end(&f->questions[i]);
    for (u32 i = 0; i < QUESTIONS_MAX && !q; i++) {
        struct question *o = &f->questions[i];
        if (o->state == QUESTION_FREE && o->timer.state != COMPLETION_PENDING && o->turn.state != COMPLETION_PENDING) q = o;
    }
    if (!q || f->stopping) {
        static const char FULL[] = "too many replicas ask at a time";
        http_reply(x, 503, "text/plain", FULL, sizeof FULL - 1);
        return;
    }
    struct store_position now;
    store_position_get(f->store, &now, NULL);
    q->x = x;
    q->state = QUESTION_WAITS;
    q->follower = follower;
    q->id = ++f->next_id ^ f->instance;
    q->from_lsn = query_number(query, "lsn", 10);
    q->known = query_number(query, "instance", 16) == f->instance && q->from_lsn <= now.lsn;
    if (!q->known) q->known = position_find(f, query, &q->from_lsn);
    q->sum_count = 0;
    if (sums) sums_take(q, x);
    q->backup = backup;
    err_clear(&q->op.err);
    http_on_gone(x, on_gone, q);
    if (q->known && q->follower) holder_set(f, q->follower, q->from_lsn);
    deadline_set(q, MIN(query_number(query, "wait_ms", 10), (u64)WAIT_MS_MAX) * 1000000);
    question_run(q);
}

// ---- from outside
// ---------------------------------------------------------------------------------------------

struct feed *feed_create(struct io *io, struct store *store, u32 part_size, struct err *err)
{
    struct feed *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    f->io = io;
    f->store = store;
    f->part_size = part_size ? part_size : PART_SIZE;
    do io_random(io, &f->instance, sizeof f->instance);
    while (!f->instance);
    completion_init(&f->sweep, on_sweep, f);
    for (u32 i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &f->questions[i];
        q->feed = f;
        op_init(&q->op, io, on_op);
        q->on_commit = (struct waiter){.wake = on_commit};
        completion_init(&q->timer, on_timer, q);
        completion_init(&q->turn, on_timer, q);
    }
    return f;
}

void feed_metrics(const struct feed *f, struct buffer *out)
{
    const struct {
        const char *name, *type, *help;
        u64 value;
    } ROWS[] = {
        {"feed_followers", "gauge", "Replicas that asked this node in the last 30 s.", f->stats.followers},
        {"feed_lag_frames", "gauge", "Frames of log that the replica furthest behind has not got.", f->stats.lag_frames},
        {"feed_answers_total", "counter", "Answers with pages, to replicas.", f->stats.answers},
        {"feed_bytes_total", "counter", "Bytes of these.", f->stats.bytes},
        {"feed_whole_total", "counter", "Times that a replica was sent all pages.", f->stats.whole},
    };
    for (u32 i = 0; i < COUNT_OF(ROWS); i++)
        buffer_format(out, "# HELP skerry_%s %s\n# TYPE skerry_%s %s\nskerry_%s %llu\n", ROWS[i].name, ROWS[i].help, ROWS[i].name,
                      ROWS[i].type, ROWS[i].name, (unsigned long long)ROWS[i].value);
}

static bool feed_busy(const struct feed *f)
{
    bool busy = f->sweep.state == COMPLETION_PENDING;
    for (u32 i = 0; i < QUESTIONS_MAX; i++)
        busy |= f->questions[i].timer.state == COMPLETION_PENDING || f->questions[i].turn.state == COMPLETION_PENDING;
    return busy;
}

void feed_stop(struct feed *f)
{
    f->stopping = true;
    for (u32 i = 0; i < QUESTIONS_MAX; i++)
        if (f->questions[i].state != QUESTION_FREE) question_fail(&f->questions[i], 503, "the node is being stopped");
    if (f->sweep.state == COMPLETION_PENDING) io_cancel(f->io, &f->sweep);
    store_hold_by(f->store, STORE_HOLD_REPLICAS, UINT64_MAX);
    while (feed_busy(f))
        if (io_step(f->io, 10000000) < 0) break;
}

void feed_destroy(struct feed *f)
{
    if (!f) return;
    for (u32 i = 0; i < QUESTIONS_MAX; i++) op_deinit(&f->questions[i].op);
    free(f);
}
