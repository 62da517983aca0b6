// Connections: accepted, counted, closed when their time is over.
#include "http_internal.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_MS 500

u64 http_deadline_in(struct http_exchange *x, u32 ms)
{
    return ms ? io_now_ns(x->server->io) + (u64)ms * 1000000 : 0;
}

static void stop_check(struct http_server *s)
{
    if (!s->stopping || !s->stop_done) return;
    bool busy = false;
    for (struct http_exchange *x = s->connections; x; x = x->next) busy |= x->state == CONNECTION_HANDLER || x->sending;
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

void http_piece_complete(struct http_exchange *x, s64 result)
{
    struct completion *done = x->piece_done;
    x->piece_done = NULL;
    if (done) completion_post(x->server->io, done, result);
}

// Closes once nothing of it is under way: neither an operation nor a handler.
void http_connection_close(struct http_exchange *x)
{
    struct http_server *s = x->server;
    bool with_handler = x->state == CONNECTION_HANDLER && !(x->answered && (!x->streaming || x->stream_ended));
    if (!x->peer_gone) {
        x->peer_gone = true;
        shutdown(x->fd, SHUT_RDWR);
        http_piece_complete(x, -EPIPE);
        if (with_handler && x->on_gone) x->on_gone(x->on_gone_context);
        with_handler = x->state == CONNECTION_HANDLER && !(x->answered && (!x->streaming || x->stream_ended));
    }
    if (x->receiving) io_cancel(s->io, &x->recv_done);
    if (x->sending) io_cancel(s->io, &x->send_done);
    if (x->receiving || x->sending || with_handler) return;
    x->state = CONNECTION_CLOSING;
    connection_free(x);
}

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
    struct http_exchange *x = s->stats.connections < s->options.connections_max ? calloc(1, sizeof *x) : NULL;
    if (!x) {
        static const char FULL[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
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
    completion_init(&x->recv_done, http_on_recv, x);
    completion_init(&x->send_done, http_on_sent, x);
    http_parser_init(&x->parser, HTTP_REQUEST);
    x->parser.data = x;
    if (s->sweep.state != COMPLETION_PENDING) io_timeout(s->io, SWEEP_MS * 1000000ull, &s->sweep);
    http_connection_next(x);
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
        http_connection_close(x);
    }
    accept_next(s);
    stop_check(s);
    if (s->connections || s->stop_done) io_timeout(s->io, SWEEP_MS * 1000000ull, &s->sweep);
}

struct http_server *http_server_open(struct io *io, const struct http_server_options *options, struct err *err)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    s->io = io;
    s->options = *options;
    s->listen_fd = io_bind(io, options->address, err);
    if (s->listen_fd < 0) {
        free(s);
        return NULL;
    }
    http_parser_set_max_header_size(options->header_size_max);
    completion_init(&s->accept_done, on_accept, s);
    completion_init(&s->sweep, on_sweep, s);
    return s;
}

bool http_server_start(struct http_server *s, struct err *err)
{
    if (io_bound_listen(s->listen_fd, s->options.address, 1024, err) < 0) return false;
    accept_next(s);
    return true;
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
        if (x->state != CONNECTION_HANDLER && !x->sending) http_connection_close(x);
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
        http_connection_close(x);
    }
    if (s->sweep.state == COMPLETION_PENDING) io_cancel(s->io, &s->sweep);
    if (s->accepting) io_cancel(s->io, &s->accept_done);
    for (u32 turns = 0; turns < 1000 && (s->connections || s->sweep.state == COMPLETION_PENDING || s->accepting); turns++)
        if (io_step(s->io, 10000000) < 0) break;
    close(s->listen_fd);
    free(s);
}
