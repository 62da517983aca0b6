#include "http_server.h"

#include <errno.h>
#include <http_parser.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECV_SIZE       HTTP_PIECE_SIZE
#define HEADERS_MAX     64
#define SWEEP_MS        500
#define LINGER_MS       2000
#define ANSWER_HEAD_MAX 1024

enum connection_state {
    CONNECTION_IDLE,   // between requests
    CONNECTION_HEADER, // in a request's header
    CONNECTION_BODY,
    CONNECTION_HANDLER, // complete, with the handler
    CONNECTION_CLOSING,
};

struct http_header_field {
    u32 name, name_size, value, value_size; // offsets into text
};

struct http_exchange {
    struct http_server *server;
    struct http_exchange *next, *prev;
    int fd;
    enum connection_state state;
    http_parser parser;
    struct completion recv_done, send_done;
    bool receiving, sending, peer_gone, parse_error, keep_alive;
    u64 deadline_ns; // of the state it is in; 0 = none
    int refuse_status;

    u8 recv_buffer[RECV_SIZE];
    size_t recv_size, recv_used; // bytes that were read and not parsed yet

    char *text; // URL and headers, NUL-terminated pieces
    u32 text_size, text_capacity;
    u32 url_size;
    struct http_header_field headers[HEADERS_MAX];
    u32 header_count;
    bool in_value;
    char *body;
    size_t body_size, body_capacity;
    bool body_streamed, body_ended;
    u8 *piece; // where the handler wants more of it
    struct completion *piece_done;

    // The answer.
    bool answered, streaming, stream_ended, chunked;
    char head[ANSWER_HEAD_MAX];
    char chunk_head[24];
    void *out_owned;
    struct iovec out[4];
    u32 out_count;
    struct completion *drained;
    void (*on_gone)(void *context);
    void *on_gone_context;
};

struct http_server {
    struct http_server_options options;
    struct io *io;
    int listen_fd;
    struct completion accept_done, sweep;
    bool accepting, stopping;
    u64 stop_deadline_ns;
    struct completion *stop_done;
    struct http_exchange *connections;
    struct http_server_stats stats;
};

static void connection_next(struct http_exchange *x);
static void receive(struct http_exchange *x, size_t offset);
static void connection_parse(struct http_exchange *x);

static u64 deadline_in(struct http_exchange *x, u32 ms)
{
    return ms ? io_now_ns(x->server->io) + (u64)ms * 1000000 : 0;
}

static void stop_check(struct http_server *s)
{
    if (!s->stopping || !s->stop_done) return;
    bool busy = false;
    for (struct http_exchange *x = s->connections; x; x = x->next)
        busy |= x->state == CONNECTION_HANDLER || x->sending;
    if (busy && io_now_ns(s->io) < s->stop_deadline_ns) return;
    struct completion *done = s->stop_done;
    s->stop_done = NULL;
    completion_post(s->io, done, 0);
}

static void connection_free(struct http_exchange *x)
{
    struct http_server *s = x->server;
    if (x->prev)
        x->prev->next = x->next;
    else
        s->connections = x->next;
    if (x->next) x->next->prev = x->prev;
    s->stats.connections--;
    io_socket_close(s->io, x->fd);
    free(x->text);
    free(x->body);
    free(x->out_owned);
    free(x);
    stop_check(s);
}

static void piece_complete(struct http_exchange *x, s64 result)
{
    struct completion *done = x->piece_done;
    x->piece_done = NULL;
    if (done) completion_post(x->server->io, done, result);
}

// Closes once nothing of it is under way: neither an operation nor a handler.
static void connection_close(struct http_exchange *x)
{
    struct http_server *s = x->server;
    bool with_handler =
        x->state == CONNECTION_HANDLER && !(x->answered && (!x->streaming || x->stream_ended));
    if (!x->peer_gone) {
        x->peer_gone = true;
        shutdown(x->fd, SHUT_RDWR);
        piece_complete(x, -EPIPE);
        if (with_handler && x->on_gone) x->on_gone(x->on_gone_context);
        with_handler =
            x->state == CONNECTION_HANDLER && !(x->answered && (!x->streaming || x->stream_ended));
    }
    if (x->receiving) io_cancel(s->io, &x->recv_done);
    if (x->sending) io_cancel(s->io, &x->send_done);
    if (x->receiving || x->sending || with_handler) return;
    x->state = CONNECTION_CLOSING;
    connection_free(x);
}

