// Following a node: its answers are the pages that changed since a position in its log. (The node's side is
// node/feed.h, which has the protocol.)
#include "replica_private.h"
#include "restore.h"

#include <errno.h>
#include <sodium.h>

#define WAIT_MS       20000 // for news
#define IDLE_MS       30000
#define LAST_MS       3000 // before a promotion
#define PART_SIZE_MAX (64u << 20)
#define COPY_TRIES    5
#define PART_TRIES    10
#define PART_PAUSE_NS 500000000ull

// ---- a question
// ----------------------------------------------------------------------------------------------

static void ask_start(struct replica *r)
{
    const struct replica_position *p = &r->position;
    io_http_request_deinit(&r->request);
    struct completion done;
    completion_init(&done, r->request.done.callback, r->request.done.context);
    if (!r->more[0]) r->asked_last = r->ask_last;
    if (r->more[0])
        snprintf(r->ask_url, sizeof r->ask_url, "%s/replica/more?id=%s&part=%u", r->node_url, r->more, r->part);
    else
        snprintf(r->ask_url, sizeof r->ask_url,
                 "%s/replica/pages?follower=%016llx&instance=%016llx&lsn=%llu&salt1=%u&salt2=%u&frame=%u&sum1=%u&sum2=%u&wait_ms=%u", r->node_url,
                 (unsigned long long)r->follower, (unsigned long long)p->instance, (unsigned long long)p->lsn, p->wal_salt[0],
                 p->wal_salt[1], p->wal_frame, p->wal_sum[0], p->wal_sum[1], r->ask_last ? 0 : WAIT_MS);
    snprintf(r->ask_token, sizeof r->ask_token, "Bearer %.580s", r->options.token ? r->options.token : "");
    r->ask_headers[0] = (struct io_http_header){"Authorization", r->ask_token};
    r->request = (struct io_http_request){.method = "GET",
                                          .url = r->ask_url,
                                          .headers = r->ask_headers,
                                          .header_count = r->options.token && r->options.token[0] ? 1 : 0,
                                          .answer_size_max = PART_SIZE_MAX,
                                          .connect_timeout_ms = r->ask_last ? LAST_MS : 0,
                                          .idle_timeout_ms = r->ask_last ? LAST_MS : IDLE_MS,
                                          .ca_file = r->options.ca_file && r->options.ca_file[0] ? r->options.ca_file : NULL,
                                          .done = done};
    r->asked_ns = io_now_ns(r->io);
    io_http_start(r->options.http, &r->request);
}

// What came: 200 with a segment, or 204; position and more are taken from it.
static io_status ask_result(struct replica *r, struct err *err)
{
    struct io_http_request *q = &r->request;
    if (q->done.result < 0) return IO_ERROR(err, q->err.code, "%s", q->err.text);
    if (q->status == 204) return IO_DONE;
    if (q->status == 401 || q->status == 403)
        return IO_ERROR(err, ERR_STORE_DENIED, "%s does not take the token: name its --auth-token's file with --follow-token-file", r->node_url);
    if (q->status == 404 || q->status == 405)
        return IO_ERROR(err, ERR_STORE_UNAVAILABLE, "%s is no node that can be followed, or follows another itself", r->node_url);
    if (q->status != 200)
        return IO_ERROR(err, ERR_STORE_UNAVAILABLE, "%s answers %d: %.*s", r->node_url, q->status, (int)MIN(q->answer_size, 300u),
                        q->answer ? (char *)q->answer : "");
    const char *position = io_http_answer_header(q, "x-skerry-position"), *more = io_http_answer_header(q, "x-skerry-more");
    unsigned long long instance, lsn;
    struct replica_position *n = &r->next_position;
    if (!position || sscanf(position, "%16llx %llu %u %u %u %u %u", &instance, &lsn, &n->wal_salt[0], &n->wal_salt[1], &n->wal_frame,
                            &n->wal_sum[0], &n->wal_sum[1]) != 7)
        return IO_ERROR(err, ERR_STORE_CORRUPT, "%s does not say at which position it is", r->node_url);
    n->instance = instance;
    n->lsn = lsn;
    snprintf(r->more, sizeof r->more, "%s", more ? more : "");
    r->part++;
    r->part_tries = 0;
    r->status.bytes += q->answer_size;
    return IO_DONE;
}

