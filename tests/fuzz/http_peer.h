// The other end of an HTTP server that runs on the same loop.
#pragma once

#include "../../node/http_server.h"
#include "fuzz.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTP_PEER_ANSWER_MAX (1u << 20)

// An address of this machine for the next server: thousands of connections a second to one would use up its ports.
static u32 http_peer_host = 0x7f000001;
static inline const char *http_peer_address(void)
{
    static char text[32];
    if (++http_peer_host >= 0x7fffff00) http_peer_host = 0x7f000001;
    snprintf(text, sizeof text, "127.%u.%u.%u:0", http_peer_host >> 16 & 255, http_peer_host >> 8 & 255, http_peer_host & 255);
    return text;
}

// Sends the bytes in pieces, the end after so many turns of the loop without an answer, and gives what came back until
// the server closed (malloc'ed, with a NUL).
static inline char *http_peer_talk(struct io *io, u16 port, const u8 *bytes, size_t size, size_t piece, u32 patience,
                                   size_t *answer_size)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(http_peer_host)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    char *answer = malloc(HTTP_PEER_ANSWER_MAX + 1);
    size_t got = 0, sent = 0;
    bool ended = false;
    for (u32 idle = 0; idle < 2000;) {
        io_step(io, idle < 20 ? 0 : 1000000);
        ssize_t n = recv(fd, answer + got, HTTP_PEER_ANSWER_MAX - got, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN)) break;
        if (n > 0) got += (size_t)n;
        idle = n > 0 ? 0 : idle + 1;
        if (sent < size) {
            n = send(fd, bytes + sent, MIN(piece, size - sent), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n > 0) sent += (size_t)n, idle = 0;
        } else if (!ended && idle >= patience) {
            shutdown(fd, SHUT_WR);
            ended = true;
        }
        FUZZ_CHECK(idle < 1999); // a server that neither answers nor closes
        if (got == HTTP_PEER_ANSWER_MAX) break;
    }
    // Without the close waiting at this end, which would use up the ports.
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(fd);
    answer[got] = 0;
    if (answer_size) *answer_size = got;
    return answer;
}

static inline void http_peer_stop(struct io *io, struct http_server *s)
{
    struct completion done;
    completion_init(&done, NULL, NULL);
    http_server_stop(s, io_now_ns(io) + 1000000000, &done);
    while (done.state != COMPLETION_DONE) io_step(io, UINT64_MAX);
    http_server_close(s);
}
