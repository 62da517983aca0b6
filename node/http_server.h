// HTTP/1.1 server on the loop. One request at a time on a connection (a pipelined one waits),
// keep-alive, chunked bodies both ways, limits on everything that a peer decides.
//
// A handler gets an exchange whose request is complete, and answers it once, now or later:
// http_reply with a whole body, or http_stream_begin, http_stream_write..., http_stream_end. When
// the peer goes away first, on_gone is called (if set); the exchange must still be ended by a
// reply, which goes nowhere.
#pragma once

#include "../io/io.h"

struct http_server;
struct http_exchange;

struct http_server_options {
    const char *address; // "HOST:PORT"
    u32 connections_max; // more are answered 503 and closed
    u32 header_size_max;
    u64 body_size_max;
    u32 header_timeout_ms; // from the first byte of a request to the end of its header
    u32 body_timeout_ms;   // without progress
    u32 idle_timeout_ms;   // between requests
    u32 send_timeout_ms;   // a peer that stops reading
    // Called when a request's header has come; true: its body is not gathered, but read by the
    // handler, which is called at once. NULL: none is.
    bool (*streams)(struct http_exchange *x);
    u64 stream_size_max; // of such bodies
    void (*handle)(struct http_exchange *x);
    void *context;
};
struct http_server_stats {
    u32 connections;
    u64 accepted, refused, requests, timeouts, malformed;
};

// Takes the address; nobody is heard before the start.
struct http_server *http_server_open(struct io *io, const struct http_server_options *options,
                                     struct err *err);
bool http_server_start(struct http_server *s, struct err *err);
u16 http_server_port(const struct http_server *s);
void http_server_stats_get(const struct http_server *s, struct http_server_stats *out);
// No new connections and requests; `done` completes when those under way are answered, or at the
// deadline.
void http_server_stop(struct http_server *s, u64 deadline_ns, struct completion *done);
void http_server_close(struct http_server *s); // after stop: closes what is left

// ---- exchanges
// ------------------------------------------------------------------------------------------

void *http_context(const struct http_exchange *x);      // the server's options.context
const char *http_method(const struct http_exchange *x); // "GET"
const char *http_path(const struct http_exchange *x);   // without the query
const char *http_query(const struct http_exchange *x);  // "" when there is none
const char *http_header(const struct http_exchange *x, const char *name); // any case; NULL
bool http_content_length(const struct http_exchange *x, u64 *size); // false: not told
// The next piece of a body that is streamed, into at least HTTP_PIECE_SIZE bytes: completes with its
// size, 0 at the end, or -errno. Answering before the end closes the connection.
#define HTTP_PIECE_SIZE 16384
void http_body_read(struct http_exchange *x, void *buffer, size_t size, struct completion *done);
// The body, NUL-terminated, valid until the answer.
const char *http_body(const struct http_exchange *x, size_t *size);
void http_on_gone(struct http_exchange *x, void (*on_gone)(void *context), void *context);
void http_reply(struct http_exchange *x, int status, const char *content_type, const void *body,
                size_t size);
// As http_reply, but the body is malloc'ed memory that the server frees.
void http_reply_owned(struct http_exchange *x, int status, const char *content_type, void *body,
                      size_t size);
// As http_reply with more header lines, each ended by CR LF ("" = none). body_size is what
// Content-Length says: with HEAD, of the body that is not sent.
void http_reply_headers(struct http_exchange *x, int status, const char *content_type,
                        const char *lines, const void *body, size_t size, u64 body_size);
void http_stream_begin(struct http_exchange *x, int status, const char *content_type);
// Of known size, not chunked.
void http_stream_begin_sized(struct http_exchange *x, int status, const char *content_type,
                             const char *lines, u64 size);
// In place of an end: the peer sees a connection that breaks off.
void http_stream_abort(struct http_exchange *x);
// Copies; `drained` (may be NULL) completes when the peer has taken it: wait for that before
// writing more.
void http_stream_write(struct http_exchange *x, const void *bytes, size_t size,
                       struct completion *drained);
void http_stream_end(struct http_exchange *x);
