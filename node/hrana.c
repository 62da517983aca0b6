#include "hrana_internal.h"

#define CURSOR_CHUNK 32768

// ---- tasks
// --------------------------------------------------------------------------------------------------

static void task_free(struct task *t)
{
    json_decref(t->root);
    buffer_deinit(&t->out);
    buffer_deinit(&t->errors);
    free(t->step_states);
    free(t);
}

static void task_start(struct task *t);

// Lets go of the stream: closed when asked for, when the peer is gone, or kept for its next baton.
// The request that has waited for it goes on.
static void task_leave_stream(struct task *t)
{
    struct stream *s = t->stream;
    struct task *next = s->waiting;
    skerry_finalize(t->run.statement);
    t->stream = NULL;
    s->task = s->waiting = NULL;
    s->expires_ns = io_now_ns(t->h->options.io) + (u64)t->h->options.stream_idle_ms * 1000000;
    bool closed = t->closed_stream || t->gone || t->h->stopping;
    if (closed) hrana_stream_close(t->h, s);
    if (!next) return;
    if (closed) {
        hrana_reply_expired(next->x);
        task_free(next);
    } else {
        task_start(next);
    }
}

static void pipeline_answer(struct task *t)
{
    struct buffer head = {0};
    buffer_text(&head, "{\"baton\":");
    if (t->closed_stream || t->gone)
        buffer_text(&head, "null");
    else
        hrana_baton_write(t->h, t->stream, &head);
    buffer_text(&head, ",\"base_url\":null,\"results\":[");
    buffer_text(&t->out, "]}");
    bool failed = t->out.failed || head.failed;
    char *body = failed ? NULL : malloc(head.size + t->out.size);
    size_t size = head.size + t->out.size;
    if (body) {
        memcpy(body, head.bytes, head.size);
        memcpy(body + head.size, t->out.bytes, t->out.size);
    }
    buffer_deinit(&head);
    task_leave_stream(t);
    if (body)
        http_reply_owned(t->x, 200, "application/json", body, size);
    else
        hrana_reply_text(t->x, 503,
                         "the answer does not fit into memory or the limit (--answer-size-max)");
    task_free(t);
}

static void pipeline_run(struct task *t)
{
    const json_t *requests = json_object_get(t->root, "requests");
    size_t count = json_array_size(requests);
    while (t->index < count && !t->gone) {
        if (!t->in_request) {
            if (t->index) buffer_text(&t->out, ",");
            t->row_mark = t->out.size;
            buffer_text(&t->out, "{\"type\":\"ok\",\"response\":");
        }
        enum progress p = t->closed_stream
                              ? PROGRESS_ERROR
                              : hrana_request_run(t, json_array_get(requests, t->index));
        if (p == PROGRESS_WAIT) return;
        if (p == PROGRESS_ERROR) {
            if (t->closed_stream && !t->error.code)
                hrana_error_set(&t->error, "STREAM_CLOSED",
                                "the stream was closed by an earlier request");
            t->h->stats.errors++;
            free(t->step_states);
            t->step_states = NULL;
            t->out.size = t->row_mark;
            t->out.failed = false;
            buffer_text(&t->out, "{\"type\":\"error\",\"error\":");
            hrana_error_write(&t->out, &t->error);
            t->error.code = NULL;
        }
        buffer_text(&t->out, "}");
        t->in_request = false;
        t->run = (struct run){0};
        t->index++;
    }
    pipeline_answer(t);
}

// ---- cursors
// ------------------------------------------------------------------------------------------------

static void cursor_flush(struct task *t)
{
    t->draining = true;
    http_stream_write(t->x, t->out.bytes, t->out.size, &t->drained);
    t->out.size = 0;
}

static void cursor_begin(struct task *t, struct skerry_stmt *stmt)
{
    buffer_format(&t->out, "{\"type\":\"step_begin\",\"step\":%zu,\"cols\":", t->step_index);
    hrana_cols_write(&t->out, stmt);
    buffer_text(&t->out, "}\n");
}