// A later part whose answer was lost: what came before it stays.
static bool part_again(struct replica *r, struct err *err)
{
    bool refused = r->request.done.result >= 0;
    if (!r->more[0] || refused || !object_error_passes(err) || r->part_tries++ >= PART_TRIES) return false;
    replica_log(r, SYNC_LOG_INFO, "replica.part_again", "part %u: %s", r->part, err->text);
    err_clear(err);
    return true;
}

// What the node says that it has pushed.
static void pushed_take(struct replica *r, const struct segment_header *h)
{
    struct backup_mark *m = &r->next_mark;
    *m = (struct backup_mark){.tx = h->tx_max - 1, .lineage = h->lineage, .epoch = h->epoch, .sum = h->sum_before};
    memcpy(m->database_id, h->database_id, sizeof h->database_id);
    memcpy(m->hash, h->parent, SEGMENT_HASH_SIZE);
    r->goal.page_count = h->page_count;
    r->goal.time_ms = h->time_max_ms;
}

static void answered(struct replica *r)
{
    r->status.connected = true;
    r->status.error[0] = 0;
    r->attempt = 0;
}

// The node is done with: what the store has beyond it comes next, if there is one.
static void node_drained(struct replica *r)
{
    r->ask_last = false;
    r->exact = false;
    r->from_store = r->options.objects != NULL;
    r->step = r->from_store ? REPLICA_CHAIN : REPLICA_DRAINED;
}

// All of an answer is in the database.
static void arrived(struct replica *r)
{
    struct store_position now;
    replica_node_adopt(r);
    r->status.time_ms = r->goal.time_ms;
    r->status.newest_tx = r->mark.tx;
    r->status.current_ms = io_wall_ms(r->io);
    answered(r);
    r->ask = ASK_IDLE;
    r->step = REPLICA_ASK;
    if (r->drain && r->asked_last) node_drained(r);
    store_position_get(r->store, &now, NULL);
    if (now.lsn != r->before.lsn) return;
    // Nothing of it was new: no commit in the log says that it is at the next position.
    r->after_mark = r->step;
    r->step = REPLICA_MARK;
}

void replica_node_adopt(struct replica *r)
{
    r->position = r->next_position;
    r->mark = r->next_mark;
    r->part = 0;
}

io_status replica_ask(struct replica *r, struct err *err)
{
    switch (r->ask) {
    case ASK_IDLE:
        r->key = (struct segment_key){0};
        ask_start(r);
        r->ask = ASK_RUNNING;
        return IO_WAIT;
    case ASK_RUNNING:
        if (r->request.done.state != COMPLETION_DONE) return IO_WAIT;
        r->ask = ASK_ARRIVED;
        if (r->request.done.result == -ECANCELED && r->drain) { // it was waiting for news
            r->ask = ASK_IDLE;
            return IO_DONE;
        }
        io_status status = ask_result(r, err);
        if (status == IO_FAIL && !r->drain && part_again(r, err)) {
            r->ask = ASK_IDLE;
            r->not_before_ns = io_now_ns(r->io) + PART_PAUSE_NS;
            return IO_DONE;
        }
        if (status != IO_DONE || r->request.status == 204) {
            r->ask = ASK_IDLE;
            r->more[0] = 0;
            r->part = 0;
            if (status == IO_FAIL && r->drain && r->ask_last) { // a node that is gone is what promotions are for
                replica_log(r, SYNC_LOG_WARN, "replica.node_away", "%s", err->text);
                err_clear(err);
                replica_apply_abandon(r);
                node_drained(r);
                return IO_DONE;
            }
            if (status != IO_DONE) return status;
            answered(r);
            r->status.current_ms = io_wall_ms(r->io);
            if (r->drain && r->asked_last) node_drained(r);
            return IO_DONE;
        }
        if (!replica_apply_open(r, r->request.answer, r->request.answer_size, r->node_url, err)) {
            r->ask = ASK_IDLE;
            return IO_FAIL;
        }
        pushed_take(r, &r->reader.index.header);
        return IO_DONE;
    case ASK_ARRIVED:
        IO_TRY(replica_apply_object(r, r->request.answer, r->request.answer_size, r->node_url, err));
        r->ask = r->more[0] ? ASK_IDLE : ASK_FINISH;
        return IO_DONE;
    case ASK_FINISH:
        IO_TRY(replica_apply_finish(r, false, false, err));
        r->ask = ASK_COMMIT;
        r->after_mark = REPLICA_ASK;
        r->step = REPLICA_MARK;
        return IO_DONE;
    case ASK_COMMIT:
        IO_TRY(replica_apply_finish(r, false, true, err));
        arrived(r);
        return IO_DONE;
    }
    return IO_WAIT;
}

