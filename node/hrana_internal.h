// What the parts of Hrana share: streams, the run of a statement, requests under way. Internal to
// hrana*.c.
//
//   hrana_stream.c   sessions lent to streams, batons, streams that expire
//   hrana_run.c      one statement, and batches with their conditions
//   hrana_request.c  the requests of a pipeline
//   hrana.c          requests over HTTP: pipelines and cursors
#pragma once

#include "hrana.h"
#include "hrana_value.h"
#include "session.h"

#include <sodium.h>

#define BATON_KEY_SIZE   crypto_auth_KEYBYTES
#define STREAM_BUCKETS   1024
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
    struct task *task;    // the request that is using it
    struct task *waiting; // the one that comes after it, when its baton is known already
    u64 expires_ns;
};

// A run of one statement.
struct run {
    enum { RUN_PREPARE, RUN_STEP, RUN_RESET } step;
    struct skerry_stmt *statement;
    s64 changes_before;
    u64 rows, rows_bytes;
    u64 started_ns;
    bool reset_failed, began;
};

// One HTTP request under way. It is resumed from its top whenever the session wakes it; what was
// done stays done.
struct task {
    struct hrana *h;
    struct http_exchange *x;
    enum hrana_endpoint endpoint;
    json_t *root;
    struct stream *stream;
    struct buffer out;
    size_t index; // of the request in a pipeline
    size_t mark;  // where the answer of the request under way starts
    size_t row_mark;
    struct run run;
    struct hrana_error error;
    // Batches, and sequences.
    const json_t *steps;
    size_t step_index;
    enum { STEP_SKIPPED, STEP_OK, STEP_ERROR } * step_states;
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

enum progress { PROGRESS_DONE, PROGRESS_WAIT, PROGRESS_ERROR };

// Runs sql to its end. on_start is called when the columns are known, on_row for each row; both may
// set t->error.
struct run_sink {
    void (*on_start)(struct task *t, struct skerry_stmt *stmt);
    bool (*on_row)(struct task *t,
                   struct skerry_stmt *stmt); // false: not now, the task was put to wait
    void (*on_end)(struct task *t, struct skerry_stmt *stmt, bool changed);
};

// What a batch does at the turns of its steps; a pipeline and a cursor write different things.
struct batch_sink {
    const struct run_sink *run;
    void (*on_skip)(struct task *t);
    void (*on_error)(struct task *t);
    void (*on_step)(struct task *t);
};

// ---- hrana_stream.c
// -----------------------------------------------------------------------------------

void hrana_stream_close(struct hrana *h, struct stream *s);
// The stream that a baton names, or a new one; NULL after having answered x. It may be at work for
// a cursor (s->task), which is then to be waited for.
struct stream *hrana_stream_from_baton(struct hrana *h, struct http_exchange *x,
                                       const json_t *baton);
void hrana_baton_write(struct hrana *h, struct stream *s, struct buffer *out);
void hrana_reply_expired(struct http_exchange *x);
void hrana_reply_text(struct http_exchange *x, int status, const char *text);
void hrana_session_discard(struct hrana *h, struct session *s);
void hrana_stop_check(struct hrana *h);
void hrana_on_sweep(struct completion *c);

// ---- hrana_run.c
// --------------------------------------------------------------------------------------

extern const struct run_sink HRANA_RESULT_SINK;
// Ends the run under way with t->error, taken from the connection unless it is set.
enum progress hrana_run_failed(struct task *t);
enum progress hrana_run_statement(struct task *t, const char *sql, size_t size,
                                  const json_t *statement, const struct run_sink *sink);
bool hrana_answer_too_large(struct task *t);
void hrana_changes_write(struct task *t, struct buffer *out, struct skerry_stmt *stmt,
                         bool changed);
// The SQL text of a statement or request ("sql", or "sql_id" of a stored one); NULL with t->error.
const char *hrana_sql_of(struct task *t, const json_t *holder, size_t *size);
bool hrana_batch_begin(struct task *t, const json_t *batch);
enum progress hrana_batch_run(struct task *t, const struct batch_sink *sink);

// ---- hrana_request.c, hrana.c
// -------------------------------------------------------------------------

enum progress hrana_request_run(struct task *t, const json_t *request);
void hrana_task_run(struct task *t); // the task may be gone afterwards
