// Answers: whole ones and streams.
#include "http_internal.h"

#include <errno.h>
#include <sys/socket.h>

#define LINGER_MS 2000

static const char *reason_of(int status)
{
    switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 416: return "Range Not Satisfiable";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    }
    return "Status";
}

static void answer_done(struct http_exchange *x)
{
    free(x->out_owned);
    x->out_owned = NULL;
    // A large body's memory is not kept for an idle connection.
    if (x->body_capacity > (1u << 16)) {
        free(x->body);
        x->body = NULL;
        x->body_capacity = 0;
    }
    if (x->parse_error && !x->peer_gone && !x->server->stopping) {
        // What the peer is still sending is read and dropped for a while: closing at once would
        // reset the connection before it has read our answer.
        x->state = CONNECTION_CLOSING;
        x->deadline_ns = http_deadline_in(x, LINGER_MS);
        shutdown(x->fd, SHUT_WR);
        if (!x->receiving) http_receive(x, 0);
        return;
    }
    if (x->peer_gone || !x->keep_alive || x->server->stopping) {
        x->state = CONNECTION_CLOSING;
        http_connection_close(x);
        return;
    }
    x->state = CONNECTION_IDLE;
    http_connection_next(x);
}

void http_on_sent(struct completion *c)
{
    struct http_exchange *x = c->context;
    x->sending = false;
    x->deadline_ns = 0;
    if (c->result < 0 && !x->peer_gone) {
        x->peer_gone = true;
        shutdown(x->fd, SHUT_RDWR);
        if (x->streaming && !x->stream_ended && x->on_gone) x->on_gone(x->on_gone_context);
    }
    struct completion *drained = x->drained;
    x->drained = NULL;
    if (x->streaming) {
        free(x->out_owned);
        x->out_owned = NULL;
        x->head[0] = 0;
    }
    if (drained) completion_post(x->server->io, drained, x->peer_gone ? -EPIPE : 0);
    if (!x->streaming || x->stream_ended)
        answer_done(x);
    else if (x->peer_gone)
        http_connection_close(x);
}

static void send_out(struct http_exchange *x)
{
    x->deadline_ns = http_deadline_in(x, x->server->options.send_timeout_ms);
    x->sending = true;
    io_sendv(x->server->io, x->fd, x->out, x->out_count, &x->send_done);
}

// A body that was not read to its end is in the way of the next request.
static void body_leave(struct http_exchange *x)
{
    if (!x->body_streamed || x->body_ended) return;
    x->keep_alive = false;
    x->parse_error = true;
}

static void reply(struct http_exchange *x, int status, const char *content_type, const char *lines, void *body, size_t size,
                  u64 body_size)
{
    ASSERT(x->state == CONNECTION_HANDLER && !x->answered);
    body_leave(x);
    x->answered = true;
    x->on_gone = NULL;
    free(x->out_owned);
    x->out_owned = body;
    if (x->peer_gone) {
        answer_done(x);
        return;
    }
    bool head_only = x->parser.method == HTTP_HEAD;
    int n = snprintf(x->head, sizeof x->head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n%s%s\r\n",
                     status, reason_of(status), content_type, (unsigned long long)body_size, lines,
                     x->keep_alive ? "" : "Connection: close\r\n");
    ASSERT(n > 0 && (size_t)n < sizeof x->head);
    x->out[0] = (struct iovec){x->head, (size_t)n};
    x->out[1] = (struct iovec){body, size};
    x->out_count = size && !head_only ? 2 : 1;
    send_out(x);
}

void http_reply_owned(struct http_exchange *x, int status, const char *content_type, void *body, size_t size)
{
    reply(x, status, content_type, "", body, size, size);
}

void http_reply_headers(struct http_exchange *x, int status, const char *content_type, const char *lines, const void *body,
                        size_t size, u64 body_size)
{
    char *copy = malloc(size + 1);
    if (copy && size) memcpy(copy, body, size);
    reply(x, copy ? status : 503, content_type, lines, copy, copy ? size : 0, copy ? body_size : 0);
}

void http_reply(struct http_exchange *x, int status, const char *content_type, const void *body, size_t size)
{
    http_reply_headers(x, status, content_type, "", body, size, size);
}

void http_stream_begin_sized(struct http_exchange *x, int status, const char *content_type, const char *lines, u64 size)
{
    ASSERT(x->state == CONNECTION_HANDLER && !x->answered);
    body_leave(x);
    x->answered = x->streaming = true;
    x->stream_ended = x->chunked = false;
    int n = snprintf(x->head, sizeof x->head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n%s%s\r\n",
                     status, reason_of(status), content_type, (unsigned long long)size, lines,
                     x->keep_alive ? "" : "Connection: close\r\n");
    ASSERT(n > 0 && (size_t)n < sizeof x->head);
}

void http_stream_abort(struct http_exchange *x)
{
    ASSERT(x->streaming && !x->stream_ended && !x->sending);
    x->stream_ended = true;
    x->on_gone = NULL;
    x->keep_alive = false;
    x->peer_gone = true;
    shutdown(x->fd, SHUT_RDWR);
    answer_done(x);
}

void http_stream_begin(struct http_exchange *x, int status, const char *content_type)
{
    ASSERT(x->state == CONNECTION_HANDLER && !x->answered);
    body_leave(x);
    x->answered = x->streaming = true;
    x->stream_ended = false;
    x->chunked = x->parser.http_major == 1 && x->parser.http_minor >= 1;
    if (!x->chunked) x->keep_alive = false;
    snprintf(x->head, sizeof x->head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s%s\r\n", status, reason_of(status),
             content_type, x->chunked ? "Transfer-Encoding: chunked\r\n" : "", x->keep_alive ? "" : "Connection: close\r\n");
}

static void stream_send(struct http_exchange *x, const void *bytes, size_t size)
{
    u32 n = 0;
    if (x->head[0]) x->out[n++] = (struct iovec){x->head, strlen(x->head)};
    if (size && x->chunked) {
        snprintf(x->chunk_head, sizeof x->chunk_head, "%zx\r\n", size);
        x->out[n++] = (struct iovec){x->chunk_head, strlen(x->chunk_head)};
    }
    if (size) x->out[n++] = (struct iovec){(void *)bytes, size};
    if (x->chunked) {
        static const char AFTER[] = "\r\n", LAST[] = "0\r\n\r\n";
        if (size)
            x->out[n++] = (struct iovec){(void *)AFTER, 2};
        else if (x->stream_ended)
            x->out[n++] = (struct iovec){(void *)LAST, 5};
    }
    x->out_count = n;
}

void http_stream_write(struct http_exchange *x, const void *bytes, size_t size, struct completion *drained)
{
    ASSERT(x->streaming && !x->stream_ended && !x->sending);
    char *copy = x->peer_gone ? NULL : malloc(size + 1);
    if (!copy) {
        if (!x->peer_gone) http_connection_close(x);
        if (drained) completion_post(x->server->io, drained, -EPIPE);
        return;
    }
    memcpy(copy, bytes, size);
    free(x->out_owned);
    x->out_owned = copy;
    stream_send(x, copy, size);
    x->drained = drained;
    send_out(x);
}

void http_stream_end(struct http_exchange *x)
{
    ASSERT(x->streaming && !x->stream_ended && !x->sending);
    x->stream_ended = true;
    x->on_gone = NULL;
    if (x->peer_gone) {
        answer_done(x);
        return;
    }
    stream_send(x, NULL, 0);
    if (x->out_count)
        send_out(x);
    else
        answer_done(x);
}