// ---- parsing
// ------------------------------------------------------------------------------------------

static bool text_add(struct http_exchange *x, const char *bytes, size_t size)
{
    u32 max = x->server->options.header_size_max;
    if (size > max || x->text_size + size + 1 > max) {
        x->refuse_status = 431;
        return false;
    }
    if (x->text_size + size + 1 > x->text_capacity) {
        u32 capacity = MAX(x->text_capacity * 2, x->text_size + (u32)size + 256);
        char *bigger = realloc(x->text, capacity);
        if (!bigger) return false;
        x->text = bigger;
        x->text_capacity = capacity;
    }
    memcpy(x->text + x->text_size, bytes, size);
    x->text_size += (u32)size;
    x->text[x->text_size] = 0;
    return true;
}

static int on_message_begin(http_parser *p)
{
    struct http_exchange *x = p->data;
    x->state = CONNECTION_HEADER;
    x->deadline_ns = deadline_in(x, x->server->options.header_timeout_ms);
    x->text_size = x->url_size = x->header_count = 0;
    x->in_value = false;
    x->body_size = 0;
    x->refuse_status = 0;
    x->body_streamed = x->body_ended = false;
    return 0;
}

static int on_url(http_parser *p, const char *at, size_t size)
{
    struct http_exchange *x = p->data;
    if (!text_add(x, at, size)) return 1;
    x->url_size += (u32)size;
    return 0;
}

static int on_header_field(http_parser *p, const char *at, size_t size)
{
    struct http_exchange *x = p->data;
    if (x->header_count == 0 || x->in_value) {
        if (x->header_count == HEADERS_MAX) {
            x->refuse_status = 431;
            return 1;
        }
        x->text_size++; // keep the NUL of what came before
        x->headers[x->header_count++] = (struct http_header_field){.name = x->text_size};
        x->in_value = false;
    }
    if (!text_add(x, at, size)) return 1;
    x->headers[x->header_count - 1].name_size += (u32)size;
    return 0;
}

static int on_header_value(http_parser *p, const char *at, size_t size)
{
    struct http_exchange *x = p->data;
    struct http_header_field *h = &x->headers[x->header_count - 1];
    if (!x->in_value) {
        x->in_value = true;
        x->text_size++;
        h->value = x->text_size;
    }
    if (!text_add(x, at, size)) return 1;
    h->value_size += (u32)size;
    return 0;
}

