#include "follower.h"
#include "log.h"

#define CLAIM_NS_MAX 60000000000ull
#define CATCH_UP_NS  3000000000ull // before the backup's epoch is claimed, by which a writer that is alive is stopped

struct follower {
    struct follower_options options;
    struct replica *replica;
    struct store *store;
    char refusal[2300];
    enum { FOLLOWER_FOLLOWS, FOLLOWER_DRAINS, FOLLOWER_CLAIMS, FOLLOWER_WRITES } state;
    struct http_exchange *exchange; // the promotion's
    struct completion drained;
    struct err err;
    struct backup *backup;
    u64 epoch_claimed; // by the promotion under way
    u64 deadline_ns;
};

struct follower *follower_create(const struct follower_options *options, struct err *err)
{
    struct follower *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    f->options = *options;
    completion_init(&f->drained, NULL, NULL);
    const struct replica_options *r = &options->replica;
    if (r->node)
        snprintf(f->refusal, sizeof f->refusal, "attempt to write a readonly database: this node is a replica; write to %s", r->node);
    else
        snprintf(f->refusal, sizeof f->refusal,
                 "attempt to write a readonly database: this node is a replica; write to the node whose store is %s",
                 object_store_url(r->objects));
    f->replica = replica_create(r, err);
    if (f->replica) return f;
    free(f);
    return NULL;
}

void follower_start(struct follower *f, struct store *store)
{
    f->store = store;
    store_refuse_writes(store, ERR_READONLY, f->refusal);
    replica_start(f->replica, store);
}

// ---- promotion
// -----------------------------------------------------------------------------------------------

static void reply_error(struct follower *f, int status, const char *text)
{
    struct buffer out = {0};
    buffer_text(&out, "{\"error\":");
    buffer_json_string(&out, text, strlen(text));
    buffer_text(&out, "}\n");
    if (f->exchange) http_reply(f->exchange, status, "application/json", out.bytes, out.size);
    f->exchange = NULL;
    buffer_deinit(&out);
}

// What went wrong, and what to do when nobody writes since.
static void reply_failed(struct follower *f, int status, const char *text)
{
    char all[ERR_TEXT_MAX + 300];
    snprintf(all, sizeof all,
             f->epoch_claimed ? "%s; the earlier writer has been told to stop, so nobody writes now: run skerry promote again, here or at "
                                "another replica, as soon as the store answers"
                              : "%s",
             text);
    char quoted[2 * sizeof all];
    log_event(LOG_ERROR, "replica.promote_failed", "msg=%s", log_quote(all, quoted, sizeof quoted));
    reply_error(f, status, all);
}

static void drain_begin(struct follower *f)
{
    completion_init(&f->drained, NULL, NULL);
    replica_drain(f->replica, f->epoch_claimed ? UINT64_MAX : io_now_ns(f->options.replica.io) + CATCH_UP_NS, &f->drained, &f->err);
}

void follower_promote(struct follower *f, struct http_exchange *x)
{
    struct http_exchange *other = f->exchange;
    if (f->state != FOLLOWER_FOLLOWS) {
        f->exchange = x;
        reply_error(f, 409, "a promotion is under way");
        f->exchange = other;
        return;
    }
    log_event(LOG_INFO, "replica.promote", "msg=\"becoming the writer\"");
    f->exchange = x;
    f->state = FOLLOWER_DRAINS;
    f->epoch_claimed = 0;
    f->deadline_ns = io_now_ns(f->options.replica.io) + CLAIM_NS_MAX;
    err_clear(&f->err);
    drain_begin(f);
}

static void backup_end(struct follower *f)
{
    struct io *io = f->options.replica.io;
    struct completion done;
    if (!f->backup) return;
    completion_init(&done, NULL, NULL);
    backup_stop(f->backup, io_now_ns(io), &done);
    while (done.state != COMPLETION_DONE)
        if (io_step(io, 100000000) < 0) break;
    backup_destroy(f->backup);
    f->backup = NULL;
}

// It stays a replica.
static void promotion_failed(struct follower *f, int status, const char *text)
{
    reply_failed(f, status, text);
    backup_end(f);
    if (f->state == FOLLOWER_CLAIMS) replica_resume(f->replica);
    f->state = FOLLOWER_FOLLOWS;
}

static void claim_begin(struct follower *f)
{
    struct err err = ERR_CLEAR;
    struct store_position at;
    f->state = FOLLOWER_CLAIMS;
    store_position_get(f->store, &at, NULL);
    if (!at.page_count) { // and who has something would be told to stop
        promotion_failed(f, 409, "nothing has come to this replica yet: there is nothing that it could go on with");
        return;
    }
    if (!replica_settle(f->replica, &err) || !f->options.backup_create(f->options.context, f->epoch_claimed, &f->backup, &err)) {
        promotion_failed(f, 500, err.text);
        return;
    }
    if (f->backup)
        backup_start(f->backup, f->store);
    else
        f->state = FOLLOWER_WRITES;
}