static bool cursor_row(struct task *t, struct skerry_stmt *stmt)
{
    buffer_text(&t->out, "{\"type\":\"row\",\"row\":");
    hrana_row_write(&t->out, stmt);
    buffer_text(&t->out, "}\n");
    if (t->out.failed) {
        hrana_error_set(&t->error, "SQLITE_NOMEM", "out of memory");
        return false;
    }
    if (t->out.size < CURSOR_CHUNK) return true;
    cursor_flush(t);
    return false;
}

static void cursor_end(struct task *t, struct skerry_stmt *stmt, bool changed)
{
    buffer_text(&t->out, "{\"type\":\"step_end\",");
    hrana_changes_write(t, &t->out, stmt, changed);
    buffer_text(&t->out, "}\n");
}

static void cursor_skip(struct task *t)
{
}

static void cursor_error(struct task *t)
{
    buffer_format(&t->out, "{\"type\":\"step_error\",\"step\":%zu,\"error\":", t->step_index);
    hrana_error_write(&t->out, &t->error);
    buffer_text(&t->out, "}\n");
}

static const struct run_sink CURSOR_RUN = {cursor_begin, cursor_row, cursor_end};
static const struct batch_sink CURSOR_SINK = {&CURSOR_RUN, cursor_skip, cursor_error, cursor_skip};

static void cursor_finish(struct task *t)
{
    if (t->stream) task_leave_stream(t);
    http_stream_end(t->x);
    task_free(t);
}

static void on_drained(struct completion *c)
{
    struct task *t = c->context;
    t->draining = false;
    if (c->result < 0) t->gone = true;
    if (t->ended || t->gone) {
        cursor_finish(t);
        return;
    }
    hrana_task_run(t);
}

// The baton goes out before anything runs, so whether the stream is plain is told as of now.
static void cursor_run(struct task *t)
{
    if (t->draining) return;
    if (!t->stream_begun) {
        t->stream_begun = true;
        http_stream_begin(t->x, 200, "text/plain");
        buffer_text(&t->out, "{\"baton\":");
        hrana_baton_write(t->h, t->stream, &t->out);
        buffer_text(&t->out, ",\"base_url\":null}\n");
    }
    enum progress p = t->gone ? PROGRESS_ERROR : hrana_batch_run(t, &CURSOR_SINK);
    if (p == PROGRESS_WAIT) return;
    if (p == PROGRESS_ERROR && !t->gone) {
        buffer_text(&t->out, "{\"type\":\"error\",\"error\":");
        hrana_error_write(&t->out, &t->error);
        buffer_text(&t->out, "}\n");
    }
    buffer_text(&t->out, "{\"type\":\"replication_index\",\"replication_index\":null}\n");
    t->ended = true;
    task_leave_stream(t); // first: whoever has read the answer may use its baton
    cursor_flush(t);
}

// The task may be gone afterwards.
void hrana_task_run(struct task *t)
{
    if (t->endpoint == HRANA_PIPELINE)
        pipeline_run(t);
    else
        cursor_run(t);
}

static void on_gone(void *context)
{
    struct task *t = context;
    t->gone = true;
    if (t->stream && t->stream->task == t) skerry_interrupt(t->stream->session->db);
}

static bool batch_conditions_look_back(const json_t *condition, json_int_t index, u32 depth)
{
    if (!condition || json_is_null(condition)) return true;
    if (depth > JSON_DEPTH_BATCH) return false;
    const json_t *step = json_object_get(condition, "step");
    if (json_is_integer(step) &&
        (json_integer_value(step) < 0 || json_integer_value(step) >= index))
        return false;
    if (!batch_conditions_look_back(json_object_get(condition, "cond"), index, depth + 1))
        return false;
    size_t i;
    const json_t *part;
    json_array_foreach(json_object_get(condition, "conds"), i, part)
    {
        if (!batch_conditions_look_back(part, index, depth + 1)) return false;
    }
    return true;
}

static bool batch_is_sound(const json_t *batch)
{
    size_t i;
    const json_t *step;
    json_array_foreach(json_object_get(batch, "steps"), i, step)
    {
        if (!batch_conditions_look_back(json_object_get(step, "condition"), (json_int_t)i, 0))
            return false;
    }
    return true;
}

