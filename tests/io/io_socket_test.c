// Goal: sockets keep io.h's contract on every backend that has them.
// Method: both ends of each connection live in one loop on the loopback interface; a small echo
// server is written as a node would write it, and what comes back is compared byte for byte.
#include "contract.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

// Room for every connection that a test makes at once: beyond it the kernel answers with SYN cookies, and a late
// acknowledgement may then open a connection that nobody made.
static int listen_any(struct contract *t, u16 *port)
{
    struct err err = ERR_CLEAR;
    int fd = io_listen(t->io, "127.0.0.1:0", 1024, &err);
    if (fd < 0) test_fail(__FILE__, __LINE__, "%s", err.text);
    *port = fd < 0 ? 0 : io_listen_port(fd);
    return fd;
}

// A connected pair: ends[0] connected, ends[1] accepted.
static bool pair_open(struct contract *t, int ends[2])
{
    u16 port;
    int fd = listen_any(t, &port);
    if (fd < 0) return false;
    struct completion accepted, connected;
    completion_init(&accepted, NULL, NULL);
    completion_init(&connected, NULL, NULL);
    io_accept(t->io, fd, &accepted);
    io_connect(t->io, "127.0.0.1", port, &connected);
    ends[0] = (int)await(t->io, &connected);
    ends[1] = (int)await(t->io, &accepted);
    io_socket_close(t->io, fd);
    CHECK(ends[0] >= 0 && ends[1] >= 0);
    return ends[0] >= 0 && ends[1] >= 0;
}

// ---- an echo server

struct echo_server {
    struct io *io;
    int fd;
    struct completion accepting;
    u32 accepted, closed;
};
struct echo_connection {
    struct echo_server *server;
    struct completion c;
    int fd;
    bool sending;
    struct iovec iov;
    u8 buffer[3000];
};

static void echo_step(struct completion *c)
{
    struct echo_connection *k = c->context;
    struct io *io = k->server->io;
    if (c->result <= 0) {
        k->server->closed++;
        io_socket_close(io, k->fd);
        free(k);
        return;
    }
    k->sending = !k->sending;
    if (k->sending) {
        k->iov = (struct iovec){k->buffer, (size_t)c->result};
        io_sendv(io, k->fd, &k->iov, 1, c);
    } else {
        io_recv(io, k->fd, k->buffer, sizeof k->buffer, c);
    }
}

static void echo_accepted(struct completion *c)
{
    struct echo_server *server = c->context;
    if (c->result == -ECANCELED) return;
    if (c->result < 0) {
        test_fail(__FILE__, __LINE__, "accept: %d", (int)c->result);
        return;
    }
    struct echo_connection *k = calloc(1, sizeof *k);
    if (!k) abort();
    k->server = server;
    k->fd = (int)c->result;
    server->accepted++;
    completion_init(&k->c, echo_step, k);
    io_recv(server->io, k->fd, k->buffer, sizeof k->buffer, &k->c);
    io_accept(server->io, server->fd, c);
}

static u16 echo_start(struct contract *t, struct echo_server *server)
{
    u16 port;
    *server = (struct echo_server){.io = t->io, .fd = listen_any(t, &port)};
    completion_init(&server->accepting, echo_accepted, server);
    if (server->fd >= 0) io_accept(t->io, server->fd, &server->accepting);
    return port;
}

static void echo_stop(struct echo_server *server)
{
    if (server->accepting.state == COMPLETION_PENDING) io_cancel(server->io, &server->accepting);
    for (u32 i = 0; i < 20 && io_busy(server->io); i++) CHECK(io_step(server->io, 1000000000) >= 0);
    CHECK_EQ(server->accepting.state, COMPLETION_DONE);
    CHECK(!io_busy(server->io));
    io_socket_close(server->io, server->fd);
}

static s64 recv_all(struct contract *t, int fd, u8 *out, size_t size)
{
    size_t got = 0;
    while (got < size) {
        s64 n = DO(t, io_recv(t->io, fd, out + got, size - got, &c));
        if (n <= 0) return n < 0 ? n : (s64)got;
        got += (size_t)n;
    }
    return (s64)got;
}

CONTRACT_REAL(socket_echo)
{
    struct echo_server server;
    u16 port = echo_start(t, &server);
    int fd = (int)DO(t, io_connect(t->io, "127.0.0.1", port, &c));
    REQUIRE(fd >= 0);
    struct iovec iov[] = {{"GET", 3}, {"", 0}, {" / HTTP/1.1", 11}};
    u8 back[20] = {0};
    CHECK_EQ(DO(t, io_sendv(t->io, fd, iov, 3, &c)), 14);
    CHECK_EQ(recv_all(t, fd, back, 14), 14);
    CHECK_STR((char *)back, "GET / HTTP/1.1");
    // The half that is closed tells the peer; the other half still carries what is left.
    CHECK_EQ(DO(t, io_sendv(t->io, fd, iov, 1, &c)), 3);
    CHECK_EQ(shutdown(fd, SHUT_WR), 0);
    CHECK_EQ(recv_all(t, fd, back, sizeof back), 3);
    CHECK_EQ(DO(t, io_recv(t->io, fd, back, 20, &c)), 0);
    io_socket_close(t->io, fd);
    echo_stop(&server);
    CHECK_EQ(server.accepted, 1);
    CHECK_EQ(server.closed, 1);
}

