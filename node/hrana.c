#include "hrana.h"
#include "hrana_value.h"
#include "session.h"

#include <sodium.h>

#define BATON_KEY_SIZE   crypto_auth_KEYBYTES
#define STREAM_BUCKETS   1024
#define SESSIONS_IDLE    64
#define SQL_TEXTS_MAX    1000
#define SQL_TEXT_BYTES   (4u << 20) // of all texts stored in a stream
#define CURSOR_CHUNK     32768
#define JSON_DEPTH_BATCH 100

struct sql_text {
    s64 id;
    char *sql;
    size_t size;
    struct sql_text *next;
};

struct stream {
    u64 id, sequence;
    struct stream *next; // in its bucket
    struct session *session;
    struct sql_text *texts;
    u32 text_count;
    size_t text_bytes;
    struct task *task; // the request that is using it
    u64 expires_ns;
};

// A run of one statement.
struct run {
    enum { RUN_PREPARE, RUN_STEP, RUN_RESET } step;
    struct session_statement *statement;
    s64 changes_before;
    u64 rows, rows_bytes;
    u64 started_ns;
    bool reset_failed, began;
};

// One HTTP request under way. It is resumed from its top whenever the session wakes it; what was done stays done.
struct task {
    struct hrana *h;
    struct http_exchange *x;
    enum hrana_endpoint endpoint;
    json_t *root;
    struct stream *stream;
    struct buffer out;
    size_t index;  // of the request in a pipeline
    size_t mark;   // where the answer of the request under way starts
    size_t row_mark;
    struct run run;
    struct hrana_error error;
    // Batches, and sequences.
    const json_t *steps;
    size_t step_index;
    enum { STEP_SKIPPED, STEP_OK, STEP_ERROR } *step_states;
    struct buffer errors; // the step_errors array, which comes after the results
    const char *sequence;
    size_t sequence_size;
    bool in_request, closed_stream, gone, ended;
    struct completion drained;
    bool draining, stream_begun;
};

struct hrana {
    struct hrana_options options;
    u8 baton_key[BATON_KEY_SIZE];
    u64 stream_next;
    struct stream *buckets[STREAM_BUCKETS];
    struct session *idle, *closing;
    u32 idle_count;
    struct completion sweep;
    struct hrana_stats stats;
    struct completion *stop_done;
    bool stopping;
};

static void task_run(struct task *t);
static void on_sweep(struct completion *c);

// ---- sessions -------------------------------------------------------------------------------------------

static void stop_check(struct hrana *h)
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
    stop_check(h);
}

static void session_discard(struct hrana *h, struct session *s)
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
        session_discard(h, s);
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

// ---- streams and batons -----------------------------------------------------------------------------------

static void on_session_wake(void *context)
{
    struct stream *s = context;
    if (s->task) task_run(s->task);
}

