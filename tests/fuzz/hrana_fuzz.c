// Any body is posted as a Hrana pipeline or cursor: there is an answer, and every stream can be ended afterwards. The
// first byte says to which of the two, and whether it is posted a second time with the baton that came back.
#include "../../node/hrana.h"
#include "fuzz.h"
#include "http_peer.h"

#include <sodium.h>

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {
        "{\"baton\":null,\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"SELECT ?1, :a, x'00'\",\"args\":[{\"type\":\"integer\","
        "\"value\":\"12\"}],\"named_args\":[{\"name\":\":a\",\"value\":{\"type\":\"blob\",\"base64\":\"AAEC\"}}],\"want_rows\":true}},"
        "{\"type\":\"close\"}]}",
        "{\"requests\":[{\"type\":\"batch\",\"batch\":{\"steps\":[{\"stmt\":{\"sql\":\"BEGIN\"}},{\"condition\":{\"type\":\"and\","
        "\"conds\":[{\"type\":\"ok\",\"step\":0},{\"type\":\"not\",\"cond\":{\"type\":\"error\",\"step\":0}},{\"type\":\"is_autocommit\"}]},"
        "\"stmt\":{\"sql\":\"COMMIT\"}}]}},{\"type\":\"get_autocommit\"}]}",
        "{\"requests\":[{\"type\":\"store_sql\",\"sql_id\":1,\"sql\":\"SELECT 1\"},{\"type\":\"describe\",\"sql_id\":1},"
        "{\"type\":\"execute\",\"stmt\":{\"sql_id\":1}},{\"type\":\"close_sql\",\"sql_id\":1},{\"type\":\"sequence\",\"sql\":\"SELECT 1; "
        "CREATE TABLE t(a); INSERT INTO t VALUES(1.5)\"}]}",
        "{\"baton\":null,\"batch\":{\"steps\":[{\"stmt\":{\"sql\":\"SELECT 1.5, 'a', NULL UNION ALL SELECT 2, 3, 4\"}},{\"stmt\":{\"sql\":"
        "\"oops\",\"args\":[{\"type\":\"null\"},{\"type\":\"float\",\"value\":1e3},{\"type\":\"text\",\"value\":\"\\u00e9\"}]}}]}}",
        "{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"SELECT @x\",\"named_args\":[{\"name\":\"x\",\"value\":{\"type\":\"integer\",\"value\":\"99999999999999999999\"}}]}}]}",
    };
    char seed[2000];
    for (u32 i = 0; i < COUNT_OF(TEXTS); i++) {
        seed[0] = i == 3 ? 1 : 2;
        strcpy(seed + 1, TEXTS[i]);
        fuzz_seed(seed, 1 + strlen(TEXTS[i]));
    }
}

static enum hrana_endpoint endpoint;

static void handle(struct http_exchange *x)
{
    hrana_handle(http_context(x), x, endpoint);
}

static char *post(struct io *io, u16 port, const u8 *body, size_t size)
{
    u8 *request = malloc(size + 200);
    int head = sprintf((char *)request, "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", size);
    memcpy(request + head, body, size);
    size_t answer_size;
    char *answer = http_peer_talk(io, port, request, (size_t)head + size, (size_t)head + size, 1500, &answer_size);
    free(request);
    FUZZ_CHECK(answer_size > 12 && strncmp(answer, "HTTP/1.1 ", 9) == 0);
    return answer;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1) return 0;
    struct io *io = fuzz_io();
    struct err err = ERR_CLEAR;
    struct skerry_engine *engine;
    FUZZ_CHECK(sodium_init() >= 0);
    FUZZ_CHECK(skerry_engine_create(&(struct skerry_engine_options){.io = io, .cache_bytes = 1 << 18}, &engine, &err));
    struct hrana_options ho = {.io = io, .engine = engine, .path = "/fuzz.db", .stream_idle_ms = 60000, .streams_max = 4,
                               .answer_size_max = 1 << 16, .statement_ms_max = 500};
    struct hrana *h = hrana_create(&ho, &err);
    FUZZ_CHECK(h);
    struct http_server_options so = {.address = http_peer_address(), .connections_max = 1, .header_size_max = 2048, .body_size_max = 1 << 20,
                                     .header_timeout_ms = 60000, .body_timeout_ms = 60000, .idle_timeout_ms = 60000,
                                     .send_timeout_ms = 60000, .handle = handle, .context = h};
    struct http_server *s = http_server_open(io, &so, &err);
    FUZZ_CHECK(s && http_server_start(s, &err));
    endpoint = data[0] & 1 ? HRANA_CURSOR : HRANA_PIPELINE;
    char *answer = post(io, http_server_port(s), data + 1, size - 1);
    const char *baton = data[0] & 2 ? strstr(answer, "\"baton\":\"") : NULL;
    const u8 *brace = memchr(data + 1, '{', size - 1);
    if (baton && brace) {
        // The same body once more, on the stream of the first.
        size_t baton_size = strcspn(baton + 9, "\"") + 10, rest = size - (size_t)(brace + 1 - data);
        u8 *body = malloc(baton_size + rest + 2);
        body[0] = '{';
        memcpy(body + 1, baton, baton_size);
        body[1 + baton_size] = ',';
        memcpy(body + 2 + baton_size, brace + 1, rest);
        free(post(io, http_server_port(s), body, baton_size + rest + 2));
        free(body);
    }
    free(answer);
    http_peer_stop(io, s);
    struct completion done;
    completion_init(&done, NULL, NULL);
    hrana_stop(h, &done);
    while (done.state != COMPLETION_DONE) io_step(io, UINT64_MAX);
    hrana_destroy(h);
    skerry_engine_destroy(engine);
    io_destroy(io);
    return 0;
}