// ---- the whole database, before it is opened
// -----------------------------------------------------------------------------------------------

static s64 await(struct replica *r, struct completion *c)
{
    while (c->state == COMPLETION_PENDING)
        if (io_step(r->io, 1000000000) < 0) break;
    return c->state == COMPLETION_PENDING ? -EIO : c->result;
}

static bool file_exists(struct replica *r, const char *path)
{
    u64 size, modified_ns;
    return backup_file_identity(r->io, path, &size, &modified_ns);
}

static void file_unlink(struct replica *r, const char *path)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_path_unlink(r->io, path, &c);
    (void)await(r, &c);
}

// Durably.
static s64 file_rename(struct replica *r, const char *from, const char *to)
{
    struct completion c;
    char folder[4200];
    io_path_folder(to, folder, sizeof folder);
    completion_init(&c, NULL, NULL);
    io_path_rename(r->io, from, to, &c);
    s64 result = await(r, &c);
    if (result < 0) return result;
    completion_init(&c, NULL, NULL);
    io_path_sync_dir(r->io, folder, &c);
    return await(r, &c);
}

static bool part_write(struct replica *r, struct io_file **file, struct err *err)
{
    u32 page;
    const u8 *data;
    const struct store_key *key = r->options.database_key;
    bool seals = key && key->kind != STORE_KEY_NONE;
    if (!replica_apply_open(r, r->request.answer, r->request.answer_size, r->node_url, err)) return false;
    const struct segment_header *h = &r->reader.index.header;
    pushed_take(r, h);
    if (!r->page_size && seals) {
        struct io_file *sealed = store_sealed_file(*file, h->page_size, key, err);
        if (sealed) *file = sealed;
    }
    if (r->page_size && r->page_size != h->page_size) err_set(err, ERR_STORE_CORRUPT, __func__, "%s changes its page size midway", r->node_url);
    r->page_size = h->page_size;
    while (err->code == ERR_OK && segment_reader_next(&r->reader, &page, &data, err)) {
        struct completion c;
        if (page == 1 && !restore_seal_fits(data, seals, err)) break;
        r->copied += r->copied + 1 == segment_lock_page(r->page_size); // which has nothing
        if (page != ++r->copied) {
            err_set(err, ERR_STORE_CORRUPT, __func__, "%s sends page %u where %u would follow", r->node_url, page, r->copied);
            break;
        }
        completion_init(&c, NULL, NULL);
        io_file_write(*file, data, r->page_size, (u64)(page - 1) * r->page_size, &c);
        s64 result = await(r, &c);
        if (result < 0)
            err_set_errno(err, result == -ENOSPC ? ERR_FULL : ERR_IOERR_WRITE, (int)-result, __func__, "%s cannot be written: %s", r->path,
                          strerror((int)-result));
    }
    segment_reader_deinit(&r->reader);
    r->reader_open = false;
    return err->code == ERR_OK;
}

static void pause_ns(struct replica *r, u64 ns)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_timeout(r->io, ns, &c);
    (void)await(r, &c);
}

static bool copy_parts(struct replica *r, struct io_file **file, struct err *err)
{
    r->more[0] = 0;
    r->part = r->page_size = r->copied = 0;
    r->position = (struct replica_position){0};
    do {
        ask_start(r);
        while (r->request.done.state != COMPLETION_DONE) io_step(r->io, 1000000000);
        if (ask_result(r, err) != IO_DONE) {
            if (!part_again(r, err)) return false;
            pause_ns(r, PART_PAUSE_NS);
            continue;
        }
        if (r->request.status != 200) { // nothing is there to be sent
            err_set(err, ERR_STORE_UNAVAILABLE, __func__, "%s sends no pages", r->node_url);
            return false;
        }
        if (!part_write(r, file, err)) return false;
    } while (r->more[0]);
    u32 last = r->goal.page_count - (r->goal.page_count == segment_lock_page(r->page_size));
    if (r->copied != last) {
        err_set(err, ERR_STORE_CORRUPT, __func__, "%s sends %u pages of %u", r->node_url, r->copied, r->goal.page_count);
        return false;
    }
    replica_node_adopt(r);
    return true;
}

