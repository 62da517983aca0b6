// Sockets: listening, the front of accept, recv and send, and connecting.
//
// A connection is made of polls, so that every backend has it: first, for a host that is a name, on
// an eventfd that a resolving thread writes to (getaddrinfo blocks); then on each address in turn.
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_SIZE_MAX 256

// The ring waits inside the kernel for a blocking socket, and gets EAGAIN from a non-blocking one.
static bool sockets_block(const struct io *io)
{
    return io->backend->kind == IO_BACKEND_RING;
}

static bool address_split(const char *address, char *host, char *port)
{
    const char *colon = strrchr(address, ':');
    if (!colon || !colon[1] || strlen(colon + 1) > 5) return false;
    const char *start = address;
    size_t size = (size_t)(colon - address);
    if (size >= 2 && start[0] == '[' && colon[-1] == ']') {
        start++;
        size -= 2;
    } else if (memchr(start, ':', size)) {
        return false;
    }
    if (size >= HOST_SIZE_MAX) return false;
    memcpy(host, start, size);
    host[size] = 0;
    strcpy(port, colon + 1);
    return strspn(port, "0123456789") == strlen(port) && atoi(port) <= 65535;
}

static int listen_failed(int failed, const char *address, struct err *err)
{
    err_set_errno(err, ERR_NETWORK, failed, __func__, "cannot listen on %s: %s", address, strerror(failed));
    return -failed;
}

int io_bind(struct io *io, const char *address, struct err *err)
{
    char host[HOST_SIZE_MAX], port[6];
    if (!address_split(address, host, port)) {
        err_set(err, ERR_USAGE, __func__,
                "\"%s\" is not an address to listen on; write HOST:PORT, [V6]:PORT or :PORT",
                address);
        return -EINVAL;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    int rc = getaddrinfo(host[0] ? host : NULL, port, &hints, &list);
    if (rc != 0) {
        err_set(err, ERR_NETWORK, __func__, "cannot listen on %s: %s", address, gai_strerror(rc));
        return -EADDRNOTAVAIL;
    }
    int fd = -1, failed = EADDRNOTAVAIL, yes = 1, no = 0;
    for (u32 pass = 0; pass < 2 && fd < 0; pass++) {
        // Without a host, the V6 socket serves V4 as well, so it goes first.
        int family = host[0] ? AF_UNSPEC : pass == 0 ? AF_INET6 : AF_INET;
        if (host[0] && pass > 0) break;
        for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
            if (family != AF_UNSPEC && a->ai_family != family) continue;
            int type = SOCK_STREAM | SOCK_CLOEXEC | (sockets_block(io) ? 0 : SOCK_NONBLOCK);
            fd = socket(a->ai_family, type, a->ai_protocol);
            if (fd < 0) {
                failed = errno;
                continue;
            }
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
            if (a->ai_family == AF_INET6 && !host[0])
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
            if (bind(fd, a->ai_addr, a->ai_addrlen) < 0) {
                failed = errno;
                close(fd);
                fd = -1;
            }
        }
    }
    freeaddrinfo(list);
    return fd >= 0 ? fd : listen_failed(failed, address, err);
}

int io_bound_listen(int fd, const char *address, u32 backlog, struct err *err)
{
    return listen(fd, (int)backlog) == 0 ? 0 : listen_failed(errno, address, err);
}

int io_listen(struct io *io, const char *address, u32 backlog, struct err *err)
{
    int fd = io_bind(io, address, err);
    int failed = fd < 0 ? 0 : io_bound_listen(fd, address, backlog, err);
    if (failed) close(fd);
    return failed ? failed : fd;
}

u16 io_listen_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return 0;
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    return 0;
}

void io_poll(struct io *io, int fd, u32 events, struct completion *c)
{
    c->op.fd = fd;
    c->op.mode = events;
    c->op.file = NULL;
    io_submit(io, c, OP_POLL);
}

void io_accept(struct io *io, int listen_fd, struct completion *c)
{
    c->op.fd = listen_fd;
    c->op.file = NULL;
    io_submit(io, c, OP_ACCEPT);
}

void io_recv(struct io *io, int fd, void *buffer, size_t size, struct completion *c)
{
    c->op.fd = fd;
    c->op.file = NULL;
    c->op.iov_one = (struct iovec){.iov_base = buffer, .iov_len = size};
    io_submit(io, c, OP_RECV);
}

void io_sendv(struct io *io, int fd, const struct iovec *iov, u32 iov_count, struct completion *c)
{
    c->op.fd = fd;
    c->op.file = NULL;
    op_iov_set(c, iov, iov_count);
    io_submit(io, c, OP_SEND);
}

static void cancel_on(struct io *io, struct completion_list *list, int fd)
{
    for (struct completion *c = list->first, *next; c; c = next) {
        next = c->op.next;
        if (c->op.fd == fd && c->op.kind >= OP_POLL && c->op.kind <= OP_SEND) io_cancel(io, c);
    }
}

void io_socket_close(struct io *io, int fd)
{
    cancel_on(io, &io->queued, fd);
    cancel_on(io, &io->waiting, fd);
    close(fd);
}

// ---- connecting

// Shared with the resolving thread; whoever lets go last frees it.
struct resolution {
    atomic_int holders;
    atomic_bool resolved; // orders the thread's writing before the loop's reading
    int event_fd;
    int error; // -errno
    struct addrinfo *list;
    char host[HOST_SIZE_MAX], port[6];
};