struct echo_client {
    struct completion_group *group;
    struct completion c;
    struct io *io;
    int fd;
    u32 number, step;
    u8 sent[64], got[64];
    u32 got_size;
    struct iovec iov;
};

static void client_submit(struct echo_client *k)
{
    completion_group_join(k->group, &k->c);
    if (k->step == 0) {
        contract_fill(k->sent, sizeof k->sent, k->number);
        k->iov = (struct iovec){k->sent, sizeof k->sent};
        io_sendv(k->io, k->fd, &k->iov, 1, &k->c);
    } else {
        io_recv(k->io, k->fd, k->got + k->got_size, sizeof k->got - k->got_size, &k->c);
    }
}

static void client_step(struct completion *c)
{
    struct echo_client *k = c->context;
    if (c->result <= 0) return;
    if (k->fd < 0) {
        k->fd = (int)c->result;
    } else if (k->step == 0) {
        k->step = 1;
    } else {
        k->got_size += (u32)c->result;
        if (k->got_size == sizeof k->got) {
            io_socket_close(k->io, k->fd);
            return;
        }
    }
    client_submit(k);
}

CONTRACT_REAL(socket_many_connections)
{
    enum { COUNT = 300 };
    struct echo_server server;
    u16 port = echo_start(t, &server);
    struct echo_client *clients = calloc(COUNT, sizeof *clients);
    REQUIRE(clients);
    struct completion_group g;
    completion_group_init(&g, t->io, false, NULL, NULL);
    for (u32 i = 0; i < COUNT; i++) {
        struct echo_client *k = &clients[i];
        *k = (struct echo_client){.group = &g, .io = t->io, .fd = -1, .number = i};
        completion_init(&k->c, client_step, k);
        completion_group_join(&g, &k->c);
        io_connect(t->io, "127.0.0.1", port, &k->c);
    }
    completion_group_seal(&g);
    CHECK_EQ(await(t->io, &g.completion), 0);
    u32 right = 0;
    for (u32 i = 0; i < COUNT; i++)
        right += clients[i].got_size == 64 && memcmp(clients[i].sent, clients[i].got, 64) == 0;
    CHECK_EQ(right, COUNT);
    echo_stop(&server);
    CHECK_EQ(server.accepted, COUNT);
    CHECK_EQ(server.closed, COUNT);
    free(clients);
}

// ---- pressure and ends