// What makes the whole request malformed, or NULL.
static const char *request_wrong(const json_t *root, enum hrana_endpoint endpoint)
{
    if (!json_is_object(root)) return "the request body is not a JSON object";
    static const char LATER[] = "a batch condition refers to a step that is not an earlier one";
    if (endpoint == HRANA_CURSOR) {
        if (!json_is_object(json_object_get(root, "batch"))) return "the request has no batch";
        return batch_is_sound(json_object_get(root, "batch")) ? NULL : LATER;
    }
    const json_t *requests = json_object_get(root, "requests"), *request;
    if (!json_is_array(requests)) return "the request has no array of requests";
    size_t i;
    json_array_foreach(requests, i, request)
    {
        if (!json_is_object(request)) return "a request is not a JSON object";
        if (!batch_is_sound(json_object_get(request, "batch"))) return LATER;
    }
    return NULL;
}

static void task_start(struct task *t)
{
    t->stream->task = t;
    if (t->endpoint == HRANA_CURSOR &&
        !hrana_batch_begin(t, json_object_get(t->root, "batch"))) {
        task_leave_stream(t);
        hrana_reply_text(t->x, 400, t->error.text);
        task_free(t);
        return;
    }
    hrana_task_run(t);
}

void hrana_handle(struct hrana *h, struct http_exchange *x, enum hrana_endpoint endpoint)
{
    size_t size;
    const char *body = http_body(x, &size);
    json_error_t e;
    json_t *root = json_loadb(body, size, JSON_ALLOW_NUL, &e);
    h->stats.requests++;
    if (!root) {
        char text[300];
        snprintf(text, sizeof text, "the request body is not JSON: %.200s (byte %d)", e.text,
                 e.position);
        hrana_reply_text(x, 400, text);
        return;
    }
    const char *wrong = request_wrong(root, endpoint);
    struct stream *s = wrong ? NULL : hrana_stream_from_baton(h, x, json_object_get(root, "baton"));
    struct task *t = s ? calloc(1, sizeof *t) : NULL;
    if (!t) {
        json_decref(root);
        if (wrong) hrana_reply_text(x, 400, wrong);
        if (s) {
            if (!s->task) hrana_stream_close(h, s);
            hrana_reply_text(x, 503, "out of memory");
        }
        return;
    }
    t->h = h;
    t->x = x;
    t->endpoint = endpoint;
    t->root = root;
    t->stream = s;
    t->out.max = endpoint == HRANA_PIPELINE ? h->options.answer_size_max : 0;
    completion_init(&t->drained, on_drained, t);
    http_on_gone(x, on_gone, t);
    if (s->task)
        s->waiting = t;
    else
        task_start(t);
}

// ---- life
// -----------------------------------------------------------------------------------------------------

struct hrana *hrana_create(const struct hrana_options *options, struct err *err)
{
    struct hrana *h = calloc(1, sizeof *h);
    if (!h) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    h->options = *options;
    crypto_auth_keygen(h->baton_key);
    completion_init(&h->sweep, hrana_on_sweep, h);
    return h;
}

void hrana_stats_get(const struct hrana *h, struct hrana_stats *out)
{
    *out = h->stats;
}

void hrana_stop(struct hrana *h, struct completion *done)
{
    h->stopping = true;
    h->stop_done = done;
    if (h->sweep.state == COMPLETION_PENDING) io_cancel(h->options.io, &h->sweep);
    for (u32 i = 0; i < STREAM_BUCKETS; i++)
        while (h->buckets[i]) hrana_stream_close(h, h->buckets[i]);
    while (h->idle) {
        struct session *s = h->idle;
        h->idle = s->next;
        hrana_session_discard(h, s);
    }
    hrana_stop_check(h);
}

void hrana_destroy(struct hrana *h)
{
    if (!h) return;
    sodium_memzero(h->baton_key, sizeof h->baton_key);
    free(h);
}