static struct stream *stream_open(struct hrana *h, struct err *err)
{
    if (h->stats.streams >= h->options.streams_max) {
        err_set(err, ERR_LIMIT, __func__, "too many open streams (%u); close some, or raise --streams-max",
                h->stats.streams);
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

static void stream_close(struct hrana *h, struct stream *s)
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

static void baton_write(struct hrana *h, struct stream *s, struct buffer *out)
{
    u8 bytes[BATON_SIZE];
    char text[sodium_base64_ENCODED_LEN(BATON_SIZE, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    s->sequence++;
    be64_put(bytes, s->id);
    be64_put(bytes + 8, s->sequence);
    bytes[16] = stream_is_plain(s);
    crypto_auth(bytes + BATON_BODY, bytes, BATON_BODY, h->baton_key);
    sodium_bin2base64(text, sizeof text, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buffer_text(out, "\"");
    buffer_text(out, text);
    buffer_text(out, "\"");
}

static void reply_text(struct http_exchange *x, int status, const char *text)
{
    http_reply(x, status, "text/plain", text, strlen(text));
}

// The stream that a baton names, or a new one; NULL after having answered.
static struct stream *stream_from_baton(struct hrana *h, struct http_exchange *x, const json_t *baton)
{
    struct err err = ERR_CLEAR;
    if (baton && !json_is_null(baton)) {
        u8 bytes[BATON_SIZE + 3];
        size_t size = json_string_length(baton), got = 0;
        if (!json_is_string(baton) || size > 2 * BATON_SIZE ||
            !base64_decode(json_string_value(baton), size, bytes, &got) || got != BATON_SIZE ||
            crypto_auth_verify(bytes + BATON_BODY, bytes, BATON_BODY, h->baton_key) != 0) {
            reply_text(x, 400, "Invalid baton: it is not one of this node's, or the node was restarted");
            return NULL;
        }
        struct stream *s = stream_find(h, be64_get(bytes));
        if (s && (s->sequence != be64_get(bytes + 8) || s->task)) {
            reply_text(x, 400, "Invalid baton: it was used before");
            return NULL;
        }
        if (s) return s;
        if (!bytes[16]) {
            static const char EXPIRED[] = "{\"message\":\"The stream has expired due to inactivity; its transaction was "
                                          "rolled back\",\"code\":\"STREAM_EXPIRED\"}";
            http_reply(x, 400, "application/json", EXPIRED, sizeof EXPIRED - 1);
            return NULL;
        }
    }
    struct stream *s = stream_open(h, &err);
    if (!s) {
        char body[ERR_TEXT_MAX + 20];
        int n = snprintf(body, sizeof body, "{\"error\":\"%s\"}", err.text);
        http_reply(x, err.code == ERR_LIMIT ? 429 : 503, "application/json", body, (size_t)n);
    }
    return s;
}

static void on_sweep(struct completion *c)
{
    struct hrana *h = c->context;
    if (c->result < 0 || h->stopping) return;
    u64 now = io_now_ns(h->options.io);
    for (u32 i = 0; i < STREAM_BUCKETS; i++) {
        for (struct stream *s = h->buckets[i], *next; s; s = next) {
            next = s->next;
            if (!s->task && now >= s->expires_ns) stream_close(h, s);
        }
    }
    if (h->stats.streams) io_timeout(h->options.io, 1000000000, &h->sweep);
}

// ---- running one statement ----------------------------------------------------------------------------------

enum progress { PROGRESS_DONE, PROGRESS_WAIT, PROGRESS_ERROR };

static enum progress run_failed(struct task *t)
{
    struct run *r = &t->run;
    if (!t->error.code) hrana_error_from_db(&t->error, t->stream->session->db);
    if (r->statement) {
        (void)skerry_reset(r->statement->stmt);
        session_release(r->statement);
    }
    *r = (struct run){0};
    return PROGRESS_ERROR;
}

// Runs sql to its end. on_start is called when the columns are known, on_row for each row; both may set t->error.
struct run_sink {
    void (*on_start)(struct task *t, struct skerry_stmt *stmt);
    bool (*on_row)(struct task *t, struct skerry_stmt *stmt); // false: not now, the task was put to wait
    void (*on_end)(struct task *t, struct skerry_stmt *stmt, bool changed);
};

static enum progress run_prepare(struct task *t, const char *sql, size_t size, const json_t *statement)
{
    struct run *r = &t->run;
    struct session *s = t->stream->session;
    bool tail;
    int rc = session_prepare(s, sql, size, &r->statement, &tail);
    if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
    if (rc != SKERRY_OK) return run_failed(t);
    if (tail)
        hrana_error_set(&t->error, "SQL_MANY_STATEMENTS", "the SQL text holds more than one statement; use a sequence or a batch");
    else if (!r->statement)
        hrana_error_set(&t->error, "SQL_NO_STATEMENT", "the SQL text holds no statement");
    else
        hrana_bind(r->statement->stmt, statement, &t->error);
    if (t->error.code) return run_failed(t);
    r->changes_before = skerry_total_changes(s->db);
    r->started_ns = io_now_ns(t->h->options.io);
    r->step = RUN_STEP;
    t->h->stats.statements++;
    return PROGRESS_DONE;
}

static enum progress run_statement(struct task *t, const char *sql, size_t size, const json_t *statement,
                                   const struct run_sink *sink)
{
    struct run *r = &t->run;
    struct skerry *db = t->stream->session->db;
    if (r->step == RUN_PREPARE) {
        enum progress p = run_prepare(t, sql, size, statement);
        if (p != PROGRESS_DONE) return p;
        sink->on_start(t, r->statement->stmt);
    }
    struct skerry_stmt *stmt = r->statement->stmt;
    while (r->step == RUN_STEP) {
        int rc = skerry_step(stmt);
        if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
        if (rc == SKERRY_ROW) {
            r->rows++;
            t->h->stats.rows_sent++;
            if (!sink->on_row(t, stmt)) return t->error.code ? run_failed(t) : PROGRESS_WAIT;
            continue;
        }
        if (rc != SKERRY_DONE) return run_failed(t);
        r->step = RUN_RESET;
    }
    int rc = skerry_reset(stmt);
    if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
    if (rc != SKERRY_OK) return run_failed(t);
    sink->on_end(t, stmt, skerry_total_changes(db) != r->changes_before);
    session_release(r->statement);
    *r = (struct run){0};
    return t->error.code ? PROGRESS_ERROR : PROGRESS_DONE;
}

static bool answer_too_large(struct task *t)
{
    if (!t->out.failed) return false;
    hrana_error_set(&t->error, "RESPONSE_TOO_LARGE",
                    "the answer is larger than %llu bytes (--answer-size-max); use LIMIT, or a cursor",
                    (unsigned long long)t->h->options.answer_size_max);
    return true;
}

static void result_start(struct task *t, struct skerry_stmt *stmt)
{
    buffer_text(&t->out, "{\"cols\":");
    hrana_cols_write(&t->out, stmt);
    buffer_text(&t->out, ",\"rows\":[");
}

static bool result_row(struct task *t, struct skerry_stmt *stmt)
{
    if (t->run.rows > 1) buffer_text(&t->out, ",");
    hrana_row_write(&t->out, stmt);
    return !answer_too_large(t);
}

// The row of the last insert is told after statements that may write: clients take it from there.
static void changes_write(struct task *t, struct buffer *out, struct skerry_stmt *stmt, bool changed)
{
    struct skerry *db = t->stream->session->db;
    buffer_format(out, "\"affected_row_count\":%lld,\"last_insert_rowid\":", changed ? (long long)skerry_changes(db) : 0LL);
    if (skerry_stmt_readonly(stmt))
        buffer_text(out, "null");
    else
        buffer_format(out, "\"%lld\"", (long long)skerry_last_insert_rowid(db));
}

static void result_end(struct task *t, struct skerry_stmt *stmt, bool changed)
{
    struct skerry_stmt_counters counters;
    skerry_stmt_counters(stmt, &counters);
    double ms = (double)(io_now_ns(t->h->options.io) - t->run.started_ns) / 1e6;
    buffer_text(&t->out, "],");
    changes_write(t, &t->out, stmt, changed);
    buffer_format(&t->out, ",\"replication_index\":null,\"rows_read\":%llu,\"rows_written\":%llu,\"query_duration_ms\":%.3f}",
                  (unsigned long long)counters.rows_read, (unsigned long long)counters.rows_written, ms);
    answer_too_large(t);
}

static const struct run_sink RESULT_SINK = {result_start, result_row, result_end};

// The SQL of a statement or request: "sql", or "sql_id" of a stored one.
static const char *sql_of(struct task *t, const json_t *holder, size_t *size)
{
    const json_t *sql = json_object_get(holder, "sql"), *id = json_object_get(holder, "sql_id");
    if (json_is_string(sql) && !json_is_integer(id)) {
        *size = json_string_length(sql);
        return json_string_value(sql);
    }
    if (!json_is_integer(id) || json_is_string(sql)) {
        hrana_error_set(&t->error, "SQL_INPUT_ERROR", "give either sql or sql_id");
        return NULL;
    }
    for (struct sql_text *text = t->stream->texts; text; text = text->next) {
        if (text->id != json_integer_value(id)) continue;
        *size = text->size;
        return text->sql;
    }
    hrana_error_set(&t->error, "SQL_NOT_FOUND", "SQL text %lld not found", (long long)json_integer_value(id));
    return NULL;
}

// ---- batches ------------------------------------------------------------------------------------------------

static bool condition_holds(struct task *t, const json_t *c, u32 depth, bool *holds)
{
    const char *type = json_string_value(json_object_get(c, "type"));
    if (!type || depth > JSON_DEPTH_BATCH) return false;
    if (strcmp(type, "ok") == 0 || strcmp(type, "error") == 0) {
        const json_t *step = json_object_get(c, "step");
        json_int_t i = json_integer_value(step);
        if (!json_is_integer(step) || i < 0 || (size_t)i >= t->step_index) return false;
        *holds = t->step_states[i] == (type[0] == 'o' ? STEP_OK : STEP_ERROR);
        return true;
    }
    if (strcmp(type, "not") == 0) {
        if (!condition_holds(t, json_object_get(c, "cond"), depth + 1, holds)) return false;
        *holds = !*holds;
        return true;
    }
    if (strcmp(type, "and") == 0 || strcmp(type, "or") == 0) {
        bool all = type[0] == 'a', one;
        *holds = all;
        size_t i;
        const json_t *part;
        json_array_foreach(json_object_get(c, "conds"), i, part)
        {
            if (!condition_holds(t, part, depth + 1, &one)) return false;
            *holds = all ? *holds && one : *holds || one;
        }
        return true;
    }
    if (strcmp(type, "is_autocommit") == 0) {
        *holds = skerry_autocommit(t->stream->session->db);
        return true;
    }
    return false;
}

// What a batch does at the turns of its steps; a pipeline and a cursor write different things.
struct batch_sink {
    struct run_sink run;
    void (*on_skip)(struct task *t);
    void (*on_error)(struct task *t);
    void (*on_step)(struct task *t);
};

static bool batch_begin(struct task *t, const json_t *batch)
{
    t->steps = json_object_get(batch, "steps");
    t->step_index = 0;
    size_t count = json_array_size(t->steps);
    t->step_states = calloc(count + 1, sizeof *t->step_states);
    if (!json_is_array(t->steps) || !t->step_states) {
        hrana_error_set(&t->error, "HRANA_PROTO_ERROR", "a batch has an array of steps");
        return false;
    }
    return true;
}

static enum progress batch_run(struct task *t, const struct batch_sink *sink)
{
    size_t count = json_array_size(t->steps);
    for (; t->step_index < count; t->step_index++) {
        const json_t *step = json_array_get(t->steps, t->step_index), *statement = json_object_get(step, "stmt");
        const json_t *condition = json_object_get(step, "condition");
        if (!t->run.began) {
            bool holds = true;
            if (condition && !json_is_null(condition) && !condition_holds(t, condition, 0, &holds)) {
                hrana_error_set(&t->error, "HRANA_PROTO_ERROR", "step %zu of the batch has a malformed condition",
                                t->step_index);
                return PROGRESS_ERROR;
            }
            sink->on_step(t);
            if (!holds) {
                t->step_states[t->step_index] = STEP_SKIPPED;
                sink->on_skip(t);
                continue;
            }
            t->run.began = true;
            t->mark = t->out.size;
        }
        size_t size = 0;
        const char *sql = sql_of(t, statement, &size);
        enum progress p = sql ? run_statement(t, sql, size, statement, &sink->run) : run_failed(t);
        if (p == PROGRESS_WAIT) return p;
        t->run.began = false;
        t->step_states[t->step_index] = p == PROGRESS_DONE ? STEP_OK : STEP_ERROR;
        if (p == PROGRESS_ERROR) {
            if (strcmp(t->error.code, "RESPONSE_TOO_LARGE") == 0) return p; // there is no room to go on
            t->h->stats.errors++;
            sink->on_error(t);
            t->error.code = NULL;
        } else if (t->endpoint == HRANA_PIPELINE) {
            buffer_text(&t->errors, t->step_index ? ",null" : "null");
        }
    }
    free(t->step_states);
    t->step_states = NULL;
    return PROGRESS_DONE;
}

static void pipeline_step(struct task *t)
{
    if (t->step_index) buffer_text(&t->out, ",");
}

static void pipeline_skip(struct task *t)
{
    buffer_text(&t->out, "null");
    buffer_text(&t->errors, t->step_index ? ",null" : "null");
}

static void pipeline_error(struct task *t)
{
    t->out.size = t->mark;
    buffer_text(&t->out, "null");
    if (t->step_index) buffer_text(&t->errors, ",");
    hrana_error_write(&t->errors, &t->error);
}

static const struct batch_sink PIPELINE_SINK = {
    {result_start, result_row, result_end}, pipeline_skip, pipeline_error, pipeline_step};

// ---- the requests of a pipeline ---------------------------------------------------------------------------------

static enum progress request_execute(struct task *t, const json_t *request)
{
    const json_t *statement = json_object_get(request, "stmt");
    size_t size = 0;
    const char *sql = sql_of(t, statement, &size);
    if (!sql) return PROGRESS_ERROR;
    if (!t->in_request) buffer_text(&t->out, "{\"type\":\"execute\",\"result\":");
    t->in_request = true;
    enum progress p = run_statement(t, sql, size, statement, &RESULT_SINK);
    if (p == PROGRESS_DONE) buffer_text(&t->out, "}");
    return p;
}

static enum progress request_batch(struct task *t, const json_t *request)
{
    if (!t->in_request) {
        if (!batch_begin(t, json_object_get(request, "batch"))) return PROGRESS_ERROR;
        buffer_text(&t->out, "{\"type\":\"batch\",\"result\":{\"step_results\":[");
        t->errors.size = 0;
        t->in_request = true;
    }
    enum progress p = batch_run(t, &PIPELINE_SINK);
    if (p != PROGRESS_DONE) return p;
    buffer_text(&t->out, "],\"step_errors\":[");
    buffer_add(&t->out, t->errors.bytes, t->errors.size);
    buffer_text(&t->out, "],\"replication_index\":null}}");
    return answer_too_large(t) ? PROGRESS_ERROR : PROGRESS_DONE;
}

// Statements of a text, one after the other. Each is cut off by preparing it; the session's cache is not for these.
static enum progress request_sequence(struct task *t, const json_t *request)
{
    struct session *s = t->stream->session;
    if (!t->in_request) {
        t->sequence = sql_of(t, request, &t->sequence_size);
        if (!t->sequence) return PROGRESS_ERROR;
        t->in_request = true;
        session_note(s, t->sequence, t->sequence_size);
    }
    while (t->sequence_size || t->run.statement) {
        if (!t->run.statement) {
            struct skerry_stmt *stmt = NULL;
            size_t used = 0;
            int rc = skerry_prepare(s->db, t->sequence, t->sequence_size, &stmt, &used);
            if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
            if (rc != SKERRY_OK) return run_failed(t);
            t->sequence += used;
            t->sequence_size -= used;
            if (!stmt) break;
            t->run.statement = calloc(1, sizeof *t->run.statement);
            if (!t->run.statement) {
                skerry_finalize(stmt);
                hrana_error_set(&t->error, "SQLITE_NOMEM", "out of memory");
                return PROGRESS_ERROR;
            }
            t->run.statement->stmt = stmt;
            t->h->stats.statements++;
        }
        struct session_statement *own = t->run.statement;
        int rc = SKERRY_DONE;
        if (t->run.step != RUN_RESET)
            while ((rc = skerry_step(own->stmt)) == SKERRY_ROW) continue;
        if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
        bool failed = rc != SKERRY_DONE;
        if (failed) hrana_error_from_db(&t->error, s->db);
        t->run.step = RUN_RESET;
        if (!failed && (rc = skerry_reset(own->stmt)) == SKERRY_WAIT) return PROGRESS_WAIT;
        if (!failed && rc != SKERRY_OK) {
            hrana_error_from_db(&t->error, s->db);
            failed = true;
        }
        skerry_finalize(own->stmt);
        free(own);
        t->run = (struct run){0};
        if (failed) return PROGRESS_ERROR;
    }
    buffer_text(&t->out, "{\"type\":\"sequence\"}");
    return PROGRESS_DONE;
}

static enum progress request_describe(struct task *t, const json_t *request)
{
    size_t size = 0;
    bool tail;
    const char *sql = sql_of(t, request, &size);
    if (!sql) return PROGRESS_ERROR;
    struct session_statement *st = NULL;
    int rc = session_prepare(t->stream->session, sql, size, &st, &tail);
    if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
    if (rc != SKERRY_OK) return run_failed(t);
    if (tail || !st) {
        hrana_error_set(&t->error, tail ? "SQL_MANY_STATEMENTS" : "SQL_NO_STATEMENT", "the SQL text holds %s statement",
                        tail ? "more than one" : "no");
        return PROGRESS_ERROR;
    }
    buffer_text(&t->out, "{\"type\":\"describe\",\"result\":{\"params\":[");
    u32 count = skerry_parameter_count(st->stmt);
    for (u32 i = 1; i <= count; i++) {
        const char *name = skerry_parameter_name(st->stmt, i);
        buffer_text(&t->out, i > 1 ? ",{\"name\":" : "{\"name\":");
        if (name)
            buffer_json_string(&t->out, name, strlen(name));
        else
            buffer_text(&t->out, "null");
        buffer_text(&t->out, "}");
    }
    buffer_text(&t->out, "],\"cols\":");
    hrana_cols_write(&t->out, st->stmt);
    buffer_format(&t->out, ",\"is_explain\":%s,\"is_readonly\":%s}}",
                  skerry_stmt_explain(st->stmt) != SKERRY_EXPLAIN_NO ? "true" : "false",
                  skerry_stmt_readonly(st->stmt) ? "true" : "false");
    session_release(st);
    return PROGRESS_DONE;
}

static void sql_text_drop(struct stream *s, s64 id)
{
    for (struct sql_text **at = &s->texts; *at; at = &(*at)->next) {
        struct sql_text *text = *at;
        if (text->id != id) continue;
        *at = text->next;
        s->text_count--;
        s->text_bytes -= text->size;
        free(text->sql);
        free(text);
        return;
    }
}

static enum progress request_store_sql(struct task *t, const json_t *request)
{
    const json_t *id = json_object_get(request, "sql_id"), *sql = json_object_get(request, "sql");
    struct stream *s = t->stream;
    if (!json_is_integer(id) || !json_is_string(sql)) {
        hrana_error_set(&t->error, "HRANA_PROTO_ERROR", "store_sql has a sql_id and a sql");
        return PROGRESS_ERROR;
    }
    size_t size = json_string_length(sql);
    sql_text_drop(s, json_integer_value(id));
    if (s->text_count >= SQL_TEXTS_MAX) {
        hrana_error_set(&t->error, "SQL_STORE_TOO_MANY", "a stream stores at most %d SQL texts", SQL_TEXTS_MAX);
        return PROGRESS_ERROR;
    }
    if (s->text_bytes + size > SQL_TEXT_BYTES) {
        hrana_error_set(&t->error, "SQL_STORE_TOO_LARGE", "a stream stores at most %u bytes of SQL texts", SQL_TEXT_BYTES);
        return PROGRESS_ERROR;
    }
    struct sql_text *text = calloc(1, sizeof *text);
    char *copy = text ? malloc(size + 1) : NULL;
    if (!copy) {
        free(text);
        hrana_error_set(&t->error, "SQLITE_NOMEM", "out of memory");
        return PROGRESS_ERROR;
    }
    memcpy(copy, json_string_value(sql), size + 1);
    *text = (struct sql_text){json_integer_value(id), copy, size, s->texts};
    s->texts = text;
    s->text_count++;
    s->text_bytes += size;
    buffer_text(&t->out, "{\"type\":\"store_sql\"}");
    return PROGRESS_DONE;
}

static enum progress request_run(struct task *t, const json_t *request)
{
    const char *type = json_string_value(json_object_get(request, "type"));
    if (!type) type = "";
    if (strcmp(type, "execute") == 0) return request_execute(t, request);
    if (strcmp(type, "batch") == 0) return request_batch(t, request);
    if (strcmp(type, "sequence") == 0) return request_sequence(t, request);
    if (strcmp(type, "describe") == 0) return request_describe(t, request);
    if (strcmp(type, "store_sql") == 0) return request_store_sql(t, request);
    if (strcmp(type, "close_sql") == 0) {
        sql_text_drop(t->stream, json_integer_value(json_object_get(request, "sql_id")));
        buffer_text(&t->out, "{\"type\":\"close_sql\"}");
        return PROGRESS_DONE;
    }
    if (strcmp(type, "get_autocommit") == 0) {
        buffer_format(&t->out, "{\"type\":\"get_autocommit\",\"is_autocommit\":%s}",
                      skerry_autocommit(t->stream->session->db) ? "true" : "false");
        return PROGRESS_DONE;
    }
    if (strcmp(type, "close") == 0) {
        t->closed_stream = true;
        buffer_text(&t->out, "{\"type\":\"close\"}");
        return PROGRESS_DONE;
    }
    hrana_error_set(&t->error, "HRANA_PROTO_ERROR", "request type '%.50s' is not known", type);
    return PROGRESS_ERROR;
}

// ---- tasks --------------------------------------------------------------------------------------------------

static void task_free(struct task *t)
{
    json_decref(t->root);
    buffer_deinit(&t->out);
    buffer_deinit(&t->errors);
    free(t->step_states);
    free(t);
}

// Lets go of the stream: closed when asked for, when the peer is gone, or kept for its next baton.
static void task_leave_stream(struct task *t)
{
    struct stream *s = t->stream;
    struct session_statement *own = t->run.statement;
    if (own && !own->sql) { // a sequence's, which is not in the session's cache
        skerry_finalize(own->stmt);
        free(own);
    } else if (own) {
        (void)skerry_reset(own->stmt);
    }
    s->task = NULL;
    s->expires_ns = io_now_ns(t->h->options.io) + (u64)t->h->options.stream_idle_ms * 1000000;
    if (t->closed_stream || t->gone || t->h->stopping) stream_close(t->h, s);
    t->stream = NULL;
}

static void pipeline_answer(struct task *t)
{
    struct buffer head = {0};
    buffer_text(&head, "{\"baton\":");
    if (t->closed_stream || t->gone)
        buffer_text(&head, "null");
    else
        baton_write(t->h, t->stream, &head);
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
        reply_text(t->x, 503, "the answer does not fit into memory or the limit (--answer-size-max)");
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
        enum progress p = t->closed_stream ? PROGRESS_ERROR : request_run(t, json_array_get(requests, t->index));
        if (p == PROGRESS_WAIT) return;
        if (p == PROGRESS_ERROR) {
            if (t->closed_stream && !t->error.code)
                hrana_error_set(&t->error, "STREAM_CLOSED", "the stream was closed by an earlier request");
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

// ---- cursors ------------------------------------------------------------------------------------------------

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
    changes_write(t, &t->out, stmt, changed);
    buffer_text(&t->out, "}\n");
}

static void cursor_skip(struct task *t)
{
    (void)t;
}

static void cursor_error(struct task *t)
{
    buffer_format(&t->out, "{\"type\":\"step_error\",\"step\":%zu,\"error\":", t->step_index);
    hrana_error_write(&t->out, &t->error);
    buffer_text(&t->out, "}\n");
}

static const struct batch_sink CURSOR_SINK = {
    {cursor_begin, cursor_row, cursor_end}, cursor_skip, cursor_error, cursor_skip};

static void cursor_finish(struct task *t)
{
    task_leave_stream(t);
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
    task_run(t);
}

// The baton goes out before anything runs, so whether the stream is plain is told as of now.
static void cursor_run(struct task *t)
{
    if (t->draining) return;
    if (!t->stream_begun) {
        t->stream_begun = true;
        http_stream_begin(t->x, 200, "text/plain");
        buffer_text(&t->out, "{\"baton\":");
        baton_write(t->h, t->stream, &t->out);
        buffer_text(&t->out, ",\"base_url\":null}\n");
    }
    enum progress p = t->gone ? PROGRESS_ERROR : batch_run(t, &CURSOR_SINK);
    if (p == PROGRESS_WAIT) return;
    if (p == PROGRESS_ERROR && !t->gone) {
        buffer_text(&t->out, "{\"type\":\"error\",\"error\":");
        hrana_error_write(&t->out, &t->error);
        buffer_text(&t->out, "}\n");
    }
    buffer_text(&t->out, "{\"type\":\"replication_index\",\"replication_index\":null}\n");
    t->ended = true;
    cursor_flush(t);
}

// The task may be gone afterwards.
static void task_run(struct task *t)
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
    if (t->stream) skerry_interrupt(t->stream->session->db);
}

static bool batch_conditions_look_back(const json_t *condition, json_int_t index, u32 depth)
{
    if (!condition || json_is_null(condition)) return true;
    if (depth > JSON_DEPTH_BATCH) return false;
    const json_t *step = json_object_get(condition, "step");
    if (json_is_integer(step) && (json_integer_value(step) < 0 || json_integer_value(step) >= index)) return false;
    if (!batch_conditions_look_back(json_object_get(condition, "cond"), index, depth + 1)) return false;
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
        if (!batch_conditions_look_back(json_object_get(step, "condition"), (json_int_t)i, 0)) return false;
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

void hrana_handle(struct hrana *h, struct http_exchange *x, enum hrana_endpoint endpoint)
{
    size_t size;
    const char *body = http_body(x, &size);
    json_error_t e;
    json_t *root = json_loadb(body, size, JSON_ALLOW_NUL, &e);
    h->stats.requests++;
    if (!root) {
        char text[300];
        snprintf(text, sizeof text, "the request body is not JSON: %.200s (byte %d)", e.text, e.position);
        reply_text(x, 400, text);
        return;
    }
    const char *wrong = request_wrong(root, endpoint);
    struct stream *s = wrong ? NULL : stream_from_baton(h, x, json_object_get(root, "baton"));
    struct task *t = s ? calloc(1, sizeof *t) : NULL;
    if (!t) {
        json_decref(root);
        if (wrong) reply_text(x, 400, wrong);
        if (s) {
            stream_close(h, s);
            reply_text(x, 503, "out of memory");
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
    s->task = t;
    http_on_gone(x, on_gone, t);
    if (endpoint == HRANA_CURSOR && !batch_begin(t, json_object_get(root, "batch"))) {
        task_leave_stream(t);
        reply_text(x, 400, t->error.text);
        task_free(t);
        return;
    }
    task_run(t);
}

// ---- life -----------------------------------------------------------------------------------------------------

struct hrana *hrana_create(const struct hrana_options *options, struct err *err)
{
    struct hrana *h = calloc(1, sizeof *h);
    if (!h) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    h->options = *options;
    crypto_auth_keygen(h->baton_key);
    completion_init(&h->sweep, on_sweep, h);
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
        while (h->buckets[i]) stream_close(h, h->buckets[i]);
    while (h->idle) {
        struct session *s = h->idle;
        h->idle = s->next;
        session_discard(h, s);
    }
    stop_check(h);
}

void hrana_destroy(struct hrana *h)
{
    if (!h) return;
    sodium_memzero(h->baton_key, sizeof h->baton_key);
    free(h);
}
