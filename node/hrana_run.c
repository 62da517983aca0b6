#include "hrana_internal.h"

// ---- running one statement
// ----------------------------------------------------------------------------------

enum progress hrana_run_failed(struct task *t)
{
    struct run *r = &t->run;
    if (!t->error.code) hrana_error_from_db(&t->error, t->stream->session->db);
    if (r->statement) (void)skerry_reset(r->statement);
    skerry_finalize(r->statement);
    *r = (struct run){0};
    return PROGRESS_ERROR;
}

static enum progress run_prepare(struct task *t, const char *sql, size_t size,
                                 const json_t *statement)
{
    struct run *r = &t->run;
    struct session *s = t->stream->session;
    bool tail;
    int rc = session_prepare(s, sql, size, &r->statement, &tail);
    if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
    if (rc != SKERRY_OK) return hrana_run_failed(t);
    if (tail)
        hrana_error_set(&t->error, "SQL_MANY_STATEMENTS",
                        "the SQL text holds more than one statement; use a sequence or a batch");
    else if (!r->statement)
        hrana_error_set(&t->error, "SQL_NO_STATEMENT", "the SQL text holds no statement");
    else
        hrana_bind(r->statement, statement, &t->error);
    if (t->error.code) return hrana_run_failed(t);
    r->changes_before = skerry_total_changes(s->db);
    r->started_ns = io_now_ns(t->h->options.io);
    r->step = RUN_STEP;
    t->h->stats.statements++;
    return PROGRESS_DONE;
}

enum progress hrana_run_statement(struct task *t, const char *sql, size_t size,
                                  const json_t *statement, const struct run_sink *sink)
{
    struct run *r = &t->run;
    struct skerry *db = t->stream->session->db;
    if (r->step == RUN_PREPARE) {
        enum progress p = run_prepare(t, sql, size, statement);
        if (p != PROGRESS_DONE) return p;
        sink->on_start(t, r->statement);
    }
    struct skerry_stmt *stmt = r->statement;
    while (r->step == RUN_STEP) {
        int rc = skerry_step(stmt);
        if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
        if (rc == SKERRY_ROW) {
            r->rows++;
            t->h->stats.rows_sent++;
            if (!sink->on_row(t, stmt)) return t->error.code ? hrana_run_failed(t) : PROGRESS_WAIT;
            continue;
        }
        if (rc != SKERRY_DONE) return hrana_run_failed(t);
        r->step = RUN_RESET;
    }
    int rc = skerry_reset(stmt);
    if (rc == SKERRY_WAIT) return PROGRESS_WAIT;
    if (rc != SKERRY_OK) return hrana_run_failed(t);
    sink->on_end(t, stmt, skerry_total_changes(db) != r->changes_before);
    skerry_finalize(stmt);
    *r = (struct run){0};
    return t->error.code ? PROGRESS_ERROR : PROGRESS_DONE;
}

bool hrana_answer_too_large(struct task *t)
{
    if (!t->out.failed) return false;
    hrana_error_set(
        &t->error, "RESPONSE_TOO_LARGE",
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
    return !hrana_answer_too_large(t);
}

// The row of the last insert is told after statements that may write: clients take it from there.
void hrana_changes_write(struct task *t, struct buffer *out, struct skerry_stmt *stmt, bool changed)
{
    struct skerry *db = t->stream->session->db;
    buffer_format(out, "\"affected_row_count\":%lld,\"last_insert_rowid\":",
                  changed ? (long long)skerry_changes(db) : 0LL);
    if (skerry_stmt_readonly(stmt))
        buffer_text(out, "null");
    else
        buffer_format(out, "\"%lld\"", (long long)skerry_last_insert_rowid(db));
}

static void result_end(struct task *t, struct skerry_stmt *stmt, bool changed)
{
    struct skerry_stmt_counters counters;
    skerry_stmt_counters(stmt, &counters);
    u64 us = (io_now_ns(t->h->options.io) - t->run.started_ns + 500) / 1000;
    buffer_text(&t->out, "],");
    hrana_changes_write(t, &t->out, stmt, changed);
    buffer_format(&t->out,
                  ",\"replication_index\":null,\"rows_read\":%llu,\"rows_written\":%llu,\"query_"
                  "duration_ms\":%llu.%03u}",
                  (unsigned long long)counters.rows_read, (unsigned long long)counters.rows_written,
                  (unsigned long long)(us / 1000), (u32)(us % 1000));
    hrana_answer_too_large(t);
}

const struct run_sink HRANA_RESULT_SINK = {result_start, result_row, result_end};

// The SQL of a statement or request: "sql", or "sql_id" of a stored one.
const char *hrana_sql_of(struct task *t, const json_t *holder, size_t *size)
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
    hrana_error_set(&t->error, "SQL_NOT_FOUND", "SQL text %lld not found",
                    (long long)json_integer_value(id));
    return NULL;
}

// ---- batches
// ------------------------------------------------------------------------------------------------

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

bool hrana_batch_begin(struct task *t, const json_t *batch)
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

enum progress hrana_batch_run(struct task *t, const struct batch_sink *sink)
{
    size_t count = json_array_size(t->steps);
    for (; t->step_index < count; t->step_index++) {
        const json_t *step = json_array_get(t->steps, t->step_index),
                     *statement = json_object_get(step, "stmt");
        const json_t *condition = json_object_get(step, "condition");
        if (!t->run.began) {
            bool holds = true;
            if (condition && !json_is_null(condition) &&
                !condition_holds(t, condition, 0, &holds)) {
                hrana_error_set(&t->error, "HRANA_PROTO_ERROR",
                                "step %zu of the batch has a malformed condition", t->step_index);
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
        const char *sql = hrana_sql_of(t, statement, &size);
        enum progress p =
            sql ? hrana_run_statement(t, sql, size, statement, sink->run) : hrana_run_failed(t);
        if (p == PROGRESS_WAIT) return p;
        t->run.began = false;
        t->step_states[t->step_index] = p == PROGRESS_DONE ? STEP_OK : STEP_ERROR;
        if (p == PROGRESS_ERROR) {
            if (strcmp(t->error.code, "RESPONSE_TOO_LARGE") == 0)
                return p; // there is no room to go on
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