struct connecting {
    struct io *io;
    struct completion *owner;
    struct completion poll;
    struct resolution *resolution;
    struct addrinfo *next;
    int fd;
    s64 failed; // the last address's error
    bool resolving, cancelled;
};

static void resolution_release(struct resolution *r)
{
    if (atomic_fetch_sub(&r->holders, 1) > 1) return;
    if (r->list) freeaddrinfo(r->list);
    if (r->event_fd >= 0) close(r->event_fd);
    free(r);
}

static int resolve(struct resolution *r, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    int rc = getaddrinfo(r->host, r->port, &hints, &r->list);
    if (rc == 0) return 0;
    if (rc == EAI_MEMORY) return -ENOMEM;
    return rc == EAI_AGAIN ? -EHOSTUNREACH : -ENXIO;
}

static void *resolve_thread(void *argument)
{
    struct resolution *r = argument;
    r->error = resolve(r, AI_ADDRCONFIG);
    atomic_store_explicit(&r->resolved, true, memory_order_release);
    u64 one = 1;
    ssize_t written = write(r->event_fd, &one, sizeof one);
    (void)written; // an eventfd at zero takes it
    resolution_release(r);
    return NULL;
}

static void connect_end(struct connecting *k, s64 result)
{
    struct completion *owner = k->owner;
    struct io *io = k->io;
    if (k->fd >= 0) close(k->fd);
    if (k->resolution) resolution_release(k->resolution);
    free(k);
    completion_list_remove(&io->connecting, owner);
    io_finish(io, owner, result);
}

static void connect_ready(struct connecting *k)
{
    int fd = k->fd, yes = 1;
    k->fd = -1;
    if (sockets_block(k->io)) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    connect_end(k, fd);
}

static void connect_next(struct connecting *k)
{
    while (k->next) {
        struct addrinfo *a = k->next;
        k->next = a->ai_next;
        k->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
        if (k->fd < 0) {
            k->failed = -errno;
            continue;
        }
        if (connect(k->fd, a->ai_addr, a->ai_addrlen) == 0) {
            connect_ready(k);
            return;
        }
        if (errno == EINPROGRESS) {
            io_poll(k->io, k->fd, POLLOUT, &k->poll);
            return;
        }
        k->failed = -errno;
        close(k->fd);
        k->fd = -1;
    }
    connect_end(k, k->failed);
}

static void connect_polled(struct completion *poll)
{
    struct connecting *k = poll->context;
    if (k->cancelled || poll->result < 0) {
        connect_end(k, k->cancelled ? -ECANCELED : poll->result);
        return;
    }
    if (k->resolving) {
        k->resolving = false;
        ASSERT(atomic_load_explicit(&k->resolution->resolved, memory_order_acquire));
        if (k->resolution->error < 0) {
            connect_end(k, k->resolution->error);
            return;
        }
        k->next = k->resolution->list;
        connect_next(k);
        return;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
    if (error == 0) {
        connect_ready(k);
        return;
    }
    k->failed = -error;
    close(k->fd);
    k->fd = -1;
    connect_next(k);
}

static s64 connect_start_resolving(struct connecting *k)
{
    struct resolution *r = k->resolution;
    r->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->event_fd < 0) return -errno;
    atomic_store(&r->holders, 2);
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, resolve_thread, r);
    if (rc != 0) {
        atomic_store(&r->holders, 1);
        return -rc;
    }
    pthread_detach(thread);
    k->resolving = true;
    io_poll(k->io, r->event_fd, POLLIN, &k->poll);
    return 0;
}

static s64 connect_begin(struct io *io, const char *host, u16 port, struct completion *c)
{
    if (strlen(host) >= HOST_SIZE_MAX) return -ENAMETOOLONG;
    struct connecting *k = calloc(1, sizeof *k);
    struct resolution *r = calloc(1, sizeof *r);
    if (!k || !r) {
        free(k);
        free(r);
        return -ENOMEM;
    }
    *k = (struct connecting){
        .io = io, .owner = c, .resolution = r, .fd = -1, .failed = -EHOSTUNREACH};
    completion_init(&k->poll, connect_polled, k);
    atomic_store(&r->holders, 1);
    r->event_fd = -1;
    strcpy(r->host, host);
    snprintf(r->port, sizeof r->port, "%u", port);
    c->op.out = k;
    c->op.place = PLACE_CONNECT;
    completion_list_add(&io->connecting, c);
    if (resolve(r, AI_NUMERICHOST) == 0) {
        k->next = r->list;
        connect_next(k);
        return 0;
    }
    s64 rc = connect_start_resolving(k);
    if (rc < 0) connect_end(k, rc);
    return 0;
}

void io_connect(struct io *io, const char *host, u16 port, struct completion *c)
{
    ASSERT(c->state != COMPLETION_PENDING);
    c->state = COMPLETION_PENDING;
    c->io = io;
    c->op.kind = OP_CONNECT;
    c->op.place = PLACE_NONE;
    c->op.fd = -1;
    c->op.file = NULL;
    io->pending_count++;
    io->counters.submissions++;
    if (io->closing || (c->group && c->group->cancelled)) {
        io_finish(io, c, -ECANCELED);
        return;
    }
    s64 rc = connect_begin(io, host, port, c);
    if (rc < 0) io_finish(io, c, rc);
}

void connect_cancel(struct io *io, struct completion *c)
{
    struct connecting *k = c->op.out;
    k->cancelled = true;
    io_cancel(io, &k->poll);
}