// All of it into a file of its own, which is durable then.
static bool copy_try(struct replica *r, const char *path, struct err *err)
{
    struct io_file *file;
    struct completion c;
    file_unlink(r, path);
    completion_init(&c, NULL, NULL);
    io_file_open(r->io, path, IO_OPEN_WRITE | IO_OPEN_CREATE, &file, &c);
    s64 result = await(r, &c);
    if (result < 0) {
        err_set_errno(err, ERR_CANTOPEN, (int)-result, __func__, "%s cannot be made: %s", path, strerror((int)-result));
        return false;
    }
    bool good = copy_parts(r, &file, err);
    if (good) {
        completion_init(&c, NULL, NULL);
        io_file_truncate(file, (u64)r->goal.page_count * r->page_size, &c);
        result = await(r, &c);
        if (result >= 0) {
            completion_init(&c, NULL, NULL);
            io_file_sync(file, IO_SYNC_FULL, &c);
            result = await(r, &c);
        }
        if (result < 0) err_set_errno(err, ERR_IOERR_WRITE, (int)-result, __func__, "%s cannot be written: %s", path, strerror((int)-result));
    }
    completion_init(&c, NULL, NULL);
    io_file_close(file, &c);
    await(r, &c);
    return good && result >= 0;
}

static bool copy_database(struct replica *r, struct err *err)
{
    char temporary[4200], wal[4200], state[4200];
    u8 bytes[REPLICA_PLACE_SIZE];
    snprintf(temporary, sizeof temporary, "%s.following", r->path);
    snprintf(wal, sizeof wal, "%s-wal", r->path);
    snprintf(state, sizeof state, "%s-replica", r->path);
    if (file_exists(r, wal)) {
        err_set(err, ERR_CANTOPEN, __func__, "%s is there, left of another database; move it away", wal);
        return false;
    }
    bool good = false;
    for (u32 i = 0; i < COPY_TRIES && !good; i++) {
        if (i) pause_ns(r, 1000000000);
        err_clear(err);
        good = copy_try(r, temporary, err);
        if (!good && !object_error_passes(err)) break;
    }
    // The position first: without the database it is not looked at.
    if (good) {
        r->place = (struct replica_place){.clean = true};
        r->file_is_clean = backup_file_identity(r->io, temporary, &r->place.file_size, &r->place.file_modified_ns);
        replica_place_encode(r, bytes);
        s64 result = backup_file_write(r->io, state, bytes, sizeof bytes) ? file_rename(r, temporary, r->path) : -EIO;
        good = result >= 0;
        if (!good) err_set(err, ERR_IOERR_WRITE, __func__, "%s cannot be given its name: %s", temporary, strerror((int)-result));
    }
    if (!good) file_unlink(r, temporary);
    if (good) replica_log(r, SYNC_LOG_INFO, "replica.copied", "%u pages from %s", r->goal.page_count, r->node_url);
    r->options.database_key = NULL;
    return good;
}

bool replica_node_begin(struct replica *r, struct err *err)
{
    char state[4200];
    size_t size = 0, length = (size_t)snprintf(r->node_url, sizeof r->node_url, "%s", r->options.node);
    while (length && r->node_url[MIN(length, sizeof r->node_url - 1) - 1] == '/') r->node_url[--length] = 0;
    io_random(r->io, &r->follower, sizeof r->follower);
    snprintf(state, sizeof state, "%s-replica", r->path);
    if (!file_exists(r, r->path)) return copy_database(r, err);
    u8 *bytes = backup_file_read(r->io, state, &size);
    if (!bytes) {
        err_set(err, ERR_STORE_FOREIGN, __func__, "%s is no replica of a node, and what it has would be lost: move it away, and start again", r->path);
        return false;
    }
    replica_place_decode(r, bytes, size);
    free(bytes);
    return true;
}
