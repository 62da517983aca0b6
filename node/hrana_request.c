#include "hrana_internal.h"

#define SQL_TEXTS_MAX  1000
#define SQL_TEXT_BYTES (4u << 20) // of all texts stored in a stream

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

static const struct batch_sink PIPELINE_SINK = {&HRANA_RESULT_SINK, pipeline_skip, pipeline_error,
                                                pipeline_step};

// ---- the requests of a pipeline
// ---------------------------------------------------------------------------------

static enum progress request_execute(struct task *t, const json_t *request)
{
    const json_t *statement = json_object_get(request, "stmt");
    size_t size = 0;
    const char *sql = hrana_sql_of(t, statement, &size);
    if (!sql) return PROGRESS_ERROR;
    if (!t->in_request) buffer_text(&t->out, "{\"type\":\"execute\",\"result\":");
    t->in_request = true;
    enum progress p = hrana_run_statement(t, sql, size, statement, &HRANA_RESULT_SINK);
    if (p == PROGRESS_DONE) buffer_text(&t->out, "}");
    return p;
}

static enum progress request_batch(struct task *t, const json_t *request)
{
    if (!t->in_request) {
        if (!hrana_batch_begin(t, json_object_get(request, "batch"))) return PROGRESS_ERROR;
        buffer_text(&t->out, "{\"type\":\"batch\",\"result\":{\"step_results\":[");
        t->errors.size = 0;
        t->in_request = true;
    }
    enum progress p = hrana_batch_run(t, &PIPELINE_SINK);
    if (p != PROGRESS_DONE) return p;
    buffer_text(&t->out, "],\"step_errors\":[");
    buffer_add(&t->out, t->errors.bytes, t->errors.size);
    buffer_text(&t->out, "],\"replication_index\":null}}");
    return hrana_answer_too_large(t) ? PROGRESS_ERROR : PROGRESS_DONE;
}

// Statements of a text, one after the other. Each is cut off by preparing it.
static enum progress request_sequence(struct task *t, const json_t *request)
{
    struct session *s = t->stream->session;
    if (!t->in_request) {
        t->sequence = hrana_sql_of(t, request, &t->sequence_size);
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
            if (rc != SKERRY_OK) return hrana_run_failed(t);
            t->sequence += used;
            t->sequence_size -= used;
            if (!stmt) break;
            t->run.statement = stmt;
            t->h->stats.statements++;
        }
        struct skerry_stmt *own = t->run.statement;
        int rc = SKERRY_DONE;
        if (t->run.step != RUN_RESET)
            while ((rc = skerry_step(own)) == SKERRY_ROW) continue;
        if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
        bool failed = rc != SKERRY_DONE;
        if (failed) hrana_error_from_db(&t->error, s->db);
        t->run.step = RUN_RESET;
        if (!failed && (rc = skerry_reset(own)) == SKERRY_WAIT) return PROGRESS_WAIT;
        if (!failed && rc != SKERRY_OK) {
            hrana_error_from_db(&t->error, s->db);
            failed = true;
        }
        skerry_finalize(own);
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
    const char *sql = hrana_sql_of(t, request, &size);
    if (!sql) return PROGRESS_ERROR;
    struct skerry_stmt *st = NULL;
    int rc = session_prepare(t->stream->session, sql, size, &st, &tail);
    if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
    if (rc != SKERRY_OK) return hrana_run_failed(t);
    if (tail || !st) {
        hrana_error_set(&t->error, tail ? "SQL_MANY_STATEMENTS" : "SQL_NO_STATEMENT",
                        "the SQL text holds %s statement", tail ? "more than one" : "no");
        return PROGRESS_ERROR;
    }
    buffer_text(&t->out, "{\"type\":\"describe\",\"result\":{\"params\":[");
    u32 count = skerry_parameter_count(st);
    for (u32 i = 1; i <= count; i++) {
        const char *name = skerry_parameter_name(st, i);
        buffer_text(&t->out, i > 1 ? ",{\"name\":" : "{\"name\":");
        if (name)
            buffer_json_string(&t->out, name, strlen(name));
        else
            buffer_text(&t->out, "null");
        buffer_text(&t->out, "}");
    }
    buffer_text(&t->out, "],\"cols\":");
    hrana_cols_write(&t->out, st);
    buffer_format(&t->out, ",\"is_explain\":%s,\"is_readonly\":%s}}",
                  skerry_stmt_explain(st) != SKERRY_EXPLAIN_NO ? "true" : "false",
                  skerry_stmt_readonly(st) ? "true" : "false");
    skerry_finalize(st);
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
        hrana_error_set(&t->error, "SQL_STORE_TOO_MANY", "a stream stores at most %d SQL texts",
                        SQL_TEXTS_MAX);
        return PROGRESS_ERROR;
    }
    if (s->text_bytes + size > SQL_TEXT_BYTES) {
        hrana_error_set(&t->error, "SQL_STORE_TOO_LARGE",
                        "a stream stores at most %u bytes of SQL texts", SQL_TEXT_BYTES);
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

enum progress hrana_request_run(struct task *t, const json_t *request)
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