static int on_headers_complete(http_parser *p)
{
    struct http_exchange *x = p->data;
    x->state = CONNECTION_BODY;
    x->deadline_ns = deadline_in(x, x->server->options.body_timeout_ms);
    if (p->http_major != 1) {
        x->refuse_status = 505;
        return -1;
    }
    bool sized = p->content_length != UINT64_MAX;
    const struct http_server_options *o = &x->server->options;
    x->body_streamed = o->streams && o->streams(x);
    u64 max = x->body_streamed ? o->stream_size_max : o->body_size_max;
    if (sized && p->content_length > max) {
        x->refuse_status = 413;
        return -1;
    }
    if (sized && !x->body_streamed && p->content_length > x->body_capacity &&
        p->content_length < (1u << 20)) {
        char *bigger = realloc(x->body, p->content_length + 1);
        if (!bigger) return -1;
        x->body = bigger;
        x->body_capacity = p->content_length + 1;
    }
    const char *expect = http_header(x, "expect");
    if (expect && strcasecmp(expect, "100-continue") == 0 && !x->sending) {
        static const char CONTINUE[] = "HTTP/1.1 100 Continue\r\n\r\n";
        (void)!send(x->fd, CONTINUE, sizeof CONTINUE - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (x->body_streamed) {
        x->state = CONNECTION_HANDLER;
        x->deadline_ns = 0;
        x->keep_alive = false; // until the body's end
        http_parser_pause(p, 1);
    }
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t size)
{
    struct http_exchange *x = p->data;
    if (x->body_streamed) {
        // The handler waits for it: nothing is parsed before it has asked.
        memcpy(x->piece, at, size);
        x->body_size += size;
        x->deadline_ns = 0;
        if (x->body_size > x->server->options.stream_size_max) return 1;
        http_parser_pause(p, 1);
        piece_complete(x, (s64)size);
        return 0;
    }
    if (size >
        x->server->options.body_size_max - MIN(x->body_size, x->server->options.body_size_max)) {
        x->refuse_status = 413;
        return 1;
    }
    if (x->body_size + size + 1 > x->body_capacity) {
        size_t capacity = MAX(x->body_capacity * 2, x->body_size + size + 1);
        char *bigger = realloc(x->body, capacity);
        if (!bigger) {
            x->refuse_status = 503;
            return 1;
        }
        x->body = bigger;
        x->body_capacity = capacity;
    }
    memcpy(x->body + x->body_size, at, size);
    x->body_size += size;
    x->deadline_ns = deadline_in(x, x->server->options.body_timeout_ms);
    return 0;
}

static int on_message_complete(http_parser *p)
{
    struct http_exchange *x = p->data;
    x->state = CONNECTION_HANDLER;
    x->deadline_ns = 0;
    x->body_ended = true;
    x->keep_alive = http_should_keep_alive(p) != 0;
    http_parser_pause(p, 1); // one request at a time
    return 0;
}

static const http_parser_settings PARSER_SETTINGS = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

// An answer that the server gives by itself, before it closes.
static void connection_refuse(struct http_exchange *x, int status, const char *text)
{
    x->state = CONNECTION_HANDLER;
    x->deadline_ns = 0;
    x->keep_alive = false;
    x->answered = x->streaming = x->stream_ended = false;
    char body[200];
    int n = snprintf(body, sizeof body, "{\"error\":\"%s\"}", text);
    http_reply(x, status, "application/json", body, (size_t)n);
}

static void request_complete(struct http_exchange *x)
{
    struct http_server *s = x->server;
    s->stats.requests++;
    x->answered = x->streaming = x->stream_ended = false;
    x->on_gone = NULL;
    char *question = memchr(x->text, '?', x->url_size);
    if (question) *question = 0;
    if (x->body_streamed) {
        s->options.handle(x);
        return;
    }
    if (x->body) x->body[x->body_size] = 0;
    // A receive stays out while the handler works: it notices a peer that goes away, and takes the
    // next request.
    if (x->recv_used == x->recv_size) {
        x->recv_used = x->recv_size = 0;
        receive(x, 0);
    }
    s->options.handle(x);
}

// Goes on with a streamed body that the handler waits for.
static void body_pump(struct http_exchange *x)
{
    if (x->recv_used == x->recv_size) {
        x->recv_used = x->recv_size = 0;
        x->deadline_ns = deadline_in(x, x->server->options.body_timeout_ms);
        if (!x->receiving) receive(x, 0);
        return;
    }
    http_parser_pause(&x->parser, 0);
    size_t left = x->recv_size - x->recv_used;
    x->recv_used += http_parser_execute(&x->parser, &PARSER_SETTINGS,
                                        (char *)x->recv_buffer + x->recv_used, left);
    enum http_errno e = HTTP_PARSER_ERRNO(&x->parser);
    if (x->body_ended) {
        piece_complete(x, 0);
    } else if (e == HPE_OK && x->piece_done) {
        body_pump(x); // a chunk's head, say
    } else if (e != HPE_OK && e != HPE_PAUSED) {
        x->server->stats.malformed++;
        piece_complete(x, -EPROTO);
    }
}

void http_body_read(struct http_exchange *x, void *buffer, size_t size, struct completion *done)
{
    ASSERT(x->body_streamed && !x->piece_done && size >= HTTP_PIECE_SIZE);
    x->piece = buffer;
    x->piece_done = done;
    if (x->peer_gone)
        piece_complete(x, -EPIPE);
    else if (x->body_ended)
        piece_complete(x, 0);
    else
        body_pump(x);
}

bool http_content_length(const struct http_exchange *x, u64 *size)
{
    const char *text = http_header(x, "content-length");
    if (text) *size = strtoull(text, NULL, 10); // the parser has checked it
    return text != NULL;
}

static void connection_parse(struct http_exchange *x)
{
    http_parser_pause(&x->parser, 0);
    size_t left = x->recv_size - x->recv_used;
    size_t used = http_parser_execute(&x->parser, &PARSER_SETTINGS,
                                      (char *)x->recv_buffer + x->recv_used, left);
    enum http_errno e = HTTP_PARSER_ERRNO(&x->parser);
    x->recv_used += used;
    if (e == HPE_PAUSED) {
        request_complete(x);
        return;
    }
    if (x->parser.upgrade) {
        connection_refuse(x, 400, "this server upgrades to no other protocol");
        return;
    }
    if (e != HPE_OK || used != left) {
        x->server->stats.malformed++;
        x->parse_error = true;
        if (x->refuse_status == 413)
            connection_refuse(x, 413,
                              "the request body is larger than this node takes (--body-size-max)");
        else if (x->refuse_status == 431 || e == HPE_HEADER_OVERFLOW)
            connection_refuse(x, 431, "the request header is larger than this node takes");
        else if (x->refuse_status == 505)
            connection_refuse(x, 505, "this server speaks HTTP/1.0 and HTTP/1.1");
        else if (x->refuse_status)
            connection_refuse(x, x->refuse_status, "out of memory");
        else
            connection_refuse(x, 400, "malformed HTTP request");
        return;
    }
    connection_next(x);
}

static void on_recv(struct completion *c)
{
    struct http_exchange *x = c->context;
    x->receiving = false;
    if (x->peer_gone || c->result <= 0) {
        connection_close(x);
        return;
    }
    if (x->state == CONNECTION_CLOSING) {
        receive(x, 0); // dropped
        return;
    }
    if (x->state == CONNECTION_HANDLER && x->body_streamed && !x->body_ended) {
        x->recv_size = (size_t)c->result;
        x->recv_used = 0;
        if (x->piece_done) body_pump(x);
        return;
    }
    if (x->state == CONNECTION_HANDLER) {
        // The peer sent more while its request is being answered: kept for later.
        x->recv_size += (size_t)c->result;
        return;
    }
    x->recv_size = (size_t)c->result;
    x->recv_used = 0;
    connection_parse(x);
}

static void receive(struct http_exchange *x, size_t offset)
{
    x->receiving = true;
    io_recv(x->server->io, x->fd, x->recv_buffer + offset, RECV_SIZE - offset, &x->recv_done);
}

// Goes on with the connection when nothing of the last request is left.
static void connection_next(struct http_exchange *x)
{
    if (x->peer_gone || (x->server->stopping && x->state == CONNECTION_IDLE)) {
        connection_close(x);
        return;
    }
    if (x->recv_used < x->recv_size) {
        connection_parse(x);
        return;
    }
    x->recv_used = x->recv_size = 0;
    if (x->state == CONNECTION_IDLE)
        x->deadline_ns = deadline_in(x, x->server->options.idle_timeout_ms);
    if (!x->receiving) receive(x, 0);
}

// ---- answering
// ----------------------------------------------------------------------------------------

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
        x->deadline_ns = deadline_in(x, LINGER_MS);
        shutdown(x->fd, SHUT_WR);
        if (!x->receiving) receive(x, 0);
        return;
    }
    if (x->peer_gone || !x->keep_alive || x->server->stopping) {
        x->state = CONNECTION_CLOSING;
        connection_close(x);
        return;
    }
    x->state = CONNECTION_IDLE;
    connection_next(x);
}

