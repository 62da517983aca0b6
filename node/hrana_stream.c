#include "hrana_internal.h"

#define SESSIONS_IDLE 64

// ---- sessions
// -------------------------------------------------------------------------------------------

void hrana_stop_check(struct hrana *h)
{
    if (!h->stop_done || h->closing) return;
    struct completion *done = h->stop_done;
    h->stop_done = NULL;
    completion_post(h->options.io, done, 0);
}

static void closing_wake(void *context)
{
    struct hrana *h = context;
    for (struct session **at = &h->closing; *at;) {
        struct session *s = *at, *next = s->next;
        if (session_close(s) == SKERRY_WAIT) {
            at = &s->next;
            continue;
        }
        *at = next;
        h->stats.sessions--;
    }
    hrana_stop_check(h);
}

void hrana_session_discard(struct hrana *h, struct session *s)
{
    s->wake = closing_wake;
    s->context = h;
    if (session_close(s) == SKERRY_WAIT) {
        s->next = h->closing;
        h->closing = s;
    } else {
        h->stats.sessions--;
    }
}

static void session_give_back(struct hrana *h, struct session *s)
{
    if (session_clear(s) && h->idle_count < SESSIONS_IDLE && !h->stopping) {
        s->next = h->idle;
        h->idle = s;
        h->idle_count++;
    } else {
        hrana_session_discard(h, s);
    }
}

static struct session *session_take(struct hrana *h, struct err *err)
{
    struct session *s = h->idle;
    if (s) {
        h->idle = s->next;
        h->idle_count--;
        return s;
    }
    s = session_open(h->options.engine, h->options.path, h->options.busy_timeout_ms, err);
    if (!s) return NULL;
    h->stats.sessions++;
    skerry_limit(s->db, SKERRY_LIMIT_STATEMENT_MS, (s64)h->options.statement_ms_max);
    return s;
}

// ---- streams and batons
// -----------------------------------------------------------------------------------

static void on_session_wake(void *context)
{
    struct stream *s = context;
    if (s->task) hrana_task_run(s->task);
}

static struct stream *hrana_stream_open(struct hrana *h, struct err *err)
{
    if (h->stats.streams >= h->options.streams_max) {
        err_set(err, ERR_LIMIT, __func__,
                "too many open streams (%u); close some, or raise --streams-max", h->stats.streams);
        return NULL;
    }
    struct stream *s = calloc(1, sizeof *s);
    struct session *session = s ? session_take(h, err) : NULL;
    if (!session) {
        free(s);
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    s->id = ++h->stream_next;
    s->session = session;
    session->wake = on_session_wake;
    session->context = s;
    struct stream **bucket = &h->buckets[s->id % STREAM_BUCKETS];
    s->next = *bucket;
    *bucket = s;
    h->stats.streams++;
    if (h->sweep.state != COMPLETION_PENDING) io_timeout(h->options.io, 1000000000, &h->sweep);
    return s;
}

static struct stream *stream_find(struct hrana *h, u64 id)
{
    struct stream *s = h->buckets[id % STREAM_BUCKETS];
    while (s && s->id != id) s = s->next;
    return s;
}

void hrana_stream_close(struct hrana *h, struct stream *s)
{
    struct stream **at = &h->buckets[s->id % STREAM_BUCKETS];
    while (*at != s) at = &(*at)->next;
    *at = s->next;
    for (struct sql_text *text = s->texts, *next; text; text = next) {
        next = text->next;
        free(text->sql);
        free(text);
    }
    session_give_back(h, s->session);
    free(s);
    h->stats.streams--;
}

static bool stream_is_plain(const struct stream *s)
{
    return skerry_autocommit(s->session->db) && !s->texts && !s->session->tainted;
}

// A baton: u64 id, u64 sequence, u8 plain, then their authenticator; base64url.
#define BATON_BODY 17
#define BATON_SIZE (BATON_BODY + crypto_auth_BYTES)

void hrana_baton_write(struct hrana *h, struct stream *s, struct buffer *out)
{
    u8 bytes[BATON_SIZE];
    char text[sodium_base64_ENCODED_LEN(BATON_SIZE, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    s->sequence++;
    be64_put(bytes, s->id);
    be64_put(bytes + 8, s->sequence);
    bytes[16] = stream_is_plain(s);
    crypto_auth(bytes + BATON_BODY, bytes, BATON_BODY, h->baton_key);
    sodium_bin2base64(text, sizeof text, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buffer_text(out, "\"");
    buffer_text(out, text);
    buffer_text(out, "\"");
}

void hrana_reply_text(struct http_exchange *x, int status, const char *text)
{
    http_reply(x, status, "text/plain", text, strlen(text));
}

void hrana_reply_expired(struct http_exchange *x)
{
    static const char EXPIRED[] =
        "{\"message\":\"The stream has expired due to inactivity; its transaction was rolled "
        "back\",\"code\":\"STREAM_EXPIRED\"}";
    http_reply(x, 400, "application/json", EXPIRED, sizeof EXPIRED - 1);
}

// A cursor's baton goes out before its rows: whoever stops reading at an error uses it while the
// cursor is still at work, and waits for it.
static bool stream_may_be_waited_for(const struct stream *s)
{
    return s->task->stream_begun && !s->waiting;
}

// The stream that a baton names, or a new one; NULL after having answered.
struct stream *hrana_stream_from_baton(struct hrana *h, struct http_exchange *x,
                                       const json_t *baton)
{
    struct err err = ERR_CLEAR;
    if (baton && !json_is_null(baton)) {
        u8 bytes[BATON_SIZE + 3];
        size_t size = json_string_length(baton), got = 0;
        if (!json_is_string(baton) || size > 2 * BATON_SIZE ||
            !base64_decode(json_string_value(baton), size, bytes, &got) || got != BATON_SIZE ||
            crypto_auth_verify(bytes + BATON_BODY, bytes, BATON_BODY, h->baton_key) != 0) {
            hrana_reply_text(
                x, 400, "Invalid baton: it is not one of this node's, or the node was restarted");
            return NULL;
        }
        struct stream *s = stream_find(h, be64_get(bytes));
        if (s && (s->sequence != be64_get(bytes + 8) ||
                  (s->task && !stream_may_be_waited_for(s)))) {
            hrana_reply_text(x, 400, "Invalid baton: it was used before");
            return NULL;
        }
        if (s) return s;
        if (!bytes[16]) {
            hrana_reply_expired(x);
            return NULL;
        }
    }
    struct stream *s = hrana_stream_open(h, &err);
    if (!s) {
        char body[ERR_TEXT_MAX + 20];
        int n = snprintf(body, sizeof body, "{\"error\":\"%s\"}", err.text);
        http_reply(x, err.code == ERR_LIMIT ? 429 : 503, "application/json", body, (size_t)n);
    }
    return s;
}

void hrana_on_sweep(struct completion *c)
{
    struct hrana *h = c->context;
    if (c->result < 0 || h->stopping) return;
    u64 now = io_now_ns(h->options.io);
    for (u32 i = 0; i < STREAM_BUCKETS; i++) {
        for (struct stream *s = h->buckets[i], *next; s; s = next) {
            next = s->next;
            if (!s->task && now >= s->expires_ns) hrana_stream_close(h, s);
        }
    }
    if (h->stats.streams) io_timeout(h->options.io, 1000000000, &h->sweep);
}
