// Requests: reading and parsing, what handlers ask of them.
#include "http_internal.h"

#include <errno.h>
#include <sys/socket.h>

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
    x->deadline_ns = http_deadline_in(x, x->server->options.header_timeout_ms);
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
    x->deadline_ns = http_deadline_in(x, x->server->options.body_timeout_ms);
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
    if (sized && !x->body_streamed && p->content_length > x->body_capacity && p->content_length < (1u << 20)) {
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
        http_piece_complete(x, (s64)size);
        return 0;
    }
    if (size > x->server->options.body_size_max - MIN(x->body_size, x->server->options.body_size_max)) {
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
    x->deadline_ns = http_deadline_in(x, x->server->options.body_timeout_ms);
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
        http_receive(x, 0);
    }
    s->options.handle(x);
}

// Goes on with a streamed body that the handler waits for.
static void body_pump(struct http_exchange *x)
{
    if (x->recv_used == x->recv_size) {
        x->recv_used = x->recv_size = 0;
        x->deadline_ns = http_deadline_in(x, x->server->options.body_timeout_ms);
        if (!x->receiving) http_receive(x, 0);
        return;
    }
    http_parser_pause(&x->parser, 0);
    size_t left = x->recv_size - x->recv_used;
    x->recv_used += http_parser_execute(&x->parser, &PARSER_SETTINGS, (char *)x->recv_buffer + x->recv_used, left);
    enum http_errno e = HTTP_PARSER_ERRNO(&x->parser);
    if (x->body_ended) {
        http_piece_complete(x, 0);
    } else if (e == HPE_OK && x->piece_done) {
        body_pump(x); // a chunk's head, say
    } else if (e != HPE_OK && e != HPE_PAUSED) {
        x->server->stats.malformed++;
        http_piece_complete(x, -EPROTO);
    }
}

void http_body_read(struct http_exchange *x, void *buffer, size_t size, struct completion *done)
{
    ASSERT(x->body_streamed && !x->piece_done && size >= HTTP_PIECE_SIZE);
    x->piece = buffer;
    x->piece_done = done;
    if (x->peer_gone)
        http_piece_complete(x, -EPIPE);
    else if (x->body_ended)
        http_piece_complete(x, 0);
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
    size_t used = http_parser_execute(&x->parser, &PARSER_SETTINGS, (char *)x->recv_buffer + x->recv_used, left);
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
            connection_refuse(x, 413, "the request body is larger than this node takes (--body-size-max)");
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
    http_connection_next(x);
}

void http_on_recv(struct completion *c)
{
    struct http_exchange *x = c->context;
    x->receiving = false;
    if (x->peer_gone || c->result <= 0) {
        http_connection_close(x);
        return;
    }
    if (x->state == CONNECTION_CLOSING) {
        http_receive(x, 0); // dropped
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

void http_receive(struct http_exchange *x, size_t offset)
{
    x->receiving = true;
    io_recv(x->server->io, x->fd, x->recv_buffer + offset, RECV_SIZE - offset, &x->recv_done);
}

// Goes on with the connection when nothing of the last request is left.
void http_connection_next(struct http_exchange *x)
{
    if (x->peer_gone || (x->server->stopping && x->state == CONNECTION_IDLE)) {
        http_connection_close(x);
        return;
    }
    if (x->recv_used < x->recv_size) {
        connection_parse(x);
        return;
    }
    x->recv_used = x->recv_size = 0;
    if (x->state == CONNECTION_IDLE) x->deadline_ns = http_deadline_in(x, x->server->options.idle_timeout_ms);
    if (!x->receiving) http_receive(x, 0);
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
        if (x->headers[i].name_size == size && strncasecmp(x->text + x->headers[i].name, name, size) == 0)
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
