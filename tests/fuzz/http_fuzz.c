// Any bytes come over a connection: the server answers or closes, and is whole afterwards. The first byte says in
// pieces of what size they come.
#include "../../node/http_server.h"
#include "fuzz.h"
#include "http_peer.h"

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {
        "\x00GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /x?y=z HTTP/1.1\r\nConnection: close\r\n\r\n",
        "\x05POST /v2/pipeline HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhelloGET /stream HTTP/1.0\r\n\r\n",
        "\x01POST /stream HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
        "\x10OPTIONS * HTTP/1.1\r\nOrigin: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "\x03HEAD /late HTTP/1.1\r\nX: a\r\n b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    };
    for (u32 i = 0; i < COUNT_OF(TEXTS); i++) fuzz_seed(TEXTS[i], 1 + strlen(TEXTS[i] + 1));
}

static struct http_exchange *stream_exchange;
static struct completion stream_drained;

static void on_stream_drained(struct completion *c)
{
    http_stream_end(stream_exchange);
}

static void handle(struct http_exchange *x)
{
    size_t size;
    const char *body = http_body(x, &size), *path = http_path(x);
    FUZZ_CHECK(body[size] == 0);
    FUZZ_CHECK(size <= 4096);
    FUZZ_CHECK(http_method(x)[0] && http_query(x));
    FUZZ_CHECK(!http_header(x, "no such header of that name"));
    (void)http_header(x, "content-length");
    if (strcmp(path, "/stream") == 0) {
        http_stream_begin(x, 200, "text/plain");
        stream_exchange = x;
        completion_init(&stream_drained, on_stream_drained, NULL);
        http_stream_write(x, size ? body : "none", size ? size : 4, &stream_drained);
    } else if (strcmp(path, "/own") == 0) {
        http_reply_owned(x, 200, "text/plain", strdup("own"), 3);
    } else {
        http_reply(x, 200, "text/plain", body, size);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1) return 0;
    struct io *io = fuzz_io();
    struct err err = ERR_CLEAR;
    struct http_server_options o = {.address = http_peer_address(), .connections_max = 1, .header_size_max = 2048, .body_size_max = 4096,
                                    .header_timeout_ms = 60000, .body_timeout_ms = 60000, .idle_timeout_ms = 60000,
                                    .send_timeout_ms = 60000, .handle = handle};
    struct http_server *s = http_server_open(io, &o, &err);
    FUZZ_CHECK(s && http_server_start(s, &err));
    free(http_peer_talk(io, http_server_port(s), data + 1, size - 1, data[0] ? data[0] : size, 3, NULL));
    http_peer_stop(io, s);
    io_destroy(io);
    return 0;
}