static void on_sent(struct completion *c)
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
        connection_close(x);
}

static void send_out(struct http_exchange *x)
{
    x->deadline_ns = deadline_in(x, x->server->options.send_timeout_ms);
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

static void reply(struct http_exchange *x, int status, const char *content_type, const char *lines,
                  void *body, size_t size, u64 body_size)
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
    int n = snprintf(x->head, sizeof x->head,
                     "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n%s%s\r\n",
                     status, reason_of(status), content_type, (unsigned long long)body_size, lines,
                     x->keep_alive ? "" : "Connection: close\r\n");
    ASSERT(n > 0 && (size_t)n < sizeof x->head);
    x->out[0] = (struct iovec){x->head, (size_t)n};
    x->out[1] = (struct iovec){body, size};
    x->out_count = size && !head_only ? 2 : 1;
    send_out(x);
}

void http_reply_owned(struct http_exchange *x, int status, const char *content_type, void *body,
                      size_t size)
{
    reply(x, status, content_type, "", body, size, size);
}

void http_reply_headers(struct http_exchange *x, int status, const char *content_type,
                        const char *lines, const void *body, size_t size, u64 body_size)
{
    char *copy = malloc(size + 1);
    if (copy && size) memcpy(copy, body, size);
    reply(x, copy ? status : 503, content_type, lines, copy, copy ? size : 0, copy ? body_size : 0);
}

