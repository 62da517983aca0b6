// A peer says anything to the hub, with its token or without: it is answered or let go, nothing outside of the hub's
// directory is touched, and the hub is idle afterwards. The first byte says in pieces of what size it comes.
#include "../../node/hub.h"
#include "fuzz.h"
#include "http_peer.h"

#define TOKEN "Authorization: Bearer t\r\n"

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {
        "\x00PUT /store/a/b HTTP/1.1\r\n" TOKEN "Content-Length: 5\r\nContent-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n\r\nhello"
        "GET /store/a/b HTTP/1.1\r\n" TOKEN "Range: bytes=1-3\r\n\r\n"
        "GET /store/?list-type=2&delimiter=/&prefix=a/&max-keys=1&start-after=a/a HTTP/1.1\r\n" TOKEN "\r\n",
        "\x07POST /store/u?uploads HTTP/1.1\r\n" TOKEN "x-skerry-part-size: 3\r\nContent-Length: 0\r\n\r\n"
        "GET /store/?uploads&prefix=u HTTP/1.1\r\n" TOKEN "\r\n"
        "PUT /store/u?partNumber=1&uploadId=0123456789abcdef HTTP/1.1\r\n" TOKEN "Content-Length: 3\r\n\r\nabc",
        "\x20POST /store/?delete HTTP/1.1\r\n" TOKEN "Transfer-Encoding: chunked\r\n\r\n1a\r\n<Delete><Key>a/b</Key></De"
        "\r\n0\r\n\r\nDELETE /store/a HTTP/1.1\r\n" TOKEN "\r\nHEAD /store/../x HTTP/1.1\r\n" TOKEN "\r\n",
        "\x01GET /store/a HTTP/1.1\r\nAuthorization: Bearer x\r\nIf-None-Match: \"1\"\r\n\r\n",
    };
    for (u32 i = 0; i < COUNT_OF(TEXTS); i++) fuzz_seed(TEXTS[i], 1 + strlen(TEXTS[i] + 1));
}

static struct hub *hub;

static void handle(struct http_exchange *x)
{
    if (hub_takes(http_path(x)))
        hub_handle(hub, x);
    else
        http_reply(x, 404, "text/plain", "", 0);
}

static bool streams(struct http_exchange *x)
{
    return hub_takes(http_path(x));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1) return 0;
    struct io *io = fuzz_io();
    struct err err = ERR_CLEAR;
    struct http_server_options o = {.address = http_peer_address(), .connections_max = 1, .header_size_max = 2048, .body_size_max = 4096,
                                    .header_timeout_ms = 60000, .body_timeout_ms = 60000, .idle_timeout_ms = 60000,
                                    .send_timeout_ms = 60000, .streams = streams, .stream_size_max = 65536, .handle = handle};
    fuzz_file_write(io, "/secret", "secret", 6);
    hub = hub_create(&(struct hub_options){.io = io, .directory = "/hub", .token = "t"}, &err);
    struct http_server *s = http_server_open(io, &o, &err);
    FUZZ_CHECK(s && hub && http_server_start(s, &err));
    char *answer = http_peer_talk(io, http_server_port(s), data + 1, size - 1, data[0] ? data[0] : size, 3, NULL);
    free(answer);
    http_peer_stop(io, s);
    for (u32 i = 0; i < 1000 && hub_busy(hub); i++) io_step(io, 1000000);
    FUZZ_CHECK(!hub_busy(hub));
    hub_destroy(hub);
    size_t secret_size;
    u8 *secret = fuzz_file_read(io, "/secret", &secret_size);
    FUZZ_CHECK(secret && secret_size == 6 && memcmp(secret, "secret", 6) == 0);
    free(secret);
    io_destroy(io);
    return 0;
}
