// Following a node: its answers are the pages that changed since a position in its log. (The node's side is
// node/feed.h, which has the protocol.)
#include "replica_private.h"

#include <errno.h>
#include <sodium.h>

#define WAIT_MS       20000 // for news
#define IDLE_MS       30000
#define LAST_MS       3000 // before a promotion
#define PART_SIZE_MAX (64u << 20)
#define PART_TRIES    10

// ---- a question
// ----------------------------------------------------------------------------------------------

void replica_ask_start(struct replica *r)
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
    bool sums = !r->more[0] && r->copy.sum_count;
    if (sums) {
        size_t used = strlen(r->ask_url);
        snprintf(r->ask_url + used, sizeof r->ask_url - used, "&page_size=%u&group=%u", r->copy.page_size, r->copy.group);
    }
    snprintf(r->ask_token, sizeof r->ask_token, "Bearer %.580s", r->options.token ? r->options.token : "");
    r->ask_headers[0] = (struct io_http_header){"Authorization", r->ask_token};
    r->request = (struct io_http_request){.method = sums ? "POST" : "GET",
                                          .body = sums ? r->copy.sums : NULL,
                                          .body_size = sums ? 8ul * r->copy.sum_count : 0,
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
io_status replica_ask_result(struct replica *r, struct err *err)
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
    unsigned long long instance, lsn, sole_epoch;
    unsigned by_start;
    struct replica_position *n = &r->next_position;
    if (!position || sscanf(position, "%16llx %llu %u %u %u %u %u %llu %u", &instance, &lsn, &n->wal_salt[0], &n->wal_salt[1], &n->wal_frame,
                            &n->wal_sum[0], &n->wal_sum[1], &sole_epoch, &by_start) != 9)
        return IO_ERROR(err, ERR_STORE_CORRUPT, "%s does not say at which position it is", r->node_url);
    n->instance = instance;
    n->lsn = lsn;
    n->sole_epoch = sole_epoch;
    n->sole_by_start = by_start != 0;
    snprintf(r->more, sizeof r->more, "%s", more ? more : "");
    r->part++;
    r->part_tries = 0;
    r->status.bytes += q->answer_size;
    return IO_DONE;
}

// A later part whose answer was lost: what came before it stays.
bool replica_part_again(struct replica *r, struct err *err)
{
    bool refused = r->request.done.result >= 0;
    if (!r->more[0] || refused || !object_error_passes(err) || r->part_tries++ >= PART_TRIES) return false;
    replica_log(r, SYNC_LOG_INFO, "replica.part_again", "part %u: %s", r->part, err->text);
    err_clear(err);
    return true;
}

// What the node says that it has pushed.
void replica_pushed_take(struct replica *r, const struct segment_header *h)
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
        replica_ask_start(r);
        r->ask = ASK_RUNNING;
        return IO_WAIT;
    case ASK_RUNNING:
        if (r->request.done.state != COMPLETION_DONE) return IO_WAIT;
        r->ask = ASK_ARRIVED;
        if (r->request.done.result == -ECANCELED && r->drain) { // it was waiting for news
            r->ask = ASK_IDLE;
            return IO_DONE;
        }
        io_status status = replica_ask_result(r, err);
        if (status == IO_FAIL && !r->drain && replica_part_again(r, err)) {
            r->ask = ASK_IDLE;
            r->not_before_ns = io_now_ns(r->io) + REPLICA_PART_PAUSE_NS;
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
        replica_pushed_take(r, &r->reader.index.header);
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

// ---- the start
// -----------------------------------------------------------------------------------------------

bool replica_node_begin(struct replica *r, struct err *err)
{
    char state[4200];
    size_t size = 0, length = (size_t)snprintf(r->node_url, sizeof r->node_url, "%s", r->options.node);
    while (length && r->node_url[MIN(length, sizeof r->node_url - 1) - 1] == '/') r->node_url[--length] = 0;
    io_random(r->io, &r->follower, sizeof r->follower);
    snprintf(state, sizeof state, "%s-replica", r->path);
    u64 size_there, modified_ns;
    if (!backup_file_identity(r->io, r->path, &size_there, &modified_ns)) return replica_copy_database(r, err);
    u8 *bytes = backup_file_read(r->io, state, &size);
    if (!bytes) {
        err_set(err, ERR_STORE_FOREIGN, __func__, "%s is no replica of a node, and what it has would be lost: move it away, and start again", r->path);
        return false;
    }
    replica_place_decode(r, bytes, size);
    free(bytes);
    return true;
}