static void claim_run(struct follower *f)
{
    struct backup_status s;
    backup_status_get(f->backup, &s);
    if (s.epoch_claimed && s.epoch_claimed != f->epoch_claimed)
        log_event(LOG_INFO, "replica.claimed", "epoch=%llu msg=\"the earlier writer is told to stop\"", (unsigned long long)s.epoch_claimed);
    f->epoch_claimed = MAX(f->epoch_claimed, s.epoch_claimed);
    if (s.claimed) {
        f->state = FOLLOWER_WRITES;
        return;
    }
    bool late = io_now_ns(f->options.replica.io) > f->deadline_ns;
    if (s.behind && !late) { // the writer is alive, and has pushed meanwhile
        backup_end(f);
        replica_resume(f->replica);
        f->state = FOLLOWER_DRAINS;
        drain_begin(f);
    } else if (s.state == BACKUP_REFUSED) {
        promotion_failed(f, 409, s.error);
    } else if (late) {
        promotion_failed(f, 503, s.error[0] ? s.error : "the store did not answer in time");
    }
}

bool follower_turn(struct follower *f, struct backup **backup)
{
    if (f->state == FOLLOWER_DRAINS && f->drained.state == COMPLETION_DONE) {
        if (f->drained.result < 0)
            promotion_failed(f, 503, f->err.text[0] ? f->err.text : "what is to be followed could not be asked for its newest state");
        else
            claim_begin(f);
    }
    if (f->state == FOLLOWER_CLAIMS) claim_run(f);
    if (f->state != FOLLOWER_WRITES) return false;
    struct replica_status s;
    replica_status_get(f->replica, &s);
    log_event(LOG_INFO, "replica.promoted", "tx=%llu", (unsigned long long)s.tx);
    store_refuse_writes(f->store, ERR_OK, NULL);
    static const char TEXT[] = "{\"promoted\":true}\n";
    if (f->exchange) http_reply(f->exchange, 200, "application/json", TEXT, sizeof TEXT - 1);
    f->exchange = NULL;
    *backup = f->backup;
    f->backup = NULL;
    return true;
}

// ---- what people see
// -----------------------------------------------------------------------------------------

static double lag_seconds(const struct follower *f, const struct replica_status *s)
{
    s64 since = s->current_ms ? s->current_ms : s->time_ms;
    s64 now = io_wall_ms(f->options.replica.io);
    return since && now > since ? (double)(now - since) / 1000 : 0;
}

void follower_health(const struct follower *f, struct buffer *out)
{
    struct replica_status s;
    replica_status_get(f->replica, &s);
    const struct replica_options *r = &f->options.replica;
    const char *source = r->node ? r->node : object_store_url(r->objects);
    buffer_text(out, ",\"replica\":{\"follows\":");
    buffer_json_string(out, source, strlen(source));
    buffer_format(out, ",\"state\":\"%s\",\"tx\":%llu,\"newest_tx\":%llu,\"lag_seconds\":%.3f,\"current\":%s",
                  s.failed ? "failed" : f->state != FOLLOWER_FOLLOWS ? "promoting" : s.connected ? "following" : "disconnected",
                  (unsigned long long)s.tx, (unsigned long long)MAX(s.tx, s.newest_tx), lag_seconds(f, &s),
                  s.current_ms ? "true" : "false");
    if (s.error[0]) {
        buffer_text(out, ",\"error\":");
        buffer_json_string(out, s.error, strlen(s.error));
    }
    buffer_text(out, "}");
}

void follower_metrics(const struct follower *f, struct buffer *out)
{
    struct replica_status s;
    replica_status_get(f->replica, &s);
    const struct {
        const char *name, *type, *help;
        double value;
    } ROWS[] = {
        {"replica_connected", "gauge", "1 when what is followed answered when it was asked last.", s.connected},
        {"replica_failed", "gauge", "1 when the replica needs a person.", s.failed},
        {"replica_lag_seconds", "gauge", "Time since this replica had everything that was there.", lag_seconds(f, &s)},
        {"replica_transaction", "gauge", "Newest push of the store that is here.", (double)s.tx},
        {"replica_applied_total", "counter", "Transactions applied.", (double)s.applied},
        {"replica_pages_total", "counter", "Pages that they changed.", (double)s.pages},
        {"replica_received_bytes_total", "counter", "Bytes of segments received.", (double)s.bytes},
    };
    for (u32 i = 0; i < COUNT_OF(ROWS); i++)
        buffer_format(out, "# HELP skerry_%s %s\n# TYPE skerry_%s %s\nskerry_%s %.17g\n", ROWS[i].name, ROWS[i].help, ROWS[i].name,
                      ROWS[i].type, ROWS[i].name, ROWS[i].value);
}

// ---- the end
// ------------------------------------------------------------------------------------------------

void follower_stop(struct follower *f)
{
    if (f->state != FOLLOWER_FOLLOWS && f->state != FOLLOWER_WRITES) reply_failed(f, 503, "the node is being stopped");
    backup_end(f);
    replica_stop(f->replica);
}

void follower_destroy(struct follower *f)
{
    if (!f) return;
    replica_destroy(f->replica);
    free(f);
}
