// Hrana 2 and 3 over HTTP: pipelines, cursors, streams with batons, for libSQL's and Turso's
// clients. https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md
//
// A stream is a connection to the database that lives over several requests; a baton names it, is
// good for one request, and is signed, so that nobody guesses another's. A stream that is not used
// for a while is closed and its transaction rolled back; a baton of a stream that held nothing (no
// transaction, no stored SQL, no session state) goes on to work, on a new one.
#pragma once

#include "../engine/skerry.h"
#include "http_server.h"

struct hrana;

struct hrana_options {
    struct io *io;
    struct skerry_engine *engine;
    const char *path; // of the database
    u32 busy_timeout_ms;
    u32 stream_idle_ms;
    u32 streams_max;
    u64 answer_size_max;  // of a pipeline; a cursor has no limit
    u64 statement_ms_max; // 0: none
};
struct hrana_stats {
    u32 streams, sessions;
    u64 requests, statements, errors, rows_sent;
};

enum hrana_endpoint { HRANA_PIPELINE, HRANA_CURSOR };

struct hrana *hrana_create(const struct hrana_options *options, struct err *err);
// Answers x, now or later.
void hrana_handle(struct hrana *h, struct http_exchange *x, enum hrana_endpoint endpoint);
void hrana_stats_get(const struct hrana *h, struct hrana_stats *out);
// Rolls back and closes every stream; no request may be under way. `done` completes when the
// database is let go.
void hrana_stop(struct hrana *h, struct completion *done);
void hrana_destroy(struct hrana *h);