CONTRACT_REAL(socket_peer_that_stops_reading)
{
    enum { SIZE = 8 * 1024 * 1024 };
    int ends[2];
    u8 *bytes = malloc(SIZE), *back = malloc(SIZE);
    REQUIRE(bytes && back && pair_open(t, ends));
    contract_fill(bytes, SIZE, 9);
    int small = 65536;
    // Fixed sizes: the kernel would grow the receiver's buffer until everything fits.
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    setsockopt(ends[1], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct iovec iov[] = {
        {bytes, 1000001}, {bytes + 1000001, 3}, {bytes + 1000004, SIZE - 1000004}};
    struct completion sending;
    completion_init(&sending, NULL, NULL);
    io_sendv(t->io, ends[0], iov, 3, &sending);
    for (u32 i = 0; i < 20; i++) CHECK(io_step(t->io, 1000000) >= 0);
    CHECK_EQ(sending.state, COMPLETION_PENDING); // the loop goes on without it
    CHECK_EQ(DO(t, io_timeout(t->io, 1000, &c)), 0);
    CHECK_EQ(recv_all(t, ends[1], back, SIZE), SIZE);
    CHECK_EQ(await(t->io, &sending), SIZE);
    CHECK(memcmp(bytes, back, SIZE) == 0);

    // A send that hangs is cancelled.
    io_sendv(t->io, ends[0], iov, 3, &sending);
    for (u32 i = 0; i < 10; i++) CHECK(io_step(t->io, 1000000) >= 0);
    io_cancel(t->io, &sending);
    CHECK_EQ(await(t->io, &sending), -ECANCELED);
    io_socket_close(t->io, ends[0]);
    io_socket_close(t->io, ends[1]);
    free(bytes);
    free(back);
}

CONTRACT_REAL(socket_peer_gone)
{
    int ends[2];
    REQUIRE(pair_open(t, ends));
    struct linger reset = {.l_onoff = 1};
    setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    io_socket_close(t->io, ends[1]);
    u8 byte = 0;
    s64 n = DO(t, io_recv(t->io, ends[0], &byte, 1, &c));
    CHECK_EQ(n, -ECONNRESET);
    struct iovec iov = {"x", 1};
    CHECK_EQ(DO(t, io_sendv(t->io, ends[0], &iov, 1, &c)), -EPIPE); // and no SIGPIPE
    io_socket_close(t->io, ends[0]);
}

CONTRACT_REAL(socket_pending_is_cancelled)
{
    int ends[2];
    u16 port;
    REQUIRE(pair_open(t, ends));
    int listener = listen_any(t, &port);
    u8 byte;
    struct completion receiving, accepting, polling;
    completion_init(&receiving, NULL, NULL);
    completion_init(&accepting, NULL, NULL);
    completion_init(&polling, NULL, NULL);
    for (u32 steps = 0; steps < 3; steps++) { // before and after they reached the kernel
        io_recv(t->io, ends[0], &byte, 1, &receiving);
        io_accept(t->io, listener, &accepting);
        io_poll(t->io, ends[1], POLLIN, &polling);
        for (u32 i = 0; i < steps; i++) CHECK_EQ(io_step(t->io, 1000000), 0);
        io_cancel(t->io, &receiving);
        io_cancel(t->io, &accepting);
        io_cancel(t->io, &polling);
        io_cancel(t->io, &polling); // twice is once
        CHECK_EQ(await(t->io, &receiving), -ECANCELED);
        CHECK_EQ(await(t->io, &accepting), -ECANCELED);
        CHECK_EQ(await(t->io, &polling), -ECANCELED);
        CHECK(!io_busy(t->io));
    }
    // The connection is as it was.
    struct iovec iov = {"y", 1};
    CHECK_EQ(DO(t, io_sendv(t->io, ends[1], &iov, 1, &c)), 1);
    CHECK_EQ(DO(t, io_recv(t->io, ends[0], &byte, 1, &c)), 1);
    CHECK_EQ(byte, 'y');
    io_socket_close(t->io, listener);
    io_socket_close(t->io, ends[0]);
    io_socket_close(t->io, ends[1]);
}

CONTRACT_REAL(socket_close_cancels_what_is_pending)
{
    int ends[2];
    REQUIRE(pair_open(t, ends));
    u8 byte;
    struct completion receiving;
    completion_init(&receiving, NULL, NULL);
    for (u32 i = 0; i < 2; i++) {
        io_recv(t->io, ends[i], &byte, 1, &receiving);
        if (i == 0) CHECK_EQ(io_step(t->io, 1000000), 0);
        io_socket_close(t->io, ends[i]);
        s64 result = await(t->io, &receiving);
        CHECK_EQ(result, -ECANCELED);
    }
}

CONTRACT_REAL(socket_recv_from_a_nonblocking_socket_waits)
{
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    u8 byte = 0;
    struct completion receiving;
    completion_init(&receiving, NULL, NULL);
    io_recv(t->io, ends[0], &byte, 1, &receiving);
    for (u32 i = 0; i < 3; i++) CHECK_EQ(io_step(t->io, 1000000), 0);
    CHECK_EQ(write(ends[1], "z", 1), 1);
    CHECK_EQ(await(t->io, &receiving), 1);
    CHECK_EQ(byte, 'z');
    enum { SIZE = 1000000 };
    u8 *bytes = calloc(1, SIZE);
    REQUIRE(bytes);
    struct iovec iov = {bytes, SIZE};
    struct completion sending;
    completion_init(&sending, NULL, NULL);
    io_sendv(t->io, ends[0], &iov, 1, &sending);
    CHECK_EQ(recv_all(t, ends[1], bytes, SIZE), SIZE);
    CHECK_EQ(await(t->io, &sending), SIZE);
    free(bytes);
    io_socket_close(t->io, ends[0]);
    io_socket_close(t->io, ends[1]);
}

CONTRACT_REAL(socket_poll_tells_what_is_set)
{
    int ends[2];
    REQUIRE(pair_open(t, ends));
    CHECK_EQ(DO(t, io_poll(t->io, ends[0], POLLIN | POLLOUT, &c)), POLLOUT);
    struct iovec iov = {"y", 1};
    CHECK_EQ(DO(t, io_sendv(t->io, ends[1], &iov, 1, &c)), 1);
    CHECK_EQ(DO(t, io_poll(t->io, ends[0], POLLIN, &c)), POLLIN);
    CHECK_EQ(DO(t, io_poll(t->io, ends[0], POLLIN, &c)), POLLIN); // it asks for levels, not edges
    io_socket_close(t->io, ends[1]);
    io_socket_close(t->io, ends[0]);
    CHECK_EQ(DO(t, io_poll(t->io, 999999, POLLIN, &c)), -EBADF);
}

// A port of ours that answers no more connections: its queue is full.
struct full_port {
    int fds[5];
    u16 port;
};

static bool full_port_open(struct contract *t, struct full_port *full)
{
    struct err err = ERR_CLEAR;
    full->fds[0] = io_listen(t->io, "127.0.0.1:0", 0, &err);
    full->port = io_listen_port(full->fds[0]);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(full->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (u32 i = 1; i < 5; i++) {
        full->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (full->fds[i] < 0) return false;
        if (connect(full->fds[i], (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
            return false;
    }
    return full->fds[0] >= 0;
}

static void full_port_close(struct full_port *full)
{
    for (u32 i = 0; i < 5; i++) close(full->fds[i]);
}

// ---- connecting and listening

CONTRACT_REAL(socket_connect_by_name)
{
    struct echo_server server;
    u16 port = echo_start(t, &server);
    int fd = (int)DO(t, io_connect(t->io, "localhost", port, &c));
    CHECK(fd >= 0);
    if (fd >= 0) io_socket_close(t->io, fd);
    s64 rc = DO(t, io_connect(t->io, "no such host", port, &c));
    CHECK(rc == -ENXIO || rc == -EHOSTUNREACH);
    echo_stop(&server);
}

CONTRACT_REAL(socket_connect_refused_and_cancelled)
{
    u16 port;
    int fd = listen_any(t, &port);
    io_socket_close(t->io, fd);
    CHECK_EQ(DO(t, io_connect(t->io, "127.0.0.1", port, &c)), -ECONNREFUSED);
    struct full_port full;
    REQUIRE(full_port_open(t, &full));
    for (u32 i = 0; i < 6; i++) { // while the name is looked up, and while the peer is asked
        struct completion connecting;
        completion_init(&connecting, NULL, NULL);
        io_connect(t->io, i % 2 ? "localhost" : "127.0.0.1", full.port, &connecting);
        for (u32 steps = 0; steps < i / 2; steps++) CHECK(io_step(t->io, 1000000) >= 0);
        io_cancel(t->io, &connecting);
        CHECK_EQ(await(t->io, &connecting), -ECANCELED);
        CHECK(!io_busy(t->io));
    }
    full_port_close(&full);
}

CONTRACT_REAL(socket_listen_addresses)
{
    static const struct {
        const char *address;
        bool right;
    } rows[] = {
        {"127.0.0.1:0", true},
        {":0", true},
        {"localhost:0", true},
        {"127.0.0.1", false},
        {"", false},
        {":", false},
        {":x", false},
        {":99999", false},
        {"::1:80", false},
        {"127.0.0.1:1x", false},
        {"no such host:0", false},
    };
    for (u32 i = 0; i < COUNT_OF(rows); i++) {
        struct err err = ERR_CLEAR;
        int fd = io_listen(t->io, rows[i].address, 5, &err);
        if ((fd >= 0) != rows[i].right)
            test_fail(__FILE__, __LINE__, "\"%s\" gives %d", rows[i].address, fd);
        if (fd >= 0) {
            CHECK(io_listen_port(fd) != 0);
            close(fd);
        } else {
            CHECK(err.code != ERR_OK);
            CHECK(err.text[0]);
        }
    }
    // An address in use says so.
    u16 port;
    char address[40];
    int fd = listen_any(t, &port);
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    struct err err = ERR_CLEAR;
    CHECK_EQ(io_listen(t->io, address, 5, &err), -EADDRINUSE);
    CHECK_EQ(err.sys_errno, EADDRINUSE);
    CHECK_EQ(err.code, ERR_NETWORK);
    io_socket_close(t->io, fd);
}

static u32 destroyed_count;
static void destroyed(struct completion *c)
{
    CHECK_EQ(c->result, -ECANCELED);
    destroyed_count++;
}

CONTRACT_REAL(socket_destroy_with_operations_pending)
{
    int ends[2];
    u16 port;
    REQUIRE(pair_open(t, ends));
    int listener = listen_any(t, &port);
    struct full_port full;
    REQUIRE(full_port_open(t, &full));
    u8 byte;
    struct completion c[4];
    destroyed_count = 0;
    for (u32 i = 0; i < 4; i++) completion_init(&c[i], destroyed, NULL);
    io_recv(t->io, ends[0], &byte, 1, &c[0]);
    io_accept(t->io, listener, &c[1]);
    io_connect(t->io, "127.0.0.1", full.port, &c[2]);
    CHECK_EQ(io_step(t->io, 0), 0);
    io_recv(t->io, ends[1], &byte, 1, &c[3]); // this one has not reached the kernel
    io_destroy(t->io);
    t->io = NULL;
    CHECK_EQ(destroyed_count, 4);
    full_port_close(&full);
    close(ends[0]);
    close(ends[1]);
    close(listener);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