void http_reply(struct http_exchange *x, int status, const char *content_type, const void *body,
                size_t size)
{
    http_reply_headers(x, status, content_type, "", body, size, size);
}

void http_stream_begin_sized(struct http_exchange *x, int status, const char *content_type,
                             const char *lines, u64 size)
{
    ASSERT(x->state == CONNECTION_HANDLER && !x->answered);
    body_leave(x);
    x->answered = x->streaming = true;
    x->stream_ended = x->chunked = false;
    int n = snprintf(x->head, sizeof x->head,
                     "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n%s%s\r\n",
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
    snprintf(x->head, sizeof x->head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s%s\r\n", status,
             reason_of(status), content_type, x->chunked ? "Transfer-Encoding: chunked\r\n" : "",
             x->keep_alive ? "" : "Connection: close\r\n");
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

void http_stream_write(struct http_exchange *x, const void *bytes, size_t size,
                       struct completion *drained)
{
    ASSERT(x->streaming && !x->stream_ended && !x->sending);
    char *copy = x->peer_gone ? NULL : malloc(size + 1);
    if (!copy) {
        if (!x->peer_gone) connection_close(x);
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

// ---- the server
// -----------------------------------------------------------------------------------------

static void accept_next(struct http_server *s)
{
    if (s->stopping || s->accepting) return;
    s->accepting = true;
    io_accept(s->io, s->listen_fd, &s->accept_done);
}

static void on_accept(struct completion *c)
{
    struct http_server *s = c->context;
    s->accepting = false;
    int fd = (int)c->result;
    if (fd < 0) {
        // Out of descriptors: the sweep tries again.
        if (fd != -EMFILE && fd != -ENFILE && fd != -ECANCELED) accept_next(s);
        return;
    }
    struct http_exchange *x =
        s->stats.connections < s->options.connections_max ? calloc(1, sizeof *x) : NULL;
    if (!x) {
        static const char FULL[] =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
            "Content-Length: 55\r\nConnection: close\r\n\r\n"
            "{\"error\":\"too many connections (--connections-max)\"}   ";
        (void)!send(fd, FULL, sizeof FULL - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        s->stats.refused++;
        io_socket_close(s->io, fd);
        accept_next(s);
        return;
    }
    x->server = s;
    x->fd = fd;
    x->next = s->connections;
    if (x->next) x->next->prev = x;
    s->connections = x;
    s->stats.connections++;
    s->stats.accepted++;
    completion_init(&x->recv_done, on_recv, x);
    completion_init(&x->send_done, on_sent, x);
    http_parser_init(&x->parser, HTTP_REQUEST);
    x->parser.data = x;
    if (s->sweep.state != COMPLETION_PENDING) io_timeout(s->io, SWEEP_MS * 1000000ull, &s->sweep);
    connection_next(x);
    accept_next(s);
}

static void on_sweep(struct completion *c)
{
    struct http_server *s = c->context;
    if (c->result < 0) return;
    u64 now = io_now_ns(s->io);
    struct http_exchange *next;
    for (struct http_exchange *x = s->connections; x; x = next) {
        next = x->next;
        if (!x->deadline_ns || now < x->deadline_ns) continue;
        s->stats.timeouts++;
        x->deadline_ns = 0;
        connection_close(x);
    }
    accept_next(s);
    stop_check(s);
    if (s->connections || s->stop_done) io_timeout(s->io, SWEEP_MS * 1000000ull, &s->sweep);
}

struct http_server *http_server_open(struct io *io, const struct http_server_options *options,
                                     struct err *err)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    s->io = io;
    s->options = *options;
    s->listen_fd = io_listen(io, options->address, 1024, err);
    if (s->listen_fd < 0) {
        free(s);
        return NULL;
    }
    http_parser_set_max_header_size(options->header_size_max);
    completion_init(&s->accept_done, on_accept, s);
    completion_init(&s->sweep, on_sweep, s);
    accept_next(s);
    return s;
}

u16 http_server_port(const struct http_server *s)
{
    return io_listen_port(s->listen_fd);
}

void http_server_stats_get(const struct http_server *s, struct http_server_stats *out)
{
    *out = s->stats;
}

void http_server_stop(struct http_server *s, u64 deadline_ns, struct completion *done)
{
    s->stopping = true;
    s->stop_deadline_ns = deadline_ns;
    s->stop_done = done;
    if (s->accepting) io_cancel(s->io, &s->accept_done);
    struct http_exchange *next;
    for (struct http_exchange *x = s->connections; x; x = next) {
        next = x->next;
        if (x->state != CONNECTION_HANDLER && !x->sending) connection_close(x);
    }
    if (s->sweep.state != COMPLETION_PENDING) io_timeout(s->io, SWEEP_MS * 1000000ull, &s->sweep);
    stop_check(s);
}

void http_server_close(struct http_server *s)
{
    s->stopping = true;
    struct http_exchange *next;
    for (struct http_exchange *x = s->connections; x; x = next) {
        next = x->next;
        connection_close(x);
    }
    if (s->sweep.state == COMPLETION_PENDING) io_cancel(s->io, &s->sweep);
    if (s->accepting) io_cancel(s->io, &s->accept_done);
    for (u32 turns = 0;
         turns < 1000 && (s->connections || s->sweep.state == COMPLETION_PENDING || s->accepting);
         turns++)
        if (io_step(s->io, 10000000) < 0) break;
    close(s->listen_fd);
    free(s);
}

void *http_context(const struct http_exchange *x)
{
    return x->server->options.context;
}

const char *http_method(const struct http_exchange *x)
{
    return http_method_str(x->parser.method);
}

const char *http_path(const struct http_exchange *x)
{
    return x->text;
}

const char *http_query(const struct http_exchange *x)
{
    size_t size = strlen(x->text);
    return size < x->url_size ? x->text + size + 1 : "";
}

const char *http_header(const struct http_exchange *x, const char *name)
{
    size_t size = strlen(name);
    for (u32 i = 0; i < x->header_count; i++)
        if (x->headers[i].name_size == size &&
            strncasecmp(x->text + x->headers[i].name, name, size) == 0)
            return x->headers[i].value ? x->text + x->headers[i].value : "";
    return NULL;
}

const char *http_body(const struct http_exchange *x, size_t *size)
{
    *size = x->body_size;
    return x->body ? x->body : "";
}

void http_on_gone(struct http_exchange *x, void (*on_gone)(void *context), void *context)
{
    x->on_gone = on_gone;
    x->on_gone_context = context;
}
